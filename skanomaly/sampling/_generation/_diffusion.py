"""Diffusion without a network: the exact denoiser of a kernel density, or one that the user gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

__all__ = ["Denoiser", "GivenDenoiser", "KernelDenoiser", "levels", "minority_scores"]

Table = NDArray[np.float64]
_QUERY_ROWS = 1024


@dataclass
class KernelDenoiser:
    """Exact posterior mean of a clean row under a Gaussian kernel density.

    Attributes
    ----------
    centers : ndarray of shape (n, d)
    variance : float or ndarray of shape (d,)
        Squared bandwidth.
    """

    centers: Table
    variance: float | Table

    def clean(self, noisy: Table, signal: float) -> Table:
        """Compute the expected clean row given a noisy one.

        Parameters
        ----------
        noisy : ndarray of shape (q, d)
            ``sqrt(signal)`` times a clean row plus noise of variance 1 - `signal`.
        signal : float
            Fraction of the variance kept; in (0, 1].

        Returns
        -------
        ndarray of shape (q, d)
        """
        return np.concatenate(
            [self._clean(noisy[start : start + _QUERY_ROWS], signal) for start in range(0, len(noisy), _QUERY_ROWS)]
        )

    def _clean(self, noisy: Table, signal: float) -> Table:
        root = np.sqrt(signal)
        total = signal * self.variance + 1.0 - signal
        squares = (np.square(self.centers) / total).sum(axis=1) * signal
        logits = (root * noisy / total) @ self.centers.T - squares / 2.0
        means = softmax(logits, axis=1) @ self.centers
        gain = root * self.variance / total
        return means + gain * (noisy - root * means)


@dataclass
class GivenDenoiser:
    """Denoiser or score function of the user, by the interface of the others.

    Attributes
    ----------
    function : callable
        ``function(noisy, signal)``.
    returns_score : bool
        Whether it returns the gradient of the log density of noisy rows; else the expected clean rows.
    """

    function: Callable[[Table, float], Table]
    returns_score: bool

    def clean(self, noisy: Table, signal: float) -> Table:
        """Compute the expected clean row given a noisy one, by Tweedie's formula where the function is a score.

        Parameters
        ----------
        noisy : ndarray of shape (q, d)
        signal : float
            Fraction of the variance kept; in (0, 1].

        Returns
        -------
        ndarray of shape (q, d)

        Raises
        ------
        ValueError
            If the function returns another shape, or values that are not finite.
        """
        answer = np.asarray(self.function(noisy, signal), dtype=np.float64)
        name = "score_function" if self.returns_score else "denoiser"
        if answer.shape != noisy.shape:
            raise ValueError(f"{name} returned shape {answer.shape} for rows of shape {noisy.shape}; they must agree.")
        if not np.isfinite(answer).all():
            raise ValueError(f"{name} returned NaN or infinity at signal={signal:.4g}; it must be finite everywhere.")
        return (noisy + (1.0 - signal) * answer) / np.sqrt(signal) if self.returns_score else answer


class Denoiser(Protocol):
    """What predicts clean rows from noisy ones."""

    def clean(self, noisy: Table, signal: float) -> Table:
        """Compute the expected clean row given a noisy one."""


def levels(n_steps: int) -> Table:
    """Signal variance of each step, from clean to noise, by the cosine schedule.

    Parameters
    ----------
    n_steps : int

    Returns
    -------
    ndarray of shape (n_steps + 1,)
        From 1 - 1e-4 down to 1e-4.
    """
    places = np.linspace(0.0, 1.0, n_steps + 1)
    curve = np.cos((places + 0.008) / 1.008 * np.pi / 2) ** 2
    return np.clip(curve / curve[0], 1e-4, 1.0 - 1e-4)


def minority_scores(denoiser: Denoiser, X: Table, level: float, n_draws: int, random: np.random.Generator) -> Table:
    """Distance of a row from its prediction by one denoising step; larger is rarer.

    Parameters
    ----------
    denoiser : Denoiser
    X : ndarray of shape (q, d)
    level : float
        Fraction of noise variance, in (0, 1).
    n_draws : int
    random : numpy.random.Generator

    Returns
    -------
    ndarray of shape (q,)
    """
    signal = 1.0 - level
    total = np.zeros(len(X))
    for _ in range(n_draws):
        noisy = np.sqrt(signal) * X + np.sqrt(level) * random.normal(size=X.shape)
        total += np.linalg.norm(X - denoiser.clean(noisy, signal), axis=1)
    return total / n_draws
