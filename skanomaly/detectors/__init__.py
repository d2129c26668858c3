"""Detectors, which score how anomalous each row of a table is."""

from skanomaly.detectors._density._gaussian import GaussianDetector
from skanomaly.detectors._density._kriging import KrigingDetector
from skanomaly.detectors._depth._random_projection import RandomProjectionDepth
from skanomaly.detectors._neighbors._multiscale import MultiscaleNeighborsDetector
from skanomaly.detectors._neighbors._nearest_neighbors import NearestNeighborsDetector

__all__ = [
    "GaussianDetector",
    "KrigingDetector",
    "MultiscaleNeighborsDetector",
    "NearestNeighborsDetector",
    "RandomProjectionDepth",
]
