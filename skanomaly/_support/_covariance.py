"""Covariances: shrunk, weighted, of a table in pieces, and robust; and the map that makes a cloud of rows round."""

import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly._support._warnings import warn_user

__all__ = [
    "Covariance",
    "Piece",
    "constant_columns",
    "ledoit_wolf_shrinkage",
    "oas_shrinkage",
    "robust_covariance",
    "row_pieces",
    "shrunk_covariance",
    "whitening_matrix",
]

_BLOCK_ROWS = 4096
_CONSTANT = 1e-12
Floats = NDArray[np.float64]
Piece = tuple[Floats, Floats | None]


class Covariance(NamedTuple):
    """A covariance and where the rows are centred.

    Attributes
    ----------
    location : ndarray of shape (n_features,)
    covariance : ndarray of shape (n_features, n_features)
    shrinkage : float
        Weight of the identity in a shrunk covariance, else 0.
    """

    location: Floats
    covariance: Floats
    shrinkage: float


def row_pieces(rows: NDArray[Any], weights: Floats | None = None) -> Callable[[], Iterable[Piece]]:
    """Cut rows into float64 blocks, so that no second copy of the table is made.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,) or None, default=None

    Returns
    -------
    callable
        Each call yields all blocks anew, with their weights.
    """

    def pieces() -> Iterable[Piece]:
        for part in row_blocks(len(rows), _BLOCK_ROWS):
            yield np.asarray(rows[part], dtype=np.float64), None if weights is None else weights[part]

    return pieces


def shrunk_covariance(
    pieces: Callable[[], Iterable[Piece]] | NDArray[Any],
    *,
    weights: Floats | None = None,
    method: str = "ledoit_wolf",
    assume_centered: bool = False,
) -> Covariance:
    """Estimate the covariance, shrunk towards a multiple of the identity; memory holds one piece at a time.

    Parameters
    ----------
    pieces : callable or ndarray of shape (n_samples, n_features)
        Each call yields all rows anew, in pieces: float64 rows with their weights, or None where each row counts once.
        An array is cut by ``row_pieces``.
    weights : ndarray of shape (n_samples,) or None, default=None
        Of an array's rows; a whole weight counts as that many repetitions.
    method : {"ledoit_wolf", "oas", "empirical"}, default="ledoit_wolf"
        Rule for the shrinkage; "empirical" does not shrink.
    assume_centered : bool, default=False
        Whether the rows are centred at zero already.

    Returns
    -------
    Covariance
    """
    read = row_pieces(pieces, weights) if isinstance(pieces, np.ndarray) else pieces
    total, sums = 0.0, np.zeros(())
    for rows, counts in read():
        total += len(rows) if counts is None else float(counts.sum())
        sums = sums + (rows.sum(axis=0) if counts is None else counts @ rows)
    n_features = len(sums)
    location = np.zeros(n_features) if assume_centered else sums / total
    fourth, covariance = 0.0, np.zeros((n_features, n_features))
    for rows, counts in read():
        centred = rows - location
        squares = np.einsum("ij,ij->i", centred, centred) ** 2
        fourth += float(squares.sum() if counts is None else counts @ squares)
        covariance += centred.T @ (centred if counts is None else centred * counts[:, None])
    covariance /= total
    trace, frobenius = float(np.trace(covariance)), float((covariance**2).sum())
    shrinkage = 0.0
    if method == "ledoit_wolf":
        shrinkage = ledoit_wolf_shrinkage(trace, frobenius, fourth / total, total, n_features)
    elif method == "oas":
        shrinkage = oas_shrinkage(trace, frobenius, total, n_features)
    covariance *= 1.0 - shrinkage
    covariance[np.diag_indices(n_features)] += shrinkage * trace / n_features
    return Covariance(location, covariance, shrinkage)


def ledoit_wolf_shrinkage(trace: float, frobenius: float, fourth: float, n_rows: float, n_columns: int) -> float:
    """Return Ledoit and Wolf's weight of the identity.

    Parameters
    ----------
    trace, frobenius : float
        Trace and sum of squares of the empirical covariance.
    fourth : float
        Mean of the squared squared norms of the centred rows.
    n_rows : float
        Rows, or the sum of their weights.
    n_columns : int

    Returns
    -------
    float
        In [0, 1]; 0 for one column and where the rows leave no error but rounding, as two rows do.
    """
    spread = frobenius - trace**2 / n_columns
    error = min((fourth - frobenius) / n_rows, spread)
    more_than_rounding = error > n_rows * np.finfo(np.float64).eps * frobenius
    return float(error / spread) if more_than_rounding and n_columns > 1 else 0.0


def oas_shrinkage(trace: float, frobenius: float, n_rows: float, n_columns: int) -> float:
    """Return the weight of the identity by the oracle-approximating rule of Chen and others.

    Parameters
    ----------
    trace, frobenius : float
        Trace and sum of squares of the empirical covariance.
    n_rows : float
    n_columns : int

    Returns
    -------
    float
        In [0, 1]; 0 for one column, 1 where the covariance is a multiple of the identity.
    """
    if n_columns == 1:
        return 0.0
    squares, mean = frobenius / n_columns**2, trace / n_columns
    spread = (n_rows + 1) * (squares - mean**2 / n_columns)
    return float(min((squares + mean**2) / spread, 1.0)) if spread > 0 else 1.0


def constant_columns(rows: NDArray[Any], *, like: NDArray[Any] | None = None) -> NDArray[np.bool_]:
    """Return which columns are constant up to rounding.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    like : ndarray of shape (n_samples, n_features) or None, default=None
        Rows of the magnitude to which rounding is relative, where a mean was subtracted; None: `rows`.

    Returns
    -------
    ndarray of shape (n_features,), bool
    """
    magnitude = np.abs(rows if like is None else like).max(axis=0, initial=0.0)
    return np.asarray(np.ptp(rows, axis=0) <= _CONSTANT * magnitude)


def robust_covariance(rows: NDArray[Any], *, weights: Floats | None = None, random_state: Any = None) -> Covariance:
    """Estimate location and covariance by the minimum covariance determinant, or by the best rule that works.

    The determinant of half of the rows is minimised; where these coincide, that of three quarters, then of all. Where
    no such determinant exists the covariance is shrunk (Ledoit and Wolf), and where that is not finite it is diagonal;
    both with a warning. Constant columns take no part; they have no variance.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,) or None, default=None
        Whole numbers: the rows are repeated.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    Covariance

    Raises
    ------
    ValueError
        If a weight is not whole.
    """
    if weights is not None:
        if (weights != np.floor(weights)).any():
            raise ValueError(
                "sample_weight must hold whole numbers for the minimum covariance determinant, which repeats rows; "
                "use 'ledoit_wolf' for other weights."
            )
        rows = np.repeat(rows, weights.astype(np.int64), axis=0)
    constant = constant_columns(rows)
    if not constant.any():
        return _varying_covariance(rows, random_state)
    location, covariance = rows.mean(axis=0, dtype=np.float64), np.zeros((rows.shape[1],) * 2)
    if not constant.all():
        inner = _varying_covariance(rows[:, ~constant], random_state)
        location[~constant] = inner.location
        covariance[np.ix_(~constant, ~constant)] = inner.covariance
    return Covariance(location, covariance, 0.0)


def _varying_covariance(rows: NDArray[Any], random_state: Any) -> Covariance:
    from sklearn.covariance import MinCovDet

    # With as many columns as rows every determinant is 0.
    for fraction in (None, 0.75, 1.0) if len(rows) > rows.shape[1] + 1 else ():
        try:
            with warnings.catch_warnings():  # of parameters that are not ours, before another fraction is tried
                warnings.filterwarnings("ignore", "The covariance matrix associated|Determinant has increased")
                model = MinCovDet(support_fraction=fraction, random_state=random_state).fit(rows)
        except ValueError:  # so many rows are equal that the densest part of them does not vary
            continue
        if np.isfinite(model.covariance_).all():
            return Covariance(np.asarray(model.location_), np.asarray(model.covariance_), 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        shrunk = shrunk_covariance(np.asarray(rows, dtype=np.float64))
    if np.isfinite(shrunk.covariance).all():
        warn_user("The minimum covariance determinant does not exist for these rows; the shrunk covariance is used.")
        return shrunk
    warn_user("Neither a robust nor a shrunk covariance is finite for these rows; columns are only scaled.")
    middle = np.median(rows, axis=0)
    return Covariance(middle, np.diag(np.median(np.abs(rows - middle), axis=0) ** 2), 0.0)


def whitening_matrix(covariance: Floats) -> Floats:
    """Return the symmetric inverse root of a covariance; directions without variance are left alone.

    Parameters
    ----------
    covariance : ndarray of shape (n_features, n_features)

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    values, vectors = np.linalg.eigh(covariance)
    largest: Any = values[-1]
    if not largest > 0:
        return np.eye(len(values))
    # Below this fraction of the largest, an eigenvalue is rounding.
    floor = largest * len(values) * np.finfo(np.float64).eps
    roots = np.sqrt(np.maximum(values, floor))
    return np.asarray((vectors / roots) @ vectors.T)
