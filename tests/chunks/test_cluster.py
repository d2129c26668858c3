"""A cluster of two processes with 1 GiB each, of which one is killed on the way."""

import os
import pathlib
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skanomaly.chunks import read_chunks
from skanomaly.detectors import GaussianDetector, MarginalDetector, NearestNeighborsDetector, RandomProjectionDepth

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
ROWS = 131_072


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit="1GiB", dashboard_address=None, silence_logs=50
        ) as started,
        distributed.Client(started) as client,
    ):
        yield client


def _rows(place):
    return np.random.default_rng(place).normal(size=(500, 4))


def _rows_of_a_worker_that_dies_once(place, marker):
    path = pathlib.Path(marker)
    if place == 3 and not path.exists():
        path.write_text("dead")
        os._exit(1)
    return _rows(place)


@pytest.mark.parametrize(
    "detector",
    [
        GaussianDetector(),
        RandomProjectionDepth(n_projections=8, random_state=0),
        NearestNeighborsDetector(bank="random", bank_size=64, random_state=0),
        MarginalDetector(),
    ],
    ids=lambda detector: type(detector).__name__,
)
def test_two_workers_and_a_killed_one_give_the_bits_of_one_process(detector, cluster, tmp_path, capsys):
    dask = pytest.importorskip("dask")
    marker, rows = str(tmp_path / "marker"), _rows(99)
    parts = [dask.delayed(_rows_of_a_worker_that_dies_once)(place, marker) for place in (5, 3, 0, 1, 4, 2)]
    found = type(detector)(**detector.get_params()).fit_chunks(read_chunks(parts, verbose=1))
    expected = detector.fit_chunks([_rows(place) for place in range(6)])
    assert pathlib.Path(marker).exists()
    assert_array_equal(found.score_samples(rows), expected.score_samples(rows))
    assert found.offset_ == expected.offset_
    assert re.search(r"^pass 2: 6 chunks, ", capsys.readouterr().out, re.MULTILINE)


def test_an_error_of_a_worker_has_its_type_and_the_number_of_the_piece(cluster):
    dask = pytest.importorskip("dask")
    detector = GaussianDetector()
    before = dict(vars(detector))
    with pytest.raises(ValueError, match=r"chunk 1: .*NaN"):
        detector.fit_chunks([dask.delayed(pd.DataFrame)(part) for part in ([[1.0]], [[np.nan]])])
    assert vars(detector) == before


def _many_rows(place):
    return np.random.default_rng(place).standard_normal((ROWS, 20), dtype=np.float32)


def _peak():
    status = pathlib.Path("/proc/self/status")
    return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024 if status.exists() else 0.0


def _fit_a_few_rows():
    """Import and compile what a fit needs, so that the peak of a worker before the fit includes it."""
    GaussianDetector().fit_chunks([_rows(0).astype(np.float32)])


def test_memory_of_a_worker_is_that_of_a_few_pieces(cluster):
    dask = pytest.importorskip("dask")
    cluster.run(_fit_a_few_rows)
    GaussianDetector().fit_chunks([dask.delayed(_rows)(place) for place in range(6)])
    before = cluster.run(_peak)
    GaussianDetector().fit_chunks([dask.delayed(_many_rows)(place) for place in range(12)])
    after = cluster.run(_peak)
    piece = ROWS * 20 * 4 / 2**20
    assert max(after[worker] - before[worker] for worker in before) < 4 * piece + 64
