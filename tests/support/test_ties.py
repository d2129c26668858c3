import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import rankdata
from sklearn.ensemble import IsolationForest

from skanomaly._support._tail import Tail
from skanomaly._support._ties import (
    count_above,
    count_at_least,
    count_below,
    rank_scores,
    settled_threshold,
    tie_tolerance,
)
from skanomaly.detectors import NearestNeighborsDetector
from skanomaly.embeddings import AnomalyClusterer
from skanomaly.model_selection import ScoreEnsemble
from skanomaly.threshold import ConformalDetector, ContaminationPosterior


def nudged(scores, random):
    """Move each score by one unit in the last place, up or down; of exact zeros, by one of the score 1."""
    moved = np.nextafter(scores, np.where(random.random(scores.shape) < 0.5, -np.inf, np.inf), dtype=scores.dtype)
    tiny = np.finfo(scores.dtype).eps * random.choice([-1, 0, 1], size=scores.shape)
    return np.where(scores == 0, tiny, moved).astype(scores.dtype)


def tied_scores(random, dtype=np.float64):
    """Draw scores of which most are duplicates, many of them 0, and one is huge."""
    values = np.concatenate([np.zeros(3), random.exponential(size=8)])
    scores = random.choice(values, size=80)
    scores[0] = 1e6
    scores[1:4] = random.choice(values[3:], size=3)
    return scores.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [count_below, count_at_least, count_above])
def test_counts_ignore_rounding_on_both_sides(count, dtype, seed):
    random = np.random.default_rng(seed)
    scores = tied_scores(random, dtype)
    expected = count(np.sort(scores), scores)
    assert_array_equal(count(np.sort(nudged(scores, random)), nudged(scores, random)), expected)


@pytest.mark.parametrize("count", [count_below, count_at_least, count_above])
def test_counts_are_exact_where_scores_are_well_separated(count, seed):
    random = np.random.default_rng(seed)
    stored, scores = np.sort(random.integers(-9, 9, size=50) / 8), random.integers(-9, 9, size=60) / 8
    compare = {count_below: np.less, count_at_least: np.greater_equal, count_above: np.greater}[count]
    assert_array_equal(count(stored, scores), compare(stored[:, None], scores).sum(axis=0))


def test_infinite_scores_tie_with_their_like():
    stored = np.array([-np.inf, 0.0, 1.0, np.inf, np.inf])
    assert_array_equal(count_at_least(stored, [-np.inf, 1.0, np.inf]), [5, 3, 2])
    assert_array_equal(rank_scores(stored), rankdata(stored))


def test_counts_among_no_scores_are_zero():
    assert_array_equal(count_at_least(np.empty(0), [0.0, 1.0]), [0, 0])


def test_one_huge_score_makes_no_others_ties(seed):
    scores = np.sort(np.append(np.random.default_rng(seed).normal(size=100), 1e300))
    assert_array_equal(count_at_least(scores, scores), np.arange(101, 0, -1))


def test_tolerance_grows_with_the_score():
    assert_allclose(tie_tolerance(np.ones(9), [0.0, 1.0, -4.0, np.inf]), np.array([1, 1, 4, 0]) * 2.0**-33)


def test_ranks_ignore_rounding(seed):
    random = np.random.default_rng(seed)
    scores = tied_scores(random)
    assert_array_equal(rank_scores(nudged(scores, random)), rankdata(scores))


@pytest.mark.parametrize("axis", [0, 1])
def test_ranks_of_separated_scores_are_those_of_scipy(axis, seed):
    scores = np.random.default_rng(seed).integers(9, size=(12, 7)).astype(np.float64)
    assert_array_equal(rank_scores(scores, axis=axis), rankdata(scores, axis=axis))


@pytest.mark.parametrize("fraction", [0, 10, 25, 50])
def test_settled_threshold_keeps_the_rows_below_it_and_sits_on_none(fraction, seed):
    random = np.random.default_rng(seed)
    scores = tied_scores(random)
    threshold = float(np.percentile(scores, fraction))
    settled = settled_threshold(threshold, scores)
    assert_array_equal(scores < settled, scores < threshold)
    assert_array_equal(nudged(scores, random) < settled, scores < threshold)


def test_settled_threshold_between_two_scores_is_left_alone(seed):
    scores = np.random.default_rng(seed).normal(size=36)
    threshold = float(np.percentile(scores, 10))
    assert settled_threshold(threshold, scores) == threshold


class _Fixed:
    """Scores are the table's only column."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def get_params(self, deep=True):
        return {}

    def score_samples(self, X):
        return -np.asarray(X)[:, 0]


@pytest.mark.parametrize("method", ["split", "cross", "jackknife+"])
def test_conformal_pvalues_ignore_rounding(method, seed):
    random = np.random.default_rng(seed)
    rows = tied_scores(random)[:, None]
    model = ConformalDetector(_Fixed(), method=method, random_state=seed).fit(rows)
    expected, labels = model.pvalues(rows), model.predict(rows)
    for scores in model.calibration_scores_:
        scores[:] = np.sort(nudged(scores, random))
    moved = nudged(rows, random)
    assert_array_equal(model.pvalues(moved), expected)
    assert_array_equal(model.predict(moved), labels)


def test_tail_ranks_ignore_rounding(seed):
    random = np.random.default_rng(seed)
    scores = tied_scores(random)
    stored = nudged(scores, random)
    assert_allclose(Tail().fit(stored).transform(nudged(scores, random)), Tail().fit(scores).transform(scores))


def test_anomaly_probability_ignores_rounding(seed):
    random = np.random.default_rng(seed)
    scores = tied_scores(random)[:, None]
    model = ContaminationPosterior(random_state=seed).fit_scores(scores)
    expected, labels = model.anomaly_probability(scores), model.predict(scores)
    moved = nudged(scores, random)
    assert_array_equal(model.anomaly_probability(moved), expected)
    assert_array_equal(model.predict(moved), labels)


@pytest.mark.parametrize("aggregation", ["rank", "top_ranks", "probability_integral", "robust_z"])
def test_ensemble_scores_ignore_rounding(aggregation, seed):
    random = np.random.default_rng(seed)
    rows = random.choice(random.normal(size=(20, 2)), size=80)
    model = ScoreEnsemble([IsolationForest(random_state=seed)], aggregation=aggregation, random_state=seed).fit(rows)
    scores = -model.detectors_[0].score_samples(rows)[:, None]
    assert_allclose(model._aggregated(nudged(scores, random)), model._aggregated(scores), rtol=1e-9, atol=1e-12)


def test_clusters_of_flagged_samples_ignore_rounding(seed):
    random = np.random.default_rng(seed)
    rows, normal = random.normal(size=(30, 2)), random.normal(size=(80, 2))
    stored = tied_scores(random)
    scores = random.choice(stored, size=30)
    clusterer = AnomalyClusterer(n_clusters=2, n_init=1, random_state=seed)
    expected = clusterer.fit(rows, normal=normal, scores=scores, normal_scores=stored).cluster_centers_
    moved = {"scores": nudged(scores, random), "normal_scores": nudged(stored, random)}
    assert_array_equal(clusterer.fit(rows, normal=normal, **moved).cluster_centers_, expected)


def test_no_training_row_sits_on_the_threshold_of_a_detector(seed):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(101, 2))
    model = NearestNeighborsDetector(contamination=0.1).fit(rows)
    decisions = model.decision_function(rows)
    assert (np.abs(decisions) > 0).all()
    offset = np.percentile(model.score_samples(rows), 10.0)
    assert_array_equal(model.predict(rows) == -1, model.score_samples(rows) < offset)
