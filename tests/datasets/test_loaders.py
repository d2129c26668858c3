import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from skanomaly.datasets import load_breast_cancer_anomalies, load_npz


def test_breast_cancer_has_the_literature_sizes():
    table = load_breast_cancer_anomalies()
    assert table.data.shape == (378, 30)
    assert (table.target == 1).sum() == 357
    assert (table.target == -1).sum() == 21


def test_breast_cancer_rows_are_scikit_learns_in_order(seed):
    table, whole = load_breast_cancer_anomalies(random_state=seed), load_breast_cancer()
    assert (np.diff(table.row_indices) > 0).all()
    np.testing.assert_array_equal(table.data, whole.data[table.row_indices])
    np.testing.assert_array_equal(table.target == 1, whole.target[table.row_indices] == 1)


def test_breast_cancer_default_is_the_same_every_time():
    first, second = load_breast_cancer_anomalies(), load_breast_cancer_anomalies()
    np.testing.assert_array_equal(first.row_indices, second.row_indices)


def test_breast_cancer_seed_chooses_the_malignant_rows(seed):
    first = load_breast_cancer_anomalies(random_state=seed)
    second = load_breast_cancer_anomalies(random_state=seed + 1000)
    assert not np.array_equal(first.row_indices, second.row_indices)


def test_breast_cancer_as_frame_holds_the_same_values():
    arrays, frames = load_breast_cancer_anomalies(), load_breast_cancer_anomalies(as_frame=True)
    assert list(frames.data.columns) == arrays.feature_names
    np.testing.assert_array_equal(frames.data.to_numpy(), arrays.data)
    np.testing.assert_array_equal(frames.frame["target"].to_numpy(), arrays.target)
    assert arrays.frame is None


def test_breast_cancer_return_x_y_agrees_with_bunch():
    X, y = load_breast_cancer_anomalies(return_X_y=True)
    table = load_breast_cancer_anomalies()
    np.testing.assert_array_equal(X, table.data)
    np.testing.assert_array_equal(y, table.target)


def test_breast_cancer_bad_argument_raises():
    with pytest.raises(ValueError, match="as_frame"):
        load_breast_cancer_anomalies(as_frame="yes")


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([0, 1, 0], [1, -1, 1]),
        ([False, True, False], [1, -1, 1]),
        ([0.0, 1.0, 0.0], [1, -1, 1]),
        ([0, 0, 0], [1, 1, 1]),
        ([1, -1, 1], [1, -1, 1]),
        ([1, -1, 0], [1, -1, 0]),
        ([[0], [1], [0]], [1, -1, 1]),
    ],
)
def test_npz_labels_are_converted(tmp_path, stored, expected):
    np.savez(tmp_path / "table.npz", X=np.eye(3), y=stored)
    X, y = load_npz(tmp_path / "table.npz")
    np.testing.assert_array_equal(X, np.eye(3))
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == np.int64


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "bool"])
def test_npz_keeps_the_dtype_of_the_file(tmp_path, dtype):
    np.savez_compressed(tmp_path / "table.npz", X=np.ones((3, 2), dtype), y=[0, 1, 0])
    assert load_npz(str(tmp_path / "table.npz"))[0].dtype == dtype


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"X": np.eye(3)}, "lacks the key y; it holds X"),
        ({"y": [0, 1, 0]}, "lacks the key X; it holds y"),
        ({"features": np.eye(3)}, "lacks the key X and y; it holds features"),
        ({"X": np.eye(3), "y": [0, 1]}, "2 labels and X has 3 rows"),
        ({"X": np.ones(3), "y": [0, 1, 0]}, r"shape \(3,\)"),
        ({"X": np.array([["a"], ["b"], ["c"]]), "y": [0, 1, 0]}, "table of numbers"),
        ({"X": np.eye(3), "y": [1, 1, 0]}, "holds 1 in 2 of 3 rows"),
        ({"X": np.eye(3), "y": [0, 1, 2]}, "holds the labels 0, 1, 2"),
        ({"X": np.eye(3), "y": [0, -1, 1.5]}, "holds the labels -1.0, 0.0, 1.5"),
        ({"X": np.eye(3), "y": ["n", "a", "n"]}, "holds 'a', 'n'.*pos_label"),
        ({"X": np.eye(3), "y": np.eye(3)}, "one per row"),
    ],
)
def test_npz_error_names_the_fault(tmp_path, arrays, words):
    np.savez(tmp_path / "table.npz", **arrays)
    with pytest.raises(ValueError, match=words):
        load_npz(tmp_path / "table.npz")


def test_npz_never_loads_objects(tmp_path):
    np.savez(tmp_path / "table.npz", X=np.array([[object()]]), y=[0])
    with pytest.raises(ValueError, match="never loaded"):
        load_npz(tmp_path / "table.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and then nothing", b"col_a,col_b\n1,2\n"])
def test_npz_garbage_is_named(tmp_path, content):
    (tmp_path / "table.npz").write_bytes(content)
    with pytest.raises(ValueError, match="damaged or no npz file"):
        load_npz(tmp_path / "table.npz")


def test_npz_damage_inside_is_named(tmp_path, seed):
    path = tmp_path / "table.npz"
    np.savez(path, X=np.random.default_rng(seed).standard_normal((100, 10)), y=np.arange(100) % 2)
    content = bytearray(path.read_bytes())
    content[3000:3100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"X in .* is damaged"):
        load_npz(path)


def test_npz_single_array_is_named(tmp_path):
    np.save(tmp_path / "array.npy", np.eye(3))
    (tmp_path / "array.npy").rename(tmp_path / "table.npz")
    with pytest.raises(ValueError, match="single array"):
        load_npz(tmp_path / "table.npz")


def test_npz_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz"):
        load_npz(tmp_path / "nowhere.npz")


def test_npz_reads_every_real_table(shared_data):
    for path in sorted((shared_data / "tables").glob("*.npz")):
        X, y = load_npz(path)
        assert len(X) == len(y)
        assert set(np.unique(y)) == {-1, 1}


def test_frames_are_pandas():
    X, y = load_breast_cancer_anomalies(return_X_y=True, as_frame=True)
    assert isinstance(X, pd.DataFrame)
    assert isinstance(y, pd.Series)
