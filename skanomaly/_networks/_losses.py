"""Losses of outputs and their gradients: each function returns the mean loss and its gradient in the outputs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax

__all__ = [
    "contrast",
    "cosine_error",
    "deep_sad",
    "hinge",
    "logistic",
    "margin",
    "partner_mixture",
    "partner_slopes",
    "projection_outlyingness",
    "soft_boundary",
    "squared_error",
    "svdd",
    "uncertain_error",
]

Array = NDArray[Any]
Loss = tuple[float, Array]
_TINY = 1e-12
_SMOOTH = 1e-3  # norms below are not divided by


def squared_error(outputs: Array, targets: Array) -> Loss:
    """Mean squared error over rows and columns."""
    errors = outputs - targets
    loss = float(np.vdot(errors, errors)) / errors.size
    errors *= errors.dtype.type(2.0 / errors.size)
    return loss, errors


def uncertain_error(outputs: Array, targets: Array) -> Loss:
    """Squared error over a predicted variance, plus its logarithm; the second half of the outputs is the logarithm."""
    n_columns = targets.shape[1]
    errors, logs = outputs[:, :n_columns] - targets, outputs[:, n_columns:]
    precision = np.exp(-logs)
    relative = precision * errors * errors
    loss = float((relative + logs).mean())
    slopes = np.concatenate([2 * precision * errors, 1 - relative], axis=1)
    slopes /= slopes.dtype.type(errors.size)
    return loss, slopes


def cosine_error(outputs: Array, targets: Array) -> Loss:
    """One minus the cosine of output and target, mean over rows; 1 where one of them is 0."""
    lengths = np.sqrt((outputs * outputs).sum(axis=1, keepdims=True) + outputs.dtype.type(_SMOOTH**2))
    wanted = targets / np.maximum(np.linalg.norm(targets, axis=1, keepdims=True), _TINY)
    units = outputs / lengths
    cosines = (units * wanted).sum(axis=1, keepdims=True)
    slopes = (cosines * units - wanted) / (lengths * len(outputs))
    return float(1 - cosines.mean()), slopes.astype(outputs.dtype, copy=False)


def svdd(outputs: Array, center: Array) -> Loss:
    """Squared distance to a fixed centre, mean over rows."""
    differences = outputs - center
    loss = float(np.vdot(differences, differences)) / len(outputs)
    differences *= differences.dtype.type(2.0 / len(outputs))
    return loss, differences


def soft_boundary(outputs: Array, center: Array, squared_radius: float, nu: float) -> Loss:
    """Squared radius plus the mean squared distance beyond it, divided by `nu`."""
    differences = outputs - center
    beyond = np.einsum("ij,ij->i", differences, differences) - squared_radius
    outside = beyond > 0
    loss = squared_radius + float(beyond[outside].sum()) / (nu * len(outputs))
    differences *= differences.dtype.type(2.0 / (nu * len(outputs)))
    differences[~outside] = 0
    return loss, differences


def deep_sad(outputs: Array, center: Array, labels: NDArray[np.int8], eta: float, offset: float) -> Loss:
    """Squared distance of unlabelled rows, `eta` times that of normal ones, and its inverse of anomalies."""
    differences = outputs - center
    squares = np.einsum("ij,ij->i", differences, differences)
    anomalous = labels < 0
    inverses = 1.0 / (squares + offset)
    losses = np.where(anomalous, eta * inverses, np.where(labels > 0, eta, 1.0) * squares)
    factors = np.where(anomalous, -eta * inverses * inverses, np.where(labels > 0, eta, 1.0))
    differences *= (factors * (2.0 / len(outputs))).astype(differences.dtype)[:, None]
    return float(losses.mean()), differences


def margin(outputs: Array, center: Array, labels: NDArray[np.int8], width: float) -> Loss:
    """Squared distance of rows, and the squared shortfall of an anomaly's distance to the margin."""
    differences = outputs - center
    distances = np.sqrt(np.einsum("ij,ij->i", differences, differences))
    anomalous = labels < 0
    short = np.maximum(width - distances, 0)
    losses = np.where(anomalous, short * short, distances * distances)
    factors = np.where(anomalous, -2 * short / np.maximum(distances, _TINY), 2.0)
    differences *= (factors / len(outputs)).astype(differences.dtype)[:, None]
    return float(losses.mean()), differences


def projection_outlyingness(outputs: Array, targets: Array) -> Loss:
    """Absolute error of predicted outlyingness along projections, mean over rows and projections."""
    errors = outputs - targets
    slopes = np.sign(errors)
    slopes /= slopes.dtype.type(errors.size)
    return float(np.abs(errors).mean()), slopes


def hinge(outputs: Array, signs: Array, width: float) -> Loss:
    """Shortfall of the output, times the sign of its row, to a margin; the means of both signs count alike."""
    weights = _balanced(signs)
    short = width - signs * outputs[:, 0]
    active = short > 0
    slopes = np.where(active, -signs * weights, 0)[:, None]
    return float((weights * np.where(active, short, 0)).sum()), slopes.astype(outputs.dtype, copy=False)


def logistic(outputs: Array, signs: Array) -> Loss:
    """Log-loss of the sign of a row; the means of both signs count alike."""
    weights = _balanced(signs)
    margins = signs * outputs[:, 0].astype(np.float64)
    slopes = (-signs * weights * expit(-margins))[:, None]
    return float(-(weights * log_expit(margins)).sum()), slopes.astype(outputs.dtype, copy=False)


def _balanced(signs: Array) -> Array:
    """Return weights that sum to 1 for each sign."""
    positive = signs > 0
    n_positive = int(np.count_nonzero(positive))
    return np.where(positive, 1.0 / max(n_positive, 1), 1.0 / max(signs.size - n_positive, 1))


def contrast(first: Array, second: Array, temperature: float) -> tuple[float, Array, Array]:
    """Loss of telling the second view of a row from all other views of a batch, and its gradient in both views.

    Parameters
    ----------
    first, second : ndarray of shape (n_rows, n_outputs)
        Unit vectors: two views of each row.
    temperature : float

    Returns
    -------
    loss : float
    first_slopes, second_slopes : ndarray of shape (n_rows, n_outputs)
    """
    n_rows = len(first)
    views = np.concatenate([first, second]).astype(np.float64)
    similarities = views @ views.T / temperature
    np.fill_diagonal(similarities, -np.inf)
    partners = np.roll(np.arange(2 * n_rows), n_rows)
    places = np.arange(2 * n_rows)
    loss = -float(log_softmax(similarities, axis=1)[places, partners].mean())
    slopes = softmax(similarities, axis=1)
    slopes[places, partners] -= 1.0
    slopes /= 2 * n_rows * temperature
    found = ((slopes + slopes.T) @ views).astype(first.dtype)
    return loss, found[:n_rows], found[n_rows:]


def partner_mixture(predicted: Array, tokens: Array, log_variance: float, hidden: Array) -> tuple[Array, Array, Array]:
    """Negative log-likelihood of tokens under a mixture of normal distributions around predictions of one variance.

    Parameters
    ----------
    predicted : ndarray of shape (n_sets, n_predicted, n_columns)
    tokens : ndarray of shape (n_sets, n_tokens, n_columns)
    log_variance : float
    hidden : ndarray of shape (n_sets or 1, n_tokens or 1, n_predicted)
        Added to the log-likelihoods: a large negative number leaves a prediction out.

    Returns
    -------
    losses : ndarray of shape (n_sets, n_tokens)
        Without the constant of normal distributions.
    shares : ndarray of shape (n_sets, n_tokens, n_predicted)
        Fraction of each prediction in the likelihood of a token.
    squares : ndarray of shape (n_sets, n_tokens, n_predicted)
        Squared distances.
    """
    squares = (tokens * tokens).sum(axis=-1)[:, :, None] + (predicted * predicted).sum(axis=-1)[:, None, :]
    squares = np.maximum(squares - 2 * (tokens @ predicted.swapaxes(-1, -2)), 0)
    logits = squares * tokens.dtype.type(-0.5 * np.exp(-log_variance)) + hidden
    largest = logits.max(axis=-1, keepdims=True)
    shares = np.exp(logits - largest)
    totals = shares.sum(axis=-1, keepdims=True)
    shares /= totals
    losses = 0.5 * tokens.shape[-1] * log_variance - (largest + np.log(totals))[..., 0]
    return losses, shares, squares


def partner_slopes(
    predicted: Array, tokens: Array, log_variance: float, shares: Array, squares: Array, weights: Array
) -> tuple[Array, float]:
    """Return the gradients of weighted losses of `partner_mixture` in the predictions and in the log-variance.

    Parameters
    ----------
    predicted, tokens, log_variance, shares, squares
        As given to that function and returned by it.
    weights : ndarray of shape (n_sets, n_tokens)

    Returns
    -------
    slopes : ndarray of shape (n_sets, n_predicted, n_columns)
    slope : float
    """
    precision = tokens.dtype.type(np.exp(-log_variance))
    parts = shares * weights[:, :, None]
    slopes = precision * (parts.sum(axis=1)[:, :, None] * predicted - parts.swapaxes(-1, -2) @ tokens)
    slope = 0.5 * tokens.shape[-1] * float(weights.sum()) - 0.5 * float(precision) * float((parts * squares).sum())
    return slopes, slope
