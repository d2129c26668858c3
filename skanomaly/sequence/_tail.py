"""Scores of different units made comparable by their tails."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._ties import count_at_least

__all__ = ["Tail"]


class Tail:
    r"""How far out in the tail of the training scores a score lies.

    :math:`-\log_{10}((1 + \#\{s_i \ge s\}) / (n + 1))`, and beyond the largest training score besides its distance from
    it, in units of that score's distance from the median. Scores that differ by rounding count as equal: a training
    score found again on another processor must not change its rank.
    """

    def fit(self, scores: NDArray[Any]) -> Self:
        """Keep the training scores; large is odd."""
        self._sorted = np.sort(scores).astype(np.float64)
        largest = self._sorted[-1]
        spread = largest - float(np.median(self._sorted))
        self._unit = spread if spread > 0 else max(abs(largest), 1.0)
        return self

    def transform(self, scores: NDArray[Any]) -> NDArray[np.float64]:
        """Place scores in the tail; ascending in the score."""
        n_scores = len(self._sorted)
        n_at_least = count_at_least(self._sorted, scores)
        beyond = np.maximum(scores - self._sorted[-1], 0.0) / self._unit
        return -np.log10((1 + n_at_least) / (n_scores + 1)) + beyond
