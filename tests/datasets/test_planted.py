"""Each generator plants what one kind of detector finds, and another kind misses."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, average_precision_score, roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

from skanomaly import datasets
from skanomaly.detectors import GaussianDetector, MarginalDetector, NearestNeighborsDetector
from skanomaly.embeddings import ChecklistDetector, ConceptProjector, PatchGaussian
from skanomaly.metrics import domain_roc_auc_score, vus_pr_score
from skanomaly.model_selection import unseen_group_report
from skanomaly.sequence import (
    GroupedDetector,
    ReferenceDetector,
    SelectiveMahalanobisDetector,
    SequenceNeighbors,
    SubsequenceNeighbors,
)

ROWS = [
    datasets.make_logical_anomalies,
    datasets.make_manifold_anomalies,
    datasets.make_lifted_circle,
]
OTHERS = {
    datasets.make_branching_sequences: {"n_sequences": 20},
    datasets.make_coloured_digits: {},
    datasets.make_fraud_stream: {"n_samples": 200},
    datasets.make_gaze_sequences: {"n_sequences": 20},
    datasets.make_grouped_series: {"n_groups": 3, "n_timepoints": 40},
    datasets.make_machine_sounds: {"n_train": 20, "n_test": 10},
    datasets.make_particle_tracks: {"n_images": 4},
    datasets.make_patch_grids: {"n_train": 3, "n_test": 4},
    datasets.make_patrol_passes: {"n_references": 2, "n_queries": 4},
    datasets.make_phase_sequences: {"n_sequences": 10},
    datasets.make_series_anomalies: {},
    datasets.make_textures: {"n_train": 2, "n_test": 4, "n_groups": 1, "n_unseen": 1},
}


def _halves(X, y, model):
    """Score the rows that are not among the training rows, which are every second normal one."""
    train = (y == 1) & (np.arange(len(y)) % 2 == 0)
    return roc_auc_score(y[~train], model.fit(X[train]).score_samples(X[~train]))


def _flat(made):
    for part in made:
        if isinstance(part, list):
            yield from part
        else:
            yield part


@pytest.mark.parametrize(("make", "options"), OTHERS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_same_seed_same_data(make, options, seed):
    first, second, other = (list(_flat(make(**options, random_state=state))) for state in (seed, seed, seed + 1000))
    assert all(np.array_equal(one, two) for one, two in zip(first, second, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, other, strict=False))


@pytest.mark.parametrize(("make", "options"), OTHERS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_values_are_finite_and_labels_native(make, options, seed):
    for part in _flat(make(**options, random_state=seed)):
        assert part.dtype.kind in "fiU"
        if part.dtype.kind == "f":
            assert part.dtype == np.float64
            assert np.isfinite(part).all()
        if part.dtype.kind == "i":
            assert part.dtype == np.int64


@pytest.mark.parametrize("make", ROWS)
@pytest.mark.parametrize("contamination", [0.0, 0.03, 0.5])
def test_tables_have_the_fraction_asked_for(make, contamination, seed):
    X, y = make(200, 16, contamination=contamination, random_state=seed)
    assert X.shape == (200, 16)
    assert (y == -1).sum() == round(200 * contamination)
    if contamination == 0.5:
        assert 0 < (y[:100] == -1).sum() < 100  # in random order


@pytest.mark.parametrize(
    ("make", "bad"),
    [
        (datasets.make_logical_anomalies, {"n_features": 6}),
        (datasets.make_manifold_anomalies, {"n_features": 3}),
        (datasets.make_manifold_anomalies, {"n_features": 5, "curvature": 1.0}),
        (datasets.make_phase_sequences, {"kinds": ["broken"]}),
        (datasets.make_phase_sequences, {"kinds": []}),
        (datasets.make_patrol_passes, {"warp": 0.2}),
        (datasets.make_patrol_passes, {"length": 50}),
        (datasets.make_grouped_series, {"episode_length": 150}),
        (datasets.make_particle_tracks, {"n_dims": 4}),
        (datasets.make_series_anomalies, {"anomalies": "spike"}),
    ],
)
def test_bad_argument_is_named(make, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        make(**bad)


def test_logical_anomalies_are_found_by_rules_of_several_columns_not_by_one(seed):
    X, y = datasets.make_logical_anomalies(900, contamination=0.2, random_state=seed)
    assert (X[y == -1].min(axis=0) >= 0).all()
    assert (X[y == -1].max(axis=0) <= [*[1] * 4, 2, *[1] * 11]).all()
    assert _halves(X, y, ChecklistDetector(random_state=0)) > 0.84
    assert _halves(X, y, MarginalDetector()) < 0.7
    assert _halves(X, y, NearestNeighborsDetector()) < 0.88


@pytest.mark.parametrize("curvature", [0.0, 0.5])
def test_manifold_anomalies_off_it_have_a_large_error_and_on_it_a_large_distance(curvature, seed):
    area = {}
    for anomalies in ("off", "on"):
        X, y = datasets.make_manifold_anomalies(
            800, anomalies=anomalies, curvature=curvature, contamination=0.2, random_state=seed
        )
        model = PCA(6 if curvature else 3).fit(X[y == 1])
        code = model.transform(X)
        error = np.linalg.norm(X - model.inverse_transform(code), axis=1)
        distance = (code**2 / model.explained_variance_).sum(axis=1)
        area[anomalies] = roc_auc_score(y, -error), roc_auc_score(y, -distance)
    assert area["off"][0] > 0.99
    assert area["off"][1] < 0.75
    assert area["on"][1] > 0.93
    assert area["on"][0] < 0.9


def test_anomalies_inside_a_circle_are_found_by_density_not_by_the_distance_from_the_mean(seed):
    X, y = datasets.make_lifted_circle(800, contamination=0.2, random_state=seed)
    assert _halves(X, y, LocalOutlierFactor(novelty=True)) > 0.9
    assert roc_auc_score(y, -np.linalg.norm(X - X.mean(axis=0), axis=1)) < 0.1


@pytest.mark.parametrize("anomalies", ["digit", "colour"])
def test_colour_is_removed_by_a_projection_where_it_adds_a_vector(anomalies, seed):
    X_train, X_test, y_test, colours_test, concepts = datasets.make_coloured_digits(
        anomalies=anomalies, random_state=seed
    )
    area = {}
    for mode in ("ignore", "guide"):
        projector = ConceptProjector(mode=mode, concepts=list(concepts)).fit(X_train)
        area[mode] = _neighbours(projector.transform(X_train), projector.transform(X_test), y_test)
    plain = _neighbours(X_train, X_test, y_test)
    if anomalies == "digit":
        assert area["ignore"] > plain + 0.15
        assert area["guide"] < 0.6
    else:
        assert ((colours_test == 0) == (y_test == 1)).all()
        assert area["guide"] > 0.99
        assert area["ignore"] < 0.6


def test_colour_that_selects_columns_is_not_removed_by_a_projection(seed):
    X_train, X_test, y_test, _, concepts = datasets.make_coloured_digits(mixing="multiplicative", random_state=seed)
    projector = ConceptProjector(concepts=list(concepts)).fit(X_train)
    plain = _neighbours(X_train, X_test, y_test)
    assert abs(_neighbours(projector.transform(X_train), projector.transform(X_test), y_test) - plain) < 0.1


def _neighbours(X_train, X_test, y_test):
    model = NearestNeighbors(n_neighbors=30, metric="cosine").fit(X_train)
    return roc_auc_score(y_test, -model.kneighbors(X_test)[0].mean(axis=1))


def test_frauds_that_rotate_are_lost_by_a_classifier_and_not_by_a_detector(seed):
    X, y, times = datasets.make_fraud_stream(random_state=seed)
    old, new = times < 48, times > 96
    detector = GaussianDetector().fit(X[old]).score_samples(X[new])
    classifier = LogisticRegression().fit(X[old], y[old] == -1).decision_function(X[new])
    assert average_precision_score(y[new] == -1, -detector) > 0.6
    assert average_precision_score(y[new] == -1, classifier) < 0.3
    assert abs((y == -1).mean() - 0.02) < 4 * np.sqrt(0.02 * 0.98 / len(y))


def test_frauds_that_stay_are_found_by_a_classifier(seed):
    X, y, times = datasets.make_fraud_stream(turn=0.0, random_state=seed)
    classifier = LogisticRegression().fit(X[times < 48], y[times < 48] == -1).decision_function(X[times > 96])
    assert average_precision_score(y[times > 96] == -1, classifier) > 0.8


def test_nodes_need_a_model_each(seed):
    X, y, groups = datasets.make_grouped_series(random_state=seed)
    train = np.arange(len(X)) % 200 < 100
    table = np.column_stack([groups, X])
    each = GroupedDetector(GaussianDetector()).fit(table[train]).score_samples(table[~train])
    pooled = GaussianDetector().fit(X[train]).score_samples(X[~train])
    assert roc_auc_score(y[~train], each) > 0.95
    assert roc_auc_score(y[~train], pooled) < 0.7


def test_patrol_passes_need_an_aligned_reference(seed):
    X_reference, X_query, y_query, labels = datasets.make_patrol_passes(random_state=seed)
    aligned = ReferenceDetector().fit(X_reference)
    assert roc_auc_score(y_query, aligned.score_samples(X_query)) > 0.97
    assert roc_auc_score(np.concatenate(labels), np.concatenate(aligned.score_timepoints(X_query))) > 0.95
    rows = NearestNeighborsDetector().fit(np.concatenate(X_reference))
    least = np.array([np.sort(rows.score_samples(query))[:6].mean() for query in X_query])
    assert roc_auc_score(y_query, least) < 0.8
    assert ((y_query == -1) == [(label == -1).any() for label in labels]).all()


def test_two_futures_are_found_by_neighbours_and_missed_by_a_mean_forecast(seed):
    X, y = datasets.make_branching_sequences(random_state=seed)
    train = (y == 1) & (np.arange(len(y)) % 2 == 0)
    neighbours = SequenceNeighbors().fit(X[train]).score_samples(X[~train])
    forecast = -((X[~train, 6:] - X[train, 6:].mean(axis=0)) ** 2).sum(axis=(1, 2))
    assert roc_auc_score(y[~train], neighbours) > 0.97
    assert roc_auc_score(y[~train], forecast) < 0.55


def test_gazes_differ_in_dispersion_only(seed):
    X, y = datasets.make_gaze_sequences(random_state=seed)
    spread = np.log([gaze[:, :2].std(axis=0) for gaze in X])
    others = np.array([[*gaze.mean(axis=0), len(gaze)] for gaze in X])
    assert _halves(spread, y, GaussianDetector()) > 0.9
    assert 0.3 < _halves(others, y, GaussianDetector()) < 0.7


def test_faults_of_episodes_need_alignment(seed):
    X, y, faults, phases, labels = datasets.make_phase_sequences(120, contamination=0.3, random_state=seed)
    train = (y == 1) & (np.arange(len(y)) % 2 == 0)
    test = [episode for episode, chosen in zip(X, train, strict=True) if not chosen]
    scores = {}
    for alignment in ("dtw", "none"):
        detector = ReferenceDetector(alignment=alignment, band=0.3)
        detector.fit([episode for episode, chosen in zip(X, train, strict=True) if chosen])
        scores[alignment] = detector.score_samples(test)
    for fault in ("missing_phase", "extra_load", "worn", "early_stop"):
        chosen = np.isin(faults[~train], ["normal", fault])
        assert roc_auc_score(y[~train][chosen], scores["dtw"][chosen]) > 0.95, fault
    subtle = np.isin(faults[~train], ["normal", "extra_load", "worn"])
    assert roc_auc_score(y[~train][subtle], scores["none"][subtle]) < 0.8
    for fault, phase, label in zip(faults, phases, labels, strict=True):
        expected = {"normal": [], "extra_load": [1], "worn": [2], "missing_phase": [2], "early_stop": [2]}[fault]
        assert np.unique(phase[label == -1]).tolist() == expected
        assert (np.diff(phase) >= 0).all()
    assert len({len(episode) for episode in X}) > 10


def test_machine_sounds_need_a_covariance_of_each_domain(seed):
    X_train, X_test, y_test, domains_train, domains_test = datasets.make_machine_sounds(
        300, 120, target_fraction=0.01, random_state=seed
    )
    selective = SelectiveMahalanobisDetector().fit(X_train, domain=domains_train).score_samples(X_test)
    plain = -((X_test - X_train.mean(axis=(0, 1))) ** 2).mean(axis=(1, 2))
    for domain, gain in (("target", 0.15), ("source", -0.02)):
        chosen = domains_test == domain
        assert roc_auc_score(y_test[chosen], selective[chosen]) > roc_auc_score(y_test[chosen], plain[chosen]) + gain
    assert domain_roc_auc_score(y_test, selective, domains=domains_test) > 0.9
    assert (domains_train == "target").sum() == 3


def test_machine_sounds_without_a_shift_have_equal_domains(seed):
    _, X_test, y_test, _, domains_test = datasets.make_machine_sounds(10, 400, domain_shift=0.0, random_state=seed)
    means = [X_test[(domains_test == domain) & (y_test == 1)].mean(axis=(0, 1)) for domain in ("source", "target")]
    np.testing.assert_allclose(*means, atol=0.3)


@pytest.mark.parametrize("anomalies", ["point", "range", "frequency", "trend", "flat_trend"])
def test_series_kinds_are_found_by_windows_and_only_ranges_by_the_median(anomalies, seed):
    X, y = datasets.make_series_anomalies(1500, anomalies=anomalies, random_state=seed)
    windows = SubsequenceNeighbors(window_size=30, random_state=0).fit(X).score_samples(X)
    assert vus_pr_score(y, windows) > 0.6
    median = vus_pr_score(y, -np.abs(X[:, 0] - np.median(X)))
    assert (median > 0.6) == (anomalies == "range")
    assert anomalies == "range" or median < 0.3


@pytest.mark.parametrize("anomalies", ["point", "range", "frequency", "trend", "flat_trend"])
def test_series_kinds_have_an_anomaly_in_a_short_series(anomalies, seed):
    _, y = datasets.make_series_anomalies(200, anomalies=anomalies, random_state=seed)
    assert 0 < (y == -1).sum() <= 50


def test_textures_of_unseen_specifications_are_missed_until_they_are_trained_on(seed):
    X_train, X_test, y_test, patch_labels, _, groups = datasets.make_textures(20, 40, random_state=seed)
    detector = PatchGaussian().fit(X_train)
    scores = detector.score_samples(X_test)
    seen, unseen = (
        [roc_auc_score(y_test[groups == g], scores[groups == g]) for g in part] for part in ((0, 1, 2), (3, 4))
    )
    assert np.mean(seen) > 0.9
    for group in (3, 4):
        normal = np.flatnonzero((groups == group) & (y_test == 1))
        rest = np.setdiff1d(np.flatnonzero(groups == group), normal[::2])
        own = PatchGaussian().fit(X_test[normal[::2]]).score_samples(X_test[rest])
        assert roc_auc_score(y_test[rest], own) > 0.85
    assert np.mean(unseen) < np.mean(seen) - 0.05
    assert ((patch_labels == -1).sum(axis=1) == np.where(y_test == -1, 4, 0)).all()


def test_textures_have_no_gap_where_groups_are_alike(seed):
    _, X, y, *_ = datasets.make_textures(2, 240, n_groups=1, n_unseen=0, noise=1.0, random_state=seed)
    groups = np.random.default_rng(seed).permutation(np.arange(len(X)) % 6)
    report = unseen_group_report(PatchGaussian(), X, y, groups, random_state=seed)
    assert report.mean > 0.6
    assert abs(report.gap) < 0.05  # the areas of a group differ between two sets of training rows only


@pytest.mark.parametrize("n_dims", [2, 3])
def test_showers_are_found_by_local_shape_not_by_number_or_energy(n_dims, seed):
    X, y, voxel_labels, particles = datasets.make_particle_tracks(n_dims=n_dims, random_state=seed)
    shape = [_roundness(image[:, :n_dims]) for image in X]
    assert roc_auc_score(y, [-np.sort(values)[-12:].mean() for values in shape]) > 0.85
    assert roc_auc_score(np.concatenate(voxel_labels), -np.concatenate(shape)) > 0.85
    totals = np.array([[len(image), image[:, -1].sum()] for image in X])
    assert _halves(totals, y, GaussianDetector()) < 0.75
    for image, label, voxels, particle in zip(X, y, voxel_labels, particles, strict=True):
        assert ((image[:, :n_dims] >= 0) & (image[:, :n_dims] < 64)).all()
        assert len(np.unique(image[:, :n_dims], axis=0)) == len(image) == len(particle)
        assert len(np.unique(particle[voxels == -1])) == (label == -1)


def test_tracks_in_three_dimensions_are_clusters(seed):
    X, _, _, particles = datasets.make_particle_tracks(40, contamination=0.0, random_state=seed)
    found = [DBSCAN(2, min_samples=1).fit_predict(image[:, :3]) for image in X]
    assert np.mean([adjusted_rand_score(*pair) for pair in zip(particles, found, strict=True)]) > 0.85


def _roundness(coordinates):
    """Return the fraction of the variance of the nearest voxels that is off their line."""
    neighbours = NearestNeighbors(n_neighbors=8).fit(coordinates).kneighbors(coordinates)[1]
    local = coordinates[neighbours] - coordinates[neighbours].mean(axis=1, keepdims=True)
    values = np.linalg.eigvalsh(np.einsum("nki,nkj->nij", local, local))
    return 1 - values[:, -1] / values.sum(axis=1)
