"""Compile the kernels of estimators ahead of their first use."""

import difflib
import importlib
import inspect
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from skanomaly._cli._errors import InputError

__all__ = ["warm", "warmable"]

# The modules whose estimators run kernels of their own. Wrappers of other estimators compile what those compile.
_MODULES = ("detectors", "audit", "embeddings", "events", "impute", "sampling", "sequence", "threshold")
_NEEDS_WEIGHTS = {"ChronosEncoder"}  # of a network that is downloaded
_N_ROWS, _N_COLUMNS = 300, 3


def warmable() -> dict[str, type]:
    """Return the public estimators that can be built without arguments, by name.

    Returns
    -------
    dict of str to type
    """
    found = {}
    for module_name in _MODULES:
        module = importlib.import_module(f"skanomaly.{module_name}")
        for name in module.__all__:
            cls = getattr(module, name)
            if inspect.isclass(cls) and issubclass(cls, BaseEstimator) and not inspect.isabstract(cls):
                needed = [
                    parameter
                    for parameter in inspect.signature(cls).parameters.values()
                    if parameter.default is parameter.empty
                ]
                if hasattr(cls, "fit") and not needed and name not in _NEEDS_WEIGHTS:
                    found[name] = cls
    return found


def warm(names: list[str] | None = None) -> Iterator[tuple[str, float]]:
    """Fit estimators to small data, so that their kernels are compiled and cached on disk.

    Parameters
    ----------
    names : list of str, default=None
        Names of public estimators. None is all of :func:`warmable`.

    Yields
    ------
    tuple of str and float
        The name of an estimator that is compiled now, and the seconds it took.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    classes = warmable()
    for name in names or []:
        if name not in classes:
            close = difflib.get_close_matches(name, classes, n=3)
            hint = f" Did you mean {' or '.join(close)}?" if close else f" Choose one of {', '.join(sorted(classes))}."
            raise InputError(f"No estimator {name!r} can be compiled ahead.{hint}")
    for name in names or sorted(classes):
        start = time.perf_counter()
        _use(classes[name])
        yield name, time.perf_counter() - start


def _use(cls: type) -> None:
    from skanomaly.sequence import SeriesDetector

    estimator = cls()
    seeded = {name: 0 for name in estimator.get_params(deep=False) if name == "random_state"}
    estimator.set_params(**seeded)
    tags = get_tags(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what small data are warned of is no news here
        for X in _data(tags, table=not issubclass(cls, SeriesDetector)):
            y = np.arange(len(X)) % 10 == 0
            fit = estimator.fit_resample if hasattr(estimator, "fit_resample") else estimator.fit
            fit(X, *([np.where(y, -1, 1)] if tags.target_tags.required else []))
            for method in ("score_samples", "transform"):
                if hasattr(estimator, method):
                    getattr(estimator, method)(X)
                    if isinstance(X, np.ndarray) and X.ndim == 2:
                        getattr(estimator, method)(X[1:2])  # its columns are contiguous, which is another layout
                    break


def _data(tags: Any, *, table: bool) -> Iterator[Any]:
    """Yield small data of the kind that an estimator with these tags takes."""
    random = np.random.RandomState(0)
    if tags.input_tags.two_d_array:
        X = 1.0 + np.abs(random.normal(size=(_N_ROWS, _N_COLUMNS)))
        if tags.input_tags.allow_nan and not tags.target_tags.required:
            X[::50, 0] = np.nan
        hours = pd.date_range("2026-01-05", periods=_N_ROWS, freq="h")  # which detectors of series may ask for
        yield X if table else pd.DataFrame(X, index=hours)
        yield X.astype(np.float32) if table else pd.DataFrame(X.astype(np.float32), index=hours)
    elif tags.input_tags.string:
        yield [list("abcab"[: 3 + turn % 3]) for turn in range(_N_ROWS)]
    elif tags.input_tags.three_d_array:
        yield random.normal(size=(30, 4, _N_COLUMNS))
    else:
        yield list(random.normal(size=(30, 50, 1)))
