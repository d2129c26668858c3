"""Splits that train on a few normal rows, or on one."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

from skanomaly._support._labels import read_labels
from skanomaly._support._parameters import DeclaredParameters
from skanomaly._support._seeds import child_generators
from skanomaly._support._sklearn import Interval

__all__ = ["FewShotSplit"]

Indices = NDArray[np.intp]


class FewShotSplit(DeclaredParameters, BaseCrossValidator):
    """Splits that train on a few normal rows drawn at random, and test on all other labelled rows.

    Parameters
    ----------
    n_shots : int, default=1
        Number of normal training rows; with groups, of groups: one object with all its views is one shot.
    n_anomalies : int, default=0
        Number of labelled anomalies among the training rows (of groups that contain one).
    n_splits : int, default=10
        Number of draws. Their results vary a lot for few shots; report mean and standard deviation.
    random_state : int, RandomState instance or None, default=None
        Draws the rows. With an integer, fewer shots are a part of more shots.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.

    See Also
    --------
    OneClassKFold : Trains on most of the normal rows.
    contaminate : Training rows with unlabelled anomalies.

    Notes
    -----
    One shot is the setting of SiM3D (Single-instance Multiview Multimodal and Multisetup 3D Anomaly Detection
    Benchmark), where a detector trains on a single object. Rows labelled 0 are in no set.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import FewShotSplit
    >>> y = np.array([1] * 50 + [-1] * 10)
    >>> splitter = FewShotSplit(n_shots=4, n_anomalies=1, n_splits=3, random_state=0)
    >>> [(len(train), len(test)) for train, test in splitter.split(y, y)]
    [(5, 55), (5, 55), (5, 55)]
    """

    # scikit-learn's way to request groups where metadata routing is enabled.
    __metadata_request__split: ClassVar[dict[str, Any]] = {"groups": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_shots": [Interval(Integral, 1, None, closed="left")],
        "n_anomalies": [Interval(Integral, 0, None, closed="left")],
        "n_splits": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_shots: int = 1,
        *,
        n_anomalies: int = 0,
        n_splits: int = 10,
        random_state: Any = None,
        pos_label: Any = None,
    ) -> None:
        self.n_shots = n_shots
        self.n_anomalies = n_anomalies
        self.n_splits = n_splits
        self.random_state = random_state
        self.pos_label = pos_label

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of draws.

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
        groups : array-like of shape (n_samples,), default=None
            Rows of one group, such as the views of an object, stay together. A group with an anomaly is anomalous.

        Yields
        ------
        tuple of (ndarray, ndarray)
            Row indices of the training and the test set, in order.

        Raises
        ------
        ValueError
            If there are too few normal rows or anomalies: the test set needs one of each.
        """
        self._validate_params()
        X, y, groups = indexable(X, y, groups)
        if y is None:
            raise ValueError("y=None; pass anomaly labels, since shots are normal rows.")
        labels = read_labels(y, pos_label=self.pos_label)
        known = np.flatnonzero(labels)
        units = known if groups is None else np.asarray(groups)[known]
        names, places = np.unique(units, return_inverse=True)
        anomalous = np.bincount(places, labels[known] == -1, minlength=len(names)) > 0
        normal, anomalies = np.flatnonzero(~anomalous), np.flatnonzero(anomalous)
        if len(normal) <= self.n_shots or len(anomalies) <= self.n_anomalies:
            raise ValueError(
                f"n_shots={self.n_shots} and n_anomalies={self.n_anomalies}, but y has {len(normal)} normal and "
                f"{len(anomalies)} anomalous {'rows' if groups is None else 'groups'}; one of each is needed to test."
            )
        for random in child_generators(self.random_state, self.n_splits):
            chosen = np.zeros(len(names), dtype=np.bool_)
            chosen[random.permutation(normal)[: self.n_shots]] = True
            chosen[random.permutation(anomalies)[: self.n_anomalies]] = True
            yield known[chosen[places]], known[~chosen[places]]
