import numpy as np
import pytest

from skanomaly.metrics import AuditedScore, average_precision_score


def _rows(seed, n=1500, contamination=0.03, gap=2.5):
    random = np.random.default_rng(seed)
    y = np.where(random.permutation(n) < round(contamination * n), -1, 1)
    return random.normal(size=n) - gap * (y == -1), y


def _truth(metric, scores, y, threshold):
    if metric == "average_precision":
        return average_precision_score(y, scores)
    flagged = scores < threshold
    found = np.count_nonzero(y[flagged] == -1)
    return found / flagged.sum() if metric == "precision" else found / np.count_nonzero(y == -1)


def _estimate(metric, scores, y, threshold, seed):
    checked = np.full(len(y), np.nan)
    for step in range(4):
        audit = AuditedScore(metric=metric, threshold=threshold, n_draws=200, random_state=10 * seed + step)
        rows = audit.suggest_audit(scores, checked, n=10).indices
        checked[rows] = y[rows]
    return audit.estimate(scores, checked)


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["average_precision", "precision", "recall"])
def test_intervals_cover_the_metric(seed, metric):
    covered = []
    for replicate in range(15):
        scores, y = _rows([seed, replicate])
        threshold = None if metric == "average_precision" else float(np.quantile(scores, 0.08))
        estimate = _estimate(metric, scores, y, threshold, replicate)
        truth = _truth(metric, scores, y, threshold)
        covered.append(estimate.low - 1e-9 <= truth <= estimate.high + 1e-9)
        assert estimate.n_checked == 40
    assert np.mean(covered) > 0.65  # 0.9 minus three standard errors


@pytest.mark.parametrize("metric", ["average_precision", "precision", "recall"])
def test_all_rows_checked_give_the_metric(seed, metric):
    scores, y = _rows(seed, n=150, contamination=0.1)
    threshold = None if metric == "average_precision" else float(np.quantile(scores, 0.1))
    estimate = AuditedScore(metric=metric, threshold=threshold, random_state=0).estimate(scores, y)
    assert estimate.low == pytest.approx(_truth(metric, scores, y, threshold), abs=1e-9)
    assert estimate.low == pytest.approx(estimate.high)


def test_suggested_rows_for_precision_are_flagged(seed):
    scores, _ = _rows(seed)
    threshold = float(np.quantile(scores, 0.05))
    audit = AuditedScore(metric="precision", threshold=threshold, random_state=0)
    assert (scores[audit.suggest_audit(scores, n=20).indices] < threshold).all()


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"metric": "precision"}, "needs a threshold"),
        ({"threshold": 0.0}, "takes no threshold"),
        ({"metric": "recall", "threshold": -100.0}, "no score lies below"),
        ({"level": 2.0}, "level"),
    ],
)
def test_parameters_are_checked(parameters, match):
    with pytest.raises(ValueError, match=match):
        AuditedScore(**parameters).estimate(np.arange(5.0), [1, 1, 1, -1, np.nan])


def test_inputs_are_checked():
    with pytest.raises(ValueError, match="n=0"):
        AuditedScore().suggest_audit(np.arange(5.0), n=0)
    with pytest.raises(ValueError, match="selection_probability"):
        AuditedScore().estimate(np.arange(5.0), [1, 1, 1, -1, np.nan], selection_probability=np.zeros(5))
    with pytest.raises(ValueError, match="y_checked has 4 labels"):
        AuditedScore().estimate(np.arange(5.0), [1, 1, 1, -1])


def test_random_state_repeats_the_estimate(seed):
    scores, y = _rows(seed)
    checked = np.where(np.random.default_rng(seed).random(len(y)) < 0.1, y, np.nan)
    first, second = (AuditedScore(random_state=3).estimate(scores, checked) for _ in range(2))
    assert first == second
