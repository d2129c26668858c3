"""Randomness: one integer is drawn per fit, one child generator made per unit of work."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["child_generators", "draw_seed", "generator"]


def draw_seed(random_state: Any) -> int:
    """Draw one integer in [0, 2**31) from scikit-learn's kind of `random_state`.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        None draws from NumPy's global state, as scikit-learn's own estimators do.

    Returns
    -------
    int
    """
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def generator(random_state: Any) -> np.random.Generator:
    """Make one generator from scikit-learn's kind of `random_state`.

    Parameters
    ----------
    random_state : int, RandomState instance or None

    Returns
    -------
    numpy.random.Generator
    """
    return np.random.Generator(np.random.PCG64(draw_seed(random_state)))


def child_generators(random_state: Any, n_children: int) -> list[np.random.Generator]:
    """Make independent generators, one per unit of work (tree, block of directions, replicate), never per thread.

    Parameters
    ----------
    random_state : int, RandomState instance or None
    n_children : int

    Returns
    -------
    list of numpy.random.Generator
        Child `i` is the same for every `n_children` above `i`.
    """
    children = np.random.SeedSequence(draw_seed(random_state)).spawn(n_children)
    return [np.random.Generator(np.random.PCG64(child)) for child in children]
