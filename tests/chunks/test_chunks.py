import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_series_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skanomaly._support._blocks import n_block_threads
from skanomaly.chunks import read_chunks, score_chunks, write_scores
from skanomaly.detectors import GaussianDetector

pa = pytest.importorskip("pyarrow")
NAMES = ["a", "b", "c"]


def _frame(seed, n_rows=300):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n_rows, 3)), columns=NAMES)


def _tables(source, **options):
    return [table for table, _ in read_chunks(source, **options)]


def _sources(frame, folder):
    """The same table, in each form."""
    (folder / "parts").mkdir()
    for place, part in enumerate(np.array_split(np.arange(len(frame)), 12)):
        frame.iloc[part].to_parquet(folder / "parts" / f"part.{place}.parquet", index=False)
    frame.to_parquet(folder / "one.parquet", index=False)
    frame.to_csv(folder / "one.csv", index=False, float_format="%.17g")
    mapped = np.memmap(folder / "rows", dtype=np.float64, mode="w+", shape=frame.shape)
    mapped[:] = frame.to_numpy()
    return {
        "list": [frame[:1], frame[1:]],
        "batches": lambda: iter(pa.Table.from_pandas(frame, preserve_index=False).to_batches(max_chunksize=70)),
        "callable": lambda: iter([frame[:77], frame[77:]]),
        "memmap": mapped,
        "folder": folder / "parts",
        "file": str(folder / "one.parquet"),
        "paths": [folder / "one.parquet"],
        "csv": folder / "one.csv",
        "Table": pa.Table.from_pandas(frame, preserve_index=False),
        "Dataset": pa.dataset.dataset(str(folder / "one.parquet")),
    }


KINDS = ["batches", "list", "callable", "memmap", "folder", "file", "paths", "csv", "Table", "Dataset"]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names|X has feature names")
@pytest.mark.parametrize("kind", KINDS)
def test_every_source_gives_the_rows_in_order_and_the_same_fit(kind, tmp_path, seed):
    import pyarrow.dataset

    assert pyarrow.dataset
    frame = _frame(seed)
    source = _sources(frame, tmp_path)[kind]
    for _ in range(2):
        assert_array_equal(np.concatenate([np.asarray(table) for table in _tables(source)]), frame.to_numpy())
    detector = GaussianDetector().fit_chunks(source)
    expected = GaussianDetector().fit_chunks([frame])
    assert_array_equal(detector.means_, expected.means_)
    assert detector.offset_ == expected.offset_
    values = np.concatenate(list(score_chunks(detector, source)))
    assert_array_equal(values, expected.score_samples(frame))


def test_columns_and_rows_of_a_piece_can_be_chosen(tmp_path, seed):
    _frame(seed).to_parquet(tmp_path / "x.parquet")
    tables = _tables(tmp_path / "x.parquet", columns=["c", "a"], chunk_rows=70)
    assert [len(table) for table in tables] == [70, 70, 70, 70, 20]
    assert list(tables[0].columns) == ["c", "a"]


def test_text_and_missing_values_of_a_file_are_read(tmp_path):
    frame = pd.DataFrame({"x": [1.0, None, 2.0] * 10, "shop": ["a", "b", None] * 10})
    frame.to_csv(tmp_path / "x.csv", index=False)
    tables = _tables(tmp_path / "x.csv", chunk_rows=7)
    assert_array_equal(pd.concat(tables)["shop"].isna(), frame["shop"].isna())


def test_passes_are_printed_and_change_nothing(capsys):
    parts = np.array_split(_frame(0).to_numpy(), 3)
    found = GaussianDetector().fit_chunks(read_chunks(parts, verbose=2))
    printed = re.sub(r"\d+\.\d s", "0.0 s", capsys.readouterr().out)
    assert printed.startswith(
        "pass 1: chunk 1, 100 rows, 0.0 s\npass 1: chunk 2, 200 rows, 0.0 s\npass 1: chunk 3, 300 rows, 0.0 s\n"
        "pass 1: 3 chunks, 300 rows, 0.0 s\npass 2: chunk 1, 100 rows"
    )
    assert found.offset_ == GaussianDetector().fit_chunks(read_chunks(parts)).offset_
    assert capsys.readouterr().out == ""


def test_passes_of_dask_are_printed_as_the_partitions_are_done(capsys):
    GaussianDetector().fit_chunks(read_chunks(_dask_frame(_frame(0), 3), verbose=2))
    printed = re.sub(r"\d+\.\d s", "0.0 s", capsys.readouterr().out).splitlines()
    counted = [line for line in printed if line.startswith("pass 2")]
    assert counted == [*(f"pass 2: chunk {done} of 3, 0.0 s" for done in (1, 2, 3)), "pass 2: 3 chunks, 0.0 s"]


class _Recorder:
    """Records what a fit reports."""

    max_propagation_depth = None

    def __init__(self):
        self.begun = []

    def setup(self, estimator, context):
        """Nothing is set up."""

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context):
        """The end of a task is not recorded."""

    def teardown(self, estimator, context):
        """Nothing is torn down."""


@pytest.mark.skipif(not hasattr(LogisticRegression, "set_callbacks"), reason="needs scikit-learn 1.9")
def test_callbacks_see_each_pass():
    recorder = _Recorder()
    GaussianDetector().set_callbacks(recorder).fit_chunks(np.array_split(_frame(0).to_numpy(), 3))
    n_passes = recorder.begun.count("pass over the chunks")
    # The columns are read from the first chunk alone.
    assert recorder.begun.count("pass over the chunks, one step") == 3 * (n_passes - 1) + 1 > 9


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ("nothing.parquet", {}, "is no file"),
        ([np.eye(2)], {"columns": ["a"]}, "columns applies"),
        ([np.eye(2)], {"chunk_rows": 0}, "'chunk_rows' parameter.*Got 0"),
        ([np.eye(2)], {"verbose": -1}, "'verbose' parameter.*Got -1"),
        (iter([np.eye(2)]), {}, "only once"),
    ],
)
def test_bad_sources_raise_before_work(source, options, words):
    with pytest.raises(ValueError, match=words):
        read_chunks(source, **options)


def test_empty_folders_mixed_files_and_readers_raise(tmp_path):
    with pytest.raises(ValueError, match="holds no file"):
        read_chunks(tmp_path)
    frame = _frame(0, 5)
    frame.to_parquet(tmp_path / "x.parquet")
    frame.to_csv(tmp_path / "x.csv")
    with pytest.raises(ValueError, match="all Parquet"):
        read_chunks(tmp_path)
    with pytest.raises(ValueError, match="read only once"):
        read_chunks(pa.Table.from_pandas(frame).to_reader())


@pytest.mark.parametrize("kind", ["path", "LazyFrame"])
def test_tables_that_are_not_in_memory_are_refused_with_the_remedy(kind):
    lazy, given = "file.parquet", "X"
    if kind == "LazyFrame":
        lazy, given = pytest.importorskip("polars").LazyFrame({"a": [1.0, 2.0]}), "lambda: X.collect_batches()"
        with pytest.raises(ValueError, match="collect_batches"):
            read_chunks(lazy)
    with pytest.raises(TypeError, match=re.escape(f"use fit_chunks({given})")):
        GaussianDetector().fit(lazy)
    detector = GaussianDetector().fit(np.eye(4))
    with pytest.raises(TypeError, match=re.escape(f"score_chunks(detector, {given})")):
        detector.score_samples(lazy)


def test_scores_of_unfitted_detectors_and_unknown_methods_raise(tmp_path):
    with pytest.raises(NotFittedError):
        score_chunks(GaussianDetector(), [np.eye(3)])
    with pytest.raises(AttributeError, match="no method 'transform'"):
        write_scores(GaussianDetector().fit(np.eye(3)), [np.eye(3)], tmp_path, methods=["transform"])


def test_written_scores_are_those_of_the_rows_in_order(tmp_path, seed):
    frame = _frame(seed)
    frame.index = np.arange(300)[::-1]
    detector = GaussianDetector().fit(frame)
    pieces = [frame[:3], frame[:0], *(frame[start : start + 27] for start in range(3, 300, 27))]
    assert write_scores(detector, pieces, tmp_path / "scores") == 300
    written = pd.read_parquet(tmp_path / "scores")
    assert_array_equal(written["score_samples"], detector.score_samples(frame))
    assert_array_equal(written["predict"], detector.predict(frame))
    assert_array_equal(written.index, frame.index)
    with pytest.raises(ValueError, match="not an empty folder"):
        write_scores(detector, pieces, tmp_path / "scores")


def _dask_frame(frame, n_partitions):
    frames = pytest.importorskip("dask.dataframe")
    return frames.from_pandas(frame, npartitions=n_partitions)


@pytest.mark.parametrize("form", ["frame", "array", "delayed"])
def test_dask_gives_the_bits_of_the_table_in_memory(form, seed):
    frame = _frame(seed)
    frame.index = np.arange(300) * 2
    lazy = _dask_frame(frame, 40)
    source = {"frame": lazy, "array": lazy.to_dask_array(), "delayed": list(lazy.to_delayed())}[form]
    detector, expected = GaussianDetector().fit_chunks(source), GaussianDetector().fit_chunks([frame])
    assert_array_equal(detector.means_, expected.means_)
    assert detector.offset_ == expected.offset_
    if form == "frame":
        scores = score_chunks(expected, source)
        assert (scores.name, scores.dtype) == ("score_samples", np.float64)
        assert_series_equal(scores.compute(), pd.Series(expected.score_samples(frame), frame.index, name=scores.name))
    if form == "array":
        rows = GaussianDetector().fit(frame.to_numpy())
        labels = score_chunks(rows, source, method="predict")
        assert (labels.dtype, labels.ndim) == (np.int64, 1)
        assert_array_equal(labels.compute(), rows.predict(frame.to_numpy()))


def test_empty_partitions_and_labels_of_dask_frames(seed):
    frame = _frame(seed)
    frame["label"] = np.where(np.arange(300) < 30, -1, 1)
    lazy = _dask_frame(frame, 5)
    lazy = lazy.map_partitions(lambda part: part[part.index >= 60], meta=frame[:0])
    kept = frame[60:]
    detector = GaussianDetector().fit_chunks(lazy, "label")
    rows = [kept[NAMES]]
    assert detector.offset_ == GaussianDetector().fit_chunks(rows, [kept["label"]]).offset_
    other = GaussianDetector().fit_chunks(lazy[NAMES], lazy["label"])
    assert detector.offset_ == other.offset_
    assert len(score_chunks(detector, lazy[NAMES]).compute()) == 240
    with pytest.raises(ValueError, match="partitions"):
        GaussianDetector().fit_chunks(lazy[NAMES], _dask_frame(frame, 2)["label"])


def test_scores_of_dask_frames_are_written_in_order(tmp_path, seed):
    frame = _frame(seed)
    detector = GaussianDetector().fit(frame)
    assert write_scores(detector, _dask_frame(frame, 12), tmp_path / "scores") == 300
    written = pd.read_parquet(tmp_path / "scores")["score_samples"].to_numpy()
    assert_array_equal(written, detector.score_samples(frame))


def test_errors_of_a_partition_have_its_number_and_leave_the_detector(seed):
    frame = _frame(seed)
    frame.loc[299, "b"] = np.nan
    detector = GaussianDetector()
    before = dict(vars(detector))
    with pytest.raises(ValueError, match=r"chunk 3: .*NaN"):
        detector.fit_chunks(_dask_frame(frame, 4))
    assert vars(detector) == before


def test_a_dask_array_with_blocks_of_columns_raises():
    arrays = pytest.importorskip("dask.array")
    rows = arrays.ones((10, 4), chunks=(5, 2))
    with pytest.raises(ValueError, match=r"rechunk\(\{1: -1\}\)"):
        GaussianDetector().fit_chunks(rows)
    with pytest.raises(TypeError, match="a Dask Array, which is not in memory"):
        GaussianDetector().fit(rows)


def test_tasks_of_dask_use_one_thread_each():
    """Dask runs a task a core: threads of our own inside of it would be too many."""
    dask = pytest.importorskip("dask")
    used = dask.compute(*(dask.delayed(n_block_threads)(n_jobs) for n_jobs in (None, None)), scheduler="threads")
    assert used == (1, 1)


def test_a_merge_that_changes_its_first_result_changes_no_task_that_may_run_again():
    from skanomaly._support._dask_pieces import _join

    parts = [np.ones(2), None, np.ones(2), np.ones(2)]
    for _ in range(2):
        assert_array_equal(_join(lambda one, other: np.add(one, other, out=one), parts), [3, 3])
    assert _join(max, [None]) is None
