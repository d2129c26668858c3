import numpy as np
import pytest
from numpy.testing import assert_allclose

from skanomaly import _kernels
from tests.reference import volumes as reference


def _slices(anomaly, outlyingness, window_size, n_thresholds):
    anomaly, outlyingness = np.asarray(anomaly, dtype=bool), np.asarray(outlyingness, dtype=float)
    runs = reference.events(anomaly)
    starts, stops = np.array([[run[0], run[-1]] for run in runs]).T
    size = len(anomaly)
    ascending = np.sort(outlyingness)
    thresholds = ascending[::-1][np.linspace(0, size - 1, n_thresholds).astype(int)]
    counts = np.array([np.sum(outlyingness >= threshold) for threshold in thresholds])
    average_precisions, areas = np.empty((2, window_size + 1))
    _kernels.volumes.volume_slices(
        outlyingness, np.ascontiguousarray(starts), np.ascontiguousarray(stops), thresholds, counts, window_size,
        average_precisions, areas,
    )  # fmt: skip
    return average_precisions, areas


def _case(seed, share, decimals, size=120):
    random = np.random.default_rng(seed)
    steps = random.random(size) < share
    anomaly = np.convolve(steps, np.ones(random.integers(1, 6)))[:size] > 0
    anomaly[random.integers(size)] = True
    return anomaly, (random.normal(size=size) + anomaly * random.random()).round(decimals)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("decimals", [0, 1, 12])
@pytest.mark.parametrize("window_size", [0, 1, 7, 20])
def test_volume_slices_match_the_definition(share, decimals, window_size, seed):
    anomaly, outlyingness = _case(seed, share, decimals)
    for ours, expected in zip(
        _slices(anomaly, outlyingness, window_size, 17),
        reference.slices(anomaly, outlyingness, window_size, 17),
        strict=True,
    ):
        assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "anomaly",
    [
        [1, 1, 0, 0, 0, 0, 0, 1],
        [1, 0, 1, 0, 1, 0, 1, 0],
        [0, 1, 0, 1, 1, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 1, 0, 0, 0, 0],
    ],
    ids=["both ends", "comb", "crowd", "last", "middle"],
)
@pytest.mark.parametrize("outlyingness", [np.zeros(8), np.arange(8.0), -np.arange(8.0)], ids=["flat", "up", "down"])
def test_volume_slices_of_short_series_match_the_definition(anomaly, outlyingness):
    ours = _slices(anomaly, outlyingness, 30, 250)
    assert_allclose(ours, reference.slices(anomaly, outlyingness, 30, 250), rtol=1e-12, atol=1e-12)


def test_volume_slices_of_anomalies_alone_have_full_precision():
    average_precisions, _ = _slices(np.ones(6), [3.0, 1.0, 2.0, 2.0, 5.0, 0.0], 4, 10)
    assert_allclose(average_precisions, 1.0)


@pytest.mark.parametrize("magnitude", [1e-300, 1e300])
def test_volume_slices_do_not_depend_on_the_scale(magnitude, seed):
    anomaly, outlyingness = _case(seed, 0.05, 12, size=60)
    assert_allclose(
        _slices(anomaly, outlyingness * magnitude, 6, 9), _slices(anomaly, outlyingness, 6, 9), rtol=0, atol=0
    )
