import gzip

import numpy as np
import pandas as pd
import pytest

from skanomaly._cli._errors import InputError
from skanomaly._cli._read import read_table

FRAME = pd.DataFrame({"a": [1.5, 2.0, 3.25], "b": [4, 5, 6], "fault": [0, 0, 1]})


def _write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".parquet"])
def test_read_gives_the_same_table_from_every_kind_of_file(tmp_path, ending):
    path = tmp_path / f"table{ending}"
    if ending == ".parquet":
        FRAME.to_parquet(path)
    else:
        FRAME.to_csv(path, sep="\t" if ending == ".tsv" else ",", index=False)
    pd.testing.assert_frame_equal(read_table(path).frame, FRAME)


def test_read_embedded_table_has_labels():
    table = read_table(None)
    assert table.frame.shape == (378, 30)
    assert (table.labels == -1).sum() == 21
    assert table.label_name == "target"


def test_read_npz_names_columns(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.arange(6, dtype=np.uint8).reshape(3, 2), y=[0, 1, 0])
    table = read_table(tmp_path / "t.npz", label="y")
    assert list(table.frame.columns) == ["x0", "x1"]
    np.testing.assert_array_equal(table.labels, [1, -1, 1])


def test_read_npz_without_labels(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.eye(4))
    assert read_table(tmp_path / "t.npz").labels is None


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
def test_read_recognises_the_delimiter(tmp_path, delimiter):
    FRAME.to_csv(tmp_path / "t.csv", sep=delimiter, index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv").frame, FRAME)


def test_read_recognises_the_decimal_comma(tmp_path):
    FRAME.to_csv(tmp_path / "t.csv", sep=";", decimal=",", index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv").frame, FRAME)


def test_read_byte_order_mark_is_not_part_of_a_name(tmp_path):
    FRAME.to_csv(tmp_path / "t.csv", encoding="utf-8-sig", index=False)
    assert next(iter(read_table(tmp_path / "t.csv").frame.columns)) == "a"


def test_read_file_without_header_loses_no_row(tmp_path):
    FRAME.to_csv(tmp_path / "t.csv", header=False, index=False)
    table = read_table(tmp_path / "t.csv")
    assert list(table.frame.columns) == ["x0", "x1", "x2"]
    assert len(table.frame) == 3
    assert "first line has numbers only" in table.remarks[0]


def test_read_numbered_columns_are_a_header(tmp_path):
    pd.DataFrame(np.ones((3, 2))).to_csv(tmp_path / "t.csv", index=False)
    table = read_table(tmp_path / "t.csv")
    assert list(table.frame.columns) == ["0", "1"]
    assert len(table.frame) == 3


def test_read_label_is_not_a_column_of_the_table(tmp_path):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    table = read_table(tmp_path / "t.csv", label="fault")
    assert list(table.frame.columns) == ["a", "b"]
    np.testing.assert_array_equal(table.labels, [1, 1, -1])


@pytest.mark.parametrize(("name", "hinted"), [("fraud", True), ("is_anomaly", True), ("Y", True), ("weight", False)])
def test_read_remarks_on_a_column_that_looks_like_labels(tmp_path, name, hinted):
    FRAME.rename(columns={"fault": name}).to_csv(tmp_path / "t.csv", index=False)
    assert bool(read_table(tmp_path / "t.csv").remarks) == hinted


@pytest.mark.parametrize(
    ("texts", "option"),
    [(["ok", "fraud", "ok"], "--label class=fraud"), (["a", "b", "c"], ""), (["a", "b", None], "")],
)
def test_read_remarks_on_the_rarer_of_two_texts_that_look_like_labels(tmp_path, texts, option):
    FRAME.drop(columns="fault").assign(**{"class": texts}).to_csv(tmp_path / "t.csv", index=False)
    remarks = " ".join(read_table(tmp_path / "t.csv").remarks)
    assert (f"{option} excludes it" in remarks) if option else not remarks


def test_read_remarks_on_y_of_an_npz_file(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.eye(3), y=[0, 1, 0])
    assert "--label y" in read_table(tmp_path / "t.npz").remarks[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 1, 0], [1, -1, 1]), ([1, -1, 1], [1, -1, 1]), ([False, True, False], [1, -1, 1]), ([-1, 0, 1], [-1, 0, 1])],
)
def test_read_recognises_label_conventions(tmp_path, values, expected):
    FRAME.assign(fault=values).to_csv(tmp_path / "t.csv", index=False)
    np.testing.assert_array_equal(read_table(tmp_path / "t.csv", label="fault").labels, expected)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0, 1, 2], "holds '0', '1', '2'. Name the label of the anomalies, for example --label 'fault="),
        (["ok", "bad", "ok"], "holds 'bad', 'ok'. Name the label of the anomalies, for example --label 'fault=bad'"),
        ([0, 1, 1], "holds 1 in 2 of 3 rows, .* If 0 is the anomaly, use --label 'fault=0'"),
        ([False, True, True], "holds True in 2 of 3 rows, .* If False is the anomaly, use --label 'fault=False'"),
    ],
)
def test_read_other_labels_raise(tmp_path, values, words):
    FRAME.assign(fault=values).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match=words):
        read_table(tmp_path / "t.parquet", label="fault")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0, 0, 0], "contains no anomaly"),
        ([-1, -1, -1], "contains no normal row"),
        ([0, -1, 0], "contains no normal row"),
    ],
)
def test_read_remarks_on_labels_of_one_class(tmp_path, values, words):
    FRAME.assign(fault=values).to_parquet(tmp_path / "t.parquet")
    assert words in read_table(tmp_path / "t.parquet", label="fault").remarks[0]


def test_read_named_index_is_a_column(tmp_path):
    FRAME.set_index("a").to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet").frame, FRAME)


def test_read_index_named_like_a_column_is_dropped(tmp_path):
    FRAME.set_index(pd.Index([7, 8, 9], name="b")).to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet").frame, FRAME)


def test_read_ragged_text_names_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r"saw 3\. Correct that line; a field that contains ',' must be quoted"):
        read_table(_write(tmp_path / "t.csv", "a,b\n1,2\n1,2,3\n"))


def test_read_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*nowhere\.csv"):
        read_table(tmp_path / "nowhere.csv")


def test_read_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        read_table(tmp_path)


def test_read_other_ending_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read t\.xlsx; supported are files that end in \.csv"):
        read_table(_write(tmp_path / "t.xlsx", ""))


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n"])
def test_read_empty_text_is_named(tmp_path, text):
    with pytest.raises(InputError, match=r"t\.csv is empty"):
        read_table(_write(tmp_path / "t.csv", text))


def test_read_empty_arrays_and_frames_are_named(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.empty((0, 3)))
    FRAME[:0].to_parquet(tmp_path / "t.parquet")
    for name in ("t.npz", "t.parquet"):
        with pytest.raises(InputError, match="is empty"):
            read_table(tmp_path / name)


@pytest.mark.parametrize("ending", [".parquet", ".npz", ".csv.gz"])
def test_read_file_of_another_format_is_named(tmp_path, ending):
    with pytest.raises(InputError, match="cannot read t"):
        read_table(_write(tmp_path / f"t{ending}", "this is another kind of file"))


def test_read_truncated_archive_is_named(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-20])
    with pytest.raises(InputError, match=r"cannot read t\.csv\.gz"):
        read_table(path)


def test_read_text_in_another_encoding_is_read_with_a_remark(tmp_path):
    (tmp_path / "t.csv").write_bytes("größe,b\n1,2\n".encode("latin-1"))
    table = read_table(tmp_path / "t.csv")
    assert list(table.frame.columns) == ["größe", "b"]
    assert "is not UTF-8; it was read as Windows-1252" in table.remarks[0]


@pytest.mark.parametrize("data", [b"a,b\n\x811,2\n", b"a,b\n\xff\x001,2\n"])
def test_read_text_in_no_known_encoding_is_named(tmp_path, data):
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(InputError, match=r"byte .* is not .*Save it as 'CSV UTF-8'"):
        read_table(tmp_path / "t.csv")


def test_read_ragged_text_is_named(tmp_path):
    with pytest.raises(InputError, match="Expected 2 fields in line 3, saw 3"):
        read_table(_write(tmp_path / "t.csv", "a,b\n1,2\n1,2,3\n"))


def test_read_rows_longer_than_the_header_are_named(tmp_path):
    with pytest.raises(InputError, match="more fields than the first line"):
        read_table(_write(tmp_path / "t.csv", "a,b\n7,1,2\n4,3,4\n"))


@pytest.mark.parametrize(
    "text", ["a,b\r\n1,2\r\n3,4\r\n", "\n\na,b\n\n1,2\n3,4", "a, b\n1, 2\n3, 4\n", "a,b\n1,2,\n3,4,\n"]
)
def test_read_accepts_line_ends_blanks_and_trailing_commas(tmp_path, text):
    pd.testing.assert_frame_equal(
        read_table(_write(tmp_path / "t.csv", text)).frame, pd.DataFrame({"a": [1, 3], "b": [2, 4]})
    )


def test_read_line_feeds_within_quotes_do_not_end_rows(tmp_path):
    table = read_table(_write(tmp_path / "t.csv", 'a,"no\nte"\n1,"x\ny"\n2,"z"\n'))
    assert table.frame.shape == (2, 2)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"Y": [1]}, "lacks the key X"),
        ({"X": [1, 2]}, "must be a two-dimensional array"),
        ({"X": [[None]]}, "never loaded"),
    ],
)
def test_read_invalid_npz_is_named(tmp_path, arrays, words):
    np.savez(tmp_path / "t.npz", **{key: np.array(value) for key, value in arrays.items()})
    with pytest.raises(InputError, match=words):
        read_table(tmp_path / "t.npz")


def test_read_npz_labels_of_another_length_are_named(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.eye(3), y=[0, 1])
    with pytest.raises(InputError, match="y has 2 labels and X has 3 rows"):
        read_table(tmp_path / "t.npz", label="y")


@pytest.mark.parametrize(("label", "words"), [("falt", "did you mean 'fault'"), ("zzzz", "it has a, b, fault")])
def test_read_wrong_label_column_is_named(tmp_path, label, words):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match=words):
        read_table(tmp_path / "t.csv", label=label)


def test_read_errors_are_one_line(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert "\n" not in str(caught.value)
