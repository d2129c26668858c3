"""The variance of kriging: how well a row's place could be interpolated from the training rows."""

from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from skanomaly._support._blocks import map_blocks, row_blocks, single_blas_thread
from skanomaly._support._chunks import Chunks
from skanomaly._support._hooks import normal_samples
from skanomaly._support._mixed_rows import category_columns
from skanomaly._support._products import fixed_product
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.detectors._mixed import (
    Encoded,
    MixedSpace,
    ValueLookup,
)
from skanomaly.detectors._mixed_detector import MixedDetector

__all__ = ["KrigingDetector"]

_BLOCK_ROWS = 256
_FAR = 1e6  # variogram of infinitely distant rows; keeps the kriging matrix well conditioned
_SMALLEST = 1e-9  # least variance of a row given others that the inverse resolves
Floats = NDArray[np.float64]


class KrigingDetector(MixedDetector):
    r"""Kriging variance: how badly a value at a row's place could be predicted from values at the training rows.

    Imagine an unknown function of the columns that changes at a random, everywhere equal rate, measured at the training
    rows. The variance of the best unbiased linear prediction at a new place depends on the places alone: it is small
    among many training rows and grows with the distance from them. In contrast to the distance to one neighbour it
    counts all rows around a place, and the directions in which they lie. It assumes no shape of the data and has no
    width to choose. Best on clean training data.

    Parameters
    ----------
    noise : float, default=0.01
        Variance of the noise of a measurement (the nugget), as a fraction of the variogram at the median distance of
        two different rows; at least 0. It does not depend on the units of the table. More noise counts the copies and
        near neighbours of a row less: 1 is better where the training data contain anomalies.
    exponent : float, default=1.0
        Power of the distance in the variogram, in (0, 2). Results hardly depend on it between 0.5 and 1.5.
    covariance : {"ledoit_wolf", "oas", "empirical", "robust"} or None, default=None
        Whiten the number columns by this estimate of the covariance of the training rows. "empirical" and "robust" need
        many more rows than columns. None takes the columns as they are.
    max_samples : int, default=1000
        Training rows kept in the bank, chosen at random where there are more; at least 2.
    contamination : float, default=0.1
        Fraction of the training rows that is flagged, in (0, 0.5].
    n_jobs : int or None, default=None
        Threads over blocks of rows; results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        For the choice of the bank and for "robust".

    Attributes
    ----------
    bank_ : ndarray of shape (n_bank, n_features)
        Training rows kept, each once; missing values are NaN, categories are codes.
    bank_counts_ : ndarray of shape (n_bank,)
        Copies of each of them among the rows chosen.
    scale_ : float
        Median distance of two rows of the bank, in the units of the table or, with `covariance`, after whitening.
    noise_ : float
        `noise`, plus what the kriging matrix needed to be positive definite; nothing for most tables.
    offset_ : float
        Threshold on ``score_samples``: rows that score below are anomalies.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    NearestNeighborsDetector : Distance to the nearest training row; explains its scores by column.
    MultiscaleNeighborsDetector : For training data that contain groups of anomalies.
    skanomaly.embeddings.DistillationDetector : Errors of students of one level of a network on another; the variance of
        kriging is its closed form for a random target.
    sklearn.gaussian_process.GaussianProcessRegressor : Predicts values of a function, with a variance.

    Notes
    -----
    With :math:`t = \lVert x - y \rVert / s`, :math:`s` the median distance of two different rows, the variogram of two
    noisy measurements is

    .. math:: \gamma(x, y) = \frac{t^p}{1 + 10^{-6}\, t^p} + \nu \quad (x \ne y),

    which is :math:`t^p + \nu` for all but extreme distances; the bound keeps the system solvable beside a huge value,
    and is a variogram for every :math:`p` in (0, 2). With the matrix :math:`\Gamma` of the bank's rows (0 on its
    diagonal) and the vector :math:`\gamma` of :math:`x` and these rows, the score is minus the variance of ordinary
    kriging,

    .. math::

        \sigma^2(x) = g^\top A^{-1} g, \qquad
        A = \begin{pmatrix} \Gamma & 1 \\ 1^\top & 0 \end{pmatrix}, \qquad
        g = \begin{pmatrix} \gamma \\ 1 \end{pmatrix}.

    It is an intrinsic random function of Matheron (1973), whose mean need not be known. Zanger and others (2026) show
    that the squared error of random network distillation, a novelty score of neural networks, is such a variance in the
    limit of infinite width, with the kernel of the network. What we changed: the kernel is :math:`-t^p`, which has no
    width and does not saturate.

    A row of the bank scores the variance that it would have without one of its copies, to rounding: one over the
    diagonal entry of the inverse (Dubrule 1983), to which the precision of the other copies is added. The same score
    has every row with these values. Copies are merged to one row of noise :math:`\nu` divided by their number, which
    changes no score. ``noise=0`` lets a single copy explain a row altogether.

    Columns count in their own units: standardise numbers first, or whiten. Two categories that differ count as a
    difference of :math:`\sqrt 2`, what two random values of a standardised column differ by in the quadratic mean; a
    missing category, and one that training did not have, are categories of their own. A missing number is at the mean
    of its column and its variance away from it in a direction of its own: as far from a random value as two random
    values are, and equal to another missing number. This keeps distances Euclidean, and the matrix definite.

    `y`: rows labelled -1 are left out of the bank; +1 and 0 count alike.

    A variance is no sum over columns; there is no ``feature_contributions``.

    Cost: O(m³) once for a bank of m rows, O(n m (m + d)) for scoring n rows; fitting scores the training rows that are
    not in the bank. Memory: one matrix of m times m numbers.

    References
    ----------
    .. [1] Matheron, G. (1973). "The intrinsic random functions and their applications". Advances in Applied Probability
       5(3), 439-468. https://doi.org/10.1017/S0001867800039379
    .. [2] Dubrule, O. (1983). "Cross validation of kriging in a unique neighborhood". Mathematical Geology 15(6),
       687-699. https://doi.org/10.1007/BF01033232
    .. [3] Zanger, M. A., Wu, Y., van der Vaart, P. R., Böhmer, W. and Spaan, M. T. J. (2026). "On the equivalence of
       random network distillation, deep ensembles, and Bayesian inference". arXiv:2602.19964.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import KrigingDetector
    >>> angles = np.linspace(0, 6.28, 100)
    >>> ring = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> detector = KrigingDetector(contamination=0.05).fit(ring)
    >>> detector.predict([[0.0, 0.0], [0.0, 1.0]])
    array([-1,  1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MixedDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
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

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:  # the hook's form
        normal = X[normal_samples(y, self._min_samples, "rows")]
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
                category_columns(self),
                covariance=self.covariance,
                random_state=int(random.integers(2**31 - 1)),
            )
            self._bank = self._space.encode(self.bank_)
            self._solve()

    def _solve(self) -> None:
        """Invert the kriging matrix and take the leave-one-out variances from its diagonal."""
        squares = self._space.squared_distances(self._bank, self._bank)
        np.fill_diagonal(squares, 0.0)
        pairs = np.sqrt(squares[np.triu_indices(len(squares), 1)])
        pairs = pairs[pairs > 0]
        self._unit = float(np.median(pairs)) if pairs.size > 0 else 1.0
        self.scale_ = self._unit / self._space.unit
        system = _invert(self._variogram(squares), self.noise, self.bank_counts_)
        self._inverse, self._weights, self._constant = system.inverse, system.weights, system.constant
        self.noise_ = self.noise + system.extra
        self._left_out = system.left_out + self.noise_

    def _fit_chunks(self, table: Chunks) -> None:
        self._fit_sample(table)

    def _variogram(self, squares: Floats) -> Floats:
        with np.errstate(over="ignore"):
            relative = np.minimum(squares / self._unit**2, _FAR**20)
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
    smallest = max(_SMALLEST, len(matrix) * float(np.finfo(np.float64).eps) * largest)
    inverse = _cholesky_inverse(matrix, smallest)
    if inverse is not None:
        return inverse, 0.0
    # A nugget adds to the diagonal, and that of the one place to all entries: no eigenvalue grows by less than it.
    extra = max(-float(scipy.linalg.eigvalsh(matrix, subset_by_index=(0, 0))[0]), 0.0) + 4.0 * smallest
    while inverse is None:
        inverse = _cholesky_inverse(matrix + extra * (np.eye(len(matrix)) + 1.0), smallest)
        if inverse is None:
            extra *= 10.0
    return inverse, extra


def _cholesky_inverse(matrix: Floats, smallest: float) -> Floats | None:
    """Invert a positive definite matrix; None where it is none, or a row's variance given those before is too small."""
    try:
        factor = scipy.linalg.cholesky(matrix, lower=True, check_finite=False)
    except scipy.linalg.LinAlgError:
        return None
    if np.square(np.diag(factor)).min() <= smallest:
        return None
    root = scipy.linalg.solve_triangular(factor, np.eye(len(matrix)), lower=True, check_finite=False)
    return np.asarray(root.T @ root)
