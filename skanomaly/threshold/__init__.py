"""Thresholds and their uncertainty: contamination posteriors, threshold rules, conformal p-values."""

from skanomaly.threshold._budgets import (
    AlertRateThreshold,
    CapacityThreshold,
    CostThreshold,
    FalseAlarmThreshold,
    PrecisionThreshold,
    forecast_alerts,
)
from skanomaly.threshold._conformal import ConformalDetector
from skanomaly.threshold._contamination import ContaminationPosterior
from skanomaly.threshold._displays import ContaminationDisplay, PValueDisplay, SelectionPowerDisplay
from skanomaly.threshold._distribution import ContaminationDistribution
from skanomaly.threshold._mixture._gammagmm import GammaGMM
from skanomaly.threshold._positive_unlabelled import DensityRatioFraction, ElkanNotoFraction
from skanomaly.threshold._power import domain_weights, e_benjamini_hochberg, selection_power
from skanomaly.threshold._prior import ContaminationPrior
from skanomaly.threshold._pvalues import (
    OnlineFDR,
    anomaly_probability_from_pvalues,
    benjamini_hochberg,
    storey_contamination,
)
from skanomaly.threshold._refine import ScoreRefiner
from skanomaly.threshold._rules import (
    FDistributionThreshold,
    FixedThreshold,
    MADThreshold,
    ParetoThreshold,
    PosteriorThreshold,
    QuantileThreshold,
    ThresholdRule,
)
from skanomaly.threshold._stable import StableThreshold
from skanomaly.threshold._three_way import CascadeDecisions, DecisionCosts, predict_cascade, predict_three_way
from skanomaly.threshold._thresholded import ThresholdedDetector
from skanomaly.threshold._two_group import TwoGroup

__all__ = [
    "AlertRateThreshold",
    "CapacityThreshold",
    "CascadeDecisions",
    "ConformalDetector",
    "ContaminationDisplay",
    "ContaminationDistribution",
    "ContaminationPosterior",
    "ContaminationPrior",
    "CostThreshold",
    "DecisionCosts",
    "DensityRatioFraction",
    "ElkanNotoFraction",
    "FDistributionThreshold",
    "FalseAlarmThreshold",
    "FixedThreshold",
    "GammaGMM",
    "MADThreshold",
    "OnlineFDR",
    "PValueDisplay",
    "ParetoThreshold",
    "PosteriorThreshold",
    "PrecisionThreshold",
    "QuantileThreshold",
    "ScoreRefiner",
    "SelectionPowerDisplay",
    "StableThreshold",
    "ThresholdRule",
    "ThresholdedDetector",
    "TwoGroup",
    "anomaly_probability_from_pvalues",
    "benjamini_hochberg",
    "domain_weights",
    "e_benjamini_hochberg",
    "forecast_alerts",
    "predict_cascade",
    "predict_three_way",
    "selection_power",
    "storey_contamination",
]
