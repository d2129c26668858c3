"""Detectors of embeddings: vectors and sets of patch vectors that a frozen network gives."""

from skanomaly.embeddings._bank import PatchBank
from skanomaly.embeddings._checklist import ChecklistDetector
from skanomaly.embeddings._clusters import AnomalyClusterer
from skanomaly.embeddings._concepts import ConceptProjector
from skanomaly.embeddings._display import PatchMapDisplay
from skanomaly.embeddings._distillation import DistillationDetector
from skanomaly.embeddings._gaussian import PatchGaussian
from skanomaly.embeddings._logits import LogitDetector
from skanomaly.embeddings._memory import AttentionLookup
from skanomaly.embeddings._neighbors import PatchNeighbors
from skanomaly.embeddings._patchwise import PatchwiseTransformer
from skanomaly.embeddings._prototypes import PrototypeDetector
from skanomaly.embeddings._refiner import PatchRefiner
from skanomaly.embeddings._residual import PatchResidual
from skanomaly.embeddings._students import NetworkStudent
from skanomaly.embeddings._tiles import TiledDetector
from skanomaly.embeddings._token_memories import MaskedMemory, OwnPrototypes, ReferenceSets, TwoMemories
from skanomaly.embeddings._token_methods import ContextPrototypes, OtherTokens, PartnerMap
from skanomaly.embeddings._tokens import TokenReconstructor

__all__ = [
    "AnomalyClusterer",
    "AttentionLookup",
    "ChecklistDetector",
    "ConceptProjector",
    "ContextPrototypes",
    "DistillationDetector",
    "LogitDetector",
    "MaskedMemory",
    "NetworkStudent",
    "OtherTokens",
    "OwnPrototypes",
    "PartnerMap",
    "PatchBank",
    "PatchGaussian",
    "PatchMapDisplay",
    "PatchNeighbors",
    "PatchRefiner",
    "PatchResidual",
    "PatchwiseTransformer",
    "PrototypeDetector",
    "ReferenceSets",
    "TiledDetector",
    "TokenReconstructor",
    "TwoMemories",
]
