"""Probabilities of events given their contexts, with the trace's own events left out."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from skanomaly.events._context_tree import ContextTree, Counts
from skanomaly.events._traces import Traces, pack

__all__ = ["AGGREGATIONS", "ContextModel", "blended_probability", "event_scores", "aggregate_events"]

Parts = list[NDArray[np.int64]]
_CODE_LENGTH = 8
_MOST_TRACES = 2**17
AGGREGATIONS = {"max", "mean", "top3"}


class ContextModel:
    """Counts of events given their contexts, over traces with an end mark.

    A trace equal to a training trace is looked up with one copy of that trace left out, so that it is not evidence for
    itself. Each distinct trace of a batch is looked up once.

    Parameters
    ----------
    order : int
        Length of the longest context.
    """

    def __init__(self, order: int) -> None:
        self.order = order

    def fit(self, X: Parts, n_tokens: int) -> Self:
        """Count the events of coded traces; codes run below `n_tokens`."""
        self.n_tokens = n_tokens
        traces, _, weights = self._close(X).distinct()
        self._keys = dict.fromkeys(_names(traces))  # an ordered set; sets are not stored by every model format
        self._tree = ContextTree(self.order, n_tokens + 3).fit(traces, weights)
        return self

    def updated(self, X: Parts, n_tokens: int) -> "ContextModel":
        """Return a model that also counts the events of further traces; codes of new tokens follow the known ones."""
        other = ContextModel(self.order)
        other.n_tokens = n_tokens
        traces, _, weights = other._close(X).distinct()
        other._keys = {**self._keys, **dict.fromkeys(_names(traces))}
        if len(other._keys) > _MOST_TRACES:
            other._keys = dict.fromkeys(list(other._keys)[-_MOST_TRACES:])
        other._tree = self._tree.updated(traces, weights, n_tokens + 3)
        return other

    def next_counts(self, before: NDArray[np.int64], X: NDArray[np.int64], *, ends: bool) -> Counts:
        """Count the next events of a trace after at most `order` events before them, and its end mark if it ends."""
        codes = np.concatenate([before, X, np.full(int(ends), self.n_tokens + 1, dtype=np.int64)])
        found = self._tree.counts(Traces(codes, np.array([0, len(codes)])))
        return Counts(*(part[:, len(before) :] for part in found))

    @property
    def n_outcomes(self) -> int:
        """Number of possible next events: each token, an unseen token, and the end."""
        return self.n_tokens + 2

    def _close(self, X: Parts) -> Traces:
        return pack(X, end=self.n_tokens + 1)

    def counts(self, X: Parts) -> tuple[Traces, NDArray[np.intp], Counts]:
        """Return the distinct traces with end marks, the index of each trace among them, and the event counts."""
        traces, inverse, _ = self._close(X).distinct()
        counts = self._tree.counts(traces)
        known = np.flatnonzero([key in self._keys for key in _names(traces)])
        if known.size > 0:
            events = np.isin(traces.owners, known)
            seen = traces.take(known)
            own = self._tree.own(seen, Counts(*(part[:, events] for part in counts)), -1)
            for part, without in zip(counts, own, strict=True):
                part[:, events] = without
        return traces, inverse, counts

    def with_other_own(self, traces: Traces, counts: Counts) -> Counts:
        """Add to the counts of each event all other events of its trace."""
        token, total, kinds = self._tree.own(traces, counts, 1)
        return Counts(token - 1, total - 1, kinds - (token == 1))


def _names(traces: Traces) -> list[str]:
    """Return one key per trace, without the end mark, whose code depends on the number of tokens."""
    return [key[:-_CODE_LENGTH] for key in traces.identities()]


def blended_probability(counts: Counts, n_outcomes: int) -> NDArray[np.float64]:
    r"""Blend the contexts of all orders by escape method C.

    With :math:`c` the count of an event after a context, :math:`n` that of the context and :math:`u` the number of
    distinct events after it, :math:`p_k = (c + u p_{k-1}) / (n + u)`, starting from the uniform distribution. These sum
    to one over all outcomes.
    """
    probability = np.full(counts.token.shape[1], 1.0 / n_outcomes)
    for token, total, kinds in zip(*counts, strict=True):
        seen = total > 0
        mass = token[seen] + kinds[seen] * probability[seen]
        probability[seen] = mass / (total[seen] + kinds[seen])
    return probability


def aggregate_events(values: NDArray[np.float64], traces: Traces, aggregation: str) -> NDArray[np.float64]:
    """Aggregate values per event to values per trace; every trace has at least one event, its end mark."""
    starts = traces.offsets[:-1]
    if aggregation == "max":
        return np.maximum.reduceat(values, starts)
    if aggregation == "mean":
        return np.add.reduceat(values, starts) / traces.lengths
    order = np.lexsort((-values, traces.owners))
    rank = np.arange(len(values)) - np.repeat(starts, traces.lengths)
    top = np.where(rank < 3, values[order], 0.0)
    return np.add.reduceat(top, starts) / np.minimum(traces.lengths, 3)


def event_scores(values: NDArray[np.float64], traces: Traces, inverse: NDArray[np.intp]) -> list[NDArray[np.float64]]:
    """Return the values of each trace's events; the last event takes the end mark's value if that is larger."""
    parts = []
    for part in traces.split(values):
        events = part[:-1].copy()
        events[-1:] = np.maximum(events[-1:], part[-1])
        parts.append(events)
    return [parts[index].copy() for index in inverse]
