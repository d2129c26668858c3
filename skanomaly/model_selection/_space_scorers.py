"""Two measures in the table's own space: how easily odd rows are parted from the rest, and made-up rows found odd."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import pdist, squareform

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._responses import outlyingness
from skanomaly._support._seeds import generator
from skanomaly.metrics import roc_auc_score
from skanomaly.model_selection._agreement_scorers import oddest
from skanomaly.model_selection._tables import plain_rows, scaled_rows, table_like

__all__ = ["SeparabilityScorer", "SyntheticAnomalyScorer"]

_WIDTHS = (0.05, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class SeparabilityScorer:
    r"""Internal consistency: how easily the rows that a detector finds odd are parted from all others.

    Parameters
    ----------
    top_share : float, default=0.05
        Share of the rows that counts as odd, at least one row.
    penalty : float, default=0.1
        Ridge of the classifier that parts a row from the others; above 0.
    max_rows : int, default=1000
        In larger tables the oddest rows and a random choice of the others are taken.
    random_state : int, default=0
        For that choice.

    See Also
    --------
    StabilityScorer : Agrees better with the labels that nobody has.

    Notes
    -----
    The idea is IREOS [1]_: for each row a kernel classifier that tells this row from all others; the more easily it
    can, over a range of kernel widths, the more of an outlier the row is. What we changed: the classifier is least
    squares with a Gaussian kernel, for which one inverse gives all rows at once, row :math:`i` being parted by
    :math:`s_i = 1 / [(K + \lambda I)^{-1}]_{ii} - \lambda`, its squared distance in the kernel's space to what the
    others span (0 easily confused, 1 alone). Widths are shares 0.05 to 1 of the median distance, averaged. The result
    is the mean separability of the oddest rows, as a share of the way from the mean of all rows (chance) to the best
    possible choice of as many.

    Distances are in the table's own columns, each divided by its deviation, not in the space after the steps of a
    pipeline: a candidate must not be judged in a space that it makes itself. O(n³) for n at most `max_rows`.

    References
    ----------
    .. [1] Marques, H. O., Campello, R. J. G. B., Sander, J. and Zimek, A. (2020). Internal evaluation of unsupervised
       outlier detection. ACM Transactions on Knowledge Discovery from Data 14(4). https://doi.org/10.1145/3394053

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import SeparabilityScorer
    >>> X, _ = make_shifted_anomalies(n_samples=300, random_state=0)
    >>> 0 < SeparabilityScorer()(IsolationForest(random_state=0).fit(X), X) <= 1
    True
    """

    top_share: float = 0.05
    penalty: float = 0.1
    max_rows: int = 1000
    random_state: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.top_share <= 0.5:
            raise ValueError(f"top_share={self.top_share!r} must be in (0, 0.5].")
        if not self.penalty > 0:
            raise ValueError(f"penalty={self.penalty!r} must be above 0.")
        if self.max_rows < 10:
            raise ValueError(f"max_rows={self.max_rows!r} must be at least 10.")

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
            At most 1; 0 is chance.
        """
        rows = scaled_rows(plain_rows(X))
        scores = outlyingness(estimator, X)
        if len(rows) > self.max_rows:
            kept = generator(self.random_state).choice(len(rows), self.max_rows, replace=False)
            rows, scores = rows[kept], scores[kept]
        odd = oddest(scores, self.top_share)
        if not odd.any():
            return 0.0
        separability = kernel_separability(rows, self.penalty)
        best = np.sort(separability)[separability.size - np.count_nonzero(odd) :].mean()
        chance = separability.mean()
        return float((separability[odd].mean() - chance) / (best - chance)) if best > chance else 0.0


@dataclass(frozen=True)
class SyntheticAnomalyScorer:
    """How well a detector tells the rows from made-up anomalies.

    Parameters
    ----------
    kind : {"local", "permuted", "uniform"}, default="local"
        "local" moves rows by normal noise of `strength` deviations of each column; "permuted" draws each column
        from another row, which breaks the dependence of columns; "uniform" draws from the bounding box.
    strength : float, default=1.0
        For "local"; above 0.
    n_synthetic : int or None, default=None
        Made-up rows; None is as many as rows.
    random_state : int, default=0
        One number for a whole search, so that all candidates meet the same made-up rows.

    See Also
    --------
    StabilityScorer : Agrees better with the labels that nobody has.

    Notes
    -----
    The area under the receiver operating characteristic of made-up against given rows. It answers how well a detector
    finds *such* anomalies; whether real ones are alike is an assumption. On public tables none of the three kinds
    picked better than chance (see the guide). Made-up rows are in the space of `X`, before the steps of a pipeline.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import SyntheticAnomalyScorer
    >>> X, _ = make_shifted_anomalies(n_samples=300, random_state=0)
    >>> SyntheticAnomalyScorer(kind="uniform")(IsolationForest(random_state=0).fit(X), X) > 0.8
    True
    """

    kind: str = "local"
    strength: float = 1.0
    n_synthetic: int | None = None
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.kind not in {"local", "permuted", "uniform"}:
            raise ValueError(f"kind={self.kind!r} must be 'local', 'permuted' or 'uniform'.")
        if not self.strength > 0:
            raise ValueError(f"strength={self.strength!r} must be above 0.")
        if self.n_synthetic is not None and self.n_synthetic < 1:
            raise ValueError(f"n_synthetic={self.n_synthetic!r} must be at least 1, or None.")

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
            In [0, 1]; large is good, 0.5 chance.
        """
        rows = plain_rows(X)
        made = outlyingness(estimator, table_like(X, self._made_up(rows, generator(self.random_state))))
        given = outlyingness(estimator, X)
        labels = np.repeat([1, -1], [given.size, made.size])
        return roc_auc_score(labels, -np.concatenate([given, made]))

    def _made_up(self, rows: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        shape = (len(rows) if self.n_synthetic is None else self.n_synthetic, rows.shape[1])
        if self.kind == "uniform":
            return random.uniform(rows.min(axis=0), rows.max(axis=0), size=shape)
        if self.kind == "permuted":
            return np.take_along_axis(rows, random.integers(len(rows), size=shape), axis=0)
        return rows[random.integers(len(rows), size=shape[0])] + random.normal(
            scale=self.strength * rows.std(axis=0), size=shape
        )


def kernel_separability(rows: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    """Return how easily each row is parted from all others, over a range of kernel widths.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
    penalty : float

    Returns
    -------
    ndarray of shape (n_rows,)
        In [0, 1].
    """
    distances = pdist(rows, "sqeuclidean")
    unit = float(np.median(distances[distances > 0])) if distances.any() else 1.0
    squares = squareform(distances)
    identity = np.eye(len(rows))
    total = np.zeros(len(rows))
    with single_blas_thread():
        for width in _WIDTHS:
            kernel = np.exp(squares / (-2.0 * unit * width**2))
            inverse = cho_solve(cho_factor(kernel + penalty * identity, lower=True), identity)
            total += np.clip(1.0 / np.diag(inverse) - penalty, 0.0, 1.0)
    return total / len(_WIDTHS)
