"""Report of a scan as one HTML page without scripts and network access, readable on a phone."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly import __version__
from skanomaly._cli._reasons import Reason
from skanomaly._cli._scan import ScanResult
from skanomaly._cli._svg import Plot, date_ticks
from skanomaly._cli._words import (
    blank_rows,
    contributing,
    count,
    event_time,
    legend,
    listed,
    score,
    size,
    summary,
    value_words,
)

__all__ = ["html_page", "report_page"]

_MOST_POINTS = 400
_MOST_CIRCLES = 60
_N_BARS = 40
_WIDE = 3.0  # a line is broken where points are so many times farther apart than usual
_ARROWS = ("\u2191", "\u2193")
_LABELS = {-1: "anomaly", 0: "unlabelled", 1: "normal"}
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5a6470; --paper: #ffffff; --card: #f5f6f8;
  --line: #d9dde3; --anomaly: #c24a00; --normal: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a2abb6; --paper: #15181c; --card: #1f2329;
  --line: #363c45; --anomaly: #ff8a3d; --normal: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 1rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: .5rem 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; }
.soft, footer { color: var(--soft); font-size: .875rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .75rem 0; padding: 0; list-style: none;
  font-size: .875rem; }
a { color: var(--normal); }
dl { margin: 1rem 0; padding: .75rem 1rem; background: var(--card); border-radius: .5rem; }
dt { font-weight: 600; margin-top: .5rem; }
dt:first-child { margin-top: 0; }
dd { margin: 0; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; overflow-wrap: normal; }
th, td { padding: .4rem .5rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
td.right, th.right { text-align: right; font-variant-numeric: tabular-nums; }
td.anomaly { color: var(--anomaly); font-weight: 600; }
@media (max-width: 34rem) {
  tr { display: grid; grid-template-columns: var(--columns); border-bottom: 1px solid var(--line); }
  th, td { border: 0; padding: .3rem .25rem; overflow-wrap: anywhere; }
  th.why { display: none; }
  td.why { grid-column: 1 / -1; padding: 0 .25rem .6rem; }
}
.reason { min-width: 11rem; margin-bottom: .25rem; overflow-wrap: anywhere; }
.bar { display: block; height: .3rem; border-radius: .15rem; background: var(--anomaly); }
svg { display: block; width: 100%; height: auto; }
svg text { font: 10.5px system-ui, sans-serif; fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: .6; }
svg .rule { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 4 3; }
svg .rule-text { fill: var(--ink); }
svg .anomaly { fill: var(--anomaly); }
svg .normal { fill: var(--normal); }
svg .labelled { fill: none; stroke: var(--ink); stroke-width: 1; }
svg polyline { fill: none; stroke: var(--normal); stroke-width: 1.4; }
"""


def report_page(result: ScanResult, *, command: str = "", date: str = "") -> str:
    """Return the report of a scan.

    Parameters
    ----------
    result : ScanResult
    command : str, default=""
        The command line.
    date : str, default=""
        When the scan was made.

    Returns
    -------
    str
        HTML page that refers to no other file or address.
    """
    name = escape(result.table_name)
    kind = f"{result.noun}s" if result.events is None else "events"
    sections = {
        "Summary": _summary(result),
        f"Most anomalous {kind}": f"{_rows(result)}<p class='soft'>{escape(legend(result, plain=False).plain)}</p>",
        "Scores over time": _over_time(result),
        "Scores by rank": _ranking(result),
        "Contamination": _contamination(result),
        "Drift": _drift(result) if result.lengths is None else "",
        "Columns": _notes(result),
        "Settings": _settings(result, command, date),
    }
    sections = {heading: text for heading, text in sections.items() if text}
    parts = [
        f"<h1>{name}</h1><p class='soft'>{escape(size(result).plain)}</p>",
        _contents(list(sections)),
        *(f"<h2 id='{_anchor(heading)}'>{heading}</h2>{text}" for heading, text in sections.items()),
        f"<footer><p>skanomaly {escape(__version__)}. This page contains values of the table.</p></footer>",
    ]
    return html_page(f"Scan of {result.table_name}", parts)


def html_page(title: str, parts: Sequence[str]) -> str:
    """Return a page without scripts that refers to no other file or address.

    Parameters
    ----------
    title : str
    parts : sequence of str
        HTML of the body.

    Returns
    -------
    str
    """
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


def _contents(headings: list[str]) -> str:
    """Return the table of contents."""
    links = "".join(f"<li><a href='#{_anchor(heading)}'>{heading}</a></li>" for heading in headings)
    return f"<nav aria-label='Contents'><ul>{links}</ul></nav>"


def _settings(result: ScanResult, command: str, date: str) -> str:
    """List what is needed to repeat the scan."""
    rows = f"{count(result.n_rows, 'row')}, {count(result.n_columns, 'column')}"
    estimated = result.contamination.interval is not None or result.contamination.remark
    entries = [
        ("table", f"{result.table_name}, {result.size or rows}"),
        ("columns used", ", ".join(result.used) or "none"),
        ("detector", result.detector),
        ("random state", "none" if result.random_state is None else str(result.random_state)),
        ("contamination", f"{result.contamination.fraction:.4g}, {'estimated' if estimated else 'given'}"),
        ("threshold", score(result.threshold)),
        ("command", command),
        ("date", date),
        ("version", f"skanomaly {__version__}"),
    ]
    lines = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in entries if text)
    return f"<dl>{lines}</dl>"


def _summary(result: ScanResult) -> str:
    entries = "".join(
        f"<dt>{escape(heading)}</dt><dd>{escape(sentence.plain)}</dd>" for heading, sentence in summary(result)
    )
    return f"<dl>{entries}</dl>"


def _rows(result: ScanResult) -> str:
    """Return a table of the most anomalous rows with their contributing columns."""
    labelled = result.labels is not None
    first = "rank" if result.events is None else "event"
    named = "<th class='right'>row</th>" if result.ids is None else f"<th>{escape(result.id_name)}</th>"
    heads = [f"<th class='right'>{first}</th>{named}"]
    heads += [] if result.time_order is None else [f"<th>{escape(result.time_order.column)}</th>"]
    heads += ["<th class='right'>score</th>"]
    heads += ["<th>label</th>"] if labelled else []
    heads += [] if result.lengths is None else ["<th class='right'>events</th>"]
    # On a phone each row is a grid of its own: fixed widths align the cells with the header.
    time_width = [] if result.time_order is None else ["minmax(0, 1fr)"]
    widths = [
        "2.9rem",
        "3.5rem" if result.ids is None else "minmax(0, 1fr)",
        *time_width,
        "4.3rem",
        *(["4.9rem"] if labelled else []),
        *([] if result.lengths is None else ["3.5rem"]),
    ]
    lines = []
    for place, (row, reasons) in enumerate(zip(result.top, result.reasons, strict=True)):
        kind = "right anomaly" if result.scores[row] < result.threshold else "right"
        rank = result.ranks[row] if result.events is None else place + 1
        cells = [
            f"<td class='right'>{rank}</td>",
            f"<td{' class=right' if result.ids is None else ''}>{escape(result.row_name(row))}</td>",
        ]
        if result.time_order is not None:
            cells.append(f"<td>{escape(event_time(result, place))}</td>")
        cells.append(f"<td class='{kind}'>{score(result.scores[row])}</td>")
        if result.labels is not None:
            label = int(result.labels[row])
            cells.append(f"<td{' class=anomaly' if label == -1 else ''}>{_LABELS[label]}</td>")
        if result.lengths is not None:
            cells.append(f"<td class='right'>{result.lengths[row]:,}</td>")
        cells.append(f"<td class='why'>{''.join(map(_reason, reasons))}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    head = f"<tr>{''.join(heads)}<th class='why'>{contributing(result)}</th></tr>"
    return (
        f"<div class='scroll'><table style='--columns: {' '.join(widths)}'><thead>{head}</thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _reason(reason: Any) -> str:
    if isinstance(reason, Reason):
        words = escape(reason.column) + escape(value_words(reason, *_ARROWS))
    else:
        words = escape(reason.words)
    return (
        f"<div class='reason'>{words} "
        f"<span class='soft'>{reason.fraction:.0%}</span>"
        f"<span class='bar' style='width:{max(1.0, 100 * reason.fraction):.0f}%'></span></div>"
    )


def _over_time(result: ScanResult) -> str:
    """Plot the scores of a series over time, with the threshold."""
    if result.time_order is None:
        return ""
    time_order, scored = result.time_order, ~np.isnan(result.scores)
    order, texts, seconds = time_order.order, time_order.texts, time_order.seconds
    highest = float(result.scores[scored].max())
    span = float(seconds.min()), float(max(seconds.max(), seconds.min() + 1.0))
    plot = Plot(
        "Scores over time",
        span,
        _padded(float(result.scores[scored].min()), max(highest, min(result.threshold, 0.0))),
        time_order.column,
        "score (lower is more anomalous)",
        x_texts=date_ticks(*span) if time_order.dated else None,
    )
    n_shown = 0
    for part in time_order.parts():
        places = part.start + _lowest_of_bins(result.scores[order[part]])
        n_shown += len(places)
        at, scores = seconds[places], result.scores[order[places]]
        anomalous = scores < result.threshold
        if result.lengths is None:
            for piece in _pieces(at, scores):
                plot.line(at[piece], scores[piece], "line")
        else:
            plot.dots(at[~anomalous], scores[~anomalous], "normal")
        plot.dots(at[anomalous], scores[anomalous], "anomaly", 2.8)
    plot.rule(result.threshold, f"threshold {score(result.threshold)}")
    points = "time points" if result.lengths is None else "traces, each at the time of its first event,"
    thinned = (
        f"; {n_shown:,} of {len(order):,} {points} are shown, the most anomalous of each interval"
        if n_shown < len(order)
        else ""
    )
    first, last = order[int(np.argmin(seconds))], order[int(np.argmax(seconds))]
    words = f"From {escape(texts[first])} to {escape(texts[last])}. Dots are below the threshold{thinned}."
    words += "" if scored.all() else f" {count(int((~scored).sum()), 'row')} without a score."
    return f"{plot.svg()}<p class='soft'>{words}</p>"


def _lowest_of_bins(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the place of the lowest score of each interval, if there are many; otherwise all places."""
    bins = np.array_split(np.arange(len(scores)), min(len(scores), _MOST_POINTS))
    known = np.where(np.isnan(scores), np.inf, scores)
    return np.array([places[int(np.argmin(known[places]))] for places in bins])


def _pieces(at: NDArray[np.float64], scores: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Return the places of each unbroken line: none is drawn over a hole or over time points without a score."""
    places = np.flatnonzero(~np.isnan(scores))
    steps = np.diff(at)
    usual = float(np.median(steps)) if len(steps) else 0.0
    breaks = np.flatnonzero(np.diff(at[places]) > _WIDE * usual) + 1
    return np.split(places, breaks)


def _ranking(result: ScanResult) -> str:
    """Plot the scores by rank, with the threshold."""
    ordered = result.scores[~np.isnan(result.scores)]
    ordered.sort()
    n_scored, kept = len(ordered), _thinned(len(ordered))
    ranks, scores = kept + 1.0, ordered[kept]
    low, high = _padded(float(scores.min()), float(max(scores.max(), min(result.threshold, 0.0))))
    plot = Plot(
        "Scores by rank",
        (1, max(n_scored, 2)),
        (low, high),
        f"rank (1 is the most anomalous {result.noun})",
        "score (lower is more anomalous)",
        log_x=True,
    )
    anomalous = scores < result.threshold
    plot.rule(result.threshold, f"threshold {score(result.threshold)}")
    plot.dots(ranks[~anomalous], scores[~anomalous], "normal")
    plot.dots(ranks[anomalous], scores[anomalous], "anomaly", 2.8)
    words = f"{count(result.n_anomalies, result.noun)} below the threshold"
    if result.labels is not None:
        order = np.argsort(result.scores, kind="stable")[:n_scored]
        labelled = np.flatnonzero(result.labels[order] == -1)
        drawn = labelled[np.linspace(0, len(labelled) - 1, min(len(labelled), _MOST_CIRCLES)).round().astype(np.int64)]
        plot.dots(drawn + 1.0, result.scores[order[drawn]], "labelled", 4.5)
        words += "; circles are labelled anomalies"
        words += f", {len(drawn)} of {len(labelled):,}" if len(drawn) < len(labelled) else ""
    thinned = f"; {len(kept)} of {n_scored:,} {result.noun}s are shown" if len(kept) < n_scored else ""
    return f"{plot.svg()}<p class='soft'>{words}{thinned}.</p>"


def _thinned(n_rows: int) -> NDArray[np.int64]:
    """Return the indices to plot: all if they are few, otherwise evenly spaced on the logarithmic axis."""
    if n_rows <= _MOST_POINTS:
        return np.arange(n_rows)
    return np.unique(np.geomspace(1, n_rows, _MOST_POINTS).round().astype(np.int64)) - 1


def _contamination(result: ScanResult) -> str:
    """Plot the posterior of the contamination, whose median sets the threshold."""
    estimate = result.contamination
    if estimate.posterior is None:
        return (
            "<p>The fraction was given, not estimated.</p>"
            if not estimate.remark
            else f"<p>{escape(estimate.remark)}</p>"
        )
    edge = max(float(estimate.posterior.ppf(0.99)), 1.2 * estimate.fraction, 0.01)
    edges = np.linspace(0.0, edge, _N_BARS + 1)
    heights = -np.diff(np.append(1.0, estimate.posterior.sf(edges[1:])))
    top = max(float(heights.max()), 1e-9) * 1.15
    plot = Plot("Posterior of the contamination", (0.0, edge), (0.0, top), "fraction of anomalies", "probability")
    plot.bars(edges, heights, "normal")
    plot.rule(estimate.fraction, f"median {estimate.fraction:.3g}", vertical=True)
    no_anomaly = float(1 - estimate.posterior.sf(0.0))
    words = f" The probability of no anomaly at all is {no_anomaly:.0%}." if no_anomaly >= 0.005 else ""
    return (
        f"{plot.svg()}<p class='soft'>Posterior distribution of the contamination, from {estimate.n_rows:,} "
        f"{result.noun}s. Its median sets the threshold.{words}</p>"
    )


def _drift(result: ScanResult) -> str:
    """Plot the scan for a change point in the order of the rows."""
    drift = result.drift
    if drift.scan is None or not len(drift.scan):
        return f"<p>{escape(drift.remark or 'not tested')}</p>"
    positions, values = _largest_of_bins(drift.scan)
    n_positions = len(drift.scan) + 1
    if drift.rows is not None:  # a sample of the rows
        positions, n_positions = drift.rows[positions.astype(np.intp)].astype(np.float64), result.n_rows
    low, high = _padded(min(0.0, float(values.min())), float(values.max()))
    plot = Plot(
        "Scan for a change point in the order of the rows",
        (0.0, float(n_positions)),
        (low, high),
        "row" if result.time_order is None else "time point",
        "missing neighbour links",
        height=180,
    )
    plot.line(positions, values, "line")
    if drift.change_point is not None:
        plot.rule(float(drift.change_point), result.change, vertical=True)
    words = "The highest peak is not significant." if drift.change_point is None else "The line is the change point."
    return (
        f"{plot.svg()}<p class='soft'>Number of links between nearest neighbours that are missing across each "
        f"position, compared with chance. {words}</p>"
    )


def _largest_of_bins(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest value of each interval with its position, if there are many values; otherwise all."""
    bins = np.array_split(np.arange(len(values)), min(len(values), _MOST_POINTS))
    kept = np.array([places[int(np.argmax(values[places]))] for places in bins])
    return kept + 1.0, values[kept]


def _padded(low: float, high: float) -> tuple[float, float]:
    margin = 0.05 * (high / 2 - low / 2) * 2 or 0.5
    return low - margin, high + margin


def _notes(result: ScanResult) -> str:
    """List how the columns were treated, and remarks on the file."""
    lines = [
        f"<li>{escape(listed(note))}: {escape(note.finding)}, <strong>{escape(note.action)}</strong></li>"
        for note in result.notes
    ]
    lines += [f"<li>{escape(remark)}</li>" for remark in result.remarks]
    if result.n_blank_rows:
        lines.append(f"<li>{count(result.n_blank_rows, 'row')} without any value: {blank_rows(result)}</li>")
    return f"<ul>{''.join(lines)}</ul>" if lines else ""
