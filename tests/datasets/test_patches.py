import numpy as np
from numpy.testing import assert_allclose

from skanomaly.datasets import make_patch_grids


def test_anomalies_are_blocks_of_two_by_two_patches(seed):
    _, X, y, labels = make_patch_grids(random_state=seed)
    assert ((labels == -1).sum(axis=1) == np.where(y == -1, 4, 0)).all()
    for grid in (labels[y == -1] == -1).reshape(-1, 8, 8):
        rows, columns = np.nonzero(grid)
        assert np.ptp(rows) == np.ptp(columns) == 1
    assert X.shape == (120, 64, 32)


def test_novel_patches_are_displaced_by_the_amplitude(seed):
    with_anomalies = make_patch_grids(amplitude=2.5, random_state=seed)[1]
    without, labels = make_patch_grids(amplitude=0.0, random_state=seed)[1::2]
    lengths = np.linalg.norm(with_anomalies - without, axis=2)
    assert_allclose(lengths, np.where(labels == -1, 2.5, 0.0), atol=1e-12)


def test_misplaced_patches_have_the_content_of_another_rectangle(seed):
    X_train, X_test, _, labels = make_patch_grids(anomalies="misplaced", random_state=seed)
    means = X_train.mean(axis=0)
    anomalous = X_test[labels == -1]
    own = np.linalg.norm(anomalous - np.broadcast_to(means, X_test.shape)[labels == -1], axis=1)
    nearest = np.linalg.norm(anomalous[:, None] - means, axis=2).min(axis=1)
    assert (own > 1.5 * nearest).mean() > 0.95


def test_shift_is_common_to_the_test_samples(seed):
    shifted, plain = (make_patch_grids(shift=shift, random_state=seed) for shift in (4.0, 0.0))
    assert_allclose(shifted[0], plain[0])
    offsets = shifted[1] - plain[1]
    assert_allclose(offsets, np.broadcast_to(offsets[0, 0], offsets.shape), atol=1e-12)
    assert_allclose(np.linalg.norm(offsets[0, 0]), 4.0)


def test_unaligned_grids_have_labels_in_the_order_of_their_patches(seed):
    aligned, free = (make_patch_grids(aligned=aligned, random_state=seed) for aligned in (True, False))
    for sample in (0, 119):
        order = [int(np.flatnonzero((aligned[1][sample] == patch).all(axis=1))[0]) for patch in free[1][sample]]
        assert sorted(order) == list(range(64))
        assert (aligned[3][sample][order] == free[3][sample]).all()
