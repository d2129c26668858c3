"""Displays: what they draw and label."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.detectors import GaussianDetector
from skanomaly.inspection import (
    AnomalyCurveDisplay,
    ContributionDisplay,
    PermutationExplainer,
    ScoreDisplay,
    ScoreTerrainDisplay,
    SpecificationCurveDisplay,
    feature_contributions,
)
from skanomaly.model_selection import specification_curve


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def frame(seed):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(80, 4)), columns=["heat", "load", "flow", "tilt"])


@pytest.fixture
def detector(frame):
    return make_pipeline(StandardScaler(), GaussianDetector(contamination=0.05)).fit(frame)


def _texts(legend):
    return [text.get_text() for text in legend.get_texts()]


def test_scores_are_ranked_and_flagged(detector, frame):
    y = np.where(np.arange(80) < 3, -1, 1)
    display = ScoreDisplay.from_estimator(detector, frame, y)
    normal, flagged, known = (display.ax_.lines[index] for index in (0, 1, 3))
    assert_allclose(
        np.concatenate([flagged.get_ydata(), normal.get_ydata()]), np.sort(detector.score_samples(frame)), rtol=1e-12
    )
    assert len(flagged.get_xdata()) == (detector.predict(frame) == -1).sum()
    assert len(known.get_xdata()) == 3
    assert display.threshold == detector[-1].offset_
    assert _texts(display.ax_.get_legend())[0] == "4 below the threshold"


def test_scores_without_threshold_and_labels_have_no_legend():
    display = ScoreDisplay.from_predictions([-1.0, -2.0])
    assert display.ax_.get_legend() is None
    assert display.figure_ is display.ax_.figure


def test_scores_draw_on_the_axes_given(detector, frame):
    _, ax = plt.subplots()
    assert ScoreDisplay.from_estimator(detector, frame, ax=ax).ax_ is ax


def test_contribution_bars_come_by_size(detector, frame):
    row = frame.iloc[[5]]
    display = ContributionDisplay.from_estimator(detector, row)
    parts = feature_contributions(detector, row)[0]
    order = np.argsort(-np.abs(parts))
    assert_allclose([patch.get_width() for patch in display.ax_.patches], parts[order])
    names = [label.get_text().partition(" = ")[0] for label in display.ax_.get_yticklabels()]
    assert names == list(frame.columns[order])


def test_remaining_contributions_are_one_bar(detector, frame):
    display = ContributionDisplay.from_estimator(detector, frame.iloc[[5]], n_features=2)
    assert display.ax_.get_yticklabels()[-1].get_text() == "2 others"
    total = sum(patch.get_width() for patch in display.ax_.patches)
    assert_allclose(total, detector.score_samples(frame.iloc[[5]])[0], rtol=1e-10)


def test_contributions_by_an_explainer_in_groups(frame):
    forest = IsolationForest(n_estimators=5, random_state=0).fit(frame)
    explainer = PermutationExplainer(background=frame, groups=["a", "a", "b", "b"], random_state=0)
    display = ContributionDisplay.from_estimator(forest, frame.iloc[[0]], method=explainer)
    assert len(display.ax_.patches) == 2


def test_contributions_of_many_rows_raise(detector, frame):
    with pytest.raises(ValueError, match="pass one row"):
        ContributionDisplay.from_estimator(detector, frame)
    with pytest.raises(ValueError, match="pass those of one row"):
        ContributionDisplay.from_predictions([[1.0], [2.0]])


def test_contributions_of_many_rows_of_a_frame_name_iloc(detector, frame):
    with pytest.raises(ValueError, match=r"X\.iloc\[\[3\]\]"):
        ContributionDisplay.from_estimator(detector, frame)


def test_contributions_of_one_row_are_taken_as_a_table(detector, frame):
    parts = feature_contributions(detector, frame[:1])
    display = ContributionDisplay.from_predictions(parts, feature_names=frame.columns, values=frame[:1])
    assert_array_equal(display.contributions, parts[0])


def test_contributions_are_taken_as_an_explanation_with_its_names(detector, frame):
    explanation = PermutationExplainer(background=frame, random_state=0).explain(detector, frame[:1])
    assert ContributionDisplay.from_predictions(explanation).feature_names == list(frame.columns)


def test_contribution_bars_show_text_as_it_is():
    display = ContributionDisplay.from_predictions([-1.0, 2.0], values=["north", 3])
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["x1 = 3", "x0 = north"]


def test_terrain_holds_the_scores_of_its_grid(detector, frame):
    display = ScoreTerrainDisplay.from_estimator(detector, frame, features=("load", 3), grid_resolution=15)
    point = frame.median().to_frame().T
    point["load"], point["tilt"] = display.horizontal[4], display.vertical[9]
    assert display.scores[9, 4] == pytest.approx(detector.score_samples(point)[0])
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("load", "tilt")
    assert_array_equal(display.anomalous, detector.predict(frame) == -1)


def test_terrain_fixes_the_other_columns_at_given_values(detector, frame):
    at = frame.iloc[3].to_numpy()
    display = ScoreTerrainDisplay.from_estimator(detector, frame, at=at, grid_resolution=10)
    point = frame.iloc[[3]].copy()
    point["heat"], point["load"] = display.horizontal[0], display.vertical[1]
    assert display.scores[1, 0] == pytest.approx(detector.score_samples(point)[0])


def test_terrain_keeps_its_legend_off_the_plot(detector, frame):
    display = ScoreTerrainDisplay.from_estimator(detector, frame, grid_resolution=10)
    display.figure_.canvas.draw()
    assert display.ax_.get_legend().get_window_extent().y0 >= display.ax_.get_window_extent().y1


@pytest.mark.parametrize("features", [("nope", 0), (0, 4)])
def test_terrain_names_an_unknown_column(detector, frame, features):
    with pytest.raises(ValueError, match="There is no column"):
        ScoreTerrainDisplay.from_estimator(detector, frame, features=features)


def test_terrain_of_known_scores():
    display = ScoreTerrainDisplay.from_predictions([0, 1, 2], [0, 1], [[0, 1, 2], [1, 2, 3]], threshold=1.5)
    assert display.rows is None
    assert display.feature_names == ("x0", "x1")
    with pytest.raises(ValueError, match=r"the grid is \(2, 3\)"):
        ScoreTerrainDisplay.from_predictions([0, 1, 2], [0, 1], np.zeros((3, 2)))


@pytest.mark.parametrize("native", [True, False])
def test_curves_recognise_both_conventions_and_the_sign(seed, native):
    random = np.random.default_rng(seed)
    anomalous = random.random(200) < 0.1
    anomalous[:2] = True, False
    scores = random.normal(size=200) - 2 * anomalous
    y = np.where(anomalous, -1, 1) if native else anomalous.astype(int)
    display = AnomalyCurveDisplay.from_predictions(y, scores, name="it")
    assert display.roc_auc_ == roc_auc_score(anomalous, -scores)
    assert display.average_precision_ == average_precision_score(anomalous, -scores)
    assert _texts(display.ax_[0].get_legend())[1] == f"chance: {anomalous.mean():.3g}"
    assert_allclose(display.ax_[0].lines[1].get_ydata(), anomalous.mean())


def test_curves_leave_unlabelled_rows_out():
    display = AnomalyCurveDisplay.from_predictions([-1, 0, 1, 1], [-3.0, -9.0, -1.0, 0.0])
    assert display.roc_auc_ == 1


def test_curves_of_an_estimator_carry_its_name(detector, frame):
    y = np.where(np.arange(80) < 3, -1, 1)
    display = AnomalyCurveDisplay.from_estimator(detector, frame, y)
    assert _texts(display.ax_[1].get_legend())[0].startswith("Pipeline: AUROC")


@pytest.mark.parametrize(
    ("y", "words"), [([1, 1, 1], "one class only"), ([0, 0, 0], "one class only"), ([-1, 1], "they must agree")]
)
def test_curves_raise_for_unsuitable_labels(y, words):
    with pytest.raises(ValueError, match=words):
        AnomalyCurveDisplay.from_predictions(y, [-1.0, 0.0, 0.5])


@pytest.mark.parametrize("display", [AnomalyCurveDisplay, ScoreDisplay])
def test_estimator_without_scores_raises(display, frame):
    with pytest.raises(TypeError, match=r"LocalOutlierFactor\(\) has no score_samples"):
        display.from_estimator(LocalOutlierFactor().fit(frame), frame, np.where(np.arange(80) < 3, -1, 1))


def test_curves_need_two_axes():
    _, ax = plt.subplots()
    with pytest.raises(ValueError, match="ax holds 1 axes; 2 are needed"):
        AnomalyCurveDisplay.from_predictions([-1, 1], [-1.0, 0.0], ax=ax)


def test_specifications_are_ordered_with_their_choices():
    choices = [{"step__k": k, "scale": scale} for k in (1, 5) for scale in ("a", "b")]
    display = SpecificationCurveDisplay.from_predictions([0.4, 0.1, 0.3, 0.2], choices, value_name="AUROC")
    curve, chart = display.ax_
    assert_allclose(curve.lines[0].get_ydata(), [0.1, 0.2, 0.3, 0.4])
    assert [label.get_text() for label in chart.get_yticklabels()] == ["k: 1", "k: 5", "scale: a", "scale: b"]
    # The best is k = 1 with scale a.
    assert_array_equal(chart.lines[3].get_ydata(), [0, 2])


def test_specifications_of_a_search(frame):
    search = GridSearchCV(
        GaussianDetector(),
        {"covariance": ["diag", "oas"]},
        scoring=lambda estimator, X: estimator.score_samples(X).mean(),
        cv=2,
    ).fit(frame)
    display = SpecificationCurveDisplay.from_estimator(search)
    assert_allclose(np.sort(search.cv_results_["mean_test_score"]), display.ax_[0].lines[0].get_ydata())


def test_specifications_of_a_study():
    class Study:
        values = np.array([1.0, 2.0])
        parameters = [{"a": 1}, {"a": 2}]

    assert len(SpecificationCurveDisplay.from_estimator(Study()).ax_[1].get_yticklabels()) == 2


def test_specifications_of_a_multiverse(frame):
    y = np.where(np.arange(80) < 8, -1, 1)
    curve = specification_curve(GaussianDetector(), {"covariance": ["diag", "oas", "empirical"]}, frame, y)
    display = SpecificationCurveDisplay.from_estimator(curve)
    assert_allclose(display.ax_[0].lines[0].get_ydata(), np.sort(curve.values))


def test_specifications_of_several_grids_show_what_a_grid_leaves_out(frame):
    grids = [{"covariance": ["diag", "oas"]}, {"contamination": [0.2]}]
    curve = specification_curve(GaussianDetector(), grids, frame)
    display = SpecificationCurveDisplay.from_predictions(curve)
    assert [label.get_text() for label in display.ax_[1].get_yticklabels()] == [
        "covariance: diag",
        "covariance: oas",
        "covariance: default",
        "contamination: default",
        "contamination: 0.2",
    ]


def _search_of_two_metrics(frame, refit):
    scoring = {name: partial(_power, power=power) for power, name in enumerate(("one", "two"), 1)}
    return GridSearchCV(GaussianDetector(), {"covariance": ["diag", "oas"]}, scoring=scoring, cv=2, refit=refit).fit(
        frame
    )


def _power(estimator, X, power):
    return estimator.score_samples(X).mean() ** power


def test_specifications_of_several_metrics_are_those_of_the_refit(frame):
    search = _search_of_two_metrics(frame, "two")
    display = SpecificationCurveDisplay.from_estimator(search)
    assert_array_equal(display.values, search.cv_results_["mean_test_two"])


def test_specifications_of_several_metrics_without_refit_raise(frame):
    with pytest.raises(ValueError, match=r"metrics one, two, .*cv_results_\[\"mean_test_one\"\]"):
        SpecificationCurveDisplay.from_estimator(_search_of_two_metrics(frame, refit=False))


@pytest.mark.parametrize("method", ["from_estimator", "from_predictions"])
@pytest.mark.parametrize("other", [GaussianDetector(), [1.0, 2.0]])
def test_specifications_raise_for_other_objects(method, other):
    with pytest.raises(TypeError, match=f"{type(other).__name__} has no results of specifications"):
        getattr(SpecificationCurveDisplay, method)(other)


def test_specifications_raise_for_other_lengths():
    with pytest.raises(ValueError, match="one result is needed"):
        SpecificationCurveDisplay.from_predictions([1.0, 2.0], [{"a": 1}])
