import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, SGDRegressor
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold

from skanomaly.sampling import (
    SMOTE,
    EAPSampler,
    ExpectedAnomalyPosterior,
    NoveltyReplay,
    OptimalImbalance,
    RandomDistillationNovelty,
    RandomUnderSampler,
    SamplerDisplay,
)


def _rows(seed, n=1500):
    return make_classification(n, 10, weights=[0.93], flip_y=0.02, class_sep=0.7, random_state=seed)


def test_scores_are_those_of_an_exhaustive_search(seed):
    X, y = _rows(seed)
    folds = StratifiedKFold(3)
    search = OptimalImbalance(ratios=(0.3, 0.5), cv=folds, random_state=0).fit(X, y)
    plain = [
        average_precision_score(y[test], LogisticRegression().fit(X[train], y[train]).predict_proba(X[test])[:, 1])
        for train, test in folds.split(X, y)
    ]
    results = search.results_
    natural = np.flatnonzero(results["ratio"] == search.natural_ratio_)[0]
    assert_allclose(results["mean_score"][natural], np.mean(plain))
    assert search.best_ratio_ == results["ratio"][results["mean_score"].argmax()]
    assert results["loss"].min() == 0


@pytest.mark.parametrize("sampler", [None, SMOTE()])
@pytest.mark.parametrize("ratio", [0.02, 0.3, 0.6])
def test_training_rows_have_the_chosen_fraction(sampler, ratio, seed):
    X, y = _rows(seed)
    search = OptimalImbalance(ratios=(ratio,), sampler=sampler, cv=3, random_state=0).fit(X, y)
    train = search.estimator_.sampler.set_params(fraction=ratio, random_state=0)
    _, targets = train.fit_resample(X, y)
    assert abs(np.mean(targets == 1) - ratio) < 0.01


def test_probabilities_have_the_prevalence(seed):
    X, y = make_classification(20_000, 6, weights=[0.9], flip_y=0, class_sep=0.6, random_state=seed)
    search = OptimalImbalance(ratios=(0.5,), cv=2, random_state=0).fit(X[::2], y[::2])
    assert abs(search.predict_proba(X[1::2])[:, 1].mean() / y[1::2].mean() - 1) < 0.12


@pytest.mark.parametrize("ratios", [(0.0,), (1.0,), ((0.5,),)])
def test_impossible_fractions_raise(ratios, seed):
    with pytest.raises(ValueError, match="ratios"):
        OptimalImbalance(ratios=ratios).fit(*_rows(seed, 200))


@pytest.mark.parametrize(
    "labels", [np.array(["ok", "fraud"]), np.array(["ok", "fraud"], dtype=object), np.array([1, 0])], ids=str
)
def test_labels_do_not_move_the_default_scores(labels, seed):
    X, y = _rows(seed, 400)
    named = labels[y]
    plain, other = (OptimalImbalance(ratios=(0.3, 0.5), cv=3, random_state=0).fit(X, given) for given in (y, named))
    assert_allclose(other.results_["mean_score"], plain.results_["mean_score"], rtol=1e-6)


def test_best_score_is_the_largest_of_the_results(seed):
    search = OptimalImbalance(ratios=(0.3, 0.5), cv=3, random_state=0).fit(*_rows(seed, 400))
    assert search.best_score_ == search.results_["mean_score"].max()


@pytest.mark.filterwarnings("ignore:Scoring failed:UserWarning", "ignore:One or more of the test scores:UserWarning")
def test_fractions_without_any_score_raise(seed):
    X, y = _rows(seed, 200)
    with pytest.raises(ValueError, match=r"ratios=\[0.3, 0.5\].*scoring='f1'"):
        OptimalImbalance(ratios=(0.3, 0.5), scoring="f1", cv=3).fit(X, np.where(y, "fraud", "ok"))


def _stream(seed, n=4000):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 2))
    rare = random.random(n) < 0.05
    X[rare] += 4
    return X, np.sin(X[:, 0]) + X[:, 1] * np.where(rare, -0.3, 0.5), rare


def test_novelty_is_high_early_and_fades(seed):
    X, _, rare = _stream(seed)
    early, late = (
        -RandomDistillationNovelty(n_features=256, random_state=seed).fit(X[:stop]).score_samples(X)
        for stop in (200, 4000)
    )
    assert np.median(early[rare]) > 1.3 * np.median(early[~rare])
    assert np.median(late[rare]) < np.median(early[rare])


@pytest.mark.parametrize("n_columns", [2, 20, 200])
def test_novelty_falls_as_one_over_the_visits(n_columns, seed):
    random = np.random.default_rng(seed)
    novelty = RandomDistillationNovelty(random_state=seed).partial_fit(random.normal(size=(200, n_columns)))
    place = random.normal(size=(1, n_columns)) + 3.0
    values = [-novelty.score_samples(place)[0]]
    for n_visits in (1, 99, 900):
        novelty.partial_fit(np.repeat(place, n_visits, axis=0))
        values.append(-novelty.score_samples(place)[0])
    assert values[0] > values[1] > values[2] > values[3] > 0
    assert_allclose(values[2] / values[3], 10, rtol=0.05)


def test_novelty_is_the_mean_error_over_random_functions(seed):
    random = np.random.default_rng(seed)
    X, fresh = random.normal(size=(100, 3)), random.normal(size=(20, 3))
    novelty = RandomDistillationNovelty(ridge=1e-2, random_state=seed).fit(X)
    features, probes = novelty._features(X), novelty._features(fresh)
    functions = random.normal(size=(64, 4000))
    # A function with noise of variance `ridge`: the posterior mean is the student, its error the posterior variance.
    noisy = features @ functions + 0.1 * random.normal(size=(100, 4000))
    student = np.linalg.solve(features.T @ features + 1e-2 * np.eye(64), features.T @ noisy)
    assert_allclose(np.square(probes @ (functions - student)).mean(axis=1), -novelty.score_samples(fresh), rtol=0.2)


def test_batches_add_up_to_one_fit(seed):
    X = np.random.default_rng(seed).normal(size=(300, 3))
    novelty = RandomDistillationNovelty(random_state=0).partial_fit(X[:150])
    gram = novelty._gram.copy()
    novelty.partial_fit(X[150:])
    features = novelty._features(X[150:])
    assert_allclose(novelty._gram, gram + features.T @ features)
    assert novelty.n_samples_seen_ == 300


@pytest.mark.parametrize("weight", ["mixed", "novelty", "uniform"])
def test_replay_halves_the_error_of_one_pass(weight, seed):
    X = np.random.default_rng(seed).normal(size=(1500, 2))
    y = X @ [1.0, -2.0]
    errors = []
    for extra in (0, 3):
        inner = SGDRegressor(eta0=0.001, random_state=0)
        model = NoveltyReplay(inner, extra_updates=extra, weight=weight, random_state=0).fit(X, y)
        errors.append(np.mean((model.predict(X) - y) ** 2))
    assert errors[1] < 0.5 * errors[0]


def test_reuse_weights_are_probabilities_of_the_buffer(seed):
    X, y, _ = _stream(seed, 500)
    model = NoveltyReplay(SGDRegressor(), buffer_size=120, random_state=0).fit(X, y)
    assert model.reuse_weights_.shape == (120,)
    assert_allclose(model.reuse_weights_.sum(), 1)


def test_classifier_needs_its_classes_first(seed):
    X, y = _rows(seed, 100)
    with pytest.raises(ValueError, match="classes"):
        NoveltyReplay().partial_fit(X, y)
    assert_array_equal(NoveltyReplay(random_state=0).partial_fit(X, y, classes=[0, 1]).classes_, [0, 1])


@pytest.mark.parametrize(
    "sampler",
    [SMOTE(), RandomUnderSampler(), EAPSampler(quality=ExpectedAnomalyPosterior(n_subsets=3))],
)
def test_display_distinguishes_rows(sampler, seed):
    X, y = _rows(seed, 300)
    display = SamplerDisplay.from_estimator(sampler.set_params(random_state=0), X, y)
    assert display.real.shape == (300, 2)
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert ("dropped" in names) == (not display.kept.all())
    assert ("synthetic" in names) == (len(display.synthetic) > 0)
    assert ("rejected" in names) == isinstance(sampler, EAPSampler)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (lambda X: pd.DataFrame(X[:, :2], columns=["age", "income"]), ("age", "income")),
        (lambda X: X[:, :2], ("column 0", "column 1")),
        (lambda X: X, ("first component", "second component")),
    ],
    ids=["frame", "array", "projected"],
)
def test_display_names_its_axes(kind, names, seed):
    X, y = _rows(seed, 200)
    ax = SamplerDisplay.from_estimator(RandomUnderSampler(random_state=0), kind(X), y).ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == names


def test_legend_of_a_display_stands_beside_its_points(seed):
    X, y = _rows(seed, 200)
    display = SamplerDisplay.from_estimator(RandomUnderSampler(random_state=0), X, y)
    display.figure_.canvas.draw()
    assert display.ax_.get_legend().get_window_extent().x0 >= display.ax_.get_window_extent().x1


def test_display_draws_a_resampled_table_from_anywhere(seed):
    X, y = _rows(seed, 100)
    display = SamplerDisplay.from_predictions(X, y, np.vstack([X[5:], X[:3] + 0.1]), [*range(5, 100), -1, -1, -1])
    assert_array_equal(np.flatnonzero(~display.kept), np.arange(5))
    assert len(display.synthetic) == 3
    with pytest.raises(ValueError, match="sample_indices has shape"):
        SamplerDisplay.from_predictions(X, y, X, np.arange(5))
    with pytest.raises(ValueError, match="trajectories has shape"):
        SamplerDisplay.from_predictions(X, y, X, np.arange(len(X)), trajectories=np.zeros((3, 2)))


@pytest.mark.parametrize("n_columns", [2, 4])
def test_display_draws_trajectories_within_the_rows(n_columns, seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(50, n_columns)), np.repeat([0, 1], 25)
    options = {"sample_indices": np.arange(50)}
    plain = SamplerDisplay.from_predictions(X, y, X, **options)
    paths = 100 * random.normal(size=(6, 9, n_columns))
    display = SamplerDisplay.from_predictions(X, y, X, trajectories=paths, **options)
    assert display.trajectories.shape == (6, 9, 2)
    assert len(display.ax_.lines) == 6
    assert display.ax_.get_xlim() == plain.ax_.get_xlim()
    assert "trajectories" in [text.get_text() for text in display.ax_.get_legend().get_texts()]
