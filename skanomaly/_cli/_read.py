"""Reading of tables from CSV, Parquet and npz files, or of the embedded table."""

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError
from skanomaly._cli._not_rows import footer_remarks, rows_of
from skanomaly._cli._text_file import TextFile, open_text
from skanomaly._support._labels import read_labels
from skanomaly._support._npz import read_npz
from skanomaly._support._optional import import_optional

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "LABELS_OF_SCAN",
    "Table",
    "check_column",
    "check_columns",
    "check_file",
    "flat_index",
    "label_hints",
    "native_labels",
    "read_table",
    "readable",
    "split_label",
    "with_labels",
]

# End of the remark about a column that looks like labels.
LABELS_OF_SCAN = "excludes it from the scores and evaluates them."

_TEXT_ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
_ENDINGS = (*_TEXT_ENDINGS, ".parquet", ".npz")
_LABEL_NAME = re.compile(r"(is_?)?(y|labels?|targets?|class|anomaly|anomalous|outliers?|fraud)", re.IGNORECASE)
_MOST_VALUES_SHOWN = 4


@dataclass(frozen=True)
class Table:
    """A table as read, before its columns are prepared.

    ``decimal`` is the decimal mark of its text, ``typed`` whether the file states the types of its columns, and
    ``padded`` has the names of columns whose whole numbers have leading zeros. ``ids`` are the texts that name the
    rows, from the column ``id_name``.
    """

    name: str
    frame: "pd.DataFrame"
    labels: NDArray[np.int64] | None = None
    label_name: str = ""
    remarks: list[str] = field(default_factory=list)
    decimal: str = "."
    typed: bool = False
    padded: frozenset[str] = frozenset()
    ids: list[str] | None = None
    id_name: str = ""


def read_table(
    path: str | Path | None, *, label: str | None = None, id_column: str | None = None, texts: Sequence[str] = ()
) -> Table:
    """Read a table, and its labels if there are any.

    Parameters
    ----------
    path : str, Path or None
        None is the embedded table, whose labels are always read.
    label : str or None
        Column, or key of an npz file, of the labels; ``COLUMN=VALUE`` also names the label of the anomalies.
    id_column : str or None
        Column of identifiers, which name the rows and are not scored.
    texts : sequence of str
        Columns of a text file whose cells are read as they are written.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If the file is missing, of an unknown kind, unreadable or empty, or has no such column.
    """
    if path is None:
        return _with_ids(_embedded(label), id_column)
    path = Path(path)
    kind = check_file(path)
    with readable(path):
        if kind == "npz":
            return _with_ids(_from_npz(path, label), id_column)
        table = (
            _from_text(path, texts if id_column is None else [*texts, id_column])
            if kind == "text"
            else _from_parquet(path)
        )
    if not len(table.frame):
        raise InputError(f"{path.name} is empty; it has no rows.")
    return with_labels(table, label=label, id_column=id_column, texts=texts)


def with_labels(
    table: Table, *, label: str | None = None, id_column: str | None = None, texts: Sequence[str] = ()
) -> Table:
    """Take the columns of labels and of identifiers out of a table.

    Parameters
    ----------
    table : Table
    label, id_column : str or None
    texts : sequence of str
        Columns that are no labels.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If there is no such column, or its labels do not say which of them is the anomaly.
    """
    frame, remarks = table.frame, table.remarks
    if label is None:
        remarks += label_hints(frame, texts)
        return _with_ids(table, id_column)
    column, value = split_label(label, list(frame.columns))
    labels = native_labels(
        frame[check_column(column, list(frame.columns), table.name, "--label")], column, value, remarks
    )
    return _with_ids(replace(table, frame=frame.drop(columns=column), labels=labels, label_name=column), id_column)


def check_file(path: Path) -> str:
    """Return the kind of a file: "text", "parquet" or "npz".

    Parameters
    ----------
    path : Path

    Returns
    -------
    str

    Raises
    ------
    InputError
        If there is no such file, or it is of no known kind.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a file.")
    if not path.is_file():
        raise InputError(f"there is no file {path}.")
    ending = next((ending for ending in _ENDINGS if path.name.lower().endswith(ending)), None)
    if ending is None:
        raise InputError(f"cannot read {path.name}; supported are files that end in {', '.join(_ENDINGS)}.")
    return "text" if ending in _TEXT_ENDINGS else ending.removeprefix(".")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn errors of reading into input errors.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        encoding = "UTF-8 or Windows-1252" if error.encoding == "charmap" else error.encoding
        remedy = "Save it as 'CSV UTF-8'"
        raise InputError(f"cannot read {path.name}: byte {error.start} is not {encoding}. {remedy}.") from error
    except (OSError, EOFError, ValueError, MemoryError) as error:
        raise InputError(f"cannot read {path.name}: {error}") from error


def label_hints(frame: "pd.DataFrame", but: Sequence[str] = ()) -> list[str]:
    """Return a remark for each column that looks like labels.

    Parameters
    ----------
    frame : DataFrame
    but : sequence of str
        Columns that are none.

    Returns
    -------
    list of str
    """
    others = [name for name in frame.columns if name not in but]
    return [_hint(name, value) for name in others for value in _anomalous_label(frame, name)]


def check_columns(table: Table, use: Sequence[str]) -> None:
    """Raise for a column of ``--use`` that the table does not have.

    Parameters
    ----------
    table : Table
    use : sequence of str

    Raises
    ------
    InputError
        With the nearest name.
    """
    for name in use:
        check_column(name, list(map(str, table.frame.columns)), table.name, "--use")


def _with_ids(table: Table, id_column: str | None) -> Table:
    """Take the column of identifiers out of a table."""
    if id_column is None:
        return table
    frame = table.frame
    ids = frame[check_column(id_column, list(frame.columns), table.name, "--id")]
    texts = ids.astype(str).where(ids.notna(), "").tolist()
    return replace(table, frame=frame.drop(columns=id_column), ids=texts, id_name=id_column)


def _embedded(label: str | None) -> Table:
    """Load the embedded table."""
    from skanomaly.datasets import load_breast_cancer_anomalies

    data, target = load_breast_cancer_anomalies(as_frame=True, return_X_y=True)
    check_column(label or "target", ["target"], "the embedded table", "--label")
    return Table("Wisconsin breast cancer (embedded)", data, target.to_numpy(), "target")


def _from_npz(path: Path, label: str | None) -> Table:
    """Read the key X, and the key of the labels if there is one."""
    import pandas as pd

    wanted = [] if label is None else [label, label.rpartition("=")[0]]
    arrays, keys = read_npz(path, required=["X"], optional=wanted)
    X = arrays["X"]
    if X.ndim != 2 or X.dtype.kind not in "biuf":
        raise ValueError(f"X has shape {X.shape} and dtype {X.dtype}; it must be a two-dimensional array of numbers.")
    if not len(X):
        raise InputError(f"{path.name} is empty; X has no rows.")
    frame = pd.DataFrame(X, columns=[f"x{index}" for index in range(X.shape[1])], copy=False)
    if label is None:
        return Table(path.name, frame, remarks=[_hint("y")] if "y" in keys else [])
    column, value = split_label(label, keys)
    check_column(column, [key for key in keys if key != "X"], path.name, "--label")
    remarks: list[str] = []
    labels = native_labels(pd.Series(arrays[column]), column, value, remarks)
    if len(labels) != len(X):
        raise InputError(f"{column} has {len(labels)} labels and X has {len(X)} rows.")
    return Table(path.name, frame, labels, column, remarks)


def _from_text(path: Path, as_written: Sequence[str]) -> Table:
    """Read delimited text in the dialect in which most of its records agree."""
    text, remarks = open_text(path, as_written), []
    try:
        frame, found = _parsed(text)
    except UnicodeDecodeError:
        if text.fallback is None:
            raise
        remarks.append(text.fall_back())
        frame, found = _parsed(text)
    names = text.names(frame.columns)
    remarks += [*text.remarks(len(names)), *footer_remarks(found)]
    frame.columns = names
    blank = [name.startswith("Unnamed: ") and frame.iloc[:, index].isna().all() for index, name in enumerate(names)]
    if any(blank):  # the marks at the ends of its lines
        frame = frame.loc[:, [not empty for empty in blank]]
    return Table(path.name, frame, remarks=remarks, decimal=text.dialect.decimal, padded=text.padded(names))


def _parsed(text: TextFile) -> tuple["pd.DataFrame", Counter[int]]:
    import pandas as pd

    found: Counter[int] = Counter()
    with text.parsing():
        options = text.options()
        frames = rows_of([pd.read_csv(text.path, **options)], text.dialect, options["dtype"], found)
        return next(frames), found


def _from_parquet(path: Path) -> Table:
    """Read a Parquet file; a named level of its index becomes a column, unless a column has that name."""
    import pandas as pd

    import_optional("pyarrow", extra="cli")
    return Table(path.name, flat_index(pd.read_parquet(path, engine="pyarrow")), typed=True)


def flat_index(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Make columns of the named levels of an index, unless a column has that name, and names text.

    Parameters
    ----------
    frame : DataFrame

    Returns
    -------
    DataFrame
    """
    named = [level for level in frame.index.names if level is not None and level not in frame.columns]
    frame = frame.reset_index(level=named).reset_index(drop=True) if named else frame.reset_index(drop=True)
    frame.columns = [str(name) for name in frame.columns]
    return frame


def check_column(name: str, names: list[str], where: str, option: str) -> str:
    """Return `name` if it exists, otherwise raise with the names that do."""
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1)
    hint = (
        f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}."
    )
    raise InputError(f"{where} has no column {name!r} for {option}; {hint}")


def _hint(name: str, value: str = "") -> str:
    """Return a remark that recommends the option of labels."""
    return f"{name} looks like labels; --label {name}{value and f'={value}'} {LABELS_OF_SCAN}"


def _anomalous_label(frame: "pd.DataFrame", name: str) -> list[str]:
    """Return the label of the anomalies if a column is named like labels and contains a minority of anomalies.

    The label is empty if it needs no name; the rarer one of two texts is taken. No label: an empty list.
    """
    if not _LABEL_NAME.fullmatch(name) or list(frame.columns).count(name) != 1:
        return []
    try:
        labels = read_labels(frame[name])
    except ValueError:
        counts = frame[name].dropna().astype(str).value_counts()
        is_minority = len(counts) == 2 and counts.iloc[1] < counts.iloc[0]
        return [str(counts.index[1])] if is_minority else []
    return [""] if 0 < int((labels == -1).sum()) <= len(labels) // 2 else []


def split_label(label: str, names: list[str]) -> tuple[str, str | None]:
    """Split ``COLUMN=VALUE``, unless the whole is the name of a column."""
    if label in names or "=" not in label:
        return label, None
    column, _, value = label.rpartition("=")
    return column, value


def native_labels(
    values: "pd.Series[Any]",
    name: str,
    anomaly: str | None,
    remarks: list[str],
    times: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Convert labels to -1, 0 (missing) and +1, and add a remark if one class is missing.

    Parameters
    ----------
    values : Series
    name : str
        Of the column.
    anomaly : str or None
        The label of the anomalies.
    remarks : list of str
        Appended to.
    times : ndarray of shape (n_values,), int, default=None
        How often each value occurs.

    Returns
    -------
    ndarray of shape (n_values,), int64

    Raises
    ------
    InputError
        If the labels do not say which of them is the anomaly.
    """
    if anomaly is None:
        _check_labels(values, name, times)
        try:
            each = np.ones(len(values), np.int64) if times is None else np.maximum(1000 * times // times.sum(), 1)
            shown = values.where(_shown(values)[1]).repeat(each.tolist())
            labels = read_labels(shown, name=f"label column {name!r}").astype(np.int64)[np.cumsum(each) - each]
        except ValueError as error:
            raise InputError(str(error)) from error
    else:
        labels = _compared(values, name, anomaly)
    for kind, word in ((-1, "anomaly"), (1, "normal row")):
        if not (labels == kind).any():
            remarks.append(f"Label column {name} contains no {word}; scores are evaluated only if both classes occur.")
    return labels


def _shown(values: "pd.Series[Any]") -> tuple["pd.Series[Any]", NDArray[np.bool_]]:
    """Return labels as texts, whole numbers without decimals, and which of them are present."""
    texts = values.map(lambda value: f"{value:g}" if isinstance(value, float | np.floating) else str(value).strip())
    return texts, (values.notna() & (texts != "")).to_numpy(dtype=np.bool_)


def _check_labels(values: "pd.Series[Any]", name: str, times: NDArray[np.int64] | None = None) -> None:
    """Raise, with the option that helps, for labels that do not say which of them is the anomaly."""
    texts, present = _shown(values)
    counts = texts[present].value_counts()
    if times is not None:
        shown_times = type(texts)(times, index=texts.index)[present]
        counts = shown_times.groupby(texts[present]).sum().sort_values(ascending=False, kind="stable")
    found = set(counts.index)
    if found <= {"-1", "0", "1"} and (found == {"1"} or "-1" in found or 2 * counts.get("1", 0) <= counts.sum()):
        return
    if found <= {"True", "False"} and 2 * counts.get("True", 0) <= counts.sum():
        return
    if found <= {"0", "1"} or found <= {"True", "False"}:
        one, other = ("1", "0") if "1" in found else ("True", "False")
        raise InputError(
            f"label column {name!r} holds {one} in {counts[one]} of {counts.sum()} rows, too many for anomalies. If "
            f"{other} is the anomaly, use --label '{name}={other}'; if it is {one}, --label '{name}={one}'."
        )
    rarest = counts.index[-1]
    more = ", ..." if len(found) > _MOST_VALUES_SHOWN else ""
    shown = ", ".join(map(repr, sorted(found)[:_MOST_VALUES_SHOWN])) + more
    raise InputError(
        f"label column {name!r} holds {shown}. Name the label of the anomalies, for example "
        f"--label '{name}={rarest}'; empty cells are unlabelled."
    )


def _compared(values: "pd.Series[Any]", name: str, anomaly: str) -> NDArray[np.int64]:
    """Read labels of which the anomaly is named, as text or as a number."""
    texts, present = _shown(values)
    matches = texts.eq(anomaly.strip()).to_numpy()
    if not matches.any():
        try:
            number = float(anomaly)
        except ValueError:
            number = np.nan
        matches = np.array([isinstance(value, int | float | np.number) and value == number for value in values])
    if not (matches & present).any():
        found = ", ".join(map(repr, texts[present].value_counts().index[:_MOST_VALUES_SHOWN]))
        raise InputError(f"label column {name!r} has no label {anomaly!r}; its most frequent labels are {found}.")
    return np.where(~present, 0, np.where(matches, -1, 1)).astype(np.int64)
