"""Order statistics, medians and MADs of tables in chunks, beside sorting."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skanomaly._support import _chunk_medians, _selection
from skanomaly._support._chunk_medians import medians, medians_and_mads
from skanomaly._support._chunks import RowSample
from skanomaly._support._selection import order_statistics, weighted_brackets
from tests.reference import order_statistics as reference

DATA = {
    "normal": lambda random, size: random.normal(size=size),
    "heavy": lambda random, size: random.standard_cauchy(size),
    "skewed": lambda random, size: random.exponential(size=size),
    "offset": lambda random, size: 1e7 + random.normal(size=size),
    "half": lambda random, size: (random.random(size) < 0.5).astype(float),
    "tied": lambda random, size: np.where(random.random(size) < 0.6, 0.25, random.normal(size=size)),
    "whole": lambda random, size: random.integers(-5, 5, size).astype(float),
    "constant": lambda random, size: np.full(size, 3.5),  # noqa: ARG005  # one signature for all
    "huge": lambda random, size: random.normal(size=size) * 1e300,
    "tiny": lambda random, size: random.normal(size=size) * 1e-310,
    "zeros": lambda random, size: random.choice([-1.0, -0.0, 0.0, 1.0], size),
    "lumps": lambda random, size: random.choice([-9.0, 9.0], size) + random.normal(size=size),
}


class _Table:
    """Rows in three chunks, and a sample of them."""

    def __init__(self, rows, sample):
        self.dtype = rows.dtype
        self.sample = RowSample(sample, np.ones(len(sample)), is_complete=False)
        self._parts = np.split(rows, [len(rows) // 5, len(rows) // 2])
        self.n_passes = 0

    def reduce(self, function, merge, *arguments):
        self.n_passes += 1
        first, second, third = (function(part, None, *arguments) for part in self._parts)
        return merge(third, merge(first, second))


def _lines(rows, _normal, places):
    return np.ascontiguousarray(rows[:, places].T)


def _table(name, seed, dtype, n_rows=3000, n_lines=4):
    random = np.random.default_rng(seed)
    with np.errstate(over="ignore"):
        rows = DATA[name](random, (n_rows, n_lines)).astype(dtype)
    rows[~np.isfinite(rows)] = 0
    return _Table(rows, rows[random.permutation(n_rows)[:300]]), rows.T


@pytest.fixture(params=["collected at once", "counted first", "counted often"])
def capacity(request, monkeypatch):
    if request.param != "collected at once":
        most = {"counted first": 1000, "counted often": 20}[request.param]
        monkeypatch.setattr(_chunk_medians, "MOST_COLLECTED", most)
        monkeypatch.setattr(_selection, "MOST_COLLECTED", most)
        monkeypatch.setattr(_selection, "_FEWEST_COLLECTED", most // 4)
        monkeypatch.setattr(_selection, "_N_BINS", 16)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", DATA)
@pytest.mark.usefixtures("capacity")
def test_medians_and_mads_are_those_of_sorted_lines(name, dtype, seed):
    table, lines = _table(name, seed, dtype)
    locations, mads = medians_and_mads(table, _lines, (), 4, lines.shape[1])
    expected = reference.median_and_mad(lines)
    assert_array_equal(locations, expected[0])
    assert_array_equal(mads, expected[1])
    assert locations.dtype == mads.dtype == dtype


@pytest.mark.parametrize("wrong", ["shifted", "narrow", "constant", "tight", "wide", "two values"])
@pytest.mark.usefixtures("capacity")
def test_a_misleading_sample_changes_no_bit(wrong, seed):
    table, lines = _table("skewed", seed, np.float64)
    rows = lines.T[:200]
    sample = {
        "shifted": rows + 3,
        "narrow": 0.69 + rows / 1e6,
        "constant": np.ones((200, 4)),
        "tight": 0.69 + (rows - 0.69) / 10,
        "wide": 0.69 + (rows - 0.69) * 10,
        "two values": np.where(np.arange(200)[:, None] < 120, 0.65, np.full((200, 4), 1.3)),
    }[wrong]
    misled = _Table(lines.T, sample)
    found = medians_and_mads(misled, _lines, (), 4, lines.shape[1])
    assert_array_equal(found, medians_and_mads(table, _lines, (), 4, lines.shape[1]))


@pytest.mark.usefixtures("capacity")
def test_a_line_alone_has_the_median_of_the_line_among_others(seed):
    table, lines = _table("normal", seed, np.float64)
    assert_array_equal(medians(table, _lines, (), np.array([2, 3]), 3000), reference.medians(lines[2:]))


@pytest.mark.parametrize("name", DATA)
@pytest.mark.usefixtures("capacity")
def test_ranks_are_those_of_sorted_lines(name, seed):
    table, lines = _table(name, seed, np.float64)
    line, first, last = np.array([1, 0, 1, 3]), np.array([0, 1400, 50, 2990]), np.array([0, 1600, 50, 2999])
    guess = weighted_brackets(table.sample.rows.T[line], table.sample.weights, first, last, 3000)
    found = order_statistics(table, _lines, (), line, first, last, *guess)
    for values, place, start, stop in zip(found, line, first, last, strict=True):
        assert_array_equal(values, np.sort(lines[place])[start : stop + 1])


def test_passes_of_few_and_of_many_values(monkeypatch):
    table, _ = _table("normal", 0, np.float32, 60_000, 16)
    medians_and_mads(table, _lines, (), 16, 60_000)
    assert table.n_passes == 1
    monkeypatch.setattr(_chunk_medians, "MOST_COLLECTED", 20_000)
    medians_and_mads(table, _lines, (), 16, 60_000)
    assert table.n_passes == 3


def test_brackets_of_weighted_samples_are_those_of_repeated_ones(seed):
    random = np.random.default_rng(seed)
    values, weights = random.normal(size=(3, 400)), random.integers(1, 3, 400).astype(float)
    values[1, ::7] = np.nan
    values[2] = np.nan
    first, last = np.array([3000, 3000, 0]), np.array([3001, 3001, 0])
    low, high, expected = weighted_brackets(values, weights, first, last, 10_000)
    fraction = [
        np.average((values[row] <= end)[~np.isnan(values[row])], weights=weights[~np.isnan(values[row])])
        for row in (0, 1)
        for end in (low[row], high[row])
    ]
    assert fraction[0] < 0.3 < fraction[1]
    assert fraction[2] < 0.3 < fraction[3]
    assert 0.1 * 20_000 < expected < 0.5 * 20_000
    assert (low[2], high[2]) == (0, 0)
