import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.utils.estimator_checks import check_estimator

from skanomaly.base import BaseDetector
from skanomaly.threshold import ConformalDetector


class DistanceToMedian(BaseDetector):
    """The smallest detector that keeps the contract."""

    def __init__(self, *, contamination=0.1, fail=None):
        self.contamination = contamination
        self.fail = fail

    _parameter_constraints = {**BaseDetector._parameter_constraints, "fail": "no_validation"}

    def _fit(self, X, y):
        self.center_ = np.median(X[y >= 0], axis=0)
        self.labels_ = y
        if self.fail is not None:
            raise self.fail

    def _outlyingness(self, X):
        return np.abs(X - self.center_).sum(axis=1)


@pytest.fixture
def table(seed):
    return np.random.default_rng(seed).normal(size=(60, 3))


@pytest.mark.filterwarnings("ignore:y holds .*:UserWarning")
def test_smallest_detector_passes_scikit_learns_checks():
    check_estimator(DistanceToMedian(), on_skip=None)


@pytest.mark.parametrize("contamination", [0.0, 0.6, -1.0, 1, "auto", None])
def test_contamination_outside_its_range_is_named(table, contamination):
    with pytest.raises(ValueError, match="'contamination' parameter"):
        DistanceToMedian(contamination=contamination).fit(table)


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.25, 0.5])
def test_contamination_is_the_share_of_training_rows_flagged(table, contamination):
    flagged = np.mean(DistanceToMedian(contamination=contamination).fit_predict(table) == -1)
    assert abs(flagged - contamination) <= 1 / len(table)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.tile([-1, 2], 30), "y holds the labels -1, 2"),
        (np.full(60, 0.5), "y holds the labels 0.5"),
        (np.full(60, np.inf), "y holds the labels inf"),
        (np.array(["odd", "ok"] * 30), "y holds"),
        (np.zeros(59), "59 labels and X has 60 rows"),
        (np.full(60, -3), "y holds the labels -3"),
    ],
)
def test_labels_that_are_none_are_refused(table, labels, words):
    with pytest.raises(ValueError, match=words):
        DistanceToMedian().fit(table, labels)


def test_class_labels_count_as_unlabelled_with_a_warning(table):
    with pytest.warns(UserWarning, match="class labels, not anomaly labels"):
        detector = DistanceToMedian().fit(table, np.arange(60) % 3)
    assert not detector.labels_.any()


def test_labels_reach_the_hook(table):
    labels = np.repeat([1, 0, -1], 20)
    assert np.array_equal(DistanceToMedian().fit(table, labels.tolist()).labels_, labels)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda X: np.where(X > 2, np.nan, X), "NaN(.|\n)*by column"),
        (lambda X: np.where(X > 1, np.inf, X), "infinity(.|\n)*by column"),
        (lambda X: X[:1], "minimum of 2"),
        (lambda X: X[:0], "0 sample"),
        (lambda X: X[:, :0], "0 feature"),
        (lambda X: X.astype(str).astype(object) + "x", "could not convert"),
        (lambda X: X[:, 0], "Expected 2D"),
    ],
)
def test_bad_table_is_refused_and_named(table, make, words):
    table[3, 1] = 5.0
    with pytest.raises(ValueError, match=words):
        DistanceToMedian().fit(make(table))


def test_column_with_missing_cells_is_named():
    frame = pd.DataFrame({"age": [1.0, 2.0, 3.0], "pulse": [60.0, np.nan, np.nan]})
    with pytest.raises(ValueError, match=r"'pulse' \(2\)"):
        DistanceToMedian().fit(frame)


def test_other_number_of_columns_at_scoring_is_named(table):
    with pytest.raises(ValueError, match="2 features, but DistanceToMedian is expecting 3"):
        DistanceToMedian().fit(table).score_samples(table[:, :2])


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()])
def test_failed_or_interrupted_fit_leaves_the_detector_as_it_was(table, error):
    detector = DistanceToMedian().fit(table)
    before = dict(vars(detector))
    with pytest.raises(type(error)):
        detector.set_params(fail=error).fit(table + 1)
    assert dict(vars(detector)) == {**before, "fail": error}


def test_polars_frame_scores_as_its_values(table):
    frame = pl.DataFrame(table, schema=["a", "b", "c"])
    detector = DistanceToMedian().fit(frame)
    assert list(detector.feature_names_in_) == ["a", "b", "c"]
    assert np.array_equal(detector.score_samples(frame), DistanceToMedian().fit(table).score_samples(table))


def test_auto_without_theory_says_so():
    class Auto(DistanceToMedian):
        _parameter_constraints = {"contamination": "no_validation", "fail": "no_validation"}

    with pytest.raises(NotImplementedError, match="Auto has no theory"):
        Auto(contamination="auto").fit(np.eye(3))


class KeepsLabels(DistanceToMedian):
    def _fit(self, X, y, **metadata):
        self.labels_ = y
        return super()._fit(X, y, **metadata)


@pytest.mark.parametrize("dtype", [int, bool, float, object])
def test_one_beside_zero_is_the_anomaly_with_a_warning(dtype, table):
    y = np.arange(len(table)) < 3
    with pytest.warns(UserWarning, match=r"counts as anomaly and .* as unlabelled") as caught:
        detector = KeepsLabels().fit(table, y.astype(dtype))
    assert len(caught) == 1
    assert np.array_equal(detector.labels_, -y.astype(np.int8))


def test_a_majority_of_ones_is_ignored_with_a_warning(table):
    with pytest.warns(UserWarning, match=r"Every row counts as unlabelled.*np\.where\(y == 1, 1, -1\)"):
        detector = KeepsLabels().fit(table, (np.arange(len(table)) >= 3).astype(int))
    assert not detector.labels_.any()


def test_text_labels_are_refused_with_the_code_that_encodes_them(table):
    with pytest.raises(ValueError, match=r"np\.where\(y == 'fraud', -1, 1\)"):
        KeepsLabels().fit(table, np.where(np.arange(len(table)) < 3, "fraud", "ok"))


def test_zero_is_normal_where_labels_are_required(table):
    class NeedsLabels(KeepsLabels):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.target_tags.required = True
            return tags

    y = np.arange(len(table)) < 3
    with pytest.warns(UserWarning, match="counts as anomaly and 0 as normal"):
        detector = NeedsLabels().fit(table, y.astype(int))
    assert np.array_equal(detector.labels_, np.where(y, -1, 1))


@pytest.mark.parametrize("detector", [DistanceToMedian(), ConformalDetector(DistanceToMedian())])
def test_predict_proba_names_anomaly_probability(detector):
    assert not hasattr(detector, "predict_proba")
    with pytest.raises(AttributeError, match=r"object has no attribute 'predict_proba'.*anomaly_probability"):
        detector.predict_proba([[0.0]])
    with pytest.raises(AttributeError, match="object has no attribute 'other'"):
        detector.other()
