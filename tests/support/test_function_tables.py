"""Tables that functions take: columns are joined by name, and what is no number is named."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skanomaly.audit import dependence_noise_level
from skanomaly.generation import (
    NoiseAwareMixture,
    data_price_curve,
    evaluate_samples,
    interpolation_score,
    recursive_generation,
)
from skanomaly.threshold import domain_weights

N_ROWS = 60


def _price(frame):
    noise = np.repeat([1.0, 2.0], N_ROWS // 2)
    sizes = {"n_clean": [10, 20], "n_noisy": [10], "n_repeats": 1, "random_state": 0}
    return data_price_curve(NoiseAwareMixture(random_state=0), frame, noise, metric=lambda _: 1.0, **sizes)


FUNCTIONS = {
    "dependence_noise_level": lambda frame: dependence_noise_level(frame, frame),
    "evaluate_samples": lambda frame: evaluate_samples(frame, frame, frame, n_permutations=19, random_state=0),
    "interpolation_score": lambda frame: interpolation_score(frame, frame),
    "recursive_generation": lambda frame: recursive_generation(frame, n_generations=1, random_state=0),
    "data_price_curve": _price,
    "domain_weights": lambda frame: domain_weights(frame, frame),
}
functions = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


def _frame(values):
    return pd.DataFrame({"a": np.random.default_rng(0).normal(size=N_ROWS), "other": values})


@functions
def test_text_is_named_with_the_remedy(function):
    with pytest.raises(ValueError, match=r"column 'other'.*Encode"):
        function(_frame(["u", "v"] * (N_ROWS // 2)))


@functions
def test_dates_are_named_with_the_remedy(function):
    with pytest.raises(ValueError, match="Dates or durations: column 'other'"):
        function(_frame(pd.date_range("2024", periods=N_ROWS)))


@functions
@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1.0, pd.NA, 2.0] * (N_ROWS // 3), dtype=object),
        pd.array([1, None, 2] * (N_ROWS // 3), dtype="Int64"),
        [1.0, np.inf, 2.0] * (N_ROWS // 3),
    ],
    ids=["objects", "Int64", "infinity"],
)
def test_values_that_are_not_finite_are_named(function, values):
    with pytest.raises(ValueError, match=r"'other' \(\d+\)"):
        function(_frame(values))


@functions
def test_numbers_in_objects_are_read(function):
    numbers = np.random.default_rng(1).normal(size=N_ROWS)
    for_objects, for_numbers = function(_frame(pd.Series(numbers, dtype=object))), function(_frame(numbers))
    if callable(for_objects):
        for_objects, for_numbers = for_objects(_frame(numbers)), for_numbers(_frame(numbers))
    np.testing.assert_allclose(np.asarray(for_objects), np.asarray(for_numbers))


def test_weights_of_domains_join_tables_by_name(seed):
    random = np.random.default_rng(seed)
    X, X_new = (pd.DataFrame(random.normal(size=(80, 3)) * [1, 10, 100], columns=list("abc")) for _ in range(2))
    expected = domain_weights(X, X_new)(X)
    np.testing.assert_array_equal(domain_weights(X, X_new[["c", "b", "a"]])(X), expected)
    with pytest.raises(ValueError, match="X_new lacks column 'a' of X"):
        domain_weights(X, X_new.rename(columns={"a": "q"}))


def test_weights_of_domains_leave_text_to_the_classifier_given(seed):
    random = np.random.default_rng(seed)
    X, X_new = (pd.DataFrame({"a": random.normal(size=80), "k": random.choice(["u", "v"], 80)}) for _ in range(2))
    encode = make_column_transformer((OneHotEncoder(), ["k"]), remainder="passthrough")
    weights = domain_weights(X, X_new, classifier=make_pipeline(encode, LogisticRegression()))
    assert np.isfinite(weights(X)).all()
