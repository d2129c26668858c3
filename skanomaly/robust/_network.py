"""A dense network whose parameters are one flat vector, trained by Adam."""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax, softmax

from skanomaly import _kernels

__all__ = ["Network", "batch_bounds", "classification_terms", "regression_terms"]


class Network:
    """Dense network with rectified linear units; without hidden layers it is a linear model.

    Parameters
    ----------
    sizes : sequence of int
        Number of units of each layer, from the input to the output.
    random : numpy.random.Generator
        Draws the initial weights by He's rule; those of a linear model are 0.
    dtype : dtype
        float32 or float64: the dtype of parameters and arithmetic.
    """

    def __init__(self, sizes: list[int], random: np.random.Generator, dtype: np.dtype) -> None:
        self.sizes = list(sizes)
        shapes = list(itertools.pairwise(sizes))
        self.parameters = np.zeros(sum((fan_in + 1) * fan_out for fan_in, fan_out in shapes), dtype=dtype)
        self.first = np.zeros_like(self.parameters)
        self.second = np.zeros_like(self.parameters)
        self.n_steps = 0
        if len(shapes) > 1:
            for index, (weights, _) in enumerate(self.layers(self.parameters)):
                gain = 1.0 if index == len(shapes) - 1 else 2.0
                weights[:] = random.normal(0.0, np.sqrt(gain / weights.shape[0]), size=weights.shape)

    def layers(self, flat: NDArray) -> list[tuple[NDArray, NDArray]]:
        """Return weights and bias of each layer as views of a flat vector."""
        views, start = [], 0
        for fan_in, fan_out in itertools.pairwise(self.sizes):
            middle = start + fan_in * fan_out
            views.append((flat[start:middle].reshape(fan_in, fan_out), flat[middle : middle + fan_out]))
            start = middle + fan_out
        return views

    def activations(self, X: NDArray) -> list[NDArray]:
        """Return the input, each hidden layer and the output for the rows of `X`."""
        outputs = [X]
        layers = self.layers(self.parameters)
        for index, (weights, bias) in enumerate(layers):
            output = outputs[-1] @ weights
            output += bias
            if index < len(layers) - 1:
                np.maximum(output, 0, out=output)
            outputs.append(output)
        return outputs

    def step(self, activations: list[NDArray], slopes: NDArray, *, penalty: float, rate: float) -> None:
        """Take a step of Adam; `slopes` is the gradient of the loss in the output, `penalty` excludes the biases."""
        gradient = np.empty_like(self.parameters)
        layers, gradients = self.layers(self.parameters), self.layers(gradient)
        slopes = slopes.astype(self.parameters.dtype, copy=False)
        for index in range(len(layers) - 1, -1, -1):
            weights, (weight_gradient, bias_gradient) = layers[index][0], gradients[index]
            np.matmul(activations[index].T, slopes, out=weight_gradient)
            weight_gradient += penalty * weights
            np.sum(slopes, axis=0, out=bias_gradient)
            if index > 0:
                slopes = slopes @ weights.T
                slopes *= activations[index] > 0
        self.n_steps += 1
        _kernels.masked_gradient.adam_step(self.parameters, gradient, self.first, self.second, rate, self.n_steps)


def batch_bounds(n_samples: int, batch_size: int) -> NDArray[np.intp]:
    """Divide `n_samples` rows into the fewest batches of at most `batch_size` rows, of nearly equal size."""
    n_batches = -(-n_samples // batch_size)
    return np.linspace(0, n_samples, n_batches + 1).astype(np.intp)


def regression_terms(
    outputs: NDArray, y: NDArray[np.float64], statistic: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the loss of each row, its gradient in the output, and the statistic (0: error, 1: loss)."""
    errors = y - outputs[:, 0].astype(np.float64)
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
        others = outputs.copy()
        others[rows, y] = -np.inf
        margins = outputs[rows, y] - others.max(axis=1)
    return losses, slopes, margins if statistic == 2 else losses
