"""Two samples of durations that may be censored."""

import numpy as np
import pytest
from scipy import stats

from skanomaly.audit import CensoredTwoSampleTest, compare_detection_delay
from skanomaly.audit._survival._combinations import _simulated, _supremum_tail
from skanomaly.audit._survival._risk import RiskTable, nelson_aalen

# Weeks of remission of leukaemia under placebo and under 6-mercaptopurine (Freireich et al., 1963).
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
EVENTS = [*[1] * 21, 1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def _remission(**parameters):
    durations = np.array([*PLACEBO, *TREATED], dtype=float)[:, None]
    test = CensoredTwoSampleTest(random_state=0, **parameters)
    return test.fit(durations, groups=np.repeat([0, 1], 21), events=np.array(EVENTS, dtype=bool))


@pytest.mark.parametrize(
    ("statistic", "expected"), [("log_rank", 16.793), ("gehan", 13.458), ("tarone_ware", 15.124), ("peto", 14.084)]
)
def test_statistics_of_the_leukaemia_data_are_the_published_ones(statistic, expected):
    test = _remission(statistic=statistic, null="asymptotic")
    assert test.statistic_ == pytest.approx(expected, abs=5e-4)
    assert test.pvalue_ == pytest.approx(stats.chi2.sf(expected, 1), rel=1e-3)
    assert test.z_[0] < 0


def test_log_rank_agrees_with_scipy():
    random = np.random.Generator(np.random.PCG64(0))
    times = np.ceil(random.exponential(5, size=60))
    events, groups = random.random(60) < 0.7, np.arange(60) % 2
    samples = [stats.CensoredData.right_censored(times[groups == group], ~events[groups == group]) for group in (0, 1)]
    expected = stats.logrank(*samples)
    found = CensoredTwoSampleTest(statistic="log_rank", null="asymptotic").fit(
        times[:, None], groups=groups, events=events
    )
    assert found.statistic_ == pytest.approx(expected.statistic**2, rel=1e-10)
    assert found.pvalue_ == pytest.approx(expected.pvalue, rel=1e-10)


@pytest.mark.parametrize("statistic", ["log_rank", "max_combination", "supremum"])
def test_asymptotic_and_permutation_pvalues_keep_the_level(statistic):
    random = np.random.Generator(np.random.PCG64(1))
    for null, n_tables in (("asymptotic", 100), ("permutation", 60)):
        rejected = 0
        for seed in range(n_tables):
            durations = random.exponential(size=(100, 1))
            test = CensoredTwoSampleTest(
                statistic=statistic, null=null, n_permutations=39, horizon=1.6, random_state=seed
            )
            rejected += test.fit(durations).pvalue_ <= 0.05
        assert rejected <= stats.binom.ppf(0.9999, n_tables, 0.05)


def test_stacked_statistic_keeps_the_level_and_finds_crossing_hazards():
    found = {"log_rank": 0, "stacked": 0}
    size = 0
    for seed in range(12):
        random = np.random.Generator(np.random.PCG64(seed))
        first, same = random.exponential(size=(2, 100))
        hazards = random.exponential(size=100)
        crossing = np.where(hazards < 1.5, hazards / 2.5, 0.6 + (hazards - 1.5) * 2.5)
        for statistic in found:
            test = CensoredTwoSampleTest(statistic=statistic, n_permutations=99, horizon=3, random_state=seed)
            found[statistic] += test.fit_samples(first[:, None], crossing[:, None]).pvalue_ <= 0.05
            if statistic == "stacked":
                size += test.fit_samples(first[:, None], same[:, None]).pvalue_ <= 0.05
    assert size <= stats.binom.ppf(0.9999, 12, 0.05)
    assert found["stacked"] >= 9
    assert found["stacked"] > found["log_rank"]


def test_supremum_tail_is_that_of_a_brownian_motion():
    assert _supremum_tail(2.2414) == pytest.approx(0.05, abs=2e-4)
    assert _supremum_tail(4.0 - 1e-9) == pytest.approx(_supremum_tail(4.0 + 1e-9), rel=1e-3)
    assert _supremum_tail(0.1) == 1.0


def test_largest_of_several_weights_exceeds_each():
    values = [
        _remission(statistic=statistic, null="asymptotic").statistic_
        for statistic in ("log_rank", "early", "late", "middle")
    ]
    combined = _remission(statistic="max_combination", null="asymptotic")
    assert combined.statistic_ == pytest.approx(max(values))
    assert stats.chi2.sf(combined.statistic_, 1) < combined.pvalue_ < 4 * stats.chi2.sf(combined.statistic_, 1)


def test_horizon_is_the_same_as_censoring_there():
    random = np.random.Generator(np.random.PCG64(2))
    durations = random.exponential(size=(80, 2))
    by_horizon = CensoredTwoSampleTest(horizon=1.0, random_state=0).fit(durations)
    by_events = CensoredTwoSampleTest(random_state=0).fit(np.minimum(durations, 1.0), events=durations < 1.0)
    assert by_horizon.pvalue_ == by_events.pvalue_
    np.testing.assert_array_equal(by_horizon.n_events_, by_events.n_events_)


def test_hazard_of_a_row_leaves_the_row_out():
    durations, observed = np.array([1.0, 2.0, 2.0, 3.0, 4.0]), np.array([True, True, False, True, True])
    table = RiskTable(durations, observed)
    for row in range(5):
        rest = np.arange(5) != row
        other = RiskTable(durations[rest], observed[rest])
        expected = nelson_aalen(other, durations[row : row + 1])
        found = nelson_aalen(table, durations[row : row + 1], observed[row : row + 1])
        assert found == pytest.approx(expected)


def test_longer_durations_of_the_sample_score_lower():
    random = np.random.Generator(np.random.PCG64(3))
    test = CensoredTwoSampleTest(random_state=0).fit_samples(
        random.exponential(1, size=(100, 1)), random.exponential(4, size=(100, 1))
    )
    scores = test.score_samples(np.array([[0.1], [1.0], [5.0]]))
    assert (np.diff(scores) < 0).all()


def test_simulated_differences_have_the_hazards_they_name():
    random = np.random.Generator(np.random.PCG64(4))
    assert _simulated(-1, 4000, random).mean() == pytest.approx(1, abs=0.07)
    for kind in range(4):
        drawn = _simulated(kind, 4000, random)
        assert (drawn >= 0).all()
        assert stats.kstest(drawn, "expon").pvalue < 0.01


def test_bad_events_and_nulls_raise():
    durations = np.arange(1.0, 11)[:, None]
    with pytest.raises(ValueError, match="events has shape"):
        CensoredTwoSampleTest().fit(durations, events=np.ones(9))
    with pytest.raises(ValueError, match="other than True and False"):
        CensoredTwoSampleTest().fit(durations, events=np.full(10, 2))
    with pytest.raises(ValueError, match="not available"):
        CensoredTwoSampleTest(statistic="stacked", null="asymptotic").fit(durations)
    with pytest.warns(UserWarning, match="No event is observed"):
        assert CensoredTwoSampleTest(horizon=0.5).fit(durations).pvalue_ == 1.0


def test_delays_count_undetected_events_with_the_horizon():
    found = compare_detection_delay([1, 2, 2, 3], [5, np.nan, np.inf, 40], horizon=10, random_state=0)
    assert (found.detected_a, found.detected_b) == (1.0, 0.25)
    assert (found.mean_a, found.mean_b, found.mean_difference) == (2.0, 8.75, 6.75)
    assert (found.median_a, found.median_b) == (2.0, float("inf"))
    assert found.interval[0] <= found.mean_difference <= found.interval[1]


def test_delays_of_one_distribution_are_rarely_distinguished():
    random = np.random.Generator(np.random.PCG64(5))
    pvalues = [
        compare_detection_delay(*random.exponential(10, size=(2, 50)), horizon=20, random_state=seed).pvalue
        for seed in range(60)
    ]
    assert (np.array(pvalues) <= 0.05).sum() <= stats.binom.ppf(0.9999, 60, 0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [3, 4], 0), "horizon"),
        (([1], [3, 4], 5), "delays_a"),
        (([1, 2], [-3, 4], 5), "negative delay"),
    ],
)
def test_bad_delays_raise(arguments, message):
    with pytest.raises(ValueError, match=message):
        compare_detection_delay(*arguments[:2], horizon=arguments[2])
