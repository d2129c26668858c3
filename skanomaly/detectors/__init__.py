"""How odd each row of a table is."""

from skanomaly.detectors._depth._random_projection import RandomProjectionDepth

__all__ = ["RandomProjectionDepth"]
