"""
A contamination with its interval
=================================

Six in a hundred rows are shifted. The posterior says how many anomalies there may be; the p-values of a conformal
detector, calibrated on rows known to be normal, say which rows to call at a false discovery rate.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.threshold import ConformalDetector, ContaminationDisplay, ContaminationPosterior, PValueDisplay

generator = np.random.default_rng(0)
normal = generator.normal(size=(900, 3))
X = np.vstack([normal[:470], generator.normal(4.0, 0.8, size=(30, 3))])

figure, axes = plt.subplots(1, 3, figsize=(12.5, 3.6), layout="constrained")
ContaminationDisplay.from_estimator(ContaminationPosterior(random_state=0).fit(X), X, ax=axes[:2])
PValueDisplay.from_estimator(ConformalDetector(random_state=0).fit(normal[470:]), X, ax=axes[2])
plt.show()
