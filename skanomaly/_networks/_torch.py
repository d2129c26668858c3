"""What torch networks share: weights drawn by NumPy and kept as arrays, one thread, and the training loop.

Torch is imported inside functions, by those who know that it is installed. Its global seed, dtype and number of threads
are after each call what they were before.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks._training import Schedule, train

__all__ = ["Weights", "in_one_thread", "loaded", "new_module", "padding_blocks", "train_module"]

_LARGEST_GRADIENT = 1.0  # norm that a gradient is cut to
Weights = dict[str, NDArray[np.float32]]


@contextmanager
def in_one_thread() -> Iterator[None]:
    """Hold torch to one thread, so that the bits do not depend on their number."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _constructed(build: Callable[[], Any]) -> Any:
    """Construct a module without a trace in torch's global generator."""
    import torch

    with torch.random.fork_rng(devices=[]):
        return build()


def new_module(build: Callable[[], Any], random: np.random.Generator) -> Any:
    """Construct a module and draw its weights.

    Matrices are uniform within one over the root of their number of inputs; biases are 0, and the factors of
    normalisations stay what they are.

    Parameters
    ----------
    build : callable
        Returns a ``torch.nn.Module``.
    random : numpy.random.Generator

    Returns
    -------
    torch.nn.Module
    """
    import torch

    module = _constructed(build)
    with torch.no_grad():
        for name, parameter in sorted(module.named_parameters()):
            if parameter.dim() > 1 and not name.endswith("bias"):
                reach = 1.0 / np.sqrt(max(1, parameter.numel() // parameter.shape[0]))
                drawn = random.uniform(-reach, reach, size=tuple(parameter.shape))
                parameter.copy_(torch.from_numpy(drawn.astype(np.float32)))
            elif not bool((parameter == 1).all()):
                parameter.zero_()
    return module


def loaded(build: Callable[[], Any], weights: Weights) -> Any:
    """Construct a module with given weights, for scoring."""
    import torch

    module = _constructed(build)
    module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return module.eval()


def padding_blocks(sizes: NDArray[np.intp], block_rows: int) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Yield the places of sequences that are filled up to the same length, and that length, block by block.

    The length that a sequence is filled up to depends on its own length alone, so that its bits do too.

    Parameters
    ----------
    sizes : ndarray of shape (n_sequences,), intp
        Lengths of the sequences.
    block_rows : int
        Most sequences of a block.

    Yields
    ------
    places : ndarray of shape (at most `block_rows`,), intp
    length : int
    """
    steps = np.array([max(1, 2 ** (int(size).bit_length() - 3)) for size in sizes])
    lengths = -(-sizes // steps) * steps
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        for start in range(0, len(places), block_rows):
            yield places[start : start + block_rows], int(length)


class _Steps:
    """A module as the training loop sees it."""

    def __init__(self, module: Any, weight_decay: float) -> None:
        import torch

        self._module, self._norm = module, torch.nn.utils.clip_grad_norm_
        self._optimizer = torch.optim.Adam(module.parameters(), lr=1.0, weight_decay=weight_decay)
        self.parameters = np.empty(0)  # nothing is held out, so none is kept aside

    def clear(self) -> None:
        """Drop the gradient."""
        self._optimizer.zero_grad()

    def add_penalty(self, ridge: float) -> None:
        """Do nothing: the optimiser has the penalty."""

    def step(self, rate: float) -> None:
        """Take a step of Adam."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._norm(self._module.parameters(), _LARGEST_GRADIENT)
        self._optimizer.step()
        self._optimizer.zero_grad()


def train_module(
    module: Any,
    loss_of: Callable[[NDArray[np.intp], np.random.Generator], Any],
    n_rows: int,
    random: np.random.Generator,
    schedule: Schedule,
    *,
    after_step: Callable[[int, float], None] | None = None,
    steps: Callable[[range], Iterable[int]] = iter,
) -> tuple[Weights, list[float]]:
    """Train a module by Adam, with gradients cut at norm 1; return its weights and its losses.

    Parameters
    ----------
    module : torch.nn.Module
        Trained in place.
    loss_of : callable
        Takes the numbers of the rows of a batch and a generator; returns a tensor.
    n_rows : int
    random : numpy.random.Generator
    schedule : Schedule
        Its `ridge` is the weight decay.
    after_step : callable or None, default=None
        Called with the number of steps and the loss.
    steps : callable, default=iter
        As in :func:`train`.

    Returns
    -------
    weights : dict of str to ndarray
    losses : list of float
    """

    def objective(numbers: NDArray[np.intp], noise: np.random.Generator) -> float:
        loss = loss_of(numbers, noise)
        loss.backward()
        return float(loss.detach())

    plain = Schedule(schedule.max_iter, schedule.batch_size, schedule.rate)
    with in_one_thread():
        module.train()
        trained = _Steps(module, schedule.ridge)
        losses = train(trained, objective, np.arange(n_rows), random, plain, after_step=after_step, steps=steps)
    return {name: value.detach().cpu().numpy().copy() for name, value in module.state_dict().items()}, losses
