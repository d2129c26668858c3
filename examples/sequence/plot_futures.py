"""
Several futures instead of one forecast
=======================================

After some pasts, more than one future is normal: a machine turns left or right, a customer pays or leaves. A forecast
is the mean of these, where nothing ever happens. :class:`~skanomaly.sequence.MultiFutureDetector` samples several
futures and scores the distance to the nearest.
"""

import matplotlib.pyplot as plt
import numpy as np

from skanomaly.sequence import (
    Analogue,
    AutoregressiveDetector,
    Diffusion,
    MultiFutureDetector,
    ResidualBootstrap,
)

# %%
# A series with branches
# ----------------------
#
# After the same ramp, the series makes an arc up or down, each in half of the runs. In one run, it does neither.

random = np.random.default_rng(0)
times = np.arange(8) / 7
branch = random.choice([-1.0, 1.0], size=300)
branch[250] = 0.0
runs = np.column_stack(
    [np.tile(times, (300, 1)), branch[:, None] * np.sin(np.pi * times)]
)
series = runs.ravel() + 0.05 * random.normal(size=4800)
start = 250 * 16

# %%
# Futures by three samplers
# -------------------------
#
# Analogues are futures of similar pasts, and a diffusion learns their distribution: both know both branches. The
# resampled errors of an autoregression are spread around the one forecast.

samplers = {
    "analogues": Analogue(),
    "diffusion": Diffusion(),
    "resampled errors": ResidualBootstrap(),
}
figure, axes = plt.subplots(
    2, 3, figsize=(9, 5), height_ratios=(2, 1), sharey="row", layout="constrained"
)
forecast = AutoregressiveDetector(order=8, smoothing=1).fit(series)
for (name, sampler), column in zip(samplers.items(), axes.T, strict=True):
    detector = MultiFutureDetector(sampler, n_past=8, n_future=8, random_state=0).fit(
        series
    )
    futures = detector.sample_futures(series[: start + 8])[:, :, 0]
    column[0].plot(
        np.arange(8, 16), futures.T, color="tab:blue", alpha=0.4, linewidth=0.8
    )
    column[0].plot(series[start : start + 16], color="tab:red", linewidth=1.5)
    column[0].set(title=name, xlabel="time point of the run")
    scores = detector.score_windows(series)[::16]
    column[1].plot(scores, ".", markersize=2)
    column[1].plot(250, scores[250], "o", color="tab:red", markersize=4)
    column[1].set(xlabel="run")
    print(f"{name}: the anomaly has rank {(scores < scores[250]).sum() + 1} of 300")
axes[0, 0].set_ylabel("anomaly (red), futures (blue)")
axes[1, 0].set_ylabel("score")
scores = forecast.score_samples(series).reshape(-1, 16)[:, 8:].mean(axis=1)
print(f"one forecast: the anomaly has rank {(scores < scores[250]).sum() + 1} of 300")
plt.show()
