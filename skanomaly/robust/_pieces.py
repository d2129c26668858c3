"""What masked training checks in tables and their pieces."""

from typing import Any

from numpy.typing import NDArray

from skanomaly._support._labels import check_classification_targets
from skanomaly._support._validation import check_any_rows

__all__ = ["check_targets", "require_two"]


def check_targets(masked: Any, classifier: bool, table: Any, targets: Any) -> None:
    """Raise an error for a piece of a table whose rows or targets are not valid."""
    check_any_rows(masked, table, targets, y_numeric=not classifier)
    if classifier:
        check_classification_targets(targets)


def require_two(classes: NDArray[Any]) -> None:
    """Raise an error for fewer than two classes."""
    if classes.size < 2:
        raise ValueError("MaskedEstimator needs at least two classes to train a classifier; y contains 1 class.")
