"""
Which lead of a recording is anomalous?
=======================================

A heart is recorded by several leads. Some beats are longer than others, and in one beat
one lead has an additional wave.

The detector reconstructs each beat, which it takes with its own length. The left panels
show four leads of the anomalous beat and what is expected of them. The right panel shows
the outlyingness of every time point of every lead: the additional wave in lead 3 stands
out.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.sequence import RandomConvolutionEncoder, SequenceReconstructor

random = np.random.default_rng(0)
gains = random.normal(size=(3, 8))


def beat(*, changed):
    """Return a beat of eight leads, 60 to 75 time points long."""
    places = np.linspace(0, 1, int(random.integers(60, 76)))[:, None]
    bumps = (places - [0.2, 0.45, 0.75]) / [0.05, 0.02, 0.08]
    waves = np.exp(-0.5 * bumps**2) * (1 + 0.1 * random.normal(size=3))
    values = waves @ gains + 0.1 * random.normal(size=(len(places), 8))
    if changed:
        values[:, 3] += np.exp(-0.5 * ((places[:, 0] - 0.6) / 0.04) ** 2)
    return values


train = [beat(changed=False) for _ in range(200)]
anomaly = beat(changed=True)
detector = SequenceReconstructor(RandomConvolutionEncoder(), random_state=0).fit(train)
expected = detector.expected_sequences([anomaly])[0]
parts = -detector.score_channels([anomaly])[0]

figure, axes = plt.subplot_mosaic(
    [[1, "map"], [2, "map"], [3, "map"], [4, "map"]],
    figsize=(9, 5),
    layout="constrained",
    width_ratios=[1, 1.2],
)
for lead in (1, 2, 3, 4):
    axis = axes[lead]
    axis.plot(expected[:, lead], color="0.7", linewidth=3, label="expected")
    axis.plot(anomaly[:, lead], color="#0072B2", linewidth=1, label="recorded")
    axis.set_ylabel(f"lead {lead}")
    axis.set_ylim(anomaly.min(), anomaly.max())
axes[1].legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
axes[4].set_xlabel("time point")
image = axes["map"].imshow(parts.T, aspect="auto", cmap="viridis", vmin=0)
axes["map"].set_xlabel("time point")
axes["map"].set_ylabel("lead")
figure.colorbar(image, ax=axes["map"], label="outlyingness")
plt.show()
