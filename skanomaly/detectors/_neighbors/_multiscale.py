"""Distances to the nearest rows of a bank and of its parts: a fine and a coarse scale."""

from itertools import pairwise
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._chunks import Chunks
from skanomaly._support._hooks import normal_samples
from skanomaly._support._mixed_rows import category_columns
from skanomaly._support._scales import score_spread
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.detectors._mixed import Encoded, MixedSpace
from skanomaly.detectors._mixed_detector import MixedDetector

__all__ = ["MultiscaleNeighborsDetector"]

_BLOCK_ROWS = 256
_ROWS_A_BLOCK = 8  # rows that the kernel reads a block of the bank for at once
_KERNEL_ROWS = 2048
Floats = NDArray[np.float64]


class MultiscaleNeighborsDetector(MixedDetector):
    r"""Distance to the nearest rows of a random bank, at a fine and at a coarse scale.

    The fine scale is the distance to the nearest row of the bank. The coarse scale cuts the bank into blocks and
    averages, over the blocks, the mean distance to the nearest rows of each. A small group of similar anomalies is
    close to itself at the fine scale, but rarely fills a block: the coarse scale finds it. The fine scale finds single
    rows that the coarse one passes over. The score is the larger of both after standardisation.

    Parameters
    ----------
    scales : {"both", "coarse"}, default="both"
        The larger of the two standardised distances, or the coarse one alone, in the units of the table. For the fine
        scale alone see :class:`NearestNeighborsDetector`.
    max_samples : int, default=1024
        Training rows kept in the bank, chosen at random where there are more; at least 2.
    block_size : int, default=256
        Least number of rows of a block of the bank; fewer rows than twice as many form one block. At least 2.
    n_neighbors : int, default=20
        Nearest rows of each block that count. Never more than a block holds beside the row itself.
    contamination : float, default=0.1
        Fraction of the training rows that is flagged, in (0, 0.5].
    n_jobs : int or None, default=None
        Threads over blocks of rows; results do not depend on it.
    random_state : int, RandomState instance or None, default=None
        For the choice of the bank and the order of its rows.

    Attributes
    ----------
    bank_ : ndarray of shape (n_bank, n_features)
        Training rows kept, in random order; missing values are NaN, categories are codes.
    block_edges_ : ndarray of shape (n_blocks + 1,)
        Block b is ``bank_[block_edges_[b] : block_edges_[b + 1]]``.
    n_neighbors_ : int
        Neighbours that count in each block.
    center_ : ndarray of shape (2,)
        Mean of the middle half of the fine and of the coarse distances of the bank's rows. With ``scales="both"`` only.
    scale_ : ndarray of shape (2,)
        The distance of their 95 % point from their median divided by 1.64, that of a normal variable; where that is 0,
        the width between their 5 % and 95 % points divided by 3.29. A scale of 0 means that the distance has no spread
        and is not used. With ``scales="both"`` only.
    offset_ : float
        Threshold on ``score_samples``: rows that score below are anomalies.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    KrigingDetector : Finer than one neighbour on clean training data.
    NearestNeighborsDetector : Exact distances to all training rows, whitened.
    RandomProjectionDepth : Robust and fast for many rows.

    Notes
    -----
    With blocks :math:`B_1, \dots, B_m` of the bank and :math:`x_{(i)}` the i-th nearest row of a block,

    .. math::

        f(x) = \min_{b \in B} \lVert x - b \rVert, \qquad
        c(x) = \frac{1}{m k} \sum_{j=1}^{m} \sum_{i=1}^{k} \lVert x - x_{(i)}^{B_j} \rVert,

    and the score is :math:`-\max\{(f(x) - \bar f) / s_f,\ (c(x) - \bar c) / s_c\}` or :math:`-c(x)`. Distances to
    a random sample were proposed by Sugiyama and Borgwardt (2013), their average over several samples by Zimek and
    others (2013). What we changed: the samples are disjoint, both scales stand side by side, and one row of the bank
    with the values of the query is left out, so that training rows score as new rows do.

    Columns count in their own units: standardise numbers first. Two categories that differ count as a difference of
    :math:`\sqrt 2`, what two random values of a standardised column differ by in the quadratic mean; a missing
    category, and one that training did not have, are categories of their own. A missing number is at the mean of its
    column and its variance away from it in a direction of its own: as far from a random value as two random values
    are, and equal to another missing number.

    `y`: rows labelled -1 are left out of the bank; +1 and 0 count alike.

    ``feature_contributions`` divides each distance among the columns in proportion to their parts of its square, and
    takes off each column's part of the centre. It explains the scale that decides.

    Cost: O(n n_bank d) for scoring n rows, in memory for 256 rows at a time; fitting scores the training rows once.

    References
    ----------
    .. [1] Zimek, A., Gaudet, M., Campello, R. J. G. B. and Sander, J. (2013). "Subsampling for efficient and effective
       unsupervised outlier detection ensembles". KDD, 428-436. https://doi.org/10.1145/2487575.2487676
    .. [2] Sugiyama, M. and Borgwardt, K. (2013). "Rapid distance-based outlier detection via sampling". NeurIPS 26,
       467-475. https://papers.nips.cc/paper/5127-rapid-distance-based-outlier-detection-via-sampling

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.detectors import MultiscaleNeighborsDetector
    >>> random = np.random.default_rng(0)
    >>> rows = np.vstack(
    ...     [random.normal(size=(500, 2)), random.normal(8, 0.1, size=(10, 2))]
    ... )
    >>> detector = MultiscaleNeighborsDetector(contamination=0.02, random_state=0).fit(rows)
    >>> detector.predict([[8.0, 8.0], [0.0, 0.0]])
    array([-1,  1])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MixedDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "scales": [StrOptions({"both", "coarse"})],
        "max_samples": [Interval(Integral, 2, None, closed="left")],
        "block_size": [Interval(Integral, 2, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        scales: str = "both",
        max_samples: int = 1024,
        block_size: int = 256,
        n_neighbors: int = 20,
        contamination: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.scales = scales
        self.max_samples = max_samples
        self.block_size = block_size
        self.n_neighbors = n_neighbors
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:  # the hook's form
        normal = np.flatnonzero(normal_samples(y, self._min_samples, "rows"))
        chosen = generator(self.random_state).permutation(normal)[: self.max_samples]
        self._set_bank(X[chosen], len(chosen))
        if self.scales == "both":
            self._standardize()

    def _fit_chunks(self, table: Chunks) -> None:
        self._fit_sample(table)

    def _set_bank(self, bank: NDArray[Any], n_in_blocks: int) -> None:
        """Keep rows to compare with, in an order in which those that the blocks hold come first."""
        self.bank_ = bank
        n_blocks = max(n_in_blocks // self.block_size, 1)
        self.block_edges_ = np.linspace(0, n_in_blocks, n_blocks + 1).astype(np.intp)
        self.n_neighbors_ = int(min(self.n_neighbors, np.diff(self.block_edges_).min() - 1))
        self._space = MixedSpace(bank, category_columns(self))
        self._bank = self._space.encode(bank)
        edges = np.unique([*self.block_edges_, len(bank)])
        self._block_sizes = np.diff(edges)
        self._blocks_of_bank = tuple(_to_blocks(part, edges) for part in (*self._bank[:2], self._bank.extra[:, None]))

    def _standardize(self) -> None:
        """Estimate the centre and the scale of both scores from the rows of the bank, and the columns' parts of it."""
        scores = self._distances(self.bank_)
        order = np.argsort(scores, axis=0, kind="stable")
        middle = order[len(scores) // 4 : len(scores) - len(scores) // 4]
        parts = [self._split(self.bank_[middle[:, place]], place).mean(axis=0) for place in range(2)]
        self._center_parts = np.array(parts)
        self.center_ = scores[middle, np.arange(2)].mean(axis=0)
        self.scale_ = np.array([score_spread(column) for column in scores.T])
        if not self.scale_.any():
            self.scale_ = np.ones(2)

    def _outlyingness(self, X: NDArray[Any]) -> Floats:
        distances = self._distances(X)
        return distances[:, 1] if self.scales == "coarse" else self._standard(distances).max(axis=1)

    def _standard(self, distances: Floats) -> Floats:
        """Standardise both scores; one without spread in training says nothing."""
        seen = self.scale_ > 0
        standard: Floats = np.where(seen, (distances - self.center_) / np.where(seen, self.scale_, 1.0), -np.inf)
        return standard

    def _distances(self, X: NDArray[Any]) -> Floats:
        """Return the distance to the nearest row and the mean over the nearest of each block, for each row."""
        distances = np.empty((len(X), 2))

        def fill(part: slice) -> None:
            queries = self._space.encode(X[part])
            squares = np.empty((_ROWS_A_BLOCK, int(self._block_sizes.max()) + 1))
            _kernels.block_neighbors.fill_block_distances(
                *queries,
                *self._blocks_of_bank,
                self._block_sizes,
                len(self.block_edges_) - 1,
                self._space.prices,
                self.n_neighbors_,
                squares,
                squares.view(np.int64),
                distances[part],
            )

        map_blocks(fill, row_blocks(len(X), _KERNEL_ROWS), n_jobs=self.n_jobs)
        distances[:, 1] *= 1.0 / ((len(self.block_edges_) - 1) * self.n_neighbors_)
        with np.errstate(over="ignore"):
            distances /= self._space.unit
        return np.minimum(distances, np.finfo(np.float64).max, out=distances)

    def _blocks(self) -> list[slice]:
        edges = self.block_edges_.tolist()
        return [slice(start, stop) for start, stop in pairwise(edges)]

    def _to_bank(self, rows: NDArray[Any]) -> Floats:
        """Measure all distances to the bank; that to the first row with the same values is infinite."""
        queries = self._space.encode(rows)
        bare = (part._replace(extra=np.zeros(len(part.extra))) for part in (queries, self._bank))
        squares = self._space.squared_distances(*bare)
        first = squares.argmin(axis=1)
        known = np.flatnonzero(squares[np.arange(len(rows)), first] == 0)
        table = np.sqrt(squares + (queries.extra[:, None] + self._bank.extra))
        with np.errstate(over="ignore"):
            table /= self._space.unit
        table[known, first[known]] = np.inf
        return table

    def _contributions(self, X: NDArray[Any]) -> Floats:
        """Split the distance that decides, less the parts that its columns have in the centre."""
        if self.scales == "coarse":
            return self._split(X, 1)
        deciding = self._standard(self._distances(X)).argmax(axis=1)
        contributions = np.empty(X.shape)
        for place in range(2):
            rows = np.flatnonzero(deciding == place)
            parts = self._split(X[rows], place) - self._center_parts[place]
            contributions[rows] = parts / (self.scale_[place] or 1.0)
        return contributions

    def _split(self, rows: NDArray[Any], place: int) -> Floats:
        """Split the nearest distance (0) or the mean distance (1) among the columns."""
        parts = np.zeros(rows.shape)
        for part in row_blocks(len(rows), _BLOCK_ROWS):
            parts[part] = self._split_block(rows[part], place)
        return parts

    def _split_block(self, rows: NDArray[Any], place: int) -> Floats:
        table, queries = self._to_bank(rows), self._space.encode(rows)
        if place == 0:
            return self._split_distance(rows, queries, table, table.argmin(axis=1))
        total = np.zeros(rows.shape)
        for block in self._blocks():
            nearest = np.argpartition(table[:, block], self.n_neighbors_ - 1, axis=1)[:, : self.n_neighbors_]
            for indices in nearest.T:
                total += self._split_distance(rows, queries, table, indices + block.start)
        return total / (self.n_neighbors_ * len(self._blocks()))

    def _split_distance(self, rows: NDArray[Any], queries: Encoded, table: Floats, indices: NDArray[np.intp]) -> Floats:
        """Split the distance to one row of the bank each in proportion to the parts of its square."""
        squares = self._space.column_squares(queries, self._bank.take(indices), rows)
        sums = squares.sum(axis=1)
        distances = table[np.arange(len(rows)), indices]
        return squares * np.divide(distances, sums, out=np.zeros_like(sums), where=sums > 0)[:, None]


def _to_blocks(part: Floats, edges: NDArray[np.intp]) -> Floats:
    """Lay rows out block by block and column by column, with zeros behind the rows of shorter blocks."""
    blocks = np.zeros((len(edges) - 1, part.shape[1], int(np.diff(edges).max())))
    for block, (start, stop) in zip(blocks, pairwise(edges.tolist()), strict=True):
        block[:, : stop - start] = part[start:stop].T
    return blocks
