"""Validation of event traces, and their vocabulary."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from skanomaly._support._items import require_items, require_order

__all__ = ["as_traces", "hashable_codes", "make_vocabulary"]


def as_traces(X: Any, *, counts: bool = False) -> list[Sequence[Hashable]]:
    """Validate a collection of event traces.

    Parameters
    ----------
    X : sequence of sequences of tokens, or ndarray of shape (n_traces, n_events)
    counts : bool, default=False
        Whether an item may be a ``collections.Counter``, which is read as each token as often as it is counted.

    Returns
    -------
    list of sequence
        Arrays are converted to lists of Python objects.

    Raises
    ------
    ValueError
        If `X` is not a collection or is a data frame, a mapping or a set, or an item is a string, a mapping, a set, a
        frame or not a sequence. The message names the item.
    """
    if isinstance(X, str | bytes) or not hasattr(X, "__len__"):
        raise ValueError(f"Expected a list of token sequences, got {type(X).__name__}.")
    if hasattr(X, "columns"):
        raise ValueError(
            "Expected a list of token sequences, got a data frame. If each row is an event, use "
            "from_long_events(X, id_column=..., event_column=...); if each row is a trace, use X.to_numpy()."
        )
    require_items(X, noun="token sequences")
    return [_as_trace(item, index, counts=counts) for index, item in enumerate(X)]


def _as_trace(item: Any, index: int, *, counts: bool) -> Sequence[Hashable]:
    if isinstance(item, Counter) or (counts and isinstance(item, Mapping)):
        return _counted(item, index, counts=counts)
    require_order(item, name=f"X[{index}]", noun="tokens")
    if hasattr(item, "columns"):
        raise ValueError(
            f"X[{index}] is a data frame: each item must be a sequence of tokens. Give the column with the events, "
            f"such as X[{index}]['event'], or make tokens of rows by "
            f"list(X[{index}].itertuples(index=False, name=None))."
        )
    if isinstance(item, str | bytes):
        raise ValueError(  # as scikit-learn does for input it cannot read
            f"X[{index}] is a string, {item[:20]!r}: each item must be a sequence of tokens. Put a single trace into a "
            "list, or use list(text) if characters are tokens."
        )
    if np.ndim(item) == 0 if isinstance(item, np.ndarray) else not hasattr(item, "__len__"):
        raise ValueError(
            f"X[{index}] is {item!r}: each item must be a sequence of tokens. Put a single trace into a list."
        )
    if hasattr(item, "tolist"):
        tokens: list[Hashable] = item.tolist()
        return tokens
    return list(item)


def _counted(item: Mapping[Hashable, Any], index: int, *, counts: bool) -> Sequence[Hashable]:
    if not counts:
        raise ValueError(
            f"X[{index}] is a Counter, which has no order of events: give a list of tokens, or use EventCountDetector, "
            "which takes counts."
        )
    if not isinstance(item, Counter):
        raise ValueError(  # as scikit-learn does for input it cannot read
            f"X[{index}] is a {type(item).__name__}, which iterates over its keys: give a list of tokens, or "
            f"collections.Counter(X[{index}]) if its values are counts."
        )
    for token, count in item.items():
        if not isinstance(count, Integral) or count < 0:
            raise ValueError(f"X[{index}] counts {token!r} {count!r} times; counts must be whole numbers from 0 on.")
    # In one order, so that equal counts are equal traces.
    return [token for token in sorted(item, key=repr) for _ in range(item[token])]


def hashable_codes(codes: Mapping[Hashable, int], trace: Sequence[Hashable], unseen: int, index: int) -> list[int]:
    """Return the code of each token of a trace, or `unseen`; name the trace if a token is not hashable."""
    try:
        return [codes.get(token, unseen) for token in trace]
    except TypeError as error:
        raise _not_hashable(index, error) from None


def _not_hashable(index: int, error: TypeError) -> ValueError:
    return ValueError(f"X[{index}] holds a token that is not hashable: {error}. Use text, numbers or tuples.")


def make_vocabulary(traces: list[Sequence[Hashable]]) -> dict[Hashable, int]:
    """Assign codes to tokens in ascending order, or by type and representation if they have no order.

    Parameters
    ----------
    traces : list of sequence of hashable

    Returns
    -------
    dict of token to int

    Raises
    ------
    ValueError
        If a token is not hashable or is NaN. The message names the trace.
    """
    tokens: set[Hashable] = set()
    for index, trace in enumerate(traces):
        try:
            tokens.update(trace)
        except TypeError as error:
            raise _not_hashable(index, error) from None
    if any(token is pd.NA or token != token for token in tokens):  # noqa: PLR0124  # only NaN differs from itself
        raise ValueError("X holds NaN as a token. Replace missing events with a token of their own, or drop them.")
    try:
        ordered = sorted(tokens)  # type: ignore[type-var]
    except TypeError:
        ordered = sorted(tokens, key=lambda token: (type(token).__name__, repr(token)))
    return {token: code for code, token in enumerate(ordered)}
