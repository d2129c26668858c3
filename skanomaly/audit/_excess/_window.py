"""Search for an unusual group of rows in a window of one variable."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils import Tags
from sklearn.utils.validation import column_or_1d

from skanomaly._support._fractions import whole_part
from skanomaly._support._scales import SafeRange
from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._warnings import warn_user
from skanomaly.audit._excess._counts import count_significance
from skanomaly.audit._samples import LEVEL, reference_offset, threads_for, tree_sizes, warn_of_equal_scores
from skanomaly.base import BaseTest

__all__ = ["WindowExcessSearch"]

_MANY_ROWS = 20_000
_MANY_COLUMNS = 20
_LEAVES = 16
_FEWEST = 2  # rows in the window and beside it
_FEWEST_OF_NULL = 8
_SMALLEST = 1e-300


class WindowExcessSearch(BaseTest):
    r"""Test whether a window of one variable contains an excess of rows unlike those beside the window.

    The variable is an amount, a time, an energy or a load, and is not one of the columns. A classifier is
    trained to distinguish rows in the window from a template of what is expected there. Held-out rows with a classifier
    score above a cut are counted: more of them in the window than the template predicts are an excess.

    Parameters
    ----------
    estimator : classifier or None, default=None
        A classifier with ``predict_proba``. None is a logistic regression on columns and their products up to 20,000
        rows and 20 columns, else gradient boosted trees, with smaller leaves below 400 rows.
    limits : tuple of two floats or None, default=None
        The window: rows whose location is at least the first and below the second. None takes the middle fifth of the
        locations.
    side_limits : tuple of two floats or None, default=None
        Outer ends of the side windows. None uses all rows outside the window.
    template : {"sides", "regression"}, default="sides"
        What is expected in the window. "sides": the rows beside it, which is correct if the columns do not depend on
        the location. "regression": the same rows, moved to locations drawn in the window by a linear regression of
        each column and of its spread on the location.
    fractions : sequence of float, default=(0.1, 0.01)
        Fractions of the template above the cut, in (0, 0.5].
    systematic : float, default=0.0
        Relative standard deviation of the expected count beyond that of counting, for a template that is not exact.
    cv : int, default=5
        Number of folds.
    alpha : float in (0, 1), default=0.05
        Fraction of the rows beside the window that :meth:`predict` labels -1.
    random_state : int, RandomState instance or None, default=None
        Seeds folds, halves, the template and the default classifier.

    Attributes
    ----------
    statistic_ : float
        Largest significance over the fractions, in standard deviations.
    pvalue_ : float
        P-value of an excess for all fractions together: the smallest of exact binomial p-values, times their number.
    observed_ : ndarray of shape (n_fractions,)
        Rows in the window above the cut.
    expected_, expected_std_ : ndarray of shape (n_fractions,)
        Expected number, and its standard deviation.
    z_ : ndarray of shape (n_fractions,)
        Significance (:func:`count_significance`).
    null_z_ : ndarray of shape (n_fractions,)
        The same for the rows just beside the window in its place, where no excess is expected. Large values mean that
        the template is wrong and the classifier has learnt the location. NaN if there are too few rows.
    limits_ : tuple of float
        The window.
    estimators_ : list of classifiers
        Fitted classifiers, one per fold.
    sample_scores_ : ndarray of shape (n_samples,)
        Score of each fitted row by the classifier that did not see it: log odds of the template. Lower scores are more
        anomalous.
    offset_ : float
        Score below which :meth:`predict` labels rows -1.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    DomainClassifierTest : Compares two samples as a whole.
    NPLMTest : Finds local differences between two samples without a window.

    Notes
    -----
    This is the direct estimate of the background of [1]_. In each fold the cut is chosen on one half of the held-out
    template and the template is counted on the other half. If the cut were chosen on the rows that are counted, the
    expected count would be too small, and a table without an excess would have a mean significance of about 1.5. With
    :math:`b` counted template rows and :math:`r` rows of the window for each row of the counted half,

    .. math:: B = r b, \qquad \sigma_B^2 = r^2 b + (s B)^2,

    with `systematic` as :math:`s`. The template made by a generative model that [1]_ also uses is not included.

    References
    ----------
    .. [1] Das, R., Finke, T., Hein, M., Kasieczka, G., Krämer, M., Mück, A., Shih, D. (2024). Accurate and robust
       methods for direct background estimation in resonant anomaly detection. arXiv:2411.00085.
    .. [2] Metodiev, E. M., Nachman, B., Thaler, J. (2017). Classification without labels: learning from mixed samples
       in high energy physics. Journal of High Energy Physics 2017. https://doi.org/10.1007/JHEP10(2017)174

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import WindowExcessSearch
    >>> random = np.random.RandomState(0)
    >>> X, amount = random.normal(size=(3000, 3)), random.uniform(0, 10, size=3000)
    >>> X[:60], amount[:60] = (
    ...     2.5 + 0.3 * random.normal(size=(60, 3)),
    ...     random.uniform(4.8, 5.0, size=60),
    ... )
    >>> search = WindowExcessSearch(limits=(4.5, 5.0), random_state=0).fit(
    ...     X, locations=amount
    ... )
    >>> search.statistic_ > 5, search.pvalue_ < 1e-6
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [None, HasMethods(["fit", "predict_proba"])],
        "limits": [None, tuple, list],
        "side_limits": [None, tuple, list],
        "template": [StrOptions({"sides", "regression"})],
        "fractions": ["array-like"],
        "systematic": [Interval(Real, 0, None, closed="left")],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }
    _min_samples: ClassVar[int] = 4

    def __init__(
        self,
        estimator: Any = None,
        *,
        limits: Sequence[float] | None = None,
        side_limits: Sequence[float] | None = None,
        template: str = "sides",
        fractions: Sequence[float] = (0.1, 0.01),
        systematic: float = 0.0,
        cv: int = 5,
        alpha: float = 0.05,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.limits = limits
        self.side_limits = side_limits
        self.template = template
        self.fractions = fractions
        self.systematic = systematic
        self.cv = cv
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, locations: Any = None) -> Self:
        """Search the window.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows inside and outside the window; finite numbers, without the location.
        y : None
            Not used.
        locations : array-like of shape (n_samples,), default=None
            Value of the variable of the window for each row. None is the place of the row in the table.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If fewer than 2 rows are in the window or beside it, or limits, fractions or locations are out of range.
        """
        return self._run_fit(X, y, locations=locations)

    def _test(self, X: NDArray[Any], *, locations: Any = None) -> None:
        n = len(X)
        places = np.arange(n, dtype=np.float64) if locations is None else _locations(locations, n)
        fractions = np.asarray(self.fractions, dtype=np.float64)
        if fractions.ndim != 1 or fractions.size == 0 or not ((fractions > 0) & (fractions <= 0.5)).all():
            raise ValueError(f"fractions={self.fractions!r} must be numbers in (0, 0.5].")
        self.limits_ = _window(self.limits, places)
        inside = (places >= self.limits_[0]) & (places < self.limits_[1])
        beside = ~inside
        if self.side_limits is not None:
            low, high = _pair(self.side_limits, "side_limits")
            beside &= (places >= low) & (places < high)
        if min(inside.sum(), beside.sum()) < _FEWEST:
            raise ValueError(
                f"{inside.sum()} rows are in the window {self.limits_} and {beside.sum()} beside it (n_samples={n}); "
                f"each needs at least {_FEWEST}."
            )
        self._warn_of_few_rows(int(inside.sum()), int(beside.sum()), fractions.size)
        self._range = SafeRange(X)
        X = self._range.apply(X)
        random, other = child_generators(draw_seed(self.random_state), 2)
        scores, counts, self.estimators_ = self._search(X, places, inside, beside, fractions, random)
        self.observed_, self.expected_, self.expected_std_, self.z_ = counts[:4]
        self.statistic_ = float(self.z_.max())
        self.pvalue_ = float(np.clip(fractions.size * counts[4].min(), _SMALLEST, 1.0))
        self._fitted_scores = scores
        warn_of_equal_scores(self, X, (_odds(model, X) for model in self.estimators_))
        rest = ~inside & ~beside
        if rest.any():
            self._fitted_scores[rest] = self._mean_odds(X[rest])
        self.null_z_ = self._null(X, places, inside, beside, fractions, other)
        self.offset_ = reference_offset(self._fitted_scores[beside], self.alpha)

    def _warn_of_few_rows(self, n_inside: int, n_beside: int, n_fractions: int) -> None:
        """Warn before the search where even all rows of the window above the cut, and no others, are no evidence."""
        factor = 2 * n_inside / n_beside  # rows of the window for each row of the counted half
        smallest = n_fractions * (factor / (1 + factor)) ** n_inside
        if smallest > LEVEL:
            warn_user(
                f"pvalue_ cannot be below {min(smallest, 1.0):.2g}: {n_inside} rows are in the window and {n_beside} "
                "beside it. Give more rows, other limits or fewer fractions."
            )

    def _search(
        self,
        X: NDArray[Any],
        places: NDArray[np.float64],
        inside: NDArray[np.bool_],
        beside: NDArray[np.bool_],
        fractions: NDArray[np.float64],
        random: np.random.Generator,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], list[Any]]:
        """Cross-fit; return the scores of rows, and counts: observed, expected, its spread, z and p-values."""
        folds = np.empty(len(X), dtype=np.intp)
        for rows in (np.flatnonzero(inside), np.flatnonzero(beside)):
            folds[rows] = random.permutation(np.arange(rows.size) % self.cv)
        scores = np.zeros(len(X))
        observed, background, factors = (np.zeros((self.cv, fractions.size)) for _ in range(3))
        models = []
        seed = int(random.integers(2**31))
        for fold in range(self.cv):
            train, held = beside & (folds != fold), beside & (folds == fold)
            signal, tested = inside & (folds != fold), inside & (folds == fold)
            move = self._mover(X, places, train)
            at = random.choice(places[signal], size=(2, len(X)))
            known = move(X[train], places[train], at[0][train])
            expected = move(X[held], places[held], at[1][held])
            model = clone(self.estimator) if self.estimator is not None else _default(known, seed)
            rows = np.vstack([known, X[signal]])
            with threads_for(rows):
                model.fit(rows, np.repeat([0, 1], [len(known), signal.sum()]))
            models.append(model)
            scores[tested], scores[held] = _odds(model, X[tested]), _odds(model, X[held])
            template = _odds(model, expected)
            halves = random.permutation(template.size)
            chosen, counted = template[halves[: template.size // 2]], template[halves[template.size // 2 :]]
            for place, fraction in enumerate(fractions):
                cut = np.sort(chosen)[max(whole_part(fraction, chosen.size), 1) - 1] if chosen.size else -np.inf
                observed[fold, place] = (scores[tested] < cut).sum()
                background[fold, place] = (counted < cut).sum()
                factors[fold, place] = tested.sum() / max(counted.size, 1)
        return scores, self._counts(observed, background, factors), models

    def _counts(
        self, observed: NDArray[np.float64], background: NDArray[np.float64], factors: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        n, b, factor = observed.sum(axis=0), background.sum(axis=0), factors.mean(axis=0)
        expected = (background * factors).sum(axis=0)
        spread = np.sqrt((background * factors**2).sum(axis=0) + (self.systematic * expected) ** 2)
        pvalues = stats.binom.sf(n - 1, n + b, factor / (1 + factor))
        z = np.array(
            [
                count_significance(n[i], expected[i], spread[i]) if expected[i] > 0 else stats.norm.isf(pvalues[i])
                for i in range(n.size)
            ]
        )
        z[~np.isfinite(z)] = 0.0  # nothing observed, nothing expected
        if self.systematic > 0:
            pvalues = np.maximum(pvalues, stats.norm.sf(z))
        return np.array([n, expected, spread, z, pvalues])

    def _mover(self, X: NDArray[Any], places: NDArray[np.float64], rows: NDArray[np.bool_]) -> Any:
        """Return a function that moves rows from their locations to others."""
        if self.template == "sides":
            return lambda table, _here, _there: table
        center, unit = places[rows].mean(), max(float(places[rows].std()), 1e-12)

        def design(at: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.column_stack([np.ones(at.size), (at - center) / unit])

        values = X[rows].astype(np.float64)
        slopes = np.linalg.lstsq(design(places[rows]), values, rcond=None)[0]
        residuals = np.abs(values - design(places[rows]) @ slopes)
        spreads = np.linalg.lstsq(design(places[rows]), residuals, rcond=None)[0]
        least = np.maximum(0.1 * residuals.mean(axis=0), 1e-12)

        def move(table: NDArray[Any], here: NDArray[np.float64], there: NDArray[np.float64]) -> NDArray[Any]:
            ratio = np.maximum(design(there) @ spreads, least) / np.maximum(design(here) @ spreads, least)
            return np.asarray(design(there) @ slopes + (table - design(here) @ slopes) * ratio)

        return move

    def _null(
        self,
        X: NDArray[Any],
        places: NDArray[np.float64],
        inside: NDArray[np.bool_],
        beside: NDArray[np.bool_],
        fractions: NDArray[np.float64],
        random: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Search the same number of rows beside the window, nearest to it, in its place."""
        middle = np.median(places[inside])
        rows = np.flatnonzero(beside)
        n_taken = min(int(inside.sum()), rows.size // 3)
        if n_taken < _FEWEST_OF_NULL:
            return np.full(fractions.size, np.nan)
        nearest = rows[np.argsort(np.abs(places[rows] - middle), kind="stable")[:n_taken]]
        false = np.zeros(len(X), dtype=bool)
        false[nearest] = True
        return self._search(X, places, false, beside & ~false, fractions, random)[1][3]

    def _row_scores(self, X: Any) -> NDArray[np.float64]:
        if X is None:
            return self._fitted_scores
        return self._mean_odds(self._range.apply(X))

    def _mean_odds(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(np.mean([_odds(model, rows) for model in self.estimators_], axis=0))

    def _row_offset(self) -> float:
        return self.offset_

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags


def _odds(model: Any, rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return the log odds of the template."""
    if not len(rows):
        return np.empty(0)
    probabilities = np.clip(model.predict_proba(rows), 1e-12, 1.0)
    return np.asarray(np.log(probabilities[:, 0]) - np.log(probabilities[:, 1]), dtype=np.float64)


def _default(rows: NDArray[Any], seed: int) -> Any:
    if len(rows) > _MANY_ROWS or rows.shape[1] > _MANY_COLUMNS:
        return HistGradientBoostingClassifier(
            class_weight="balanced",
            max_iter=60,
            **tree_sizes(len(rows), _LEAVES),
            early_stopping=False,
            random_state=seed,
        )
    logistic = LogisticRegression(C=0.1, max_iter=1000, class_weight="balanced")
    return make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler(), logistic)


def _locations(locations: Any, n_rows: int) -> NDArray[np.float64]:
    values = np.asarray(column_or_1d(np.asarray(locations)), dtype=np.float64)
    if values.size != n_rows:
        raise ValueError(f"locations has {values.size} values for {n_rows} rows; give one for each row.")
    if not np.isfinite(values).all():
        raise ValueError(f"locations has {np.count_nonzero(~np.isfinite(values))} missing or infinite values.")
    return values


def _pair(limits: Any, name: str) -> tuple[float, float]:
    if len(limits) != 2 or not limits[0] < limits[1]:
        raise ValueError(f"{name}={limits!r} must be two numbers, the smaller first.")
    return float(limits[0]), float(limits[1])


def _window(limits: Any, places: NDArray[np.float64]) -> tuple[float, float]:
    if limits is not None:
        return _pair(limits, "limits")
    low, high = np.quantile(places, [0.4, 0.6])
    return float(low), float(high) if high > low else float(np.nextafter(high, np.inf))
