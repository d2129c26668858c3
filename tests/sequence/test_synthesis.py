import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skanomaly.sequence import degrade_windows, overlay_events


def _windows(seed, n_windows=200, n_timepoints=100, n_features=3):
    return np.random.default_rng(seed).normal(size=(n_windows, n_timepoints, n_features))


@pytest.mark.parametrize("kind", ["soft", "uniform", "peak"])
def test_labels_are_where_values_changed(seed, kind):
    X = _windows(seed)
    changed, labels = degrade_windows(X, fractions={kind: 1.0}, random_state=seed)
    assert_array_equal((changed != X).any(axis=2), labels == -1)
    assert (labels == -1).any(axis=1).all()


@pytest.mark.parametrize("kind", ["soft", "uniform", "length"])
def test_intervals_are_contiguous_and_no_longer_than_max_ratio(seed, kind):
    _, labels = degrade_windows(_windows(seed), fractions={kind: 1.0}, max_ratio=0.2, random_state=seed)
    marked = labels == -1
    assert (marked.sum(axis=1) <= 20).all()
    assert (np.abs(np.diff(marked.astype(int), axis=1)).sum(axis=1) <= 2).all()


def test_length_keeps_values_of_the_window_and_one_side(seed):
    X = _windows(seed)
    changed, labels = degrade_windows(X, fractions={"length": 1.0}, random_state=seed)
    for before, after, marks in zip(X, changed, labels == -1, strict=True):
        assert np.isin(after[:, 0], before[:, 0]).all()
        start, stop = np.flatnonzero(marks)[[0, -1]]
        whole_before = (after[:start] == before[:start]).all()
        assert whole_before or (after[stop + 1 :] == before[stop + 1 :]).all()


def test_peak_moves_to_the_other_end_of_the_range(seed):
    X = _windows(seed)
    changed, _ = degrade_windows(X, fractions={"peak": 1.0}, random_state=seed)
    low, high = X.min(axis=(0, 1)), X.max(axis=(0, 1))
    moved = changed != X
    place = (changed - low) / (high - low)
    assert ((place[moved] <= 0.1) | (place[moved] >= 0.9)).all()


def test_columns_of_two_values_are_replaced_not_blended(seed):
    X = np.random.default_rng(seed).integers(0, 2, (50, 60, 2)).astype(float)
    changed, _ = degrade_windows(X, fractions={"soft": 1.0}, random_state=seed)
    assert np.isin(changed, [0, 1]).all()


def test_unchanged_windows_are_copies(seed):
    X = _windows(seed)
    kept = X.copy()
    changed, labels = degrade_windows(X, fractions={}, random_state=seed)
    assert_array_equal(changed, X)
    assert (labels == 1).all()
    assert not np.shares_memory(changed, X)
    degrade_windows(X, random_state=seed)
    assert_array_equal(X, kept)


@pytest.mark.slow
def test_kinds_have_the_fractions_asked_for(seed):
    X = np.random.default_rng(seed).normal(size=(20_000, 20, 1))
    _, labels = degrade_windows(X, fractions={"peak": 0.3, "uniform": 0.2}, random_state=seed)
    counts = (labels == -1).sum(axis=1)
    for observed, fraction in ((counts == 1, 0.3), (counts > 1, 0.2)):
        assert abs(observed.mean() - fraction) < 4 * np.sqrt(fraction * (1 - fraction) / 20_000)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"fractions": {"loud": 0.5}}, "loud"),
        ({"fractions": {"soft": 0.7, "peak": 0.7}}, "more than 1"),
        ({"max_ratio": 0.0}, "'max_ratio' parameter.*Got 0.0"),
    ],
)
def test_wrong_degradations_raise(arguments, words):
    with pytest.raises(ValueError, match=words):
        degrade_windows(_windows(0, 3), **arguments)


def test_windows_of_different_lengths_raise():
    with pytest.raises(ValueError, match="one length"):
        degrade_windows([np.zeros((9, 1)), np.zeros((10, 1))])


def test_events_have_the_power_asked_for(seed):
    random = np.random.default_rng(seed)
    background, event = random.normal(size=5000), np.hanning(200)
    mixed, labels = overlay_events(background, [event], n_events=4, snr_db=(3.0, 3.0), random_state=seed)
    assert_array_equal(mixed[labels == 1, 0], background[labels == 1])
    added = (mixed[:, 0] - background)[labels == -1].reshape(4, 200)
    beneath = background[labels == -1].reshape(4, 200)
    assert 10 * np.log10(added.var(axis=1) / beneath.var(axis=1)) == pytest.approx(3.0)


@pytest.mark.parametrize("mode", ["overlay", "replace"])
def test_events_have_the_power_asked_for_between_their_fades(seed, mode):
    random = np.random.default_rng(seed)
    background, event = random.normal(size=5000), random.normal(size=300)
    options = {"n_events": 3, "mode": mode, "fade": 60, "random_state": seed}
    loud, soft = (overlay_events(background, [event], snr_db=(ratio, ratio), **options) for ratio in (6.0, -200.0))
    labels = loud[1]
    mixed_in = (loud[0] - soft[0])[labels == -1].reshape(3, 300)
    beneath = background[labels == -1].reshape(3, 300)
    factors = mixed_in[:, 60:240].std(axis=1) / event[60:240].std()
    assert 20 * np.log10(factors * event.std() / beneath.std(axis=1)) == pytest.approx(6.0, abs=0.1)
    assert (np.abs(mixed_in[:, :3]) < 0.2 * np.abs(factors[:, None] * event[:3])).all()
    assert_array_equal(loud[0][labels == 1, 0], background[labels == 1])


def test_cross_fade_keeps_the_power(seed):
    random = np.random.default_rng(seed)
    background = 20 + random.normal(size=40_000)
    mixed, labels = overlay_events(
        background,
        [random.normal(size=10_000)],
        n_events=2,
        snr_db=(0, 0),
        mode="replace",
        fade=4000,
        random_state=seed,
    )
    background, event = 20 + random.normal(size=40_000), random.normal(size=10_000)
    options = {"n_events": 2, "snr_db": (0, 0), "mode": "replace", "fade": 4000}
    mixed, labels = overlay_events(background, [event], **options, random_state=seed)
    within = mixed[labels == -1].reshape(20, 1000)
    assert within.std(axis=1) == pytest.approx(1, abs=0.12)
    assert within.mean(axis=1) == pytest.approx(20, abs=0.2)


def test_replaced_background_is_gone_between_the_fades(seed):
    event = np.random.default_rng(seed).normal(size=100)
    mixed, labels = overlay_events(
        np.sin(np.arange(500.0)), [event], n_events=1, mode="replace", fade=10, random_state=seed
    )
    inner = mixed[labels == -1][20:80, 0]
    assert np.corrcoef(inner, event[20:80])[0, 1] == pytest.approx(1)


def test_events_keep_their_distance(seed):
    _, labels = overlay_events(np.arange(100.0), [np.ones(7)], n_events=6, min_gap=5, random_state=seed)
    starts = np.flatnonzero(np.diff(np.append(1, labels)) == -2)
    assert len(starts) == 6
    assert (np.diff(starts) >= 12).all()


def test_constant_event_is_added_as_it_is():
    mixed, labels = overlay_events(np.arange(50.0), [np.full(5, 2.0)], n_events=1, random_state=0)
    assert_array_equal(mixed[labels == -1, 0] - np.arange(50.0)[labels == -1], 2.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_events": 20}, "more time points"),
        ({"n_events": -1}, "'n_events' parameter.*Got -1"),
        ({"snr_db": (2, 1)}, "ascending"),
    ],
)
def test_events_that_do_not_fit_raise(arguments, words):
    with pytest.raises(ValueError, match=words):
        overlay_events(np.arange(50.0), [np.ones(5)], **arguments)


def test_events_of_other_features_raise():
    with pytest.raises(ValueError, match=r"events \[1\]"):
        overlay_events(np.zeros((50, 2)), [np.ones((5, 2)), np.ones((5, 3))])
