"""Reading of tables from CSV, Parquet and npz files, or of the embedded table."""

import csv
import difflib
import gzip
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError
from skanomaly._support._labels import read_labels
from skanomaly._support._npz import read_npz
from skanomaly._support._optional import import_optional

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "read_table"]

_TEXT_ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
_ENDINGS = (*_TEXT_ENDINGS, ".parquet", ".npz")
_DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 65536
_LABEL_NAME = re.compile(r"(is_?)?(y|labels?|targets?|class|anomaly|anomalous|outliers?|fraud)", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"(?:^|;)\"?[-+]?\d+,\d+\"?(?:;|$)", re.MULTILINE)


@dataclass(frozen=True)
class Table:
    """A table as read, before its columns are prepared."""

    name: str
    frame: "pd.DataFrame"
    labels: NDArray[np.int64] | None = None
    label_name: str = ""
    remarks: list[str] = field(default_factory=list)


def read_table(path: str | Path | None, *, label: str | None = None) -> Table:
    """Read a table, and its labels if there are any.

    Parameters
    ----------
    path : str, Path or None
        None is the embedded table, whose labels are always read.
    label : str or None
        Column, or key of an npz file, of the labels.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If the file is missing, of an unknown kind, unreadable or empty, or has no such column.
    """
    if path is None:
        return _embedded(label)
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a file.")
    if not path.is_file():
        raise InputError(f"there is no file {path}.")
    ending = next((ending for ending in _ENDINGS if path.name.lower().endswith(ending)), None)
    if ending is None:
        raise InputError(f"cannot read {path.name}; supported are files that end in {', '.join(_ENDINGS)}.")
    try:
        if ending == ".npz":
            return _from_npz(path, label)
        frame, remarks = _from_text(path) if ending in _TEXT_ENDINGS else (_from_parquet(path), [])
    except UnicodeDecodeError as error:
        remedy = "Save it as 'CSV UTF-8', or convert it: iconv -f latin1 -t utf-8 FILE > NEW"
        raise InputError(f"cannot read {path.name}: byte {error.start} is not UTF-8. {remedy}") from error
    except (OSError, EOFError, ValueError, MemoryError) as error:
        raise InputError(f"cannot read {path.name}: {error}") from error
    frame.columns = [str(name) for name in frame.columns]
    if not len(frame):
        raise InputError(f"{path.name} is empty; it has no rows.")
    if label is None:
        remarks += [_hint(name) for name in frame.columns if _looks_like_labels(frame, name)]
        return Table(path.name, frame, remarks=remarks)
    labels = _labels(frame[_check_column(label, list(frame.columns), path.name)], label, remarks)
    return Table(path.name, frame.drop(columns=label), labels, label, remarks)


def _embedded(label: str | None) -> Table:
    """Load the embedded table."""
    from skanomaly.datasets import load_breast_cancer_anomalies

    data, target = load_breast_cancer_anomalies(as_frame=True, return_X_y=True)
    _check_column(label or "target", ["target"], "the embedded table")
    return Table("Wisconsin breast cancer (embedded)", data, target.to_numpy(), "target")


def _from_npz(path: Path, label: str | None) -> Table:
    """Read the key X, and the key of the labels if there is one."""
    import pandas as pd

    arrays, keys = read_npz(path, required=["X"], optional=[label] if label else [])
    X = arrays["X"]
    if X.ndim != 2 or X.dtype.kind not in "biuf":
        raise ValueError(f"X has shape {X.shape} and dtype {X.dtype}; it must be a two-dimensional array of numbers.")
    if not len(X):
        raise InputError(f"{path.name} is empty; X has no rows.")
    frame = pd.DataFrame(X, columns=[f"x{index}" for index in range(X.shape[1])], copy=False)
    if label is None:
        return Table(path.name, frame, remarks=[_hint("y")] if "y" in keys else [])
    _check_column(label, [key for key in keys if key != "X"], path.name)
    remarks: list[str] = []
    labels = _labels(arrays[label], label, remarks)
    if len(labels) != len(X):
        raise InputError(f"{label} has {len(labels)} labels and X has {len(X)} rows.")
    return Table(path.name, frame, labels, label, remarks)


def _from_text(path: Path) -> tuple["pd.DataFrame", list[str]]:
    """Read delimited text; delimiter, decimal comma and a missing header are recognised."""
    import pandas as pd

    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as stream:
        sample = stream.read(_SAMPLE_CHARACTERS)
    lines = [line for line in sample.splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{path.name} is empty.")
    delimiter = max(_DELIMITERS, key=lambda mark: len(next(csv.reader(lines[:1], delimiter=mark))))
    head = [name.strip() for name in next(csv.reader(lines[:1], delimiter=delimiter))]
    if len(head) == 1 and len(lines) > 1 and 1 < len(lines[0].split()) == len(lines[1].split()):
        delimiter, head = r"\s+", lines[0].split()
    decimal = "," if delimiter == ";" and any(_DECIMAL_COMMA.search(line) for line in lines[:100]) else "."
    headless = all(_is_number(name, decimal) for name in head) and head != [str(index) for index in range(len(head))]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                sep=delimiter,
                decimal=decimal,
                header=None if headless else 0,
                encoding="utf-8-sig",
                low_memory=False,
                skipinitialspace=True,
                index_col=False,
            )
    except pd.errors.ParserWarning as error:
        raise ValueError("rows have more fields than the first line, which should contain the column names.") from error
    except pd.errors.ParserError as error:
        fault = str(error).removeprefix("Error tokenizing data. ").removeprefix("C error: ").strip()
        raise ValueError(f"{fault}. Correct that line; a field that contains {delimiter!r} must be quoted.") from error
    remarks = []
    if headless:
        frame.columns = [f"x{index}" for index in range(frame.shape[1])]
        remarks.append(
            f"The first line has numbers only and is read as data; the columns are named x0 to x{len(head) - 1}."
        )
    return frame, remarks


def _from_parquet(path: Path) -> "pd.DataFrame":
    """Read a Parquet file; a named level of its index becomes a column, unless a column has that name."""
    import pandas as pd

    import_optional("pyarrow", extra="cli")
    frame = pd.read_parquet(path, engine="pyarrow")
    named = [level for level in frame.index.names if level is not None and level not in frame.columns]
    return frame.reset_index(level=named).reset_index(drop=True) if named else frame.reset_index(drop=True)


def _is_number(text: str, decimal: str) -> bool:
    """Return whether a field of the first line is a number."""
    try:
        float(text.replace(decimal, "."))
    except ValueError:
        return False
    return True


def _check_column(name: str, names: list[str], where: str) -> str:
    """Return `name` if it exists, otherwise raise with the names that do."""
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1)
    hint = (
        f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}."
    )
    raise InputError(f"{where} has no column {name!r} for --label; {hint}")


def _hint(name: str) -> str:
    """Return a remark that recommends the option of labels."""
    return f"{name} looks like labels; --label {name} excludes it from the scores and evaluates them."


def _looks_like_labels(frame: "pd.DataFrame", name: str) -> bool:
    """Return whether a column is named like labels and contains a minority of anomalies."""
    if not _LABEL_NAME.fullmatch(name) or list(frame.columns).count(name) != 1:
        return False
    try:
        labels = read_labels(frame[name])
    except ValueError:
        return False
    return 0 < int((labels == -1).sum()) <= len(labels) // 2


def _labels(values: Any, name: str, remarks: list[str]) -> NDArray[np.int64]:
    """Convert labels to -1, 0 and +1, and add a remark if one class is missing."""
    try:
        labels = read_labels(values, name=f"label column {name!r}")
    except ValueError as error:
        raise InputError(str(error)) from error
    for kind, word in ((-1, "anomaly"), (1, "normal row")):
        if not (labels == kind).any():
            remarks.append(f"Label column {name} contains no {word}; scores are evaluated only if both classes occur.")
    return labels.astype(np.int64)
