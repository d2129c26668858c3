"""Compare the size and the power of tests of two samples of a table, ours and the published choices of others.

    python asv_bench/tables/two_samples.py [--tables 60] [--rows 200]

Each table has six columns: three normal ones with a common factor, a skewed one, counts and a binary one. The rows are
drawn anew for each seed, and the second sample is changed as the column says. A cell is the fraction of the tables in
which the test rejects at a level of 5 %.

Tests of single columns are corrected by Bonferroni's factor. Kolmogorov and Smirnov's is the default of alibi-detect's
column-wise drift detector; Cramér and von Mises', and Anderson and Darling's are SciPy's. The maximum mean discrepancy
with the median distance as its width is alibi-detect's default for whole tables, and the energy distance the other
usual choice. The count of neighbours in the same sample is related to cleanlab's check of independent rows, which
counts neighbours by their distance in the order of the rows. All are computed by SciPy, or by classes here with the
same statistic and permutation p-values; the other packages are not installed.
"""

import argparse
import warnings

import numpy as np
from scipy import stats

from skanomaly import audit

N_PERMUTATIONS = 99


def table(random, n_rows):
    """Draw rows of six columns."""
    factor = random.normal(size=(n_rows, 1))
    normal = 0.7 * factor + np.sqrt(0.51) * random.normal(size=(n_rows, 3))
    skewed, counts = random.gamma(1.5, size=n_rows), random.poisson(1.0, n_rows)
    return np.column_stack([normal, skewed, counts, random.random(n_rows) < 0.3]).astype(float)


def shift(rows, _):
    """Move one column by 0.3 standard deviations."""
    rows[:, 0] += 0.3
    return rows


def scale(rows, _):
    """Stretch one skewed column."""
    rows[:, 3] *= 1.3
    return rows


def tails(rows, random):
    """Give one normal column heavy tails, with the same standard deviation."""
    rows[:, 1] = random.standard_t(3, len(rows)) / np.sqrt(3)
    return rows


def rate(rows, random):
    """Change the frequency of the binary column from 0.3 to 0.42."""
    rows[:, 5] = random.random(len(rows)) < 0.42
    return rows


def join(rows, random):
    """Shuffle one column: each column alone is as it was."""
    rows[:, 2] = random.permutation(rows[:, 2])
    return rows


def region(rows, random):
    """Replace 5 % of the rows by a compact group."""
    n_group = len(rows) // 20
    rows[:n_group, :4] = [1.2, 1.2, -1.2, 3.0] + 0.2 * random.normal(size=(n_group, 4))
    return rows


CHANGES = {
    "none": lambda rows, _: rows,
    "shift": shift,
    "scale": scale,
    "tails": tails,
    "rate": rate,
    "join": join,
    "region": region,
}


def bonferroni(test):
    """Return the smallest p-value of the columns times their number."""

    def pvalue(first, second, _):
        return min(1.0, len(first.T) * min(test(a, b) for a, b in zip(first.T, second.T, strict=True)))

    return pvalue


def anderson(first, second):
    """SciPy's p-value, which it cuts at 0.1 % and 25 %."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return stats.anderson_ksamp([first, second]).pvalue


def ours(cls, **parameters):
    """Return the p-value of a class."""
    return lambda first, second, seed: cls(random_state=seed, **parameters).fit_samples(first, second).pvalue_


TESTS = {
    "ColumnDriftTest": ours(audit.ColumnDriftTest, n_resamples=1),
    "scipy.stats.ks_2samp, Bonferroni (alibi-detect)": bonferroni(
        lambda a, b: stats.ks_2samp(a, b, method="asymp").pvalue
    ),
    "scipy.stats.cramervonmises_2samp, Bonferroni": bonferroni(
        lambda a, b: stats.cramervonmises_2samp(a, b, method="asymptotic").pvalue
    ),
    "scipy.stats.anderson_ksamp, Bonferroni": bonferroni(anderson),
    "EnergyTest (energy distance)": ours(audit.EnergyTest, n_permutations=N_PERMUTATIONS),
    "KernelTest (MMD, as alibi-detect)": ours(audit.KernelTest, n_permutations=N_PERMUTATIONS),
    "KNNTwoSampleTest (neighbours, as cleanlab)": ours(audit.KNNTwoSampleTest),
    "DomainClassifierTest": ours(audit.DomainClassifierTest, cv=2),
    "NPLMTest": ours(audit.NPLMTest, n_permutations=N_PERMUTATIONS, n_centers=40),
    "CorrelatorTest": ours(audit.CorrelatorTest, n_permutations=N_PERMUTATIONS),
}


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=60)
    parser.add_argument("--rows", type=int, default=200)
    options = parser.parse_args()
    print(f"| test | {' | '.join(CHANGES)} |\n|---|{'---|' * len(CHANGES)}")
    for name, pvalue in TESTS.items():
        cells = []
        for change in CHANGES.values():
            rejected = 0
            for seed in range(options.tables):
                random = np.random.default_rng(seed)
                first, second = table(random, options.rows), table(random, options.rows)
                rejected += pvalue(first, change(second, random), seed) <= 0.05
            cells.append(f"{rejected / options.tables:.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
