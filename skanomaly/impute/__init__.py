"""Mend cells: draw plausible values, say how sure they are, and test why they are missing."""

from skanomaly.impute._knn_sampler import ImputationInterval, KNNSamplerImputer
from skanomaly.impute._missingness import MissingnessAudit
from skanomaly.impute._pooling import PooledEstimate, pool_estimates

__all__ = ["ImputationInterval", "KNNSamplerImputer", "MissingnessAudit", "PooledEstimate", "pool_estimates"]
