"""Sensitivity of explanations to the parameters and the seed of the explainer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.model_selection import ParameterGrid

from skanomaly._support._results import ShortRepr
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params

__all__ = ["ExplanationSensitivity", "explanation_sensitivity"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class ExplanationSensitivity(ShortRepr):
    """Result of :func:`explanation_sensitivity`.

    Attributes
    ----------
    settings : list of dict
        Every combination of the grid.
    similarity : ndarray of shape (n_settings, n_settings)
        Mean rank correlation between the explanations of a row under two settings, over rows and pairs of seeds. The
        diagonal compares two seeds under one setting, which is the effect of the seed alone.
    top_overlap : ndarray of shape (n_settings, n_settings)
        The same for the Jaccard index of the columns with the `n_top` largest absolute contributions.
    sign_agreement : ndarray of shape (n_settings, n_settings)
        The same for the fraction of columns whose contributions have equal signs.
    by_parameter : dict of str to float
        Fraction of the variance of contributions that each parameter explains by itself, in [0, 1], and that of the
        seed under ``"random_state"``. The remainder is interaction. All are 0 where nothing varies.
    row_similarity : ndarray of shape (n_samples,)
        Mean rank correlation over all pairs of settings and seeds, for each row: low is unstable.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.inspection import explanation_sensitivity
    >>> found = explanation_sensitivity(
    ...     lambda X, scale, **_: scale * np.array(X), [[1.0, 3.0]], {"scale": [1, 2]}
    ... )
    >>> found.similarity
    array([[1., 1.],
           [1., 1.]])
    """

    settings: list[dict[str, Any]]
    similarity: Floats
    top_overlap: Floats
    sign_agreement: Floats
    by_parameter: dict[str, float]
    row_similarity: Floats


@validate_params(
    {
        "explain": [callable],
        "param_grid": [dict],
        "n_seeds": [Interval(Integral, 1, None, closed="left")],
        "n_top": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def explanation_sensitivity(
    explain: Callable[..., Any],
    X: Any,
    param_grid: Mapping[str, Sequence[Any]],
    *,
    n_seeds: int = 5,
    n_top: int = 5,
    random_state: Any = None,
) -> ExplanationSensitivity:
    """Explain rows with every combination of parameters and several seeds, and compare the explanations.

    Parameters
    ----------
    explain : callable
        ``explain(X, random_state=seed, **settings)`` returns contributions: array-like of shape
        (n_samples, n_features).
    X : array-like of shape (n_samples, n_features)
        Passed to `explain` unchanged.
    param_grid : dict of str to sequence
        Parameters and their values, as for a grid search; all combinations are used.
    n_seeds : int, default=5
        Number of seeds for each combination; the seeds are the same for all.
    n_top : int, default=5
        Number of columns in `top_overlap`.
    random_state : int, RandomState instance or None, default=None
        Draws the seeds.

    Returns
    -------
    ExplanationSensitivity

    See Also
    --------
    LimeExplainer : An explainer with many parameters.

    Notes
    -----
    The comparison is that of [1]_. Rank correlations over many contributions near zero measure noise; `top_overlap`
    does not depend on them. The fraction of a parameter is the variance of the mean over all other parameters and
    seeds over the total variance: its first-order sensitivity index.

    The cost is one explanation of all rows for each combination and seed.

    References
    ----------
    .. [1] Bansal, N., Agarwal, C. and Nguyen, A. (2020). "SAM: the sensitivity of attribution methods to
       hyperparameters". CVPR, 8673-8683. arXiv:2003.08754.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.inspection import LimeExplainer, explanation_sensitivity
    >>> rows = np.random.RandomState(0).normal(size=(100, 5))
    >>> forest = IsolationForest(n_estimators=20, random_state=0).fit(rows)
    >>> def explain(X, **settings):
    ...     return (
    ...         LimeExplainer(background=rows, **settings).explain(forest, X).contributions
    ...     )
    >>> found = explanation_sensitivity(
    ...     explain, 3 * rows[:4], {"n_samples": [30, 300]}, random_state=0
    ... )
    >>> bool(found.similarity[1, 1] > found.similarity[0, 0])
    True
    """
    settings = list(ParameterGrid(param_grid))
    seeds = generator(random_state).integers(np.iinfo(np.int32).max, size=n_seeds).tolist()
    explained = np.array(
        [[np.asarray(explain(X, random_state=seed, **setting), np.float64) for seed in seeds] for setting in settings]
    )
    if explained.ndim != 4:
        raise ValueError(f"explain returned arrays of shape {explained.shape[2:]}; (n_samples, n_features) is needed.")
    ranks = rankdata(explained, axis=-1)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    top = _top(np.abs(explained), min(n_top, explained.shape[-1]))
    pairs = [
        (first, second, measured)
        for first in range(len(settings))
        for second in range(first, len(settings))
        for measured in [_compare(explained, ranks, top, first, second)]
    ]
    similarity, overlap, signs = np.empty((3, len(settings), len(settings)))
    rows = np.zeros(explained.shape[2])
    for first, second, measured in pairs:
        for matrix, values in zip((similarity, overlap, signs), measured, strict=True):
            matrix[first, second] = matrix[second, first] = values.mean()
        rows += measured[0].mean(axis=0) / len(pairs)
    fractions = _variance_fractions(explained, settings, param_grid)
    return ExplanationSensitivity(settings, similarity, overlap, signs, fractions, rows)


def _top(sizes: Floats, n_top: int) -> NDArray[np.bool_]:
    """Mark the largest entries of the last axis; none that is 0."""
    order = np.argsort(-sizes, axis=-1, kind="stable")[..., :n_top]
    marked = np.zeros(sizes.shape, dtype=bool)
    np.put_along_axis(marked, order, values=True, axis=-1)
    return marked & (sizes > 0)


def _compare(
    explained: Floats, ranks: Floats, top: NDArray[np.bool_], first: int, second: int
) -> tuple[Floats, Floats, Floats]:
    """Compare two settings over all pairs of different seeds: three arrays of shape (n_pairs, n_samples)."""
    n_seeds = explained.shape[1]
    places = [(a, b) for a in range(n_seeds) for b in range(n_seeds) if a != b or n_seeds == 1]
    left, right = np.array(places).T
    a, b = ranks[first, left], ranks[second, right]
    norms = np.sqrt(np.square(a).sum(axis=-1) * np.square(b).sum(axis=-1))
    products = (a * b).sum(axis=-1)
    both_flat = np.equal(a, 0).all(axis=-1) & np.equal(b, 0).all(axis=-1)
    correlation = np.divide(products, norms, out=both_flat.astype(np.float64), where=norms > 0)
    a_top, b_top = top[first, left], top[second, right]
    either = (a_top | b_top).sum(axis=-1)
    overlap = np.divide((a_top & b_top).sum(axis=-1), either, out=np.ones(either.shape), where=either > 0)
    signs = np.equal(np.sign(explained[first, left]), np.sign(explained[second, right])).mean(axis=-1)
    return correlation, overlap, signs


def _variance_fractions(
    explained: Floats, settings: list[dict[str, Any]], param_grid: Mapping[str, Sequence[Any]]
) -> dict[str, float]:
    """Return the fraction of the variance over settings and seeds that each parameter and the seed explain alone."""
    total = explained.reshape(-1, *explained.shape[2:]).var(axis=0).sum()
    over_seeds = explained.mean(axis=1)
    between = {}
    for name, values in param_grid.items():
        groups = [[setting[name] is value for setting in settings] for value in values]
        means = np.array([over_seeds[np.array(group)].mean(axis=0) for group in groups])
        between[name] = means.var(axis=0).sum()
    between["random_state"] = explained.mean(axis=0).var(axis=0).sum()
    return {name: float(variance / total) if total > 0 else 0.0 for name, variance in between.items()}
