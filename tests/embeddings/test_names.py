"""Names of columns of patch sets that are given as frames."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from skanomaly.embeddings import PatchGaussian, PatchNeighbors, PatchResidual, PatchwiseTransformer

every = pytest.mark.parametrize(
    "estimator", [PatchNeighbors(), PatchGaussian(), PatchResidual(), PatchwiseTransformer(StandardScaler())], ids=str
)


def _frames(seed):
    random = np.random.default_rng(seed)
    return [pd.DataFrame(random.normal(size=(5, 3)), columns=list("abc")) for _ in range(20)]


def _apply(estimator, X):
    return estimator.score_samples(X) if hasattr(estimator, "score_samples") else estimator.transform(X)


@every
def test_frames_with_other_names_or_another_order_raise_an_error(estimator, seed):
    frames = _frames(seed)
    estimator.fit(frames)
    assert estimator.feature_names_in_.tolist() == list("abc")
    _apply(estimator, frames)
    with pytest.raises(ValueError, match=r"X\[0\] has its columns in another order: .* should match"):
        _apply(estimator, [frame[list("cab")] for frame in frames])
    with pytest.raises(ValueError, match=r"X\[0\] has other columns: .*'z'"):
        _apply(estimator, [frame.rename(columns={"a": "z"}) for frame in frames])
    with pytest.raises(ValueError, match=r"X\[3\] has its columns in another order"):
        estimator.fit([*frames[:3], frames[3][list("bca")], *frames[4:]])


@every
def test_arrays_after_frames_are_read_by_position_with_a_warning(estimator, seed):
    frames = _frames(seed)
    estimator.fit(frames)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        found = _apply(estimator, np.stack(frames))
    np.testing.assert_allclose(np.asarray(found), np.asarray(_apply(estimator, frames)))
