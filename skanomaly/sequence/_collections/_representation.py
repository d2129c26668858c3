"""Representations of series of different lengths as vectors of one length."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._hooks import normal_samples
from skanomaly._support._rows import take_rows
from skanomaly._support._scales import ROUNDING

__all__ = ["SequenceLookup", "describe", "normal_sequences", "resample"]

_ORDINARY_EXPONENT = 400  # squares of values up to 2**400 are finite
_IN_UNITS = {0, 1, 2, 3, 4, 5, 6, 7, 9}  # places of the statistics that have the units of the data


def resample(series: NDArray[Any], n_points: int) -> NDArray[np.float64]:
    """Resample one series of shape (n_timepoints, n_features) to `n_points` positions by linear interpolation."""
    places = np.linspace(0, len(series) - 1, n_points)
    before = np.minimum(places.astype(np.int64), max(len(series) - 2, 0))
    weight = (places - before)[:, None]
    after = np.minimum(before + 1, len(series) - 1)
    return (1 - weight) * series[before] + weight * series[after].astype(np.float64)


def describe(series: NDArray[Any]) -> NDArray[np.float64]:
    """Describe one series by twelve statistics per feature and the logarithm of its length.

    Mean, standard deviation, minimum, maximum, median, interquartile range, mean absolute value and standard deviation
    of the differences, lag-1 autocorrelation, trend, skewness, kurtosis.
    """
    values = series.astype(np.float64)
    largest = np.abs(values).max(axis=0)
    # Squares of huge and tiny values are not finite or not above 0: their columns are described near 1.
    exponents = np.frexp(largest)[1]
    exponents = np.where((np.abs(exponents) > _ORDINARY_EXPONENT) & (largest > 0), exponents, 0)
    if exponents.any():
        values = np.ldexp(values, -exponents)
    center, spread = values.mean(axis=0), values.std(axis=0)
    # What differs by rounding only is constant, whatever the length that rounds its mean.
    flat = np.ptp(values, axis=0) <= ROUNDING * np.abs(values).max(axis=0)
    center, spread = np.where(flat, values[0], center), np.where(flat, 0.0, spread)
    centred = np.where(flat, 0.0, values - center)
    unit = np.where(spread > 0, spread, 1.0)
    scaled = centred / unit
    steps = np.diff(values, axis=0) if len(values) > 1 else np.zeros_like(values)
    quartiles = np.percentile(values, [25, 50, 75], axis=0)
    places = np.linspace(-1, 1, len(values))[:, None]
    statistics = [
        center,
        spread,
        values.min(axis=0),
        values.max(axis=0),
        quartiles[1],
        quartiles[2] - quartiles[0],
        np.abs(steps).mean(axis=0),
        steps.std(axis=0),
        (scaled[1:] * scaled[:-1]).sum(axis=0) / len(values),
        (centred * places).mean(axis=0),
        (scaled**3).mean(axis=0),
        (scaled**4).mean(axis=0),
    ]
    if exponents.any():
        with np.errstate(over="ignore"):
            statistics = [
                np.ldexp(part, exponents) if index in _IN_UNITS else part for index, part in enumerate(statistics)
            ]
        largest_number = np.finfo(np.float64).max
        statistics = [np.clip(part, -largest_number, largest_number) for part in statistics]
    return np.concatenate([*statistics, [np.log(len(values))]])


class SequenceLookup:
    """Finds the training series that is equal to a query."""

    def __init__(self, sequences: Sequence[NDArray[Any]]) -> None:
        self._rows = {_identity(series): row for row, series in enumerate(sequences)}

    def find(self, sequences: Sequence[NDArray[Any]]) -> NDArray[np.intp]:
        """Return the index of the equal training series for each query, or -1."""
        return np.array([self._rows.get(_identity(series), -1) for series in sequences], dtype=np.intp)


def _identity(series: NDArray[Any]) -> str:
    values = (series.astype(np.float64) + 0.0).tobytes()  # minus zero equals zero
    return f"{len(series)} {values.decode('latin-1')}"  # model formats such as skops need text as keys


def normal_sequences(X: list[NDArray[Any]], y: NDArray[np.int8], *, fewest: int) -> list[NDArray[Any]]:
    """Drop the series labelled as anomalies; at least `fewest` must remain."""
    return take_rows(X, normal_samples(y, fewest, "series"))
