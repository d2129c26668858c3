"""Many defensible choices, many seeds: what the conclusion would have been."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, stats
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid

from skanomaly._support._blocks import map_blocks
from skanomaly._support._responses import outlyingness
from skanomaly._support._results import ShortRepr
from skanomaly._support._seeds import generator
from skanomaly.model_selection._agreement_scorers import oddest
from skanomaly.model_selection._ensemble import seeded
from skanomaly.model_selection._label_scorers import AnomalyScorer
from skanomaly.model_selection._names import get_scorer
from skanomaly.model_selection._resampling import bootstrap_counts, permutation_counts, resampled_values
from skanomaly.model_selection._tables import rank_correlation, row_ranks

__all__ = ["SeedStability", "SpecificationCurve", "seed_stability", "specification_curve"]

Scoring = str | Callable[..., float] | None


@dataclass(frozen=True, repr=False)
class _Runs(ShortRepr):
    """Several fits of one estimator on the same rows, and how far they agree.

    Kept apart from its two uses so that both read alike.
    """

    values: NDArray[np.float64]
    scores: NDArray[np.float64]
    flag_share: NDArray[np.float64]
    rank_agreement: NDArray[np.float64]
    seconds: NDArray[np.float64]
    top_share: float

    @property
    def flipping_rows(self) -> NDArray[np.intp]:
        """Rows that some runs find among the oddest and others do not, the most disputed first."""
        disputed = np.flatnonzero((self.flag_share > 0) & (self.flag_share < 1))
        return disputed[np.argsort(np.abs(self.flag_share[disputed] - 0.5), kind="stable")]

    @property
    def mean_agreement(self) -> float:
        """Mean of Spearman's correlation over pairs of runs; NaN for a single run."""
        n_runs = len(self.rank_agreement)
        if n_runs < 2:
            return float("nan")
        return float((self.rank_agreement.sum() - n_runs) / (n_runs * (n_runs - 1)))


@dataclass(frozen=True, repr=False)
class SpecificationCurve(_Runs):
    """What each of many analytic choices leads to; made by :func:`specification_curve`.

    Attributes
    ----------
    parameters : list of dict
        The choices of each run.
    values : ndarray of shape (n_runs,)
        The metric; without labels and scoring, the agreement with the mean rank of all runs.
    order : ndarray of int
        Runs from the smallest value to the largest: the curve.
    choice_shares : dict of str to float
        Share of the variance of `values` between the levels of each choice alone. What is missing to 1 is interaction;
        0 for all where nothing varies. In a list of grids a choice that a grid leaves out has the level "default"
        there; choices that come and go together share what they explain, and shares may then sum to more than 1.
    pvalue : float
        Share of permuted labels whose median over the runs is at least as large; NaN where none were permuted.
    scores : ndarray of shape (n_samples, n_runs)
        ``score_samples`` of all rows; small is odd.
    flag_share : ndarray of shape (n_samples,)
        Share of the runs in which a row is among the oddest.
    flipping_rows : ndarray of int
        Rows on which runs differ, the most disputed first.
    rank_agreement : ndarray of shape (n_runs, n_runs)
        Spearman's correlation of scores.
    mean_agreement : float
        Its mean over pairs.
    seconds : ndarray of shape (n_runs,)
        Fitting and scoring.
    top_share : float
        Share of the rows that counts as oddest.

    See Also
    --------
    SeedStability : The same for seeds.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import specification_curve
    >>> X, y = make_shifted_anomalies(n_samples=200, random_state=0)
    >>> grid = {"n_estimators": [1, 50], "max_features": [0.5, 1.0]}
    >>> curve = specification_curve(IsolationForest(random_state=0), grid, X, y)
    >>> max(curve.choice_shares, key=curve.choice_shares.get)
    'n_estimators'
    """

    parameters: list[dict[str, Any]]
    choice_shares: dict[str, float]
    pvalue: float

    @property
    def order(self) -> NDArray[np.intp]:
        """Runs from the smallest value to the largest."""
        return np.argsort(self.values, kind="stable")


@dataclass(frozen=True, repr=False)
class SeedStability(_Runs):
    """How far the seed decides; made by :func:`seed_stability`.

    Attributes
    ----------
    seeds : ndarray of int
        One a run.
    values : ndarray of shape (n_runs,)
        The metric; without labels and scoring, the agreement with the mean rank of all runs.
    mean, std : float
        Of `values`; the deviation with n - 1.
    sampling_std : float
        Deviation of the metric over bootstrap resamples of the labelled rows, of anomalies and normal rows apart,
        averaged over runs: what another table would change. NaN without labels.
    scores, flag_share, flipping_rows, rank_agreement, mean_agreement, seconds, top_share
        As in :class:`SpecificationCurve`.

    See Also
    --------
    SpecificationCurve : The same for analytic choices.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import seed_stability
    >>> X, y = make_shifted_anomalies(n_samples=200, random_state=0)
    >>> stability = seed_stability(IsolationForest(n_estimators=10), X, y, n_seeds=10)
    >>> stability.std < 0.1 and stability.mean_agreement > 0.5
    True
    """

    seeds: NDArray[np.int64]
    sampling_std: float

    def __repr__(self) -> str:
        """Return the class, mean and deviation, and its fields, long ones in short."""
        name, fields = super().__repr__().split("(", 1)
        return f"{name}(mean={self.mean!r}, std={self.std!r}, {fields}"

    @property
    def mean(self) -> float:
        """Mean of the metric over seeds."""
        return float(self.values.mean())

    @property
    def std(self) -> float:
        """Deviation of the metric over seeds."""
        return float(self.values.std(ddof=1)) if self.values.size > 1 else 0.0

    def expected_best(self, n_seeds: int) -> float:
        r"""Return the best value that luck alone brings among `n_seeds` tries.

        Parameters
        ----------
        n_seeds : int

        Returns
        -------
        float
            Mean plus deviation times the expected largest of `n_seeds` normal draws (1.54 for 10, 3.85 for 10,000).
        """
        return self.mean + self.std * _expected_largest(n_seeds)

    def seeds_needed(self, half_width: float, *, level: float = 0.95) -> int:
        """Return how many seeds make the mean certain to within `half_width`.

        Parameters
        ----------
        half_width : float
            Half the width of the normal interval of the mean; above 0.
        level : float, default=0.95

        Returns
        -------
        int
            At least 1.
        """
        if not half_width > 0:
            raise ValueError(f"half_width={half_width!r} must be above 0.")
        return max(1, int(np.ceil((stats.norm.ppf((1 + level) / 2) * self.std / half_width) ** 2)))


def specification_curve(
    estimator: Any,
    param_grid: Any,
    X: Any,
    y: Any = None,
    *,
    scoring: Scoring = None,
    top_share: float = 0.05,
    n_permutations: int = 0,
    n_jobs: int | None = None,
    random_state: Any = None,
) -> SpecificationCurve:
    """Run every combination of defensible choices, and say which of them move the conclusion.

    Parameters
    ----------
    estimator : estimator
        Detector or pipeline; cloned. Give it a `random_state`, or the seed counts as a part of every choice.
    param_grid : dict or list of dict
        Choices, as for scikit-learn's ``ParameterGrid``.
    X : array-like of shape (n_samples, n_features)
        Rows to fit and to score.
    y : array-like of shape (n_samples,), default=None
        Labels that judge; they do not train.
    scoring : str, callable or None, default=None
        Name for :func:`get_scorer` or ``scorer(estimator, X, y)``. None is "average_precision" with `y`, and without it
        the agreement of a run with the mean rank of all runs.
    top_share : float, default=0.05
        Share of the rows that counts as oddest, in (0, 0.5].
    n_permutations : int, default=0
        Permutations of the labels for `pvalue`, which tests whether the median run does better than chance. It needs
        labels and a scorer of scores.
    n_jobs : int or None, default=None
        Threads over runs.
    random_state : int, RandomState instance or None, default=None
        For the permutations.

    Returns
    -------
    SpecificationCurve

    See Also
    --------
    seed_stability : Varies the seed.
    ReusableHoldout : To pick one of the runs and still report an honest value.

    Notes
    -----
    Simonsohn, Simmons and Nelson [1]_ propose to show all reasonable specifications instead of one. The curve is for
    judging a conclusion, not for picking its largest value. Shares are sums of squares between the levels of one choice
    over the total.

    References
    ----------
    .. [1] Simonsohn, U., Simmons, J. P. and Nelson, L. D. (2020). Specification curve analysis. Nature Human Behaviour
       4. https://doi.org/10.1038/s41562-020-0912-z

    Examples
    --------
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import specification_curve
    >>> X, y = make_shifted_anomalies(n_samples=200, random_state=0)
    >>> grid = {"n_neighbors": [5, 20, 60], "p": [1, 2]}
    >>> curve = specification_curve(LocalOutlierFactor(novelty=True), grid, X)
    >>> len(curve.values), curve.choice_shares["n_neighbors"] > curve.choice_shares["p"]
    (6, True)
    """
    points = list(ParameterGrid(param_grid))
    clones = [clone(estimator).set_params(**point) for point in points]
    scorer = _scorer(scoring, y)
    runs = _run(clones, X, y, scorer, top_share, n_jobs)
    pvalue = float("nan")
    if n_permutations:
        pvalue = _permutation_pvalue(runs["values"], runs["scores"], y, scorer, n_permutations, random_state)
    return SpecificationCurve(
        **runs,
        top_share=top_share,
        parameters=points,
        choice_shares=choice_shares(points, runs["values"]),
        pvalue=pvalue,
    )


def seed_stability(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    n_seeds: int = 20,
    scoring: Scoring = None,
    top_share: float = 0.05,
    n_resamples: int = 100,
    n_jobs: int | None = None,
    random_state: Any = 0,
) -> SeedStability:
    """Fit with several seeds, and say how far scores, metric and flagged rows depend on them.

    Parameters
    ----------
    estimator : estimator
        Detector or pipeline; cloned. Every ``random_state`` in it is set.
    X : array-like of shape (n_samples, n_features)
        Rows to fit and to score.
    y : array-like of shape (n_samples,), default=None
        Labels that judge; they do not train.
    n_seeds : int, default=20
        Runs.
    scoring : str, callable or None, default=None
        As in :func:`specification_curve`.
    top_share : float, default=0.05
        Share of the rows that counts as oddest, in (0, 0.5].
    n_resamples : int, default=100
        Bootstrap resamples for `sampling_std`, with labels and a scorer of scores.
    n_jobs : int or None, default=None
        Threads over runs.
    random_state : int, RandomState instance or None, default=0
        Draws the seeds and resamples.

    Returns
    -------
    SeedStability

    See Also
    --------
    specification_curve : Varies the analytic choices.

    Notes
    -----
    After Picard [1]_: among enough seeds some are lucky, and the largest value says more about their number than about
    the method. Report `mean` and `std`, and hold a gain against :meth:`SeedStability.expected_best`.

    References
    ----------
    .. [1] Picard, D. (2021). Torch.manual_seed(3407) is all you need: on the influence of random seeds in deep learning
       architectures for computer vision. arXiv:2109.08203.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import seed_stability
    >>> X, _ = make_shifted_anomalies(n_samples=200, random_state=0)
    >>> few = seed_stability(IsolationForest(n_estimators=5), X, n_seeds=5)
    >>> many = seed_stability(IsolationForest(n_estimators=100), X, n_seeds=5)
    >>> few.mean_agreement < many.mean_agreement and len(few.flipping_rows) > len(many.flipping_rows)
    True
    """
    if n_seeds < 1:
        raise ValueError(f"n_seeds={n_seeds!r} must be at least 1.")
    random = generator(random_state)
    seeds = random.integers(2**31 - 1, size=n_seeds)
    clones = [seeded(clone(estimator), int(seed), all_seeds=True) for seed in seeds]
    scorer = _scorer(scoring, y)
    runs = _run(clones, X, y, scorer, top_share, n_jobs)
    sampling_std = float("nan")
    if _resamples(scorer) and y is not None:
        sampling_std = _sampling_std(runs["scores"], y, scorer, n_resamples, random)
    return SeedStability(**runs, top_share=top_share, seeds=seeds, sampling_std=sampling_std)


def _scorer(scoring: Scoring, y: Any) -> Callable[..., float] | None:
    if isinstance(scoring, str):
        return get_scorer(scoring)
    if scoring is None and y is not None:
        return get_scorer("average_precision")
    return scoring


def _run(
    clones: list[Any], X: Any, y: Any, scorer: Callable[..., float] | None, top_share: float, n_jobs: int | None
) -> dict[str, Any]:
    """Fit, score and judge each clone, and compare their orders of rows."""
    if not 0 < top_share <= 0.5:
        raise ValueError(f"top_share={top_share!r} must be in (0, 0.5].")

    def run(estimator: Any) -> tuple[NDArray[np.float64], float, float]:
        start = time.perf_counter()
        odd = outlyingness(estimator.fit(X), X)
        seconds = time.perf_counter() - start
        if scorer is None:
            return odd, float("nan"), seconds
        return odd, float(scorer(estimator, X) if y is None else scorer(estimator, X, y)), seconds

    columns, values, seconds = zip(*map_blocks(run, clones, n_jobs=n_jobs), strict=True)
    odd = np.column_stack(columns)
    ranks = row_ranks(odd)
    return {
        "values": np.array(values if scorer else [rank_correlation(column, ranks.sum(axis=1)) for column in ranks.T]),
        "scores": -odd,
        "flag_share": np.column_stack([oddest(column, top_share) for column in odd.T]).mean(axis=1),
        "rank_agreement": _rank_agreement(ranks),
        "seconds": np.array(seconds),
    }


def _rank_agreement(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate columns of ranks; a constant column agrees with itself only."""
    centred = ranks - ranks.mean(axis=0)
    lengths = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(lengths > 0, lengths, 1.0)
    agreement: NDArray[np.float64] = np.clip(unit.T @ unit, -1.0, 1.0)
    np.fill_diagonal(agreement, 1.0)
    return agreement


def choice_shares(points: list[dict[str, Any]], values: NDArray[np.float64]) -> dict[str, float]:
    """Share of the variance of values that lies between the levels of each choice.

    Parameters
    ----------
    points : list of dict
        A choice that is absent from a point is a level of its own.
    values : ndarray of shape (n_points,)
        NaN is left out.

    Returns
    -------
    dict of str to float
    """
    known = np.isfinite(values)
    total = float(((values[known] - values[known].mean()) ** 2).sum()) if known.any() else 0.0
    shares = {}
    for name in sorted({name for point in points for name in point}):
        between = 0.0
        levels = np.array([repr(point[name]) if name in point else "default" for point in points])[known]
        for level in np.unique(levels):
            members = values[known][levels == level]
            between += members.size * float(members.mean() - values[known].mean()) ** 2
        shares[name] = between / total if total > 0 else 0.0
    return shares


def _permutation_pvalue(
    values: NDArray[np.float64],
    scores: NDArray[np.float64],
    y: Any,
    scorer: Any,
    n_permutations: int,
    random_state: Any,
) -> float:
    if not _resamples(scorer) or y is None:
        raise ValueError("n_permutations needs y and a scorer of scores of unordered rows, such as 'roc_auc'.")
    counts = permutation_counts(scorer.labels(y), n_permutations, generator(random_state))
    medians = np.median(_resampled(scorer, scores, counts), axis=1)
    return float((np.count_nonzero(medians >= np.median(values)) + 1) / (n_permutations + 1))


def _sampling_std(
    scores: NDArray[np.float64], y: Any, scorer: AnomalyScorer, n_resamples: int, random: np.random.Generator
) -> float:
    labels = scorer.labels(y)
    if not {-1, 1} <= set(labels.tolist()) or n_resamples < 2:
        return float("nan")
    counts = bootstrap_counts(labels, n_resamples, random)
    return float(np.std(_resampled(scorer, scores, counts), axis=0, ddof=1).mean())


def _resamples(scorer: Any) -> TypeGuard[AnomalyScorer]:
    """Whether rows may be resampled and permuted under this scorer."""
    return isinstance(scorer, AnomalyScorer) and scorer.response == "score" and not scorer.ordered


def _resampled(scorer: AnomalyScorer, scores: NDArray[np.float64], counts: Any) -> NDArray[np.float64]:
    metric = partial(scorer.house_metric, **scorer.parameters) if scorer.parameters else scorer.house_metric
    values = resampled_values(metric, scores, *counts)
    return values if scorer.greater_is_better else -values


def _expected_largest(n_draws: int) -> float:
    """Return the expected largest of standard normal draws."""
    if n_draws < 1:
        raise ValueError(f"n_seeds={n_draws!r} must be at least 1.")
    if n_draws == 1:
        return 0.0

    def density(x: float) -> float:
        return float(x * n_draws * np.exp(stats.norm.logpdf(x) + (n_draws - 1) * stats.norm.logcdf(x)))

    return float(integrate.quad(density, -9.0, 9.0, points=[0.0, 3.0], limit=200)[0])
