"""Threshold classes accept the input of their detector: frames, missing values, series, collections, event traces."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skanomaly.events import MarkovDetector, NGramDetector
from skanomaly.model_selection import ScoreEnsemble
from skanomaly.sequence import RollingStatistic, SequenceNeighbors
from skanomaly.threshold import (
    ConformalDetector,
    ContaminationPosterior,
    PValueDisplay,
    QuantileThreshold,
    ThresholdedDetector,
    benjamini_hochberg,
)


def _stack(seed):
    return np.random.default_rng(seed).normal(size=(40, 30, 2)).cumsum(axis=1)


def _list(seed):
    return [series[: 10 + index % 20] for index, series in enumerate(_stack(seed))]


def _traces(seed):
    random = np.random.default_rng(seed)
    return [list("abcd" * random.integers(1, 4)) + ["z"] * int(random.random() < 0.1) for _ in range(40)]


COLLECTIONS = [
    pytest.param(_stack, SequenceNeighbors(), id="stack"),
    pytest.param(_list, SequenceNeighbors(), id="list"),
    pytest.param(_traces, MarkovDetector(), id="traces"),
]
WRAPPERS = [
    pytest.param(lambda detector: ThresholdedDetector(detector, rule=QuantileThreshold(contamination=0.2)), id="rule"),
    pytest.param(lambda detector: ConformalDetector(detector, alpha=0.2, random_state=0), id="conformal"),
    pytest.param(lambda detector: ContaminationPosterior([detector], random_state=0), id="posterior"),
    pytest.param(lambda detector: ScoreEnsemble([detector, clone(detector)], random_state=0), id="ensemble"),
]
quiet = pytest.mark.filterwarnings("ignore:.*time points have no score:UserWarning")


@pytest.mark.parametrize(("make", "detector"), COLLECTIONS)
@pytest.mark.parametrize("wrap", WRAPPERS)
def test_collections_get_one_decision_each(wrap, make, detector, seed):
    X = make(seed)
    model = wrap(detector).fit(X)
    assert model.score_samples(X).shape == (40,)
    assert set(model.predict(X)) <= {-1, 1}
    assert_array_equal(model.predict(X[:3]), model.predict(X)[:3])
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize(("make", "detector"), COLLECTIONS)
def test_scores_are_those_of_the_detector(make, detector, seed):
    X = make(seed)
    scores = ThresholdedDetector(detector).fit(X).score_samples(X)
    assert_array_equal(scores, clone(detector).fit(X).score_samples(X))


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_a_flat_series_is_a_column(wrap, seed):
    x = np.random.default_rng(seed).normal(size=200)
    model = wrap(RollingStatistic(window_size=5)).fit(x)
    assert_array_equal(model.score_samples(x), model.score_samples(x[:, None]))
    assert model.n_features_in_ == 1


@pytest.mark.parametrize("method", ["cross", "jackknife+"])
def test_a_single_series_raises_where_calibration_rows_are_drawn_at_random(method):
    with pytest.raises(ValueError, match="rows that do not follow each other"):
        ConformalDetector(RollingStatistic(window_size=5), method=method).fit(np.arange(100.0))


@quiet
def test_a_series_is_calibrated_on_its_last_time_points(seed):
    series = pd.DataFrame({"x": np.random.default_rng(seed).normal(size=400)})
    series.index = pd.date_range("2026-01-01", periods=400, freq="h")
    series = series.drop(index=series.index[300:310])
    series.iloc[250] = np.nan
    detector = RollingStatistic(window_size=30)
    model = ConformalDetector(detector, calibration_size=0.5).fit(series)
    first, last = series.iloc[:195], series.iloc[195:]
    scores = -clone(detector).fit(first).score_samples(last)
    assert_array_equal(model.calibration_scores_[0], np.sort(scores[~np.isnan(scores)]))
    assert model.n_calibration_ == len(last) - 1


@quiet
def test_labelled_time_points_are_not_calibrated_on(seed):
    series = np.random.default_rng(seed).normal(size=(400, 1))
    labels = np.zeros(400, dtype=int)
    labels[[50, 300, 301]] = -1
    model = ConformalDetector(RollingStatistic(window_size=30)).fit(series, labels)
    assert model.n_calibration_ == 198
    assert (model.suggest_audit(5).indices >= 200).all()


def test_a_series_without_a_score_to_calibrate_on_raises(seed):
    series = np.random.default_rng(seed).normal(size=(60, 1))
    with pytest.raises(ValueError, match="None of the last 30 time points"):
        ConformalDetector(RollingStatistic(window_size=5)).fit(series, np.r_[np.zeros(30), -np.ones(30)])


@quiet
def test_time_points_without_a_score_have_no_pvalue(seed):
    random = np.random.default_rng(seed)
    series = random.normal(size=(600, 1))
    model = ConformalDetector(RollingStatistic(window_size=10), alpha=0.05).fit(series)
    new = random.normal(size=(400, 1))
    new[200:260] *= 20
    new[[90, 95, 300]] = np.nan
    missing = np.isin(np.arange(400), [*range(90, 96), 300])
    for values in (model.pvalues(new), model.score_samples(new), model.anomaly_probability(new)):
        assert_array_equal(np.isnan(values), missing)
    assert_array_equal(model.predict(new)[missing], 1)
    assert_array_equal(model.select(new)[missing], 1)
    assert_array_equal(model.evalues(new)[missing], 0)
    assert (model.select(new)[205:255] == -1).all()
    assert_array_equal(PValueDisplay.from_estimator(model, new).pvalues, model.pvalues(new)[~missing])
    with pytest.raises(ValueError, match="leave out rows without a score"):
        benjamini_hochberg(model.pvalues(new))


def test_the_false_alarm_rate_of_a_stationary_series_is_the_level():
    """Time points depend on each other: the mean rate over series is the level, the rate of one varies."""
    rates = []
    for seed in range(60):
        series = np.random.default_rng(seed).normal(size=(4000, 1))
        model = ConformalDetector(RollingStatistic(window_size=10), alpha=0.1).fit(series[:2000])
        rates.append((model.predict(series[2000:]) == -1).mean())
    error = np.std(rates) / np.sqrt(len(rates))
    assert abs(np.mean(rates) - 0.1) < 4 * error
    assert error < 0.01


def test_too_few_traces_raise():
    with pytest.raises(ValueError, match=r"1 sample\(s\) while a minimum of 4"):
        ConformalDetector(MarkovDetector()).fit([["a", "b"]])


@pytest.mark.parametrize("given", [3.0, "abc"])
def test_what_is_no_collection_raises(given):
    with pytest.raises(ValueError, match="takes a collection"):
        ThresholdedDetector(NGramDetector()).fit(given)


def test_fitting_another_kind_of_input_leaves_nothing_of_the_first(seed):
    model = ThresholdedDetector().fit(np.random.default_rng(seed).normal(size=(30, 3)))
    assert model.n_features_in_ == 3
    model.set_params(detector=MarkovDetector()).fit(_traces(seed))
    assert not hasattr(model, "n_features_in_")


def _mixed(frame_of):
    random = np.random.default_rng(0)
    columns = {"age": random.normal(size=80), "income": random.normal(size=80), "city": ["Bern", "Basel"] * 40}
    columns["income"][::9] = np.nan
    return frame_of({name: list(values) for name, values in columns.items()})


@pytest.mark.parametrize("frame_of", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
@pytest.mark.parametrize("wrap", WRAPPERS)
def test_inner_pipeline_selects_encodes_and_imputes_columns_by_name(wrap, frame_of):
    frame = _mixed(frame_of)
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age", "income"]),
        (OneHotEncoder(sparse_output=False), ["city"]),
    )
    pipeline = make_pipeline(prepare, IsolationForest(n_estimators=10, random_state=0))
    model = wrap(pipeline).fit(frame)
    assert model.feature_names_in_.tolist() == ["age", "income", "city"]
    assert model.predict(frame).shape == (80,)


def test_missing_values_reach_an_inner_detector_that_accepts_them():
    rows = np.random.default_rng(0).normal(size=(60, 2))
    rows[::7, 0] = np.nan
    inside = make_pipeline(SimpleImputer(), IsolationForest(n_estimators=10, random_state=0))
    assert_array_equal(ThresholdedDetector(inside).fit(rows).score_samples(rows), inside.fit(rows).score_samples(rows))


def test_frames_with_other_columns_raise_before_the_detector_is_called():
    frame = _mixed(pd.DataFrame)[["age"]]
    model = ThresholdedDetector(IsolationForest(n_estimators=10, random_state=0)).fit(frame)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"age": "years"}))


@pytest.mark.parametrize(
    "model",
    [
        ThresholdedDetector(RollingStatistic(window_size=30), rule=QuantileThreshold(contamination=0.05)),
        ContaminationPosterior([RollingStatistic(window_size=30), RollingStatistic(statistic="norm", window_size=30)]),
        ScoreEnsemble([RollingStatistic(window_size=30), RollingStatistic(statistic="norm", window_size=30)]),
    ],
    ids=["rule", "posterior", "ensemble"],
)
@quiet
def test_time_points_without_a_score_are_normal(model, seed):
    series = np.random.default_rng(seed).normal(size=(400, 1))
    series[200:220] *= 8
    series[[90, 100, 300]] = np.nan
    fitted = clone(model).fit(series)
    missing = np.isnan(fitted.score_samples(series))
    assert_array_equal(np.flatnonzero(missing), [*range(90, 101), 300])
    assert_array_equal(fitted.predict(series)[missing], 1)
    assert (fitted.predict(series)[200:220] == -1).any()
