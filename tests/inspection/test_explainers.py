"""Contributions by scoring changed rows: permutation and LIME."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skanomaly.detectors import GaussianDetector
from skanomaly.inspection import LimeExplainer, PermutationExplainer, counterfactual, discover_features
from skanomaly.inspection._lime import log_adjustment
from tests.reference import lime as reference

EXPLAINERS = [PermutationExplainer, LimeExplainer]


def _rows(seed, n_samples=60, n_features=4):
    return np.random.default_rng(seed).normal(size=(n_samples, n_features))


def _bent(rows):
    return -np.abs(rows[:, 0] * rows[:, 1]) - np.square(rows[:, 2]) + 0.3 * rows[:, 3]


def _mixed(rows):
    """A score with terms of all orders, bounded."""
    return np.tanh(rows @ np.linspace(-1, 1, rows.shape[1])) - rows[:, 0] * rows[:, 1] + np.prod(rows[:, :3], axis=1)


def test_permutation_sums_to_score_minus_offset_for_any_number_of_orders(seed):
    rows = _rows(seed)
    for n_permutations in (1, 2, 3):
        explainer = PermutationExplainer(background=rows, n_permutations=n_permutations, random_state=seed)
        explanation = explainer.explain(_bent, rows[:9])
        assert_allclose(explanation.residuals, 0, atol=1e-10)
        assert_allclose(explanation.scores, _bent(rows[:9]), rtol=1e-12)


def test_permutation_offset_is_the_mean_score_of_the_background(seed):
    rows = _rows(seed, 20)
    explanation = PermutationExplainer(background=rows, random_state=seed).explain(_bent, rows[:3])
    assert_allclose(explanation.offset, _bent(rows).mean(), rtol=1e-12)


def test_permutation_of_a_sum_is_exact(seed):
    rows = _rows(seed)
    weights = np.array([1.0, -2.0, 0.5, 0.0])
    explanation = PermutationExplainer(background=rows, n_background=60, random_state=seed).explain(
        lambda X: X @ weights, rows[:5]
    )
    assert_allclose(explanation.contributions, weights * (rows[:5] - rows.mean(axis=0)), atol=1e-10)


def test_permutation_tends_to_the_shapley_value(seed):
    rows = _rows(seed, 1, 5)
    start = np.zeros(5)
    expected = reference.shapley_values(lambda mask: _mixed(np.where(mask, rows, start))[0], 5)
    explainer = PermutationExplainer(background=start[None], n_permutations=4000, random_state=seed)
    size = np.abs(expected).max() + 1
    assert_allclose(explainer.explain(_mixed, rows).contributions[0], expected, atol=0.05 * size)


@pytest.mark.parametrize("sampling", ["uniform", "stratified", "auto"])
@pytest.mark.parametrize("adjust", [True, False])
@pytest.mark.parametrize("fill", ["median", "mean"])
def test_lime_recovers_a_linear_score_exactly(seed, sampling, adjust, fill):
    rows = _rows(seed, 80, 7)
    weights = np.random.default_rng(seed + 1).normal(size=7)
    lime = LimeExplainer(background=rows, fill=fill, sampling=sampling, adjust=adjust, random_state=seed)
    explanation = lime.explain(lambda X: X @ weights + 2, 3 * rows[:4])
    off = (np.median if fill == "median" else np.mean)(rows, axis=0)
    assert_allclose(explanation.contributions, weights * (3 * rows[:4] - off), atol=1e-6)
    assert_allclose(explanation.offset, off @ weights + 2, atol=1e-6)
    assert_allclose(explanation.diagnostics["r2"], 1, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("sampling", "adjust"), [("uniform", True), ("stratified", True), ("stratified", False)])
def test_lime_is_unbiased_for_its_target(seed, sampling, adjust):
    n_groups = 12
    row = _rows(seed, 1, n_groups)
    target = reference.exact_coefficients(
        lambda mask: _mixed(mask * row)[0], n_groups, 0.25, size_uniform=sampling == "stratified" and not adjust
    )[1:]
    found = np.mean(
        [
            LimeExplainer(background=np.zeros((1, n_groups)), sampling=sampling, adjust=adjust, random_state=state)
            .explain(_mixed, row)
            .contributions[0]
            for state in range(200)
        ],
        axis=0,
    )
    assert np.linalg.norm(found - target) < 0.05 * np.linalg.norm(target)


def test_lime_adjustment_is_a_ratio_of_probabilities():
    n_groups = 9
    binomial = np.array([1, 9, 36, 84, 126, 126, 84, 36, 9, 1]) / 2**n_groups
    assert_allclose(np.exp(log_adjustment(n_groups)), binomial * (n_groups + 1), rtol=1e-12)


def test_lime_adjusts_weights_and_not_distances(seed):
    n_groups = 10
    row = _rows(seed, 1, n_groups)
    masks = np.random.default_rng(seed).random((50, n_groups)) < 0.5
    masks[0] = True
    lime = LimeExplainer(background=row)
    ratio = lime._weights(masks, adjusted=True) / lime._weights(masks, adjusted=False)
    assert_allclose(ratio[1:], np.exp(log_adjustment(n_groups))[masks[1:].sum(axis=1)], rtol=1e-10)
    assert ratio[0] == 1


def test_lime_stratified_increases_the_variation_of_the_response(seed):
    rows = _rows(seed, 50, 40)
    found = [
        LimeExplainer(background=0 * rows, sampling=sampling, random_state=seed).explain(
            lambda X: -np.abs(X).sum(axis=1), rows[:1]
        )
        for sampling in ("uniform", "stratified")
    ]
    assert found[1].diagnostics["response_std"][0] > 2 * found[0].diagnostics["response_std"][0]


def test_lime_auto_stratifies_where_the_score_needs_many_columns(seed):
    row = np.ones((1, 40))

    def needs_all(X):
        return -(X.sum(axis=1) > 37).astype(float)

    def needs_some(X):
        return -X.sum(axis=1)

    lime = LimeExplainer(background=0 * row, sampling="auto", random_state=seed)
    assert lime.explain(needs_all, row).diagnostics["stratified"][0] == 1
    assert lime.explain(needs_some, row).diagnostics["stratified"][0] == 0


def test_lime_draws_fill_from_the_background(seed):
    rows = _rows(seed)
    seen = []

    def listen(X):
        seen.append(X)
        return -X[:, 0]

    LimeExplainer(background=rows, fill="draw", random_state=seed).explain(listen, rows[:1] + 100)
    values = np.unique(np.vstack(seen)[:, 0])
    assert set(values) <= {*rows[:, 0], rows[0, 0] + 100}
    assert len(values) > 20


def test_lime_ridge_shrinks(seed):
    rows = _rows(seed)
    plain, penalised = (
        np.abs(
            LimeExplainer(background=rows, ridge=ridge, random_state=seed).explain(_bent, 2 * rows[:1]).contributions
        )
        for ridge in (0.0, 100.0)
    )
    assert penalised.sum() < plain.sum()


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_explanation_does_not_depend_on_other_rows(seed, kind):
    rows = _rows(seed)
    forest = IsolationForest(n_estimators=10, random_state=0).fit(rows)
    explainer = kind(background=rows, random_state=seed)
    together = explainer.explain(forest, rows[:4]).contributions
    assert_allclose(explainer.explain(forest, rows[2:3]).contributions, together[2:3], atol=1e-12)


@pytest.mark.parametrize("kind", EXPLAINERS)
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_detector_sees_the_frame_it_was_fitted_on(seed, kind, frame):
    rows = _rows(seed)
    table = frame(rows) if frame is pl.DataFrame else frame(rows, columns=list("abcd"))
    if frame is pl.DataFrame:
        table.columns = list("abcd")
    forest = IsolationForest(n_estimators=5, random_state=0).fit(table)
    explanation = kind(background=table, random_state=seed).explain(forest, table[:2])
    assert explanation.feature_names == list("abcd")
    plain = IsolationForest(n_estimators=5, random_state=0).fit(rows)
    expected = kind(background=rows, random_state=seed).explain(plain, rows[:2])
    assert_allclose(explanation.contributions, expected.contributions, atol=1e-12)


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_groups_are_switched_together(seed, kind):
    rows = _rows(seed)
    groups = ["b", "a", "b", "a"]
    explanation = kind(background=np.zeros((1, 4)), groups=groups, random_state=seed).explain(
        lambda X: X.sum(axis=1), rows[:6]
    )
    assert explanation.feature_names == ["b", "a"]
    expected = np.column_stack([rows[:6, 0] + rows[:6, 2], rows[:6, 1] + rows[:6, 3]])
    assert_allclose(explanation.contributions, expected, atol=1e-6)


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_one_column_gets_the_whole_contribution(seed, kind):
    rows = _rows(seed, 30, 1)
    explanation = kind(background=np.zeros((1, 1)), random_state=seed).explain(lambda X: -np.abs(X[:, 0]), rows)
    assert_allclose(explanation.contributions[:, 0], -np.abs(rows[:, 0]), atol=1e-9)


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_same_seed_same_explanation(seed, kind):
    rows = _rows(seed)
    first, second = (kind(background=rows, random_state=seed).explain(_bent, rows[:2]) for _ in range(2))
    assert_array_equal(first.contributions, second.contributions)


def test_many_columns_are_scored_in_blocks(seed, monkeypatch):
    rows = _rows(seed)
    explainer = PermutationExplainer(background=rows, random_state=seed)
    whole = explainer.explain(_bent, rows[:3]).contributions
    monkeypatch.setattr("skanomaly.inspection._permutation._BLOCK_CELLS", 100)
    monkeypatch.setattr("skanomaly.inspection._scores._BLOCK_CELLS", 50)
    assert_allclose(explainer.explain(_bent, rows[:3]).contributions, whole, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"background": None}, "background is None"),
        ({"background": np.zeros((3, 7))}, "background has 7 columns and X has 4"),
        (
            {"background": np.zeros((3, 4)), "groups": [1, 2]},
            r"groups=\[1, 2\] must have one label for each of 4 columns",
        ),
        ({"background": np.zeros((3, 4)), "groups": [["x0", "x1"], ["x2"]]}, r"for example \['a', 'a', 'b', 'b'\]"),
        ({"background": np.zeros((3, 4)), "groups": {"x0": "a"}}, r"groups=\{'x0': 'a'\} must have one label"),
        ({"background": np.zeros((3, 4)), "random_state": "x"}, "random_state"),
        ({"background": np.full((3, 4), np.nan)}, "background"),
    ],
)
@pytest.mark.parametrize("kind", EXPLAINERS)
def test_bad_option_is_named(kind, options, words):
    with pytest.raises(ValueError, match=words):
        kind(**options).explain(_bent, np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (PermutationExplainer, {"n_background": 0}, "n_background"),
        (PermutationExplainer, {"n_permutations": 0}, "n_permutations"),
        (LimeExplainer, {"fill": "zero"}, "fill"),
        (LimeExplainer, {"sampling": "shapley"}, "sampling"),
        (LimeExplainer, {"kernel_width": 0}, "kernel_width"),
        (LimeExplainer, {"n_samples": 1}, "n_samples"),
        (LimeExplainer, {"ridge": -1}, "ridge"),
    ],
)
def test_bad_parameter_is_named(kind, options, words):
    with pytest.raises(ValueError, match=words):
        kind(background=np.zeros((3, 4)), **options).explain(_bent, np.zeros((2, 4)))


def _varied(seed):
    """A table with text, a category, whole numbers and missing values, and a pipeline that takes it."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"heat": random.normal(size=80), "load": random.normal(size=80)})
    frame["site"] = random.choice(["north", "south"], 80)
    frame["kind"] = pd.Categorical(random.choice(["u", "v"], 80))
    frame["count"] = pd.array(random.integers(5, size=80), dtype="Int64")
    frame.loc[3, "heat"], frame.loc[4, "count"] = np.nan, pd.NA
    encode = make_column_transformer(
        (OneHotEncoder(), ["site", "kind"]), (SimpleImputer(), ["heat", "load", "count"]), sparse_threshold=0
    )
    return frame, make_pipeline(encode, IsolationForest(n_estimators=20, random_state=0)).fit(frame)


def test_permutation_takes_what_the_pipeline_takes(seed):
    frame, pipeline = _varied(seed)
    explanation = PermutationExplainer(background=frame, random_state=0).explain(pipeline, frame[:6])
    assert_allclose(explanation.scores, pipeline.score_samples(frame[:6]))
    assert_allclose(explanation.residuals, 0, atol=1e-12)


def test_permutation_of_text_is_that_of_its_numbers(seed):
    frame, _ = _varied(seed)
    coded = frame[["heat", "load", "site"]].fillna(0.0)
    plain = coded.assign(site=(coded["site"] == "north").astype(float))
    parts = [
        PermutationExplainer(background=table, random_state=0).explain(score, table[:6]).contributions
        for table, score in (
            (coded, lambda X: -np.abs(X["heat"] * X["load"]) - 3 * (X["site"] == "north")),
            (plain, lambda X: -np.abs(X["heat"] * X["load"]) - 3 * X["site"]),
        )
    ]
    assert_allclose(*parts, atol=1e-12)


def test_background_without_names_is_matched_by_position(seed):
    frame, pipeline = _varied(seed)
    parts = (
        PermutationExplainer(background=rows, random_state=seed).explain(pipeline, frame.head(3)).contributions
        for rows in (frame, frame.to_numpy(dtype=object))
    )
    assert_array_equal(*parts)


@pytest.mark.parametrize(
    "explain",
    [
        lambda *given, background: PermutationExplainer(background=background, random_state=0).explain(*given),
        lambda *given, background: LimeExplainer(background=background, random_state=0).explain(*given),
        lambda *given, background: counterfactual(*given, background=background),
        lambda *given, background: discover_features(*given, background=background, random_state=0),
    ],
    ids=["permutation", "lime", "counterfactual", "discovery"],
)
@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_background_is_matched_by_column_name(seed, explain, library):
    rows = np.random.default_rng(seed).normal(size=(80, 3)) * [1.0, 10.0, 100.0]
    table = library(dict(zip("abc", rows.T, strict=True)))
    detector = GaussianDetector(contamination=0.05).fit(table)
    found, reordered = (
        explain(detector, table[:2], background=table[names]) for names in (["a", "b", "c"], list("cab"))
    )
    for name in ("contributions", "rows", "statistics"):
        assert_array_equal(getattr(found, name, 0), getattr(reordered, name, 0))
    others = library(dict(zip("qbc", rows.T, strict=True)))
    with pytest.raises(ValueError, match="background lacks column 'a'"):
        explain(detector, table[:2], background=others)
    with pytest.raises(ValueError, match="X has one dimension; give a table"):
        explain(detector, table["a"][:3], background=table)


@pytest.mark.parametrize(
    "explain",
    [
        lambda pipeline, frame: LimeExplainer(background=frame).explain(pipeline, frame),
        lambda pipeline, frame: counterfactual(pipeline, frame, background=frame),
        lambda pipeline, frame: discover_features(pipeline, frame, background=frame),
    ],
    ids=["lime", "counterfactual", "discovery"],
)
def test_columns_that_are_no_finite_numbers_are_named(seed, explain):
    frame, pipeline = _varied(seed)
    with pytest.raises(ValueError, match=r"Not numbers: column 'site', 'kind'\. Encode text"):
        explain(pipeline, frame)


def test_scores_that_cannot_be_split_raise(seed):
    rows = _rows(seed)
    with pytest.raises(ValueError, match="The scores of X contain NaN"):
        PermutationExplainer(background=rows).explain(lambda X: np.where(X[:, 0] > 99, np.nan, 0.0), rows + 100)


def test_detector_without_a_known_sign_raises():
    rows = _rows(0)
    with pytest.raises(TypeError, match="Pass a function from rows to scores"):
        PermutationExplainer(background=rows).explain(LocalOutlierFactor().fit(rows), rows)


def test_scores_of_another_shape_raise():
    rows = _rows(0)
    with pytest.raises(ValueError, match="one score per row"):
        PermutationExplainer(background=rows).explain(lambda X: X, rows)


def test_reasons_are_anomalous_columns_only(seed):
    rows = np.array([[-3.0, 2.0, -1.0, 0.0]])
    explanation = PermutationExplainer(background=np.zeros((1, 4))).explain(lambda X: X.sum(axis=1), rows)
    assert explanation.reasons(0) == [("x0", -3.0), ("x2", -1.0)]
    assert explanation.reasons(0, 1) == [("x0", -3.0)]
