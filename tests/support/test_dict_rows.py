"""Rows as a service receives them, one dict each, and a dict of columns, are no tables."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.audit import KNNDriftTest, MissingnessTest
from skanomaly.detectors import GaussianDetector, IsolationForestDetector
from skanomaly.impute import KNNSamplerImputer
from skanomaly.model_selection import DetectorSearch, ScoreEnsemble
from skanomaly.sampling import SMOTE, RandomUnderSampler, SamplerChain
from skanomaly.sequence import SubsequencePCA
from skanomaly.threshold import ConformalDetector, ContaminationPosterior

ROWS = [{"a": float(place), "b": 1.0} for place in range(60)]


@pytest.mark.parametrize(
    "estimator",
    [
        ConformalDetector(),
        GaussianDetector(),
        IsolationForestDetector(),
        KNNDriftTest(),
        KNNSamplerImputer(),
        MissingnessTest(),
        RandomUnderSampler(),
        ScoreEnsemble(),
        SMOTE(),
        SubsequencePCA(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.parametrize(
    ("X", "words"),
    [(ROWS, "X is a list of dict: give pandas.DataFrame"), ({"a": [1.0] * 60}, "X is a dict: give pandas.DataFrame")],
    ids=["rows", "columns"],
)
def test_dicts_raise_with_the_frame_to_give(estimator, X, words):
    with pytest.raises(ValueError, match=words):
        estimator.fit(X, np.repeat([0, 1], 30))


def test_an_iterator_raises():
    with pytest.raises(ValueError, match=r"X is a generator, which can be read only once: give list\(X\)"):
        GaussianDetector().fit(row for row in np.eye(40))


def test_one_dict_to_score_raises(seed):
    detector = GaussianDetector().fit(np.random.default_rng(seed).normal(size=(50, 2)))
    with pytest.raises(ValueError, match=r"pandas.DataFrame\(\[X\]\) if it is one row"):
        detector.score_samples({"a": 1.0, "b": 2.0})


@pytest.mark.parametrize("cls", [ContaminationPosterior, DetectorSearch, ScoreEnsemble])
def test_a_detector_in_place_of_a_list_raises(cls, seed):
    X = np.random.default_rng(seed).normal(size=(50, 2))
    with pytest.raises(TypeError, match=r"detectors is a Pipeline; give a list, such as \[Pipeline\(...\)\]"):
        cls(make_pipeline(StandardScaler(), GaussianDetector())).fit(X)


def test_a_sampler_in_place_of_a_list_raises(seed):
    X = np.random.default_rng(seed).normal(size=(50, 2))
    with pytest.raises(TypeError, match=r"samplers is a SMOTE; give a list, such as \[SMOTE\(...\)\]"):
        SamplerChain(SMOTE()).fit(X, np.repeat([0, 1], 25))
