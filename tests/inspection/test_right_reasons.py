import numpy as np
import pytest

from skanomaly.detectors import GaussianDetector
from skanomaly.inspection import count_right_reasons, feature_contributions
from skanomaly.metrics import roc_auc_score


def test_counts_add_up_to_the_rows(seed):
    random = np.random.default_rng(seed)
    y_true, y_pred = random.choice([-1, 1], size=(2, 200))
    counts = count_right_reasons(y_true, y_pred, random.normal(size=(200, 5)), random.random((200, 5)) < 0.99)
    total = counts.right_reason + counts.wrong_reason + counts.missed + counts.false_alarms + counts.true_negatives
    assert total == 200
    assert counts.missed == np.sum((y_true == -1) & (y_pred == 1))


@pytest.mark.parametrize("shortcut", [False, True])
def test_a_planted_shortcut_is_counted_as_a_wrong_reason(shortcut, seed):
    random = np.random.default_rng(seed)
    train, test = random.normal(size=(400, 6)), random.normal(size=(200, 6))
    y_true, mask = np.where(np.arange(200) < 60, -1, 1), np.zeros((200, 6), dtype=bool)
    mask[:60, :2] = True
    test[:60, :2] += 0.3 if shortcut else 6.0
    if shortcut:
        test[:60, 5] += 8.0  # not part of the defect
    model = GaussianDetector(contamination=0.02).fit(train)
    parts = feature_contributions(model, test)
    counts = count_right_reasons(y_true, model.predict(test), parts, mask, min_jaccard=0.5)
    assert roc_auc_score(y_true, model.score_samples(test)) > 0.95
    assert (counts.recall_for_the_right_reason < 0.2) == shortcut


def test_no_anomaly_has_no_recall():
    assert np.isnan(count_right_reasons([1], [1], [[0.0]], [[False]]).recall_for_the_right_reason)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0], [1], [[0.0]], [[True]]), r"y_true must hold \+1"),
        (([1], [1, 1], [[0.0]], [[True]]), "have 1, 2, 1 and 1 rows"),
        (([-1], [-1], [[0.0]], [[False]]), "no True in some row"),
    ],
)
def test_other_input_raises(arguments, message):
    with pytest.raises(ValueError, match=message):
        count_right_reasons(*arguments)


def test_least_agreement_is_a_fraction():
    with pytest.raises(ValueError, match=r"'min_jaccard' parameter.*Got 0"):
        count_right_reasons([1], [1], [[0.0]], [[True]], min_jaccard=0)
