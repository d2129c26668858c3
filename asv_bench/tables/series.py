"""Measure VUS-PR of each series detector on public series; with an option, time and memory instead.

    python asv_bench/tables/series.py               # the two tables of VUS-PR
    python asv_bench/tables/series.py --replicate   # published scores of single series, from our loader and metric
    python asv_bench/tables/series.py --profile     # matrix profile and STUMPY; also with --as-installed
    python asv_bench/tables/series.py --neighbors   # time and memory of SubsequenceNeighbors by length
    python asv_bench/tables/series.py --times       # VUS-PR with the time stamps of NAB, and with cuts at random

The series are those of the benchmark TSB-AD that can be rebuilt from public sources: 36 with one channel (14 of NAB, 5
of MSL, 17 of SMAP) and 37 with several (14 of MSL, 23 of SMAP), found by length, first anomaly and number of anomalous
time points. Detectors are fitted without labels on the whole series, with default parameters and `random_state=0`.
VUS-PR uses the period of the first channel as its tolerance. The first line of each table is the mean of random scores.

Some defaults were chosen with the help of these series: window, normalisation and smoothing of SubsequenceNeighbors,
SubsequenceKMeans, AutoregressiveDetector, PolynomialDetector and SpectralResidualDetector on the univariate ones, and
the rule that binary channels are ignored on the multivariate ones. Their figures are therefore optimistic.
"""

import os
import subprocess
import sys
import time
import tracemalloc
import warnings
from pathlib import Path

import _clock
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from skanomaly import sequence
from skanomaly.metrics import vus_pr_score

DATA = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).parents[3] / "shared" / "data"))
NAB = (
    "realKnownCause_ec2_request_latency_system_failure",
    "realTraffic_occupancy_6005",
    "realKnownCause_nyc_taxi",
    "artificialWithAnomaly_art_load_balancer_spikes",
    "realTraffic_TravelTime_451",
    "realTraffic_speed_t4013",
    "realAdExchange_exchange-3_cpm_results",
    "realKnownCause_ambient_temperature_system_failure",
    "artificialWithAnomaly_art_increase_spike_density",
    "realKnownCause_rogue_agent_key_hold",
    "realAWSCloudwatch_ec2_cpu_utilization_5f5533",
    "realKnownCause_cpu_utilization_asg_misconfiguration",
    "realTweets_Twitter_volume_FB",
    "realTraffic_speed_6005",
)
MSL = ("C-1", "F-5", "T-12", "T-13", "P-11")
SMAP = (
    "R-1",
    "E-9",
    "P-2",
    "D-8",
    "G-6",
    "E-7",
    "G-7",
    "D-11",
    "A-3",
    "S-1",
    "G-4",
    "A-2",
    "A-5",
    "G-1",
    "E-8",
    "F-3",
    "T-3",
)
MSL_CHANNELS = ("S-2", "P-11", "F-4", "F-7", "F-5", "D-14", "P-15", "T-4", "M-7", "T-5", "P-14", "M-5", "T-9", "M-6")
SMAP_CHANNELS = (
    "P-2",
    "E-8",
    "E-11",
    "B-1",
    "E-7",
    "D-6",
    "E-5",
    "G-2",
    "G-1",
    "D-5",
    "A-5",
    "E-10",
    "E-6",
    "S-1",
    "E-9",
    "G-4",
    "A-3",
    "E-1",
    "A-6",
    "F-3",
    "T-3",
    "R-1",
    "A-1",
)


def timed_cases():
    """Yield name, series, labels and time stamps of the 14 series of NAB."""
    for name in NAB:
        with np.load(DATA / "series" / f"nab_{name}.npz") as stored:
            x, label, times = stored["x"][1:], stored["y"][1:].astype(int), stored["t"][1:]
        label[np.flatnonzero(np.diff(label, prepend=0) == 1)] = 0
        yield name, x[:, None], np.where(label > 0, -1, 1), times


def univariate_cases():
    """Yield name, series and labels of the 36 series of one channel."""
    for name, X, y, _ in timed_cases():
        yield name, X, y
    for spacecraft, channels in (("msl", MSL), ("smap", SMAP)):
        for channel in channels:
            X, y = telemetry(spacecraft, channel)
            yield f"{spacecraft} {channel}", X[:, :1], y


def multivariate_cases():
    """Yield name, series and labels of the 37 series of several channels."""
    for spacecraft, channels in (("msl", MSL_CHANNELS), ("smap", SMAP_CHANNELS)):
        for channel in channels:
            yield f"{spacecraft} {channel}", *telemetry(spacecraft, channel)


def telemetry(spacecraft, channel):
    """Return the test part of one telemetry channel."""
    with np.load(DATA / "telemetry" / f"{spacecraft}_{channel}.npz") as stored:
        return stored["test"].astype(np.float64), np.where(stored["y"] > 0, -1, 1)


def univariate_detectors():
    """Name the detectors of the univariate table."""
    return {
        "SubsequenceNeighbors": sequence.SubsequenceNeighbors(random_state=0),
        "SubsequenceNeighbors(normalize='scale')": sequence.SubsequenceNeighbors(normalize="scale", random_state=0),
        "SubsequenceNeighbors(normalize='zscore')": sequence.SubsequenceNeighbors(normalize="zscore", random_state=0),
        "SubsequenceKMeans": sequence.SubsequenceKMeans(random_state=0),
        "SubsequenceKMeans(normalize='scale')": sequence.SubsequenceKMeans(normalize="scale", random_state=0),
        "SubsequenceKMeans(normalize='zscore')": sequence.SubsequenceKMeans(normalize="zscore", random_state=0),
        "SubsequencePCA": sequence.SubsequencePCA(),
        "SubsequencePCA(statistic='both')": sequence.SubsequencePCA(statistic="both"),
        "SlidingWindowDetector(features='statistics')": sequence.SlidingWindowDetector(features="statistics", stride=4),
        "SlidingWindowDetector": sequence.SlidingWindowDetector(stride=4),
        "AutoregressiveDetector": sequence.AutoregressiveDetector(),
        "PolynomialDetector": sequence.PolynomialDetector(),
        "SpectralResidualDetector(smoothing=100)": sequence.SpectralResidualDetector(smoothing=100),
        "SpectralResidualDetector": sequence.SpectralResidualDetector(),
        "KShapeDetector": sequence.KShapeDetector(random_state=0),
        "MatrixProfileDetector": sequence.MatrixProfileDetector(),
        "TransitionGraphDetector": sequence.TransitionGraphDetector(),
        "RollingMahalanobis(window_size=100)": sequence.RollingMahalanobis(window_size=100),
        "RollingStatistic('std')": sequence.RollingStatistic(),
        "RollingStatistic('range')": sequence.RollingStatistic(statistic="range"),
        "RollingStatistic('norm')": sequence.RollingStatistic(statistic="norm"),
        "maximum z-score of neighbours, z-scored neighbours and autoregression": Largest(),
    }


def multivariate_detectors():
    """Name the detectors of the multivariate table."""
    return {
        "SubsequenceNeighbors": sequence.SubsequenceNeighbors(random_state=0),
        "SubsequenceKMeans": sequence.SubsequenceKMeans(random_state=0),
        "AutoregressiveDetector": sequence.AutoregressiveDetector(),
        "RollingMahalanobis": sequence.RollingMahalanobis(),
        "RollingMahalanobis(window_size=100)": sequence.RollingMahalanobis(window_size=100),
        "RollingStatistic('std')": sequence.RollingStatistic(),
        "RollingStatistic('mean_absolute')": sequence.RollingStatistic(statistic="mean_absolute"),
        "SubsequenceNeighbors(binary_channels='keep')": sequence.SubsequenceNeighbors(
            binary_channels="keep", random_state=0
        ),
    }


class Largest:
    """The minimum of the standardised scores of three detectors."""

    def fit(self, X):
        """Fit the three detectors."""
        self.detectors = [
            sequence.SubsequenceNeighbors(random_state=0).fit(X),
            sequence.SubsequenceNeighbors(normalize="zscore", random_state=0).fit(X),
            sequence.AutoregressiveDetector().fit(X),
        ]
        return self

    def score_samples(self, X):
        """Standardise the scores by the scored series itself and take the minimum."""
        scores = np.stack([detector.score_samples(X) for detector in self.detectors])
        spread = scores.std(axis=1, keepdims=True)
        return ((scores - scores.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)).min(axis=0)


SOURCES = {"NAB": lambda name: " " not in name, "MSL": lambda name: "msl" in name, "SMAP": lambda name: "smap" in name}


def print_scores(cases, detectors):
    """Print one row per detector: mean VUS-PR, means by source, seconds."""
    cases = [(name, X, y, sequence.find_period(X[:, 0])) for name, X, y in cases]
    print(f"Mean VUS-PR over {len(cases)} series, over all and by source.\n")
    print(f"| detector ({len(cases)} series) | mean VUS-PR | {' | '.join(SOURCES)} | process seconds |")
    print("|---|---|---|---|---|---|")
    random = np.random.default_rng(0)
    for label, detector in {"random scores": None, **detectors}.items():
        found, start = {}, time.process_time()
        for name, X, y, period in cases:
            scores = random.random(len(X)) if detector is None else detector.fit(X).score_samples(X)
            found[name] = vus_pr_score(y, scores, window_size=period)
        seconds = time.process_time() - start
        parts = [[value for name, value in found.items() if chosen(name)] for chosen in SOURCES.values()]
        columns = " | ".join(f"{np.mean(part):.3f}" if part else "" for part in parts)
        print(f"| {label} | {np.mean(list(found.values())):.3f} | {columns} | {seconds:.1f} |", flush=True)


# VUS-PR of Sub-PCA in TSB-AD's table of results, as its paper's repository stores it.
PUBLISHED = {
    "msl F-5": 0.99951653,
    "smap E-7": 0.99803777,
    "smap A-5": 0.53843779,
    "smap F-3": 0.00549857,
    "msl T-13": 0.12501307,
}


def summed_component_distances(x, window_size):
    """Score as TSB-AD's Sub-PCA does: distances to the components, each divided by its fraction of the variance."""
    windows = np.lib.stride_tricks.sliding_window_view(x, window_size)
    spread = windows.std(axis=0)
    rows = (windows - windows.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    _, singular, components = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    fractions = singular**2 / (singular**2).sum()
    squares = (rows**2).sum(axis=1)[:, None] + 1.0 - 2 * rows @ components.T
    scores = (np.sqrt(np.maximum(squares, 0)) / fractions).sum(axis=1)
    before = -(-(window_size - 1) // 2)
    return np.pad(scores, (before, window_size - 1 - before), mode="edge")


def replicate():
    """Print published scores and those of the same formula with our loader and metric."""
    print("| series | published | here |\n|---|---|---|")
    for name, X, y in univariate_cases():
        if name in PUBLISHED:
            period = sequence.find_period(X[:, 0])
            here = vus_pr_score(y, -summed_component_distances(X[:, 0], period), window_size=period)
            print(f"| {name} | {PUBLISHED[name]:.8f} | {here:.8f} |")
    norms = []
    for _, X, y in univariate_cases():
        period = sequence.find_period(X[:, 0])
        norm = sequence.RollingStatistic(statistic="norm", window_size=period, point_alignment="center").fit(X)
        norms.append(vus_pr_score(y, norm.score_samples(X), window_size=period))
    print(f"\nRollingStatistic('norm') with the period as its window, 36 series: {np.mean(norms):.3f}")


def times(n_draws=10):
    """Compare the detectors with and without the time stamps of NAB.

    Time points that repeat a time are dropped in both. Only two of the 14 series have jumps and a clock that is used;
    the others score alike to the bit. For comparison, as many jumps of the same lengths are put at random places of
    these two series. The columns are means over the 14 series: VUS-PR without times, its change with times, and the
    mean and standard deviation of the change over ten draws of the places.
    """
    warnings.filterwarnings("ignore", ".*time points have no score")
    cases = []
    for _, X, y, stamps in timed_cases():
        kept = np.diff(stamps.astype("int64"), prepend=-1) > 0
        seconds = stamps[kept].astype("int64")
        steps = np.rint(np.diff(seconds) / np.median(np.diff(seconds))).astype(int)
        used = 0 < (steps > 1).sum() <= max(10, 0.03 * len(steps))
        cases.append((X[kept], y[kept], np.maximum(steps, 1) if used else None, sequence.find_period(X[kept][:, 0])))
    print("| detector | without times | change | at random | standard deviation |\n|---|---|---|---|---|")
    for label, detector in univariate_detectors().items():
        if isinstance(detector, Largest):
            continue
        without, change, draws = [], 0.0, np.zeros(n_draws)
        for X, y, steps, period in cases:
            without.append(vus_pr_score(y, detector.fit(X).score_samples(X), window_size=period))
            if steps is None:
                continue

            def changed(steps, X=X, y=y, period=period, base=without[-1], detector=detector):
                frame = pd.DataFrame(X, index=pd.to_timedelta(np.r_[0, np.cumsum(steps)], unit="h"))
                scores = detector.fit(frame).score_samples(frame)
                return (vus_pr_score(y, scores, window_size=period) - base) / len(cases)

            change += changed(steps)
            for draw in range(n_draws):
                places = np.random.default_rng(draw).permutation(len(steps) - 100)[: (steps > 1).sum()] + 50
                moved = np.ones(len(steps), dtype=int)
                moved[places] = steps[steps > 1]
                draws[draw] += changed(moved)
        print(
            f"| {label} | {np.mean(without):.3f} | {change:+.4f} | {draws.mean():+.4f} | {draws.std():.4f} |",
            flush=True,
        )


FIRST_CALL = """
import time, numpy as np
x = np.random.default_rng(0).normal(size=500).cumsum()
start = time.process_time()
{imports}
imported = time.process_time()
{call}
print(time.process_time() - imported, time.process_time() - start)
"""


def first_call(imports, call):
    """Process seconds of the first call in a fresh interpreter that compiles all: without and with the import."""
    switched = {**os.environ, "SKANOMALY_KERNEL_CACHE": "0"}
    run = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", FIRST_CALL.format(imports=imports, call=call)],
        env=switched,
        capture_output=True,
        text=True,
        check=True,
    )
    alone, together = run.stdout.split()
    return float(alone), float(together)


def profile():
    """Compare the time of matrix_profile with STUMPY's stump, in one thread, and of one thread with two.

    CPU seconds of one thread, or wall seconds as installed, the minimum of interleaved calls; a random walk with
    windows of 100 time points.
    """
    random = np.random.default_rng(0)
    calls = {"matrix_profile": lambda x: sequence.matrix_profile(x, window_size=100)}
    firsts = {
        "matrix_profile": (
            "from skanomaly.sequence import matrix_profile; import numba",
            "matrix_profile(x, window_size=50)",
        ),
        "stump": ("import numba, stumpy; numba.set_num_threads(1)", "stumpy.stump(x, 50)"),
    }
    try:
        import stumpy

        calls["stump"] = lambda x: stumpy.stump(x[:, 0], 100) if x.shape[1] == 1 else stumpy.mstump(x.T.copy(), 100)
    except ImportError:
        del firsts["stump"]
    print("Time of one profile by length and channels.\n")
    print(
        "| time points | channels | " + " | ".join(f"{name}, s" for name in calls) + " | ratio |\n|---|---|---|---|---|"
    )
    for n, n_channels in ((500, 1), (5_000, 1), (20_000, 1), (100_000, 1), (500, 3), (10_000, 3)):
        x = random.normal(size=(n, n_channels)).cumsum(axis=0)
        repeats = 3 if n < 50_000 and n_channels == 1 else 1
        found = {name: [] for name in calls}
        for _ in range(repeats):
            for name, call in calls.items():
                start = _clock.now()
                call(x)
                found[name].append(_clock.now() - start)
        least = {name: min(seconds) for name, seconds in found.items()}
        ratio = f"{least['stump'] / least['matrix_profile']:.1f}" if "stump" in least else ""
        print(
            f"| {n:,} | {n_channels} | " + " | ".join(f"{s:.3f}" for s in least.values()) + f" | {ratio} |", flush=True
        )
    if _clock.AS_INSTALLED:
        return
    for name, statements in firsts.items():
        alone, together = first_call(*statements)
        print(f"\nFirst call in a fresh process, {name}: {alone:.1f} s, with the import {together:.1f} s.", flush=True)
    x = random.normal(size=(20_000, 1)).cumsum(axis=0)
    walls = {1: [], 2: []}
    for _ in range(5):
        for n_jobs, wall in walls.items():
            start = time.perf_counter()
            sequence.matrix_profile(x, window_size=100, n_jobs=n_jobs)
            wall.append(time.perf_counter() - start)
    print(f"\nWall seconds for 20,000 time points: one thread {min(walls[1]):.3f}, two {min(walls[2]):.3f}, "
          f"ratio {min(walls[1]) / min(walls[2]):.2f}.")  # fmt: skip


def neighbors():
    """Measure the time and memory of SubsequenceNeighbors by the length of the series.

    CPU seconds of one thread, or wall seconds as installed; memory is the peak of NumPy's allocations as tracemalloc
    sees them.
    """
    random = np.random.default_rng(0)
    detector = sequence.SubsequenceNeighbors(random_state=0).fit(random.normal(size=(500, 1)))
    print("Time and memory of one fit, which scores the training series.\n")
    print("| time points | fit, s | peak memory of a fit, MB |\n|---|---|---|")
    for n in (12_500, 25_000, 50_000, 100_000, 200_000):
        x = np.sin(np.arange(n) / 9)[:, None] + 0.2 * random.normal(size=(n, 1))
        start = _clock.now()
        detector.fit(x)
        seconds = _clock.now() - start
        tracemalloc.start()
        detector.fit(x)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        print(f"| {n:,} | {seconds:.2f} | {peak:.0f} |", flush=True)


def main():
    """Print the tables asked for."""
    chosen = [name for name in ("replicate", "profile", "neighbors", "times") if f"--{name}" in sys.argv]
    for name in chosen:
        globals()[name]()
    if not chosen:
        print_scores(univariate_cases(), univariate_detectors())
        print()
        print_scores(multivariate_cases(), multivariate_detectors())


if __name__ == "__main__":
    with threadpool_limits(_clock.n_jobs):
        main()
