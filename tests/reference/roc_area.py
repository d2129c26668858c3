"""Area under the ROC curve and its variance, pair by pair."""

import statistics


def area_and_variance(values, positive):
    """Return the area and DeLong's variance."""
    ones = [value for value, label in zip(values, positive, strict=True) if label]
    zeros = [value for value, label in zip(values, positive, strict=True) if not label]

    def psi(one, zero):
        return 1.0 if one > zero else 0.5 if one == zero else 0.0

    by_one = [statistics.fmean(psi(one, zero) for zero in zeros) for one in ones]
    by_zero = [statistics.fmean(psi(one, zero) for one in ones) for zero in zeros]
    variance = statistics.variance(by_one) / len(ones) + statistics.variance(by_zero) / len(zeros)
    return statistics.fmean(by_one), variance
