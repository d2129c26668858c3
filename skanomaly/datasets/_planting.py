"""What the generators share: constraints of arguments, the number of anomalies, the order of rows."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._sklearn import Interval

__all__ = ["FRACTION", "TABLE", "at_least", "choose_anomalies", "count_anomalies", "positive", "shuffle_rows"]

FRACTION = [Interval(Real, 0, 0.5, closed="both")]
TABLE: dict[str, list[Any]] = {
    "n_samples": [Interval(Integral, 2, None, closed="left")],
    "contamination": FRACTION,
    "random_state": ["random_state"],
}


def at_least(smallest: int) -> list[Any]:
    """Constrain an argument to whole numbers from `smallest` on."""
    return [Interval(Integral, smallest, None, closed="left")]


def positive(*, zero: bool = True) -> list[Any]:
    """Constrain an argument to finite numbers from 0 on, or above 0."""
    return [Interval(Real, 0, None, closed="left" if zero else "neither")]


def count_anomalies(n_samples: int, contamination: float) -> int:
    """Round the fraction of anomalies to whole rows, leaving at least one normal row."""
    return min(round(contamination * n_samples), n_samples - 1)


def choose_anomalies(n_samples: int, contamination: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Label samples, of which a fraction at random places are anomalies."""
    y = np.ones(n_samples, dtype=np.int64)
    y[rng.choice(n_samples, size=count_anomalies(n_samples, contamination), replace=False)] = -1
    return y


def shuffle_rows(
    normal: NDArray[np.float64], anomalous: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Join normal and anomalous rows in random order, with their labels."""
    y = np.repeat(np.array([1, -1], dtype=np.int64), [len(normal), len(anomalous)])
    order = rng.permutation(len(y))
    return np.concatenate([normal, anomalous])[order], y[order]
