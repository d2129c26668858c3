"""Thresholds, p-values and contaminations of tables in pieces."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import PredefinedSplit

from skanomaly._support._open_pieces import as_pieces
from skanomaly._support._value_draws import draw_by_values
from skanomaly.detectors import GaussianDetector, MarginalDetector
from skanomaly.threshold import (
    AlertRateThreshold,
    CapacityThreshold,
    ConformalDetector,
    ContaminationPosterior,
    CostThreshold,
    FalseAlarmThreshold,
    FDistributionThreshold,
    FixedThreshold,
    MADThreshold,
    ParetoThreshold,
    PosteriorThreshold,
    PrecisionThreshold,
    QuantileThreshold,
    StableThreshold,
    ThresholdedDetector,
    ThresholdRule,
)

EXACT = [
    QuantileThreshold(contamination=0.03),
    AlertRateThreshold(alerts=20),
    CapacityThreshold(),
    FalseAlarmThreshold(alpha=0.02),
    FixedThreshold(threshold=-5.0),
    FDistributionThreshold(),
]
DRAWN = [MADThreshold(), ParetoThreshold(), PosteriorThreshold(), PrecisionThreshold(), CostThreshold()]
FOREST = IsolationForest(n_estimators=10, random_state=0)


def _rows(seed, n_rows=300):
    rows = np.random.default_rng(seed).normal(size=(n_rows, 3))
    rows[: n_rows // 20] += 6.0
    return rows


def _cuts(table, size):
    return [table[start : start + size] for start in range(0, len(table), size)]


def _nothing(table):
    pass


def _draw_few(monkeypatch):
    few = {"min_samples": 2, "sample_rows": 64}
    monkeypatch.setattr("skanomaly._support._chunks.Chunks.__init__.__kwdefaults__", few)


def _in_order(rows):
    return rows[draw_by_values(as_pieces([rows]), _nothing).rows]


@pytest.mark.parametrize("rule", EXACT + DRAWN, ids=lambda rule: type(rule).__name__)
def test_rules_in_pieces_are_those_in_memory(rule, seed):
    rows = _rows(seed)
    whole = ThresholdedDetector(GaussianDetector(), rule=rule).fit(rows)
    first = None
    for size in (7, 1001):
        for order in (1, -1):
            found = ThresholdedDetector(GaussianDetector(), rule=rule).fit_chunks(_cuts(rows, size)[::order])
            first = found if first is None else first
            assert found.offset_ == first.offset_
            assert_array_equal(found.anomaly_probability(rows), first.anomaly_probability(rows))
    assert_allclose(first.offset_, whole.offset_, rtol=1e-9)
    assert (first.n_flagged_, first.n_calibration_) == (whole.n_flagged_, whole.n_calibration_)


def test_thresholds_of_all_rows_are_counted_where_few_are_drawn(monkeypatch, seed):
    rows = _rows(seed, 1200)
    monkeypatch.setattr(
        "skanomaly._support._chunks.Chunks.__init__.__kwdefaults__", {"min_samples": 2, "sample_rows": 64}
    )
    drawn = draw_by_values(as_pieces([rows]), _nothing)
    assert len(drawn.rows) == 64
    for rule in EXACT:
        model = ThresholdedDetector(FOREST, rule=rule).fit_chunks(_cuts(rows, 500))
        scores = clone(FOREST).fit(rows[drawn.rows]).score_samples(rows)
        assert model.offset_ == rule.offset(scores, 3)
        assert model.n_flagged_ == np.count_nonzero(scores < model.offset_)


def test_a_detector_without_pieces_gets_all_rows_in_the_order_of_their_hashes(seed):
    rows = _rows(seed)
    whole = ThresholdedDetector(FOREST).fit(_in_order(rows))
    for order in (1, -1):
        found = ThresholdedDetector(FOREST).fit_chunks(_cuts(rows, 70)[::order])
        assert_array_equal(found.score_samples(rows), whole.score_samples(rows))
        assert found.offset_ == whole.offset_


def test_frames_with_text_and_labels_reach_the_detector(seed):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": random.normal(size=300), "shop": random.choice(["a", "b"], size=300)})
    frame.loc[::9, "x"] = np.nan
    frame["checked"] = np.where(np.arange(300) < 5, -1, 0)
    inner = MarginalDetector()
    found = ThresholdedDetector(inner).fit_chunks([frame[:100], frame[100:100], frame[100:]], "checked")
    labels = [frame["checked"][:250], frame["checked"][250:]]
    other = ThresholdedDetector(inner).fit_chunks([frame[["x", "shop"]][:250], frame[["x", "shop"]][250:]], labels)
    assert_array_equal(found.score_samples(frame[["x", "shop"]]), other.score_samples(frame[["x", "shop"]]))
    assert found.offset_ == other.offset_
    assert_array_equal(found.feature_names_in_, ["x", "shop"])


@pytest.mark.parametrize("inner", [GaussianDetector(), FOREST], ids=["pieces", "drawn"])
def test_conformal_pvalues_in_pieces_are_those_of_the_same_parts_in_memory(inner, seed):
    rows = _rows(seed)
    found = ConformalDetector(inner, random_state=0).fit_chunks(_cuts(rows, 70))
    assert found.n_calibration_ == len(found._calibrating) > 50
    is_calibration = np.isin(np.arange(300), found._calibrating)
    fitted = clone(inner).fit(_in_order(rows[~is_calibration]))
    assert_allclose(found.calibration_scores_[0], np.sort(-fitted.score_samples(rows[is_calibration])), rtol=1e-9)
    split = PredefinedSplit(np.where(is_calibration, 0, -1))
    whole = ConformalDetector(GaussianDetector(), method="cross", cv=split).fit(rows)
    if inner is not FOREST:
        assert_array_equal(found.pvalues(rows), whole.pvalues(rows))
        assert_allclose(found.score_samples(rows), whole.score_samples(rows), rtol=1e-9)
        assert found.offset_ == whole.offset_
        assert_array_equal(found.suggest_audit(5).probabilities, whole.suggest_audit(5).probabilities)


def test_conformal_pvalues_do_not_depend_on_the_cuts(seed):
    rows, y = _rows(seed, 120), np.where(np.arange(120) < 5, -1, 0)
    groups = {"group_function": lambda X: X[:, 0] > 0}
    for options in ({}, groups, {"weight_function": lambda X: np.exp(X[:, 1])}):
        models = [
            ConformalDetector(GaussianDetector(), random_state=0, **options).fit_chunks(
                _cuts(rows, size), _cuts(y, size)
            )
            for size in (1, 7, 1001)
        ]
        for model in models[1:]:
            assert_array_equal(model.pvalues(rows), models[0].pvalues(rows))
            assert_array_equal(model.anomaly_probability(rows), models[0].anomaly_probability(rows))
        assert not np.isin(models[0]._calibrating, np.flatnonzero(y < 0)).any()


def test_the_false_alarm_rate_in_pieces_is_the_level_with_equal_rows():
    n_alarms = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        rows = random.integers(0, 3, size=(81, 2)).astype(float)
        model = ConformalDetector(GaussianDetector(), alpha=0.2, random_state=seed).fit_chunks(_cuts(rows[:80], 30))
        n_alarms += int(model.predict(rows[80:])[0] < 0)
    # 60 rows at a level of 0.2: mean at most 12, standard deviation 3.1.
    assert n_alarms <= 12 + 5 * 3.1


def test_a_contamination_in_pieces_is_that_of_all_rows_in_the_order_of_their_hashes(seed):
    rows = _rows(seed)
    whole = ContaminationPosterior([FOREST, GaussianDetector()], random_state=0).fit(_in_order(rows))
    for pieces in (_cuts(rows, 7), _cuts(rows, 7)[::-1], [rows]):
        found = ContaminationPosterior([FOREST, GaussianDetector()], random_state=0).fit_chunks(pieces)
        assert found.contamination_ == whole.contamination_
        assert_array_equal(found.score_samples(rows), whole.score_samples(rows))
        assert found.offset_ == whole.offset_
    assert_array_equal(np.sort(found.sample_rows_), np.arange(300))
    assert not hasattr(found.fit(rows), "sample_rows_")


def test_rows_to_check_are_numbered_as_in_the_table_and_their_labels_are_used(seed):
    rows, y = _rows(seed), np.full(300, np.nan)
    model = ContaminationPosterior([FOREST], random_state=0).fit_chunks(_cuts(rows, 90))
    chosen = model.suggest_audit(8).indices
    y[chosen] = np.where(chosen < 15, -1, 1)
    model.fit_chunks(_cuts(rows, 90), _cuts(y, 90))
    assert (model.audit_.n_checked.sum(), model.audit_.n_anomalies.sum()) == (8, np.count_nonzero(chosen < 15))


def test_dask_gives_the_bits_of_pieces_in_memory(seed):
    dask = pytest.importorskip("dask.dataframe")
    frame = pd.DataFrame(_rows(seed), columns=["a", "b", "c"])
    lazy = dask.from_pandas(frame, npartitions=3)
    for build in (
        lambda: ThresholdedDetector(FOREST),
        lambda: ConformalDetector(GaussianDetector(), random_state=0),
        lambda: ContaminationPosterior([FOREST], random_state=0),
    ):
        assert_array_equal(
            build().fit_chunks(lazy).score_samples(frame),
            build().fit_chunks([frame[:70], frame[70:]]).score_samples(frame),
        )
        with pytest.raises(TypeError, match=r"use fit_chunks\(X\)"):
            build().fit(lazy)


def test_bad_pieces_are_named_and_leave_the_detector_as_it_was(seed):
    rows = _rows(seed)
    bad = rows.copy()
    bad[5, 1] = np.nan
    for build in (
        lambda: ThresholdedDetector(GaussianDetector()),
        lambda: ConformalDetector(GaussianDetector(), random_state=0),
        lambda: ContaminationPosterior([GaussianDetector()], random_state=0),
    ):
        model = build().fit_chunks([rows])
        before = model.offset_
        with pytest.raises(ValueError, match="chunk 1: "):
            model.fit_chunks([rows, bad])
        with pytest.raises(ValueError, match=r"chunk 1: .*features"):
            model.fit_chunks([rows, rows[:, :2]])
        with pytest.raises(ValueError, match="0 rows"):
            model.fit_chunks([rows[:0]])
        assert model.offset_ == before


def test_what_needs_the_rows_together_is_refused_with_the_remedy(seed):
    rows = _rows(seed)
    with pytest.raises(ValueError, match="use fit"):
        ThresholdedDetector(GaussianDetector(), rule=StableThreshold()).fit_chunks([rows])
    with pytest.raises(ValueError, match="use method='split'"):
        ConformalDetector(method="cross").fit_chunks([rows])
    with pytest.raises(ValueError, match="give more rows"):
        ConformalDetector(GaussianDetector(), random_state=0).fit_chunks([rows[:3]])


def test_labels_outside_the_rows_drawn_are_counted_in_a_warning(monkeypatch, seed):
    rows, y = _rows(seed, 900), np.ones(900)
    y[:45] = -1
    monkeypatch.setattr(
        "skanomaly._support._chunks.Chunks.__init__.__kwdefaults__", {"min_samples": 2, "sample_rows": 64}
    )
    with pytest.warns(UserWarning, match="836 of 900 labelled rows are not among the 64"):
        ThresholdedDetector(FOREST, rule=PrecisionThreshold()).fit_chunks(_cuts(rows, 100), _cuts(y, 100))


class _Extreme(ThresholdRule):
    def _cut(self, outlyingness, n_features):
        return outlyingness.mean() + 2 * outlyingness.std()


def test_rules_of_users_get_the_scores_of_the_rows_drawn(seed):
    rows = _rows(seed)
    found = ThresholdedDetector(FOREST, rule=_Extreme()).fit_chunks(_cuts(rows, 100))
    assert found.offset_ == ThresholdedDetector(FOREST, rule=_Extreme()).fit(_in_order(rows)).offset_


def test_equal_scores_flag_no_row():
    assert (
        ThresholdedDetector(GaussianDetector()).fit_chunks([np.ones((9, 2))] * 3).predict(np.ones((4, 2))) == 1
    ).all()
