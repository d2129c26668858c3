"""One function per kind of disturbance; rows are (n, d), sequences (n, time, channel)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._neighbors import nearest_neighbors

__all__ = ["MAKERS"]

Table = NDArray[np.float64]
Random = np.random.Generator


def _widths(n_new: int, length: int, width: tuple[float, float], random: Random) -> NDArray[np.intp]:
    fractions = random.uniform(*width, size=n_new)
    return np.clip(np.rint(fractions * length), 1, max(length - 1, 1)).astype(np.intp)


def _others(source: NDArray[np.intp], n_rows: int, random: Random) -> NDArray[np.intp]:
    """Draw for each row another one; the row itself only where there is no other."""
    if n_rows == 1:
        return source
    return (source + random.integers(1, n_rows, size=source.size)) % n_rows


def _toward(before: Table, after: Table, strength: float) -> Table:
    """Move entries; the strength 0.5 gives exactly `after`."""
    return (1.0 - 2.0 * strength) * before + 2.0 * strength * after


def _gaussian(
    normal: Table, _: Table, source: NDArray[np.intp], __: Any, strength: float, scale: Table, random: Random
) -> Table:
    levels = strength * 1.1 ** random.integers(5, size=source.size)
    noise = random.normal(size=(source.size, *normal.shape[1:])) * scale
    return normal[source] + noise * levels.reshape(-1, *[1] * (normal.ndim - 1))


def _swap(
    normal: Table,
    _: Table,
    source: NDArray[np.intp],
    width: tuple[float, float],
    strength: float,
    __: Any,
    random: Random,
) -> Table:
    made, length = normal[source], normal.shape[1]
    donors = _others(source, len(normal), random)
    for row, size in enumerate(_widths(source.size, length, width, random)):
        if normal.ndim == 2:
            places = random.choice(length, size, replace=False)
        else:
            start = random.integers(length - size + 1)
            places = np.arange(start, start + size)
        before = normal[source[row], places]
        made[row, places] = _toward(before, normal[donors[row], places], strength)
    return made


def _paste(
    normal: Table,
    _: Table,
    source: NDArray[np.intp],
    width: tuple[float, float],
    strength: float,
    __: Any,
    random: Random,
) -> Table:
    made, length = normal[source], normal.shape[1]
    for row, size in enumerate(_widths(source.size, length, width, random)):
        n_places = length - size + 1
        start = int(random.integers(n_places))
        target = (start + int(random.integers(1, n_places))) % n_places if n_places > 1 else start
        before = normal[source[row], target : target + size]
        moved = normal[source[row], start : start + size]
        made[row, target : target + size] = _toward(before, moved, strength)
    return made


def _blend(
    normal: Table,
    _: Table,
    source: NDArray[np.intp],
    width: tuple[float, float],
    strength: float,
    __: Any,
    random: Random,
) -> Table:
    made, length = normal[source], normal.shape[1]
    donors = _others(source, len(normal), random)
    fractions = np.clip(random.gamma(2.0, 0.05, size=source.size) + 0.03, *width)
    sizes = np.clip(np.rint(fractions * length), 1, max(length - 1, 1)).astype(np.intp)
    factors = np.clip(random.normal(1.0, 0.5, size=source.size), 0.7, 1.3)
    for row, size in enumerate(sizes):
        taken = int(np.clip(round(size / factors[row]), 1, length))
        start = int(random.integers(length - taken + 1))
        patch = _resized(normal[donors[row], start : start + taken], int(size))
        target = int(random.integers(length - size + 1))
        before = normal[source[row], target : target + size]
        shift = (before[0] + before[-1] - patch[0] - patch[-1]) / 2.0 if size > 2 else 0.0
        made[row, target : target + size] = _toward(before, patch + shift, strength)
    return made


def _resized(block: Table, size: int) -> Table:
    """Stretch a block along its first axis, linearly."""
    places = np.linspace(0.0, len(block) - 1.0, size)
    below = np.floor(places).astype(np.intp)
    above = np.minimum(below + 1, len(block) - 1)
    part = (places - below).reshape(-1, *[1] * (block.ndim - 1))
    return block[below] + part * (block[above] - block[below])


def _transplant(
    normal: Table,
    anomalies: Table,
    source: NDArray[np.intp],
    _width: tuple[float, float],
    strength: float,
    _: Any,
    random: Random,
) -> Table:
    if len(anomalies) == 0:
        raise ValueError('kind="transplant" needs real anomalies: label some rows -1 in y, or choose another kind.')
    flat, flat_anomalies = normal.reshape(len(normal), -1), anomalies.reshape(len(anomalies), -1)
    nearest = nearest_neighbors(flat, flat_anomalies, n_neighbors=1)[1][:, 0]
    residuals = (flat_anomalies - flat[nearest]).reshape(anomalies.shape)
    drawn = residuals[random.integers(len(anomalies), size=source.size)]
    amplitude = 2.0 * strength * random.uniform(0.5, 1.2, size=source.size)
    if normal.ndim == 3:  # move the anomalous part in time, not its values
        for row, shift in enumerate(random.integers(normal.shape[1], size=source.size)):
            drawn[row] = np.roll(drawn[row], shift, axis=0)
    return normal[source] + amplitude.reshape(-1, *[1] * (normal.ndim - 1)) * drawn


MAKERS: dict[str, Callable[..., Table]] = {
    "gaussian": _gaussian,
    "swap": _swap,
    "paste": _paste,
    "blend": _blend,
    "transplant": _transplant,
}
