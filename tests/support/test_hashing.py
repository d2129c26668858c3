import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skanomaly._support._hashing import hash_rows, mix_words, row_words


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, bool])
def test_equal_rows_have_one_hash_and_others_do_not(dtype, seed):
    table = np.random.default_rng(seed).integers(3, size=(300, 3)).astype(dtype)
    classes = np.unique(table, axis=0, return_inverse=True)[1].reshape(-1)
    found = np.unique(hash_rows(table), return_inverse=True)[1]
    assert_array_equal(classes[:, None] == classes, found[:, None] == found)


def test_the_type_of_equal_numbers_does_not_matter(seed):
    table = np.random.default_rng(seed).integers(-9, 9, size=(40, 4))
    assert_array_equal(hash_rows(table), hash_rows(table.astype(np.float32)))


def test_a_hash_does_not_depend_on_the_other_rows_or_the_layout(seed):
    table = np.random.default_rng(seed).normal(size=(9000, 3))
    whole = hash_rows(table)
    assert_array_equal(hash_rows(table[8500:8600]), whole[8500:8600])
    assert_array_equal(hash_rows(np.asfortranarray(table)), whole)


def test_zeros_of_both_signs_are_one_value_and_so_are_all_nan():
    payload = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)
    assert_array_equal(row_words(np.array([-0.0])), row_words(np.array([0.0])))
    assert_array_equal(hash_rows(payload[:, None]), hash_rows(np.array([[-np.nan]])))


def test_order_of_columns_and_seed_change_the_hash():
    table = np.array([[1.0, 2.0], [2.0, 1.0]])
    assert len(set(hash_rows(table).tolist() + hash_rows(table, 1).tolist())) == 4


def test_a_table_without_columns_or_rows_is_hashed():
    assert_array_equal(hash_rows(np.empty((2, 0)), 7), [7, 7])
    assert hash_rows(np.empty((0, 3))).shape == (0,)


def test_mixed_words_are_those_of_splitmix64():
    # The first output of SplitMix64 from the states 0 and 1234567 (Vigna's reference implementation).
    states = np.array([0, 1234567], dtype=np.uint64)
    assert mix_words(states, np.zeros(2, dtype=np.uint64)).tolist() == [16294208416658607535, 6457827717110365317]
