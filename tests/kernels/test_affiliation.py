import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly import _kernels
from tests.reference import affiliation as reference


def _scores(anomaly, predicted):
    bounds = [np.array(reference.runs(mask), dtype=np.int64).reshape(-1, 2).T.copy() for mask in (anomaly, predicted)]
    out = np.empty((3, bounds[0].shape[1]))
    _kernels.affiliation.affiliation_sums(*bounds[0], len(anomaly), *bounds[1], *out)
    return out.T


@pytest.mark.parametrize("share", [0.03, 0.2, 0.6])
@pytest.mark.parametrize("size", [8, 60])
def test_affiliation_sums_match_the_integrals(share, size, seed):
    random = np.random.default_rng(seed)
    anomaly = np.convolve(random.random(size) < 0.08, np.ones(4))[:size] > 0
    anomaly[random.integers(size)] = True
    predicted = random.random(size) < share
    assert_allclose(_scores(anomaly, predicted), reference.event_scores(anomaly, predicted), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "predicted",
    [[0, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 1], [1] * 8, [0, 0, 1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0]],
    ids=["nothing", "both ends", "everything", "middles", "one"],
)
@pytest.mark.parametrize(
    "anomaly",
    [[1, 1, 0, 0, 0, 0, 1, 1], [1] * 8, [0, 0, 1, 1, 1, 1, 0, 0], [0, 1, 0, 1, 0, 1, 0, 1]],
    ids=["both ends", "everything", "middle", "comb"],
)
def test_affiliation_sums_of_edge_cases_match_the_integrals(anomaly, predicted):
    assert_allclose(_scores(anomaly, predicted), reference.event_scores(anomaly, predicted), rtol=1e-9, atol=1e-9)


def test_affiliation_sums_of_the_truth_are_perfect():
    anomaly = np.array([0, 1, 1, 0, 0, 0, 1, 0, 1, 1])
    assert_array_equal(_scores(anomaly, anomaly)[:, 1:], 1.0)


def test_affiliation_sums_without_events_write_nothing():
    assert _scores(np.zeros(4), np.ones(4)).shape == (0, 3)
