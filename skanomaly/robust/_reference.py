"""A second opinion on labels: a forest whose trees did not see the rows, and its outputs combined with another's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier

from skanomaly._support._columns import CATEGORY, DATE, NUMBER
from skanomaly._support._hashing import hash_rows, mix_words
from skanomaly._support._tables import TableReader
from skanomaly.robust._contradictions import (
    label_margins,
    margin_errors,
    one_column_per_class,
    predictions,
    typical_margins,
)
from skanomaly.robust._tails import are_predicted

__all__ = [
    "Forests",
    "SuspectForests",
    "averaged_label_errors",
    "class_outputs",
    "combined_outputs",
    "forest_outputs",
    "is_better",
    "label_errors",
]

_N_TREES = 100
_MOST_ROWS_OF_A_TREE = 20_000
_MOST_UNITS = 2.0
_SMALLEST_SHARE = 1e-3
_LARGEST = 1e30
_OTHERS = 0.1
_SMALLEST_PROBABILITY = 1e-3
_SMALLEST_LOG_DENSITY = -1e9


def class_outputs(estimator: Any, X: Any) -> NDArray[np.float64]:
    """Return one output for each class of a fitted classifier, on the scale of logits where it has one."""
    n_classes = len(estimator.classes_)
    if hasattr(estimator, "decision_function"):
        outputs = np.asarray(estimator.decision_function(X), dtype=np.float64)
        if outputs.ndim == 1:
            return np.column_stack([-outputs, outputs]) / 2
        if outputs.shape[1] == n_classes:
            return outputs
    if hasattr(estimator, "predict_joint_log_proba"):  # naive Bayes: probabilities that do not underflow
        return np.maximum(np.asarray(estimator.predict_joint_log_proba(X), dtype=np.float64), _SMALLEST_LOG_DENSITY)
    if hasattr(estimator, "predict_proba"):
        return np.log(np.clip(np.asarray(estimator.predict_proba(X), dtype=np.float64), _SMALLEST_PROBABILITY, None))
    raise TypeError(
        f"{estimator!r} has neither decision_function nor predict_proba with a column for each class, so that nothing "
        "says how sure its predictions are."
    )


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
            self._found[part] = _outputs_of_distinct(X, labels, weights, self.n_classes, self.seed + part)
        return self._found[part]


class SuspectForests:
    """Whether the columns predict which errors of a regressor are large, by a forest for each part of a table.

    Errors that are large where the noise is, or where the regressor does not suit the data, are predictable; those of
    wrong targets are not.

    Parameters
    ----------
    seed : int
    distinct : bool, default=False
        Whether rows are arrays, and a row of weight 2 is the same as two rows.
    """

    def __init__(self, seed: int, *, distinct: bool = False) -> None:
        self.seed = seed
        self._outputs = _outputs_of_distinct if distinct else forest_outputs
        self._found: dict[int, tuple[NDArray[np.bool_], bool]] = {}

    def predict(self, part: int, X: Any, suspects: NDArray[np.bool_], weights: NDArray[np.float64] | None) -> bool:
        """Say whether the columns predict the suspects; few others than the last time get the same answer.

        Parameters
        ----------
        part : int
        X : table of any kind
        suspects : ndarray of shape (n_samples,), bool
        weights : ndarray of shape (n_samples,) or None

        Returns
        -------
        bool
            False where the table cannot be read.
        """
        before, answer = self._found.get(part, (~suspects, False))
        counts = np.ones(suspects.size) if weights is None else weights
        if before.shape != suspects.shape or counts[before ^ suspects].sum() > _OTHERS * counts[suspects].sum():
            votes = self._outputs(X, suspects.astype(np.intp), weights, 2, self.seed + part)
            answer = votes is not None and are_predicted(suspects, votes[:, 1], weights)
            self._found[part] = suspects, answer
        return answer


def _outputs_of_distinct(
    X: NDArray[Any], labels: NDArray[np.intp], weights: NDArray[np.float64] | None, n_classes: int, seed: int
) -> NDArray[np.float64]:
    """Return :func:`forest_outputs` of arrays, in which equal rows with one label are one row with their weights."""
    counts = np.ones(labels.size) if weights is None else weights
    weighted = np.flatnonzero(counts)
    keys = mix_words(hash_rows(X[weighted]), labels[weighted].astype(np.uint64))
    _, first, places = np.unique(keys, return_index=True, return_inverse=True)
    rows = weighted[first]
    sums = np.bincount(places, weights=counts[weighted]).astype(np.float64)
    found = forest_outputs(X[rows], labels[rows], sums, n_classes, seed)
    assert found is not None  # X is numeric
    outputs = np.zeros((labels.size, n_classes))
    outputs[weighted] = found[places]
    return outputs


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


def label_errors(outputs: NDArray[np.float64], labels: NDArray[np.intp]) -> NDArray[np.float64]:
    """Standardise the margins of labels: the error is 1 at the boundary, and 2 for a typical wrong label.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, n_classes)
    labels : ndarray of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)
        1 where the class of the prediction has no typical margin.
    """
    typical = typical_margins(outputs, labels, np.ones(labels.size))
    return margin_errors(label_margins(outputs, labels), outputs, labels, typical)


def averaged_label_errors(
    first: NDArray[np.float64], second: NDArray[np.float64], labels: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Average the label errors of two classifiers, the better one more.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples,)
        1 at the boundary of the classes.
    labels : ndarray of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)
        Between -1 and 3, which are 2 typical margins from the boundary. The weight is how many fewer labels a
        classifier contradicts than the most frequent class alone, relative to those that it contradicts.
    """
    others = labels.size - np.bincount(labels).max()
    total, of_all = np.zeros(first.size), 0.0
    for errors in (first, second):
        contradicted = (errors > 1.0).sum() + 0.5
        share = max((others - contradicted) / contradicted, _SMALLEST_SHARE)
        total += share * np.clip(errors, 1.0 - _MOST_UNITS, 1.0 + _MOST_UNITS)
        of_all += share
    return total / of_all
