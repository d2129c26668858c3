"""Imputation of missing values by random draws, with prediction intervals and pooled estimates."""

from skanomaly.impute._knn_sampler import ImputationInterval, KNNSamplerImputer
from skanomaly.impute._pooling import PooledEstimate, pool_estimates

__all__ = ["ImputationInterval", "KNNSamplerImputer", "PooledEstimate", "pool_estimates"]
