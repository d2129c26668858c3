"""The experiments of ``papers.py`` on small networks."""

import numpy as np
from _papers_scores import auc, embeddings, table
from sklearn.preprocessing import StandardScaler

from skanomaly import detectors, sampling
from skanomaly.detectors import Autoencoder, DenseCode, OneClassNetwork, PrincipalComponents

SHORT = {"hidden_layer_sizes": [128], "max_iter": 200, "batch_size": 64}


def _categories(most=3):
    for place, (_, train, test, labels) in enumerate(embeddings()):
        if place < most:
            yield train, test, labels


def _mean_areas(makers):
    """Return the mean areas of detectors on ResNet-18 embeddings of three categories."""
    found = {name: [] for name in makers}
    for train, test, labels in _categories():
        for name, maker in makers.items():
            found[name].append(auc(labels, maker().fit(train).score_samples(test)))
    return ", ".join(f"{name} {np.mean(values):.1f}" for name, values in found.items())


def circle_and_line():
    """Seeds 0 to 2: rows near a circle in 16 dimensions train, rows inside the circle are anomalies."""
    found = {"line": [], "circle": []}
    for seed in range(3):
        random = np.random.default_rng(seed)
        basis = np.linalg.qr(random.normal(size=(16, 2)))[0]
        angles = random.uniform(0, 2 * np.pi, 600)
        radius = np.where(np.arange(600) < 500, 1.0, np.sqrt(random.uniform(0, 0.6, 600)))
        points = radius[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
        rows = points @ basis.T + 0.02 * random.normal(size=(600, 16))
        for name, options in (("line", {"latent_dim": 1}), ("circle", {"latent_dim": 2, "topology": "sphere"})):
            kind = DenseCode(hidden_layer_sizes=[24], max_iter=800, **options)
            detector = Autoencoder(kind=kind, statistic="reconstruction", random_state=seed).fit(rows[:400])
            found[name].append(auc(np.repeat([1, -1], 100), detector.score_samples(rows[400:])))
    return "AUC with a code on a " + ", on a ".join(f"{name} {np.mean(values):.1f}" for name, values in found.items())


def error_and_code():
    """Seed 0: a plane of 3 dimensions in 20; anomalies far on the plane, and off it."""
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.normal(size=(20, 20)))[0]

    def rows(n_rows, along, across):
        parts = along * random.normal(size=(n_rows, 3)), across * random.normal(size=(n_rows, 17))
        return np.hstack(parts) @ basis

    train, normal, cells = rows(500, 1, 0.1), rows(200, 1, 0.1), []
    places = {"far on the plane": rows(200, 5, 0.1), "off the plane": rows(200, 1, 0.3)}
    for statistic in ("reconstruction", "latent", "sum"):
        kind = DenseCode(latent_dim=3, hidden_layer_sizes=[64])
        detector = Autoencoder(kind=kind, statistic=statistic, random_state=0).fit(train)
        for name, anomalies in places.items():
            scores = detector.score_samples(np.vstack([normal, anomalies]))
            cells.append(f"{statistic}, {name} {auc(np.repeat([1, -1], 200), scores):.1f}")
    return "AUC of " + "; ".join(cells)


def autoencoder_kinds():
    """Seed 0, ResNet-18 embeddings of three categories of MVTec-AD."""
    kinds = {
        "dense": DenseCode(**SHORT),
        "denoising": DenseCode(corruption="gaussian", **SHORT),
        "variational": detectors.VariationalCode(**SHORT),
        "context-encoding": detectors.VariationalCode(context_weight=0.5, **SHORT),
        "memory": detectors.MemoryCode(**SHORT),
        "uncertainty": detectors.UncertaintyCode(**SHORT),
        "constrained": detectors.ConstrainedCode(**SHORT),
        "adversarial": detectors.AdversarialCode(**SHORT),
        "principal components": PrincipalComponents(),
        "random features": detectors.RandomFeatures(),
    }
    makers = {
        name: lambda kind=kind: Autoencoder(kind=kind, statistic="reconstruction", random_state=0)
        for name, kind in kinds.items()
    }
    makers["dense by residual Mahalanobis distance"] = lambda: Autoencoder(kind=DenseCode(**SHORT), random_state=0)
    makers["GaussianDetector"] = detectors.GaussianDetector
    return "AUC of kinds: " + _mean_areas(makers)


def perturbed_input():
    """Seed 0, ResNet-18 embeddings of three categories of MVTec-AD."""
    makers = {"no step": lambda: Autoencoder(kind=DenseCode(**SHORT), statistic="reconstruction", random_state=0)}
    for size in (0.01, 0.05, 0.2):
        statistic = detectors.PerturbedReconstruction(size=size)
        makers[f"step {size}"] = lambda statistic=statistic: Autoencoder(
            kind=DenseCode(**SHORT), statistic=statistic, random_state=0
        )
    return "AUC of reconstruction with " + _mean_areas(makers)


def one_class_objectives():
    """Seed 0, ResNet-18 embeddings of three categories of MVTec-AD."""
    makers = {
        "SVDD": lambda: OneClassNetwork(max_iter=200, random_state=0),
        "soft boundary": lambda: OneClassNetwork(objective=detectors.SoftBoundary(), max_iter=200, random_state=0),
        "projections": lambda: OneClassNetwork(
            objective=detectors.ProjectionOutlyingness(), max_iter=200, random_state=0
        ),
        "untrained projection depth": lambda: detectors.RandomProjectionDepth(covariance="ledoit_wolf", random_state=0),
        "GaussianDetector": detectors.GaussianDetector,
    }
    return "AUC of " + _mean_areas(makers)


def mean_shift():
    """Seed 0, ResNet-18 embeddings of three categories of MVTec-AD."""
    makers = {}
    for name, shift, steps in (("no training", True, 1), ("shift", True, 100), ("no shift", False, 100)):
        objective = detectors.MeanShifted(shift=shift)
        rate = 1e-12 if steps == 1 else 1e-3
        makers[name] = lambda objective=objective, steps=steps, rate=rate: OneClassNetwork(
            objective=objective, covariance=None, max_iter=steps, learning_rate_init=rate, random_state=0
        )
    return "AUC of mean-shifted contrast: " + _mean_areas(makers)


def few_labels():
    """Seeds 0 and 1, ResNet-18 embeddings of three categories: ten labelled anomalies, left out of the test."""
    found = {"SVDD, no labels": [], "DeepSAD": [], "Margin": [], "GaussianDetector, no labels": []}
    for train, test, labels in _categories():
        for seed in range(2):
            known = np.random.default_rng(seed).permutation(np.flatnonzero(labels == -1))[:10]
            rest = np.setdiff1d(np.arange(len(test)), known)
            X, y = np.vstack([train, test[known]]), np.repeat([1, -1], [len(train), 10])
            models = {
                "SVDD, no labels": OneClassNetwork(max_iter=200, random_state=seed),
                "DeepSAD": OneClassNetwork(objective=detectors.DeepSAD(), max_iter=200, random_state=seed),
                "Margin": OneClassNetwork(objective=detectors.Margin(), max_iter=200, random_state=seed),
                "GaussianDetector, no labels": detectors.GaussianDetector(),
            }
            for name, model in models.items():
                found[name].append(auc(labels[rest], model.fit(X, y).score_samples(test[rest])))
    return "AUC with ten labels: " + ", ".join(f"{name} {np.mean(values):.1f}" for name, values in found.items())


def synthetic_heads():
    """Seed 0, ResNet-18 embeddings of three categories of MVTec-AD; columns swapped, and noise for the hinge."""
    swap = sampling.AnomalySynthesizer(kind="swap")
    heads = {
        "classifier": (swap, None),
        "logistic": (swap, sampling.LogisticHead(**SHORT)),
        "density": (swap, sampling.DensityHead(**SHORT)),
        "offset": (None, sampling.OffsetHead(**SHORT)),
        "contrastive": (swap, sampling.ContrastiveHead(**SHORT)),
        "hinge": (None, sampling.HingeHead(**SHORT)),
        "hinge, noise of 0.001": (
            sampling.AnomalySynthesizer(kind="gaussian", strength=1e-3),
            sampling.HingeHead(**SHORT),
        ),
    }
    makers = {
        name: lambda maker=maker, head=head: sampling.SyntheticAnomalyDetector(
            synthesizer=maker, head=head, random_state=0
        )
        for name, (maker, head) in heads.items()
    }
    return "AUC of heads: " + _mean_areas(makers)


def random_targets():
    """Seed 0, four tables of ADBench: networks that learn random targets, and the variance of kriging."""
    from skanomaly.embeddings import DistillationDetector, NetworkStudent

    found = {"students": [], "KrigingDetector": []}
    for name in ("WBC", "cardio", "glass", "pendigits"):
        train, test, labels = table(name, 0, 600)
        scaler = StandardScaler().fit(train)
        models = {
            "students": DistillationDetector(student=NetworkStudent(target="random"), n_views=1, random_state=0),
            "KrigingDetector": detectors.KrigingDetector(random_state=0),
        }
        for key, model in models.items():
            scores = model.fit(scaler.transform(train)).score_samples(scaler.transform(test))
            found[key].append(auc(labels, scores))
    return "AUC of random targets: " + ", ".join(f"{name} {np.mean(values):.1f}" for name, values in found.items())


def few_shot_scenes():
    """Seed 0, ResNet-18 embeddings of seven categories of MVTec-AD as scenes: ten images of three of them train."""
    scenes = list(_categories(7))
    kind = DenseCode(latent_dim=64, **SHORT | {"max_iter": 400})
    found = {}
    for place in (0, 3, 5):
        train, test, labels = scenes[place]
        few = np.random.default_rng(0).permutation(train)[:10]
        others = np.vstack([train for index, (train, *_) in enumerate(scenes) if index != place])
        for statistic in ("residual", "reconstruction"):
            for name, first in (("after the other scenes", [others]), ("from scratch", [])):
                model = Autoencoder(kind=kind, statistic=statistic, warm_start=True, random_state=0)
                for rows in first:
                    model.fit(rows)
                model.set_params(kind=DenseCode(latent_dim=64, **SHORT | {"max_iter": 20})).fit(few)
                found.setdefault(f"{name} ({statistic})", []).append(auc(labels, model.score_samples(test)))
        nearest = detectors.NearestNeighborsDetector(metric="euclidean").fit(few)
        found.setdefault("nearest image", []).append(auc(labels, nearest.score_samples(test)))
    return "AUC with ten images: " + ", ".join(f"{name} {np.mean(values):.1f}" for name, values in found.items())
