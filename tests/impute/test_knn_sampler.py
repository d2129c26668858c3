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

from skanomaly.impute import KNNSamplerImputer, LeaveOneOutNeighbors
from tests.reference import ranked_probability as reference


def _incomplete(table, rate, random):
    table = table.copy()
    table[random.random(table.shape) < rate] = np.nan
    return table


def _gaussian(seed, n_rows=200, n_columns=5, rate=0.2):
    random = np.random.default_rng(seed)
    table = random.normal(size=(n_rows, n_columns)) @ random.normal(size=(n_columns, n_columns))
    return _incomplete(table, rate, random), table


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
        {
            "n_neighbors": LeaveOneOutNeighbors(loss="mse"),
            "strategy": "median",
            "donors": "separate",
            "keep_empty_features": True,
        },
    ],
)
def test_imputer_passes_scikit_learns_checks(parameters):
    results = check_estimator(KNNSamplerImputer(random_state=0, **parameters), on_skip=None, on_fail=None)
    assert [result["check_name"] for result in results if result["status"] == "failed"] == []


# strategy="mean" is scikit-learn's KNNImputer.


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.7])
@pytest.mark.parametrize("n_neighbors", [1, 5, 500])
def test_mean_equals_knn_imputer(rate, n_neighbors, seed):
    incomplete, _ = _gaussian(seed, rate=rate)
    expected = KNNImputer(n_neighbors=n_neighbors).fit(incomplete[:150]).transform(incomplete)
    assert_allclose(
        _like_knn_imputer(n_neighbors=n_neighbors).fit(incomplete[:150]).transform(incomplete), expected, atol=1e-10
    )


@pytest.mark.parametrize("keep_empty_features", [False, True])
@pytest.mark.parametrize("add_indicator", [False, True])
def test_mean_equals_knn_imputer_with_missing_rows_and_columns(keep_empty_features, add_indicator, seed):
    incomplete, _ = _gaussian(seed)
    incomplete[[3, 50]] = np.nan
    incomplete[:150, 2] = np.nan  # empty in fit, not afterwards
    options = {"keep_empty_features": keep_empty_features, "add_indicator": add_indicator}
    other = KNNImputer(**options).fit(incomplete[:150])
    ours = _like_knn_imputer(**options).fit(incomplete[:150])
    assert_allclose(ours.transform(incomplete), other.transform(incomplete), atol=1e-10)
    # scikit-learn 1.9 forgets the kept column's name.
    names = [f"x{index}" for index in range(5) if keep_empty_features or index != 2]
    indicators = [f"missingindicator_x{index}" for index in range(5)] if add_indicator else []
    assert_array_equal(ours.get_feature_names_out(), names + indicators)


def test_mean_equals_knn_imputer_on_float32(seed):
    incomplete = _gaussian(seed)[0].astype(np.float32)
    imputed = _like_knn_imputer().fit_transform(incomplete)
    assert imputed.dtype == np.float32
    assert_allclose(imputed, KNNImputer().fit_transform(incomplete), rtol=1e-5, atol=1e-6)


def test_mean_equals_knn_imputer_without_common_columns():
    table = np.array([[1.0, np.nan, 2.0], [np.nan, 5.0, np.nan], [3.0, np.nan, np.nan], [np.nan, 7.0, 4.0]])
    assert_allclose(_like_knn_imputer().fit_transform(table), KNNImputer().fit_transform(table), atol=1e-12)


# Draws


def test_draws_are_values_of_the_column(seed):
    incomplete, _ = _gaussian(seed)
    imputed = KNNSamplerImputer(random_state=seed).fit_transform(incomplete)
    assert_array_equal(imputed[~np.isnan(incomplete)], incomplete[~np.isnan(incomplete)])
    for column in range(5):
        assert np.isin(imputed[:, column], incomplete[:, column]).all()


def test_joint_draws_come_from_one_row(seed):
    incomplete, _ = _gaussian(seed, rate=0.0)
    incomplete[:60, 1:4] = np.nan
    imputed = KNNSamplerImputer(n_neighbors=7, random_state=seed).fit_transform(incomplete)
    donors = {tuple(row) for row in incomplete[60:, 1:4]}
    assert all(tuple(row) in donors for row in imputed[:60, 1:4])


def test_separate_draws_come_from_many_rows(seed):
    incomplete, _ = _gaussian(seed, rate=0.0)
    incomplete[:60, 1:4] = np.nan
    imputed = KNNSamplerImputer(n_neighbors=7, donors="separate", random_state=seed).fit_transform(incomplete)
    donors = {tuple(row) for row in incomplete[60:, 1:4]}
    assert not all(tuple(row) in donors for row in imputed[:60, 1:4])


def test_joint_draws_use_separate_donors_where_too_few_have_all(seed):
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


def test_row_without_values_becomes_a_complete_row(seed):
    incomplete, _ = _gaussian(seed)
    imputed = KNNSamplerImputer(random_state=seed).fit(incomplete).transform(np.full((40, 5), np.nan))
    complete = {tuple(row) for row in incomplete[~np.isnan(incomplete).any(axis=1)]}
    assert all(tuple(row) in complete for row in imputed)
    assert len(np.unique(imputed, axis=0)) > 10


@pytest.mark.parametrize("donors", ["joint", "separate"])
@pytest.mark.parametrize("n_rounds", [0, 2])
def test_draws_do_not_depend_on_the_batch(donors, n_rounds, seed):
    incomplete, _ = _gaussian(seed, n_rows=90)
    imputer = KNNSamplerImputer(donors=donors, n_rounds=n_rounds, random_state=seed).fit(incomplete)
    whole = imputer.transform(incomplete)
    order = np.random.default_rng(seed).permutation(len(incomplete))
    assert_array_equal(imputer.transform(incomplete[order]), whole[order])
    assert_array_equal(np.vstack([imputer.transform(row[None]) for row in incomplete[::9]]), whole[::9])


def test_copies_of_a_row_have_different_draws(seed):
    incomplete, _ = _gaussian(seed)
    query = np.tile([[0.0, np.nan, 0.0, 0.0, 0.0]], (400, 1))
    imputer = KNNSamplerImputer(n_neighbors=8, random_state=seed).fit(incomplete)
    _, counts = np.unique(imputer.transform(query)[:, 1], return_counts=True)
    assert len(counts) == 8
    assert stats.chisquare(counts).pvalue > 1e-5


@pytest.mark.parametrize("strategy", ["sample", "mean", "median"])
def test_result_does_not_depend_on_n_jobs(strategy, seed):
    incomplete, _ = _gaussian(seed, n_rows=400)
    one, two = (KNNSamplerImputer(strategy=strategy, n_rounds=1, random_state=seed, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert_array_equal(one.fit_transform(incomplete), two.fit_transform(incomplete))
    assert_array_equal(one.n_neighbors_, two.n_neighbors_)


def test_random_state_seeds_the_draws(seed):
    incomplete, _ = _gaussian(seed)
    first, again, other = (
        KNNSamplerImputer(random_state=state).fit_transform(incomplete) for state in (seed, seed, 1000)
    )
    assert_array_equal(first, again)
    assert (first != other).any()


def test_transform_is_deterministic_also_after_pickling(seed):
    incomplete, _ = _gaussian(seed)
    imputer = KNNSamplerImputer().fit(incomplete)
    expected = imputer.transform(incomplete)
    assert_array_equal(imputer.transform(incomplete), expected)
    assert_array_equal(pickle.loads(pickle.dumps(imputer)).transform(incomplete), expected)  # noqa: S301  # our own bytes


def test_threads_can_use_the_same_imputer(seed):
    incomplete, _ = _gaussian(seed)
    imputer = KNNSamplerImputer(n_jobs=2, random_state=seed).fit(incomplete)
    expected = imputer.transform(incomplete)
    with ThreadPoolExecutor(4) as pool:
        for imputed in pool.map(lambda _: imputer.transform(incomplete), range(8)):
            assert_array_equal(imputed, expected)


def test_integers_and_column_major_order_give_equal_results(seed):
    table = np.random.default_rng(seed).integers(0, 200, size=(80, 3), dtype=np.uint8)
    incomplete = _gaussian(seed, n_rows=20, n_columns=3)[0] * 50 + 100
    expected = KNNSamplerImputer(random_state=0).fit(table.astype(float)).transform(incomplete)
    assert_array_equal(KNNSamplerImputer(random_state=0).fit(table).transform(np.asfortranarray(incomplete)), expected)


def test_input_is_not_changed(seed):
    incomplete, _ = _gaussian(seed)
    before = incomplete.copy()
    incomplete.flags.writeable = False
    KNNSamplerImputer(n_rounds=1).fit_transform(incomplete)
    assert_array_equal(incomplete, before)


def test_complete_table_is_not_changed(seed):
    _, table = _gaussian(seed)
    assert_array_equal(KNNSamplerImputer().fit_transform(table), table)


# Choice of the number of neighbours


@pytest.mark.parametrize("n_columns", [1, 3])
def test_loo_mse_equals_the_brute_force_choice(n_columns, seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(120, n_columns))
    y = np.sin(2 * x).sum(axis=1) + 0.5 * random.normal(size=120)
    table = np.column_stack([x, y])
    imputer = KNNSamplerImputer(n_neighbors=LeaveOneOutNeighbors(loss="mse", max_neighbors=40), scale=False).fit(table)
    assert imputer.n_neighbors_[-1] == 1 + reference.leave_one_out_errors(x, y, 40).argmin()


def test_loo_crps_equals_the_brute_force_choice(seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=(60, 2))
    y = x[:, 0] * random.normal(size=60)
    table = np.column_stack([x, y])
    imputer = KNNSamplerImputer(n_neighbors=LeaveOneOutNeighbors(max_neighbors=25), scale=False).fit(table)
    assert imputer.n_neighbors_[-1] == 1 + reference.leave_one_out_scores(x, y, 25).argmin()


def test_number_of_neighbors_uses_a_sample_of_many_rows(monkeypatch, seed):
    from skanomaly.impute import _selection

    monkeypatch.setattr(_selection, "_OPERATIONS", 1.0)
    monkeypatch.setattr(_selection, "_FEWEST_ROWS", 50)
    random = np.random.default_rng(seed)
    table = random.normal(size=(300, 1)) + np.column_stack([np.zeros(300), 0.1 * random.normal(size=300)])
    assert (KNNSamplerImputer(random_state=seed).fit(table).n_neighbors_ < 60).all()


@pytest.mark.parametrize("loss", ["crps", "mse"])
def test_more_neighbors_are_chosen_for_unrelated_columns(loss, seed):
    random = np.random.default_rng(seed)
    x = random.uniform(size=600)
    table = np.column_stack([x, np.sin(20 * x), random.normal(size=600)])
    search = LeaveOneOutNeighbors(loss=loss)
    chosen = KNNSamplerImputer(n_neighbors=search).fit(table[:, :2]).n_neighbors_[1]
    assert chosen < 10 < KNNSamplerImputer(n_neighbors=search).fit(table[:, ::2]).n_neighbors_[1]


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
def test_small_tables_are_imputed(table, strategy, donors):
    imputer = KNNSamplerImputer(strategy=strategy, donors=donors, random_state=0)
    table = np.asarray(table)
    imputed = imputer.fit_transform(table)
    kept = ~np.isnan(table).all(axis=0)
    assert np.isfinite(imputed).all()
    assert imputed.shape == (len(table), kept.sum())
    assert_array_equal(imputer.n_neighbors_ > 0, kept)


def test_columns_without_values_are_dropped():
    assert KNNSamplerImputer().fit_transform(np.full((4, 3), np.nan)).shape == (4, 0)
    assert_array_equal(KNNSamplerImputer(keep_empty_features=True).fit_transform(np.full((4, 3), np.nan)), 0.0)


def test_all_donors_are_used_if_fewer_than_neighbors():
    table = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 6.0], [0.5, np.nan]])
    imputer = KNNSamplerImputer(n_neighbors=50, strategy="mean").fit(table)
    assert imputer.transform(table)[3, 1] == 3.0
    assert_array_equal(imputer.n_neighbors_, [4, 3])


@pytest.mark.parametrize(("values", "median"), [([1.0, 9.0, 2.0], 2.0), ([1.0, 9.0, 2.0, 4.0], 3.0)])
def test_median_of_the_donors_is_imputed(values, median):
    table = np.column_stack([np.zeros(len(values)), values])
    imputer = KNNSamplerImputer(n_neighbors=10, strategy="median").fit(table)
    assert imputer.transform([[0.0, np.nan]])[0, 1] == median


def test_units_do_not_matter_with_scale(seed):
    incomplete, _ = _gaussian(seed)
    factor = np.array([1.0, 1024.0, 2.0**-20, 1.0, 8.0])
    first = KNNSamplerImputer(n_neighbors=4, strategy="mean").fit_transform(incomplete)
    assert_allclose(
        KNNSamplerImputer(n_neighbors=4, strategy="mean").fit_transform(incomplete * factor), first * factor
    )


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_raises_and_the_imputer_is_unchanged(value, seed):
    incomplete, _ = _gaussian(seed)
    imputer = KNNSamplerImputer(random_state=0).fit(incomplete)
    before = imputer.transform(incomplete)
    broken = incomplete.copy()
    broken[0, 0] = value
    with pytest.raises(ValueError, match="infinity"):
        imputer.fit(broken)
    assert_array_equal(imputer.transform(incomplete), before)
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
def test_unfitted_imputer_raises(method):
    with pytest.raises(NotFittedError):
        getattr(KNNSamplerImputer(), method)([[1.0]])


def test_imputer_works_in_a_pipeline_with_frame_output(seed):
    incomplete, table = _gaussian(seed)
    frame = pd.DataFrame(incomplete, columns=list("abcde"))
    imputer = KNNSamplerImputer(add_indicator=True, random_state=0).set_output(transform="pandas")
    assert list(imputer.fit_transform(frame).columns[:6]) == ["a", "b", "c", "d", "e", "missingindicator_a"]
    make_pipeline(clone(imputer), LogisticRegression(max_iter=1000)).fit(frame, table[:, 0] > 0).predict(frame)


# Several imputations and intervals


def test_first_sample_equals_the_result_of_transform(seed):
    incomplete, _ = _gaussian(seed)
    imputer = KNNSamplerImputer(random_state=seed).fit(incomplete)
    tables = imputer.sample(incomplete, 3)
    assert len(tables) == 3
    assert_array_equal(tables[0], imputer.transform(incomplete))
    assert (tables[1] != tables[2]).any()


@pytest.mark.parametrize("n_rounds", [0, 1])
def test_bootstrap_draws_from_fewer_rows(n_rounds, seed):
    incomplete, _ = _gaussian(seed, n_rows=60)
    imputer = KNNSamplerImputer(n_neighbors=2, n_rounds=n_rounds, random_state=seed).fit(incomplete)
    query = np.full((1500, 5), np.nan)
    query[:, 0] = 0.0
    plain, resampled = (
        np.unique(imputer.sample(query, 1, bootstrap=bootstrap)[0][:, 1]).size for bootstrap in (False, True)
    )
    assert np.isfinite(imputer.sample(incomplete, 4, bootstrap=True)).all()
    assert resampled <= plain + 2


def test_bootstrap_imputes_a_column_whose_only_donor_was_not_drawn():
    table = np.array([[0.0, np.nan]] * 9 + [[0.0, 5.0]])
    for imputed in KNNSamplerImputer(random_state=0).fit(table).sample(table, 8, bootstrap=True):
        assert_array_equal(imputed[:, 1], 5.0)


def test_sample_raises_for_averages(seed):
    incomplete, _ = _gaussian(seed)
    with pytest.raises(ValueError, match="strategy='mean'"):
        KNNSamplerImputer(strategy="mean").fit(incomplete).sample(incomplete)
    with pytest.raises(ValueError, match="n_imputations=0"):
        KNNSamplerImputer().fit(incomplete).sample(incomplete, 0)


def test_interval_ends_are_order_statistics_of_the_donors():
    table = np.column_stack([np.zeros(19), np.arange(1.0, 20.0)])
    interval = KNNSamplerImputer(n_neighbors=19).fit(table).predict_interval([[0.0, np.nan], [0.0, 4.5]], level=0.8)
    assert_allclose(interval.lower, [[0.0, 2.0], [0.0, 4.5]])
    assert_allclose(interval.upper, [[0.0, 18.0], [0.0, 4.5]])
    assert_allclose(interval.level, [[np.nan, 0.8], [np.nan, np.nan]])


def test_interval_of_few_donors_has_a_lower_level():
    table = np.column_stack([np.zeros(4), [1.0, 2.0, 3.0, 4.0]])
    interval = KNNSamplerImputer(n_neighbors=4).fit(table).predict_interval([[0.0, np.nan]], level=0.9)
    assert (interval.lower[0, 1], interval.upper[0, 1]) == (1.0, 4.0)
    assert interval.level[0, 1] == 0.6


@pytest.mark.parametrize("n_rounds", [0, 2])
@pytest.mark.parametrize("keep_empty_features", [False, True])
def test_interval_has_the_shape_of_the_output(n_rounds, keep_empty_features, seed):
    incomplete, _ = _gaussian(seed)
    incomplete[:, 3] = np.nan
    imputer = KNNSamplerImputer(n_rounds=n_rounds, keep_empty_features=keep_empty_features, random_state=seed)
    imputed = imputer.fit_transform(incomplete)
    interval = imputer.predict_interval(incomplete)
    assert interval.lower.shape == imputed.shape
    assert np.isnan(interval.level).sum() == imputed.size - np.isnan(np.delete(incomplete, 3, axis=1)).sum()
    assert (interval.lower <= interval.upper).all()


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5])
def test_interval_level_outside_zero_and_one_raises(level):
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
    incomplete = ring.copy()
    incomplete[missing, 1] = np.nan
    ours = KNNSamplerImputer(random_state=draw).fit_transform(incomplete)
    mean = KNNImputer().fit_transform(incomplete)
    return [_energy_pvalue(imputed[missing], ring[missing], random) for imputed in (ours, mean)]


def test_draws_preserve_a_ring_and_means_do_not(seed):
    ours, mean = _ring_pvalues(seed)
    assert ours > 0.001
    assert mean < 0.01


@pytest.mark.slow
def test_draws_preserve_a_ring_in_nine_of_ten_tables():
    ours, mean = np.transpose([_ring_pvalues(draw) for draw in range(50)])
    assert np.sum(ours > 0.05) >= 45
    assert (mean < 0.01).all()


def _covered(make, draw, n_rows):
    random = np.random.default_rng(draw)
    table = make(random, n_rows)
    missing = random.random(n_rows) < 0.3
    incomplete = table.copy()
    incomplete[missing, 1] = np.nan
    interval = KNNSamplerImputer(random_state=draw).fit(incomplete).predict_interval(incomplete)
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
def test_std_of_draws_equals_that_of_the_column():
    random = np.random.default_rng(0)
    table = random.normal(size=(10_000, 20)) @ random.normal(size=(20, 20))
    incomplete = _incomplete(table, 0.2, random)
    missing = np.isnan(incomplete)
    imputed = KNNSamplerImputer(random_state=0).fit_transform(incomplete)
    assert 0.9 <= imputed[missing].std() / table[missing].std() <= 1.05


def test_std_of_draws_exceeds_that_of_means(seed):
    incomplete, _ = _gaussian(seed, n_rows=500)
    missing = np.isnan(incomplete)
    draws, means = (
        KNNSamplerImputer(n_neighbors=10, strategy=strategy, random_state=seed).fit_transform(incomplete)[missing]
        for strategy in ("sample", "mean")
    )
    assert draws.std() > 1.1 * means.std()


def test_chained_rounds_preserve_correlation_if_much_is_missing(seed):
    random = np.random.default_rng(seed)
    table = random.normal(size=(500, 1)) + 0.3 * random.normal(size=(500, 6))
    incomplete = _incomplete(table, 0.5, random)
    truth = np.corrcoef(table.T)
    errors = [
        np.abs(np.corrcoef(KNNSamplerImputer(n_rounds=n, random_state=seed).fit_transform(incomplete).T) - truth).mean()
        for n in (0, 3)
    ]
    assert errors[1] < errors[0]
