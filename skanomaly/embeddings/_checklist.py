"""Simple statements that hold for normal rows."""

from collections.abc import Iterable
from itertools import combinations
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._extremes import require_squares
from skanomaly._support._hooks import normal_samples
from skanomaly._support._scales import SafeRange, column_scale
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval
from skanomaly._support._validation import check_rows
from skanomaly.base import BaseDetector

__all__ = ["ChecklistDetector"]

_KINDS = ("range", "difference", "sum", "regression")
_TAIL = 0.05
_MARGIN = 0.25
_BASE = 0.5  # what a violation counts besides its size
_N_PREDICTORS = 3
_RIDGE = 1e-3
_LARGEST = 1e15
Floats = NDArray[np.float64]


class ChecklistDetector(BaseDetector):
    r"""Statements that hold for normal rows, learnt, filtered and decided by majority; anomalies violate some.

    A statement says that a column, or the difference, sum or regression of columns, is within a range. Use it for
    logical anomalies, whose columns are normal one by one but not together, and for answers to yes/no questions. In
    general it is a weak detector.

    Parameters
    ----------
    rules : sequence of str, default=("range", "difference", "sum", "regression")
        Kinds of statements, some of these four. A regression predicts a column from the three that are most correlated
        with it.
    n_pairs : int, default=200
        Largest number of differences, and of sums: those with the smallest spread relative to those of their columns.
    keep : float, default=0.95
        Smallest fraction of held-out training rows, in (0.5, 1], that must be within a range; other statements are
        dropped.
    n_votes : int, default=5
        Number of random halves of the training rows from which each range is learnt. A row violates a statement if it
        is outside most of the ranges.
    contamination : float, default=0.1
        Fraction of the training rows that are flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed for the halves.

    Attributes
    ----------
    statements_ : list of str
        The statements, in words.
    offset_ : float
        Threshold on ``score_samples``: rows with lower scores are anomalies.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    skanomaly.detectors.GaussianDetector : Linear dependence of all columns at once.

    Notes
    -----
    The checklist follows [1]_ in its form: questions that normal samples fail are dropped, the others are asked several
    times and decided by majority, and a single failed check counts. What we changed: statements are about numbers and
    are mined, where the paper asks a language model about images. Its answers can be the columns here: 1 yes, 0 no, NaN
    no answer.

    A range is from the 5 % to the 95 % quantile of a half of the training rows, wider by a quarter of that on both
    sides. With :math:`v_r(x)` the distance of a value from the median range, in standard deviations of the training
    values, the outlyingness is :math:`\sum_r (v_r(x) + 0.5)` over violated statements :math:`r`. A statement
    of which a value is missing is not violated.

    `y`: rows labelled -1 are left out; +1 and 0 are treated alike.

    Cost: O(n R) for R statements, at most :math:`2 d + 2` `n_pairs`, and O(d² n) to find the pairs.

    References
    ----------
    .. [1] Kwon, Y. et al. (2025). "LogicQA: logical anomaly detection with vision language model generated questions".
       arXiv:2503.20252.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.embeddings import ChecklistDetector
    >>> random = np.random.default_rng(0)
    >>> parts = random.uniform(0, 10, size=(300, 2))
    >>> X = np.column_stack([parts, parts.sum(axis=1)])
    >>> detector = ChecklistDetector(random_state=0).fit(X)
    >>> detector.predict([[2.0, 3.0, 5.0], [2.0, 3.0, 9.0]])
    array([ 1, -1])
    >>> (
    ...     len(detector.explain([[2.0, 3.0, 5.0]])[0]),
    ...     len(detector.explain([[2.0, 3.0, 9.0]])[0]) > 0,
    ... )
    (0, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "rules": ["array-like"],
        "n_pairs": [Interval(Integral, 0, None, closed="left")],
        "keep": [Interval(Real, 0.5, 1, closed="right")],
        "n_votes": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        rules: Iterable[str] = _KINDS,
        n_pairs: int = 200,
        keep: float = 0.95,
        n_votes: int = 5,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.rules = rules
        self.n_pairs = n_pairs
        self.keep = keep
        self.n_votes = n_votes
        self.contamination = contamination
        self.random_state = random_state

    def _check(self, X: Any, *, reset: bool) -> NDArray[Any]:
        fewest = self._min_samples if reset else 1
        return check_rows(self, X, reset=reset, min_samples=fewest, ensure_all_finite="allow-nan")

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        unknown = [rule for rule in self.rules if rule not in _KINDS]
        if unknown or not list(self.rules):
            raise ValueError(f"rules={self.rules!r} must be some of {list(_KINDS)}.")
        given = X[normal_samples(y, self._min_samples, "rows")]
        if np.abs(given).max(initial=0.0, where=~np.isnan(given)) > _LARGEST:
            self._require_usable(given)
        rows = _safe(given)
        self._weights, self._constants, self._kinds = self._mine(rows)
        values = self._values(rows)
        random = generator(self.random_state)
        lows, highs, passed = [], [], []
        for _ in range(self.n_votes):
            half = np.zeros(len(rows), dtype=bool)
            half[random.permutation(len(rows))[: max(1, (len(rows) + 1) // 2)]] = True
            low, high = _quantiles(values[half])
            with np.errstate(invalid="ignore"):  # columns without any value
                width = _MARGIN * (high - low)
            lows.append(low - width)
            highs.append(high + width)
            others = values[~half] if not half.all() else values
            obeyed = (others >= lows[-1]) & (others <= highs[-1]) | np.isnan(others)
            passed.append(obeyed.mean(axis=0))
        kept = (np.median(passed, axis=0) >= self.keep) & np.isfinite(np.sum(lows, axis=0) + np.sum(highs, axis=0))
        self._weights, self._constants = self._weights[kept], self._constants[kept]
        self._kinds = [kind for kind, stays in zip(self._kinds, kept, strict=True) if stays]
        self._lows, self._highs = np.array(lows)[:, kept], np.array(highs)[:, kept]
        middles = np.nanmedian(np.where(np.isnan(values).all(axis=0), 0.0, values), axis=0)
        filled = np.where(np.isnan(values), middles, values)
        self._scales = column_scale(filled)[kept] if kept.any() else np.ones(0)
        self.statements_ = [self._statement(index) for index in range(len(self._kinds))]

    def _require_usable(self, rows: NDArray[Any]) -> None:
        """Raise for columns of huge values; single ones are limited."""
        median = np.where(np.isnan(rows), np.nan_to_num(np.nanmedian(rows, axis=0)), rows)
        require_squares(self, SafeRange(median, rescale="none").apply(median), largest=_LARGEST)

    def _mine(self, rows: Floats) -> tuple[Floats, Floats, list[str]]:
        """Return the statements as linear forms: weights, constants and kinds."""
        n_columns = rows.shape[1]
        center = np.nanmedian(np.where(np.isnan(rows).all(axis=0), 0.0, rows), axis=0)
        filled = np.where(np.isnan(rows), center, rows)
        spread = column_scale(filled)
        centered = (filled - center) / spread
        covariance = centered.T @ centered / len(rows)
        weights, constants, kinds = [], [], []
        if "range" in self.rules:
            weights += list(np.eye(n_columns))
            constants += [0.0] * n_columns
            kinds += ["range"] * n_columns
        for kind, sign in (("difference", -1.0), ("sum", 1.0)):
            if kind not in self.rules:
                continue
            gram = covariance * np.outer(spread, spread)
            ratios = {}
            for left, right in combinations(range(n_columns), 2):
                own = gram[left, left] + gram[right, right]
                ratios[left, right] = (own + 2 * sign * gram[left, right]) / own if own > 0 else np.inf
            for left, right in sorted(ratios, key=lambda pair: (ratios[pair], pair))[: self.n_pairs]:
                form = np.zeros(n_columns)
                form[left], form[right] = 1.0, sign
                weights.append(form)
                constants.append(0.0)
                kinds.append(kind)
        if "regression" in self.rules and n_columns > 1:
            for target in range(n_columns):
                others = np.argsort(-np.abs(np.where(np.arange(n_columns) == target, 0.0, covariance[target])))
                seen = others[others != target][:_N_PREDICTORS]
                gram = covariance[np.ix_(seen, seen)] + _RIDGE * np.eye(len(seen))
                slopes = np.linalg.solve(gram, covariance[seen, target]) * spread[target] / spread[seen]
                form = np.zeros(n_columns)
                form[target] = 1.0
                form[seen] = -slopes
                weights.append(form)
                constants.append(-float(form @ center))
                kinds.append("regression")
        if not weights:
            weights, constants, kinds = list(np.eye(n_columns)), [0.0] * n_columns, ["range"] * n_columns
        return np.array(weights), np.array(constants), kinds

    def _values(self, rows: Floats) -> Floats:
        """Return the value of each statement's form; NaN where a column that it uses is missing."""
        missing = np.isnan(rows)
        values = np.where(missing, 0.0, rows) @ self._weights.T + self._constants
        if missing.any():
            values[(missing.astype(np.float64) @ (self._weights != 0).T.astype(np.float64)) > 0] = np.nan
        return np.asarray(values)

    def _violations(self, X: NDArray[Any]) -> Floats:
        """Return the size of the violation of each statement, 0 where it holds."""
        values = self._values(_safe(X))
        if not self._kinds:
            return np.zeros((len(X), 0))
        outside = np.zeros(values.shape)
        for low, high in zip(self._lows, self._highs, strict=True):
            outside += (values < low) | (values > high)
        broken = 2 * outside > self.n_votes
        low, high = np.median(self._lows, axis=0), np.median(self._highs, axis=0)
        size = np.maximum(np.maximum(low - values, values - high), 0.0) / self._scales
        return np.where(broken, np.nan_to_num(size) + _BASE, 0.0)

    def _outlyingness(self, X: NDArray[Any]) -> Floats:
        return np.asarray(self._violations(X).sum(axis=1))

    def _name(self, column: int) -> str:
        names = getattr(self, "feature_names_in_", None)
        return f"column {column}" if names is None else str(names[column])

    def _form(self, index: int) -> str:
        used = np.flatnonzero(self._weights[index])
        kind = self._kinds[index]
        if kind == "regression":
            target = next(int(column) for column in used if self._weights[index, column] == 1.0)
            others = [self._name(int(column)) for column in used if column != target]
            return f"{self._name(target)} less its prediction from {', '.join(others)}"
        return {"range": "", "difference": " - ", "sum": " + "}[kind].join(self._name(int(column)) for column in used)

    def _statement(self, index: int) -> str:
        low, high = np.median(self._lows[:, index]), np.median(self._highs[:, index])
        return f"{self._form(index)} is between {low:.4g} and {high:.4g}"

    def explain(self, X: Any) -> list[list[str]]:
        """Describe the statements that each row violates.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        list of list of str
            The largest violation first; an empty list for a row that violates none.
        """
        check_is_fitted(self)
        rows = self._check(X, reset=False)
        violations, values = self._violations(rows), self._values(_safe(rows))
        found = []
        for own, sizes in zip(values, violations, strict=True):
            order = [int(place) for place in np.argsort(-sizes, kind="stable") if sizes[place] > 0]
            found.append([f"{self._form(place)} is {own[place]:.4g}, but {self.statements_[place]}" for place in order])
        return found

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _safe(X: NDArray[Any]) -> Floats:
    """Limit values, so that products and sums are finite."""
    return np.clip(np.asarray(X, dtype=np.float64), -_LARGEST, _LARGEST)


def _quantiles(values: Floats) -> tuple[Floats, Floats]:
    """Return the quantiles of each column without missing values; infinite where all are missing."""
    found = np.full((2, values.shape[1]), np.inf)
    known = ~np.isnan(values).all(axis=0)
    if known.any():
        found[:, known] = np.nanquantile(values[:, known], [_TAIL, 1 - _TAIL], axis=0)
    return found[0], found[1]
