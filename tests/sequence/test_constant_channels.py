"""Channels that do not vary in training: their later changes are seen, or a warning names them."""

import numpy as np
import pandas as pd
import pytest

from skanomaly.detectors import GaussianDetector
from skanomaly.sequence import (
    AutoregressiveDetector,
    CalendarDetector,
    GeometricOneClass,
    KShapeDetector,
    MatrixProfileDetector,
    RollingMahalanobis,
    RollingStatistic,
    SeasonalTrendDetector,
    SelfSimilarityDetector,
    SequenceLikelihood,
    SequenceNeighbors,
    SlidingWindowDetector,
    SubsequenceNeighbors,
    SubsequencePCA,
    TransitionGraphDetector,
)

BLIND = [
    RollingMahalanobis(),
    AutoregressiveDetector(order=3),
    RollingStatistic(),
    SubsequencePCA(window_size=20),
    SubsequenceNeighbors(window_size=20, random_state=0),
    SeasonalTrendDetector(period=20),
    SlidingWindowDetector(GaussianDetector(), window_size=10),
    KShapeDetector(window_size=10, random_state=0),
    TransitionGraphDetector(window_size=10),
]
SEEING = [
    RollingMahalanobis(binary_channels="keep"),
    AutoregressiveDetector(order=3, smoothing=5, binary_channels="keep"),
    SlidingWindowDetector(GaussianDetector(), window_size=10, binary_channels="keep"),
    MatrixProfileDetector(window_size=10),
    SelfSimilarityDetector(random_state=0),
]


def _series(seed):
    """Return a series whose second channel is stuck, and one in which it jumps."""
    series = np.random.default_rng(seed).normal(size=(700, 3))
    series[:, 1] = 20.7
    later = series[:300].copy()
    later[150:160, 1] = 1e6
    return series, later


@pytest.mark.parametrize("detector", BLIND, ids=lambda detector: type(detector).__name__)
def test_channels_whose_later_changes_are_not_seen_are_named(detector, seed):
    with pytest.warns(UserWarning, match=f"Column 1 does not vary .* not seen by {type(detector).__name__}"):
        detector.fit(_series(seed)[0])


@pytest.mark.parametrize("detector", SEEING, ids=lambda detector: type(detector).__name__)
def test_later_changes_of_stuck_channels_are_seen(detector, seed):
    series, later = _series(seed)
    assert 130 <= np.nanargmin(detector.fit(series).score_samples(later)) < 180


@pytest.mark.parametrize("detector", [GeometricOneClass(random_state=0), SequenceNeighbors(), SequenceLikelihood()])
def test_later_changes_of_stuck_channels_of_collections_are_seen(detector, seed):
    collection = np.random.default_rng(seed).normal(size=(40, 50, 2))
    collection[:, :, 1] = 20.7
    new = collection[:5].copy()
    new[2, 20:30, 1] = 1e6
    assert detector.fit(collection).score_samples(new).argmin() == 2


def test_stuck_channels_are_named_by_their_names_and_the_remedy(seed):
    frame = pd.DataFrame(_series(seed)[0], columns=["load", "valve", "flow"])
    with pytest.warns(UserWarning, match="Column 'valve' does not vary .* Set binary_channels='keep', or drop it"):
        RollingMahalanobis().fit(frame)
    frame.index = pd.date_range("2026-01-01", periods=len(frame), freq="h")
    with pytest.warns(UserWarning, match="Column 'valve' does not vary .* not seen by CalendarDetector"):
        CalendarDetector().fit(frame)


def test_a_series_that_does_not_vary_at_all_has_nothing_to_name():
    assert (
        np.ptp(RollingStatistic(window_size=10).fit(np.full((60, 2), 20.7)).score_samples(np.full((60, 2), 3.0))) == 0
    )


@pytest.mark.parametrize("names", [None, ["valve"]], ids=["array", "frame"])
def test_a_series_that_is_constant_but_for_one_value_is_named_where_it_is_not_seen(names):
    series = np.full((400, 1), 3.0)
    series[200] = 9.0
    table = series if names is None else pd.DataFrame(series, columns=names)
    label = "0" if names is None else "'valve'"
    words = rf"all 400 .* the score 0: .* in column {label} \(9 in row 200, 3 elsewhere\). Use MatrixProfileDetector"
    with pytest.warns(UserWarning, match=words):
        detector = TransitionGraphDetector().fit(table)
    assert np.ptp(detector.score_samples(table)) == 0
    assert 150 <= MatrixProfileDetector().fit(table).score_samples(table).argmin() <= 200  # the remedy


def test_a_series_that_varies_is_not_warned_of(seed):
    assert np.ptp(TransitionGraphDetector(window_size=10).fit_predict(_series(seed)[0][:, [0]])) > 0
