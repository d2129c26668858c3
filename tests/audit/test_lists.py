"""What collected lists miss, how fast they change, and effects of one event."""

import numpy as np
import pytest
from scipy import stats

from skanomaly.audit import (
    anomaly_clustering_test,
    cliffs_delta,
    coverage_estimate,
    event_window_statistics,
    personalization_test,
    volatility_report,
)


def test_two_lists_give_the_known_estimate():
    found = coverage_estimate(range(10), range(5, 20))
    assert found.size == pytest.approx(28.33, abs=0.005)
    assert found.n_seen == 20
    assert found.interval[0] < found.size < found.interval[1]


@pytest.mark.parametrize("fractions", [(0.3, 0.4), (0.3, 0.4, 0.35, 0.3)])
def test_size_of_independent_lists_is_estimated_and_covered(fractions):
    random = np.random.Generator(np.random.PCG64(0))
    sizes, covered = [], 0
    for _ in range(200):
        found = coverage_estimate(*(np.flatnonzero(random.random(1000) < fraction) for fraction in fractions))
        sizes.append(found.size)
        covered += found.interval[0] <= 1000 <= found.interval[1]
    assert np.mean(sizes) == pytest.approx(1000, rel=0.01 if len(fractions) == 2 else 0.03)
    assert covered >= stats.binom.ppf(0.0001, 200, 0.87)


def test_complete_lists_have_no_unseen_keys():
    found = coverage_estimate(*[list("abc")] * 3)
    assert (found.size, found.coverage, found.interval) == (3.0, 1.0, (3.0, 3.0))


def test_volatility_counts_what_changed():
    report = volatility_report([{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"a": 1, "c": 4}])
    assert report.n_keys == 3
    assert report.vanished == (0.0, 0.5)
    assert report.appeared == (0.0, 0.5)
    assert report.changed == (0.5, 0.0)
    assert report.most_changed == ("b",)


def test_survival_of_keys_is_that_of_their_lifetimes():
    random = np.random.Generator(np.random.PCG64(1))
    starts, lengths = random.integers(0, 8, size=4000), random.geometric(0.3, size=4000)
    snapshots = [set(np.flatnonzero((starts <= time) & (time < starts + lengths))) for time in range(8)]
    found = volatility_report(snapshots).survival
    np.testing.assert_allclose(found[:4], 0.7 ** np.arange(1, 5), atol=0.03)


def test_vanishing_keys_with_other_values_are_a_biased_loss():
    random = np.random.Generator(np.random.PCG64(7))
    rejected, found = 0, 0
    for _ in range(60):
        before = dict(enumerate(random.gamma(2, size=150)))
        same = {key: value for key, value in before.items() if random.random() < 0.7}
        cheap = {key: value for key, value in before.items() if random.random() < 1 / (1 + value / 2)}
        rejected += volatility_report([before, same]).bias_pvalue <= 0.05
        report = volatility_report([before, cheap])
        found += report.bias_pvalue <= 0.05 and report.bias_delta > 0
    assert rejected <= stats.binom.ppf(0.9999, 60, 0.05)
    assert found >= 50


def test_bias_of_what_vanishes_needs_numbers():
    assert np.isnan(volatility_report([{1, 2}, {1}]).bias_pvalue)
    assert np.isnan(volatility_report([{"a": "x", "b": "y"}, {"a": "x"}]).bias_pvalue)
    assert np.isnan(volatility_report([{"a": 1}, {"a": 2}]).bias_delta)
    assert volatility_report([{"a": 1, "b": 1}, {"a": 1}]).bias_pvalue == 1.0


def test_equal_profiles_are_rarely_called_personalised():
    random = np.random.Generator(np.random.PCG64(8))
    rejected = np.zeros(2, dtype=int)
    for seed in range(100):
        shown = [dict(enumerate(np.where(random.random(40) < 0.2, random.normal(size=40), 0.0))) for _ in range(3)]
        report = personalization_test(shown[0], shown[1], control=shown[2], n_permutations=199, random_state=seed)
        rejected += [report.mean_pvalue <= 0.05, report.control_pvalue <= 0.05]
    assert (rejected <= stats.binom.ppf(0.9999, 100, 0.05)).all()


def test_personalised_values_are_found_beside_noise():
    random = np.random.Generator(np.random.PCG64(9))
    prices = {key: float(value) for key, value in enumerate(random.integers(10, 50, 60))}
    noisy = {key: value + (random.random() < 0.2) for key, value in prices.items()}
    raised = {key: value + (random.random() < 0.6) for key, value in prices.items()}
    report = personalization_test(prices, raised, control=noisy, random_state=0)
    assert report.different > report.control_different
    assert report.different_interval[0] < report.different < report.different_interval[1]
    assert report.control_pvalue < 0.01
    assert report.mean_pvalue < 0.001
    assert report.mean_difference == pytest.approx(report.different)


def test_mean_of_few_keys_has_the_exact_pvalue():
    report = personalization_test(dict.fromkeys("abcd", 0), dict(zip("abcd", (1, 2, 3, 4), strict=True)))
    assert report.mean_pvalue == 2 / 16
    assert np.isnan(report.control_pvalue)
    text = personalization_test({"a": "x", "b": "y"}, {"a": "x", "b": "z"})
    assert (text.different, np.isnan(text.mean_pvalue)) == (0.5, True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: personalization_test({1: 2}, {2: 2}), "no key in common"),
        (lambda: personalization_test({1: 2}, {1: None}), "second has 1 missing values, first at 1"),
        (lambda: personalization_test({1: 2}, {1: 2}, n_permutations=0), "'n_permutations' parameter.*Got 0"),
        (lambda: personalization_test({1: 2}, {1: 2}, confidence=0), "'confidence' parameter.*Got 0"),
        (lambda: coverage_estimate([1]), "1 lists"),
        (lambda: coverage_estimate([1], []), "empty"),
        (lambda: coverage_estimate([1], [2], confidence=1), "'confidence' parameter.*Got 1"),
        (lambda: volatility_report([{1}]), "at least 2"),
        (lambda: volatility_report([{1}, set()]), "Snapshot 1 is empty"),
        (lambda: volatility_report([{1: 2}, {1}]), "Some snapshots have values"),
        (lambda: cliffs_delta([], [1]), "first has shape"),
        (lambda: cliffs_delta([1], [np.nan]), "1 missing or infinite"),
        (lambda: event_window_statistics(np.zeros(9), 5, before=5, after=5), "The windows are"),
        (lambda: event_window_statistics(np.zeros(9), 5, before=1, after=4), "'before' parameter.*Got 1"),
        (lambda: event_window_statistics(np.zeros(9), 4, before=4, after=4, block_length=5), "block_length=5"),
        (lambda: anomaly_clustering_test([1], 5), "1 distinct"),
        (lambda: anomaly_clustering_test([1, 5], 5), "places are from 1 to 5"),
    ],
)
def test_bad_input_raises(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_collection_without_values_raises():
    with pytest.raises(TypeError, match="control is a list"):
        personalization_test({1: 2}, {1: 2}, control=[1])


def test_cliffs_delta_equals_its_definition_on_ties():
    random = np.random.Generator(np.random.PCG64(2))
    for _ in range(20):
        first, second = random.integers(0, 6, size=17), random.integers(1, 8, size=23)
        expected = np.sign(first[:, None] - second).mean()
        assert cliffs_delta(first, second) == pytest.approx(expected, rel=1e-12)


def test_intervals_cover_the_shift_of_independent_values():
    random = np.random.Generator(np.random.PCG64(3))
    covered = 0
    for seed in range(100):
        x = random.normal(size=120)
        x[60:] += 1
        found = event_window_statistics(x, 60, before=60, after=60, n_resamples=400, block_length=1, random_state=seed)
        covered += found.mean_interval[0] <= 1 <= found.mean_interval[1]
    assert stats.binom.ppf(0.0001, 100, 0.92) <= covered < 100


def test_blocks_cover_the_shift_of_dependent_values_better():
    random = np.random.Generator(np.random.PCG64(4))
    covered = {1: 0, 25: 0}
    for seed in range(60):
        noise = random.normal(size=800)
        x = np.empty(800)
        x[0] = noise[0]
        for time in range(1, 800):
            x[time] = 0.8 * x[time - 1] + noise[time]
        for length in covered:
            found = event_window_statistics(
                x, 400, before=400, after=400, n_resamples=100, block_length=length, random_state=seed
            )
            covered[length] += found.mean_interval[0] <= 0 <= found.mean_interval[1]
    assert covered[1] <= 0.65 * 60
    assert covered[25] >= 0.8 * 60


@pytest.mark.slow
def test_intervals_cover_as_often_as_they_say():
    random = np.random.Generator(np.random.PCG64(10))
    covered = 0
    for seed in range(500):
        x = random.normal(size=200)
        found = event_window_statistics(
            x, 100, before=100, after=100, n_resamples=1000, block_length=1, random_state=seed
        )
        covered += found.mean_interval[0] <= 0 <= found.mean_interval[1]
    assert 0.92 <= covered / 500 <= 0.97


@pytest.mark.slow
def test_blocks_cover_the_shift_of_an_autoregression_where_single_values_do_not():
    random = np.random.Generator(np.random.PCG64(11))
    covered = {1: 0, 40: 0}
    for seed in range(300):
        x = random.normal(size=1200)
        for time in range(1, 1200):
            x[time] += 0.8 * x[time - 1]
        for length in covered:
            found = event_window_statistics(
                x, 600, before=600, after=600, n_resamples=300, block_length=length, random_state=seed
            )
            covered[length] += found.mean_interval[0] <= 0 <= found.mean_interval[1]
    assert covered[40] >= 0.85 * 300
    assert covered[1] <= 0.65 * 300


def test_window_statistics_are_those_of_the_windows():
    random = np.random.Generator(np.random.PCG64(5))
    x = np.round(random.normal(5, 1, size=60), 1)
    found = event_window_statistics(x, 30, before=20, after=25, n_resamples=50, random_state=0)
    before, after = x[10:30], x[30:55]
    assert found.mean_shift == pytest.approx(after.mean() - before.mean())
    assert found.relative_shift == pytest.approx(after.mean() / before.mean() - 1)
    assert found.cliffs_delta == pytest.approx(np.sign(after[:, None] - before).mean())
    assert found.variance_ratio == pytest.approx(after.var(ddof=1) / before.var(ddof=1))
    assert found.cliffs_interval[0] <= found.cliffs_delta <= found.cliffs_interval[1]
    assert found.block_length == 3


def test_clusters_of_anomalies_are_found_and_random_places_are_not():
    random = np.random.Generator(np.random.PCG64(6))
    rejected = sum(
        anomaly_clustering_test(random.choice(500, 8, replace=False), 500, n_permutations=99, random_state=seed)[1]
        <= 0.05
        for seed in range(100)
    )
    assert rejected <= stats.binom.ppf(0.9999, 100, 0.05)
    assert anomaly_clustering_test([10, 11, 12, 400, 401, 402], 500, random_state=0)[1] <= 0.01
