"""Fitted estimators keep their answers, bit for bit, through every way of storing them."""

import io
import lzma
import pickle
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.utils import get_tags

from skanomaly.base._samples import samples_for
from tests.estimators import instances

GOLDEN = Path(__file__).parent / "golden"
METHODS = ("score_samples", "predict_proba", "transform", "predict")


def stored_here():
    """List every estimator; a Chronos encoder fits nothing, it loads weights that somebody else stores."""
    return [estimator for estimator in instances() if type(estimator).__name__ != "ChronosEncoder"]


def one_of_each():
    """List one estimator of every class."""
    return list({type(estimator): estimator for estimator in reversed(stored_here())}.values())


def example(estimator):
    """Return rows, or a collection, and labels of which an eighth are anomalies."""
    collections = not get_tags(estimator).input_tags.two_d_array
    if collections:
        X = samples_for(estimator).X
    else:
        X = np.random.default_rng(0).normal(size=(80, 4))
        X[:10] += 3.0
    y = np.ones(len(X), dtype=np.int64)
    y[-4:] = -1
    if not collections:
        y = y[::-1].copy()
        y[4:10] = -1
    return X, y


def fitted(estimator):
    """Fit a seeded copy; return it and the rows."""
    X, y = example(estimator)
    model = clone(estimator)
    if "random_state" in model.get_params(deep=False):
        model.set_params(random_state=0)
    needs = get_tags(model).target_tags.required
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what small examples are rightly warned of
        model.fit(X, y if needs else None)
    return model, X


def answer(model, X):
    """Return what the model says of the rows by the first method it has; what it learnt, where it has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method in METHODS:
            if hasattr(model, method):
                return _flat(getattr(model, method)(X))
    return _flat([value for name, value in sorted(vars(model).items()) if name.endswith("_")])


def _flat(found):
    """Lay numbers end to end, and leave out what is none."""
    if isinstance(found, list | tuple):
        return np.concatenate([np.empty(0), *(_flat(part) for part in found)])
    values = np.ravel(np.asarray(found))
    return values if values.dtype.kind in "fiub" else np.empty(0)


def _pickled(model):
    return pickle.loads(pickle.dumps(model))  # noqa: S301  # our own bytes


def _joblib(model):
    store = io.BytesIO()
    joblib.dump(model, store)
    store.seek(0)
    return joblib.load(store)


def _skops(model):
    skops = pytest.importorskip("skops.io", reason="skops is not installed")
    stored = skops.dumps(model)
    return skops.loads(stored, trusted=skops.get_untrusted_types(data=stored))


@pytest.mark.parametrize("estimator", stored_here(), ids=str)
def test_stored_estimators_answer_with_the_same_bits(estimator):
    model, X = fitted(estimator)
    expected = answer(model, X)
    for store in (_pickled, _joblib, _skops):
        np.testing.assert_array_equal(answer(store(model), X), expected, err_msg=store.__name__)


def _stored():
    for path in sorted(GOLDEN.glob("fitted-*.xz")):
        content = pickle.loads(lzma.decompress(path.read_bytes()))  # noqa: S301  # our own bytes
        for name, text in content["stored"].items():
            yield pytest.param(content["versions"], text, id=f"{path.stem}-{name}")


@pytest.mark.parametrize(("versions", "text"), list(_stored()))
def test_estimators_stored_by_an_earlier_version_answer_alike(versions, text):
    if versions["scikit-learn"].split(".")[:2] != sklearn.__version__.split(".")[:2]:
        pytest.skip(f"scikit-learn {sklearn.__version__} does not support models stored by {versions['scikit-learn']}")
    model, X, expected = pickle.loads(text)  # noqa: S301  # our own bytes
    np.testing.assert_allclose(answer(model, X), expected, rtol=1e-7, atol=1e-10)


def _nudged(scores, random):
    """Move each score by one unit in the last place, up or down; a zero by one of the score 1."""
    step = random.choice([-1.0, 1.0], size=scores.size)
    moved = np.nextafter(scores, step * np.inf, dtype=scores.dtype)
    return np.where(scores == 0, step * np.finfo(scores.dtype).eps, moved)


# Times of events are data of the user: a row at the time of an event is compared with it exactly.
_TIMES = {("RiskTable", "times")}


def _sorted_scores(part, found):
    """List the sorted one-dimensional arrays of fractions that a model keeps, as pairs of owner and key."""
    pairs = list(vars(part).items()) if hasattr(part, "__dict__") else list(enumerate(part))
    pairs = [(key, value) for key, value in pairs if (type(part).__name__, key) not in _TIMES]
    for key, value in pairs:
        if isinstance(value, np.ndarray):
            scores = value.dtype.kind == "f" and value.ndim == 1 and value.size >= 8
            scores = scores and (value[np.isfinite(value)] % 1 != 0).any()
            if scores and (np.diff(value) >= 0).all():
                found.append((part, key))
        elif isinstance(value, list) or type(value).__module__.startswith("skanomaly"):
            _sorted_scores(value, found)
    return found


@pytest.mark.parametrize("estimator", one_of_each(), ids=lambda estimator: type(estimator).__name__)
def test_rounding_of_stored_sorted_scores_moves_no_answer(estimator):
    model, X = fitted(estimator)
    expected = answer(model, X)
    for seed in range(5):
        random = np.random.default_rng(seed)
        moved = _pickled(model)
        kept = _sorted_scores(moved, [])
        if not kept:
            return
        for owner, key in kept:
            scores = owner[key] if isinstance(owner, list) else getattr(owner, key)
            scores[:] = np.sort(_nudged(scores, random))
        np.testing.assert_allclose(answer(moved, X), expected, rtol=1e-7, atol=1e-10)
