"""How odd is too odd, and how sure are we: contamination posteriors, threshold rules, conformal p-values."""

from skanomaly.threshold._conformal import ConformalDetector
from skanomaly.threshold._contamination import ContaminationPosterior
from skanomaly.threshold._displays import ContaminationDisplay, PValueDisplay
from skanomaly.threshold._distribution import ContaminationDistribution
from skanomaly.threshold._prior import ContaminationPrior
from skanomaly.threshold._pvalues import (
    OnlineFDR,
    anomaly_probability_from_pvalues,
    benjamini_hochberg,
    storey_contamination,
)
from skanomaly.threshold._refine import ScoreRefiner
from skanomaly.threshold._rules import (
    FixedThreshold,
    FLaw,
    PosteriorShare,
    Quantile,
    RobustTail,
    TailFit,
    ThresholdRule,
)
from skanomaly.threshold._three_way import DecisionCosts, predict_three_way
from skanomaly.threshold._thresholded import ThresholdedDetector

__all__ = [
    "ConformalDetector",
    "ContaminationDisplay",
    "ContaminationDistribution",
    "ContaminationPosterior",
    "ContaminationPrior",
    "DecisionCosts",
    "FLaw",
    "FixedThreshold",
    "OnlineFDR",
    "PValueDisplay",
    "PosteriorShare",
    "Quantile",
    "RobustTail",
    "ScoreRefiner",
    "TailFit",
    "ThresholdRule",
    "ThresholdedDetector",
    "anomaly_probability_from_pvalues",
    "benjamini_hochberg",
    "predict_three_way",
    "storey_contamination",
]
