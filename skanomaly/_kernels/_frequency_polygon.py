"""Frequency polygons on a scale of arcsinh, with atoms: how surprising the values of one column are."""

import math

import numpy as np

from skanomaly._kernels._jit import inner_kernel, kernel

__all__ = ["count_below", "fill_column_surprise", "fill_positions"]


@inner_kernel
def _find_position(value, center, scale):
    """Return arcsinh((value - center) / scale), finite for every finite value; O(1)."""
    distance = value - center
    if abs(distance / scale) < 1e9:
        return math.asinh(distance / scale)
    if math.isinf(distance):
        length = math.log(abs(value)) + math.log(1.0 - center / value)
    else:
        length = math.log(abs(distance))
    length += math.log(2.0) - math.log(scale)
    return length if distance > 0.0 else -length


@inner_kernel
def count_below(levels, value):
    """Count the sorted levels below a value, as np.searchsorted does, which compiles for half a second; O(log n)."""
    low, high = 0, levels.size
    while low < high:
        middle = (low + high) // 2
        if levels[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def fill_positions(values, center, scale, out):
    """Write arcsinh of each value in robust units; O(n).

    Parameters
    ----------
    values : ndarray of shape (n,)
        Finite numbers.
    center, scale : float
        A scale above 0.
    out : ndarray of shape (n,), float64
        Written.
    """
    for row in range(values.size):
        out[row] = _find_position(np.float64(values[row]), center, scale)


@kernel
def fill_column_surprise(
    values, center, scale, low, high, step, first, polygon, below, atoms, counts, relative, n_rows, missing, out
):
    """Write the surprise of each value: -log of its frequency, less half the log of its tail, plus what lies beyond.

    O(n log(n_atoms)). One row with the value is left out of every count, and no count is smaller than a half.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Finite numbers or NaN.
    center, scale : float
        Of the positions ``arcsinh((value - center) / scale)``.
    low, high : float
        Positions beyond which the distance to them is added.
    step : float
        Distance of the knots of the polygon.
    first : int
        The first knot is at ``first * step``.
    polygon : ndarray of shape (n_knots,), float64
        Rows at each knot, each row being divided between the two knots around it; 0 at both ends.
    below : ndarray of shape (n_knots,), float64
        Rows below each knot, half of those at the knot among them.
    atoms : ndarray of shape (n_atoms,), float64
        Sorted values that many rows have, which the polygon does not count.
    counts : ndarray of shape (n_atoms + 1,), float64
        Rows of all atoms before each atom, and of all.
    relative : float
        A value this close to an atom, relative to the larger one of the atom and the scale, is the atom.
    n_rows : int
        All rows, those with a missing value among them.
    missing : float
        The surprise of NaN.
    out : ndarray of shape (n,), float64
        Written.
    """
    n_knots, n_atoms, others = polygon.size, atoms.size, n_rows - 1.0
    n_polygon, n_atomic = below[n_knots - 1], counts[n_atoms]
    for row in range(values.size):
        value = np.float64(values[row])
        if math.isnan(value):
            out[row] = missing
            continue
        place = count_below(atoms, value)
        found = -1
        for atom in range(max(place - 1, 0), min(place + 1, n_atoms)):
            if abs(value - atoms[atom]) <= relative * max(abs(atoms[atom]), scale):
                found = atom
        if found >= 0:
            value = atoms[found]
        position = _find_position(value, center, scale)
        knot = position / step - first
        mass, left = 0.0, 0.0
        if knot >= n_knots - 1:
            left = n_polygon
        elif knot >= 0.0:
            lower = int(knot)
            part = knot - lower
            mass = (1.0 - part) * polygon[lower] + part * polygon[lower + 1]
            mass -= (1.0 - part) * (1.0 - part) + part * part
            left = (1.0 - part) * below[lower] + part * below[lower + 1]
        right = n_polygon - left
        if found >= 0:
            mass = counts[found + 1] - counts[found] - 1.0
            left += counts[found + 1] - 1.0
            right += n_atomic - counts[found] - 1.0
        else:
            left += counts[place] - 0.5
            right += n_atomic - counts[place] - 0.5
        mass = max(mass, 0.5) / others
        tail = min(2.0 * max(min(left, right), 0.5) / others, 1.0)
        out[row] = max(position - high, 0.0) + max(low - position, 0.0) - 0.5 * math.log(mass * mass * tail)
