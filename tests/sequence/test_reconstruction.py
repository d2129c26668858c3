"""Encoders of sequences, and the detector that reconstructs them."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import roc_auc_score, roc_curve

from skanomaly.detectors import GaussianDetector
from skanomaly.sequence import (
    ConvolutionEncoder,
    DenseEncoder,
    RandomConvolutionEncoder,
    RecurrentEncoder,
    ReservoirEncoder,
    SequenceReconstructor,
    SlidingWindowDetector,
)
from skanomaly.sequence._encoders._random import ridge_map
from skanomaly.threshold import FixedThreshold, ParetoThreshold, ThresholdedDetector

CLOSED = {
    "convolutions": RandomConvolutionEncoder(n_kernels=16),
    "reservoir": ReservoirEncoder(n_units=16),
    "dense": DenseEncoder(latent_dim=4, hidden_layer_sizes=[24], max_iter=200),
    "variational": DenseEncoder(latent_dim=4, hidden_layer_sizes=[24], kl_weight=0.005, max_iter=200),
}
TRAINED = {
    "convolution": ConvolutionEncoder(latent_dim=4, n_filters=8, max_iter=60),
    "recurrent": RecurrentEncoder(latent_dim=4, n_units=8, max_iter=30),
    "attention": RecurrentEncoder(latent_dim=4, n_units=8, n_heads=2, kl_weight=0.005, max_iter=30),
}


def _waves(random, n_waves, *, anomalous=False):
    """Return two channels of waves of different length; in anomalies the second channel has another shape."""
    found = []
    for _ in range(n_waves):
        length = int(random.integers(24, 33))
        angles = np.linspace(0, 2 * np.pi, length) + 0.1 * random.normal()
        second = np.cos(3 * angles) if anomalous else np.cos(angles)
        found.append(np.column_stack([np.sin(angles), second]) + 0.1 * random.normal(size=(length, 2)))
    return found


def _detector(encoder, **parameters):
    return SequenceReconstructor(clone(encoder), random_state=0, **parameters)


@pytest.fixture(params=[*CLOSED, *TRAINED])
def encoder(request):
    if request.param in TRAINED:
        pytest.importorskip("torch", reason="needs torch")
    return {**CLOSED, **TRAINED}[request.param]


def test_waves_of_another_shape_score_lower(encoder, seed):
    random = np.random.default_rng(seed)
    detector = _detector(encoder).fit(_waves(random, 60))
    scores = detector.score_samples(_waves(random, 30) + _waves(random, 30, anomalous=True))
    assert roc_auc_score(np.repeat([1, 0], 30), scores) > 0.9


def test_a_series_alone_scores_as_among_others(encoder, seed):
    random = np.random.default_rng(seed)
    detector = _detector(encoder).fit(_waves(random, 40))
    X = _waves(random, 70)
    scores = detector.score_samples(X)
    assert_array_equal(detector.score_samples(X[5:6]), scores[5:6])
    assert_array_equal(detector.score_samples(X[::-1]), scores[::-1])


def test_equal_seeds_give_equal_bits_and_leave_global_states(encoder, seed):
    X = _waves(np.random.default_rng(seed), 40)
    before = np.random.get_state()[1].copy()  # noqa: NPY002  # it must not change
    first, second = _detector(encoder).fit(X), _detector(encoder).fit(X)
    assert_array_equal(first.score_samples(X), second.score_samples(X))
    assert_array_equal(first.fit(X).score_samples(X), second.score_samples(X))
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_stored_detector_has_the_same_bits(encoder, seed):
    X = _waves(np.random.default_rng(seed), 40)
    detector = _detector(encoder).fit(X)
    again = pickle.loads(pickle.dumps(detector))  # noqa: S301  # our own bytes
    assert_array_equal(again.score_samples(X), detector.score_samples(X))


def test_five_series_are_enough(encoder, seed):
    X = _waves(np.random.default_rng(seed), 5)
    assert np.isfinite(_detector(encoder).fit(X).score_samples(X)).all()


def test_channels_add_up_to_time_points_and_name_the_changed_one(encoder, seed):
    random = np.random.default_rng(seed)
    detector = _detector(encoder).fit(_waves(random, 60))
    X = _waves(random, 20, anomalous=True)
    parts, points = detector.score_channels(X), detector.score_timepoints(X)
    for series, part, point in zip(X, parts, points, strict=True):
        assert part.shape == series.shape
        assert_allclose(part.sum(axis=1), point)
    assert_allclose([point.mean() for point in points], detector.score_samples(X))
    assert np.mean([part[:, 1].mean() < part[:, 0].mean() for part in parts]) > 0.8


@pytest.mark.parametrize("name", ["dense", "variational", *TRAINED])
def test_training_halves_the_loss(name, seed):
    if name in TRAINED:
        pytest.importorskip("torch", reason="needs torch")
    encoder = clone({**CLOSED, **TRAINED}[name]).set_params(max_iter=200)
    losses = _detector(encoder).fit(_waves(np.random.default_rng(seed), 60)).loss_curve_
    assert losses[-10:].mean() < 0.5 * losses[:3].mean()


def test_lower_bound_of_a_linear_code_equals_its_definition(seed):
    X = _waves(np.random.default_rng(seed), 30)
    detector = _detector(CLOSED["variational"], statistic="elbo").fit(X)
    rows = detector._read(X)
    outputs = detector._model._outputs(rows)
    means, logs = outputs[:, :4], outputs[:, 4:]
    divergences = 0.5 * (means**2 + np.exp(logs) - logs - 1).sum(axis=1)
    pairs = zip(detector._model.reconstruct(rows), rows, strict=True)
    errors = np.array([0.5 * np.square(found - series).sum() for found, series in pairs])
    assert_allclose(-detector.score_samples(X), (errors + divergences) / [2 * len(series) for series in X], rtol=1e-6)


def test_filling_up_changes_nothing(seed):
    torch = pytest.importorskip("torch", reason="needs torch")
    X = _waves(np.random.default_rng(seed), 30)
    detector = _detector(TRAINED["attention"]).fit(X)
    model, rows = detector._model, detector._read(X[:1])
    from skanomaly._networks._torch import loaded
    from skanomaly._networks._torch_sequences import padded, recurrent

    module = loaded(lambda: recurrent(model._shape), model._weights)
    found = []
    with torch.no_grad():
        for length in (len(rows[0]), 60):
            values, lengths = (torch.from_numpy(part) for part in padded(rows, length, 1))
            codes = module.encode(values, lengths)
            found.append(module.decode(codes[:, :4], lengths, length)[:, : len(rows[0])].numpy())
    assert_allclose(found[0], found[1], atol=1e-5)


def test_code_is_read_from_both_ends_after_attention_to_all_time_points(seed):
    torch = pytest.importorskip("torch", reason="needs torch")
    from skanomaly._networks._torch_sequences import Shape, padded, recurrent

    random = np.random.default_rng(seed)
    rows = [random.normal(size=(length, 2)).astype(np.float32) for length in (9, 14)]
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        module = recurrent(Shape(2, 6, 3, n_heads=2)).eval()
        values, lengths = (torch.from_numpy(part) for part in padded(rows, 14, 2))
        turned, inside = module._places(values, lengths)
        states = module._read(module.forwards, module.backwards, module._gated(values, lengths, inside), turned)
        states = states + module.time_attention(states, states, states, key_padding_mask=~inside)[0]
        ends = [np.r_[part[size - 1, :6], part[0, 6:]] for part, size in zip(states.numpy(), (9, 14), strict=True)]
        expected = module.code(torch.from_numpy(np.stack(ends)))
        assert_allclose(module.encode(values, lengths).numpy(), expected.numpy(), atol=1e-5)


def test_torch_keeps_its_seed_and_threads(seed):
    torch = pytest.importorskip("torch", reason="needs torch")
    state, threads = torch.get_rng_state().clone(), torch.get_num_threads()
    X = _waves(np.random.default_rng(seed), 20)
    _detector(TRAINED["attention"]).fit(X).score_samples(X)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_missing_torch_is_an_error_that_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(ImportError, match=r"pip install 'skanomaly\[neural\]'"):
        _detector(TRAINED["recurrent"]).fit(_waves(np.random.default_rng(0), 10))


def test_heads_that_do_not_divide_the_units_are_an_error():
    with pytest.raises(ValueError, match="n_units=8 must be a multiple of n_heads=3"):
        _detector(RecurrentEncoder(n_units=8, n_heads=3)).fit(_waves(np.random.default_rng(0), 10))


def test_ridge_map_with_a_small_penalty_is_least_squares(seed):
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(500, 3))
    outputs = inputs @ random.normal(size=(3, 2)) + 1e-6 * random.normal(size=(500, 2))
    found = ridge_map(inputs.T @ inputs, inputs.T @ outputs, float(np.square(outputs).sum()), 500)
    assert_allclose(found, np.linalg.lstsq(inputs, outputs, rcond=None)[0], rtol=1e-4)


def test_verbose_prints_losses(capsys):
    _detector(CLOSED["dense"], verbose=True).fit(_waves(np.random.default_rng(0), 10))
    assert "SequenceReconstructor: step 100, loss" in capsys.readouterr().out


def test_threshold_rules_set_the_threshold(seed):
    random = np.random.default_rng(seed)
    normal, y = _waves(random, 120), np.repeat([1, -1], 30)
    X = _waves(random, 30) + _waves(random, 30, anomalous=True)
    peaks = ThresholdedDetector(_detector(CLOSED["convolutions"]), rule=ParetoThreshold(alpha=0.01)).fit(normal)
    assert np.mean(peaks.predict(X) == y) > 0.8
    scores = peaks.score_samples(X)
    false, true, thresholds = roc_curve(y, scores)
    youden = FixedThreshold(threshold=float(thresholds[np.argmax(true - false)]))
    labelled = ThresholdedDetector(_detector(CLOSED["convolutions"]), rule=youden).fit(normal)
    assert np.mean(labelled.predict(X) == y) >= np.mean(peaks.predict(X) == y)


def test_windows_of_a_series_are_scored_by_a_detector_of_collections(seed):
    random = np.random.default_rng(seed)
    series = np.sin(np.arange(1200) / 6)[:, None] + 0.1 * random.normal(size=(1200, 2))
    series[600:630, 1] = np.sin(np.arange(30) / 2)
    series[300, 0] = np.nan
    model = SlidingWindowDetector(_detector(CLOSED["convolutions"]), window_size=40, stride=2)
    with pytest.warns(UserWarning, match="have no score"):
        scores = model.fit(series).score_samples(series)
    assert 580 < np.nanargmin(scores) < 650
    assert np.isnan(scores[300])


def test_statistics_of_windows_are_for_detectors_of_rows():
    model = SlidingWindowDetector(SequenceReconstructor(), window_size=10, features="statistics")
    with pytest.raises(ValueError, match="SequenceReconstructor takes series"):
        model.fit(np.random.default_rng(0).normal(size=(100, 2)))


def test_codes_are_rows_for_detectors_of_tables(seed):
    random = np.random.default_rng(seed)
    detector = _detector(CLOSED["reservoir"]).fit(_waves(random, 60))
    normal, anomalous = _waves(random, 60), _waves(random, 30, anomalous=True)
    codes = [detector._model.encode(detector._read(X)) for X in (normal, anomalous)]
    assert codes[0].shape == (60, detector.n_code_)
    scores = GaussianDetector().fit(codes[0]).score_samples(codes[1])
    assert np.median(scores) < np.median(GaussianDetector().fit(codes[0][:30]).score_samples(codes[0][30:]))
