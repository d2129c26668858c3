import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, stats
from sklearn import config_context
from sklearn.neighbors import kneighbors_graph
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.audit import KNNDriftTest
from skanomaly.audit._graph import given_graph
from skanomaly.audit._layout import lay_out
from skanomaly.audit._statistics import Distance, MeanGap, SameGroup, Scales
from tests.reference import permutation_moments as reference


def independent(kind, n, rng):
    """Rows without any dependence."""
    if kind == "continuous":
        return rng.normal(size=(n, 2))
    if kind == "five values":
        return rng.integers(0, 5, (n, 1)).astype(float)
    return rng.integers(0, 2, (n, 6)).astype(float)


def autoregressive(n, share, rng):
    """Two features that each remember the given share of their last value."""
    walk = rng.normal(size=(n + 100, 2))
    for row in range(1, n + 100):
        walk[row] += share * walk[row - 1]
    return walk[100:]


def toy(kind, n, rng):
    """The four examples of the paper: a mixture as it is, shifted, widened, and a walk of order three."""
    if kind == "walk":
        walk = np.zeros((n + 50, 2))
        for row in range(3, n + 50):
            walk[row] = 0.5 * walk[row - 1] + 0.4 * walk[row - 2] - 0.9 * walk[row - 3] + rng.normal(size=2)
        return walk[50:]
    means, widths = rng.uniform(0, 10, (10, 2)), rng.uniform(0, 1, (10, 2))
    part = rng.integers(0, 10, n)
    noise = rng.normal(size=(n, 2))
    if kind == "widened":
        noise[n // 2 :] *= 2.5
    rows = means[part] + noise * widths[part]
    return rows + 2 * np.arange(n)[:, None] / n if kind == "shifted" else rows


def rejections(make, n_runs, level, seed, **options):
    """Count the runs whose p-value is at most the level."""
    count = 0
    for run in range(n_runs):
        rng = np.random.default_rng([seed, run])
        count += KNNDriftTest(random_state=run, **options).fit(make(rng)).pvalue_ <= level
    return count


def at_most(share, n_runs):
    """Return the number of runs that a true share exceeds with probability 1e-4."""
    return stats.binom.isf(1e-4, n_runs, share)


def at_least(share, n_runs):
    return stats.binom.ppf(1e-4, n_runs, share)


def small_case(rng, n, strata):
    counts = rng.integers(1, 4, n)
    owners = np.repeat(np.arange(n), counts)
    others = np.concatenate(
        [rng.choice(np.delete(np.arange(n), row), count, replace=False) for row, count in enumerate(counts)]
    )
    graph = sparse.csr_array((np.ones(owners.size), (owners, others)), shape=(n, n))
    labels = rng.integers(0, 2, n) if strata else np.zeros(n)
    layout = lay_out(n, times=np.round(rng.random(n), 1), strata=labels, rng=rng)
    pairs = reference.merged_weights([(int(a), int(b), 1.0) for a, b in zip(owners, others, strict=True)], labels)
    place = np.empty(n, dtype=int)
    place[layout.rows] = np.arange(n)
    pairs = {(place[a], place[b]): weight for (a, b), weight in pairs.items()}
    return layout, given_graph(graph, layout), pairs


@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("n", [4, 6, 7])
@pytest.mark.parametrize("name", ["scales", "gap", "group"])
def test_moments_equal_enumeration(seed, n, strata, name):
    rng = np.random.default_rng([seed, n])
    layout, graph, pairs = small_case(rng, n, strata)
    line = layout.coordinates
    gaps = np.abs(line[:, None] - line)
    if name == "scales":
        statistic = Scales(layout, graph, np.array([0.0, 0.2, 0.45]))
        kernels = [(gaps <= threshold).astype(float) for threshold in statistic.thresholds]
    elif name == "gap":
        statistic, kernels = MeanGap(layout, graph), [gaps]
    else:
        groups = rng.integers(0, 3, n).astype(np.intp)
        statistic, kernels = SameGroup(layout, graph, groups), [(groups[:, None] == groups).astype(float)]
    mean, covariance = reference.enumerated_moments(pairs, layout.blocks, kernels)
    assert_allclose(statistic.mean, mean, rtol=1e-12, atol=1e-12)
    assert_allclose(statistic.covariance, covariance, rtol=1e-12, atol=1e-11)
    totals = [sum(weight * kernel[a, b] for (a, b), weight in pairs.items()) for kernel in kernels]
    assert_allclose(statistic.totals, totals, rtol=1e-12, atol=1e-12)


def test_distance_equals_definition(seed):
    rows = np.random.default_rng(seed).normal(size=(60, 2))
    graph = kneighbors_graph(rows, 4)
    layout = lay_out(60, rng=np.random.default_rng(0))
    found = Distance(layout, given_graph(graph, layout)).observed_exactly()
    owners = np.repeat(np.arange(60), 4)
    assert found == pytest.approx(reference.distance(np.abs(owners - graph.indices), np.ones(240), 59), abs=1e-12)


@pytest.mark.parametrize("statistic", ["multiscale", "ks", "mean_gap"])
def test_permutation_pvalue_has_its_form(seed, statistic):
    rows = np.random.default_rng(seed).normal(size=(50, 2))
    test = KNNDriftTest(statistic=statistic, null="permutation", n_permutations=99, random_state=seed).fit(rows)
    if test.n_permutations_ == 99 and test.pvalue_ * 100 <= 20:
        assert (test.pvalue_ * 100) == pytest.approx(round(test.pvalue_ * 100))
    else:
        assert test.pvalue_ == 20 / test.n_permutations_
    assert 0 < test.pvalue_ <= 1


@pytest.mark.parametrize("statistic", ["multiscale", "ks", "mean_gap"])
def test_strong_drift_has_the_least_permutation_pvalue(statistic):
    rows = np.arange(200.0)[:, None]
    test = KNNDriftTest(statistic=statistic, null="permutation", n_permutations=199, random_state=0).fit(rows)
    assert test.pvalue_ == 1 / 200
    assert test.change_pvalue_ == 1 / 200


@pytest.mark.parametrize("statistic", ["multiscale", "ks", "mean_gap"])
def test_moments_pvalue_is_never_zero(statistic):
    test = KNNDriftTest(statistic=statistic, random_state=0).fit(np.arange(5000.0)[:, None])
    assert 0 < test.pvalue_ < 1e-6
    assert test.change_pvalue_ > 0
    assert (test.sample_pvalues_ > 0).all()


@pytest.mark.parametrize("null", ["asymptotic", "permutation"])
def test_moments_and_permutations_agree(seed, null):
    rng = np.random.default_rng(seed)
    layout = lay_out(300, rng=rng)
    graph = given_graph(kneighbors_graph(rng.normal(size=(300, 2)), 10), layout)
    scales = Scales(layout, graph, np.array([1.0, 10.0, 60.0, 150.0]))
    draws = np.concatenate([scales.draw(np.random.default_rng([seed, part]), 500) for part in range(2)])
    normal = np.random.default_rng(seed).multivariate_normal(
        np.zeros(4), scales.covariance / np.outer(scales.deviations, scales.deviations), 4000
    )
    assert stats.ks_2samp(draws, np.abs(normal).max(axis=1)).pvalue > 1e-5


def test_relabelled_rows_with_their_order_change_nothing(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 4, (200, 2)).astype(float)
    mixed = rng.permutation(200)
    first = KNNDriftTest(random_state=seed).fit(rows)
    second = KNNDriftTest(random_state=seed).fit(rows[mixed], order=mixed)
    assert second.pvalue_ == first.pvalue_
    assert_array_equal(second.z_scales_, first.z_scales_)
    assert_array_equal(second.sample_pvalues_, first.sample_pvalues_[mixed])
    assert_array_equal(mixed[second.order_], first.order_)


def test_reversed_order_has_the_same_pvalue(seed):
    rows = np.random.default_rng(seed).normal(size=(300, 2))
    first = KNNDriftTest(random_state=0).fit(rows)
    second = KNNDriftTest(random_state=0).fit(rows, order=-np.arange(300))
    assert_allclose(second.z_scales_, first.z_scales_, rtol=1e-9, atol=1e-12)
    assert second.pvalue_ == first.pvalue_


@pytest.mark.parametrize("null", ["asymptotic", "permutation"])
def test_n_jobs_changes_nothing(null):
    rows = np.random.default_rng(0).normal(size=(800, 3))
    one, two = (KNNDriftTest(null=null, n_jobs=jobs, random_state=0).fit(rows) for jobs in (1, 2))
    assert one.pvalue_ == two.pvalue_
    assert one.change_pvalue_ == two.change_pvalue_
    assert_array_equal(one.sample_scores_, two.sample_scores_)


@pytest.mark.parametrize("ties", ["random", "all"])
@pytest.mark.parametrize("null", ["asymptotic", "permutation"])
@pytest.mark.parametrize("metric", ["standardized", "euclidean", "cosine", "gower"])
def test_equal_rows_have_pvalue_one(ties, null, metric):
    test = KNNDriftTest(ties=ties, null=null, metric=metric, random_state=0).fit(np.full((40, 2), 3.0))
    assert test.pvalue_ == test.change_pvalue_ == 1.0
    assert np.isfinite(test.score_samples(np.full((2, 2), 3.0))).all()


@pytest.mark.parametrize("n_neighbors", [20, 50])
def test_too_many_neighbors_raise(n_neighbors):
    with pytest.raises(ValueError, match=f"n_neighbors={n_neighbors} needs at least {n_neighbors + 1} rows"):
        KNNDriftTest(n_neighbors=n_neighbors).fit(np.random.default_rng(0).normal(size=(20, 2)))


def test_all_other_rows_as_neighbors_have_pvalue_one():
    test = KNNDriftTest(n_neighbors=19).fit(np.random.default_rng(0).normal(size=(20, 2)))
    assert test.pvalue_ == 1.0


@pytest.mark.parametrize("null", ["asymptotic", "permutation"])
@pytest.mark.parametrize("groups", [np.zeros(50), np.arange(50)], ids=["one", "all alone"])
def test_groups_that_cannot_differ_have_pvalue_one(null, groups):
    rows = np.random.default_rng(0).normal(size=(50, 2))
    test = KNNDriftTest(statistic="same_group", null=null).fit(rows, groups=groups)
    assert test.pvalue_ == 1.0
    assert test.statistic_ == 0.0


def test_groups_apart_are_found(seed):
    rng = np.random.default_rng(seed)
    groups = np.array(["a", "b", "c"])[rng.integers(0, 3, 300)]
    rows = rng.normal(size=(300, 2))
    rows[groups == "c"] += 2
    test = KNNDriftTest(statistic="same_group", random_state=seed).fit(rows, groups=groups)
    assert test.statistic_ > 0
    assert test.pvalue_ < 1e-6


@pytest.mark.parametrize("options", [{"statistic": "same_group"}, {"statistic": "ks", "groups": [0] * 30}])
def test_groups_belong_to_their_statistic(options):
    groups = options.pop("groups", None)
    with pytest.raises(ValueError, match="belong together"):
        KNNDriftTest(**options).fit(np.arange(30.0)[:, None], groups=groups)


@pytest.mark.parametrize("name", ["times", "order"])
@pytest.mark.parametrize(
    "missing",
    [np.nan, np.datetime64("NaT"), None],
    ids=["NaN", "NaT", "None"],
)
def test_missing_time_raises(name, missing):
    times = pd.Series(np.datetime64("2026-01-01") + np.arange(30)).to_numpy().astype(object)
    if isinstance(missing, float):
        times = np.arange(30.0)
    times[4] = missing
    if missing is not None and not isinstance(missing, float):
        times = np.array(times, dtype="datetime64[ns]")
    with pytest.raises(ValueError, match=f"{name} (is NaN|holds)"):
        KNNDriftTest().fit(np.arange(30.0)[:, None], **{name: times})


@pytest.mark.parametrize("name", ["groups", "strata"])
def test_missing_label_raises(name):
    labels = ["a", None] * 15
    statistic = "same_group" if name == "groups" else "ks"
    with pytest.raises(ValueError, match=f"{name} is missing in 15 rows"):
        KNNDriftTest(statistic=statistic).fit(np.arange(30.0)[:, None], **{name: labels})


@pytest.mark.parametrize("name", ["times", "order", "strata", "groups"])
@pytest.mark.parametrize(
    "value",
    ["age", 3, pd.Timestamp("2026-01-01"), np.float64(2.0), np.zeros((30, 2)), [[1, 2], [3]], {"age": 1}],
    ids=["name", "number", "date", "scalar", "table", "ragged", "dict"],
)
def test_metadata_that_is_no_column_raises(name, value):
    statistic = "same_group" if name == "groups" else "ks"
    with pytest.raises(ValueError, match=rf"^{name}[= ].*for example {name}=X\['age'\]"):
        KNNDriftTest(statistic=statistic).fit(np.arange(30.0)[:, None], **{name: value})


@pytest.mark.parametrize("name", ["times", "order", "strata", "groups"])
def test_metadata_of_other_length_is_named(name):
    statistic = "same_group" if name == "groups" else "ks"
    with pytest.raises(ValueError, match=f"^{name} has 29 (values|labels) and X has 30 rows"):
        KNNDriftTest(statistic=statistic).fit(np.arange(30.0)[:, None], **{name: np.arange(29)})


def test_order_and_times_exclude_each_other():
    with pytest.raises(ValueError, match="order and times"):
        KNNDriftTest().fit(np.arange(30.0)[:, None], order=np.arange(30), times=np.arange(30))


@pytest.mark.parametrize("statistic", ["multiscale", "ks", "mean_gap"])
def test_unsorted_and_repeated_times(seed, statistic):
    rng = np.random.default_rng(seed)
    days = np.repeat(np.arange(20), 10)
    rows = rng.normal(size=(200, 2)) + days[:, None] / 5
    dates = np.datetime64("2026-03-01") + days
    mixed = rng.permutation(200)
    plain = KNNDriftTest(statistic=statistic, random_state=0).fit(rows, times=days)
    assert plain.pvalue_ < 1e-3
    shuffled = KNNDriftTest(statistic=statistic, random_state=0).fit(rows[mixed], times=dates[mixed])
    assert shuffled.pvalue_ < 1e-3
    # No cut between equal times.
    assert np.isnan(plain.change_scores_.reshape(-1)[:9]).all()
    assert np.isfinite(plain.change_scores_[9::10]).all()


def test_equal_times_have_pvalue_one():
    rows = np.random.default_rng(0).normal(size=(40, 2))
    test = KNNDriftTest(random_state=0).fit(rows, times=np.zeros(40))
    assert test.pvalue_ == test.change_pvalue_ == 1.0
    assert test.change_point_ == -1
    assert test.scales_.size == 0


@pytest.mark.parametrize("unit", [1.0, 1e-3, 3.6e12])
def test_unit_of_time_does_not_matter(unit):
    rng = np.random.default_rng(0)
    times = np.sort(rng.exponential(size=200).cumsum())
    rows = rng.normal(size=(200, 2))
    first = KNNDriftTest(random_state=0).fit(rows, times=times)
    second = KNNDriftTest(random_state=0).fit(rows, times=unit * times)
    assert_allclose(second.z_scales_, first.z_scales_, atol=0.2)


def test_strata_hide_differences_between_them(seed):
    rng = np.random.default_rng(seed)
    strata = np.repeat([0, 1], 150)
    rows = rng.normal(size=(300, 2)) + 8 * strata[:, None]
    assert KNNDriftTest(random_state=0).fit(rows).pvalue_ < 1e-6
    assert KNNDriftTest(random_state=0).fit(rows, strata=strata).pvalue_ > 1e-4


def test_strata_of_one_row_count_for_nothing(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(120, 2))
    alone = np.concatenate([np.zeros(100), np.arange(1, 21)])
    with_them = KNNDriftTest(random_state=0).fit(rows, strata=alone)
    assert with_them.expected_totals_[-1] > 0
    assert (with_them.sample_pvalues_[100:] == 1.0).all()
    nothing = KNNDriftTest(random_state=0).fit(rows, strata=np.arange(120))
    assert nothing.pvalue_ == nothing.change_pvalue_ == 1.0


def test_precomputed_graph_is_the_same_test():
    rows = np.random.default_rng(0).normal(size=(300, 3))
    graph = kneighbors_graph(rows, 10, mode="distance")
    order = np.random.default_rng(1).permutation(300)
    plain = KNNDriftTest(metric="euclidean", random_state=0).fit(rows, order=order)
    given = KNNDriftTest(metric="precomputed", random_state=0).fit(graph, order=order)
    assert_allclose(given.z_scales_, plain.z_scales_)
    assert_array_equal(given.change_scores_, plain.change_scores_)
    assert_allclose(given.sample_pvalues_, plain.sample_pvalues_)
    queries = kneighbors_graph(rows, 11, mode="distance", include_self=True)
    assert_allclose(given.score_samples(queries), plain.sample_scores_)


@pytest.mark.parametrize(
    ("graph", "words"),
    [(np.eye(30), "sparse neighbour graph"), (sparse.csr_array(np.ones((30, 20))), "as many columns as rows")],
)
def test_precomputed_refuses_what_is_no_graph(graph, words):
    with pytest.raises(ValueError, match=words):
        KNNDriftTest(metric="precomputed").fit(graph)


def test_fitted_rows_score_as_in_fit(seed):
    rows = np.random.default_rng(seed).normal(size=(250, 3))
    test = KNNDriftTest(random_state=seed).fit(rows)
    assert_allclose(test.score_samples(rows), test.sample_scores_, atol=1e-12)


def test_row_pvalues_are_valid(seed):
    rows = np.random.default_rng(seed).normal(size=(2000, 3))
    pvalues = KNNDriftTest(random_state=seed).fit(rows).sample_pvalues_
    # Rows share neighbours: a bound with a wide margin rather than a binomial one.
    assert np.mean(pvalues <= 0.05) < 0.08
    assert np.mean(pvalues <= 0.001) < 0.005


def test_block_of_foreign_rows_is_flagged(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(600, 2))
    rows[300:340] += 4
    labels = KNNDriftTest(random_state=seed).fit(rows).predict(rows)
    assert np.mean(labels[300:340] == -1) > 0.8
    assert np.mean(np.delete(labels, np.arange(300, 340)) == -1) < 0.05


@pytest.mark.parametrize("ties", ["random", "all"])
def test_queries_are_a_part_of_the_rows(ties):
    rows = np.random.default_rng(0).normal(size=(1000, 2))
    rows[500:] += 1
    test = KNNDriftTest(n_queries=200, ties=ties, random_state=0).fit(rows)
    assert test.pvalue_ < 1e-6
    assert (test.sample_pvalues_ == 1.0).sum() >= 800


def test_mixed_frame_with_missing_values(seed):
    rng = np.random.default_rng(seed)
    n = 300
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "colour": pd.Categorical(rng.choice(["red", "green", "blue"], n)),
            "name": rng.choice(["a", "b"], n),
            "flag": rng.random(n) < 0.5,
        }
    )
    frame.loc[rng.random(n) < 0.2, "size"] = np.nan
    frame.loc[rng.random(n) < 0.2, "name"] = None
    test = KNNDriftTest(metric="gower", random_state=seed).fit(frame)
    assert test.pvalue_ > 1e-4
    assert list(test.feature_names_in_) == list(frame.columns)
    assert test.transform(frame) is frame
    drifted = frame.copy()
    drifted.loc[150:, "colour"] = "red"
    assert KNNDriftTest(metric="gower", random_state=seed).fit(drifted).pvalue_ < 1e-3
    unseen = frame.head(3).assign(colour="violet")
    assert np.isfinite(test.score_samples(unseen)).all()


def test_polars_frame_of_mixed_columns():
    polars = pytest.importorskip("polars")
    rng = np.random.default_rng(0)
    columns = {"size": rng.normal(size=60), "name": rng.choice(["a", "b"], 60).tolist()}
    first = KNNDriftTest(metric="gower", random_state=0).fit(polars.DataFrame(columns))
    assert first.pvalue_ == KNNDriftTest(metric="gower", random_state=0).fit(pd.DataFrame(columns)).pvalue_


def test_list_in_a_cell_is_named():
    frame = pd.DataFrame({"size": np.arange(30.0), "tags": [["a", "b"]] * 30})
    with pytest.raises(ValueError, match=r"Column 'tags' holds a list: \['a', 'b'\].*astype\(str\)"):
        KNNDriftTest(metric="gower").fit(frame)


def test_list_in_a_new_cell_is_named():
    frame = pd.DataFrame({"size": np.arange(30.0), "tags": ["a", "b"] * 15})
    test = KNNDriftTest(metric="gower", random_state=0).fit(frame)
    with pytest.raises(ValueError, match="Column 'tags' holds a list"):
        test.predict(frame.head(2).assign(tags=[["a"], ["b"]]))


@pytest.mark.parametrize(
    ("times", "unit"),
    [(None, "rows"), (np.arange(40), "times"), (np.datetime64("2026-01-01") + np.arange(40), "nanoseconds")],
    ids=["none", "numbers", "dates"],
)
def test_gaps_have_a_unit(times, unit):
    rows = np.random.default_rng(0).normal(size=(40, 2))
    assert KNNDriftTest(random_state=0).fit(rows, times=times).gap_unit_ == unit


@pytest.mark.parametrize("metric", ["standardized", "euclidean", "cosine"])
def test_missing_value_raises(metric):
    rows = np.random.default_rng(0).normal(size=(30, 2))
    rows[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        KNNDriftTest(metric=metric).fit(rows)


def test_pipeline_routes_metadata_and_hands_rows_on():
    rng = np.random.default_rng(0)
    rows = np.arange(200.0)[:, None] + rng.normal(size=(200, 2))
    mixed = rng.permutation(200)
    with config_context(enable_metadata_routing=True):
        check = KNNDriftTest(random_state=0).set_fit_request(order=True)
        pipeline = make_pipeline(StandardScaler(), check).fit(rows[mixed], order=mixed)
        assert pipeline[-1].pvalue_ < 1e-6
        assert pipeline.predict(rows).shape == (200,)
        scaled = make_pipeline(StandardScaler(), check, StandardScaler()).fit_transform(rows[mixed], order=mixed)
    assert_allclose(scaled, StandardScaler().fit_transform(rows[mixed]), atol=1e-9)


@pytest.mark.parametrize("kind", ["array", "pandas", "polars", "sparse"])
def test_transform_hands_on_what_it_was_given(kind):
    table = np.random.default_rng(0).normal(size=(40, 2))
    if kind == "pandas":
        table = pd.DataFrame(table, columns=["a", "b"], index=np.arange(5, 45))
    elif kind == "polars":
        table = pytest.importorskip("polars").DataFrame({"a": table[:, 0], "b": table[:, 1]})
    elif kind == "sparse":
        table = kneighbors_graph(table, 5)
    test = KNNDriftTest(metric="precomputed" if kind == "sparse" else "standardized", random_state=0)
    assert test.fit_transform(table) is table


def test_transform_hands_a_list_on_as_an_array():
    rows = np.random.default_rng(0).normal(size=(40, 2))
    assert_array_equal(KNNDriftTest(random_state=0).fit_transform(rows.tolist()), rows)


def test_transform_hands_a_frame_without_names_on():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), index=np.arange(5, 45))
    pd.testing.assert_frame_equal(KNNDriftTest(random_state=0).fit_transform(frame), frame)


def test_set_output_names_no_columns_of_the_frame_given():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)))
    named = KNNDriftTest(random_state=0).set_output(transform="pandas").fit_transform(frame)
    assert list(named.columns) == ["x0", "x1"]
    assert list(frame.columns) == [0, 1]


def test_failed_fit_leaves_nothing():
    test = KNNDriftTest(random_state=0)
    with pytest.raises(ValueError, match="length"):
        test.fit(np.arange(30.0)[:, None], order=[1, 2])
    assert vars(test) == vars(KNNDriftTest(random_state=0))


def test_too_many_tied_edges_raise(monkeypatch):
    monkeypatch.setattr("skanomaly.audit._graph._MOST_EDGES", 1000)
    with pytest.raises(ValueError, match="ties='random'"):
        KNNDriftTest(ties="all").fit(np.zeros((100, 1)))


@pytest.mark.parametrize("kind", ["continuous", "five values", "binary"])
@pytest.mark.parametrize("ties", ["random", "all"])
def test_size_is_kept_cheaply(seed, kind, ties):
    count = rejections(lambda rng: independent(kind, 200, rng), 60, 0.05, seed, ties=ties)
    assert count <= at_most(0.065, 60)


@pytest.mark.parametrize(
    ("make", "power"),
    [
        (lambda rng: autoregressive(1000, 0.5, rng), 0.97),
        (lambda rng: rng.normal(size=(200, 2)) + (np.arange(200) >= 100)[:, None], 0.95),
    ],
    ids=["AR .5", "mean shift"],
)
def test_power_is_kept_cheaply(seed, make, power):
    assert rejections(make, 20, 0.05, seed) >= at_least(power, 20)


@pytest.mark.parametrize(("kind", "fires"), [("same", False), ("shifted", True), ("widened", True), ("walk", True)])
def test_toys_of_the_paper_cheaply(seed, kind, fires):
    pvalue = KNNDriftTest(random_state=seed).fit(toy(kind, 1000, np.random.default_rng(seed))).pvalue_
    assert pvalue < 1e-3 if fires else pvalue > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 1000])
@pytest.mark.parametrize("kind", ["continuous", "five values", "binary"])
def test_size_of_moments(n, kind):
    pvalues = np.array(
        [
            KNNDriftTest(random_state=run).fit(independent(kind, n, np.random.default_rng([n, run]))).pvalue_
            for run in range(1000)
        ]
    )
    assert at_least(0.035, 1000) <= (pvalues <= 0.05).sum() <= at_most(0.06, 1000)
    assert (pvalues <= 0.01).sum() <= at_most(0.015, 1000)


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 200, 1000])
@pytest.mark.parametrize("kind", ["continuous", "five values", "binary"])
@pytest.mark.parametrize("statistic", ["multiscale", "ks"])
def test_permutation_pvalues_are_uniform(n, kind, statistic):
    n_runs = 400
    pvalues = [
        KNNDriftTest(statistic=statistic, null="permutation", n_permutations=199, random_state=run)
        .fit(independent(kind, n, np.random.default_rng([n, run, 1])))
        .pvalue_
        for run in range(n_runs)
    ]
    # Early stopping makes p-values above 0.1 coarse, from 20 / draws; the law below is what a level sees.
    for level in (0.05, 0.1, 0.2, 0.5):
        assert np.sum(np.array(pvalues) <= level) <= at_most(level, n_runs)
        assert np.sum(np.array(pvalues) <= level) >= at_least(level * 0.9 - 0.005, n_runs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "power"),
    [
        (lambda rng: autoregressive(1000, 0.5, rng), 0.97),
        (lambda rng: autoregressive(1000, 0.3, rng), 0.5),
        (lambda rng: rng.normal(size=(1000, 2)) + 2 * (np.abs(np.arange(1000) - 450) < 50)[:, None], 0.97),
        (lambda rng: rng.normal(size=(200, 2)) + (np.arange(200) >= 100)[:, None], 0.95),
    ],
    ids=["AR .5", "AR .3", "block", "mean shift"],
)
def test_power(make, power):
    assert rejections(make, 200, 0.05, 0) >= at_least(power, 200)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "fires"), [("same", False), ("shifted", True), ("widened", True), ("walk", True)])
def test_toys_of_the_paper(kind, fires):
    pvalues = np.array(
        [
            KNNDriftTest(random_state=run).fit(toy(kind, 1000, np.random.default_rng([3, run]))).pvalue_
            for run in range(60)
        ]
    )
    if fires:
        assert (pvalues < 1e-3).all()
    else:
        assert (pvalues > 0.05).sum() >= at_least(0.95, 60)
