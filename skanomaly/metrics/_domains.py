"""Areas under the ROC curve by domain, as reported in acoustic machine monitoring."""

from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils.validation import check_consistent_length, column_or_1d

from skanomaly._support._labels import read_labels
from skanomaly._support._sklearn import Interval, StrOptions, validate_params
from skanomaly.metrics._labels import check_ranked, undefined
from skanomaly.metrics._ranking import area, partial_area

__all__ = ["domain_roc_auc_score"]


@validate_params(
    {
        "max_fpr": [Interval(Real, 0, 1, closed="right")],
        "correction": [StrOptions({"mcclish", "none"})],
    },
    prefer_skip_nested_validation=True,
)
def domain_roc_auc_score(
    y_true: Any,
    y_score: Any,
    *,
    domains: Any,
    sections: Any = None,
    max_fpr: float = 0.1,
    correction: str = "mcclish",
    pos_label: Any = None,
    sample_weight: Any = None,
) -> float:
    """Harmonic mean of the ROC areas of each domain and of the partial ROC areas: the official score of DCASE.

    A detector that works in the domain of its training data only gets a low mean.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        +1 normal, -1 anomaly, 0 unlabelled (left out); or two labels of which `pos_label` is the anomalies'.
    y_score : array-like of shape (n_samples,)
        As returned by ``score_samples`` or ``decision_function``: lower is more anomalous.
    domains : array-like of shape (n_samples,)
        Domain of each row, for example "source" or "target". Domains of anomalies have no effect.
    sections : array-like of shape (n_samples,), default=None
        Machine, or section of it, of each row: scores are compared within a section only. None means one section.
    max_fpr : float, default=0.1
        False positive rate at which the partial area ends.
    correction : {"mcclish", "none"}, default="mcclish"
        As in :func:`partial_roc_auc_score`.
    pos_label : label, default=None
        Label of the anomalies; all other labels are then normal. None recognises -1, or 1 beside 0.
    sample_weight : array-like of shape (n_samples,), default=None
        A row of weight 2 counts as two rows.

    Returns
    -------
    float
        In [0, 1]; 0 if any area is 0; NaN, with a warning, if a section lacks a class.

    See Also
    --------
    partial_roc_auc_score : One of the partial areas.

    Notes
    -----
    In each section, the areas are: for each domain with normal rows, the area with these and all anomalies of the
    section; and the partial area with all rows of the section. The result is the harmonic mean of all areas.

    References
    ----------
    .. [1] K. Dohi et al. (2023). Description and discussion on DCASE 2023 challenge task 2: first-shot unsupervised
       anomalous sound detection for machine condition monitoring. arXiv:2305.07828.

    Examples
    --------
    >>> from skanomaly.metrics import domain_roc_auc_score
    >>> y_true, y_score = [1, 1, 1, 1, -1, -1], [6.0, 5.0, 4.0, 2.0, 3.0, 1.0]
    >>> domains = ["source", "source", "source", "target", "source", "target"]
    >>> round(domain_roc_auc_score(y_true, y_score, domains=domains, max_fpr=0.25), 4)
    0.6818
    """
    domains = column_or_1d(domains)
    sections = np.zeros(domains.size) if sections is None else column_or_1d(sections)
    check_consistent_length(y_true, domains, sections)
    labelled = read_labels(y_true, name="y_true", pos_label=pos_label) != 0
    ranked = check_ranked(y_true, y_score, pos_label, sample_weight)
    kept = labelled & ~np.isnan(column_or_1d(y_score, dtype=np.float64))
    domains, sections = domains[kept], sections[kept]
    areas: list[float] = []
    for section in np.unique(sections):
        rows = sections == section
        inside = ranked.rows(rows)
        if not inside.has_both:
            return undefined("Area by domain", f"section {section} has no anomaly or no normal row")
        for domain in np.unique(domains[rows & ~ranked.anomaly]):
            part = ranked.rows(rows & (ranked.anomaly | (domains == domain)))
            if part.has_both:
                areas.append(area(part))
        areas.append(partial_area(inside, max_fpr, correction))
    return 0.0 if min(areas) == 0 else float(len(areas) / sum(1.0 / value for value in areas))
