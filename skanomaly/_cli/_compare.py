"""The commands compare and audit, which say whether a table has changed and whether it is sound."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from skanomaly._cli._errors import InputError
from skanomaly._cli._identifiers import IdentifierTally, check_identifier
from skanomaly._cli._in_pieces import pieces_of, read_sample
from skanomaly._cli._prepare import is_a_clock
from skanomaly._cli._read import LABELS_OF_SCAN, Table, read_table
from skanomaly._cli._verdict import Verdict
from skanomaly._cli._warned import collected_warnings
from skanomaly._cli._words import count

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["audit_file", "compare_files"]

_MOST_ROWS = 20_000  # of each table, for the classifier
_FEWEST_ROWS = 8
_LEAST_FRACTION_OF_NUMBERS = 0.9
_FEWEST_ROWS_OF_IDENTIFIERS = 20
_MOST_ROWS_NAMED = 5


def compare_files(
    reference: str | Path,
    new: str | Path,
    *,
    alpha: float = 0.01,
    min_effect: float = 0.0,
    random_state: int | None = 0,
    chunk_rows: int | None = None,
) -> Verdict:
    """Compare two tables column by column and as a whole.

    Parameters
    ----------
    reference, new : str or Path
        CSV, Parquet or npz files.
    alpha : float, default=0.01
        Level of the test of each table as a whole, and false discovery rate over the columns.
    min_effect : float, default=0.0
        Smallest effect of a column that has drifted.
    random_state : int or None
    chunk_rows : int or None
        Read CSV and Parquet files in pieces of so many rows, and compare samples of them; None does so for files above
        512 MB.

    Returns
    -------
    Verdict
        ``fired`` if a column has drifted, the classifier distinguishes the tables, or one lacks a column.

    Raises
    ------
    InputError
        If a file or an option is invalid, or the tables have no column in common.
    """
    from skanomaly.audit import ColumnDriftTest, DomainClassifierTest

    if not 0 < alpha < 1:
        raise InputError(f"--alpha {alpha:g}: give a level between 0 and 1, such as 0.01.")
    if not 0 <= min_effect < 1:
        raise InputError(f"--min-effect {min_effect:g}: give a number of at least 0 and below 1.")
    sides = [_opened(path, chunk_rows) for path in (reference, new)]
    (first, second), n_rows = (side.table for side in sides), [side.n_rows for side in sides]
    for table in (first, second):
        if len(table.frame) < _FEWEST_ROWS:
            raise InputError(f"{table.name} has {len(table.frame)} rows; at least {_FEWEST_ROWS} are compared.")
    old, fresh = first.frame, second.frame
    vanished = [str(name) for name in old.columns if name not in fresh.columns]
    added = [str(name) for name in fresh.columns if name not in old.columns]
    remarks = [f"Only {first.name} has the columns: {', '.join(vanished)}."] if vanished else []
    remarks += [
        f"{side.table.name} was read in pieces; {len(side.table.frame):,} random rows of it are compared."
        for side in sides
        if len(side.table.frame) < side.n_rows
    ]
    remarks += [f"Only {second.name} has the columns: {', '.join(added)}."] if added else []
    common = [name for name in old.columns if name in fresh.columns]
    if not common:
        raise InputError(f"{first.name} and {second.name} have no column of the same name.")
    left, right, left_out, as_text = _comparable(sides, common)
    remarks += [f"Not compared: {name} ({why})." for name, why in left_out]
    if as_text:
        remarks.append(f"Numbers in one file and text in the other, compared as text: {', '.join(as_text)}.")
    if not left.shape[1]:
        raise InputError(f"no column can be compared ({'; '.join(f'{name}: {why}' for name, why in left_out)}).")
    messages: list[str] = []
    with collected_warnings(messages, "ColumnDriftTest"):
        test = ColumnDriftTest(alpha=alpha, min_effect=min_effect, random_state=random_state)
        test.fit_samples(left, right)
        rows = np.random.Generator(np.random.PCG64(0 if random_state is None else random_state))
        whole = DomainClassifierTest(random_state=random_state).fit_samples(
            *(_some(frame, rows) for frame in (left, right))
        )
    results = test.results_
    order = np.lexsort((-np.nan_to_num(results["effect"]), results["pvalue"], ~results["drifted"]))
    heads = ["column", "p adjusted", "effect (interval)", "PSI", "missing", "categories"]
    rows_shown = [_row(results, int(place)) for place in order]
    drifted = [bool(results["drifted"][place]) for place in order]
    distinguished = whole.pvalue_ <= alpha
    verb = "distinguishes" if distinguished else "does not distinguish"
    n_drifted = int(sum(drifted))
    names = ", ".join(map(str, test.drifted_[:5])) + (" ..." if n_drifted > 5 else "")
    summary = [
        ("columns", f"{n_drifted} of {len(order)} drifted" + (f": {names}" if n_drifted else "")),
        (
            "table",
            f"a classifier {verb} the two (p = {whole.pvalue_:.2g}, AUROC {whole.statistic_:.3f})",
        ),
    ]
    data = {
        "reference": first.name,
        "new": second.name,
        "n_rows": n_rows,
        "alpha": alpha,
        "min_effect": min_effect,
        "columns": [{key: values[place] for key, values in results.items()} for place in order],
        "columns_vanished": vanished,
        "columns_added": added,
        "columns_not_compared": [{"column": name, "reason": why} for name, why in left_out],
        "table": {"pvalue": whole.pvalue_, "auroc": whole.statistic_, "distinguished": distinguished},
    }
    size = f"{n_rows[0]:,} rows compared with {n_rows[1]:,}, {len(order)} columns. False discovery rate {alpha:g}."
    return Verdict(
        f"{first.name} and {second.name}",
        size,
        heads,
        rows_shown,
        drifted,
        summary,
        [*_without_hint(first.remarks), *_without_hint(second.remarks), *remarks, *messages],
        data,
        fired=bool(n_drifted or distinguished or vanished or added),
    )


def _without_hint(remarks: list[str]) -> list[str]:
    """Leave out the remark about a column of labels, of which there are none here."""
    return [remark for remark in remarks if not remark.endswith(LABELS_OF_SCAN)]


def _row(results: dict[str, Any], place: int) -> list[str]:
    """Return the cells of a column in the table of results."""
    effect, low, high = (results[key][place] for key in ("effect", "effect_low", "effect_high"))
    changed = [f"{results[key][place]} {word}" for key, word in (("n_new", "new"), ("n_vanished", "gone"))]
    return [
        str(results["column"][place]),
        f"{results['adjusted_pvalue'][place]:.2g}",
        "" if np.isnan(effect) else f"{effect:.2f} ({low:.2f} to {high:.2f})",
        "" if np.isnan(results["psi"][place]) else f"{results['psi'][place]:.3f}",
        f"{100 * results['missing_reference'][place]:.1f} to {100 * results['missing_sample'][place]:.1f} %",
        ", ".join(changed) if results["kind"][place] == "category" else "",
    ]


def _some(frame: "pd.DataFrame", rng: np.random.Generator) -> "pd.DataFrame":
    """Draw at most 20,000 rows, in their order."""
    if len(frame) <= _MOST_ROWS:
        return frame
    return frame.iloc[np.sort(rng.choice(len(frame), _MOST_ROWS, replace=False))].reset_index(drop=True)


class _Side(NamedTuple):
    """A table or a sample of it, the number of its rows, and why columns of a sample are identifiers."""

    table: Table
    n_rows: int
    identifiers: dict[str, str]


def _opened(path: str | Path, chunk_rows: int | None) -> _Side:
    """Read a table, or a sample of a file that is read in pieces."""
    from skanomaly._support._columns import NUMBER, column_kind, column_numbers

    pieces = pieces_of(path, chunk_rows)
    if pieces is None:
        table = read_table(path)
        return _Side(table, len(table.frame), {})
    sample = read_sample(pieces)
    if sample.is_complete:
        return _Side(sample.table, sample.n_rows, {})
    frame = sample.table.frame
    tallies = {
        place: IdentifierTally(str(frame.columns[index]))
        for index, place in enumerate(sample.places)
        if column_kind(frame.iloc[:, index]) == NUMBER
    }
    for piece in pieces:
        for place, tally in tallies.items():
            numbers = column_numbers(piece[place])
            tally.add(np.where(np.isinf(numbers), np.nan, numbers))
    reasons = {str(frame.columns[sample.places.index(place)]): tally.reason()[0] for place, tally in tallies.items()}
    return _Side(sample.table, sample.n_rows, reasons)


def _comparable(
    sides: list[_Side], names: list[Any]
) -> tuple["pd.DataFrame", "pd.DataFrame", list[tuple[str, str]], list[str]]:
    """Return the columns of both tables, those that cannot be compared and why, and those made text in one of them."""
    import pandas as pd

    from skanomaly._support._columns import CATEGORY, DATE, column_kind

    left, right, left_out, as_text = {}, {}, [], []
    for name in names:
        pair = [_column(side.table, name) for side in sides]
        kinds = [column_kind(column) for column in pair]
        if DATE in kinds:
            left_out.append((str(name), "dates or times"))
            continue
        reasons = [
            side.identifiers.get(str(name), _identifies(column, str(name)))
            for side, column in zip(sides, pair, strict=True)
        ]
        if all(reasons):
            left_out.append((str(name), reasons[0]))
            continue
        if kinds[0] != kinds[1]:
            pair = [column.astype(str).where(column.notna(), None) for column in pair]
            as_text.append(str(name))
        elif kinds[0] == CATEGORY:
            pair = [column.astype(object) for column in pair]
        left[str(name)], right[str(name)] = (column.reset_index(drop=True) for column in pair)
    empty = [pd.DataFrame(index=range(len(side.table.frame))) for side in sides]
    tables = [pd.DataFrame(part) if part else other for part, other in zip((left, right), empty, strict=True)]
    return tables[0], tables[1], left_out, as_text


def _column(table: Table, name: Any) -> "pd.Series[Any]":
    """Read a column as numbers where nearly all of its text is numbers; infinite values are missing."""
    import pandas as pd

    from skanomaly._support._columns import CATEGORY, NUMBER, column_kind, column_numbers

    column = table.frame[name]
    if column_kind(column) == CATEGORY and not table.typed and name not in table.padded:
        column = _numbers_of(column, name, table.decimal)
    if column_kind(column) == NUMBER:
        numbers = column_numbers(column)
        return pd.Series(np.where(np.isfinite(numbers), numbers, np.nan), name=name)
    return column


def _numbers_of(
    column: "pd.Series[Any]", name: Any, decimal: str, *, least_fraction: float = _LEAST_FRACTION_OF_NUMBERS
) -> "pd.Series[Any]":
    """Read text as numbers if at least a fraction of it is; otherwise return the column."""
    import pandas as pd

    from skanomaly._cli._notation import missing_marks, read_numbers

    texts = column.astype(object).where(column.notna(), None)
    blank = (texts.astype(str).str.strip() == "").to_numpy()
    present = texts.notna().to_numpy() & ~(blank if least_fraction == 1.0 else missing_marks(texts))
    numbers, _, notation = read_numbers(texts.where(present, None), decimal=decimal)
    if notation.clock and (least_fraction == 1.0 or is_a_clock(numbers)):
        return column
    if present.any() and (~np.isnan(numbers[present])).mean() >= least_fraction:
        return pd.Series(numbers, name=name)
    return column


def _identifies(column: "pd.Series[Any]", name: str) -> str:
    """Return why a column is an identifier; empty if it is none."""
    from skanomaly._support._columns import NUMBER, column_kind, looks_like_dates

    if column_kind(column) == NUMBER:
        return check_identifier(column.to_numpy(dtype=np.float64), name)
    present = column.dropna()
    if looks_like_dates(present.astype(str)):
        return "dates or times"
    if len(present) >= _FEWEST_ROWS_OF_IDENTIFIERS and len(present.unique()) == len(present):
        return "another text in every row"
    return ""


def audit_file(path: str | Path | None, *, label: str | None = None) -> Verdict:
    """Check whether a table is sound.

    Parameters
    ----------
    path : str, Path or None
        CSV, Parquet or npz file; None is the embedded table.
    label : str or None
        Column of labels, to find columns that separate the classes.

    Returns
    -------
    Verdict
        ``fired`` if there is an error or a warning.

    Raises
    ------
    InputError
        If the file or the option is invalid.
    """
    from skanomaly.audit import TableAudit

    table = _with_numbers(read_table(path, label=label))
    audit = TableAudit().fit(table.frame, table.labels)
    findings = audit.findings_
    rows = [
        [
            finding.severity,
            "" if finding.column is None else str(finding.column),
            f"{finding.kind}: {finding.message}{_listed(finding.rows)}",
            finding.remedy,
        ]
        for finding in findings
    ]
    n_notes = len(findings) - audit.n_errors_ - audit.n_warnings_
    numbers = ((audit.n_errors_, "error"), (audit.n_warnings_, "warning"), (n_notes, "note"))
    counts = ", ".join(count(number, noun) for number, noun in numbers)
    data = {
        "table": table.name,
        "n_rows": len(table.frame),
        "n_columns": table.frame.shape[1],
        "findings": [finding._asdict() for finding in findings],
    }
    return Verdict(
        table.name,
        f"{len(table.frame):,} rows, {table.frame.shape[1]} columns.",
        ["severity", "column", "finding", "remedy"],
        rows,
        [finding.severity == "error" for finding in findings],
        [("findings", counts if findings else "none")],
        [
            f"{remark.removesuffix(LABELS_OF_SCAN)}looks for columns that reveal it."
            if remark.endswith(LABELS_OF_SCAN)
            else remark
            for remark in table.remarks
        ],
        data,
        fired=bool(audit.n_errors_ + audit.n_warnings_),
    )


def _with_numbers(table: Table) -> Table:
    """Read columns of text as numbers where all of it is numbers in some notation, as the scan does."""
    import pandas as pd

    from skanomaly._support._columns import CATEGORY, NUMBER, column_kind

    columns, read = [], []
    for place, name in enumerate(map(str, table.frame.columns)):
        column = table.frame.iloc[:, place]
        if column_kind(column) == CATEGORY and not table.typed and name not in table.padded:
            numbers = _numbers_of(column, name, table.decimal, least_fraction=1.0)
            if column_kind(numbers) == NUMBER:
                read.append(name)
                column = numbers
        columns.append(column.set_axis(table.frame.index))
    if not read:
        return table
    frame = pd.concat(columns, axis=1, keys=range(len(columns))).set_axis(table.frame.columns, axis=1)
    remark = f"Thousands, currencies, percentages or the like were read as numbers: {', '.join(read)}."
    return replace(table, frame=frame, remarks=[*table.remarks, remark])


def _listed(rows: Any) -> str:
    """List the first rows, in brackets."""
    if not len(rows):
        return ""
    shown = ", ".join(map(str, rows[:_MOST_ROWS_NAMED].tolist()))
    more = f" and {len(rows) - _MOST_ROWS_NAMED:,} more" if len(rows) > _MOST_ROWS_NAMED else ""
    return f" ({'row' if len(rows) == 1 else 'rows'} {shown}{more})"
