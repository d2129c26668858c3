"""Small plots in SVG, which scale with the page."""

from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Plot", "date_ticks"]

Values = NDArray[np.floating[Any]]
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 10.0, 10.0, 34.0
_CHARACTER_WIDTH = 6.0  # upper bound
_DAY = 86400
_MOST_DATES = 4


@dataclass
class Plot:
    """A plot with axes, 360 units wide; values outside the ranges are clipped to them.

    Parameters
    ----------
    title : str
        Read by screen readers.
    x_range, y_range : tuple of two float
    x_label, y_label : str
    log_x : bool, default=False
    height : float, default=210
    x_texts : list of (float, str), default=None
        Positions and texts of the horizontal axis; None is round numbers.
    """

    title: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_label: str
    y_label: str
    log_x: bool = False
    height: float = 210.0
    width: float = 360.0
    x_texts: list[tuple[float, str]] | None = None
    _marks: list[str] = field(default_factory=list)

    def dots(self, x: Values, y: Values, kind: str, radius: float = 2.2) -> None:
        """Draw points; `kind` is a class of the style sheet of the page."""
        circles = "".join(
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{radius}"/>' for a, b in zip(self._x(x), self._y(y), strict=True)
        )
        self._marks.append(f'<g class="{kind}">{circles}</g>')

    def line(self, x: Values, y: Values, kind: str) -> None:
        """Draw a line through points."""
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(self._x(x), self._y(y), strict=True))
        self._marks.append(f'<polyline class="{kind}" points="{points}"/>')

    def bars(self, edges: Values, heights: Values, kind: str) -> None:
        """Draw bars between consecutive edges."""
        left, right = self._x(edges[:-1]), self._x(edges[1:])
        top, base = self._y(heights), float(self._y(np.zeros(1))[0])
        rectangles = "".join(
            f'<rect x="{a:.1f}" y="{t:.1f}" width="{max(b - a - 0.6, 0.3):.1f}" height="{base - t:.1f}"/>'
            for a, b, t in zip(left, right, top, strict=True)
        )
        self._marks.append(f'<g class="{kind}">{rectangles}</g>')

    def rule(self, value: float, label: str, *, vertical: bool = False) -> None:
        """Draw a dashed line across the plot with a label beside it."""
        if vertical:
            at = float(self._x(np.array([value]))[0])
            ends = f'x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{self.height - _BOTTOM}"'
            left, anchor = self._beside(at, len(label) * _CHARACTER_WIDTH)
            place = f'x="{left:.1f}" y="{_TOP + 10}" text-anchor="{anchor}"'
        else:
            at = float(self._y(np.array([value]))[0])
            ends = f'x1="{_LEFT}" x2="{self.width - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"'
            above = at > _TOP + 14
            place = f'x="{_LEFT + 4}" y="{at + (-4 if above else 12):.1f}" text-anchor="start"'
        self._marks.append(f'<line class="rule" {ends}/><text class="rule-text" {place}>{escape(label)}</text>')

    def _beside(self, at: float, length: float) -> tuple[float, str]:
        """Return where a label goes: right of a line, left of it, or inside the plot if neither side has space."""
        if at + 4 + length <= self.width - _RIGHT:
            return at + 4, "start"
        if at - 4 - length >= _LEFT:
            return at - 4, "end"
        return max(_LEFT, self.width - _RIGHT - length), "start"

    def svg(self) -> str:
        """Return the plot as an SVG element."""
        axes = [
            *(self._tick(value, text, horizontal=True) for value, text in self._x_ticks()),
            *(self._tick(value, _tick_text(value), horizontal=False) for value in _nice_ticks(*self.y_range)),
            _label(self.x_label, f'x="{(self.width + _LEFT) / 2}" y="{self.height - 4}"'),
            _label(self.y_label, f'transform="translate(10 {(self.height - _BOTTOM + _TOP) / 2}) rotate(-90)"'),
        ]
        return (
            f'<svg viewBox="0 0 {self.width:.0f} {self.height:.0f}" role="img" aria-label="{escape(self.title)}">'
            f"{''.join(axes)}{''.join(self._marks)}</svg>"
        )

    def _x(self, values: Values) -> Values:
        low, high = self.x_range
        if self.log_x:
            values, low, high = np.log(values), float(np.log(low)), float(np.log(high))
        return _LEFT + np.clip(_relative(values, low, high), 0, 1) * (self.width - _LEFT - _RIGHT)

    def _y(self, values: Values) -> Values:
        return self.height - _BOTTOM - np.clip(_relative(values, *self.y_range), 0, 1) * (self.height - _TOP - _BOTTOM)

    def _x_ticks(self) -> list[tuple[float, str]]:
        if self.x_texts is not None:
            return self.x_texts
        if not self.log_x:
            return [(value, _tick_text(value)) for value in _nice_ticks(*self.x_range)]
        powers = [10.0**power for power in range(20) if self.x_range[0] <= 10.0**power <= self.x_range[1]]
        return [(value, _tick_text(value)) for value in powers]

    def _tick(self, value: float, text: str, *, horizontal: bool) -> str:
        floor, text = self.height - _BOTTOM, escape(text)
        if horizontal:
            at = float(self._x(np.array([value]))[0])
            line = f'x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{floor}"'
            at_edge = at > self.width - _RIGHT - 12
            place = f'x="{at:.1f}" y="{floor + 13}" text-anchor="{"end" if at_edge else "middle"}"'
        else:
            at = float(self._y(np.array([value]))[0])
            line = f'x1="{_LEFT}" x2="{self.width - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"'
            place = f'x="{_LEFT - 5}" y="{at + 3.5:.1f}" text-anchor="end"'
        return f'<line class="grid" {line}/><text class="tick" {place}>{text}</text>'


def date_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return about four round dates, as seconds since 1970 in UTC, between two, and their texts."""
    clocks = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 21600, 43200]
    days = [1, 2, 7, 14, 30, 61, 91, 183, 365, 730, 1826, 3652, 36525]
    sizes = [*clocks, *(_DAY * n_days for n_days in days)]
    step = next((size for size in sizes if (high - low) / size <= _MOST_DATES), sizes[-1])
    places = [float(step * place) for place in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
    dates = [str(np.datetime64(int(place), "s")) for place in places]
    shown = slice(0, 10) if step >= _DAY else slice(5, 16) if step >= 60 else slice(5, 19)
    return [(place, date[shown].replace("T", " ")) for place, date in zip(places, dates, strict=True)]


def _label(text: str, place: str) -> str:
    return f'<text class="label" {place} text-anchor="middle">{escape(text)}</text>'


def _relative(values: Values, low: float, high: float) -> Values:
    # Halved first, since the difference of the largest finite numbers overflows.
    return (values / 2 - low / 2) / ((high / 2 - low / 2) or 1.0)


def _nice_ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers between two values."""
    step = (high / 4 - low / 4) or 1.0
    power = 10.0 ** np.floor(np.log10(step))
    step = float(next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= 0.999 * step))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [place * step for place in range(first, last + 1)]


def _tick_text(value: float) -> str:
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.1e}"
    return f"{value:,.10g}" if abs(value) >= 1000 else f"{value:.4g}"
