"""Objectives of autoencoders: an encoder, something in the middle, and a decoder.

A middle takes the outputs of the encoder and returns the code that the decoder gets, a loss of its own, and a function
from the gradient in the code to that in the outputs.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks._losses import squared_error
from skanomaly._networks._network import Network

__all__ = [
    "DECODER",
    "ENCODER",
    "MEMORY",
    "Code",
    "Pass",
    "corrupted",
    "on_spheres",
    "plain",
    "recall",
    "reconstruct",
    "sampled",
]

ENCODER, DECODER, MEMORY = "encoder", "decoder", "memory"
Array = NDArray[Any]
_TINY = 1e-12
_SMOOTH = 1e-3  # norms below are not divided by
_LARGEST_LOG = 20.0


class Code(NamedTuple):
    """What a middle returns."""

    code: Array
    loss: float
    back: Callable[[Array], Array]


class Pass(NamedTuple):
    """What was computed on the way through an autoencoder."""

    loss: float
    code: Array
    outputs: Array


def plain(outputs: Array) -> Code:
    """Return the outputs of the encoder as the code."""
    return Code(outputs, 0.0, lambda slopes: slopes)


def _lengths(vectors: Array) -> Array:
    """Return norms along the last axis that are smooth at 0."""
    return np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True) + vectors.dtype.type(_SMOOTH**2))


def on_spheres(outputs: Array, size: int) -> Code:
    """Divide each group of `size` outputs by its norm: a code on a sphere, or on a product of circles."""
    groups = outputs.reshape(len(outputs), -1, size)
    lengths = _lengths(groups)
    units = groups / lengths

    def back(slopes: Array) -> Array:
        parts = slopes.reshape(units.shape)
        return ((parts - units * (units * parts).sum(axis=2, keepdims=True)) / lengths).reshape(outputs.shape)

    return Code(units.reshape(outputs.shape), 0.0, back)


def sampled(outputs: Array, centers: Array | float, noise: Array, weight: float) -> Code:
    """Draw a code from the normal distribution whose means and log-variances are the outputs.

    The loss is the divergence from a standard normal distribution around `centers`, mean over rows and code.
    """
    n_code = outputs.shape[1] // 2
    means, logs = outputs[:, :n_code], np.clip(outputs[:, n_code:], -_LARGEST_LOG, _LARGEST_LOG)
    inside = np.abs(outputs[:, n_code:]) < _LARGEST_LOG
    variances = np.exp(logs)
    spread = np.sqrt(variances) * noise
    away = means - centers
    loss = weight * float(0.5 * (away * away + variances - logs - 1).mean())
    share = weight / means.size

    def back(slopes: Array) -> Array:
        log_slopes = 0.5 * slopes * spread + 0.5 * share * (variances - 1)
        return np.concatenate([slopes + share * away, log_slopes * inside], axis=1).astype(outputs.dtype, copy=False)

    return Code((means + spread).astype(outputs.dtype, copy=False), loss, back)


def recall(network: Network, outputs: Array, shrink: float, weight: float, *, learn: bool = True) -> Code:
    """Replace the outputs by a mean of stored codes, weighted by similarity; small weights are set to 0.

    The loss is the entropy of the weights, mean over rows.
    """
    memory = network.array(MEMORY)
    lengths, sizes = _lengths(outputs), _lengths(memory)
    units, slots = outputs / lengths, memory / sizes
    similarities = units @ slots.T
    raw = np.exp(similarities - similarities.max(axis=1, keepdims=True))
    raw /= raw.sum(axis=1, keepdims=True)
    positive = raw > shrink
    kept = np.where(positive, raw, 0)
    # Without a weight above the limit the largest stays.
    empty = ~positive.any(axis=1)
    kept[empty] = raw[empty]
    totals = kept.sum(axis=1, keepdims=True)
    weights = kept / totals
    logs = np.log(weights + _TINY)
    loss = weight * float(-(weights * logs).sum(axis=1).mean())
    through = positive | empty[:, None]

    def back(slopes: Array) -> Array:
        weight_slopes = slopes @ memory.T - (weight / len(outputs)) * (logs + weights / (weights + _TINY))
        kept_slopes = (weight_slopes - (weight_slopes * weights).sum(axis=1, keepdims=True)) / totals
        raw_slopes = kept_slopes * through
        similar = raw * (raw_slopes - (raw_slopes * raw).sum(axis=1, keepdims=True))
        unit_slopes, slot_slopes = similar @ slots, similar.T @ units
        slot_slopes = (slot_slopes - slots * (slots * slot_slopes).sum(axis=1, keepdims=True)) / sizes
        if learn:
            network.add_to_array(MEMORY, weights.T @ slopes + slot_slopes)
        found = (unit_slopes - units * (units * unit_slopes).sum(axis=1, keepdims=True)) / lengths
        return found.astype(outputs.dtype, copy=False)

    return Code((weights @ memory).astype(outputs.dtype, copy=False), loss, back)


def reconstruct(
    network: Network,
    inputs: Array,
    targets: Array,
    *,
    middle: Callable[[Array], Code] = plain,
    error: Callable[[Array, Array], tuple[float, Array]] = squared_error,
    weight: float = 1.0,
    consistency: float = 0.0,
) -> Pass:
    """Add the gradient of the error of a reconstruction.

    Parameters
    ----------
    network : Network
        With the layers "encoder" and "decoder".
    inputs, targets : ndarray of shape (n_rows, n_features)
    middle, error : callable
    weight : float, default=1.0
        Factor of the errors, not of the loss of the middle.
    consistency : float, default=0.0
        Weight of the squared distance between the code and the code of the reconstruction, with a plain middle.

    Returns
    -------
    Pass
    """
    encoded = network.forward(ENCODER, inputs)
    found = middle(encoded[-1])
    decoded = network.forward(DECODER, found.code)
    loss, slopes = error(decoded[-1], targets)
    code_slopes: Array | float = 0.0
    if consistency:
        again = network.forward(ENCODER, decoded[-1])
        away, again_slopes = squared_error(again[-1], found.code)
        loss += consistency * away
        again_slopes *= again_slopes.dtype.type(consistency * weight)
        code_slopes = -again_slopes
        back = network.backward(ENCODER, again, again_slopes, inputs=True)
        slopes = slopes * slopes.dtype.type(weight) + back
    elif weight != 1.0:
        slopes *= slopes.dtype.type(weight)
    code_slopes = network.backward(DECODER, decoded, slopes, inputs=True) + code_slopes
    network.backward(ENCODER, encoded, found.back(code_slopes))
    return Pass(weight * loss + found.loss, found.code, decoded[-1])


def corrupted(rows: Array, kind: str, rate: float, random: np.random.Generator) -> Array:
    """Return standardised rows with noise, with values set to 0, or with values of other rows of the batch.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
    kind : {"gaussian", "mask", "swap"}
    rate : float
        Standard deviation of the noise, or fraction of the values that change.
    random : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_rows, n_features)
    """
    if kind == "gaussian":
        return rows + rows.dtype.type(rate) * random.standard_normal(rows.shape, dtype=rows.dtype)
    chosen = random.random(rows.shape) < rate
    if kind == "mask":
        return np.where(chosen, rows.dtype.type(0), rows)
    donors = random.integers(len(rows), size=rows.shape)
    return np.where(chosen, np.take_along_axis(rows, donors, axis=0), rows)
