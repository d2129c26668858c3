"""Conformal p-values: the rank of a row's score among those of calibration rows."""

import math
import operator
from collections.abc import Callable, Iterator
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._audit import (
    AuditSuggestion,
    RatePosterior,
    count_checked,
    default_masses,
    stratum_edges,
    suggest_rows,
)
from skanomaly._support._pieces import Pieces
from skanomaly._support._responses import require_scores
from skanomaly._support._row_draws import row_starts
from skanomaly._support._rows import take_rows
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._ties import count_below, typical_magnitude
from skanomaly._support._validation import check_samples_of, copy_kinds, scores_time_points
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseDetector
from skanomaly.threshold._calibration import calibrate_piece, known_pvalues, merge_calibrated, merge_sorted
from skanomaly.threshold._pieces import draw_table, fit_inner, open_table, split_rows
from skanomaly.threshold._power import PValueCurve
from skanomaly.threshold._pvalues import benjamini_hochberg

__all__ = ["ConformalDetector"]


def _count_rows(table: Any, _labels: Any, _index: int) -> int:
    return len(table)


class ConformalDetector(BaseDetector):
    r"""Detector with conformal p-values, which are valid in finite samples for any inner detector.

    The p-value of a row is ``(1 + k) / (1 + n)``, where k of the n calibration rows are at least as anomalous as the
    row. If the row follows the distribution of the calibration rows, its p-value is at most alpha with probability at
    most alpha. This holds for every inner detector; the detector only affects how many anomalies are found.

    Parameters
    ----------
    detector : estimator or None, default=None
        Estimator with ``fit`` and ``score_samples`` (lower scores are more anomalous) for tables, series, collections
        of series or event traces; None is ``IsolationForest(random_state=0)``. A detector of one series needs
        ``method="split"``: it is fitted to the first time points and calibrated on the last.
    method : {"split", "cross", "jackknife+"}, default="split"
        "split" fits on some rows and calibrates on the others. "cross" fits one detector per fold of `cv` on the other
        folds and calibrates it on the fold; "jackknife+" does the same with one row per fold. Both use all rows for
        training and for calibration.
    calibration_size : float in (0, 1), default=0.5
        Fraction of the rows that "split" calibrates on: drawn at random, or the last time points of a series.
    cv : int or cross-validation splitter, default=10
        Folds of "cross": the number of random folds, or a splitter with disjoint test folds, on which the detectors are
        calibrated.
    alpha : float in (0, 1), default=0.1
        Level: the false alarm rate of ``predict``, and the false discovery rate of :meth:`select`.
    weight_function : callable or None, default=None
        Used if new rows have another distribution than the training rows (covariate shift), only with "split". A
        function that takes rows, in the container in which they were given, and returns the ratio of the density of new
        rows to that of training rows, up to a factor. :func:`domain_weights` estimates it.
    group_function : callable or None, default=None
        Used if the level shall hold within each group of rows (Mondrian), only with "split" and without
        `weight_function`. A function that takes rows, in the container in which they were given, and returns one group
        label per row. A row is compared with calibration rows of its group; rows of other groups have a p-value of 1.
    random_state : int, RandomState instance or None, default=None
        Seeds the random split of the rows.

    Attributes
    ----------
    detectors_ : list of estimators
        One detector for "split", otherwise one per fold.
    calibration_scores_ : list of ndarray
        Sorted outlyingness of the calibration rows, per detector.
    n_calibration_ : int
        Number of calibration rows; no p-value is below ``1 / (n_calibration_ + 1)``.
    offset_ : float
        Threshold on ``score_samples``: rows with a p-value of at most `alpha` score below it.
    n_features_in_ : int
        Number of columns, where the detector takes tables.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    benjamini_hochberg : The procedure that :meth:`select` uses.
    OnlineFDR : Decisions on a stream of p-values.

    Notes
    -----
    ``score_samples`` is the logarithm of the p-value, minus a fraction of the step to the next p-value, which orders
    rows with equal p-values. ``predict`` labels each row independently of the batch. The false discovery rate is a
    property of a batch and is controlled by :meth:`select`.

    Rows that `y` labels -1 are left out. Anomalies among the calibration rows make the p-values larger: the level still
    holds, but fewer anomalies are found. The level of "split" [1]_ is exact. For "cross" and "jackknife+" the proven
    bound is twice alpha [2]_ (plus a term that vanishes with growing folds); in practice the rate is near alpha.
    Calibration rows with the same score as the new row are counted as at least as anomalous. The weights are those of
    [3]_, the groups those of [4]_.

    The time points of a series depend on each other, so nothing is guaranteed in finite samples. If the series is
    stationary, the expected rate of ``predict`` on normal time points approaches alpha as the calibration part becomes
    long compared with the memory of the series and the window; the rate of one series varies more than that of as many
    independent rows, since alarms come in runs. The false discovery rate of :meth:`select` has no such bound. Time
    points without a score (missing values, or no window covers them) are not calibrated on; they have the p-value NaN
    and are predicted +1. Those that `y` labels -1 are in the windows of others, but not calibrated on.

    ``fit_chunks`` is for "split": it fits the detector to all pieces of one part, or where it has no such method to
    65,536 rows drawn from it, and calibrates on the other part, of which at most 1,000,000 scores are kept. The parts
    are drawn by the numbers of the rows in the table and not by their values, so that equal rows may be in both and the
    level is exact. They do not depend on the cuts, but on the order of the pieces.

    References
    ----------
    .. [1] Bates, S., Candès, E., Lei, L., Romano, Y. and Sesia, M. (2023). Testing for outliers with conformal
       p-values. Annals of Statistics 51. https://doi.org/10.1214/22-AOS2244
    .. [2] Barber, R., Candès, E., Ramdas, A. and Tibshirani, R. (2021). Predictive inference with the jackknife+.
       Annals of Statistics 49. https://doi.org/10.1214/20-AOS1965
    .. [3] Tibshirani, R., Barber, R., Candès, E. and Ramdas, A. (2019). Conformal prediction under covariate shift.
       NeurIPS. arXiv:1904.06019.
    .. [4] Vovk, V. (2013). Conditional validity of inductive conformal predictors. Machine Learning 92, 349-376.
       https://doi.org/10.1007/s10994-013-5355-6

    Examples
    --------
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.detectors import AnomalyDetector
    >>> from skanomaly.threshold import ConformalDetector
    >>> X, y = make_shifted_anomalies(n_samples=400, contamination=0.05, random_state=0)
    >>> model = ConformalDetector(AnomalyDetector(random_state=0), random_state=0).fit(
    ...     X[y == 1]
    ... )
    >>> bool(model.pvalues(X[y == -1]).mean() < model.pvalues(X[y == 1]).mean())
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "detector": [HasMethods(["fit"]), None],
        "method": [StrOptions({"split", "cross", "jackknife+"})],
        "calibration_size": [Interval(Real, 0, 1, closed="neither")],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split"])],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "weight_function": [callable, None],
        "group_function": [callable, None],
        "random_state": ["random_state"],
    }
    _min_samples = 4

    detectors_: list[Any]
    calibration_scores_: list[NDArray[np.floating]]
    _groups: list[dict[Any, tuple[NDArray[np.floating], NDArray[np.float64]]]]

    def __init__(
        self,
        detector: Any = None,
        *,
        method: str = "split",
        calibration_size: float = 0.5,
        cv: Any = 10,
        alpha: float = 0.1,
        weight_function: Callable[[Any], Any] | None = None,
        group_function: Callable[[Any], Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.detector = detector
        self.method = method
        self.calibration_size = calibration_size
        self.cv = cv
        self.alpha = alpha
        self.weight_function = weight_function
        self.group_function = group_function
        self.random_state = random_state

    def _given(self) -> Any:
        return IsolationForest(random_state=0) if self.detector is None else self.detector

    def _check(self, X: Any, *, reset: bool) -> Any:
        return check_samples_of(self, self._given(), X, reset=reset, min_samples=self._min_samples if reset else 1)

    def _fit(self, X: Any, y: NDArray[np.int8], **metadata: Any) -> None:
        detector = self._given()
        require_scores(detector)
        self._is_series = scores_time_points(detector)
        if self._is_series and self.method != "split":
            raise ValueError(
                f"method={self.method!r} fits detectors to rows that do not follow each other, but {detector!r} scores "
                "the time points of one series. Use method='split', which calibrates on the last time points."
            )
        self._check_functions()
        normal = np.ones(len(y), dtype=bool) if self._is_series else y >= 0
        rows = take_rows(X, normal)
        if len(rows) < self._min_samples:
            raise ValueError(f"Only {len(rows)} rows are not labelled -1; at least {self._min_samples} are needed.")
        self.detectors_, self.calibration_scores_, self._groups = [], [], []
        places, calibrating = np.flatnonzero(normal), []
        for train, fold in self._folds(rows):
            calibration = take_rows(rows, fold)
            fitted = clone(detector).fit(take_rows(rows, train))
            outlyingness = self._scores_of(fitted, calibration)
            ascending = np.argsort(outlyingness, kind="stable")
            if self._is_series:
                ascending = ascending[~np.isnan(outlyingness[ascending]) & (y[fold][ascending] >= 0)]
                if len(ascending) == 0:
                    raise ValueError(
                        f"None of the last {len(fold)} time points, on which the detector is calibrated, has a score "
                        "and no label -1; give a longer series or another calibration_size."
                    )
            calibrating.append(places[fold][ascending])
            weights, labels = self._weights(calibration)[ascending], self._labels_of(calibration)[ascending]
            self._add(fitted, outlyingness[ascending], weights, labels)
        rows_used = np.concatenate(calibrating)
        self._settle(rows_used, y[rows_used])
        self._curve = PValueCurve(self._known_pvalues(X, y))

    def _fit_pieces(self, pieces: Pieces, *, labelled: bool) -> None:
        detector = self._given()
        require_scores(detector)
        self._is_series = False
        if self.method != "split":
            raise ValueError(f"method={self.method!r} is not for tables in pieces; use method='split'.")
        self._check_functions()
        table = open_table(self, detector, pieces, labelled=labelled)
        seed = draw_seed(self.random_state)
        training, calibration = split_rows(table, self.calibration_size, seed, normal=True)
        counts = [part.reduce(_count_rows, operator.add) or 0 for part in (training, calibration)]
        if min(counts) < 1 or sum(counts) < self._min_samples:
            raise ValueError(
                f"calibration_size={self.calibration_size:g} leaves {counts[0]} training and {counts[1]} calibration "
                f"rows that are not labelled -1; give more rows, at least {self._min_samples}."
            )
        drawn = None if hasattr(detector, "fit_chunks") else draw_table(self, detector, training)
        nothing = np.zeros(0 if drawn is None else len(drawn.rows), dtype=np.int8)
        fitted = fit_inner(detector, training, drawn, nothing, None)
        task = partial(calibrate_piece, self, fitted, table.codes, seed, row_starts(pieces)[0])
        found = pieces.reduce(task, merge_calibrated)
        self.detectors_, self.calibration_scores_, self._groups = [], [], []
        self._add(fitted, found.outlyingness, found.weights, found.groups)
        self._settle(found.rows, found.labels)
        known = None
        if table.codes is not None:
            known = pieces.reduce(partial(known_pvalues, self, table.codes), merge_sorted)
        self._curve = PValueCurve(np.empty(0) if known is None else known)

    def _add(
        self, fitted: Any, outlyingness: NDArray[np.floating], weights: NDArray[np.float64], labels: NDArray[Any]
    ) -> None:
        """Store a detector and its calibration rows, whose outlyingness ascends."""
        self.detectors_.append(fitted)
        self.calibration_scores_.append(outlyingness)
        # For each group the scores, and the sum of the weights of calibration rows from each place up.
        self._groups.append(
            {
                label: (
                    outlyingness[labels == label],
                    np.r_[np.cumsum(weights[labels == label][::-1])[::-1], 0.0],
                )
                for label in np.unique(labels).tolist()
            }
        )

    def _settle(self, rows: NDArray[np.intp], labels: NDArray[np.int8]) -> None:
        """Set what follows from all calibration rows, given their numbers in the table and their labels."""
        self._calibrating, self._labels = rows, labels
        self.n_calibration_ = len(self._calibrating)
        if self._is_plain and self.alpha < 1.0 / (self.n_calibration_ + 1):
            warn_user(
                f"alpha={self.alpha:g} is below 1 / ({self.n_calibration_} + 1), the smallest p-value of "
                f"{self.n_calibration_} calibration rows: no row can be flagged. Give at least "
                f"{math.ceil(1.0 / self.alpha) - 1} calibration rows or a larger alpha."
            )
        pooled = np.concatenate(self.calibration_scores_).astype(np.float64)
        self._magnitude = typical_magnitude(np.sort(pooled))
        self._center = float(np.median(pooled))
        self._scale = float(np.mean(np.abs(pooled - self._center))) or 1.0

    def _check_functions(self) -> None:
        if self.weight_function is not None and self.method != "split":
            raise ValueError(f"weight_function needs method='split', not method={self.method!r}.")
        if self.group_function is not None and (self.method != "split" or self.weight_function is not None):
            raise ValueError("group_function needs method='split' and no weight_function.")

    def _known_pvalues(self, X: Any, y: NDArray[np.int8]) -> NDArray[np.float64]:
        """Return the p-values of the rows labelled -1; those of a series that are not trained on."""
        if not (y < 0).any():
            return np.empty(0)
        if not self._is_series:
            return self._pvalues(take_rows(X, y < 0))[0]
        later = np.arange(len(y)) >= len(y) - self._n_last(len(y))
        pvalues = self._pvalues(take_rows(X, later))[0][y[later] < 0]
        return pvalues[~np.isnan(pvalues)]

    def _n_last(self, n_rows: int) -> int:
        """Return the number of rows that "split" calibrates on."""
        return int(np.clip(round(self.calibration_size * n_rows), 1, n_rows - 2))

    @property
    def _is_plain(self) -> bool:
        """Whether all calibration rows count alike."""
        return self.weight_function is None and self.group_function is None

    def _labels_of(self, X: Any) -> NDArray[Any]:
        if self.group_function is None:
            return np.zeros(len(X), dtype=np.intp)
        labels = np.asarray(self.group_function(X))
        if labels.shape != (len(X),):
            raise ValueError(f"group_function must return one label per row, {len(X)}; its shape is {labels.shape}.")
        return labels

    def _folds(self, rows: Any) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Yield training rows and calibration rows of each detector."""
        if self.method == "cross" and not isinstance(self.cv, Integral):
            yield from self.cv.split(rows)
            return
        order = generator(self.random_state).permutation(len(rows))
        if self._is_series:
            folds = [np.arange(len(rows) - self._n_last(len(rows)), len(rows))]
        elif self.method == "split":
            folds = [order[: self._n_last(len(rows))]]
        else:
            folds = np.array_split(order, min(self.cv, len(rows)) if self.method == "cross" else len(rows))
        for fold in folds:
            train = np.ones(len(rows), dtype=bool)
            train[fold] = False
            yield train, fold

    def _scores_of(self, detector: Any, X: Any) -> NDArray[np.floating]:
        scores = np.asarray(detector.score_samples(X))
        scores = -scores if scores.dtype == np.float32 else -scores.astype(np.float64)  # ties depend on the precision
        if np.isnan(scores).any() and not self._is_series:  # of those of a series the detector has warned
            raise ValueError(
                f"{detector!r} gave NaN as the score of {np.count_nonzero(np.isnan(scores))} rows, which cannot be "
                "ranked. Impute the rows or use another detector."
            )
        return scores

    def _weights(self, X: Any) -> NDArray[np.float64]:
        if self.weight_function is None:
            return np.ones(len(X))
        weights = np.asarray(self.weight_function(X), dtype=np.float64)
        if weights.shape != (len(X),) or not (np.isfinite(weights) & (weights >= 0)).all():
            raise ValueError("weight_function must return one finite, non-negative weight per row.")
        return weights

    def _pvalues(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return p-values, and the mean outlyingness over the detectors."""
        own = self._weights(X)
        labels = self._labels_of(X)
        above, mean, total = np.zeros(len(X)), np.zeros(len(X)), np.zeros(len(X))
        for detector, groups in zip(self.detectors_, self._groups, strict=True):
            outlyingness = self._scores_of(detector, X)
            mean += outlyingness.astype(np.float64) / len(self.detectors_)
            for label in np.unique(labels).tolist():
                if label in groups:
                    scores, sums = groups[label]
                    rows = (labels == label) & ~np.isnan(outlyingness)
                    above[rows] += sums[count_below(scores, outlyingness[rows], self._magnitude)]
                    total[rows] += sums[0]
        whole = total + own
        pvalues = np.where(whole > 0, (above + own) / np.where(whole > 0, whole, 1.0), 1.0)
        return np.where(np.isnan(mean), np.nan, pvalues), mean

    def pvalues(self, X: Any) -> NDArray[np.float64]:
        """Return the conformal p-value of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            New rows. The p-values of training rows are not valid.

        Returns
        -------
        ndarray of shape (n_samples,)
            NaN for time points of a series without a score.
        """
        check_is_fitted(self)
        return self._pvalues(self._check(X, reset=False))[0]

    def evalues(self, X: Any, *, threshold: float | None = None) -> NDArray[np.float64]:
        """Return the conformal e-value of each row: large for anomalies, at most 1 in expectation for normal rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            New rows.
        threshold : float or None, default=None
            In (0, 1); rows with a p-value of at most `threshold` get the e-value ``1 / threshold``, others 0. None is
            ``alpha / 20``, or the smallest p-value ``1 / (n_calibration_ + 1)`` where that is larger. In a batch of m
            rows ``m * threshold / alpha`` rows must have such a p-value before any is selected.

        Returns
        -------
        ndarray of shape (n_samples,)

        Notes
        -----
        e-values of several detectors may be averaged, and :func:`e_benjamini_hochberg` controls the false discovery
        rate whatever their dependence, also with weights and groups [1]_.

        References
        ----------
        .. [1] Wang, R. and Ramdas, A. (2022). False discovery rate control with e-values. Journal of the Royal
           Statistical Society B 84, 822-852. https://doi.org/10.1111/rssb.12489
        """
        if threshold is None:
            threshold = max(self.alpha / 20.0, 1.0 / (self.n_calibration_ + 1))
        if not 0 < threshold < 1:
            raise ValueError(f"threshold={threshold} must lie strictly between 0 and 1.")
        return np.where(self.pvalues(X) <= threshold * (1 + 1e-12), 1.0 / threshold, 0.0)

    def anomaly_probability(self, X: Any) -> NDArray[np.float64]:
        r"""Return the probability that each row is an anomaly, given its p-value.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            New rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Does not increase with the p-value. It depends on the default prior of the contamination of new rows.

        Notes
        -----
        p-values of normal rows are uniform, those of anomalies have the density :math:`a p^{a - 1}` with an unknown
        :math:`a`, one of six numbers from 0.05 to 1. Rows that were labelled -1 in `fit` are evidence about it. The
        result is the mean of :math:`\gamma a p^{a-1} / (\gamma a p^{a-1} + 1 - \gamma)` over :math:`a` and the
        contamination :math:`\gamma`. It does not depend on the batch.
        """
        return self._curve(self.pvalues(X))

    def suggest_audit(self, n: int = 10) -> AuditSuggestion:
        """Suggest which calibration rows to check, to find out whether there are anomalies among them.

        Parameters
        ----------
        n : int, default=10
            Number of rows; fewer where fewer are not labelled +1 already.

        Returns
        -------
        AuditSuggestion
            ``indices`` of rows of the table given to `fit`, and the ``probabilities`` of their draw within
            strata of the calibration scores. Fit again with -1 for the anomalies found and +1 for normal rows.
        """
        check_is_fitted(self)
        if n < 1:
            raise ValueError(f"n={n} must be at least 1.")
        order = np.argsort(-np.concatenate(self.calibration_scores_).astype(np.float64), kind="stable")
        edges = stratum_edges(len(order))
        posterior = RatePosterior(default_masses(), count_checked(edges, self._labels[order]))
        added = posterior.allocate(min(n, int(np.count_nonzero(self._labels == 0))))
        suggestion = suggest_rows(order, self._labels, edges, added, generator(self.random_state))
        return AuditSuggestion(self._calibrating[suggestion.indices], suggestion.probabilities)

    def select(self, X: Any, *, alpha: float | None = None) -> NDArray[np.int64]:
        """Label a batch with a false discovery rate of at most `alpha` (Benjamini and Hochberg).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Batch of new rows. The labels depend on the whole batch.
        alpha : float, default=None
            False discovery rate; None is the estimator's `alpha`.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            +1 normal, -1 anomaly.

        Notes
        -----
        The bound is proven for "split" without weights or groups. With them it holds in practice, but is not proven;
        :func:`e_benjamini_hochberg` of :meth:`evalues` is.

        No p-value is below ``1 / (n_calibration_ + 1)``. In a batch of m rows at least
        ``m / (alpha * (n_calibration_ + 1))`` rows must have that p-value before any row is selected; a warning says
        so where fewer have it. If even the smallest possible p-values of all rows would not be selected, also with
        weights or groups, the warning comes before any row is scored, and none is. :class:`SelectionPowerDisplay`
        shows how many calibration rows are enough.
        """
        check_is_fitted(self)
        level = self.alpha if alpha is None else alpha
        X = self._check(X, reset=False)
        smallest = self._smallest_pvalues(X)
        if not benjamini_hochberg(smallest, alpha=level).any():
            self._warn_without_power(smallest, level)
            return np.ones(len(X), dtype=np.int64)
        pvalues = self._pvalues(X)[0]
        scored = ~np.isnan(pvalues)
        labels = np.ones(len(pvalues), dtype=np.int64)
        labels[scored] = np.where(benjamini_hochberg(pvalues[scored], alpha=level), -1, 1)
        if (labels > 0).all():
            self._check_power(pvalues[scored], level)
        return labels

    def _smallest_pvalues(self, X: Any) -> NDArray[np.float64]:
        """Return the p-value that each row would have if it were the most anomalous of all; no row is scored."""
        own, labels, total = self._weights(X), self._labels_of(X), np.zeros(len(X))
        for groups in self._groups:
            for label in np.unique(labels).tolist():
                if label in groups:
                    total[labels == label] += groups[label][1][0]
        whole = total + own
        return np.where(whole > 0, own / np.where(whole > 0, whole, 1.0), 1.0)

    def _warn_without_power(self, smallest: NDArray[np.float64], alpha: float) -> None:
        """Warn before rows are scored that none can be selected, whatever the scores."""
        n_rows = len(smallest)
        for_one = math.ceil(n_rows / alpha * (1 - 1e-12)) - 1
        warn_user(
            f"No row can be selected: with {self.n_calibration_} calibration rows the smallest possible p-value in "
            f"this batch of {n_rows} rows is {smallest.min():.3g}, which alpha={alpha:g} does not select even if every "
            f"row has it. No row was scored. Give more calibration rows ({for_one} of the same kind find a single "
            "anomaly), a smaller batch or a larger alpha."
        )

    def _check_power(self, pvalues: NDArray[np.float64], alpha: float) -> None:
        """Warn where the number of calibration rows, and not the rows, is the reason that none is selected."""
        if not self._is_plain:
            return
        n_rows, n_steps = len(pvalues), self.n_calibration_ + 1
        n_extreme = int(np.count_nonzero(pvalues * n_steps < 1.5))
        n_needed = math.ceil(n_rows / (alpha * n_steps) * (1 - 1e-12))
        if n_extreme == 0 and n_needed <= n_rows:
            return
        most = f"{n_needed} of the {n_rows} rows" if n_needed <= n_rows else "more rows than the batch has"
        warn_user(
            f"No row can be selected: with {self.n_calibration_} calibration rows no p-value is below 1/{n_steps}, and "
            f"at alpha={alpha:g} at least {most} would need it; {n_extreme} have it. Give at least "
            f"{math.ceil(n_rows / (alpha * max(n_extreme, 1)) * (1 - 1e-12)) - 1} calibration rows, a smaller batch or "
            "a larger alpha."
        )

    def _rank_step(self) -> float:
        """Return the largest difference of scores between rows of equal p-value."""
        return 0.5 * float(np.log1p(1.0 / (self.n_calibration_ + 1))) if self._is_plain else 0.0

    def _outlyingness(self, X: Any) -> NDArray[Any]:
        pvalues, mean = self._pvalues(X)
        place = 0.5 + np.arctan((mean - self._center) / self._scale) / np.pi
        with np.errstate(divide="ignore"):
            return -np.log(np.maximum(pvalues, 1e-300)) + self._rank_step() * place

    def _auto_offset(self) -> float:
        if not self._is_plain:
            return float(np.nextafter(np.log(self.alpha), 0.0))
        n_steps = np.floor(self.alpha * (self.n_calibration_ + 1) * (1 + 1e-12))
        # Between the largest p-value that is at most alpha and the next one.
        return float(np.log((n_steps + 1) / (self.n_calibration_ + 1)) - 1.5 * self._rank_step())

    def __sklearn_tags__(self) -> Tags:
        return copy_kinds(super().__sklearn_tags__(), self._given())
