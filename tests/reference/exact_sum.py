"""Sums in whole numbers of units of 2**-1074, by Python's integers."""

from fractions import Fraction


def units(values):
    """Sum of float64 numbers."""
    return int(sum((Fraction(float(value)) for value in values), Fraction(0)) * 2**1074)


def units_of_limbs(limbs):
    """Whole number whose limbs of 32 bits are given, the lowest first."""
    return sum(int(limb) << (32 * place) for place, limb in enumerate(limbs))
