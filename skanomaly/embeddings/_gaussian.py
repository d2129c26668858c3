"""Gaussians of patches: one for all, or one for each position."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._hooks import normal_samples
from skanomaly._support._levels import learn_level_weights, read_levels
from skanomaly._support._patches import PatchSets, pool_patches
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._spectrum import Spectrum
from skanomaly.base import PatchDetector
from skanomaly.embeddings._whitening import BLOCK_PATCHES, limited, range_of, spectrum_of, squared_norms

__all__ = ["PatchGaussian"]

Floats = NDArray[np.float64]


class PatchGaussian(PatchDetector):
    r"""Mahalanobis distance of patches from the mean of all patches, or of their position.

    With one Gaussian for all patches it sees novel patches; with one for each position misplaced ones too. Samples that
    are shifted as a whole are anomalous.

    Parameters
    ----------
    scope : {"global", "position"}, default="global"
        One mean and covariance for all patches, or for each position. The latter needs aligned samples, and about as
        many samples as columns for a covariance that is not mostly shrinkage.
    covariance : {"ledoit_wolf", "oas", "empirical", "diag"}, default="ledoit_wolf"
        Estimator of the covariance. The first two shrink it towards a multiple of the identity.
    rank : int or None, default=None
        Number of leading directions of the covariance with a variance of their own; the others have their mean
        variance. It saves memory where columns and positions are many. None keeps all.
    levels : sequence of int, sequence of slice or list of int, or None, default=None
        Groups of columns with a Gaussian each, such as the levels of a network: their widths, or their columns. None is
        one group.
    level_weights : {"sum", "logistic"}, default="sum"
        Squared distances of levels are added, or weighted by a logistic regression on the samples labelled +1 and -1.
    pooling : {"max", "mean"} or float, default=0.05
        Score of a sample: the largest or the mean outlyingness of its patches, or the mean of the given fraction of its
        patches, those with the largest, at least one.
    contamination : float, default=0.1
        Fraction of the training samples that are flagged, in (0, 0.5].

    Attributes
    ----------
    means_ : ndarray of shape (n_scopes, n_features)
        Mean patch, or mean patch of each position.
    shrinkage_ : float
        Mean weight of the identity in the covariances.
    weights_ : ndarray of shape (n_levels,)
        Weights of the levels.
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
    PatchResidual : One covariance for all positions, without the effect of the sample.
    skanomaly.detectors.GaussianDetector : The same for tables, with classes, subspaces and contributions of columns.

    Notes
    -----
    The outlyingness of a patch is :math:`\sum_l w_l (x-\mu)_l^\top \Sigma_l^{-1} (x-\mu)_l` over levels :math:`l`. One
    Gaussian for each position is the model of [1]_, the sum over the levels of a network that of [2]_, the logistic
    regression that of [3]_. What we changed: covariances are shrunk by Ledoit and Wolf's rule instead of by a fixed
    term, columns are not drawn at random, and weights of levels are only learnt from labels of the training data.

    `y`: samples labelled -1 are left out of means and covariances; +1 and 0 are treated alike, except for the weights.
    Training samples are scored like new ones.

    *When it fails.* Pooling by "mean" hides anomalies of a few patches. Samples that are shifted as a whole hide the
    other anomalies.

    Cost: O(N d² + S d³) for N patches and S scopes; with more columns than samples and a scope for each position, the
    Gram matrices are enough. Memory: S d² numbers, or S d r with rank r.

    References
    ----------
    .. [1] Defard, T., Setkov, A., Loesch, A. and Audigier, R. (2021). "PaDiM: a patch distribution modeling framework
       for anomaly detection and localization". ICPR 2020 workshops. arXiv:2011.08785.
    .. [2] Rippel, O., Mertens, P. and Merhof, D. (2021). "Modeling the distribution of normal data in pre-trained deep
       features for anomaly detection". ICPR 2020. https://doi.org/10.1109/ICPR48806.2021.9412109
    .. [3] Lee, K., Lee, K., Lee, H. and Shin, J. (2018). "A simple unified framework for detecting out-of-distribution
       samples and adversarial attacks". NeurIPS 31. arXiv:1807.03888.

    Examples
    --------
    >>> from sklearn.metrics import roc_auc_score
    >>> from skanomaly.datasets import make_patch_grids
    >>> from skanomaly.embeddings import PatchGaussian
    >>> X_train, X_test, y_test, _ = make_patch_grids(anomalies="misplaced", random_state=0)
    >>> for scope in ("global", "position"):
    ...     detector = PatchGaussian(scope=scope).fit(X_train)
    ...     print(scope, bool(roc_auc_score(y_test, detector.score_samples(X_test)) > 0.95))
    global False
    position True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **PatchDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "scope": [StrOptions({"global", "position"})],
        "covariance": [StrOptions({"ledoit_wolf", "oas", "empirical", "diag"})],
        "rank": [Interval(Integral, 1, None, closed="left"), None],
        "levels": ["array-like", None],
        "level_weights": [StrOptions({"sum", "logistic"})],
    }

    def __init__(
        self,
        *,
        scope: str = "global",
        covariance: str = "ledoit_wolf",
        rank: int | None = None,
        levels: Any = None,
        level_weights: str = "sum",
        pooling: str | float = 0.05,
        contamination: float = 0.1,
    ) -> None:
        self.scope = scope
        self.covariance = covariance
        self.rank = rank
        self.levels = levels
        self.level_weights = level_weights
        self.pooling = pooling
        self.contamination = contamination

    def _fit(self, X: PatchSets, y: NDArray[np.int8], **metadata: Any) -> None:
        normal = X.take(normal_samples(y, self._min_samples, "samples"))
        levels: list[Any] = [slice(None)]
        if self.levels is not None:
            levels = list(read_levels(self.levels, self.n_features_in_))
        self._levels = levels
        self._require_positions(X)
        self._range = range_of(normal.rows)
        places = [slice(None)] if self.scope == "global" else [slice(at, None, X.n_patches) for at in range(X.sizes[0])]
        self._spectra = [[self._spectrum(normal.rows[place], columns) for columns in levels] for place in places]
        self.shrinkage_ = float(np.mean([each.shrinkage for row in self._spectra for each in row]))
        self.means_ = np.zeros((len(places), self.n_features_in_))
        for place, row in enumerate(self._spectra):
            for columns, spectrum in zip(self._levels, row, strict=True):
                self.means_[place, columns] = spectrum.location
        self.weights_ = np.ones(len(levels))
        if self.level_weights == "logistic":
            patches = self._level_distances(X)
            pooled = np.column_stack([pool_patches(X, column, self.pooling) for column in patches.T])
            self.weights_ = learn_level_weights(pooled, y)

    def _spectrum(self, rows: NDArray[Any], columns: Any) -> Spectrum:
        kept = np.concatenate(
            [
                self._range.ordinary_rows(self._range.apply(rows[start : start + BLOCK_PATCHES]))
                for start in range(0, len(rows), BLOCK_PATCHES)
            ]
        )

        def values(part: slice) -> Floats:
            return np.asarray(self._range.apply(rows[part])[:, columns], dtype=np.float64)

        found = spectrum_of(rows, values, covariance=self.covariance, kept=kept)
        if self.rank is None or found.vectors is None or self.rank >= len(found.roots):
            return found
        return _of_rank(found, self.rank)

    def _require_positions(self, X: PatchSets) -> None:
        if self.scope == "global":
            return
        if self.n_patches_ is None or X.n_patches != self.n_patches_:
            sizes = np.unique(X.sizes).tolist()[:5]
            raise ValueError(
                f"scope='position' needs {self.n_patches_ or 'the same number of'} patches in each sample, and X has "
                f"{sizes}. Use scope='global'."
            )

    def _level_distances(self, X: PatchSets) -> Floats:
        """Return the squared distance of each patch on each level."""
        self._require_positions(X)
        found = np.empty((len(X.rows), len(self._levels)))
        n_places = len(self._spectra)
        with np.errstate(over="ignore", invalid="ignore"):  # a huge value has the largest distance
            for rows, block in X.blocks(BLOCK_PATCHES):
                values = self._range.apply(block.rows)
                for place, spectra in enumerate(self._spectra):
                    here = slice(None) if n_places == 1 else slice(place, None, n_places)
                    for level, (columns, spectrum) in enumerate(zip(self._levels, spectra, strict=True)):
                        found[rows][here, level] = squared_norms(spectrum.whiten(values[here][:, columns]))
        return limited(found)

    def _patch_outlyingness(self, X: PatchSets) -> Floats:
        with np.errstate(over="ignore"):
            return limited(self._level_distances(X) @ self.weights_)


def _of_rank(spectrum: Spectrum, rank: int) -> Spectrum:
    """Keep the leading directions, and give the others their mean variance."""
    vectors: Any = spectrum.vectors
    n_features = len(spectrum.location)
    roots = spectrum.roots
    variances = np.square(np.divide(1.0, roots, out=np.zeros_like(roots), where=roots > 0))
    outside = n_features - len(roots)
    total = variances[rank:].sum() + (outside / spectrum.rest**2 if spectrum.rest > 0 else 0.0)
    mean = total / (n_features - rank)
    rest = float(1 / np.sqrt(mean)) if mean > 0 else 0.0
    kept = np.ascontiguousarray(vectors[:, :rank])
    return Spectrum(spectrum.location, spectrum.scale, kept, roots[:rank], rest, spectrum.shrinkage)
