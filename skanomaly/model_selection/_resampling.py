"""A metric on many resamples of labelled rows at once."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly.metrics import average_precision_score, roc_auc_score

__all__ = ["bootstrap_counts", "permutation_counts", "resampled_values"]

Counts = NDArray[np.int64]
_BLOCK_CELLS = 4_000_000


def bootstrap_counts(labels: NDArray[np.int8], n_resamples: int, random: np.random.Generator) -> tuple[Counts, Counts]:
    """Draw bootstrap counts of each row as an anomaly and as a normal row; the two classes are resampled separately.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
        -1, +1 and 0; at least one row of the first two.
    n_resamples : int
    random : numpy.random.Generator

    Returns
    -------
    tuple of (ndarray, ndarray), each of shape (n_resamples, n_samples)
    """
    counts = np.zeros((2, n_resamples, labels.size), dtype=np.int64)
    for place, label in enumerate((-1, 1)):
        rows = np.flatnonzero(labels == label)
        counts[place][:, rows] = random.multinomial(rows.size, np.full(rows.size, 1 / rows.size), size=n_resamples)
    return counts[0], counts[1]


def permutation_counts(
    labels: NDArray[np.int8], n_permutations: int, random: np.random.Generator
) -> tuple[Counts, Counts]:
    """Permute labels, and return which rows then count as anomalies and which as normal rows.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
    n_permutations : int
    random : numpy.random.Generator

    Returns
    -------
    tuple of (ndarray, ndarray), each of shape (n_permutations, n_samples)
    """
    permuted = random.permuted(np.tile(labels, (n_permutations, 1)), axis=1)
    return (permuted == -1).astype(np.int64), (permuted == 1).astype(np.int64)


def resampled_values(
    metric: Callable[..., float], scores: NDArray[np.float64], anomalous: Counts, normal: Counts
) -> NDArray[np.float64]:
    """Compute a metric of each column of scores on each resample.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_score)``. For ROC AUC and average precision the rows are sorted once for all resamples.
    scores : ndarray of shape (n_samples, n_candidates)
        Lower is more anomalous.
    anomalous, normal : ndarray of shape (n_resamples, n_samples)
        How often a row counts as an anomaly, and as a normal row.

    Returns
    -------
    ndarray of shape (n_resamples, n_candidates)
    """
    shared = {average_precision_score: _average_precisions, roc_auc_score: _areas}.get(metric)
    if shared is None:
        return np.array(
            [[_one_value(metric, column, *pair) for column in scores.T] for pair in _pairs(anomalous, normal)]
        )
    blocks = row_blocks(len(anomalous), max(1, _BLOCK_CELLS // max(1, len(scores))))
    return np.column_stack(
        [np.concatenate([shared(column, anomalous[block], normal[block]) for block in blocks]) for column in scores.T]
    )


def _pairs(anomalous: Counts, normal: Counts) -> Iterator[tuple[Counts, Counts]]:
    return zip(anomalous, normal, strict=True)


def _one_value(metric: Callable[..., float], column: NDArray[np.float64], anomalous: Counts, normal: Counts) -> float:
    rows = np.arange(column.size)
    chosen = np.concatenate([np.repeat(rows, anomalous), np.repeat(rows, normal)])
    return float(metric(np.repeat([-1, 1], [anomalous.sum(), normal.sum()]), column[chosen]))


def _found(
    column: NDArray[np.float64], anomalous: Counts, normal: Counts
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count anomalies and normal rows at least as anomalous as each distinct score, one line per resample."""
    order = np.argsort(column, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(column[order])), column.size - 1)
    sums = [np.cumsum(counts[:, order], axis=1)[:, ends].astype(np.float64) for counts in (anomalous, normal)]
    zeros = np.zeros((len(anomalous), 1))
    return np.hstack([zeros, sums[0]]), np.hstack([zeros, sums[1]])


def _areas(column: NDArray[np.float64], anomalous: Counts, normal: Counts) -> NDArray[np.float64]:
    hits, alarms = _found(column, anomalous, normal)
    area = (np.diff(alarms, axis=1) * (hits[:, 1:] + hits[:, :-1]) / 2).sum(axis=1)
    return np.asarray(area / (hits[:, -1] * alarms[:, -1]))


def _average_precisions(column: NDArray[np.float64], anomalous: Counts, normal: Counts) -> NDArray[np.float64]:
    hits, alarms = _found(column, anomalous, normal)
    precision = hits[:, 1:] / np.maximum(hits[:, 1:] + alarms[:, 1:], 1.0)
    return np.asarray((np.diff(hits, axis=1) * precision).sum(axis=1) / hits[:, -1])
