"""Adam: a step along the gradient, divided by its recent size."""

import numpy as np

from skanomaly._kernels._jit import kernel

__all__ = ["adam_step"]


@kernel
def adam_step(parameters, gradient, first, second, rate, step):
    """One step of Adam, in place: moments decay by 0.9 and 0.999, bias corrected, 1e-8 in the denominator.

    Parameters
    ----------
    parameters, gradient, first, second : ndarray of shape (n_parameters,)
        float32 or float64, in which the arithmetic is done; `parameters` and the two moments are updated.
    rate : float
    step : int
        Number of this step, from 1.

    Notes
    -----
    Kingma and Ba (2015), algorithm 1. Arithmetic in float32 is four times as fast as in float64.
    """
    real = parameters.dtype.type
    first_bias = real(1.0 / (1.0 - 0.9**step))
    second_bias = real(1.0 / (1.0 - 0.999**step))
    keep_first, add_first = real(0.9), real(0.1)
    keep_second, add_second = real(0.999), real(0.001)
    size, tiny = real(rate), real(1e-8)
    for index in range(parameters.size):
        slope = gradient[index]
        first[index] = keep_first * first[index] + add_first * slope
        second[index] = keep_second * second[index] + add_second * slope * slope
        parameters[index] -= size * (first[index] * first_bias) / (np.sqrt(second[index] * second_bias) + tiny)
