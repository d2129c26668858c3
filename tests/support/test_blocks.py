import threading

import joblib
import numpy as np
import pytest
from joblib.externals.loky import cpu_count
from sklearn.model_selection import GridSearchCV
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from threadpoolctl import threadpool_info, threadpool_limits

from skanomaly._support._blocks import (
    map_blocks,
    map_fits,
    n_block_threads,
    row_blocks,
    single_blas_thread,
    single_openmp_thread,
)
from skanomaly.detectors import GaussianDetector


@pytest.mark.parametrize(("n_rows", "block_rows"), [(0, 4), (1, 4), (4, 4), (10, 3)])
def test_row_blocks_cover_each_row_once(n_rows, block_rows):
    rows = [row for block in row_blocks(n_rows, block_rows) for row in range(block.start, block.stop)]
    assert rows == list(range(n_rows))


@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1])
def test_map_blocks_keeps_order(n_jobs):
    assert map_blocks(lambda item: item * item, range(20), n_jobs=n_jobs) == [item * item for item in range(20)]


@pytest.mark.parametrize("map_items", [map_blocks, map_fits])
def test_errors_are_passed_on(map_items):
    with pytest.raises(ZeroDivisionError):
        map_items(lambda item: 1 // item, [1, 0], n_jobs=2)


def test_blocks_use_the_threads_of_scikit_learns_loops():
    assert n_block_threads(None) == _openmp_effective_n_threads() <= cpu_count()


@pytest.mark.parametrize(("n_jobs", "n_threads"), [(1, 1), (3, 3), (-1, cpu_count())])
def test_a_given_number_of_jobs_is_taken(n_jobs, n_threads):
    assert n_block_threads(n_jobs) == n_threads


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_blocks_follow_the_configuration_of_joblib(n_jobs):
    with joblib.parallel_config(n_jobs=n_jobs):
        assert n_block_threads(None) == n_jobs


def test_blocks_follow_the_limits_of_thread_pools():
    with threadpool_limits(1):
        assert n_block_threads(None) == 1


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_blocks_inside_parallel_jobs_share_the_processors(backend):
    n_threads = joblib.Parallel(n_jobs=cpu_count(), backend=backend)(
        joblib.delayed(n_block_threads)(None) for _ in range(4)
    )
    assert n_threads == [1] * 4


def _threads_of(detector, X, y=None):
    return float(n_block_threads(None))


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_blocks_inside_a_search_share_the_processors(backend):
    search = GridSearchCV(GaussianDetector(), {"contamination": [0.1, 0.2]}, scoring=_threads_of, cv=2, refit=False)
    with joblib.parallel_config(backend, n_jobs=cpu_count()):
        search.fit(np.random.default_rng(0).normal(size=(40, 2)))
    assert search.cv_results_["mean_test_score"].tolist() == [1.0, 1.0]


def test_blocks_inside_dask_tasks_take_one_thread():
    dask = pytest.importorskip("dask")
    tasks = [dask.delayed(n_block_threads, pure=False)(None) for _ in range(4)]
    assert dask.compute(*tasks, scheduler="threads") == (1, 1, 1, 1)


def test_blocks_inside_blocks_take_one_thread():
    assert map_blocks(lambda _: n_block_threads(None), range(4), n_jobs=2) == [1] * 4


def test_fits_run_one_at_a_time_by_default():
    assert set(map_fits(lambda _: threading.get_ident(), range(4))) == {threading.get_ident()}


def _blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_blas_threads_come_back_after_overlapping_callers():
    np.ones((2, 2)) @ np.ones((2, 2))
    before = _blas_threads()
    first_in, second_in, first_out = threading.Event(), threading.Event(), threading.Event()
    seen = []

    def first():
        with single_blas_thread():
            first_in.set()
            second_in.wait(10)
        first_out.set()

    def second():
        first_in.wait(10)
        with single_blas_thread():
            second_in.set()
            first_out.wait(10)
            seen.extend(_blas_threads())

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {1}
    assert _blas_threads() == before


def test_openmp_threads_of_the_caller_come_back():
    def threads():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "openmp"]

    before = threads()
    with single_openmp_thread():
        assert set(threads()) <= {1}
    assert threads() == before


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_map_blocks_raises_the_error_of_the_first_item_and_starts_no_more(n_jobs):
    seen = []

    def fail(item):
        seen.append(item)
        if item >= 5:
            raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item 5"):
        map_blocks(fail, range(200), n_jobs=n_jobs)
    assert len(seen) <= 5 + n_jobs
    assert n_block_threads(None) >= 1
    assert map_blocks(abs, [-1, -2], n_jobs=n_jobs) == [1, 2]
