"""The variance of kriging: how well a row's place could be interpolated from the training rows."""

from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from sklearn.utils import Tags

from skanomaly._support._blocks import map_blocks, row_blocks, single_blas_thread
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.base import BaseDetector
from skanomaly.detectors._mixed import (
    Encoded,
    MixedSpace,
    ValueLookup,
    categorical_columns,
    check_mixed_rows,
    fixed_product,
)

__all__ = ["KrigingDetector"]

_BLOCK_ROWS = 256
_FAR = 1e6  # variogram of infinitely distant rows; keeps the kriging matrix well conditioned
Floats = NDArray[np.float64]


class KrigingDetector(BaseDetector):
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "noise": [Interval(Real, 0, None, closed="left")],
        "exponent": [Interval(Real, 0, 2, closed="neither")],
        "covariance": [StrOptions({"ledoit_wolf", "oas", "empirical", "robust"}), None],
        "max_samples": [Interval(Integral, 2, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        noise: float = 0.01,
        exponent: float = 1.0,
        covariance: str | None = None,
        max_samples: int = 1000,
        contamination: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.noise = noise
        self.exponent = exponent
        self.covariance = covariance
        self.max_samples = max_samples
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags

    def _check(self, X: Any, *, reset: bool) -> NDArray[Any]:
        return check_mixed_rows(self, X, reset=reset, min_samples=self._min_samples if reset else 1)

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:  # the hook's form
        normal = X[y >= 0]
        if len(normal) < self._min_samples:
            raise ValueError(f"y leaves {len(normal)} rows that are not -1; a fit needs at least 2.")
        random = generator(self.random_state)
        rows = normal
        if len(normal) > self.max_samples:
            rows = normal[np.sort(random.choice(len(normal), self.max_samples, replace=False))]
        first, counts = np.unique(ValueLookup(rows).find(rows), return_counts=True)
        self.bank_, self.bank_counts_ = rows[first], counts
        self._lookup = ValueLookup(self.bank_)
        with single_blas_thread():
            self._space = MixedSpace(
                rows if self.covariance is None else normal,
                categorical_columns(self),
                covariance=self.covariance,
                random_state=int(random.integers(2**31 - 1)),
            )
            self._bank = self._space.encode(self.bank_)
            self._solve()

    def _solve(self) -> None:
        """Invert the kriging matrix and take the leave-one-out variances from its diagonal."""
        squares = self._space.squared_distances(self._bank, self._bank)
        np.fill_diagonal(squares, 0.0)
        pairs = squares[np.triu_indices(len(squares), 1)]
        pairs = pairs[pairs > 0]
        self._unit = float(np.median(pairs)) if pairs.size > 0 else 1.0
        self.scale_ = float(np.sqrt(self._unit) / self._space.unit)
        system = _invert(self._variogram(squares), self.noise, self.bank_counts_)
        self._inverse, self._weights, self._constant = system.inverse, system.weights, system.constant
        self.noise_ = self.noise + system.extra
        self._left_out = system.left_out + self.noise_

    def _variogram(self, squares: Floats) -> Floats:
        with np.errstate(over="ignore"):
            relative = np.minimum(squares / self._unit, _FAR**20)
        powers = np.sqrt(relative) if self.exponent == 1 else relative ** (self.exponent / 2)
        return powers / (1.0 + powers / _FAR)

    def _outlyingness(self, X: NDArray[Any]) -> Floats:
        same = self._lookup.find(X)
        outlyingness = self._left_out[same]
        others = np.flatnonzero(same < 0)

        def fill(part: slice) -> None:
            outlyingness[others[part]] = self._variances(self._space.encode(X[others[part]]))

        map_blocks(fill, row_blocks(len(others), _BLOCK_ROWS), n_jobs=self.n_jobs)
        return outlyingness

    def _variances(self, queries: Encoded) -> Floats:
        """Return the kriging variances of rows that are not in the bank."""
        variogram = self._variogram(self._space.squared_distances(queries, self._bank))
        # The inverse maps constants to 0: without the smallest entry nothing cancels for a row far from all others.
        nearest = variogram.min(axis=1)
        variogram -= nearest[:, None]
        slopes = 2.0 * self._weights - fixed_product(variogram, self._inverse)
        variances = np.einsum("ij,ij->i", slopes, variogram) + (2.0 * nearest - self._constant)
        return np.maximum(variances, 0.0) + self.noise_


class _System(NamedTuple):
    """The inverse of a kriging matrix, and what follows from it.

    Attributes
    ----------
    inverse, weights, constant
        Blocks of the inverse of [[C, 1], [1', 0]]: (n, n), (n,) and a number.
    left_out : ndarray of shape (n,)
        Variance at each place without one of its copies.
    extra : float
        What was added to all nuggets to make the matrix definite.
    """

    inverse: Floats
    weights: Floats
    constant: float
    left_out: Floats
    extra: float


def _invert(variogram: Floats, noise: float, counts: NDArray[np.intp]) -> _System:
    """Invert the kriging matrix of distinct places, each the mean of `counts` noisy copies.

    With the differences from the last place the constraint that weights sum to 1 is gone, and what is left is
    symmetric and positive definite.
    """
    covariance = np.diag(noise / counts) - variogram
    if len(counts) == 1:
        inverse, extra = np.zeros((1, 1)), 0.0
    else:
        last = covariance[:-1, -1]
        differences = covariance[:-1, :-1] - last[:, None] - last[None, :] + covariance[-1, -1]
        inner, extra = _inverse(differences)
        sums = inner.sum(axis=0)
        inverse = np.block([[inner, -sums[:, None]], [-sums[None, :], sums.sum(keepdims=True)[None, :]]])
        covariance[np.diag_indices(len(counts))] += extra
    weights = -(covariance[-1] @ inverse)
    weights[-1] += 1.0
    constant = -float(covariance[-1] @ weights)
    nuggets = noise / counts + extra
    diagonal = np.diag(inverse)
    with np.errstate(divide="ignore"):
        without = np.maximum(1.0 / diagonal - nuggets, 0.0)
        # The precision of the other copies of a place adds to that of all other places.
        copies = 1.0 / (noise / np.maximum(counts - 1, 1) + extra)
        left_out = 1.0 / (1.0 / without + np.where(counts > 1, copies, 0.0))
    return _System(inverse, weights, constant, left_out, extra)


def _inverse(matrix: Floats) -> tuple[Floats, float]:
    """Invert a covariance of differences from one place; return what was added to all nuggets to make it definite."""
    largest = float(np.diag(matrix).max())
    rounding = len(matrix) * np.finfo(np.float64).eps * max(largest, np.finfo(np.float64).tiny)
    inverse = _cholesky_inverse(matrix, rounding)
    if inverse is not None:
        return inverse, 0.0
    # A nugget adds to the diagonal, and that of the one place to all entries: no eigenvalue grows by less than it.
    extra = max(-float(scipy.linalg.eigvalsh(matrix, subset_by_index=(0, 0))[0]), 0.0) + 4.0 * rounding
    while inverse is None:
        inverse = _cholesky_inverse(matrix + extra * (np.eye(len(matrix)) + 1.0), rounding)
        if inverse is None:
            extra *= 10.0
    return inverse, extra


def _cholesky_inverse(matrix: Floats, rounding: float) -> Floats | None:
    """Invert a positive definite matrix; None where it is none, up to rounding."""
    try:
        factor = scipy.linalg.cholesky(matrix, lower=True, check_finite=False)
    except scipy.linalg.LinAlgError:
        return None
    if np.square(np.diag(factor)).min() <= rounding:
        return None
    root = scipy.linalg.solve_triangular(factor, np.eye(len(matrix)), lower=True, check_finite=False)
    return np.asarray(root.T @ root)
