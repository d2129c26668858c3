"""The contract of every estimator here, and the checks that prove a class keeps it."""

from skanomaly.base._checks import check_detector, check_sampler
from skanomaly.base._detector import BaseDetector
from skanomaly.base._sampler import BaseSampler

__all__ = ["BaseDetector", "BaseSampler", "check_detector", "check_sampler"]
