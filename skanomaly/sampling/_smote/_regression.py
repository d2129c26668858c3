"""SMOTE for rare values of a continuous target."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly import _kernels
from skanomaly._support._neighbors import nearest_neighbors
from skanomaly._support._scales import SafeRange, column_scale, varies
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._validation import validate_data
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseSampler
from skanomaly.sampling._smote._engine import NEIGHBORS, choose_seeds, n_neighbors_of, search_of

__all__ = ["RegressionSMOTE"]

_ORDINARY_EXPONENT = 200
_FAR_EXPONENT = 20


class RegressionSMOTE(BaseSampler):
    r"""Grow the rare ranges of a continuous target, and thin the common ones.

    Parameters
    ----------
    relevance : "auto" or callable, default="auto"
        Relevance of each value of the target, in [0, 1]. "auto" rises from 0 at the median to 1 at the whiskers of a
        box plot, on the sides that have values beyond them. Where the box has no width, because one value (often 0) is
        that of half of the rows or more, it is 1 for all other values, with a warning. A callable gets `y` and returns
        one relevance a value.
    threshold : float, default=0.8
        Relevance from which a value is rare.
    strategy : {"balance", "extreme", "oversample"}, default="balance"
        Final sizes of the runs of rare and of common values (Notes).
    k_neighbors : int, or object as in :class:`SMOTE`, default=5
        Number of neighbours within the run. An object finds them in its own metric; whether a neighbour is too far is
        decided by the Euclidean distance.
    noise : float, default=0.02
        Standard deviation of the noise that makes a row where the neighbour is too far, over that of the run's columns.
    n_jobs : int or None, default=None
        Threads of the neighbour search.
    random_state : int, RandomState instance or None, default=None
        Draws rows, neighbours, steps and noise.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row; -1 where it is synthetic.
    relevance_ : ndarray of shape (n_samples,)
        Relevance of the training targets.
    runs_ : ndarray of shape (n_samples,)
        Run of each training row, in the order of y.
    rare_ : ndarray of shape (n_runs,)
        Whether each run is rare.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SMOTE : For classes.

    Notes
    -----
    SMOTER [1]_ with the noise of SMOGN [2]_. Sorted by target, the rows fall into r runs in which relevance stays
    above, or below, the threshold. "balance" brings every run to n / r rows; "extreme" brings run i to a size
    proportional to 1 / n_i; "oversample" brings rare runs to the size of the largest common one and removes
    nothing. A new row starts from a row of a rare run and one of its neighbours in it. Where that neighbour is nearer
    than half the median distance from the row to its run, x is interpolated, and y is the mean of both targets
    weighted by the inverse of the distance to either; else x and y are the row's with Gaussian noise. Over fewer than
    two runs, or where no run has to change its size, nothing changes, with a warning. "balance" can also not change the
    runs where rare values are frequent already.

    References
    ----------
    .. [1] L. Torgo, R. P. Ribeiro, B. Pfahringer and P. Branco, "SMOTE for Regression", EPIA 2013.
       https://doi.org/10.1007/978-3-642-40669-0_33
    .. [2] P. Branco, L. Torgo and R. P. Ribeiro, "SMOGN: a Pre-processing Approach for Imbalanced Regression", LIDTA
       2017. https://proceedings.mlr.press/v74/branco17a.html

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import RegressionSMOTE
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> y = np.exp(X[:, 0])
    >>> X_new, y_new = RegressionSMOTE(random_state=0).fit_resample(X, y)
    >>> bool(np.mean(y_new > np.quantile(y, 0.95)) > 0.15)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "relevance": [StrOptions({"auto"}), callable],
        "threshold": [Interval(Real, 0, 1, closed="neither")],
        "strategy": [StrOptions({"balance", "extreme", "oversample"})],
        "k_neighbors": NEIGHBORS,
        "noise": [Interval(Real, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    _for_classes: ClassVar[str] = "SMOTE"
    _takes_classes = False

    def __init__(
        self,
        *,
        relevance: str | Callable[[NDArray[np.float64]], NDArray[np.float64]] = "auto",
        threshold: float = 0.8,
        strategy: str = "balance",
        k_neighbors: Any = 5,
        noise: float = 0.02,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.relevance = relevance
        self.threshold = threshold
        self.strategy = strategy
        self.k_neighbors = k_neighbors
        self.noise = noise
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        return validate_data(
            self, X, y, reset=True, dtype=(np.float64, np.float32), order="C", y_numeric=True, ensure_min_samples=2
        )

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        values = y.astype(np.float64)
        random = generator(self.random_state)
        self.relevance_ = self._relevance(values)
        order = np.argsort(values, kind="stable")
        is_rare = self.relevance_[order] >= self.threshold
        starts = np.concatenate([[0], np.flatnonzero(np.diff(is_rare)) + 1]).astype(np.intp)
        runs = np.split(order, starts[1:])
        self.rare_ = is_rare[starts]
        self.runs_ = np.empty(len(y), dtype=np.intp)
        for place, run in enumerate(runs):
            self.runs_[run] = place
        self._sources = [X[run] for run, rare in zip(runs, self.rare_, strict=True) if rare]
        kept, tables, targets = [], [], []
        for run, rare, size in zip(runs, self.rare_, self._sizes(runs), strict=True):
            if size < run.size and not rare:
                kept.append(random.choice(run, size, replace=False))
                continue
            kept.append(run)
            if rare and size > run.size and len(runs) > 1:
                new_rows, new_targets = self._grow(X[run], values[run], size - run.size, random)
                tables.append(new_rows)
                targets.append(new_targets)
        left = np.sort(np.concatenate(kept))
        n_new = sum(len(table) for table in tables)
        if n_new == 0 and left.size == len(y):
            self._warn_unchanged(is_rare)
        indices = np.concatenate([left, np.full(n_new, -1)]).astype(np.intp)
        return np.concatenate([X[:0], *tables]), np.concatenate([values[:0], *targets]), indices

    def _relevance(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        if callable(self.relevance):
            relevance = np.asarray(self.relevance(y), dtype=np.float64)
            if relevance.shape != y.shape or not ((relevance >= 0) & (relevance <= 1)).all():
                raise ValueError("relevance must return one value in [0, 1] for each value of y.")
            return relevance
        y, exponent = _ordinary(y)
        low, middle, high = np.quantile(y, [0.25, 0.5, 0.75])
        rounding = 8 * np.finfo(np.float64).eps * np.abs(y).max()
        if high - low <= rounding:
            others = np.abs(y - middle) > rounding
            if others.any():
                warn_user(
                    f"y is {np.ldexp(middle, exponent):.6g} in {np.count_nonzero(~others)} of {y.size} rows, so its "
                    "box plot has no width: "
                    f"the other {np.count_nonzero(others)} values all count as rare. Give relevance=, a function of y, "
                    "to choose among them."
                )
            return others.astype(np.float64)
        reach = 1.5 * (high - low)
        points = {float(middle): 0.0}
        for whisker, beyond in ((low - reach, y.min() < low - reach), (high + reach, y.max() > high + reach)):
            if beyond:
                points[float(whisker)] = 1.0
        if len(points) < 2:
            return np.zeros(len(y))
        places = sorted(points)
        curve = PchipInterpolator(places, [points[place] for place in places])
        return np.clip(curve(np.clip(y, places[0], places[-1])), 0.0, 1.0)

    def _warn_unchanged(self, is_rare: NDArray[np.bool_]) -> None:
        """Say that nothing was resampled, and why."""
        if is_rare.all() or not is_rare.any():
            found = f"{'every' if is_rare.all() else 'no'} value of y has a relevance of {self.threshold} or more"
            remedy = "Give relevance=, a function of y that is 1 for the values that are rare to you"
        else:
            found = f"strategy={self.strategy!r} asks for no more rows of rare values than there are"
            remedy = "Give another strategy, or relevance= with fewer rare values"
        warn_user(f"Nothing was resampled: {found}. {remedy}.")

    def _sizes(self, runs: list[NDArray[np.intp]]) -> NDArray[np.intp]:
        sizes = np.array([run.size for run in runs], dtype=np.intp)
        if len(runs) < 2:
            return sizes
        if self.strategy == "balance":
            return np.full(len(runs), max(1, round(sizes.sum() / len(runs))), dtype=np.intp)
        if self.strategy == "extreme":
            inverse = 1.0 / sizes
            return np.maximum(1, np.rint(sizes.sum() * inverse / inverse.sum())).astype(np.intp)
        return np.where(self.rare_, np.maximum(sizes, sizes[~self.rare_].max()), sizes)

    def _grow(
        self, X: NDArray[Any], y: NDArray[np.float64], n_new: int, random: np.random.Generator
    ) -> tuple[NDArray[Any], NDArray[np.float64]]:
        first = choose_seeds(len(X), n_new, "balanced", random)
        noisy = _jittered(X, first, random.normal(size=(n_new, X.shape[1])) * (self.noise * _spread(X)))
        targets = _jittered(y[:, None], first, random.normal(size=(n_new, 1)) * self.noise * _spread(y[:, None]))[:, 0]
        n_near = min(n_neighbors_of(self.k_neighbors, "k_neighbors"), len(X) - 1)
        if n_near == 0:
            return noisy.astype(X.dtype), targets
        rows_near = SafeRange(X, rescale="table").apply(X)
        if isinstance(self.k_neighbors, Integral):
            distances, neighbors = nearest_neighbors(rows_near, n_neighbors=n_near, exclude="self", n_jobs=self.n_jobs)
        else:
            neighbors = search_of(self.k_neighbors)(X, np.arange(len(X)), n_near, self.n_jobs)
            distances = np.linalg.norm(rows_near[neighbors] - rows_near[:, None], axis=2)
        picked = random.integers(n_near, size=n_new)
        second, apart = neighbors[first, picked], distances[first, picked]
        joined = apart < 0.5 * _median_distances(rows_near, random)[first]
        steps = random.random(n_new)
        rows = np.empty((n_new, X.shape[1]), dtype=X.dtype)
        _kernels.interpolation.interpolate_rows(X, first, second, steps, rows)
        # At step u the distances to the ends are as u to 1 - u, so inverse-distance weights are 1 - u and u.
        start = 0.5 * y[first]  # no difference of halves overflows
        targets = np.where(joined, 2.0 * (start + steps * (0.5 * y[second] - start)), targets)
        return np.where(joined[:, None], rows, noisy).astype(X.dtype), targets

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score how plausible each row is as a row with a rare target; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            Minus the mean distance to the nearest rows of the rare run that is nearest, the row itself left out;
            minus infinity where no run is rare.
        """
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=(np.float64, np.float32), order="C")
        scores = np.full(len(rows), -np.inf)
        for source in self._sources:
            limits = SafeRange(source, rescale="table")  # squares of huge values are no numbers
            n_near = min(n_neighbors_of(self.k_neighbors, "k_neighbors"), len(source) - 1)
            near, asked = limits.apply(source), limits.apply(rows)
            if n_near:
                found = nearest_neighbors(near, asked, n_neighbors=n_near, exclude="value", n_jobs=self.n_jobs)
                distances = found[0].mean(axis=1)
            else:  # a run of one row
                distances = np.linalg.norm(asked - near[0], axis=1)
            np.maximum(scores, -limits.restored_distances(distances), out=scores)
        return scores

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


def _ordinary(y: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Return targets whose differences and squares are finite, and the power of two that they were divided by.

    Targets that are far beyond the others are limited: they are rare wherever they are.
    """
    exponent = int(np.frexp(np.median(0.25 * np.abs(y)))[1])
    if max(abs(exponent), int(np.frexp(np.abs(y).max())[1])) <= _ORDINARY_EXPONENT:
        return y, 0
    with np.errstate(over="ignore"):
        return np.clip(np.ldexp(y, -exponent), -(2.0**_FAR_EXPONENT), 2.0**_FAR_EXPONENT), exponent


def _spread(X: NDArray[Any]) -> NDArray[np.float64]:
    return np.where(varies(X), column_scale(X), 0.0)


def _jittered(X: NDArray[Any], rows: NDArray[np.intp], noise: NDArray[np.float64]) -> NDArray[Any]:
    """Return rows with noise, at most the largest number."""
    largest = np.finfo(X.dtype).max
    with np.errstate(over="ignore"):
        return np.clip(X[rows] + noise, -largest, largest)


def _median_distances(X: NDArray[Any], random: np.random.Generator) -> NDArray[np.float64]:
    """Median distance from each row to the others; to 2,000 drawn rows where there are more."""
    others = X if len(X) <= 2000 else X[random.choice(len(X), 2000, replace=False)]
    squares = np.square(others, dtype=np.float64).sum(axis=1)
    medians = np.empty(len(X))
    for start in range(0, len(X), 512):
        part = X[start : start + 512].astype(np.float64)
        distances = squares - 2 * part @ others.T + np.square(part).sum(axis=1)[:, None]
        medians[start : start + 512] = np.sqrt(np.maximum(np.median(distances, axis=1), 0.0))
    return medians
