"""What the checks feed: rows, series, collections, traces and patch sets, with anomalies at known places."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import get_tags

from skanomaly._support._validation import scores_time_points

__all__ = ["Samples", "Trial", "class_samples", "samples_for"]

_N_BULK = 114
_N_SERIES = 36
_N_ANOMALOUS = 4
_N_PATCHES = 9
_SHIFTS = np.array([[12, 12, 0, 0], [-12, 12, 0, 12], [0, -12, 12, -12], [12, 0, -12, -12]])


@dataclass(frozen=True, eq=False)
class Trial:
    """Training samples, samples to score, and which of these must score lower than which.

    Attributes
    ----------
    train, X : samples
    anomalous, normal : ndarray of shape (n_scores,), bool
    """

    train: Any
    X: Any
    anomalous: NDArray[np.bool_]
    normal: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Samples:
    """Input of one kind for one estimator.

    Attributes
    ----------
    kind : {"rows", "series", "collection", "traces", "patches"}
    X : ndarray or list
        Training samples, anomalies last.
    y : ndarray or None
        Given to fit and `fit_resample` where it is not None.
    many : ndarray or list
        The same, often enough for work to be shared among threads.
    broken : ndarray or list
        Samples that fit must reject.
    fault : str
        What the error must say.
    trials : list of Trial
        The first trains on normal samples, the second on anomalies too. One that trains on both where labels of both
        are required; none for samplers and tests.
    """

    kind: str
    X: Any
    y: Any
    many: Any
    broken: Any
    fault: str
    trials: list[Trial] = field(default_factory=list)

    @property
    def is_table(self) -> bool:
        """Whether the samples are rows of one table."""
        return self.kind in {"rows", "series"}

    def fit(self, estimator: Any, X: Any = None) -> Any:
        """Fit on other samples, or on `X` of the same number, with the labels where there are any."""
        X = self.X if X is None else X
        return estimator.fit(X) if self.y is None else estimator.fit(X, self.y)

    def results(self, estimator: Any, X: Any = None) -> dict[str, Any]:
        """Fit a clone and return all numbers that it then gives, by name."""
        X = self.X if X is None else X
        estimator = clone(estimator)
        if hasattr(estimator, "fit_resample"):
            rows, targets = estimator.fit_resample(X, self.y)
            return {"X_resampled": rows, "y_resampled": targets, "sample_indices_": estimator.sample_indices_}
        return self.answers(self.fit(estimator, X), X)

    def answers(self, estimator: Any, X: Any = None) -> dict[str, Any]:
        """Return all numbers that a fitted detector or test gives, by name."""
        X = self.X if X is None else X
        names = ("statistic_", "pvalue_", "sample_pvalues_", "sample_scores_", "offset_")
        found = {name: getattr(estimator, name) for name in names if hasattr(estimator, name)}
        found["score_samples"] = estimator.score_samples(X)
        if hasattr(estimator, "predict"):
            found["predict"] = estimator.predict(X)
        return found

    def containers(self) -> Iterator[tuple[str, Any]]:
        """Yield the samples in other containers, which nothing may write to."""
        if self.is_table:
            wide = np.zeros((2 * len(self.X), 2 * self.X.shape[1]))
            wide[::2, ::2] = self.X
            read_only = self.X.copy()
            read_only.flags.writeable = False
            yield "column-major", np.asfortranarray(self.X)
            yield "strided", wide[::2, ::2]
            yield "read-only", read_only
            return
        objects = np.empty(len(self.X), dtype=object)
        for index, item in enumerate(self.X):
            objects[index] = np.array(item)
            objects[index].flags.writeable = False
        yield "array of read-only arrays", objects
        yield "pandas Series of read-only arrays", pd.Series(list(objects))
        yield "pandas Series", pd.Series(self.X)
        if self.kind == "patches":
            yield "array of three dimensions", np.array(self.X)
            yield "strided array", np.array(self.X).transpose(1, 0, 2).copy().transpose(1, 0, 2)


def samples_for(estimator: Any) -> Samples:
    """Return samples of the kind that an estimator's tags, and ``scores_time_points``, say that it takes.

    Parameters
    ----------
    estimator : estimator
        A detector or a test.

    Returns
    -------
    Samples
    """
    tags = get_tags(estimator)
    if not tags.input_tags.two_d_array:
        return _items("traces" if tags.input_tags.string else "collection", labelled=tags.target_tags.required)
    if tags.input_tags.three_d_array:
        return _items("patches", labelled=tags.target_tags.required)
    X = _table()
    broken = X.copy()
    broken[3, 1], fault = (np.inf, "infinity") if tags.input_tags.allow_nan else (np.nan, "NaN")
    many = np.tile(X, (40, 1)) + np.linspace(0, 1, 40 * len(X))[:, None]
    kind = "series" if scores_time_points(estimator) else "rows"
    if kind == "series":
        trials = _wave_trials()
    else:
        far = np.arange(len(X)) >= _N_BULK
        trials = [Trial(X[:_N_BULK], X, far, ~far), Trial(X, X, far, ~far)]
    return Samples(kind, X, None, many, broken, fault, trials)


def class_samples(estimator: Any) -> Samples:
    """Return rows of two classes for a sampler, 40 and 12."""
    random = np.random.Generator(np.random.PCG64(20260102))
    rows = np.vstack([random.normal(size=(40, 3)), random.normal(2.0, 1.0, size=(12, 3))])
    targets = np.repeat([0, 1], [40, 12])
    order = random.permutation(52)
    rows, targets = rows[order], targets[order]
    if get_tags(estimator).input_tags.allow_nan:
        return Samples("rows", rows, targets, rows, rows[:-1], "samples")
    broken = rows.copy()
    broken[0, 0] = np.nan
    return Samples("rows", rows, targets, rows, broken, "NaN")


def _table() -> NDArray[np.float64]:
    """114 rows around the origin and 6 far from it and from each other, on a grid that float32 holds exactly."""
    random = np.random.Generator(np.random.PCG64(20260101))
    bulk = random.normal(size=(_N_BULK, 4))
    far = np.array(
        [[9, 9, 9, 9], [-9, 9, -9, 9], [12, -12, 12, -12], [-15, -15, 15, 15], [18, 0, 0, -18], [0, 21, 21, 0]]
    )
    return np.round(np.vstack([bulk, far]) * 1024) / 1024


def _wave_trials() -> list[Trial]:
    """Return a wave, and the same with a burst, as training samples."""
    random = np.random.Generator(np.random.PCG64(20260103))
    wave = np.sin(np.arange(360)[:, None] / np.array([3.0, 4.0, 5.0])) + 0.02 * random.normal(size=(360, 3))
    burst = wave.copy()
    burst[250:258] = random.normal(0.0, 12.0, size=(8, 3))
    distance = np.abs(np.arange(360) - 253.5)
    return [Trial(train, burst, distance < 2, distance > 40) for train in (wave, burst)]


def _items(kind: str, *, labelled: bool) -> Samples:
    """36 similar series, traces or patch sets, and 4 anomalous ones; series and traces have different lengths."""
    random = np.random.Generator(np.random.PCG64(20260103))
    items: list[Any] = []
    if kind == "traces":
        items = [["open", *["read", "check"] * random.integers(1, 5), "close"] for _ in range(_N_SERIES)]
        items += [["close", "open"], ["open", "open", "fail"], ["read"] * 20, ["fail", "close", "fail", "read"]]
    elif kind == "patches":
        items = list(np.round(random.normal(size=(_N_SERIES + _N_ANOMALOUS, _N_PATCHES, 4)) * 1024) / 1024)
        for item, shift in zip(items[_N_SERIES:], _SHIFTS, strict=True):
            item[1:3] += shift  # two patches, alike: each is the other's nearest
    else:
        for index in range(_N_SERIES + _N_ANOMALOUS):
            times = np.arange(random.integers(48, 56))
            wave = np.sin(2 * np.pi * times / 12)[:, None] * [1.0, 0.5] + 0.1 * random.normal(size=(len(times), 2))
            if index >= _N_SERIES:
                wave[20:32] += 2.0 + index
            items.append(np.round(wave * 1024) / 1024)
    anomalous = np.arange(len(items)) >= _N_SERIES
    trials = [Trial(items, items, anomalous, ~anomalous)]
    if not labelled:
        trials.insert(0, Trial(items[:_N_SERIES], items, anomalous, ~anomalous))
    y = np.where(anomalous, -1, 1) if labelled else None
    return Samples(kind, items, y, items * 5, [*items[:-1], "text"], f"X[{len(items) - 1}]", trials)
