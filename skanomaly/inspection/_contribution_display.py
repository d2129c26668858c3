"""Display of the contribution of each column to the score of a row."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._display import (
    BLUE,
    ORANGE,
    axes_for,
    drawable,
    plain_text,
    read_count,
    read_numbers,
    short_text,
)
from skanomaly.inspection._contributions import feature_contributions
from skanomaly.inspection._explainer import Explainer
from skanomaly.inspection._explanation import Explanation
from skanomaly.inspection._scores import names_of

__all__ = ["ContributionDisplay"]


class ContributionDisplay:
    """Bar chart of the contributions of columns to the score of one row, the largest on top.

    Make it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    contributions : ndarray of shape (n_features,)
        In the sign of the score: a negative contribution makes the row more anomalous.
    feature_names : sequence of str
        Names of the columns.
    values : ndarray of shape (n_features,) or None, default=None
        The row itself, numbers or text; shown next to the names.
    n_features : int, default=10
        Largest number of bars; one more bar is the sum of the remaining columns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of the plot.

    Examples
    --------
    >>> from skanomaly.inspection import ContributionDisplay
    >>> display = ContributionDisplay.from_predictions(
    ...     [-4.0, 0.5, -1.0], feature_names=["heat", "load", "flow"]
    ... )
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['heat', 'flow', 'load']
    """

    def __init__(
        self,
        *,
        contributions: NDArray[np.float64],
        feature_names: Sequence[str],
        values: NDArray[np.float64] | None = None,
        n_features: int = 10,
    ) -> None:
        self.contributions = contributions
        self.feature_names = feature_names
        self.values = values
        self.n_features = n_features

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        method: str | Explainer = "exact",
        background: Any = None,
        random_state: Any = None,
        n_features: int = 10,
        ax: Any = None,
    ) -> Self:
        """Explain one row by :func:`feature_contributions` and draw it.

        Parameters
        ----------
        estimator : estimator
        X : array-like of shape (1, n_features)
        method : {"exact", "permutation", "lime", "stratified_lime"} or explainer, default="exact"
        background : array-like of shape (n_background, n_features), default=None
        random_state : int, RandomState instance or None, default=None
        n_features : int, default=10
        ax : matplotlib Axes, default=None

        Returns
        -------
        ContributionDisplay
        """
        if np.ndim(X) != 2 or np.shape(X)[0] != 1:
            one = "X.iloc[[3]]" if hasattr(X, "iloc") else "X[[3]]"
            raise ValueError(f"X has shape {np.shape(X)}; pass one row, for example {one}.")
        parts = feature_contributions(estimator, X, method=method, background=background, random_state=random_state)
        names = names_of(X, estimator)
        values: Any = _cells(X)
        if parts.shape[1] != len(names):  # columns were explained in groups
            names, values = [f"group {group}" for group in range(parts.shape[1])], None
        n_features = read_count(n_features, "n_features")
        return cls(contributions=parts[0], feature_names=names, values=values, n_features=n_features).plot(ax=ax)

    @classmethod
    def from_predictions(
        cls, contributions: Any, *, feature_names: Any = None, values: Any = None, n_features: int = 10, ax: Any = None
    ) -> Self:
        """Draw contributions.

        Parameters
        ----------
        contributions : array-like of shape (n_features,) or (1, n_features), or Explanation of one row
            Contributions of one row, as :func:`feature_contributions` and explainers return them.
        feature_names : sequence of str, default=None
            None uses the names of the explanation, or x0, x1, ...
        values : array-like of shape (n_features,) or (1, n_features), default=None
            The row itself.
        n_features : int, default=10
        ax : matplotlib Axes, default=None

        Returns
        -------
        ContributionDisplay
        """
        if isinstance(contributions, Explanation):
            feature_names = contributions.feature_names if feature_names is None else feature_names
            contributions = contributions.contributions
        if np.ndim(contributions) == 2 and len(contributions) > 1:
            shape = np.shape(contributions)
            raise ValueError(f"contributions has shape {shape}; pass those of one row, for example contributions[3].")
        if np.ndim(contributions) == 2 and len(contributions) == 1:
            contributions = np.asarray(contributions)[0]
        parts = read_numbers(contributions, "contributions", fewest=1)
        if feature_names is not None and (isinstance(feature_names, str) or not np.iterable(feature_names)):
            raise TypeError(f"feature_names={feature_names!r:.50}; give a list of names, one a column.")
        names = [f"x{column}" for column in range(len(parts))] if feature_names is None else list(feature_names)
        if len(names) != len(parts):
            raise ValueError(
                f"feature_names has {len(names)} names and contributions {len(parts)} columns; they must agree."
            )
        values = None if values is None else _cells(values)
        if values is not None and len(values) != len(parts):
            raise ValueError(
                f"values has {len(values)} entries and contributions {len(parts)} columns; they must agree."
            )
        n_features = read_count(n_features, "n_features")
        return cls(contributions=parts, feature_names=names, values=values, n_features=n_features).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None

        Returns
        -------
        self
        """
        order = np.argsort(-np.abs(self.contributions), kind="stable")
        kept, left = order[: self.n_features], order[self.n_features :]
        widths = drawable(self.contributions)[kept]
        names = [
            short_text(self.feature_names[column])
            + ("" if self.values is None else f" = {_written(self.values[column])}")
            for column in kept
        ]
        if left.size:
            widths = np.append(widths, drawable(drawable(self.contributions)[left].sum()))
            names.append(f"{left.size} others")
        ax = axes_for(ax, 1, (5.2, 0.9 + 0.3 * len(widths)))
        places = np.arange(len(widths))
        ax.barh(places, widths, color=np.where(widths < 0, ORANGE, BLUE), height=0.7)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set_yticks(places, [plain_text(name) for name in names])
        ax.invert_yaxis()
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.set_xlabel("contribution (below 0: more anomalous)")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _cells(row: Any) -> NDArray[Any]:
    """Return the cells of one row as numbers, or as objects where one is not a number."""
    cells = np.ravel(np.asarray(row, dtype=object))
    try:
        return cells.astype(np.float64)
    except (TypeError, ValueError):
        return cells


def _written(value: Any) -> str:
    return short_text(float(value) if isinstance(value, Real) else value)
