import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import cosine_distances
from sklearn.neighbors import NearestNeighbors

from skanomaly.detectors import NearestNeighborsDetector


def _cloud(seed, n_rows=80, n_columns=5):
    random = np.random.default_rng(seed)
    return random.normal(size=(n_rows, n_columns)) @ random.normal(size=(n_columns, n_columns)) + 5


def _whitening(X):
    values, vectors = np.linalg.eigh(LedoitWolf().fit(X).covariance_)
    return vectors / np.sqrt(values)


@pytest.mark.parametrize("shape", [(80, 5), (60, 12), (20, 60)])
def test_whitened_distance_is_euclidean_after_scikit_learns_whitening(seed, shape):
    X, Q = _cloud(seed, *shape), _cloud(seed + 1, 30, shape[1])
    whitening = _whitening(X)
    expected = NearestNeighbors(n_neighbors=3).fit(X @ whitening).kneighbors(Q @ whitening)[0][:, 2]
    found = -NearestNeighborsDetector(n_neighbors=3).fit(X).score_samples(Q)
    assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize(("aggregation", "function"), [("max", np.max), ("mean", np.mean)])
def test_neighbours_are_aggregated(seed, aggregation, function):
    X, Q = _cloud(seed), _cloud(seed + 1)
    expected = function(NearestNeighbors(n_neighbors=4).fit(X).kneighbors(Q)[0], axis=1)
    detector = NearestNeighborsDetector(n_neighbors=4, metric="euclidean", aggregation=aggregation).fit(X)
    assert_allclose(-detector.score_samples(Q), expected)


def test_cosine_distance_is_scikit_learns(seed):
    X, Q = _cloud(seed), _cloud(seed + 1)
    detector = NearestNeighborsDetector(metric="cosine").fit(X)
    assert_allclose(-detector.score_samples(Q), cosine_distances(Q, X).min(axis=1), atol=1e-12)


@pytest.mark.parametrize("metric", ["whitened", "euclidean", "cosine"])
@pytest.mark.parametrize("shape", [(80, 5), (20, 60)])
def test_training_rows_are_scored_without_themselves(seed, metric, shape):
    X = _cloud(seed, *shape)
    detector = NearestNeighborsDetector(n_neighbors=2, metric=metric).fit(X)
    transformed = X @ _whitening(X) if metric == "whitened" else X
    expected = NearestNeighbors(n_neighbors=2, metric="cosine" if metric == "cosine" else "euclidean").fit(transformed)
    assert_allclose(-detector.score_samples(X), expected.kneighbors()[0][:, 1], rtol=1e-7, atol=1e-12)
    assert_allclose(detector.score_samples(X[3:4]), detector.score_samples(X)[3:4], rtol=1e-9)


def test_one_of_two_equal_rows_is_a_neighbour_of_the_other():
    X = np.vstack([_cloud(0), _cloud(0)[:1]])
    assert NearestNeighborsDetector().fit(X).score_samples(X[:1]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("bank", "bank_size", "expected"), [("full", 0.1, 80), ("random", 0.25, 20), ("coreset", 7, 7)]
)
def test_bank_has_the_given_size(seed, bank, bank_size, expected):
    X = _cloud(seed)
    detector = NearestNeighborsDetector(bank=bank, bank_size=bank_size, random_state=seed).fit(X)
    assert detector.bank_.shape == (expected, 5)
    assert {tuple(row) for row in detector.bank_} <= {tuple(row) for row in X}


@pytest.mark.parametrize("bank", ["random", "coreset"])
@pytest.mark.parametrize("bank_size", [1, 0.001, 500])
def test_bank_size_is_between_two_and_all_rows(bank, bank_size):
    detector = NearestNeighborsDetector(bank=bank, bank_size=bank_size, n_neighbors=9, random_state=0).fit(_cloud(0))
    assert len(detector.bank_) == (80 if bank_size == 500 else 2)
    assert detector.n_neighbors_ == min(9, len(detector.bank_) - 1)


@pytest.mark.parametrize("metric", ["whitened", "euclidean", "cosine"])
def test_coreset_covers_rare_rows_that_a_random_bank_misses(seed, metric):
    random = np.random.default_rng(seed)
    X = random.normal(size=(303, 2)) + np.repeat([[20, 0], [0, 20]], [300, 3], axis=0)
    detector = NearestNeighborsDetector(bank="coreset", bank_size=10, metric=metric, random_state=seed).fit(X)
    assert (detector.bank_[:, 1] > 10).any()


def test_coreset_depends_on_the_random_state_only():
    first, second = (NearestNeighborsDetector(bank="coreset", random_state=4).fit(_cloud(1)) for _ in range(2))
    assert_array_equal(first.bank_, second.bank_)


def test_labelled_anomalies_are_subtracted(seed):
    X, Q = _cloud(seed), _cloud(seed + 1)
    y = np.zeros(80, dtype=int)
    y[:10] = -1
    near, far = (NearestNeighbors(n_neighbors=1).fit(rows).kneighbors(Q)[0][:, 0] for rows in (X[10:], X[:10]))
    detector = NearestNeighborsDetector(metric="euclidean", anomaly_weight=0.25).fit(X, y)
    assert_allclose(-detector.score_samples(Q), near - 0.25 * far)
    assert_array_equal(detector.bank_, X[10:])


def test_labelled_anomaly_is_scored_without_itself(seed):
    X = _cloud(seed)
    y = np.where(np.arange(80) < 10, -1, 1)
    near = NearestNeighbors(n_neighbors=1).fit(X[10:]).kneighbors(X[:10])[0][:, 0]
    far = NearestNeighbors(n_neighbors=1).fit(X[:10]).kneighbors()[0][:, 0]
    detector = NearestNeighborsDetector(metric="euclidean").fit(X, y)
    assert_allclose(-detector.score_samples(X[:10]), near - 0.5 * far)


def test_single_labelled_anomaly_scores_with_the_median_distance(seed):
    X = _cloud(seed)
    y = np.where(np.arange(80) < 1, -1, 1)
    near = NearestNeighbors(n_neighbors=1).fit(X[1:]).kneighbors(X[:1])[0][:, 0]
    median = np.median(np.linalg.norm(X[1:] - X[0], axis=1))
    detector = NearestNeighborsDetector(metric="euclidean").fit(X, y)
    assert_allclose(-detector.score_samples(X[:1]), near - 0.5 * median)


def test_anomaly_equal_to_every_normal_row_has_a_finite_score():
    X = np.zeros((6, 2))
    assert np.isfinite(NearestNeighborsDetector().fit(X, [-1, 0, 0, 0, 0, 0]).score_samples(X)).all()


def test_trimming_drops_the_rows_farthest_from_the_others(seed):
    X = np.random.default_rng(seed).normal(size=(50, 3))
    X[:5] = np.random.default_rng(seed).normal(size=(5, 3)) * 100
    detector = NearestNeighborsDetector(trim=0.1, metric="euclidean").fit(X)
    assert_array_equal(detector.bank_, X[5:])


def test_trimming_keeps_rows_labelled_normal(seed):
    X = np.random.default_rng(seed).normal(size=(51, 3))
    X[:5] = np.random.default_rng(seed).normal(size=(5, 3)) * 100
    y = np.repeat([1, 0, -1], [5, 45, 1])  # with 0 and 1 alone, 1 would mean anomaly
    detector = NearestNeighborsDetector(trim=0.1, metric="euclidean").fit(X, y)
    assert_array_equal(detector.bank_[:5], X[:5])
    assert len(detector.bank_) == 45


def test_trimming_estimates_the_metric_again(seed):
    X = _cloud(seed)
    kept = NearestNeighborsDetector(trim=0.3).fit(X)
    assert kept.shrinkage_ == NearestNeighborsDetector().fit(kept.bank_).shrinkage_


def test_too_few_rows_that_are_not_anomalies_are_named():
    with pytest.raises(ValueError, match="y leaves 1 rows"):
        NearestNeighborsDetector().fit(np.eye(4), [-1, -1, -1, 0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_neighbors", 0),
        ("metric", "manhattan"),
        ("bank_size", 0.0),
        ("bank_size", 1.5),
        ("trim", 0.5),
        ("bank", "best"),
    ],
)
def test_parameter_outside_its_range_is_named(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        NearestNeighborsDetector(**{name: value}).fit(_cloud(0))


def test_order_of_training_rows_does_not_change_the_scores(seed):
    X, Q = _cloud(seed), _cloud(seed + 1)
    order = np.random.default_rng(seed).permutation(80)
    expected = NearestNeighborsDetector(n_neighbors=3).fit(X).score_samples(Q)
    assert_allclose(NearestNeighborsDetector(n_neighbors=3).fit(X[order]).score_samples(Q), expected, rtol=1e-9)


@pytest.mark.parametrize("metric", ["whitened", "euclidean"])
def test_rotation_and_shift_do_not_change_the_scores(seed, metric):
    X, Q = _cloud(seed), _cloud(seed + 1)
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 5)))[0]
    expected = NearestNeighborsDetector(metric=metric).fit(X).score_samples(Q)
    moved = NearestNeighborsDetector(metric=metric).fit(X @ rotation - 7)
    assert_allclose(moved.score_samples(Q @ rotation - 7), expected, rtol=1e-8)


def test_scores_fall_with_the_distance(seed):
    X = _cloud(seed)
    ray = X.mean(axis=0) + np.linspace(30, 300, 12)[:, None] * np.ones(5)
    assert (np.diff(NearestNeighborsDetector().fit(X).score_samples(ray)) < 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["resnet18", "vit"])
def test_whitening_helps_on_embeddings(shared_data, kind):
    areas = []
    for path in sorted((shared_data / "embeddings").glob(f"mvtec_*_{kind}.npz")):
        with np.load(path) as arrays:
            X, y = arrays["X"], arrays["y"]
        normal = np.random.default_rng(0).permutation(np.flatnonzero(y == 0))
        cut = int(0.7 * len(normal))
        test = np.concatenate([normal[cut:], np.flatnonzero(y == 1)])
        areas.append(
            [
                roc_auc_score(
                    y[test] == 0, NearestNeighborsDetector(metric=metric).fit(X[normal[:cut]]).score_samples(X[test])
                )
                for metric in ("whitened", "euclidean")
            ]
        )
    whitened, plain = np.mean(areas, axis=0)
    assert whitened > plain + 0.01
