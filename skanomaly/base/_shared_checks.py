"""Properties that detectors, samplers and tests share, over every kind of input."""

import copy
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skanomaly.base._asserting import Check, assert_close, assert_raises, assert_same, holds
from skanomaly.base._samples import class_samples, samples_for

__all__ = ["input_of", "scoring_checks", "shared_checks"]

_METHODS = ("score_samples", "decision_function", "predict")


def input_of(estimator: Any) -> Any:
    """Return the samples of an estimator's kind."""
    return class_samples(estimator) if hasattr(estimator, "fit_resample") else samples_for(estimator)


def shared_checks(estimator: Any) -> Iterator[Check]:
    """Yield the checks of what every fit keeps, or every `fit_resample`."""
    yield check_determinism
    yield check_containers_do_not_matter
    yield check_failed_fit_leaves_nothing
    if "n_jobs" in estimator.get_params(deep=False):
        yield check_n_jobs


def scoring_checks(estimator: Any) -> Iterator[Check]:
    """Yield the checks of what scores, detectors and tests."""
    samples = samples_for(estimator)
    yield check_scores_are_numbers
    yield check_scoring_changes_nothing
    if samples.kind != "series":
        yield check_batch_independence
    yield check_pickle
    yield check_not_fitted
    yield check_python_threads
    if samples.is_table:
        yield check_float32_agrees
        yield check_integers_do_not_overflow
        yield check_frames


@holds
def check_determinism(estimator: Any) -> None:
    """With `random_state` fixed, two fits give the same bits."""
    samples = input_of(estimator)
    _same_results(samples.results(estimator), samples.results(estimator), "a second fit")


@holds
def check_containers_do_not_matter(estimator: Any) -> None:
    """Other memory layouts and containers of the same samples give the same bits, and stay as they were."""
    samples = input_of(estimator)
    expected = samples.results(estimator)
    for name, other in samples.containers():
        kept = copy.deepcopy(other)
        _same_results(samples.results(estimator, other), expected, f"{name} samples")
        for index, (before, after) in enumerate(zip(kept, other, strict=True)):
            assert_same(after, before, f"item {index} of the {name} samples after the call")


@holds
def check_failed_fit_leaves_nothing(estimator: Any) -> None:
    """A fit that raises leaves an unfitted object unfitted and a fitted one as it was."""
    samples = input_of(estimator)
    fit = estimator.fit_resample if hasattr(estimator, "fit_resample") else estimator.fit
    labels = () if samples.y is None else (samples.y,)
    before = dict(vars(estimator))
    assert_raises(ValueError, samples.fault, fit, samples.broken, *labels)
    changed = _changed(before, vars(estimator))
    assert not changed, f"Found: changed attributes {changed} of an unfitted object."
    fit(samples.X, *labels)
    before = dict(vars(estimator))
    broken = np.hstack([samples.broken] * 2) if samples.is_table else samples.broken
    assert_raises(ValueError, samples.fault, fit, broken, *labels)
    changed = _changed(before, vars(estimator))
    assert not changed, f"Found: changed attributes {changed} of a fitted object."


@holds
def check_n_jobs(estimator: Any) -> None:
    """The bits are the same for every `n_jobs`."""
    samples = input_of(estimator)
    one, two = (clone(estimator).set_params(n_jobs=n_jobs) for n_jobs in (1, 2))
    if hasattr(estimator, "fit_resample"):
        _same_results(samples.results(two), samples.results(one), "n_jobs=2")
        return
    train = samples.many if samples.is_table else samples.X
    answers = [samples.answers(samples.fit(each, train), samples.many) for each in (one, two)]
    _same_results(answers[1], answers[0], "n_jobs=2")


@holds
def check_scores_are_numbers(estimator: Any) -> None:
    """Each sample has one finite score: an array of shape (n_samples,) without NaN."""
    samples = samples_for(estimator)
    estimator = samples.fit(estimator)
    for name in _METHODS:
        if not hasattr(estimator, name):
            continue
        scores = getattr(estimator, name)(samples.X)
        shape = getattr(scores, "shape", None)
        expected = (len(samples.X),)
        assert shape == expected, f"Found: {name} returns shape {shape} for {len(samples.X)} samples, not {expected}."
        missing = int(np.isnan(scores).sum())
        assert not missing, f"Found: {name} returns NaN for {missing} of {len(scores)} samples."
        infinite = int(np.isinf(scores).sum())
        assert not infinite, f"Found: {name} returns infinity for {infinite} of {len(scores)} samples."


@holds
def check_scoring_changes_nothing(estimator: Any) -> None:
    """Scoring and predicting leave the fitted object and the samples as they were."""
    samples = samples_for(estimator)
    estimator = samples.fit(estimator)
    X = copy.deepcopy(samples.X)
    before, kept = dict(vars(estimator)), copy.deepcopy(vars(estimator))
    for name in _METHODS:
        if hasattr(estimator, name):
            getattr(estimator, name)(samples.X)
            changed = _changed(before, vars(estimator)) or _written(kept, vars(estimator))
            assert not changed, f"Found: {name} changes the attributes {changed}."
    for index, (old, new) in enumerate(zip(X, samples.X, strict=True)):
        assert_same(new, old, f"sample {index} after scoring")


@holds
def check_batch_independence(estimator: Any) -> None:
    """A sample's score depends neither on what else is scored nor on the order."""
    samples = samples_for(estimator)
    estimator = samples.fit(estimator)
    X = samples.X
    whole = estimator.score_samples(X)
    alone = np.concatenate([estimator.score_samples(X[index : index + 1]) for index in range(0, len(X), 7)])
    assert_close(alone, whole[::7], "scores of samples alone, compared with their scores in a batch")
    assert_close(estimator.score_samples(X[::-1]), whole[::-1], "scores in reversed order")


@holds
def check_pickle(estimator: Any) -> None:
    """A pickled object gives the same bits."""
    samples = samples_for(estimator)
    estimator = samples.fit(estimator)
    loaded = pickle.loads(pickle.dumps(estimator))  # noqa: S301  # our own bytes
    _same_results(samples.answers(loaded), samples.answers(estimator), "the loaded object")


@holds
def check_not_fitted(estimator: Any) -> None:
    """Every scoring method of an unfitted object raises ``NotFittedError`` that names the class."""
    X = samples_for(estimator).X
    for name in _METHODS:
        if hasattr(estimator, name):
            assert_raises(NotFittedError, type(estimator).__name__, getattr(estimator, name), X)


@holds
def check_python_threads(estimator: Any) -> None:
    """Four Python threads may score with one object, and fit four, at once."""
    samples = samples_for(estimator)
    estimator = samples.fit(estimator)
    expected = samples.answers(estimator)
    with ThreadPoolExecutor(4) as pool:
        for scores in pool.map(lambda _: estimator.score_samples(samples.X), range(8)):
            assert_same(scores, expected["score_samples"], "scores of one of four threads")
        for results in pool.map(lambda _: samples.results(estimator), range(4)):
            _same_results(results, expected, "one of four threads")


@holds
def check_float32_agrees(estimator: Any) -> None:
    """float32 rows score as the same rows in float64 do, to float32's precision, also far from the origin."""
    samples = samples_for(estimator)
    for shift in (0.0, 4096.0):
        table = samples.X + shift
        double = clone(estimator).fit(table).score_samples(table)
        single = clone(estimator).fit(table.astype(np.float32)).score_samples(table.astype(np.float32))
        assert_close(single, double, f"scores in float32 at {shift}", rtol=1e-3, atol=1e-3 * np.ptp(double))


@holds
def check_integers_do_not_overflow(estimator: Any) -> None:
    """Narrow integers score exactly as the same values in float64."""
    samples = samples_for(estimator)
    for dtype, scale, shift in ((np.uint8, 5, 110), (np.int16, 1400, 0), (np.int64, 1400, 0)):
        table = np.clip(np.rint(samples.X * scale + shift), np.iinfo(dtype).min, np.iinfo(dtype).max)
        expected = clone(estimator).fit(table).score_samples(table)
        found = clone(estimator).fit(table.astype(dtype)).score_samples(table.astype(dtype))
        assert_same(found, expected, f"scores of {np.dtype(dtype)}")


@holds
def check_frames(estimator: Any) -> None:
    """A frame gives what its values give; permuted or renamed columns raise."""
    samples = samples_for(estimator)
    frame = pd.DataFrame(samples.X, columns=["a", "b", "c", "d"])
    found, expected = samples.results(estimator, frame), samples.results(estimator)
    if "pvalue_" in expected:  # an estimator within a test may compute a frame, which is column-major, in another order
        for name, value in expected.items():
            assert_close(found[name], value, f"{name} of the frame")
    else:
        _same_results(found, expected, "the frame")
    estimator = estimator.fit(frame)
    assert_same(estimator.feature_names_in_, ["a", "b", "c", "d"], "feature_names_in_")
    assert_raises(ValueError, "feature names", estimator.score_samples, frame[["b", "a", "c", "d"]])
    assert_raises(ValueError, "feature names", estimator.score_samples, frame.rename(columns={"a": "z"}))


def _same_results(actual: dict[str, Any], expected: dict[str, Any], source: str) -> None:
    for name, value in expected.items():
        assert_same(actual[name], value, f"{name} of {source}")


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Name the attributes that were set, replaced or removed."""
    absent = object()
    return sorted(name for name in {*before, *after} if before.get(name, absent) is not after.get(name, absent))


def _written(kept: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Name the attributes whose arrays or lists were written into."""
    return sorted(name for name, value in kept.items() if not _equal(value, after[name]))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        same: bool = one.shape == other.shape and one.tobytes() == other.tobytes() if one.dtype != object else True
        return same
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(_equal(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    return one == other if isinstance(one, str | int) else True
