"""Every public estimator, each in the parameter sets that the common checks run on."""

import importlib
import inspect

import sklearn
from packaging.version import Version
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier, IsolationForest
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import skanomaly
from skanomaly.detectors import DenseCode, GaussianDetector, ProjectionOutlyingness, RandomFeatures
from skanomaly.embeddings import ContextPrototypes, NetworkStudent, PartnerMap, PatchBank, PatchResidual
from skanomaly.events import EventReservoir
from skanomaly.generation import BoostAndSkip, MixtureDenoiser
from skanomaly.robust import ContaminationFilter
from skanomaly.sampling import DensityHead
from skanomaly.sequence import (
    Contraction,
    DenseEncoder,
    Diffusion,
    Hyperbolic,
    RandomConvolutionEncoder,
    ReservoirEncoder,
)
from skanomaly.threshold import GammaGMM


def _forest():
    return IsolationForest(n_estimators=10, random_state=0)


class RecordedClient:
    """Stands for a language model: answers with the values far from 0 that it reads in the prompt."""

    def complete(self, prompt, image=None):
        lines = [line.split(": ") for line in prompt.splitlines() if ": " in line and line.split(": ")[0].isdigit()]
        far = [int(place) for place, row in lines if max(abs(float(value)) for value in row.split(", ")) > 1.8]
        return f"The far ones are {[[place, place] for place in far]}"

    def __repr__(self):
        return "RecordedClient()"


# Two parameter sets each; cheap ones, since each goes through some fifty checks. Not listed: the defaults alone.
PARAMETERS = {
    "ContaminationPosterior": [
        {"detectors": [IsolationForest(n_estimators=4, random_state=0)]},
        {
            "detectors": [IsolationForest(n_estimators=4, random_state=0)],
            "method": GammaGMM(n_init=2, max_components=5),
        },
    ],
    "ThresholdedDetector": [{"detector": IsolationForest(n_estimators=4, random_state=0)}],
    "ConformalDetector": [
        {"detector": IsolationForest(n_estimators=4, random_state=0)},
        {"detector": IsolationForest(n_estimators=4, random_state=0), "method": "cross", "cv": 3},
    ],
    "ScoreRefiner": [{"detector": IsolationForest(n_estimators=4, random_state=0)}],
    # audit
    "CensoredTwoSampleTest": [
        {},
        {"statistic": "supremum"},
        {"statistic": "tarone_ware", "null": "permutation", "n_permutations": 39},
    ],
    "CorrelatorTest": [
        {"n_permutations": 39},
        {"n_permutations": 19, "scale": "standardized", "orders": [2], "max_samples": 40},
    ],
    "CovarianceSpectrumTest": [
        {"n_draws": 39},
        {"statistic": "sphericity", "null": "gaussian", "n_draws": 39},
    ],
    "DomainClassifierTest": [
        {"cv": 2},
        {
            "estimator": make_pipeline(StandardScaler(), LogisticRegression()),
            "null": "permutation",
            "n_permutations": 9,
            "alpha": 0.1,
            "cv": 2,
        },
    ],
    "ColumnDriftTest": [
        {"n_resamples": 20},
        {
            "number_statistic": "kolmogorov_smirnov",
            "category_statistic": "g",
            "null": "permutation",
            "n_permutations": 39,
        },
    ],
    "EnergyTest": [{"n_permutations": 39}, {"metric": "euclidean", "max_samples": 40}],
    "KNNChangePointTest": [{"n_permutations": 99}, {"null": "permutation", "n_permutations": 39, "max_changes": 2}],
    "KNNDriftMonitor": [{"window_size": 20}, {"window_size": 10, "n_neighbors": 3, "stride": 5}],
    "KNNDriftTest": [
        {"n_permutations": 199},
        {"statistic": "ks", "null": "permutation", "n_permutations": 39, "ties": "all"},
    ],
    "KNNTwoSampleTest": [{}, {"null": "permutation", "n_permutations": 39, "metric": "cosine"}],
    "KernelTest": [{"n_permutations": 39}, {"bandwidth": 2.0, "max_samples": 40}],
    "MembershipAudit": [
        {"estimator": DecisionTreeClassifier(max_depth=2), "n_shadows": 4},
        {"estimator": GaussianMixture(2), "n_shadows": 4, "mode": "offline", "queries": "canary", "n_queries": 2},
    ],
    "MissingnessTest": [{"n_permutations": 39}],
    "NPLMTest": [
        {"n_permutations": 39, "n_centers": 20},
        {"n_permutations": 39, "n_centers": 10, "bandwidth": 2.0, "null": "chi_square"},
    ],
    "SpuriousAudit": [{}],
    "TableAudit": [{}],
    "WindowExcessSearch": [{"cv": 2}, {"cv": 2, "template": "regression", "fractions": [0.2]}],
    # model_selection
    "DetectorSearch": [
        {"detectors": [IsolationForest(n_estimators=4), IsolationForest(n_estimators=6)], "n_repeats": 1},
        {
            "detectors": [IsolationForest(n_estimators=4), IsolationForest(n_estimators=6)],
            "criterion": "consensus",
            "n_resamples": 3,
        },
    ],
    "ScoreEnsemble": [
        {"detectors": [IsolationForest(n_estimators=20), IsolationForest(n_estimators=10)]},
        {"detectors": [IsolationForest(n_estimators=8)], "aggregation": "probability_integral", "min_agreement": 0.0},
    ],
    # detectors
    "GaussianDetector": [
        {},
        {"covariance": "oas", "subspace": "pca", "n_components": 2},
        {"levels": [slice(0, 1), slice(0, None)]},
    ],
    "AnomalyDetector": [{"n_estimators": 10}, {"max_samples": 40, "n_estimators": 5, "contamination": 0.2}],
    "Autoencoder": [
        {"kind": RandomFeatures(n_features=40)},
        {"kind": DenseCode(latent_dim=2, hidden_layer_sizes=[8], max_iter=40), "statistic": "reconstruction"},
    ],
    "OneClassNetwork": [
        {"hidden_layer_sizes": [8, 4], "max_iter": 40},
        {"objective": ProjectionOutlyingness(n_projections=30), "max_iter": 20, "covariance": None},
    ],
    "KrigingDetector": [{"max_samples": 60}, {"exponent": 1.5, "covariance": "ledoit_wolf", "noise": 0.1}],
    "MultiscaleNeighborsDetector": [
        {"max_samples": 100, "block_size": 25, "n_neighbors": 5},
        {"scales": "coarse", "max_samples": 64, "block_size": 32},
    ],
    "IsolationForestDetector": [
        {"n_estimators": 20},
        {"n_estimators": 10, "max_samples": 0.5, "contamination": 0.1},
    ],
    "NearestNeighborsDetector": [
        {},
        {"n_neighbors": 3, "aggregation": "mean", "metric": "euclidean", "bank": "coreset", "trim": 0.05},
    ],
    "RandomProjectionDepth": [
        {"n_projections": 40},
        {
            "n_projections": 60,
            "aggregation": "top",
            "covariance": "ledoit_wolf",
            "n_modes": 2,
            "directions": "gaussian",
        },
    ],
    "ShiftAlignedDetector": [{}, {"detector": _forest(), "statistics": "moment", "mix": 0.5, "min_samples": 5}],
    # generation
    "DiffusionSampler": [
        {"n_steps": 10},
        {"denoiser": MixtureDenoiser(density="likelihood"), "method": BoostAndSkip(), "n_steps": 10},
    ],
    "MixtureDenoiser": [{}, {"density": GaussianMixture(2, random_state=0)}],
    "NoiseAwareMixture": [{}, {"n_components": 2, "tol": 1e-3}],
    "ProtectedScorer": [{"estimator": LogisticRegression()}],
    # embeddings
    "ConceptProjector": [{}, {"mode": "guide", "normalize": False}],
    "DistillationDetector": [
        {},
        {"n_views": 2, "aggregation": "product"},
        {"student": NetworkStudent(hidden_layer_sizes=[8], max_iter=40), "n_views": 1, "aggregation": "quantile"},
    ],
    "TiledDetector": [
        {"detector": GaussianDetector()},
        {"detector": GaussianDetector(), "axis": "columns", "tiles": 2},
    ],
    "TokenReconstructor": [
        {"method": ContextPrototypes(n_prototypes=3), "random_state": 0},
        {"method": PartnerMap(hidden_size=8, max_iter=40), "centering": "median", "random_state": 0},
    ],
    "AnomalyClusterer": [{"n_clusters": 2, "n_init": 2}, {"n_clusters": 3, "n_init": 1}],
    "ChecklistDetector": [{}, {"rules": ["range", "regression"], "n_votes": 3}],
    "PatchRefiner": [{"detector": PatchResidual()}],
    "LogitDetector": [{}, {"statistic": "entropy", "temperature": 2.0}],
    "PrototypeDetector": [{"metric": "euclidean"}, {"metric": "euclidean", "temperature": 1.0, "pooling": "max"}],
    "PatchGaussian": [{}, {"scope": "position", "rank": 2, "pooling": "mean"}],
    "PatchNeighbors": [
        {},
        {"metric": "centered", "reference": "both", "n_neighbors": 2},
        {"bank": PatchBank(selection="coreset", size=0.5), "metric": "euclidean"},
    ],
    "PatchResidual": [{}, {"aligned": False, "n_prototypes": 2, "pooling": "max"}],
    "PatchwiseTransformer": [{"transformer": StandardScaler()}],
    # impute
    "KNNSamplerImputer": [{}, {"n_neighbors": 3, "strategy": "mean", "scale": False, "weights": "distance"}],
    # robust
    "BatchListRegressor": [{"clean_fraction": 0.6, "n_starts": 20}],
    "GroupBalancedClassifier": [{"estimator": LogisticRegression()}],
    "ImbalancedRegressor": [
        {"max_iter": 20},
        {"max_iter": 60, "learning_rate_init": 0.05, "hidden_layer_sizes": (), "correlation_weight": 0.0},
    ],
    "MaskedEstimator": [
        {"estimator": Ridge(), "cv": None},
        {"estimator": LogisticRegression(max_iter=2000), "cv": None, "reference": None},  # without a forest a fit
    ],
    "PurifiedDetector": [{"detector": _forest(), "row_filter": ContaminationFilter(n_subsets=4)}],
    "SampleCurator": [{"cv": 2}, {"false_drop_rate": 0.05, "cv": 3}],
    "StreamGuard": [{"estimator": SGDClassifier(loss="log_loss"), "batch_size": 20}],
    "TrainingDynamics": [{"max_iter": 5}, {"max_iter": 5, "estimator": SGDClassifier(loss="log_loss")}],
    "ZErrorClassifier": [{}, {"hidden_layer_sizes": (8,)}],
    "ZErrorRegressor": [{}, {"hidden_layer_sizes": (8,)}],
    # sequence: windows that fit the short tables of the checks
    "AutoregressiveDetector": [
        {"order": 2, "smoothing": 1},
        {"order": 1, "estimator": Ridge(), "smoothing": 3, "causal": True},
    ],
    "CalendarDetector": [  # the tables of the checks have no dates
        {"calendar": None, "smoothing": 2},
        {"calendar": None, "smoothing": 3, "causal": True},
    ],
    "DegradationDetector": [
        {
            "classifier": ExtraTreesClassifier(20, random_state=0),
            "window_size": 15,
            "n_windows": 150,
        }
    ],
    "EncodingDetector": [
        {"window_size": 4, "encodings": [(2, 3)]},
        {"window_size": 5, "encodings": [(2, 2), (4, 4)], "normalize": "scale", "point_alignment": "max"},
    ],
    "GroupedDetector": [{"detector": _forest(), "group": None}],  # one column of groups leaves nothing to score
    "KShapeDetector": [
        {"window_size": 4, "n_clusters": 3, "smoothing": 1},
        {"window_size": 5, "n_clusters": 2, "smoothing": 3, "point_alignment": "mean"},
    ],
    "MatrixProfileDetector": [
        {"window_size": 5},
        {"window_size": 4, "aggregation": "max", "causal": True, "context_size": 60},
    ],
    "PolynomialDetector": [
        {"block_size": 4, "neighborhood_size": 30, "smoothing": 2},
        {"block_size": 3, "neighborhood_size": 20, "degree": 1, "smoothing": 1},
    ],
    "RollingMahalanobis": [{"window_size": 3}, {"window_size": 2, "causal": True, "binary_channels": "keep"}],
    "RollingStatistic": [
        {"window_size": 4},
        {"window_size": 3, "statistic": "norm", "point_alignment": "last"},
        {"window_size": 4, "statistic": "range", "point_alignment": "mean"},
        {"window_size": 4, "statistic": "mean_absolute", "point_alignment": "max"},
    ],
    "MultiFutureDetector": [
        {"n_past": 3, "n_future": 2, "n_samples": 3},
        {
            "sampler": Diffusion(n_steps=2, hidden_layer_sizes=[4], max_iter=5),
            "n_past": 3,
            "n_future": 2,
            "n_samples": 2,
            "point_alignment": "last",
        },
    ],
    "SeriesLanguageAdapter": [{"client": RecordedClient(), "representation": "text", "window_size": 50}],
    "SeasonalTrendDetector": [{"period": 4}, {"period": 3, "n_cycles": 2, "smoothing": 3, "causal": True}],
    "SlidingWindowDetector": [
        {"detector": _forest(), "window_size": 4},
        {"detector": _forest(), "window_size": 5, "features": "statistics", "normalize": "center", "stride": 2},
    ],
    "SpectralResidualDetector": [{"average_size": 20}, {"average_size": 3, "smoothing": 3}],
    "SubsequenceKMeans": [
        {"window_size": 4},
        {"window_size": 3, "n_clusters": 3, "normalize": "scale", "point_alignment": "last"},
    ],
    "SubsequenceNeighbors": [
        {"window_size": 4, "n_neighbors": 2, "point_alignment": "last"},
        {"window_size": 5, "n_neighbors": 3, "n_references": 60, "normalize": "zscore", "point_alignment": "max"},
    ],
    "TransitionGraphDetector": [
        {"window_size": 5, "n_rays": 6, "smoothing": 5},
        {"window_size": 4, "n_rays": 12, "smoothing": 4, "point_alignment": "mean"},
    ],
    "SubsequencePCA": [
        {"window_size": 4},
        {"window_size": 3, "statistic": "both", "normalize": "center", "point_alignment": "last"},
    ],
    # sequence: events, collections, embeddings
    "BagRankingDetector": [{"n_segments": None, "max_iter": 20}, {"hidden_layer_sizes": 4, "max_iter": 20}],
    "CompressionDetector": [{}, {"order": 2, "aggregation": "mean"}],
    "EventEncoderDetector": [
        {"encoder": EventReservoir(n_units=8)},
        {"window_size": 2, "local_weight": 0.0},
    ],
    "EventCountDetector": [{}, {"scale": "count", "n_neighbors": 3}],
    "GeometricOneClass": [
        {"encoder": ReservoirEncoder(n_units=8), "space": Hyperbolic(), "contraction": Contraction(max_iter=10)},
        {"encoder": RandomConvolutionEncoder(n_kernels=8), "space": Hyperbolic(), "target": "reconstruction"},
    ],
    "MarkovDetector": [{}, {"order": 3, "smoothing": 0.1, "aggregation": "top3"}],
    "NGramDetector": [{}, {"window_size": 2}],
    "RandomConvolutionTransformer": [{"n_kernels": 5}],
    "ReferenceDetector": [{}, {"alignment": "none", "scale": "std", "n_references": 5}],
    "ScatteringCovariance": [{"n_octaves": 2}],
    "SelectiveMahalanobisDetector": [{}, {"aggregation": "distance_of_mean"}],
    "SelfSimilarityDetector": [
        {"window_size": 64, "stride": 32, "context_size": 4},
        {"window_size": 64, "stride": 32, "context_size": 4, "head": "spectral"},
    ],
    "SequenceLikelihood": [{"order": 2}],
    "SequenceReconstructor": [
        {"encoder": RandomConvolutionEncoder(n_kernels=8)},
        {"encoder": ReservoirEncoder(n_units=8), "statistic": "absolute"},
        {
            "encoder": DenseEncoder(latent_dim=2, hidden_layer_sizes=[8], kl_weight=0.01, max_iter=20),
            "statistic": "elbo",
        },
    ],
    "SequenceNeighbors": [{}, {"representation": "resampled", "n_neighbors": 3}],
    "SyntheticAnomalyDetector": [{}, {"head": DensityHead(hidden_layer_sizes=[8], max_iter=40)}],
    # sampling
    # The checks feed class labels, of which pos_label says which is the anomaly.
    "AnomalySynthesizer": [{"pos_label": 1}],
    "ExpectedAnomalyPosterior": [
        {"pos_label": 1, "n_subsets": 10},
        {"pos_label": 1, "n_subsets": 10, "estimator": DecisionTreeClassifier()},
    ],
    "OptimalImbalance": [{"ratios": (0.3, 0.5), "cv": 2}],
    "ResampledEstimator": [{"estimator": LogisticRegression()}],
    "SMOTE": [{}, {"selection": "random", "k_neighbors": 3}],
}

# Class name -> check name -> reason. Empty is the aim.
_IN_ORDER = {
    "check_methods_sample_order_invariance": "the rows of a series are its order",
    "check_methods_subset_invariance": "a time point is scored within its window",
}
_BY_ROWS = "a sampler counts rows, so a row given twice is not a row of weight 2"
_NO_LOGITS = {
    "check_sign": "large values are sure answers, and the far rows of the check are such",
    "check_not_own_evidence": "large values are sure answers, and the far rows of the check are such",
}
EXPECTED_FAILURES = {
    "ResampledEstimator": {
        "check_sample_weight_equivalence_on_dense_data": _BY_ROWS,
        "check_sample_weight_equivalence_on_sparse_data": _BY_ROWS,
    },
    "LogitDetector": _NO_LOGITS,
    "AutoregressiveDetector": _IN_ORDER,
    "CalendarDetector": _IN_ORDER,
    "DegradationDetector": _IN_ORDER,
    "EncodingDetector": _IN_ORDER,
    "KShapeDetector": _IN_ORDER,
    "MatrixProfileDetector": _IN_ORDER,
    "MultiFutureDetector": _IN_ORDER,
    "PolynomialDetector": _IN_ORDER,
    "RollingMahalanobis": _IN_ORDER,
    "RollingStatistic": _IN_ORDER,
    "SeasonalTrendDetector": _IN_ORDER,
    "SelfSimilarityDetector": _IN_ORDER,
    "SlidingWindowDetector": _IN_ORDER,
    "SpectralResidualDetector": _IN_ORDER,
    "SubsequenceKMeans": _IN_ORDER,
    "SubsequenceNeighbors": _IN_ORDER,
    "SubsequencePCA": _IN_ORDER,
    "TransitionGraphDetector": _IN_ORDER,
}


def public_classes():
    """Yield the concrete public estimator classes."""
    for module_name in skanomaly.__all__:
        if module_name.startswith("_"):
            continue
        module = importlib.import_module(f"skanomaly.{module_name}")
        for name in module.__all__:
            member = getattr(module, name)
            if inspect.isclass(member) and issubclass(member, BaseEstimator) and not inspect.isabstract(member):
                yield member


def instances(*, first=True):
    """Build each class in its parameter sets, or in all but the first."""
    for cls in public_classes():
        for parameters in PARAMETERS.get(cls.__name__, [{}])[0 if first else 1 :]:
            yield cls(**parameters)


if Version(sklearn.__version__) < Version("1.7"):
    # The check itself subtracts a float from the whole numbers that it hands to estimators of categories.
    EXPECTED_FAILURES["SMOTEN"] = {
        "check_positive_only_tag_during_fit": "the check fails before the estimator is called"
    }
