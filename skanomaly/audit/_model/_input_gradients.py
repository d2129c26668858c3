"""Loss of a fitted model for each row, its gradient in the row, and the outputs before the last activation."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from sklearn.base import is_classifier, is_regressor

from skanomaly._support._scales import column_scale

__all__ = ["Evaluate", "evaluation"]

Floats = NDArray[np.float64]
Evaluate = Callable[[Floats], tuple[Floats, Floats, Floats]]
_STEP = 1e-4  # of the standard deviation of a column
_LEAST_PROBABILITY = 1e-12
_SLOPES: dict[str, Callable[[Floats], Floats]] = {
    "identity": np.ones_like,
    "logistic": lambda outputs: outputs * (1 - outputs),
    "tanh": lambda outputs: 1 - outputs**2,
    "relu": lambda outputs: (outputs > 0).astype(np.float64),
}
_ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "identity": lambda values: values,
    "logistic": lambda values: 0.5 * (1 + np.tanh(values / 2)),
    "tanh": np.tanh,
    "relu": lambda values: np.maximum(values, 0.0),
}


def evaluation(model: Any, X: Floats, y: NDArray[Any]) -> Evaluate:
    """Return a function of rows that gives the losses of shape (n,), gradients (n, d) and outputs (n, n_outputs).

    Linear models and dense networks (``coefs_`` is a list) have exact gradients. Others are differentiated numerically,
    two predictions for each column.

    Parameters
    ----------
    model : fitted estimator, or callable
        A callable ``model(X, y)`` returns losses and gradients itself; its outputs are the losses.
    X : ndarray of shape (n, d)
        Where numerical steps are needed, their size follows the columns.
    y : ndarray of shape (n,)

    Returns
    -------
    callable
    """
    estimator = hasattr(model, "__sklearn_tags__")
    if not estimator or not (is_classifier(model) or is_regressor(model)):
        if estimator or not callable(model):
            raise TypeError(f"model must be a classifier, a regressor or a function of X and y; got {model!r}.")
        return lambda rows: _called(model, rows, y)
    targets = _codes(model, y) if is_classifier(model) else y.astype(np.float64)
    loss = _cross_entropy if is_classifier(model) else _squared
    if isinstance(getattr(model, "coefs_", None), list):  # a dense network: scikit-learn's, or one of ours
        layers = list(zip(model.coefs_, model.intercepts_, strict=True))
        return lambda rows: _through(layers, getattr(model, "activation", "relu"), rows, targets, loss)
    if hasattr(model, "coef_") and hasattr(model, "intercept_") and not hasattr(model, "steps"):
        weights = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64)).T
        layers = [(weights, np.atleast_1d(np.asarray(model.intercept_, dtype=np.float64)))]
        return lambda rows: _through(layers, "identity", rows, targets, loss)
    steps = _STEP * column_scale(X)
    return lambda rows: _numerical(model, rows, targets, steps)


def _codes(model: Any, y: NDArray[Any]) -> NDArray[np.intp]:
    classes = np.asarray(model.classes_)
    places = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
    if (classes[places] != y).any():
        raise ValueError(f"y holds {y[classes[places] != y][0]!r}, which is no class of the model: {classes!s:.60}.")
    return places


def _called(model: Any, X: Floats, y: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    losses, gradients = (np.asarray(part, dtype=np.float64) for part in model(X, y))
    if losses.shape != (len(X),) or gradients.shape != X.shape:
        raise ValueError(
            f"model returns losses of shape {losses.shape} and gradients of shape {gradients.shape}; they must be "
            f"{(len(X),)} and {X.shape}."
        )
    return losses, gradients, losses[:, None]


def _cross_entropy(outputs: Floats, y: NDArray[np.intp]) -> tuple[Floats, Floats]:
    rows = np.arange(len(y))
    if outputs.shape[1] == 1:  # two classes have one logit
        signs = 2.0 * y - 1.0
        margins = signs * outputs[:, 0]
        return np.logaddexp(0.0, -margins), (-signs * 0.5 * (1 - np.tanh(margins / 2)))[:, None]
    slopes = softmax(outputs, axis=1)
    slopes[rows, y] -= 1.0
    return -log_softmax(outputs, axis=1)[rows, y], slopes


def _squared(outputs: Floats, y: Floats) -> tuple[Floats, Floats]:
    errors = outputs[:, 0] - y
    return 0.5 * errors**2, errors[:, None]


def _through(
    layers: list[tuple[Floats, Floats]], activation: str, X: Floats, y: NDArray[Any], loss: Any
) -> tuple[Floats, Floats, Floats]:
    """Run rows forward through a dense network, and the slope of the loss back to them."""
    hidden = [X]
    for place, (weights, bias) in enumerate(layers):
        values = hidden[-1] @ weights + bias
        hidden.append(values if place == len(layers) - 1 else _ACTIVATIONS[activation](values))
    losses, slopes = loss(hidden[-1], y)
    for place in range(len(layers) - 1, -1, -1):
        slopes = slopes @ layers[place][0].T
        if place > 0:
            slopes = slopes * _SLOPES[activation](hidden[place])
    return losses, slopes, hidden[-1]


def _numerical(model: Any, X: Floats, y: NDArray[Any], steps: Floats) -> tuple[Floats, Floats, Floats]:
    losses, outputs = _losses(model, X, y)
    gradients = np.empty_like(X)
    for column, step in enumerate(steps):
        moved = X.copy()
        moved[:, column] += step
        above = _losses(model, moved, y)[0]
        moved[:, column] -= 2 * step
        gradients[:, column] = (above - _losses(model, moved, y)[0]) / (2 * step)
    return losses, gradients, outputs


def _losses(model: Any, X: Floats, y: NDArray[Any]) -> tuple[Floats, Floats]:
    if is_regressor(model):
        predicted = np.asarray(model.predict(X), dtype=np.float64).reshape(len(X), -1)
        return _squared(predicted, y)[0], predicted
    if not hasattr(model, "predict_proba"):
        raise TypeError(f"{model!r} has no predict_proba, so its loss is not known. Give a function of X and y.")
    logs = np.log(np.maximum(np.asarray(model.predict_proba(X), dtype=np.float64), _LEAST_PROBABILITY))
    return -logs[np.arange(len(y)), y], logs
