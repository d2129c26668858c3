"""Results of a scan for other programs."""

import json
import math
from dataclasses import asdict
from datetime import datetime
from typing import Any

from skanomaly import __version__
from skanomaly._cli._scan import ScanResult
from skanomaly._cli._words import event_time

__all__ = ["json_text"]


def json_text(result: ScanResult, *, command: str = "") -> str:
    """Return a scan as one JSON object.

    Parameters
    ----------
    result : ScanResult
    command : str, default=""
        The command line, which the object repeats.

    Returns
    -------
    str
        Numbers that JSON does not know, such as infinity, are text.
    """
    estimate, evaluation, drift = result.contamination, result.evaluation, result.drift
    found: dict[str, Any] = {
        "version": __version__,
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": command,
        "table": result.table_name,
        f"n_{result.noun}s": result.n_rows,
        "n_columns": result.n_columns,
        "columns_used": result.used,
        "columns_noted": [
            {"finding": note.finding, "action": note.action, "columns": note.columns} for note in result.notes
        ],
        "remarks": result.remarks,
        "n_rows_without_values": result.n_blank_rows,
        "detector": result.detector,
        "random_state": result.random_state,
        "threshold": result.threshold,
        "n_anomalies": result.n_anomalies,
        "n_events": None if result.events is None else result.n_events,
        "contamination": {"fraction": estimate.fraction, "interval": estimate.interval, "remark": estimate.remark},
        "evaluation": None
        if evaluation is None
        else {
            "label": evaluation.label_name,
            "auroc": evaluation.auroc,
            "average_precision": evaluation.average_precision,
            "n_anomalies": evaluation.n_anomalies,
            "n_labelled": evaluation.n_labelled,
            "n_detected": evaluation.n_detected,
            "false_alarm_rate": evaluation.false_alarm_rate,
        },
        "drift": {
            "pvalue": drift.pvalue,
            "significant": drift.significant,
            "change_point": drift.change_point,
            "remark": drift.remark,
        },
        f"{result.noun}s": [_row(result, place) for place in range(len(result.top))],
    }
    return json.dumps(_finite(found), ensure_ascii=False, indent=2)


def _row(result: ScanResult, place: int) -> dict[str, Any]:
    row, reasons = int(result.top[place]), result.reasons[place]
    found: dict[str, Any] = {
        "rank": int(result.ranks[row]),
        "row": row,
        "score": float(result.scores[row]),
        "prediction": -1 if result.scores[row] < result.threshold else 1,
    }
    if result.lengths is None:
        found["contributing_columns"] = [_without_expected(asdict(item)) for item in reasons]
    else:
        found["n_events"] = int(result.lengths[row])
        found["contributing_events"] = [asdict(item) for item in reasons]
    if result.ids is not None:
        found["id"] = result.ids[row]
    if result.time_order is not None:
        found["time"] = result.time_order.texts[row]
    if result.events is not None:
        event = result.events[place]
        found["event"] = {
            "first_row": event.first,
            "last_row": event.last,
            "n_rows": event.n_rows,
            "span": event_time(result, place),
        }
    if result.labels is not None:
        found["label"] = int(result.labels[row])
    return found


def _without_expected(reason: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is expected where nothing is: the rows are no series."""
    return {key: value for key, value in reason.items() if key != "expected" or value is not None}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
