import numpy as np
import pytest

from skanomaly.model_selection import CovariateSplit


def test_training_rows_lie_up_to_the_cut(seed):
    depth = np.random.default_rng(seed).uniform(0, 1300, size=50)
    ((train, test),) = CovariateSplit(800.0).split(np.zeros((50, 2)), groups=depth)
    assert depth[train].max() <= 800 < depth[test].min()
    assert sorted([*train, *test]) == list(range(50))
    assert CovariateSplit(1).get_n_splits() == 1


@pytest.mark.parametrize(
    ("cut", "groups", "message"),
    [
        (1.0, None, "groups=None"),
        (1.0, [1.0], "2 finite numbers"),
        (1.0, [1.0, np.nan], "2 finite numbers"),
        (9.0, [1.0, 2.0], "leaves one side empty"),
        ("deep", [1.0, 2.0], "'cut' parameter"),
    ],
)
def test_other_covariates_raise(cut, groups, message):
    with pytest.raises(ValueError, match=message):
        next(CovariateSplit(cut).split(np.zeros((2, 1)), groups=groups))
