"""A split by the value of a covariate: test rows come from outside the training range."""

from collections.abc import Iterator
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils.validation import column_or_1d

from skanomaly._support._parameters import DeclaredParameters
from skanomaly._support._sklearn import Interval

__all__ = ["CovariateSplit"]

Indices = NDArray[np.intp]


class CovariateSplit(DeclaredParameters, BaseCrossValidator):
    """One split at a value of a covariate, such as depth, age or load: the test rows lie beyond it.

    Parameters
    ----------
    cut : float
        Training rows have a covariate up to `cut`, test rows a larger one.

    See Also
    --------
    BlockedTimeSeriesSplit : Splits at times.

    Notes
    -----
    The split by depth of the FathomNet 2023 competition [1]_. The covariate is passed as
    `groups`, as in scikit-learn's splits by group.

    References
    ----------
    .. [1] E. Orenstein et al., "The FathomNet2023 Competition Dataset", 2023. arXiv:2307.08781.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import CovariateSplit
    >>> depth = [100.0, 900.0, 300.0, 1200.0]
    >>> [
    ...     (train.tolist(), test.tolist())
    ...     for train, test in CovariateSplit(800).split(np.zeros((4, 1)), groups=depth)
    ... ]
    [([0, 2], [1, 3])]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"cut": [Interval(Real, None, None, closed="neither")]}

    def __init__(self, cut: float) -> None:
        self.cut = cut

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return 1.

        Parameters
        ----------
        X, y, groups : object
            Ignored.

        Returns
        -------
        int
        """
        return 1

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Indices, Indices]]:
        """Yield the training and the test rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
        y : object
            Ignored.
        groups : array-like of shape (n_samples,)
            The covariate; finite numbers.

        Yields
        ------
        train, test : ndarray

        Raises
        ------
        ValueError
            If `groups` is missing, of another length, or not finite, or one side is empty.
        """
        self._validate_params()
        if groups is None:
            raise ValueError("groups=None; pass the covariate of each row as groups.")
        covariate = column_or_1d(groups).astype(np.float64)
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
        if len(covariate) != n_rows or not np.isfinite(covariate).all():
            raise ValueError(f"groups must hold {n_rows} finite numbers, one for each row of X.")
        beyond = covariate > self.cut
        if beyond.all() or not beyond.any():
            raise ValueError(
                f"cut={self.cut} leaves one side empty: groups range from {covariate.min()} to {covariate.max()}."
            )
        yield np.flatnonzero(~beyond), np.flatnonzero(beyond)
