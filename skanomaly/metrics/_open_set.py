"""Known classes and unknown samples evaluated together."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.metrics._ranking import roc_auc_score

__all__ = ["mean_average_precision_at_n_score", "open_set_score"]

_N = [Interval(Integral, 1, None, closed="left")]


@validate_params({"y_true": ["array-like"], "y_pred": ["array-like"], "n": _N}, prefer_skip_nested_validation=True)
def mean_average_precision_at_n_score(y_true: Any, y_pred: Any, *, n: int = 20) -> float:
    """Mean over samples of the precision at the places of the true classes among the `n` best guesses.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), or list of n_samples collections
        True class of each sample, or its true classes.
    y_pred : array-like of shape (n_samples, n_guesses), or list of n_samples lists
        Guessed classes, the most probable first; guesses after the `n`-th are ignored, as are repeated ones.
    n : int, default=20
        Number of guesses that count.

    Returns
    -------
    float
        In [0, 1]. With one true class it is the mean of one over the place of that class, 0 where it is not among the
        guesses.

    Raises
    ------
    ValueError
        If a sample has no true class, or the lengths differ.

    See Also
    --------
    open_set_score : Adds the detection of unknown samples.

    Examples
    --------
    >>> from skanomaly.metrics import mean_average_precision_at_n_score
    >>> mean_average_precision_at_n_score(["cod", "eel"], [["cod", "ray"], ["ray", "eel"]])
    0.75
    """
    check_consistent_length(y_true, y_pred)
    total = 0.0
    for place, (truth, guesses) in enumerate(zip(y_true, y_pred, strict=True)):
        wanted = {truth} if isinstance(truth, str) or not hasattr(truth, "__iter__") else set(truth)
        if not wanted:
            raise ValueError(f"y_true[{place}] holds no class; leave such samples out.")
        found, hits = 0.0, 0
        for rank, guess in enumerate(list(dict.fromkeys(guesses))[:n], start=1):
            if guess in wanted:
                hits += 1
                found += hits / rank
        total += found / min(len(wanted), n)
    return total / len(y_true)


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "is_unknown": ["array-like"],
        "y_score": ["array-like"],
        "n": _N,
    },
    prefer_skip_nested_validation=True,
)
def open_set_score(y_true: Any, y_pred: Any, is_unknown: Any, y_score: Any, *, n: int = 20) -> float:
    """Mean of the ranking of known classes and of the detection of samples of unknown origin.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), or list of n_samples collections
        True class, or classes, of each sample.
    y_pred : array-like of shape (n_samples, n_guesses), or list of n_samples lists
        Guessed classes, the most probable first.
    is_unknown : array-like of shape (n_samples,), bool
        Whether a sample comes from outside the training distribution.
    y_score : array-like of shape (n_samples,)
        Score of each sample; lower is more anomalous.
    n : int, default=20
        Number of guesses that count.

    Returns
    -------
    float
        ``((2 * AUC - 1) + MAP@n) / 2``, in [-0.5, 1]: perfect guesses with a random score give 0.5.

    Raises
    ------
    ValueError
        If the lengths differ, or all samples are known or all unknown.

    See Also
    --------
    mean_average_precision_at_n_score : The first part.
    roc_auc_score : The second part.

    Notes
    -----
    The metric of the FathomNet 2023 competition [1]_, whose test images come from other depths than its
    training images; :class:`~skanomaly.model_selection.CovariateSplit` makes such a split.

    References
    ----------
    .. [1] E. Orenstein et al., "The FathomNet2023 Competition Dataset", 2023. arXiv:2307.08781.

    Examples
    --------
    >>> from skanomaly.metrics import open_set_score
    >>> open_set_score([1, 2, 2], [[1], [2], [2]], [False, False, True], [0.5, 0.4, 0.1])
    1.0
    """
    unknown = column_or_1d(is_unknown)
    if not set(np.unique(unknown).tolist()) <= {0, 1}:
        raise ValueError("is_unknown must hold True and False, or 1 and 0.")
    unknown = unknown.astype(bool)
    scores = check_array(column_or_1d(y_score), ensure_2d=False, dtype=np.float64)
    check_consistent_length(y_true, y_pred, unknown, scores)
    if unknown.all() or not unknown.any():
        raise ValueError("is_unknown must hold both known and unknown samples.")
    area = roc_auc_score(np.where(unknown, -1, 1), scores)
    return (2.0 * area - 1.0 + mean_average_precision_at_n_score(y_true, y_pred, n=n)) / 2.0
