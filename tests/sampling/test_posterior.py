import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from skanomaly.sampling import SMOTE, EAPSampler, ExpectedAnomalyPosterior
from skanomaly.sampling._posterior._expected import smallest_k
from tests.reference import smallest_ball as reference


def _rows(seed, n=120):
    random = np.random.default_rng(seed)
    X = np.vstack([random.normal(size=(n, 3)), random.normal([3, 0, 0], 0.5, size=(8, 3))])
    return X, np.repeat([1, -1], [n, 8])


def _sorted_distances(rows):
    return np.sort(reference._distances(rows, rows), axis=1)[:, 1:]


@pytest.mark.parametrize("name", ["fault", "annthyroid"])
@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.7, 0.99])
def test_k_star_and_density_are_those_of_the_loop(name, rate, shared_data, seed):
    stored = np.load(shared_data / "tables" / f"{name}.npz")
    random = np.random.default_rng(seed)
    X, y = stored["X"].astype(float), stored["y"]
    normals, anomalies = X[y == 0], X[y == 1]
    normals = normals[random.choice(len(normals), 200, replace=False)]
    anomalies = anomalies[random.choice(len(anomalies), 12, replace=False)]
    center, scale = normals.mean(axis=0), np.where(normals.std(axis=0) < 1e-3, 1, normals.std(axis=0))
    normals, anomalies = (normals - center) / scale, (anomalies - center) / scale
    kept = normals[random.random(200) < rate]
    from scipy.stats import beta

    n, k_min = len(kept), 5
    orders = reference.smallest_k(kept, anomalies, k_min)
    f = ((orders - k_min) / (n - 1 - k_min)).sum() if n > k_min + 1 else 0.0
    expected = n - 1
    if n > k_min + 1:
        expected = int(np.clip(int(beta.ppf(0.95, 1 + f, 1 + 12 - f) * (n - 1 - k_min) + k_min), k_min, n - 1))
    assert smallest_k(_sorted_distances(kept), reference._distances(kept, anomalies), k_min) == expected


def test_density_is_that_of_the_definition(seed):
    X, y = _rows(seed)
    quality = ExpectedAnomalyPosterior(n_subsets=1, random_state=seed).fit(X, y)
    subset = quality._subsets[0]
    normals = quality._normals[subset.normals]
    points = np.random.default_rng(seed).normal(size=(30, 3))
    rows = quality._standardise(points)
    expected = reference.density(rows, normals, subset.n_neighbors)
    distances = reference._distances(rows, normals)
    anomalies = reference._distances(rows, quality._anomalies[subset.anomalies])
    probability = subset.classifier.predict(distances, anomalies)
    weight = len(normals) * expected
    assert_allclose(
        quality.anomaly_posterior(points), (quality.prior_ + weight * probability) / (1 + weight), atol=1e-12
    )


def test_far_candidates_get_the_very_prior(seed):
    X, y = _rows(seed)
    quality = ExpectedAnomalyPosterior(n_subsets=20, random_state=seed).fit(X, y)
    assert_array_equal(quality.anomaly_posterior(np.full((3, 3), 1e6)), quality.prior_)


class _Certain:
    """Classifier that always says the same."""

    def __init__(self, probability=0.0):
        self.probability = probability

    def get_params(self, deep=True):
        return {"probability": self.probability}

    def set_params(self, **parameters):
        self.probability = parameters["probability"]
        return self

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return np.tile([self.probability, 1 - self.probability], (len(X), 1))


@pytest.mark.parametrize(("probability", "side"), [(0.0, -1), (1.0, 1)])
def test_what_a_classifier_is_sure_of_moves_the_posterior(probability, side, seed):
    X, y = _rows(seed)
    quality = ExpectedAnomalyPosterior(_Certain(probability), n_subsets=20, random_state=seed).fit(X, y)
    assert np.sign(quality.anomaly_posterior(X[:1])[0] - quality.prior_) == side


@pytest.mark.parametrize("estimator", [None, LogisticRegression()])
def test_scores_do_not_depend_on_n_jobs(estimator, seed):
    X, y = _rows(seed)
    scores = [
        ExpectedAnomalyPosterior(estimator, n_subsets=10, n_jobs=jobs, random_state=0).fit(X, y).score_samples(X)
        for jobs in (1, 2)
    ]
    assert_array_equal(*scores)


def test_realistic_candidates_have_the_highest_posterior(seed):
    X, y = _rows(seed, 300)
    random = np.random.default_rng(seed + 1)
    good = random.normal([3, 0, 0], 0.5, size=(40, 3))
    like_normal, absurd = random.normal(size=(40, 3)), random.normal(0, 30, size=(40, 3))
    quality = ExpectedAnomalyPosterior(n_subsets=40, random_state=0).fit(X, y)
    scores = quality.anomaly_posterior(np.vstack([good, like_normal, absurd]))
    assert roc_auc_score(np.repeat([1, 0], [40, 80]), scores) > 0.85


def test_many_rows_cost_the_memory_of_few(seed):
    random = np.random.default_rng(seed)
    X = np.vstack([random.normal(size=(8000, 3)), random.normal([3, 0, 0], 0.5, size=(600, 3))])
    y = np.repeat([1, -1], [8000, 600])
    candidates = np.repeat([[3.0, 0.0, 0.0], [0.0, 0.0, 0.0], [80.0, 80.0, 80.0]], 2000, axis=0)
    quality = ExpectedAnomalyPosterior(n_subsets=3, max_samples=400, random_state=seed).fit(X[-900:], y[-900:])
    tracemalloc.start()
    near, inside, absurd = quality.fit(X, y).anomaly_posterior(candidates)[::2000]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2 * len(X) * quality.max_samples  # all distances to those kept would take half of this
    assert near > absurd > inside
    assert quality.prior_ == pytest.approx(600 / 8600)


@pytest.mark.parametrize("labels", [(1, -1), (0, 1), (False, True)])
def test_labels_of_either_convention_mean_the_same(labels, seed):
    X, y = _rows(seed)
    expected = ExpectedAnomalyPosterior(n_subsets=5, random_state=0).fit(X, y).score_samples(X)
    other = np.where(y == -1, labels[1], labels[0])
    assert_array_equal(ExpectedAnomalyPosterior(n_subsets=5, random_state=0).fit(X, other).score_samples(X), expected)


def test_labels_that_are_text_raise(seed):
    X, y = _rows(seed)
    with pytest.raises(ValueError, match=r"holds 'fraud', 'ok'.*np.where\(y == 'fraud', -1, 1\)"):
        ExpectedAnomalyPosterior(n_subsets=2).fit(X, np.where(y == -1, "fraud", "ok"))


def test_most_rows_as_anomalies_raise(seed):
    X, y = _rows(seed)
    with pytest.raises(ValueError, match="y holds 1 in 120 of 128 rows"):
        ExpectedAnomalyPosterior(n_subsets=2).fit(X, np.where(y == -1, 0, 1))


def test_select_returns_the_best_first(seed):
    X, y = _rows(seed)
    quality = ExpectedAnomalyPosterior(n_subsets=10, random_state=0).fit(X, y)
    chosen = quality.select(X, top=7)
    assert_allclose(quality.anomaly_posterior(X)[chosen], -np.sort(-quality.anomaly_posterior(X))[:7])


@pytest.mark.parametrize("top", [0.0, 1.5, 999, True])
def test_select_raises_for_other_amounts(top, seed):
    X, y = _rows(seed)
    with pytest.raises(ValueError, match="top"):
        ExpectedAnomalyPosterior(n_subsets=2).fit(X, y).select(X, top=top)


def test_no_labelled_anomaly_raises(seed):
    X, y = _rows(seed)
    with pytest.raises(ValueError, match="0 anomalies"):
        ExpectedAnomalyPosterior().fit(X[y == 1], y[y == 1])


def test_sampler_keeps_the_best_candidates(seed):
    X, y = make_blobs([150, 25], centers=[[0, 0], [3, 0]], random_state=seed)
    sampler = EAPSampler(quality=ExpectedAnomalyPosterior(n_subsets=10), n_candidates=2.0, random_state=seed)
    rows, targets = sampler.fit_resample(X, y)
    assert np.sum(targets == 1) == 150
    assert len(sampler.rejected_) == 125
    assert sampler.anomaly_posterior(sampler.rejected_).max() <= sampler.qualities_.min() + 1e-12
    assert_allclose(sampler.anomaly_posterior(rows[175:]), sampler.qualities_)


def test_sampler_does_not_depend_on_n_jobs(seed):
    X, y = _rows(seed)
    expected, found = (EAPSampler(n_jobs=n_jobs, random_state=0).fit_resample(X, y)[0] for n_jobs in (None, 2))
    assert_array_equal(found, expected)


def test_verbose_sampler_prints_its_progress(seed, capsys):
    EAPSampler(verbose=True, random_state=0).fit_resample(*_rows(seed))
    printed = capsys.readouterr().out
    assert "EAPSampler: class -1, 336 candidates for 112 rows" in printed
    assert "scored 336 of 336 rows" in printed


def test_sampler_takes_another_generator(seed):
    X, y = make_blobs([100, 20], centers=[[0, 0], [3, 0]], random_state=seed)
    made = EAPSampler(generator=SMOTE(k_neighbors=3), sampling_strategy=0.5, random_state=seed).fit_resample(X, y)
    assert np.sum(made[1] == 1) == 50


def test_sampler_that_grows_no_class_has_quality_zero(seed):
    X, y = make_blobs([20, 20], centers=[[0, 0], [3, 0]], random_state=seed)
    sampler = EAPSampler(random_state=seed).fit(X, y)
    assert_array_equal(sampler.anomaly_posterior(X), 0.0)


def test_another_quality_keeps_the_lowest_scores(seed):
    class FirstColumn(BaseEstimator):
        def fit(self, X, y):
            return self

        def score_samples(self, X):
            return np.asarray(X)[:, 0]

    X, y = make_blobs([60, 20], centers=[[0, 0], [3, 0]], random_state=seed)
    sampler = EAPSampler(quality=FirstColumn(), random_state=seed)
    made = sampler.fit_resample(X, y)[0][80:]
    assert made[:, 0].max() <= sampler.rejected_[:, 0].min()
    assert_array_equal(sampler.qualities_, -made[:, 0])
