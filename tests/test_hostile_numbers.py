"""Numbers that arithmetic does not distinguish, or that overflow: right results, or words that name them."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline

from skanomaly._support._coarse import warn_if_constant, warn_of_rounded_integers
from skanomaly._support._scales import SafeRange, root_mean_square
from skanomaly.audit import EnergyTest
from skanomaly.detectors import GaussianDetector, RandomProjectionDepth
from skanomaly.generation import ProtectedScorer
from skanomaly.robust import GroupBalancedClassifier, MaskedEstimator, StreamGuard, ZErrorClassifier
from skanomaly.sampling import (
    SMOTE,
    SMOTENC,
    SVMSMOTE,
    NoveltyReplay,
    OptimalImbalance,
    OutlierExposureClassifier,
    RegressionSMOTE,
    ResampledEstimator,
)
from skanomaly.sequence import RollingStatistic, SeasonalTrendDetector, SequenceNeighbors, SubsequencePCA
from skanomaly.threshold import ThresholdedDetector

LEARNERS = [
    StreamGuard(SGDClassifier(random_state=0, loss="log_loss"), batch_size=20, random_state=0),
    NoveltyReplay(SGDClassifier(random_state=0), batch_size=20, random_state=0),
]
LOGISTIC = [
    OutlierExposureClassifier(pos_label=2),
    ResampledEstimator(SMOTE(random_state=0), LogisticRegression()),
    GroupBalancedClassifier(LogisticRegression()),
    ProtectedScorer(LogisticRegression()),
    OptimalImbalance(ratios=(0.5,), cv=2, random_state=0),
]


def _rows(seed, n=48):
    X = np.random.default_rng(seed).normal(size=(n, 3))
    X[::4] += 1.5
    return X


def _labels(estimator, n=48):
    return np.arange(n) % 3 if isinstance(estimator, OutlierExposureClassifier) else (np.arange(n) % 4 == 0).astype(int)


def _name(estimator):
    return type(estimator).__name__


@pytest.mark.parametrize("huge", [1e200, -1.7e308])
@pytest.mark.parametrize("learner", LEARNERS, ids=_name)
def test_a_learner_without_finite_decisions_is_an_error_that_names_the_column(learner, huge, seed):
    X, learner = _rows(seed), clone(learner)
    X[:, 0] = huge
    with pytest.raises(ValueError, match=r"limits of numbers.*column 0 \(largest .* in row \d+\)"):
        learner.fit(X, _labels(learner))
    with pytest.raises(ValueError, match=r"limits of numbers.*column 0"):
        learner.partial_fit(X, _labels(learner), classes=[0, 1])
    assert not hasattr(learner, "estimator_")


@pytest.mark.parametrize("learner", LEARNERS, ids=_name)
def test_rows_without_finite_decisions_are_named(learner, seed):
    X = _rows(seed)
    learner = clone(learner).fit(X, _labels(learner))
    X[5, 2] = 1.7e308
    learner.estimator_.coef_[0, 2] = 50.0
    with pytest.raises(ValueError, match=r"limits of numbers.*column 2 \(largest 1.7e\+308 in row 5\)"):
        learner.decision_function(X)


@pytest.mark.parametrize("form", [np.asarray, lambda X: pd.DataFrame(X, columns=list("abc"))], ids=["array", "frame"])
@pytest.mark.parametrize("estimator", LOGISTIC, ids=_name)
def test_a_classifier_whose_outputs_are_equal_says_so(estimator, form, seed):
    X = form(_rows(seed) * 1e-100)
    with pytest.warns(UserWarning, match=r"gives all .* differ by too little.*column .*Subtract"):
        estimator.fit(X, _labels(estimator))


@pytest.mark.parametrize("estimator", LOGISTIC, ids=_name)
def test_ordinary_rows_are_not_warned_of(estimator, seed):
    estimator.fit(_rows(seed), _labels(estimator))


@pytest.mark.parametrize("change", [lambda X: X * 1e-20, lambda X: X + 1e9], ids=["tiny", "offset"])
def test_a_forest_in_float32_that_does_not_split_says_so(change, seed):
    detector = ThresholdedDetector(IsolationForest(n_estimators=4, random_state=0))
    with pytest.warns(UserWarning, match="gives all 48 training rows the score -0.5"):
        detector.fit(change(_rows(seed)))


@pytest.mark.parametrize("detector", [RollingStatistic(window_size=4), SeasonalTrendDetector(period=4)], ids=_name)
def test_a_series_whose_spread_is_rounding_is_named(detector, seed):
    with pytest.warns(UserWarning, match=r"differ by too little.*column 0 \(1e\+15 to 1e\+15\)"):
        detector.fit(np.round(100 * _rows(seed, 160)) + 1e15)


def test_windows_that_are_fewer_than_their_values_are_told(seed):
    series = np.random.default_rng(seed).normal(size=(60, 40))
    with pytest.warns(UserWarning, match=r"same distance: there are 57 of 160 values each.*statistic='residual'"):
        SubsequencePCA(window_size=4).fit(series)
    SubsequencePCA(window_size=4, statistic="residual").fit(series)


@pytest.mark.parametrize(
    "X",
    [
        2**63 - 1 - np.arange(48),
        np.uint64(2**63) + np.arange(48, dtype=np.uint64),
        pd.DataFrame({"a": pd.array(2**62 + np.arange(48), dtype="Int64")}),
        pd.DataFrame({"a": 2**62 + np.arange(48)}),
    ],
    ids=["int64", "uint64", "Int64", "frame"],
)
def test_whole_numbers_that_float64_rounds_are_named(X):
    table = X if isinstance(X, pd.DataFrame) else X[:, None]
    with pytest.warns(UserWarning, match=r"whole numbers beyond") as told:
        GaussianDetector().fit(table)
    assert " in row " in str(told[0].message)
    assert "of 48 distinct values are left" in str(told[0].message)
    shifted = (table - table.min()).astype(float)
    assert np.ptp(GaussianDetector().fit(shifted).score_samples(shifted)) > 0


@pytest.mark.parametrize("form", [np.asarray, lambda X: pd.DataFrame(X, columns=["id", "x"])], ids=["array", "frame"])
def test_whole_numbers_at_both_ends_are_named_by_a_wrapper(form):
    even, y = np.arange(48) % 2 == 0, _labels(None)
    ends = np.where(even, -(2**63) + np.arange(48), 2**63 - 1 - np.arange(48))
    X = form(np.column_stack([ends, np.arange(48)]))
    words = r"column .*largest -9223372036854775808 in row 0; 2 of 48 distinct.*by their ranks"
    with pytest.warns(UserWarning, match=words):
        GroupBalancedClassifier(LogisticRegression(), random_state=0).fit(X, y)
    small = form(np.column_stack([np.arange(48), np.arange(48)]))
    GroupBalancedClassifier(LogisticRegression(), random_state=0).fit(small, y)


def test_a_pipeline_that_leaves_out_whole_numbers_is_not_warned_of(seed):
    frame = pd.DataFrame(_rows(seed), columns=list("abc")).assign(id=2**62 + np.arange(48))
    chosen = make_pipeline(make_column_transformer(("passthrough", list("abc"))), LogisticRegression())
    GroupBalancedClassifier(chosen).fit(frame, _labels(None))


@pytest.mark.parametrize(
    "X", [np.arange(48) << 54, np.full(48, 2**63 - 1), np.arange(48)], ids=["even", "one", "small"]
)
def test_whole_numbers_that_stay_distinct_are_not_warned_of(X):
    warn_of_rounded_integers(X[:, None])


@pytest.mark.filterwarnings("ignore:Nothing was resampled:UserWarning")
def test_whole_targets_that_float64_rounds_are_named(seed):
    y = 2**63 - 1 - np.arange(48)
    with pytest.warns(UserWarning, match=r"y holds whole numbers.*largest 9223372036854775807 in row 0.*Subtract the"):
        RegressionSMOTE(random_state=seed).fit_resample(_rows(seed), y)


@pytest.mark.parametrize("exponent", [600, 1000, -600, -1000])
@pytest.mark.parametrize("is_one_constant", [False, True])
def test_mixed_rows_are_resampled_without_a_unit(exponent, is_one_constant, seed):
    X = _rows(seed)
    X[:, 1] = 1.0 if is_one_constant else X[:, 1]
    scores = []
    for power in (0, exponent):
        frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(k=np.tile(["u", "v", "w"], 16))
        frame[["a", "c"]] = np.ldexp(X[:, [0, 2]], power)
        frame["b"] = X[:, 1] if is_one_constant else np.ldexp(X[:, 1], power)
        sampler = SMOTENC(random_state=0)
        made = sampler.fit_resample(frame, _labels(sampler))[0]
        assert np.isfinite(made[["a", "b", "c"]].to_numpy()).all()
        scores.append(sampler.score_samples(frame))
    assert_allclose(scores[0], scores[1], rtol=1e-9)


@pytest.mark.parametrize("factor", [1e200, 1e300, 1e-300])
def test_mixed_rows_with_one_column_near_the_limits_have_scores(factor, seed):
    X = _rows(seed)
    X[:, 0] *= factor
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(k=np.tile(["u", "v", "w"], 16))
    sampler = SMOTENC(random_state=0)
    sampler.fit_resample(frame, _labels(sampler))
    scores = sampler.score_samples(frame)
    assert np.isfinite(scores).all()
    assert np.ptp(scores) > 0


@pytest.mark.parametrize("selection", ["balanced", "random"])
def test_mixed_rows_of_columns_at_several_huge_sizes_are_resampled(selection, seed):
    X = _rows(seed) * [1e200, 1e300, 1.0]
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(k=np.tile(["u", "v", "w"], 16))
    sampler = SMOTENC(selection=selection, random_state=0)
    made = sampler.fit_resample(frame, _labels(sampler))[0]
    assert np.isfinite(made[["a", "b", "c"]].to_numpy()).all()
    assert np.isfinite(sampler.score_samples(made)).all()


@pytest.mark.parametrize("constant", [1e200, -1.7e308])
def test_a_huge_constant_column_has_no_part_in_a_test(constant, seed):
    X = _rows(seed)
    X[24:] += 2
    pvalues = []
    for value in (1.0, constant):
        X[:, 0] = value
        test = EnergyTest(metric="euclidean", n_permutations=39, random_state=0).fit(X)
        pvalues.append(test.pvalue_)
        assert np.ptp(test.sample_scores_) > 0
    assert pvalues[0] == pvalues[1]


@pytest.mark.parametrize("exponent", [600, 1000, -600])
def test_rows_of_rare_targets_are_scored_in_any_unit(exponent, seed):
    X, y = _rows(seed), np.random.default_rng(seed).gamma(0.5, size=48)
    scores = []
    for rows in (X, np.ldexp(X, exponent)):
        sampler = RegressionSMOTE(random_state=0)
        made, _ = sampler.fit_resample(rows, y)
        assert np.isfinite(made).all()
        scores.append(sampler.score_samples(rows))
    assert_allclose(np.ldexp(scores[0], exponent), scores[1], rtol=1e-9)


@pytest.mark.parametrize("exponent", [600, 1000, -600])
def test_relevance_has_no_unit(exponent, seed):
    X, y = _rows(seed), np.random.default_rng(seed).gamma(0.5, size=48)
    found = [RegressionSMOTE(random_state=0).fit(X, targets).relevance_ for targets in (y, np.ldexp(y, exponent))]
    assert_allclose(*found, atol=1e-9)
    y[:2] = 1.7e308, -1.7e308
    relevance = RegressionSMOTE(random_state=0).fit(X, y).relevance_
    assert relevance[0] == relevance[1] == 1.0
    assert np.median(relevance) < 0.5


@pytest.mark.parametrize("scale", [1.0, 1e307])
@pytest.mark.parametrize("sampler", [SMOTE(k_neighbors=3, random_state=0), SVMSMOTE(random_state=0)], ids=_name)
def test_opposite_huge_cells_are_interpolated(sampler, scale, seed):
    X = _rows(seed)
    X[:, 0] *= scale
    X[[4, 8], 0] = 1.7e308, -1.7e308
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of few neighbours
        made = sampler.fit_resample(X, _labels(sampler))[0]
    assert np.isfinite(made).all()


def test_infinite_values_are_named_beside_huge_ones(seed):
    X = _rows(seed)
    X[:, 1] *= 1e300
    X[[3, 4], 2] = np.inf, -np.inf
    with pytest.raises(ValueError, match=r"Not finite, by column \(number of rows\): 2 \(2\)"):
        SMOTE(random_state=0).fit_resample(X, _labels(None))


def test_a_common_offset_has_no_part_in_support_vectors(seed):
    X = _rows(seed)
    made = [SVMSMOTE(random_state=0).fit_resample(rows, _labels(None))[0] for rows in (X, X + 1e9)]
    assert_allclose(made[0], made[1] - 1e9, atol=1e-5)


@pytest.mark.parametrize("huge", [1e200, 1.7e308])
@pytest.mark.parametrize("target", ["all", "one"])
def test_masked_training_on_huge_targets_is_finite_or_named(huge, target, seed):
    X = _rows(seed)
    y = np.tanh(X[:, 0]) * (huge if target == "all" else 1.0) / 4
    y[3] = huge
    estimator = MaskedEstimator(LinearRegression(), cv=None, random_state=0)
    try:
        assert np.isfinite(estimator.fit(X, y).predict(X)).all()
    except ValueError as error:
        assert str(error).startswith("y holds values near the limits of numbers")  # noqa: PT017  # either is fine


@pytest.mark.parametrize("exponent", [600, -600, -1000])
def test_a_network_standardises_columns_of_any_unit(exponent, seed):
    X = _rows(seed)
    y = (X[:, 0] > 0).astype(int)
    found = [
        ZErrorClassifier(max_iter=5, random_state=0).fit(rows, y).decision_function(rows)
        for rows in (X, np.ldexp(X, exponent))
    ]
    assert_allclose(*found, rtol=1e-6)


def test_medians_of_the_largest_numbers_are_finite(seed):
    X = _rows(seed)
    X[:, 0] = 1.7e308
    scores = RandomProjectionDepth(n_projections=20, random_state=0).fit(X).score_samples(X)
    assert np.isfinite(scores).all()
    assert np.ptp(scores) > 0


@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (GroupBalancedClassifier(LogisticRegression()), _labels(None)),
        (MaskedEstimator(LinearRegression(), cv=None), np.arange(48.0)),
    ],
    ids=["GroupBalancedClassifier", "MaskedEstimator"],
)
@pytest.mark.parametrize(("value", "words"), [(np.nan, "contains NaN"), (np.inf, "contains infinity")])
def test_columns_that_an_inner_estimator_does_not_read_are_named(estimator, y, value, words, seed):
    X = _rows(seed)
    X[3, 1] = value
    with pytest.raises(ValueError, match=rf"(?s){words}.*by column \(number of rows\): 1 \(1\)"):
        estimator.fit(X, y)


def test_missing_values_of_nullable_series_are_told_by_time_point(seed):
    frames = [pd.DataFrame(_rows(seed)[:24], columns=["a", "b", "c"]).astype("Float64") for _ in range(4)]
    frames[2].iloc[7, 1] = pd.NA
    with pytest.raises(ValueError, match=r"X\[2\] contains NaN or infinity, first at time point 7"):
        SequenceNeighbors().fit(frames)


def test_complex_numbers_are_refused_with_the_remedy(seed):
    with pytest.raises(ValueError, match=r"^Complex data not supported. Give the real and the imaginary part"):
        GaussianDetector().fit(_rows(seed) + 1j)


def test_one_row_of_a_class_cannot_be_cross_validated(seed):
    with pytest.raises(ValueError, match="one row of class 1; two are needed"):
        OptimalImbalance().fit(_rows(seed), (np.arange(48) == 5).astype(int))


def test_outputs_are_judged_only_where_values_are_hard(seed):
    warn_if_constant(None, _rows(seed), lambda: pytest.fail("the table is ordinary"))
    warn_if_constant(None, _rows(seed), np.zeros(48))  # the values explain no equal scores
    warn_if_constant(None, _rows(seed)[:5] * 1e-9, np.zeros(5))  # too few rows to tell
    warn_if_constant(None, pd.DataFrame({"a": ["u", "v"] * 24}), np.zeros(48))
    warn_if_constant(None, None, np.zeros(48))
    warn_if_constant(None, np.repeat([[1.0], [2.0]], [40, 8], axis=0), np.zeros(48))  # 8 rows are not few
    with pytest.raises(FloatingPointError):
        warn_if_constant(None, _rows(seed) * 1e200, lambda: np.full(48, np.inf))


@pytest.mark.parametrize("exponent", [0, 600, -600])
def test_roots_of_mean_squares_have_no_unit(exponent, seed):
    X, weights = _rows(seed), np.random.default_rng(seed).random(48)
    expected = np.sqrt(np.average(X**2, axis=0, weights=weights))
    assert_allclose(root_mean_square(np.ldexp(X, exponent), weights), np.ldexp(expected, exponent), rtol=1e-12)


def test_restored_values_are_finite():
    rows = np.full((9, 2), 1.7976931348623157e308)
    limits = SafeRange(rows)
    assert np.isfinite(limits.restored(limits.apply(rows).mean(axis=0) * (1 + 1e-15))).all()
