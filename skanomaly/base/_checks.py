"""What a class must do to keep the contract, as checks that third parties may run on their own classes."""

from typing import Any

from sklearn.base import clone

from skanomaly.base._detector_checks import detector_checks
from skanomaly.base._sampler_checks import sampler_checks
from skanomaly.base._test_checks import statistical_checks

__all__ = ["check_detector", "check_sampler", "check_test", "seeded"]


def check_detector(detector: Any) -> None:
    """Check that a detector keeps the contract of :class:`BaseDetector`.

    It need not inherit from it. Its tags say what it takes: tables of rows, collections of series
    (``input_tags.two_d_array=False``) or traces (``input_tags.string=True`` besides). A table whose rows are the time
    points of a series is announced by the class attribute ``scores_time_points = True``. Run scikit-learn's
    ``check_estimator`` besides.

    Parameters
    ----------
    detector : estimator
        Unfitted; it is cloned, and ``random_state`` is set where it has one.

    Raises
    ------
    AssertionError
        By the first property that does not hold, which the message names.

    Examples
    --------
    >>> from skanomaly.base import check_detector
    >>> from skanomaly.detectors import RandomProjectionDepth
    >>> check_detector(RandomProjectionDepth(n_projections=50))
    """
    for check in detector_checks(detector):
        check(seeded(detector))


def check_sampler(sampler: Any) -> None:
    """Check that a sampler keeps the contract of :class:`BaseSampler`.

    Parameters
    ----------
    sampler : estimator
        Unfitted; it is cloned, and ``random_state`` is set where it has one. It must accept two classes of 40 and
        12 rows in three columns.

    Raises
    ------
    AssertionError
        By the first property that does not hold, which the message names.

    Examples
    --------
    >>> from skanomaly.base import check_sampler
    >>> from skanomaly.sampling import SMOTE
    >>> check_sampler(SMOTE())
    """
    for check in sampler_checks(sampler):
        check(seeded(sampler))


def check_test(test: Any) -> None:
    """Check that a statistical test keeps the contract of :class:`BaseTest`.

    It need not inherit from it. Whether the test finds what it is for is not checked, but that its p-values are not
    small on independent rows of one distribution is.

    Parameters
    ----------
    test : estimator
        Unfitted; it is cloned, and ``random_state`` is set where it has one. It must accept 60 rows in three columns.

    Raises
    ------
    AssertionError
        By the first property that does not hold, which the message names.

    Examples
    --------
    >>> from skanomaly.audit import KNNTwoSampleTest
    >>> from skanomaly.base import check_test
    >>> check_test(KNNTwoSampleTest())
    """
    for check in statistical_checks(test):
        check(seeded(test))


def seeded(estimator: Any) -> Any:
    """Clone an estimator, with `random_state` 0 where it has that parameter."""
    estimator = clone(estimator)
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=0)
    return estimator
