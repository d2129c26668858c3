"""A detector of rows whose columns are first aligned to those of the training data."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._labels import native_labels
from skanomaly._support._responses import require_scores
from skanomaly._support._restore import restore_on_error
from skanomaly._support._scales import usable_scale
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._validation import check_rows, validate_data
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseDetector
from skanomaly.detectors._density._gaussian import GaussianDetector

__all__ = ["ShiftAlignedDetector"]

_GATE_ROWS = 5000
_NORMAL_MAD = 1.482602218505602
_FARTHEST_RATIO = 1e6


@dataclass(frozen=True)
class _Rows:
    """A table without its column of domains, and that column."""

    table: NDArray[Any]
    domains: NDArray[Any]

    def __len__(self) -> int:
        return len(self.table)

    def parts(self) -> list[tuple[Any, NDArray[np.intp]]]:
        """Return each domain and its rows."""
        codes, values = pd.factorize(self.domains)
        return [(value, np.flatnonzero(codes == code)) for code, value in enumerate(values.tolist())]


class ShiftAlignedDetector(BaseDetector):
    r"""Detector for rows of a shifted domain: columns are brought to the level and spread of the training data.

    Another device, site or season shifts and stretches columns, and a detector then scores all of its rows as
    anomalous. :meth:`adapt` estimates level and spread of each column from unlabelled rows of the new domain. Rows of
    that domain are aligned before the detector scores them, so that anomalies which break the dependence between
    columns remain visible.

    Parameters
    ----------
    detector : estimator or None, default=None
        Estimator with ``fit`` and ``score_samples`` (lower scores are more anomalous); None is
        :class:`GaussianDetector`.
    domain : int, str or None, default=None
        Column with the domain of each row, such as the device or site, by position or, in a frame, by name; it may be
        text. Each domain is aligned alone. None takes all rows as one domain.
    alignment : {"batch", "running"}, default="batch"
        What a further call of :meth:`adapt` does with the statistics of a domain: "batch" replaces them by those of the
        new rows, "running" moves them by a fraction `momentum` towards them.
    statistics : {"robust", "moment"}, default="robust"
        "robust" aligns medians and median absolute deviations, which up to half of the rows being anomalies cannot
        destroy. "moment" aligns means and standard deviations.
    mix : float in [0, 1], default=1.0
        Weight of the aligned row; the rest is the row as it is. Below 1, anomalies that are a shift themselves remain
        partly visible.
    momentum : float in (0, 1], default=0.3
        Weight of the new rows with "running".
    gate : test or None, default=None
        A test of two samples, such as ``skanomaly.audit.ColumnDriftTest()``. A domain is aligned only where
        ``gate.fit_samples(training_rows, rows).pvalue_`` is at most `alpha`. None always aligns.
    alpha : float in (0, 1), default=0.05
        Level of the gate.
    min_samples : int, default=50
        Fewest rows of a domain that statistics are estimated from.
    contamination : float in (0, 0.5], default=0.1
        Fraction of the training rows that are labelled anomalies.

    Attributes
    ----------
    detector_ : estimator
        Fitted detector.
    reference_center_, reference_scale_ : ndarray of shape (n_columns,)
        Level and spread of the columns of the training data.
    centers_, scales_ : dict
        Map each known domain to the level and the spread of its columns. Without a column of domains the key is 0.
    shift_magnitude_ : dict
        Maps each domain of the last :meth:`adapt` to the root mean square, over the columns, of the shift of the level
        in units of the reference spread.
    gate_pvalues_ : dict
        Maps each domain of the last :meth:`adapt` to the p-value of `gate`; empty without a gate.
    aligned_ : dict
        Maps each known domain to whether its rows are aligned.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns, including that of the domains.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    skanomaly.sequence.GroupedDetector : One detector per group, where each has enough training rows.
    skanomaly.metrics.domain_roc_auc_score : Scores detectors over domains.

    Notes
    -----
    With level :math:`c` and spread :math:`s` of the domain and :math:`C`, :math:`S` of the training data, a row is
    replaced by

    .. math:: x' = \text{mix} \left( C + S\, \frac{x - c}{s} \right) + (1 - \text{mix})\, x.

    Training rows of a domain with at least `min_samples` rows are aligned too, so the detector learns what domains have
    in common. Columns without spread are only shifted. Rows of domains that :meth:`adapt` and `fit` have not seen are
    scored as they are, with a warning.

    In [1]_ feature maps of a network are aligned to a training image when each test image is scored. Here columns take
    the place of feature maps, and estimation and scoring are two steps, so that a score does not depend on the other
    rows of its batch. To align each batch by itself, call ``detector.adapt(batch).score_samples(batch)``.

    References
    ----------
    .. [1] Cao, T., Zhu, J., Pang, G. (2023). Anomaly detection under distribution shift. International Conference on
       Computer Vision. arXiv:2303.13845.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import ShiftAlignedDetector
    >>> random = np.random.RandomState(0)
    >>> X = random.normal(size=(500, 1)) + 0.1 * random.normal(size=(500, 3))
    >>> model = ShiftAlignedDetector(contamination=0.01).fit(X)
    >>> other_site = 5 + 2 * X
    >>> bool((model.predict(other_site) == -1).mean() > 0.9)
    True
    >>> bool((model.adapt(other_site).predict(other_site) == -1).mean() < 0.02)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "detector": [HasMethods(["fit"]), None],
        "domain": [Interval(Integral, 0, None, closed="left"), str, None],
        "alignment": [StrOptions({"batch", "running"})],
        "statistics": [StrOptions({"robust", "moment"})],
        "mix": [Interval(Real, 0, 1, closed="both")],
        "momentum": [Interval(Real, 0, 1, closed="right")],
        "gate": [HasMethods(["fit_samples"]), None],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "min_samples": [Interval(Integral, 2, None, closed="left")],
        **BaseDetector._parameter_constraints,  # our own base's
    }

    def __init__(
        self,
        detector: Any = None,
        *,
        domain: int | str | None = None,
        alignment: str = "batch",
        statistics: str = "robust",
        mix: float = 1.0,
        momentum: float = 0.3,
        gate: Any = None,
        alpha: float = 0.05,
        min_samples: int = 50,
        contamination: float = 0.1,
    ) -> None:
        self.detector = detector
        self.domain = domain
        self.alignment = alignment
        self.statistics = statistics
        self.mix = mix
        self.momentum = momentum
        self.gate = gate
        self.alpha = alpha
        self.min_samples = min_samples
        self.contamination = contamination

    def _check(self, X: Any, *, reset: bool) -> _Rows:
        fewest = 2 if reset else 1
        if self.domain is None:
            table = check_rows(self, X, reset=reset, min_samples=fewest)
            return _Rows(table, np.zeros(len(table)))
        table = X if hasattr(X, "columns") else np.asarray(X)
        validate_data(self, table, reset=reset, skip_check_array=True)
        place = self._place(table)
        if hasattr(table, "columns"):
            names = list(table.columns)
            domains = np.asarray(table[names[place]])
            rest: Any = table[[name for name in names if name != names[place]]]
        else:
            domains, rest = table[:, place], np.delete(table, place, axis=1)
        if rest.shape[1] == 0:
            raise ValueError("Found array with 1 feature(s), the domains, while a minimum of 2 is required.")
        missing = np.flatnonzero(pd.isna(domains))
        if missing.size:
            raise ValueError(
                f"Column {self.domain!r} has {missing.size} missing domains, first in row {missing[0]}; give each row "
                "a domain, or drop those rows."
            )
        # The names of this estimator are those of the whole table.
        return _Rows(check_rows(type(self)(), rest, reset=True, min_samples=fewest), domains)

    def _place(self, table: Any) -> int:
        if isinstance(self.domain, Integral):
            if self.domain >= table.shape[1]:
                raise ValueError(
                    f"domain={self.domain} and X has n_features = {table.shape[1]}; give the position of a column."
                )
            return int(self.domain)
        names = list(getattr(table, "columns", []))
        if self.domain not in names:
            raise ValueError(f"domain={self.domain!r} is not a column of X; its columns are {names or 'not named'}.")
        return names.index(self.domain)

    def _fit(self, X: _Rows, y: NDArray[np.int8], **metadata: Any) -> None:
        detector = GaussianDetector() if self.detector is None else self.detector
        require_scores(detector)
        self.centers_: dict[Any, NDArray[np.float64]] = {}
        self.scales_: dict[Any, NDArray[np.float64]] = {}
        self.aligned_: dict[Any, bool] = {}
        self.shift_magnitude_: dict[Any, float] = {}
        self.gate_pvalues_: dict[Any, float] = {}
        self.reference_center_ = self._statistics(X.table)[0]
        residuals = X.table.astype(np.float64)
        for key, rows in self._parts(X):
            if len(rows) >= self.min_samples or self.domain is None:
                self.centers_[key], self.scales_[key] = self._statistics(X.table[rows])
                self.aligned_[key] = self.domain is not None
                residuals[rows] -= self.centers_[key]
            else:
                residuals[rows] -= self.reference_center_
        self.reference_scale_ = self._statistics(residuals)[1]
        self._gate_rows: NDArray[Any] | None = None
        if self.gate is not None:
            some = np.random.Generator(np.random.PCG64(0)).permutation(len(X))[:_GATE_ROWS]
            self._gate_rows = X.table[np.sort(some)]
        aligned = self._align(X)
        labels = (native_labels(y),) if y.any() else ()
        self.detector_ = clone(detector).fit(aligned, *labels)

    def _parts(self, X: _Rows) -> list[tuple[Any, NDArray[np.intp]]]:
        return [(0, np.arange(len(X)))] if self.domain is None else X.parts()

    def _statistics(self, table: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return level and spread of columns; the spread is 0 where it is only rounding."""
        table = table.astype(np.float64, copy=False)
        if self.statistics == "robust":
            center = np.median(table, axis=0)
            # Halves: differences of the largest numbers are not finite.
            scale = 2 * _NORMAL_MAD * np.median(np.abs(0.5 * table - 0.5 * center), axis=0)
        else:
            largest = np.abs(table).max(axis=0)
            unit = np.where(largest > 0, largest, 1.0)
            center, scale = unit * (table / unit).mean(axis=0), unit * (table / unit).std(axis=0)
        return center, np.where(usable_scale(scale, center) == scale, scale, 0.0)

    def adapt(self, X: Any) -> Self:
        """Estimate level and spread of the columns in new domains, or anew in known ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Unlabelled rows, most of them normal, with the columns of `fit`. Domains of fewer than `min_samples` rows
            are left as they are, with a warning.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As `score_samples`. Nothing is then changed.

        Warns
        -----
        UserWarning
            If a domain has too few rows.
        """
        check_is_fitted(self)
        rows = self._check(X, reset=False)
        with restore_on_error(self, X):
            self.centers_, self.scales_, self.aligned_ = dict(self.centers_), dict(self.scales_), dict(self.aligned_)
            self.shift_magnitude_, self.gate_pvalues_ = {}, {}
            few = []
            for key, places in self._parts(rows):
                if len(places) < self.min_samples:
                    few.append(f"{len(places)} of {key!r}" if self.domain is not None else str(len(places)))
                    continue
                self._adapt_domain(key, rows.table[places])
        if few:
            warn_user(
                f"Too few rows to align: {', '.join(few[:5])}. Statistics need min_samples={self.min_samples} rows; "
                "collect more, or lower min_samples."
            )
        return self

    def _adapt_domain(self, key: Any, table: NDArray[Any]) -> None:
        center, scale = self._statistics(table)
        if self.alignment == "running" and self.aligned_.get(key, False):
            center = self.momentum * center + (1 - self.momentum) * self.centers_[key]
            scale = self.momentum * scale + (1 - self.momentum) * self.scales_[key]
        self.centers_[key], self.scales_[key] = center, scale
        unit = usable_scale(self.reference_scale_, self.reference_center_)
        with np.errstate(over="ignore"):
            self.shift_magnitude_[key] = float(np.sqrt(np.mean(((center - self.reference_center_) / unit) ** 2)))
        self.aligned_[key] = True
        if self.gate is not None:
            self.gate_pvalues_[key] = float(clone(self.gate).fit_samples(self._gate_rows, table).pvalue_)
            self.aligned_[key] = self.gate_pvalues_[key] <= self.alpha

    def _align(self, X: _Rows) -> NDArray[Any]:
        """Return the table with the rows of each aligned domain brought to the reference."""
        if not any(self.aligned_.values()):
            return X.table
        out = X.table.copy()
        for key, rows in self._parts(X):
            if not self.aligned_.get(key, False):
                continue
            scale, reference = self.scales_[key], self.reference_scale_
            ratio = np.where((scale > 0) & (reference > 0), reference / np.where(scale > 0, scale, 1.0), 1.0)
            ratio = np.clip(ratio, 1 / _FARTHEST_RATIO, _FARTHEST_RATIO)
            part = X.table[rows].astype(np.float64, copy=False)
            moved = self.reference_center_ + ratio * (part - self.centers_[key])
            out[rows] = moved if self.mix == 1.0 else self.mix * moved + (1 - self.mix) * part
        return out

    def _outlyingness(self, X: _Rows) -> NDArray[Any]:
        unknown = [key for key, _ in self._parts(X) if key not in self.aligned_]
        if unknown:
            names = ", ".join(map(repr, unknown[:5]))
            warn_user(
                f"Rows of {len(unknown)} unknown domains ({names}) are scored as they are; call adapt with rows of "
                "these domains first."
            )
        return -np.asarray(self.detector_.score_samples(self._align(X)))
