"""Statistics from several weights: one of them, their largest, a supremum, or a learnt combination."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skanomaly.audit._survival._risk import WEIGHTS, RiskTable

__all__ = ["combined", "combined_pvalues"]

_COMBINED = [WEIGHTS.index(name) for name in ("log_rank", "early", "late", "middle")]
_N_SIMULATED = 20_000
_SMALLEST = 1e-300
_N_PAIRS = 150  # of each kind of difference, in each direction
_N_ROWS = (40, 120)  # of each simulated sample, from and to


def combined(
    tables: list[RiskTable], labellings: NDArray[np.bool_], statistic: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the statistic of each labelling and column, and the log-rank z of the first labelling in each column."""
    model = _trained() if statistic == "stacked" else None
    values, signed = [], []
    for table in tables:
        z, supremum = table.statistics(labellings)
        signed.append(z[0, 0])
        if statistic == "max_combination":
            values.append((z[:, _COMBINED] ** 2).max(axis=1))
        elif statistic == "supremum":
            values.append(supremum**2)
        elif statistic == "stacked":
            values.append(_probability(model, z, supremum))
        else:
            values.append(z[:, WEIGHTS.index(statistic)] ** 2)
    return np.array(values).T, np.array(signed)


def combined_pvalues(
    tables: list[RiskTable],
    members: NDArray[np.bool_],
    values: NDArray[np.float64],
    statistic: str,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the asymptotic p-value of each column's statistic."""
    roots = np.sqrt(values)
    if statistic == "supremum":
        found = [_supremum_tail(root) for root in roots]
    elif statistic == "max_combination":
        found = [
            _largest_tail(root, table.correlation(members)[np.ix_(_COMBINED, _COMBINED)], rng)
            for table, root in zip(tables, roots, strict=True)
        ]
    else:
        found = list(2 * stats.norm.sf(roots))
    return np.clip(np.array(found, dtype=np.float64), _SMALLEST, 1.0)


def _supremum_tail(value: float) -> float:
    """Return the probability that a Brownian motion on [0, 1] leaves (-value, value)."""
    if value < 0.3:
        return 1.0
    if value > 4:
        return float(4 * stats.norm.sf(value))
    terms = 2 * np.arange(40) + 1
    signs = (-1.0) ** np.arange(40)
    return float(1 - 4 / np.pi * (signs / terms * np.exp(-(np.pi**2) * terms**2 / (8 * value**2))).sum())


def _largest_tail(value: float, correlation: NDArray[np.float64], rng: np.random.Generator) -> float:
    """Return the probability that the largest of correlated normal variables reaches `value`, in absolute terms."""
    bound = float(2 * len(correlation) * stats.norm.sf(value))
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    draws = np.abs(rng.standard_normal((_N_SIMULATED, len(root))) @ root.T).max(axis=1)
    reached = int((draws >= value).sum())
    resolution = 1 / (_N_SIMULATED + 1)
    return bound if reached == 0 and bound < resolution else (1 + reached) * resolution


def _probability(model: Any, z: NDArray[np.float64], supremum: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean log odds of a difference over both directions, as a probability."""
    features = [np.column_stack([sign * z, np.abs(z), supremum]) for sign in (1, -1)]
    odds = [model.decision_function(table) for table in features]
    return np.asarray(1 / (1 + np.exp(-(odds[0] + odds[1]) / 2)))


@lru_cache(maxsize=1)
def _trained() -> Any:
    """Train a classifier on simulated pairs of samples, half of them without a difference."""
    rng = np.random.Generator(np.random.PCG64(0))
    features, labels = [], []
    for kind in range(4):
        for pair in range(2 * _N_PAIRS):
            size = int(rng.integers(*_N_ROWS))
            differs = pair % 2 == 0
            sample = _simulated(kind if differs else -1, size, rng)
            durations = np.r_[rng.exponential(size=size), sample]
            censoring = rng.exponential(1 / rng.uniform(0.05, 0.6), size=2 * size)
            table = RiskTable(np.minimum(durations, censoring), durations <= censoring)
            z, supremum = table.statistics(np.repeat([[False, True]], size, axis=1))
            for sign in (1, -1):
                features.append(np.r_[sign * z[0], np.abs(z[0]), supremum])
                labels.append(differs)
    products = PolynomialFeatures(2, include_bias=False)
    model = make_pipeline(StandardScaler(), products, StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    return model.fit(np.array(features), labels)


def _simulated(kind: int, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw durations: exponential ones, or with a hazard ratio that is constant, early, late or crossing."""
    hazards = rng.exponential(size=size)
    if kind < 0:
        return hazards
    ratio = np.exp(rng.choice([-1, 1]) * rng.uniform(0.3, 1.2))
    cut = rng.uniform(0.3, 0.9)
    before, after = [(ratio, ratio), (ratio**1.5, 1.0), (1.0, ratio**1.5), (ratio, 1 / ratio)][kind]
    return np.where(hazards < cut * before, hazards / before, cut + (hazards - cut * before) / after)
