"""Generation of rows and sequences from a density or a model: exact denoisers, and the samplers built on them."""

from skanomaly.generation._diffusion import DiffusionSampler, DiffusionTrajectories
from skanomaly.generation._methods import Ancestral, BoostAndSkip, MinorityReweighting, SelfGuidance
from skanomaly.generation._mixture_denoiser import MixtureDenoiser
from skanomaly.generation._noise_aware import NoiseAwareMixture, sample_worth

__all__ = [
    "Ancestral",
    "BoostAndSkip",
    "DiffusionSampler",
    "DiffusionTrajectories",
    "MinorityReweighting",
    "MixtureDenoiser",
    "NoiseAwareMixture",
    "SelfGuidance",
    "sample_worth",
]
