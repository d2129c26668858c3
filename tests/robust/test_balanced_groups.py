import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from skanomaly.audit import worst_group_report
from skanomaly.robust import GroupBalancedClassifier, GroupWeights, LastLayer, TrainTwice


def _table(seed, n=3000, rate=0.95):
    random = np.random.default_rng(seed)
    y = random.integers(2, size=n)
    core, spurious = (np.where(random.random(n) < right, y, 1 - y) for right in (0.8, rate))
    return np.column_stack([core, spurious]) + 0.1 * random.normal(size=(n, 2)), y, spurious


def _worst(model, seed):
    X, y, spurious = _table(seed + 1000, 4000, 0.5)
    return worst_group_report(y, model.predict(X), spurious)["accuracy"][0]


def test_training_on_all_rows_fails_on_the_worst_group(seed):
    X, y, _ = _table(seed)
    assert _worst(LogisticRegression().fit(X, y), seed) <= 0.55


@pytest.mark.parametrize(
    "method",
    [None, GroupWeights(balance="subsample"), LastLayer(make_pipeline(StandardScaler(), PolynomialFeatures(2)))],
)
def test_balanced_groups_raise_the_worst_group(seed, method):
    X, y, spurious = _table(seed)
    model = GroupBalancedClassifier(LogisticRegression(), method=method, random_state=0).fit(X, y, groups=spurious)
    assert _worst(model, seed) >= 0.72


def test_training_twice_raises_the_worst_group_without_groups(seed):
    X, y, _ = _table(seed)
    method = TrainTwice(weight=5.0)
    model = GroupBalancedClassifier(LogisticRegression(), method=method, random_state=0).fit(X, y)
    assert _worst(model, seed) > _worst(LogisticRegression().fit(X, y), seed) + 0.2
    assert set(model.sample_weight_) == {1.0, 5.0}


def test_weights_of_each_cell_have_the_same_sum():
    X, y, spurious = _table(0, 500)
    model = GroupBalancedClassifier(LogisticRegression()).fit(X, y, groups=spurious)
    sums = [model.sample_weight_[(y == one) & (spurious == other)].sum() for one in (0, 1) for other in (0, 1)]
    assert_allclose(sums, 125.0)
    assert_array_equal(model.groups_["n_samples"].sum(), 500)


def test_subsample_draws_the_same_number_of_each_cell():
    X, y, spurious = _table(0, 500)
    model = GroupBalancedClassifier(
        KNeighborsClassifier(), method=GroupWeights(balance="subsample"), random_state=0
    ).fit(X, y, groups=spurious)
    counts = [model.sample_weight_[(y == one) & (spurious == other)].sum() for one in (0, 1) for other in (0, 1)]
    assert_array_equal(counts, model.groups_["n_samples"].min())


def test_training_twice_repeats_rows_where_the_classifier_takes_no_weights():
    X, y, _ = _table(0, 200)
    model = GroupBalancedClassifier(KNeighborsClassifier(1), method=TrainTwice(weight=3.0), random_state=0).fit(X, y)
    n_wrong = int((model.sample_weight_ == 3).sum())
    assert model.estimator_.n_samples_fit_ == 200 + 2 * n_wrong


def test_frame_with_categories_and_text_groups():
    frame = pd.DataFrame({"color": ["red", "blue"] * 30, "size": np.arange(60.0)})
    encode = make_column_transformer((OneHotEncoder(), ["color"]), remainder="passthrough")
    model = GroupBalancedClassifier(
        make_pipeline(encode, LogisticRegression(max_iter=2000)), method=TrainTwice(), random_state=0
    )
    assert model.fit(frame, np.arange(60) % 2).predict(frame).shape == (60,)
    assert model.predict_proba(frame).shape == (60, 2)


def test_parameters_of_the_method_are_set_through_the_classifier():
    model = GroupBalancedClassifier(LogisticRegression(), method=TrainTwice()).set_params(method__weight=2.0)
    assert model.method.weight == 2.0


def test_errors_name_what_is_wrong():
    X, y, _ = _table(0, 60)
    with pytest.raises(TypeError, match="must be a classifier"):
        GroupBalancedClassifier(LinearRegression()).fit(X, y)
    with pytest.raises(ValueError, match="takes no sample_weight"):
        GroupBalancedClassifier(KNeighborsClassifier()).fit(X, y)
    with pytest.raises(ValueError, match="groups has 3 rows"):
        GroupBalancedClassifier(LogisticRegression()).fit(X, y, groups=[0, 1, 0])
    with pytest.raises(ValueError, match="1 row"):
        GroupBalancedClassifier(LogisticRegression(), method=TrainTwice()).fit(X, np.r_[2, np.arange(59) % 2])
    with pytest.raises(ValueError, match="weight"):
        GroupBalancedClassifier(LogisticRegression(), method=TrainTwice(weight=0.5)).fit(X, y)
