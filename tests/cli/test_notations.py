"""Numbers, quotes, delimiters, headers, footers and identifiers as people write them: read, or named in a note."""

import numpy as np
import pandas as pd
import pytest

from skanomaly._cli._errors import InputError
from skanomaly._cli._identifiers import DATED, IdentifierTally
from skanomaly._cli._in_pieces import pieces_of, read_sample
from skanomaly._cli._prepare import prepare
from skanomaly._cli._read import read_table
from skanomaly._cli._scan import scan

N_ROWS = 40
_RANDOM = np.random.default_rng(0)
AMOUNT = np.round(_RANDOM.uniform(100, 900, N_ROWS), 2)
AMOUNT[[7, 11]] = 48211.5, 1234567.25
COUNT = _RANDOM.integers(1, 50, N_ROWS).astype(float)
CHANGE = np.round(_RANDOM.normal(0, 3, N_ROWS), 3)
TRUTH = {"amount": AMOUNT, "count": COUNT, "change": CHANGE}
NAMES = "amount,count,change"


def _number(value, decimal=".", group="", digits=3):
    return f"{value:,.{digits}f}".replace(",", "\0").replace(".", decimal).replace("\0", group)


def _lines(separator=",", decimal=".", group="", quote="", names=NAMES, change=None):
    """Write the table; `change` writes the cells of the last column."""
    change = change or (lambda value: _number(value, decimal, group))
    lines = [separator.join(f"{quote}{name}{quote}" for name in names.split(","))] if names else []
    for cells in zip(AMOUNT, COUNT, CHANGE, strict=True):
        texts = [_number(cells[0], decimal, group, 2), f"{cells[1]:.0f}", change(cells[2])]
        lines.append(separator.join(f"{quote}{text}{quote}" for text in texts))
    return lines


def _read(tmp_path, lines, **options):
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8", newline="")
    table = read_table(tmp_path / "t.csv")
    return table, prepare(table, **options)


def _findings(prepared, name):
    return {note.finding: note.action for note in prepared.notes if any(name in column for column in note.columns)}


def _signed(form):
    return lambda value: form.format(f"{abs(value):.3f}") if value < 0 else f"{value:.3f}"


def _quoted_whole(mark, last):
    return [",".join(f"{mark}{cell}{last}" for cell in line.split(",")) for line in _lines()]


FILES = {
    "single quotes": _lines(quote="'"),
    "single quotes, decimal comma": _lines(";", ",", quote="'"),
    "single quotes around commas": _lines(group=",", quote="'"),
    "backticks": _lines(quote="`"),
    "typographic quotes": _quoted_whole("\u201c", "\u201d"),
    "guillemets": _quoted_whole("\u00ab", "\u00bb"),
    "formulas of text": [NAMES, *(",".join(f'="{cell}"' for cell in line.split(",")) for line in _lines(names=None))],
    "apostrophes before numbers": [NAMES, *(f"'{line.replace(',', f',{chr(39)}')}" for line in _lines(names=None))],
    "underscores": _lines(group="_"),
    "underscores, decimal comma": _lines(";", ",", "_"),
    "primes": _lines(";", group="\u2032"),
    "accents": _lines(";", group="\u00b4"),
    "Arabic marks": _lines(";", "\u066b", "\u066c"),
    "middle dots": _lines(";", "\u00b7"),
    "full width": [line.translate({place: place + 0xFEE0 for place in range(48, 58)}) for line in _lines(";")],
    "zero width": [NAMES, *(f"\u200b{line}\u200e" for line in _lines(names=None))],
    "byte order marks between": [NAMES, *(f"\ufeff{line}" for line in _lines(names=None))],
    "em dash": _lines(change=_signed("\u2014{}")),
    "hyphen": _lines(change=_signed("\u2011{}")),
    "wide minus": _lines(change=_signed("\uff0d{}")),
    "currency before brackets": _lines(";", change=_signed("$({})")),
    "currency before the sign": _lines(";", change=_signed("\u20ac-{}")),
    "sign before the currency": _lines(";", change=_signed("-$ {}")),
    "unit beside the decimal comma": _lines(";", ",", change=lambda value: f"{_number(value, ',')} EUR"),
    "unit with a digit": _lines(";", change="{:.3f} m2".format),
    "unit in brackets": _lines(";", change="{:.3f} dB(A)".format),
    "unit after a percent sign": _lines(";", change="{:.3f} %RH".format),
    "unit of a fraction": _lines(";", change="{:.3f} 1/min".format),
    "colons": _lines(":"),
    "colons, decimal comma": _lines(":", ","),
    "hashes": _lines("#"),
    "slashes": _lines("/", ","),
    "equal signs": _lines("="),
    "control characters": _lines("\x01", ","),
    "unit separators": _lines("\x1f"),
    "titles of 30 lines": [*(f"Note {row}, with a comma" for row in range(30)), *_lines()],
    "names of years": ["2021,2022,2023", *_lines(names=None)],
    "names below form feeds": ["Page 1\x0c", "", *_lines(names="amount,count,change")],
    "row count below": [*_lines(), "", "(40 rows affected)"],
    "source below": [*_lines(), "", "Source: Eurostat, 2024", "Note: provisional; see annex"],
    "end below": [*_lines(), "END OF REPORT, page 1"],
    "many notes below": [*_lines(), "", *(f"note {row}" for row in range(8))],
    "subtotals between": [
        *_lines()[:11],
        "Subtotal,99,",
        *_lines()[11:21],
        "Sous-total,9,",
        *_lines()[21:],
        "Total,9,",
    ],
    "sum in other words": [*_lines(";", ","), "Summe gesamt;999;"],
    "sum without a word": [*_lines(), f"{AMOUNT.sum():.2f},{COUNT.sum():.0f},{CHANGE.sum():.3f}"],
    "sum of some columns": [*_lines(), f"{AMOUNT.sum():.2f},{COUNT.sum():.0f},"],
    "sum and mean": [*_lines(), f"{AMOUNT.sum():.2f},{COUNT.sum():.0f},{CHANGE.mean():.3f}"],
    "sum with points of thousands": [
        *_lines(";", ",", "."),
        "",
        f"{_number(AMOUNT.sum(), ',', '.', 2)};{COUNT.sum():.0f};{_number(CHANGE.sum(), ',', '.')}",
    ],
}


@pytest.mark.parametrize("name", FILES)
def test_numbers_are_read_from_every_file(tmp_path, name):
    table, prepared = _read(tmp_path, FILES[name])
    assert prepared.names == (["2021", "2022", "2023"] if "years" in name else list(TRUTH))
    np.testing.assert_allclose(prepared.filled, np.column_stack(list(TRUTH.values())), rtol=1e-12)
    assert len(table.frame) == N_ROWS


PIECES = [
    "sum without a word",
    "sum with points of thousands",
    "subtotals between",
    "single quotes",
    "many notes below",
]


@pytest.mark.parametrize("chunk_rows", [7, 39])
@pytest.mark.parametrize("name", PIECES)
def test_pieces_are_read_as_the_whole(tmp_path, name, chunk_rows):
    whole, _ = _read(tmp_path, FILES[name])
    pieces = pieces_of(tmp_path / "t.csv", chunk_rows)
    sample = read_sample(pieces).table
    pd.testing.assert_frame_equal(sample.frame, whole.frame, check_dtype=False)
    assert sample.remarks == whole.remarks
    assert sum(map(len, pieces)) == N_ROWS  # also in the next pass


@pytest.mark.parametrize(
    "last",
    [
        f"{AMOUNT.sum() + 3:.2f},{COUNT.sum():.0f},{CHANGE.sum():.3f}",
        f"{AMOUNT[0]:.2f},{COUNT.sum():.0f},1",
        f"{AMOUNT.mean():.2f},{COUNT.mean():.2f},{CHANGE.mean():.3f}",
    ],
    ids=["nearly", "one column", "means"],
)
def test_a_last_row_that_is_no_sum_is_a_row(tmp_path, last):
    assert len(_read(tmp_path, [*_lines(), last])[0].frame) == N_ROWS + 1


def test_small_numbers_that_add_up_are_rows(tmp_path):
    lines = ["a,b", *["1,0"] * 3, *["0,0"] * 9, "3,0"]
    assert len(_read(tmp_path, lines)[0].frame) == 13


def test_a_last_row_that_is_a_sum_is_remarked(tmp_path):
    table, _ = _read(tmp_path, FILES["sum without a word"])
    assert table.remarks == ["Lines that are no rows were left out: a last row that is the sum of the others (1)."]


@pytest.mark.parametrize(
    ("first", "n_columns"),
    [("168.52,40,ab", 3), ("2026-01-04,40,ab", 3), (",40,ab", 3), ("53 %,4", 2), ("$168.52,4", 2)],
    ids=["category", "date", "missing", "percent", "currency"],
)
def test_a_first_row_that_is_like_the_others_is_a_row(tmp_path, first, n_columns):
    cells = ["2026-01-{:02d},{},ab", "{}.5,{},ab"][not first.startswith("2026")] if n_columns == 3 else "{}.5,{}"
    cells = cells.replace("{}.5", "{} %") if "%" in first else cells
    rows = [cells.format(row % 28 + 1, row % 9) for row in range(30)]
    table, _ = _read(tmp_path, [first, *rows], categories=True)
    assert table.frame.shape == (31, n_columns)
    assert list(table.frame.columns) == [f"x{place}" for place in range(n_columns)]
    assert "is read as data" in table.remarks[0]


@pytest.mark.parametrize("names", ["region,2021,2022", "400,450,500", "2021,2022", "1,b"])
def test_numbers_may_be_names(tmp_path, names):
    n_columns = names.count(",") + 1
    body = [
        "abc"[row % 3] + ",1.5,2.5" if names[0].isalpha() else ",".join([f"{row}.5"] * n_columns) for row in range(9)
    ]
    (tmp_path / "t.csv").write_text("\n".join([names, *body]))
    assert list(read_table(tmp_path / "t.csv").frame.columns) == names.split(",")


@pytest.mark.parametrize(
    ("cells", "values", "finding"),
    [
        (["1.2k", "950"], [1200, 950], "abbreviated thousands or millions"),
        (["1.2K", "3.4M"], [1200, 3.4e6], "abbreviated thousands or millions"),
        (["2 Mio.", "999"], [2e6, 999], "abbreviated thousands or millions"),
        (["12.5 Mio.", "3 Mio."], [12.5, 3], "units"),
        (["%45", "%7.5"], [0.45, 0.075], "percentages"),
        (["23:55", "7:05"], [86100, 25500], "times of day or durations"),
        (["11:55 PM", "12:05 am"], [86100, 300], "times of day or durations"),
        (["45:30:10", "0:00:59"], [163810, 59], "times of day or durations"),
        (["1:02.5", "59:59.25"], [62.5, 3599.25], "times of day or durations"),
        (["-", "17.5", "8"], [np.nan, 17.5, 8], "text among numbers"),
        (["k.A.", "17.5", "8"], [np.nan, 17.5, 8], "text among numbers"),
        (["\u2014", "17.5", "8"], [np.nan, 17.5, 8], "text among numbers"),
        (['="12"', "'7"], [12, 7], "quoted numbers"),
    ],
)
def test_a_column_in_a_notation_is_read_with_a_note(tmp_path, cells, values, finding):
    order = np.random.default_rng(1).permutation(np.arange(40) % len(cells))
    _, prepared = _read(tmp_path, ["a;b", *(f"{cells[place]};{row}.5" for row, place in enumerate(order))])
    assert prepared.names == ["a", "b"]
    found = np.where(prepared.missing[:, 0], np.nan, prepared.filled[:, 0])
    np.testing.assert_allclose(found, np.array(values)[order], rtol=1e-12)
    assert finding in _findings(prepared, "a")


def test_decimal_points_beside_decimal_commas_are_read_where_they_are_certain(tmp_path):
    cells = [f"{row % 9},5" if row % 20 else "7.25" for row in range(40)]
    _, prepared = _read(tmp_path, ["a;b", *(f"{cell};{row},5" for row, cell in enumerate(cells))])
    assert prepared.filled[[0, 1], 0].tolist() == [7.25, 1.5]
    assert _findings(prepared, "a") == {"decimal points and decimal commas": "read as numbers"}


def test_numbers_that_may_be_thousands_or_decimals_are_not_guessed(tmp_path):
    cells = [["0,126", "0.126", "4,110"][row % 3 if row < 37 else 0] for row in range(40)]
    _, prepared = _read(tmp_path, ["a;b", *(f"{cell};{row}" for row, cell in enumerate(cells)), "0,5;3"])
    assert any("unknown notation" in finding for finding in _findings(prepared, "a"))
    assert "a" not in prepared.names


@pytest.mark.parametrize("cells", [["300K", "290"], ["12.5 DR", "3 CR"], ["1.5 kg", "900 g"]])
def test_units_that_cannot_be_known_are_not_dropped(tmp_path, cells):
    _, prepared = _read(tmp_path, ["a;b", *(f"{cells[row % 2]};{row}.5" for row in range(40))])
    assert prepared.names == ["b"]
    assert _findings(prepared, "a") == {"text": "not used"}


def test_clocks_that_advance_are_no_measurements(tmp_path):
    times = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.cumsum(np.arange(40) % 5 + 1), unit="min")
    _, prepared = _read(tmp_path, ["at,b", *(f"{time:%H:%M},{row}.5" for row, time in enumerate(times))])
    assert prepared.names == ["b"]
    assert _findings(prepared, "at") == {"dates or times": "not used"}


@pytest.mark.parametrize("format_", ["%d. {} %Y", "%d {} %Y", "Mo, %d.%m.%Y", "lundi %d {} %Y", "%d-{:.3}-%Y"])
@pytest.mark.parametrize("month", ["Januar", "janvier"])
def test_dates_of_other_languages_are_dates(tmp_path, format_, month):
    days = [f"{row % 28 + 1:02d}" for row in range(40)]
    texts = [format_.replace("%d", day).replace("%m", "01").replace("%Y", "2026").format(month) for day in days]
    _, prepared = _read(tmp_path, ["day;b", *(f"{text};{row}.5" for row, text in enumerate(texts))], categories=True)
    assert _findings(prepared, "day") == {"dates or times": "not used"}


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_dates_as_whole_numbers_are_no_measurements(tmp_path, order):
    days = pd.date_range("2026-01-20", periods=40, freq="D").strftime("%Y%m%d").to_numpy(dtype=np.float64)
    days = days if order == "sorted" else np.random.default_rng(0).permutation(days)
    _, prepared = _read(tmp_path, ["day,b", *(f"{day:.0f},{row}.5" for row, day in enumerate(days))])
    assert prepared.names == ["b"]
    assert _findings(prepared, "day") == {DATED: "not used without --use"}
    tally = IdentifierTally("day")
    for start in range(0, 40, 9):
        tally.add(days[start : start + 9])
    assert tally.reason() == (DATED, True)


IDENTIFIERS = [
    "n\u00b0 client", "No. client", "num\u00e9ro", "Num\u00e9ro de client", "code_postal", "Code postal", "matricule",
    "SIRET", "invoice #", "order #", "#", "serial", "S/N", "barcode", "upc", "telephone", "Telefon", "uid", "rownum",
    "index", "row", "orderno", "Schl\u00fcssel", "fips", "geoid", "Kunden-Nr.", "Art.-Nr.", "ID (intern)",
]  # fmt: skip


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_identifiers_of_more_languages_are_not_scored(tmp_path, name):
    numbers = np.random.default_rng(2).permutation(90_000)[:N_ROWS] + 10_000
    lines = [f"{NAMES},{name}", *(f"{line},{number}" for line, number in zip(_lines(names=None), numbers, strict=True))]
    assert _read(tmp_path, lines)[1].names == list(TRUTH)


@pytest.mark.parametrize("name", ["price index", "heart beats", "index", "serial resistance", "code length", "hotel"])
def test_measurements_with_similar_names_are_scored(tmp_path, name):
    values = np.random.default_rng(2).integers(1, 30, N_ROWS)
    lines = [f"{NAMES},{name}", *(f"{line},{value}" for line, value in zip(_lines(names=None), values, strict=True))]
    assert _read(tmp_path, lines)[1].names == [*TRUTH, name]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([f'"{line}"' for line in _lines()], "each line of t.csv is one field in quotes. Remove the quotes"),
        (_lines("\u00a7", ","), "t.csv has '\u00a7' between its fields. Write it with commas or tabs"),
        (_lines("\uff0c"), "has '\uff0c' between its fields"),
    ],
    ids=["quoted lines", "paragraph signs", "wide commas"],
)
def test_what_cannot_be_split_is_an_error_with_a_remedy(tmp_path, lines, words):
    with pytest.raises(InputError, match=words):
        _read(tmp_path, lines)


def test_one_column_of_thousands_is_one_column(tmp_path):
    _, prepared = _read(tmp_path, ["a", *(_number(value, group=",", digits=2) for value in AMOUNT)])
    np.testing.assert_array_equal(prepared.filled[:, 0], AMOUNT)


def test_text_with_apostrophes_keeps_them(tmp_path):
    names = ["O'Neil", "'t Hooft", "D'Arcy", "Smith"]
    table, _ = _read(tmp_path, ["a,who", *(f"{row}.5,{names[row % 4]}" for row in range(12))])
    assert table.frame["who"].tolist() == names * 3


def _hours(step, separator, n_rows=60):
    """Return hours and minutes, such as 7.45."""
    minutes = np.random.default_rng(0).integers(0, 24 * 60 // step, n_rows) * step
    return [f"{minute // 60}{separator}{minute % 60:02d}" for minute in minutes]


@pytest.mark.parametrize("pieces", [None, 17])
@pytest.mark.parametrize("step", [1, 5, 15])
@pytest.mark.parametrize(("delimiter", "mark"), [(",", "."), (";", ",")])
def test_decimals_that_may_be_minutes_are_remarked(tmp_path, delimiter, mark, step, pieces):
    lines = [f"{text}{delimiter}{row % 7}" for row, text in enumerate(_hours(step, mark))]
    (tmp_path / "t.csv").write_text("\n".join([f"start{delimiter}b", *lines]))
    options = {} if pieces is None else {"chunk_rows": pieces}
    notes = scan(tmp_path / "t.csv", detector="MarginalDetector", contamination=0.1, **options).notes
    found = {note.finding: note.columns for note in notes}
    assert found["hours and minutes?"] == ["start (all decimals below 60)"]


@pytest.mark.parametrize(
    "texts",
    [
        [f"{value:.2f}" for value in np.random.default_rng(0).uniform(0, 24, 60)],
        [f"{value / 2:.2f}" for value in range(40)],
        [f"{value / 4:.2f}" for value in range(60)],
        [f"0.{value:02d}" for value in range(59)],
        [f"{value % 90}.{value % 60:02d}" for value in range(0, 900, 7)],
        [f"{value % 24}.{value % 60:02d}5" for value in range(60)],
        [f"{value % 24}.{value % 60:02d}" for value in range(19)],
        [str(value % 24) for value in range(60)],
    ],
    ids=["any", "halves", "quarters", "no_hours", "beyond_a_day", "three_decimals", "few", "integers"],
)
def test_decimals_that_are_no_minutes_are_not_remarked(tmp_path, texts):
    (tmp_path / "t.csv").write_text("\n".join(["a,b", *(f"{text},{row % 7}" for row, text in enumerate(texts))]))
    assert "hours and minutes?" not in {note.finding for note in prepare(read_table(tmp_path / "t.csv")).notes}
