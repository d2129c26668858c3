"""The contract's checks for detectors of collections: series or event traces, one score each."""

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from skanomaly.base._raising import assert_raises

__all__ = ["collection_checks", "takes_collections"]

_N_NORMAL = 36
_N_ODD = 4


def takes_collections(estimator: Any) -> bool:
    """Say whether an estimator takes collections of series or traces instead of tables."""
    return not get_tags(estimator).input_tags.two_d_array


def collection_checks(detector: Any) -> Iterator[Callable[[Any], None]]:
    """Yield the checks that apply to a detector of collections; each takes an unfitted detector."""
    yield check_collection_sign
    yield check_collection_threshold
    yield check_collection_determinism
    yield check_collection_batch_independence
    yield check_collection_containers
    yield check_collection_pickle
    yield check_collection_not_fitted
    yield check_collection_python_threads
    yield check_collection_failed_fit_leaves_nothing
    yield check_collection_labels_refused
    yield check_collection_locates
    if get_tags(detector).target_tags.required:
        yield check_collection_labels_required
    else:
        yield check_collection_not_own_evidence
        yield check_collection_labels_none_is_unlabelled
    parameters = detector.get_params(deep=False)
    if "n_jobs" in parameters:
        yield check_collection_n_jobs
    if isinstance(parameters.get("contamination"), float):
        yield check_collection_contamination_refused


def _reads_tokens(detector: Any) -> bool:
    return bool(get_tags(detector).input_tags.string)


def _collection(detector: Any) -> list[Any]:
    """36 like series or traces of different lengths, and 4 odd ones."""
    random = np.random.Generator(np.random.PCG64(20260103))
    if _reads_tokens(detector):
        usual = [["open", *["read", "check"] * random.integers(1, 5), "close"] for _ in range(_N_NORMAL)]
        odd = [["close", "open"], ["open", "open", "fail"], ["read"] * 20, ["fail", "close", "fail", "read"]]
        return usual + odd
    collection = []
    for index in range(_N_NORMAL + _N_ODD):
        moments = np.arange(random.integers(48, 56))
        wave = np.sin(2 * np.pi * moments / 12)[:, None] * [1.0, 0.5] + 0.1 * random.normal(size=(len(moments), 2))
        if index >= _N_NORMAL:
            wave[20:32] += 2.0 + index
        collection.append(np.round(wave * 1024) / 1024)
    return collection


def _fitted(detector: Any, collection: Any) -> Any:
    if get_tags(detector).target_tags.required:
        return detector.fit(collection, np.repeat([1, -1], [_N_NORMAL, len(collection) - _N_NORMAL]))
    return detector.fit(collection)


def check_collection_sign(detector: Any) -> None:
    """Small is odd: the odd ones score below the usual ones."""
    collection = _collection(detector)
    scores = _fitted(detector, collection).score_samples(collection)
    ahead = np.mean(scores[_N_NORMAL:, None] < scores[None, :_N_NORMAL])
    assert ahead > 0.9, f"odd ones score below the usual in {ahead:.2f} of pairs only; small must be odd"


def check_collection_threshold(detector: Any) -> None:
    """``decision_function`` is score minus offset, ``predict`` its sign, and training meets `contamination`."""
    collection = _collection(detector)
    detector = _fitted(detector, collection)
    decisions = detector.decision_function(collection)
    assert_array_equal(decisions, detector.score_samples(collection) - detector.offset_)
    assert_array_equal(detector.predict(collection), np.where(decisions >= 0, 1, -1))
    contamination = detector.get_params(deep=False).get("contamination")
    if isinstance(contamination, float):
        assert np.mean(decisions < 0) <= contamination + 1 / len(collection)


def check_collection_determinism(detector: Any) -> None:
    """With `random_state` fixed, two fits give the same bits."""
    collection = _collection(detector)
    first = _fitted(clone(detector), collection).score_samples(collection)
    assert_array_equal(first, _fitted(clone(detector), collection).score_samples(collection))


def check_collection_batch_independence(detector: Any) -> None:
    """A score does not depend on what else is scored, nor on the order."""
    collection = _collection(detector)
    detector = _fitted(detector, collection)
    whole = detector.score_samples(collection)
    alone = np.concatenate([detector.score_samples(collection[row : row + 1]) for row in range(0, 40, 3)])
    assert_allclose(alone, whole[::3], rtol=1e-9, atol=1e-12)
    assert_allclose(detector.score_samples(collection[::-1]), whole[::-1], rtol=1e-9, atol=1e-12)


def check_collection_containers(detector: Any) -> None:
    """Lists, object arrays and pandas Series of arrays give the same bits; what came in stays as it was."""
    collection = _collection(detector)
    expected = _fitted(clone(detector), collection).score_samples(collection)
    objects = np.empty(len(collection), dtype=object)
    for index, item in enumerate(collection):
        objects[index] = np.array(item)
        objects[index].flags.writeable = False
    for other in (objects, pd.Series(list(objects)), pd.Series(collection)):
        assert_array_equal(_fitted(clone(detector), other).score_samples(other), expected)
    for before, after in zip(collection, objects, strict=True):
        assert_array_equal(before, after)


def check_collection_n_jobs(detector: Any) -> None:
    """The bits are the same for every `n_jobs`."""
    collection = _collection(detector)
    one = _fitted(clone(detector).set_params(n_jobs=1), collection)
    two = _fitted(clone(detector).set_params(n_jobs=2), collection)
    assert_array_equal(one.score_samples(collection * 5), two.score_samples(collection * 5))
    assert one.offset_ == two.offset_


def check_collection_pickle(detector: Any) -> None:
    """A pickled detector scores with the same bits."""
    collection = _collection(detector)
    detector = _fitted(detector, collection)
    copy = pickle.loads(pickle.dumps(detector))  # noqa: S301  # our own bytes
    assert_array_equal(copy.score_samples(collection), detector.score_samples(collection))


def check_collection_not_fitted(detector: Any) -> None:
    """Every scoring method of an unfitted detector raises ``NotFittedError``."""
    for method in ("score_samples", "decision_function", "predict"):
        assert_raises(NotFittedError, type(detector).__name__, getattr(detector, method), _collection(detector))


def check_collection_python_threads(detector: Any) -> None:
    """Four Python threads may score with one detector, and fit four, at once."""
    collection = _collection(detector)
    detector = _fitted(detector, collection)
    expected = detector.score_samples(collection)
    with ThreadPoolExecutor(4) as pool:
        for scores in pool.map(lambda _: detector.score_samples(collection), range(8)):
            assert_array_equal(scores, expected)
        for scores in pool.map(lambda _: _fitted(clone(detector), collection).score_samples(collection), range(4)):
            assert_array_equal(scores, expected)


def check_collection_not_own_evidence(detector: Any) -> None:
    """What is odd stays odd although it was seen, and ``fit_predict`` equals fit, then predict."""
    collection = _collection(detector)
    detector = detector.fit(collection)
    scores = detector.score_samples(collection)
    assert (scores[_N_NORMAL:] < np.median(scores[:_N_NORMAL])).all()
    assert_array_equal(clone(detector).fit_predict(collection), detector.predict(collection))


def check_collection_failed_fit_leaves_nothing(detector: Any) -> None:
    """A fit that raises leaves an unfitted detector unfitted and a fitted one as it was."""
    collection = _collection(detector)
    broken = [*collection[:-1], "text"]
    before = dict(vars(detector))
    assert_raises(ValueError, f"X[{len(broken) - 1}]", _fitted, detector, broken)
    assert dict(vars(detector)) == before
    detector = _fitted(detector, collection)
    expected = detector.score_samples(collection)
    assert_raises(ValueError, f"X[{len(broken) - 1}]", _fitted, detector, broken)
    assert_array_equal(detector.score_samples(collection), expected)


def check_collection_labels_none_is_unlabelled(detector: Any) -> None:
    """``y=None`` and ``y`` all 0 mean the same."""
    collection = _collection(detector)
    expected = clone(detector).fit(collection).score_samples(collection)
    zeros = np.zeros(len(collection), dtype=int)
    assert_array_equal(clone(detector).fit(collection, zeros).score_samples(collection), expected)


def check_collection_labels_required(detector: Any) -> None:
    """A detector that needs labels says so where there are none, and where one kind is missing."""
    collection = _collection(detector)
    for labels in (None, np.ones(len(collection), dtype=int)):
        assert_raises(ValueError, "y", clone(detector).fit, collection, labels)


def check_collection_labels_refused(detector: Any) -> None:
    """Labels that are not +1, -1 or 0 raise an error that names y."""
    collection = _collection(detector)
    wrong = [np.where(np.arange(len(collection)) % 2, -1, 2), np.array(["odd"] * len(collection))]
    for labels in (*wrong, np.zeros(len(collection) - 1)):
        assert_raises(ValueError, "y ", clone(detector).fit, collection, labels)


def check_collection_contamination_refused(detector: Any) -> None:
    """A contamination outside (0, 0.5] raises an error that names it."""
    for value in (0.0, 0.6, "much"):
        changed = clone(detector).set_params(contamination=value)
        assert_raises(ValueError, "contamination", _fitted, changed, _collection(detector))


def check_collection_locates(detector: Any) -> None:
    """Where a class says which moments or events were odd, it gives one finite score to each."""
    collection = _collection(detector)
    name = "score_events" if _reads_tokens(detector) else "score_timepoints"
    detector = _fitted(detector, collection)
    if hasattr(detector, name):
        for item, scores in zip(collection, getattr(detector, name)(collection), strict=True):
            assert scores.shape == (len(item),)
            assert np.isfinite(scores).all()
