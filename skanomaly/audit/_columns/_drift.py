"""Two samples compared column by column."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.utils import Tags

from skanomaly._support._blocks import map_blocks
from skanomaly._support._columns import CATEGORY, NUMBER
from skanomaly._support._mixed_rows import check_mixed
from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._step_up import step_up_threshold
from skanomaly._support._validation import check_rows, check_weights
from skanomaly._support._warnings import warn_user
from skanomaly.audit._columns._cells import Cells, column_cells, merge_cells
from skanomaly.audit._columns._effects import EFFECTS, column_effects
from skanomaly.audit._columns._null import category_pvalue, category_statistic, number_pvalue, number_statistic
from skanomaly.audit._columns._rows import RowEvidence
from skanomaly.audit._layout import label_codes
from skanomaly.audit._samples import reference_offset, sample_codes
from skanomaly.base import BaseTest

__all__ = ["ColumnDriftTest"]

_FEW_ROWS = 50  # of the smaller sample: below, p-values come from permutations
_PERMUTED_CELLS = 2000
_MANY_ROWS = 20_000


class ColumnDriftTest(BaseTest):
    """Test column by column whether two samples have the same distribution, and how large the difference is.

    Each column is compared by a test for its kind, numbers or categories. Missing values are compared as well: their
    fraction is part of a column's p-value. The false discovery rate over the columns is controlled, and each column
    has effect sizes with intervals.

    Parameters
    ----------
    number_statistic : {"anderson_darling", "cramer_von_mises", "kolmogorov_smirnov"}, default="anderson_darling"
        Test of columns of numbers. The first is sensitive to differences in the tails as well as in the middle.
    category_statistic : {"chi_square", "g"}, default="chi_square"
        Test of columns of categories.
    min_effect : float in [0, 1), default=0.0
        A column has drifted only if its effect is at least this. With a million rows, differences without any
        practical importance are significant.
    null : {"auto", "asymptotic", "permutation"}, default="auto"
        How p-values of numbers are computed. "auto" permutes the rows if the smaller sample has fewer than 50 rows,
        or if `strata` are given and there are at most 20,000 rows. Categories are permuted where an expected count is
        below 5.
    n_permutations : int, default=999
        Number of permutations, where they are used.
    n_resamples : int, default=200
        Bootstrap samples for the intervals of the effects.
    confidence : float in (0, 1), default=0.9
        Confidence of the intervals.
    alpha : float in (0, 1), default=0.05
        Level at which the false discovery rate over the columns is controlled (Benjamini and Hochberg). Also the
        fraction of the reference rows that :meth:`predict` labels -1.
    n_jobs : int or None, default=None
        Number of threads over columns. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds permutations and bootstrap samples.

    Attributes
    ----------
    results_ : dict of str to ndarray of shape (`n_features_in_`,)
        One entry per column of the table; give it to ``pandas.DataFrame``. Keys: "column" (name or position), "kind",
        "statistic", "value_pvalue" (of the values that are present), "missing_pvalue", "pvalue" (of both: twice the
        smaller), "adjusted_pvalue" (Benjamini and Hochberg), "drifted", "effect" (largest difference of the two
        distribution functions, or total variation distance of categories, or the difference of the fractions of
        missing values where that is larger; in [0, 1]), "psi" (population stability index, in deciles of the
        reference), "wasserstein" (in standard deviations of the reference; NaN for categories), each effect with
        "_low" and "_high", "missing_reference" and "missing_sample" (fractions), "n_new" and "n_vanished" (categories
        in one sample only; 0 for numbers).
    drifted_ : ndarray of shape (n_drifted,)
        Names, or positions, of the columns that drifted, the largest effect first.
    statistic_ : float
        Minus the decimal logarithm of ``pvalue_``.
    pvalue_ : float
        P-value for all columns together (Simes): at most `alpha` exactly if a column is significant.
    groups_ : ndarray of shape (n_groups,)
        Sorted labels of the samples; the first is that of the reference. 0 and 1 after :meth:`fit_samples`.
    sample_scores_ : ndarray of shape (n_samples,)
        Score of each fitted row, computed without the row itself.
    offset_ : float
        Score below which :meth:`predict` labels rows -1.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    DomainClassifierTest : Also finds differences that no column shows alone.
    EnergyTest : One distance between all columns of numbers together.
    KNNDriftTest : Tests rows in a given order.

    Notes
    -----
    *Numbers.* The statistics of Anderson and Darling [1]_, of Cramér and von Mises, and of Kolmogorov and Smirnov are
    computed from the distribution functions at the distinct values. For the first two, the limit under the null
    hypothesis is a weighted sum of chi-square variables; its weights are computed from the ties in the column, so that
    binary, rounded and zero-inflated columns keep the level. The squared difference after each value has the mean
    fraction of rows in it and in the next value as weight, so the result is the same for minus the column. For the
    third, the limit with ties is simulated.

    *Strata and weights.* With `strata` the samples are compared within each stratum, and the strata are weighted
    alike in both samples; permutations are drawn within strata. With `row_weights`, asymptotic p-values use the
    effective numbers of rows (the square of the sum of the weights over the sum of their squares).

    *Rows.* The score is the sum over the columns of the log ratio of the frequency of the row's value in the reference
    to that in the sample, in ten bins of equal numbers of rows, as in a naive Bayes classifier. Lower scores are more
    anomalous: such values are new.

    *Multivariate differences.* Two samples may differ although no column does, for example in a correlation. Use
    :class:`DomainClassifierTest` or :class:`EnergyTest` beside this test.

    References
    ----------
    .. [1] Scholz, F. W., Stephens, M. A. (1987). K-sample Anderson-Darling tests. Journal of the American Statistical
       Association 82. https://doi.org/10.1080/01621459.1987.10478517
    .. [2] Benjamini, Y., Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal Statistical
       Society B 57. https://doi.org/10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skanomaly.audit import ColumnDriftTest
    >>> random = np.random.RandomState(1)
    >>> january = pd.DataFrame(
    ...     {"amount": random.gamma(2, size=500), "shop": random.choice(list("abc"), 500)}
    ... )
    >>> february = pd.DataFrame(
    ...     {
    ...         "amount": 1.3 * random.gamma(2, size=500),
    ...         "shop": random.choice(list("abc"), 500),
    ...     }
    ... )
    >>> test = ColumnDriftTest(random_state=0).fit_samples(january, february)
    >>> test.drifted_
    array(['amount'], dtype=object)
    >>> pd.DataFrame(test.results_)[
    ...     ["column", "effect", "effect_low", "effect_high"]
    ... ].round(2)
       column  effect  effect_low  effect_high
    0  amount    0.15        0.09         0.18
    1    shop    0.04        0.00         0.06
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "number_statistic": [StrOptions({"anderson_darling", "cramer_von_mises", "kolmogorov_smirnov"})],
        "category_statistic": [StrOptions({"chi_square", "g"})],
        "min_effect": [Interval(Real, 0, 1, closed="left")],
        "null": [StrOptions({"auto", "asymptotic", "permutation"})],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "n_resamples": [Interval(Integral, 1, None, closed="left")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }
    _compares_samples: ClassVar[bool] = True
    _draws_rows: ClassVar[bool] = True
    _reader: Any

    def __init__(
        self,
        *,
        number_statistic: str = "anderson_darling",
        category_statistic: str = "chi_square",
        min_effect: float = 0.0,
        null: str = "auto",
        n_permutations: int = 999,
        n_resamples: int = 200,
        confidence: float = 0.9,
        alpha: float = 0.05,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.number_statistic = number_statistic
        self.category_statistic = category_statistic
        self.min_effect = min_effect
        self.null = null
        self.n_permutations = n_permutations
        self.n_resamples = n_resamples
        self.confidence = confidence
        self.alpha = alpha
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, groups: Any = None, strata: Any = None, row_weights: Any = None) -> Self:
        """Compare the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of both samples. Text, categories and missing values are allowed.
        y : None
            Not used. Pass two tables to :meth:`fit_samples`, or the label of each row's sample as `groups`.
        groups : array-like of shape (n_samples,), default=None
            Labels of the two samples. The first label in sorted order is that of the reference. None takes the first
            half of the rows as the reference and the second half as the sample.
        strata : array-like of shape (n_samples,), default=None
            Label of each row's stratum, such as a site or a season. Rows of a stratum that only one sample has are
            not compared.
        row_weights : array-like of shape (n_samples,), default=None
            Weights of the rows, such as those of a survey. A weight of 2 is not the same as two equal rows: the
            p-values depend on the effective number of rows.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are more than two labels, no stratum has rows of both samples, `y` is a table, or `X` has dates or
            infinity.

        Warns
        -----
        UserWarning
            If `y` is given without `groups`, or rows of a stratum are not compared.
        """
        return self._run_fit(X, y, groups=groups, strata=strata, row_weights=row_weights)

    def _read(self, X: Any, *, reset: bool) -> NDArray[Any]:
        plain = _plain(X)
        if reset and plain:
            self._reader = None
        if plain and self._reader is None:
            fewest = self._min_samples if reset else 1
            return check_rows(self, X, reset=reset, min_samples=fewest, ensure_all_finite="allow-nan")
        return check_mixed(self, X, reset=reset, min_samples=self._min_samples if reset else 1)

    def _test(self, X: Any, *, groups: Any = None, strata: Any = None, row_weights: Any = None) -> None:
        n, n_columns = X.shape
        codes, labels = sample_codes(groups, n, only_two=True)
        self.groups_: NDArray[Any] = labels
        weights = None if row_weights is None else check_weights(row_weights, X)
        layers = None if strata is None else label_codes(strata, n, name="strata")[0]
        used, weights = _balanced(codes, layers, weights)
        if len(labels) < 2:
            used = np.zeros(n, dtype=bool)
        randoms = child_generators(draw_seed(self.random_state), n_columns)
        kinds = [NUMBER] * n_columns if self._reader is None else self._reader.kinds
        rows = map_blocks(
            lambda place: self._compare(X[:, place], kinds[place], codes, used, layers, weights, randoms[place]),
            range(n_columns),
            n_jobs=self.n_jobs,
        )
        self.results_ = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        self._conclude()
        self._evidence = RowEvidence(X, codes, kinds)
        self._fitted_scores = self._evidence.fitted_scores
        del self._evidence.fitted_scores
        self.offset_ = reference_offset(self._fitted_scores[codes == 0], self.alpha)

    def _compare(
        self,
        column: NDArray[Any],
        kind: str,
        codes: NDArray[np.intp],
        used: NDArray[np.bool_],
        layers: NDArray[np.intp] | None,
        weights: NDArray[np.float64] | None,
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """Compare one column; the row of the results."""
        missing = np.isnan(column)
        row: dict[str, Any] = {"kind": kind, "statistic": 0.0, "value_pvalue": 1.0, "missing_pvalue": 1.0}
        row |= {name + end: np.nan for name in EFFECTS for end in ("", "_low", "_high")}
        row |= {"missing_reference": 0.0, "missing_sample": 0.0, "n_new": 0, "n_vanished": 0}
        if (missing & used).any():
            lacking = self._cells(missing.astype(np.float64), codes, used, weights)
            absent = lacking.masses[lacking.levels == 1].sum(axis=0)
            row["missing_reference"], row["missing_sample"] = absent
            row["missing_pvalue"] = category_pvalue(_effective(lacking), "chi_square", self.n_permutations, rng)
        present = used & ~missing
        if (np.bincount(codes[present], minlength=2) > 0).all():
            cells = self._cells(column, codes, present, weights)
            row["statistic"], row["value_pvalue"] = (
                self._test_numbers(cells, column, codes, layers, weights, present, rng)
                if kind == NUMBER
                else self._test_categories(cells, rng)
            )
            effects = column_effects(
                cells,
                is_number=kind == NUMBER,
                n_resamples=self.n_resamples,
                confidence=self.confidence,
                rng=rng,
            )
            for name, values in zip(EFFECTS, effects, strict=True):
                row[name], row[name + "_low"], row[name + "_high"] = values
            if kind == CATEGORY:
                row["n_new"] = int(((cells.counts[:, 0] == 0) & (cells.counts[:, 1] > 0)).sum())
                row["n_vanished"] = int(((cells.counts[:, 1] == 0) & (cells.counts[:, 0] > 0)).sum())
        row["pvalue"] = row["value_pvalue"]
        if (missing & used).any():
            row["pvalue"] = min(2 * min(row["value_pvalue"], row["missing_pvalue"]), 1.0)
            fractions = np.array([row["missing_reference"], row["missing_sample"]])
            gap = float(abs(fractions[0] - fractions[1]))
            if not gap <= row["effect"]:
                sizes = lacking.counts.sum(axis=0)
                error = float(np.sqrt((fractions * (1 - fractions) / sizes).sum()))
                margin = float(stats.norm.ppf((1 + self.confidence) / 2)) * error
                row |= {"effect": gap, "effect_low": max(gap - margin, 0.0), "effect_high": min(gap + margin, 1.0)}
        return row

    @staticmethod
    def _cells(
        column: NDArray[Any], codes: NDArray[np.intp], where: NDArray[np.bool_], weights: NDArray[np.float64] | None
    ) -> Cells:
        if where.all():
            return column_cells(column, codes, weights)
        return column_cells(column[where], codes[where], None if weights is None else weights[where])

    def _test_numbers(
        self,
        cells: Cells,
        column: NDArray[Any],
        codes: NDArray[np.intp],
        layers: NDArray[np.intp] | None,
        weights: NDArray[np.float64] | None,
        where: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> tuple[float, float]:
        kind = self.number_statistic
        statistic = float(number_statistic(cells.masses, cells.pooled, cells.rate, kind))
        few = cells.counts.sum(axis=0).min() < _FEW_ROWS
        if self.null == "asymptotic" or (
            self.null == "auto" and not few and (layers is None or where.sum() > _MANY_ROWS)
        ):
            return statistic, number_pvalue(cells, statistic, kind, rng)
        merged = merge_cells(cells, _PERMUTED_CELLS)
        observed = float(number_statistic(merged.masses, merged.pooled, merged.rate, kind))
        if layers is None and weights is None:
            totals, size = merged.counts.sum(axis=1), merged.counts.sum(axis=0)
            drawn = rng.multivariate_hypergeometric(totals, int(size[1]), size=self.n_permutations, method="marginals")
            masses = np.stack([(totals - drawn) / size[0], drawn / size[1]], axis=-1)
            found = number_statistic(masses, merged.pooled, merged.rate, kind)
        else:
            place = np.searchsorted(_lower_ends(cells, merged), column[where], side="right") - 1
            own = None if weights is None else weights[where]
            inner = None if layers is None else layers[where]
            found = np.array(
                [
                    float(number_statistic(masses, merged.pooled, merged.rate, kind))
                    for masses in _permuted_masses(place, codes[where], inner, own, merged, self.n_permutations, rng)
                ]
            )
        reached = int((found >= observed * (1 - 1e-9)).sum())
        return statistic, (1 + reached) / (1 + self.n_permutations)

    def _test_categories(self, cells: Cells, rng: np.random.Generator) -> tuple[float, float]:
        counts = _effective(cells)
        statistic = float(category_statistic(counts, self.category_statistic))
        return statistic, category_pvalue(counts, self.category_statistic, self.n_permutations, rng)

    def _conclude(self) -> None:
        """Control the false discovery rate, and name the columns."""
        results = self.results_
        pvalues = results["pvalue"]
        n_columns = pvalues.size
        order = np.argsort(pvalues, kind="stable")
        scaled = pvalues[order] * n_columns / np.arange(1, n_columns + 1)
        adjusted = np.empty(n_columns)
        adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
        results["adjusted_pvalue"] = adjusted
        significant = pvalues <= step_up_threshold(pvalues, self.alpha)
        results["drifted"] = significant & (np.nan_to_num(results["effect"]) >= self.min_effect)
        names = getattr(self, "feature_names_in_", None)
        results["column"] = np.arange(n_columns) if names is None else np.asarray(names, dtype=object)
        self.results_ = {"column": results.pop("column"), **results}
        self.pvalue_ = float(adjusted.min())
        self.statistic_ = float(-np.log10(self.pvalue_)) + 0.0
        strongest = np.argsort(-np.nan_to_num(results["effect"]), kind="stable")
        self.drifted_ = self.results_["column"][strongest[results["drifted"][strongest]]]

    def _row_scores(self, X: Any) -> NDArray[np.float64]:
        return self._fitted_scores if X is None else self._evidence.scores(X)

    def _row_offset(self) -> float:
        return self.offset_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        tags.non_deterministic = False
        return tags


def _plain(X: Any) -> bool:
    """Say whether a table is an array of numbers, which needs no reader."""
    return isinstance(X, np.ndarray) and X.dtype.kind in "biuf"


def _effective(cells: Cells) -> NDArray[np.float64]:
    """Return the counts of the cells, or with weights the effective counts that keep each sample's frequencies."""
    totals = cells.counts.sum(axis=0)
    plain = float(totals[0] * totals[1] / totals.sum())
    if abs(cells.rate / plain - 1) < 1e-9:
        return cells.counts.astype(np.float64)
    return cells.masses * totals * (cells.rate / plain)


def _balanced(
    codes: NDArray[np.intp], layers: NDArray[np.intp] | None, weights: NDArray[np.float64] | None
) -> tuple[NDArray[np.bool_], NDArray[np.float64] | None]:
    """Weigh the rows so that each stratum has the same total in both samples; say which rows are compared."""
    used = np.ones(codes.size, dtype=bool)
    if layers is None:
        return used, weights
    own = np.ones(codes.size) if weights is None else weights
    totals = np.array([np.bincount(layers[codes == group], own[codes == group], layers.max() + 1) for group in (0, 1)])
    both = np.asarray((totals > 0).all(axis=0))
    if not both.any():
        raise ValueError("No stratum has rows of both samples; give strata that both samples have.")
    used = both[layers]
    if not used.all():
        warn_user(f"{np.count_nonzero(~used)} rows are in strata of one sample only and are not compared.")
    size = np.zeros(both.size)
    size[both] = totals[0, both] * totals[1, both] / totals[:, both].sum(axis=0)
    balanced = own * np.where(both, size, 0.0)[layers] / np.where(both, totals, 1.0)[codes, layers]
    return used, balanced


def _lower_ends(cells: Cells, merged: Cells) -> NDArray[np.float64]:
    """Smallest value in each merged cell."""
    if merged is cells:
        return cells.levels
    ends = np.cumsum(merged.counts.sum(axis=1))
    return cells.levels[np.searchsorted(np.cumsum(cells.counts.sum(axis=1)), np.r_[0, ends[:-1]], side="right")]


def _permuted_masses(
    place: NDArray[np.intp],
    codes: NDArray[np.intp],
    layers: NDArray[np.intp] | None,
    weights: NDArray[np.float64] | None,
    cells: Cells,
    n_permutations: int,
    rng: np.random.Generator,
) -> Any:
    """Yield the masses of the cells with the samples' labels permuted within strata."""
    strata = np.zeros(codes.size, dtype=np.intp) if layers is None else layers
    own = np.ones(codes.size) if weights is None else weights
    if layers is not None:  # take the balance out of the weights: it follows the permuted labels
        totals = np.array([np.bincount(strata[codes == g], own[codes == g], strata.max() + 1) for g in (0, 1)])
        own = own / totals[codes, strata] * totals.mean(axis=0)[strata]
    members = [np.flatnonzero(strata == stratum) for stratum in range(strata.max() + 1)]
    for _ in range(n_permutations):
        drawn = codes.copy()
        for rows in members:
            drawn[rows] = rng.permutation(codes[rows])
        if layers is None:
            weighted = own
        else:
            sums = np.array([np.bincount(strata[drawn == g], own[drawn == g], strata.max() + 1) for g in (0, 1)])
            weighted = own / np.where(sums > 0, sums, 1.0)[drawn, strata] * totals.mean(axis=0)[strata]
        masses = np.column_stack(
            [np.bincount(place[drawn == g], weighted[drawn == g], cells.levels.size) for g in (0, 1)]
        )
        yield masses / masses.sum(axis=0)
