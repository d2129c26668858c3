"""Rows reach the inner estimator as they are: text, missing values, sparse rows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.svm import LinearSVC

from skanomaly.robust import (
    ImbalancedRegressor,
    MaskedEstimator,
    SampleCurator,
    TrainingDynamics,
    ZErrorClassifier,
    ZErrorRegressor,
)

N = 160


def _mixed():
    random = np.random.default_rng(0)
    kind = random.choice(["a", "b", "c"], N)
    amount = random.normal(size=N) + 4 * (kind == "a")
    return pd.DataFrame({"amount": amount, "kind": kind}, index=[f"r{i}" for i in range(N)]), (kind == "a").astype(int)


def _encoding(encoder, last):
    return make_pipeline(make_column_transformer((encoder, ["kind"]), remainder="passthrough"), last)


ENCODED = {
    "one-hot": _encoding(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()),
    "ordinal": _encoding(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), HistGradientBoostingClassifier(max_iter=5)
    ),
    "regression": _encoding(OneHotEncoder(handle_unknown="ignore"), Ridge()),
}


@pytest.mark.parametrize("container", ["pandas", "polars"])
@pytest.mark.parametrize("pipeline", ENCODED.values(), ids=ENCODED)
def test_mixed_frames_are_masked_and_curated(pipeline, container):
    frame, labels = _mixed()
    table = frame if container == "pandas" else pl.DataFrame({name: frame[name].tolist() for name in frame})
    model = MaskedEstimator(pipeline, cv=2, random_state=0).fit(table, labels)
    assert model.predict(table).shape == model.score_samples(table, labels).shape == (N,)
    curator = SampleCurator(MaskedEstimator(pipeline, cv=2), cv=2, random_state=0)
    kept, targets = curator.fit_resample(table, labels)
    assert type(kept) is type(table)
    assert len(kept) == len(targets) == curator.sample_indices_.size
    if container == "pandas":
        pd.testing.assert_frame_equal(kept, frame.iloc[curator.sample_indices_])


def test_dates_pass_to_a_pipeline_that_drops_them():
    frame, labels = _mixed()
    frame["when"] = pd.date_range("2024", periods=N)
    pipeline = make_pipeline(make_column_transformer(("passthrough", ["amount"])), LogisticRegression())
    kept, _ = SampleCurator(MaskedEstimator(pipeline, cv=2), cv=2, random_state=0).fit_resample(frame, labels)
    assert kept["when"].dtype == frame["when"].dtype


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(SimpleImputer(), LogisticRegression()),
        HistGradientBoostingClassifier(max_iter=5),
        make_pipeline(SimpleImputer(strategy="median"), Ridge()),
        HistGradientBoostingRegressor(max_iter=5),
    ],
)
@pytest.mark.parametrize("frame", [True, False])
def test_missing_values_pass_to_an_estimator_that_takes_them(estimator, frame):
    X = np.random.default_rng(0).normal(size=(N, 3))
    y = (X[:, 1] > 0).astype(int)
    X[::7, 0] = np.nan
    X = pd.DataFrame(X, columns=["a", "b", "c"]) if frame else X
    model = MaskedEstimator(estimator, cv=2, max_iter=3, random_state=0).fit(X, y)
    assert np.isfinite(model.score_samples(X, y)).all()
    kept, _ = SampleCurator(MaskedEstimator(estimator, cv=2, max_iter=3), cv=2, random_state=0).fit_resample(X, y)
    assert np.isnan(np.asarray(kept)).any()


def test_missing_values_raise_where_the_estimator_does_not_take_them():
    X = np.full((N, 2), np.nan)
    with pytest.raises(ValueError, match="NaN"):
        SampleCurator(MaskedEstimator(LogisticRegression()), random_state=0).fit(X, np.arange(N) % 2)


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
@pytest.mark.parametrize("estimator", [LogisticRegression(), MultinomialNB(), LinearSVC(), SGDClassifier()])
def test_sparse_text_is_masked_and_curated(make, estimator):
    random = np.random.default_rng(0)
    y = np.arange(N) % 2
    words = np.array([["sun", "sea", "sand"], ["tax", "law", "bill"]])
    X = make(TfidfVectorizer().fit_transform([" ".join(random.choice(words[label], 4)) for label in y]))
    given = y.copy()
    given[:8] = 1 - y[:8]
    model = MaskedEstimator(estimator, random_state=0).fit(X, given)
    assert model.inlier_mask_[8:].all()
    assert model.inlier_mask_[:8].mean() < 0.5
    kept, _ = SampleCurator(MaskedEstimator(estimator), random_state=0).fit_resample(X, given)
    assert type(kept) is type(X)


def test_sparse_rows_raise_where_the_estimator_does_not_take_them():
    X = sparse.csr_array(np.eye(20))
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        SampleCurator(random_state=0).fit(X, np.arange(20) % 2)


def test_other_columns_than_in_fit_raise():
    frame, labels = _mixed()
    model = MaskedEstimator(ENCODED["one-hot"], cv=2).fit(frame, labels)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"kind": "sort"}))
    with pytest.raises(ValueError, match="MaskedEstimator is expecting 2 features"):
        MaskedEstimator(Ridge(), cv=None).fit([[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0]).predict([[1.0]])


def test_lengths_that_differ_raise():
    frame, labels = _mixed()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        MaskedEstimator(ENCODED["one-hot"]).fit(frame, labels[:-1])


MISSING = {
    "string": lambda y, gone: pd.Series(np.where(y == 1, "a", "b"), dtype="string").mask(gone),
    "object": lambda y, gone: pd.Series(np.where(y == 1, "a", "b"), dtype=object).mask(gone),
    "list": lambda y, gone: [None if lost else int(label) for label, lost in zip(y, gone, strict=True)],
    "float": lambda y, gone: np.where(gone, np.nan, y),
    "Int64": lambda y, gone: pd.Series(y, dtype="Int64").mask(gone),
    "category": lambda y, gone: pd.Series(y).astype("category").mask(gone),
    "polars": lambda y, gone: pl.Series([None if lost else int(label) for label, lost in zip(y, gone, strict=True)]),
}


@pytest.mark.parametrize("kind", MISSING)
@pytest.mark.parametrize(
    "estimator",
    [
        MaskedEstimator(LogisticRegression()),
        MaskedEstimator(Ridge()),
        SampleCurator(),
        SampleCurator(MaskedEstimator(LogisticRegression())),
        ZErrorClassifier(),
        ZErrorRegressor(),
        ImbalancedRegressor(),
        TrainingDynamics(),
    ],
    ids=repr,
)
def test_missing_labels_raise_with_their_number_and_the_remedy(estimator, kind):
    y, gone = np.arange(40) % 2, np.arange(40) < 2
    with pytest.raises(ValueError, match=r"y has 2 missing values\. Drop those rows\."):
        estimator.fit(np.random.default_rng(0).normal(size=(40, 2)), MISSING[kind](y, gone))


def test_infinite_targets_raise():
    with pytest.raises(ValueError, match="Input y contains infinity"):
        MaskedEstimator(Ridge()).fit(np.arange(10.0)[:, None], np.r_[np.inf, np.arange(9.0)])


def test_row_labels_of_kept_rows_are_the_given_ones():
    frame, labels = _mixed()
    labels[:8] = 1 - labels[:8]
    curator = SampleCurator(MaskedEstimator(ENCODED["one-hot"]), random_state=0)
    kept, targets = curator.fit_resample(frame, pd.Series(labels, index=frame.index))
    assert len(kept) < N
    assert_array_equal(kept.index, frame.index[curator.sample_indices_])
    assert_array_equal(targets.index, kept.index)
