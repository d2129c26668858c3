"""The contract of detectors, samplers and tests, and the checks that prove a class keeps it."""

from skanomaly.base._checks import check_detector, check_sampler, check_test
from skanomaly.base._detector import BaseDetector
from skanomaly.base._patch_detector import PatchDetector
from skanomaly.base._sampler import BaseSampler
from skanomaly.base._test import BaseTest

__all__ = ["BaseDetector", "BaseSampler", "BaseTest", "PatchDetector", "check_detector", "check_sampler", "check_test"]
