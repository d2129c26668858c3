"""A scan in sentences, for the terminal and the page alike."""

from math import isinf

from rich.markup import escape
from rich.text import Text

from skanomaly._cli._prepare import Note
from skanomaly._cli._scan import Judgement, ScanResult

__all__ = ["count", "findings", "legend", "listed", "markup", "number", "score", "shortened", "size"]

_LONGEST_LIST = 6
_LONGEST_NAME = 24
_SMALLEST_PVALUE = 1e-15


def size(result: ScanResult) -> Text:
    """Say how large the table is and what scored it."""
    used = "all used" if result.n_used == result.n_columns else f"{result.n_used} used"
    seed = "" if result.random_state is None else f", random state {result.random_state}"
    return Text(f"{count(result.n_rows, 'row')}, {count(result.n_columns, 'column')}, {used}. {result.detector}{seed}.")


def listed(note: Note) -> str:
    """Name the columns of a note, the first few of many."""
    names = note.columns[:_LONGEST_LIST]
    more = len(note.columns) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def findings(result: ScanResult) -> list[tuple[str, Text]]:
    """List what was found about the table as a whole, each under its heading."""
    found = [("anomalies", _anomalies(result)), ("contamination", _contamination(result))]
    if result.judgement is not None:
        found.append(("agreement", _agreement(result.judgement, result.n_rows)))
    return [*found, ("drift", _drift(result))]


def _anomalies(result: ScanResult) -> Text:
    n_odd = int((result.flags == -1).sum())
    if not n_odd:
        return Text(f"none of {count(result.n_rows, 'row')}")
    return markup(f"[bold red]{n_odd:,}[/] of {count(result.n_rows, 'row')}: score below {score(result.threshold)}")


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
    apart = f"; {count(unlabelled, 'unlabelled row')} left out" if unlabelled else ""
    return markup(
        f"with the labels in [cyan]{escape(judged.label_name)}[/] ({count(judged.n_anomalies, 'anomaly')} in "
        f"{count(judged.n_labelled, 'row')}{apart}): AUROC [bold]{judged.auroc:.3f}[/], average precision "
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
        else f"the likeliest change is at {escape(result.change)}"
    )
    return markup(f"[bold yellow]yes[/] ({chance}{sample}): rows near each other are alike; {where}")


def _sample(n_rows: int, result: ScanResult) -> str:
    return "" if n_rows == result.n_rows else f", from {n_rows:,} rows drawn at random"


def _share(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def legend(result: ScanResult, *, plain: bool) -> Text:
    """Say how to read the rows."""
    up, down = ("+", "-") if plain else ("↑", "↓")
    return Text(
        f"Small scores are odd; rows count from 0; columns were scaled to standard deviation 1. A column is named by "
        f"{result.reasons_origin}; {up} is above, {down} below its median.",
        style="dim",
    )


def markup(text: str) -> Text:
    """Read rich's markup."""
    return Text.from_markup(text)


def shortened(name: str) -> str:
    """Cut a long name."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 3] + "..."


def count(number: int, noun: str) -> str:
    """Write a number of things."""
    several = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else several}"


def score(value: float) -> str:
    """Write a score so that scores align."""
    return f"{value:.3f}" if 1e-2 <= abs(value) < 1e6 else f"{value:.3e}"


def number(value: float) -> str:
    """Write a number shortly: large ones whole, others with four digits."""
    if isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value)}"
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e9 else f"{value:.4g}"
