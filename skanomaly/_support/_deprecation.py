"""The one way to announce that something will go."""

from skanomaly._support._warnings import warn_user

__all__ = ["warn_deprecated"]


def warn_deprecated(name: str, *, since: str, removal: str, instead: str) -> None:
    """Warn the caller's caller that `name` goes in version `removal`.

    Parameters
    ----------
    name : str
        What is deprecated, as the user spells it.
    since, removal : str
        Versions; two minor releases lie between them.
    instead : str
        What to use, as an imperative clause without a full stop.

    Warns
    -----
    FutureWarning
        Always.
    """
    warn_user(
        f"{name} is deprecated since {since} and will be removed in {removal}; {instead}.",
        FutureWarning,
    )
