"""Frames with columns of any type: used in silence, or refused by name."""

import numpy as np
import pandas as pd
import pytest

from skanomaly.audit import KNNDriftTest, KNNTwoSampleTest
from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth
from skanomaly.inspection import (
    LimeExplainer,
    PermutationExplainer,
    counterfactual,
    discover_features,
    feature_contributions,
)
from skanomaly.threshold import (
    ConformalDetector,
    ContaminationPosterior,
    MADThreshold,
    ScoreRefiner,
    ThresholdedDetector,
    TwoGroup,
)

CLASSES = [
    GaussianDetector,
    NearestNeighborsDetector,
    RandomProjectionDepth,
    KNNDriftTest,
    KNNTwoSampleTest,
    ConformalDetector,
    ContaminationPosterior,
]
BESIDE = [
    [True, False] * 20,
    pd.array([1, 2] * 20, dtype="Int64"),
    pd.array([True, None] * 20, dtype="boolean"),
    np.arange(40.0),
    pd.Series([1, 2.5] * 20, dtype=object),
]


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("beside", BESIDE, ids=["bool", "Int64", "boolean", "float", "object"])
@pytest.mark.parametrize("words", [pd.Categorical(["x", "y"] * 20), ["x", "y"] * 20], ids=["category", "text"])
def test_text_beside_columns_of_any_type_is_refused_by_name(cls, beside, words):
    frame = pd.DataFrame({"beside": beside, "words": words})
    with pytest.raises(ValueError, match=r"column 'words'.*Encode"):
        cls().fit(frame)


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls is not ConformalDetector])
@pytest.mark.parametrize("missing", [pd.NA, None, np.nan])
def test_missing_values_in_objects_are_refused_by_name(cls, missing):
    frame = pd.DataFrame({"a": np.arange(30.0), "o": pd.Series([1.0, missing, 2.0] * 10, dtype=object)})
    with pytest.raises(ValueError, match=r"(?s)NaN.*column.*'?o'?"):
        cls().fit(frame)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("missing", [pd.NA, None, np.nan])
def test_missing_values_in_objects_reach_detectors_that_take_them(missing):
    frame = pd.DataFrame({"a": np.arange(30.0), "o": pd.Series([1.0, missing, 2.0] * 10, dtype=object)})
    assert np.isfinite(ConformalDetector(random_state=0).fit(frame).score_samples(frame)).all()


EXPLAINERS = {
    "permutation": lambda model, row, X: PermutationExplainer(background=X).explain(model, row),
    "lime": lambda model, row, X: LimeExplainer(background=X).explain(model, row),
    "counterfactual": lambda model, row, X: counterfactual(model, row, background=X),
    "discovery": lambda model, row, X: discover_features(model, row, background=X),
    "exact": lambda model, row, _: feature_contributions(model, row),
}


@pytest.mark.parametrize("name", EXPLAINERS)
@pytest.mark.parametrize("named", [True, False])
def test_one_row_without_its_table_is_refused_with_the_remedy(name, named):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("abc"))
    table = X if named else X.to_numpy()
    model = GaussianDetector().fit(table)
    row = X.iloc[0] if named else table[0]
    with pytest.raises(ValueError, match=r"X\.iloc\[\[0\]\]"):
        EXPLAINERS[name](model, row, table)


WRAPPERS = {
    "posterior": lambda: ContaminationPosterior(random_state=0),
    "posterior, two groups": lambda: ContaminationPosterior(method=TwoGroup(), random_state=0),
    "posterior, given": lambda: ContaminationPosterior([GaussianDetector()], random_state=0),
    "threshold": lambda: ThresholdedDetector(GaussianDetector(), rule=MADThreshold()),
    "conformal": lambda: ConformalDetector(random_state=0),
    "refined": lambda: ScoreRefiner(GaussianDetector()),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_are_silent_on_frames(name):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(150, 3)), columns=list("abc"))
    wrapper = WRAPPERS[name]().fit(X)
    np.testing.assert_array_equal(np.unique(np.abs(wrapper.predict(X))), [1])
    assert len(wrapper.score_samples(X.iloc[:5])) == 5
    if hasattr(wrapper, "anomaly_probability"):
        assert len(wrapper.anomaly_probability(X.iloc[:5])) == 5


@pytest.mark.filterwarnings("error")
def test_a_posterior_fitted_on_scores_takes_scores():
    S = np.random.default_rng(0).normal(size=(150, 1))
    posterior = ContaminationPosterior(random_state=0).fit_scores(S)
    np.testing.assert_array_equal(posterior.predict(S[:, 0]), posterior.predict(S))
