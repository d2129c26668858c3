"""A table as a series: its rows sorted by a column of times, and what its clock says."""

import difflib
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError
from skanomaly._cli._read import Table
from skanomaly._cli._stamps import read_times

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TimeOrder", "find_column", "most_anomalous_apart", "sort_by_time"]

_MAX_GAP = 1.5
_MOST_JUMPS, _FEWEST_JUMPS = 0.03, 10  # with more, the clock has no step
_MOST_HOLES = 3


@dataclass(frozen=True)
class TimeOrder:
    """Order of the rows of a table by time.

    ``order`` has the indices of the rows by ascending time, sensor after sensor if there are several; ``texts`` the
    time of each row as it is in the table. ``times`` are the sorted times, dates or numbers; ``groups`` the numbers of
    the sensors in the column ``by``, sorted like ``times``. ``regular`` says whether the clock has a step.
    """

    column: str
    order: NDArray[np.intp]
    texts: list[str]
    times: NDArray[Any] = field(default_factory=lambda: np.empty(0))
    groups: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    sensors: list[str] = field(default_factory=list)
    regular: bool = True
    by: str = ""

    def describe(self, position: int) -> str:
        """Return the row and the time at a position in the order of time."""
        row = int(self.order[position])
        return f"row {row} ({self.texts[row]})"

    def restore(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values that are sorted by time in the order of the table."""
        out = np.empty_like(values)
        out[self.order] = values
        return out

    def parts(self) -> list[slice]:
        """Return the positions of each sensor."""
        edges = np.flatnonzero(np.diff(self.groups, prepend=-1, append=-1))
        return [slice(int(start), int(stop)) for start, stop in pairwise(edges)]

    @property
    def sensor_of_rows(self) -> NDArray[Any]:
        """The sensor of each row, sorted like the times."""
        return np.array(self.sensors, dtype=object)[self.groups]

    @property
    def seconds(self) -> NDArray[np.float64]:
        """The sorted times as numbers: seconds since 1970 for dates."""
        if self.times.dtype.kind in "mM":
            return self.times.astype(f"{self.times.dtype.kind}8[ns]").view(np.int64) / 1e9
        return np.asarray(self.times, dtype=np.float64)

    @property
    def dated(self) -> bool:
        """Whether the times are dates."""
        return bool(self.times.dtype.kind == "M")

    @property
    def index(self) -> "pd.Index[Any]":
        """The sorted times as the index of a frame; the numbers of the rows, if the clock has no step."""
        import pandas as pd

        return pd.Index(self.times) if self.regular else pd.RangeIndex(len(self.times))


def sort_by_time(table: Table, column: str, by: str | None = None) -> tuple[Table, TimeOrder]:
    """Sort a table by a column of times, and remove that column.

    Parameters
    ----------
    table : Table
    column : str
        Column of numbers, dates or times, all in the same format. If day and month could be exchanged, the format in
        which the rows are already sorted is used.
    by : str or None
        Column of the sensor or machine that a row is of. Each is a series of its own.

    Returns
    -------
    table : Table
        Sorted by ascending time, sensor after sensor.
    time_order : TimeOrder

    Raises
    ------
    InputError
        If there is no such column, a time is missing, invalid or repeated, or days and months cannot be distinguished.
    """
    import pandas as pd

    position = find_column(table, column, "--time")
    times = read_times(table.frame.iloc[:, position], column)
    dropped = {position}
    groups, sensors = np.zeros(len(times), dtype=np.intp), [""]
    if by is not None:
        place = find_column(table, by, "--by")
        codes, values = pd.factorize(table.frame.iloc[:, place])
        if (codes < 0).any():
            raise InputError(f"--by: {by} has no value in row {int(np.argmin(codes))}; fill it in, or drop the row.")
        groups, sensors = codes.astype(np.intp), [str(value) for value in values]
        dropped.add(place)
    order = np.lexsort((times, groups)).astype(np.intp)
    _refuse_repeated(table, times, groups, order, [position, *(dropped - {position})])
    texts = table.frame.iloc[:, position].astype(str).tolist()
    frame = table.frame.iloc[order, [index for index in range(table.frame.shape[1]) if index not in dropped]]
    labels = None if table.labels is None else table.labels[order]
    ids = None if table.ids is None else [table.ids[row] for row in order]
    time_order = TimeOrder(column, order, texts, times[order], groups[order], sensors, by=by or "")
    remarks = list(table.remarks)
    if (np.diff(order) < 0).any():
        remarks.append(f"Rows were sorted by {column}." if by is None else f"Rows were sorted by {by} and {column}.")
    regular, found = _clock_remarks(time_order)
    frame = frame.reset_index(drop=True)
    table = replace(table, frame=frame, labels=labels, ids=ids, remarks=[*remarks, *found])
    return table, replace(time_order, regular=regular)


def find_column(table: Table, column: str, option: str) -> int:
    """Return the position of a column, or raise with the nearest name.

    Parameters
    ----------
    table : Table
    column, option : str

    Returns
    -------
    int

    Raises
    ------
    InputError
        If the table has no such column.
    """
    names = [str(name) for name in table.frame.columns]
    if column not in names:
        near = difflib.get_close_matches(column, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(names[:6])}."
        raise InputError(f"{option}: {table.name} has no column {column!r}; {hint}")
    return names.index(column)


def _refuse_repeated(
    table: Table, times: NDArray[Any], groups: NDArray[np.intp], order: NDArray[np.intp], known: list[int]
) -> None:
    """Raise if rows of one series have the same time, and name the column that distinguishes them, if there is one."""
    same = (times[order][1:] == times[order][:-1]) & (groups[order][1:] == groups[order][:-1])
    if not same.any():
        return
    first = int(order[int(np.argmax(same)) + 1])
    several = len(known) > 1
    shown = str(table.frame.iloc[first, known[0]])
    told = f"--time: {int(same.sum()):,} of {len(times):,} rows repeat a time, such as {shown} in row {first}"
    for place, name in enumerate(table.frame.columns):
        values = table.frame.iloc[:, place]
        if several or place in known or values.nunique() > len(times) // 2:
            continue
        pairs = table.frame.iloc[:, [place]].assign(_time=times)
        if not pairs.duplicated().any():
            raise InputError(f"{told}; {name} distinguishes them: add --by {name}, then each is a series of its own.")
    remedy = "average or drop such rows" + ("" if several else ", or name the column of the sensor with --by")
    raise InputError(f"{told}; {remedy}. Local times that repeat an hour in autumn need their offset from UTC.")


def _clock_remarks(time_order: TimeOrder) -> tuple[bool, list[str]]:
    """Say whether the clock has a step, and report the step and the holes."""
    seconds = time_order.seconds
    steps, jumps = [], []
    for part in time_order.parts():
        differences = np.diff(seconds[part])
        step = float(np.median(differences)) if len(differences) else 0.0
        steps.append(step)
        found = np.flatnonzero(differences > _MAX_GAP * step * (1 + 1e-6)) + 1
        jumps += [(part.start + int(place), differences[place - 1] / step) for place in found]
    step = float(np.median(steps))
    shown = _duration(step) if time_order.times.dtype.kind in "mM" else f"{step:g}"
    n_steps = max(1, len(seconds) - len(steps))
    if len(jumps) > max(_FEWEST_JUMPS, _MOST_JUMPS * n_steps):
        remark = (
            f"{time_order.column} is irregular: {len(jumps):,} of {n_steps:,} differences are more than {_MAX_GAP} "
            f"times the median, {shown}. Windows count rows, not time; resample the table for windows of time."
        )
        return False, [remark]
    if not jumps:
        return True, []
    holes = [_hole(time_order, place, size) for place, size in jumps[:_MOST_HOLES]]
    n_more = len(jumps) - _MOST_HOLES
    more = f", and {n_more:,} more {'hole' if n_more == 1 else 'holes'}" if n_more > 0 else ""
    return True, [f"One row every {shown}; {', '.join(holes)}{more}. No window spans a hole."]


def _hole(time_order: TimeOrder, place: int, size: float) -> str:
    """Describe the hole before a position."""
    n_missing = max(1, round(size) - 1)
    rows = "1 row" if n_missing == 1 else f"{n_missing:,} rows"
    before = int(time_order.order[place - 1])
    if time_order.dated:
        start = time_order.times[place - 1] + (time_order.times[place] - time_order.times[place - 1]) / size
        at = str(np.datetime_as_string(start.astype("datetime64[s]"))).replace("T", " ").removesuffix(":00")
    else:
        at = f"{time_order.times[place - 1] + (time_order.times[place] - time_order.times[place - 1]) / size:g}"
    sensor = f" of {time_order.by} {time_order.sensors[time_order.groups[place]]}" if time_order.by else ""
    return f"{rows}{sensor} missing after row {before}, at {at}"


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size and abs(seconds / size - round(seconds / size)) < 1e-6:
            return f"{round(seconds / size)} {unit}"
    return f"{seconds:g} s"


def most_anomalous_apart(scores: NDArray[np.float64], top: int, gap: int) -> NDArray[np.intp]:
    """Return the most anomalous time points that are at least `gap` time points apart.

    Neighbouring time points are in the same windows, so one event would otherwise be listed many times.
    """
    chosen: list[int] = []
    free = np.ones(len(scores), dtype=bool)
    for position in np.argsort(scores, kind="stable"):
        if free[position]:
            chosen.append(int(position))
            free[max(0, position - gap + 1) : position + gap] = False
            if len(chosen) == top:
                break
    return np.array(chosen, dtype=np.intp)
