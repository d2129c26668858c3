"""Is the data sound, and has it changed? Tests with a statistic, a p-value and a score per row."""

from skanomaly.audit._drift import KNNDriftTest

__all__ = ["KNNDriftTest"]
