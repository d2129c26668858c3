import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skanomaly.detectors import MultiscaleNeighborsDetector
from tests.reference.mixed_distances import block_means, distances

NUMBERS = [False, False, False]


def _cloud(seed, n_rows=120, n_columns=3):
    return np.random.default_rng(seed).normal(size=(n_rows, n_columns)) + 5


def _coarse(**parameters):
    return MultiscaleNeighborsDetector(scales="coarse", random_state=0, **parameters)


def test_coarse_score_is_the_mean_over_blocks_of_the_mean_distance_to_the_nearest(seed):
    X, Q = _cloud(seed), _cloud(seed + 1, 20)
    detector = _coarse(max_samples=100, block_size=30, n_neighbors=7).fit(X)
    expected = block_means(distances(Q, detector.bank_, NUMBERS), detector.block_edges_, 7)
    assert_allclose(-detector.score_samples(Q), expected, rtol=1e-10)


def test_blocks_are_of_almost_equal_size_and_at_least_block_size(seed):
    detector = _coarse(max_samples=100, block_size=30).fit(_cloud(seed))
    assert_array_equal(np.diff(detector.block_edges_), [33, 33, 34])
    assert len(_coarse(block_size=500).fit(_cloud(seed)).block_edges_) == 2


@pytest.mark.parametrize(("block_size", "expected"), [(10, 9), (2, 1), (1000, 20)])
def test_no_more_neighbours_than_a_block_holds_beside_the_row(seed, block_size, expected):
    assert _coarse(block_size=block_size).fit(_cloud(seed)).n_neighbors_ == expected


def test_one_identical_row_of_the_bank_is_left_out(seed):
    X = _cloud(seed)
    X = np.vstack([X, X[:1]])
    detector = _coarse(block_size=40, n_neighbors=5).fit(X)
    table = distances(X, detector.bank_, NUMBERS)
    for row in table:
        row[np.flatnonzero(row == 0)[0]] = np.inf
    assert_allclose(-detector.score_samples(X), block_means(table, detector.block_edges_, 5), rtol=1e-10)


def test_score_is_the_larger_of_two_standardised_distances(seed):
    X, Q = _cloud(seed), _cloud(seed + 1, 40) * [1, 1, 2]
    detector = MultiscaleNeighborsDetector(block_size=40, n_neighbors=5, random_state=0).fit(X)
    table = distances(Q, detector.bank_, NUMBERS)
    members = np.column_stack([table.min(axis=1), block_means(table, detector.block_edges_, 5)])
    expected = ((members - detector.center_) / detector.scale_).max(axis=1)
    assert_allclose(-detector.score_samples(Q), expected, rtol=1e-9)


def test_centre_and_scale_are_those_of_the_bank(seed):
    X = _cloud(seed)
    detector = MultiscaleNeighborsDetector(block_size=40, random_state=0).fit(X)
    table = distances(detector.bank_, detector.bank_, NUMBERS)
    np.fill_diagonal(table, np.inf)
    members = np.column_stack([table.min(axis=1), block_means(table, detector.block_edges_, detector.n_neighbors_)])
    assert_allclose(detector.center_, np.sort(members, axis=0)[30:90].mean(axis=0))
    assert_allclose(detector.scale_, (np.percentile(members, 95, axis=0) - np.median(members, axis=0)) / 1.6448536)


def test_group_of_anomalies_that_hides_from_one_neighbour_is_found(seed):
    random = np.random.default_rng(seed)
    X = np.vstack([random.normal(size=(600, 3)), random.normal(7, 0.05, size=(15, 3))])
    labels = MultiscaleNeighborsDetector(contamination=0.03, random_state=0).fit_predict(X)
    assert (labels[600:] == -1).all()


@pytest.mark.parametrize("scales", ["both", "coarse"])
def test_row_alone_has_the_bits_of_the_batch(seed, scales):
    X, Q = _cloud(seed, 300, 7), _cloud(seed + 1, 400, 7)
    detector = MultiscaleNeighborsDetector(scales=scales, block_size=50, random_state=0).fit(X)
    whole = detector.score_samples(Q)
    assert_array_equal([detector.score_samples(row[None])[0] for row in Q[::9]], whole[::9])
    assert_array_equal(detector.score_samples(Q[37:]), whole[37:])


@pytest.mark.parametrize("scales", ["both", "coarse"])
@pytest.mark.parametrize("factor", [2.0**-300, 2.0**300])
def test_labels_do_not_depend_on_the_unit(seed, scales, factor):
    X = _cloud(seed)
    expected = MultiscaleNeighborsDetector(scales=scales, random_state=0).fit_predict(X)
    found = MultiscaleNeighborsDetector(scales=scales, random_state=0).fit_predict(X * factor)
    assert_array_equal(found, expected)


@pytest.mark.parametrize("scales", ["both", "coarse"])
def test_contributions_sum_to_the_score_of_a_mixed_frame(seed, scales):
    frame = _mixed(seed)
    detector = MultiscaleNeighborsDetector(scales=scales, block_size=50, random_state=0).fit(frame)
    queries = pd.concat([frame, _mixed(seed + 1).assign(weight=np.nan, kind="new")], ignore_index=True)
    contributions = detector.feature_contributions(queries)
    assert_allclose(contributions.sum(axis=1), detector.score_samples(queries), rtol=1e-9, atol=1e-9)


def _mixed(seed, n_rows=200):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": random.normal(size=n_rows),
            "weight": random.normal(size=n_rows),
            "kind": random.choice(["a", "b", "c"], n_rows),
            "shop": pd.Categorical(random.choice(["x", "y"], n_rows)),
        }
    )
    frame.loc[random.random(n_rows) < 0.1, "size"] = np.nan
    frame.loc[random.random(n_rows) < 0.1, "kind"] = None
    return frame


def test_distances_of_a_mixed_frame_are_those_of_the_reference(seed):
    frame, queries = _mixed(seed), _mixed(seed + 1, 30)
    queries.loc[:4, "kind"] = "unseen"
    detector = _coarse(block_size=50, n_neighbors=5).fit(frame)
    codes = detector.bank_
    coded = np.column_stack(
        [
            queries["size"],
            queries["weight"],
            queries["kind"].map({kind: place for place, kind in enumerate(frame["kind"].dropna().unique())}),
            queries["shop"].cat.codes,
        ]
    ).astype(float)
    coded[:5, 2] = 99
    table = distances(coded, codes, [False, False, True, True])
    for row in table:
        if (row == 0).any():
            row[np.flatnonzero(row == 0)[0]] = np.inf
    assert_allclose(-detector.score_samples(queries), block_means(table, detector.block_edges_, 5), rtol=1e-9)


@pytest.mark.parametrize(("column", "value"), [("size", 9.0), ("weight", np.nan), ("kind", "unseen"), ("shop", None)])
def test_one_strange_cell_is_found_and_its_column_named(seed, column, value):
    frame = _mixed(seed)
    row = pd.DataFrame({"size": [0.0], "weight": [0.0], "kind": ["a"], "shop": ["x"]}).astype({"weight": float})
    detector = MultiscaleNeighborsDetector(random_state=0).fit(frame)
    usual = detector.score_samples(row)[0]
    strange = row.astype({column: object}).assign(**{column: [value]})
    if column in {"size", "weight"}:
        strange[column] = strange[column].astype(float)
    assert detector.score_samples(strange)[0] < usual
    assert detector.feature_contributions(strange)[0].argmin() == list(frame.columns).index(column)


def test_frame_of_text_alone_works(seed):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.choice(list("ab"), size=(100, 5)), columns=list("vwxyz"))
    detector = MultiscaleNeighborsDetector(random_state=0).fit(frame)
    unseen = frame.iloc[:3].assign(v="q", w="q")
    assert (detector.score_samples(unseen) < detector.score_samples(frame).mean()).all()


def test_rows_labelled_as_anomalies_are_left_out(seed):
    X = _cloud(seed)
    detector = MultiscaleNeighborsDetector(random_state=0).fit(X, np.where(np.arange(120) < 20, -1, 0))
    assert not {tuple(row) for row in detector.bank_} & {tuple(row) for row in X[:20]}


def test_too_few_rows_that_are_not_anomalies_are_named():
    with pytest.raises(ValueError, match="y leaves 1 rows"):
        MultiscaleNeighborsDetector().fit(np.eye(4), [-1, -1, -1, 0])


@pytest.mark.parametrize("scales", ["both", "coarse"])
@pytest.mark.parametrize("huge", [1e20, 1e160, 1e308, -1e308])
def test_one_huge_value_is_flagged_and_hides_nothing(seed, scales, huge):
    X = np.random.default_rng(seed).normal(size=(100, 3))
    X[0, 1], X[1] = huge, [9.0, 9.0, -9.0]
    scores = MultiscaleNeighborsDetector(scales=scales, random_state=0).fit(X).score_samples(X)
    assert np.isfinite(scores).all()
    assert scores[0] == scores.min()
    assert scores[1] == scores[1:].min()


def test_scale_without_spread_says_nothing(seed):
    X = np.repeat(_cloud(seed, 12), 20, axis=0)
    detector = MultiscaleNeighborsDetector(n_neighbors=40, random_state=0).fit(X)
    assert detector.scale_[0] == 0
    assert detector.scale_[1] > 0
    assert detector.score_samples([[50.0, 50.0, 50.0]])[0] < detector.score_samples(X).min()


def test_row_unlike_rows_that_are_all_equal_is_an_anomaly():
    detector = MultiscaleNeighborsDetector().fit(np.full((30, 3), 2.5))
    assert_array_equal(detector.predict([[2.5, 2.5, 2.5], [2.5, 2.5, 3.0]]), [1, -1])


@pytest.mark.parametrize("shape", [(30, 1000), (2, 3), (3000, 2)])
def test_far_rows_score_below_near_ones(seed, shape):
    X = np.random.default_rng(seed).normal(size=shape)
    detector = MultiscaleNeighborsDetector(random_state=0).fit(X)
    far = np.array([np.full(shape[1], 10.0**power) for power in range(1, 9)])
    scores = detector.score_samples(far)
    assert (np.diff(scores) < 0).all()
    assert scores[0] < detector.score_samples(X).min()
