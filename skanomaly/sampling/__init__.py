"""Samplers: make, choose, weigh and resample rows."""

from skanomaly.sampling._chunked import resample_chunks
from skanomaly.sampling._cleaning._under import EditedNearestNeighbours, RandomUnderSampler, SamplerChain, TomekLinks
from skanomaly.sampling._display import SamplerDisplay
from skanomaly.sampling._generation._minority import MinoritySampler
from skanomaly.sampling._imbalance._novelty import NoveltyReplay, RandomDistillationNovelty
from skanomaly.sampling._imbalance._optimal import OptimalImbalance
from skanomaly.sampling._posterior._expected import ExpectedAnomalyPosterior
from skanomaly.sampling._posterior._sampler import EAPSampler
from skanomaly.sampling._resampled import ResampledEstimator
from skanomaly.sampling._smote._borderline import ADASYN, BorderlineSMOTE
from skanomaly.sampling._smote._clusters import SVMSMOTE, KMeansSMOTE
from skanomaly.sampling._smote._domain import DomainSMOTE
from skanomaly.sampling._smote._elastic import ElasticSMOTE
from skanomaly.sampling._smote._nominal import SMOTEN, SMOTENC
from skanomaly.sampling._smote._regression import RegressionSMOTE
from skanomaly.sampling._smote._smote import SMOTE
from skanomaly.sampling._synthesis._detector import SyntheticAnomalyDetector
from skanomaly.sampling._synthesis._exposure import DiverseOutlierSampler, OutlierExposureClassifier
from skanomaly.sampling._synthesis._heads import ContrastiveHead, DensityHead, HingeHead, LogisticHead, OffsetHead
from skanomaly.sampling._synthesis._synthesizer import AnomalySynthesizer, SyntheticAnomalies

__all__ = [
    "ADASYN",
    "AnomalySynthesizer",
    "BorderlineSMOTE",
    "ContrastiveHead",
    "DensityHead",
    "DiverseOutlierSampler",
    "DomainSMOTE",
    "EAPSampler",
    "EditedNearestNeighbours",
    "ElasticSMOTE",
    "ExpectedAnomalyPosterior",
    "HingeHead",
    "KMeansSMOTE",
    "LogisticHead",
    "MinoritySampler",
    "NoveltyReplay",
    "OffsetHead",
    "OptimalImbalance",
    "OutlierExposureClassifier",
    "RandomDistillationNovelty",
    "RandomUnderSampler",
    "RegressionSMOTE",
    "ResampledEstimator",
    "SMOTE",
    "SMOTEN",
    "SMOTENC",
    "SVMSMOTE",
    "SamplerChain",
    "SamplerDisplay",
    "SyntheticAnomalies",
    "SyntheticAnomalyDetector",
    "TomekLinks",
    "resample_chunks",
]
