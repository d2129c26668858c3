"""Stability and consensus: whether a detector agrees with itself, and with others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly._support._responses import outlyingness
from skanomaly._support._seeds import child_generators
from skanomaly._support._sklearn import safe_indexing
from skanomaly.model_selection._tables import rank_correlation, row_ranks

__all__ = ["ConsensusScorer", "StabilityScorer", "half_scores", "top_overlap"]


@dataclass(frozen=True)
class StabilityScorer:
    """How alike the oddest rows are when the detector is fitted on one half of the rows and on the other.

    Parameters
    ----------
    top_share : float, default=0.05
        Share of the rows that counts as oddest, at least one row.
    n_repeats : int, default=5
        Random halvings.
    random_state : int, default=0
        One number for a whole search, so that all candidates meet the same halves.

    See Also
    --------
    ConsensusScorer : Agreement with other detectors.
    DetectorSearch : Fits every candidate once, and knows all of them.

    Notes
    -----
    The detector, as it was set, is cloned and refitted on both halves of the rows it is given; both score all these
    rows; the result is the Jaccard index of the two sets of oddest rows, averaged. Together with
    :class:`TransductiveSplit` a search costs ``2 n_repeats`` fits a candidate. A constant score is perfectly stable and
    useless: rows that tie at the border are all left out, so it gets 0.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import StabilityScorer, TransductiveSplit
    >>> X, _ = make_shifted_anomalies(n_samples=300, random_state=0)
    >>> search = GridSearchCV(
    ...     IsolationForest(random_state=0),
    ...     {"n_estimators": [1, 100]},
    ...     scoring=StabilityScorer(),
    ...     cv=TransductiveSplit(),
    ... )
    >>> search.fit(X).best_params_
    {'n_estimators': 100}
    """

    top_share: float = 0.05
    n_repeats: int = 5
    random_state: int = 0

    def __post_init__(self) -> None:
        _require_share(self.top_share)
        if self.n_repeats < 1:
            raise ValueError(f"n_repeats={self.n_repeats!r} must be at least 1.")

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:  # a scorer's signature
        """Score a detector without labels.

        Parameters
        ----------
        estimator : estimator
        X : array-like of shape (n_samples, n_features)
            At least four rows.
        y : object
            Not used.

        Returns
        -------
        float
            In [0, 1]; large is good.
        """
        pairs = half_scores(estimator, X, self.n_repeats, self.random_state)
        return float(np.mean([top_overlap(first, second, self.top_share) for first, second in pairs]))


@dataclass(frozen=True)
class ConsensusScorer:
    """Agreement of a detector's order of rows with the mean order of a fixed committee.

    Parameters
    ----------
    committee : sequence of estimators or None, default=None
        Detectors that are fitted on the rows given. None is an isolation forest, a local outlier factor with 20
        neighbours and a one-class support vector machine, the latter two on standardised columns.

    See Also
    --------
    DetectorSearch : Consensus among the candidates themselves.
    StabilityScorer : Agreement of a detector with itself.

    Notes
    -----
    Spearman's correlation between the detector's scores and the mean rank over the committee. A committee that shares a
    weakness with a candidate votes for it. The committee is fitted once a call. Strategies of consensus are compared in
    [1]_; here the committee is fixed, since a scorer sees one candidate at a time.

    References
    ----------
    .. [1] Ma, M. Q., Zhao, Y., Zhang, X. and Akoglu, L. (2021). A large-scale study on unsupervised outlier model
       selection: do internal strategies suffice? arXiv:2104.01422.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import ConsensusScorer
    >>> X, _ = make_shifted_anomalies(n_samples=300, random_state=0)
    >>> ConsensusScorer()(IsolationForest(random_state=0).fit(X), X) > 0.5
    True
    """

    committee: Sequence[Any] | None = None

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:  # a scorer's signature
        """Score a fitted detector without labels.

        Parameters
        ----------
        estimator : fitted estimator
        X : array-like of shape (n_samples, n_features)
        y : object
            Not used.

        Returns
        -------
        float
            In [-1, 1]; large is good.
        """
        own = outlyingness(estimator, X)
        members = _default_committee(own.size) if self.committee is None else self.committee
        votes = np.column_stack([outlyingness(clone(member).fit(X), X) for member in members])
        return rank_correlation(own, row_ranks(votes).sum(axis=1))


def half_scores(
    estimator: Any, X: Any, n_repeats: int, random_state: Any
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Fit clones on both halves of the rows, and score all rows with both.

    Parameters
    ----------
    estimator : estimator
    X : array-like of shape (n_samples, n_features)
    n_repeats : int
    random_state : int

    Returns
    -------
    list of (ndarray, ndarray)
        Outlyingness of all rows, a pair a repeat.
    """
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_rows < 4:
        raise ValueError(f"X has {n_rows} rows; halves need at least 4.")
    pairs = []
    for random in child_generators(random_state, n_repeats):
        halves = np.array_split(random.permutation(n_rows), 2)
        fitted = [clone(estimator).fit(safe_indexing(X, np.sort(half))) for half in halves]
        pairs.append((outlyingness(fitted[0], X), outlyingness(fitted[1], X)))
    return pairs


def top_overlap(first: NDArray[np.float64], second: NDArray[np.float64], share: float) -> float:
    """Jaccard index of the oddest rows of two scores; rows that tie across the border are out.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples,)
        Large is odd.
    share : float
        In (0, 0.5].

    Returns
    -------
    float
    """
    sets = [oddest(scores, share) for scores in (first, second)]
    union = np.count_nonzero(sets[0] | sets[1])
    return float(np.count_nonzero(sets[0] & sets[1]) / union) if union else 0.0


def oddest(scores: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Mark at most a share of the rows, at least one where scores differ: those above the next score.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Large is odd.
    share : float

    Returns
    -------
    ndarray of bool
    """
    count = max(1, round(share * scores.size))
    border = np.partition(scores, scores.size - count - 1)[scores.size - count - 1] if count < scores.size else -np.inf
    chosen: NDArray[np.bool_] = scores > border
    return chosen


def _require_share(top_share: float) -> None:
    if not 0 < top_share <= 0.5:
        raise ValueError(f"top_share={top_share!r} must be in (0, 0.5].")


def _default_committee(n_rows: int) -> list[Any]:
    neighbors = max(1, min(20, n_rows // 3))
    return [
        IsolationForest(random_state=0),
        make_pipeline(StandardScaler(), LocalOutlierFactor(n_neighbors=neighbors, novelty=True)),
        make_pipeline(StandardScaler(), OneClassSVM(nu=0.5)),
    ]
