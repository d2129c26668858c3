"""SMOTE."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._sklearn import StrOptions
from skanomaly.sampling._smote._engine import NEIGHBORS, Segments, join_within
from skanomaly.sampling._smote._interpolator import Interpolator
from skanomaly.sampling._strategy import STRATEGY

__all__ = ["SMOTE"]


class SMOTE(Interpolator):
    r"""Synthetic rows on the segments between a class's rows and their neighbours of that class.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far. A float is the ratio minority over majority afterwards (two classes). Words
        bring classes to the largest one's count: "minority", "not minority", "not majority" (the same as "auto") or
        "all". A dict maps classes to final counts; a callable gets `y` and returns such a dict.
    k_neighbors : int, or object with ``kneighbors``, default=5
        Number of neighbours, within the class, that a row may be joined with. A class with fewer rows uses all it
        has, with a warning; a class of one row is copied, with a warning. An object with ``fit`` and ``kneighbors``,
        such as ``sklearn.neighbors.NearestNeighbors`` or an approximate search, finds the neighbours in its own metric;
        its ``n_neighbors`` counts the row itself, as in imbalanced-learn.
    selection : {"balanced", "random"}, default="balanced"
        Whether every row starts the same number of segments, up to one, as in the paper, or rows are drawn with
        replacement, as in imbalanced-learn. The result of "balanced" varies less.
    n_jobs : int or None, default=None
        Threads of the neighbour search; the rows do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws rows, neighbours and steps.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class to number of rows made.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row; -1 where it is synthetic.
    parents_ : ndarray of shape (n_synthetic, 2)
        The two training rows that each synthetic row lies between.
    steps_ : ndarray of shape (n_synthetic,)
        Where on the segment: 0 is the first parent, 1 the second.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    BorderlineSMOTE : Grows a class at its border only.
    SMOTENC : For tables with categorical columns.
    ResampledEstimator : Puts a sampler into a scikit-learn Pipeline.

    Notes
    -----
    Section 4 of [1]_: a synthetic row is :math:`x_i + u (x_j - x_i)` with :math:`x_j` drawn from the nearest rows of
    the class and one :math:`u` drawn uniformly from [0, 1] per row (the paper's pseudo-code draws one per column,
    its text one per row). A row is left out of its own neighbours by index, whatever its duplicates.
    Synthetic rows seldom improve ranking and always change probabilities; try a threshold first.

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE: Synthetic Minority Over-sampling
       Technique", Journal of Artificial Intelligence Research 16, 2002. https://doi.org/10.1613/jair.953

    Examples
    --------
    >>> from collections import Counter
    >>> from sklearn.datasets import make_classification
    >>> from skanomaly.sampling import SMOTE
    >>> X, y = make_classification(200, weights=[0.9], flip_y=0, random_state=0)
    >>> X_new, y_new = SMOTE(random_state=0).fit_resample(X, y)
    >>> sorted(Counter(y_new.tolist()).items())
    [(0, 181), (1, 181)]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": STRATEGY,
        "k_neighbors": NEIGHBORS,
        "selection": [StrOptions({"balanced", "random"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        k_neighbors: Any = 5,
        selection: str = "balanced",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.k_neighbors = k_neighbors
        self.selection = selection
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _n_compared(self) -> int:
        return 0

    def _segments(
        self, X: Any, y: NDArray[Any], rows: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> list[Segments]:
        return [join_within(X, rows, rows, label, n_new, self.k_neighbors, random, self.n_jobs, self.selection)]
