"""Samplers: make, choose, weigh and resample rows."""

from skanomaly.sampling._resampled import ResampledEstimator
from skanomaly.sampling._smote._borderline import ADASYN, BorderlineSMOTE
from skanomaly.sampling._smote._clusters import SVMSMOTE, KMeansSMOTE
from skanomaly.sampling._smote._nominal import SMOTEN, SMOTENC
from skanomaly.sampling._smote._smote import SMOTE

__all__ = [  # noqa: RUF022  # sorted by code point, as every door
    "ADASYN",
    "BorderlineSMOTE",
    "KMeansSMOTE",
    "ResampledEstimator",
    "SMOTE",
    "SMOTEN",
    "SMOTENC",
    "SVMSMOTE",
]
