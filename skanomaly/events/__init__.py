"""Traces of discrete events, such as logs and sessions, scored per trace and per event."""

from skanomaly.events._base import EventDetector
from skanomaly.events._compression import CompressionDetector
from skanomaly.events._convert import from_long_events
from skanomaly.events._counts import EventCountDetector
from skanomaly.events._display import EventDisplay
from skanomaly.events._encoders import EventReservoir, RecurrentEventEncoder
from skanomaly.events._markov import MarkovDetector
from skanomaly.events._multiscale import MultiscaleEventDetector
from skanomaly.events._ngram import NGramDetector
from skanomaly.events._one_class import EventEncoderDetector

__all__ = [
    "EventEncoderDetector",
    "RecurrentEventEncoder",
    "EventReservoir",
    "CompressionDetector",
    "EventCountDetector",
    "EventDetector",
    "EventDisplay",
    "MarkovDetector",
    "MultiscaleEventDetector",
    "NGramDetector",
    "from_long_events",
]
