"""A test of whether values are missing completely at random."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags

from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._mixed_rows import check_mixed
from skanomaly._support._seeds import child_generators
from skanomaly._support._sklearn import Interval
from skanomaly._support._tables import TableReader
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseTest

__all__ = ["MissingnessTest"]

_FEWEST_ROWS = 5
_BLOCK_PERMUTATIONS = 32
_FLAT = 1e-12  # a constant column's scores
_EQUAL = 1 - 1e-10  # statistics equal but for rounding count as equal


class MissingnessTest(BaseTest):
    """Test whether values are missing completely at random.

    For each column with missing values, the rows in which it is missing are compared with the rows in which it is
    present, in the location and the scale of every other column (in the frequencies of its categories, if it is
    categorical). If values are missing completely at random, both groups of rows have the same distribution.

    Parameters
    ----------
    n_permutations : int, default=999
        Number of permutations. The smallest p-value is ``1 / (n_permutations + 1)``.
    n_jobs : int or None, default=None
        Number of threads over blocks of permutations. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the permutations.

    Attributes
    ----------
    statistic_ : float
        Largest standardised difference over all pairs of columns; 0 if no pair can be compared.
    pvalue_ : float
        P-value: the probability of a statistic at least as large if values are missing completely at random. 1 if no
        pair can be compared, with a warning if values are missing.
    column_statistics_ : ndarray of shape (`n_features_in_`,)
        Largest standardised difference between the rows in which this column is missing and those in which it is
        present.
    column_pvalues_ : ndarray of shape (`n_features_in_`,)
        P-value of each column, adjusted for the number of columns: the probability that any column without a
        difference has a p-value of at most a given level is at most this level.
    related_columns_ : ndarray of shape (`n_features_in_`,), int
        Position of the column that differs most, or -1 if none could be compared. For frames, ``feature_names_in_`` has
        its name at this position.
    sample_scores_ : ndarray of shape (n_samples,)
        Score of each fitted row; lower scores are more anomalous. Rows have no p-values, so there are no
        ``sample_pvalues_``, ``pvalue_threshold_`` and ``predict``.
    categories_ : list of (Index or None), or None
        Categories of each column, None for a numeric one; None if all are numeric.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    skanomaly.impute.KNNSamplerImputer : Impute missing values.

    Notes
    -----
    *Null hypothesis.* Missing completely at random (MCAR): the pattern of missing values is independent of the values,
    observed or not [1]_. A small p-value rejects it, and ``column_pvalues_`` says by which columns. Imputation from the
    other columns is then still valid if the pattern depends on *observed* values only (missing at random); no test on
    the observed table can distinguish that from dependence on the missing values themselves.

    *Statistic.* For columns f and g, the rows in which g is present are divided into those in which f is missing and
    those in which f is present. Both groups are compared by the rank-sum test of g (normal approximation) and by the
    same test of the squared centred ranks (Mood's scores), or of the indicators if g is categorical. A pair with fewer
    than five rows in either group is left out. The statistic is the largest absolute z. Little's classical test [1]_
    compares means under a normal model and needs many rows of every pattern of missing values; with twenty columns
    nearly every row has a different pattern.

    *p-value.* The rows of the missingness mask are permuted relative to the rows of the ranks, which keeps the
    dependence between columns in both. The statistic of a column is compared with the permuted maximum over all
    columns [2]_. This is exact if the columns compared have no missing values themselves. Otherwise it is
    approximate, since the masks of columns are correlated; standardising each pair removes this effect to first order.

    *Rows.* ``score_samples`` is minus the contribution of the row to the largest difference of each column: minus the
    sum, over the columns that could be compared, of (1 if the value is missing, else 0, minus the fraction missing)
    times the rank score of the most related column, with a sign such that the sum over the training rows is not
    positive. The term of a column is 0 if the value of its most related column is missing. Rows with the lowest scores
    are the strongest evidence against MCAR.

    References
    ----------
    .. [1] Little, R. J. A. "A Test of Missing Completely at Random for Multivariate Data with Missing Values",
           Journal of the American Statistical Association 83, 1988. https://doi.org/10.1080/01621459.1988.10478722
    .. [2] Westfall, P. H., Young, S. S. "Resampling-Based Multiple Testing", Wiley, 1993. ISBN 978-0-471-55761-6.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import MissingnessTest
    >>> random = np.random.Generator(np.random.PCG64(0))
    >>> X = random.normal(size=(300, 3))
    >>> at_random = X.copy()
    >>> at_random[random.random(300) < 0.2, 0] = np.nan
    >>> MissingnessTest(random_state=0).fit(at_random).pvalue_ > 0.05
    True
    >>> by_value = X.copy()
    >>> by_value[X[:, 2] > 1, 0] = np.nan
    >>> audit = MissingnessTest(random_state=0).fit(by_value)
    >>> audit.pvalue_, audit.related_columns_
    (0.001, array([ 2, -1, -1]))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    def __init__(self, *, n_permutations: int = 999, n_jobs: int | None = None, random_state: Any = None) -> None:
        self.n_permutations = n_permutations
        self.n_jobs = n_jobs
        self.random_state = random_state

    _reader: TableReader | None

    def _read(self, X: Any, *, reset: bool) -> NDArray[Any]:
        rows = check_mixed(self, X, reset=reset, min_samples=1, frames_only=True, unseen="negative")
        if reset:
            known = None if self._reader is None else self._reader.categories
            self.categories_ = known if known and any(names is not None for names in known) else None
        return rows

    def _test(self, X: NDArray[Any]) -> None:
        self._scores = [_Scores(column, coded=self._is_coded(index)) for index, column in enumerate(X.T)]
        self._owner = np.repeat(np.arange(X.shape[1]), [scores.width for scores in self._scores])
        missing, scores = np.isnan(X).astype(np.float64), self._score_columns(X)
        differences = _differences(missing, scores, 1 - missing, self._owner)
        strongest = np.abs(differences).argmax(axis=1)
        signed = differences[np.arange(len(differences)), strongest]
        self.column_statistics_ = np.abs(signed)
        maxima = self._permuted_maxima(missing, scores)
        exceeded = (maxima >= self.column_statistics_[:, None] * _EQUAL).sum(axis=1)
        compared = self.column_statistics_ > 0
        self.column_pvalues_ = np.where(compared, (1 + exceeded) / (1 + self.n_permutations), 1.0)
        if missing.any() and not compared.any():
            warn_user(
                "Nothing could be compared, so pvalue_=1.0 says nothing: no column that varies has "
                f"{_FEWEST_ROWS} rows both with and without a missing value elsewhere. Give more rows.",
            )
        self.statistic_ = float(self.column_statistics_.max())
        self.pvalue_ = float(self.column_pvalues_.min())
        self.related_columns_ = np.where(compared, self._owner[strongest], -1)
        self._strongest = np.where(compared, strongest, -1)
        self._directions = np.sign(signed)
        # Fraction of rows that lack column f among those that have its most related column.
        present = (1 - missing)[:, self.related_columns_]
        self._lacking = (missing * present).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
        self._fitted_scores = self._row_scores(X)

    def _row_scores(self, X: NDArray[Any] | None) -> NDArray[np.float64]:
        if X is None:
            return self._fitted_scores
        missing, scores = np.isnan(X), self._score_columns(X)
        evidence = np.zeros(len(X))
        for column in np.flatnonzero(self._strongest >= 0):
            lacking = (missing[:, column] - self._lacking[column]) * self._directions[column]
            evidence += lacking * scores[:, self._strongest[column]]
        return -evidence

    def _is_coded(self, index: int) -> bool:
        return self.categories_ is not None and self.categories_[index] is not None

    def _score_columns(self, table: NDArray[Any]) -> NDArray[np.float64]:
        return np.hstack([scores.of(column) for scores, column in zip(self._scores, table.T, strict=True)])

    def _permuted_maxima(self, missing: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the largest difference under each permutation, of shape (n_permutations,)."""
        if not missing.any():
            return np.zeros(self.n_permutations)
        lacking = np.ascontiguousarray(missing[:, missing.any(axis=0)])
        blocks = row_blocks(self.n_permutations, _BLOCK_PERMUTATIONS)
        randoms = child_generators(self.random_state, len(blocks))

        def block(index: int) -> list[float]:
            return [
                float(np.abs(_differences(randoms[index].permutation(lacking), scores, 1 - missing, self._owner)).max())
                for _ in range(blocks[index].start, blocks[index].stop)
            ]

        return np.concatenate(map_blocks(block, range(len(blocks)), n_jobs=self.n_jobs))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class _Scores:
    """Scores of one column, with mean 0 and mean square 1 over the rows that have it."""

    def __init__(self, column: NDArray[Any], *, coded: bool) -> None:
        self._known = np.sort(column[~np.isnan(column)])
        self._codes = np.unique(self._known) if coded else None
        raw = self._raw(self._known)
        self._centre = raw.mean(axis=0) if len(raw) else np.zeros(raw.shape[1])
        spread = raw.std(axis=0) if len(raw) else np.zeros(raw.shape[1])
        self._scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > _FLAT)
        self.width = raw.shape[1]

    def of(self, column: NDArray[Any]) -> NDArray[np.float64]:
        """Score a column's cells, 0 where missing."""
        scores = np.zeros((len(column), self.width))
        present = ~np.isnan(column)
        scores[present] = (self._raw(column[present]) - self._centre) * self._scale
        return scores

    def _raw(self, values: NDArray[Any]) -> NDArray[np.float64]:
        if self._codes is not None:
            return (values[:, None] == self._codes).astype(np.float64)
        below = np.searchsorted(self._known, values, side="left")
        not_above = np.searchsorted(self._known, values, side="right")
        ranks = (below + not_above) / (2 * max(self._known.size, 1)) - 0.5  # midranks, centred
        return np.column_stack([ranks, ranks**2])


def _differences(
    missing: NDArray[np.float64], scores: NDArray[np.float64], present: NDArray[np.float64], owner: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Standardise, for each column and score, the score's sum over the rows that lack the column.

    Under permutation within the n rows that have the score, m of which lack the column, the sum has mean 0 and
    variance m (n - m) / (n - 1).

    Parameters
    ----------
    missing : ndarray of shape (n_rows, n_columns)
    scores : ndarray of shape (n_rows, n_scores)
    present : ndarray of shape (n_rows, n_features)
        1 where a score's column has a value.
    owner : ndarray of shape (n_scores,)
        Column of each score.

    Returns
    -------
    ndarray of shape (n_columns, n_scores)
        0 where fewer than five rows stand on a side.
    """
    lacking = (missing.T @ present)[:, owner]
    having = present.sum(axis=0)[owner] - lacking
    enough = np.minimum(lacking, having) >= _FEWEST_ROWS
    variance = np.where(enough, lacking * having / np.maximum(lacking + having - 1, 1), 1.0)
    return np.where(enough, (missing.T @ scores) / np.sqrt(variance), 0.0)
