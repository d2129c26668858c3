"""What counts as an odd error, as one object of parameters that estimators share."""

import inspect
import math
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._sklearn import Interval, StrOptions, validate_parameter_constraints

__all__ = ["MaskPlan", "MaskingParameter", "ZErrorMask"]

_STATISTICS = {"error": 0, "loss": 1, "margin": 2}
_SMALLEST_ROBUST_GROUP = 6


class ZErrorMask:
    """Which rows of a mini-batch are dropped: those whose standardised error exceeds a threshold.

    It holds parameters, as scikit-learn's Gaussian process kernels do: it is cloned, and nested names such as
    ``masking__threshold`` reach it in ``set_params`` and ``GridSearchCV``. It learns nothing.

    Parameters
    ----------
    threshold : float or "auto", default="auto"
        Rows beyond so many scales from the centre are dropped. ``"auto"`` is 3 for regression and 2 for classification,
        where only the wrong side is cut. ``float("inf")`` drops none: plain training.
    threshold_start : float, default=None
        Threshold of the first masked epoch, from which `schedule` leads to `threshold`. None: `threshold` throughout.
    schedule : {"linear", "cosine", "exponential"}, default="linear"
        The way from `threshold_start` to `threshold` over the epochs.
    warmup_epochs : int, default=1
        Epochs without masking: errors of an untrained model mean nothing.
    statistic : {"auto", "error", "loss", "margin"}, default="auto"
        What is standardised. Regression: ``"error"``, target minus prediction, or ``"loss"``. Classification:
        ``"margin"``, the output of the row's own class minus the largest other output, or ``"loss"``, the
        cross-entropy. ``"auto"`` is the error and the margin.
    side : {"auto", "both", "upper", "lower", "wrong"}, default="auto"
        Which deviations are odd: ``"upper"`` above the centre, ``"lower"`` below it, ``"wrong"`` on the side where the
        model is contradicted (small margins, large losses, errors of either sign). ``"auto"`` is ``"wrong"``.
    center_scale : {"median_mad", "mean_std"}, default="median_mad"
        Centre and scale of a batch. ``"mean_std"`` is the original; it masks nothing once a share of
        ``1 / (1 + threshold**2)`` of equal outliers is reached (10 % at 3), where the median and MAD hold to half.
    min_keep : float, default=0.5
        Share of a batch that is kept at the least; the threshold of that batch is raised if need be.
    per_class : bool, default=True
        Whether a classifier takes centre and scale per class within the batch.
    decay : float, default=0.0
        Pools batches: centre and scale are exponential averages with this factor, in [0, 1). 0 uses each batch alone;
        0.9 suits batches below 64 rows, small classes and small chunks of ``partial_fit``.

    See Also
    --------
    ZErrorRegressor : Linear model or neural network that is trained with a mask.
    MaskedEstimator : The same mask around any other estimator.

    Notes
    -----
    Z-Error Loss [1]_. We add the median and MAD, one-sided masks, the floor `min_keep` and pooled statistics, and take
    the margin in place of the raw output, which is not identified where there are more than two classes.

    With mean and standard deviation the largest z-score in a batch of B rows is ``(B - 1) / sqrt(B)``: a threshold of
    2 needs 6 rows, 3 needs 11, 4 needs 18. With the median, groups of fewer than 6 rows are kept whole.

    References
    ----------
    .. [1] Godin, G. (2025). Z-Error Loss for Training Neural Networks. arXiv:2506.02154.

    Examples
    --------
    >>> from skanomaly.robust import ZErrorMask, ZErrorRegressor
    >>> ZErrorRegressor(masking=ZErrorMask(threshold=2.5)).get_params()["masking__threshold"]
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

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # scikit-learn's signature
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Without effect: no parameter has parameters.

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
            On a name that is no parameter.
        """
        for name, value in params.items():
            if name not in self._parameter_constraints:
                known = ", ".join(self._parameter_constraints)
                raise ValueError(f"{name!r} is no parameter of ZErrorMask; its parameters are {known}.")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        changed = [f"{name}={value!r}" for name, value in self.get_params().items() if value != defaults[name].default]
        return f"ZErrorMask({', '.join(changed)})"

    def smallest_batch(self) -> int:
        """Return the number of rows below which a batch, or a class in it, can have no row masked.

        Returns
        -------
        int
            For the final `threshold` (``"auto"`` is taken as 3); 0 where that is infinite.
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
    """A mask, checked and resolved for a task: what the kernels take, and the threshold of each epoch."""

    mask: ZErrorMask
    threshold: float
    statistic: int
    side: int
    robust: bool
    min_keep: float
    min_group: int
    decay: float
    per_class: bool

    @classmethod
    def of(cls, mask: ZErrorMask, *, classifier: bool) -> Self:
        """Check the parameters of `mask` and resolve its "auto".

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
            If a parameter is out of range or the statistic belongs to the other task.
        """
        validate_parameter_constraints(
            mask._parameter_constraints, mask.get_params(), caller_name="ZErrorMask"
        )  # same module
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
        return cls(
            mask=ZErrorMask(**{**mask.get_params(), "threshold": threshold}),
            threshold=float(threshold),
            statistic=_STATISTICS[statistic],
            side=sides[mask.side],
            robust=mask.center_scale == "median_mad",
            min_keep=float(mask.min_keep),
            min_group=_SMALLEST_ROBUST_GROUP if mask.center_scale == "median_mad" else 2,
            decay=float(mask.decay),
            per_class=bool(classifier and mask.per_class),
        )

    def threshold_at(self, epoch: int, n_epochs: int) -> float:
        """Return the threshold of an epoch: infinite in the warm-up, then by the schedule, which spans `n_epochs`."""
        mask, end, start = self.mask, self.threshold, self.mask.threshold_start
        if epoch < mask.warmup_epochs:
            return math.inf
        if start is None or math.isinf(end):
            return end
        progress = min(1.0, (epoch - mask.warmup_epochs) / max(n_epochs - 1 - mask.warmup_epochs, 1))
        if mask.schedule == "exponential":
            return float(start * (end / start) ** progress)
        share = 1.0 - progress if mask.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * progress))
        return float(end + (start - end) * share)

    def keep(
        self,
        values: NDArray[np.float64],
        groups: NDArray[np.intp],
        weights: NDArray[np.float64] | None,
        threshold: float,
        pooled: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        """Return which rows of a batch are kept; see the kernel ``kept_rows``."""
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

    def center_scale(
        self, values: NDArray[np.float64], groups: NDArray[np.intp], weights: NDArray[np.float64] | None, n_groups: int
    ) -> NDArray[np.float64]:
        """Return centre and scale per group over many rows, of shape (n_groups, 2); 0 and 0 for an empty group."""
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

    def oddness(
        self, values: NDArray[np.float64], groups: NDArray[np.intp], center_scale: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Standardise values against their groups; large is odd on the side that is masked."""
        index = groups if self.per_class else np.zeros(values.size, dtype=np.intp)
        scale = center_scale[index, 1]
        usable = scale > 0
        scores = np.where(usable, (values - center_scale[index, 0]) / np.where(usable, scale, 1.0), 0.0)
        return np.abs(scores) if self.side == 0 else self.side * scores


class MaskingParameter:
    """Lets nested names reach a `masking` that was left at None."""

    masking: ZErrorMask | None

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this estimator and, as ``masking__<name>``, of its mask.

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
