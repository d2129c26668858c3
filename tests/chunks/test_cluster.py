"""A cluster of two processes, of which one is killed on the way."""

import os
import pathlib

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skanomaly.detectors import GaussianDetector, RandomProjectionDepth

pytestmark = pytest.mark.slow


def _rows(place):
    return np.random.default_rng(place).normal(size=(500, 4))


def _rows_of_a_worker_that_dies_once(place, marker):
    path = pathlib.Path(marker)
    if place == 3 and not path.exists():
        path.write_text("dead")
        os._exit(1)
    return _rows(place)


@pytest.mark.filterwarnings("ignore")
def test_two_workers_and_a_killed_one_give_the_bits_of_one_process(tmp_path):
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    expected = {
        "gaussian": GaussianDetector().fit_chunks([_rows(place) for place in range(6)]),
        "depth": RandomProjectionDepth(n_projections=8, random_state=0).fit_chunks([_rows(p) for p in range(6)]),
    }
    rows = _rows(99)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit="1GiB", dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster),
    ):
        for name, one in expected.items():
            marker = str(tmp_path / name)
            parts = [dask.delayed(_rows_of_a_worker_that_dies_once)(place, marker) for place in (5, 3, 0, 1, 4, 2)]
            other = type(one)(**one.get_params()).fit_chunks(parts)
            assert (tmp_path / name).exists()
            assert_array_equal(other.score_samples(rows), one.score_samples(rows))
            assert other.offset_ == one.offset_
        with pytest.raises(ValueError, match=r"chunk 1: .*NaN"):
            GaussianDetector().fit_chunks([dask.delayed(pd.DataFrame)(part) for part in ([[1.0]], [[np.nan]])])
