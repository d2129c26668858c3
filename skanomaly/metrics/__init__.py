"""Metrics of anomaly scores (lower is more anomalous), predictions and probabilities."""

from skanomaly.metrics._affiliation import affiliation_precision_recall_fscore
from skanomaly.metrics._alerts import DetectionDelay, alert_report, detection_delay, event_precision_at_n_score
from skanomaly.metrics._audited import AuditedScore
from skanomaly.metrics._chunked import RankingScores, ranking_scores_of_chunks
from skanomaly.metrics._contamination import crps_score, interval_calibration_error, interval_coverage_score
from skanomaly.metrics._costs import CostCurve, cost_curve
from skanomaly.metrics._decisions import best_f1_score, oracle_f1_score
from skanomaly.metrics._domains import domain_roc_auc_score
from skanomaly.metrics._events import event_f1_score, pa_k_auc_score, point_adjusted_f1_score
from skanomaly.metrics._instances import instance_purity_efficiency
from skanomaly.metrics._nab import nab_score
from skanomaly.metrics._open_set import (
    OpenSetReport,
    mean_average_precision_at_n_score,
    open_set_report,
    open_set_score,
)
from skanomaly.metrics._patches import patch_region_overlap_score, patch_roc_auc_score
from skanomaly.metrics._probabilities import brier_score, calibration_curve, expected_calibration_error
from skanomaly.metrics._ranges import range_precision_recall_fscore
from skanomaly.metrics._ranking import (
    adjusted_average_precision_score,
    adjusted_precision_at_n_score,
    average_precision_score,
    fpr_at_tpr_score,
    partial_roc_auc_score,
    precision_at_n_score,
    roc_auc_score,
)
from skanomaly.metrics._regions import per_region_overlap_score
from skanomaly.metrics._reports import domain_shift_report, sample_level_report, stratified_report
from skanomaly.metrics._views import aggregate_views, fuse_views
from skanomaly.metrics._volumes import vus_pr_score, vus_roc_score

__all__ = [
    "AuditedScore",
    "CostCurve",
    "DetectionDelay",
    "OpenSetReport",
    "RankingScores",
    "adjusted_average_precision_score",
    "adjusted_precision_at_n_score",
    "affiliation_precision_recall_fscore",
    "aggregate_views",
    "alert_report",
    "average_precision_score",
    "best_f1_score",
    "brier_score",
    "calibration_curve",
    "cost_curve",
    "crps_score",
    "detection_delay",
    "domain_roc_auc_score",
    "domain_shift_report",
    "event_f1_score",
    "event_precision_at_n_score",
    "expected_calibration_error",
    "fpr_at_tpr_score",
    "fuse_views",
    "instance_purity_efficiency",
    "interval_calibration_error",
    "interval_coverage_score",
    "mean_average_precision_at_n_score",
    "nab_score",
    "open_set_report",
    "open_set_score",
    "oracle_f1_score",
    "pa_k_auc_score",
    "partial_roc_auc_score",
    "patch_region_overlap_score",
    "patch_roc_auc_score",
    "per_region_overlap_score",
    "point_adjusted_f1_score",
    "precision_at_n_score",
    "range_precision_recall_fscore",
    "ranking_scores_of_chunks",
    "roc_auc_score",
    "sample_level_report",
    "stratified_report",
    "vus_pr_score",
    "vus_roc_score",
]
