"""Every test keeps its level on continuous, tied, binary and mixed tables of 50, 200 and 2,000 rows."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from skanomaly import audit
from skanomaly._cli._compare import compare_files

N_TABLES = {50: 200, 200: 100, 2000: 40}
COLUMNS = {
    "continuous": lambda random, n: random.normal(size=(n, 3)),
    "tied": lambda random, n: random.poisson(1.0, size=(n, 3)).astype(float),
    "binary": lambda random, n: (random.random((n, 3)) < [0.5, 0.3, 0.1]).astype(float),
    "mixed": lambda random, n: np.column_stack(
        [random.standard_cauchy(n), random.poisson(2.0, n), random.random(n) < 0.3, random.gamma(0.5, size=n)]
    ),
}
TESTS = {
    audit.CensoredTwoSampleTest: {"horizon": 1.5},
    audit.ColumnDriftTest: {"n_resamples": 1, "n_permutations": 199},
    audit.CorrelatorTest: {"n_permutations": 99},
    audit.CovarianceSpectrumTest: {"n_draws": 99},
    audit.DomainClassifierTest: {"estimator": LogisticRegression(), "cv": 2},
    audit.EnergyTest: {"n_permutations": 99},
    audit.KNNChangePointTest: {"null": "permutation", "n_permutations": 99},
    audit.KNNDriftTest: {"null": "permutation", "n_permutations": 99},
    audit.KNNTwoSampleTest: {"null": "permutation", "n_permutations": 99},
    audit.KernelTest: {"n_permutations": 99},
    audit.MissingnessTest: {"n_permutations": 99},
    audit.NPLMTest: {"n_permutations": 99, "n_centers": 10},
    audit.WindowExcessSearch: {"estimator": LogisticRegression(), "cv": 2, "fractions": (0.2,)},
}


def _pvalue(cls, parameters, kind, n_rows, seed):
    random = np.random.Generator(np.random.PCG64([n_rows, seed]))
    rows = COLUMNS[kind](random, n_rows)
    if cls is audit.CensoredTwoSampleTest:
        rows = np.abs(rows)  # durations
    if cls is audit.MissingnessTest:
        rows[random.permutation(n_rows)[: n_rows // 4], 0] = np.nan
    return cls(random_state=seed, **parameters).fit(rows).pvalue_


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:No event is observed:UserWarning")
@pytest.mark.parametrize("n_rows", list(N_TABLES))
@pytest.mark.parametrize("kind", list(COLUMNS))
@pytest.mark.parametrize("cls", list(TESTS), ids=lambda cls: cls.__name__)
def test_level_is_kept(cls, kind, n_rows):
    n_tables = N_TABLES[n_rows]
    pvalues = np.array([_pvalue(cls, TESTS[cls], kind, n_rows, seed) for seed in range(n_tables)])
    for level in (0.05, 0.01):
        assert (pvalues <= level).sum() <= stats.binom.ppf(0.9999, n_tables, level)


@pytest.mark.slow
@pytest.mark.parametrize("cls", [audit.EnergyTest, audit.KernelTest, audit.ColumnDriftTest, audit.KNNTwoSampleTest])
def test_level_is_reached_on_continuous_tables(cls):
    pvalues = np.array([_pvalue(cls, TESTS[cls], "continuous", 50, seed) for seed in range(500)])
    assert (pvalues <= 0.05).sum() >= stats.binom.ppf(0.0001, 500, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [100, 400])
def test_false_discovery_rate_over_fifty_columns_of_all_kinds_is_held(n_rows):
    fractions = []
    for seed in range(60):
        random = np.random.Generator(np.random.PCG64([1, seed]))
        rows = np.column_stack([COLUMNS[kind](random, n_rows)[:, :1] for kind in COLUMNS for _ in range(13)])[:, :50]
        rows[n_rows // 2 :, ::5] += 0.9  # ten columns
        test = audit.ColumnDriftTest(n_resamples=1, n_permutations=199, alpha=0.1, random_state=seed)
        drifted = test.fit(rows).drifted_
        fractions.append(np.mean(drifted % 5 > 0) if drifted.size else 0.0)
    assert np.mean(fractions) <= 0.1 * 0.8 + 3 * np.std(fractions) / np.sqrt(len(fractions))


@pytest.mark.slow
def test_halves_of_real_tables_rarely_fire(shared_data, tmp_path):
    paths = sorted((shared_data / "tables").glob("*.npz"))
    fired, single = 0, 0
    for pair in range(200):
        random = np.random.Generator(np.random.PCG64(pair))
        with np.load(paths[pair % len(paths)]) as stored:
            X = stored["X"]
        rows = random.permutation(len(X))[:400]
        columns = random.permutation(X.shape[1])[:15]
        table = pd.DataFrame(X[np.ix_(rows, columns)], columns=[f"c{column}" for column in columns])
        files = tmp_path / "first.csv", tmp_path / "second.csv"
        for half, path in enumerate(files):
            table[half::2].to_csv(path, index=False)
        fired += compare_files(*files, random_state=0).fired
        test = audit.ColumnDriftTest(n_resamples=1, n_permutations=199, random_state=0)
        single += test.fit_samples(table[::2], table[1::2]).pvalue_ <= 0.05
    most = 200 * 0.05 + 2 * np.sqrt(200 * 0.05 * 0.95)
    assert fired <= most
    assert single <= most
