"""Choose among detectors: scorers, splitters, searches, ensembles and a reusable holdout."""

from skanomaly.model_selection._agreement_scorers import ConsensusScorer, StabilityScorer
from skanomaly.model_selection._covariate_split import CovariateSplit
from skanomaly.model_selection._ensemble import ScoreEnsemble
from skanomaly.model_selection._holdout import BudgetExhaustedError, ReusableHoldout
from skanomaly.model_selection._label_scorers import AnomalyScorer, make_anomaly_scorer
from skanomaly.model_selection._multiverse import (
    SeedStability,
    SpecificationCurve,
    seed_stability,
    specification_curve,
)
from skanomaly.model_selection._names import get_scorer, get_scorer_names
from skanomaly.model_selection._search import DetectorSearch, make_candidates
from skanomaly.model_selection._space_scorers import SeparabilityScorer, SyntheticAnomalyScorer
from skanomaly.model_selection._splits import (
    BlockedTimeSeriesSplit,
    OneClassKFold,
    StratifiedAnomalyKFold,
    TransductiveSplit,
)
from skanomaly.model_selection._time_ordered import (
    ComplementaryGain,
    TableDifficulty,
    TimeOrderedComparison,
    compare_over_time,
    complementary_gain,
    table_difficulty,
)
from skanomaly.model_selection._uncertainty import ChoiceUncertainty, choice_uncertainty
from skanomaly.model_selection._volume_scorers import ExcessMassScorer, MassVolumeScorer

__all__ = [
    "AnomalyScorer",
    "BlockedTimeSeriesSplit",
    "BudgetExhaustedError",
    "ChoiceUncertainty",
    "ComplementaryGain",
    "ConsensusScorer",
    "CovariateSplit",
    "DetectorSearch",
    "ExcessMassScorer",
    "MassVolumeScorer",
    "OneClassKFold",
    "ReusableHoldout",
    "ScoreEnsemble",
    "SeedStability",
    "SeparabilityScorer",
    "SpecificationCurve",
    "StabilityScorer",
    "StratifiedAnomalyKFold",
    "SyntheticAnomalyScorer",
    "TableDifficulty",
    "TimeOrderedComparison",
    "TransductiveSplit",
    "choice_uncertainty",
    "compare_over_time",
    "complementary_gain",
    "get_scorer",
    "get_scorer_names",
    "make_anomaly_scorer",
    "make_candidates",
    "seed_stability",
    "specification_curve",
    "table_difficulty",
]
