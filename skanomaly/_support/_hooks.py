"""Optional hooks of a base class, and the least number of samples."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["normal_samples", "overrides", "require_samples"]


def normal_samples(y: NDArray[np.int8], fewest: int, kind: str) -> NDArray[np.bool_]:
    """Mark the samples that are not labelled as anomalies, which are those to train on.

    Parameters
    ----------
    y : ndarray of shape (n_samples,), int8
        +1 normal, -1 anomaly, 0 unlabelled.
    fewest : int
    kind : str
        Plural name of the samples in the message.

    Returns
    -------
    ndarray of shape (n_samples,), bool

    Raises
    ------
    ValueError
        If fewer than `fewest` samples are left.
    """
    normal: NDArray[np.bool_] = y >= 0
    n_normal = int(np.count_nonzero(normal))
    if n_normal < fewest:
        raise ValueError(f"y leaves {n_normal} {kind} that are not -1; fitting needs at least {fewest}.")
    return normal


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
