"""Traces of events in a long table, one row an event: their scores, and which of their events are rare."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._detectors import EVENT_DEFAULT, build_detector
from skanomaly._cli._drift import DriftResult
from skanomaly._cli._errors import InputError
from skanomaly._cli._read import Table, read_table
from skanomaly._cli._scan import Progress, ScanResult, check_options, contamination_of, evaluate, rank
from skanomaly._cli._stamps import read_times
from skanomaly._cli._time import TimeOrder, find_column
from skanomaly._cli._warned import collected_warnings

__all__ = ["EventCount", "Transition", "scan_traces"]

_MOST_REASONS = 3
_LEAST_FRACTION_OF_LARGEST = 0.3
_RARE = 0.05  # fraction of the events after an event
_EVENT, _WHOLE_TRACE = 0, 2  # columns of the scales of MultiscaleEventDetector
_START, _END = "the start", "the end"


@dataclass(frozen=True)
class Transition:
    """An event that is rare after the event before it.

    ``position`` counts the events of the trace from 1 on. ``n_times`` of the ``n_after`` events that come after an
    event like the one before are like this one, in all traces. ``fraction`` is its contribution divided by the sum of
    those of all events of the trace, in (0, 1].
    """

    event: str
    after: str
    position: int
    n_times: int
    n_after: int
    fraction: float

    @property
    def words(self) -> str:
        """The event, the one before and how often this happens."""
        return f"{self.event} after {self.after} (event {self.position}, {self.n_times:,} of {self.n_after:,})"


@dataclass(frozen=True)
class EventCount:
    """An event that a trace has unusually often or rarely, and the median number over all traces.

    ``fraction`` is the distance of the logarithms of one plus these numbers, divided by the sum over all events.
    """

    event: str
    n_times: int
    median: float
    fraction: float

    @property
    def words(self) -> str:
        """The event, its number and the usual one."""
        times = "once" if self.n_times == 1 else "never" if self.n_times == 0 else f"{self.n_times:,} times"
        return f"{self.event} {times} (median {self.median:g})"


@dataclass(frozen=True)
class _Log:
    """Traces, the time and label of each, and the remarks about the table."""

    traces: list[list[str]]
    ids: list[str]
    labels: NDArray[np.int64] | None
    starts: NDArray[Any] | None
    texts: list[str]
    remarks: list[str]


def scan_traces(
    path: str | Path,
    *,
    trace: str,
    event: str,
    time: str | None = None,
    detector: str | None = None,
    contamination: float | None = None,
    top: int = 10,
    random_state: int | None = 0,
    label: str | None = None,
    explain_anomalies: bool = False,
    progress: Progress | None = None,
) -> ScanResult:
    """Score every trace of a table with one event a row.

    Parameters
    ----------
    path : str or Path
        CSV or Parquet file.
    trace, event : str
        Columns of the trace that an event is of, and of the event.
    time : str or None
        Column of times, by which the events of a trace are sorted; None keeps the order of the table.
    detector : str or None
        Name of a detector in :mod:`skanomaly.events`; None is the default.
    contamination : float or None
        Fraction of traces to flag as anomalies, in (0, 0.5]; None uses the median of its posterior distribution.
    top : int
        Number of most anomalous traces to explain.
    random_state : int or None
    label : str or None
        Column of labels, which are only used to evaluate the scores; a trace with an anomalous row is an anomaly.
    explain_anomalies : bool, default=False
        Whether to explain also the anomalies that are not shown.
    progress : Progress or None

    Returns
    -------
    ScanResult

    Raises
    ------
    InputError
        If an option or the table is invalid.
    """
    progress = progress or Progress()
    check_options(contamination, top, random_state)
    name = detector or EVENT_DEFAULT
    model = build_detector(name, random_state=random_state, n_jobs=None, kind="traces")
    progress.stage("Reading")
    table = read_table(path, label=label, texts=[trace, event])
    log = _read_log(table, trace, event, time)
    messages: list[str] = []
    progress.stage(f"Fitting and scoring {type(model).__name__}")
    with collected_warnings(messages, type(model).__name__):
        model.fit(log.traces)
        scores = np.asarray(model.score_samples(log.traces), dtype=np.float64)
    estimate = contamination_of(contamination, scores[:, None], random_state, progress, scores=True)
    ranking = rank(scores, estimate.fraction)
    threshold, shown = ranking.threshold, ranking.order[:top]
    progress.stage("Explaining")
    rest = ranking.flagged_but(shown) if explain_anomalies else shown[:0]
    explained, origin = _reasons(model, log.traces, np.concatenate([shown, rest]))
    lengths = np.array([len(tokens) for tokens in log.traces])
    return ScanResult(
        table_name=table.name,
        n_rows=len(scores),
        n_columns=table.frame.shape[1],
        n_used=2,
        n_blank_rows=0,
        remarks=[*log.remarks, *messages],
        notes=[],
        detector=type(model).__name__,
        random_state=None,
        scores=scores,
        ranks=ranking.ranks,
        threshold=threshold,
        contamination=estimate,
        top=shown,
        reasons=explained[: len(shown)],
        reasons_origin=origin,
        labels=log.labels,
        evaluation=evaluate(log.labels, table.label_name, scores, threshold),
        drift=DriftResult(None, remark="not tested for traces"),
        time_order=None if log.starts is None or time is None else _trace_order(time, log.starts, log.texts),
        used=[trace, event],
        ids=log.ids,
        id_name=trace,
        further=dict(zip(rest.tolist(), explained[len(shown) :], strict=True)),
        noun="trace",
        size=f"{len(scores):,} traces of {lengths.sum():,} events, {model.n_tokens_:,} of them distinct",
        lengths=lengths,
    )


def _trace_order(column: str, starts: NDArray[Any], texts: list[str]) -> TimeOrder:
    """Order traces by the time of their first event."""
    order = np.argsort(starts, kind="stable").astype(np.intp)
    return TimeOrder(column, order, texts, starts[order], np.zeros(len(order), dtype=np.intp), [""], regular=False)


def _read_log(table: Table, trace: str, event: str, time: str | None) -> _Log:
    """Group the rows of a table by trace."""
    import pandas as pd

    from skanomaly.events import from_long_events

    ids, events = _texts(table, trace, "--trace"), _texts(table, event, "--event")
    order, remarks = np.arange(len(ids)), [*table.remarks]
    times, texts = None, [""] * len(ids)
    if time is not None:
        place = find_column(table, time, "--time")
        texts = table.frame.iloc[:, place].astype(str).tolist()
        times = read_times(table.frame.iloc[:, place], time)
        order = np.argsort(times, kind="stable")
        if (np.diff(order) < 0).any():
            remarks.append(f"Rows were sorted by {time}.")
    traces, _ = from_long_events({"id": ids[order], "event": events[order]}, id_column="id", event_column="event")
    codes, names = pd.factorize(ids[order])
    if len(names) < 2:
        raise InputError(f"--trace: all rows are of one trace, {names[0]}; at least two traces are needed.")
    if len(names) == len(codes):
        remarks.append(f"Every trace has one event: check that {trace} names sessions, jobs or users, not rows.")
    firsts = order[np.flatnonzero(~pd.Series(codes).duplicated().to_numpy())]
    labels = None
    if table.labels is not None:
        low, high = np.zeros((2, len(names)), dtype=np.int64)
        np.minimum.at(low, codes, table.labels[order])
        np.maximum.at(high, codes, table.labels[order])
        labels = np.where(low < 0, -1, high)
    return _Log(
        traces,
        [str(name) for name in names],
        labels,
        None if times is None else times[firsts],
        [texts[row] for row in firsts],
        remarks,
    )


def _texts(table: Table, column: str, option: str) -> NDArray[Any]:
    """Return a column as text; whole numbers without decimals."""
    cells = table.frame.iloc[:, find_column(table, column, option)]
    missing = (cells.isna() | (cells.astype(str).str.strip() == "")).to_numpy()
    if missing.any():
        row = int(np.argmax(missing))
        what = "trace" if option == "--trace" else "event"
        raise InputError(f"{option}: {column} has no {what} in row {row}; fill it in, or drop the row.")
    return cells.astype(str).str.strip().to_numpy(dtype=object)


def _reasons(model: Any, traces: list[list[str]], rows: NDArray[np.intp]) -> tuple[list[list[Any]], str]:
    """Return why some traces are anomalous: their rare events, or unusual numbers of events."""
    from skanomaly.events import EventCountDetector, MultiscaleEventDetector

    name = type(model).__name__
    chosen = [traces[row] for row in rows]
    origin = f"their scores ({name}.score_events)"
    by_count = np.zeros(len(rows), dtype=bool)
    if isinstance(model, EventCountDetector):
        by_count[:], origin = True, "the distance of their number from the median of all traces"
    elif isinstance(model, MultiscaleEventDetector):
        scales = model.score_scales(chosen)
        by_count = scales[:, _WHOLE_TRACE] < scales[:, _EVENT]
        origin += ", or by their number where that is more anomalous"
    transitions, counts = _Transitions(traces), _Counts(traces)
    found: list[list[Any]] = []
    for tokens, counted, scores in zip(chosen, by_count, model.score_events(chosen), strict=True):
        reasons: list[Any] = list(transitions.reasons(tokens, -scores))
        if counted:
            rare = [item for item in reasons if item.n_times <= _RARE * item.n_after]
            reasons = [*rare, *counts.reasons(tokens)][:_MOST_REASONS]
        found.append(reasons)
    return found, origin


class _Transitions:
    """How often each event comes after each other one, in all traces."""

    def __init__(self, traces: Sequence[Sequence[str]]) -> None:
        import pandas as pd

        pairs: dict[tuple[str | None, str | None], int] = {}
        before: dict[str | None, int] = {}
        froms = [None if place == 0 else tokens[place - 1] for tokens in traces for place in range(len(tokens) + 1)]
        tos = [tokens[place] if place < len(tokens) else None for tokens in traces for place in range(len(tokens) + 1)]
        # None is both the start and the end.
        (from_codes, from_names), (to_codes, to_names) = (
            pd.factorize(np.array(side, dtype=object), use_na_sentinel=False) for side in (froms, tos)
        )
        keys, counts = np.unique(from_codes.astype(np.int64) * len(to_names) + to_codes, return_counts=True)
        for key, number in zip(keys.tolist(), counts.tolist(), strict=True):
            first, second = from_names[key // len(to_names)], to_names[key % len(to_names)]
            first, second = first if isinstance(first, str) else None, second if isinstance(second, str) else None
            pairs[first, second] = number
            before[first] = before.get(first, 0) + number
        self._pairs, self._before = pairs, before

    def reasons(self, tokens: Sequence[str], outlyingness: NDArray[Any]) -> list[Transition]:
        """Return the most anomalous events of a trace, with the one before each of them."""
        weight = np.maximum(outlyingness, 0.0)
        total = float(weight.sum())
        if total <= 0:
            return []
        places = np.argsort(-weight, kind="stable")[:_MOST_REASONS]
        kept = [place for place in places if weight[place] >= _LEAST_FRACTION_OF_LARGEST * weight[places[0]]]
        return [self._transition(tokens, int(place), float(weight[place]) / total) for place in kept]

    def _transition(self, tokens: Sequence[str], place: int, fraction: float) -> Transition:
        after = tokens[place - 1] if place > 0 else None
        event: str | None = tokens[place]
        n_times, n_after = self._pairs[after, event], self._before[after]
        if place == len(tokens) - 1:  # the end of the trace scores with its last event
            ends = self._pairs[event, None]
            if ends * n_after < n_times * self._before[event]:
                after, event, n_times, n_after, place = event, None, ends, self._before[event], place + 1
        return Transition(event or _END, after or _START, place + 1, n_times, n_after, fraction)


class _Counts:
    """The median number of each event over all traces."""

    def __init__(self, traces: Sequence[Sequence[str]]) -> None:
        import pandas as pd

        rows = np.repeat(np.arange(len(traces)), [len(tokens) for tokens in traces])
        codes, names = pd.factorize(np.array([token for tokens in traces for token in tokens], dtype=object))
        keys, numbers = np.unique(codes.astype(np.int64) * len(traces) + rows, return_counts=True)
        starts = np.searchsorted(keys // len(traces), np.arange(len(names) + 1))
        self._medians = {}
        for code, name in enumerate(names):
            found = numbers[starts[code] : starts[code + 1]]
            n_none = len(traces) - len(found)  # traces without this event
            middle = [(len(traces) - 1) // 2, len(traces) // 2]
            ascending = np.sort(found)
            self._medians[name] = float(
                np.mean([0 if place < n_none else ascending[place - n_none] for place in middle])
            )

    def reasons(self, tokens: Sequence[str]) -> list[EventCount]:
        """Return the events whose number is farthest from the median, in logarithms."""
        numbers = dict.fromkeys(self._medians, 0)
        for token in tokens:
            numbers[token] += 1
        names = list(self._medians)
        medians = np.array([self._medians[name] for name in names])
        weight = np.abs(np.log1p([numbers[name] for name in names]) - np.log1p(medians))
        total = float(weight.sum())
        if total <= 0:
            return []
        places = np.argsort(-weight, kind="stable")[:_MOST_REASONS]
        return [
            EventCount(names[place], numbers[names[place]], float(medians[place]), float(weight[place]) / total)
            for place in places
            if weight[place] >= _LEAST_FRACTION_OF_LARGEST * weight[places[0]]
        ]
