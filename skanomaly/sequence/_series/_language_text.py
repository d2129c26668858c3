"""A series as text and as a picture for a language model, and the intervals in its answer."""

import io
import json
import re
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._optional import import_optional

__all__ = ["picture_of", "read_intervals", "text_of"]

_BLOCK = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_FIGURE_SIZE = (10.0, 3.0)
_SHOWN = 200  # characters of an answer in an error


def text_of(values: NDArray[np.float64], decimals: int) -> str:
    """Write one line per time point: its number, and its values."""
    rounded = np.round(values, decimals) + 0.0  # no minus zero
    digits = [", ".join(f"{value:.{decimals}f}" for value in row) for row in np.clip(rounded, -1e12, 1e12)]
    return "\n".join(f"{place}: {row}" for place, row in enumerate(digits))


def picture_of(values: NDArray[np.float64]) -> bytes:
    """Draw the channels of a series as lines, one above the other; return the bytes of a PNG file."""
    figures = import_optional("matplotlib.figure", extra="plot")
    n_channels = values.shape[1]
    figure = figures.Figure(figsize=(_FIGURE_SIZE[0], _FIGURE_SIZE[1] * n_channels), layout="constrained")
    for place, channel in enumerate(np.clip(values, -1e12, 1e12).T):
        axes = figure.add_subplot(n_channels, 1, place + 1)
        axes.plot(np.arange(len(channel)), channel, linewidth=0.8)
        axes.set(xlabel="time point", ylabel=f"channel {place}", xlim=(0, max(len(channel) - 1, 1)))
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100, metadata={"Software": None})
    return file.getvalue()


def read_intervals(answer: Any, n_timepoints: int) -> list[tuple[int, int]]:
    """Read the intervals in an answer: the last JSON list in it.

    Parameters
    ----------
    answer : str
    n_timepoints : int

    Returns
    -------
    list of tuple of int
        First and last time point of each interval.

    Raises
    ------
    ValueError
        If there is no list, or an entry has no two whole numbers in ascending order within the series.
    """
    if not isinstance(answer, str):
        raise ValueError(f"the client returned {type(answer).__name__}, not text.")
    found = _last_list(answer)
    if found is None:
        raise ValueError(f"there is no JSON list of intervals in the answer {answer[:_SHOWN]!r}.")
    return [_interval(entry, n_timepoints) for entry in found]


def _last_list(answer: str) -> list[Any] | None:
    blocks = _BLOCK.findall(answer)
    for text in [*reversed(blocks), answer]:
        decoder, best, place = json.JSONDecoder(), None, 0
        while (start := text.find("[", place)) >= 0:
            try:
                value, place = decoder.raw_decode(text, start)
            except json.JSONDecodeError:
                place = start + 1
                continue
            if isinstance(value, list):
                best = value
        if best is not None:
            return best
    return None


def _interval(entry: Any, n_timepoints: int) -> tuple[int, int]:
    ends: Any = [entry.get("start"), entry.get("end")] if isinstance(entry, dict) else entry
    whole = isinstance(ends, list) and len(ends) == 2 and all(_is_whole(end) for end in ends)
    if not whole or not 0 <= int(ends[0]) <= int(ends[1]) < n_timepoints:
        raise ValueError(
            f"the interval {entry!r} is not a start and an end with 0 <= start <= end <= {n_timepoints - 1}."
        )
    return int(ends[0]), int(ends[1])


def _is_whole(value: Any) -> bool:
    number = isinstance(value, Integral | float) and not isinstance(value, bool)
    return number and float(value).is_integer()
