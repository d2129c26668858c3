"""Tables as databases, loggers, surveys and statistics programs export them: read to the same values."""

import numpy as np
import pandas as pd
import pytest

from skanomaly._cli._in_pieces import pieces_of, read_sample
from skanomaly._cli._prepare import prepare
from skanomaly._cli._read import read_table

N_ROWS = 60
_RANDOM = np.random.default_rng(5)
AMOUNT = np.round(_RANDOM.uniform(100, 900, N_ROWS), 2)
AMOUNT[[7, 31]] = 48211.5, 1234567.25
COUNT = _RANDOM.integers(1, 50, N_ROWS)
CHANGE = np.round(_RANDOM.normal(0, 3, N_ROWS), 3)
CHANGE[[3, 9, 17, 44]] = np.nan
PLAIN = _RANDOM.choice(["Rome", "Oslo", "Lima"], N_ROWS)
MARKED = _RANDOM.choice(["Rome, It", 'the "big" one', "x;y"], N_ROWS)
WHEN = pd.date_range("2026-01-30", periods=N_ROWS, freq="31h")
NAMES = ["place", "when", "amount", "count", "change"]
HEAD = ";".join(NAMES)


def _number(value, decimal=".", group="", missing=""):
    if np.isnan(value):
        return missing
    return f"{value:,.{2 if value > 90 else 3}f}".replace(",", "\0").replace(".", decimal).replace("\0", group)


def _rows(places=PLAIN, decimal=",", group="", missing="", date="%d.%m.%Y %H:%M"):
    return [
        [
            places[row], WHEN[row].strftime(date), _number(AMOUNT[row], decimal, group), str(COUNT[row]),
            _number(CHANGE[row], decimal, "", missing),
        ]
        for row in range(N_ROWS)
    ]  # fmt: skip


def _german(**options):
    return [";".join(row) for row in _rows(**options)]


def _english(*, quoted=False, **options):
    mark = '"' if quoted else ""
    return [",".join(f"{mark}{cell}{mark}" for cell in row) for row in _rows(decimal=".", **options)]


def _aligned(cells, ends=""):
    return ends + " | ".join(cell.ljust(19) for cell in cells) + ends


def _mysql_enclosed():
    escaped = [
        [place.replace('"', r"\""), *rest]
        for place, *rest in _rows(MARKED, decimal=".", missing=r"\N", date="%Y-%m-%d")
    ]
    lines = [",".join(cell if cell == r"\N" else f'"{cell}"' for cell in row) for row in escaped]
    return [",".join(f'"{name}"' for name in NAMES), *lines]


def _mysql_escaped():
    escaped = [
        [place.replace(",", r"\,").replace('"', r"\""), *rest] for place, *rest in _rows(MARKED, ".", missing=r"\N")
    ]
    return [",".join(NAMES), *map(",".join, escaped)]


def _mysql_table():
    rule = "+".join(["", *["-" * 21] * 5, ""])
    rows = [_aligned(row, "|") for row in _rows(decimal=".", missing="NULL", date="%Y-%m-%d %H:%M")]
    return [rule, _aligned(NAMES, "|"), rule, *rows, rule, "60 rows in set (0.01 sec)"]


def _psql():
    rows = [" " + _aligned(row) for row in _rows(decimal=".", date="%Y-%m-%d %H:%M")]
    return [" " + _aligned(NAMES), "+".join(["-" * 21] * 5), *rows, "(60 rows)"]


def _totals(name, first, last):
    sums = AMOUNT[first:last].sum(), COUNT[first:last].sum(), np.nansum(CHANGE[first:last])
    return f"{name};;{_number(sums[0], ',', '.')};{sums[1]};{_number(sums[2], ',')}"


def _subtotals():
    lines = [HEAD]
    for first in (0, 20, 40):
        lines += [*_german(group=".")[first : first + 20], _totals("Zwischensumme", first, first + 20)]
    return lines


def _access():
    return [HEAD, *(";".join([*row[:2], row[2] + " \u20ac", *row[3:]]) for row in _rows(group="."))]


def _blanks():
    return [_aligned(row).replace("|", ";") for row in [NAMES, *_rows(group=" ")]]


TITLE = "Umsatz;2026;Werk 7;K\u00f6ln;S\u00fcd"
CAMPBELL = [
    '"TOA5","Station","CR1000","1234","CR1000.Std.32","CPU:x.CR1","5","Table1"', ",".join(NAMES),
    '"","TS","Volts","","Deg C"', '"","","Avg","Tot","Avg"',
]  # fmt: skip
QUALTRICS = [
    ",".join(NAMES), "Which place is it?,When was it exactly?,How large is the amount?,How many?,What has changed?",
    ",".join(f'"{{""ImportId"":""QID{place}""}}"' for place in range(5)),
]  # fmt: skip
EXPORTS = {
    "mysql_enclosed": (_mysql_enclosed, MARKED),
    "mysql_escaped": (_mysql_escaped, MARKED),
    "mysql_table": (_mysql_table, PLAIN),
    "psql": (_psql, PLAIN),
    "sql_server": (
        lambda: [",".join(NAMES), ",".join(["-" * 8] * 5), *_english(missing="NULL"), "", "(60 rows affected)"], PLAIN
    ),
    "spss": (lambda: [HEAD, *_german(missing="#NULL!")], PLAIN),
    "spss_blanks": (lambda: [HEAD, *_german(missing=" ")], PLAIN),
    "access": (_access, PLAIN),
    "campbell": (lambda: [*CAMPBELL, *_english(missing="NAN", quoted=True)], PLAIN),
    "qualtrics": (lambda: [*QUALTRICS, *_english()], PLAIN),
    "hours_as_numbers": (lambda: [HEAD + ";eor", *(f"{line};eor" for line in _german(date="%Y%m%d%H"))], PLAIN),
    "seconds_as_numbers": (lambda: [HEAD, *_german(date="%Y%m%d%H%M%S")], PLAIN),
    "blanks_around_cells": (_blanks, PLAIN),
    "wide_title": (lambda: [TITLE, HEAD, *_german(group=".")], PLAIN),
    "wide_title_and_blank": (lambda: [TITLE, ";;;;", HEAD, *_german(group=".")], PLAIN),
    "blank_above": (lambda: [";;;;", ";;;;", HEAD, *_german(group=".")], PLAIN),
    "units_below_a_blank": (lambda: [HEAD, ";;;;", ";;EUR;Stk.;mm/s\u00b2", *_german(group=".")], PLAIN),
    "subtotals": (_subtotals, PLAIN),
    "totals_on_top": (lambda: [HEAD, _totals("Gesamt", 0, N_ROWS), *_german(group=".")], PLAIN),
}  # fmt: skip


@pytest.mark.parametrize(("encoding", "end"), [("utf-8-sig", "\r\n"), ("utf-16", "\n"), ("cp1252", "\r\n")])
@pytest.mark.parametrize("name", EXPORTS)
def test_exports_are_read_to_the_same_table(tmp_path, name, encoding, end):
    lines, places = EXPORTS[name]
    (tmp_path / "t.csv").write_bytes(end.join(lines()).encode(encoding))
    table = read_table(tmp_path / "t.csv")
    assert list(table.frame.columns[:5]) == NAMES
    assert table.frame["place"].tolist() == places.tolist()
    prepared = prepare(table)
    assert prepared.names == ["amount", "count", "change"]
    truth = np.column_stack([AMOUNT, COUNT, CHANGE])
    np.testing.assert_array_equal(np.where(prepared.missing, np.nan, prepared.filled), truth)


@pytest.mark.parametrize("name", ["mysql_escaped", "psql", "subtotals", "totals_on_top", "blanks_around_cells"])
def test_exports_in_pieces_are_read_as_the_whole(tmp_path, name):
    (tmp_path / "t.csv").write_text("\n".join(EXPORTS[name][0]()), encoding="utf-8")
    whole = read_table(tmp_path / "t.csv")
    pieces = pieces_of(tmp_path / "t.csv", 13)
    sample = read_sample(pieces).table
    pd.testing.assert_frame_equal(sample.frame, whole.frame, check_dtype=False)
    assert sum(map(len, pieces)) == N_ROWS


@pytest.mark.parametrize("name", ["Total", "Summe", "subtotal", "Average"])
def test_a_category_named_like_a_total_is_kept(tmp_path, name):
    places = np.where(np.arange(N_ROWS) % 3 == 0, name, PLAIN)
    (tmp_path / "t.csv").write_text("\n".join([HEAD, *_german(places=places, group=".")]))
    assert read_table(tmp_path / "t.csv").frame["place"].tolist() == places.tolist()


@pytest.mark.parametrize("low", [2026013100, 202601310000, 20260131000000])
def test_large_numbers_that_are_no_dates_are_measurements(tmp_path, low):
    values = low + 37 * np.arange(N_ROWS) ** 2
    lines = [f"{value},{row % 7}" for row, value in enumerate(values)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b", *lines]))
    assert "a" in prepare(read_table(tmp_path / "t.csv")).names
