import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.covariance import OAS, EmpiricalCovariance, LedoitWolf, MinCovDet

from skanomaly._support._covariance import (
    constant_columns,
    robust_covariance,
    row_pieces,
    shrunk_covariance,
    whitening_matrix,
)

PEERS = {"ledoit_wolf": LedoitWolf, "oas": OAS, "empirical": EmpiricalCovariance}


def cloud(seed, n_rows=60, n_columns=5):
    random = np.random.default_rng(seed)
    return random.normal(size=(n_rows, n_columns)) @ random.normal(size=(n_columns, n_columns)) + 3.0


@pytest.mark.parametrize("assume_centered", [False, True])
@pytest.mark.parametrize("n_columns", [1, 5, 80])
@pytest.mark.parametrize("method", PEERS)
def test_shrunk_covariances_are_those_of_scikit_learn(method, n_columns, assume_centered, seed):
    rows = cloud(seed, n_columns=n_columns)
    peer = PEERS[method](assume_centered=assume_centered).fit(rows)
    found = shrunk_covariance(rows, method=method, assume_centered=assume_centered)
    assert_allclose(found.covariance, peer.covariance_, rtol=1e-9, atol=1e-9)
    assert_allclose(found.location, peer.location_, atol=1e-12)
    assert_allclose(found.shrinkage, getattr(peer, "shrinkage_", 0.0), atol=1e-9)


@pytest.mark.parametrize("method", PEERS)
def test_whole_weights_count_as_repetitions(method, seed):
    rows = cloud(seed)
    weights = np.random.default_rng(seed).integers(4, size=len(rows))
    found = shrunk_covariance(rows, weights=weights.astype(float), method=method)
    repeated = shrunk_covariance(np.repeat(rows, weights, axis=0), method=method)
    assert_allclose(found.covariance, repeated.covariance)
    assert_allclose(found.shrinkage, repeated.shrinkage)


def test_pieces_give_what_the_whole_gives(seed):
    rows = cloud(seed)
    found = shrunk_covariance(lambda: ((part, None) for part in np.split(rows, [7, 30])))
    assert_allclose(found.covariance, shrunk_covariance(rows).covariance)


def test_row_pieces_hold_all_rows_and_weights(seed):
    rows, weights = cloud(seed, n_rows=9000).astype(np.float32), np.arange(9000.0)
    pieces = list(row_pieces(rows, weights)())
    assert len(pieces) > 1
    assert {part.dtype for part, _ in pieces} == {np.dtype(np.float64)}
    assert_array_equal(np.concatenate([part for part, _ in pieces]), rows)
    assert_array_equal(np.concatenate([part for _, part in pieces]), weights)


@pytest.mark.parametrize("method", PEERS)
def test_equal_rows_have_no_covariance(method):
    assert_array_equal(shrunk_covariance(np.ones((5, 3)), method=method).covariance, np.zeros((3, 3)))


def test_robust_covariance_is_the_minimum_covariance_determinant(seed):
    rows = cloud(seed)
    found, peer = robust_covariance(rows, random_state=seed), MinCovDet(random_state=seed).fit(rows)
    assert_array_equal(found.covariance, peer.covariance_)
    assert_array_equal(found.location, peer.location_)


def test_robust_covariance_repeats_rows_of_whole_weight(seed):
    rows, weights = cloud(seed), np.random.default_rng(seed).integers(1, 4, size=60)
    found = robust_covariance(rows, weights=weights.astype(float), random_state=seed)
    repeated = robust_covariance(np.repeat(rows, weights, axis=0), random_state=seed)
    assert_array_equal(found.covariance, repeated.covariance)


def test_fractional_weights_raise_for_the_robust_covariance():
    with pytest.raises(ValueError, match="whole numbers"):
        robust_covariance(cloud(0), weights=np.full(60, 0.5))


def test_constant_columns_have_no_variance(seed):
    rows = cloud(seed)
    with_constant = np.insert(rows, 2, 0.1, axis=1)
    found = robust_covariance(with_constant, random_state=seed)
    expected = robust_covariance(rows, random_state=seed)
    assert not found.covariance[2].any()
    assert_array_equal(np.delete(np.delete(found.covariance, 2, 0), 2, 1), expected.covariance)
    assert_allclose(found.location[2], 0.1)


def test_no_determinant_falls_back_to_the_shrunk_covariance(monkeypatch, seed):
    def fail(self, rows):
        raise ValueError("The covariance matrix of the support data is equal to 0")

    monkeypatch.setattr(MinCovDet, "fit", fail)
    rows = cloud(seed)
    with pytest.warns(UserWarning, match="the shrunk covariance is used"):
        found = robust_covariance(rows, random_state=seed)
    assert_array_equal(found.covariance, shrunk_covariance(rows).covariance)


def test_huge_rows_fall_back_to_the_scales_of_columns(monkeypatch, seed):
    def fail(self, rows):
        raise ValueError("overflow")

    monkeypatch.setattr(MinCovDet, "fit", fail)
    rows = cloud(seed)
    rows[0] = 1e200
    with pytest.warns(UserWarning, match="only scaled"):
        found = robust_covariance(rows, random_state=seed)
    assert_allclose(np.diag(found.covariance), np.median(np.abs(rows - np.median(rows, axis=0)), axis=0) ** 2)
    assert_array_equal(found.covariance, np.diag(np.diag(found.covariance)))


def test_columns_that_differ_by_rounding_are_constant():
    rows = np.column_stack([np.full(5, 0.1) + np.arange(5) * 1e-17, np.arange(5.0), np.zeros(5), np.full(5, -3.0)])
    assert_array_equal(constant_columns(rows), [True, False, True, True])


def test_whitened_rows_have_the_identity_as_covariance(seed):
    rows = cloud(seed)
    covariance = shrunk_covariance(rows, method="empirical").covariance
    whitened = rows @ whitening_matrix(covariance)
    assert_allclose(shrunk_covariance(whitened, method="empirical").covariance, np.eye(5), atol=1e-8)


def test_directions_without_variance_are_left_alone():
    assert_array_equal(whitening_matrix(np.zeros((3, 3))), np.eye(3))


@pytest.mark.parametrize(("n_rows", "n_columns"), [(20, 60), (10, 10), (11, 10)])
def test_fewer_rows_than_columns_fall_back_to_the_shrunk_covariance(seed, n_rows, n_columns):
    rows = np.random.default_rng(seed).normal(size=(n_rows, n_columns))
    with pytest.warns(UserWarning, match="the shrunk covariance is used") as caught:
        found = robust_covariance(rows, random_state=seed)
    assert len(caught) == 1
    assert_array_equal(found.covariance, shrunk_covariance(rows).covariance)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_filled", [10, 20, 40, 60])
def test_mostly_zeros_have_a_robust_covariance(seed, n_filled):
    rng = np.random.default_rng(seed)
    rows = np.zeros((200, 5))
    rows[-n_filled:] = rng.gamma(2, 50, size=(n_filled, 5))
    assert np.isfinite(robust_covariance(rows, random_state=seed).covariance).all()


def test_a_difference_is_constant_beside_the_rows_it_comes_from():
    rows = np.full((9, 1), 0.1) * np.arange(1, 10)[:, None]
    rounded = rows - rows + 1e-17 * np.arange(9)[:, None]
    assert_array_equal(constant_columns(rounded), [False])
    assert_array_equal(constant_columns(rounded, like=rows), [True])
