"""
How much of a result is luck?
=============================

A published difference of one point may be a lucky seed.
:func:`~skanomaly.model_selection.seed_study` separates what varies: the initialisation of the model, the split into
training and test rows, and the training rows. :func:`~skanomaly.model_selection.compare_seeds` compares two models over
seeds instead of by one run of each.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.datasets import make_shifted_anomalies
from skanomaly.detectors import (
    Autoencoder,
    DenseCode,
    IsolationForestDetector,
    NearestNeighborsDetector,
)
from skanomaly.model_selection import compare_seeds, seed_study

# %%
# A table of 400 rows, of which 20 are anomalies, and three detectors with 12 seeds for each source.

X, y = make_shifted_anomalies(
    n_samples=400, contamination=0.05, shift=3.0, random_state=0
)
detectors = {
    "isolation forest": IsolationForestDetector(n_estimators=100),
    "autoencoder": Autoencoder(kind=DenseCode(max_iter=15)),
    "nearest neighbours": NearestNeighborsDetector(),
}
studies = {
    name: seed_study(model, X, y, n_seeds=12, random_state=0)
    for name, model in detectors.items()
}
for name, study in studies.items():
    print(
        name,
        {source: round(std, 3) for source, std in study.std.items()},
        f"resampled {study.sampling_std:.3f}",
    )
forest, neighbors = studies["isolation forest"], studies["nearest neighbours"]
compared = compare_seeds(neighbors.values["all"], forest.values["all"])
print(
    f"nearest neighbours minus isolation forest: {compared.difference:.3f}, "
    f"p = {compared.pvalue:.2f}"
)
print(
    f"isolation forest: mean {forest.mean['all']:.3f}, "
    f"expected best of 100 seeds {forest.expected_best(100):.3f}"
)

# %%
# Each point is one fit. The triangle is the best of 100 seeds that chance alone would give.

figure, panels = plt.subplots(1, 3, figsize=(9.6, 4), sharey=True, layout="constrained")
jitter = np.random.default_rng(0).uniform(-0.15, 0.15, size=12)
for axes, (name, study), color in zip(
    panels, studies.items(), ("#0072B2", "#E69F00", "#009E73"), strict=True
):
    for place, source in enumerate(study.values):
        axes.scatter(
            place + jitter,
            study.values[source],
            s=18,
            color=color,
            alpha=0.7,
            linewidths=0,
        )
        axes.hlines(study.mean[source], place - 0.3, place + 0.3, color="black", lw=1.5)
        axes.plot(
            place,
            study.expected_best(100, source=source),
            "^",
            color="black",
            ms=6,
            mfc="white",
        )
    axes.set_xticks(range(4), list(study.values), rotation=25)
    axes.set_title(name, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
panels[0].set_ylabel("area under the ROC curve")

# %%
# The split matters most, because ten test anomalies decide the area. The initialisation matters half as much for the
# isolation forest, little for the autoencoder and not at all for nearest neighbours. More seeds on one split would
# therefore report a small error and miss the large one. Report the mean and standard deviation over splits, and compare
# any improvement with the triangle: it is what one gets by trying a hundred seeds and reporting the best. This is one
# made table; with thousands of anomalies the split matters less.

if sys.argv[1:]:
    figure.savefig(sys.argv[1], dpi=110)
plt.show()
