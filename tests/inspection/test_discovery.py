"""Features discovered at a false discovery rate."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom
from sklearn.covariance import EllipticEnvelope

from skanomaly.inspection import (
    FeatureDiscovery,
    GaussianColumnSampler,
    IndependentColumnSampler,
    NeighborColumnSampler,
    discover_features,
)
from skanomaly.inspection._discovery import _one_shot_threshold

SAMPLERS = [GaussianColumnSampler(), IndependentColumnSampler(), NeighborColumnSampler(n_neighbors=10)]


def _correlated(random, n_samples):
    mixing = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0, 0.5, 1.0]])
    return random.normal(size=(n_samples, 3)) @ mixing.T + 5


# A few draws may be too few to select any entry, which warns.
@pytest.mark.filterwarnings("ignore:.*smallest p-value:UserWarning")
def test_pvalues_follow_the_definition(seed):
    random = np.random.default_rng(seed)
    reference, rows = random.normal(size=(50, 3)), random.normal(size=(4, 3)) * 2

    class Fixed(IndependentColumnSampler):
        """Draws the reference rows one after the other."""

        def draw(self, X, columns, n_draws, random):
            return np.broadcast_to(self._rows[:n_draws, None, columns], (n_draws, len(X), len(columns)))

    found = discover_features(
        lambda X: -np.square(X).sum(axis=1), rows, background=reference, sampler=Fixed(), n_draws=50
    )
    for i in range(4):
        for j in range(3):
            larger = np.sum(np.square(reference[:, j]) >= np.square(rows[i, j]))
            assert found.pvalues[i, j] == pytest.approx((1 + larger) / 51)
    assert_array_equal(found.selected, found.pvalues <= found.threshold)


def test_one_shot_threshold_follows_the_definition(seed):
    statistics = np.random.default_rng(seed).normal(0.5, 1.5, size=200)
    for alpha in (0.1, 0.3):
        found = _one_shot_threshold(statistics, alpha)
        candidates = np.sort(np.abs(statistics))
        good = [s for s in candidates if (1 + (statistics <= -s).sum()) / max(1, (statistics >= s).sum()) <= alpha]
        assert found == (good[0] if good else np.inf)


def test_constant_score_selects_nothing():
    rows = np.random.default_rng(0).normal(size=(20, 4))
    for options in ({}, {"method": "one_shot"}, {"alternative": "two-sided"}):
        found = discover_features(lambda X: np.zeros(len(X)), rows, background=rows, random_state=0, **options)
        assert not found.selected.any()


@pytest.mark.parametrize("method", ["resampling", "one_shot"])
def test_planted_columns_are_found(seed, method):
    random = np.random.default_rng(seed)
    reference = random.normal(size=(500, 6))
    detector = EllipticEnvelope(random_state=0).fit(reference)
    anomalies = random.normal(size=(60, 6))
    anomalies[:, 2] += 9
    found = discover_features(detector, anomalies, background=reference, method=method, random_state=seed)
    assert found.selected[:, 2].all()
    assert found.selected[:, [0, 1, 3, 4, 5]].mean() < 0.1


def test_column_that_makes_a_row_more_normal_counts_two_sided_only(seed):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(20, 3))
    rows[:, 0] = 6

    def score(X):
        return 5 * X[:, 0]

    greater, both = (
        discover_features(score, rows, background=random.normal(size=(300, 3)), alternative=kind, random_state=seed)
        for kind in ("greater", "two-sided")
    )
    assert not greater.selected[:, 0].any()
    # A centre drawn far out hides an entry now and then.
    assert both.selected[:, 0].mean() > 0.7


def test_too_few_draws_warn():
    random = np.random.default_rng(0)
    rows = random.normal(size=(40, 10))
    rows[0, 0] = 50
    reference = random.normal(size=(300, 10))

    def score(X):
        return -(np.abs(X) > 10).sum(axis=1).astype(float)

    with pytest.warns(UserWarning, match="1 of 400 entries have the smallest p-value.*use n_draws=4000"):
        found = discover_features(score, rows, background=reference, n_draws=100, random_state=0)
    assert not found.selected.any()
    found = discover_features(score, rows, background=reference, n_draws=4000, random_state=0)
    assert_array_equal(np.argwhere(found.selected), [[0, 0]])


def test_groups_are_redrawn_together(seed):
    random = np.random.default_rng(seed)
    reference = random.normal(size=(400, 4))
    rows = random.normal(size=(10, 4))
    rows[:, 1] += 5
    rows[:, 3] += 5
    found = discover_features(
        lambda X: -np.abs(X[:, 1] + X[:, 3]), rows, background=reference, groups=list("abab"), random_state=seed
    )
    assert found.feature_names == ["a", "b"]
    assert_array_equal(found.selected.sum(axis=0), [0, 10])


def test_reasons_come_by_size():
    found = FeatureDiscovery(np.array([[True, False, True]]), None, np.array([[1.0, 0.0, 4.0]]), 1.0, 0.1, list("abc"))
    assert found.reasons(0) == ["c", "a"]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
def test_sampler_draws_columns_of_the_right_shape_and_distribution(seed, sampler):
    random = np.random.default_rng(seed)
    reference = random.normal(size=(2000, 3)) * [1, 2, 3] + [0, 10, 20]
    rows = random.normal(size=(6, 3)) * [1, 2, 3] + [0, 10, 20]
    columns = np.array([1, 2])
    draws = sampler.fit(reference).draw(rows, columns, 2000, np.random.Generator(np.random.PCG64(seed)))
    assert draws.shape == (2000, 6, 2)
    # Ten neighbours are ten values, whose mean is off by more.
    slack = 4.5 / np.sqrt(10) if isinstance(sampler, NeighborColumnSampler) else 0.25
    assert_allclose((draws.mean(axis=0) - [10, 20]) / [2, 3], 0, atol=slack)
    assert_allclose(np.median(draws.std(axis=0) / [2, 3]), 1, atol=0.3)


def test_gaussian_sampler_has_the_conditional_distribution(seed):
    random = np.random.default_rng(seed)
    reference = _correlated(random, 20000)
    rows = _correlated(random, 5)
    draws = (
        GaussianColumnSampler()
        .fit(reference)
        .draw(rows, np.array([1]), 20000, np.random.Generator(np.random.PCG64(seed)))[:, :, 0]
    )
    covariance, others = np.cov(reference.T), [0, 2]
    gain = covariance[1, others] @ np.linalg.inv(covariance[np.ix_(others, others)])
    means = reference[:, 1].mean() + (rows[:, others] - reference[:, others].mean(axis=0)) @ gain
    spread = np.sqrt(covariance[1, 1] - gain @ covariance[others, 1])
    assert_allclose(draws.mean(axis=0), means, atol=0.03)
    assert_allclose(draws.std(axis=0), spread, rtol=0.03)


def test_neighbour_sampler_follows_dependence(seed):
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, 2000)
    reference = np.column_stack([np.cos(angles), np.sin(angles)])
    draws = (
        NeighborColumnSampler()
        .fit(reference)
        .draw(np.array([[0.6, 9.0]]), np.array([1]), 500, np.random.Generator(np.random.PCG64(seed)))
    )
    assert_allclose(np.abs(draws), 0.8, atol=0.05)
    assert -1 < draws.mean() < 1


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
def test_sampler_accepts_constant_and_single_columns(sampler):
    reference = np.column_stack([np.ones(30), np.arange(30.0)])
    random = np.random.Generator(np.random.PCG64(0))
    assert_array_equal(sampler.fit(reference).draw(reference[:3], np.array([0]), 4, random), 1)
    lone = sampler.fit(reference[:, 1:]).draw(reference[:3, 1:], np.array([0]), 4, random)
    assert lone.shape == (4, 3, 1)
    assert np.isfinite(lone).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha": 0}, "alpha"),
        ({"method": "x"}, "method"),
        ({"n_draws": 0}, "n_draws"),
        ({"sampler": NeighborColumnSampler(n_neighbors=0)}, "'n_neighbors' parameter"),
        ({"sampler": "gaussian"}, "sampler='gaussian' must be GaussianColumnSampler"),
    ],
)
def test_bad_option_is_named(options, words):
    rows = np.zeros((3, 2))
    with pytest.raises(ValueError, match=words):
        discover_features(lambda X: X[:, 0], rows, background=rows, **options)


@pytest.mark.slow
@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_nothing_is_found_among_normal_rows(alternative, alpha):
    """Where every null hypothesis is true, the false discovery rate is the fraction of runs with any discovery."""
    n_runs, n_false = 200, 0
    for state in range(n_runs):
        random = np.random.default_rng(state)
        weights = random.normal(size=6)
        found = discover_features(
            lambda X, weights=weights: -np.square(X @ weights),
            random.normal(size=(10, 6)),
            background=random.normal(size=(5000, 6)),
            sampler=IndependentColumnSampler(),
            alternative=alternative,
            alpha=alpha,
            n_draws=int(60 / alpha),
            random_state=state,
        )
        n_false += found.selected.any()
    assert n_false <= binom.ppf(1 - 1e-4, n_runs, alpha)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["resampling", "one_shot"])
@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2])
def test_false_discovery_rate_is_controlled(method, alpha):
    """A linear score, 30 % of the entries shifted: the mean fraction of false among selected entries."""
    rates, powers = [], []
    for state in range(40):
        random = np.random.default_rng(state)
        weights = np.abs(random.normal(size=20)) + 0.2
        truth = random.random((60, 20)) < 0.3
        rows = random.normal(size=(60, 20)) + 4.0 * truth
        found = discover_features(
            lambda X, weights=weights: -X @ weights,
            rows,
            background=random.normal(size=(4000, 20)),
            sampler=IndependentColumnSampler(),
            method=method,
            alpha=alpha,
            n_draws=200,
            random_state=state,
        ).selected
        rates.append((found & ~truth).sum() / max(1, found.sum()))
        powers.append(found[truth].mean())
    error = np.std(rates) / np.sqrt(len(rates))
    print(f"{method} {alpha}: rate {np.mean(rates):.3f}, power {np.mean(powers):.2f}")  # noqa: T201  # for the guide
    assert np.mean(rates) <= alpha + 3.5 * error
    assert np.mean(powers) > (0.9 if method == "resampling" else 0.1)


@pytest.mark.slow
def test_nothing_is_found_among_normal_rows_with_dependent_columns():
    n_runs, n_false, alpha = 200, 0, 0.1
    for state in range(n_runs):
        random = np.random.default_rng(state)
        reference = _correlated(random, 4000)
        centre, precision = reference.mean(axis=0), np.linalg.inv(np.cov(reference.T))

        def score(X, centre=centre, precision=precision):
            return -np.einsum("ij,jk,ik->i", X - centre, precision, X - centre)

        found = discover_features(
            score, _correlated(random, 20), background=reference, alpha=alpha, n_draws=600, random_state=state
        )
        n_false += found.selected.any()
    assert n_false <= binom.ppf(1 - 1e-4, n_runs, alpha)
