"""The experiments of ``papers.py`` on series, events and embeddings, and those on seeds and explanations."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import f1_score

from skanomaly import detectors, events, inspection, metrics, model_selection, sequence
from skanomaly.datasets import make_shifted_anomalies

DATA = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def auc(labels, scores):
    return 100 * metrics.roc_auc_score(labels, scores)


def event_traces():
    """Seed 0: 2,000 normal sessions of HDFS train, 2,000 others and 500 anomalous ones test."""
    with gzip.open(DATA / "events" / "hdfs.jsonl.gz", "rt") as file:
        sessions = [json.loads(line) for line in file]
    random = np.random.default_rng(0)
    normal, anomalous = (
        random.permutation([i for i, s in enumerate(sessions) if s["label"] == kind]) for kind in (0, 1)
    )
    traces = [session["events"] for session in sessions]
    train = [traces[place] for place in normal[:2000]]
    test = [traces[place] for place in [*normal[2000:4000], *anomalous[:500]]]
    labels, cells = np.repeat([1, -1], [2000, 500]), []
    models = (
        events.EventCountDetector(),
        events.MarkovDetector(),
        events.MultiscaleEventDetector(),
        events.EventEncoderDetector(random_state=0),
    )
    for model in models:
        scores = model.fit(train).score_samples(test)
        best = max(
            f1_score(labels == -1, scores <= cut) for cut in np.unique(np.quantile(scores, np.linspace(0.01, 0.5, 100)))
        )
        cells.append(f"{type(model).__name__} AUC {auc(labels, scores):.1f}, best F1 {best:.2f}")
    return "; ".join(cells)


def self_similarity():
    """Seeds 0 to 4: a wave of which one stretch has another frequency; delay vectors in place of the encoder."""
    values = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        series = np.sin(np.arange(4000) / 5) + 0.1 * random.normal(size=4000)
        start = random.integers(1000, 3500)
        series[start : start + 80] = np.sin(np.arange(80) / 2)
        labels = np.ones(4000, dtype=int)
        labels[start : start + 80] = -1
        model = sequence.SelfSimilarityDetector(window_size=256, stride=64, random_state=seed).fit(series)
        values.append(auc(labels, model.score_samples(series)))
    return f"AUC of time points {np.mean(values):.1f} with delay vectors"


def groups():
    """Seeds 0 to 4: twenty machines with levels of their own; a detector for each, and one for all."""
    values = {"one for each machine": [], "one for all": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        machine = np.repeat(np.arange(20), 100)
        levels, mixing = random.normal(0, 5, size=(20, 4)), random.normal(size=(20, 4, 4))
        make = lambda: levels[machine] + np.einsum("ij,ijk->ik", random.normal(size=(2000, 4)), mixing[machine])  # noqa: B023, E731
        train, test = make(), make()
        labels = np.where(random.random(2000) < 0.1, -1, 1)
        test[labels == -1] += random.normal(0, 4, size=(np.count_nonzero(labels == -1), 4))
        each = sequence.GroupedDetector(detectors.GaussianDetector()).fit(np.column_stack([machine, train]))
        values["one for each machine"].append(auc(labels, each.score_samples(np.column_stack([machine, test]))))
        values["one for all"].append(auc(labels, detectors.GaussianDetector().fit(train).score_samples(test)))
    return "AUC " + ", ".join(f"{name} {np.mean(found):.1f}" for name, found in values.items())


def degradation():
    """Seeds 0 to 4: four kinds of degradation of windows of a noisy wave, found by PCA and by trees taught on such."""
    values = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        series = np.sin(np.arange(12000) / 7) + 0.05 * random.normal(size=12000)
        degraded, labels = sequence.degrade_windows(series[8000:].reshape(10, 400, 1), random_state=seed)
        model = sequence.SubsequencePCA(window_size=50).fit(series[:8000])
        taught = sequence.DegradationDetector(random_state=seed).fit(series[:8000])
        found = [auc(labels.ravel(), one.score_samples(degraded.ravel())) for one in (model, taught)]
        values.append(found)
    first, second = np.mean(values, axis=0)
    return (
        f"AUC of the degraded time points {first:.1f} by SubsequencePCA, {second:.1f} by trees taught on degradations"
    )


def leads():
    """Seeds 0 to 2: twelve leads of heart beats; in anomalies one lead has another wave. Encoders without torch."""
    cells = []
    encoders = (
        sequence.RandomConvolutionEncoder(),
        sequence.ReservoirEncoder(),
        sequence.DenseEncoder(kl_weight=0.005, max_iter=300),
    )
    for encoder in encoders:
        values = []
        for seed in range(3):
            random = np.random.default_rng(seed)
            gains = random.normal(size=(3, 12))
            train = [_beat(random, gains) for _ in range(100)]
            test = [_beat(random, gains, changed=number >= 50) for number in range(100)]
            model = sequence.SequenceReconstructor(encoder, random_state=seed).fit(train)
            values.append(auc(np.repeat([1, -1], 50), model.score_samples(test)))
        cells.append(f"{encoder} {np.mean(values):.1f}")
    return "AUC of beats of twelve leads: " + "; ".join(cells)


def _beat(random, gains, *, changed=False):
    """Return a beat of twelve leads, 60 to 75 time points long."""
    places = np.linspace(0, 1, int(random.integers(60, 76)))[:, None]
    waves = np.exp(-0.5 * ((places - [0.2, 0.45, 0.75]) / [0.05, 0.02, 0.08]) ** 2) * (1 + 0.1 * random.normal(size=3))
    beat = waves @ gains + 0.2 * random.normal(size=(len(places), 12))
    if changed:
        lead = random.integers(12)
        beat[:, lead] += 1.0 * np.exp(-0.5 * ((places[:, 0] - 0.6) / 0.04) ** 2)
    return beat


def overlaid_events():
    """Seeds 0 to 4: events of known form added to noise at a given ratio."""
    cells = []
    for decibel in (-6, 0, 6, 12):
        values = []
        for seed in range(5):
            random = np.random.default_rng(seed)
            noise = random.normal(size=8000)
            event = np.sin(np.arange(60) / 2) * np.hanning(60)
            mixed, labels = sequence.overlay_events(
                noise[4000:], [event], n_events=8, snr_db=(decibel, decibel), random_state=seed
            )
            model = sequence.RollingStatistic(window_size=30, statistic="norm").fit(noise[:4000])
            values.append(auc(labels, model.score_samples(mixed)))
        cells.append(f"{decibel} dB {np.mean(values):.0f}")
    return "AUC of the rolling norm by signal-to-noise ratio: " + ", ".join(cells)


def seeds():
    """Seeds of 40 runs: isolation forests of 10 and of 100 trees on one table."""
    X, y = make_shifted_anomalies(n_samples=600, contamination=0.05, random_state=0)
    cells = []
    for n_trees in (10, 100):
        found = model_selection.seed_stability(
            IsolationForest(n_estimators=n_trees), X, y, n_seeds=40, scoring="roc_auc", random_state=0
        )
        cells.append(
            f"{n_trees} trees: AUC {100 * found.mean:.1f} +- {100 * found.std:.1f}, best seed {100 * found.values.max():.1f}, "
            f"expected best {100 * found.expected_best(40):.1f}, standard deviation between tables {100 * found.sampling_std:.1f}"
        )
    return "; ".join(cells)


def stratified_lime():
    """Seeds 0 to 19: a product of 12 columns, 1,000 samples; the target is the mean of 20,000."""
    X, _ = load_breast_cancer(return_X_y=True)
    rows = (X[:, :12] - X[:, :12].mean(axis=0)) / X[:, :12].std(axis=0)
    model = IsolationForest(random_state=0).fit(rows)
    errors = {}
    exact = (
        inspection.LimeExplainer(background=rows, n_samples=20000, random_state=99)
        .explain(model, rows[:1])
        .contributions
    )
    for sampling in ("uniform", "stratified"):
        found = [
            inspection.LimeExplainer(background=rows, n_samples=500, sampling=sampling, random_state=seed)
            .explain(model, rows[:1])
            .contributions
            for seed in range(20)
        ]
        errors[sampling] = np.mean([np.linalg.norm(values - exact) for values in found]) / np.linalg.norm(exact)
    return "relative error of the coefficients at 500 samples: " + ", ".join(
        f"{name} {error:.3f}" for name, error in errors.items()
    )


def gaussian_embeddings():
    """Seed 0: seven categories of MVTec-AD, ResNet-18; Gaussian in all, in few large and in few small components."""
    values = {"all components": [], "largest 99 %": [], "smallest": [], "kriging": [], "nearest neighbour": []}
    paths = sorted((DATA / "embeddings").glob("*_resnet18.npz"))
    if not paths:
        raise FileNotFoundError(f"no embeddings in {DATA}")
    for path in paths:
        with np.load(path) as file:
            X, y = file["X"].astype(float), file["y"].astype(int)
        normal = np.random.default_rng(0).permutation(np.flatnonzero(y == 0))
        train = normal[: len(normal) // 2]
        test = np.setdiff1d(np.arange(len(y)), train)
        labels = np.where(y[test] == 1, -1, 1)
        for name, model in (
            ("all components", detectors.GaussianDetector()),
            ("largest 99 %", detectors.GaussianDetector(subspace="pca")),
            ("smallest", detectors.GaussianDetector(subspace="npca")),
            ("kriging", detectors.KrigingDetector(random_state=0)),
            ("nearest neighbour", detectors.NearestNeighborsDetector()),
        ):
            values[name].append(auc(labels, model.fit(X[train]).score_samples(X[test])))
    return "AUC " + ", ".join(f"{name} {np.mean(found):.1f}" for name, found in values.items())


def delays():
    """Seeds 0 to 4: recordings of sound and picture with one delay each, and forged ones whose delay jumps."""
    values = {"likelihood": [], "mean absolute delay": []}
    for seed in range(5):
        random = np.random.default_rng(seed)

        def recordings(*, jumping, random=random):
            found = []
            for _ in range(40):
                each = random.integers(-8, 9, size=10) if jumping else np.repeat(random.integers(-8, 9), 10)
                delay, picture = np.repeat(each, 6), random.normal(size=(60, 6))
                places = np.clip(np.arange(60) - delay, 0, 59)
                sound = picture[places] + 0.5 * random.normal(size=(60, 6))
                found.append(sequence.delay_distributions(picture, sound, max_delay=15))
            return found

        train, normal, forged = (recordings(jumping=jumping) for jumping in (False, False, True))
        model = sequence.SequenceLikelihood(family="categorical", order=8).fit(train)
        labels = np.repeat([1, -1], 40)
        values["likelihood"].append(auc(labels, model.score_samples(normal + forged)))
        values["mean absolute delay"].append(
            auc(labels, [-np.abs(part.argmax(axis=1) - 15).mean() for part in normal + forged])
        )
    return "AUC of forged recordings: " + ", ".join(f"{name} {np.mean(found):.1f}" for name, found in values.items())


def three_geometries():
    """Seeds 0 to 4: waves of nearly the same frequency, by the distance from the centre in three spaces, also contracted."""
    cells = []
    for space in (sequence.Euclidean(), sequence.Spherical(), sequence.Hyperbolic()):
        found = {"closed": [], "contracted": []}
        for seed in range(5):
            random = np.random.default_rng(seed)
            rates = np.repeat([0.3, 0.32], [90, 30])[:, None]
            waves = np.sin(rates * np.arange(60) + random.uniform(0, 1, size=(120, 1)))
            waves = (waves + 0.4 * random.normal(size=waves.shape))[:, :, None]
            for name, contraction in zip(found, (None, sequence.Contraction()), strict=True):
                detector = sequence.GeometricOneClass(space=space, contraction=contraction, random_state=seed)
                scores = detector.fit(waves[:60]).score_samples(waves[60:])
                found[name].append(auc(np.repeat([1, -1], 30), scores))
        one = ", ".join(f"{name} {np.mean(values):.1f}" for name, values in found.items())
        cells.append(f"{type(space).__name__} {one}")
    return "AUC: " + "; ".join(cells)


def certainty():
    """Seeds 0 to 4: waves with a part turned over, and noise; certainty of their reconstructions."""
    cells = {"normal": [], "turned over": [], "noise": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        waves = np.sin(0.3 * np.arange(60) + random.uniform(0, 1, size=(160, 1))) + 0.2 * random.normal(size=(160, 60))
        waves[130:, 20:35] *= -1
        detector = sequence.GeometricOneClass(
            space=sequence.Hyperbolic(), target="reconstruction", random_state=seed
        ).fit(waves[:100, :, None])
        for name, part in zip(cells, (waves[100:130], waves[130:], random.normal(size=(30, 60))), strict=True):
            cells[name].append(np.median(detector.certainty(part[:, :, None])))
    return "median certainty " + ", ".join(f"{name} {np.mean(found):.2f}" for name, found in cells.items())


def sampled_futures():
    """Seeds 0 to 4: after the same past, +1 or -1 follows, and 0 in anomalies; futures by three samplers, and one forecast."""
    samplers = {
        type(one).__name__: one for one in (sequence.Analogue(), sequence.Diffusion(), sequence.ResidualBootstrap())
    }
    values = {name: [] for name in [*samplers, "one forecast"]}
    for seed in range(5):
        random = np.random.default_rng(seed)
        branch, labels = random.choice([-1.0, 1.0], size=600), np.ones(600, dtype=int)
        anomalies = random.choice(np.arange(300, 600), 30, replace=False)
        branch[anomalies], labels[anomalies] = 0.0, -1
        runs = np.column_stack([np.tile([0.0, 0.5, 1.0], (600, 1)), branch, branch, branch])
        series = runs.ravel() + 0.05 * random.normal(size=3600)
        for name, sampler in samplers.items():
            detector = sequence.MultiFutureDetector(sampler, n_past=3, n_future=3, random_state=seed)
            values[name].append(auc(labels[300:], detector.fit(series[:1800]).score_windows(series[1800:])[::6]))
        forecast = sequence.AutoregressiveDetector(order=3, smoothing=1).fit(series[:1800])
        values["one forecast"].append(auc(labels[300:], forecast.score_samples(series[1800:]).reshape(-1, 6)[:, 3]))
    return "AUC " + ", ".join(f"{name} {np.mean(found):.1f}" for name, found in values.items())


def scattering():
    """Seeds 0 to 4: pulses against noise of the same spectrum, and a glitch of 25 standard deviations in noise."""
    texture, spectrum, decibels = [], [], []
    for seed in range(5):
        random = np.random.default_rng(seed)
        starts = (random.random((80, 512)) < 0.03) * random.normal(1, 0.3, size=(80, 512))
        pulses = np.array([np.convolve(row, np.exp(-np.arange(40) / 6))[:512] for row in starts])
        phases = random.uniform(0, 2 * np.pi, (80, 257))
        phases[:, [0, -1]] = 0
        gauss = np.fft.irfft(np.abs(np.fft.rfft(pulses, axis=1)) * np.exp(1j * phases), n=512, axis=1)
        encoder = sequence.ScatteringCovariance(n_octaves=6).fit(gauss[:, :, None])
        known, test = (
            encoder.transform(part[:, :, None]) for part in (gauss[:50], np.vstack([pulses[50:], gauss[50:]]))
        )
        for columns, found in ((slice(None), texture), (slice(6, 12), spectrum)):
            model = detectors.NearestNeighborsDetector().fit(known[:, columns])
            found.append(auc(np.repeat([-1, 1], 30), model.score_samples(test[:, columns])))
        noise = np.apply_along_axis(
            lambda row: np.convolve(row, 0.8 ** np.arange(30))[:256], 1, random.normal(size=(11, 256))
        )
        glitch = np.zeros(256)
        glitch[120:170] = 25 * np.sin(np.arange(50)) * np.hanning(50)
        error = sequence.remove_transients(noise[0] + glitch, noise[1:]) - noise[0]
        decibels.append(10 * np.log10(np.square(glitch).sum() / np.square(error).sum()))
    return (
        f"AUC of pulses {np.mean(texture):.1f} by all features, {np.mean(spectrum):.1f} by the spectrum alone; "
        f"a glitch loses {np.mean(decibels):.1f} dB"
    )
