"""How much of a population was collected, how fast what was collected changes, and whether it depends on who asks."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
from scipy import stats

from skanomaly._support._items import require_items
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.audit._lists._windows import cliffs_delta

__all__ = ["CoverageEstimate", "VolatilityReport", "coverage_estimate", "volatility_report"]


@dataclass(frozen=True)
class CoverageEstimate:
    """Size of a population, estimated from lists that overlap.

    Attributes
    ----------
    n_seen : int
        Distinct keys in any list.
    size : float
        Estimated size of the population.
    interval : tuple of float
        Interval of the size.
    coverage : float
        ``n_seen / size``.

    Examples
    --------
    >>> from skanomaly.audit import coverage_estimate
    >>> coverage_estimate(range(10), range(5, 20)).n_seen
    20
    """

    n_seen: int
    size: float
    interval: tuple[float, float]
    coverage: float


@validate_params({"confidence": [Interval(Real, 0, 1, closed="neither")]}, prefer_skip_nested_validation=True)
def coverage_estimate(*lists: Sequence[Hashable], confidence: float = 0.9) -> CoverageEstimate:
    r"""Estimate the size of a population from several incomplete lists (capture-recapture).

    Parameters
    ----------
    *lists : sequence of hashable
        Two or more lists of keys, such as the products that two crawls of a site found. Repeated keys count once.
    confidence : float in (0, 1), default=0.9
        Confidence of the interval.

    Returns
    -------
    CoverageEstimate

    Raises
    ------
    ValueError
        If there are fewer than two lists, one is empty or a text, or `confidence` is out of range.

    Notes
    -----
    Two lists of :math:`n_1` and :math:`n_2` keys, :math:`m` of them in both, give Chapman's estimate
    :math:`(n_1 + 1)(n_2 + 1) / (m + 1) - 1`; the interval is log-normal in the number that was not seen. It assumes
    that the lists are independent. Usually the same keys are easy to find in both, and then the estimate is too small:
    take it as a lower bound. More lists give Chao's lower bound [1]_, with a bias correction,
    from the numbers of keys seen in one and in two lists; it holds where keys differ in how easily they are found.

    References
    ----------
    .. [1] Chao, A. (1987). Estimating the population size for capture-recapture data with unequal catchability.
       Biometrics 43. https://doi.org/10.2307/2531532

    Examples
    --------
    >>> from skanomaly.audit import coverage_estimate
    >>> found = coverage_estimate(range(10), range(5, 20))
    >>> round(found.size, 2), round(found.coverage, 2)
    (28.33, 0.71)
    """
    if len(lists) < 2:
        raise ValueError(f"{len(lists)} lists are given; the overlap of at least 2 is needed.")
    for place, keys in enumerate(lists):
        if isinstance(keys, str | bytes):
            raise ValueError(f"List {place} is the text {keys[:20]!r}, whose letters are no keys: give a list of keys.")
    sets = [set(keys) for keys in lists]
    if not all(sets):
        raise ValueError("One of the lists is empty; leave it out.")
    seen = set().union(*sets)
    if len(sets) == 2:
        first, second, both = len(sets[0]), len(sets[1]), len(sets[0] & sets[1])
        size = (first + 1) * (second + 1) / (both + 1) - 1
        variance = (first + 1) * (second + 1) * (first - both) * (second - both) / ((both + 1) ** 2 * (both + 2))
    else:
        counts = np.bincount([sum(key in keys for keys in sets) for key in seen], minlength=3)
        once, twice, ratio = float(counts[1]), float(counts[2]), (len(sets) - 1) / len(sets)
        size = len(seen) + ratio * once * max(once - 1, 0) / (2 * (twice + 1))
        relative = once / (twice + 1)
        variance = (twice + 1) * (relative**4 / 4 + relative**3 + relative**2 / 2)
    return CoverageEstimate(len(seen), float(size), _interval(len(seen), size, variance, confidence), len(seen) / size)


def _interval(n_seen: int, size: float, variance: float, confidence: float) -> tuple[float, float]:
    """Return an interval of the size that is log-normal in the number not seen."""
    unseen = size - n_seen
    if unseen <= 0:
        return float(n_seen), float(size)
    spread = float(np.exp(stats.norm.isf((1 - confidence) / 2) * np.sqrt(np.log1p(variance / unseen**2))))
    return n_seen + unseen / spread, n_seen + unseen * spread


@dataclass(frozen=True)
class VolatilityReport:
    """How a list changed between snapshots.

    Attributes
    ----------
    n_keys : int
        Distinct keys in any snapshot.
    vanished, appeared : tuple of float
        Between each two snapshots, fraction of the keys that vanished, and of the new ones among the later keys.
    changed : tuple of float
        Fraction of the keys in both snapshots whose value changed. Empty if there are no values.
    survival : tuple of float
        Kaplan-Meier estimate: fraction of the keys still listed 1, 2, ... snapshots after they were first seen.
    most_changed : tuple of hashable
        Up to ten keys whose value changed most often.
    bias_pvalue : float
        P-value (Mann and Whitney) that keys which vanish have the same values when first seen as keys which stay. NaN
        if values are not numbers, or no key vanishes or none stays.
    bias_delta : float
        :func:`cliffs_delta` of the values of vanishing keys compared with staying ones; NaN likewise.

    Examples
    --------
    >>> from skanomaly.audit import volatility_report
    >>> volatility_report([{"a": 1, "b": 2}, {"a": 1, "c": 5}]).vanished
    (0.5,)
    """

    n_keys: int
    vanished: tuple[float, ...]
    appeared: tuple[float, ...]
    changed: tuple[float, ...]
    survival: tuple[float, ...]
    most_changed: tuple[Any, ...]
    bias_pvalue: float
    bias_delta: float


def volatility_report(snapshots: Sequence[Any]) -> VolatilityReport:
    """Measure how a list changes over time: which keys vanish, which appear, and which values change.

    If the list changes much while it is collected, the collection describes no single point in time.

    Parameters
    ----------
    snapshots : sequence of dict, or of collections of keys
        At least two, in order of time. A dict maps each key to its value, such as a price.

    Returns
    -------
    VolatilityReport

    Raises
    ------
    ValueError
        If there are fewer than two snapshots, one is empty, or some have values and others have not.

    Notes
    -----
    Keys that are still listed in the last snapshot are censored there; keys of the first snapshot count from there, so
    the survival of keys that are listed for long is exact only for those that appear later. A key that vanishes and
    comes back has vanished; for ``bias_pvalue``, which asks whether the rest of the list is a biased sample of it, a
    key stays if the last snapshot has it. Several columns of each key are compared by
    ``DomainClassifierTest().fit(rows, groups=vanished)``.

    References
    ----------
    .. [1] Kaplan, E. L., Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the
       American Statistical Association 53. https://doi.org/10.1080/01621459.1958.10501452

    Examples
    --------
    >>> from skanomaly.audit import volatility_report
    >>> report = volatility_report([{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"a": 1, "c": 4}])
    >>> report.vanished, report.changed, report.survival, report.most_changed
    ((0.0, 0.5), (0.5, 0.0), (1.0, 0.5), ('b',))
    """
    require_items(snapshots, name="snapshots", noun="lists")
    if len(snapshots) < 2:
        raise ValueError(f"snapshots holds {len(snapshots)} lists; at least 2 are compared.")
    valued = [isinstance(snapshot, dict) for snapshot in snapshots]
    if any(valued) != all(valued):
        raise ValueError("Some snapshots have values and some have not; give dictionaries for all of them.")
    sets = [set(snapshot) for snapshot in snapshots]
    if not all(sets):
        raise ValueError(f"Snapshot {[bool(keys) for keys in sets].index(False)} is empty; leave it out.")
    pairs = list(pairwise(sets))
    changes: dict[Any, int] = {}
    changed = []
    if all(valued):
        for place, (before, after) in enumerate(pairs):
            kept = before & after
            moved = [key for key in kept if snapshots[place][key] != snapshots[place + 1][key]]
            changed.append(len(moved) / len(kept) if kept else 0.0)
            for key in moved:
                changes[key] = changes.get(key, 0) + 1
    return VolatilityReport(
        n_keys=len(set().union(*sets)),
        vanished=tuple(len(before - after) / len(before) for before, after in pairs),
        appeared=tuple(len(after - before) / len(after) for before, after in pairs),
        changed=tuple(changed),
        survival=_survival(sets),
        most_changed=tuple(sorted(changes, key=lambda key: (-changes[key], str(key)))[:10]),
        **_bias(snapshots, sets, valued=all(valued)),
    )


def _bias(snapshots: Sequence[Any], sets: list[set[Any]], *, valued: bool) -> dict[str, float]:
    """Compare the first values of the keys that vanish with those of the keys that stay."""
    unknown = {"bias_pvalue": float("nan"), "bias_delta": float("nan")}
    if not valued:
        return unknown
    first: dict[Any, Any] = {}
    for snapshot in reversed(snapshots[:-1]):  # keys of the last snapshot alone can neither vanish nor stay
        first.update(snapshot)
    stays = [key in sets[-1] for key in first]
    values = list(first.values())
    if not all(isinstance(value, Real) for value in values) or len(set(stays)) < 2:
        return unknown
    numbers = np.array(values, dtype=np.float64)
    stay = np.array(stays) & np.isfinite(numbers)
    gone = ~np.array(stays) & np.isfinite(numbers)
    if not stay.any() or not gone.any():
        return unknown
    same = np.ptp(numbers[stay | gone]) == 0
    pvalue = 1.0 if same else float(stats.mannwhitneyu(numbers[gone], numbers[stay], method="asymptotic").pvalue)
    return {"bias_pvalue": pvalue, "bias_delta": cliffs_delta(numbers[gone], numbers[stay])}


def _survival(sets: list[set[Any]]) -> tuple[float, ...]:
    at_risk, ended = np.zeros(len(sets)), np.zeros(len(sets))
    for key in set().union(*sets):
        present = [key in keys for keys in sets]
        start = present.index(True)
        length = next((place for place, found in enumerate(present[start:]) if not found), None)
        last = len(sets) - start - 1 if length is None else length
        at_risk[1 : last + 1] += 1
        if length is not None:
            ended[length] += 1
    steps = 1 - np.divide(ended[1:], at_risk[1:], out=np.zeros(len(sets) - 1), where=at_risk[1:] > 0)
    return tuple(float(value) for value in np.cumprod(steps))
