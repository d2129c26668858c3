"""How odd each moment, each series and each event trace is."""

from skanomaly.sequence._base import EventDetector, SequenceDetector, SeriesDetector
from skanomaly.sequence._convert import from_aeon, from_long, from_long_events, to_aeon

__all__ = [
    "EventDetector",
    "SequenceDetector",
    "SeriesDetector",
    "from_aeon",
    "from_long",
    "from_long_events",
    "to_aeon",
]
