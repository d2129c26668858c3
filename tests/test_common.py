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


# The checks feed tables of a few rows and class labels for y, of which our estimators rightly warn.
@pytest.mark.filterwarnings("ignore::UserWarning")
@parametrize_with_checks(
    list(instances()), expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {})
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


# The small tables of the checks hold too few anomalies for the mixture's constraints, which it says.
@pytest.mark.filterwarnings("ignore:The two constraints have no solution:UserWarning")
@pytest.mark.parametrize(("detector", "check"), list(_ours(BaseDetector, detector_checks)))
def test_detector_keeps_the_contract(detector, check):
    check(_seeded(detector))


@pytest.mark.parametrize(("sampler", "check"), list(_ours(BaseSampler, sampler_checks)))
def test_sampler_keeps_the_contract(sampler, check):
    check(_seeded(sampler))
