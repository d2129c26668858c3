"""The period of a series by definition."""

import numpy as np


def find_period(series, max_lag=400):
    """Highest peak of the autocorrelation from sums of products."""
    centred = np.asarray(series, dtype=float)[:20000] - np.mean(series[:20000])
    lags = range(min(max_lag, len(centred) - 1) + 1)
    correlation = [np.dot(centred[: len(centred) - lag], centred[lag:]) / np.dot(centred, centred) for lag in lags]
    kept = correlation[3:]
    peaks = [place for place in range(1, len(kept) - 1) if kept[place - 1] < kept[place] > kept[place + 1]]
    if not peaks:
        return 125
    best = max(peaks, key=lambda place: kept[place])
    return best + 3 if 3 <= best <= 300 else 125
