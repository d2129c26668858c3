"""Cross-validation splitters for rare, grouped, one-class and ordered anomalies."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold
from sklearn.utils import indexable

from skanomaly._support._labels import read_labels
from skanomaly._support._parameters import DeclaredParameters
from skanomaly._support._sklearn import Interval, StrOptions

__all__ = ["BlockedTimeSeriesSplit", "OneClassKFold", "StratifiedAnomalyKFold", "TransductiveSplit"]

Indices = NDArray[np.intp]
_FOLDS = [Interval(Integral, 2, None, closed="left")]


class _Splitter(DeclaredParameters, BaseCrossValidator):
    """Base of splitters: parameters are stored as given and checked when the splitter is used."""


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


class StratifiedAnomalyKFold(_Splitter):
    """K folds, each with the same fraction of anomalies; unlabelled rows are in every training set.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2 and at most the number of labelled anomalies (of groups with anomalies).
    unlabelled : {"train", "split"}, default="train"
        Where rows labelled 0 go: "train" puts them in every training set and in no test set, since a score cannot be
        evaluated on them. "split" stratifies them like a class, for scorers that need no labels.
    shuffle : bool, default=True
        Whether rows are shuffled before splitting. Tables are often sorted by label.
    random_state : int, RandomState instance or None, default=None
        Seeds the shuffling. None shuffles anew at each call of `split`: a single search still uses the same folds for
        all candidates, but two searches do not. Pass an integer for folds that can be reproduced.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.

    See Also
    --------
    TransductiveSplit : Works with one or two labelled anomalies.
    OneClassKFold : Trains on normal rows only.

    Notes
    -----
    Where `y` is None, or no row is labelled, rows are split as :class:`~sklearn.model_selection.KFold` does. With
    `groups`, no group is in both the training and the test set.

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

    # scikit-learn's way to request groups where metadata routing is enabled.
    __metadata_request__split: ClassVar[dict[str, Any]] = {"groups": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_splits": _FOLDS,
        "unlabelled": [StrOptions({"train", "split"})],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_splits: int = 5,
        *,
        unlabelled: str = "train",
        shuffle: bool = True,
        random_state: Any = None,
        pos_label: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.unlabelled = unlabelled
        self.shuffle = shuffle
        self.random_state = random_state
        self.pos_label = pos_label

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
        """
        self._validate_params()
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
            Row indices of the training and the test set, in order.

        Raises
        ------
        ValueError
            If the test set of some fold would have no anomaly or no normal row.
        """
        self._validate_params()
        X, y, groups = indexable(X, y, groups)
        labels, n_rows = _labels_or_none(y, self.pos_label), _n_rows(X)
        random_state = self.random_state if self.shuffle else None
        if labels is None:
            folds: Any = KFold(self.n_splits, shuffle=self.shuffle, random_state=random_state)
            folds = folds.split(np.zeros(n_rows)) if groups is None else self._group_folds(n_rows, groups)
            yield from folds
            return
        self._require_enough(labels, groups)
        split_rows = np.flatnonzero(labels) if self.unlabelled == "train" else np.arange(n_rows)
        if groups is None:
            folds = StratifiedKFold(self.n_splits, shuffle=self.shuffle, random_state=random_state)
            sets = folds.split(split_rows, labels[split_rows])
        else:
            folds = StratifiedGroupKFold(self.n_splits, shuffle=self.shuffle, random_state=random_state)
            sets = folds.split(split_rows, labels[split_rows], np.asarray(groups)[split_rows])
        for _, test in sets:
            chosen = split_rows[test]
            if groups is not None and not {-1, 1} <= set(labels[chosen].tolist()):
                raise ValueError(
                    "A fold has no anomaly or no normal row: too many of them are in one group. Use fewer folds."
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
                    f"n_splits={self.n_splits}, but y has {count} labelled {what}: some fold would have none and could "
                    "not be scored. Use fewer folds, or TransductiveSplit, which needs one of each."
                )


class OneClassKFold(_Splitter):
    """K folds that train on normal rows only, and test on the normal rows of the fold and on every anomaly.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds of the normal rows, at least 2.
    shuffle : bool, default=True
        Whether normal rows are shuffled before splitting.
    random_state : int, RandomState instance or None, default=None
        Seeds the shuffling. None shuffles anew at each call of `split`: a single search still uses the same folds for
        all candidates, but two searches do not. Pass an integer for folds that can be reproduced.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.

    See Also
    --------
    StratifiedAnomalyKFold : The training sets contain anomalies, too, as they do where nobody has removed them.

    Notes
    -----
    Rows labelled 0 are in no set, since they may be anomalies. No anomaly is in a training set, so every anomaly is in
    every test set; the scores of the folds are therefore not independent of each other.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import OneClassKFold
    >>> y = np.array([1] * 90 + [-1] * 5)
    >>> [(len(train), len(test)) for train, test in OneClassKFold(n_splits=3).split(y, y)]
    [(60, 35), (60, 35), (60, 35)]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_splits": _FOLDS,
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self, n_splits: int = 5, *, shuffle: bool = True, random_state: Any = None, pos_label: Any = None
    ) -> None:
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state
        self.pos_label = pos_label

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
        """
        self._validate_params()
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
            Row indices of the training and the test set, in order.

        Raises
        ------
        ValueError
            If there are fewer labelled normal rows than folds.
        """
        self._validate_params()
        X, y = indexable(X, y)
        labels = _labels_or_none(y, self.pos_label)
        normal = np.empty(0, dtype=np.intp) if labels is None else np.flatnonzero(labels == 1)
        if labels is None or normal.size < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits}, but y has {normal.size} labelled normal rows: label more, or use fewer "
                "folds."
            )
        anomalies = np.flatnonzero(labels == -1)
        for test in _folds(normal.size, self.n_splits, self.random_state, shuffle=self.shuffle):
            yield np.delete(normal, test), np.sort(np.concatenate([normal[test], anomalies]))


class TransductiveSplit(_Splitter):
    """One split that trains on all rows and tests on the labelled ones (on all rows where none is labelled).

    It is for detectors that ignore labels in ``fit``: labels that are used for evaluation only cannot be overfitted by
    training. One labelled anomaly is enough, and every fit uses the whole table.

    Parameters
    ----------
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.

    See Also
    --------
    StratifiedAnomalyKFold : For detectors that learn from labels, and to evaluate on rows outside the training data.

    Notes
    -----
    Scores of training rows are unbiased where a row is not evidence for itself, as in this package's detectors. For
    isolation forests this is nearly so. It is not so for nearest neighbours that find the row itself at distance zero.

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

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
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
        """Yield all rows as the training set and the labelled rows as the test set.

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
            Row indices of the training and the test set, in order.
        """
        X, y = indexable(X, y)
        rows = np.arange(_n_rows(X))
        labels = _labels_or_none(y, self.pos_label)
        yield rows, rows if labels is None else np.flatnonzero(labels)


class BlockedTimeSeriesSplit(_Splitter):
    """Contiguous blocks of time as test sets, with a gap to the training rows on both sides.

    Rows must be in the order of time; they are never shuffled. Each block is tested once. Training rows come from
    before and after the block, which is appropriate for finding anomalies in recorded data.

    Parameters
    ----------
    n_splits : int, default=5
        Number of blocks, at least 2.
    gap : int, default=0
        Number of rows left out of training on each side of the block: the window size of a detector, or the time after
        which rows are independent.
    blocks : {"scorable", "all"}, default="scorable"
        Where `y` labels anomalies, "scorable" tests only blocks that contain an anomaly and a normal row, since one
        block without them would make a candidate's mean score NaN. "all" tests every block.
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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_splits": _FOLDS,
        "gap": [Interval(Integral, 0, None, closed="left")],
        "blocks": [StrOptions({"scorable", "all"})],
    }

    def __init__(self, n_splits: int = 5, *, gap: int = 0, blocks: str = "scorable", pos_label: Any = None) -> None:
        self.n_splits: int = n_splits
        self.gap: int = gap
        self.blocks: str = blocks
        self.pos_label: Any = pos_label

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of test sets.

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
        self._validate_params()
        if X is None and y is None:
            return self.n_splits
        X, y = indexable(y if X is None else X, y)
        return len(self._blocks(_n_rows(X), y))

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
            Row indices of the training and the test set, in order.

        Raises
        ------
        ValueError
            If `X` and `y` differ in length, there are fewer rows than blocks, the gap leaves no training row, or no
            block can be scored.
        """
        self._validate_params()
        X, y = indexable(X, y)
        n_rows = _n_rows(X)
        for test in self._blocks(n_rows, y):
            first, last = test[0] - self.gap, test[-1] + self.gap
            train = np.concatenate([np.arange(max(first, 0)), np.arange(last + 1, n_rows)])
            if train.size == 0:
                raise ValueError(
                    f"gap={self.gap} leaves no training row for the test rows {test[0]} to {test[-1]} of {n_rows}; use "
                    "a smaller gap or more blocks."
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
                f"None of the {self.n_splits} blocks contains both an anomaly and a normal row; use fewer blocks."
            )
        return kept
