import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.mixture import GaussianMixture

from skanomaly.generation import MixtureDenoiser, collapse_variance, evaluate_samples, recursive_generation
from tests.generation.test_mixture_denoiser import modes


def _last(generator, n_samples, n_generations, n_runs, **options):
    X = np.random.default_rng(0).normal(size=(n_samples, 1))
    runs = [
        recursive_generation(X, generator, n_generations=n_generations, random_state=seed, **options).iloc[-1]
        for seed in range(n_runs)
    ]
    return np.array([[run["variance"], run["squared_shift"], run["distinct_rows"]] for run in runs])


@pytest.mark.parametrize(("generator", "width"), [("gaussian", 0.0), ("bootstrap", 0.0), (0.1, 0.1)])
def test_variance_falls_as_the_formula_says(generator, width):
    found = _last(generator, 50, 20, 200)
    expected = collapse_variance(50, 20, width=width)
    assert abs(found[:, 0].mean() - expected) < 3 * found[:, 0].std(ddof=1) / np.sqrt(200)


def test_mean_wanders_as_the_formula_says():
    found = _last("gaussian", 50, 20, 200)[:, 1]
    assert abs(found.mean() - (1 - collapse_variance(50, 20))) < 3 * found.std(ddof=1) / np.sqrt(200)


def test_bootstrap_keeps_two_n_over_t_rows():
    found = _last("bootstrap", 200, 30, 100)[:, 2]
    # The number of ancestors of n rows after T generations is about 2 n / T.
    assert 0.75 < found.mean() / (2 * 200 / 30) < 1.05


def test_median_collapses_faster_than_the_mean():
    found = _last("gaussian", 20, 60, 120)[:, 0]
    assert np.median(found) < 0.6 * found.mean()


def test_real_rows_keep_the_tails():
    kept = _last("bootstrap", 100, 40, 100, keep_real=0.1)[:, 0]
    # Each generation adds 0.81 of the squared shift of the mean before and 1 / n; its variance is a mixture's.
    shift = 1.0 / (0.19 * 100)
    variance = 0.99 * (0.1 + 0.09 * shift) / (1 - 0.99 * 0.9)
    assert abs(kept.mean() - variance) < 4 * kept.std(ddof=1) / np.sqrt(100)
    assert _last("bootstrap", 100, 40, 40)[:, 0].mean() < 0.8
    assert _last("bootstrap", 100, 40, 40, accumulate=True)[:, 0].mean() > 0.9


@pytest.mark.parametrize("generator", [MixtureDenoiser(), GaussianMixture(2)])
def test_any_estimator_with_sample_can_be_the_generator(generator, seed):
    X, _ = modes(seed)
    history = recursive_generation(X, generator, n_generations=3, random_state=seed)
    assert history.generation.tolist() == [0, 1, 2, 3]
    assert 0.6 < history.variance.iloc[-1] < 1.6
    assert history.wasserstein.iloc[0] == 0
    assert_allclose(history.tail_fraction.iloc[0], 0.02, atol=0.001)


def test_width_of_one_over_root_n_keeps_the_variance():
    assert_allclose(collapse_variance(100, [10, 100], width=np.sqrt(1 / 99)), 1.0)


def test_table_of_generators_tells_good_ones_from_bad_ones(seed):
    X, _ = modes(seed, 3, 900)
    train, held = X[:450], X[450:]
    random = np.random.default_rng(seed)
    generated = {
        "kernel": MixtureDenoiser(random_state=seed).fit(train),
        "copies": train[random.integers(450, size=450)] + 1e-4,
        "one mode": train[train[:, :2].max(axis=1) < 4][:200],
        "one gaussian": random.multivariate_normal(train.mean(axis=0), np.cov(train.T), size=450),
    }
    table = evaluate_samples(generated, train, held, random_state=0)
    assert table.index.tolist() == ["held-out", *generated]
    assert table.pvalue["held-out"] > 0.001
    assert table.pvalue["kernel"] > 0.001
    assert (table.pvalue[["one mode", "one gaussian"]] <= 0.01).all()
    assert table.near_copies["copies"] > 0.99
    assert table.near_copies["kernel"] < 0.7
    assert table.coverage["one mode"] < 0.75 < table.coverage["kernel"]
    assert table.off_support["one gaussian"] > 0.1 > table.off_support["kernel"]
    assert table.precision["one gaussian"] < 0.75 < table.precision["kernel"]


def test_held_out_rows_are_as_far_as_the_table_says(seed):
    random = np.random.default_rng(seed)
    table = evaluate_samples(random.normal(size=(2000, 2)), random.normal(size=(500, 2)), random.normal(size=(2000, 2)))
    assert abs(table.off_support["generated"] - 0.01) < 4.5 * np.sqrt(0.01 * 0.99 * 2 / 2000)
    assert abs(table.near_copies["generated"] - 0.05) < 4.5 * np.sqrt(0.05 * 0.95 * 2 / 2000)


@pytest.mark.parametrize(
    ("generated", "real", "match"),
    [(np.ones((5, 3)), np.ones((30, 2)), "columns"), (np.ones((5, 2)), np.ones((30, 3)), "columns")],
)
def test_tables_with_other_columns_raise(generated, real, match):
    with pytest.raises(ValueError, match=match):
        evaluate_samples(generated, np.random.default_rng(0).normal(size=(30, 2)), real)
