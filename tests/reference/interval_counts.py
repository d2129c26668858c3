"""Values below and inside intervals, one by one."""

import numpy as np


def parts(values, low, high):
    """Values below, inside and above an interval, in their order."""
    inside = [value for value in values if low <= value <= high]
    return [value for value in values if value < low], inside, [value for value in values if value > high]


def ends(values):
    """Smallest and largest value; infinity and minus infinity of none."""
    present = [value for value in values if not np.isnan(value)]
    return min(present, default=float("inf")), max(present, default=float("-inf"))
