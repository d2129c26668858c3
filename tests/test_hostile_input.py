"""Input that nobody should give, and values near the limits of numbers: read rightly, or refused in words."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from skanomaly.audit import DomainClassifierTest, EnergyTest, KernelTest, KNNDriftTest, TableAudit
from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector
from skanomaly.embeddings import ConceptProjector, PatchwiseTransformer
from skanomaly.events import EventCountDetector, MarkovDetector, NGramDetector
from skanomaly.generation import ProtectedScorer
from skanomaly.robust import BatchListRegressor, GroupBalancedClassifier, TrainingDynamics
from skanomaly.sampling import (
    ADASYN,
    SMOTE,
    SMOTEN,
    SMOTENC,
    BorderlineSMOTE,
    EAPSampler,
    RandomUnderSampler,
    ResampledEstimator,
    TomekLinks,
)
from skanomaly.sequence import AutoregressiveDetector, GroupedDetector, RollingStatistic, resample_series
from skanomaly.threshold import ConformalDetector, ScoreRefiner

TABLES = [GaussianDetector, NearestNeighborsDetector, KNNDriftTest, ConformalDetector, SMOTE]
HUGE = [1e200, 1.7976931348623157e308, -1e160]


def _rows(seed, n=60):
    return np.random.default_rng(seed).normal(size=(n, 3))


def _fit(cls, X, y=None):
    estimator = cls()
    if hasattr(estimator, "fit_resample"):
        return estimator.fit_resample(X, np.arange(len(X)) < 12 if y is None and hasattr(X, "__len__") else [0, 1])
    return estimator.fit(X)


@pytest.mark.parametrize("cls", TABLES)
@pytest.mark.parametrize(
    ("X", "words"),
    [
        ({(1.0, 2.0), (3.0, 4.0)}, "X is a set, which has no order"),
        (frozenset({(1.0, 2.0)}), "X is a frozenset, which has no order"),
        (np.zeros(9, dtype=[("a", float), ("b", float)]), r"named fields: give pandas.DataFrame\(X\)"),
        (np.array([[10**400, 1]] * 9, dtype=object), "beyond the range of float64"),
    ],
    ids=["set", "frozenset", "fields", "integers"],
)
def test_what_is_no_table_is_refused_in_words(cls, X, words):
    with pytest.raises(ValueError, match=words):
        _fit(cls, X)


@pytest.mark.parametrize("cls", [KNNDriftTest, ConformalDetector, SMOTE])
def test_lazy_frames_are_refused_with_the_remedy(cls):
    with pytest.raises((ValueError, TypeError), match=r"LazyFrame.*(collect|load it)"):
        _fit(cls, pl.DataFrame(np.zeros((9, 2))).lazy())


@pytest.mark.parametrize("estimator", [GroupBalancedClassifier(LogisticRegression()), TrainingDynamics(max_iter=1)])
def test_labels_of_text_and_numbers_are_refused(estimator, seed):
    with pytest.raises(ValueError, match="both text and numbers"):
        estimator.fit(_rows(seed), np.array(["a", 1] * 30, dtype=object))


@pytest.mark.parametrize("cls", [SMOTE, BorderlineSMOTE, RandomUnderSampler, TomekLinks, SMOTEN, EAPSampler])
def test_labels_of_text_and_numbers_are_refused_by_samplers(cls, seed):
    with pytest.raises(ValueError, match="both text and numbers"):
        cls().fit_resample(_rows(seed), np.array(["a", 1] * 30, dtype=object))


@pytest.mark.parametrize("cls", [SMOTE, ADASYN, SMOTENC])
def test_weights_of_booleans_are_numbers(cls, seed):
    X, y = _rows(seed), np.arange(60) % 4 == 0
    X[:, 2] = np.round(X[:, 2])
    sampler = cls(random_state=0, **({"categorical_features": [2]} if cls is SMOTENC else {}))
    fitted = [
        ResampledEstimator(sampler, LogisticRegression()).fit(X, y, sample_weight=weights).estimator_.coef_
        for weights in (X[:, 0] > -1, (X[:, 0] > -1).astype(float))
    ]
    assert_array_equal(*fitted)


def test_labels_of_text_and_numbers_are_refused_by_a_protected_scorer(seed):
    with pytest.raises(ValueError, match="both text and numbers"):
        ProtectedScorer(LogisticRegression()).fit(_rows(seed), np.array(["a", 1] * 30, dtype=object))


@pytest.mark.parametrize("y", [np.arange(60).astype("M8[D]"), np.array(["a", "b"] * 30)], ids=["dates", "text"])
def test_targets_that_are_no_numbers_are_refused(y, seed):
    with pytest.raises(ValueError, match="y must hold numbers"):
        BatchListRegressor().fit(_rows(seed), y)


def test_targets_of_text_that_holds_numbers_are_numbers(seed):
    y = np.round(_rows(seed)[:, 0], 3)
    fitted = [BatchListRegressor(n_starts=20, random_state=0).fit(_rows(seed), each) for each in (y, y.astype(str))]
    assert_array_equal(fitted[0].coefs_, fitted[1].coefs_)


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize("metric", ["standardized", "euclidean"])
@pytest.mark.parametrize("cls", [EnergyTest, KernelTest])
def test_one_huge_value_does_not_blind_a_test(cls, metric, huge, seed):
    X = _rows(seed)
    X[30:] += 2
    X[3, 1] = huge
    test = cls(metric=metric, n_permutations=39, random_state=0).fit(X)
    assert np.isfinite(test.sample_scores_).all()
    assert test.pvalue_ == 1 / 40 or metric == "euclidean"


@pytest.mark.parametrize("exponent", [600, 1000, -600])
@pytest.mark.parametrize("cls", [EnergyTest, KernelTest])
def test_a_test_has_no_unit(cls, exponent, seed):
    X = _rows(seed)
    pvalues = [
        cls(metric="euclidean", n_permutations=39, random_state=0).fit(rows).pvalue_
        for rows in (X, np.ldexp(X, exponent))
    ]
    assert pvalues[0] == pvalues[1]


@pytest.mark.parametrize("huge", HUGE)
def test_one_huge_value_does_not_stop_a_refiner(huge, seed):
    X = _rows(seed, 200)
    X[3, 1] = huge
    refiner = ScoreRefiner(GaussianDetector()).fit(X)
    assert np.isfinite(refiner.refine_scores(X)).all()
    assert np.argmin(refiner.score_samples(X)) == 3


@pytest.mark.parametrize("exponent", [600, 900, -600])
def test_nearness_of_synthetic_rows_has_no_unit(exponent, seed):
    X, y = _rows(seed), np.arange(60) < 20
    X[y] += 1
    scores = []
    for rows in (X, np.ldexp(X, exponent)):
        sampler = SMOTE(random_state=0)
        sampler.fit_resample(rows, y)
        scores.append(sampler.score_samples(rows))
    assert_allclose(scores[0], scores[1], rtol=1e-9)


def test_directions_have_no_unit(seed):
    X = _rows(seed)
    components = [ConceptProjector().fit(rows).components_ for rows in (X, np.ldexp(X, 600))]
    assert_allclose(components[0], components[1], atol=1e-12)


def test_a_column_without_values_in_a_sample_is_compared(seed):
    X = _rows(seed)
    X[:, 1] = np.nan
    X[0, 2] = np.nan
    assert np.isfinite(DomainClassifierTest(cv=2, random_state=0).fit(X).statistic_)


def test_no_rows_are_refused_by_a_domain_classifier():
    with pytest.raises(ValueError, match="0 sample"):
        DomainClassifierTest().fit(pd.DataFrame({"a": [], "b": []}, dtype=float))


def test_the_byte_order_makes_no_difference_to_an_audit(seed):
    X = _rows(seed)
    X[:, 1] = 4.0
    kinds = [[found[:2] for found in TableAudit().fit(rows).findings_] for rows in (X, X.astype(">f8"))]
    assert kinds[0] == kinds[1]
    assert kinds[0]


def test_ragged_rows_are_refused_by_a_test_of_neighbours():
    with pytest.raises(ValueError, match=r"inhomogeneous|same length"):
        KNNDriftTest().fit([[1.0, 2.0]] * 9 + [[1.0]])


@pytest.mark.parametrize("cls", [MarkovDetector, NGramDetector, EventCountDetector])
@pytest.mark.parametrize("missing", [pd.NA, np.nan, pd.NaT])
def test_missing_tokens_are_refused(cls, missing):
    with pytest.raises(ValueError, match="NaN as a token"):
        cls().fit([["a", "b"], ["a", missing]])


@pytest.mark.parametrize("detector", [RollingStatistic(window_size=4), AutoregressiveDetector(order=2)])
def test_arrow_tables_are_series(detector, seed):
    frame = pd.DataFrame(_rows(seed), columns=list("abc"))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    assert_array_equal(detector.fit(table).score_samples(table), detector.fit(frame).score_samples(frame))


def _dated(seed):
    times = pd.date_range("2026-01-01", periods=60, freq="h")
    frame = pd.DataFrame({"when": times, "group": ["a", "b"] * 30, "x": _rows(seed)[:, 0], "y": _rows(seed)[:, 1]})
    return frame.set_index("when"), pl.from_pandas(frame)


def test_groups_take_the_dates_of_a_polars_frame(seed):
    indexed, dated = _dated(seed)
    detector = GroupedDetector(RollingStatistic(window_size=4), group="group")
    assert_array_equal(detector.fit(dated).score_samples(dated), detector.fit(indexed).score_samples(indexed))


@pytest.mark.parametrize("step", [None, "3h"])
def test_series_are_resampled_by_the_dates_of_a_polars_frame(step, seed):
    indexed, dated = _dated(seed)
    expected, _ = resample_series(indexed[["x", "y"]], step)
    found, _ = resample_series(dated.drop("group"), step)
    assert_allclose(found.to_numpy(), expected.to_numpy())
    assert found.index.equals(expected.index.as_unit(found.index.unit))


@pytest.mark.parametrize("transformer", [PatchwiseTransformer(StandardScaler()), ConceptProjector()])
@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize("form", [np.asarray, list])
def test_frames_of_patch_sets_are_refused_with_the_remedy(transformer, container, form, seed):
    patches = form(np.random.default_rng(seed).normal(size=(8, 5, 3)))
    transformer.set_output(transform=container).fit(patches)
    with pytest.raises(ValueError, match=re.escape("Use set_output(transform='default')")):
        transformer.transform(patches)
    table = _rows(seed)
    assert type(transformer.fit(table).transform(table)).__module__.startswith(container)
