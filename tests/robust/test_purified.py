import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from skanomaly.detectors import NearestNeighborsDetector
from skanomaly.robust import ContaminationFilter, PurifiedDetector


def _table(seed, *, clustered, n=600, n_anomalies=60):
    """Normal rows and anomalies, in clusters of five near-duplicates or scattered; and test rows of both kinds."""
    random = np.random.default_rng(seed)

    def far(size):
        directions = random.normal(size=(size, 6))
        return directions / np.linalg.norm(directions, axis=1, keepdims=True) * random.uniform(4, 6, size=(size, 1))

    if clustered:
        centers = far(n_anomalies // 5)
        made = [np.repeat(centers, 5, axis=0) + 0.05 * random.normal(size=(n_anomalies, 6)) for _ in range(2)]
    else:
        made = [far(n_anomalies) for _ in range(2)]
    normal = random.normal(size=(2 * n, 6))
    test = np.concatenate([normal[n:], made[1]])
    return np.concatenate([normal[:n], made[0]]), test, np.repeat([0, 1], [n, n_anomalies])


def _area(train, test, truth):
    return roc_auc_score(truth, -LocalOutlierFactor(5, novelty=True).fit(train).score_samples(test))


def test_small_parts_find_clusters_that_large_parts_do_not(seed):
    train, test, truth = _table(seed, clustered=True)
    small, large = (
        ContaminationFilter(subset_fraction=fraction, n_subsets=n).filter_rows(train, random_state=0).kept
        for fraction, n in ((0.03, 60), (0.3, 20))
    )
    raw, oracle = _area(train, test, truth), _area(train[:600], test, truth)
    by_small, by_large = _area(train[small], test, truth), _area(train[large], test, truth)
    assert raw < by_large + 0.05
    assert by_small > by_large + 0.2
    assert by_small > oracle - 0.15 > raw + 0.3


def test_filter_is_neutral_for_scattered_anomalies(seed):
    train, test, truth = _table(seed, clustered=False)
    kept = ContaminationFilter().filter_rows(train, random_state=0).kept
    assert _area(train[kept], test, truth) > _area(train, test, truth) - 0.01


def test_few_clean_rows_are_dropped(seed):
    X = np.random.default_rng(seed).normal(size=(500, 5))
    assert ContaminationFilter().filter_rows(X, random_state=0).kept.mean() > 0.82


def test_fraction_that_is_given_is_dropped_in_each_round(seed):
    X = np.random.default_rng(seed).normal(size=(200, 3))
    found = ContaminationFilter(drop=0.1, n_rounds=2).filter_rows(X, random_state=0)
    assert abs(found.kept.sum() - 162) <= 2
    assert found.scores[~found.kept].max() < found.scores[found.kept].mean()


def test_first_round_is_the_mean_over_parts_that_lack_the_row(seed):
    X = np.random.default_rng(seed).normal(size=(40, 2))
    found = ContaminationFilter(n_subsets=5, subset_fraction=0.2, n_rounds=1).filter_rows(X, random_state=seed)
    random = np.random.Generator(np.random.PCG64(np.random.RandomState(seed).randint(np.iinfo(np.int32).max)))
    parts, totals, counts = [random.permutation(40)[:8] for _ in range(5)], np.zeros(40), np.zeros(40)
    for part in parts:
        for row in set(range(40)) - set(part.tolist()):
            distances = {
                other: np.linalg.norm(X[part] - X[other], axis=1).min() for other in set(range(40)) - set(part.tolist())
            }
            center = np.median(list(distances.values()))
            spread = 1.482602218505602 * np.median(np.abs(np.array(list(distances.values())) - center))
            totals[row] += (distances[row] - center) / spread
            counts[row] += 1
    assert found.scores == pytest.approx(-totals / np.maximum(counts, 1))


def test_any_detector_serves_as_a_filter_with_any_number_of_threads():
    train = _table(0, clustered=False, n=200, n_anomalies=20)[0]
    filters = [ContaminationFilter(detector=IsolationForest(n_estimators=5), n_subsets=10, n_jobs=n) for n in (1, 2)]
    found = [one.filter_rows(train, random_state=0) for one in filters]
    assert_array_equal(found[0].scores, found[1].scores)
    assert roc_auc_score(np.arange(len(train)) >= 200, -found[0].scores) > 0.8


def test_purified_detector_is_the_detector_of_the_rows_kept(seed):
    train, test, _ = _table(seed, clustered=True, n=200, n_anomalies=20)
    model = PurifiedDetector(LocalOutlierFactor(5, novelty=True), random_state=0).fit(train)
    again = LocalOutlierFactor(5, novelty=True).fit(train[model.kept_])
    assert_array_equal(model.score_samples(test), again.score_samples(test))
    assert (model.contamination_scores_[-20:] < np.median(model.contamination_scores_)).all()


def test_labelled_rows_are_dropped_or_kept():
    train, _, _ = _table(0, clustered=False, n=200, n_anomalies=20)
    labels = np.zeros(220, dtype=int)
    labels[:5], labels[-3:] = -1, 1
    model = PurifiedDetector(random_state=0).fit(train, labels)
    assert not model.kept_[:5].any()
    assert model.kept_[-3:].all()
    assert_array_equal(model.contamination_scores_[:5], -np.inf)


def test_rows_that_are_all_labelled_anomalies_are_kept_with_a_warning():
    with pytest.warns(UserWarning, match="too few to filter"):
        model = PurifiedDetector(random_state=0).fit([[0.0], [1.0], [2.0]], [-1, -1, -1])
    assert model.kept_.all()


@pytest.mark.parametrize("n_rows", [2, 3])
def test_few_rows_are_kept(n_rows):
    assert ContaminationFilter().filter_rows(np.arange(n_rows, dtype=float)[:, None], random_state=0).kept.sum() >= 2


def test_constant_rows_are_kept():
    assert ContaminationFilter().filter_rows(np.ones((20, 2)), random_state=0).kept.all()


@pytest.mark.parametrize("detector", [None, IsolationForest(random_state=0)], ids=["default", "given"])
def test_a_forest_that_does_not_see_the_few_rows_that_differ_says_so(detector):
    X = np.full((48, 3), 3.0)
    X[[7, 9], 0] = 9.0, 8.0
    words = r"all 48 .* score -0.5: .*column 0 \(9 in row 7 and 1 more, 3 elsewhere\). Use NearestNeighborsDetector"
    with pytest.warns(UserWarning, match=words):
        PurifiedDetector(detector, random_state=0).fit(X)
    scores = PurifiedDetector(NearestNeighborsDetector(), random_state=0).fit(X).score_samples(X)  # the remedy
    assert scores[[7, 9]].max() < np.delete(scores, [7, 9]).min()


def test_columns_that_do_not_vary_in_the_rows_kept_are_named(seed):
    X = np.random.default_rng(seed).normal(size=(200, 3))
    PurifiedDetector(random_state=0).fit(X)
    X[:, 1] = 3.0
    X[7, 1] = 99.0
    with pytest.warns(UserWarning, match="Column 1 does not vary .*isolation forest. Use NearestNeighborsDetector"):
        PurifiedDetector(random_state=0).fit(X)
    PurifiedDetector(NearestNeighborsDetector(), random_state=0).fit(X)


def test_rows_that_are_all_equal_have_nothing_to_name():
    assert np.ptp(PurifiedDetector(random_state=0).fit(np.ones((48, 2))).score_samples(np.ones((48, 2)))) < 1e-12
