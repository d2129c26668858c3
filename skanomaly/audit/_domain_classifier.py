"""A classifier that distinguishes two samples."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._callbacks import reported
from skanomaly._support._columns import NUMBER, column_kind, column_numbers, is_frame, to_pandas
from skanomaly._support._mixed_rows import check_mixed
from skanomaly._support._scales import SafeRange
from skanomaly._support._seeds import child_generators, draw_seed
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._ties import rank_scores
from skanomaly._support._validation import check_rows, validate_data
from skanomaly._support._warnings import warn_user
from skanomaly.audit._null import SMALLEST, sequential_pvalue
from skanomaly.audit._samples import (
    LEVEL,
    reference_offset,
    sample_codes,
    threads_for,
    tree_sizes,
    warn_of_equal_scores,
)
from skanomaly.base import BaseTest

__all__ = ["DomainClassifierTest"]

_MANY_ROWS = 2000
_MANY_COLUMNS = 20
_LEAVES = 31
_WEIGHT_RANGE = 100.0
_MOST_CATEGORIES = 254  # of a column of HistGradientBoostingClassifier, which takes 255, with one for all others


class DomainClassifierTest(BaseTest):
    """Test whether a classifier can distinguish two samples, and find the columns and rows in which they differ.

    A classifier is cross-fitted on the rows of a reference and of another sample: each row is classified by a model
    that was not trained on it. If both samples have the same distribution, no classifier is better than chance.

    Parameters
    ----------
    estimator : classifier, default=None
        A classifier with ``predict_proba``. None uses logistic regression on the standardised columns and, for at most
        20 columns, their products; for more than 2,000 rows, categories or missing values it uses gradient boosting,
        with smaller leaves and trees below 400 rows.
    cv : int, default=5
        Number of folds of the cross-fit, at most the number of rows of the smaller sample.
    null : {"binomial", "permutation"}, default="binomial"
        "binomial" trains on one half of the rows and counts the correct labels in the other half. Under the null
        hypothesis this number is hypergeometric (a binomial test given the sizes of the samples). "permutation" repeats
        the cross-fit with shuffled labels; it has more power and is slower.
    n_permutations : int, default=199
        Maximum number of permutations. Drawing stops once 20 of them have reached the observed area.
    alpha : float in (0, 1), default=0.05
        Fraction of the reference rows that :meth:`predict` labels -1.
    n_jobs : int or None, default=None
        Number of threads over permutations.
    random_state : int, RandomState instance or None, default=None
        Seeds the splits into folds and halves, the shuffling of labels and columns, and the default classifier.

    Attributes
    ----------
    statistic_ : float
        Area under the ROC curve of the cross-fitted probabilities: 0.5 by chance, 1 if the samples are separated.
    pvalue_ : float
        P-value; never 0.
    accuracy_ : float
        Fraction of correct labels: in the held-out half with "binomial", of the cross-fit with "permutation".
    divergence_ : float
        Lower bound, in nats, of the Jensen-Shannon divergence between the samples: log 2 minus the balanced
        cross-entropy, and at least 0.
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Mean decrease of the area when the column is shuffled in the held-out rows.
    single_areas_ : ndarray of shape (`n_features_in_`,)
        Area under the ROC curve of each column alone, in the direction in which it is at least 0.5, over the rows
        without a missing value. A column with an area near 1 is often an identifier or a time stamp. NaN for columns
        that are not numbers.
    single_pvalues_ : ndarray of shape (`n_features_in_`,)
        Two-sided p-value of each of these areas (Mann and Whitney, with correction for ties), not corrected for the
        number of columns. NaN where the area is.
    sample_weight_ : ndarray of shape (n_samples,)
        Weights that make the reference similar to the other sample. Rows of the other sample have weight 1. The weights
        of the reference are clipped to between 1/100 and 100 times their median, and scaled to mean 1.
    sample_scores_ : ndarray of shape (n_samples,)
        Cross-fitted log-odds of belonging to the reference; lower scores are more anomalous. ``score_samples`` returns
        the mean log-odds over the models of all folds, most of which were trained on a given fitted row.
    groups_ : ndarray of shape (n_groups,)
        Sorted labels of the samples; the first is that of the reference. 0 and 1 after :meth:`fit_samples`.
    estimators_ : list of classifiers
        Fitted classifiers, one per fold.
    offset_ : float
        Score below which :meth:`predict` labels rows -1. Rows have no p-values, so there are no attributes
        ``sample_pvalues_`` and ``pvalue_threshold_``.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    KNNTwoSampleTest : Compares samples without training a model.

    Notes
    -----
    A domain classifier is used to measure and to correct bias in [1]_; the test is that of [2]_. The usual formula for
    the variance of the area is not used, because it assumes independent scores, and cross-fitted scores are dependent.
    Equal rows in both samples leak between folds, so drop duplicates first. With only one sample the p-value is 1.

    References
    ----------
    .. [1] G. Trezza and E. Chiavazzo, "Classification-based detection and quantification of cross-domain data bias in
       materials discovery", Journal of Chemical Information and Modeling 65, 2025.
       https://doi.org/10.1021/acs.jcim.4c01766
    .. [2] Lopez-Paz, D. and Oquab, M. (2017). Revisiting classifier two-sample tests. International Conference on
       Learning Representations. arXiv:1610.06545.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import DomainClassifierTest
    >>> train, test = np.random.RandomState(0).normal(size=(2, 300, 3))
    >>> test[:, 1] += 1.0
    >>> audit = DomainClassifierTest(random_state=0).fit_samples(train, test)
    >>> bool(audit.pvalue_ < 1e-6), int(audit.feature_importances_.argmax())
    (True, 1)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [None, HasMethods(["fit", "predict_proba"])],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "null": [StrOptions({"binomial", "permutation"})],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }
    _min_samples: ClassVar[int] = 8
    _compares_samples: ClassVar[bool] = True
    _draws_rows: ClassVar[bool] = True

    def __init__(
        self,
        estimator: Any = None,
        *,
        cv: int = 5,
        null: str = "binomial",
        n_permutations: int = 199,
        alpha: float = 0.05,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.cv = cv
        self.null = null
        self.n_permutations = n_permutations
        self.alpha = alpha
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, groups: Any = None) -> Self:
        """Cross-fit the classifier and test it against chance.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of both samples, at least 4 of each. Without an `estimator`, text, categories and missing values are
            allowed; a given `estimator` receives frames unchanged.
        y : None
            Not used. Pass two tables to :meth:`fit_samples`, or the label of each row's sample as `groups`.
        groups : array-like of shape (n_samples,), default=None
            Labels of the two samples. The first label in sorted order is that of the reference: of "new" and "old" it
            is "new". Use :meth:`fit_samples` to choose the reference yourself. None takes the first half of the rows
            as the reference and the second half as the other sample.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are more than two labels or fewer than 4 rows of one, `y` is a table, or `X` has dates or infinity.

        Warns
        -----
        UserWarning
            If `y` is given without `groups`.
        """
        return self._run_fit(X, y, groups=groups)

    def _test(self, X: Any, *, groups: Any = None) -> None:
        n = X.shape[0]
        if n == 0:
            raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required.")
        codes, labels = sample_codes(groups, n, only_two=True, comparison="a domain classifier compares two samples")
        self.groups_: NDArray[Any] = labels
        self._n_sample = int(codes.sum())
        seed = draw_seed(self.random_state)
        if len(self.groups_) < 2:
            self._one_sample(X, n)
            return
        if np.bincount(codes).min() < 4:
            raise ValueError(
                f"The samples have {np.bincount(codes).tolist()} rows; each needs at least 4 (n_samples={n})."
            )
        model = clone(self.estimator) if self.estimator is not None else self._default(X, seed)
        self._cross_fit(model, X, codes, seed)
        self._test_chance(model, X, codes, seed)
        self._weigh(codes)

    def drop_columns(self, X: Any, *, groups: Any = None) -> dict[str, NDArray[Any]]:
        """Test again without each column, which shows whether the difference is due to that column alone.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows of both samples, in at least 2 columns.
        groups : array-like of shape (n_samples,), default=None
            As in :meth:`fit`. For two tables, stack them and give the number of each row's table.

        Returns
        -------
        dict of str to ndarray of shape (n_features,)
            Give it to ``pandas.DataFrame``. Keys: "column" (name or position), "area" (area under the ROC curve without
            the column), "area_loss" (that of all columns less that without it) and "pvalue" (that the samples are equal
            in the other columns, by `null`). A small area without one column, beside large ones without the others,
            tells an identifier or a time stamp.

        Raises
        ------
        ValueError
            As :meth:`fit`, or if there is one column only.

        Notes
        -----
        One test for each column, so the time is that of :meth:`fit` times the number of columns. The object itself is
        not changed.
        """
        frame = is_frame(X)
        table: Any = to_pandas(X) if frame else np.asarray(X)
        if table.ndim != 2 or table.shape[1] < 2:
            raise ValueError(f"X has shape {table.shape}; without a column none is left. Give at least 2 columns.")
        seed = draw_seed(self.random_state)
        whole = clone(self).set_params(random_state=seed).fit(X, groups=groups).statistic_
        areas, pvalues = [], []
        for place in range(table.shape[1]):
            kept = np.delete(np.arange(table.shape[1]), place)
            part = table.iloc[:, kept] if frame else table[:, kept]
            test = clone(self).set_params(random_state=seed).fit(part, groups=groups)
            areas.append(test.statistic_)
            pvalues.append(test.pvalue_)
        names = np.array(table.columns, dtype=object) if frame else np.arange(table.shape[1])
        return {
            "column": names,
            "area": np.array(areas),
            "area_loss": whole - np.array(areas),
            "pvalue": np.array(pvalues),
        }

    def reliability_curve(self, losses: Any, *, groups: Any = None) -> dict[str, NDArray[np.float64]]:
        """Tell how the loss of a model falls if it is used only on the rows that are most like its training rows.

        Parameters
        ----------
        losses : array-like of shape (n_sample,)
            Loss of a model that was trained on the reference, such as the absolute error, on each fitted row of the
            other sample, in their order.
        groups : array-like of shape (n_samples,), default=None
            The labels given to :meth:`fit`. None after :meth:`fit_samples`, where the other sample comes last.

        Returns
        -------
        dict of str to ndarray of shape (n_sample,)
            Give it to ``pandas.DataFrame``. Keys: "threshold" (smallest score kept, the highest first), "fraction" of
            the rows kept, "mean_loss" of the rows kept.

        Raises
        ------
        ValueError
            If the number of losses is not that of the rows of the other sample, or one is missing.
        """
        check_is_fitted(self)
        scores = self._fitted_scores
        if groups is None:
            scores = scores[len(scores) - self._n_sample :]
        else:
            scores = scores[sample_codes(groups, len(scores), only_two=True)[0] == 1]
        values = np.asarray(losses, dtype=np.float64)
        if values.shape != scores.shape:
            raise ValueError(f"losses has shape {values.shape}; the other sample has {len(scores)} rows.")
        if not np.isfinite(values).all():
            raise ValueError(f"losses has {np.count_nonzero(~np.isfinite(values))} missing or infinite values.")
        order = np.argsort(-scores, kind="stable")
        kept = np.arange(1, len(values) + 1)
        return {
            "threshold": scores[order],
            "fraction": kept / len(values),
            "mean_loss": np.cumsum(values[order]) / kept,
        }

    def _read(self, X: Any, *, reset: bool) -> Any:
        fewest = self._min_samples if reset else 1
        if self.estimator is None:
            rows = check_mixed(self, X, reset=reset, min_samples=fewest)
            if reset:
                self._frequent = [
                    _frequent(column, names) for column, names in zip(rows.T, self._reader.categories, strict=True)
                ]
            for place, codes in enumerate(self._frequent):
                if codes is not None:
                    present = ~np.isnan(rows[:, place])
                    rows[present, place] = codes[rows[present, place].astype(np.intp)]
            if reset:  # the linear default multiplies columns; trees take values of any size
                self._range = None if np.isnan(rows).any() else SafeRange(rows)
            return rows if self._range is None else self._range.apply(rows)
        if is_frame(X):
            X = to_pandas(X)
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        return check_rows(self, X, reset=reset, min_samples=fewest, dtype=None, ensure_all_finite="allow-nan")

    def _one_sample(self, rows: Any, n: int) -> None:
        self.statistic_, self.pvalue_, self.accuracy_, self.divergence_ = 0.5, 1.0, 1.0, 0.0
        self.feature_importances_ = np.zeros(rows.shape[1])
        self.single_areas_ = np.full(rows.shape[1], 0.5)
        self.single_pvalues_ = np.ones(rows.shape[1])
        self.sample_weight_, self._fitted_scores = np.ones(n), np.zeros(n)
        self.estimators_: list[Any] = []
        self.offset_ = 0.0

    def _default(self, X: NDArray[Any], seed: int) -> Any:
        categorical = np.array([known is not None for known in self._frequent])
        if len(X) > _MANY_ROWS or categorical.any() or np.isnan(X).any():
            return HistGradientBoostingClassifier(
                categorical_features=categorical,
                **tree_sizes(len(X), _LEAVES),
                random_state=seed,
                early_stopping=False,
            )
        if X.shape[1] > _MANY_COLUMNS:
            return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
        products = PolynomialFeatures(2, include_bias=False)
        return make_pipeline(StandardScaler(), products, StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))

    def _cross_fit(self, model: Any, rows: Any, codes: NDArray[np.intp], seed: int) -> None:
        """Fit one model a fold; score the rows it did not see, and again with each column shuffled."""
        rng = child_generators(seed, 1)[0]
        self.estimators_ = []
        self._fitted_scores = np.empty(len(codes))
        losses, found = [], []
        for train, test in reported(_folds(codes, self.cv, seed), "fit folds"):
            fitted = _fitted(model, _take(rows, train), codes[train])
            self.estimators_.append(fitted)
            held, truth = _take(rows, test), codes[test]
            scores = _log_odds(fitted, held)
            self._fitted_scores[test] = scores
            found.append(scores)
            area = roc_auc_score(truth, -scores)
            losses.append(
                [
                    area - roc_auc_score(truth, -_log_odds(fitted, _shuffled(held, column, rng)))
                    for column in range(rows.shape[1])
                ]
            )
        warn_of_equal_scores(self, rows, found)
        self.feature_importances_ = np.mean(losses, axis=0)
        columns = self._number_columns(rows)
        self.single_areas_ = np.array([_single_area(column, codes) for column in columns])
        self.single_pvalues_ = np.array([_single_pvalue(column, codes) for column in columns])
        self.statistic_ = float(roc_auc_score(codes, -self.sample_scores_))
        reference = self.sample_scores_[codes == 0]
        self.offset_ = reference_offset(reference, self.alpha)
        balanced = np.where(codes == 0, 0.5 / (codes == 0).sum(), 0.5 / (codes == 1).sum())
        shift = np.log((codes == 0).sum() / (codes == 1).sum())
        odds = np.clip(self._fitted_scores - shift, -700, 700)
        entropy = log_loss(codes, 1 / (1 + np.exp(odds)), sample_weight=balanced)
        self.divergence_ = max(0.0, float(np.log(2) - entropy))

    def _number_columns(self, rows: Any) -> list[NDArray[Any]]:
        """Return the columns; one without values in the place of each that holds no numbers."""
        if self.estimator is None:
            none = np.full(len(rows), np.nan)
            return [none if known is not None else column for known, column in zip(self._frequent, rows.T, strict=True)]
        frame = to_pandas(rows)
        columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
        none = np.full(len(frame), np.nan)
        return [column_numbers(column) if column_kind(column) == NUMBER else none for column in columns]

    def _test_chance(self, model: Any, rows: Any, codes: NDArray[np.intp], seed: int) -> None:
        if self.null == "permutation":
            self.accuracy_ = float(np.mean((self._fitted_scores < 0) == codes))

            def draw(rng: np.random.Generator, n_draws: int) -> NDArray[np.float64]:
                return np.array([_area(model, rows, rng.permutation(codes), self.cv, seed) for _ in range(n_draws)])

            self.pvalue_, _ = sequential_pvalue(
                draw,
                _area(model, rows, codes, self.cv, seed),
                n_permutations=self.n_permutations,
                random_state=seed,
                n_jobs=self.n_jobs,
            )
            return
        train, test = train_test_split(np.arange(len(codes)), test_size=0.5, stratify=codes, random_state=seed)
        fitted = _fitted(model, _take(rows, train), codes[train])
        # The threshold labels as many rows foreign as there are, which is known without looking at a label.
        scores = _log_odds(fitted, _take(rows, test))
        foreign = int(codes[test].sum())
        smallest = float(stats.hypergeom.pmf(foreign, test.size, foreign, foreign))
        if smallest > LEVEL:
            warn_user(
                f"pvalue_ cannot be below {smallest:.2g}: {test.size} of the {len(codes)} rows are tested, {foreign} "
                "of them of the other sample. Give more rows, or null='permutation'."
            )
        called = np.zeros(test.size, dtype=bool)
        called[np.argsort(rank_scores(scores), kind="stable")[:foreign]] = True
        hits = int((called & (codes[test] == 1)).sum())
        self.accuracy_ = float(np.mean(called == codes[test]))
        self.pvalue_ = max(float(stats.hypergeom.sf(hits - 1, test.size, foreign, foreign)), SMALLEST)

    def _weigh(self, codes: NDArray[np.intp]) -> None:
        logarithm = -self._fitted_scores[codes == 0]
        middle = np.median(logarithm)
        limit = np.log(_WEIGHT_RANGE)
        weights = np.exp(np.clip(logarithm - middle, -limit, limit))
        self.sample_weight_ = np.ones(len(codes))
        self.sample_weight_[codes == 0] = weights / weights.mean()

    def _row_scores(self, X: Any) -> NDArray[np.float64]:
        """Return the mean log-odds, over the folds' models, of belonging to the reference."""
        if X is None:
            return self._fitted_scores
        if not self.estimators_:
            return np.zeros(X.shape[0])
        return np.mean([_log_odds(fitted, X) for fitted in self.estimators_], axis=0)

    def _row_offset(self) -> float:
        return self.offset_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        if self.estimator is not None:
            tags.input_tags = get_tags(self.estimator).input_tags
            tags.input_tags.sparse = False
        else:
            tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags


def _frequent(codes: NDArray[Any], categories: Any) -> NDArray[np.float64] | None:
    """Renumber the most frequent categories, as many as gradient boosting takes; all others are one category.

    The place of a category in the table must not tell which sample it is from, so those of equal number go together.
    """
    if categories is None:
        return None
    counts = np.bincount(codes[~np.isnan(codes)].astype(np.intp), minlength=len(categories) + 1)
    least = np.sort(counts)[::-1][_MOST_CATEGORIES - 1] if counts.size > _MOST_CATEGORIES else 0
    kept = np.flatnonzero(counts > least)
    renumbered = np.zeros(counts.size)
    renumbered[kept] = np.arange(1, kept.size + 1)
    return renumbered


def _folds(codes: NDArray[np.intp], n_folds: int, seed: int) -> Any:
    splitter = StratifiedKFold(min(n_folds, int(np.bincount(codes).min())), shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros((len(codes), 1)), codes))


def _take(rows: Any, where: NDArray[np.intp]) -> Any:
    return rows.iloc[where] if hasattr(rows, "iloc") else rows[where]


def _shuffled(rows: Any, column: int, rng: np.random.Generator) -> Any:
    mixed = rng.permutation(rows.shape[0])
    rows = rows.copy()
    if hasattr(rows, "iloc"):
        rows.isetitem(column, rows.iloc[mixed, column].set_axis(rows.index))
    else:
        rows[:, column] = rows[mixed, column]
    return rows


def _fitted(model: Any, rows: Any, codes: NDArray[np.intp]) -> Any:
    if isinstance(model, HistGradientBoostingClassifier) and isinstance(rows, np.ndarray):
        empty = np.isnan(rows).all(axis=0)
        if empty.any():  # which that classifier cannot bin
            rows = np.where(empty, 0.0, rows)
    with threads_for(rows):
        return clone(model).fit(rows, codes)


def _log_odds(fitted: Any, rows: Any) -> NDArray[np.float64]:
    """Log-odds of class 0, kept finite."""
    with threads_for(rows):
        probability = np.clip(fitted.predict_proba(rows)[:, 0].astype(np.float64), 1e-15, 1 - 1e-15)
    return np.log(probability) - np.log1p(-probability)


def _area(model: Any, rows: Any, codes: NDArray[np.intp], n_folds: int, seed: int) -> float:
    """Mean area over the folds."""
    areas = []
    for train, test in _folds(codes, n_folds, seed):
        fitted = _fitted(model, _take(rows, train), codes[train])
        areas.append(roc_auc_score(codes[test], -_log_odds(fitted, _take(rows, test))))
    return float(np.mean(areas))


def _single_area(values: NDArray[Any], codes: NDArray[np.intp]) -> float:
    """Area that the values of a column reach, over the rows that have one; NaN where a sample has none."""
    present = np.isfinite(values)
    if np.unique(codes[present]).size < 2:
        return float("nan")
    area = float(roc_auc_score(codes[present], values[present]))
    return max(area, 1 - area)


def _single_pvalue(values: NDArray[Any], codes: NDArray[np.intp]) -> float:
    """P-value of the area that the values of a column reach; NaN where a sample has none, 1 where all are equal."""
    present = np.isfinite(values)
    samples = [values[present & (codes == code)] for code in (0, 1)]
    if not all(sample.size for sample in samples):
        return float("nan")
    if np.ptp(values[present]) == 0:
        return 1.0
    return max(float(stats.mannwhitneyu(*samples, method="asymptotic").pvalue), 1e-300)
