import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from skanomaly.metrics import patch_region_overlap_score, patch_roc_auc_score, per_region_overlap_score


def _maps(seed):
    random = np.random.default_rng(seed)
    labels = np.where(random.random((6, 16)) < 0.2, -1, 1)
    return labels, labels + random.normal(size=labels.shape)


def test_area_is_that_of_all_patches(seed):
    labels, scores = _maps(seed)
    expected = roc_auc_score(labels.ravel(), scores.ravel())
    assert patch_roc_auc_score(labels, scores) == pytest.approx(expected)
    ragged = [labels[0, :5], labels[1]], [scores[0, :5], scores[1]]
    expected = roc_auc_score(np.concatenate(ragged[0]), np.concatenate(ragged[1]))
    assert patch_roc_auc_score(*ragged) == pytest.approx(expected)


@pytest.mark.parametrize("grid_shape", [None, (2, 8)])
def test_regions_do_not_cross_samples(seed, grid_shape):
    labels, scores = _maps(seed)
    shape = (4, 4) if grid_shape is None else grid_shape
    expected = per_region_overlap_score([row.reshape(shape) for row in labels], [row.reshape(shape) for row in scores])
    assert patch_region_overlap_score(labels, scores, grid_shape=grid_shape) == pytest.approx(expected)


def test_sizes_must_agree():
    labels, scores = _maps(0)
    for metric in (patch_roc_auc_score, patch_region_overlap_score):
        with pytest.raises(ValueError, match="each patch needs a label and a score"):
            metric(labels, scores[:, :9])
    with pytest.raises(ValueError, match=r"grid_shape=\(3, 5\)"):
        patch_region_overlap_score(labels, scores, grid_shape=(3, 5))
