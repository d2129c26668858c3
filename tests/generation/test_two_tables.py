"""Two tables are joined by the names of their columns, not by position."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skanomaly.generation import evaluate_samples, interpolation_score

TURNED = ["c", "b", "a"]


def _frames(seed):
    random = np.random.default_rng(seed)
    return [pd.DataFrame(random.normal(size=(80, 3)) * [1, 10, 100], columns=list("abc")) for _ in range(3)]


@pytest.mark.parametrize("convert", [lambda frame: frame, pl.from_pandas], ids=["pandas", "polars"])
def test_columns_in_another_order_give_the_same_evaluation(convert, seed):
    drawn, train, real = _frames(seed)
    options = {"n_permutations": 20, "random_state": 0}
    expected = evaluate_samples({"drawn": drawn}, train, real, **options)
    found = evaluate_samples({"drawn": convert(drawn[TURNED])}, train, convert(real[TURNED]), **options)
    pd.testing.assert_frame_equal(found, expected)


def test_columns_in_another_order_give_the_same_interpolation_score(seed):
    drawn, real, _ = _frames(seed)
    np.testing.assert_array_equal(interpolation_score(drawn[TURNED], real), interpolation_score(drawn, real))


def test_tables_without_the_columns_raise(seed):
    drawn, train, real = _frames(seed)
    other = drawn.rename(columns={"a": "q"})
    with pytest.raises(ValueError, match="X lacks column 'a' of X_real; its columns are 'q', 'b', 'c'"):
        interpolation_score(other, real)
    with pytest.raises(ValueError, match=r"generated\['drawn'\] lacks column 'a' of X"):
        evaluate_samples({"drawn": other}, train, real)
    with pytest.raises(ValueError, match="X_real lacks column 'a' of X"):
        evaluate_samples({"drawn": drawn}, train, other)
