# ruff: noqa: FBT003  # kernels take no keywords
"""Measure the time of a training epoch, the cost of the mask, and the error by fraction of outliers.

    python asv_bench/tables/robust.py [--as-installed]
    python asv_bench/tables/robust.py masks [n_splits]   # what MaskedEstimator masks of clean and of noisy labels
    python asv_bench/tables/robust.py overlap [n_splits [first_split classifier ...]]   # of overlapping classes
    python asv_bench/tables/robust.py targets [n_splits]   # what it masks of clean targets of regressions
    python asv_bench/tables/robust.py clean [n_seeds [regressor ...]]   # of generated clean targets far from normal
    python asv_bench/tables/robust.py planted [n_seeds [regressor ...]]   # of wrong targets that are planted
    python asv_bench/tables/robust.py reference [n_splits]   # the mask with and without the reference, on other tables

Times are CPU times of one thread, or wall times as installed, the minimum over interleaved repeats. Masks are means
over public tables of at most 1,000 rows and over splits: 60 % of the rows train, the others, with their own labels,
test.
"""

import os
import sys
import time
import warnings
from pathlib import Path

import _clean_targets
import _clock
import numpy as np
from _markdown import head, row
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import (
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    RANSACRegressor,
    Ridge,
    SGDRegressor,
    TheilSenRegressor,
)
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skanomaly import _kernels
from skanomaly.robust import MaskedEstimator, ZErrorClassifier, ZErrorMask, ZErrorRegressor

DATA = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data")) / "tables"
N_ROWS, N_COLUMNS = 5000, 20


def table(fraction, seed):
    random = np.random.default_rng(seed)
    X, coef = random.normal(size=(N_ROWS, N_COLUMNS)), random.normal(size=N_COLUMNS)
    y = X @ coef + random.normal(size=N_ROWS)
    wrong = random.random(N_ROWS) < fraction
    return X, y + 20 * wrong, coef


def interleaved(calls, repeats):
    """Return the minimum time of each call; the calls take turns, so that other load affects all equally."""
    best = dict.fromkeys(calls, np.inf)
    for _ in range(repeats):
        for name, call in calls.items():
            start = _clock.now()
            call()
            best[name] = min(best[name], _clock.now() - start)
    return best


def kernel_epoch(X, y, masking, robust):
    random = np.random.default_rng(0)
    state = np.zeros((3, X.shape[1] + 1))
    bounds = np.linspace(0, len(y), -(-len(y) // 256) + 1).astype(np.intp)
    masked, pooled = np.zeros(len(y), dtype=np.int64), np.zeros((1, 3))

    def run():
        order = random.permutation(len(y))
        _kernels.masked_gradient.masked_adam_epoch(
            *(X, y, None, order, bounds, *state, 0, 0.05, 1e-4, 0),
            *(masking, 0, 3.0, 0, robust, 0.5, 6, 0.0, False, pooled, masked),
        )

    for _ in range(40):  # compile, and train until the errors are as small as usual
        run()
    return run


def epochs():
    X, y, _ = table(0.1, 0)
    sgd, ours = SGDRegressor(random_state=0).partial_fit(X, y), ZErrorRegressor(batch_size=256, random_state=0)
    ours.fit(X, y)

    def fit(model, n_epochs):
        return lambda: model(n_epochs).fit(X, y)

    def zerror(n_epochs):
        return ZErrorRegressor(batch_size=256, max_iter=n_epochs, random_state=0)

    def stochastic(n_epochs):
        return SGDRegressor(max_iter=n_epochs, tol=None, random_state=0)

    times = interleaved(
        {
            "unmasked": kernel_epoch(X, y, False, False),
            "mean_std": kernel_epoch(X, y, True, False),
            "median_mad": kernel_epoch(X, y, True, True),
            "sgd": lambda: sgd.partial_fit(X, y),
            "ours 10": fit(zerror, 10),
            "ours 110": fit(zerror, 110),
            "sgd 10": fit(stochastic, 10),
            "sgd 110": fit(stochastic, 110),
        },
        60,
    )
    ours_epoch = (times["ours 110"] - times["ours 10"]) / 100
    sgd_epoch = (times["sgd 110"] - times["sgd 10"]) / 100
    print("Time of one training epoch; the mask is on with mean_std and median_mad.")
    head(f"one epoch of {N_ROWS:,} rows, {N_COLUMNS} columns, batches of 256", f"{_clock.kind} microseconds", "ratio")
    row("SGDRegressor.fit, per epoch", f"{sgd_epoch * 1e6:.0f}", "1")
    row("SGDRegressor.partial_fit", f"{times['sgd'] * 1e6:.0f}", f"{times['sgd'] / sgd_epoch:.2f}")
    row("ZErrorRegressor.fit, per epoch", f"{ours_epoch * 1e6:.0f}", f"{ours_epoch / sgd_epoch:.2f}")
    for name in ("unmasked", "mean_std", "median_mad"):
        ratio = f"{times[name] / times['unmasked']:.2f} of the unmasked kernel"
        row(f"kernel and shuffle, {name}", f"{times[name] * 1e6:.0f}", ratio)


def errors_by_fraction(n_seeds):
    models = {
        "ZError": lambda: ZErrorRegressor(random_state=0),
        "ZError mean_std": lambda: ZErrorRegressor(
            masking=ZErrorMask(center_scale="mean_std", threshold=2.0), random_state=0
        ),
        "least squares": LinearRegression,
        "Huber": lambda: HuberRegressor(max_iter=1000),
        "RANSAC": lambda: RANSACRegressor(random_state=0),
        "Theil-Sen": lambda: TheilSenRegressor(random_state=0),
        "MLP": lambda: MLPRegressor(max_iter=40, random_state=0),
    }
    steps = (0.0, 0.05, 0.10, 0.15, 0.25, 0.35)
    print(f"\nRoot mean squared error by fraction of outliers, in standard deviations of the noise, {n_seeds} seeds.")
    head("model", *(f"{fraction:.0%}" for fraction in steps), "CPU s per fit")
    for name, make in models.items():
        cells, seconds = [], 0.0
        for fraction in steps:
            errors = []
            for seed in range(n_seeds):
                X, y, coef = table(fraction, seed)
                fresh = np.random.default_rng(seed + 99).normal(size=(2000, N_COLUMNS))
                start = time.process_time()
                model = make().fit(X, y)
                seconds += time.process_time() - start
                errors.append(np.sqrt(np.mean((model.predict(fresh) - fresh @ coef) ** 2)))
            cells.append(np.mean(errors))
        row(name, *(f"{cell:.3f}" for cell in cells), f"{seconds / n_seeds / len(steps):.3f}")


CLASSIFIERS = {
    "HistGradientBoosting": HistGradientBoostingClassifier(max_iter=30, random_state=0),
    "RandomForest": RandomForestClassifier(50, random_state=0),
    "GaussianNB": GaussianNB(),
    "KNeighbors": make_pipeline(StandardScaler(), KNeighborsClassifier()),
    "SVC": make_pipeline(StandardScaler(), SVC()),
    "LogisticRegression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
    "ZErrorClassifier": None,
}
REGRESSORS = {
    "HistGradientBoosting": HistGradientBoostingRegressor(max_iter=30, random_state=0),
    "RandomForest": RandomForestRegressor(30, random_state=0),
    "KNeighbors": make_pipeline(StandardScaler(), KNeighborsRegressor()),
    "Ridge": Ridge(),
    "ZErrorRegressor": None,
}
SEPARATED = ("breast cancer", "wine", "digits", "Cardiotocography", "PageBlocks", "vowels")
OVERLAPPING = ("Ionosphere", "Pima")
FURTHER = ("breastw", "iris", "landsat", "satellite")


def classes(name):
    embedded = {"breast cancer": load_breast_cancer, "wine": load_wine, "digits": load_digits, "iris": load_iris}
    if name in embedded:
        X, y = embedded[name](return_X_y=True)
    else:
        with np.load(DATA / f"{name}.npz") as file:
            X, y = file["X"].astype(float), file["y"].astype(int)
    if y.size > 1000:
        X, _, y, _ = train_test_split(X, y, train_size=1000, stratify=y, random_state=0)
    return X, y


def flipped(y, fraction, seed):
    random = np.random.default_rng(seed)
    n_classes, wrong = y.max() + 1, random.random(y.size) < fraction
    return np.where(wrong, (y + random.integers(1, n_classes, size=y.size)) % n_classes, y), wrong


def masked(estimator, X, y, seed, reference="auto", regressor=False):
    """Fit with and without a mask; return both, and which rows are masked."""
    if estimator is None:
        make = ZErrorRegressor if regressor else ZErrorClassifier
        plain = make(masking=ZErrorMask(threshold=np.inf), random_state=seed).fit(X, y)
        model = make(random_state=seed).fit(X, y)
    else:
        plain = clone(estimator).fit(X, y)
        model = MaskedEstimator(estimator, reference=reference, random_state=seed).fit(X, y)
    return plain, model, ~model.inlier_mask_


def label_masks(names, n_splits):
    print(f"\nMasked rows and accuracy (%) by classifier: {', '.join(names)}, {n_splits} splits.")
    steps = (0.05, 0.10, 0.20)
    found = [f"found, precision, accuracy gained at {step:.0%}" for step in steps]
    head("classifier", "masked of clean labels", "largest of a table", "accuracy", "change by the mask", *found)
    for classifier, estimator in CLASSIFIERS.items():
        clean, noisy = {name: [] for name in names}, {step: [] for step in steps}
        for name in names:
            X, y = classes(name)
            for seed in range(n_splits):
                train, test = train_test_split(np.arange(y.size), stratify=y, test_size=0.4, random_state=seed)
                for step in (0.0, *steps):
                    given, wrong = flipped(y[train], step, seed)
                    plain, model, dropped = masked(estimator, X[train], given, seed)
                    before, after = plain.score(X[test], y[test]), model.score(X[test], y[test])
                    if step == 0:
                        clean[name].append((dropped.mean(), before, after - before))
                    else:
                        hits = (dropped & wrong).sum()
                        noisy[step].append((hits / wrong.sum(), hits / max(dropped.sum(), 1), after - before))
        means = 100 * np.array([np.mean(values, axis=0) for values in clean.values()])
        most = list(clean)[means[:, 0].argmax()]
        masks, accuracy, change = means.mean(axis=0)
        cells = [100 * np.mean(noisy[step], axis=0) for step in steps]
        row(
            classifier,
            f"{masks:.1f}",
            f"{means[:, 0].max():.1f} ({most})",
            f"{accuracy:.1f}",
            f"{change:+.1f}",
            *(f"{hit:.0f}, {precision:.0f}, {gain:+.1f}" for hit, precision, gain in cells),
        )


def overlap(n_splits, first=10, *classifiers):
    names = (*OVERLAPPING, "fault")
    print(f"Masked rows of clean labels, change of accuracy and its standard error (%), {n_splits} splits.")
    head("classifier", *names)
    for classifier in classifiers or ("GaussianNB", "KNeighbors", "SVC", "LogisticRegression"):
        cells = []
        for name in names:
            X, y = classes(name)
            found = []
            for seed in range(int(first), int(first) + n_splits):
                train, test = train_test_split(np.arange(y.size), stratify=y, test_size=0.4, random_state=seed)
                plain, model, dropped = masked(CLASSIFIERS[classifier], X[train], y[train], seed)
                found.append((dropped.mean(), model.score(X[test], y[test]) - plain.score(X[test], y[test])))
            share, change = 100 * np.mean(found, axis=0)
            error = 100 * np.std(found, axis=0)[1] / np.sqrt(n_splits)
            cells.append(f"{share:.1f}, {change:+.1f} ({error:.1f})")
        row(classifier, *cells)


def references(names, n_splits):
    print(f"Masked rows (%) with and without the reference: {', '.join(names)}, {n_splits} splits.")
    columns = ("masked of clean labels", "largest of a table", "change by the mask", "at 10%: found, precision, gain")
    head("classifier", "reference", *columns)
    for classifier in ("GaussianNB", "KNeighbors", "SVC", "LogisticRegression"):
        for reference in ("auto", None):
            clean, noisy = {name: [] for name in names}, []
            for name in names:
                X, y = classes(name)
                for seed in range(n_splits):
                    train, test = train_test_split(np.arange(y.size), stratify=y, test_size=0.4, random_state=seed)
                    for step in (0.0, 0.10):
                        given, wrong = flipped(y[train], step, seed)
                        plain, model, dropped = masked(CLASSIFIERS[classifier], X[train], given, seed, reference)
                        change = model.score(X[test], y[test]) - plain.score(X[test], y[test])
                        if step == 0:
                            clean[name].append((dropped.mean(), change))
                        else:
                            hits = (dropped & wrong).sum()
                            noisy.append((hits / wrong.sum(), hits / max(dropped.sum(), 1), change))
            means = 100 * np.array([np.mean(values, axis=0) for values in clean.values()])
            most = list(clean)[means[:, 0].argmax()]
            share, change = means.mean(axis=0)
            found, precision, gain = 100 * np.mean(noisy, axis=0)
            cells = (f"{share:.1f}", f"{means[:, 0].max():.1f} ({most})", f"{change:+.1f}")
            row(classifier, str(reference), *cells, f"{found:.0f}, {precision:.0f}, {gain:+.1f}")


def regressions():
    iris, wine, cancer = (load(return_X_y=True)[0] for load in (load_iris, load_wine, load_breast_cancer))
    cancer, pima = cancer[:, :10], classes("Pima")[0]
    return {
        "diabetes": load_diabetes(return_X_y=True),
        "petal width": (iris[:, :3], iris[:, 3]),
        "proline": (wine[:, :12], wine[:, 12]),
        "texture": (np.delete(cancer, 1, axis=1), cancer[:, 1]),
        "log area": (np.delete(cancer, [0, 2, 3], axis=1), np.log(cancer[:, 3])),
        "glucose": (np.delete(pima, 1, axis=1), pima[:, 1]),
    }


def target_masks(n_splits):
    tables = regressions()
    print(f"\nMasked rows (%) and change of R squared by regressor, {n_splits} splits.")
    head("regressor", *tables)
    for regressor, estimator in REGRESSORS.items():
        row(regressor, *(target_mask(estimator, X, y, n_splits) for X, y in tables.values()))


def target_mask(estimator, X, y, n_splits):
    cells = []
    for seed in range(n_splits):
        train, test = train_test_split(np.arange(y.size), test_size=0.4, random_state=seed)
        plain, model, dropped = masked(estimator, X[train], y[train], seed, regressor=True)
        cells.append((100 * dropped.mean(), model.score(X[test], y[test]) - plain.score(X[test], y[test])))
    share, change = np.mean(cells, axis=0)
    return f"{share:.1f}, {change:+.2f}"


def masked_share(regressor, X, y, seed):
    """Return which rows are masked."""
    model = ZErrorRegressor() if REGRESSORS[regressor] is None else MaskedEstimator(REGRESSORS[regressor])
    return ~model.set_params(random_state=seed).fit(X, y).inlier_mask_


def clean_targets(n_seeds, *regressors):
    names = list(_clean_targets.tables(0))
    print(f"Masked rows (%) of clean targets, mean and largest of {n_seeds} tables.")
    head("regressor", *names)
    for regressor in regressors or REGRESSORS:
        found = {name: [] for name in names}
        for seed in range(n_seeds):
            for name, (X, y) in _clean_targets.tables(seed).items():
                found[name].append(100 * masked_share(regressor, X, y, seed).mean())
        row(regressor, *(f"{np.mean(values):.1f} ({max(values):.1f})" for values in found.values()))


def planted_targets(n_seeds, *regressors):
    steps = (("shift 20", 0.3), ("either side 10", 0.2), ("shift 5", 0.05), ("shift 5", 0.1), ("spread 6", 0.1))
    print(f"Wrong targets masked, and other rows masked (%), {n_seeds} linear tables of 600 rows with normal noise.")
    head("regressor", *(f"{how}, {fraction:.0%}" for how, fraction in steps))
    for regressor in regressors or REGRESSORS:
        cells = []
        for how, fraction in steps:
            found = []
            for seed in range(n_seeds):
                random = np.random.default_rng(seed)
                X = random.normal(size=(600, 5))
                y = X @ [1, -2, 0.5, 0, 0] + random.normal(size=600)
                y, wrong = _clean_targets.planted(y, how, fraction, seed + 1000)
                dropped = masked_share(regressor, X, y, seed)
                found.append((dropped[wrong].mean(), dropped[~wrong].mean()))
            hit, other = 100 * np.mean(found, axis=0)
            cells.append(f"{hit:.0f}, {other:.1f}")
        row(regressor, *cells)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["masks"]:
        splits = int(sys.argv[2]) if len(sys.argv) > 2 else 3
        label_masks(SEPARATED, splits)
        label_masks(OVERLAPPING, splits)
    elif sys.argv[1:2] == ["overlap"]:
        overlap(int(sys.argv[2]) if len(sys.argv) > 2 else 12, *sys.argv[3:])
    elif sys.argv[1:2] == ["targets"]:
        target_masks(int(sys.argv[2]) if len(sys.argv) > 2 else 3)
    elif sys.argv[1:2] in (["clean"], ["planted"]):
        measure = clean_targets if sys.argv[1] == "clean" else planted_targets
        measure(int(sys.argv[2]) if len(sys.argv) > 2 else 3, *sys.argv[3:])
    elif sys.argv[1:2] == ["reference"]:
        references(FURTHER, int(sys.argv[2]) if len(sys.argv) > 2 else 2)
    else:
        epochs()
        if not _clock.AS_INSTALLED:
            errors_by_fraction(3)
