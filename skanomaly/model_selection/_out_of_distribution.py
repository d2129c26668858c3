"""Detection of rows from outside the training distribution, by detectors and by the uncertainty of classifiers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ttest_ind
from sklearn.base import is_classifier
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_array, column_or_1d

from skanomaly._support._refits import clone_with_seed
from skanomaly._support._responses import outlyingness
from skanomaly._support._results import ShortRepr
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.metrics import roc_auc_score

__all__ = ["OODReport", "confidence_score", "ood_benchmark"]

Floats = NDArray[np.float64]
_KIND = [StrOptions({"entropy", "maximum", "agreement"})]


@dataclass(frozen=True, repr=False)
class OODReport(ShortRepr):
    """How models rank rows from outside the training distribution, from :func:`ood_benchmark`.

    Attributes
    ----------
    names : list of str
        Names of the models.
    scales : ndarray of shape (n_scales,)
        Factors by which a column was multiplied, or standard deviations added.
    columns : ndarray of shape (n_columns,), intp
        The columns perturbed.
    roc_auc : ndarray of shape (n_models, n_scales)
        Area under the ROC curve of perturbed test rows against the same rows unperturbed, mean over the columns.
    recall : ndarray of shape (n_models, n_scales)
        Fraction of the perturbed rows below the 5 % quantile of the scores of the unperturbed rows.
    groups : ndarray of shape (n_groups,)
        Groups that were held out in turn; empty where none were given.
    group_roc_auc, group_recall : ndarray of shape (n_models, n_groups)
        The same for the rows of a group, by models trained without it, against test rows of the other groups.
    group_significance : ndarray of shape (n_groups,)
        Fraction of the columns whose mean differs between the group and the other rows by Welch's test.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skanomaly.model_selection import ood_benchmark
    >>> X, y = load_iris(return_X_y=True)
    >>> models = {"local": LocalOutlierFactor(novelty=True)}
    >>> report = ood_benchmark(models, X, y, groups=y, random_state=0)
    >>> (
    ...     report.roc_auc.shape,
    ...     report.group_roc_auc.shape,
    ...     bool(report.group_significance[0] == 1),
    ... )
    ((1, 4), (1, 3), True)
    """

    names: list[str]
    scales: Floats
    columns: NDArray[np.intp]
    roc_auc: Floats
    recall: Floats
    groups: NDArray[Any]
    group_roc_auc: Floats
    group_recall: Floats
    group_significance: Floats


@validate_params({"kind": _KIND}, prefer_skip_nested_validation=True)
def confidence_score(classifier: Any, X: Any, *, kind: str = "entropy") -> Floats:
    """Score rows by the confidence of a fitted classifier; lower is less certain, as for anomaly scores.

    Parameters
    ----------
    classifier : classifier
        Fitted, with ``predict_proba``.
    X : array-like of shape (n_samples, n_features)
    kind : {"entropy", "maximum", "agreement"}, default="entropy"
        "entropy" is minus the entropy of the predicted probabilities, "maximum" the largest of them, and "agreement"
        minus the standard deviation of the probabilities over the members of an ensemble, mean over the classes.

    Returns
    -------
    ndarray of shape (n_samples,)

    Raises
    ------
    TypeError
        If the classifier has no probabilities, or for "agreement" no members with probabilities.

    See Also
    --------
    ood_benchmark : Whether this score finds anything.
    skanomaly.embeddings.LogitDetector : Scores of the logits of a network.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skanomaly.model_selection import confidence_score
    >>> model = LogisticRegression().fit([[-1.0], [1.0]], [0, 1])
    >>> between, far = confidence_score(model, [[0.0], [100.0]])
    >>> bool(between < far)  # the farther from all training rows, the more certain
    True
    """
    if not hasattr(classifier, "predict_proba"):
        raise TypeError(f"{classifier!r} has no predict_proba, of which its confidence is a function.")
    if kind == "agreement":
        members = np.ravel(np.asarray(getattr(classifier, "estimators_", []), dtype=object)).tolist()
        if not members or not all(hasattr(member, "predict_proba") for member in members):
            raise TypeError(f"{classifier!r} has no members with predict_proba; give kind='entropy'.")
        rows = np.asarray(X)
        columns = getattr(classifier, "estimators_features_", [slice(None)] * len(members))
        found = [member.predict_proba(rows[:, own]) for member, own in zip(members, columns, strict=True)]
        return np.asarray(-np.std(found, axis=0).mean(axis=1))
    probabilities = np.asarray(classifier.predict_proba(X), dtype=np.float64)
    if kind == "maximum":
        return np.asarray(probabilities.max(axis=1))
    logarithms = np.log(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    return np.asarray((probabilities * logarithms).sum(axis=1))


@validate_params(
    {
        "models": [Mapping],
        "scales": ["array-like"],
        "perturbation": [StrOptions({"factor", "deviation"})],
        "n_columns": [Interval(Integral, 1, None, closed="left")],
        "test_fraction": [Interval(Real, 0, 1, closed="neither")],
        "kind": _KIND,
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def ood_benchmark(
    models: Mapping[str, Any],
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    scales: Sequence[float] = (10.0, 100.0, 1000.0, 10000.0),
    perturbation: str = "factor",
    n_columns: int = 30,
    test_fraction: float = 0.5,
    kind: str = "entropy",
    alpha: float = 0.01,
    random_state: Any = None,
) -> OODReport:
    """Rate detectors, and the uncertainty of classifiers, by rows from outside the training distribution.

    Two tests. In the first, one column of each test row is multiplied by a factor. In the second, one group of rows is
    held out of training and has to be found among test rows of the other groups.

    Parameters
    ----------
    models : dict of str to estimator
        Detectors are fitted without labels and rated by their scores; classifiers are fitted to `y` and rated by
        :func:`confidence_score`.
    X : array-like of shape (n_samples, n_features)
        Numbers, without missing values.
    y : array-like of shape (n_samples,), default=None
        Classes of the task that classifiers solve; no labels of anomalies.
    groups : array-like of shape (n_samples,), default=None
        Group of each row for the second test, such as the diagnosis or the hospital.
    scales : sequence of float, default=(10, 100, 1000, 10000)
        Strengths of the perturbation.
    perturbation : {"factor", "deviation"}, default="factor"
        Multiply the column by the strength, or add the strength times its standard deviation in the training rows. A
        factor does not change zeros.
    n_columns : int, default=30
        Number of columns that are perturbed, each alone; all where there are fewer.
    test_fraction : float, default=0.5
        Fraction of the rows, at random, that are test rows.
    kind : {"entropy", "maximum", "agreement"}, default="entropy"
        Of :func:`confidence_score`.
    alpha : float, default=0.01
        Level of Welch's test for `group_significance`.
    random_state : int, RandomState instance or None, default=None
        Draws test rows and columns, and is set where a `random_state` of a model is None.

    Returns
    -------
    OODReport

    Raises
    ------
    ValueError
        If there is no model, lengths differ, there is a single group, or a classifier has no `y`.

    See Also
    --------
    unseen_group_report : Anomalies within a group that training did not contain.

    Notes
    -----
    The tests are those of Ulmer, Meijerink and Cinà [1]_. A linear classifier is the more certain the larger a value
    is, so its uncertainty ranks perturbed rows *below* chance.

    References
    ----------
    .. [1] D. Ulmer, L. Meijerink and G. Cinà, "Trust Issues: Uncertainty Estimation Does Not Enable Reliable OOD
       Detection On Medical Tabular Data", 2020. arXiv:2011.03274.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skanomaly.model_selection import ood_benchmark
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> models = {
    ...     "classifier": LogisticRegression(),
    ...     "detector": LocalOutlierFactor(novelty=True),
    ... }
    >>> models = {
    ...     name: make_pipeline(StandardScaler(), model) for name, model in models.items()
    ... }
    >>> report = ood_benchmark(models, X, y, random_state=0)
    >>> (
    ...     bool(report.roc_auc[0, 1] < 0.2),
    ...     bool(report.roc_auc[1, 1] > 0.95),
    ... )  # at a factor of 100
    (True, True)
    """
    if not models:
        raise ValueError("models is empty; give at least one estimator with its name.")
    rows = check_array(X, dtype=np.float64, ensure_min_samples=4)
    classes, parts = _column(y, rows, "y"), _column(groups, rows, "groups")
    lacking = [name for name, model in models.items() if is_classifier(model) and classes is None]
    if lacking:
        raise ValueError(f"y=None, but {lacking} are classifiers; pass the classes that they predict.")
    names = np.empty(0) if parts is None else np.unique(parts)
    if len(names) == 1:
        raise ValueError(f"groups holds one value, {names.tolist()}; at least two groups are needed.")
    random = generator(random_state)
    seed = int(random.integers(2**31))
    columns = np.sort(random.permutation(rows.shape[1])[:n_columns])
    setting = _Setting(list(models.values()), rows, classes, test_fraction, kind, seed)
    strengths = np.asarray(scales, dtype=np.float64)
    values = _perturb(setting, columns, strengths, by_factor=perturbation == "factor")
    group_values, significance = np.zeros((2, len(models), len(names))), np.zeros(len(names))
    for place, group in enumerate(names):
        own = np.flatnonzero(parts == group)
        group_values[:, :, place] = _hold_out(setting, own)
        significance[place] = _significant(rows[own], np.delete(rows, own, axis=0), alpha)
    return OODReport(
        names=list(models),
        scales=strengths,
        columns=columns,
        roc_auc=values[0],
        recall=values[1],
        groups=names,
        group_roc_auc=group_values[0],
        group_recall=group_values[1],
        group_significance=significance,
    )


@dataclass(frozen=True)
class _Setting:
    """What both tests need."""

    models: list[Any]
    rows: Floats
    classes: NDArray[Any] | None
    test_fraction: float
    kind: str
    seed: int

    def split(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Draw training and test rows, with equal fractions of each class where there are classes."""
        strata = None if self.classes is None else self.classes[rows]
        if strata is not None and np.unique(strata, return_counts=True)[1].min() < 2:
            strata = None
        train, test = train_test_split(rows, test_size=self.test_fraction, random_state=self.seed, stratify=strata)
        return np.sort(train), np.sort(test)

    def fit(self, train: NDArray[np.intp]) -> list[Any]:
        """Fit a clone of each model; classifiers get the classes."""
        return [
            clone_with_seed(model, self.seed).fit(
                self.rows[train], *([self.classes[train]] if self.classes is not None and is_classifier(model) else [])
            )
            for model in self.models
        ]

    def score(self, fitted: list[Any], rows: Floats) -> list[Floats]:
        """Return the scores by each model, lower ones less certain or more anomalous."""
        return [
            confidence_score(model, rows, kind=self.kind) if is_classifier(model) else -outlyingness(model, rows)
            for model in fitted
        ]


def _perturb(setting: _Setting, columns: NDArray[np.intp], strengths: Floats, *, by_factor: bool) -> Floats:
    """Return area and recall of each model at each strength, mean over the columns."""
    train, test = setting.split(np.arange(len(setting.rows)))
    fitted, deviations = setting.fit(train), setting.rows[train].std(axis=0)
    inside = setting.score(fitted, setting.rows[test])
    values = np.zeros((2, len(fitted), len(strengths)))
    for place, strength in enumerate(strengths):
        for column in columns:
            changed = setting.rows[test].copy()
            before = changed[:, column]
            changed[:, column] = before * strength if by_factor else before + strength * deviations[column]
            values[:, :, place] += _rates(inside, setting.score(fitted, changed))
    return values / len(columns)


def _hold_out(setting: _Setting, own: NDArray[np.intp]) -> Floats:
    """Return area and recall of each model for a group that training did not contain."""
    train, test = setting.split(np.delete(np.arange(len(setting.rows)), own))
    fitted = setting.fit(train)
    return _rates(setting.score(fitted, setting.rows[test]), setting.score(fitted, setting.rows[own]))


def _rates(inside: list[Floats], outside: list[Floats]) -> Floats:
    """Return the area, and the recall at the 5 % quantile of the rows inside the distribution, of each model."""
    values = np.empty((2, len(inside)))
    for place, (known, found) in enumerate(zip(inside, outside, strict=True)):
        labels = np.repeat([1, -1], [len(known), len(found)])
        values[0, place] = roc_auc_score(labels, np.concatenate([known, found]))
        values[1, place] = (found < np.quantile(known, 0.05)).mean()
    return values


def _column(values: Any, rows: Floats, name: str) -> NDArray[Any] | None:
    if values is None:
        return None
    column = column_or_1d(values)
    if len(column) != len(rows):
        raise ValueError(f"{name} has {len(column)} entries and X {len(rows)} rows; give one for each row.")
    return np.asarray(column)


def _significant(first: Floats, second: Floats, alpha: float) -> float:
    """Return the fraction of columns whose means differ; constant columns do not."""
    varied = (first.std(axis=0) > 0) | (second.std(axis=0) > 0)
    if len(first) < 2 or not varied.any():
        return 0.0
    pvalues = ttest_ind(first[:, varied], second[:, varied], equal_var=False).pvalue
    return float(np.count_nonzero(pvalues < alpha) / first.shape[1])
