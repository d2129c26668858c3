import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly.detectors import MarginalDetector
from tests.reference import frequency_polygon as reference


def _mixed(seed, n_rows=10_000):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "amount": random.lognormal(size=n_rows),
            "count": random.poisson(2, size=n_rows),
            "discount": random.choice([0.0, 0.1, 0.25, 0.5], size=n_rows, p=[0.55, 0.15, 0.15, 0.15]),
            "shop": random.choice(["north", "south", "east", "west"], size=n_rows, p=[0.4, 0.3, 0.2, 0.1]),
            "code": random.choice([f"c{level}" for level in range(40)], size=n_rows),
            "note": np.where(random.random(n_rows) < 0.3, None, "seen"),
            "sensor": random.normal(size=n_rows),
        }
    )


def _contributions(training, queries):
    return -MarginalDetector().fit(training).feature_contributions(queries)


@pytest.mark.parametrize("n_missing", [0, 5])
def test_numbers_are_as_surprising_as_the_definition_says(seed, n_missing):
    random = np.random.default_rng(seed)
    column = np.concatenate([random.standard_t(2, size=60), np.repeat([0.5, 2.0], [20, 12]), [np.nan] * n_missing])
    detector = MarginalDetector().fit(column[:, None])
    queries = np.concatenate([column, random.normal(0, 4, size=40), [1e9, -1e9]])
    center, scale = reference.robust_scale(column[:60])
    step = (len(column) - n_missing) ** -0.2
    expected = [reference.surprise(x, column.tolist(), center, scale, step, [0.5, 2.0]) for x in queries]
    entropy = np.mean(expected[: len(column)])
    assert_allclose(detector.entropies_, [entropy])
    assert_allclose(-detector.score_samples(queries[:, None]), expected - entropy, atol=1e-9)


def test_categories_are_as_surprising_as_the_definition_says(seed):
    random = np.random.default_rng(seed)
    levels = [*random.choice(["a", "b", "c"], size=50, p=[0.6, 0.3, 0.1]), *[None] * 4, "d", "e"]
    queries = ["a", "b", "c", "d", "e", None, "z"]
    detector = MarginalDetector().fit(pd.DataFrame({"level": levels}))
    expected = np.array([reference.level_surprise(level, levels) for level in queries])
    entropy = np.mean([reference.level_surprise(level, levels) for level in levels])
    assert_allclose(-detector.score_samples(pd.DataFrame({"level": queries})), expected - entropy)


def test_planted_rare_level_missing_value_and_number_are_found_and_their_columns_named_first(seed):
    table = _mixed(seed)
    table.loc[0, "shop"] = "moon"
    table.loc[1, "sensor"] = np.nan
    table.loc[2, "sensor"] = 9.0
    table.loc[3, "discount"] = -0.5
    detector = MarginalDetector().fit(table)
    places = detector.score_samples(table).argsort().argsort()
    assert (places[:4] < 100).all()
    first = detector.feature_contributions(table[:4]).argmin(axis=1)
    assert table.columns[first].tolist() == ["shop", "sensor", "sensor", "discount"]


def test_a_missing_pattern_of_two_columns_is_found_and_both_are_named(seed):
    table = _mixed(seed)
    table.loc[0, ["shop", "sensor"]] = [None, np.nan]
    detector = MarginalDetector().fit(table)
    assert detector.score_samples(table).argmin() == 0
    lowest = detector.feature_contributions(table[:1])[0].argsort()[:2]
    assert set(table.columns[lowest]) == {"shop", "sensor"}


def test_contributions_of_mixed_rows_sum_to_the_score(seed):
    table = _mixed(seed, 500)
    detector = MarginalDetector().fit(table)
    assert_allclose(detector.feature_contributions(table).sum(axis=1), detector.score_samples(table), atol=1e-9)


def test_training_rows_contribute_nothing_on_average(seed):
    table = _mixed(seed, 500)
    assert_allclose(_contributions(table, table).mean(axis=0), 0, atol=1e-10)


@pytest.mark.parametrize("side", [-1, 1])
def test_scores_fall_strictly_beyond_the_training_data(seed, side):
    column = np.random.default_rng(seed).normal(size=(200, 1))
    near = np.abs(column).max() * np.linspace(1.001, 3, 50)
    values = side * np.concatenate([near, 10.0 ** np.arange(2, 308)])
    scores = MarginalDetector().fit(column).score_samples(values[:, None])
    assert (np.diff(scores) < 0).all()


@pytest.mark.parametrize("huge", [1e6, 1e30, 1.7e308])
def test_one_huge_value_hides_no_other(seed, huge):
    column = np.random.default_rng(seed).normal(size=(300, 1))
    column[0] = huge
    clean, dirty = (MarginalDetector().fit(rows) for rows in (column[1:], column))
    assert dirty.score_samples(column).argmin() == 0
    queries = np.array([[0.0], [2.0], [6.0], [9.0]])
    assert_allclose(
        np.diff(dirty.score_samples(queries)), np.diff(clean.score_samples(queries)), atol=0.5, err_msg="moved"
    )


def test_a_value_that_one_training_row_has_is_as_surprising_as_a_new_one(seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"level": random.choice(["a", "b"], size=100), "number": random.integers(0, 3, size=100)})
    table.loc[0] = ["own", 50]
    seen = _contributions(table, pd.DataFrame({"level": ["own"], "number": [50]}))
    new = _contributions(table[1:], pd.DataFrame({"level": ["own"], "number": [50]}))
    assert_allclose(seen, new, atol=0.1)


def test_constant_columns_contribute_nothing_but_where_a_new_value_appears(seed):
    random = np.random.default_rng(seed)
    training = np.column_stack([random.normal(size=100), np.full(100, 0.1 + 0.2), np.full(100, np.nan), np.zeros(100)])
    parts = _contributions(training, np.array([[0.0, 0.3, np.nan, 0.0], [0.0, 0.4, 1.0, np.nan]]))
    assert_array_equal(parts[0, 1:], 0)
    assert (parts[1, 1:] > 5).all()


def test_an_identifier_contributes_nothing(seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"id": [f"n{number}" for number in range(200)], "level": random.choice(["a", "b"], size=200)})
    parts = _contributions(table, table.replace({"id": {"n3": "new"}}))
    assert_allclose(parts[:, 0], 0, atol=1e-12)


def test_scores_of_a_row_do_not_depend_on_the_batch(seed):
    table = _mixed(seed, 3000)
    detector = MarginalDetector().fit(table[:500])
    whole = detector.score_samples(table)
    alone = [detector.score_samples(table[row : row + 1])[0] for row in range(0, 3000, 101)]
    assert_array_equal(whole[::101], alone)


def test_rows_labelled_as_anomalies_are_left_out_of_training(seed):
    table = _mixed(seed, 300)
    y = np.where(np.arange(300) < 30, -1, 0)
    expected = MarginalDetector().fit(table[30:]).score_samples(table)
    assert_allclose(MarginalDetector().fit(table, y).score_samples(table), expected, atol=1e-10)


def test_too_few_rows_that_are_not_anomalies_raise():
    with pytest.raises(ValueError, match="y leaves 1 rows"):
        MarginalDetector().fit(np.zeros((3, 1)), [-1, -1, 1])


@pytest.mark.parametrize("shape", [(30, 1000), (20_000, 2)])
def test_wide_and_tall_tables_are_scored(seed, shape):
    rows = np.random.default_rng(seed).normal(size=shape)
    rows[0] += 20
    assert MarginalDetector().fit(rows).score_samples(rows).argmin() == 0


def test_polars_and_arrow_tables_score_as_pandas_frames(seed):
    polars = pytest.importorskip("polars")
    table = _mixed(seed, 200)
    detector = MarginalDetector().fit(table)
    other = polars.DataFrame(
        {name: table[name].astype(object).where(table[name].notna(), None).tolist() for name in table.columns}
    )
    assert_array_equal(MarginalDetector().fit(other).score_samples(other), detector.score_samples(table))
