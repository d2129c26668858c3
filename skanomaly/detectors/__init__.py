"""Detectors, which score how anomalous each row of a table is."""

from skanomaly.detectors._density._gaussian import GaussianDetector
from skanomaly.detectors._density._kriging import KrigingDetector
from skanomaly.detectors._depth._random_projection import RandomProjectionDepth
from skanomaly.detectors._ensemble._anomaly import AnomalyDetector
from skanomaly.detectors._forest._isolation_forest import IsolationForestDetector
from skanomaly.detectors._marginal._marginal import MarginalDetector
from skanomaly.detectors._neighbors._multiscale import MultiscaleNeighborsDetector
from skanomaly.detectors._neighbors._nearest_neighbors import NearestNeighborsDetector
from skanomaly.detectors._neural._adversarial import AdversarialCode
from skanomaly.detectors._neural._autoencoder import Autoencoder, PerturbedReconstruction
from skanomaly.detectors._neural._codes import ConstrainedCode, DenseCode, MemoryCode, UncertaintyCode, VariationalCode
from skanomaly.detectors._neural._kinds import PrincipalComponents, RandomFeatures
from skanomaly.detectors._neural._objectives import (
    SVDD,
    DeepSAD,
    Margin,
    MeanShifted,
    ProjectionOutlyingness,
    SoftBoundary,
)
from skanomaly.detectors._neural._one_class import OneClassNetwork
from skanomaly.detectors._shift._aligned import ShiftAlignedDetector

__all__ = [
    "AdversarialCode",
    "AnomalyDetector",
    "Autoencoder",
    "ConstrainedCode",
    "DeepSAD",
    "DenseCode",
    "GaussianDetector",
    "IsolationForestDetector",
    "KrigingDetector",
    "Margin",
    "MarginalDetector",
    "MeanShifted",
    "MemoryCode",
    "MultiscaleNeighborsDetector",
    "NearestNeighborsDetector",
    "OneClassNetwork",
    "PerturbedReconstruction",
    "PrincipalComponents",
    "ProjectionOutlyingness",
    "RandomFeatures",
    "RandomProjectionDepth",
    "SVDD",
    "ShiftAlignedDetector",
    "SoftBoundary",
    "UncertaintyCode",
    "VariationalCode",
]
