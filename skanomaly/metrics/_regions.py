"""Per-region overlap: every anomalous region of a mask has the same weight, whatever its size."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from skanomaly._support._labels import read_labels
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly._support._validation import check_weights
from skanomaly.metrics._labels import check_ranked, undefined
from skanomaly.metrics._ranking import partial_area

__all__ = ["per_region_overlap_score"]


@validate_params(
    {
        "max_fpr": [Interval(Real, 0, 1, closed="right")],
        "connectivity": [Interval(Integral, 1, None, closed="left"), StrOptions({"full"})],
    },
    prefer_skip_nested_validation=True,
)
def per_region_overlap_score(
    y_true: Any,
    y_score: Any,
    *,
    max_fpr: float = 0.3,
    connectivity: int | str = "full",
    pos_label: Any = None,
    sample_weight: Any = None,
) -> float:
    """Area under the per-region overlap curve (AU-PRO), up to a false positive rate, for masks of any dimension.

    At each threshold the overlap is the mean, over connected anomalous regions, of the fraction of the region that is
    flagged, so a region of ten pixels counts as much as one of ten thousand.

    Parameters
    ----------
    y_true : ndarray, or list of ndarrays
        Mask: +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'. A
        series, an image, a volume. In a list each is a mask of its own, of its own shape; regions do not cross.
    y_score : ndarray, or list of ndarrays
        Scores of the same shapes: lower is more anomalous.
    max_fpr : float, default=0.3
        False positive rate at which the area ends.
    connectivity : "full" or int, default="full"
        Largest number of axes in which neighbouring elements may differ: "full" connects diagonal neighbours, 1 does
        not.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : ndarray, or list of ndarrays, default=None
        Weights of elements: of normal ones in the false positive rate, of anomalous ones within their region.

    Returns
    -------
    float
        In [0, 1], the area divided by `max_fpr`: perfect scores get 1, random and constant ones ``max_fpr / 2``. NaN,
        with a warning, if no element is anomalous or none is normal.

    Raises
    ------
    ValueError
        If shapes differ, or an array has fewer axes than `connectivity`.

    See Also
    --------
    partial_roc_auc_score : The partial area without regions.

    Notes
    -----
    The curve is that of :func:`partial_roc_auc_score` with ``correction="none"``, where the weight of each anomalous
    element is one over the size of its region. So every distinct score is a threshold, and the curve is cut at
    `max_fpr` exactly.

    References
    ----------
    .. [1] P. Bergmann et al. (2021). The MVTec anomaly detection dataset. International Journal of Computer Vision 129.
       https://doi.org/10.1007/s11263-020-01400-4

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import per_region_overlap_score
    >>> mask = np.ones((20, 20))
    >>> mask[2:12, 2:12] = mask[16:18, 16:18] = -1
    >>> only_large = np.where(mask == -1, -1.0, 1.0)
    >>> only_large[16:18, 16:18] = 1.0
    >>> round(per_region_overlap_score(mask, only_large), 3), per_region_overlap_score(mask, mask)
    (0.575, 1.0)
    """
    masks, scores = _arrays(y_true), _arrays(y_score)
    given = [None] * len(masks) if sample_weight is None else _arrays(sample_weight)
    weights = []
    if not len(masks) == len(scores) == len(given):
        raise ValueError(f"y_true has {len(masks)} masks, y_score {len(scores)}, sample_weight {len(given)}.")
    for mask, score, weight in zip(masks, scores, given, strict=True):
        if mask.shape != score.shape or (weight is not None and weight.shape != mask.shape):
            shapes = [mask.shape, score.shape] + ([] if weight is None else [weight.shape])
            raise ValueError(f"A mask, its scores and its weights have the shapes {shapes}; they must be equal.")
        if not isinstance(connectivity, str) and connectivity > mask.ndim:
            raise ValueError(f"connectivity={connectivity} is more than the {mask.ndim} axes of a mask.")
        weights.append(np.ones(mask.shape) if weight is None else weight.astype(np.float64))
    flat = np.concatenate([mask.ravel() for mask in masks])
    values = np.concatenate([score.ravel() for score in scores])
    base = check_weights(np.concatenate([weight.ravel() for weight in weights]), values)
    labels = read_labels(flat, name="y_true", pos_label=pos_label)
    anomaly = labels == -1
    if not anomaly.any():
        return undefined("Per-region overlap", "no element is anomalous")
    regions = np.concatenate(_label_regions(masks, anomaly, connectivity))
    counted = np.where(np.isnan(values), 0.0, np.asarray(base))  # elements without a score are left out
    sizes = np.bincount(regions, weights=counted)
    sizes[sizes == 0] = 1.0
    ranked = check_ranked(labels, values, None, base / np.where(anomaly, sizes[regions], 1.0))
    if not ranked.has_both:
        return undefined("Per-region overlap", "there must be anomalous and normal elements, both of positive weight")
    return partial_area(ranked, float(max_fpr), "none")


def _label_regions(
    masks: list[NDArray[Any]], anomaly: NDArray[np.bool_], connectivity: int | str
) -> list[NDArray[np.int64]]:
    """Return the region of each element, numbered from 1 over all masks; 0 for normal elements."""
    numbered, start, n_regions = [], 0, 0
    for mask in masks:
        here = anomaly[start : start + mask.size].reshape(mask.shape)
        rank = mask.ndim if connectivity == "full" else int(connectivity)
        labels, n_here = ndimage.label(here, structure=ndimage.generate_binary_structure(mask.ndim, rank))
        labels = labels.ravel().astype(np.int64)
        numbered.append(np.where(labels > 0, labels + n_regions, 0))
        start, n_regions = start + mask.size, n_regions + n_here
    return numbered


def _arrays(values: Any) -> list[NDArray[Any]]:
    """Return the arrays of a list, or the single array, as a list."""
    if isinstance(values, (list, tuple)) and values and np.ndim(values[0]) > 0:
        return [np.asarray(each) for each in values]
    return [np.asarray(values)]
