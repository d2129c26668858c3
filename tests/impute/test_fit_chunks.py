"""Donors from tables in pieces."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from skanomaly.impute import KNNSamplerImputer


def _rows(seed, n_rows=200):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(n_rows, 3))
    rows[:, 2] += rows[:, 0]
    rows[random.random(size=rows.shape) < 0.15] = np.nan
    rows[::40] = np.nan
    return rows


def _cuts(table, size):
    return [table[start : start + size] for start in range(0, len(table), size)]


def _imputer(**options):
    return KNNSamplerImputer(n_neighbors=5, random_state=0, **options)


def test_cuts_and_order_do_not_matter_and_all_rows_are_donors(seed):
    rows = _rows(seed)
    for options in ({}, {"add_indicator": True, "n_rounds": 1}):
        first = _imputer(**options).fit_chunks([rows])
        whole = _imputer(**options).fit(rows[first.sample_rows_])
        assert_array_equal(np.sort(first.sample_rows_), np.flatnonzero(~np.isnan(rows).all(axis=1)))
        for pieces in (_cuts(rows, 1), _cuts(rows, 7)[::-1], _cuts(rows, 1001)):
            assert_array_equal(_imputer(**options).fit_chunks(pieces).transform(rows), whole.transform(rows))
    assert not hasattr(first.fit(rows), "sample_rows_")


def test_few_donors_are_drawn_for_any_cuts_and_order(monkeypatch, seed):
    rows = _rows(seed, 600)
    few = {"min_samples": 2, "sample_rows": 50}
    monkeypatch.setattr("skanomaly._support._chunks.Chunks.__init__.__kwdefaults__", few)
    first = _imputer().fit_chunks([rows])
    assert len(first.sample_rows_) == 50
    assert_array_equal(first.transform(rows), _imputer().fit(rows[first.sample_rows_]).transform(rows))
    assert_array_equal(first.transform(rows), _imputer().fit_chunks(_cuts(rows, 77)[::-1]).transform(rows))


def test_a_frequent_row_keeps_its_share(monkeypatch, seed):
    rows = np.repeat(_rows(seed, 2000)[:, :2], 1, axis=0)
    rows = np.concatenate([rows[~np.isnan(rows).any(axis=1)], np.full((1200, 2), 3.0)])
    few = {"min_samples": 2, "sample_rows": 300}
    monkeypatch.setattr("skanomaly._support._chunks.Chunks.__init__.__kwdefaults__", few)
    drawn = rows[_imputer().fit_chunks(_cuts(rows, 500)).sample_rows_]
    share = 1200 / len(rows)
    assert abs((drawn == 3.0).all(axis=1).mean() - share) < 0.1 * share


def test_frames_with_text_are_imputed(seed):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": random.normal(size=120), "shop": random.choice(["a", "b", None], size=120)})
    frame.loc[::9, "x"] = np.nan
    first = _imputer().fit_chunks([frame[:50], frame[50:50], frame[50:]])
    assert_frame_equal(first.transform(frame), _imputer().fit_chunks([frame[70:], frame[:70]]).transform(frame))
    assert not first.transform(frame).isna().any(axis=None)


def test_dask_gives_the_bits_of_pieces_in_memory(seed):
    dask = pytest.importorskip("dask.dataframe")
    frame = pd.DataFrame(_rows(seed), columns=["a", "b", "c"])
    lazy = dask.from_pandas(frame, npartitions=3)
    expected = _imputer().fit_chunks([frame]).transform(frame)
    assert_array_equal(_imputer().fit_chunks(lazy).transform(frame), expected)
    with pytest.raises(TypeError, match=r"use fit_chunks\(X\)"):
        _imputer().fit(lazy)


def test_bad_pieces_are_named_and_leave_the_imputer_as_it_was(seed):
    rows = _rows(seed)
    imputer = _imputer().fit(rows)
    before = imputer.transform(rows)
    with pytest.raises(ValueError, match="chunk 1: has 2 columns"):
        imputer.fit_chunks([rows, rows[:, :2]])
    with pytest.raises(ValueError, match="no row"):
        imputer.fit_chunks([rows[:0]])
    with pytest.raises(ValueError, match="0 rows"):
        imputer.fit_chunks([np.full((9, 3), np.nan)])
    with pytest.raises(ValueError, match="only once"):
        imputer.fit_chunks(iter([rows]))
    assert_array_equal(imputer.transform(rows), before)
