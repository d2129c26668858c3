"""One estimator fitted on many subsets of the rows, in parallel: shadow models, out-of-fold predictions."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._callbacks import reported
from skanomaly._support._rows import take_rows

__all__ = ["balanced_subsets", "clone_with_seed", "fit_subsets"]

Result = TypeVar("Result")


def fit_subsets(
    estimator: Any,
    X: Any,
    y: Any,
    subsets: Sequence[NDArray[Any]],
    evaluate: Callable[[Any, int], Result],
    *,
    seeds: Sequence[int] | None = None,
    n_jobs: int | None = None,
) -> list[Result]:
    """Fit a clone of an estimator on each subset of the rows, and keep what is evaluated of it, not the clone.

    At most as many clones as workers are in memory. The results are the same bits for any `n_jobs`, since BLAS is held
    to one thread and each clone has its own seed.

    Parameters
    ----------
    estimator : estimator
    X : table of any kind
    y : ndarray of shape (n_samples,), or None
    subsets : sequence of ndarray
        Indices, or masks of bool, of the rows of each fit.
    evaluate : callable
        ``evaluate(fitted, place)`` with the place of the subset; the result is kept.
    seeds : sequence of int, default=None
        Set where a `random_state` of the estimator, or of an estimator inside, is None. None sets nothing.
    n_jobs : int or None, default=None
        Number of threads; ``joblib.parallel_config("loky")`` makes them processes.

    Returns
    -------
    list
        One result for each subset, in their order.
    """
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    errors = np.geterr()  # threads have their own
    found = parallel(
        delayed(_fit_one)(estimator, X, y, rows, evaluate, place, None if seeds is None else seeds[place], errors)
        for place, rows in enumerate(subsets)
    )
    return list(reported(found, "fit subsets", len(subsets)))


def _fit_one(
    estimator: Any,
    X: Any,
    y: Any,
    rows: NDArray[Any],
    evaluate: Callable[[Any, int], Result],
    place: int,
    seed: int | None,
    errors: Any,
) -> Result:
    copy = clone(estimator) if seed is None else clone_with_seed(estimator, seed)
    with single_blas_thread(), np.errstate(**errors):
        fitted = copy.fit(take_rows(X, rows)) if y is None else copy.fit(take_rows(X, rows), y[rows])
        return evaluate(fitted, place)


def clone_with_seed(estimator: Any, seed: int) -> Any:
    """Clone an estimator, and set each `random_state` that is None, at any depth.

    Parameters
    ----------
    estimator : estimator
    seed : int

    Returns
    -------
    estimator
    """
    copy = clone(estimator)
    parameters = copy.get_params()
    nested = [name for name in parameters if name == "random_state" or name.endswith("__random_state")]
    unset = {name: seed for name in nested if parameters[name] is None}
    return copy.set_params(**unset) if unset else copy


def balanced_subsets(
    n_rows: int, n_subsets: int, random: np.random.Generator, strata: NDArray[Any] | None = None
) -> NDArray[np.bool_]:
    """Draw subsets of half of the rows such that each row is in half of the subsets.

    The subsets come in pairs: the second of a pair has the rows that the first has not.

    Parameters
    ----------
    n_rows : int
    n_subsets : int
        Even.
    random : numpy.random.Generator
    strata : ndarray of shape (n_rows,), default=None
        Each subset has half of the rows of each value, rounded up or down, and at least one row of each if there are
        two.

    Returns
    -------
    ndarray of shape (n_subsets, n_rows), bool
    """
    codes = np.zeros(n_rows, dtype=np.intp) if strata is None else np.unique(strata, return_inverse=True)[1]
    members = np.zeros((n_subsets, n_rows), dtype=np.bool_)
    for place in range(0, n_subsets, 2):
        order = random.permutation(n_rows)
        order = order[np.argsort(codes[order], kind="stable")]
        counts = np.bincount(codes)
        ranks = np.arange(n_rows) - np.repeat(np.cumsum(counts) - counts, counts)
        # The middle row of a stratum goes to one or the other of the pair, at random.
        turned = random.integers(2, size=counts.size)[codes[order]]
        members[place, order] = (ranks + turned) % 2 == 0
        members[place + 1] = ~members[place]
    return members
