"""Diffusion without a network: the exact denoiser of a kernel density, or one that the user gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._denoiser import KernelComponents
from skanomaly._support._denoiser import cosine_signals as levels

__all__ = ["Denoiser", "GivenDenoiser", "KernelDenoiser", "levels", "minority_scores"]

Table = NDArray[np.float64]


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
        root = np.sqrt(signal)
        return KernelComponents(self.centers, self.variance).posterior_means(noisy / root, (1.0 - signal) / signal)


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
