"""The result of an explainer."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._results import ShortRepr

__all__ = ["Explanation"]


@dataclass(frozen=True, repr=False)
class Explanation(ShortRepr):
    """Scores split into contributions of columns: ``scores = offset + contributions.sum(axis=1) + residuals``.

    Attributes
    ----------
    contributions : ndarray of shape (n_samples, n_groups)
        In the units and the sign of the score: the lowest entry of a row is that of the column, or group of columns,
        that makes it most anomalous.
    offset : ndarray of shape (n_samples,)
        Score of a typical row, to which the contributions are added.
    scores : ndarray of shape (n_samples,)
        ``score_samples`` of the rows.
    feature_names : list of str
        Names of the columns of `contributions`.
    diagnostics : dict of str to ndarray of shape (n_samples,)
        Quality measures of the method; see :class:`LimeExplainer`.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.inspection import Explanation
    >>> explanation = Explanation(
    ...     np.array([[-3.0, -1.0]]), np.array([-0.5]), np.array([-4.5]), ["heat", "load"]
    ... )
    >>> explanation.reasons(0)
    [('heat', -3.0), ('load', -1.0)]
    """

    contributions: NDArray[np.float64]
    offset: NDArray[np.float64]
    scores: NDArray[np.float64]
    feature_names: list[str]
    diagnostics: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def residuals(self) -> NDArray[np.float64]:
        """Scores minus offset and contributions, ndarray of shape (n_samples,)."""
        return self.scores - self.offset - self.contributions.sum(axis=1)

    def reasons(self, row: int, n_reasons: int = 3) -> list[tuple[str, float]]:
        """Return the columns that make a row anomalous, the lowest contribution first.

        Parameters
        ----------
        row : int
        n_reasons : int, default=3
            Largest number of columns. Columns that make the row less anomalous are left out.

        Returns
        -------
        list of (str, float)
            Names and contributions.
        """
        parts = self.contributions[row]
        order = np.argsort(parts, kind="stable")[:n_reasons]
        return [(self.feature_names[column], float(parts[column])) for column in order if parts[column] < 0]
