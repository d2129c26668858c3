"""Sensitivity of explanations to settings, and agreement with the truth."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import spearmanr
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import jaccard_score

from skanomaly.inspection import LimeExplainer, explanation_agreement, explanation_sensitivity


def _noisy(X, random_state, noise=0.0, scale=1.0):
    random = np.random.default_rng(random_state)
    return scale * np.asarray(X) + noise * random.normal(size=np.shape(X))


def _rows(seed, n_samples=6, n_features=8):
    return np.random.default_rng(seed).normal(size=(n_samples, n_features))


def test_explanation_without_parameters_is_fully_stable(seed):
    rows = _rows(seed)
    found = explanation_sensitivity(_noisy, rows, {"scale": [1.0, 3.0]}, random_state=seed)
    for matrix in (found.similarity, found.top_overlap, found.sign_agreement):
        assert_allclose(matrix, 1.0)
    assert_allclose(found.row_similarity, 1.0)
    assert found.by_parameter["scale"] == pytest.approx(1.0)
    assert found.by_parameter["random_state"] == pytest.approx(0.0)


def test_similarity_is_scipys(seed):
    rows = _rows(seed)

    def explain(X, random_state, power):
        return np.sign(X) * np.abs(X) ** power + power * X[:, ::-1]

    found = explanation_sensitivity(explain, rows, {"power": [2, 3]}, n_seeds=1, n_top=3, random_state=seed)
    first, second = explain(rows, 0, 2), explain(rows, 0, 3)
    expected = [spearmanr(a, b).statistic for a, b in zip(first, second, strict=True)]
    assert found.similarity[0, 1] == pytest.approx(np.mean(expected))
    top = [[set(np.argsort(-np.abs(row))[:3]) for row in table] for table in (first, second)]
    overlap = np.mean([len(a & b) / len(a | b) for a, b in zip(*top, strict=True)])
    assert found.top_overlap[1, 0] == pytest.approx(overlap)
    assert found.sign_agreement[0, 1] == pytest.approx((np.sign(first) == np.sign(second)).mean())


def test_more_noise_is_less_stable(seed):
    found = explanation_sensitivity(_noisy, _rows(seed), {"noise": [0.0, 0.3, 3.0]}, random_state=seed)
    stability = np.diag(found.similarity)
    assert stability[0] == 1.0
    assert stability[0] > stability[1] > stability[2]


def test_variance_is_split_among_parameters(seed):
    grid = {"scale": [1.0, 2.0], "noise": [0.0]}
    found = explanation_sensitivity(_noisy, _rows(seed), grid, random_state=seed)
    assert found.by_parameter["noise"] == 0
    assert sum(found.by_parameter.values()) == pytest.approx(1)
    assert len(found.settings) == 2


def test_constant_explanations_agree(seed):
    found = explanation_sensitivity(lambda X, **_: np.zeros(np.shape(X)), _rows(seed), {"a": [1, 2]})
    assert_allclose(found.similarity, 1.0)
    assert_allclose(found.top_overlap, 1.0)
    assert found.by_parameter == {"a": 0.0, "random_state": 0.0}


def test_wrong_shape_raises():
    with pytest.raises(ValueError, match="n_samples, n_features"):
        explanation_sensitivity(lambda X, **_: np.zeros(len(X)), [[1.0]], {"a": [1]})


def test_lime_grows_stable_with_copies(seed):
    rows = load_breast_cancer().data
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    forest = IsolationForest(n_estimators=30, random_state=0).fit(rows)
    anomalies = rows[forest.score_samples(rows).argsort()[:6]]

    def explain(X, **settings):
        return LimeExplainer(background=rows, **settings).explain(forest, X).contributions

    found = explanation_sensitivity(explain, anomalies, {"n_samples": [100, 500, 2000]}, n_seeds=3, random_state=seed)
    stability = np.diag(found.similarity)
    assert stability[0] < stability[1] < stability[2]
    assert stability[2] > 0.8


def test_agreement_is_that_of_the_best_cut(seed):
    random = np.random.default_rng(seed)
    parts = random.integers(-4, 3, size=(20, 12)).astype(float)
    mask = random.random((20, 12)) < 0.3
    mask[:, 0] = True
    found = explanation_agreement(parts, mask)
    for row, truth, best in zip(parts, mask, found.best_jaccard, strict=True):
        assert best == pytest.approx(max(jaccard_score(truth, row <= cut) for cut in np.unique(row)))
    first = parts == parts.min(axis=1, keepdims=True)
    assert_array_equal(found.hit, (mask | ~first).all(axis=1))


def test_agreement_does_not_depend_on_the_order_of_columns(seed):
    random = np.random.default_rng(seed)
    parts, mask = random.integers(-2, 2, size=(20, 12)), random.random((20, 12)) < 0.3
    mask[:, 0] = True
    order = random.permutation(12)
    found, permuted = explanation_agreement(parts, mask), explanation_agreement(parts[:, order], mask[:, order])
    for name in ("best_jaccard", "jaccard", "auc", "hit"):
        assert_array_equal(getattr(found, name), getattr(permuted, name))


def test_agreement_of_known_maps():
    mask = np.zeros((1, 1000), dtype=bool)
    mask[0, :100] = True
    perfect, constant, inverted = (explanation_agreement(sign * mask.astype(float), mask) for sign in (-1, 0, 1))
    assert (perfect.best_jaccard[0], perfect.jaccard[0], perfect.auc[0]) == (1, 1, 1)
    assert constant.best_jaccard[0] == pytest.approx(0.1)
    assert constant.auc[0] == pytest.approx(0.5)
    assert inverted.best_jaccard[0] == pytest.approx(0.1)
    assert not inverted.hit[0]


def test_agreement_where_all_columns_are_anomalous():
    found = explanation_agreement([[-1.0, -2.0]], [[True, True]])
    assert found.best_jaccard[0] == 1
    assert np.isnan(found.auc[0])


@pytest.mark.parametrize(
    ("parts", "mask", "words"),
    [([[1.0, 2.0]], [[True]], "both must be"), ([[1.0, 2.0]], [[False, False]], "no True in some row")],
)
def test_agreement_raises_for_unsuitable_arrays(parts, mask, words):
    with pytest.raises(ValueError, match=words):
        explanation_agreement(parts, mask)
