"""The network of the robust estimators, and the losses of its outputs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax, softmax

from skanomaly._networks._network import Layers, Network
from skanomaly.robust._contradictions import label_margins

__all__ = ["DENSE", "classification_terms", "dense_network", "regression_terms", "take_step"]

DENSE = "dense"  # name of the layers


def dense_network(sizes: list[int], random: np.random.Generator, dtype: Any) -> Network:
    """Return a network of dense layers; without hidden layers it is a linear model, which starts from 0."""
    network = Network({DENSE: Layers(tuple(sizes))}, random, dtype)
    if len(sizes) == 2:
        network.parameters[:] = 0
    return network


def take_step(network: Network, activations: list[NDArray], slopes: NDArray, *, penalty: float, rate: float) -> None:
    """Take a step of Adam; `slopes` is the gradient of the loss in the output, `penalty` excludes the biases."""
    network.backward(DENSE, activations, slopes)
    network.add_penalty(penalty)
    network.step(rate)


def regression_terms(
    outputs: NDArray, y: NDArray[np.float64], statistic: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the loss of each row, its gradient in the output, and the statistic (0: error, 1: loss)."""
    errors = y - outputs[:, 0].astype(np.float64)
    with np.errstate(over="ignore"):  # the loss of a huge error is infinite, the error itself is not
        losses = 0.5 * errors**2
    return losses, -errors[:, None], errors if statistic == 0 else losses


def classification_terms(
    outputs: NDArray, y: NDArray[np.intp], statistic: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the cross-entropy of each row, its gradient in the outputs, and the statistic (1: loss, 2: margin)."""
    outputs = outputs.astype(np.float64)
    rows = np.arange(y.size)
    if outputs.shape[1] == 1:  # two classes have one logit
        signs = 2.0 * y - 1.0
        margins = signs * outputs[:, 0]
        losses = -log_expit(margins)
        slopes = (-signs * np.exp(log_expit(-margins)))[:, None]
    else:
        losses = -log_softmax(outputs, axis=1)[rows, y]
        slopes = softmax(outputs, axis=1)
        slopes[rows, y] -= 1.0
        margins = label_margins(outputs, y)
    return losses, slopes, margins if statistic == 2 else losses
