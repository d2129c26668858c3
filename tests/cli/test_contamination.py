import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from skanomaly._cli import _contamination
from skanomaly._cli._contamination import Contamination, estimate_contamination
from skanomaly._cli._print import print_result
from skanomaly._cli._scan import scan
from skanomaly.datasets import make_shifted_anomalies


@pytest.fixture(scope="module")
def embedded():
    return scan(top=1)


def _printed(result):
    stream = io.StringIO()
    print_result(result, Console(file=stream, width=200))
    return " ".join(stream.getvalue().split())


def test_contamination_interval_contains_the_truth(seed):
    X, _ = make_shifted_anomalies(400, 5, shift=8.0, contamination=0.05, random_state=seed)
    estimate = estimate_contamination(X, default=0.1, random_state=seed)
    low, high = estimate.interval
    assert low <= 0.05 <= high
    assert low <= estimate.fraction <= high
    assert estimate.n_rows == 400


@pytest.mark.parametrize(("n_columns", "n_rows"), [(5, 500), (20, 300)])
def test_contamination_rows_are_limited_for_many_columns(monkeypatch, seed, n_columns, n_rows):
    monkeypatch.setattr(_contamination, "_MOST_CELLS", 2500)
    X = np.random.default_rng(seed).normal(size=(600, n_columns))
    assert estimate_contamination(X, default=0.1, random_state=seed).n_rows == n_rows


def test_contamination_of_few_rows_is_the_prior():
    estimate = estimate_contamination(np.arange(10.0)[:, None] ** 2, default=0.1, random_state=0)
    assert estimate.interval is not None
    assert "this is the prior" in estimate.remark


def test_contamination_estimate_is_the_default_threshold(tmp_path, seed):
    X, _ = make_shifted_anomalies(400, 5, shift=8.0, contamination=0.05, random_state=seed)
    pd.DataFrame(X, columns=list("abcde")).to_csv(tmp_path / "t.csv", index=False)
    result = scan(tmp_path / "t.csv", random_state=seed)
    assert result.contamination.interval is not None
    assert result.threshold == np.percentile(result.scores, 100 * result.contamination.fraction)


def test_contamination_given_is_not_estimated(monkeypatch):
    def fail(*_args, **_options):
        raise AssertionError

    monkeypatch.setattr("skanomaly._cli._scan.estimate_contamination", fail)
    assert scan(contamination=0.2, top=1).contamination == Contamination(0.2)


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Contamination(0.2), "contamination 0.2, as given"),
        (Contamination(0.1, remark="could not be estimated: no"), "0.1, the default: it could not be estimated: no"),
        (Contamination(0.0312, (0.0, 0.16), 378), "0.031, estimated; 90 % credible interval 0 to 0.16"),
        (Contamination(0.03, (0.0, 0.16), 100), "estimated, from 100 random rows; 90 % credible"),
        (
            Contamination(0.03, (0.0, 0.2), 378, "this is the prior"),
            "90 % credible interval 0 to 0.2; this is the prior",
        ),
    ],
)
def test_contamination_is_printed_in_one_line(embedded, estimate, words):
    assert words in _printed(dataclasses.replace(embedded, contamination=estimate))


def test_no_anomaly_is_reported(embedded):
    result = dataclasses.replace(embedded, threshold=float(embedded.scores.min()))
    assert "anomalies none of 378 rows" in _printed(result)
