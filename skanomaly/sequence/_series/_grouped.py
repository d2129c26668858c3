"""One detector per group."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_array

from skanomaly._support._blocks import map_fits
from skanomaly._support._item_names import require_unique_names
from skanomaly._support._labels import native_labels
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._validation import scores_time_points, validate_data
from skanomaly.base import BaseDetector
from skanomaly.sequence._clock import is_time, one_after_another, read_clock, with_time_index

__all__ = ["GroupedDetector"]


@dataclass(frozen=True)
class _Rows:
    """A table without its group column, that column, and the times of the rows, if they are time points."""

    table: NDArray[Any]
    groups: NDArray[Any]
    times: "pd.Index[Any] | None" = None

    def __len__(self) -> int:
        return len(self.table)

    def part(self, rows: NDArray[np.intp]) -> Any:
        """Return the rows of a group: an array, or a frame with their times as its index."""
        values = self.table[rows]
        return values if self.times is None else pd.DataFrame(values, index=self.times[rows])

    def whole(self) -> tuple[Any, NDArray[np.intp]]:
        """Return all rows and their numbers: with times, group after group, with a jump of the clock between them."""
        everything = np.arange(len(self))
        if self.times is None:
            return self.table, everything
        parts = [rows for _, rows in _parts(self.groups)]
        clocks = [clock for _, clock in (read_clock(self.part(rows)) for rows in parts) if clock is not None]
        order = np.concatenate(parts)
        return pd.DataFrame(self.table[order], index=one_after_another(clocks)), order


class GroupedDetector(BaseDetector):
    r"""Fits one clone of a detector per group of rows, such as a machine or a customer.

    The groups are a column of the table, so that a pipeline needs nothing but the table. Rows of a group keep their
    order: for detectors of series a group is a series, for others a table. For these, a frame with an index of dates,
    periods or durations gives each series its clock, so the same times may occur in each group, and values may be
    missing (:class:`SeriesDetector`).

    Parameters
    ----------
    detector : estimator, default=None
        Any estimator with ``fit`` and ``decision_function`` (negative for anomalies); None is
        ``IsolationForest(random_state=0)``.
    group : int, str or None, default=0
        The column with the groups, by position or, in a frame, by name. It may be text. None makes all rows one group.
    min_group_size : int, default=10
        Groups with fewer training rows do not get a clone of their own; they are treated as unseen.
    unseen : {"global", "raise"}, default="global"
        How rows of groups without a clone are scored: "global" uses a clone fitted on all training rows in their order,
        "raise" raises an error.
    n_jobs : int or None, default=None
        Threads over groups; results do not depend on it.

    Attributes
    ----------
    detectors_ : dict
        Maps each group to its fitted clone.
    fallback_ : estimator or None
        Clone fitted on all rows, if `unseen` is "global".
    offset_ : float
        0: the scores are those of the clones minus the threshold of each clone.
    n_features_in_ : int
        Number of columns, including that of the groups.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    SlidingWindowDetector : Applies a detector of rows to a series.

    Notes
    -----
    Each clone sets its own threshold by its `contamination` (``detector__contamination`` in a search), so the same
    fraction of rows is flagged in each group. Borghesi, Bartolini, Lombardi, Milano and Benini (2019) monitor computers
    with one model per node; a pooled model misses values that are anomalous for one node and normal for another.

    References
    ----------
    .. [1] Borghesi, A., Bartolini, A., Lombardi, M., Milano, M. and Benini, L. (2019). "Anomaly detection using
       autoencoders in high performance computing systems". AAAI. https://doi.org/10.1609/aaai.v33i01.33019428

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import GaussianDetector
    >>> from skanomaly.sequence import GroupedDetector
    >>> machine = np.repeat([1, 2], 50)
    >>> load = np.where(machine == 1, 10.0, 90.0) + np.sin(np.arange(100))
    >>> load[7] = 90.0
    >>> model = GroupedDetector(GaussianDetector(contamination=0.02)).fit(
    ...     np.column_stack([machine, load])
    ... )
    >>> model.predict([[1, 90.0], [2, 90.0]])
    array([-1,  1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "detector": [HasMethods(["fit", "decision_function"]), None],
        "group": [Interval(Integral, 0, None, closed="left"), str, None],
        "min_group_size": [Interval(Integral, 1, None, closed="left")],
        "unseen": [StrOptions({"global", "raise"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        detector: Any = None,
        *,
        group: int | str | None = 0,
        min_group_size: int = 10,
        unseen: str = "global",
        n_jobs: int | None = None,
    ) -> None:
        self.detector = detector
        self.group = group
        self.min_group_size = min_group_size
        self.unseen = unseen
        self.n_jobs = n_jobs

    @property
    def scores_time_points(self) -> bool:  # type: ignore[override]
        """Whether `detector` scores the time points of a series."""
        return scores_time_points(self.detector)

    @property
    def _takes_missing(self) -> bool:
        return self.scores_time_points and get_tags(self.detector).input_tags.allow_nan

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._takes_missing
        return tags

    def _check(self, X: Any, *, reset: bool) -> _Rows:
        X = with_time_index(X) if self.scores_time_points else X
        table = X if hasattr(X, "columns") else _as_table(X, fewest=2 if reset else 1)
        require_unique_names(table)
        validate_data(self, table, reset=reset, skip_check_array=True)
        place = self._place(table)
        finite = "allow-nan" if self._takes_missing else True
        index = getattr(table, "index", None)
        times = index if self.scores_time_points and is_time(index) else None
        if place is None:
            values = validate_data(
                self, table, reset=False, dtype=(np.float64, np.float32), order="C", ensure_all_finite=finite
            )
            return _Rows(values, np.zeros(len(values)), times)
        if hasattr(table, "columns"):
            names = list(table.columns)
            groups = np.asarray(table[names[place]])
            rest: Any = table[[name for index, name in enumerate(names) if index != place]]
        else:
            groups = table[:, place]
            rest = np.delete(table, place, axis=1)
        if rest.shape[1] == 0:
            raise ValueError("Found array with 1 feature(s), the groups, while a minimum of 2 is required.")
        values = validate_data(
            type(self)(),  # the names of this estimator are those of the whole table
            rest,
            reset=True,
            dtype=(np.float64, np.float32),
            order="C",
            ensure_all_finite=finite,
            ensure_min_samples=2 if reset else 1,
        )
        _require_groups(groups, names[place] if hasattr(table, "columns") else place)
        return _Rows(values, groups, times)

    def _place(self, table: Any) -> int | None:
        if self.group is None:
            return None
        if isinstance(self.group, Integral):
            if self.group >= table.shape[1]:
                raise ValueError(
                    f"group={self.group} and X has n_features = {table.shape[1]}; give the position of a column."
                )
            return int(self.group)
        names = list(getattr(table, "columns", []))
        if self.group not in names:
            raise ValueError(f"group={self.group!r} is not a column of X; its columns are {names or 'not named'}.")
        return names.index(self.group)

    def _fit(self, X: _Rows, y: NDArray[np.int8], **metadata: Any) -> None:
        detector = IsolationForest(random_state=0) if self.detector is None else self.detector

        def fitted(part: tuple[Any, NDArray[np.intp]]) -> Any:
            table, rows = part
            labels = (native_labels(y[rows]),) if y[rows].any() else ()
            return clone(detector).fit(table, *labels)

        parts = {group: rows for group, rows in _parts(X.groups) if len(rows) >= max(2, self.min_group_size)}
        tables = [(X.part(rows), rows) for rows in parts.values()]
        everything = [X.whole()] if self.unseen == "global" else []
        found = map_fits(fitted, [*tables, *everything], n_jobs=self.n_jobs)
        self.detectors_ = dict(zip(parts, found, strict=False))
        self.fallback_ = found[-1] if self.unseen == "global" else None

    def _outlyingness(self, X: _Rows) -> NDArray[np.float64]:
        parts = list(_parts(X.groups))
        out = np.empty(len(X))

        def score(part: tuple[Any, NDArray[np.intp]]) -> None:
            group, rows = part
            detector = self.detectors_.get(group, self.fallback_)
            if detector is None:
                raise ValueError(
                    f"Group {group!r} had fewer than {max(2, self.min_group_size)} training rows. "
                    "Drop its rows, or use unseen='global'."
                )
            out[rows] = -np.asarray(detector.decision_function(X.part(rows)), dtype=np.float64)

        map_fits(score, parts, n_jobs=self.n_jobs)
        return out

    def _auto_offset(self) -> float:
        return 0.0


def _as_table(X: Any, *, fewest: int) -> NDArray[Any]:
    try:
        table: NDArray[Any] = check_array(X, dtype=None, ensure_min_samples=fewest)
    except ValueError:
        if not _is_list_of_series(X):
            raise
        raise ValueError(
            "X is a list of series, and GroupedDetector takes one table with a group column: stack the series "
            "(numpy.vstack), each with its group as a column."
        ) from None
    return table


def _is_list_of_series(X: Any) -> bool:
    """Say whether a list holds tables, or rows of different lengths."""
    if not isinstance(X, list | tuple):
        return False
    items = [item for item in X if _is_sized(item)]
    return len({len(item) for item in items}) > 1 or any(_is_table(item) for item in items)


def _is_table(item: Any) -> bool:
    return item.ndim > 1 if hasattr(item, "ndim") else len(item) > 0 and _is_sized(item[0])


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _is_sized(item: Any) -> bool:
    return hasattr(item, "__len__") and not isinstance(item, str | bytes)


def _require_groups(groups: NDArray[Any], column: Any) -> None:
    try:
        codes = pd.factorize(groups)[0]
    except TypeError:
        unhashable = next(value for value in groups.tolist() if not _is_hashable(value))
        raise TypeError(
            f"Column {column!r} holds a {type(unhashable).__name__}; values of the column that is the `group` argument "
            "must be hashable, such as a string, a number or a boolean."
        ) from None
    if (codes < 0).any():
        raise ValueError(
            f"Column {column!r} holds NaN or None as a group, first in row {int(np.argmin(codes))}; give each row a "
            "group, or drop those rows."
        )


def _parts(groups: NDArray[Any]) -> list[tuple[Any, NDArray[np.intp]]]:
    """Return each group and its rows, in order."""
    codes, values = pd.factorize(groups)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    return list(zip(values.tolist(), parts, strict=True))
