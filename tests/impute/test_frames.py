import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal, assert_series_equal

from skanomaly.impute import KNNSamplerImputer, LeaveOneOutNeighbors


def _mixed(seed, n_rows=120):
    random = np.random.default_rng(seed)
    size = random.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "size": size,
            "count": pd.array(random.poisson(3, n_rows), dtype="Int64"),
            "kind": pd.Categorical(np.where(size > 0, "large", "small"), categories=["small", "large", "none"]),
            "name": pd.Series(random.choice(["a", "b", "c"], n_rows), dtype="str"),
            "flag": pd.array(size > 1, dtype="boolean"),
            "mixed": pd.Series(list(np.where(random.random(n_rows) < 0.5, "x", "y")), dtype=object),
        }
    ).set_axis(np.arange(n_rows) + 1000)
    for column in frame.columns:
        frame.loc[random.random(n_rows) < 0.15, column] = pd.NA if column in {"count", "flag"} else None
    return frame


def _imputer(**parameters):
    return KNNSamplerImputer(**{"random_state": 0, **parameters})


@pytest.mark.parametrize("donors", ["joint", "separate"])
@pytest.mark.parametrize("n_rounds", [0, 1])
@pytest.mark.parametrize("n_neighbors", [3, None, LeaveOneOutNeighbors(loss="mse")])
def test_mixed_frame_keeps_its_types(donors, n_rounds, n_neighbors, seed):
    frame = _mixed(seed)
    imputed = _imputer(donors=donors, n_rounds=n_rounds, n_neighbors=n_neighbors).fit_transform(frame)
    assert not imputed.isna().any().any()
    assert_series_equal(imputed.dtypes, frame.dtypes)
    for name, column in frame.items():
        present = column.notna()
        assert_series_equal(imputed.loc[present, name], column[present])
        assert imputed[name].isin(column[present]).all()


def test_category_is_imputed_from_its_neighbors(seed):
    frame = _mixed(seed, n_rows=400)[["size", "kind"]].dropna(subset="size")
    far = frame["kind"].isna() & (frame["size"].abs() > 0.5)
    imputed = _imputer(n_neighbors=3).fit_transform(frame)
    assert_array_equal(imputed.loc[far, "kind"] == "large", frame.loc[far, "size"] > 0)


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_average_of_categories_is_the_most_frequent(strategy):
    frame = pd.DataFrame({"x": [0.0] * 6, "kind": ["b", "a", "a", "b", "a", None]})
    assert _imputer(n_neighbors=5, strategy=strategy).fit_transform(frame)["kind"].iloc[-1] == "a"


def test_mean_of_integers_may_be_no_integer():
    frame = pd.DataFrame({"n": pd.array([1, 2, None], dtype="Int64"), "kind": ["a", "a", "a"]})
    assert _imputer(n_neighbors=2, strategy="mean").fit_transform(frame)["n"].tolist() == [1.0, 2.0, 1.5]


def test_two_categories_have_the_distances_of_zero_and_one(seed):
    random = np.random.default_rng(seed)
    numbers = pd.DataFrame({"x": random.normal(size=80), "flag": random.integers(0, 2, 80).astype(float), "y": 0.0})
    numbers["y"] = random.normal(size=80)
    numbers.loc[:30, "y"] = np.nan
    named = numbers.assign(flag=np.where(numbers["flag"] > 0, "yes", "no"))
    first, second = (_imputer(n_neighbors=4, strategy="mean").fit_transform(table) for table in (numbers, named))
    np.testing.assert_allclose(np.asarray(first)[:, 2], second["y"], rtol=1e-9)


def test_unseen_category_is_kept_and_differs_from_all():
    frame = pd.DataFrame({"x": [0.0, 0.0, 1.0], "kind": ["a", "b", "b"], "y": [1.0, 2.0, 3.0]})
    query = pd.DataFrame({"x": [0.0, 1.0], "kind": ["z", "b"], "y": [np.nan, np.nan]})
    imputed = _imputer(n_neighbors=1).fit(frame).transform(query)
    assert imputed["kind"].tolist() == ["z", "b"]
    assert imputed["y"].iloc[1] == 3.0


def test_imputed_category_is_added_to_the_type():
    frame = pd.DataFrame({"x": [0.0, 1.0], "kind": pd.Categorical(["a", "b"])})
    query = pd.DataFrame({"x": [1.0], "kind": pd.Categorical([None], categories=["a"])})
    assert _imputer(n_neighbors=1).fit(frame).transform(query)["kind"].tolist() == ["b"]


@pytest.mark.parametrize("keep_empty_features", [False, True])
def test_empty_column_of_a_frame_is_dropped_or_zero(keep_empty_features):
    frame = pd.DataFrame({"kind": ["a", None, "b"], "none": [None, None, None], "x": [1.0, 2.0, np.nan]})
    imputer = _imputer(keep_empty_features=keep_empty_features, add_indicator=True)
    imputed = imputer.fit_transform(frame)
    assert_array_equal(imputed.columns, imputer.get_feature_names_out())
    assert ("none" in imputed) is keep_empty_features
    assert not imputed.isna().any().any()


def test_samples_and_frame_output_are_equal(seed):
    frame = _mixed(seed)
    imputer = _imputer(add_indicator=True).set_output(transform="pandas").fit(frame)
    assert_frame_equal(imputer.sample(frame, 2)[0], imputer.transform(frame))
    numeric = frame[["size"]].assign(other=1.0)
    assert isinstance(_imputer().fit(numeric).sample(numeric, 1)[0], pd.DataFrame)
    assert isinstance(_imputer().fit_transform(numeric), np.ndarray)


def test_interval_of_a_category_is_nan(seed):
    frame = _mixed(seed)
    interval = _imputer().fit(frame).predict_interval(frame)
    numeric = np.array([True, True, False, False, True, False])
    assert_array_equal(np.isnan(interval.lower).all(axis=0), ~numeric)
    assert (interval.lower[:, numeric] <= interval.upper[:, numeric]).all()


def test_frame_of_numbers_equals_its_values(seed):
    frame = _mixed(seed)[["size", "count"]].astype({"count": "Float64"})
    values = frame.astype(float).to_numpy(dtype=float)
    assert_array_equal(_imputer().fit_transform(frame), _imputer().fit_transform(values))


def _polars(frame):
    return pl.DataFrame({name: [None if pd.isna(v) else v for v in column] for name, column in frame.items()})


def test_polars_frame_keeps_its_types(seed):
    table = _polars(_mixed(seed)).with_columns(pl.col("kind").cast(pl.Categorical), pl.col("size").cast(pl.Float32))
    imputed = _imputer().fit_transform(table)
    assert imputed.schema == table.schema
    assert imputed.null_count().to_numpy().sum() == 0


def test_polars_frame_is_imputed_like_the_pandas_frame(seed):
    frame = _mixed(seed)[["size", "name", "flag"]]
    table = _polars(frame)
    expected, imputed = _imputer().fit_transform(frame), _imputer().fit_transform(table)
    assert [imputed[name].to_list() for name in imputed.columns] == [expected[name].tolist() for name in expected]


def test_first_sample_of_a_polars_frame_equals_the_result_of_transform(seed):
    table = _polars(_mixed(seed))
    imputer = _imputer(add_indicator=True).fit(table)
    assert imputer.sample(table, 2)[0].equals(imputer.transform(table))


def test_polars_frame_of_numbers_equals_its_values(seed):
    values = _mixed(seed)[["size", "count"]].astype(float).to_numpy(dtype=float)
    frame = pl.DataFrame(values, schema=["size", "count"], nan_to_null=True)
    imputer = _imputer().set_output(transform="polars")
    assert_array_equal(imputer.fit_transform(frame).to_numpy(), _imputer().fit_transform(values))


def test_frame_with_other_columns_raises(seed):
    frame = _mixed(seed)
    use = KNNSamplerImputer().fit(frame).transform
    with pytest.raises(ValueError, match="feature names"):
        use(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match="fitted on a frame with categories"):
        use(frame[["size", "count"]].to_numpy(dtype=float, na_value=np.nan))
    with pytest.raises(ValueError, match="0 sample"):
        use(frame.iloc[:0])


def test_infinity_in_a_mixed_frame_raises(seed):
    frame = _mixed(seed)
    frame.iloc[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity: column 'size'"):
        _imputer().fit(frame)


def test_dates_in_a_mixed_frame_raise(seed):
    frame = _mixed(seed).assign(when=pd.Timestamp("2026-01-01"))
    with pytest.raises(ValueError, match="Dates or durations: column 'when'"):
        _imputer().fit(frame)


def test_column_that_was_empty_in_fit_may_hold_anything_later(seed):
    frame = _mixed(seed).assign(campaign=pd.Series(dtype=object), note=np.nan)
    imputer = _imputer().fit(frame)
    later = frame.assign(campaign="X24", note="new")
    assert_frame_equal(imputer.transform(later), imputer.transform(frame))


def test_arrow_table_is_imputed_like_the_pandas_frame(seed):
    frame = _mixed(seed)[["size", "count", "name"]].reset_index(drop=True)
    table = pa.Table.from_pandas(frame)
    imputed = _imputer(add_indicator=True).fit_transform(table)
    assert imputed.schema.types[:3] == table.schema.types
    expected = _imputer(add_indicator=True).fit_transform(frame)
    assert imputed.to_pydict() == pa.Table.from_pandas(expected).to_pydict()
