"""Optional hooks of a base class, and the least number of samples."""

from collections.abc import Callable
from typing import Any

__all__ = ["overrides", "require_samples"]


def overrides(hook: str) -> Callable[[Any], bool]:
    """Return a check for ``available_if``: whether the class of an estimator overrides a hook of its base class.

    Parameters
    ----------
    hook : str
        Name of the method.

    Returns
    -------
    callable
        Takes an estimator and returns a bool.
    """

    def overridden(estimator: Any) -> bool:
        cls = type(estimator)
        inherited = next(base for base in reversed(cls.__mro__) if hook in vars(base))
        return getattr(cls, hook) is not vars(inherited)[hook]

    return overridden


def require_samples(n_samples: int, fewest: int, kind: str) -> None:
    """Raise an error in scikit-learn's words if there are fewer samples than `fewest`.

    Parameters
    ----------
    n_samples, fewest : int
    kind : str
        Name of a sample in the message.

    Raises
    ------
    ValueError
    """
    if n_samples < fewest:
        raise ValueError(f"Found array with {n_samples} {kind}(s) while a minimum of {fewest} is required.")
