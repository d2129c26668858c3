"""Anomalies made from normal rows or sequences."""

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_array

from skanomaly._support._columns import CATEGORY, column_kinds, column_names, is_frame
from skanomaly._support._labels import read_labels
from skanomaly._support._results import ShortRepr
from skanomaly._support._scales import varies
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._tables import TableReader
from skanomaly._support._validation import check_any_rows, validate_data
from skanomaly.base import BaseSampler
from skanomaly.sampling._synthesis._kinds import MAKERS

__all__ = ["AnomalySynthesizer", "SyntheticAnomalies"]

_LEAST_CHANGE = 1e-6  # of a column's standard deviation
_HALF_WAY = 0.4  # change, in standard deviations, at which a soft target is one half
_STEEPNESS = 8.0


@dataclass(frozen=True, repr=False)
class SyntheticAnomalies(ShortRepr):
    """What :meth:`AnomalySynthesizer.synthesize` returns.

    Attributes
    ----------
    rows : ndarray of shape (n_anomalies, n_features) or (n_anomalies, n_timepoints, n_channels)
        The anomalies; a table of the given kind where some columns hold categories.
    mask : ndarray of bool, of the same shape
        Which entries were changed.
    target : ndarray of shape (n_anomalies,)
        How anomalous each is, in [0, 1].
    source : ndarray of shape (n_anomalies,), intp
        The row of the given table that each was made from; ``rows - X[source]`` is the displacement.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import AnomalySynthesizer
    >>> made = AnomalySynthesizer(random_state=0).synthesize(
    ...     np.arange(40.0).reshape(10, 4), n_anomalies=3
    ... )
    >>> made.rows.shape, made.mask.shape, made.target.shape, made.source.shape
    ((3, 4), (3, 4), (3,), (3,))
    """

    rows: NDArray[Any]
    mask: NDArray[np.bool_]
    target: NDArray[np.float64]
    source: NDArray[np.intp]


class AnomalySynthesizer(BaseSampler):
    r"""Make anomalies by disturbing normal rows, or sequences of shape (n_timepoints, n_channels).

    Parameters
    ----------
    kind : {"gaussian", "swap", "paste", "blend", "transplant"}, default="swap"
        How (Notes). "transplant" needs a few real anomalies.
    width : tuple of two floats, default=(0.02, 0.3)
        Least and largest fraction of the columns of a row, or of the time points of a sequence, that are changed; at
        least one is. For all kinds but "gaussian", and "transplant" of rows.
    strength : float, default=0.5
        "gaussian": standard deviation of the noise in units of each column's. Other kinds: 0.5 is the paper's amount,
        and it scales the disturbance; 1 doubles it.
    proportion : float, default=1.0
        Anomalies made by ``fit_resample`` per normal row.
    soft : bool, default=False
        Whether targets grow with the mean absolute change in the changed entries; else they are 1. A row in
        which nothing changed has target 0 either way.
    pos_label : label, default=None
        The anomalies' label; all other labels are then normal. None recognises -1, or 1 beside 0.
    random_state : int, RandomState instance or None, default=None
        Draws rows, places and amounts.

    Attributes
    ----------
    masks_ : ndarray of shape (n_synthetic, ...)
        Which entries of the synthetic rows were changed.
    targets_ : ndarray of shape (n_synthetic,)
        How anomalous each is, in [0, 1].
    sources_ : ndarray of shape (n_synthetic,)
        Training row that each was made from.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row; -1 where it is synthetic.
    n_features_in_ : int
        Number of columns; of channels for sequences.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SyntheticAnomalyDetector : Trains a classifier on them.
    ExpectedAnomalyPosterior : Says which of them help.

    Notes
    -----
    Labels are +1 normal, -1 anomaly and 0 or missing unlabelled; or 1 anomaly and 0 normal; or any others, with
    `pos_label`. ``fit_resample`` gives the new rows the anomalies' label of `y`, and -1 where `y` has none.

    - *gaussian* adds noise whose scale is ``strength`` times 1.1 to a power drawn from 0, ..., 4 (SimpleNet [1]_).
    - *swap* replaces entries by those of another normal row: a drawn set of columns, or a block of time points. A table
      may hold text, categories and missing categories, which are copied (`strength` is then 0.5).
    - *paste* moves a block of the row to another place of the same row (CutPaste [2]_); columns must be comparable.
    - *blend* takes a block of another row, resized by N(1, 0.5) kept in [0.7, 1.3], shifted so that its border meets
      the destination's (NSA [3]_); widths are Gamma(2, 0.05) + 0.03 within `width`.
    - *transplant* adds the displacement of a real anomaly from its nearest normal row, times U(0.5, 1.2), to another.

    A soft target is a logistic curve of the mean absolute change in units of the columns' standard deviation, one
    half at 0.4. Too weak a disturbance cannot be detected, too strong a one is trivial to detect. Where a few real
    anomalies are known, use "transplant", and rate the result with ``ExpectedAnomalyPosterior``.

    References
    ----------
    .. [1] Z. Liu, Y. Zhou, Y. Xu and Z. Wang, "SimpleNet: A Simple Network for Image Anomaly Detection and
       Localization", CVPR 2023. arXiv:2303.15140.
    .. [2] C.-L. Li, K. Sohn, J. Yoon and T. Pfister, "CutPaste: Self-Supervised Learning for Anomaly Detection and
       Localization", CVPR 2021. arXiv:2104.04015.
    .. [3] H. M. Schlüter, J. Tan, B. Hou and B. Kainz, "Natural Synthetic Anomalies for Self-Supervised Anomaly
       Detection and Localization", ECCV 2022. arXiv:2109.15222.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import AnomalySynthesizer
    >>> X = np.random.default_rng(0).normal(size=(100, 8))
    >>> rows, labels = AnomalySynthesizer(kind="swap", random_state=0).fit_resample(
    ...     X, np.ones(100, dtype=int)
    ... )
    >>> rows.shape, int((labels == -1).sum())
    ((200, 8), 100)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "kind": [StrOptions(set(MAKERS))],
        "width": [tuple, list],
        "strength": [Interval(Real, 0, None, closed="left")],
        "proportion": [Interval(Real, 0, None, closed="left")],
        "soft": ["boolean"],
        "pos_label": "no_validation",
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        kind: str = "swap",
        width: tuple[float, float] = (0.02, 0.3),
        strength: float = 0.5,
        proportion: float = 1.0,
        soft: bool = False,
        pos_label: Any = None,
        random_state: Any = None,
    ) -> None:
        self.kind = kind
        self.width = width
        self.strength = strength
        self.proportion = proportion
        self.soft = soft
        self.pos_label = pos_label
        self.random_state = random_state

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        self._reader = self._category_reader(X)
        if self._reader is not None:
            table, targets = check_any_rows(self, X, y)
            return self._reader.read(table), targets
        return validate_data(self, X, y, reset=True, dtype=(np.float64, np.float32), order="C", allow_nd=True)

    def _category_reader(self, X: Any) -> TableReader | None:
        """Return a reader where "swap" copies categories; None for a table of numbers."""
        if self.kind != "swap" or not (is_frame(X) or np.asarray(X).dtype.kind in "OUS"):
            return None
        kinds = column_kinds(X)
        if CATEGORY not in kinds:
            return None
        if self.strength != 0.5:
            place = kinds.index(CATEGORY)
            name = (column_names(X) or range(len(kinds)))[place]
            raise ValueError(
                f"strength={self.strength} moves numbers part of the way or beyond, and column {name!r} holds "
                "categories, which can only be copied. Take strength=0.5, or encode the column."
            )
        return TableReader(missing="category").fit(X)

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        labels = read_labels(y, len(X), pos_label=self.pos_label)
        n_new = round(self.proportion * np.count_nonzero(labels != -1))
        made = self._make(X, labels, n_new, draw_seed(self.random_state), self._reader)
        self.masks_, self.targets_, self.sources_ = made.mask, made.target, made.source
        new = np.full(n_new, self._label_like(y, labels))
        indices = np.concatenate([np.arange(len(X)), np.full(n_new, -1)]).astype(np.intp)
        return made.rows if self._reader is None else self._reader.values(made.rows), new, indices

    def _label_like(self, y: NDArray[Any], labels: NDArray[np.int8]) -> Any:
        """Return the label of anomalies that goes with those of `y`."""
        if self.pos_label is not None:
            return self.pos_label
        if y.dtype.kind == "b":
            return True
        return y[labels == -1][0] if (labels == -1).any() else -1

    def synthesize(self, X: Any, y: Any = None, *, n_anomalies: int | None = None) -> SyntheticAnomalies:
        """Make anomalies, with what was changed.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_timepoints, n_channels)
        y : array-like of shape (n_samples,), default=None
            Labels. A real anomaly is never disturbed, only transplanted. None is all normal.
        n_anomalies : int, default=None
            Number to make; None is one per normal row.

        Returns
        -------
        SyntheticAnomalies

        Raises
        ------
        ValueError
            If there is no normal row, or none to transplant.
        """
        self._validate_params()
        reader = self._category_reader(X)
        if reader is None:
            rows = check_array(X, dtype=(np.float64, np.float32), order="C", allow_nd=True)
        else:
            rows = reader.read(X)
        labels = read_labels(y, len(rows), pos_label=self.pos_label)
        number = np.count_nonzero(labels != -1) if n_anomalies is None else n_anomalies
        made = self._make(rows, labels, int(number), draw_seed(self.random_state), reader)
        return made if reader is None else replace(made, rows=reader.decode(made.rows))

    def _make(
        self, X: NDArray[Any], labels: NDArray[np.int8], n_new: int, seed: int, reader: TableReader | None
    ) -> SyntheticAnomalies:
        low, high = self._width_range()
        if X.ndim not in {2, 3}:
            raise ValueError(f"X has {X.ndim} dimensions; give rows (2) or sequences of equal length (3).")
        inside = np.flatnonzero(labels != -1)
        if inside.size == 0:
            raise ValueError(
                f"y labels all {len(X)} samples as anomalies; anomalies are made from normal rows, so at least one is "
                "needed."
            )
        random = generator(seed)
        normal = X[inside].astype(np.float64)
        flat = normal.reshape(-1, X.shape[-1])
        scale = np.where(varies(flat), flat.std(axis=0), 0.0)
        source = random.integers(len(normal), size=n_new)
        maker = MAKERS[self.kind]
        rows = maker(normal, X[labels == -1].astype(np.float64), source, (low, high), self.strength, scale, random)
        rows = rows.astype(X.dtype)
        change = np.abs(rows.astype(np.float64) - normal[source])
        if reader is not None:  # another category counts as one standard deviation
            codes = np.array(reader.kinds) == CATEGORY
            change[:, codes] = (change[:, codes] > 0) * scale[codes]
        mask = change > _LEAST_CHANGE * scale
        return SyntheticAnomalies(rows, mask, self._targets(change, mask, scale), inside[source])

    def _width_range(self) -> tuple[float, float]:
        try:
            low, high = (float(bound) for bound in self.width)
        except (TypeError, ValueError):
            low = high = -1.0
        if not 0 <= low <= high <= 1:
            raise ValueError(f"width={self.width!r} must be two fractions, 0 <= least <= largest <= 1.")
        return low, high

    def _targets(
        self, change: NDArray[np.float64], mask: NDArray[np.bool_], scale: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        axes = tuple(range(1, change.ndim))
        n_changed = mask.sum(axis=axes)
        if not self.soft:
            return (n_changed > 0).astype(np.float64)
        relative = (np.where(mask, change, 0.0) / np.where(scale > 0, scale, 1.0)).sum(axis=axes)
        mean = relative / np.maximum(n_changed, 1)
        return np.where(n_changed > 0, 1.0 / (1.0 + np.exp(-_STEEPNESS * (mean - _HALF_WAY))), 0.0)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = self.kind == "swap"
        return tags
