"""Which patches a memory bank keeps."""

from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly import _kernels
from skanomaly._support._blocks import row_blocks
from skanomaly._support._fractions import whole_part
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._patches import PatchSets
from skanomaly._support._sklearn import Interval, RealNotInt, StrOptions

__all__ = ["PatchBank", "choose_centers"]

_BLOCK_CENTERS = 128


class PatchBank(ParameterObject):
    """Which patches of the training data a detector keeps to compare with.

    Parameters
    ----------
    selection : {"full", "random", "coreset", "samples"}, default="full"
        All patches; a random part; patches chosen by greedy k-centre, each the farthest from those chosen before; or
        all patches of whole samples whose mean patches are chosen by greedy k-centre. Greedy choices cover the training
        data evenly and choose outliers first: use them for clean training data only.
    size : int or float, default=0.1
        Number of patches that are kept ("random", "coreset") or of samples ("samples"): a number, or a fraction in
        (0, 1]. At least 2 and at most all.
    radius : int or None, default=None
        Compare a patch only with patches of the bank at most so many steps from its own position, along each axis of
        the grid; 0 is the same position. A number of patches that is a square is read as a square grid, any other as
        one row. None compares with all.
    augment : callable or None, default=None
        Called once with the normal training patches as an array of shape (n_patches, n_features); what it returns, of
        shape (n_more, n_features), is added to the bank. Not with `radius`.

    See Also
    --------
    PatchNeighbors : The detector that uses it.

    Notes
    -----
    The coreset is that of [1]_, without random projection; whole samples are chosen as in [2]_. Greedy k-centre is
    within twice the best covering radius.

    References
    ----------
    .. [1] Roth, K., Pemula, L., Zepeda, J., Schölkopf, B., Brox, T. and Gehler, P. (2022). "Towards total recall in
       industrial anomaly detection". CVPR. https://doi.org/10.1109/CVPR52688.2022.01392
    .. [2] Zhang, H. et al. (2025). "SuperAD: a training-free anomaly classification and segmentation method for CVPR
       2025 VAND 3.0 workshop challenge track 1: adapt & detect". arXiv:2505.19750.

    Examples
    --------
    >>> from skanomaly.embeddings import PatchBank, PatchNeighbors
    >>> PatchNeighbors(bank=PatchBank(selection="samples", size=16))
    PatchNeighbors(bank=PatchBank(selection='samples', size=16))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "selection": [StrOptions({"full", "random", "coreset", "samples"})],
        "size": [Interval(Integral, 1, None, closed="left"), Interval(RealNotInt, 0, 1, closed="right")],
        "radius": [Interval(Integral, 0, None, closed="left"), None],
        "augment": [callable, None],
    }

    def __init__(
        self,
        *,
        selection: str = "full",
        size: float = 0.1,
        radius: int | None = None,
        augment: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
    ) -> None:
        self.selection = selection
        self.size = size
        self.radius = radius
        self.augment = augment

    def _choose(self, X: PatchSets, transformed: NDArray[Any], random: np.random.Generator) -> NDArray[np.intp]:
        """Return the sorted rows that are kept."""
        n_rows = len(X.rows)
        if self.selection == "full":
            return np.arange(n_rows)
        of_samples = self.selection == "samples"
        n_units = len(X) if of_samples else n_rows
        size = self.size if isinstance(self.size, Integral) else whole_part(self.size, n_units)
        size = min(max(int(size), 2), n_units)
        if self.selection == "random":
            return np.sort(random.choice(n_rows, size, replace=False))
        first = int(random.integers(n_units))
        if not of_samples:
            return np.sort(choose_centers(transformed, size, first))
        means = np.add.reduceat(transformed.astype(np.float64), X.edges[:-1], axis=0) / X.sizes[:, None]
        chosen = np.zeros(len(X), dtype=bool)
        chosen[choose_centers(means, size, first)] = True
        return np.flatnonzero(chosen[X.owners])


def choose_centers(rows: NDArray[Any], size: int, first: int) -> NDArray[np.intp]:
    """Choose rows by greedy k-centre, in the order chosen."""
    centers, nearest = np.empty(size, dtype=np.intp), np.full(len(rows), np.inf)
    center = first
    for part in row_blocks(size, _BLOCK_CENTERS):  # the loop can be interrupted
        center, _ = _kernels.coreset.k_center(rows, center, nearest, centers[part])
    return centers
