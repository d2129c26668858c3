import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from skanomaly._cli import _drift
from skanomaly._cli._drift import DriftVerdict, drift_verdict
from skanomaly._cli._print import print_result
from skanomaly._cli._scan import scan
from skanomaly.datasets import make_drifting_series


def _printed(result):
    stream = io.StringIO()
    print_result(result, Console(file=stream, width=80))
    return " ".join(stream.getvalue().split())


@pytest.mark.parametrize("n_rows", [60, 600])
def test_drift_fires_and_says_where(n_rows, seed):
    rows, _ = make_drifting_series(n_rows, 3, size=6.0, contamination=0.0, random_state=seed)
    verdict = drift_verdict(rows, random_state=seed, n_jobs=None)
    assert verdict.fired
    assert abs(verdict.change_point - n_rows // 2) <= 0.05 * n_rows


@pytest.mark.parametrize("n_rows", [60, 600])
def test_drift_pvalue_of_independent_rows_is_not_tiny(n_rows, seed):
    rows = np.random.default_rng(seed).normal(size=(n_rows, 3))
    verdict = drift_verdict(rows, random_state=seed, n_jobs=None)
    assert verdict.pvalue > 1e-4  # each seed of a hundred passes but for one chance in a hundred
    assert verdict.fired == (verdict.pvalue <= 0.05)


def test_drift_is_not_tested_on_few_rows():
    verdict = drift_verdict(np.eye(10), random_state=0, n_jobs=None)
    assert verdict.pvalue is None
    assert not verdict.fired


def test_drift_queries_are_bounded(monkeypatch, seed):
    monkeypatch.setattr(_drift, "_MOST_QUERIES", 150)
    rows, _ = make_drifting_series(600, 3, size=6.0, contamination=0.0, random_state=seed)
    verdict = drift_verdict(rows, random_state=seed, n_jobs=None)
    assert verdict.n_queries == 150
    assert verdict.fired


def test_drift_of_a_table_is_in_its_scan(tmp_path, seed):
    rows, _ = make_drifting_series(400, 3, size=6.0, contamination=0.0, random_state=seed)
    pd.DataFrame(rows, columns=["a", "b", "c"]).to_csv(tmp_path / "t.csv", index=False)
    result = scan(tmp_path / "t.csv", random_state=seed)
    assert result.drift.fired
    assert f"the likeliest change is at row {result.drift.change_point}" in _printed(result)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (DriftVerdict(0.21, None, 378), "drift none seen (p = 0.21): the order of the rows says nothing about them"),
        (
            DriftVerdict(0.004, 7, 378),
            "drift yes (p = 0.004): rows near each other are alike; the likeliest change is at row 7",
        ),
        (
            DriftVerdict(0.004, None, 378),
            "(p = 0.004): rows near each other are alike; no single moment of change stands out",
        ),
        (DriftVerdict(1e-300, 7, 378), "(p < 1e-15):"),
        (DriftVerdict(0.5, None, 100), "(p = 0.5, from 100 rows drawn at random):"),
        (DriftVerdict(None, remark="not tested below 20 rows"), "drift not tested below 20 rows"),
    ],
)
def test_drift_verdict_is_one_sentence(verdict, words):
    assert words in _printed(dataclasses.replace(scan(top=1), drift=verdict))
