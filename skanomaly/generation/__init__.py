"""Generation of rows and sequences from a density or a model: exact denoisers, and the samplers built on them."""

from skanomaly.generation._mixture_denoiser import MixtureDenoiser

__all__ = ["MixtureDenoiser"]
