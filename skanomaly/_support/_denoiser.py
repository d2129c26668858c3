"""Exact denoising: the expected clean row given a noisy one, for kernel densities and Gaussian mixtures.

A noisy row is a clean row plus Gaussian noise of variance `noise`, one number or one for each column.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from skanomaly._support._blocks import map_blocks, row_blocks

__all__ = ["Components", "GaussianComponents", "KernelComponents", "cosine_signals"]

Table = NDArray[np.float64]
_QUERY_ROWS = 256
_CENTERS = 1024
_DRAWN_ROWS = 32
_MULTIPLE = 16  # rows of a product: a row's result then does not depend on how many others there are
_LARGEST_LOGIT = 300.0
_LARGEST = 1e100  # distances in standard deviations; their squares are finite
_LOG_ROOT = 0.5 * np.log(2 * np.pi)


class Components(Protocol):
    """Components of a density whose noisy form is known exactly."""

    n_columns: int

    def posterior_means(self, rows: Table, noise: Any) -> Table:
        """Return the expected clean row of each noisy row."""
        ...

    def log_densities(self, rows: Table, noise: Any) -> Table:
        """Return the log density of each noisy row."""
        ...

    def draw(self, n_rows: int, random: np.random.Generator) -> Table:
        """Draw clean rows."""
        ...

    def draw_posterior(self, rows: Table, noise: Any, random: np.random.Generator) -> Table:
        """Draw a clean row for each noisy row."""
        ...


class KernelComponents:
    """A kernel density: one Gaussian around each center, all with the same variances of columns.

    Two matrix products and one exponential a pair; blocks of 256 rows by 1,024 centers are held at once.

    Parameters
    ----------
    centers : ndarray of shape (n_centers, n_columns)
    variances : float or ndarray of shape (n_columns,)
        At least 0; 0 only where rows are noisy.
    log_weights : ndarray of shape (n_centers,) or None, default=None
        Up to a constant; minus infinity leaves a center out. None is equal weights.
    n_jobs : int or None, default=None
        Threads over blocks of rows.
    """

    def __init__(
        self, centers: Table, variances: Any, log_weights: Table | None = None, n_jobs: int | None = None
    ) -> None:
        self.n_columns = centers.shape[1]
        self.origin = centers.mean(axis=0)
        self.centers = centers - self.origin
        self.variances = np.broadcast_to(np.asarray(variances, dtype=np.float64), (self.n_columns,)).copy()
        weights = np.zeros(len(centers)) if log_weights is None else log_weights
        self.log_weights = weights - logsumexp(weights)
        self.n_jobs = n_jobs

    def posterior_means(self, rows: Table, noise: Any, left_out: NDArray[np.intp] | None = None) -> Table:
        """Return the expected clean row of each noisy row, without one center for each (-1: with all)."""
        means, _ = self._reduced(rows, noise, left_out, with_means=True)
        return self.origin + means + self._gain(noise) * (rows - self.origin - means)

    def log_densities(self, rows: Table, noise: Any, left_out: NDArray[np.intp] | None = None) -> Table:
        """Return the log density of each noisy row, without one center for each (-1: with all)."""
        _, totals = self._reduced(rows, noise, left_out, with_means=False)
        if left_out is not None:
            own = np.where(left_out >= 0, np.exp(self.log_weights[left_out]), 0.0)
            totals -= np.log1p(-np.minimum(own, 1.0 - 1e-16))
        return totals - 0.5 * np.log(self.variances + noise).sum() - self.n_columns * _LOG_ROOT

    def draw(self, n_rows: int, random: np.random.Generator) -> Table:
        """Draw clean rows."""
        chosen = random.choice(len(self.centers), n_rows, p=np.exp(self.log_weights))
        noise = random.normal(size=(n_rows, self.n_columns)) * np.sqrt(self.variances)
        return self.origin + self.centers[chosen] + noise

    def draw_posterior(self, rows: Table, noise: Any, random: np.random.Generator) -> Table:
        """Draw a clean row for each noisy row."""
        places = random.random(len(rows))
        normal = random.normal(size=rows.shape)
        scaled, factors = self._factors(rows, noise)
        chosen = np.empty(len(rows), dtype=np.intp)
        for part in row_blocks(len(rows), _DRAWN_ROWS):
            logits = scaled[part] @ factors.T
            cumulative = np.exp(logits - logits.max(axis=1, keepdims=True)).cumsum(axis=1)
            chosen[part] = (cumulative < places[part, None] * cumulative[:, -1:]).sum(axis=1)
        gain = self._gain(noise)
        centers = self.centers[np.minimum(chosen, len(self.centers) - 1)]
        means = centers + gain * (rows - self.origin - centers)
        return self.origin + means + np.sqrt(gain * np.broadcast_to(noise, gain.shape)) * normal

    def _gain(self, noise: Any) -> Table:
        return np.asarray(self.variances / (self.variances + noise))

    def _factors(self, rows: Table, noise: Any) -> tuple[Table, Table]:
        """Factors whose product is the log weight of each center, up to the shift in the last column."""
        root = np.sqrt(self.variances + noise)
        scaled = np.zeros((len(rows), self.n_columns + 2))
        scaled[:, :-2] = np.clip((rows - self.origin) / root, -_LARGEST, _LARGEST)
        scaled[:, -2] = 1.0
        factors = np.ones((len(self.centers), self.n_columns + 2))
        factors[:, :-2] = self.centers / root
        factors[:, -2] = self.log_weights - 0.5 * np.einsum("ij,ij->i", factors[:, :-2], factors[:, :-2])
        return scaled, factors

    def _reduced(
        self, rows: Table, noise: Any, left_out: NDArray[np.intp] | None, *, with_means: bool
    ) -> tuple[Table, Table]:
        """Weighted mean of the centers for each row, and log of the sum of the weights."""
        scaled, factors = self._factors(rows, noise)
        values = np.ones((len(self.centers), self.n_columns + 1 if with_means else 1))
        if with_means:
            values[:, :-1] = self.centers
        means = np.empty((len(rows), values.shape[1] - 1))
        totals = np.empty(len(rows))
        n_factors = factors.shape[1]

        def reduce(part: slice) -> None:
            size = part.stop - part.start
            block = np.zeros((-(-size // _MULTIPLE) * _MULTIPLE, n_factors))
            block[:size] = scaled[part]
            shift = np.zeros(len(block))  # of each row's logits; the last column of the factors subtracts it
            sums = np.zeros((len(block), values.shape[1]))
            buffer = np.empty(len(block) * min(_CENTERS, len(factors)))
            for place, chosen in enumerate(row_blocks(len(factors), _CENTERS)):
                n_centers = chosen.stop - chosen.start
                weights = buffer[: len(block) * n_centers].reshape(len(block), n_centers)
                np.matmul(block, factors[chosen].T, out=weights)
                if left_out is not None:
                    own = np.flatnonzero((left_out[part] >= chosen.start) & (left_out[part] < chosen.stop))
                    weights[own, left_out[part][own] - chosen.start] = -np.inf
                excess = weights.max(axis=1)
                if place == 0 or excess.max() > _LARGEST_LOGIT:
                    step = np.where(np.isfinite(excess) & ((place == 0) | (excess > _LARGEST_LOGIT)), excess, 0.0)
                    weights -= step[:, None]
                    sums *= np.exp(-step if place else np.zeros_like(step))[:, None]
                    shift += step
                    block[:, -1] = -shift
                np.exp(weights, out=weights)
                sums += weights @ values[chosen]
            means[part] = (sums[:, :-1] / sums[:, -1:])[:size]
            squares = np.einsum("ij,ij->i", block[:, :-2], block[:, :-2])
            totals[part] = (shift + np.log(sums[:, -1]) - 0.5 * squares)[:size]

        map_blocks(reduce, row_blocks(len(rows), _QUERY_ROWS), n_jobs=self.n_jobs)
        return means, totals


class GaussianComponents:
    """A mixture of a few Gaussians with covariances of their own.

    Parameters
    ----------
    means : ndarray of shape (n_components, n_columns)
    covariances : ndarray of shape (n_components, n_columns, n_columns)
    log_weights : ndarray of shape (n_components,)
        Up to a constant.
    """

    def __init__(self, means: Table, covariances: Table, log_weights: Table) -> None:
        self.n_columns = means.shape[1]
        self.means = means
        self.covariances = covariances
        self.log_weights = log_weights - logsumexp(log_weights)

    def posterior_means(self, rows: Table, noise: Any) -> Table:
        """Return the expected clean row of each noisy row."""
        factors, logits = self._logits(rows, noise)
        shares = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
        total = np.zeros_like(rows)
        for place, (mean, gain) in enumerate(zip(self.means, self._gains(factors), strict=True)):
            total += shares[:, place, None] * (mean + _product(rows - mean, gain.T))
        return total

    def log_densities(self, rows: Table, noise: Any) -> Table:
        """Return the log density of each noisy row."""
        found: Table = logsumexp(self._logits(rows, noise)[1], axis=1)
        return found

    def draw(self, n_rows: int, random: np.random.Generator) -> Table:
        """Draw clean rows."""
        chosen = random.choice(len(self.means), n_rows, p=np.exp(self.log_weights))
        normal = random.normal(size=(n_rows, self.n_columns))
        rows = np.empty_like(normal)
        for place, mean in enumerate(self.means):
            rows[chosen == place] = mean + normal[chosen == place] @ _root(self.covariances[place])
        return rows

    def draw_posterior(self, rows: Table, noise: Any, random: np.random.Generator) -> Table:
        """Draw a clean row for each noisy row."""
        factors, logits = self._logits(rows, noise)
        cumulative = np.exp(logits - logits.max(axis=1, keepdims=True)).cumsum(axis=1)
        places = random.random(len(rows))[:, None] * cumulative[:, -1:]
        chosen = np.minimum((cumulative < places).sum(axis=1), len(self.means) - 1)
        drawn = random.normal(size=rows.shape)
        for place, gain in enumerate(self._gains(factors)):
            own = chosen == place
            left = self.covariances[place] - gain @ self.covariances[place]
            means = self.means[place] + (rows[own] - self.means[place]) @ gain.T
            drawn[own] = means + drawn[own] @ _root((left + left.T) / 2)
        return drawn

    def _logits(self, rows: Table, noise: Any) -> tuple[Table, Table]:
        factors = np.linalg.cholesky(self.covariances + np.eye(self.n_columns) * noise)
        logits = np.empty((len(rows), len(self.means)))
        for place, (mean, factor) in enumerate(zip(self.means, factors, strict=True)):
            scaled = _product(rows - mean, solve_triangular(factor, np.eye(self.n_columns), lower=True).T)
            scaled = np.clip(scaled, -_LARGEST, _LARGEST)
            log_root = np.log(np.diagonal(factor)).sum() + self.n_columns * _LOG_ROOT
            logits[:, place] = self.log_weights[place] - 0.5 * np.square(scaled).sum(axis=1) - log_root
        return factors, logits

    def _gains(self, factors: Table) -> Table:
        """Matrices that turn a noisy row's difference from a mean into the expected clean difference."""
        solved = np.linalg.solve(factors @ factors.transpose(0, 2, 1), self.covariances)
        return np.asarray(solved.transpose(0, 2, 1), dtype=np.float64)


def _product(rows: Table, matrix: Table) -> Table:
    """Multiply a padded table, so that a row's product does not depend on the number of rows."""
    padded = np.zeros((-(-len(rows) // _MULTIPLE) * _MULTIPLE, rows.shape[1]))
    padded[: len(rows)] = rows
    return (padded @ matrix)[: len(rows)]


def _root(covariance: Table) -> Table:
    """Symmetric root of a covariance that may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def cosine_signals(n_steps: int) -> Table:
    """Signal variance of each step of a diffusion, from clean to noise, by the cosine schedule.

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
    return np.asarray(np.clip(curve / curve[0], 1e-4, 1.0 - 1e-4))
