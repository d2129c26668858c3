import numpy as np
import pytest
from sklearn.base import clone

from skanomaly.robust import ZErrorClassifier, ZErrorMask, ZErrorRegressor


@pytest.mark.parametrize(("threshold", "rows"), [(2.0, 6), (3.0, 11), (4.0, 18), ("auto", 11), (np.inf, 0)])
def test_smallest_batch_with_mean_and_standard_deviation(threshold, rows):
    assert ZErrorMask(threshold=threshold, center_scale="mean_std").smallest_batch() == rows


def test_smallest_batch_with_median_and_mad_is_six():
    assert ZErrorMask().smallest_batch() == 6


def test_clone_copies_the_parameters():
    mask = ZErrorMask(threshold=2.5, side="upper")
    copy = clone(mask)
    assert copy is not mask
    assert copy.get_params() == mask.get_params()


def test_repr_shows_changed_parameters_only():
    assert repr(ZErrorMask(threshold=2.5)) == "ZErrorMask(threshold=2.5)"


def test_unknown_parameter_raises():
    with pytest.raises(ValueError, match="'tau' is not a parameter"):
        ZErrorMask().set_params(tau=2)


@pytest.mark.parametrize(
    "parameters",
    [
        {"threshold": 0},
        {"threshold": "three"},
        {"min_keep": 0},
        {"decay": 1.0},
        {"warmup_epochs": -1},
        {"side": "left"},
        {"schedule": "steps"},
        {"center_scale": "mean"},
        {"statistic": "residual"},
    ],
)
def test_parameters_out_of_range_raise_in_fit(parameters):
    with pytest.raises(ValueError, match=f"'{next(iter(parameters))}' parameter of ZErrorMask"):
        ZErrorRegressor(masking=ZErrorMask(**parameters)).fit([[0.0], [1.0]], [0.0, 1.0])


@pytest.mark.parametrize(
    ("make", "statistic", "y"), [(ZErrorRegressor, "margin", [0.0, 1.0]), (ZErrorClassifier, "error", [0, 1])]
)
def test_statistic_of_the_other_task_raises(make, statistic, y):
    with pytest.raises(ValueError, match="is not defined for"):
        make(masking=ZErrorMask(statistic=statistic)).fit([[0.0], [1.0]], y)


@pytest.mark.parametrize(
    ("side", "expected"), [("upper", [True, False]), ("lower", [False, True]), ("both", [True] * 2)]
)
def test_side_selects_the_errors_that_are_dropped(seed, side, expected):
    random = np.random.default_rng(seed)
    X = random.normal(size=(400, 2))
    y = random.normal(size=400)
    y[:10] += 30
    y[10:20] -= 30
    model = ZErrorRegressor(masking=ZErrorMask(side=side), random_state=seed).fit(X, y)
    found = [model.mask_frequency_[:10].mean() > 0.9, model.mask_frequency_[10:20].mean() > 0.9]
    assert found == expected


def test_decay_masks_outliers_in_small_batches(seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(400, 2)), random.normal(size=400)
    y[:20] += 30
    mask = ZErrorMask(decay=0.9)
    model = ZErrorRegressor(masking=mask, batch_size=8, learning_rate_init=0.01, random_state=seed).fit(X, y)
    assert model.mask_frequency_[:20].min() > 0.9
