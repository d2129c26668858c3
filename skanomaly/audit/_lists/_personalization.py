"""Whether what was collected depends on who asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["PersonalizationReport", "personalization_test"]


@dataclass(frozen=True)
class PersonalizationReport:
    """How the values that two profiles were shown differ.

    Attributes
    ----------
    n_keys : int
        Keys that all collections have.
    different : float
        Fraction of these keys with different values for the two profiles.
    different_interval : tuple of float
        Exact interval of that fraction (Clopper and Pearson).
    mean_difference : float
        Mean of the second profile's value less the first's; NaN if values are not numbers.
    mean_pvalue : float
        P-value of a mean difference of 0: paired permutations that exchange the profiles of single keys. NaN likewise.
    control_different : float
        Fraction of the keys with different values for the first profile and its control; NaN without a control.
    control_pvalue : float
        One-sided P-value that the second profile differs no more often than the control (exact McNemar test); NaN
        without a control.

    Examples
    --------
    >>> from skanomaly.audit import personalization_test
    >>> personalization_test({"a": 1, "b": 2}, {"a": 1, "b": 3}, random_state=0).different
    0.5
    """

    n_keys: int
    different: float
    different_interval: tuple[float, float]
    mean_difference: float
    mean_pvalue: float
    control_different: float
    control_pvalue: float


@validate_params(
    {
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def personalization_test(
    first: Mapping[Any, Any],
    second: Mapping[Any, Any],
    *,
    control: Mapping[Any, Any] | None = None,
    n_permutations: int = 9999,
    confidence: float = 0.9,
    random_state: Any = None,
) -> PersonalizationReport:
    """Test whether two profiles, such as two users or two countries, are shown different values.

    Parameters
    ----------
    first, second : dict
        Maps each key, such as a product or a query, to the value that a profile was shown at the same time.
    control : dict or None, default=None
        Values shown to a second copy of the first profile. Its differences are noise, such as changes between requests;
        without it, noise counts as personalisation in `different`.
    n_permutations : int, default=9999
        Number of permutations for the mean difference. All exchanges are computed instead where they are no more.
    confidence : float in (0, 1), default=0.9
        Confidence of the interval.
    random_state : int, RandomState instance or None, default=None
        Seeds the permutations.

    Returns
    -------
    PersonalizationReport

    Raises
    ------
    ValueError
        If the collections have no key in common, a value is missing, or a parameter is out of range.
    TypeError
        If a collection is no dictionary.

    Notes
    -----
    Keys are assumed to be shown independently of each other. The scheme of two equal profiles beside a different one is
    that of [1]_.

    References
    ----------
    .. [1] Hannak, A. et al. (2013). Measuring personalization of web search. International Conference on World Wide
       Web. https://doi.org/10.1145/2488388.2488435

    Examples
    --------
    >>> from skanomaly.audit import personalization_test
    >>> prices = {key: 10.0 + key for key in range(20)}
    >>> higher = {key: value * 1.1 for key, value in prices.items()}
    >>> report = personalization_test(prices, higher, control=prices, random_state=0)
    >>> (
    ...     report.different,
    ...     report.control_different,
    ...     report.mean_pvalue < 0.001,
    ...     report.control_pvalue < 0.001,
    ... )
    (1.0, 0.0, True, True)
    """
    given = {"first": first, "second": second} | ({} if control is None else {"control": control})
    for name, values in given.items():
        if not isinstance(values, Mapping):
            raise TypeError(f"{name} is a {type(values).__name__}; give a dictionary that maps keys to values.")
    keys = [key for key in first if all(key in values for values in given.values())]
    if not keys:
        raise ValueError("The collections have no key in common.")
    for name, values in given.items():
        missing = [key for key in keys if _is_missing(values[key])]
        if missing:
            raise ValueError(
                f"{name} has {len(missing)} missing values, first at {missing[0]!r}; leave these keys out."
            )
    differs = np.array([first[key] != second[key] for key in keys])
    interval = stats.binomtest(int(differs.sum()), len(keys)).proportion_ci(confidence)
    mean, mean_pvalue = float("nan"), float("nan")
    if all(isinstance(values[key], Real) for values in (first, second) for key in keys):
        gaps = np.array([float(second[key]) - float(first[key]) for key in keys])
        mean, mean_pvalue = float(gaps.mean()), _sign_flips(gaps, n_permutations, random_state)
    noise, control_pvalue = float("nan"), float("nan")
    if control is not None:
        other = np.array([first[key] != control[key] for key in keys])
        noise = float(other.mean())
        only, all_unequal = int((differs & ~other).sum()), int((differs != other).sum())
        control_pvalue = float(stats.binom.sf(only - 1, all_unequal, 0.5)) if all_unequal else 1.0
    return PersonalizationReport(
        n_keys=len(keys),
        different=float(differs.mean()),
        different_interval=(float(interval.low), float(interval.high)),
        mean_difference=mean,
        mean_pvalue=mean_pvalue,
        control_different=noise,
        control_pvalue=control_pvalue,
    )


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, Real) and bool(np.isnan(float(value))))


def _sign_flips(gaps: NDArray[np.float64], n_permutations: int, random_state: Any) -> float:
    """Return the two-sided p-value of the mean when each gap may have either sign."""
    gaps = gaps[gaps != 0]
    if not gaps.size:
        return 1.0
    observed = abs(gaps.sum()) * (1 - 1e-12)
    if gaps.size < 63 and 2**gaps.size <= n_permutations + 1:
        codes = np.arange(2**gaps.size)[:, None] >> np.arange(gaps.size)
        return float((np.abs(((codes & 1) * 2 - 1) @ gaps) >= observed).mean())
    random = generator(random_state)
    reached = 0
    for start in range(0, n_permutations, 1000):
        signs = random.integers(2, size=(min(1000, n_permutations - start), gaps.size)) * 2.0 - 1
        reached += int((np.abs(signs @ gaps) >= observed).sum())
    return (1 + reached) / (1 + n_permutations)
