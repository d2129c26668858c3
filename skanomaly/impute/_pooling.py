"""Rubin's rules."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skanomaly._support._results import ShortRepr

__all__ = ["PooledEstimate", "pool_estimates"]


@dataclass(frozen=True, repr=False)
class PooledEstimate(ShortRepr):
    """An estimate from several completed tables.

    Attributes
    ----------
    estimate : ndarray
        Mean of the tables' estimates.
    variance : ndarray
        Total variance: ``within + (1 + 1 / m) between``.
    within, between : ndarray
        Mean of the tables' sampling variances; variance of their estimates.
    degrees_of_freedom : ndarray
        Of Student's t for ``(estimate - truth) / sqrt(variance)``.

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
        """Return the ends of the central t interval.

        Parameters
        ----------
        level : float, default=0.95

        Returns
        -------
        tuple of (ndarray, ndarray)

        Raises
        ------
        ValueError
            If `level` is not in (0, 1).
        """
        if not 0 < level < 1:
            raise ValueError(f"level={level} must lie between 0 and 1.")
        reach = stats.t.ppf((1 + level) / 2, self.degrees_of_freedom) * np.sqrt(self.variance)
        return self.estimate - reach, self.estimate + reach


def pool_estimates(
    estimates: Any, variances: Any, *, complete_degrees_of_freedom: float | None = None
) -> PooledEstimate:
    """Pool the estimates of several completed tables by Rubin's rules.

    Parameters
    ----------
    estimates : array-like of shape (n_imputations, ...)
        One estimate, or array of estimates, per table.
    variances : array-like of shape (n_imputations, ...)
        Their sampling variances (squared standard errors).
    complete_degrees_of_freedom : float, default=None
        Degrees of freedom the estimate would have without missing cells, for example n - 1 for a mean. With it the
        small-sample degrees of freedom of Barnard and Rubin are used; None stands for infinity.

    Returns
    -------
    PooledEstimate

    Raises
    ------
    ValueError
        If the shapes differ, fewer than two tables are given, or a variance is negative.

    See Also
    --------
    KNNSamplerImputer.sample : Completed tables.

    Notes
    -----
    With m tables, within variance W, between variance B and r = (1 + 1/m) B / W, Rubin's degrees of freedom are
    (m - 1) (1 + 1/r)^2 [1]_. With nu complete-data degrees of freedom and g = (1 + 1/m) B / T those of the observed
    data are (nu + 1) / (nu + 3) nu (1 - g), and the harmonic sum of both is taken [2]_.

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
        raise ValueError("estimates must hold those of at least two completed tables.")
    if (spreads < 0).any():
        raise ValueError(f"variances holds {spreads.min():g}; variances are not negative.")
    n_tables = len(means)
    within, between = spreads.mean(axis=0), means.var(axis=0, ddof=1)
    extra = (1 + 1 / n_tables) * between
    total = within + extra
    share = np.divide(extra, total, out=np.zeros_like(total), where=total > 0)
    with np.errstate(divide="ignore"):
        freedom = (n_tables - 1) / share**2
        if complete_degrees_of_freedom is not None:
            nu = complete_degrees_of_freedom
            freedom = 1 / (1 / freedom + 1 / ((nu + 1) / (nu + 3) * nu * (1 - share)))
    return PooledEstimate(means.mean(axis=0), total, within, between, freedom)
