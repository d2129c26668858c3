"""Input that nobody should give, and values near the limits of numbers: read rightly, or refused in words."""

import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skanomaly._support._fractions import whole_above, whole_part
from skanomaly.audit import (
    DomainClassifierTest,
    EnergyTest,
    KernelTest,
    KNNDriftTest,
    MembershipAudit,
    TableAudit,
    WindowExcessSearch,
)
from skanomaly.datasets import make_drifting_series
from skanomaly.detectors import (
    GaussianDetector,
    MarginalDetector,
    NearestNeighborsDetector,
    RandomProjectionDepth,
)
from skanomaly.embeddings import (
    AnomalyClusterer,
    AttentionLookup,
    ConceptProjector,
    DistillationDetector,
    PatchBank,
    PatchNeighbors,
    PatchwiseTransformer,
    PrototypeDetector,
)
from skanomaly.events import EventCountDetector, EventDisplay, MarkovDetector, NGramDetector
from skanomaly.generation import DiffusionSampler, MixtureDenoiser, NoiseAwareMixture, ProtectedScorer
from skanomaly.inspection import ScoreTerrainDisplay
from skanomaly.robust import (
    BatchListRegressor,
    GroupBalancedClassifier,
    PurifiedDetector,
    StreamGuard,
    TrainingDynamics,
    ZErrorRegressor,
)
from skanomaly.sampling import (
    ADASYN,
    SMOTE,
    SMOTEN,
    SMOTENC,
    SVMSMOTE,
    BorderlineSMOTE,
    EAPSampler,
    KMeansSMOTE,
    MinoritySampler,
    NoveltyReplay,
    OptimalImbalance,
    OutlierExposureClassifier,
    RandomUnderSampler,
    ResampledEstimator,
    SamplerDisplay,
    TomekLinks,
)
from skanomaly.sequence import AutoregressiveDetector, GroupedDetector, RollingStatistic, resample_series
from skanomaly.threshold import ConformalDetector, ContaminationDisplay, ScoreRefiner

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


def _classes(n=60):
    return (np.arange(n) % 4 == 0).astype(int)


def _one_column(factor, seed, n=60):
    X = _rows(seed, n)
    X[_classes(n) == 1] += 1.0
    X[:, 1] *= factor
    return X


@pytest.mark.parametrize("factor", [1e200, 1e307, 1e-200, 1e-312])
@pytest.mark.parametrize(
    "detector",
    [GaussianDetector(), MarginalDetector(), DistillationDetector(random_state=0), PurifiedDetector(random_state=0)],
    ids=lambda detector: type(detector).__name__,
)
def test_a_column_of_huge_or_tiny_values_has_scores(detector, factor, seed):
    X = _one_column(factor, seed)
    scores = detector.fit(X).score_samples(X)
    assert np.isfinite(scores).all()
    assert np.ptp(scores) > 0
    assert np.isfinite(detector.decision_function(X)).all()


@pytest.mark.parametrize("factor", [1e200, 1e307, 1e-200])
@pytest.mark.parametrize("cls", [BorderlineSMOTE, ADASYN, KMeansSMOTE, SVMSMOTE, MinoritySampler])
def test_a_column_of_huge_or_tiny_values_is_resampled(cls, factor, seed):
    X, y = _one_column(factor, seed), _classes()
    sampler = cls(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of borders that these rows do not have
        made = sampler.fit_resample(X, y)[0]
    assert np.isfinite(made).all()
    assert np.abs(made[:, 1]).max() <= 4 * np.abs(X[:, 1]).max()
    assert np.isfinite(sampler.score_samples(X)).all()


@pytest.mark.parametrize("factor", [1e200, 1e-200])
@pytest.mark.parametrize(
    "estimator",
    [
        MixtureDenoiser(),
        NoiseAwareMixture(),
        DiffusionSampler(n_steps=10),
        PrototypeDetector(metric="euclidean"),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_a_column_whose_squares_are_no_numbers_is_named(estimator, factor, seed):
    frame = pd.DataFrame(_one_column(factor, seed), columns=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"limits of numbers.*column 'b' \(largest .*e[+-]\d+ in row \d+\).*Divide it"):
        estimator.fit(frame)
    assert not hasattr(estimator, "n_features_in_")


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize(
    "estimator",
    [
        MembershipAudit(DecisionTreeClassifier(max_depth=2), n_shadows=4, random_state=0),
        PurifiedDetector(IsolationForest(n_estimators=4, random_state=0), random_state=0),
        ResampledEstimator(SMOTE(random_state=0), DecisionTreeClassifier(max_depth=2)),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_an_inner_estimator_that_fails_on_a_huge_value_is_told_where_it_is(estimator, huge, seed):
    X = _rows(seed)
    X[7, 1] = huge
    with pytest.raises(
        ValueError, match=r"X holds values near the limits of numbers.*column 1 \(largest .* in row 7\)"
    ):
        estimator.fit(X, _classes() if not isinstance(estimator, PurifiedDetector) else None)


@pytest.mark.parametrize("huge", HUGE)
def test_one_huge_value_is_another_row_of_an_ordinary_table(huge, seed):
    X, y = _rows(seed), _classes()
    X[:10] += 9
    X[23, 1] = huge
    clusterer = AnomalyClusterer(n_clusters=2, n_init=1, random_state=0).fit(X)
    assert np.isfinite(clusterer.cluster_centers_).all()
    assert_array_equal(clusterer.predict(X), clusterer.labels_)
    for sampler in (SMOTE(random_state=0), MinoritySampler(random_state=0)):
        scores = sampler.fit(X, y).score_samples(X)
        assert np.isfinite(scores).all()
        assert scores.argmin() == 23
    assert np.isfinite(WindowExcessSearch(cv=2, random_state=0).fit(X).pvalue_)
    purified = PurifiedDetector(random_state=0).fit(X)
    assert purified.score_samples(X).argmin() == 23


@pytest.mark.parametrize("exponent", [600, 1000, -600])
def test_clusters_have_no_unit(exponent, seed):
    X = _rows(seed)
    X[:20] += 9
    found = [
        AnomalyClusterer(n_clusters=2, n_init=2, random_state=0).fit(rows).labels_
        for rows in (X, np.ldexp(X, exponent))
    ]
    assert_array_equal(*found)


@pytest.mark.parametrize("huge", HUGE)
def test_one_huge_value_has_a_place_in_a_picture_of_resampled_rows(huge, seed):
    pytest.importorskip("matplotlib").use("Agg")
    X = _rows(seed)
    X[7, 1] = huge
    display = SamplerDisplay.from_estimator(SMOTE(random_state=0), X, _classes())
    assert np.isfinite(display.real).all()
    assert np.abs(display.real[7]).max() == np.abs(display.real).max()


WEIGHTED = [
    RandomProjectionDepth(n_projections=40, random_state=0),
    OutlierExposureClassifier(pos_label=1),
    OptimalImbalance(ratios=(0.3, 0.5), cv=2, random_state=0),
    ZErrorRegressor(random_state=0),
]


def _weighted(estimator, X, weights):
    y = X[:, 0] if isinstance(estimator, ZErrorRegressor) else np.arange(len(X)) % 3
    y = y if isinstance(estimator, OutlierExposureClassifier | ZErrorRegressor) else y % 2
    return clone(estimator).fit(X, None if isinstance(estimator, RandomProjectionDepth) else y, sample_weight=weights)


@pytest.mark.parametrize("weight", [1e-320, 1e-200, 1e200])
@pytest.mark.parametrize("estimator", WEIGHTED, ids=lambda estimator: type(estimator).__name__)
def test_weights_near_the_limits_are_refused_by_value(estimator, weight, seed):
    with pytest.raises(ValueError, match=r"sample_weight has the largest value .* \(row 0\).*Divide the weights"):
        _weighted(estimator, _rows(seed), np.full(60, weight))


@pytest.mark.parametrize("estimator", WEIGHTED, ids=lambda estimator: type(estimator).__name__)
def test_weights_that_vanish_beside_others_are_0(estimator, seed):
    X, last = _rows(seed), np.arange(60) >= 48
    found = [_weighted(estimator, X, np.where(last, tiny, 1.0)).predict(X) for tiny in (0.0, 1e-320)]
    assert_array_equal(*found)


@pytest.mark.filterwarnings("ignore:-1 is no label of y:UserWarning")
@pytest.mark.parametrize("label", ["ok", 0, True])
@pytest.mark.parametrize(
    "classifier",
    [
        NoveltyReplay(SGDClassifier(loss="log_loss"), random_state=0),
        OutlierExposureClassifier(),
        StreamGuard(SGDClassifier(loss="log_loss"), random_state=0),
    ],
    ids=lambda classifier: type(classifier).__name__,
)
def test_one_class_is_named_with_the_remedy(classifier, label, seed):
    name = type(classifier).__name__
    with pytest.raises(ValueError, match=f"{name} needs at least two classes; y contains 1 class, {label!r}.*Add rows"):
        classifier.fit(_rows(seed), np.full(60, label))


def _stored_index(seed):
    frame = pd.DataFrame(_rows(seed)[:, :2], columns=["u", "v"], index=[f"r{place}" for place in range(60)])
    return frame, pa.Table.from_pandas(frame)


def test_a_stored_index_is_no_column_of_a_table(seed):
    frame, table = _stored_index(seed)
    y = np.arange(60) % 3
    for estimator in (OutlierExposureClassifier(pos_label=2), ResampledEstimator(RandomUnderSampler(random_state=0))):
        assert_array_equal(estimator.fit(table, y).predict_proba(table), estimator.fit(frame, y).predict_proba(frame))
    for detector in (GaussianDetector(), MarginalDetector(), NearestNeighborsDetector()):
        assert_array_equal(detector.fit(table).score_samples(table), detector.fit(frame).score_samples(frame))
        assert detector.fit(table).feature_names_in_.tolist() == ["u", "v"]


def test_a_stored_index_is_no_column_of_a_picture(seed):
    pytest.importorskip("matplotlib").use("Agg")
    frame, table = _stored_index(seed)
    terrain = ScoreTerrainDisplay.from_estimator(GaussianDetector().fit(frame), table, grid_resolution=5)
    resampled = SamplerDisplay.from_estimator(SMOTE(random_state=0), table, _classes())
    assert terrain.feature_names == resampled.feature_names == ("u", "v")
    assert_array_equal(terrain.rows, frame.to_numpy())
    assert_array_equal(resampled.real, frame.to_numpy())


@pytest.mark.parametrize("wrong", [None, "x", 3.0])
def test_wrong_arguments_of_pictures_are_named(wrong):
    pytest.importorskip("matplotlib").use("Agg")
    with pytest.raises(TypeError, match=r"event_scores is .*score_events"):
        EventDisplay.from_predictions([["a", "b"]], wrong)
    with pytest.raises(TypeError, match=r"posterior is .*ContaminationDistribution"):
        ContaminationDisplay.from_predictions(wrong)
    with pytest.raises(TypeError, match=r"estimator=.*no fit_resample"):
        SamplerDisplay.from_estimator(wrong, np.eye(3), [0, 0, 1])


LOOKUPS = [AttentionLookup(), AttentionLookup(kind="sparsemax", temperature=0.5)]


@pytest.mark.parametrize("lookup", LOOKUPS, ids=str)
@pytest.mark.parametrize(
    "form",
    [
        pd.DataFrame,
        lambda X: X.astype(np.float32),
        np.asfortranarray,
        pl.DataFrame,
        lambda X: pa.table({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]}),
        lambda X: X * 2.0**600,
        lambda X: X * 2.0**-600,
        lambda X: np.repeat(X, 2, axis=1)[:, ::2],
        lambda X: X.astype(object),
    ],
    ids=["pandas", "float32", "fortran", "polars", "arrow", "huge", "tiny", "strided", "object"],
)
def test_look_ups_do_not_depend_on_the_form_of_a_table(lookup, form, seed):
    X = np.round(_rows(seed), 3)
    detector = PatchNeighbors(metric="cosine", lookup=lookup)
    expected = detector.fit(X).score_samples(X)
    found = detector.fit(form(X)).score_samples(form(X))
    assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("lookup", LOOKUPS, ids=str)
@pytest.mark.parametrize("X", [np.zeros((9, 3)), np.ones((9, 1)), np.repeat(np.eye(3), 3, axis=0)])
def test_look_ups_of_degenerate_tables_have_scores(lookup, X):
    detector = PatchNeighbors(metric="cosine", lookup=lookup).fit(X)
    assert np.isfinite(detector.score_samples(X)).all()
    assert np.isfinite(detector.score_samples(X[:1])).all()


@pytest.mark.parametrize("lookup", LOOKUPS, ids=str)
def test_look_ups_refuse_what_has_no_direction_in_words(lookup, seed):
    X = _rows(seed)
    X[3, 1] = np.nan
    detector = PatchNeighbors(metric="cosine", lookup=lookup)
    with pytest.raises(ValueError, match=r"by column \(number of rows\): 1 \(1\)"):
        detector.fit(X)
    with pytest.raises(ValueError, match="1 sample"):
        detector.fit(X[:1])
    with pytest.raises(ValueError, match="feature names"):
        detector.fit(pd.DataFrame(_rows(seed), columns=list("abc"))).score_samples(
            pd.DataFrame(_rows(seed), columns=list("abd"))
        )


@pytest.mark.parametrize("kind", ["softmax", "sparsemax"])
@pytest.mark.parametrize("temperature", [1e-320, 1e-300, 1e300])
def test_look_ups_at_any_temperature_have_scores(kind, temperature, seed):
    X = _rows(seed)
    lookup = AttentionLookup(kind=kind, temperature=temperature)
    assert np.isfinite(PatchNeighbors(metric="cosine", lookup=lookup).fit(X).score_samples(X)).all()


@pytest.mark.parametrize(
    ("fraction", "number", "part", "above"), [(0.29, 100, 29, 29), (0.07, 100, 7, 7), (0.57, 101, 57, 58)]
)
def test_fractions_are_read_as_decimals(fraction, number, part, above):
    assert (whole_part(fraction, number), whole_above(fraction, number)) == (part, above)


def test_counts_of_a_fraction_are_exact_in_every_module(seed):
    X = np.random.default_rng(seed).normal(size=(100, 2))
    detector = NearestNeighborsDetector(bank="random", bank_size=0.29, random_state=0).fit(X)
    assert len(detector.bank_) == 29
    bank = PatchBank(selection="random", size=0.29)
    assert len(PatchNeighbors(bank=bank, random_state=0).fit(X).bank_) == 29
    before, after = (
        make_drifting_series(n_timepoints=100, change_point=0.29, size=size, random_state=seed)[0]
        for size in (0.0, 3.0)
    )
    assert np.flatnonzero((before != after).any(axis=1))[0] == 29


@pytest.mark.parametrize(
    "wrap",
    [
        lambda pipeline: ResampledEstimator(RandomUnderSampler(sampling_strategy={}), pipeline),
        GroupBalancedClassifier,
        lambda pipeline: OutlierExposureClassifier(pipeline, pos_label=2),
    ],
    ids=["ResampledEstimator", "GroupBalancedClassifier", "OutlierExposureClassifier"],
)
def test_weights_reach_the_last_step_of_a_pipeline(wrap, seed):
    X, y = _rows(seed), _classes() if "Outlier" not in str(wrap(None)) else np.arange(60) % 3
    plain, scaled = (
        wrap(LogisticRegression()),
        wrap(make_pipeline(StandardScaler(with_mean=False, with_std=False), LogisticRegression())),
    )
    given = {"sample_weight": np.arange(60) % 2 + 0.5} if not isinstance(plain, GroupBalancedClassifier) else {}
    found = [estimator.fit(X, y, **given).predict_proba(X) for estimator in (plain, scaled)]
    assert_allclose(*found, atol=1e-6)
