"""The scale of one detector's scores, estimated from its training scores."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._scales import ROUNDING

__all__ = ["ScoreScale"]

_SAME = 1e-9


class ScoreScale:
    """Rescales scores: to the fraction of training rows below them, and to units of the median absolute deviation.

    Parameters
    ----------
    training : ndarray of shape (n_samples,)
        Outlyingness of the training rows.

    Notes
    -----
    The fraction of training rows above a score is interpolated between training scores. Rounding differs with the
    number of rows scored at once; interpolation changes the fraction as little as rounding changes the score, and
    training scores that differ by rounding only get one value. Above the largest training score the fraction falls
    exponentially, at the rate of the upper tenth of the training scores, so that rows more anomalous than all training
    rows keep their order.
    """

    def __init__(self, training: NDArray[np.float64]) -> None:
        ordered = np.sort(training)
        n_rows = ordered.size
        self.center = float(np.median(ordered))
        distances = np.abs(ordered - self.center)
        scales = (float(np.median(distances)), float(distances.mean()))
        self.scale = next((scale for scale in scales if scale > ROUNDING * abs(self.center)), 1.0)
        same = _SAME * max(float(ordered[-1] - ordered[0]), 1e-3 * float(np.abs(ordered).max()))
        starts = np.flatnonzero(np.concatenate([[True], np.diff(ordered) > same]))
        ends = np.append(starts[1:], n_rows)
        above = 1.0 - ((starts + ends) / 2 + 0.5) / (n_rows + 1)
        margin = same / 1000
        self._knots = np.column_stack([ordered[starts] - margin, ordered[ends - 1] + margin]).ravel()
        self._above = np.repeat(above, 2)
        tail = ordered[ordered >= np.percentile(ordered, 90)]
        excess = float((tail - tail[0]).mean())
        self._decay = excess if excess > ROUNDING * float(np.abs(tail).max()) else self.scale

    @classmethod
    def of_columns(cls, scores: NDArray[np.float64]) -> list[Self]:
        """Estimate one scale per column.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_detectors)

        Returns
        -------
        list of ScoreScale
        """
        return [cls(column) for column in scores.T]

    def log_fraction_above(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the logarithm of the fraction of training rows that are more anomalous.

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

    def fraction_below(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fraction of training rows that are less anomalous.

        Parameters
        ----------
        scores : ndarray of shape (n_rows,)

        Returns
        -------
        ndarray of shape (n_rows,)
            In [0, 1].
        """
        return -np.expm1(self.log_fraction_above(scores))

    def standardised(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distance from the training median in units of the median absolute deviation.

        Parameters
        ----------
        scores : ndarray of shape (n_rows,)

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        return (scores - self.center) / self.scale
