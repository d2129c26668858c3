"""Excess mass and mass volume: the volume of a detector's level sets beside the fraction of rows in them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skanomaly._support._parameters import DeclaredParameters
from skanomaly._support._responses import outlyingness
from skanomaly._support._rows import like
from skanomaly._support._seeds import child_generators
from skanomaly._support._sklearn import Interval
from skanomaly._support._tables import read_numbers
from skanomaly._support._ties import count_above

__all__ = ["ExcessMassScorer", "MassVolumeScorer"]

Levels = tuple[NDArray[np.float64], NDArray[Any]]


@dataclass(frozen=True)
class _VolumeScorer(DeclaredParameters, ABC):
    """Base of the two measures: mass and volume of a detector's level sets, on a few columns at a time."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_uniform": [Interval(Integral, 1, None, closed="left")],
        "max_features": [Interval(Integral, 1, None, closed="left"), None],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    n_uniform: int = 2000
    max_features: int | None = 5
    n_draws: int = 10
    random_state: Any = None

    def __post_init__(self) -> None:
        self._validate_params()

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        """Score a fitted detector without labels.

        Parameters
        ----------
        estimator : fitted estimator
        X : array-like of shape (n_samples, n_features)
        y : object
            Not used.

        Returns
        -------
        float
            Greater is better.
        """
        rows = read_numbers(X, min_samples=2)
        few = self.max_features is None or rows.shape[1] <= self.max_features
        generators = child_generators(self.random_state, 1 if few else self.n_draws)
        if few:
            return self._measure(*self._levels(estimator, X, rows, generators[0]))
        draws = [self._on_some_columns(estimator, rows, random) for random in generators]
        return float(np.mean(draws))

    def _on_some_columns(self, estimator: Any, rows: NDArray[np.float64], random: np.random.Generator) -> float:
        """Refit on a few columns of one half of the rows, and measure on the other half."""
        columns = np.sort(random.choice(rows.shape[1], self.max_features, replace=False))
        order = random.permutation(len(rows))
        train, test = np.array_split(order, 2)
        refitted = clone(estimator).fit(rows[np.ix_(train, columns)])
        part = rows[np.ix_(test, columns)]
        return self._measure(*self._levels(refitted, part, part, random))

    def _levels(self, estimator: Any, X: Any, rows: NDArray[np.float64], random: np.random.Generator) -> Levels:
        """Return mass and volume of the sets of rows at most as anomalous as each row, the smallest set first."""
        low, high = rows.min(axis=0), rows.max(axis=0)
        uniform = like(random.uniform(low, high, size=(self.n_uniform, rows.shape[1])), X)
        levels = np.sort(outlyingness(estimator, X))
        inside = self.n_uniform - count_above(np.sort(outlyingness(estimator, uniform)), levels)
        mass = (levels.size - count_above(levels, levels)) / levels.size
        return mass, (inside + 1.0) / (self.n_uniform + 1.0)

    @abstractmethod
    def _measure(self, mass: NDArray[np.float64], volume: NDArray[np.float64]) -> float:
        """Reduce mass and volume to one number; greater is better."""


@dataclass(frozen=True)
class ExcessMassScorer(_VolumeScorer):
    r"""Area under the excess mass curve of a detector's level sets; needs no labels.

    Parameters
    ----------
    n_uniform : int, default=2000
        Number of uniform points that estimate the volumes.
    max_features : int or None, default=5
        In tables with more columns the detector is refitted on this many randomly drawn columns, `n_draws` times. None
        always uses the fitted detector on all columns; with many columns uniform points then hardly ever fall near the
        data.
    n_draws : int, default=10
        Number of draws of columns.
    random_state : int, RandomState instance or None, default=None
        Seeds the uniform points and the choice of columns. None draws new points and columns at each call, so that the
        candidates of a search are compared on different points and columns; pass an integer to compare them on the same
        ones.

    See Also
    --------
    MassVolumeScorer : Volume at a given mass instead of mass at a given volume.
    StabilityScorer : Agreed better with labels on public tables.

    Notes
    -----
    The measure is that of Goix [1]_: with :math:`\alpha(u)` the fraction of rows at most as anomalous as :math:`u` and
    :math:`\lambda(u)` the volume of that set, :math:`EM(t) = \max_u \alpha(u) - t \lambda(u)` is integrated over
    :math:`t` from 0 to where it falls to 0.9. What we changed: the volume is a fraction of the bounding box of `X`,
    counted with one additional point inside, so that the scale of columns does not matter and no volume is zero; and
    the integral is exact. Volumes are measured in the space of `X`, before the steps of a pipeline, which is the same
    for all candidates.

    On public tables this measure selected no better than chance (see the guide).

    References
    ----------
    .. [1] Goix, N. (2016). How to evaluate the quality of unsupervised anomaly detection algorithms?
       arXiv:1607.01152.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import ExcessMassScorer
    >>> X, _ = make_shifted_anomalies(n_samples=400, random_state=0)
    >>> forest, grid = (
    ...     IsolationForest(n_estimators=20, random_state=0),
    ...     {"max_samples": [16, 64]},
    ... )
    >>> search = GridSearchCV(forest, grid, scoring=ExcessMassScorer(random_state=0), cv=2)
    >>> sorted(search.fit(X).best_params_)
    ['max_samples']
    """

    def _measure(self, mass: NDArray[np.float64], volume: NDArray[np.float64]) -> float:
        return excess_mass_area(mass, volume, 0.9)


@dataclass(frozen=True)
class MassVolumeScorer(_VolumeScorer):
    r"""Negative area under the mass volume curve of a detector's level sets, for masses above 0.9; needs no labels.

    Parameters
    ----------
    n_uniform : int, default=2000
        Number of uniform points that estimate the volumes.
    max_features : int or None, default=5
        In tables with more columns the detector is refitted on this many randomly drawn columns, `n_draws` times. None
        always uses the fitted detector on all columns; with many columns uniform points then hardly ever fall near the
        data.
    n_draws : int, default=10
        Number of draws of columns.
    random_state : int, RandomState instance or None, default=None
        Seeds the uniform points and the choice of columns. None draws new points and columns at each call, so that the
        candidates of a search are compared on different points and columns; pass an integer to compare them on the same
        ones.

    See Also
    --------
    ExcessMassScorer : Mass at a given volume instead of volume at a given mass.
    StabilityScorer : Agreed better with labels on public tables.

    Notes
    -----
    The measure is that of Goix [1]_: :math:`MV(\alpha)`, the volume of the smallest level set that holds at least the
    mass :math:`\alpha`, is integrated from 0.9 to 0.999. What we changed is as in :class:`ExcessMassScorer`.

    On public tables this measure selected no better than chance (see the guide).

    References
    ----------
    .. [1] Goix, N. (2016). How to evaluate the quality of unsupervised anomaly detection algorithms?
       arXiv:1607.01152.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import MassVolumeScorer
    >>> X, _ = make_shifted_anomalies(n_samples=200, random_state=0)
    >>> -0.099 < MassVolumeScorer(random_state=0)(
    ...     IsolationForest(random_state=0).fit(X), X
    ... ) < 0
    True
    """

    def _measure(self, mass: NDArray[np.float64], volume: NDArray[np.float64]) -> float:
        return -mass_volume_area(mass, volume, 0.9, 0.999)


def excess_mass_area(mass: NDArray[np.float64], volume: NDArray[np.float64], stop: float) -> float:
    r"""Integrate :math:`\max_u \alpha(u) - t \lambda(u)` over t from 0 until it falls to `stop`, exactly.

    Parameters
    ----------
    mass, volume : ndarray of shape (n_levels,)
        Non-decreasing; the largest mass is 1 and volumes are above 0.
    stop : float
        In (0, 1).

    Returns
    -------
    float
    """
    # Upper hull of (volume, mass), from the largest set to the smallest: each vertex is the maximum for a range of t.
    hull: list[tuple[float, float]] = []
    for point in zip(volume.tolist(), mass.tolist(), strict=True):
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) <= _slope(hull[-1], point):
            hull.pop()
        if hull and hull[-1][0] == point[0]:
            hull.pop()
        hull.append(point)
    area, t, place = 0.0, 0.0, len(hull) - 1
    while True:
        width, height = hull[place]
        reaches_stop = (height - stop) / width
        next_takes_over = _slope(hull[place - 1], hull[place]) if place > 0 else np.inf
        end = min(reaches_stop, next_takes_over)
        area += height * (end - t) - width * (end**2 - t**2) / 2
        if reaches_stop <= next_takes_over:
            return area
        t = end
        place -= 1


def mass_volume_area(mass: NDArray[np.float64], volume: NDArray[np.float64], low: float, high: float) -> float:
    """Integrate the volume of the smallest level set with at least a mass, over masses from `low` to `high`.

    Parameters
    ----------
    mass, volume : ndarray of shape (n_levels,)
        Non-decreasing; the largest mass is 1.
    low, high : float
        In [0, 1].

    Returns
    -------
    float
    """
    edges = np.unique(np.concatenate([[low], mass[(mass > low) & (mass < high)], [high]]))
    smallest = volume[np.searchsorted(mass, edges[1:] - 1e-12, side="left")]
    return float((smallest * np.diff(edges)).sum())


def _slope(first: tuple[float, float], second: tuple[float, float]) -> float:
    width = second[0] - first[0]
    return (second[1] - first[1]) / width if width > 0 else np.inf
