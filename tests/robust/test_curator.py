import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, ShuffleSplit

from skanomaly.base import check_sampler
from skanomaly.robust import MaskedEstimator, SampleCurator, ZErrorClassifier, ZErrorMask
from skanomaly.robust._reference import Forests, averaged_label_errors, label_errors


def _regression(seed, fraction=0.1, n=1000):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 4))
    wrong = random.random(n) < fraction
    return X, X @ [1.0, 2.0, 0.0, -1.0] + random.normal(size=n) + 8 * wrong, wrong


def _logistic(seed, fraction, n=3000):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 4))
    y = (random.random(n) < 1 / (1 + np.exp(-2 * (X @ [1.0, 1.0, -1.0, 0.0])))).astype(int)
    wrong = random.random(n) < fraction
    return X, np.where(wrong, 1 - y, y), wrong


def test_decision_drops_wrong_targets(seed):
    X, y, wrong = _regression(seed)
    curator = SampleCurator(random_state=seed)
    X_kept, y_kept = curator.fit_resample(X, y)
    assert (curator.decision_[wrong] == "drop").mean() > 0.95
    assert (curator.decision_[~wrong] == "drop").mean() < 0.02
    assert_array_equal(curator.sample_indices_, np.flatnonzero(curator.decision_ != "drop"))
    assert_array_equal(X_kept, X[curator.sample_indices_])
    assert_array_equal(y_kept, y[curator.sample_indices_])


@pytest.mark.parametrize(("make", "rate"), [(_regression, 0.01), (_regression, 0.002), (_logistic, 0.01)])
def test_false_drop_rate_bounds_drops_on_clean_data(seed, make, rate):
    X, y, _ = make(seed, 0.0, 3000)
    curator = SampleCurator(false_drop_rate=rate, random_state=seed).fit(X, y)
    dropped = (curator.decision_ == "drop").sum()
    # The bound fails once in a million runs; the factor 1.5 allows for the estimation error of the model.
    assert dropped <= binom.ppf(1 - 1e-6, y.size, 1.5 * rate)


def test_false_review_rate_bounds_marked_rows_on_clean_data(seed):
    X, y, _ = _regression(seed, 0.0, 3000)
    curator = SampleCurator(false_review_rate=0.05, random_state=seed).fit(X, y)
    assert (curator.decision_ != "keep").sum() <= binom.ppf(1 - 1e-6, y.size, 1.1 * 0.05)


def test_clean_pvalues_are_uniform_at_five_percent(seed):
    X, y, _ = _regression(seed, 0.0, 3000)
    fraction = (SampleCurator(random_state=seed).fit(X, y).sample_pvalues_ <= 0.05).mean()
    assert 0.03 < fraction < 0.07


def test_scores_rank_label_errors(seed):
    X, y = make_classification(
        1200, n_informative=6, n_clusters_per_class=1, class_sep=2.0, flip_y=0, random_state=seed
    )
    wrong = np.random.default_rng(seed).random(1200) < 0.1
    curator = SampleCurator(random_state=seed).fit(X, np.where(wrong, 1 - y, y))
    assert roc_auc_score(wrong, -curator.sample_scores_) > 0.9


def _ring(seed, n=1000):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 3))
    y = (np.square(X).sum(axis=1) > 2.4).astype(int)
    wrong = (random.random(n) < 0.2) & (y == 1)
    return X, y, wrong


def test_forest_ranks_errors_of_classes_that_no_line_separates(seed):
    X, y, wrong = _ring(seed)
    noisy = np.where(wrong, 1 - y, y)
    with_forest, linear = (
        roc_auc_score(wrong, -SampleCurator(estimator, random_state=seed).fit(X, noisy).sample_scores_)
        for estimator in (None, ZErrorClassifier())
    )
    assert with_forest > max(0.9, linear + 0.05)


def test_forest_ranks_no_worse_where_a_line_separates(seed):
    X, y, wrong = _logistic(seed, 0.1, 600)
    with_forest, linear = (
        roc_auc_score(wrong, -SampleCurator(estimator, random_state=seed).fit(X, y).sample_scores_)
        for estimator in (None, ZErrorClassifier())
    )
    assert with_forest > linear - 0.01


def test_a_row_and_its_copies_do_not_vouch_for_each_other(seed):
    X, y, wrong = _ring(seed, 400)
    noisy = np.where(wrong, 1 - y, y)
    votes = Forests(2, np.random.default_rng(0)).outputs(0, np.repeat(X, 3, axis=0), np.repeat(noisy, 3), None)
    assert_array_equal(votes[::3], votes[1::3])
    assert roc_auc_score(wrong, label_errors(votes[::3], noisy)) > 0.85


def test_label_errors_are_1_at_the_boundary_and_2_at_the_contradiction_of_a_typical_label():
    outputs = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.3, 0.7], [0.5, 0.5]])
    assert_allclose(label_errors(outputs, np.array([0, 1, 1, 0, 1])), [0, 2, 0, 2, 1], atol=1e-12)


def test_label_errors_are_1_where_no_label_is_predicted():
    assert_array_equal(label_errors(np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([1, 0])), [1.0, 1.0])


def test_average_is_nearer_to_the_classifier_that_contradicts_fewer_labels():
    labels = np.repeat([0, 1], [5, 4])
    few, many = np.zeros(9), np.r_[np.full(2, 2.0), np.full(7, -5.0)]
    few[-1] = 5.0
    shares = np.array([2.5 / 1.5, 1.5 / 2.5])
    expected = [2 * shares[1], 2 * shares[1], *[-shares[1]] * 6, 3 * shares[0] - shares[1]]
    assert_allclose(averaged_label_errors(few, many, labels), np.array(expected) / shares.sum())


def test_classifier_no_better_than_the_most_frequent_class_has_no_say():
    labels = np.repeat([0, 1], [5, 4])
    good, bad = np.zeros(9), np.r_[np.full(5, 2.0), np.zeros(4)]
    assert_allclose(averaged_label_errors(good, bad, labels), good, atol=1e-3)


def test_higher_false_drop_rate_drops_no_fewer_rows(seed):
    X, y, _ = _logistic(seed, 0.1, 1000)
    strict, loose = (SampleCurator(false_drop_rate=rate, random_state=0).fit(X, y) for rate in (0.001, 0.05))
    assert not ((strict.decision_ == "drop") & (loose.decision_ != "drop")).any()


@pytest.mark.parametrize(
    "estimator", [ZErrorClassifier(masking=ZErrorMask(threshold=1.5)), MaskedEstimator(Ridge(), cv=None)]
)
def test_other_estimators_rank_wrong_targets(estimator):
    make = _logistic if isinstance(estimator, ZErrorClassifier) else _regression
    X, y, wrong = make(0, 0.1, 500)
    curator = SampleCurator(estimator, cv=3, random_state=0).fit(X, y)
    assert roc_auc_score(wrong, -curator.sample_scores_) > 0.8


def test_the_score_is_the_out_of_fold_error_of_a_splitter(seed):
    X, y, _ = _regression(seed, n=300)
    inner = MaskedEstimator(Ridge(), cv=None, random_state=0)
    curator = SampleCurator(inner, cv=KFold(3), random_state=seed).fit(X, y)
    train, test = next(KFold(3).split(X))
    assert_array_equal(
        curator.sample_scores_[test], clone(inner).fit(X[train], y[train]).score_samples(X[test], y[test])
    )


def test_label_issues_are_ranked_by_the_score(seed):
    X, y, wrong = _regression(seed, 0.1, n=400)
    curator = SampleCurator(random_state=seed).fit(X, y)
    issues = curator.label_issues_
    assert_array_equal(np.sort(issues), np.flatnonzero(curator.decision_ != "keep"))
    assert (np.diff(curator.sample_scores_[issues]) >= 0).all()
    assert wrong[issues[:20]].mean() > 0.9


def test_splitter_must_test_every_row_exactly_once(seed):
    X, y, _ = _regression(seed, n=100)
    with pytest.raises(ValueError, match="must test every row exactly once"):
        SampleCurator(cv=ShuffleSplit(3)).fit(X, y)


def test_no_class_is_dropped_entirely():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(300, 2)), np.r_[np.ones(4, dtype=int), np.zeros(296, dtype=int)]
    curator = SampleCurator(cv=2, false_drop_rate=0.5, false_review_rate=0.6, random_state=0)
    _, y_kept = curator.fit_resample(X, y)
    assert set(y_kept) == {0, 1}


def test_class_of_one_row_raises():
    with pytest.raises(ValueError, match="at least 2 rows, and at least 2 of each class"):
        SampleCurator().fit(np.arange(12.0).reshape(6, 2), [0, 0, 0, 0, 0, 1])


def test_several_targets_raise():
    with pytest.raises(ValueError, match="y"):
        SampleCurator().fit(np.arange(12.0).reshape(6, 2), np.ones((6, 2)))


def test_curator_passes_check_sampler():
    check_sampler(SampleCurator(random_state=0))


def test_rows_are_dropped_in_an_imblearn_pipeline(seed):
    pipeline = pytest.importorskip("imblearn.pipeline")
    X, y, _ = _regression(seed, fraction=0.2)
    model = pipeline.make_pipeline(SampleCurator(random_state=seed), Ridge()).fit(X, y)
    assert np.abs(model.predict(X) - X @ [1.0, 2.0, 0.0, -1.0]).mean() < 0.2


def test_decisions_are_the_same_bits_for_any_number_of_jobs():
    X, y, _ = _regression(0, n=200)
    one, two = (SampleCurator(cv=3, n_jobs=n_jobs, random_state=0).fit(X, y) for n_jobs in (1, 2))
    assert_array_equal(one.sample_scores_, two.sample_scores_)
    assert_array_equal(one.mask_frequency_, two.mask_frequency_)
