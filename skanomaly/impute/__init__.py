"""Imputation of missing values by random draws, with prediction intervals and pooled estimates."""

from skanomaly.impute._knn_sampler import ImputationInterval, KNNSamplerImputer
from skanomaly.impute._pooling import PooledEstimate, pool_estimates
from skanomaly.impute._selection import LeaveOneOutNeighbors

__all__ = ["ImputationInterval", "KNNSamplerImputer", "LeaveOneOutNeighbors", "PooledEstimate", "pool_estimates"]
