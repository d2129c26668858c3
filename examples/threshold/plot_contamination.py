"""
Contamination with a credible interval
======================================

In a table of 500 rows, 6 % of the rows are shifted. ``ContaminationPosterior`` estimates the distribution of the
contamination and sets the threshold accordingly. ``ConformalDetector``, calibrated on normal rows, gives p-values, from
which rows are selected at a given false discovery rate.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.threshold import (
    ConformalDetector,
    ContaminationDisplay,
    ContaminationPosterior,
    PValueDisplay,
)

generator = np.random.default_rng(0)
normal = generator.normal(size=(900, 3))
X = np.vstack([normal[:470], generator.normal(4.0, 0.8, size=(30, 3))])

figure, axes = plt.subplots(1, 3, figsize=(12.5, 4), layout="constrained")
ContaminationDisplay.from_estimator(
    ContaminationPosterior(random_state=0).fit(X), X, ax=axes[:2]
)
PValueDisplay.from_estimator(
    ConformalDetector(random_state=0).fit(normal[470:]), X, ax=axes[2]
)
axes[1].set_ylim(top=100)  # space for the legend
plt.show()
