"""Impute missing values: draw plausible ones and say how certain they are."""

from skanomaly.impute._knn_sampler import ImputationInterval, KNNSamplerImputer
from skanomaly.impute._pooling import PooledEstimate, pool_estimates

__all__ = ["ImputationInterval", "KNNSamplerImputer", "PooledEstimate", "pool_estimates"]
