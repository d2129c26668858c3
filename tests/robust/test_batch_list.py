import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom

from skanomaly.robust import BatchListRegressor
from skanomaly.robust._batch_list import _Batches
from tests.reference import concentration as reference


def _batches(seed, fraction, n_batches, size, n_columns, adversary):
    """Batches of which a fraction follows one model of norm 2 with noise of 0.3; also the error of the oracle."""
    random = np.random.default_rng(seed)
    weights = random.normal(size=n_columns)
    weights *= 2 / np.linalg.norm(weights)
    X = random.normal(size=(n_batches, size, n_columns))
    good = np.arange(n_batches) < np.ceil(fraction * n_batches)
    y, noise = X @ weights, 0.3 * random.normal(size=(n_batches, size))
    if adversary == "noise":
        y[~good] = 2 * random.normal(size=(int((~good).sum()), size))
    elif adversary == "flip":
        y[~good] *= -1
    else:
        others = random.normal(size=(int(1 / fraction), n_columns))
        others *= 2 / np.linalg.norm(others, axis=1, keepdims=True)
        which = random.integers(len(others), size=int((~good).sum()))
        y[~good] = np.einsum("bnd,bd->bn", X[~good], others[which])
    y += noise
    rows = X[good].reshape(-1, n_columns)
    oracle = np.linalg.norm(np.linalg.lstsq(rows, y[good].ravel(), rcond=None)[0] - weights)
    return X.reshape(-1, n_columns), y.ravel(), np.repeat(np.arange(n_batches), size), weights, oracle, good


@pytest.mark.parametrize("adversary", ["mixture", "noise", "flip"])
@pytest.mark.parametrize(
    ("fraction", "n_batches", "size", "n_columns"), [(0.4, 200, 8, 10), (0.25, 400, 12, 10), (0.15, 800, 20, 10)]
)
def test_best_of_the_list_is_within_twice_the_oracle(seed, fraction, n_batches, size, n_columns, adversary):
    X, y, groups, weights, oracle, _ = _batches(seed, fraction, n_batches, size, n_columns, adversary)
    model = BatchListRegressor(clean_fraction=fraction, random_state=0).fit(X, y, groups=groups)
    assert np.linalg.norm(model.coefs_ - weights, axis=1).min() <= 2 * oracle
    assert len(model.coefs_) <= 4 / fraction


@pytest.mark.parametrize("adversary", ["mixture", "noise", "flip"])
def test_splits_of_the_batches_find_the_model_where_random_starts_are_hopeless(seed, adversary):
    X, y, groups, weights, oracle, _ = _batches(seed, 0.25, 600, 10, 40, adversary)
    with pytest.warns(UserWarning, match="only 0.2 good ones are expected"):
        model = BatchListRegressor(clean_fraction=0.25, random_state=0).fit(X, y, groups=groups)
    assert np.linalg.norm(model.coefs_ - weights, axis=1).min() <= 2 * oracle


def test_few_trusted_rows_select_the_model_and_predict_with_it():
    X, y, groups, weights, _, _ = _batches(0, 0.4, 200, 8, 10, "flip")
    model = BatchListRegressor(clean_fraction=0.4, random_state=0).fit(X, y, groups=groups)
    trusted = np.random.default_rng(1).normal(size=(5, 10))
    place = model.select(trusted, trusted @ weights)
    assert place == model.selected_ == np.linalg.norm(model.coefs_ - weights, axis=1).argmin()
    assert_allclose(model.predict(trusted), trusted @ weights, atol=0.3)


def test_batches_that_follow_the_model_are_its_members_at_their_level(seed):
    X, y, groups, _, _, good = _batches(seed, 0.3, 300, 10, 5, "noise")
    model = BatchListRegressor(random_state=0).fit(X, y, groups=groups)
    member = model.batch_membership_[:, 0]
    assert (~member[good]).sum() <= binom.ppf(1 - 1e-6, 90, 0.02)
    assert member[~good].mean() < 0.02


def test_scores_of_batches_are_standard_normal_where_they_follow_and_low_elsewhere(seed):
    X, y, groups, _, _, good = _batches(seed, 0.3, 300, 10, 5, "noise")
    scores = BatchListRegressor(random_state=0).fit(X, y, groups=groups).score_batches(X, y, groups=groups)
    assert abs(scores[good].mean()) < 0.5
    assert 0.6 < scores[good].std() < 1.4
    assert scores[~good].max() < np.median(scores[good])


def test_errors_and_refits_of_batches_are_those_of_the_reference():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(40, 3)), random.normal(size=40)
    codes = np.repeat([0, 1, 2, 3], [4, 12, 10, 14])
    batches = _Batches(X, y, codes, 1e-12)
    lists = [(X[codes == code], y[codes == code]) for code in range(4)]
    weights = random.normal(size=3)
    expected = reference.batch_errors(lists, weights)
    assert_allclose(batches.errors(weights), expected)
    assert_allclose(batches.quick_errors(weights[None])[0], expected)
    kept = np.array([True, False, True, True])
    assert_allclose(batches.refit(kept[None])[0], reference.refit(lists, [0, 2, 3]), rtol=1e-8)


def test_units_and_the_order_of_rows_do_not_matter():
    X, y, groups, _, _, _ = _batches(0, 0.4, 100, 8, 4, "noise")
    model = BatchListRegressor(clean_fraction=0.4, random_state=0).fit(X, y, groups=groups)
    order = np.random.default_rng(0).permutation(len(y))
    scale = np.array([1e-3, 1.0, 1e6, 10.0])
    other = BatchListRegressor(clean_fraction=0.4, random_state=0)
    other.fit((X * scale + 5)[order], 1e4 * y[order] - 7, groups=groups[order])
    assert_allclose(other.coefs_ * scale / 1e4, model.coefs_, rtol=1e-6)


def test_consecutive_rows_are_batches_without_groups():
    X, y, groups, _, _, _ = _batches(0, 0.4, 60, 8, 3, "noise")
    given = BatchListRegressor(clean_fraction=0.4, random_state=0).fit(X, y, groups=groups)
    cut = BatchListRegressor(clean_fraction=0.4, batch_size=8, random_state=0).fit(X, y)
    assert_array_equal(given.coefs_, cut.coefs_)


def test_length_of_groups_is_checked():
    with pytest.raises(ValueError, match="groups has 2 rows"):
        BatchListRegressor().fit(np.zeros((4, 1)), np.arange(4.0), groups=[0, 1])
