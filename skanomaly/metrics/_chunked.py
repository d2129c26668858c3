"""Metrics of the ranking of rows whose labels and scores come in pieces."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length

from skanomaly._support._labels import read_labels
from skanomaly._support._open_pieces import as_pieces
from skanomaly.metrics._labels import undefined

__all__ = ["RankingScores", "ranking_scores_of_chunks"]

_MOST_LABELS = 1000


class RankingScores(NamedTuple):
    """Metrics of a ranking, from :func:`ranking_scores_of_chunks`.

    Attributes
    ----------
    roc_auc : float
        As :func:`roc_auc_score`.
    average_precision : float
        As :func:`average_precision_score`.
    precision_at_n : float
        As :func:`precision_at_n_score`.
    n_anomalies, n_normal : int
        Labelled rows.

    Examples
    --------
    >>> from skanomaly.metrics import ranking_scores_of_chunks
    >>> scores = ranking_scores_of_chunks([[1, 1], [-1, -1]], [[0.9, 0.3], [0.4, 0.1]])
    >>> scores.n_anomalies, scores.n_normal
    (2, 2)
    """

    roc_auc: float
    average_precision: float
    precision_at_n: float
    n_anomalies: int
    n_normal: int


def ranking_scores_of_chunks(
    y_true: Any, y_score: Any, *, n: int | None = None, pos_label: Any = None
) -> RankingScores:
    """Metrics of a ranking whose labels and scores come in pieces.

    The pieces are read three times. Only the scores of the anomalies are in memory; normal rows are counted between
    them. The values do not depend on the division into pieces or on their order.

    Parameters
    ----------
    y_true : object
        Labels in pieces, as in :func:`roc_auc_score`: a list of arrays, or a callable that returns a fresh iterator.
    y_score : object
        Scores in the same pieces, such as ``lambda: score_chunks(detector, chunks)``; lower is more anomalous.
    n : int or None, default=None
        For the precision at n; None is the number of anomalies.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    RankingScores

    Raises
    ------
    ValueError
        If the pieces differ, a score is NaN or infinite, the labels cannot be read, or `n` is more than the rows.

    Examples
    --------
    >>> from skanomaly.metrics import ranking_scores_of_chunks
    >>> found = ranking_scores_of_chunks([[1, 1], [-1, -1]], [[0.9, 0.3], [0.4, 0.1]])
    >>> round(found.roc_auc, 2), round(found.average_precision, 2), found.precision_at_n
    (0.75, 0.83, 0.5)
    """
    pieces = as_pieces(y_score, name="y_score").with_labels(as_pieces(_no_column(y_true), name="y_true"))
    natives = _natives(pieces, pos_label)
    anomalies = [values[labels == -1] for labels, values in _labelled(pieces, natives)]
    found, counts = np.unique(np.concatenate([np.empty(0), *anomalies]), return_counts=True)
    n_anomalies = int(counts.sum())
    # Normal rows below each distinct score of an anomaly, and on it.
    below, equal = np.zeros(len(found) + 1, dtype=np.int64), np.zeros(len(found), dtype=np.int64)
    for labels, values in _labelled(pieces, natives):
        normal = values[labels == 1]
        places = np.searchsorted(found, normal)
        tied = found[np.minimum(places, len(found) - 1)] == normal if len(found) else np.zeros(len(normal), bool)
        below += np.bincount(places[~tied], minlength=len(below))
        equal += np.bincount(places[tied], minlength=len(equal))
    n_normal = int(below.sum() + equal.sum())
    n_below = np.cumsum(below[:-1]) + np.cumsum(equal) - equal
    return _scores(counts, n_below, equal, n_anomalies, n_normal, n)


def _scores(
    counts: NDArray[np.int64],
    n_below: NDArray[np.int64],
    equal: NDArray[np.int64],
    n_anomalies: int,
    n_normal: int,
    n: int | None,
) -> RankingScores:
    if n is not None and not 1 <= n <= n_anomalies + n_normal:
        raise ValueError(f"n={n} must be at least 1 and at most {n_anomalies + n_normal}, the labelled rows.")
    auc = precision = at_n = float("nan")
    if n_anomalies:
        reached = np.cumsum(counts)
        rows = reached + n_below + equal
        precision = float((counts * (reached / rows)).sum() / n_anomalies)
        size = n_anomalies if n is None else n
        # Rows that tie with an anomaly count by the mean over their orders.
        inside = np.clip((size - (rows - counts - equal)) / (counts + equal), 0, 1)
        at_n = float((counts * inside).sum() / size)
    else:
        undefined("Average precision", "there is no anomaly")
    if n_anomalies and n_normal:
        # Twice the number of pairs in the right order, ties as one half: whole numbers of any size.
        twice = sum(int(c) * (2 * (n_normal - int(b)) - int(e)) for c, b, e in zip(counts, n_below, equal, strict=True))
        auc = twice / (2 * n_anomalies * n_normal)
    elif n_anomalies:
        undefined("The area under the ROC curve", "there must be anomalies and normal rows")
    return RankingScores(auc, precision, at_n, n_anomalies, n_normal)


def _no_column(y_true: Any) -> Any:
    if isinstance(y_true, str):
        raise ValueError(f"y_true={y_true!r} must be labels in pieces, not the name of a column.")
    return y_true


def _objects(labels: Any) -> NDArray[Any]:
    return np.asarray(pd.Series(np.ravel(np.asarray(labels))).astype(object), dtype=object)


def _natives(pieces: Any, pos_label: Any) -> dict[Any, int]:
    """Return what each label that occurs means; one piece alone does not tell."""
    counts: Counter[Any] = Counter()
    for _, labels in pieces:
        counts.update(None if pd.isna(label) else label for label in _objects(labels))
        if len(counts) > _MOST_LABELS:
            raise ValueError(f"y_true holds more than {_MOST_LABELS} labels.")
    values = [label for label in counts if label is not None]
    total = sum(counts[label] for label in values)
    if not total:
        return {None: 0}
    shown = np.repeat(np.array(values), [max(1000 * counts[label] // total, 1) for label in values])
    read = read_labels(shown, name="y_true", pos_label=pos_label)
    return {**dict(zip(shown.tolist(), read.tolist(), strict=True)), None: 0}


def _labelled(pieces: Any, natives: dict[Any, int]) -> Iterator[tuple[NDArray[np.int8], NDArray[np.float64]]]:
    """Yield labels and scores of the labelled rows of each piece."""
    for place, (values, labels) in enumerate(pieces):
        scores = np.asarray(values, dtype=np.float64).ravel()
        keys = _objects(labels)
        check_consistent_length(keys, scores)
        if not np.isfinite(scores).all():
            raise ValueError(f"y_score has NaN or infinite values in piece {place}; leave these rows out.")
        read = np.array([natives[None if pd.isna(key) else key] for key in keys], dtype=np.int8)
        yield read[read != 0], scores[read != 0] + 0.0
