"""Explanations of anomaly scores, and displays."""

from skanomaly.inspection._agreement import (
    ExplanationAgreement,
    ReasonCounts,
    count_right_reasons,
    explanation_agreement,
)
from skanomaly.inspection._columns import GaussianColumnSampler, IndependentColumnSampler, NeighborColumnSampler
from skanomaly.inspection._contribution_display import ContributionDisplay
from skanomaly.inspection._contributions import feature_contributions
from skanomaly.inspection._counterfactual import Counterfactual, counterfactual
from skanomaly.inspection._curve_display import AnomalyCurveDisplay
from skanomaly.inspection._discovery import FeatureDiscovery, discover_features
from skanomaly.inspection._explanation import Explanation
from skanomaly.inspection._lime import LimeExplainer
from skanomaly.inspection._permutation import PermutationExplainer
from skanomaly.inspection._score_display import ScoreDisplay
from skanomaly.inspection._sensitivity import ExplanationSensitivity, explanation_sensitivity
from skanomaly.inspection._specification_display import SpecificationCurveDisplay
from skanomaly.inspection._terrain_display import ScoreTerrainDisplay

__all__ = [
    "AnomalyCurveDisplay",
    "ContributionDisplay",
    "Counterfactual",
    "Explanation",
    "ExplanationAgreement",
    "ExplanationSensitivity",
    "FeatureDiscovery",
    "GaussianColumnSampler",
    "IndependentColumnSampler",
    "LimeExplainer",
    "NeighborColumnSampler",
    "PermutationExplainer",
    "ReasonCounts",
    "ScoreDisplay",
    "ScoreTerrainDisplay",
    "SpecificationCurveDisplay",
    "count_right_reasons",
    "counterfactual",
    "discover_features",
    "explanation_agreement",
    "explanation_sensitivity",
    "feature_contributions",
]
