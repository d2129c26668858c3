import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly.detectors import AnomalyDetector


def _orders(seed, n_rows=10_000):
    """Mixed rows: two correlated numbers, a number that is rarely missing, and two categories."""
    random = np.random.default_rng(seed)
    size = random.normal(size=n_rows)
    table = pd.DataFrame(
        {
            "size": size,
            "weight": 2 * size + 0.3 * random.normal(size=n_rows),
            "rating": random.normal(3, 1, size=n_rows),
            "shop": random.choice(["north", "south", "west"], size=n_rows),
            "kind": random.choice(["new", "used"], size=n_rows),
        }
    )
    table.loc[table["shop"] == "west", "kind"] = "new"  # used ones are never sold in the west
    return table


def _rank_and_column(table, seed):
    detector = AnomalyDetector(random_state=seed).fit(table)
    scores = detector.score_samples(table)
    reason = detector.feature_contributions(table.iloc[[0]]).argmin()
    return int((scores < scores[0]).sum()), table.columns[reason]


@pytest.mark.parametrize(("column", "value"), [("shop", "moon"), ("rating", np.nan), ("rating", 12.0)])
def test_planted_value_is_in_the_lowest_hundredth_with_its_column_first(column, value, seed):
    table = _orders(seed)
    table.loc[0, column] = value
    rank, reason = _rank_and_column(table, seed)
    assert rank < 100
    assert reason == column


def test_planted_pair_of_common_levels_is_in_the_lowest_hundredth(seed):
    table = _orders(seed)
    table.loc[0, ["shop", "kind"]] = "west", "used"
    rank, reason = _rank_and_column(table, seed)
    assert rank < 100
    assert reason in {"shop", "kind"}


def test_contributions_of_mixed_rows_sum_to_the_score(seed):
    table = _orders(seed, 400)
    table.loc[::9, "rating"] = np.nan
    detector = AnomalyDetector(random_state=seed).fit(table)
    parts = detector.feature_contributions(table)
    assert_allclose(parts.sum(axis=1), detector.score_samples(table), rtol=1e-9, atol=1e-9)


def test_row_alone_scores_as_in_the_table_to_the_bit(seed):
    table = _orders(seed, 300)
    detector = AnomalyDetector(random_state=seed).fit(table)
    alone = [detector.score_samples(table.iloc[[row]])[0] for row in range(0, 300, 37)]
    assert_array_equal(alone, detector.score_samples(table)[::37])


def test_score_is_the_mean_of_the_two_lowest_member_scores(seed):
    table = _orders(seed, 300)
    detector = AnomalyDetector(random_state=seed).fit(table)
    assert detector.members_ == ("fine", "coarse", "forest", "marginal")
    lowest = np.sort(detector.member_scores(table), axis=1)[:, :2].mean(axis=1)
    assert_allclose(lowest, detector.score_samples(table), rtol=1e-12)


def test_scores_of_members_are_standardised_by_training_rows(seed):
    table = _orders(seed, 500)
    detector = AnomalyDetector(random_state=seed).fit(table)
    scores = np.sort(detector.member_scores(table), axis=0)
    assert_allclose(scores[125:375].mean(axis=0), 0, atol=0.1)
    low, middle = np.percentile(scores, [5, 50], axis=0)
    assert_allclose(middle - low, 1.6449, rtol=1e-3)


def test_threshold_flags_the_fraction_of_the_training_rows(seed):
    table = _orders(seed, 500)
    detector = AnomalyDetector(contamination=0.06, random_state=seed).fit(table)
    assert (detector.predict(table) == -1).sum() == 30


def test_text_alone_is_scored_and_new_levels_are_anomalies(seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({name: random.choice(list("abc"), size=300) for name in ("x", "y", "z")})
    detector = AnomalyDetector(contamination=0.01, random_state=seed).fit(table)
    new = table.head(2).copy()
    new.loc[1, "y"] = "new"
    assert detector.predict(new)[1] == -1
    assert np.isfinite(detector.score_samples(new)).all()


def test_labelled_anomalies_are_left_out_of_training(seed):
    rows = np.random.default_rng(seed).normal(size=(400, 3))
    rows[:20, 1] = 30.0
    y = np.where(np.arange(400) < 20, -1, 0)
    with_labels = AnomalyDetector(random_state=seed).fit(rows, y).score_samples(rows)
    without = AnomalyDetector(random_state=seed).fit(rows[20:]).score_samples(rows)
    assert_array_equal(with_labels, without)


def test_unit_of_a_column_does_not_matter(seed):
    rows = np.random.default_rng(seed).normal(size=(300, 3))
    scores = AnomalyDetector(random_state=seed).fit(rows).score_samples(rows)
    scaled = rows * [1.0, 1024.0, 2.0**-20]
    assert_allclose(AnomalyDetector(random_state=seed).fit(scaled).score_samples(scaled), scores, rtol=1e-9)


def test_huge_value_is_found_and_does_not_hide_others(seed):
    rows = np.random.default_rng(seed).normal(size=(500, 4))
    rows[0, 1], rows[1, 2] = 1e300, 12.0
    scores = AnomalyDetector(random_state=seed).fit(rows).score_samples(rows)
    assert set(np.argsort(scores)[:2]) == {0, 1}


def test_equal_rows_are_normal():
    detector = AnomalyDetector(random_state=0).fit(np.full((40, 3), 2.5))
    assert_array_equal(detector.predict(np.full((5, 3), 2.5)), 1)


def test_member_whose_training_scores_do_not_vary_is_left_out(seed):
    rows = np.tile([[0.0, 1.0], [1.0, 0.0]], (30, 1))
    detector = AnomalyDetector(random_state=seed).fit(rows)
    assert detector.members_ == ("fine", "coarse")
    assert detector.score_samples([[0.0, 0.0]])[0] < detector.score_samples(rows).min()


def test_combination_that_never_occurs_is_found_in_text_with_many_equal_rows(seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({name: random.choice(list("abc"), size=2000) for name in ("x", "y", "z")})
    table.loc[(table["x"] == "a") & (table["y"] == "b"), "y"] = "c"
    table.loc[0, ["x", "y"]] = "a", "b"
    rank, reason = _rank_and_column(table, seed)
    assert rank < 20
    assert reason in {"x", "y"}


def test_few_similar_anomalies_are_below_most_normal_rows(seed):
    random = np.random.default_rng(seed)
    rows = np.vstack([random.normal(size=(1900, 4)), random.normal(4, 0.2, size=(100, 4))])
    scores = AnomalyDetector(random_state=seed).fit(rows).score_samples(rows)
    assert (np.argsort(scores)[:200] >= 1900).sum() > 90


@pytest.mark.parametrize("shape", [(30, 1000), (3000, 2)])
def test_wide_and_long_tables_are_scored(seed, shape):
    rows = np.random.default_rng(seed).normal(size=shape)
    rows[0, : 2 + shape[1] // 100] = 15.0
    scores = AnomalyDetector(random_state=seed).fit(rows).score_samples(rows)
    assert scores.argmin() == 0
    assert np.isfinite(scores).all()


def test_a_column_of_zeros_with_few_other_values_is_no_missing_column(seed):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(1000, 3))
    rows[:, 2] = 0.0
    rows[:4, 2] = [3.0, 4.0, 5.0, 6.0]
    detector = AnomalyDetector(n_estimators=20, random_state=seed).fit(rows)
    scores = detector.score_samples(rows)
    assert scores[:4].max() < np.quantile(scores[4:], 0.1)
    assert (detector.feature_contributions(rows[:4]).argmin(axis=1) == 2).all()
