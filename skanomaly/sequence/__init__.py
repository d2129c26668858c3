"""How odd each moment, each series and each event trace is."""

from skanomaly.sequence._base import EventDetector, SequenceDetector, SeriesDetector
from skanomaly.sequence._convert import from_aeon, from_long, from_long_events, to_aeon
from skanomaly.sequence._events._compression import CompressionDetector
from skanomaly.sequence._events._counts import EventCountDetector
from skanomaly.sequence._events._markov import MarkovDetector
from skanomaly.sequence._events._multiscale import MultiscaleEventDetector
from skanomaly.sequence._events._ngram import NGramDetector
from skanomaly.sequence._series._matrix_profile import MatrixProfileDetector, matrix_profile
from skanomaly.sequence._series._neighbors import SubsequenceNeighbors

__all__ = [
    "CompressionDetector",
    "EventCountDetector",
    "EventDetector",
    "MarkovDetector",
    "MatrixProfileDetector",
    "MultiscaleEventDetector",
    "NGramDetector",
    "SequenceDetector",
    "SeriesDetector",
    "SubsequenceNeighbors",
    "from_aeon",
    "from_long",
    "from_long_events",
    "matrix_profile",
    "to_aeon",
]
