"""Excess mass and mass volume: how little room the mass of the data needs at the detector's levels."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skanomaly._support._responses import outlyingness
from skanomaly._support._seeds import child_generators
from skanomaly._support._ties import count_above
from skanomaly.model_selection._tables import plain_rows, table_like

__all__ = ["ExcessMassScorer", "MassVolumeScorer"]

Levels = tuple[NDArray[np.float64], NDArray[Any]]


@dataclass(frozen=True)
class _VolumeScorer(ABC):
    """What the two measures share: mass and volume of a detector's level sets, on few columns at a time."""

    n_uniform: int = 2000
    max_features: int | None = 5
    n_draws: int = 10
    random_state: int = 0

    def __post_init__(self) -> None:
        for name in ("n_uniform", "max_features", "n_draws"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}={value!r} must be at least 1.")

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:  # a scorer's signature
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
            Large is good.
        """
        rows = plain_rows(X)
        few = self.max_features is None or rows.shape[1] <= self.max_features
        generators = child_generators(self.random_state, 1 if few else self.n_draws)
        if few:
            return self._measure(*self._levels(estimator, X, rows, generators[0]))
        draws = [self._on_some_columns(estimator, rows, random) for random in generators]
        return float(np.mean(draws))

    def _on_some_columns(self, estimator: Any, rows: NDArray[np.float64], random: np.random.Generator) -> float:
        """Refit on a few columns of one half of the rows, and measure on the other."""
        columns = np.sort(random.choice(rows.shape[1], self.max_features, replace=False))
        order = random.permutation(len(rows))
        train, test = np.array_split(order, 2)
        refitted = clone(estimator).fit(rows[np.ix_(train, columns)])
        part = rows[np.ix_(test, columns)]
        return self._measure(*self._levels(refitted, part, part, random))

    def _levels(self, estimator: Any, X: Any, rows: NDArray[np.float64], random: np.random.Generator) -> Levels:
        """Return mass and volume of the sets of rows at most as odd as each row, from the smallest set up."""
        low, high = rows.min(axis=0), rows.max(axis=0)
        uniform = table_like(X, random.uniform(low, high, size=(self.n_uniform, rows.shape[1])))
        levels = np.sort(outlyingness(estimator, X))
        inside = self.n_uniform - count_above(np.sort(outlyingness(estimator, uniform)), levels)
        mass = (levels.size - count_above(levels, levels)) / levels.size
        return mass, (inside + 1.0) / (self.n_uniform + 1.0)

    @abstractmethod
    def _measure(self, mass: NDArray[np.float64], volume: NDArray[np.float64]) -> float:
        """Turn the levels to one number; large is good."""


@dataclass(frozen=True)
class ExcessMassScorer(_VolumeScorer):
    r"""Area under the excess mass curve of a detector's level sets; needs no labels.

    Parameters
    ----------
    n_uniform : int, default=2000
        Uniform points for the volumes.
    max_features : int or None, default=5
        In tables with more columns the detector is refitted on this many, drawn at random, `n_draws` times; None
        always uses the fitted detector in the whole space, where uniform points see nothing of it.
    n_draws : int, default=10
        Draws of columns.
    random_state : int, default=0
        One number for a whole search, so that all candidates meet the same uniform points and columns.

    See Also
    --------
    MassVolumeScorer : The same levels, read the other way.
    StabilityScorer : Agrees better with the labels that nobody has.

    Notes
    -----
    Goix [1]_: with :math:`\alpha(u)` the mass of the rows at most as odd as :math:`u` and :math:`\lambda(u)` the volume
    of that set, :math:`EM(t) = \max_u \alpha(u) - t \lambda(u)`, integrated over :math:`t` from 0 to where it falls to
    0.9. What we changed: the volume is the share of the bounding box of `X`, counted with one more point inside, so
    that the scale of columns does not matter and no level is without volume; and the integral is exact. Volumes lie in
    the space of `X`, before the steps of a pipeline, which is the same for all candidates.

    *Do not trust it blindly.* On public tables it picked no better than chance (see the guide).

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
    >>> grid = {"max_samples": [16, 64]}
    >>> search = GridSearchCV(IsolationForest(n_estimators=20, random_state=0), grid, scoring=ExcessMassScorer(), cv=2)
    >>> sorted(search.fit(X).best_params_)
    ['max_samples']
    """

    def _measure(self, mass: NDArray[np.float64], volume: NDArray[np.float64]) -> float:
        return excess_mass_area(mass, volume, 0.9)


@dataclass(frozen=True)
class MassVolumeScorer(_VolumeScorer):
    r"""Minus the area under the mass volume curve of a detector's level sets, for masses above 0.9; needs no labels.

    Parameters
    ----------
    n_uniform : int, default=2000
        Uniform points for the volumes.
    max_features : int or None, default=5
        In tables with more columns the detector is refitted on this many, drawn at random, `n_draws` times; None
        always uses the fitted detector in the whole space, where uniform points see nothing of it.
    n_draws : int, default=10
        Draws of columns.
    random_state : int, default=0
        One number for a whole search, so that all candidates meet the same uniform points and columns.

    See Also
    --------
    ExcessMassScorer : The same levels, read the other way.
    StabilityScorer : Agrees better with the labels that nobody has.

    Notes
    -----
    Goix [1]_: :math:`MV(\alpha)` is the volume of the smallest level set that holds the mass :math:`\alpha`, integrated
    from 0.9 to 0.999. The volume is the share of the bounding box, as in :class:`ExcessMassScorer`, and so are the
    other changes.

    *Do not trust it blindly.* On public tables it picked no better than chance (see the guide).

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
    >>> -0.099 < MassVolumeScorer()(IsolationForest(random_state=0).fit(X), X) < 0
    True
    """

    def _measure(self, mass: NDArray[np.float64], volume: NDArray[np.float64]) -> float:
        return -mass_volume_area(mass, volume, 0.9, 0.999)


def excess_mass_area(mass: NDArray[np.float64], volume: NDArray[np.float64], stop: float) -> float:
    r"""Integrate :math:`\max_u \alpha(u) - t \lambda(u)` over t from 0 until it falls to `stop`, exactly.

    Parameters
    ----------
    mass, volume : ndarray of shape (n_levels,)
        Not decreasing; the largest mass is 1 and volumes are above 0.
    stop : float
        In (0, 1).

    Returns
    -------
    float
    """
    # Upper hull of (volume, mass), walked from the largest set inwards: each vertex is best for a range of t.
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
        Not decreasing; the largest mass is 1.
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
