import numpy as np
import pandas as pd
import polars as pl
import pytest

from skanomaly.sequence import (
    BagRankingDetector,
    GroupedDetector,
    RandomConvolutionTransformer,
    ReferenceDetector,
    SelectiveMahalanobisDetector,
    SequenceLikelihood,
    SequenceNeighbors,
    SymbolTransformer,
    degrade_windows,
    from_aeon,
    matrix_profile,
    overlay_events,
    to_aeon,
)

MODELS = [
    SequenceNeighbors(),
    ReferenceDetector(),
    SelectiveMahalanobisDetector(),
    SequenceLikelihood(order=2),
    SymbolTransformer(),
    RandomConvolutionTransformer(n_kernels=4, random_state=0),
]


def _frames(seed, kind=pd.DataFrame, n_series=10):
    random = np.random.default_rng(seed)
    waves = random.normal(loc=[0, 10], size=(n_series, 30, 2))
    return [kind({"a": wave[:, 0], "b": wave[:, 1]}) for wave in waves]


def _scores(model):
    return model.score_samples if hasattr(model, "score_samples") else model.transform


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("model", MODELS)
def test_columns_in_another_order_raise(model, kind, seed):
    frames = _frames(seed, kind)
    fitted = model.fit(frames)
    assert fitted.feature_names_in_.tolist() == ["a", "b"]
    assert len(_scores(fitted)(frames)) == len(frames)
    with pytest.raises(ValueError, match=r"X\[0\] has its columns in another order: the feature names 'b', 'a' should"):
        _scores(fitted)([frame[["b", "a"]] for frame in frames])


@pytest.mark.parametrize("model", MODELS)
def test_other_columns_raise(model, seed):
    frames = _frames(seed)
    with pytest.raises(ValueError, match=r"X\[0\] has other columns"):
        _scores(model.fit(frames))([frame.rename(columns={"b": "c"}) for frame in frames])


@pytest.mark.parametrize("model", MODELS)
def test_one_frame_in_another_order_is_named(model, seed):
    frames = _frames(seed)
    frames[3] = frames[3][["b", "a"]]
    with pytest.raises(ValueError, match=r"X\[3\] has its columns in another order.* of X\[0\]"):
        model.fit(frames)


@pytest.mark.parametrize("model", MODELS)
def test_names_that_are_lost_or_new_raise_a_warning(model, seed):
    frames, arrays = _frames(seed), [frame.to_numpy() for frame in _frames(seed)]
    with pytest.warns(UserWarning, match="X does not have valid feature names, but"):
        _scores(model.fit(frames))(arrays)
    with pytest.warns(UserWarning, match="X has feature names, but"):
        _scores(model.fit(arrays))(frames)


@pytest.mark.parametrize("model", MODELS)
def test_another_width_names_the_series(model, seed):
    arrays = [frame.to_numpy() for frame in _frames(seed)]
    with pytest.raises(ValueError, match=r"X\[1\] has 1 features and X\[0\] has 2"):
        model.fit([*arrays[:1], arrays[1][:, :1], *arrays[2:]])
    with pytest.raises(ValueError, match=rf"X\[1\] has 1 features and {type(model).__name__} was fitted with 2"):
        _scores(model.fit(arrays))([arrays[0], arrays[1][:, :1]])


def test_names_are_forgotten_when_fitted_again(seed):
    frames = _frames(seed)
    detector = SequenceNeighbors().fit(frames).fit([frame.to_numpy() for frame in frames])
    assert not hasattr(detector, "feature_names_in_")


def test_detector_with_labels_keeps_names(seed):
    frames = _frames(seed)
    detector = BagRankingDetector(max_iter=2).fit(frames, [1] * 5 + [-1] * 5)
    assert detector.feature_names_in_.tolist() == ["a", "b"]


def test_functions_of_several_series_compare_names(seed):
    first, second = _frames(seed)[:2]
    turned = second[["b", "a"]]
    for call in (
        lambda: degrade_windows([first, turned], random_state=0),
        lambda: overlay_events(first, [turned.iloc[:5]], n_events=1, random_state=0),
        lambda: matrix_profile(first, turned, window_size=5),
        lambda: to_aeon([first, turned]),
    ):
        with pytest.raises(ValueError, match="has its columns in another order"):
            call()


def _ragged(channels_first):
    arrays = [np.arange(60.0).reshape(2, 30), np.arange(80.0).reshape(2, 40)]
    return arrays if channels_first else [array.T for array in arrays]


def _objects(items):
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    return array


@pytest.mark.parametrize("kind", [list, tuple, _objects, lambda items: pd.Series(_objects(items), index=[5, 3])])
@pytest.mark.parametrize(("convert", "channels_first"), [(from_aeon, True), (to_aeon, False)])
def test_ragged_collections_are_converted_in_any_container(kind, convert, channels_first):
    converted = convert(kind(_ragged(channels_first)))
    for array, expected in zip(converted, _ragged(not channels_first), strict=True):
        np.testing.assert_array_equal(array, expected)
    if convert is from_aeon:
        assert SequenceNeighbors().fit(converted).n_features_in_ == 2


def test_object_array_of_flat_series_is_converted():
    flat = _objects([np.arange(30.0), np.arange(40.0)])
    assert [series.shape for series in from_aeon(flat)] == [(30, 1), (40, 1)]
    assert [series.shape for series in to_aeon(flat)] == [(1, 30), (1, 40)]


def test_object_array_of_numbers_is_one_array():
    assert from_aeon(np.arange(6, dtype=object)).shape == (6, 1)
    assert from_aeon(np.zeros((4, 2, 9), dtype=object)).shape == (4, 9, 2)


@pytest.mark.parametrize("convert", [from_aeon, to_aeon])
def test_table_of_series_raises_with_the_remedy(convert):
    nested = pd.DataFrame({"x": [pd.Series(np.arange(5.0)), pd.Series(np.arange(4.0))]})
    with pytest.raises(ValueError, match="a table with a series in each cell"):
        convert(nested)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pd.Series([pd.NA, *range(59)], dtype=object), r"Not finite, by column .*'x' \(1\)"),
        (pd.Series(["t"] * 60), "Not numbers: column 'x'"),
        (pd.Series(pd.date_range("2026", periods=60)), "Dates or durations: column 'x'"),
    ],
    ids=["missing", "text", "dates"],
)
def test_columns_beside_the_groups_are_named_in_errors(column, words):
    frame = pd.DataFrame({"machine": ["a", "b"] * 30, "x": column, "y": np.arange(60.0)})
    with pytest.raises(ValueError, match=f"(?s){words}"):
        GroupedDetector(group="machine").fit(frame)
