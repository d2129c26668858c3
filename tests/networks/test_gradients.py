"""Gradients of every objective, compared with finite differences."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skanomaly._networks import _autoencoding as auto
from skanomaly._networks import _losses as losses
from skanomaly._networks._network import Layers, Network

STEP = 1e-6
LABELS = np.array([0, 1, -1, 0, -1, 1, 0], dtype=np.int8)
SIGNS = np.where(LABELS < 0, -1.0, 1.0)


def _differences(function, values):
    """Central differences of a function of an array."""
    found = np.empty_like(values)
    for place in np.ndindex(values.shape):
        kept = values[place]
        values[place] = kept + STEP
        above = function()
        values[place] = kept - STEP
        below = function()
        values[place] = kept
        found[place] = (above - below) / (2 * STEP)
    return found


LOSSES = {
    "squared": losses.squared_error,
    "uncertain": lambda outputs, targets: losses.uncertain_error(outputs, targets[:, :2]),
    "cosine": losses.cosine_error,
    "svdd": lambda outputs, targets: losses.svdd(outputs, targets[0]),
    "soft boundary": lambda outputs, targets: losses.soft_boundary(outputs, targets[0], 4.0, 0.2),
    "deep sad": lambda outputs, targets: losses.deep_sad(outputs, targets[0], LABELS, 2.0, 0.1),
    "margin": lambda outputs, targets: losses.margin(outputs, targets[0], LABELS, 3.0),
    "projections": losses.projection_outlyingness,
    "hinge": lambda outputs, targets: losses.hinge(outputs[:, :1], SIGNS, 0.5),  # noqa: ARG005
    "logistic": lambda outputs, targets: losses.logistic(outputs[:, :1], SIGNS),  # noqa: ARG005
}


@pytest.mark.parametrize("name", LOSSES)
def test_slopes_of_a_loss_agree_with_finite_differences(name, seed):
    random = np.random.default_rng(seed)
    outputs, targets = random.normal(size=(2, 7, 4))
    slopes = LOSSES[name](outputs, targets)[1]
    expected = _differences(lambda: LOSSES[name](outputs, targets)[0], outputs)
    assert_allclose(slopes, expected[:, : slopes.shape[1]], atol=1e-7)


def test_slopes_of_contrast_agree_with_finite_differences(seed):
    first, second = np.random.default_rng(seed).normal(size=(2, 5, 3))
    _, *slopes = losses.contrast(first, second, 0.5)
    for views, found in zip((first, second), slopes, strict=True):
        expected = _differences(lambda: losses.contrast(first, second, 0.5)[0], views)
        assert_allclose(found, expected, atol=1e-7)


NOISE = np.random.default_rng(5).normal(size=(6, 4))
MIDDLES = {
    "plain": (4, 4, {}),
    "sphere": (4, 4, {"middle": partial(auto.on_spheres, size=4)}),
    "torus": (4, 4, {"middle": partial(auto.on_spheres, size=2)}),
    "variational": (8, 4, {"middle": partial(auto.sampled, centers=0.5, noise=NOISE, weight=0.3), "weight": 0.7}),
    "memory": (4, 4, {}),
    "uncertain": (4, 4, {"error": losses.uncertain_error}),
    "constrained": (4, 4, {"consistency": 0.4}),
}


@pytest.mark.parametrize("name", MIDDLES)
@pytest.mark.parametrize("leak", [0.0, 0.2])
def test_gradient_of_an_autoencoder_agrees_with_finite_differences(name, leak, seed):
    random = np.random.default_rng(seed)
    n_code, n_input, options = MIDDLES[name]
    n_columns = 10 if name == "uncertain" else 5
    network = Network(
        {
            auto.ENCODER: Layers((5, 6, n_code), leak=leak),
            auto.DECODER: Layers((n_input, 6, n_columns), bias=name != "plain", leak=leak),
        },
        random,
        np.float64,
        arrays={auto.MEMORY: (3, 4)} if name == "memory" else None,
    )
    if name == "memory":
        options = {"middle": lambda outputs: auto.recall(network, outputs, 0.31, 0.2)}
    rows = random.normal(size=(6, 5))

    def loss():
        network.clear()
        return auto.reconstruct(network, rows, rows, **options).loss

    loss()
    gradient = network.total_gradient().copy()
    assert_allclose(gradient, _differences(loss, network.parameters), atol=2e-6)


def test_input_slopes_agree_with_finite_differences_and_leave_the_gradient(seed):
    random = np.random.default_rng(seed)
    network = Network({"one": Layers((5, 7, 3), leak=0.1)}, random, np.float64)
    rows = random.normal(size=(4, 5))

    def loss():
        return losses.squared_error(network.forward("one", rows)[-1], np.zeros((4, 3)))[0]

    outputs = network.forward("one", rows)
    slopes = network.input_slopes("one", outputs, losses.squared_error(outputs[-1], np.zeros((4, 3)))[1])
    assert_allclose(slopes, _differences(loss, rows), atol=1e-7)
    assert not network.total_gradient().any()


def test_gradients_of_two_passes_add_up(seed):
    random = np.random.default_rng(seed)
    network = Network({"one": Layers((3, 4, 2))}, random, np.float64)
    rows = random.normal(size=(4, 3))
    outputs = network.forward("one", rows)
    network.backward("one", outputs, outputs[-1])
    once = network.total_gradient().copy()
    network.backward("one", outputs, outputs[-1])
    assert_allclose(network.total_gradient(), 2 * once)
