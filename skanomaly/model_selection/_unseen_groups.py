"""Detectors on groups that their training data do not contain."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import column_or_1d

from skanomaly._support._labels import read_labels
from skanomaly._support._refits import clone_with_seed
from skanomaly._support._responses import outlyingness
from skanomaly._support._results import ShortRepr
from skanomaly._support._rows import take_rows
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import StrOptions, validate_params
from skanomaly.metrics import roc_auc_score

__all__ = ["UnseenGroupReport", "unseen_group_report"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class UnseenGroupReport(ShortRepr):
    """A detector on groups it has and has not been trained on, from :func:`unseen_group_report`.

    Attributes
    ----------
    groups : ndarray of shape (n_groups,)
        The distinct groups, sorted.
    unseen : ndarray of shape (n_groups,)
        Area under the ROC curve of the test rows of each group, trained without the group; NaN without both classes.
    seen : ndarray of shape (n_groups,)
        The same area where the training rows contain other normal rows of the group.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skanomaly.model_selection import unseen_group_report
    >>> groups = np.arange(400) % 4
    >>> X = np.random.default_rng(0).normal(size=(400, 2)) + 20.0 * np.eye(4)[groups][:, :2]
    >>> y = np.where(np.arange(400) % 10 < 2, -1, 1)
    >>> X[y == -1] += 3
    >>> report = unseen_group_report(
    ...     LocalOutlierFactor(novelty=True), X, y, groups, random_state=0
    ... )
    >>> bool(report.worst < report.seen.min())
    True
    """

    groups: NDArray[Any]
    unseen: Floats
    seen: Floats

    @property
    def worst(self) -> float:
        """Smallest area on an unseen group."""
        return float(np.nanmin(self.unseen))

    @property
    def mean(self) -> float:
        """Mean area on unseen groups."""
        return float(np.nanmean(self.unseen))

    @property
    def gap(self) -> float:
        """Mean over groups of the area when seen minus that when unseen; near 0 where groups are alike."""
        return float(np.nanmean(self.seen - self.unseen))

    @property
    def gap_error(self) -> float:
        """Standard error of `gap` over groups; NaN for a single group."""
        differences = (self.seen - self.unseen)[~np.isnan(self.seen - self.unseen)]
        if differences.size < 2:
            return float("nan")
        return float(differences.std(ddof=1) / np.sqrt(differences.size))


@validate_params(
    {"train_on": [StrOptions({"normal", "all"})], "random_state": ["random_state"]}, prefer_skip_nested_validation=True
)
def unseen_group_report(
    estimator: Any,
    X: Any,
    y: Any,
    groups: Any,
    *,
    train_on: str = "normal",
    pos_label: Any = None,
    random_state: Any = None,
) -> UnseenGroupReport:
    """Compare a detector on groups that it was trained on with the same groups when it was not.

    Groups are products, sites or devices. A random split shows how a detector does on known groups; what comes into
    production is often a new one.

    Parameters
    ----------
    estimator : estimator
        Detector, or classifier with ``train_on="all"``; cloned.
    X : array-like of shape (n_samples, ...)
        Whatever the estimator accepts.
    y : array-like of shape (n_samples,)
        Labels: -1 anomaly and +1 normal, or 1 anomaly and 0 normal. Unlabelled rows are left out.
    groups : array-like of shape (n_samples,)
        Group of each row; at least two groups.
    train_on : {"normal", "all"}, default="normal"
        "normal" trains on normal rows; "all" also on the anomalies of the other groups, and of the group itself when it
        is seen. Only classifiers are given the labels.
    pos_label : label, default=None
        The anomalies' label. None recognises -1, or 1 beside 0.
    random_state : int, RandomState instance or None, default=None
        Draws the test rows, and is set where a `random_state` of the estimator is None.

    Returns
    -------
    UnseenGroupReport

    Raises
    ------
    ValueError
        If there are fewer than two groups, or no group has two normal rows and an anomaly.

    See Also
    --------
    CovariateSplit : Training and test rows on both sides of a value.
    skanomaly.metrics.stratified_report : Groups within one set of test rows.

    Notes
    -----
    For each group, half of its normal rows (and with "all" of its anomalies) are set aside. Trained without the group,
    and trained with the rows set aside in place of equally many rows of other groups, the detector is rated on the
    same other rows of the group. So `gap` does not measure the number of training rows. Products that are absent in
    training are the test of Texture-AD [1]_.

    References
    ----------
    .. [1] T. Lei et al., "Texture-AD: An Anomaly Detection Dataset and Benchmark for Real Algorithm Development", 2024.
       arXiv:2409.06367.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import unseen_group_report
    >>> X, y = make_shifted_anomalies(n_samples=600, contamination=0.2, random_state=0)
    >>> report = unseen_group_report(
    ...     IsolationForest(), X, y, np.arange(600) % 6, random_state=0
    ... )  # groups are alike
    >>> bool(abs(report.gap) < 3 * report.gap_error)
    True
    """
    labels = read_labels(y, pos_label=pos_label)
    given = column_or_1d(groups)
    if len(given) != len(labels):
        raise ValueError(f"groups has {len(given)} entries and y {len(labels)}; give one group for each row.")
    names, codes = np.unique(given, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"groups holds one value, {names.tolist()}; at least two groups are needed.")
    random = generator(random_state)
    seed = int(random.integers(2**31))
    order = random.permutation(np.flatnonzero(labels))
    trainable = order if train_on == "all" else order[labels[order] == 1]
    areas = np.full((2, len(names)), np.nan)
    for code in range(len(names)):
        own = order[codes[order] == code]
        kinds = [own[labels[own] == label] for label in (1, -1)]
        aside = np.concatenate([rows[: len(rows) // 2] for rows in (kinds if train_on == "all" else kinds[:1])])
        test = np.setdiff1d(own, aside)
        others = trainable[codes[trainable] != code]
        if len(aside) == 0 or len(others) <= len(aside) or len(set(labels[test].tolist())) < 2:
            continue
        for place, train in enumerate((others, np.concatenate([others[len(aside) :], aside]))):
            fitted = _fit(estimator, X, labels, np.sort(train), seed)
            areas[place, code] = roc_auc_score(labels[test], -outlyingness(fitted, take_rows(X, test)))
    if np.isnan(areas).all():
        raise ValueError("No group has two normal rows and an anomaly to be rated on; give larger groups.")
    return UnseenGroupReport(groups=names, unseen=areas[0], seen=areas[1])


def _fit(estimator: Any, X: Any, labels: NDArray[np.int8], rows: NDArray[np.intp], seed: int) -> Any:
    """Fit a clone; a classifier gets the labels."""
    copy = clone_with_seed(estimator, seed)
    if is_classifier(estimator):
        return copy.fit(take_rows(X, rows), labels[rows].astype(np.int64))
    return copy.fit(take_rows(X, rows))
