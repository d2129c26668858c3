import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score

from skanomaly.sequence import SequenceLikelihood, delay_distributions


def _autoregression(random, n_sequences, n_timepoints=60):
    X = np.zeros((n_sequences, n_timepoints, 2))
    for time in range(1, n_timepoints):
        X[:, time] = X[:, time - 1] @ [[0.7, 0.2], [-0.2, 0.6]] + random.normal(size=(n_sequences, 2))
    return X


def _streams(random, delays):
    """Return two streams; the second repeats the first at the given delays, with noise."""
    first = random.normal(size=(len(delays), 6))
    places = np.clip(np.arange(len(delays)) - delays, 0, len(delays) - 1)
    return first, first[places] + 0.3 * random.normal(size=first.shape)


def _recordings(random, n_recordings, *, jumping):
    found = []
    for _ in range(n_recordings):
        delays = np.full(60, random.integers(-4, 5))
        if jumping:
            delays = np.repeat(random.integers(-4, 5, size=10), 6)
        found.append(delay_distributions(*_streams(random, delays), max_delay=6))
    return found


def test_delay_is_found(seed):
    delays = np.repeat([3, -2], 30)
    found = delay_distributions(*_streams(np.random.default_rng(seed), delays), max_delay=5, temperature=0.05)
    assert found.shape == (60, 11)
    assert np.allclose(found.sum(axis=1), 1)
    best = found.argmax(axis=1) - 5
    assert np.mean(best[5:25] == 3) > 0.8
    assert np.mean(best[35:55] == -2) > 0.8


def test_delay_distribution_equals_its_definition(seed):
    first, second = np.random.default_rng(seed).normal(size=(2, 9, 3))
    found = delay_distributions(first, second, max_delay=2, temperature=0.3)
    for time in range(9):
        weights = [
            np.exp(
                first[time] @ second[time + d] / np.linalg.norm(first[time]) / np.linalg.norm(second[time + d]) / 0.3
            )
            if 0 <= time + d < 9
            else 0.0
            for d in range(-2, 3)
        ]
        assert np.allclose(found[time], np.array(weights) / sum(weights), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_delays_do_not_depend_on_the_unit(seed, scale):
    first, second = np.random.default_rng(seed).normal(size=(2, 20, 3))
    assert np.allclose(delay_distributions(first, second), delay_distributions(scale * first, second))


def test_delays_longer_than_the_streams_and_rows_of_zeros_are_allowed():
    found = delay_distributions(np.zeros((2, 3)), np.ones((2, 3)), max_delay=4)
    assert np.array_equal(found[0], [0, 0, 0, 0, 0.5, 0.5, 0, 0, 0])


def test_streams_of_different_shapes_are_named():
    with pytest.raises(ValueError, match=r"first has shape \(4, 2\) and second \(5, 2\)"):
        delay_distributions(np.ones((4, 2)), np.ones((5, 2)))


@pytest.mark.parametrize("parameter", ["max_delay", "temperature"])
def test_parameters_of_delays_are_checked(parameter):
    with pytest.raises(ValueError, match=parameter):
        delay_distributions(np.ones((4, 2)), np.ones((4, 2)), **{parameter: 0})


def test_jumping_delays_are_anomalous_where_their_size_is_not(seed):
    random = np.random.default_rng(seed)
    train = _recordings(random, 100, jumping=False)  # so many that each delay is among them
    normal, forged = (_recordings(random, 40, jumping=jumping) for jumping in (False, True))
    y = np.repeat([1, -1], 40)
    detector = SequenceLikelihood(family="categorical", order=4).fit(train)
    assert roc_auc_score(y, detector.score_samples(normal + forged)) >= 0.95
    sizes = [np.abs(part.argmax(axis=1) - 6).mean() for part in normal + forged]
    assert 0.25 < roc_auc_score(y, sizes) < 0.75


def test_gaussian_likelihood_equals_scipys(seed):
    X = _autoregression(np.random.default_rng(seed), 10)
    detector = SequenceLikelihood(order=1).fit(X)
    pasts = (X[3, :-1] - detector.location_) / X.reshape(-1, 2).std(axis=0)
    means = detector.location_ + detector.estimator_.predict(pasts) * X.reshape(-1, 2).std(axis=0)
    expected = multivariate_normal(cov=detector.covariance_).logpdf(X[3, 1:] - means)
    assert np.allclose(detector.score_timepoints(X[3:4])[0][1:], expected, rtol=1e-8)
    assert np.isclose(detector.score_samples(X[3:4])[0], detector.score_timepoints(X[3:4])[0].mean())


def test_unlikely_order_is_anomalous_where_values_are_not(seed):
    random = np.random.default_rng(seed)
    train, normal = _autoregression(random, 40), _autoregression(random, 40)
    shuffled = random.permuted(normal, axis=1)
    scores = SequenceLikelihood(order=2).fit(train).score_samples(np.concatenate([normal, shuffled]))
    assert roc_auc_score(np.repeat([1, -1], 40), scores) >= 0.95


@pytest.mark.parametrize("order", [1, 3, 200])
def test_series_shorter_than_the_order_are_scored(seed, order):
    X = list(_autoregression(np.random.default_rng(seed), 10))
    detector = SequenceLikelihood(order=order).fit([*X, X[0][:1]])
    assert np.isfinite(detector.score_samples([X[0][:1], X[1][:2]])).all()


def test_predicted_distribution_sums_to_one_and_has_no_zero(seed):
    random = np.random.default_rng(seed)
    X = random.dirichlet(np.ones(4), size=(12, 20))
    X[..., 3] = 0
    X /= X.sum(axis=2, keepdims=True)
    detector = SequenceLikelihood(family="categorical", order=2).fit(X)
    mixed = detector._mixed(10 * random.normal(size=(50, 4)), detector.mix_)
    assert np.allclose(mixed.sum(axis=1), 1)
    assert mixed.min() > 0
    assert np.isfinite(detector.score_samples(np.full((1, 5, 4), 0.25))).all()


def test_perfectly_predictable_channel_has_a_finite_likelihood():
    X = np.repeat(np.arange(5.0)[:, None, None], 20, axis=1) * [1.0, 0.0]
    scores = SequenceLikelihood(order=1).fit(X).score_samples(np.concatenate([X, X + np.array([0, 1])]))
    assert np.isfinite(scores).all()
    assert scores[5:].max() < scores[:5].min()


def test_labelled_series_do_not_train(seed):
    X = _autoregression(np.random.default_rng(seed), 12)
    X[10:] *= 9
    detector = SequenceLikelihood(order=2).fit(X, np.repeat([1, -1], [10, 2]))
    assert np.array_equal(detector.score_samples(X), SequenceLikelihood(order=2).fit(X[:10]).score_samples(X))


def test_own_regressor_predicts(seed):
    X = _autoregression(np.random.default_rng(seed), 10)
    detector = SequenceLikelihood(order=1, estimator=LinearRegression()).fit(X)
    assert isinstance(detector.estimator_, LinearRegression)
    assert np.allclose(detector.estimator_.coef_, [[0.7, -0.2], [0.2, 0.6]], atol=0.2)


@pytest.mark.parametrize("value", [-0.1, 0.5])
def test_time_points_that_are_no_distributions_are_named(value):
    X = np.full((4, 5, 2), 0.5)
    detector = SequenceLikelihood(family="categorical").fit(X)
    X[2, 3, 0] += value
    for call in (detector.score_samples, detector.fit):
        with pytest.raises(ValueError, match="time point 3 of series 2"):
            call(X)
