import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skanomaly.threshold import DecisionCosts, predict_cascade, predict_three_way


def _stages(seed, n=2000):
    random = np.random.default_rng(seed)
    anomaly = random.random(n) < 0.2
    return anomaly, [np.clip(anomaly + width * random.normal(size=n), 0, 1) for width in (0.5, 0.2)]


def test_one_stage_is_a_three_way_decision(seed):
    _, stages = _stages(seed)
    assert_array_equal(predict_cascade(stages[:1]).decisions, predict_three_way(stages[0]))


def test_later_stages_see_only_what_is_handed_over(seed):
    _, (first, second) = _stages(seed)
    seen = []
    found = predict_cascade([first, lambda rows: seen.append(rows) or second[rows]])
    assert_array_equal(seen[0], np.flatnonzero(predict_three_way(first) == 0))
    assert_array_equal(found.stages, predict_three_way(first) == 0)
    assert_array_equal(found.decisions, predict_cascade([first, second]).decisions)


def test_a_second_stage_lowers_the_cost_of_errors(seed):
    anomaly, (first, second) = _stages(seed)
    cost = DecisionCosts()

    def total(decisions):
        normal = np.select([decisions == 1, decisions == 0], [cost.pass_normal, cost.review_normal], cost.flag_normal)
        wrong = np.select([decisions == 1, decisions == 0], [cost.pass_anomaly, cost.review_anomaly], cost.flag_anomaly)
        return np.where(anomaly, wrong, normal).sum()

    assert total(predict_cascade([first, second]).decisions) < total(predict_three_way(first))


def test_no_row_is_handed_over_where_all_are_decided():
    assert_array_equal(predict_cascade([[0.0, 1.0], lambda rows: rows / 0]).stages, [0, 0])


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "at least one stage"),
        ([lambda _: [0.5]], "first must be an array"),
        ([[0.3], lambda _: [0.5, 0.5]], r"Stage 1 returned shape \(2,\) for 1 rows"),
        ([[1.3]], "between 0 and 1"),
    ],
)
def test_other_evidence_raises(stages, message):
    with pytest.raises(ValueError, match=message):
        predict_cascade(stages)
