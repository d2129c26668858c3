"""Two measures in the space of the table: separability of the anomalous rows, and detection of synthetic anomalies."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import pdist, squareform

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._parameters import DeclaredParameters
from skanomaly._support._responses import outlyingness
from skanomaly._support._rows import like
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._tables import read_numbers
from skanomaly.metrics import roc_auc_score
from skanomaly.model_selection._agreement_scorers import most_anomalous
from skanomaly.model_selection._tables import scaled_rows

__all__ = ["SeparabilityScorer", "SyntheticAnomalyScorer"]

_WIDTHS = (0.05, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class SeparabilityScorer(DeclaredParameters):
    r"""Internal consistency: how separable the most anomalous rows are from all others; needs no labels.

    Parameters
    ----------
    top_fraction : float, default=0.05
        Fraction of the rows that counts as anomalous, in (0, 0.5]; at least one row.
    ridge : float, default=0.1
        Penalty of the classifier that separates a row from the others; above 0.
    max_rows : int, default=1000
        Of larger tables this many random rows are used, at least 10.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice of rows. None draws new rows at each call, so that the candidates of a search are compared on
        different rows; pass an integer to compare them on the same ones.

    See Also
    --------
    StabilityScorer : Agreed better with labels on public tables.

    Notes
    -----
    The idea is that of IREOS [1]_: a kernel classifier is trained for each row to distinguish it from all others; the
    better it does over a range of kernel widths, the more of an outlier the row is. What we changed: the classifier is
    least squares with a Gaussian kernel, so one inverse gives all rows at once. The separability of row :math:`i` is
    :math:`s_i = 1 / [(K + \lambda I)^{-1}]_{ii} - \lambda`, its squared distance in the kernel's feature space from the
    span of the others (0 inseparable, 1 isolated). It is averaged over widths of 0.05 to 1 times the median distance.
    The result is the mean separability of the most anomalous rows, rescaled so that the mean of all rows (chance) is 0
    and the largest possible mean of as many rows is 1.

    Distances are computed in the columns of `X`, each divided by its standard deviation, and not in the space after the
    steps of a pipeline, since a candidate must not be evaluated in a space that it makes itself. The cost is O(n³) for
    n at most `max_rows`.

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
    >>> 0 < SeparabilityScorer(random_state=0)(
    ...     IsolationForest(random_state=0).fit(X), X
    ... ) <= 1
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "top_fraction": [Interval(Real, 0, 0.5, closed="right")],
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "max_rows": [Interval(Integral, 10, None, closed="left")],
        "random_state": ["random_state"],
    }

    top_fraction: float = 0.05
    ridge: float = 0.1
    max_rows: int = 1000
    random_state: Any = None

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
            At most 1; 0 is chance.
        """
        rows = scaled_rows(read_numbers(X, min_samples=2))
        scores = outlyingness(estimator, X)
        if len(rows) > self.max_rows:
            kept = generator(self.random_state).choice(len(rows), self.max_rows, replace=False)
            rows, scores = rows[kept], scores[kept]
        top = most_anomalous(scores, self.top_fraction)
        if not top.any():
            return 0.0
        separability = kernel_separability(rows, self.ridge)
        best = np.sort(separability)[separability.size - np.count_nonzero(top) :].mean()
        chance = separability.mean()
        return float((separability[top].mean() - chance) / (best - chance)) if best > chance else 0.0


@dataclass(frozen=True)
class SyntheticAnomalyScorer(DeclaredParameters):
    """How well a detector distinguishes the given rows from synthetic anomalies; needs no labels.

    Parameters
    ----------
    kind : {"local", "permuted", "uniform"}, default="local"
        "local" adds Gaussian noise of `strength` standard deviations of each column to rows; "permuted" draws each
        column from another row, which breaks the dependence between columns; "uniform" draws from the bounding box.
    strength : float, default=1.0
        Used by "local" only; above 0.
    n_synthetic : int or None, default=None
        Number of synthetic rows; None draws as many as there are rows.
    random_state : int, RandomState instance or None, default=None
        Seeds the synthetic rows. None draws new synthetic rows at each call, so that the candidates of a search are
        compared on different synthetic rows; pass an integer to compare them on the same ones.

    See Also
    --------
    StabilityScorer : Agreed better with labels on public tables.

    Notes
    -----
    The result is the area under the receiver operating characteristic (ROC) with the synthetic rows as anomalies and
    the given rows as normal ones. It says how well a detector finds *synthetic* anomalies; that real anomalies are
    similar is an assumption. On public tables none of the three kinds selected better than chance (see the guide).
    Synthetic rows are made in the space of `X`, before the steps of a pipeline.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import SyntheticAnomalyScorer
    >>> X, _ = make_shifted_anomalies(n_samples=300, random_state=0)
    >>> SyntheticAnomalyScorer(kind="uniform", random_state=0)(
    ...     IsolationForest(random_state=0).fit(X), X
    ... ) > 0.8
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "kind": [StrOptions({"local", "permuted", "uniform"})],
        "strength": [Interval(Real, 0, None, closed="neither")],
        "n_synthetic": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    kind: str = "local"
    strength: float = 1.0
    n_synthetic: int | None = None
    random_state: Any = None

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
            In [0, 1]; greater is better, 0.5 is chance.
        """
        rows = read_numbers(X, min_samples=2)
        synthetic = outlyingness(estimator, like(self._synthetic(rows, generator(self.random_state)), X))
        given = outlyingness(estimator, X)
        labels = np.repeat([1, -1], [given.size, synthetic.size])
        return roc_auc_score(labels, -np.concatenate([given, synthetic]))

    def _synthetic(self, rows: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
        shape = (len(rows) if self.n_synthetic is None else self.n_synthetic, rows.shape[1])
        if self.kind == "uniform":
            return random.uniform(rows.min(axis=0), rows.max(axis=0), size=shape)
        if self.kind == "permuted":
            return np.take_along_axis(rows, random.integers(len(rows), size=shape), axis=0)
        return rows[random.integers(len(rows), size=shape[0])] + random.normal(
            scale=self.strength * rows.std(axis=0), size=shape
        )


def kernel_separability(rows: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """Return how separable each row is from all others, averaged over a range of kernel widths.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
    ridge : float

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
            inverse = cho_solve(cho_factor(kernel + ridge * identity, lower=True), identity)
            total += np.clip(1.0 / np.diag(inverse) - ridge, 0.0, 1.0)
    return total / len(_WIDTHS)
