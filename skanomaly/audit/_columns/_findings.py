"""The checks of a table, one function each; every one yields findings."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skanomaly._support._columns import (
    CATEGORY,
    DATE,
    NUMBER,
    column_kind,
    column_numbers,
    looks_like_dates,
    missing_values,
)

__all__ = ["COLUMN_CHECKS", "Finding", "copied_columns", "duplicate_rows", "leaking_columns", "shared_missing"]

_MOST_MISSING = 0.5
_MOST_NUMERIC_TEXT = 0.9
_FEWEST_ROWS = 20
_LEAK = 0.99
_BLOCKS = 20
_JUMP = 3.0
_FAR = 5.0  # interquartile ranges
_FEWEST_REPEATS = 5
_EARLIEST, _LATEST = pd.Timestamp("1900-01-01"), pd.Timestamp("2100-01-01")
_NUMBER_TEXT = r"^\s*[-+]?(?:\d{1,3}(?:[ ,'.]\d{3})+|\d+)?(?:[.,]\d+)?\s*(?:%|[€$£])?\s*$"


class Finding(NamedTuple):
    """One problem of a table.

    Attributes
    ----------
    kind : str
        What was found, such as "constant" or "label leakage".
    column : object
        Name or position of the column; None for a problem of the rows.
    severity : {"error", "warning", "note"}
        "error": results will be wrong; "warning": they may be; "note": good to know.
    rows : ndarray of shape (n_rows,), int
        Positions of the rows concerned; empty if it concerns the column as a whole.
    message : str
    remedy : str

    Examples
    --------
    >>> from skanomaly.audit import TableAudit
    >>> finding = TableAudit().fit([[1.0, 2.0], [1.0, 3.0]]).findings_[0]
    >>> finding.kind, finding.column, finding.message
    ('constant', 0, "has one value, '1.0'")
    """

    kind: str
    column: Any
    severity: str
    rows: NDArray[np.intp]
    message: str
    remedy: str


_NONE = np.empty(0, dtype=np.intp)


def _missing(column: "pd.Series[Any]", absent: NDArray[np.bool_]) -> Iterator[Finding]:
    rows = np.flatnonzero(absent)
    if not rows.size:
        return
    if rows.size == len(column):
        yield Finding("empty", column.name, "error", _NONE, "has no value", "Drop it.")
        return
    fraction = rows.size / len(column)
    if fraction > _MOST_MISSING:
        message = f"{fraction:.0%} of its values are missing"
        yield Finding("mostly missing", column.name, "warning", rows, message, "Drop it, or find out why.")
    starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
    lengths = np.diff(np.r_[starts, rows.size])
    longest = int(lengths.max())
    # Of n missing values in random places, the longest run is about log n / log(1 / fraction).
    expected = np.log(max(len(column), 2)) / -np.log(min(fraction, 0.99))
    if longest >= _FEWEST_ROWS and longest > 3 * expected and fraction < 1:
        first = int(rows[starts[lengths.argmax()]])
        message = f"is missing in {longest} consecutive rows, {first} to {first + longest - 1}"
        where = np.arange(first, first + longest)
        yield Finding("missing in a block", column.name, "warning", where, message, "Find out what stopped there.")


def _constant(column: "pd.Series[Any]", absent: NDArray[np.bool_]) -> Iterator[Finding]:
    present = column[~absent]
    if len(column) > 1 and len(present.unique()) == 1:
        message = f"has one value, {str(present.iloc[0])!r}"
        yield Finding("constant", column.name, "note", _NONE, message, "Drop it: it distinguishes no rows.")


def _infinite(column: "pd.Series[Any]", _absent: NDArray[np.bool_]) -> Iterator[Finding]:
    if column_kind(column) != NUMBER:
        return
    rows = np.flatnonzero(np.isinf(column_numbers(column)))
    if rows.size:
        message = f"is infinite in {rows.size} rows"
        yield Finding("infinite", column.name, "error", rows, message, "Replace infinity, often a division by zero.")


def _placeholder(column: "pd.Series[Any]", _absent: NDArray[np.bool_]) -> Iterator[Finding]:
    """Find one value at an end of the range, repeated and far from all others, such as -999."""
    if column_kind(column) != NUMBER:
        return
    values = column_numbers(column)
    finite = values[np.isfinite(values)]
    if finite.size < _FEWEST_ROWS:
        return
    for end in (finite.min(), finite.max()):
        rows = np.flatnonzero(values == end)
        others = finite[finite != end]
        if rows.size < _FEWEST_REPEATS or np.unique(others).size < 3 or rows.size > others.size:
            continue
        low, high = np.quantile(others, [0.25, 0.75])
        nearest = others.min() if end < others.min() else others.max()
        spread = max(float(high - low), float(np.ptp(others)) / 4)
        if abs(end - nearest) > _FAR * spread > 0:
            message = f"is {end:g} in {rows.size} rows, far from every other value: a code for missing values?"
            yield Finding("placeholder", column.name, "warning", rows, message, f"Read {end:g} as missing.")


def _unit_change(column: "pd.Series[Any]", _absent: NDArray[np.bool_]) -> Iterator[Finding]:
    """Find a row from which all values are several times as large, or as small, as before."""
    if column_kind(column) != NUMBER:
        return
    values = np.abs(column_numbers(column))
    places = np.flatnonzero(np.isfinite(values) & (values > 0))
    if places.size < _BLOCKS * _FEWEST_ROWS // 2:
        return
    blocks = np.array_split(places, _BLOCKS)
    typical = np.array([np.median(values[block]) for block in blocks])
    for cut in range(3, _BLOCKS - 2):
        before, after = typical[:cut], typical[cut:]
        up, down = after.min() / before.max(), before.min() / after.max()
        steady = max(np.ptp(np.log(before)), np.ptp(np.log(after)))
        ratio = max(up, down)
        if ratio >= _JUMP and np.log(ratio) > steady:
            row = int(blocks[cut][0])
            word = "larger" if up > down else "smaller"
            factor = np.median(after) / np.median(before)
            message = f"is about {max(factor, 1 / factor):.3g} times {word} from about row {row} on: other units?"
            yield Finding("unit change", column.name, "warning", np.arange(row, len(column)), message, "Convert units.")
            return


def _numbers_as_text(column: "pd.Series[Any]", absent: NDArray[np.bool_]) -> Iterator[Finding]:
    if column_kind(column) != CATEGORY or isinstance(column.dtype, pd.CategoricalDtype):
        return
    texts = column[~absent].astype(str)
    if texts.empty:
        return
    numeric = texts.str.match(_NUMBER_TEXT).to_numpy() & texts.str.contains(r"\d").to_numpy()
    fraction = float(numeric.mean())
    if fraction < _MOST_NUMERIC_TEXT:
        return
    rows = np.flatnonzero(~absent)[~numeric]
    rest = f"; {rows.size} are not, such as {texts.iloc[int((~numeric).argmax())]!r}" if rows.size else ""
    message = f"is text, and {fraction:.0%} of its values are numbers{rest}"
    plain = pd.to_numeric(texts[numeric], errors="coerce").notna().to_numpy()
    remedy = "Turn it to numbers: pandas.to_numeric."
    if not plain.all():
        marked = texts[numeric].iloc[int((~plain).argmax())]
        remedy = f"Turn it to numbers: take separators and units, as in {marked!r}, away; then pandas.to_numeric."
    yield Finding("numbers as text", column.name, "warning", rows, message, remedy)


def _dates_as_text(column: "pd.Series[Any]", absent: NDArray[np.bool_]) -> Iterator[Finding]:
    if column_kind(column) == CATEGORY and looks_like_dates(column[~absent].astype(str)):
        message = f"is text, and its values are dates or times, such as {str(column[~absent].iloc[0])!r}"
        yield Finding("dates as text", column.name, "note", _NONE, message, "Turn it to dates: pandas.to_datetime.")


def _mixed_types(column: "pd.Series[Any]", absent: NDArray[np.bool_]) -> Iterator[Finding]:
    if column.dtype != object or column_kind(column) != CATEGORY:
        return
    kinds = column[~absent].map(lambda value: type(value).__name__)
    if len(kinds.unique()) > 1:
        counts = kinds.value_counts()
        rows = np.flatnonzero(~absent)[(kinds != counts.index[0]).to_numpy()]
        message = "holds values of several types: " + ", ".join(f"{n} {name}" for name, n in counts.items())
        yield Finding("mixed types", column.name, "warning", rows, message, "Convert the column to one type.")


def _spelling(column: "pd.Series[Any]", absent: NDArray[np.bool_]) -> Iterator[Finding]:
    if column_kind(column) != CATEGORY:
        return
    texts = column[~absent].astype(str)
    levels = pd.Index(texts.unique())
    plain = levels.str.strip().str.casefold()
    repeated = plain[plain.duplicated()].unique()
    if not len(repeated):
        return
    alike = levels[plain == repeated[0]]
    rows = np.flatnonzero(~absent)[texts.isin(levels[plain.isin(repeated)]).to_numpy()]
    message = f"spells {len(repeated)} categories in several ways, such as {list(alike[:3])}"
    yield Finding("spelling", column.name, "warning", rows, message, "Strip blanks and use one case.")


def _dates(column: "pd.Series[Any]", absent: NDArray[np.bool_]) -> Iterator[Finding]:
    kind = column_kind(column)
    text = kind == CATEGORY and not isinstance(column.dtype, pd.CategoricalDtype)
    if not text and kind != DATE:
        return
    present = np.flatnonzero(~absent)
    if text:
        texts = column[~absent].astype(str)
        dated = texts.str.match(r"^\s*\d{4}-\d{1,2}-\d{1,2}(?:[T ].*)?\s*$").to_numpy()
        if not dated.size or dated.mean() < _MOST_NUMERIC_TEXT:
            return
        stamps = pd.to_datetime(texts, errors="coerce", format="mixed", utc=True)
        none = present[dated & stamps.isna().to_numpy()]
        if none.size:
            message = f"holds {none.size} dates that do not exist, such as {column.iloc[none[0]]!r}"
            yield Finding("impossible date", column.name, "error", none, message, "Correct or drop these rows.")
        stamps = stamps.dt.tz_localize(None)
    else:
        try:
            stamps = pd.Series(pd.to_datetime(column[~absent], utc=True)).dt.tz_localize(None)
        except (TypeError, ValueError):  # durations and periods
            return
    far = ((stamps < _EARLIEST) | (stamps > _LATEST)).to_numpy()
    if far.any():
        message = f"lies before 1900 or after 2100 in {int(far.sum())} rows, such as {stamps[far].iloc[0]:%Y-%m-%d}"
        yield Finding("impossible date", column.name, "warning", present[far], message, "Read them as missing?")


def _identifier(column: "pd.Series[Any]", absent: NDArray[np.bool_]) -> Iterator[Finding]:
    present = column[~absent]
    if len(present) < _FEWEST_ROWS or len(present.unique()) < len(present) or column_kind(column) == DATE:
        return
    if column_kind(column) == NUMBER:
        values = column_numbers(present)
        if not np.isfinite(values).all() or (values != np.floor(values)).any():
            return
    elif looks_like_dates(present.astype(str)):
        return
    message = "has another value in every row: an identifier?"
    yield Finding("identifier", column.name, "note", _NONE, message, "Drop it before a model, or make it the index.")


COLUMN_CHECKS: list[Callable[["pd.Series[Any]", NDArray[np.bool_]], Iterator[Finding]]] = [
    _missing, _infinite, _constant, _identifier, _numbers_as_text, _dates_as_text, _mixed_types, _spelling, _dates,
    _placeholder, _unit_change,
]  # fmt: skip


def duplicate_rows(frame: pd.DataFrame) -> Iterator[Finding]:
    """Find rows equal to an earlier one, and those equal but for the seventh digit."""
    if frame.shape[1] == 0 or len(frame) < 2:
        return
    coded = np.column_stack([_codes(frame.iloc[:, place]) for place in range(frame.shape[1])])
    again = pd.DataFrame(coded).duplicated().to_numpy()
    rows = np.flatnonzero(again)
    if rows.size:
        message = f"{rows.size} rows repeat an earlier row"
        remedy = "Drop them if they are not events of their own; keep copies on one side of a split."
        yield Finding("duplicate rows", None, "warning", rows, message, remedy)
    numbers = [place for place in range(frame.shape[1]) if column_kind(frame.iloc[:, place]) == NUMBER]
    if len(numbers) < 2:
        return
    for place in numbers:
        coded[:, place] = _rounded(column_numbers(frame.iloc[:, place]))
    near = np.flatnonzero(pd.DataFrame(coded).duplicated().to_numpy() & ~again)
    if near.size:
        message = f"{near.size} rows repeat an earlier row but for the seventh digit"
        yield Finding("near-duplicate rows", None, "note", near, message, "Keep copies on one side of a split.")


def _codes(column: "pd.Series[Any]") -> NDArray[np.float64]:
    codes, _ = pd.factorize(column)
    return codes.astype(np.float64)


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to six significant digits."""
    usable = np.isfinite(values) & (values != 0)
    exponents = np.floor(np.log10(np.abs(values, where=usable, out=np.ones_like(values))))
    factor = 10.0 ** np.clip(5 - exponents, -300, 300)
    return np.where(usable, np.rint(values * factor) / factor, values)


def copied_columns(frame: pd.DataFrame) -> Iterator[Finding]:
    """Find columns that hold the same as another, or a straight line of it."""
    seen: dict[bytes, Any] = {}
    lines: list[tuple[Any, NDArray[np.float64]]] = []
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        codes = _codes(column)
        n_values = len(np.unique(codes))
        if n_values < 3:
            continue
        # Columns with another value in nearly every row all have the same codes, whatever they hold.
        few = 2 * n_values <= len(frame)
        content = codes.tobytes() if few else pd.util.hash_array(column.astype(str).to_numpy(dtype=object)).tobytes()
        twin = seen.setdefault(content, column.name)
        if twin is not column.name:
            message = f"{'has the same groups of equal rows' if few else 'has the same values'} as {twin!r}"
            yield Finding("copied column", column.name, "warning", _NONE, message, "Keep one of the two.")
            continue
        if column_kind(column) != NUMBER:
            continue
        values = column_numbers(column)
        if not np.isfinite(values).all():
            continue
        values = values / max(float(np.abs(values).max()), 1e-300)
        spread = float(np.std(values))
        if spread == 0:
            continue
        standard = (values - values.mean()) / spread
        match = next((name for name, other in lines if abs(float(standard @ other)) > (1 - 1e-9) * len(other)), None)
        if match is not None:
            message = f"is a straight line of {match!r}"
            yield Finding("copied column", column.name, "warning", _NONE, message, "Keep one of the two.")
        else:
            lines.append((column.name, standard))


def shared_missing(frame: pd.DataFrame) -> Iterator[Finding]:
    """Find groups of columns whose values are missing in the same rows."""
    masks: dict[bytes, list[Any]] = {}
    for place in range(frame.shape[1]):
        mask = missing_values(frame.iloc[:, place].to_numpy())
        if 0 < mask.sum() < len(mask):
            masks.setdefault(mask.tobytes(), []).append(frame.columns[place])
    for content, names in masks.items():
        rows = np.flatnonzero(np.frombuffer(content, dtype=np.bool_))
        if len(names) > 1 and rows.size >= _FEWEST_REPEATS:
            message = f"is missing in the same {rows.size} rows as {', '.join(map(repr, names[1:5]))}"
            remedy = "One source seems to be absent there: impute these columns together."
            yield Finding("missing together", names[0], "note", rows, message, remedy)


def leaking_columns(frame: pd.DataFrame, labels: NDArray[np.bool_]) -> Iterator[Finding]:
    """Find columns that alone separate the two classes."""
    positive = int(labels.sum())
    if min(positive, labels.size - positive) < _FEWEST_REPEATS:
        return
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        kind = column_kind(column)
        if kind == NUMBER:
            values = column_numbers(column)
            values = np.where(np.isnan(values), -np.inf, values)
        else:
            codes = _codes(column).astype(np.intp) + 1
            counts = np.bincount(codes)
            if counts.max(initial=0) < 2:
                continue
            # The rate of a row's category without the row itself; that alone makes the rate of anomalies the lower one,
            # so only categories with a higher rate count.
            hits = np.bincount(codes, labels)
            values = (hits[codes] - labels + 0.5) / counts[codes]
        ranks = stats.rankdata(values)
        area = (ranks[labels].sum() - positive * (positive + 1) / 2) / (positive * (labels.size - positive))
        area = max(area, 1 - area) if kind == NUMBER else area
        if area >= _LEAK:
            message = f"alone separates the classes (area under the ROC curve {area:.3f})"
            remedy = "Check whether it is known before the label is; if not, drop it."
            yield Finding("label leakage", column.name, "error", _NONE, message, remedy)
