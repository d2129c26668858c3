"""Scores of different units, made comparable by their tail probabilities."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._scales import ROUNDING, SafeRange
from skanomaly._support._ties import count_at_least

__all__ = ["Tail"]


class Tail:
    r"""Tail probability of a score among the training scores, on a logarithmic scale.

    :math:`-\log_{10}((1 + \#\{s_i \ge s\}) / (n + 1))`. Above the largest training score that is not extreme, the
    distance to it is added, in units of its distance from the median. Scores that differ only by rounding are ties, so
    that a training score computed again on another processor keeps its rank.
    """

    def fit(self, scores: NDArray[Any]) -> Self:
        """Store the training scores; large is anomalous."""
        self._sorted = np.sort(scores).astype(np.float64)
        extreme = SafeRange(self._sorted[:, None]).above(self._sorted[:, None])[:, 0]
        self._largest = self._sorted[-1] if extreme.all() else self._sorted[~extreme][-1]
        spread = self._largest - float(np.median(self._sorted))
        self._unit = spread if spread > ROUNDING * abs(self._largest) else max(abs(self._largest), 1.0)
        return self

    def transform(self, scores: NDArray[Any]) -> NDArray[np.float64]:
        """Transform scores; the result increases with the score."""
        n_scores = len(self._sorted)
        n_at_least = count_at_least(self._sorted, scores)
        beyond = np.maximum(scores - self._largest, 0.0) / self._unit
        return -np.log10((1 + n_at_least) / (n_scores + 1)) + beyond
