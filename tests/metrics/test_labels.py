import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import UndefinedMetricWarning

from skanomaly import metrics

Y_TRUE = np.array([1, 1, 1, -1, 1, -1, 1, 1])
Y_SCORE = np.array([5.0, 4.0, 1.0, 2.0, 6.0, 0.5, 3.0, 3.0])

RANKING = [
    metrics.adjusted_average_precision_score,
    metrics.adjusted_precision_at_n_score,
    metrics.average_precision_score,
    metrics.best_f1_score,
    metrics.fpr_at_tpr_score,
    metrics.oracle_f1_score,
    metrics.partial_roc_auc_score,
    metrics.precision_at_n_score,
    metrics.roc_auc_score,
]
ORDERED = [
    metrics.event_f1_score,
    metrics.nab_score,
    metrics.pa_k_auc_score,
    metrics.point_adjusted_f1_score,
    metrics.vus_pr_score,
    metrics.vus_roc_score,
]
PREDICTED = [metrics.affiliation_precision_recall_fscore, metrics.range_precision_recall_fscore]
SCORED = [*RANKING, *ORDERED, metrics.per_region_overlap_score]
NEEDS_NORMAL = [
    metrics.adjusted_average_precision_score,
    metrics.adjusted_precision_at_n_score,
    metrics.fpr_at_tpr_score,
    metrics.partial_roc_auc_score,
    metrics.per_region_overlap_score,
    metrics.roc_auc_score,
    metrics.vus_roc_score,
]


@pytest.mark.parametrize("metric", SCORED)
@pytest.mark.parametrize(
    ("labels", "pos_label"),
    [
        ((Y_TRUE == -1).astype(int), 1),
        (Y_TRUE == -1, True),
        ((Y_TRUE == 1).astype(int), 0),
        (np.where(Y_TRUE == -1, "bad", "good"), "bad"),
        (-Y_TRUE, 1),
        (Y_TRUE.astype(np.int8), -1),
        (Y_TRUE.astype(float), -1),
        (Y_TRUE.astype(object), -1),
        (pd.Series(Y_TRUE, index=np.arange(8)[::-1]), -1),
        (pd.Series(np.where(Y_TRUE == -1, "bad", "good"), dtype="category"), "bad"),
        (pl.Series(Y_TRUE), -1),
    ],
    ids=["0/1", "bool", "1/0", "text", "turned", "int8", "float", "object", "pandas", "category", "polars"],
)
def test_every_two_labels_give_the_same_number(metric, labels, pos_label):
    assert metric(labels, Y_SCORE, pos_label=pos_label) == metric(Y_TRUE, Y_SCORE)


@pytest.mark.parametrize("metric", SCORED)
@pytest.mark.parametrize("dtype", [int, bool, float, object])
def test_zeros_and_ones_read_one_as_the_anomaly(metric, dtype):
    assert metric((Y_TRUE == -1).astype(dtype), Y_SCORE) == metric(Y_TRUE, Y_SCORE)


@pytest.mark.parametrize("metric", SCORED)
def test_a_majority_of_ones_is_refused(metric):
    with pytest.raises(ValueError, match=r"y_true holds 1 in 6 of 8 rows.*np\.where\(y_true == 1, 1, -1\)"):
        metric((Y_TRUE == 1).astype(int), Y_SCORE)


@pytest.mark.parametrize("metric", SCORED)
@pytest.mark.parametrize(
    ("labels", "pos_label", "words"),
    [
        ([2, 3] * 4, 1, "pos_label=1 does not occur in y_true, which holds 2, 3"),
        ([-1, 0, 1, 2] * 2, None, "y_true holds the labels -1, 0, 1, 2"),
        (Y_TRUE, 0, "pos_label=0 does not occur"),
        (["good", "bad"] * 4, -1, "pos_label=-1 does not occur in y_true, which holds 'bad', 'good'"),
        (["good", "bad"] * 4, None, "Pass the anomalies' label as pos_label"),
        ([0, 1, np.inf, 0] * 2, None, "y_true holds the labels"),
    ],
)
def test_labels_that_cannot_be_read_raise(metric, labels, pos_label, words):
    with pytest.raises(ValueError, match=words):
        metric(labels, Y_SCORE, pos_label=pos_label)


@pytest.mark.parametrize("metric", [*RANKING, metrics.per_region_overlap_score])
def test_unlabelled_rows_are_left_out(metric):
    labels, scores = np.append(Y_TRUE, [0, 0, 0]), np.append(Y_SCORE, [-9.0, 2.5, 9.0])
    assert metric(labels, scores) == metric(Y_TRUE, Y_SCORE)


@pytest.mark.parametrize("metric", ORDERED)
def test_unlabelled_time_points_raise(metric):
    with pytest.raises(ValueError, match="2 time points are labelled 0"):
        metric(np.append(Y_TRUE, [0, 0]), np.append(Y_SCORE, [1.0, 1.0]))


@pytest.mark.parametrize("metric", PREDICTED)
def test_predictions_and_labels_share_their_convention(metric):
    predicted = np.roll(Y_TRUE, 1)
    assert metric(Y_TRUE == -1, predicted == -1, pos_label=True) == metric(Y_TRUE, predicted)


@pytest.mark.parametrize("metric", PREDICTED)
@pytest.mark.parametrize(("anomaly", "normal"), [(1, 0), (True, False), ("fraud", "fine")])
def test_predictions_of_a_detector_fit_labels_of_any_convention(metric, anomaly, normal):
    predicted = np.roll(Y_TRUE, 1)
    assert metric(np.where(Y_TRUE == -1, anomaly, normal), predicted, pos_label=anomaly) == metric(Y_TRUE, predicted)


@pytest.mark.parametrize("metric", PREDICTED)
@pytest.mark.parametrize(("labels", "shown"), [((0, 1), "-1, 1"), (("fine", "fraud"), "-1, 1")])
def test_predictions_in_other_labels_raise(metric, labels, shown):
    called = np.where(Y_TRUE == -1, labels[1], labels[0])
    with pytest.raises(ValueError, match=f"y_pred holds the labels {labels[0]!r}, {labels[1]!r}, and y_true {shown}"):
        metric(Y_TRUE, called)


@pytest.mark.parametrize("metric", PREDICTED)
def test_scores_are_no_predictions(metric):
    with pytest.raises(ValueError, match="y_pred holds the labels"):
        metric(Y_TRUE, Y_SCORE)


@pytest.mark.parametrize("metric", PREDICTED)
def test_unlabelled_predictions_raise(metric):
    with pytest.raises(ValueError, match="1 time points are labelled 0"):
        metric(Y_TRUE, np.where(np.arange(8) == 2, 0, Y_TRUE))


@pytest.mark.parametrize("metric", SCORED)
def test_infinite_scores_raise(metric):
    with pytest.raises(ValueError, match="y_score contains infinity"):
        metric(Y_TRUE, np.where(np.arange(8) == 2, np.inf, Y_SCORE))


@pytest.mark.parametrize("metric", SCORED)
def test_rows_without_a_score_are_left_out_and_counted(metric):
    labels, scores = np.insert(Y_TRUE, [2, 5], [1, -1]), np.insert(Y_SCORE, [2, 5], np.nan)
    noun = "time points" if metric in ORDERED else "rows"
    with pytest.warns(UserWarning, match=f"^2 of 10 {noun} have no score .NaN in y_score. and are left out") as told:
        found = metric(labels, scores)
    assert len(told) == 1
    assert told[0].filename == __file__
    if metric is not metrics.per_region_overlap_score:  # its regions are of all elements
        assert found == metric(Y_TRUE, Y_SCORE)


@pytest.mark.parametrize("metric", SCORED)
def test_scores_that_are_all_missing_raise(metric):
    with pytest.raises(ValueError, match="y_score is NaN in all 8"):
        metric(Y_TRUE, np.full(8, np.nan))


def test_elements_without_a_score_do_not_count_in_the_size_of_a_region():
    mask, scores = np.array([[1, 1, 0, 1, 0, 0]]), np.array([[0.0, np.nan, 3.0, 2.0, 1.0, 4.0]])
    with pytest.warns(UserWarning, match="1 of 6 rows"):
        found = metrics.per_region_overlap_score(mask, scores, max_fpr=1.0)
    assert found == metrics.per_region_overlap_score(
        np.array([[1, 0, 1, 0, 0]]), np.delete(scores, 1, axis=1), max_fpr=1.0
    )


def test_domains_of_rows_without_a_score_are_left_out():
    y_true, y_score = [1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0]
    domains = ["source", "source", "source", "target", "source", "target"]
    expected = metrics.domain_roc_auc_score(y_true, y_score, domains=domains)
    with pytest.warns(UserWarning, match="1 of 7 rows"):
        found = metrics.domain_roc_auc_score([1, *y_true], [np.nan, *y_score], domains=["target", *domains])
    assert found == expected


@pytest.mark.parametrize("metric", [*RANKING, metrics.per_region_overlap_score])
def test_missing_labels_are_left_out_as_unlabelled(metric):
    labels, scores = np.append(Y_TRUE, [np.nan] * 3), np.append(Y_SCORE, [-9.0, 2.5, 9.0])
    assert metric(labels, scores) == metric(Y_TRUE, Y_SCORE)


@pytest.mark.parametrize("metric", [*RANKING, *ORDERED])
def test_lengths_must_agree(metric):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        metric(Y_TRUE, Y_SCORE[1:])


@pytest.mark.parametrize("metric", [*SCORED, *PREDICTED])
def test_normal_rows_alone_give_nan_and_one_warning(metric):
    with pytest.warns(UndefinedMetricWarning, match="not defined") as record:
        value = metric(np.ones(8), np.ones(8))
    assert len(record) == 1
    assert np.isnan(value).all()


@pytest.mark.parametrize("metric", SCORED)
def test_anomalies_alone_are_defined_only_where_normal_rows_do_not_count(metric):
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        value = metric(-np.ones(8), Y_SCORE)
    assert np.isnan(value) == (metric in NEEDS_NORMAL) == (len(record) == 1)


@pytest.mark.parametrize("metric", SCORED)
def test_low_scores_rank_as_anomalous(metric):
    perfect, worst = metric(Y_TRUE, np.where(Y_TRUE == -1, 0.0, 1.0)), metric(Y_TRUE, np.where(Y_TRUE == -1, 1.0, 0.0))
    if metric is metrics.fpr_at_tpr_score:
        perfect, worst = -perfect, -worst
    assert perfect > worst


@pytest.mark.parametrize("metric", SCORED)
def test_only_the_order_of_scores_counts(metric, seed):
    random = np.random.default_rng(seed)
    scores = random.normal(size=40).round(1)
    labels = np.where(random.random(40) < 0.3, -1, 1)
    labels[:2] = -1, 1
    assert metric(labels, np.exp(scores)) == pytest.approx(metric(labels, scores), rel=1e-12)


@pytest.mark.parametrize("metric", SCORED)
def test_inputs_are_not_changed(metric):
    labels, scores = Y_TRUE.copy(), Y_SCORE.copy()
    labels.flags.writeable = scores.flags.writeable = False
    metric(labels, scores)
    assert_array_equal(labels, Y_TRUE)


@pytest.mark.parametrize("metric", SCORED)
@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8])
def test_narrow_scores_do_not_overflow(metric, dtype):
    scores = (2 * Y_SCORE).astype(dtype)
    assert metric(Y_TRUE, scores) == metric(Y_TRUE, Y_SCORE)


@pytest.mark.parametrize("metric", RANKING)
def test_weights_count_rows_several_times(metric, seed):
    random = np.random.default_rng(seed)
    weights = random.integers(0, 4, size=30)
    labels, scores = np.where(np.arange(30) < 8, -1, 1), random.normal(size=30).round(1)
    weights[[0, 29]] = 1
    expected = metric(np.repeat(labels, weights), np.repeat(scores, weights))
    assert metric(labels, scores, sample_weight=weights) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("metric", RANKING)
@pytest.mark.parametrize("weights", [np.where(Y_TRUE == -1, 0.0, 1.0)], ids=["anomalies weigh nothing"])
def test_rows_without_weight_do_not_make_a_class(metric, weights):
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(metric(Y_TRUE, Y_SCORE, sample_weight=weights))


@pytest.mark.parametrize("metric", RANKING)
@pytest.mark.parametrize("weights", [[-1.0] + [1.0] * 7, [0.0] * 8, [1.0] * 7])
def test_impossible_weights_raise(metric, weights):
    with pytest.raises(ValueError, match=r"weight|inconsistent"):
        metric(Y_TRUE, Y_SCORE, sample_weight=weights)
