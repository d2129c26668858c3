import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.neighbors import KernelDensity

from skanomaly.generation import MixtureDenoiser


def modes(seed, n_columns=2, n_rows=300):
    """Rows of four modes, of which the last two hold a tenth of the rows; whether a row is of those."""
    random = np.random.default_rng(seed)
    centers = np.zeros((4, n_columns))
    centers[1, 0] = centers[2, 1] = centers[3, 0] = centers[3, 1] = 8
    group = random.choice(4, n_rows, p=[0.6, 0.3, 0.07, 0.03])
    return centers[group] + random.normal(size=(n_rows, n_columns)), group >= 2


@pytest.mark.parametrize("n_columns", [2, 8])
@pytest.mark.parametrize("density", ["neighbors", "likelihood", GaussianMixture(4, n_init=3, random_state=0)])
def test_minority_score_finds_the_rare_modes(n_columns, density):
    areas = []
    for seed in range(4):
        X, is_rare = modes(seed, n_columns, 600)
        areas.append(roc_auc_score(is_rare, MixtureDenoiser(density=density).fit(X).minority_score(X, n_draws=10)))
    assert np.mean(areas) > 0.985


def test_minority_score_of_a_row_does_not_depend_on_the_others(seed):
    X, _ = modes(seed)
    denoiser = MixtureDenoiser().fit(X)
    assert_array_equal(denoiser.minority_score(X[:7])[3:4], denoiser.minority_score(X[3:4]))


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("mixture", [GaussianMixture, BayesianGaussianMixture])
def test_density_of_a_mixture_is_scikit_learns(mixture, covariance_type, seed):
    X, _ = modes(seed, 3)
    density = mixture(n_components=2, covariance_type=covariance_type, random_state=0)
    denoiser = MixtureDenoiser(density=density).fit(X)
    if mixture is GaussianMixture:
        assert_allclose(denoiser.score_samples(X), denoiser.density_.score_samples(X), rtol=1e-9)
    assert roc_auc_score(np.repeat([0, 1], 300), denoiser.score_samples(np.vstack([X + 40, X]))) == 1


def test_density_of_kernels_is_scikit_learns(seed):
    X, _ = modes(seed, 3)
    rows = X[:20] + 0.1
    denoiser = MixtureDenoiser(density=KernelDensity(bandwidth=0.7)).fit(X)
    assert_allclose(denoiser.score_samples(rows), KernelDensity(bandwidth=0.7).fit(X).score_samples(rows), rtol=1e-9)


def test_a_training_row_is_no_evidence_for_itself(seed):
    X, _ = modes(seed)
    X[0] = [40.0, 40.0]
    scores = MixtureDenoiser().fit(X).score_samples(X)
    assert scores[0] == scores.min()
    rest = MixtureDenoiser(density=KernelDensity(bandwidth=0.5)).fit(np.delete(X, 5, axis=0))
    whole = MixtureDenoiser(density=KernelDensity(bandwidth=0.5)).fit(X)
    assert_allclose(whole.score_samples(X[5:6]), rest.score_samples(X[5:6]), rtol=1e-9)


@pytest.mark.parametrize("n_columns", [2, 8, 20])
def test_drawn_rows_stay_on_the_support(n_columns):
    fractions = []
    for seed in range(4):
        X, _ = modes(seed, n_columns)
        drawn = MixtureDenoiser(random_state=seed).fit(X).sample(2000)
        centers = np.zeros((4, n_columns))
        centers[1, 0] = centers[2, 1] = centers[3, 0] = centers[3, 1] = 8
        squares = np.square(drawn[:, None] - centers).sum(axis=2).min(axis=1)
        fractions.append(np.mean(squares > np.quantile(np.random.default_rng(0).chisquare(n_columns, 10**5), 0.998)))
    assert np.mean(fractions) < 0.03


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_mixed_frames_come_back_as_frames(library, seed):
    random = np.random.default_rng(seed)
    big = random.random(200) < 0.5
    frame = pd.DataFrame(
        {"size": np.where(big, 10.0, 1.0) + 0.1 * random.normal(size=200), "kind": np.where(big, "big", "small")}
    )
    given = frame if library == "pandas" else pl.from_pandas(frame)
    denoiser = MixtureDenoiser(random_state=seed).fit(given)
    drawn = denoiser.sample(300)
    assert type(drawn) is type(given)
    assert list(drawn.columns) == ["size", "kind"]
    sizes, kinds = np.asarray(drawn["size"]), np.asarray(drawn["kind"])
    assert ((sizes > 5) == (kinds == "big")).all()
    clean = denoiser.denoise(given, 4.0)
    assert (np.asarray(clean["kind"]) == frame["kind"].to_numpy()).all()


def test_a_column_without_variation_keeps_its_value(seed):
    X, _ = modes(seed)
    X = np.column_stack([X, np.full(300, 7.3)])
    assert (MixtureDenoiser(random_state=seed).fit(X).sample(50)[:, 2] == 7.3).all()


def test_noise_makes_scores_of_far_rows_higher(seed):
    X, _ = modes(seed)
    denoiser = MixtureDenoiser().fit(X)
    far = [[20.0, 20.0]]
    assert denoiser.score_samples(far, 25.0)[0] > denoiser.score_samples(far, 1.0)[0] > denoiser.score_samples(far)[0]


@pytest.mark.parametrize(
    ("density", "match"),
    [
        (KernelDensity(kernel="tophat"), "kernel='tophat'"),
        (IsolationForest(), "density is a IsolationForest"),
    ],
)
def test_densities_without_a_known_denoiser_raise(density, match):
    with pytest.raises(ValueError, match=match):
        MixtureDenoiser(density=density).fit(modes(0)[0])


@pytest.mark.parametrize(("noise_var", "match"), [([1.0, 2.0, 3.0], "shape"), (-1.0, "at least 0"), (np.nan, "finite")])
def test_wrong_noise_raises(noise_var, match):
    X, _ = modes(0)
    with pytest.raises(ValueError, match=match):
        MixtureDenoiser().fit(X).denoise(X, noise_var)


def test_missing_values_raise_with_a_remedy():
    with pytest.raises(ValueError, match="Impute"):
        MixtureDenoiser().fit(pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": ["x", "y", "x"]}))
