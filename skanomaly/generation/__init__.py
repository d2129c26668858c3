"""Generation of rows and sequences from a density or a model: exact denoisers, and the samplers built on them."""

from skanomaly.generation._diffusion import DiffusionSampler, DiffusionTrajectories
from skanomaly.generation._evaluation import evaluate_samples
from skanomaly.generation._follmer import FollmerSampler
from skanomaly.generation._log_concave import LogConcaveChainSampler
from skanomaly.generation._methods import Ancestral, BoostAndSkip, MinorityReweighting, SelfGuidance
from skanomaly.generation._mixture_denoiser import MixtureDenoiser
from skanomaly.generation._noise_aware import NoiseAwareMixture
from skanomaly.generation._protected import ProtectedScorer
from skanomaly.generation._recursive import collapse_variance, recursive_generation
from skanomaly.generation._speculative import (
    AcceptanceScore,
    SpeculativeSample,
    acceptance_score,
    modified_rejection,
    speculative_sample,
)
from skanomaly.generation._tilted import TiltedSample, antidistillation_direction, tilted_sample
from skanomaly.generation._trajectories import filter_samples, interpolation_score, trajectory_variance
from skanomaly.generation._worth import data_price_curve, sample_worth

__all__ = [
    "AcceptanceScore",
    "Ancestral",
    "BoostAndSkip",
    "DiffusionSampler",
    "DiffusionTrajectories",
    "FollmerSampler",
    "LogConcaveChainSampler",
    "MinorityReweighting",
    "MixtureDenoiser",
    "NoiseAwareMixture",
    "ProtectedScorer",
    "SelfGuidance",
    "SpeculativeSample",
    "TiltedSample",
    "acceptance_score",
    "antidistillation_direction",
    "collapse_variance",
    "data_price_curve",
    "evaluate_samples",
    "filter_samples",
    "interpolation_score",
    "modified_rejection",
    "recursive_generation",
    "sample_worth",
    "speculative_sample",
    "tilted_sample",
    "trajectory_variance",
]
