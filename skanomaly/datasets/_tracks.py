"""Generated images of charged particles: few voxels with energy in an empty plane or volume."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Options, validate_params
from skanomaly.datasets._planting import FRACTION, at_least, choose_anomalies

__all__ = ["make_particle_tracks"]

_SCATTER = 0.02
_OPENING = 0.3


@validate_params(
    {
        "n_images": at_least(2),
        "n_dims": [Options(int, {2, 3})],
        "size": at_least(16),
        "n_tracks": at_least(1),
        "contamination": FRACTION,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_particle_tracks(
    n_images: int = 100,
    *,
    n_dims: int = 3,
    size: int = 64,
    n_tracks: int = 3,
    contamination: float = 0.2,
    random_state: Any = None,
) -> tuple[
    list[NDArray[np.float64]],
    NDArray[np.int64],
    list[NDArray[np.int64]],
    list[NDArray[np.int64]],
]:
    """Make sparse images of particle tracks in two or three dimensions, with showers as anomalies.

    A track is a line of voxels that scatters slightly. In an anomalous image one of the particles makes a shower, a
    cone of separate voxels, instead of a track. A shower has about as many voxels as a track and the same energies;
    only their arrangement differs.

    Parameters
    ----------
    n_images : int, default=100
        Number of images.
    n_dims : {2, 3}, default=3
        Number of dimensions.
    size : int, default=64
        Number of voxels along a side of the image, at least 16.
    n_tracks : int, default=3
        Number of particles in an image.
    contamination : float in [0, 0.5], default=0.2
        Fraction of anomalies, rounded to whole images.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X : list of ndarray of shape (n_voxels_i, n_dims + 1)
        Coordinates and energy of the voxels with energy, a patch set for each image.
    y : ndarray of shape (n_images,), int64
        +1 normal, -1 anomaly.
    voxel_labels : list of ndarray of shape (n_voxels_i,), int64
        -1 for the voxels of a shower, +1 for those of a track.
    particles : list of ndarray of shape (n_voxels_i,), int64
        Number of the particle. A voxel that two particles cross has the first.

    See Also
    --------
    skanomaly.metrics.instance_purity_efficiency : Rates clusters of voxels as particles.
    make_patch_grids : Dense grids of patches.

    References
    ----------
    .. [1] Adams, C., Terao, K. and Wongjirad, T. (2020). "PILArNet: Public Dataset for Particle Imaging Liquid Argon
       Detectors in High Energy Physics". arXiv:2006.01993.

    Examples
    --------
    >>> from skanomaly.datasets import make_particle_tracks
    >>> X, y, voxel_labels, particles = make_particle_tracks(random_state=0)
    >>> len(X), X[0].shape[1], sorted(set(particles[0].tolist()))
    (100, 4, [0, 1, 2])
    """
    rng = generator(random_state)
    y = choose_anomalies(n_images, contamination, rng)
    X, voxel_labels, particles = [], [], []
    for label in y.tolist():
        showering = int(rng.integers(n_tracks)) if label == -1 else -1
        parts = [_particle(n_dims, size, shower=number == showering, rng=rng) for number in range(n_tracks)]
        coordinates, number = np.concatenate(parts), np.repeat(np.arange(n_tracks), [len(part) for part in parts])
        _, first = np.unique(coordinates, axis=0, return_index=True)
        first.sort()
        energy = np.exp(0.25 * rng.standard_normal(len(first)))
        X.append(np.column_stack([coordinates[first], energy]))
        particles.append(number[first].astype(np.int64))
        voxel_labels.append(np.where(number[first] == showering, -1, 1).astype(np.int64))
    return X, y, voxel_labels, particles


def _particle(n_dims: int, size: int, *, shower: bool, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the voxels of one particle that lies in the image."""
    n_steps = int(rng.integers(size // 3, size * 2 // 3))
    direction = rng.standard_normal(n_dims)
    direction /= np.linalg.norm(direction)
    if shower:
        depth = n_steps * np.sqrt(rng.random(n_steps))
        path = depth[:, None] * (direction + _OPENING * rng.standard_normal((n_steps, n_dims)))
    else:
        turns = np.cumsum(_SCATTER * rng.standard_normal((n_steps, n_dims)), axis=0)
        path = np.cumsum(direction + turns, axis=0)
    # A place at which the whole particle is in the image; what is too long is cut.
    lowest, highest = path.min(axis=0), path.max(axis=0)
    start = rng.uniform(-lowest, np.maximum(size - 1 - highest, -lowest))
    voxels = np.round(start + path)
    return np.asarray(voxels[((voxels >= 0) & (voxels < size)).all(axis=1)])
