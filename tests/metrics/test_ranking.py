import numpy as np
import pytest
from scipy.stats import norm
from sklearn import metrics as theirs

from skanomaly import metrics
from tests.reference import event_metrics as reference


def _case(seed, decimals=12, size=60, fraction=0.2):
    random = np.random.default_rng(seed)
    labels = np.where(random.random(size) < fraction, -1, 1)
    labels[:2] = -1, 1
    return labels, (random.normal(size=size) + (labels == 1)).round(decimals), random.random(size)


@pytest.mark.parametrize("decimals", [0, 12])
@pytest.mark.parametrize("weighted", [False, True])
def test_average_precision_is_that_of_scikit_learn(decimals, weighted, seed):
    labels, scores, weights = _case(seed, decimals)
    weights = weights if weighted else None
    assert metrics.average_precision_score(labels, scores, sample_weight=weights) == pytest.approx(
        theirs.average_precision_score(labels == -1, -scores, sample_weight=weights), rel=1e-12
    )


@pytest.mark.parametrize("decimals", [0, 12])
@pytest.mark.parametrize("weighted", [False, True])
def test_roc_auc_is_that_of_scikit_learn(decimals, weighted, seed):
    labels, scores, weights = _case(seed, decimals)
    weights = weights if weighted else None
    assert metrics.roc_auc_score(labels, scores, sample_weight=weights) == pytest.approx(
        theirs.roc_auc_score(labels, scores, sample_weight=weights), rel=1e-12
    )


@pytest.mark.parametrize("max_fpr", [0.05, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("decimals", [0, 12])
def test_partial_roc_auc_is_that_of_scikit_learn(max_fpr, decimals, seed):
    labels, scores, _ = _case(seed, decimals)
    assert metrics.partial_roc_auc_score(labels, scores, max_fpr=max_fpr) == pytest.approx(
        theirs.roc_auc_score(labels == -1, -scores, max_fpr=max_fpr), rel=1e-12
    )


@pytest.mark.parametrize("n_counted", [1, 5, 25, 50])
def test_plain_partial_roc_auc_is_the_mean_over_the_normal_rows_of_lowest_score(n_counted, seed):
    labels = np.repeat([-1, 1], [12, 50])
    scores = np.random.default_rng(seed).normal(size=62)
    lowest = np.sort(scores[labels == 1])[:n_counted]
    expected = np.mean([np.mean(scores[labels == -1] < score) for score in lowest])
    area = metrics.partial_roc_auc_score(labels, scores, max_fpr=n_counted / 50, correction="none")
    assert area == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("correction", ["mcclish", "none"])
def test_partial_roc_auc_of_constant_scores_is_chance(correction):
    area = metrics.partial_roc_auc_score([1, 1, 1, -1], np.zeros(4), max_fpr=0.2, correction=correction)
    assert area == pytest.approx(0.5 if correction == "mcclish" else 0.1)


@pytest.mark.parametrize("max_fpr", [0.0, 1.5, "0.1"])
def test_partial_roc_auc_raises_for_impossible_ends(max_fpr):
    with pytest.raises(ValueError, match="max_fpr"):
        metrics.partial_roc_auc_score([1, -1], [1.0, 0.0], max_fpr=max_fpr)


@pytest.mark.parametrize("tpr", [0.5, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_fpr_at_tpr_is_that_of_the_strictest_threshold(tpr, decimals, seed):
    labels, scores, _ = _case(seed, decimals)
    found = [
        (np.mean(scores[labels == 1] <= threshold))
        for threshold in scores
        if np.mean(scores[labels == -1] <= threshold) >= tpr - 1e-12
    ]
    assert metrics.fpr_at_tpr_score(labels, scores, tpr=tpr) == pytest.approx(min(found), abs=1e-12)


def test_fpr_at_tpr_of_shifted_normal_distributions_is_known(seed):
    random = np.random.default_rng(seed)
    scores = random.normal(size=40000)
    scores[:20000] -= 2.0
    labels = np.repeat([-1, 1], 20000)
    assert metrics.fpr_at_tpr_score(labels, scores) == pytest.approx(norm.cdf(norm.ppf(0.95) - 2.0), abs=0.03)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize("values", [1, 2, 3, 100])
def test_precision_at_n_is_the_mean_over_orders_of_ties(n, values, seed):
    random = np.random.default_rng(seed)
    anomaly, outlyingness = random.random(6) < 0.4, random.integers(values, size=6)
    anomaly[0] = True
    expected = reference.precision_at_n(anomaly, outlyingness, n)
    assert metrics.precision_at_n_score(np.where(anomaly, -1, 1), -outlyingness, n=n) == pytest.approx(expected)


def test_precision_at_n_counts_as_many_rows_as_there_are_anomalies():
    labels, scores = [-1, 1, -1, 1, -1, 1], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert metrics.precision_at_n_score(labels, scores) == metrics.precision_at_n_score(labels, scores, n=3) == 2 / 3


def test_precision_at_n_raises_for_more_rows_than_there_are():
    with pytest.raises(ValueError, match="n=4 is more than the 3 labelled rows"):
        metrics.precision_at_n_score([1, -1, 1, 0], [1.0, 2.0, 3.0, 4.0], n=4)


@pytest.mark.parametrize("n", [None, 3, 10, 40])
def test_adjusted_precision_at_n_is_one_for_perfect_scores(n):
    labels = np.repeat([-1, 1], [10, 40])
    assert metrics.adjusted_precision_at_n_score(labels, labels, n=n) == pytest.approx(1.0)


@pytest.mark.parametrize("n", [None, 3, 10, 40])
def test_adjusted_precision_at_n_is_zero_for_constant_scores(n):
    labels = np.repeat([-1, 1], [10, 40])
    assert metrics.adjusted_precision_at_n_score(labels, np.zeros(50), n=n) == pytest.approx(0.0)


def test_adjusted_precision_at_all_rows_is_not_defined():
    with pytest.warns(UserWarning, match="every ranking"):
        assert np.isnan(metrics.adjusted_precision_at_n_score([-1, 1, 1], [0.0, 1.0, 2.0], n=3))


@pytest.mark.parametrize("chance", ["prevalence", "expected"])
def test_adjusted_average_precision_is_one_for_perfect_scores(chance):
    labels = np.repeat([-1, 1], [10, 40])
    assert metrics.adjusted_average_precision_score(labels, labels, chance=chance) == pytest.approx(1.0)


def test_adjusted_average_precision_is_zero_for_constant_scores():
    assert metrics.adjusted_average_precision_score([-1, 1, 1, -1, 1], np.zeros(5)) == pytest.approx(0.0)


@pytest.mark.parametrize("n_anomalies", [1, 2, 4, 5])
def test_adjusted_average_precision_is_zero_for_the_mean_over_all_orders(n_anomalies):
    anomaly = np.arange(6) < n_anomalies
    zero = reference.chance_average_precision(anomaly)
    labels, scores = np.where(anomaly, -1, 1), np.arange(6.0)[::-1]
    expected = (metrics.average_precision_score(labels, scores) - zero) / (1 - zero)
    adjusted = metrics.adjusted_average_precision_score(labels, scores, chance="expected")
    assert adjusted == pytest.approx(expected, rel=1e-12)


def test_expected_chance_takes_no_weights():
    with pytest.raises(ValueError, match="takes no sample_weight"):
        metrics.adjusted_average_precision_score([1, -1], [1.0, 0.0], chance="expected", sample_weight=[1.0, 2.0])


@pytest.mark.parametrize("decimals", [0, 12])
def test_best_f1_is_the_best_of_all_thresholds(decimals, seed):
    labels, scores, _ = _case(seed, decimals)
    expected = reference.best_over_thresholds(reference.f1, labels == -1, -scores)
    assert metrics.best_f1_score(labels, scores) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_oracle_f1_is_that_of_the_quantile_threshold(decimals, seed):
    labels, scores, _ = _case(seed, decimals)
    called = scores < np.percentile(scores, 100 * np.mean(labels == -1))
    assert metrics.oracle_f1_score(labels, scores) == pytest.approx(reference.f1(labels == -1, called), rel=1e-12)


def test_oracle_f1_is_precision_at_n_without_ties(seed):
    labels, scores, _ = _case(seed)
    assert metrics.oracle_f1_score(labels, scores) == pytest.approx(metrics.precision_at_n_score(labels, scores))


@pytest.mark.parametrize("correction", ["mcclish", "none"])
def test_domain_roc_auc_is_the_harmonic_mean_of_all_areas(correction, seed):
    labels, scores, _ = _case(seed, size=200)
    random = np.random.default_rng(seed)
    domains, sections = random.choice(["source", "target"], size=200), random.integers(2, size=200)
    areas = []
    for section in range(2):
        inside = sections == section
        for domain in ("source", "target"):
            rows = inside & ((labels == -1) | (domains == domain))
            areas.append(metrics.roc_auc_score(labels[rows], scores[rows]))
        areas.append(metrics.partial_roc_auc_score(labels[inside], scores[inside], correction=correction))
    expected = len(areas) / np.sum(1 / np.array(areas))
    found = metrics.domain_roc_auc_score(labels, scores, domains=domains, sections=sections, correction=correction)
    assert found == pytest.approx(expected, rel=1e-12)


def test_domain_roc_auc_leaves_out_unlabelled_rows(seed):
    labels, scores, weights = _case(seed)
    domains = np.arange(60) % 2
    options = {"domains": np.append(domains, [5, 0]), "sample_weight": np.append(weights, [1.0, 1.0])}
    found = metrics.domain_roc_auc_score(np.append(labels, [0, 0]), np.append(scores, [0.0, 9.0]), **options)
    assert found == metrics.domain_roc_auc_score(labels, scores, domains=domains, sample_weight=weights)


def test_domain_roc_auc_is_zero_where_one_area_is():
    found = metrics.domain_roc_auc_score([1, 1, -1], [3.0, 1.0, 2.0], domains=["a", "b", "b"], correction="none")
    assert found == 0.0


def test_domain_without_weight_does_not_count():
    labels, scores, domains = [1, 1, 1, -1], [3.0, 4.0, 1.0, 2.0], ["a", "a", "b", "b"]
    kept = metrics.domain_roc_auc_score(labels, scores, domains=domains, sample_weight=[1.0, 1.0, 0.0, 1.0])
    assert kept == pytest.approx(1.0)


def test_domain_roc_auc_without_anomalies_in_a_section_is_not_defined():
    with pytest.warns(UserWarning, match="section 1 has no anomaly"):
        found = metrics.domain_roc_auc_score(
            [1, -1, 1, 1], [1.0, 0.0, 1.0, 0.0], domains=["a"] * 4, sections=[0, 0, 1, 1]
        )
    assert np.isnan(found)
