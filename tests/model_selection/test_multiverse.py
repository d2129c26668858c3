import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from skanomaly.datasets import make_shifted_anomalies
from skanomaly.metrics import average_precision_score
from skanomaly.model_selection import seed_stability, specification_curve
from skanomaly.model_selection._multiverse import expected_largest, explained_variance_ratio
from tests.model_selection.toys import Column
from tests.reference import model_selection as reference


@pytest.fixture
def table(seed):
    return make_shifted_anomalies(n_samples=200, n_features=3, contamination=0.1, random_state=seed)


class Additive(Column):
    """Its value under a scorer is a sum of its parameters."""

    def __init__(self, first=0.0, second=0.0, third=0.0):
        self.first = first
        self.second = second
        self.third = third

    def score_samples(self, X):
        return -np.asarray(X)[:, 0]


def test_ratios_of_additive_effects_are_their_variances(table):
    grid = {"first": [-2.0, 2.0], "second": [-1.0, 1.0], "third": [0.1, 0.2, 0.3]}
    curve = specification_curve(Additive(), grid, table[0], scoring=lambda one, _: one.first + one.second)
    assert len(curve.values) == 12
    assert curve.explained_variance_ratio == pytest.approx({"first": 0.8, "second": 0.2, "third": 0.0})


def test_ratios_equal_their_definition(seed):
    random = np.random.default_rng(seed)
    points = [{"a": int(random.integers(3)), "b": "x" if random.random() < 0.5 else "y"} for _ in range(40)]
    values = random.normal(size=40)
    expected = {name: reference.fraction_of_variance([point[name] for point in points], values) for name in "ab"}
    assert explained_variance_ratio(points, values) == pytest.approx(expected)


def test_choice_that_a_grid_leaves_out_is_a_level_of_its_own():
    points = [{"a": 1, "b": None}, {"a": 2, "b": None}, {"a": 3}]
    assert explained_variance_ratio(points, np.array([0.0, 0.0, 3.0]))["b"] == 1.0


@pytest.mark.parametrize("values", [np.zeros(4), np.full(4, np.nan)])
def test_ratios_of_nothing_are_zero(values):
    assert explained_variance_ratio([{"a": level} for level in range(4)], values) == {"a": 0.0}


def test_curve_holds_the_metric_of_each_choice(table):
    X, y = table
    curve = specification_curve(Column(), {"column": [0, 1, 2]}, X, y)
    assert [point["column"] for point in curve.parameters] == [0, 1, 2]
    np.testing.assert_allclose(curve.values, [average_precision_score(y, -column) for column in X.T])
    np.testing.assert_array_equal(curve.scores, -X)
    assert (np.diff(curve.values[curve.order]) >= 0).all()
    assert (curve.seconds >= 0).all()
    assert np.isnan(curve.pvalue)


def test_curve_finds_the_rows_that_flip(table):
    X, _ = table
    curve = specification_curve(Column(), {"column": [0, 1]}, X, top_fraction=0.05)
    tops = [set(np.argsort(column)[-10:].tolist()) for column in X.T[:2]]
    assert set(curve.flipping_rows.tolist()) == tops[0] ^ tops[1]
    assert set(np.flatnonzero(curve.flag_fraction == 1.0).tolist()) == tops[0] & tops[1]


def test_agreement_is_spearmans(table):
    from scipy.stats import spearmanr

    X, _ = table
    curve = specification_curve(Column(), {"column": [0, 1, 2]}, X)
    np.testing.assert_allclose(curve.rank_agreement, spearmanr(X)[0], atol=1e-12)
    assert curve.mean_agreement == pytest.approx(spearmanr(X)[0][np.triu_indices(3, 1)].mean())


def test_curve_without_labels_is_the_agreement_with_all(table):
    X, _ = table
    X = np.column_stack([X[:, 0], X[:, 0] + 0.1 * X[:, 1], X[:, 2]])
    assert specification_curve(Column(), {"column": [0, 1, 2]}, X).values.argmin() == 2


def test_permutations_distinguish_signal_from_chance(table):
    X, y = table
    assert specification_curve(Column(), {"column": [0]}, X, y, n_permutations=99, random_state=0).pvalue == 0.01
    with pytest.raises(ValueError, match="n_permutations needs y"):
        specification_curve(Column(), {"column": [0]}, X, n_permutations=9)


@pytest.mark.slow
def test_permutation_pvalue_keeps_its_level():
    random = np.random.default_rng(0)
    rejected = 0
    for _ in range(200):
        X = random.normal(size=(60, 2))
        y = random.permutation(np.repeat([-1, 1], [6, 54]))
        curve = specification_curve(
            Column(), {"column": [0, 1]}, X, y, n_permutations=19, random_state=random.integers(99999)
        )
        rejected += curve.pvalue <= 0.05
    assert rejected <= 21  # binomial(200, 0.05): 21 or more has probability 0.002


def test_seeds_do_not_move_what_has_none(table):
    X, y = table
    stability = seed_stability(Column(), X, y, n_seeds=4)
    assert stability.std == 0.0
    assert stability.mean_agreement == pytest.approx(1.0)
    assert stability.flipping_rows.size == 0
    assert stability.seeds_needed(0.01) == 1


def test_seeds_reach_every_part_and_are_reproducible(table):
    X, y = table
    forest = IsolationForest(n_estimators=3, random_state=0)
    first, second = (
        seed_stability(forest, X, y, n_seeds=5, n_resamples=20, n_jobs=n_jobs, random_state=0) for n_jobs in (1, 2)
    )
    assert first.std > 0
    assert len(set(first.seeds.tolist())) == 5
    np.testing.assert_array_equal(first.scores, second.scores)
    assert 0 < first.mean_agreement < 1
    assert first.sampling_std > 0


def test_stability_prints_mean_and_standard_deviation(table):
    stability = seed_stability(IsolationForest(n_estimators=2), *table, n_seeds=3)
    assert repr(stability).startswith(f"SeedStability(mean={stability.mean!r}, std={stability.std!r}, values=")


def test_more_trees_are_more_stable(table):
    X, _ = table
    few, many = (
        seed_stability(IsolationForest(n_estimators=trees, max_samples=64), X, n_seeds=3, random_state=0)
        for trees in (2, 40)
    )
    assert few.mean_agreement < many.mean_agreement
    assert np.isnan(few.sampling_std)


def test_ordered_metrics_are_not_resampled(table):
    X, y = table
    assert np.isnan(seed_stability(Column(), X, y, n_seeds=2, scoring="event_f1").sampling_std)
    with pytest.raises(ValueError, match="unordered rows"):
        specification_curve(Column(), {"column": [0]}, X, y, scoring="event_f1", n_permutations=9)


def test_sampling_std_without_both_classes_is_nan(table):
    X, y = table
    with pytest.warns(UserWarning, match="no labelled anomaly"):
        assert np.isnan(seed_stability(Column(), X, np.abs(y), n_seeds=1).sampling_std)


def test_single_run_has_no_agreement(table):
    stability = seed_stability(Column(), table[0], n_seeds=1)
    assert np.isnan(stability.mean_agreement)
    assert stability.std == 0.0


@pytest.mark.parametrize(
    ("n_draws", "expected"), [(1, 0.0), (2, np.pi**-0.5), (10, 1.5388), (100, 2.5076), (10_000, 3.8516)]
)
def testexpected_largest_normal_draw(n_draws, expected):
    assert expected_largest(n_draws) == pytest.approx(expected, abs=2e-4)


def test_expected_best_of_ten_thousand_seeds():
    values = np.random.default_rng(0).normal(size=200)
    values = 0.9 + 0.0023 * (values - values.mean()) / values.std(ddof=1)
    iterator = iter(values)
    X = np.random.default_rng(0).normal(size=(20, 1))
    stability = seed_stability(Column(), X, n_seeds=200, scoring=lambda *_: next(iterator))
    assert stability.expected_best(10_000) == pytest.approx(0.90886, abs=1e-5)
    assert stability.seeds_needed(0.0005) == 82


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda X: seed_stability(Column(), X, n_seeds=0), "'n_seeds' parameter of seed_stability"),
        (lambda X: seed_stability(Column(), X, top_fraction=0.6), "'top_fraction' parameter of seed_stability"),
        (lambda X: seed_stability(Column(), X, n_seeds=2).seeds_needed(0), "half_width=0"),
        (lambda X: seed_stability(Column(), X, n_seeds=2).expected_best(0), "n_seeds=0"),
    ],
)
def test_parameters_are_checked(table, call, words):
    with pytest.raises(ValueError, match=words):
        call(table[0])


def test_several_metrics_are_compared_over_the_runs(seed):
    X, y = make_shifted_anomalies(n_samples=200, random_state=seed)
    grid = {"n_neighbors": [2, 5, 20, 60], "p": [1, 2]}
    names = ["roc_auc", "average_precision", "precision_at_n"]
    curve = specification_curve(LocalOutlierFactor(novelty=True), grid, X, y, scoring=names)
    alone = specification_curve(LocalOutlierFactor(novelty=True), grid, X, y, scoring="average_precision")
    assert list(curve.metric_values) == names
    np.testing.assert_array_equal(curve.metric_values["average_precision"], alone.values)
    np.testing.assert_array_equal(curve.values, curve.metric_values["roc_auc"])
    assert curve.metric_agreement.shape == (3, 3)
    assert curve.metric_agreement[0, 1] > 0.3
    table = np.column_stack(list(curve.metric_values.values()))
    for run in range(8):
        dominated = any((other >= table[run]).all() and (other > table[run]).any() for other in table)
        assert (run in curve.pareto) != dominated


def test_a_single_metric_has_no_agreement(seed):
    X, y = make_shifted_anomalies(n_samples=100, random_state=seed)
    curve = specification_curve(LocalOutlierFactor(novelty=True), {"n_neighbors": [5, 20]}, X, y)
    assert curve.metric_agreement.size == 0
    assert curve.pareto.tolist() == np.flatnonzero(curve.values == curve.values.max()).tolist()


@pytest.mark.parametrize("scoring", [[], ["roc_auc"], ["roc_auc", "roc_auc"]])
def test_lists_of_one_metric_raise(scoring):
    with pytest.raises(ValueError, match="at least two different names"):
        specification_curve(LocalOutlierFactor(novelty=True), {"p": [1, 2]}, np.zeros((9, 1)), scoring=scoring)
