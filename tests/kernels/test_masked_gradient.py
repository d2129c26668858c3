# ruff: noqa: FBT003  # kernels take no keywords
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import _kernels
from tests.reference import masked_gradient as reference

NO_GROUPS = np.empty(0, dtype=np.intp)


def _kept(values, groups=NO_GROUPS, weights=None, *, threshold, side=0, robust=True, min_keep=0.5, **more):
    pooled = more.get("pooled", np.zeros((int(groups.max()) + 1 if groups.size else 1, 3)))
    keep = np.ones(values.size, dtype=np.bool_)
    n_masked = _kernels.masked_gradient.kept_rows(
        values,
        groups,
        weights,
        threshold,
        side,
        robust,
        min_keep,
        more.get("min_group", 6),
        more.get("decay", 0.0),
        pooled,
        np.empty((4, values.size)),
        keep,
    )
    assert n_masked == (~keep).sum()
    return keep


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("side", [-1, 0, 1])
@pytest.mark.parametrize("n_groups", [1, 3])
def test_kept_rows_agree_with_the_definition(seed, robust, side, n_groups):
    random = np.random.default_rng(seed)
    values = random.standard_t(2, size=120)
    groups = random.integers(n_groups, size=120)
    got = _kept(values, groups if n_groups > 1 else NO_GROUPS, threshold=1.5, side=side, robust=robust)
    assert_array_equal(got, reference.keep(values, groups, 1.5, side, robust, 0.5, 6))


@pytest.mark.parametrize("min_keep", [0.3, 0.8, 1.0])
def test_kept_rows_keep_the_floor(seed, min_keep):
    values = np.random.default_rng(seed).normal(size=50)
    got = _kept(values, threshold=0.1, min_keep=min_keep)
    assert_array_equal(got, reference.keep(values, np.zeros(50), 0.1, 0, True, min_keep, 6))
    assert got.mean() >= min_keep


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("threshold", [0.1, 1.5])
@pytest.mark.parametrize("n_groups", [1, 2])
def test_kept_rows_with_weights_equal_repetition(seed, robust, threshold, n_groups):
    random = np.random.default_rng(seed)
    values, weights = random.standard_t(2, size=40), random.integers(1, 4, size=40)
    groups = random.integers(n_groups, size=40) if n_groups > 1 else NO_GROUPS
    whole = _kept(values, groups, weights.astype(float), threshold=threshold, robust=robust)
    repeated_groups = np.repeat(groups, weights) if n_groups > 1 else NO_GROUPS
    repeated = _kept(np.repeat(values, weights), repeated_groups, threshold=threshold, robust=robust)
    assert_array_equal(np.repeat(whole, weights), repeated)


@pytest.mark.parametrize("robust", [False, True])
def test_kept_rows_of_equal_values_are_all(robust):
    assert _kept(np.full(30, 2.0), threshold=0.5, robust=robust).all()


def test_kept_rows_of_no_rows_are_none():
    assert _kept(np.empty(0), threshold=1.0).size == 0


def test_kept_rows_see_an_outlier_among_ties():
    values = np.r_[np.zeros(30), 5.0]
    assert_array_equal(_kept(values, threshold=3.0), values == 0)


@pytest.mark.parametrize(("n_rows", "masks"), [(5, False), (6, True)])
def test_kept_rows_by_mean_and_deviation_need_six_rows_at_two(n_rows, masks):
    values = np.zeros(n_rows)
    values[0] = 1e6
    assert _kept(values, threshold=2.0, robust=False, min_group=2).all() != masks


def test_pooled_statistics_are_exponential_averages_and_serve_small_batches(seed):
    random = np.random.default_rng(seed)
    pooled = np.zeros((1, 3))
    batches = random.normal(size=(3, 50))
    for batch in batches:
        _kept(batch, threshold=9.0, decay=0.75, pooled=pooled)
    expected = np.array(reference.center_scale(batches[0], True))
    for batch in batches[1:]:
        expected = 0.75 * expected + 0.25 * np.array(reference.center_scale(batch, True))
    assert_allclose(pooled[0, :2], expected, rtol=1e-12)
    assert_array_equal(_kept(np.array([0.0, 50.0]), threshold=9.0, decay=0.75, pooled=pooled), [True, False])


def _epoch(X, y, order, bounds, *, masking, loss=0, statistic=0, weights=None, threshold=2.0, per_class=False):
    state = np.zeros((3, X.shape[1] + 1))
    masked = np.zeros(y.size, dtype=np.int64)
    side = {0: 0, 1: 1, 2: -1}[statistic]
    result = _kernels.masked_gradient.masked_adam_epoch(
        X,
        y,
        weights,
        order,
        bounds,
        *state,
        0,
        0.1,
        0.01,
        loss,
        masking,
        statistic,
        threshold,
        side,
        True,
        0.5,
        6,
        0.0,
        per_class,
        np.zeros((2 if per_class else 1, 3)),
        masked,
    )
    return state, masked, result


@pytest.mark.parametrize(("loss", "statistic"), [(0, 0), (1, 2)])
def test_epoch_agrees_with_the_definition(seed, loss, statistic):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(90, 3)), random.standard_t(2, size=90)
    if loss:
        y = np.where(y > 0, 1.0, -1.0)
    order, bounds = random.permutation(90), np.array([0, 30, 60, 90])
    state, masked, (_, weight, n_masked) = _epoch(
        X, y, order, bounds, masking=True, loss=loss, statistic=statistic, per_class=bool(loss)
    )

    def mask(values, groups):
        return reference.keep(values, groups if loss else np.zeros(30), 2.0, -1 if loss else 0, True, 0.5, 6)

    expected = reference.linear_epoch(
        X, y, order, bounds, np.zeros(4), np.zeros(4), np.zeros(4), 0, 0.1, 0.01, loss, mask
    )
    assert_allclose(state, expected[:3], rtol=1e-9, atol=1e-12)
    assert_array_equal(masked, expected[3])
    assert n_masked == masked.sum()
    assert weight == 90 - n_masked


@pytest.mark.parametrize("loss", [0, 1])
def test_epoch_masks_large_losses(seed, loss):
    random = np.random.default_rng(seed)
    X = random.normal(size=(60, 2))
    y = np.where(random.random(60) < 0.5, 1.0, -1.0) if loss else random.normal(size=60)
    order, bounds = np.arange(60), np.array([0, 20, 40, 60])
    _, masked, _ = _epoch(X, y, order, bounds, masking=True, loss=loss, statistic=1, threshold=1.0)
    _, plain, _ = _epoch(X, y, order, bounds, masking=False, loss=loss, statistic=1)
    assert masked[20:].sum() > 0
    assert plain.sum() == 0


@pytest.mark.parametrize("masking", [False, True])
def test_epoch_with_weights_equals_repetition_within_batches(seed, masking):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(40, 2)), random.standard_t(2, size=40)
    weights = random.integers(1, 4, size=40)
    bounds = np.array([0, 20, 40])
    repeated_bounds = np.r_[0, np.cumsum(weights)][bounds]
    whole = _epoch(X, y, np.arange(40), bounds, masking=masking, weights=weights.astype(float))
    rows = np.repeat(np.arange(40), weights)
    repeated = _epoch(X[rows], y[rows], np.arange(rows.size), repeated_bounds, masking=masking)
    assert_allclose(whole[0], repeated[0], rtol=1e-9, atol=1e-12)
    assert_allclose(whole[2][:2], repeated[2][:2], rtol=1e-9)


def test_epoch_passes_over_a_batch_without_weight():
    X, y = np.ones((4, 1)), np.arange(4.0)
    state, _, _ = _epoch(X, y, np.arange(4), np.array([0, 2, 4]), masking=False, weights=np.array([0.0, 0.0, 1.0, 1.0]))
    alone, _, _ = _epoch(X[2:], y[2:], np.arange(2), np.array([0, 2]), masking=False)
    assert_allclose(state, alone)


def test_epoch_without_a_masked_row_has_the_bits_of_plain_training(seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(100, 5)), random.normal(size=100)
    order, bounds = random.permutation(100), np.array([0, 50, 100])
    masked = _epoch(X, y, order, bounds, masking=True, threshold=1e300)
    assert_array_equal(masked[0], _epoch(X, y, order, bounds, masking=False)[0])


def test_epoch_of_single_precision_agrees_with_double(seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(60, 3)).astype(np.float32), random.normal(size=60)
    order, bounds = random.permutation(60), np.array([0, 30, 60])
    single, double = (_epoch(table, y, order, bounds, masking=True) for table in (X, X.astype(np.float64)))
    assert_allclose(single[0], double[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weights", [None, np.ones(20)])
def test_all_rows_stay_where_all_must(seed, weights):
    values = np.random.default_rng(seed).standard_cauchy(20)
    assert _kept(values, weights=weights, threshold=0.1, min_keep=1.0).all()
