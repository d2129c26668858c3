"""Exact contributions of columns that are encoded to several."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth
from skanomaly.inspection import feature_contributions

DETECTORS = [GaussianDetector(), NearestNeighborsDetector(), RandomProjectionDepth(n_projections=64, random_state=0)]
WORDS, NUMBERS = ["site", "kind"], ["heat", "load", "holes"]

# Steps before the detector, and the column that each column after them comes from.
STEPS = {
    "one-hot": (OneHotEncoder(sparse_output=False), WORDS, [3, 2]),
    "one-hot, first dropped": (OneHotEncoder(sparse_output=False, drop="first"), WORDS, [2, 1]),
    "one-hot, of binary dropped": (OneHotEncoder(sparse_output=False, drop="if_binary"), WORDS, [3, 1]),
    "one-hot, rare together": (OneHotEncoder(sparse_output=False, max_categories=2), WORDS, [2, 2]),
    "one-hot, rare and dropped": (OneHotEncoder(sparse_output=False, max_categories=2, drop="first"), WORDS, [1, 1]),
    "ordinal": (OrdinalEncoder(), WORDS, [1, 1]),
    "target": (TargetEncoder(), WORDS, [1, 1]),
    "bins": (KBinsDiscretizer(4, encode="onehot-dense", strategy="uniform"), NUMBERS[:2], [4, 4]),
    "bins in order": (
        KBinsDiscretizer(4, encode="ordinal", strategy="uniform"),
        NUMBERS[:2],
        [1, 1],
    ),
    "binary": (Binarizer(threshold=1.0), NUMBERS[:2], [1, 1]),
    "splines": (SplineTransformer(n_knots=4), NUMBERS[:2], [6, 6]),
    "splines without bias": (SplineTransformer(n_knots=4, include_bias=False), NUMBERS[:2], [5, 5]),
    "polynomial": (PolynomialFeatures(1, include_bias=False), NUMBERS[:2], [1, 1]),
    "indicator of one": (make_pipeline(MissingIndicator()), NUMBERS, [0, 0, 1]),
    "indicator of all": (MissingIndicator(features="all"), NUMBERS, [1, 1, 1]),
    "imputed with indicator": (SimpleImputer(add_indicator=True), NUMBERS, None),
}


def _frame(seed, n_rows=120):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "site": np.array(["north", "south", "west"])[np.arange(n_rows) % 3],
            "heat": rng.normal(size=n_rows),
            "kind": np.where(rng.random(n_rows) < 0.3, "new", "old"),
            "load": rng.lognormal(size=n_rows),
            "holes": np.where(rng.random(n_rows) < 0.2, np.nan, rng.normal(size=n_rows)),
        }
    )
    return frame, rng.random(n_rows)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: type(detector).__name__)
def test_contributions_of_encoded_columns_are_sums_over_what_they_became(seed, name, detector):
    frame, target = _frame(seed)
    step, columns, counts = STEPS[name]
    others = [column for column in ("heat", "load") if column not in columns]
    pipeline = make_pipeline(make_column_transformer((step, columns), (StandardScaler(), others)), detector)
    pipeline[:-1].fit(frame, target)
    pipeline[-1].fit(pipeline[:-1].transform(frame))
    rows = frame.iloc[:20]
    parts = feature_contributions(pipeline, rows)
    assert parts.shape == rows.shape
    assert_allclose(parts.sum(axis=1), pipeline.score_samples(rows), rtol=1e-9, atol=1e-12)
    if counts is not None:
        encoded = pipeline[-1].feature_contributions(pipeline[:-1].transform(rows))
        ends = np.cumsum(counts)
        for column, end, count in zip(columns, ends, counts, strict=True):
            expected = encoded[:, end - count : end].sum(axis=1)
            assert_allclose(parts[:, frame.columns.get_loc(column)], expected, rtol=1e-9, atol=1e-12)
    unused = [column for column in frame.columns if column not in [*columns, *others]]
    assert_array_equal(parts[:, frame.columns.get_indexer(unused)], 0)


@pytest.mark.parametrize("word", ["site", "kind"])
def test_a_category_that_is_new_or_rare_is_the_reason(word):
    frame, _ = _frame(0, 300)
    frame.loc[7, word] = "elsewhere"
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    pipeline = make_pipeline(
        make_column_transformer((encoder, WORDS), remainder=StandardScaler()), SimpleImputer(), GaussianDetector()
    ).fit(frame)
    assert frame.columns[feature_contributions(pipeline, frame.iloc[[7]])[0].argmin()] == word


MIXING = [PolynomialFeatures(2), make_union(PCA(1)), PolynomialFeatures(interaction_only=True)]


@pytest.mark.parametrize("step", MIXING)
def test_steps_that_mix_columns_raise(step):
    rows = np.random.default_rng(0).normal(size=(50, 3))
    pipeline = make_pipeline(step, GaussianDetector()).fit(rows)
    with pytest.raises(ValueError, match="which may mix columns"):
        feature_contributions(pipeline, rows)


@pytest.mark.parametrize("detector", DETECTORS[:2], ids=lambda detector: type(detector).__name__)
@pytest.mark.parametrize("place", ["alone", "in a ColumnTransformer", "in a Pipeline"])
def test_a_column_of_ones_contributes_nothing(detector, place, seed):
    rows = np.random.default_rng(seed).normal(size=(50, 3))
    powers = PolynomialFeatures(1)
    step, order = {
        "alone": (powers, [1, 2, 3]),
        "in a ColumnTransformer": (make_column_transformer((StandardScaler(), [2]), (powers, [0, 1])), [2, 3, 0]),
        "in a Pipeline": (make_pipeline(StandardScaler(), powers, StandardScaler()), [1, 2, 3]),
    }[place]
    pipeline = make_pipeline(step, detector).fit(rows)
    found = feature_contributions(pipeline, rows)
    assert_allclose(found.sum(axis=1), pipeline.score_samples(rows), atol=1e-10)
    assert_allclose(found, detector.feature_contributions(pipeline[:-1].transform(rows))[:, order])


def test_a_column_of_ones_that_contributes_raises():
    rows = np.random.default_rng(0).normal(size=(50, 3))
    pipeline = make_pipeline(PolynomialFeatures(1), DETECTORS[2]).fit(rows)
    with pytest.raises(ValueError, match=r"column of ones.*score of RandomProjectionDepth.*include_bias=False"):
        feature_contributions(pipeline, rows)
