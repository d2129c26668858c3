"""Distances of traces, and of the runs of events in them, to the centres of the training traces."""

from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._callbacks import print_loss
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval
from skanomaly.base import BaseDetector
from skanomaly.events._base import EventDetector
from skanomaly.events._encoders import EventEncoder, EventReservoir, FittedEventEncoder, runs_of
from skanomaly.events._traces import Traces, normal_traces, pack

__all__ = ["EventEncoderDetector"]

Floats = NDArray[np.float64]


class EventEncoderDetector(EventDetector):
    r"""Distance of a trace to the training traces, and of its most distant run of events to the runs in them.

    The default encoder has a closed form and needs no torch.

    Parameters
    ----------
    encoder : object, default=None
        How traces and runs become vectors, and their distances: an :class:`EventReservoir` or, with torch, a
        :class:`RecurrentEventEncoder`. None is ``EventReservoir()``.
    window_size : int, default=7
        Events of a run, at least 1; the first runs of a trace are shorter.
    local_weight : float, default=1.0
        Weight of the distance of the most distant run beside that of the whole trace.
    verbose : bool, default=False
        Print the loss every hundred steps of training.
    contamination : float, default=0.1
        Fraction of the training traces that is flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed for random vectors, weights and batches.

    Attributes
    ----------
    loss_curve_ : ndarray of shape (n_steps,)
        Loss of each step of training; empty for encoders with a closed form.
    n_iter_ : int
        Steps of training taken.
    vocabulary_ : dict
        Maps each token to its code.
    n_tokens_ : int
        Number of distinct tokens in the training data.
    offset_ : float
        Threshold on ``score_samples``: traces that score below are anomalies.

    See Also
    --------
    MarkovDetector : Probabilities of events; explains and streams.
    EventCountDetector : Counts alone.
    MultiscaleEventDetector : The same two scales and single events, by counts.

    Notes
    -----
    The score of OC4Seq [1]_: the squared distance of the whole trace to its centre plus `local_weight` times the
    largest squared distance of a run to the centre of runs. The end of a trace counts as an event. Traces that occur
    several times are read once, with their count as weight. ``score_events`` are the distances of the runs that end at
    the events; that of the end is given to the last event.

    `y`: traces labelled -1 are left out of training; +1 and 0 are treated alike.

    *When it fails.* A distance does not say which event was expected instead, as a probability does. Tokens that occur
    in one training trace only are near to nothing.

    Cost: O(N w K) for N events in distinct runs of w events and K units; the recurrent encoder adds its training.

    References
    ----------
    .. [1] Wang, Z., Chen, Z., Ni, J., Liu, H., Chen, H. and Tang, J. (2021). "Multi-scale one-class recurrent neural
       networks for discrete event sequence anomaly detection". KDD, 3726-3734. https://doi.org/10.1145/3447548.3467125

    Examples
    --------
    >>> from skanomaly.events import EventEncoderDetector
    >>> traces = [["open", *["read"] * repeats, "close"] for repeats in (1, 2, 3)] * 10
    >>> detector = EventEncoderDetector(random_state=0).fit(traces)
    >>> order, number, normal = (
    ...     ["read", "open", "close"],
    ...     ["open", *["read"] * 30, "close"],
    ...     traces[0],
    ... )
    >>> detector.predict([order, number, normal])
    array([-1, -1,  1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,
        "encoder": [EventEncoder, None],
        "window_size": [Interval(Integral, 1, None, closed="left")],
        "local_weight": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    _encoder: FittedEventEncoder

    def __init__(
        self,
        encoder: Any = None,
        *,
        window_size: int = 7,
        local_weight: float = 1.0,
        verbose: bool = False,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.encoder = encoder
        self.window_size = window_size
        self.local_weight = local_weight
        self.verbose = verbose
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: list[NDArray[np.int64]], y: NDArray[np.int8], **metadata: Any) -> None:
        encoder = EventReservoir() if self.encoder is None else self.encoder
        encoder._validate_params()
        traces, _, counts = self._ended(normal_traces(X, y)).distinct()
        with single_blas_thread():
            self._encoder = encoder._fit(
                traces,
                counts,
                self.n_tokens_ + 2,  # an unseen token, and the end
                int(self.window_size),
                float(self.local_weight),
                generator(self.random_state),
                partial(print_loss, self),
            )
            self.loss_curve_, self.n_iter_ = np.array(self._encoder.losses), len(self._encoder.losses)

    def _ended(self, X: list[NDArray[np.int64]]) -> Traces:
        return pack(X, end=self.n_tokens_ + 1)

    def _local(self, traces: Traces) -> Floats:
        """Return the distance of the run that ends at each event."""
        runs, lengths, inverse, _ = runs_of(traces, int(self.window_size))
        return self._encoder.run_distances(runs, lengths)[inverse]

    def _outlyingness(self, X: list[NDArray[np.int64]]) -> Floats:
        traces, inverse, _ = self._ended(X).distinct()
        with single_blas_thread():
            found = self._encoder.trace_distances(traces)
            if self.local_weight:
                found += self.local_weight * np.maximum.reduceat(self._local(traces), traces.offsets[:-1])
        return found[inverse]

    def _event_outlyingness(self, X: list[NDArray[np.int64]]) -> list[Floats]:
        traces = self._ended(X)
        with single_blas_thread():
            parts = traces.split(self._local(traces))
        return [np.concatenate([part[:-2], [part[-2:].max()]]) if len(part) > 1 else part[:0] for part in parts]
