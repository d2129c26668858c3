import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.metrics import average_precision_score, roc_auc_score

from skanomaly import detectors
from skanomaly._cli import _detectors
from skanomaly._cli._detectors import build_detector, detector_names
from skanomaly._cli._errors import InputError
from skanomaly._cli._scan import Progress, scan
from skanomaly.datasets import make_shifted_anomalies


@pytest.fixture
def table(tmp_path, seed):
    """Write 300 rows, ten of them shifted by twenty standard deviations in the column c0."""
    X, y = make_shifted_anomalies(300, 5, shift=20.0, contamination=1 / 30, random_state=seed)
    frame = pd.DataFrame(X, columns=[f"c{index}" for index in range(5)]).assign(fault=(y == -1).astype(int))
    frame.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def test_scan_ranks_by_ascending_score(table):
    result = scan(table, label="fault")
    assert result.scores.shape == (300,)
    np.testing.assert_array_equal(np.sort(result.ranks), np.arange(1, 301))
    np.testing.assert_array_equal(result.top, np.argsort(result.scores, kind="stable")[:10])
    np.testing.assert_array_equal(result.ranks[result.top], np.arange(1, 11))


def test_scan_finds_the_anomalous_rows_and_their_column(table):
    result = scan(table, label="fault")
    assert (result.labels[result.top] == -1).all()
    assert all(reasons[0].column == "c0" and reasons[0].above for reasons in result.reasons)


def test_scan_reason_has_the_value(table):
    result = scan(table, label="fault", top=3)
    frame = pd.read_csv(table)
    for row, reasons in zip(result.top, result.reasons, strict=True):
        for reason in reasons:
            assert reason.value == pytest.approx(frame.loc[row, reason.column])


def test_scan_reason_below_the_median_is_not_above(tmp_path, seed):
    frame = pd.DataFrame({"a": np.random.default_rng(seed).normal(size=100)})
    frame.loc[17, "a"] = -50.0
    frame.to_csv(tmp_path / "t.csv", index=False)
    result = scan(tmp_path / "t.csv", top=1)
    assert result.top[0] == 17
    assert not result.reasons[0][0].above


def test_scan_reason_shows_infinity(tmp_path, seed):
    frame = pd.DataFrame({"a": np.random.default_rng(seed).normal(size=100)})
    frame.loc[[17, 18], "a"] = np.inf, 25.0
    frame.to_csv(tmp_path / "t.csv", index=False)
    explained = scan(tmp_path / "t.csv", top=10).explained
    assert [explained[row][0].value for row in (17, 18)] == [np.inf, 25.0]


@pytest.mark.parametrize("contamination", [0.02, 0.2, 0.5])
def test_scan_flags_the_given_fraction(table, contamination):
    result = scan(table, label="fault", contamination=contamination)
    assert (result.flags == -1).sum() == round(300 * contamination)
    np.testing.assert_array_equal(result.flags == -1, result.scores < result.threshold)


def test_scan_evaluates_like_scikit_learn(table):
    result = scan(table, label="fault")
    fault = pd.read_csv(table)["fault"]
    assert result.evaluation.auroc == roc_auc_score(fault, -result.scores)
    assert result.evaluation.average_precision == average_precision_score(fault, -result.scores)
    assert result.evaluation.n_anomalies == 10


def test_scan_evaluates_labelled_rows_only(table):
    frame = pd.read_csv(table)
    labels = np.where(frame["fault"] == 1, -1, 1)
    labels[::2] = 0
    frame.assign(fault=labels).to_csv(table, index=False)
    result = scan(table, label="fault")
    kept = labels != 0
    assert result.evaluation.n_labelled == 150
    assert result.evaluation.auroc == roc_auc_score(labels[kept] == -1, -result.scores[kept])


def test_scan_label_does_not_change_scores(table):
    with_label = scan(table, label="fault")
    pd.read_csv(table).drop(columns="fault").to_csv(table, index=False)
    np.testing.assert_allclose(with_label.scores, scan(table).scores, rtol=1e-12)


def test_scan_same_seed_same_scores(table, seed):
    first, second, other = (scan(table, random_state=state).scores for state in (seed, seed, seed + 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_scan_blocks_give_the_scores_of_one_batch(table, monkeypatch):
    whole = scan(table).scores
    monkeypatch.setattr("skanomaly._cli._scan._BLOCK_ROWS", 37)
    np.testing.assert_allclose(scan(table).scores, whole, rtol=1e-12)


@pytest.mark.parametrize("name", detector_names())
def test_scan_works_with_every_detector(table, name):
    result = scan(table, detector=name.upper(), label="fault", top=3)
    assert result.detector == name
    assert np.isfinite(result.scores).all()
    assert len(result.reasons) == 3


def test_detector_names_are_those_of_the_module():
    concrete = {
        name
        for name in detectors.__all__
        if not inspect.isabstract(getattr(detectors, name)) and hasattr(getattr(detectors, name), "score_samples")
    }
    assert set(detector_names()) <= concrete | {"IsolationForest"}
    assert {"IsolationForest", "RandomProjectionDepth"} <= set(detector_names())
    assert detector_names()[0] == "AnomalyDetector"


def test_detector_gets_seed_and_threads():
    detector = build_detector("IsolationForest", random_state=7, n_jobs=2)
    assert (detector.random_state, detector.n_jobs) == (7, 2)


@pytest.mark.parametrize(
    ("name", "words"), [("IsolatonForest", "Did you mean IsolationForest"), ("zz", "Available detectors: ")]
)
def test_unknown_detector_is_named(name, words):
    with pytest.raises(InputError, match=words):
        scan(detector=name)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"contamination": 0.0}, "--contamination is 0"),
        ({"contamination": 0.6}, "--contamination is 0.6"),
        ({"contamination": float("nan")}, "--contamination is nan"),
        ({"top": 0}, "--top is 0"),
        ({"random_state": -1}, "--random-state is -1"),
    ],
)
def test_scan_bad_option_is_named_before_the_file_is_read(options, words):
    with pytest.raises(InputError, match=words):
        scan("nowhere.csv", **options)


def test_scan_detector_that_fails_is_one_line(table, monkeypatch):
    class Refusing(BaseEstimator):
        def fit(self, X):
            raise ValueError("no,\nnever")

    monkeypatch.setattr(_detectors, "_classes", lambda _: {"Refusing": Refusing})
    with pytest.raises(InputError, match=r"^Refusing cannot score this table: no, never$"):
        scan(table, detector="refusing")


def test_scan_detector_without_scores_is_named(table, monkeypatch):
    class Silent(BaseEstimator):
        def fit(self, X):
            return self

        def score_samples(self, X):
            return np.full(len(X), np.nan)

    monkeypatch.setattr(_detectors, "_classes", lambda _: {"Silent": Silent})
    with pytest.raises(InputError, match="gave no score for 300 rows"):
        scan(table, detector="silent")


def test_scan_uses_the_contributions_of_the_detector(table, monkeypatch):
    class Knowing(BaseEstimator):
        def fit(self, X):
            return self

        def score_samples(self, X):
            return -np.abs(X[:, 0])

        def feature_contributions(self, X):
            return np.tile([-1.0, -2.0, -4.0, 0.0, 0.5], (len(X), 1))

    monkeypatch.setattr(_detectors, "_classes", lambda _: {"Knowing": Knowing})
    result = scan(table, detector="knowing", label="fault", top=2)
    assert [[reason.column for reason in reasons] for reasons in result.reasons] == [["c2", "c1"]] * 2
    assert "Knowing.feature_contributions" in result.reasons_origin


def test_scan_reports_its_stages(table):
    class Listening(Progress):
        def __init__(self):
            self.received = []

        def stage(self, name):
            self.received.append(name)

        def advance(self, fraction):
            assert 0 <= fraction <= 1

    progress = Listening()
    scan(table, progress=progress)
    assert progress.received[:2] == ["Reading", "Preparing columns"]
    assert "Scoring rows" in progress.received


def test_scan_default_is_the_embedded_table():
    result = scan()
    assert (result.n_rows, result.n_columns) == (378, 30)
    assert result.evaluation.auroc > 0.9


@pytest.mark.parametrize(
    "name",
    [
        "cardio",
        "mammography",
        pytest.param("InternetAds", marks=pytest.mark.slow),  # 1,555 columns take a minute
        "shuttle",
        "breastw",
        "satellite",
    ],
)
def test_scan_works_on_real_tables(shared_data, name, tmp_path):
    path = shared_data / "tables" / f"{name}.npz"
    stored = np.load(path)
    result = scan(path, label="y")
    assert result.n_rows == len(stored["X"])
    assert result.evaluation.n_anomalies == stored["y"].sum()
    frame = pd.DataFrame(stored["X"], columns=[f"x{index}" for index in range(stored["X"].shape[1])])
    frame.assign(y=stored["y"]).to_csv(tmp_path / "t.csv", index=False)
    np.testing.assert_allclose(scan(tmp_path / "t.csv", label="y").scores, result.scores, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "auroc"), [("cardio", 0.9), ("mammography", 0.8), ("shuttle", 0.97), ("breastw", 0.97)]
)
def test_scan_default_detector_separates_real_anomalies(shared_data, name, auroc, seed):
    result = scan(shared_data / "tables" / f"{name}.npz", label="y", random_state=seed)
    assert result.evaluation.auroc > auroc
