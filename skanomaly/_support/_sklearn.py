"""The only file that may import underscored names of scikit-learn."""

import importlib
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._param_validation import validate_params as _validate_params
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.metaestimators import _BaseComposition as BaseComposition
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "BaseComposition",
    "CallbackSupport",
    "HasMethods",
    "Interval",
    "Options",
    "RealNotInt",
    "StrOptions",
    "callback_management",
    "check_sample_weight",
    "fit_context",
    "openmp_threads",
    "output_container",
    "safe_indexing",
    "validate_parameter_constraints",
    "validate_params",
]

Function = TypeVar("Function", bound=Callable[..., Any])
CallbackSupport: Any
callback_management: Any
try:  # scikit-learn 1.9 and later
    CallbackSupport = importlib.import_module("sklearn.callback").CallbackSupportMixin
    callback_management = importlib.import_module("sklearn.callback._callback_support").callback_management_context
except ImportError:
    CallbackSupport, callback_management = type("CallbackSupport", (), {}), nullcontext


def output_container(estimator: Any) -> str:
    """Return what ``transform`` is to give: "default", "pandas" or "polars".

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    str
    """
    return str(_get_output_config("transform", estimator)["dense"])


def validate_params(
    constraints: dict[str, list[Any]], *, prefer_skip_nested_validation: bool
) -> Callable[[Function], Function]:
    """Return scikit-learn's decorator that checks a function's arguments by constraints, and keeps its type.

    Parameters
    ----------
    constraints : dict of str to list
        Per argument, as in an estimator's ``_parameter_constraints``.
    prefer_skip_nested_validation : bool
        As in scikit-learn.

    Returns
    -------
    callable
    """
    return _validate_params(constraints, prefer_skip_nested_validation=prefer_skip_nested_validation)


def openmp_threads() -> int:
    """Return the number of threads that scikit-learn's own compiled loops would use here and now.

    Returns
    -------
    int
    """
    return int(_openmp_effective_n_threads())
