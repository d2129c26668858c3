"""
Detect a premature heartbeat with the matrix profile
====================================================

The series is a synthetic electrocardiogram in which one beat is early and broad. The matrix profile is the distance of
each window to its nearest neighbour: normal beats have near neighbours, the premature beat has none. The window is
slightly longer than a beat, since windows between beats would be noise, which has no near neighbours after scaling to
variance 1.

The figure shows the series and its scores twice. In the upper half, neighbours may be before or after a window. In the
lower half they are before it only (the left profile, ``causal=True``), as in monitoring: the first beats have no
neighbours yet and score as anomalies, and the premature beat is detected when it is over.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.sequence import MatrixProfileDetector, SeriesDisplay

random = np.random.RandomState(0)
starts = np.cumsum(random.normal(200, 6, 24)).astype(int) - 100
time = np.arange(starts[-1] + 100)


def bump(center, width, height):
    return height * np.exp(-0.5 * ((time - center) / width) ** 2)


signal = 0.02 * random.normal(size=len(time))
for beat, start in enumerate(starts):
    early = beat == 15
    place = start - 30 if early else start
    signal += bump(place, 12 if early else 4, 1.3 if early else 1.0)
    signal += bump(place + 45, 14, -0.25 if early else 0.25) + bump(
        place - 30, 8, 0.0 if early else 0.12
    )
labels = np.ones(len(time), dtype=int)
labels[starts[15] - 70 : starts[15] + 60] = -1

figure, panels = plt.subplots(
    4, 1, figsize=(9, 7), sharex=True, layout="constrained", height_ratios=[2, 1, 2, 1]
)
for causal, axes in ((False, panels[:2]), (True, panels[2:])):
    detector = MatrixProfileDetector(
        window_size=220, causal=causal, contamination=0.03
    ).fit(signal)
    SeriesDisplay.from_estimator(detector, signal, labels, ax=axes)
    axes[0].set_title(
        "neighbours before and after"
        if not causal
        else "neighbours before only (causal)",
        loc="left",
    )
    axes[0].set_ylabel("millivolt")
    axes[1].set_xlabel("")
panels[-1].set_xlabel("sample")
plt.show()
