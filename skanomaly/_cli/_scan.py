"""The scan: score every row of a table, and explain the most anomalous ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._contamination import Contamination, estimate_contamination
from skanomaly._cli._detectors import DEFAULT, SERIES_DEFAULT, build_detector, takes_mixed
from skanomaly._cli._drift import DriftResult, check_drift
from skanomaly._cli._errors import InputError
from skanomaly._cli._in_pieces import FilePieces, Sample, pieces_of, read_sample
from skanomaly._cli._prepare import Note, Prepared, prepare
from skanomaly._cli._read import Table, check_columns, read_table, with_labels
from skanomaly._cli._reasons import Reason, find_reasons
from skanomaly._cli._scan_pieces import score_pieces
from skanomaly._cli._series import Event, find_series_events, score_series
from skanomaly._cli._time import TimeOrder, sort_by_time
from skanomaly._cli._warned import collected_warnings
from skanomaly._support._rows import take_rows

__all__ = [
    "Evaluation",
    "Progress",
    "Ranking",
    "ScanResult",
    "check_options",
    "contamination_of",
    "evaluate",
    "rank",
    "scan",
]

_BLOCK_ROWS = 32768
_FEWEST_ROWS_FOR_THREADS = 20000
_DEFAULT_CONTAMINATION = 0.1
_MOST_EXPLAINED = 10_000


@dataclass(frozen=True)
class Ranking:
    """Order of the scores, and the threshold below which they are anomalies; what has no score comes last."""

    scores: NDArray[np.float64]
    order: NDArray[np.intp]
    ranks: NDArray[np.int64]
    threshold: float

    def flagged_but(self, shown: NDArray[Any]) -> NDArray[np.intp]:
        """Return the first anomalies without those shown, the most anomalous first."""
        first = self.order[:_MOST_EXPLAINED]
        first = first[self.scores[first] < self.threshold]
        return first[~np.isin(first, shown)]


def rank(scores: NDArray[np.float64], contamination: float) -> Ranking:
    """Rank scores from 1 for the most anomalous one, and place the threshold at a fraction of them."""
    order = np.argsort(scores, kind="stable")
    threshold = float(np.percentile(scores[~np.isnan(scores)], 100.0 * contamination))
    return Ranking(scores, order, np.argsort(order).astype(np.int64) + 1, threshold)


class Progress:
    """Receives the stages of a scan and their progress; this base class ignores them."""

    def stage(self, name: str) -> None:
        """Begin a stage."""

    def advance(self, fraction: float) -> None:
        """Report the fraction of the stage that is done."""


@dataclass(frozen=True)
class Evaluation:
    """How well the scores rank the labelled anomalies.

    ``false_alarm_rate`` is the fraction of the labelled normal rows below the threshold, ``n_detected`` the number of
    labelled anomalies below it.
    """

    label_name: str
    auroc: float
    average_precision: float
    n_anomalies: int
    n_labelled: int
    false_alarm_rate: float
    n_detected: int


@dataclass(frozen=True)
class ScanResult:
    """Result of a scan, without any formatting.

    ``top`` has the rows shown and ``reasons`` their explanations; ``further`` has those of other rows, by number.
    ``ids`` are the texts of the column ``id_name`` that identify the rows. ``noun`` is what the rows are, ``size``
    what is said of their number if they are no rows of a table. ``ranks`` are those of all rows, or, of a file in
    pieces whose scores are not written, a mapping of the rows shown. ``keeps_missing`` is whether the detector
    received missing values, ``n_categorical`` how many columns are categories, ``expected_origin`` what is expected
    of the values of a series.
    """

    table_name: str
    n_rows: int
    n_columns: int
    n_used: int
    n_blank_rows: int
    remarks: list[str]
    notes: list[Note]
    detector: str
    random_state: int | None
    scores: NDArray[np.float64]
    ranks: Any
    threshold: float
    contamination: Contamination
    top: NDArray[np.int64]
    reasons: list[list[Reason]]
    reasons_origin: str
    labels: NDArray[np.int64] | None
    evaluation: Evaluation | None
    drift: DriftResult
    time_order: TimeOrder | None = None
    events: list[Event] | None = None
    n_events: int = 0
    used: list[str] = field(default_factory=list)
    ids: Any = None
    id_name: str = ""
    further: dict[int, list[Reason]] = field(default_factory=dict)
    noun: str = "row"
    size: str = ""
    lengths: NDArray[np.int64] | None = None
    keeps_missing: bool = False
    n_categorical: int = 0
    expected_origin: str = ""

    def row_name(self, row: int) -> str:
        """Return the identifier of a row if there is one, otherwise its number."""
        return str(row) if self.ids is None else str(self.ids[row])

    @property
    def explained(self) -> dict[int, list[Reason]]:
        """The columns that contribute to the scores of some rows, by the number of the row."""
        return {**self.further, **dict(zip(self.top.tolist(), self.reasons, strict=True))}

    @property
    def flags(self) -> NDArray[np.int64]:
        """-1 for rows with a score below the threshold, +1 for the others."""
        return np.where(self.scores < self.threshold, -1, 1).astype(np.int64)

    @property
    def n_anomalies(self) -> int:
        """Number of rows with a score below the threshold."""
        return int(np.count_nonzero(self.scores < self.threshold))

    @property
    def change(self) -> str:
        """The row of the change point, with its time if there is one; empty without a change point."""
        position = self.drift.change_point
        if position is None:
            return ""
        if self.time_order is not None:
            return self.time_order.describe(position)
        return f"row {position}" if self.ids is None else f"row {position} ({self.id_name} {self.ids[position]})"


def scan(
    path: str | Path | None = None,
    *,
    detector: str | None = None,
    contamination: float | None = None,
    top: int = 10,
    random_state: int | None = 0,
    label: str | None = None,
    time: str | None = None,
    by: str | None = None,
    use: Sequence[str] = (),
    id_column: str | None = None,
    explain_anomalies: bool = False,
    chunk_rows: int | None = None,
    progress: Progress | None = None,
) -> ScanResult:
    """Score every row of a table.

    Parameters
    ----------
    path : str, Path or None
        CSV, Parquet or npz file; None is the embedded table.
    detector : str or None
        Name of a detector in :mod:`skanomaly.detectors`, or ``"IsolationForest"``; with `time`, in
        :mod:`skanomaly.sequence`. None is the default.
    contamination : float or None
        Fraction of rows to flag as anomalies, in (0, 0.5]; None uses the median of its posterior distribution.
    top : int
        Number of most anomalous rows to explain.
    random_state : int or None
    label : str or None
        Column of labels, which are only used to evaluate the scores; ``COLUMN=VALUE`` names the label of the anomalies.
    time : str or None
        Column of times; the rows are then a series, and each time point is scored.
    by : str or None
        Column of sensors, with `time`: each is a series of its own.
    use : sequence of str
        Columns that are scored even if they look like identifiers or are stored as text.
    id_column : str or None
        Column that identifies the rows; it is not scored.
    explain_anomalies : bool, default=False
        Whether to explain also the anomalies that are not shown, if the detector has contributions of its own.
    chunk_rows : int or None
        Read a CSV or Parquet file in pieces of so many rows; None does so for files above 512 MB. A table that is not
        larger than the sample is scanned as it is in memory.
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
    check_options(contamination, top, random_state, time, by)
    kind, name = ("rows", detector or DEFAULT) if time is None else ("series", detector or SERIES_DEFAULT)
    # Raises before the table is read.
    model = build_detector(name, random_state=random_state, n_jobs=None, kind=kind)
    progress.stage("Reading")
    table, time_order = _opened(path, label=label, id_column=id_column, time=time, chunk_rows=chunk_rows), None
    if isinstance(table, tuple):
        pieces, sample = table
        return _scan_in_pieces(
            pieces, sample, name, contamination, top, random_state, progress, label, id_column, use, explain_anomalies
        )
    check_columns(table, use)
    if time is not None:
        table, time_order = sort_by_time(table, time, by)
    progress.stage("Preparing columns")
    takes = {} if time is not None else dict(zip(("categories", "keep_missing"), takes_mixed(model), strict=True))
    prepared = prepare(table, progress.advance, series=time is not None, use=use, **takes)
    n_jobs = -1 if len(prepared.filled) > _FEWEST_ROWS_FOR_THREADS else None
    model = build_detector(name, random_state=random_state, n_jobs=n_jobs, kind=kind)
    series = None
    if time_order is None:
        (scores, remarks), window = _scores(model, prepared.given, progress), 1
    else:
        progress.stage(f"Fitting and scoring {type(model).__name__}")
        series = score_series(model, np.where(prepared.missing, np.nan, prepared.scaled), time_order)
        scores, remarks, window = series.scores, series.messages, series.window
    by_scores = time is not None or not prepared.has_numbers
    rows = scores[~np.isnan(scores), None] if by_scores else prepared.numbers
    estimate = contamination_of(contamination, rows, random_state, progress, scores=by_scores)
    ranking = rank(scores, estimate.fraction)
    ranks, threshold = ranking.ranks, ranking.threshold
    events, n_events, shown = None, 0, ranking.order[:top]
    if time_order is not None:
        events, n_events = find_series_events(scores, threshold, window, top, time_order)
        shown = np.argsort(time_order.order)[[event.peak for event in events]]
    progress.stage("Explaining")
    reasons, origin = find_reasons(model, prepared, table, shown, scores, random_state, series)
    rest = ranking.flagged_but(shown)
    further: dict[int, list[Reason]] = {}
    if explain_anomalies and hasattr(model, "feature_contributions") and len(rest):
        found = find_reasons(model, prepared, table, rest, scores, random_state, series)[0]
        further = dict(zip(rest.tolist(), found, strict=True))
    progress.stage("Testing for drift")
    drift = _drift(prepared, time_order, random_state=random_state, n_jobs=n_jobs)
    evaluation = evaluate(table.labels, table.label_name, scores, threshold)
    labels, ids = table.labels, table.ids
    if time_order is not None:  # from the order of time back to that of the table
        scores, ranks = time_order.restore(scores), time_order.restore(ranks)
        further = {int(time_order.order[row]): reason for row, reason in further.items()}
        shown = time_order.order[shown]
        labels = None if labels is None else time_order.restore(labels)
        ids = None if ids is None else time_order.restore(np.array(ids, dtype=object)).tolist()
    return ScanResult(
        table_name=table.name,
        n_rows=len(prepared.filled),
        n_columns=table.frame.shape[1],
        n_used=len(prepared.names),
        n_blank_rows=prepared.n_blank_rows,
        remarks=[*table.remarks, *remarks, *_parts_used(prepared, contamination, type(model).__name__)],
        notes=prepared.notes,
        detector=type(model).__name__,
        random_state=random_state,
        scores=scores,
        ranks=ranks,
        threshold=threshold,
        contamination=estimate,
        top=shown,
        reasons=reasons,
        reasons_origin=origin,
        expected_origin="" if series is None else series.origin,
        labels=labels,
        evaluation=evaluation,
        drift=drift,
        time_order=time_order,
        events=events,
        n_events=n_events,
        used=prepared.names,
        ids=ids,
        id_name=table.id_name,
        further=further,
        keeps_missing=prepared.keeps_missing,
        n_categorical=sum(known is not None for known in prepared.levels),
    )


def _opened(
    path: str | Path | None, *, label: str | None, id_column: str | None, time: str | None, chunk_rows: int | None
) -> Table | tuple[FilePieces, Sample]:
    """Read a table, or a sample of a file that is read in pieces."""
    if time is not None:
        if chunk_rows is not None:
            raise InputError("--chunk-rows cannot be used with --time: a series is scored as a whole.")
        return read_table(path, label=label, id_column=id_column)
    pieces = pieces_of(path, chunk_rows, [] if id_column is None else [id_column])
    if pieces is None:
        return read_table(path, label=label, id_column=id_column)
    sample = read_sample(pieces)
    return with_labels(sample.table, label=label, id_column=id_column) if sample.is_complete else (pieces, sample)


def _scan_in_pieces(
    pieces: FilePieces,
    sample: Sample,
    detector: str,
    contamination: float | None,
    top: int,
    random_state: int | None,
    progress: Progress,
    label: str | None,
    id_column: str | None,
    use: Sequence[str],
    explain_anomalies: bool,
) -> ScanResult:
    """Scan a file in pieces."""
    n_jobs = -1 if sample.n_rows > _FEWEST_ROWS_FOR_THREADS else None
    found = score_pieces(
        pieces,
        sample,
        build_detector(detector, random_state=random_state, n_jobs=n_jobs),
        label=label,
        id_column=id_column,
        use=use,
        n_kept=max(top, _MOST_EXPLAINED if explain_anomalies else 0),
        keeps_ids=explain_anomalies,
        progress=progress,
    )
    prepared, scores = found.prepared, found.scores
    by_scores = not prepared.has_numbers
    rows = scores[sample.rows, None] if by_scores else prepared.numbers
    estimate = contamination_of(contamination, rows, random_state, progress, scores=by_scores)
    threshold = float(np.percentile(scores, 100.0 * estimate.fraction))
    progress.stage("Explaining")
    shown = found.lowest.rows[:top]
    reasons, origin = found.reasons(shown, random_state)
    rest = found.lowest.rows[top:][found.lowest.scores[top:] < threshold]
    further: dict[int, list[Reason]] = {}
    if explain_anomalies and hasattr(found.model, "feature_contributions") and len(rest):
        further = dict(zip(rest.tolist(), found.reasons(rest, random_state)[0], strict=True))
    progress.stage("Testing for drift")
    drift = found.drift(random_state=random_state, n_jobs=n_jobs)
    name = type(found.model).__name__
    return ScanResult(
        table_name=sample.table.name,
        n_rows=sample.n_rows,
        n_columns=found.n_columns,
        n_used=len(prepared.names),
        n_blank_rows=found.n_blank_rows,
        remarks=[*found.remarks, *_parts_used(prepared, contamination, name)],
        notes=prepared.notes,
        detector=name,
        random_state=random_state,
        scores=scores,
        ranks=_ranks(scores) if explain_anomalies else {int(row): place + 1 for place, row in enumerate(shown)},
        threshold=threshold,
        contamination=estimate,
        top=shown,
        reasons=reasons,
        reasons_origin=origin,
        labels=found.labels,
        evaluation=evaluate(found.labels, found.label_name, scores, threshold),
        drift=drift,
        used=prepared.names,
        ids=found.ids,
        id_name=id_column or "",
        further=further,
        keeps_missing=prepared.keeps_missing,
        n_categorical=sum(known is not None for known in prepared.levels),
    )


def _ranks(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rank scores from 1 for the most anomalous one, with little memory."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores), dtype=np.int64)
    for start in range(0, len(order), _BLOCK_ROWS):
        part = order[start : start + _BLOCK_ROWS]
        ranks[part] = np.arange(start + 1, start + len(part) + 1)
    return ranks


def _parts_used(prepared: Prepared, contamination: float | None, name: str) -> list[str]:
    """Say what the detector, and the estimates of contamination and drift, did not receive."""
    if prepared.n_text_left_out:
        return [f"{name} takes numbers only; {DEFAULT} also scores text that forms categories."]
    if not prepared.has_categories:
        return []
    estimated = "" if contamination is not None else "contamination and "
    if prepared.has_numbers:
        sentence = f"{estimated}drift are estimated from the numbers alone, without the categories."
        return [sentence.capitalize() if estimated else "Drift is tested in the numbers alone, without the categories."]
    return ["Contamination is estimated from the scores, since no column is numeric."] if estimated else []


def check_options(
    contamination: float | None, top: int, random_state: int | None, time: str | None = None, by: str | None = None
) -> None:
    """Raise an InputError for an option that is out of range."""
    if contamination is not None and not 0.0 < contamination <= 0.5:
        raise InputError(f"--contamination is {contamination:g}; it must be above 0 and at most 0.5.")
    if top < 1:
        raise InputError(f"--top is {top}; it must be at least 1.")
    if random_state is not None and not 0 <= random_state < 2**32:
        raise InputError(f"--random-state is {random_state}; it must be at least 0 and below 2**32.")
    if by is not None and time is None:
        raise InputError("--by needs --time, the column of the times of each sensor.")


def contamination_of(
    given: float | None,
    rows: NDArray[np.float64],
    random_state: int | None,
    progress: Progress,
    *,
    scores: bool,
) -> Contamination:
    """Return the contamination if it is given, otherwise estimate it from rows, or from scores of anything else."""
    if given is not None:
        return Contamination(given)
    progress.stage("Estimating contamination")
    return estimate_contamination(rows, default=_DEFAULT_CONTAMINATION, random_state=random_state, scores=scores)


def _drift(
    prepared: Prepared, time_order: TimeOrder | None, *, random_state: int | None, n_jobs: int | None
) -> DriftResult:
    """Test rows in their order; those of a series without the ones that have missing values."""
    if time_order is None:
        if not prepared.has_numbers:
            return check_drift(prepared.given, random_state=random_state, n_jobs=n_jobs)
        return check_drift(prepared.numbers, random_state=random_state, n_jobs=n_jobs)
    if len(time_order.sensors) > 1:
        return DriftResult(None, remark="not tested, since rows are of several series")
    whole = np.flatnonzero(~prepared.missing.any(axis=1))
    drift = check_drift(prepared.scaled[whole], random_state=random_state, n_jobs=n_jobs)
    return replace(
        drift,
        change_point=None if drift.change_point is None else int(whole[drift.change_point]),
        n_queries=len(prepared.scaled) if drift.n_queries == len(whole) else drift.n_queries,
    )


def _scores(model: Any, rows: Any, progress: Progress) -> tuple[NDArray[np.float64], list[str]]:
    """Fit and score in blocks, which gives the same scores; also return the warnings of the detector."""
    name = type(model).__name__
    progress.stage(f"Fitting {name}")
    messages: list[str] = []
    with collected_warnings(messages, name):
        model.fit(rows)
        progress.stage("Scoring rows")
        parts = []
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = np.arange(start, min(start + _BLOCK_ROWS, len(rows)))
            parts.append(model.score_samples(take_rows(rows, block)))
            progress.advance(min(1.0, (start + _BLOCK_ROWS) / len(rows)))
    scores = np.concatenate(parts).astype(np.float64)
    if np.isnan(scores).any():
        raise InputError(
            f"{name} gave no score for {np.count_nonzero(np.isnan(scores))} rows; choose another --detector."
        )
    return scores, messages


def evaluate(
    labels: NDArray[np.int64] | None, label_name: str, scores: NDArray[np.float64], threshold: float
) -> Evaluation | None:
    """Evaluate the scores of the labelled rows, if both classes occur."""
    if labels is None:
        return None
    scored = ~np.isnan(scores)
    labels, scores = labels[scored], scores[scored]
    if not {-1, 1} <= set(np.unique(labels).tolist()):
        return None
    from skanomaly.metrics import average_precision_score, roc_auc_score

    return Evaluation(
        label_name,
        roc_auc_score(labels, scores),
        average_precision_score(labels, scores),
        int((labels == -1).sum()),
        int((labels != 0).sum()),
        float((scores[labels == 1] < threshold).mean()),
        int((scores[labels == -1] < threshold).sum()),
    )
