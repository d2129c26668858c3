"""A verdict about tables, as text, as JSON and as a page: what the commands compare and audit have in common."""

import json
import math
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

import numpy as np
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from skanomaly import __version__
from skanomaly._cli._report import html_page

__all__ = ["Verdict", "print_verdict", "verdict_json", "verdict_page"]

_WIDEST_CELL = 44


@dataclass(frozen=True)
class Verdict:
    """What a command found.

    Attributes
    ----------
    title, size : str
    heads : list of str
        Of the columns of ``rows``.
    rows : list of list of str
        Of the table of findings.
    marked : list of bool
        Whether each row is part of the reason why the command fired.
    summary : list of (str, str)
        Headings and sentences.
    remarks : list of str
    data : dict
        What is written as JSON.
    fired : bool
        Whether the exit code is 1.
    """

    title: str
    size: str
    heads: list[str]
    rows: list[list[str]]
    marked: list[bool]
    summary: list[tuple[str, str]]
    remarks: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    fired: bool = False


def print_verdict(verdict: Verdict, console: Console) -> None:
    """Print a verdict.

    Parameters
    ----------
    verdict : Verdict
    console : rich.console.Console
    """
    console.print(Text(verdict.title, style="bold"), highlight=False)
    console.print(Text(verdict.size), highlight=False)
    for remark in verdict.remarks:
        console.print(Text(remark, style="dim"), highlight=False)
    if verdict.rows:
        table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for head in verdict.heads:
            table.add_column(head, overflow="fold", max_width=_WIDEST_CELL)
        for row, marked in zip(verdict.rows, verdict.marked, strict=True):
            table.add_row(*(Text(cell, style="yellow" if marked else "") for cell in row))
        console.print(Padding(table, (1, 0), expand=False))
    for heading, sentence in verdict.summary:
        console.print(Text.assemble((f"{heading}: ", "bold"), sentence), highlight=False)


def verdict_json(verdict: Verdict, *, command: str) -> str:
    """Return a verdict as one JSON object.

    Parameters
    ----------
    verdict : Verdict
    command : str
        The command line, which the object repeats.

    Returns
    -------
    str
        Numbers that JSON does not know, such as infinity, are null.
    """
    found = {
        "version": __version__,
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": command,
        "fired": verdict.fired,
        "remarks": verdict.remarks,
        **verdict.data,
    }
    return json.dumps(_plain(found), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """Turn NumPy's values into those of JSON."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def verdict_page(verdict: Verdict, *, command: str, date: str) -> str:
    """Return a verdict as an HTML page that refers to no other file or address.

    Parameters
    ----------
    verdict : Verdict
    command, date : str
        The command line, and when it ran.

    Returns
    -------
    str
    """
    heads = "".join(f"<th>{escape(head)}</th>" for head in verdict.heads)
    rows = "".join(
        "<tr>" + "".join(f"<td{' class=anomaly' if marked else ''}>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row, marked in zip(verdict.rows, verdict.marked, strict=True)
    )
    entries = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in verdict.summary)
    settings = [("command", command), ("date", date), ("version", f"skanomaly {__version__}")]
    lines = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in settings if text)
    parts = [
        f"<h1>{escape(verdict.title)}</h1><p class='soft'>{escape(verdict.size)}</p>",
        f"<dl>{entries}</dl>",
        f"<div class='scroll'><table><tr>{heads}</tr>{rows}</table></div>" if verdict.rows else "",
        "".join(f"<p class='soft'>{escape(remark)}</p>" for remark in verdict.remarks),
        f"<h2>Settings</h2><dl>{lines}</dl>",
        f"<footer><p>skanomaly {escape(__version__)}. This page contains values of the tables.</p></footer>",
    ]
    return html_page(verdict.title, parts)
