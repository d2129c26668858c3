import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly._networks import _autoencoding as auto
from skanomaly._networks._network import Layers, Network
from skanomaly._networks._training import BLOCK_ROWS, Schedule, in_blocks, train


def _problem(seed, n_rows=200):
    random = np.random.default_rng(seed)
    rows = (random.normal(size=(n_rows, 2)) @ random.normal(size=(2, 6))).astype(np.float32)
    network = Network({auto.ENCODER: Layers((6, 8, 2)), auto.DECODER: Layers((2, 8, 6))}, random, np.float32)
    return rows, network, lambda numbers, _: auto.reconstruct(network, rows[numbers], rows[numbers]).loss


def test_training_reduces_the_loss(seed):
    rows, network, objective = _problem(seed)
    losses = train(network, objective, np.arange(len(rows)), np.random.default_rng(seed), Schedule(300, 32, 4e-3))
    assert len(losses) == 300
    assert np.mean(losses[-10:]) < 0.3 * np.mean(losses[:10])


def test_equal_seeds_give_equal_bits(seed):
    results = []
    for _ in range(2):
        rows, network, objective = _problem(seed)
        train(network, objective, np.arange(len(rows)), np.random.default_rng(1), Schedule(20, 32, 4e-3))
        results.append(network.parameters)
    assert_array_equal(*results)


def test_early_stopping_keeps_the_parameters_of_the_smallest_held_out_loss(seed):
    random = np.random.default_rng(seed)
    targets = random.normal(size=(60, 3)).astype(np.float32)  # nothing to learn: held-out rows get worse
    rows = random.normal(size=(60, 12)).astype(np.float32)
    network = Network({"one": Layers((12, 64, 3))}, random, np.float32)

    def objective(numbers, _):
        outputs = network.forward("one", rows[numbers])
        errors = outputs[-1] - targets[numbers]
        network.backward("one", outputs, 2 * errors / errors.size)
        return float(np.mean(errors**2))

    held_out = np.arange(40, 60)
    losses = train(network, objective, np.arange(40), random, Schedule(2000, 40, 1e-2), held_out=held_out)
    assert len(losses) < 2000
    outputs = network.forward("one", rows[held_out])[-1]
    assert np.mean((outputs - targets[held_out]) ** 2) < 2.5


@pytest.mark.parametrize("n_rows", [1, 255, 256, 300])
def test_blocks_have_one_size_and_cover_every_row(n_rows):
    rows = np.random.default_rng(0).normal(size=(n_rows, 3))
    sizes, found = [], np.empty(n_rows)

    def total(block):
        sizes.append(len(block))
        return block.sum(axis=1)

    for part, values in in_blocks(total, lambda part: rows[part], n_rows):
        found[part] = values
    assert set(sizes) == {BLOCK_ROWS}
    assert_allclose(found, rows.sum(axis=1))


def test_a_restored_network_goes_on_as_the_original(seed):
    rows, network, objective = _problem(seed)
    everything = np.arange(len(rows))
    train(network, objective, everything, np.random.default_rng(1), Schedule(5, 32, 4e-3))
    restored = pickle.loads(pickle.dumps(network))  # noqa: S301  # our own bytes
    auto.reconstruct(restored, rows, rows)
    restored.step(1e-3)
    objective(everything, None)
    network.step(1e-3)
    assert_array_equal(restored.parameters, network.parameters)


def test_a_penalty_makes_weights_smaller(seed):
    sizes = []
    for ridge in (0.0, 1.0):
        _, network, objective = _problem(seed)
        train(network, objective, np.arange(200), np.random.default_rng(1), Schedule(100, 32, 4e-3, ridge=ridge))
        sizes.append(np.linalg.norm(network.parameters))
    assert sizes[1] < 0.7 * sizes[0]
