"""How much of a result is luck: variation over initialisation, split and training data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata, ttest_ind
from sklearn.base import clone, is_classifier
from sklearn.model_selection import train_test_split

from skanomaly._support._blocks import map_fits
from skanomaly._support._labels import native_labels, read_labels
from skanomaly._support._responses import outlyingness
from skanomaly._support._results import ShortRepr
from skanomaly._support._rows import take_rows
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.model_selection._ensemble import seeded
from skanomaly.model_selection._multiverse import expected_largest, resamples_rows, sampling_std_of
from skanomaly.model_selection._names import get_scorer

__all__ = ["SeedComparison", "SeedStudy", "compare_seeds", "seed_study"]

Floats = NDArray[np.float64]
_SOURCES = ("initialisation", "split", "data")


@dataclass(frozen=True, repr=False)
class SeedStudy(ShortRepr):
    """A metric over the seeds of each source of variation, from :func:`seed_study`.

    Attributes
    ----------
    values : dict of str to ndarray of shape (n_seeds,)
        The metric on test rows where only the seed of that source varies; "all" varies every source at once.
    sampling_std : float
        Standard deviation of the metric over bootstrap resamples of the test rows of one fit; NaN where the scorer does
        not compare scores.

    Examples
    --------
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import seed_study
    >>> X, y = make_shifted_anomalies(n_samples=300, random_state=0)
    >>> study = seed_study(
    ...     LocalOutlierFactor(novelty=True), X, y, n_seeds=4, random_state=0
    ... )
    >>> study.std["initialisation"], study.std["split"] > 0  # nothing in it is random
    (0.0, True)
    """

    values: dict[str, Floats]
    sampling_std: float

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each source."""
        return {name: float(values.mean()) for name, values in self.values.items()}

    @property
    def std(self) -> dict[str, float]:
        """Standard deviation of each source; 0 for a single seed."""
        return {name: float(values.std(ddof=1)) if np.ptp(values) > 0 else 0.0 for name, values in self.values.items()}

    def expected_best(self, n_seeds: int, *, source: str = "all") -> float:
        """Return the expected best value among `n_seeds` seeds, by chance alone.

        Parameters
        ----------
        n_seeds : int
        source : str, default="all"

        Returns
        -------
        float
            Mean plus standard deviation times the expected maximum of `n_seeds` standard normal draws.
        """
        return self.mean[source] + self.std[source] * expected_largest(n_seeds)

    def luck_pvalue(self, value: float, n_seeds: int, *, source: str = "all") -> float:
        """Return the probability that the best of `n_seeds` seeds is at least `value`, by chance alone.

        Parameters
        ----------
        value : float
            A published or hoped-for result.
        n_seeds : int
        source : str, default="all"

        Returns
        -------
        float
            For normally distributed values.
        """
        mean, std = self.mean[source], self.std[source]
        if std == 0:
            return float(value <= mean)
        return float(-np.expm1(n_seeds * norm.logcdf((value - mean) / std)))


@dataclass(frozen=True)
class SeedComparison:
    """Two models over seeds, from :func:`compare_seeds`.

    Attributes
    ----------
    difference : float
        Mean of the first minus mean of the second.
    pvalue : float
        Of Welch's test that the means are equal, two-sided; NaN for fewer than two values, or none that differ.
    superiority : float
        Probability that a run of the first beats a run of the second; ties count half.

    Examples
    --------
    >>> from skanomaly.model_selection import compare_seeds
    >>> compare_seeds([0.9, 0.92, 0.91], [0.8, 0.82, 0.84]).superiority
    1.0
    """

    difference: float
    pvalue: float
    superiority: float


@validate_params(
    {
        "vary": ["array-like"],
        "n_seeds": [Interval(Integral, 2, None, closed="left")],
        "scoring": [str, callable],
        "test_fraction": [Interval(Real, 0, 1, closed="neither")],
        "subset_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_resamples": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def seed_study(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    vary: Sequence[str] = _SOURCES,
    n_seeds: int = 20,
    scoring: str | Callable[..., float] = "roc_auc",
    test_fraction: float = 0.5,
    subset_fraction: float = 0.8,
    n_resamples: int = 100,
    pos_label: Any = None,
    n_jobs: int | None = None,
    random_state: Any = None,
) -> SeedStudy:
    """Separate the variation of a metric that comes from initialisation, from the split and from the training data.

    Parameters
    ----------
    estimator : estimator
        Detector or classifier; cloned. Every ``random_state`` in it is set.
    X : array-like of shape (n_samples, ...)
        Whatever the estimator accepts.
    y : array-like of shape (n_samples,)
        Labels: -1 anomaly and +1 normal, or 1 anomaly and 0 normal. Only classifiers are fitted with them. Unlabelled
        rows are in the training sets of detectors.
    vary : sequence of str, default=("initialisation", "split", "data")
        Sources that vary, each alone with the others fixed, and then all of these together.
    n_seeds : int, default=20
        Number of seeds for each source, at least 2.
    scoring : str or callable, default="roc_auc"
        Name for :func:`get_scorer`, or ``scorer(estimator, X, y)``.
    test_fraction : float, default=0.5
        Fraction of the normal rows, and of the anomalies, that are test rows.
    subset_fraction : float, default=0.8
        Fraction of the training rows that each fit gets; the "data" seed draws them.
    n_resamples : int, default=100
        Number of bootstrap resamples for `sampling_std`.
    pos_label : label, default=None
        The anomalies' label. None recognises -1, or 1 beside 0.
    n_jobs : int or None, default=None
        Number of threads over fits.
    random_state : int, RandomState instance or None, default=None
        Draws the seeds.

    Returns
    -------
    SeedStudy

    Raises
    ------
    ValueError
        If a source is unknown, or there are fewer than two anomalies or normal rows.

    See Also
    --------
    seed_stability : Agreement of the scores of single rows over seeds.
    compare_seeds : Compares two models over seeds.

    Notes
    -----
    Picard [1]_ varies the seed of initialisation and batches with the split fixed. With few anomalies the split varies
    the result much more, and a comparison on a single split then says little, whatever the number of seeds.

    References
    ----------
    .. [1] Picard, D. (2021). Torch.manual_seed(3407) is all you need: on the influence of random seeds in deep learning
       architectures for computer vision. arXiv:2109.08203.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.datasets import make_shifted_anomalies
    >>> from skanomaly.model_selection import seed_study
    >>> X, y = make_shifted_anomalies(n_samples=300, contamination=0.05, random_state=0)
    >>> study = seed_study(
    ...     IsolationForest(n_estimators=20), X, y, n_seeds=5, random_state=0
    ... )
    >>> sorted(study.values)
    ['all', 'data', 'initialisation', 'split']
    >>> study.expected_best(100) > study.mean["all"]
    True
    """
    unknown = sorted(set(vary) - set(_SOURCES))
    if unknown or len(vary) == 0:
        raise ValueError(f"vary={tuple(vary)!r} must name some of {_SOURCES}.")
    labels, random = read_labels(y, pos_label=pos_label), generator(random_state)
    counts = [int((labels == label).sum()) for label in (-1, 1)]
    if min(counts) < 2:
        raise ValueError(f"y has {counts[0]} anomalies and {counts[1]} normal rows; at least two of each are needed.")
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    base = random.integers(2**31 - 1, size=len(_SOURCES)).tolist()
    drawn = random.integers(2**31 - 1, size=(n_seeds, len(_SOURCES))).tolist()
    plans = {
        name: [
            [new if source in chosen else old for source, new, old in zip(_SOURCES, seeds, base, strict=True)]
            for seeds in drawn
        ]
        for name, chosen in [*((one, [one]) for one in vary), ("all", list(vary))]
    }

    def fit(seeds: list[int]) -> tuple[Any, Any, NDArray[Any]]:
        train, test = _split(labels, test_fraction, subset_fraction, *seeds[1:], labelled=is_classifier(estimator))
        copy, rows = seeded(clone(estimator), seeds[0], all_seeds=True), take_rows(X, train)
        fitted = copy.fit(rows, labels[train].astype(np.int64)) if is_classifier(estimator) else copy.fit(rows)
        return fitted, take_rows(X, test), native_labels(labels[test])

    def value(seeds: list[int]) -> float:
        return float(scorer(*fit(seeds)))

    values = map_fits(value, [seeds for plan in plans.values() for seeds in plan], n_jobs=n_jobs)
    sampling_std = float("nan")
    if resamples_rows(scorer):
        fitted, rows, truth = fit(base)
        sampling_std = sampling_std_of(-outlyingness(fitted, rows)[:, None], truth, scorer, n_resamples, random)
    return SeedStudy(
        values={name: np.array(values[place * n_seeds : (place + 1) * n_seeds]) for place, name in enumerate(plans)},
        sampling_std=sampling_std,
    )


@validate_params({"first": ["array-like"], "second": ["array-like"]}, prefer_skip_nested_validation=True)
def compare_seeds(first: Any, second: Any) -> SeedComparison:
    """Compare two models by their values over seeds, instead of by one run of each.

    Parameters
    ----------
    first : array-like of shape (n_runs_first,)
        Values of the first model; larger is better.
    second : array-like of shape (n_runs_second,)
        Values of the second.

    Returns
    -------
    SeedComparison

    Raises
    ------
    ValueError
        If a value is missing, or there is none.

    See Also
    --------
    seed_study : The values of one model.

    Notes
    -----
    The runs are taken as independent; runs on the same splits are not, and the p-value is then conservative.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.model_selection import compare_seeds
    >>> random = np.random.default_rng(0)
    >>> found = compare_seeds(random.normal(0.91, 0.01, 20), random.normal(0.90, 0.01, 20))
    >>> found.pvalue < 0.05, 0.5 < found.superiority < 1
    (True, True)
    """
    one, two = (np.asarray(values, dtype=np.float64).ravel() for values in (first, second))
    for name, values in (("first", one), ("second", two)):
        if values.size == 0 or not np.isfinite(values).all():
            raise ValueError(f"{name} has {values.size} values, some of which may be missing; give finite numbers.")
    varied = min(one.size, two.size) > 1 and np.ptp(one) + np.ptp(two) > 0
    pvalue = float(ttest_ind(one, two, equal_var=False).pvalue) if varied else float("nan")
    ranks = rankdata(np.concatenate([one, two]))[: one.size]
    wins = ranks.sum() - one.size * (one.size + 1) / 2
    return SeedComparison(
        difference=float(one.mean() - two.mean()), pvalue=pvalue, superiority=float(wins / (one.size * two.size))
    )


def _split(
    labels: NDArray[np.int8],
    test_fraction: float,
    subset_fraction: float,
    split_seed: int,
    data_seed: int,
    *,
    labelled: bool,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw test rows with the split's seed, and a part of the other rows with the data's seed."""
    known, others = np.flatnonzero(labels), np.flatnonzero(labels == 0)
    train, test = train_test_split(known, test_size=test_fraction, random_state=split_seed, stratify=labels[known])
    if not labelled:
        train = np.concatenate([train, others])
    kinds = [train[labels[train] == label] for label in (-1, 0, 1)]
    random = generator(data_seed)
    # At least one of each kind, so that a classifier always has both classes.
    chosen = [random.permutation(rows)[: max(1, round(subset_fraction * len(rows)))] for rows in kinds]
    return np.sort(np.concatenate(chosen)), np.sort(test)
