"""Colours, axes and text of the displays."""

from typing import Any

import numpy as np

from skanomaly._support._optional import import_optional

__all__ = ["BLUE", "GREY", "ORANGE", "check_axes", "new_axes", "shown"]

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"  # distinguishable with colour vision deficiency


def new_axes(n_panels: int, size: tuple[float, float], **options: Any) -> Any:
    """Make a figure and return its axes, one or an array."""
    pyplot = import_optional("matplotlib.pyplot", extra="plot")
    _, axes = pyplot.subplots(1, n_panels, figsize=size, layout="constrained", **options)
    return axes


def check_axes(ax: Any, n_panels: int) -> Any:
    """Return the axes as an array; raise where their number differs."""
    axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if len(axes) != n_panels:
        raise ValueError(f"ax holds {len(axes)} axes; {n_panels} are needed.")
    return axes


def shown(value: Any, longest: int = 24) -> str:
    """Return a short text of a value."""
    text = f"{value:.4g}" if isinstance(value, float | np.floating) else " ".join(str(value).split())
    return text if len(text) <= longest else text[: longest - 3] + "..."
