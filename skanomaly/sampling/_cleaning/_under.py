"""Samplers that take rows away, and chains of samplers."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import Tags, get_tags

from skanomaly._support._composition import Composition, members
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._validation import check_any_rows
from skanomaly.base import BaseSampler
from skanomaly.sampling._resampled import seeded_clones
from skanomaly.sampling._smote._engine import find_neighbors
from skanomaly.sampling._smote._smote import SMOTE
from skanomaly.sampling._strategy import CLEANING, STRATEGY, classes_to_clean, rows_to_keep

__all__ = ["EditedNearestNeighbours", "RandomUnderSampler", "SamplerChain", "TomekLinks"]


class RandomUnderSampler(BaseSampler):
    """Leave out rows of large classes at random.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes shrink, and how far. A float is the ratio minority over majority afterwards (two classes). Words
        bring classes down to the smallest one's count: "majority", "not minority" (the same as "auto"), "not
        majority" or "all". A dict maps classes to final counts; a callable gets `y` and returns such a dict.
    replacement : bool, default=False
        Whether rows are drawn with replacement, so that a row may be kept more than once (a bootstrap sample).
    random_state : int, RandomState instance or None, default=None
        Draws the rows kept.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class to number of rows left.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row, ascending.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SamplerChain : Applies it after SMOTE, as the authors of SMOTE do.

    Notes
    -----
    Works well where the large class has many rows. Moving the threshold, or ``class_weight``, has the same effect
    without discarding rows.

    Only `y` is used. `X` may be any table: text, categories, dates, missing and infinite values, sparse rows. The
    rows kept, and the index of a frame, are the user's own.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import RandomUnderSampler
    >>> X, y = np.arange(20.0).reshape(10, 2), np.repeat([0, 1], [8, 2])
    >>> RandomUnderSampler(random_state=0).fit_resample(X, y)[1]
    array([0, 0, 1, 1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": STRATEGY,
        "replacement": ["boolean"],
        "random_state": ["random_state"],
    }
    _any_table = True

    def __init__(self, *, sampling_strategy: Any = "auto", replacement: bool = False, random_state: Any = None) -> None:
        self.sampling_strategy = sampling_strategy
        self.replacement = replacement
        self.random_state = random_state

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:  # y decides
        self.sampling_strategy_ = rows_to_keep(self.sampling_strategy, y)
        rows = {label: np.flatnonzero(y == label) for label in self.sampling_strategy_}
        drawn = self._draw({label: len(same) for label, same in rows.items()}, self.sampling_strategy_)
        untouched = np.ones(len(y), dtype=np.bool_)
        for same in rows.values():
            untouched[same] = False
        kept = [np.flatnonzero(untouched), *(rows[label][drawn[label]] for label in drawn)]
        return None, None, np.sort(np.concatenate(kept))

    def _draw(self, counts: dict[Any, int], kept: dict[Any, int]) -> dict[Any, NDArray[np.intp]]:
        """Draw the numbers, within its class, of the rows that are kept, in ascending order."""
        random = generator(self.random_state)
        return {
            label: np.sort(random.choice(counts[label], number, replace=self.replacement))
            for label, number in kept.items()
        }


class TomekLinks(BaseSampler):
    """Leave out rows that form a Tomek link: each the other's nearest row, and of another class.

    Parameters
    ----------
    sampling_strategy : str or list, default="auto"
        Classes that rows may be removed from: "majority", "not minority" (the same as "auto"), "not majority", "all",
        or a list of classes.
    n_jobs : int or None, default=None
        Threads of the neighbour search.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row, ascending.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    EditedNearestNeighbours : Leaves out more rows.

    References
    ----------
    .. [1] I. Tomek, "Two modifications of CNN", IEEE Transactions on Systems, Man, and Cybernetics 6, 1976.
       https://doi.org/10.1109/TSMC.1976.4309452

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import TomekLinks
    >>> X, y = np.array([[0.0], [1], [2], [2.1], [4]]), np.array([0, 0, 0, 1, 1])
    >>> TomekLinks().fit_resample(X, y)[1]
    array([0, 0, 1, 1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": CLEANING,
        "n_jobs": [Integral, None],
    }

    def __init__(self, *, sampling_strategy: Any = "auto", n_jobs: int | None = None) -> None:
        self.sampling_strategy = sampling_strategy
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        X = X.tocsr() if sparse.issparse(X) else X
        rows = np.arange(len(y), dtype=np.intp)
        nearest = find_neighbors(X, rows, min(1, len(y) - 1), self.n_jobs)[:, 0]
        linked = (nearest[nearest] == rows) & (y[nearest] != y)
        return None, None, np.flatnonzero(~(linked & np.isin(y, classes_to_clean(self.sampling_strategy, y))))


class EditedNearestNeighbours(BaseSampler):
    """Leave out rows that their neighbours would classify otherwise.

    Parameters
    ----------
    sampling_strategy : str or list, default="auto"
        Classes that rows may be removed from, as in :class:`TomekLinks`.
    n_neighbors : int, default=3
        Number of neighbours that vote, the row itself left out.
    kind_sel : {"all", "mode"}, default="all"
        A row stays if "all" its neighbours are of its class, or if their most frequent class is its class.
    n_jobs : int or None, default=None
        Threads of the neighbour search.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row, ascending.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    TomekLinks : Leaves out fewer rows.

    Notes
    -----
    A tie for the most frequent class keeps the row. Wilson's rule [1]_ with "all" as imbalanced-learn's default.

    References
    ----------
    .. [1] D. L. Wilson, "Asymptotic Properties of Nearest Neighbor Rules Using Edited Data", IEEE Transactions on
       Systems, Man, and Cybernetics 2, 1972. https://doi.org/10.1109/TSMC.1972.4309137

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import EditedNearestNeighbours
    >>> X, y = np.array([[0.0], [1], [2], [9], [9.5], [10]]), np.array([0, 0, 0, 1, 0, 1])
    >>> EditedNearestNeighbours(n_neighbors=2).fit_resample(X, y)[1]
    array([0, 0, 0, 1, 1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": CLEANING,
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "kind_sel": [StrOptions({"all", "mode"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        n_neighbors: int = 3,
        kind_sel: str = "all",
        n_jobs: int | None = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.n_neighbors = n_neighbors
        self.kind_sel = kind_sel
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        X = X.tocsr() if sparse.issparse(X) else X
        rows = np.flatnonzero(np.isin(y, classes_to_clean(self.sampling_strategy, y)))
        n_near = min(self.n_neighbors, len(y) - 1)
        kept = np.ones(len(y), dtype=bool)
        if rows.size and n_near:
            neighbors = find_neighbors(X, rows, n_near, self.n_jobs)
            same = (y[neighbors] == y[rows][:, None]).sum(axis=1)
            if self.kind_sel == "all":
                kept[rows] = same == n_near
            else:
                votes = [(y[neighbors] == label).sum(axis=1) for label in np.unique(y)]
                kept[rows] = same == np.max(votes, axis=0)
        return None, None, np.flatnonzero(kept)


class SamplerChain(Composition, BaseSampler):
    """Samplers one after the other: SMOTE then under-sampling, or SMOTE then cleaning.

    Parameters
    ----------
    samplers : list of sampler, or list of (name, sampler), default=None
        Applied in this order. Members without names are named by their class in lower case, as in scikit-learn's
        ``make_pipeline``; ``smote__k_neighbors`` is a parameter of the chain in either form. None is the combination
        that the authors of SMOTE report as best: the rare class grown to half the common one, which is then
        under-sampled at random until both are equal.
    random_state : int, RandomState instance or None, default=None
        Seeds every ``random_state`` of the samplers, nested ones included, that is None.

    Attributes
    ----------
    samplers_ : list of sampler
        Fitted clones.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row; -1 where it is synthetic.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    TomekLinks : After SMOTE this is imbalanced-learn's SMOTETomek.
    EditedNearestNeighbours : After SMOTE this is imbalanced-learn's SMOTEENN.

    Notes
    -----
    The table is passed from sampler to sampler as it is, and each validates what it needs. A chain accepts text where
    its samplers do: :class:`SMOTENC` first, then samplers that use `y` alone.

    SMOTE followed by ``TomekLinks(sampling_strategy="all")``, or by
    ``EditedNearestNeighbours(sampling_strategy="all")``, are the combinations of [1]_. With more than two
    classes, or where the rare class already has half the rows of the common one, the default chain grows nothing.

    References
    ----------
    .. [1] G. E. A. P. A. Batista, R. C. Prati and M. C. Monard, "A study of the behavior of several methods for
       balancing machine learning training data", SIGKDD Explorations 6, 2004. https://doi.org/10.1145/1007730.1007735

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skanomaly.sampling import SMOTE, SamplerChain, TomekLinks
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> chain = SamplerChain(
    ...     samplers=[SMOTE(), TomekLinks(sampling_strategy="all")], random_state=0
    ... )
    >>> rows, targets = chain.fit_resample(X, y)
    >>> len(rows) == len(targets) == len(chain.sample_indices_)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "samplers": [list, HasMethods("fit_resample"), None],  # a single one raises, and is told what to give
        "random_state": ["random_state"],
    }

    _members = "samplers"

    def __init__(self, samplers: Any = None, *, random_state: Any = None) -> None:
        self.samplers = samplers
        self.random_state = random_state

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        self._check_names()
        for sampler in members(self.samplers):
            if isinstance(sampler, type) or not hasattr(sampler, "fit_resample"):
                raise TypeError(
                    f"samplers must be a list of samplers, or of pairs of a name and a sampler; it holds {sampler!r}."
                )
        return check_any_rows(self, X, y)

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        samplers = (
            [SMOTE(sampling_strategy=_up_to_half), RandomUnderSampler()]
            if self.samplers is None
            else members(self.samplers)
        )
        indices = np.arange(len(y), dtype=np.intp)
        self.samplers_ = []
        for copy in seeded_clones(samplers, self.random_state):
            X, y = copy.fit_resample(X, y)
            step = np.asarray(copy.sample_indices_)
            indices = np.where(step >= 0, indices[step], -1)
            self.samplers_.append(copy)
        return X, y, indices

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        samplers = [SMOTE()] if self.samplers is None else members(self.samplers)
        inner = [get_tags(sampler).input_tags for sampler in samplers if hasattr(sampler, "__sklearn_tags__")]
        for name in ("sparse", "allow_nan", "string", "categorical"):
            setattr(tags.input_tags, name, all(getattr(one, name) for one in inner))
        return tags


def _up_to_half(y: NDArray[Any]) -> dict[Any, int]:
    """Grow the rarer of two classes to half the other one."""
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) != 2 or 2 * counts.min() >= counts.max():
        return {}
    return {classes.tolist()[counts.argmin()]: int(counts.max() // 2)}
