"""Texts that the terminal output and the report have in common."""

import shlex
from math import isinf
from typing import Any

import numpy as np
from rich.markup import escape
from rich.text import Text

from skanomaly._cli._prepare import Note
from skanomaly._cli._reasons import Reason
from skanomaly._cli._scan import Evaluation, ScanResult

__all__ = [
    "blank_rows",
    "contributing",
    "count",
    "event_time",
    "legend",
    "listed",
    "markup",
    "number",
    "score",
    "shortened",
    "value_words",
    "size",
    "summary",
]

_BLOCK_ROWS = 131_072
_FALSE_ALARM_RATE = 0.01
_LONGEST_LIST = 6
_LONGEST_NAME = 24
_SMALLEST_PVALUE = 1e-15


def size(result: ScanResult) -> Text:
    """Return the size of the table, the detector and its random state."""
    seed = "" if result.random_state is None else f", random state {result.random_state}"
    if result.size:
        return Text(f"{result.size}. {result.detector}{seed}.")
    used = "all used" if result.n_used == result.n_columns else f"{result.n_used} used"
    return Text(f"{count(result.n_rows, 'row')}, {count(result.n_columns, 'column')}, {used}. {result.detector}{seed}.")


def blank_rows(result: ScanResult) -> str:
    """Return what happened to rows without any value."""
    if result.time_order is not None:
        return "left out"
    return "scored as rows with missing values only" if result.keeps_missing else "all imputed by medians"


def contributing(result: ScanResult) -> str:
    """Return the heading of the reasons."""
    return "contributing columns" if result.lengths is None else "contributing events"


def event_time(result: ScanResult, place: int) -> str:
    """Return the sensor and the first and last time of an event, or the time of a time point or trace."""
    if result.time_order is None:
        return ""
    if result.events is None:
        return result.time_order.texts[result.top[place]]
    event, order = result.events[place], result.time_order
    first, last = order.texts[event.first], order.texts[event.last]
    span = first if first == last else f"{first} to {_without_common_date(first, last)}"
    if len(order.sensors) == 1:
        return span
    position = int((order.order == event.peak).argmax())
    return f"{order.sensors[order.groups[position]]}: {span}"


def _without_common_date(first: str, last: str) -> str:
    """Drop the date of the second time where it is that of the first."""
    earlier, words = first.split(" "), last.split(" ")
    same = [one == other for one, other in zip(earlier, words, strict=False)]
    n_common = same.index(False) if False in same else 0
    is_clock = ":" in words[n_common] or len(words) == 2
    return " ".join(words[n_common:]) if is_clock else last


def listed(note: Note) -> str:
    """Return the columns of a note, shortened if there are many."""
    names = note.columns[:_LONGEST_LIST]
    more = len(note.columns) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def summary(result: ScanResult) -> list[tuple[str, Text]]:
    """Return the results for the whole table, each with its heading."""
    found = [("anomalies", _anomalies(result)), ("contamination", _contamination(result))]
    if result.contamination.posterior is not None:
        found.append(("alerts", _alerts(result)))
    if result.evaluation is not None:
        found.append(("evaluation", _evaluation(result.evaluation, result.n_rows, result.noun)))
    return [*found, ("drift", _drift(result))] if result.lengths is None else found


def _anomalies(result: ScanResult) -> Text:
    n_anomalies = result.n_anomalies
    if not n_anomalies:
        return Text(f"none of {count(result.n_rows, result.noun)}")
    events = "" if result.events is None else f" in {count(result.n_events, 'event')}"
    return markup(
        f"[bold red]{n_anomalies:,}[/] of {count(result.n_rows, result.noun)}{events}: "
        f"score below {score(result.threshold)}"
    )


def _contamination(result: ScanResult) -> Text:
    estimate = result.contamination
    fraction = _fraction(estimate.fraction)
    if estimate.interval is None:
        return Text(f"{fraction}, {f'the default: it {estimate.remark}' if estimate.remark else 'as given'}")
    low, high = map(_fraction, estimate.interval)
    sample = _sample(estimate.n_rows, result)
    remark = f"; {estimate.remark}" if estimate.remark else ""
    return Text(f"{fraction}, estimated{sample}; 90 % credible interval {low} to {high}{remark}")


def _alerts(result: ScanResult) -> Text:
    """Say what a threshold with 1 % false alarms would flag, by the posterior of the contamination."""
    from skanomaly._support._blocks import row_blocks

    scores = result.scores[~np.isnan(result.scores)]
    scores.sort()
    alarms = 0.0
    for rows in row_blocks(len(scores), _BLOCK_ROWS):
        alarms = _cumulated(result, alarms, rows, len(scores))[-1]
    allowed, n_flagged, expected_normal, alarms = _FALSE_ALARM_RATE * alarms, 0, 0.0, 0.0
    for rows in row_blocks(len(scores), _BLOCK_ROWS):
        reached = _cumulated(result, alarms, rows, len(scores))
        n_allowed = int(np.count_nonzero(reached <= allowed))
        if n_allowed:
            n_flagged, expected_normal = n_flagged + n_allowed, float(reached[n_allowed - 1])
        if n_allowed < len(reached):
            break
        alarms = reached[-1]
    if n_flagged == 0:
        return Text(f"no threshold has {100 * _FALSE_ALARM_RATE:g} % false alarms: too few rows")
    threshold = float(scores[n_flagged - 1 : n_flagged + 1].mean())
    expected = round(expected_normal)
    verb = "is" if expected == 1 else "are"
    return Text(
        f"at {100 * _FALSE_ALARM_RATE:g} % false alarms the threshold is {score(threshold)}, which flags "
        f"{count(n_flagged, result.noun)}; about {expected:,} of these {verb} expected to be normal"
    )


def _cumulated(result: ScanResult, before: float, rows: slice, n_rows: int) -> Any:
    """Return the expected number of normal rows among the most anomalous ones, from the sum of those before."""
    ranks = np.arange(rows.start, rows.stop) / n_rows
    normal = result.contamination.posterior.cdf(ranks)  # type: ignore[union-attr]
    return np.cumsum(np.append(before, normal))[1:]


def _evaluation(evaluation: Evaluation, n_rows: int, noun: str) -> Text:
    unlabelled = n_rows - evaluation.n_labelled
    left_out = f"; {count(unlabelled, f'unlabelled {noun}')} left out" if unlabelled else ""
    return markup(
        f"by the labels in [cyan]{escape(evaluation.label_name)}[/] ({count(evaluation.n_anomalies, 'anomaly')} in "
        f"{count(evaluation.n_labelled, noun)}{left_out}): AUROC [bold]{evaluation.auroc:.3f}[/], average precision "
        f"[bold]{evaluation.average_precision:.3f}[/]; the threshold detects {evaluation.n_detected:,} of them, with a "
        f"false alarm rate of {_fraction(evaluation.false_alarm_rate)}"
    )


def _drift(result: ScanResult) -> Text:
    drift = result.drift
    if drift.pvalue is None:
        return Text(drift.remark)
    pvalue = f"p = {drift.pvalue:.2g}" if drift.pvalue >= _SMALLEST_PVALUE else f"p < {_SMALLEST_PVALUE:g}"
    pvalue += _sample(drift.n_queries, result)
    if not drift.significant:
        return Text(f"not significant ({pvalue}): no evidence that rows close in order are more similar than chance")
    change_point = (
        "no single change point is significant"
        if drift.change_point is None
        else f"the most likely change point is {escape(result.change)}"
    )
    return markup(
        f"[bold yellow]significant[/] ({pvalue}): rows close in order are more similar than chance; {change_point}"
    )


def _sample(n_rows: int, result: ScanResult) -> str:
    return "" if n_rows == result.n_rows else f", from {n_rows:,} random {result.noun}s"


def _fraction(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def legend(result: ScanResult, *, plain: bool) -> Text:
    """Return how to read the table of rows."""
    if result.lengths is not None:
        return Text(
            f"Lower scores are more anomalous. Traces are named by {result.id_name}. The events shown are chosen by "
            f"{result.reasons_origin}. Their place in the trace is counted from 1; 1 of 300 is how often such an event "
            "comes after the one before it.",
            style="dim",
        )
    up, down = ("+", "-") if plain else ("↑", "↓")
    rows = _row_names(result)
    rows += "" if result.events is None else " The row of an event is its most anomalous one."
    standardised = "Columns were standardised. Those shown"
    if result.n_categorical:
        standardised = "Numbers were standardised. The columns shown"
    return Text(
        f"Lower scores are more anomalous. {rows} {standardised} are chosen "
        f"by {result.reasons_origin}; {up} is above, {down} below "
        + (f"what is in parentheses, {result.expected_origin}." if result.events else "the median of the column."),
        style="dim",
    )


def _row_names(result: ScanResult) -> str:
    """Return what names the rows, or which column could."""
    if result.ids is not None:
        return f"Rows are named by {result.id_name}."
    named = [note.columns[0] for note in result.notes if note.finding.endswith("different in every row")]
    hint = f"; --id {shlex.quote(named[0])} names them" if named else ""
    return f"Rows are numbered from 0{hint}."


def markup(text: str) -> Text:
    """Parse the markup of rich."""
    return Text.from_markup(text)


def shortened(name: str) -> str:
    """Shorten a long name."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 3] + "..."


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    several = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else several}"


def value_words(reason: Reason, up: str, down: str) -> str:
    """Return what follows the name of a contributing column: its value, and how usual that is.

    Parameters
    ----------
    reason : Reason
    up, down : str
        Marks of a number above and below the median, or what was expected.

    Returns
    -------
    str
    """
    if isinstance(reason.value, float):
        expected = "" if reason.expected is None else f" ({number(reason.expected)})"
        return f" {number(reason.value)} {up if reason.above else down}{expected}"
    return reason.words


def score(value: float) -> str:
    """Format a score so that scores align."""
    if value == 0:
        return "0.000"
    return f"{value:.3f}" if 1e-2 <= abs(value) < 1e6 else f"{value:.3e}"


def number(value: float) -> str:
    """Format a number: large ones without decimals, others with four digits."""
    if isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value)}"
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e9 else f"{value:.4g}"
