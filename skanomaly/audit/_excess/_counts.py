"""How significant a count is, where the expected count is uncertain."""

from numbers import Real

import numpy as np

from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["count_significance"]


@validate_params(
    {
        "observed": [Interval(Real, 0, None, closed="left")],
        "expected": [Interval(Real, 0, None, closed="neither")],
        "expected_std": [Interval(Real, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def count_significance(observed: float, expected: float, expected_std: float = 0.0) -> float:
    r"""Return how many standard deviations a count is above an expected count that is itself uncertain.

    Parameters
    ----------
    observed : float
        Observed count, at least 0.
    expected : float
        Expected count, above 0.
    expected_std : float, default=0.0
        Standard deviation of the expected count. 0 means that it is known exactly.

    Returns
    -------
    float
        Significance, the square root of the likelihood ratio; negative where fewer are observed than expected. For a
        one-sided p-value give it to ``scipy.stats.norm.sf``.

    Raises
    ------
    ValueError
        If a number is out of range.

    Notes
    -----
    With :math:`n` observed, :math:`b` expected and :math:`\sigma` its standard deviation,

    .. math:: Z^2 = 2 n \ln \frac{n (b + \sigma^2)}{b^2 + n \sigma^2}
        - \frac{2 b^2}{\sigma^2} \ln\Bigl(1 + \frac{\sigma^2 (n - b)}{b (b + \sigma^2)}\Bigr).

    References
    ----------
    .. [1] Cowan, G., Cranmer, K., Gross, E., Vitells, O. (2011). Asymptotic formulae for likelihood-based tests of new
       physics. European Physical Journal C 71. https://doi.org/10.1140/epjc/s10052-011-1554-0

    Examples
    --------
    >>> from skanomaly.audit import count_significance
    >>> round(count_significance(50, 30), 3), round(count_significance(50, 30, 3), 3)
    (3.329, 2.855)
    """
    n, b, variance = float(observed), float(expected), float(expected_std) ** 2
    if variance <= 1e-9 * b:
        half = (n * np.log(n / b) if n else 0.0) - (n - b)
    else:
        first = n * (np.log(n) + np.log(b + variance) - np.log(b * b + n * variance)) if n else 0.0
        half = first - b * b / variance * np.log1p(variance * (n - b) / (b * (b + variance)))
    return float(np.sign(n - b) * np.sqrt(2 * max(half, 0.0)))
