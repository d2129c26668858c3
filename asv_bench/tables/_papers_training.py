"""The experiments of ``papers.py`` on training, sampling and selection."""

import os
import warnings
from pathlib import Path

import numpy as np
from _markdown import row
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor, IsolationForest
from sklearn.impute import KNNImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, QuantileRegressor, SGDRegressor
from sklearn.metrics import balanced_accuracy_score, recall_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skanomaly import (
    audit,
    detectors,
    events,
    inspection,
    metrics,
    model_selection,
    robust,
    sampling,
    sequence,
    threshold,
)
from skanomaly.impute import KNNSamplerImputer

DATA = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def auc(labels, scores):
    return 100 * metrics.roc_auc_score(labels, scores)


def reference():
    """Seeds 0 to 4: repeats of one movement, delayed by up to 7 of 120 time points; a dent of 8 points."""
    values = {"dtw": [], "none": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        time_points = np.linspace(0, 4 * np.pi, 120)
        step = time_points[1]
        repeats = [
            np.sin(time_points + step * random.integers(-7, 8)) + 0.1 * random.normal(size=120) for _ in range(80)
        ]
        for place in range(60, 80):
            start = random.integers(10, 100)
            repeats[place][start : start + 8] -= 0.8
        labels = np.repeat([1, -1], [30, 20])
        for alignment, found in values.items():
            model = sequence.ReferenceDetector(alignment=alignment).fit(repeats[:30])
            found.append(auc(labels, model.score_samples(repeats[30:])))
    return f"AUC {np.mean(values['dtw']):.1f} after alignment, {np.mean(values['none']):.1f} without"


def bag_ranking():
    """Seeds 0 to 4: 60 sequences of 32 segments, labelled as wholes."""
    samples, points = [], []
    for seed in range(5):
        random = np.random.default_rng(seed)
        X, y = random.normal(size=(120, 32, 6)), np.repeat([1, -1], 60)
        truth = np.ones((120, 32), dtype=int)
        for place in range(60, 120):
            start = random.integers(0, 28)
            X[place, start : start + 4, :2] += 2.0
            truth[place, start : start + 4] = -1
        model = sequence.BagRankingDetector(contamination=0.5).fit(X[::2], y[::2])
        samples.append(auc(y[1::2], model.score_samples(X[1::2])))
        points.append(auc(truth[1::2].ravel(), np.concatenate(list(model.score_timepoints(X[1::2])))))
    return f"AUC of whole sequences {np.mean(samples):.1f}, of time points {np.mean(points):.1f}, from labels of whole sequences"


def smote():
    """Seeds 0 to 9: tables of 2,000 rows with 3 % of the rare class, half of which train a tree of depth 6."""
    values = {"without": [], "with SMOTE": []}
    for seed in range(10):
        X, y = make_classification(2000, 10, n_informative=5, weights=[0.97], flip_y=0, random_state=seed)
        rows, new, labels, truth = train_test_split(X, y, stratify=y, test_size=0.5, random_state=seed)
        model = DecisionTreeClassifier(max_depth=6, random_state=seed)
        grown = sampling.SMOTE(random_state=seed).fit_resample(rows, labels)
        for found, given in zip(values.values(), ((rows, labels), grown), strict=True):
            predicted = model.fit(*given).predict(new)
            found.append((balanced_accuracy_score(truth, predicted), recall_score(truth, predicted)))
    parts = [
        "balanced accuracy {:.1f} and recall {:.1f} {}".format(*(100 * np.mean(found, axis=0)), name)
        for name, found in values.items()
    ]
    return "a tree on 3 % of the rare class: " + ", ".join(parts)


def stochastic_imputation():
    """Seeds 0 to 4: y = +-x with noise, so that the conditional distribution has two modes; 30 % missing."""
    drawn, meaned = [], []
    for seed in range(5):
        random = np.random.default_rng(seed)
        x = random.uniform(0.5, 3, size=1500)
        y = x * random.choice([-1, 1], size=1500) + 0.1 * random.normal(size=1500)
        missing = random.random(1500) < 0.3
        rows = np.column_stack([x, np.where(missing, np.nan, y)])
        for values, imputer in ((drawn, KNNSamplerImputer(random_state=seed)), (meaned, KNNImputer(n_neighbors=20))):
            values.append(stats.ks_2samp(imputer.fit_transform(rows)[missing, 1], y[missing]).statistic)
    return f"Kolmogorov distance of the imputed from the true distribution {np.mean(drawn):.2f}, and {np.mean(meaned):.2f} with KNNImputer"


def class_conditional():
    """Seeds 0 to 4: digits 8 and 9 are unknown; layers are the pixels, and random features of two widths."""
    X, y = load_digits(return_X_y=True)
    values = {"confidence of a classifier": [], "one Gaussian": [], "a Gaussian for each class": [], "three layers": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        known = y < 8
        train = known & (random.random(len(y)) < 0.6)
        labels = np.where(known[~train], 1, -1)
        layers = [X / 16]
        for width in (96, 48):
            weights = random.normal(size=(layers[-1].shape[1], width)) * np.sqrt(2 / layers[-1].shape[1])
            layers.append(np.maximum(layers[-1] @ weights, 0))
        classifier = LogisticRegression(max_iter=2000).fit(X[train] / 16, y[train])
        values["confidence of a classifier"].append(auc(labels, classifier.predict_proba(X[~train] / 16).max(axis=1)))
        values["one Gaussian"].append(auc(labels, detectors.GaussianDetector().fit(X[train]).score_samples(X[~train])))
        scores = []
        for layer in layers:
            centers = np.array([layer[train][y[train] == kind].mean(axis=0) for kind in range(8)])
            pooled = detectors.GaussianDetector().fit(layer[train] - centers[y[train]])
            scores.append(np.max([pooled.score_samples(layer[~train] - center) for center in centers], axis=0))
        values["a Gaussian for each class"].append(auc(labels, scores[0]))
        values["three layers"].append(auc(labels, np.sum([(s - s.mean()) / s.std() for s in scores], axis=0)))
    return "AUC of unknown digits: " + ", ".join(f"{name} {np.mean(found):.1f}" for name, found in values.items())


def open_set():
    """Seeds 0 to 4: digits, of which 8 and 9 are unknown."""
    X, y = load_digits(return_X_y=True)
    values = []
    for seed in range(5):
        train = (y < 8) & (np.random.default_rng(seed).random(len(y)) < 0.6)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(X[train], y[train])
        ranked = model.classes_[np.argsort(-model.predict_proba(X[~train]), axis=1)]
        scores = detectors.GaussianDetector().fit(X[train]).score_samples(X[~train])
        values.append(metrics.open_set_score(y[~train], ranked, y[~train] >= 8, scores))
    return f"open-set score {np.mean(values):.2f} of at most 1; perfect guesses with a random score have 0.50"


def cascade():
    """Seed 0: a cheap and a precise stage, 20 % anomalies."""
    random = np.random.default_rng(0)
    anomaly = random.random(20000) < 0.2
    first, second = (
        1 / (1 + np.exp(-(4 * (anomaly - 0.5) + noise * random.normal(size=20000)))) for noise in (2.0, 0.7)
    )
    costs = threshold.DecisionCosts()
    handed = np.mean(threshold.predict_three_way(first) == 0)

    def cost(decisions):
        normal = np.select(
            [decisions == 1, decisions == 0], [costs.pass_normal, costs.review_normal], costs.flag_normal
        )
        wrong = np.select(
            [decisions == 1, decisions == 0], [costs.pass_anomaly, costs.review_anomaly], costs.flag_anomaly
        )
        return np.where(anomaly, wrong, normal).mean()

    one, both = cost(threshold.predict_three_way(first)), cost(threshold.predict_cascade([first, second]).decisions)
    return f"cost of errors and reviews for each row {one:.2f} by the first stage, {both:.2f} by the cascade, whose second stage sees {100 * handed:.0f} % of the rows"


def minority():
    """Seeds 0 to 2: four modes in 8 columns with weights .6, .3, .07 and .03; 1,000 rows are made."""
    cells = []
    for method, strength in (
        ("ancestral", 2.0),
        ("boost-skip", 2.0),
        ("guided", 2.0),
        ("guided", 1.0),
        ("reweight", 6.0),
    ):
        fractions, off = [], []
        for seed in range(3):
            random = np.random.RandomState(seed)
            centers = np.zeros((4, 8))
            centers[1, 0] = centers[2, 1] = centers[3, 0] = centers[3, 1] = 8
            X = centers[random.choice(4, 300, p=[0.6, 0.3, 0.07, 0.03])] + random.normal(size=(300, 8))
            sampler = sampling.MinoritySampler(
                sampling_strategy={1: 1300}, method=method, strength=strength, n_steps=60, random_state=seed
            )
            made = sampler.fit_resample(X, np.ones(300, int))[0][300:]
            distances = np.linalg.norm(made[:, None] - centers, axis=2)
            fractions.append((distances.argmin(axis=1) >= 2).mean())
            off.append((distances.min(axis=1) > 5.1).mean())
        name = method if method in {"ancestral", "boost-skip"} else f"{method} ({strength:g})"
        cells.append(f"{name} {100 * np.mean(fractions):.0f} %, {100 * np.mean(off):.1f} %")
    return "rows in the two rare modes (10 % of the data), and off all modes (0.2 % of the data): " + "; ".join(cells)


def diverse_outliers():
    """Seeds 0 to 4: digits, of which 8 and 9 are unknown; a pool of 1,200 mixtures of rows, 150 of which train."""
    X, y = load_digits(return_X_y=True)
    values = {"random": [], "diverse": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        train = (y < 8) & (random.random(len(y)) < 0.6)
        rows, labels = X[train] / 16, y[train]
        pool = np.vstack(
            [
                random.permuted(rows, axis=0),
                0.5 * (rows[random.permutation(len(rows))] + rows[random.permutation(len(rows))]),
            ]
        )
        both, targets = np.vstack([rows, pool]), np.concatenate([labels, np.full(len(pool), -1)])
        chosen = random.permutation(len(pool))[:150]
        picked = sampling.DiverseOutlierSampler(n_outliers=150, random_state=seed).fit_resample(both, targets)
        given = {
            "random": (np.vstack([rows, pool[chosen]]), np.concatenate([labels, np.full(150, -1)])),
            "diverse": picked,
        }
        for name, (a, b) in given.items():
            model = sampling.OutlierExposureClassifier(LogisticRegression(max_iter=2000)).fit(a, b)
            scores = model.score_samples(X[~train] / 16)
            values[name].append(100 * metrics.fpr_at_tpr_score(np.where(y[~train] < 8, 1, -1), scores))
    return "false positives at 95 % of the unknown digits: " + ", ".join(
        f"{name} outliers {np.mean(found):.1f} %" for name, found in values.items()
    )


def outlier_exposure():
    """Seeds 0 to 4: digits, of which 8 and 9 are unknown; shuffled and mixed rows are the outliers."""
    X, y = load_digits(return_X_y=True)
    plain, exposed = [], []
    for seed in range(5):
        random = np.random.default_rng(seed)
        train = (y < 8) & (random.random(len(y)) < 0.6)
        rows = X[train] / 16
        outliers = np.vstack(
            [
                random.permuted(rows, axis=0),
                0.5 * (rows[random.permutation(len(rows))] + rows[random.permutation(len(rows))]),
            ]
        )
        both, labels = np.vstack([rows, outliers]), np.concatenate([y[train], np.full(len(outliers), -1)])
        for values, weight in ((plain, 0.0), (exposed, 0.5)):
            model = sampling.OutlierExposureClassifier(LogisticRegression(max_iter=2000), weight=weight).fit(
                both, labels
            )
            values.append(auc(np.where(y[~train] < 8, 1, -1), model.score_samples(X[~train] / 16)))
    return f"AUC of unknown digits {np.mean(plain):.1f} without, {np.mean(exposed):.1f} with exposure of a linear model"


def compression():
    """Seeds 0 to 4: traces of one grammar; noise, and another regular grammar."""
    noise, regular = [], []
    for seed in range(5):
        random = np.random.default_rng(seed)
        traces = [list("abcd" * random.integers(4, 9)) for _ in range(60)]
        model = events.CompressionDetector(criterion="progress").fit(traces[:40])
        drawn = [list(random.choice(list("abcd"), 24)) for _ in range(20)]
        known, drawn, new = (
            np.mean(model.score_samples(given)) for given in (traces[40:], drawn, [list("adcb" * 6)] * 20)
        )
        noise.append(known - drawn)
        regular.append(known - new)
    return f"progress of compression above that of known traces: noise {np.mean(noise):.2f}, a new regularity {np.mean(regular):.2f} (units of the score)"


def class_imbalance():
    """Seeds 0 to 19: 400 training rows with 2 to 90 % of the rare class, which is wider, narrower or mislabelled."""
    fractions, cells = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9), []
    for name, rarity, n_columns, width, flips in (
        ("equal classes", 0.01, 20, 1.0, 0.0),
        ("rarer in the test", 0.001, 20, 1.0, 0.0),
        ("100 columns", 0.01, 100, 1.0, 0.0),
        ("narrow rare class", 0.01, 20, 0.2, 0.0),
        ("wide rare class", 0.01, 20, 4.0, 0.0),
        ("30 % of the rare labels wrong", 0.01, 20, 1.0, 0.3),
    ):
        values, shift = np.zeros(len(fractions)), np.full(n_columns, 2.0 / np.sqrt(n_columns))
        for seed in range(20):
            random = np.random.default_rng(seed)

            def rows(rare, random=random, n_columns=n_columns, width=width, shift=shift):
                spread = np.where(rare, width, 1.0)[:, None]
                return spread * random.normal(size=(len(rare), n_columns)) + shift * rare[:, None]

            for place, fraction in enumerate(fractions):
                rare, test = np.arange(400) < round(400 * fraction), np.arange(4000) < max(8, round(4000 * rarity))
                labelled = rare & ~(random.random(400) < flips)
                model = LogisticRegression(max_iter=500).fit(rows(rare), labelled)
                values[place] += auc(np.where(test, -1, 1), -model.decision_function(rows(test))) / 20
        half = values[fractions.index(0.5)]
        cells.append(
            f"{name} {100 * fractions[values.argmax()]:.0f} % (AUC {values.max():.1f}, and {half:.1f} at 50 %)"
        )
    return "best training fraction of the rare class: " + "; ".join(cells)


def feature_tests():
    """Seeds 0 to 9: three of 20 columns are shifted in each anomaly."""
    false, found = [], []
    for seed in range(10):
        random = np.random.default_rng(seed)
        rows, anomalies = random.normal(size=(400, 20)), random.normal(size=(10, 20))
        anomalies[:, :3] += 5
        model = detectors.GaussianDetector().fit(rows)
        selected = inspection.discover_features(
            model, anomalies, background=rows, alpha=0.1, random_state=seed
        ).selected
        false.append((selected[:, 3:].sum(axis=1) / np.maximum(selected.sum(axis=1), 1)).mean())
        found.append(selected[:, :3].mean())
    return f"false discovery rate {100 * np.mean(false):.1f} % at the nominal 10 %, {100 * np.mean(found):.0f} % of the shifted columns found"


def aligned_columns():
    """Seeds 0 to 9: two factors in six columns, which another site shifts and stretches; anomalies break dependence."""
    areas = {}
    for seed in range(10):
        random = np.random.default_rng(seed)
        loadings = random.normal(size=(2, 6))
        draw = lambda n: random.normal(size=(n, 2)) @ loadings + 0.2 * random.normal(size=(n, 6))  # noqa: B023, E731
        train, X, y = draw(600), draw(600), np.arange(600) >= 570
        X[y] = np.column_stack([random.permutation(column) for column in X[y].T])
        gains, offsets = random.normal(size=(2, 6))
        for size in (0.0, 0.3, 1.0):
            shifted = X * np.exp(size * gains) + 3 * size * offsets
            for mix in (0.0, 0.5, 1.0):
                model = detectors.ShiftAlignedDetector(mix=mix).fit(train).adapt(shifted)
                areas.setdefault(size, {}).setdefault(mix, []).append(roc_auc_score(y, -model.score_samples(shifted)))
    return "area of broken dependence as it is, half and wholly aligned: " + "; ".join(
        f"shift {size:g}: " + ", ".join(f"{np.mean(values):.3f}" for values in row.values())
        for size, row in areas.items()
    )


def domain_filter():
    """Seeds 0 to 4: half of the pool lies 3 standard deviations outside the training domain."""
    everything, areas = [], []
    for seed in range(5):
        random = np.random.default_rng(seed)
        f = lambda X: np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2]  # noqa: E731
        X = random.normal(size=(1000, 5))
        pool = random.normal(size=(1000, 5))
        pool[500:, 0] += 3
        model = ExtraTreesRegressor(random_state=seed).fit(X, f(X))
        test = audit.DomainClassifierTest(random_state=seed).fit_samples(X, pool)
        inside = np.argsort(test.score_samples(pool))[::-1]
        errors = np.abs(model.predict(pool) - f(pool))
        everything.append(errors.mean())
        areas.append([errors[inside[: int(1000 * part)]].mean() for part in (0.75, 0.5, 0.25)])
    a, b, c = np.mean(areas, axis=0)
    return f"error of a forest on the whole pool {np.mean(everything):.3f}; on the 75, 50 and 25 % most like the training rows {a:.3f}, {b:.3f}, {c:.3f}"


def novelty():
    """Seed 0: visits of one place, and a stream with a rare region of 5 % (seeds 0 to 4)."""
    random = np.random.default_rng(0)
    model = sampling.RandomDistillationNovelty(random_state=0).partial_fit(random.normal(size=(200, 2)))
    place, values = np.array([[3.0, -3.0]]), []
    for n_visits in (0, 1, 10, 100):
        for _ in range(n_visits - (values[-1][0] if values else 0)):
            model.partial_fit(place)
        values.append((n_visits, -model.score_samples(place)[0]))
    errors = {"uniform": [], "mixed": [], "novelty": []}
    for seed in range(5):
        draw = np.random.default_rng(seed)
        X = draw.normal(size=(2000, 2)) + 4 * (draw.random(2000) < 0.05)[:, None]
        y = np.sin(X).sum(axis=1)
        fresh = draw.normal(size=(500, 2)) + 4
        features = lambda Z: np.column_stack([Z, np.sin(Z), np.cos(Z)])  # noqa: E731
        for weight, found in errors.items():
            learner = sampling.NoveltyReplay(SGDRegressor(eta0=0.002, random_state=0), weight=weight, random_state=seed)
            found.append(
                np.mean((learner.fit(features(X), y).predict(features(fresh)) - np.sin(fresh).sum(axis=1)) ** 2)
            )
    falls = ", ".join(f"{value:.3f} after {visits}" for visits, value in values)
    return f"novelty of a place by visits: {falls}; error in the rare region with replay " + ", ".join(
        f"{w} {np.mean(v):.3f}" for w, v in errors.items()
    )


def explanation_seeds():
    """Seeds 0 to 4: LIME on an isolation forest, breast cancer."""
    X, _ = load_breast_cancer(return_X_y=True)
    model = IsolationForest(random_state=0).fit(X)

    def explain(rows, **settings):
        return inspection.LimeExplainer(background=X, **settings).explain(model, rows).contributions

    found = inspection.explanation_sensitivity(
        explain, X[:5], {"n_samples": [100, 500, 2000]}, n_seeds=4, random_state=0
    )
    return "rank correlation of two runs that differ in the seed: " + ", ".join(
        f"{n} samples {found.similarity[i, i]:.2f}" for i, n in enumerate((100, 500, 2000))
    )


def imbalanced_regression():
    """Seed 0: three made and five real tables (the most skewed column of ADBench tables is the target)."""
    from scipy.stats import skew

    def made(kind):
        random = np.random.RandomState(0)
        X = random.normal(size=(2, 2000, 5))
        y = {
            "exp": np.exp(1.6 * (X[..., 0] + 0.5 * X[..., 1])),
            "burst": np.exp(1.2 * X[..., 0]) * (X[..., 1] > 1.2),
            "bump": 10 * np.exp(-((X[..., :2] - 1.5) ** 2).sum(axis=-1) / 0.2) + 0.3 * X[..., 2],
        }[kind]
        y = y + 0.2 * random.normal(size=y.shape)
        return X[0], y[0], X[1], y[1]

    def real(name):
        with np.load(DATA / "tables" / f"{name}.npz") as file:
            X = file["X"].astype(float)
        X = X[np.random.RandomState(0).permutation(len(X))[:3000]]
        column = int(np.argmax([abs(skew(c)) if len(np.unique(c)) > 100 else -1 for c in X.T]))
        y, X = X[:, column] * np.sign(skew(X[:, column])), np.delete(X, column, axis=1)
        half = len(y) // 2
        return X[:half], y[:half], X[half:], y[half:]

    cells = []
    for name in ("exp", "burst", "bump", "PageBlocks", "annthyroid", "cardio", "mammography", "satellite"):
        X, y, Z, t = made(name) if name in {"exp", "burst", "bump"} else real(name)
        rare = np.argsort(-np.abs(t - np.median(y)))[: len(t) // 20]
        errors = []
        for model in (
            robust.ImbalancedRegressor(exponent=0.85, max_iter=100, random_state=0),
            robust.ImbalancedRegressor(max_iter=100, random_state=0),
            robust.ImbalancedRegressor(exponent=100.0, correlation_weight=0.0, max_iter=100, random_state=0),
            HistGradientBoostingRegressor(random_state=0),
        ):
            predicted = model.fit(X, y).predict(Z)
            error = np.abs(predicted - t) / y.std()
            errors.append((error.mean(), error[rare].mean(), np.corrcoef(predicted, t)[0, 1]))
        cells.append(errors)
        row(name, *(f"{e:.2f}, {r:.2f}, {c:.2f}" for e, r, c in errors))
    means = np.mean(cells, axis=0)
    names = ("paper's exponent", "tuned (default)", "equal weights, squared error", "gradient boosting")
    return (
        "mean absolute error of all and of the rarest 5 % in standard deviations, and correlation, over eight tables: "
        + "; ".join(f"{n} {e:.2f}, {r:.2f}, {c:.2f}" for n, (e, r, c) in zip(names, means, strict=True))
    )


def series_weights():
    """Seeds 0 to 4: a sine with noise, 30 % of the values 0; forecasts of clean values."""
    errors = {"least squares": [], "absolute loss": [], "absolute loss and weights": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        x = np.sin(np.arange(1000) / 8) + 0.02 * random.normal(size=1000)
        seen = np.where(random.random(1000) < 0.3, 0.0, x)
        a, b = (np.lib.stride_tricks.sliding_window_view(given, 17) for given in (seen, x))
        weights = robust.robust_series_weights(seen) > 0
        absolute = lambda: QuantileRegressor(alpha=0, solver="highs")  # noqa: E731
        for name, model, chosen in (
            ("least squares", LinearRegression(), slice(None)),
            ("absolute loss", absolute(), slice(None)),
            ("absolute loss and weights", absolute(), weights),
        ):
            errors[name].append(np.abs(model.fit(a[chosen, :-1], a[chosen, -1]).predict(b[:, :-1]) - b[:, -1]).mean())
    return "mean absolute error: " + ", ".join(f"{name} {np.mean(found):.3f}" for name, found in errors.items())


def adaptive_holdout():
    """Seeds 0 to 6: pure noise, n = 500 and 3,000 rows and as many columns, an adaptive selection of a quarter of them."""
    cells = []
    for n, n_seeds in ((500, 7), (3000, 3)):
        naive, reported = [], []
        for seed in range(n_seeds):
            random = np.random.default_rng(seed)
            y, X = random.choice([-1.0, 1.0], size=(2, n)), random.normal(size=(2, n, n))
            train, held = (np.einsum("ij,i->j", X[part], y[part]) / n for part in (0, 1))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                holdout = model_selection.ReusableHoldout.for_holdout(n, random_state=seed)

            def best(answers, X=X, y=y, train=train, n=n):
                agree = np.flatnonzero(np.sign(train) == np.sign(answers))
                chosen = agree[np.argsort(-np.abs(answers[agree]))[: n // 4]]
                return [(np.sign(X[part][:, chosen] @ np.sign(train[chosen])) == y[part]).mean() for part in (0, 1)]

            naive.append(best(held)[1])
            answers = 2 * holdout.query_many((1 + np.clip(train, -1, 1)) / 2, (1 + np.clip(held, -1, 1)) / 2) - 1
            reported.append(holdout.query(*best(answers)))
        cells.append(f"{n:,} rows: plain holdout {np.median(naive):.2f}, reusable {np.median(reported):.2f}")
    return "accuracy reported for pure noise (truth 0.50), " + "; ".join(cells)
