"""One detector for each entity."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.utils.validation import check_array

from skanomaly._support._blocks import map_blocks
from skanomaly._support._labels import native_labels
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._validation import validate_data
from skanomaly.base import BaseDetector
from skanomaly.sequence._input import require_names_apart

__all__ = ["GroupedDetector"]


@dataclass(frozen=True)
class _Rows:
    """A table without its column of groups, and that column."""

    table: NDArray[Any]
    groups: NDArray[Any]

    def __len__(self) -> int:
        return len(self.table)


class GroupedDetector(BaseDetector):
    r"""Clones a detector for each group of rows: one a machine, one a customer.

    The groups are a column of the table, so that nothing but the table need travel through a pipeline. Rows of a group
    keep their order: a group is a series for detectors of series, a table for others.

    Parameters
    ----------
    detector : estimator, default=None
        Anything with ``fit`` and ``decision_function`` (negative is odd); None is ``IsolationForest(random_state=0)``.
    group : int, str or None, default=0
        The column that holds the groups, by place or, in a frame, by name. It may hold text. None makes all rows one
        group.
    min_group_size : int, default=10
        Groups with fewer training rows get no clone of their own; they count as unseen.
    unseen : {"global", "raise"}, default="global"
        What scores rows of groups without a clone: a clone fitted on all training rows in their order, or an error.
    n_jobs : int or None, default=None
        Threads over groups; results do not depend on it.

    Attributes
    ----------
    detectors_ : dict
        From group to fitted clone.
    fallback_ : estimator or None
        Clone fitted on all rows, for "global".
    offset_ : float
        0: scores are those of the clones, less each clone's own threshold.
    n_features_in_ : int
        Number of columns, that of the groups included.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    SlidingWindowDetector : A detector of rows as one of series.

    Notes
    -----
    Each clone sets its own threshold by its own `contamination`, ``detector__contamination`` in a search: a quiet
    machine flags as many of its rows as a noisy one. One model a node is how Borghesi, Bartolini, Lombardi, Milano and
    Benini (2019) watch computers; a pooled model hides what is odd for one node and usual for another.

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
    >>> model = GroupedDetector(GaussianDetector(contamination=0.02)).fit(np.column_stack([machine, load]))
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
    def _rows_stand_alone(self) -> bool:  # type: ignore[override]
        return bool(getattr(self.detector, "_rows_stand_alone", True))

    def _check(self, X: Any, *, reset: bool) -> _Rows:
        table = X if hasattr(X, "columns") else _as_table(X, fewest=2 if reset else 1)
        require_names_apart(table)
        validate_data(self, table, reset=reset, skip_check_array=True)
        place = self._place(table)
        if place is None:
            values = check_array(table, dtype=(np.float64, np.float32), order="C", input_name="X")
            return _Rows(values, np.zeros(len(values)))
        if hasattr(table, "columns"):
            names = list(table.columns)
            groups = np.asarray(table[names[place]])
            rest: Any = table[[name for index, name in enumerate(names) if index != place]]
        else:
            groups = table[:, place]
            rest = np.delete(table, place, axis=1)
        if rest.shape[1] == 0:
            raise ValueError("Found array with 1 feature(s), the groups, while a minimum of 2 is required.")
        values = check_array(
            rest, dtype=(np.float64, np.float32), order="C", ensure_min_samples=2 if reset else 1, input_name="X"
        )
        _require_groups(groups)
        return _Rows(values, groups)

    def _place(self, table: Any) -> int | None:
        if self.group is None:
            return None
        if isinstance(self.group, Integral):
            if self.group >= table.shape[1]:
                raise ValueError(f"group={self.group} and X has n_features = {table.shape[1]}.")
            return int(self.group)
        names = list(getattr(table, "columns", []))
        if self.group not in names:
            raise ValueError(f"group={self.group!r} is no column of X; it has {names or 'no names'}.")
        return names.index(self.group)

    def _fit(self, X: _Rows, y: NDArray[np.int8], **metadata: Any) -> None:  # noqa: ARG002  # the hook's form
        detector = IsolationForest(random_state=0) if self.detector is None else self.detector

        def fitted(rows: NDArray[np.intp]) -> Any:
            labels = (native_labels(y[rows]),) if y[rows].any() else ()
            return clone(detector).fit(X.table[rows], *labels)

        parts = {group: rows for group, rows in _parts(X.groups) if len(rows) >= max(2, self.min_group_size)}
        everything = [np.arange(len(X))] if self.unseen == "global" else []
        found = map_blocks(fitted, [*parts.values(), *everything], n_jobs=self.n_jobs)
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
            out[rows] = -np.asarray(detector.decision_function(X.table[rows]), dtype=np.float64)

        map_blocks(score, parts, n_jobs=self.n_jobs)
        return out

    def _auto_offset(self) -> float:
        return 0.0


def _as_table(X: Any, *, fewest: int) -> NDArray[Any]:
    try:
        table: NDArray[Any] = check_array(X, dtype=None, ensure_min_samples=fewest)
    except ValueError as error:
        if not isinstance(X, list | tuple) or not {"inhomogeneous", "dim"} & set(str(error).split()):
            raise
        raise ValueError(
            "X is a list of series, and GroupedDetector takes one table in which a column holds the groups: stack the "
            "series (numpy.vstack), each with its group as a column."
        ) from None
    return table


def _require_groups(groups: NDArray[Any]) -> None:
    try:
        codes = pd.factorize(groups)[0]
    except TypeError as error:
        raise TypeError(f"A group's argument must be a string or a number: {error}.") from None
    if (codes < 0).any():
        raise ValueError(f"The groups hold NaN or None, first in row {int(np.argmin(codes))}; each row needs one.")


def _parts(groups: NDArray[Any]) -> list[tuple[Any, NDArray[np.intp]]]:
    """Return each group with its rows in their order."""
    codes, values = pd.factorize(groups)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    return list(zip(values.tolist(), parts, strict=True))
