"""Choose among detectors: scorers, splitters, searches, ensembles and a reusable holdout."""

from skanomaly.model_selection._agreement_scorers import ConsensusScorer, StabilityScorer
from skanomaly.model_selection._contamination import ContaminationCurve, contaminate, contamination_curve
from skanomaly.model_selection._covariate_split import CovariateSplit
from skanomaly.model_selection._ensemble import ScoreEnsemble
from skanomaly.model_selection._few_shots import FewShotSplit
from skanomaly.model_selection._holdout import BudgetExhaustedError, ReusableHoldout
from skanomaly.model_selection._label_scorers import AnomalyScorer, make_anomaly_scorer
from skanomaly.model_selection._multiverse import (
    SeedStability,
    SpecificationCurve,
    seed_stability,
    specification_curve,
)
from skanomaly.model_selection._names import get_scorer, get_scorer_names
from skanomaly.model_selection._out_of_distribution import OODReport, confidence_score, ood_benchmark
from skanomaly.model_selection._search import DetectorSearch, make_candidates
from skanomaly.model_selection._seed_study import SeedComparison, SeedStudy, compare_seeds, seed_study
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
from skanomaly.model_selection._unseen_groups import UnseenGroupReport, unseen_group_report
from skanomaly.model_selection._volume_scorers import ExcessMassScorer, MassVolumeScorer

__all__ = [
    "AnomalyScorer",
    "BlockedTimeSeriesSplit",
    "BudgetExhaustedError",
    "ChoiceUncertainty",
    "ComplementaryGain",
    "ConsensusScorer",
    "ContaminationCurve",
    "CovariateSplit",
    "DetectorSearch",
    "ExcessMassScorer",
    "FewShotSplit",
    "MassVolumeScorer",
    "OODReport",
    "OneClassKFold",
    "ReusableHoldout",
    "ScoreEnsemble",
    "SeedComparison",
    "SeedStability",
    "SeedStudy",
    "SeparabilityScorer",
    "SpecificationCurve",
    "StabilityScorer",
    "StratifiedAnomalyKFold",
    "SyntheticAnomalyScorer",
    "TableDifficulty",
    "TimeOrderedComparison",
    "TransductiveSplit",
    "UnseenGroupReport",
    "choice_uncertainty",
    "compare_over_time",
    "compare_seeds",
    "complementary_gain",
    "confidence_score",
    "contaminate",
    "contamination_curve",
    "get_scorer",
    "get_scorer_names",
    "make_anomaly_scorer",
    "make_candidates",
    "ood_benchmark",
    "seed_stability",
    "seed_study",
    "specification_curve",
    "table_difficulty",
    "unseen_group_report",
]
