"""Imputation of arrays from the nearest donors: at once, or column by column in chained rounds."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skanomaly.impute._donors import Donors, donor_weights, map_cells
from skanomaly.impute._draws import uniforms

__all__ = ["Completion", "interval_of"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
# Reduces the values of the donors, shape (n_missing, max_limit), given their numbers, whether the values are codes of
# categories, the positions of the missing values, and the weights of the donors or None.
Reducer = Callable[[Floats, Integers, bool, Integers, Floats | None], Floats]


@dataclass(frozen=True)
class Completion:
    """A fitted imputation of arrays.

    Attributes
    ----------
    donors : Donors
        Training rows.
    limits : ndarray of shape (n_columns,)
        Number of neighbours of each column.
    strategy : {"sample", "mean", "median"}
    joint : bool
        Take all missing values of a row from one donor where enough donors have all of them.
    n_jobs : int or None
    weights : {"uniform", "distance"} or callable
    rounds : tuple of Donors
        The imputed training rows of each chained round.
    """

    donors: Donors
    limits: Integers
    strategy: str
    joint: bool
    n_jobs: int | None
    weights: Any = "uniform"
    rounds: tuple[Donors, ...] = ()

    def with_rounds(self, n_rounds: int, keys: NDArray[np.uint64]) -> Self:
        """Impute the training rows in rounds; round r of new rows uses the donors of round r."""
        values = self.donors.values
        missing = np.isnan(values)
        table = self.impute(values, keys, 0)
        rounds = []
        for turn in range(1, n_rounds + 1):
            for column in np.flatnonzero(missing.any(axis=0)):
                self._impute_column(table, missing, column, self.donors.completed(table), keys, (0, turn))
            rounds.append(self.donors.completed(table))
        return replace(self, rounds=tuple(rounds))

    def resampled(self, random: np.random.Generator) -> Self:
        """Resample the training rows with replacement: the approximate Bayesian bootstrap."""
        n_donors = len(self.donors.values)
        rows = random.integers(n_donors, size=n_donors)
        return replace(self, donors=self.donors.take(rows), rounds=tuple(donors.take(rows) for donors in self.rounds))

    def impute(self, values: Floats, keys: NDArray[np.uint64], imputation: int) -> Floats:
        """Return an imputed copy of `values`; a column that no donor has stays missing.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_columns)
        keys : ndarray of shape (n_rows,), uint64
            Random key of each row; used by the strategy "sample" only.
        imputation : int
            Number of the imputation, of several.
        """
        missing = np.isnan(values) & self.donors.observed.any(axis=1)
        table = values.copy()
        short = missing
        if self.strategy == "sample" and self.joint:
            short = missing & ~self._impute_jointly(table, missing, keys, imputation)[:, None]
        rows, columns = np.nonzero(short)
        if rows.size:
            reducer = self._reducer(keys[rows], columns, (imputation, 0))
            table[rows, columns] = self._reduce(reducer, self.donors, values, rows, columns)
        for turn, donors in enumerate(self.rounds, start=1):
            for column in np.flatnonzero(missing.any(axis=0)):
                self._impute_column(table, missing, column, donors, keys, (imputation, turn))
        return table

    def reduce_donors(self, values: Floats, keys: NDArray[np.uint64], reducer: Reducer, width: int) -> Floats:
        """Reduce the values of the donors of every missing value; the result is NaN where no value is missing.

        Returns
        -------
        ndarray of shape (n_rows, n_columns, width)
        """
        missing = np.isnan(values) & self.donors.observed.any(axis=1)
        result = np.full((*values.shape, width), np.nan)
        if not self.rounds:
            rows, columns = np.nonzero(missing)
            if rows.size:
                result[rows, columns] = self._reduce(reducer, self.donors, values, rows, columns)
            return result
        table = self.impute(values, keys, 0)
        for column in np.flatnonzero(missing.any(axis=0)):
            rows = np.flatnonzero(missing[:, column])
            result[rows, column] = self._reduce_column(reducer, self.rounds[-1], table, rows, column)
        return result

    def _impute_jointly(
        self, table: Floats, missing: NDArray[np.bool_], keys: NDArray[np.uint64], imputation: int
    ) -> NDArray[np.bool_]:
        """Copy the missing values of each row from one random donor; return which rows had enough such donors."""
        done = np.zeros(len(table), dtype=bool)
        rows = np.flatnonzero(missing.any(axis=1))
        if rows.size == 0:
            return done
        draws = uniforms(keys[rows], imputation, 0, 0)
        limits = np.where(missing[rows], self.limits, np.iinfo(np.intp).max).min(axis=1)
        has_all = np.flatnonzero(self.donors.observed.all(axis=0))

        def block(cells: slice, found: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
            picks = np.minimum((draws[cells] * counts).astype(np.intp), np.maximum(counts - 1, 0))
            some = np.flatnonzero(counts > 0)
            given = self._weights(self.donors, table[rows[cells][some]], found[some], counts[some])
            if given is not None:
                picks[some] = _drawn(given, draws[cells][some])
            donor = found[np.arange(len(found)), picks]
            return np.where((counts > 0) & (counts >= limits[cells]), donor, -1)

        cells = np.arange(rows.size)
        joint = np.full(rows.size, -1)
        parts = map_cells(block, self.donors, table[rows], cells, joint, limits, n_jobs=self.n_jobs)
        donor = np.concatenate(parts)
        # A row without any value is equally near to all: it gets a complete row.
        blank = np.isnan(table[rows]).all(axis=1)
        if has_all.size:
            donor[blank] = has_all[(draws[blank] * has_all.size).astype(np.intp)]
        taken = donor >= 0
        chosen, lacking = rows[taken], missing[rows[taken]]
        table[chosen] = np.where(lacking, self.donors.values[donor[taken]], table[chosen])
        done[chosen] = True
        return done

    def _impute_column(
        self,
        table: Floats,
        missing: NDArray[np.bool_],
        column: np.intp,
        donors: Donors,
        keys: NDArray[np.uint64],
        counters: tuple[int, int],
    ) -> None:
        """Impute one column again, given the other imputed columns."""
        rows = np.flatnonzero(missing[:, column])
        reducer = self._reducer(keys[rows], np.full(rows.size, column), counters)
        table[rows, column] = self._reduce_column(reducer, donors, table, rows, column)

    def _reduce_column(
        self, reducer: Reducer, donors: Donors, table: Floats, rows: Integers, column: np.intp
    ) -> Floats:
        queries = table[rows]
        queries[:, column] = np.nan
        return self._reduce(reducer, donors, queries, np.arange(rows.size), np.full(rows.size, column))

    def _reduce(self, reducer: Reducer, donors: Donors, queries: Floats, rows: Integers, columns: Integers) -> Floats:
        """Reduce the values of the donors; a missing value without neighbours has every donor of its column."""
        used = np.unique(rows)
        places, asked = np.searchsorted(used, rows), queries[used]
        categorical = donors.categorical

        def block(cells: slice, found: NDArray[np.int64], counts: NDArray[np.int64]) -> Floats:
            names = columns[cells]
            which = np.arange(cells.start, cells.stop)
            parts, order = [], []
            for coded in (False, True):
                group = np.flatnonzero((counts > 0) & (categorical[names] == coded))
                if group.size:
                    given = donors.values[found[group], names[group, None]]
                    weights = self._weights(donors, asked[places[cells][group]], found[group], counts[group])
                    parts.append(reducer(given, counts[group], coded, which[group], weights))
                    order.append(group)
            for column in np.unique(names[counts == 0]):
                group = np.flatnonzero((counts == 0) & (names == column))
                given = donors.values[:, column]
                given = given[~np.isnan(given)]
                size = np.full(group.size, given.size)
                given = np.broadcast_to(given, (group.size, given.size))
                parts.append(reducer(given, size, bool(categorical[column]), which[group], None))
                order.append(group)
            return np.concatenate(parts)[np.argsort(np.concatenate(order))]

        limits = self.limits[columns]
        return np.concatenate(map_cells(block, donors, asked, places, columns, limits, n_jobs=self.n_jobs))

    def _weights(
        self, donors: Donors, queries: Floats, found: NDArray[np.int64], counts: NDArray[np.int64]
    ) -> Floats | None:
        if isinstance(self.weights, str) and self.weights == "uniform":
            return None
        return donor_weights(self.weights, donors, queries, found, counts)

    def _reducer(self, keys: NDArray[np.uint64], columns: Integers, counters: tuple[int, int]) -> Reducer:
        if self.strategy == "sample":
            draws = uniforms(keys, *counters, columns + 1)

            def pick(given: Floats, counts: Integers, coded: bool, cells: Integers, weights: Floats | None) -> Floats:
                del coded
                if weights is not None:
                    place = _drawn(weights, draws[cells])
                else:
                    place = np.minimum((draws[cells] * counts).astype(np.intp), counts - 1)
                return given[np.arange(len(given)), place]

            return pick
        return _mean if self.strategy == "mean" else _median


def _beyond(given: Floats, counts: Integers) -> NDArray[np.bool_]:
    """Mark the places beyond the number of donors."""
    return np.arange(given.shape[1]) >= counts[:, None]


def _drawn(weights: Floats, draws: Floats) -> Integers:
    """Return the place of one donor per row, with probabilities proportional to the weights."""
    reached = np.cumsum(weights, axis=1)
    last = weights.shape[1] - 1 - (weights[:, ::-1] > 0).argmax(axis=1)
    return np.minimum((reached <= (draws * reached[:, -1])[:, None]).sum(axis=1), last)


def _mean(given: Floats, counts: Integers, coded: bool, cells: Integers, weights: Floats | None) -> Floats:
    if coded:
        return _mode(given, counts, weights)
    del cells
    if weights is not None:
        present = np.where(weights > 0, given, 0.0)
        return np.asarray((present * weights).sum(axis=1) / weights.sum(axis=1))
    return np.where(_beyond(given, counts), 0.0, given).sum(axis=1) / counts


def _median(given: Floats, counts: Integers, coded: bool, cells: Integers, weights: Floats | None) -> Floats:
    if coded:
        return _mode(given, counts, weights)
    del cells
    if weights is not None:  # the smallest value that at least half of the weight reaches
        order = np.argsort(np.where(weights > 0, given, np.inf), axis=1)
        reached = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
        place = (reached < 0.5 * reached[:, -1:] * (1 - 1e-12)).sum(axis=1)
        return np.take_along_axis(given, order, axis=1)[np.arange(len(given)), place]
    ordered = np.sort(np.where(_beyond(given, counts), np.inf, given), axis=1)
    row = np.arange(len(given))
    return (ordered[row, (counts - 1) // 2] + ordered[row, counts // 2]) / 2


def _mode(given: Floats, counts: Integers, weights: Floats | None) -> Floats:
    """Return the most frequent code, of several the smallest."""
    codes = np.where(_beyond(given, counts), -1, given).astype(np.intp)
    each = np.ones(codes.shape) if weights is None else weights
    frequency = np.array([((codes == code) * each).sum(axis=1) for code in range(codes.max() + 1)])
    return frequency.argmax(axis=0).astype(np.float64)


def interval_of(level: float) -> Reducer:
    """Return the reducer to lower end, upper end and level: ranks q (k + 1), interpolated, clipped to 1 and k."""

    def interval(given: Floats, counts: Integers, coded: bool, cells: Integers, weights: Floats | None) -> Floats:
        del cells, weights
        if coded:
            return np.full((len(given), 3), np.nan)
        ordered = np.sort(np.where(_beyond(given, counts), np.inf, given), axis=1)
        row = np.arange(len(given))
        ends = []
        for fraction in ((1 - level) / 2, (1 + level) / 2):
            rank = np.clip(fraction * (counts + 1), 1, counts) - 1
            below = np.floor(rank).astype(np.intp)
            above = np.minimum(below + 1, counts - 1)
            start = ordered[row, below]
            ends.append(start + (rank - below) * (ordered[row, above] - start))
        reached = np.minimum(level, (counts - 1) / (counts + 1))
        return np.column_stack([*ends, reached])

    return interval
