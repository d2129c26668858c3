"""Display of the precision-recall curve and the ROC curve, each with its chance level."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from skanomaly._support._display import BLUE, GREY, axes_for, plain_text, read_numbers
from skanomaly._support._labels import read_labels
from skanomaly._support._scored import find_scored
from skanomaly.inspection._scores import scores_of

__all__ = ["AnomalyCurveDisplay"]


class AnomalyCurveDisplay:
    """Precision-recall curve and ROC curve, each with its chance level.

    Make it with :meth:`from_estimator` or :meth:`from_predictions`. Anomalies are the positive class, and lower scores
    are more anomalous, so that no sign has to be changed.

    Parameters
    ----------
    anomalous : ndarray of shape (n_samples,), bool
        True for anomalies.
    scores : ndarray of shape (n_samples,)
        Lower is more anomalous.
    name : str, default="detector"
        Name in the legend.

    Attributes
    ----------
    ax_ : ndarray of two matplotlib Axes
        Axes of the two curves.
    figure_ : matplotlib Figure
        Figure of the plot.
    average_precision_, roc_auc_ : float
        The areas shown in the legends.

    Examples
    --------
    >>> from skanomaly.inspection import AnomalyCurveDisplay
    >>> display = AnomalyCurveDisplay.from_predictions(
    ...     [1, -1, 1, 1], [-0.2, -3.0, -0.4, -0.1]
    ... )
    >>> float(display.roc_auc_)
    1.0
    """

    def __init__(self, *, anomalous: NDArray[np.bool_], scores: NDArray[np.float64], name: str = "detector") -> None:
        self.anomalous = anomalous
        self.scores = scores
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, name: str | None = None, pos_label: Any = None, ax: Any = None
    ) -> Self:
        """Score rows and draw the curves of their labels.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``score_samples``.
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            -1 anomaly, +1 normal, 0 unlabelled and left out; or 1 anomaly and 0 normal.
        name : str, default=None
            None uses the name of the class.
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
        """Draw the curves of scores and labels.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            -1 anomaly, +1 normal, 0 unlabelled and left out; or 1 anomaly and 0 normal.
        y_score : array-like of shape (n_samples,)
            ``score_samples``: lower is more anomalous.
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
            If the labels cannot be read, or there is no anomaly or no normal row.
        """
        labels = read_labels(y_true, name="y_true", pos_label=pos_label)
        scores = read_numbers(y_score, "y_score")
        if labels.shape != scores.shape:
            raise ValueError(f"y_true has {len(labels)} entries and y_score has {len(scores)}; they must agree.")
        labels = np.where(find_scored(scores, name="y_score"), labels, 0)
        known = labels != 0
        if not (labels == -1).any() or not (labels == 1).any():
            raise ValueError("y_true has labels of one class only; the curves need anomalies and normal rows.")
        return cls(anomalous=labels[known] == -1, scores=scores[known], name=name).plot(ax=ax)

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
        # The curves depend on the order alone, and differences of the largest numbers are not finite.
        outlyingness = -0.25 * self.scores if np.abs(self.scores).max() > 1e300 else -self.scores
        chance = float(self.anomalous.mean())
        self.average_precision_ = float(average_precision_score(self.anomalous, outlyingness))
        self.roc_auc_ = float(roc_auc_score(self.anomalous, outlyingness))
        precision, recall, _ = precision_recall_curve(self.anomalous, outlyingness)
        name = plain_text(self.name)
        axes[0].plot(recall, precision, color=BLUE, drawstyle="steps-post")
        axes[0].lines[-1].set_label(f"{name}: average precision {self.average_precision_:.3f}")
        axes[0].axhline(chance, color=GREY, linestyle="--", linewidth=1, label=f"chance: {chance:.3g}")
        axes[0].set(xlabel="recall", ylabel="precision")
        false_positives, true_positives, _ = roc_curve(self.anomalous, outlyingness)
        axes[1].plot(false_positives, true_positives, color=BLUE, label=f"{name}: AUROC {self.roc_auc_:.3f}")
        axes[1].plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="chance: 0.5")
        axes[1].set(xlabel="false positive rate", ylabel="true positive rate")
        for panel in axes:
            panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
            panel.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize="small")
        self.ax_, self.figure_ = axes, axes[0].figure
        return self
