"""Metrics of the scores of patches."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._patches import grid_of
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.metrics._ranking import roc_auc_score
from skanomaly.metrics._regions import per_region_overlap_score

__all__ = ["patch_region_overlap_score", "patch_roc_auc_score"]


def patch_roc_auc_score(y_true: Any, y_score: Any, *, pos_label: Any = None) -> float:
    """Area under the ROC curve of all patches of all samples.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_patches) or list of array-like
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples, n_patches) or list of array-like
        As returned by ``score_patches``: lower is more anomalous.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    float
        In [0, 1]; NaN, with a warning, if no patch is anomalous or none is normal.

    Raises
    ------
    ValueError
        If numbers of samples or patches differ.

    See Also
    --------
    patch_region_overlap_score : Anomalous regions of any size have the same weight.

    Examples
    --------
    >>> from skanomaly.metrics import patch_roc_auc_score
    >>> patch_roc_auc_score([[1, 1, -1], [1, 1, 1]], [[0.3, 0.2, -0.5], [0.1, 0.4, -0.7]])
    0.8
    """
    labels, scores = _pairs(y_true, y_score)
    return float(roc_auc_score(np.concatenate(labels), np.concatenate(scores), pos_label=pos_label))


@validate_params({"max_fpr": [Interval(Real, 0, 1, closed="right")]}, prefer_skip_nested_validation=True)
def patch_region_overlap_score(
    y_true: Any,
    y_score: Any,
    *,
    grid_shape: tuple[int, int] | None = None,
    max_fpr: float = 0.3,
    pos_label: Any = None,
) -> float:
    """Area under the per-region overlap curve (AU-PRO) of grids of patches.

    Parameters
    ----------
    y_true : array-like of shape (n_samples, n_patches) or list of array-like
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples, n_patches) or list of array-like
        As returned by ``score_patches``: lower is more anomalous.
    grid_shape : tuple of two int or None, default=None
        Rows and columns of the grid of each sample. None reads a number of patches that is a square as a square grid,
        any other as one row.
    max_fpr : float, default=0.3
        False positive rate at which the area ends.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    float
        In [0, 1], the area divided by `max_fpr`; NaN, with a warning, if no patch is anomalous or none is normal.

    Raises
    ------
    ValueError
        If numbers of samples or patches differ, or the grid has another number of patches.

    See Also
    --------
    per_region_overlap_score : The same for masks of any shape.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import patch_region_overlap_score
    >>> labels = np.ones((2, 16))
    >>> labels[0, [5, 6]] = -1
    >>> patch_region_overlap_score(labels, labels)
    1.0
    """
    labels, scores = _pairs(y_true, y_score)
    masks, maps = [], []
    for index, (label, score) in enumerate(zip(labels, scores, strict=True)):
        shape = grid_of(len(label)) if grid_shape is None else tuple(grid_shape)
        if int(np.prod(shape)) != len(label):
            raise ValueError(
                f"grid_shape={grid_shape} has {int(np.prod(shape))} patches; sample {index} has {len(label)}."
            )
        masks.append(label.reshape(shape))
        maps.append(score.reshape(shape))
    return float(per_region_overlap_score(masks, maps, max_fpr=max_fpr, pos_label=pos_label))


def _pairs(y_true: Any, y_score: Any) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Return labels and scores by sample."""
    labels, scores = ([np.ravel(np.asarray(part)) for part in values] for values in (y_true, y_score))
    if [len(part) for part in labels] != [len(part) for part in scores]:
        raise ValueError(
            f"y_true has {len(labels)} samples of {sum(map(len, labels))} patches and y_score {len(scores)} samples of "
            f"{sum(map(len, scores))}; each patch needs a label and a score."
        )
    return labels, scores
