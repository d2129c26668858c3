"""
Anomalies in repetitions of varying speed
=========================================

A machine repeats one motion, a little faster or slower each time and with varying speed within a repetition. One
repetition contains a short step.

The upper panel shows the reference, a normal repetition and the one with the step. The lower panels show the
outlyingness of the time points of both repetitions. Without alignment, each repetition is compared with the reference
at the same relative position: both deviate from it, because their bumps come earlier or later. With alignment by
dynamic time warping, only the step deviates.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.sequence import ReferenceDetector

random = np.random.RandomState(1)


def repeat(*, step):
    """Draw one repetition of the motion."""
    length = random.randint(285, 316)
    places = np.linspace(0, 1, length)
    bend = np.interp(places, np.linspace(0, 1, 5), [0, *random.normal(size=3), 0])
    places = np.clip(places + 0.04 * bend / np.abs(bend).max(), 0, 1)
    bumps = np.exp(
        -0.5 * ((places[:, None] - [0.1, 0.25, 0.4, 0.6, 0.75, 0.9]) / 0.025) ** 2
    )
    values = bumps @ [3, -2, 4, 2, -3, 3] + 0.1 * random.normal(size=length)
    if step:
        values[150:162] += 1.5
    return values


train = [repeat(step=False) for _ in range(40)]
anomaly, normal = repeat(step=True), repeat(step=False)

figure, axes = plt.subplots(
    3, 1, figsize=(9, 6), sharex=True, layout="constrained", height_ratios=[2, 1, 1]
)
axes[0].plot(ReferenceDetector().fit(train).reference_, color="0.7", label="reference")
axes[0].plot(normal, color="#0072B2", label="a normal repetition")
axes[0].plot(anomaly, color="#D55E00", label="a repetition with a step")
axes[0].legend(frameon=False, ncols=3, loc="upper right", bbox_to_anchor=(1, 1.22))
axes[0].set_ylabel("position")
for axis, alignment in zip(axes[1:], ["none", "dtw"], strict=True):
    detector = ReferenceDetector(alignment=alignment).fit(train)
    for series, color in ((normal, "#0072B2"), (anomaly, "#D55E00")):
        axis.plot(-detector.score_timepoints([series])[0], color=color, linewidth=1)
    axis.set_ylabel("outlyingness")
    axis.set_title(
        {"none": "not aligned", "dtw": "aligned by warping"}[alignment],
        loc="left",
        fontsize="medium",
    )
axes[-1].set_xlabel("time point")
plt.show()
