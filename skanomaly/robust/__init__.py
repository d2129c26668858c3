"""Training of estimators on data that contain anomalies or wrong targets."""

from skanomaly.robust._balanced_groups import GroupBalancedClassifier, GroupWeights, LastLayer, TrainTwice
from skanomaly.robust._batch_list import BatchListRegressor
from skanomaly.robust._curator import SampleCurator
from skanomaly.robust._dynamics import TrainingDynamics
from skanomaly.robust._imbalanced import ImbalancedRegressor, rarity_weights
from skanomaly.robust._mask import ZErrorMask
from skanomaly.robust._masked_estimator import MaskedEstimator
from skanomaly.robust._purified import ContaminationFilter, FilteredRows, PurifiedDetector
from skanomaly.robust._series import robust_series_weights
from skanomaly.robust._stream_guard import StreamGuard, memorization_discrepancy
from skanomaly.robust._zerror import ZErrorClassifier, ZErrorRegressor

__all__ = [
    "BatchListRegressor",
    "ContaminationFilter",
    "FilteredRows",
    "GroupBalancedClassifier",
    "GroupWeights",
    "ImbalancedRegressor",
    "LastLayer",
    "MaskedEstimator",
    "PurifiedDetector",
    "SampleCurator",
    "StreamGuard",
    "TrainTwice",
    "TrainingDynamics",
    "ZErrorClassifier",
    "ZErrorMask",
    "ZErrorRegressor",
    "memorization_discrepancy",
    "rarity_weights",
    "robust_series_weights",
]
