import copy
import pickle

import numpy as np
import pytest
from joblib import parallel_config
from scipy.stats import binom
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skanomaly.model_selection import BudgetExhaustedError, ReusableHoldout
from tests.model_selection.toys import Column

SIZE, N_KEPT = 2000, 500


def _experiment(random, signal):
    """Return the accuracies that the naive and the reusable holdout report, and the true one.

    The analyst keeps columns whose sign of correlation agrees between training and holdout, and votes.
    """
    y = random.choice([-1.0, 1.0], size=(3, SIZE))
    X = random.normal(size=(3, SIZE, SIZE)) + 0.0
    X[:, :, :20] += signal * y[:, :, None]
    train, held_out = (np.einsum("ij,i->j", X[part], y[part]) / SIZE for part in (0, 1))

    def accuracies(chosen, signs):
        votes = np.einsum("pij,j->pi", X[:, :, chosen], signs)
        return (np.sign(votes) == y).mean(axis=1)

    agree = np.flatnonzero(np.sign(train) == np.sign(held_out))
    chosen = agree[np.argsort(-np.abs(train[agree]))[:N_KEPT]]
    naive = accuracies(chosen, np.sign(train[chosen]))[1]

    holdout = ReusableHoldout(random_state=int(random.integers(2**31 - 1)))
    # Correlations lie in [-1, 1]; queries take means of values in [0, 1].
    answers = 2 * holdout.query_many((1 + np.clip(train, -1, 1)) / 2, (1 + np.clip(held_out, -1, 1)) / 2) - 1
    agree = np.flatnonzero(np.sign(train) == np.sign(answers))
    chosen = agree[np.argsort(-np.abs(answers[agree]))[:N_KEPT]]
    found = accuracies(chosen, np.sign(train[chosen]))
    return naive, holdout.query(found[0], found[1]), found[2]


@pytest.mark.slow
def test_naive_holdout_overfits_and_the_reusable_one_does_not(seed):
    random = np.random.default_rng(seed)
    naive, reported, true = np.array([_experiment(random, signal=0.0) for _ in range(9)]).T
    assert naive.min() > 0.6
    # Threshold and three times the noise. Rarely the noise lets the training value through, hence the median.
    assert np.median(np.abs(reported - 0.5)) < 0.04 + 3 * 0.01
    assert np.abs(true - 0.5).mean() < 0.02


@pytest.mark.slow
def test_reusable_holdout_lets_signal_through(seed):
    random = np.random.default_rng(seed)
    _, reported, true = np.array([_experiment(random, signal=0.2) for _ in range(7)]).T
    assert np.median(true) > 0.55
    assert np.median(np.abs(reported - true)) < 0.04 + 3 * 0.01


def test_agreement_returns_the_training_value_and_costs_nothing(seed):
    holdout = ReusableHoldout(threshold=0.5, random_state=seed)
    assert holdout.query_many(np.full(50, 0.7), np.full(50, 0.71)).tolist() == [0.7] * 50
    assert (holdout.n_queries_, holdout.n_overfit_) == (50, 0)


def test_disagreement_returns_the_holdout_value_with_noise_and_costs(seed):
    holdout = ReusableHoldout(random_state=seed, budget=400)
    answers = holdout.query_many(np.ones(300), np.full(300, 0.3))
    assert abs(np.median(answers) - 0.3) < 0.005
    assert len(set(answers.tolist())) == 300
    assert holdout.n_overfit_ == 300
    assert holdout.budget_left_ == 100


def test_every_answer_is_near_the_holdout(seed):
    """Union of exponential tails: 100 comparisons and 100 answers, at most 1e-9 each."""
    random = np.random.default_rng(seed)
    train, held_out = random.uniform(size=(2, 100))
    holdout = ReusableHoldout(random_state=seed)
    reach = holdout.threshold + (2 + 4) * holdout.noise * np.log(1e9)
    assert (np.abs(holdout.query_many(train, held_out) - held_out) < reach).all()


def test_budget_ends_every_answer():
    holdout = ReusableHoldout(budget=2, random_state=0)
    holdout.query_many([1.0, 1.0], [0.0, 0.0])
    assert holdout.budget_left_ == 0
    with pytest.raises(BudgetExhaustedError, match="budget of 2"):
        holdout.query(0.5, 0.5)
    assert ReusableHoldout().budget_left_ == np.inf


def test_threshold_and_noise_follow_the_size():
    holdout = ReusableHoldout.for_holdout(10_000)
    assert (holdout.threshold, holdout.noise) == (0.04, 0.01)


@pytest.mark.parametrize(("train", "held_out"), [(1.2, 0.5), (0.5, -0.1), (float("nan"), 0.5)])
def test_values_outside_the_unit_interval_raise(train, held_out):
    with pytest.raises(ValueError, match="must be in"):
        ReusableHoldout().query(train, held_out)


@pytest.mark.parametrize("options", [{"threshold": 0}, {"noise": 0}, {"budget": -1}])
def test_parameters_are_checked_by_the_first_query(options):
    with pytest.raises(ValueError, match=f"'{next(iter(options))}' parameter of ReusableHoldout"):
        ReusableHoldout(**options).query(0.5, 0.5)


@pytest.mark.parametrize("n_rows", [1, 500, 2499])
def test_small_holdouts_warn(n_rows):
    with pytest.warns(UserWarning, match=rf"n_rows={n_rows} gives the threshold .*at least 2,500"):
        ReusableHoldout.for_holdout(n_rows)


@pytest.mark.parametrize("n_rows", [2500, 10_000, 100_000])
def test_holdouts_that_are_large_enough_seldom_return_an_overfitted_value(n_rows, seed):
    returned = sum(
        ReusableHoldout.for_holdout(n_rows, random_state=1000 * seed + draw).query(0.766, 0.5) == 0.766
        for draw in range(300)
    )
    # The gap is 0.266, the threshold at most 0.08 and the noise of the comparison at most 0.08 and 0.04: 7 % at most.
    assert returned <= binom.ppf(1 - 1e-6, 300, 0.07)


def test_size_is_checked():
    with pytest.raises(ValueError, match="n_rows=0"):
        ReusableHoldout.for_holdout(0)


def _accuracy(estimator, X, y):
    return float(np.mean(estimator.predict(X) == y))


def _noise_search(holdout, seed, **options):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(200, 150)), random.choice([-1, 1], size=200)
    train, held_out = np.arange(100), np.arange(100, 200)
    scorer = holdout.scorer(_accuracy, X[train], y[train])
    search = GridSearchCV(
        LogisticRegression(), {"C": [0.01, 1.0, 100.0]}, scoring=scorer, cv=[(train, held_out)], refit=False, **options
    )
    return search, X, y


def test_search_sees_answers_and_their_cost_is_counted(seed):
    holdout = ReusableHoldout(random_state=seed)
    search, X, y = _noise_search(holdout, seed)
    values = clone(search).fit(X, y).cv_results_["mean_test_score"]
    # 150 columns fit 100 rows of noise perfectly: every answer comes from the holdout.
    assert (values < 0.8).all()
    assert holdout.n_queries_ == holdout.n_overfit_ == 3


def test_copies_of_the_scorer_share_the_budget():
    scorer = ReusableHoldout(budget=1).scorer(_accuracy, np.zeros((2, 1)), [1, -1])
    assert copy.deepcopy(scorer) is scorer


def test_scorer_may_be_named():
    X, y = np.arange(10.0)[:, None], np.repeat([1, -1], 5)
    scorer = ReusableHoldout(random_state=0).scorer("roc_auc", X, y)
    assert scorer(Column().fit(X), X, y) == 1.0


def test_scorer_that_cannot_be_called_raises_at_once():
    with pytest.raises(TypeError, match=r"scoring=3 must be a name for get_scorer, or scoring\(estimator, X, y\)"):
        ReusableHoldout().scorer(3, np.zeros((2, 1)), [1, -1])


def test_scorer_stays_in_its_process():
    scorer = ReusableHoldout().scorer(_accuracy, np.zeros((2, 1)), [1, -1])
    with pytest.raises(TypeError, match="processes cannot share"):
        pickle.dumps(scorer)


def test_threads_share_the_budget(seed):
    holdout = ReusableHoldout(random_state=seed)
    search, X, y = _noise_search(holdout, seed, n_jobs=2)
    with parallel_config("threading"):
        search.fit(X, y)
    assert holdout.n_overfit_ == 3
