from functools import partial

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from skanomaly.datasets import make_shifted_anomalies
from skanomaly.metrics import average_precision_score, roc_auc_score
from skanomaly.model_selection import DetectorSearch, choice_uncertainty, make_candidates
from skanomaly.model_selection._resampling import bootstrap_counts, permutation_counts, resampled_values
from skanomaly.model_selection._uncertainty import uncertainty_of_values
from tests.model_selection.toys import Column, PyODLike

COLUMNS = [Column(0), Column(1), Column(2)]


def _few_labels(y, n_anomalies=3, n_normal=50):
    labels = np.zeros_like(y)
    labels[np.flatnonzero(y == -1)[:n_anomalies]] = -1
    labels[np.flatnonzero(y == 1)[:n_normal]] = 1
    return labels


@pytest.fixture
def table(seed):
    return make_shifted_anomalies(n_samples=300, n_features=3, contamination=0.1, random_state=seed)


@pytest.mark.parametrize("criterion", ["auto", "roc_auc", "average_precision"])
def test_few_labels_choose_the_informative_column(table, criterion):
    X, y = table
    search = DetectorSearch(COLUMNS, criterion=criterion, random_state=0).fit(X, _few_labels(y))
    assert search.best_index_ == 0
    assert search.criterion_ == ("roc_auc" if criterion == "auto" else criterion)
    assert search.uncertainty_.best_probability[0] > 0.5


@pytest.mark.filterwarnings("ignore:y holds .* counts as anomaly and .* as normal:UserWarning")
@pytest.mark.parametrize("truth", [(1, 0), (True, False)])
def test_zeros_and_ones_choose_as_the_labels_they_stand_for(table, truth):
    X, y = table
    anomaly, normal = truth
    native, converted = (
        DetectorSearch(COLUMNS, n_resamples=20, random_state=0).fit(X, labels).uncertainty_.values
        for labels in (y, np.where(y == -1, anomaly, normal))
    )
    np.testing.assert_array_equal(native, converted)


def test_zeros_and_ones_that_cannot_be_read_warn_and_do_not_choose(table):
    X, y = table
    with pytest.warns(UserWarning, match="y holds 1 in .* Every row counts as unlabelled"):
        search = DetectorSearch(COLUMNS, n_resamples=5).fit(X, (y == 1).astype(int))
    assert search.criterion_ == "consensus"


def test_choice_takes_the_anomaly_as_the_positive_class_of_scikit_learns_metrics(table):
    X, y = table
    ours, theirs = (
        choice_uncertainty(y, -X, metric=metric, n_resamples=20, random_state=0)
        for metric in (average_precision_score, sklearn_metrics.average_precision_score)
    )
    np.testing.assert_allclose(ours.values, theirs.values, atol=1e-12)
    np.testing.assert_allclose(ours.interval, theirs.interval, atol=1e-12)


def test_stability_chooses_the_stable(table):
    X, _ = table
    candidates = [IsolationForest(n_estimators=1, random_state=0), PyODLike()]
    search = DetectorSearch(candidates, criterion="stability", random_state=0).fit(X)
    assert search.best_index_ == 1


def test_without_labels_consensus_is_used(table):
    assert DetectorSearch(COLUMNS, n_resamples=5).fit(table[0]).criterion_ == "consensus"


def test_consensus_chooses_the_middle(seed):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(300, 1))
    X = np.column_stack([shared, shared + random.normal(size=(300, 2)), random.normal(size=300)])
    search = DetectorSearch([Column(i) for i in range(4)], criterion="consensus", n_resamples=50).fit(X)
    assert search.best_index_ == 0
    assert 3 not in search.uncertainty_.tied


def test_callable_criterion_sees_fitted_candidates(table):
    X, _ = table
    search = DetectorSearch(COLUMNS, criterion=lambda estimator, _: estimator.column + estimator.n_fitted_).fit(X)
    assert search.best_index_ == 2
    assert search.uncertainty_.values.tolist() == [300, 301, 302]


def test_search_scores_as_its_best_detector(table):
    X, y = table
    search = DetectorSearch(COLUMNS, random_state=0).fit(X, _few_labels(y))
    np.testing.assert_array_equal(search.score_samples(X), -X[:, 0])


@pytest.mark.parametrize("criterion", ["roc_auc", "stability", "consensus"])
def test_result_does_not_depend_on_jobs(table, criterion):
    X, y = table
    candidates = [*make_candidates(IsolationForest(), {"n_estimators": [5, 20]}), PyODLike()]
    runs = [
        DetectorSearch(candidates, criterion=criterion, n_resamples=20, n_jobs=n_jobs, random_state=3).fit(X, y)
        for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(runs[0].uncertainty_.values, runs[1].uncertainty_.values)
    np.testing.assert_array_equal(runs[0].uncertainty_.interval, runs[1].uncertainty_.interval)
    np.testing.assert_array_equal(runs[0].score_samples(X), runs[1].score_samples(X))


def test_missing_labels_raise(table):
    X, _ = table
    with pytest.raises(ValueError, match="needs a labelled anomaly"):
        DetectorSearch(COLUMNS, criterion="roc_auc").fit(X)


def test_candidates_follow_the_grid():
    candidates = make_candidates(LocalOutlierFactor(novelty=True), {"n_neighbors": [5, 20], "p": [1, 2]})
    assert [(one.n_neighbors, one.p) for one in candidates] == [(5, 1), (5, 2), (20, 1), (20, 2)]


def test_contamination_in_a_grid_warns():
    with pytest.warns(UserWarning, match="contamination is in the grid"):
        make_candidates(IsolationForest(), {"contamination": [0.1, 0.2]})


def test_uncertainty_of_a_clear_choice(table):
    X, y = table
    choice = choice_uncertainty(y, -X, n_resamples=100, random_state=0)
    expected = [average_precision_score(y, column) for column in (-X).T]
    np.testing.assert_allclose(choice.values, expected)
    assert choice.best_index == 0
    assert choice.tied.tolist() == [0]
    assert choice.best_probability[0] == 1.0
    assert (choice.interval[:, 0] <= choice.values).all()
    assert (choice.values <= choice.interval[:, 1] + 0.2).all()


def test_uncertainty_of_equal_candidates_is_split_equally(table):
    X, y = table
    choice = choice_uncertainty(
        y, np.column_stack([-X[:, 0]] * 4), metric=roc_auc_score, n_resamples=20, random_state=0
    )
    np.testing.assert_allclose(choice.best_probability, 0.25)
    assert choice.tied.tolist() == [0, 1, 2, 3]


def test_undefined_values_never_win():
    choice = uncertainty_of_values(np.array([np.nan, 0.5]), np.array([[np.nan, 0.5], [0.1, 0.4]]), 0.9)
    assert choice.best_index == 1
    assert choice.best_probability.tolist() == [0.0, 1.0]


def test_criterion_that_is_nan_everywhere_raises():
    with pytest.raises(ValueError, match="NaN for every candidate"):
        uncertainty_of_values(np.array([np.nan]), np.array([[np.nan]]), 0.9)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"n_resamples": 0}, "'n_resamples' parameter"), ({"level": 1.0}, "'level' parameter")],
)
def test_uncertainty_parameters_are_checked(options, words):
    with pytest.raises(ValueError, match=words):
        choice_uncertainty([1, -1, 1], np.zeros((3, 2)), **options)


@pytest.mark.parametrize(("y", "words"), [([1, 1, 1], "0 anomalies"), ([1, -1], "2 labels")])
def test_uncertainty_needs_both_classes_and_one_label_per_row(y, words):
    with pytest.raises(ValueError, match=words):
        choice_uncertainty(y, np.zeros((3, 2)))


@pytest.mark.parametrize("metric", [roc_auc_score, average_precision_score])
@pytest.mark.parametrize("draw", [bootstrap_counts, permutation_counts])
def test_shared_sort_gives_the_metric_of_each_resample(metric, draw, seed):
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat([-1, 1, 0], [4, 30, 6])).astype(np.int8)
    scores = np.round(random.normal(size=(40, 2)), 1)  # with ties
    counts = draw(labels, 10, random)
    shared = resampled_values(metric, scores, *counts)
    np.testing.assert_allclose(shared, resampled_values(partial(metric), scores, *counts), rtol=1e-12)


def test_bootstrap_draws_each_class_separately(seed):
    labels = np.repeat([-1, 1, 0], [3, 20, 5]).astype(np.int8)
    anomalous, normal = bootstrap_counts(labels, 50, np.random.default_rng(seed))
    assert (anomalous[:, :3].sum(axis=1) == 3).all()
    assert (normal[:, 3:23].sum(axis=1) == 20).all()
    assert anomalous.sum() == 150
    assert normal.sum() == 1000


@pytest.mark.slow
def test_three_labels_choose_better_than_none_on_real_tables(shared_data):
    """The main result of the guide's table, on three tables and five candidates."""
    random = np.random.default_rng(0)
    labelled, agreed = [], []
    for name in ("cardio", "letter", "vowels"):
        with np.load(shared_data / "tables" / f"{name}.npz") as stored:
            rows = random.permutation(len(stored["X"]))[:700]
            X, y = stored["X"][rows].astype(float), np.where(stored["y"][rows] == 1, -1, 1)
        X = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-9)
        candidates = [
            IsolationForest(random_state=0),
            *make_candidates(LocalOutlierFactor(novelty=True), {"n_neighbors": [5, 20, 60]}),
            PyODLike(),
        ]
        few = np.zeros_like(y)
        few[random.choice(np.flatnonzero(y == -1), 3, replace=False)] = -1
        few[random.choice(np.flatnonzero(y == 1), 50, replace=False)] = 1
        for found, labels in ((labelled, few), (agreed, None)):
            search = DetectorSearch(candidates, random_state=0).fit(X, labels)
            found.append(roc_auc_score(y, search.score_samples(X)))
    assert np.mean(labelled) > np.mean(agreed)


def test_audit_suggests_rows_that_candidates_rank_differently(table):
    X, _ = table
    search = DetectorSearch([Column(0), Column(1)], random_state=0).fit(X)
    suggested = search.suggest_audit(30)
    ranks = np.argsort(np.argsort(X[:, :2], axis=0), axis=0)
    difference = np.abs(ranks[:, 0] - ranks[:, 1])
    assert len(suggested) == len(set(suggested.indices.tolist())) == 30
    assert ((suggested.probabilities > 0) & (suggested.probabilities <= 1)).all()
    assert difference[suggested.indices].mean() > 1.2 * difference.mean()


def test_audit_suggests_unlabelled_rows_only_and_at_most_all_of_them(table):
    X, y = table
    labels = y.copy()
    labels[::10] = 0
    search = DetectorSearch([Column(0), Column(1)], random_state=0).fit(X, labels)
    np.testing.assert_array_equal(np.sort(search.suggest_audit(1000).indices), np.arange(0, 300, 10))


def test_audit_of_candidates_that_agree_warns(table):
    X, _ = table
    search = DetectorSearch([Column(0), Column(0)], random_state=0).fit(X)
    with pytest.warns(UserWarning, match="No row is suggested"):
        assert len(search.suggest_audit()) == 0


def test_audit_of_rows_that_are_all_labelled_warns(table):
    X, y = table
    search = DetectorSearch([Column(0), Column(1)], random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match="all rows are labelled.*NaN"):
        assert len(search.suggest_audit()) == 0
