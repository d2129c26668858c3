"""Fits to tables in pieces, for every detector that has them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skanomaly import detectors
from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector

CLASSES = {
    "GaussianDetector": {},
    "RandomProjectionDepth": {"n_projections": 16, "random_state": 0},
    "MarginalDetector": {},
    "NearestNeighborsDetector": {"bank": "random", "bank_size": 64, "random_state": 0},
    "MultiscaleNeighborsDetector": {"max_samples": 64, "random_state": 0},
    "IsolationForestDetector": {"n_estimators": 10, "random_state": 0},
    "KrigingDetector": {"max_samples": 50, "random_state": 0},
    "AnomalyDetector": {"max_samples": 64, "n_estimators": 10, "random_state": 0},
}
# Compiling the float32 kernels of all classes takes most of the time, so those that count in float32 stand for them.
TYPES = [
    pytest.param(name, dtype, marks=[] if dtype is np.float64 or "Projection" in name else pytest.mark.slow)
    for name in CLASSES
    for dtype in (np.float64, np.float32)
]
MIXED = sorted(set(CLASSES) - {"GaussianDetector", "RandomProjectionDepth", "NearestNeighborsDetector"})


def _build(name):
    return getattr(detectors, name)(**CLASSES[name])


def _rows(seed, n_rows=400):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(n_rows, 3)) @ random.normal(size=(3, 3))
    rows[:5] += 20
    return rows


def _mixed(seed):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": random.normal(size=300), "shop": random.choice(["b", "a", "c"], size=300)})
    frame.loc[::7, "x"] = np.nan
    frame.loc[:2, "shop"] = "rare"
    return frame


def test_every_class_with_the_method_is_tested_here():
    found = {name for name in detectors.__all__ if hasattr(getattr(detectors, name)(), "fit_chunks")}
    assert found == set(CLASSES)


@pytest.mark.parametrize(("name", "dtype"), TYPES)
def test_cuts_and_order_do_not_matter_to_the_bit(name, dtype, seed):
    rows = _rows(seed).astype(dtype)
    one = _build(name).fit_chunks([rows[:1], rows[1:3], rows[3:]])
    other = _build(name).fit_chunks([rows[200:], rows[:0], rows[:200][::-1]])
    assert_array_equal(one.score_samples(rows), other.score_samples(rows))
    assert one.offset_ == other.offset_


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(0, 60), max_size=9), order=st.randoms(use_true_random=False))
def test_any_cuts_and_order_give_the_same_bits(cuts, order):
    rows = _rows(0, 60)
    pieces = np.split(rows, sorted(cuts))
    order.shuffle(pieces)
    for name in ("GaussianDetector", "RandomProjectionDepth"):
        one, other = _build(name).fit_chunks([rows]), _build(name).fit_chunks(pieces)
        assert_array_equal(one.score_samples(rows), other.score_samples(rows))
        assert one.offset_ == other.offset_


@pytest.mark.parametrize(("name", "dtype"), TYPES)
def test_scores_do_not_depend_on_the_piece_to_the_bit(name, dtype, seed):
    rows = np.tile(_rows(seed), (6, 1)).astype(dtype) + np.arange(2400, dtype=dtype)[:, None] / 997
    detector = _build(name).fit(rows[:400])
    whole = detector.score_samples(rows)
    for cut, last in ((1, 40), (7, 140), (1001, len(rows))):
        pieces = [detector.score_samples(rows[start : min(start + cut, last)]) for start in range(0, last, cut)]
        assert_array_equal(np.concatenate(pieces), whole[:last])


@pytest.mark.parametrize("name", CLASSES)
def test_threshold_is_that_of_all_rows(name, seed):
    rows = _rows(seed)
    detector = _build(name).set_params(contamination=0.1).fit_chunks(np.array_split(rows, 3))
    assert (detector.predict(rows) == -1).sum() == 40


@pytest.mark.parametrize("name", MIXED)
def test_mixed_pieces_give_the_same_in_any_order(name, seed):
    frame = _mixed(seed)
    one = _build(name).fit_chunks([frame[:100], frame[100:]])
    other = _build(name).fit_chunks([frame[150:], frame[:150]])
    assert_array_equal(one.score_samples(frame), other.score_samples(frame))
    assert one.score_samples(frame)[:3].mean() < one.score_samples(frame)[3:].mean()


@pytest.mark.parametrize(
    "parameters",
    [
        {"covariance": covariance, "subspace": subspace}
        for covariance in ("ledoit_wolf", "oas", "empirical", "diag")
        for subspace in (None, "npca")
    ],
)
def test_gaussian_equals_the_fit_in_memory(parameters, seed):
    rows = _rows(seed)
    detector = GaussianDetector(**parameters)
    chunked, whole = clone(detector).fit_chunks(np.array_split(rows, 4)), detector.fit(rows)
    assert_allclose(chunked.score_samples(rows), whole.score_samples(rows), rtol=1e-11)
    assert_allclose([chunked.offset_, chunked.shrinkage_], [whole.offset_, whole.shrinkage_], rtol=1e-11)


def test_gaussian_leaves_out_extreme_rows_and_labelled_anomalies_as_in_memory(seed):
    rows, y = _rows(seed), np.ones(400)
    rows[17, 1] = 1e200
    y[:5] = -1
    chunked = GaussianDetector().fit_chunks(np.array_split(rows, 4), np.array_split(y, 4))
    whole = GaussianDetector().fit(rows, y)
    assert_allclose(chunked.score_samples(rows), whole.score_samples(rows), rtol=1e-9)
    assert_allclose(chunked.offset_, whole.offset_, rtol=1e-11)


@pytest.mark.parametrize("parameters", [{"n_components": 2}, {"covariance": "robust"}, {"levels": [1, 2]}])
def test_gaussian_with_other_parameters_trains_on_the_sample(parameters, seed):
    rows = _rows(seed)
    detector = GaussianDetector(**parameters, random_state=0)
    chunked = clone(detector).fit_chunks([rows[:77], rows[77:]])
    assert (chunked.predict(rows) == -1).sum() == 40


def test_gaussian_of_equal_and_relative_rows():
    rows = np.ones((10, 2))
    assert_array_equal(GaussianDetector().fit_chunks([rows[:3], rows[3:]]).score_samples(rows), 0.0)
    with pytest.raises(ValueError, match="two classes"):
        GaussianDetector(relative=True).fit_chunks([_rows(0)])
    with pytest.warns(UserWarning, match="does not vary"):
        GaussianDetector(covariance="diag").fit_chunks([np.column_stack([rows[:, 0], np.arange(10.0)])])


def test_labelled_anomalies_of_pieces_are_a_bank_of_their_own(seed):
    rows, y = _rows(seed), np.ones(400)
    y[:5] = -1
    pieces = np.array_split(rows, 3), np.array_split(y, 3)
    chunked = NearestNeighborsDetector().fit_chunks(*pieces)
    assert_allclose(chunked.score_samples(rows), NearestNeighborsDetector().fit(rows, y).score_samples(rows), rtol=1e-6)


def test_a_bank_larger_than_the_sample_is_refused(seed, monkeypatch):
    sizes = {"min_samples": 2, "sample_rows": 50}
    monkeypatch.setattr("skanomaly._support._chunks.Chunks.__init__.__kwdefaults__", sizes)
    with pytest.raises(ValueError, match="more than the sample"):
        NearestNeighborsDetector().fit_chunks([_rows(seed)])
