"""Labels of files, in whatever convention, turned to the house's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["turn_labels"]


def turn_labels(values: Any, *, name: str = "y") -> NDArray[np.int64]:
    """Turn the labels of a file to +1 normal, -1 anomaly, 0 unlabelled.

    Two conventions are recognised by their values: 1 anomaly and 0 normal (False and True alike), and the house's own.
    A column of ones alone could be either, so it is refused.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
    name : str, default="y"
        What errors call it.

    Returns
    -------
    ndarray of shape (n_samples,), int64

    Raises
    ------
    ValueError
        If a label is missing, is text, or belongs to neither convention.
    """
    remedy = "Use 1 for anomaly and 0 for normal, or -1 for anomaly, +1 for normal and 0 for unlabelled rows."
    labels = np.asarray(values)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"{name} has shape {labels.shape}; labels are one per row. {remedy}")
    if labels.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {_some(labels)}, not numbers. {remedy}")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError(f"{name} lacks a label in {np.count_nonzero(~np.isfinite(labels))} rows. {remedy}")
    found = set(np.unique(labels).tolist())
    if found <= {0, 1} and found != {1}:
        return np.where(labels == 1, -1, 1).astype(np.int64)
    if found <= {-1, 0, 1} and -1 in found:
        return labels.astype(np.int64)
    if found == {1}:
        raise ValueError(f"{name} holds only 1, which could mean all normal or all anomalies. {remedy}")
    raise ValueError(f"{name} holds {_some(labels)}. {remedy}")


def _some(labels: NDArray[Any]) -> str:
    """Show a few of the values."""
    shown = [str(value) for value in dict.fromkeys(labels[:1000].tolist())]
    return ", ".join(shown[:4]) + (", ..." if len(shown) > 4 else "")
