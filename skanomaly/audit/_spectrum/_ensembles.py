"""Eigenvalues of random matrices, drawn from their tridiagonal models."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh_tridiagonal

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["draw_laguerre", "hermite_eigenvalues", "jacobi_eigenvalues", "laguerre_eigenvalues"]

_LEADING_ROWS = 10  # times the cube root of the size: enough for the largest eigenvalues
_CONSTRAINTS: dict[str, list[Any]] = {
    "n": [Interval(Integral, 1, None, closed="left")],
    "beta": [Interval(Real, 0, None, closed="neither")],
    "size": [Interval(Integral, 1, None, closed="left")],
    "random_state": ["random_state"],
}


@validate_params(
    {**_CONSTRAINTS, "n_top": [Interval(Integral, 1, None, closed="left"), None]}, prefer_skip_nested_validation=True
)
def hermite_eigenvalues(
    n: int, *, beta: float = 2.0, size: int = 1, n_top: int | None = None, random_state: Any = None
) -> NDArray[np.float64]:
    r"""Draw the eigenvalues of symmetric random matrices with normal entries (Hermite ensemble).

    Parameters
    ----------
    n : int
        Number of rows of the matrix.
    beta : float, default=2.0
        1 for real, 2 for complex and 4 for quaternion entries; any number above 0.
    size : int, default=1
        Number of independent matrices.
    n_top : int or None, default=None
        Only the largest eigenvalues, as many as this. Much faster, and exact up to an error that vanishes with `n`.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws.

    Returns
    -------
    ndarray of shape (size, n) or (size, n_top)
        Ascending. Their density is proportional to :math:`\prod_{i<j} |x_i - x_j|^\beta \exp(-\beta \sum x_i^2 / 4)`,
        so that they lie in about :math:`\pm 2 \sqrt n`.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Notes
    -----
    The model is tridiagonal [1]_: the diagonal is normal with variance :math:`2 / \beta`, and beside it are chi
    variables with :math:`\beta (n - 1), \dots, \beta` degrees of freedom over :math:`\sqrt \beta`. A draw costs an
    eigenvalue problem of a tridiagonal matrix.

    References
    ----------
    .. [1] Dumitriu, I., Edelman, A. (2002). Matrix models for beta ensembles. Journal of Mathematical Physics 43.
       https://doi.org/10.1063/1.1507823

    Examples
    --------
    >>> from skanomaly.audit import hermite_eigenvalues
    >>> hermite_eigenvalues(100, size=3, random_state=0).shape
    (3, 100)
    """
    rng = generator(random_state)
    kept = _kept(n, n_top)

    def draw() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        diagonal = rng.standard_normal(kept) * np.sqrt(2 / beta)
        return diagonal, np.sqrt(rng.chisquare(beta * (n - np.arange(1.0, kept))) / beta)

    return _eigenvalues(draw, size, kept, n_top)


@validate_params(
    {
        **_CONSTRAINTS,
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_top": [Interval(Integral, 1, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def laguerre_eigenvalues(
    n: int, n_samples: int, *, beta: float = 1.0, size: int = 1, n_top: int | None = None, random_state: Any = None
) -> NDArray[np.float64]:
    r"""Draw the eigenvalues of the scatter matrix of independent normal columns (Laguerre ensemble).

    Parameters
    ----------
    n : int
        Number of columns of the table, which is the number of eigenvalues.
    n_samples : int
        Number of rows of the table, at least `n`. For a table whose columns are centred it is the number of rows
        minus one.
    beta : float, default=1.0
        1 for real and 2 for complex tables; any number above 0.
    size : int, default=1
        Number of independent tables.
    n_top : int or None, default=None
        Only the largest eigenvalues, as many as this. Much faster, and exact up to an error that vanishes with `n`.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws.

    Returns
    -------
    ndarray of shape (size, n) or (size, n_top)
        Ascending eigenvalues of :math:`X^\top X`, where the entries of `X` have variance 1. With another `beta`, in
        units in which the trace has mean :math:`\beta n \cdot` `n_samples`.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Notes
    -----
    The model is :math:`L L^\top` with a lower bidiagonal :math:`L` [1]_: chi variables with
    :math:`\beta (n_{samples} - i + 1)` degrees of freedom on the diagonal and :math:`\beta (n - i)` below it. A draw
    costs an eigenvalue problem of a tridiagonal matrix instead of a full one.

    References
    ----------
    .. [1] Dumitriu, I., Edelman, A. (2002). Matrix models for beta ensembles. Journal of Mathematical Physics 43.
       https://doi.org/10.1063/1.1507823
    .. [2] Gautier, G., Bardenet, R., Valko, M. (2021). Fast sampling from β-ensembles. Statistics and Computing 31.
       https://doi.org/10.1007/s11222-020-09984-0

    Examples
    --------
    >>> from skanomaly.audit import laguerre_eigenvalues
    >>> eigenvalues = laguerre_eigenvalues(20, 200, size=1000, random_state=0)
    >>> eigenvalues.shape, bool(abs(eigenvalues.sum(axis=1).mean() - 4000) < 20)
    ((1000, 20), True)
    """
    if n_samples < n:
        raise ValueError(f"n_samples={n_samples} must be at least n={n}; for fewer rows than columns, exchange them.")
    return draw_laguerre(n, n_samples, beta, size, n_top, generator(random_state))


def draw_laguerre(
    n: int, n_samples: int, beta: float, size: int, n_top: int | None, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw as `laguerre_eigenvalues` does, without checks."""
    kept = _kept(n, n_top)
    places = np.arange(1.0, kept + 1)

    def draw() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        squares = rng.chisquare(beta * (n_samples - places + 1))
        below = rng.chisquare(beta * (n - places[:-1]))
        return squares + np.append(0.0, below), np.sqrt(squares[:-1] * below)

    return _eigenvalues(draw, size, kept, n_top)


@validate_params(
    {
        **_CONSTRAINTS,
        "a": [Interval(Real, 0, None, closed="neither")],
        "b": [Interval(Real, 0, None, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def jacobi_eigenvalues(
    n: int, a: float, b: float, *, beta: float = 1.0, size: int = 1, random_state: Any = None
) -> NDArray[np.float64]:
    r"""Draw the eigenvalues that compare two scatter matrices (Jacobi ensemble).

    Parameters
    ----------
    n : int
        Number of eigenvalues.
    a, b : float
        Exponents at 0 and at 1, above 0.
    beta : float, default=1.0
        Repulsion of the eigenvalues; any number above 0.
    size : int, default=1
        Number of independent draws.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws.

    Returns
    -------
    ndarray of shape (size, n)
        Ascending, in (0, 1). Their density is proportional to
        :math:`\prod_{i<j} |x_i - x_j|^\beta \prod_i x_i^{a-1} (1 - x_i)^{b-1}`.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Notes
    -----
    The eigenvalues of :math:`A (A + B)^{-1}`, for scatter matrices of :math:`n_1` and :math:`n_2` independent normal
    rows of `n` columns, have :math:`a = (n_1 - n + 1) / 2`, :math:`b = (n_2 - n + 1) / 2` and :math:`\beta = 1`. The
    tridiagonal model [1]_ has independent beta variables.

    References
    ----------
    .. [1] Killip, R., Nenciu, I. (2004). Matrix models for circular ensembles. International Mathematics Research
       Notices 2004. https://doi.org/10.1155/S1073792804141597

    Examples
    --------
    >>> from skanomaly.audit import jacobi_eigenvalues
    >>> jacobi_eigenvalues(10, 3, 4, size=2, random_state=0).shape
    (2, 10)
    """
    rng = generator(random_state)
    half = beta / 2
    rest = n - np.arange(1.0, n + 1)  # n - i
    between = rest[:-1]

    def draw() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        first = rng.beta(half * rest + a, half * rest + b)  # p_1, p_3, ...
        second = rng.beta(half * between, half * (between - 1) + a + b)  # p_2, p_4, ...
        ahead = np.append(0.0, second)
        steps = (1 - ahead) * first
        back = np.append(0.0, (1 - first[:-1]) * second)
        return steps + back, np.sqrt(steps[:-1] * back[1:])

    return _eigenvalues(draw, size, n, None)


def _kept(n: int, n_top: int | None) -> int:
    """Return how many leading rows of the tridiagonal matrix are needed."""
    if n_top is None:
        return n
    if n_top > n:
        raise ValueError(f"n_top={n_top} is more than n={n}, the number of eigenvalues.")
    return min(n, max(int(np.ceil(_LEADING_ROWS * n ** (1 / 3))), 2 * n_top))


def _eigenvalues(draw: Any, size: int, kept: int, n_top: int | None) -> NDArray[np.float64]:
    found = np.empty((size, kept if n_top is None else n_top))
    for place in range(size):
        diagonal, beside = draw()
        if n_top is None:
            found[place] = eigvalsh_tridiagonal(diagonal, beside)
        else:
            found[place] = eigvalsh_tridiagonal(diagonal, beside, select="i", select_range=(kept - n_top, kept - 1))
    return found
