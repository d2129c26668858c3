"""Figure of a comparison of columns."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._display import GREY, ORANGE, axes_for, drawable, plain_text, read_number
from skanomaly.audit._columns._drift import ColumnDriftTest

__all__ = ["ColumnDriftDisplay"]

_MOST_COLUMNS = 30


class ColumnDriftDisplay:
    """Effect of each column with its interval, the largest on top; the columns that drifted are coloured.

    Create it with :meth:`from_estimator`, or with :meth:`from_predictions` from the same numbers.

    Parameters
    ----------
    feature_names : sequence of str of length n_features
    effect, effect_low, effect_high : ndarray of shape (n_features,)
        Effect and the ends of its interval; NaN where a column could not be compared.
    drifted : ndarray of shape (n_features,), bool
    pvalue : float
        Shown in the title.
    confidence : float
        Confidence of the intervals.

    Attributes
    ----------
    ax_ : Axes
    figure_ : Figure

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import ColumnDriftDisplay, ColumnDriftTest
    >>> rows = np.random.RandomState(0).normal(size=(200, 2))
    >>> display = ColumnDriftDisplay.from_estimator(
    ...     ColumnDriftTest(random_state=0).fit(rows)
    ... )
    >>> display.effect.shape
    (2,)
    """

    def __init__(
        self,
        *,
        feature_names: Any,
        effect: NDArray[np.float64],
        effect_low: NDArray[np.float64],
        effect_high: NDArray[np.float64],
        drifted: NDArray[np.bool_],
        pvalue: float,
        confidence: float,
    ) -> None:
        self.feature_names = feature_names
        self.effect = effect
        self.effect_low = effect_low
        self.effect_high = effect_high
        self.drifted = drifted
        self.pvalue = pvalue
        self.confidence = confidence

    @classmethod
    def from_estimator(cls, estimator: Any, *, feature_names: Any = None, ax: Any = None) -> Self:
        """Create a display from a fitted :class:`ColumnDriftTest`, and draw it.

        Parameters
        ----------
        estimator : ColumnDriftTest
            A fitted test. In a pipeline, pass the step itself.
        feature_names : sequence of str, default=None
            None uses those of the fitted table, or the columns' positions.
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        ColumnDriftDisplay

        Raises
        ------
        TypeError
            If `estimator` is not a :class:`ColumnDriftTest`.
        """
        if not isinstance(estimator, ColumnDriftTest):
            raise TypeError(
                f"estimator is of class {type(estimator).__name__}; ColumnDriftDisplay takes a fitted ColumnDriftTest "
                "(of a pipeline, the step itself: pipeline[-1])."
            )
        check_is_fitted(estimator)
        return cls.from_predictions(
            estimator.results_,
            pvalue=estimator.pvalue_,
            confidence=estimator.confidence,
            feature_names=feature_names,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls, results: Any, *, pvalue: float, confidence: float, feature_names: Any = None, ax: Any = None
    ) -> Self:
        """Create a display from the results of a comparison of columns, and draw it.

        Parameters
        ----------
        results : structured ndarray, DataFrame or mapping
            With the columns "column", "effect", "effect_low", "effect_high" and "drifted", as
            ``ColumnDriftTest.results_`` has them.
        pvalue : float
            P-value of the whole.
        confidence : float
            Confidence of the intervals.
        feature_names : sequence of str, default=None
            None uses ``results["column"]``.
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        ColumnDriftDisplay
        """
        if results is None or not hasattr(results, "__getitem__"):
            raise TypeError(f"results is {results!r:.50}; give the results_ of a fitted ColumnDriftTest.")
        pvalue, confidence = (
            read_number(value, name, optional=False) for value, name in ((pvalue, "pvalue"), (confidence, "confidence"))
        )
        needed = ("column", "effect", "effect_low", "effect_high", "drifted")
        given = getattr(getattr(results, "dtype", None), "names", None) or list(results)
        lacking = [name for name in needed if name not in given]
        if lacking:
            raise ValueError(f"results lacks {', '.join(lacking)}. Give the results_ of a fitted ColumnDriftTest.")
        names = results["column"] if feature_names is None else feature_names
        if isinstance(names, str) or not hasattr(names, "__len__"):
            raise TypeError(f"feature_names={names!r:.50}; give a list of names, one a column.")
        if not len(results["effect"]):
            raise ValueError("results has no column; give those of at least one.")
        if len(names) != len(results["effect"]):
            n_columns = len(results["effect"])
            raise ValueError(f"feature_names has {len(names)} names and results has {n_columns} columns; they differ.")
        numbers = {name: np.asarray(results[name]) for name in ("effect", "effect_low", "effect_high", "drifted")}
        display = cls(feature_names=[str(name) for name in names], pvalue=pvalue, confidence=confidence, **numbers)
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw at most 30 columns, those of the largest effect.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        self
        """
        effect, effect_low, effect_high = (
            np.nan_to_num(drawable(values)) for values in (self.effect, self.effect_low, self.effect_high)
        )
        order = np.argsort(-effect, kind="stable")[:_MOST_COLUMNS]
        ax = axes_for(ax, 1, (6, 1.2 + 0.28 * order.size))
        self.ax_, self.figure_ = ax, ax.figure
        places = np.arange(order.size)[::-1]
        for wanted, color, name in ((True, ORANGE, "drifted"), (False, GREY, "not significant")):
            chosen = self.drifted[order] == wanted
            columns = order[chosen]
            if not columns.size:
                continue
            low = np.fmin(effect_low[columns], effect[columns])
            high = np.fmax(effect_high[columns], effect[columns])
            ends = np.abs(np.stack([effect[columns] - low, high - effect[columns]]))
            ax.errorbar(
                effect[columns],
                places[chosen],
                xerr=ends,
                fmt="o",
                color=color,
                markersize=5,
                linewidth=1.6,
                label=name,
            )
        ax.set_yticks(places, [plain_text(self.feature_names[column]) for column in order])
        ax.set(xlim=(0, None), ylim=(-0.7, order.size - 0.3))
        ax.set_xlabel(f"effect, with {self.confidence:.0%} interval")
        left_out = self.effect.size - order.size
        more = f"; {left_out} columns of smaller effect not shown" if left_out else ""
        ax.set_title(f"{int(self.drifted.sum())} of {self.effect.size} columns drifted, p = {self.pvalue:.2g}{more}")
        ax.legend(loc="lower right", frameon=False)
        return self
