"""Dense layers whose parameters are one flat vector, their gradients, and steps of Adam."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels

__all__ = ["Layers", "Network", "layer_sizes"]

Array = NDArray[Any]


def layer_sizes(given: Any, default: list[int]) -> list[int]:
    """Return the sizes of hidden layers, from the parameter of that name.

    Parameters
    ----------
    given : sequence of int, int or None
    default : list of int
        Where `given` is None.

    Returns
    -------
    list of int

    Raises
    ------
    ValueError
        If a size is no integer of at least 1, or there is none.
    """
    if given is None:
        return default
    sizes = np.atleast_1d(given)
    if sizes.ndim != 1 or sizes.dtype.kind not in "iu" or not sizes.size or (sizes < 1).any():
        raise ValueError(f"hidden_layer_sizes={given!r} must be integers of at least 1, or None.")
    return [int(size) for size in sizes]


@dataclass(frozen=True)
class Layers:
    """Dense layers, one after the other, with rectified linear units between them.

    Parameters
    ----------
    sizes : tuple of int
        Number of units from the input to the output; two numbers are a linear map.
    bias : bool, default=True
    leak : float, default=0.0
        Slope of a unit below 0.
    identity : bool, default=False
        Start a linear map of equal sizes from the identity.
    """

    sizes: tuple[int, ...]
    bias: bool = True
    leak: float = 0.0
    identity: bool = False

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Shape of the weights of each layer."""
        return list(itertools.pairwise(self.sizes))

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return sum((fan_in + self.bias) * fan_out for fan_in, fan_out in self.shapes)


class Network:
    """Named groups of dense layers, and arrays of parameters, in one flat vector.

    Parameters
    ----------
    layers : mapping of str to Layers
    random : numpy.random.Generator
        Draws the initial weights, normal with variance 1 / (3 fan_in), and the arrays, standard normal; biases are 0.
    dtype : dtype
        float32 or float64: the dtype of parameters and arithmetic.
    arrays : mapping of str to tuple of int, optional
        Shapes of further parameters.

    Attributes
    ----------
    parameters, gradient, first, second : ndarray of shape (n_parameters,)
        Parameters, the gradient that was added up since the last step, and Adam's moments.
    n_steps : int
        Steps taken.

    Notes
    -----
    Rectified units double the variance of the usual scale (He's rule), which trains slower by far here: the variance is
    the one of a uniform distribution within one over the root of the number of inputs.
    """

    def __init__(
        self,
        layers: Mapping[str, Layers],
        random: np.random.Generator,
        dtype: Any,
        *,
        arrays: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        self.layers = dict(layers)
        self.arrays = {} if arrays is None else dict(arrays)
        self._spans: dict[str, tuple[int, int]] = {}
        start = 0
        for name, one in self.layers.items():
            self._spans[name] = (start, start + one.n_parameters)
            start += one.n_parameters
        for name, shape in self.arrays.items():
            self._spans[name] = (start, start + int(np.prod(shape)))
            start += int(np.prod(shape))
        self.parameters = np.zeros(start, dtype=dtype)
        self.gradient = np.zeros_like(self.parameters)
        self.first = np.zeros_like(self.parameters)
        self.second = np.zeros_like(self.parameters)
        self.n_steps = 0
        self._touched: set[str] = set()
        self._views: dict[str, list[tuple[Array, Array, Array, Array]]] = {}
        for name, one in self.layers.items():
            for weights, *_ in self._layer_views(name):
                if one.identity:
                    weights[:] = np.eye(*weights.shape)
                else:
                    weights[:] = random.normal(0.0, np.sqrt(1.0 / (3.0 * weights.shape[0])), size=weights.shape)
        for name in self.arrays:
            self.array(name)[:] = random.normal(size=self.arrays[name])

    def __getstate__(self) -> dict[str, Any]:
        """Leave the views out: they would become copies."""
        return {**self.__dict__, "_views": {}, "_touched": set()}

    def freeze(self) -> None:
        """Drop what only training needs."""
        self.gradient = self.first = self.second = self.parameters[:0].copy()
        self._views = {}
        self._touched = set()

    def _layer_views(self, name: str) -> list[tuple[Array, Array, Array, Array]]:
        """Return weights, bias, and their gradients, of each layer, as views of the flat vectors."""
        found = self._views.get(name)
        if found is None:
            found, start, one = [], self._spans[name][0], self.layers[name]
            for fan_in, fan_out in one.shapes:
                middle = start + fan_in * fan_out
                stop = middle + fan_out * one.bias
                weights, gradient = (
                    flat[start:middle].reshape(fan_in, fan_out) if flat.size else flat
                    for flat in (self.parameters, self.gradient)
                )
                found.append((weights, self.parameters[middle:stop], gradient, self.gradient[middle:stop]))
                start = stop
            self._views[name] = found
        return found

    def weights(self, name: str) -> list[tuple[Array, Array]]:
        """Return weights and bias of each layer of a group, as views; the bias of a layer without one is empty."""
        return [(weights, bias) for weights, bias, *_ in self._layer_views(name)]

    def array(self, name: str) -> Array:
        """Return an array of parameters, as a view."""
        start, stop = self._spans[name]
        return self.parameters[start:stop].reshape(self.arrays[name])

    def add_to_array(self, name: str, slopes: Array) -> None:
        """Add to the gradient of an array of parameters."""
        start, stop = self._spans[name]
        view = self.gradient[start:stop].reshape(self.arrays[name])
        if name in self._touched:
            view += slopes
        else:
            view[:] = slopes
            self._touched.add(name)

    def forward(self, name: str, rows: Array) -> list[Array]:
        """Return the input, each hidden layer and the output of a group of layers."""
        outputs = [rows]
        one, views = self.layers[name], self._layer_views(name)
        for index, (weights, bias, *_) in enumerate(views):
            output = outputs[-1] @ weights
            if one.bias:
                output += bias
            if index < len(views) - 1:
                if one.leak:
                    np.maximum(output, output.dtype.type(one.leak) * output, out=output)
                else:
                    np.maximum(output, 0, out=output)
            outputs.append(output)
        return outputs

    def backward(self, name: str, outputs: list[Array], slopes: Array, *, inputs: bool = False) -> Array:
        """Add the gradient of a group of layers, given that of its output.

        Parameters
        ----------
        name : str
        outputs : list of ndarray
            What `forward` returned.
        slopes : ndarray of shape (n_rows, n_outputs)
            Gradient of the loss in the output.
        inputs : bool, default=False
            Whether the gradient in the input is needed.

        Returns
        -------
        ndarray of shape (n_rows, n_inputs)
            Gradient in the input; without `inputs` that of the first layer's output.
        """
        return self._backward(name, outputs, slopes, inputs=inputs, parameters=True)

    def input_slopes(self, name: str, outputs: list[Array], slopes: Array) -> Array:
        """Return the gradient in the input, and add none to that of the parameters."""
        return self._backward(name, outputs, slopes, inputs=True, parameters=False)

    def _backward(self, name: str, outputs: list[Array], slopes: Array, *, inputs: bool, parameters: bool) -> Array:
        one, views = self.layers[name], self._layer_views(name)
        slopes = slopes.astype(self.parameters.dtype, copy=False)
        fresh = name not in self._touched
        for index in range(len(views) - 1, -1, -1):
            weights, _, weight_gradient, bias_gradient = views[index]
            if parameters and fresh:
                np.matmul(outputs[index].T, slopes, out=weight_gradient)
                if one.bias:
                    np.sum(slopes, axis=0, out=bias_gradient)
            elif parameters:
                weight_gradient += outputs[index].T @ slopes
                if one.bias:
                    bias_gradient += slopes.sum(axis=0)
            if index > 0 or inputs:
                slopes = slopes @ weights.T
            if index > 0:
                active = outputs[index] > 0
                slopes *= np.where(active, slopes.dtype.type(1), slopes.dtype.type(one.leak)) if one.leak else active
        if parameters:
            self._touched.add(name)
        return slopes

    def add_penalty(self, ridge: float) -> None:
        """Add the gradient of half the sum of squared weights, times `ridge`; biases are left out."""
        for name in self.layers:
            if name in self._touched:
                for weights, _, gradient, _ in self._layer_views(name):
                    np.add(gradient, ridge * weights, out=gradient)

    def clear(self) -> None:
        """Drop the gradient that was added up."""
        self._touched.clear()

    def total_gradient(self) -> Array:
        """Return the gradient, with 0 where nothing was added."""
        for name, (start, stop) in self._spans.items():
            if name not in self._touched:
                self.gradient[start:stop] = 0
        return self.gradient

    def step(self, rate: float) -> None:
        """Take a step of Adam along the gradient that was added up."""
        self.n_steps += 1
        gradient = self.total_gradient()
        _kernels.adam.adam_step(self.parameters, gradient, self.first, self.second, rate, self.n_steps)
        self._touched.clear()
