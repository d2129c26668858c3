"""
Find the anomalous event in a log
=================================

In this log, a job opens a file, reads and checks it in rounds, writes and closes. The first of the five traces below is
normal. The next three contain an anomaly in the order of the events, in the number of reads, and an event that does not
occur in the training data. The last trace is truncated.

The figure shows the five traces, one per row. Darker events are more anomalous, and flagged traces have an orange
label. :class:`~skanomaly.events.MarkovDetector` scores each event given the previous one. It detects wrong order,
unseen events and the missing end, but not the number of rounds. :class:`~skanomaly.events.EventCountDetector` uses only
the counts: it detects the wrong number, but not wrong order. If events are missing, the last event of the trace gets
the score.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.events import EventCountDetector, EventDisplay, MarkovDetector

random = np.random.RandomState(0)
normal = [
    ["open", *["read", "check"] * random.randint(1, 4), "write", "close"]
    for _ in range(200)
]
traces = [
    normal[0],
    ["open", "read", "write", "check", "close"],
    ["open", *["read", "check"] * 8, "write", "close"],
    ["open", "read", "check", "chmod", "write", "close"],
    ["open", "read", "check", "read"],
]

figure, axes = plt.subplots(2, 1, figsize=(11, 5.5), sharex=True, layout="constrained")
detectors = [MarkovDetector(contamination=0.01), EventCountDetector(contamination=0.01)]
for axis, detector in zip(axes, detectors, strict=True):
    EventDisplay.from_estimator(detector.fit(normal), traces, ax=axis)
    axis.set_title(type(detector).__name__, loc="left", fontsize="medium")
axes[0].set_xlabel("")
plt.show()
