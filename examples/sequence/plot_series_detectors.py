"""
Compare seven detectors on four kinds of anomalies
==================================================

The series is the noisy load of a machine with a daily period. It contains four anomalies: a spike, a flat segment, a
level shift and a segment with another frequency.

The upper panel shows the series, with the anomalies shaded. The other panels show the outlyingness from seven detectors
and from a random score, each with its VUS-PR. No detector is best for all four anomalies. Nearest neighbours of windows
(:class:`~skanomaly.sequence.SubsequenceNeighbors`) are a good first choice. Forecasts without smoothing detect the
spike. The matrix profile uses only shapes, so it misses most of the level shift. The random score shows which VUS-PR
is reached without any information.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.metrics import vus_pr_score
from skanomaly.sequence import (
    AutoregressiveDetector,
    KShapeDetector,
    MatrixProfileDetector,
    RollingStatistic,
    SubsequenceKMeans,
    SubsequenceNeighbors,
    SubsequencePCA,
)

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "0.4"
random = np.random.RandomState(0)
time = np.arange(4000)
load = (
    np.sin(2 * np.pi * time / 96)
    + 0.4 * np.sin(2 * np.pi * time / 48 + 1)
    + 0.08 * random.normal(size=4000)
)
anomalies = {
    "spike": slice(700, 703),
    "flat": slice(1500, 1560),
    "level": slice(2300, 2400),
    "frequency": slice(3200, 3280),
}
load[anomalies["spike"]] += 2.5
load[anomalies["flat"]] = load[1500]
load[anomalies["level"]] += 1.0
load[anomalies["frequency"]] = 0.9 * np.sin(2 * np.pi * np.arange(80) / 25)
labels = np.ones(4000, dtype=int)
for part in anomalies.values():
    labels[part] = -1

detectors = {
    "SubsequenceNeighbors": SubsequenceNeighbors(window_size=48, random_state=0),
    "SubsequenceKMeans": SubsequenceKMeans(window_size=48, random_state=0),
    "SubsequencePCA": SubsequencePCA(window_size=48),
    "AutoregressiveDetector, smoothing=1": AutoregressiveDetector(
        order=48, smoothing=1
    ),
    "MatrixProfileDetector": MatrixProfileDetector(window_size=48),
    "KShapeDetector": KShapeDetector(window_size=48, smoothing=24, random_state=0),
    "RollingStatistic": RollingStatistic(window_size=48),
}
scores = {
    name: detector.fit(load).score_samples(load) for name, detector in detectors.items()
}
scores["random"] = random.uniform(size=4000)

figure, panels = plt.subplots(
    9,
    1,
    figsize=(9, 10),
    sharex=True,
    layout="constrained",
    height_ratios=[2, *[1] * 8],
)
panels[0].plot(load, color=BLUE, linewidth=0.6)
panels[0].set_ylabel("load")
for name, part in anomalies.items():
    panels[0].text(
        (part.start + part.stop) / 2, 3.1, name, ha="center", va="bottom", color=ORANGE
    )
panels[0].set_ylim(-2.2, 3.9)
for axes, (name, score) in zip(panels[1:], scores.items(), strict=True):
    axes.plot(-score, color=GREY, linewidth=0.6)
    axes.set_title(
        f"{name}: VUS-PR {vus_pr_score(labels, score, window_size=48):.2f}",
        fontsize="small",
        loc="left",
    )
    axes.set_yticks([])
for axes in panels:
    for part in anomalies.values():
        axes.axvspan(part.start, part.stop, color=ORANGE, alpha=0.2, linewidth=0)
panels[-1].set(xlabel="quarter of an hour", xlim=(0, 4000))
figure.supylabel("outlyingness (minus the score)", fontsize="medium")
plt.show()
