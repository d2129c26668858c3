"""Samplers that start near other classes: BorderlineSMOTE and ADASYN."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._sklearn import StrOptions
from skanomaly._support._warnings import warn_user
from skanomaly.sampling._smote._engine import (
    NEIGHBORS,
    Segments,
    choose_seeds,
    draw_partners,
    join_within,
    n_neighbors_of,
    search_of,
    usable_neighbors,
)
from skanomaly.sampling._smote._interpolator import Interpolator
from skanomaly.sampling._strategy import STRATEGY, allot

__all__ = ["ADASYN", "BorderlineSMOTE", "foreign_neighbors"]


class BorderlineSMOTE(Interpolator):
    r"""SMOTE that starts only from rows in danger: most, but not all, of their neighbours are of other classes.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far; as in :class:`SMOTE`.
    k_neighbors : int, or object as in :class:`SMOTE`, default=5
        Number of neighbours, within the class, that a row may be joined with; lowered with a warning where the
        class is smaller.
    m_neighbors : int, or object as in :class:`SMOTE`, default=10
        Number of neighbours, in all data, that decide whether a row is in danger.
    kind : {"borderline-1", "borderline-2"}, default="borderline-1"
        "borderline-1" joins rows in danger with neighbours of their class; "borderline-2" with neighbours of any
        class, going at most halfway to those of another.
    n_jobs : int or None, default=None
        Threads of the neighbour search; the rows do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws rows, neighbours and steps.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class to number of rows made.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row; -1 where it is synthetic.
    parents_ : ndarray of shape (n_synthetic, 2)
        The two training rows that each synthetic row lies between.
    steps_ : ndarray of shape (n_synthetic,)
        Where on the line through them: 0 is the first parent, 1 the second.
    in_danger_ : dict
        Class to training rows in danger.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SMOTE : Starts from every row.
    ADASYN : Starts from every row, in proportion to its neighbours of other classes.

    Notes
    -----
    With m' of m neighbours from other classes, a row is *in danger* if m/2 <= m' < m, noise if m' = m, else safe
    [1]_. Where no row of a class is in danger, nothing is made, as in the paper, with a warning. Rows in danger start
    equally many segments. A step of "borderline-2" towards another class is one draw from [0, 1/2), as in the paper;
    imbalanced-learn halves a draw by a second one.

    References
    ----------
    .. [1] H. Han, W.-Y. Wang and B.-H. Mao, "Borderline-SMOTE: A New Over-Sampling Method in Imbalanced Data Sets
       Learning", ICIC 2005. https://doi.org/10.1007/11538059_91

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skanomaly.sampling import BorderlineSMOTE
    >>> X, y = make_classification(200, weights=[0.9], flip_y=0, random_state=0)
    >>> X_new, y_new = BorderlineSMOTE(random_state=0).fit_resample(X, y)
    >>> int((y_new == 1).sum())
    181
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": STRATEGY,
        "k_neighbors": NEIGHBORS,
        "m_neighbors": NEIGHBORS,
        "kind": [StrOptions({"borderline-1", "borderline-2"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        k_neighbors: Any = 5,
        m_neighbors: Any = 10,
        kind: str = "borderline-1",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.k_neighbors = k_neighbors
        self.m_neighbors = m_neighbors
        self.kind = kind
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _n_compared(self) -> int | None:
        numbers = [self.m_neighbors] if self.kind == "borderline-1" else [self.m_neighbors, self.k_neighbors]
        return max(map(int, numbers)) if all(isinstance(number, Integral) for number in numbers) else None

    def _start(self, X: Any, y: NDArray[Any]) -> np.random.Generator:
        self.in_danger_: dict[Any, NDArray[np.intp]] = {}
        return super()._start(X, y)

    def _segments(
        self, X: Any, y: NDArray[Any], rows: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> list[Segments]:
        neighbors, n_foreign = foreign_neighbors(X, y, rows, label, self.m_neighbors, self.n_jobs, "m_neighbors")
        m = neighbors.shape[1]
        danger = rows[(2 * n_foreign >= m) & (n_foreign < m)]
        self.in_danger_[label] = danger
        if danger.size == 0:
            warn_user(f"No row of class {label!r} is in danger, so nothing is made; use SMOTE or another m_neighbors.")
            self.sampling_strategy_[label] = 0
            return []
        if self.kind == "borderline-1":
            return [join_within(X, rows, danger, label, n_new, self.k_neighbors, random, self.n_jobs)]
        return [self._join_any(X, y, danger, label, n_new, random)]

    def _join_any(
        self, X: Any, y: NDArray[Any], danger: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> Segments:
        n_near = min(n_neighbors_of(self.k_neighbors, "k_neighbors"), X.shape[0] - 1)
        neighbors = search_of(self.k_neighbors)(X, danger, n_near, self.n_jobs)
        chosen = choose_seeds(danger.size, n_new, "balanced", random)
        partners = draw_partners(neighbors, chosen, random)
        steps = random.random(n_new) * np.where(y[partners] == label, 1.0, 0.5)
        return Segments(label, danger[chosen], partners, steps)


class ADASYN(Interpolator):
    r"""SMOTE that starts from each row in proportion to its neighbours of other classes.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far; as in :class:`SMOTE`.
    n_neighbors : int, or object as in :class:`SMOTE`, default=5
        Number of neighbours, both in all data (to count other classes) and within the class (to join with).
    n_jobs : int or None, default=None
        Threads of the neighbour search; the rows do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws rows, neighbours and steps.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class to number of rows made.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row; -1 where it is synthetic.
    parents_ : ndarray of shape (n_synthetic, 2)
        The two training rows that each synthetic row lies between.
    steps_ : ndarray of shape (n_synthetic,)
        Where on the line through them: 0 is the first parent, 1 the second.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    BorderlineSMOTE : Starts from rows in danger only.

    Notes
    -----
    Row i starts a fraction :math:`r_i / \sum_j r_j` of the new rows, where :math:`r_i` is the fraction of other classes
    among its neighbours [1]_. Numbers are rounded by largest remainder, so that they add up exactly; the paper rounds
    each on its own. Where no row has a neighbour of another class, all start equally often, with a warning.

    References
    ----------
    .. [1] H. He, Y. Bai, E. A. Garcia and S. Li, "ADASYN: Adaptive Synthetic Sampling Approach for Imbalanced
       Learning", IJCNN 2008. https://doi.org/10.1109/IJCNN.2008.4633969

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skanomaly.sampling import ADASYN
    >>> X, y = make_classification(200, weights=[0.9], flip_y=0, random_state=0)
    >>> X_new, y_new = ADASYN(random_state=0).fit_resample(X, y)
    >>> int((y_new == 1).sum())
    181
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": STRATEGY,
        "n_neighbors": NEIGHBORS,
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        n_neighbors: Any = 5,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.n_neighbors = n_neighbors
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _n_compared(self) -> int | None:
        return int(self.n_neighbors) if isinstance(self.n_neighbors, Integral) else None

    def _n_near(self) -> int:
        return n_neighbors_of(self.n_neighbors, "n_neighbors")

    def _segments(
        self, X: Any, y: NDArray[Any], rows: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> list[Segments]:
        _, n_foreign = foreign_neighbors(X, y, rows, label, self.n_neighbors, self.n_jobs, "n_neighbors")
        if not n_foreign.any():
            warn_user(f"No row of class {label!r} has a neighbour of another class; all start equally often.")
            n_foreign = np.ones(rows.size, dtype=np.intp)
        chosen = np.repeat(np.arange(rows.size), allot(n_new, n_foreign.astype(np.float64)))
        n_near = usable_neighbors(self._n_near(), rows.size, label, "n_neighbors")
        neighbors = rows[search_of(self.n_neighbors)(X[rows], np.arange(rows.size), n_near, self.n_jobs)]
        partners = draw_partners(neighbors, chosen, random)
        return [Segments(label, rows[chosen], partners, random.random(n_new))]


def foreign_neighbors(
    X: Any, y: NDArray[Any], rows: NDArray[np.intp], label: Any, n_neighbors: Any, n_jobs: int | None, name: str
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find neighbours of rows in all data, and count those of another class.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    rows : ndarray of shape (n_rows,), intp
    label : object
        Class of these rows.
    n_neighbors : int, or object with ``kneighbors``
        Lowered to the number of other rows.
    n_jobs : int or None
    name : str
        Name of the parameter `n_neighbors`, for errors.

    Returns
    -------
    neighbors : ndarray of shape (n_rows, n_neighbors), intp
    n_foreign : ndarray of shape (n_rows,), intp
    """
    n_near = min(n_neighbors_of(n_neighbors, name), X.shape[0] - 1)
    neighbors = search_of(n_neighbors)(X, rows, n_near, n_jobs)
    return neighbors, np.count_nonzero(y[neighbors] != label, axis=1)
