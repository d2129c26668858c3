"""The distribution of the largest eigenvalue of large random matrices."""

from functools import lru_cache
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats
from scipy.interpolate import PchipInterpolator

from skanomaly._support._sklearn import Options, validate_params

__all__ = ["tracy_widom"]

_N_NODES = 50
_LOW, _HIGH = -10.0, 10.0
_LENGTH = 16.0  # beyond the lower end the kernel vanishes
_STEP = 0.05


@validate_params({"beta": [Options(Real, {1, 2, 4})]}, prefer_skip_nested_validation=True)
def tracy_widom(beta: int = 1) -> Any:
    r"""Return the Tracy-Widom distribution, the limit of the largest eigenvalue of large random matrices.

    Parameters
    ----------
    beta : {1, 2, 4}, default=1
        1 for real, 2 for complex and 4 for quaternion matrices.

    Returns
    -------
    scipy.stats.rv_continuous
        With methods ``cdf``, ``sf``, ``ppf``, ``mean``, ``std`` and ``rvs``.

    Raises
    ------
    ValueError
        If `beta` is another number.

    Notes
    -----
    The distribution functions are Fredholm determinants on :math:`(s, \infty)` [1]_, of
    :math:`V(x, y) = \tfrac12 \mathrm{Ai}((x + y) / 2)`: :math:`F_1 = \det(1 - V)`,
    :math:`F_2 = \det(1 - V) \det(1 + V)`, and :math:`F_4 = \tfrac12 (\det(1 - V) + \det(1 + V))`. They are computed by
    Gauss-Legendre quadrature on a grid of step 0.05 once, to about :math:`10^{-8}` after interpolation. For
    :math:`F_4` the scale is that of the edge, at which the mean is -2.055: the argument is multiplied by
    :math:`2^{2/3}`. Some tables use a scale that is :math:`2^{1/6}` times larger.

    The limit is inaccurate for fewer than 50 columns; :func:`laguerre_eigenvalues` simulates the exact distribution.

    References
    ----------
    .. [1] Bornemann, F. (2010). On the numerical evaluation of distributions in random matrix theory: a review. Markov
       Processes and Related Fields 16. arXiv:0904.1581.

    Examples
    --------
    >>> from skanomaly.audit import tracy_widom
    >>> round(float(tracy_widom(1).ppf(0.95)), 4), round(float(tracy_widom(2).mean()), 4)
    (0.9793, -1.7711)
    """
    return _distribution(int(beta))


class _TracyWidom(stats.rv_continuous):
    """SciPy's interface to an interpolated distribution function."""

    def _table(self) -> tuple[Any, Any, Any]:
        return _interpolated(int(self.name[-1]))

    def _cdf(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        found = self._table()[0](x)
        return np.clip(np.where(np.isnan(found), x > 0, found), 0.0, 1.0)

    def _pdf(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.maximum(np.nan_to_num(self._table()[1](x)), 0.0)

    def _stats(self) -> tuple[float, float, None, None]:
        values, (edges, _, _) = self._table(), _determinants()
        grid = np.linspace(edges[0], edges[-1], 20_001) / (2 ** (2 / 3) if self.name.endswith("4") else 1)
        density = values[1](grid)
        mean = float(np.trapezoid(density * grid, grid))
        return mean, float(np.trapezoid(density * (grid - mean) ** 2, grid)), None, None

    def _ppf(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self._table()[2](q))


@lru_cache(maxsize=3)
def _distribution(beta: int) -> Any:
    return _TracyWidom(a=_LOW, b=_HIGH, name=f"tracy_widom_{beta}")


@lru_cache(maxsize=3)
def _interpolated(beta: int) -> tuple[Any, Any, Any]:
    grid, less, more = _determinants()
    values = {1: less, 2: less * more, 4: (less + more) / 2}[beta]
    grid = grid / 2 ** (2 / 3) if beta == 4 else grid
    values = np.maximum.accumulate(np.clip(values, 0.0, 1.0))
    values[0], values[-1] = 0.0, 1.0
    forward = PchipInterpolator(grid, values, extrapolate=False)
    kept = np.append(True, np.diff(values) > 0)
    return forward, forward.derivative(), PchipInterpolator(values[kept], grid[kept])


@lru_cache(maxsize=1)
def _determinants() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return a grid, and det(1 - V) and det(1 + V) on (s, infinity) for each s in it."""
    unit, weights = np.polynomial.legendre.leggauss(_N_NODES)
    eye = np.eye(_N_NODES)
    grid = np.arange(_LOW, _HIGH + _STEP / 2, _STEP)
    found = []
    for start in grid:
        length = max(_LENGTH - start, _LENGTH / 2)
        nodes, roots = start + length * (unit + 1) / 2, np.sqrt(weights * length / 2)
        kernel = roots[:, None] * special.airy((nodes[:, None] + nodes) / 2)[0] / 2 * roots
        found.append((np.linalg.det(eye - kernel), np.linalg.det(eye + kernel)))
    less, more = np.array(found).T
    return grid, less, more
