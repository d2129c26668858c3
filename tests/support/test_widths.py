import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from sklearn.metrics import pairwise_distances

from skanomaly._support._widths import (
    kernel_widths,
    likelihood_width,
    local_scale,
    neighbor_width,
    typical_squared_distance,
)


def _modes(seed, n_columns, n_rows=300):
    random = np.random.default_rng(seed)
    centers = np.zeros((4, n_columns))
    centers[1, 0] = centers[2, 1] = centers[3, 0] = centers[3, 1] = 8
    return centers[random.choice(4, n_rows, p=[0.6, 0.3, 0.07, 0.03])] + random.normal(size=(n_rows, n_columns))


@pytest.mark.parametrize("n_columns", [2, 8, 20])
def test_scale_of_a_column_is_that_within_its_modes(seed, n_columns):
    X = _modes(seed, n_columns)
    scale = local_scale(X)
    # The first two columns have modes that are eight standard deviations apart.
    assert X[:, 0].std() > 3
    assert scale.max() < 1.5
    if n_columns > 2:  # of two columns in uniform modes any ratio of scales is as good
        assert scale[:2].max() < 2.5 * scale[2:].mean()


def test_local_scale_follows_the_units_of_the_columns(seed):
    X = _modes(seed, 5)
    units = np.array([1e-6, 1.0, 10.0, 1e6, 1.0])
    assert_allclose(local_scale(X * units), local_scale(X) * units, rtol=0.3)


def test_one_huge_value_does_not_set_the_scale(seed):
    X = _modes(seed, 5)
    expected = local_scale(X)
    X[7, 2] = 1e12
    assert_allclose(local_scale(X), expected, rtol=0.5)


@pytest.mark.parametrize("n_rows", [1, 2, 50])
def test_equal_rows_have_scale_and_width_one(n_rows):
    X = np.full((n_rows, 3), 7.3)
    assert (local_scale(X) == 1).all()
    assert neighbor_width(X) == likelihood_width(X) == 1.0


def test_width_of_likelihood_is_the_best_leave_one_out_width(seed):
    X = np.random.default_rng(seed).normal(size=(200, 2))
    squares = np.square(X[:, None] - X).sum(axis=2)
    np.fill_diagonal(squares, np.inf)

    def loss(log_width):
        values = np.sort(logsumexp(squares / (-2 * np.exp(2 * log_width)), axis=1) - 2 * log_width)
        return -values[20:].mean()

    expected = np.exp(minimize_scalar(loss, bounds=(-4, 2)).x)
    assert_allclose(likelihood_width(X), expected, rtol=0.15)


def test_copies_of_a_row_do_not_make_a_width_narrow(seed):
    X = np.random.default_rng(seed).normal(size=(60, 2))
    copies = np.vstack([X] * 4)
    assert_allclose(neighbor_width(copies), neighbor_width(X))
    assert likelihood_width(copies) > 0.5 * likelihood_width(X)


@pytest.mark.parametrize("n_columns", [1, 2, 8, 20])
def test_rows_drawn_with_the_neighbour_width_stay_near_their_centres(seed, n_columns):
    random = np.random.default_rng(seed)
    X = random.normal(size=(400, n_columns))
    noise = neighbor_width(X) * random.normal(size=X.shape)
    squares = np.square(X[:, None] - X).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    typical = np.median(np.linalg.norm(noise, axis=1)) / np.median(np.sqrt(squares.min(axis=1)))
    expected = 0.5 * min(1, np.sqrt(2 / n_columns))
    assert 0.5 * expected < typical < 1.2 * expected


def test_width_falls_with_the_number_of_rows(seed):
    X = np.random.default_rng(seed).normal(size=(3000, 2))
    assert likelihood_width(X) < 0.8 * np.median([likelihood_width(part) for part in X.reshape(30, 100, 2)[:9]])
    assert neighbor_width(X) < 0.4 * neighbor_width(X[:100])


@pytest.mark.parametrize("distance", [4.0, 40.0])
def test_distant_modes_do_not_widen_the_kernel(distance, seed):
    random = np.random.default_rng(seed)
    one = random.normal(size=(300, 4))
    many = one + distance * random.integers(0, 3, size=(300, 1)) * [1.0, 1.0, 0.0, 0.0]
    assert kernel_widths(many).max() < 3 * kernel_widths(one).max()


@pytest.mark.parametrize("n_columns", [1, 20, 1000])
def test_typical_distance_is_the_median_over_pairs(n_columns, seed):
    rows = np.random.default_rng(seed).normal(size=(60, n_columns))
    squares = pairwise_distances(rows)[~np.eye(60, dtype=bool)] ** 2
    assert_allclose(typical_squared_distance(rows), np.median(squares))


@pytest.mark.parametrize("rows", [np.ones((5, 3)), np.ones((1, 2)), np.zeros((4, 1))])
def test_equal_rows_have_the_typical_distance_one(rows):
    assert typical_squared_distance(rows) == 1.0


def test_column_in_which_neighbours_are_equal_has_width_zero(seed):
    random = np.random.default_rng(seed)
    mode = random.choice(2, size=300, p=[0.9, 0.1])
    rows = np.column_stack([8 * mode[:, None] + random.normal(size=(300, 3)), mode, np.full(300, 7.0)])
    widths = kernel_widths(rows)
    assert (widths[3:] == 0).all()
    assert (widths[:3] > 0).all()


@pytest.mark.parametrize("n_rows", [1, 5])
def test_equal_rows_have_kernels_without_width(n_rows):
    assert (kernel_widths(np.full((n_rows, 3), 7.3)) == 0).all()
