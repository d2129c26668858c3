"""The mask of Z-Error Loss: a parameter object that the estimators share."""

import inspect
import math
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from skanomaly import _kernels
from skanomaly._support._scales import ROUNDING
from skanomaly._support._sklearn import Interval, StrOptions, validate_parameter_constraints
from skanomaly._support._warnings import warn_user
from skanomaly.robust._contradictions import Contradictions, contradictions, predictions, quantiles
from skanomaly.robust._reference import combined_outputs, is_better
from skanomaly.robust._tails import has_group, is_mostly_one_value, target_step

__all__ = ["MOST_IN_TAIL", "MaskPlan", "MaskingParameter", "ZErrorMask"]

_STATISTICS = {"error": 0, "loss": 1, "margin": 2}
_SMALLEST_ROBUST_GROUP = 6
# What is masked of clean data is far below: 2.3 % of margins and 0.3 % of errors that are normal.
_MOST_LABELS = 0.25
_MOST_NEAR_ERRORS = 0.025
# At most this fraction of clean targets is masked. The scale of their errors is at least half of a step of the targets.
MOST_IN_TAIL = 0.02
_FEWEST_IN_TAIL = 3
_SCALE_IN_STEPS = 0.5
# A reference with less than this fraction of the errors of the classifier decides whether the classes overlap.
_FAR_BETTER = 0.5
_FEWEST_NEAR_ERRORS = 10


class ZErrorMask:
    """Mask that drops the rows of a mini-batch whose standardised error exceeds a threshold.

    It is a parameter object, like the kernels of scikit-learn's Gaussian processes: it is cloned with the estimator,
    and its parameters can be set by nested names such as ``masking__threshold`` in ``set_params`` and
    ``GridSearchCV``. It is not fitted itself.

    Parameters
    ----------
    threshold : float or "auto", default="auto"
        Largest standardised error of a row that is kept. ``"auto"`` is 3 for regression; if more than 2 % of the errors
        are beyond it and they are no group of their own, it is larger, so that 2 % are dropped. For classification it
        is 2: a row is dropped if its label contradicts a prediction that is as sure as correct ones (the median). If
        there are many such rows, less sure ones are dropped as well; if most contradictions are unsure, the classes
        overlap, and at most 1.5 % of the rows are dropped. ``float("inf")`` drops no row, which is plain training.
    threshold_start : float, default=None
        Threshold of the first masked epoch; it changes to `threshold` by `schedule`. None uses `threshold` in all
        epochs.
    schedule : {"linear", "cosine", "exponential"}, default="linear"
        How the threshold changes from `threshold_start` to `threshold` over the epochs.
    warmup_epochs : int, default=1
        Number of epochs without a mask, since the errors of an untrained model are not informative.
    statistic : {"auto", "error", "loss", "margin"}, default="auto"
        The quantity that is standardised. Regression: ``"error"``, target minus prediction, or ``"loss"``.
        Classification: ``"margin"``, the output of the row's own class minus the largest other output, or ``"loss"``,
        the cross-entropy. ``"auto"`` is the error or the margin. The unit of a margin is the median margin of the rows
        that are rightly predicted as the same class (see Notes).
    side : {"auto", "both", "upper", "lower", "wrong"}, default="auto"
        Which side is masked: ``"upper"`` drops values far above the centre, ``"lower"`` far below it, ``"both"``
        either. ``"wrong"`` drops small margins, large losses, and errors of either sign. ``"auto"`` is ``"wrong"``.
    center_scale : {"median_mad", "mean_std"}, default="median_mad"
        Centre and scale of a batch. ``"mean_std"`` is that of the paper: it masks nothing if the fraction of equal
        outliers is ``1 / (1 + threshold**2)`` or more (10 % at a threshold of 3). The median and the MAD break down at
        half of the batch.
    min_keep : float, default=0.5
        Smallest fraction of a batch that is kept; if necessary, the threshold of that batch is raised.
    per_class : bool, default=True
        Whether a classifier computes centre and scale per class.
    decay : float, default=0.0
        Factor of the exponential average of centre and scale over batches, in [0, 1). 0 uses each batch alone. 0.9
        suits batches below 64 rows, small classes and small chunks of ``partial_fit``.

    See Also
    --------
    ZErrorRegressor : Linear model or neural network that is trained with this mask.
    MaskedEstimator : Trains any other estimator with this mask.

    Notes
    -----
    The mask is that of Z-Error Loss [1]_. Median and MAD, one-sided masks, `min_keep` and `decay` are our additions.
    The margin replaces the raw output of the paper, which is not identified with more than two classes.

    The margins of many classifiers are saturated or skewed, so that their MAD is small and every row near the boundary
    is far from the centre. With ``statistic="margin"``, ``side="wrong"`` and ``center_scale="median_mad"``, the
    defaults for classification, the standardised error of a row is therefore ``1 - margin / unit``. The unit is the
    median, among the rows that are rightly predicted as the same class, of the output of that class minus those of the
    others: 1 is the boundary, and at 2 the label is contradicted as surely as a wrong label of a typical row would be.
    Only rows on the wrong side of the boundary are masked, and no row of a class that the classifier does not
    recognise. Wrong labels contradict sure and unsure predictions alike, whereas a classifier errs mostly where it is
    unsure. The number of rows beyond the cut therefore tells how many rows below it have wrong labels;
    ``threshold="auto"`` lowers the cut, and the unit with it, as long as that is at least half of the contradictions.
    Where classes overlap, a classifier errs surely, too. Let S be the fraction of the rows that are contradicted, and T
    the fraction of these beyond the unit divided by that of the correct predictions, about 1 for wrong labels. Where
    T is below ``min(2.5 S, 0.625 (2 / K) ** 0.25)`` for K classes, ``threshold="auto"`` does not lower the cut and
    masks the surest 1.5 % at most.
    The statistics are those of all rows given to ``fit`` or ``partial_fit``, since batches are too small for them.

    If more than 2 % of the errors of a regressor, and 3 or more, are beyond the threshold, ``threshold="auto"`` masks
    them only if they are a group of their own. The density of the logarithm of errors is log-concave for normal,
    exponential, log-normal, Student, Pareto and most other distributions; a group makes a valley or a shoulder. With
    numbers of rows in parts whose ends are in the ratio of the square root of 2, it is a group if the logarithm of a
    number is below the line through those of two others, the larger of which is beyond the threshold, by 0.2 and 1.5
    standard errors more. A group is masked. Otherwise, or if the columns predict which errors are large (area under the
    curve of a random forest above 0.75, on rows that its trees did not see), only the largest 2 % are masked. Targets
    that are counts or rounded have a scale of at least half of a step; if most are one value, the others are no group.

    With mean and standard deviation the largest z-score in a batch of B rows is ``(B - 1) / sqrt(B)``: a threshold of
    2 needs 6 rows, 3 needs 11, 4 needs 18. With median and MAD, no row of a group of fewer than 6 rows is dropped.

    References
    ----------
    .. [1] Godin, G. (2025). Z-Error Loss for Training Neural Networks. arXiv:2506.02154.

    Examples
    --------
    >>> from skanomaly.robust import ZErrorMask, ZErrorRegressor
    >>> ZErrorRegressor(masking=ZErrorMask(threshold=2.5)).get_params()[
    ...     "masking__threshold"
    ... ]
    2.5
    >>> ZErrorMask(threshold=2.0, center_scale="mean_std").smallest_batch()
    6
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "threshold": [StrOptions({"auto"}), Interval(Real, 0, None, closed="right")],
        "threshold_start": [None, Interval(Real, 0, None, closed="neither")],
        "schedule": [StrOptions({"linear", "cosine", "exponential"})],
        "warmup_epochs": [Interval(Integral, 0, None, closed="left")],
        "statistic": [StrOptions({"auto", *_STATISTICS})],
        "side": [StrOptions({"auto", "both", "upper", "lower", "wrong"})],
        "center_scale": [StrOptions({"median_mad", "mean_std"})],
        "min_keep": [Interval(Real, 0, 1, closed="right")],
        "per_class": ["boolean"],
        "decay": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        threshold: float | str = "auto",
        threshold_start: float | None = None,
        schedule: str = "linear",
        warmup_epochs: int = 1,
        statistic: str = "auto",
        side: str = "auto",
        center_scale: str = "median_mad",
        min_keep: float = 0.5,
        per_class: bool = True,
        decay: float = 0.0,
    ) -> None:
        self.threshold = threshold
        self.threshold_start = threshold_start
        self.schedule = schedule
        self.warmup_epochs = warmup_epochs
        self.statistic = statistic
        self.side = side
        self.center_scale = center_scale
        self.min_keep = min_keep
        self.per_class = per_class
        self.decay = decay

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Ignored: no parameter has parameters of its own.

        Returns
        -------
        dict
        """
        return {name: getattr(self, name) for name in self._parameter_constraints}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a name is not a parameter.
        """
        for name, value in params.items():
            if name not in self._parameter_constraints:
                known = ", ".join(self._parameter_constraints)
                raise ValueError(f"{name!r} is not a parameter of ZErrorMask; its parameters are {known}.")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name].default]
        return f"ZErrorMask({', '.join(changed)})"

    def smallest_batch(self) -> int:
        """Return the smallest number of rows of a batch, or of a class within it, of which a row can be masked.

        Returns
        -------
        int
            For the final `threshold` (``"auto"`` counts as 3); 0 if it is infinite.
        """
        threshold = 3.0 if isinstance(self.threshold, str) else self.threshold
        if math.isinf(threshold):
            return 0
        if self.center_scale == "median_mad":
            return _SMALLEST_ROBUST_GROUP
        # The largest z-score in a batch of B rows must exceed the threshold.
        root = 0.5 * (threshold + math.sqrt(threshold**2 + 4.0))
        return int(root**2) + 1


class MaskPlan(NamedTuple):
    """Validated parameters of a mask for one task: the arguments of the kernels, and the threshold of each epoch."""

    mask: ZErrorMask
    threshold: float
    statistic: int
    side: int
    robust: bool
    min_keep: float
    min_group: int
    decay: float
    per_class: bool
    by_confidence: bool = False
    adaptive: bool = False

    @classmethod
    def of(cls, mask: ZErrorMask, *, classifier: bool) -> Self:
        """Validate the parameters of `mask` and replace "auto".

        Parameters
        ----------
        mask : ZErrorMask
        classifier : bool

        Returns
        -------
        MaskPlan

        Raises
        ------
        ValueError
            If a parameter is out of range or the statistic is not defined for the task.
        """
        validate_parameter_constraints(mask._parameter_constraints, mask.get_params(), caller_name="ZErrorMask")
        own = "margin" if classifier else "error"
        statistic = own if mask.statistic == "auto" else mask.statistic
        if statistic not in {own, "loss"}:
            task = "classification" if classifier else "regression"
            raise ValueError(f"statistic={statistic!r} is not defined for {task}; use {own!r} or 'loss'.")
        wrong = {"error": 0, "margin": -1, "loss": 1}[statistic]
        sides = {"both": 0, "upper": 1, "lower": -1, "wrong": wrong, "auto": wrong}
        threshold = mask.threshold
        if isinstance(threshold, str):
            threshold = 2.0 if classifier else 3.0
        robust = mask.center_scale == "median_mad"
        return cls(
            mask=ZErrorMask(**{**mask.get_params(), "threshold": threshold}),
            threshold=float(threshold),
            statistic=_STATISTICS[statistic],
            side=sides[mask.side],
            robust=robust,
            min_keep=float(mask.min_keep),
            min_group=_SMALLEST_ROBUST_GROUP if robust else 2,
            decay=float(mask.decay),
            per_class=bool(classifier and mask.per_class),
            by_confidence=robust and statistic == "margin" and sides[mask.side] == wrong,
            adaptive=isinstance(mask.threshold, str),
        )

    def threshold_at(self, epoch: int, n_epochs: int) -> float:
        """Return the threshold of an epoch: infinite during the warm-up, then by the schedule over `n_epochs`."""
        mask, end, start = self.mask, self.threshold, self.mask.threshold_start
        if epoch < mask.warmup_epochs:
            return math.inf
        if start is None or math.isinf(end):
            return end
        progress = min(1.0, (epoch - mask.warmup_epochs) / max(n_epochs - 1 - mask.warmup_epochs, 1))
        if mask.schedule == "exponential":
            return float(start * (end / start) ** progress)
        remaining = 1.0 - progress if mask.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * progress))
        return float(end + (start - end) * remaining)

    def keep(
        self,
        values: NDArray[np.float64],
        groups: NDArray[np.intp],
        weights: NDArray[np.float64] | None,
        threshold: float,
        pooled: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        """Return which rows of a batch are kept, by the kernel ``kept_rows``."""
        keep = np.ones(values.size, dtype=np.bool_)
        if math.isinf(threshold):
            return keep
        _kernels.masked_gradient.kept_rows(
            np.ascontiguousarray(values, dtype=np.float64),
            groups if self.per_class else np.empty(0, dtype=np.intp),
            weights,
            threshold,
            self.side,
            self.robust,
            self.min_keep,
            self.min_group,
            self.decay,
            pooled,
            np.empty((4, values.size)),
            keep,
        )
        return keep

    def keep_labels(
        self,
        outputs: NDArray[Any],
        labels: NDArray[np.intp],
        weights: NDArray[np.float64] | None,
        threshold: float,
        pooled: NDArray[np.float64],
        n_classes: int,
        earlier: NDArray[np.bool_] | None = None,
        retained: float = 0.5,
        overlapping: bool = False,
        reference: NDArray[np.float64] | None = None,
    ) -> Contradictions:
        """Return which rows are kept, and the scale of each class, where ``by_confidence`` is set.

        `overlapping` is used where rows were masked `earlier`. With the outputs of a `reference`, a row is masked by
        those of both, and kept if the reference predicts its label.
        """
        find = partial(
            contradictions,
            labels=labels,
            weights=weights,
            n_classes=n_classes,
            threshold=threshold,
            adaptive=self.adaptive,
            per_class=self.per_class,
            min_keep=self.min_keep,
            min_group=self.min_group,
            decay=self.decay,
        )
        known = overlapping if earlier is not None and earlier.any() else None
        if reference is None:
            return find(outputs, pooled=pooled, earlier=earlier, retained=retained, overlapping=known)
        if known is None and is_better(reference, outputs, labels, weights, _FAR_BETTER):
            known = find(reference, pooled=np.zeros_like(pooled)).overlapping or None
        combined = combined_outputs(outputs, reference, labels, weights)
        found = find(combined, pooled=pooled, earlier=earlier, retained=retained, overlapping=known)
        return found._replace(keep=found.keep | (predictions(reference) == labels))

    def tail_limit(
        self,
        values: NDArray[np.float64],
        weights: NDArray[np.float64] | None,
        targets: NDArray[np.float64] | None = None,
        asked: Callable[[NDArray[np.bool_]], bool] | None = None,
        is_tail: bool | None = None,
    ) -> float:
        """Return the lowest threshold for the errors of a regressor with clean targets; 0 if there is none.

        Errors of correct targets become rarer the larger they are, also where their distribution is skewed or has heavy
        tails, or they are large where the regressor does not suit the data. ``threshold="auto"`` then masks at most 2 %
        of the rows. Wrong targets are a group of their own, anywhere.

        Parameters
        ----------
        values : ndarray of shape (n_samples,)
            Errors of all rows.
        weights : ndarray of shape (n_samples,) or None
        targets : ndarray of shape (n_samples,), default=None
            Counts and rounded targets have errors in steps, which are at least a scale wide.
        asked : callable, default=None
            Says of a mask of rows whether their columns predict it.
        is_tail : bool, default=None
            Whether errors beyond the threshold are the tail of the others; None decides by these errors.

        Returns
        -------
        float
        """
        if not self._limits_tails():
            return 0.0
        groups, counts = np.zeros(values.size, dtype=np.intp), np.ones(values.size) if weights is None else weights
        center_scale = self.center_scale(values, groups, weights, 1)
        scale = float(center_scale[0, 1])
        if scale <= ROUNDING * abs(center_scale[0, 0]):
            return 0.0
        step = 0.0 if targets is None else target_step(targets, weights)
        if targets is not None and step == 0.0 and is_mostly_one_value(targets, counts):
            is_tail = True
        wider = max(1.0, _SCALE_IN_STEPS * step / scale)
        errors = self.standardized_errors(values, groups, center_scale) / wider
        limit = self.limit_of_long_tail(errors, counts, step / (scale * wider), asked, is_tail)
        return wider * max(limit, self.threshold) if limit > 0 or wider > 1.0 else 0.0

    def _limits_tails(self) -> bool:
        return self.adaptive and self.robust and self.statistic == _STATISTICS["error"]

    def limit_of_long_tail(
        self,
        errors: NDArray[np.float64],
        counts: NDArray[np.float64],
        step: float = 0.0,
        asked: Callable[[NDArray[np.bool_]], bool] | None = None,
        is_tail: bool | None = None,
    ) -> float:
        """Return :meth:`tail_limit` for standardised errors of which each counts `counts` times."""
        suspects = errors > self.threshold
        beyond, total = counts[suspects].sum(), counts.sum()
        if not self._limits_tails() or beyond <= max(MOST_IN_TAIL * total, _FEWEST_IN_TAIL - 1):
            return 0.0
        if is_tail is None:
            is_tail = not has_group(errors, counts, self.threshold, step) or (asked is not None and asked(suspects))
        if not is_tail:
            return 0.0
        return float(quantiles(errors, counts, [1.0 - MOST_IN_TAIL])[0]) * (1.0 + ROUNDING)

    def warn_of_excess(self, keep: NDArray[np.bool_], errors: NDArray[np.float64] | None) -> None:
        """Warn if far more rows are masked than the threshold masks of clean data, without being clearly wrong.

        Parameters
        ----------
        keep : ndarray of shape (n_samples,), bool
        errors : ndarray of shape (n_samples,) or None
            Standardised errors of a regressor; None for a classifier.
        """
        masked = float(1.0 - keep.mean()) if keep.size else 0.0
        if errors is None:
            if self.by_confidence and masked > _MOST_LABELS:
                warn_user(
                    f"{masked:.0%} of the rows are masked: that many labels contradict the predictions. If they are "
                    "correct, the classifier does not suit the data; compare with masking__threshold=float('inf')."
                )
            return
        if self.statistic != _STATISTICS["error"] or not self.robust or (self.adaptive and masked < _MOST_NEAR_ERRORS):
            return
        near = (errors > self.threshold) & (errors <= 1.5 * self.threshold)
        sides = 2.0 if self.side == 0 else 1.0
        normal = sides * float(norm.sf(self.threshold) - norm.sf(1.5 * self.threshold))
        many = near.sum() >= _FEWEST_NEAR_ERRORS and near.mean() > max(_MOST_NEAR_ERRORS, 3.0 * normal)
        if many and near.mean() > 0.3 * masked:  # wrong targets lie farther away, or far more rows do
            warn_user(
                f"{masked:.1%} of the rows are masked, and {near.mean():.1%} lie just beyond "
                f"threshold={self.threshold:g}: the errors have heavier tails than the normal distribution, so that "
                "clean rows are masked too. Raise masking__threshold, or transform the target."
            )

    def center_scale(
        self, values: NDArray[np.float64], groups: NDArray[np.intp], weights: NDArray[np.float64] | None, n_groups: int
    ) -> NDArray[np.float64]:
        """Return centre and scale of each group, of shape (n_groups, 2); both are 0 for an empty group."""
        result = np.zeros((n_groups, 2))
        for group in range(n_groups):
            members = values[groups == group] if self.per_class else values
            if members.size == 0:
                continue
            if weights is not None:
                counted = weights[groups == group] if self.per_class else weights
                result[group] = _kernels.center_scale.weighted_center_scale(members, counted, self.robust)
            else:
                result[group] = _kernels.center_scale.group_center_scale(
                    members, members.size, self.robust, 0.0, 1.0, np.empty((2, members.size))
                )
        return result

    def standardized_errors(
        self, values: NDArray[np.float64], groups: NDArray[np.intp], center_scale: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Standardise values by centre and scale of their group; rows above the threshold are masked."""
        index = groups if self.per_class else np.zeros(values.size, dtype=np.intp)
        scale = center_scale[index, 1]
        usable = scale > ROUNDING * np.abs(center_scale[index, 0])
        scores = np.where(usable, (values - center_scale[index, 0]) / np.where(usable, scale, 1.0), 0.0)
        return np.abs(scores) if self.side == 0 else self.side * scores


class MaskingParameter:
    """Mixin that creates a default mask when a nested parameter is set and `masking` is None."""

    masking: ZErrorMask | None

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this estimator and, by names such as ``masking__threshold``, of its mask.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self
        """
        if "masking" not in params and self.masking is None and any(name.startswith("masking__") for name in params):
            self.masking = ZErrorMask()
        super().set_params(**params)  # type: ignore[misc]
        return self
