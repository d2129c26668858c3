"""
Data in the shape of published benchmarks
=========================================

These generators of ``skanomaly.datasets`` have the shape of published data sets that are too large, or not free, to be
part of a package: logical anomalies, textures, particle tracks, episodes of a machine, machine sounds and others. In
each, one kind of detector finds what another kind misses. Normal data are blue, anomalies orange.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from skanomaly import datasets
from skanomaly.sequence import overlay_events

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "0.5"


def scatter(ax, points, y):
    """Draw normal rows and anomalies."""
    ax.scatter(*points[y == 1].T, s=6, color=BLUE, alpha=0.5, linewidths=0)
    ax.scatter(*points[y == -1].T, s=14, color=ORANGE, linewidths=0)


# %%
# Tables and images. The circle and the digits are shown in two of their many dimensions.

figure, axes = plt.subplots(2, 5, figsize=(14.5, 6.4), layout="constrained")
panels = iter(axes.flat)

ax = next(panels)
X, y = datasets.make_logical_anomalies(random_state=0)
scatter(ax, X[:, :2], y)
ax.set(
    title="make_logical_anomalies\nrule: second above first",
    xlabel="column 0",
    ylabel="column 1",
)

ax = next(panels)
for kind, marker in (("off", "o"), ("on", "^")):
    X, y = datasets.make_manifold_anomalies(
        contamination=0.1, anomalies=kind, random_state=0
    )
    model = PCA(3).fit(X[y == 1])
    code = model.transform(X)
    error = np.linalg.norm(X - model.inverse_transform(code), axis=1)
    distance = np.sqrt((code**2 / model.explained_variance_).sum(axis=1))
    if kind == "off":
        ax.scatter(
            distance[y == 1], error[y == 1], s=6, color=BLUE, alpha=0.5, linewidths=0
        )
    ax.scatter(
        distance[y == -1],
        error[y == -1],
        s=14,
        color=ORANGE,
        marker=marker,
        linewidths=0,
        label=kind,
    )
ax.legend(frameon=False, title="the manifold", fontsize="small")
ax.set(
    title="make_manifold_anomalies\noff and on the manifold",
    xlabel="distance on it",
    ylabel="distance from it",
)

ax = next(panels)
X, y = datasets.make_lifted_circle(random_state=0)
scatter(ax, PCA(2).fit_transform(X), y)
ax.set(
    title="make_lifted_circle\nplane of the circle",
    aspect="equal",
    xticks=[],
    yticks=[],
)

ax = next(panels)
_, X, y, colours, concepts = datasets.make_coloured_digits(random_state=0)
points = (X - X.mean(axis=0)) @ np.linalg.svd(concepts - concepts.mean(axis=0))[2][:2].T
for colour, marker in enumerate("os^"):
    rows = colours == colour
    ax.scatter(
        *points[rows & (y == 1)].T,
        s=6,
        color=BLUE,
        marker=marker,
        alpha=0.5,
        linewidths=0,
    )
    ax.scatter(
        *points[rows & (y == -1)].T,
        s=6,
        color=ORANGE,
        marker=marker,
        alpha=0.5,
        linewidths=0,
    )
ax.set(
    title="make_coloured_digits\nthree colours hide other digits", xticks=[], yticks=[]
)

ax = next(panels)
X, y, times = datasets.make_fraud_stream(random_state=0)
ax.scatter(*X[y == 1][::8, :2].T, s=4, color=BLUE, alpha=0.3, linewidths=0)
points = ax.scatter(
    *X[y == -1, :2].T, s=10, c=times[y == -1], cmap="YlOrRd", linewidths=0
)
figure.colorbar(points, ax=ax, label="day of the fraud", location="bottom", shrink=0.7)
ax.set(title="make_fraud_stream\nfrauds rotate", xticks=[], yticks=[])

ax = next(panels)
X_train, X_test, y_test, patch_labels, _, groups = datasets.make_textures(
    random_state=0
)


def image(patches):
    """Put the patches of 6 by 6 pixels together."""
    return patches.reshape(8, 8, 6, 6).swapaxes(1, 2).reshape(48, 48)


chosen = [X_train[0], X_test[np.flatnonzero((y_test == -1) & (groups == 0))[0]]]
chosen += [
    X_test[np.flatnonzero((y_test == sign) & (groups == 4))[0]] for sign in (1, -1)
]
blank = np.full((48, 2), np.nan)
top, bottom = (
    np.hstack([image(chosen[index]), blank, image(chosen[index + 1])])
    for index in (0, 2)
)
ax.imshow(np.vstack([top, np.full((2, 98), np.nan), bottom]), cmap="gray")
ax.set(title="make_textures\nbelow: unseen; right: defect", xticks=[], yticks=[])

ax = next(panels)
X, y, voxel_labels, _ = datasets.make_particle_tracks(n_dims=2, random_state=0)
index = np.flatnonzero(y == -1)[0]
ax.scatter(
    *X[index][:, :2].T,
    s=5,
    marker="s",
    c=np.where(voxel_labels[index] == 1, BLUE, ORANGE),
    linewidths=0,
)
ax.set(
    title="make_particle_tracks\ntracks and a shower",
    xlim=(0, 63),
    ylim=(0, 63),
    aspect="equal",
    xticks=[],
    yticks=[],
)

ax = next(panels)
_, X, y, patch_labels = datasets.make_patch_grids(anomalies="misplaced", random_state=0)
index = np.flatnonzero(y == -1)[0]
content = PCA(3).fit(X[y == 1].reshape(-1, 32)).transform(X[index]).reshape(8, 8, 3)
ax.imshow((content - content.min()) / np.ptp(content))
rows, columns = np.nonzero(patch_labels[index].reshape(8, 8) == -1)
ax.plot(
    columns.min() + np.array([-0.5, 1.5, 1.5, -0.5, -0.5]),
    rows.min() + np.array([-0.5, -0.5, 1.5, 1.5, -0.5]),
    "k",
)
ax.set(title="make_patch_grids\nframed: content of elsewhere", xticks=[], yticks=[])

ax = next(panels)
_, X, y, token_labels = datasets.make_token_sets(random_state=0)
index = np.flatnonzero(y == -1)[0]
model = PCA(2).fit(X[y == 1].reshape(-1, X.shape[2]))
ax.scatter(
    *model.transform(X[y == 1].reshape(-1, X.shape[2])).T,
    s=4,
    color=GREY,
    alpha=0.2,
    linewidths=0,
)
scatter(ax, model.transform(X[index]), token_labels[index])
ax.set(title="make_token_sets\none set: a foreign token", xticks=[], yticks=[])

ax = next(panels)
taxi = datasets.load_nyc_taxi()
ax.plot(taxi.times, taxi.data / 1000, color=BLUE, lw=0.2)
ax.plot(
    taxi.times,
    np.where(taxi.target == -1, taxi.data[:, 0], np.nan) / 1000,
    color=ORANGE,
    lw=0.3,
)
ax.xaxis.set_major_formatter(plt.matplotlib.dates.DateFormatter("%b"))
ax.set(title="load_nyc_taxi\nfive labelled windows", ylabel="1,000 passengers")
plt.show()

# %%
# Series and collections of series.

figure, axes = plt.subplots(2, 4, figsize=(12, 6.2), layout="constrained")
panels = iter(axes.flat)

ax = next(panels)
X, y, faults, _, _ = datasets.make_phase_sequences(random_state=0)
for shift, fault in enumerate(
    ("normal", "missing_phase", "extra_load", "worn", "early_stop")
):
    torque = X[np.flatnonzero(faults == fault)[0]][:, 2]
    ax.plot(torque - 1.3 * shift, color=BLUE if fault == "normal" else ORANGE, lw=1)
    ax.text(0, 0.25 - 1.3 * shift, fault.replace("_", " "), fontsize="small")
ax.set(
    title="make_phase_sequences\ntorque of five episodes",
    xlabel="time point",
    yticks=[],
)

ax = next(panels)
X_reference, X_query, y_query, labels = datasets.make_patrol_passes(random_state=0)
for one in X_reference[:8]:
    ax.plot(one[:, 0], color=BLUE, lw=0.5, alpha=0.5)
index = np.flatnonzero(y_query == -1)[0]
changed = np.flatnonzero(labels[index] == -1)
ax.plot(changed, X_query[index][changed, 0], color=ORANGE, lw=2)
ax.set(
    title="make_patrol_passes\npart of another place", xlabel="time point", yticks=[]
)

ax = next(panels)
X, y = datasets.make_branching_sequences(random_state=0)
ax.plot(X[y == 1][:60, :, 0].T, color=BLUE, lw=0.4, alpha=0.5)
ax.plot(X[y == -1][:8, :, 0].T, color=ORANGE, lw=0.8)
ax.set(
    title="make_branching_sequences\ntwo futures, and the mean",
    xlabel="time point",
    yticks=[-1, 0, 1],
)

ax = next(panels)
X, y = datasets.make_gaze_sequences(random_state=0)
for sign, color in ((1, BLUE), (-1, ORANGE)):
    for index in np.flatnonzero(y == sign)[:2]:
        ax.plot(*X[index][:, :2].T, "-o", color=color, lw=0.5, ms=3)
ax.set(
    title="make_gaze_sequences\nfixations on an image",
    xlim=(0, 1),
    ylim=(0, 1),
    aspect="equal",
    xticks=[],
    yticks=[],
)

ax = next(panels)
_, X, y, _, domains = datasets.make_machine_sounds(anomaly_db=9.0, random_state=0)
clips = [
    X[np.flatnonzero((domains == domain) & (y == sign))[0]].T
    for domain in ("source", "target")
    for sign in (1, -1)
]
blank = np.full((24, 2), np.nan)
ax.imshow(
    np.hstack([part for clip in clips for part in (clip, blank)]),
    origin="lower",
    aspect="auto",
    cmap="viridis",
)
ax.set(
    title="make_machine_sounds\nnormal, rattling; in two domains",
    xticks=[20, 62, 104, 146],
    ylabel="band",
)
ax.set_xticklabels(["source", "source", "target", "target"], fontsize="small")
for tick, color in zip(ax.get_xticklabels(), (BLUE, ORANGE, BLUE, ORANGE), strict=True):
    tick.set_color(color)

ax = next(panels)
X, y, groups = datasets.make_grouped_series(4, random_state=3)
for group in range(4):
    values = X[groups == group, 0]
    ax.plot(values, color=BLUE, lw=0.5)
    anomalous = np.flatnonzero(y[groups == group] == -1)
    ax.plot(anomalous, values[anomalous], "o", color=ORANGE, ms=2)
ax.set(
    title="make_grouped_series\nfour nodes swap behaviour",
    xlabel="time point",
    yticks=[],
)

ax = next(panels)
for shift, kind in enumerate(("point", "range", "frequency", "trend", "flat_trend")):
    X, y = datasets.make_series_anomalies(600, anomalies=kind, random_state=2)
    values = (X[:, 0] - X[:, 0].min()) / np.ptp(X) - 1.4 * shift
    ax.plot(values, color=BLUE, lw=0.5)
    ax.plot(np.where(y == -1, values, np.nan), color=ORANGE, lw=1.2)
    ax.text(0, 1.03 - 1.4 * shift, kind.replace("_", " "), fontsize="small")
ax.set(title="make_series_anomalies\nfive kinds", xlabel="time point", yticks=[])

ax = next(panels)
random = np.random.default_rng(0)
noise, event = random.normal(size=600), np.sin(np.arange(150) / 3)
for shift, options in enumerate(
    ({"mode": "overlay"}, {"mode": "replace"}, {"mode": "replace", "fade": 60})
):
    mixed, labels = overlay_events(
        noise, [event], n_events=2, snr_db=(6, 6), **options, random_state=1
    )
    values = mixed[:, 0] - 10 * shift
    ax.plot(values, color=BLUE, lw=0.5)
    ax.plot(np.where(labels == -1, values, np.nan), color=ORANGE, lw=0.5)
    ax.text(
        0,
        4 - 10 * shift,
        ["overlay", "replace", "replace, with a cross-fade"][shift],
        fontsize="small",
    )
ax.set(title="overlay_events\nthree ways to mix", xlabel="time point", yticks=[])

for ax in axes.flat:
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
