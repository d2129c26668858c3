"""
Repeats that never keep the same time
=====================================

A machine repeats one motion, a little faster or slower each time and not evenly so. One repeat carries a short step.
Held against the reference at the same share of its length, every repeat is odd somewhere, because its bumps come early
or late. Aligned first, only the step is left.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.sequence import ReferenceDetector

random = np.random.RandomState(1)


def repeat(*, step):
    """Draw one repeat of the motion."""
    length = random.randint(285, 316)
    places = np.linspace(0, 1, length)
    bend = np.interp(places, np.linspace(0, 1, 5), [0, *random.normal(size=3), 0])
    places = np.clip(places + 0.04 * bend / np.abs(bend).max(), 0, 1)
    bumps = np.exp(-0.5 * ((places[:, None] - [0.1, 0.25, 0.4, 0.6, 0.75, 0.9]) / 0.025) ** 2)
    values = bumps @ [3, -2, 4, 2, -3, 3] + 0.1 * random.normal(size=length)
    if step:
        values[150:162] += 1.5
    return values


train = [repeat(step=False) for _ in range(40)]
odd, usual = repeat(step=True), repeat(step=False)

figure, axes = plt.subplots(3, 1, figsize=(9, 6), sharex=True, layout="constrained", height_ratios=[2, 1, 1])
axes[0].plot(ReferenceDetector().fit(train).reference_, color="0.7", label="reference")
axes[0].plot(usual, color="#0072B2", label="a usual repeat")
axes[0].plot(odd, color="#D55E00", label="a repeat with a step")
axes[0].legend(frameon=False, ncols=3, loc="upper right", bbox_to_anchor=(1, 1.22))
axes[0].set_ylabel("position")
for axis, alignment in zip(axes[1:], ["none", "dtw"], strict=True):
    detector = ReferenceDetector(alignment=alignment).fit(train)
    for series, color in ((usual, "#0072B2"), (odd, "#D55E00")):
        axis.plot(-detector.score_timepoints([series])[0], color=color, linewidth=1)
    axis.set_ylabel("spreads away")
    axis.set_title({"none": "not aligned", "dtw": "aligned by warping"}[alignment], loc="left", fontsize="medium")
axes[-1].set_xlabel("time point")
plt.show()
