"""Adam, by definition."""

import numpy as np


def adam(parameters, gradient, first, second, rate, step):
    first = 0.9 * first + 0.1 * gradient
    second = 0.999 * second + 0.001 * gradient**2
    move = rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return parameters - move, first, second
