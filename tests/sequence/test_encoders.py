import sys
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from skanomaly.events import CompressionDetector
from skanomaly.sequence import (
    ChronosEncoder,
    RandomConvolutionTransformer,
    SelfSimilarityDetector,
    SymbolTransformer,
)

HEADS = ["spectral", "local_outlier_factor", "mean", "trimmed"]


def _series(seed, n_timepoints=1500):
    """A wave with forty time points of another frequency."""
    random = np.random.default_rng(seed)
    series = np.sin(np.arange(n_timepoints) / 5)
    start = int(random.integers(300, n_timepoints - 300))
    series[start : start + 40] = np.sin(np.arange(40) / 1.7)
    is_anomaly = np.zeros(n_timepoints, dtype=bool)
    is_anomaly[start : start + 40] = True
    return series + 0.1 * random.normal(size=n_timepoints), is_anomaly


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(("encoder", "context_size"), [("delay", 100), ("delay", 32), ("convolution", 32)])
def test_change_of_shape_is_found(seed, encoder, context_size, head):
    series, is_anomaly = _series(seed)
    detector = SelfSimilarityDetector(encoder=encoder, head=head, context_size=context_size, random_state=seed)
    detector.fit(series)
    assert roc_auc_score(is_anomaly, -detector.score_samples(series)) >= 0.95


def test_number_of_components_matters_little(seed):
    series, is_anomaly = _series(seed)
    aucs = [
        roc_auc_score(
            is_anomaly,
            -SelfSimilarityDetector(head="spectral", n_components=number).fit(series).score_samples(series),
        )
        for number in (2, 8, 20)
    ]
    assert min(aucs) >= 0.95
    assert max(aucs) - min(aucs) <= 0.03


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("encoder", ["delay", "convolution"])
def test_scores_do_not_depend_on_the_unit(seed, encoder, head):
    series, _ = _series(seed, 700)
    detector = SelfSimilarityDetector(encoder=encoder, head=head, random_state=seed)
    scores = clone(detector).fit(series).score_samples(series)
    assert_allclose(clone(detector).fit(300 * series - 7e3).score_samples(300 * series - 7e3), scores, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*all but a few are equal, and it does not see how:UserWarning")  # trimmed, spike
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("encoder", ["delay", "convolution"])
@pytest.mark.parametrize(
    "series",
    [np.full((80, 2), 1e6), np.eye(100)[:, :1], np.arange(3.0)[:, None], np.tile([[1e8, 0.0]], (70, 1))],
    ids=["constant", "spike", "three", "large"],
)
def test_degenerate_series_score_finitely(encoder, head, series):
    detector = SelfSimilarityDetector(encoder=encoder, head=head, random_state=0).fit(series)
    assert np.isfinite(detector.score_samples(series)).all()
    if len(series) > 3:
        with pytest.raises(ValueError, match="X has 1 time points and the encoder needs"):
            detector.score_samples(series[:1])


def test_constant_series_is_normal_everywhere():
    assert (SelfSimilarityDetector().fit(np.full((80, 1), 3.0)).predict(np.full((80, 1), 3.0)) == 1).all()


def test_windows_are_averaged_where_they_overlap(seed):
    series, _ = _series(seed, 800)
    one = SelfSimilarityDetector(window_size=400, stride=200, head="mean").fit(series)
    unit = one._embeddings(one._standardised(series.reshape(-1, 1)))
    assert [(place.start, place.stop) for place, _ in unit] == [(0, 400), (200, 600), (400, 800)]
    unit = [(place, part / np.linalg.norm(part, axis=1, keepdims=True)) for place, part in unit]
    parts = [1 - np.abs(part @ part.T).mean(axis=1) for _, part in unit]
    assert_allclose(-one.score_samples(series)[200:400], (parts[0][200:] + parts[1][:200]) / 2)


class Halves(BaseEstimator):
    """An encoder of whole windows: means of both halves."""

    def transform(self, windows):
        middle = windows.shape[1] // 2
        return np.hstack([windows[:, :middle].mean(axis=1), windows[:, middle:].mean(axis=1)])


class TimePoints(BaseEstimator):
    """An encoder of time points: value and its square."""

    def transform(self, windows):
        return np.concatenate([windows, windows**2], axis=2)


@pytest.mark.parametrize(
    ("encoder", "context_size"), [(Halves(), 16), (TimePoints(), None)], ids=["windows", "time points"]
)
def test_any_transformer_is_an_encoder(seed, encoder, context_size):
    series, _ = _series(seed, 800)
    detector = SelfSimilarityDetector(encoder=encoder, context_size=context_size).fit(series)
    assert detector.score_samples(series).shape == (800,)
    assert detector.encoder_ is not encoder


@pytest.mark.parametrize(
    ("encoder", "context_size"), [(Halves(), None), (TimePoints(), 16)], ids=["windows", "time points"]
)
def test_encoder_of_another_kind_raises(encoder, context_size):
    with pytest.raises(ValueError, match=r"encoder returned shape .* context_size"):
        SelfSimilarityDetector(encoder=encoder, context_size=context_size).fit(np.sin(np.arange(200.0)))


class Array:
    """The part of a torch tensor that is needed here."""

    def __init__(self, values):
        self.values = values

    def float(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.values


class Untracked:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


class SmallEncoder:
    """Value, step and a constant for every step; `extra` end marks, or patches of several time points."""

    def __init__(self, extra=0, patch=1):
        self.extra = extra
        self.patch = patch

    def embed(self, windows):
        values = windows.values[:, :: self.patch]
        steps = np.stack([values, np.diff(values, axis=1, prepend=0.0), np.ones_like(values)], axis=2)
        end = np.full((len(values), self.extra, 3), 99.0)
        return Array(np.concatenate([steps, end], axis=1)), None


@pytest.fixture
def torch(monkeypatch):
    """Replace torch by from_numpy and no_grad."""
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(from_numpy=Array, no_grad=Untracked))


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_chronos_embeds_each_feature_without_the_end_mark(seed, batch_size):
    windows = np.random.default_rng(seed).normal(size=(5, 12, 2)).astype(np.float32)
    coded = ChronosEncoder(model=SmallEncoder(extra=1), batch_size=batch_size).fit_transform(windows)
    assert coded.shape == (5, 12, 6)
    assert_array_equal(coded[:, :, [0, 3]], windows)


@pytest.mark.usefixtures("torch")
def test_chronos_repeats_patches(seed):
    windows = np.random.default_rng(seed).normal(size=(3, 12, 1)).astype(np.float32)
    coded = ChronosEncoder(model=SmallEncoder(patch=4)).fit_transform(windows)
    assert_array_equal(coded[:, :, 0], np.repeat(windows[:, ::4, 0], 4, axis=1))


class CutEncoder(SmallEncoder):
    """Embeds the last `context` values only, and adds an end mark."""

    def __init__(self, context, patch=1, extra=1):
        super().__init__(extra=extra, patch=patch)
        self.context = context

    def embed(self, windows):
        return super().embed(Array(windows.values[:, -self.context :]))


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("n_timepoints", [33, 48, 64, 65, 640, 3201])
def test_windows_longer_than_the_context_raise(n_timepoints):
    windows = np.arange(float(n_timepoints))[None, :, None]
    encoder = ChronosEncoder(model=CutEncoder(32)).fit(windows)
    with pytest.raises(ValueError, match=f"the model saw 32 of {n_timepoints} time points"):
        encoder.transform(windows)


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("n_timepoints", [130, 192, 256, 257, 512])
@pytest.mark.parametrize("extra", [0, 1])
def test_patches_of_a_part_of_the_window_raise(n_timepoints, extra):
    windows = np.arange(float(n_timepoints))[None, :, None]
    encoder = ChronosEncoder(model=CutEncoder(128, patch=8, extra=extra)).fit(windows)
    with pytest.raises(ValueError, match="cannot be assigned to time points"):
        encoder.transform(windows)


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize(("patch", "n_timepoints"), [(1, 32), (4, 32), (8, 128), (8, 40), (16, 48)])
def test_windows_within_the_context_are_embedded_exactly(patch, n_timepoints, extra, seed):
    windows = np.random.default_rng(seed).normal(size=(3, n_timepoints, 1)).astype(np.float32)
    coded = ChronosEncoder(model=CutEncoder(128, patch=patch, extra=extra)).fit_transform(windows)
    assert_array_equal(coded[:, :, 0], np.repeat(windows[:, ::patch, 0], patch, axis=1))


class Family(CutEncoder):
    """A model with the configuration of a family: Bolt if patches are larger than one time point, else T5."""

    def __init__(self, patch=1, mark=True, context=64, **changes):
        super().__init__(context, patch=patch, extra=int(mark))
        if patch > 1:
            config = {"input_patch_size": patch, "input_patch_stride": patch, "use_reg_token": mark}
            self.model = SimpleNamespace(
                chronos_config=SimpleNamespace(context_length=context, **{**config, **changes})
            )
        else:
            config = {"use_eos_token": mark, "model_type": "seq2seq"}
            self.model = SimpleNamespace(config=SimpleNamespace(context_length=context, **{**config, **changes}))

    def embed(self, windows):
        n_missing = -windows.values[:, -self.context :].shape[1] % self.patch
        padded = np.pad(windows.values[:, -self.context :], ((0, 0), (n_missing, 0)), mode="edge")
        return super(CutEncoder, self).embed(Array(padded))


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("mark", [False, True])
@pytest.mark.parametrize(("patch", "n_timepoints"), [(1, 1), (1, 64), (16, 1), (16, 20), (16, 33), (16, 64)])
def test_documented_families_are_embedded_exactly(patch, n_timepoints, mark, seed):
    windows = np.random.default_rng(seed).normal(size=(3, n_timepoints, 1)).astype(np.float32)
    coded = ChronosEncoder(model=Family(patch, mark)).fit_transform(windows)[:, :, 0]
    n_first = (n_timepoints - 1) % patch + 1  # time points of the first patch
    starts = np.concatenate([[0], np.arange(n_first, n_timepoints, patch)])
    lengths = np.diff(np.append(starts, n_timepoints))
    assert_array_equal(coded, np.repeat(windows[:, starts, 0], lengths, axis=1))


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("patch", [1, 16])
def test_windows_longer_than_a_documented_context_raise(patch):
    windows = np.arange(65.0)[None, :, None]
    encoder = ChronosEncoder(model=Family(patch)).fit(windows)
    with pytest.raises(ValueError, match="windows have 65 time points and the model sees 64"):
        encoder.transform(windows)


@pytest.mark.usefixtures("torch")
def test_an_undocumented_number_of_steps_raises():
    model = Family(16, mark=True)
    model.extra = 2
    with pytest.raises(ValueError, match="returned 4 embeddings for windows of 32 time points, and 3 are documented"):
        ChronosEncoder(model=model).fit_transform(np.zeros((1, 32, 1)))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Family(16, input_patch_stride=8), "begin every 8"),
        (Family(model_type="causal"), "type 'causal' and has no encoder"),
        (
            type("Chronos2Pipeline", (SmallEncoder,), {"__module__": "chronos.chronos2"})(),
            "neither the T5 nor the Bolt",
        ),
    ],
    ids=["overlap", "causal", "other family"],
)
def test_families_without_a_step_for_each_time_point_raise(model, message):
    with pytest.raises(ValueError, match=message):
        ChronosEncoder(model=model).fit(np.zeros((2, 8, 1)))


@pytest.mark.usefixtures("torch")
def test_windows_of_other_lengths_or_widths_raise():
    encoder = ChronosEncoder(model=SmallEncoder()).fit(np.zeros((2, 16, 2)))
    with pytest.raises(ValueError, match=r"windows of \[12, 16\] time points; give windows of one length"):
        encoder.transform([np.zeros((16, 2)), np.zeros((12, 2))])
    with pytest.raises(ValueError, match=r"X\[0\] has 1 features and ChronosEncoder was fitted with 2"):
        encoder.transform(np.zeros((2, 16, 1)))


@pytest.mark.usefixtures("torch")
def test_detector_does_not_score_windows_that_the_model_cut(seed):
    series, _ = _series(seed, 1000)
    detector = SelfSimilarityDetector(
        encoder=ChronosEncoder(model=CutEncoder(64)), context_size=None, window_size=128, head="spectral"
    )
    with pytest.raises(ValueError, match="the model saw 64 of 128 time points"):
        detector.fit(series)


@pytest.mark.usefixtures("torch")
def test_chronos_is_an_encoder_of_the_detector(seed):
    series, is_anomaly = _series(seed, 1000)
    encoder = ChronosEncoder(model=SmallEncoder(extra=1))
    detector = SelfSimilarityDetector(encoder=encoder, context_size=None, head="local_outlier_factor", random_state=0)
    scores = -detector.fit(series).score_samples(series)
    assert roc_auc_score(is_anomaly, scores) > 0.7


@pytest.mark.usefixtures("torch")
def test_chronos_is_loaded_by_name(monkeypatch):
    calls = []

    class Pipeline:
        @staticmethod
        def from_pretrained(name, device_map):
            calls.append((name, device_map))
            return SmallEncoder()

    monkeypatch.setitem(sys.modules, "chronos", SimpleNamespace(BaseChronosPipeline=Pipeline))
    encoder = ChronosEncoder(model="amazon/chronos-t5-tiny", device="cpu").fit(np.zeros((2, 8, 1)))
    assert calls == [("amazon/chronos-t5-tiny", "cpu")]
    assert encoder.transform(np.zeros((2, 8, 1))).shape == (2, 8, 3)


def test_missing_chronos_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "chronos", None)
    with pytest.raises(ImportError, match="chronos"):
        ChronosEncoder().fit(np.zeros((2, 8, 1)))


def test_convolutions_do_not_depend_on_the_batch_nor_on_jobs(seed):
    X = np.random.default_rng(seed).normal(size=(150, 40, 2))
    one = RandomConvolutionTransformer(n_kernels=20, random_state=seed, n_jobs=1).fit(X)
    two = RandomConvolutionTransformer(n_kernels=20, random_state=seed, n_jobs=2).fit(X)
    assert_array_equal(one.transform(X), two.transform(X))
    assert_array_equal(one.transform(X)[70:71], one.transform(X[70:71]))
    assert_array_equal(one.transform(X), one.transform(list(X)))


def test_convolutions_are_features_for_any_table_detector(seed):
    random = np.random.default_rng(seed)
    waves = [
        np.sin(np.linspace(0, 20, 90 + index % 7)) + 0.1 * random.normal(size=90 + index % 7) for index in range(40)
    ]
    anomalies = [np.sin(np.linspace(0, 45, 95)) + 0.1 * random.normal(size=95) for _ in range(10)]
    encoder = RandomConvolutionTransformer(n_kernels=100, random_state=seed)
    model = make_pipeline(encoder, IsolationForest(random_state=seed)).fit(waves[:30])
    assert roc_auc_score(np.repeat([1, -1], 10), model.score_samples(waves[30:] + anomalies)) > 0.95


@pytest.mark.parametrize("transformer", [RandomConvolutionTransformer(n_kernels=3), SymbolTransformer()], ids=str)
def test_other_features_raise(transformer):
    fitted = clone(transformer).fit(np.zeros((3, 20, 2)))
    with pytest.raises(ValueError, match=r"X\[1\] has 3 features"):
        fitted.transform([np.zeros((20, 2)), np.zeros((20, 3))])


def test_symbols_of_several_features_are_tuples(seed):
    X = np.random.default_rng(seed).normal(size=(4, 10, 2))
    traces = SymbolTransformer(n_symbols=3, segment_size=4).fit_transform(X)
    assert [len(trace) for trace in traces] == [3] * 4
    assert all(isinstance(token, tuple) and len(token) == 2 and set(token) <= {0, 1, 2} for token in traces[0])


def test_symbols_are_traces_for_detectors_of_events(seed):
    random = np.random.default_rng(seed)
    waves = [np.sin(np.linspace(start, start + 40, 400)) for start in random.uniform(0, 6, 20)]
    anomalies = [np.sin(np.linspace(0, 90, 400)) for _ in range(3)]
    model = make_pipeline(SymbolTransformer(), CompressionDetector(order=3, aggregation="mean")).fit(waves)
    assert (model.predict(anomalies) == -1).all()


def test_stride_longer_than_a_window_leaves_out_no_time_point(seed):
    x = np.random.default_rng(seed).normal(size=200)
    assert np.isfinite(SelfSimilarityDetector(window_size=30, stride=90).fit(x).score_samples(x)).all()


def test_convolutions_are_named_columns_of_frames(seed):
    waves = np.random.default_rng(seed).normal(size=(5, 40, 1))
    frame = (
        RandomConvolutionTransformer(n_kernels=3, random_state=0).set_output(transform="pandas").fit_transform(waves)
    )
    assert list(frame.columns) == [f"randomconvolutiontransformer{index}" for index in range(6)]
