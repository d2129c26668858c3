"""An error on a table names the columns to look at, in every module."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.audit import KNNDriftTest
from skanomaly.detectors import GaussianDetector
from skanomaly.impute import KNNSamplerImputer
from skanomaly.robust import MaskedEstimator, SampleCurator, ZErrorClassifier
from skanomaly.sampling import (
    SMOTE,
    ExpectedAnomalyPosterior,
    OptimalImbalance,
    OutlierExposureClassifier,
    RandomUnderSampler,
    ResampledEstimator,
)
from skanomaly.sequence import RollingStatistic, SeriesDetector
from skanomaly.threshold import ConformalDetector, ThresholdedDetector

ESTIMATORS = [
    GaussianDetector(),
    KNNDriftTest(),
    ThresholdedDetector(GaussianDetector()),
    RollingStatistic(window_size=5),
    SMOTE(),
    ExpectedAnomalyPosterior(),
    OptimalImbalance(LogisticRegression()),
    ZErrorClassifier(),
    SampleCurator(),
]


def _frame():
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(40, 3)), columns=["heat", "load", "flow"])
    return frame, np.where(np.arange(40) < 8, -1, 1)


@pytest.mark.parametrize(
    ("estimator", "value", "remedy"),
    [
        *((estimator, np.inf, "Replace them with NaN and impute") for estimator in ESTIMATORS),
        # Series may have missing values.
        *((each, np.nan, "Impute them") for each in ESTIMATORS if not isinstance(each, RollingStatistic)),
    ],
    ids=str,
)
def test_columns_that_are_not_finite_are_named(estimator, value, remedy):
    frame, y = _frame()
    frame.loc[[3, 5], "load"] = value
    with pytest.raises(ValueError, match=rf"by column \(number of rows\): 'load' \(2\)\. {remedy}"):
        estimator.fit(frame, y)


def test_infinite_cells_are_named_apart_from_missing_ones():
    frame, _ = _frame()
    frame.loc[3, "load"], frame.loc[5, "heat"] = np.inf, np.nan
    with pytest.raises(ValueError, match=r"infinity: column 'load', in 1 row\. Replace it with NaN"):
        KNNSamplerImputer().fit(frame)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: type(one).__name__)
def test_columns_of_text_are_named(estimator):
    frame, y = _frame()
    frame["city"] = "Bern"
    with pytest.raises(ValueError, match=r"Not numbers: column 'city'\. Encode text"):
        estimator.fit(frame, y)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("frame_of", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_columns_of_dates_are_named(estimator, frame_of):
    frame, y = _frame()
    frame["when"] = pd.date_range("2026-01-01", periods=40)
    dates = "'when'"
    if frame_of is pl.DataFrame and isinstance(
        estimator, SeriesDetector
    ):  # its only column of dates would be its clock
        frame["until"], dates = frame["when"], "'when', 'until'"
    with pytest.raises(ValueError, match=rf"Dates or durations: column {dates}\. Turn"):
        estimator.fit(frame_of(frame.to_dict("series")), y)


def test_text_in_an_array_is_answered_with_a_remedy():
    with pytest.raises(ValueError, match=r"X must hold numbers\. Encode text"):
        GaussianDetector().fit([["Bern", "1"], ["Basel", "2"]])


@pytest.mark.parametrize(
    "estimator",
    [
        MaskedEstimator(LogisticRegression()),
        SampleCurator(MaskedEstimator(LogisticRegression())),
        ResampledEstimator(RandomUnderSampler(), LogisticRegression()),
        OutlierExposureClassifier(LogisticRegression()),
        ConformalDetector(make_pipeline(StandardScaler(), IsolationForest())),
    ],
    ids=lambda one: type(one).__name__,
)
def test_missing_objects_that_an_inner_estimator_does_not_read_are_named(estimator):
    frame, y = _frame()
    frame["load"] = frame["load"].astype(object)
    frame.loc[3, "load"] = pd.NA
    with pytest.raises(TypeError, match=rf"NAType.*in column 'load', which .* inside {type(estimator).__name__}"):
        estimator.fit(frame, y)
