"""Detectors by name."""

import difflib
import inspect
from typing import Any

from skanomaly._cli._errors import InputError

__all__ = ["DEFAULT", "EVENT_DEFAULT", "SERIES_DEFAULT", "build_detector", "detector_names", "takes_mixed"]

DEFAULT = "AnomalyDetector"
SERIES_DEFAULT = "SubsequenceNeighbors"
EVENT_DEFAULT = "MultiscaleEventDetector"
_DEFAULTS = {"rows": DEFAULT, "series": SERIES_DEFAULT, "traces": EVENT_DEFAULT}
# How a detector of a kind is used instead.
_COMMANDS = {"rows": "scan without --time", "series": "scan with --time COLUMN", "traces": "the command events"}


def _classes(kind: str) -> dict[str, Any]:
    """Return the public detectors of "rows", "series" or "traces" that need no arguments, by name."""
    from sklearn.ensemble import IsolationForest

    from skanomaly import detectors, events, sequence

    module: Any = {"rows": detectors, "series": sequence, "traces": events}[kind]
    found: dict[str, Any] = {"IsolationForest": IsolationForest} if kind == "rows" else {}
    for name in module.__all__:
        member = getattr(module, name)
        if not inspect.isclass(member) or inspect.isabstract(member) or not hasattr(member, "score_samples"):
            continue
        if kind == "series" and not issubclass(member, sequence.SeriesDetector):
            continue
        if member in {sequence.SeriesDetector, events.EventDetector}:
            continue
        parameters = inspect.signature(member).parameters.values()
        if all(parameter.default is not parameter.empty for parameter in parameters):
            found[name] = member
    return found


def detector_names(kind: str = "rows") -> list[str]:
    """Return the names that ``--detector`` accepts, the default first."""
    return sorted(_classes(kind), key=lambda name: (name != _DEFAULTS[kind], name))


def build_detector(name: str, *, random_state: int | None, n_jobs: int | None, kind: str = "rows") -> Any:
    """Create a detector by its name, ignoring case.

    Parameters
    ----------
    name : str
    random_state : int or None
    n_jobs : int or None
        Both are set if the detector has these parameters.
    kind : {"rows", "series", "traces"}, default="rows"
        What the detector scores.

    Returns
    -------
    estimator

    Raises
    ------
    InputError
        If there is no detector of that name.
    """
    classes = _classes(kind)
    spelled = {known.lower(): known for known in classes}
    known = spelled.get(name.lower())
    if known is None:
        for other_kind in _DEFAULTS:
            for other in _classes(other_kind):
                if other.lower() == name.lower():
                    remedy = {"rows": "omit --time", "series": "add --time COLUMN"}.get(other_kind)
                    if remedy is None or kind == "traces":
                        remedy = f"use {_COMMANDS[other_kind]}"
                    raise InputError(f"{other} scores {other_kind}; {remedy}, or choose another --detector.")
        near = difflib.get_close_matches(name.lower(), spelled, n=1)
        hint = f" Did you mean {spelled[near[0]]}?" if near else ""
        available = ", ".join(detector_names(kind))
        raise InputError(f"there is no detector {name!r}.{hint} Available detectors: {available}.")
    detector = classes[known]()
    options = {"random_state": random_state, "n_jobs": n_jobs}
    return detector.set_params(**{key: value for key, value in options.items() if key in detector.get_params()})


def takes_mixed(detector: Any) -> tuple[bool, bool]:
    """Return whether a detector takes categories (with missing values), and whether it takes missing values.

    Parameters
    ----------
    detector : estimator
        Its scikit-learn tags say so.

    Returns
    -------
    categories, missing : bool
    """
    from sklearn.utils import get_tags

    tags = get_tags(detector).input_tags
    return bool(tags.categorical and tags.allow_nan), bool(tags.allow_nan)
