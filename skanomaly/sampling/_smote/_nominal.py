"""SMOTE for tables with categorical columns: SMOTENC and SMOTEN."""

import math
from abc import abstractmethod
from numbers import Integral, Number
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Tags

from skanomaly._support._columns import column_names, is_frame
from skanomaly._support._scales import column_scale, varies
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import StrOptions
from skanomaly._support._warnings import warn_user
from skanomaly.sampling._smote._engine import NEIGHBORS, Segments, choose_seeds, draw_partners, usable_neighbors
from skanomaly.sampling._smote._interpolator import Interpolator
from skanomaly.sampling._smote._table import (
    CodeDistance,
    MixedTable,
    check_columns,
    find_categorical,
    read_mixed,
    value_differences,
    voted,
)
from skanomaly.sampling._strategy import STRATEGY

__all__ = ["SMOTEN", "SMOTENC"]


class _MixedTables:
    """What SMOTENC and SMOTEN have in common: a mixed table, and neighbours by the codes of its categories."""

    k_neighbors: Any
    n_jobs: int | None
    random_state: Any
    _n_near: Any
    _near: dict[Any, CodeDistance]

    @abstractmethod
    def _search(self, X: MixedTable, rows: NDArray[np.intp], label: Any) -> CodeDistance:
        """Neighbours among the rows of a class."""

    @abstractmethod
    def _draw(
        self, near: NDArray[np.intp], rows: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> Segments:
        """Draw the segments and voters of a class; `near` holds the neighbours of each of its rows."""

    def _start(self, X: Any, y: NDArray[Any]) -> np.random.Generator:
        self._reader, self._near = X.without_rows(), {}
        return generator(self.random_state)

    def _segments(
        self, X: Any, y: NDArray[Any], rows: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> list[Segments]:
        n_near = usable_neighbors(self._n_near(), rows.size, label, "k_neighbors")
        self._near[label] = search = self._search(X, rows, label)
        near = search.find_own(n_near, self.k_neighbors)
        return [self._draw(near, rows, label, n_new, random)]

    def _make(self, X: Any, parts: list[Segments], random: np.random.Generator) -> Any:
        return voted(X, parts, random)

    def _source(self, X: Any, rows: NDArray[np.intp], label: Any) -> Any:
        return self._near[label]

    def _read(self, X: Any) -> Any:
        check_columns(self, X, reset=False)
        return np.column_stack(self._reader.read(X))

    def _nearness(self, source: Any, X: Any) -> NDArray[np.float64]:
        n_numbers = self._reader.numbers.shape[1]
        return source.relative_nearness(X[:, :n_numbers], X[:, n_numbers:].astype(np.intp), self._n_near())


class SMOTENC(_MixedTables, Interpolator):
    r"""SMOTE for tables of continuous and categorical columns.

    Parameters
    ----------
    categorical_features : "auto" or array-like, default="auto"
        Categorical columns, by position, name or mask. "auto" takes columns of a category or text type, and object
        columns with other values than numbers and booleans; it warns if there are none.
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes are over-sampled, and to how many rows; as in :class:`SMOTE`.
    k_neighbors : int, or object as in :class:`SMOTE`, default=5
        Number of nearest neighbours in the class, of which one is drawn for interpolation. It is reduced with a
        warning if the class is too small. An object, as in :class:`SMOTE`, gets the continuous columns and the one-hot
        columns times M/sqrt(2) (Notes).
    selection : {"balanced", "random"}, default="balanced"
        As in :class:`SMOTE`.
    n_jobs : int or None, default=None
        Number of threads of the neighbour search. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice of rows, neighbours and steps.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of synthetic rows of each over-sampled class.
    sample_indices_ : ndarray of shape (n_resampled,)
        Index of the training row of each returned row; -1 for synthetic rows.
    parents_ : ndarray of shape (n_synthetic, 2)
        Indices of the two training rows that each synthetic row was interpolated from.
    steps_ : ndarray of shape (n_synthetic,)
        Position of each synthetic row between them: 0 is the first row, 1 the second.
    categorical_features_ : ndarray of shape (n_categorical,)
        Positions of the categorical columns.
    mismatch_ : dict
        For each over-sampled class, the term that a differing category adds to the distance (see Notes).
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SMOTE : For tables of numbers.
    SMOTEN : For tables of categories, with distances between categories.

    Notes
    -----
    Section 6.1 of [1]_: squared distance is :math:`\lVert x - z\rVert^2` over continuous columns plus
    :math:`M^2` for each category that differs, with M the median of the standard deviations of the class in the
    continuous columns. Continuous columns are interpolated as in SMOTE. Each category is the most frequent one among
    the k neighbours, with ties broken at random. M is 1 if no column is continuous or if the median is 0, because most
    columns are constant. Neighbours are found by one matrix product over the continuous columns and the one-hot columns
    times M/sqrt(2), and for more than 512 one-hot columns by comparing the category codes.

    Columns keep their types, in pandas and polars frames, Arrow tables and arrays. New values in a column of integers
    or booleans are rounded. A missing category is a separate category; a missing number raises an error.

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE: Synthetic Minority Over-sampling
       Technique", Journal of Artificial Intelligence Research 16, 2002. https://doi.org/10.1613/jair.953

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly.sampling import SMOTENC
    >>> frame = pd.DataFrame({"amount": [1.0, 2, 3, 4, 9, 8, 7], "kind": list("aabbccb")})
    >>> X_new, y_new = SMOTENC(k_neighbors=2, random_state=0).fit_resample(
    ...     frame, [0, 0, 0, 0, 1, 1, 1]
    ... )
    >>> X_new["kind"].tolist()[-1], len(X_new)
    ('c', 8)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "categorical_features": [StrOptions({"auto"}), "array-like"],
        "sampling_strategy": STRATEGY,
        "k_neighbors": NEIGHBORS,
        "selection": [StrOptions({"balanced", "random"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        categorical_features: Any = "auto",
        sampling_strategy: Any = "auto",
        k_neighbors: Any = 5,
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
        table, targets = read_mixed(self, X, y, lambda rows: find_categorical(rows, self.categorical_features))
        self.categorical_features_ = table.positions
        if isinstance(self.categorical_features, str) and table.positions.size == 0:
            where = f"of {(column_names(X) or [])[:5]}" if is_frame(X) else "in an array"
            warn_user(
                f"categorical_features='auto' found no categorical column {where}: rows are interpolated as by SMOTE. "
                "Name the categorical columns, or use SMOTE."
            )
        return table, targets

    def _start(self, X: Any, y: NDArray[Any]) -> np.random.Generator:
        self.mismatch_: dict[Any, float] = {}
        return super()._start(X, y)

    def _search(self, X: MixedTable, rows: NDArray[np.intp], label: Any) -> CodeDistance:
        self.mismatch_[label] = _mismatch(X.numbers[rows])
        return CodeDistance.of_mismatches(X, rows, self.mismatch_[label], self.n_jobs)

    def _draw(
        self, near: NDArray[np.intp], rows: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> Segments:
        chosen = choose_seeds(rows.size, n_new, self.selection, random)
        partners = draw_partners(near, chosen, random)
        return Segments(label, rows[chosen], rows[partners], random.random(n_new), rows[near][chosen])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.string = True
        return tags


class SMOTEN(_MixedTables, Interpolator):
    r"""SMOTE for tables of categories: a synthetic row has the most frequent category of neighbours in each column.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes are over-sampled, and to how many rows; as in :class:`SMOTE`.
    k_neighbors : int, or object as in :class:`SMOTE`, default=5
        Number of nearest neighbours in the class, whose most frequent category is taken together with that of the row
        itself. It is reduced with a warning if the class is too small. An object must have ``metric="precomputed"``:
        it gets the value differences between the rows of the class, a square table (Notes).
    selection : {"balanced", "random"}, default="balanced"
        As in :class:`SMOTE`.
    n_jobs : int or None, default=None
        Number of threads of the neighbour search. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice of rows and of tied categories.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of synthetic rows of each over-sampled class.
    sample_indices_ : ndarray of shape (n_resampled,)
        Index of the training row of each returned row; -1 for synthetic rows.
    parents_ : ndarray of shape (n_synthetic, 2)
        Index of the training row that each synthetic row was made from, in both columns.
    steps_ : ndarray of shape (n_synthetic,)
        Zeros, since synthetic rows are not interpolated between two rows.
    value_differences_ : list of ndarray of shape (n_categories, n_categories)
        Squared distance between the categories of each column.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SMOTENC : For tables with continuous columns.

    Notes
    -----
    Section 6.2 of [1]_: the value difference of two categories is :math:`\sum_c |P(c|a) - P(c|b)|`, with P(c|a) the
    fraction of class c among all rows with category a. The squared distance is the sum of its squares over columns. A
    synthetic row has the most frequent category among the row and its neighbours, as in the paper, with ties broken at
    random.

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE: Synthetic Minority Over-sampling
       Technique", Journal of Artificial Intelligence Research 16, 2002. https://doi.org/10.1613/jair.953

    Examples
    --------
    >>> import pandas as pd
    >>> from skanomaly.sampling import SMOTEN
    >>> frame = pd.DataFrame({"size": list("ssslllm"), "colour": list("rgrgrgr")})
    >>> X_new, y_new = SMOTEN(k_neighbors=1, random_state=0).fit_resample(
    ...     frame, [0, 0, 0, 0, 0, 1, 1]
    ... )
    >>> len(X_new), sorted(set(X_new["size"]))
    (10, ['l', 'm', 's'])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": STRATEGY,
        "k_neighbors": NEIGHBORS,
        "selection": [StrOptions({"balanced", "random"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        k_neighbors: Any = 5,
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
        if not isinstance(self.k_neighbors, Integral) and getattr(self.k_neighbors, "metric", None) != "precomputed":
            raise ValueError(
                f"k_neighbors={self.k_neighbors!r} has a metric of its own, but SMOTEN measures distances between "
                "categories by their value differences. Give a whole number, or an object with metric='precomputed', "
                "such as NearestNeighbors(n_neighbors=6, metric='precomputed')."
            )
        table, targets = read_mixed(self, X, y, lambda rows: np.arange(rows.shape[1]))
        fine = [place for place, known in enumerate(table.categories) if _is_continuous(known)]
        if fine:
            names = column_names(X) or range(len(table.categories))
            warn_user(
                f"SMOTEN reads every value as a category of its own, and column {names[fine[0]]!r} holds "
                f"{len(table.categories[fine[0]])} numbers that are not whole. Use SMOTENC, or bin the column."
            )
        return table, targets

    def _start(self, X: Any, y: NDArray[Any]) -> np.random.Generator:
        self.value_differences_ = value_differences(X.codes, X.n_codes, y)
        return super()._start(X, y)

    def _search(self, X: MixedTable, rows: NDArray[np.intp], label: Any) -> CodeDistance:
        return CodeDistance.of_tables(X, rows, self.value_differences_, self.n_jobs)

    def _draw(
        self, near: NDArray[np.intp], rows: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> Segments:
        voters = np.column_stack([np.arange(rows.size), near])
        chosen = choose_seeds(rows.size, n_new, self.selection, random)
        return Segments(label, rows[chosen], rows[chosen], np.zeros(n_new), rows[voters][chosen])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.string = tags.input_tags.categorical = True
        return tags


def _is_continuous(known: NDArray[Any]) -> bool:
    """Whether categories are numbers of which some are not whole."""
    present = known[~pd.isna(known)].tolist()
    return all(isinstance(value, Number) for value in present) and any(
        value % 1 != 0 for value in present if math.isfinite(value)
    )


def _mismatch(numbers: NDArray[np.float64]) -> float:
    """Cost of a differing category: the median standard deviation of the class's columns, or 1 where that is 0."""
    spreads = np.where(varies(numbers), column_scale(numbers), 0.0)
    spread = float(np.median(spreads)) if numbers.shape[1] else 0.0
    return spread if spread > 0 else 1.0
