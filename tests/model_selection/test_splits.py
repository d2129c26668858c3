import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import GridSearchCV, cross_val_score

from skanomaly.model_selection import (
    BlockedTimeSeriesSplit,
    OneClassKFold,
    StratifiedAnomalyKFold,
    TransductiveSplit,
    get_scorer,
)


def _labels(seed, n_anomalies=6, n_normal=60, n_unlabelled=0):
    y = np.repeat([-1, 1, 0], [n_anomalies, n_normal, n_unlabelled])
    return np.random.default_rng(seed).permutation(y)


@pytest.mark.parametrize("zero_one", [False, True])
def test_stratified_folds_partition_and_hold_anomalies(seed, zero_one):
    y = _labels(seed)
    given = (y == -1).astype(int) if zero_one else y
    tested = []
    for train, test in StratifiedAnomalyKFold(n_splits=3, random_state=seed).split(given, given):
        assert set(train) | set(test) == set(range(len(y)))
        assert not set(train) & set(test)
        assert (y[test] == -1).sum() == 2
        tested.extend(test)
    assert sorted(tested) == list(range(len(y)))


def test_stratified_sorted_labels_give_no_empty_fold():
    y = np.repeat([1, -1], [90, 10])
    X = np.random.default_rng(0).normal(size=(100, 2))
    values = cross_val_score(
        IsolationForest(random_state=0), X, y, scoring=get_scorer("roc_auc"), cv=StratifiedAnomalyKFold(random_state=0)
    )
    assert np.isfinite(values).all()


def test_stratified_unlabelled_rows_are_in_every_training_set(seed):
    y = _labels(seed, n_unlabelled=100)
    for train, test in StratifiedAnomalyKFold(n_splits=3, random_state=0).split(y, y):
        assert (y[train] == 0).sum() == 100
        assert (y[test] != 0).all()


def test_stratified_unlabelled_rows_may_be_split(seed):
    y = _labels(seed, n_unlabelled=99)
    for _, test in StratifiedAnomalyKFold(n_splits=3, unlabelled="split", random_state=0).split(y, y):
        assert (y[test] == 0).sum() == 33


def test_stratified_groups_stay_together(seed):
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(30), 5)
    y = np.where(np.isin(groups, random.choice(30, 9, replace=False)) & (np.tile(np.arange(5), 30) < 2), -1, 1)
    for train, test in StratifiedAnomalyKFold(n_splits=3, random_state=seed).split(y, y, groups):
        assert not set(groups[train]) & set(groups[test])
        assert {-1, 1} <= set(y[test].tolist())


def test_stratified_unlabelled_rows_of_a_tested_group_do_not_train():
    groups = np.repeat(np.arange(12), 4)
    y = np.tile([-1, 1, 0, 0], 12)
    for train, test in StratifiedAnomalyKFold(n_splits=3, random_state=0).split(y, y, groups):
        assert not set(groups[train]) & set(groups[test])


@pytest.mark.parametrize("y", [None, np.zeros(20, dtype=int)], ids=["none", "all unlabelled"])
@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(10), 2)], ids=["rows", "groups"])
def test_stratified_without_labels_splits_rows(y, groups):
    folds = list(StratifiedAnomalyKFold(n_splits=4, random_state=0).split(np.zeros((20, 1)), y, groups))
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(20))


def test_stratified_raises_for_more_folds_than_anomalies():
    y = _labels(0, n_anomalies=2)
    with pytest.raises(ValueError, match=r"2 labelled anomalies.*TransductiveSplit"):
        list(StratifiedAnomalyKFold(n_splits=3).split(y, y))


def test_stratified_raises_for_fewer_anomalous_groups_than_folds():
    y = _labels(0, n_anomalies=6)
    with pytest.raises(ValueError, match="1 labelled groups with anomalies"):
        list(StratifiedAnomalyKFold(n_splits=3).split(y, y, groups=(y != -1) * np.arange(len(y))))


def test_one_class_trains_on_normal_rows_only(seed):
    y = _labels(seed, n_unlabelled=40)
    tested = []
    for train, test in OneClassKFold(n_splits=4, random_state=seed).split(y, y):
        assert (y[train] == 1).all()
        assert (y[test] == -1).sum() == 6
        assert not set(train) & set(test)
        tested.extend(test[y[test] == 1])
    assert sorted(tested) == np.flatnonzero(y == 1).tolist()


@pytest.mark.parametrize("y", [None, np.array([-1] * 5 + [1])])
def test_one_class_raises_for_too_few_normal_rows(y):
    with pytest.raises(ValueError, match="labelled normal rows"):
        list(OneClassKFold(n_splits=2).split(np.zeros((6, 1)), y))


@pytest.mark.parametrize("splitter", [StratifiedAnomalyKFold(3), OneClassKFold(3), TransductiveSplit()])
def test_number_of_splits_is_returned(splitter):
    y = _labels(0)
    assert splitter.get_n_splits(y, y) == len(list(splitter.split(y, y)))


def test_stratified_raises_for_groups_that_empty_a_fold():
    # Enough groups of either kind, but of so unequal sizes that a fold is left without one.
    groups = np.repeat(np.arange(6), [6, 3, 5, 1, 3, 6])
    y = np.array([-1, -1, -1, 1, -1, -1, 1, -1, 1, 1, -1, 1, -1, 1, 1, 1, 1, 1, *[-1] * 6])
    with pytest.raises(ValueError, match="A fold has no anomaly or no normal row"):
        list(StratifiedAnomalyKFold(n_splits=3, shuffle=False).split(y, y, groups))


def test_transductive_trains_on_all_and_tests_the_labelled(seed):
    y = _labels(seed, n_anomalies=1, n_normal=5, n_unlabelled=30)
    ((train, test),) = TransductiveSplit().split(y, y)
    assert train.tolist() == list(range(36))
    assert test.tolist() == np.flatnonzero(y).tolist()
    ((_, test),) = TransductiveSplit().split(y)
    assert test.size == 36


@pytest.mark.parametrize("gap", [0, 1, 7])
def test_blocks_are_contiguous_and_kept_apart(gap):
    tested = []
    for train, test in BlockedTimeSeriesSplit(n_splits=4, gap=gap).split(np.zeros((50, 2))):
        assert (np.diff(test) == 1).all()
        assert np.abs(train[:, None] - test[None]).min() == gap + 1
        tested.extend(test)
    assert tested == list(range(50))


def test_blocks_without_an_anomaly_are_left_out():
    y = np.ones(40, dtype=int)
    y[[3, 25]] = -1
    splitter = BlockedTimeSeriesSplit(n_splits=4)
    assert [test[0] for _, test in splitter.split(y, y)] == [0, 20]
    assert splitter.get_n_splits(y, y) == 2
    assert splitter.get_n_splits() == 4
    assert BlockedTimeSeriesSplit(n_splits=4, blocks="all").get_n_splits(y, y) == 4


def test_blocks_that_cannot_be_scored_raise():
    y = np.repeat([1, -1], 20)
    with pytest.raises(ValueError, match="None of the 4 blocks"):
        list(BlockedTimeSeriesSplit(n_splits=4).split(y, y))


def test_gap_that_leaves_no_training_row_raises():
    with pytest.raises(ValueError, match="gap=10 leaves no training row"):
        list(BlockedTimeSeriesSplit(n_splits=2, gap=10).split(np.zeros(12)))


@pytest.mark.parametrize("splitter", [StratifiedAnomalyKFold, OneClassKFold, BlockedTimeSeriesSplit])
def test_number_of_folds_is_checked(splitter):
    with pytest.raises(ValueError, match="'n_splits' parameter"):
        next(splitter(n_splits=1).split(np.zeros(9)))


@pytest.mark.parametrize(
    ("splitter", "options"),
    [
        (StratifiedAnomalyKFold, {"unlabelled": "drop"}),
        (BlockedTimeSeriesSplit, {"gap": -1}),
        (BlockedTimeSeriesSplit, {"blocks": "some"}),
    ],
)
def test_options_are_checked(splitter, options):
    with pytest.raises(ValueError, match=f"'{next(iter(options))}' parameter of {splitter.__name__}"):
        next(splitter(**options).split(np.zeros(9)))
    with pytest.raises(ValueError, match=f"'{next(iter(options))}' parameter of {splitter.__name__}"):
        splitter(**options).get_n_splits()


@pytest.mark.parametrize("splitter", [StratifiedAnomalyKFold, OneClassKFold])
def test_integer_seed_gives_the_same_folds_again_and_none_does_not(splitter):
    y = _labels(0)

    def folds(random_state):
        return str([test.tolist() for _, test in splitter(3, random_state=random_state).split(y, y)])

    assert folds(0) == folds(0)
    assert len({folds(None) for _ in range(10)}) > 1


@pytest.mark.parametrize("routing", [False, True])
def test_groups_reach_the_splitter_of_a_search(routing):
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 8)
    y = np.tile([-1, *[1] * 7], 12)
    X = random.normal(size=(96, 2)) + 4.0 * (y == -1)[:, None]
    search = GridSearchCV(
        IsolationForest(max_samples=32, random_state=0),
        {"n_estimators": [5, 10]},
        scoring=get_scorer("roc_auc"),
        cv=StratifiedAnomalyKFold(n_splits=3, random_state=0),
    )
    with config_context(enable_metadata_routing=routing):
        search.fit(X, y, groups=groups)
    expected = [
        get_scorer("roc_auc")(clone(search.best_estimator_).fit(X[train]), X[test], y[test])
        for train, test in StratifiedAnomalyKFold(n_splits=3, random_state=0).split(X, y, groups)
    ]
    assert search.best_score_ == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("n_rows", [12, 30])
@pytest.mark.parametrize("blocks", ["scorable", "all"])
@pytest.mark.parametrize("labels", [np.repeat([1, -1], 10), np.ones(20)])
def test_blocks_of_another_length_than_the_labels_raise(n_rows, blocks, labels):
    splitter = BlockedTimeSeriesSplit(3, blocks=blocks)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        list(splitter.split(np.zeros((n_rows, 1)), labels))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        splitter.get_n_splits(np.zeros((n_rows, 1)), labels)
