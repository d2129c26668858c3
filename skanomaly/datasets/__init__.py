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
from skanomaly.datasets._npz import load_npz
from skanomaly.datasets._patches import make_patch_grids
from skanomaly.datasets._token_sets import make_token_sets

__all__ = [
    "fetch_adbench",
    "load_breast_cancer_anomalies",
    "load_npz",
    "make_bimodal",
    "make_broken_dependence",
    "make_clusters",
    "make_drifting_series",
    "make_low_variance_anomalies",
    "make_patch_grids",
    "make_shifted_anomalies",
    "make_token_sets",
]
