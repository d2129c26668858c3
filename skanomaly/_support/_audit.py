"""Fractions of anomalies from a few checked rows: strata of scores, their rates, and which rows to check next.

Rows are ordered from the most to the least anomalous and cut into strata. Given the contamination and the shape of the
ROC curve, each stratum has an expected rate of anomalies; its own rate follows a Beta distribution around that. Checked
rows update all of it in closed form: each pair of contamination and shape is weighed by a beta-binomial likelihood, and
the number of anomalies among the unchecked rows has known moments for each pair.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln

from skanomaly._support._results import ShortRepr
from skanomaly._support._ties import count_above

__all__ = [
    "GRID",
    "AuditSuggestion",
    "CheckedRows",
    "ProbabilityCurve",
    "RatePosterior",
    "count_checked",
    "default_masses",
    "inclusion_probabilities",
    "stratum_edges",
    "suggest_rows",
    "systematic_sample",
    "wide_masses",
]

# Contaminations of a posterior on a grid: 0, and the middles of these cells.
GRID = np.r_[0.0, np.geomspace(2.5e-4, 1.0, 64)]

_STRATA = (0.025, 0.1, 0.3, 1.0)  # fractions of the rows, from the most anomalous
# Exponents of ROC curves; above 1, normal rows score as more anomalous than anomalies.
_SHAPES = (2.0, 1.4, 1.0, 0.6, 0.35, 0.2, 0.1, 0.05)
_STEEP_SHAPES = (0.02, 0.005)  # for metrics of the top ranks
_COUPLING = 20.0  # rows that the expected rate of a stratum counts for
_LEAST_WEIGHT = 1e-5
_RANKS = np.r_[0.0, np.geomspace(1e-6, 1.0, 401)]
_CELLS = np.r_[0.0, np.geomspace(2e-4, 1.0, 120)]
Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class AuditSuggestion(ShortRepr):
    """Rows to check next.

    ``indices`` are positions of rows; ``probabilities`` are the probabilities with which they were drawn, each within
    its stratum of scores. Both are empty where nothing needs to be checked.
    """

    indices: NDArray[np.intp]
    probabilities: Floats

    def __len__(self) -> int:
        return len(self.indices)


@dataclass(frozen=True)
class CheckedRows:
    """Checked rows by stratum: how many, how many anomalies, and the same as they count in a likelihood."""

    edges: NDArray[np.intp]  # ranks at which the strata begin, and the number of rows
    n_checked: NDArray[np.intp]
    n_anomalies: NDArray[np.intp]
    weight: Floats
    anomaly_weight: Floats

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Number of rows of each stratum."""
        return np.diff(self.edges)


def wide_masses() -> Floats:
    """Return a wide prior on ``GRID``: 0 with probability 0.05, otherwise a Beta(0.7, 7) distribution."""
    return np.r_[0.05, 0.95 * np.diff(betainc(0.7, 7.0, GRID))]


def default_masses() -> Floats:
    """Return the default ``ContaminationPrior`` on ``GRID``."""
    a, b, upper = 0.5301213957, 10.0723065183, 0.5
    below = betainc(a, b, np.minimum(GRID, upper)) / betainc(a, b, upper)
    return np.r_[0.1, 0.9 * np.diff(below)]


def stratum_edges(n_rows: int, extra: Any = ()) -> NDArray[np.intp]:
    """Return the ranks at which the strata begin, with 0 and the number of rows; `extra` adds ranks."""
    wanted = np.round(np.array(_STRATA) * n_rows).astype(np.intp)
    edges: NDArray[np.intp] = np.unique(np.r_[0, np.clip(wanted, 1, n_rows), np.asarray(extra, dtype=np.intp)])
    return edges


def count_checked(
    edges: NDArray[np.intp], ordered: NDArray[np.int8], probabilities: Floats | None = None
) -> CheckedRows:
    """Count the checked rows of each stratum.

    Parameters
    ----------
    edges : ndarray of shape (n_strata + 1,)
    ordered : ndarray of shape (n_samples,), int8
        Labels from the most anomalous row down: +1 normal, -1 anomaly, 0 not checked.
    probabilities : ndarray of shape (n_samples,) or None, default=None
        Probability with which each row was chosen, in the same order; only ratios within a stratum matter. None means
        that it is the same for all rows of a stratum.

    Returns
    -------
    CheckedRows
        With unequal probabilities, the checked rows of a stratum count for their effective number, the squared sum of
        the inverse probabilities divided by the sum of their squares.
    """
    checked, anomaly = ordered != 0, ordered == -1

    def summed(values: NDArray[Any]) -> NDArray[Any]:
        return np.add.reduceat(values, edges[:-1])

    n_checked, n_anomalies = summed(checked.astype(np.intp)), summed(anomaly.astype(np.intp))
    if probabilities is None:
        return CheckedRows(edges, n_checked, n_anomalies, n_checked.astype(float), n_anomalies.astype(float))
    inverse = np.where(checked, 1.0 / np.where(checked, probabilities, 1.0), 0.0)
    total = summed(inverse)
    safe = np.where(total > 0, total, 1.0)
    weight = np.where(total > 0, total**2 / np.where(total > 0, summed(inverse**2), 1.0), 0.0)
    return CheckedRows(edges, n_checked, n_anomalies, weight, weight * summed(inverse * anomaly) / safe)


class RatePosterior:
    """Posterior of the rate of anomalies in each stratum.

    Parameters
    ----------
    masses : ndarray of shape (n_points,)
        Prior probabilities of the contamination 0 and of the cells of ``GRID``.
    checked : CheckedRows
    steep : bool, default=False
        Whether nearly perfect ROC curves are possible, too.

    Attributes
    ----------
    weights : ndarray of shape (n_pairs,)
        Posterior probability of each pair of contamination and shape.
    a, b : ndarray of shape (n_pairs, n_strata)
        Parameters of the Beta distribution of each rate.
    """

    def __init__(self, masses: Floats, checked: CheckedRows, *, steep: bool = False) -> None:
        self.checked = checked
        shapes = np.array([*_SHAPES, *_STEEP_SHAPES] if steep else _SHAPES)
        points = np.r_[0.0, 0.5 * (GRID[1:] + GRID[:-1])]
        n_rows = int(checked.edges[-1])
        self._points = np.repeat(points, len(shapes))
        self._shapes = np.tile(shapes, len(points))
        expected = self._expected(checked.edges / n_rows)
        a, b = _COUPLING * expected, _COUPLING * (1.0 - expected)
        normal_weight = checked.weight - checked.anomaly_weight
        log_likelihood = (betaln(a + checked.anomaly_weight, b + normal_weight) - betaln(a, b)).sum(axis=1)
        log_weights = np.log(np.repeat(np.maximum(masses, 1e-300), len(shapes))) + log_likelihood
        weights = np.exp(log_weights - log_weights.max())
        weights /= weights.sum()
        kept = weights > _LEAST_WEIGHT
        self.weights = weights[kept] / weights[kept].sum()
        self._points, self._shapes, self._prior_rates = self._points[kept], self._shapes[kept], expected[kept]
        self.a, self.b = a[kept] + checked.anomaly_weight, b[kept] + normal_weight

    def _expected(self, fractions: Floats) -> Floats:
        """Return the expected rate of each pair between successive rank fractions."""
        widths = np.diff(fractions)
        rates = np.empty((len(self._points), len(widths)))
        curves = {shape: _RANKS**shape for shape in np.unique(self._shapes).tolist()}
        for pair, (point, shape) in enumerate(zip(self._points, self._shapes.tolist(), strict=True)):
            found = point * curves[shape]
            rates[pair] = np.diff(np.interp(fractions, (1.0 - point) * _RANKS + found, found)) / widths
        return np.clip(rates, 1e-6, 1.0 - 1e-6)

    def rates(self) -> Floats:
        """Return the posterior mean of each stratum's rate."""
        return self.weights @ (self.a / (self.a + self.b))

    def doubt(self, rate: float) -> Floats:
        """Return for each stratum the probability that its rate lies on the other side of `rate` than its mean.

        Parameters
        ----------
        rate : float
            In (0, 1).

        Returns
        -------
        ndarray of shape (n_strata,)
        """
        below = self.weights @ betainc(self.a, self.b, rate)
        return np.where(self.rates() < rate, 1.0 - below, below)

    def rate_curve(self, fractions: Floats) -> Floats:
        """Return the mean rate between successive rank fractions, which does not increase.

        Parameters
        ----------
        fractions : ndarray of shape (n_cells + 1,)
            Ascending from 0 to 1.

        Returns
        -------
        ndarray of shape (n_cells,)
        """
        from sklearn.isotonic import isotonic_regression

        curve = self.weights @ self._profiles(fractions, self.a / (self.a + self.b))
        smooth = isotonic_regression(curve, sample_weight=np.diff(fractions), increasing=False)
        return np.asarray(np.clip(smooth, 0.0, 1.0))  # but for rounding it is in this range

    def _profiles(self, fractions: Floats, rates: Floats, pairs: Any = slice(None)) -> Floats:
        """Return for each pair the rates of fine cells: its curve, with the rate of each stratum."""
        edges = self.checked.edges / self.checked.edges[-1]
        middles = 0.5 * (fractions[1:] + fractions[:-1])
        stratum = np.clip(np.searchsorted(edges, middles, side="right") - 1, 0, len(edges) - 2)
        fine = self._expected(fractions)[pairs]
        return np.clip(fine * (rates / self._prior_rates[pairs])[:, stratum], 0.0, 1.0)

    def sampled(self, fractions: Floats, n_draws: int, generator: np.random.Generator) -> Floats:
        """Draw the rates of fine cells.

        Returns
        -------
        ndarray of shape (n_draws, n_cells)
        """
        pairs = generator.choice(len(self.weights), n_draws, p=self.weights)
        return self._profiles(fractions, generator.beta(self.a[pairs], self.b[pairs]), pairs)

    def total(self) -> tuple[Floats, Floats, float]:
        """Return the distribution of the fraction of anomalies among all rows.

        Returns
        -------
        edges : ndarray of shape (n_cells + 1,)
            From 0.
        masses : ndarray of shape (n_cells,)
            Probability of each cell.
        p_zero : float
            Probability that there is no anomaly.
        """
        n_rows = int(self.checked.edges[-1])
        left = self.checked.sizes - self.checked.n_checked
        n_left, n_known = int(left.sum()), int(self.checked.n_anomalies.sum())
        known = n_known / n_rows
        if n_left == 0:
            none, some = 1.0, np.zeros(len(_CELLS) - 1)
        else:
            total = self.a + self.b
            rate = self.a / total
            mean = rate @ left
            variance = (left * rate * (1.0 - rate) * (total + left) / (total + 1.0)).sum(axis=1)
            p_none = np.exp((betaln(self.a, self.b + left) - betaln(self.a, self.b)).sum(axis=1))
            positive = np.maximum(1.0 - p_none, 1e-12)
            first = np.clip(mean / positive / n_left, 1e-9, 1.0 - 1e-9)
            spread = (variance + mean**2) / positive / n_left**2 - first**2
            spread = np.clip(spread, 1e-12, 0.999 * first * (1.0 - first))
            size = first * (1.0 - first) / spread - 1.0
            below = betainc((first * size)[:, None], ((1.0 - first) * size)[:, None], _CELLS)
            some = np.maximum(np.diff((self.weights * (1.0 - p_none)) @ below), 0.0)
            none = float(self.weights @ p_none)
        cells = known + _CELLS * n_left / n_rows
        if n_known == 0:
            return (cells, some + 1e-300, none) if n_left else (_CELLS, some + 1e-300, 1.0)
        # At least the known anomalies: the probability that there is no other lies just below their fraction.
        edges = np.r_[0.0, known * (1.0 - 1e-6), known, cells[1:] if n_left else 1.0 + known]
        masses = np.r_[1e-300, none, some + 1e-300] if n_left else np.r_[1e-300, 1.0, 1e-300]
        return edges, masses, 0.0

    def allocate(self, n: int, influence: Floats | None = None) -> NDArray[np.intp]:
        """Return how many unchecked rows of each stratum to check next.

        Parameters
        ----------
        n : int
            Number of rows, at most the number that is not checked.
        influence : ndarray of shape (n_strata,) or None, default=None
            How much one anomaly more in the stratum changes what is estimated; None is the same for all.

        Returns
        -------
        ndarray of shape (n_strata,)
            One row at a time goes where it reduces the variance most (Neyman's allocation).
        """
        rate = self.a / (self.a + self.b)
        spread = self.weights @ (rate * (1.0 - rate))
        if influence is not None:
            spread = spread * influence**2
        added = np.zeros(len(spread), dtype=np.intp)
        for _ in range(n):
            done = self.checked.n_checked + added
            left = self.checked.sizes - done
            gain = np.where(left > 0, left**2.0 * spread / ((done + 1.0) * (done + 2.0)), -1.0)
            added[int(gain.argmax())] += 1
        return added


def suggest_rows(
    order: NDArray[np.intp],
    labels: NDArray[np.int8],
    edges: NDArray[np.intp],
    added: NDArray[np.intp],
    generator: np.random.Generator,
) -> AuditSuggestion:
    """Draw unchecked rows at random within the strata.

    Parameters
    ----------
    order : ndarray of shape (n_samples,)
        Positions of the rows, from the most anomalous.
    labels : ndarray of shape (n_samples,)
        By position; 0 is not checked.
    edges : ndarray of shape (n_strata + 1,)
    added : ndarray of shape (n_strata,)
        Number of rows to draw from each.
    generator : numpy.random.Generator

    Returns
    -------
    AuditSuggestion
    """
    indices, probabilities = [], []
    for start, stop, count in zip(edges[:-1], edges[1:], added, strict=True):
        left = order[start:stop][labels[order[start:stop]] == 0]
        indices.append(generator.choice(left, count, replace=False) if count else left[:0])
        probabilities.append(np.full(count, count / max(len(left), 1)))
    return AuditSuggestion(np.concatenate(indices), np.concatenate(probabilities))


def inclusion_probabilities(size: Floats, n: int) -> Floats:
    """Return probabilities of inclusion proportional to a size, at most 1, with the sum `n`.

    Parameters
    ----------
    size : ndarray of shape (n_rows,)
        Positive.
    n : int
        From 1 to the number of rows.

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    certain = np.zeros(len(size), dtype=bool)
    while True:
        wanted = n - int(certain.sum())
        included = np.where(certain, 1.0, size * (wanted / max(float(size[~certain].sum()), 1e-300)))
        above = ~certain & (included >= 1.0)
        if not above.any():
            return included
        certain |= above


def systematic_sample(included: Floats, generator: np.random.Generator) -> NDArray[np.intp]:
    """Draw positions with exact probabilities of inclusion, by systematic sampling in a random order.

    Parameters
    ----------
    included : ndarray of shape (n_rows,)
        Probabilities, whose sum is the whole number of positions that are drawn.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of intp, ascending
    """
    order = generator.permutation(len(included))
    ends = np.cumsum(included[order])
    n = round(float(ends[-1]))
    ends[-1] = n
    points = generator.random() + np.arange(n)
    return np.sort(order[np.searchsorted(ends, points, side="right")])


class ProbabilityCurve:
    """Probability of being an anomaly by the rank of a score among stored scores.

    Parameters
    ----------
    outlyingness : ndarray of shape (n_samples,)
        Of the stored rows, large is anomalous, without NaN.
    labels : ndarray of shape (n_samples,), int8
        +1 normal, -1 anomaly, 0 not checked; checked rows count as drawn at random among rows of similar score.
    masses : ndarray or None, default=None
        Prior of the contamination on ``GRID``; None is the default prior, averaged with the wide one where rows are
        checked.
    """

    def __init__(self, outlyingness: Floats, labels: NDArray[np.int8], masses: Floats | None = None) -> None:
        order = np.argsort(-outlyingness, kind="stable")
        self._ascending = outlyingness[order][::-1].copy()
        n_rows = len(order)
        if masses is None:
            masses = 0.5 * (default_masses() + wide_masses()) if labels.any() else default_masses()
        posterior = RatePosterior(masses, count_checked(stratum_edges(n_rows), labels[order]))
        cells = np.unique(np.r_[0.0, np.geomspace(1.0 / n_rows, 1.0, 60)])
        self._places, self._curve = 0.5 * (cells[1:] + cells[:-1]), posterior.rate_curve(cells)

    def __call__(self, outlyingness: Floats) -> Floats:
        """Return the probability of each score; NaN where the score is."""
        scored = ~np.isnan(outlyingness)
        above = count_above(self._ascending, np.where(scored, outlyingness, 0.0)) / len(self._ascending)
        return np.where(scored, np.interp(above, self._places, self._curve), np.nan)
