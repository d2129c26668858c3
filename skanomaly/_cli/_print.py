"""A scan for the eye: one table, and sentences around it."""

from math import isinf

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markup import escape
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from skanomaly._cli._prepare import Note
from skanomaly._cli._scan import Judgement, Reason, ScanResult

__all__ = ["print_result"]

_LONGEST_LIST = 6
_WIDEST_COLUMNS = 36
_LONGEST_NAME = 24
_SMALLEST_PVALUE = 1e-15
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
    """List what is printed, from top to bottom."""
    parts: list[RenderableType] = [Text(result.table_name, style="bold"), _size(result)]
    parts += [Padding(_notes(result.notes), (1, 0, 0, 0), expand=False)] if result.notes else []
    parts += [Text(remark, style="dim") for remark in result.remarks]
    if result.n_blank_rows:
        parts.append(
            _markup(f"[yellow]{_count(result.n_blank_rows, 'row')} without any value[/]: scored as if typical.")
        )
    parts += [Padding(_rows(result, plain=plain), (1, 0), expand=False), _findings(result)]
    parts.append(Padding(_legend(result, plain=plain), (1, 0, 0, 0), expand=False))
    return parts


def _size(result: ScanResult) -> Text:
    used = "all used" if result.n_used == result.n_columns else f"{result.n_used} used"
    seed = "" if result.random_state is None else f", random state {result.random_state}"
    return Text(
        f"{_count(result.n_rows, 'row')}, {_count(result.n_columns, 'column')}, {used}. {result.detector}{seed}."
    )


def _notes(notes: list[Note]) -> Table:
    """Tabulate what was found in columns, and what was done."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold", max_width=_WIDEST_COLUMNS)
    table.add_column(overflow="fold")
    for note in notes:
        names = note.columns[:_LONGEST_LIST]
        more = len(note.columns) - len(names)
        listed = ", ".join(names) + (f" and {more:,} more" if more else "")
        table.add_row(Text(listed, style="cyan"), Text.assemble(f"{note.finding}: ", (note.action, "yellow")))
    return table


def _rows(result: ScanResult, *, plain: bool) -> Table:
    """Tabulate the oddest rows."""
    labelled = result.labels is not None
    table = Table(box=box.ASCII_DOUBLE_HEAD if plain else box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("row", justify="right", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    if labelled:
        table.add_column("label", no_wrap=True)
    table.add_column("odd because of", overflow="fold")
    flags = result.flags
    for row, reasons in zip(result.top, result.reasons, strict=True):
        odd = flags[row] == -1
        cells: list[RenderableType] = [
            str(result.ranks[row]),
            str(row),
            Text(_score(result.scores[row]), style="bold red" if odd else ""),
        ]
        if result.labels is not None:
            label = int(result.labels[row])
            cells.append(Text(_LABELS[label], style="red" if label == -1 else ""))
        table.add_row(*cells, _Because(reasons, plain=plain), style="" if odd else "dim")
    return table


class _Because:
    """Columns with their values and an arrow: above or below the median; lines break between columns only."""

    def __init__(self, reasons: list[Reason], *, plain: bool) -> None:
        up, down = ("+", "-") if plain else ("↑", "↓")
        self._pieces = [
            Text.assemble(
                (_shortened(reason.column), "cyan"),
                f" {_number(reason.value)} {up if reason.above else down}",
                "," if index + 1 < len(reasons) else "",
            )
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


def _findings(result: ScanResult) -> Table:
    """Tabulate what was found about the table as a whole."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    table.add_row("anomalies", _anomalies(result))
    table.add_row("contamination", _contamination(result))
    if result.judgement is not None:
        table.add_row("agreement", _agreement(result.judgement, result.n_rows))
    table.add_row("drift", _drift(result))
    return table


def _anomalies(result: ScanResult) -> Text:
    n_odd = int((result.flags == -1).sum())
    if not n_odd:
        return Text(f"none of {_count(result.n_rows, 'row')}")
    return _markup(f"[bold red]{n_odd:,}[/] of {_count(result.n_rows, 'row')}: score below {_score(result.threshold)}")


def _contamination(result: ScanResult) -> Text:
    known = result.contamination
    share = _share(known.share)
    if known.interval is None:
        return Text(f"{share}, {f'the default: it {known.remark}' if known.remark else 'as asked'}")
    low, high = map(_share, known.interval)
    remark = f"; {known.remark}" if known.remark else ""
    return Text(f"{share}, estimated{_sample(known.n_rows, result)}; between {low} and {high} in 9 cases of 10{remark}")


def _agreement(judged: Judgement, n_rows: int) -> Text:
    unlabelled = n_rows - judged.n_labelled
    apart = f"; {_count(unlabelled, 'unlabelled row')} left out" if unlabelled else ""
    return _markup(
        f"with the label [cyan]{escape(judged.label_name)}[/] ({judged.n_anomalies:,} anomalies in "
        f"{_count(judged.n_labelled, 'row')}{apart}): AUROC [bold]{judged.auroc:.3f}[/], average precision "
        f"[bold]{judged.average_precision:.3f}[/]"
    )


def _drift(result: ScanResult) -> Text:
    verdict = result.drift
    if verdict.pvalue is None:
        return Text(verdict.remark)
    chance = f"p = {verdict.pvalue:.2g}" if verdict.pvalue >= _SMALLEST_PVALUE else f"p < {_SMALLEST_PVALUE:g}"
    sample = _sample(verdict.n_queries, result)
    if not verdict.fired:
        return Text(f"none seen ({chance}{sample}): the order of the rows says nothing about them")
    where = (
        "no single moment of change stands out"
        if verdict.change_point is None
        else f"the likeliest change is at row {verdict.change_point}"
    )
    return _markup(f"[bold yellow]yes[/] ({chance}{sample}): rows near each other are alike; {where}")


def _sample(n_rows: int, result: ScanResult) -> str:
    return "" if n_rows == result.n_rows else f", from {n_rows:,} rows drawn at random"


def _share(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _legend(result: ScanResult, *, plain: bool) -> Text:
    up, down = ("+", "-") if plain else ("↑", "↓")
    return Text(
        f"Small scores are odd; rows count from 0; columns were scaled to standard deviation 1. A column is named by "
        f"{result.reasons_origin}; {up} is above, {down} below its median.",
        style="dim",
    )


def _markup(text: str) -> Text:
    return Text.from_markup(text)


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 3] + "..."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _score(value: float) -> str:
    """Write a score so that scores align."""
    return f"{value:.3f}" if 1e-2 <= abs(value) < 1e6 else f"{value:.3e}"


def _number(value: float) -> str:
    """Write a number shortly: large ones whole, others with four digits."""
    if isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value)}"
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e9 else f"{value:.4g}"
