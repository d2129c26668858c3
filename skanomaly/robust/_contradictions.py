"""Rows whose label contradicts a sure prediction: the mask of classifiers."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LEAST_MASKED",
    "Contradictions",
    "contradictions",
    "label_margins",
    "margin_errors",
    "one_column_per_class",
    "predictions",
    "quantiles",
    "typical_margins",
]

_LOWEST_CUT = 0.1
_LEAST_PRECISION = 0.5
_MOST_OTHERS = 16
_MOST_TIED = 0.95
# Sure contradictions, relative to sure correct predictions, that wrong labels must reach: this times the fraction of
# contradicted rows, but at most the second constant, which is that of two classes and decreases with this power of
# their number. Below it the last constant is the largest fraction masked.
_SURE_PER_ERROR = 2.5
_MOST_SURE = 0.625
_SURE_BY_CLASSES = 0.25
LEAST_MASKED = 0.015


class Contradictions(NamedTuple):
    """The rows that are kept, the margin of each predicted class that is one unit, and what was found.

    ``informative`` is False if margins do not differ, ``overlapping`` is True if the contradictions are like those of
    overlapping classes, so that few rows are masked.
    """

    keep: NDArray[np.bool_]
    scale: NDArray[np.float64]
    informative: bool = True
    overlapping: bool = False


def one_column_per_class(outputs: NDArray[Any]) -> NDArray[np.float64]:
    """Return outputs in double precision, with two columns for the logit of the second of two classes."""
    outputs = outputs.astype(np.float64)
    return np.hstack([-outputs, outputs]) / 2 if outputs.shape[1] == 1 else outputs


def predictions(outputs: NDArray[Any]) -> NDArray[np.intp]:
    """Return the predicted class of each row; one column is the logit of the second of two classes."""
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0).astype(np.intp)
    return outputs.argmax(axis=1)


def label_margins(outputs: NDArray[np.float64], labels: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the output of each row's own class minus the largest other, for two or more columns."""
    rows, others = np.arange(labels.size), outputs.copy()
    others[rows, labels] = -np.inf
    margins: NDArray[np.float64] = outputs[rows, labels] - others.max(axis=1)
    return margins


def margin_errors(
    margins: NDArray[np.float64], outputs: NDArray[Any], labels: NDArray[np.intp], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Standardise margins by the scale of the predicted class: 1 at the boundary, 2 for a typical wrong label."""
    errors: NDArray[np.float64] = 1.0 - margins / scale[np.where(margins < 0, predictions(outputs), labels)]
    return errors


def typical_margins(
    outputs: NDArray[np.float64], labels: NDArray[np.intp], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return, for each class, the median margin of the rows that are rightly predicted as it; infinite if 0."""
    n_classes = outputs.shape[1]
    predicted = predictions(outputs)
    right = np.flatnonzero(predicted == labels)
    references = _references(outputs[right], predicted[right])
    portions = counts[right] / references.shape[1]
    per_class, pooled = True, np.zeros((n_classes, 3))
    typical = _typical(references, predicted[right], portions, n_classes, per_class, 0.0, pooled)
    return np.where(typical > 0, typical, np.inf)


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
    earlier: NDArray[np.bool_] | None = None,
    retained: float = 0.5,
    overlapping: bool | None = None,
) -> Contradictions:
    """Find the rows whose label contradicts a prediction that is as sure as correct predictions are.

    The contradiction of a row is the output of the predicted class minus that of its label, divided by the median of
    such differences among the rows that are rightly predicted as the same class: how far a wrong label of theirs would
    be contradicted. A row is masked if its label is not the predicted one and that ratio is at least ``threshold - 1``.

    A wrong label does not depend on how sure the prediction is, so the ratios of wrong labels are distributed like
    those of correctly predicted rows with another label. The errors of a classifier itself are mostly unsure. Rows
    near the boundary are kept, and so is every row whose prediction agrees with its label, however small the spread of
    the outputs. All rows of a class are kept if its label is not at least twice as frequent, or in the majority, among
    the rows predicted as it; so are all rows predicted as a class if less than half of them have its label. Nothing is
    masked if the classifier is equally sure of (nearly) all predictions, right and wrong.

    Where classes overlap, some errors of a classifier are sure, but most are unsure. With `adaptive`, let S be the
    fraction of the rows that are contradicted, and T the fraction of the contradictions whose ratio is 1 or more,
    divided by that of the correct predictions. T is about 1 if all contradictions are wrong labels. If it is below
    ``min(2.5 S, 0.625 (2 / n_classes) ** 0.25)``, the classes overlap, and at most 1.5 % of the rows are masked. With
    more classes the bound is lower: the errors of a classifier are mostly the second most probable class, which is
    contradicted less surely, whereas a wrong label is any class.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, 1 or n_classes)
    labels : ndarray of shape (n_samples,)
    weights : ndarray of shape (n_samples,) or None
    n_classes : int
    threshold : float
        Finite or infinite; nothing is masked if it is infinite.
    adaptive : bool
        Whether rows with smaller ratios are masked as well, down to where wrong labels explain half of them, and few
        rows if the classes overlap.
    per_class : bool
        Whether the median is that of the predicted class.
    min_keep : float
        Smallest fraction of the rows that is kept.
    min_group : int
        A class with fewer rows that are rightly predicted is not recognised.
    decay : float
        Factor of the exponential average of the medians over calls; 0 uses these rows alone.
    pooled : ndarray of shape (n_classes or 1, 3)
        Scratch; the second column is the median, the third the number of calls behind it. Updated.
    earlier : ndarray of shape (n_samples,), bool, default=None
        Rows masked before.
    retained : float, default=0.5
        Rows masked before stay masked above this fraction of the cut, so that repeated masks settle.
    overlapping : bool, default=None
        Whether the classes overlap; None decides by these rows. Give what was found before any row was masked.

    Returns
    -------
    Contradictions
    """
    counts = np.ones(labels.size) if weights is None else weights
    outputs = one_column_per_class(outputs)
    predicted = predictions(outputs)
    agrees = predicted == labels
    rows = np.arange(labels.size)
    differences = outputs[rows, predicted] - outputs[rows, labels]
    right = np.flatnonzero(agrees)
    references = _references(outputs[right], predicted[right])
    portions = counts[right] / references.shape[1]
    typical = _typical(references, predicted[right], portions, n_classes, per_class, decay, pooled)
    scale = np.full(n_classes, np.inf)
    scale[typical > 0] = typical[typical > 0]
    if np.isinf(threshold):
        return Contradictions(np.ones(labels.size, dtype=np.bool_), scale)
    right_counts = np.bincount(predicted, weights=counts * agrees, minlength=n_classes)
    precision = right_counts / np.maximum(np.bincount(predicted, weights=counts, minlength=n_classes), 1e-300)
    base = np.bincount(labels, weights=counts, minlength=n_classes) / counts.sum()
    recognised = right_counts >= (min_group if decay == 0 else 1)
    recognised &= precision >= np.minimum(_LEAST_PRECISION, 2.0 * base)
    reliable = recognised & (precision >= _LEAST_PRECISION)
    ratios = differences / scale[predicted]
    suspects = ~agrees & recognised[labels] & reliable[predicted] & np.isfinite(scale[predicted])
    cut = max(threshold - 1.0, 0.0)
    if not suspects.any():
        return Contradictions(np.ones(labels.size, dtype=np.bool_), scale)
    reference_ratios = (references / scale[predicted[right]][:, None]).ravel()
    reference_counts = np.repeat(portions, references.shape[1])
    first = earlier is None or not earlier.any()
    if first and min(_tied(reference_ratios, reference_counts), _tied(ratios[suspects], counts[suspects])) > _MOST_TIED:
        return Contradictions(np.ones(labels.size, dtype=np.bool_), scale, informative=False)
    if adaptive and overlapping is None:
        counted = counts[suspects]
        overlapping = _overlapping(
            ratios[suspects], counted, reference_ratios, reference_counts, counts.sum(), n_classes
        )
    if adaptive and overlapping:
        min_keep = max(min_keep, 1.0 - LEAST_MASKED)
    elif adaptive and cut > 0:
        lowered = _lowered_cut(ratios[suspects], counts[suspects], reference_ratios, reference_counts, cut)
        scale *= lowered / cut
        cut = lowered
    cuts = cut if earlier is None else np.where(earlier, retained * cut, cut)
    keep = _enough_kept(suspects & (ratios >= cuts * (1 - 1e-12)), ratios, counts, min_keep)
    return Contradictions(keep, scale, overlapping=bool(overlapping))


def _overlapping(
    suspects: NDArray[np.float64],
    suspect_counts: NDArray[np.float64],
    references: NDArray[np.float64],
    reference_counts: NDArray[np.float64],
    total: float,
    n_classes: int,
) -> bool:
    """Say whether too few of the contradictions are sure ones for wrong labels to explain them."""
    contradicted = suspect_counts.sum()
    typical = reference_counts[references >= 1.0 - 1e-12].sum() / reference_counts.sum()
    sure = suspect_counts[suspects >= 1.0 - 1e-12].sum() / max(contradicted, 1e-300) / max(typical, 1e-12)
    bound = _MOST_SURE * (2.0 / n_classes) ** _SURE_BY_CLASSES
    return bool(sure < min(_SURE_PER_ERROR * contradicted / total, bound))


def _tied(ratios: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    """Return which fraction of the ratios is 1."""
    return float(counts[np.abs(ratios - 1.0) < 1e-9].sum() / counts.sum())


def _references(outputs: NDArray[np.float64], predicted: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the output of the predicted class minus those of other classes, at most `_MOST_OTHERS` of them."""
    n_rows, n_classes = outputs.shape
    n_others = min(n_classes - 1, _MOST_OTHERS)
    # Among many classes each row takes others than the row before, so that all occur.
    first = np.arange(n_rows)[:, None] * n_others if n_others < n_classes - 1 else 0
    others = (predicted[:, None] + 1 + (first + np.arange(n_others)) % (n_classes - 1)) % n_classes
    rows = np.arange(n_rows)
    return outputs[rows, predicted][:, None] - np.take_along_axis(outputs, others.reshape(n_rows, n_others), axis=1)


def _typical(
    references: NDArray[np.float64],
    predicted: NDArray[np.intp],
    portions: NDArray[np.float64],
    n_classes: int,
    per_class: bool,
    decay: float,
    pooled: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the median reference of the rows rightly predicted as each class; 0 where there is none."""
    n_others = references.shape[1]
    for group in range(pooled.shape[0]):
        members = predicted == group if per_class else np.ones(predicted.size, dtype=np.bool_)
        if not portions[members].any():
            if decay == 0:
                pooled[group, 1] = 0.0
            continue
        median = quantiles(references[members].ravel(), np.repeat(portions[members], n_others), [0.5])[0]
        old = decay if pooled[group, 2] > 0 else 0.0
        pooled[group, 1] = old * pooled[group, 1] + (1.0 - old) * median
        pooled[group, 2] += 1.0
    return np.resize(pooled[:, 1], n_classes)


def _lowered_cut(
    suspects: NDArray[np.float64],
    suspect_counts: NDArray[np.float64],
    references: NDArray[np.float64],
    reference_counts: NDArray[np.float64],
    cut: float,
) -> float:
    """Lower the cut as far as wrong labels explain half of the suspects between the lowered cut and the given one.

    The number of suspects divided by the number of references above the given cut estimates the ratio of wrong to right
    labels, which is the same at any ratio. It predicts how many of the suspects below the cut are wrong labels.
    """
    reached = reference_counts[references >= cut].sum()
    noise = suspect_counts[suspects >= cut].sum() / reached if reached > 0 else 0.0
    if noise == 0:
        return cut
    lowest = cut
    for lower in quantiles(references, reference_counts, np.arange(9, 0, -1) / 10):
        if not _LOWEST_CUT * cut <= lower < lowest:
            continue
        found = suspect_counts[(suspects >= lower) & (suspects < cut)].sum()
        expected = noise * reference_counts[(references >= lower) & (references < cut)].sum()
        if expected >= 0.5 * found:
            lowest = lower
    return float(lowest)


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


def quantiles(values: NDArray[np.float64], counts: NDArray[np.float64], fractions: Any) -> NDArray[np.float64]:
    """Return quantiles of weighted values; a weight of 2 equals two rows."""
    order = np.argsort(values)
    reached = np.cumsum(counts[order])
    places = np.searchsorted(reached, np.asarray(fractions) * reached[-1] * (1 - 1e-12))
    return values[order][places.clip(max=values.size - 1)]
