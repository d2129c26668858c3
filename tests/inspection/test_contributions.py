"""One door to contributions."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.compose import make_column_transformer
from sklearn.covariance import EllipticEnvelope
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth
from skanomaly.inspection import LimeExplainer, PermutationExplainer, feature_contributions
from skanomaly.threshold import MADThreshold, ThresholdedDetector


class SelectByName(SelectorMixin, BaseEstimator):
    """Keep columns by name."""

    def __init__(self, columns):
        self.columns = columns

    def fit(self, X, y=None):
        self.n_features_in_, self.feature_names_in_ = X.shape[1], np.asarray(X.columns, dtype=object)
        return self

    def _get_support_mask(self):
        return np.isin(self.feature_names_in_, list(self.columns))


SCALERS = [
    MaxAbsScaler(),
    MinMaxScaler(clip=True),
    PowerTransformer(),
    QuantileTransformer(n_quantiles=50, random_state=0),
    RobustScaler(),
    StandardScaler(),
]
DETECTORS = [
    GaussianDetector(),
    NearestNeighborsDetector(),
    RandomProjectionDepth(n_projections=64, random_state=0),
    RandomProjectionDepth(aggregation="max", random_state=0),
]


def _rows(seed, n_samples=200, n_features=5):
    random = np.random.default_rng(seed)
    return (random.normal(size=(n_samples, n_features)) @ random.normal(size=(n_features, n_features))) * 50 + 7


def _agree(detector, X):
    assert_allclose(feature_contributions(detector, X).sum(axis=1), detector.score_samples(X), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
@pytest.mark.parametrize("detector", DETECTORS, ids=str)
def test_exact_sums_to_the_score_through_pipelines(seed, scaler, detector):
    rows = _rows(seed)
    _agree(make_pipeline(scaler, "passthrough", detector).fit(rows), np.vstack([rows, 3 * rows]))


@pytest.mark.parametrize("detector", DETECTORS, ids=str)
def test_exact_sums_to_the_score_of_frames(seed, detector):
    frame = pd.DataFrame(_rows(seed), columns=list("abcde"))
    _agree(make_pipeline(StandardScaler(), detector).fit(frame), frame)
    _agree(detector.fit(frame), frame)


# Random directions are drawn for places, not for columns.
@pytest.mark.parametrize("detector", DETECTORS[:2], ids=str)
def test_exact_moves_with_the_columns(seed, detector):
    rows = _rows(seed)
    order = np.random.default_rng(seed).permutation(5)
    parts = feature_contributions(make_pipeline(StandardScaler(), detector).fit(rows), rows)
    moved = feature_contributions(make_pipeline(StandardScaler(), detector).fit(rows[:, order]), rows[:, order])
    assert_allclose(moved, parts[:, order], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("scaler", [StandardScaler(), RobustScaler(), MinMaxScaler()], ids=str)
def test_exact_is_what_the_scaled_rows_get(seed, scaler):
    rows = _rows(seed)
    pipeline = make_pipeline(scaler, GaussianDetector()).fit(rows)
    scaled = scaler.fit_transform(rows)
    expected = GaussianDetector().fit(scaled).feature_contributions(scaled)
    assert_allclose(feature_contributions(pipeline, rows), expected, rtol=1e-9, atol=1e-12)


def test_exact_of_scikit_learns_robust_covariance(seed):
    rows = _rows(seed)
    _agree(make_pipeline(StandardScaler(), EllipticEnvelope(random_state=0)).fit(rows), 2 * rows)


def test_exact_of_a_search_is_its_best_estimators(seed):
    rows = _rows(seed)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), GaussianDetector()),
        {"gaussiandetector__covariance": ["diag", "oas"]},
        scoring=lambda estimator, X: estimator.score_samples(X).mean(),
        cv=2,
    ).fit(rows)
    assert_array_equal(feature_contributions(search, rows), feature_contributions(search.best_estimator_, rows))


def test_exact_of_a_wrapper_is_its_detectors(seed):
    rows = _rows(seed)
    wrapper = ThresholdedDetector(detector=GaussianDetector(), rule=MADThreshold()).fit(rows)
    assert_array_equal(feature_contributions(wrapper, rows), GaussianDetector().fit(rows).feature_contributions(rows))


def test_exact_raises_for_a_wrapper_that_changes_scores(seed):
    rows = _rows(seed)

    class Doubled:
        detector_ = GaussianDetector().fit(rows)

        def score_samples(self, X):
            return 2 * self.detector_.score_samples(X)

    with pytest.raises(ValueError, match="Doubled is not known to be a sum over columns; explain its detector_, or"):
        feature_contributions(Doubled(), rows)


def test_exact_raises_for_a_step_that_mixes_columns(seed):
    rows = _rows(seed)
    pipeline = make_pipeline(PCA(5), GaussianDetector()).fit(rows)
    with pytest.raises(ValueError, match=r"'pca' of the pipeline is a PCA.*method='permutation'"):
        feature_contributions(pipeline, rows)


SIMPLE_STEPS = {
    "imputer": (SimpleImputer(), "abcd"),
    "imputer that keeps": (SimpleImputer(keep_empty_features=True), "abcde"),
    "imputer that tells": (SimpleImputer(add_indicator=True), "abcdbe"),
    "selector": (SelectByName("bd"), "bd"),
    "names": (make_column_transformer((StandardScaler(), ["d", "a"]), ("passthrough", ["b"])), "dab"),
    "places": (make_column_transformer((RobustScaler(), [3]), ("drop", [1, 4]), remainder="passthrough"), "dac"),
    "mask": (make_column_transformer(("passthrough", [True, False, True, False, False])), "ac"),
    "nothing": (make_column_transformer((StandardScaler(), []), ("passthrough", slice("b", "d"))), "bcd"),
    "nested": (
        make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), lambda _: ["d", "c", "e"])),
        "dc",
    ),
}


@pytest.mark.filterwarnings("ignore:Skipping features without any observed values:UserWarning")
@pytest.mark.parametrize("name", SIMPLE_STEPS)
def test_exact_adds_contributions_to_the_columns_they_come_from(seed, name):
    step, columns = SIMPLE_STEPS[name]
    frame = pd.DataFrame(_rows(seed), columns=list("abcde"))
    if "imputer" in name or name == "nested":
        frame["e"] = np.nan
        frame.loc[::7, "b"] = np.nan if "imputer" in name else 0.0
    pipeline = make_pipeline(clone(step), GaussianDetector()).fit(frame)
    parts = pd.DataFrame(feature_contributions(pipeline, frame), columns=frame.columns)
    inside = pipeline[-1].feature_contributions(pipeline[:-1].transform(frame))
    expected = pd.DataFrame(0.0, index=frame.index, columns=frame.columns)
    for place, column in enumerate(columns):
        expected[column] += inside[:, place]
    assert_allclose(parts, expected, rtol=1e-10, atol=1e-12)


def test_exact_raises_for_a_part_that_mixes_columns(seed):
    rows = _rows(seed)
    pipeline = make_pipeline(make_column_transformer((PCA(1), [0, 1])), GaussianDetector()).fit(rows)
    with pytest.raises(ValueError, match=r"'columntransformer' of the pipeline contains a PCA.*SimpleImputer"):
        feature_contributions(pipeline, rows)


def test_exact_raises_for_a_row_that_is_no_table(seed):
    rows = _rows(seed)
    with pytest.raises(ValueError, match="X has one dimension"):
        feature_contributions(make_pipeline(StandardScaler(), GaussianDetector()).fit(rows), rows[0])


def test_exact_raises_for_a_score_that_is_no_sum(seed):
    rows = _rows(seed)
    with pytest.raises(ValueError, match=r"IsolationForest is not known to be a sum.*method='permutation'"):
        feature_contributions(IsolationForest(n_estimators=5).fit(rows), rows)


def test_unknown_method_is_named(seed):
    with pytest.raises(ValueError, match=r"method='shap' must be 'exact', 'permutation'"):
        feature_contributions(GaussianDetector().fit(_rows(seed)), _rows(seed), method="shap")


@pytest.mark.parametrize(
    ("method", "explainer"),
    [
        ("permutation", PermutationExplainer()),
        ("lime", LimeExplainer()),
        ("stratified_lime", LimeExplainer(sampling="stratified")),
    ],
)
def test_method_by_name_is_the_explainer(seed, method, explainer):
    rows = _rows(seed)
    forest = IsolationForest(n_estimators=10, random_state=0).fit(rows)
    explainer.background, explainer.random_state = rows, seed
    named = feature_contributions(forest, rows[:3], method=method, background=rows, random_state=seed)
    assert_array_equal(named, explainer.explain(forest, rows[:3]).contributions)
    assert_array_equal(named, feature_contributions(forest, rows[:3], method=explainer))


PLANTED = {
    "depth": (RandomProjectionDepth(random_state=0), "exact"),
    "depth, max": (RandomProjectionDepth(aggregation="max", random_state=0), "exact"),
    "gaussian": (GaussianDetector(), "exact"),
    # One neighbour would do on clean training rows; here another anomaly of the same kind may be that neighbour.
    "neighbours": (NearestNeighborsDetector(n_neighbors=10), "exact"),
    "neighbours, mean": (NearestNeighborsDetector(n_neighbors=20, aggregation="mean"), "exact"),
    "forest, permutation": (IsolationForest(n_estimators=30, random_state=0), "permutation"),
    "forest, lime": (IsolationForest(n_estimators=30, random_state=0), "lime"),
    "forest, stratified lime": (IsolationForest(n_estimators=30, random_state=0), "stratified_lime"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_planted_column_ranks_first_in_19_of_20_cases(name):
    detector, method = PLANTED[name]
    n_named = n_cases = 0
    for state in range(100):
        random = np.random.default_rng(state)
        rows = random.normal(size=(300, 8))
        rows[:, 1] += 0.6 * rows[:, 0]
        anomalies = random.normal(size=(5, 8))
        anomalies[:, 1] += 0.6 * anomalies[:, 0]
        columns = random.integers(8, size=5)
        anomalies[np.arange(5), columns] += 8 * random.choice([-1, 1], size=5) * rows.std(axis=0)[columns]
        pipeline = make_pipeline(StandardScaler(), detector).fit(np.vstack([rows, anomalies]))
        parts = feature_contributions(pipeline, anomalies, method=method, background=rows, random_state=state)
        n_named += int((parts.argmin(axis=1) == columns).sum())
        n_cases += 5
    print(f"{name}: {n_named} of {n_cases}")  # noqa: T201  # the figure that the guide prints
    assert n_named >= 0.95 * n_cases
