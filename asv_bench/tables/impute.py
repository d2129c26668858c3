"""Compare the time and quality of imputation with scikit-learn's KNNImputer, and of the choice of k with refitting.

    python asv_bench/tables/impute.py [--as-installed]

The imputers take turns in one process, and the figure is the minimum over the repeats: processor time of one thread, or
wall time of all sides as installed. The first table also shows the quality of the imputed values: the
root mean squared error, the standard deviation relative to that of the true values, and the energy distance between
1,000 imputed and true rows, relative to that of KNNImputer.
"""

import argparse

import _clock
import numpy as np
from scipy.spatial.distance import cdist
from sklearn.impute import KNNImputer
from sklearn.neighbors import KNeighborsRegressor
from threadpoolctl import threadpool_limits

from skanomaly.impute import KNNSamplerImputer, LeaveOneOutNeighbors


def _with_missing(n_rows, n_columns, rate):
    random = np.random.default_rng(0)
    table = random.normal(size=(n_rows, n_columns)) @ random.normal(size=(n_columns, n_columns))
    incomplete = table.copy()
    incomplete[random.random(table.shape) < rate] = np.nan
    return table, incomplete


def _seconds(function, *arguments):
    start = _clock.now()
    result = function(*arguments)
    return _clock.now() - start, result


def _energy_distance(first, second):
    return 2 * cdist(first, second).mean() - cdist(first, first).mean() - cdist(second, second).mean()


def _imputers():
    n_jobs = _clock.n_jobs
    return {
        "KNNImputer(5)": KNNImputer(n_neighbors=5),
        "skanomaly, mean of 5": KNNSamplerImputer(n_neighbors=5, strategy="mean", scale=False, n_jobs=n_jobs),
        "skanomaly, draw from 5": KNNSamplerImputer(n_neighbors=5, random_state=0, n_jobs=n_jobs),
        "skanomaly, draw, k chosen": KNNSamplerImputer(random_state=0, n_jobs=n_jobs),
    }


def _table_of_imputers(n_rows, repeats):
    print(f"Imputation of {n_rows:,} rows and 20 columns by fraction of missing values: time and quality.\n")
    print("| missing | imputer | s | times faster | largest difference | RMSE / SD | SD / SD | energy distance |")
    print("|---|---|---|---|---|---|---|---|")
    for rate in (0.05, 0.2):
        table, incomplete = _with_missing(n_rows, 20, rate)
        lost = np.isnan(incomplete)
        rows = np.flatnonzero(lost.any(axis=1))[:1000]
        imputers = _imputers()
        times, filled = {name: [] for name in imputers}, {}
        for imputer in imputers.values():
            imputer.fit_transform(incomplete[:200])
        for _ in range(repeats):
            for name, imputer in imputers.items():
                elapsed, filled[name] = _seconds(imputer.fit_transform, incomplete)
                times[name].append(elapsed)
        unit = table.std(axis=0)
        apart = {name: _energy_distance(full[rows] / unit, table[rows] / unit) for name, full in filled.items()}
        peer = min(times["KNNImputer(5)"])
        for name, full in filled.items():
            scaled, truth = (full / unit)[lost], (table / unit)[lost]
            difference = f"{np.abs(full - filled['KNNImputer(5)']).max():.1e}" if "mean" in name else "-"
            error, spread = np.sqrt(np.mean((scaled - truth) ** 2)), scaled.std() / truth.std()
            print(
                f"| {rate:.0%} | {name} | {min(times[name]):.2f} | {peer / min(times[name]):.1f} | {difference} "
                f"| {error:.2f} | {spread:.2f} | {apart[name] / apart['KNNImputer(5)']:.2f} |",
                flush=True,
            )


def _refitted_choice(x, y, largest):
    """Choose k as the method's authors do: the shortcut by k + 1 neighbours, a new search for every k."""
    losses = []
    for size in range(1, largest + 1):
        mean = KNeighborsRegressor(n_neighbors=size + 1).fit(x, y).predict(x)
        losses.append(np.mean((y - mean) ** 2) * ((size + 1) / size) ** 2)
    return 1 + int(np.argmin(losses))


def _table_of_choices():
    print("\nChoice of k by one search, and by a new search for every k.\n")
    print("| n | columns | refitted, s | skanomaly (all columns), s | times faster | k refitted | k skanomaly |")
    print("|---|---|---|---|---|---|---|")
    for n_rows, n_columns in ((2000, 1), (5000, 1), (5000, 5)):
        random = np.random.default_rng(0)
        x = random.normal(size=(n_rows, n_columns))
        y = np.sin(2 * x).sum(axis=1) + random.normal(size=n_rows)
        largest = int(np.sqrt(n_rows)) - 1
        imputer = KNNSamplerImputer(n_neighbors=LeaveOneOutNeighbors(loss="mse", max_neighbors=largest), scale=False)
        imputer.fit(np.column_stack([x, y])[:300])
        peer, chosen = _seconds(_refitted_choice, x, y, largest)
        ours, _ = _seconds(imputer.fit, np.column_stack([x, y]))
        print(
            f"| {n_rows} | {n_columns} | {peer:.2f} | {ours:.2f} | {peer / ours:.1f} | {chosen} "
            f"| {imputer.n_neighbors_[-1]} |",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=2)
    arguments = parser.parse_args()
    with threadpool_limits(_clock.n_jobs):
        _table_of_imputers(arguments.rows, arguments.repeats)
        _table_of_choices()


if __name__ == "__main__":
    main()
