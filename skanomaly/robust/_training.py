"""Training in epochs of masked mini-batches, common to the Z-error estimators."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._networks._network import Network
from skanomaly._networks._training import batch_bounds
from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._callbacks import reported
from skanomaly._support._scales import SafeRange, root_mean_square, usable_scale, varies
from skanomaly._support._warnings import warn_user
from skanomaly.robust._contradictions import LEAST_MASKED, Contradictions
from skanomaly.robust._mask import MaskPlan, ZErrorMask
from skanomaly.robust._network import DENSE, classification_terms, regression_terms, take_step
from skanomaly.robust._reference import Forests, SuspectForests, is_better

__all__ = ["Standardizer", "Training", "median_and_mad"]

_PATIENCE = 10
_EPOCHS_OF_A_TAIL = 8


def median_and_mad(y: NDArray[np.float64], weights: NDArray[np.float64] | None) -> tuple[float, float]:
    """Return the median of the targets and 1.4826 times their MAD, or 1 if that is 0."""
    robust = True
    if weights is None:
        scratch = np.empty((2, y.size))
        center, scale = _kernels.center_scale.group_center_scale(y, y.size, robust, 0.0, 1.0, scratch)
    else:
        center, scale = _kernels.center_scale.weighted_center_scale(y, weights, robust)
    return float(center), usable_scale(float(scale), float(center)) if math.isfinite(scale) else 1.0


@dataclass
class Standardizer:
    """Means and standard deviations of columns without their extreme values; the scale of a constant column is 1."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    limits: SafeRange

    @classmethod
    def of(cls, X: NDArray[Any], weights: NDArray[np.float64] | None) -> "Standardizer":
        """Estimate from the columns of `X`; a weight counts as that many repetitions of the row."""
        limits = SafeRange(X, rescale="none")
        limited = limits.apply(X)
        mean = np.average(limited, axis=0, weights=weights).astype(np.float64)
        scale = root_mean_square(limited - mean, weights)
        extreme = limits.extreme(limited)
        for column in np.flatnonzero(extreme.any(axis=0) & ~extreme.all(axis=0)):
            rest = ~extreme[:, column] & (weights > 0 if weights is not None else True)
            counts = None if weights is None else weights[rest]
            mean[column] = np.average(limited[rest, column], weights=counts)
            scale[column] = root_mean_square(limited[rest, column, None] - mean[column], counts)[0]
            # As far as a value can be that has a part in the scale: a farther one would decide every step of training.
            reach = np.sqrt(len(X)) * scale[column]
            limits.low[column], limits.high[column] = mean[column] - reach, mean[column] + reach
        floor = 10 * np.finfo(X.dtype).eps * np.abs(mean)
        return cls(mean, np.where(varies(limited) & np.isfinite(scale) & (scale > floor), scale, 1.0), limits)

    def __call__(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return the standardised rows in the dtype of `X`."""
        centred = self.limits.apply(X) - self.mean.astype(X.dtype)
        centred /= self.scale.astype(X.dtype)
        return np.ascontiguousarray(centred)


@dataclass
class Training:
    """State of a training run, which can be continued after any epoch.

    Parameters
    ----------
    network : Network
    mask : ZErrorMask
    n_groups : int
        Number of classes, each of which has its own centre and scale; 1 in regression.
    classifier : bool
    penalty, rate : float
    random : numpy.random.Generator
    forests : Forests or SuspectForests, default=None
        Second opinion on labels, or on which errors are large; only during a fit.
    """

    network: Network
    mask: ZErrorMask
    n_groups: int
    classifier: bool
    penalty: float
    rate: float
    random: np.random.Generator
    n_epochs: int = 0
    losses: list[float] = field(default_factory=list)
    mask_rates: list[float] = field(default_factory=list)
    thresholds: list[float] = field(default_factory=list)
    forests: Forests | SuspectForests | None = None
    limits: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plan = MaskPlan.of(self.mask, classifier=self.classifier)
        self.pooled = np.zeros((self.n_groups if self.plan.per_class else 1, 3))

    def warn_if_too_small(self, n_batch: int, n_samples: int) -> None:
        """Warn if the rows of which the mask takes statistics are too few for any of them to be masked."""
        n_rows = n_samples if self.plan.by_confidence else n_batch
        smallest = self.plan.mask.smallest_batch()
        if n_rows < smallest:
            warn_user(
                f"Batches of {n_rows} rows are too small to mask anything with threshold={self.plan.threshold} and "
                f"center_scale={self.mask.center_scale!r}; at least {smallest} rows are needed. "
                "Training is unmasked. Raise batch_size or give more rows."
            )

    def terms(self, outputs: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return loss, gradient and statistic of each row."""
        compute = classification_terms if self.classifier else regression_terms
        return compute(outputs, y, self.plan.statistic)

    def epoch(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        *,
        batch_size: int,
        span: int,
        rate: float,
        masked: NDArray[np.int64],
        part: int = 0,
    ) -> bool:
        """Run one epoch.

        Parameters
        ----------
        X, y, weights : ndarray
            Standardised rows, targets (float64, or class index as intp), and weights or None.
        batch_size, span : int
            Number of rows in a batch; number of epochs of the schedule of the threshold.
        rate : float
            Learning rate of this epoch.
        masked : ndarray of shape (n_samples,)
            How often each row was dropped; updated in place.
        part : int, default=0
            Number of this part of the table.

        Returns
        -------
        bool
            Whether the epoch is after the warm-up, so that it counts as masked.
        """
        threshold = self.plan.threshold_at(self.n_epochs, span)
        past_warmup = self.n_epochs >= self.mask.warmup_epochs
        order = self.random.permutation(X.shape[0])
        n_contradicted = 0
        if self.plan.by_confidence and math.isfinite(threshold):
            keep = self.kept_labels(X, y, weights, threshold, self.pooled, part).keep
            masked[~keep] += 1
            n_contradicted = int(keep.size - keep.sum())
            order, threshold = order[keep[order]], math.inf
        elif math.isfinite(threshold):
            threshold = max(threshold, self.tail_limit(X, y, weights, part))
        bounds = batch_bounds(order.size, batch_size)
        linear = self.network.layers[DENSE].sizes[1:] == (1,)
        run = self._linear_epoch if linear else self._network_epoch
        loss, weight, n_masked = run(X, y, weights, order, bounds, threshold, rate, masked)
        self.n_epochs += 1
        self.losses.append(loss / weight if weight > 0 else 0.0)
        self.mask_rates.append((n_masked + n_contradicted) / X.shape[0])
        self.thresholds.append(self.plan.threshold_at(self.n_epochs - 1, span))
        return past_warmup

    def tail_limit(self, X: NDArray[Any], y: NDArray[Any], weights: NDArray[np.float64] | None, part: int) -> float:
        """Return the lowest threshold for the errors of a regressor if they have a long tail; anew every 8 epochs."""
        if self.classifier or not self.plan.adaptive:
            return 0.0
        if part not in self.limits or self.n_epochs % _EPOCHS_OF_A_TAIL == 0:
            with single_blas_thread():
                outputs = self.network.forward(DENSE, X)[-1]
            self.set_limit(X, y, weights, part, self.terms(outputs, y)[2])
        return self.limits[part]

    def set_limit(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        part: int,
        values: NDArray[np.float64],
    ) -> None:
        """Set the lowest threshold for the errors of a regressor from those of all rows of a part."""
        asked = None
        if isinstance(self.forests, SuspectForests):
            asked = partial(self.forests.predict, part, X, weights=weights)
        self.limits[part] = self.plan.tail_limit(values, weights, y, asked)

    def kept_labels(
        self,
        X: NDArray[Any],
        y: NDArray[np.intp],
        weights: NDArray[np.float64] | None,
        threshold: float,
        pooled: NDArray[np.float64],
        part: int,
    ) -> Contradictions:
        """Return which of these rows a classifier keeps; a forest that is better is asked before many are masked."""
        with single_blas_thread():
            outputs = self.network.forward(DENSE, X)[-1]
        before = pooled.copy()
        found = self.plan.keep_labels(outputs, y, weights, threshold, pooled, self.n_groups)
        if not isinstance(self.forests, Forests) or np.average(~found.keep, weights=weights) <= LEAST_MASKED:
            return found
        reference = self.forests.outputs(part, X, y, weights)
        if not is_better(reference, outputs, y, weights):
            return found
        pooled[:] = before
        both = self.plan.keep_labels(outputs, y, weights, threshold, pooled, self.n_groups, reference=reference)
        return found._replace(keep=both.keep)

    def _linear_epoch(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        order: NDArray[np.intp],
        bounds: NDArray[np.intp],
        threshold: float,
        rate: float,
        masked: NDArray[np.int64],
    ) -> tuple[float, float, int]:
        network, plan = self.network, self.plan
        loss, weight, n_masked = _kernels.masked_gradient.masked_adam_epoch(
            X,
            2.0 * y - 1.0 if self.classifier else y,
            weights,
            order,
            bounds,
            network.parameters,
            network.first,
            network.second,
            network.n_steps,
            rate,
            self.penalty,
            int(self.classifier),
            math.isfinite(threshold),
            plan.statistic,
            threshold,
            plan.side,
            plan.robust,
            plan.min_keep,
            plan.min_group,
            plan.decay,
            plan.per_class,
            self.pooled,
            masked,
        )
        network.n_steps += bounds.size - 1
        return loss, weight, n_masked

    def _network_epoch(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        order: NDArray[np.intp],
        bounds: NDArray[np.intp],
        threshold: float,
        rate: float,
        masked: NDArray[np.int64],
    ) -> tuple[float, float, int]:
        groups = y if self.classifier else np.empty(0, dtype=np.intp)
        loss_sum, weight_sum, n_masked = 0.0, 0.0, 0
        with single_blas_thread():
            for start, stop in pairwise(bounds):
                rows = order[start:stop]
                activations = self.network.forward(DENSE, X[rows])
                losses, slopes, values = self.terms(activations[-1], y[rows])
                batch_weights = None if weights is None else weights[rows]
                keep = self.plan.keep(
                    values, groups[rows] if groups.size else groups, batch_weights, threshold, self.pooled
                )
                counted = keep.astype(np.float64) if weights is None else weights[rows] * keep
                total = counted.sum()
                masked[rows[~keep]] += 1
                n_masked += int(rows.size - keep.sum())
                loss_sum += float(counted @ losses)
                weight_sum += float(total)
                if total > 0:
                    slopes *= (counted / total)[:, None]
                    take_step(self.network, activations, slopes, penalty=self.penalty, rate=rate)
        return loss_sum, weight_sum, n_masked

    def run(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        *,
        batch_size: int,
        max_iter: int,
        held_out: NDArray[np.bool_] | None,
        verbose: bool,
        name: str,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Train for `max_iter` epochs or until the held-out loss stops falling; return how often rows were dropped.

        The second array is the number of epochs with masking per row. The learning rate is constant for the first half
        of the epochs and decreases linearly to 0 in the second. Held-out rows are not used for training; the mask is
        applied to them after each epoch, so they have mask frequencies too.
        """
        train = np.arange(X.shape[0]) if held_out is None else np.flatnonzero(~held_out)
        rows, targets = (X, y) if held_out is None else (X[train], y[train])
        train_weights = weights if held_out is None or weights is None else weights[train]
        dropped, seen = np.zeros(train.size, dtype=np.int64), 0
        held_dropped = np.zeros(X.shape[0], dtype=np.int64)
        best, best_parameters, stalled = math.inf, self.network.parameters.copy(), 0
        bounds = batch_bounds(train.size, batch_size)
        self.warn_if_too_small(int(np.diff(bounds).max()), train.size)
        for index in reported(range(max_iter), "train", can_stop=True):
            rate = self.rate * min(1.0, 2.0 * (1.0 - index / max_iter))
            seen += self.epoch(
                rows, targets, train_weights, batch_size=batch_size, span=max_iter, rate=rate, masked=dropped
            )
            if held_out is not None:
                loss = self._held_out_loss(X, y, weights, held_out, held_dropped)
                stalled = 0 if loss < best else stalled + 1
                if loss < best:
                    best, best_parameters = loss, self.network.parameters.copy()
            if verbose:
                self._print_epoch(name)
            if stalled >= _PATIENCE:
                break
        counts, seen_counts = held_dropped, np.full(X.shape[0], seen, dtype=np.int64)
        counts[train] = dropped
        if held_out is not None:
            self.network.parameters[:] = best_parameters
        return counts, seen_counts

    def run_windows(
        self,
        windows: Callable[[], Iterator[tuple[NDArray[Any], NDArray[Any]]]],
        masked: NDArray[np.int64],
        *,
        batch_size: int,
        max_iter: int,
        verbose: bool,
        name: str,
    ) -> int:
        """Train for `max_iter` epochs on windows of rows that follow each other; return the epochs with masking.

        Parameters
        ----------
        windows : callable
            Returns an iterator of standardised rows and encoded targets.
        masked : ndarray of shape (n_samples,)
            How often each row was dropped; updated in place.
        batch_size, max_iter : int
        verbose : bool
        name : str

        Returns
        -------
        int
        """
        n_masked = 0
        for index in reported(range(max_iter), "train"):
            rate = self.rate * min(1.0, 2.0 * (1.0 - index / max_iter))
            start, parts = 0, list[tuple[int, float, float, float]]()
            for rows, targets in windows():
                if index == start == 0:
                    self.warn_if_too_small(int(np.diff(batch_bounds(len(rows), batch_size)).max()), len(rows))
                past_warmup = self.epoch(
                    rows,
                    targets,
                    None,
                    batch_size=batch_size,
                    span=max_iter,
                    rate=rate,
                    masked=masked[start : start + len(rows)],
                    part=len(parts),
                )
                parts.append((len(rows), self.losses.pop(), self.mask_rates.pop(), self.thresholds.pop()))
                self.n_epochs -= 1  # all windows are one epoch
                start += len(rows)
            self.n_epochs += 1
            n_masked += past_warmup
            sizes, losses, rates, thresholds = zip(*parts, strict=True)
            self.losses.append(losses[0] if len(parts) == 1 else float(np.average(losses, weights=sizes)))
            self.mask_rates.append(rates[0] if len(parts) == 1 else float(np.average(rates, weights=sizes)))
            self.thresholds.append(thresholds[0])
            if verbose:
                self._print_epoch(name)
        return n_masked

    def _print_epoch(self, name: str) -> None:
        print(  # noqa: T201  # verbose
            f"{name}: epoch {self.n_epochs}, loss {self.losses[-1]:.6f}, masked {self.mask_rates[-1]:.2%}"
        )

    def _held_out_loss(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        held_out: NDArray[np.bool_],
        dropped: NDArray[np.int64],
    ) -> float:
        """Return the mean loss of the held-out rows that the mask keeps at the threshold of the last epoch."""
        rows = np.flatnonzero(held_out)
        outputs = self.network.forward(DENSE, X[rows])[-1]
        losses, _, values = self.terms(outputs, y[rows])
        held_weights = None if weights is None else weights[rows]
        groups = y[rows] if self.classifier else np.empty(0, dtype=np.intp)
        pooled, threshold = np.zeros_like(self.pooled), self.thresholds[-1]
        if self.plan.by_confidence:
            keep = self.plan.keep_labels(outputs, y[rows], held_weights, threshold, pooled, self.n_groups).keep
        else:
            keep = self.plan.keep(values, groups, held_weights, threshold, pooled)
        dropped[rows[~keep]] += 1
        counted = keep if held_weights is None else keep * held_weights
        total = float(counted.sum())
        return float(counted @ losses) / total if total > 0 else math.inf
