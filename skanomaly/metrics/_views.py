"""Scores of several views of one sample: one score for the sample, or one map of cells."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skanomaly._support._sklearn import StrOptions, validate_params

__all__ = ["aggregate_views", "fuse_views"]


@validate_params(
    {
        "y_score": ["array-like"],
        "groups": ["array-like"],
        "aggregation": [StrOptions({"max", "mean", "logsumexp"})],
    },
    prefer_skip_nested_validation=True,
)
def aggregate_views(y_score: Any, groups: Any, *, aggregation: str = "max") -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Combine the scores of all views of a sample: the sample is as anomalous as its most anomalous view.

    Parameters
    ----------
    y_score : array-like of shape (n_views,)
        Score of each view; lower is more anomalous.
    groups : array-like of shape (n_views,)
        Sample of each view.
    aggregation : {"max", "mean", "logsumexp"}, default="max"
        "max" takes the most anomalous view, "mean" the mean score, and "logsumexp" a smooth maximum that grows with the
        number of anomalous views.

    Returns
    -------
    samples : ndarray of shape (n_groups,)
        The distinct groups, sorted.
    scores : ndarray of shape (n_groups,)
        Lower is more anomalous.

    Raises
    ------
    ValueError
        If a score is NaN.

    See Also
    --------
    fuse_views : Combines maps of cells of which each view sees some.

    Notes
    -----
    The evaluation by sample of Real-IAD [1]_ with five views of each part. Where a defect shows in one view only, the
    mean dilutes it.

    References
    ----------
    .. [1] C. Wang et al., "Real-IAD: A Real-World Multi-View Dataset for Benchmarking Versatile Industrial Anomaly
       Detection", CVPR 2024. arXiv:2403.12580.

    Examples
    --------
    >>> from skanomaly.metrics import aggregate_views
    >>> samples, scores = aggregate_views([0.9, 0.1, 0.8, 0.7], ["a", "a", "b", "b"])
    >>> samples.tolist(), scores.tolist()
    (['a', 'b'], [0.1, 0.7])
    """
    scores, keys = column_or_1d(y_score).astype(np.float64), column_or_1d(groups)
    check_consistent_length(scores, keys)
    if np.isnan(scores).any():
        raise ValueError("y_score holds NaN; leave out views without a score.")
    samples, places = np.unique(keys, return_inverse=True)
    if aggregation == "mean":
        return samples, np.bincount(places, scores) / np.bincount(places)
    if aggregation == "max":
        least = np.full(len(samples), np.inf)
        np.minimum.at(least, places, scores)
        return samples, least
    return samples, np.array([-logsumexp(-scores[places == index]) for index in range(len(samples))])


@validate_params(
    {"y_score": ["array-like"], "visible": ["array-like", None], "aggregation": [StrOptions({"max", "mean"})]},
    prefer_skip_nested_validation=True,
)
def fuse_views(y_score: Any, visible: Any = None, *, aggregation: str = "mean") -> NDArray[np.float64]:
    """Combine maps of the same cells from several views, each cell by the views that see it.

    Parameters
    ----------
    y_score : array-like of shape (n_views, ...)
        Score of each cell (pixel, voxel or time point) in each view; lower is more anomalous. NaN where the view does
        not see the cell.
    visible : array-like of bool, of the same shape, default=None
        Which cells each view sees, beside those that are NaN.
    aggregation : {"max", "mean"}, default="mean"
        Over the views that see the cell: the most anomalous one, or the mean.

    Returns
    -------
    ndarray of shape (...)
        NaN for cells that no view sees; leave them out of metrics.

    Raises
    ------
    ValueError
        If the shapes differ.

    See Also
    --------
    aggregate_views : One score for each sample.
    per_region_overlap_score : Metric of maps of any number of dimensions.

    Notes
    -----
    The step from images to volumes of the benchmark SiM3D (Single-instance Multiview Multimodal and Multisetup 3D
    Anomaly Detection Benchmark); the projection of pixels to voxels is the user's part.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import fuse_views
    >>> fuse_views([[0.2, 0.4, np.nan], [0.6, np.nan, np.nan]])
    array([0.4, 0.4, nan])
    """
    scores = np.array(y_score, dtype=np.float64)
    if scores.ndim < 2:
        raise ValueError(f"y_score has shape {scores.shape}; it must be (n_views, ...), with one map per view.")
    if visible is not None:
        seen = np.asarray(visible, dtype=bool)
        if seen.shape != scores.shape:
            raise ValueError(f"visible has shape {seen.shape} and y_score {scores.shape}; they must agree.")
        scores[~seen] = np.nan
    seen = ~np.isnan(scores)
    counts = seen.sum(axis=0)
    if aggregation == "max":
        fused = np.where(seen, scores, np.inf).min(axis=0)
    else:
        fused = np.where(seen, scores, 0.0).sum(axis=0) / np.maximum(counts, 1)
    return np.where(counts > 0, fused, np.nan)
