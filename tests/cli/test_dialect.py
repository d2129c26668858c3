"""Tables as programs and countries write them, read back."""

import gzip
import io

import numpy as np
import pandas as pd
import pytest

from skanomaly._cli._dialect import decimal_votes, find_dialect, find_encoding
from skanomaly._cli._in_pieces import pieces_of, read_sample
from skanomaly._cli._prepare import prepare
from skanomaly._cli._read import read_table
from skanomaly._cli._scan import scan

N_ROWS = 60


def _truth(seed=0):
    rng = np.random.default_rng(seed)
    amount = np.round(rng.uniform(100, 900, N_ROWS), 2)
    amount[7] = 48211.5
    return pd.DataFrame(
        {"amount": amount, "count": rng.integers(1, 50, N_ROWS), "change": np.round(rng.normal(0, 3, N_ROWS), 3)}
    )


def _number(value, decimal=".", group="", digits=None):
    text = f"{value:,.{digits}f}" if digits is not None else f"{value:,}"
    return text.replace(",", "_").replace(".", decimal).replace("_", group)


def _rows(frame, separator, *, quote=False, **written):
    lines = []
    for amount, count, change in frame.itertuples(index=False):
        cells = [_number(amount, digits=2, **written), str(count), _number(change, digits=3, **written)]
        lines.append(separator.join(f'"{cell}"' if quote else cell for cell in cells))
    return lines


def _excel_english(frame):
    lines = ["amount,count,change"]
    for amount, count, change in frame.itertuples(index=False):
        text = f"{amount:,.2f}"
        lines.append(f"{chr(34) + text + chr(34) if ',' in text else text},{count},{change}")
    return "\r\n".join(lines).encode("utf-8-sig")


def _excel_german(frame):
    lines = ["sep=;", "amount;count;change", *_rows(frame, ";", decimal=",", group=".")]
    return "\r\n".join(lines).encode("cp1252")


def _excel_unicode(frame):
    return "\r\n".join(["amount\tcount\tchange", *_rows(frame, "\t", decimal=",", group=".")]).encode("utf-16")


def _libreoffice(frame):
    return "\n".join(['"amount","count","change"', *_rows(frame, ",", quote=True)]).encode()


def _libreoffice_german(frame):
    return "\n".join(["amount;count;change", *_rows(frame, ";", decimal=",")]).encode()


def _french(frame):
    return "\r\n".join(["amount;count;change", *_rows(frame, ";", decimal=",", group="\u00a0")]).encode("cp1252")


def _french_utf8(frame):
    text = "\r\n".join(["amount;count;change", *_rows(frame, ";", decimal=",", group="\u202f")])
    return text.encode("utf-8-sig")


def _swiss(frame):
    return "\n".join(["amount;count;change", *_rows(frame, ";", group="'")]).encode()


def _sap_list(frame):
    """A list with bars and rules; negative numbers end in a minus sign."""
    rule = "-" * 44
    lines = ["Report ZFI001   01.02.2026", "", rule, f"|{'amount':>12} |{'count':>6} |{'change':>10} |", rule]
    for amount, count, change in frame.itertuples(index=False):
        shown = _number(abs(change), ",", ".", 3) + ("-" if change < 0 else "")
        lines.append(f"|{_number(amount, ',', '.', 2):>12} |{count:>6} |{shown:>10} |")
    return "\r\n".join([*lines, rule]).encode()


def _sap_spreadsheet(frame):
    lines = ["Ledger 0L\t\t\t", "amount\tcount\tchange"]
    for amount, count, change in frame.itertuples(index=False):
        shown = _number(abs(change), ",", ".", 3) + ("-" if change < 0 else " ")
        lines.append(f"  {_number(amount, ',', '.', 2)}\t{count}\t{shown}")
    return "\r\n".join(lines).encode("utf-16")


def _accounting(frame):
    lines = ["Northwind Ltd.", "Trial balance, March", "", "amount,count,change"]
    for amount, count, change in frame.itertuples(index=False):
        shown = f"({abs(change):.3f})" if change < 0 else f"{change:.3f}"
        lines.append(f'"{amount:,.2f}",{count},{shown}')
    return "\n".join(lines).encode()


def _pandas(frame):
    return frame.to_csv().encode()


def _r(frame):
    lines = ['"amount","count","change"']
    lines += [f'"{row + 1}",{a},{c},{d}' for row, (a, c, d) in enumerate(frame.itertuples(index=False))]
    return "\n".join(lines).encode()


def _r_csv2(frame):
    lines = ['"";"amount";"count";"change"']
    lines += [f'"{row + 1}";{cells}' for row, cells in enumerate(_rows(frame, ";", decimal=","))]
    return "\n".join(lines).encode()


def _r_table(frame):
    lines = ['"amount" "count" "change"']
    lines += [f'"{row + 1}" {a} {c} {d}' for row, (a, c, d) in enumerate(frame.itertuples(index=False))]
    return "\n".join(lines).encode()


def _german_bars(frame):
    return "\n".join(["amount|count|change", *_rows(frame, "|", decimal=",")]).encode()


def _logger_units(frame):
    return "\r\n".join(["amount,count,change", "EUR,,mm/s²", *_rows(frame, ",")]).encode("utf-8-sig")


def _german_units(frame):
    lines = ["Prüfstand 7;;", "amount;count;change", "kN;1/min;°C", "REAL;INT;REAL", *_rows(frame, ";", decimal=",")]
    return "\r\n".join(lines).encode("cp1252")


def _french_units(frame):
    """Thin spaces between thousands, a currency after the amount, dashes for minus signs."""
    lines = ["amount;count;change"]
    for amount, count, change in frame.itertuples(index=False):
        shown = _number(change, ",", "", 3).replace("-", "\u2013")
        lines.append(f"{_number(amount, ',', chr(0x2009), 2)} EUR;{count};{shown} kWh/m²")
    return "\n".join(lines).encode("utf-8-sig")


def _swiss_currency(frame):
    lines = [
        f"CHF {_number(amount, '.', chr(0x2019), 2)};{count};{change}" for amount, count, change in frame.to_numpy()
    ]
    return "\n".join(["amount;count;change", *lines]).encode()


def _carets(frame):
    return "\n".join(["amount^count^change", *_rows(frame, "^", decimal=",")]).encode()


def _aligned_german(frame):
    lines = [f"{'amount':>10}{'count':>8}{'change':>10}"]
    for amount, count, change in frame.itertuples(index=False):
        lines.append(f"{_number(amount, ',', '', 2):>10}{count:>8}{_number(change, ',', '', 3):>10}")
    return "\n".join(lines).encode()


def _numpy(frame):
    stream = io.StringIO()
    np.savetxt(stream, frame, fmt=["%.2f", "%d", "%.3f"], header="made by a logger, version 2\namount count change")
    return stream.getvalue().encode()


def _fortran(frame):
    lines = [f"{amount:.6E},{count},{change:.6E}" for amount, count, change in frame.to_numpy()]
    return "\n".join(["amount,count,change", *lines]).replace("E+", "D+").replace("E-", "D-").encode()


def _settings_above(frame):
    head = ["Serial;12345;", "Date;12.03.2026;", "Channels;3;", "amount;count;change"]
    return "\n".join([*head, *_rows(frame, ";", decimal=",", group=".")]).encode()


def _comments_and_totals(frame):
    rows = _rows(frame, ";", decimal=",")
    below = ["Summe;1234;5,5", "", "60 Zeilen exportiert;;", ";;"]
    lines = [
        "amount;count;change",
        *rows[:20],
        "# Pause; neu kalibriert",
        *rows[20:40],
        "amount;count;change",
        *rows[40:],
    ]
    return "\n".join([*lines, *below]).encode()


DIALECTS = [
    _excel_english,
    _excel_german,
    _excel_unicode,
    _libreoffice,
    _libreoffice_german,
    _french,
    _french_utf8,
    _swiss,
    _sap_list,
    _sap_spreadsheet,
    _accounting,
    _pandas,
    _r,
    _r_csv2,
    _r_table,
    _german_bars,
    _logger_units,
    _german_units,
    _french_units,
    _swiss_currency,
    _carets,
    _aligned_german,
    _numpy,
    _fortran,
    _settings_above,
    _comments_and_totals,
]


@pytest.mark.parametrize("write", DIALECTS, ids=lambda write: write.__name__[1:])
@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_dialects_are_read_to_the_same_numbers(tmp_path, write, ending, seed):
    frame, path = _truth(seed), tmp_path / f"t{ending}"
    data = write(frame)
    path.write_bytes(gzip.compress(data) if ending == ".csv.gz" else data)
    prepared = prepare(read_table(path))
    assert prepared.names == list(frame.columns)
    np.testing.assert_array_equal(prepared.filled, frame.to_numpy())


@pytest.mark.parametrize("write", DIALECTS[:4] + DIALECTS[8:10], ids=lambda write: write.__name__[1:])
def test_dialects_scan_to_the_same_first_row(tmp_path, write):
    (tmp_path / "t.csv").write_bytes(write(_truth()))
    result = scan(tmp_path / "t.csv", top=1, contamination=0.1)
    assert result.top.tolist() == [7]
    assert result.reasons[0][0].value == 48211.5


def _prepared(tmp_path, text):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    return prepare(read_table(tmp_path / "t.csv"))


def _notes(prepared, column):
    return {note.finding: note.action for note in prepared.notes if any(column in name for name in note.columns)}


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("decimal", [",", "."])
def test_commas_in_the_header_are_no_delimiters(tmp_path, separator, decimal, seed):
    rng = np.random.default_rng(seed)
    values = np.round(rng.uniform(-1, 1, size=(200, 3)), 3)
    head = separator.join(["Temp, air, C", "Pressure, bar", "Flow, l/min"])
    lines = [separator.join(f"{value:.3f}".replace(".", decimal) for value in row) for row in values]
    prepared = _prepared(tmp_path, "\n".join([head, *lines]))
    assert prepared.names == ["Temp, air, C", "Pressure, bar", "Flow, l/min"]
    np.testing.assert_array_equal(prepared.filled, values)


def test_points_are_thousands_where_commas_are_decimal(tmp_path, seed):
    rng = np.random.default_rng(seed)
    sales, numbers = rng.integers(100, 9000, 60), np.round(rng.uniform(0, 5, 60), 2)
    sales[0], sales[1] = 957, 4123
    lines = [f"{_number(int(a), ',', '.')};{_number(b, ',', '', 2)}" for a, b in zip(sales, numbers, strict=True)]
    prepared = _prepared(tmp_path, "\n".join(["Umsatz;Menge", *lines]))
    np.testing.assert_array_equal(prepared.filled, np.column_stack([sales, numbers]))


def test_points_between_thousands_are_found_without_any_decimal_comma(tmp_path):
    values = [500 + 50 * (row * 7 % 60) for row in range(60)]
    text = "a;b\n" + "".join(f"{_number(value, ',', '.')};{value % 7}\n" for value in values)
    assert _prepared(tmp_path, text).filled[:, 0].max() == 3450


def test_three_decimals_in_every_row_stay_decimals(tmp_path):
    text = "a;b\n" + "".join(f"{value / 8:.3f};{value % 7}\n" for value in range(8, 90))
    assert _prepared(tmp_path, text).filled[:, 0].max() == 89 / 8


@pytest.mark.parametrize(
    ("cells", "values", "finding"),
    [
        (["12,500.00", "9,100.00"], [12500.0, 9100.0], "thousands or currencies"),
        (["$1,250.50", "€ 7"], [1250.5, 7.0], "thousands or currencies"),
        (["1'234'567.5", "1 234.5"], [1234567.5, 1234.5], "thousands or currencies"),
        (["12,34,567", "1,23,456.7"], [1234567.0, 123456.7], "thousands or currencies"),
        (["(45.5)", "17.25-"], [-45.5, -17.25], "negative numbers of accounting"),
        (["<0.5", ">= 250"], [0.5, 250.0], "censored values"),
        (["87%", "12.5 %"], [87.0, 12.5], "percentages"),
        (["\u221245.5", "1.5E+03"], [-45.5, 1500.0], None),
        (["12.5 kg", "-1250 kg"], [12.5, -1250.0], "units"),
        (["CHF 7.5", "CHF -9"], [7.5, -9.0], "units"),
    ],
)
def test_notations_among_numbers_are_read(tmp_path, cells, values, finding):
    plain = [f"{100 + row + 0.25}" for row in range(58)]
    text = "a;b\n" + "".join(f'"{cell}";{row % 5}\n' for row, cell in enumerate([*cells, *plain]))
    prepared = _prepared(tmp_path, text)
    np.testing.assert_array_equal(prepared.filled[:2, 0], values)
    assert prepared.n_blank_rows == 0
    assert set(_notes(prepared, "a")) == ({finding} if finding else set())


def test_percentages_beside_fractions_are_fractions(tmp_path):
    cells = ["0"] * 198 + ["87%", "45%"]
    text = "err,b\n" + "".join(f"{cell},{row % 9}\n" for row, cell in enumerate(cells))
    prepared = _prepared(tmp_path, text)
    assert prepared.filled[-2:, 0].tolist() == [0.87, 0.45]
    assert _notes(prepared, "err") == {"percentages": "read as fractions"}


def test_a_decimal_comma_survives_a_stray_word(tmp_path):
    cells = [f"{20 + row / 4:.2f}".replace(".", ",") for row in range(50)]
    cells[13] = "defekt"
    text = "temp;press\n" + "".join(f"{cell};{row % 9}\n" for row, cell in enumerate(cells))
    prepared = _prepared(tmp_path, text)
    assert prepared.filled[49, 0] == 32.25
    assert _notes(prepared, "temp")["text among numbers"] == "treated as missing"


@pytest.mark.parametrize(
    ("stray", "finding"), [("defekt", "text among numbers"), ("1,2,3", "numbers in an unknown notation")]
)
@pytest.mark.parametrize("value", ["0", "3.5"])
def test_a_note_outlives_its_column(tmp_path, value, stray, finding):
    text = "err;b\n" + "".join(f"{cell};{row}.5\n" for row, cell in enumerate([value] * 60 + [stray] * 2))
    notes = _notes(_prepared(tmp_path, text), "err")
    assert notes == {"constant": "not used", finding: "treated as missing"}


def test_a_column_in_an_unknown_notation_is_named(tmp_path):
    text = "a;b\n" + "".join(f"{row}/{row + 3}/7/9;{row}.5\n" for row in range(60))
    assert "numbers in an unknown notation, e.g. '0/3/7/9'" in _notes(_prepared(tmp_path, text), "a")


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"'])
def test_the_delimiter_that_the_first_line_names_is_used(tmp_path, first):
    text = first + "\na,x;b,y\n" + "".join(f"{row},5;{row % 7}\n" for row in range(30))
    prepared = _prepared(tmp_path, text)
    assert prepared.names == ["a,x", "b,y"]
    assert prepared.filled[3, 0] == 3.5


@pytest.mark.parametrize("titles", [["Report"], ["Report, March", "", "Plant 7;;"], ["Report;;;"], ['"two\nlines"']])
def test_titles_are_left_out_with_a_remark(tmp_path, titles):
    text = "\n".join([*titles, "a;b;c;d", *(f"{row},5;{row % 7};1,25;{row % 3}" for row in range(30))])
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    table = read_table(tmp_path / "t.csv")
    assert list(table.frame.columns) == ["a", "b", "c", "d"]
    assert len(table.frame) == 30
    assert "Lines before the column names were left out" in table.remarks[0]


def test_units_below_the_names_are_left_out_with_a_remark(tmp_path):
    lines = ["when,temp,kind", "yyyy-mm-dd,degC,-", *(f"2026-01-{day:02d},{day * 1.5},ab" for day in range(1, 29))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    table = read_table(tmp_path / "t.csv")
    assert table.frame["temp"].tolist() == [day * 1.5 for day in range(1, 29)]
    assert table.remarks == ["A line of units below the column names was left out: 'yyyy-mm-dd degC -'."]


@pytest.mark.parametrize(
    "first",
    ["2026-01-01,defect,ab", "2026-01-01,,ab", "NA,NA,NA", "-,n/a,", "day,7,-", "day,degC,ab"],
    ids=["word", "empty", "missing", "mixed", "number", "category"],
)
def test_rows_are_no_units(tmp_path, first):
    lines = ["when,temp,kind", first, *(f"2026-01-{day:02d},{day * 1.5},ab" for day in range(2, 29))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert len(read_table(tmp_path / "t.csv").frame) == 28


def test_a_word_that_occurs_again_is_no_unit(tmp_path):
    lines = ["a,b", "ERR,ERR", *(f"{day},{day * 1.5}" for day in range(2, 29)), "ERR,ERR"]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert len(read_table(tmp_path / "t.csv").frame) == 29


def test_line_breaks_in_names_are_spaces(tmp_path):
    text = '"Temp\n[C]";"Flow \r\n l/min"\n' + "".join(f"{row},5;{row % 7}\n" for row in range(30))
    (tmp_path / "t.csv").write_text(text, encoding="utf-8", newline="")
    table = read_table(tmp_path / "t.csv")
    assert list(table.frame.columns) == ["Temp [C]", "Flow l/min"]
    assert len(table.frame) == 30


def test_one_column_of_decimal_commas_is_read(tmp_path):
    text = "temp\n" + "".join(f"{row},5\n" for row in range(30))
    assert _prepared(tmp_path, text).filled[:3, 0].tolist() == [0.5, 1.5, 2.5]


@pytest.mark.parametrize("cells", [["12 kg", "900 g"], ["A12", "A17"], ["12a", "12b"], ["3 of 5", "4 of 5"]])
def test_text_with_digits_stays_text(tmp_path, cells):
    text = "a;b\n" + "".join(f"{cells[row % 2]};{row}.5\n" for row in range(60))
    assert _prepared(tmp_path, text).names == ["b"]


@pytest.mark.parametrize("words", [("WAHR", "FALSCH"), ("VRAI", "FAUX"), ("true", "false")])
def test_booleans_of_other_languages_are_booleans(tmp_path, words):
    text = "ok;b\n" + "".join(f"{words[row % 3 == 0]};{row},5\n" for row in range(60))
    assert _prepared(tmp_path, text).filled[:3, 0].tolist() == [0, 1, 1]


@pytest.mark.parametrize("pieces", [None, 7, 59])
def test_lines_that_are_no_rows_are_counted_in_a_remark(tmp_path, pieces):
    (tmp_path / "t.csv").write_bytes(_comments_and_totals(_truth()))
    table = read_table(tmp_path / "t.csv") if pieces is None else _sampled(tmp_path / "t.csv", pieces)
    kinds = ["comments between the rows", "repeated column names", "text below the table", "totals below the table"]
    counted = ", ".join(f"{kind} (1)" for kind in [*kinds, "lines without a value below the table"])
    assert table.remarks == [f"Lines that are no rows were left out: {counted}."]
    np.testing.assert_array_equal(table.frame.astype(float), _truth())


def _sampled(path, chunk_rows):
    return read_sample(pieces_of(path, chunk_rows)).table


@pytest.mark.parametrize(
    "last",
    ["total;12,5;3", ";12,5;3", "note;;", "b;1,5;", "Total Energies;1,5;2", "Mean River;1,5;2"],
    ids=["level", "missing name", "level alone", "level and number", "company", "river"],
)
def test_rows_at_the_end_are_rows(tmp_path, last):
    kinds = ["total", "note", "b"]
    lines = ["kind;x;y", *(f"{kinds[row % 3]};{row},5;{row % 7}" for row in range(40)), last]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert len(read_table(tmp_path / "t.csv").frame) == 41


def test_leading_zeros_say_text(tmp_path):
    text = "plz;x\n" + "".join(f"{row * 1511 % 99999:05d};{row}.5\n" for row in range(60))
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    table = read_table(tmp_path / "t.csv")
    assert table.frame["plz"].iloc[1] == "01511"
    assert prepare(table).names == ["x"]
    assert prepare(table, use=["plz"]).names == ["plz", "x"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_are_found(encoding):
    text = "größe,gewicht\n1,2\n"
    data = text.encode(encoding)
    assert data.decode(find_encoding(data)).removeprefix("\ufeff") == text


def test_a_cut_last_line_has_no_vote():
    text = "a,b\n" + "1,2\n" * 50 + "1;2;3;4;5"
    assert find_dialect(text, complete=False).delimiter == ","


def test_ambiguous_numbers_have_no_vote():
    votes = decimal_votes(["1,234", "1.234", "12", "x", "1,234.5", "0,5", "1\u00a0234,5"])
    assert dict(votes) == {",": 2, ".": 1}


def test_files_of_pandas_keep_their_numbers(tmp_path, seed):
    frame = pd.DataFrame(np.random.default_rng(seed).normal(size=(50, 3)) * [1e-9, 1, 1e12], columns=["a", "b", "c"])
    stream = io.StringIO()
    frame.to_csv(stream, index=False)
    np.testing.assert_allclose(_prepared(tmp_path, stream.getvalue()).filled, frame, rtol=1e-14)


ROWS = "".join(f"{row * 1.5};{row};{100 - row / 4}\n" for row in range(1, 30))


@pytest.mark.parametrize(
    ("lines", "names", "n_remarks"),
    [
        ("Report;March;Plant 7\namount;count;change", ["amount", "count", "change"], 1),
        ("Sales;;Delta\namount;count;change", ["amount", "count", "change"], 1),
        ("Report;2024;7\namount;count;change", ["amount", "count", "change"], 1),
        ("Report;March;Plant\nx;y;z", ["x", "y", "z"], 1),
        ("Report;March;Plant\namount;count;change\nkg;pcs;mm", ["amount", "count", "change"], 2),
        ("Jan;;Feb\nin;out;in", ["Jan in", "Jan out", "Feb in"], 0),
        ("A;A;B\nmean;std;mean", ["A mean", "A std", "B mean"], 0),
        ("temp;press;flow\nCelsius;Bar;Litres", ["temp", "press", "flow"], 1),
        ("temp;press;flow\nfloat64;int64;float64", ["temp", "press", "flow"], 1),
        ("Q1;Q2;Q3\nHow old are you?;How many days a week?;How many hours a day?", ["Q1", "Q2", "Q3"], 1),
    ],
    ids=lambda value: value.replace("\n", " / ") if isinstance(value, str) else "",
)
def test_two_lines_of_text_are_titles_groups_or_units(tmp_path, lines, names, n_remarks):
    (tmp_path / "t.csv").write_text(f"{lines}\n{ROWS}")
    table = read_table(tmp_path / "t.csv")
    assert list(table.frame.columns) == names
    assert table.frame.iloc[:, 0].tolist() == [row * 1.5 for row in range(1, 30)]
    assert len(table.remarks) == n_remarks


def test_two_levels_of_names_of_pandas_are_joined(tmp_path):
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(size=(30, 4)), columns=pd.MultiIndex.from_product([["A", "B"], ["x", "y"]])
    )
    frame.to_csv(tmp_path / "t.csv")
    table = read_table(tmp_path / "t.csv")
    assert list(table.frame.columns) == ["Unnamed: 0", "A x", "A y", "B x", "B y"]
    np.testing.assert_array_equal(table.frame.iloc[:, 1:], frame)


@pytest.mark.parametrize("every", [1, 9, 1200], ids=["all", "some", "one_far_below"])
@pytest.mark.parametrize(
    ("separator", "cell", "text"),
    [(",", r"Smith\, J", "Smith, J"), ("\t", "a\\\tb", "a\tb"), (",", r'"the \"big\" one, 2"', 'the "big" one, 2')],
    ids=["comma", "tab", "quote"],
)
def test_delimiters_behind_a_backslash_do_not_split(tmp_path, every, separator, cell, text):
    cells = [cell if row % every == every - 1 else f"name{row}" for row in range(1300)]
    numbers = [r"\N" if row % 7 == 3 else row / 2 for row in range(1300)]
    lines = [
        f"{row}{separator}{name}{separator}{value}"
        for row, (name, value) in enumerate(zip(cells, numbers, strict=True))
    ]
    (tmp_path / "t.csv").write_text("\n".join([separator.join(["id", "name", "v"]), *lines]))
    frame = read_table(tmp_path / "t.csv").frame
    assert frame["name"].tolist() == [text if name == cell else name for name in cells]
    np.testing.assert_array_equal(frame["v"], [np.nan if value == r"\N" else value for value in numbers])


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_backslash_at_the_end_of_a_path_is_no_escape(tmp_path, quote):
    lines = [rf"{quote}C:\data\{row}" + rf"\{quote},{row},{row / 2}" for row in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(["folder,a,b", *lines]))
    frame = read_table(tmp_path / "t.csv").frame
    assert frame["folder"][7] == "C:\\data\\7\\"
    assert frame["b"].tolist() == [row / 2 for row in range(40)]
