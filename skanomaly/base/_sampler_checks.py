"""Properties of samplers alone."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import get_tags

from skanomaly.base._asserting import Check, assert_close, assert_same, holds
from skanomaly.base._samples import class_samples
from skanomaly.base._shared_checks import shared_checks

__all__ = ["sampler_checks"]


def sampler_checks(sampler: Any) -> Iterator[Check]:
    """Yield the checks that apply to `sampler`; each takes an unfitted sampler."""
    yield check_sample_indices
    yield from shared_checks(sampler)
    yield check_sampler_frames
    if sampler._takes_classes:
        yield check_sampler_one_hot
    if get_tags(sampler).input_tags.sparse:
        yield check_sampler_sparse


@holds
def check_sample_indices(sampler: Any) -> None:
    """``sample_indices_`` has one entry a row, and a row that has an index is that training row."""
    samples = class_samples(sampler)
    rows, targets = sampler.fit_resample(samples.X, samples.y)
    indices = sampler.sample_indices_
    found = (len(rows), len(targets), len(indices))
    assert len(set(found)) == 1, f"Found: {found[0]} rows, {found[1]} targets and {found[2]} indices."
    kept = indices >= 0
    assert_same(rows[kept], samples.X[indices[kept]], "rows that have an index, compared with the training rows")
    assert_same(targets[kept], samples.y[indices[kept]], "targets of rows that have an index")
    bad = int((~np.isfinite(rows)).any(axis=1).sum())
    assert not bad, f"Found: {bad} rows hold NaN or infinity."
    # fit_resample returns the given rows wherever there is an index, so what the sampler made is compared as well.
    made, labels, indices = sampler._fit_resample(*sampler._check(samples.X, samples.y))
    kept = indices >= 0
    if labels is not None and len(labels) == indices.size:
        assert_same(labels[kept], samples.y[indices[kept]], "targets that the hook returned")
    if made is not None and not isinstance(made, list) and len(made) == indices.size:
        assert_same(made[kept], samples.X[indices[kept]], "rows that the hook returned")


@holds
def check_sampler_frames(sampler: Any) -> None:
    """A frame and a series come back as a frame and a series, with their names and the values of the arrays' call."""
    samples = class_samples(sampler)
    expected = clone(sampler).fit_resample(samples.X, samples.y)
    frame, series = sampler.fit_resample(
        pd.DataFrame(samples.X, columns=["a", "b", "c"]), pd.Series(samples.y, name="kind")
    )
    assert isinstance(frame, pd.DataFrame), f"Found: the frame comes back as {type(frame).__name__}."
    assert isinstance(series, pd.Series), f"Found: the series comes back as {type(series).__name__}."
    assert list(frame.columns) == ["a", "b", "c"], f"Found: the columns come back as {list(frame.columns)}."
    assert series.name == "kind", f"Found: the series comes back with the name {series.name!r}."
    names = list(sampler.get_feature_names_out())
    assert names == ["a", "b", "c"], f"Found: get_feature_names_out gives {names}."
    assert_close(frame.to_numpy(), expected[0], "rows of the frame", rtol=1e-7, atol=0.0)
    assert_same(series.to_numpy(), expected[1], "targets")


@holds
def check_sampler_one_hot(sampler: Any) -> None:
    """One-hot targets come back one-hot, with the rows and classes of one column of classes."""
    samples = class_samples(sampler)
    classes, codes = np.unique(samples.y, return_inverse=True)
    rows, targets = clone(sampler).fit_resample(samples.X, codes)
    again, columns = sampler.fit_resample(samples.X, np.eye(len(classes), dtype=np.int64)[codes])
    assert_same(again, rows, "rows")
    assert columns.shape == (len(rows), len(classes)), f"Found: targets of shape {columns.shape}."
    assert_same(columns, np.eye(len(classes), dtype=np.int64)[targets], "one-hot targets")


@holds
def check_sampler_sparse(sampler: Any) -> None:
    """Sparse rows, which the tags accept, come back in their own format, with the values of the dense call."""
    from scipy import sparse

    samples = class_samples(sampler)
    expected = clone(sampler).fit_resample(samples.X, samples.y)[0]
    for kind in (sparse.csr_array, sparse.csc_array):
        rows = kind(samples.X)
        resampled = clone(sampler).fit_resample(rows, samples.y)[0]
        assert sparse.issparse(resampled), (
            f"Found: {rows.format} rows come back as {type(resampled).__name__}. A class that takes dense rows only "
            "overrides _check, and sets input_tags.sparse to False in __sklearn_tags__."
        )
        assert resampled.format == rows.format, f"Found: {rows.format} rows come back as {resampled.format}."
        assert_close(resampled.toarray(), expected, f"{rows.format} rows")
