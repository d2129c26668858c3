"""A detector of rows of shifted domains."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from skanomaly.audit import ColumnDriftTest
from skanomaly.detectors import GaussianDetector, ShiftAlignedDetector

N_COLUMNS = 6


def _domain(seed, n_rows=600, n_anomalies=30):
    """Two factors; in the last rows the dependence between the columns is broken."""
    random = np.random.Generator(np.random.PCG64(seed))
    loadings = np.random.Generator(np.random.PCG64(99)).normal(size=(2, N_COLUMNS))
    X = random.normal(size=(n_rows, 2)) @ loadings + 0.2 * random.normal(size=(n_rows, N_COLUMNS))
    broken = X[n_rows - n_anomalies :]
    broken[:] = np.column_stack([random.permutation(column) for column in broken.T])
    return X, np.arange(n_rows) >= n_rows - n_anomalies, random


def _shifted(X, size, random):
    gains, offsets = np.exp(size * random.normal(size=(2, N_COLUMNS)))
    return X * gains + size * 3 * (offsets - 1)


def _area(model, X, anomalous):
    return roc_auc_score(anomalous, -model.score_samples(X))


@pytest.mark.parametrize("detector", [GaussianDetector(), LocalOutlierFactor(novelty=True)])
@pytest.mark.parametrize("statistics", ["robust", "moment"])
def test_alignment_restores_detection_in_a_shifted_domain(detector, statistics):
    train, _, _ = _domain(0, n_anomalies=0)
    X, anomalous, random = _domain(1)
    model = ShiftAlignedDetector(detector, statistics=statistics).fit(train)
    unshifted = _area(model, X, anomalous)
    shifted = _shifted(X, 1.0, random)
    raw = _area(model, shifted, anomalous)
    aligned = _area(model.adapt(shifted), shifted, anomalous)
    assert aligned >= 0.95
    assert raw < aligned - 0.1
    assert _area(model.adapt(X), X, anomalous) > unshifted - 0.01


def test_mixture_lies_between_the_row_and_the_aligned_row():
    train, _, _ = _domain(0, n_anomalies=0)
    X, anomalous, random = _domain(1)
    shifted = _shifted(X, 1.0, random)
    areas = [
        _area(ShiftAlignedDetector(mix=mix).fit(train).adapt(shifted), shifted, anomalous) for mix in (0.0, 0.5, 1.0)
    ]
    assert areas[0] < areas[1] < areas[2]
    plain = GaussianDetector().fit(train).score_samples(shifted)
    assert_array_equal(ShiftAlignedDetector(mix=0.0).fit(train).adapt(shifted).score_samples(shifted), plain)


def test_scores_are_those_of_the_detector_until_a_domain_is_adapted():
    train, _, _ = _domain(0, n_anomalies=0)
    X, _, _random = _domain(1)
    model = ShiftAlignedDetector().fit(train)
    plain = GaussianDetector().fit(train)
    assert_array_equal(model.score_samples(X), plain.score_samples(X))
    shifted = 3 + 2 * X
    aligned = model.adapt(shifted).score_samples(shifted)
    center, scale = np.median(shifted, axis=0), np.median(np.abs(shifted - np.median(shifted, axis=0)), axis=0)
    own = np.median(train, axis=0), np.median(np.abs(train - np.median(train, axis=0)), axis=0)
    assert_allclose(aligned, plain.score_samples((shifted - center) / scale * own[1] + own[0]), rtol=1e-9)


@pytest.mark.parametrize("kind", ["frame", "array"])
def test_each_domain_is_aligned_alone(kind):
    random = np.random.Generator(np.random.PCG64(2))
    tables = [_domain(seed)[0] * gain + 5 * gain for seed, gain in ((3, 1.0), (4, 4.0))]
    rows = pd.DataFrame(np.vstack(tables), columns=[f"c{place}" for place in range(N_COLUMNS)])
    rows.insert(2, "site", np.repeat(["a", "b"], 600) if kind == "frame" else np.repeat([1.0, 2.0], 600))
    rows = rows.iloc[random.permutation(len(rows))]
    rows, domain = (rows, "site") if kind == "frame" else (rows.to_numpy(), 2)
    model = ShiftAlignedDetector(domain=domain).fit(rows)
    assert len(model.centers_) == 2
    site = rows.site.to_numpy() if kind == "frame" else rows[:, 2]
    means = [model.score_samples(rows)[site == key].mean() for key in model.centers_]
    assert abs(means[0] - means[1]) < 0.2 * abs(means[0])


def test_unknown_domains_are_scored_as_they_are_with_a_warning():
    X, _, random = _domain(0, n_anomalies=0)
    model = ShiftAlignedDetector(domain=0).fit(np.column_stack([np.repeat([1, 2], 300), X]))
    new = np.column_stack([np.full(600, 3), _shifted(X, 1.0, random)])
    with pytest.warns(UserWarning, match="1 unknown domains \\(3.0\\)"):
        before = model.score_samples(new)
    assert np.median(model.adapt(new).score_samples(new)) > np.median(before)


def test_running_statistics_move_by_the_momentum():
    X, _, _ = _domain(0, n_anomalies=0)
    model = ShiftAlignedDetector(alignment="running", momentum=0.25).fit(X)
    model.adapt(X + 8)
    assert_allclose(model.centers_[0], np.median(X, axis=0) + 8)
    model.adapt(X)
    assert_allclose(model.centers_[0], np.median(X, axis=0) + 6)
    replaced = ShiftAlignedDetector().fit(X).adapt(X + 8).adapt(X)
    assert_allclose(replaced.centers_[0], np.median(X, axis=0))


def test_gate_aligns_shifted_domains_only():
    train, _, _ = _domain(0, n_anomalies=0)
    X, _, random = _domain(1)
    gate = ColumnDriftTest(n_resamples=1, random_state=0)
    model = ShiftAlignedDetector(gate=gate, alpha=0.01).fit(train)
    plain = model.score_samples(X)
    model.adapt(X)
    assert model.gate_pvalues_[0] > 0.01
    assert model.aligned_ == {0: False}
    assert_array_equal(model.score_samples(X), plain)
    model.adapt(_shifted(X, 1.0, random))
    assert model.gate_pvalues_[0] < 1e-6
    assert model.aligned_ == {0: True}


def test_nearly_half_of_the_rows_being_anomalies_moves_robust_statistics_little():
    X, _, _random = _domain(0, n_anomalies=0)
    spoilt = X.copy()
    spoilt[:240] += 100
    magnitude = {
        statistics: ShiftAlignedDetector(statistics=statistics).fit(X).adapt(spoilt).shift_magnitude_[0]
        for statistics in ("robust", "moment")
    }
    assert magnitude["robust"] < 2
    assert magnitude["moment"] > 10


def test_constant_columns_are_shifted_and_not_stretched():
    X, _, _ = _domain(0, n_anomalies=0)
    X[:, 1] = 1.0
    new = X + 4
    model = ShiftAlignedDetector().fit(X)
    assert_allclose(model.adapt(new).score_samples(new), model.detector_.score_samples(X), rtol=1e-6)


def test_few_rows_are_not_adapted_to():
    X, _, _ = _domain(0, n_anomalies=0)
    model = ShiftAlignedDetector().fit(X)
    with pytest.warns(UserWarning, match="Too few rows to align: 20"):
        model.adapt(X[:20] + 5)
    assert model.aligned_ == {0: False}


@pytest.mark.parametrize(
    ("domain", "rows", "message"),
    [
        (9, np.ones((5, 3)), "domain=9"),
        ("site", np.ones((5, 3)), "domain='site' is not a column"),
        (0, np.ones((5, 1)), "1 feature"),
        (0, np.array([[np.nan, 1.0], [1.0, 2.0]]), "1 missing domains, first in row 0"),
    ],
)
def test_bad_domains_raise(domain, rows, message):
    with pytest.raises(ValueError, match=message):
        ShiftAlignedDetector(domain=domain).fit(rows)
