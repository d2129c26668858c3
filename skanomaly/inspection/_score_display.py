"""Display of scores by rank, with the threshold."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._display import BLUE, GREY, ORANGE, axes_for, drawable, read_number, read_numbers
from skanomaly._support._labels import read_labels
from skanomaly._support._responses import threshold_of
from skanomaly.inspection._scores import scores_of

__all__ = ["ScoreDisplay"]

_LOG_FROM = 50


class ScoreDisplay:
    """Scores of rows by rank, the most anomalous first, with the threshold and known anomalies.

    Make it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Lower is more anomalous.
    threshold : float or None, default=None
        Rows with a score below it are flagged; None draws no line.
    labels : ndarray of shape (n_samples,) or None, default=None
        -1 anomaly, +1 normal, 0 unlabelled.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of the plot.

    Examples
    --------
    >>> from skanomaly.inspection import ScoreDisplay
    >>> display = ScoreDisplay.from_predictions([-0.2, -3.0, -0.4, -0.1], threshold=-1.0)
    >>> display.ax_.get_legend().get_texts()[0].get_text()
    '1 below the threshold'
    """

    def __init__(
        self,
        *,
        scores: NDArray[np.float64],
        threshold: float | None = None,
        labels: NDArray[np.int8] | None = None,
    ) -> None:
        self.scores = scores
        self.threshold = threshold
        self.labels = labels

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any = None, *, pos_label: Any = None, ax: Any = None) -> Self:
        """Draw the scores of rows and the threshold of the detector.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``score_samples`` and a threshold.
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            Labels: -1 anomaly, +1 normal, 0 or missing unlabelled; or 1 anomaly and 0 normal.
        pos_label : label, default=None
            The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.
        ax : matplotlib Axes, default=None

        Returns
        -------
        ScoreDisplay
        """
        scores = scores_of(estimator, X)
        return cls.from_predictions(scores, threshold=threshold_of(estimator, X), y=y, pos_label=pos_label, ax=ax)

    @classmethod
    def from_predictions(
        cls, scores: Any, *, threshold: float | None = None, y: Any = None, pos_label: Any = None, ax: Any = None
    ) -> Self:
        """Draw scores.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Lower is more anomalous.
        threshold : float, default=None
        y : array-like of shape (n_samples,), default=None
            Labels: -1 anomaly, +1 normal, 0 or missing unlabelled; or 1 anomaly and 0 normal.
        pos_label : label, default=None
            The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.
        ax : matplotlib Axes, default=None

        Returns
        -------
        ScoreDisplay
        """
        scores = read_numbers(scores, "scores", fewest=1)
        labels = None if y is None else read_labels(y, len(scores), pos_label=pos_label)
        threshold = read_number(threshold, "threshold")
        return cls(scores=scores, threshold=threshold, labels=labels).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None

        Returns
        -------
        self
        """
        ax = axes_for(ax, 1, (5.2, 3.6))
        order = np.argsort(self.scores, kind="stable")
        ordered, ranks = drawable(self.scores[order]), np.arange(1, len(order) + 1)
        flagged = np.zeros(len(order), dtype=bool) if self.threshold is None else self.scores[order] < self.threshold
        ax.plot(ranks[~flagged], ordered[~flagged], ".", color=BLUE, markersize=4)
        if self.threshold is not None:
            label = f"{np.count_nonzero(flagged):,} below the threshold"
            ax.plot(ranks[flagged], ordered[flagged], "o", color=ORANGE, markersize=4.5, label=label)
            ax.axhline(
                drawable(self.threshold),
                color=GREY,
                linewidth=1,
                linestyle="--",
                label=f"threshold {self.threshold:.3g}",
            )
        if self.labels is not None:
            known = self.labels[order] == -1
            label = f"{np.count_nonzero(known):,} known anomalies"
            ax.plot(ranks[known], ordered[known], "o", mfc="none", mec="black", mew=0.8, markersize=8, label=label)
        ax.set(xlabel="rank (1 is the most anomalous row)", ylabel="score (lower is more anomalous)")
        if len(order) >= _LOG_FROM:
            ax.set_xscale("log")
            ax.xaxis.set_major_formatter("{x:,.0f}")
        if ax.get_legend_handles_labels()[0]:
            ax.legend(frameon=False, loc="lower right")
        self.ax_, self.figure_ = ax, ax.figure
        return self
