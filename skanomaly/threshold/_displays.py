"""Plots of a contamination posterior and of p-values."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skanomaly._support._display import BLUE, GREY, ORANGE, axes_for, drawable, read_number, read_numbers, short_text
from skanomaly.threshold._conformal import ConformalDetector
from skanomaly.threshold._contamination import AuditSummary
from skanomaly.threshold._distribution import ContaminationDistribution
from skanomaly.threshold._power import selection_power
from skanomaly.threshold._pvalues import benjamini_hochberg

__all__ = ["ContaminationDisplay", "PValueDisplay", "SelectionPowerDisplay"]

_LEAST_ALPHA = 1e-100


class ContaminationDisplay:
    """Plot of the contamination's posterior with a credible interval, and of the scores with their threshold.

    Create it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    posterior : ContaminationDistribution
        Distribution of the contamination.
    contamination : float
        Point estimate.
    scores : ndarray of shape (n_samples,) or None, default=None
        ``score_samples`` of the rows; None omits the second panel.
    threshold : float or None, default=None
        Threshold on the scores.
    level : float, default=0.9
        Probability of the credible interval.
    score_posterior : ContaminationDistribution or None, default=None
        Distribution before rows were checked, drawn beside the posterior.
    audit : AuditSummary or None, default=None
        Strata of checked rows; None omits the third panel.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure drawn on.
    ax_ : ndarray of matplotlib Axes
        One to three panels.

    Examples
    --------
    >>> from skanomaly.threshold import ContaminationDisplay, ContaminationPrior
    >>> display = ContaminationDisplay.from_predictions(ContaminationPrior().distribution())
    >>> display.ax_[0].get_xlabel()
    'contamination'
    """

    def __init__(
        self,
        *,
        posterior: ContaminationDistribution,
        contamination: float,
        scores: NDArray[np.float64] | None = None,
        threshold: float | None = None,
        level: float = 0.9,
        score_posterior: ContaminationDistribution | None = None,
        audit: AuditSummary | None = None,
    ) -> None:
        self.posterior = posterior
        self.contamination = contamination
        self.scores = scores
        self.threshold = threshold
        self.level = level
        self.score_posterior = score_posterior
        self.audit = audit

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, level: float = 0.9, ax: Any = None) -> Self:
        """Plot the posterior of a fitted :class:`ContaminationPosterior`, the scores of rows, and the audit.

        Parameters
        ----------
        estimator : ContaminationPosterior
        X : array-like of shape (n_samples, n_features)
            Rows, or scores after ``fit_scores``.
        level : float, default=0.9
        ax : sequence of matplotlib Axes, default=None
            Two, or three where rows were checked.

        Returns
        -------
        ContaminationDisplay

        Raises
        ------
        TypeError
            If `estimator` has no posterior.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "posterior_"):
            raise TypeError(
                f"{type(estimator).__name__} has no posterior_ to plot; give a fitted ContaminationPosterior."
            )
        return cls(
            posterior=estimator.posterior_,
            contamination=estimator.contamination_,
            scores=estimator.score_samples(X),
            threshold=estimator.offset_,
            level=level,
            score_posterior=estimator.score_posterior_,
            audit=estimator.audit_,
        ).plot(ax=ax)

    @classmethod
    def from_predictions(
        cls,
        posterior: ContaminationDistribution,
        *,
        scores: Any = None,
        threshold: float | None = None,
        level: float = 0.9,
        ax: Any = None,
    ) -> Self:
        """Plot a posterior, and scores with their threshold if given.

        Parameters
        ----------
        posterior : ContaminationDistribution
        scores : array-like of shape (n_samples,), default=None
        threshold : float, default=None
        level : float, default=0.9
        ax : Axes or sequence of two, default=None

        Returns
        -------
        ContaminationDisplay
        """
        if not isinstance(posterior, ContaminationDistribution):
            raise TypeError(
                f"posterior is {posterior!r:.50}; give a ContaminationDistribution, such as "
                "ContaminationPosterior().fit(X).posterior_."
            )
        scores = None if scores is None else read_numbers(scores, "scores")
        threshold, level = read_number(threshold, "threshold"), read_number(level, "level", optional=False)
        display = cls(
            posterior=posterior, contamination=posterior.median(), scores=scores, threshold=threshold, level=level
        )
        return display.plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Plot.

        Parameters
        ----------
        ax : Axes or sequence of Axes, default=None
            One for each panel.

        Returns
        -------
        self
        """
        n_panels = 1 + (self.scores is not None) + (self.audit is not None)
        axes = np.atleast_1d(axes_for(ax, n_panels, (4.6 * n_panels, 3.4)))
        self._plot_posterior(axes[0])
        if self.scores is not None:
            self._plot_scores(axes[1])
        if self.audit is not None:
            self._plot_audit(axes[-1])
        self.ax_ = axes
        self.figure_ = axes[0].figure
        return self

    def _plot_posterior(self, ax: Any) -> None:
        low, high = self.posterior.interval(self.level)
        edge = max(float(self.posterior.ppf(0.99)), 1.2 * self.contamination, 0.01)
        fractions = np.linspace(0.0, edge, 501)
        if self.audit is not None and self.score_posterior is not None:
            before = self.score_posterior.sf(fractions)
            ax.plot(fractions, before, color=GREY, linestyle=":", label="before the audit")
        ax.plot(fractions, self.posterior.sf(fractions), color=BLUE)
        inside = (fractions >= low) & (fractions <= high)
        text = f"{self.level:.0%} credible interval {low:.3f} to {high:.3f}"
        ax.fill_between(fractions[inside], self.posterior.sf(fractions[inside]), color=BLUE, alpha=0.2, label=text)
        ax.axvline(self.contamination, color=ORANGE, label=f"estimate {self.contamination:.3f}")
        ax.set(xlabel="contamination", ylabel="probability of exceeding it", xlim=(0, edge), ylim=(0, 1.02))
        ax.legend(frameon=False)

    def _plot_scores(self, ax: Any) -> None:
        scores = drawable(np.asarray(self.scores))
        ax.hist(*_bins(scores[~np.isnan(scores)]), color=GREY)
        if self.threshold is not None:
            ax.axvline(drawable(self.threshold), color=ORANGE, label="threshold")
            ax.legend(frameon=False)
        ax.set(xlabel="score (lower is more anomalous)", ylabel="rows", yscale="symlog")

    def _plot_audit(self, ax: Any) -> None:
        """Plot for each stratum the checked rows, the anomalies among them and the estimated rate."""
        assert self.audit is not None  # for mypy
        places = np.arange(len(self.audit.n_rows))
        ax.bar(places, self.audit.n_checked, color=GREY, label="checked rows")
        ax.bar(places, self.audit.n_anomalies, color=ORANGE, label="anomalies among them")
        for place, (height, rate) in enumerate(zip(self.audit.n_checked, self.audit.rates, strict=True)):
            ax.text(place, height, f"{rate:.1%}", ha="center", va="bottom", color=BLUE)
        ax.set(xlabel="stratum, rows (most anomalous first)", ylabel="checked rows")
        ax.set_xticks(places, [f"{n:,}" for n in self.audit.n_rows])
        ax.yaxis.get_major_locator().set_params(integer=True)
        ax.set_title("estimated rate of anomalies in blue", fontsize="medium")
        ax.margins(y=0.15)
        ax.legend(frameon=False)


def _bins(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Return what is drawn of scores, and in how many bins: fewer than 50 where numbers between are too few."""
    if not scores.size:
        return scores, 1
    spread, largest = 0.5 * scores.max() - 0.5 * scores.min(), np.abs(scores).max()
    return scores, 50 if spread == 0 or spread > 1e3 * np.finfo(np.float64).eps * largest else 1


class PValueDisplay:
    """Plot of sorted p-values with the line of the Benjamini-Hochberg procedure.

    Parameters
    ----------
    pvalues : ndarray of shape (n_samples,)
        p-values between 0 and 1.
    alpha : float, default=0.1
        False discovery rate.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure drawn on.
    ax_ : matplotlib Axes
        Panel drawn on.

    Examples
    --------
    >>> from skanomaly.threshold import PValueDisplay
    >>> display = PValueDisplay.from_predictions([0.001, 0.02, 0.3, 0.9], alpha=0.1)
    >>> display.ax_.get_legend().get_texts()[1].get_text()
    '2 flagged'
    """

    def __init__(self, *, pvalues: NDArray[np.float64], alpha: float = 0.1) -> None:
        self.pvalues = pvalues
        self.alpha = alpha

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, alpha: float | None = None, ax: Any = None) -> Self:
        """Plot the p-values of rows by a fitted :class:`ConformalDetector`.

        Parameters
        ----------
        estimator : ConformalDetector
        X : array-like of shape (n_samples, n_features)
        alpha : float, default=None
            False discovery rate; None is the estimator's `alpha`.
        ax : matplotlib Axes, default=None

        Returns
        -------
        PValueDisplay

        Raises
        ------
        TypeError
            If `estimator` has no method ``pvalues``.

        Warns
        -----
        UserWarning
            If no row can be flagged with so few calibration rows, as ``select`` does.
        """
        check_is_fitted(estimator)
        if not hasattr(estimator, "pvalues"):
            raise TypeError(
                f"{type(estimator).__name__} has no method pvalues; give a ConformalDetector, or pass p-values to "
                "from_predictions."
            )
        level, pvalues = estimator.alpha if alpha is None else alpha, np.asarray(estimator.pvalues(X), dtype=np.float64)
        pvalues = pvalues[~np.isnan(pvalues)]  # time points of a series without a score have none
        if isinstance(estimator, ConformalDetector) and not benjamini_hochberg(pvalues, alpha=level).any():
            estimator._check_power(pvalues, level)
        return cls(pvalues=pvalues, alpha=level).plot(ax=ax)

    @classmethod
    def from_predictions(cls, pvalues: Any, *, alpha: float = 0.1, ax: Any = None) -> Self:
        """Plot p-values.

        Parameters
        ----------
        pvalues : array-like of shape (n_samples,)
        alpha : float, default=0.1
        ax : matplotlib Axes, default=None

        Returns
        -------
        PValueDisplay
        """
        values = column_or_1d(pvalues, dtype=np.float64)
        if not values.size:
            raise ValueError("pvalues is empty; give at least one p-value.")
        return cls(pvalues=values, alpha=alpha).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None

        Returns
        -------
        self
        """
        ax = axes_for(ax, 1, (4.6, 3.4))
        found = np.sort(self.pvalues[benjamini_hochberg(self.pvalues, alpha=self.alpha)])
        ordered = np.sort(self.pvalues)
        ranks = np.arange(1, len(ordered) + 1)
        ax.plot(ranks, ordered, ".", color=GREY, markersize=3, label="p-values")
        ax.plot(ranks[: len(found)], found, ".", color=ORANGE, markersize=4, label=f"{len(found)} flagged")
        ax.plot(ranks, self.alpha * ranks / len(ordered), color=BLUE, label=f"false discovery rate {self.alpha:g}")
        ax.plot(ranks, ranks / len(ordered), color=GREY, linewidth=0.8, linestyle=":", label="no anomalies")
        ax.set(xlabel="rank", ylabel="p-value", xlim=(0, len(ordered)), ylim=(0, 1))
        ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


class SelectionPowerDisplay:
    """Plot of the smallest possible p-value by the number of calibration rows, and of what `select` needs.

    No row is scored. Where the smallest possible p-value lies below the line of k anomalies, k rows of the batch that
    are more anomalous than all calibration rows are selected; above it they are not.

    Parameters
    ----------
    n_calibration : int
        Number of calibration rows.
    n_rows : int
        Number of rows of the batch.
    alpha : float, default=0.1
        False discovery rate.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure drawn on.
    ax_ : matplotlib Axes
        Panel drawn on.

    See Also
    --------
    selection_power : The same as numbers.

    Examples
    --------
    >>> from skanomaly.threshold import SelectionPowerDisplay
    >>> display = SelectionPowerDisplay.from_predictions(200, 1000, alpha=0.05)
    >>> display.ax_.get_title()
    '100 of 1,000 rows need the smallest p-value'
    """

    def __init__(self, *, n_calibration: int, n_rows: int, alpha: float = 0.1) -> None:
        self.n_calibration = n_calibration
        self.n_rows = n_rows
        self.alpha = alpha

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, *, alpha: float | None = None, ax: Any = None) -> Self:
        """Plot the power of a fitted :class:`ConformalDetector` without weights or groups, for a batch.

        Parameters
        ----------
        estimator : ConformalDetector
        X : array-like of shape (n_samples, n_features)
            The batch, of which only the number of rows is used.
        alpha : float, default=None
            False discovery rate; None is the estimator's `alpha`.
        ax : matplotlib Axes, default=None

        Returns
        -------
        SelectionPowerDisplay

        Raises
        ------
        TypeError
            If `estimator` has no calibration rows, or they do not count alike.
        """
        check_is_fitted(estimator)
        if not isinstance(estimator, ConformalDetector) or not estimator._is_plain:
            raise TypeError(
                f"{type(estimator).__name__} has no calibration rows that count alike; give a ConformalDetector "
                "without weight_function and group_function, or the numbers of rows to SelectionPowerDisplay."
            )
        if np.ndim(X) == 0:
            raise TypeError(f"X={short_text(X)} is no table; give the rows that are to be tested.")
        level = estimator.alpha if alpha is None else alpha
        return cls.from_predictions(estimator.n_calibration_, np.shape(X)[0], alpha=level, ax=ax)

    @classmethod
    def from_predictions(cls, n_calibration: int, n_rows: int, *, alpha: float = 0.1, ax: Any = None) -> Self:
        """Plot the power for given numbers of rows.

        Parameters
        ----------
        n_calibration, n_rows : int
            Number of calibration rows, and of rows of the batch.
        alpha : float, default=0.1
            False discovery rate.
        ax : matplotlib Axes, default=None

        Returns
        -------
        SelectionPowerDisplay
        """
        return cls(n_calibration=n_calibration, n_rows=n_rows, alpha=alpha).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Plot.

        Parameters
        ----------
        ax : matplotlib Axes, default=None

        Returns
        -------
        self
        """
        power = selection_power(self.n_calibration, self.n_rows, alpha=self.alpha)
        if self.alpha < _LEAST_ALPHA:
            raise ValueError(f"alpha={self.alpha} is too small for the axes; give at least {_LEAST_ALPHA:g}.")
        ax = axes_for(ax, 1, (5.2, 3.6))
        most = 10.0 * max(power.n_calibration_needed, self.n_calibration)
        fewest = max(1.0, 0.2 * min(self.n_calibration, 1.0 / self.alpha))
        sizes = np.geomspace(fewest, most, 200)
        smallest = 1.0 / (sizes + 1.0)
        ax.plot(sizes, smallest, color=BLUE, label="smallest possible p-value")
        counts = [count for count in (1, 10, 100) if count < self.n_rows]
        for count in [*counts, self.n_rows]:
            needed = self.alpha * count / self.n_rows
            text = "all rows anomalous" if count == self.n_rows else f"{count} anomal{'y' if count == 1 else 'ies'}"
            label = "selects so many anomalies" if count == 1 else None
            ax.axhline(needed, color=GREY, linewidth=0.8, linestyle=":", label=label)
            ax.text(most, needed, text, ha="right", va="bottom", color=GREY, fontsize="small")
        ax.fill_between(sizes, smallest, 1.0, where=smallest > self.alpha * (1 + 1e-12), color=ORANGE, alpha=0.2)
        ax.fill_between([], [], color=ORANGE, alpha=0.2, label="nothing can be selected")
        here = f"{self.n_calibration:,} calibration rows"
        ax.plot(self.n_calibration, 1.0 / (self.n_calibration + 1.0), "o", color=ORANGE, label=here)
        ax.set(xscale="log", yscale="log", xlim=(fewest, most), ylim=(0.5 / most, 1.0))
        ax.set(xlabel="number of calibration rows", ylabel="p-value")
        if power.n_needed > self.n_rows:
            ax.set_title(f"nothing can be selected from {self.n_rows:,} rows", fontsize="medium")
        else:
            verb = "needs" if power.n_needed == 1 else "need"
            rows = f"{power.n_needed:,} of {self.n_rows:,} rows {verb} the smallest p-value"
            ax.set_title(rows, fontsize="medium")
        ax.legend(frameon=False, loc="lower left")
        self.ax_, self.figure_ = ax, ax.figure
        return self
