"""Dialect of a delimited text: encoding, delimiter, decimal mark, thousands and lines before the header.

The dialect is judged over many lines: a header may contain any mark.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from skanomaly._cli._cells import SPACES, bare, is_missing_mark, unquoted
from skanomaly._cli._escapes import hide_escapes, is_escaped, show_escapes
from skanomaly._cli._header import group_names, has_title

__all__ = ["Dialect", "decimal_votes", "find_dialect", "find_encoding"]

DELIMITERS = ",;\t|^~"
_DELIMITER_CLASS = re.escape(DELIMITERS)
_RARE_DELIMITERS = ":#!@&*/=\x01\x1f"  # which also occur in cells
_UNKNOWN_DELIMITERS = "\u00a6\u00a7\u00fe\u00ac\u00a4\u2016\u2502\uff0c\uff1b\uff5c\u060c\u061b"  # beyond ASCII
_MOST_RECORDS = 500
_MOST_TITLES = 60
_LEAST_CONSISTENT = 0.8
_FEWEST_POINTED = 2
_MOST_UNIT_LINES = 2
_LAST_LINES = 20
_FEWEST_BELOW_UNITS = 4
_OF_SURVEYS = '{"ImportId"'  # in the third line of Qualtrics
_BOMS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?[;,\s]*", re.IGNORECASE)
_NUMBER = re.compile(
    rf"[$€£¥%]?\s*[<>≤≥~]?=?\s*\(?[-+]?\s*[$€£¥%]?\s*-?(\d[\d.,{SPACES}]*|[.,]\d+)([eE][-+]?\d+)?\s*[%€$£¥]?\s*\)?-?"
)
_DATE_OR_TIME = re.compile(r"\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?\b|\d{1,2}:\d{2}\b")
# A field in quotes that are not the usual ones, between delimiters.
_IN_QUOTES = {
    mark: re.compile(rf"(?:^|[,;\t|^~])\s*{mark}(?:[^{mark}\n]|{mark}{mark})*{mark}\s*(?=[,;\t|^~\r\n]|$)")
    for mark in "\"'`"
}
_RULE_LINE = re.compile(r"[-|+=\s]*")


def _decimal(mark: str, group: str) -> re.Pattern[str]:
    """Match numbers in which a mark can only be the decimal mark."""
    mark, group = re.escape(mark), re.escape(group)
    return re.compile(
        rf"[^\d{mark}{group}]*(\d{{1,3}}({group}\d{{3}})+{mark}\d+|\d{{4,}}{mark}\d+|0{mark}\d+|\d+{mark}(\d{{1,2}}|\d{{4,}})"
        rf"|\d{{1,3}}({group}\d{{3}}){{2,}}|{mark}\d+)(?:[eE][-+]?\d+)?[^\d{mark}{group}]*"
    )


_DECIMALS = {",": _decimal(",", "."), ".": _decimal(".", ",")}
_SPACE_IN_NUMBER = re.compile(rf"(?<=\d)[{SPACES}](?=\d)")
_GROUPED = {mark: re.compile(rf"[-+]?[1-9]\d{{0,2}}(\{mark}\d{{3}})+") for mark in ".,"}
_SMALL = re.compile(r"[-+]?\d{1,3}")


@dataclass(frozen=True)
class Dialect:
    """How a delimited text is written.

    Attributes
    ----------
    delimiter : str
        A mark, or the pattern of white space.
    decimal : str
        Decimal mark, "." or ",".
    skipped : list of int
        Lines, counted from 0, that are no part of the table: titles, ``sep=`` and rules.
    names : list of str
        The first record of the table.
    headless : bool
        Whether that record is like the others, and is data.
    row_names : bool
        Whether the records have one field more than the header, the name of the row, as R writes them.
    padded_text : tuple of int
        Columns with leading zeros, which numbers do not have.
    titles : list of str
        Texts of the skipped titles.
    units : list of str
        Texts of the skipped lines of units below the names.
    renames : bool
        Whether the line of the names does not have them as they are: it begins with a hash sign, or there are two.
    numbers : tuple of int
        Columns of numbers.
    seen : list of set of str
        The texts of each column, but for those of the last lines.
    quote : str
        Mark around cells.
    quotes_lines : bool
        Whether every line is one cell in quotes.
    unknown : str
        A mark that parts all lines alike but is no known delimiter, where no known one does.
    escapes : bool
        Whether a backslash keeps delimiters and quotes inside a cell.
    is_padded : bool
        Whether there are blanks between cells and delimiters.
    filled : tuple of int
        Columns besides those of numbers that are hardly ever empty.
    """

    delimiter: str
    decimal: str = "."
    skipped: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    headless: bool = False
    row_names: bool = False
    padded_text: tuple[int, ...] = ()
    titles: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    renames: bool = False
    numbers: tuple[int, ...] = ()
    seen: list[set[str]] = field(default_factory=list)
    quote: str = '"'
    quotes_lines: bool = False
    unknown: str = ""
    escapes: bool = False
    is_padded: bool = False
    filled: tuple[int, ...] = ()


def find_encoding(head: bytes) -> str:
    """Return the encoding of a text by its byte order mark, or by the zeros of UTF-16 without one; else UTF-8.

    Parameters
    ----------
    head : bytes
        First bytes of the file.

    Returns
    -------
    str
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    pairs = head[: len(head) // 2 * 2]
    if pairs and head.count(0) >= 0.4 * len(pairs) / 2:
        if not any(pairs[::2]) or pairs[::2].count(0) > pairs[1::2].count(0):
            return "utf-16-be"
        return "utf-16-le"
    return "utf-8-sig"


def find_dialect(sample: str, *, complete: bool = True) -> Dialect:
    """Find the dialect in which most of the records of a text agree.

    Parameters
    ----------
    sample : str
        The text, or its beginning.
    complete : bool, default=True
        Whether it is the whole text; otherwise the last line, which may be cut, is not used.

    Returns
    -------
    Dialect
    """
    lines = list(io.StringIO(sample, newline=""))  # str.splitlines also splits at other marks
    if not complete and len(lines) > 1:
        lines = lines[:-1]
    given, skipped = None, []
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    named = _SEPARATOR_LINE.fullmatch(lines[first].rstrip("\r\n")) if lines else None
    if named or (lines and lines[first].strip().lower() in {"sep=", '"sep="'}):
        given = named.group(1) if named else "\t"
        skipped = list(range(first + 1))
        lines = [*["\n"] * (first + 1), *lines[first + 1 :]]
    hashed = _hashed(lines)
    comments: list[str] = []
    if hashed is not None:
        comments = [text for line in lines[:hashed] if (text := line.lstrip("# ").strip())]
        skipped += [index for index in range(hashed) if index not in skipped]
        lines = [*["\n"] * hashed, lines[hashed].lstrip("# "), *lines[hashed + 1 :]]
    escapes = is_escaped(lines, lambda some: _regularity(_delimiter(some, given, _quote(some))[1])[1])
    lines = hide_escapes(lines) if escapes else lines
    quote = _quote(lines)
    delimiter, records = _delimiter(lines, given, quote)
    if delimiter == "|":
        rules = [index for index, line in enumerate(lines) if line.strip() and _RULE_LINE.fullmatch(line.strip())]
        if rules:
            skipped += [index for index in rules if index not in skipped]
            lines = ["\n" if index in rules else line for index, line in enumerate(lines)]
            records = _records(lines, delimiter, quote)
    records = show_escapes(records) if escapes else records
    width = _regularity(records)[0]
    is_found = width > 1 and _is_below_names(records, width)
    titles, records, lines_skipped = _without_titles(records)
    skipped += [index for index in lines_skipped if index not in skipped]
    cells = [fields for _, fields in records]
    names = cells[0] if cells else []
    decimal = _decimal_mark(cells, delimiter)
    headless = _is_headless(cells, decimal)
    body = cells if headless else cells[1:]
    width = _width(body)
    n_units = 0 if headless else _n_unit_lines(body, width)
    joined = group_names(names, body[0]) if n_units else []
    if joined or (n_units and has_title(names, body[0])):
        skipped += range(records[0][0], records[1][0])
        titles += [] if joined else [" ".join(cell for cell in names if cell)]
        names, records, body = joined or body[0], records[1:], body[1:]
        n_units = _n_unit_lines(body, width)
    if n_units:
        skipped += range(records[0][0] + 1, records[n_units][0] + 1)
    units = [" ".join(cell for cell in fields if cell) for fields in body[:n_units]]
    body = body[n_units:]
    is_hashed = hashed is not None and bool(records) and records[0][0] == hashed
    return Dialect(
        delimiter,
        decimal,
        sorted({*skipped, *range(records[0][0] if records else 0)}),
        names,
        headless,
        not headless and len(names) == width - 1 and _are_row_names(body, width),
        _padded(body),
        [*comments, *titles],
        units,
        bool(joined) or (is_hashed and len(set(names)) == len(names) == width),
        _numeric(body, width),
        [set(column) for column in _columns(body[:-_LAST_LINES], width)],
        quote,
        _are_quoted(lines, width),
        "" if given or is_found else _unknown_mark(lines),
        escapes,
        any(re.search(rf"[^\s{_DELIMITER_CLASS}] +(?:[{_DELIMITER_CLASS}]|$)", line) for line in lines[:_MOST_RECORDS]),
        _mostly_filled(body, width),
    )


def _columns(body: list[list[str]], width: int) -> list[tuple[str, ...]]:
    """Return the columns of the records that have so many fields."""
    return list(zip(*(fields for fields in body if len(fields) == width), strict=True))


def _mostly_filled(body: list[list[str]], width: int) -> tuple[int, ...]:
    """Return the columns besides those of numbers whose cells are hardly ever missing."""
    numbers = _numeric(body, width)
    columns = _columns(body, width)
    return tuple(
        place
        for place, column in enumerate(columns)
        if place not in numbers and sum(map(is_missing_mark, column)) <= (1 - _LEAST_CONSISTENT) * len(column)
    )


def _hashed(lines: list[str]) -> int | None:
    """Return the last of the lines at the top that begin with a hash sign and a space, if it may name the columns."""
    first = next((index for index, line in enumerate(lines) if line.strip() and line[0] != "#"), len(lines))
    last = next((index for index in range(first - 1, -1, -1) if lines[index].strip()), None)
    if last is None or first == len(lines) or not re.match(r"#+ +[^\W\d]", lines[last]):
        return None
    return None if len(lines[last].split()) == len(lines[first].split()) > 1 else last


def _numeric(body: list[list[str]], width: int) -> tuple[int, ...]:
    """Return the columns whose cells are numbers, but for a few."""
    filled = [[cell for cell in column if not is_missing_mark(cell)] for column in _columns(body, width)]
    return tuple(
        place
        for place, cells in enumerate(filled)
        if cells and sum(_NUMBER.fullmatch(cell) is not None for cell in cells) >= _LEAST_CONSISTENT * len(cells)
    )


def _quote(lines: list[str]) -> str:
    """Return the mark around cells, which most lines have if it is not the usual one."""
    counts = {
        mark: sum(pattern.search(line) is not None for line in lines[:_MOST_RECORDS])
        for mark, pattern in _IN_QUOTES.items()
    }
    mark = max("'`", key=lambda mark: counts[mark])
    return mark if counts[mark] > max(counts['"'], len(lines[:_MOST_RECORDS]) / 2) else '"'


def _unknown_mark(lines: list[str]) -> str:
    """Return a mark that no cell has and that occurs equally often in all lines, the first one included."""
    filled = [line for line in lines[:_MOST_RECORDS] if line.strip()]
    for mark in _UNKNOWN_DELIMITERS if len(filled) > 2 else "":
        if filled[0].count(mark) and len({line.count(mark) for line in filled}) == 1:
            return mark
    return ""


def _are_quoted(lines: list[str], width: int) -> bool:
    """Return whether each line is one cell in quotes, in which there are delimiters."""
    filled = [line.strip() for line in lines if line.strip()]
    whole = [line for line in filled if len(line) > 1 and line[0] == line[-1] == '"']
    if width != 1 or len(whole) < max(2, _LEAST_CONSISTENT * len(filled)):
        return False
    inner = [line[1:-1].replace('""', '"') + "\n" for line in whole]
    return _width([fields for _, fields in _delimiter(inner, None, '"')[1]]) > 1


def _delimiter(lines: list[str], given: str | None, quote: str) -> tuple[str, list[tuple[int, list[str]]]]:
    """Return the delimiter that splits most records alike, into most numbers, below names; and the records."""
    if given is not None:
        return given, _records(lines, given, quote)
    best, found, has_names = (0.0, 0), (",", _records(lines, ",", quote)), False
    for mark in DELIMITERS:
        records = _records(lines, mark, quote)
        width, regular, numbers = _regularity(records)
        if width < 2:
            continue
        is_below_names = _is_below_names(records, width)
        score = round(regular + numbers + 0.5 * is_below_names, 3)
        if regular >= _LEAST_CONSISTENT / 2 and (score, width) > best:
            best, found, has_names = (score, width), (mark, records), is_below_names and regular >= _LEAST_CONSISTENT
    if not has_names:
        rare = _rare(lines, quote)
        if rare is not None:
            return rare
    mark, records = found
    if best[1] < 2 or (mark == "," and len(records[0][1]) == 1):
        spaced = [(index, line.split()) for index, line in enumerate(lines) if line.strip()][:_MOST_RECORDS]
        width = _width([fields for _, fields in spaced[1:]])
        alike = all(len(fields) == width for _, fields in spaced[1:])
        named = len(spaced[0][1]) in ({width, width - 1} if best[1] < 2 else {width})
        only_numbers = all(_NUMBER.fullmatch(cell) for _, fields in spaced[1:] for cell in fields)
        if width > 1 and alike and named and (best[1] < 2 or only_numbers):
            return r"\s+", [(index, [cell.strip('"') for cell in fields]) for index, fields in spaced]
    return mark, records


def _rare(lines: list[str], quote: str) -> tuple[str, list[tuple[int, list[str]]]] | None:
    """Return a rare delimiter that splits all lines alike, the first one into names; or no delimiter of one column."""
    for mark in _RARE_DELIMITERS:
        records = _records(lines, mark, quote)
        width, regular, numbers = _regularity(records)
        names = records[0][1] if records else []
        if width > 1 and regular == 1 and len(names) == width and not any(map(_NUMBER.fullmatch, names)) and numbers:
            return mark, records
    records = _records(lines, ";", quote)
    below = [",".join(fields) for _, fields in records[1:]]
    has_commas = any("," in line for line in below)
    if has_commas and "," not in ",".join(records[0][1]) and all(map(_NUMBER.fullmatch, below)):
        return ";", records  # one column of numbers with commas
    return None


def _regularity(records: list[tuple[int, list[str]]]) -> tuple[int, float, float]:
    """Return the usual number of fields, the fraction of records that have so many, and that of numbers among cells."""
    body = [fields for _, fields in records[1:]] or [fields for _, fields in records]
    width = _width(body)
    regular = sum(len(fields) == width for _, fields in records) / max(len(records), 1)
    cells = [cell for fields in body for cell in fields if cell]
    return width, regular, sum(_NUMBER.fullmatch(cell) is not None for cell in cells) / max(len(cells), 1)


def _is_below_names(records: list[tuple[int, list[str]]], width: int) -> bool:
    """Return whether the first record with so many fields is the first of all, or has names instead of numbers."""
    for place, (_, fields) in enumerate(records[:_MOST_TITLES]):
        if len(fields) == width:
            return place == 0 or not any(map(_NUMBER.fullmatch, fields))
    return False


def _records(lines: list[str], delimiter: str, quote: str) -> list[tuple[int, list[str]]]:
    """Split lines into records of bare cells, each with its number; blank lines are counted and left out."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, quotechar=quote)
    records = []
    try:
        for index, fields in enumerate(reader):
            if any(cell.strip() for cell in fields):
                records.append((index, [unquoted(bare(cell)) for cell in fields]))
            if len(records) == _MOST_RECORDS:
                break
    except csv.Error:  # a field beyond the limit of the reader
        pass
    return records


def _width(records: list[list[str]]) -> int:
    """Return the most frequent number of fields."""
    return Counter(map(len, records)).most_common(1)[0][0] if records else 0


def _without_titles(
    records: list[tuple[int, list[str]]],
) -> tuple[list[str], list[tuple[int, list[str]]], list[int]]:
    """Leave out records of text before the header, which have at most one field beside wider records."""
    width = _width([fields for _, fields in records[1:]])
    if width < 2 or len(records) < 3:
        return [], records, []
    for first, (_, fields) in enumerate(records[:_MOST_TITLES]):
        before = [earlier for _, earlier in records[:first]]
        is_header = len(fields) == width and all(fields) and not any(map(_NUMBER.fullmatch, fields))
        if is_header and all(len(earlier) < width or _is_no_record(earlier, width) for earlier in before):
            return _titles(records, first)
    first = 0
    for _, fields in records[:_MOST_TITLES]:
        filled = [cell for cell in fields if cell]
        short = len(fields) < width - 1 or (len(fields) == 1 and width == 2)
        few = len(filled) <= 1 and width > 2
        if not (short or few) or all(_NUMBER.fullmatch(cell) for cell in filled):
            break
        first += 1
    return _titles(records, 0 if first >= len(records) - 1 or first == _MOST_TITLES else first)


def _is_no_record(fields: list[str], width: int) -> bool:
    """Return whether fields are a title, or a setting beside its name: one is empty, and a name has no digit.

    Settings of a logger in more fields than the table has, some of them numbers, are no record either.
    """
    n_filled = sum(map(bool, fields))
    if len(fields) > width and any(map(_NUMBER.fullmatch, fields)):
        return True
    return n_filled <= 1 or (
        n_filled < len(fields) and any(character.isdigit() for cell in fields for character in cell)
    )


def _n_unit_lines(body: list[list[str]], width: int) -> int:
    """Count the lines of units below the names: text in every column of numbers, which does not occur again there."""
    n_lines = 0
    while n_lines < _MOST_UNIT_LINES and len(body) - n_lines >= _FEWEST_BELOW_UNITS:
        first, *below = body[n_lines:]
        if all(cell.startswith(_OF_SURVEYS) for cell in first if cell):
            n_lines += 1
            continue
        columns = _columns(below, width)
        if len(first) != width or not columns:
            break
        texts = []
        for cell, column in zip(first, columns, strict=True):
            filled = [other for other in column if not is_missing_mark(other)]
            numbers = sum(_NUMBER.fullmatch(other) is not None for other in filled)
            if filled and numbers >= _LEAST_CONSISTENT * len(filled):
                texts.append(cell)
            elif any(map(str.isdigit, cell)):  # a date, or a name with a number: a row
                return n_lines
            if cell and cell in filled:
                return n_lines
        if not any(not is_missing_mark(text) for text in texts) or any(map(_NUMBER.fullmatch, texts)):
            break
        n_lines += 1
    return n_lines


def _titles(
    records: list[tuple[int, list[str]]], first: int
) -> tuple[list[str], list[tuple[int, list[str]]], list[int]]:
    """Split the records before the first one of the table off."""
    if first == 0:
        return [], records, []
    titles = [" ".join(cell for cell in fields if cell) for _, fields in records[:first]]
    return titles, records[first:], list(range(records[0][0], records[first][0]))


def decimal_votes(texts: Iterable[str]) -> Counter[str]:
    """Count the numbers that can have only a comma, and those that can have only a point, as their decimal mark.

    Parameters
    ----------
    texts : iterable of str

    Returns
    -------
    Counter
        With the keys "," and ".".
    """
    votes = Counter({",": 0, ".": 0})
    for text in texts:
        plain = _SPACE_IN_NUMBER.sub("", text)
        for mark, pattern in _DECIMALS.items():
            votes[mark] += pattern.fullmatch(plain) is not None
    return votes


def _decimal_mark(records: list[list[str]], delimiter: str) -> str:
    """Return the decimal mark of most columns."""
    width = _width(records[1:])
    columns = _columns(records[1:], width)
    votes: Counter[str] = Counter()
    for column in columns:
        numbers = [cell for cell in column if _NUMBER.fullmatch(cell)]
        if 2 * len(numbers) >= sum(map(bool, column)):  # in text, points and commas say nothing
            votes += decimal_votes(numbers)
    if votes[","] != votes["."]:
        return "," if votes[","] > votes["."] else "."
    if delimiter != ";":
        return "."
    # Nothing else can tell. Programs that write semicolons write decimal commas, and points between thousands.
    commas = any(_GROUPED[","].fullmatch(cell) for column in columns for cell in column)
    return "," if commas or any(map(_has_thousands, columns)) else "."


def _has_thousands(column: Iterable[str]) -> bool:
    """Return whether a column mixes whole numbers below 1000 with groups of three digits after points."""
    cells = [cell for cell in column if cell]
    pointed = sum(_GROUPED["."].fullmatch(cell) is not None for cell in cells)
    small = sum(_SMALL.fullmatch(cell) is not None for cell in cells)
    return pointed >= _FEWEST_POINTED and small > 0 and pointed + small == len(cells)


def _is_headless(records: list[list[str]], decimal: str) -> bool:
    """Return whether the first record is like the others: it has numbers where they have numbers, and no new words."""
    if not records:
        return False
    names, body = records[0], records[1:]
    filled = [name for name in names if name]
    if filled == [str(index) for index in range(len(filled))] or (
        _is_progression(filled) and not any(map(_is_progression, body[:_MOST_TITLES]))
    ):
        return False
    if all(_is_plain(name, decimal) for name in names):
        return True
    width = _width(body)
    numbers = _numeric(body, width)
    columns = _columns(body, width)
    if len(names) != width or len(body) < _FEWEST_BELOW_UNITS:
        return False
    has_number = any(_NUMBER.fullmatch(names[place]) for place in numbers)
    return has_number and all(
        not name
        or name in column
        or (_NUMBER.fullmatch(name) is not None if place in numbers else _is_dated(name, column))
        for place, (name, column) in enumerate(zip(names, columns, strict=True))
    )


def _is_dated(name: str, column: tuple[str, ...]) -> bool:
    """Return whether a field begins with a date or time, as most of its column do."""
    dated = sum(_DATE_OR_TIME.match(cell) is not None for cell in column)
    return _DATE_OR_TIME.match(name) is not None and dated >= _LEAST_CONSISTENT * len(column)


def _is_progression(fields: list[str]) -> bool:
    """Return whether fields are whole numbers at equal steps, such as years or wavelengths, which are names."""
    if len(fields) < 2 or not all(field.isdigit() and field.isascii() for field in fields):
        return False
    values = list(map(int, fields))
    steps = {second - first for first, second in pairwise(values)}
    are_years = min(values) >= 1900 and max(values) <= 2100
    return len(steps) == 1 and 0 not in steps and (len(values) > 2 or are_years)


def _is_plain(text: str, decimal: str) -> bool:
    """Return whether a field is a plain number, as a header is not."""
    try:
        float(text.replace(decimal, "."))
    except ValueError:
        return False
    return True


def _are_row_names(body: list[list[str]], width: int) -> bool:
    """Return whether the first fields name the rows: all different, and text or counted from 1."""
    firsts = [fields[0] for fields in body if len(fields) == width]
    ends_blank = any(len(fields) == width and not fields[-1] for fields in body)
    if len(firsts) < 2 or len(set(firsts)) < len(firsts) or ends_blank:
        return False
    counted = firsts == [str(index) for index in range(1, len(firsts) + 1)]
    return counted or not any(_NUMBER.fullmatch(first) for first in firsts)


def _padded(body: list[list[str]]) -> tuple[int, ...]:
    """Return the columns of whole numbers with leading zeros and equal lengths, or with many leading zeros."""
    found = []
    for index in range(_width(body)):
        cells = [fields[index] for fields in body if len(fields) > index and fields[index].isdigit()]
        padded = sum(len(cell) > 1 and cell[0] == "0" for cell in cells)
        if padded and (len(set(map(len, cells))) == 1 or padded >= 0.1 * len(cells)):
            found.append(index)
    return tuple(found)
