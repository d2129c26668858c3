"""Regressions that predict one part of a vector from another."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from skanomaly._support._hooks import normal_samples
from skanomaly._support._levels import read_levels
from skanomaly._support._patches import PatchSets
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.base import PatchDetector
from skanomaly.embeddings._memory import SampleLookup
from skanomaly.embeddings._students import FittedBranch, FittedStudent, NetworkStudent
from skanomaly.embeddings._whitening import BLOCK_PATCHES, limited, range_of

__all__ = ["DistillationDetector"]

_TINY = 1e-12
_LOW, _HIGH = 0.9, 0.995  # quantiles of held-out normal errors that are mapped to 0 and 0.1
_MOST_LEVERAGE = 1 - 1e-6
_LEAST_TO_HOLD_OUT = 20  # patches
Floats = NDArray[np.float64]


class DistillationDetector(PatchDetector):
    r"""Error of students that predict one level of a network from another, learnt on normal data.

    A student predicts one group of columns from another. It is trained on normal data; its errors are large where the
    relation between the groups is another one. Without levels, the groups are random halves of the columns.

    Parameters
    ----------
    student : {"ridge"} or NetworkStudent, default="ridge"
        A ridge regression, with a closed form, or a network.
    levels : sequence of int, sequence of slice or list of int, or None, default=None
        Groups of columns: their widths, or their columns. Each level is predicted from the one before, and from the one
        after. None draws random halves.
    n_views : int, default=4
        Number of random splits in halves, which predict each other; only without `levels`.
    ridge : float, default=0.1
        Penalty of ridge regressions, times half the number of columns of the source, times their mean variance for each
        sample.
    error : {"squared", "cosine"}, default="squared"
        Mean squared error, each column divided by its variance in training; or one minus the cosine of target and
        prediction, less the means.
    aggregation : {"sum", "product", "quantile"}, default="sum"
        How the errors of students are combined, each divided by its median in training: their mean, or geometric mean.
        "quantile" maps the 90 % and 99.5 % quantiles of training errors to 0 and 0.1, and takes the mean.
    pooling : {"max", "mean"} or float, default=0.05
        Score of a sample: the largest or the mean outlyingness of its patches, or the mean of the given fraction of its
        patches, those with the largest, at least one.
    contamination : float, default=0.1
        Fraction of the training samples that are flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed for the halves.

    Attributes
    ----------
    views_ : list of tuple of two ndarray
        Columns that each student sees, and columns that it predicts.
    n_patches_ : int or None
        Number of patches of every training sample; None if samples differ.
    offset_ : float
        Threshold on ``score_samples``: samples with lower scores are anomalies.
    n_features_in_ : int
        Number of columns of a patch.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training data was a table with names that are all strings.

    See Also
    --------
    skanomaly.detectors.KrigingDetector : The closed form for a random target instead of another level: the error that
        is left after infinitely long training of a wide student.

    Notes
    -----
    Students of all levels of a network follow [1]_, whose maps are multiplied, predictions in both directions [3]_, and
    quantiles of held-out normal samples [2]_. What we changed: the student is a ridge regression, which reached the
    networks' figures on the embeddings we measured, and errors of training samples are those of a student that was
    fitted without the patch, by the exact formula of ridge regression. They are held-out errors, so the quantiles need
    no other data. Networks are trained on four fifths of the patches; medians and quantiles are those of the others.

    `y`: samples labelled -1 are left out of the fit; +1 and 0 are treated alike.

    *When it fails.* Whitened columns are not correlated: nothing is left to predict. Do not whiten before.

    Cost: O(V (N d² + d³)) for V students and N patches, O(V N² d) if there are more columns than patches.

    References
    ----------
    .. [1] Wang, G., Han, S., Ding, E. and Huang, D. (2021). "Student-teacher feature pyramid matching for anomaly
       detection". BMVC. arXiv:2103.04257.
    .. [2] Batzner, K., Heckler, L. and König, R. (2024). "EfficientAD: accurate visual anomaly detection at
       millisecond-level latencies". WACV. arXiv:2303.14535.
    .. [3] Costanzino, A. et al. (2025). "Learning to be a transformer to pinpoint anomalies". IEEE Access.
       arXiv:2407.04092.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.embeddings import DistillationDetector
    >>> random = np.random.default_rng(0)
    >>> early = random.normal(size=(300, 6))
    >>> late = np.tanh(early @ random.normal(size=(6, 4))) + 0.1 * random.normal(
    ...     size=(300, 4)
    ... )
    >>> X = np.hstack([early, late])
    >>> mixed = np.hstack([early[:50], late[-50:]])  # each level is normal for itself
    >>> detector = DistillationDetector(levels=[6, 4]).fit(X[:250])
    >>> bool(
    ...     (
    ...         detector.score_samples(mixed) < np.median(detector.score_samples(X[250:]))
    ...     ).mean()
    ...     > 0.8
    ... )
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **PatchDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "student": [StrOptions({"ridge"}), NetworkStudent],
        "levels": ["array-like", None],
        "n_views": [Interval(Integral, 1, None, closed="left")],
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "error": [StrOptions({"squared", "cosine"})],
        "aggregation": [StrOptions({"sum", "product", "quantile"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        student: Any = "ridge",
        levels: Any = None,
        n_views: int = 4,
        ridge: float = 0.1,
        error: str = "squared",
        aggregation: str = "sum",
        pooling: str | float = 0.05,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.student = student
        self.levels = levels
        self.n_views = n_views
        self.ridge = ridge
        self.error = error
        self.aggregation = aggregation
        self.pooling = pooling
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: PatchSets, y: NDArray[np.int8], **metadata: Any) -> None:
        normal = X.take(normal_samples(y, self._min_samples, "samples"))
        if isinstance(self.student, NetworkStudent):
            self.student._validate_params()
        random = generator(self.random_state)
        self.views_ = self._views(random)
        self._range = range_of(normal.rows, rescale="table")
        rows = np.asarray(self._range.apply(normal.rows), dtype=np.float64)
        kept = self._range.ordinary_rows(rows)
        held_out = kept.copy()
        if isinstance(self.student, NetworkStudent):
            numbers = np.flatnonzero(kept)
            n_held = len(numbers) // 5 if len(numbers) >= _LEAST_TO_HOLD_OUT else 0
            held = random.permutation(numbers)[:n_held]
            train = np.setdiff1d(numbers, held)
            held_out[:] = False
            held_out[held if n_held else numbers] = True
            self._students: list[Any] = [
                FittedStudent(rows, train, source, target, self.student, random)
                if len(source)
                else _Student(rows, kept, source, target, self.ridge)
                for source, target in self.views_
            ]
            if self.student.bottleneck is not None:
                self._students += [
                    FittedBranch(student, rows, train, self.student, random)
                    for student in self._students
                    if isinstance(student, FittedStudent)
                ]
        else:
            self._students = [_Student(rows, kept, source, target, self.ridge) for source, target in self.views_]
        self._lookup = SampleLookup(normal)
        self._starts = normal.edges[:-1]
        errors = np.column_stack([student.errors(rows, student.leverages, self.error) for student in self._students])[
            held_out
        ]
        self._medians = np.maximum(np.median(errors, axis=0), _TINY)
        self._low, self._high = np.quantile(errors, [_LOW, _HIGH], axis=0)

    def _views(self, random: np.random.Generator) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        n_features = self.n_features_in_
        if isinstance(self.student, NetworkStudent) and self.student.target == "random":
            if self.levels is not None:
                raise ValueError("levels are not used with NetworkStudent(target='random'); leave them out.")
            return [(np.arange(n_features), np.arange(n_features))] * self.n_views
        if self.levels is not None:
            parts = read_levels(self.levels, n_features)
            if len(parts) < 2:
                raise ValueError(
                    "levels has one group of columns, and nothing that it could predict; give two or more."
                )
            pairs = [(place, place + 1) for place in range(len(parts) - 1)]
            return [(parts[left], parts[right]) for pair in pairs for left, right in (pair, pair[::-1])]
        if n_features == 1:
            every = np.arange(1)
            return [(every[:0], every)]
        views = []
        for _ in range(self.n_views):
            order = random.permutation(n_features)
            halves = np.sort(order[: n_features // 2]), np.sort(order[n_features // 2 :])
            views += [halves, halves[::-1]]
        return views

    def _patch_outlyingness(self, X: PatchSets) -> Floats:
        scores = np.empty(len(X.rows))
        with np.errstate(over="ignore", invalid="ignore"):
            for part, block in X.blocks(BLOCK_PATCHES):
                rows = np.asarray(self._range.apply(block.rows), dtype=np.float64)
                own = np.repeat(self._lookup.find(block), block.sizes)
                places = np.where(own >= 0, self._starts[own] + block.positions, -1)
                errors = np.column_stack(
                    [
                        student.errors(rows, np.where(places >= 0, student.leverages[places], 0.0), self.error)
                        for student in self._students
                    ]
                )
                scores[part] = self._combined(errors)
        return limited(scores)

    def _combined(self, errors: Floats) -> Floats:
        if self.aggregation == "quantile":
            spread = np.where(self._high > self._low, self._high - self._low, self._medians)
            return np.asarray((0.1 * (errors - self._low) / spread).mean(axis=1))
        relative = errors / self._medians
        if self.aggregation == "sum":
            return np.asarray(relative.mean(axis=1))
        return np.asarray(np.exp(np.log(np.maximum(relative, _TINY)).mean(axis=1)))


class _Student:
    """A ridge regression of some columns on others, and the leverage of each training row."""

    def __init__(
        self, rows: Floats, kept: NDArray[np.bool_], source: NDArray[np.intp], target: NDArray[np.intp], ridge: float
    ) -> None:
        self._source, self._target = source, target
        train = rows[kept]
        self._center = train.mean(axis=0)
        seen, wanted = train[:, source] - self._center[source], train[:, target] - self._center[target]
        self._variances = np.maximum(wanted.var(axis=0), _TINY * (1 + np.square(self._center[target])))
        self._variances[wanted.var(axis=0) <= self._variances * 0.5] = 1.0
        n_rows, n_columns = seen.shape
        if n_columns == 0:
            self._coef = np.zeros((0, len(target)))
            self.leverages = np.where(kept, 1.0 / n_rows, 0.0)
            return
        penalty = ridge * n_columns / 2 * float(seen.var(axis=0).mean()) or 1.0
        if n_columns <= n_rows:
            values, vectors = scipy.linalg.eigh(seen.T @ seen)
        else:
            values, left = scipy.linalg.eigh(seen @ seen.T)
            positive = values > n_rows * np.finfo(np.float64).eps * max(values[-1], _TINY)
            values, left = values[positive], left[:, positive]
            vectors = seen.T @ (left / np.sqrt(values))
        inverse = 1 / (np.maximum(values, 0) + penalty)
        self._coef = vectors @ (inverse[:, None] * (vectors.T @ (seen.T @ wanted)))
        along = (rows[:, source] - self._center[source]) @ vectors
        leverages = 1 / n_rows + np.square(along) @ inverse
        self.leverages = np.where(kept, np.minimum(leverages, _MOST_LEVERAGE), 0.0)

    def errors(self, rows: Floats, leverages: Floats, error: str) -> Floats:
        """Return the error of each row, where it has a leverage that of a student fitted without it."""
        predicted = (rows[:, self._source] - self._center[self._source]) @ self._coef
        wanted = rows[:, self._target] - self._center[self._target]
        residuals = (wanted - predicted) / (1 - leverages)[:, None]
        if error == "squared":
            return np.asarray(np.mean(np.square(residuals) / self._variances, axis=1))
        predicted = wanted - residuals
        lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(predicted, axis=1)
        products = np.einsum("ij,ij->i", wanted, predicted)
        return np.asarray(1 - np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0))
