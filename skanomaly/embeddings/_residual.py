"""Patches without the effects of their position and of their sample."""

from functools import partial
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._hooks import normal_samples
from skanomaly._support._patches import PatchSets
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.base import PatchDetector
from skanomaly.embeddings._effects import (
    FEWEST_FOR_MEDIAN,
    MOST_CLUSTERED,
    mode_means,
    ordinary_patches,
    position_means,
    sample_medians,
)
from skanomaly.embeddings._whitening import (
    BLOCK_PATCHES,
    limited,
    range_of,
    spectrum_of,
    squared_distances,
    squared_norms,
)

__all__ = ["PatchResidual"]

_CLUSTERING_ROUNDS = 3
_ROUNDS = 3
Floats = NDArray[np.float64]


class PatchResidual(PatchDetector):
    r"""Mahalanobis distance of patches after the effects of their position and of their sample are removed.

    What is normal differs between positions, and whole samples differ by light, camera or style. Both effects are
    subtracted, and the rest is whitened by one covariance for all patches. So it detects novel and misplaced
    patches, also in samples that are shifted as a whole. It is the first choice for patches of aligned samples.

    Parameters
    ----------
    aligned : bool, default=True
        Whether patch `j` is at the same place in all samples. Then all samples must have the same number of patches. If
        False, the nearest of `n_prototypes` prototypes takes the place of the position: misplaced patches are then
        normal.
    n_prototypes : int, default=12
        Number of prototypes, found by k-means; only used if `aligned` is False. Too few merge kinds of patches, too
        many cost time.
    centering : {"median"} or None, default="median"
        Effect of the sample that is removed: the median of its patches, column by column, after the effect of their
        positions. It needs three patches; samples with fewer have no effect. None keeps it, so that samples that are
        shifted as a whole are anomalous.
    covariance : {"ledoit_wolf", "oas", "empirical", "diag"}, default="ledoit_wolf"
        Estimator of the covariance of the residuals.
    pooling : {"max", "mean"} or float, default=0.05
        Score of a sample: the largest or the mean outlyingness of its patches, or the mean of the given fraction of its
        patches, those with the largest, at least one.
    contamination : float, default=0.1
        Fraction of the training samples that are flagged, in (0, 0.5].
    random_state : int, RandomState instance or None, default=None
        Seed for k-means.

    Attributes
    ----------
    effects_ : ndarray of shape (n_patches, n_features) or (n_prototypes, n_features)
        Mean patch of each position, or the prototypes.
    shrinkage_ : float
        Weight of the identity in the covariance.
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
    PatchNeighbors : Distance to a memory bank of patches.
    PatchGaussian : Mean and covariance of all patches, or of each position.
    skanomaly.datasets.make_patch_grids : Grids with novel and misplaced patches.

    Notes
    -----
    For patch :math:`x_{ij}` at position :math:`j` of sample :math:`i`, let :math:`m_j` be the mean of position
    :math:`j` over the training samples and :math:`s_i = \operatorname{median}_j (x_{ij} - m_j)`, column by column. With
    the covariance :math:`\Sigma` of the residuals :math:`r_{ij} = x_{ij} - m_j - s_i` of the training data around their
    mean, the outlyingness of a patch is :math:`(r - \bar r)^\top \Sigma^{-1} (r - \bar r)`. This is a two-way table
    with one robust effect [1]_, and Mahalanobis distances of patches with a mean for each position, as in [2]_. What we
    changed compared with [2]_: one shrunk covariance [3]_ for all positions instead of one for each, and the effect of
    the sample.

    Without alignment, :math:`s_i` begins as the difference between the median patch of the sample and that of the
    training data. Patches are then assigned to prototypes and :math:`s_i` is estimated again, three times.

    `y`: samples labelled -1 are left out of the fit; +1 and 0 are treated alike. Training samples are scored like new
    ones: the effect of one sample on the means and the covariance of many is small.

    *When it fails.* If most patches of a sample are anomalous, :math:`s_i` contains the anomaly and removes it. Samples
    that are moved or rotated relative to each other are not aligned.

    Cost: O(N d² + d³) for N patches of d columns; memory: one block of patches beside the data.

    References
    ----------
    .. [1] Tukey, J. W. (1977). "Exploratory data analysis". Addison-Wesley. ISBN 978-0-201-07616-5.
    .. [2] Defard, T., Setkov, A., Loesch, A. and Audigier, R. (2021). "PaDiM: a patch distribution modeling framework
       for anomaly detection and localization". ICPR 2020 workshops. arXiv:2011.08785.
    .. [3] Ledoit, O. and Wolf, M. (2004). "A well-conditioned estimator for large-dimensional covariance matrices".
       Journal of Multivariate Analysis 88(2), 365-411. https://doi.org/10.1016/S0047-259X(03)00096-4

    Examples
    --------
    >>> from sklearn.metrics import roc_auc_score
    >>> from skanomaly.datasets import make_patch_grids
    >>> from skanomaly.embeddings import PatchResidual
    >>> X_train, X_test, y_test, _ = make_patch_grids(
    ...     anomalies="misplaced", shift=4.0, random_state=0
    ... )
    >>> detector = PatchResidual().fit(X_train)
    >>> round(roc_auc_score(y_test, detector.score_samples(X_test)), 3)
    1.0
    >>> detector.score_patches(X_test).shape
    (120, 64)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **PatchDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "aligned": ["boolean"],
        "n_prototypes": [Interval(Integral, 1, None, closed="left")],
        "centering": [StrOptions({"median"}), None],
        "covariance": [StrOptions({"ledoit_wolf", "oas", "empirical", "diag"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        aligned: bool = True,
        n_prototypes: int = 12,
        centering: str | None = "median",
        covariance: str = "ledoit_wolf",
        pooling: str | float = 0.05,
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.aligned = aligned
        self.n_prototypes = n_prototypes
        self.centering = centering
        self.covariance = covariance
        self.pooling = pooling
        self.contamination = contamination
        self.random_state = random_state

    def _fit(self, X: PatchSets, y: NDArray[np.int8], **metadata: Any) -> None:  # the hook's form
        normal = X.take(normal_samples(y, self._min_samples, "samples"))
        self._range = range_of(normal.rows)
        kept = ordinary_patches(normal, self._range)
        if self.aligned:
            self._require_alignment(X)
            self.effects_ = position_means(normal, lambda _, part: self._range.apply(part.rows), kept)
        else:
            self._fit_prototypes(normal, draw_seed(self.random_state))
        effects = self._sample_effects(normal)
        owners, places = normal.owners, self._places(normal, effects)

        def residuals(part: slice) -> Floats:
            rows = self._range.apply(normal.rows[part]) - self.effects_[places[part]]
            rows -= effects[owners[part]]
            return np.asarray(rows)

        self._spectrum = spectrum_of(normal.rows, residuals, covariance=self.covariance, kept=kept)
        self.shrinkage_ = self._spectrum.shrinkage

    def _require_alignment(self, X: PatchSets) -> None:
        expected = self.n_patches_
        if expected is None:
            raise ValueError(
                "X has samples of different numbers of patches, which have no common positions. Use aligned=False."
            )
        if X.n_patches != expected:
            raise ValueError(
                f"X must have {expected} patches a sample, as in fit, and has {np.unique(X.sizes).tolist()[:5]}. "
                "Use aligned=False if patches have no positions."
            )

    def _fit_prototypes(self, normal: PatchSets, seed: int) -> None:
        """Cluster patches without the effects of their samples, and estimate both in turn."""
        medians = sample_medians(normal, lambda part: self._range.apply(part.rows))
        self._median = np.median(medians, axis=0)
        chosen = np.random.Generator(np.random.PCG64(seed)).permutation(len(normal.rows))[:MOST_CLUSTERED]
        chosen.sort()
        rows = self._range.apply(normal.rows[chosen]).astype(np.float64)
        small = normal.sizes < FEWEST_FOR_MEDIAN
        if self.centering is not None:
            medians = np.where(small[:, None], 0.0, medians - self._median)
            rows -= medians[normal.owners[chosen]]
        self.effects_ = mode_means(rows, self.n_prototypes, n_rounds=_CLUSTERING_ROUNDS, seed=seed)

    def _sample_effects(self, X: PatchSets) -> Floats:
        if self.centering is None:
            return np.zeros((len(X), self.n_features_in_))
        small = (X.sizes < FEWEST_FOR_MEDIAN)[:, None]
        if self.aligned:
            effects = sample_medians(X, lambda part: self._range.apply(part.rows) - self.effects_[part.positions])
            return np.where(small, 0.0, effects)
        effects = sample_medians(X, lambda part: self._range.apply(part.rows)) - self._median
        effects = np.where(small, 0.0, effects)
        for _ in range(_ROUNDS):
            start, found = 0, []
            for _, part in X.blocks(BLOCK_PATCHES):
                own = effects[start : start + len(part)]
                places = self._places(part, own)
                found.append(sample_medians(part, partial(self._without_places, places)))
                start += len(part)
            effects = np.where(small, 0.0, np.concatenate(found))
        return effects

    def _without_places(self, places: NDArray[np.intp], part: PatchSets) -> NDArray[Any]:
        return np.asarray(self._range.apply(part.rows) - self.effects_[places])

    def _places(self, X: PatchSets, effects: Floats) -> NDArray[np.intp]:
        """Return the position of each patch, or its nearest prototype."""
        if self.aligned:
            return X.positions
        places = np.empty(len(X.rows), dtype=np.intp)
        squares = squared_norms(self.effects_)
        owners = X.owners
        for rows, part in X.blocks(BLOCK_PATCHES):
            values = self._range.apply(part.rows) - effects[owners[rows]]
            places[rows] = np.argmin(squares - 2 * values @ self.effects_.T, axis=1)
        return places

    def _patch_outlyingness(self, X: PatchSets) -> Floats:
        if self.aligned:
            self._require_alignment(X)
        scores = np.empty(len(X.rows))
        with np.errstate(over="ignore", invalid="ignore"):  # a huge value has the largest distance
            for rows, part in X.blocks(BLOCK_PATCHES):
                values = self._range.apply(part.rows) - self._sample_effects(part)[part.owners]
                if self.aligned:
                    scores[rows] = squared_norms(self._spectrum.whiten(values - self.effects_[part.positions]))
                else:
                    whitened = self._spectrum.whiten(values)
                    centers = self._spectrum.whiten(self.effects_ + self._spectrum.location)
                    scores[rows] = squared_distances(whitened, centers).min(axis=1)
        return limited(scores)
