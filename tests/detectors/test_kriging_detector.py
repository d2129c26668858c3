import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from skanomaly.detectors import KrigingDetector, NearestNeighborsDetector
from tests.reference import kriging as reference
from tests.reference.mixed_distances import distances


def _cloud(seed, n_rows=50, n_columns=4):
    random = np.random.default_rng(seed)
    return random.normal(size=(n_rows, n_columns)) @ random.normal(size=(n_columns, n_columns)) + 5


def _with_duplicates(seed):
    X = _cloud(seed, 40)
    return np.vstack([X, X[:6], X[:3], X[:1]])


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.7])
@pytest.mark.parametrize("noise", [0.001, 0.1])
def test_scores_solve_the_kriging_system(seed, exponent, noise):
    X, Q = _with_duplicates(seed), _cloud(seed + 1)
    unit = reference.typical_distance(X)
    expected = reference.variances(X, Q, noise, exponent, unit)
    found = -KrigingDetector(noise=noise, exponent=exponent).fit(X).score_samples(Q)
    assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.7])
@pytest.mark.parametrize("noise", [0.001, 0.1])
def test_training_rows_score_as_after_refitting_without_one_copy(seed, exponent, noise):
    X = _with_duplicates(seed)
    expected = reference.left_out_variances(X, noise, exponent, reference.typical_distance(X))
    found = -KrigingDetector(noise=noise, exponent=exponent).fit(X).score_samples(X)
    assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("exponent", [1.0, 1.98])
def test_noise_is_added_where_rows_are_equal_up_to_rounding(seed, exponent):
    X, Q = _cloud(seed), _cloud(seed + 1)
    close = np.vstack([X, np.nextafter(X[:5], np.inf)])
    detector = KrigingDetector(noise=0, exponent=exponent).fit(close)
    assert 0 < detector.noise_ < 1e-7
    assert np.isfinite(detector.score_samples(close)).all()
    expected = reference.variances(X, Q, 0.0, exponent, detector.scale_)
    assert_allclose(-detector.score_samples(Q), expected, rtol=2e-2, atol=1e-5)


def test_scale_is_the_median_distance_of_different_rows(seed):
    X = _with_duplicates(seed)
    assert KrigingDetector().fit(X).scale_ == pytest.approx(reference.typical_distance(X), rel=1e-10)


@pytest.mark.parametrize("factor", [2.0**-300, 2.0**-3, 2.0**300])
def test_scores_do_not_depend_on_the_unit(seed, factor):
    X, Q = _cloud(seed), _cloud(seed + 1)
    expected = KrigingDetector().fit(X).score_samples(Q)
    assert_array_equal(KrigingDetector().fit(X * factor).score_samples(Q * factor), expected)


def test_scores_do_not_depend_on_the_origin(seed):
    X, Q = _cloud(seed), _cloud(seed + 1)
    expected = KrigingDetector().fit(X).score_samples(Q)
    assert_allclose(KrigingDetector().fit(X + 1e6).score_samples(Q + 1e6), expected, rtol=1e-6)


@pytest.mark.parametrize("covariance", [None, "ledoit_wolf", "oas", "empirical", "robust"])
def test_row_alone_has_the_bits_of_the_batch(seed, covariance):
    X, Q = _cloud(seed, 60), _cloud(seed + 1, 300)
    detector = KrigingDetector(covariance=covariance, random_state=0).fit(X)
    whole = detector.score_samples(Q)
    assert_array_equal([detector.score_samples(row[None])[0] for row in Q[::9]], whole[::9])
    assert_array_equal(detector.score_samples(Q[37:]), whole[37:])


def test_whitening_makes_scores_indifferent_to_linear_maps(seed):
    X, Q = _cloud(seed), _cloud(seed + 1)
    mixing = np.random.default_rng(seed).normal(size=(4, 4)) + 3 * np.eye(4)
    expected = KrigingDetector(covariance="empirical").fit(X).score_samples(Q)
    found = KrigingDetector(covariance="empirical").fit(X @ mixing).score_samples(Q @ mixing)
    assert_allclose(found, expected, rtol=1e-6)


def test_bank_is_a_random_choice_beyond_max_samples(seed):
    X = _cloud(seed, 90)
    detector = KrigingDetector(max_samples=30, random_state=seed).fit(X)
    assert len(detector.bank_) == 30
    assert {tuple(row) for row in detector.bank_} <= {tuple(row) for row in X}
    again = KrigingDetector(max_samples=30, random_state=seed).fit(X)
    assert_array_equal(again.bank_, detector.bank_)
    assert not np.array_equal(KrigingDetector(max_samples=30, random_state=seed + 1).fit(X).bank_, detector.bank_)


def test_bank_counts_the_copies_of_a_row(seed):
    X = _with_duplicates(seed)
    detector = KrigingDetector().fit(X)
    assert_array_equal(detector.bank_, X[:40])
    assert_array_equal(detector.bank_counts_, np.repeat([4, 3, 2, 1], [1, 2, 3, 34]))


def test_rows_labelled_as_anomalies_are_left_out(seed):
    X = _cloud(seed)
    y = np.where(np.arange(50) < 10, -1, 0)
    found = KrigingDetector().fit(X, y)
    assert_array_equal(found.score_samples(X), KrigingDetector().fit(X[10:]).score_samples(X))


def test_too_few_rows_that_are_not_anomalies_are_named():
    with pytest.raises(ValueError, match="y leaves 1 rows"):
        KrigingDetector().fit(np.eye(4), [-1, -1, -1, 0])


def test_constant_columns_change_nothing_for_rows_that_have_the_constant(seed):
    X, Q = _cloud(seed), _cloud(seed + 1)
    wide, wide_queries = (np.hstack([rows, np.full((50, 3), 7.0)]) for rows in (X, Q))
    expected = KrigingDetector().fit(X).score_samples(Q)
    assert_allclose(KrigingDetector().fit(wide).score_samples(wide_queries), expected, rtol=1e-9)


@pytest.mark.parametrize("covariance", [None, "ledoit_wolf"])
@pytest.mark.parametrize("huge", [1e20, 1e160, 1e308, -1e308])
def test_one_huge_value_is_flagged_and_hides_nothing(seed, covariance, huge):
    X = np.random.default_rng(seed).normal(size=(100, 3))
    X[0, 1], X[1] = huge, [9.0, 9.0, -9.0]
    detector = KrigingDetector(contamination=0.02, covariance=covariance).fit(X)
    scores = detector.score_samples(X)
    assert np.isfinite(scores).all()
    assert scores[0] == scores.min()
    assert detector.score_samples([[0.0, huge / 3, 0.0]])[0] < np.delete(scores, 0).min()
    if covariance is None:  # whitening takes its covariance from all rows
        assert scores[1] == scores[1:].min()


@pytest.mark.parametrize("shape", [(30, 2), (30, 1000), (2, 3), (400, 20)])
def test_far_rows_score_below_near_ones(seed, shape):
    X = np.random.default_rng(seed).normal(size=shape)
    detector = KrigingDetector().fit(X)
    far = np.array([np.full(shape[1], 10.0**power) for power in range(1, 9)])
    scores = detector.score_samples(far)
    assert (np.diff(scores) < 0).all()
    assert scores[0] < detector.score_samples(X).min()


def test_row_between_many_scores_above_a_row_at_the_rim(seed):
    random = np.random.default_rng(seed)
    angles = random.uniform(0, 2 * np.pi, 300)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    scores = KrigingDetector().fit(ring).score_samples([[0.0, 1.0], [0.0, 0.5], [0.0, 0.0], [0.0, 2.0]])
    assert scores[0] > scores[1] > scores[2]
    assert scores[2] > scores[3]


def test_mixed_frame_uses_the_mixed_distance(seed):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"size": random.normal(size=60), "kind": random.choice(["a", "b", "c"], 60)})
    frame.loc[::7, "size"] = np.nan
    frame.loc[::11, "kind"] = None
    codes = frame["kind"].map({"a": 0.0, "b": 1.0, "c": 2.0}).astype(float)
    table = distances(*[np.column_stack([frame["size"], codes])] * 2, [False, True])
    detector = KrigingDetector(noise=0.01).fit(frame)
    pairs = table[np.triu_indices(60, 1)]
    first = [np.flatnonzero(row == 0)[0] for row in table]
    kept = np.unique(first)
    pairs = table[np.ix_(kept, kept)][np.triu_indices(len(kept), 1)]
    unit = np.median(pairs[pairs > 0])
    power = table / unit
    gamma = power / (1 + power / 1e6)
    for left in range(0, 60, 9):
        others = np.delete(np.arange(60), left)
        matrix = np.ones((60, 60))
        matrix[:59, :59] = gamma[np.ix_(others, others)] + 0.01 * (1 - np.eye(59))
        matrix[59, 59] = 0
        right = np.append(gamma[left, others] + 0.01, 1)
        expected = right @ np.linalg.solve(matrix, right)
        assert -detector.score_samples(frame.iloc[[left]])[0] == pytest.approx(expected, rel=1e-8)


@pytest.mark.slow
def test_mean_auroc_is_that_of_one_neighbour(shared_data):
    gains = []
    for path in sorted((shared_data / "tables").glob("*.npz")):
        with np.load(path) as arrays:
            X, y = arrays["X"].astype(float), arrays["y"].astype(int)
        for state in range(2):
            random = np.random.default_rng(state)
            chosen = random.permutation(len(X))[:1000]
            rows, labels = X[chosen], y[chosen]
            normal = random.permutation(np.flatnonzero(labels == 0))
            n_train = int(0.7 * len(normal))
            test = np.concatenate([normal[n_train:], np.flatnonzero(labels == 1)])
            if not labels.any():
                continue
            scaler = StandardScaler().fit(rows[normal[:n_train]])
            train, scored = scaler.transform(rows[normal[:n_train]]), scaler.transform(rows[test])
            ours, one = (
                roc_auc_score(labels[test], -detector.fit(train).score_samples(scored))
                for detector in (KrigingDetector(random_state=0), NearestNeighborsDetector(metric="euclidean"))
            )
            gains.append(ours - one)
    assert np.mean(gains) > -0.003
