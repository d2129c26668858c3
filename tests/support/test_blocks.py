import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from skanomaly._support._blocks import map_blocks, row_blocks, single_blas_thread, single_openmp_thread


@pytest.mark.parametrize(("n_rows", "block_rows"), [(0, 4), (1, 4), (4, 4), (10, 3)])
def test_row_blocks_cover_each_row_once(n_rows, block_rows):
    rows = [row for block in row_blocks(n_rows, block_rows) for row in range(block.start, block.stop)]
    assert rows == list(range(n_rows))


@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1])
def test_map_blocks_keeps_order(n_jobs):
    assert map_blocks(lambda item: item * item, range(20), n_jobs=n_jobs) == [item * item for item in range(20)]


def test_map_blocks_passes_errors_on():
    with pytest.raises(ZeroDivisionError):
        map_blocks(lambda item: 1 // item, [1, 0], n_jobs=2)


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
