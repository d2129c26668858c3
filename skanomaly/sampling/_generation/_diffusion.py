"""Diffusion without a network: the exact denoiser of a kernel density."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._denoiser import KernelComponents
from skanomaly._support._denoiser import cosine_signals as levels

__all__ = ["KernelDenoiser", "levels", "minority_scores"]

Table = NDArray[np.float64]


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
        root = np.sqrt(signal)
        return KernelComponents(self.centers, self.variance).posterior_means(noisy / root, (1.0 - signal) / signal)


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
