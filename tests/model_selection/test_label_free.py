from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.datasets import make_shifted_anomalies
from skanomaly.detectors import RandomProjectionDepth
from skanomaly.model_selection import (
    ConsensusScorer,
    ExcessMassScorer,
    MassVolumeScorer,
    SeparabilityScorer,
    StabilityScorer,
    SyntheticAnomalyScorer,
    TransductiveSplit,
    get_scorer,
    get_scorer_names,
)
from skanomaly.model_selection._agreement_scorers import top_overlap
from skanomaly.model_selection._space_scorers import _WIDTHS, kernel_separability
from skanomaly.model_selection._volume_scorers import excess_mass_area, mass_volume_area
from tests.model_selection.toys import Column, PyODLike
from tests.reference import model_selection as reference

NAMES = get_scorer_names(labels=False)


def _seeded(name):
    return get_scorer(name, **({} if name == "consensus" else {"random_state": 0}))


def _levels(seed, n_levels=40):
    random = np.random.default_rng(seed)
    mass = np.sort(random.integers(1, n_levels + 1, size=n_levels)) / n_levels
    volume = np.sort(random.integers(0, 500, size=n_levels))
    mass[-1] = 1.0
    return mass, (volume + 1.0) / 501.0


def test_excess_mass_equals_its_definition(seed):
    mass, volume = _levels(seed)
    assert excess_mass_area(mass, volume, 0.9) == pytest.approx(reference.excess_mass_area(mass, volume, 0.9), rel=1e-4)


@pytest.mark.parametrize("volume", [[1.0, 1.0, 1.0], [0.1, 0.1, 0.1], [0.002, 0.5, 1.0]])
def test_excess_mass_of_degenerate_levels(volume):
    mass, volume = np.array([0.3, 0.9, 1.0]), np.array(volume)
    assert excess_mass_area(mass, volume, 0.9) == pytest.approx(reference.excess_mass_area(mass, volume, 0.9), rel=1e-4)


def test_mass_volume_equals_its_definition(seed):
    mass, volume = _levels(seed)
    expected = reference.mass_volume_area(mass, volume, 0.9, 0.999)
    assert mass_volume_area(mass, volume, 0.9, 0.999) == pytest.approx(expected, rel=1e-3)


def test_separability_equals_its_definition(seed):
    rows = np.random.default_rng(seed).normal(size=(25, 3))
    expected = reference.kernel_separability(rows, 0.1, _WIDTHS)
    np.testing.assert_allclose(kernel_separability(rows, 0.1), expected, rtol=1e-8)


def test_overlap_equals_its_definition(seed):
    random = np.random.default_rng(seed)
    first = random.normal(size=60)
    second = first + random.normal(size=60)
    assert top_overlap(first, second, 0.1) == reference.jaccard(first, second, 6)


@pytest.mark.parametrize("scores", [np.zeros(40), np.repeat([0.0, 1.0], [20, 20])])
def test_rows_that_tie_across_the_border_do_not_overlap(scores):
    assert top_overlap(scores, scores, 0.05) == 0.0


@pytest.mark.parametrize("scorer", [ExcessMassScorer(random_state=0), MassVolumeScorer(random_state=0)])
def test_volume_measures_prefer_level_sets_of_the_density(scorer, seed):
    X = np.random.default_rng(seed).normal(size=(300, 2))
    assert scorer(PyODLike().fit(X), X) > scorer(Column().fit(X), X)


@pytest.mark.parametrize("scorer", [ExcessMassScorer(random_state=0), MassVolumeScorer(random_state=0)])
def test_volume_measures_refit_on_few_columns(scorer, seed):
    X = np.random.default_rng(seed).normal(size=(300, 9))
    assert scorer(PyODLike(), X) > scorer(make_pipeline(PCA(1), PyODLike()), X)


def test_volume_measure_sees_the_whole_space_where_told(seed):
    X = np.random.default_rng(seed).normal(size=(100, 7))
    fitted = PyODLike().fit(X)
    assert ExcessMassScorer(max_features=None, random_state=0)(fitted, X) == ExcessMassScorer(
        max_features=7, random_state=0
    )(fitted, X)


def test_stability_prefers_the_stable(seed):
    X, _ = make_shifted_anomalies(n_samples=300, n_shifted_features=10, shift=4, random_state=seed)
    scorer = StabilityScorer(random_state=seed)
    assert scorer(PyODLike(), X) > scorer(IsolationForest(n_estimators=1, random_state=seed), X)


def test_constant_score_is_not_stable():
    X = np.random.default_rng(0).normal(size=(50, 2))
    assert StabilityScorer()(Column(constant=True), X) == 0.0


def test_stability_needs_four_rows():
    with pytest.raises(ValueError, match="3 rows"):
        StabilityScorer()(Column(), np.zeros((3, 1)))


@pytest.mark.parametrize(
    "scorer",
    [
        partial(StabilityScorer, top_fraction=0.5, n_repeats=1),
        ExcessMassScorer,
        MassVolumeScorer,
        SyntheticAnomalyScorer,
        partial(SeparabilityScorer, max_rows=50),
    ],
)
def test_integer_seed_gives_the_same_value_again_and_none_does_not(scorer):
    X = np.random.default_rng(0).normal(size=(80, 6))
    fixed, free = scorer(random_state=0), scorer()
    assert fixed(PyODLike().fit(X), X) == fixed(PyODLike().fit(X), X)
    assert len({free(PyODLike().fit(X), X) for _ in range(10)}) > 1


def test_consensus_is_the_correlation_with_the_committees_mean_rank(seed):
    X = np.random.default_rng(seed).normal(size=(80, 3))
    committee = (Column(0), Column(1))
    ranks = np.mean([np.argsort(np.argsort(X[:, column])) for column in (0, 1)], axis=0)
    expected = spearmanr(X[:, 2], ranks)[0]
    assert ConsensusScorer(committee)(Column(2).fit(X), X) == pytest.approx(expected)


def test_separability_prefers_the_far_rows(seed):
    X = np.random.default_rng(seed).normal(size=(150, 2))
    X[:6] *= 6.0
    scorer = SeparabilityScorer(random_state=0)
    assert scorer(PyODLike().fit(X), X) > 0.5
    assert scorer(Column(constant=True).fit(X), X) == 0.0


def test_separability_of_equal_rows_is_chance():
    X = np.ones((20, 2))
    assert SeparabilityScorer()(Column(), X) == 0.0


def test_separability_uses_a_part_of_large_tables(seed):
    X = np.random.default_rng(seed).normal(size=(400, 2))
    X[:40] *= 6.0
    assert SeparabilityScorer(max_rows=200, random_state=0)(PyODLike().fit(X), X) > 0.3


@pytest.mark.parametrize(("kind", "least"), [("uniform", 0.75), ("local", 0.55), ("permuted", 0.6)])
def test_synthetic_anomalies_are_distinguished(kind, least, seed):
    random = np.random.default_rng(seed)
    X = random.normal(size=(300, 1)) + 0.1 * random.normal(size=(300, 3))
    factor = LocalOutlierFactor(novelty=True).fit(X)
    assert SyntheticAnomalyScorer(kind=kind, n_synthetic=200, random_state=0)(factor, X) > least


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_not_used(name, seed):
    X, y = make_shifted_anomalies(n_samples=120, n_features=3, random_state=seed)
    forest = IsolationForest(n_estimators=20, max_samples=32, random_state=0).fit(X)
    assert _seeded(name)(forest, X, y) == _seeded(name)(forest, X)


@pytest.mark.parametrize("make", [pd.DataFrame, lambda X: pl.DataFrame(np.asarray(X), schema=["a", "b", "c"])])
@pytest.mark.parametrize("name", NAMES)
def test_frames_give_the_values_of_arrays(name, make):
    X, _ = make_shifted_anomalies(n_samples=120, n_features=3, random_state=0)
    frame = make(pd.DataFrame(X, columns=["a", "b", "c"]))
    forest = IsolationForest(n_estimators=20, max_samples=32, random_state=0)
    assert _seeded(name)(forest.fit(frame), frame) == _seeded(name)(forest.fit(X), X)


@pytest.mark.parametrize("name", NAMES)
def test_search_without_labels_runs_in_a_pipeline_and_does_not_depend_on_jobs(name):
    X, _ = make_shifted_anomalies(n_samples=100, n_features=6, random_state=0)
    pipeline = make_pipeline(StandardScaler(), RandomProjectionDepth(random_state=0))
    grid = {"randomprojectiondepth__n_projections": [10, 40]}
    searches = [GridSearchCV(pipeline, grid, scoring=_seeded(name), cv=2, n_jobs=n_jobs).fit(X) for n_jobs in (1, 2)]
    for key in ("mean_test_score", "split0_test_score", "rank_test_score"):
        np.testing.assert_array_equal(searches[0].cv_results_[key], searches[1].cv_results_[key])
    assert np.isfinite(searches[0].cv_results_["mean_test_score"]).all()
    assert searches[0].best_params_ == searches[1].best_params_


def test_search_on_all_rows_at_once():
    X, _ = make_shifted_anomalies(n_samples=300, n_shifted_features=10, shift=4, random_state=0)
    grid = {"n_estimators": [1, 50]}
    search = GridSearchCV(
        IsolationForest(max_samples=32, random_state=0),
        grid,
        scoring=StabilityScorer(random_state=0),
        cv=TransductiveSplit(),
    )
    assert search.fit(X).best_params_ == {"n_estimators": 50}


@pytest.mark.parametrize(
    ("scorer", "options"),
    [
        (ExcessMassScorer, {"n_uniform": 0}),
        (MassVolumeScorer, {"max_features": 0}),
        (StabilityScorer, {"top_fraction": 0.7}),
        (StabilityScorer, {"n_repeats": 0}),
        (SeparabilityScorer, {"top_fraction": 0.0}),
        (SeparabilityScorer, {"ridge": 0.0}),
        (SeparabilityScorer, {"max_rows": 5}),
        (SyntheticAnomalyScorer, {"kind": "made up"}),
        (SyntheticAnomalyScorer, {"strength": 0}),
        (SyntheticAnomalyScorer, {"n_synthetic": 0}),
    ],
)
def test_parameters_are_checked(scorer, options):
    with pytest.raises(ValueError, match=f"'{next(iter(options))}' parameter of {scorer.__name__}"):
        scorer(**options)
