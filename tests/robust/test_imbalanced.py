import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import gaussian_kde

from skanomaly.robust import ImbalancedRegressor, rarity_weights
from skanomaly.robust._imbalanced import correlation_loss, gaussian_density, involution, stratified_batches
from tests.reference import robust_series as reference


@pytest.mark.parametrize("exponent", [0.5, 0.85, 1.0, 2.0])
def test_involution_is_its_own_inverse(exponent):
    density = np.linspace(0.001, 0.999, 101)
    assert np.abs(involution(involution(density, exponent), exponent) - density).max() < 1e-10


@pytest.mark.parametrize(
    ("exponent", "weights"), [(0.5, [0.468, 0.086, 0.003]), (1, [0.9, 0.5, 0.1]), (2, [0.995, 0.866, 0.436])]
)
def test_involution_has_the_published_values(exponent, weights):
    assert_allclose(involution(np.array([0.1, 0.5, 0.9]), exponent), weights, atol=6e-4)


@pytest.mark.parametrize("bandwidth", [None, 0.07, 1.4])
def test_gaussian_density_agrees_with_scipy(seed, bandwidth):
    y = np.random.default_rng(seed).lognormal(size=400)
    exact = gaussian_kde(y, bw_method=bandwidth)(y)
    assert np.abs(gaussian_density(y, bandwidth) - exact).max() < 1e-4 * exact.max()


@pytest.mark.parametrize("kind", ["involution", "linear", "inverse", "sqrt_inverse"])
def test_weights_decrease_with_density_and_have_mean_one(seed, kind):
    y = np.random.default_rng(seed).lognormal(size=500)
    weights = rarity_weights(y, kind=kind)
    order = np.argsort(gaussian_density(y, None))
    assert_allclose(weights.mean(), 1.0)
    assert (np.diff(weights[order]) <= 1e-9).all()


def test_involution_of_exponent_one_is_linear(seed):
    y = np.random.default_rng(seed).normal(size=100)
    assert_allclose(rarity_weights(y, exponent=1.0), rarity_weights(y, kind="linear"))


@pytest.mark.parametrize("y", [[5.0], [2.0] * 9])
def test_constant_targets_have_equal_weights(y):
    assert_allclose(rarity_weights(y), 1.0)


def test_missing_targets_raise():
    with pytest.raises(ValueError, match="NaN"):
        rarity_weights([1.0, np.nan])


@pytest.mark.parametrize(("n_rows", "batch_size"), [(1000, 50), (1003, 50), (7, 7), (5, 1)])
def test_every_batch_has_one_row_of_each_stratum(seed, n_rows, batch_size):
    random = np.random.default_rng(seed)
    strata = np.array_split(np.arange(n_rows), batch_size)
    stratum_of = np.repeat(np.arange(batch_size), [part.size for part in strata])
    for _ in range(20):
        batches = stratified_batches(np.arange(n_rows), batch_size, random)
        assert_array_equal(np.sort(stratum_of[batches], axis=1), np.tile(np.arange(batch_size), (len(batches), 1)))
        assert np.unique(batches).size == n_rows


def test_correlation_loss_and_gradient_agree_with_the_definition(seed):
    random = np.random.default_rng(seed)
    outputs, y, weights = random.normal(size=30), random.normal(size=30), random.random(30)
    weights /= weights.sum()
    loss, slopes = correlation_loss(outputs, y, weights, 1.7)
    assert_allclose(loss, reference.correlation_loss(outputs, y, weights, 1.7), rtol=1e-12)
    steps = 1e-6 * np.eye(30)
    up, down = (
        [reference.correlation_loss(outputs + sign * step, y, weights, 1.7) for step in steps] for sign in (1, -1)
    )
    numeric = (np.array(up) - np.array(down)) / 2e-6
    assert_allclose(slopes, numeric, atol=1e-6)


def test_constant_outputs_have_a_finite_gradient():
    loss, slopes = correlation_loss(np.zeros(3), np.arange(3.0), np.full(3, 1 / 3), 5.0)
    assert_allclose(loss, 5 / 3)
    assert np.isfinite(slopes).all()


def test_rare_targets_are_predicted_better_than_by_an_unweighted_network(seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(3000, 4))
    y = np.exp(1.2 * X[:, 0]) * (X[:, 1] > 1.2) + 0.1 * random.normal(size=3000)
    rare = y > np.quantile(y, 0.98)
    ours, plain = (
        ImbalancedRegressor(max_iter=30, random_state=seed, **options).fit(X, y).predict(X)[rare]
        for options in ({"exponent": 0.85}, {"exponent": 50.0, "correlation_weight": 0.0})
    )
    assert np.abs(ours - y[rare]).mean() < np.abs(plain - y[rare]).mean()


def _skewed(kind, seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(2, 1500, 4))
    y = {
        "smooth": np.exp(1.6 * (X[..., 0] + 0.5 * X[..., 1])),
        "burst": np.exp(1.2 * X[..., 0]) * (X[..., 1] > 1.2),
        "even": X[..., 0] + X[..., 1],
    }[kind]
    return X, y + 0.2 * random.normal(size=y.shape)


@pytest.mark.parametrize("kind", ["smooth", "burst", "even"])
def test_tuned_weights_are_no_worse_than_equal_ones(kind, seed):
    (X, X_test), (y, y_test) = _skewed(kind, seed)
    rare = np.argsort(np.abs(y_test - np.median(y_test)))[-75:]
    errors = []
    for exponent in ("auto", 50.0):
        error = np.abs(
            ImbalancedRegressor(exponent=exponent, max_iter=40, random_state=seed).fit(X, y).predict(X_test) - y_test
        )
        errors.append(error.mean() + error[rare].mean())
    assert errors[0] < 1.1 * errors[1]


def test_given_weights_are_the_chosen_ones(seed):
    (X, _), (y, _) = _skewed("burst", seed)
    tuned = ImbalancedRegressor(max_iter=8, random_state=seed).fit(X, y)
    weights = {"exponent": min(tuned.exponent_, 1e6), "bandwidth": tuned.bandwidth_}
    given = ImbalancedRegressor(max_iter=8, random_state=seed, **weights).fit(X, y)
    assert_allclose(given.predict(X), tuned.predict(X), rtol=1e-3, atol=1e-3 * y.std())


@pytest.mark.parametrize("y", [np.arange(20.0), np.full(80, 3.0)])
def test_few_or_constant_targets_get_equal_weights(y):
    assert ImbalancedRegressor(max_iter=2).fit(y[:, None], y).exponent_ == np.inf


def test_constant_target_gives_finite_predictions():
    model = ImbalancedRegressor(max_iter=5).fit(np.arange(30.0)[:, None], np.full(30, 4.0))
    assert np.isfinite(model.predict([[3.0]])).all()


def test_verbose_prints_each_epoch(capsys):
    ImbalancedRegressor(max_iter=2, verbose=1).fit(np.arange(30.0)[:, None], np.arange(30.0))
    assert capsys.readouterr().out.count("epoch") == 2
