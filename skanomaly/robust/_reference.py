"""A second opinion on labels: a forest whose trees did not see the rows, and its outputs combined with another's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier

from skanomaly._support._columns import CATEGORY, DATE, NUMBER
from skanomaly._support._hashing import hash_rows, mix_words
from skanomaly._support._tables import TableReader
from skanomaly.robust._contradictions import one_column_per_class, predictions, typical_margins

__all__ = ["Forests", "combined_outputs", "forest_outputs", "is_better"]

_N_TREES = 100
_MOST_ROWS_OF_A_TREE = 20_000
_MOST_UNITS = 2.0
_LARGEST = 1e30


def forest_outputs(
    X: Any, labels: NDArray[np.intp], weights: NDArray[np.float64] | None, n_classes: int, seed: int
) -> NDArray[np.float64] | None:
    """Return class probabilities by the trees of a forest that were not trained on the row.

    Parameters
    ----------
    X : frame, array or sparse matrix of shape (n_samples, n_features)
        Categories and dates are read as codes; missing values are allowed.
    labels : ndarray of shape (n_samples,)
    weights : ndarray of shape (n_samples,) or None
    n_classes : int
    seed : int

    Returns
    -------
    ndarray of shape (n_samples, n_classes), or None if rows are sparse or cells cannot be read as numbers or categories
    """
    table: Any
    if sparse.issparse(X):
        return None  # mostly text, for which a linear model is the better judge
    try:
        table = TableReader((NUMBER, CATEGORY, DATE), infinite="allow").fit_read(X)
    except (TypeError, ValueError):
        return None
    np.clip(table, -_LARGEST, _LARGEST, out=table)
    n_rows = labels.size
    forest = RandomForestClassifier(
        _N_TREES,
        oob_score=True,
        max_samples=_MOST_ROWS_OF_A_TREE if n_rows > _MOST_ROWS_OF_A_TREE else None,
        random_state=seed,
    ).fit(table, labels, sample_weight=weights)
    outputs = np.zeros((n_rows, n_classes))
    outputs[:, forest.classes_] = np.nan_to_num(forest.oob_decision_function_)
    return outputs


def is_better(
    reference: NDArray[np.float64],
    outputs: NDArray[Any],
    labels: NDArray[np.intp],
    weights: NDArray[np.float64] | None,
    ratio: float = 1.0,
) -> bool:
    """Say whether the labels contradict the reference less often than `ratio` times the other outputs."""
    errors = [np.average(predictions(given) != labels, weights=weights) for given in (reference, outputs)]
    return bool(errors[0] < ratio * errors[1])


class Forests:
    """Outputs of one forest for each part of a table, fitted when they are first needed; they are kept, its rows not.

    A row of weight 2 is the same as two rows: equal rows with one label are one row of a forest, with their weights.

    Parameters
    ----------
    n_classes : int
    random : numpy.random.Generator
        Its numbers stay as they are.
    """

    def __init__(self, n_classes: int, random: np.random.Generator) -> None:
        self.n_classes = n_classes
        self.seed = int(random.spawn(1)[0].integers(2**30))
        self._found: dict[int, NDArray[np.float64]] = {}

    def outputs(
        self, part: int, X: NDArray[Any], labels: NDArray[np.intp], weights: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """Return class probabilities as :func:`forest_outputs` does; a part always has the same rows.

        Parameters
        ----------
        part : int
        X : ndarray of shape (n_samples, n_features)
        labels : ndarray of shape (n_samples,)
        weights : ndarray of shape (n_samples,) or None

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            0 for rows without weight.
        """
        if part not in self._found:
            counts = np.ones(labels.size) if weights is None else weights
            weighted = np.flatnonzero(counts)
            keys = mix_words(hash_rows(X[weighted]), labels[weighted].astype(np.uint64))
            _, first, places = np.unique(keys, return_index=True, return_inverse=True)
            rows = weighted[first]
            sums = np.bincount(places, weights=counts[weighted]).astype(np.float64)
            found = forest_outputs(X[rows], labels[rows], sums, self.n_classes, self.seed + part)
            assert found is not None  # X is numeric
            self._found[part] = np.zeros((labels.size, self.n_classes))
            self._found[part][weighted] = found[places]
        return self._found[part]


def combined_outputs(
    outputs: NDArray[np.float64],
    reference: NDArray[np.float64],
    labels: NDArray[np.intp],
    weights: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Average the outputs of two classifiers in units of their typical margins, the more accurate one more.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, 1 or n_classes)
    reference : ndarray of shape (n_samples, n_classes)
    labels : ndarray of shape (n_samples,)
    weights : ndarray of shape (n_samples,) or None

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        The outputs of each are at most 2 typical margins below that of its predicted class. They are weighted by the
        inverse of its error rate.
    """
    counts = np.ones(labels.size) if weights is None else weights
    total, of_all = np.zeros(reference.shape), 0.0
    for given in (one_column_per_class(outputs), reference):
        predicted = predictions(given)
        margins = given[np.arange(labels.size), predicted][:, None] - given
        units = margins / typical_margins(given, labels, counts)[predicted][:, None]
        share = (counts.sum() + 1.0) / (counts[predicted != labels].sum() + 0.5)
        total -= share * np.minimum(units, _MOST_UNITS)
        of_all += share
    averaged: NDArray[np.float64] = total / of_all
    return averaged
