"""Series and collections of series, scored per time point and per series."""

from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._collections._bag_ranking import BagRankingDetector
from skanomaly.sequence._collections._base import SequenceDetector
from skanomaly.sequence._collections._degradation import degrade_windows
from skanomaly.sequence._collections._delays import delay_distributions
from skanomaly.sequence._collections._geometric import Contraction, GeometricOneClass
from skanomaly.sequence._collections._geometry import (
    Euclidean,
    Hyperbolic,
    Spherical,
    exponential_map,
    mobius_midpoint,
    poincare_distance,
)
from skanomaly.sequence._collections._likelihood import SequenceLikelihood
from skanomaly.sequence._collections._neighbors import SequenceNeighbors
from skanomaly.sequence._collections._overlay import overlay_events
from skanomaly.sequence._collections._reconstruction import SequenceReconstructor
from skanomaly.sequence._collections._reference import ReferenceDetector
from skanomaly.sequence._collections._selective_mahalanobis import SelectiveMahalanobisDetector
from skanomaly.sequence._collections._transients import remove_transients
from skanomaly.sequence._convert import from_aeon, from_long, to_aeon
from skanomaly.sequence._display import SeriesDisplay
from skanomaly.sequence._encoders._attention import AttentionClassifier
from skanomaly.sequence._encoders._chronos import ChronosEncoder
from skanomaly.sequence._encoders._convolution import RandomConvolutionTransformer
from skanomaly.sequence._encoders._dense import DenseEncoder
from skanomaly.sequence._encoders._random import RandomConvolutionEncoder, ReservoirEncoder
from skanomaly.sequence._encoders._recurrent import ConvolutionEncoder, RecurrentEncoder
from skanomaly.sequence._encoders._scattering import ScatteringCovariance
from skanomaly.sequence._encoders._self_similarity import SelfSimilarityDetector
from skanomaly.sequence._encoders._symbols import SymbolTransformer
from skanomaly.sequence._events import SeriesEvent, events_to_labels, find_events
from skanomaly.sequence._period import find_period
from skanomaly.sequence._resample import resample_series
from skanomaly.sequence._series._autoregressive import AutoregressiveDetector
from skanomaly.sequence._series._calendar import CalendarDetector
from skanomaly.sequence._series._components import SubsequenceKMeans, SubsequencePCA
from skanomaly.sequence._series._degradation import DegradationDetector
from skanomaly.sequence._series._encoding import EncodingDetector
from skanomaly.sequence._series._futures import Analogue, Diffusion, ResidualBootstrap
from skanomaly.sequence._series._grouped import GroupedDetector
from skanomaly.sequence._series._kshape import KShapeDetector
from skanomaly.sequence._series._language import LanguageAnswer, SeriesLanguageAdapter
from skanomaly.sequence._series._matrix_profile import MatrixProfileDetector, matrix_profile
from skanomaly.sequence._series._multi_future import MultiFutureDetector
from skanomaly.sequence._series._neighbors import SubsequenceNeighbors
from skanomaly.sequence._series._polynomial import PolynomialDetector
from skanomaly.sequence._series._rolling import RollingMahalanobis, RollingStatistic
from skanomaly.sequence._series._seasonal import SeasonalTrendDetector
from skanomaly.sequence._series._sliding import SlidingWindowDetector
from skanomaly.sequence._series._spectral import SpectralResidualDetector
from skanomaly.sequence._series._transitions import TransitionGraphDetector

__all__ = [
    "Analogue",
    "AttentionClassifier",
    "AutoregressiveDetector",
    "BagRankingDetector",
    "CalendarDetector",
    "ChronosEncoder",
    "Contraction",
    "ConvolutionEncoder",
    "DegradationDetector",
    "DenseEncoder",
    "Diffusion",
    "EncodingDetector",
    "Euclidean",
    "GeometricOneClass",
    "GroupedDetector",
    "Hyperbolic",
    "KShapeDetector",
    "LanguageAnswer",
    "MatrixProfileDetector",
    "MultiFutureDetector",
    "PolynomialDetector",
    "RandomConvolutionEncoder",
    "RandomConvolutionTransformer",
    "RecurrentEncoder",
    "ReferenceDetector",
    "ReservoirEncoder",
    "ResidualBootstrap",
    "RollingMahalanobis",
    "RollingStatistic",
    "ScatteringCovariance",
    "SeasonalTrendDetector",
    "SelectiveMahalanobisDetector",
    "SelfSimilarityDetector",
    "SequenceDetector",
    "SequenceLikelihood",
    "SequenceNeighbors",
    "SequenceReconstructor",
    "SeriesDetector",
    "SeriesDisplay",
    "SeriesEvent",
    "SeriesLanguageAdapter",
    "SlidingWindowDetector",
    "SpectralResidualDetector",
    "Spherical",
    "SubsequenceKMeans",
    "SubsequenceNeighbors",
    "SubsequencePCA",
    "SymbolTransformer",
    "TransitionGraphDetector",
    "degrade_windows",
    "delay_distributions",
    "events_to_labels",
    "exponential_map",
    "find_events",
    "find_period",
    "from_aeon",
    "from_long",
    "matrix_profile",
    "mobius_midpoint",
    "overlay_events",
    "poincare_distance",
    "remove_transients",
    "resample_series",
    "to_aeon",
]
