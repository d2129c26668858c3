"""Distributions of the contamination: an atom at 0 and a continuous part."""

from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln

from skanomaly._support._audit import GRID
from skanomaly._support._seeds import generator

__all__ = ["BetaMixture", "ContaminationDistribution", "GridDistribution", "averaged"]

_BISECTIONS = 60
_LEAST_MASS = 1e-300


class ContaminationDistribution(ABC):
    """Distribution of the contamination, the fraction of anomalies; the type of ``ContaminationPosterior.posterior_``.

    It has an atom at 0 (no anomaly at all) of probability `p_zero`; the rest of the probability lies in (0, 1].

    Examples
    --------
    The distribution of a prior:

    >>> from skanomaly.threshold import ContaminationPrior
    >>> prior = ContaminationPrior(p_zero=0.1).distribution()
    >>> float(prior.cdf(0.0)), round(prior.median(), 2)
    (0.1, 0.02)
    >>> low, high = prior.interval(0.9)
    >>> low, round(high, 2)
    (0.0, 0.18)
    """

    p_zero: float

    @abstractmethod
    def _cdf(self, fraction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distribution function at fractions in [0, 1]."""

    @abstractmethod
    def _pdf(self, fraction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Density of the continuous part at fractions in (0, 1)."""

    @abstractmethod
    def _moments(self) -> tuple[float, float]:
        """First and second moment."""

    @final
    def _on_grid(self) -> NDArray[np.float64]:
        """Return the probabilities of 0 and of the cells of the common grid."""
        return np.r_[self.p_zero, np.maximum(np.diff(self.cdf(GRID)), 0.0)]

    def __repr__(self) -> str:
        """Return the mean, the probability of no anomaly and the 90 % interval."""
        low, high = self.interval(0.9)
        interval = f"90 % in [{low:.3g}, {high:.3g}]"
        return f"<{type(self).__name__}: mean {self.mean():.3g}, {interval}, 0 with probability {self.p_zero:.2g}>"

    @final
    def cdf(self, fraction: Any) -> NDArray[np.float64]:
        """Return the probability that the contamination is at most `fraction`.

        Parameters
        ----------
        fraction : float or array-like

        Returns
        -------
        ndarray
            Of the shape of `fraction`; 0 below 0, `p_zero` at 0, 1 from 1 on.
        """
        values = np.asarray(fraction, dtype=np.float64)
        inside = self._cdf(np.clip(values, 0.0, 1.0))
        return np.where(values < 0, 0.0, np.where(values >= 1, 1.0, inside))

    @final
    def sf(self, fraction: Any) -> NDArray[np.float64]:
        """Return the probability that the contamination is above `fraction`.

        Parameters
        ----------
        fraction : float or array-like

        Returns
        -------
        ndarray
            Of the shape of `fraction`.
        """
        return np.asarray(np.clip(1.0 - self.cdf(fraction), 0.0, 1.0))  # but for rounding it is in this range

    @final
    def pdf(self, fraction: Any) -> NDArray[np.float64]:
        """Return the density of the continuous part; it integrates to 1 minus the atoms.

        Parameters
        ----------
        fraction : float or array-like

        Returns
        -------
        ndarray
        """
        values = np.asarray(fraction, dtype=np.float64)
        inside = (values > 0) & (values < 1)
        return np.where(inside, self._pdf(np.where(inside, values, 0.5)), 0.0)

    @final
    def ppf(self, probability: Any) -> NDArray[np.float64]:
        """Return quantiles: the smallest fraction at which the distribution function reaches `probability`.

        Parameters
        ----------
        probability : float or array-like
            In [0, 1].

        Returns
        -------
        ndarray

        Raises
        ------
        ValueError
            If a probability lies outside [0, 1].
        """
        wanted = np.asarray(probability, dtype=np.float64)
        if not ((wanted >= 0) & (wanted <= 1)).all():
            raise ValueError("probability must lie in [0, 1].")
        low = np.zeros_like(wanted)
        high = np.ones_like(wanted)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            reached = self._cdf(middle) >= wanted
            high = np.where(reached, middle, high)
            low = np.where(reached, low, middle)
        return np.where(wanted <= self.p_zero, 0.0, high)

    @final
    def mean(self) -> float:
        """Return the mean."""
        return self._moments()[0]

    @final
    def std(self) -> float:
        """Return the standard deviation."""
        first, second = self._moments()
        return float(np.sqrt(max(second - first * first, 0.0)))

    @final
    def median(self) -> float:
        """Return the median."""
        return float(self.ppf(0.5))

    @final
    def interval(self, level: float = 0.9) -> tuple[float, float]:
        """Return the central interval of probability `level`.

        Parameters
        ----------
        level : float, default=0.9
            In (0, 1).

        Returns
        -------
        low, high : float

        Raises
        ------
        ValueError
            If `level` is no number in (0, 1).
        """
        if not isinstance(level, Real) or not 0 < level < 1:
            raise ValueError(f"level={level!r} must be a number strictly between 0 and 1.")
        low, high = self.ppf([(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    @final
    def sample(self, n_draws: int = 1, random_state: Any = None) -> NDArray[np.float64]:
        """Draw contaminations.

        Parameters
        ----------
        n_draws : int, default=1
            Number of draws.
        random_state : int, RandomState instance or None, default=None
            Seeds the draws.

        Returns
        -------
        ndarray of shape (n_draws,)
        """
        return self.ppf(generator(random_state).random(n_draws))


class BetaMixture(ContaminationDistribution):
    """Atom at 0 and a finite mixture of Beta distributions, truncated at an upper limit.

    Parameters
    ----------
    weights, a, b : array-like of shape (n_components,)
        Mixture weights (rescaled so that the part below `upper` has probability ``1 - p_zero``) and parameters of the
        Betas. ``b = 0`` is an atom at 1, which only ``upper=1`` keeps.
    p_zero : float
        Probability of 0.
    upper : float or array-like of shape (n_components,), default=1.0
        Largest contamination, for all components or for each.
    """

    def __init__(self, weights: Any, a: Any, b: Any, *, p_zero: float, upper: Any = 1.0) -> None:
        weights, self.a, self.b = (np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (weights, a, b))
        self.p_zero = float(p_zero)
        self.upper = np.broadcast_to(np.asarray(upper, dtype=np.float64), self.a.shape)
        below = float(weights @ self._below(self.upper))
        if below <= _LEAST_MASS:  # nothing lies below the limit, so it is dropped
            self.upper, below = np.ones_like(self.a), float(weights.sum())
        self.weights = weights * (1.0 - self.p_zero) / below
        self._atom = self.b <= 0

    def _below(self, fraction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of each component below each fraction; the last axis is that of the components."""
        b = np.where(self.b > 0, self.b, 1.0)
        return np.where(self.b > 0, betainc(self.a, b, fraction), fraction >= 1)

    def _cdf(self, fraction: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.p_zero + self._below(np.minimum(fraction[..., None], self.upper)) @ self.weights

    def _pdf(self, fraction: NDArray[np.float64]) -> NDArray[np.float64]:
        kept = ~self._atom
        a, b, point = self.a[kept], self.b[kept], fraction[..., None]
        log_density = (a - 1) * np.log(point) + (b - 1) * np.log1p(-point) - betaln(a, b)
        return np.where(point <= self.upper[kept], np.exp(log_density), 0.0) @ self.weights[kept]

    def _moments(self) -> tuple[float, float]:
        b = np.where(self._atom, 1.0, self.b)
        total = self.a + b
        first = np.where(self._atom, 1.0, self.a / total * betainc(self.a + 1, b, self.upper))
        second = np.where(
            self._atom, 1.0, self.a * (self.a + 1) / (total * (total + 1)) * betainc(self.a + 2, b, self.upper)
        )
        kept = self.weights * ~(self._atom & (self.upper < 1))
        return float(kept @ first), float(kept @ second)


class GridDistribution(ContaminationDistribution):
    """Atom at 0 and a density that is constant on the cells of a grid.

    Parameters
    ----------
    edges : array-like of shape (n_cells + 1,)
        Ascending, from 0.
    masses : array-like of shape (n_cells,)
        Probability of each cell, up to a factor.
    p_zero : float
        Probability of 0.
    """

    def __init__(self, edges: Any, masses: Any, *, p_zero: float) -> None:
        self.edges = np.asarray(edges, dtype=np.float64)
        self.p_zero = float(p_zero)
        masses = np.asarray(masses, dtype=np.float64)
        self.masses = masses * (1.0 - self.p_zero) / masses.sum()
        self._reached = self.p_zero + np.r_[0.0, np.cumsum(self.masses)]

    def _cdf(self, fraction: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(fraction, self.edges, self._reached)

    def _pdf(self, fraction: NDArray[np.float64]) -> NDArray[np.float64]:
        cell = np.clip(np.searchsorted(self.edges, fraction, side="right") - 1, 0, len(self.masses) - 1)
        return np.where(fraction <= self.edges[-1], self.masses[cell] / np.diff(self.edges)[cell], 0.0)

    def _moments(self) -> tuple[float, float]:
        low, high = self.edges[:-1], self.edges[1:]
        first = self.masses @ (0.5 * (low + high))
        second = self.masses @ ((low * low + low * high + high * high) / 3.0)
        return float(first), float(second)


def averaged(parts: list[BetaMixture]) -> BetaMixture:
    """Return the average of mixtures, with equal weights."""
    return BetaMixture(
        np.concatenate([part.weights / len(parts) for part in parts]),
        np.concatenate([part.a for part in parts]),
        np.concatenate([part.b for part in parts]),
        p_zero=float(np.mean([part.p_zero for part in parts])),
        upper=np.concatenate([part.upper for part in parts]),
    )
