"""Encoders of whole traces and of the runs of events that end at each event, for one-class distances."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks._torch import Weights, in_one_thread, loaded, new_module, padding_blocks, train_module
from skanomaly._networks._torch_events import event_encoder
from skanomaly._networks._training import Schedule
from skanomaly._support._callbacks import training_steps
from skanomaly._support._optional import import_optional
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._sklearn import Interval
from skanomaly._support._spectrum import estimate_spectrum
from skanomaly.events._traces import Traces

__all__ = ["EventEncoder", "EventReservoir", "FittedEventEncoder", "RecurrentEventEncoder", "runs_of"]

_COUNT = [Interval(Integral, 1, None, closed="left")]
_BLOCK_TRACES = 32
_AWAY = 0.1  # entries of a centre are at least so far from 0
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class FittedEventEncoder(ABC):
    """A fitted encoder; the distances of a trace or a run do not depend on the others, to the bit."""

    losses: list[float]

    @abstractmethod
    def trace_distances(self, traces: Traces) -> Floats:
        """Return the distances of whole traces, with their ends, to the centre."""

    @abstractmethod
    def run_distances(self, runs: Codes, lengths: Codes) -> Floats:
        """Return the distances of runs of shape (n_runs, longest), of which the first `lengths` events count."""


class EventEncoder(ParameterObject, ABC):
    """Base class of encoders of traces: parameters that are given to :class:`EventEncoderDetector`.

    Notes
    -----
    The hooks that a subclass writes or overrides:

    ``_fit(traces, counts, n_codes, run_length, local_weight, random, after_step)``
        Trains on distinct traces, each of which occurs `counts` times, and returns a `FittedEventEncoder`.
    """

    @abstractmethod
    def _fit(
        self,
        traces: Traces,
        counts: Codes,
        n_codes: int,
        run_length: int,
        local_weight: float,
        random: np.random.Generator,
        after_step: Callable[[int, float], None] | None,
    ) -> FittedEventEncoder:
        """Train on distinct traces."""


def runs_of(traces: Traces, run_length: int) -> tuple[Codes, Codes, NDArray[np.intp], Codes]:
    """Return the distinct runs of at most `run_length` events that end at each event of a trace.

    Returns
    -------
    runs : ndarray of shape (n_runs, run_length)
        Filled up with zeros.
    lengths : ndarray of shape (n_runs,)
    inverse : ndarray of shape (n_events,)
        The run that ends at each event.
    counts : ndarray of shape (n_runs,)
        Events at which a run ends.
    """
    n_events = len(traces.codes)
    places = np.arange(n_events) - np.repeat(traces.offsets[:-1], traces.lengths)
    lengths = np.minimum(places + 1, run_length)
    steps = np.arange(run_length)
    inside = steps < lengths[:, None]
    at = np.arange(n_events)[:, None] - lengths[:, None] + 1 + steps
    runs = np.where(inside, traces.codes[np.where(inside, at, 0)], -1)
    distinct, inverse, counts = np.unique(runs, axis=0, return_inverse=True, return_counts=True)
    sizes = (distinct >= 0).sum(axis=1)
    return np.maximum(distinct, 0), sizes, inverse.reshape(-1), counts


class EventReservoir(EventEncoder):
    """Random features of runs and of whole traces, and Mahalanobis distances; in closed form.

    Parameters
    ----------
    n_units : int, default=64
        Random features of a run, and of a trace.

    Notes
    -----
    A run is described by hyperbolic tangents of sums of random numbers, one for each token and place from the end of
    the run. A trace is described by the logarithms of one plus the counts of its tokens, mapped by random vectors of
    the tokens. Distances are squared Mahalanobis distances under Ledoit-Wolf covariances of the training data, in which
    a trace counts as often as it occurs. A token that does not occur in training has random numbers of its own, which
    no training trace has.

    Examples
    --------
    >>> from skanomaly.events import EventEncoderDetector, EventReservoir
    >>> EventEncoderDetector(encoder=EventReservoir(n_units=32))
    EventEncoderDetector(encoder=EventReservoir(n_units=32))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"n_units": _COUNT}

    def __init__(self, *, n_units: int = 64) -> None:
        self.n_units = n_units

    def _fit(
        self,
        traces: Traces,
        counts: Codes,
        n_codes: int,
        run_length: int,
        local_weight: float,
        random: np.random.Generator,
        after_step: Callable[[int, float], None] | None,
    ) -> FittedEventEncoder:
        return _ReservoirModel(traces, counts, n_codes, run_length, int(self.n_units), random)


class _ReservoirModel(FittedEventEncoder):
    """Random features of runs and traces, and their covariances."""

    def __init__(
        self,
        traces: Traces,
        counts: Codes,
        n_codes: int,
        run_length: int,
        n_units: int,
        random: np.random.Generator,
    ) -> None:
        self.losses = []
        self._run_length, self._n_codes = run_length, n_codes
        # The map of a token at each place from the end of a run; the last is that of no event.
        self._maps = random.standard_normal((run_length, n_codes + 1, n_units)) / np.sqrt(run_length)
        self._vectors = random.standard_normal((n_codes, n_units))
        runs, lengths, inverse, _ = runs_of(traces, run_length)
        features = self._of_runs(runs, lengths)
        weights = np.bincount(inverse, np.repeat(counts, traces.lengths), minlength=len(runs))
        self._run_space = estimate_spectrum(_repeated(features, weights), covariance="ledoit_wolf")
        self._trace_space = estimate_spectrum(_repeated(self._of_traces(traces), counts), covariance="ledoit_wolf")

    def _of_runs(self, runs: Codes, lengths: Codes) -> Floats:
        out = np.zeros((len(runs), self._maps.shape[2]))
        for back in range(self._run_length):
            inside = back < lengths
            codes = np.where(inside, runs[np.arange(len(runs)), np.maximum(lengths - 1 - back, 0)], self._n_codes)
            out += self._maps[back, codes]
        return np.tanh(out)

    def _of_traces(self, traces: Traces) -> Floats:
        counts = np.zeros((len(traces.lengths), self._n_codes))
        np.add.at(counts, (traces.owners, traces.codes), 1.0)
        logs = np.log1p(counts)
        out = np.zeros((len(counts), self._vectors.shape[1]))
        for code in range(self._n_codes):  # in one order, so that the bits do not depend on the other traces
            out += logs[:, code, None] * self._vectors[code]
        return out

    def trace_distances(self, traces: Traces) -> Floats:
        """Return squared Mahalanobis distances of traces."""
        return np.asarray(np.square(self._trace_space.whiten(self._of_traces(traces))).sum(axis=1))

    def run_distances(self, runs: Codes, lengths: Codes) -> Floats:
        """Return squared Mahalanobis distances of runs."""
        return np.asarray(np.square(self._run_space.whiten(self._of_runs(runs, lengths))).sum(axis=1))


def _repeated(rows: Floats, weights: NDArray[Any], most: int = 20_000) -> Floats:
    """Repeat rows by whole weights; by smaller ones of the same proportions where they would be very many."""
    shrink = max(1.0, float(weights.sum()) / most)
    return np.repeat(rows, np.maximum(1, np.round(weights / shrink)).astype(np.intp), axis=0)


class RecurrentEventEncoder(EventEncoder):
    """Gated recurrent units that read whole traces and runs, trained to one centre each; needs torch.

    Parameters
    ----------
    n_units : int, default=64
        Units of each recurrence.
    embedding_dim : int, default=64
        Size of the vector of a token.
    n_layers : int, default=2
    max_iter : int, default=300
        Steps of training, each on one batch of distinct traces.
    batch_size : int, default=64
    learning_rate_init : float, default=0.001
        Learning rate of the first step; it falls to 0.

    Notes
    -----
    The recurrences and the objective of OC4Seq [1]_. What we changed: what fills a batch up is masked; there are no
    biases, so that a constant code is no solution; each distinct trace is trained on once a pass, with its count as
    weight; the gradient is cut at norm 1 and the learning rate falls.

    References
    ----------
    .. [1] Wang, Z., Chen, Z., Ni, J., Liu, H., Chen, H. and Tang, J. (2021). "Multi-scale one-class recurrent neural
       networks for discrete event sequence anomaly detection". KDD, 3726-3734. https://doi.org/10.1145/3447548.3467125

    Examples
    --------
    >>> from skanomaly.events import EventEncoderDetector, RecurrentEventEncoder
    >>> EventEncoderDetector(encoder=RecurrentEventEncoder(n_layers=1))
    EventEncoderDetector(encoder=RecurrentEventEncoder(n_layers=1))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_units": _COUNT,
        "embedding_dim": _COUNT,
        "n_layers": _COUNT,
        "max_iter": _COUNT,
        "batch_size": _COUNT,
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        n_units: int = 64,
        embedding_dim: int = 64,
        n_layers: int = 2,
        max_iter: int = 300,
        batch_size: int = 64,
        learning_rate_init: float = 1e-3,
    ) -> None:
        self.n_units = n_units
        self.embedding_dim = embedding_dim
        self.n_layers = n_layers
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init

    def _fit(
        self,
        traces: Traces,
        counts: Codes,
        n_codes: int,
        run_length: int,
        local_weight: float,
        random: np.random.Generator,
        after_step: Callable[[int, float], None] | None,
    ) -> FittedEventEncoder:
        torch = import_optional("torch", extra="neural")
        sizes = (n_codes, int(self.embedding_dim), int(self.n_units), int(self.n_layers))
        module = new_module(lambda: event_encoder(*sizes), random)
        runs, lengths, inverse, _ = runs_of(traces, run_length)
        weights = {name: value.numpy().copy() for name, value in module.state_dict().items()}
        start = _RecurrentModel(sizes, weights, [], [np.zeros(self.n_units)] * 2)
        outputs = (
            start.codes(traces.parts()),
            start.codes([run[:n] for run, n in zip(runs, lengths, strict=True)], whole=False),
        )
        totals = counts, np.bincount(inverse, np.repeat(counts, traces.lengths), minlength=len(runs))
        centers = [
            _away(np.average(found, axis=0, weights=total)) for found, total in zip(outputs, totals, strict=True)
        ]
        targets = [torch.from_numpy(center.astype(np.float32)) for center in centers]
        parts, places = traces.parts(), traces.split(inverse)
        factors = torch.from_numpy((counts / counts.mean()).astype(np.float32))
        all_runs, all_lengths = torch.from_numpy(runs), torch.from_numpy(lengths)

        def loss_of(numbers: NDArray[np.intp], _: np.random.Generator) -> Any:
            codes, sizes_here = _filled([parts[number] for number in numbers])
            whole = module(torch.from_numpy(codes), torch.from_numpy(sizes_here), whole=True)
            distances = (whole - targets[0]).square().sum(dim=1)
            owners = np.repeat(np.arange(len(numbers)), sizes_here)
            used, back = np.unique(np.concatenate([places[number] for number in numbers]), return_inverse=True)
            local = module(all_runs[used], all_lengths[used], whole=False)
            local = (local - targets[1]).square().sum(dim=1)[torch.from_numpy(back)]
            largest = torch.zeros(len(numbers)).scatter_reduce(0, torch.from_numpy(owners), local, "amax")
            return (factors[torch.from_numpy(numbers)] * (distances + local_weight * largest)).mean()

        schedule = Schedule(int(self.max_iter), int(self.batch_size), float(self.learning_rate_init), 1e-6)
        weights, losses = train_module(
            module, loss_of, len(parts), random, schedule, after_step=after_step, steps=training_steps
        )
        return _RecurrentModel(sizes, weights, losses, centers)


def _away(center: Floats) -> Floats:
    """Move the entries of a centre that are near 0 away from it."""
    return np.where(np.abs(center) < _AWAY, np.where(center < 0, -_AWAY, _AWAY), center)


def _filled(parts: list[Codes], length: int = 0, n_rows: int = 0) -> tuple[Codes, Codes]:
    """Fill traces up with zeros; return them and their own lengths."""
    codes = np.zeros((n_rows or len(parts), length or max(len(part) for part in parts)), dtype=np.int64)
    lengths = np.ones(len(codes), dtype=np.int64)
    for row, part in enumerate(parts):
        codes[row, : len(part)] = part
        lengths[row] = len(part)
    return codes, lengths


class _RecurrentModel(FittedEventEncoder):
    """Trained recurrences; their weights are arrays."""

    def __init__(self, sizes: tuple[int, ...], weights: Weights, losses: list[float], centers: list[Floats]) -> None:
        self._sizes, self._weights, self.losses, self._centers = sizes, weights, losses, centers

    def _blocks(self, parts: list[Codes]) -> Iterator[tuple[NDArray[np.intp], tuple[Codes, Codes]]]:
        """Yield places of traces, and these filled up to a length that depends on their own; a block has one size."""
        sizes = np.array([len(part) for part in parts], dtype=np.intp)
        for places, length in padding_blocks(sizes, _BLOCK_TRACES):
            yield places, _filled([parts[place] for place in places], length, _BLOCK_TRACES)

    def codes(self, parts: list[Codes], *, whole: bool = True) -> Floats:
        """Return the last states of traces."""
        torch = import_optional("torch", extra="neural")
        module = loaded(lambda: event_encoder(*self._sizes), self._weights)
        out = np.empty((len(parts), self._sizes[2]))
        with in_one_thread(), torch.no_grad():
            for places, (codes, lengths) in self._blocks(parts):
                states = module(torch.from_numpy(codes), torch.from_numpy(lengths), whole=whole)
                out[places] = states[: len(places)].numpy()
        return out

    def trace_distances(self, traces: Traces) -> Floats:
        """Return squared distances of traces to their centre."""
        return np.asarray(np.square(self.codes(traces.parts()) - self._centers[0]).sum(axis=1))

    def run_distances(self, runs: Codes, lengths: Codes) -> Floats:
        """Return squared distances of runs to their centre."""
        parts = [run[:length] for run, length in zip(runs, lengths, strict=True)]
        return np.asarray(np.square(self.codes(parts, whole=False) - self._centers[1]).sum(axis=1))
