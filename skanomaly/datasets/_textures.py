"""Generated images of textures, cut into patches, whose acquisition differs between training and test."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, validate_params
from skanomaly.datasets._planting import at_least, positive

__all__ = ["make_textures"]

_N_WAVES = 2
_BLOCK = 2


@validate_params(
    {
        "n_train": at_least(1),
        "n_test": at_least(2),
        "n_groups": at_least(1),
        "n_unseen": at_least(0),
        "grid_size": at_least(3),
        "patch_size": at_least(2),
        "acquisition_shift": positive(),
        "noise": positive(),
        "contamination": [Interval(Real, 0, 0.5, closed="both")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_textures(
    n_train: int = 40,
    n_test: int = 60,
    *,
    n_groups: int = 3,
    n_unseen: int = 2,
    grid_size: int = 8,
    patch_size: int = 6,
    acquisition_shift: float = 1.0,
    noise: float = 0.1,
    contamination: float = 0.5,
    random_state: Any = None,
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
]:
    """Make images of textures with a defect in some, and with specifications that training does not contain.

    A group is a specification of the product: a texture of two waves, with random phases in each image. The groups of
    the training data come first; the unseen ones occur in the test data only, and are recorded with another brightness
    and contrast. A defect is a block of two by two patches with waves of its own.

    Parameters
    ----------
    n_train, n_test : int, default=40 and 60
        Number of images of each group. Training images are all normal.
    n_groups : int, default=3
        Number of groups in training and test data.
    n_unseen : int, default=2
        Number of groups in the test data only.
    grid_size : int, default=8
        Number of patches along a side, at least 3.
    patch_size : int, default=6
        Number of pixels along a side of a patch, at least 2.
    acquisition_shift : float, default=1.0
        Size of the change of acquisition in the unseen groups: the contrast is divided by one plus this number, and
        half of it is added to the brightness. The standard deviation of a texture is 1.
    noise : float, default=0.1
        Standard deviation of the noise of a pixel.
    contamination : float in [0, 0.5], default=0.5
        Fraction of anomalies among the test images of each group, rounded to whole images.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X_train : ndarray of shape (n_groups * n_train, grid_size ** 2, patch_size ** 2)
        The pixels of the patches.
    X_test : ndarray of shape ((n_groups + n_unseen) * n_test, grid_size ** 2, patch_size ** 2)
    y_test : ndarray of shape ((n_groups + n_unseen) * n_test,), int64
        +1 normal, -1 anomaly.
    patch_labels : ndarray of shape ((n_groups + n_unseen) * n_test, grid_size ** 2), int64
        -1 for the patches of a defect, +1 for others.
    groups_train : ndarray of shape (n_groups * n_train,), int64
        Group of each image; the unseen groups have the numbers from `n_groups` on.
    groups_test : ndarray of shape ((n_groups + n_unseen) * n_test,), int64

    See Also
    --------
    make_patch_grids : Grids with a content for each place, and another kind of shift.
    skanomaly.model_selection.unseen_group_report : Compares seen with unseen groups.

    References
    ----------
    .. [1] Lei, T. et al. (2024). "Texture-AD: An Anomaly Detection Dataset and Benchmark for Real Algorithm
       Development". arXiv:2409.06367.

    Examples
    --------
    >>> from skanomaly.datasets import make_textures
    >>> X_train, X_test, y_test, patch_labels, groups_train, groups_test = make_textures(
    ...     random_state=0
    ... )
    >>> X_train.shape, X_test.shape, sorted(set(groups_test.tolist()))
    ((120, 64, 36), (300, 64, 36), [0, 1, 2, 3, 4])
    """
    rng = generator(random_state)
    side = grid_size * patch_size
    waves = _waves(n_groups + n_unseen, rng)

    def images(group_waves: NDArray[np.float64]) -> NDArray[np.float64]:
        phase = rng.uniform(0.0, 2.0 * np.pi, size=(*group_waves.shape[:2], 1, 1))
        place = np.arange(side)
        angle = group_waves[:, :, 0, None, None] * place[:, None] + group_waves[:, :, 1, None, None] * place
        return np.asarray(np.sin(angle + phase).sum(axis=1) * np.sqrt(2.0 / _N_WAVES))

    groups_train = np.repeat(np.arange(n_groups, dtype=np.int64), n_train)
    groups_test = np.repeat(np.arange(n_groups + n_unseen, dtype=np.int64), n_test)
    X_train, X_test = images(waves[groups_train]), images(waves[groups_test])
    defects = images(_waves(len(groups_test), rng))
    n_anomalies = min(round(contamination * n_test), n_test - 1)
    y_test = np.where(np.arange(len(groups_test)) % n_test < n_test - n_anomalies, 1, -1).astype(np.int64)
    patch_labels = np.ones((len(y_test), grid_size, grid_size), dtype=np.int64)
    for image in np.flatnonzero(y_test == -1).tolist():
        top, left = rng.integers(grid_size - _BLOCK + 1, size=2)
        patch_labels[image, top : top + _BLOCK, left : left + _BLOCK] = -1
    inside = np.repeat(np.repeat(patch_labels, patch_size, axis=1), patch_size, axis=2) == -1
    X_test = np.where(inside, defects, X_test)
    X_train, X_test = (X + noise * rng.standard_normal(X.shape) for X in (X_train, X_test))
    unseen = groups_test >= n_groups
    X_test[unseen] = X_test[unseen] / (1.0 + acquisition_shift) + 0.5 * acquisition_shift

    def patches(X: NDArray[np.float64]) -> NDArray[np.float64]:
        blocks = X.reshape(len(X), grid_size, patch_size, grid_size, patch_size).swapaxes(2, 3)
        return blocks.reshape(len(X), grid_size**2, patch_size**2)

    labels = patch_labels.reshape(len(y_test), -1)
    return patches(X_train), patches(X_test), y_test, labels, groups_train, groups_test


def _waves(n_textures: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the wave vectors of textures, in radians for each pixel."""
    length = rng.uniform(0.6, 1.6, size=(n_textures, _N_WAVES))
    angle = rng.uniform(0.0, np.pi, size=(n_textures, _N_WAVES))
    return np.stack([length * np.cos(angle), length * np.sin(angle)], axis=2)
