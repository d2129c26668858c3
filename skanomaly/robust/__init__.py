"""Training of estimators on data that contain anomalies or wrong targets."""

from skanomaly.robust._curator import SampleCurator
from skanomaly.robust._dynamics import TrainingDynamics
from skanomaly.robust._imbalanced import ImbalancedRegressor, rarity_weights
from skanomaly.robust._mask import ZErrorMask
from skanomaly.robust._masked_estimator import MaskedEstimator
from skanomaly.robust._series import robust_series_weights
from skanomaly.robust._zerror import ZErrorClassifier, ZErrorRegressor

__all__ = [
    "ImbalancedRegressor",
    "MaskedEstimator",
    "SampleCurator",
    "TrainingDynamics",
    "ZErrorClassifier",
    "ZErrorMask",
    "ZErrorRegressor",
    "rarity_weights",
    "robust_series_weights",
]
