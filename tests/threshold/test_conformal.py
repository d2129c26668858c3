import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold
from sklearn.neighbors import LocalOutlierFactor

from skanomaly.threshold import (
    ConformalDetector,
    OnlineFDR,
    anomaly_probability_from_pvalues,
    benjamini_hochberg,
    storey_contamination,
)

LEVELS = [0.01, 0.05, 0.1]
# The properties also hold where no p-value reaches the level.
pytestmark = [
    pytest.mark.filterwarnings("ignore:alpha=.* is below 1:UserWarning"),
    pytest.mark.filterwarnings("ignore:No row can be selected:UserWarning"),
]


class Distance(BaseEstimator):
    """Distance to the mean, in units of `step`: ties where it is not 0."""

    def __init__(self, step=0.0):
        self.step = step

    def fit(self, X, y=None):
        self.center_ = np.mean(X, axis=0)
        return self

    def score_samples(self, X):
        distance = np.linalg.norm(X - self.center_, axis=1)
        return -np.floor(distance / self.step) if self.step else -distance


def _rejections(random, n_replicates, alpha, *, n=60, step=0.0, method="split", contaminated=0):
    hits = 0
    for _ in range(n_replicates):
        X = random.normal(size=(n, 2))
        X[:contaminated] += 8.0
        model = ConformalDetector(detector=Distance(step), method=method, random_state=int(random.integers(2**31 - 1)))
        hits += model.fit(X).pvalues(random.normal(size=(1, 2)))[0] <= alpha
    return hits


@pytest.mark.parametrize("alpha", LEVELS)
@pytest.mark.parametrize("case", [{}, {"step": 0.7}, {"n": 8}, {"contaminated": 6}])
def test_split_has_its_level(seed, alpha, case):
    hits = _rejections(np.random.default_rng(seed), 150, alpha, **case)
    assert hits <= binom.isf(1e-6, 150, alpha)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", LEVELS)
@pytest.mark.parametrize("case", [{}, {"step": 0.7}, {"n": 8}, {"contaminated": 6}])
def test_split_has_its_level_over_a_thousand_replicates(seed, alpha, case):
    hits = _rejections(np.random.default_rng(seed), 1000, alpha, **case)
    assert hits <= binom.isf(1e-5, 1000, alpha)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", LEVELS)
def test_split_is_exact_without_ties(seed, alpha):
    n = 2 * 199  # 199 calibration rows: alpha * 200 is whole
    hits = _rejections(np.random.default_rng(seed), 1000, alpha, n=n)
    low, high = binom.interval(1 - 1e-5, 1000, alpha)
    assert low <= hits <= high


@pytest.mark.slow
@pytest.mark.parametrize("alpha", LEVELS)
@pytest.mark.parametrize("method", ["cross", "jackknife+"])
def test_cross_and_jackknife_stay_below_twice_their_level(seed, alpha, method):
    hits = _rejections(np.random.default_rng(seed), 1000, alpha, n=40, method=method)
    assert hits <= binom.isf(1e-5, 1000, 2 * alpha)


@pytest.mark.parametrize(("alpha", "n_replicates"), [(0.1, 60)])
def test_false_discovery_rate_is_controlled(seed, alpha, n_replicates):
    assert _false_discovery_rate(seed, alpha, n_replicates) <= alpha + 4.5 * 0.35 / np.sqrt(n_replicates)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", LEVELS)
def test_false_discovery_rate_is_controlled_over_a_thousand_replicates(seed, alpha):
    proportions = _false_discovery_rate(seed, alpha, 1000, each=True)
    assert proportions.mean() <= alpha + 4.5 * proportions.std() / np.sqrt(1000) + 1e-12


def _false_discovery_rate(seed, alpha, n_replicates, *, each=False):
    random = np.random.default_rng(seed)
    found = []
    for _ in range(n_replicates):
        model = ConformalDetector(detector=Distance(), calibration_size=0.8, random_state=0)
        model.fit(random.normal(size=(500, 2)))
        batch = np.vstack([random.normal(size=(45, 2)), random.normal(4.0, 1.0, size=(5, 2))])
        flagged = model.select(batch, alpha=alpha) == -1
        found.append(flagged[:45].sum() / max(flagged.sum(), 1))
    return np.array(found) if each else np.mean(found)


def test_pvalues_count_calibration_rows_at_least_as_anomalous():
    model = ConformalDetector(detector=Distance(), random_state=0).fit(np.arange(20.0)[:, None])
    scores = model.calibration_scores_[0]
    rows = np.array([[3.0], [9.0], [40.0]])
    outlyingness = -model.detectors_[0].score_samples(rows)
    assert_allclose(model.pvalues(rows), [(1 + (scores >= value).sum()) / (len(scores) + 1) for value in outlyingness])


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1, 0.25, 0.3])
@pytest.mark.parametrize("method", ["split", "cross"])
def test_predict_is_the_level_on_pvalues(seed, alpha, method):
    random = np.random.default_rng(seed)
    model = ConformalDetector(detector=Distance(), method=method, alpha=alpha, random_state=0)
    model.fit(random.normal(size=(79, 2)))
    X = random.normal(0, 2, size=(300, 2))
    assert_array_equal(model.predict(X) == -1, model.pvalues(X) <= alpha + 1e-12)


def test_weights_correct_a_covariate_shift(seed):
    random = np.random.default_rng(seed)

    def draw(n, mean):
        x = random.normal(mean, 1.0, size=n)
        return np.column_stack([x, x * random.normal(size=n)])

    class Second(Distance):
        def score_samples(self, X):
            return -np.abs(X[:, 1])

    def ratio(X):
        return np.exp(1.5 * X[:, 0] - 1.5**2 / 2)

    plain, weighted, n_queries = 0, 0, 400
    for _ in range(10):
        X, queries = draw(2000, 0.0), draw(n_queries, 1.5)
        plain += np.sum(ConformalDetector(detector=Second(), random_state=0).fit(X).predict(queries) == -1)
        model = ConformalDetector(detector=Second(), weight_function=ratio, random_state=0).fit(X)
        weighted += np.sum(model.predict(queries) == -1)
    assert plain > 0.2 * 10 * n_queries
    assert weighted < 0.15 * 10 * n_queries


def test_labelled_anomalies_are_left_out():
    X = np.r_[np.arange(30.0), 1000.0][:, None]
    y = np.r_[np.ones(30, dtype=int), -1]
    model = ConformalDetector(detector=Distance(), random_state=0)
    assert_array_equal(
        model.fit(X, y).pvalues(X), ConformalDetector(detector=Distance(), random_state=0).fit(X[:30]).pvalues(X)
    )


def test_nan_scores_raise():
    class Broken(Distance):
        def score_samples(self, X):
            return np.full(len(X), np.nan)

    with pytest.raises(ValueError, match="NaN"):
        ConformalDetector(detector=Broken()).fit(np.arange(20.0)[:, None])


def test_a_detector_without_scores_raises():
    with pytest.raises(TypeError, match="score_samples"):
        ConformalDetector(detector=LocalOutlierFactor()).fit(np.arange(20.0)[:, None])


def test_weights_with_folds_raise():
    with pytest.raises(ValueError, match="weight_function"):
        ConformalDetector(method="cross", weight_function=len).fit(np.arange(20.0)[:, None])


def test_cv_takes_a_splitter(seed):
    rows = np.random.default_rng(seed).normal(size=(40, 2))
    model = ConformalDetector(Distance(), method="cross", cv=KFold(4)).fit(rows)
    assert [len(scores) for scores in model.calibration_scores_] == [10] * 4
    assert_allclose(model.calibration_scores_[0], np.sort(-Distance().fit(rows[10:]).score_samples(rows[:10])))


def test_benjamini_hochberg_meets_its_definition(seed):
    values = np.random.default_rng(seed).random(30) ** 3
    found = benjamini_hochberg(values, alpha=0.2)
    sizes = [k for k in range(31) if k == 0 or np.sort(values)[k - 1] <= 0.2 * k / 30]
    assert found.sum() == max(sizes)
    assert benjamini_hochberg([], alpha=0.1).size == 0


def test_storey_finds_separate_anomalies(seed):
    random = np.random.default_rng(seed)
    values = np.r_[random.random(1900), np.full(100, 1e-4)]
    assert abs(storey_contamination(values) - 0.05) < 0.08


def test_probability_falls_with_the_pvalue(seed):
    random = np.random.default_rng(seed)
    values = np.r_[random.random(900), 0.005 * random.random(100)]
    probability = anomaly_probability_from_pvalues(values)
    assert (np.diff(probability[np.argsort(values)]) <= 1e-12).all()
    assert probability[values < 0.004].mean() > 0.8
    assert probability[values > 0.5].mean() < 0.3


@pytest.mark.parametrize("n_tests", [200])
def test_online_false_discovery_rate_is_controlled(seed, n_tests):
    random = np.random.default_rng(seed)
    proportions = []
    for _ in range(60):
        stream, anomalous = OnlineFDR(alpha=0.1), random.random(n_tests) < 0.1
        values = np.where(anomalous, 1e-5 * random.random(n_tests), random.random(n_tests))
        found = np.array([stream.update(value) for value in values])
        proportions.append((found & ~anomalous).sum() / max(found.sum(), 1))
    assert np.mean(proportions) <= 0.1
    assert found[anomalous].mean() > 0.3


def test_the_online_budget_sums_to_at_most_one():
    times = np.arange(1.0, 1e6)
    assert OnlineFDR._spending(times).sum() < 1


@pytest.mark.parametrize("values", [[1.2], [-0.1], [np.nan], [[0.5]]])
def test_values_that_are_no_pvalues_raise(values):
    with pytest.raises(ValueError, match="between 0 and 1"):
        benjamini_hochberg(values)


def test_a_level_that_no_pvalue_reaches_warns(seed):
    rows = np.random.default_rng(seed).normal(size=(40, 2))
    with pytest.warns(UserWarning, match=r"alpha=0.01 is below 1 / \(20 \+ 1\).*at least 99 calibration rows"):
        model = ConformalDetector(Distance(), alpha=0.01, random_state=0).fit(rows)
    assert_array_equal(model.predict(rows + 1e6), 1)


def test_stream_repr_counts_discoveries():
    stream = OnlineFDR(alpha=0.1)
    assert stream.update(0.0001)
    assert repr(stream) == "OnlineFDR(alpha=0.1): 1 discoveries in 1 tests"


@pytest.mark.parametrize(
    ("n_train", "n_normal", "n_far", "alpha", "n_calibration"),
    [(2000, 950, 5, 0.01, 19099), (400, 1990, 10, 0.02, 9999), (100, 300, 0, 0.01, 29999)],
)
def test_selection_that_no_row_can_reach_warns_with_the_remedy(seed, n_train, n_normal, n_far, alpha, n_calibration):
    random = np.random.default_rng(seed)
    model = ConformalDetector(Distance(), alpha=0.1, random_state=0).fit(random.normal(size=(n_train, 2)))
    # Rows near the centre have large p-values.
    batch = np.vstack([0.1 * random.normal(size=(n_normal, 2)), np.full((n_far, 2), 30.0)])
    scored = rf"{n_far} have it. Give at least {n_calibration} calibration rows"
    unscored = rf"No row was scored. Give more calibration rows \({n_calibration} of"
    with pytest.warns(UserWarning, match=unscored if n_far == 0 else scored):
        assert_array_equal(model.select(batch, alpha=alpha), 1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_far", [0, 9])
def test_selection_that_rows_can_reach_is_silent(seed, n_far):
    random = np.random.default_rng(seed)
    model = ConformalDetector(Distance(), random_state=0).fit(random.normal(size=(400, 2)))
    batch = np.vstack([0.1 * random.normal(size=(50, 2)), np.full((n_far, 2), 30.0)])
    assert (model.select(batch) == -1).sum() == n_far


def test_the_calibration_rows_that_the_warning_asks_for_are_enough(seed):
    random = np.random.default_rng(seed)
    batch = np.vstack([0.1 * random.normal(size=(190, 2)), np.full((10, 2), 30.0)])
    found = {}
    for n_rows in (199, 198):  # 10 of 200 rows at level 0.1
        model = ConformalDetector(Distance(), calibration_size=n_rows / (n_rows + 50), random_state=0)
        model.fit(random.normal(size=(n_rows + 50, 2)))
        assert model.n_calibration_ == n_rows
        found[n_rows] = (model.select(batch) == -1).sum()
    assert found == {199: 10, 198: 0}


def test_a_stream_whose_level_falls_below_its_smallest_pvalue_warns_once():
    stream = OnlineFDR(alpha=0.1, smallest_pvalue=1 / 1001)
    with pytest.warns(UserWarning, match=r"no further row can be flagged") as caught:
        decisions = [stream.update(0.5) for _ in range(30)]
    assert len(caught) == 1
    assert not any(decisions)
    first = int(str(caught[0].message).split()[2])
    assert not stream.update(1 / 1001)
    fresh = OnlineFDR(alpha=0.1)
    assert [fresh.update(0.5) for _ in range(first - 2)] == [False] * (first - 2)
    assert fresh.update(1 / 1001)  # the last test whose level is above


@pytest.mark.filterwarnings("error")
def test_a_stream_with_discoveries_or_without_a_smallest_pvalue_is_silent():
    for stream in (OnlineFDR(alpha=0.1), OnlineFDR(alpha=0.1, smallest_pvalue=1e-9)):
        assert not any(stream.update(0.5) for _ in range(40))
    stream = OnlineFDR(alpha=0.1, smallest_pvalue=1 / 1001)
    assert all(stream.update(1 / 1001) for _ in range(40))


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
def test_a_smallest_pvalue_out_of_range_raises(value):
    with pytest.raises(ValueError, match="smallest_pvalue="):
        OnlineFDR(smallest_pvalue=value)
