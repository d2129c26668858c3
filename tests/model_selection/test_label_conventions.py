"""A y of 0 and 1 means one thing to the detector, the scorer and the splitter of a search."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.model_selection import GridSearchCV

from skanomaly import metrics
from skanomaly.detectors import NearestNeighborsDetector
from skanomaly.inspection import AnomalyCurveDisplay, ScoreDisplay
from skanomaly.model_selection import (
    BlockedTimeSeriesSplit,
    OneClassKFold,
    StratifiedAnomalyKFold,
    TransductiveSplit,
    choice_uncertainty,
    get_scorer,
)
from skanomaly.sampling import AnomalySynthesizer, ExpectedAnomalyPosterior
from skanomaly.sequence import SeriesDisplay
from tests.model_selection.toys import Column

N_NORMAL, N_ANOMALOUS = 300, 40
ANOMALY = np.repeat([False, True], [N_NORMAL, N_ANOMALOUS])
TRUTH = np.where(ANOMALY, -1, 1)
TEXT = np.where(ANOMALY, "fraud", "ok")
KINDS = {
    "0/1": ANOMALY.astype(int),
    "native": TRUTH,
    "bool": ANOMALY,
    "nullable": pd.Series(ANOMALY, dtype="boolean"),
    "object": ANOMALY.astype(object),
    "Arrow": pd.Series(ANOMALY, dtype=pd.ArrowDtype(pa.bool_())),
}


@pytest.fixture(scope="module")
def rows():
    random = np.random.RandomState(0)
    return np.r_[random.normal(size=(N_NORMAL, 4)), random.normal(1.5, 0.4, size=(N_ANOMALOUS, 4))]


def _best_score(rows, y):
    search = GridSearchCV(
        NearestNeighborsDetector(anomaly_weight=1.0),
        {"n_neighbors": [1, 5]},
        scoring=get_scorer("average_precision"),
        cv=StratifiedAnomalyKFold(5, random_state=0),
    )
    return search.fit(rows, y).best_score_


@pytest.mark.filterwarnings("ignore:y holds .* counts as anomaly:UserWarning")
@pytest.mark.parametrize("y", KINDS.values(), ids=KINDS)
def test_search_finds_the_same_whatever_the_labels(y, rows):
    assert _best_score(rows, y) == _best_score(rows, TRUTH) > 0.9


SPLITTERS = [
    lambda pos_label: StratifiedAnomalyKFold(4, random_state=0, pos_label=pos_label),
    lambda pos_label: OneClassKFold(4, random_state=0, pos_label=pos_label),
    lambda pos_label: TransductiveSplit(pos_label=pos_label),
    lambda pos_label: BlockedTimeSeriesSplit(2, pos_label=pos_label),
]


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_splitters_read_text_with_pos_label(splitter, rows):
    shuffled = np.random.default_rng(0).permutation(len(rows))
    expected = list(splitter(None).split(rows, TRUTH[shuffled]))
    for sets, others in zip(expected, splitter("fraud").split(rows, TEXT[shuffled]), strict=True):
        for one, other in zip(sets, others, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("y", KINDS.values(), ids=KINDS)
def test_splitters_read_every_type(y, rows):
    expected = [test for _, test in StratifiedAnomalyKFold(4, random_state=0).split(rows, TRUTH)]
    found = [test for _, test in StratifiedAnomalyKFold(4, random_state=0).split(rows, y)]
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(expected))


SCORES = np.random.default_rng(1).normal(size=len(TRUTH)) + TRUTH
READERS = {
    "roc_auc_score": lambda y, pos_label: metrics.roc_auc_score(y, SCORES, pos_label=pos_label),
    "event_f1_score": lambda y, pos_label: metrics.event_f1_score(y, SCORES, pos_label=pos_label),
    "brier_score": lambda y, pos_label: metrics.brier_score(y, np.clip(SCORES, 0, 1), pos_label=pos_label),
    "range_fscore": lambda y, pos_label: metrics.range_precision_recall_fscore(
        y, np.where(SCORES < 0, -1, 1), pos_label=pos_label
    ),
    "per_region_overlap_score": lambda y, pos_label: metrics.per_region_overlap_score(
        np.asarray(y).reshape(20, 17), SCORES.reshape(20, 17), pos_label=pos_label
    ),
    "domain_roc_auc_score": lambda y, pos_label: metrics.domain_roc_auc_score(
        y, SCORES, domains=np.arange(len(SCORES)) % 2, pos_label=pos_label
    ),
    "choice_uncertainty": lambda y, pos_label: (
        choice_uncertainty(y, SCORES[:, None], n_resamples=5, pos_label=pos_label, random_state=0).interval
    ),
    "AnomalyScorer": lambda y, pos_label: get_scorer("roc_auc", pos_label=pos_label)(Column(), -SCORES[:, None], y),
    "ExpectedAnomalyPosterior": lambda y, pos_label: (
        ExpectedAnomalyPosterior(n_subsets=3, pos_label=pos_label, random_state=0).fit(SCORES[:, None], y).prior_
    ),
    "AnomalySynthesizer": lambda y, pos_label: (
        AnomalySynthesizer(kind="transplant", pos_label=pos_label, random_state=0).synthesize(SCORES[:, None], y).rows
    ),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize(("y", "pos_label"), [(TEXT, "fraud"), (KINDS["0/1"], None), (KINDS["bool"], None)])
def test_readers_agree_whatever_the_labels(read, y, pos_label):
    np.testing.assert_array_equal(read(y, pos_label), read(TRUTH, None))


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_readers_name_the_labels_where_pos_label_is_none_of_them(read):
    with pytest.raises(ValueError, match=r"pos_label='froud' does not occur .*'fraud', 'ok'"):
        read(TEXT, "froud")


DISPLAYS = {
    "ScoreDisplay": lambda y, pos_label: ScoreDisplay.from_predictions(SCORES, y=y, pos_label=pos_label).labels,
    "AnomalyCurveDisplay": lambda y, pos_label: (
        AnomalyCurveDisplay.from_predictions(y, SCORES, pos_label=pos_label).roc_auc_
    ),
    "SeriesDisplay": lambda y, pos_label: SeriesDisplay.from_predictions(SCORES, SCORES, y, pos_label=pos_label).labels,
}


@pytest.mark.parametrize("read", DISPLAYS.values(), ids=DISPLAYS)
@pytest.mark.parametrize(("y", "pos_label"), [(TEXT, "fraud"), (KINDS["0/1"], None), (KINDS["nullable"], None)])
def test_displays_agree_whatever_the_labels(read, y, pos_label):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    np.testing.assert_array_equal(read(y, pos_label), read(TRUTH, None))
    pyplot.close("all")


def test_predictions_of_all_anomalies_are_read_in_the_labels_of_the_truth():
    called = metrics.range_precision_recall_fscore(ANOMALY.astype(int), np.ones(len(TRUTH), dtype=int))
    assert called == metrics.range_precision_recall_fscore(TRUTH, np.full(len(TRUTH), -1))
