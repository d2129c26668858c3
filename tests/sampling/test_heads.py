import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from skanomaly._networks._network import Network
from skanomaly.sampling import (
    AnomalySynthesizer,
    ContrastiveHead,
    DensityHead,
    HingeHead,
    LogisticHead,
    OffsetHead,
    SyntheticAnomalyDetector,
)

HEADS = [LogisticHead, HingeHead, DensityHead, OffsetHead, ContrastiveHead]


def _detector(head, seed, **more):
    return SyntheticAnomalyDetector(head=head(max_iter=250, batch_size=64), random_state=seed, **more)


def _rows(seed):
    random = np.random.default_rng(seed)
    train, test = random.normal(size=(200, 3)), random.normal(size=(80, 3))
    test[40:, 0] += 5
    return train, test, np.repeat([0, 1], 40)


@pytest.mark.parametrize("head", HEADS)
def test_heads_find_rows_off_the_data(head, seed):
    train, test, y = _rows(seed)
    detector = _detector(head, seed).fit(train)
    assert roc_auc_score(y, -detector.score_samples(test)) > 0.9
    curve = detector.head_.loss_curve
    assert curve[-30:].mean() < curve[:30].mean()


@pytest.mark.parametrize("head", HEADS)
def test_slopes_of_heads_agree_with_finite_differences(head, seed):
    random = np.random.default_rng(seed)
    built = head(hidden_layer_sizes=[5, 4])
    network = Network(built._layers(4), random, np.float64)
    network.parameters += 0.05 * random.normal(size=network.parameters.size)
    normal, anomalies, offsets = random.normal(size=(3, 6, 4))
    network.clear()
    built._loss(network, normal, anomalies, offsets)
    gradient = network.total_gradient().copy()
    for place in random.choice(gradient.size, 25, replace=False):
        kept, around = network.parameters[place], []
        for step in (1e-6, -1e-6):
            network.parameters[place] = kept + step
            network.clear()
            around.append(built._loss(network, normal, anomalies, offsets))
        network.parameters[place] = kept
        assert_allclose(gradient[place], (around[0] - around[1]) / 2e-6, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("head", [LogisticHead, HingeHead])
def test_real_anomalies_are_learnt_beside_synthetic_ones(head, seed):
    random = np.random.default_rng(seed)
    kind = np.array([0.8, -0.8, 0.8])

    def rows(n_normal, n_anomalies):
        return np.vstack([random.normal(size=(n_normal, 3)), kind + 0.1 * random.normal(size=(n_anomalies, 3))])

    X, test = rows(200, 400), rows(60, 60)
    truth = np.repeat([0, 1], 60)
    detector = _detector(head, seed)
    y = np.repeat([1, -1], [200, 400])
    areas = [roc_auc_score(truth, -detector.fit(*data).score_samples(test)) for data in ((X, y), (X[:200],))]
    assert areas[0] > areas[1] + 0.15


def test_noise_without_size_teaches_nothing(seed):
    train, test, y = _rows(seed)
    tiny = AnomalySynthesizer(kind="gaussian", strength=1e-3)
    detector = _detector(HingeHead, seed, synthesizer=tiny).fit(train)
    known = _detector(HingeHead, seed).fit(train)
    areas = [roc_auc_score(y, -model.score_samples(test)) for model in (detector, known)]
    assert areas[0] < areas[1]


@pytest.mark.parametrize("head", [DensityHead, ContrastiveHead])
def test_equal_seeds_give_equal_bits_and_leave_global_seeds(head, seed):
    train, test, _ = _rows(seed)
    state = np.random.get_state()[1].copy()  # noqa: NPY002  # the global state is what is tested
    detector = SyntheticAnomalyDetector(head=head(max_iter=10), random_state=1)
    first, second = (clone(detector).fit(train).score_samples(test) for _ in range(2))
    assert_array_equal(first, second)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
