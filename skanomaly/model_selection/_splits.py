"""Splitters for rare, grouped, one-class and ordered anomalies."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold
from sklearn.utils import indexable

from skanomaly._support._labels import read_labels

__all__ = ["BlockedTimeSeriesSplit", "OneClassKFold", "StratifiedAnomalyKFold", "TransductiveSplit"]

Indices = NDArray[np.intp]


def _require_folds(n_splits: Any) -> None:
    if not isinstance(n_splits, Integral) or isinstance(n_splits, bool) or n_splits < 2:
        raise ValueError(f"n_splits={n_splits!r} must be a whole number of at least 2.")


def _labels_or_none(y: Any, pos_label: Any) -> NDArray[np.int8] | None:
    if y is None or not read_labels(y, pos_label=pos_label, zero="unlabelled").any():  # 0 alone labels no row
        return None
    return read_labels(y, pos_label=pos_label)


def _n_rows(X: Any) -> int:
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def _folds(n_rows: int, n_splits: int, random_state: Any, *, shuffle: bool) -> Iterator[Indices]:
    folds = KFold(n_splits, shuffle=shuffle, random_state=random_state if shuffle else None)
    for _, test in folds.split(np.zeros(n_rows)):
        yield test


class StratifiedAnomalyKFold(BaseCrossValidator):
    """K folds, each with its share of the anomalies; unlabelled rows train in every fold.

    Parameters
    ----------
    n_splits : int, default=5
        Folds, at least 2 and at most the number of labelled anomalies (of groups that hold some).
    unlabelled : {"train", "split"}, default="train"
        What becomes of rows labelled 0: "train" puts them in every training set and in no test set, since they tell
        nothing about how good a score is. "split" stratifies them like a class; that is for label-free scorers.
    shuffle : bool, default=True
        Whether rows are shuffled first. Tables are often sorted by label.
    random_state : int, RandomState instance or None, default=0
        For shuffling. A number, the default, gives every candidate of a search the same folds.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.

    See Also
    --------
    TransductiveSplit : For one or two labelled anomalies.
    OneClassKFold : Trains on normal rows only.

    Notes
    -----
    Where `y` is None, or no row is labelled, rows are split as :class:`~sklearn.model_selection.KFold` does. With
    `groups`, no group is in both sets.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import StratifiedAnomalyKFold
    >>> y = np.array([1] * 90 + [-1] * 5 + [0] * 100)
    >>> for train, test in StratifiedAnomalyKFold(n_splits=5).split(y, y):
    ...     print(len(train), len(test), (y[test] == -1).sum())
    176 19 1
    176 19 1
    176 19 1
    176 19 1
    176 19 1
    """

    # scikit-learn's way to ask for groups where metadata routing is on.
    __metadata_request__split: ClassVar[dict[str, Any]] = {"groups": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        unlabelled: str = "train",
        shuffle: bool = True,
        random_state: Any = 0,
        pos_label: Any = None,
    ) -> None:
        _require_folds(n_splits)
        if unlabelled not in {"train", "split"}:
            raise ValueError(f"unlabelled={unlabelled!r} must be 'train' or 'split'.")
        self.n_splits = n_splits
        self.unlabelled = unlabelled
        self.shuffle = shuffle
        self.random_state = random_state
        self.pos_label = pos_label

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # scikit-learn's
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
        """
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Indices, Indices]]:
        """Yield the rows of each training and test set.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
        y : array-like of shape (n_samples,), default=None
            Anomaly labels.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group stay together.

        Yields
        ------
        tuple of (ndarray, ndarray)
            Row numbers, in order.

        Raises
        ------
        ValueError
            If some fold would have no anomaly or no normal row in its test set.
        """
        X, y, groups = indexable(X, y, groups)
        labels, n_rows = _labels_or_none(y, self.pos_label), _n_rows(X)
        random_state = self.random_state if self.shuffle else None
        if labels is None:
            folds: Any = KFold(self.n_splits, shuffle=self.shuffle, random_state=random_state)
            folds = folds.split(np.zeros(n_rows)) if groups is None else self._group_folds(n_rows, groups)
            yield from folds
            return
        self._require_enough(labels, groups)
        dealt = np.flatnonzero(labels) if self.unlabelled == "train" else np.arange(n_rows)
        if groups is None:
            folds = StratifiedKFold(self.n_splits, shuffle=self.shuffle, random_state=random_state)
            sets = folds.split(dealt, labels[dealt])
        else:
            folds = StratifiedGroupKFold(self.n_splits, shuffle=self.shuffle, random_state=random_state)
            sets = folds.split(dealt, labels[dealt], np.asarray(groups)[dealt])
        for _, test in sets:
            chosen = dealt[test]
            if groups is not None and not {-1, 1} <= set(labels[chosen].tolist()):
                raise ValueError(
                    "A fold has no anomaly or no normal row: groups hold too many of one. Use fewer folds."
                )
            train = np.ones(n_rows, dtype=bool)
            train[chosen] = False
            if groups is not None:
                train &= ~np.isin(np.asarray(groups), np.asarray(groups)[chosen])
            yield np.flatnonzero(train), chosen

    def _group_folds(self, n_rows: int, groups: Any) -> Iterator[tuple[Indices, Indices]]:
        return iter(GroupKFold(self.n_splits).split(np.zeros(n_rows), groups=groups))

    def _require_enough(self, labels: NDArray[np.int8], groups: Any) -> None:
        for label, name in ((-1, "anomalies"), (1, "normal rows")):
            rows = np.flatnonzero(labels == label)
            count = rows.size if groups is None else np.unique(np.asarray(groups)[rows]).size
            if count < self.n_splits:
                what = name if groups is None else f"groups with {name}"
                raise ValueError(
                    f"n_splits={self.n_splits}, but y has {count} labelled {what}: some fold would have none, and its "
                    "ranking could not be scored. Use fewer folds, or TransductiveSplit, which needs one of each."
                )


class OneClassKFold(BaseCrossValidator):
    """Trains on normal rows only; tests on the normal rows of the fold and on every anomaly.

    Parameters
    ----------
    n_splits : int, default=5
        Folds of the normal rows, at least 2.
    shuffle : bool, default=True
        Whether normal rows are shuffled first.
    random_state : int, RandomState instance or None, default=0
        For shuffling.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.

    See Also
    --------
    StratifiedAnomalyKFold : Anomalies train too, as they do where nobody has removed them.

    Notes
    -----
    Rows labelled 0 are in no set: nobody knows that they are normal. No anomaly trains, so every anomaly may be tested
    in every fold; scores of the folds are therefore not independent of each other.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import OneClassKFold
    >>> y = np.array([1] * 90 + [-1] * 5)
    >>> [(len(train), len(test)) for train, test in OneClassKFold(n_splits=3).split(y, y)]
    [(60, 35), (60, 35), (60, 35)]
    """

    def __init__(
        self, n_splits: int = 5, *, shuffle: bool = True, random_state: Any = 0, pos_label: Any = None
    ) -> None:
        _require_folds(n_splits)
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state
        self.pos_label = pos_label

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # scikit-learn's
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
        """
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Indices, Indices]]:
        """Yield the rows of each training and test set.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
        y : array-like of shape (n_samples,)
            Anomaly labels.
        groups : object
            Not used.

        Yields
        ------
        tuple of (ndarray, ndarray)
            Row numbers, in order.

        Raises
        ------
        ValueError
            If fewer normal rows than folds are labelled.
        """
        X, y = indexable(X, y)
        labels = _labels_or_none(y, self.pos_label)
        normal = np.empty(0, dtype=np.intp) if labels is None else np.flatnonzero(labels == 1)
        if labels is None or normal.size < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits}, but y has {normal.size} labelled normal rows: label some, or use fewer "
                "folds."
            )
        odd = np.flatnonzero(labels == -1)
        for test in _folds(normal.size, self.n_splits, self.random_state, shuffle=self.shuffle):
            yield np.delete(normal, test), np.sort(np.concatenate([normal[test], odd]))


class TransductiveSplit(BaseCrossValidator):
    """One split that trains on all rows and tests on those with a label (on all where none has one).

    For detectors that do not learn from labels: a label that only judges cannot be overfitted by training. It works
    from one labelled anomaly on, and every fit sees the whole table.

    Parameters
    ----------
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.

    See Also
    --------
    StratifiedAnomalyKFold : For detectors that learn from labels, and to judge rows never seen.

    Notes
    -----
    A score of training rows is fair where a row is no evidence for itself, as in this package's detectors. Forests of
    isolation trees are nearly so. Nearest neighbours that find the row itself, at distance zero, are not.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import TransductiveSplit
    >>> y = np.array([0] * 95 + [1] * 4 + [-1])
    >>> [(len(train), len(test)) for train, test in TransductiveSplit().split(y, y)]
    [(100, 5)]
    """

    def __init__(self, *, pos_label: Any = None) -> None:
        self.pos_label = pos_label

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # scikit-learn's
        """Return 1.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
        """
        return 1

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Indices, Indices]]:
        """Yield all rows, and those that are labelled.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
        y : array-like of shape (n_samples,), default=None
            Anomaly labels.
        groups : object
            Not used.

        Yields
        ------
        tuple of (ndarray, ndarray)
            Row numbers, in order.
        """
        X, y = indexable(X, y)
        rows = np.arange(_n_rows(X))
        labels = _labels_or_none(y, self.pos_label)
        yield rows, rows if labels is None else np.flatnonzero(labels)


class BlockedTimeSeriesSplit(BaseCrossValidator):
    """Contiguous blocks of time for testing, with a gap to the training rows on both sides.

    Rows are in the order of time. Each block is tested once; training rows come from before and after it, as is right
    for finding anomalies in what has already happened. Rows are never shuffled.

    Parameters
    ----------
    n_splits : int, default=5
        Blocks, at least 2.
    gap : int, default=0
        Rows left out of training on each side of the block; the window size of a detector, or the time after which
        rows are independent.
    blocks : {"scorable", "all"}, default="scorable"
        Where `y` labels anomalies, "scorable" tests only blocks that hold an anomaly and a normal row: one block
        without would make a candidate's mean score NaN. "all" tests every block.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.

    See Also
    --------
    sklearn.model_selection.TimeSeriesSplit : Trains on the past only, for forecasting and monitoring.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import BlockedTimeSeriesSplit
    >>> for train, test in BlockedTimeSeriesSplit(n_splits=3, gap=1).split(np.zeros(9)):
    ...     print(train, test)
    [4 5 6 7 8] [0 1 2]
    [0 1 7 8] [3 4 5]
    [0 1 2 3 4] [6 7 8]
    """

    def __init__(self, n_splits: int = 5, *, gap: int = 0, blocks: str = "scorable", pos_label: Any = None) -> None:
        _require_folds(n_splits)
        if not isinstance(gap, Integral) or isinstance(gap, bool) or gap < 0:
            raise ValueError(f"gap={gap!r} must be a whole number of at least 0.")
        if blocks not in {"scorable", "all"}:
            raise ValueError(f"blocks={blocks!r} must be 'scorable' or 'all'.")
        self.n_splits: int = n_splits
        self.gap: int = gap
        self.blocks: str = blocks
        self.pos_label: Any = pos_label

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # scikit-learn's
        """Return the number of blocks that are tested.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, ...), default=None
        y : array-like of shape (n_timepoints,), default=None
            Anomaly labels.
        groups : object
            Not used.

        Returns
        -------
        int
        """
        return self.n_splits if X is None and y is None else len(self._blocks(_n_rows(y if X is None else X), y))

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Indices, Indices]]:
        """Yield the rows of each training and test set.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, ...)
        y : array-like of shape (n_timepoints,), default=None
            Anomaly labels.
        groups : object
            Not used.

        Yields
        ------
        tuple of (ndarray, ndarray)
            Row numbers, in order.

        Raises
        ------
        ValueError
            If there are fewer rows than blocks, the gap leaves nothing to train on, or no block can be scored.
        """
        n_rows = _n_rows(X)
        for test in self._blocks(n_rows, y):
            first, last = test[0] - self.gap, test[-1] + self.gap
            train = np.concatenate([np.arange(max(first, 0)), np.arange(last + 1, n_rows)])
            if train.size == 0:
                raise ValueError(
                    f"gap={self.gap} leaves no training row beside rows {test[0]} to {test[-1]} of {n_rows}; make it "
                    "smaller or use more blocks."
                )
            yield train, test

    def _blocks(self, n_rows: int, y: Any) -> list[Indices]:
        blocks = list(_folds(n_rows, self.n_splits, None, shuffle=False))
        labels = _labels_or_none(y, self.pos_label)
        if self.blocks == "all" or labels is None or not (labels == -1).any():
            return blocks
        kept = [test for test in blocks if {-1, 1} <= set(labels[test].tolist())]
        if not kept:
            raise ValueError(
                f"None of the {self.n_splits} blocks holds both an anomaly and a normal row; use fewer blocks."
            )
        return kept
