import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chi2
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture

from skanomaly.generation import (
    Ancestral,
    BoostAndSkip,
    DiffusionSampler,
    MinorityReweighting,
    MixtureDenoiser,
    NoiseAwareMixture,
    SelfGuidance,
    filter_samples,
    interpolation_score,
    trajectory_variance,
)

KERNEL = MixtureDenoiser()
MIXTURE = MixtureDenoiser(density=GaussianMixture(4, n_init=2, random_state=0))


def _cross(seed, n_columns, n_rows=400):
    """Rows of four modes with standard deviation 1/2; the last two hold a tenth of them."""
    random = np.random.default_rng(seed)
    centers = np.zeros((4, n_columns))
    centers[:, :2] = [[-3, 0], [3, 0], [0, 5], [0, -5]]
    group = random.choice(4, n_rows, p=[0.6, 0.3, 0.07, 0.03])
    return centers[group] + 0.5 * random.normal(size=(n_rows, n_columns)), centers, np.mean(group >= 2)


def _corner(seed, n_columns, n_rows=300):
    """The same with the rarest mode in the corner of a square: half of all directions lead away from the rare modes."""
    random = np.random.default_rng(seed)
    centers = np.zeros((4, n_columns))
    centers[1, 0] = centers[2, 1] = centers[3, 0] = centers[3, 1] = 4
    group = random.choice(4, n_rows, p=[0.6, 0.3, 0.07, 0.03])
    return centers[group] + 0.5 * random.normal(size=(n_rows, n_columns)), centers, np.mean(group >= 2)


def _drawn(seed, n_columns, denoiser, method, n_samples=400, layout=_cross):
    """Fraction of rare modes among drawn rows, fraction off the support, and the fraction in the data."""
    X, centers, base = layout(seed, n_columns)
    sampler = DiffusionSampler(denoiser, method=method, n_steps=50, random_state=seed).fit(X)
    distances = np.linalg.norm(sampler.sample(n_samples)[:, None] - centers, axis=2) / 0.5
    off = np.mean(distances.min(axis=1) > np.sqrt(chi2.ppf(0.998, n_columns)))
    return np.mean(distances.argmin(axis=1) >= 2), off, base


@pytest.mark.parametrize("n_columns", [2, 8])
@pytest.mark.parametrize("denoiser", [KERNEL, MIXTURE], ids=["kernel", "mixture"])
def test_boost_and_skip_triples_the_rare_modes_on_the_support(n_columns, denoiser):
    found = np.mean([_drawn(seed, n_columns, denoiser, BoostAndSkip()) for seed in range(4)], axis=0)
    assert found[0] > 3 * found[2]
    assert found[1] < 0.02


@pytest.mark.parametrize("n_columns", [2, 8])
@pytest.mark.parametrize("method", [BoostAndSkip(), SelfGuidance()], ids=["boost", "guided"])
def test_rare_modes_in_a_corner_are_tripled_too(method, n_columns):
    found = np.mean([_drawn(seed, n_columns, KERNEL, method, layout=_corner) for seed in range(6)], axis=0)
    assert found[0] > 3 * found[2]
    assert found[1] < 0.02


@pytest.mark.parametrize("n_columns", [2, 8])
def test_ancestral_draws_keep_the_fractions(n_columns):
    found = np.mean([_drawn(seed, n_columns, KERNEL, None) for seed in range(4)], axis=0)
    assert abs(found[0] - found[2]) < 4.5 * np.sqrt(0.1 * 0.9 / 1600)
    assert found[1] < 0.01


@pytest.mark.parametrize(
    ("method", "n_columns", "off"),
    [(MinorityReweighting(), 2, 0.01), (SelfGuidance(strength=1.0), 2, 0.03), (SelfGuidance(), 8, 0.02)],
)
def test_other_methods_draw_rare_modes_more_often(method, n_columns, off):
    found = np.mean([_drawn(seed, n_columns, KERNEL, method) for seed in range(3)], axis=0)
    assert found[0] > 3 * found[2]
    assert found[1] < off


def test_a_boost_without_a_skip_is_forgotten():
    found = np.mean([_drawn(seed, 2, KERNEL, BoostAndSkip(noise_to_signal=100)) for seed in range(3)], axis=0)
    assert found[0] < 1.7 * found[2]


def test_the_rule_by_noise_over_signal_is_the_same_for_any_number_of_steps(seed):
    X, _, _ = _cross(seed, 2)
    for n_steps in (50, 200):
        sampler = DiffusionSampler(method=BoostAndSkip(noise_to_signal=2.2), n_steps=n_steps, random_state=seed)
        first = sampler.fit(X).sample_trajectories(3).noise_to_signal[0]
        assert 2.1 < first < 2.6


def test_a_callable_with_the_exact_denoiser_draws_the_same_rows(seed):
    """Gaussian data have a denoiser of one line."""
    random = np.random.default_rng(seed)
    X = 3.0 + 2.0 * random.normal(size=(500, 2))
    mean, variance = X.mean(axis=0), X.var()

    def shrink(rows, noise_std):
        return mean + variance / (variance + noise_std**2) * (rows - mean)

    drawn = DiffusionSampler(shrink, random_state=seed).fit(X).sample(4000)
    assert_allclose(drawn.mean(axis=0), mean, atol=4.5 * 2 / np.sqrt(4000))
    assert_allclose(drawn.std(axis=0), X.std(), rtol=0.06)


def test_noise_aware_mixtures_can_be_plugged_in(seed):
    X, centers, _ = _cross(seed, 2)
    sampler = DiffusionSampler(NoiseAwareMixture(n_components=4, n_init=5, random_state=1), n_steps=30, random_state=0)
    distances = np.linalg.norm(sampler.fit(X).sample(200)[:, None] - centers, axis=2).min(axis=1)
    assert np.mean(distances < 2) > 0.9


def test_trajectories_end_in_the_rows(seed):
    X, _, _ = _cross(seed, 2)
    sampler = DiffusionSampler(n_steps=40, random_state=seed).fit(X)
    found = sampler.sample_trajectories(20)
    assert_array_equal(found.rows, sampler.sample(20))
    assert found.predictions.shape == found.states.shape == (20, 40, 2)
    assert (np.diff(found.noise_to_signal) < 0).all()
    assert np.abs(found.predictions[:, -1] - found.rows).max() < 0.5
    # The first prediction, from noise alone, is near the mean of all rows.
    assert np.abs(found.predictions[:, 0] - X.mean(axis=0)).max() < 0.5


def test_mixed_frames_come_back_as_frames(seed):
    frame = pd.DataFrame({"size": np.arange(60) % 2 * 9.0 + np.arange(60) / 60, "kind": ["a", "b"] * 30})
    drawn = DiffusionSampler(n_steps=30, random_state=seed).fit(frame).sample(100)
    assert ((drawn["size"] > 5) == (drawn["kind"] == "b")).mean() > 0.97


@pytest.mark.parametrize(
    ("denoiser", "method", "match"),
    [
        (MIXTURE, MinorityReweighting(), "BoostAndSkip"),
        (None, BoostAndSkip(gamma=0.5), "gamma"),
        (None, SelfGuidance(noise_level=1.0), "noise_level"),
    ],
)
def test_methods_that_cannot_be_used_raise_in_fit(denoiser, method, match):
    with pytest.raises(ValueError, match=match):
        DiffusionSampler(denoiser, method=method).fit(_cross(0, 2)[0])


@pytest.mark.parametrize(
    ("denoiser", "match"),
    [(lambda rows, _: rows[:1], "shape"), (lambda rows, _: rows * np.nan, "not finite")],
)
def test_callables_that_return_something_else_raise(denoiser, match):
    with pytest.raises(ValueError, match=match):
        DiffusionSampler(denoiser).fit(_cross(0, 2)[0]).sample(5)


def test_sampling_before_fit_raises():
    with pytest.raises(NotFittedError):
        DiffusionSampler().sample()


def test_methods_are_read_and_set_through_the_sampler():
    sampler = DiffusionSampler(method=BoostAndSkip()).set_params(method__gamma=3.0)
    assert sampler.get_params()["method__gamma"] == 3.0
    assert repr(Ancestral()) == "Ancestral()"


def _stored(seed, n_rows=4000, n_steps=200):
    """Predictions of a learnt denoiser: those of settled rows tremble, those of rows between modes jump to the end."""
    random = np.random.default_rng(seed)
    noise = np.geomspace(1.0, 0.002, n_steps)
    modes = random.choice([1.0, 2.0, 3.0], n_rows)
    predictions = modes[:, None] + 0.05 * noise * random.normal(size=(n_rows, n_steps))
    # Until a tenth of the steps is left all rows jump.
    early = n_steps - n_steps // 10
    predictions[:, :early] = random.choice([1.0, 2.0, 3.0], size=(n_rows, early))
    jumping = np.flatnonzero(random.random(n_rows) < 0.01)
    lower = np.floor(random.uniform(1, 3, len(jumping)))
    predictions[jumping, early:] = lower[:, None] + random.choice([0.2, 0.8], size=(len(jumping), n_steps - early))
    return predictions[:, :, None], np.isin(np.arange(n_rows), jumping)


def test_filter_removes_rows_that_jump_and_keeps_the_others(seed):
    predictions, jumps = _stored(seed)
    kept = filter_samples(np.arange(4000), predictions, keep=0.96)
    assert len(kept) == 3840
    assert 1 - jumps[kept].sum() / jumps.sum() > 0.95
    assert np.mean(np.isin(np.flatnonzero(~jumps), kept)) > 0.96


def test_window_of_the_filter_matters(seed):
    predictions, jumps = _stored(seed)
    ratios = [
        np.median(variances[jumps]) / np.median(variances[~jumps])
        for variances in (trajectory_variance(predictions, window_size=size) for size in (0.05, 0.5))
    ]
    assert ratios[0] > 10
    assert ratios[1] < 1.5


def test_filter_hands_frames_back(seed):
    predictions, _ = _stored(seed, 50)
    frame = pd.DataFrame({"a": np.arange(50)}, index=np.arange(50) + 100)
    kept = filter_samples(frame, predictions, keep=0.5)
    assert len(kept) == 25
    assert (kept.index == kept["a"] + 100).all()


@pytest.mark.parametrize(("shape", "match"), [((5, 9), "n_steps"), ((5, 1, 2), "at least 2"), ((4, 9, 2), "4")])
def test_trajectories_of_another_shape_raise(shape, match):
    with pytest.raises(ValueError, match=match):
        filter_samples(np.zeros((5, 2)), np.zeros(shape))


def test_interpolation_score_separates_copies_new_rows_and_rows_between_modes(seed):
    random = np.random.default_rng(seed)
    X = np.vstack([random.normal(-9, 1, size=(150, 3)), random.normal(9, 1, size=(150, 3))])
    copies, new = X[:50] + 1e-3, np.vstack([random.normal(-9, 1, size=(50, 3)), random.normal(9, 1, size=(50, 3))])
    assert interpolation_score(copies, X).max() < 0.1
    assert 0.5 < np.median(interpolation_score(new, X)) < 2
    assert interpolation_score(np.zeros((1, 3)), X)[0] > 2.5
    assert_allclose(interpolation_score(new * [1, 10, 100], X * [1, 10, 100]), interpolation_score(new, X), rtol=0.5)


@pytest.mark.parametrize(
    ("X", "real", "match"),
    [
        ([[1.0, 2.0]], [[1.0], [2.0], [3.0]], "columns"),
        ([[1.0]], [[2.0], [2.0], [2.0]], "all equal"),
    ],
)
def test_interpolation_score_names_what_is_wrong(X, real, match):
    with pytest.raises(ValueError, match=match):
        interpolation_score(X, real)
