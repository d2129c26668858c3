import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from skanomaly._networks._network import Layers, Network
from skanomaly.detectors import (
    AdversarialCode,
    Autoencoder,
    ConstrainedCode,
    DenseCode,
    MemoryCode,
    PerturbedReconstruction,
    PrincipalComponents,
    RandomFeatures,
    UncertaintyCode,
    VariationalCode,
)
from skanomaly.detectors._neural._adversarial import adversarial_step

SMALL = {"latent_dim": 2, "hidden_layer_sizes": [24], "max_iter": 250, "batch_size": 64}
KINDS = {
    "components": PrincipalComponents(latent_dim=2),
    "features": RandomFeatures(n_features=64),
    "dense": DenseCode(**SMALL),
    "denoising": DenseCode(corruption="gaussian", **SMALL),
    "masked": DenseCode(corruption="mask", **SMALL),
    "swapped": DenseCode(corruption="swap", **SMALL),
    "variational": VariationalCode(**SMALL),
    "context": VariationalCode(context_weight=0.5, **SMALL),
    "memory": MemoryCode(n_slots=20, **SMALL),
    "uncertainty": UncertaintyCode(**SMALL),
    "adversarial": AdversarialCode(consistency=0.1, **SMALL),
    "constrained": ConstrainedCode(consistency=0.1, **SMALL),
}


def _plane(seed, n_rows=200):
    """Rows near a plane in eight columns, and rows off it."""
    random = np.random.default_rng(seed)
    plane = random.normal(size=(2, 8))
    rows = random.normal(size=(n_rows + 60, 2)) @ plane + 0.1 * random.normal(size=(n_rows + 60, 8))
    rows[-30:] += 0.8 * random.normal(size=(30, 8))
    return rows[:n_rows], rows[n_rows:], np.repeat([0, 1], 30)


@pytest.mark.parametrize("name", KINDS)
def test_rows_off_the_plane_score_lower(name, seed):
    train, test, y = _plane(seed)
    detector = Autoencoder(kind=KINDS[name], random_state=seed).fit(train)
    assert roc_auc_score(y, -detector.score_samples(test)) > 0.9
    if detector.n_iter_:
        assert np.mean(detector.loss_curve_[-20:]) < np.mean(detector.loss_curve_[:20])


def test_components_have_the_errors_of_principal_components(seed):
    train, test, _ = _plane(seed)
    found = Autoencoder(kind=KINDS["components"], statistic="reconstruction").fit(train).score_samples(test)
    pca = PCA(2).fit(train)
    errors = np.square(pca.inverse_transform(pca.transform(test)) - test).mean(axis=1)
    assert_allclose(-found / errors, np.full(60, (-found / errors)[0]), rtol=1e-4)


@pytest.mark.parametrize("name", ["components", "features", "dense", "variational", "memory", "constrained"])
def test_gradient_of_the_error_agrees_with_finite_differences(name, seed):
    train, test, _ = _plane(seed)
    model = Autoencoder(kind=KINDS[name], random_state=seed).fit(train)._model
    rows = test[:4].astype(np.float32)
    gradient = model.gradient(rows)
    for column in range(8):
        step = np.zeros(8, dtype=np.float32)
        step[column] = 1e-2
        above, below = (np.square(model(rows + sign * step).residuals).mean(axis=1) for sign in (1, -1))
        assert_allclose(gradient[:, column], (above - below) / 2e-2, atol=0.05 * np.abs(gradient).max())


def test_a_perturbed_row_has_an_error_lower_by_the_gradient(seed):
    train, test, _ = _plane(seed)
    size = 1e-3
    plain = Autoencoder(kind=KINDS["dense"], statistic="reconstruction", random_state=seed).fit(train)
    moved = clone(plain).set_params(statistic=PerturbedReconstruction(size=size)).fit(train)
    slopes = clone(plain).set_params(statistic="gradient").fit(train)
    expected = size * 8 * slopes.score_samples(test)
    assert_allclose(-moved.score_samples(test) + plain.score_samples(test), expected, rtol=0.1, atol=1e-5)


def test_far_rows_on_the_manifold_need_the_code_and_rows_off_it_the_error(seed):
    random = np.random.default_rng(seed)
    basis = np.linalg.qr(random.normal(size=(20, 20)))[0]

    def rows(n_rows, along, across):
        coordinates = np.hstack([along * random.normal(size=(n_rows, 3)), across * random.normal(size=(n_rows, 17))])
        return coordinates @ basis

    train, normal = rows(300, 1, 0.1), rows(100, 1, 0.1)
    y = np.repeat([0, 1], 100)
    found = {}
    for statistic in ("reconstruction", "latent", "sum"):
        detector = Autoencoder(kind=PrincipalComponents(latent_dim=3), statistic=statistic).fit(train)
        for place, anomalies in (("on", rows(100, 5, 0.1)), ("off", rows(100, 1, 0.3))):
            found[statistic, place] = roc_auc_score(y, -detector.score_samples(np.vstack([normal, anomalies])))
    assert found["reconstruction", "on"] < 0.65
    assert found["reconstruction", "off"] > 0.95
    assert found["latent", "off"] < 0.65
    assert found["latent", "on"] > 0.9
    assert min(found["sum", "on"], found["sum", "off"]) > 0.9


def test_a_circle_needs_a_circular_code(seed):
    random = np.random.default_rng(seed)
    basis = np.linalg.qr(random.normal(size=(16, 2)))[0]

    def ring(n_rows, radius):
        angles = random.uniform(0, 2 * np.pi, n_rows)
        points = np.reshape(radius, (-1, 1)) * np.column_stack([np.cos(angles), np.sin(angles)])
        return points @ basis.T + 0.02 * random.normal(size=(n_rows, 16))

    train, test = ring(300, 1.0), np.vstack([ring(100, 1.0), ring(100, np.sqrt(random.uniform(0, 0.6, 100)))])
    areas = []
    for options in ({"latent_dim": 1}, {"latent_dim": 2, "topology": "sphere"}):
        kind = DenseCode(hidden_layer_sizes=[24], max_iter=500, batch_size=64, **options)
        detector = Autoencoder(kind=kind, statistic="reconstruction", random_state=seed).fit(train)
        areas.append(roc_auc_score(np.repeat([0, 1], 100), -detector.score_samples(test)))
    assert areas[1] > 0.98
    assert areas[0] < areas[1] - 0.05


def test_jumps_of_the_code_find_the_seam_of_a_ring(seed):
    random = np.random.default_rng(seed)
    angles = random.uniform(0, 2 * np.pi, 300)
    basis = np.linalg.qr(random.normal(size=(16, 2)))[0]
    ring = np.column_stack([np.cos(angles), np.sin(angles)]) @ basis.T + 0.02 * random.normal(size=(300, 16))
    jumps = []
    for options in ({"latent_dim": 1}, {"latent_dim": 2, "topology": "sphere"}):
        kind = DenseCode(hidden_layer_sizes=[24], max_iter=500, batch_size=64, **options)
        jumps.append(Autoencoder(kind=kind, random_state=seed).fit(ring).code_jumps(ring))
    line, circle = jumps
    assert np.sort(line)[-5:].mean() > 1.3 * np.sort(circle)[-5:].mean()
    # The rows with large jumps are in one place or two.
    assert np.abs(np.exp(1j * angles[np.argsort(line)[-5:]]).mean()) > 0.4
    assert np.median(line) == pytest.approx(1)


def test_jumps_need_rows():
    sets = np.random.default_rng(0).normal(size=(20, 4, 3))
    with pytest.raises(ValueError, match="20 samples of 80 patches"):
        Autoencoder(random_state=0).fit(sets).code_jumps(sets)


@pytest.mark.parametrize("pooling", ["max", "mean", 0.5])
@pytest.mark.parametrize("statistic", ["reconstruction", "residual"])
def test_contributions_of_patch_sets_sum_to_the_score(pooling, statistic, seed):
    sets = np.random.default_rng(seed).normal(size=(20, 5, 4))
    detector = Autoencoder(statistic=statistic, pooling=pooling, random_state=seed).fit(sets)
    for samples in (sets, sets[:, 0]):
        assert_allclose(detector.feature_contributions(samples).sum(axis=1), detector.score_samples(samples))


def test_scores_that_are_no_sum_have_no_contributions():
    assert not hasattr(Autoencoder(statistic="latent"), "feature_contributions")


@pytest.mark.parametrize("name", ["features", "dense", "variational"])
def test_global_seeds_are_untouched_and_equal_seeds_give_equal_bits(name, seed):
    train, test, _ = _plane(seed)
    state = np.random.get_state()[1].copy()  # noqa: NPY002  # the global state is what is tested
    first, second = (Autoencoder(kind=KINDS[name], random_state=3).fit(train).score_samples(test) for _ in range(2))
    assert_array_equal(first, second)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_parameters_of_a_kind_are_set_through_the_detector(seed):
    train, _, _ = _plane(seed)
    detector = Autoencoder(kind=PrincipalComponents()).set_params(kind__latent_dim=0.5).fit(train)
    assert detector.latent_dim_ == 1
    assert Autoencoder(kind=PrincipalComponents(latent_dim=0.999)).fit(train).latent_dim_ > 2


def test_verbose_tells_the_loss_and_early_stopping_stops(seed, capsys):
    train, _, _ = _plane(seed)
    kind = DenseCode(**{**SMALL, "max_iter": 200}, early_stopping=True)
    detector = Autoencoder(kind=kind, verbose=True, random_state=seed).fit(train)
    assert "step 100, loss" in capsys.readouterr().out
    assert detector.n_iter_ == len(detector.loss_curve_) <= 200


def test_labelled_anomalies_are_left_out_of_training(seed):
    train, test, y = _plane(seed)
    labels = np.concatenate([np.zeros(200, dtype=int), np.where(y == 1, -1, 1)])
    kept = labels >= 0
    rows = np.vstack([train, test])
    detector = Autoencoder(random_state=seed)
    expected = clone(detector).fit(rows[kept]).score_samples(test)
    assert_array_equal(clone(detector).fit(rows, labels).score_samples(test), expected)


def test_rows_are_read_from_a_memory_map_without_a_copy(seed, tmp_path):
    train, test, _ = _plane(seed, 3000)
    np.save(tmp_path / "rows.npy", train)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    detector = Autoencoder(kind=DenseCode(**{**SMALL, "max_iter": 20}), random_state=seed)
    assert_array_equal(clone(detector).fit(mapped).score_samples(test), clone(detector).fit(train).score_samples(test))


def test_slopes_of_the_adversarial_loss_agree_with_finite_differences(seed):
    random = np.random.default_rng(seed)
    network = Network({"encoder": Layers((4, 5, 2)), "decoder": Layers((2, 5, 4))}, random, np.float64)
    judge = Network({"pairs": Layers((6, 5, 1), leak=0.2)}, random, np.float64)
    rows = random.normal(size=(8, 4))

    def loss():
        network.clear()
        return adversarial_step(network, judge, rows, np.random.default_rng(1), 0.3)

    loss()
    gradient = network.total_gradient().copy()
    for place in random.choice(gradient.size, 20, replace=False):
        kept, around = network.parameters[place], []
        for step in (1e-6, -1e-6):
            network.parameters[place] = kept + step
            around.append(loss())
        network.parameters[place] = kept
        assert_allclose(gradient[place], (around[0] - around[1]) / 2e-6, rtol=1e-4, atol=1e-6)


def test_odd_numbers_of_torus_coordinates_raise(seed):
    train, _, _ = _plane(seed)
    with pytest.raises(ValueError, match="latent_dim=3 must be even"):
        Autoencoder(kind=DenseCode(latent_dim=3, topology="torus")).fit(train)


def _scenes(random, n_scenes, n_rows):
    """Rows near one curved surface, each scene at its own part of it."""
    basis = np.random.default_rng(1).normal(size=(2, 10))
    places = random.uniform(-2, 2, size=(n_scenes, 1, 2)) + 0.7 * random.normal(size=(n_scenes, n_rows, 2))
    return np.sin(places @ basis) + 0.05 * random.normal(size=(n_scenes, n_rows, 10))


def test_few_rows_of_a_new_scene_are_enough_after_a_warm_start(seed):
    random = np.random.default_rng(seed)
    known, new = _scenes(random, 20, 60).reshape(-1, 10), _scenes(random, 1, 110)[0]
    anomalies = new[10:60] + 0.4 * random.normal(size=(50, 10))
    kind = DenseCode(latent_dim=3, hidden_layer_sizes=[32], max_iter=400)
    scratch = Autoencoder(kind=kind, statistic="reconstruction", random_state=0).fit(new[:10])
    warm = Autoencoder(kind=kind, statistic="reconstruction", warm_start=True, random_state=0).fit(known)
    warm.set_params(kind__max_iter=50, kind__learning_rate_init=1e-3).fit(new[:10])
    areas = [
        roc_auc_score(np.repeat([1, 0], 50), detector.score_samples(np.vstack([new[60:], anomalies])))
        for detector in (scratch, warm)
    ]
    assert warm.loss_curve_[0] < 0.5 * scratch.loss_curve_[0]
    assert areas[1] > areas[0]


@pytest.mark.parametrize("name", [name for name in KINDS if name not in {"components", "features"}])
def test_a_warm_start_continues_with_the_weights_of_the_last_fit(name, seed):
    rows = _plane(seed)[0]
    detector = Autoencoder(kind=clone(KINDS[name]), warm_start=True, random_state=0).fit(rows)
    cold = clone(detector).fit(rows)
    assert_array_equal(cold.score_samples(rows), detector.score_samples(rows))
    detector.set_params(kind__max_iter=1, kind__learning_rate_init=1e-12).fit(rows)
    assert_allclose(detector.score_samples(rows), cold.score_samples(rows), rtol=0.02)


def test_a_warm_start_of_other_sizes_or_without_steps_raises():
    rows = _plane(0)[0]
    detector = Autoencoder(kind=DenseCode(latent_dim=2, max_iter=2), warm_start=True, random_state=0).fit(rows)
    with pytest.raises(ValueError, match=r"layers of sizes .* Fit with warm_start=False"):
        detector.set_params(kind__latent_dim=3).fit(rows)
    with pytest.raises(ValueError, match=r"RandomFeatures has a closed form.* Use warm_start=False"):
        Autoencoder(warm_start=True).fit(rows)
