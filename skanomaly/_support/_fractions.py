"""Counts that are a fraction of a number: the fraction is meant as a decimal, and floats are not."""

from fractions import Fraction
from math import ceil, floor

__all__ = ["decimal_ratio", "whole_above", "whole_part"]

_LARGEST_DENOMINATOR = 1_000_000


def decimal_ratio(factor: float, number: int) -> Fraction:
    """Return the simplest ratio that a float stands for, among denominators up to the counts in question.

    Parameters
    ----------
    factor : float
    number : int

    Returns
    -------
    Fraction
    """
    return Fraction(float(factor)).limit_denominator(max(number, _LARGEST_DENOMINATOR))


def whole_part(factor: float, number: int) -> int:
    """Multiply by a factor that is meant as a decimal or a ratio of counts, and round down exactly.

    Parameters
    ----------
    factor : float
    number : int

    Returns
    -------
    int

    Examples
    --------
    >>> from skanomaly._support._fractions import whole_part
    >>> whole_part(0.29, 100), int(0.29 * 100)
    (29, 28)
    """
    return floor(decimal_ratio(factor, int(number)) * int(number))


def whole_above(factor: float, number: int) -> int:
    """Multiply by a factor that is meant as a decimal or a ratio of counts, and round up exactly.

    Parameters
    ----------
    factor : float
    number : int

    Returns
    -------
    int

    Examples
    --------
    >>> import math
    >>> from skanomaly._support._fractions import whole_above
    >>> whole_above(0.07, 100), math.ceil(0.07 * 100)
    (7, 8)
    """
    return ceil(decimal_ratio(factor, int(number)) * int(number))
