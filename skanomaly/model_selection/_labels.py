"""Anomaly labels of either convention, recognised or refused."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import column_or_1d

from skanomaly._support._labels import turn_labels

__all__ = ["anomaly_labels"]


def anomaly_labels(y: Any, *, pos_label: Any = "auto") -> NDArray[np.int8]:
    """Turn labels to +1 normal, -1 anomaly, 0 unlabelled.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
    pos_label : "auto" or label, default="auto"
        With "auto" the convention is recognised: where -1 occurs, it is the anomaly, +1 normal and 0 unlabelled;
        of 0 and 1 (or False and True), 1 is the anomaly if it is the rarer one. With -1, all three labels of the
        house are expected. Any other value is the anomalies' label, and all others are normal.

    Returns
    -------
    ndarray of shape (n_samples,), int8

    Raises
    ------
    ValueError
        If the convention cannot be recognised.
    """
    labels = column_or_1d(np.asarray(y))
    if not (isinstance(pos_label, str) and pos_label == "auto") and pos_label != -1:
        return np.where(labels == pos_label, -1, 1).astype(np.int8)
    if labels.dtype.kind in "OUS":
        found = sorted({str(value) for value in labels[:1000].tolist()})[:4]
        raise ValueError(
            f"y holds {', '.join(found)}: which of them is the anomaly cannot be known. Say so with pos_label, or use "
            "-1 for anomaly, +1 for normal and 0 for unlabelled rows."
        )
    values = np.unique(labels)
    only_zeros_and_ones = bool(np.isin(values, [0, 1]).all())
    if only_zeros_and_ones and (pos_label == -1 or values.size < 2):
        return labels.astype(np.int8)
    share = np.count_nonzero(labels == 1) / max(labels.size, 1)
    if only_zeros_and_ones and share >= 0.5:
        raise ValueError(
            f"y holds 0 and 1, and 1 is the label of {share:.0%} of the rows: which of the two is the anomaly cannot "
            "be known. Say so with pos_label=0 or pos_label=1, or use -1 for anomaly and +1 for normal rows."
        )
    return turn_labels(labels).astype(np.int8)
