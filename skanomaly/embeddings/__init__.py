"""Detectors of embeddings: vectors and sets of patch vectors that a frozen network gives."""

from skanomaly.embeddings._patchwise import PatchwiseTransformer
from skanomaly.embeddings._residual import PatchResidual

__all__ = ["PatchResidual", "PatchwiseTransformer"]
