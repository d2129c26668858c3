import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal
from sklearn.metrics import roc_auc_score

from skanomaly.sampling import MinoritySampler
from skanomaly.sampling._generation._diffusion import KernelDenoiser

CENTERS = np.array([[-3.0, 0], [3, 0], [0, 5], [0, -5]])


def _modes(seed, n=400):
    random = np.random.default_rng(seed)
    group = random.choice(4, n, p=[0.6, 0.3, 0.07, 0.03])
    return CENTERS[group] + 0.5 * random.normal(size=(n, 2)), group


def _generated(seed, n_new=600, **parameters):
    X, group = _modes(seed)
    sampler = MinoritySampler(
        sampling_strategy={1: 400 + n_new}, bandwidth=0.15, n_steps=50, random_state=seed, **parameters
    )
    rows = sampler.fit_resample(X, np.ones(400, dtype=int))[0][400:]
    distances = np.linalg.norm(rows[:, None] - CENTERS, axis=2)
    return np.mean(distances.argmin(axis=1) >= 2), np.mean(distances.min(axis=1) > 2.5), np.mean(group >= 2)


def test_denoiser_is_the_posterior_mean(seed):
    random = np.random.default_rng(seed)
    centers, noisy = random.normal(size=(7, 2)), random.normal(size=(5, 2))
    h2, signal = 0.3, 0.6
    found = KernelDenoiser(centers, h2).clean(noisy, signal)
    grid = np.stack(np.meshgrid(*[np.linspace(-6, 6, 241)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    prior = sum(multivariate_normal(c, h2 * np.eye(2)).pdf(grid) for c in centers)
    for row, expected in zip(noisy, found, strict=True):
        weights = prior * multivariate_normal(np.zeros(2), (1 - signal) * np.eye(2)).pdf(row - np.sqrt(signal) * grid)
        assert_allclose(weights @ grid / weights.sum(), expected, atol=1e-6)


def test_ancestral_draws_keep_the_fractions(seed):
    fraction, off, base = _generated(seed, method="ancestral")
    assert abs(fraction - base) < 0.07
    assert off < 0.02


@pytest.mark.parametrize(
    "parameters", [{}, {"method": "reweight", "strength": 6.0}, {"method": "guided", "strength": 1.0}]
)
def test_rare_modes_are_generated_more_often(parameters, seed):
    fraction, off, base = _generated(seed, **parameters)
    assert fraction > 2 * base
    assert off < 0.03


@pytest.mark.slow
def test_boost_and_skip_triples_the_rare_fraction():
    fractions = np.array([_generated(seed) for seed in range(8)])
    assert fractions[:, 0].mean() >= 3 * fractions[:, 2].mean()
    assert fractions[:, 1].mean() < 0.02


def test_rare_modes_score_low(seed):
    X, group = _modes(seed)
    sampler = MinoritySampler(sampling_strategy={1: 401}, random_state=0).fit(X, np.ones(400, dtype=int))
    assert roc_auc_score(group >= 2, -sampler.score_samples(X)) > 0.97


def test_steadiest_rows_are_kept(seed):
    X, _ = _modes(seed)
    kept = [
        MinoritySampler(sampling_strategy={1: 600}, n_steps=30, keep=keep, random_state=seed)
        .fit(X, np.ones(400, dtype=int))
        .trajectory_variance_.max()
        for keep in (1.0, 0.5)
    ]
    assert kept[1] < kept[0]


def _far_modes(seed, n_columns, n=300):
    random = np.random.default_rng(seed)
    centers = np.zeros((4, n_columns))
    centers[1, 0] = centers[2, 1] = centers[3, 0] = centers[3, 1] = 8.0
    group = random.choice(4, n, p=[0.6, 0.3, 0.07, 0.03])
    return centers[group] + random.normal(size=(n, n_columns)), centers


@pytest.mark.parametrize(("method", "most_off"), [("ancestral", 0.01), ("boost-skip", 0.02), ("guided", 0.05)])
@pytest.mark.parametrize(("n_columns", "radius"), [(2, 3.5), (8, 5.1)])  # 0.2 % of clean rows are farther
def test_default_width_stays_on_the_modes(method, most_off, n_columns, radius, seed):
    X, centers = _far_modes(seed, n_columns)
    sampler = MinoritySampler(sampling_strategy={1: 1300}, method=method, n_steps=60, random_state=seed)
    made = sampler.fit_resample(X, np.ones(300, dtype=int))[0][300:]
    assert np.mean(np.linalg.norm(made[:, None] - centers, axis=2).min(axis=1) > radius) < most_off


@pytest.mark.parametrize("n_columns", [2, 20, 200, 1000])
def test_rows_of_any_width_are_made_of_finite_values_near_the_data(n_columns, seed):
    X = np.random.default_rng(seed).normal(size=(30, n_columns))
    made = MinoritySampler(n_steps=20, random_state=seed).fit_resample(X, np.ones(30))[0][30:]
    assert len(made) == 30
    assert np.linalg.norm(made, axis=1).max() < 2 * np.linalg.norm(X, axis=1).max()


def test_default_width_makes_nothing_between_modes(seed):
    random = np.random.default_rng(seed)
    X = (random.choice([1.0, 2.0, 3.0], size=300) + 0.05 * random.normal(size=300))[:, None]
    made = MinoritySampler(random_state=seed).fit_resample(X, np.ones(300))[0][300:]
    assert np.mean(np.abs(made - [1.0, 2.0, 3.0]).min(axis=1) > 0.25) < 0.02


def test_a_given_denoiser_takes_the_place_of_the_density(seed):
    X, _ = _modes(seed)
    exact = KernelDenoiser(X, 0.2**2)
    scores = lambda noisy, signal: (np.sqrt(signal) * exact.clean(noisy, signal) - noisy) / (1 - signal)  # noqa: E731
    made = [
        MinoritySampler(n_steps=30, random_state=seed, **given).fit_resample(X, np.ones(400))[0]
        for given in ({"denoiser": exact.clean}, {"score_function": scores})
    ]
    assert_allclose(made[0], made[1], atol=1e-6)
    distances = np.linalg.norm(made[0][400:, None] - CENTERS, axis=2).min(axis=1)
    assert np.mean(distances > 2.5) < 0.02


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"denoiser": lambda noisy, _: noisy[:, :1]}, "denoiser returned shape"),
        ({"score_function": lambda noisy, _: noisy * np.nan}, "score_function returned NaN"),
        ({"denoiser": abs, "score_function": abs}, "denoiser and score_function are both given"),
        ({"denoiser": abs, "bandwidth": 1.0}, "denoiser and bandwidth are both given"),
        ({"denoiser": abs, "method": "reweight"}, "method='reweight' draws from the kernel density"),
    ],
)
def test_a_wrong_denoiser_raises(parameters, message):
    with pytest.raises(ValueError, match=message):
        MinoritySampler(**parameters).fit(np.arange(20.0).reshape(10, 2), np.ones(10))


def test_constant_columns_stay_constant(seed):
    X, _ = _modes(seed)
    X = np.column_stack([X, np.full(400, 7.0)])
    rows, _ = MinoritySampler(sampling_strategy={1: 450}, n_steps=20, random_state=seed).fit_resample(X, np.ones(400))
    assert (rows[:, 2] == 7.0).all()
