"""What all displays have in common: colours, axes, and values as short text."""

from typing import Any

import numpy as np

from skanomaly._support._optional import import_optional

__all__ = ["BLUE", "CATEGORIES", "GREY", "ORANGE", "axes_for", "short_text"]

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"  # distinguished with every kind of colour vision
CATEGORIES = ("#BBBBBB", BLUE, "#009E73", "#CC79A7", "#F0E442")  # classes, the largest first


def axes_for(ax: Any, n_panels: int, size: tuple[float, float], **options: Any) -> Any:
    """Return the axes to draw on: those given, or those of a new figure.

    Parameters
    ----------
    ax : Axes, sequence of Axes or None
        None makes a figure.
    n_panels : int
        Panels that the display draws.
    size : tuple of two float
        Width and height of a new figure, in inches.
    **options : Any
        For ``matplotlib.pyplot.subplots``; without `nrows` the panels stand beside each other.

    Returns
    -------
    Axes or ndarray of shape (n_panels,) of Axes
        One Axes where `n_panels` is 1.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If `ax` holds another number of axes.
    """
    pyplot = import_optional("matplotlib.pyplot", extra="plot")
    if ax is None:
        shape = {"ncols": n_panels, **options} if "nrows" not in options else options
        ax = pyplot.subplots(figsize=size, layout="constrained", **shape)[1]
    axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if len(axes) != n_panels:
        raise ValueError(f"ax holds {len(axes)} axes; {n_panels} {'is' if n_panels == 1 else 'are'} needed.")
    return axes[0] if n_panels == 1 else axes


def short_text(value: Any, longest: int = 24) -> str:
    """Write a value in at most `longest` characters; numbers with four digits.

    Parameters
    ----------
    value : object
    longest : int, default=24

    Returns
    -------
    str
    """
    text = f"{value:.4g}" if isinstance(value, float | np.floating) else " ".join(str(value).split())
    return text if len(text) <= longest else text[: longest - 3] + "..."
