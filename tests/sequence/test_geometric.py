"""One class in three geometries, and certainty in the Poincaré ball."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from skanomaly.sequence import (
    Contraction,
    DenseEncoder,
    Euclidean,
    GeometricOneClass,
    Hyperbolic,
    RandomConvolutionEncoder,
    Spherical,
    exponential_map,
    mobius_midpoint,
    poincare_distance,
)

SPACES = [Euclidean(), Spherical(), Hyperbolic()]


def _ball(random, n_points, n_dimensions=3, largest=0.95):
    directions = random.normal(size=(n_points, n_dimensions))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * random.uniform(0, largest, size=(n_points, 1))


def test_distance_from_the_centre_is_twice_an_area_tangent(seed):
    points = _ball(np.random.default_rng(seed), 1000)
    expected = 2 * np.arctanh(np.linalg.norm(points, axis=1))
    assert_allclose(poincare_distance(np.zeros_like(points), points), expected, atol=1e-9)
    assert_allclose(poincare_distance(exponential_map(points), 0 * points), 2 * np.linalg.norm(points, axis=1))


def test_distance_is_the_area_cosine_of_the_definition(seed):
    u, v = (_ball(np.random.default_rng(seed + place), 500) for place in (0, 1))
    margin = (1 - (u**2).sum(axis=1)) * (1 - (v**2).sum(axis=1))
    expected = np.arccosh(1 + 2 * ((u - v) ** 2).sum(axis=1) / margin)
    assert_allclose(poincare_distance(u, v), expected, rtol=1e-9)
    assert_allclose(poincare_distance(u / 2, v / 2, curvature=4.0), expected / 2, rtol=1e-9)


def test_distance_is_symmetric_and_has_the_triangle_inequality(seed):
    random = np.random.default_rng(seed)
    a, b, c = (_ball(random, 10_000) for _ in range(3))
    assert_array_equal(poincare_distance(a, b), poincare_distance(b, a))
    assert (poincare_distance(a, c) <= poincare_distance(a, b) + poincare_distance(b, c) + 1e-12).all()


def test_points_outside_the_ball_are_moved_in():
    far = exponential_map([[1e300, 0.0], [50.0, 50.0]])
    assert (np.linalg.norm(far, axis=1) < 1).all()
    assert np.isfinite(poincare_distance([[2.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [-1.0, 0.0]])).all()


def test_midpoint_is_the_minimiser_of_squared_distances(seed):
    random = np.random.default_rng(seed)
    points, weights = _ball(random, 8, 2, 0.9), random.uniform(0.1, 1, 8)

    def loss(center):
        return float(weights @ poincare_distance(np.tile(center, (8, 1)), points) ** 2)

    brute = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10}).x
    assert_allclose(mobius_midpoint(points, sample_weight=weights), brute, atol=1e-3)
    assert_allclose(mobius_midpoint(points / 2, sample_weight=weights, curvature=4.0), brute / 2, atol=1e-3)


@pytest.mark.parametrize("weights", [[1.0], [-1.0, 2.0], [0.0, 0.0], [np.nan, 1.0]])
def test_wrong_weights_raise(weights):
    with pytest.raises(ValueError, match=r"sample_weight has shape .* give 2 numbers"):
        mobius_midpoint(np.zeros((2, 2)), sample_weight=weights)


@pytest.mark.parametrize("space", [*SPACES, Hyperbolic(curvature=2.0)], ids=str)
def test_gradients_of_the_pull_equal_differences(space, seed):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(5, 3))
    center = space._center(space._points(random.normal(size=(9, 3))))
    slopes = space._pull(vectors, center)[1]
    step = 1e-6
    for place in np.ndindex(vectors.shape):
        moved = np.zeros_like(vectors)
        moved[place] = step
        difference = space._pull(vectors + moved, center)[0] - space._pull(vectors - moved, center)[0]
        assert difference / (2 * step) == pytest.approx(slopes[place], abs=1e-6)


def test_gradient_is_finite_at_the_boundary_and_at_the_centre():
    space = Hyperbolic()
    vectors = np.array([[np.arctanh(0.99999), 0.0], [1e6, 0.0], [0.0, 0.0]])
    loss, slopes = space._pull(vectors, np.zeros(2))
    assert np.isfinite(loss)
    assert np.isfinite(slopes).all()
    assert_array_equal(slopes[2], 0.0)


def _waves(random, n_series, frequency):
    times = np.arange(60)
    phases = random.uniform(0, 1, size=(n_series, 1))
    return (np.sin(frequency * times + phases) + 0.2 * random.normal(size=(n_series, 60)))[:, :, None]


@pytest.mark.parametrize("contraction", [None, Contraction(max_iter=60), Contraction(center="running", max_iter=60)])
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_other_waves_are_far_from_the_centre_in_each_space(space, contraction, seed):
    random = np.random.default_rng(seed)
    train, test = _waves(random, 60, 0.3), np.concatenate([_waves(random, 30, 0.3), _waves(random, 30, 0.6)])
    detector = GeometricOneClass(space=space, contraction=contraction, random_state=seed).fit(train)
    assert roc_auc_score(np.repeat([1, -1], 30), detector.score_samples(test)) >= 0.95


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_contraction_lowers_the_loss_without_collapse(space, seed):
    train = _waves(np.random.default_rng(seed), 80, 0.3)
    detector = GeometricOneClass(space=space, contraction=Contraction(max_iter=100), random_state=seed).fit(train)
    assert np.mean(detector.loss_curve_[-5:]) < 0.8 * detector.loss_curve_[0]
    assert detector._vectors(detector._read(list(train))).std(axis=0).max() > 1e-4


def test_a_collapse_warns():
    train = _waves(np.random.default_rng(0), 20, 0.3)
    contraction = Contraction(ridge=100.0, max_iter=300, learning_rate_init=0.1)
    with pytest.warns(UserWarning, match="sends all training series to nearly one point"):
        GeometricOneClass(contraction=contraction, random_state=0).fit(train)


def test_seen_waves_are_certain_and_noise_is_not(seed):
    random = np.random.default_rng(seed)
    detector = GeometricOneClass(space=Hyperbolic(), target="reconstruction", random_state=seed)
    detector.fit(_waves(random, 100, 0.3))
    assert np.median(detector.certainty_) > np.median(detector.certainty(random.normal(size=(50, 60, 1))))
    assert_array_equal(detector.certainty_[:3], detector.certainty(_waves(np.random.default_rng(seed), 100, 0.3)[:3]))


def test_certain_but_wrong_scores_below_uncertain(seed):
    random = np.random.default_rng(seed)
    encoder = DenseEncoder(latent_dim=2, hidden_layer_sizes=[16], max_iter=200)
    scores = {}
    wrong = _waves(random, 30, 0.3)
    wrong[:, 20:35] *= -1
    noise = random.normal(size=(30, 60, 1))
    for power in (0.0, 1.0):
        space = Hyperbolic(certainty_power=power)
        detector = GeometricOneClass(encoder, space=space, target="reconstruction", random_state=seed)
        detector.fit(_waves(np.random.default_rng(seed), 80, 0.3))
        scores[power] = [detector.score_samples(part).mean() for part in (wrong, noise)]
        certain, uncertain = (np.median(detector.certainty(part)) for part in (wrong, noise))
        assert certain > uncertain
    assert scores[1.0][0] / scores[1.0][1] > scores[0.0][0] / scores[0.0][1]


def test_distance_is_that_of_the_function(seed):
    train = _waves(np.random.default_rng(seed), 30, 0.3)
    space = Hyperbolic(certainty_power=0.0)
    detector = GeometricOneClass(space=space, target="reconstruction", random_state=seed).fit(train)
    rows = detector._read(list(train))
    pairs = [
        np.stack([part.astype(float).ravel() for part in side]) for side in (rows, detector._model.reconstruct(rows))
    ]
    points = [exponential_map(part / np.sqrt(60)) for part in pairs]
    assert_allclose(detector.score_samples(train), -poincare_distance(*points), rtol=1e-9)


def test_certainty_needs_the_hyperbolic_space():
    train = _waves(np.random.default_rng(0), 10, 0.3)
    detector = GeometricOneClass(random_state=0).fit(train)
    assert not hasattr(detector, "certainty")
    assert not hasattr(detector, "certainty_")
    detector.set_params(space=Hyperbolic(), target="reconstruction").fit(train)
    assert hasattr(detector, "certainty_")
    assert not hasattr(detector, "center_")


def test_contraction_of_reconstructions_raises():
    detector = GeometricOneClass(contraction=Contraction(), target="reconstruction")
    with pytest.raises(ValueError, match="contraction is for target='center'"):
        detector.fit(_waves(np.random.default_rng(0), 10, 0.3))


@pytest.mark.parametrize(
    "detector",
    [
        GeometricOneClass(space=Hyperbolic(), contraction=Contraction(max_iter=10), random_state=0),
        GeometricOneClass(RandomConvolutionEncoder(n_kernels=8), space=Spherical(), random_state=0),
        GeometricOneClass(target="reconstruction", space=Hyperbolic(), random_state=0),
    ],
    ids=str,
)
def test_same_seed_same_bits_and_a_series_alone_scores_as_in_a_batch(detector, seed):
    random = np.random.default_rng(seed)
    train = [series[: random.integers(30, 60)] for series in _waves(random, 30, 0.3)]
    before = np.random.get_state()[1].copy()  # noqa: NPY002  # the global state is what is tested
    scores = clone(detector).fit(train).score_samples(train)
    fitted = clone(detector).fit(train)
    assert_array_equal(fitted.score_samples(train), scores)
    assert_array_equal([fitted.score_samples([series])[0] for series in train[:5]], scores[:5])
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
