"""Display of the score over two columns, with the threshold as a contour line."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._columns import is_frame
from skanomaly._support._display import (
    ORANGE,
    axes_for,
    drawable,
    plain_text,
    read_count,
    read_number,
    read_numbers,
    short_text,
)
from skanomaly._support._responses import threshold_of
from skanomaly.inspection._scores import Scorer, read_tables

__all__ = ["ScoreTerrainDisplay"]

_MARGIN = 0.1


class ScoreTerrainDisplay:
    """Contour plot of the score over two columns, the others fixed, with the threshold and the rows.

    Make it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    horizontal, vertical : ndarray of shape (n_grid,)
        Values of the two columns.
    scores : ndarray of shape (n_grid, n_grid)
        Score at each vertical value (first axis) and horizontal value; lower is more anomalous.
    threshold : float or None, default=None
        Score of the contour line; None draws no line.
    rows : ndarray of shape (n_samples, 2) or None, default=None
        Rows shown as points.
    anomalous : ndarray of shape (n_samples,), bool, or None, default=None
        Rows shown as anomalies.
    feature_names : tuple of two str, default=("x0", "x1")
        Names of the columns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of the plot.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import GaussianDetector
    >>> from skanomaly.inspection import ScoreTerrainDisplay
    >>> rows = np.random.RandomState(0).normal(size=(100, 2))
    >>> display = ScoreTerrainDisplay.from_estimator(
    ...     GaussianDetector().fit(rows), rows, grid_resolution=20
    ... )
    >>> display.scores.shape
    (20, 20)
    """

    def __init__(
        self,
        *,
        horizontal: NDArray[np.float64],
        vertical: NDArray[np.float64],
        scores: NDArray[np.float64],
        threshold: float | None = None,
        rows: NDArray[np.float64] | None = None,
        anomalous: NDArray[np.bool_] | None = None,
        feature_names: tuple[str, str] = ("x0", "x1"),
    ) -> None:
        self.horizontal = horizontal
        self.vertical = vertical
        self.scores = scores
        self.threshold = threshold
        self.rows = rows
        self.anomalous = anomalous
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        features: tuple[int | str, int | str] = (0, 1),
        at: Any = None,
        grid_resolution: int = 100,
        ax: Any = None,
    ) -> Self:
        """Score a grid over two columns and draw it.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``score_samples`` and a threshold.
        X : array-like of shape (n_samples, n_features)
            Rows that are shown and that determine the range of the grid.
        features : tuple of two int or str, default=(0, 1)
            Indices or names of the columns.
        at : array-like of shape (n_features,), default=None
            Values of the other columns, those of a Series by name; None uses their medians. With more than two columns
            the rows do not lie on this plane: they are marked as anomalies by their own score.
        grid_resolution : int, default=100
            Number of grid points per column, at least 2.
        ax : matplotlib Axes, default=None

        Returns
        -------
        ScoreTerrainDisplay
        """
        check_is_fitted(estimator)
        grid_resolution = read_count(grid_resolution, "grid_resolution", 2)
        reader, rows, fixed = read_tables(X, X if at is None else _one_row(at), name="at")
        score = Scorer(estimator, reader)
        first, second = _two_columns(features, score.names)
        base = np.median(rows, axis=0) if at is None else fixed[0]
        horizontal, vertical = (_range(rows[:, column], grid_resolution) for column in (first, second))
        grid = np.tile(base, (grid_resolution**2, 1))
        grid[:, first], grid[:, second] = (axis.ravel() for axis in np.meshgrid(horizontal, vertical))
        level = threshold_of(estimator, X)
        return cls(
            horizontal=horizontal,
            vertical=vertical,
            scores=score(grid).reshape(grid_resolution, grid_resolution),
            threshold=level,
            rows=rows[:, [first, second]],
            anomalous=score(rows) < level,
            feature_names=(score.names[first], score.names[second]),
        ).plot(ax=ax)

    @classmethod
    def from_predictions(
        cls,
        horizontal: Any,
        vertical: Any,
        scores: Any,
        *,
        threshold: float | None = None,
        feature_names: tuple[str, str] = ("x0", "x1"),
        ax: Any = None,
    ) -> Self:
        """Draw given scores on a grid.

        Parameters
        ----------
        horizontal, vertical : array-like of shape (n_grid,)
        scores : array-like of shape (n_grid, n_grid)
        threshold : float, default=None
        feature_names : tuple of two str, default=("x0", "x1")
        ax : matplotlib Axes, default=None

        Returns
        -------
        ScoreTerrainDisplay
        """
        across, up = read_numbers(horizontal, "horizontal", fewest=2), read_numbers(vertical, "vertical", fewest=2)
        height, threshold = read_numbers(scores, "scores", ndim=2), read_number(threshold, "threshold")
        if height.shape != (len(up), len(across)):
            raise ValueError(f"scores has shape {height.shape}; the grid is {(len(up), len(across))}.")
        return cls(
            horizontal=across, vertical=up, scores=height, threshold=threshold, feature_names=feature_names
        ).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None

        Returns
        -------
        self
        """
        ax = axes_for(ax, 1, (5.2, 4.0))
        across, up, scores = (drawable(values) for values in (self.horizontal, self.vertical, self.scores))
        contours = ax.contourf(across, up, scores, levels=14, cmap="cividis")
        ax.figure.colorbar(contours, ax=ax, label="score (lower is more anomalous)")
        if self.threshold is not None and scores.min() < self.threshold < scores.max():
            line = {"colors": "white", "linewidths": 1.8, "linestyles": "solid"}
            ax.contour(across, up, scores, levels=[self.threshold], **line)
            ax.plot([], [], color="white", linewidth=1.8, label="threshold")
        if self.rows is not None:
            marked = np.zeros(len(self.rows), dtype=bool) if self.anomalous is None else self.anomalous
            rows = drawable(self.rows)
            ax.plot(*rows[~marked].T, "o", color="black", markersize=2.5, alpha=0.6, label="normal")
            ax.plot(*rows[marked].T, "o", color=ORANGE, mec="white", mew=0.6, markersize=6, label="anomaly")
        if ax.get_legend_handles_labels()[0]:
            place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 3, "fontsize": "small"}
            legend = ax.legend(facecolor="#8a8a8a", framealpha=0.9, edgecolor="none", **place)
            for text in legend.get_texts():
                text.set_color("white")
        ax.set(xlabel=plain_text(self.feature_names[0]), ylabel=plain_text(self.feature_names[1]))
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _one_row(at: Any) -> Any:
    """Make a table of one row; a Series with labels gives it names."""
    if isinstance(at, pd.Series) and not isinstance(at.index, pd.RangeIndex):
        return at.to_frame().T
    return at if is_frame(at) else np.atleast_2d(at)


def _two_columns(features: Any, names: list[str]) -> tuple[int, int]:
    """Return the indices of the two columns of a plane."""
    given = list(features) if isinstance(features, list | tuple | np.ndarray) else []
    known = [one if isinstance(one, str) else int(one) for one in given if isinstance(one, str | int | np.integer)]
    found = [_column_index(feature, names) for feature in known]
    if len(given) != 2 or len(found) != 2 or found[0] == found[1]:
        raise ValueError(f"features={short_text(features)}; give two different columns, for example (0, 1).")
    return found[0], found[1]


def _column_index(feature: int | str, names: list[str]) -> int:
    """Return the index of a column given by index or name."""
    if isinstance(feature, str):
        if feature not in names:
            raise ValueError(f"There is no column {feature!r}; the columns are {', '.join(names[:8])}.")
        return names.index(feature)
    if not -len(names) <= feature < len(names):
        raise ValueError(f"There is no column {feature}; there are {len(names)} columns.")
    return int(feature) % len(names)


def _range(values: NDArray[np.float64], n_grid: int) -> NDArray[np.float64]:
    margin = _MARGIN * (np.ptp(values) or 1.0)
    return np.linspace(values.min() - margin, values.max() + margin, n_grid)
