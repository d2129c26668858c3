"""Each check of the public suites catches the fault it is there for."""

import numpy as np
import pytest

from skanomaly.base import BaseDetector, BaseSampler, check_detector, check_sampler
from skanomaly.base import _checks as checks


class Sound(BaseDetector):
    def __init__(self, *, contamination=0.1, n_jobs=None, random_state=None):
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    _parameter_constraints = {**BaseDetector._parameter_constraints, "n_jobs": [None, int], "random_state": [None, int]}

    def _fit(self, X, y):
        self.center_ = np.median(X, axis=0)
        self.spread_ = 1.0

    def _outlyingness(self, X):
        return np.abs(X - self.center_).sum(axis=1) / self.spread_


class WrongSign(Sound):
    def _outlyingness(self, X):
        return -np.abs(X - self.center_).sum(axis=1)


class Unseeded(Sound):
    def _fit(self, X, y):
        super()._fit(X, y)
        self.spread_ = np.random.default_rng().uniform(1, 2)


class LooksAtTheBatch(Sound):
    def _outlyingness(self, X):
        return np.abs(X - X.mean(axis=0)).sum(axis=1)


class CountsJobs(Sound):
    def _outlyingness(self, X):
        return super()._outlyingness(X) * (1 + 1e-15 * (self.n_jobs or 1))


class OwnNeighbor(Sound):
    def _fit(self, X, y):
        self.rows_ = X

    def _outlyingness(self, X):
        return np.array([np.abs(self.rows_ - row).sum(axis=1).min() for row in X])


class Overflows(Sound):
    def fit(self, X, y=None):
        self._narrow = np.asarray(X).dtype.kind in "iu"
        return super().fit(X, y)

    def _outlyingness(self, X):
        return super()._outlyingness(X) % (64.0 if self._narrow else np.inf)


class HalfFitted(Sound):
    def fit(self, X, y=None):
        self.started_ = True
        return super().fit(X, y)


class WritesInput(Sound):
    def fit(self, X, y=None):
        if isinstance(X, np.ndarray) and X.flags.writeable:
            X *= 1.0 + 1e-9
        return super().fit(X, y)


class Undefined(Sound):
    def _outlyingness(self, X):
        return super()._outlyingness(X) / np.ptp(X, axis=0).max()


FAULTS = {
    WrongSign: checks.check_sign,
    Unseeded: checks.check_determinism,
    LooksAtTheBatch: checks.check_batch_independence,
    CountsJobs: checks.check_n_jobs,
    OwnNeighbor: checks.check_not_own_evidence,
    Overflows: checks.check_integers_do_not_overflow,
    HalfFitted: checks.check_failed_fit_leaves_nothing,
    WritesInput: checks.check_layout_does_not_matter,
    Undefined: checks.check_degenerate_tables,
}


def test_sound_detector_passes():
    check_detector(Sound())


@pytest.mark.parametrize(("faulty", "check"), FAULTS.items(), ids=lambda value: value.__name__)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_check_catches_its_fault(faulty, check):
    assert check in list(checks.detector_checks(faulty()))
    with pytest.raises((AssertionError, KeyError)):
        check(checks._seeded(faulty()))


class Repeats(BaseSampler):
    """Repeat the rows of the rarest class once."""

    def __init__(self, *, random_state=None):
        self.random_state = random_state

    def _fit_resample(self, X, y):
        values, counts = np.unique(y, return_counts=True)
        index = np.concatenate([np.arange(len(y)), np.flatnonzero(y == values[counts.argmin()])])
        return X[index], y[index], index


class ForgetsOrder(Repeats):
    def _fit_resample(self, X, y):
        rows, targets, index = super()._fit_resample(X, y)
        return rows, targets, index[::-1]


class Wanders(Repeats):
    def _fit_resample(self, X, y):
        index = np.random.default_rng().permutation(len(y))
        return X[index], y[index], index


def test_sound_sampler_passes():
    check_sampler(Repeats())


@pytest.mark.parametrize(
    ("faulty", "check"),
    [(ForgetsOrder, checks.check_sample_indices), (Wanders, checks.check_sampler_determinism)],
    ids=["indices", "determinism"],
)
def test_sampler_check_catches_its_fault(faulty, check):
    with pytest.raises(AssertionError):
        check(checks._seeded(faulty()))


def test_sampler_keeps_integer_columns_and_names():
    import pandas as pd

    frame = pd.DataFrame({"a": np.arange(8), "b": np.linspace(0, 1, 8)})
    rows, targets = Repeats().fit_resample(frame, pd.Series([0] * 6 + [1] * 2, name="kind"))
    assert rows.dtypes["a"] == frame.dtypes["a"]
    assert (len(rows), targets.name) == (10, "kind")


def test_sampler_gives_polars_back():
    import polars as pl

    frame = pl.DataFrame({"a": np.arange(8.0), "b": np.linspace(0, 1, 8)})
    rows, targets = Repeats().fit_resample(frame, pl.Series("kind", [0] * 6 + [1] * 2))
    assert isinstance(rows, pl.DataFrame)
    assert rows.columns == ["a", "b"]
    assert targets.name == "kind"
