"""Display of the results of many analytic choices."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._display import BLUE, GREY, ORANGE, axes_for, drawable, plain_text, read_numbers, short_text

__all__ = ["SpecificationCurveDisplay"]


class SpecificationCurveDisplay:
    """Results of all specifications in ascending order, above a chart of the choices of each.

    Make it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    values : ndarray of shape (n_specifications,)
        Result of each specification.
    parameters : sequence of dict
        The choices of each specification. Where a specification lacks a key, its level is "default".
    value_name : str, default="result"
        Label of the results.

    Attributes
    ----------
    ax_ : ndarray of two matplotlib Axes
        Axes of the curve and of the choices.
    figure_ : matplotlib Figure
        Figure of the plot.

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
        """Draw the results of a fitted search or a finished study; nothing is fitted here.

        Parameters
        ----------
        estimator : object
            A fitted search (with ``cv_results_``), of whose metrics the one in `refit` is drawn; or the result of
            :func:`skanomaly.model_selection.specification_curve`, or any object with ``values``, array of shape
            (n_specifications,), and ``parameters``, a list of as many dicts.
        value_name : str, default="result"
        ax : sequence of two matplotlib Axes, default=None

        Returns
        -------
        SpecificationCurveDisplay

        Raises
        ------
        TypeError
            If `estimator` is another object, such as a detector.
        ValueError
            If a search has several metrics and `refit` is none of them.
        """
        values, parameters = _results(estimator)
        return cls.from_predictions(values, parameters, value_name=value_name, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        values: Any,
        parameters: Sequence[Mapping[str, Any]] | None = None,
        *,
        value_name: str = "result",
        ax: Any = None,
    ) -> Self:
        """Draw results and their choices.

        Parameters
        ----------
        values : array-like of shape (n_specifications,)
            Results; or, without `parameters`, an object that :meth:`from_estimator` takes.
        parameters : sequence of dict or None, default=None
            The choices of each specification.
        value_name : str, default="result"
        ax : sequence of two matplotlib Axes, default=None

        Returns
        -------
        SpecificationCurveDisplay

        Raises
        ------
        ValueError
            If there is not one result for each specification.
        """
        if parameters is None:
            values, parameters = _results(values)
        results = read_numbers(values, "values")
        if not hasattr(parameters, "__len__") or not all(isinstance(choices, Mapping) for choices in parameters):
            raise TypeError(f"parameters is {parameters!r:.50}; give a list of dicts, one a result.")
        if len(results) != len(parameters) or not len(results):
            raise ValueError(
                f"values has shape {results.shape} and parameters {len(parameters)} entries; one result is needed for "
                "each specification, of which there must be at least one."
            )
        return cls(values=results, parameters=list(parameters), value_name=value_name).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : sequence of two matplotlib Axes, default=None
            The first for the curve, the second for the choices.

        Returns
        -------
        self
        """
        order = np.argsort(self.values, kind="stable")
        labels, levels, firsts = self._levels()
        heights = (2.2, 0.24 * len(labels) + 0.3)
        size = (6.4, sum(heights) + 0.7)
        curve, chart = axes = axes_for(ax, 2, size, nrows=2, height_ratios=heights, sharex=True)
        places = np.arange(1, len(order) + 1)
        median = float(np.median(drawable(self.values)))
        curve.plot(places, drawable(self.values)[order], ".", color=BLUE, markersize=5)
        curve.axhline(median, color=ORANGE, linewidth=1, label=f"median {median:.3g}")
        curve.set_ylabel(plain_text(self.value_name))
        curve.legend(frameon=False, loc="upper left")
        for place, run in zip(places, order, strict=True):
            chart.plot([place] * len(levels[run]), levels[run], "|", color=BLUE, markersize=7)
        for first in firsts[1:]:
            chart.axhline(first - 0.5, color=GREY, linewidth=0.5)
        chart.set_yticks(range(len(labels)), [plain_text(label) for label in labels], fontsize="small")
        chart.tick_params(axis="y", length=0)
        chart.set(xlabel="specification, in ascending order of the result", ylim=(max(len(labels), 1) - 0.5, -0.5))
        for panel in axes:
            panel.spines[["top", "right"]].set_visible(False)
        self.ax_, self.figure_ = axes, curve.figure
        return self

    def _levels(self) -> tuple[list[str], list[list[int]], list[int]]:
        """List the levels of all choices, those of each specification, and where each choice begins."""
        labels: list[str] = []
        levels: list[list[int]] = [[] for _ in self.parameters]
        firsts = []
        for name in dict.fromkeys(name for parameters in self.parameters for name in parameters):
            firsts.append(len(labels))
            chosen = (
                short_text(parameters[name]) if name in parameters else "default" for parameters in self.parameters
            )
            texts = [f"{name.rpartition('__')[2]}: {level}" for level in chosen]
            found = list(dict.fromkeys(texts))
            for level, text in zip(levels, texts, strict=True):
                level.append(len(labels) + found.index(text))
            labels += found
        return labels, levels, firsts


def _results(study: Any) -> tuple[Any, Sequence[Mapping[str, Any]]]:
    """Return the results and choices of a fitted search or a finished study."""
    if hasattr(study, "cv_results_"):
        results = study.cv_results_
        by = getattr(study, "refit", None)
        metric = by if isinstance(by, str) and f"mean_test_{by}" in results else "score"
        if f"mean_test_{metric}" not in results:
            found = [name.removeprefix("mean_test_") for name in results if name.startswith("mean_test_")]
            raise ValueError(
                f"The search has the metrics {', '.join(found)}, and refit is none of them; choose one: "
                f'SpecificationCurveDisplay.from_predictions(search.cv_results_["mean_test_{found[0]}"], '
                'search.cv_results_["params"]).'
            )
        return results[f"mean_test_{metric}"], results["params"]
    if hasattr(study, "values") and hasattr(study, "parameters"):
        return study.values, study.parameters
    raise TypeError(
        f"{type(study).__name__} has no results of specifications; pass a fitted search or the result of "
        "skanomaly.model_selection.specification_curve(estimator, param_grid, X, y), or pass results and parameters to "
        "from_predictions."
    )
