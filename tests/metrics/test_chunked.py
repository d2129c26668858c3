"""Metrics of rankings in pieces."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning

from skanomaly.metrics import (
    average_precision_score,
    precision_at_n_score,
    ranking_scores_of_chunks,
    roc_auc_score,
)

ROWS = st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.integers(-3, 3)), min_size=3, max_size=40).filter(
    lambda rows: {-1, 1} <= {label for label, _ in rows}
)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, cuts=st.lists(st.integers(0, 40), max_size=4), n=st.none() | st.integers(1, 2))
def test_values_are_those_in_memory_for_any_cuts(rows, cuts, n):
    y, scores = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    cuts = sorted(min(cut, len(y)) for cut in cuts)
    found = ranking_scores_of_chunks(np.split(y, cuts), np.split(scores, cuts), n=n)
    assert found.roc_auc == pytest.approx(roc_auc_score(y, scores), abs=1e-12)
    assert found.average_precision == pytest.approx(average_precision_score(y, scores), abs=1e-12)
    assert found.precision_at_n == pytest.approx(precision_at_n_score(y, scores, n=n), abs=1e-12)
    assert (found.n_anomalies, found.n_normal) == ((y == -1).sum(), (y == 1).sum())


def test_order_of_the_pieces_does_not_matter_to_the_bit(seed):
    random = np.random.default_rng(seed)
    y, scores = random.choice([0, 1], p=[0.9, 0.1], size=300), random.normal(size=300).round(1)
    one = ranking_scores_of_chunks(np.array_split(y, 3), np.array_split(scores, 3))
    other = ranking_scores_of_chunks(np.array_split(y[::-1], 7), np.array_split(scores[::-1], 7))
    assert one == other
    assert one.n_anomalies == (y == 1).sum()


def test_texts_need_the_label_of_the_anomalies():
    y, scores = [["ok", "bad"], ["ok", None]], [[2.0, 1.0], [3.0, 0.0]]
    assert ranking_scores_of_chunks(y, scores, pos_label="bad").roc_auc == 1.0
    with pytest.raises(ValueError, match="pos_label"):
        ranking_scores_of_chunks(y, scores)


@pytest.mark.parametrize(
    ("y", "scores", "words"),
    [
        ([[1, -1]], [[1.0]], "inconsistent"),
        ([[1, -1]], [[1.0, np.nan]], "piece 0"),
        ([[1, -1]], [[1.0, 2.0], [3.0]], "differ in number"),
        ("label", [[1.0, 2.0]], "not the name of a column"),
    ],
)
def test_faulty_pieces_raise(y, scores, words):
    with pytest.raises(ValueError, match=words):
        ranking_scores_of_chunks(y, scores)


def test_n_beyond_the_rows_raises_and_a_missing_class_warns():
    with pytest.raises(ValueError, match="n=3 must be"):
        ranking_scores_of_chunks([[1, -1]], [[1.0, 2.0]], n=3)
    with pytest.warns(UndefinedMetricWarning, match="no anomaly"):
        found = ranking_scores_of_chunks([[1, 1]], [[1.0, 2.0]])
    assert np.isnan(found.average_precision)
    with pytest.warns(UndefinedMetricWarning, match="ROC"):
        found = ranking_scores_of_chunks([[-1]], [[1.0]])
    assert (found.average_precision, found.precision_at_n) == (1.0, 1.0)
