"""A memory of patches and how far patches are from it."""

import hashlib
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._networks._attention import sparsemax
from skanomaly._support._blocks import map_blocks, row_blocks
from skanomaly._support._neighbors import NeighborIndex
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._patches import PatchSets, grid_of
from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.embeddings._whitening import unit_vectors

__all__ = ["AttentionLookup", "Memory", "SampleLookup", "grid_or_none", "self_distances"]

_MOST_WEIGHTS = 4_000_000
_QUERY_TEMPERATURE = 0.05
_SMALLEST_TEMPERATURE = 1e-12  # cosines that differ by less differ by rounding
Floats = NDArray[np.float64]


class AttentionLookup(ParameterObject):
    r"""Rebuild a patch from all patches of the bank, weighted by their similarity.

    Parameters
    ----------
    kind : {"softmax", "sparsemax"}, default="softmax"
        "sparsemax" gives most patches of the bank no weight.
    temperature : float, default=0.05
        Divides the cosine similarities; above 0. A small value leaves the nearest patches only.

    See Also
    --------
    PatchNeighbors : The detector that uses it.

    Notes
    -----
    With the patches of the bank :math:`b_j` and the query :math:`q` scaled to norm 1, :math:`\hat q = \sum_j w_j b_j`
    with :math:`w` the softmax or sparsemax of :math:`\langle q, b_j \rangle / \tau`; the outlyingness is
    :math:`1 - \cos(q, \hat q)`. Sparsemax look-ups are those of dictionaries of normal patches, here without learnt
    keys. On planted grids softmax was better than the nearest patch by cosine, and whitened distances were better than
    both.

    References
    ----------
    .. [1] Martins, A. F. T. and Astudillo, R. F. (2016). "From softmax to sparsemax: a sparse model of attention and
       multi-label classification". ICML. arXiv:1602.02068.

    Examples
    --------
    >>> from skanomaly.embeddings import AttentionLookup, PatchNeighbors
    >>> PatchNeighbors(lookup=AttentionLookup(temperature=0.1))
    PatchNeighbors(lookup=AttentionLookup(temperature=0.1))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "kind": [StrOptions({"softmax", "sparsemax"})],
        "temperature": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, kind: str = "softmax", temperature: float = 0.05) -> None:
        self.kind = kind
        self.temperature = temperature

    def _weigh(self, similarities: Floats) -> Floats:
        logits = similarities / max(self.temperature, _SMALLEST_TEMPERATURE)
        logits -= logits.max(axis=1, keepdims=True)
        if self.kind == "softmax":
            weights = np.exp(logits)
            return np.asarray(weights / weights.sum(axis=1, keepdims=True))
        return sparsemax(logits)


class Memory:
    """Patches that others are compared with.

    Parameters
    ----------
    rows : ndarray of shape (n_bank, n_features)
        Transformed patches.
    groups : ndarray of shape (n_bank,), intp
        Sample of each patch.
    positions : ndarray of shape (n_bank,), intp
    metric : {"euclidean", "cosine"}
    n_neighbors : int
    lookup : AttentionLookup or None
    grid : tuple of two int, or None
        Rows and columns of the grid, where positions restrict the search.
    radius : int
    leave_out : bool, default=True
        Whether queries leave out a group.
    """

    def __init__(
        self,
        rows: NDArray[Any],
        groups: NDArray[np.intp],
        positions: NDArray[np.intp],
        *,
        metric: str,
        n_neighbors: int,
        lookup: AttentionLookup | None,
        grid: tuple[int, int] | None,
        radius: int,
        leave_out: bool = True,
    ) -> None:
        self.rows = rows
        self.groups = groups
        self.lookup = lookup
        members = [np.arange(len(rows))]
        if grid is not None:
            places = np.arange(grid[0] * grid[1])
            coordinates = np.column_stack(np.divmod(places, grid[1]))
            far = np.abs(coordinates[:, None] - coordinates)
            near = far.max(axis=2) <= radius
            members = [np.flatnonzero(near[place][positions]) for place in places]
        self._members = members
        largest = [int(np.bincount(groups[part], minlength=1).max()) if leave_out else 0 for part in members]
        others = min(len(part) - size for part, size in zip(members, largest, strict=True))
        self.n_neighbors = min(n_neighbors, others)
        self._indices = (
            [
                NeighborIndex(np.ascontiguousarray(rows[part]), metric=metric, groups=groups[part])
                if len(part)
                else None
                for part in members
            ]
            if lookup is None
            else []
        )
        self._unit = None if lookup is None else unit_vectors(rows)

    def nearest(
        self, rows: NDArray[Any], positions: NDArray[np.intp], left_out: NDArray[np.intp] | None, n_jobs: int | None
    ) -> tuple[Floats, NDArray[np.intp]]:
        """Return the distances and numbers of the nearest patches."""
        if len(self._indices) == 1:
            return self._index(0).query(rows, n_neighbors=self.n_neighbors, exclude=left_out, n_jobs=n_jobs)
        distances = np.empty((len(rows), self.n_neighbors))
        indices = np.empty((len(rows), self.n_neighbors), dtype=np.intp)
        order = np.argsort(positions, kind="stable")
        starts = np.searchsorted(positions[order], np.arange(len(self._indices) + 1))
        parts = [place for place in range(len(self._indices)) if starts[place] < starts[place + 1]]

        def search(place: int) -> None:
            here = order[starts[place] : starts[place + 1]]
            found = self._index(place).query(
                np.ascontiguousarray(rows[here]),
                n_neighbors=self.n_neighbors,
                exclude=None if left_out is None else left_out[here],
                n_jobs=1,
            )
            distances[here], indices[here] = found[0], self._members[place][found[1]]

        map_blocks(search, parts, n_jobs=n_jobs)
        return distances, indices

    def _index(self, place: int) -> NeighborIndex:
        index = self._indices[place]
        if index is None:
            raise ValueError("The bank has no patch near a position. Keep more patches, or use a larger radius.")
        return index

    def outlyingness(
        self, rows: NDArray[Any], positions: NDArray[np.intp], left_out: NDArray[np.intp] | None, n_jobs: int | None
    ) -> Floats:
        """Return how far each patch is from the memory, without the groups left out."""
        lookup, unit = self.lookup, self._unit
        if lookup is None or unit is None:
            return np.asarray(self.nearest(rows, positions, left_out, n_jobs)[0].mean(axis=1))
        scores = np.empty(len(rows))

        def fill(part: slice) -> None:
            queries = unit_vectors(rows[part])
            similarities = queries @ unit.T
            if left_out is not None:
                similarities[self.groups == left_out[part, None]] = -np.inf
            if len(self._members) > 1:
                for row, place in enumerate(positions[part]):
                    allowed = np.zeros(len(unit), dtype=bool)
                    allowed[self._members[place]] = True
                    similarities[row, ~allowed] = -np.inf
            rebuilt = lookup._weigh(similarities) @ unit
            norms = np.linalg.norm(rebuilt, axis=1)
            scores[part] = 1 - np.einsum("ij,ij->i", queries, rebuilt) / np.where(norms > 0, norms, 1)

        map_blocks(fill, row_blocks(len(rows), max(1, _MOST_WEIGHTS // len(unit))), n_jobs=n_jobs)
        return scores


class SampleLookup:
    """Finds the first training sample with the same values as a query.

    Parameters
    ----------
    samples : PatchSets
    """

    def __init__(self, samples: PatchSets) -> None:
        self._first: dict[str, int] = {}
        self._whole: dict[str, int] = {}
        for index, patches in enumerate(_each(samples)):
            self._first.setdefault(_digest(patches[:1]), index)
            self._whole.setdefault(_digest(patches), index)

    def find(self, samples: PatchSets) -> NDArray[np.intp]:
        """Return the number of the equal training sample, or -1."""
        found = np.full(len(samples), -1, dtype=np.intp)
        for index, patches in enumerate(_each(samples)):
            if _digest(patches[:1]) in self._first:  # else the whole need not be read
                found[index] = self._whole.get(_digest(patches), -1)
        return found


def _each(samples: PatchSets) -> Any:
    for start, stop in zip(samples.edges[:-1], samples.edges[1:], strict=True):
        yield samples.rows[start:stop]


def _digest(patches: NDArray[Any]) -> str:
    values = np.ascontiguousarray(patches, dtype=np.float64) + 0.0  # 0 and -0 are equal
    return f"{hashlib.blake2b(values.data, digest_size=16).hexdigest()}-{len(patches)}"  # skops stores text as keys


def self_distances(samples: PatchSets, codebook: Floats) -> Floats:
    """Return the distance of each patch to the nearest prototype of its own sample, made without the patch.

    A prototype is a mean of the patches of the sample, weighted by how much each is like one vector of the codebook. An
    offset that all patches of a sample have changes nothing.

    Parameters
    ----------
    samples : PatchSets
    codebook : ndarray of shape (n_prototypes, n_features)

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    centered = codebook - codebook.mean(axis=0)
    scale = _QUERY_TEMPERATURE * (float(np.square(centered).sum(axis=1).mean()) or 1.0)
    distances = np.empty(len(samples.rows))
    for start, stop in zip(samples.edges[:-1], samples.edges[1:], strict=True):
        patches = samples.rows[start:stop].astype(np.float64)
        nearest = np.full(len(patches), np.inf)
        for logits, center in zip(centered @ patches.T / scale, codebook, strict=True):
            if len(patches) == 1:
                prototypes = center[None]
            else:
                weights = np.exp(logits - logits.max())
                first = int(logits.argmax())
                left = weights.sum() - weights
                left[first] = 1.0
                prototypes = (weights @ patches - weights[:, None] * patches) / left[:, None]
                logits[first] = -np.inf  # the others may have no weight beside it
                weights = np.exp(logits - logits.max())
                prototypes[first] = weights @ patches / weights.sum()
            nearest = np.minimum(nearest, np.square(patches - prototypes).sum(axis=1))
        distances[start:stop] = np.sqrt(nearest)
    return distances


def grid_or_none(n_patches: int | None, radius: int | None) -> tuple[int, int] | None:
    """Return the grid that a radius refers to; None without a radius."""
    if radius is None:
        return None
    if n_patches is None:
        raise ValueError(
            "bank has a radius, and X has samples of different numbers of patches, which have no common positions. Use "
            "radius=None."
        )
    return grid_of(n_patches)
