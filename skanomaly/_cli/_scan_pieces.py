"""The scan of a file that is read in pieces: three passes, of which memory holds one piece at a time.

The first pass draws a sample, the second one describes the columns, the third one scores. Eight bytes a row are kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._cli._detectors import takes_mixed
from skanomaly._cli._drift import DriftResult, check_drift
from skanomaly._cli._errors import InputError
from skanomaly._cli._in_pieces import FilePieces, Sample
from skanomaly._cli._prepare import Prepared
from skanomaly._cli._read import Table, check_column, label_hints, native_labels, split_label
from skanomaly._cli._reasons import Counts, Reason, find_reasons
from skanomaly._cli._survey import Survey, survey
from skanomaly._cli._warned import collected_warnings
from skanomaly._support._rows import take_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Found", "score_pieces"]

_BLOCK_ROWS = 8192
_MOST_LABELS = 65_536
# Detectors whose fit_chunks trains on all rows; the others train on a sample, in pieces as in memory.
_ON_ALL_ROWS = {"GaussianDetector", "RandomProjectionDepth"}


class _Texts:
    """Texts of all rows, without an object for each."""

    def __init__(self) -> None:
        self._bytes: list[bytes] = []
        self._ends: list[NDArray[np.int64]] = []
        self._starts: list[int] = []
        self._n_rows = 0

    def add(self, texts: Sequence[str]) -> None:
        """Add the texts of a piece."""
        encoded = [text.encode() for text in texts]
        self._starts.append(self._n_rows)
        self._ends.append(np.cumsum([0, *map(len, encoded)]))
        self._bytes.append(b"".join(encoded))
        self._n_rows += len(encoded)

    def __getitem__(self, row: int) -> str:
        """Return the text of a row."""
        piece = int(np.searchsorted(self._starts, row, side="right")) - 1
        start, end = self._ends[piece][row - self._starts[piece] :][:2].tolist()
        return self._bytes[piece][start:end].decode()


class _Labels:
    """The labels of a column, first counted and then read."""

    def __init__(self, name: str, place: int, anomaly: str | None) -> None:
        self.name, self._place, self._anomaly = name, place, anomaly
        self._counts: dict[Any, int] = {}
        self._natives: dict[Any, int] = {}
        self._parts: list[NDArray[np.int8]] = []

    def count(self, frame: "pd.DataFrame") -> None:
        """Count the labels of a piece."""
        import pandas as pd

        codes, distinct = pd.factorize(frame[self._place].astype(object))
        for label, count in zip(distinct, np.bincount(codes[codes >= 0], minlength=len(distinct)), strict=True):
            self._counts[label] = self._counts.get(label, 0) + int(count)
        if len(self._counts) > _MOST_LABELS:
            raise InputError(f"label column {self.name!r} holds more than {_MOST_LABELS:,} labels.")
        self._counts[None] = self._counts.get(None, 0) + int((codes < 0).sum())

    def settle(self) -> list[str]:
        """Read the labels that occur; return remarks."""
        import pandas as pd

        remarks: list[str] = []
        counts = {label: count for label, count in self._counts.items() if count}
        times = np.array(list(counts.values()), dtype=np.int64)
        values = pd.Series(list(counts), dtype=object).infer_objects()
        found = native_labels(values, self.name, self._anomaly, remarks, times)
        self._natives = dict(zip(counts, found.tolist(), strict=True))
        return remarks

    def add(self, frame: "pd.DataFrame") -> None:
        """Read the labels of a piece."""
        import pandas as pd

        codes, distinct = pd.factorize(frame[self._place].astype(object))
        natives = [*(self._natives[label] for label in distinct), self._natives.get(None, 0)]
        self._parts.append(np.array(natives, dtype=np.int8)[codes])

    def values(self) -> NDArray[np.int64]:
        """Return the labels of all rows."""
        return np.concatenate(self._parts).astype(np.int64)


class _Lowest:
    """The rows with the lowest scores, the first of equal ones."""

    def __init__(self, n_kept: int) -> None:
        self._n_kept = n_kept
        self.scores = np.empty(0)
        self.rows = np.empty(0, dtype=np.int64)
        self.frames: list[pd.DataFrame] = []

    def add(self, scores: NDArray[np.float64], first: int, frame: "pd.DataFrame") -> None:
        """Add the rows of a piece, of which `first` is the number of the first one."""
        import pandas as pd

        places = np.argsort(scores, kind="stable")[: self._n_kept]
        if len(self.scores) == self._n_kept:
            places = places[scores[places] < self.scores[-1]]
        if not len(places):
            return
        scores, rows = np.append(self.scores, scores[places]), np.append(self.rows, first + places)
        order = np.lexsort((rows, scores))[: self._n_kept]
        self.scores, self.rows = scores[order], rows[order]
        joined = pd.concat([*self.frames, frame.iloc[places].astype(object)], ignore_index=True)
        self.frames = [joined.iloc[order].reset_index(drop=True)]


@dataclass(frozen=True)
class Found:
    """What the passes find, before the contamination is known.

    Attributes
    ----------
    survey : Survey
    model : detector
        Fitted.
    scores : ndarray of shape (n_rows,)
    remarks : list of str
    labels : ndarray of shape (n_rows,) or None
    label_name : str
    ids : mapping of int to str, or None
        Of the rows that are shown, or of all rows.
    n_columns : int
    n_blank_rows : int
    """

    survey: Survey
    model: Any
    scores: NDArray[np.float64]
    remarks: list[str]
    labels: NDArray[np.int64] | None
    label_name: str
    ids: Any
    n_columns: int
    n_blank_rows: int
    sample: Sample
    prepared: Prepared
    lowest: _Lowest

    def reasons(self, rows: NDArray[np.int64], random_state: int | None) -> tuple[list[list[Reason]], str]:
        """Explain some of the rows with the lowest scores."""
        places = {int(row): place for place, row in enumerate(self.lowest.rows)}
        frame = self.lowest.frames[0].iloc[[places[int(row)] for row in rows]].infer_objects()
        shown, n_shown = self.survey.prepare(frame), len(rows)
        prepared = shown
        if not hasattr(self.model, "feature_contributions"):
            # The rows come first, the sample they are compared with behind them.
            prepared = replace(
                shown,
                filled=np.concatenate([shown.filled, self.prepared.filled]),
                scaled=np.concatenate([shown.scaled, self.prepared.scaled]),
                given=_stacked(shown.given, self.prepared.given),
                missing=np.concatenate([shown.missing, self.prepared.missing]),
            )
        table = Table(self.sample.table.name, frame[self.survey.places].set_axis(self.survey.names, axis=1))
        scores = self.scores[np.append(rows, self.sample.rows)]
        counts = Counts(len(self.scores), np.median(self.prepared.filled, axis=0), self.survey.n_equal)
        return find_reasons(self.model, prepared, table, np.arange(n_shown), scores, random_state, counts=counts)

    def drift(self, *, random_state: int | None, n_jobs: int | None) -> DriftResult:
        """Test the sample for drift."""
        rows = self.prepared.numbers if self.prepared.has_numbers else self.prepared.given
        drift = check_drift(rows, random_state=random_state, n_jobs=n_jobs)
        change = drift.change_point
        at = None if change is None else int(self.sample.rows[change])
        return replace(drift, change_point=at, rows=self.sample.rows)


def score_pieces(
    pieces: FilePieces,
    sample: Sample,
    model: Any,
    *,
    label: str | None,
    id_column: str | None,
    use: Sequence[str],
    n_kept: int,
    keeps_ids: bool,
    progress: Any,
) -> Found:
    """Prepare, fit and score a file in pieces.

    Parameters
    ----------
    pieces : FilePieces
    sample : Sample
        Of the first pass.
    model : detector
    label, id_column : str or None
    use : sequence of str
    n_kept : int
        Number of rows with the lowest scores whose cells are kept.
    keeps_ids : bool
        Whether the identifiers of all rows are kept.
    progress : Progress

    Returns
    -------
    Found

    Raises
    ------
    InputError
        If an option does not fit the file, no column can be scored, or the detector fails.
    """
    from skanomaly._support._blocks import row_blocks

    table, remarks = sample.table, list(sample.table.remarks)
    labels, id_place, left_out = _special_columns(sample, label, id_column, use)
    remarks += [] if label is not None else label_hints(table.frame)
    categories, keep_missing = takes_mixed(model)
    progress.stage("Preparing columns")
    watched = pieces if labels is None else _watched(pieces, labels)
    described = survey(
        watched, sample, left_out, progress.advance, use=use, categories=categories, keep_missing=keep_missing
    )
    remarks += [] if labels is None else labels.settle()
    prepared = described.prepare(table.frame.set_axis(sample.places, axis=1))
    name = type(model).__name__
    with collected_warnings(remarks, name):
        progress.stage(f"Fitting {name}")
        if name in _ON_ALL_ROWS:
            model.fit_chunks(lambda: (described.prepare(frame).given for frame in pieces))
        else:
            model.fit(prepared.given)
        progress.stage("Scoring rows")
        lowest, ids = _Lowest(n_kept), _Texts()
        scores, n_blank, n_done = np.empty(sample.n_rows), 0, 0
        for frame in pieces:
            part = described.prepare(frame)
            n_blank += part.n_blank_rows
            for rows in row_blocks(len(frame), _BLOCK_ROWS):
                block = take_rows(part.given, np.arange(rows.start, rows.stop))
                scores[n_done + rows.start : n_done + rows.stop] = model.score_samples(block)
            lowest.add(scores[n_done : n_done + len(frame)], n_done, frame)
            if labels is not None:
                labels.add(frame)
            if id_place is not None and keeps_ids:
                ids.add(_as_texts(frame[id_place]))
            n_done += len(frame)
            progress.advance(n_done / sample.n_rows)
    n_without = int(np.count_nonzero(np.isnan(scores)))
    if n_without:
        raise InputError(f"{name} gave no score for {n_without} rows; choose another --detector.")
    known: Any = None
    if id_place is not None:
        known = ids if keeps_ids else _some_ids(sample, lowest, id_place)
    return Found(
        described,
        model,
        scores,
        [*remarks, _said_of_sample(name, len(sample.rows))],
        None if labels is None else labels.values(),
        "" if labels is None else labels.name,
        known,
        table.frame.shape[1] - len(left_out),
        n_blank,
        sample,
        prepared,
        lowest,
    )


def _said_of_sample(name: str, n_rows: int) -> str:
    """Say what is of all rows and what is of the sample."""
    drawn = f"a random sample of {n_rows:,} rows"
    fitted, others = ("all rows", drawn) if name in _ON_ALL_ROWS else (drawn, "the sample")
    return (
        f"The file was read in pieces. {name} was fitted to {fitted}; medians, the estimate of contamination and the "
        f"test for drift use {others}."
    )


def _special_columns(
    sample: Sample, label: str | None, id_column: str | None, use: Sequence[str]
) -> tuple[_Labels | None, int | None, set[str]]:
    """Find the columns of labels and identifiers, and check the names that are given."""
    names, table = list(map(str, sample.table.frame.columns)), sample.table
    labels, id_place, left_out = None, None, set()
    if label is not None:
        name, value = split_label(label, names)
        place = sample.places[names.index(check_column(name, names, table.name, "--label"))]
        labels = _Labels(name, place, value)
        left_out.add(name)
    if id_column is not None:
        others = [name for name in names if name not in left_out]
        id_place = sample.places[names.index(check_column(id_column, others, table.name, "--id"))]
        left_out.add(id_column)
    for name in use:
        check_column(name, [other for other in names if other not in left_out], table.name, "--use")
    return labels, id_place, left_out


def _stacked(first: Any, second: Any) -> Any:
    import pandas as pd

    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    return pd.concat([first, second], ignore_index=True)


def _watched(pieces: FilePieces, labels: _Labels) -> "Iterator[pd.DataFrame]":
    for frame in pieces:
        labels.count(frame)
        yield frame


def _as_texts(column: "pd.Series[Any]") -> list[str]:
    return list(column.astype(str).where(column.notna(), ""))


def _some_ids(sample: Sample, lowest: _Lowest, place: int) -> Mapping[int, str]:
    """Return the identifiers of the sample and of the rows with the lowest scores."""
    own = sample.table.frame.iloc[:, sample.places.index(place)]
    some = dict(zip(sample.rows.tolist(), _as_texts(own), strict=True))
    return {**some, **dict(zip(lowest.rows.tolist(), _as_texts(lowest.frames[0][place]), strict=True))}
