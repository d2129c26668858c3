import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import DataConversionWarning

from skanomaly._support._labels import native_labels, read_labels

TRUTH = np.array([1, 1, -1, 1, 1, -1, 1, 1], dtype=np.int8)
ANOMALY = TRUTH == -1
WITH_MISSING = np.array([1, 0, -1, 1, 1, -1, 1, 1], dtype=np.int8)
ONES = ANOMALY.astype(int).tolist()
BOOLEANS = ANOMALY.tolist()
ONE_MISSING = [BOOLEANS[0], None, *BOOLEANS[2:]]

COMPLETE = {
    "native": TRUTH,
    "native list": TRUTH.tolist(),
    "native float": TRUTH.astype(float),
    "0/1": np.array(ONES),
    "0/1 list": ONES,
    "0/1 uint8": np.array(ONES, dtype=np.uint8),
    "0/1 float32": np.array(ONES, dtype=np.float32),
    "0/1 object": np.array(ONES, dtype=object),
    "bool": ANOMALY,
    "bool list": BOOLEANS,
    "bool object": np.array(BOOLEANS, dtype=object),
    "NumPy bool object": np.array(list(ANOMALY), dtype=object),
    "pandas": pd.Series(ONES, index=range(8, 0, -1)),
    "pandas Int64": pd.Series(ONES, dtype="Int64"),
    "pandas boolean": pd.Series(BOOLEANS, dtype="boolean"),
    "pandas boolean array": pd.array(BOOLEANS, dtype="boolean"),
    "pandas object": pd.Series(BOOLEANS, dtype=object),
    "pandas category": pd.Series(ONES, dtype="category"),
    "pandas Arrow": pd.Series(BOOLEANS, dtype=pd.ArrowDtype(pa.bool_())),
    "pandas Arrow int": pd.Series(ONES, dtype=pd.ArrowDtype(pa.int64())),
    "Arrow": pa.array(BOOLEANS),
    "polars": pl.Series(BOOLEANS),
}
MISSING = {
    "None": ONE_MISSING,
    "NaN": [float(ONES[0]), np.nan, *ONES[2:]],
    "NA": [BOOLEANS[0], pd.NA, *BOOLEANS[2:]],
    "pandas boolean": pd.Series(ONE_MISSING, dtype="boolean"),
    "pandas Int64": pd.Series(ONE_MISSING, dtype="boolean").astype("Int64"),
    "pandas Arrow": pd.Series(ONE_MISSING, dtype=pd.ArrowDtype(pa.bool_())),
    "Arrow": pa.array(ONE_MISSING),
    "polars": pl.Series(ONE_MISSING),
    "native": np.where(np.arange(8) == 1, np.nan, TRUTH),
}


@pytest.mark.parametrize("y", COMPLETE.values(), ids=COMPLETE)
def test_read_labels_agree_whatever_the_type(y):
    labels = read_labels(y, 8)
    assert labels.dtype == np.int8
    assert_array_equal(labels, TRUTH)


@pytest.mark.parametrize("y", MISSING.values(), ids=MISSING)
def test_read_labels_take_missing_for_unlabelled(y):
    assert_array_equal(read_labels(y), WITH_MISSING)


@pytest.mark.parametrize("zero", ["normal", "unlabelled"])
def test_read_labels_give_zero_the_meaning_asked_for(zero):
    assert_array_equal(read_labels(ONES, zero=zero), np.where(ANOMALY, -1, 1 if zero == "normal" else 0))


@pytest.mark.parametrize("y", [[-1, 0, 1], [-1, 0, 0], [-1, -1], [1, 1, 1]])
def test_read_labels_keep_native_labels(y):
    assert_array_equal(read_labels(y, zero="normal"), y)


@pytest.mark.parametrize("y", [[0, 0, 0], [False] * 3, np.zeros(3)])
def test_read_labels_take_zero_alone_for_no_anomaly(y):
    assert_array_equal(read_labels(y), 1)


def test_read_labels_of_none_are_unlabelled():
    assert_array_equal(read_labels(None, 3), 0)


@pytest.mark.parametrize(
    ("y", "pos_label"),
    [
        (np.where(ANOMALY, "fraud", "ok"), "fraud"),
        (np.where(ANOMALY, "fraud", "ok").tolist(), "fraud"),
        (pd.Series(np.where(ANOMALY, "fraud", "ok")), "fraud"),
        (pd.Series(np.where(ANOMALY, "fraud", "ok"), dtype="category"), "fraud"),
        (pd.Series(np.where(ANOMALY, "fraud", "ok"), dtype="string"), "fraud"),
        (pl.Series(np.where(ANOMALY, "fraud", "ok")), "fraud"),
        (np.where(ANOMALY, 0, 1), 0),
        (~ANOMALY, False),
        (TRUTH, -1),
        (-TRUTH, 1),
        (np.where(ANOMALY, 7, np.arange(8) % 3), 7),
    ],
)
def test_pos_label_is_the_anomaly_and_all_others_are_normal(y, pos_label):
    assert_array_equal(read_labels(y, pos_label=pos_label), TRUTH)


def test_missing_labels_are_unlabelled_beside_pos_label():
    assert_array_equal(read_labels(["ok", None, "fraud", np.nan, "ok"], pos_label="fraud"), [1, 0, -1, 0, 1])


def test_pos_label_may_be_that_of_the_majority():
    assert_array_equal(read_labels([1, 1, 0], pos_label=1), [-1, -1, 1])


@pytest.mark.parametrize(
    ("y", "arguments", "words"),
    [
        (["ok", "bad"], {"pos_label": "fraud"}, "pos_label='fraud' does not occur in y, which holds 'bad', 'ok'"),
        ([0, 1], {"pos_label": "fraud"}, "does not occur in y, which holds 0, 1"),
        (["ok", "bad", "ok"], {}, r"'bad', 'ok'.*pos_label.*np\.where\(y == 'bad', -1, 1\)"),
        (["0", "1"], {}, "'0', '1'"),
        ([0, 1, 1], {}, r"y holds 1 in 2 of 3 rows.*np\.where\(y == 1, 1, -1\).*pos_label=1"),
        ([True, True], {}, r"y holds True in 2 of 2 rows.*np\.where\(y == True, 1, -1\)"),
        ([0, 1, 2], {}, "y holds the labels 0, 1, 2"),
        ([-1, 2], {}, "y holds the labels -1, 2"),
        ([0.0, 0.5], {}, "y holds the labels 0.0, 0.5"),
        ([1.0, np.inf], {}, "y holds the labels 1.0, inf"),
        ([-1, 1], {"n_samples": 3}, "y has 2 labels and X has 3 rows"),
        ([[1, -1], [1, 1]], {}, r"shape \(2, 2\)"),
        (1, {}, r"shape \(\)"),
        (None, {}, "y is None"),
        ([1, 2], {"name": "y_true"}, "y_true holds"),
        ([-1, 2], {"lenient": True}, "y holds the labels -1, 2"),
        ([0.5, 1.0], {"lenient": True}, "y holds the labels 0.5, 1.0"),
        (["ok", "bad", "ok"], {"lenient": True}, r"y holds 'bad', 'ok'.*np\.where\(y == 'bad', -1, 1\)"),
    ],
)
def test_labels_that_cannot_be_read_are_refused(y, arguments, words):
    with pytest.raises(ValueError, match=words):
        read_labels(y, **arguments)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([0, 1, 1], "y holds 1 in 2 of 3 rows.*Every row counts as unlabelled"),
        ([True, True, False], "y holds True in 2 of 3 rows"),
        ([0, 1, 2], "y holds 0, 1, 2: class labels"),
        ([3, 3, 3], "y holds 3: class labels"),
    ],
)
def test_lenient_reading_ignores_class_labels_with_one_warning(y, words):
    with pytest.warns(UserWarning, match=words) as caught:
        labels = read_labels(y, lenient=True)
    assert_array_equal(labels, 0)
    assert len(caught) == 1


@pytest.mark.parametrize("y", [ONES, BOOLEANS])
def test_lenient_reading_announces_that_one_is_the_anomaly(y):
    with pytest.warns(UserWarning, match="as unlabelled") as caught:
        labels = read_labels(y, zero="unlabelled", lenient=True)
    assert_array_equal(labels, -ANOMALY.astype(int))
    assert len(caught) == 1


@pytest.mark.parametrize("y", [TRUTH, np.zeros(3), np.ones(3), [-1, 0], [False, False]])
def test_lenient_reading_is_silent_where_nothing_is_in_doubt(y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_labels(y, lenient=True)


def test_a_column_of_labels_is_read_with_a_warning():
    with pytest.warns(DataConversionWarning, match="column-vector"):
        labels = read_labels(TRUTH[:, None])
    assert_array_equal(labels, TRUTH)


@pytest.mark.parametrize("labels", [[1, 0, 0, 1], [1, 1], [0, 0], [-1, 0], [-1, 1, 0], [-1, -1]])
@pytest.mark.parametrize("zero", ["normal", "unlabelled"])
def test_native_labels_are_read_as_they_were(labels, zero):
    labels = np.array(labels, dtype=np.int8)
    assert_array_equal(read_labels(native_labels(labels), zero=zero, lenient=True), labels)
