import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.mixture import GaussianMixture

from skanomaly.generation import NoiseAwareMixture, data_price_curve, sample_worth

CENTERS = np.array([[0.0, 0], [3, 0], [0, 3]])


def _rows(random, n_rows, noise_std=0.0):
    clean = CENTERS[random.integers(0, 3, n_rows)] + 0.5 * random.normal(size=(n_rows, 2))
    return clean + noise_std * random.normal(size=(n_rows, 2))


class _WeightedMean(BaseEstimator):
    """The mean of rows of variance 1 plus that of their noise."""

    def fit(self, X, y=None, *, noise_var=0.0):
        self.mean_ = np.average(X[:, 0], weights=1 / (1 + noise_var))
        return self


def _error(fitted):
    distances = np.linalg.norm(fitted.means_[:, None] - CENTERS, axis=2)
    return float(np.sqrt(np.mean(np.square(distances.min(axis=0)))))


def _fit(X, noise_var):
    return NoiseAwareMixture(n_components=3, tol=1e-6, max_iter=1000, random_state=0).fit(X, noise_var=noise_var)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:NoiseAwareMixture took max_iter")
@pytest.mark.parametrize("noise_std", [1.0, 2.0])
def test_clean_and_noisy_rows_together_are_better_than_either(noise_std):
    errors = []
    for seed in range(9):
        random = np.random.default_rng(seed)
        clean, noisy = _rows(random, 100), _rows(random, 4000, noise_std)
        X, noise = np.vstack([clean, noisy]), np.repeat([0.0, noise_std**2], [100, 4000])
        fits = [_fit(clean, 0.0), _fit(noisy, noise[100:]), _fit(X, noise), _fit(X, 0.0)]
        errors.append([_error(fit) for fit in fits])
    clean_only, noisy_only, both, ignored = np.median(errors, axis=0)
    assert both < min(clean_only, noisy_only)
    assert both < ignored


def test_without_noise_it_is_scikit_learns_mixture(seed):
    X = _rows(np.random.default_rng(seed), 900)
    expected = GaussianMixture(3, covariance_type="diag", tol=1e-8, max_iter=1000, random_state=0).fit(X)
    found = NoiseAwareMixture(n_components=3, tol=1e-9, random_state=0).fit(X)
    assert_allclose(found.log_likelihood_, expected.score(X), atol=1e-4)
    assert_allclose(np.sort(found.means_[:, 0]), np.sort(expected.means_[:, 0]), atol=0.01)


def test_variance_of_the_noise_is_taken_off(seed):
    random = np.random.default_rng(seed)
    noise = random.choice([0.25, 4.0], 4000)
    X = 2 * random.normal(size=4000) + np.sqrt(noise) * random.normal(size=4000)
    found = NoiseAwareMixture(tol=1e-8, random_state=0).fit(X[:, None], noise_var=noise)
    # The variance of the estimate is 2 / sum 1 / (v + s^2)^2.
    error = np.sqrt(2 / np.sum((4 + noise) ** -2.0))
    assert abs(found.variances_[0, 0] - 4) < 4.5 * error


def test_denoising_is_the_posterior_mean_and_lowers_the_error(seed):
    random = np.random.default_rng(seed)
    clean = _rows(random, 600)
    noise = random.choice([0.1, 2.0], size=(600, 2))
    noisy = clean + np.sqrt(noise) * random.normal(size=(600, 2))
    found = _fit(clean, 0.0)
    denoised = found.denoise(noisy, noise)
    assert np.mean((denoised - clean) ** 2) < 0.7 * np.mean((noisy - clean) ** 2)
    single = NoiseAwareMixture(random_state=0).fit(clean[:, :1])
    gain = single.variances_ / (single.variances_ + noise[:, :1])
    assert_allclose(single.denoise(noisy[:, :1], noise[:, :1]), single.means_ + gain * (noisy[:, :1] - single.means_))


def test_score_is_the_density_of_the_noisy_row(seed):
    random = np.random.default_rng(seed)
    X, noise = random.normal(size=(50, 1)), random.random(50)
    found = NoiseAwareMixture(random_state=0).fit(X)
    expected = norm(found.means_[0, 0], np.sqrt(found.variances_[0, 0] + noise)).logpdf(X[:, 0])
    assert_allclose(found.score_samples(X, noise), expected)


def test_steps_that_end_early_are_warned_of():
    X = _rows(np.random.default_rng(0), 300, 2.0)
    with pytest.warns(UserWarning, match="max_iter=2"):
        NoiseAwareMixture(n_components=3, max_iter=2, random_state=0).fit(X, noise_var=4.0)


@pytest.mark.parametrize(
    ("noise_var", "match"), [(np.ones(7), "noise_var has shape"), (-1.0, "at least 0"), (np.full(30, np.nan), "finite")]
)
def test_wrong_noise_raises(noise_var, match):
    with pytest.raises(ValueError, match=match):
        NoiseAwareMixture().fit(np.random.default_rng(0).normal(size=(30, 2)), noise_var=noise_var)


@pytest.mark.parametrize(("parameter", "power"), [("mean", 1), ("variance", 2)])
def test_worth_is_the_ratio_of_informations(parameter, power, seed):
    noise, signal = np.random.default_rng(seed).random(2)
    assert_allclose(sample_worth(noise, signal, parameter=parameter), (signal / (signal + noise)) ** power)
    assert sample_worth(0.0, 1.0, parameter=parameter) == 1.0
    assert sample_worth([1.0], [1.0], parameter=parameter).tolist() == [0.5**power]


@pytest.mark.parametrize("arguments", [(-1.0, 1.0), (1.0, 0.0)])
def test_worth_of_a_negative_variance_raises(arguments):
    with pytest.raises(ValueError, match="variances"):
        sample_worth(*arguments)
    with pytest.raises(ValueError, match="parameter"):
        sample_worth(1.0, 1.0, parameter="median")


def test_price_of_a_noisy_row_is_about_the_inverse_of_its_worth():
    random = np.random.default_rng(0)
    noise = np.repeat([0.0, 1.0], 20000)
    X = random.normal(size=(40000, 1)) * np.sqrt(1 + noise)[:, None]
    curve = data_price_curve(
        _WeightedMean(),
        X,
        noise,
        metric=lambda fitted: float(np.square(fitted.mean_)),
        n_clean=[20, 40, 80, 160, 320, 640],
        n_noisy=[100, 200],
        n_repeats=1000,
        random_state=0,
    )
    assert curve.price.isna().tolist() == [True] * 6 + [False] * 2
    assert ((curve.price.iloc[6:] > 1.4) & (curve.price.iloc[6:] < 2.8)).all()  # 2 by theory
    assert (np.diff(curve.error.iloc[:6]) < 0).all()


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"n_clean": [50]}, "at least two ascending"),
        ({"n_clean": [10, 60]}, "fewer than"),
        ({"metric": lambda _: -1.0}, "above 0"),
    ],
)
def test_price_curve_names_what_is_wrong(changed, match):
    X, noise = np.random.default_rng(0).normal(size=(100, 1)), np.repeat([0.0, 1.0], 50)
    options = {"metric": lambda _: 1.0, "n_clean": [10, 20], "n_noisy": [10], "random_state": 0, **changed}
    with pytest.raises(ValueError, match=match):
        data_price_curve(NoiseAwareMixture(), X, noise, **options)
