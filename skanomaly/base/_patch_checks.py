"""Properties of detectors of patch sets alone."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import clone

from skanomaly.base._asserting import Check, assert_close, assert_raises, assert_same, holds
from skanomaly.base._samples import samples_for

__all__ = ["patch_checks"]


def patch_checks(detector: Any) -> Iterator[Check]:
    """Yield the checks of detectors that take patch sets and tables alike."""
    yield check_table_is_one_patch_a_sample
    yield check_patches_in_float32_agree
    if hasattr(detector, "score_patches"):
        yield check_patches_have_scores
        yield check_patch_scores_find_the_patches
    if samples_for(detector).y is None:
        yield check_degenerate_patches
        yield check_ragged_patches


@holds
def check_table_is_one_patch_a_sample(detector: Any) -> None:
    """A table scores as the same rows do as sets of one patch."""
    samples = samples_for(detector)
    table = np.array([item[1] for item in samples.X])
    expected = samples.fit(clone(detector), table).score_samples(table)
    found = samples.fit(clone(detector), table[:, None]).score_samples(table[:, None])
    assert_same(found, expected, "scores of sets of one patch")


@holds
def check_patches_in_float32_agree(detector: Any) -> None:
    """float32 patches score as the same patches in float64 do, to float32's precision."""
    samples = samples_for(detector)
    double = np.array(samples.X)
    expected = samples.fit(clone(detector), double).score_samples(double)
    found = samples.fit(clone(detector), double.astype(np.float32)).score_samples(double.astype(np.float32))
    assert_close(found, expected, "scores in float32", rtol=1e-3, atol=1e-3 * np.ptp(expected))


@holds
def check_patches_have_scores(detector: Any) -> None:
    """``score_patches`` gives each patch one finite score, as an array where all sets have the same size."""
    samples = samples_for(detector)
    detector = samples.fit(detector)
    scores = detector.score_patches(samples.X)
    expected = (len(samples.X), len(samples.X[0]))
    assert np.shape(scores) == expected, f"Found: scores of patches of shape {np.shape(scores)}, not {expected}."
    assert np.isfinite(scores).all(), "Found: scores of patches that are NaN or infinite."


@holds
def check_patch_scores_find_the_patches(detector: Any) -> None:
    """The anomalous patches of an anomalous sample score below its normal patches."""
    samples = samples_for(detector)
    trial = samples.trials[-1]
    detector = clone(detector)
    detector = detector.fit(trial.train) if samples.y is None else detector.fit(trial.train, samples.y)
    scores = np.asarray(detector.score_patches(trial.X))[trial.anomalous]
    below = float(np.mean(scores[:, 1:3, None] < np.delete(scores, [1, 2], axis=1)[:, None]))
    assert below > 0.9, f"Found: anomalous patches score below normal ones in {below:.2f} of pairs only."


@holds
def check_degenerate_patches(detector: Any) -> None:
    """Constant columns, equal patches and equal samples score finitely."""
    X = np.array(samples_for(detector).X)
    constant = X.copy()
    constant[:, :, 2] = 7.0
    cases = {
        "a constant column": constant,
        "one column": X[:, :, :1],
        "one patch": X[:, :1],
        "all patches equal": np.full((20, 9, 4), 2.5),
        "equal patches in each sample": np.repeat(X[:, :1], 9, axis=1),
        "each sample four times": np.repeat(X[:10], 4, axis=0),
    }
    for name, sets in cases.items():
        detector = clone(detector).fit(sets)
        bad = int((~np.isfinite(detector.score_samples(sets))).sum())
        assert not bad, f"Found: with {name}, {bad} scores are NaN or infinite."


@holds
def check_ragged_patches(detector: Any) -> None:
    """Sets of different sizes either score finitely, one a sample, or raise ``ValueError`` that names the sizes."""
    items = samples_for(detector).X
    ragged = [item[: len(item) - index % 3] for index, item in enumerate(items)]
    try:
        detector = detector.fit(ragged)
    except ValueError:
        assert_raises(ValueError, "patches", detector.fit, ragged)
        return
    scores = detector.score_samples(ragged)
    assert scores.shape == (len(ragged),), f"Found: scores of shape {scores.shape}."
    assert np.isfinite(scores).all(), "Found: scores of sets of different sizes that are NaN or infinite."
    if hasattr(detector, "score_patches"):
        for item, patches in zip(ragged, detector.score_patches(ragged), strict=True):
            assert len(item) == len(patches), "Found: not one score for each patch of a set."
