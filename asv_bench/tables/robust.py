# ruff: noqa: FBT003  # kernels take no keywords
"""Measure the time of a training epoch, the cost of the mask, and the error by fraction of outliers.

    python asv_bench/tables/robust.py

Times are CPU times of one thread, the minimum over interleaved repeats.
"""

import os
import time
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from _markdown import head, row
from sklearn.linear_model import HuberRegressor, LinearRegression, RANSACRegressor, SGDRegressor, TheilSenRegressor
from sklearn.neural_network import MLPRegressor

from skanomaly import _kernels
from skanomaly.robust import ZErrorMask, ZErrorRegressor

N_ROWS, N_COLUMNS = 5000, 20


def table(fraction, seed):
    random = np.random.default_rng(seed)
    X, coef = random.normal(size=(N_ROWS, N_COLUMNS)), random.normal(size=N_COLUMNS)
    y = X @ coef + random.normal(size=N_ROWS)
    wrong = random.random(N_ROWS) < fraction
    return X, y + 20 * wrong, coef


def interleaved(calls, repeats):
    """Return the minimum CPU time of each call; the calls take turns, so that other load affects all equally."""
    best = dict.fromkeys(calls, np.inf)
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.process_time()
            call()
            best[name] = min(best[name], time.process_time() - start)
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
    head(f"one epoch of {N_ROWS:,} rows, {N_COLUMNS} columns, batches of 256", "CPU microseconds", "ratio")
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


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    epochs()
    errors_by_fraction(3)
