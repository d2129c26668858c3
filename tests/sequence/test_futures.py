"""Several sampled futures."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from skanomaly._support._denoiser import cosine_signals
from skanomaly.sequence import Analogue, AutoregressiveDetector, Diffusion, MultiFutureDetector, ResidualBootstrap

SAMPLERS = [Analogue(n_references=200), ResidualBootstrap(), Diffusion(n_steps=4, max_iter=30)]


def _branches(seed, n_runs=600):
    """Runs of three equal time points, then three at +1 or -1; in thirty of the second half at 0."""
    random = np.random.default_rng(seed)
    branch, labels = random.choice([-1.0, 1.0], size=n_runs), np.ones(n_runs, dtype=int)
    anomalies = random.choice(np.arange(n_runs // 2, n_runs), 30, replace=False)
    branch[anomalies], labels[anomalies] = 0.0, -1
    runs = np.column_stack([np.tile([0.0, 0.5, 1.0], (n_runs, 1)), branch, branch, branch])
    series = runs.ravel() + 0.05 * random.normal(size=6 * n_runs)
    half = 3 * n_runs
    return series[:half], series[half:], labels[n_runs // 2 :]


def test_a_third_branch_is_anomalous_and_one_forecast_misses_it(seed):
    train, test, labels = _branches(seed)
    detector = MultiFutureDetector(n_past=3, n_future=3, random_state=seed).fit(train)
    assert roc_auc_score(labels, detector.score_windows(test)[::6]) >= 0.97
    mean = MultiFutureDetector(n_past=3, n_future=3, aggregation="mean", random_state=seed).fit(train)
    assert roc_auc_score(labels, mean.score_windows(test)[::6]) <= 0.55
    forecast = AutoregressiveDetector(order=3, smoothing=1).fit(train).score_samples(test).reshape(-1, 6)[:, 3]
    assert roc_auc_score(labels, forecast) <= 0.6


def test_diffusion_samples_both_branches(seed):
    train, test, labels = _branches(seed)
    sampler = Diffusion(max_iter=1500)
    detector = MultiFutureDetector(sampler=sampler, n_past=3, n_future=3, random_state=seed).fit(train)
    assert roc_auc_score(labels, detector.score_windows(test)[::6]) >= 0.9
    ends = detector.sample_futures(train[:-3])[:, -1, 0]
    assert (ends > 0.7).any()
    assert (ends < -0.7).any()


def test_schedule_of_the_diffusion_is_the_cosine():
    steps = np.arange(11)
    curve = np.cos((steps / 10 + 0.008) / 1.008 * np.pi / 2) ** 2
    assert_allclose(cosine_signals(10), np.clip(curve / curve[0], 1e-4, 1 - 1e-4), rtol=1e-12)


def test_bootstrap_futures_have_mean_and_spread_of_an_autoregression(seed):
    random = np.random.default_rng(seed)
    series = np.zeros(1000)
    for place in range(1, 1000):
        series[place] = 0.8 * series[place - 1] + random.normal()
    sampler = ResidualBootstrap()
    detector = MultiFutureDetector(sampler=sampler, n_past=2, n_future=3, n_samples=600, random_state=seed)
    futures = detector.fit(series).sample_futures(np.append(series[:-1], 2.0))[:, :, 0]
    assert_allclose(futures.mean(axis=0), 2 * 0.8 ** np.arange(1, 4), atol=0.3)
    assert_allclose(futures.var(axis=0), np.cumsum(0.64 ** np.arange(3)), rtol=0.3)


def test_analogues_are_the_futures_of_the_nearest_pasts(seed):
    series = np.random.default_rng(seed).normal(size=120)
    detector = MultiFutureDetector(n_past=4, n_future=2, n_samples=3, random_state=0).fit(series)
    past = np.random.default_rng(seed + 1).normal(size=4)
    windows = np.lib.stride_tricks.sliding_window_view(series, 6)
    centred = windows[:, :4] - windows[:, :4].mean(axis=1, keepdims=True)
    nearest = np.argsort(np.linalg.norm(centred - (past - past.mean()), axis=1))[:3]
    expected = windows[nearest, 4:] - windows[nearest, :4].mean(axis=1, keepdims=True) + past.mean()
    assert_allclose(np.sort(detector.sample_futures(past)[:, :, 0], axis=0), np.sort(expected, axis=0), atol=1e-9)


def test_a_training_window_is_no_analogue_of_itself(seed):
    series = np.random.default_rng(seed).normal(size=300)
    detector = MultiFutureDetector(n_past=4, n_future=2, n_samples=1, random_state=0).fit(series)
    assert detector.score_windows(series).max() < -1e-3


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_same_seed_same_bits_and_global_state_untouched(sampler, seed):
    series = np.random.default_rng(seed).normal(size=(200, 2))
    before = np.random.get_state()[1].copy()  # noqa: NPY002  # the global state is what is tested
    detector = MultiFutureDetector(sampler=sampler, n_past=4, n_future=2, n_samples=5, random_state=seed)
    scores = detector.fit(series).score_samples(series)
    assert_array_equal(clone(detector).fit(series).score_samples(series), scores)
    assert_array_equal(detector.fit(series).score_samples(series), scores)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_windows_alone_score_as_in_a_series(sampler, seed):
    random = np.random.default_rng(seed)
    series, other = random.normal(size=(200, 2)), random.normal(size=(400, 2))
    detector = MultiFutureDetector(sampler=sampler, n_past=4, n_future=2, n_samples=5, random_state=seed).fit(series)
    scores = detector.score_windows(other)
    starts = [0, 77, 394]
    alone = [detector.score_windows(other[start : start + 6])[0] for start in starts]
    assert_array_equal(alone, scores[starts])


@pytest.mark.parametrize("aggregation", ["min", "median", 0.25, "mean"])
def test_aggregations_are_ordered(aggregation, seed):
    series = np.random.default_rng(seed).normal(size=150)
    least, found = (
        MultiFutureDetector(n_past=3, n_future=2, aggregation=name, random_state=0).fit(series).score_windows(series)
        for name in ("min", aggregation)
    )
    assert (found <= least).all()


def test_a_cut_series_is_scored_and_futures_need_a_whole_past(seed):
    series = np.random.default_rng(seed).normal(size=200)
    series[100] = np.nan
    detector = MultiFutureDetector(n_past=4, n_future=2, random_state=0)
    with pytest.warns(UserWarning, match="have no score"):
        scores = detector.fit(series).score_samples(series)
    assert np.flatnonzero(np.isnan(scores)).tolist() == [100]
    assert detector.sample_futures(series).shape == (20, 2, 1)
    for short in (series[:103], series[:101]):
        with pytest.raises(ValueError, match=r"ends with \d time points without missing values .* futures need 4"):
            detector.sample_futures(short)


def test_a_short_series_shortens_past_and_future():
    with pytest.warns(UserWarning, match="n_past"):
        detector = MultiFutureDetector().fit(np.arange(40.0) % 7)
    assert (detector.n_past_, detector.n_future_, detector.window_size_) == (5, 5, 10)


def test_five_time_points_are_enough():
    with pytest.warns(UserWarning, match="needs 200 time points"):
        scores = MultiFutureDetector().fit_predict(np.arange(10.0).reshape(5, 2) ** 2)
    assert scores.shape == (5,)
