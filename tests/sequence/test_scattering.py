"""Scattering covariances, and separation of transients by them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import lfilter
from sklearn.metrics import roc_auc_score

from skanomaly.detectors import NearestNeighborsDetector
from skanomaly.sequence import ScatteringCovariance, remove_transients
from skanomaly.sequence._collections._transients import _Task
from skanomaly.sequence._encoders._wavelets import Moments, band_passes, moments


def _pulses(random, n_series, n_timepoints):
    """Pulses of random height that decay."""
    starts = (random.random((n_series, n_timepoints)) < 0.03) * random.normal(1, 0.3, size=(n_series, n_timepoints))
    return np.array([np.convolve(row, np.exp(-np.arange(40) / 6))[:n_timepoints] for row in starts])


def _surrogates(random, series):
    """Gaussian series of the same spectra."""
    spectra = np.fft.rfft(series, axis=1)
    phases = random.uniform(0, 2 * np.pi, spectra.shape)
    phases[:, [0, -1]] = 0
    return np.fft.irfft(np.abs(spectra) * np.exp(1j * phases), n=series.shape[1], axis=1)


def test_features_see_texture_where_the_spectrum_does_not(seed):
    random = np.random.default_rng(seed)
    train, pulses = _surrogates(random, _pulses(random, 50, 512)), _pulses(random, 30, 512)
    test, labels = np.concatenate([pulses, _surrogates(random, pulses)]), np.repeat([-1, 1], 30)
    encoder = ScatteringCovariance(n_octaves=6).fit(train[:, :, None])
    known, new = encoder.transform(train[:, :, None]), encoder.transform(test[:, :, None])
    spectrum = slice(encoder.n_octaves_, 2 * encoder.n_octaves_)
    auc = [
        roc_auc_score(labels, NearestNeighborsDetector().fit(known[:, columns]).score_samples(new[:, columns]))
        for columns in (slice(None), spectrum)
    ]
    assert auc[0] >= 0.95
    assert auc[1] <= 0.65


def test_features_do_not_depend_on_shift_scale_and_level(seed):
    X = np.random.default_rng(seed).normal(size=(4, 200, 2)) ** 3
    encoder = ScatteringCovariance(n_octaves=5)
    features = encoder.fit_transform(X)
    assert_allclose(encoder.transform(np.roll(X, 77, axis=1)), features, atol=1e-10)
    assert_allclose(encoder.transform(1e6 * X), features, atol=1e-10)
    assert_allclose(encoder.transform(X + 50.0), features, atol=1e-10)


def test_features_equal_means_of_filtered_series(seed):
    x = np.random.default_rng(seed).normal(size=100)
    x -= x.mean()
    features = ScatteringCovariance(n_octaves=3).fit_transform([x])[0]
    gains = band_passes(100, 3)

    def filtered(values, scale):
        return np.fft.ifft(np.fft.fft(values) * gains[scale])

    values = [filtered(x, scale) for scale in range(3)]
    sigma = [np.sqrt(np.mean(np.abs(value) ** 2)) for value in values]
    assert_allclose(features[:3], [np.abs(v).mean() / s for v, s in zip(values, sigma, strict=True)], rtol=1e-5)
    assert_allclose(features[3:6], np.log10(np.square(sigma) / np.square(sigma).sum()), rtol=1e-9)
    phase = np.mean(values[2] * filtered(np.abs(values[0]), 2).conj()) / (sigma[0] * sigma[2])  # pairs 01, 02, 12
    assert_allclose([features[7], features[10]], [phase.real, phase.imag], atol=1e-6)
    moduli = [filtered(np.abs(values[scale]), 2) / sigma[scale] for scale in (0, 1)]
    between = np.mean(moduli[0] * moduli[1].conj())  # triples 001, 002, 012, 112
    assert_allclose([features[14], features[16]], [between.real, between.imag], atol=1e-6)
    assert features.shape == (17,)


def test_sparsity_of_gaussian_noise_is_that_of_theory(seed):
    noise = np.random.default_rng(seed).normal(size=(20, 4096, 1))
    sparsities = ScatteringCovariance(n_octaves=4).fit_transform(noise)[:, :4].mean(axis=0)
    assert_allclose(sparsities, np.sqrt(np.pi) / 2, atol=0.01)


def test_short_and_constant_series_have_finite_features():
    with pytest.warns(UserWarning, match="n_octaves=8 is too many for a series of 5 time points; 2 are used"):
        encoder = ScatteringCovariance().fit([np.arange(5.0), np.arange(9.0)])
    found = encoder.transform([np.zeros(1), np.full(7, 1e8), np.arange(6.0)])
    assert np.isfinite(found).all()
    assert_array_equal(found[1], np.where(np.isin(np.arange(found.shape[1]), [2, 3]), -12.0, 0.0))


def test_features_do_not_depend_on_the_batch_nor_on_jobs(seed):
    X = np.random.default_rng(seed).normal(size=(40, 64, 2))
    one = ScatteringCovariance(n_octaves=3, n_jobs=1).fit(X)
    two = ScatteringCovariance(n_octaves=3, n_jobs=2).fit(X)
    assert_array_equal(one.transform(X), two.transform(X))
    assert_array_equal(one.transform(X)[7:8], one.transform(X[7:8]))


def _differences(function, x, step=1e-6):
    return [(function(x + unit) - function(x - unit)) / (2 * step) for unit in step * np.eye(len(x))]


def test_gradients_of_moments_equal_differences(seed):
    random = np.random.default_rng(seed)
    x, scales = random.normal(size=40), np.array([0.8, 0.7, 0.6])
    found, back = moments(x[None], 3, scales)
    slopes = [
        random.normal(size=part.shape) + 1j * random.normal(size=part.shape) * np.iscomplexobj(part) for part in found
    ]
    slopes = Moments(
        *(part if np.iscomplexobj(whole) else part.real for part, whole in zip(slopes, found, strict=True))
    )

    def loss(values):
        parts = moments(values[None], 3, scales)[0]
        return sum((slope.conj() * part).sum().real for slope, part in zip(slopes, parts, strict=True))

    assert_allclose(back(slopes)[0], _differences(loss, x), atol=1e-7)


def test_gradient_of_the_separation_equals_differences(seed):
    random = np.random.default_rng(seed)
    task = _Task(random.normal(size=40), random.normal(size=(4, 40)), 3, 0.5)
    x = random.normal(size=40)
    assert_allclose(task.loss(x)[1], _differences(lambda values: task.loss(values)[0], x), atol=1e-6)


def _glitched(seed, n_timepoints=256):
    random = np.random.default_rng(seed)
    noise = lfilter([1], [1, -0.8], random.normal(size=(11, n_timepoints + 200)), axis=1)[:, 200:]
    places = np.arange(50)
    glitch = np.zeros(n_timepoints)
    glitch[120:170] = 25 * np.sin(places) * np.hanning(50)
    return noise[0], glitch, noise[1:]


def test_glitch_loses_ten_decibels(seed):
    truth, glitch, snippets = _glitched(seed)
    error = remove_transients(truth + glitch, snippets, max_iter=50) - truth
    assert 10 * np.log10(np.square(glitch).sum() / np.square(error).sum()) >= 10


def test_background_without_transients_stays(seed):
    truth, _, snippets = _glitched(seed)
    assert np.square(remove_transients(truth, snippets, max_iter=20) - truth).mean() < 0.1 * truth.var()


def test_channels_are_separated_one_by_one(seed):
    truth, glitch, snippets = _glitched(seed, 180)
    both = remove_transients(
        np.column_stack([truth, truth + glitch]), np.stack([snippets, 3 * snippets], axis=2), max_iter=5
    )
    assert_array_equal(both[:, 0], remove_transients(truth, snippets, max_iter=5))
    assert both.shape == (180, 2)


@pytest.mark.parametrize(
    ("background", "message"),
    [
        (np.zeros((4, 30)), r"background\[0\] has shape \(30, 1\) and X \(40, 1\)"),
        (np.zeros((2, 40)), "has 2 snippets; give at least 3"),
        (np.ones((4, 40)), "snippets of background are constant"),
    ],
)
def test_wrong_backgrounds_raise(background, message):
    with pytest.raises(ValueError, match=message):
        remove_transients(np.arange(40.0), background)
