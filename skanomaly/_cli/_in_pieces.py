"""Files that are read in pieces, anew in each pass: CSV through pandas, Parquet through pyarrow."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._errors import InputError
from skanomaly._cli._not_rows import footer_remarks, rows_of
from skanomaly._cli._read import Table, check_file, flat_index, readable
from skanomaly._cli._text_file import TextFile, open_text
from skanomaly._support._optional import import_optional

if TYPE_CHECKING:
    import pandas as pd

    from skanomaly._support._row_draws import RowsInOrder

__all__ = ["FilePieces", "Sample", "pieces_of", "read_sample"]

_SAMPLE_ROWS = 65_536
_LARGEST_IN_MEMORY = 2**29  # bytes of a file of text, or of the columns of a Parquet file
_COMPRESSED = 5  # a compressed text is about so many times larger
_SAMPLE_CELLS = 4_000_000
_PIECE_CELLS = 650_000
_MOST_PIECE_ROWS, _FEWEST_PIECE_ROWS = 65_536, 1000
_FEWEST_SAMPLE_ROWS = 2000
_SEED = 0x5EED


def pieces_of(path: str | Path | None, chunk_rows: int | None, texts: Sequence[str] = ()) -> "FilePieces | None":
    """Return a file to be read in pieces; None for one that is read at once.

    Parameters
    ----------
    path : str, Path or None
    chunk_rows : int or None
        Rows of a piece. None reads files above 512 MB in pieces.
    texts : sequence of str
        Columns of a text file whose cells are read as they are written.

    Returns
    -------
    FilePieces or None

    Raises
    ------
    InputError
        If `chunk_rows` is below 1 or the file cannot be read in pieces.
    """
    if chunk_rows is not None and chunk_rows < 1:
        raise InputError(f"--chunk-rows is {chunk_rows}; it must be at least 1.")
    if path is None:
        if chunk_rows is not None:
            raise InputError("--chunk-rows needs a file; the embedded table is in memory.")
        return None
    path = Path(path)
    kind = check_file(path)
    if kind == "npz":
        if chunk_rows is not None:
            raise InputError(f"--chunk-rows: {path.name} is read at once; only text and Parquet are read in pieces.")
        return None
    with readable(path):
        if chunk_rows is None and _size(path, kind) <= _LARGEST_IN_MEMORY:
            return None
        return FilePieces(path, kind, chunk_rows, texts)


def _size(path: Path, kind: str) -> int:
    """Return about how many bytes a file has in memory."""
    if kind == "text":
        return path.stat().st_size * (_COMPRESSED if path.name.lower().endswith(".gz") else 1)
    metadata = import_optional("pyarrow.parquet", extra="cli").ParquetFile(path).metadata
    return sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))


class FilePieces:
    """A file that is read in pieces.

    Parameters
    ----------
    path : Path
    kind : {"text", "parquet"}
    chunk_rows : int or None
        None: as many as hold 650,000 cells.
    texts : sequence of str

    Attributes
    ----------
    name : str
    typed : bool
        Whether the file states the types of its columns.
    decimal : str
    remarks : list of str
        On the file, once it was read.
    chunk_rows : int
        Once it was read.
    """

    def __init__(self, path: Path, kind: str, chunk_rows: int | None, texts: Sequence[str]) -> None:
        self._path, self._texts = path, set(texts)
        self._text: TextFile | None = open_text(path, tuple(texts)) if kind == "text" else None
        self._given_rows = chunk_rows
        self._as_text: list[Any] = []  # pandas' own names of the columns that are read as text
        self._own_names: list[Any] = []
        self._found: Counter[int] | None = None  # lines that are no rows
        self.name = path.name
        self.typed = kind == "parquet"
        self.decimal = "." if self._text is None else self._text.dialect.decimal
        self.remarks: list[str] = []
        self.names: list[str] = []

    @property
    def padded(self) -> frozenset[str]:
        """Names of the columns with leading zeros."""
        return frozenset() if self._text is None else self._text.padded(self.names)

    @property
    def chunk_rows(self) -> int:
        """Rows of a piece."""
        if self._given_rows is not None:
            return self._given_rows
        width = self._width() if self._text is None else len(self._text.dialect.names)
        return int(np.clip(_PIECE_CELLS // max(width, 1), _FEWEST_PIECE_ROWS, _MOST_PIECE_ROWS))

    def read_as_text(self, places: Sequence[int]) -> None:
        """Read some columns of a text file as they are written, in all later passes.

        Parameters
        ----------
        places : sequence of int
        """
        self._as_text += [self._own_names[place] for place in places]

    def fall_back(self) -> bool:
        """Take the other encoding of a text, if there is one; say whether there was."""
        if self._text is None or self._text.fallback is None:
            return False
        self.names, self.remarks, self._found = [], [self._text.fall_back()], None
        return True

    def _width(self) -> int:
        return len(self._dataset().schema.names)

    def _dataset(self) -> Any:
        return import_optional("pyarrow.dataset", extra="cli").dataset(str(self._path), format="parquet")

    def __iter__(self) -> Iterator["pd.DataFrame"]:
        """Yield frames whose columns are the positions of the columns of the file."""
        for frame in self._of_parquet() if self._text is None else self._of_text(self._text):
            frame.columns = list(range(frame.shape[1]))
            yield frame

    def _of_parquet(self) -> Iterator["pd.DataFrame"]:
        data = self._dataset()
        for batch in data.to_batches(batch_size=self.chunk_rows, batch_readahead=1, fragment_readahead=1):
            frame = flat_index(batch.to_pandas())
            self.names = list(frame.columns)
            if len(frame):
                yield frame

    def _of_text(self, text: TextFile) -> Iterator["pd.DataFrame"]:
        import pandas as pd

        options = text.options()
        options["dtype"] = {**options["dtype"], **dict.fromkeys(self._as_text, str)}
        found: Counter[int] = Counter()
        is_first = not self.names
        with text.parsing(), pd.read_csv(text.path, chunksize=self.chunk_rows, **options) as reader:
            for frame in rows_of(reader, text.dialect, options["dtype"], found, self._found):
                if not self.names:
                    self.names = text.names(frame.columns)
                    self.remarks += text.remarks(len(self.names))
                self._own_names = list(frame.columns)
                if len(frame):
                    yield frame
        if is_first:
            self.remarks += footer_remarks(found)
        self._found = found


@dataclass(frozen=True)
class Sample:
    """Some rows of a file, in their order, and what the first pass counts.

    Attributes
    ----------
    table : Table
        The rows of the sample.
    rows : ndarray of shape (n_sampled,), int
        Their numbers in the file.
    places : list of int
        Positions in the file of the columns of the table.
    n_rows : int
        Of the file.
    n_present : ndarray of shape (n_columns,), int
        Values that are not missing, of the columns of the table.
    """

    table: Table
    rows: NDArray[np.int64]
    places: list[int]
    n_rows: int
    n_present: NDArray[np.int64]

    @property
    def is_complete(self) -> bool:
        """Whether the sample is the whole table."""
        return len(self.rows) == self.n_rows


def read_sample(pieces: FilePieces, most_rows: int | None = None) -> Sample:
    """Draw rows of a file at random, by their numbers: the same rows for any size of the pieces.

    Parameters
    ----------
    pieces : FilePieces
        Columns with text in one piece and numbers in another are read as text from then on, as they are when the file
        is read at once.
    most_rows : int or None
        None: 65,536, or as many as hold four million cells.

    Returns
    -------
    Sample

    Raises
    ------
    InputError
        If the file cannot be read, or has no rows.
    """
    with readable(pieces._path):
        try:
            found = _drawn(pieces, most_rows)
        except UnicodeDecodeError:
            if not pieces.fall_back():
                raise
            found = _drawn(pieces, most_rows)
        mixed = [place for place, kinds in enumerate(found.kinds) if len(kinds) > 1]
        if mixed and not pieces.typed:
            pieces.read_as_text(mixed)
            found = _drawn(pieces, most_rows)
    if not found.n_rows:
        raise InputError(f"{pieces.name} is empty; it has no rows.")
    blank = [
        name.startswith("Unnamed: ") and not n_present
        for name, n_present in zip(pieces.names, found.n_present, strict=True)
    ]
    places = [place for place, empty in enumerate(blank) if not empty]
    drawn, rows = found.drawn()
    frame = drawn[places].reset_index(drop=True)
    frame.columns = [pieces.names[place] for place in places]
    table = Table(
        pieces.name,
        frame,
        remarks=list(pieces.remarks),
        decimal=pieces.decimal,
        typed=pieces.typed,
        padded=pieces.padded,
    )
    return Sample(table, rows, places, found.n_rows, found.n_present[places])


def _drawn(pieces: FilePieces, most_rows: int | None) -> "_Draw":
    draw = _Draw(most_rows)
    for frame in pieces:
        draw.add(frame)
    return draw


class _Draw:
    """Draws rows at random by their numbers, and counts what the columns hold."""

    def __init__(self, most_rows: int | None) -> None:
        self._most_rows = most_rows
        self._rows: RowsInOrder | None = None
        self.kinds: list[set[str]] = []
        self.n_present = np.zeros(0, dtype=np.int64)

    @property
    def n_rows(self) -> int:
        """Number of rows so far."""
        return 0 if self._rows is None else self._rows.n_seen

    def add(self, frame: "pd.DataFrame") -> None:
        """Add the rows of a piece."""
        from skanomaly._support._row_draws import RowsInOrder

        if self._rows is None:
            self.kinds = [set() for _ in range(frame.shape[1])]
            self.n_present = np.zeros(frame.shape[1], dtype=np.int64)
            few = int(np.clip(_SAMPLE_CELLS // max(frame.shape[1], 1), _FEWEST_SAMPLE_ROWS, _SAMPLE_ROWS))
            most = min(few, _SAMPLE_ROWS) if self._most_rows is None else self._most_rows
            self._rows = RowsInOrder(most, _SEED, _joined)
        for place in range(frame.shape[1]):
            column = frame[place]
            n_present = int(column.notna().sum())
            self.n_present[place] += n_present
            if n_present:
                self.kinds[place].add(_kind(column))
        self._rows.add(frame)

    def drawn(self) -> "tuple[pd.DataFrame, NDArray[np.int64]]":
        """Return the rows and their numbers, in their order."""
        if self._rows is None:
            raise RuntimeError("no piece was added")
        return self._rows.drawn()


def _kind(column: "pd.Series[Any]") -> str:
    """Say what a piece of a column holds, by the type that pandas found."""
    import pandas as pd

    dtype = column.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return "bool"
    if dtype.kind != "O" or isinstance(dtype, pd.api.extensions.ExtensionDtype):
        return "number" if pd.api.types.is_numeric_dtype(dtype) else "text"
    return "bool" if pd.api.types.infer_dtype(column, skipna=True) == "boolean" else "text"


def _joined(parts: "list[pd.DataFrame]") -> "pd.DataFrame":
    """Put pieces together; where one has no value in a column its type does not count."""
    import pandas as pd

    if len(parts) == 1:
        return parts[0]
    columns = {}
    for place in parts[0].columns:
        cells = [part[place] for part in parts]
        if len({str(cell.dtype) for cell in cells}) > 1:
            numeric = all(pd.api.types.is_numeric_dtype(cell.dtype) for cell in cells)
            values = [cell.to_numpy() if numeric else cell.to_numpy(dtype=object) for cell in cells]
            columns[place] = pd.Series(np.concatenate(values))
        else:
            columns[place] = pd.concat(cells, ignore_index=True)
    return pd.DataFrame(columns)
