"""Generated grids of patch vectors, with anomalies in a block of each anomalous sample."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, StrOptions, validate_params

__all__ = ["make_patch_grids"]

_N_PROTOTYPES = 6
_NORM = 4.0
_N_STYLES = 3
_N_FACTORS = 8
_FACTOR = 0.15
_NOISE = 0.2
_BLOCK = 2


@validate_params(
    {
        "n_train": [Interval(Integral, 1, None, closed="left")],
        "n_test": [Interval(Integral, 2, None, closed="left")],
        "anomalies": [StrOptions({"novel", "misplaced"})],
        "grid_size": [Interval(Integral, 4, None, closed="left")],
        "n_features": [Interval(Integral, 6, None, closed="left")],
        "amplitude": [Interval(Real, 0, None, closed="left")],
        "shift": [Interval(Real, 0, None, closed="left")],
        "aligned": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_patch_grids(
    n_train: int = 100,
    n_test: int = 120,
    *,
    anomalies: str = "novel",
    grid_size: int = 8,
    n_features: int = 32,
    amplitude: float = 3.0,
    shift: float = 0.0,
    aligned: bool = True,
    random_state: Any = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Make square grids of patch vectors, half of the test samples with an anomalous block of two by two patches.

    Six prototypes of norm 4 are the content of six rectangles of the grid, the same in every sample. A sample has a
    style, an offset that all its patches have in common; patches have noise along eight common directions, and white
    noise.

    Parameters
    ----------
    n_train : int, default=100
        Number of training samples, all normal.
    n_test : int, default=120
        Number of test samples; half of them, rounded down, are anomalies.
    anomalies : {"novel", "misplaced"}, default="novel"
        "novel": `amplitude` is added to the patches of the block, along a direction that is drawn for each sample.
        "misplaced": the patches have the content of another rectangle, so that each of them is normal elsewhere.
    grid_size : int, default=8
        Number of patches along a side, at least 4.
    n_features : int, default=32
        Number of columns of a patch, at least 6.
    amplitude : float, default=3.0
        Length of the offset of novel patches.
    shift : float, default=0.0
        Length of an offset that all patches of all test samples have and that training has not, as from another camera.
    aligned : bool, default=True
        False puts the patches of each sample in an order of its own, so that positions say nothing.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X_train : ndarray of shape (n_train, grid_size ** 2, n_features)
    X_test : ndarray of shape (n_test, grid_size ** 2, n_features)
    y_test : ndarray of shape (n_test,), int64
        +1 normal, -1 anomaly.
    patch_labels : ndarray of shape (n_test, grid_size ** 2), int64
        +1 for normal patches, -1 for anomalous ones.

    See Also
    --------
    skanomaly.embeddings.PatchResidual : Finds both kinds, with and without the shift.

    Examples
    --------
    >>> from skanomaly.datasets import make_patch_grids
    >>> X_train, X_test, y_test, patch_labels = make_patch_grids(
    ...     anomalies="misplaced", random_state=0
    ... )
    >>> (
    ...     X_train.shape,
    ...     X_test.shape,
    ...     int((y_test == -1).sum()),
    ...     int((patch_labels[0] == -1).sum()),
    ... )
    ((100, 64, 32), (120, 64, 32), 60, 0)
    """
    rng = generator(random_state)
    prototypes = rng.standard_normal((_N_PROTOTYPES, n_features))
    prototypes *= _NORM / np.linalg.norm(prototypes, axis=1, keepdims=True)
    places = np.arange(grid_size)
    layout = (places * 2 // grid_size)[:, None] * 3 + (places * 3 // grid_size)[None, :]
    styles, factors = (_FACTOR * rng.standard_normal((number, n_features)) for number in (_N_STYLES, _N_FACTORS))

    def around(content: NDArray[np.intp]) -> NDArray[np.float64]:
        n_samples, n_patches = content.shape
        style = rng.standard_normal((n_samples, 1, _N_STYLES)) @ styles
        factor = rng.standard_normal((n_samples, n_patches, _N_FACTORS)) @ factors
        noise = _NOISE * rng.standard_normal((n_samples, n_patches, n_features))
        return np.asarray(prototypes[content] + style + factor + noise)

    n_anomalies = n_test // 2
    y_test = np.repeat([1, -1], [n_test - n_anomalies, n_anomalies])
    content = np.tile(layout.ravel(), (n_test, 1))
    patch_labels = np.ones(content.shape, dtype=np.int64)
    offsets = np.zeros((*content.shape, n_features))
    for sample in np.flatnonzero(y_test == -1).tolist():
        top, left = rng.integers(grid_size - _BLOCK + 1, size=2)
        block = np.zeros((grid_size, grid_size), dtype=bool)
        block[top : top + _BLOCK, left : left + _BLOCK] = True
        inside = block.ravel()
        patch_labels[sample, inside] = -1
        if anomalies == "novel":
            direction = rng.standard_normal(n_features)
            offsets[sample, inside] = amplitude * direction / np.linalg.norm(direction)
        else:
            others = np.setdiff1d(np.arange(_N_PROTOTYPES), content[sample, inside])
            content[sample, inside] = rng.choice(others)
    X_train, X_test = around(np.tile(layout.ravel(), (n_train, 1))), around(content)
    X_test += offsets
    if shift > 0:
        direction = rng.standard_normal(n_features)
        X_test += shift * direction / np.linalg.norm(direction)
    if not aligned:
        for sets in (X_train, X_test):
            for sample in range(len(sets)):
                order = rng.permutation(sets.shape[1])
                sets[sample] = sets[sample, order]
                if sets is X_test:
                    patch_labels[sample] = patch_labels[sample, order]
    return X_train, X_test, y_test, patch_labels
