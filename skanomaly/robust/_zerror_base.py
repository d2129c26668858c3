"""Abstract base of the Z-error classifier and regressor."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skanomaly._support._callbacks import CallbackSupport, callbacks_of
from skanomaly._support._labels import check_classification_targets
from skanomaly._support._pieces import Pieces, require_in_memory
from skanomaly._support._recut import WINDOW_ROWS, open_targets, windows
from skanomaly._support._restore import restore_on_error
from skanomaly._support._row_draws import draw_rows
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions, fit_context
from skanomaly._support._validation import check_rows, check_weights, validate_data
from skanomaly.robust._contradictions import margin_errors
from skanomaly.robust._mask import MaskingParameter, ZErrorMask
from skanomaly.robust._network import DENSE, dense_network
from skanomaly.robust._reference import Forests, SuspectForests
from skanomaly.robust._training import Standardizer, Training

__all__ = ["ZErrorEstimator", "targets_like"]


class ZErrorEstimator(MaskingParameter, CallbackSupport, BaseEstimator, ABC):
    """Abstract base for training with a mask, for classification and regression."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "masking": [None, ZErrorMask],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [None, Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    _classifier: ClassVar[bool]
    _training: Training
    _standardizer: Standardizer

    @abstractmethod
    def _encode(self, y: NDArray[Any], weights: NDArray[np.float64] | None, *, first: bool) -> NDArray[Any]:
        """Encode the targets for training; `first` also sets the encoding."""

    def _limited(self, encoded: NDArray[Any]) -> NDArray[Any]:
        """Return the encoded targets to train on."""
        return encoded

    @abstractmethod
    def _n_outputs(self) -> int:
        """Return the number of outputs of the network."""

    @abstractmethod
    def _set_parameters(self) -> None:
        """Set the coefficients in the original units of the data."""

    def _start(self, X: NDArray[Any], weights: NDArray[np.float64] | None, *, whole: bool = True) -> None:
        hidden = np.atleast_1d(self.hidden_layer_sizes).astype(int).tolist()
        if any(size < 1 for size in hidden):
            raise ValueError(f"hidden_layer_sizes={self.hidden_layer_sizes!r}; every layer needs at least one unit.")
        random = generator(self.random_state)
        self._standardizer = Standardizer.of(X, weights)
        rate = self.learning_rate_init
        if rate is None:
            rate = 0.005 if hidden else 0.05
        self._training = Training(
            network=dense_network([X.shape[1], *hidden, self._n_outputs()], random, X.dtype),
            mask=ZErrorMask() if self.masking is None else self.masking,
            n_groups=len(self.classes_) if self._classifier else 1,
            classifier=self._classifier,
            penalty=float(self.ridge),
            rate=float(rate),
            random=random,
        )
        plan = self._training.plan
        if whole and plan.adaptive and self._classifier and plan.by_confidence:
            self._training.forests = Forests(self._training.n_groups, random)
        elif whole and plan.adaptive and not self._classifier:
            seed = int(random.spawn(1)[0].integers(2**30))
            self._training.forests = SuspectForests(seed, distinct=True)

    def _batch_rows(self, n_samples: int) -> int:
        return min(256, max(64, n_samples // 8)) if self.batch_size == "auto" else int(self.batch_size)

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Any, Any, Any]:
        options: dict[str, Any] = {} if self._classifier else {"y_numeric": True}
        rows, targets = validate_data(self, X, y, reset=reset, dtype=(np.float64, np.float32), order="C", **options)
        if self._classifier:
            check_classification_targets(targets)
        return rows, targets, check_weights(sample_weight, rows)

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Finite numbers, or at least two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in the losses and in centre and scale of each batch. Rows of weight 0 are left out.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` or `y` contains NaN, `y` has only one class, or a parameter of the mask does not suit the task.

        Warns
        -----
        UserWarning
            If batches are too small for any row to be masked.
        """
        with restore_on_error(self, X, y), callbacks_of(self):
            require_in_memory(self, X, reset=True)
            rows, targets, weights = self._check(X, y, sample_weight, reset=True)
            counted = np.ones(rows.shape[0], dtype=bool) if weights is None else weights > 0
            if not counted.all():
                rows, targets, weights = rows[counted], targets[counted], weights[counted]
            encoded = self._limited(self._encode(targets, weights, first=True))
            self._start(rows, weights)
            standardized = self._standardizer(rows)
            held_out = None
            if self.early_stopping:
                held_out = np.zeros(rows.shape[0], dtype=bool)
                held_out[self._training.random.permutation(rows.shape[0])[: rows.shape[0] // 10]] = True
            dropped, seen = self._training.run(
                standardized,
                encoded,
                weights,
                batch_size=self._batch_rows(rows.shape[0]),
                max_iter=self.max_iter,
                held_out=held_out if held_out is not None and held_out.any() else None,
                verbose=bool(self.verbose),
                name=type(self).__name__,
            )
            self.mask_count_ = np.zeros(counted.size, dtype=np.int64)
            self.seen_count_ = np.zeros(counted.size, dtype=np.int64)
            self.mask_count_[counted], self.seen_count_[counted] = dropped, seen
            self.inlier_mask_ = np.ones(counted.size, dtype=bool)
            self.inlier_mask_[counted] = self._finish(standardized, encoded, weights, int(held_out is not None))
            self._training.forests = None
            self._warn_of_excess(standardized, encoded, self.inlier_mask_[counted])
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_chunks(self, chunks: Any, y: Any) -> Self:
        """Train from scratch on a table in pieces, of which memory holds one window of 65,536 rows at a time.

        In each of the `max_iter` epochs the windows follow each other as in the table, and the rows of a window are
        shuffled. The result depends on the order of the table, but not on its cuts; it is that of :meth:`fit` where the
        table has one window. The pieces are read ``max_iter + 4`` times, and memory holds 25 bytes for each row.

        Parameters
        ----------
        chunks : object
            The table: a list of tables, a callable that returns a fresh iterator of tables, an array on disk, or what
            :func:`skanomaly.chunks.read_chunks` reads.
        y : object
            Targets: the name of a column, or an object of the same kind and cuts as `chunks`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `early_stopping` is True, `chunks` can be iterated only once, or what :meth:`fit` raises, with the number
            of the piece. The estimator is then left as it was.

        Notes
        -----
        Standardisation, centre, scale and cutoff are those of 65,536 rows drawn at random. Rows should be in random
        order.
        """
        with restore_on_error(self), callbacks_of(self):
            if self.early_stopping:
                raise ValueError(
                    "early_stopping=True holds out rows in memory; use False for a table in pieces, or fit."
                )
            table = open_targets(chunks, y, partial(_check_piece, self), distinct=self._classifier)
            drawn = draw_rows(table.pieces, WINDOW_ROWS, 0, table.schema)
            assert drawn is not None  # there are rows
            rows, targets, _ = self._check(drawn.X, drawn.y, None, reset=True)
            encoded = self._limited(self._encode_first(targets, table.distinct))
            self._start(rows, None)
            self.mask_count_ = np.zeros(table.n_rows, dtype=np.int64)
            seen = self._training.run_windows(
                partial(self._windows, table.pieces, rows.dtype),
                self.mask_count_,
                batch_size=self._batch_rows(table.n_rows),
                max_iter=self.max_iter,
                verbose=bool(self.verbose),
                name=type(self).__name__,
            )
            self.seen_count_ = np.full(table.n_rows, seen, dtype=np.int64)
            standardized = self._standardizer(rows)
            self.inlier_mask_ = self._finish(standardized, encoded, None, 0 if len(rows) == table.n_rows else -1)
            if len(rows) < table.n_rows:
                parts = enumerate(self._windows(table.pieces, rows.dtype))
                self.inlier_mask_ = np.concatenate([self._kept(*window, part) for part, window in parts])
            self._training.forests = None
            self._warn_of_excess(standardized, encoded, self.inlier_mask_[drawn.rows])
        return self

    def _windows(self, pieces: Pieces, dtype: Any) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Yield standardised rows and encoded targets."""
        for table, targets in windows(pieces):
            rows, values, _ = self._check(table, targets, None, reset=False)
            yield (
                self._standardizer(rows.astype(dtype, copy=False)),
                self._limited(self._encode(values, None, first=False)),
            )

    def _kept(self, X: NDArray[Any], y: NDArray[Any], part: int) -> NDArray[np.bool_]:
        """Return which rows are within the threshold, by the centre and scale of the fit."""
        training = self._training
        if training.plan.by_confidence:
            pooled = np.zeros((training.pooled.shape[0], 3))
            return training.kept_labels(X, y, None, training.plan.threshold, pooled, part).keep
        outputs = training.network.forward(DENSE, X)[-1]
        return np.asarray(self._standardized_errors(outputs, y) <= max(training.plan.threshold, training.limits[0]))

    def _encode_first(self, targets: NDArray[Any], distinct: NDArray[Any] | None) -> NDArray[Any]:
        """Encode targets for training, and set the encoding; `distinct` are all classes."""
        return self._encode(targets, None, first=True)

    def _advance(self, X: Any, y: Any, sample_weight: Any, sample_indices: Any, *, first: bool) -> Self:
        """Run one epoch over a chunk."""
        rows, targets, weights = self._check(X, y, sample_weight, reset=first)
        indices = None
        if sample_indices is not None:
            indices = column_or_1d(sample_indices)
            if indices.size != rows.shape[0] or indices.dtype.kind not in "iu" or (indices < 0).any():
                raise ValueError(
                    f"sample_indices must be {rows.shape[0]} integers of at least 0, one for each row of this chunk."
                )
        encoded = self._limited(self._encode(targets, weights, first=first))
        if first:
            self._start(rows, weights, whole=False)
        training = self._training
        training.warn_if_too_small(min(rows.shape[0], self._batch_rows(rows.shape[0])), rows.shape[0])
        standardized = self._standardizer(rows)
        dropped = np.zeros(rows.shape[0], dtype=np.int64)
        is_masked = training.epoch(
            standardized,
            encoded,
            weights,
            batch_size=self._batch_rows(rows.shape[0]),
            span=self.max_iter,
            rate=training.rate / (1.0 + training.n_epochs / 10.0) ** 0.5,
            masked=dropped,
        )
        if self.verbose:
            print(f"{type(self).__name__}: chunk {training.n_epochs}, loss {training.losses[-1]:.6f}")  # noqa: T201  # verbose
        if indices is None:
            self.mask_count_, self.seen_count_ = dropped, np.full(rows.shape[0], int(is_masked), dtype=np.int64)
        else:
            size = int(max(indices.max() + 1, 0 if first else self.mask_count_.size))
            masked, seen = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
            if not first:
                masked[: self.mask_count_.size] = self.mask_count_
                seen[: self.seen_count_.size] = self.seen_count_
            np.add.at(masked, indices, dropped)
            np.add.at(seen, indices, int(is_masked))
            self.mask_count_, self.seen_count_ = masked, seen
        self.inlier_mask_ = self._finish(standardized, encoded, weights)
        return self

    def _finish(
        self, X: NDArray[Any], y: NDArray[Any], weights: NDArray[np.float64] | None, part: int = 0
    ) -> NDArray[np.bool_]:
        """Set the fitted attributes, and return which of these rows are within the threshold."""
        training = self._training
        self.mask_frequency_ = self.mask_count_ / np.maximum(self.seen_count_, 1)
        self.mask_rate_curve_ = np.array(training.mask_rates)
        self.threshold_curve_ = np.array(training.thresholds)
        self.loss_curve_ = np.array(training.losses)
        self.n_iter_ = training.n_epochs
        outputs = training.network.forward(DENSE, X)[-1]
        values = training.terms(outputs, y)[2]
        groups = y if self._classifier else np.zeros(y.size, dtype=np.intp)
        n_groups = training.pooled.shape[0]
        if training.plan.by_confidence:
            pooled = np.zeros((n_groups, 3))
            found = training.kept_labels(X, y, weights, training.plan.threshold, pooled, part)
            kept, self._label_scale = found.keep, found.scale
        else:
            self._center_scale = training.plan.center_scale(values, groups, weights, n_groups)
            errors = training.plan.standardized_errors(values, groups, self._center_scale)
            if self._classifier:
                training.limits = {0: 0.0}
            else:
                training.set_limit(X, y, weights, part, values)
                training.limits = {0: training.limits[part]}
            kept = errors <= max(training.plan.threshold, training.limits[0])
        self._choose_cutoff(outputs, y, weights, kept)
        self._set_parameters()
        return kept

    def _choose_cutoff(
        self,
        outputs: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        kept: NDArray[np.bool_],
    ) -> None:
        """Choose the cutoff of a classifier from the rows kept; a regressor has none."""

    def _unscaled_layers(self, scale: float, shift: float) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """Return weights and biases for the original units: the first and last layer include the standardisation."""
        network = self._training.network
        layers = [(w.astype(np.float64), b.astype(np.float64)) for w, b in network.weights(DENSE)]
        weights, bias = layers[0]
        weights = weights / self._standardizer.scale[:, None]
        layers[0] = (weights, bias - self._standardizer.mean @ weights)
        weights, bias = layers[-1]
        layers[-1] = (weights * scale, bias * scale + shift)
        return [w for w, _ in layers], [b for _, b in layers]

    def _raw_outputs(self, X: Any) -> NDArray[Any]:
        check_is_fitted(self)
        rows = check_rows(self, X, reset=False, dtype=self._training.network.parameters.dtype)
        return self._training.network.forward(DENSE, self._standardizer(rows))[-1]

    def _warn_of_excess(self, X: NDArray[Any], y: NDArray[Any], kept: NDArray[np.bool_]) -> None:
        """Warn if far more rows are masked than the threshold masks of clean data."""
        errors = None
        if not self._classifier:
            errors = self._standardized_errors(self._training.network.forward(DENSE, X)[-1], y)
        self._training.plan.warn_of_excess(kept, errors)

    def _standardized_errors(self, outputs: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
        values = self._training.terms(outputs, y)[2]
        if self._training.plan.by_confidence:
            return margin_errors(values, outputs, y, self._label_scale)
        groups = y if self._classifier else np.zeros(y.size, dtype=np.intp)
        return self._training.plan.standardized_errors(values, groups, self._center_scale)


def _check_piece(estimator: ZErrorEstimator, table: Any, targets: Any) -> None:
    estimator._check(table, targets, None, reset=True)


def targets_like(y: Any, outputs: NDArray[Any]) -> NDArray[Any]:
    """Return the targets as a one-dimensional array, one for each row of the outputs."""
    targets = column_or_1d(y)
    if targets.size != outputs.shape[0]:
        raise ValueError(f"y has {targets.size} targets and X has {outputs.shape[0]} rows; the numbers must be equal.")
    return targets
