"""A scan as one page: no script, no network, readable on a phone."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from skanomaly import __version__
from skanomaly._cli._scan import Reason, ScanResult
from skanomaly._cli._svg import Plot
from skanomaly._cli._words import count, findings, legend, listed, number, score, size

__all__ = ["report_page"]

_MOST_POINTS = 400
_MOST_RINGS = 60
_N_BARS = 40
_LABELS = {-1: "anomaly", 0: "unlabelled", 1: "normal"}
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5a6470; --paper: #ffffff; --card: #f5f6f8;
  --line: #d9dde3; --odd: #c24a00; --plain: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a2abb6; --paper: #15181c; --card: #1f2329;
  --line: #363c45; --odd: #ff8a3d; --plain: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 1rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: .5rem 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; }
.soft, footer { color: var(--soft); font-size: .875rem; }
dl { margin: 1rem 0; padding: .75rem 1rem; background: var(--card); border-radius: .5rem; }
dt { font-weight: 600; margin-top: .5rem; }
dt:first-child { margin-top: 0; }
dd { margin: 0; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; overflow-wrap: normal; }
th, td { padding: .4rem .5rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
td.right, th.right { text-align: right; font-variant-numeric: tabular-nums; }
td.odd { color: var(--odd); font-weight: 600; }
@media (max-width: 34rem) {
  tr { display: grid; grid-template-columns: var(--columns); border-bottom: 1px solid var(--line); }
  th, td { border: 0; padding: .3rem .25rem; overflow-wrap: anywhere; }
  th.why { display: none; }
  td.why { grid-column: 1 / -1; padding: 0 .25rem .6rem; }
}
.reason { min-width: 11rem; margin-bottom: .25rem; overflow-wrap: anywhere; }
.bar { display: block; height: .3rem; border-radius: .15rem; background: var(--odd); }
svg { display: block; width: 100%; height: auto; }
svg text { font: 10.5px system-ui, sans-serif; fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: .6; }
svg .rule { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 4 3; }
svg .rule-text { fill: var(--ink); }
svg .odd { fill: var(--odd); }
svg .plain { fill: var(--plain); }
svg .known { fill: none; stroke: var(--ink); stroke-width: 1; }
svg polyline { fill: none; stroke: var(--plain); stroke-width: 1.4; }
"""


def report_page(result: ScanResult) -> str:
    """Write a scan as a page.

    Parameters
    ----------
    result : ScanResult

    Returns
    -------
    str
        HTML that refers to nothing outside itself.
    """
    name = escape(result.table_name)
    parts = [
        f"<h1>{name}</h1><p class='soft'>{escape(size(result).plain)}</p>",
        _findings(result),
        "<h2>Oddest rows</h2>",
        _rows(result),
        f"<p class='soft'>{escape(legend(result, plain=False).plain)}</p>",
        _over_time(result),
        f"<h2>Scores by rank</h2>{_ranking(result)}",
        f"<h2>How many are anomalies?</h2>{_contamination(result)}",
        f"<h2>Drift</h2>{_drift(result)}",
        _notes(result),
        f"<footer><p>skanomaly {escape(__version__)}. This page holds cells of the table.</p></footer>",
    ]
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Scan of {name}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _findings(result: ScanResult) -> str:
    entries = "".join(
        f"<dt>{escape(heading)}</dt><dd>{escape(sentence.plain)}</dd>" for heading, sentence in findings(result)
    )
    return f"<dl>{entries}</dl>"


def _rows(result: ScanResult) -> str:
    """Tabulate the oddest rows with their reasons."""
    flags, labelled = result.flags, result.labels is not None
    heads = ["<th class='right'>rank</th><th class='right'>row</th>"]
    heads += [] if result.moments is None else [f"<th>{escape(result.moments.column)}</th>"]
    heads += ["<th class='right'>score</th>"]
    heads += ["<th>label</th>"] if labelled else []
    # On a phone each row is a grid of its own: fixed widths keep the columns under their heads.
    moment = [] if result.moments is None else ["minmax(0, 1fr)"]
    widths = ["2.9rem", "3.5rem", *moment, "4.3rem", *(["4.9rem"] if labelled else [])]
    lines = []
    for row, reasons in zip(result.top, result.reasons, strict=True):
        kind = "right odd" if flags[row] == -1 else "right"
        cells = [f"<td class='right'>{result.ranks[row]}</td>", f"<td class='right'>{row}</td>"]
        if result.moments is not None:
            cells.append(f"<td>{escape(result.moments.texts[row])}</td>")
        cells.append(f"<td class='{kind}'>{score(result.scores[row])}</td>")
        if result.labels is not None:
            label = int(result.labels[row])
            cells.append(f"<td{' class=odd' if label == -1 else ''}>{_LABELS[label]}</td>")
        cells.append(f"<td class='why'>{''.join(map(_reason, reasons))}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    head = f"<tr>{''.join(heads)}<th class='why'>odd because of</th></tr>"
    return (
        f"<div class='scroll'><table style='--columns: {' '.join(widths)}'><thead>{head}</thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _reason(reason: Reason) -> str:
    arrow = "&#8593;" if reason.above else "&#8595;"
    return (
        f"<div class='reason'>{escape(reason.column)} {escape(number(reason.value))}&nbsp;{arrow} "
        f"<span class='soft'>{reason.share:.0%}</span>"
        f"<span class='bar' style='width:{max(1.0, 100 * reason.share):.0f}%'></span></div>"
    )


def _over_time(result: ScanResult) -> str:
    """Draw the scores of a series in the order of time, with the threshold."""
    if result.moments is None:
        return ""
    order, texts = result.moments.order, result.moments.texts
    ends, oddest = _largest_of_bins(-result.scores[order])
    places, scores = ends - 1.0, -oddest
    low, high = _padded(float(scores.min()), float(max(scores.max(), min(result.threshold, 0.0))))
    plot = Plot(
        "Scores over time",
        (0.0, float(max(len(order) - 1, 1))),
        (low, high),
        "row, in the order of time",
        "score (small is odd)",
    )
    plot.line(places, scores, "plain-line")
    odd = scores < result.threshold
    plot.rule(result.threshold, f"threshold {score(result.threshold)}")
    plot.dots(places[odd], scores[odd], "odd", 2.8)
    thinned = f"; {len(places)} of {len(order):,} drawn, the oddest of each run" if len(places) < len(order) else ""
    span = f"From {escape(texts[order[0]])} to {escape(texts[order[-1]])}"
    return f"<h2>Scores over time</h2>{plot.svg()}<p class='soft'>{span}; dots are below the threshold{thinned}.</p>"


def _ranking(result: ScanResult) -> str:
    """Draw scores by rank with the threshold."""
    order = np.argsort(result.scores, kind="stable")
    kept = _thinned(len(order))
    ranks, scores = kept + 1.0, result.scores[order][kept]
    low, high = _padded(float(scores.min()), float(max(scores.max(), min(result.threshold, 0.0))))
    plot = Plot(
        "Scores by rank",
        (1, max(len(order), 2)),
        (low, high),
        "rank, 1 is the oddest row",
        "score (small is odd)",
        log_x=True,
    )
    odd = scores < result.threshold
    plot.rule(result.threshold, f"threshold {score(result.threshold)}")
    plot.dots(ranks[~odd], scores[~odd], "plain")
    plot.dots(ranks[odd], scores[odd], "odd", 2.8)
    words = f"{count(int((result.flags == -1).sum()), 'row')} below the threshold"
    if result.labels is not None:
        known = np.flatnonzero(result.labels[order] == -1)
        drawn = known[np.linspace(0, len(known) - 1, min(len(known), _MOST_RINGS)).round().astype(np.int64)]
        plot.dots(drawn + 1.0, result.scores[order][drawn], "known", 4.5)
        words += "; rings are labelled anomalies"
        words += f", {len(drawn)} of {len(known):,}" if len(drawn) < len(known) else ""
    thinned = f"; {len(kept)} of {len(order):,} rows drawn" if len(kept) < len(order) else ""
    return f"{plot.svg()}<p class='soft'>{words}{thinned}.</p>"


def _thinned(n_rows: int) -> NDArray[np.int64]:
    """Choose places to draw: all where they are few, else evenly on the logarithmic axis."""
    if n_rows <= _MOST_POINTS:
        return np.arange(n_rows)
    return np.unique(np.geomspace(1, n_rows, _MOST_POINTS).round().astype(np.int64)) - 1


def _contamination(result: ScanResult) -> str:
    """Draw the distribution of the share of anomalies, from which the threshold follows."""
    known = result.contamination
    if known.posterior is None:
        return "<p>The share was given, not estimated.</p>" if not known.remark else f"<p>{escape(known.remark)}</p>"
    edge = max(float(known.posterior.ppf(0.99)), 1.2 * known.share, 0.01)
    edges = np.linspace(0.0, edge, _N_BARS + 1)
    heights = -np.diff(np.append(1.0, known.posterior.sf(edges[1:])))
    top = max(float(heights.max()), 1e-9) * 1.15
    plot = Plot("Posterior of the contamination", (0.0, edge), (0.0, top), "share of anomalies", "probability")
    plot.bars(edges, heights, "plain")
    plot.rule(known.share, f"threshold calls {known.share:.3g}", vertical=True)
    none_ = float(1 - known.posterior.sf(0.0))
    words = f" No anomaly at all: {none_:.0%}." if none_ >= 0.005 else ""
    return (
        f"{plot.svg()}<p class='soft'>Posterior probability of each share, from {known.n_rows:,} rows; the line is its "
        f"median, which sets the threshold.{words}</p>"
    )


def _drift(result: ScanResult) -> str:
    """Draw the scan for a change in the order of the rows."""
    verdict = result.drift
    if verdict.scan is None or not len(verdict.scan):
        return f"<p>{escape(verdict.remark or 'not tested')}</p>"
    cuts, values = _largest_of_bins(verdict.scan)
    low, high = _padded(min(0.0, float(values.min())), float(values.max()))
    plot = Plot(
        "Scan for a change in the order of the rows",
        (0.0, float(len(verdict.scan) + 1)),
        (low, high),
        "row of the table" if result.moments is None else "row, in the order of time",
        "missing links",
        height=180,
    )
    plot.line(cuts, values, "plain-line")
    if verdict.change_point is not None:
        plot.rule(float(verdict.change_point), result.change, vertical=True)
    return (
        f"{plot.svg()}<p class='soft'>How many links between rows that resemble each other are missing across each cut "
        "of the order, next to chance: a peak is where the table changes.</p>"
    )


def _largest_of_bins(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Keep the largest of each run of values where they are many, with its place."""
    bins = np.array_split(np.arange(len(values)), min(len(values), _MOST_POINTS))
    kept = np.array([places[int(np.argmax(values[places]))] for places in bins])
    return kept + 1.0, values[kept]


def _padded(low: float, high: float) -> tuple[float, float]:
    margin = 0.05 * (high / 2 - low / 2) * 2 or 0.5
    return low - margin, high + margin


def _notes(result: ScanResult) -> str:
    """List what was done to columns, and what the reader of the file had to say."""
    lines = [
        f"<li>{escape(listed(note))}: {escape(note.finding)}, <strong>{escape(note.action)}</strong></li>"
        for note in result.notes
    ]
    lines += [f"<li>{escape(remark)}</li>" for remark in result.remarks]
    if result.n_blank_rows:
        lines.append(f"<li>{count(result.n_blank_rows, 'row')} without any value: scored as if typical</li>")
    return f"<h2>Columns</h2><ul>{''.join(lines)}</ul>" if lines else ""
