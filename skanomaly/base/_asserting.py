"""Assertions of the checks: every failure names the property that was checked, and what was found instead."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["assert_close", "assert_raises", "assert_same", "holds"]

Check = Callable[[Any], None]


def holds(check: Check) -> Check:
    """Make each failure of a check name the property, which is the first line of the check's docstring.

    Parameters
    ----------
    check : callable
        Takes an unfitted estimator.

    Returns
    -------
    callable
        Raises ``AssertionError`` where the property does not hold. An error of the estimator itself keeps its type and
        gets a note that names the property.
    """

    @functools.wraps(check)
    def named(estimator: Any) -> None:
        line = str(check.__doc__).splitlines()[0]
        try:
            check(estimator)
        except AssertionError as error:
            raise AssertionError(f"{type(estimator).__name__}, {check.__name__}: {line} {error}") from None
        except Exception as error:
            error.add_note(f"raised in {check.__name__}: {line}")
            raise

    return named


def assert_same(actual: Any, expected: Any, what: str) -> None:
    """Assert that two arrays have the same shape and values, NaN equal to NaN."""
    _compare(actual, expected, what, lambda a, b: (a == b) | ((a != a) & (b != b)))  # noqa: PLR0124  # NaN, of any dtype


def assert_close(actual: Any, expected: Any, what: str, *, rtol: float = 1e-9, atol: float = 1e-12) -> None:
    """Assert that two arrays of numbers have the same shape, and the same values to the tolerance."""
    _compare(actual, expected, what, lambda a, b: np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True))


def _compare(actual: Any, expected: Any, what: str, equal: Callable[[Any, Any], Any]) -> None:
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"Found: {what} of shape {actual.shape} instead of {expected.shape}."
    differ = ~np.asarray(equal(actual, expected), dtype=bool)
    if differ.any():
        first = tuple(int(index) for index in np.argwhere(differ)[0])
        raise AssertionError(
            f"Found: {what}: {np.count_nonzero(differ)} of {differ.size} values differ, the first at {list(first)}: "
            f"{actual[first]!r} instead of {expected[first]!r}."
        )


def assert_raises(kind: type[Exception], words: str, function: Callable[..., Any], *arguments: Any) -> None:
    """Assert that a call raises an error of a kind that says certain words."""
    try:
        function(*arguments)
    except kind as error:
        assert words in str(error), f"Found: the error must say {words!r}; it says: {error}"
    else:
        name = getattr(function, "__qualname__", repr(function))
        raise AssertionError(f"Found: {name} does not raise {kind.__name__}.")
