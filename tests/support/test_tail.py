import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly._support._tail import Tail


def test_tail_is_the_fraction_of_training_scores_at_least_as_large(seed):
    random = np.random.default_rng(seed)
    training, scores = random.normal(size=(2, 200))
    scores = np.minimum(scores, training.max())
    expected = [-np.log10((1 + (training >= score).sum()) / 201) for score in scores]
    assert_allclose(Tail().fit(training).transform(scores), expected)


def test_tail_increases_beyond_the_largest_training_score(seed):
    training = np.random.default_rng(seed).normal(size=50)
    found = Tail().fit(training).transform(training.max() + np.arange(5.0))
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("direction", [-np.inf, np.inf])
def test_rounding_keeps_the_rank_of_training_scores(seed, direction):
    training = np.random.default_rng(seed).exponential(size=200)
    tail = Tail().fit(training)
    below_largest = training[training < training.max()]
    assert_array_equal(tail.transform(np.nextafter(below_largest, direction)), tail.transform(below_largest))
