"""Per-region overlap: every anomalous region of a mask has the same weight, whatever its size."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.spatial import KDTree

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
    coordinates: Any = None,
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
    coordinates : ndarray of shape (n_elements, n_axes), or list of ndarrays, default=None
        For sparse events: the cell of each element, in whole numbers; masks and scores then have the shape
        (n_elements,). Elements are connected if their cells are neighbours; cells that are not listed are absent, not
        normal. None takes the places in the masks.
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
        If shapes differ, an array has fewer axes than `connectivity`, or coordinates are not distinct whole numbers.

    See Also
    --------
    partial_roc_auc_score : The partial area without regions.
    instance_purity_efficiency : Predicted instances instead of scores.

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
    >>> (
    ...     round(per_region_overlap_score(mask, only_large), 3),
    ...     per_region_overlap_score(mask, mask),
    ... )
    (0.575, 1.0)

    Five cells of a sparse event, of which two diagonal neighbours are one anomalous region:

    >>> cells = [[0, 0, 0], [1, 1, 1], [9, 0, 0], [9, 5, 0], [2, 9, 9]]
    >>> per_region_overlap_score(
    ...     [-1, -1, 1, 1, 1], [-2.0, -1.0, 0.0, 1.0, 1.0], coordinates=cells
    ... )
    1.0
    """
    masks, scores = _arrays(y_true), _arrays(y_score)
    given = [None] * len(masks) if sample_weight is None else _arrays(sample_weight)
    cells = None if coordinates is None else _cells(coordinates, masks)
    weights = []
    if not len(masks) == len(scores) == len(given):
        raise ValueError(f"y_true has {len(masks)} masks, y_score {len(scores)}, sample_weight {len(given)}.")
    for mask, score, weight in zip(masks, scores, given, strict=True):
        if mask.shape != score.shape or (weight is not None and weight.shape != mask.shape):
            shapes = [mask.shape, score.shape] + ([] if weight is None else [weight.shape])
            raise ValueError(f"A mask, its scores and its weights have the shapes {shapes}; they must be equal.")
        n_axes = mask.ndim if cells is None else cells[0].shape[1]
        if not isinstance(connectivity, str) and connectivity > n_axes:
            raise ValueError(f"connectivity={connectivity} is more than the {n_axes} axes of a mask.")
        weights.append(np.ones(mask.shape) if weight is None else weight.astype(np.float64))
    flat = np.concatenate([mask.ravel() for mask in masks])
    values = np.concatenate([score.ravel() for score in scores])
    base = check_weights(np.concatenate([weight.ravel() for weight in weights]), values)
    labels = read_labels(flat, name="y_true", pos_label=pos_label)
    anomaly = labels == -1
    if not anomaly.any():
        return undefined("Per-region overlap", "no element is anomalous")
    regions = np.concatenate(_label_regions(masks, anomaly, connectivity, cells))
    counted = np.where(np.isnan(values), 0.0, np.asarray(base))  # elements without a score are left out
    sizes = np.bincount(regions, weights=counted)
    sizes[sizes == 0] = 1.0
    ranked = check_ranked(labels, values, None, base / np.where(anomaly, sizes[regions], 1.0))
    if not ranked.has_both:
        return undefined("Per-region overlap", "there must be anomalous and normal elements, both of positive weight")
    return partial_area(ranked, float(max_fpr), "none")


def _label_regions(
    masks: list[NDArray[Any]],
    anomaly: NDArray[np.bool_],
    connectivity: int | str,
    cells: list[NDArray[np.float64]] | None,
) -> list[NDArray[np.int64]]:
    """Return the region of each element, numbered from 1 over all masks; 0 for normal elements."""
    numbered, start, n_regions = [], 0, 0
    for place, mask in enumerate(masks):
        here = anomaly[start : start + mask.size].reshape(mask.shape)
        n_axes = mask.ndim if cells is None else cells[place].shape[1]
        rank = n_axes if connectivity == "full" else int(connectivity)
        if cells is None:
            labels, n_here = ndimage.label(here, structure=ndimage.generate_binary_structure(n_axes, rank))
        else:
            labels, n_here = _label_cells(cells[place], here, rank)
        labels = labels.ravel().astype(np.int64)
        numbered.append(np.where(labels > 0, labels + n_regions, 0))
        start, n_regions = start + mask.size, n_regions + n_here
    return numbered


def _label_cells(cells: NDArray[np.float64], anomaly: NDArray[np.bool_], rank: int) -> tuple[NDArray[np.int64], int]:
    """Return the region of each cell; neighbours differ by at most 1, in at most `rank` axes."""
    labels = np.zeros(len(cells), dtype=np.int64)
    chosen = np.flatnonzero(anomaly)
    if chosen.size == 0:
        return labels, 0
    pairs = KDTree(cells[chosen]).query_pairs(1.5, p=np.inf, output_type="ndarray")
    near = np.count_nonzero(cells[chosen][pairs[:, 0]] != cells[chosen][pairs[:, 1]], axis=1) <= rank
    first, second = pairs[near].T
    graph = sparse.coo_matrix((np.ones(first.size), (first, second)), shape=(chosen.size, chosen.size))
    n_regions, found = sparse.csgraph.connected_components(graph, directed=False)
    labels[chosen] = found + 1
    return labels, int(n_regions)


def _cells(coordinates: Any, masks: list[NDArray[Any]]) -> list[NDArray[np.float64]]:
    """Validate the cells of the elements of each mask."""
    several = isinstance(coordinates, (list, tuple)) and len(coordinates) > 0 and np.ndim(coordinates[0]) == 2
    cells = [np.asarray(each, dtype=np.float64) for each in (coordinates if several else [coordinates])]
    if len(cells) != len(masks):
        raise ValueError(f"coordinates are of {len(cells)} events and y_true of {len(masks)} masks; give one for each.")
    n_axes = {each.shape[1] if each.ndim == 2 else 0 for each in cells}
    for each, mask in zip(cells, masks, strict=True):
        if mask.ndim != 1 or each.ndim != 2 or len(each) != len(mask) or len(n_axes) > 1:
            raise ValueError(
                f"coordinates have the shape {each.shape} and their mask {mask.shape}; give (n_elements, n_axes) and "
                "(n_elements,), with the same number of axes for each event."
            )
        if not (np.isfinite(each).all() and (each == np.round(each)).all()):
            raise ValueError("coordinates must be whole numbers; divide them by the size of a cell, and round down.")
        if len(np.unique(each, axis=0)) < len(each):
            raise ValueError("coordinates list a cell twice in one event; add up or drop repeated cells.")
    return cells


def _arrays(values: Any) -> list[NDArray[Any]]:
    """Return the arrays of a list, or the single array, as a list."""
    if isinstance(values, (list, tuple)) and values and np.ndim(values[0]) > 0:
        return [np.asarray(each) for each in values]
    return [np.asarray(values)]
