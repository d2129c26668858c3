"""Columns whose effect on the target changes between environments, and groups on which a classifier is worst."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, false_discovery_control, norm, rankdata
from sklearn.base import BaseEstimator, is_classifier
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import Tags
from sklearn.utils.multiclass import type_of_target

from skanomaly._support._callbacks import CallbackSupport, callbacks_of
from skanomaly._support._labels import require_two_classes
from skanomaly._support._refits import fit_subsets
from skanomaly._support._restore import restore_on_error
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval, fit_context, validate_params
from skanomaly._support._step_up import step_up_threshold
from skanomaly._support._validation import validate_data
from skanomaly._support._warnings import warn_user
from skanomaly.audit._layout import label_codes
from skanomaly.audit._samples import sample_codes

__all__ = ["SpuriousAudit", "worst_group_report"]

Floats = NDArray[np.float64]
_FEWEST = 5  # rows of a class, and of the others, in an environment whose effect is estimated
_FEWEST_PAIRS = 10


class SpuriousAudit(CallbackSupport, BaseEstimator):
    r"""Finds columns whose effect on the target differs between environments, and the groups a classifier fails on.

    A column that causes the target has the same effect everywhere. A shortcut, such as a watermark, a device or a
    season, predicts the target in some environments and not in others. The effect of each column is estimated in each
    environment, and the differences are tested.

    Parameters
    ----------
    estimator : classifier, default=None
        If given, it is fitted out of fold, and its accuracy is reported for each class in each environment.
    alpha : float, default=0.05
        Bound on the expected fraction of columns among `spurious_features_` whose effect does not change (false
        discovery rate, Benjamini and Hochberg).
    cv : int, default=5
        Number of stratified, shuffled folds for `estimator`.
    n_jobs : int or None, default=None
        Number of folds that are fitted at the same time. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Controls the folds, and each `random_state` of `estimator` that is None.

    Attributes
    ----------
    results_ : dict of str to ndarray
        For each column: "column" (name or position), "zvalue" of the change, "pvalue", "adjusted_pvalue", "spurious".
        Give it to ``pandas.DataFrame``.
    effects_ : ndarray of shape (n_features, n_environments)
        For classes, the area under the ROC curve of the column, for the second of two classes; for more, of the class
        whose areas differ most. For a continuous target, Spearman's correlation. NaN where there are too few rows.
    environments_ : ndarray of shape (n_environments,)
        Sorted labels of the environments.
    spurious_features_ : ndarray of shape (n_spurious,)
        Columns whose effect changes, the largest z-value first.
    groups_ : dict of str to ndarray
        If `estimator` is given, the report of :func:`worst_group_report`; the groups are the environments.
    worst_group_ : tuple
        Environment and class with the lowest accuracy.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    skanomaly.robust.GroupBalancedClassifier : Trains with all groups of equal weight.
    ColumnDriftTest : Tests whether the columns themselves change.

    Notes
    -----
    With :math:`a_e` the effect in environment e and :math:`v_e` its variance, the statistic is
    :math:`\sum_e (a_e - \bar a)^2 / v_e` around the weighted mean, with a chi-square distribution of one degree of
    freedom fewer than environments. The variance of an area is that of DeLong et al. [1]_, that of a correlation
    :math:`r` on Fisher's scale is :math:`(1 + r^2 / 2) / (n - 3)`. Of more than two classes each is compared with all
    others, and the smallest p-value is multiplied by their number. An environment counts for a class if it has at least
    5 rows of it and 5 others.

    A changed effect is a reason to ask, not a proof: the effect of a cause also changes where the range of the column
    or of another cause does. A shortcut that holds in all environments cannot be found. The survey [2]_ lists the
    methods; this audit is the simplest of them.

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the Areas under Two or More Correlated
       Receiver Operating Characteristic Curves: A Nonparametric Approach", Biometrics 44, 1988.
       https://doi.org/10.2307/2531595
    .. [2] W. Ye, G. Zheng, X. Cao, Y. Ma and A. Zhang, "Spurious Correlations in Machine Learning: A Survey", 2024.
       arXiv:2402.12715.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.audit import SpuriousAudit
    >>> random = np.random.default_rng(0)
    >>> y, hospital = random.integers(2, size=1000), np.repeat(["a", "b"], 500)
    >>> cause = np.where(random.random(1000) < 0.8, y, 1 - y)
    >>> device = np.where(
    ...     random.random(1000) < np.where(hospital == "a", 0.95, 0.5), y, 1 - y
    ... )
    >>> X = np.column_stack([cause, device]) + 0.3 * random.normal(size=(1000, 2))
    >>> SpuriousAudit().fit(X, y, groups=hospital).spurious_features_
    array([1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        alpha: float = 0.05,
        cv: int = 5,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.alpha = alpha
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Estimate the effects in each environment, and test their differences.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.
        y : array-like of shape (n_samples,)
            Classes, or a continuous target.
        groups : array-like of shape (n_samples,), default=None
            Environment of each row: site, device, period. None compares the first half of the rows with the second.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is only one environment or one class.
        TypeError
            If `estimator` is given and is no classifier, or `y` is continuous.

        Warns
        -----
        UserWarning
            If no environment has enough rows for an effect.
        """
        with restore_on_error(self, X, y), callbacks_of(self):
            rows, targets = validate_data(self, X, y, dtype=np.float64)
            kind = type_of_target(targets)
            if kind not in {"binary", "multiclass", "continuous"}:
                raise ValueError(f"Unknown label type: {kind}. Give one number or class per row.")
            if self.estimator is not None and (kind == "continuous" or not is_classifier(self.estimator)):
                raise TypeError(f"estimator={self.estimator!r} must be a classifier, and y must hold classes.")
            if len(rows) < 2:
                raise ValueError(f"SpuriousAudit compares at least 2 rows; got n_samples={len(rows)}.")
            codes, labels = sample_codes(groups, len(rows))
            if len(np.unique(codes)) < 2:
                raise ValueError("groups holds one environment; effects are compared between at least two of them.")
            classes = np.unique(targets)
            if kind != "continuous":
                require_two_classes(self, classes)
            self.environments_ = labels
            self._test(rows, targets, codes, None if kind == "continuous" else classes)
            if self.estimator is not None:
                self._report(rows, targets, labels[codes])
        return self

    def _test(self, X: Floats, y: NDArray[Any], codes: NDArray[np.intp], classes: NDArray[Any] | None) -> None:
        n_environments = len(self.environments_)
        if classes is None:
            targets = [y.astype(np.float64)]
        else:
            targets = [y == label for label in (classes[1:] if len(classes) == 2 else classes)]
        statistics, pvalues, effects = [], [], []
        for target in targets:
            parts = [
                _correlations(X[codes == code], target[codes == code])
                if classes is None
                else _areas(X[codes == code], target[codes == code])
                for code in range(n_environments)
            ]
            shown, scaled, variances = (np.stack(part, axis=1) for part in zip(*parts, strict=True))
            statistic, freedom = _heterogeneity(scaled, variances)
            statistics.append(statistic)
            pvalues.append(np.where(freedom > 0, chi2.sf(statistic, np.maximum(freedom, 1)), 1.0))
            effects.append(shown)
        chosen = np.argmin(pvalues, axis=0)
        places = np.arange(X.shape[1])
        least = np.asarray(pvalues)[chosen, places]
        pvalue = np.minimum(least * len(targets), 1.0)
        if np.isnan(np.asarray(effects)).all():
            warn_user(
                "No column is tested: each environment has fewer than "
                f"{_FEWEST if classes is not None else _FEWEST_PAIRS} rows of a class or in all. Join environments."
            )
        self.effects_ = np.asarray(effects)[chosen, places]
        # Where the p-value underflows, the root of the statistic is close.
        root = np.sqrt(np.asarray(statistics)[chosen, places])
        zvalue = np.where(pvalue > 0, norm.isf(np.maximum(pvalue, 1e-300) / 2), root)
        names = getattr(self, "feature_names_in_", places)
        self.results_ = {
            "column": np.asarray(names),
            "zvalue": np.maximum(zvalue, 0.0),
            "pvalue": pvalue,
            "adjusted_pvalue": false_discovery_control(pvalue),
            "spurious": pvalue <= step_up_threshold(pvalue, self.alpha),
        }
        order = np.lexsort((-root, -self.results_["zvalue"]))
        self.spurious_features_ = self.results_["column"][order[self.results_["spurious"][order]]]

    def _report(self, X: Floats, y: NDArray[Any], groups: NDArray[Any]) -> None:
        random = generator(self.random_state)
        seed = int(random.integers(2**31))
        smallest = int(np.unique(y, return_counts=True)[1].min())
        if smallest < 2:
            raise ValueError("The rarest class of y has 1 row, which cannot be predicted out of fold. Drop it.")
        splitter = StratifiedKFold(min(self.cv, smallest), shuffle=True, random_state=seed)
        folds = list(splitter.split(X, y))

        def predicted(fitted: Any, place: int) -> NDArray[Any]:
            return np.asarray(fitted.predict(X[folds[place][1]]))

        parts = fit_subsets(
            self.estimator,
            X,
            y,
            [train for train, _ in folds],
            predicted,
            seeds=[seed] * len(folds),
            n_jobs=self.n_jobs,
        )
        answers = np.empty(len(y), dtype=np.asarray(parts[0]).dtype)
        for (_, test), part in zip(folds, parts, strict=True):
            answers[test] = part
        self.groups_ = worst_group_report(y, answers, groups)
        self.worst_group_ = (self.groups_["group"][0], self.groups_["class"][0])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _areas(X: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Return the area under the ROC curve of each column, twice, and its variance."""
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if min(n_positive, n_negative) < _FEWEST:
        missing = np.full(X.shape[1], np.nan)
        return missing, missing, missing
    ranks = rankdata(X, axis=0)
    above = (ranks[positive] - rankdata(X[positive], axis=0)) / n_negative
    below = 1 - (ranks[~positive] - rankdata(X[~positive], axis=0)) / n_positive
    area = above.mean(axis=0)
    variance = above.var(axis=0, ddof=1) / n_positive + below.var(axis=0, ddof=1) / n_negative
    # A column that separates the classes has variance 0; one more row could move the area by about 1 / (2 n).
    least = 1 / (2 * min(n_positive, n_negative)) ** 2
    return area, area, np.maximum(variance, least)


def _correlations(X: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return Spearman's correlation of each column, the same on Fisher's scale, and the variance of that."""
    missing = np.full(X.shape[1], np.nan)
    if len(y) < _FEWEST_PAIRS:
        return missing, missing, missing
    ranks, targets = rankdata(X, axis=0), rankdata(y)
    ranks -= ranks.mean(axis=0)
    targets -= targets.mean()
    norms = np.sqrt((ranks**2).sum(axis=0) * (targets**2).sum())
    correlation = np.divide(targets @ ranks, norms, out=np.zeros(X.shape[1]), where=norms > 0)
    scaled = np.arctanh(np.clip(correlation, -1 + 1 / len(y) ** 2, 1 - 1 / len(y) ** 2))
    return correlation, scaled, (1 + correlation**2 / 2) / (len(y) - 3)


def _heterogeneity(effects: Floats, variances: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Return the chi-square statistic of each column over the environments, and its degrees of freedom."""
    known = ~np.isnan(effects)
    weights = np.where(known, 1 / np.where(known, variances, 1.0), 0.0)
    values = np.where(known, effects, 0.0)
    total = weights.sum(axis=1, keepdims=True)
    mean = np.divide((weights * values).sum(axis=1, keepdims=True), total, out=np.zeros_like(total), where=total > 0)
    return (weights * (values - mean) ** 2).sum(axis=1), known.sum(axis=1) - 1


@validate_params({"confidence": [Interval(Real, 0, 1, closed="neither")]}, prefer_skip_nested_validation=True)
def worst_group_report(y_true: Any, y_pred: Any, groups: Any, *, confidence: float = 0.95) -> dict[str, NDArray[Any]]:
    """Return the accuracy of predictions for each class in each group, the lowest first.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Classes.
    y_pred : array-like of shape (n_samples,)
        Predicted classes.
    groups : array-like of shape (n_samples,)
        Group of each row, such as the background, the device or the site.
    confidence : float, default=0.95
        Of the intervals, by Wilson's formula.

    Returns
    -------
    dict of str to ndarray
        "group", "class", "n_samples", "accuracy", "low", "high" (ends of the interval), and "gap": the accuracy over
        all rows minus that of the group. Give it to ``pandas.DataFrame``.

    Raises
    ------
    ValueError
        If lengths differ, or a group is missing.

    Examples
    --------
    >>> from skanomaly.audit import worst_group_report
    >>> report = worst_group_report([0, 0, 1, 1], [0, 0, 1, 0], ["a", "b", "a", "b"])
    >>> str(report["group"][0]), int(report["class"][0]), float(report["accuracy"][0])
    ('b', 1, 0.0)
    """
    truth, predicted = np.asarray(y_true).ravel(), np.asarray(y_pred).ravel()
    if len(truth) != len(predicted) or len(truth) == 0:
        raise ValueError(f"y_true has {len(truth)} rows and y_pred {len(predicted)}; give the same number, at least 1.")
    codes, labels = label_codes(groups, len(truth), name="groups")
    classes, places = np.unique(truth, return_inverse=True)
    cells = codes * len(classes) + places
    found, inverse, counts = np.unique(cells, return_inverse=True, return_counts=True)
    right = np.bincount(inverse, weights=(truth == predicted).astype(np.float64))
    accuracy = right / counts
    z = norm.isf((1 - confidence) / 2)
    middle = (right + z**2 / 2) / (counts + z**2)
    reach = z / (counts + z**2) * np.sqrt(right * (counts - right) / counts + z**2 / 4)
    order = np.argsort(accuracy, kind="stable")
    report = {
        "group": labels[found // len(classes)],
        "class": classes[found % len(classes)],
        "n_samples": counts,
        "accuracy": accuracy,
        "low": np.maximum(middle - reach, 0.0),
        "high": np.minimum(middle + reach, 1.0),
        "gap": (truth == predicted).mean() - accuracy,
    }
    return {name: values[order] for name, values in report.items()}
