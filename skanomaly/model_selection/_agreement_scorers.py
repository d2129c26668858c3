"""Stability and consensus: agreement of a detector with itself when it is refitted, and with other detectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly._support._parameters import DeclaredParameters
from skanomaly._support._responses import outlyingness
from skanomaly._support._seeds import child_generators
from skanomaly._support._sklearn import Interval, safe_indexing
from skanomaly.model_selection._tables import rank_correlation, row_ranks

__all__ = ["ConsensusScorer", "StabilityScorer", "half_scores", "most_anomalous", "top_overlap"]


@dataclass(frozen=True)
class StabilityScorer(DeclaredParameters):
    """Overlap of the most anomalous rows between fits of the detector on two halves of the rows; needs no labels.

    Parameters
    ----------
    top_fraction : float, default=0.05
        Fraction of the rows that counts as most anomalous, in (0, 0.5]; at least one row.
    n_repeats : int, default=5
        Number of random splits into halves.
    random_state : int, RandomState instance or None, default=None
        Seeds the random splits. None draws new splits at each call, so that the candidates of a search are compared on
        different splits; pass an integer to compare them on the same ones.

    See Also
    --------
    ConsensusScorer : Agreement with other detectors.
    DetectorSearch : Fits every candidate once and compares all of them.

    Notes
    -----
    The detector is cloned and refitted on each half of the given rows, and both clones score all rows. The result is
    the Jaccard index of the two sets of most anomalous rows, averaged over the splits. With :class:`TransductiveSplit`
    a search costs ``2 n_repeats`` fits per candidate. Rows that tie at the border of a set are left out, so a constant
    score, which is stable but useless, gets 0.

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
    ...     scoring=StabilityScorer(random_state=0),
    ...     cv=TransductiveSplit(),
    ... )
    >>> search.fit(X).best_params_
    {'n_estimators': 100}
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "top_fraction": [Interval(Real, 0, 0.5, closed="right")],
        "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    top_fraction: float = 0.05
    n_repeats: int = 5
    random_state: Any = None

    def __post_init__(self) -> None:
        self._validate_params()

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
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
            In [0, 1]; greater is better.
        """
        pairs = half_scores(estimator, X, self.n_repeats, self.random_state)
        return float(np.mean([top_overlap(first, second, self.top_fraction) for first, second in pairs]))


@dataclass(frozen=True)
class ConsensusScorer(DeclaredParameters):
    """Rank correlation of a detector's scores with the mean rank of a fixed committee of detectors; needs no labels.

    Parameters
    ----------
    committee : sequence of estimators or None, default=None
        Detectors that are fitted on the given rows. None uses an isolation forest, a local outlier factor with 20
        neighbours and a one-class support vector machine, the last two on standardised columns.

    See Also
    --------
    DetectorSearch : Consensus among the candidates themselves.
    StabilityScorer : Agreement of a detector with itself.

    Notes
    -----
    Spearman's correlation between the detector's scores and the mean rank over the committee. The committee is fitted
    once per call. A candidate that shares a weakness with the committee is favoured. Several consensus strategies are
    compared in [1]_; here the committee is fixed, since a scorer sees one candidate at a time.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"committee": [list, tuple, None]}

    committee: Sequence[Any] | None = None

    def __post_init__(self) -> None:
        self._validate_params()

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
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
            In [-1, 1]; greater is better.
        """
        own = outlyingness(estimator, X)
        members = _default_committee(own.size) if self.committee is None else self.committee
        votes = np.column_stack([outlyingness(clone(member).fit(X), X) for member in members])
        return rank_correlation(own, row_ranks(votes).sum(axis=1))


def half_scores(
    estimator: Any, X: Any, n_repeats: int, random_state: Any
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Fit a clone on each half of the rows, and score all rows with both clones.

    Parameters
    ----------
    estimator : estimator
    X : array-like of shape (n_samples, n_features)
    n_repeats : int
    random_state : int

    Returns
    -------
    list of (ndarray, ndarray)
        Outlyingness of all rows, one pair per repeat.
    """
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_rows < 4:
        raise ValueError(f"X has {n_rows} rows; splitting into halves needs at least 4.")
    pairs = []
    for random in child_generators(random_state, n_repeats):
        halves = np.array_split(random.permutation(n_rows), 2)
        fitted = [clone(estimator).fit(safe_indexing(X, np.sort(half))) for half in halves]
        pairs.append((outlyingness(fitted[0], X), outlyingness(fitted[1], X)))
    return pairs


def top_overlap(first: NDArray[np.float64], second: NDArray[np.float64], fraction: float) -> float:
    """Jaccard index of the most anomalous rows by two scores; rows that tie at the border are left out.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples,)
        Higher is more anomalous.
    fraction : float
        In (0, 0.5].

    Returns
    -------
    float
    """
    sets = [most_anomalous(scores, fraction) for scores in (first, second)]
    union = np.count_nonzero(sets[0] | sets[1])
    return float(np.count_nonzero(sets[0] & sets[1]) / union) if union else 0.0


def most_anomalous(scores: NDArray[np.float64], fraction: float) -> NDArray[np.bool_]:
    """Mark the highest scores, at most a fraction of the rows and at least one row where scores differ.

    Rows that tie with the next lower score are left out.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Higher is more anomalous.
    fraction : float

    Returns
    -------
    ndarray of bool
    """
    count = max(1, round(fraction * scores.size))
    border = np.partition(scores, scores.size - count - 1)[scores.size - count - 1] if count < scores.size else -np.inf
    chosen: NDArray[np.bool_] = scores > border
    return chosen


def _default_committee(n_rows: int) -> list[Any]:
    neighbors = max(1, min(20, n_rows // 3))
    return [
        IsolationForest(random_state=0),
        make_pipeline(StandardScaler(), LocalOutlierFactor(n_neighbors=neighbors, novelty=True)),
        make_pipeline(StandardScaler(), OneClassSVM(nu=0.5)),
    ]
