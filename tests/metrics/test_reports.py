import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import norm
from sklearn.metrics import adjusted_rand_score

from skanomaly import metrics
from tests.reference import protocols as reference


def test_strata_are_compared_with_rows_of_their_own_and_of_none(seed):
    random = np.random.default_rng(seed)
    labels, scores = np.where(random.random(300) < 0.3, -1, 1), random.normal(size=300)
    strata = random.choice(np.array(["a", "b", None], dtype=object), size=300)
    report = metrics.stratified_report(labels, scores, strata)
    assert (np.diff(report["roc_auc"]) >= 0).all()
    for place, name in enumerate(report["stratum"]):
        rows = (strata == name) | (strata == None)  # noqa: E711
        assert report["roc_auc"][place] == metrics.roc_auc_score(labels[rows], scores[rows])
        assert report["fpr_at_tpr"][place] == metrics.fpr_at_tpr_score(labels[rows], scores[rows])
        assert report["n_anomalies"][place] == (labels[rows] == -1).sum()


def test_false_positive_rate_of_shifted_gaussians_is_that_of_theory(seed):
    random = np.random.default_rng(seed)
    labels = np.repeat([-1, 1], 20_000)
    scores = random.normal(size=40_000) - 2.0 * (labels == -1)
    report = metrics.stratified_report(labels, scores, ["all"] * 40_000)
    assert report["fpr_at_tpr"][0] == pytest.approx(norm.cdf(norm.ppf(0.95) - 2.0), abs=0.02)  # 0.361


def test_stratum_without_a_class_is_last_and_nan():
    report = metrics.stratified_report([1, -1, 1], [0.9, 0.1, 0.5], ["both", "both", "one"])
    assert report["stratum"].tolist() == ["both", "one"]
    assert np.isnan(report["roc_auc"][1])
    with pytest.raises(ValueError, match="strata has no value"):
        metrics.stratified_report([1, -1], [0.9, 0.1], [None, None])


def test_sample_is_anomalous_if_any_view_is(seed):
    random = np.random.default_rng(seed)
    groups, labels = np.repeat(np.arange(100), 5), np.where(random.random(500) < 0.1, -1, 1)
    scores = random.normal(size=500) - 3 * (labels == -1)
    report = metrics.sample_level_report(labels, scores, groups)
    anomalous = np.array([-1 if -1 in labels[groups == group] else 1 for group in range(100)])
    lowest = np.array([scores[groups == group].min() for group in range(100)])
    assert report["roc_auc"].tolist() == [
        metrics.roc_auc_score(labels, scores),
        metrics.roc_auc_score(anomalous, lowest),
    ]
    with pytest.raises(ValueError, match="2 views are unlabelled"):
        metrics.sample_level_report([0, 0, -1, 1], [1, 2, 3, 4], [0, 0, 1, 1])


def test_domain_report_uses_the_threshold_of_the_source(seed):
    random = np.random.default_rng(seed)
    domains, labels = np.repeat(["b", "a"], 500), np.where(np.arange(1000) % 10 == 0, -1, 1)
    scores = random.normal(size=1000) - 3.0 * (labels == -1) - 1.5 * (domains == "a")
    report = metrics.domain_shift_report(labels, scores, domains, source="b", false_alarm_rate=0.1)
    assert report["domain"].tolist() == ["b", "a"]
    assert report["false_alarm_rate"][0] == 0.1
    threshold = np.sort(scores[(domains == "b") & (labels == 1)])[45]
    target = domains == "a"
    assert report["false_alarm_rate"][1] == (scores[target & (labels == 1)] < threshold).mean() > 0.4
    assert report["recall"][1] == (scores[target & (labels == -1)] < threshold).mean()
    assert report["gap"][1] == report["roc_auc"][0] - metrics.roc_auc_score(labels[target], scores[target])


def test_domain_without_anomalies_has_a_false_alarm_rate_only():
    report = metrics.domain_shift_report([1, -1, 1], [0.9, 0.1, 0.05], ["s", "s", "t"], source="s")
    assert report["false_alarm_rate"].tolist() == [0.0, 1.0]
    assert np.isnan([report["roc_auc"][1], report["recall"][1]]).all()
    with pytest.raises(ValueError, match="has no normal row"):
        metrics.domain_shift_report([1, -1], [0.9, 0.1], ["s", "t"], source="t")


def _open_set(seed, n=120):
    random = np.random.default_rng(seed)
    truth, unknown = random.integers(3, size=n), random.random(n) < 0.4
    predicted = np.where(random.random(n) < 0.8, truth, (truth + 1) % 3)
    return truth, predicted, unknown, random.normal(size=n).round(1) - unknown


def test_open_set_area_matches_the_definition(seed):
    case = _open_set(seed)
    report = metrics.open_set_report(*case)
    wrong, right = np.array(reference.open_set_curve(*case)).T
    assert report.open_set_area == pytest.approx(np.trapezoid(right, wrong), abs=1e-12)
    assert_array_equal(report.unknown_rate[::-1], wrong)
    assert report.correct_rate[::-1] == pytest.approx(right)
    truth, predicted, unknown, _ = case
    assert report.accuracy == pytest.approx((truth == predicted)[~unknown].mean())


def test_accuracy_of_accepted_samples_is_that_above_each_threshold(seed):
    truth, predicted, unknown, scores = _open_set(seed)
    report = metrics.open_set_report(truth, predicted, unknown, scores)
    for place, threshold in enumerate(np.unique(scores)):
        rows = (scores >= threshold) & ~unknown
        assert report.coverage[place] == pytest.approx(rows.sum() / (~unknown).sum())
        expected = (truth == predicted)[rows].mean() if rows.any() else np.nan
        assert report.accepted_accuracy[place] == pytest.approx(expected, nan_ok=True)


def test_open_set_report_needs_known_and_unknown_samples():
    with pytest.raises(ValueError, match="both known and unknown"):
        metrics.open_set_report([0, 1], [0, 1], [True, True], [0.1, 0.2])


def test_purity_and_efficiency_match_the_definition(seed):
    random = np.random.default_rng(seed)
    true, found, weights = random.integers(5, size=60), random.integers(4, size=60), random.random(60)
    purity, efficiency, rand = metrics.instance_purity_efficiency(true, found, sample_weight=weights)
    assert (purity, efficiency) == pytest.approx(reference.purity_efficiency(true, found, weights), abs=1e-12)
    assert rand == adjusted_rand_score(true, found)


@pytest.mark.parametrize(
    ("true", "found", "expected"),
    [([0, 0, 1, 1], [7, 7, 3, 3], (1, 1)), ([0, 0, 1, 1], [2, 2, 2, 2], (0.5, 1)), ([0, 0], [1, 2], (1, 0.5))],
)
def test_purity_falls_where_instances_merge_and_efficiency_where_they_split(true, found, expected):
    assert metrics.instance_purity_efficiency(true, found)[:2] == expected


def test_instances_of_different_events_are_different():
    assert metrics.instance_purity_efficiency([0, 0, 0, 0], [1, 1, 1, 1], groups=[5, 5, 6, 6]) == (1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="empty"):
        metrics.instance_purity_efficiency([], [])


@pytest.mark.parametrize(("shape", "connectivity"), [((60,), 1), ((9, 11), 1), ((9, 11), "full"), ((4, 5, 6), 2)])
def test_sparse_regions_are_those_of_the_dense_mask(shape, connectivity, seed):
    random = np.random.default_rng(seed)
    mask, scores = np.where(random.random(shape) < 0.3, -1, 1), random.normal(size=shape)
    cells = np.stack(np.unravel_index(random.permutation(mask.size), shape), axis=1) - 3
    places = tuple((cells + 3).T)
    found = metrics.per_region_overlap_score(mask[places], scores[places], coordinates=cells, connectivity=connectivity)
    assert found == pytest.approx(metrics.per_region_overlap_score(mask, scores, connectivity=connectivity))


def test_sparse_regions_do_not_cross_events():
    cells = np.array([[0, 0], [0, 1], [5, 5]])
    labels, scores = (
        [np.array([-1, 1, 1]), np.array([1, -1, 1])],
        [np.array([0.1, 0.5, 0.9]), np.array([0.5, 0.2, 0.9])],
    )
    assert metrics.per_region_overlap_score(labels, scores, coordinates=[cells, cells]) == 1.0
    with_normal_event = metrics.per_region_overlap_score(
        [labels[0], np.ones(3)], scores, coordinates=[cells, cells], max_fpr=1.0
    )
    assert with_normal_event == 1.0


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([[0, 0], [0, 1]], "with the same number of axes"),
        ([[0, 0], [0, 1.5], [2, 2]], "whole numbers"),
        ([[0, 0], [0, 0], [2, 2]], "twice"),
        ([[[0], [1], [2]], [[0], [1], [2]]], "2 events"),
        ([[0], [1], [2]], "more than the 1 axes"),
    ],
)
def test_wrong_coordinates_raise(cells, message):
    with pytest.raises(ValueError, match=message):
        metrics.per_region_overlap_score([-1, 1, 1], [0.1, 0.5, 0.9], coordinates=cells, connectivity=2)
