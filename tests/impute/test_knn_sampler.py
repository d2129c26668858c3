import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from skanomaly.impute import KNNSamplerImputer
from tests.reference import ranked_probability as reference


def _holes(table, rate, random):
    table = table.copy()
    table[random.random(table.shape) < rate] = np.nan
    return table


def _gaussian(seed, n_rows=200, n_columns=5, rate=0.2):
    random = np.random.default_rng(seed)
    table = random.normal(size=(n_rows, n_columns)) @ random.normal(size=(n_columns, n_columns))
    return _holes(table, rate, random), table


def _ring(random, n_rows):
    angle, radius = random.uniform(0, 2 * np.pi, n_rows), 1 + 0.1 * random.normal(size=n_rows)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def _line(random, n_rows):
    x = np.linspace(-2, 2, n_rows)
    return np.column_stack([x, x + random.chisquare(2, n_rows)])


def _like_knn_imputer(**parameters):
    return KNNSamplerImputer(**{"strategy": "mean", "scale": False, "n_neighbors": 5, **parameters})


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_neighbors": 3, "strategy": "mean", "n_rounds": 1, "add_indicator": True},
        {"n_neighbors": "loo-mse", "strategy": "median", "donors": "separate", "keep_empty_features": True},
    ],
)
def test_imputer_passes_scikit_learns_checks(parameters):
    results = check_estimator(KNNSamplerImputer(random_state=0, **parameters), on_skip=None, on_fail=None)
    assert [result["check_name"] for result in results if result["status"] == "failed"] == []


# strategy="mean" is scikit-learn's KNNImputer.


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.7])
@pytest.mark.parametrize("n_neighbors", [1, 5, 500])
def test_mean_equals_knn_imputer(rate, n_neighbors, seed):
    holes, _ = _gaussian(seed, rate=rate)
    expected = KNNImputer(n_neighbors=n_neighbors).fit(holes[:150]).transform(holes)
    assert_allclose(_like_knn_imputer(n_neighbors=n_neighbors).fit(holes[:150]).transform(holes), expected, atol=1e-10)


@pytest.mark.parametrize("keep_empty_features", [False, True])
@pytest.mark.parametrize("add_indicator", [False, True])
def test_mean_equals_knn_imputer_with_missing_rows_and_columns(keep_empty_features, add_indicator, seed):
    holes, _ = _gaussian(seed)
    holes[[3, 50]] = np.nan
    holes[:150, 2] = np.nan  # empty in fit, not afterwards
    options = {"keep_empty_features": keep_empty_features, "add_indicator": add_indicator}
    other = KNNImputer(**options).fit(holes[:150])
    ours = _like_knn_imputer(**options).fit(holes[:150])
    assert_allclose(ours.transform(holes), other.transform(holes), atol=1e-10)
    # scikit-learn 1.9 forgets the kept column's name.
    names = [f"x{index}" for index in range(5) if keep_empty_features or index != 2]
    indicators = [f"missingindicator_x{index}" for index in range(5)] if add_indicator else []
    assert_array_equal(ours.get_feature_names_out(), names + indicators)


def test_mean_equals_knn_imputer_on_float32(seed):
    holes = _gaussian(seed)[0].astype(np.float32)
    filled = _like_knn_imputer().fit_transform(holes)
    assert filled.dtype == np.float32
    assert_allclose(filled, KNNImputer().fit_transform(holes), rtol=1e-5, atol=1e-6)


def test_mean_equals_knn_imputer_where_no_coordinate_is_shared():
    table = np.array([[1.0, np.nan, 2.0], [np.nan, 5.0, np.nan], [3.0, np.nan, np.nan], [np.nan, 7.0, 4.0]])
    assert_allclose(_like_knn_imputer().fit_transform(table), KNNImputer().fit_transform(table), atol=1e-12)


# Draws


def test_draws_are_values_of_the_column(seed):
    holes, _ = _gaussian(seed)
    filled = KNNSamplerImputer(random_state=seed).fit_transform(holes)
    assert_array_equal(filled[~np.isnan(holes)], holes[~np.isnan(holes)])
    for column in range(5):
        assert np.isin(filled[:, column], holes[:, column]).all()


def test_joint_draws_come_from_one_row(seed):
    holes, _ = _gaussian(seed, rate=0.0)
    holes[:60, 1:4] = np.nan
    filled = KNNSamplerImputer(n_neighbors=7, random_state=seed).fit_transform(holes)
    donors = {tuple(row) for row in holes[60:, 1:4]}
    assert all(tuple(row) in donors for row in filled[:60, 1:4])


def test_separate_draws_come_from_many_rows(seed):
    holes, _ = _gaussian(seed, rate=0.0)
    holes[:60, 1:4] = np.nan
    filled = KNNSamplerImputer(n_neighbors=7, donors="separate", random_state=seed).fit_transform(holes)
    donors = {tuple(row) for row in holes[60:, 1:4]}
    assert not all(tuple(row) in donors for row in filled[:60, 1:4])


def test_joint_draws_fall_back_to_separate_donors_where_too_few_have_all(seed):
    random = np.random.default_rng(seed)
    table = random.normal(size=(60, 3))
    table[:30, 1] = np.nan
    table[30:58, 2] = np.nan  # two rows have both
    query = np.array([[0.0, np.nan, np.nan]])
    few = KNNSamplerImputer(n_neighbors=2, random_state=seed).fit(table).transform(query)
    assert tuple(few[0, 1:]) in {tuple(row) for row in table[58:, 1:]}
    many = [
        KNNSamplerImputer(n_neighbors=10, random_state=draw).fit(table).transform(query)[0, 1] for draw in range(20)
    ]
    assert not np.isin(many, table[58:, 1]).all()


def test_wholly_missing_row_is_a_complete_row(seed):
    holes, _ = _gaussian(seed)
    filled = KNNSamplerImputer(random_state=seed).fit(holes).transform(np.full((40, 5), np.nan))
    complete = {tuple(row) for row in holes[~np.isnan(holes).any(axis=1)]}
    assert all(tuple(row) in complete for row in filled)
    assert len(np.unique(filled, axis=0)) > 10


@pytest.mark.parametrize("donors", ["joint", "separate"])
@pytest.mark.parametrize("n_rounds", [0, 2])
def test_draws_do_not_depend_on_the_batch(donors, n_rounds, seed):
    holes, _ = _gaussian(seed, n_rows=90)
    imputer = KNNSamplerImputer(donors=donors, n_rounds=n_rounds, random_state=seed).fit(holes)
    whole = imputer.transform(holes)
    order = np.random.default_rng(seed).permutation(len(holes))
    assert_array_equal(imputer.transform(holes[order]), whole[order])
    assert_array_equal(np.vstack([imputer.transform(row[None]) for row in holes[::9]]), whole[::9])


def test_copies_of_a_row_get_draws_of_their_own(seed):
    holes, _ = _gaussian(seed)
    query = np.tile([[0.0, np.nan, 0.0, 0.0, 0.0]], (400, 1))
    imputer = KNNSamplerImputer(n_neighbors=8, random_state=seed).fit(holes)
    _, counts = np.unique(imputer.transform(query)[:, 1], return_counts=True)
    assert len(counts) == 8
    assert stats.chisquare(counts).pvalue > 1e-5


@pytest.mark.parametrize("strategy", ["sample", "mean", "median"])
def test_bits_do_not_depend_on_n_jobs(strategy, seed):
    holes, _ = _gaussian(seed, n_rows=400)
    one, two = (KNNSamplerImputer(strategy=strategy, n_rounds=1, random_state=seed, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert_array_equal(one.fit_transform(holes), two.fit_transform(holes))
    assert_array_equal(one.n_neighbors_, two.n_neighbors_)


def test_random_state_decides_the_draws(seed):
    holes, _ = _gaussian(seed)
    first, again, other = (KNNSamplerImputer(random_state=state).fit_transform(holes) for state in (seed, seed, 1000))
    assert_array_equal(first, again)
    assert (first != other).any()


def test_transform_repeats_itself_and_survives_pickling(seed):
    holes, _ = _gaussian(seed)
    imputer = KNNSamplerImputer().fit(holes)
    expected = imputer.transform(holes)
    assert_array_equal(imputer.transform(holes), expected)
    assert_array_equal(pickle.loads(pickle.dumps(imputer)).transform(holes), expected)  # noqa: S301  # our own bytes


def test_python_threads_share_an_imputer(seed):
    holes, _ = _gaussian(seed)
    imputer = KNNSamplerImputer(n_jobs=2, random_state=seed).fit(holes)
    expected = imputer.transform(holes)
    with ThreadPoolExecutor(4) as pool:
        for filled in pool.map(lambda _: imputer.transform(holes), range(8)):
            assert_array_equal(filled, expected)


def test_integers_and_column_major_tables_do_not_matter(seed):
    table = np.random.default_rng(seed).integers(0, 200, size=(80, 3), dtype=np.uint8)
    holes = _gaussian(seed, n_rows=20, n_columns=3)[0] * 50 + 100
    expected = KNNSamplerImputer(random_state=0).fit(table.astype(float)).transform(holes)
    assert_array_equal(KNNSamplerImputer(random_state=0).fit(table).transform(np.asfortranarray(holes)), expected)


def test_input_stays_as_it_was(seed):
    holes, _ = _gaussian(seed)
    before = holes.copy()
    holes.flags.writeable = False
    KNNSamplerImputer(n_rounds=1).fit_transform(holes)
    assert_array_equal(holes, before)


def test_complete_table_stays(seed):
    _, table = _gaussian(seed)
    assert_array_equal(KNNSamplerImputer().fit_transform(table), table)


# Choice of the number of neighbours


@pytest.mark.parametrize("n_columns", [1, 3])
def test_loo_mse_is_the_brute_force_choice(n_columns, seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(120, n_columns))
    y = np.sin(2 * x).sum(axis=1) + 0.5 * random.normal(size=120)
    imputer = KNNSamplerImputer(n_neighbors="loo-mse", max_neighbors=40, scale=False).fit(np.column_stack([x, y]))
    assert imputer.n_neighbors_[-1] == 1 + reference.leave_one_out_errors(x, y, 40).argmin()


def test_loo_crps_is_the_brute_force_choice(seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(60, 2))
    y = x[:, 0] * random.normal(size=60)
    imputer = KNNSamplerImputer(max_neighbors=25, scale=False).fit(np.column_stack([x, y]))
    assert imputer.n_neighbors_[-1] == 1 + reference.leave_one_out_scores(x, y, 25).argmin()


def test_large_tables_are_chosen_for_by_a_part_of_the_rows(monkeypatch, seed):
    from skanomaly.impute import _selection

    monkeypatch.setattr(_selection, "_OPERATIONS", 1.0)
    monkeypatch.setattr(_selection, "_FEWEST_ROWS", 50)
    random = np.random.default_rng(seed)
    table = random.normal(size=(300, 1)) + np.column_stack([np.zeros(300), 0.1 * random.normal(size=300)])
    assert (KNNSamplerImputer(random_state=seed).fit(table).n_neighbors_ < 60).all()


@pytest.mark.parametrize("criterion", ["loo-crps", "loo-mse"])
def test_unrelated_columns_want_many_neighbors_and_related_ones_few(criterion, seed):
    random = np.random.default_rng(seed)
    x = random.uniform(size=600)
    table = np.column_stack([x, np.sin(20 * x), random.normal(size=600)])
    chosen = KNNSamplerImputer(n_neighbors=criterion).fit(table[:, :2]).n_neighbors_[1]
    assert chosen < 10 < KNNSamplerImputer(n_neighbors=criterion).fit(table[:, ::2]).n_neighbors_[1]


# Edges


@pytest.mark.parametrize("donors", ["joint", "separate"])
@pytest.mark.parametrize("strategy", ["sample", "mean", "median"])
@pytest.mark.parametrize(
    "table",
    [
        [[1.0, 2.0]],
        [[1.0, np.nan]],
        [[1.0, np.nan], [np.nan, 2.0]],
        [[np.nan, 1.0], [np.nan, 2.0], [3.0, np.nan]],
        np.full((5, 2), 7.0),
        [[1.0], [np.nan], [3.0]],
        [[1e200, 1.0], [-1e200, np.nan], [1e200, 5.0]],
    ],
    ids=["row", "half row", "crossed", "one donor", "constant", "column", "huge"],
)
def test_small_tables_are_filled(table, strategy, donors):
    imputer = KNNSamplerImputer(strategy=strategy, donors=donors, random_state=0)
    table = np.asarray(table)
    filled = imputer.fit_transform(table)
    kept = ~np.isnan(table).all(axis=0)
    assert np.isfinite(filled).all()
    assert filled.shape == (len(table), kept.sum())
    assert_array_equal(imputer.n_neighbors_ > 0, kept)


def test_table_without_a_value_has_no_column_left():
    assert KNNSamplerImputer().fit_transform(np.full((4, 3), np.nan)).shape == (4, 0)
    assert_array_equal(KNNSamplerImputer(keep_empty_features=True).fit_transform(np.full((4, 3), np.nan)), 0.0)


def test_fewer_donors_than_neighbors_all_give():
    table = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 6.0], [0.5, np.nan]])
    imputer = KNNSamplerImputer(n_neighbors=50, strategy="mean").fit(table)
    assert imputer.transform(table)[3, 1] == 3.0
    assert_array_equal(imputer.n_neighbors_, [4, 3])


@pytest.mark.parametrize(("values", "median"), [([1.0, 9.0, 2.0], 2.0), ([1.0, 9.0, 2.0, 4.0], 3.0)])
def test_median_is_the_donors_median(values, median):
    table = np.column_stack([np.zeros(len(values)), values])
    imputer = KNNSamplerImputer(n_neighbors=10, strategy="median").fit(table)
    assert imputer.transform([[0.0, np.nan]])[0, 1] == median


def test_column_scale_does_not_matter_when_scaled(seed):
    holes, _ = _gaussian(seed)
    factor = np.array([1.0, 1024.0, 2.0**-20, 1.0, 8.0])
    first = KNNSamplerImputer(n_neighbors=4, strategy="mean").fit_transform(holes)
    assert_allclose(KNNSamplerImputer(n_neighbors=4, strategy="mean").fit_transform(holes * factor), first * factor)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_refused_and_leaves_the_imputer(value, seed):
    holes, _ = _gaussian(seed)
    imputer = KNNSamplerImputer(random_state=0).fit(holes)
    before = imputer.transform(holes)
    broken = holes.copy()
    broken[0, 0] = value
    with pytest.raises(ValueError, match="infinity"):
        imputer.fit(broken)
    assert_array_equal(imputer.transform(holes), before)
    with pytest.raises(ValueError, match="infinity"):
        imputer.transform(broken)


@pytest.mark.parametrize(
    "parameters",
    [{"n_neighbors": 0}, {"n_neighbors": "best"}, {"strategy": "mode"}, {"donors": "one"}, {"n_rounds": -1}],
)
def test_wrong_parameters_are_named(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        KNNSamplerImputer(**parameters).fit([[1.0], [2.0]])


@pytest.mark.parametrize("method", ["transform", "sample", "predict_interval", "get_feature_names_out"])
def test_unfitted_imputer_says_so(method):
    with pytest.raises(NotFittedError):
        getattr(KNNSamplerImputer(), method)([[1.0]])


def test_imputer_works_in_a_pipeline_with_named_output(seed):
    holes, table = _gaussian(seed)
    frame = pd.DataFrame(holes, columns=list("abcde"))
    imputer = KNNSamplerImputer(add_indicator=True, random_state=0).set_output(transform="pandas")
    assert list(imputer.fit_transform(frame).columns[:6]) == ["a", "b", "c", "d", "e", "missingindicator_a"]
    make_pipeline(clone(imputer), LogisticRegression(max_iter=1000)).fit(frame, table[:, 0] > 0).predict(frame)


# Several imputations and intervals


def test_first_sample_is_the_transform(seed):
    holes, _ = _gaussian(seed)
    imputer = KNNSamplerImputer(random_state=seed).fit(holes)
    tables = imputer.sample(holes, 3)
    assert len(tables) == 3
    assert_array_equal(tables[0], imputer.transform(holes))
    assert (tables[1] != tables[2]).any()


@pytest.mark.parametrize("n_rounds", [0, 1])
def test_bootstrap_draws_from_fewer_rows(n_rounds, seed):
    holes, _ = _gaussian(seed, n_rows=60)
    imputer = KNNSamplerImputer(n_neighbors=2, n_rounds=n_rounds, random_state=seed).fit(holes)
    query = np.full((1500, 5), np.nan)
    query[:, 0] = 0.0
    plain, resampled = (
        np.unique(imputer.sample(query, 1, bootstrap=bootstrap)[0][:, 1]).size for bootstrap in (False, True)
    )
    assert np.isfinite(imputer.sample(holes, 4, bootstrap=True)).all()
    assert resampled <= plain + 2


def test_bootstrap_fills_a_column_whose_only_donor_was_not_drawn():
    table = np.array([[0.0, np.nan]] * 9 + [[0.0, 5.0]])
    for filled in KNNSamplerImputer(random_state=0).fit(table).sample(table, 8, bootstrap=True):
        assert_array_equal(filled[:, 1], 5.0)


def test_sampling_averages_is_refused(seed):
    holes, _ = _gaussian(seed)
    with pytest.raises(ValueError, match="strategy='mean'"):
        KNNSamplerImputer(strategy="mean").fit(holes).sample(holes)
    with pytest.raises(ValueError, match="n_imputations=0"):
        KNNSamplerImputer().fit(holes).sample(holes, 0)


def test_interval_holds_the_ranks_of_the_donors():
    table = np.column_stack([np.zeros(19), np.arange(1.0, 20.0)])
    interval = KNNSamplerImputer(n_neighbors=19).fit(table).predict_interval([[0.0, np.nan], [0.0, 4.5]], level=0.8)
    assert_allclose(interval.lower, [[0.0, 2.0], [0.0, 4.5]])
    assert_allclose(interval.upper, [[0.0, 18.0], [0.0, 4.5]])
    assert_allclose(interval.level, [[np.nan, 0.8], [np.nan, np.nan]])


def test_interval_of_few_donors_says_what_it_attains():
    table = np.column_stack([np.zeros(4), [1.0, 2.0, 3.0, 4.0]])
    interval = KNNSamplerImputer(n_neighbors=4).fit(table).predict_interval([[0.0, np.nan]], level=0.9)
    assert (interval.lower[0, 1], interval.upper[0, 1]) == (1.0, 4.0)
    assert interval.level[0, 1] == 0.6


@pytest.mark.parametrize("n_rounds", [0, 2])
@pytest.mark.parametrize("keep_empty_features", [False, True])
def test_interval_has_the_shape_of_the_output(n_rounds, keep_empty_features, seed):
    holes, _ = _gaussian(seed)
    holes[:, 3] = np.nan
    imputer = KNNSamplerImputer(n_rounds=n_rounds, keep_empty_features=keep_empty_features, random_state=seed)
    filled = imputer.fit_transform(holes)
    interval = imputer.predict_interval(holes)
    assert interval.lower.shape == filled.shape
    assert np.isnan(interval.level).sum() == filled.size - np.isnan(np.delete(holes, 3, axis=1)).sum()
    assert (interval.lower <= interval.upper).all()


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5])
def test_interval_level_outside_zero_and_one_is_refused(level):
    with pytest.raises(ValueError, match="level"):
        KNNSamplerImputer().fit([[1.0, 2.0], [2.0, 3.0]]).predict_interval([[1.0, np.nan]], level=level)


# Theory. The acceptance numbers are those of many data sets, so these run over seeds of their own.


def _energy_pvalue(first, second, random, n_permutations=199):
    points = np.vstack([first, second])
    distances = cdist(points, points)
    signs = np.repeat([1.0, -1.0], [len(first), len(second)])
    shuffled = np.array([signs, *(random.permutation(signs) for _ in range(n_permutations))])
    energy = -((shuffled @ distances) * shuffled).sum(axis=1)
    return np.mean(energy >= energy[0] * (1 - 1e-12))


def _ring_pvalues(draw):
    random = np.random.default_rng(draw)
    ring = _ring(random, 2000)
    missing = random.random(2000) < 0.3
    holes = ring.copy()
    holes[missing, 1] = np.nan
    ours = KNNSamplerImputer(random_state=draw).fit_transform(holes)
    mean = KNNImputer().fit_transform(holes)
    return [_energy_pvalue(filled[missing], ring[missing], random) for filled in (ours, mean)]


def test_ring_stays_a_ring_and_means_do_not(seed):
    ours, mean = _ring_pvalues(seed)
    assert ours > 0.001
    assert mean < 0.01


@pytest.mark.slow
def test_ring_stays_a_ring_in_nine_of_ten_tables():
    ours, mean = np.transpose([_ring_pvalues(draw) for draw in range(50)])
    assert np.sum(ours > 0.05) >= 45
    assert (mean < 0.01).all()


def _covered(make, draw, n_rows):
    random = np.random.default_rng(draw)
    table = make(random, n_rows)
    missing = random.random(n_rows) < 0.3
    holes = table.copy()
    holes[missing, 1] = np.nan
    interval = KNNSamplerImputer(random_state=draw).fit(holes).predict_interval(holes)
    truth = table[missing, 1]
    return (interval.lower[missing, 1] <= truth) & (truth <= interval.upper[missing, 1])


@pytest.mark.parametrize("make", [_ring, _line])
def test_interval_covers_most_missing_values(make, seed):
    covered = _covered(make, seed, 600)
    assert stats.binomtest(int(covered.sum()), covered.size, 0.9).pvalue > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("make", [_ring, _line])
def test_interval_coverage_is_the_level(make):
    covered = np.concatenate([_covered(make, draw, 2000) for draw in range(30)])
    assert 0.88 <= covered.mean() <= 0.92


@pytest.mark.slow
def test_spread_of_draws_is_the_columns_spread():
    random = np.random.default_rng(0)
    table = random.normal(size=(10_000, 20)) @ random.normal(size=(20, 20))
    holes = _holes(table, 0.2, random)
    missing = np.isnan(holes)
    filled = KNNSamplerImputer(random_state=0).fit_transform(holes)
    assert 0.9 <= filled[missing].std() / table[missing].std() <= 1.05


def test_spread_of_draws_exceeds_that_of_means(seed):
    holes, _ = _gaussian(seed, n_rows=500)
    missing = np.isnan(holes)
    draws, means = (
        KNNSamplerImputer(n_neighbors=10, strategy=strategy, random_state=seed).fit_transform(holes)[missing]
        for strategy in ("sample", "mean")
    )
    assert draws.std() > 1.1 * means.std()


def test_chained_rounds_keep_dependence_when_much_is_missing(seed):
    random = np.random.default_rng(seed)
    table = random.normal(size=(500, 1)) + 0.3 * random.normal(size=(500, 6))
    holes = _holes(table, 0.5, random)
    truth = np.corrcoef(table.T)
    errors = [
        np.abs(np.corrcoef(KNNSamplerImputer(n_rounds=n, random_state=seed).fit_transform(holes).T) - truth).mean()
        for n in (0, 3)
    ]
    assert errors[1] < errors[0]
