import numpy as np
import pytest

from skanomaly import metrics
from tests.reference import event_metrics as reference


def _case(seed, shape, fraction=0.15, decimals=1):
    random = np.random.default_rng(seed)
    anomaly = random.random(shape) < fraction
    anomaly.flat[0], anomaly.flat[-1] = True, False
    return anomaly, random.normal(size=shape).round(decimals)


@pytest.mark.parametrize(("shape", "connectivity"), [((60,), 1), ((9, 11), 1), ((9, 11), 2), ((4, 5, 6), 2)])
@pytest.mark.parametrize("max_fpr", [0.05, 0.3, 1.0])
def test_per_region_overlap_matches_the_definition(shape, connectivity, max_fpr, seed):
    anomaly, scores = _case(seed, shape)
    regions = reference.label_regions(anomaly, connectivity)
    expected = reference.per_region_overlap(regions, -scores, max_fpr)
    found = metrics.per_region_overlap_score(
        np.where(anomaly, -1, 1), scores, max_fpr=max_fpr, connectivity=connectivity
    )
    assert found == pytest.approx(expected, abs=1e-12)


def test_regions_connect_diagonally_by_default(seed):
    anomaly, scores = _case(seed, (8, 8))
    mask = np.where(anomaly, -1, 1)
    assert metrics.per_region_overlap_score(mask, scores) == metrics.per_region_overlap_score(
        mask, scores, connectivity=2
    )


def test_regions_do_not_cross_masks_of_a_list(seed):
    cases = [_case(seed, (7, 5)), _case(seed + 1, (4, 9))]
    regions = [reference.label_regions(anomaly, 2) for anomaly, _ in cases]
    regions[1][regions[1] > 0] += regions[0].max()
    expected = reference.per_region_overlap(
        np.concatenate([each.ravel() for each in regions]),
        -np.concatenate([scores.ravel() for _, scores in cases]),
        0.3,
    )
    found = metrics.per_region_overlap_score(
        [np.where(anomaly, -1, 1) for anomaly, _ in cases], [scores for _, scores in cases]
    )
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("shape", [(400,), (20, 20), (7, 7, 8)])
def test_perfect_scores_get_one(shape, seed):
    anomaly, _ = _case(seed, shape)
    mask = np.where(anomaly, -1, 1)
    assert metrics.per_region_overlap_score(mask, mask) == pytest.approx(1.0)


@pytest.mark.parametrize("max_fpr", [0.1, 0.3, 1.0])
def test_constant_scores_get_half_the_limit(max_fpr, seed):
    anomaly, _ = _case(seed, (20, 20))
    found = metrics.per_region_overlap_score(np.where(anomaly, -1, 1), np.zeros((20, 20)), max_fpr=max_fpr)
    assert found == pytest.approx(max_fpr / 2)


def test_small_regions_count_as_much_as_large_ones():
    mask = np.ones((30, 30))
    mask[:10, :10] = mask[20, 20] = -1
    found_large, found_small = np.where(mask == -1, 0.0, 1.0), np.ones((30, 30))
    found_large[20, 20], found_small[20, 20] = 1.0, 0.0
    assert metrics.per_region_overlap_score(mask, found_large) == pytest.approx(
        metrics.per_region_overlap_score(mask, found_small)
    )


def test_unlabelled_places_are_left_out(seed):
    anomaly, scores = _case(seed, (10, 10))
    mask = np.where(anomaly, -1, 1)
    hidden = np.random.default_rng(seed).random((10, 10)) < 0.2
    hidden.flat[0] = hidden.flat[-1] = False
    kept = anomaly & ~hidden
    regions = reference.label_regions(kept, 2)
    expected = reference.per_region_overlap(regions[~hidden], -scores[~hidden], 0.3)
    found = metrics.per_region_overlap_score(np.where(hidden, 0, mask), scores)
    assert found == pytest.approx(expected, abs=1e-12)


def test_weights_of_normal_places_enter_the_false_positive_rate():
    mask, scores = np.array([[1, 1, 1, -1]]), np.array([[3.0, 2.0, 0.0, 1.0]])
    weights = np.array([[1.0, 1.0, 0.0, 5.0]])
    assert metrics.per_region_overlap_score(mask, scores, sample_weight=weights) == pytest.approx(1.0)


def test_region_without_weight_does_not_count():
    mask, scores = np.array([-1, 1, 1, -1]), np.array([9.0, 1.0, 1.0, 0.0])
    with pytest.warns(UserWarning, match="both of positive weight"):
        assert np.isnan(metrics.per_region_overlap_score(mask, scores, sample_weight=np.array([0.0, 1.0, 1.0, 0.0])))


@pytest.mark.parametrize(
    ("masks", "scores", "message"),
    [
        ([np.ones((2, 2))], [np.ones((2, 2)), np.ones(2)], "1 masks, y_score 2"),
        (np.ones((2, 3)), np.ones((3, 2)), "must be equal"),
    ],
)
def test_shapes_must_agree(masks, scores, message):
    with pytest.raises(ValueError, match=message):
        metrics.per_region_overlap_score(masks, scores)


def test_connectivity_beyond_the_axes_raises():
    with pytest.raises(ValueError, match="connectivity=2 is more than the 1 axes"):
        metrics.per_region_overlap_score([1, -1], [1.0, 0.0], connectivity=2)
