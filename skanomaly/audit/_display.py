"""Figures of a drift test."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._display import BLUE, GREY, ORANGE, axes_for, drawable, read_number, read_numbers
from skanomaly.audit._drift import KNNDriftTest

__all__ = ["DriftDisplay"]

_LARGEST_GAP = 1e150  # ends of logarithmic axes are products
_UNITS = "rows", "times", "nanoseconds"
_SECONDS = {"days": 86_400.0, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 1e-3}


class DriftDisplay:
    """Gaps of neighbours relative to chance, the change scan, and the scores of the rows in their order.

    Create it with :meth:`from_estimator`, or with :meth:`from_predictions` from the same numbers.

    Parameters
    ----------
    scales : ndarray of shape (n_scales,)
        Upper ends of the intervals of gaps.
    observed, expected : ndarray of shape (n_scales,)
        Edge weight in each interval, and its mean over permutations.
    change_scores : ndarray of shape (n_samples - 1,)
        Standardised number of edges across the cut after each row of the order.
    change_point : int
        Position of the first row after the most likely change, or -1 if no change is significant.
    sample_scores : ndarray of shape (n_samples,)
        Score of each row, in the order.
    threshold : float
        Rows that score at or below it are flagged.
    pvalue, change_pvalue : float
        Shown in the titles.
    gap_unit : {"rows", "times", "nanoseconds"}, default="rows"
        Unit of `scales`: rows of the order, the unit of the given times, or nanoseconds. Nanoseconds are drawn in the
        longest of days, hours, minutes, seconds and milliseconds of which the largest gap has at least two.

    Attributes
    ----------
    ax_ : ndarray of shape (3,) of Axes
        Axes of the three panels.
    figure_ : Figure

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import DriftDisplay, KNNDriftTest
    >>> rows = np.random.RandomState(0).normal(size=(200, 2))
    >>> display = DriftDisplay.from_estimator(KNNDriftTest(random_state=0).fit(rows))
    >>> display.scales.shape == display.observed.shape
    True
    """

    def __init__(
        self,
        *,
        scales: NDArray[np.float64],
        observed: NDArray[np.float64],
        expected: NDArray[np.float64],
        change_scores: NDArray[np.float64],
        change_point: int,
        sample_scores: NDArray[np.float64],
        threshold: float,
        pvalue: float,
        change_pvalue: float,
        gap_unit: str = "rows",
    ) -> None:
        self.scales = scales
        self.observed = observed
        self.expected = expected
        self.change_scores = change_scores
        self.change_point = change_point
        self.sample_scores = sample_scores
        self.threshold = threshold
        self.pvalue = pvalue
        self.change_pvalue = change_pvalue
        self.gap_unit = gap_unit

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any = None, *, ax: Any = None) -> Self:
        """Create a display from a fitted :class:`KNNDriftTest`, and draw it.

        Parameters
        ----------
        estimator : KNNDriftTest
            A fitted test. In a pipeline, pass the step itself.
        X : array-like of shape (n_samples, n_features), default=None
            Rows whose scores are drawn, in their order; None draws the training rows.
        ax : sequence of 3 matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        DriftDisplay

        Raises
        ------
        TypeError
            If `estimator` is not a :class:`KNNDriftTest`; the other tests have no gaps.
        """
        if not isinstance(estimator, KNNDriftTest):
            raise TypeError(
                f"estimator is of class {type(estimator).__name__}; DriftDisplay takes a fitted KNNDriftTest "
                "(of a pipeline, the step itself: pipeline[-1])."
            )
        check_is_fitted(estimator)
        scores = estimator.sample_scores_[estimator.order_] if X is None else estimator.score_samples(X)
        with np.errstate(divide="ignore"):
            threshold = float(np.log10(estimator.pvalue_threshold_))
        return cls.from_predictions(
            scores,
            scales=estimator.scales_,
            observed=np.diff(estimator.gap_totals_, prepend=0.0),
            expected=np.diff(estimator.expected_totals_, prepend=0.0),
            change_scores=estimator.change_scores_,
            change_point=estimator.change_point_ if estimator.change_pvalue_ <= estimator.alpha else -1,
            threshold=threshold,
            pvalue=estimator.pvalue_,
            change_pvalue=estimator.change_pvalue_,
            gap_unit=estimator.gap_unit_,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        sample_scores: NDArray[np.float64],
        *,
        scales: NDArray[np.float64],
        observed: NDArray[np.float64],
        expected: NDArray[np.float64],
        change_scores: NDArray[np.float64],
        change_point: int,
        threshold: float,
        pvalue: float,
        change_pvalue: float,
        gap_unit: str = "rows",
        ax: Any = None,
    ) -> Self:
        """Create a display from the numbers of a test, and draw it.

        Parameters
        ----------
        sample_scores : ndarray of shape (n_samples,)
            Score of each row, in the order.
        scales, observed, expected : ndarray of shape (n_scales,)
            As in the constructor, like all further parameters.
        change_scores : ndarray of shape (n_samples - 1,)
        change_point : int
        threshold, pvalue, change_pvalue : float
        gap_unit : {"rows", "times", "nanoseconds"}, default="rows"
        ax : sequence of 3 matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        DriftDisplay
        """
        scales, observed = read_numbers(scales, "scales"), read_numbers(observed, "observed")
        expected = read_numbers(expected, "expected")
        if not len(scales) == len(observed) == len(expected):
            raise ValueError(
                f"scales has {len(scales)} entries, observed {len(observed)} and expected {len(expected)}; they must "
                "agree."
            )
        if (observed < 0).any() or (expected < 0).any():
            raise ValueError("observed or expected has values below 0; give the weight of the edges in each interval.")
        if not (np.isfinite(scales).all() and (scales >= 0).all() and scales[-1:].all()):
            raise ValueError(f"scales is {scales[:5]}; give the upper ends of intervals, finite and above 0.")
        if gap_unit not in _UNITS:
            raise ValueError(f"gap_unit={gap_unit!r}; give one of {', '.join(_UNITS)}.")
        return cls(
            scales=scales,
            observed=observed,
            expected=expected,
            change_scores=read_numbers(change_scores, "change_scores"),
            change_point=read_number(change_point, "change_point", optional=False),
            sample_scores=read_numbers(sample_scores, "sample_scores"),
            threshold=read_number(threshold, "threshold", optional=False),
            pvalue=read_number(pvalue, "pvalue", optional=False),
            change_pvalue=read_number(change_pvalue, "change_pvalue", optional=False),
            gap_unit=gap_unit,
        ).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the three panels.

        Parameters
        ----------
        ax : sequence of 3 matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        self
        """
        axes = axes_for(ax, 3, (11, 3))
        self.ax_, self.figure_ = axes, axes[0].figure
        gaps, scan, rows = axes
        with np.errstate(over="ignore", invalid="ignore"):
            ratio = np.divide(self.observed, self.expected, out=np.ones_like(self.observed), where=self.expected > 0)
        scales, label = self._gaps()
        ratio, scales = drawable(ratio), np.minimum(scales, _LARGEST_GAP)
        if ratio.size:
            edges = np.maximum(scales, 1e-9 * scales[-1])
            gaps.stairs(ratio, np.concatenate([[edges[0] / 2], edges]), color=BLUE, linewidth=1.8)
            gaps.set(xscale="log")
        gaps.axhline(1.0, color=GREY, linestyle="--", linewidth=1)
        gaps.set(xlabel=label, ylabel="neighbours / chance", ylim=(0, None))
        gaps.set_title(f"p = {self.pvalue:.2g}")
        cuts = np.arange(1, self.change_scores.size + 1)
        scan.plot(cuts, -drawable(self.change_scores), color=BLUE, linewidth=1.2)
        changed = self.change_point >= 0
        if changed:
            scan.axvline(self.change_point, color=ORANGE, linewidth=1.2)
        scan.set(xlabel="row of the order", ylabel="deficit of crossing edges")
        where = f"change at {self.change_point}" if changed else "no significant change"
        scan.set_title(f"{where}, p = {self.change_pvalue:.2g}")
        flagged = self.sample_scores <= self.threshold
        place, scores = np.arange(self.sample_scores.size), drawable(self.sample_scores)
        rows.plot(place[~flagged], scores[~flagged], ".", color=GREY, markersize=3)
        rows.plot(place[flagged], scores[flagged], ".", color=ORANGE, markersize=4)
        rows.set(xlabel="row of the order", ylabel="log10 p of the row")
        rows.set_title(f"{np.count_nonzero(flagged)} of {flagged.size} rows flagged")
        return self

    def _gaps(self) -> tuple[NDArray[np.float64], str]:
        """Return the scales as drawn, and what they are called."""
        if self.gap_unit == "rows":
            return self.scales, "gap in the order"
        if self.gap_unit == "times":
            return self.scales, "gap in time"
        seconds = self.scales * 1e-9
        largest = seconds.max(initial=0.0)
        unit = next((name for name, length in _SECONDS.items() if largest >= 2 * length), "milliseconds")
        return seconds / _SECONDS[unit], f"gap in time, {unit}"
