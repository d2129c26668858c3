"""Writing of scores and report to files."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skanomaly._cli._errors import InputError
from skanomaly._support._optional import import_optional

if TYPE_CHECKING:
    import pandas as pd

    from skanomaly._cli._scan import ScanResult

__all__ = [
    "check_output",
    "check_report",
    "date_of_now",
    "reasons_in_words",
    "write_page",
    "write_report",
    "write_scores",
]

_BLOCK_ROWS = 131_072
_ENDINGS = (".csv", ".parquet")
_REPORT_ENDINGS = (".html", ".htm")


def check_output(path: Path, table: Path | None = None) -> None:
    """Check before any work that scores can be written to a path.

    Parameters
    ----------
    path : Path
    table : Path or None
        The file to scan.

    Raises
    ------
    InputError
        If the ending is not supported, the folder does not exist, or the path is that of the table.
    """
    _check_path(path, "--output", _ENDINGS, table)


def check_report(path: Path, table: Path | None = None) -> None:
    """Check before any work that a report can be written to a path.

    Parameters
    ----------
    path : Path
    table : Path or None
        The file to scan.

    Raises
    ------
    InputError
        If the ending is not supported, the folder does not exist, or the path is that of the table.
    """
    _check_path(path, "--report", _REPORT_ENDINGS, table)


def _check_path(path: Path, option: str, endings: tuple[str, ...], table: Path | None) -> None:
    if path.suffix.lower() not in endings:
        raise InputError(f"cannot write {path.name}; {option} must end in {' or '.join(endings)}.")
    if path.is_dir():
        raise InputError(f"cannot write {path}; it is a folder.")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}; there is no folder {path.parent}.")
    if table is not None and path.exists() and table.exists() and path.samefile(table):
        raise InputError(f"cannot write {path}; it is the table to scan. Give {option} another name.")


def write_scores(result: "ScanResult", path: Path) -> None:
    """Write row, time, sensor, score, rank, prediction (+1 normal, -1 anomaly) and label of each row, in table order.

    The identifier stands for the row if there is one; a trace has its number of events and the time of its first one.
    The last column names the columns or events that contribute most, for the rows that were explained.

    Parameters
    ----------
    result : ScanResult
    path : Path
        Ends in ``.csv`` or ``.parquet``.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    from skanomaly._support._blocks import row_blocks

    try:
        if path.suffix.lower() == ".csv":
            for rows in row_blocks(result.n_rows, _BLOCK_ROWS):
                first = rows.start == 0
                _frame(result, rows).to_csv(path, index=False, mode="w" if first else "a", header=first)
            return
        arrow, parquet = import_optional("pyarrow", extra="cli"), import_optional("pyarrow.parquet", extra="cli")
        schema = None
        with ExitStack() as stack:
            for rows in row_blocks(result.n_rows, _BLOCK_ROWS):
                part = arrow.Table.from_pandas(_frame(result, rows), schema=schema, preserve_index=False)
                if schema is None:
                    schema = part.schema
                    writer = stack.enter_context(parquet.ParquetWriter(path, schema))
                writer.write_table(part)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}.") from error


def _frame(result: "ScanResult", rows: slice) -> "pd.DataFrame":
    """Return what is written of some rows."""
    import pandas as pd

    numbers = range(rows.start, rows.stop)
    scores = result.scores[rows]
    flags = np.where(scores < result.threshold, -1, 1).astype(np.int64)
    frame = pd.DataFrame({"row": numbers, "score": scores, "rank": result.ranks[rows], "prediction": flags})
    if result.time_order is not None:
        frame.insert(1, "time", result.time_order.texts[rows])
        if result.time_order.by:
            by = result.time_order.by
            named = by if by not in {*frame.columns, "label", result.id_name} else "sensor"
            frame.insert(2, named, result.time_order.restore(result.time_order.sensor_of_rows)[rows])
    if result.labels is not None:
        frame["label"] = result.labels[rows]
    if result.lengths is not None:
        frame.insert(1, "n_events", result.lengths[rows])
    if result.ids is not None:
        frame["row"] = [result.ids[row] for row in numbers]
        taken = set(frame.columns) - {"row"}
        frame = frame.rename(columns={"row": result.id_name if result.id_name not in taken else "id"})
    explained = result.explained
    frame["contributing_columns" if result.lengths is None else "contributing_events"] = [
        reasons_in_words(explained.get(row, [])) for row in numbers
    ]
    return frame


def reasons_in_words(reasons: "list[Any]") -> str:
    """Return contributing columns with their values, and whether numbers are above or below the median; or events.

    Parameters
    ----------
    reasons : list of Reason, Transition or EventCount

    Returns
    -------
    str
    """
    return "; ".join(map(_in_words, reasons))


def _in_words(item: "Any") -> str:
    if not hasattr(item, "column"):
        return str(item.words)
    if isinstance(item.value, float):
        expected = "" if item.expected is None else f" {item.expected:.6g}"
        return f"{item.column} {item.value:.6g} ({'above' if item.above else 'below'}{expected})"
    return f"{item.column}{item.words}"


def write_report(result: "ScanResult", path: Path, *, command: str = "") -> None:
    """Write the report of a scan as one self-contained page.

    Parameters
    ----------
    result : ScanResult
    path : Path
        Ends in ``.html``.
    command : str, default=""
        The command line, which the page repeats.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    from skanomaly._cli._report import report_page

    write_page(report_page(result, command=command, date=date_of_now()), path)


def date_of_now() -> str:
    """Return the date and time as a report shows them."""
    return datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")


def write_page(page: str, path: Path) -> None:
    """Write a page of a report.

    Parameters
    ----------
    page : str
    path : Path

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}.") from error
