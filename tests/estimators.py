"""Every public estimator, each in the parameter sets that the common checks run on."""

import importlib
import inspect

from sklearn.base import BaseEstimator

import skanomaly

# Two parameter sets each; cheap ones, since each goes through some seventy checks. Not listed: the defaults alone.
PARAMETERS = {
    "RandomProjectionDepth": [
        {"n_projections": 40},
        {"n_projections": 60, "aggregation": "top", "whiten": "ledoit_wolf", "n_modes": 2, "directions": "gaussian"},
    ],
}

# Class name -> check name -> reason. Empty is the aim.
EXPECTED_FAILURES = {}


def public_classes():
    """Yield the concrete estimator classes behind the doors."""
    for room in skanomaly.__all__:
        if room.startswith("_"):
            continue
        module = importlib.import_module(f"skanomaly.{room}")
        for name in module.__all__:
            member = getattr(module, name)
            if inspect.isclass(member) and issubclass(member, BaseEstimator) and not inspect.isabstract(member):
                yield member


def instances():
    """Build each class in its parameter sets."""
    for cls in public_classes():
        for parameters in PARAMETERS.get(cls.__name__, [{}]):
            yield cls(**parameters)
