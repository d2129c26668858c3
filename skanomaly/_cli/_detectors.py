"""Detectors by name, as the door of their room lists them."""

import difflib
import inspect
from typing import Any

from skanomaly._cli._errors import InputError

__all__ = ["DEFAULT", "SERIES_DEFAULT", "build_detector", "detector_names"]

DEFAULT = "RandomProjectionDepth"
SERIES_DEFAULT = "SubsequenceNeighbors"


def _classes(*, series: bool) -> dict[str, Any]:
    """List what can be built without arguments and scores rows, or moments of a series."""
    from sklearn.ensemble import IsolationForest

    from skanomaly import detectors, sequence

    room: Any = sequence if series else detectors
    found: dict[str, Any] = {} if series else {"IsolationForest": IsolationForest}
    for name in room.__all__:
        member = getattr(room, name)
        if not inspect.isclass(member) or inspect.isabstract(member) or not hasattr(member, "score_samples"):
            continue
        if series and not issubclass(member, sequence.SeriesDetector):
            continue
        parameters = inspect.signature(member).parameters.values()
        if all(parameter.default is not parameter.empty for parameter in parameters):
            found[name] = member
    return found


def detector_names(*, series: bool = False) -> list[str]:
    """List the names that ``--detector`` takes, the default first."""
    default = SERIES_DEFAULT if series else DEFAULT
    return sorted(_classes(series=series), key=lambda name: (name != default, name))


def build_detector(name: str, *, random_state: int | None, n_jobs: int | None, series: bool = False) -> Any:
    """Build a detector by its name, in any case of letters.

    Parameters
    ----------
    name : str
    random_state : int or None
    n_jobs : int or None
        Both are given to detectors that know them.
    series : bool, default=False
        Whether the detector is one of series.

    Returns
    -------
    estimator

    Raises
    ------
    InputError
        If there is no such detector.
    """
    classes = _classes(series=series)
    spelled = {known.lower(): known for known in classes}
    known = spelled.get(name.lower())
    if known is None:
        for other in _classes(series=not series):
            if other.lower() == name.lower():
                kinds = ("rows", "leave out --time") if series else ("series", "add --time COLUMN")
                raise InputError(f"{other} scores {kinds[0]}: {kinds[1]}, or take another --detector.")
        near = difflib.get_close_matches(name.lower(), spelled, n=1)
        hint = f"did you mean {spelled[near[0]]}? There" if near else "there"
        raise InputError(f"no detector {name!r}; {hint} are {', '.join(detector_names(series=series))}.")
    detector = classes[known]()
    wished = {"random_state": random_state, "n_jobs": n_jobs}
    return detector.set_params(**{key: value for key, value in wished.items() if key in detector.get_params()})
