import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import stats
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skanomaly.audit import DomainClassifierTest, EnergyTest, KernelTest, KNNDriftMonitor, KNNTwoSampleTest, NPLMTest


@pytest.mark.parametrize("null", ["asymptotic", "permutation"])
def test_same_samples_are_rarely_told_apart(seed, null):
    found = 0
    for run in range(60):
        first, second = np.random.default_rng([seed, run]).normal(size=(2, 80, 2))
        found += KNNTwoSampleTest(null=null, random_state=run).fit_samples(first, second).pvalue_ <= 0.05
    assert found <= stats.binom.isf(1e-4, 60, 0.06)


@pytest.mark.parametrize("null", ["asymptotic", "permutation"])
def test_shifted_samples_are_told_apart(seed, null):
    first, second = np.random.default_rng(seed).normal(size=(2, 200, 3))
    test = KNNTwoSampleTest(null=null, random_state=seed).fit_samples(first, second + 0.8)
    assert test.pvalue_ <= 1 / 1000
    assert test.statistic_ > 3


def test_duplicates_shared_out_are_repulsion(seed):
    rows = np.random.default_rng(seed).normal(size=(150, 3))
    test = KNNTwoSampleTest(n_neighbors=1, random_state=seed).fit_samples(rows, rows)
    assert test.statistic_ < -3
    assert test.pvalue_ < 1e-3


def test_foreign_rows_of_a_sample_are_flagged(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 300, 2))
    second[:40] += 5
    labels = KNNTwoSampleTest(random_state=seed).fit_samples(first, second).predict(second)
    assert np.mean(labels[:40] == -1) > 0.8
    assert np.mean(labels[40:] == -1) < 0.1


@pytest.mark.parametrize("cls", [KNNTwoSampleTest, DomainClassifierTest])
def test_one_sample_has_pvalue_one(cls):
    rows = np.random.default_rng(0).normal(size=(40, 2))
    test = cls(random_state=0).fit(rows, groups=["a"] * 40)
    assert test.pvalue_ == 1.0
    assert np.isfinite(test.score_samples(rows)).all()


def test_equal_rows_have_pvalue_one():
    assert KNNTwoSampleTest(random_state=0).fit(np.zeros((40, 2))).pvalue_ == 1.0


@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.parametrize("cls", [KNNTwoSampleTest, DomainClassifierTest])
def test_frames_of_different_columns_raise_and_name_them(cls, kind):
    library = pd if kind == "pandas" else pytest.importorskip("polars")
    first = library.DataFrame({"a": [1.0, 2], "b": [3.0, 4]})
    second = library.DataFrame({"a": [1.0, 2], "c": [3.0, 4]})
    with pytest.raises(ValueError, match="feature names: sample lacks 'b'; reference lacks 'c'"):
        cls().fit_samples(first, second)


@pytest.mark.parametrize("cls", [KNNTwoSampleTest, DomainClassifierTest])
def test_frames_of_columns_in_another_order_raise(cls):
    first = pd.DataFrame({"a": [1.0, 2], "b": [3.0, 4]})
    with pytest.raises(ValueError, match=r"another order: 'a', 'b' and 'b', 'a'. Give sample\[reference.columns\]"):
        cls().fit_samples(first, first[["b", "a"]])


def test_arrays_of_different_widths_raise():
    with pytest.raises(ValueError, match=r"reference has shape \(9, 2\) and sample \(9, 3\)"):
        KNNTwoSampleTest().fit_samples(np.zeros((9, 2)), np.zeros((9, 3)))


@pytest.mark.parametrize("kind", ["array", "list", "frame"])
@pytest.mark.parametrize("cls", [KNNTwoSampleTest, DomainClassifierTest])
def test_second_table_in_place_of_y_raises(cls, kind):
    first, second = np.random.default_rng(0).normal(size=(2, 30, 2))
    second = {"array": second, "list": second.tolist(), "frame": pd.DataFrame(second)}[kind]
    with pytest.raises(ValueError, match=r"y has shape \(30, 2\).*fit_samples\(reference, sample\)"):
        cls().fit(first, second)


@pytest.mark.parametrize("cls", [KNNTwoSampleTest, DomainClassifierTest])
def test_labels_in_place_of_groups_warn(cls):
    rows = np.random.default_rng(0).normal(size=(30, 2))
    with pytest.warns(UserWarning, match=r"y is not used.*groups=.*fit_samples"):
        cls().fit(rows, np.arange(30) % 2)


@pytest.mark.parametrize("cls", [KNNTwoSampleTest, DomainClassifierTest])
def test_labels_beside_groups_do_not_warn(cls):
    rows = np.random.default_rng(0).normal(size=(30, 2))
    cls().fit(rows, np.arange(30), groups=np.arange(30) % 2)


def test_reference_is_the_label_that_sorts_first():
    rows = np.random.default_rng(0).normal(size=(90, 2))
    rows[:30] += 3
    test = DomainClassifierTest(random_state=0).fit(rows, groups=["old"] * 30 + ["new"] * 60)
    assert test.groups_.tolist() == ["new", "old"]
    assert test.sample_scores_[30:].mean() > 0 > test.sample_scores_[:30].mean()


def test_halves_are_the_default():
    rows = np.random.default_rng(0).normal(size=(200, 2))
    rows[100:] += 2
    plain = KNNTwoSampleTest(random_state=0).fit(rows)
    assert plain.pvalue_ == KNNTwoSampleTest(random_state=0).fit_samples(rows[:100], rows[100:]).pvalue_


@pytest.mark.parametrize(("shift", "area"), [(0.5, 0.6382), (1.0, 0.7602), (2.0, 0.9214)])
def test_area_meets_theory(seed, shift, area):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 1500, 8))
    second[:, 3] += shift
    test = DomainClassifierTest(LogisticRegression(), random_state=seed).fit_samples(first, second)
    # The area of 1,500 against 1,500 has a standard deviation of at most 0.011.
    assert test.statistic_ == pytest.approx(area, abs=0.045)
    assert test.feature_importances_.argmax() == test.single_areas_.argmax() == 3
    assert test.pvalue_ < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(("shift", "area"), [(0.5, 0.6382), (1.0, 0.7602), (2.0, 0.9214)])
def test_mean_area_meets_theory(shift, area):
    areas = []
    for run in range(20):
        first, second = np.random.default_rng([9, run]).normal(size=(2, 1500, 8))
        second[:, 0] += shift
        areas.append(DomainClassifierTest(LogisticRegression(), random_state=run).fit_samples(first, second).statistic_)
    assert np.mean(areas) == pytest.approx(area, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("null", ["binomial", "permutation"])
def test_domain_classifier_keeps_its_level(null):
    found = 0
    for run in range(200):
        first, second = np.random.default_rng([5, run]).normal(size=(2, 40, 2))
        test = DomainClassifierTest(LogisticRegression(), cv=2, null=null, n_permutations=39, random_state=run)
        found += test.fit_samples(first, second).pvalue_ <= 0.05
    assert found <= stats.binom.isf(1e-4, 200, 0.05)


def test_domain_classifier_by_permutation():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 60, 2))
    test = DomainClassifierTest(LogisticRegression(), cv=2, null="permutation", n_permutations=39, random_state=0)
    assert test.fit_samples(first, second + 2).pvalue_ == 1 / 40
    assert test.fit_samples(first, second).pvalue_ > 1 / 40


def test_weights_correct_the_bias(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 1000, 2))
    second[:, 0] += 1
    test = DomainClassifierTest(LogisticRegression(), random_state=seed).fit_samples(first, second)
    weights = test.sample_weight_[:1000]
    assert weights.mean() == pytest.approx(1.0)
    assert (test.sample_weight_[1000:] == 1.0).all()
    assert np.average(first[:, 0], weights=weights) == pytest.approx(1.0, abs=0.35)
    assert np.average(first[:, 1], weights=weights) == pytest.approx(0.0, abs=0.35)


def test_trusted_rows_are_predicted_better(seed):
    rng = np.random.default_rng(seed)
    train = rng.normal(size=(800, 4))
    pool = np.concatenate([rng.normal(size=(400, 4)), rng.normal(size=(400, 4)) + 3])
    truth = np.sin(pool).sum(axis=1)
    test = DomainClassifierTest(random_state=seed).fit_samples(train, pool)
    error = np.abs(ExtraTreesRegressor(30, random_state=0).fit(train, np.sin(train).sum(axis=1)).predict(pool) - truth)
    trusted = test.predict(pool) == 1
    assert 0.35 < trusted.mean() < 0.6
    assert error[trusted].mean() < 0.5 * error.mean()


def test_frame_goes_to_the_given_classifier(seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"size": rng.normal(size=200), "kind": rng.choice(["a", "b"], 200)})
    frame.loc[100:, "kind"] = "b"
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["kind"]), remainder="passthrough")
    test = DomainClassifierTest(make_pipeline(encode, LogisticRegression()), random_state=seed).fit(frame)
    assert test.feature_importances_.argmax() == 1
    assert np.isnan(test.single_areas_[1])
    assert test.predict(frame).shape == (200,)


@pytest.mark.parametrize(("groups", "words"), [([0, 1, 2] * 10, "3 labels"), ([0] * 28 + [1] * 2, "at least 4")])
def test_domain_classifier_refuses(groups, words):
    with pytest.raises(ValueError, match=words):
        DomainClassifierTest().fit(np.random.default_rng(0).normal(size=(30, 2)), groups=groups)


def test_many_rows_take_boosting():
    rows = np.random.default_rng(0).normal(size=(2100, 2))
    test = DomainClassifierTest(cv=2, random_state=0).fit(rows)
    assert type(test.estimators_[0]).__name__ == "HistGradientBoostingClassifier"


def test_stream_is_independent_of_its_cuts(seed):
    rng = np.random.default_rng(seed)
    rows, stream = rng.normal(size=(150, 2)), rng.normal(size=(230, 2))
    options = {"window_size": 50, "stride": 30, "random_state": 0}
    whole = KNNDriftMonitor(**options).fit(rows).partial_fit(stream)
    parts = KNNDriftMonitor(**options).fit(rows)
    for start, stop in ((0, 1), (1, 77), (77, 80), (80, 230)):
        parts.partial_fit(stream[start:stop])
    assert_array_equal(whole.look_pvalues_, parts.look_pvalues_)
    assert whole.look_pvalues_.size == 7
    assert_array_equal(whole.window_, stream[-50:])


@pytest.mark.parametrize(("n_looks", "total"), [(8, 0.05), (None, 0.05 * 8 / 9)])
def test_looks_spend_the_level(n_looks, total):
    rng = np.random.default_rng(0)
    monitor = KNNDriftMonitor(n_neighbors=3, window_size=20, n_looks=n_looks, random_state=0)
    monitor.fit(rng.normal(size=(60, 2))).partial_fit(rng.normal(size=(160, 2)))
    assert monitor.look_levels_.sum() == pytest.approx(total)
    monitor.partial_fit(rng.normal(size=(40, 2)))
    assert monitor.look_levels_.size == (8 if n_looks else 10)


def _false_alarms(n_runs, seed, **options):
    count = 0
    for run in range(n_runs):
        rng = np.random.default_rng([seed, run])
        monitor = KNNDriftMonitor(n_neighbors=5, window_size=30, random_state=run, **options)
        count += monitor.fit(rng.normal(size=(60, 2))).partial_fit(rng.normal(size=(300, 2))).drift_
    return count


def test_stream_rarely_raises_a_false_alarm_cheaply(seed):
    assert _false_alarms(30, seed, n_looks=10, alpha=0.2) <= stats.binom.isf(1e-4, 30, 0.2)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"n_looks": 10}, {"n_looks": None}, {"n_looks": 19, "stride": 15}])
def test_stream_rarely_raises_a_false_alarm(options):
    assert _false_alarms(300, 1, alpha=0.1, **options) <= stats.binom.isf(1e-4, 300, 0.1)


@pytest.mark.parametrize("n_looks", [50, None])
def test_drift_of_a_stream_is_found_soon(seed, n_looks):
    rng = np.random.default_rng(seed)
    monitor = KNNDriftMonitor(n_looks=n_looks, random_state=seed).fit(rng.normal(size=(300, 2)))
    monitor.partial_fit(rng.normal(size=(300, 2)))
    monitor.partial_fit(rng.normal(size=(300, 2)) + 1.5)
    assert 300 < monitor.drift_row_ <= 500


def test_first_call_of_an_unfitted_monitor_is_the_reference():
    rows = np.random.default_rng(0).normal(size=(300, 2))
    monitor = KNNDriftMonitor(random_state=0).partial_fit(rows[:150]).partial_fit(rows[150:])
    fitted = KNNDriftMonitor(random_state=0).fit(rows[:150]).partial_fit(rows[150:])
    assert_array_equal(monitor.look_pvalues_, fitted.look_pvalues_)


def test_window_too_small_for_its_neighbors_raises():
    with pytest.raises(ValueError, match="window_size=10"):
        KNNDriftMonitor(window_size=10).fit(np.zeros((20, 2)))


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (KNNTwoSampleTest(n_neighbors=3, alpha=0.05, random_state=0), "even if all had"),
        (KNNTwoSampleTest(n_neighbors=9, alpha=0.01, random_state=0), "too few of them"),
    ],
)
def test_rows_that_cannot_be_flagged_warn(test, words):
    rows = np.random.default_rng(0).normal(size=(2000, 2))
    rows[:3] += 40 + np.arange(3)[:, None]
    test.fit(rows, groups=np.arange(2000) % 2)
    with pytest.warns(UserWarning, match=words):
        labels = test.predict(rows)
    np.testing.assert_array_equal(labels, 1)


@pytest.mark.filterwarnings("error")
def test_rows_that_can_be_flagged_do_not_warn():
    rows = np.random.default_rng(0).normal(size=(400, 2))
    rows[200:260] += 6
    test = KNNTwoSampleTest(n_neighbors=20, random_state=0).fit(rows, groups=np.arange(400) // 200)
    assert (test.predict(rows) == -1).sum() >= 50


def test_pvalues_of_single_columns_are_those_of_their_areas():
    random = np.random.Generator(np.random.PCG64(11))
    first, second = random.normal(size=(60, 4)), random.normal(size=(80, 4))
    second[:, 1] += 1.0
    first[:, 2] = second[:, 2] = 1.0
    second[:9, 3] = np.nan
    test = DomainClassifierTest(cv=2, random_state=0).fit_samples(first, second)
    expected = [stats.mannwhitneyu(first[:, place], second[:, place], method="asymptotic").pvalue for place in (0, 1)]
    np.testing.assert_allclose(test.single_pvalues_[:2], expected)
    assert test.single_pvalues_[2] == 1.0
    assert test.single_pvalues_[1] < 1e-6 < test.single_pvalues_[3] <= 1.0


def test_columns_of_equal_samples_have_uniform_pvalues():
    random = np.random.Generator(np.random.PCG64(12))
    model = make_pipeline(LogisticRegression())
    pvalues = np.concatenate(
        [
            DomainClassifierTest(model, cv=2, random_state=seed).fit(random.normal(size=(60, 10))).single_pvalues_
            for seed in range(12)
        ]
    )
    assert (pvalues <= 0.05).sum() <= stats.binom.ppf(0.9999, 120, 0.05)


def _with_stamp(seed, frame):
    random = np.random.Generator(np.random.PCG64(seed))
    rows = np.column_stack([random.normal(size=(200, 3)), np.arange(200.0)])
    rows[100:, 0] += 2.0
    return pd.DataFrame(rows, columns=["a", "b", "c", "stamp"]) if frame else rows


@pytest.mark.parametrize("frame", [True, False])
def test_areas_without_each_column_tell_the_time_stamp(frame):
    rows = _with_stamp(0, frame)
    groups = np.repeat([0, 1], 100)
    test = DomainClassifierTest(LogisticRegression(max_iter=1000), cv=3, random_state=0)
    found = test.drop_columns(rows, groups=groups)
    assert found["column"].tolist() == (["a", "b", "c", "stamp"] if frame else [0, 1, 2, 3])
    assert (found["area"][:3] > 0.99).all()
    # Without the stamp the area is that of a shift by two standard deviations.
    assert found["area"][3] == pytest.approx(stats.norm.cdf(2 / np.sqrt(2)), abs=0.06)
    assert found["area_loss"].argmax() == 3
    assert (found["pvalue"] < 1e-4).all()
    without = rows.assign(a=0.0) if frame else rows * [0, 1, 1, 1]
    assert test.drop_columns(without, groups=groups)["pvalue"][3] > 0.01
    assert not hasattr(test, "pvalue_")


def test_columns_cannot_be_dropped_from_one():
    with pytest.raises(ValueError, match="none is left"):
        DomainClassifierTest().drop_columns(np.zeros((20, 1)))


def test_reliability_curve_shows_the_gain_of_the_filter():
    random = np.random.Generator(np.random.PCG64(1))

    def target(X):
        return np.sin(X).sum(axis=1)

    train, pool = random.normal(size=(600, 4)), random.normal(size=(600, 4))
    pool[300:] += 3
    model = ExtraTreesRegressor(30, random_state=0).fit(train, target(train))
    losses = np.abs(model.predict(pool) - target(pool))
    test = DomainClassifierTest(random_state=0).fit_samples(train, pool)
    curve = test.reliability_curve(losses)
    assert curve["fraction"][-1] == 1.0
    assert curve["mean_loss"][-1] == pytest.approx(losses.mean())
    assert curve["mean_loss"][299] < 0.4 * losses.mean()
    assert (np.diff(curve["threshold"]) <= 0).all()
    kept = test.sample_scores_[600:] >= curve["threshold"][299]
    assert curve["mean_loss"][299] == pytest.approx(losses[kept].mean())
    groups = np.repeat(["a", "b"], 600)
    again = DomainClassifierTest(random_state=0).fit(np.vstack([pool, train]), groups=groups[::-1])
    assert again.reliability_curve(losses, groups=groups[::-1])["mean_loss"][299] < 0.4 * losses.mean()


@pytest.mark.parametrize(("losses", "message"), [(np.ones(3), "20 rows"), (np.full(20, np.nan), "20 missing")])
def test_bad_losses_raise(losses, message):
    rows = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(ValueError, match=message):
        DomainClassifierTest(LogisticRegression(), cv=2, random_state=0).fit(rows).reliability_curve(losses)


@pytest.mark.parametrize("value", [1.7e308, -1e160, 9.96921e36])
def test_classifier_finds_a_shift_beside_a_huge_value(seed, value):
    first, second = np.random.default_rng(seed).normal(size=(2, 200, 3))
    first[3, 1] = value
    test = DomainClassifierTest(random_state=0).fit_samples(first, second + np.array([1.0, 0, 0]))
    assert test.pvalue_ < 1e-6
    assert test.feature_importances_.argmax() == 0


@pytest.mark.parametrize(
    "test",
    [
        EnergyTest(),
        KernelTest(),
        KNNTwoSampleTest(null="permutation"),
        NPLMTest(n_centers=20),
        DomainClassifierTest(LogisticRegression(), cv=2, null="permutation"),
    ],
    ids=lambda test: type(test).__name__,
)
def test_too_few_permutations_for_the_level_are_told_where_they_decide(test):
    first, second = np.random.default_rng(0).normal(size=(2, 60, 2))
    test.set_params(n_permutations=19, alpha=0.04, random_state=0)
    with pytest.warns(UserWarning, match=r"n_permutations=19 allows, and above alpha=0.04.*n_permutations=24 or more"):
        test.fit_samples(first, second + 4)
    test.fit_samples(first, second)  # whose p-value is larger
    test.set_params(alpha=0.05).fit_samples(first, second + 4)
    assert test.pvalue_ == pytest.approx(0.05)


def _with_missing(seed, n_rows=48):
    X, groups = np.random.default_rng(seed).normal(size=(n_rows, 3)), np.arange(n_rows) % 2
    X[groups == 1, 0] += 6.0
    X[np.arange(n_rows) % 5 == 0, 1] = np.nan
    return X, groups


def test_differences_of_few_rows_with_missing_values_are_found(seed):
    X, groups = _with_missing(seed)
    test = DomainClassifierTest(random_state=seed).fit(X, groups=groups)
    assert test.pvalue_ < 0.05
    assert test.feature_importances_.argmax() == 0
    assert test.feature_importances_[0] > 0.2


def test_classifiers_that_give_all_rows_one_score_are_named(seed):
    X, groups = _with_missing(seed)
    words = "DomainClassifierTest give all rows one score: 48 rows of 3 columns are too few for HistGradient.*Give more"
    with pytest.warns(UserWarning, match=words):
        DomainClassifierTest(HistGradientBoostingClassifier(), random_state=0).fit(X, groups=groups)
    DomainClassifierTest(random_state=0).fit(np.ones((48, 2)), groups=groups)  # nothing to find


def test_pvalues_that_few_rows_cannot_have_are_told(seed):
    X, groups = _with_missing(seed, n_rows=8)
    with pytest.warns(UserWarning, match=r"cannot be below 0.17: 4 of the 8 rows are tested, 2 of them of the other"):
        DomainClassifierTest(random_state=0).fit(X, groups=groups)
