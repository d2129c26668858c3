import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skanomaly.sequence import SequenceDetector, SeriesDetector


class Jump(SeriesDetector):
    def __init__(self, *, contamination=0.1):
        self.contamination = contamination

    def _fit(self, X, y, **metadata):
        self.size_ = np.abs(np.diff(X, axis=0)).mean()

    def _outlyingness(self, X):
        return np.abs(np.diff(X, axis=0, prepend=X[:1])).sum(axis=1) / (self.size_ + 1.0)


class Range(SeriesDetector):
    def __init__(self, *, window_size=4, point_alignment="last", contamination=0.1):
        self.window_size = window_size
        self.point_alignment = point_alignment
        self.contamination = contamination

    def _fit(self, X, y, **metadata):
        self.window_size_ = self.window_size

    def _window_outlyingness(self, X):
        return np.ptp(np.lib.stride_tricks.sliding_window_view(X[:, 0], self.window_size_), axis=1)


class Level(SequenceDetector):
    def __init__(self, *, center=0.0, contamination=0.1):
        self.center = center
        self.contamination = contamination

    def _fit(self, X, y, **metadata):
        self.mean_ = np.mean([series.mean() for series in X]) + self.center

    def _outlyingness(self, X):
        return np.array([np.abs(series - self.mean_).mean() for series in X])

    def _timepoint_outlyingness(self, X):
        return [np.abs(series - self.mean_).mean(axis=1) for series in X]


def _mean_score(model, X, y=None):
    return float(model.score_samples(X).mean())


SERIES = np.random.default_rng(0).normal(size=(60, 2))


def test_flat_array_is_a_series_of_one_channel():
    flat = SERIES[:, 0]
    assert_array_equal(Jump().fit(flat).score_samples(flat), Jump().fit(flat[:, None]).score_samples(flat[:, None]))
    assert_array_equal(Jump().fit(pd.Series(flat)).predict(flat[:9]), Jump().fit(flat).predict(flat[:9, None]))


def test_short_flat_array_raises_since_it_may_be_a_row():
    with pytest.raises(ValueError, match="may be one row or a short series"):
        Jump().fit(np.arange(31.0))


def test_flat_array_raises_if_channels_are_missing():
    with pytest.raises(ValueError, match="Reshape your data"):
        Jump().fit(SERIES).score_samples(SERIES[:, 0])


def test_first_infinite_time_point_is_named():
    broken = SERIES.copy()
    broken[[17, 40], 1] = np.inf
    with pytest.raises(ValueError, match="first is at time point 17"):
        Jump().fit(broken)


def test_one_time_point_cannot_be_fitted():
    with pytest.raises(ValueError, match="minimum of 2"):
        Jump().fit([[1.0, 2.0]])


def test_other_errors_are_raised_unchanged():
    with pytest.raises(ValueError, match="could not convert"):
        Jump().fit([["a", "b"]] * 40)


def test_score_windows_exists_if_the_class_scores_windows():
    detector = Range().fit(SERIES)
    assert detector.score_windows(SERIES).shape == (57,)
    assert_array_equal(detector.score_samples(SERIES)[3:], detector.score_windows(SERIES))
    assert not hasattr(Jump().fit(SERIES), "score_windows")


def test_series_shorter_than_a_window_raises_in_scoring():
    with pytest.raises(ValueError, match="3 time points and a window of this detector has 4"):
        Range().fit(SERIES).score_samples(SERIES[:3])


def test_series_detector_works_in_pipeline_and_search():
    y = np.where(np.arange(60) % 7 == 0, -1, 1)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Jump()),
        {"jump__contamination": [0.1, 0.3]},
        cv=KFold(3),
        scoring=lambda model, X, y: float((model.predict(X) == y).mean()),
    )
    assert search.fit(SERIES, y).predict(SERIES).shape == (60,)


CUBE = np.random.default_rng(1).normal(size=(12, 9, 2))
RAGGED = [CUBE[index, : 3 + index % 5] for index in range(12)]


def _objects(items):
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    return array


def test_list_of_equal_lengths_scores_as_the_array():
    assert_array_equal(Level().fit(CUBE).score_samples(CUBE), Level().fit(list(CUBE)).score_samples(list(CUBE)))


@pytest.mark.parametrize("kind", [list, tuple, _objects, lambda items: pd.Series(_objects(items), index=range(5, 17))])
def test_permuted_sequences_have_permuted_scores(kind, seed):
    detector = Level().fit(kind(RAGGED))
    order = np.random.default_rng(seed).permutation(12)
    permuted = kind([RAGGED[index] for index in order])
    assert_array_equal(detector.score_samples(permuted), detector.score_samples(kind(RAGGED))[order])


def test_score_timepoints_has_one_score_per_time_point():
    detector = Level().fit(RAGGED)
    located = detector.score_timepoints(RAGGED)
    assert [len(scores) for scores in located] == [len(series) for series in RAGGED]
    assert max(scores.max() for scores in located) <= 0


def test_float32_is_kept_and_mixed_types_become_float64():
    class Keep(Level):
        def _fit(self, X, y, **metadata):
            super()._fit(X, y)
            self.dtypes_ = {series.dtype for series in X}

    single = [series.astype(np.float32) for series in RAGGED]
    assert Keep().fit(single).dtypes_ == {np.dtype(np.float32)}
    assert Keep().fit([*single[:3], RAGGED[3].astype(int)]).dtypes_ == {np.dtype(np.float64)}


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (CUBE[0], "got a 2D array"),
        ("abc", "got str"),
        (3.0, "got float"),
        ([], "0 sequence"),
        ([CUBE[0]], "1 sequence"),
        ([CUBE[0], CUBE[1, :, :1]], r"X\[1\] has 1 features and X\[0\] has 2"),
        ([CUBE[0], CUBE[:2]], r"X\[1\] has 3 dimensions"),
        ([CUBE[0], CUBE[1, :0]], r"X\[1\] is empty"),
        ([CUBE[0], [["a", "b"]]], r"X\[1\] has dtype <U1"),
        ([CUBE[0], np.array([[1, "b"]], dtype=object)], r"X\[1\] is not a numeric array"),
        ([CUBE[0], [[1.0, 2.0], [np.nan, 2.0]]], r"X\[1\] contains NaN or infinity, first at time point 1"),
        ([1.0, 2.0], r"X\[0\] has 0 dimensions"),
    ],
)
def test_broken_collection_is_named(broken, words):
    with pytest.raises(ValueError, match=words):
        Level().fit(broken)


def test_other_number_of_features_raises_in_scoring():
    with pytest.raises(ValueError, match=r"X\[0\] has 1 features and Level was fitted with 2"):
        Level().fit(RAGGED).score_samples([np.ones(4)])


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("kind", [list, _objects, lambda items: pd.Series(_objects(items)), "array"])
def test_collections_work_in_pipeline_and_search(kind, labelled):
    X = CUBE if kind == "array" else kind(RAGGED)
    y = np.where(np.arange(12) % 4 == 0, -1, 1) if labelled else None
    search = GridSearchCV(
        make_pipeline(FunctionTransformer(), Level()),
        {"level__center": [0.0, 1.0]},
        cv=3,
        scoring=_mean_score,
    )
    assert search.fit(X, y).predict(X).shape == (12,)


def test_duplicate_column_names_raise():
    with pytest.raises(ValueError, match=r"several columns named 'a'\. Rename them"):
        Jump().fit(pd.DataFrame(np.zeros((40, 2)), columns=["a", "a"]))


def test_empty_flat_array_raises_as_a_series():
    with pytest.raises(ValueError, match="X has 0 time points; give at least one"):
        Jump().fit(np.zeros(0))


@pytest.mark.parametrize(("detector", "data"), [(Jump(), SERIES), (Level(), RAGGED)])
def test_failed_fit_leaves_a_fitted_detector_as_it_was(detector, data):
    detector = clone(detector).fit(data)
    expected = detector.score_samples(data)
    with pytest.raises(ValueError, match=r"Expected|Reshape|got"):
        detector.fit("broken")
    assert_array_equal(detector.score_samples(data), expected)
