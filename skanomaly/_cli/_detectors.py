"""Detectors by name, as the door of their room lists them."""

import difflib
import inspect
from typing import Any

from skanomaly._cli._errors import InputError

__all__ = ["build_detector", "detector_names"]

DEFAULT = "RandomProjectionDepth"


def _classes() -> dict[str, Any]:
    """List what can be built without arguments and scores rows."""
    from sklearn.ensemble import IsolationForest

    from skanomaly import detectors

    found = {"IsolationForest": IsolationForest}
    for name in detectors.__all__:
        member = getattr(detectors, name)
        if not inspect.isclass(member) or inspect.isabstract(member) or not hasattr(member, "score_samples"):
            continue
        parameters = inspect.signature(member).parameters.values()
        if all(parameter.default is not parameter.empty for parameter in parameters):
            found[name] = member
    return found


def detector_names() -> list[str]:
    """List the names that ``--detector`` takes, the default first."""
    return sorted(_classes(), key=lambda name: (name != DEFAULT, name))


def build_detector(name: str, *, random_state: int | None, n_jobs: int | None) -> Any:
    """Build a detector by its name, in any case of letters.

    Parameters
    ----------
    name : str
    random_state : int or None
    n_jobs : int or None
        Both are given to detectors that know them.

    Returns
    -------
    estimator

    Raises
    ------
    InputError
        If there is no such detector.
    """
    classes = _classes()
    spelled = {known.lower(): known for known in classes}
    known = spelled.get(name.lower())
    if known is None:
        near = difflib.get_close_matches(name.lower(), spelled, n=1)
        hint = f"did you mean {spelled[near[0]]}?" if near else f"there are {', '.join(detector_names())}."
        raise InputError(f"no detector {name!r}; {hint}")
    detector = classes[known]()
    wished = {"random_state": random_state, "n_jobs": n_jobs}
    return detector.set_params(**{key: value for key, value in wished.items() if key in detector.get_params()})
