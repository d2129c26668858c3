import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import gammaln
from scipy.stats import norm, spearmanr
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import shuffle

from skanomaly.detectors import RandomProjectionDepth
from tests.reference import projection as reference

UNIT = norm.ppf(0.75)
AGGREGATIONS = ["mean", "max", "top"]


def _normal(seed, n_samples=500, n_features=4):
    return np.random.default_rng(seed).normal(size=(n_samples, n_features))


def _correlated(seed, n_samples, n_features):
    random = np.random.default_rng(seed)
    return random.normal(size=(n_samples, n_features)) @ random.normal(size=(n_features, n_features))


def _same_fit(one, other):
    for name in ("center_", "directions_", "locations_", "scales_", "offset_"):
        assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("n_samples", [2, 3, 1000, 1001])
@pytest.mark.parametrize("directions", ["gaussian", "orthogonal"])
def test_locations_and_scales_are_medians_of_projections(seed, directions, n_samples):
    rows = _normal(seed, n_samples)
    detector = RandomProjectionDepth(n_projections=200, directions=directions, random_state=seed).fit(rows)
    projections = detector.directions_ @ (rows - np.median(rows, axis=0)).T
    locations = np.median(projections, axis=1)
    assert_allclose(detector.locations_[0], locations, rtol=0, atol=1e-14)
    assert_allclose(detector.scales_[0], np.median(np.abs(projections - locations[:, None]), axis=1), atol=1e-14)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 5e-6)])
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_scores_follow_the_definition(seed, aggregation, dtype, tolerance):
    rows = _normal(seed, 700, 6).astype(dtype)
    detector = RandomProjectionDepth(n_projections=200, aggregation=aggregation, random_state=seed).fit(rows)
    centred = rows - detector.center_
    fitted = (detector.directions_, detector.locations_[0], detector.scales_[0])
    expected = reference.outlyingness(centred, *fitted, aggregation)
    assert_allclose(-detector.score_samples(rows), expected, rtol=tolerance)
    assert_allclose(detector.depth(rows), 1 / (1 + expected), rtol=tolerance)


@pytest.mark.parametrize("directions", ["gaussian", "orthogonal"])
def test_directions_have_length_one_and_sets_are_orthogonal(seed, directions):
    found = RandomProjectionDepth(n_projections=10, directions=directions, random_state=seed).fit(_normal(seed))
    assert_allclose(np.linalg.norm(found.directions_, axis=1), 1)
    products = found.directions_[:4] @ found.directions_[:4].T
    assert (np.abs(products - np.eye(4)).max() < 1e-12) == (directions == "orthogonal")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_samples", [60, 5000])
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_threshold_is_set_on_the_bits_that_scoring_returns(seed, aggregation, n_samples, dtype):
    rows = _correlated(seed, n_samples, 7).astype(dtype)
    detector = RandomProjectionDepth(n_projections=150, aggregation=aggregation, random_state=seed).fit(rows)
    assert detector.offset_ == np.percentile(detector.score_samples(rows), 10.0)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_n_jobs_does_not_change_bits(seed, aggregation):
    rows = _correlated(seed, 5000, 7)
    one = RandomProjectionDepth(n_projections=300, aggregation=aggregation, random_state=seed, n_jobs=1).fit(rows)
    two = RandomProjectionDepth(n_projections=300, aggregation=aggregation, random_state=seed, n_jobs=2).fit(rows)
    _same_fit(one, two)
    assert_array_equal(one.score_samples(rows), two.score_samples(rows))


def test_two_columns_reach_mahalanobis_distance(seed):
    rows = _correlated(seed, 20_000, 2)
    detector = RandomProjectionDepth(n_projections=1000, aggregation="max", directions="gaussian", random_state=seed)
    outlyingness = -detector.fit(rows).score_samples(rows[:1000])
    centred = rows - rows.mean(axis=0)
    distances = np.sqrt(np.einsum("ij,jk,ik->i", centred, np.linalg.inv(np.cov(rows.T)), centred))[:1000]
    assert 0.98 <= np.mean(outlyingness / (distances / UNIT)) <= 1.02


@pytest.mark.parametrize(("n_features", "expected"), [(10, 0.8606), (50, 0.4640)])
def test_max_reaches_the_expected_fraction_of_the_supremum(seed, n_features, expected):
    rows = _normal(seed, 4000, n_features)
    detector = RandomProjectionDepth(n_projections=1000, aggregation="max", directions="gaussian", random_state=seed)
    directions = detector.fit(rows).directions_
    cosines = np.abs(rows @ directions.T).max(axis=1) / np.linalg.norm(rows, axis=1)
    assert abs(cosines.mean() - expected) <= 0.01


@pytest.mark.parametrize(("directions", "bound"), [("orthogonal", 0.010), ("gaussian", 0.026)])
@pytest.mark.parametrize("n_features", [10, 50])
def test_mean_is_proportional_to_radius(seed, n_features, directions, bound):
    rows = _normal(seed, 20_000, n_features)
    detector = RandomProjectionDepth(n_projections=1000, directions=directions, random_state=seed).fit(rows)
    radii = np.linalg.norm(rows[:2000], axis=1) / UNIT
    ratios = -detector.score_samples(rows[:2000]) / radii
    log_constant = gammaln(n_features / 2) - gammaln((n_features + 1) / 2)
    assert_allclose(ratios.mean(), np.exp(log_constant) / np.sqrt(np.pi), rtol=0.015)
    assert ratios.std() / ratios.mean() <= bound


@pytest.mark.parametrize("covariance", [None, "diag", "ledoit_wolf"])
@pytest.mark.parametrize("power", [-400, -3, 400])
def test_scores_do_not_depend_on_the_unit(seed, covariance, power):
    rows = _correlated(seed, 300, 4)
    detector = RandomProjectionDepth(covariance=covariance, random_state=seed)
    expected = clone(detector).fit(rows).score_samples(rows)
    scaled = rows * 2.0**power
    assert_array_equal(clone(detector).fit(scaled).score_samples(scaled), expected)
    assert_allclose(clone(detector).fit(rows * 7).score_samples(rows * 7), expected, rtol=1e-11)


def test_scores_do_not_depend_on_the_origin(seed):
    rows = _correlated(seed, 300, 4)
    detector = RandomProjectionDepth(random_state=seed)
    expected = clone(detector).fit(rows).score_samples(rows)
    assert_allclose(clone(detector).fit(rows + 1e7).score_samples(rows + 1e7), expected, rtol=1e-5)


def test_single_precision_scores_do_not_depend_on_the_origin(seed):
    near = (np.round(_normal(seed, 300) * 256) / 256).astype(np.float32)
    far = near + np.float32(16384)
    detector = RandomProjectionDepth(random_state=seed)
    expected = clone(detector).fit(near).score_samples(near)
    assert_allclose(clone(detector).fit(far).score_samples(far), expected, rtol=1e-5)


def test_single_precision_agrees_with_double(seed):
    rows = _correlated(seed, 2000, 10).astype(np.float32)
    detector = RandomProjectionDepth(random_state=seed)
    single = clone(detector).fit(rows).score_samples(rows)
    assert_allclose(single, clone(detector).fit(rows.astype(float)).score_samples(rows.astype(float)), rtol=5e-5)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_mirror_images_have_equal_scores(seed, aggregation):
    half = _correlated(seed, 150, 3)
    rows = 2.0 + np.vstack([half, -half])
    detector = RandomProjectionDepth(aggregation=aggregation, random_state=seed).fit(rows)
    assert_allclose(detector.score_samples(2.0 + half), detector.score_samples(2.0 - half), rtol=1e-9)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_scores_fall_along_rays(seed, aggregation):
    rows = _correlated(seed, 300, 4)
    detector = RandomProjectionDepth(aggregation=aggregation, random_state=seed).fit(rows)
    steps = np.array([4.0, 6.0, 20.0, 1e3])[:, None] * np.abs(rows).max()
    scores = detector.score_samples(detector.center_ + steps * np.sign(rows[:1]))
    assert (np.diff(scores) < 0).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_most_rows_equal_give_finite_scores(seed, aggregation, dtype):
    rows = (0.1 + _normal(seed, 1000)).astype(dtype)
    rows[:600] = [0.3, -7.7, 1e4, 2.0]
    detector = RandomProjectionDepth(aggregation=aggregation, random_state=seed).fit(rows)
    outlyingness = -detector.score_samples(rows)
    assert_array_equal(outlyingness[:600], 0)
    assert (outlyingness[600:] > 0).all()
    assert np.isfinite(outlyingness).all()
    assert detector.n_degenerate_ == len(detector.directions_)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("value", [0.0, 2.5, 1e6])
def test_all_rows_equal_give_finite_scores(value, dtype):
    rows = np.full((30, 3), value, dtype)
    detector = RandomProjectionDepth(random_state=0).fit(rows)
    others = rows[:3] + np.array([[0], [1], [100]], dtype)
    scores = detector.decision_function(others)
    assert scores[0] == 0
    assert scores[2] < scores[1] < -1
    assert np.isfinite(scores).all()


def test_constant_column_matters_only_for_other_values(seed):
    rows = np.insert(_normal(seed), 2, 7.0, axis=1)
    detector = RandomProjectionDepth(random_state=seed).fit(rows)
    moved = rows[:5].copy()
    moved[:, 2] = 1e3
    assert (detector.score_samples(moved) < detector.score_samples(rows).min()).all()


@pytest.mark.parametrize("aggregation", ["mean", "max"])
@pytest.mark.parametrize("n_features", [5, 20])
def test_forty_percent_of_distant_rows_do_not_mask_each_other(seed, n_features, aggregation):
    clean = _normal(seed, 1200, n_features)
    random = np.random.default_rng(seed + 1000)
    far = random.normal(size=(800, n_features)) + 1e6 / np.sqrt(n_features)
    detector = RandomProjectionDepth(aggregation=aggregation, random_state=seed)
    alone = clone(detector).fit(clean).score_samples(clean)
    together = clone(detector).fit(np.vstack([clean, far]))
    # The outlyingness near the centre is close to zero, so only the outer half is compared.
    outer = alone < np.median(alone)
    assert (together.score_samples(clean) / alone)[outer].max() < 3
    assert together.score_samples(far).max() < together.score_samples(clean).min()


@pytest.mark.parametrize("covariance", [None, "diag", "ledoit_wolf"])
@pytest.mark.parametrize("contamination", [0.1, "auto"])
def test_integer_weights_are_repetitions(seed, contamination, covariance):
    rows = _correlated(seed, 200, 3)
    weights = np.random.default_rng(seed).integers(0, 4, 200)
    detector = RandomProjectionDepth(covariance=covariance, contamination=contamination, random_state=seed)
    weighted = clone(detector).fit(rows, sample_weight=weights)
    repeated = clone(detector).fit(np.repeat(rows, weights, axis=0))
    assert_allclose(weighted.decision_function(rows), repeated.decision_function(rows), rtol=1e-9, atol=1e-9)


def test_equal_weights_change_nothing(seed):
    rows = _correlated(seed, 201, 3)
    detector = RandomProjectionDepth(random_state=seed)
    expected = clone(detector).fit(rows).score_samples(rows)
    assert_array_equal(clone(detector).fit(rows, sample_weight=np.full(201, 2.0)).score_samples(rows), expected)
    doubled = clone(detector).fit(np.repeat(rows, 2, axis=0))
    assert_allclose(doubled.score_samples(rows), expected, rtol=1e-12)


def test_labelled_anomalies_are_left_out(seed):
    rows = _normal(seed, 300)
    rows[:90] += 8
    labels = np.where(np.arange(300) < 90, -1, np.arange(300) % 2)
    detector = RandomProjectionDepth(random_state=seed)
    labelled, clean = clone(detector).fit(rows, labels), clone(detector).fit(rows[90:])
    assert_array_equal(labelled.score_samples(rows), clean.score_samples(rows))
    with pytest.raises(ValueError, match="labels every row"):
        detector.fit(rows, np.full(300, -1))


@pytest.mark.parametrize("n_features", [5, 10])
def test_whitened_mean_follows_mahalanobis_distance(seed, n_features):
    rows = _correlated(seed, 2000, n_features)
    scores = RandomProjectionDepth(covariance="robust", random_state=seed).fit(rows).score_samples(rows)
    centred = rows - rows.mean(axis=0)
    distances = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(np.cov(rows.T)), centred)
    assert spearmanr(-scores, distances).statistic >= 0.99


@pytest.mark.parametrize(
    ("n_features", "covariance", "least"), [(10, "ledoit_wolf", 0.985), (10, "robust", 0.985), (50, "robust", 0.96)]
)
def test_whitening_finds_anomalies_along_a_narrow_direction(seed, n_features, covariance, least):
    random = np.random.default_rng(seed)
    axes = np.linalg.qr(random.normal(size=(n_features, n_features)))[0]
    widths = np.geomspace(3, 0.3, n_features)
    train, test = ((random.normal(size=(n, n_features)) * widths) @ axes for n in (2000, 1000))
    test[500:] += 6 * widths[-1] * axes[-1]
    truth = np.arange(1000) >= 500
    detector = RandomProjectionDepth(n_projections=500, random_state=seed)
    plain, white = (
        clone(detector).set_params(covariance=kind).fit(train).score_samples(test) for kind in (None, covariance)
    )
    assert roc_auc_score(truth, -white) >= least
    assert roc_auc_score(truth, -plain) < 0.75


def _two_clusters(seed, n_features):
    random = np.random.default_rng(seed)
    shift = np.full(n_features, 8 / np.sqrt(n_features))
    clusters = random.normal(size=(2500, n_features)) + np.where(random.random(2500) < 0.5, 1, -1)[:, None] * shift
    between = random.normal(size=(500, n_features)) * 0.5
    return clusters[:2000], np.vstack([clusters[2000:], between]), np.arange(1000) >= 500


def test_two_modes_find_rows_between_them(seed):
    train, test, truth = _two_clusters(seed, 10)
    one, two = (RandomProjectionDepth(n_modes=modes, random_state=seed).fit(train) for modes in (1, 2))
    assert roc_auc_score(truth, -two.score_samples(test)) >= 0.98
    assert roc_auc_score(truth, -one.score_samples(test)) < 0.2
    assert two.n_modes_ == 2


def test_few_distant_rows_are_not_a_mode(seed):
    rows = np.vstack([_normal(seed, 500), 50 + _normal(seed + 1, 10)])
    detector = RandomProjectionDepth(n_modes=2, covariance="ledoit_wolf", random_state=seed).fit(rows)
    assert detector.n_modes_ == 1
    assert (detector.predict(rows[500:]) == -1).all()


def test_modes_of_equal_rows_score_zero():
    rows = np.repeat([[0.0, 0.0], [9.0, 9.0]], 20, axis=0)
    detector = RandomProjectionDepth(n_modes=3, random_state=0).fit(rows)
    assert_allclose(detector.score_samples(rows), 0, atol=1e-6)
    assert detector.score_samples([[4.0, 4.0]])[0] < -1e3


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("n_modes", [1, 2])
@pytest.mark.parametrize("covariance", [None, "ledoit_wolf"])
def test_contributions_add_up_to_the_score(seed, aggregation, n_modes, covariance):
    rows = _two_clusters(seed, 6)[0][:400]
    detector = RandomProjectionDepth(aggregation=aggregation, n_modes=n_modes, covariance=covariance, random_state=seed)
    contributions = detector.fit(rows).feature_contributions(rows)
    assert_allclose(contributions.sum(axis=1), detector.score_samples(rows), rtol=1e-10)


def test_contributions_find_the_shifted_column(seed):
    rows = _normal(seed, 500, 8)
    detector = RandomProjectionDepth(random_state=seed).fit(rows)
    anomalies = rows[:20].copy()
    anomalies[:, 3] += 12
    assert (detector.feature_contributions(anomalies).argmin(axis=1) == 3).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("covariance", [None, "diag"])
@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_chunks_give_the_bits_of_the_whole(seed, aggregation, covariance, dtype):
    rows = _correlated(seed, 5001, 6).astype(dtype)
    detector = RandomProjectionDepth(
        n_projections=70, aggregation=aggregation, covariance=covariance, random_state=seed
    )
    whole = clone(detector).fit(rows)
    for cuts in ([1, 2, 2500], [4999], []):
        _same_fit(clone(detector).fit_chunks(np.split(rows, cuts)), whole)


def test_whitened_chunks_equal_the_whole_and_to_the_bit_each_other(seed):
    rows = _correlated(seed, 3001, 6)
    detector = RandomProjectionDepth(n_projections=30, covariance="ledoit_wolf", random_state=seed)
    whole = clone(detector).fit(rows)
    one = clone(detector).fit_chunks(np.split(rows, [1, 2, 2500]))
    _same_fit(clone(detector).fit_chunks([rows[1000:], rows[:1000][::-1]]), one)
    assert_allclose(one.score_samples(rows), whole.score_samples(rows), rtol=1e-11)
    assert_allclose(one.offset_, whole.offset_, rtol=1e-11)


@pytest.mark.parametrize("n_samples", [2, 3, 127, 400, 401])
def test_chunks_with_ties_give_the_bits_of_the_whole(seed, n_samples):
    random = np.random.default_rng(seed)
    rows = np.column_stack([random.integers(0, 2, n_samples), np.repeat(0.5, n_samples), random.poisson(1, n_samples)])
    rows = rows.astype(float)
    rows[: 2 * n_samples // 3] = rows[0]
    detector = RandomProjectionDepth(n_projections=9, covariance="diag", contamination="auto", random_state=seed)
    _same_fit(clone(detector).fit_chunks([rows[:1], rows[1:]]), clone(detector).fit(rows))


def test_chunks_of_many_slabs_give_the_bits_of_the_whole(seed):
    rows = _correlated(seed, 40_000, 3)
    detector = RandomProjectionDepth(n_projections=20, random_state=seed, n_jobs=2)
    chunked = clone(detector).fit_chunks(np.array_split(rows, 7))
    _same_fit(chunked, clone(detector).fit(rows))


class _Shrinking:
    def __init__(self, rows):
        self.rows = rows

    def __iter__(self):
        self.rows = self.rows[1:]
        return iter([self.rows])


@pytest.mark.parametrize(
    ("parameters", "chunks", "words"),
    [
        ({}, (rows for rows in [np.eye(3)]), "only once"),
        ({}, _Shrinking(np.eye(30)), "first pass"),
        ({}, [np.eye(3)[:1]], "at least 2"),
        ({}, [np.eye(3), np.full((2, 3), np.nan)], "NaN"),
        ({}, [np.eye(3), np.eye(2)], "features"),
    ],
)
def test_bad_chunks_raise_and_leave_the_detector_unchanged(parameters, chunks, words):
    detector = RandomProjectionDepth(**parameters)
    before = dict(vars(detector))
    with pytest.raises(ValueError, match=words):
        detector.fit_chunks(chunks)
    assert vars(detector) == before


@pytest.mark.parametrize("covariance", [None, "ledoit_wolf"])
def test_partial_fit_equals_fit_while_all_rows_are_kept(seed, covariance):
    rows = _correlated(seed, 900, 4)
    rows[:40] = rows[40:80]
    detector = RandomProjectionDepth(n_projections=60, covariance=covariance, random_state=seed)
    expected = clone(detector).fit(rows).decision_function(rows)
    batches = clone(detector)
    for batch in np.array_split(rows, 5):
        batches.partial_fit(batch)
    assert_allclose(batches.decision_function(rows), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("weights", [None, np.arange(900) % 3])
def test_partial_fit_does_not_depend_on_order_or_batches(seed, weights):
    rows = _correlated(seed, 900, 4)
    order = np.random.default_rng(seed).permutation(900)
    detector = RandomProjectionDepth(n_projections=60, max_samples=200, random_state=seed)
    one, other = clone(detector), clone(detector)
    for batch in np.array_split(np.arange(900), 3):
        one.partial_fit(rows[batch], sample_weight=None if weights is None else weights[batch])
    for batch in np.array_split(order, 7):
        other.partial_fit(rows[batch], sample_weight=None if weights is None else weights[batch])
    _same_fit(one, other)


def test_partial_fit_sample_approximates_all_rows(seed):
    rows = _correlated(seed, 20_000, 4)
    detector = RandomProjectionDepth(n_projections=60, max_samples=4096, random_state=seed)
    batches = clone(detector)
    for batch in np.array_split(rows, 4):
        batches.partial_fit(batch)
    expected = clone(detector).set_params(max_samples=None).fit(rows).score_samples(rows)
    assert_allclose(batches.score_samples(rows).mean(), expected.mean(), rtol=0.03)


def test_partial_fit_survives_pickling_and_restarts_after_fit(seed):
    rows = _correlated(seed, 300, 4)
    detector = RandomProjectionDepth(random_state=seed)
    halves = clone(detector).partial_fit(rows[:150])
    copy = pickle.loads(pickle.dumps(halves))  # noqa: S301  # our own bytes
    _same_fit(copy.partial_fit(rows[150:]), halves.partial_fit(rows[150:]))
    again = clone(detector).fit(rows[:150]).partial_fit(rows[150:])
    _same_fit(again, clone(detector).partial_fit(rows[150:]))


def test_failed_partial_fit_leaves_the_detector_as_it_was(seed):
    rows = _correlated(seed, 300, 4)
    detector = RandomProjectionDepth(random_state=seed).partial_fit(rows)
    before = dict(vars(detector))
    with pytest.raises(ValueError, match="features"):
        detector.partial_fit(rows[:, :2])
    with pytest.raises(ValueError, match="labels every row"):
        detector.partial_fit(rows, np.full(300, -1))
    assert vars(detector) == before


def test_max_samples_approximates_all_rows(seed):
    rows = _correlated(seed, 20_000, 4)
    few, all_rows = (RandomProjectionDepth(max_samples=size, random_state=seed).fit(rows) for size in (4096, None))
    assert_allclose(few.score_samples(rows).mean(), all_rows.score_samples(rows).mean(), rtol=0.03)
    assert not np.array_equal(few.scales_, all_rows.scales_)


def test_auto_threshold_flags_few_clean_rows_and_all_distant_ones(seed):
    clean = _normal(seed, 2000, 5)
    rows = np.vstack([clean, 30 + _normal(seed + 1, 200, 5)])
    detector = RandomProjectionDepth(contamination="auto", random_state=seed).fit(rows)
    labels = detector.predict(rows)
    assert (labels[2000:] == -1).all()
    assert np.mean(labels[:2000] == -1) < 0.03


@pytest.mark.parametrize("covariance", ["diag", "robust"])
def test_robust_covariance_needs_integer_weights(covariance):
    rows, weights = _normal(0, 60, 2), np.linspace(0.5, 1.5, 60)
    detector = RandomProjectionDepth(covariance=covariance, random_state=0)
    if covariance == "robust":
        with pytest.raises(ValueError, match="whole numbers"):
            detector.fit(rows, sample_weight=weights)
        detector.fit(rows, sample_weight=np.arange(60) % 3)
    else:
        detector.fit(rows, sample_weight=weights)
    assert detector.predict([[40.0, -40.0]])[0] == -1


def test_maximum_over_more_columns_than_half_the_rows_warns():
    with pytest.warns(UserWarning, match="no finite limit"):
        RandomProjectionDepth(aggregation="max").fit(_normal(0, 20, 15))


def test_depth_works_in_pipeline_and_grid_search(seed):
    rows = _normal(seed, 300) * [1, 100, 1, 1]
    rows[:30, 0] += 8
    rows, truth = shuffle(rows, np.where(np.arange(300) < 30, -1, 1), random_state=seed)
    pipeline = make_pipeline(StandardScaler(), RandomProjectionDepth(random_state=seed))
    grid = {"randomprojectiondepth__n_projections": [20, 40], "randomprojectiondepth__aggregation": ["mean", "max"]}
    search = GridSearchCV(pipeline, grid, scoring="roc_auc", cv=3).fit(rows, truth)
    assert search.best_score_ > 0.95


def test_frame_instead_of_chunks_raises_with_a_remedy():
    with pytest.raises(ValueError, match=r"fit_chunks\(\[frame\]\)"):
        RandomProjectionDepth().fit_chunks(pd.DataFrame({"a": [1.0, 2.0]}))


@pytest.mark.parametrize("n_rows", [10, 12])
def test_no_single_row_is_a_mode(seed, n_rows):
    rows = np.random.default_rng(seed).normal(size=(n_rows, 2))
    rows[0] = 100
    detector = RandomProjectionDepth(n_modes=2, random_state=seed).fit(rows)
    assert detector.score_samples(rows).argmin() == 0
