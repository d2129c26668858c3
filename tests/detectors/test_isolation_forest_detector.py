import io
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import spearmanr
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from skanomaly._support._seeds import child_generators
from skanomaly.detectors import AnomalyDetector, IsolationForestDetector
from tests.reference import isolation_forest as reference


def _mixed(seed, n_rows=2000):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "amount": random.lognormal(size=n_rows),
            "shop": random.choice(["north", "south", "east"], size=n_rows),
            "note": np.where(random.random(n_rows) < 0.3, None, "seen"),
            "sensor": np.where(random.random(n_rows) < 0.1, np.nan, random.normal(size=n_rows)),
        }
    )


def _cloud(seed, n_rows=400, n_columns=4):
    return np.random.default_rng(seed).normal(size=(n_rows, n_columns))


def test_score_is_the_mean_path_length_over_the_expected_one_less_one(seed):
    X = _cloud(seed, 90, 3).astype(np.float32).astype(np.float64)
    detector = IsolationForestDetector(n_estimators=5, max_samples=32, random_state=seed).fit(X)
    lengths = np.zeros(len(X))
    for rng in child_generators(seed, 5):
        drawn = rng.choice(len(X), 32, replace=False)
        nodes = reference.grow(X[drawn], np.arange(32), np.zeros(3, dtype=bool), rng, 5)
        lengths += [reference.path_length(nodes, row) / 5 for row in X]
    assert_allclose(detector.score_samples(X), lengths / reference.average_path_length(32) - 1, atol=1e-6)


def test_scores_rank_rows_as_scikit_learns_do(seed):
    X = _cloud(seed, 1000)
    X[:20] *= 4
    peer = IsolationForest(n_estimators=300, random_state=seed).fit(X)
    ours = IsolationForestDetector(n_estimators=300, random_state=seed).fit(X)
    assert spearmanr(peer.score_samples(X), ours.score_samples(X)).statistic > 0.97
    assert_allclose(-(2.0 ** -(ours.score_samples(X) + 1)), peer.score_samples(X), atol=0.05)


def test_threshold_of_theory_is_that_of_the_expected_path(seed):
    detector = IsolationForestDetector(random_state=seed).fit(_cloud(seed))
    assert detector.offset_ == 0
    assert detector.predict([[9.0, 9.0, 9.0, 9.0], [0.0, 0.0, 0.0, 0.0]]).tolist() == [-1, 1]


@pytest.mark.parametrize(("max_samples", "expected"), [(256, 100), (40, 40), (0.25, 25), (1.0, 100), (0.001, 2)])
def test_rows_per_tree_follow_max_samples(max_samples, expected):
    detector = IsolationForestDetector(n_estimators=2, max_samples=max_samples).fit(_cloud(0, 100))
    assert detector.max_samples_ == expected
    assert np.isfinite(detector.score_samples(_cloud(1))).all()


def test_contributions_of_mixed_rows_sum_to_the_score(seed):
    table = _mixed(seed)
    detector = IsolationForestDetector(random_state=seed).fit(table)
    assert_allclose(detector.feature_contributions(table).sum(axis=1), detector.score_samples(table), atol=1e-12)


def test_planted_number_level_and_missing_value_are_found_and_their_columns_named_first(seed):
    table = _mixed(seed, 4000)
    table.loc[0, "sensor"] = 40.0
    table.loc[1, "shop"] = "moon"
    table.loc[2, "amount"] = np.nan
    # All rows in each tree: a tree that lacks the level cannot part it.
    detector = IsolationForestDetector(max_samples=1.0, random_state=seed).fit(table)
    places = detector.score_samples(table).argsort().argsort()
    assert (places[:3] < 200).all()
    first = detector.feature_contributions(table[:3]).argmin(axis=1)
    assert table.columns[first].tolist() == ["sensor", "shop", "amount"]


def test_all_text_frames_and_unseen_levels_are_scored(seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"a": random.choice(list("xyz"), size=300), "b": random.choice(list("uv"), size=300)})
    detector = IsolationForestDetector(n_estimators=20, random_state=seed).fit(table)
    assert np.isfinite(detector.score_samples(pd.DataFrame({"a": ["new", None], "b": ["u", "new"]}))).all()


def test_first_trees_of_a_larger_forest_are_those_of_a_smaller_one(seed):
    X = _cloud(seed)
    small, large = (IsolationForestDetector(n_estimators=n, random_state=seed).fit(X) for n in (10, 20))
    assert_array_equal(large._lows[:10], small._lows)


def test_float32_rows_score_as_the_same_rows_in_float64(seed):
    X = _cloud(seed).astype(np.float32)
    detector = IsolationForestDetector(n_estimators=20, random_state=seed)
    single = detector.fit(X).score_samples(X)
    assert_array_equal(detector.fit(X.astype(np.float64)).score_samples(X.astype(np.float64)), single)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_score_does_not_depend_on_missing_values_of_other_rows(dtype, seed):
    X = _cloud(seed).astype(dtype)
    detector = IsolationForestDetector(n_estimators=20, random_state=seed).fit(X)
    beside = np.concatenate([X, np.full((1, X.shape[1]), np.nan, dtype=dtype)])
    assert_array_equal(detector.score_samples(beside)[:-1], detector.score_samples(X))


def test_time_stamps_that_are_equal_in_float32_are_distinguished(seed):
    stamps = 1.7e9 + np.random.default_rng(seed).uniform(size=(300, 1))
    stamps[0] += 2.5
    assert IsolationForestDetector(random_state=seed).fit(stamps).score_samples(stamps).argmin() == 0


@pytest.mark.parametrize("huge", [1e30, 1.7e308, -1.7e308])
def test_one_huge_value_is_found_and_hides_no_other(seed, huge):
    X = _cloud(seed)
    X[0, 0] = huge
    X[1, 1:] = 8.0
    scores = IsolationForestDetector(n_estimators=300, max_samples=1.0, random_state=seed).fit(X).score_samples(X)
    assert set(scores.argsort()[:2]) == {0, 1}


def test_scores_of_a_row_do_not_depend_on_the_batch(seed):
    X = _cloud(seed, 1500)
    detector = IsolationForestDetector(n_estimators=20, random_state=seed).fit(X[:300])
    alone = [detector.score_samples(X[row : row + 1])[0] for row in range(0, 1500, 101)]
    assert_array_equal(detector.score_samples(X)[::101], alone)


def test_rows_labelled_as_anomalies_are_left_out_of_training(seed):
    X = _cloud(seed)
    y = np.where(np.arange(len(X)) < 40, -1, 0)
    expected = IsolationForestDetector(n_estimators=10, random_state=seed).fit(X[40:]).score_samples(X)
    assert_array_equal(IsolationForestDetector(n_estimators=10, random_state=seed).fit(X, y).score_samples(X), expected)


def test_too_few_rows_that_are_not_anomalies_raise():
    with pytest.raises(ValueError, match="y leaves 1 rows"):
        IsolationForestDetector().fit(np.zeros((3, 1)), [-1, -1, 1])


@pytest.mark.parametrize("frame", [True, False], ids=["frame", "array"])
def test_stored_forests_score_mixed_rows_alike(frame):
    skops = pytest.importorskip("skops.io")
    table = _mixed(0, 300) if frame else _mixed(0, 300).to_numpy(dtype=object)
    detector = IsolationForestDetector(n_estimators=5, random_state=0).fit(table)
    expected = detector.score_samples(table)
    assert_array_equal(pickle.loads(pickle.dumps(detector)).score_samples(table), expected)  # noqa: S301  # our own
    store = io.BytesIO()
    skops.dump(detector, store)
    loaded = skops.loads(store.getvalue(), trusted=skops.get_untrusted_types(data=store.getvalue()))
    assert_array_equal(loaded.score_samples(table), expected)


@pytest.mark.parametrize("shape", [(30, 1000), (30_000, 2)])
def test_wide_and_tall_tables_are_scored(seed, shape):
    rows = _cloud(seed, *shape)
    rows[0] += 20
    scores = IsolationForestDetector(random_state=seed).fit(rows).score_samples(rows)
    assert (scores < scores[0]).mean() < 0.01


@pytest.mark.slow
def test_ranking_quality_on_tables_is_scikit_learns(shared_data):
    differences = []
    for path in sorted((shared_data / "tables").glob("*.npz")):
        with np.load(path) as stored:
            X, y = stored["X"].astype(float), stored["y"]
        chosen = np.random.default_rng(0).permutation(len(X))[:2000]
        X, y = X[chosen], y[chosen]
        if 0 < y.sum() < len(y):
            ours, peer = (
                [roc_auc_score(y, -detector(random_state=seed).fit(X).score_samples(X)) for seed in range(3)]
                for detector in (IsolationForestDetector, IsolationForest)
            )
            differences.append(np.mean(ours) - np.mean(peer))
    assert np.mean(differences) > -0.01


@pytest.mark.parametrize("constant", [7.0, np.nan, "a"])
def test_columns_that_do_not_vary_are_named(constant, seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"x": random.normal(size=60), "y": random.normal(size=60), "z": constant})
    with pytest.warns(UserWarning, match="Column 'z' does not vary in the training data: later changes are not seen"):
        IsolationForestDetector(n_estimators=2, random_state=seed).fit(table)
    table.loc[0, "z"] = None if constant == "a" else 8.0
    IsolationForestDetector(n_estimators=2, random_state=seed).fit(table)


def test_a_member_that_sees_no_change_of_a_constant_column_does_not_warn(seed):
    X = np.column_stack([np.random.default_rng(seed).normal(size=(60, 2)), np.full(60, 7.0)])
    detector = AnomalyDetector(n_estimators=2, random_state=seed).fit(X)
    assert detector.score_samples([[0.0, 0.0, 1e6]]) < detector.score_samples([[0.0, 0.0, 7.0]])
