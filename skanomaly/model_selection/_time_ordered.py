"""Models compared in the order of time, with a budget of alerts a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.base import is_classifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_array

from skanomaly._support._days import daily_alerts, days_as_given, read_days
from skanomaly._support._labels import read_labels
from skanomaly._support._refits import clone_with_seed
from skanomaly._support._responses import outlyingness
from skanomaly._support._results import ShortRepr
from skanomaly._support._rows import take_rows
from skanomaly._support._scales import column_scale
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly._support._ties import rank_scores
from skanomaly.metrics import average_precision_score, roc_auc_score
from skanomaly.model_selection._holdout import ReusableHoldout

__all__ = [
    "ComplementaryGain",
    "TableDifficulty",
    "TimeOrderedComparison",
    "compare_over_time",
    "complementary_gain",
    "table_difficulty",
]

Floats = NDArray[np.float64]
_MOST_ROWS = 2000


@dataclass(frozen=True, repr=False)
class TimeOrderedComparison(ShortRepr):
    """How models trained on the past do in later periods, from :func:`compare_over_time`.

    Attributes
    ----------
    names : list of str
        Names of the models.
    period_starts : ndarray of shape (n_periods,)
        Time at which each period begins.
    average_precision, roc_auc : ndarray of shape (n_models, n_periods)
        Metrics of the ranking in each period; NaN in a period without an anomaly.
    alert_precision, alert_recall : ndarray of shape (n_models, n_periods)
        Fraction of the alerts that are anomalies, and of the anomalies that get an alert.
    decay : ndarray of shape (n_models, 3)
        Change of the average precision from one period to the next by least squares, and a 95 % interval.
    overlap : ndarray of shape (n_models, n_models)
        Fraction of the anomalies found by the model of the row that the model of the column finds, too, at the same
        budget.
    shift_auc : ndarray of shape (n_periods,)
        Area under the ROC curve of a classifier of the training rows against those of the period: 0.5 without shift.
    scores : ndarray of shape (n_models, n_test)
        Scores of the test rows, lower ones more anomalous, in the order of time.
    test_indices : ndarray of shape (n_test,), intp
        Positions of the test rows in `X`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.model_selection import compare_over_time
    >>> X = np.random.default_rng(0).normal(size=(600, 2))
    >>> y = np.where(np.arange(600) % 20 == 0, -1, 1)
    >>> X[y == -1] += 4
    >>> report = compare_over_time(
    ...     {"forest": IsolationForest()}, X, y, np.arange(600) / 20, random_state=0
    ... )
    >>> bool(report.average_precision.mean() > 0.9)
    True
    """

    names: list[str]
    period_starts: NDArray[Any]
    average_precision: Floats
    roc_auc: Floats
    alert_precision: Floats
    alert_recall: Floats
    decay: Floats
    overlap: Floats
    shift_auc: Floats
    scores: Floats
    test_indices: NDArray[np.intp]


@dataclass(frozen=True, repr=False)
class ComplementaryGain(ShortRepr):
    """What a combination of two models finds beyond the better one, from :func:`complementary_gain`.

    Attributes
    ----------
    gain : float
        Precision of the alerts of the best combination minus that of the better model, as the holdout answers.
    weight : float
        Weight of the second model in the best combination of ranks.
    weights : ndarray of shape (n_weights,)
        Weights tried, from 0 (the first model) to 1 (the second).
    precision : ndarray of shape (n_weights,)
        Precision of the alerts of each, as the holdout answers.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import ReusableHoldout, complementary_gain
    >>> y = np.where(np.arange(400) % 10 == 0, -1, 1)
    >>> holdout = ReusableHoldout(random_state=0)
    >>> complementary_gain(
    ...     y, y, y, np.arange(400) / 20, alerts_per_day=2, holdout=holdout
    ... ).gain
    0.0
    """

    gain: float
    weight: float
    weights: Floats
    precision: Floats


@dataclass(frozen=True)
class TableDifficulty:
    """What makes a labelled table hard, from :func:`table_difficulty`.

    Attributes
    ----------
    imbalance : float
        Number of normal rows for each anomaly.
    overlap : float
        Mean fraction of normal rows among the five nearest neighbours of an anomaly, divided by that expected if
        the classes were mixed: 0 where anomalies are apart, 1 where they lie among normal rows.
    drift : float
        Area under the ROC curve of a classifier of the earlier half of the rows against the later half, 0.5 without
        drift.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import table_difficulty
    >>> X = np.random.default_rng(0).normal(size=(400, 2))
    >>> y = np.where(np.arange(400) % 10 == 0, -1, 1)
    >>> X[y == -1] += 8
    >>> found = table_difficulty(X, y, np.arange(400), random_state=0)
    >>> found.imbalance, found.overlap
    (9.0, 0.0)
    """

    imbalance: float
    overlap: float
    drift: float


_BUDGET = [Interval(Integral, 1, None, closed="left")]


@validate_params(
    {
        "models": [Mapping],
        "alerts_per_day": _BUDGET,
        "n_periods": [Interval(Integral, 2, None, closed="left")],
        "train_fraction": [Interval(Real, 0, 1, closed="neither")],
        "gap": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def compare_over_time(
    models: Mapping[str, Any],
    X: Any,
    y: Any,
    times: Any,
    *,
    alerts_per_day: int = 10,
    n_periods: int = 6,
    train_fraction: float = 0.4,
    gap: float = 0.0,
    pos_label: Any = None,
    random_state: Any = None,
) -> TimeOrderedComparison:
    """Train supervised and unsupervised models on the past, and follow them through later periods.

    A shuffled cross-validation lets a classifier see the frauds of next month. Here all models train on the first rows
    in the order of time, and are rated in each later period: by their ranking, and by what they find with a fixed
    number of alerts a day.

    Parameters
    ----------
    models : dict of str to estimator
        Classifiers are fitted with the labels (-1 anomaly, +1 normal), detectors without.
    X : array-like of shape (n_samples, n_features)
        Whatever the models accept; numbers for `shift_auc`, which is NaN otherwise.
    y : array-like of shape (n_samples,)
        Labels: -1 anomaly and +1 normal, or 1 anomaly and 0 normal.
    times : array-like of shape (n_samples,)
        Time of each row: dates, or numbers of days.
    alerts_per_day : int, default=10
        Number of rows a day that can be checked: the most anomalous of that day.
    n_periods : int, default=6
        Number of test periods of equal length in time.
    train_fraction : float, default=0.4
        Fraction of the rows, the first ones, that the models train on.
    gap : float, default=0.0
        Days before the test rows whose rows are left out, such as the time until a label is known.
    pos_label : label, default=None
        The anomalies' label. None recognises -1, or 1 beside 0.
    random_state : int, RandomState instance or None, default=None
        Set where a `random_state` of a model is None; also draws rows for `shift_auc`.

    Returns
    -------
    TimeOrderedComparison

    Raises
    ------
    ValueError
        If there is no model, a time is missing, or the training rows have no anomaly or no normal row.

    Notes
    -----
    The study of payments [1]_ finds that a supervised model beats detectors and loses more under shift, and that it
    finds most of the frauds that detectors find: `decay`, `shift_auc` and `overlap` ask these questions of your table.
    The order in time is the protocol of [2]_.

    References
    ----------
    .. [1] H. Thimonier, F. Popineau, A. Rimmel, B.-L. Doan and F. Daniel, "Comparative Evaluation of Anomaly Detection
       Methods for Fraud Detection in Online Credit Card Payments", 2023. arXiv:2312.13896.
    .. [2] G. Kulatilleke, "Credit card fraud detection - Classifier selection strategy", 2022. arXiv:2208.11900.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest, RandomForestClassifier
    >>> from skanomaly.model_selection import compare_over_time
    >>> X, times = np.random.default_rng(0).normal(size=(2000, 2)), np.arange(2000) / 50
    >>> y = np.where(np.arange(2000) % 20 == 0, -1, 1)
    >>> angle = times / 8  # frauds move on
    >>> X[y == -1] += 4 * np.column_stack([np.cos(angle), np.sin(angle)])[y == -1]
    >>> models = {
    ...     "classifier": RandomForestClassifier(50),
    ...     "detector": IsolationForest(n_estimators=50),
    ... }
    >>> report = compare_over_time(models, X, y, times, alerts_per_day=3, random_state=0)
    >>> bool(report.average_precision[0, 0] > report.average_precision[0, -1] + 0.3)
    True
    """
    if not models:
        raise ValueError("models is empty; give at least one estimator with its name.")
    labels = read_labels(y, pos_label=pos_label)
    stamps = read_days(times, len(labels))
    order = np.argsort(stamps, kind="stable")
    n_train = int(train_fraction * len(order))
    test = order[n_train:]
    train = order[:n_train]
    train = train[stamps[train] <= stamps[test[0]] - gap] if gap else train
    known = train[labels[train] != 0]
    if not ((labels[known] == -1).any() and (labels[known] == 1).any()):
        raise ValueError(
            f"The {len(train)} training rows have {int((labels[train] == -1).sum())} anomalies and "
            f"{int((labels[train] == 1).sum())} normal rows; at least one of each is needed. Raise train_fraction."
        )
    random = generator(random_state)
    seed = int(random.integers(2**31))
    found = []
    for model in models.values():
        copy = clone_with_seed(model, seed)
        if is_classifier(model):
            fitted = copy.fit(take_rows(X, known), labels[known].astype(np.int64))
        else:
            fitted = copy.fit(take_rows(X, train))
        found.append(-outlyingness(fitted, take_rows(X, test)))
    scores, truth = np.stack(found), labels[test]
    edges = np.linspace(stamps[test[0]], stamps[test[-1]], n_periods + 1)
    periods = np.clip(np.searchsorted(edges, stamps[test], side="right") - 1, 0, n_periods - 1)
    days = np.floor(stamps[test]).astype(np.int64)
    alerts = np.stack([daily_alerts(one, days, alerts_per_day) for one in scores])
    values = np.full((4, len(scores), n_periods), np.nan)
    for period in range(n_periods):
        inside = periods == period
        n_anomalies = int((truth[inside] == -1).sum())
        for place, (one, raised) in enumerate(zip(scores, alerts, strict=True)):
            hits = int((raised & inside & (truth == -1)).sum())
            n_raised = int((raised & inside & (truth != 0)).sum())
            values[2, place, period] = hits / n_raised if n_raised else np.nan
            if n_anomalies and n_anomalies < int((truth[inside] != 0).sum()):
                values[0, place, period] = average_precision_score(truth[inside], one[inside])
                values[1, place, period] = roc_auc_score(truth[inside], one[inside])
                values[3, place, period] = hits / n_anomalies
    hits = alerts & (truth == -1)
    common = (hits[:, None] & hits[None]).sum(axis=2)
    counts = hits.sum(axis=1)
    overlap = np.divide(common, counts[:, None], out=np.full(common.shape, np.nan), where=counts[:, None] > 0)
    return TimeOrderedComparison(
        names=list(models),
        period_starts=days_as_given(times, edges[:-1]),
        average_precision=values[0],
        roc_auc=values[1],
        alert_precision=values[2],
        alert_recall=values[3],
        decay=np.stack([_slope(one) for one in values[0]]),
        overlap=overlap,
        shift_auc=np.array([_shift(X, train, test[periods == period], random) for period in range(n_periods)]),
        scores=scores,
        test_indices=test,
    )


@validate_params(
    {
        "alerts_per_day": _BUDGET,
        "holdout": [ReusableHoldout, None],
        "n_weights": [Interval(Integral, 3, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def complementary_gain(
    y_true: Any,
    first_score: Any,
    second_score: Any,
    times: Any,
    *,
    alerts_per_day: int = 10,
    holdout: ReusableHoldout | None = None,
    n_weights: int = 11,
    pos_label: Any = None,
    random_state: Any = None,
) -> ComplementaryGain:
    """Say how much a combination of two models finds beyond the better one, without overfitting the choice.

    The ranks of both are averaged with weights from 0 to 1. The precision of the alerts in the first half of the time
    is compared with that in the second half through a reusable holdout.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels: -1 anomaly and +1 normal, or 1 anomaly and 0 normal.
    first_score : array-like of shape (n_samples,)
        Scores of the first model, lower ones more anomalous.
    second_score : array-like of shape (n_samples,)
        Scores of the second.
    times : array-like of shape (n_samples,)
        Dates, or numbers of days.
    alerts_per_day : int, default=10
        Number of rows a day that can be checked.
    holdout : ReusableHoldout, default=None
        Answers the queries, and counts them. None makes one for the number of alerts in the second half, with a warning
        where these are few.
    n_weights : int, default=11
        Number of weights tried.
    pos_label : label, default=None
        The anomalies' label. None recognises -1, or 1 beside 0.
    random_state : int, RandomState instance or None, default=None
        Seeds the noise of a holdout that is made here.

    Returns
    -------
    ComplementaryGain

    Raises
    ------
    ValueError
        If lengths differ, or a half has no alert on a labelled row.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import ReusableHoldout, complementary_gain
    >>> random = np.random.default_rng(0)
    >>> y, times = np.where(np.arange(8000) % 10 == 0, -1, 1), np.arange(8000) / 20
    >>> first, second = random.normal(size=(2, 8000))
    >>> first[::20] -= 6  # each model finds one half of the anomalies
    >>> second[10::20] -= 6
    >>> holdout = ReusableHoldout(random_state=0)
    >>> complementary_gain(
    ...     y, first, second, times, alerts_per_day=2, holdout=holdout
    ... ).gain > 0.2
    True
    """
    labels = read_labels(y_true, name="y_true", pos_label=pos_label)
    stamps = read_days(times, len(labels))
    ranks = []
    for name, values in (("first_score", first_score), ("second_score", second_score)):
        given = np.asarray(values, dtype=np.float64)
        if given.shape != labels.shape or np.isnan(given).any():
            raise ValueError(f"{name} has shape {given.shape}; give {len(labels)} numbers without NaN.")
        # Ranks from the most anomalous row, on the scale of their logarithm: it is the top that matters.
        ranks.append(np.log(rank_scores(given)))
    days = np.floor(stamps).astype(np.int64)
    late = days > np.median(days)
    weights = np.linspace(0, 1, n_weights)
    pairs, n_late = [], 0
    for weight in weights:
        raised = daily_alerts((1 - weight) * ranks[0] + weight * ranks[1], days, alerts_per_day) & (labels != 0)
        halves = [raised & ~late, raised & late]
        if not all(half.any() for half in halves):
            raise ValueError("A half of the time has no alert on a labelled row; give rows of more days.")
        pairs.append([float((labels[half] == -1).mean()) for half in halves])
        n_late = max(n_late, int(halves[1].sum()))
    if holdout is None:
        holdout = ReusableHoldout.for_holdout(n_late, random_state=random_state)
    answers = holdout.query_many(*zip(*pairs, strict=True))
    best = int(answers.argmax())
    return ComplementaryGain(
        gain=float(answers[best] - max(answers[0], answers[-1])),
        weight=float(weights[best]),
        weights=weights,
        precision=answers,
    )


@validate_params({"random_state": ["random_state"]}, prefer_skip_nested_validation=True)
def table_difficulty(
    X: Any, y: Any, times: Any = None, *, pos_label: Any = None, random_state: Any = None
) -> TableDifficulty:
    """Measure the imbalance, overlap and drift of a labelled table, which decide how far its labels carry.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Numbers.
    y : array-like of shape (n_samples,)
        Labels: -1 anomaly and +1 normal, or 1 anomaly and 0 normal.
    times : array-like of shape (n_samples,), default=None
        Dates, or numbers of days. None takes the rows in their order.
    pos_label : label, default=None
        The anomalies' label. None recognises -1, or 1 beside 0.
    random_state : int, RandomState instance or None, default=None
        Draws at most 2,000 rows of each half for the drift.

    Returns
    -------
    TableDifficulty

    Raises
    ------
    ValueError
        If there is no labelled anomaly or no labelled normal row, or fewer than 10 rows.

    References
    ----------
    .. [1] G. Kulatilleke, "Credit card fraud detection - Classifier selection strategy", 2022. arXiv:2208.11900.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import table_difficulty
    >>> X = np.random.default_rng(0).normal(size=(1000, 2))
    >>> y = np.where(np.arange(1000) % 20 == 0, -1, 1)
    >>> bool(abs(table_difficulty(X, y, random_state=0).overlap - 1) < 0.1)
    True
    """
    rows = check_array(X, dtype=np.float64, ensure_min_samples=10)
    labels = read_labels(y, pos_label=pos_label)
    if len(labels) != len(rows):
        raise ValueError(f"y has {len(labels)} labels and X {len(rows)} rows.")
    stamps = np.arange(len(rows), dtype=np.float64) if times is None else read_days(times, len(rows))
    n_anomalies, n_normal = int((labels == -1).sum()), int((labels == 1).sum())
    if min(n_anomalies, n_normal) == 0:
        raise ValueError(f"y has {n_anomalies} anomalies and {n_normal} normal rows; at least one of each is needed.")
    known = labels != 0
    scaled, kinds = rows[known] / column_scale(rows), labels[known]
    n_neighbors = min(5, len(kinds) - 1)
    places = NearestNeighbors(n_neighbors=n_neighbors).fit(scaled).kneighbors(scaled[kinds == -1], n_neighbors + 1)[1]
    own = places == np.flatnonzero(kinds == -1)[:, None]
    own[~own.any(axis=1), -1] = True  # a duplicate took its place
    neighbors = places[~own].reshape(n_anomalies, n_neighbors)
    overlap = float((kinds[neighbors] == 1).mean() / (n_normal / (len(kinds) - 1)))
    order = np.argsort(stamps, kind="stable")
    halves = np.array_split(order, 2)
    drift = _shift(rows, halves[0], halves[1], generator(random_state))
    return TableDifficulty(imbalance=n_normal / n_anomalies, overlap=overlap, drift=drift)


def _slope(values: Floats) -> Floats:
    """Return the slope of values over their places, and its 95 % interval; NaN where there are too few."""
    known = np.flatnonzero(~np.isnan(values))
    if known.size < 3:
        return np.full(3, np.nan)
    x, y = known - known.mean(), values[known]
    slope = float(x @ y / (x @ x))
    left = y - y.mean() - slope * x
    error = np.sqrt(left @ left / (known.size - 2) / (x @ x)) * student.ppf(0.975, known.size - 2)
    return np.array([slope, slope - error, slope + error])


def _shift(X: Any, before: NDArray[np.intp], after: NDArray[np.intp], random: np.random.Generator) -> float:
    """Return the area under the ROC curve of trees that distinguish two sets of rows, out of fold."""
    chosen = [random.permutation(part)[:_MOST_ROWS] for part in (before, after)]
    seed = int(random.integers(2**31))
    if min(map(len, chosen)) < 3:
        return float("nan")
    try:
        rows = check_array(take_rows(X, np.concatenate(chosen)), dtype=np.float64)
    except (TypeError, ValueError):  # text, dates or missing values
        return float("nan")
    labels = np.repeat([0, 1], [len(part) for part in chosen])
    trees = ExtraTreesClassifier(30, min_samples_leaf=5, random_state=seed)
    later = cross_val_predict(trees, rows, labels, cv=3, method="predict_proba")[:, 1]
    return float(roc_auc_score(np.where(labels == 1, -1, 1), -later))
