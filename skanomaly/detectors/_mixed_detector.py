"""The base class of detectors of tables with categories and missing values."""

from abc import ABC
from typing import Any

from numpy.typing import NDArray
from sklearn.utils import Tags

from skanomaly._support._mixed_rows import check_mixed
from skanomaly.base import BaseDetector

__all__ = ["MixedDetector"]


class MixedDetector(BaseDetector, ABC):
    """Base class of detectors whose hooks receive codes for categories, and NaN for missing values.

    ``category_columns(self)`` marks the columns that are codes.
    """

    def _check(self, X: Any, *, reset: bool) -> NDArray[Any]:
        fewest = self._min_samples if reset else 1
        return check_mixed(self, X, reset=reset, min_samples=fewest, plain_numbers=True)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags
