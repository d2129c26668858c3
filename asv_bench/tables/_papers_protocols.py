"""The experiments of ``papers.py`` on protocols: contaminated training data, unseen groups, seeds, unknowns."""

import numpy as np
from _papers_scores import embeddings
from sklearn.cluster import DBSCAN
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import detectors, metrics, model_selection, robust
from skanomaly.datasets import make_particle_tracks, make_shifted_anomalies, make_textures
from skanomaly.embeddings import PatchGaussian, PatchNeighbors, PatchResidual


def contaminated_images():
    """Seed 0: ResNet18 features of MVTec-AD, of which up to 20 % of the training rows are defective."""
    models = {
        "GaussianDetector": detectors.GaussianDetector(),
        "nearest neighbour": detectors.NearestNeighborsDetector(n_neighbors=1),
        "purified nearest neighbour": robust.PurifiedDetector(detectors.NearestNeighborsDetector(n_neighbors=1)),
    }
    found = []
    for _, train, test, labels in embeddings():
        X, y = np.concatenate([train, test]), np.concatenate([np.ones(len(train), dtype=int), labels])
        curve = model_selection.contamination_curve(models, X, y, ratios=(0, 0.1, 0.2), n_repeats=2, random_state=0)
        found.append(100 * curve.mean)
    cells = [
        f"{name} " + ", ".join(f"{a:.1f}" for a in row)
        for name, row in zip(models, np.mean(found, axis=0), strict=True)
    ]
    return "AUC with 0, 10 and 20 % defective training images: " + "; ".join(cells)


def repeated_anomalies():
    """Seeds 0 to 4: 600 normal rows and 60 or 150 anomalies in clusters of five, or scattered."""
    cells = []
    for kind, count in (("in clusters", 60), ("in clusters", 150), ("scattered", 60)):
        rows = []
        for seed in range(5):
            random = np.random.default_rng(seed)
            places = random.normal(size=(2, count, 6))
            places *= random.uniform(4, 6, size=(2, count, 1)) / np.linalg.norm(places, axis=2, keepdims=True)
            if kind == "in clusters":
                centers = np.repeat(places[0, : count // 5], 5, axis=0)
                places = centers + 0.05 * random.normal(size=(2, count, 6))
            normal = random.normal(size=(2, 600, 6))
            train, test = np.concatenate([normal[0], places[0]]), np.concatenate([normal[1], places[1]])
            kept = [
                np.ones(600 + count, dtype=bool),
                *(
                    robust.ContaminationFilter(subset_fraction=fraction).filter_rows(train, random_state=0).kept
                    for fraction in (0.3, 0.03)
                ),
                np.arange(600 + count) < 600,
            ]
            labels = np.repeat([1, -1], [600, count])
            rows.append(
                [
                    100
                    * metrics.roc_auc_score(
                        labels, LocalOutlierFactor(5, novelty=True).fit(train[rows]).score_samples(test)
                    )
                    for rows in kept
                ]
            )
        cells.append(f"{count} {kind}: " + ", ".join(f"{value:.1f}" for value in np.mean(rows, axis=0)))
    return (
        "AUC of local outlier factors unfiltered, filtered by parts of 30 % and of 3 %, and trained on clean rows: "
        + ("; ".join(cells))
    )


def unseen_groups():
    """Seeds 0 to 2: five made textures, two of them recorded with another brightness and contrast."""
    models = {
        "PatchNeighbors": PatchNeighbors(metric="euclidean"),
        "PatchGaussian": PatchGaussian(),
        "PatchResidual": PatchResidual(),
    }
    values = {name: [] for name in models}
    for seed in range(3):
        X_train, X_test, y_test, _, before, after = make_textures(30, 40, random_state=seed)
        X, groups = np.concatenate([X_train, X_test]), np.concatenate([before, after])
        y = np.concatenate([np.ones(len(X_train), dtype=int), y_test])
        for name, model in models.items():
            report = model_selection.unseen_group_report(model, X, y, groups, random_state=seed)
            values[name].append([report.mean + report.gap, report.mean, report.worst])
    cells = [f"{name} " + ", ".join(f"{100 * a:.1f}" for a in np.mean(rows, axis=0)) for name, rows in values.items()]
    return "AUC of textures seen in training, unseen, and of the worst unseen one: " + "; ".join(cells)


def seed_sources():
    """Seed 0: 20 seeds for each source of variation, on a table with 20 and one with 200 anomalies."""
    cells = []
    for size in (400, 4000):
        X, y = make_shifted_anomalies(n_samples=size, contamination=0.05, shift=3.0, random_state=0)
        study = model_selection.seed_study(IsolationForest(), X, y, n_seeds=20, random_state=0)
        spread = ", ".join(f"{name} {100 * study.std[name]:.1f}" for name in ("initialisation", "split", "data", "all"))
        cells.append(
            f"{size // 20} anomalies: {spread}; mean {100 * study.mean['all']:.1f}, "
            f"expected best of 100 {100 * study.expected_best(100):.1f}"
        )
    return "standard deviation of the AUC over seeds of one source; " + "; ".join(cells)


def out_of_distribution():
    """Seed 0: breast cancer, one of thirty columns multiplied by 10, 100, 1,000 and 10,000."""
    X, y = load_breast_cancer(return_X_y=True)
    models = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
        "random forest": RandomForestClassifier(min_samples_leaf=3),
        "isolation forest": IsolationForest(),
        "local outlier factor": make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True)),
        "GaussianDetector": make_pipeline(StandardScaler(), detectors.GaussianDetector()),
    }
    report = model_selection.ood_benchmark(models, X, y, random_state=0)
    cells = [
        f"{name} " + ", ".join(f"{area:.3f}" for area in areas)
        for name, areas in zip(report.names, report.roc_auc, strict=True)
    ]
    return "area for changed rows, by entropy of classifiers and by scores of detectors: " + "; ".join(cells)


def known_and_unknown():
    """Seeds 0 to 4: digits, of which 8 and 9 are unknown, and a half of the test images is darkened."""
    X, y = load_digits(return_X_y=True)
    values = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        train = (y < 8) & (random.random(len(y)) < 0.6)
        test, labels, dark = X[~train].copy(), y[~train], random.random((~train).sum()) < 0.5
        test[dark] *= 0.5
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(X[train], y[train])
        scores, unknown = detectors.GaussianDetector().fit(X[train]).score_samples(test), labels >= 8
        report = metrics.open_set_report(labels, model.predict(test), unknown, scores)
        strata = metrics.stratified_report(np.where(unknown, -1, 1), scores, np.where(dark, "dark", "light"))
        by_light = dict(zip(strata["stratum"], strata["roc_auc"], strict=True))
        values.append(
            [
                report.accuracy,
                report.open_set_area,
                report.roc_auc,
                report.fpr_at_tpr,
                by_light["light"],
                by_light["dark"],
            ]
        )
    accuracy, area, auc, fpr, light, dark = 100 * np.mean(values, axis=0)
    return (
        f"accuracy of known digits {accuracy:.1f}, area under the open-set curve {area:.1f}; unknown digits: AUC {auc:.1f} "
        f"and {fpr:.1f} % false positives at 95 % recall; AUC in light images {light:.1f}, in dark ones {dark:.1f}"
    )


def sparse_instances():
    """Seed 0: 60 sparse images of three particles; voxels clustered by distance."""
    images, _, voxel_labels, particles = make_particle_tracks(60, random_state=0)
    found = [DBSCAN(eps=reach, min_samples=1) for reach in (2.0, 6.0)]
    events = np.repeat(np.arange(60), [len(image) for image in images])
    cells = []
    for model in found:
        clusters = np.concatenate([model.fit_predict(image[:, :-1]) for image in images])
        purity, efficiency, rand = metrics.instance_purity_efficiency(
            np.concatenate(particles), clusters, groups=events
        )
        cells.append(f"reach {model.eps:.0f}: {purity:.2f}, {efficiency:.2f}, {rand:.2f}")
    cells_of = [np.unique(image[:, :-1], axis=0, return_index=True)[1] for image in images]
    scores = [
        -np.linalg.norm(image[:, None, :-1] - image[None, :, :-1], axis=2).clip(max=4).mean(axis=1) for image in images
    ]
    overlap = metrics.per_region_overlap_score(
        [labels[rows] for labels, rows in zip(voxel_labels, cells_of, strict=True)],
        [values[rows] for values, rows in zip(scores, cells_of, strict=True)],
        coordinates=[image[rows, :-1] for image, rows in zip(images, cells_of, strict=True)],
    )
    return f"purity, efficiency and Rand index of clusters: {'; '.join(cells)}; region overlap of showers {overlap:.2f}"
