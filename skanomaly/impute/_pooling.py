"""Pooled estimates from multiple imputations by Rubin's rules."""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skanomaly._support._results import ShortRepr
from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["PooledEstimate", "pool_estimates"]


@dataclass(frozen=True, repr=False)
class PooledEstimate(ShortRepr):
    """An estimate from several imputed tables.

    Attributes
    ----------
    estimate : ndarray
        Mean of the estimates of all tables.
    variance : ndarray
        Total variance: ``within + (1 + 1 / m) between``.
    within, between : ndarray
        Mean of the sampling variances, and variance of the estimates, of the tables.
    degrees_of_freedom : ndarray
        Of Student's t distribution of ``(estimate - true value) / sqrt(variance)``.

    Examples
    --------
    >>> from skanomaly.impute import pool_estimates
    >>> pooled = pool_estimates([1.0, 1.2, 0.9, 1.1], [0.04, 0.05, 0.04, 0.05])
    >>> lower, upper = pooled.confidence_interval(0.95)
    >>> print(f"{pooled.estimate:.2f} in [{lower:.2f}, {upper:.2f}]")
    1.05 in [0.53, 1.57]
    """

    estimate: NDArray[np.float64]
    variance: NDArray[np.float64]
    within: NDArray[np.float64]
    between: NDArray[np.float64]
    degrees_of_freedom: NDArray[np.float64]

    def confidence_interval(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return a confidence interval from Student's t distribution.

        Parameters
        ----------
        level : float, default=0.95
            Confidence level, in (0, 1).

        Returns
        -------
        lower, upper : ndarray

        Raises
        ------
        ValueError
            If `level` is not in (0, 1).
        """
        if not 0 < level < 1:
            raise ValueError(f"level={level} must lie between 0 and 1.")
        margin = stats.t.ppf((1 + level) / 2, self.degrees_of_freedom) * np.sqrt(self.variance)
        return self.estimate - margin, self.estimate + margin


@validate_params(
    {
        "estimates": ["array-like"],
        "variances": ["array-like"],
        "complete_degrees_of_freedom": [Interval(Real, 0, None, closed="neither"), None],
    },
    prefer_skip_nested_validation=True,
)
def pool_estimates(
    estimates: Any, variances: Any, *, complete_degrees_of_freedom: float | None = None
) -> PooledEstimate:
    """Pool the estimates from several imputed tables by Rubin's rules.

    Parameters
    ----------
    estimates : array-like of shape (n_imputations, ...)
        One estimate, or array of estimates, per table.
    variances : array-like of shape (n_imputations, ...)
        Sampling variances (squared standard errors) of the estimates.
    complete_degrees_of_freedom : float, default=None
        Degrees of freedom of the estimate if no value were missing, for example n - 1 for a mean. If given, the
        degrees of freedom for small samples of Barnard and Rubin are used; None means infinity.

    Returns
    -------
    PooledEstimate

    Raises
    ------
    ValueError
        If the shapes differ, fewer than two tables are given, or a variance is negative.

    See Also
    --------
    KNNSamplerImputer.sample : Imputes a table several times.

    Notes
    -----
    With m tables, within variance W, between variance B and r = (1 + 1/m) B / W, Rubin's degrees of freedom are
    (m - 1) (1 + 1/r)^2 [1]_. With nu degrees of freedom of the complete data, total variance T and g = (1 + 1/m) B / T,
    those of the observed data are (nu + 1) / (nu + 3) nu (1 - g), and the result is the harmonic sum of both [2]_.

    References
    ----------
    .. [1] Rubin, D. B. "Multiple Imputation for Nonresponse in Surveys", Wiley, 1987.
       https://doi.org/10.1002/9780470316696
    .. [2] Barnard, J., Rubin, D. B. "Small-Sample Degrees of Freedom with Multiple Imputation", Biometrika 86, 1999.
       https://doi.org/10.1093/biomet/86.4.948

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.impute import KNNSamplerImputer, pool_estimates
    >>> random = np.random.Generator(np.random.PCG64(0))
    >>> X = random.normal(size=(200, 1)) + random.normal(size=(200, 2))
    >>> X[::3, 0] = np.nan
    >>> tables = KNNSamplerImputer(random_state=0).fit(X).sample(X, 20, bootstrap=True)
    >>> means = [table.mean(axis=0) for table in tables]
    >>> variances = [table.var(axis=0, ddof=1) / len(table) for table in tables]
    >>> pool_estimates(means, variances, complete_degrees_of_freedom=199).estimate.shape
    (2,)
    """
    means, spreads = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if means.shape != spreads.shape:
        raise ValueError(f"estimates has shape {means.shape} and variances {spreads.shape}; they must agree.")
    if means.ndim == 0 or len(means) < 2:
        raise ValueError("estimates needs the estimates of at least two imputed tables.")
    if (spreads < 0).any():
        raise ValueError(f"variances contains {spreads.min():g}; a variance cannot be negative.")
    n_tables = len(means)
    within, between = spreads.mean(axis=0), means.var(axis=0, ddof=1)
    extra = (1 + 1 / n_tables) * between
    total = within + extra
    fraction = np.divide(extra, total, out=np.zeros_like(total), where=total > 0)
    with np.errstate(divide="ignore"):
        freedom = (n_tables - 1) / fraction**2
        if complete_degrees_of_freedom is not None:
            nu = complete_degrees_of_freedom
            freedom = 1 / (1 / freedom + 1 / ((nu + 1) / (nu + 3) * nu * (1 - fraction)))
    return PooledEstimate(means.mean(axis=0), total, within, between, freedom)
