"""Centre and scale of values, by definition."""

import numpy as np


def center_scale(values, robust):
    values = np.asarray(values, dtype=float)
    if not robust:
        return values.mean(), values.std(ddof=1) if values.size > 1 else 0.0
    center = np.median(values)
    deviations = np.abs(values - center)
    mad = 1.482602218505602 * np.median(deviations)
    return center, mad if mad > 0 else 1.2533141373155003 * deviations.mean()
