"""One detector for each tile of the columns or positions."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.utils import Tags, get_tags

from skanomaly._support._levels import read_levels
from skanomaly._support._patches import PatchSets, grid_of
from skanomaly._support._responses import outlyingness
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions
from skanomaly.base import PatchDetector

__all__ = ["TiledDetector"]

_MIDDLE, _HIGH = 0.5, 0.9
Floats = NDArray[np.float64]


class TiledDetector(MetaEstimatorMixin, PatchDetector):
    r"""Fit a clone of a detector to each tile of the positions or of the columns.

    A tile is a block of positions of a grid, an interval of time points, or a group of columns. Samples are compared
    within each tile, and a fit needs the memory of one tile.

    Parameters
    ----------
    detector : estimator
        Detector of tables, which gets patches as rows, or of patch sets. Unfitted; each tile has a clone.
    tiles : int, sequence of int, sequence of slice or list of int, or None, default=None
        Number of tiles, of about equal size; for positions whose number is a square, the number along each side of the
        grid. Or the widths of the tiles, or the columns or positions of each. None gives each position a tile, or cuts
        the columns in four.
    axis : {"positions", "columns"}, default="positions"
        What is cut. Positions need samples with the same number of patches.
    overlap : int, default=0
        Number of positions, along each side of the grid, or of columns that a tile takes from each neighbour; only used
        if `tiles` is a number or None. Scores of a position that several tiles cover are averaged.
    normalization : {"quantile", "none"}, default="quantile"
        "quantile" subtracts the median of the training scores of a tile and divides by the distance of their 90 %
        quantile from it, before scores of tiles are compared.
    aggregation : {"mean", "max"}, default="mean"
        How scores of tiles of columns are combined.
    pooling : {"max", "mean"} or float, default=0.05
        Score of a sample: the largest or the mean outlyingness of its patches, or the mean of the given fraction of its
        patches, those with the largest, at least one.
    contamination : float, default=0.1
        Fraction of the training samples that are flagged, in (0, 0.5].

    Attributes
    ----------
    detectors_ : list of estimator
        One for each tile.
    tiles_ : list of ndarray
        Positions or columns of each tile.
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
    PatchGaussian : A Gaussian for each position, with scores that need no normalization.

    Notes
    -----
    This is the ensemble of [1]_ for arrays. What we changed: scores are normalised by quantiles of training scores
    before they are combined, and tiles may be of columns.

    `y` is handed on to the detectors, repeated for each patch where they take rows.

    Cost: that of the detector, times the number of tiles, each with a part of the data.

    References
    ----------
    .. [1] Rolih, B., Ameln, D., Vaidya, A. and Akcay, S. (2024). "Divide and conquer: high-resolution industrial
       anomaly detection via memory efficient tiled ensemble". CVPR workshops. https://doi.org/10.48550/arXiv.2403.04932

    Examples
    --------
    >>> from sklearn.metrics import roc_auc_score
    >>> from skanomaly.datasets import make_patch_grids
    >>> from skanomaly.detectors import GaussianDetector
    >>> from skanomaly.embeddings import TiledDetector
    >>> X_train, X_test, y_test, _ = make_patch_grids(anomalies="misplaced", random_state=0)
    >>> detector = TiledDetector(GaussianDetector()).fit(X_train)
    >>> bool(roc_auc_score(y_test, detector.score_samples(X_test)) > 0.95)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **PatchDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "detector": [HasMethods(["fit"])],
        "tiles": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "axis": [StrOptions({"positions", "columns"})],
        "overlap": [Interval(Integral, 0, None, closed="left")],
        "normalization": [StrOptions({"quantile", "none"})],
        "aggregation": [StrOptions({"mean", "max"})],
    }

    def __init__(
        self,
        detector: Any,
        *,
        tiles: Any = None,
        axis: str = "positions",
        overlap: int = 0,
        normalization: str = "quantile",
        aggregation: str = "mean",
        pooling: str | float = 0.05,
        contamination: float = 0.1,
    ) -> None:
        self.detector = detector
        self.tiles = tiles
        self.axis = axis
        self.overlap = overlap
        self.normalization = normalization
        self.aggregation = aggregation
        self.pooling = pooling
        self.contamination = contamination

    def _fit(self, X: PatchSets, y: NDArray[np.int8], **metadata: Any) -> None:
        self.tiles_ = self._cut(X)
        labels = y if y.any() else None
        self._takes_sets = get_tags(self.detector).input_tags.three_d_array if _has_tags(self.detector) else False
        self.detectors_, limits = [], []
        for tile in self.tiles_:
            part = self._part(X, tile)
            rows = self._given(part)
            own = labels if labels is None or self._takes_sets else labels[part.owners]
            fitted = clone(self.detector)
            fitted = fitted.fit(rows) if own is None else fitted.fit(rows, own)
            self.detectors_.append(fitted)
            limits.append(np.quantile(self._scores(fitted, part), [_MIDDLE, _HIGH]))
        low, high = np.array(limits).T
        self._middles, self._spreads = low, np.where(high > low, high - low, 1.0)

    def _cut(self, X: PatchSets) -> list[NDArray[np.intp]]:
        if self.axis == "columns":
            size, grid = self.n_features_in_, (1, self.n_features_in_)
        else:
            if self.n_patches_ is None:
                raise ValueError(
                    "axis='positions' needs samples with the same number of patches; X has samples of different "
                    "numbers. Use axis='columns'."
                )
            size, grid = self.n_patches_, grid_of(self.n_patches_)
        if self.tiles is not None and not isinstance(self.tiles, Integral):
            return read_levels(self.tiles, size)
        number = min(4, size) if self.axis == "columns" else max(grid)
        if self.tiles is not None:
            number = int(self.tiles)
        places = np.arange(size).reshape(grid)
        tiles = []
        for rows in _runs(grid[0], number if grid[0] > 1 else 1, self.overlap):
            tiles += [places[rows, columns].ravel() for columns in _runs(grid[1], number, self.overlap)]
        return tiles

    def _part(self, X: PatchSets, tile: NDArray[np.intp]) -> PatchSets:
        if self.axis == "columns":
            return X.with_rows(np.ascontiguousarray(X.rows[:, tile]))
        if X.n_patches != self.n_patches_:
            raise ValueError(
                f"X must have {self.n_patches_} patches a sample, as in fit, and has {np.unique(X.sizes).tolist()[:5]}."
            )
        rows = np.ascontiguousarray(X.split(X.rows)[:, tile]).reshape(-1, X.rows.shape[1])
        return PatchSets(rows, np.arange(len(X) + 1, dtype=np.intp) * len(tile))

    def _given(self, part: PatchSets) -> Any:
        return part.split(part.rows) if self._takes_sets else part.rows

    def _scores(self, fitted: Any, part: PatchSets) -> Floats:
        """Return the outlyingness of each patch of a tile."""
        if self._takes_sets and hasattr(fitted, "score_patches"):
            scores = fitted.score_patches(self._given(part))
            return -np.concatenate([np.ravel(patches) for patches in scores]).astype(np.float64)
        found = outlyingness(fitted, self._given(part))
        return np.repeat(found, part.sizes) if self._takes_sets else found

    def _patch_outlyingness(self, X: PatchSets) -> Floats:
        columns = self.axis == "columns"
        combined = np.full(len(X.rows), -np.inf if columns and self.aggregation == "max" else 0.0)
        counts = np.zeros(len(X.rows))
        for tile, fitted, middle, spread in zip(
            self.tiles_, self.detectors_, self._middles, self._spreads, strict=True
        ):
            scores = self._scores(fitted, self._part(X, tile))
            if self.normalization == "quantile":
                scores = (scores - middle) / spread
            if self.n_patches_ is None or columns:
                combined = np.maximum(combined, scores) if self.aggregation == "max" else combined + scores
                counts += 1
            else:
                places = np.arange(len(X))[:, None] * self.n_patches_ + tile
                combined[places.ravel()] += scores
                counts[places.ravel()] += 1
        if columns and self.aggregation == "max":
            return combined
        return combined / np.maximum(counts, 1)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        if _has_tags(self.detector):
            tags.input_tags.allow_nan = False
            tags.target_tags.required = get_tags(self.detector).target_tags.required
        return tags


def _has_tags(detector: Any) -> bool:
    return hasattr(detector, "__sklearn_tags__")


def _runs(size: int, number: int, overlap: int) -> list[slice]:
    """Cut a range into runs of about equal length, each longer by the overlap on both sides."""
    edges = np.linspace(0, size, min(number, size) + 1).round().astype(int)
    return [
        slice(max(0, start - overlap), min(size, stop + overlap))
        for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
