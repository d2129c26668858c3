"""Sensitivity of a result to analytic choices and to random seeds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, stats
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid

from skanomaly._support._blocks import map_fits
from skanomaly._support._responses import outlyingness
from skanomaly._support._results import ShortRepr
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.model_selection._agreement_scorers import most_anomalous
from skanomaly.model_selection._ensemble import seeded
from skanomaly.model_selection._label_scorers import AnomalyScorer
from skanomaly.model_selection._names import get_scorer
from skanomaly.model_selection._resampling import bootstrap_counts, permutation_counts, resampled_values
from skanomaly.model_selection._tables import rank_correlation, row_ranks

__all__ = [
    "SeedStability",
    "SpecificationCurve",
    "expected_largest",
    "resamples_rows",
    "sampling_std_of",
    "seed_stability",
    "specification_curve",
]

Scoring = str | Callable[..., float] | None

# What both functions check. Nested estimators are still validated.
_CONSTRAINTS: dict[str, list[Any]] = {
    "scoring": [str, callable, None],
    "top_fraction": [Interval(Real, 0, 0.5, closed="right")],
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
}


@dataclass(frozen=True, repr=False)
class _Runs(ShortRepr):
    """Several fits of one estimator on the same rows, and their agreement: base of the two results."""

    values: NDArray[np.float64]
    scores: NDArray[np.float64]
    flag_fraction: NDArray[np.float64]
    rank_agreement: NDArray[np.float64]
    seconds: NDArray[np.float64]
    top_fraction: float

    @property
    def flipping_rows(self) -> NDArray[np.intp]:
        """Rows that are among the most anomalous in some runs only, those nearest to half of the runs first."""
        disputed = np.flatnonzero((self.flag_fraction > 0) & (self.flag_fraction < 1))
        return disputed[np.argsort(np.abs(self.flag_fraction[disputed] - 0.5), kind="stable")]

    @property
    def mean_agreement(self) -> float:
        """Mean of Spearman's correlation over pairs of runs; NaN for a single run."""
        n_runs = len(self.rank_agreement)
        if n_runs < 2:
            return float("nan")
        return float((self.rank_agreement.sum() - n_runs) / (n_runs * (n_runs - 1)))


@dataclass(frozen=True, repr=False)
class SpecificationCurve(_Runs):
    """Results of all combinations of analytic choices; returned by :func:`specification_curve`.

    Attributes
    ----------
    parameters : list of dict
        The choices of each run.
    values : ndarray of shape (n_runs,)
        The metric of each run; without labels and scoring, its rank correlation with the mean rank of all runs.
    order : ndarray of int
        Runs from the smallest value to the largest.
    metric_values : dict of str to ndarray of shape (n_runs,)
        With a list for `scoring`: the runs by each metric, of which `values` is the first. Empty otherwise.
    metric_agreement : ndarray of shape (n_metrics, n_metrics)
        Spearman's correlation over the runs between two metrics; empty for a single one.
    pareto : ndarray of int
        Runs that no other run equals or exceeds in all metrics while exceeding them in one.
    explained_variance_ratio : dict of str to float
        Fraction of the variance of `values` that lies between the levels of each choice. The remainder to 1 is
        interaction. All are 0 where nothing varies. In a list of grids, a choice that a grid leaves out has the level
        "default" there; choices that always occur together explain the same variance, and the fractions may then sum to
        more than 1.
    pvalue : float
        Fraction of permutations of the labels for which the median over the runs is at least as large; NaN where labels
        were not permuted.
    scores : ndarray of shape (n_samples, n_runs)
        ``score_samples`` of all rows; lower is more anomalous.
    flag_fraction : ndarray of shape (n_samples,)
        Fraction of the runs in which a row is among the most anomalous.
    flipping_rows : ndarray of int
        Rows that are among the most anomalous in some runs only, those nearest to half of the runs first.
    rank_agreement : ndarray of shape (n_runs, n_runs)
        Spearman's correlation between the scores of two runs.
    mean_agreement : float
        Mean of `rank_agreement` over pairs of runs.
    seconds : ndarray of shape (n_runs,)
        Time for fitting and scoring.
    top_fraction : float
        Fraction of the rows that counts as most anomalous.

    See Also
    --------
    SeedStability : The same for random seeds.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import specification_curve
    >>> X, y = make_shifted_anomalies(n_samples=200, random_state=0)
    >>> grid = {"n_estimators": [1, 50], "max_features": [0.5, 1.0]}
    >>> curve = specification_curve(IsolationForest(random_state=0), grid, X, y)
    >>> max(curve.explained_variance_ratio, key=curve.explained_variance_ratio.get)
    'n_estimators'
    """

    parameters: list[dict[str, Any]]
    explained_variance_ratio: dict[str, float]
    pvalue: float
    metric_values: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def metric_agreement(self) -> NDArray[np.float64]:
        """Spearman's correlation over the runs between two metrics."""
        if not self.metric_values:
            return np.empty((0, 0))
        return _rank_agreement(row_ranks(np.column_stack(list(self.metric_values.values()))))

    @property
    def pareto(self) -> NDArray[np.intp]:
        """Runs that no other run equals or exceeds in all metrics while exceeding them in one."""
        table = np.column_stack(list(self.metric_values.values()) or [self.values])
        beaten = [bool(((table >= run).all(axis=1) & (table > run).any(axis=1)).any()) for run in table]
        return np.flatnonzero(~np.array(beaten))

    @property
    def order(self) -> NDArray[np.intp]:
        """Runs from the smallest value to the largest."""
        return np.argsort(self.values, kind="stable")


@dataclass(frozen=True, repr=False)
class SeedStability(_Runs):
    """Dependence of scores and metric on the random seed; returned by :func:`seed_stability`.

    Attributes
    ----------
    seeds : ndarray of int
        Seed of each run.
    values : ndarray of shape (n_runs,)
        The metric of each run; without labels and scoring, its rank correlation with the mean rank of all runs.
    mean, std : float
        Mean and standard deviation of `values`, the latter with n - 1.
    sampling_std : float
        Standard deviation of the metric over bootstrap resamples of the labelled rows, averaged over runs; it estimates
        the variation between tables. Anomalies and normal rows are resampled separately. NaN without labels.
    scores, flag_fraction, flipping_rows, rank_agreement, mean_agreement, seconds, top_fraction
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
    >>> stability = seed_stability(
    ...     IsolationForest(n_estimators=10), X, y, n_seeds=10, random_state=0
    ... )
    >>> stability.std < 0.1 and stability.mean_agreement > 0.5
    True
    """

    seeds: NDArray[np.int64]
    sampling_std: float

    def __repr__(self) -> str:
        """Return the class, mean, standard deviation and fields, long ones abbreviated."""
        name, fields = super().__repr__().split("(", 1)
        return f"{name}(mean={self.mean!r}, std={self.std!r}, {fields}"

    @property
    def mean(self) -> float:
        """Mean of the metric over seeds."""
        return float(self.values.mean())

    @property
    def std(self) -> float:
        """Standard deviation of the metric over seeds."""
        return float(self.values.std(ddof=1)) if self.values.size > 1 else 0.0

    def expected_best(self, n_seeds: int) -> float:
        r"""Return the expected best value among `n_seeds` seeds, by chance alone.

        Parameters
        ----------
        n_seeds : int

        Returns
        -------
        float
            Mean plus standard deviation times the expected maximum of `n_seeds` standard normal draws (1.54 for 10,
            3.85 for 10,000).
        """
        return self.mean + self.std * expected_largest(n_seeds)

    def seeds_needed(self, half_width: float, *, level: float = 0.95) -> int:
        """Return the number of seeds after which the mean is known to within `half_width`.

        Parameters
        ----------
        half_width : float
            Half of the width of the normal confidence interval of the mean; above 0.
        level : float, default=0.95
            Level of the interval.

        Returns
        -------
        int
            At least 1.
        """
        if not half_width > 0:
            raise ValueError(f"half_width={half_width!r} must be above 0.")
        return max(1, int(np.ceil((stats.norm.ppf((1 + level) / 2) * self.std / half_width) ** 2)))


@validate_params(
    {
        **_CONSTRAINTS,
        "scoring": [str, callable, list, None],
        "n_permutations": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=False,
)
def specification_curve(
    estimator: Any,
    param_grid: Any,
    X: Any,
    y: Any = None,
    *,
    scoring: Scoring | list[str] = None,
    top_fraction: float = 0.05,
    n_permutations: int = 0,
    n_jobs: int | None = None,
    random_state: Any = None,
) -> SpecificationCurve:
    """Evaluate every combination of analytic choices, and measure which choices change the result.

    Parameters
    ----------
    estimator : estimator
        Detector or pipeline; cloned. Set its `random_state`, or differences between seeds are attributed to the
        choices.
    param_grid : dict or list of dict
        The choices, as for scikit-learn's ``ParameterGrid``.
    X : array-like of shape (n_samples, n_features)
        Rows that are used for fitting and scored.
    y : array-like of shape (n_samples,), default=None
        Labels for the evaluation; they are not passed to ``fit``.
    scoring : str, callable, list of str or None, default=None
        Name for :func:`get_scorer` or ``scorer(estimator, X, y)``; or several names, of which the first gives `values`
        and all give `metric_values`. None is "average_precision" with `y`; without `y` it
        is the rank correlation of a run with the mean rank of all runs.
    top_fraction : float, default=0.05
        Fraction of the rows that counts as most anomalous, in (0, 0.5].
    n_permutations : int, default=0
        Number of permutations of the labels for `pvalue`, which tests whether the median run is better than chance. It
        needs labels and a scorer that compares scores.
    n_jobs : int or None, default=None
        Number of threads over runs.
    random_state : int, RandomState instance or None, default=None
        Seeds the permutations.

    Returns
    -------
    SpecificationCurve

    See Also
    --------
    seed_stability : Varies the seed.
    ReusableHoldout : To select one of the runs and report a valid estimate for it.

    Notes
    -----
    With several metrics `metric_agreement` shows whether a good run by one metric is a good run by the others, and
    `pareto` which runs are not beaten. Fidelity by one criterion often comes without fidelity by another [2]_.

    Simonsohn, Simmons and Nelson [1]_ propose to report all reasonable specifications instead of one. Use the curve to
    assess a conclusion, not to select the largest value. ``explained_variance_ratio`` is the sum of squares between the
    levels of one choice over the total sum of squares.

    References
    ----------
    .. [1] Simonsohn, U., Simmons, J. P. and Nelson, L. D. (2020). Specification curve analysis. Nature Human Behaviour
       4. https://doi.org/10.1038/s41562-020-0912-z
    .. [2] Cummins, J. (2025). The threat of analytic flexibility in using large language models to simulate human data:
       A call to attention. arXiv:2509.13397.

    Examples
    --------
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import specification_curve
    >>> X, y = make_shifted_anomalies(n_samples=200, random_state=0)
    >>> grid = {"n_neighbors": [5, 20, 60], "p": [1, 2]}
    >>> curve = specification_curve(LocalOutlierFactor(novelty=True), grid, X)
    >>> (
    ...     len(curve.values),
    ...     curve.explained_variance_ratio["n_neighbors"]
    ...     > curve.explained_variance_ratio["p"],
    ... )
    (6, True)
    """
    points = list(ParameterGrid(param_grid))
    clones = [clone(estimator).set_params(**point) for point in points]
    names: list[str] = scoring if isinstance(scoring, list) else []
    if isinstance(scoring, list) and len(set(scoring)) < max(2, len(scoring)):
        raise ValueError(f"scoring={scoring!r} must hold at least two different names; give a single one as a string.")
    scorer = _scorer(names[0] if isinstance(scoring, list) else scoring, y)
    runs = _run(clones, X, y, scorer, top_fraction, n_jobs, others=[get_scorer(name) for name in names[1:]])
    others = runs.pop("others")
    pvalue = float("nan")
    if n_permutations:
        pvalue = _permutation_pvalue(runs["values"], runs["scores"], y, scorer, n_permutations, random_state)
    return SpecificationCurve(
        **runs,
        top_fraction=top_fraction,
        parameters=points,
        explained_variance_ratio=explained_variance_ratio(points, runs["values"]),
        pvalue=pvalue,
        metric_values=dict(zip(names, [runs["values"], *others], strict=True)) if names else {},
    )


@validate_params(
    {
        **_CONSTRAINTS,
        "n_seeds": [Interval(Integral, 1, None, closed="left")],
        "n_resamples": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=False,
)
def seed_stability(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    n_seeds: int = 20,
    scoring: Scoring = None,
    top_fraction: float = 0.05,
    n_resamples: int = 100,
    n_jobs: int | None = None,
    random_state: Any = None,
) -> SeedStability:
    """Fit with several random seeds, and measure how much scores, metric and flagged rows depend on them.

    Parameters
    ----------
    estimator : estimator
        Detector or pipeline; cloned. Every ``random_state`` in it is set to the seed of the run.
    X : array-like of shape (n_samples, n_features)
        Rows that are used for fitting and scored.
    y : array-like of shape (n_samples,), default=None
        Labels for the evaluation; they are not passed to ``fit``.
    n_seeds : int, default=20
        Number of seeds, one run each.
    scoring : str, callable or None, default=None
        As in :func:`specification_curve`.
    top_fraction : float, default=0.05
        Fraction of the rows that counts as most anomalous, in (0, 0.5].
    n_resamples : int, default=100
        Number of bootstrap resamples for `sampling_std`, which needs labels and a scorer that compares scores.
    n_jobs : int or None, default=None
        Number of threads over runs.
    random_state : int, RandomState instance or None, default=None
        Draws the seeds and resamples. None draws others at each call; pass an integer for reproducible results.

    Returns
    -------
    SeedStability

    See Also
    --------
    specification_curve : Varies the analytic choices.

    Notes
    -----
    Picard [1]_ shows that the best value among many seeds depends on their number more than on the method. Report
    `mean` and `std`, and compare an improvement with :meth:`SeedStability.expected_best`.

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
    >>> few = seed_stability(IsolationForest(n_estimators=5), X, n_seeds=5, random_state=0)
    >>> many = seed_stability(
    ...     IsolationForest(n_estimators=100), X, n_seeds=5, random_state=0
    ... )
    >>> few.mean_agreement < many.mean_agreement and len(few.flipping_rows) > len(
    ...     many.flipping_rows
    ... )
    True
    """
    random = generator(random_state)
    seeds = random.integers(2**31 - 1, size=n_seeds)
    clones = [seeded(clone(estimator), int(seed), all_seeds=True) for seed in seeds]
    scorer = _scorer(scoring, y)
    runs = _run(clones, X, y, scorer, top_fraction, n_jobs)
    del runs["others"]
    sampling_std = float("nan")
    if resamples_rows(scorer) and y is not None:
        sampling_std = sampling_std_of(runs["scores"], y, scorer, n_resamples, random)
    return SeedStability(**runs, top_fraction=top_fraction, seeds=seeds, sampling_std=sampling_std)


def _scorer(scoring: Scoring, y: Any) -> Callable[..., float] | None:
    if isinstance(scoring, str):
        return get_scorer(scoring)
    if scoring is None and y is not None:
        return get_scorer("average_precision")
    return scoring


def _run(
    clones: list[Any],
    X: Any,
    y: Any,
    scorer: Callable[..., float] | None,
    top_fraction: float,
    n_jobs: int | None,
    others: Sequence[Callable[..., float]] = (),
) -> dict[str, Any]:
    """Fit, score and evaluate each clone, and compare their rankings of rows."""

    def value(metric: Callable[..., float], estimator: Any) -> float:
        return float(metric(estimator, X) if y is None else metric(estimator, X, y))

    def run(estimator: Any) -> tuple[NDArray[np.float64], float, float, list[float]]:
        start = time.perf_counter()
        outlying = outlyingness(estimator.fit(X), X)
        seconds = time.perf_counter() - start
        own = float("nan") if scorer is None else value(scorer, estimator)
        return outlying, own, seconds, [value(metric, estimator) for metric in others]

    columns, values, seconds, more = zip(*map_fits(run, clones, n_jobs=n_jobs), strict=True)
    outlying = np.column_stack(columns)
    ranks = row_ranks(outlying)
    return {
        "values": np.array(values if scorer else [rank_correlation(column, ranks.sum(axis=1)) for column in ranks.T]),
        "scores": -outlying,
        "flag_fraction": np.column_stack([most_anomalous(column, top_fraction) for column in outlying.T]).mean(axis=1),
        "rank_agreement": _rank_agreement(ranks),
        "seconds": np.array(seconds),
        "others": np.array(more).reshape(len(clones), len(others)).T,
    }


def _rank_agreement(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate columns of ranks; a constant column correlates with itself only."""
    centred = ranks - ranks.mean(axis=0)
    lengths = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(lengths > 0, lengths, 1.0)
    agreement: NDArray[np.float64] = np.clip(unit.T @ unit, -1.0, 1.0)
    np.fill_diagonal(agreement, 1.0)
    return agreement


def explained_variance_ratio(points: list[dict[str, Any]], values: NDArray[np.float64]) -> dict[str, float]:
    """Fraction of the variance of values that lies between the levels of each choice.

    Parameters
    ----------
    points : list of dict
        A choice that is absent from a point has the level "default" there.
    values : ndarray of shape (n_points,)
        NaN is left out.

    Returns
    -------
    dict of str to float
    """
    known = np.isfinite(values)
    total = float(((values[known] - values[known].mean()) ** 2).sum()) if known.any() else 0.0
    ratios = {}
    for name in sorted({name for point in points for name in point}):
        between = 0.0
        levels = np.array([repr(point[name]) if name in point else "default" for point in points])[known]
        for level in np.unique(levels):
            members = values[known][levels == level]
            between += members.size * float(members.mean() - values[known].mean()) ** 2
        ratios[name] = between / total if total > 0 else 0.0
    return ratios


def _permutation_pvalue(
    values: NDArray[np.float64],
    scores: NDArray[np.float64],
    y: Any,
    scorer: Any,
    n_permutations: int,
    random_state: Any,
) -> float:
    if not resamples_rows(scorer) or y is None:
        raise ValueError(
            "n_permutations needs y and a scorer that compares scores of unordered rows, such as 'roc_auc'."
        )
    counts = permutation_counts(scorer.labels(y), n_permutations, generator(random_state))
    medians = np.median(_resampled(scorer, scores, counts), axis=1)
    return float((np.count_nonzero(medians >= np.median(values)) + 1) / (n_permutations + 1))


def sampling_std_of(
    scores: NDArray[np.float64], y: Any, scorer: AnomalyScorer, n_resamples: int, random: np.random.Generator
) -> float:
    """Return the standard deviation of the metric over bootstrap resamples of the rows, mean over runs.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_runs)
    y : array-like of shape (n_samples,)
    scorer : AnomalyScorer
    n_resamples : int
    random : numpy.random.Generator

    Returns
    -------
    float
        NaN where a class is missing or there are fewer than two resamples.
    """
    labels = scorer.labels(y)
    if not {-1, 1} <= set(labels.tolist()) or n_resamples < 2:
        return float("nan")
    counts = bootstrap_counts(labels, n_resamples, random)
    return float(np.std(_resampled(scorer, scores, counts), axis=0, ddof=1).mean())


def resamples_rows(scorer: Any) -> TypeGuard[AnomalyScorer]:
    """Say whether rows may be resampled and permuted under this scorer.

    Parameters
    ----------
    scorer : object

    Returns
    -------
    bool
    """
    return isinstance(scorer, AnomalyScorer) and scorer.response == "score" and not scorer.ordered


def _resampled(scorer: AnomalyScorer, scores: NDArray[np.float64], counts: Any) -> NDArray[np.float64]:
    values = resampled_values(scorer.oriented_metric, scores, *counts)
    return values if scorer.greater_is_better else -values


def expected_largest(n_draws: int) -> float:
    """Return the expected maximum of standard normal draws.

    Parameters
    ----------
    n_draws : int

    Returns
    -------
    float
    """
    if n_draws < 1:
        raise ValueError(f"n_seeds={n_draws!r} must be at least 1.")
    if n_draws == 1:
        return 0.0

    def density(x: float) -> float:
        return float(x * n_draws * np.exp(stats.norm.logpdf(x) + (n_draws - 1) * stats.norm.logcdf(x)))

    return float(integrate.quad(density, -9.0, 9.0, points=[0.0, 3.0], limit=200)[0])
