"""Data sets with labelled anomalies: generated, embedded, loaded or fetched; +1 is normal, -1 an anomaly."""

from skanomaly.datasets._adbench import fetch_adbench
from skanomaly.datasets._breast_cancer import load_breast_cancer_anomalies
from skanomaly.datasets._generators import (
    make_bimodal,
    make_broken_dependence,
    make_clusters,
    make_drifting_series,
    make_low_variance_anomalies,
    make_shifted_anomalies,
)
from skanomaly.datasets._logs import fetch_hdfs, load_storage_log
from skanomaly.datasets._nab import fetch_nab, load_nyc_taxi
from skanomaly.datasets._npz import load_npz
from skanomaly.datasets._patches import make_patch_grids
from skanomaly.datasets._phases import make_phase_sequences
from skanomaly.datasets._sequences import make_branching_sequences, make_gaze_sequences, make_patrol_passes
from skanomaly.datasets._series_kinds import make_series_anomalies
from skanomaly.datasets._sounds import make_machine_sounds
from skanomaly.datasets._spacecraft import fetch_spacecraft
from skanomaly.datasets._streams import make_fraud_stream, make_grouped_series
from skanomaly.datasets._structures import (
    make_coloured_digits,
    make_lifted_circle,
    make_logical_anomalies,
    make_manifold_anomalies,
)
from skanomaly.datasets._textures import make_textures
from skanomaly.datasets._token_sets import make_token_sets
from skanomaly.datasets._tracks import make_particle_tracks

__all__ = [
    "fetch_adbench",
    "fetch_hdfs",
    "fetch_nab",
    "fetch_spacecraft",
    "load_breast_cancer_anomalies",
    "load_npz",
    "load_nyc_taxi",
    "load_storage_log",
    "make_bimodal",
    "make_branching_sequences",
    "make_broken_dependence",
    "make_clusters",
    "make_coloured_digits",
    "make_drifting_series",
    "make_fraud_stream",
    "make_gaze_sequences",
    "make_grouped_series",
    "make_lifted_circle",
    "make_logical_anomalies",
    "make_low_variance_anomalies",
    "make_machine_sounds",
    "make_manifold_anomalies",
    "make_particle_tracks",
    "make_patch_grids",
    "make_patrol_passes",
    "make_phase_sequences",
    "make_series_anomalies",
    "make_shifted_anomalies",
    "make_textures",
    "make_token_sets",
]
