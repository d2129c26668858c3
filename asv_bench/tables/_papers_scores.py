"""The experiments of ``papers.py`` on scores, audits and synthetic anomalies."""

import os
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression
from sklearn.metrics import f1_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly import (
    audit,
    detectors,
    inspection,
    metrics,
    model_selection,
    robust,
    sampling,
    threshold,
)
from skanomaly.datasets import make_shifted_anomalies

DATA = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
TABLES = ("annthyroid", "breastw", "cardio", "fault", "glass", "landsat", "pendigits", "WBC")


def table(name, seed, most=1500):
    """Return training rows (half of the normal ones), test rows and their labels; +1 normal, -1 anomaly."""
    with np.load(DATA / "tables" / f"{name}.npz") as file:
        X, y = file["X"].astype(float), file["y"].astype(int)
    random = np.random.default_rng(seed)
    normal, anomalies = (random.permutation(np.flatnonzero(y == kind)) for kind in (0, 1))
    normal, anomalies = normal[:most], anomalies[: most // 4]
    half = len(normal) // 2
    test = np.concatenate([normal[half:], anomalies])
    return X[normal[:half]], X[test], np.where(y[test] == 1, -1, 1)


def embeddings(kind="resnet18"):
    """Yield category, training rows, test rows and labels of the images."""
    paths = sorted((DATA / "embeddings").glob(f"*_{kind}.npz"))
    if not paths:
        raise FileNotFoundError(f"no embeddings in {DATA}")
    for path in paths:
        with np.load(path) as file:
            X, y = file["X"].astype(float), file["y"].astype(int)
        normal = np.random.default_rng(0).permutation(np.flatnonzero(y == 0))
        train = normal[: len(normal) // 2]
        test = np.setdiff1d(np.arange(len(y)), train)
        yield path.stem.split("_")[1], X[train], X[test], np.where(y[test] == 1, -1, 1)


def auc(labels, scores):
    return 100 * metrics.roc_auc_score(labels, scores)


def z_error():
    """Seeds 0 to 4."""
    errors = {"least squares": [], "ZErrorRegressor": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        X, coef = random.normal(size=(2000, 10)), random.normal(size=10)
        y = X @ coef + random.normal(size=2000) + 20 * (random.random(2000) < 0.15)
        fresh = random.normal(size=(1000, 10))
        for name, model in (
            ("least squares", LinearRegression()),
            ("ZErrorRegressor", robust.ZErrorRegressor(random_state=seed)),
        ):
            errors[name].append(np.sqrt(np.mean((model.fit(X, y).predict(fresh) - fresh @ coef) ** 2)))
    a, b = (np.mean(values) for values in errors.values())
    return (
        f"error with 15 % outliers {a:.2f} by least squares, {b:.2f} with the mask (standard deviation of the noise 1)"
    )


def test_time_training():
    """Seeds 0 to 9: grids of 40 x 40 cells with 8 features, of which a disc of 60 cells is shifted."""
    before, after = [], []
    for seed in range(10):
        random = np.random.default_rng(seed)
        train, grid = random.normal(size=(1600, 8)), random.normal(size=(40, 40, 8))
        rows, columns = np.indices((40, 40))
        center = random.integers(8, 32, size=2)
        defect = (rows - center[0]) ** 2 + (columns - center[1]) ** 2 < 20
        grid[defect] += 1.2 * random.choice([-1, 1], size=8)
        flat, labels = grid.reshape(-1, 8), np.where(defect.ravel(), -1, 1)
        model = threshold.ScoreRefiner(detectors.GaussianDetector()).fit(train)
        for values, scores in ((before, model.score_samples(flat)), (after, model.refine_scores(flat))):
            values.append(
                max(f1_score(labels == -1, scores <= cut) for cut in np.quantile(scores, np.linspace(0.005, 0.2, 40)))
            )
    return f"best F1 of the defect {np.mean(before):.2f} by the detector, {np.mean(after):.2f} after training on the test grid"


def pollution():
    """Seed 0, eight tables of ADBench; anomalies of the test set are added to the training rows."""
    models = {
        "IsolationForestDetector": lambda: detectors.IsolationForestDetector(random_state=0),
        "AnomalyDetector": lambda: detectors.AnomalyDetector(random_state=0),
        "RandomProjectionDepth": lambda: make_pipeline(
            StandardScaler(), detectors.RandomProjectionDepth(random_state=0)
        ),
        "GaussianDetector": lambda: make_pipeline(StandardScaler(), detectors.GaussianDetector()),
        "NearestNeighborsDetector": lambda: make_pipeline(StandardScaler(), detectors.NearestNeighborsDetector()),
        "MarginalDetector": detectors.MarginalDetector,
        "KrigingDetector": lambda: make_pipeline(StandardScaler(), detectors.KrigingDetector(random_state=0)),
        "MultiscaleNeighborsDetector": lambda: make_pipeline(
            StandardScaler(), detectors.MultiscaleNeighborsDetector(random_state=0)
        ),
        "LocalOutlierFactor": lambda: make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True)),
    }
    cells = {name: [] for name in models}
    for polluted in (0.0, 0.05, 0.10):
        values = {name: [] for name in models}
        for name in TABLES:
            train, test, labels = table(name, 0)
            anomalies = np.flatnonzero(labels == -1)
            n_added = min(round(polluted * len(train)), len(anomalies) // 2)
            added = np.random.default_rng(0).permutation(anomalies)[:n_added]
            kept = np.setdiff1d(np.arange(len(test)), added)
            for model, make in models.items():
                fitted = make().fit(np.vstack([train, test[added]]))
                values[model].append(auc(labels[kept], fitted.score_samples(test[kept])))
        for model in models:
            cells[model].append(np.mean(values[model]))
    parts = [f"{name} {a:.1f}, {b:.1f}, {c:.1f}" for name, (a, b, c) in cells.items()]
    return "AUC with clean, 5 % and 10 % polluted training rows: " + "; ".join(parts)


def views():
    """Seeds 0 to 4."""
    found = {"max": [], "mean": [], "logsumexp": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        scores, labels = random.normal(size=(400, 5)), np.where(np.arange(400) < 200, -1, 1)
        scores[:200, 2] -= 3
        for name, values in found.items():
            values.append(
                auc(labels, metrics.aggregate_views(scores.ravel(), np.repeat(np.arange(400), 5), aggregation=name)[1])
            )
    return "AUC by sample with a defect in one of five views: " + ", ".join(
        f"{n} {np.mean(v):.1f}" for n, v in found.items()
    )


def fused_views():
    """Seeds 0 to 4: cells of a cube, each seen by a third of six views."""
    values = {"one view": [], "fused": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        defect = np.zeros((12, 12, 12), dtype=bool)
        defect[4:7, 4:7, 4:7] = True
        maps = random.normal(size=(6, *defect.shape)) - 1.5 * defect
        visible = random.random(maps.shape) < 1 / 3
        fused = metrics.fuse_views(maps, visible)
        for name, scores in (("one view", np.where(visible[0], maps[0], np.nan)), ("fused", fused)):
            seen = ~np.isnan(scores)
            values[name].append(auc(np.where(defect, -1, 1)[seen], scores[seen]))
    unseen = np.isnan(fused).mean()
    return f"AUC of the cells {np.mean(values['one view']):.1f} by one view, {np.mean(values['fused']):.1f} fused; {100 * unseen:.0f} % of the cells are seen by none and left out"


def shortcut():
    """Seed 0: a column that only goes along with the anomalies."""
    random = np.random.default_rng(0)
    train, test = random.normal(size=(500, 8)), random.normal(size=(400, 8))
    labels, mask = np.where(np.arange(400) < 100, -1, 1), np.zeros((400, 8), dtype=bool)
    mask[:100, :2] = True
    test[:100, :2] += 1.0
    test[:100, 7] += 6.0
    model = detectors.GaussianDetector(contamination=0.02).fit(train)
    parts = inspection.feature_contributions(model, test)
    counts = inspection.count_right_reasons(labels, model.predict(test), parts, mask, min_jaccard=0.5)
    return (
        f"AUC {auc(labels, model.score_samples(test)):.0f}, and {counts.right_reason} of {counts.right_reason + counts.wrong_reason} "
        "flagged anomalies are flagged for the planted defect, the others for the shortcut"
    )


def domain_shift():
    """Seeds 0 to 9: 200 rows of a source domain, 10 of a shifted one; nearest neighbours with and without DomainSMOTE."""
    plain, grown = [], []
    for seed in range(10):
        random = np.random.default_rng(seed)
        shift = np.where(np.arange(8) < 4, 3.0, 0.0)
        train = np.vstack([random.normal(size=(200, 8)), shift + random.normal(size=(10, 8))])
        domain = np.repeat([0.0, 1.0], [200, 10])
        test = np.vstack(
            [
                random.normal(size=(100, 8)),
                shift + random.normal(size=(100, 8)),
                random.normal(size=(50, 8)),
                shift + random.normal(size=(50, 8)),
            ]
        )
        test[200:, 4:] += 2.0
        labels, domains = np.repeat([1, -1], [200, 100]), np.repeat([0, 1, 0, 1], [100, 100, 50, 50])
        rows, _ = sampling.DomainSMOTE(random_state=seed).fit_resample(
            np.column_stack([train, domain]), np.ones(210, dtype=int)
        )
        for values, given in ((plain, train), (grown, rows[:, :8])):
            model = detectors.NearestNeighborsDetector().fit(given)
            values.append(metrics.domain_roc_auc_score(labels, model.score_samples(test), domains=domains))
    return f"official score (harmonic mean) {100 * np.mean(plain):.1f} without, {100 * np.mean(grown):.1f} with SMOTE of the target domain"


def expected_posterior():
    """Seeds 0 to 4: realistic, normal-like and far-fetched auxiliary anomalies."""
    good, best = [], []
    for seed in range(5):
        random = np.random.default_rng(seed)
        normal, anomalies = random.normal(size=(400, 4)), random.normal([3, 3, 0, 0], 0.7, size=(15, 4))
        real = random.normal([3, 3, 0, 0], 0.7, size=(100, 4))
        fake = np.vstack([random.normal(size=(100, 4)), random.uniform(-40, 40, size=(100, 4))])
        quality = sampling.ExpectedAnomalyPosterior(n_subsets=50, random_state=seed)
        quality.fit(np.vstack([normal, anomalies]), np.repeat([1, -1], [400, 15]))
        posterior = quality.anomaly_posterior(np.vstack([real, fake]))
        good.append(auc(np.repeat([-1, 1], [100, 200]), -posterior))
        best.append(np.isin(np.argsort(-posterior)[:100], np.arange(100)).mean())
    return f"realistic anomalies against normal-like and far-fetched ones: AUC {np.mean(good):.1f}, {100 * np.mean(best):.0f} % of the best hundred are realistic"


def contamination():
    """Seeds 0 to 9, shifted anomalies of 2, 5 and 10 %."""
    errors, inside = [], []
    for seed in range(10):
        for truth in (0.02, 0.05, 0.10):
            X, _ = make_shifted_anomalies(n_samples=800, contamination=truth, random_state=seed)
            model = threshold.ContaminationPosterior(random_state=seed).fit(X)
            low, high = model.posterior_.interval(0.9)
            errors.append(abs(model.posterior_.mean() - truth))
            inside.append(low <= truth <= high)
    return f"mean absolute error {np.mean(errors):.3f}; the 90 % interval holds the truth in {100 * np.mean(inside):.0f} % of 30 tables"


def synthetic_kinds():
    """Seed 0, ResNet-18 embeddings of seven categories of MVTec-AD."""
    values = {kind: [] for kind in ("gaussian", "swap", "paste", "blend")}
    reference = []
    for _, train, test, labels in embeddings():
        reference.append(auc(labels, detectors.GaussianDetector().fit(train).score_samples(test)))
        for kind, found in values.items():
            maker = sampling.AnomalySynthesizer(kind=kind, strength=2.0 if kind == "gaussian" else 0.5)
            model = sampling.SyntheticAnomalyDetector(synthesizer=maker, random_state=0).fit(train)
            found.append(auc(labels, model.score_samples(test)))
    return (
        "AUC "
        + ", ".join(f"{kind} {np.mean(found):.1f}" for kind, found in values.items())
        + f"; GaussianDetector {np.mean(reference):.1f}"
    )


def wide_tables():
    """Seed 0: normal rows of 2 to 1,000 columns, a tenth of which (at least one) is shifted by 3."""
    cells = []
    for n_columns in (2, 20, 200, 1000):
        random = np.random.RandomState(0)
        train, test = random.normal(size=(300, n_columns)), random.normal(size=(400, n_columns))
        test[200:, : max(1, n_columns // 10)] += 3
        scores = sampling.SyntheticAnomalyDetector(random_state=0).fit(train).score_samples(test)
        cells.append(f"{n_columns:,} columns {auc(np.repeat([1, -1], 200), scores):.1f}")
    return "AUC of the default SyntheticAnomalyDetector: " + ", ".join(cells)


def transplant():
    """Seeds 0 to 4, ResNet-18: five real anomalies are transplanted."""
    values = {"five anomalies": [], "none (gaussian)": []}
    for _, train, test, labels in embeddings():
        for seed in range(2):
            known = np.random.default_rng(seed).permutation(np.flatnonzero(labels == -1))[:5]
            rest = np.setdiff1d(np.arange(len(test)), known)
            maker = sampling.AnomalySynthesizer(kind="transplant")
            model = sampling.SyntheticAnomalyDetector(synthesizer=maker, random_state=seed)
            model.fit(np.vstack([train, test[known]]), np.repeat([1, -1], [len(train), 5]))
            values["five anomalies"].append(auc(labels[rest], model.score_samples(test[rest])))
            plain = sampling.SyntheticAnomalyDetector(random_state=seed).fit(train)
            values["none (gaussian)"].append(auc(labels[rest], plain.score_samples(test[rest])))
    return "AUC with " + ", with ".join(f"{name} {np.mean(found):.1f}" for name, found in values.items())


def leave_one_domain_out():
    """Seed 0, ViT embeddings: anomalies of six categories train, the seventh tests; each centred on its normal rows."""
    sets = [(t - t.mean(0), x - t.mean(0), labels) for _, t, x, labels in embeddings("vit")]
    supervised, plain = [], []
    for left, (train, test, labels) in enumerate(sets):
        others = [entry for place, entry in enumerate(sets) if place != left]
        anomalies = np.vstack([x[y == -1] for _, x, y in others])
        known = np.vstack([train, *(t for t, _, _ in others)])
        model = sampling.SyntheticAnomalyDetector(random_state=0)
        model.fit(np.vstack([known, anomalies]), np.repeat([1, -1], [len(known), len(anomalies)]))
        supervised.append(auc(labels, model.score_samples(test)))
        plain.append(auc(labels, sampling.SyntheticAnomalyDetector(random_state=0).fit(train).score_samples(test)))
    return f"AUC in the category left out {np.mean(supervised):.1f} with the labelled anomalies of the six others, {np.mean(plain):.1f} without"


def drift():
    """Seeds 0 to 99, 300 rows of 4 columns."""
    rejected = {"independent rows": 0, "shift of half a standard deviation": 0, "autocorrelated rows": 0}
    for seed in range(100):
        random = np.random.default_rng(seed)
        rows = random.normal(size=(300, 4))
        shifted = rows + 0.5 * (np.arange(300) >= 150)[:, None]
        walk = rows.copy()
        for place in range(1, 300):
            walk[place] += 0.6 * walk[place - 1]
        for name, given in zip(rejected, (rows, shifted, walk), strict=True):
            rejected[name] += audit.KNNDriftTest(random_state=seed).fit(given).pvalue_ <= 0.05
    return "rejected at the level 0.05: " + ", ".join(f"{name} {count} %" for name, count in rejected.items())


def analytic_flexibility():
    """Seed 0: 16 specifications of LocalOutlierFactor on two tables, by three metrics."""
    cells = []
    for name in ("cardio", "pendigits"):
        _, X, y = table(name, 0, most=1000)
        grid = {"n_neighbors": [2, 3, 5, 10, 20, 40, 80, 160], "p": [1, 2]}
        names = ["roc_auc", "average_precision", "precision_at_n"]
        curve = model_selection.specification_curve(LocalOutlierFactor(novelty=True), grid, X, y, scoring=names)
        agree = curve.metric_agreement[np.triu_indices(3, 1)]
        cells.append(
            f"{name}: AUC {100 * curve.values.min():.0f} to {100 * curve.values.max():.0f}, rank correlation of two metrics {agree.min():.2f} to {agree.max():.2f}"
        )
    return "; ".join(cells)


def metadata_archaeology():
    """Seed 0: digits with 10 % of the labels changed."""
    X, y = load_digits(return_X_y=True)
    random = np.random.default_rng(0)
    wrong = random.random(len(y)) < 0.1
    labels = np.where(wrong, (y + random.integers(1, 10, len(y))) % 10, y)
    model = robust.TrainingDynamics(random_state=0).fit(X, labels)
    by_probe, by_loss = (
        auc(np.where(wrong, -1, 1), -values) for values in (model.issue_score("mislabelled"), model.mean_loss_)
    )
    return f"kinds of held-out probes recognised {100 * model.probe_accuracy_:.0f} % (chance 20 %); changed labels ranked with AUC {by_probe:.1f} by the probes, {by_loss:.1f} by the mean loss"


def censored_samples():
    """Seeds 0 to 59: 100 durations in each sample, censored at 1.7; differences found at 5 %, by 99 permutations."""
    changes = {
        "no difference": lambda hazards: hazards,
        "proportional": lambda hazards: hazards / 1.6,
        "early": lambda hazards: np.where(hazards < 1.1, hazards / 2.2, hazards - 0.6),
        "late": lambda hazards: np.where(hazards < 0.5, hazards, 0.5 + (hazards - 0.5) / 2.5),
        "crossing": lambda hazards: np.where(hazards < 1.5, hazards / 2.5, 0.6 + (hazards - 1.5) * 2.5),
        "log-normal scale": None,
    }
    names = ("log_rank", "max_combination", "supremum", "stacked")
    cells = []
    for kind, change in changes.items():
        found = dict.fromkeys(names, 0)
        for seed in range(60):
            random = np.random.default_rng(seed)
            first, hazards = random.exponential(size=100), random.exponential(size=100)
            second = hazards if change is None else change(hazards)
            if change is None:
                second, first = np.exp(random.normal(0, 0.5, 100)), np.exp(random.normal(0, 1, 100))
            for name in names:
                test = audit.CensoredTwoSampleTest(
                    statistic=name, null="permutation", n_permutations=99, horizon=1.7, random_state=seed
                )
                found[name] += test.fit_samples(first[:, None], second[:, None]).pvalue_ <= 0.05
        cells.append(f"{kind} " + ", ".join(f"{found[name] / 60:.2f}" for name in names))
    return "fraction found by log-rank, largest of four, supremum and learnt combination: " + "; ".join(cells)


def window_excess():
    """Seeds 0 to 3: 15,000 rows and a compact group in a window of 8 % of them; significance at a fraction of 1 %."""
    cells = []
    for n_group in (0, 40, 80):
        found, counts = [], []
        for seed in range(4):
            random = np.random.default_rng(seed)
            X, amount = random.normal(size=(15_000 + n_group, 4)), random.uniform(0, 10, size=15_000 + n_group)
            X[15_000:] = [2, 2, 1.5, 0] + 0.4 * random.normal(size=(n_group, 4))
            amount[15_000:] = random.normal(5, 0.15, size=n_group)
            search = audit.WindowExcessSearch(limits=(4.6, 5.4), fractions=(0.01,), random_state=seed)
            found.append(search.fit(X, locations=amount).z_[0])
            counts.append(n_group / np.sqrt(15_000 * 0.08))
        cells.append(f"{np.mean(found):.1f} with {n_group} rows (without the cut {np.mean(counts):.1f})")
    return "mean significance " + ", ".join(cells)


def tridiagonal_eigenvalues():
    """Seed 0: largest eigenvalue of 200 rows of 20 columns, drawn from tables and from their tridiagonal model."""
    random = np.random.default_rng(0)
    dense = np.array([np.linalg.eigvalsh(table.T @ table)[-1] for table in random.normal(size=(2000, 200, 20))])
    drawn = audit.laguerre_eigenvalues(20, 200, size=2000, random_state=0)[:, -1]
    cells = [f"{np.mean(found):.1f} (95 % quantile {np.quantile(found, 0.95):.1f})" for found in (dense, drawn)]
    times = []
    for draw in (
        lambda: np.linalg.eigvalsh((table := random.normal(size=(2000, 200))).T @ table),
        lambda: audit.laguerre_eigenvalues(200, 2000, random_state=0),
    ):
        start = time.perf_counter()
        for _ in range(20):
            draw()
        times.append((time.perf_counter() - start) / 20 * 1000)
    return (
        f"largest eigenvalue of tables {cells[0]}, of the tridiagonal model {cells[1]}; 2,000 rows of 200 columns "
        f"take {times[0]:.1f} and {times[1]:.1f} ms"
    )


def event_window():
    """Seeds 0 to 99: autoregressions of coefficient 0.8, 400 values before and after an event that changes nothing."""
    covered = {1: 0, 8: 0, 25: 0}
    for seed in range(100):
        noise = np.random.default_rng(seed).normal(size=800)
        for time_point in range(1, 800):
            noise[time_point] += 0.8 * noise[time_point - 1]
        for length in covered:
            found = audit.event_window_statistics(
                noise, 400, before=400, after=400, n_resamples=300, block_length=length, random_state=seed
            )
            covered[length] += found.mean_interval[0] <= 0 <= found.mean_interval[1]
    cells = [f"{count / 100:.2f} with blocks of {length}" for length, count in covered.items()]
    return "95 % intervals that contain no shift, for values that depend on their neighbours: " + ", ".join(cells)


def collected_lists():
    """Seeds 0 to 199: two lists of 30 % and 40 % of 1,000 keys, independent and with half of the keys hard to find."""
    cells = []
    for name, hard in (("independent", 1.0), ("hard keys in both", 0.3)):
        sizes = []
        for seed in range(200):
            random = np.random.default_rng(seed)
            ease = np.where(np.arange(1000) < 500, hard, 2 - hard)
            lists = [np.flatnonzero(random.random(1000) < fraction * ease) for fraction in (0.3, 0.4)]
            sizes.append(audit.coverage_estimate(*lists).size)
        cells.append(f"{name} {np.mean(sizes):.0f}")
    return "estimated size of a population of 1,000 from two lists: " + ", ".join(cells)


def kernel_likelihood():
    """Seeds 0 to 19: 2,000 and 500 rows of five normal columns; differences found at 5 %, by 39 permutations."""
    found = {name: dict.fromkeys(("likelihood", "MMD", "energy"), 0) for name in ("none", "shift", "local group")}
    for seed in range(20):
        random = np.random.default_rng(seed)
        reference, sample = random.normal(size=(2000, 5)), random.normal(size=(500, 5))
        shifted, local = sample + np.array([0.25, 0, 0, 0, 0]), sample.copy()
        local[:30] = 1.0 + 0.3 * local[:30]
        for kind, rows in (("none", sample), ("shift", shifted), ("local group", local)):
            for name, test in (
                ("likelihood", audit.NPLMTest(n_permutations=39, random_state=seed)),
                ("MMD", audit.KernelTest(n_permutations=39, random_state=seed)),
                ("energy", audit.EnergyTest(n_permutations=39, random_state=seed)),
            ):
                found[kind][name] += test.fit_samples(reference, rows).pvalue_ <= 0.05
    cells = [f"{kind}: " + ", ".join(f"{name} {n / 20:.2f}" for name, n in row.items()) for kind, row in found.items()]
    return "fraction found, " + "; ".join(cells)


def column_noise():
    """Seeds 0 to 4: 100,000 rows of eight columns of counts, of which a fraction of the cells comes from other rows."""
    cells = []
    for level in (0.1, 0.3):
        found = {2: [], 3: []}
        for seed in range(5):
            random = np.random.default_rng(seed)
            tables = random.poisson(random.gamma(2, size=(2, 100_000, 1)) * np.linspace(1, 3, 8)).astype(float)
            others = np.column_stack([random.permutation(column) for column in tables[0].T])
            X = np.where(random.random(others.shape) < level, others, tables[0])
            for order, values in found.items():
                values.append(audit.dependence_noise_level(X, tables[1], order=order))
        cells.append(f"{level}: " + ", ".join(f"{np.mean(values):.3f}" for values in found.values()))
    return "fraction of replaced cells, estimated from pairs and from triples of columns, " + "; ".join(cells)
