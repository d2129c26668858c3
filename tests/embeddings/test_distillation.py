import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from skanomaly.embeddings import DistillationDetector, NetworkStudent


def _levels(seed, n_samples=60, n_columns=(5, 3)):
    """Two levels, of which each is nearly a function of the other."""
    random = np.random.default_rng(seed)
    early = random.normal(size=(n_samples, n_columns[0]))
    late = early @ random.normal(size=n_columns) + 0.1 * random.normal(size=(n_samples, n_columns[1]))
    return np.hstack([early, late]) + 3


@pytest.mark.parametrize("n_columns", [(5, 3), (90, 70)])
def test_students_are_scikit_learns_ridge(seed, n_columns):
    X, Q = _levels(seed, 60, n_columns), _levels(seed + 1, 10, n_columns)
    split = n_columns[0]
    detector = DistillationDetector(levels=n_columns).fit(X)
    directions = ((slice(0, split), slice(split, None)), (slice(split, None), slice(0, split)))
    for student, (seen, wanted) in zip(detector._students, directions, strict=True):
        penalty = 0.1 * X[:, seen].shape[1] / 2 * X[:, seen].var(axis=0).mean()
        ridge = Ridge(alpha=penalty).fit(X[:, seen], X[:, wanted])
        expected = np.mean((ridge.predict(Q[:, seen]) - Q[:, wanted]) ** 2 / X[:, wanted].var(axis=0), axis=1)
        assert_allclose(student.errors(Q, np.zeros(len(Q)), "squared"), expected)


def test_training_rows_are_scored_by_a_student_fitted_without_them(seed):
    X = _levels(seed)
    source, target = X[:, :5], X[:, 5:]
    penalty = 0.1 * 5 / 2 * source.var(axis=0).mean()
    detector = DistillationDetector(levels=[5, 3]).fit(X)
    student = detector._students[0]
    found = student.errors(X, student.leverages, "squared")
    for row in (0, 17):
        others = np.arange(len(X)) != row
        # Without its mean, a fit to the other rows leaves the row's own residual divided by one minus its leverage.
        design = np.column_stack([np.ones(len(X)), source - source.mean(axis=0)])
        gram = design[others].T @ design[others] + np.diag([0.0] + [penalty] * 5)
        coef = np.linalg.solve(gram, design[others].T @ target[others])
        residual = target[row] - design[row] @ coef
        assert found[row] == pytest.approx(np.mean(residual**2 / target.var(axis=0)))


@pytest.mark.parametrize("aggregation", ["sum", "product", "quantile"])
@pytest.mark.parametrize("error", ["squared", "cosine"])
def test_levels_that_disagree_are_found(seed, aggregation, error):
    X = _levels(seed, 400)
    mixed = np.hstack([X[:50, :5], X[350:, 5:]])
    detector = DistillationDetector(levels=[5, 3], aggregation=aggregation, error=error).fit(X[:300])
    scores = detector.score_samples(np.vstack([X[300:], mixed]))
    assert roc_auc_score(np.repeat([1, -1], [100, 50]), scores) > 0.95


def test_quantiles_of_training_errors_become_0_and_a_tenth(seed):
    X = _levels(seed, 400)
    detector = DistillationDetector(levels=[5, 3], aggregation="quantile").fit(X)
    student = detector._students[0]
    mapped = (
        0.1
        * (student.errors(X, student.leverages, "squared") - detector._low[0])
        / (detector._high[0] - detector._low[0])
    )
    assert_allclose(np.quantile(mapped, [0.9, 0.995]), [0, 0.1], atol=1e-12)


def test_three_levels_have_four_students():
    X = np.random.default_rng(0).normal(size=(40, 6))
    assert len(DistillationDetector(levels=[2, 2, 2]).fit(X).views_) == 4
    assert len(DistillationDetector(n_views=3).fit(X).views_) == 6


def test_one_level_has_nothing_to_predict():
    with pytest.raises(ValueError, match="one group of columns"):
        DistillationDetector(levels=[6]).fit(np.random.default_rng(0).normal(size=(40, 6)))


def test_mvtec_features_reach_the_measured_figures(shared_data):
    areas = {}
    for kind in ("resnet18", "vit"):
        with np.load(shared_data / "embeddings" / f"mvtec_bottle_{kind}.npz") as arrays:
            X, y = arrays["X"].astype(np.float64), arrays["y"]
        normal = np.random.default_rng(0).permutation(np.flatnonzero(y == 0))
        n_train = int(0.7 * len(normal))
        test = np.concatenate([normal[n_train:], np.flatnonzero(y == 1)])
        detector = DistillationDetector(random_state=0).fit(X[normal[:n_train]])
        areas[kind] = roc_auc_score(y[test] == 0, detector.score_samples(X[test]))
    assert areas["resnet18"] > 0.9
    assert areas["vit"] > 0.95


@pytest.mark.parametrize("aggregation", ["sum", "product", "quantile"])
@pytest.mark.parametrize("error", ["squared", "cosine"])
def test_networks_find_levels_that_disagree(seed, aggregation, error):
    random = np.random.default_rng(seed)
    early = random.normal(size=(400, 5))
    late = np.tanh(early @ random.normal(size=(5, 3))) + 0.1 * random.normal(size=(400, 3))
    X = np.hstack([early, late])
    mixed = np.hstack([X[:50, :5], X[350:, 5:]])
    student = NetworkStudent(hidden_layer_sizes=[24], max_iter=150)
    detector = DistillationDetector(
        student=student, levels=[5, 3], aggregation=aggregation, error=error, random_state=seed
    ).fit(X[:300])
    scores = detector.score_samples(np.vstack([X[300:], mixed]))
    assert roc_auc_score(np.repeat([1, -1], [100, 50]), scores) > 0.9


@pytest.mark.parametrize("options", [{}, {"hard_quantile": 0.5}, {"shuffled_weight": 0.1}])
def test_students_of_random_networks_find_far_rows(seed, options):
    random = np.random.default_rng(seed)
    rows = random.normal(size=(400, 4)) @ random.normal(size=(4, 4))
    far = rows[:50] * 3
    student = NetworkStudent(target="random", hidden_layer_sizes=[24], max_iter=150, **options)
    detector = DistillationDetector(student=student, n_views=2, random_state=seed).fit(rows[:300])
    scores = detector.score_samples(np.vstack([rows[300:], far]))
    assert roc_auc_score(np.repeat([1, -1], [100, 50]), scores) > 0.8


def test_levels_of_random_targets_raise():
    detector = DistillationDetector(student=NetworkStudent(target="random"), levels=[1, 1])
    with pytest.raises(ValueError, match="levels are not used"):
        detector.fit(np.eye(4)[:, :2])


def test_branch_of_an_autoencoder_adds_an_error_that_rows_off_the_surface_raise(seed):
    random = np.random.default_rng(seed)
    basis, relation = random.normal(size=(2, 8)), random.normal(size=(8, 5))
    early = random.normal(size=(400, 2)) @ basis + 0.05 * random.normal(size=(400, 8))
    early[300:] += random.normal(size=(100, 8))
    rows = np.hstack([early, early @ relation])
    student = NetworkStudent(bottleneck=2, hidden_layer_sizes=[24], max_iter=200)
    detector = DistillationDetector(levels=[8, 5], student=student, random_state=0).fit(rows[:200])
    assert len(detector._students) == 2 * len(detector.views_)
    branch = detector._students[2]
    seen, _ = detector._students[0].targets(rows)
    differences = branch._rebuilt(seen) - branch._second.forward("student", seen)[-1]
    errors = branch.errors(rows, np.zeros(len(rows)), "squared")
    assert_allclose(errors, np.square(differences).mean(axis=1), rtol=1e-3)
    assert roc_auc_score(np.repeat([0, 1], 100), errors[200:]) > 0.85
