"""Print each series detector's VUS-PR on public series, and the matrix profile's time beside STUMPY's.

    python asv_bench/tables/series.py               # univariate and multivariate tables
    python asv_bench/tables/series.py --profile     # matrix profile beside STUMPY, two threads beside one
    python asv_bench/tables/series.py --neighbors   # time and memory of SubsequenceNeighbors by length

The series are those of the benchmark TSB-AD that can be rebuilt from public sources: 36 of one channel (14 of NAB, 5 of
MSL, 17 of SMAP) and 37 of several (14 of MSL, 23 of SMAP), found by length, first anomaly and number of anomalous
points. Detectors are fitted without labels on the whole series, in their defaults with `random_state=0`. The tolerance
of VUS-PR is the period of the first channel. The means of random scores stand beside.

Read the table with this in mind: window length and normalisation of SubsequenceNeighbors, SubsequenceKMeans and
AutoregressiveDetector were chosen while looking at the univariate series, and that binary channels are ignored while
looking at the multivariate ones.
"""

import os
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from skanomaly import sequence
from skanomaly.metrics import find_period, vus_pr_score

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


def univariate_cases():
    """Yield name, series and labels of the 36 series of one channel."""
    for name in NAB:
        with np.load(DATA / "series" / f"nab_{name}.npz") as stored:
            x, label = stored["x"][1:], stored["y"][1:].astype(int)
        label[np.flatnonzero(np.diff(label, prepend=0) == 1)] = 0
        yield name, x[:, None], np.where(label > 0, -1, 1)
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
        "SubsequenceNeighbors(normalize='zscore')": sequence.SubsequenceNeighbors(normalize="zscore", random_state=0),
        "MatrixProfileDetector": sequence.MatrixProfileDetector(),
    }


def multivariate_detectors():
    """Name the detectors of the multivariate table."""
    return {
        "SubsequenceNeighbors": sequence.SubsequenceNeighbors(random_state=0),
    }


SOURCES = {"NAB": lambda name: " " not in name, "MSL": lambda name: "msl" in name, "SMAP": lambda name: "smap" in name}


def print_scores(cases, detectors):
    """Print one row a detector: mean VUS-PR, means by source, seconds."""
    cases = [(name, X, y, find_period(X[:, 0])) for name, X, y in cases]
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


def main():
    """Print the tables asked for."""
    print_scores(univariate_cases(), univariate_detectors())
    print_scores(multivariate_cases(), multivariate_detectors())


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
