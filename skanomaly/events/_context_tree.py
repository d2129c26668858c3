"""Counts of each token after each context, for every order, looked up by binary search."""

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skanomaly.events._traces import Traces

__all__ = ["ContextTree", "Counts"]

Codes = NDArray[np.int64]


class Counts(NamedTuple):
    """Counts per order (from 0) and event: how often its context was followed by what.

    Parameters
    ----------
    token : ndarray of shape (order + 1, n_events), int64
        How often the context of that length was followed by this token.
    total : ndarray of shape (order + 1, n_events), int64
        How often the context occurred.
    kinds : ndarray of shape (order + 1, n_events), int64
        Number of distinct tokens that followed it.
    """

    token: Codes
    total: Codes
    kinds: Codes


class _Level(NamedTuple):
    """Contexts of one order and the tokens after them; keys are ascending."""

    contexts: Codes  # key: number of the context shorter by one, times n_symbols, plus the token before it
    total: Codes
    kinds: Codes
    pairs: Codes  # key of a context and the next token
    repeats: Codes


class ContextTree:
    """Counts of tokens after contexts of 0 to `order` tokens.

    A context is the run of tokens before an event, nearest first; traces are padded with start marks. Contexts of
    length k are numbered by sorting their keys, which combine the number of the context shorter by one and one more
    token. All lookups are therefore binary searches in flat arrays.

    Parameters
    ----------
    order : int
        Length of the longest context.
    n_symbols : int
        Codes run from 0 to `n_symbols` - 2; `n_symbols` - 1 is the start mark.
    """

    def __init__(self, order: int, n_symbols: int) -> None:
        self.order = order
        self.n_symbols = n_symbols
        self._levels: list[_Level] = []

    def fit(self, traces: Traces, weights: Codes) -> "ContextTree":
        """Count the events of traces, each trace multiplied by its weight."""
        before = (self._before(traces, order) for order in range(1, self.order + 1))
        return self._count(before, traces.codes, weights[traces.owners])

    def _count(self, before: Iterable[Codes], codes: Codes, repeats: Codes) -> "ContextTree":
        """Count events from the tokens before each, nearest first."""
        context = np.zeros(len(codes), dtype=np.int64)
        for tokens in chain([None], before):
            if tokens is not None:
                context = context * self.n_symbols + tokens
            contexts, context = np.unique(context, return_inverse=True)
            pairs, pair = np.unique(context * self.n_symbols + codes, return_inverse=True)
            self._levels.append(
                _Level(
                    contexts,
                    np.bincount(context, repeats, len(contexts)).astype(np.int64),
                    np.bincount(pairs // self.n_symbols, minlength=len(contexts)),
                    pairs,
                    np.bincount(pair, repeats, len(pairs)).astype(np.int64),
                )
            )
        return self

    def updated(self, traces: Traces, weights: Codes, n_symbols: int) -> "ContextTree":
        """Return a tree that also has the events of further traces.

        The codes of the marks, which are the last three, move up where there are new tokens.
        """
        before, codes, repeats = self._events()
        moved = n_symbols - self.n_symbols
        first_mark = self.n_symbols - 3
        before, codes = (np.where(part >= first_mark, part + moved, part) for part in (before, codes))
        other = ContextTree(self.order, n_symbols)
        added = [other._before(traces, order) for order in range(1, self.order + 1)]
        joined = [np.concatenate(pair) for pair in zip(before, added, strict=True)]
        return other._count(
            joined, np.concatenate([codes, traces.codes]), np.concatenate([repeats, weights[traces.owners]])
        )

    def _events(self) -> tuple[Codes, Codes, Codes]:
        """Return the distinct events with the longest contexts: tokens before, nearest first; codes; how often."""
        last = self._levels[-1]
        context = last.pairs // self.n_symbols
        before = np.empty((self.order, len(context)), dtype=np.int64)
        for order in range(self.order, 0, -1):
            keys = self._levels[order].contexts[context]
            before[order - 1] = keys % self.n_symbols
            context = keys // self.n_symbols
        return before, last.pairs % self.n_symbols, last.repeats

    def counts(self, traces: Traces) -> Counts:
        """Look up the counts of each event; 0 for what did not occur in training."""
        shape = (self.order + 1, len(traces.codes))
        token, total, kinds = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        context = np.zeros(len(traces.codes), dtype=np.int64)
        known = np.arange(len(traces.codes))  # an unknown context stays unknown when it gets longer
        for order, level in enumerate(self._levels):
            if order > 0:
                context = context * self.n_symbols + self._before(traces, order)[known]
            place, found = _find(level.contexts, context)
            known, context = known[found], place[found]
            total[order, known] = level.total[context]
            kinds[order, known] = level.kinds[context]
            place, found = _find(level.pairs, context * self.n_symbols + traces.codes[known])
            token[order, known[found]] = level.repeats[place[found]]
        return Counts(token, total, kinds)

    def own(self, traces: Traces, known: Counts, sign: int) -> Counts:
        """Add each trace's own events to its counts (`sign` 1), or subtract them (-1)."""
        token, total, kinds = (part.copy() for part in known)
        owner = traces.owners
        context = owner.copy()
        for order in range(self.order + 1):
            if order > 0:
                context = context * self.n_symbols + self._before(traces, order)
            _, context, n_context = np.unique(context, return_inverse=True, return_counts=True)
            _, first, pair, n_pair = np.unique(
                context * self.n_symbols + traces.codes, return_index=True, return_inverse=True, return_counts=True
            )
            # A distinct follower is added or removed if all occurrences of the pair belong to this trace.
            before = known.token[order, first]
            moved = before == (0 if sign > 0 else n_pair)
            n_moved = np.bincount(context[first], moved, len(n_context)).astype(np.int64)
            token[order] += sign * n_pair[pair]
            total[order] += sign * n_context[context]
            kinds[order] += sign * n_moved[context]
        return Counts(token, total, kinds)

    def _before(self, traces: Traces, order: int) -> Codes:
        """Return the token `order` places before each event, or the start mark."""
        start = np.repeat(traces.offsets[:-1], traces.lengths)
        place = np.arange(len(traces.codes)) - order
        mark = self.n_symbols - 1
        return np.where(place < start, mark, traces.codes[np.maximum(place, 0)])


def _find(keys: Codes, wanted: Codes) -> tuple[Codes, NDArray[np.bool_]]:
    """Look up keys among ascending keys: their positions, and whether they are present."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, keys[place] == wanted
