import numpy as np
from numpy.testing import assert_allclose

from skanomaly.datasets import make_token_sets


def test_labels_of_sets_and_tokens_agree(seed):
    for anomalies, number in (("foreign", 1), ("unmatched", 2)):
        _, _, y, labels = make_token_sets(10, 41, anomalies=anomalies, random_state=seed)
        assert (y == -1).sum() == 20
        assert ((labels == -1).sum(axis=1) == np.where(y == -1, number, 0)).all()


def test_normal_sets_have_at_most_three_kinds_and_a_foreign_token_is_of_another(seed):
    _, X, y, labels = make_token_sets(10, 40, noise=0.0, random_state=seed)
    for tokens, label, own in zip(X, y, labels, strict=True):
        assert len(np.unique(tokens.round(9), axis=0)) <= 3 + (label == -1)
        assert label == 1 or not (tokens[own == -1] == tokens[own == 1]).all(axis=1).any()


def test_pairs_match_but_for_the_labelled_tokens(seed):
    _, X, y, labels = make_token_sets(10, 40, anomalies="unmatched", noise=0.0, random_state=seed)
    for tokens, own in zip(X, labels, strict=True):
        angles = np.arctan2(tokens[:, 2:4], tokens[:, :2])
        first, second = tokens[:, 4] > 0, tokens[:, 4] < 0
        sums = np.column_stack([2 * angles[:, 0] + angles[:, 1], angles[:, 0] + angles[:, 1]])
        gaps = np.abs(np.exp(1j * sums[first][:, None]) - np.exp(1j * angles[second])).max(axis=2)
        assert_allclose(gaps.min(axis=1) < 1e-9, own[first] == 1)
    assert (y == -1).any()
