import numpy as np
import pytest
from numpy.testing import assert_allclose

from skanomaly import metrics
from tests.reference import affiliation, volumes
from tests.reference import event_metrics as reference

PROFILES = {"standard": (1.0, 0.11, 1.0), "low_fp": (1.0, 0.22, 1.0), "low_fn": (1.0, 0.11, 2.0)}


def _case(seed, decimals=12, size=90):
    random = np.random.default_rng(seed)
    anomaly = np.convolve(random.random(size) < 0.05, np.ones(5))[:size] > 0
    anomaly[random.integers(size // 2, size)] = True
    scores = (random.normal(size=size) - anomaly * random.random()).round(decimals)
    return np.where(anomaly, -1, 1), anomaly, scores


def _predictions(seed, size=90):
    random = np.random.default_rng(seed + 1000)
    called = random.random(size) < 0.3
    return np.where(called, -1, 1), called


@pytest.mark.parametrize("decimals", [0, 1, 12])
@pytest.mark.parametrize("window_size", [0, 5, 40])
def test_vus_is_the_mean_over_tolerances(decimals, window_size, seed):
    labels, anomaly, scores = _case(seed, decimals)
    expected = volumes.slices(anomaly, -scores, window_size, 30)
    options = {"window_size": window_size, "n_thresholds": 30}
    found = metrics.vus_pr_score(labels, scores, **options), metrics.vus_roc_score(labels, scores, **options)
    assert_allclose(found, np.mean(expected, axis=1), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("events", [[(0, 5), (85, 90)], [(0, 90)], [(40, 41)], [(10, 12), (14, 16), (17, 30)]])
@pytest.mark.parametrize("decimals", [0, 12])
def test_vus_of_events_at_the_ends_matches_the_definition(events, decimals, seed):
    anomaly = np.zeros(90, dtype=bool)
    for start, stop in events:
        anomaly[start:stop] = True
    scores = np.random.default_rng(seed).normal(size=90).round(decimals)
    expected = volumes.slices(anomaly, -scores, 12, 250)[0].mean()
    assert metrics.vus_pr_score(np.where(anomaly, -1, 1), scores, window_size=12) == pytest.approx(expected, rel=1e-12)


def test_vus_without_tolerance_is_average_precision_when_every_event_is_one_run(seed):
    random = np.random.default_rng(seed)
    labels = np.ones(200)
    labels[50:51] = -1
    scores = random.normal(size=200)
    found = metrics.vus_pr_score(labels, scores, window_size=0, n_thresholds=200)
    assert found == pytest.approx(metrics.average_precision_score(labels, scores), rel=1e-12)


@pytest.mark.parametrize("option", [{"window_size": -1}, {"window_size": 2.5}, {"n_thresholds": 1}])
def test_vus_raises_for_impossible_sizes(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        metrics.vus_pr_score([1, -1], [1.0, 0.0], **option)


def test_affiliation_averages_the_events(seed):
    labels, anomaly, _ = _case(seed)
    predictions, called = _predictions(seed)
    lengths, precisions, recalls = affiliation.event_scores(anomaly, called).T
    precision, recall = precisions[lengths > 0].mean(), recalls.mean()
    expected = precision, recall, 2 * precision * recall / (precision + recall)
    assert_allclose(metrics.affiliation_precision_recall_fscore(labels, predictions), expected, rtol=1e-9)


def test_affiliation_without_predictions_has_no_precision():
    with pytest.warns(UserWarning, match="nothing is predicted") as record:
        precision, recall, fscore = metrics.affiliation_precision_recall_fscore([1, -1, 1], [1, 1, 1])
    assert len(record) == 1
    assert np.isnan(precision)
    assert recall == fscore == 0.0


@pytest.mark.parametrize("bias", ["flat", "front", "back", "middle"])
@pytest.mark.parametrize("cardinality", ["reciprocal", "one"])
@pytest.mark.parametrize("existence_weight", [0.0, 0.2, 1.0])
def test_range_scores_match_the_definition(bias, cardinality, existence_weight, seed):
    labels, anomaly, _ = _case(seed)
    predictions, called = _predictions(seed)
    options = {"existence_weight": existence_weight, "bias": bias, "cardinality": cardinality}
    expected = reference.range_scores(anomaly, called, **options)
    assert_allclose(metrics.range_precision_recall_fscore(labels, predictions, **options), expected, rtol=1e-12)


@pytest.mark.parametrize("precision_bias", ["flat", "front", "back", "middle"])
@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_bias_of_the_precision_and_beta_match_the_definition(precision_bias, beta, seed):
    labels, anomaly, _ = _case(seed)
    predictions, called = _predictions(seed)
    options = {"precision_bias": precision_bias, "beta": beta, "bias": "back"}
    expected = reference.range_scores(anomaly, called, **options)
    assert_allclose(metrics.range_precision_recall_fscore(labels, predictions, **options), expected, rtol=1e-12)


def test_a_front_bias_prefers_alarms_at_the_onset():
    truth = np.ones(40)
    truth[10:20] = -1
    early, late = np.ones(40), np.ones(40)
    early[10:13] = late[17:20] = -1
    score = metrics.range_precision_recall_fscore
    assert score(truth, early, bias="front")[1] > score(truth, late, bias="front")[1]
    swapped = score(early, truth, precision_bias="front")[0], score(late, truth, precision_bias="front")[0]
    assert swapped[0] > swapped[1]
    assert score(truth, early)[1] == score(truth, late)[1]


@pytest.mark.parametrize("option", [{"precision_bias": "end"}, {"beta": 0.0}])
def test_wrong_options_of_ranges_raise(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        metrics.range_precision_recall_fscore([1, -1], [1, -1], **option)


def test_ranges_without_predictions_have_no_precision():
    with pytest.warns(UserWarning, match="nothing is predicted") as record:
        precision, recall, fscore = metrics.range_precision_recall_fscore([1, -1, 1], [1, 1, 1])
    assert len(record) == 1
    assert np.isnan(precision)
    assert recall == fscore == 0.0


def test_ranges_that_miss_score_zero():
    assert metrics.range_precision_recall_fscore([1, -1, 1, 1], [1, 1, 1, -1]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("decimals", [0, 12])
def test_event_f1_is_the_best_of_all_thresholds(decimals, seed):
    labels, anomaly, scores = _case(seed, decimals)
    expected = reference.best_over_thresholds(reference.event_f1, anomaly, -scores)
    assert metrics.event_f1_score(labels, scores) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("threshold", [-99.0, -1.0, 0.0, 99.0])
def test_event_f1_at_a_threshold_matches_the_definition(threshold, seed):
    labels, anomaly, scores = _case(seed)
    expected = reference.event_f1(anomaly, scores < threshold)
    assert metrics.event_f1_score(labels, scores, threshold=threshold) == pytest.approx(expected, rel=1e-12)


def test_event_f1_that_flags_normal_time_points_only_is_zero():
    assert metrics.event_f1_score([1, -1, 1], [-1, 1, 1], threshold=0) == 0.0


@pytest.mark.parametrize("coverage", [0.0, 0.2, 0.6, 1.0])
@pytest.mark.parametrize("decimals", [0, 12])
def test_point_adjusted_f1_is_the_best_of_all_thresholds(coverage, decimals, seed):
    labels, anomaly, scores = _case(seed, decimals)
    expected = reference.best_over_thresholds(reference.point_adjusted_f1, anomaly, -scores, coverage)
    assert metrics.point_adjusted_f1_score(labels, scores, coverage=coverage) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("threshold", [-99.0, -0.5, 99.0])
@pytest.mark.parametrize("coverage", [0.0, 0.4])
def test_point_adjusted_f1_at_a_threshold_matches_the_definition(threshold, coverage, seed):
    labels, anomaly, scores = _case(seed)
    expected = reference.point_adjusted_f1(anomaly, scores < threshold, coverage)
    found = metrics.point_adjusted_f1_score(labels, scores, threshold=threshold, coverage=coverage)
    assert found == pytest.approx(expected, rel=1e-12)


def test_full_coverage_is_plain_f1(seed):
    labels, _, scores = _case(seed)
    found = metrics.point_adjusted_f1_score(labels, scores, coverage=1.0)
    assert found == pytest.approx(metrics.best_f1_score(labels, scores), rel=1e-12)


def test_coverage_is_exceeded_by_more_than_its_fraction():
    labels, called = -np.ones(100), np.repeat([-1.0, 1.0], [29, 71])
    found = [
        metrics.point_adjusted_f1_score(labels, called, threshold=0, coverage=coverage) for coverage in (0.28, 0.29)
    ]
    assert_allclose(found, [1.0, 2 * 29 / 129])


@pytest.mark.parametrize("threshold", [None, 0.0])
def test_area_over_coverages_is_the_mean_of_f1(threshold, seed):
    labels, _, scores = _case(seed)
    values = [
        metrics.point_adjusted_f1_score(labels, scores, coverage=percent / 100, threshold=threshold)
        for percent in range(101)
    ]
    expected = (np.sum(values) - (values[0] + values[-1]) / 2) / 100
    assert metrics.pa_k_auc_score(labels, scores, threshold=threshold) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("profile", list(PROFILES))
@pytest.mark.parametrize("decimals", [0, 12])
def test_nab_score_is_the_best_of_all_thresholds(profile, decimals, seed):
    labels, anomaly, scores = _case(seed, decimals)
    expected = reference.best_over_thresholds(reference.nab, anomaly, -scores, PROFILES[profile])
    assert metrics.nab_score(labels, scores, profile=profile, probation=0.0) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("threshold", [-99.0, -0.5, 0.5, 99.0])
@pytest.mark.parametrize("profile", list(PROFILES))
def test_nab_score_at_a_threshold_matches_the_definition(threshold, profile, seed):
    labels, anomaly, scores = _case(seed)
    expected = reference.nab(anomaly, scores < threshold, PROFILES[profile])
    found = metrics.nab_score(labels, scores, threshold=threshold, profile=profile, probation=0.0)
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-10)


def test_nab_score_leaves_out_the_probation(seed):
    labels, _, scores = _case(seed)
    skipped = int(0.15 * labels.size)
    expected = metrics.nab_score(labels[skipped:], scores[skipped:], probation=0.0)
    assert metrics.nab_score(labels, scores) == expected


def test_nab_probation_is_750_points_at_most():
    labels, scores = np.ones(10000), np.ones(10000)
    labels[760:800] = scores[760] = -1
    assert metrics.nab_score(labels, scores, threshold=0) == pytest.approx(100.0)


@pytest.mark.parametrize("profile", list(PROFILES))
def test_nab_score_of_first_points_is_100_and_of_nothing_0(profile):
    labels, first = np.ones(300), np.ones(300)
    labels[100:130] = labels[200:240] = first[[100, 200]] = -1
    found = [metrics.nab_score(labels, scores, threshold=0, profile=profile) for scores in (first, np.ones(300))]
    assert_allclose(found, [100.0, 0.0], atol=1e-12)
