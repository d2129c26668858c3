import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from skanomaly._cli import _drift
from skanomaly._cli._drift import DriftResult, check_drift
from skanomaly._cli._print import print_result
from skanomaly._cli._report import report_page
from skanomaly._cli._scan import scan
from skanomaly.datasets import make_drifting_series


def _printed(result):
    stream = io.StringIO()
    print_result(result, Console(file=stream, width=80))
    return " ".join(stream.getvalue().split())


@pytest.mark.parametrize("n_rows", [60, 600])
def test_drift_is_significant_and_located(n_rows, seed):
    rows, _ = make_drifting_series(n_rows, 3, size=6.0, contamination=0.0, random_state=seed)
    result = check_drift(rows, random_state=seed, n_jobs=None)
    assert result.significant
    assert abs(result.change_point - n_rows // 2) <= 0.05 * n_rows


@pytest.mark.parametrize("n_rows", [60, 600])
def test_drift_pvalue_of_independent_rows_is_not_tiny(n_rows, seed):
    rows = np.random.default_rng(seed).normal(size=(n_rows, 3))
    result = check_drift(rows, random_state=seed, n_jobs=None)
    assert result.pvalue > 1e-4  # 100 seeds fail with probability 1 %
    assert result.significant == (result.pvalue <= 0.05)


def test_drift_is_not_tested_on_few_rows():
    result = check_drift(np.eye(10), random_state=0, n_jobs=None)
    assert result.pvalue is None
    assert not result.significant


def test_drift_queries_are_limited(monkeypatch, seed):
    monkeypatch.setattr(_drift, "_MOST_QUERIES", 150)
    rows, _ = make_drifting_series(600, 3, size=6.0, contamination=0.0, random_state=seed)
    result = check_drift(rows, random_state=seed, n_jobs=None)
    assert result.n_queries == 150
    assert result.significant


def test_drift_of_a_table_is_printed(tmp_path, seed):
    rows, _ = make_drifting_series(400, 3, size=6.0, contamination=0.0, random_state=seed)
    pd.DataFrame(rows, columns=["a", "b", "c"]).to_csv(tmp_path / "t.csv", index=False)
    scanned = scan(tmp_path / "t.csv", random_state=seed)
    assert scanned.drift.significant
    assert f"the most likely change point is row {scanned.drift.change_point}" in _printed(scanned)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (DriftResult(0.21, None, 378), "drift not significant (p = 0.21): no evidence that rows close in order"),
        (
            DriftResult(0.004, 7, 378),
            "rows close in order are more similar than chance; the most likely change point is row 7",
        ),
        (
            DriftResult(0.004, None, 378),
            "significant (p = 0.004): rows close in order are more similar than chance; no single change point",
        ),
        (DriftResult(1e-300, 7, 378), "(p < 1e-15):"),
        (DriftResult(0.5, None, 100), "(p = 0.5, from 100 random rows):"),
        (DriftResult(None, remark="not tested, fewer than 20 rows"), "drift not tested, fewer than 20 rows"),
    ],
)
def test_drift_is_printed_in_one_sentence(result, words):
    assert words in _printed(dataclasses.replace(scan(top=1), drift=result))


def test_a_change_point_is_marked_only_where_the_drift_is_significant():
    seen = set()
    for seed in range(30):
        rows = np.random.default_rng(seed).normal(size=(60, 1))
        result = check_drift(rows, random_state=0, n_jobs=None)
        assert result.significant or result.change_point is None
        seen.add(result.significant)
    assert seen == {True, False}


@pytest.mark.parametrize(("change_point", "marked"), [(None, False), (7, True)])
def test_the_report_marks_the_change_point_that_its_summary_names(change_point, marked):
    drift = DriftResult(0.004 if marked else 0.07, change_point, 378, scan=np.arange(377.0))
    page = report_page(dataclasses.replace(scan(top=1), drift=drift))
    picture = page[page.index(">Drift</h2>") :]
    assert ("row 7" in picture) == marked
    assert ("The highest peak is not significant" in picture) == (not marked)
