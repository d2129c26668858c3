"""SMOTE for series of equal length, aligned before they are joined."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._labels import check_classification_targets
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly._support._validation import validate_data
from skanomaly._support._warping import nearest_warped, warping_scratch
from skanomaly.sampling._smote._engine import NEIGHBORS, Segments, find_neighbors, join_within
from skanomaly.sampling._smote._interpolator import Interpolator
from skanomaly.sampling._strategy import STRATEGY

__all__ = ["ElasticSMOTE"]

_BLOCK = 64
_OPTIONS: dict[str, Any] = {"dtype": (np.float64, np.float32), "order": "C", "allow_nd": True}


class ElasticSMOTE(Interpolator):
    r"""Synthetic series between a class's series and their neighbours, matched by dynamic time warping.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow, and how far; as in :class:`SMOTE`.
    k_neighbors : int, or object as in :class:`SMOTE`, default=5
        Number of neighbours, within the class, that a series may be joined with; as in :class:`SMOTE`. An object gets
        each series as a row, time point by time point, and finds neighbours in its own metric instead of by warping.
    band : float in [0, 1], default=0.1
        Half the width of the band that alignments stay in, as a fraction of the length, one time point at least. 0
        aligns nothing: the sampler is then :class:`SMOTE` on the series as rows.
    selection : {"balanced", "random"}, default="balanced"
        As in :class:`SMOTE`, for series.
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
    Neighbours are the nearest under dynamic time warping in a band [2]_. Each time point k of a series x moves to
    :math:`x_k + u (z_l - x_k)`, where l is drawn from the time points of the neighbour z that are aligned with k [1]_.
    Differences are squared, and all channels are warped together; aeon aligns by time warp edit distance by default.
    ``score_samples`` compares values time point by time point, without warping.

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
        "k_neighbors": NEIGHBORS,
        "band": [Interval(Real, 0, 1, closed="both")],
        "selection": [StrOptions({"balanced", "random"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        k_neighbors: Any = 5,
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

    def _read(self, X: Any) -> Any:
        series = validate_data(self, X, reset=False, **_OPTIONS)
        if series[0].size != self._width:
            raise ValueError(f"X has series of shape {series.shape[1:]}; fitted ones hold {self._width} values.")
        return series.reshape(len(series), -1)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.three_d_array = True
        return tags

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        self._n_timepoints = X.shape[1]
        rows = np.ascontiguousarray(X.reshape(len(X), -1))
        self._width = rows.shape[1]
        made, targets, indices = super()._fit_resample(rows, y)
        return None if made is None else made.reshape(-1, *X.shape[1:]), targets, indices

    def _segments(
        self, X: Any, y: NDArray[Any], rows: NDArray[np.intp], label: Any, n_new: int, random: np.random.Generator
    ) -> list[Segments]:
        search = find_neighbors if self.band == 0 else self._warped_neighbors
        return [join_within(X, rows, rows, label, n_new, self.k_neighbors, random, self.n_jobs, self.selection, search)]

    def _make(self, X: Any, parts: list[Segments], random: np.random.Generator) -> Any:
        made = super()._make(X, parts, random)
        if self.band == 0:
            return made
        series = self._as_series(X)
        radius = max(1.0, self.band * self._n_timepoints)
        picks = random.random((len(made), self._n_timepoints))
        for block in row_blocks(len(made), _BLOCK):
            out = np.empty((len(picks[block]), *series.shape[1:]))
            first, second = self.parents_[block].T.copy()
            scratch = warping_scratch(self._n_timepoints, self._n_timepoints, radius)
            _kernels.elastic.elastic_rows(
                series, first, second, self.steps_[block], radius, picks[block], *scratch, out
            )
            made[block] = out.reshape(len(out), -1)
        return made

    def _as_series(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        return rows.reshape(len(rows), self._n_timepoints, -1).astype(np.float64, copy=False)

    def _warped_neighbors(
        self, rows: NDArray[Any], queries: NDArray[np.intp], n_neighbors: int, n_jobs: int | None
    ) -> NDArray[np.intp]:
        """Nearest other series of each by warped distance, like :func:`find_neighbors`."""
        if n_neighbors == 0:
            return queries[:, None]
        series = self._as_series(rows)
        places = series.reshape(-1, series.shape[2])
        offsets = np.arange(len(series) + 1, dtype=np.int64) * self._n_timepoints
        found = np.empty((len(queries), n_neighbors), dtype=np.intp)

        def find(block: slice) -> None:
            for place in range(block.start, block.stop):
                row = queries[place]
                found[place] = nearest_warped(series[row], places, offsets, row, n_neighbors, self.band)[1]

        map_blocks(find, row_blocks(len(queries), _BLOCK), n_jobs=n_jobs)
        return found
