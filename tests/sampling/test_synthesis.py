import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits, make_blobs
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skanomaly._support._columns import to_pandas
from skanomaly.embeddings import TiledDetector
from skanomaly.robust import ZErrorClassifier, ZErrorMask
from skanomaly.sampling import (
    AnomalySynthesizer,
    DiverseOutlierSampler,
    OutlierExposureClassifier,
    SyntheticAnomalyDetector,
)
from skanomaly.sequence import SlidingWindowDetector

KINDS = ["gaussian", "swap", "paste", "blend", "transplant"]


@pytest.fixture
def rows(seed):
    return np.random.default_rng(seed).normal(size=(60, 12))


@pytest.fixture
def sequences(seed):
    return np.random.default_rng(seed).normal(size=(30, 40, 2)).cumsum(axis=1)


def _labels(table):
    return np.where(np.arange(len(table)) < 4, -1, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("table", ["rows", "sequences"])
def test_mask_says_exactly_what_changed(kind, table, rows, sequences):
    X = {"rows": rows, "sequences": sequences}[table]
    made = AnomalySynthesizer(kind=kind, random_state=0).synthesize(X, _labels(X), n_anomalies=50)
    assert made.rows.shape == made.mask.shape == (50, *X.shape[1:])
    assert_array_equal(made.rows[~made.mask], X[made.source][~made.mask])
    assert (made.rows[made.mask] != X[made.source][made.mask]).all()
    assert (made.source >= 4).all()
    assert set(np.unique(made.target)) <= {0.0, 1.0}


@pytest.mark.parametrize("kind", ["swap", "paste", "blend"])
def test_changed_fraction_keeps_to_width(kind, rows, sequences):
    for X in (rows, sequences):
        made = AnomalySynthesizer(kind=kind, width=(0.1, 0.3), random_state=0).synthesize(X, n_anomalies=80)
        changed = made.mask.any(axis=2) if X.ndim == 3 else made.mask
        assert changed.mean(axis=1).max() <= 0.3 + 0.5 / X.shape[1]


def test_swapped_entries_come_from_other_rows(rows):
    made = AnomalySynthesizer(kind="swap", random_state=0).synthesize(rows)
    for values, mask in zip(made.rows, made.mask, strict=True):
        for column in np.flatnonzero(mask):
            assert values[column] in rows[:, column]


def test_soft_targets_grow_with_the_change(rows):
    weak, strong = (
        AnomalySynthesizer(kind="gaussian", strength=s, soft=True, random_state=0).synthesize(rows).target
        for s in (0.1, 2.0)
    )
    assert weak.max() < strong.min()


def test_transplant_without_anomalies_raises(rows):
    with pytest.raises(ValueError, match="transplant"):
        AnomalySynthesizer(kind="transplant").synthesize(rows)


@pytest.mark.parametrize("width", [(0.5, 0.1), (-1, 0.2), (0.1,), "wide"])
def test_impossible_widths_raise(width, rows):
    with pytest.raises(ValueError, match="width"):
        AnomalySynthesizer(width=width).synthesize(rows)


@pytest.mark.parametrize(
    ("anomaly", "normal", "pos_label"),
    [(1, 0, None), (True, False, None), (-1, 1, None), ("fraud", "ok", "fraud"), (0, 1, 0)],
)
def test_made_anomalies_get_the_label_that_y_has_for_them(anomaly, normal, pos_label, rows):
    y = np.where(np.arange(60) < 4, anomaly, normal)
    made, labels = AnomalySynthesizer(pos_label=pos_label, random_state=0).fit_resample(rows, y)
    expected = AnomalySynthesizer(random_state=0).fit_resample(rows, np.where(np.arange(60) < 4, -1, 1))[0]
    assert_array_equal(made, expected)
    assert_array_equal(labels, np.append(y, np.full(56, anomaly)))


def test_resampled_sequences_are_labelled(sequences):
    sampler = AnomalySynthesizer(proportion=0.5, random_state=0)
    made, labels = sampler.fit_resample(sequences, np.ones(30, dtype=int))
    assert made.shape == (45, 40, 2)
    assert_array_equal(labels[30:], -1)
    assert_array_equal(sampler.sample_indices_[30:], -1)


@pytest.mark.parametrize("classifier", [None, ExtraTreesClassifier(50, min_samples_leaf=5)])
def test_detector_finds_rows_off_the_data(classifier, seed):
    random = np.random.default_rng(seed)
    train, normal = random.normal(size=(300, 3)), random.normal(size=(200, 3))
    anomalies = random.normal(size=(40, 3)) + np.array([5, 0, 0])
    detector = SyntheticAnomalyDetector(head=classifier, random_state=seed).fit(train)
    scores = detector.score_samples(np.vstack([normal, anomalies]))
    assert roc_auc_score(np.repeat([1, 0], [200, 40]), scores) > 0.95


@pytest.mark.parametrize("n_columns", [2, 20, 100, 200, 1000])
def test_default_classifier_ranks_tables_of_any_width(n_columns, seed):
    random = np.random.default_rng(seed)
    train, test = random.normal(size=(300, n_columns)), random.normal(size=(200, n_columns))
    test[100:, : max(1, n_columns // 10)] += 3
    detector = SyntheticAnomalyDetector(random_state=seed).fit(train)
    scores = detector.score_samples(test)
    assert roc_auc_score(np.repeat([1, 0], 100), scores) > 0.8
    assert len(np.unique(scores)) == 200
    assert np.mean(detector.predict(test[100:]) == -1) > 0.5


def test_copies_of_outliers_minimise_the_exposure_objective(seed):
    X, y = make_blobs([60, 60, 60, 30], centers=[[0, 0], [4, 0], [0, 4], [5, 5]], random_state=seed)
    labels = np.where(y == 3, -1, y)
    model = OutlierExposureClassifier(LogisticRegression(tol=1e-10, max_iter=5000), weight=0.5).fit(X, labels)
    inside, outside = X[y < 3], X[y == 3]

    def objective(flat):
        weights, bias = flat[:6].reshape(3, 2), flat[6:]

        def logs(rows):
            logits = rows @ weights.T + bias
            return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

        seen = -logs(inside)[np.arange(180), y[y < 3]].sum()
        uniform = -logs(outside).mean(axis=1).sum() * 0.5 * 180 / 30
        return seen + uniform + 0.5 * (weights**2).sum()

    found = minimize(objective, np.zeros(9), method="BFGS", options={"gtol": 1e-7}).x
    assert_allclose(model.estimator_.coef_, found[:6].reshape(3, 2), atol=1e-4)


def test_exposure_lowers_confidence_in_outliers(seed):
    X, y = (every[:900] for every in load_digits(return_X_y=True))
    known = y < 8
    random = np.random.default_rng(seed)
    train = known & (random.random(len(y)) < 0.6)
    shuffled = random.permuted(X[train], axis=0)
    mixed = 0.5 * (X[train][random.permutation(train.sum())] + X[train][random.permutation(train.sum())])
    outliers = np.vstack([shuffled, mixed])
    inner = LogisticRegression(max_iter=2000, tol=1e-3)
    test = ~train
    plain = OutlierExposureClassifier(inner, weight=0).fit(X[train] / 16, y[train])
    exposed = OutlierExposureClassifier(inner).fit(
        np.vstack([X[train], outliers]) / 16, np.concatenate([y[train], np.full(len(outliers), -1)])
    )
    auc = [roc_auc_score(known[test], model.score_samples(X[test] / 16)) for model in (plain, exposed)]
    assert auc[1] > auc[0] - 0.01
    assert_array_equal(exposed.classes_, np.arange(8))


def test_two_classes_alone_are_classes(seed):
    X, y = make_blobs([30, 30], centers=[[0, 0], [4, 0]], random_state=seed)
    assert_array_equal(OutlierExposureClassifier().fit(X, np.where(y, 1, -1)).classes_, [-1, 1])


@pytest.mark.parametrize("model", [OutlierExposureClassifier(), DiverseOutlierSampler()], ids=str)
def test_an_outlier_label_that_y_lacks_warns(model, seed):
    X, y = make_blobs([30, 30], centers=[[0, 0], [4, 0]], random_state=seed)
    with pytest.warns(UserWarning, match=r"-1 is no label of y, which holds \[0, 1\].*pos_label"):
        model.fit(X, y)


def test_chosen_outliers_are_hard_and_diverse(seed):
    random = np.random.default_rng(seed)
    X, y = make_blobs([80, 80], centers=[[-4, 0], [4, 0]], random_state=seed)
    angles = random.uniform(0, 2 * np.pi, 600)
    pool = np.column_stack([np.cos(angles), np.sin(angles)]) * random.uniform(8, 30, size=(600, 1))
    labels = np.concatenate([y, np.full(600, -1)])
    sampler = DiverseOutlierSampler(n_outliers=30, random_state=seed)
    rows, targets = sampler.fit_resample(np.vstack([X, pool]), labels)
    kept = rows[targets == -1]
    assert len(kept) == 30
    directions = np.sort(np.arctan2(kept[:, 1], kept[:, 0]))
    assert np.diff(directions).max() < 1.5
    chosen = sampler.sample_indices_[targets == -1] - 160
    hard = sampler.absent_probabilities_
    assert np.mean(hard[chosen]) < np.mean(hard)


def _mixed(seed, n=120):
    random = np.random.default_rng(seed)
    kind = random.choice(["a", "b", None], n)
    return pd.DataFrame({"amount": random.normal(size=n), "count": random.integers(0, 9, n), "kind": kind})


@pytest.mark.parametrize("frame_of", [pd.DataFrame, pa.Table.from_pandas])
def test_swaps_copy_the_cells_of_mixed_tables(frame_of, seed):
    table = frame_of(_mixed(seed))
    sampler = AnomalySynthesizer(kind="swap", width=(0.3, 0.7), random_state=seed)
    rows, _ = sampler.fit_resample(table, np.ones(120, dtype=int))
    given, made = to_pandas(table), to_pandas(rows)
    assert type(rows) is type(table)
    assert made.dtypes.equals(given.dtypes)
    for name in given:
        assert set(made[name][120:].dropna()) <= set(given[name].dropna())
    before, after = (
        frame.astype(object).where(frame.notna(), "missing").to_numpy()
        for frame in (given.iloc[sampler.sources_], made[120:])
    )
    assert_array_equal(sampler.masks_, before != after)
    assert sampler.masks_.any(axis=0).all()


def test_synthesized_rows_of_a_mixed_frame_are_a_frame(seed):
    frame = _mixed(seed)
    made = AnomalySynthesizer(kind="swap", random_state=seed).synthesize(frame, n_anomalies=7)
    assert made.rows.dtypes.equals(frame.dtypes)
    assert made.mask.shape == made.rows.shape == (7, 3)


def test_a_swap_that_cannot_copy_raises(seed):
    with pytest.raises(ValueError, match=r"strength=1.0 .* column 'kind' holds categories"):
        AnomalySynthesizer(kind="swap", strength=1.0).fit(_mixed(seed), np.ones(120, dtype=int))


@pytest.mark.parametrize("kind", ["gaussian", "paste", "blend"])
def test_kinds_that_compute_name_columns_of_text(kind, seed):
    with pytest.raises(ValueError, match="Not numbers: column 'kind'"):
        AnomalySynthesizer(kind=kind).fit(_mixed(seed), np.ones(120, dtype=int))


def test_exposed_pipelines_may_encode_text_and_impute(seed):
    frame = _mixed(seed)
    frame.loc[3, "amount"] = np.nan
    y = np.where(np.arange(120) < 20, -1, np.arange(120) % 2)
    encode = make_column_transformer((OneHotEncoder(), ["kind"]), (SimpleImputer(), ["amount", "count"]))
    model = OutlierExposureClassifier(make_pipeline(encode, LogisticRegression())).fit(frame, y)
    assert_array_equal(model.classes_, [0, 1])
    assert ((model.score_samples(frame) >= 0.5) & (model.score_samples(frame) <= 1)).all()


def test_weights_reach_the_last_step_of_an_exposed_pipeline(seed):
    X, y = make_blobs([40, 40, 20], centers=[[-2, 0], [2, 0], [0, 5]], random_state=seed)
    labels = np.where(y == 2, -1, y)
    weights = np.random.default_rng(seed).uniform(0.5, 2, 100)
    piped = OutlierExposureClassifier(make_pipeline("passthrough", LogisticRegression()))
    expected = OutlierExposureClassifier().fit(X, labels, sample_weight=weights).predict_proba(X)
    assert_array_equal(piped.fit(X, labels, sample_weight=weights).predict_proba(X), expected)


def test_exposure_trains_a_network(seed):
    X, y = make_blobs([60, 60, 40], centers=[[-4, 0], [4, 0], [0, 9]], random_state=seed)
    everything = ZErrorMask(threshold=np.inf)
    network = ZErrorClassifier(hidden_layer_sizes=(8,), max_iter=40, masking=everything, random_state=seed)
    model = OutlierExposureClassifier(network).fit(X, np.where(y == 2, -1, y))
    inside, outlier = model.score_samples([[-4.0, 0.0], [0.0, 9.0]])
    assert outlier < 0.65 < inside


def test_detector_takes_patches_and_windows(seed):
    random = np.random.default_rng(seed)
    sets = random.normal(size=(60, 6, 3)) @ np.array([[1, 0.9, 0], [0, 0.4, 0], [0, 0, 1]])
    strange = random.normal(size=(30, 6, 3)) @ np.array([[1, 0.9, 0], [0, 0.4, 0], [0, 0, 1]])
    strange[:, 2, 1] += 3.0
    patches = TiledDetector(SyntheticAnomalyDetector(random_state=seed), axis="columns", tiles=1).fit(sets[:30])
    assert np.mean(patches.score_samples(strange)[:, None] < patches.score_samples(sets[30:])) > 0.8
    series = np.sin(np.arange(900) / 4) + 0.05 * random.normal(size=900)
    series[600:610] = 0.0
    pasted = SyntheticAnomalyDetector(synthesizer=AnomalySynthesizer(kind="paste"), random_state=seed)
    detector = SlidingWindowDetector(pasted, window_size=20, stride=2)
    assert 570 < detector.fit(series[:500]).score_samples(series).argmin() < 640
