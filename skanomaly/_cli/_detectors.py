"""Detectors by name."""

import difflib
import inspect
from typing import Any

from skanomaly._cli._errors import InputError

__all__ = ["DEFAULT", "SERIES_DEFAULT", "build_detector", "detector_names"]

DEFAULT = "AnomalyDetector"
SERIES_DEFAULT = "SubsequenceNeighbors"


def _classes(*, series: bool) -> dict[str, Any]:
    """Return the public detectors of rows or of series that need no arguments, by name."""
    from sklearn.ensemble import IsolationForest

    from skanomaly import detectors, sequence

    module: Any = sequence if series else detectors
    found: dict[str, Any] = {} if series else {"IsolationForest": IsolationForest}
    for name in module.__all__:
        member = getattr(module, name)
        if not inspect.isclass(member) or inspect.isabstract(member) or not hasattr(member, "score_samples"):
            continue
        if series and not issubclass(member, sequence.SeriesDetector):
            continue
        parameters = inspect.signature(member).parameters.values()
        if all(parameter.default is not parameter.empty for parameter in parameters):
            found[name] = member
    return found


def detector_names(*, series: bool = False) -> list[str]:
    """Return the names that ``--detector`` accepts, the default first."""
    default = SERIES_DEFAULT if series else DEFAULT
    return sorted(_classes(series=series), key=lambda name: (name != default, name))


def build_detector(name: str, *, random_state: int | None, n_jobs: int | None, series: bool = False) -> Any:
    """Create a detector by its name, ignoring case.

    Parameters
    ----------
    name : str
    random_state : int or None
    n_jobs : int or None
        Both are set if the detector has these parameters.
    series : bool, default=False
        Whether to look among the detectors of series.

    Returns
    -------
    estimator

    Raises
    ------
    InputError
        If there is no detector of that name.
    """
    classes = _classes(series=series)
    spelled = {known.lower(): known for known in classes}
    known = spelled.get(name.lower())
    if known is None:
        for other in _classes(series=not series):
            if other.lower() == name.lower():
                kinds = ("rows", "omit --time") if series else ("series", "add --time COLUMN")
                raise InputError(f"{other} scores {kinds[0]}; {kinds[1]}, or choose another --detector.")
        near = difflib.get_close_matches(name.lower(), spelled, n=1)
        hint = f" Did you mean {spelled[near[0]]}?" if near else ""
        available = ", ".join(detector_names(series=series))
        raise InputError(f"there is no detector {name!r}.{hint} Available detectors: {available}.")
    detector = classes[known]()
    options = {"random_state": random_state, "n_jobs": n_jobs}
    return detector.set_params(**{key: value for key, value in options.items() if key in detector.get_params()})
