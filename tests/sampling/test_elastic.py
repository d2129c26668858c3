import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly._support._warping import nearest_warped
from skanomaly.sampling import SMOTE, ElasticSMOTE


def _waves(seed, n_minority=8, n_features=2):
    random = np.random.default_rng(seed)
    phase = random.uniform(0, 1.5, size=(24 + n_minority, 1))
    wave = np.sin(np.arange(30) / 3 + phase)
    X = np.stack([wave * (channel + 1) for channel in range(n_features)], axis=2)
    return X + 0.05 * random.normal(size=X.shape), np.repeat([0, 1], [24, n_minority])


@pytest.mark.parametrize("selection", ["balanced", "random"])
def test_without_a_band_it_is_smote_on_the_values(seed, selection):
    X, y = _waves(seed)
    given = {"selection": selection, "random_state": seed}
    ours, targets = ElasticSMOTE(band=0, **given).fit_resample(X, y)
    plain, plain_targets = SMOTE(**given).fit_resample(X.reshape(len(X), -1), y)
    assert_array_equal(ours.reshape(len(ours), -1), plain)
    assert_array_equal(targets, plain_targets)


def test_neighbours_are_the_nearest_by_warped_distance(seed):
    X, y = _waves(seed)
    sampler = ElasticSMOTE(k_neighbors=2, band=0.2, random_state=seed)
    sampler.fit_resample(X, y)
    own = np.flatnonzero(y == 1)
    for first, second in sampler.parents_:
        places = X[own].reshape(len(own) * X.shape[1], -1)
        offsets = np.arange(len(own) + 1) * X.shape[1]
        left_out = int(np.flatnonzero(own == first)[0])
        assert second in own[nearest_warped(X[first].reshape(X.shape[1], -1), places, offsets, left_out, 2, 0.2)[1]]


def test_warping_keeps_the_height_of_a_peak_that_moves(seed):
    random = np.random.default_rng(seed)
    places = np.concatenate([random.integers(5, 25, 24), [8, 11, 14, 17, 20]])
    X = np.exp(-0.5 * (np.arange(30) - places[:, None]) ** 2)
    y = np.repeat([0, 1], [24, 5])
    heights = [
        ElasticSMOTE(band=band, k_neighbors=4, random_state=seed).fit_resample(X, y)[0][len(X) :].max(axis=1)
        for band in (0, 0.5)
    ]
    assert heights[0].min() < 0.8
    assert heights[1].min() > 0.95


def test_threads_do_not_change_the_series(seed):
    X, y = _waves(seed)
    one, two = (ElasticSMOTE(n_jobs=n_jobs, random_state=seed).fit_resample(X, y)[0] for n_jobs in (1, 2))
    assert_array_equal(one, two)


def test_a_table_is_taken_for_series_of_one_channel(seed):
    X, y = _waves(seed, n_features=1)
    flat = ElasticSMOTE(random_state=seed).fit_resample(X[:, :, 0], y)[0]
    assert_array_equal(flat, ElasticSMOTE(random_state=seed).fit_resample(X, y)[0][:, :, 0])


def test_single_precision_stays(seed):
    X, y = _waves(seed)
    single = ElasticSMOTE(random_state=seed).fit_resample(X.astype(np.float32), y)[0]
    assert single.dtype == np.float32
    assert_allclose(single, ElasticSMOTE(random_state=seed).fit_resample(X, y)[0], atol=0.5)


def test_one_series_is_copied_with_a_warning():
    X, y = _waves(0, n_minority=1)
    with pytest.warns(UserWarning, match="one row"):
        made = ElasticSMOTE(random_state=0).fit_resample(X, y)[0]
    assert_allclose(made[len(X) :], np.repeat(X[-1:], 23, axis=0))


def test_plausibility_takes_series(seed):
    X, y = _waves(seed)
    sampler = ElasticSMOTE(random_state=seed).fit(X, y)
    assert sampler.score_samples(X[-3:]).min() > sampler.score_samples(X[-3:] + 50).max()
    with pytest.raises(ValueError, match="fitted ones hold 60 values"):
        sampler.score_samples(X[:, :, :1])


def test_more_dimensions_raise():
    with pytest.raises(ValueError, match="n_sequences, n_timepoints, n_features"):
        ElasticSMOTE().fit_resample(np.zeros((4, 3, 2, 2)), [0, 0, 1, 1])
