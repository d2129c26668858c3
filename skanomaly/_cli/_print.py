"""Printing of a scan to the terminal."""

from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from skanomaly._cli._prepare import Note
from skanomaly._cli._reasons import Reason
from skanomaly._cli._scan import ScanResult
from skanomaly._cli._words import (
    blank_rows,
    contributing,
    count,
    event_time,
    legend,
    listed,
    markup,
    score,
    shortened,
    size,
    summary,
    value_words,
)

__all__ = ["print_result"]

_WIDEST_COLUMNS = 36
_LABELS = {-1: "anomaly", 0: "unlabelled", 1: "normal"}


def print_result(result: ScanResult, console: Console) -> None:
    """Print a scan.

    Parameters
    ----------
    result : ScanResult
    console : rich.console.Console
    """
    plain = not console.encoding.lower().startswith("utf")
    for part in _parts(result, plain=plain):
        console.print(part, highlight=False, soft_wrap=False)


def _parts(result: ScanResult, *, plain: bool) -> list[RenderableType]:
    """Return what is printed, from top to bottom."""
    parts: list[RenderableType] = [Text(result.table_name, style="bold"), size(result)]
    parts += [Padding(_notes(result.notes), (1, 0, 0, 0), expand=False)] if result.notes else []
    parts += [Text(remark, style="dim") for remark in result.remarks]
    if result.n_blank_rows:
        parts.append(markup(f"[yellow]{count(result.n_blank_rows, 'row')} without any value[/]: {blank_rows(result)}."))
    parts += [Padding(_rows(result, plain=plain), (1, 0), expand=False), _summary(result)]
    parts.append(Padding(legend(result, plain=plain), (1, 0, 0, 0), expand=False))
    return parts


def _notes(notes: list[Note]) -> Table:
    """Return a table of findings about columns, and how the columns were treated."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold", max_width=_WIDEST_COLUMNS)
    table.add_column(overflow="fold")
    for note in notes:
        table.add_row(Text(listed(note), style="cyan"), Text.assemble(f"{note.finding}: ", (note.action, "yellow")))
    return table


def _rows(result: ScanResult, *, plain: bool) -> Table:
    """Return a table of the most anomalous rows."""
    labelled = result.labels is not None
    table = Table(box=box.ASCII_DOUBLE_HEAD if plain else box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("rank" if result.events is None else "event", justify="right", no_wrap=True)
    if result.ids is None:
        table.add_column("row", justify="right", no_wrap=True)
    else:
        table.add_column(shortened(result.id_name), overflow="fold")
    if result.time_order is not None:
        table.add_column(shortened(result.time_order.column), overflow="fold")
    table.add_column("score", justify="right", no_wrap=True)
    if labelled:
        table.add_column("label", no_wrap=True)
    if result.lengths is not None:
        table.add_column("events", justify="right", no_wrap=True)
    table.add_column(contributing(result), overflow="fold")
    for place, (row, reasons) in enumerate(zip(result.top, result.reasons, strict=True)):
        anomalous = bool(result.scores[row] < result.threshold)
        cells: list[RenderableType] = [
            str(result.ranks[row]) if result.events is None else str(place + 1),
            Text(result.row_name(row)),
            *([] if result.time_order is None else [event_time(result, place)]),
            Text(score(result.scores[row]), style="bold red" if anomalous else ""),
        ]
        length = [] if result.lengths is None else [f"{result.lengths[row]:,}"]
        if result.labels is not None:
            label = int(result.labels[row])
            cells.append(Text(_LABELS[label], style="red" if label == -1 else ""))
        table.add_row(*cells, *length, _Contributions(reasons, plain=plain), style="" if anomalous else "dim")
    return table


class _Contributions:
    """Columns with their values and an arrow for above or below the median, or events; lines break between them."""

    def __init__(self, reasons: list[Any], *, plain: bool) -> None:
        arrows = ("+", "-") if plain else ("↑", "↓")
        self._pieces = [
            Text.assemble(*_piece(reason, *arrows), "," if index + 1 < len(reasons) else "")
            for index, reason in enumerate(reasons)
        ]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text()
        for piece in self._pieces:
            if line and line.cell_len + 1 + piece.cell_len > options.max_width:
                yield line
                line = Text()
            line = line.append(" ").append_text(piece) if line else piece.copy()
        yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widths = [piece.cell_len for piece in self._pieces] or [0]
        return Measurement(max(widths), sum(widths) + len(widths) - 1)


def _piece(reason: Any, up: str, down: str) -> list[Any]:
    """Return a reason in coloured words."""
    if not isinstance(reason, Reason):
        return [(shortened(reason.event), "cyan"), reason.words.removeprefix(reason.event)]
    return [(shortened(reason.column), "cyan"), value_words(reason, up, down)]


def _summary(result: ScanResult) -> Table:
    """Return a table of the results for the whole table."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for heading, sentence in summary(result):
        table.add_row(heading, sentence)
    return table
