"""Errors of forecasts from the past."""

from copy import copy
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from skanomaly._support._blocks import row_blocks
from skanomaly._support._restore import restore_on_error
from skanomaly._support._scales import ROUNDING, SafeRange, center_and_scale
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._validation import check_weights
from skanomaly._support._warnings import warn_user
from skanomaly._support._weighted_fits import fit_weighted, takes_weights
from skanomaly.sequence._base import SeriesDetector
from skanomaly.sequence._channels import divided, on_channels
from skanomaly.sequence._clock import Stretches, with_times
from skanomaly.sequence._windows import all_edges, informative_channels, rolling_mean, stretches

__all__ = ["AutoregressiveDetector"]

_BLOCK_ROWS = 4096


class AutoregressiveDetector(SeriesDetector):
    r"""Error of forecasting each time point from those before it.

    Parameters
    ----------
    estimator : regressor, default=None
        Predicts the next row from the `order` rows before it, all channels at once if there are several. None is a
        ridge regression that is solved from sums of products, without a table of windows.
    order : int, default=50
        Number of past time points that the forecast uses.
    ridge : float, default=0.001
        L2 penalty of the ridge regression, as a fraction of the variance of each column.
    smoothing : int, default=100
        Number of time points that errors are averaged over. Use 1 to detect single anomalous points.
    causal : bool, default=False
        Whether the average is over the time points up to each one instead of around it.
    binary_channels : {"ignore", "keep"}, default="ignore"
        "ignore" leaves out channels with at most two distinct training values, if other channels have more.
    contamination : float, default=0.1
        Fraction of the training time points that is flagged, in (0, 0.5].

    Attributes
    ----------
    window_size_ : int
        Smallest number of time points that can be scored: the order used plus one. `fit` uses a smaller order if the
        training series is shorter than two such windows.
    coef_ : ndarray of shape (n_channels_used, order, n_channels_used)
        Coefficients of the ridge regression on standardised channels, by predicted channel, lag (1 first) and
        predicting channel.
    estimator_ : regressor
        The fitted `estimator`, if one was given.
    offset_ : float
        Threshold on ``score_samples``: time points that score below are anomalies.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the channels, where the training table had names that are all strings.

    See Also
    --------
    skanomaly.robust.robust_series_weights : Weights for training on a series with anomalies.
    SubsequenceNeighbors : Compares whole windows.

    Notes
    -----
    The score is minus the root mean square over channels of the one-step errors, divided by their root mean square in
    training and averaged over `smoothing` time points. The first `order` time points get the first error. After a hole
    or missing value they are forecast backwards, from the time points after them, by the regression of the same
    products; with ``causal=True`` or an `estimator` they get the score of the first forecast there too. A standardised
    error is the statistic for an anomalous innovation of an autoregression (type II of [1]_); the average of point
    scores is the statistic of [2]_ for a change, here with errors instead of code lengths. Nothing is left out
    of training, so the model also fits long anomalies that repeat. ``timepoint_weight`` weights the predicted time
    points; it is not called `sample_weight`, since repeating a row of a series is not the same as weighting it.
    ``feature_contributions`` divide an error in proportion to the squares of the channels, and ``expected_values`` are
    the forecasts.

    ``partial_fit`` continues the series of the last call or of `fit`. It adds up sums of products, so the regression is
    the same as that of one fit on the whole series. The channels and the origin are those of the first call; the
    threshold is computed from the last call with enough time points to be scored.

    Cost: O(n (p d)^2) for order p and d channels; memory O((p d)^2).

    References
    ----------
    .. [1] Fox, A. J. (1972). "Outliers in time series". Journal of the Royal Statistical Society B 34(3), 350-363.
       https://doi.org/10.1111/j.2517-6161.1972.tb00912.x
    .. [2] Yamanishi, K. and Takeuchi, J. (2002). "A unifying framework for detecting outliers and change points from
       non-stationary time series data". KDD, 676-681. https://doi.org/10.1145/775047.775148

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sequence import AutoregressiveDetector
    >>> wave = np.sin(np.arange(1000) / 8)
    >>> wave[500] += 1
    >>> int(
    ...     AutoregressiveDetector(order=5, smoothing=1)
    ...     .fit(wave)
    ...     .score_samples(wave)
    ...     .argmin()
    ... )
    500
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **SeriesDetector._parameter_constraints,
        "estimator": [HasMethods(["fit", "predict"]), None],
        "order": [Interval(Integral, 1, None, closed="left")],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "smoothing": [Interval(Integral, 1, None, closed="left")],
        "causal": ["boolean"],
        "binary_channels": [StrOptions({"ignore", "keep"})],
    }

    _window_parameter: ClassVar[str] = "order"
    _backward: tuple[NDArray[np.float64], ...] | None = None  # weights, intercepts and error scales backwards in time

    def __init__(
        self,
        estimator: Any = None,
        *,
        order: int = 50,
        ridge: float = 1e-3,
        smoothing: int = 100,
        causal: bool = False,
        binary_channels: str = "ignore",
        contamination: float = 0.1,
    ) -> None:
        self.estimator = estimator
        self.order = order
        self.ridge = ridge
        self.smoothing = smoothing
        self.causal = causal
        self.binary_channels = binary_channels
        self.contamination = contamination

    def fit(self, X: Any, y: Any = None, *, times: Any = None, timepoint_weight: Any = None) -> Self:
        """Fit the forecasting model.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)
            Training series.
        y : array-like of shape (n_timepoints,), default=None
            Validated, but not used.
        times : array-like of shape (n_timepoints,), default=None
            Ascending dates, periods, durations or numbers; None uses the index of a pandas frame, if it is of times.
        timepoint_weight : array-like of shape (n_timepoints,), default=None
            Weight of each time point as a predicted one.

        Returns
        -------
        self
        """
        return self._run_fit(with_times(X, times), y, timepoint_weight=timepoint_weight)

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        if self.estimator is not None:
            _require_regressor(self.estimator)
        edges = metadata.get("edges")
        self._begin(X, _effective_order(self.order, len(X), edges))
        weights = check_weights(metadata.get("timepoint_weight"), X)
        centred = self._centred(X)
        if self.estimator is None:
            self._add_all(centred, weights, edges)
            self._keep_tail(X, edges, self._order)
            self._solve()
            return
        self._scale = center_and_scale(centred, self._extreme(centred), magnitude=self._origin)[1]
        parts = stretches(len(X), edges, self.window_size_)
        lagged = [_lagged(centred[part] / self._scale, self._order) for part in parts]
        pasts, nexts = np.concatenate([past for past, _ in lagged]), np.concatenate([row for _, row in lagged])
        ordinary = self._ordinary_weights(centred, None, parts)
        predicted = np.concatenate([np.arange(part.start + self._order, part.stop) for part in parts])
        kept = slice(None) if ordinary is None else ordinary[predicted] > 0
        pasts, nexts = pasts[kept], nexts[kept]
        target = nexts.ravel() if nexts.shape[1] == 1 else nexts
        estimator = clone(self.estimator)
        if weights is None or takes_weights(estimator):
            counts = None if weights is None else weights[predicted][kept]
            self.estimator_ = fit_weighted(estimator, pasts, target, counts)
        else:
            raise ValueError(
                f"{type(estimator).__name__} does not support sample_weight; fit without timepoint_weight, or use an "
                "estimator that supports it."
            )
        errors = np.concatenate([self._errors(centred[part]) for part in parts])[kept]
        # Where the forecasts are exact up to rounding, as for the ridge regression.
        error = np.sqrt(np.square(errors).mean(axis=0))
        self._error_scale = np.where(error > ROUNDING * self._scale, error, 1e-6 * self._scale)

    def _begin(self, X: NDArray[Any], order: int) -> None:
        self._order = order
        self.window_size_ = self._order + 1
        self._channels = informative_channels(X, self.binary_channels)
        rows = X[:, self._channels].astype(np.float64)
        self._range = SafeRange(rows)
        rows = self._range.apply(rows)
        # The first value that is not extreme: with an extreme one, the bits of the others would be lost.
        self._origin = np.take_along_axis(rows, np.argmin(self._range.extreme(rows), axis=0)[None], axis=0)[0]
        n_columns = self._order * len(self._channels) + len(self._channels) + 1
        self._moments = np.zeros((n_columns, n_columns))
        self._scale = np.ones(len(self._channels))

    def _centred(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return self._range.apply(X[:, self._channels].astype(np.float64)) - self._origin

    def _extreme(self, centred: NDArray[np.float64]) -> NDArray[np.bool_]:
        return self._range.extreme(centred + self._origin)

    def _ordinary_weights(
        self, centred: NDArray[np.float64], weights: NDArray[np.float64] | None, parts: list[slice]
    ) -> NDArray[np.float64] | None:
        """Give weight 0 to the time points that are extreme or forecast from an extreme one; at least one stays."""
        extreme: NDArray[np.bool_] = np.any(self._extreme(centred), axis=1)
        if not extreme.any():
            return weights
        kept = np.ones(len(extreme)) if weights is None else weights.copy()
        left = False
        for part in parts:
            near = np.convolve(extreme[part], np.ones(self._order + 1))[: part.stop - part.start] > 0.5
            kept[part][near] = 0.0
            left = left or bool(kept[part][self._order :].any())
        return kept if left else weights

    def _add_all(
        self, centred: NDArray[np.float64], weights: NDArray[np.float64] | None, edges: NDArray[np.intp] | None
    ) -> None:
        parts = stretches(len(centred), edges)
        weights = self._ordinary_weights(centred, weights, parts)
        for part in parts:
            self._add(centred[part], None if weights is None else weights[part])

    def _add(self, centred: NDArray[np.float64], weights: NDArray[np.float64] | None) -> None:
        """Add the sums of products of past, next row and a constant."""
        moments = self._moments.copy()
        for block in row_blocks(max(0, len(centred) - self._order), _BLOCK_ROWS):
            pasts, nexts = _lagged(centred[block.start : block.stop + self._order], self._order)
            rows = np.hstack([np.ones((len(pasts), 1)), pasts, nexts])
            moments += rows.T @ (rows if weights is None else rows * weights[self._order :][block, None])
        self._moments = moments

    def _solve(self) -> None:
        n_channels = len(self._channels)
        coefficients, self._weights, self._intercept, self._error_scale = self._regression(
            slice(1, -n_channels), slice(-n_channels, None)
        )
        self.coef_ = coefficients.reshape(self._order, n_channels, n_channels)[::-1].transpose(2, 0, 1)

    def _regression(self, inner: slice, target: slice) -> tuple[NDArray[np.float64], ...]:
        """Solve the ridge regression of columns on others, standardised, from the sums of products.

        Returns the coefficients on standardised columns, those on columns, the intercepts, and the root mean squares of
        the errors.
        """
        total = self._moments[0, 0] if self._moments[0, 0] > 0 else 1.0
        means = self._moments[0] / total
        covariance = self._moments / total - np.outer(means, means)
        # The variance of a constant column is 0, up to rounding.
        floor = 1e-13 * self._moments.diagonal() / total
        rounding = np.square(ROUNDING * self._origin)
        floor[1:] = np.maximum(floor[1:], np.tile(rounding, self._order + 1))
        deviations = np.sqrt(np.where(covariance.diagonal() > floor, covariance.diagonal(), 1.0))
        scaled = covariance / np.outer(deviations, deviations)
        matrix = scaled[inner, inner] + max(self.ridge, 1e-10) * np.eye(scaled[inner, inner].shape[0])
        coefficients = np.linalg.solve(matrix, scaled[inner, target])
        weights = coefficients / deviations[inner, None] * deviations[target]
        intercept = means[target] - means[inner] @ weights
        explained = np.einsum("ij,ik,kj->j", coefficients, scaled[inner, inner], coefficients)
        crossed = np.einsum("ij,ij->j", coefficients, scaled[inner, target])
        unexplained = scaled[target, target].diagonal() - 2 * crossed + explained
        return coefficients, weights, intercept, np.sqrt(np.maximum(unexplained, 1e-12)) * deviations[target]

    def _looking_back(self) -> Self:
        """Return a copy that forecasts the first time points after a cut from those behind them, if it may."""
        found = copy(self)
        if not self.causal and self.estimator is None:
            n_channels = len(self._channels)
            found._backward = self._regression(slice(1 + n_channels, None), slice(1, 1 + n_channels))[1:]
        return found

    def _back_errors(self, centred: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the errors of the first points of a stretch, at most `order`, forecast from the points after them."""
        n_first = min(self._order, len(centred) - self._order)
        if self._backward is None:
            return np.empty((0, centred.shape[1]))
        weights, intercept, _ = self._backward
        return centred[:n_first] - _side_by_side(centred[1 : n_first + self._order], self._order) @ weights - intercept

    def _errors(self, centred: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the errors of the points from `order` on."""
        parts = []
        for block in row_blocks(len(centred) - self._order, _BLOCK_ROWS):
            pasts, nexts = _lagged(centred[block.start : block.stop + self._order], self._order)
            if self.estimator is None:
                parts.append(nexts - pasts @ self._weights - self._intercept)
            else:
                scales = np.tile(self._scale, self._order)
                forecast = np.asarray(self.estimator_.predict(pasts / scales)).reshape(nexts.shape)
                parts.append(nexts - forecast * self._scale)
        return np.concatenate(parts)

    def _averaged(self, local: NDArray[Any]) -> NDArray[np.float64]:
        points = np.concatenate([np.repeat(local[:1], self._order, axis=0), local])
        return rolling_mean(points, self.smoothing, causal=self.causal)

    def _averaged_stretch(self, local: NDArray[Any], ends: tuple[bool, bool]) -> NDArray[np.float64]:
        if not ends[0]:
            return super()._averaged_stretch(local, ends)
        # The time points without a forecast get the score of the next with one: one error is no average.
        points = self._settled(self._smoothed(local), ends)
        n_first = 0 if self._backward is None else min(self._order, len(local) // 2)
        parts = points[:n_first], np.repeat(points[n_first : n_first + 1], self._order - n_first, axis=0)
        return np.concatenate([*parts, points[n_first:]])

    def _completed(self, local: NDArray[Any], X: NDArray[Any], ends: tuple[bool, bool]) -> NDArray[Any]:
        if not ends[0] or self._backward is None:
            return local
        squares = np.square(self._back_errors(self._centred(X)) / self._backward[2])
        before = _root_mean(squares) if local.ndim == 1 else self._shares(squares)
        return np.concatenate([before, local])

    def _score_stretches(
        self, X: Stretches, parts: list[slice], local: list[NDArray[Any]] | None = None
    ) -> NDArray[Any]:
        return super(AutoregressiveDetector, self._looking_back())._score_stretches(X, parts, local)

    def _shares_of_stretches(self, X: Stretches, parts: list[slice]) -> NDArray[np.float64]:
        return super(AutoregressiveDetector, self._looking_back())._shares_of_stretches(X, parts)

    def _smoothed(self, local: NDArray[Any]) -> NDArray[np.float64]:
        return rolling_mean(local, self.smoothing, causal=self.causal)

    @property
    def _edge_size(self) -> int:
        return self.smoothing - 1

    def _local_outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return _root_mean(self._squares(X))

    def _local_shares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return self._shares(self._squares(X))

    def _shares(self, squares: NDArray[np.float64]) -> NDArray[np.float64]:
        return on_channels(divided(_root_mean(squares), squares), self._channels, self.n_features_in_)

    def _expected(self, X: NDArray[Any] | Stretches) -> NDArray[np.float64]:
        if not isinstance(X, Stretches):
            return self._forecasts(self._long_enough(X))
        out = np.full(X.values.shape, np.nan)
        looking_back = self._looking_back()
        for part in X.parts(self.window_size_):
            out[part] = (looking_back if part.start > 0 else self)._forecasts(X.values[part])
        return self._placed(X, out)

    def _forecasts(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Return the forecasts of a stretch; NaN for its first time points, unless they are forecast backwards."""
        centred = self._centred(X)
        out = np.full(centred.shape, np.nan)
        before = self._back_errors(centred)
        out[: len(before)] = centred[: len(before)] - before
        out[self._order :] = centred[self._order :] - self._errors(centred)
        return on_channels(self._range.restored(out + self._origin), self._channels, X.shape[1], unused=np.nan)

    def _squares(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Return the squared errors of the channels used, in units of those in training."""
        return np.square(self._errors(self._centred(self._long_enough(X))) / self._error_scale)

    @available_if(lambda self: self.estimator is None)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Continue the series of earlier calls.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)
            The next time points; at least 2 in the first call.
        y : None
            Not used.

        Returns
        -------
        self
        """
        self._validate_params()
        with restore_on_error(self, X):
            first = not hasattr(self, "_moments")
            piece = self._read(X, reset=True) if first else self._read_next(X)
            if first:
                self._begin(piece.values, self.order)
            rows, edges = self._continued(piece)
            self._add_all(self._centred(rows), None, edges)
            self._keep_tail(rows, edges, self._order)
            self._solve()
            if piece.parts(self.window_size_):
                self._set_offset(self._score_checked(piece.values if piece.is_whole else piece))
            elif first:
                self.offset_ = 0.0
            self._learnt(piece)
        return self


def _root_mean(squares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(squares.mean(axis=1)))


def _require_regressor(estimator: Any) -> None:
    """Raise an error if the tags of an estimator say that it is not a regressor; without tags it may be one."""
    kind = get_tags(estimator).estimator_type if hasattr(estimator, "__sklearn_tags__") else None
    if kind not in {None, "regressor"}:
        raise ValueError(
            f"estimator={estimator!r:.80} is a {kind.replace('_', ' ')}, and forecasting needs a regressor; "
            "give one, such as sklearn.linear_model.Ridge()."
        )


def _effective_order(order: int, n_timepoints: int, edges: NDArray[np.intp] | None) -> int:
    """Return the order that a training series allows: two windows of `order` and the predicted point must fit."""
    needed = 2 * (order + 1)
    lengths = np.diff(all_edges(n_timepoints, edges))
    if (lengths // (order + 1)).sum() >= 2:
        return order
    longest = int(lengths.max())
    less = max(1, longest // 4 - 1)
    has = f"the series has {n_timepoints}" if edges is None else f"the longest stretch of the series has {longest}"
    warn_user(
        f"order={order} needs {needed} time points and {has}; an order of {less} is used. "
        "Give a longer series or a smaller order."
    )
    return less


def _lagged(rows: NDArray[np.float64], order: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the `order` rows before each row, oldest first, side by side, and the rows."""
    return _side_by_side(rows[:-1], order), rows[order:]


def _side_by_side(rows: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return each `order` consecutive rows as one row."""
    windows = np.lib.stride_tricks.sliding_window_view(rows, order, axis=0)
    return windows.transpose(0, 2, 1).reshape(len(windows), -1)
