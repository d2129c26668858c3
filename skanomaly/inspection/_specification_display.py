"""A picture of what each of many analytic choices leads to."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._optional import import_optional
from skanomaly.inspection._drawing import BLUE, GREY, ORANGE, check_axes, shown

__all__ = ["SpecificationCurveDisplay"]


class SpecificationCurveDisplay:
    """The curve of results over all specifications, smallest first, above a chart of the choices behind each.

    Make it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    values : ndarray of shape (n_specifications,)
        Result of each specification.
    parameters : sequence of dict
        The choices of each specification; all have the same keys.
    value_name : str, default="result"
        Label of the upper panel.

    Attributes
    ----------
    ax_ : ndarray of two matplotlib Axes
        The curve, and the choices.
    figure_ : matplotlib Figure
        Figure drawn on.

    Examples
    --------
    >>> from skanomaly.inspection import SpecificationCurveDisplay
    >>> choices = [{"scale": scale, "k": k} for scale in (True, False) for k in (1, 5)]
    >>> display = SpecificationCurveDisplay.from_predictions([0.7, 0.9, 0.6, 0.8], choices)
    >>> [label.get_text() for label in display.ax_[1].get_yticklabels()]
    ['scale: True', 'scale: False', 'k: 1', 'k: 5']
    """

    def __init__(
        self,
        *,
        values: NDArray[np.float64],
        parameters: Sequence[Mapping[str, Any]],
        value_name: str = "result",
    ) -> None:
        self.values = values
        self.parameters = parameters
        self.value_name = value_name

    @classmethod
    def from_estimator(cls, estimator: Any, *, value_name: str = "result", ax: Any = None) -> Self:
        """Draw a finished study.

        Parameters
        ----------
        estimator : object
            Holds ``values``, array of shape (n_specifications,), and ``parameters``, a list of as many dicts, as what
            :func:`skanomaly.model_selection.specification_curve` returns does; or the results of a fitted search
            (``cv_results_``).
        value_name : str, default="result"
        ax : sequence of two matplotlib Axes, default=None

        Returns
        -------
        SpecificationCurveDisplay
        """
        if hasattr(estimator, "cv_results_"):
            results = estimator.cv_results_
            return cls.from_predictions(results["mean_test_score"], results["params"], value_name=value_name, ax=ax)
        return cls.from_predictions(estimator.values, estimator.parameters, value_name=value_name, ax=ax)

    @classmethod
    def from_predictions(
        cls, values: Any, parameters: Sequence[Mapping[str, Any]], *, value_name: str = "result", ax: Any = None
    ) -> Self:
        """Draw results and the choices behind them.

        Parameters
        ----------
        values : array-like of shape (n_specifications,)
        parameters : sequence of dict
        value_name : str, default="result"
        ax : sequence of two matplotlib Axes, default=None

        Returns
        -------
        SpecificationCurveDisplay
        """
        results = np.asarray(values, dtype=np.float64)
        if results.ndim != 1 or len(results) != len(parameters) or not len(results):
            raise ValueError(
                f"values have shape {results.shape} and parameters {len(parameters)} entries; one result is needed for "
                "each of at least one specification."
            )
        return cls(values=results, parameters=list(parameters), value_name=value_name).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : sequence of two matplotlib Axes, default=None
            The curve goes on the first, the choices on the second.

        Returns
        -------
        self
        """
        order = np.argsort(self.values, kind="stable")
        labels, levels, firsts = self._levels()
        if ax is None:
            pyplot = import_optional("matplotlib.pyplot", extra="plot")
            heights = (2.2, 0.24 * len(labels) + 0.3)
            _, ax = pyplot.subplots(
                2, 1, figsize=(6.4, sum(heights) + 0.7), height_ratios=heights, sharex=True, layout="constrained"
            )
        curve, chart = axes = check_axes(ax, 2)
        places = np.arange(1, len(order) + 1)
        median = float(np.median(self.values))
        curve.plot(places, self.values[order], ".", color=BLUE, markersize=5)
        curve.axhline(median, color=ORANGE, linewidth=1, label=f"median {median:.3g}")
        curve.set_ylabel(self.value_name)
        curve.legend(frameon=False, loc="upper left")
        for place, run in zip(places, order, strict=True):
            chart.plot([place] * len(levels[run]), levels[run], "|", color=BLUE, markersize=7)
        for first in firsts[1:]:
            chart.axhline(first - 0.5, color=GREY, linewidth=0.5)
        chart.set_yticks(range(len(labels)), labels, fontsize="small")
        chart.tick_params(axis="y", length=0)
        chart.set(xlabel="specification, smallest result first", ylim=(len(labels) - 0.5, -0.5))
        for panel in axes:
            panel.spines[["top", "right"]].set_visible(False)
        self.ax_, self.figure_ = axes, curve.figure
        return self

    def _levels(self) -> tuple[list[str], list[list[int]], list[int]]:
        """List the levels of all choices, those of each specification, and where each choice begins."""
        labels: list[str] = []
        levels: list[list[int]] = [[] for _ in self.parameters]
        firsts = []
        for name in self.parameters[0]:
            firsts.append(len(labels))
            texts = [f"{name.rpartition('__')[2]}: {shown(parameters[name])}" for parameters in self.parameters]
            found = list(dict.fromkeys(texts))
            for level, text in zip(levels, texts, strict=True):
                level.append(len(labels) + found.index(text))
            labels += found
        return labels, levels, firsts
