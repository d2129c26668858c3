"""Every detector, sampler, synthesizer and generator on tables of 2 to 1,000 columns and of 30 and 3,000 rows."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import get_tags

from skanomaly.base import BaseDetector, BaseSampler
from skanomaly.base._checks import seeded
from skanomaly.generation import DiffusionSampler, MixtureDenoiser, NoiseAwareMixture
from skanomaly.sampling import AnomalySynthesizer
from skanomaly.sequence import SequenceDetector, SeriesDetector
from tests.estimators import instances

SHAPES = [(30, 2), (30, 20), (30, 200), (30, 1000), (3000, 2), (3000, 20), (3000, 200), (3000, 1000)]
QUICK = {(30, 200), (30, 1000)}
# These read the columns as something else than numbers of rows; the client of the last gives recorded answers.
OF_TEXT = {"SMOTEN", "SMOTENC", "DomainSMOTE", "GroupedDetector", "SeriesLanguageAdapter"}


def _first_of_each(kind):
    seen = set()
    for estimator in instances():
        name = type(estimator).__name__
        if isinstance(estimator, kind) and get_tags(estimator).input_tags.two_d_array and name not in seen | OF_TEXT:
            seen.add(name)
            yield estimator


def _cases(kind):
    for estimator in _first_of_each(kind):
        for shape in SHAPES:
            if isinstance(estimator, SeriesDetector) and shape == (3000, 1000):
                continue  # minutes for each; columns of a series are channels
            quick = shape in QUICK and not (isinstance(estimator, SeriesDetector) and shape[1] > 200)
            marks = [] if quick else [pytest.mark.slow]
            yield pytest.param(estimator, shape, id=f"{type(estimator).__name__}-{shape[0]}x{shape[1]}", marks=marks)


def _table(n_rows, n_columns, seed):
    """Return normal rows, and forty of which the second half is shifted in half of the columns."""
    random = np.random.default_rng(seed)
    train, fresh = random.normal(size=(n_rows, n_columns)), random.normal(size=(40, n_columns))
    fresh[20:, : n_columns // 2] += 6.0
    return train, fresh


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("detector", "shape"), list(_cases(BaseDetector)))
def test_detector_scores_differ_and_find_shifted_rows(detector, shape):
    train, fresh = _table(*shape, seed=0)
    model = seeded(clone(detector)).fit(train)
    scores = model.score_samples(fresh)
    finite = scores[np.isfinite(scores)]
    assert finite.size >= 20
    assert len(np.unique(finite)) > 5
    # Elsewhere the parameter sets hold forests of four trees, which rank by chance here.
    if type(detector).__module__.startswith(("skanomaly.detectors", "skanomaly.sampling")):
        assert np.mean(scores[20:, None] < scores[:20]) > 0.5


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("sampler", "shape"), list(_cases(BaseSampler)))
def test_sampler_makes_rows_as_large_as_the_given_ones(sampler, shape):
    X, _ = _table(*shape, seed=0)
    y = np.where(np.arange(len(X)) < max(8, len(X) // 5), 1, 0)
    rows, _ = seeded(clone(sampler)).fit_resample(X, y)
    assert rows.shape[1] == X.shape[1]
    assert np.isfinite(rows).all()
    assert np.abs(rows).max() < 10 * np.abs(X).max()


@pytest.mark.parametrize("kind", ["gaussian", "swap", "paste", "blend", "transplant"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_synthesized_rows_differ_from_their_sources(kind, shape):
    X, _ = _table(*shape, seed=0)
    made = AnomalySynthesizer(kind=kind, random_state=0).synthesize(
        X, np.where(np.arange(len(X)) < 5, -1, 1), n_anomalies=20
    )
    assert np.isfinite(made.rows).all()
    assert (made.rows != X[made.source]).any(axis=1).mean() > 0.9


GENERATORS = [DiffusionSampler(n_steps=20, random_state=0), MixtureDenoiser(random_state=0), NoiseAwareMixture()]


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda generator: type(generator).__name__)
@pytest.mark.parametrize(
    "shape", [shape if shape[0] == 30 else pytest.param(shape, marks=pytest.mark.slow) for shape in SHAPES], ids=str
)
def test_generated_rows_lie_among_the_given_ones(generator, shape):
    X, _ = _table(*shape, seed=0)
    rows = seeded(clone(generator)).fit(X).sample(10)
    assert rows.shape == (10, shape[1])
    assert len(np.unique(rows, axis=0)) == 10
    assert np.abs(rows).max() < 2 * np.abs(X).max()


def _collection_detectors():
    seen = set()
    for estimator in instances():
        if isinstance(estimator, SequenceDetector) and type(estimator) not in seen:
            seen.add(type(estimator))
            yield estimator


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("detector", list(_collection_detectors()), ids=lambda detector: type(detector).__name__)
@pytest.mark.parametrize("n_channels", [2, 20, 200, pytest.param(1000, marks=pytest.mark.slow)])
def test_detector_of_collections_takes_many_channels(detector, n_channels):
    random = np.random.default_rng(0)
    train, fresh = random.normal(size=(20, 12, n_channels)), random.normal(size=(10, 12, n_channels))
    fresh[5:, :, : n_channels // 2] += 6.0
    y = np.where(np.arange(20) < 2, -1, 1) if get_tags(detector).target_tags.required else None
    scores = seeded(clone(detector)).fit(train, y).score_samples(fresh)
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) > 5
    if y is None:  # there the labels say what is anomalous
        assert scores[5:].max() < scores[:5].min()
