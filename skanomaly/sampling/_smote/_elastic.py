"""SMOTE for series of equal length, aligned before they are joined."""

from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._validation import validate_data
from skanomaly.base import BaseSampler
from skanomaly.sampling._smote._engine import assemble, find_neighbors, is_same
from skanomaly.sampling._smote._plausibility import PlausibilityMixin
from skanomaly.sampling._smote._smote import join_within
from skanomaly.sampling._strategy import STRATEGY, rows_to_make

__all__ = ["ElasticSMOTE"]

_BLOCK = 64
_OPTIONS: dict[str, Any] = {"dtype": (np.float64, np.float32), "order": "C", "allow_nd": True}


class ElasticSMOTE(PlausibilityMixin, BaseSampler):
    r"""Synthetic series between a class's series and their neighbours, matched by dynamic time warping.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far; as in :class:`SMOTE`.
    k_neighbors : int, default=5
        Number of neighbours, within the class, that a series may be joined with; as in :class:`SMOTE`.
    band : float in [0, 1], default=0.1
        Half the width of the band that alignments stay in, as a share of the length, one place at least. 0 aligns
        nothing: the sampler is then :class:`SMOTE` on the values in a row.
    selection : {"balanced", "random"}, default="balanced"
        Whether every series starts as many synthetic ones, or they are drawn with replacement.
    n_jobs : int or None, default=None
        Threads; the series do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Draws series, neighbours, steps and partners.

    Attributes
    ----------
    sampling_strategy_ : dict
        Class to number of series made.
    sample_indices_ : ndarray of shape (n_resampled,)
        Training series behind each returned one; -1 where it is synthetic.
    parents_ : ndarray of shape (n_synthetic, 2)
        The two training series that each synthetic one lies between.
    steps_ : ndarray of shape (n_synthetic,)
        How far from the first parent to the second.
    n_features_in_ : int
        Number of time points.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SMOTE : For rows whose columns have no order.

    Notes
    -----
    Neighbours are the nearest under dynamic time warping in a band [2]_. Each place k of a series x moves to
    :math:`x_k + u (z_l - x_k)`, where l is drawn from the places of the neighbour z that the alignment gives k [1]_.
    aeon aligns with time warp edit distance by default; squared differences here, with all channels warped together.
    ``score_samples`` compares values place by place, without warping.

    References
    ----------
    .. [1] The aeon developers, "Elastic Synthetic Minority Over-sampling Technique (ESMOTE)", a class of aeon, 2025.
       https://github.com/aeon-toolkit/aeon/pull/2971
    .. [2] H. Sakoe and S. Chiba, "Dynamic programming algorithm optimization for spoken word recognition", IEEE
       Transactions on Acoustics, Speech, and Signal Processing 26, 1978. https://doi.org/10.1109/TASSP.1978.1163055

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.sampling import ElasticSMOTE
    >>> random = np.random.default_rng(0)
    >>> X = np.sin(np.arange(40) / 4 + random.normal(size=(30, 1)))[:, :, None]
    >>> y = np.repeat([0, 1], [24, 6])
    >>> X_new, y_new = ElasticSMOTE(random_state=0).fit_resample(X, y)
    >>> X_new.shape, int(y_new.sum())
    ((48, 40, 1), 24)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampling_strategy": STRATEGY,
        "k_neighbors": [Interval(Integral, 1, None, closed="left")],
        "band": [Interval(Real, 0, 1, closed="both")],
        "selection": [StrOptions({"balanced", "random"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        k_neighbors: int = 5,
        band: float = 0.1,
        selection: str = "balanced",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.k_neighbors = k_neighbors
        self.band = band
        self.selection = selection
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        series, targets = validate_data(self, X, y, reset=True, **_OPTIONS)
        check_classification_targets(targets)
        if series.ndim > 3:
            raise ValueError(
                f"X has shape {series.shape}; give (n_sequences, n_timepoints, n_features), or one feature as a table."
            )
        return series, targets

    def _plausible_rows(self, X: Any) -> Any:
        series = validate_data(self, X, reset=False, **_OPTIONS)
        if series[0].size != self._sources_width:
            raise ValueError(
                f"X has series of shape {series.shape[1:]}; fitted ones hold {self._sources_width} values."
            )
        return series.reshape(len(series), -1)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.three_d_array = True
        return tags

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, NDArray[Any], NDArray[np.intp]]:
        self.sampling_strategy_ = rows_to_make(self.sampling_strategy, y)
        random = generator(self.random_state)
        rows = np.ascontiguousarray(X.reshape(len(X), -1))
        series = rows.reshape(len(X), X.shape[1], -1).astype(np.float64, copy=False)
        radius = max(1.0, self.band * X.shape[1])
        parts = []
        for label, n_new in self.sampling_strategy_.items():
            if n_new:
                own = is_same(y, label)
                search = find_neighbors if self.band == 0 else partial(self._warped_neighbors, X.shape[1])
                parts.append(
                    join_within(
                        rows, own, own, label, n_new, self.k_neighbors, random, self.n_jobs, self.selection, search
                    )
                )
        self._remember(rows, y, [part.target for part in parts], self.k_neighbors)
        self._sources_width = rows.shape[1]
        resampled, targets, indices, self.parents_, self.steps_ = assemble(rows, y, parts)
        if self.band > 0:
            made = resampled[len(X) :].reshape(-1, *series.shape[1:])
            picks = random.random((len(made), X.shape[1]))
            for block in row_blocks(len(made), _BLOCK):
                out = np.empty(made[block].shape)
                pairs = self.parents_[block]
                _kernels.elastic.elastic_rows(
                    series, pairs[:, 0].copy(), pairs[:, 1].copy(), self.steps_[block], radius, picks[block], out
                )
                made[block] = out
        return resampled.reshape(-1, *X.shape[1:]), targets, indices

    def _warped_neighbors(
        self, n_timepoints: int, rows: NDArray[Any], queries: NDArray[np.intp], n_neighbors: int, n_jobs: int | None
    ) -> NDArray[np.intp]:
        """Nearest other series of each by warped distance, like :func:`find_neighbors`."""
        if n_neighbors == 0:
            return queries[:, None]
        series = rows.reshape(len(rows), n_timepoints, -1).astype(np.float64, copy=False)
        places = series.reshape(-1, series.shape[2])
        offsets = np.arange(len(series) + 1, dtype=np.int64) * n_timepoints
        found = np.empty((len(queries), n_neighbors), dtype=np.intp)

        def find(block: slice) -> None:
            for place in range(block.start, block.stop):
                row = queries[place]
                found[place] = _kernels.banded_warping.nearest_warped(
                    series[row], places, offsets, row, n_neighbors, self.band
                )[1]

        map_blocks(find, row_blocks(len(queries), _BLOCK), n_jobs=n_jobs)
        return found
