import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skanomaly.audit import DomainClassifierTest
from skanomaly.detectors import Autoencoder, DenseCode, GaussianDetector, RandomProjectionDepth
from skanomaly.robust import MaskedEstimator, TrainingDynamics, ZErrorClassifier
from skanomaly.sampling import ExpectedAnomalyPosterior
from skanomaly.sequence import (
    AttentionClassifier,
    ConvolutionEncoder,
    DegradationDetector,
    RecurrentEncoder,
    SequenceReconstructor,
)

pytestmark = pytest.mark.skipif(not hasattr(LogisticRegression, "set_callbacks"), reason="needs scikit-learn 1.9")


class Recorder:
    """Records what a fit reports."""

    max_propagation_depth = None

    def __init__(self, stop_after=None):
        self.stop_after, self.begun, self.ended, self.open = stop_after, [], [], False

    def setup(self, estimator, context):
        self.open = True

    def on_fit_task_begin(self, estimator, context):
        assert self.open
        self.begun.append((context.task_name, context.max_subtasks))

    def on_fit_task_end(self, estimator, context):
        assert self.open
        self.ended.append(context.task_name)
        return self.stop_after is not None and self.ended.count("train, one step") >= self.stop_after

    def teardown(self, estimator, context):
        self.open = False


@pytest.fixture
def data(seed):
    return make_blobs(150, n_features=4, centers=2, random_state=seed)


FITS = {
    "network": (lambda: Autoencoder(kind=DenseCode(max_iter=12), random_state=0), "train", 12),
    "masked network": (lambda: ZErrorClassifier(max_iter=7, random_state=0), "train", 7),
    "epochs": (lambda: TrainingDynamics(max_iter=3, random_state=0), "train", None),
    "folds": (lambda: DomainClassifierTest(cv=3, random_state=0), "fit folds", 3),
    "subsets": (lambda: ExpectedAnomalyPosterior(n_subsets=4, random_state=0), "fit estimators", 4),
    "rounds": (lambda: MaskedEstimator(LogisticRegression(), max_iter=5, reference=None), "mask and refit", 5),
}


@pytest.mark.parametrize(("make", "name", "n_steps"), FITS.values(), ids=FITS)
def test_every_step_of_the_outer_loop_is_reported(data, make, name, n_steps):
    X, y = data
    recorder, estimator = Recorder(), make()
    y = np.where(y == 1, -1, 1) if isinstance(estimator, ExpectedAnomalyPosterior) else y
    arguments = {"groups": y} if isinstance(estimator, DomainClassifierTest) else {"y": y}
    if isinstance(estimator, Autoencoder):
        arguments = {}
    estimator.set_callbacks(recorder).fit(X, **arguments)
    assert recorder.begun[0] == ("fit", None)
    assert (name, n_steps) in recorder.begun
    n_reported = recorder.ended.count(f"{name}, one step")
    assert 1 <= n_reported <= (n_steps or 3)
    assert len(recorder.begun) == len(recorder.ended)
    assert recorder.ended[-1] == "fit"
    assert not recorder.open


def test_scores_are_the_same_with_callbacks(data):
    X, _ = data
    detector = Autoencoder(kind=DenseCode(max_iter=12), random_state=0)
    plain = clone(detector).fit(X).score_samples(X)
    np.testing.assert_array_equal(detector.set_callbacks(Recorder()).fit(X).score_samples(X), plain)


def test_a_callback_can_stop_training(data):
    X, _ = data
    detector = Autoencoder(kind=DenseCode(max_iter=50), random_state=0).set_callbacks(Recorder(stop_after=3)).fit(X)
    assert detector.n_iter_ == 3


def test_a_search_hands_its_callbacks_to_detectors(data):
    X, _ = data
    recorder = Recorder()
    search = GridSearchCV(GaussianDetector(), {"contamination": [0.1, 0.2]}, scoring=lambda *_: 0.0, cv=2)
    search.set_callbacks(recorder).fit(X)  # a warning that GaussianDetector does not support them would be an error
    assert sum(name == "fit" for name in recorder.ended) >= 5


def test_after_a_failed_fit_the_callbacks_are_torn_down_and_nothing_is_left(data):
    X, _ = data

    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "train, one step":
                raise KeyboardInterrupt

    recorder, detector = Failing(), Autoencoder(kind=DenseCode(max_iter=5), random_state=0)
    with pytest.raises(KeyboardInterrupt):
        detector.set_callbacks(recorder).fit(X)
    assert not recorder.open
    assert set(vars(detector)) == {*detector.get_params(deep=False), "_skl_callbacks"}
    assert not hasattr(detector.set_callbacks().fit(X), "_callback_fit_ctx")


def test_estimators_inside_report_to_the_outer_fit(data):
    X, y = data
    recorder = Recorder()
    network = make_pipeline(ZErrorClassifier(max_iter=4, random_state=0))
    MaskedEstimator(network, max_iter=2, cv=None, reference=None).set_callbacks(recorder).fit(X, y)
    assert ("train", 4) in recorder.begun


def test_detectors_without_a_loop_report_their_fit(data):
    recorder = Recorder()
    RandomProjectionDepth(random_state=0).set_callbacks(recorder).fit(data[0])
    assert recorder.ended == ["fit"]


@pytest.mark.parametrize("verbose", [False, True])
def test_each_hundredth_loss_is_printed_if_asked(data, capsys, verbose):
    Autoencoder(kind=DenseCode(max_iter=250), verbose=verbose, random_state=0).fit(data[0])
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(",")[0] for line in lines] == ["Autoencoder: step 100", "Autoencoder: step 200"] * verbose


def _reconstructor(encoder, **parameters):
    return SequenceReconstructor(encoder, random_state=0, **parameters)


TORCH_FITS = {
    "convolution": lambda: _reconstructor(ConvolutionEncoder(latent_dim=2, n_filters=4, max_iter=6)),
    "recurrent": lambda: _reconstructor(RecurrentEncoder(latent_dim=2, n_units=4, n_heads=2, max_iter=6)),
    "classifier": lambda: DegradationDetector(
        AttentionClassifier(n_units=8, max_iter=6), window_size=16, n_windows=20, random_state=0
    ),
}


def _torch_data(detector, random):
    return random.normal(size=(60, 1)) if isinstance(detector, DegradationDetector) else random.normal(size=(12, 16, 1))


@pytest.mark.parametrize("make", TORCH_FITS.values(), ids=TORCH_FITS)
def test_steps_of_torch_are_reported_and_a_callback_can_stop_them(make, seed):
    pytest.importorskip("torch", reason="needs torch")
    X = _torch_data(make(), np.random.default_rng(seed))
    for stop_after, n_steps in ((None, 6), (2, 2)):
        recorder = Recorder(stop_after=stop_after)
        make().set_callbacks(recorder).fit(X)
        assert ("train", 6) in recorder.begun
        assert recorder.ended.count("train, one step") == n_steps
        assert len(recorder.begun) == len(recorder.ended)
        assert not recorder.open


@pytest.mark.parametrize("verbose", [False, True])
def test_each_hundredth_loss_of_torch_is_printed_if_asked(verbose, capsys, seed):
    pytest.importorskip("torch", reason="needs torch")
    encoder = ConvolutionEncoder(latent_dim=2, n_filters=4, max_iter=120, batch_size=4)
    detector = _reconstructor(encoder, verbose=verbose).fit(np.random.default_rng(seed).normal(size=(8, 12, 1)))
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"SequenceReconstructor: step 100, loss {detector.loss_curve_[99]:.6f}"] * verbose
