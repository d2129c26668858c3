"""How strong the dependence between columns is, compared with a reference."""

import itertools

import numpy as np
import pandas as pd
import pytest

from skanomaly.audit import dependence_noise_level
from skanomaly.audit._correlators import _correlators


def _counts(seed, n_rows):
    random = np.random.Generator(np.random.PCG64(seed))
    return random.poisson(random.gamma(2, size=(n_rows, 1)) * np.linspace(1, 3, 8)).astype(float)


@pytest.mark.parametrize(("order", "tolerance"), [(2, 0.02), (3, 0.05)])
@pytest.mark.parametrize("level", [0.0, 0.1, 0.3])
def test_fraction_of_replaced_cells_is_estimated(order, tolerance, level):
    random = np.random.Generator(np.random.PCG64(1))
    reference, X = _counts(2, 40_000), _counts(3, 40_000)
    others = np.column_stack([random.permutation(column) for column in X.T])
    X = np.where(random.random(X.shape) < level, others, X)
    assert dependence_noise_level(X, reference, order=order) == pytest.approx(level, abs=tolerance)


def test_correlators_equal_their_definition():
    rows = _counts(4, 30)[:, :5]
    centred = rows - rows.mean(axis=0)
    for order in (2, 3):
        expected = [centred[:, list(places)].prod(axis=1).mean() for places in itertools.combinations(range(5), order)]
        np.testing.assert_allclose(_correlators(rows, order), expected, rtol=1e-10)


def test_shuffled_join_has_noise_level_near_one():
    random = np.random.Generator(np.random.PCG64(5))
    reference = _counts(6, 20_000)
    shuffled = np.column_stack([random.permutation(column) for column in reference.T])
    assert dependence_noise_level(shuffled, reference) > 0.85
    assert np.isnan(dependence_noise_level(reference, np.ones((50, 8))))


@pytest.mark.parametrize(
    ("arguments", "order", "message"),
    [
        ((np.ones((5, 2)), np.ones((5, 3))), 2, "2 columns and reference 3"),
        ((np.ones((5, 2)), np.ones((5, 2))), 3, "order=3 takes 3 to 100"),
        ((np.ones((5, 2)), np.ones((5, 2))), 4, "order=4"),
        ((np.full((5, 2), np.nan), np.ones((5, 2))), 2, r"0 \(5\), 1 \(5\)"),
        ((np.ones(5), np.ones((5, 2))), 2, "Expected 2D array"),
    ],
)
def test_bad_tables_raise(arguments, order, message):
    with pytest.raises(ValueError, match=message):
        dependence_noise_level(*arguments, order=order)


def test_tables_are_joined_by_name():
    reference = pd.DataFrame(_counts(7, 2000), columns=list("abcdefgh"))
    X = pd.DataFrame(_counts(8, 2000), columns=list("abcdefgh"))
    expected = dependence_noise_level(X, reference)
    assert dependence_noise_level(X[list("hgfedcba")], reference) == expected
    with pytest.raises(ValueError, match="X lacks column 'a' of reference"):
        dependence_noise_level(X.rename(columns={"a": "q"}), reference)
