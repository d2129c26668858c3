"""Defaults on public series. Some defaults were chosen on the same series; the bounds guard against regressions."""

import numpy as np
import pytest

from skanomaly.metrics import vus_pr_score
from skanomaly.sequence import (
    AutoregressiveDetector,
    GeometricOneClass,
    Hyperbolic,
    RollingStatistic,
    SlidingWindowDetector,
    SubsequenceKMeans,
    SubsequenceNeighbors,
    SubsequencePCA,
    find_period,
)
from tests.scripts import load_script

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Columns? .* not vary in the training data:UserWarning"),  # of real channels
]


@pytest.fixture
def tables(shared_data):
    module = load_script("asv_bench/tables/series.py")
    module.DATA = shared_data
    return module


def _mean_volume(cases, detector):
    return np.mean(
        [vus_pr_score(y, detector.fit(X).score_samples(X), window_size=find_period(X[:, 0])) for _, X, y in cases]
    )


@pytest.mark.parametrize(
    ("detector", "least"),
    [
        (SubsequenceNeighbors(random_state=0), 0.68),
        (SubsequenceKMeans(random_state=0), 0.68),
        (SubsequencePCA(), 0.60),
        (AutoregressiveDetector(), 0.56),
    ],
    ids=str,
)
def test_univariate_series_are_scored_as_well_as_they_were(tables, detector, least):
    assert _mean_volume(tables.univariate_cases(), detector) >= least


def test_multivariate_series_are_scored_as_well_as_they_were(tables):
    assert _mean_volume(tables.multivariate_cases(), SubsequenceNeighbors(random_state=0)) >= 0.60


def test_loader_and_metric_reproduce_published_scores(tables):
    found = {}
    for name, X, y in tables.univariate_cases():
        if name in tables.PUBLISHED:
            period = find_period(X[:, 0])
            scores = -tables.summed_component_distances(X[:, 0], period)
            found[name] = vus_pr_score(y, scores, window_size=period)
    assert found == pytest.approx(tables.PUBLISHED, abs=1e-4)
    exact = {
        name: value for name, value in tables.PUBLISHED.items() if name != "smap A-5"
    }  # differs by 4e-5 for an unknown reason
    assert {name: found[name] for name in exact} == pytest.approx(exact, abs=1e-6)


def test_norm_of_windows_is_the_published_leader(tables):
    volumes = []
    for _, X, y in tables.univariate_cases():
        period = find_period(X[:, 0])
        detector = RollingStatistic(statistic="norm", window_size=period, point_alignment="center").fit(X)
        volumes.append(vus_pr_score(y, detector.score_samples(X), window_size=period))
    assert np.mean(volumes) == pytest.approx(0.448, abs=0.005)


def test_reconstructions_in_the_ball_find_published_anomalies(tables):
    names = {"msl F-5", "smap E-7", "smap D-11"}
    cases = [case for case in tables.univariate_cases() if case[0] in names]
    ball = GeometricOneClass(space=Hyperbolic(), target="reconstruction", random_state=0)
    assert _mean_volume(cases, SlidingWindowDetector(ball, stride=4)) >= 0.50
