"""
One heartbeat that came too early
=================================

Beats like those of an electrocardiogram, one of them early and broad. The matrix profile holds the shape of each window
against the most similar other window: regular beats have close neighbours, the odd one has none. The window is a little
longer than a beat: windows of rest alone would be noise, which has no neighbours once it is scaled to variance 1.
The left profile looks back only, so it could have run beside the bed: the first beats are new and score as such, and
the odd one is known when it is over.
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
    signal += bump(place + 45, 14, -0.25 if early else 0.25) + bump(place - 30, 8, 0.0 if early else 0.12)
labels = np.ones(len(time), dtype=int)
labels[starts[15] - 70 : starts[15] + 60] = -1

figure, panels = plt.subplots(4, 1, figsize=(9, 7), sharex=True, layout="constrained", height_ratios=[2, 1, 2, 1])
for causal, axes in ((False, panels[:2]), (True, panels[2:])):
    detector = MatrixProfileDetector(window_size=220, causal=causal, contamination=0.03).fit(signal)
    SeriesDisplay.from_estimator(detector, signal, labels, ax=axes)
    axes[0].set_title("neighbours before and after" if not causal else "neighbours before only (causal)", loc="left")
    axes[0].set_ylabel("millivolt")
    axes[1].set_xlabel("")
panels[-1].set_xlabel("sample")
plt.show()
