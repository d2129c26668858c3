"""SMOTE for tables with categorical columns: SMOTENC and SMOTEN."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseSampler
from skanomaly.sampling._smote._engine import choose_seeds, draw_partners, is_same, usable_neighbors
from skanomaly.sampling._smote._table import (
    CodeDistance,
    MixedTable,
    Votes,
    check_mixed,
    find_categorical,
    resample_mixed,
    value_differences,
)
from skanomaly.sampling._strategy import STRATEGY, rows_to_make

__all__ = ["SMOTEN", "SMOTENC"]


class SMOTENC(BaseSampler):
    r"""SMOTE for tables of continuous and categorical columns.

    Parameters
    ----------
    categorical_features : "auto" or array-like, default="auto"
        Categorical columns, by position, name or mask. "auto" takes a frame's columns of type category, string,
        object or bool, and none of an array; it warns where it finds none.
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far; as in :class:`SMOTE`.
    k_neighbors : int, default=5
        Number of neighbours, within the class, that a row may be joined with; lowered with a warning where the
        class is smaller.
    selection : {"balanced", "random"}, default="balanced"
        As in :class:`SMOTE`.
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
    categorical_features_ : ndarray of shape (n_categorical,)
        Positions of the categorical columns.
    mismatch_ : dict
        Class to what a differing category adds to the distance (Notes).
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SMOTE : For numbers alone.
    SMOTEN : For categories alone, with distances between them.

    Notes
    -----
    Section 6.1 of [1]_: squared distance is :math:`\lVert x - z\rVert^2` over continuous columns plus
    :math:`M^2` for each category that differs, with M the median, over continuous columns, of the class's standard
    deviation. Continuous columns are interpolated as in SMOTE; each category is the commonest among the k
    neighbours, ties drawn. Where M is 0 (a constant majority of columns) categories would not count at all; M is then
    1, as it is where no column is continuous. Neighbours come from one matrix product over [continuous, one-hot
    M/sqrt(2)], and beyond 512 one-hot columns from a scan of the codes.

    Columns keep their dtypes, in pandas and polars frames and in arrays: what lies between integers is rounded.

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE: Synthetic Minority Over-sampling
       Technique", Journal of Artificial Intelligence Research 16, 2002. https://doi.org/10.1613/jair.953

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly.sampling import SMOTENC
    >>> frame = pd.DataFrame({"amount": [1.0, 2, 3, 4, 9, 8, 7], "kind": list("aabbccb")})
    >>> X_new, y_new = SMOTENC(k_neighbors=2, random_state=0).fit_resample(frame, [0, 0, 0, 0, 1, 1, 1])
    >>> X_new["kind"].tolist()[-1], len(X_new)
    ('c', 8)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "categorical_features": [StrOptions({"auto"}), "array-like"],
        "sampling_strategy": STRATEGY,
        "k_neighbors": [Interval(Integral, 1, None, closed="left")],
        "selection": [StrOptions({"balanced", "random"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        categorical_features: Any = "auto",
        sampling_strategy: Any = "auto",
        k_neighbors: int = 5,
        selection: str = "balanced",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.categorical_features = categorical_features
        self.sampling_strategy = sampling_strategy
        self.k_neighbors = k_neighbors
        self.selection = selection
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        self.categorical_features_ = find_categorical(X, self.categorical_features)
        table, targets = check_mixed(self, X, y, self.categorical_features_)
        if isinstance(self.categorical_features, str) and self.categorical_features_.size == 0:
            where = f"of {list(X.columns)[:5]}" if hasattr(X, "columns") else "in an array"
            warn_user(
                f"categorical_features='auto' found no categorical column {where}: rows are interpolated as by SMOTE. "
                "Name the categorical columns, or take SMOTE."
            )
        return table, targets

    def _fit_resample(self, X: MixedTable, y: NDArray[Any]) -> tuple[Any, NDArray[Any], NDArray[np.intp]]:
        self.sampling_strategy_ = rows_to_make(self.sampling_strategy, y)
        random = generator(self.random_state)
        self.mismatch_ = {}
        self._near: dict[Any, CodeDistance] = {}
        parts = []
        for label, n_new in self.sampling_strategy_.items():
            if n_new == 0:
                continue
            rows = is_same(y, label)
            n_near = usable_neighbors(self.k_neighbors, rows.size, label, "k_neighbors")
            self.mismatch_[label] = _mismatch(X.numbers[rows])
            search = CodeDistance.of_mismatches(X, rows, self.mismatch_[label], self.n_jobs)
            near = search.find_own(n_near)
            chosen = choose_seeds(rows.size, n_new, self.selection, random)
            partners = draw_partners(near, chosen, random)
            parts.append(Votes(label, rows[chosen], rows[partners], random.random(n_new), rows[near][chosen]))
            self._near[label] = search
        self._coder = X.coder()
        self.parents_, self.steps_, resampled = resample_mixed(X, y, parts, random)
        return resampled

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score how plausible each row is as a row of a class that was added to; small is odd.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A category not seen in fit differs from all others.

        Returns
        -------
        ndarray of shape (n_samples,)
            As in ``SMOTE.score_samples``, with this class's distance.
        """
        check_is_fitted(self)
        numbers, codes = self._coder.encode(self, X)
        scores = [search.relative_nearness(numbers, codes, self.k_neighbors) for search in self._near.values()]
        return np.max([np.full(len(numbers), -np.inf), *scores], axis=0)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


class SMOTEN(BaseSampler):
    r"""SMOTE for tables of categories: a new row takes, in each column, the commonest category around a row.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far; as in :class:`SMOTE`.
    k_neighbors : int, default=5
        Number of rows of the class that vote, the row itself included.
    selection : {"balanced", "random"}, default="balanced"
        As in :class:`SMOTE`.
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
    value_differences_ : list of ndarray of shape (n_categories, n_categories)
        Squared distance between the categories of each column.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SMOTENC : Where some columns are continuous.

    Notes
    -----
    Section 6.2 of [1]_: the value difference of two categories is :math:`\sum_c |P(c|a) - P(c|b)|`, with the class
    shares of each category counted in all data; squared, it adds up over columns. Ties between categories are drawn.

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE: Synthetic Minority Over-sampling
       Technique", Journal of Artificial Intelligence Research 16, 2002. https://doi.org/10.1613/jair.953

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly.sampling import SMOTEN
    >>> frame = pd.DataFrame({"size": list("ssslllm"), "colour": list("rgrgrgr")})
    >>> X_new, y_new = SMOTEN(k_neighbors=2, random_state=0).fit_resample(frame, [0, 0, 0, 0, 0, 1, 1])
    >>> len(X_new), sorted(set(X_new["size"]))
    (10, ['l', 'm', 's'])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": STRATEGY,
        "k_neighbors": [Interval(Integral, 1, None, closed="left")],
        "selection": [StrOptions({"balanced", "random"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        k_neighbors: int = 5,
        selection: str = "balanced",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.k_neighbors = k_neighbors
        self.selection = selection
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        table, targets = check_mixed(self, X, y, None)
        fine = [position for position, known in enumerate(table.categories) if _is_continuous(known)]
        if fine:
            names = getattr(X, "columns", range(len(table.categories)))
            warn_user(
                f"SMOTEN takes every value for a category of its own, and column {names[fine[0]]!r} holds "
                f"{len(table.categories[fine[0]])} numbers that are not whole. Take SMOTENC, or bin the column."
            )
        return table, targets

    def _fit_resample(self, X: MixedTable, y: NDArray[Any]) -> tuple[Any, NDArray[Any], NDArray[np.intp]]:
        self.sampling_strategy_ = rows_to_make(self.sampling_strategy, y)
        random = generator(self.random_state)
        self.value_differences_ = value_differences(X.codes, X.n_codes, y)
        self._near: dict[Any, CodeDistance] = {}
        parts = []
        for label, n_new in self.sampling_strategy_.items():
            if n_new == 0:
                continue
            rows = is_same(y, label)
            n_near = usable_neighbors(self.k_neighbors - 1, rows.size, label, "k_neighbors")
            search = CodeDistance.of_tables(X, rows, self.value_differences_, self.n_jobs)
            others = search.find_own(n_near) if n_near else np.empty((rows.size, 0), dtype=np.intp)
            voters = np.column_stack([np.arange(rows.size), others])
            chosen = choose_seeds(rows.size, n_new, self.selection, random)
            parts.append(Votes(label, rows[chosen], rows[chosen], np.zeros(n_new), rows[voters][chosen]))
            self._near[label] = search
        self._coder = X.coder()
        return resample_mixed(X, y, parts, random)[2]

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score how plausible each row is as a row of a class that was added to; small is odd.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A category not seen in fit is as far from all others as can be.

        Returns
        -------
        ndarray of shape (n_samples,)
            As in ``SMOTE.score_samples``, with value differences as distance.
        """
        check_is_fitted(self)
        numbers, codes = self._coder.encode(self, X)
        scores = [search.relative_nearness(numbers, codes, self.k_neighbors) for search in self._near.values()]
        return np.max([np.full(len(numbers), -np.inf), *scores], axis=0)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.categorical = True
        return tags


def _is_continuous(known: pd.Index) -> bool:
    """Whether categories are numbers of which some are not whole."""
    if known.dtype.kind != "f":
        return False
    values = known.to_numpy()
    return bool((values[np.isfinite(values)] % 1 != 0).any())


def _mismatch(numbers: NDArray[np.float64]) -> float:
    """Cost of a differing category: the median standard deviation of the class's columns, or 1 where that is 0."""
    spread = float(np.median(numbers.std(axis=0))) if numbers.shape[1] else 0.0
    return spread if spread > 0 else 1.0
