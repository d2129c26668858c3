"""Mahalanobis distance from one Gaussian, or from one for each class."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import column_or_1d

from skanomaly._support._blocks import row_blocks
from skanomaly._support._chunk_moments import first_moments, table_spectrum
from skanomaly._support._chunks import Chunks
from skanomaly._support._columns import count_missing, warn_of_constants
from skanomaly._support._covariance import constant_columns
from skanomaly._support._hooks import normal_samples
from skanomaly._support._levels import learn_level_weights, read_levels
from skanomaly._support._modes import find_modes
from skanomaly._support._scales import SafeRange
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._spectrum import Spectrum, estimate_spectrum
from skanomaly._support._warnings import warn_user
from skanomaly.base import BaseDetector

__all__ = ["GaussianDetector"]

_BLOCK_ROWS = 2048
_CLUSTERING_ROUNDS = 5
_LARGEST = np.finfo(np.float64).max


class GaussianDetector(BaseDetector):
    r"""Mahalanobis distance from the mean of the normal rows, with a shrunk covariance.

    The farther a row is from the mean, in standard deviations along its direction, the more anomalous it is. It is a
    good first choice on embeddings from a frozen network, which need no scaler. Standardise tables whose columns have
    different units with a ``StandardScaler``.

    Parameters
    ----------
    covariance : {"ledoit_wolf", "oas", "empirical", "diag", "robust"}, default="ledoit_wolf"
        Estimator of the covariance. "ledoit_wolf" and "oas" shrink it towards a multiple of the identity, for any
        number of columns. "robust" is the minimum covariance determinant (MCD): it tolerates contaminated training
        data, and needs more rows than columns. "empirical", "diag" and "robust" ignore directions without variance in
        the training data; a warning names columns that do not vary.
    subspace : {"pca", "npca"} or None, default=None
        Use only the leading ("pca") or only the trailing ("npca") principal directions. Anomalies are often visible in
        the trailing ones. In a subspace "diag" is equal to "empirical".
    variance : float, default=0.99
        Fraction of the variance, in (0, 1), in the leading directions; the direction at the boundary belongs to both
        subspaces. Only used with `subspace`.
    n_components : int, default=1
        Number of centres, found by k-means, with one covariance for all; at most the number of distinct rows, and half
        the number of rows. A cluster with less than 0.2 / `n_components` of the rows has no centre: its rows are set
        aside, and the others are clustered again. Only used if `fit` gets no `classes`.
    relative : bool, default=False
        Subtract the squared distance under one Gaussian for all rows, to remove variation that all classes have in
        common.
    levels : sequence of int, sequence of slice or list of int, or None, default=None
        Groups of columns with a Gaussian each, such as the levels of a network: their widths, or their columns. None is
        one group.
    level_weights : {"sum", "logistic"}, default="sum"
        Distances of the levels are added, or weighted by a logistic regression on the rows labelled +1 and -1.
    contamination : float, default=0.1
        Fraction of the training rows that are flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed for k-means and "robust".

    Attributes
    ----------
    means_ : ndarray of shape (n_classes, n_features)
        Centre of each class or component.
    classes_ : ndarray of shape (n_classes,)
        Class labels in the order of `means_`; numbers of the components if `fit` got no `classes`.
    shrinkage_ : float
        Weight of the identity in the covariance; 0 without shrinkage.
    level_detectors_ : list of GaussianDetector
        One for each level, which has the means, the classes and the shrinkage; only with `levels`.
    level_weights_ : ndarray of shape (n_levels,)
        Only with `levels`.
    offset_ : float
        Threshold on ``score_samples``: rows with lower scores are anomalies.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    NearestNeighborsDetector : Distance to the nearest normal rows, without an assumption on their distribution.
    RandomProjectionDepth : For contaminated training data.
    sklearn.covariance.EllipticEnvelope : Mahalanobis distance with a robust covariance.

    Notes
    -----
    With mean :math:`\mu_c` of class :math:`c` and one covariance :math:`\Sigma` of the rows minus the means of their
    classes, the outlyingness of a row is :math:`\min_c (x-\mu_c)^\top \Sigma^{-1} (x-\mu_c)`. This is the
    class-conditional Gaussian with one covariance of [2]_ (section 2.1), and for one class the multivariate Gaussian on
    embeddings of [3]_, which also has the subspaces. The relative distance is that of [4]_. The default shrinkage is
    that of [1]_, "oas" that of [5]_. What we changed: the covariance is shrunk by default, and inputs are not
    perturbed. Distances of the levels of a network are added as in [3]_, or weighted by the logistic regression of
    [2]_, which is fitted to labels of the training data only.

    `y`: rows labelled -1 are left out of the fit; +1 and 0 are treated alike. Training rows are scored like new rows:
    the effect of a single row on the mean and the covariance of many is small, and no centre is that of a single row.

    ``feature_contributions`` splits the squared distance: column :math:`j` contributes
    :math:`-(x-\mu_c)_j\,[\Sigma^{-1}(x-\mu_c)]_j` to the score, with :math:`c` the nearest class.

    Shrinkage adds a multiple of the identity to the covariance. If the columns have very different scales, it hides the
    columns with a small scale: standardise first, or use "empirical".

    Cost: O(n d² + d³), or O(n² d) from the Gram matrix if there are more columns than rows; the distances are those of
    scikit-learn's ``LedoitWolf().mahalanobis`` in both cases. Quantiles of the chi-squared distribution are not valid
    thresholds with shrinkage.

    References
    ----------
    .. [1] Ledoit, O. and Wolf, M. (2004). "A well-conditioned estimator for large-dimensional covariance matrices".
       Journal of Multivariate Analysis 88(2), 365-411. https://doi.org/10.1016/S0047-259X(03)00096-4
    .. [2] Lee, K., Lee, K., Lee, H. and Shin, J. (2018). "A simple unified framework for detecting out-of-distribution
       samples and adversarial attacks". NeurIPS 31. arXiv:1807.03888.
    .. [3] Rippel, O., Mertens, P. and Merhof, D. (2021). "Modeling the distribution of normal data in pre-trained deep
       features for anomaly detection". ICPR 2020. https://doi.org/10.1109/ICPR48806.2021.9412109
    .. [4] Ren, J., Fort, S., Liu, J., Roy, A. G., Padhy, S. and Lakshminarayanan, B. (2021). "A simple fix to
       Mahalanobis distance for improving near-OOD detection". arXiv:2106.09022.
    .. [5] Chen, Y., Wiesel, A., Eldar, Y. C. and Hero, A. O. (2010). "Shrinkage algorithms for MMSE covariance
       estimation". IEEE Transactions on Signal Processing 58(10), 5016-5029. https://doi.org/10.1109/TSP.2010.2053029

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import GaussianDetector
    >>> rows = np.random.default_rng(0).multivariate_normal(
    ...     [0, 0], [[1, 0.9], [0.9, 1]], size=200
    ... )
    >>> detector = GaussianDetector(contamination=0.05).fit(rows)
    >>> detector.predict([[2.0, 2.0], [1.0, -1.0]])
    array([ 1, -1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "covariance": [StrOptions({"ledoit_wolf", "oas", "empirical", "diag", "robust"})],
        "subspace": [StrOptions({"pca", "npca"}), None],
        "variance": [Interval(Real, 0, 1, closed="neither")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "relative": ["boolean"],
        "levels": ["array-like", None],
        "level_weights": [StrOptions({"sum", "logistic"})],
        "random_state": ["random_state"],
    }

    _parts: list[NDArray[np.intp]] | None = None  # the columns of each level

    _background: Spectrum | None

    def __init__(
        self,
        *,
        covariance: str = "ledoit_wolf",
        subspace: str | None = None,
        variance: float = 0.99,
        n_components: int = 1,
        relative: bool = False,
        levels: Any = None,
        level_weights: str = "sum",
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.covariance = covariance
        self.subspace = subspace
        self.variance = variance
        self.n_components = n_components
        self.relative = relative
        self.levels = levels
        self.level_weights = level_weights
        self.contamination = contamination
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, *, classes: Any = None) -> Self:
        """Estimate the means and the covariance of the normal rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), default=None
            Rows labelled -1 are left out; +1 and 0 are treated alike.
        classes : array-like of shape (n_samples,), default=None
            Class of each row, of any sortable type; each class of two rows or more has its own mean, and a class of
            one row is left out with a warning. A pipeline passes them on as metadata after
            ``set_fit_request(classes=True)``.

        Returns
        -------
        self
            The fitted detector.
        """
        return self._run_fit(X, y, classes=classes)

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        self._clear()
        if self.levels is None:
            self._fit_one(X, y, metadata.get("classes"))
            return
        parts = read_levels(self.levels, X.shape[1])
        seed = draw_seed(self.random_state)
        self.level_detectors_ = [
            clone(self)
            .set_params(levels=None, level_weights="sum", random_state=seed)
            .fit(X[:, columns], np.where(y == 0, 1, y), classes=metadata.get("classes"))
            for columns in parts
        ]
        self._parts = parts
        self.level_weights_ = np.ones(len(parts))
        if self.level_weights == "logistic":
            self.level_weights_ = learn_level_weights(self._level_distances(X), y)

    def _fit_chunks(self, table: Chunks) -> None:
        if self.levels is not None or self.n_components > 1 or self.covariance == "robust":
            self._fit_sample(table)
            return
        if self.relative:
            raise ValueError("relative=True needs at least two classes: set n_components above 1.")
        self._clear()
        self._range = SafeRange(table.sample.repeated().astype(table.dtype), rescale="none")
        moments, all_count = first_moments(table, self._range)
        self._spectrum = table_spectrum(
            table,
            self._range,
            moments,
            all_count=all_count,
            covariance=self.covariance,
            subspace=self.subspace,
            variance=self.variance,
        )
        ends = np.array([moments.low, moments.high])
        self._warn_of_constants(constant_columns(ends))
        self.classes_, self.means_ = np.arange(1), moments.mean[None]
        self.shrinkage_, self._background, self._center = self._spectrum.shrinkage, None, moments.mean
        self._whitened_means = self._spectrum.whiten(np.zeros((1, table.n_features)))

    def _clear(self) -> None:
        for name in ("level_detectors_", "level_weights_", "means_", "classes_", "shrinkage_"):
            self.__dict__.pop(name, None)
        self._parts = None

    def _fit_one(self, X: NDArray[Any], y: NDArray[np.int8], classes: Any) -> None:
        normal = normal_samples(y, self._min_samples, "rows")
        seed = draw_seed(self.random_state)
        # A row with an extreme value would make all others equal: it is scored, and has no part in the estimates.
        self._range = SafeRange(X[normal], rescale="table")
        X = self._range.apply(X)
        normal[normal] = self._range.ordinary_rows(X[normal])
        rows = X[normal]
        members = self._class_indices(rows, normal, classes, seed)
        rows, members = rows[members >= 0], members[members >= 0]
        means = np.array([rows[members == label].mean(axis=0, dtype=np.float64) for label in np.unique(members)])
        if self.relative and len(means) < 2:
            raise ValueError("relative=True needs at least two classes: give fit classes, or set n_components above 1.")
        self._spectrum = self._estimate_spectrum(rows - means[members], seed)
        self._warn_of_constants(constant_columns(rows - means[members], like=rows))
        means = means + self._spectrum.location  # 0 except for "robust", which has its own centre
        self.means_ = self._range.restored(means)
        self.shrinkage_ = self._spectrum.shrinkage
        self._background = self._estimate_spectrum(rows, seed) if self.relative else None
        self._center = rows.mean(axis=0, dtype=np.float64)
        self._whitened_means = self._spectrum.whiten(means - self._center)

    def _warn_of_constants(self, constants: NDArray[np.bool_]) -> None:
        """Warn of columns that do not vary, and whose changes the covariance therefore does not see."""
        if self.subspace is not None or self.covariance not in {"empirical", "diag", "robust"}:
            return
        warn_of_constants(self, constants, f"with covariance={self.covariance!r}", "Use 'ledoit_wolf'")

    def _class_indices(
        self, rows: NDArray[Any], normal: NDArray[np.bool_], classes: Any, seed: int
    ) -> NDArray[np.intp]:
        """Return the class index of each row, -1 for rows that are left out."""
        if classes is not None:
            labels = column_or_1d(classes)
            n_missing = count_missing(labels)
            if n_missing:
                raise ValueError(f"classes has {n_missing} missing values; every row needs a class.")
            if len(labels) != len(normal):
                raise ValueError(f"classes has {len(labels)} entries and X has {len(normal)} rows; the numbers differ.")
            names, members, sizes = np.unique(labels[normal], return_inverse=True, return_counts=True)
            large = sizes >= 2
            self.classes_ = names[large]
            if not large.any():
                raise ValueError("classes has no class of two rows or more, and one row is no centre.")
            if not large.all():
                warn_user(
                    f"Classes {names[~large].tolist()[:5]} have a single row, which would be its own centre; they are "
                    "left out. Give them more rows."
                )
            return np.where(large, np.cumsum(large) - 1, -1)[members]
        n_components, most = self.n_components, len(rows) // 2
        if n_components > most:
            warn_user(
                f"n_components={n_components} is more than half of the {len(rows)} rows; {most} are used. "
                "Use more rows or a smaller n_components."
            )
        n_components = min(n_components, most)
        if n_components == 1:
            members = np.zeros(len(rows), dtype=np.intp)
        else:
            members = find_modes(rows, n_components, n_rounds=_CLUSTERING_ROUNDS, seed=seed)
        self.classes_ = np.arange(members.max() + 1)
        return members

    def _estimate_spectrum(self, rows: NDArray[Any], seed: int) -> Spectrum:
        return estimate_spectrum(
            rows, covariance=self.covariance, subspace=self.subspace, variance=self.variance, random_state=seed
        )

    def _level_distances(self, X: NDArray[Any]) -> NDArray[np.float64]:
        pairs = zip(self._parts or [], self.level_detectors_, strict=True)
        return np.column_stack(
            [detector._outlyingness(np.ascontiguousarray(X[:, columns])) for columns, detector in pairs]
        )

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        if self._parts is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                distances = self._level_distances(X) @ self.level_weights_
            return np.nan_to_num(distances, copy=False, nan=_LARGEST, posinf=_LARGEST, neginf=-_LARGEST)
        X = self._range.apply(X)
        distances = np.empty(len(X))
        with np.errstate(over="ignore", invalid="ignore"):  # a huge value has the largest distance
            for part in row_blocks(len(X), _BLOCK_ROWS):
                whitened = self._spectrum.whiten(X[part] - self._center)
                distances[part] = np.min([_squared_norms(whitened - mean) for mean in self._whitened_means], axis=0)
                if self._background is not None:
                    distances[part] -= _squared_norms(self._background.whiten(X[part]))
        return np.nan_to_num(distances, copy=False, nan=_LARGEST, posinf=_LARGEST, neginf=-_LARGEST)

    def _contributions(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Multiply each difference from the nearest mean with its gradient."""
        if self._parts is not None:
            total = np.zeros(X.shape)
            for columns, detector, weight in zip(self._parts, self.level_detectors_, self.level_weights_, strict=True):
                found = weight * detector._contributions(np.ascontiguousarray(X[:, columns]))
                for place, column in enumerate(columns.tolist()):  # a column may belong to a level twice
                    total[:, column] += found[:, place]
            return total
        X = self._range.apply(X)
        contributions = np.empty(X.shape)
        for part in row_blocks(len(X), _BLOCK_ROWS):
            centred = X[part] - self._center
            whitened = self._spectrum.whiten(centred)
            nearest = np.argmin([_squared_norms(whitened - mean) for mean in self._whitened_means], axis=0)
            differences = centred - (self._range.apply(self.means_) - self._center)[nearest]
            contributions[part] = self._spectrum.contributions(differences, whitened - self._whitened_means[nearest])
            if self._background is not None:
                background = self._background
                contributions[part] -= background.contributions(
                    X[part] - background.location, background.whiten(X[part])
                )
        return contributions


def _squared_norms(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    norms: NDArray[np.float64] = np.einsum("ij,ij->i", rows, rows)
    return norms
