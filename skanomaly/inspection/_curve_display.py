"""A picture of how well scores agree with labels: precision and recall, and ROC, each with its chance line."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve
from sklearn.utils.validation import column_or_1d

from skanomaly._support._display import BLUE, GREY, axes_for
from skanomaly._support._labels import read_labels
from skanomaly.inspection._scores import scores_of

__all__ = ["AnomalyCurveDisplay"]


class AnomalyCurveDisplay:
    """Precision against recall, and true against false alarms, each with what chance gives.

    Make it with :meth:`from_estimator` or :meth:`from_predictions`. Anomalies are the positive class and small scores
    are odd, so that no sign has to be turned.

    Parameters
    ----------
    odd : ndarray of shape (n_samples,), bool
        Anomalies.
    scores : ndarray of shape (n_samples,)
        Small is odd.
    name : str, default="detector"
        Shown in the legend.

    Attributes
    ----------
    ax_ : ndarray of two matplotlib Axes
        Panels drawn on.
    figure_ : matplotlib Figure
        Figure drawn on.
    average_precision_, roc_auc_ : float
        Shown in the legends.

    Examples
    --------
    >>> from skanomaly.inspection import AnomalyCurveDisplay
    >>> display = AnomalyCurveDisplay.from_predictions([1, -1, 1, 1], [-0.2, -3.0, -0.4, -0.1])
    >>> float(display.roc_auc_)
    1.0
    """

    def __init__(self, *, odd: NDArray[np.bool_], scores: NDArray[np.float64], name: str = "detector") -> None:
        self.odd = odd
        self.scores = scores
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, name: str | None = None, pos_label: Any = None, ax: Any = None
    ) -> Self:
        """Score rows and draw how well that agrees with their labels.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``score_samples``.
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            -1 anomaly, +1 normal, 0 unlabelled and left out; or 1 anomaly and 0 normal.
        name : str, default=None
            None is the class's name.
        pos_label : label, default=None
            The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.
        ax : sequence of two matplotlib Axes, default=None

        Returns
        -------
        AnomalyCurveDisplay
        """
        name = type(estimator).__name__ if name is None else name
        return cls.from_predictions(y, scores_of(estimator, X), name=name, pos_label=pos_label, ax=ax)

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_score: Any, *, name: str = "detector", pos_label: Any = None, ax: Any = None
    ) -> Self:
        """Draw how well scores agree with labels.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            -1 anomaly, +1 normal, 0 unlabelled and left out; or 1 anomaly and 0 normal.
        y_score : array-like of shape (n_samples,)
            ``score_samples``: small is odd.
        name : str, default="detector"
        pos_label : label, default=None
            The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.
        ax : sequence of two matplotlib Axes, default=None

        Returns
        -------
        AnomalyCurveDisplay

        Raises
        ------
        ValueError
            If the labels cannot be read, or one kind of row is missing.
        """
        labels = read_labels(y_true, name="y_true", pos_label=pos_label)
        scores = column_or_1d(y_score, dtype=np.float64)
        if labels.shape != scores.shape:
            raise ValueError(f"y_true has {len(labels)} entries and y_score has {len(scores)}; they must agree.")
        known = labels != 0
        if not (labels == -1).any() or not (labels == 1).any():
            raise ValueError("y_true holds one kind of row only; the curves need anomalies and normal rows.")
        return cls(odd=labels[known] == -1, scores=scores[known], name=name).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : sequence of two matplotlib Axes, default=None

        Returns
        -------
        self
        """
        axes = axes_for(ax, 2, (8.4, 3.9))
        outlyingness, share = -self.scores, float(self.odd.mean())
        self.average_precision_ = float(average_precision_score(self.odd, outlyingness))
        self.roc_auc_ = float(roc_auc_score(self.odd, outlyingness))
        precision, recall, _ = precision_recall_curve(self.odd, outlyingness)
        axes[0].plot(recall, precision, color=BLUE, drawstyle="steps-post")
        axes[0].lines[-1].set_label(f"{self.name}: average precision {self.average_precision_:.3f}")
        axes[0].axhline(share, color=GREY, linestyle="--", linewidth=1, label=f"chance: {share:.3g}")
        axes[0].set(xlabel="recall (share of the anomalies found)", ylabel="precision (share of the alarms right)")
        false_alarms, found, _ = roc_curve(self.odd, outlyingness)
        axes[1].plot(false_alarms, found, color=BLUE, label=f"{self.name}: AUROC {self.roc_auc_:.3f}")
        axes[1].plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="chance: 0.5")
        axes[1].set(xlabel="share of normal rows called", ylabel="share of anomalies called")
        for panel in axes:
            panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
            panel.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize="small")
        self.ax_, self.figure_ = axes, axes[0].figure
        return self
