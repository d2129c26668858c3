"""What the tests that compare samples share: labels of the samples, and the threshold of the reference's scores."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skanomaly._support._blocks import single_openmp_thread
from skanomaly._support._columns import is_frame, to_pandas
from skanomaly._support._ties import settled_threshold
from skanomaly._support._warnings import warn_user
from skanomaly.audit._layout import label_codes

__all__ = ["LEVEL", "reference_offset", "sample_codes", "threads_for", "tree_sizes", "warn_of_equal_scores"]

LEVEL = 0.05  # smallest p-values above are warned of
_ROWS_A_LEAF = 20  # of scikit-learn
_MANY_CELLS = 2_000_000  # below, a fit of gradient boosting takes seconds, and threads gain little


def sample_codes(
    groups: Any, n_rows: int, *, only_two: bool = False, comparison: str = "two samples are compared"
) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Give the samples numbers from 0 in sorted order of their labels; without labels the first half of the rows is 0.

    Parameters
    ----------
    groups : array-like of shape (n_rows,) or None
    n_rows : int
    only_two : bool, default=False
        Whether a third label raises.
    comparison : str
        End of that error.

    Returns
    -------
    codes : ndarray of shape (n_rows,), intp
    labels : ndarray of shape (n_groups,)

    Raises
    ------
    ValueError
        If there are too many labels, their number is not that of the rows, or one is missing.
    """
    if groups is None:
        return (np.arange(n_rows) >= (n_rows + 1) // 2).astype(np.intp), np.array([0, 1])
    codes, labels = label_codes(groups, n_rows, name="groups")
    if only_two and len(labels) > 2:
        raise ValueError(f"groups holds {len(labels)} labels; {comparison}.")
    return codes, labels


def reference_offset(scores: NDArray[np.float64], alpha: float) -> float:
    """Return the score below which the fraction `alpha` of the reference's scores lies."""
    return settled_threshold(float(np.percentile(scores, 100 * alpha)), scores)


def tree_sizes(n_rows: int, n_leaves: int) -> dict[str, int]:
    """Return sizes of gradient boosted trees, which with scikit-learn's 20 rows a leaf do not split a few dozen rows.

    Parameters
    ----------
    n_rows : int
    n_leaves : int
        Most leaves of a tree on 400 rows or more.

    Returns
    -------
    dict
        `min_samples_leaf` and `max_leaf_nodes`.
    """
    part = n_rows // _ROWS_A_LEAF
    return {
        "min_samples_leaf": min(_ROWS_A_LEAF, max(2, part)),
        "max_leaf_nodes": n_leaves if part >= _ROWS_A_LEAF else min(n_leaves, max(3, part)),
    }


def threads_for(rows: Any) -> AbstractContextManager[None]:
    """Return a context in which gradient boosting has one thread, where the table is small.

    Parameters
    ----------
    rows : array or frame of shape (n_samples, n_features)
    """
    return single_openmp_thread() if rows.shape[0] * rows.shape[1] <= _MANY_CELLS else nullcontext()


def warn_of_equal_scores(test: Any, rows: Any, scores: Iterable[NDArray[np.float64]]) -> None:
    """Warn where each classifier gives all rows one score although the rows vary: no difference can be found.

    Parameters
    ----------
    test : estimator
        Its `estimator` is None for the default classifier.
    rows : array or frame of shape (n_samples, n_features)
    scores : iterable of ndarray
        Scores of rows by each classifier; read up to the first that vary.
    """
    if any(part.size and np.ptp(part) > 0 for part in scores):
        return
    frame = to_pandas(rows) if is_frame(rows) else pd.DataFrame(rows)
    if len(frame.astype(str).drop_duplicates()) == 1:
        return
    warn_user(
        f"The classifiers of {type(test).__name__} give all rows one score: {rows.shape[0]} rows of {rows.shape[1]} "
        f"columns are too few for {'the default' if test.estimator is None else repr(test.estimator)}, so that no "
        "difference can be found, and pvalue_ and the scores of rows and columns do not tell. Give more rows, or "
        "another estimator, such as LogisticRegression() after imputation."
    )
