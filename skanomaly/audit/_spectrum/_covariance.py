"""The eigenvalues of a covariance matrix, compared with those of noise."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags

from skanomaly._support._scales import mean_and_scale
from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._ties import settled_threshold
from skanomaly._support._validation import check_rows
from skanomaly.audit._spectrum._ensembles import draw_laguerre
from skanomaly.base import BaseTest

__all__ = ["CovarianceSpectrumTest"]

_TINY = 1e-12
_CLIP = 1e100


class CovarianceSpectrumTest(BaseTest):
    r"""Test whether columns are uncorrelated, by the eigenvalues of their covariance, and count the components.

    Parameters
    ----------
    statistic : {"largest_share", "sphericity", "log_determinant"}, default="largest_share"
        "largest_share" is the largest eigenvalue over the sum of all: most powerful for one common factor. "sphericity"
        is the sum of squares over the square of the sum: most powerful for many weak correlations. "log_determinant" is
        the logarithm of the mean eigenvalue less the mean logarithm (likelihood ratio): most powerful if a column is
        almost a linear combination of others.
    null : {"permutation", "gaussian"}, default="permutation"
        "permutation" divides columns by their standard deviation and permutes each column independently: exact for
        independent columns of any distribution. "gaussian" draws the eigenvalues of independent normal columns of equal
        variance from their tridiagonal model: fast, but differences of the columns' variances and heavy tails count as
        structure.
    n_draws : int, default=999
        Number of permutations or draws.
    alpha : float in (0, 1), default=0.05
        Level at which components are counted, and the fraction of the fitted rows that :meth:`predict` labels -1.
    random_state : int, RandomState instance or None, default=None
        Seeds permutations and draws.

    Attributes
    ----------
    statistic_ : float
        Large values are evidence of structure.
    pvalue_ : float
        P-value, at least 1 / (1 + n_draws).
    eigenvalues_ : ndarray of shape (n_eigenvalues,)
        Eigenvalues of the covariance (or correlation) matrix, the largest first; as many as the smaller of
        `n_features_in_` and the number of rows less one.
    component_pvalues_ : ndarray of shape (n_tested,)
        P-value of each component, the first ones until one is above `alpha`.
    n_components_ : int
        Number of components with a p-value of at most `alpha`.
    components_ : ndarray of shape (max(1, `n_components_`), `n_features_in_`)
        Their directions, in units of the divided columns.
    sample_scores_ : ndarray of shape (n_samples,)
        Score of each fitted row.
    offset_ : float
        Score below which :meth:`predict` labels rows -1.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    laguerre_eigenvalues : The distribution of the eigenvalues without structure.
    tracy_widom : The limit of the largest eigenvalue, for many columns.

    Notes
    -----
    Columns are centred, so that :math:`n` rows have :math:`n - 1` degrees of freedom. The eigenvalues of
    :math:`X^\top X` for independent normal columns are those of a random tridiagonal matrix [1]_, which is drawn
    instead of a table [2]_. For the limit of the largest eigenvalue see [3]_: at 20 columns and 200 rows its 95 %
    quantile is conservative.

    With "gaussian" the component :math:`k` is compared with tables of :math:`k - 1` fewer columns and rows. With
    "permutation" an eigenvalue is compared with that of the same rank in permuted tables (parallel analysis [4]_),
    which is conservative beside strong components.

    *Rows.* The score is minus the sum of squares of the row's coordinates in ``components_``, in standard deviations of
    noise. Rows that create the common factor score lowest.

    References
    ----------
    .. [1] Dumitriu, I., Edelman, A. (2002). Matrix models for beta ensembles. Journal of Mathematical Physics 43.
       https://doi.org/10.1063/1.1507823
    .. [2] Gautier, G., Bardenet, R., Valko, M. (2021). Fast sampling from β-ensembles. Statistics and Computing 31.
       https://doi.org/10.1007/s11222-020-09984-0
    .. [3] Johnstone, I. M. (2001). On the distribution of the largest eigenvalue in principal components analysis.
       Annals of Statistics 29. https://doi.org/10.1214/aos/1009210544
    .. [4] Horn, J. L. (1965). A rationale and test for the number of factors in factor analysis. Psychometrika 30.
       https://doi.org/10.1007/BF02289447

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import CovarianceSpectrumTest
    >>> random = np.random.RandomState(0)
    >>> noise, factors = random.normal(size=(300, 8)), random.normal(size=(300, 2))
    >>> bool(CovarianceSpectrumTest(random_state=0).fit(noise).pvalue_ > 0.05)
    True
    >>> table = noise + factors @ random.normal(size=(2, 8))
    >>> CovarianceSpectrumTest(random_state=0).fit(table).n_components_
    2
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "statistic": [StrOptions({"largest_share", "sphericity", "log_determinant"})],
        "null": [StrOptions({"permutation", "gaussian"})],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        statistic: str = "largest_share",
        null: str = "permutation",
        n_draws: int = 999,
        alpha: float = 0.05,
        random_state: Any = None,
    ) -> None:
        self.statistic = statistic
        self.null = null
        self.n_draws = n_draws
        self.alpha = alpha
        self.random_state = random_state

    def _read(self, X: Any, *, reset: bool) -> NDArray[np.float64]:
        return check_rows(self, X, reset=reset, min_samples=self._min_samples if reset else 1, dtype=np.float64)

    def _test(self, X: NDArray[np.float64]) -> None:
        n, n_columns = X.shape
        self._center, spread = mean_and_scale(X)
        constant = ~(np.ptp(X, axis=0) > 0)
        if self.null == "permutation":
            self._unit = np.where(constant | (spread <= 0), 1.0, spread)
        else:
            largest = float(spread.max())
            self._unit = np.full(n_columns, largest if largest > 0 else 1.0)
        rows = self._standardised(X)
        _, singular, directions = np.linalg.svd(rows, full_matrices=False)
        n_values = min(n_columns, n - 1)
        squares = singular[:n_values] ** 2
        self.eigenvalues_: NDArray[np.float64] = squares / (n - 1)
        rng = child_generators(draw_seed(self.random_state), 1)[0]
        if squares.sum() <= _TINY or n_values < 2:
            self.statistic_, self.pvalue_ = float(n_values == 1), 1.0
            self.component_pvalues_, self.n_components_ = np.ones(1), 0
        else:
            self.statistic_ = float(self._values(squares[None])[0])
            self._judge(rows, squares, rng)
        kept = directions[: max(1, self.n_components_)]
        signs = np.sign(kept[np.arange(len(kept)), np.abs(kept).argmax(axis=1)])
        self.components_: NDArray[np.float64] = kept * np.where(signs == 0, 1.0, signs)[:, None]
        rest = self.eigenvalues_[self.n_components_ :]
        noise = float(np.sqrt(rest.mean())) if rest.size and rest.mean() > _TINY else 1.0
        self._noise = noise
        self._fitted_scores = self._row_scores(X)
        self.offset_ = settled_threshold(
            float(np.percentile(self._fitted_scores, 100 * self.alpha)), self._fitted_scores
        )

    def _standardised(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(over="ignore"):
            return np.clip((X - self._center) / self._unit, -_CLIP, _CLIP)

    def _judge(self, rows: NDArray[np.float64], squares: NDArray[np.float64], rng: np.random.Generator) -> None:
        drawn = self._draw(rows, 0, rng)
        values = self._values(drawn)
        reached = int((values >= self.statistic_ - 1e-9 * abs(self.statistic_)).sum())
        self.pvalue_ = (1 + reached) / (1 + self.n_draws)
        pvalues: list[float] = []
        for place in range(squares.size - 1):
            if self.null == "permutation":
                null, found = drawn[:, place], squares[place]
            else:
                own = drawn if place == 0 else self._draw(rows, place, rng)
                null, found = own[:, 0] / own.sum(axis=1), squares[place] / max(squares[place:].sum(), _TINY)
            pvalues.append((1 + int((null >= found * (1 - 1e-9)).sum())) / (1 + self.n_draws))
            if pvalues[-1] > self.alpha:
                break
        self.component_pvalues_ = np.array(pvalues)
        self.n_components_ = int((self.component_pvalues_ <= self.alpha).sum())

    def _draw(self, rows: NDArray[np.float64], fewer: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return squared singular values of tables without structure, the largest first."""
        n, n_columns = rows.shape
        if self.null == "gaussian":
            low, high = sorted((n_columns - fewer, n - 1 - fewer))  # as many columns and rows are explained
            return draw_laguerre(low, high, 1.0, self.n_draws, None, rng)[:, ::-1]
        n_values = min(n_columns, n - 1)
        drawn = np.empty((self.n_draws, n_values))
        for place in range(self.n_draws):
            table = rng.permuted(rows, axis=0)
            scatter = table.T @ table if n_columns <= n else table @ table.T
            drawn[place] = np.linalg.eigvalsh(scatter)[::-1][:n_values]
        return np.maximum(drawn, 0.0)

    def _values(self, squares: NDArray[np.float64]) -> NDArray[np.float64]:
        total = squares.sum(axis=1)
        if self.statistic == "largest_share":
            return np.asarray(squares[:, 0] / total)
        if self.statistic == "sphericity":
            return np.asarray((squares**2).sum(axis=1) / total**2)
        relative = np.maximum(squares / total[:, None], _TINY)
        return np.asarray(-np.log(squares.shape[1]) - np.log(relative).mean(axis=1))

    def _row_scores(self, X: Any) -> NDArray[np.float64]:
        if X is None:
            return self._fitted_scores
        rows = self._standardised(X)
        coordinates = np.zeros((len(rows), len(self.components_)))
        for place, direction in enumerate(self.components_):  # column by column: no score depends on its batch
            for column, weight in zip(rows.T, direction, strict=True):
                coordinates[:, place] += weight * column
        return np.asarray(-((coordinates / self._noise) ** 2).sum(axis=1))

    def _row_offset(self) -> float:
        return self.offset_

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags
