"""The base class of detectors of tables with categories and missing values."""

from abc import ABC
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags

from skanomaly._support._chunk_levels import joined_levels
from skanomaly._support._mixed_rows import check_mixed
from skanomaly._support._pieces import Pieces, require_in_memory
from skanomaly.base import BaseDetector

__all__ = ["MixedDetector"]


class MixedDetector(BaseDetector, ABC):
    """Base class of detectors whose hooks receive codes for categories, and NaN for missing values.

    ``category_columns(self)`` marks the columns that are codes.
    """

    def _check(self, X: Any, *, reset: bool) -> NDArray[Any]:
        require_in_memory(self, X, reset=reset)
        fewest = self._min_samples if reset else 1
        return check_mixed(self, X, reset=reset, min_samples=fewest, plain_numbers=True)

    def _read_schema(self, pieces: Pieces) -> None:
        """Find the kinds and the categories of the columns, whatever the order of the pieces."""
        first = next((table for table, _ in pieces if len(table) > 0), None)
        if first is None:
            return
        levels = first[:2]
        if not (isinstance(first, np.ndarray) and first.dtype.kind in "fiub"):
            levels = joined_levels(pieces)
        check_mixed(self, levels, reset=True, plain_numbers=True)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags
