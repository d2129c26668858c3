"""One loop that trains a network batch by batch, and the blocks of fixed size in which rows are scored."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK_ROWS", "Schedule", "Trainable", "batch_bounds", "in_blocks", "train"]

BLOCK_ROWS = 256
_CHECKS = 40  # times that the held-out loss is computed
_PATIENCE = 8  # checks without a smaller loss
Indices = NDArray[np.intp]
Objective = Callable[[Indices, np.random.Generator], float]


class Trainable(Protocol):
    """What the training loop needs of a network."""

    parameters: NDArray[Any]

    def clear(self) -> None:
        """Drop the gradient that was added up."""

    def add_penalty(self, ridge: float) -> None:
        """Add the gradient of half the sum of squared weights, times `ridge`."""

    def step(self, rate: float) -> None:
        """Take a step along the gradient that was added up."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network is trained.

    Parameters
    ----------
    max_iter : int
        Steps of Adam, each on one batch.
    batch_size : int
    rate : float
        Learning rate of the first step; it falls to 0 along half a cosine.
    ridge : float, default=0.0
        Half of it times the sum of squared weights is added to the loss.
    """

    max_iter: int
    batch_size: int
    rate: float
    ridge: float = 0.0

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        return self.rate * 0.5 * (1.0 + math.cos(math.pi * step / self.max_iter))


def batch_bounds(n_samples: int, batch_size: int) -> Indices:
    """Divide `n_samples` rows into the fewest batches of at most `batch_size` rows, of nearly equal size."""
    n_batches = -(-n_samples // batch_size)
    return np.linspace(0, n_samples, n_batches + 1).astype(np.intp)


def _batches(rows: Indices, batch_size: int, random: np.random.Generator) -> Iterator[Indices]:
    """Yield batches without end, in a new order after each pass; the rows of a batch are sorted."""
    bounds = batch_bounds(rows.size, batch_size)
    while True:
        order = rows[random.permutation(rows.size)]
        for start, stop in pairwise(bounds):
            yield np.sort(order[start:stop])


def train(
    network: Trainable,
    objective: Objective,
    rows: Indices,
    random: np.random.Generator,
    schedule: Schedule,
    *,
    held_out: Indices | None = None,
    after_step: Callable[[int, float], None] | None = None,
    steps: Callable[[range], Iterable[int]] = iter,
) -> list[float]:
    """Train a network; return its loss by step.

    Parameters
    ----------
    network : Trainable
        Trained in place. An interrupt leaves it between two steps.
    objective : callable
        Takes the numbers of the rows of a batch and a generator, adds the gradient to that of the network, and returns
        the mean loss.
    rows : ndarray of shape (n_rows,), intp
        Rows to train on.
    random : numpy.random.Generator
    schedule : Schedule
    held_out : ndarray of shape (n_held_out,), intp, or None, default=None
        Rows whose loss is computed forty times during training. Training stops when it has not fallen for eight times,
        and the parameters of the smallest loss are kept.
    after_step : callable or None, default=None
        Called with the number of steps and the loss.
    steps : callable, default=iter
        Takes the range of the steps and yields them, such as a function that reports them. It may end early.

    Returns
    -------
    list of float
    """
    losses: list[float] = []
    batches = _batches(rows, min(schedule.batch_size, rows.size), random)
    every = max(1, schedule.max_iter // _CHECKS)
    noise = random.integers(2**63 - 1)
    best, kept, stalled = math.inf, network.parameters.copy(), 0
    network.clear()
    for step in steps(range(schedule.max_iter)):
        losses.append(float(objective(next(batches), random)))
        if schedule.ridge:
            network.add_penalty(schedule.ridge)
        network.step(schedule.rate_at(step))
        if after_step is not None:
            after_step(step + 1, losses[-1])
        if held_out is not None and (step + 1) % every == 0:
            loss = _loss_of(network, objective, held_out, int(noise), schedule.batch_size)
            stalled = 0 if loss < best else stalled + 1
            if loss < best:
                best, kept = loss, network.parameters.copy()
            if stalled == _PATIENCE:
                break
    if held_out is not None and best < math.inf:
        network.parameters[:] = kept
    return losses


def _loss_of(network: Trainable, objective: Objective, rows: Indices, noise: int, batch_size: int) -> float:
    """Return the mean loss of rows, with the same noise each time."""
    random = np.random.Generator(np.random.PCG64(noise))
    total = 0.0
    for start, stop in pairwise(batch_bounds(rows.size, batch_size)):
        total += (stop - start) * objective(rows[start:stop], random)
        network.clear()
    return total / rows.size


def in_blocks(
    function: Callable[[NDArray[Any]], Any],
    read: Callable[[slice], NDArray[Any]],
    n_rows: int,
    *,
    block_rows: int = BLOCK_ROWS,
) -> Iterator[tuple[slice, Any]]:
    """Apply a function to blocks of rows of one size, so that the bits of a row do not depend on the other rows.

    Parameters
    ----------
    function : callable
        Takes an array of `block_rows` rows; returns an array or a tuple of arrays of as many rows.
    read : callable
        Takes a slice of the rows and returns them; the last block is filled up with zeros.
    n_rows : int
    block_rows : int, default=BLOCK_ROWS

    Yields
    ------
    part : slice
    found : ndarray or tuple of ndarray
        What the function returned for these rows.
    """
    for start in range(0, n_rows, block_rows):
        part = slice(start, min(start + block_rows, n_rows))
        block = read(part)
        size = len(block)
        if size < block_rows:
            padded = np.zeros((block_rows, *block.shape[1:]), dtype=block.dtype)
            padded[:size] = block
            block = padded
        found = function(block)
        yield part, tuple(one[:size] for one in found) if isinstance(found, tuple) else found[:size]
