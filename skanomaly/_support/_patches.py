"""Sets of patch vectors: validated, stacked in one array, cut into blocks, and pooled to one value a sample."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import assert_all_finite

from skanomaly._support._hooks import require_samples
from skanomaly._support._item_names import check_names
from skanomaly._support._items import holds_patch_sets, require_items
from skanomaly._support._sklearn import output_container
from skanomaly._support._validation import check_rows

__all__ = ["PatchSets", "grid_of", "pool_patches", "read_patch_sets", "require_table_output"]

_BLOCK_PATCHES = 4096


class PatchSets:
    """Samples of one or more patches each, with all patches in one array.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        The patches of all samples, one sample after the other.
    edges : ndarray of shape (n_samples + 1,), intp
        Sample `i` has the rows from ``edges[i]`` to ``edges[i + 1]``.
    """

    def __init__(self, rows: NDArray[Any], edges: NDArray[np.intp]) -> None:
        self.rows = rows
        self.edges = edges

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.edges) - 1

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Number of patches of each sample."""
        return np.diff(self.edges)

    @property
    def n_patches(self) -> int | None:
        """Number of patches of every sample, or None if samples differ."""
        sizes = self.sizes
        return int(sizes[0]) if len(sizes) and bool((sizes == sizes[0]).all()) else None

    @property
    def positions(self) -> NDArray[np.intp]:
        """Place of each row within its sample."""
        return np.arange(len(self.rows)) - np.repeat(self.edges[:-1], self.sizes)

    @property
    def owners(self) -> NDArray[np.intp]:
        """Sample of each row."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def take(self, chosen: NDArray[Any]) -> "PatchSets":
        """Return some samples, by a mask or by their numbers."""
        if chosen.dtype == bool:
            if chosen.all():
                return self
            chosen = np.flatnonzero(chosen)
        sizes = self.sizes[chosen]
        edges = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
        rows = np.repeat(self.edges[:-1][chosen] - edges[:-1], sizes) + np.arange(edges[-1])
        return PatchSets(self.rows[rows], edges)

    def with_rows(self, rows: NDArray[Any]) -> "PatchSets":
        """Return the same samples with other vectors."""
        return PatchSets(rows, self.edges)

    def blocks(self, most_rows: int = _BLOCK_PATCHES) -> Iterator[tuple[slice, "PatchSets"]]:
        """Yield the slice of rows of consecutive whole samples, of about so many rows, and these samples."""
        first = 0
        while first < len(self):
            last = int(np.searchsorted(self.edges, self.edges[first] + most_rows, side="right")) - 1
            last = min(max(last, first + 1), len(self))
            part = slice(int(self.edges[first]), int(self.edges[last]))
            yield part, PatchSets(self.rows[part], self.edges[first : last + 1] - self.edges[first])
            first = last

    def split(self, values: NDArray[Any]) -> Any:
        """Return values of rows by sample: an array if all samples have the same number of patches, else a list."""
        n_patches = self.n_patches
        if n_patches is not None:
            return values.reshape(len(self), n_patches, *values.shape[1:])
        return [values[start:stop] for start, stop in zip(self.edges[:-1], self.edges[1:], strict=True)]


def pool_patches(samples: PatchSets, values: NDArray[Any], pooling: str | float) -> NDArray[Any]:
    """Pool one value a patch to one value a sample.

    Parameters
    ----------
    samples : PatchSets
    values : ndarray of shape (n_rows,)
    pooling : {"max", "mean"} or float
        A fraction in (0, 1] is the mean of that fraction of the patches with the largest values, of one at least.

    Returns
    -------
    ndarray of shape (n_samples,)
    """
    starts = samples.edges[:-1]
    if isinstance(pooling, str):
        if pooling == "max":
            return np.maximum.reduceat(values, starts)
        return np.asarray(np.add.reduceat(values, starts) / samples.sizes)
    if samples.n_patches is not None:
        return _top_mean(values.reshape(len(samples), -1), pooling)
    parts = zip(starts, samples.edges[1:], strict=True)
    return np.array([_top_mean(values[None, start:stop], pooling)[0] for start, stop in parts], dtype=values.dtype)


def _top_mean(values: NDArray[Any], fraction: float) -> NDArray[Any]:
    n_patches = values.shape[1]
    n_top = min(max(int(np.ceil(fraction * n_patches - 1e-9)), 1), n_patches)
    top = np.sort(np.partition(values, n_patches - n_top, axis=1)[:, n_patches - n_top :], axis=1)
    return np.asarray(top.mean(axis=1))


def grid_of(n_patches: int) -> tuple[int, int]:
    """Return the rows and columns of a grid of patches: a square where the number is one, else one row."""
    side = int(np.sqrt(n_patches) + 0.5)
    return (side, side) if side * side == n_patches else (1, n_patches)


def read_patch_sets(estimator: Any, X: Any, *, reset: bool, min_samples: int = 1) -> PatchSets:
    """Validate patch sets, or a table, whose rows are samples of one patch.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` (and ``feature_names_in_``, where `X` is a frame) are set (``reset=True``) or compared
        with those of `X`.
    X : array-like of shape (n_samples, n_patches, n_features), list of array-like of shape (n_patches_i, n_features) \
or array-like of shape (n_samples, n_features)
    reset : bool
        True in fit, False afterwards.
    min_samples : int, default=1

    Returns
    -------
    PatchSets
        Rows are C-contiguous and finite: float32 if all patches are, else float64. An array that is so already is not
        copied.

    Raises
    ------
    ValueError
        If `X` is of another form, empty, not numeric or not finite, or has another number of columns than in fit, or
        frames with other names or with the names in another order. The message names the sample.
    """
    if not sparse.issparse(X):
        require_items(X, noun="patch sets")
    if not holds_patch_sets(X):
        rows = check_rows(estimator, X, reset=reset, min_samples=min_samples)
        return PatchSets(rows, np.arange(len(rows) + 1, dtype=np.intp))
    samples = _from_array(X) if isinstance(X, np.ndarray) and X.dtype.kind != "O" else _from_items(X)
    require_samples(len(samples), min_samples, "sample")
    n_features = samples.rows.shape[1]
    if reset:
        estimator.n_features_in_ = n_features
    elif n_features != estimator.n_features_in_:
        raise ValueError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting {estimator.n_features_in_} "
            "features as input."
        )
    check_names(estimator, X, reset=reset)
    return samples


def _from_array(X: NDArray[Any]) -> PatchSets:
    if X.ndim > 3:
        raise ValueError(
            f"X has {X.ndim} dimensions; patch sets have three: (n_samples, n_patches, n_features). Turn a grid of "
            "patches into a set: X.reshape(len(X), -1, X.shape[-1])."
        )
    if X.dtype.kind not in "biuf":
        raise ValueError(f"X has dtype {X.dtype}; patches must be numeric. Complex data not supported.")
    n_samples, n_patches, n_features = X.shape
    if n_samples == 0 or n_patches == 0 or n_features == 0:
        raise ValueError(f"X has shape {X.shape}: give at least one sample, one patch and one feature.")
    kept = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
    rows = np.ascontiguousarray(kept).reshape(-1, n_features)
    try:
        assert_all_finite(rows, input_name="X")
    except ValueError as error:
        sample = next(index for index in range(n_samples) if not np.isfinite(kept[index]).all())
        raise ValueError(f"{error}\nThe first sample with such a value is X[{sample}]. Impute or drop it.") from None
    return PatchSets(rows, np.arange(n_samples + 1, dtype=np.intp) * n_patches)


def _from_items(X: Any) -> PatchSets:
    items = [_item(item, index) for index, item in enumerate(X)]
    n_features = items[0].shape[1]
    for index, item in enumerate(items):
        if item.shape[1] != n_features:
            raise ValueError(f"X[{index}] has {item.shape[1]} features and X[0] has {n_features}.")
    dtype = np.float32 if all(item.dtype == np.float32 for item in items) else np.float64
    rows = np.concatenate(items).astype(dtype, copy=False)
    edges = np.concatenate([[0], np.cumsum([len(item) for item in items])]).astype(np.intp)
    return PatchSets(rows, edges)


def _item(item: Any, index: int) -> NDArray[Any]:
    try:
        patches = np.asarray(item)
    except ValueError as error:
        raise ValueError(f"X[{index}] is not an array of patches: {error}.") from None
    if patches.ndim != 2:
        raise ValueError(f"X[{index}] has {patches.ndim} dimensions; a patch set has two: (n_patches, n_features).")
    if patches.dtype.kind not in "biufO":
        raise ValueError(f"X[{index}] has dtype {patches.dtype}; patches must be numeric.")
    if patches.size == 0:
        raise ValueError(f"X[{index}] has shape {patches.shape}: give at least one patch and one feature, or drop it.")
    if patches.dtype not in (np.float32, np.float64):
        try:
            patches = patches.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"X[{index}] is not numeric: {error}.") from None
    if not np.isfinite(patches).all():
        patch = int(np.flatnonzero(~np.isfinite(patches).all(axis=1))[0])
        raise ValueError(f"X[{index}] contains NaN or infinity, first in patch {patch}. Impute or drop this sample.")
    return patches


def require_table_output(estimator: Any, X: Any) -> None:
    """Raise an error if ``set_output`` asks a transformer for frames of sets of patches.

    Parameters
    ----------
    estimator : transformer
    X : array-like

    Raises
    ------
    ValueError
    """
    container = output_container(estimator)
    if container != "default" and holds_patch_sets(X):
        raise ValueError(
            f"set_output(transform={container!r}) makes a frame of a table, and X holds a set of patches for each "
            "sample. Use set_output(transform='default'), or give a table."
        )
