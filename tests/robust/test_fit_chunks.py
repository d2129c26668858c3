"""Masked training on tables in pieces."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier, SGDRegressor

from skanomaly._support._recut import windows
from skanomaly.chunks import read_chunks
from skanomaly.robust import MaskedEstimator, ZErrorClassifier, ZErrorMask, ZErrorRegressor

REGRESSORS = {
    "linear": ZErrorRegressor(max_iter=5, random_state=0),
    "network": ZErrorRegressor(max_iter=3, hidden_layer_sizes=4, random_state=0),
    "masked": MaskedEstimator(SGDRegressor(random_state=0), max_iter=4, batch_size=32, random_state=0),
}
CLASSIFIERS = {
    "linear": ZErrorClassifier(max_iter=5, random_state=0),
    "cutoff": ZErrorClassifier(max_iter=3, cutoff="youden", random_state=0),
    "batches": ZErrorClassifier(max_iter=3, masking=ZErrorMask(center_scale="mean_std", threshold=2.0), random_state=0),
    "masked": MaskedEstimator(SGDClassifier(random_state=0), max_iter=4, batch_size=32, random_state=0),
}


def _table(seed, n_rows=300, *, classes=False):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(n_rows, 3))
    if classes:
        targets = np.where(rows[:, 0] > 0, "b", "a")
        targets[: n_rows // 15] = "a"
        return rows, targets
    targets = rows @ [1.0, -2.0, 0.5] + 0.1 * random.normal(size=n_rows)
    targets[: n_rows // 6] += 10.0
    return rows, targets


def _cuts(table, size):
    return [table[start : start + size] for start in range(0, len(table), size)]


def _same(one, other, rows, targets):
    assert_array_equal(one.predict(rows), other.predict(rows))
    assert_array_equal(one.score_samples(rows, targets), other.score_samples(rows, targets))
    assert_array_equal(one.mask_frequency_, other.mask_frequency_)
    assert_array_equal(one.inlier_mask_, other.inlier_mask_)
    assert one.n_iter_ == other.n_iter_


def _small_windows(monkeypatch, n_rows):
    monkeypatch.setattr("skanomaly._support._recut.windows.__defaults__", (n_rows,))
    for module in ("_masked_estimator", "_zerror_base"):
        monkeypatch.setattr(f"skanomaly.robust.{module}.WINDOW_ROWS", n_rows)


CASES = [(REGRESSORS[name], False) for name in REGRESSORS] + [(CLASSIFIERS[name], True) for name in CLASSIFIERS]
IDS = [f"regressor-{name}" for name in REGRESSORS] + [f"classifier-{name}" for name in CLASSIFIERS]


@pytest.mark.filterwarnings("ignore:.*are masked")
@pytest.mark.parametrize(("estimator", "classes"), CASES, ids=IDS)
def test_pieces_of_one_window_are_the_fit_in_memory(estimator, classes, seed):
    rows, targets = _table(seed, classes=classes)
    whole = clone(estimator).fit(rows, targets)
    for size in (1, 7, 1001):
        _same(clone(estimator).fit_chunks(_cuts(rows, size), _cuts(targets, size)), whole, rows, targets)


@pytest.mark.filterwarnings("ignore:.*are masked")
@pytest.mark.parametrize(("estimator", "classes"), CASES, ids=IDS)
def test_several_windows_do_not_depend_on_the_cuts(estimator, classes, monkeypatch, seed):
    rows, targets = _table(seed, classes=classes)
    mixed = np.random.default_rng(seed).permutation(300)
    rows, targets = rows[mixed], targets[mixed]
    _small_windows(monkeypatch, 80)
    first = clone(estimator).fit_chunks([rows], [targets])
    _same(clone(estimator).fit_chunks(_cuts(rows, 7), _cuts(targets, 7)), first, rows, targets)
    assert len(first.mask_frequency_) == len(first.inlier_mask_) == 300


def test_wrong_targets_are_masked_in_several_windows(monkeypatch, seed):
    rows, targets = _table(seed, 1200)
    mixed = np.random.default_rng(seed).permutation(1200)
    _small_windows(monkeypatch, 400)
    model = ZErrorRegressor(max_iter=60, random_state=0).fit_chunks(_cuts(rows[mixed], 250), _cuts(targets[mixed], 250))
    assert abs(model.coef_ - [1.0, -2.0, 0.5]).max() < 0.05
    assert not model.inlier_mask_[mixed < 200].any()
    assert model.inlier_mask_[mixed >= 200].mean() > 0.95


@pytest.mark.filterwarnings("ignore:.*are masked")
def test_frames_columns_of_targets_and_dask_are_read(seed):
    dask = pytest.importorskip("dask.dataframe")
    rows, targets = _table(seed)
    frame = pd.DataFrame(rows, columns=["a", "b", "c"]).assign(target=targets)
    table = frame[["a", "b", "c"]]
    for estimator in (REGRESSORS["linear"], REGRESSORS["masked"]):
        whole = clone(estimator).fit(table, targets)
        for pieces in ([frame[:90], frame[90:90], frame[90:]], dask.from_pandas(frame, npartitions=3)):
            found = clone(estimator).fit_chunks(pieces, "target")
            _same(found, whole, table, targets)
            assert_array_equal(found.feature_names_in_, ["a", "b", "c"])
        with pytest.raises(TypeError, match=r"use fit_chunks\(X\)"):
            clone(estimator).fit(dask.from_pandas(frame, npartitions=2), targets)


@pytest.mark.filterwarnings("ignore:.*are masked")
def test_bad_pieces_are_named_and_leave_the_estimator_as_it_was(seed):
    rows, targets = _table(seed)
    bad = targets.copy()
    bad[4] = np.nan
    for estimator in (REGRESSORS["linear"], REGRESSORS["masked"]):
        model = clone(estimator).fit(rows, targets)
        before = model.predict(rows)
        with pytest.raises(ValueError, match="chunk 1: "):
            model.fit_chunks([rows, rows], [targets, bad])
        with pytest.raises(ValueError, match="chunk 1: has 2 columns"):
            model.fit_chunks([rows, rows[:, :2]], [targets, targets])
        with pytest.raises(ValueError, match="chunk 1: y has 9 labels"):
            model.fit_chunks([rows, rows], [targets, targets[:9]])
        with pytest.raises(ValueError, match="y is None"):
            model.fit_chunks([rows], None)
        assert_array_equal(model.predict(rows), before)


def test_what_needs_the_rows_together_is_refused(seed):
    rows, targets = _table(seed)
    with pytest.raises(ValueError, match="early_stopping"):
        ZErrorRegressor(early_stopping=True).fit_chunks([rows], [targets])
    with pytest.raises(ValueError, match="method='refit'"):
        MaskedEstimator(SGDRegressor(), method="refit").fit_chunks([rows], [targets])
    with pytest.raises(ValueError, match="at least two classes"):
        ZErrorClassifier().fit_chunks([rows], [np.zeros(300, dtype=int)])
    with pytest.raises(ValueError, match="at least two classes"):
        MaskedEstimator(SGDClassifier()).fit_chunks([rows], [np.zeros(300, dtype=int)])
    assert not hasattr(MaskedEstimator(RandomForestClassifier()), "fit_chunks")


def test_windows_have_equal_sizes_and_the_order_of_the_table(seed):
    rows, targets = _table(seed, 100)
    pieces = read_chunks(_cuts(rows, 13)).with_labels(read_chunks(_cuts(targets, 13)))
    found = list(windows(pieces, 40))
    assert [len(table) for table, _ in found] == [40, 40, 20]
    assert_array_equal(np.concatenate([table for table, _ in found]), rows)
    assert_array_equal(np.concatenate([values for _, values in found]), targets)
