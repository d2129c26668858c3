"""Every detector, sampler and synthesizer on tables of 2 to 1,000 columns and of 30 and 3,000 rows."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import get_tags

from skanomaly.base import BaseDetector, BaseSampler
from skanomaly.base._checks import seeded
from skanomaly.sampling import AnomalySynthesizer
from skanomaly.sequence import SeriesDetector
from tests.estimators import instances

SHAPES = [(30, 2), (30, 20), (30, 200), (30, 1000), (3000, 2), (3000, 20), (3000, 200), (3000, 1000)]
QUICK = {(30, 200), (30, 1000)}
# These read the columns of a table as something else than numbers of rows.
OF_TEXT = {"SMOTEN", "SMOTENC", "DomainSMOTE", "GroupedDetector"}


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
