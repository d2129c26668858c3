"""Training rows without the anomalies among them, found by detectors that did not see them."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.utils.validation import check_array

from skanomaly._support._columns import warn_of_constants
from skanomaly._support._neighbors import nearest_neighbors
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._refits import fit_subsets
from skanomaly._support._responses import outlyingness, require_scores
from skanomaly._support._results import ShortRepr
from skanomaly._support._scales import SafeRange
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseDetector

__all__ = ["ContaminationFilter", "FilteredRows", "PurifiedDetector"]

Floats = NDArray[np.float64]
_FEWEST_KEPT = 2
_NORMAL_MAD = 1.482602218505602
_MADS = 2.0


@dataclass(frozen=True, repr=False)
class FilteredRows(ShortRepr):
    """Which rows a filter keeps, from :meth:`ContaminationFilter.filter_rows`.

    Attributes
    ----------
    kept : ndarray of shape (n_samples,), bool
    scores : ndarray of shape (n_samples,)
        Mean score by detectors that did not train on the row, in robust standard deviations; lower is more anomalous.
        Of a dropped row, the score of the round in which it was dropped; of a kept row, that of the last round.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.robust import ContaminationFilter
    >>> X = np.r_[np.random.default_rng(0).normal(size=(200, 2)), [[9.0, 9.0]]]
    >>> bool(ContaminationFilter().filter_rows(X, random_state=0).kept[-1])
    False
    """

    kept: NDArray[np.bool_]
    scores: Floats


class ContaminationFilter(ParameterObject):
    """Find the anomalies among training rows, by many detectors of which each trains on a small part of them.

    A detector that trains on many rows sees each cluster of anomalies, and finds it normal. A small random part mostly
    contains no row of the cluster.

    Parameters
    ----------
    detector : estimator or None, default=None
        Detector that is fitted to the parts. None is the distance to the nearest row of the part.
    n_subsets : int, default=60
        Number of parts in each round.
    subset_fraction : float, default=0.03
        Fraction of the rows in each part. Its product with the number of rows in a cluster of anomalies should be well
        below 1.
    drop : "auto" or float, default="auto"
        What each round drops: "auto" the rows beyond two robust standard deviations above the median, a number that
        fraction of the rows.
    n_rounds : int, default=2
        Number of rounds; each takes its parts from the rows that are left.
    n_jobs : int or None, default=None
        Number of threads over parts. The result does not depend on it.

    See Also
    --------
    PurifiedDetector : Trains a detector on the rows that are kept.
    SampleCurator : Drops rows whose targets are wrong.

    Notes
    -----
    For each part the outlyingness of all other rows is divided by its robust standard deviation; the score is the mean
    over the parts that do not contain the row. On clean rows "auto" drops some 5 to 10 % in two rounds. Clusters that
    are larger than a part is small, and anomalies that are the majority, are not found.

    The setting is that of Real-IAD [1]_; the filter follows two-stage methods for it, with tables in place of images.

    References
    ----------
    .. [1] C. Wang et al., "Real-IAD: A Real-World Multi-View Dataset for Benchmarking Versatile Industrial Anomaly
       Detection", CVPR 2024. arXiv:2403.12580.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.robust import ContaminationFilter
    >>> random = np.random.default_rng(0)
    >>> cluster = 6 + 0.01 * random.normal(size=(20, 4))
    >>> X = np.concatenate([random.normal(size=(500, 4)), cluster])
    >>> found = ContaminationFilter(subset_fraction=0.03).filter_rows(X, random_state=0)
    >>> int(found.kept[-20:].sum()), bool(found.kept[:500].mean() > 0.85)
    (0, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "detector": [HasMethods(["fit"]), None],
        "n_subsets": [Interval(Integral, 2, None, closed="left")],
        "subset_fraction": [Interval(Real, 0, 1, closed="neither")],
        "drop": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="neither")],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        detector: Any = None,
        *,
        n_subsets: int = 60,
        subset_fraction: float = 0.03,
        drop: float | str = "auto",
        n_rounds: int = 2,
        n_jobs: int | None = None,
    ) -> None:
        self.detector = detector
        self.n_subsets = n_subsets
        self.subset_fraction = subset_fraction
        self.drop = drop
        self.n_rounds = n_rounds
        self.n_jobs = n_jobs

    def filter_rows(self, X: Any, *, random_state: Any = None) -> FilteredRows:
        """Say which rows to keep.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Finite numbers.
        random_state : int, RandomState instance or None, default=None
            Draws the parts, and is set where a `random_state` of `detector` is None.

        Returns
        -------
        FilteredRows

        Raises
        ------
        ValueError
            If a parameter is out of range, or there are fewer than two rows.
        """
        self._validate_params()
        rows = check_array(X, dtype=[np.float64, np.float32], order="C", ensure_min_samples=2)
        if self.detector is not None:
            require_scores(self.detector)
        rows = SafeRange(rows, rescale="table").apply(rows)  # scores are standardised: they have no unit
        random = generator(random_state)
        kept, scores = np.arange(len(rows)), np.zeros(len(rows))
        for _ in range(self.n_rounds):
            n_chosen = min(len(kept) - 1, max(2, round(self.subset_fraction * len(kept))))
            if n_chosen < 1:
                break
            found = self._score(rows[kept], n_chosen, random)
            scores[kept] = -found
            staying = found <= self._limit(found)
            if np.count_nonzero(staying) < _FEWEST_KEPT:
                break
            kept = kept[staying]
        mask = np.zeros(len(rows), dtype=np.bool_)
        mask[kept] = True
        return FilteredRows(kept=mask, scores=scores)

    def _score(self, rows: NDArray[Any], n_chosen: int, random: np.random.Generator) -> Floats:
        """Return the mean standardised outlyingness of each row by the parts that do not contain it."""
        parts = [np.sort(random.permutation(len(rows))[:n_chosen]) for _ in range(self.n_subsets)]
        seeds = random.integers(2**31 - 1, size=self.n_subsets).tolist()
        others = [np.delete(np.arange(len(rows)), part) for part in parts]
        if self.detector is None:
            found = [
                nearest_neighbors(rows[part], rows[other], n_neighbors=1, n_jobs=self.n_jobs)[0][:, 0]
                for part, other in zip(parts, others, strict=True)
            ]
        else:
            found = fit_subsets(
                self.detector,
                rows,
                None,
                parts,
                lambda fitted, place: outlyingness(fitted, rows[others[place]]),
                seeds=seeds,
                n_jobs=self.n_jobs,
            )
        totals, counts = np.zeros(len(rows)), np.zeros(len(rows))
        for other, values in zip(others, found, strict=True):
            center, scale = _center_scale(values)
            totals[other] += (values - center) / scale
            counts[other] += 1
        return totals / np.maximum(counts, 1)

    def _limit(self, found: Floats) -> float:
        if self.drop != "auto":
            return float(np.quantile(found, 1 - float(self.drop), method="lower"))
        center, scale = _center_scale(found)
        return center + _MADS * scale


class PurifiedDetector(BaseDetector):
    """Detector that trains on the rows which a filter keeps: for training data with unlabelled anomalies.

    Parameters
    ----------
    detector : estimator or None, default=None
        Detector that is fitted to the rows kept; None is scikit-learn's ``IsolationForest``.
    row_filter : ContaminationFilter or None, default=None
        Which rows are kept; None is ``ContaminationFilter()``.
    contamination : float in (0, 0.5], default=0.1
        Fraction of all training rows that are labelled anomalies.
    random_state : int, RandomState instance or None, default=None
        Draws the parts of the filter, and is set where a `random_state` of the default detector is None.

    Attributes
    ----------
    detector_ : estimator
        Fitted to the rows kept.
    kept_ : ndarray of shape (n_samples,), bool
        Which training rows those are.
    contamination_scores_ : ndarray of shape (n_samples,)
        Scores of the training rows by the filter; lower is more anomalous.
    offset_ : float
        Threshold on ``score_samples``.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    ContaminationFilter : The filter alone.
    skanomaly.model_selection.contamination_curve : Whether it is worth it.

    Notes
    -----
    Rows labelled -1 are dropped before the filter, and rows labelled +1 are kept whatever it says. Where anomalies are
    scattered, most detectors do as well without a filter; where the same anomaly occurs many times, those that look at
    neighbours fail without one. On clean data it costs some 5 to 10 % of the rows, and up to a point of the area.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skanomaly.robust import PurifiedDetector
    >>> random = np.random.default_rng(0)
    >>> X = np.concatenate(
    ...     [random.normal(size=(500, 4)), 6 + 0.01 * random.normal(size=(30, 4))]
    ... )
    >>> detector = LocalOutlierFactor(novelty=True)
    >>> again = [[6.0, 6.0, 6.0, 6.0]]
    >>> plain, purified = detector.fit(X), PurifiedDetector(detector, random_state=0).fit(X)
    >>> plain.predict(again).tolist(), purified.predict(again).tolist()
    ([1], [-1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "detector": [HasMethods(["fit"]), None],
        "row_filter": [ContaminationFilter, None],
        "random_state": ["random_state"],
        **BaseDetector._parameter_constraints,  # our own base's
    }

    def __init__(
        self, detector: Any = None, *, row_filter: Any = None, contamination: float = 0.1, random_state: Any = None
    ) -> None:
        self.detector = detector
        self.row_filter = row_filter
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        seed = draw_seed(self.random_state)
        detector = IsolationForest(random_state=seed) if self.detector is None else self.detector
        require_scores(detector)
        chosen = ContaminationFilter() if self.row_filter is None else self.row_filter
        open_ = np.flatnonzero(y >= 0)
        self.kept_, self.contamination_scores_ = y > 0, np.full(len(X), -np.inf)
        if len(open_) >= _FEWEST_KEPT:
            found = chosen.filter_rows(X[open_], random_state=seed)
            self.contamination_scores_[open_] = found.scores
            self.kept_[open_] |= found.kept
        if np.count_nonzero(self.kept_) < _FEWEST_KEPT:
            n_known = int((y < 0).sum())
            warn_user(f"{len(X)} rows, of which {n_known} are labelled -1, are too few to filter; all are kept.")
            self.kept_[:] = True
        # The default detector has no unit either; float32, which it works in, has no huge values.
        self._range = SafeRange(X[self.kept_]) if self.detector is None else None
        if isinstance(detector, IsolationForest):
            constant = X[self.kept_].min(axis=0) == X[self.kept_].max(axis=0)
            warn_of_constants(self, constant, "by an isolation forest", "Use NearestNeighborsDetector")
        self.detector_ = clone(detector).fit(self._limited(X[self.kept_]))

    def _limited(self, X: NDArray[Any]) -> NDArray[Any]:
        return X if self._range is None else self._range.apply(X)

    def _outlyingness(self, X: NDArray[Any]) -> Floats:
        limited = self._limited(X)
        found = outlyingness(self.detector_, limited)
        if self._range is None:
            return found
        return found + self._range.extreme(limited).any(axis=1)  # the forest, whose scores are up to 1, saturates


def _center_scale(values: Floats) -> tuple[float, float]:
    """Return median and robust standard deviation; 1 in place of a deviation of 0."""
    center = float(np.median(values))
    scale = _NORMAL_MAD * float(np.median(np.abs(values - center)))
    if scale == 0:
        scale = float(np.std(values))
    return center, scale if scale > 0 and np.isfinite(scale) else 1.0
