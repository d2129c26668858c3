import pickle
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly.datasets import make_shifted_anomalies
from skanomaly.model_selection import (
    AnomalyScorer,
    StratifiedAnomalyKFold,
    get_scorer,
    get_scorer_names,
    make_anomaly_scorer,
)
from skanomaly.sequence import RollingStatistic
from tests.model_selection.toys import BothSigns, Column, Nameless, PyODLike, Tagged


@pytest.fixture
def table(seed):
    return make_shifted_anomalies(n_samples=200, n_features=3, contamination=0.1, random_state=seed)


CONVENTIONS = {
    "native": lambda y: y,
    "floats": lambda y: y.astype(float),
    "zero one": lambda y: (y == -1).astype(int),
    "booleans": lambda y: y == -1,
    "series": lambda y: pd.Series(y == -1),
    "list": lambda y: y.tolist(),
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_convention_of_labels_gives_the_same_value(table, convention):
    X, y = table
    forest = IsolationForest(random_state=0).fit(X)
    expected = sklearn_metrics.roc_auc_score(y == -1, -forest.score_samples(X))
    assert get_scorer("roc_auc")(forest, X, CONVENTIONS[convention](y)) == pytest.approx(expected, abs=1e-12)


DETECTORS = {
    "forest": IsolationForest(random_state=0),
    "factor": LocalOutlierFactor(novelty=True),
    "machine": OneClassSVM(gamma="scale"),
    "envelope": EllipticEnvelope(random_state=0),
    "pipeline": make_pipeline(StandardScaler(), IsolationForest(random_state=0)),
    "pyod": PyODLike(),
    "pyod pipeline": make_pipeline(StandardScaler(), PyODLike()),
    "search": GridSearchCV(
        IsolationForest(random_state=0),
        {"n_estimators": [10, 20]},
        scoring=get_scorer("stability", random_state=0),
        cv=2,
    ),
}


@pytest.mark.parametrize("name", DETECTORS)
def test_sign_is_found(name):
    X, y = make_shifted_anomalies(n_samples=200, n_features=3, n_shifted_features=3, shift=8, random_state=0)
    assert get_scorer("roc_auc")(DETECTORS[name].fit(X), X, y) > 0.9
    assert get_scorer("balanced_accuracy")(DETECTORS[name].fit(X), X, y) > 0.6


@pytest.mark.parametrize("classifier", [RandomForestClassifier(random_state=0), RidgeClassifier()])
def test_classifier_of_native_labels_is_read(table, classifier):
    X, y = table
    assert get_scorer("roc_auc")(classifier.fit(X, y), X, y) > 0.8


@pytest.mark.parametrize("estimator", [Nameless(), BothSigns(), LocalOutlierFactor(), RidgeClassifier()])
def test_unknown_sign_raises(table, estimator):
    X, y = table
    with pytest.raises(TypeError, match=r"sign of (its|the) scores"):
        get_scorer("roc_auc")(estimator.fit(X, (y == -1).astype(int)), X, y)


def test_tag_of_outlier_detectors_determines_the_sign(table):
    X, y = table
    assert get_scorer("roc_auc")(Tagged().fit(X), X, y) == get_scorer("roc_auc")(Column().fit(X), X, y)


def test_margins_of_three_classes_raise(table):
    X, _ = table
    y = np.repeat([-1, 0, 1], [60, 60, 80])
    with pytest.raises(TypeError, match="no probability"):
        get_scorer("roc_auc")(RidgeClassifier().fit(X, y), X, y)


def test_unknown_predictions_raise(table):
    X, y = table
    with pytest.raises(TypeError, match="other labels than -1"):
        get_scorer("f1")(Nameless(), X, y)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.repeat([0, 1], [10, 30]), r"y holds 1 in 30 of 40 rows.*pos_label=1"),
        (np.repeat(["good", "bad"], [30, 10]), "'bad', 'good'.*pos_label.*== 'bad'"),
        (np.repeat([1, 2], [30, 10]), "y holds the labels 1, 2"),
        (None, "y is None"),
    ],
)
def test_labels_of_no_known_convention_raise(y, words):
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(ValueError, match=words):
        get_scorer("roc_auc")(Column().fit(X), X, y)


def test_named_label_is_the_anomaly(table):
    X, y = table
    names = np.where(y == -1, "fraud", "fine")
    expected = get_scorer("average_precision")(Column().fit(X), X, y)
    assert get_scorer("average_precision", pos_label="fraud")(Column().fit(X), X, names) == expected
    assert get_scorer("average_precision", pos_label=1)(Column().fit(X), X, 1 - (y == 1)) == expected


def test_unlabelled_rows_are_left_out(table):
    X, y = table
    y = y.copy()
    y[:60] = 0
    scorer = get_scorer("average_precision")
    assert scorer(Column().fit(X), X, y) == scorer(Column().fit(X), X[60:], y[60:])


@pytest.mark.parametrize("y", [np.ones(30), -np.ones(30), np.zeros(30)], ids=["normal", "anomalies", "unlabelled"])
def test_fold_that_cannot_be_scored_is_nan_with_one_warning(y):
    X = np.random.default_rng(0).normal(size=(30, 2))
    with pytest.warns(UserWarning, match="is NaN for a fold") as caught:
        value = get_scorer("roc_auc")(Column().fit(X), X, y)
    assert np.isnan(value)
    assert len(caught) == 1


def test_scores_that_are_not_finite_are_nan(table):
    X, y = table
    with pytest.warns(UserWarning, match="not finite"), np.errstate(invalid="ignore"):
        assert np.isnan(get_scorer("roc_auc")(Column(power=0.5).fit(X), X, y))


@pytest.mark.parametrize("name", ["roc_auc", "vus_pr"])
def test_time_points_without_a_score_are_left_out(name, seed):
    X = np.random.default_rng(seed).normal(size=(300, 1))
    y = np.where(np.arange(300) // 20 == 9, -1, 1)
    X[y == -1] *= 5
    X[[40, 50]] = np.nan
    with pytest.warns(UserWarning, match="have no score"):
        detector = RollingStatistic(window_size=20).fit(X)
    with pytest.warns(UserWarning, match="11 of 300 time points have no score"):
        found = get_scorer(name)(detector, X, y)
    assert 0.8 < found <= 1


def test_search_prefers_the_better_candidate_whatever_the_labels(table):
    X, y = table
    for labels in (y, (y == -1).astype(int)):
        search = GridSearchCV(
            Column(),
            {"column": [0, 1]},
            scoring=get_scorer("roc_auc"),
            cv=StratifiedAnomalyKFold(n_splits=3, random_state=0),
        )
        assert search.fit(X, labels).best_params_ == {"column": 0}


def test_lower_is_better_changes_the_sign(table):
    X, y = table
    outlying = -Column().fit(X).score_samples(X)
    needed = np.sort(outlying[y == -1])[1]  # 19 of 20 anomalies are at least as anomalous
    assert get_scorer("neg_fpr_at_tpr")(Column().fit(X), X, y) == pytest.approx(-np.mean(outlying[y == 1] >= needed))


def test_predictions_are_compared(table):
    X, y = table
    detector = PyODLike(contamination=0.2).fit(X)
    called = np.where(detector.predict(X) == 1, -1, 1)
    assert get_scorer("f1")(detector, X, y) == sklearn_metrics.f1_score(y, called, pos_label=-1)


def test_sample_weight_reaches_the_metric(table):
    X, y = table
    weight = np.random.default_rng(0).integers(1, 4, size=len(y))
    weighted = get_scorer("average_precision")(Column().fit(X), X, y, sample_weight=weight)
    rows = np.repeat(np.arange(len(y)), weight)
    assert weighted == pytest.approx(get_scorer("average_precision")(Column().fit(X), X[rows], y[rows]))


def test_ordered_metric_raises_for_unlabelled_time_points():
    X = np.random.default_rng(0).normal(size=(60, 1))
    y = np.repeat([1, -1, 0], 20)
    with pytest.raises(ValueError, match="labelled 0"):
        get_scorer("vus_pr", window_size=5)(Column().fit(X), X, y)


@pytest.mark.parametrize("name", get_scorer_names())
def test_every_name_makes_a_scorer_that_survives_pickling(name, table):
    X, y = table
    seed = {} if name in {*get_scorer_names(labels=True), "consensus"} else {"random_state": 0}
    scorer = get_scorer(name, **seed)
    forest = IsolationForest(n_estimators=20, max_samples=32, random_state=0).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = scorer(forest, X, y)
    assert np.isfinite(value)
    assert pickle.loads(pickle.dumps(scorer))(forest, X, y) == value  # noqa: S301  # our own bytes
    assert repr(scorer)


def test_names_are_split_by_need_of_labels():
    assert sorted(get_scorer_names(labels=True) + get_scorer_names(labels=False)) == get_scorer_names()


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match=r"no scorer 'auc'.*roc_auc"):
        get_scorer("auc")


def test_unknown_response_raises():
    with pytest.raises(ValueError, match="'response' parameter of make_anomaly_scorer"):
        make_anomaly_scorer(sklearn_metrics.roc_auc_score, response="proba")


@pytest.mark.parametrize("metric", ["f1_score", "precision_score", "recall_score"])
@pytest.mark.parametrize("convention", ["native", "zero one"])
def test_anomaly_is_the_positive_class_of_scikit_learns_metrics(table, metric, convention):
    X, y = table
    forest = IsolationForest(random_state=0).fit(X)
    function = getattr(sklearn_metrics, metric)
    expected = function(y == -1, forest.predict(X) == -1)
    assert make_anomaly_scorer(function, response="predict")(forest, X, CONVENTIONS[convention](y)) == expected


@pytest.mark.parametrize(
    ("metric", "name", "response"),
    [
        ("f1_score", "f1", "predict"),
        ("balanced_accuracy_score", "balanced_accuracy", "predict"),
        ("average_precision_score", "average_precision", "score"),
        ("roc_auc_score", "roc_auc", "score"),
    ],
)
def test_scikit_learns_metric_agrees_with_the_scorer_of_its_name(table, metric, name, response):
    X, y = table
    forest = IsolationForest(random_state=0).fit(X)
    scorer = make_anomaly_scorer(getattr(sklearn_metrics, metric), response=response)
    assert scorer(forest, X, y == -1) == pytest.approx(get_scorer(name)(forest, X, y == -1), abs=1e-12)


def _own_recall(y_true, y_pred, *, pos_label=1):
    return sklearn_metrics.recall_score(y_true, y_pred, pos_label=pos_label)


@pytest.mark.parametrize(
    ("metric", "parameters"),
    [
        (partial(sklearn_metrics.fbeta_score, beta=2), {}),
        (partial(sklearn_metrics.fbeta_score, beta=2, pos_label=-1), {}),
        (sklearn_metrics.fbeta_score, {"beta": 2, "pos_label": -1}),
        (lambda y_true, y_pred: sklearn_metrics.fbeta_score(y_true, y_pred, beta=2, pos_label=-1), {}),
    ],
)
def test_positive_label_that_is_given_already_is_kept(table, metric, parameters):
    X, y = table
    forest = IsolationForest(random_state=0).fit(X)
    expected = sklearn_metrics.fbeta_score(y == -1, forest.predict(X) == -1, beta=2)
    assert AnomalyScorer(metric, response="predict", parameters=parameters)(forest, X, y) == expected


def test_own_metric_whose_positive_label_is_one_sees_the_anomaly_there(table):
    X, y = table
    forest = IsolationForest(random_state=0).fit(X)
    expected = sklearn_metrics.recall_score(y == -1, forest.predict(X) == -1)
    assert make_anomaly_scorer(_own_recall, response="predict")(forest, X, y) == expected


@pytest.mark.parametrize("name", ["roc_auc", "f1", "vus_pr"])
def test_unknown_parameter_raises_at_once(name):
    with pytest.raises(TypeError, match=r"takes no parameter 'foo'; it takes: "):
        get_scorer(name, foo=3)


@pytest.mark.parametrize("options", [{"response": "proba"}, {"ordered": "yes"}, {"metric": "auc"}])
def test_parameters_of_a_scorer_are_checked_when_it_is_called(table, options):
    X, y = table
    scorer = AnomalyScorer(**{"metric": sklearn_metrics.roc_auc_score, **options})
    with pytest.raises(ValueError, match=f"'{next(iter(options))}' parameter of AnomalyScorer"):
        scorer(Column().fit(X), X, y)


def test_oriented_metric_takes_native_labels_and_scores(table):
    X, y = table
    scorer = make_anomaly_scorer(sklearn_metrics.roc_auc_score, max_fpr=0.2)
    expected = sklearn_metrics.roc_auc_score(y == -1, X[:, 0], max_fpr=0.2)
    assert scorer.oriented_metric(y, -X[:, 0]) == pytest.approx(expected)


def test_several_scorers_serve_one_search(table):
    X, y = table
    scoring = {"area": get_scorer("roc_auc"), "stable": get_scorer("stability", n_repeats=1, random_state=0)}
    search = GridSearchCV(
        Column(), {"column": [0, 1]}, scoring=scoring, refit="area", cv=StratifiedAnomalyKFold(2, random_state=0)
    )
    search.fit(X, y)
    assert search.best_params_ == {"column": 0}
    assert np.isfinite(search.cv_results_["mean_test_stable"]).all()


def test_every_stratified_fold_is_scored(table):
    X, y = table
    values = cross_val_score(
        Column(), X, y == -1, scoring=get_scorer("precision_at_n"), cv=StratifiedAnomalyKFold(4, random_state=0)
    )
    assert values.shape == (4,)
    assert np.isfinite(values).all()
