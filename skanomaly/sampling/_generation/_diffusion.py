"""Diffusion without a network: the exact denoiser of a kernel density."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

__all__ = ["KernelDenoiser", "levels", "minority_scores"]

Table = NDArray[np.float64]
_QUERY_ROWS = 1024


@dataclass
class KernelDenoiser:
    """Exact posterior mean of a clean row under a Gaussian kernel density.

    Attributes
    ----------
    centers : ndarray of shape (n, d)
    variance : float
        Squared bandwidth.
    """

    centers: Table
    variance: float

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
        squares = np.square(self.centers).sum(axis=1) * signal
        logits = (2.0 * root * noisy @ self.centers.T - squares) / (2.0 * total)
        means = softmax(logits, axis=1) @ self.centers
        gain = root * self.variance / total
        return means + gain * (noisy - root * means)


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


def minority_scores(
    denoiser: KernelDenoiser, X: Table, level: float, n_draws: int, random: np.random.Generator
) -> Table:
    """Distance of a row from its prediction by one denoising step; larger is rarer.

    Parameters
    ----------
    denoiser : KernelDenoiser
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
