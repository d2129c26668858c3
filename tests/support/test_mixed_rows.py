"""Tables of numbers and categories are validated once, for all classes that read both."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

from skanomaly._support._mixed_rows import category_columns, check_mixed
from skanomaly._support._tables import TableReader

MIXED = pd.DataFrame({"size": [1.0, np.nan, 3.0], "shop": ["a", None, "b"]})


def test_categories_are_codes_and_missing_values_are_nan():
    estimator = BaseEstimator()
    rows = check_mixed(estimator, MIXED, reset=True, plain_numbers=True)
    assert_array_equal(rows, [[1, 0], [np.nan, np.nan], [3, 1]])
    assert_array_equal(category_columns(estimator), [False, True])
    later = pd.DataFrame({"size": [2], "shop": ["new"]})
    assert_array_equal(check_mixed(estimator, later, reset=False, plain_numbers=True), [[2, 2]])


@pytest.mark.parametrize(
    "convert", [lambda frame: frame.to_numpy(dtype=object), lambda frame: frame.astype(object).to_numpy().tolist()]
)
def test_arrays_and_lists_of_objects_are_read_as_frames_are(convert):
    estimator = BaseEstimator()
    assert_array_equal(
        check_mixed(estimator, convert(MIXED), reset=True, plain_numbers=True), [[1, 0], [np.nan, np.nan], [3, 1]]
    )
    assert_array_equal(category_columns(estimator), [False, True])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_keep_their_precision_and_their_missing_values(dtype):
    X = np.array([[1.5, np.nan], [2.5, 3.5]], dtype=dtype)
    rows = check_mixed(BaseEstimator(), X, reset=True, plain_numbers=True)
    assert rows.dtype == dtype
    assert_array_equal(rows, X)


def test_other_column_names_raise():
    estimator = BaseEstimator()
    check_mixed(estimator, MIXED, reset=True, plain_numbers=True)
    assert estimator.feature_names_in_.tolist() == ["size", "shop"]
    with pytest.raises(ValueError, match="feature names"):
        check_mixed(estimator, MIXED[["shop", "size"]], reset=False, plain_numbers=True)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_raises_in_mixed_tables(value):
    with pytest.raises(ValueError, match="infinity"):
        check_mixed(BaseEstimator(), MIXED.assign(size=value), reset=True, plain_numbers=True)


def test_dates_raise_with_the_remedy():
    with pytest.raises(ValueError, match="seconds since"):
        check_mixed(BaseEstimator(), MIXED.assign(day=pd.date_range("2024", periods=3)), reset=True, plain_numbers=True)


def test_too_few_rows_raise():
    with pytest.raises(ValueError, match="minimum of 2"):
        check_mixed(BaseEstimator(), MIXED[:1], reset=True, min_samples=2, plain_numbers=True)


def test_text_in_a_column_of_numbers_raises_later():
    estimator = BaseEstimator()
    check_mixed(estimator, MIXED[["size"]], reset=True, plain_numbers=True)
    with pytest.raises(ValueError, match="Not numbers"):
        check_mixed(estimator, pd.DataFrame({"size": ["a", "b"]}), reset=False, plain_numbers=True)


def test_a_pickled_reader_reads_alike():
    reader = TableReader().fit(MIXED)
    assert_array_equal(pickle.loads(pickle.dumps(reader)).read(MIXED), reader.read(MIXED))  # noqa: S301  # our own
