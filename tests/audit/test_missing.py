import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from skanomaly.audit import MissingnessTest


def _at_random(seed, n_rows=120, n_columns=4):
    """Skewed, dependent columns; masks that depend on each other but not on them."""
    random = np.random.default_rng(seed)
    table = np.exp(random.normal(size=(n_rows, n_columns)) @ np.triu(np.full((n_columns, n_columns), 0.7)))
    common = random.normal(size=(n_rows, 1))
    table[common + random.normal(size=table.shape) > 1.2] = np.nan
    return table


def test_missingness_test_passes_scikit_learns_checks():
    results = check_estimator(MissingnessTest(n_permutations=19, random_state=0), on_skip=None, on_fail=None)
    assert [result["check_name"] for result in results if result["status"] == "failed"] == []


def test_missing_at_random_is_seldom_refuted(seed):
    refuted = sum(
        MissingnessTest(n_permutations=39, random_state=draw).fit(_at_random(100 * seed + draw)).pvalue_ <= 0.05
        for draw in range(60)
    )
    assert stats.binomtest(refuted, 60, 0.05, alternative="greater").pvalue > 1e-5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Nothing could be compared:UserWarning")  # some small tables hold no such pair
@pytest.mark.parametrize("n_rows", [40, 300])
def test_type_one_error_is_the_level(n_rows):
    refuted = sum(
        MissingnessTest(n_permutations=99, random_state=draw).fit(_at_random(draw, n_rows)).pvalue_ <= 0.05
        for draw in range(1000)
    )
    assert stats.binomtest(refuted, 1000, 0.05, alternative="greater").pvalue > 0.001


@pytest.mark.slow
def test_adjusted_column_pvalues_hold_the_familywise_level():
    # Column 0 is missing by column 3; no other column may be named more often than the level.
    wrong = 0
    for draw in range(500):
        table = _at_random(draw)
        table[table[:, 3] > np.nanquantile(table[:, 3], 0.8), 0] = np.nan
        audit = MissingnessTest(n_permutations=99, random_state=draw).fit(table)
        wrong += audit.column_pvalues_[1:].min() <= 0.05
    assert stats.binomtest(wrong, 500, 0.05, alternative="greater").pvalue > 0.001


def test_dependence_on_another_columns_value_is_found(seed):
    table = _at_random(seed, n_rows=400)
    table[table[:, 3] > np.nanquantile(table[:, 3], 0.8), 0] = np.nan
    audit = MissingnessTest(random_state=seed).fit(table)
    assert audit.pvalue_ == audit.column_pvalues_[0] == 0.001
    assert audit.related_columns_[0] in {2, 3}


def test_dependence_on_both_tails_is_found(seed):
    random = np.random.default_rng(seed)
    table = random.normal(size=(400, 3))
    table[np.abs(table[:, 1]) > 1.2, 0] = np.nan
    audit = MissingnessTest(random_state=seed).fit(table)
    assert audit.pvalue_ == 0.001
    assert_array_equal(audit.related_columns_, [1, -1, -1])


def test_statistic_is_the_rank_sum_tests(seed):
    random = np.random.default_rng(seed)
    table = random.normal(size=(80, 2))
    lacks = random.random(80) < 0.4
    table[table[:, 1] > 1, 0] = np.nan
    table[lacks, 0] = np.nan
    lacks = np.isnan(table[:, 0])
    ranks = stats.rankdata(table[:, 1])
    expected = []
    for scores in (ranks, (ranks - ranks.mean()) ** 2):
        m, n = lacks.sum(), len(lacks)
        variance = m * (n - m) / (n * (n - 1)) * ((scores - scores.mean()) ** 2).sum()
        expected.append(abs(scores[lacks].sum() - m * scores.mean()) / np.sqrt(variance))
    assert_allclose(MissingnessTest(n_permutations=9).fit(table).statistic_, max(expected), rtol=1e-9)


def test_pvalue_is_the_exact_permutation_pvalue_of_one_column():
    table = np.column_stack([np.where(np.arange(10) < 5, np.nan, 1.0), np.arange(10.0)])
    audit = MissingnessTest(n_permutations=4999, random_state=0).fit(table)
    # Of the 252 choices of five rows, the two extreme ones reach the rank sum's maximum.
    assert abs(audit.pvalue_ - 2 / 252) < 0.005


@pytest.mark.filterwarnings("ignore:Nothing could be compared:UserWarning")
@pytest.mark.parametrize(
    "table",
    [
        np.arange(30.0).reshape(15, 2),
        np.array([[1.0], [np.nan], [2.0]]),
        np.array([[1.0, np.nan], [2.0, 3.0]]),
        np.full((20, 2), np.nan),
        np.column_stack([np.where(np.arange(20) < 8, np.nan, 1.0), np.ones(20)]),
    ],
    ids=["complete", "one column", "few rows", "empty", "constant"],
)
def test_nothing_to_compare_refutes_nothing(table):
    audit = MissingnessTest(n_permutations=19).fit(table)
    assert (audit.statistic_, audit.pvalue_) == (0.0, 1.0)
    assert_array_equal(audit.related_columns_, -1)
    assert_array_equal(audit.score_samples(table), 0.0)


def test_nothing_to_compare_is_warned_of():
    with pytest.warns(UserWarning, match=r"Nothing could be compared, so pvalue_=1.0 says nothing.*5 rows"):
        MissingnessTest(n_permutations=19).fit(np.array([[1.0, np.nan], [2.0, 3.0]]))


def test_monotone_transformations_change_nothing(seed):
    table = _at_random(seed)
    first, second = (
        MissingnessTest(n_permutations=49, random_state=0).fit(values) for values in (table, np.log(table))
    )
    assert_array_equal(first.column_pvalues_, second.column_pvalues_)
    assert_allclose(first.score_samples(table), second.score_samples(np.log(table)))


def test_bits_do_not_depend_on_n_jobs(seed):
    table = _at_random(seed)
    one, two = (MissingnessTest(n_permutations=99, random_state=seed, n_jobs=n_jobs).fit(table) for n_jobs in (1, 2))
    assert_array_equal(one.column_pvalues_, two.column_pvalues_)


def test_rows_that_are_evidence_against_it_score_lowest(seed):
    random = np.random.default_rng(seed)
    table = random.normal(size=(500, 2))
    table[random.random(500) < 0.1, 0] = np.nan
    guilty = table[:, 1] > 1.5
    table[guilty, 0] = np.nan
    scores = MissingnessTest(n_permutations=99, random_state=seed).fit(table).score_samples(table)
    assert scores[guilty].max() < np.median(scores[~guilty])
    assert scores.sum() < 0


def test_row_score_does_not_depend_on_the_batch(seed):
    table = _at_random(seed)
    audit = MissingnessTest(n_permutations=19, random_state=seed).fit(table)
    assert_array_equal(np.hstack([audit.score_samples(row[None]) for row in table]), audit.score_samples(table))


def test_infinity_raises_and_leaves_the_test_as_it_was(seed):
    table = _at_random(seed)
    audit = MissingnessTest(n_permutations=19, random_state=0).fit(table)
    before = dict(vars(audit))
    table[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        audit.fit(table)
    assert vars(audit) == before


def test_unfitted_test_raises():
    with pytest.raises(NotFittedError):
        MissingnessTest().score_samples([[1.0]])


def _mixed(seed, n_rows=120):
    random = np.random.default_rng(seed)
    size = random.normal(size=n_rows)
    frame = pd.DataFrame(
        {
            "size": size,
            "count": pd.array(random.poisson(3, n_rows), dtype="Int64"),
            "kind": pd.Categorical(np.where(size > 0, "large", "small"), categories=["small", "large", "none"]),
            "name": pd.Series(random.choice(["a", "b", "c"], n_rows), dtype="str"),
            "flag": pd.array(size > 1, dtype="boolean"),
        }
    )
    for column in frame.columns:
        frame.loc[random.random(n_rows) < 0.15, column] = pd.NA if column in {"count", "flag"} else None
    return frame


def test_polars_frame_gives_the_result_of_the_pandas_frame(seed):
    frame = _mixed(seed)[["size", "name", "flag"]]
    polars = pl.DataFrame({name: [None if pd.isna(v) else v for v in column] for name, column in frame.items()})
    one, other = (MissingnessTest(n_permutations=39, random_state=0).fit(table) for table in (frame, polars))
    assert (one.statistic_, one.pvalue_) == (other.statistic_, other.pvalue_)
    assert_array_equal(one.score_samples(frame), other.score_samples(polars))


def test_frame_with_other_columns_raises(seed):
    frame = _mixed(seed)
    use = MissingnessTest(n_permutations=9).fit(frame).score_samples
    with pytest.raises(ValueError, match="feature names"):
        use(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match="fitted on a frame with categories"):
        use(frame[["size", "count"]].to_numpy(dtype=float, na_value=np.nan))
    with pytest.raises(ValueError, match="0 sample"):
        use(frame.iloc[:0])


def test_category_that_goes_missing_with_a_number_is_found(seed):
    frame = _mixed(seed, n_rows=400)
    assert MissingnessTest(random_state=seed).fit(frame).pvalue_ > 1e-3
    frame.loc[frame["size"] > 0.8, "name"] = None
    test = MissingnessTest(random_state=seed).fit(frame)
    assert test.column_pvalues_[3] == 0.001
    assert test.related_columns_[3] in {0, 2, 4}  # size, and what follows from it


def test_scores_of_fitted_rows_are_those_of_score_samples(seed):
    frame = _mixed(seed)
    test = MissingnessTest(n_permutations=9).fit(frame)
    assert_array_equal(test.sample_scores_, test.score_samples(frame))


def test_rows_have_no_pvalues():
    test = MissingnessTest(n_permutations=9).fit(_mixed(0))
    assert not hasattr(test, "sample_pvalues_")
    assert not hasattr(test, "predict")
