"""scikit-learn's checks and ours, over every public estimator.

All run on the first setting of a class. On its further settings a third of them runs, and with --run-slow the others.
"""

import zlib

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skanomaly.base import BaseDetector, BaseSampler, BaseTest
from skanomaly.base._checks import seeded
from skanomaly.base._detector_checks import detector_checks
from skanomaly.base._sampler_checks import sampler_checks
from skanomaly.base._test_checks import statistical_checks
from tests.estimators import EXPECTED_FAILURES, instances, public_classes
from tests.planted import PLANTED, build


def takes_collections(estimator):
    return not get_tags(estimator).input_tags.two_d_array


FURTHER = {str(estimator) for estimator in instances(first=False)}
THIRD = 3


def _marks(estimator, check, marks=()):
    """Add the mark of slow tests to two thirds of the checks of further settings."""
    name = f"{estimator} {getattr(check, 'func', check).__name__}"
    is_left_out = str(estimator) in FURTHER and zlib.crc32(name.encode()) % THIRD
    return (*marks, pytest.mark.slow) if is_left_out else marks


def _scikit_learns():
    """Yield scikit-learn's checks with their marks."""
    cases = parametrize_with_checks(
        [estimator for estimator in instances() if not takes_collections(estimator)],
        expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {}),
    )
    for case in cases.args[1]:
        (estimator, check), marks = (case.values, case.marks) if hasattr(case, "marks") else (case, ())
        name = "-".join(map(cases.kwargs["ids"], (estimator, check)))
        yield pytest.param(estimator, check, id=name, marks=_marks(estimator, check, marks))


def _ours(kind, checks):
    for estimator in instances():
        if isinstance(estimator, kind):
            for check in checks(estimator):
                reason = EXPECTED_FAILURES.get(type(estimator).__name__, {}).get(check.__name__)
                marks = () if reason is None else (pytest.mark.xfail(reason=reason, strict=True),)
                name = f"{estimator}-{check.__name__}"
                yield pytest.param(estimator, check, id=name, marks=_marks(estimator, check, marks))


# The checks feed tables of a few rows and class labels for y, of which our estimators rightly warn.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("estimator", "check"), list(_scikit_learns()))
def test_scikit_learn_check(estimator, check):
    check(estimator)


# scikit-learn's generator yields nothing for estimators that take no table. These of its checks feed no data; the
# others stand, in our own words, among the checks of the contract, which feed collections.
@pytest.mark.parametrize("estimator", [estimator for estimator in instances() if takes_collections(estimator)], ids=str)
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_tags_renamed,
        estimator_checks.check_valid_tag_types,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_mixin_order,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
    ],
    ids=lambda check: check.__name__,
)
def test_scikit_learn_check_without_data(estimator, check):
    check(type(estimator).__name__, clone(estimator))


# The small tables of the checks have too few anomalies for the mixture's constraints, which warns.
@pytest.mark.filterwarnings("ignore:The two constraints have no solution:UserWarning")
# One of their tables has a constant column.
@pytest.mark.filterwarnings("ignore:Column.* not vary in the training data:UserWarning")
@pytest.mark.parametrize(("detector", "check"), list(_ours(BaseDetector, detector_checks)))
def test_detector_keeps_the_contract(detector, check):
    check(seeded(detector))


# The checks feed numbers and the classes 0 and 1 to samplers of categories, domains and anomalies too, which warn.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("sampler", "check"), list(_ours(BaseSampler, sampler_checks)))
def test_sampler_keeps_the_contract(sampler, check):
    check(seeded(sampler))


@pytest.mark.parametrize(("test", "check"), list(_ours(BaseTest, statistical_checks)))
def test_statistical_test_keeps_the_contract(test, check):
    check(seeded(test))


# Classes under BaseDetector have the same property among the checks of its contract.
@pytest.mark.parametrize(
    "cls",
    [cls for cls in public_classes() if hasattr(cls, "score_samples") and not issubclass(cls, BaseDetector)],
    ids=lambda cls: cls.__name__,
)
def test_lower_scores_are_more_anomalous(cls, seed):
    anomalous, normal = PLANTED[cls](build(cls), np.random.default_rng(seed))
    assert np.mean(anomalous[:, None] < normal) > 0.8
