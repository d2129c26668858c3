"""Rankings reported by part: strata, views and samples, domains."""

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skanomaly._support._labels import read_labels
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.metrics._labels import Ranked, check_ranked
from skanomaly.metrics._ranking import area, average_precision_score, fpr_at_tpr_score, partial_area
from skanomaly.metrics._views import aggregate_views

__all__ = ["domain_shift_report", "sample_level_report", "stratified_report"]

_RATE = [Interval(Real, 0, 1, closed="neither")]


@validate_params({"tpr": _RATE}, prefer_skip_nested_validation=True)
def stratified_report(
    y_true: Any, y_score: Any, strata: Any, *, tpr: float = 0.95, pos_label: Any = None
) -> dict[str, NDArray[Any]]:
    """Report how well anomalies are ranked in each stratum, such as size, site, light or sensor; the worst first.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    strata : array-like of shape (n_samples,)
        Stratum of each row. A row without one (NaN or None) is in every stratum: where only anomalies have a size,
        those of each size are compared with all normal rows.
    tpr : float, default=0.95
        True positive rate at which the false positive rate is reported.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    dict of str to ndarray
        "stratum", "n_normal", "n_anomalies", "roc_auc", "average_precision" and "fpr_at_tpr", in the order of
        "roc_auc"; NaN, and last, where a stratum lacks a class. Give it to ``pandas.DataFrame``.

    Raises
    ------
    ValueError
        If lengths differ, or no row has a stratum.

    See Also
    --------
    domain_shift_report : Compares domains at one threshold.
    skanomaly.audit.worst_group_report : The same for the accuracy of predictions.

    Notes
    -----
    The false positive rate at 95 % recall and the breakdown by size and sensor are those of [1]_. An average precision
    depends on the fraction of anomalies in the stratum; compare strata by the area.

    References
    ----------
    .. [1] Z. Laskar et al., "A Dataset for Semantic Segmentation in the Presence of Unknowns", 2025. arXiv:2503.22309.

    Examples
    --------
    >>> from skanomaly.metrics import stratified_report
    >>> y_true, y_score = [1, 1, 1, -1, -1, -1], [0.9, 0.8, 0.4, 0.1, 0.3, 0.6]
    >>> report = stratified_report(
    ...     y_true, y_score, [None, None, None, "large", "large", "small"]
    ... )
    >>> report["stratum"].tolist(), report["roc_auc"].round(2).tolist()
    (['small', 'large'], [0.67, 1.0])
    """
    codes, names = pd.factorize(np.asarray(strata, dtype=object).ravel(), sort=False)
    check_consistent_length(y_true, y_score, codes)
    if len(names) == 0:
        raise ValueError("strata has no value; give a stratum to some rows.")
    ranked, kept = _ranked(y_true, y_score, pos_label)
    codes = codes[kept]
    parts = [ranked.rows((codes == code) | (codes == -1)) for code in range(len(names))]
    report = {"stratum": np.asarray(names), **_columns(parts, tpr)}
    order = np.argsort(report["roc_auc"], kind="stable")
    return {name: values[order] for name, values in report.items()}


@validate_params(
    {"groups": ["array-like"], "aggregation": [StrOptions({"max", "mean", "logsumexp"})], "tpr": _RATE},
    prefer_skip_nested_validation=True,
)
def sample_level_report(
    y_true: Any, y_score: Any, groups: Any, *, aggregation: str = "max", tpr: float = 0.95, pos_label: Any = None
) -> dict[str, NDArray[Any]]:
    """Report the ranking of views and that of samples, where a sample is anomalous if any of its views is.

    Parameters
    ----------
    y_true : array-like of shape (n_views,)
        Label of each view: +1 normal, -1 anomaly; or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_views,)
        Score of each view; lower is more anomalous.
    groups : array-like of shape (n_views,)
        Sample of each view.
    aggregation : {"max", "mean", "logsumexp"}, default="max"
        As in :func:`aggregate_views`.
    tpr : float, default=0.95
        True positive rate at which the false positive rate is reported.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    dict of str to ndarray
        "level" ("view", "sample"), and the columns of :func:`stratified_report`. Give it to ``pandas.DataFrame``.

    Raises
    ------
    ValueError
        If a view is unlabelled or has no score.

    See Also
    --------
    aggregate_views : The scores of the samples.

    References
    ----------
    .. [1] C. Wang et al., "Real-IAD: A Real-World Multi-View Dataset for Benchmarking Versatile Industrial Anomaly
       Detection", CVPR 2024. arXiv:2403.12580.

    Examples
    --------
    >>> from skanomaly.metrics import sample_level_report
    >>> labels, scores = [1, 1, 1, -1, 1, 1], [0.8, 0.9, 0.7, 0.1, 0.05, 0.9]
    >>> report = sample_level_report(labels, scores, ["a", "a", "b", "b", "c", "c"])
    >>> report["level"].tolist(), report["roc_auc"].tolist()
    (['view', 'sample'], [0.8, 0.5])
    """
    labels = read_labels(y_true, name="y_true", pos_label=pos_label)
    if (labels == 0).any():
        raise ValueError(f"{int((labels == 0).sum())} views are unlabelled; label all views of a sample.")
    scores = aggregate_views(y_score, groups, aggregation=aggregation)[1]
    places = np.unique(column_or_1d(groups), return_inverse=True)[1]
    anomalous = np.bincount(places, labels == -1) > 0
    parts = [check_ranked(labels, y_score, None), check_ranked(np.where(anomalous, -1, 1), scores, None)]
    return {"level": np.array(["view", "sample"]), **_columns(parts, tpr)}


@validate_params(
    {"max_fpr": [Interval(Real, 0, 1, closed="right")], "false_alarm_rate": _RATE}, prefer_skip_nested_validation=True
)
def domain_shift_report(
    y_true: Any,
    y_score: Any,
    domains: Any,
    *,
    source: Any,
    max_fpr: float = 0.1,
    false_alarm_rate: float = 0.05,
    pos_label: Any = None,
) -> dict[str, NDArray[Any]]:
    """Report what a threshold and a ranking of the source domain are worth in each other domain.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    domains : array-like of shape (n_samples,)
        Domain of each row.
    source : label
        Domain of the training data.
    max_fpr : float, default=0.1
        False positive rate at which the partial area ends.
    false_alarm_rate : float, default=0.05
        Fraction of the normal rows of the source that lie below the threshold.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.

    Returns
    -------
    dict of str to ndarray
        "domain" (the source first), "n_normal", "n_anomalies", "roc_auc" and "partial_roc_auc" (with McClish's
        correction) of the rows of the domain, "false_alarm_rate" and "recall" at the threshold of the source, and
        "gap", the area of the source minus that of the domain. NaN where a domain lacks a class. Give it to
        ``pandas.DataFrame``.

    Raises
    ------
    ValueError
        If lengths differ, or the source has no normal row.

    See Also
    --------
    domain_roc_auc_score : One number, the score of DCASE.
    skanomaly.detectors.ShiftAlignedDetector : Aligns other domains with the source.

    Notes
    -----
    An area within a domain does not see that all of its scores have moved; the false alarm rate at the threshold of the
    source does. The domains, source and target, are those of machine sounds [1]_.

    References
    ----------
    .. [1] N. Harada et al., "ToyADMOS2: Another dataset of miniature-machine operating sounds for anomalous sound
       detection under domain shift conditions", 2021. arXiv:2106.02369.

    Examples
    --------
    >>> from skanomaly.metrics import domain_shift_report
    >>> y_true, domains = [1, 1, 1, -1, 1, 1, 1, -1], ["lab"] * 4 + ["field"] * 4
    >>> report = domain_shift_report(
    ...     y_true, [9, 8, 7, 1, 4, 3, 2, 0], domains, source="lab"
    ... )
    >>> (
    ...     report["roc_auc"].tolist(),
    ...     report["false_alarm_rate"].tolist(),
    ... )  # the ranking holds, the threshold does not
    ([1.0, 1.0], [0.0, 1.0])
    """
    given = column_or_1d(domains)
    check_consistent_length(y_true, y_score, given)
    ranked, kept = _ranked(y_true, y_score, pos_label)
    given = given[kept]
    names = np.unique(given)
    normal = ranked.outlyingness[(given == source) & ~ranked.anomaly]
    if normal.size == 0:
        raise ValueError(f"source={source!r} has no normal row; domains are {names.tolist()}.")
    names = np.concatenate([names[names == source], names[names != source]])
    # The smallest threshold that at most this fraction of the normal rows of the source exceeds.
    threshold = np.sort(normal)[max(0, int(np.ceil((1 - false_alarm_rate) * normal.size - 1e-9)) - 1)]
    parts = [ranked.rows(given == name) for name in names]
    areas = np.array([area(part) if part.has_both else np.nan for part in parts])
    return {
        "domain": names,
        "n_normal": np.array([int((~part.anomaly).sum()) for part in parts]),
        "n_anomalies": np.array([int(part.anomaly.sum()) for part in parts]),
        "roc_auc": areas,
        "partial_roc_auc": np.array(
            [partial_area(part, max_fpr, "mcclish") if part.has_both else np.nan for part in parts]
        ),
        "false_alarm_rate": np.array([_above(part.outlyingness[~part.anomaly], threshold) for part in parts]),
        "recall": np.array([_above(part.outlyingness[part.anomaly], threshold) for part in parts]),
        "gap": areas[0] - areas,
    }


def _ranked(y_true: Any, y_score: Any, pos_label: Any) -> tuple[Ranked, NDArray[np.bool_]]:
    """Return the rows that count, and which those are."""
    labelled = read_labels(y_true, name="y_true", pos_label=pos_label) != 0
    ranked = check_ranked(y_true, y_score, pos_label)
    return ranked, labelled & ~np.isnan(column_or_1d(y_score).astype(np.float64))


def _columns(parts: list[Ranked], tpr: float) -> dict[str, NDArray[Any]]:
    values = np.full((3, len(parts)), np.nan)
    for place, part in enumerate(parts):
        if part.has_both:
            labels, scores = np.where(part.anomaly, -1, 1), -part.outlyingness
            values[:, place] = (
                area(part),
                average_precision_score(labels, scores),
                fpr_at_tpr_score(labels, scores, tpr=tpr),
            )
    return {
        "n_normal": np.array([int((~part.anomaly).sum()) for part in parts]),
        "n_anomalies": np.array([int(part.anomaly.sum()) for part in parts]),
        "roc_auc": values[0],
        "average_precision": values[1],
        "fpr_at_tpr": values[2],
    }


def _above(values: NDArray[np.float64], threshold: float) -> float:
    return float((values > threshold).mean()) if values.size else float("nan")
