"""Numba kernels, one private file per mathematical object.

Modules load at first use (``from skanomaly import _kernels`` then ``_kernels.neighbors.knn_brute(...)`` imports
``_kernels/_neighbors.py``), so that importing an estimator imports no numba.
"""

from importlib import import_module
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}._{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}._{name}":
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from error
    globals()[name] = module  # the next access does not come here
    return module
