"""Clean waves with a hole, missing values and every kind of clock, compared alarm by alarm with those without."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import binom
from sklearn.base import clone

from skanomaly.detectors import GaussianDetector
from skanomaly.sequence import (
    AutoregressiveDetector,
    CalendarDetector,
    EncodingDetector,
    MatrixProfileDetector,
    PolynomialDetector,
    RollingStatistic,
    SeasonalTrendDetector,
    SlidingWindowDetector,
    SubsequenceKMeans,
    SubsequenceNeighbors,
    SubsequencePCA,
    TransitionGraphDetector,
)
from tests.sequence.test_clock import DETECTORS, WINDOW

N_TIMEPOINTS, PERIOD = 800, 36
CLOCKS = {
    "spring": lambda n: pd.date_range("2026-03-28 12:00", periods=n, freq="10min", tz="Europe/Berlin"),
    "autumn": lambda n: pd.date_range("2026-10-24 12:00", periods=n, freq="10min", tz="America/New_York"),
    "other zone": lambda n: pd.date_range("2026-01-01", periods=n, freq="10min", tz="Asia/Kolkata"),
    "naive": lambda n: pd.date_range("2026-01-01", periods=n, freq="10min"),
    "periods": lambda n: pd.period_range("2026-01-01", periods=n, freq="10min"),
    "durations": lambda n: pd.timedelta_range("0h", periods=n, freq="10min"),
    "epoch": lambda n: pd.Index(1_767_225_600 + 600 * np.arange(n)),
}
ALL = [
    *DETECTORS,
    AutoregressiveDetector(order=20, smoothing=20, causal=True),
    EncodingDetector(window_size=WINDOW),
    SeasonalTrendDetector(period=PERIOD),
    SeasonalTrendDetector(period=PERIOD, smoothing=10),
    CalendarDetector(calendar="hour_of_day"),
]
BY_WINDOWS = [
    RollingStatistic(window_size=WINDOW),
    SubsequenceNeighbors(window_size=WINDOW, n_references=300, random_state=0),
    SubsequencePCA(window_size=WINDOW),
    SubsequenceKMeans(window_size=WINDOW, n_references=300, random_state=0),
    SlidingWindowDetector(GaussianDetector(), window_size=WINDOW, features="statistics"),
    MatrixProfileDetector(window_size=WINDOW),
    EncodingDetector(window_size=WINDOW),
]
quiet = pytest.mark.filterwarnings("ignore:.*time points have no score:UserWarning")
N_SERIES = 100


def _wave(seed):
    times = np.arange(N_TIMEPOINTS)[:, None]
    return np.sin(2 * np.pi * times / PERIOD) + 0.05 * np.random.default_rng(seed).normal(size=(N_TIMEPOINTS, 1))


def _broken(seed):
    """Return the time points that are left, those among them that are missing, and the first after the hole."""
    random = np.random.default_rng([seed, 1])
    start, length = int(random.integers(200, 500)), int(random.integers(1, 90))
    kept = np.r_[0:start, start + length : N_TIMEPOINTS]
    return kept, random.choice(kept, size=int(random.integers(0, 4)), replace=False), start


def _clock(detector, seed):
    """Return the times of a series, and whether they are given to fit."""
    dated = ["spring", "autumn", "other zone", "naive", "periods"]
    names = dated if isinstance(detector, CalendarDetector) else list(CLOCKS)
    name = names[seed % len(names)]
    return CLOCKS[name](N_TIMEPOINTS), name == "epoch"


def _fitted(detector, frame, given):
    return clone(detector).fit(frame, times=frame.index if given else None)


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("detector", ALL, ids=str)
def test_a_cut_raises_no_more_alarms_than_it_takes_away(detector):
    """Within a window of a cut; at two levels, and series by series."""
    more, fewer = np.zeros(2, dtype=int), np.zeros(2, dtype=int)
    for seed in range(N_SERIES):
        index, given = _clock(detector, seed)
        whole = pd.DataFrame(_wave(seed), index=index)
        kept, missing, start = _broken(seed)
        broken = whole.copy()
        broken.iloc[missing] = np.nan
        broken = broken.iloc[kept]
        at = np.r_[start - 0.5, np.searchsorted(kept, missing)]
        near = (np.abs(np.arange(len(kept))[:, None] - at) < WINDOW).any(axis=1)
        with_cuts = _fitted(detector, broken, given).score_samples(broken)
        without = _fitted(detector, whole, given).score_samples(whole)
        for place, contamination in enumerate((0.1, 0.01)):
            alarms = near & (with_cuts < np.nanquantile(with_cuts, contamination))
            known = near & (without < np.nanquantile(without, contamination))[kept]
            more[place] += (alarms & ~known).any()
            fewer[place] += (known & ~alarms).any()
    assert (more <= binom.ppf(0.999, more + fewer, 0.5)).all(), (more, fewer)


@quiet
@pytest.mark.parametrize("n_series", [1, pytest.param(N_SERIES, marks=pytest.mark.slow)])
@pytest.mark.parametrize("alignment", ["center", "last"])
@pytest.mark.parametrize("detector", BY_WINDOWS, ids=str)
def test_each_alarm_beside_a_cut_is_one_without_it(detector, alignment, n_series):
    """A detector that was trained on another series has the same alarms: the windows that span no cut have."""
    n_alarms = 0
    for seed in range(n_series):
        index, given = _clock(detector, seed)
        fitted = clone(detector).set_params(point_alignment=alignment)
        fitted = _fitted(fitted, pd.DataFrame(_wave(seed + 1000), index=index), given)
        whole = pd.DataFrame(_wave(seed), index=index)
        kept, missing, _ = _broken(seed)
        broken = whole.copy()
        broken.iloc[missing] = np.nan
        broken = broken.iloc[kept]
        alarms = kept[fitted.predict(broken) < 0]
        known = np.flatnonzero(fitted.predict(whole) < 0)
        n_alarms += len(alarms)
        for alarm in alarms:
            assert np.abs(known - alarm).min() < WINDOW
    assert n_alarms >= n_series


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("detector", ALL, ids=str)
def test_an_event_beside_a_hole_is_found_as_without(detector, side):
    forecasts = isinstance(detector, AutoregressiveDetector)
    if side == "after" and forecasts and (detector.causal or detector.estimator is not None):
        pytest.skip("has no forecast for the first time points after a hole")
    if isinstance(detector, PolynomialDetector):
        pytest.skip("does not score the blocks beside a hole")
    lost, gained = 0, 0
    for seed in range(N_SERIES):
        index, given = _clock(detector, seed)
        X = _wave(seed)
        kept, missing, start = _broken(seed)
        place = start - 14 if side == "before" else start + 2
        event = kept[place : place + 12]
        X[event] = np.random.default_rng(seed).choice([-1.5, 1.5], size=(12, 1))
        whole = pd.DataFrame(X, index=index)
        broken = whole.copy()
        broken.iloc[np.setdiff1d(missing, event)] = np.nan
        broken = broken.iloc[kept]
        found = abs(np.nanargmin(_fitted(detector, broken, given).score_samples(broken)) - place) < 12 + WINDOW
        known = abs(np.argmin(_fitted(detector, whole, given).score_samples(whole)) - event[0]) < 12 + WINDOW
        lost += known and not found
        gained += found and not known
    # The scores of the graph of transitions vary most beside cuts, and are settled most: one in ten is lost.
    few = 0.1 if isinstance(detector, TransitionGraphDetector) else 0.0
    assert lost <= max(binom.ppf(0.999, lost + gained, 0.5), binom.ppf(0.999, N_SERIES, few)), (lost, gained)


@quiet
@pytest.mark.parametrize("detector", ALL[:1] + ALL[-2:], ids=str)
def test_a_clock_without_a_cut_changes_nothing(detector, seed):
    for name, times in CLOCKS.items():
        if isinstance(detector, CalendarDetector) and name in {"durations", "epoch"}:
            continue
        frame = pd.DataFrame(_wave(seed), index=times(N_TIMEPOINTS))
        scores = _fitted(detector, frame, name == "epoch").score_samples(frame)
        assert np.isfinite(scores).all()
        if not isinstance(detector, CalendarDetector):
            assert_array_equal(scores, clone(detector).fit(frame.to_numpy()).score_samples(frame.to_numpy()))
