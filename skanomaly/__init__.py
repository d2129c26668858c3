"""Anomaly detection in scikit-learn's API, from a raw table or sequence to a decision you can explain and defend."""

from importlib import import_module
from types import ModuleType

__version__ = "0.1.0.dev0"

__all__ = [
    "__version__",
    "audit",
    "base",
    "chunks",
    "datasets",
    "detectors",
    "embeddings",
    "events",
    "generation",
    "impute",
    "inspection",
    "metrics",
    "model_selection",
    "robust",
    "sampling",
    "sequence",
    "threshold",
]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
