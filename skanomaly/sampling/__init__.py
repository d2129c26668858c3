"""Samplers: make, choose, weigh and resample rows."""

from skanomaly.sampling._cleaning._under import EditedNearestNeighbours, RandomUnderSampler, SamplerChain, TomekLinks
from skanomaly.sampling._posterior._expected import ExpectedAnomalyPosterior
from skanomaly.sampling._posterior._sampler import EAPSampler
from skanomaly.sampling._resampled import ResampledEstimator
from skanomaly.sampling._smote._borderline import ADASYN, BorderlineSMOTE
from skanomaly.sampling._smote._clusters import SVMSMOTE, KMeansSMOTE
from skanomaly.sampling._smote._domain import DomainSMOTE
from skanomaly.sampling._smote._nominal import SMOTEN, SMOTENC
from skanomaly.sampling._smote._regression import RegressionSMOTE
from skanomaly.sampling._smote._smote import SMOTE

__all__ = [  # noqa: RUF022  # sorted by code point, as every door
    "ADASYN",
    "BorderlineSMOTE",
    "DomainSMOTE",
    "EAPSampler",
    "EditedNearestNeighbours",
    "ExpectedAnomalyPosterior",
    "KMeansSMOTE",
    "RandomUnderSampler",
    "RegressionSMOTE",
    "ResampledEstimator",
    "SMOTE",
    "SMOTEN",
    "SMOTENC",
    "SVMSMOTE",
    "SamplerChain",
    "TomekLinks",
]
