"""Rows that a sampler keeps are the user's own, in every container."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils import get_tags

from skanomaly._support._columns import to_pandas
from skanomaly._support._rows import take_rows
from skanomaly.base import BaseSampler
from skanomaly.robust import SampleCurator
from skanomaly.sampling import (
    ADASYN,
    SMOTE,
    SMOTEN,
    SMOTENC,
    SVMSMOTE,
    AnomalySynthesizer,
    BorderlineSMOTE,
    DiverseOutlierSampler,
    DomainSMOTE,
    EAPSampler,
    EditedNearestNeighbours,
    ExpectedAnomalyPosterior,
    KMeansSMOTE,
    MinoritySampler,
    RandomUnderSampler,
    RegressionSMOTE,
    ResampledEstimator,
    SamplerChain,
    TomekLinks,
)

SELECTORS = [
    RandomUnderSampler(random_state=0),
    TomekLinks(),
    EditedNearestNeighbours(),
    DiverseOutlierSampler(n_outliers=10, random_state=0),
    SampleCurator(cv=2, random_state=0),
    SamplerChain([RandomUnderSampler(sampling_strategy=0.5), TomekLinks()], random_state=0),
]
MAKERS = [
    SMOTE(random_state=0),
    SMOTENC(categorical_features=[0], random_state=0),
    BorderlineSMOTE(random_state=0),
    SVMSMOTE(random_state=0),
    KMeansSMOTE(random_state=0),
    ADASYN(random_state=0),
    SamplerChain(random_state=0),
    EAPSampler(quality=ExpectedAnomalyPosterior(n_subsets=5, random_state=0), random_state=0),
    MinoritySampler(random_state=0),
    RegressionSMOTE(relevance=lambda values: (values < 0).astype(float), random_state=0),
    AnomalySynthesizer(random_state=0),
    DomainSMOTE(domain_column=0, k_neighbors=1, random_state=0),
]
SPARSE = [sampler for sampler in (*SELECTORS, *MAKERS) if get_tags(sampler).input_tags.sparse]
N = 80

pytestmark = pytest.mark.filterwarnings("ignore:X holds whole numbers beyond:UserWarning")  # of the identifiers
LABELS = np.where(np.arange(N) < 60, 1, -1)


def _columns():
    random = np.random.default_rng(0)
    shift = np.where(LABELS == 1, 0.0, 1.0)
    return {
        "id": 2**53 + 1 + 2 * random.integers(0, 4, size=N),
        "count": random.integers(0, 9, size=N),
        "x": random.normal(size=N) + shift,
        "z": random.normal(size=N) + shift,
    }


def _pandas(**dtypes):
    return pd.DataFrame(_columns(), index=[f"r{row}" for row in range(N)]).astype(dtypes)


CONTAINERS = {
    "pandas": _pandas,
    "nullable": lambda: _pandas(count="Int64", x="Float64"),
    "Arrow types": lambda: _pandas(id="int64[pyarrow]", count="int8[pyarrow]", x="double[pyarrow]"),
    "objects": lambda: _pandas(count=object, x=object),
    "polars": lambda: pl.DataFrame(_columns()),
    "Arrow table": lambda: pa.table(_columns()),
    "int64 array": lambda: _pandas()[["id", "count"]].to_numpy(dtype=np.int64),
    "float32 array": lambda: _pandas()[["count", "x", "z"]].to_numpy(dtype=np.float32),
}


def _name(value):
    return type(value).__name__ if isinstance(value, BaseSampler) else value


@pytest.mark.parametrize("sampler", SELECTORS, ids=_name)
@pytest.mark.parametrize("container", CONTAINERS)
def test_selected_rows_and_their_types_are_the_given_ones(sampler, container):
    table = CONTAINERS[container]()
    sampler = clone(sampler)
    # Outliers are chosen beside two classes.
    labels = np.where(np.arange(N) < 30, 2, LABELS) if isinstance(sampler, DiverseOutlierSampler) else LABELS
    rows, targets = sampler.fit_resample(table, labels)
    assert len(rows) < N or isinstance(sampler, SampleCurator)
    assert type(rows) is type(table)
    expected = to_pandas(take_rows(table, sampler.sample_indices_))
    pd.testing.assert_frame_equal(to_pandas(rows), expected)
    np.testing.assert_array_equal(targets, labels[sampler.sample_indices_])


@pytest.mark.parametrize("sampler", MAKERS, ids=_name)
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.filterwarnings("ignore:.*(danger|cluster|rounds|Domain).*:UserWarning")
def test_kept_rows_beside_synthetic_ones_have_the_given_values(sampler, container):
    table = CONTAINERS[container]()
    sampler = clone(sampler)
    rows, _ = sampler.fit_resample(table, LABELS)
    kept = sampler.sample_indices_ >= 0
    assert not kept.all()
    assert type(rows) is type(table)
    given = to_pandas(take_rows(table, sampler.sample_indices_[kept]))
    found = to_pandas(take_rows(rows, kept))
    for place in range(given.shape[1]):
        # A column that had to become float holds the nearest floats of large integers.
        before, after = given.iloc[:, place], found.iloc[:, place]
        same = before if before.dtype == after.dtype else before.astype(after.dtype)
        np.testing.assert_array_equal(after.to_numpy(), same.to_numpy())


@pytest.mark.parametrize("sampler", SELECTORS, ids=_name)
def test_index_of_selected_rows_stays(sampler):
    frame, labels = _pandas(), pd.Series(LABELS, name="kind", index=[f"r{row}" for row in range(N)])
    sampler = clone(sampler)
    rows, targets = sampler.fit_resample(frame, labels)
    assert rows.index.equals(frame.index[sampler.sample_indices_])
    assert targets.index.equals(rows.index)
    assert targets.name == "kind"


def test_index_is_new_where_rows_are_synthetic():
    frame = _pandas()
    rows, targets = SMOTE(random_state=0).fit_resample(frame, pd.Series(LABELS, index=frame.index))
    assert rows.index.equals(pd.RangeIndex(120))
    assert targets.index.equals(pd.RangeIndex(120))


@pytest.mark.parametrize(
    ("dtype", "turned"),
    [("int64", "float64"), ("Int64", "Float64"), ("int64[pyarrow]", "double[pyarrow]"), ("Int8", "Float64")],
)
def test_column_of_integers_becomes_float_where_a_row_lies_between(dtype, turned):
    frame = _pandas(count=dtype)[["count", "x"]]
    assert str(SMOTE(random_state=0).fit_resample(frame, LABELS)[0]["count"].dtype) == turned
    frame["count"] = pd.Series(4, index=frame.index, dtype=dtype)
    assert str(SMOTE(random_state=0).fit_resample(frame, LABELS)[0]["count"].dtype) == dtype


@pytest.mark.parametrize("dtype", ["str", "string", "category", "Int64", "int8[pyarrow]", "bool", "boolean"])
@pytest.mark.parametrize("sampler", [SMOTE(random_state=0), RandomUnderSampler(random_state=0)], ids=_name)
def test_labels_keep_their_type(sampler, dtype):
    labels = pd.Series(LABELS == 1).astype(dtype) if "bool" in str(dtype) else pd.Series(LABELS).astype(dtype)
    targets = clone(sampler).fit_resample(_pandas(), labels)[1]
    assert targets.dtype == labels.dtype
    assert len(set(targets.value_counts())) == 1


@pytest.mark.parametrize("frame_of", [pd.DataFrame, pl.DataFrame, pa.table])
def test_under_sampler_takes_any_table(frame_of):
    table = frame_of(
        {
            "text": ["a", None] * 5,
            "when": [dt.date(2024, 1, day + 1) for day in range(10)],
            "x": [1.5, float("nan"), float("inf"), None, 0.0] * 2,
        }
    )
    sampler = RandomUnderSampler(random_state=0)
    rows, _ = sampler.fit_resample(table, [0] * 8 + [1] * 2)
    pd.testing.assert_frame_equal(to_pandas(rows), to_pandas(take_rows(table, sampler.sample_indices_)))
    assert sampler.n_features_in_ == 3
    assert sampler.feature_names_in_.tolist() == ["text", "when", "x"]


@pytest.mark.parametrize("X", [np.zeros((4, 2, 3)), np.zeros(4), np.zeros((0, 2)), np.zeros((4, 0))])
def test_under_sampler_needs_rows_and_columns(X):
    with pytest.raises(ValueError, match=r"dim|1D|0 sample|0 feature"):
        RandomUnderSampler().fit_resample(X, [0, 0, 0, 1])


def test_under_sampler_names_missing_labels():
    with pytest.raises(ValueError, match="y has 2 missing values"):
        RandomUnderSampler().fit_resample(np.zeros((4, 1)), pd.Series(["a", None, pd.NA, "b"], dtype="string"))


def test_chain_hands_mixed_frames_on():
    frame = _pandas().assign(kind=np.where(LABELS == 1, "a", "b"))[["x", "kind"]]
    chain = SamplerChain([SMOTENC(random_state=0), RandomUnderSampler()], random_state=0)
    rows, _ = chain.fit_resample(frame, LABELS)
    kept = chain.sample_indices_ >= 0
    pd.testing.assert_frame_equal(
        rows[kept].reset_index(drop=True), frame.iloc[chain.sample_indices_[kept]].reset_index(drop=True)
    )


def test_resampled_estimator_may_encode_after_under_sampling():
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = _pandas().assign(kind=np.where(LABELS == 1, "a", "b"))
    pipeline = make_pipeline(make_column_transformer((OneHotEncoder(), ["kind"])), LogisticRegression())
    model = ResampledEstimator(RandomUnderSampler(random_state=0), pipeline).fit(frame, LABELS)
    np.testing.assert_array_equal(model.predict(frame), LABELS)


@pytest.mark.parametrize(
    "sampler", [one for one in (*SELECTORS, *MAKERS) if get_tags(one).input_tags.sparse], ids=_name
)
@pytest.mark.filterwarnings("ignore:.*(danger|cluster).*:UserWarning")
def test_frame_of_sparse_columns_comes_back_as_one(sampler):
    frame = _pandas()[["x", "z"]].where(_pandas()["count"] > 2, 0.0).astype(pd.SparseDtype(float, 0.0))
    sampler = clone(sampler)
    rows, _ = sampler.fit_resample(frame, LABELS)
    assert rows.dtypes.equals(frame.dtypes)
    kept = sampler.sample_indices_ >= 0
    np.testing.assert_array_equal(rows[kept].to_numpy(), frame.to_numpy()[sampler.sample_indices_[kept]])


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.coo_array, sparse.lil_array])
@pytest.mark.parametrize("sampler", [SMOTE(random_state=0), RandomUnderSampler(random_state=0)], ids=_name)
def test_sparse_rows_keep_class_and_kept_values(make, sampler):
    table = make(_pandas()[["id", "count"]].to_numpy())
    sampler = clone(sampler)
    rows, _ = sampler.fit_resample(table, LABELS)
    assert type(rows) is type(table)
    kept = np.flatnonzero(sampler.sample_indices_ >= 0)
    expected = table.tocsr()[sampler.sample_indices_[kept]].toarray()
    np.testing.assert_array_equal(rows.tocsr()[kept].toarray(), expected.astype(rows.dtype))


def test_categories_and_texts_are_kept_by_smoten():
    frame = pd.DataFrame({"a": np.where(LABELS == 1, "x", "y"), "b": pd.Categorical(["p", "q"] * 40)})
    rows, _ = SMOTEN(random_state=0).fit_resample(frame, LABELS)
    assert rows.dtypes.equals(frame.dtypes)
    pd.testing.assert_frame_equal(rows[:N], frame)


class Dense(BaseSampler):
    def _fit_resample(self, X, y):
        assert isinstance(X, np.ndarray)
        return X, y, np.arange(len(y))


class Short(BaseSampler):
    def _fit_resample(self, X, y):
        return X, y, np.arange(len(y) - 1)


def test_sampler_that_says_nothing_of_sparse_rows_does_not_receive_them():
    with pytest.raises(TypeError, match=r"[Ss]parse data was passed"):
        Dense().fit_resample(sparse.eye_array(4).tocsr(), [0, 0, 1, 1])


def test_wrong_number_of_indices_is_named():
    with pytest.raises(ValueError, match=r"Short\._fit_resample returned 4 rows and 3 sample_indices"):
        Short().fit_resample(np.eye(4), [0, 0, 1, 1])
