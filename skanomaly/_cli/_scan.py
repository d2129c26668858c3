"""The scan: score every row of a table, and explain the most anomalous ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._contamination import Contamination, estimate_contamination
from skanomaly._cli._detectors import DEFAULT, SERIES_DEFAULT, build_detector
from skanomaly._cli._drift import DriftResult, check_drift
from skanomaly._cli._errors import InputError
from skanomaly._cli._prepare import Note, Prepared, prepare
from skanomaly._cli._read import Table, check_columns, read_table
from skanomaly._cli._series import Event, find_series_events, score_series
from skanomaly._cli._time import TimeOrder, sort_by_time
from skanomaly._cli._warned import collected_warnings
from skanomaly._support._scales import usable_scale

__all__ = [
    "Evaluation",
    "Progress",
    "Reason",
    "ScanResult",
    "check_options",
    "evaluate",
    "scan",
]

_BLOCK_ROWS = 32768
_FEWEST_ROWS_FOR_THREADS = 20000
_DEFAULT_CONTAMINATION = 0.1
_MOST_REASONS = 3
_MOST_EXPLAINED = 10_000
# Most rows that are scored to explain the rows shown, if the detector has no contributions of its own.
_MOST_PERMUTED_ROWS = 80_000
_FEWEST_BACKGROUND = 4
_MOST_BACKGROUND = 32
# A further column is named if its contribution is at least this fraction of the largest.
_LEAST_FRACTION_OF_LARGEST = 0.3


class Progress:
    """Receives the stages of a scan and their progress; this base class ignores them."""

    def stage(self, name: str) -> None:
        """Begin a stage."""

    def advance(self, fraction: float) -> None:
        """Report the fraction of the stage that is done."""


@dataclass(frozen=True)
class Reason:
    """A column that contributes to the score of a row: its value, and whether that is above the median of the column.

    ``fraction`` is its contribution divided by the sum of the positive contributions, in (0, 1].
    """

    column: str
    value: float
    above: bool
    fraction: float


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
    ``ids`` are the texts of the column ``id_name`` that identify the rows. ``noun`` is what the rows are, ``size`` what
    is said of their number if they are no rows of a table.
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
    ranks: NDArray[np.int64]
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
    ids: list[str] | None = None
    id_name: str = ""
    further: dict[int, list[Reason]] = field(default_factory=dict)
    noun: str = "row"
    size: str = ""
    lengths: NDArray[np.int64] | None = None

    def row_name(self, row: int) -> str:
        """Return the identifier of a row if there is one, otherwise its number."""
        return str(row) if self.ids is None else self.ids[row]

    @property
    def explained(self) -> dict[int, list[Reason]]:
        """The columns that contribute to the scores of some rows, by the number of the row."""
        return {**self.further, **dict(zip(self.top.tolist(), self.reasons, strict=True))}

    @property
    def flags(self) -> NDArray[np.int64]:
        """-1 for rows with a score below the threshold, +1 for the others."""
        return np.where(self.scores < self.threshold, -1, 1).astype(np.int64)

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
    kind = "rows" if time is None else "series"
    name = detector or (DEFAULT if time is None else SERIES_DEFAULT)
    build_detector(name, random_state=random_state, n_jobs=None, kind=kind)  # raises before the table is read
    progress.stage("Reading")
    table, time_order = read_table(path, label=label, id_column=id_column), None
    check_columns(table, use)
    if time is not None:
        table, time_order = sort_by_time(table, time, by)
    progress.stage("Preparing columns")
    prepared = prepare(table, progress.advance, series=time is not None, use=use)
    n_rows = len(prepared.filled)
    n_jobs = -1 if n_rows > _FEWEST_ROWS_FOR_THREADS else None
    model = build_detector(name, random_state=random_state, n_jobs=n_jobs, kind=kind)
    if time_order is None:
        (scores, remarks), window = _scores(model, prepared.scaled, progress), 1
    else:
        progress.stage(f"Fitting and scoring {type(model).__name__}")
        rows = np.where(prepared.missing, np.nan, prepared.scaled)
        scores, remarks, window = score_series(model, rows, time_order)
    scored = ~np.isnan(scores)
    estimate = _contamination(contamination, prepared, None if time is None else scores[scored], random_state, progress)
    order = np.argsort(scores, kind="stable")
    ranks = np.argsort(order).astype(np.int64) + 1
    threshold = float(np.percentile(scores[scored], 100.0 * estimate.fraction))
    events, n_events = None, 0
    shown = order[:top]
    if time_order is not None:
        events, n_events = find_series_events(scores, threshold, window, top, time_order)
        shown = np.argsort(time_order.order)[[event.peak for event in events]]
    progress.stage("Explaining")
    reasons, origin = _reasons(model, prepared, table, shown, scores, random_state)
    further: dict[int, list[Reason]] = {}
    if explain_anomalies and hasattr(model, "feature_contributions"):
        rows = order[:_MOST_EXPLAINED]
        rows = np.setdiff1d(rows[scores[rows] < threshold], shown)
        found = _reasons(model, prepared, table, rows, scores, random_state)[0] if len(rows) else []
        further = dict(zip(rows.tolist(), found, strict=True))
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
        n_rows=n_rows,
        n_columns=table.frame.shape[1],
        n_used=len(prepared.names),
        n_blank_rows=prepared.n_blank_rows,
        remarks=[*table.remarks, *remarks],
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
    )


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


def _contamination(
    given: float | None,
    prepared: Prepared,
    scores: NDArray[np.float64] | None,
    random_state: int | None,
    progress: Progress,
) -> Contamination:
    """Return the contamination if it is given, otherwise estimate it from the rows, or from the scores of a series."""
    if given is not None:
        return Contamination(given)
    progress.stage("Estimating contamination")
    return estimate_contamination(
        prepared.scaled if scores is None else scores[:, None],
        default=_DEFAULT_CONTAMINATION,
        random_state=random_state,
        scores=scores is not None,
    )


def _drift(
    prepared: Prepared, time_order: TimeOrder | None, *, random_state: int | None, n_jobs: int | None
) -> DriftResult:
    """Test rows in their order; those of a series without the ones that have missing values."""
    if time_order is None:
        return check_drift(prepared.scaled, random_state=random_state, n_jobs=n_jobs)
    if len(time_order.sensors) > 1:
        return DriftResult(None, remark="not tested, since rows are of several series")
    whole = np.flatnonzero(~prepared.missing.any(axis=1))
    drift = check_drift(prepared.scaled[whole], random_state=random_state, n_jobs=n_jobs)
    return replace(
        drift,
        change_point=None if drift.change_point is None else int(whole[drift.change_point]),
        n_queries=len(prepared.scaled) if drift.n_queries == len(whole) else drift.n_queries,
    )


def _scores(model: Any, rows: NDArray[np.float64], progress: Progress) -> tuple[NDArray[np.float64], list[str]]:
    """Fit and score in blocks, which gives the same scores; also return the warnings of the detector."""
    name = type(model).__name__
    progress.stage(f"Fitting {name}")
    messages: list[str] = []
    with collected_warnings(messages, name):
        model.fit(rows)
        progress.stage("Scoring rows")
        parts = []
        for start in range(0, len(rows), _BLOCK_ROWS):
            parts.append(model.score_samples(rows[start : start + _BLOCK_ROWS]))
            progress.advance(min(1.0, (start + _BLOCK_ROWS) / len(rows)))
    scores = np.concatenate(parts).astype(np.float64)
    if np.isnan(scores).any():
        raise InputError(
            f"{name} gave no score for {np.count_nonzero(np.isnan(scores))} rows; choose another --detector."
        )
    return scores, messages


def _reasons(
    model: Any,
    prepared: Prepared,
    table: Table,
    rows: NDArray[np.int64],
    scores: NDArray[np.float64],
    random_state: int | None,
) -> tuple[list[list[Reason]], str]:
    """Return the columns that contribute most to the score of each row, by decreasing contribution."""
    weights, origin = _weights(model, prepared.scaled, rows, scores, random_state)
    positions = {str(name): index for index, name in enumerate(table.frame.columns)}
    medians = np.median(prepared.filled, axis=0)
    found = []
    for row, weight in zip(rows, weights, strict=True):
        largest = np.argsort(-weight, kind="stable")[:_MOST_REASONS]
        total = weight[weight > 0].sum()
        found.append(
            [
                Reason(
                    prepared.names[index],
                    _shown(table, positions[prepared.names[index]], int(row), prepared.filled[row, index]),
                    bool(prepared.filled[row, index] > medians[index]),
                    float(weight[index] / total),
                )
                for index in largest
                if weight[index] > 0 and weight[index] >= _LEAST_FRACTION_OF_LARGEST * weight[largest[0]]
            ]
        )
    return found, origin


def _weights(
    model: Any,
    scaled: NDArray[np.float64],
    rows: NDArray[np.int64],
    scores: NDArray[np.float64],
    random_state: int | None,
) -> tuple[NDArray[np.float64], str]:
    """Return the contribution of each column to the scores of some rows, and a description of the method.

    Large contributions make a row more anomalous. The contributions of the detector itself are used if it has them,
    otherwise those of permutations, or robust z-scores if permutations would take too long.
    """
    from skanomaly.inspection import PermutationExplainer, feature_contributions
    from skanomaly.sequence import SeriesDetector

    name = type(model).__name__
    if isinstance(model, SeriesDetector):
        origin = "the distance of their value at that time point from the median (robust z-score), not by the detector"
        return _robust_z_scores(scaled, rows), origin
    if hasattr(model, "feature_contributions"):
        return -feature_contributions(
            model, scaled[rows]
        ), f"their contribution to the score ({name}.feature_contributions)"
    n_background = min(_MOST_PERMUTED_ROWS // max(1, 2 * (scaled.shape[1] - 1) * len(rows)), _MOST_BACKGROUND)
    if n_background < _FEWEST_BACKGROUND:
        origin = "the distance of their value from the median (robust z-score), not by the detector"
        return _robust_z_scores(scaled, rows), origin
    explainer = PermutationExplainer(
        background=scaled[scores >= np.median(scores)], n_background=n_background, random_state=random_state
    )
    origin = f"their effect on the score of {name}, compared with typical rows (PermutationExplainer)"
    return -feature_contributions(model, scaled[rows], method=explainer), origin


def _robust_z_scores(scaled: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the distance of each value from the median of its column, divided by 1.4826 times the MAD.

    If the MAD is 0, the standard deviation, which is 1 here, is used.
    """
    median = np.median(scaled, axis=0)
    mad = 1.4826 * np.median(np.abs(scaled - median), axis=0)
    return np.abs(scaled[rows] - median) / usable_scale(mad, np.maximum(np.abs(median), 1.0))


def _shown(table: Table, position: int, row: int, value: float) -> float:
    """Return the prepared value, or the infinity in the file that it replaced."""
    cell: Any = table.frame.iat[row, position]
    try:
        original = float(cell)
    except (TypeError, ValueError):
        return value
    return original if np.isinf(original) else value


def evaluate(
    labels: NDArray[np.int64] | None, label_name: str, scores: NDArray[np.float64], threshold: float
) -> Evaluation | None:
    """Evaluate the scores of the labelled rows, if both classes occur."""
    if labels is None:
        return None
    scored = ~np.isnan(scores)
    labels, scores = labels[scored], scores[scored]
    if not {-1, 1} <= set(labels.tolist()):
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
