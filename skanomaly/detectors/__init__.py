"""Detectors, which score how anomalous each row of a table is."""

from skanomaly.detectors._density._gaussian import GaussianDetector
from skanomaly.detectors._density._kriging import KrigingDetector
from skanomaly.detectors._depth._random_projection import RandomProjectionDepth
from skanomaly.detectors._ensemble._anomaly import AnomalyDetector
from skanomaly.detectors._forest._isolation_forest import IsolationForestDetector
from skanomaly.detectors._marginal._marginal import MarginalDetector
from skanomaly.detectors._neighbors._multiscale import MultiscaleNeighborsDetector
from skanomaly.detectors._neighbors._nearest_neighbors import NearestNeighborsDetector
from skanomaly.detectors._shift._aligned import ShiftAlignedDetector

__all__ = [
    "AnomalyDetector",
    "GaussianDetector",
    "IsolationForestDetector",
    "KrigingDetector",
    "MarginalDetector",
    "MultiscaleNeighborsDetector",
    "NearestNeighborsDetector",
    "RandomProjectionDepth",
    "ShiftAlignedDetector",
]
