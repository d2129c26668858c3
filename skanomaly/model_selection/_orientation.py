"""Metrics whose positive class is 1, as in scikit-learn, wrapped to take this package's labels and scores."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["check_parameters", "oriented_metric"]


def oriented_metric(
    metric: Callable[..., float], parameters: Mapping[str, Any] | None = None, *, response: str = "score"
) -> Callable[..., float]:
    """Return a metric of labels +1 and -1 and of scores of which lower is more anomalous.

    Parameters
    ----------
    metric : callable
        Returned unchanged, unless it is one of scikit-learn's or has a `pos_label` that is 1 by default.
    parameters : mapping or None, default=None
        Parameters that it will be called with; with a `pos_label` among them the metric is returned unchanged.
    response : {"score", "predict"}, default="score"
        Whether the metric compares labels with scores or with predictions.

    Returns
    -------
    callable
    """
    function, given = metric, set(parameters or ())
    while isinstance(function, partial):
        given |= set(function.keywords)
        function = function.func
    if "pos_label" in given or not _takes_one(function):
        return metric
    return _AnomalyIsOne(metric, response)


def check_parameters(metric: Callable[..., float], parameters: Mapping[str, Any]) -> None:
    """Raise for parameters that a metric does not take.

    Parameters
    ----------
    metric : callable
    parameters : mapping

    Raises
    ------
    TypeError
        If the metric's signature is known and lacks one of them.
    """
    known = _signature(metric)
    if known is None or any(each.kind is inspect.Parameter.VAR_KEYWORD for each in known.values()):
        return
    wrong = [name for name in parameters if name not in known]
    if wrong:
        taken = ", ".join(list(known)[2:]) or "none"
        name = getattr(metric, "__name__", repr(metric))
        raise TypeError(f"{name} takes no parameter {', '.join(map(repr, wrong))}; it takes: {taken}.")


def _takes_one(function: Callable[..., float]) -> bool:
    if (getattr(function, "__module__", None) or "").partition(".")[0] == "sklearn":
        return True
    known = _signature(function) or {}
    default = known["pos_label"].default if "pos_label" in known else None
    return isinstance(default, int) and default == 1


def _signature(function: Callable[..., float]) -> Mapping[str, inspect.Parameter] | None:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # some compiled functions have no signature
        return None


class _AnomalyIsOne:
    """Calls a metric with 1 for an anomaly, 0 for a normal row, and scores that are large for anomalies."""

    def __init__(self, metric: Callable[..., float], response: str) -> None:
        self._metric = metric
        self._response = response

    def __call__(self, y_true: NDArray[Any], response: NDArray[Any], **parameters: Any) -> float:
        """Convert labels and scores, or predictions, and compare them."""
        turned = (response == -1).astype(np.int64) if self._response == "predict" else -response
        return self._metric((y_true == -1).astype(np.int64), turned, **parameters)
