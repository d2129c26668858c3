"""What masked training checks in pieces of a table."""

from typing import Any

from skanomaly._support._labels import check_classification_targets
from skanomaly._support._validation import check_any_rows

__all__ = ["check_targets"]


def check_targets(masked: Any, classifier: bool, table: Any, targets: Any) -> None:
    """Raise an error for a piece of a table whose rows or targets are not valid."""
    check_any_rows(masked, table, targets, y_numeric=not classifier)
    if classifier:
        check_classification_targets(targets)
