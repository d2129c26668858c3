"""A detector with a threshold rule."""

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._audit import ProbabilityCurve
from skanomaly._support._labels import native_labels
from skanomaly._support._piece_scores import PieceScores
from skanomaly._support._pieces import Pieces
from skanomaly._support._responses import require_scores
from skanomaly._support._rows import take_rows
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import HasMethods, Interval
from skanomaly._support._validation import check_samples_of, copy_kinds, scores_time_points
from skanomaly.base import BaseDetector
from skanomaly.threshold._budgets import AlertForecast, FalseAlarmThreshold, forecast_alerts
from skanomaly.threshold._pieces import draw_table, drawn_labels, fit_inner, open_table, split_rows
from skanomaly.threshold._rules import QuantileThreshold, ThresholdRule

__all__ = ["ThresholdedDetector"]


class ThresholdedDetector(BaseDetector):
    """Detector whose threshold is set by a rule instead of a given contamination.

    Parameters
    ----------
    detector : estimator or None, default=None
        Estimator with ``fit`` and ``score_samples`` (lower scores are more anomalous) for tables, series, collections
        of series or event traces; None is ``IsolationForest(random_state=0)``.
    rule : ThresholdRule or None, default=None
        :class:`QuantileThreshold`, :class:`PosteriorThreshold`, :class:`MADThreshold`, :class:`ParetoThreshold`,
        :class:`FDistributionThreshold`, :class:`AlertRateThreshold`, :class:`CapacityThreshold`,
        :class:`FalseAlarmThreshold`, :class:`PrecisionThreshold`, :class:`CostThreshold`, :class:`FixedThreshold` or a
        rule of your own; None is ``QuantileThreshold()``.
    calibration_size : float in (0, 1) or None, default=None
        Fraction of the rows, drawn at random, that the detector is not fitted to and whose scores the rule gets.
        :class:`FalseAlarmThreshold` keeps its guarantee with it; rows labelled -1 are then left out. None fits the
        detector to all rows and gives the rule their scores. Not for detectors of a single series.
    random_state : int, RandomState instance or None, default=None
        Seeds the draw of the calibration rows.

    Attributes
    ----------
    detector_ : estimator
        Fitted detector.
    offset_ : float
        Threshold on ``score_samples``.
    n_flagged_, n_calibration_ : int
        Number of rows whose scores the rule got that are below the threshold, and number of these rows.
    n_features_in_ : int
        Number of columns, where the detector takes tables.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    ContaminationPosterior : Distribution of the contamination, from several detectors.
    ConformalDetector : Threshold with a guaranteed false alarm rate.

    Notes
    -----
    ``rule__contamination`` and ``detector__n_estimators`` can be set in a grid search, once `rule` and `detector` are
    given. The rule gets the scores of the training rows by the fitted detector, or those of the calibration rows; those
    of a series without the time points that no window covers, which are predicted +1. Labels given to `fit` (-1, +1,
    and NaN or 0 for rows that are not checked) are passed to the detector and the rule. The method
    ``feature_contributions`` exists if the detector has it.

    ``fit_chunks`` fits the detector to all pieces, or where it has no such method to rows drawn from them. Rules that
    are order statistics of the scores get those of all rows, by counting: :class:`QuantileThreshold`,
    :class:`AlertRateThreshold`, :class:`CapacityThreshold` and :class:`FalseAlarmThreshold`. Other rules, and
    ``anomaly_probability``, get the scores of at most 65,536 rows drawn by their values. With `calibration_size` the
    rows of the two parts are drawn by their numbers in the table, so that the order of the pieces matters.

    Examples
    --------
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.detectors import AnomalyDetector
    >>> from skanomaly.threshold import MADThreshold, ThresholdedDetector
    >>> X, y = make_shifted_anomalies(n_samples=400, contamination=0.05, random_state=0)
    >>> model = ThresholdedDetector(
    ...     detector=AnomalyDetector(random_state=0), rule=MADThreshold(alpha=0.001)
    ... )
    >>> bool((model.fit(X).predict(X) == -1).mean() < 0.2)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "detector": [HasMethods(["fit"]), None],
        "rule": [ThresholdRule, None],
        "calibration_size": [Interval(Real, 0, 1, closed="neither"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        detector: Any = None,
        *,
        rule: ThresholdRule | None = None,
        calibration_size: float | None = None,
        random_state: Any = None,
    ) -> None:
        self.detector = detector
        self.rule = rule
        self.calibration_size = calibration_size
        self.random_state = random_state

    def _given(self) -> Any:
        return IsolationForest(random_state=0) if self.detector is None else self.detector

    def _check(self, X: Any, *, reset: bool) -> Any:
        return check_samples_of(self, self._given(), X, reset=reset, min_samples=2 if reset else 1)

    def _fit(self, X: Any, y: NDArray[np.int8], **metadata: Any) -> None:
        detector = self._given()
        require_scores(detector)
        training, calibration, labels, checked = X, X, y, y
        if self.calibration_size is not None:
            if scores_time_points(detector):
                raise ValueError(
                    f"calibration_size={self.calibration_size:g}: {detector!r} scores the time points of one series, "
                    "from which no rows can be drawn at random. Give calibration_size=None."
                )
            order = generator(self.random_state).permutation(len(y))
            n_calibration = int(np.clip(round(self.calibration_size * len(y)), 1, len(y) - 2))
            kept = order[:n_calibration]
            if isinstance(self.rule, FalseAlarmThreshold):
                kept = kept[y[kept] >= 0]
            if len(kept) == 0 or len(y) - n_calibration < 2:
                raise ValueError(
                    f"calibration_size={self.calibration_size:g} leaves {len(kept)} calibration and "
                    f"{len(y) - n_calibration} training rows of {len(y)}; give more rows."
                )
            rest = np.sort(order[n_calibration:])
            training, calibration, labels, checked = take_rows(X, rest), take_rows(X, kept), y[rest], y[kept]
        self.detector_ = clone(detector)
        self.detector_ = (
            self.detector_.fit(training, native_labels(labels)) if labels.any() else (self.detector_.fit(training))
        )
        rule = QuantileThreshold() if self.rule is None else self.rule
        scores = np.asarray(self.detector_.score_samples(calibration), dtype=np.float64)
        scored = ~np.isnan(scores)  # of the others the detector has warned
        if scored.any():
            scores, checked = scores[scored], checked[scored]
        self._threshold = rule.offset(scores, getattr(self, "n_features_in_", 1), y=native_labels(checked))
        self.n_flagged_ = int(np.count_nonzero(scores < self._threshold))
        self.n_calibration_ = len(checked)
        self._curve = ProbabilityCurve(-scores, checked)

    def _fit_pieces(self, pieces: Pieces, *, labelled: bool) -> None:
        detector, rule = self._given(), QuantileThreshold() if self.rule is None else self.rule
        require_scores(detector)
        if rule._reads_order:
            raise ValueError(f"rule={rule!r} needs the scores of all rows in their order; use fit.")
        table = open_table(self, detector, pieces, labelled=labelled)
        training = calibration = pieces
        if self.calibration_size is not None:
            normal = isinstance(rule, FalseAlarmThreshold)
            seed = draw_seed(self.random_state)
            training, calibration = split_rows(table, self.calibration_size, seed, normal=normal)
        scored = draw_table(self, detector, calibration)
        checked = drawn_labels(table, scored)
        trained, labels = None, checked
        if not hasattr(detector, "fit_chunks"):
            trained = scored if training is pieces else draw_table(self, detector, training)
            labels = checked if training is pieces else drawn_labels(table, trained)
        self.detector_ = fit_inner(detector, training, trained, labels, table.codes)
        drawn = np.asarray(self.detector_.score_samples(scored.X), dtype=np.float64)
        scores = PieceScores(calibration, self.detector_, drawn, scored.n_rows)
        self._threshold = rule._offset_in_pieces(scores, getattr(self, "n_features_in_", 1), checked)
        self.n_flagged_ = scores.count_below(self._threshold)
        self.n_calibration_ = scores.n_samples
        self._curve = ProbabilityCurve(-drawn, checked)

    def anomaly_probability(self, X: Any) -> NDArray[np.float64]:
        """Return the probability that each row is an anomaly, given the rank of its score.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            Does not increase with the score. Calibrated where checked rows were labelled in `fit`, drawn at random
            among rows of similar score (``ContaminationPosterior.suggest_audit`` draws such rows); without labels it
            depends on the default prior of the contamination.
        """
        check_is_fitted(self)
        return self._curve(-np.asarray(self.score_samples(X), dtype=np.float64))

    def forecast_alerts(self, n_rows: int, *, level: float = 0.9) -> AlertForecast:
        """Predict how many of `n_rows` new rows will be flagged.

        Parameters
        ----------
        n_rows : int
            Number of new rows with the distribution of the training rows.
        level : float, default=0.9
            Probability of the interval, in (0, 1).

        Returns
        -------
        AlertForecast
            ``expected``, ``low`` and ``high``. See :func:`forecast_alerts`; the interval holds for rows to which the
            detector was not fitted, as with `calibration_size`.
        """
        check_is_fitted(self)
        return forecast_alerts(self.n_flagged_, self.n_calibration_, n_rows, level=level)

    def _outlyingness(self, X: Any) -> NDArray[Any]:
        return -np.asarray(self.detector_.score_samples(X), dtype=np.float64)

    @available_if(lambda self: hasattr(self._given(), "feature_contributions"))
    def _contributions(self, X: Any) -> NDArray[np.float64]:
        """Return the contributions of the inner detector."""
        return -np.asarray(self.detector_.feature_contributions(X), dtype=np.float64)

    def _auto_offset(self) -> float:
        return self._threshold

    def __sklearn_tags__(self) -> Tags:
        return copy_kinds(super().__sklearn_tags__(), self._given())
