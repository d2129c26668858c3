"""The decorators that compile a kernel."""

import os
from collections.abc import Callable
from typing import Any

import numba
from numba.core import event

__all__ = [
    "allocating_kernel",
    "inner_kernel",
    "inner_kernel_in_order",
    "kernel",
    "watch_compilation",
]

# All of LLVM's fast-math licences but "no NaN" and "no infinity": `fastmath=True` would make `isnan` false everywhere.
_FASTMATH = {"nsz", "arcp", "contract", "afn", "reassoc"}
_IN_ORDER = _FASTMATH - {"reassoc"}
# No entry for callers in C: nothing uses it, and it is a tenth of the compile time.
_OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": _FASTMATH, "error_model": "numpy", "no_cfunc_wrapper": True}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a serial, pure function that releases the GIL, makes no array and returns none.

    So it needs no counts of references to arrays, which each view of a row would change: an atomic operation on one
    place in memory, for which threads over the same table wait, and a tenth of the compile time.

    The compiled code is cached on disk unless the environment variable ``SKANOMALY_KERNEL_CACHE`` is ``0``, or no
    cache folder can be written (a read-only installation without a home directory); then it is compiled in memory.

    Parameters
    ----------
    function : callable
        Takes arrays and scalars; reads no globals; raises nothing.

    Returns
    -------
    callable
        The compiled dispatcher, or `function` itself under ``NUMBA_DISABLE_JIT=1``.
    """
    return _stored(function, {**_OPTIONS, "_nrt": False})


def allocating_kernel(function: Callable[..., Any]) -> Any:
    """Compile as :func:`kernel` does a function that makes arrays, returns some or takes a ``Generator`` of NumPy.

    References are counted here, so loops over many views belong in an inner kernel.

    Parameters
    ----------
    function : callable

    Returns
    -------
    callable
    """
    return _stored(function, _OPTIONS)


def inner_kernel(function: Callable[..., Any]) -> Any:
    """Compile as :func:`kernel` does a function that only kernels call, in a quarter less time.

    Its code becomes part of the kernels that call it, so it is not stored, and Python cannot call it.

    Parameters
    ----------
    function : callable

    Returns
    -------
    callable
    """
    return numba.njit(no_cpython_wrapper=True, _nrt=False, **_OPTIONS)(function)


def inner_kernel_in_order(function: Callable[..., Any]) -> Any:
    """Compile as :func:`inner_kernel` does, but keep the order of operations that is written.

    Parameters
    ----------
    function : callable

    Returns
    -------
    callable
    """
    options = {**_OPTIONS, "fastmath": _IN_ORDER}
    return numba.njit(no_cpython_wrapper=True, _nrt=False, **options)(function)


def _stored(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    compile_plain = numba.njit(**options)
    if os.environ.get("SKANOMALY_KERNEL_CACHE", "1") == "0":
        return compile_plain(function)
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no folder that it may write its cache to
        return compile_plain(function)


class _Starts(event.Listener):
    def __init__(self, announce: Callable[[], None]) -> None:
        self._announce = announce

    def on_start(self, event: Any) -> None:
        self._announce()

    def on_end(self, event: Any) -> None:
        """Nothing is said at the end."""


def watch_compilation(announce: Callable[[], None]) -> Any:
    """Call `announce` whenever a compilation starts; kernels loaded from the disk start none.

    Parameters
    ----------
    announce : callable
        Called without arguments, in the thread that compiles.

    Returns
    -------
    context manager
        It watches while inside.
    """
    return event.install_listener("numba:compile", _Starts(announce))
