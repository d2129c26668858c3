import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly.metrics import (
    aggregate_views,
    fuse_views,
    mean_average_precision_at_n_score,
    open_set_score,
    roc_auc_score,
)


def _views(seed, n=300):
    random = np.random.default_rng(seed)
    scores, labels = random.normal(size=(n, 5)), np.where(np.arange(n) < n // 2, -1, 1)
    scores[: n // 2, 2] -= 3.0
    return scores.ravel(), np.repeat(np.arange(n), 5), labels


def test_a_defect_in_one_view_is_found_by_the_maximum_and_diluted_by_the_mean(seed):
    scores, groups, labels = _views(seed)
    auc = {
        how: roc_auc_score(labels, aggregate_views(scores, groups, aggregation=how)[1])
        for how in ("max", "mean", "logsumexp")
    }
    assert auc["max"] > auc["mean"] + 0.05
    assert abs(auc["logsumexp"] - auc["max"]) < 0.03


@pytest.mark.parametrize("aggregation", ["max", "mean", "logsumexp"])
def test_order_of_views_has_no_effect(aggregation, seed):
    scores, groups, _ = _views(seed, 20)
    order = np.random.default_rng(seed).permutation(len(scores))
    first, second = (
        aggregate_views(scores[rows], groups[rows], aggregation=aggregation)[1] for rows in (slice(None), order)
    )
    assert_allclose(first, second)


def test_missing_view_scores_raise():
    with pytest.raises(ValueError, match="NaN"):
        aggregate_views([1.0, np.nan], [0, 0])


@pytest.mark.parametrize("aggregation", ["max", "mean"])
@pytest.mark.parametrize("n_dimensions", [1, 2, 3])
def test_cells_are_fused_over_the_views_that_see_them(aggregation, n_dimensions, seed):
    random = np.random.default_rng(seed)
    scores = random.normal(size=(4, *[3] * n_dimensions))
    visible = random.random(scores.shape) < 0.5
    fused = fuse_views(scores, visible, aggregation=aggregation)
    for cell in np.ndindex(*scores.shape[1:]):
        seen = scores[(slice(None), *cell)][visible[(slice(None), *cell)]]
        expected = (seen.min() if aggregation == "max" else seen.mean()) if seen.size else np.nan
        assert_allclose(fused[cell], expected)


def test_missing_cells_are_unseen():
    assert_array_equal(fuse_views([[1.0, np.nan]]), [1.0, np.nan])


@pytest.mark.parametrize(
    ("scores", "visible", "message"), [([1.0], None, "one map per view"), ([[1.0]], [[True, False]], "must agree")]
)
def test_maps_of_other_shapes_raise(scores, visible, message):
    with pytest.raises(ValueError, match=message):
        fuse_views(scores, visible)


def test_one_true_class_counts_one_over_its_place():
    guesses = [["a", "b", "c"]] * 3
    assert_allclose(mean_average_precision_at_n_score(["a", "c", "d"], guesses), (1 + 1 / 3 + 0) / 3)
    assert mean_average_precision_at_n_score(["c"], [["a", "b", "c"]], n=2) == 0.0


def test_several_true_classes_have_the_average_precision():
    assert_allclose(mean_average_precision_at_n_score([{"a", "c"}], [["a", "a", "b", "c"]]), (1 + 2 / 3) / 2)


def test_a_sample_without_class_raises():
    with pytest.raises(ValueError, match=r"y_true\[0\] holds no class"):
        mean_average_precision_at_n_score([[]], [["a"]])


def test_perfect_guesses_and_equal_scores_give_one_half(seed):
    y = np.random.default_rng(seed).integers(0, 5, 40)
    assert_allclose(open_set_score(y, y[:, None], np.arange(40) < 10, np.ones(40)), 0.5)


@pytest.mark.parametrize(
    ("unknown", "message"), [([False, False], "both known and unknown"), ([0, 2], "True and False")]
)
def test_open_set_score_needs_known_and_unknown(unknown, message):
    with pytest.raises(ValueError, match=message):
        open_set_score([1, 2], [[1], [2]], unknown, [0.1, 0.2])
