"""A row gets the same decision alone and in a batch."""

import numpy as np
import pytest

from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth
from skanomaly.threshold import ConformalDetector, MADThreshold, QuantileThreshold, ThresholdedDetector

DETECTORS = {
    "gaussian": GaussianDetector,
    "gaussian, components": lambda: GaussianDetector(n_components=3, random_state=0),
    "gaussian, robust": lambda: GaussianDetector(covariance="robust", random_state=0),
    "neighbours": NearestNeighborsDetector,
    "neighbours, whitened": lambda: NearestNeighborsDetector(metric="whitened"),
    "depth": lambda: RandomProjectionDepth(random_state=0),
    "depth, whitened": lambda: RandomProjectionDepth(covariance="ledoit_wolf", random_state=0),
    "depth, top": lambda: RandomProjectionDepth(aggregation="top", random_state=0),
    "quantile": lambda: ThresholdedDetector(GaussianDetector(), rule=QuantileThreshold(contamination=0.1)),
    "MAD": lambda: ThresholdedDetector(GaussianDetector(), rule=MADThreshold()),
    "conformal": lambda: ConformalDetector(GaussianDetector(), random_state=0),
}


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("n_rows", [301, 101])  # contamination * (n - 1) is whole: the threshold is a training score
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_near_the_threshold_are_decided_alike_alone_and_in_a_batch(seed, name, n_rows, dtype):
    for table in range(6):
        rng = np.random.default_rng([seed, table])
        rows = (rng.normal(size=(n_rows, 6)) @ rng.normal(size=(6, 6))).astype(dtype)
        detector = DETECTORS[name]().fit(rows)
        nearest = np.argsort(np.abs(detector.decision_function(rows)))[:5]
        alone = [detector.predict(rows[[place]])[0] for place in nearest]
        np.testing.assert_array_equal(alone, detector.predict(rows)[nearest])
