"""Row blocks, worked through by Python threads outside the kernels."""

import importlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import threadpoolctl
from joblib import effective_n_jobs
from joblib.parallel import get_active_backend

from skanomaly._support._callbacks import reported
from skanomaly._support._sklearn import openmp_threads

__all__ = [
    "map_blocks",
    "map_fits",
    "n_block_threads",
    "row_blocks",
    "single_blas_thread",
    "single_openmp_thread",
]

Item = TypeVar("Item")
Result = TypeVar("Result")

_lock = threading.Lock()
_local = threading.local()
_depth = 0
_limits: Any = None


@cache
def _controller() -> threadpoolctl.ThreadpoolController:
    importlib.import_module("scipy.linalg")  # SciPy brings a BLAS of its own; the controller sees what is loaded by now
    return threadpoolctl.ThreadpoolController()


def _let_this_thread_control() -> None:
    # threadpoolctl 3.8 ignores every thread but the first that set a limit; ours is lifted by the last one out.
    clear = getattr(getattr(threadpoolctl, "OpenBLASController", None), "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread while any caller is inside; the first in sets the limit, the last out lifts it.

    The number of BLAS threads is a property of the process, so nested and concurrent entries are counted: plain
    ``threadpool_limits`` in two Python threads could restore in the wrong order and leave the process limited.
    """
    global _depth, _limits  # noqa: PLW0603  # the process-wide count is the point
    with _lock:
        if _depth == 0:
            _limits = _controller().limit(limits=1, user_api="blas")
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _let_this_thread_control()
                _limits.restore_original_limits()
                _let_this_thread_control()
                _limits = None


@contextmanager
def single_openmp_thread() -> Iterator[None]:
    """Hold the OpenMP loops that this thread starts, such as those of gradient boosting, to one thread.

    Where other processes use the processors, threads that wait for each other in many short loops make a fit of a small
    table a hundred times slower. The number of OpenMP threads is a property of each thread, so nothing is counted.
    """
    with _controller().limit(limits=1, user_api="openmp"):
        yield


def row_blocks(n_rows: int, block_rows: int) -> list[slice]:
    """Cut ``range(n_rows)`` into slices of `block_rows` rows; the last may be shorter.

    Parameters
    ----------
    n_rows : int
        At least 0.
    block_rows : int
        At least 1. It must be a function of the problem's size alone, never of `n_jobs`.

    Returns
    -------
    list of slice
    """
    return [slice(start, min(start + block_rows, n_rows)) for start in range(0, n_rows, block_rows)]


def n_block_threads(n_jobs: int | None) -> int:
    """Return the number of threads over blocks of rows that `n_jobs` stands for, here and now.

    Parameters
    ----------
    n_jobs : int or None
        None is the number of threads that scikit-learn's OpenMP loops would use: the processors this process may use,
        within ``OMP_NUM_THREADS``, the limit that joblib sets in its worker processes, and
        ``threadpoolctl.threadpool_limits``. It is 1 outside the main thread, where others are already at work (a
        search with threads, a thread of a Dask worker), and ``joblib.parallel_config(n_jobs=...)`` overrides it.
        A number is read as joblib reads it: -1 is all processors.

    Returns
    -------
    int
        At least 1.
    """
    if n_jobs is not None or get_active_backend()[1] is not None:
        return int(effective_n_jobs(n_jobs))
    if threading.current_thread() is not threading.main_thread() or getattr(_local, "is_sharing", False):
        return 1
    return openmp_threads()


def map_blocks(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    n_jobs: int | None = None,
) -> list[Result]:
    """Apply `function` to each block of work, in threads, and return the results in the order of the blocks.

    BLAS is held to one thread meanwhile, so the bits do not depend on `n_jobs` and threads do not compete.

    Parameters
    ----------
    function : callable
        Must release the GIL in its heavy part (a kernel or BLAS) to gain from threads.
    items : sequence
        Usually slices of :func:`row_blocks`, or indices of units of work. A single one is worked on in this thread.
    n_jobs : int or None, default=None
        As in :func:`n_block_threads`.

    Returns
    -------
    list
    """
    n_threads = min(n_block_threads(n_jobs), len(items))
    with single_blas_thread():
        if n_threads < 2:
            return list(map(function, items))
        return _shared(function, items, n_threads)


def map_fits(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    n_jobs: int | None = None,
) -> list[Result]:
    """Apply `function`, which fits or asks whole estimators, to each item, and return the results in their order.

    As :func:`map_blocks`, but None is one item at a time, as in scikit-learn's searches and ensembles: an estimator
    uses threads of its own.

    Parameters
    ----------
    function : callable
        Called in threads if `n_jobs` asks for more than one.
    items : sequence
        Of estimators or data sets.
    n_jobs : int or None, default=None
        As in joblib: None is 1 unless a ``joblib.parallel_config`` says otherwise, -1 all processors.

    Returns
    -------
    list
    """
    with single_blas_thread():
        return list(reported(_in_threads(function, items, int(effective_n_jobs(n_jobs))), "fit estimators", len(items)))


def _shared(function: Callable[[Item], Result], items: Sequence[Item], n_threads: int) -> list[Result]:
    """Work in this thread and others, each of which takes the next item; a thread that waits is woken late."""
    results: dict[int, Result] = {}
    errors: dict[int, BaseException] = {}
    places = iter(range(len(items)))

    def work() -> None:
        for place in places:
            try:
                results[place] = function(items[place])
            except BaseException as error:  # noqa: BLE001  # raised below, in the thread of the caller
                errors[place] = error
                for _ in places:  # nobody goes on
                    pass

    with ThreadPoolExecutor(n_threads - 1) as pool:
        for _ in range(n_threads - 1):
            pool.submit(work)
        before, _local.is_sharing = getattr(_local, "is_sharing", False), True
        try:
            work()
        finally:
            _local.is_sharing = before
    if errors:
        raise errors[min(errors)]  # that of the first item, as without threads
    return [results[place] for place in range(len(items))]


def _in_threads(function: Callable[[Item], Result], items: Sequence[Item], n_threads: int) -> Iterator[Result]:
    if len(items) < 2 or n_threads == 1:
        yield from map(function, items)
        return
    # A plain pool: joblib's threading backend costs some ten milliseconds a call.
    with ThreadPoolExecutor(min(n_threads, len(items))) as pool:
        yield from pool.map(function, items)
