"""scikit-learn's checks and ours, over every public estimator."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skanomaly.base import BaseDetector, BaseSampler
from skanomaly.base._checks import _seeded, detector_checks, sampler_checks
from tests.estimators import EXPECTED_FAILURES, instances


def _ours(kind, checks):
    for estimator in instances():
        if isinstance(estimator, kind):
            for check in checks(estimator):
                yield pytest.param(estimator, check, id=f"{estimator}-{check.__name__}")


# Class labels handed to a detector are ignored with a warning; scikit-learn's checks hand them to every estimator.
@pytest.mark.filterwarnings("ignore:y holds .* class labels:UserWarning")
@parametrize_with_checks(
    list(instances()), expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {})
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.parametrize(("detector", "check"), list(_ours(BaseDetector, detector_checks)))
def test_detector_keeps_the_contract(detector, check):
    check(_seeded(detector))


@pytest.mark.parametrize(("sampler", "check"), list(_ours(BaseSampler, sampler_checks)))
def test_sampler_keeps_the_contract(sampler, check):
    check(_seeded(sampler))
