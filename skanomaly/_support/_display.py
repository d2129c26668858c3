"""What all displays have in common: numbers that can be drawn, colours, axes, and values as short text."""

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._optional import import_optional

__all__ = [
    "BLUE",
    "CATEGORIES",
    "GREY",
    "ORANGE",
    "axes_for",
    "drawable",
    "plain_text",
    "read_count",
    "read_number",
    "read_numbers",
    "short_text",
]

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"  # distinguished with every kind of colour vision
_LARGEST_DRAWN = 1e300  # the arithmetic of axes overflows soon above
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


def read_numbers(values: Any, name: str, *, ndim: int = 1, fewest: int = 0) -> NDArray[np.float64]:
    """Read an argument of a display as numbers; NaN and infinity are numbers that are not drawn.

    Parameters
    ----------
    values : array-like
        A table of one column is one-dimensional where `ndim` is 1.
    name : str
        What errors call it.
    ndim : int, default=1
    fewest : int, default=0
        Fewest entries.

    Returns
    -------
    ndarray of `ndim` dimensions, float64

    Raises
    ------
    ValueError
        If there are no numbers, other dimensions or too few entries.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O" and array.ndim:
            array = np.where(pd.isna(array), np.nan, array)
        array = np.asarray(array if array.dtype.kind in "biufO" and array.ndim else "no numbers", dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} is {short_text(values, 50)}; give numbers.") from None
    if ndim == 1 and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != ndim:
        wanted = "one dimension" if ndim == 1 else f"{ndim} dimensions"
        raise ValueError(f"{name} has shape {array.shape}; give numbers in {wanted}.")
    if array.size < fewest:
        raise ValueError(f"{name} has {array.size} entries; give at least {fewest}.")
    return array


def read_number(value: Any, name: str, *, optional: bool = True) -> Any:
    """Return a threshold or the like as it is, or raise an error if it is no number.

    Parameters
    ----------
    value : float or None
    name : str
        What errors call it.
    optional : bool, default=True
        Whether None is fine.

    Returns
    -------
    float or None

    Raises
    ------
    TypeError
        If it is neither a number nor None.
    """
    if (optional and value is None) or (isinstance(value, Real) and not isinstance(value, bool)):
        return value
    raise TypeError(f"{name}={short_text(value)} is no number; give a number{' or None' if optional else ''}.")


def read_count(value: Any, name: str, least: int = 1) -> int:
    """Return a whole number of at least `least`, or raise an error.

    Parameters
    ----------
    value : int
    name : str
    least : int, default=1

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is no such number.
    """
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least:
        return int(value)
    raise ValueError(f"{name}={short_text(value)}; give a whole number of at least {least}.")


def drawable(values: Any) -> Any:
    """Return numbers that matplotlib draws: infinite ones are left out, and those beyond 1e300 are drawn there.

    Parameters
    ----------
    values : ndarray or float

    Returns
    -------
    ndarray or float
        The same object where nothing has to change.
    """
    array = np.asarray(values)
    if array.dtype.kind != "f" or not array.size:
        return values
    with np.errstate(invalid="ignore"):
        if bool((np.abs(array, dtype=np.float64) <= _LARGEST_DRAWN).all()):
            return values
    array = array.astype(np.float64)
    limited = np.clip(np.where(np.isinf(array), np.nan, array), -_LARGEST_DRAWN, _LARGEST_DRAWN)
    return limited if array.ndim else float(limited)


def plain_text(text: Any) -> str:
    """Return the text of a label so that matplotlib writes it as it is.

    It would read what is between two dollar signs as a formula, and leave a label with an underscore in front out of
    the legend.

    Parameters
    ----------
    text : object

    Returns
    -------
    str
    """
    plain = str(text).replace("$", r"\$")
    return f" {plain}" if plain.startswith("_") else plain


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
