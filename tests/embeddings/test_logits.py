import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp, softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from skanomaly.embeddings import LogitDetector


def _logits(seed):
    return 3 * np.random.default_rng(seed).normal(size=(50, 5))


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("energy", lambda z: 2 * logsumexp(z / 2, axis=1)),
        ("max_logit", lambda z: z.max(axis=1)),
        ("max_probability", lambda z: np.log(softmax(z / 2, axis=1).max(axis=1))),
        ("entropy", lambda z: (softmax(z / 2, axis=1) * np.log(softmax(z / 2, axis=1))).sum(axis=1)),
    ],
)
def test_scores_are_their_definitions(seed, statistic, expected):
    X = _logits(seed)
    found = LogitDetector(statistic=statistic, temperature=2.0).fit(X).score_samples(X)
    assert_allclose(found, expected(X), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("statistic", ["max_probability", "entropy"])
def test_probabilities_score_as_their_logits(seed, statistic):
    X = _logits(seed)
    expected = LogitDetector(statistic=statistic).fit(X).score_samples(X)
    detector = LogitDetector(statistic=statistic, source="probabilities").fit(softmax(X, axis=1))
    assert_allclose(detector.score_samples(softmax(X, axis=1)), expected, atol=1e-9)


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_calibration_finds_the_temperature(seed, factor):
    random = np.random.default_rng(seed)
    logits = 2 * random.normal(size=(4000, 4))
    classes = np.array([random.choice(4, p=row) for row in softmax(logits, axis=1)])
    detector = LogitDetector(temperature="calibrate").fit(factor * logits, classes=classes)
    assert detector.temperature_ == pytest.approx(factor, rel=0.15)


@pytest.mark.parametrize(
    ("options", "arguments", "words"),
    [
        ({"source": "probabilities"}, {}, "needs logits"),
        ({"source": "probabilities", "statistic": "entropy"}, {}, "values in"),
        ({"temperature": "calibrate"}, {}, "needs the classes"),
        ({"temperature": "calibrate"}, {"classes": [0, 1]}, "2 entries"),
        ({"temperature": "calibrate"}, {"classes": [5] * 50}, "from 0 to 4"),
    ],
)
def test_wrong_use_is_named(options, arguments, words):
    with pytest.raises(ValueError, match=words):
        LogitDetector(**options).fit(_logits(0), **arguments)


@pytest.mark.parametrize("statistic", ["energy", "max_logit", "max_probability", "entropy"])
def test_classes_never_seen_score_lower(statistic):
    X, digits = load_digits(return_X_y=True)
    known = digits < 5
    model = LogisticRegression(max_iter=2000).fit(X[known][::2] / 16, digits[known][::2])
    logits = model.decision_function(X / 16)
    detector = LogitDetector(statistic=statistic).fit(logits[known][1::2])
    assert roc_auc_score(known, detector.score_samples(logits)) > 0.85
