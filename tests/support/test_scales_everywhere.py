"""What divides by a spread gives the same for a constant and for a constant that is rounded."""

import numpy as np
import pytest

from skanomaly._support._tail import Tail
from skanomaly.audit import KNNTwoSampleTest
from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth
from skanomaly.impute._donors import Donors
from skanomaly.inspection import GaussianColumnSampler, NeighborColumnSampler
from skanomaly.model_selection._scales import ScoreScale
from skanomaly.model_selection._tables import scaled_rows
from skanomaly.robust import (
    ImbalancedRegressor,
    TrainingDynamics,
    ZErrorClassifier,
    ZErrorMask,
    ZErrorRegressor,
    robust_series_weights,
)
from skanomaly.robust._mask import MaskPlan
from skanomaly.sampling import SMOTENC, ExpectedAnomalyPosterior, MinoritySampler, RandomDistillationNovelty
from skanomaly.sequence import degrade_windows, overlay_events
from skanomaly.threshold import ContaminationPosterior, MADThreshold
from skanomaly.threshold._mixture._gammagmm import _transformed

VALUES = [20.7, 0.1, 3e7]


def _jitter(value, n_rows, seed):
    return value + np.random.default_rng(seed).integers(-2, 3, size=n_rows) * np.spacing(value)


def _tables(value, seed, n_rows=150):
    """Return a table with a constant column, and the same with that column rounded."""
    rows = np.random.default_rng(seed).normal(size=(n_rows, 3))
    rows[:, 2] = value
    rounded = rows.copy()
    rounded[:, 2] = _jitter(value, n_rows, seed)
    return rows, rounded


@pytest.mark.parametrize("value", VALUES)
def test_whitening_by_the_deviation_of_each_column(value, seed):
    rows, rounded = _tables(value, seed)
    for n_modes in (1, 2):
        detectors = [
            RandomProjectionDepth(covariance="diag", n_modes=n_modes, random_state=0).fit(table)
            for table in (rows, rounded)
        ]
        scores = [detector.score_samples(rows + np.array([0.0, 0.0, 1e-9 * value])) for detector in detectors]
        np.testing.assert_allclose(scores[1], scores[0], atol=1e-3 * max(1.0, 1e-9 * value), rtol=1e-3)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("sampler", [GaussianColumnSampler(), NeighborColumnSampler()])
def test_columns_drawn_given_the_others(sampler, value, seed):
    tables = _tables(value, seed)
    drawn = [sampler.fit(table).draw(tables[0][:5], np.array([0]), 3, np.random.default_rng(0)) for table in tables]
    np.testing.assert_allclose(drawn[1], drawn[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("value", VALUES)
def test_novelty_of_a_column_of_rounding(value, seed):
    rows, rounded = _tables(value, seed)
    scores = [RandomDistillationNovelty(random_state=0).fit(table).score_samples(rows) for table in (rows, rounded)]
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("value", VALUES)
def test_new_rows_keep_a_constant_column(value, seed):
    rows, rounded = _tables(value, seed, 60)
    y = np.repeat([0, 1], [45, 15])
    for table in (rows, rounded):
        made, _ = MinoritySampler(random_state=0).fit_resample(table, y)
        np.testing.assert_allclose(made[:, 2], value, rtol=1e-12)


@pytest.mark.parametrize("value", VALUES)
def test_cost_of_a_category_beside_a_column_of_rounding(value, seed):
    numbers = [np.full(40, value), _jitter(value, 40, seed)]
    codes = np.arange(40.0) % 3
    made = []
    for column in numbers:
        X = np.column_stack([column, codes])
        made.append(SMOTENC(categorical_features=[1], random_state=0).fit_resample(X, np.repeat([0, 1], [28, 12]))[0])
    np.testing.assert_allclose(made[1], made[0], rtol=1e-9)


@pytest.mark.parametrize("value", VALUES)
def test_donors_of_a_column_of_rounding_keep_its_unit(value, seed):
    rows, rounded = _tables(value, seed)
    categorical = np.zeros(3, dtype=bool)
    units = [Donors.from_table(table, categorical, scale=True).scale for table in (rows, rounded)]
    assert units[0][2] == units[1][2] == 1.0
    np.testing.assert_allclose(units[0][:2], rows[:, :2].std(axis=0), rtol=1e-12)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "model", [ZErrorClassifier(random_state=0, max_iter=3), ZErrorRegressor(random_state=0, max_iter=3)]
)
def test_networks_beside_a_column_of_rounding(model, value, seed):
    rows, rounded = _tables(value, seed)
    y = (rows[:, 0] > 0).astype(int) if isinstance(model, ZErrorClassifier) else rows[:, 0]
    moved = rows + np.array([0.0, 0.0, 1e-9])
    predictions = [model.fit(table, y).predict(moved) for table in (rows, rounded)]
    np.testing.assert_allclose(predictions[1], predictions[0], rtol=1e-3, atol=1e-3)


def test_errors_that_differ_by_rounding_are_not_masked(seed):
    center_scale = np.array([[0.7, 1e-16], [0.7, 0.1]])
    groups = np.zeros(50, dtype=np.intp)
    errors = _jitter(0.7, 50, seed)
    plan = MaskPlan.of(ZErrorMask(), classifier=False)
    assert np.abs(plan.standardized_errors(errors, groups, center_scale[:1])).max() == 0.0
    assert np.abs(plan.standardized_errors(errors + 1.0, groups, center_scale[1:])).min() > 5.0


@pytest.mark.parametrize("value", VALUES)
def test_constant_series_has_weights_of_one(value, seed):
    assert robust_series_weights(_jitter(value, 200, seed), window_size=10).all()


@pytest.mark.parametrize("value", [20.7, 0.1])
def test_threshold_of_scores_that_are_mostly_rounding(value, seed):
    scores = -_jitter(value, 300, seed)
    scores[:20] -= np.linspace(1.0, 3.0, 20)
    exact = np.full(300, -value)
    exact[:20] = scores[:20]
    assert MADThreshold().offset(scores) == pytest.approx(MADThreshold().offset(exact), rel=1e-9)
    assert MADThreshold().offset(scores) < -value - 1e-3


@pytest.mark.parametrize("value", [20.7, 0.1])
def test_contamination_of_scores_that_are_mostly_rounding(value, seed):
    found = []
    for bulk in (np.full(300, value), _jitter(value, 300, seed)):
        bulk[:20] += np.linspace(1.0, 3.0, 20)
        scores = np.column_stack([bulk, np.roll(bulk, 7)])
        model = ContaminationPosterior(random_state=0).fit_scores(scores)
        turned = _transformed(scores, "log_scaled")
        found.append((model.contamination_, model.offset_, *turned[:30].ravel()))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("value", VALUES)
def test_scores_of_rounding_have_no_scale(value, seed):
    training = _jitter(value, 100, seed)
    assert ScoreScale(training).scale == 1.0
    tail = Tail().fit(training)
    assert tail.transform(np.array([value + 1e-9 * value]))[0] < 3.0


@pytest.mark.parametrize("value", [20.7, 0.1])
def test_dynamics_and_networks_of_constant_targets_see_no_scale(value, seed):
    rows = np.random.default_rng(seed).normal(size=(60, 2))
    targets = _jitter(value, 60, seed)
    model = TrainingDynamics(random_state=0, max_iter=3).fit(rows, targets)
    clean = TrainingDynamics(random_state=0, max_iter=3).fit(rows, np.full(60, value))
    np.testing.assert_allclose(model.loss_trajectories_, clean.loss_trajectories_, rtol=1e-3, atol=1e-3)
    predictions = [
        ImbalancedRegressor(random_state=0, max_iter=3).fit(rows, y).predict(rows)
        for y in (targets, np.full(60, value))
    ]
    np.testing.assert_allclose(predictions[0], predictions[1], rtol=1e-6)


@pytest.mark.parametrize("value", VALUES)
def test_gower_distance_of_a_column_of_rounding(value, seed):
    rows, rounded = _tables(value, seed)
    first, second = (
        KNNTwoSampleTest(metric="gower", random_state=0).fit_samples(table[:70], table[70:])
        for table in (rows, rounded)
    )
    assert second.statistic_ == pytest.approx(first.statistic_, rel=1e-6)


@pytest.mark.parametrize("value", [0.1, 20.7])
def test_event_on_a_constant_background_keeps_its_power(value, seed):
    event = np.hanning(30)
    for background in (np.full(1000, value), _jitter(value, 1000, seed)):
        mixed, labels = overlay_events(background, [event], n_events=1, random_state=0)
        assert np.ptp(mixed[labels == -1]) == pytest.approx(np.ptp(event), rel=1e-6)


@pytest.mark.parametrize("value", [0.1, 20.7])
def test_windows_blended_with_a_constant_one(value, seed):
    windows = np.full((4, 40, 1), value)
    rounded = _jitter(value, windows.shape, seed)
    exact, _ = degrade_windows(windows, fractions={"soft": 1.0}, random_state=0)
    found, _ = degrade_windows(rounded, fractions={"soft": 1.0}, random_state=0)
    np.testing.assert_allclose(found, exact, rtol=1e-9)


@pytest.mark.parametrize("huge", [1e160, -3.4e38])
def test_huge_value_leaves_the_scale_of_a_table_finite(huge, seed):
    rows = np.random.default_rng(seed).normal(size=(100, 2))
    rows[3, 0] = huge
    scaled = scaled_rows(rows)
    assert np.abs(scaled[3, 0]) == pytest.approx(np.sqrt(99), rel=1e-9)
    np.testing.assert_allclose(scaled[:, 1], scaled_rows(rows[:, [1]])[:, 0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("model", [RandomDistillationNovelty(random_state=0), ExpectedAnomalyPosterior(random_state=0)])
def test_huge_cell_of_a_sampler_is_anomalous(model, seed):
    rows = np.random.default_rng(seed).normal(size=(100, 2))
    y = np.repeat([1, -1], [90, 10])
    rows[y == -1] += 4.0
    rows[95, 0] = 1e160
    scores = model.fit(rows, y).score_samples(rows)
    assert np.isfinite(scores).all()


HUGE = [1.7976931348623157e308, 1e160, -3.4028234663852886e38]
DETECTORS = [
    GaussianDetector(),
    GaussianDetector(covariance="robust", random_state=0),
    GaussianDetector(n_components=2, random_state=0),
    NearestNeighborsDetector(),
    NearestNeighborsDetector(metric="whitened"),
    RandomProjectionDepth(random_state=0),
    RandomProjectionDepth(covariance="diag", random_state=0),
    RandomProjectionDepth(covariance="ledoit_wolf", random_state=0),
    RandomProjectionDepth(covariance="robust", random_state=0),
]


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("detector", DETECTORS)
def test_one_huge_cell_is_flagged_and_does_not_blind(detector, column, huge, seed):
    random = np.random.default_rng(seed)
    rows, query = random.normal(size=(2, 200, 2))
    rows[17, column] = huge
    query[50] = [7.0, -7.0]
    scores = detector.fit(rows).score_samples(rows)
    assert np.isfinite(scores).all()
    assert scores.argmin() == 17
    found = detector.score_samples(query)
    assert np.isfinite(found).all()
    assert found.argmin() == 50


@pytest.mark.parametrize("huge", HUGE)
def test_one_huge_cell_in_chunks(huge, seed):
    rows = np.random.default_rng(seed).normal(size=(200, 2))
    rows[17, 0] = huge
    detector = RandomProjectionDepth(covariance="ledoit_wolf", random_state=0)
    assert detector.fit_chunks([rows[:90], rows[90:]]).score_samples(rows).argmin() == 17
