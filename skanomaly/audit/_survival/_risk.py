"""Weighted log-rank statistics of many labellings of the same durations."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["WEIGHTS", "RiskTable", "nelson_aalen"]

# Weights by the event times at which they are large. "peto" uses the survival just after an event, the others before.
WEIGHTS = ("log_rank", "gehan", "tarone_ware", "peto", "early", "late", "middle")
_CELLS_AT_ONCE = 2_000_000


class RiskTable:
    """Rows at risk and events at each distinct event time, for labellings of the rows that come later.

    Parameters
    ----------
    durations : ndarray of shape (n_samples,), float
    observed : ndarray of shape (n_samples,), bool
        Whether the duration ended with an event. Others are censored: they are at risk up to their duration, included.

    Attributes
    ----------
    times : ndarray of shape (n_times,), float
        Distinct event times, ascending.
    at_risk, events : ndarray of shape (n_times,), float64
    """

    def __init__(self, durations: NDArray[Any], observed: NDArray[np.bool_]) -> None:
        self.order = np.argsort(durations, kind="stable")
        ascending, happened = durations[self.order], observed[self.order]
        self.times = np.unique(ascending[happened])
        self._first = np.searchsorted(ascending, self.times, side="left")
        self._last = np.searchsorted(ascending, self.times, side="right")
        self._happened = happened
        totals = np.append(0, np.cumsum(happened))
        self.at_risk = (durations.size - self._first).astype(np.float64)
        self.events = (totals[self._last] - totals[self._first]).astype(np.float64)

    def weights(self) -> NDArray[np.float64]:
        """Return the weights of ``WEIGHTS`` at the event times, of shape (n_weights, n_times)."""
        after = np.cumprod(1 - self.events / self.at_risk)
        before = np.append(1.0, after[:-1]) if after.size else after
        peto = np.cumprod(1 - self.events / (self.at_risk + 1))
        rows = [np.ones(before.size), self.at_risk, np.sqrt(self.at_risk), peto, before, 1 - before]
        return np.array([*rows, before * (1 - before)])

    def differences(self, members: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return observed less expected events of the members, and their hypergeometric variances, at each time.

        Parameters
        ----------
        members : ndarray of shape (n_labellings, n_samples), bool

        Returns
        -------
        differences, variances : ndarray of shape (n_labellings, n_times)
        """
        sorted_members = members[:, self.order].astype(np.float64)
        zero = np.zeros((len(members), 1))
        counts = np.hstack([zero, np.cumsum(sorted_members, axis=1)])
        happened = np.hstack([zero, np.cumsum(sorted_members * self._happened, axis=1)])
        fraction = (counts[:, -1:] - counts[:, self._first]) / self.at_risk
        found = happened[:, self._last] - happened[:, self._first]
        rest = (self.at_risk - self.events) / np.maximum(self.at_risk - 1, 1)
        return found - self.events * fraction, self.events * rest * fraction * (1 - fraction)

    def statistics(self, members: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return standardised weighted differences, and the largest standardised cumulative difference.

        Parameters
        ----------
        members : ndarray of shape (n_labellings, n_samples), bool

        Returns
        -------
        z : ndarray of shape (n_labellings, n_weights)
            Positive where the members have more events than expected. 0 where nothing can vary.
        supremum : ndarray of shape (n_labellings,)
            Largest absolute cumulative log-rank sum over its final standard deviation.
        """
        weights = self.weights()
        z, supremum = np.zeros((len(members), len(weights))), np.zeros(len(members))
        at_once = max(1, _CELLS_AT_ONCE // max(members.shape[1], 1))
        for start in range(0, len(members), at_once):
            block = slice(start, start + at_once)
            differences, variances = self.differences(members[block])
            z[block] = _ratio(differences @ weights.T, np.sqrt(variances @ (weights**2).T))
            cumulative = np.abs(np.cumsum(differences, axis=1)).max(axis=1, initial=0.0)
            supremum[block] = _ratio(cumulative, np.sqrt(variances.sum(axis=1)))
        return z, supremum

    def correlation(self, members: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the correlation matrix of the weighted statistics under the null hypothesis."""
        variances = self.differences(members[None])[1][0]
        weights = self.weights()
        products = (weights * variances) @ weights.T
        units = np.sqrt(np.diag(products))
        return np.where(np.eye(len(units), dtype=bool), 1.0, _ratio(products, units[:, None] * units))


def nelson_aalen(
    table: RiskTable, durations: NDArray[Any], observed: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the cumulative hazard of all rows of a table at some durations.

    Parameters
    ----------
    table : RiskTable
    durations : ndarray of shape (n_durations,)
    observed : ndarray of shape (n_durations,), bool, default=None
        Given for the rows of the table themselves: each is then left out of its own hazard.

    Returns
    -------
    ndarray of shape (n_durations,)
    """
    fewer = 0 if observed is None else 1
    at_risk = table.at_risk - fewer
    steps = np.append(0.0, np.cumsum(_ratio(table.events, at_risk)))
    place = np.searchsorted(table.times, durations, side="right")
    hazard = steps[place]
    if observed is not None and table.times.size:
        own = _ratio(np.ones(at_risk.size), at_risk)[np.maximum(place - 1, 0)]
        hazard = hazard - np.where(observed, own, 0.0)
    return hazard


def _ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom > 1e-12)
