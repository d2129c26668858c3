"""The main job: score every row of a table, and say which are odd and why."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._contamination import Contamination, estimate_contamination
from skanomaly._cli._detectors import DEFAULT, SERIES_DEFAULT, build_detector
from skanomaly._cli._drift import DriftVerdict, drift_verdict
from skanomaly._cli._errors import InputError
from skanomaly._cli._prepare import Note, Prepared, prepare
from skanomaly._cli._read import Table, read_table
from skanomaly._cli._time import Moments, in_order, oddest_apart

__all__ = ["Judgement", "Progress", "Reason", "ScanResult", "scan"]

_BLOCK_ROWS = 32768
_ROWS_WORTH_THREADS = 20000
_DEFAULT_CONTAMINATION = 0.1
_MOST_REASONS = 3
# Rows scored, at the most, to explain those shown by a detector that cannot split its score itself.
_MOST_COPIES = 80_000
_FEWEST_BACKGROUND = 4
_MOST_BACKGROUND = 32
# A further column is named if it weighs at least this share of the first.
_LEAST_SHARE_OF_FIRST = 0.3
_TINY = np.finfo(np.float64).tiny


class Progress:
    """Hears of the stages of a scan and how far each has come; this one keeps it to itself."""

    def stage(self, name: str) -> None:
        """Begin a stage."""

    def advance(self, share: float) -> None:
        """Say what share of the stage, up to 1, is done."""


@dataclass(frozen=True)
class Reason:
    """A column that makes a row odd: its value, and whether that is above or below the column's median.

    ``share`` is its part in all that makes the row odd, in (0, 1].
    """

    column: str
    value: float
    above: bool
    share: float


@dataclass(frozen=True)
class Judgement:
    """How well the scores agree with the labels."""

    label_name: str
    auroc: float
    average_precision: float
    n_anomalies: int
    n_labelled: int


@dataclass(frozen=True)
class ScanResult:
    """All that a scan found; printing and writing are done elsewhere."""

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
    judgement: Judgement | None
    drift: DriftVerdict
    moments: Moments | None = None

    @property
    def flags(self) -> NDArray[np.int64]:
        """+1 for normal rows, -1 for those below the threshold."""
        return np.where(self.scores < self.threshold, -1, 1).astype(np.int64)

    @property
    def change(self) -> str:
        """The row of the table that begins what the drift test found to differ, and its time where there is one."""
        place = self.drift.change_point
        if place is None:
            return ""
        return f"row {place}" if self.moments is None else self.moments.name(place)


def scan(
    path: str | Path | None = None,
    *,
    detector: str | None = None,
    contamination: float | None = None,
    top: int = 10,
    random_state: int | None = 0,
    label: str | None = None,
    time: str | None = None,
    progress: Progress | None = None,
) -> ScanResult:
    """Score every row of a table.

    Parameters
    ----------
    path : str, Path or None
        CSV, Parquet or npz file; None is the embedded table.
    detector : str or None
        Name in :mod:`skanomaly.detectors`, or ``"IsolationForest"``; with `time`, of a detector of series in
        :mod:`skanomaly.sequence`. None is the default of either.
    contamination : float or None
        Share of rows to call anomalies, in (0, 0.5]; None takes the median of its posterior distribution.
    top : int
        How many of the oddest rows to explain.
    random_state : int or None
    label : str or None
        Column that holds labels; it is not scored.
    time : str or None
        Column that holds times: the rows are then a series, scored moment by moment.
    progress : Progress or None

    Returns
    -------
    ScanResult

    Raises
    ------
    InputError
        If an option or the table is at fault.
    """
    progress = progress or Progress()
    if contamination is not None and not 0.0 < contamination <= 0.5:
        raise InputError(f"--contamination is {contamination:g}; it must be above 0 and at most 0.5.")
    if top < 1:
        raise InputError(f"--top is {top}; it must be at least 1.")
    if random_state is not None and not 0 <= random_state < 2**32:
        raise InputError(f"--random-state is {random_state}; it must be at least 0 and below 2**32.")
    series = time is not None
    name = detector or (SERIES_DEFAULT if series else DEFAULT)
    build_detector(name, random_state=random_state, n_jobs=None, series=series)  # a wrong name is told before reading
    progress.stage("Reading")
    table, moments = read_table(path, label=label), None
    if time is not None:
        table, moments = in_order(table, time)
    progress.stage("Preparing columns")
    prepared = prepare(table, progress.advance)
    n_rows = len(prepared.filled)
    n_jobs = -1 if n_rows > _ROWS_WORTH_THREADS else None
    model = build_detector(name, random_state=random_state, n_jobs=n_jobs, series=series)
    scores, remarks = _scores(model, prepared.scaled, progress, at_once=series)
    if contamination is None:
        progress.stage("Estimating contamination")
        estimate = estimate_contamination(
            scores[:, None] if series else prepared.scaled,
            default=_DEFAULT_CONTAMINATION,
            random_state=random_state,
            scores=series,
        )
    else:
        estimate = Contamination(contamination)
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(n_rows, dtype=np.int64)
    ranks[order] = np.arange(1, n_rows + 1)
    gap = getattr(model, "context_size", 0) or getattr(model, "window_size_", 1)
    shown = oddest_apart(scores, top, gap) if series else order[:top]
    progress.stage("Explaining")
    reasons, origin = _reasons(model, prepared, table, shown, scores, random_state)
    progress.stage("Testing for drift")
    drift = drift_verdict(prepared.scaled, random_state=random_state, n_jobs=n_jobs)
    judgement = _judge(table, scores)
    labels = table.labels
    if moments is not None:  # from the order of time back to the table's rows
        scores, ranks, shown = moments.back(scores), moments.back(ranks), moments.order[shown]
        labels = None if labels is None else moments.back(labels)
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
        threshold=float(np.percentile(scores, 100.0 * estimate.share)),
        contamination=estimate,
        top=shown,
        reasons=reasons,
        reasons_origin=origin,
        labels=labels,
        judgement=judgement,
        drift=drift,
        moments=moments,
    )


def _scores(
    model: Any, rows: NDArray[np.float64], progress: Progress, *, at_once: bool
) -> tuple[NDArray[np.float64], list[str]]:
    """Fit, and score: a table in blocks, which gives the same scores as all at once; a series at once.

    What the detector warns of is returned, without remedies: they name parameters that the command does not have.
    """
    name = type(model).__name__
    progress.stage(f"Fitting {name}")
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", UserWarning)
            model.fit(rows)
            progress.stage("Scoring rows")
            parts = []
            size = len(rows) if at_once else _BLOCK_ROWS
            for start in range(0, len(rows), size):
                parts.append(model.score_samples(rows[start : start + size]))
                progress.advance(min(1.0, (start + size) / len(rows)))
    except (ValueError, ImportError, MemoryError) as error:
        raise InputError(f"{name} cannot score this table: {str(error) or type(error).__name__}") from error
    scores = np.concatenate(parts).astype(np.float64)
    if np.isnan(scores).any():
        raise InputError(f"{name} gave no score for {np.count_nonzero(np.isnan(scores))} rows; try another detector.")
    sentences = (" ".join(str(warning.message).split()).partition(". ")[0].rstrip(".") for warning in warned)
    return scores, [f"{name}: {sentence}." for sentence in dict.fromkeys(sentences)]


def _reasons(
    model: Any,
    prepared: Prepared,
    table: Table,
    rows: NDArray[np.int64],
    scores: NDArray[np.float64],
    random_state: int | None,
) -> tuple[list[list[Reason]], str]:
    """Name the columns that make each row odd, the first before all others."""
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
                if weight[index] > 0 and weight[index] >= _LEAST_SHARE_OF_FIRST * weight[largest[0]]
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
    """Weigh the columns of some rows, and say by what: large makes a row odd.

    The detector's own word comes first. Without one it is asked for scores of changed rows, unless columns are so many
    that this would take long.
    """
    from skanomaly.inspection import PermutationExplainer, feature_contributions
    from skanomaly.sequence import SeriesDetector

    name = type(model).__name__
    if isinstance(model, SeriesDetector):
        origin = "its distance, at that moment, from the column's median (robust z-score), not by the detector"
        return _robust_deviations(scaled, rows), origin
    if hasattr(model, "feature_contributions"):
        return -feature_contributions(model, scaled[rows]), f"its part in the score ({name}.feature_contributions)"
    n_background = min(_MOST_COPIES // max(1, 2 * (scaled.shape[1] - 1) * len(rows)), _MOST_BACKGROUND)
    if n_background < _FEWEST_BACKGROUND:
        origin = "its distance from the column's median (robust z-score), not by the detector"
        return _robust_deviations(scaled, rows), origin
    explainer = PermutationExplainer(
        background=scaled[scores >= np.median(scores)], n_background=n_background, random_state=random_state
    )
    origin = f"what its value does to the score of {name}, against typical rows (PermutationExplainer)"
    return -feature_contributions(model, scaled[rows], method=explainer), origin


def _robust_deviations(scaled: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Distance of each cell of some rows from its column's median, in units of 1.4826 times the MAD.

    Where the MAD is zero, the standard deviation (1 here) stands in.
    """
    middle = np.median(scaled, axis=0)
    spread = 1.4826 * np.median(np.abs(scaled - middle), axis=0)
    return np.abs(scaled[rows] - middle) / np.where(spread > _TINY, spread, 1.0)


def _shown(table: Table, position: int, row: int, value: float) -> float:
    """Return the cell as the file has it, if it is an infinity that was capped."""
    cell: Any = table.frame.iat[row, position]
    try:
        original = float(cell)
    except (TypeError, ValueError):
        return value
    return original if np.isinf(original) else value


def _judge(table: Table, scores: NDArray[np.float64]) -> Judgement | None:
    """Hold the scores against the labels of labelled rows, where both kinds are there."""
    if table.labels is None or not {-1, 1} <= set(table.labels.tolist()):
        return None
    from sklearn.metrics import average_precision_score, roc_auc_score

    labelled = table.labels != 0
    odd = table.labels[labelled] == -1
    return Judgement(
        table.label_name,
        float(roc_auc_score(odd, -scores[labelled])),
        float(average_precision_score(odd, -scores[labelled])),
        int(odd.sum()),
        int(labelled.sum()),
    )
