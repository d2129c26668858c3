"""Warnings that point at the user's own line, however deep in the package they arise."""

import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["warn_user"]

_SKIPPED = {"skanomaly", "sklearn", "joblib", "contextlib", "functools", "threading", "concurrent", "multiprocessing"}


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's code that called the package.

    The line is that of the first frame outside this package, scikit-learn, and what calls functions for them (joblib,
    context managers, threads). Where there is none, as in a worker thread, it is that of the caller.

    Parameters
    ----------
    message : str
    category : type of Warning, default=UserWarning
    """
    caller = sys._getframe(1)  # as the warnings module does
    frame: FrameType | None = caller
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _SKIPPED:
        frame = frame.f_back
    place = caller if frame is None else frame
    warnings.warn_explicit(
        message,
        category,
        filename=place.f_code.co_filename,
        lineno=place.f_lineno,
        module=place.f_globals.get("__name__", "<unknown>"),
        registry=place.f_globals.setdefault("__warningregistry__", {}),
    )
