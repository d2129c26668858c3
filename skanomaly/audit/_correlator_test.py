"""Two samples compared by the dependence between their columns."""

from itertools import combinations
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special
from sklearn.utils import Tags

from skanomaly._support._blocks import row_blocks
from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._validation import check_rows
from skanomaly.audit._correlators import noise_level
from skanomaly.audit._samples import reference_offset, sample_codes
from skanomaly.audit._units import ColumnUnits
from skanomaly.base import BaseTest

__all__ = ["CorrelatorTest"]

_BLOCK_ROWS = 512
_MOST_COLUMNS = {2: 200, 3: 40, 4: 20}
_FARTHEST = 8.0  # standard deviations


class CorrelatorTest(BaseTest):
    r"""Test whether the dependence between columns is the same in two samples.

    The correlators of a sample are the means of products of two or more of its standardised columns; those of two
    columns are correlations. Shuffled joins, shifted rows and imputation column by column change correlators and leave
    every column alone as it was.

    Parameters
    ----------
    orders : sequence of {2, 3, 4} or None, default=None
        Numbers of columns in a product: at most 200 columns of the table for pairs, 40 for triples and 20 for products
        of four. None is pairs, and also triples if there are 3 to 40 columns.
    scale : {"ranks", "standardized"}, default="ranks"
        "ranks" replaces values by the normal scores of their ranks in their own sample: any monotonic change of a
        column, extreme values and heavy tails have no influence. "standardized" keeps the values, in standard
        deviations from the mean of both samples and at most 8: triples of skewed columns, such as counts, are then more
        sensitive, and a changed column counts as changed dependence.
    n_permutations : int, default=199
        Number of permutations of the labels.
    max_samples : int or None, default=20_000
        Most rows that are compared, drawn at random from both samples in proportion. None compares all rows.
    alpha : float in (0, 1), default=0.05
        Fraction of the reference rows that :meth:`predict` labels -1.
    random_state : int, RandomState instance or None, default=None
        Seeds the permutations and the choice of rows.

    Attributes
    ----------
    results_ : dict of str to ndarray of shape (n_orders,)
        One entry per order; give it to ``pandas.DataFrame``. Keys: "order", "statistic" (root mean squared difference
        of the correlators), "pvalue" (of this order alone), "noise_level" (see ``noise_level_``), and of
        the set of all correlators the "mean", the "variation" (standard deviation over mean) and the "skewness", each
        with "_reference", "_sample" and "_z" (difference in standard deviations of the permutations).
    noise_level_ : float
        Estimated fraction of the sample's cells that were replaced by values of other rows, from the lowest order.
        NaN if the correlators of the reference are no larger than those of independent columns.
    column_changes_ : ndarray of shape (`n_features_in_`,)
        Root mean squared difference of the correlators of the lowest order in which the column takes part.
    column_pvalues_ : ndarray of shape (`n_features_in_`,)
        P-value of each of these, corrected for the number of columns by the largest value in each permutation.
    statistic_ : float
        Largest "statistic", standardised by the permutations, over the orders.
    pvalue_ : float
        Permutation p-value.
    n_compared_ : int
        Number of rows compared.
    groups_ : ndarray of shape (n_groups,)
        Sorted labels of the samples; the first is that of the reference. 0 and 1 after :meth:`fit_samples`.
    sample_scores_ : ndarray of shape (n_samples,)
        Score of each fitted row, from pairs of columns and without the row itself.
    offset_ : float
        Score below which :meth:`predict` labels rows -1.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    dependence_noise_level : The fraction of replaced cells alone, for millions of rows.
    ColumnDriftTest : Compares each column alone.
    DomainClassifierTest : Finds differences of any kind.

    Notes
    -----
    If each cell is replaced, with probability :math:`\epsilon`, by a random value of its own column, the correlators of
    :math:`k` distinct columns become :math:`(1 - \epsilon)^k` times as large, also after a transformation of each
    column. In [1]_ correlators and the mean, variation and skewness of their set measure the noise of an optical
    sampler; the test, the transformation and the scores of rows are ours.

    With "ranks", rows of the normal scores of each sample are permuted; the p-value is then conservative where the
    dependence is strong and samples are small. With "standardized" it is exact. Products are centred and divided by the
    standard deviations again in each permutation.

    *Rows.* The score is the sum, over pairs of columns, of the difference of the correlators (reference less sample)
    times the product of the row's values, which are ranked or standardised over both samples together. Rows that agree
    with the dependence in the sample score lower.

    References
    ----------
    .. [1] Ji, Y. et al. (2025). Evaluating noises of boson sampling with statistical benchmark methods.
       arXiv:2510.00056.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import CorrelatorTest
    >>> random = np.random.RandomState(0)
    >>> reference, sample = random.normal(size=(2, 400, 4)) + random.normal(
    ...     size=(2, 400, 1)
    ... )
    >>> CorrelatorTest(random_state=0).fit_samples(reference, sample).pvalue_ > 0.05
    True
    >>> sample[:, 2] = random.permutation(sample[:, 2])
    >>> test = CorrelatorTest(random_state=0).fit_samples(reference, sample)
    >>> test.pvalue_, test.column_changes_.argmax()
    (0.005, np.int64(2))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "orders": ["array-like", None],
        "scale": [StrOptions({"ranks", "standardized"})],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "max_samples": [None, Interval(Integral, 4, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }
    _compares_samples: ClassVar[bool] = True
    _draws_rows: ClassVar[bool] = True
    _min_samples: ClassVar[int] = 4
    _fitted_scores: NDArray[np.float64]

    def __init__(
        self,
        *,
        orders: Any = None,
        scale: str = "ranks",
        n_permutations: int = 199,
        max_samples: int | None = 20_000,
        alpha: float = 0.05,
        random_state: Any = None,
    ) -> None:
        self.orders = orders
        self.scale = scale
        self.n_permutations = n_permutations
        self.max_samples = max_samples
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Compare the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of both samples, at least 2 of each; finite numbers in at least 2 columns.
        y : None
            Not used. Pass two tables to :meth:`fit_samples`, or the label of each row's sample as `groups`.
        groups : array-like of shape (n_samples,), default=None
            Labels of the two samples. The first label in sorted order is that of the reference. None takes the first
            half of the rows as the reference and the second half as the sample.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are more than two labels or fewer than 2 rows of one, `y` is a table, `X` has missing values, or
            fewer or more columns than `orders` allows.

        Warns
        -----
        UserWarning
            If `y` is given without `groups`.
        """
        return self._run_fit(X, y, groups=groups)

    def _read(self, X: Any, *, reset: bool) -> NDArray[np.float64]:
        return check_rows(self, X, reset=reset, min_samples=self._min_samples if reset else 1, dtype=np.float64)

    def _test(self, X: NDArray[np.float64], *, groups: Any = None) -> None:
        n, n_columns = X.shape
        orders = self._read_orders(n_columns)
        codes, labels = sample_codes(groups, n, only_two=True)
        self.groups_: NDArray[Any] = labels
        sizes = np.bincount(codes, minlength=2)
        if len(labels) == 2 and sizes.min() < 2:
            raise ValueError(f"The samples have {sizes.tolist()} rows; each needs at least 2.")
        rng = child_generators(draw_seed(self.random_state), 1)[0]
        self._scale = _COLUMNS[self.scale](X)
        if len(labels) < 2:
            self._one_sample(orders, n, n_columns)
            return
        used = self._drawn(codes, rng)
        self.n_compared_ = used.size
        members = codes[used]
        draws = np.column_stack([members, *(rng.permutation(members) for _ in range(self.n_permutations))])
        rows = self._scale.apply(X[used])
        if self.scale == "ranks":
            for group in (0, 1):
                part = X[used[members == group]]
                rows[members == group] = _Ranks(part).apply(part)
        self._compare(rows, draws.astype(np.float64), orders)
        self._learn_scores(self._scale.apply(X), codes)
        self.offset_ = reference_offset(self._fitted_scores[codes == 0], self.alpha)

    def _read_orders(self, n_columns: int) -> list[int]:
        if n_columns < 2:
            raise ValueError(
                f"X has {n_columns} feature(s) while a minimum of 2 is required: dependence needs two columns."
            )
        if self.orders is None:
            return [2, 3] if 3 <= n_columns <= _MOST_COLUMNS[3] else [2]
        orders = sorted({int(order) if order in _MOST_COLUMNS else 0 for order in np.ravel(self.orders).tolist()})
        if not orders or orders[0] == 0:
            raise ValueError(f"orders={self.orders!r} must be one or more of 2, 3 and 4.")
        for order in orders:
            if not order <= n_columns <= _MOST_COLUMNS[order]:
                raise ValueError(
                    f"orders={self.orders!r}: X has {n_columns} feature(s), and order {order} takes {order} to "
                    f"{_MOST_COLUMNS[order]} columns. Leave it out, or select columns."
                )
        return orders

    def _one_sample(self, orders: list[int], n: int, n_columns: int) -> None:
        self.statistic_, self.pvalue_, self.offset_ = 0.0, 1.0, 0.0
        self.noise_level_, self.n_compared_ = float("nan"), n
        self.column_changes_, self.column_pvalues_ = np.zeros(n_columns), np.ones(n_columns)
        self.results_ = {"order": np.array(orders), "statistic": np.zeros(len(orders)), "pvalue": np.ones(len(orders))}
        self._difference, self._fitted_scores = np.zeros((n_columns, n_columns)), np.zeros(n)
        self._center, self._unit = np.zeros(n_columns), np.ones(n_columns)

    def _drawn(self, codes: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
        """Draw at most `max_samples` rows, the samples in proportion; at least two of each."""
        if self.max_samples is None or codes.size <= self.max_samples:
            return np.arange(codes.size)
        kept = []
        for rows in (np.flatnonzero(codes == 0), np.flatnonzero(codes == 1)):
            wanted = max(round(self.max_samples * rows.size / codes.size), 2)
            kept.append(rng.choice(rows, wanted, replace=False))
        return np.sort(np.concatenate(kept))

    def _compare(self, rows: NDArray[np.float64], draws: NDArray[np.float64], orders: list[int]) -> None:
        """Compute the correlators of both samples, observed and permuted, and what follows from them."""
        samples = _correlators(rows, draws, orders)
        standardised, table = [], []
        for order in orders:
            first, second = samples[0][order], samples[1][order]
            values = np.sqrt(((first - second) ** 2).mean(axis=0))
            spread = float(values.std())
            standardised.append((values - values.mean()) / spread if spread > 1e-12 else np.zeros(values.size))
            row = {
                "order": order,
                "statistic": float(values[0]),
                "pvalue": _rank(values),
                "noise_level": _level(second[:, 0], first[:, 0], order, int(len(rows) - draws[:, 0].sum())),
            }
            for name, shape in (("mean", _mean), ("variation", _variation), ("skewness", _skewness)):
                ends = shape(first), shape(second)
                error = float((ends[1] - ends[0])[1:].std())
                gap = float(ends[1][0] - ends[0][0])
                row |= {name + "_reference": float(ends[0][0]), name + "_sample": float(ends[1][0])}
                row[name + "_z"] = gap / error if error > 1e-12 else 0.0
            table.append(row)
        self.results_ = {key: np.array([row[key] for row in table]) for key in table[0]}
        self.noise_level_ = float(table[0]["noise_level"])
        combined = np.max(standardised, axis=0)
        self.statistic_, self.pvalue_ = float(combined[0]), _rank(combined)
        squares = (samples[0][orders[0]] - samples[1][orders[0]]) ** 2
        places = np.array(list(combinations(range(rows.shape[1]), orders[0])))
        changes = np.sqrt([squares[(places == column).any(axis=1)].mean(axis=0) for column in range(rows.shape[1])])
        self.column_changes_ = changes[:, 0]
        largest = changes.max(axis=0)
        self.column_pvalues_ = np.array(
            [(largest >= change * (1 - 1e-9)).mean() if change > 1e-12 else 1.0 for change in changes[:, 0]]
        )

    def _learn_scores(self, rows: NDArray[np.float64], codes: NDArray[np.intp]) -> None:
        """Keep the difference of the correlations, and score the fitted rows without themselves."""
        groups = [rows[codes == group] for group in (0, 1)]
        self._center, self._unit = groups[0].mean(axis=0), groups[0].std(axis=0)
        self._unit = np.where(self._unit > 1e-9, self._unit, 1.0)
        standardised, correlations = [], []
        for group in groups:
            centred = group - group.mean(axis=0)
            spread = centred.std(axis=0)
            standardised.append(centred / np.where(spread > 1e-9, spread, 1.0))
            correlation = standardised[-1].T @ standardised[-1] / len(group)
            np.fill_diagonal(correlation, 0.0)
            correlations.append(correlation)
        length = float(np.sqrt(((correlations[0] - correlations[1]) ** 2).sum() / 2)) or 1.0
        self._difference = (correlations[0] - correlations[1]) / length
        self._fitted_scores = np.empty(len(rows))
        for group, sign in ((0, 1.0), (1, -1.0)):
            values = (groups[group] - self._center) / self._unit
            shared = values * standardised[group]
            own = (shared.sum(axis=1) ** 2 - (shared**2).sum(axis=1)) / 2  # what the row adds to its own score
            size = len(values)
            without = (size * _form(values, correlations[group]) - own) / (size - 1)
            self._fitted_scores[codes == group] = sign * (without - _form(values, correlations[1 - group])) / length

    def _row_scores(self, X: Any) -> NDArray[np.float64]:
        if X is None:
            return self._fitted_scores
        return _form((self._scale.apply(X) - self._center) / self._unit, self._difference)

    def _row_offset(self) -> float:
        return self.offset_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags


class _Ranks:
    """Normal scores of the ranks among the rows seen, ties at their middle."""

    def __init__(self, rows: NDArray[np.float64]) -> None:
        self._sorted = np.sort(rows, axis=0)

    def apply(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        ranks = np.empty(rows.shape)
        for place, (known, column) in enumerate(zip(self._sorted.T, rows.T, strict=True)):
            ranks[:, place] = np.searchsorted(known, column, "left") + np.searchsorted(known, column, "right")
        return np.asarray(special.ndtri((ranks + 1) / (2 * len(self._sorted) + 2)))


class _Standardized:
    """Distance from the mean of the rows seen, in their standard deviations."""

    def __init__(self, rows: NDArray[np.float64]) -> None:
        self._units = ColumnUnits(rows)
        self._middle = self._units.divide(rows).mean(axis=0)

    def apply(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.clip(self._units.divide(rows) - self._middle, -_FARTHEST, _FARTHEST))


_COLUMNS: dict[str, type[_Ranks] | type[_Standardized]] = {"ranks": _Ranks, "standardized": _Standardized}


def _level(found: NDArray[np.float64], expected: NDArray[np.float64], order: int, n_reference: int) -> float:
    """Return the noise level; NaN where the correlators of the reference are no larger than those of independence."""
    chance = (expected.size + 3 * np.sqrt(2 * expected.size)) / n_reference
    return noise_level(found, expected, order) if (expected**2).sum() > chance else float("nan")


def _rank(values: NDArray[np.float64]) -> float:
    """P-value of the first value among all."""
    return float((values >= values[0] - 1e-9 * np.abs(values).max()).mean())


def _form(rows: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum the weighted products of pairs of columns, pair by pair: no score depends on its batch."""
    total = np.zeros(len(rows))
    for place in range(rows.shape[1] - 1):
        inner = np.zeros(len(rows))
        for other in range(place + 1, rows.shape[1]):
            inner += weights[place, other] * rows[:, other]
        total += rows[:, place] * inner
    return total


def _correlators(
    rows: NDArray[np.float64], draws: NDArray[np.float64], orders: list[int]
) -> tuple[dict[int, NDArray[np.float64]], dict[int, NDArray[np.float64]]]:
    """Compute the correlators of two samples in each column of `draws`, which marks the rows of the second by 1.

    The means of raw products in all draws are one matrix product for each block of rows; centred products follow from
    them.

    Returns
    -------
    pair of dict of int to ndarray of shape (n_products, n_draws)
    """
    n_columns = rows.shape[1]
    chosen = {order: np.array(list(combinations(range(n_columns), order))) for order in range(1, max(orders) + 1)}
    sums = {order: np.zeros((len(places), draws.shape[1])) for order, places in chosen.items()}
    totals = {order: np.zeros(len(places)) for order, places in chosen.items()}
    squares, all_squares = np.zeros((n_columns, draws.shape[1])), np.zeros(n_columns)
    for block in row_blocks(len(rows), _BLOCK_ROWS):
        part, marks = rows[block], draws[block]
        squares += (part**2).T @ marks
        all_squares += (part**2).sum(axis=0)
        for order, places in chosen.items():
            products = part[:, places[:, 0]]
            for column in places.T[1:]:
                products *= part[:, column]
            sums[order] += products.T @ marks
            totals[order] += products.sum(axis=0)
    size = draws.sum(axis=0)[0]
    found = []
    for group in (0, 1):
        n = size if group else len(rows) - size
        raw = {order: (sums[order] if group else totals[order][:, None] - sums[order]) / n for order in chosen}
        variance = (squares if group else all_squares[:, None] - squares) / n - raw[1] ** 2
        unit = np.sqrt(np.where(variance > 1e-9, variance, 1.0))
        result = {}
        for order in orders:
            scale = np.prod([unit[column] for column in chosen[order].T], axis=0)
            result[order] = _centred(raw, chosen, order) / scale
        found.append(result)
    return found[0], found[1]


def _centred(
    raw: dict[int, NDArray[np.float64]], chosen: dict[int, NDArray[np.intp]], order: int
) -> NDArray[np.float64]:
    """Turn the means of raw products to those of centred ones."""
    mean, places = raw[1], chosen[order]
    n_columns = len(mean)
    index: dict[int, NDArray[np.intp]] = {}
    for size in range(1, order + 1):
        index[size] = np.zeros((n_columns,) * size, dtype=np.intp)
        index[size][tuple(chosen[size].T)] = np.arange(len(chosen[size]))
    total = np.zeros((len(places), mean.shape[1]))
    for size in range(order + 1):
        for kept in combinations(range(order), size):
            left = [place for place in range(order) if place not in kept]
            term = np.full(total.shape, (-1.0) ** len(left), dtype=np.float64)
            for place in left:
                term *= mean[places[:, place]]
            if size:
                term *= raw[size][index[size][tuple(places[:, place] for place in kept)]]
            total += term
    return total


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values.mean(axis=0))


def _variation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = values.mean(axis=0)
    return np.asarray(values.std(axis=0) / np.where(np.abs(mean) > 1e-12, mean, 1.0))


def _skewness(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = values - values.mean(axis=0)
    spread = values.std(axis=0)
    return np.asarray((centred**3).mean(axis=0) / np.where(spread > 1e-9, spread, np.inf) ** 3)
