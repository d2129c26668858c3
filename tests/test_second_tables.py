"""Functions of two tables join them by the names of columns, and say what to give instead of what is no table."""

import numpy as np
import pandas as pd
import pytest

from skanomaly.audit import (
    EnergyTest,
    KernelTest,
    MembershipAudit,
    NPLMTest,
    coverage_estimate,
    dependence_noise_level,
    volatility_report,
)
from skanomaly.detectors import GaussianDetector
from skanomaly.embeddings import AnomalyClusterer
from skanomaly.generation import evaluate_samples
from skanomaly.inspection import LimeExplainer, ScoreTerrainDisplay, counterfactual, feature_contributions
from skanomaly.sequence import matrix_profile
from skanomaly.threshold import domain_weights

NAMES = ["a", "b", "c"]
_RANDOM = np.random.default_rng(0)
FIRST = pd.DataFrame(_RANDOM.normal(size=(60, 3)) * [1, 10, 100], columns=NAMES)
SECOND = pd.DataFrame(_RANDOM.normal(size=(50, 3)) * [1, 10, 100] + [0.5, 0, 0], columns=NAMES)


def _model():
    return GaussianDetector().fit(FIRST)


FUNCTIONS = {
    "energy": lambda table: EnergyTest(n_permutations=19, random_state=0).fit_samples(FIRST, table).statistic_,
    "kernel": lambda table: KernelTest(n_permutations=19, random_state=0).fit_samples(FIRST, table).statistic_,
    "nplm": lambda table: NPLMTest(random_state=0).fit_samples(FIRST, table).statistic_,
    "noise_level": lambda table: dependence_noise_level(FIRST, reference=table),
    "clusterer": lambda table: AnomalyClusterer(random_state=0).fit(FIRST.iloc[:20], normal=table).labels_,
    "weights": lambda table: domain_weights(FIRST, table)(FIRST),
    "profile": lambda table: matrix_profile(FIRST, window_size=8, other=table).distances,
    "terrain": lambda table: (
        ScoreTerrainDisplay.from_estimator(
            _model(), FIRST, features=["a", "b"], at=table.iloc[[0]] if hasattr(table, "iloc") else table
        ).scores
    ),
    "lime": lambda table: LimeExplainer(background=table, random_state=0).explain(_model(), FIRST[:1]).contributions,
    "counterfactual": lambda table: counterfactual(_model(), FIRST.iloc[[0]], background=table).rows,
    "real": lambda table: evaluate_samples(FIRST[:30], FIRST[30:], table, n_permutations=19, random_state=0).to_numpy(),
}


REFUSING = ["energy", "kernel", "nplm", "clusterer", "profile"]  # as a fitted estimator refuses another order


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in REFUSING])
def test_columns_are_joined_by_name(name):
    np.testing.assert_allclose(FUNCTIONS[name](SECOND[["c", "a", "b"]]), FUNCTIONS[name](SECOND))


@pytest.mark.parametrize("name", REFUSING)
def test_columns_in_another_order_raise(name):
    with pytest.raises(ValueError, match="feature names"):
        FUNCTIONS[name](SECOND[["c", "a", "b"]])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_columns_of_other_names_raise(name):
    with pytest.raises(ValueError, match=r"'q'|feature names"):
        FUNCTIONS[name](SECOND.rename(columns={"a": "q"}))


@pytest.mark.parametrize("form", ["list", "records"])
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in {"terrain", "counterfactual"}])
def test_a_second_table_of_dictionaries_names_the_remedy(name, form):
    with pytest.raises(ValueError, match=r"dict.*: give pandas\.DataFrame\("):
        FUNCTIONS[name](SECOND.to_dict(form))


@pytest.mark.parametrize("explain", [feature_contributions, LimeExplainer(background=FIRST).explain])
def test_rows_to_explain_of_dictionaries_name_the_remedy(explain):
    for form in ("list", "records"):
        with pytest.raises(ValueError, match=r"X is a .*dict.*: give pandas\.DataFrame\(X\)"):
            explain(_model(), SECOND.to_dict(form))


def test_snapshots_by_name_are_refused():
    with pytest.raises(ValueError, match=r"snapshots is a dict, .* give list\(snapshots\.values\(\)\)"):
        volatility_report({"january": ["a", "b"], "february": ["a"]})


def test_letters_of_a_text_are_no_keys():
    with pytest.raises(ValueError, match="List 1 is the text 'abcd'"):
        coverage_estimate(["a", "b"], "abcd")


@pytest.mark.parametrize("queries", [None, "gaussian"])
def test_labels_of_another_length_are_refused_although_they_are_not_used(queries):
    audit = MembershipAudit(GaussianDetector(), n_shadows=4, queries=queries, random_state=0)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        audit.fit(FIRST.to_numpy(), np.ones(20))
