"""Validation of event traces, and their vocabulary."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

__all__ = ["as_traces", "make_vocabulary"]


def as_traces(X: Any) -> list[Sequence[Hashable]]:
    """Validate a collection of event traces.

    Parameters
    ----------
    X : sequence of sequences of tokens, or ndarray of shape (n_traces, n_events)

    Returns
    -------
    list of sequence
        Arrays are converted to lists of Python objects.

    Raises
    ------
    ValueError
        If `X` is not a collection or is a data frame, or an item is a string or not a sequence. The message names the
        item.
    """
    if isinstance(X, str | bytes) or not hasattr(X, "__len__"):
        raise ValueError(f"Expected a list of token sequences, got {type(X).__name__}.")
    if hasattr(X, "columns"):
        raise ValueError(
            "Expected a list of token sequences, got a data frame. If each row is an event, use "
            "from_long_events(X, id_column=..., event_column=...); if each row is a trace, use X.to_numpy()."
        )
    return [_as_trace(item, index) for index, item in enumerate(X)]


def _as_trace(item: Any, index: int) -> Sequence[Hashable]:
    if isinstance(item, str | bytes):
        raise ValueError(  # noqa: TRY004  # as scikit-learn does for input it cannot read
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
            raise ValueError(
                f"X[{index}] holds a token that is not hashable: {error}. Use text, numbers or tuples."
            ) from None
    if any(token != token for token in tokens):  # noqa: PLR0124  # only NaN differs from itself
        raise ValueError("X holds NaN as a token. Replace missing events with a token of their own, or drop them.")
    try:
        ordered = sorted(tokens)  # type: ignore[type-var]
    except TypeError:
        ordered = sorted(tokens, key=lambda token: (type(token).__name__, repr(token)))
    return {token: code for code, token in enumerate(ordered)}
