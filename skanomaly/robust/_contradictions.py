"""Rows whose label contradicts a sure prediction: the mask of classifiers."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Contradictions", "contradictions", "predictions"]

_LOWEST_CUT = 0.1


class Contradictions(NamedTuple):
    """The rows that are kept, and the confidence of each predicted class that counts as one unit of its errors."""

    keep: NDArray[np.bool_]
    scale: NDArray[np.float64]


def predictions(outputs: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the predicted class of each row, and by how much its output exceeds the second largest one."""
    outputs = outputs.astype(np.float64)
    if outputs.shape[1] == 1:  # two classes have one logit
        return (outputs[:, 0] > 0).astype(np.intp), np.abs(outputs[:, 0])
    largest = np.partition(outputs, -2, axis=1)[:, -2:]
    return outputs.argmax(axis=1), largest[:, 1] - largest[:, 0]


def contradictions(
    outputs: NDArray[Any],
    labels: NDArray[np.intp],
    weights: NDArray[np.float64] | None,
    *,
    n_classes: int,
    threshold: float,
    adaptive: bool,
    per_class: bool,
    min_keep: float,
    min_group: int,
    decay: float,
    pooled: NDArray[np.float64],
) -> Contradictions:
    """Find the rows whose label contradicts a prediction that is as sure as correct predictions are.

    The confidence of a row is divided by the median confidence of the rows that are rightly predicted as the same
    class. A row is masked if its label is not the predicted one and that ratio is at least ``threshold - 1``. A wrong
    label is independent of the confidence of the prediction, so it is found as often among sure rows as a correct one;
    errors of the classifier itself are mostly unsure. Rows near the boundary are kept, and so is every row whose
    prediction agrees with its label, however small the spread of the margins.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, 1 or n_classes)
    labels : ndarray of shape (n_samples,)
    weights : ndarray of shape (n_samples,) or None
    n_classes : int
    threshold : float
        Finite or infinite; nothing is masked if it is infinite.
    adaptive : bool
        Whether less sure rows are masked as well where wrong labels explain at least half of the contradictions.
    per_class : bool
        Whether the median is that of the predicted class.
    min_keep : float
        Smallest fraction of the rows that is kept.
    min_group : int
        Rows of a class with fewer rows are kept.
    decay : float
        Factor of the exponential average of the medians over calls; 0 uses these rows alone.
    pooled : ndarray of shape (n_classes or 1, 3)
        Scratch; the second column is the median, the third the number of calls behind it. Updated.

    Returns
    -------
    Contradictions
    """
    counts = np.ones(labels.size) if weights is None else weights
    predicted, confidence = predictions(outputs)
    agrees = predicted == labels
    typical = _typical(confidence, predicted, agrees, counts, n_classes, per_class, decay, pooled)
    scale = np.full(n_classes, np.inf)
    known = typical > 0
    scale[known] = typical[known]
    ratios = confidence / scale[predicted]
    cut = max(threshold - 1.0, 0.0)
    if np.isinf(threshold):
        return Contradictions(np.ones(labels.size, dtype=np.bool_), scale)
    if adaptive and cut > 0:
        lowered = _lowered_cut(ratios, agrees, counts, cut)
        scale *= lowered / cut
        cut = lowered
    sizes = np.bincount(labels, weights=counts, minlength=n_classes)
    large = sizes >= min_group if decay == 0 else np.ones(n_classes, dtype=np.bool_)
    masked = ~agrees & (ratios >= cut) & np.isfinite(scale[predicted]) & large[labels]
    return Contradictions(_enough_kept(masked, ratios, counts, min_keep), scale)


def _typical(
    confidence: NDArray[np.float64],
    predicted: NDArray[np.intp],
    agrees: NDArray[np.bool_],
    counts: NDArray[np.float64],
    n_classes: int,
    per_class: bool,
    decay: float,
    pooled: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the median confidence of the rows rightly predicted as each class; 0 where there is none."""
    for group in range(pooled.shape[0]):
        members = agrees & (predicted == group) if per_class else agrees
        if not counts[members].any():
            if decay == 0:
                pooled[group, 1] = 0.0
            continue
        median = _quantiles(confidence[members], counts[members], [0.5])[0]
        old = decay if pooled[group, 2] > 0 else 0.0
        pooled[group, 1] = old * pooled[group, 1] + (1.0 - old) * median
        pooled[group, 2] += 1.0
    return np.broadcast_to(pooled[:, 1], n_classes) if pooled.shape[0] == 1 else pooled[:, 1].copy()


def _lowered_cut(
    ratios: NDArray[np.float64], agrees: NDArray[np.bool_], counts: NDArray[np.float64], cut: float
) -> float:
    """Lower the cut as long as wrong labels explain at least half of the contradictions just below it.

    The ratio of contradictions to agreements above the cut estimates that of wrong to right labels, which is the same
    at any confidence. It is compared with the ratio between the deciles of the agreeing rows below the cut.
    """
    right, wrong = counts * agrees, counts * ~agrees
    above = ratios >= cut
    if not right[above].any() or not wrong[above].any():
        return cut
    noise = wrong[above].sum() / right[above].sum()
    upper = cut
    for lower in _quantiles(ratios[agrees], counts[agrees], np.arange(9, 0, -1) / 10):
        if lower >= upper:
            continue
        if lower < _LOWEST_CUT * cut:
            break
        between = (ratios >= lower) & (ratios < upper)
        if noise * right[between].sum() < 0.5 * wrong[between].sum():
            break
        upper = lower
    return float(upper)


def _enough_kept(
    masked: NDArray[np.bool_], ratios: NDArray[np.float64], counts: NDArray[np.float64], min_keep: float
) -> NDArray[np.bool_]:
    """Return the rows to keep: at least a fraction `min_keep` of the weight, by keeping the least sure masked rows."""
    allowed = (1.0 - min_keep) * counts.sum()
    if counts[masked].sum() <= allowed:
        return ~masked
    rows = np.flatnonzero(masked)
    rows = rows[np.argsort(-ratios[rows], kind="stable")]
    dropped = rows[np.cumsum(counts[rows]) <= allowed]
    if dropped.size < rows.size:  # rows as sure as the first one that is kept are kept
        dropped = dropped[ratios[dropped] > ratios[rows[dropped.size]]]
    keep = np.ones(masked.size, dtype=np.bool_)
    keep[dropped] = False
    return keep


def _quantiles(values: NDArray[np.float64], counts: NDArray[np.float64], fractions: Any) -> NDArray[np.float64]:
    """Return quantiles of weighted values; a weight of 2 equals two rows."""
    order = np.argsort(values)
    reached = np.cumsum(counts[order])
    places = np.searchsorted(reached, np.asarray(fractions) * reached[-1] * (1 - 1e-12))
    return values[order][places.clip(max=values.size - 1)]
