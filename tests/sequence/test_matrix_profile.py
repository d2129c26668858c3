import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly.sequence import MatrixProfileDetector, matrix_profile
from tests.reference import matrix_profile as reference


def _walk(seed, n=500, n_channels=1, offset=0.0):
    x = np.random.default_rng(seed).normal(size=(n, n_channels)).cumsum(axis=0) + offset
    x[100:160, 0] = x[100, 0]
    x[300:340, 0] = 7.0
    return x


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize(("side", "place"), [("both", 0), ("left", 1), ("right", 2)])
def test_profile_of_a_series_is_brute_force(side, place, offset, seed):
    x = _walk(seed, offset=offset)
    expected = reference.self_profiles(x, 25, 7)[place]
    assert_allclose(matrix_profile(x, window_size=25, side=side).distances, expected, atol=1e-8)


def test_profile_between_two_series_is_brute_force(seed):
    x, y = _walk(seed, 180), _walk(seed + 1000, 420)
    expected = reference.profile(x, y, 20, np.ones((161, 401), dtype=bool))
    assert_allclose(matrix_profile(x, y, window_size=20).distances, expected, atol=1e-8)
    assert_allclose(
        matrix_profile(y, x, window_size=20).distances,
        reference.profile(y, x, 20, np.ones((401, 161), dtype=bool)),
        atol=1e-8,
    )


def test_neighbors_are_at_their_distance(seed):
    x = _walk(seed, 300)
    profile = matrix_profile(x, window_size=15, exclusion_zone=9)
    pairs = reference.pair_distances(x, x, 15)
    assert_allclose(pairs[np.arange(286), profile.neighbors], profile.distances, atol=1e-8)
    assert (np.abs(np.arange(286) - profile.neighbors) > 9).all()


def test_channels_share_a_neighbor_in_the_mean(seed):
    x = _walk(seed, 250, n_channels=3)
    expected = reference.self_profiles(x, 18, 5)[0]
    assert_allclose(matrix_profile(x, window_size=18).distances, expected, atol=1e-8)


@pytest.mark.parametrize(("aggregation", "rank"), [("max", 0), (1, 0), (2, 1), (3, 2)])
def test_channels_are_ranked(aggregation, rank, seed):
    x = _walk(seed, 200, n_channels=3)
    each = np.sort([matrix_profile(x[:, channel], window_size=12).distances for channel in range(3)], axis=0)[::-1]
    found = matrix_profile(x, window_size=12, aggregation=aggregation).distances
    assert_array_equal(found, each[rank])


def test_threads_do_not_change_a_bit(seed):
    x = np.random.default_rng(seed).normal(size=(4500, 1)).cumsum(axis=0)
    one, two = (matrix_profile(x, window_size=30, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert_array_equal(one.distances, two.distances)
    assert_array_equal(one.neighbors, two.neighbors)


def test_repeated_shape_has_distance_zero():
    x = np.tile(np.random.default_rng(0).normal(size=50), 4)
    assert matrix_profile(x, window_size=20).distances.max() < 1e-12


def test_series_of_one_window_has_no_neighbor():
    profile = matrix_profile(np.arange(9.0), window_size=9)
    assert_array_equal(profile.neighbors, [-1])
    assert np.isinf(profile.distances).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"X": np.zeros(5), "window_size": 6}, "X has 5 time points"),
        ({"X": np.zeros(9), "other": np.zeros(3), "window_size": 6}, "other has 3 time points"),
        ({"X": np.zeros((9, 1)), "other": np.zeros((9, 2)), "window_size": 6}, "1 channels and other has 2"),
        ({"X": np.zeros(9), "other": np.zeros(9), "window_size": 6, "side": "left"}, "side and exclusion_zone"),
        ({"X": np.zeros((9, 2)), "window_size": 6, "aggregation": 3}, "there are 2 channels"),
        ({"X": [1.0, np.inf, 2.0], "window_size": 2}, "has 2 time points; the longest has 1"),
        ({"X": [1.0, np.nan, 2.0], "window_size": 2}, "has 2 time points; the longest has 1"),
        ({"X": np.zeros(9), "window_size": 4, "exclusion_zone": 5}, "exclusion_zone=5 .* 9 time points .* give 4 at"),
    ],
)
def test_wrong_arguments_raise(arguments, words):
    with pytest.raises(ValueError, match=words):
        matrix_profile(**arguments)


def _short(seed, n):
    x = np.random.default_rng(seed).normal(size=(n, 1)).cumsum(axis=0)
    x[20:35] = x[20]
    return x


@pytest.mark.parametrize("side", ["both", "left", "right"])
@pytest.mark.parametrize("n_neighbors", [2, 4])
def test_several_neighbors_of_a_self_join_are_the_definition(side, n_neighbors, seed):
    x = _short(seed, 90)
    found = matrix_profile(x, window_size=12, side=side, n_neighbors=n_neighbors)
    lag = np.arange(79)[:, None] - np.arange(79)[None, :]
    allowed = {"both": np.abs(lag) > 3, "left": lag > 3, "right": -lag > 3}[side]
    expected = reference.nearest(x, x, 12, allowed, n_neighbors)
    assert_allclose(found.distances, expected, atol=1e-8)
    pairs = reference.pair_distances(x, x, 12)
    known = found.neighbors >= 0
    assert_allclose(pairs[np.nonzero(known)[0], found.neighbors[known]], found.distances[known], atol=1e-8)
    assert_array_equal(np.isinf(found.distances), ~known)


def test_several_neighbors_in_another_series_are_the_definition(seed):
    x, y = _short(seed, 70), _short(seed + 1000, 80)
    found = matrix_profile(x, y, window_size=10, n_neighbors=3).distances
    assert_allclose(found, reference.nearest(x, y, 10, np.ones((61, 71), dtype=bool), 3), atol=1e-8)


@pytest.mark.parametrize("aggregation", ["mean", "max", 2])
def test_the_first_of_several_neighbors_is_the_nearest(aggregation, seed):
    x = np.random.default_rng(seed).normal(size=(4600, 2)).cumsum(axis=0)  # several bands
    options = {"window_size": 15, "aggregation": aggregation}
    several = matrix_profile(x, n_neighbors=3, n_jobs=2, **options)
    assert_allclose(several.distances[:, 0], matrix_profile(x, **options).distances, atol=1e-9)
    assert (np.diff(several.distances, axis=1) >= 0).all()
    one = matrix_profile(x, n_neighbors=3, n_jobs=1, **options)
    assert_array_equal(several.neighbors, one.neighbors)


def test_more_neighbors_than_windows_are_infinite(seed):
    found = matrix_profile(_short(seed, 30), window_size=10, n_neighbors=40)
    assert found.distances.shape == (21, 40)
    assert_array_equal(found.neighbors[0, :18] >= 0, np.arange(18) < 17)
    assert np.isinf(found.distances[:, 18:]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n_neighbors", [1, 3])
def test_windows_that_touch_no_number_are_infinite(value, n_neighbors, seed):
    x = _short(seed, 120)
    x[[40, 90], 0] = value
    found = matrix_profile(x, window_size=10, n_neighbors=n_neighbors)
    touching = np.r_[31:41, 81:91]
    assert_array_equal(np.flatnonzero(np.isinf(found.distances).reshape(111, -1).all(axis=1)), touching)
    assert not np.isin(found.neighbors, touching).any()
    joined = matrix_profile(_short(seed + 1, 60), x, window_size=10, n_neighbors=n_neighbors)
    assert not np.isin(joined.neighbors, touching).any()
    assert np.isfinite(joined.distances).all()


def test_training_scores_are_the_self_join(seed):
    x = _walk(seed, 300)
    detector = MatrixProfileDetector(window_size=20).fit(x)
    assert_array_equal(-detector.score_windows(x), matrix_profile(x, window_size=20).distances)


def test_part_of_training_is_not_compared_with_itself(seed):
    x = np.random.default_rng(seed).normal(size=(300, 1)).cumsum(axis=0)
    detector = MatrixProfileDetector(window_size=20).fit(x)
    part = detector.score_windows(x[90:200])
    assert_allclose(part, detector.score_windows(x)[90:181], atol=1e-8)


def test_new_data_are_compared_with_all_training_windows(seed):
    x = np.random.default_rng(seed).normal(size=(400, 1)).cumsum(axis=0)
    detector = MatrixProfileDetector(window_size=20).fit(x[:300])
    whole = -detector.score_windows(x)
    assert_allclose(whole[300:], matrix_profile(x[300:], x[:300], window_size=20).distances, atol=1e-8)
    assert_allclose(whole[:281], -detector.score_windows(x[:300]), atol=1e-8)


def test_causal_scores_do_not_use_the_future(seed):
    x = np.random.default_rng(seed).normal(size=(400, 1)).cumsum(axis=0)
    whole = MatrixProfileDetector(window_size=20, causal=True).fit(x).score_samples(x)
    early = MatrixProfileDetector(window_size=20, causal=True).fit(x[:250]).score_samples(x[:250])
    assert_allclose(whole[:250], early, atol=1e-8)


@pytest.mark.parametrize("alignment", ["center", "mean", "max"])
def test_time_points_with_an_anomalous_shape_are_detected(alignment, seed):
    random = np.random.default_rng(seed)
    x = np.sin(np.arange(1000) / 6) + 0.05 * random.normal(size=1000)
    x[500:520] += np.sin(np.arange(20) * np.pi / 10)
    scores = MatrixProfileDetector(window_size=40, point_alignment=alignment).fit(x).score_samples(x)
    assert 470 < scores.argmin() < 550


@pytest.mark.parametrize("scale", [1e-6, 1e8])
def test_scale_and_level_do_not_matter(scale, seed):
    x = np.random.default_rng(seed).normal(size=300).cumsum()
    detector = MatrixProfileDetector(window_size=20)
    expected = detector.fit(x).score_samples(x)
    assert_allclose(detector.fit(scale * (x + 3)).score_samples(scale * (x + 3)), expected, rtol=1e-4, atol=1e-6)
