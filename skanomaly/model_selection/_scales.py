"""The scale of one detector's scores, learnt from its training scores."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["ScoreScale"]

_SAME = 1e-9


class ScoreScale:
    """Puts scores on common ground: as a share of training rows, and in units of their spread.

    Parameters
    ----------
    training : ndarray of shape (n_samples,)
        Outlyingness of the training rows.

    Notes
    -----
    The share of training rows above a score is interpolated between training scores, so that rounding, which differs
    with the number of rows scored at once, changes it as little as it changes the score; training scores that differ by
    rounding only share one value. Above the largest training score it falls exponentially, at the rate of the upper
    tenth of the training scores, so that rows odder than all training rows keep their order.
    """

    def __init__(self, training: NDArray[np.float64]) -> None:
        ordered = np.sort(training)
        n_rows = ordered.size
        self.center = float(np.median(ordered))
        deviations = np.abs(ordered - self.center)
        spreads = (float(np.median(deviations)), float(deviations.mean()), 1.0)
        self.spread = next(spread for spread in spreads if spread > 0)
        same = _SAME * max(float(ordered[-1] - ordered[0]), 1e-3 * float(np.abs(ordered).max()))
        starts = np.flatnonzero(np.concatenate([[True], np.diff(ordered) > same]))
        ends = np.append(starts[1:], n_rows)
        above = 1.0 - ((starts + ends) / 2 + 0.5) / (n_rows + 1)
        margin = same / 1000
        self._knots = np.column_stack([ordered[starts] - margin, ordered[ends - 1] + margin]).ravel()
        self._above = np.repeat(above, 2)
        tail = ordered[ordered >= np.percentile(ordered, 90)]
        excess = float((tail - tail[0]).mean())
        self._decay = excess if excess > 0 else self.spread

    @classmethod
    def of_columns(cls, scores: NDArray[np.float64]) -> list[Self]:
        """Learn one scale a column.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_detectors)

        Returns
        -------
        list of ScoreScale
        """
        return [cls(column) for column in scores.T]

    def log_share_above(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the logarithm of the share of training rows that are odder.

        Parameters
        ----------
        scores : ndarray of shape (n_rows,)

        Returns
        -------
        ndarray of shape (n_rows,)
            Below 0, finite.
        """
        beyond = np.maximum(scores - self._knots[-1], 0.0) / self._decay
        logarithm: NDArray[np.float64] = np.log(np.interp(scores, self._knots, self._above)) - beyond
        return logarithm

    def share_below(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of training rows that are less odd.

        Parameters
        ----------
        scores : ndarray of shape (n_rows,)

        Returns
        -------
        ndarray of shape (n_rows,)
            In [0, 1].
        """
        return -np.expm1(self.log_share_above(scores))

    def standardised(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distance from the training median in median absolute deviations.

        Parameters
        ----------
        scores : ndarray of shape (n_rows,)

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        return (scores - self.center) / self.spread
