"""SMOTE between domains."""

from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags

from skanomaly._support._columns import NUMBER, column_kind, column_names, is_frame, to_pandas
from skanomaly._support._fractions import whole_part
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseSampler
from skanomaly.sampling._smote._engine import NEIGHBORS, Segments, find_neighbors, interpolated, is_same, join_within
from skanomaly.sampling._smote._table import MixedTable, read_mixed
from skanomaly.sampling._strategy import appended, dense_classes

__all__ = ["DomainSMOTE"]


class DomainSMOTE(BaseSampler):
    """SMOTE for domains of unequal size within each class: many rows of a source, few of a target.

    Parameters
    ----------
    domain_column : int or str, default=-1
        Column with the domain of each row, as numbers or text. It is not used in distances, and a synthetic row has its
        parents' domain. A column with nearly as many values as rows gives a warning.
    ratio : float, default=1.0
        Rows of each domain over those of the largest domain of the class, afterwards.
    k_neighbors : int, or object as in :class:`SMOTE`, default=5
        Number of neighbours, within class and domain, that a row may be joined with; lowered with a warning where
        there are fewer.
    metric : {"euclidean", "cosine"}, default="euclidean"
        Distance of the neighbour search. "cosine" also scales synthetic rows to the norm between their parents',
        for embeddings that are compared by angle.
    n_jobs : int or None, default=None
        Threads of the neighbour search; the rows do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws rows, neighbours and steps.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row; -1 where it is synthetic.
    parents_ : ndarray of shape (n_synthetic, 2)
        The two training rows that each synthetic row lies between.
    steps_ : ndarray of shape (n_synthetic,)
        Where on the segment.
    n_features_in_ : int
        Number of columns, the domain's included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SMOTE : Balances classes.

    Notes
    -----
    DCASE 2023, Task 2, gives 990 normal recordings of a source domain and 10 of the target domain; systems that grew
    the target's embeddings by SMOTE, and took the smaller of the distances to the two domains, did well [1]_. All
    rows may be of one class. The domain is a column, since a scikit-learn Pipeline passes no labels beside `y`.

    References
    ----------
    .. [1] K. Dohi et al., "Description and Discussion on DCASE 2023 Challenge Task 2: First-Shot Unsupervised Anomalous
       Sound Detection for Machine Condition Monitoring", DCASE Workshop 2023. arXiv:2305.07828.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import DomainSMOTE
    >>> X = np.column_stack([np.arange(12.0), np.repeat([0.0, 1.0], [9, 3])])
    >>> rows, _ = DomainSMOTE(k_neighbors=2, random_state=0).fit_resample(
    ...     X, np.ones(12, dtype=int)
    ... )
    >>> np.bincount(rows[:, 1].astype(int))
    array([9, 9])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "domain_column": [Integral, str],
        "ratio": [Interval(Real, 0, 1, closed="right")],
        "k_neighbors": NEIGHBORS,
        "metric": [StrOptions({"euclidean", "cosine"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        domain_column: int | str = -1,
        ratio: float = 1.0,
        k_neighbors: Any = 5,
        metric: str = "euclidean",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.domain_column = domain_column
        self.ratio = ratio
        self.k_neighbors = k_neighbors
        self.metric = metric
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _position(self, X: Any) -> int:
        names, n_columns = column_names(X), np.shape(X)[1]
        if isinstance(self.domain_column, str):
            if names is None or self.domain_column not in names:
                raise ValueError(
                    f"domain_column={self.domain_column!r} is not a column of X; its columns are {names or []}."
                )
            return names.index(self.domain_column)
        if not -n_columns <= self.domain_column < n_columns:
            raise ValueError(f"domain_column={self.domain_column}; X has {n_columns} columns.")
        return int(self.domain_column) % n_columns

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        table = X if is_frame(X) else np.asarray(X)
        if len(table.shape) == 2 and table.shape[1]:
            self._place = self._position(table)
            numeric = not is_frame(X) and table.dtype.kind in "biuf"
            if not numeric and column_kind(to_pandas(table).iloc[:, self._place]) != NUMBER:
                remedy = "Columns beside domain_column must hold numbers; encode or drop the others."
                return read_mixed(self, X, y, [self._place], remedy=remedy)
        return dense_classes(self, X, y)

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        mixed = isinstance(X, MixedTable)
        features = X.numbers if mixed else np.delete(X, self._place, axis=1)
        domains = X.codes[:, 0] if mixed else X[:, self._place]
        names = X.categories[0] if mixed else None
        random = generator(self.random_state)
        parts = [part for label in np.unique(y) for part in self._segments(features, domains, names, y, label, random)]
        self.parents_ = np.concatenate([np.empty((0, 2), dtype=np.intp), *(part.parents for part in parts)])
        self.steps_ = np.concatenate([np.empty(0), *(part.steps for part in parts)])
        targets, indices = appended(y, [(part.target, part.steps.size) for part in parts])
        if not parts:
            return None, targets, indices
        rows, new = interpolated(features, parts), domains[self.parents_[:, 0]]
        if self.metric == "cosine":
            self._scale(rows, features)
        made = X.values(rows, new[:, None]) if mixed else np.insert(rows, self._place, new, axis=1)
        return made, targets, indices

    def _segments(
        self,
        features: NDArray[Any],
        domains: NDArray[Any],
        names: Any,
        y: NDArray[Any],
        label: Any,
        random: np.random.Generator,
    ) -> list[Segments]:
        rows = is_same(y, label)
        present, counts = np.unique(domains[rows], return_counts=True)
        if rows.size > 2 and 2 * present.size > rows.size:
            warn_user(
                f"domain_column={self.domain_column!r} has {present.size} values in the {rows.size} rows of class "
                f"{label}: too many for domains. Name the column that says which domain a row belongs to."
            )
        search = partial(find_neighbors, metric=self.metric)
        parts = []
        for domain, count in zip(present, counts, strict=True):
            n_new = whole_part(self.ratio, counts.max()) - int(count)
            if n_new > 0 and features.shape[1]:
                members = rows[domains[rows] == domain]
                shown = domain if names is None else names[domain]
                part = join_within(
                    features,
                    members,
                    members,
                    shown,
                    n_new,
                    self.k_neighbors,
                    random,
                    self.n_jobs,
                    search=search,
                    group="Domain",
                )
                parts.append(replace(part, target=label))
        return parts

    def _scale(self, new: NDArray[Any], features: NDArray[Any]) -> None:
        """Give synthetic rows the norm between their parents', in place."""
        norms = np.linalg.norm(features, axis=1)[self.parents_]
        wanted = norms[:, 0] + self.steps_ * (norms[:, 1] - norms[:, 0])
        present = np.linalg.norm(new, axis=1)
        new *= (wanted / np.where(present > 0, present, 1.0))[:, None]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags
