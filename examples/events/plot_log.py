"""
Which line of the log is wrong?
===============================

A job opens a file, reads and checks it in rounds, writes and closes. Three runs go wrong in three ways: one in the
order of its events, one in how often it reads, one by an event that nobody has seen before; a fourth breaks off. The
surprise of each event after the one before it finds order, novelty and the missing end, and is blind to the number of
rounds; counts see that number and no order. Where an event is missing, the last one is charged.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.events import EventCountDetector, EventDisplay, MarkovDetector

random = np.random.RandomState(0)
normal = [["open", *["read", "check"] * random.randint(1, 4), "write", "close"] for _ in range(200)]
odd = [
    normal[0],
    ["open", "read", "write", "check", "close"],
    ["open", *["read", "check"] * 8, "write", "close"],
    ["open", "read", "check", "chmod", "write", "close"],
    ["open", "read", "check", "read"],
]

figure, axes = plt.subplots(2, 1, figsize=(11, 5.5), sharex=True, layout="constrained")
detectors = [MarkovDetector(contamination=0.01), EventCountDetector(contamination=0.01)]
for axis, detector in zip(axes, detectors, strict=True):
    EventDisplay.from_estimator(detector.fit(normal), odd, ax=axis)
    axis.set_title(type(detector).__name__, loc="left", fontsize="medium")
axes[0].set_xlabel("")
plt.show()
