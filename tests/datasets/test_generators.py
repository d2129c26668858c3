import numpy as np
import pytest
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from skanomaly import datasets

TABLES = [
    datasets.make_bimodal,
    datasets.make_broken_dependence,
    datasets.make_clusters,
    datasets.make_low_variance_anomalies,
    datasets.make_shifted_anomalies,
]
EVERY = [*TABLES, datasets.make_drifting_series]


def _auc(y, scores):
    return roc_auc_score(y == 1, scores)


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("contamination", [0.0, 0.03, 0.5])
def test_make_shapes_labels_and_contamination(make, contamination, seed):
    X, y = make(200, 4, contamination=contamination, random_state=seed)
    assert X.shape == (200, 4)
    assert X.dtype == np.float64
    assert y.dtype == np.int64
    assert np.isfinite(X).all()
    assert (y == -1).sum() == round(200 * contamination)
    assert set(np.unique(y)) <= {-1, 1}


@pytest.mark.parametrize("make", EVERY)
def test_make_same_seed_same_rows(make, seed):
    first, second, other = (make(100, random_state=state) for state in (seed, seed, seed + 1000))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("make", EVERY)
def test_make_leaves_a_normal_row(make, seed):
    smallest = 4 if make is datasets.make_drifting_series else 2
    _, y = make(smallest, contamination=0.5, random_state=seed)
    assert (y == 1).sum() >= 1


@pytest.mark.parametrize("make", TABLES)
def test_make_mixes_row_order(make, seed):
    _, y = make(2000, contamination=0.25, random_state=seed)
    assert 0 < (y[:1000] == -1).sum() < 500


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("bad", [{"contamination": 0.6}, {"contamination": -0.1}, {"random_state": "seven"}])
def test_make_bad_argument_raises(make, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        make(100, **bad)


@pytest.mark.parametrize("make", EVERY)
def test_make_no_rows_raises(make):
    with pytest.raises(ValueError, match=r"n_samples|n_timepoints"):
        make(0)


@pytest.mark.parametrize("anomalies", ["global", "local", "clustered"])
def test_clusters_anomalies_are_found_by_local_density(anomalies, seed):
    X, y = datasets.make_clusters(1000, anomalies=anomalies, contamination=0.03, random_state=seed)
    scores = LocalOutlierFactor(n_neighbors=60).fit(X).negative_outlier_factor_
    assert _auc(y, scores) > 0.75


def test_clusters_clustered_anomalies_lie_outside_normal_box(seed):
    X, y = datasets.make_clusters(anomalies="clustered", random_state=seed)
    assert (X[y == -1].min(axis=0) > X[y == 1].max(axis=0)).all()


def test_shifted_anomalies_shift_the_first_columns_only(seed):
    X, y = datasets.make_shifted_anomalies(4000, 6, n_shifted_features=2, contamination=0.25, random_state=seed)
    shift = X[y == -1].mean(axis=0) - X[y == 1].mean(axis=0)
    np.testing.assert_allclose(shift, [5, 5, 0, 0, 0, 0], atol=0.2)


def test_shifting_more_columns_than_there_are_raises():
    with pytest.raises(ValueError, match="at most all columns can be shifted"):
        datasets.make_shifted_anomalies(n_features=3, n_shifted_features=4)


def test_low_variance_anomalies_need_the_covariance(seed):
    X, y = datasets.make_low_variance_anomalies(2000, random_state=seed)
    covariance = EllipticEnvelope(random_state=seed, support_fraction=0.9).fit(X).score_samples(X)
    axes = IsolationForest(random_state=seed).fit(X).score_samples(X)
    assert _auc(y, covariance) > 0.99
    assert _auc(y, axes) < 0.85


def test_low_variance_standard_deviations_fall_from_one_to_a_tenth(seed):
    X, _ = datasets.make_low_variance_anomalies(20000, 5, contamination=0.0, random_state=seed)
    deviations = np.sqrt(np.linalg.eigvalsh(np.cov(X.T)))[::-1]
    np.testing.assert_allclose(deviations, np.geomspace(1, 0.1, 5), rtol=0.05)


def test_broken_dependence_keeps_each_column(seed):
    X, y = datasets.make_broken_dependence(8000, 3, contamination=0.5, random_state=seed)
    for rows in (X[y == 1], X[y == -1]):
        np.testing.assert_allclose(rows.mean(axis=0), 0, atol=0.1)
        np.testing.assert_allclose(rows.std(axis=0), 1, atol=0.1)


def test_broken_dependence_breaks_correlation(seed):
    X, y = datasets.make_broken_dependence(8000, 3, contamination=0.5, random_state=seed)
    above = np.triu_indices(3, 1)
    assert np.corrcoef(X[y == 1].T)[above].min() > 0.9
    assert np.abs(np.corrcoef(X[y == -1].T)[above]).max() < 0.1


def test_bimodal_anomalies_lie_at_the_midpoint(seed):
    X, y = datasets.make_bimodal(2000, 5, contamination=0.1, random_state=seed)
    distance = np.linalg.norm(X, axis=1)
    assert _auc(y, -distance) < 0.1


def test_bimodal_distance_of_modes_is_separation(seed):
    X, _ = datasets.make_bimodal(4000, 3, separation=12.0, contamination=0.0, random_state=seed)
    _, _, directions = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    along = X @ directions[0]
    assert along[along > 0].mean() - along[along < 0].mean() == pytest.approx(12.0, abs=0.3)


@pytest.mark.parametrize(("drift", "mean", "deviation"), [("step", 3, 1), ("none", 0, 1), ("variance", 0, 4)])
def test_drifting_series_changes_at_the_change_point(drift, mean, deviation, seed):
    X, y = datasets.make_drifting_series(8000, drift=drift, size=3.0, change_point=0.25, random_state=seed)
    before, after = X[:2000][y[:2000] == 1], X[2000:][y[2000:] == 1]
    assert (before.mean(), before.std()) == pytest.approx((0, 1), abs=0.15)
    assert (after.mean(), after.std()) == pytest.approx((mean, deviation), abs=0.25)


def test_drifting_series_ramp_rises_to_size(seed):
    X, _ = datasets.make_drifting_series(8000, drift="ramp", size=3.0, contamination=0.0, random_state=seed)
    assert X[4000:4400].mean() == pytest.approx(0.15, abs=0.25)
    assert X[-400:].mean() == pytest.approx(2.85, abs=0.25)


@pytest.mark.parametrize("autocorrelation", [-0.5, 0.8])
def test_drifting_series_keeps_variance_under_autocorrelation(autocorrelation, seed):
    X, _ = datasets.make_drifting_series(
        20000, drift="none", autocorrelation=autocorrelation, contamination=0.0, random_state=seed
    )
    assert X.std() == pytest.approx(1, abs=0.1)
    assert np.corrcoef(X[1:, 0], X[:-1, 0])[0, 1] == pytest.approx(autocorrelation, abs=0.05)


def test_drifting_series_spikes_stand_out(seed):
    X, y = datasets.make_drifting_series(drift="none", random_state=seed)
    assert np.median(np.abs(X[y == -1])) > 5


@pytest.mark.parametrize("change_point", [0.0, 1.0])
def test_drifting_series_may_change_at_either_end(change_point, seed):
    X, _ = datasets.make_drifting_series(
        400, size=50.0, change_point=change_point, contamination=0.0, random_state=seed
    )
    assert X.mean() == pytest.approx(50.0 * (1 - change_point), abs=1)
