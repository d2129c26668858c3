"""Generate anomalies, score them, keep the best."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._fractions import whole_above
from skanomaly._support._sklearn import HasMethods, Interval
from skanomaly._support._validation import check_rows
from skanomaly.base import BaseSampler
from skanomaly.sampling._posterior._expected import ExpectedAnomalyPosterior
from skanomaly.sampling._resampled import seeded_clones
from skanomaly.sampling._smote._smote import SMOTE
from skanomaly.sampling._strategy import STRATEGY, appended, dense_classes, rows_to_make

__all__ = ["EAPSampler"]


class EAPSampler(BaseSampler):
    """Let another sampler make too many rows, and keep those of the best quality.

    Parameters
    ----------
    generator : sampler with ``sampling_strategy``, default=None
        Makes the candidates; None is ``SMOTE()``.
    quality : estimator with ``fit`` and ``score_samples``, default=None
        Scores candidates; fitted with the grown class as anomalies (-1) and all other rows as normal (+1). Candidates
        of the lowest scores, the most anomalous ones, are kept. None is ``ExpectedAnomalyPosterior()``.
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far; as in :class:`SMOTE`.
    n_candidates : float, default=3.0
        Candidates for each row kept; 1 or more.
    n_jobs : int or None, default=None
        Threads of the default generator and the default quality; the rows do not depend on it.
    verbose : bool or int, default=False
        Whether to print each class that grows, and the progress of the default quality.
    random_state : int, RandomState instance or None, default=None
        Seeds every ``random_state`` of generator and quality that is None.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class to number of rows kept.
    qualities_ : ndarray of shape (n_synthetic,)
        Quality of the synthetic rows: minus their score, with the default their expected anomaly posterior.
    rejected_ : ndarray of shape (n_rejected, n_features)
        Candidates that were not kept.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training row behind each returned row; -1 where it is synthetic.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    ExpectedAnomalyPosterior : The quality.

    Notes
    -----
    The default quality is that of [1]_. A good candidate is near the data and unlike the other classes. The quality is
    estimated from the labelled rows: it rates kinds of anomaly that are not among them as far from the data.

    Cost: ``n_candidates`` candidates for every row made, each compared with up to ``max_samples`` rows in each of
    ``n_subsets`` subsets; with the defaults 300,000 comparisons for a row made. Give
    ``quality=ExpectedAnomalyPosterior(n_subsets=20)`` for a fifth of that.

    References
    ----------
    .. [1] L. Perini, M. Rudolph, S. Schmedding and C. Qiu, "Uncertainty-aware Evaluation of Auxiliary Anomalies with
       the Expected Anomaly Posterior", Transactions on Machine Learning Research, 2025. arXiv:2405.13699.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skanomaly.sampling import EAPSampler
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> rows, targets = EAPSampler(random_state=0).fit_resample(X, y)
    >>> bool((targets == 0).sum() == (targets == 1).sum())
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "generator": [HasMethods("fit_resample"), None],
        "quality": [HasMethods(["fit", "score_samples"]), None],
        "sampling_strategy": STRATEGY,
        "n_candidates": [Interval(Real, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        generator: Any = None,
        quality: Any = None,
        sampling_strategy: Any = "auto",
        n_candidates: float = 3.0,
        n_jobs: int | None = None,
        verbose: bool | int = False,
        random_state: Any = None,
    ) -> None:
        self.generator = generator
        self.quality = quality
        self.sampling_strategy = sampling_strategy
        self.n_candidates = n_candidates
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        return dense_classes(self, X, y)

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        self.sampling_strategy_ = rows_to_make(self.sampling_strategy, y)
        given = SMOTE(n_jobs=self.n_jobs) if self.generator is None else self.generator
        judge = self.quality
        if judge is None:
            judge = ExpectedAnomalyPosterior(n_jobs=self.n_jobs, verbose=self.verbose)
        tables, made, qualities, rejected = [X[:0]], [], [np.empty(0)], [X[:0]]
        self._judges = []
        for label, n_new in self.sampling_strategy_.items():
            if n_new == 0:
                continue
            maker, quality = seeded_clones([given, judge], self.random_state)
            wanted = int(np.count_nonzero(y == label)) + whole_above(self.n_candidates, n_new)
            rows = maker.set_params(sampling_strategy={label: wanted}).fit_resample(X, y)[0]
            candidates = rows[maker.sample_indices_ < 0]
            if self.verbose:
                print(f"EAPSampler: class {label!r}, {len(candidates)} candidates for {n_new} rows")  # noqa: T201  # what verbose is for
            found = -quality.fit(X, np.where(y == label, -1, 1)).score_samples(candidates)
            order = np.argsort(-found, kind="stable")
            tables.append(candidates[order[:n_new]])
            rejected.append(candidates[order[n_new:]])
            qualities.append(found[order[:n_new]])
            made.append((label, len(tables[-1])))
            self._judges.append(quality)
        self.qualities_ = np.concatenate(qualities)
        self.rejected_ = np.concatenate(rejected)
        return np.concatenate(tables), *appended(y, made)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score each row by minus its quality as a row of a grown class; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            ``-anomaly_posterior(X)``.
        """
        return -self.anomaly_posterior(X)

    def anomaly_posterior(self, X: Any) -> NDArray[np.float64]:
        """Compute the quality of each row as a row of a class that was grown; the largest over these classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
            With the default `quality` in [0, 1], higher is better; 0 where no class was grown.
        """
        check_is_fitted(self)
        rows = check_rows(self, X, reset=False)
        if not self._judges:
            return np.zeros(len(rows))
        return np.max([-judge.score_samples(rows) for judge in self._judges], axis=0)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags
