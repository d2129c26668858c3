"""Inverse covariances from the eigenvalues of the smaller of the two product matrices."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from skanomaly._support._covariance import (
    Piece,
    ledoit_wolf_shrinkage,
    oas_shrinkage,
    robust_covariance,
    shrunk_covariance,
)
from skanomaly._support._products import fixed_product
from skanomaly._support._scales import varies

__all__ = ["Spectrum", "estimate_spectrum", "pooled_spectrum", "spectrum_of_products"]

_LARGE = 2.0**100
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spectrum:
    """The inverse of a covariance: a weight for each of some directions, and one weight for the rest of the space.

    Attributes
    ----------
    location : ndarray of shape (n_features,)
        Centre of the rows.
    scale : float
        Rows are multiplied by it first, so that squares do not overflow.
    vectors : ndarray of shape (n_features, n_directions) or None
        Orthonormal directions; None: the columns.
    roots : ndarray of shape (n_directions,)
        Square root of the weight (1 / variance) of each direction.
    rest : float
        Square root of the weight orthogonal to the directions; 0 leaves that part out.
    shrinkage : float
        Weight of the identity in the estimate.
    """

    location: Floats
    scale: float
    vectors: Floats | None
    roots: Floats
    rest: float
    shrinkage: float

    def whiten(self, rows: NDArray[Any]) -> Floats:
        """Return coordinates whose Euclidean distance is the Mahalanobis distance; each row by itself, to the bit."""
        scaled: Floats = rows - self.location
        scaled *= self.scale
        if self.vectors is None:
            return scaled * self.roots
        along = fixed_product(scaled, self.vectors)
        if self.rest == 0:
            return along * self.roots
        return scaled * self.rest + fixed_product(along, (self.vectors * (self.roots - self.rest)).T)

    def contributions(self, differences: Floats, whitened: Floats) -> Floats:
        """Split squared Mahalanobis distances among the columns.

        Parameters
        ----------
        differences : ndarray of shape (n_rows, n_features)
            Differences between rows.
        whitened : ndarray of shape (n_rows, n_whitened)
            The whitened differences.

        Returns
        -------
        ndarray of shape (n_rows, n_features)
            Each difference times the gradient of half the squared distance. A row sums to the squared norm of
            `whitened`.
        """
        if self.vectors is None:
            gradient = whitened * self.roots
        elif self.rest == 0:
            gradient = (whitened * self.roots) @ self.vectors.T
        else:
            gradient = whitened * self.rest + (whitened @ (self.vectors * (self.roots - self.rest))) @ self.vectors.T
        return gradient * (differences * self.scale)


def estimate_spectrum(
    rows: NDArray[Any],
    *,
    covariance: str,
    subspace: str | None = None,
    variance: float = 0.99,
    random_state: Any = None,
) -> Spectrum:
    r"""Estimate the covariance of rows around their mean.

    With more columns than rows, the Gram matrix of the rows is enough: the shrunk covariance
    :math:`(1-\rho)S + \rho m I` has the weight :math:`1/(\rho m)` orthogonal to the rows, and :math:`\rho` depends only
    on the trace and Frobenius norm of :math:`S` and on the norms of the rows.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    covariance : {"ledoit_wolf", "oas", "empirical", "diag", "robust"}
    subspace : {"pca", "npca"} or None, default=None
        Use only the leading or the trailing principal directions, of those with positive variance.
    variance : float, default=0.99
        Fraction of the variance in the leading directions; the direction at the boundary belongs to both subspaces.
    random_state : int, RandomState instance or None, default=None
        For "robust".

    Returns
    -------
    Spectrum
        The identity if all rows are equal.
    """
    location = rows.mean(axis=0, dtype=np.float64)
    centered: Floats = rows - location
    if np.abs(location).max(initial=0.0) > _LARGE:  # the mean of equal numbers is off by rounding, which is no spread
        fixed = ~np.asarray(varies(rows))
        location[fixed], centered[:, fixed] = rows[0, fixed], 0.0
    largest = float(np.abs(centered).max(initial=0.0))
    if largest == 0:
        return Spectrum(location, 1.0, None, np.ones(rows.shape[1]), 0.0, 0.0)
    scale = 2.0 ** -float(np.clip(np.ceil(np.log2(largest)), -1000, 1000))
    centered *= scale
    if subspace is None and covariance == "robust":
        return _robust_spectrum(centered, None, location, scale, random_state)
    if subspace is None and covariance == "diag":
        variances = np.square(centered).mean(axis=0)
        return Spectrum(location, scale, None, _inverse_roots(variances), 0.0, 0.0)
    values, vectors = _principal(centered)
    n_kept = rows.shape[1]
    if subspace is not None:
        kept = _kept(values, subspace, variance)
        values, vectors = values[kept], vectors[:, kept]
        n_kept = len(values)
    if covariance == "robust":
        return _robust_spectrum(centered @ vectors, vectors, location, scale, random_state)
    fourth = 0.0
    if covariance == "ledoit_wolf":
        projected = centered if subspace is None else centered @ vectors
        fourth = float(np.square(np.einsum("ij,ij->i", projected, projected)).mean())
    return _shrunk_spectrum(location, scale, values, vectors, fourth, len(rows), n_kept, covariance)


def spectrum_of_products(
    location: Floats,
    scale: float,
    products: Floats,
    fourth: Callable[[Floats | None], float],
    n_rows: int,
    *,
    covariance: str,
    subspace: str | None = None,
    variance: float = 0.99,
) -> Spectrum:
    """Estimate the covariance as :func:`estimate_spectrum` does, from the sums over the rows.

    Parameters
    ----------
    location : ndarray of shape (n_features,)
        Mean of the rows.
    scale : float
        A power of two by which the centred rows were multiplied.
    products : ndarray of shape (n_features, n_features)
        Sum of the products of scaled rows.
    fourth : callable
        Takes directions, ndarray of shape (n_features, n_directions), or None for the columns, and returns the mean of
        the fourth powers of the norms of the scaled rows along them.
    n_rows : int
    covariance : {"ledoit_wolf", "oas", "empirical", "diag"}
    subspace : {"pca", "npca"} or None, default=None
    variance : float, default=0.99

    Returns
    -------
    Spectrum
    """
    if not products.any():
        return Spectrum(location, 1.0, None, np.ones(len(location)), 0.0, 0.0)
    if subspace is None and covariance == "diag":
        return Spectrum(location, scale, None, _inverse_roots(np.diag(products) / n_rows), 0.0, 0.0)
    values, vectors = scipy.linalg.eigh(products / n_rows)
    values, vectors = np.clip(values[::-1], 0, None), np.ascontiguousarray(vectors[:, ::-1])
    if subspace is not None:
        kept = _kept(values, subspace, variance)
        values, vectors = values[kept], vectors[:, kept]
    moment = fourth(None if subspace is None else vectors) if covariance == "ledoit_wolf" else 0.0
    return _shrunk_spectrum(location, scale, values, vectors, moment, n_rows, len(values), covariance)


def _kept(values: Floats, subspace: str, variance: float) -> slice:
    """Return the directions of a subspace, variances being in descending order."""
    boundary = min(int(np.searchsorted(np.cumsum(values), variance * values.sum())), len(values) - 1)
    return slice(boundary + 1) if subspace == "pca" else slice(boundary, None)


def _shrunk_spectrum(
    location: Floats,
    scale: float,
    values: Floats,
    vectors: Floats,
    fourth: float,
    n_rows: int,
    n_kept: int,
    covariance: str,
) -> Spectrum:
    trace, frobenius = float(values.sum()), float(np.square(values).sum())
    shrinkage = 0.0
    if covariance == "ledoit_wolf":
        shrinkage = ledoit_wolf_shrinkage(trace, frobenius, fourth, n_rows, n_kept)
    elif covariance == "oas":
        shrinkage = oas_shrinkage(trace, frobenius, n_rows, n_kept)
    target = shrinkage * values.sum() / n_kept
    roots = _inverse_roots((1 - shrinkage) * values + target)
    rest = 1 / np.sqrt(target) if n_kept > len(values) and target > 0 else 0.0
    return Spectrum(location, scale, vectors, roots, float(rest), float(shrinkage))


def pooled_spectrum(pieces: Callable[[], Iterable[Piece]], *, covariance: str) -> Spectrum:
    """Estimate the covariance of rows that come in pieces, of which memory holds one at a time.

    Parameters
    ----------
    pieces : callable
        As in :func:`~skanomaly._support._covariance.shrunk_covariance`: rows without extreme values.
    covariance : {"ledoit_wolf", "oas", "empirical"}

    Returns
    -------
    Spectrum
    """
    found = shrunk_covariance(pieces, method=covariance)
    values, vectors = scipy.linalg.eigh(found.covariance)
    values = np.clip(values[::-1], 0, None)
    if not values[0] > 0:
        return Spectrum(found.location, 1.0, None, np.ones(len(values)), 0.0, 0.0)
    return Spectrum(
        found.location, 1.0, np.ascontiguousarray(vectors[:, ::-1]), _inverse_roots(values), 0.0, found.shrinkage
    )


def _principal(centered: Floats) -> tuple[Floats, Floats]:
    """Return variances and principal directions, in descending order."""
    n_rows, n_columns = centered.shape
    if n_columns <= n_rows:
        values, vectors = scipy.linalg.eigh(centered.T @ centered / n_rows)
        return np.clip(values[::-1], 0, None), np.ascontiguousarray(vectors[:, ::-1])
    values, vectors = scipy.linalg.eigh(centered @ centered.T / n_rows)
    kept = values > n_rows * np.finfo(np.float64).eps * values[-1]
    values, vectors = values[kept][::-1], vectors[:, kept][:, ::-1]
    return values, centered.T @ (vectors / np.sqrt(n_rows * values))


def _inverse_roots(variances: Floats) -> Floats:
    """Return 1 / standard deviation; 0 without variance, so that the direction is left out."""
    positive = variances > len(variances) * np.finfo(np.float64).eps * variances.max()
    return np.where(positive, 1 / np.sqrt(np.where(positive, variances, 1)), 0.0)


def _robust_spectrum(
    rows: Floats, vectors: Floats | None, location: Floats, scale: float, random_state: Any
) -> Spectrum:
    n_rows, n_columns = rows.shape
    if n_rows <= n_columns + 1:
        raise ValueError(
            f"covariance='robust' needs at least 2 rows more than columns, and there are {n_rows} rows and {n_columns} "
            "columns; use 'ledoit_wolf', or subspace='pca' with a smaller variance."
        )
    robust = robust_covariance(rows, random_state=random_state)
    variances, directions = scipy.linalg.eigh(robust.covariance)
    if vectors is not None:
        directions = vectors @ directions
    shift = robust.location if vectors is None else vectors @ robust.location
    return Spectrum(location + shift / scale, scale, directions, _inverse_roots(variances), 0.0, 0.0)
