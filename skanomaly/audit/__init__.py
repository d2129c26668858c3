"""Is the data sound, and has it changed? Tests with a statistic, a p-value and a score per row."""

from skanomaly.audit._change_points import KNNChangePointTest
from skanomaly.audit._columns._display import ColumnDriftDisplay
from skanomaly.audit._columns._drift import ColumnDriftTest
from skanomaly.audit._columns._findings import Finding
from skanomaly.audit._columns._table import TableAudit
from skanomaly.audit._correlator_test import CorrelatorTest
from skanomaly.audit._correlators import dependence_noise_level
from skanomaly.audit._display import DriftDisplay
from skanomaly.audit._domain_classifier import DomainClassifierTest
from skanomaly.audit._drift import KNNDriftTest
from skanomaly.audit._excess._counts import count_significance
from skanomaly.audit._excess._window import WindowExcessSearch
from skanomaly.audit._likelihood import NPLMTest
from skanomaly.audit._lists._coverage import (
    CoverageEstimate,
    VolatilityReport,
    coverage_estimate,
    volatility_report,
)
from skanomaly.audit._lists._personalization import PersonalizationReport, personalization_test
from skanomaly.audit._lists._windows import (
    EventWindowStatistics,
    anomaly_clustering_test,
    cliffs_delta,
    event_window_statistics,
)
from skanomaly.audit._missing import MissingnessTest
from skanomaly.audit._model._adversarial import AbnormalAdversarialReport, abnormal_adversarial_report
from skanomaly.audit._model._likelihood_ratio import membership_likelihood_ratio
from skanomaly.audit._model._membership import MembershipAudit
from skanomaly.audit._model._spurious import SpuriousAudit, worst_group_report
from skanomaly.audit._monitor import KNNDriftMonitor
from skanomaly.audit._pairwise import EnergyTest, KernelTest
from skanomaly.audit._spectrum._covariance import CovarianceSpectrumTest
from skanomaly.audit._spectrum._ensembles import hermite_eigenvalues, jacobi_eigenvalues, laguerre_eigenvalues
from skanomaly.audit._spectrum._tracy_widom import tracy_widom
from skanomaly.audit._survival._censored import CensoredTwoSampleTest
from skanomaly.audit._survival._delays import DelayComparison, compare_detection_delay
from skanomaly.audit._two_samples import KNNTwoSampleTest

__all__ = [
    "AbnormalAdversarialReport",
    "CensoredTwoSampleTest",
    "ColumnDriftDisplay",
    "ColumnDriftTest",
    "CorrelatorTest",
    "CovarianceSpectrumTest",
    "CoverageEstimate",
    "DelayComparison",
    "DomainClassifierTest",
    "DriftDisplay",
    "EnergyTest",
    "EventWindowStatistics",
    "Finding",
    "KNNChangePointTest",
    "KNNDriftMonitor",
    "KNNDriftTest",
    "KNNTwoSampleTest",
    "KernelTest",
    "MembershipAudit",
    "MissingnessTest",
    "NPLMTest",
    "PersonalizationReport",
    "SpuriousAudit",
    "TableAudit",
    "VolatilityReport",
    "WindowExcessSearch",
    "abnormal_adversarial_report",
    "anomaly_clustering_test",
    "cliffs_delta",
    "compare_detection_delay",
    "count_significance",
    "coverage_estimate",
    "dependence_noise_level",
    "event_window_statistics",
    "hermite_eigenvalues",
    "jacobi_eigenvalues",
    "laguerre_eigenvalues",
    "membership_likelihood_ratio",
    "personalization_test",
    "tracy_widom",
    "volatility_report",
    "worst_group_report",
]
