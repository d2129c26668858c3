"""The experiments of ``papers.py`` on generated data in the shape of published data sets."""

import numpy as np
from sklearn.cluster import DBSCAN
from sklearn.metrics import roc_auc_score

from skanomaly import datasets, detectors, embeddings, metrics, model_selection, sequence


def phase_episodes():
    """Seeds 0 to 4: episodes of four phases, of different lengths, with four faults."""
    names = {"aligned reference": {"band": 0.3}, "without alignment": {"alignment": "none"}}
    found = {name: [] for name in names}
    faults = ("missing_phase", "extra_load", "worn", "early_stop")
    for seed in range(5):
        X, y, kinds, *_ = datasets.make_phase_sequences(random_state=seed)
        train = (y == 1) & (np.arange(len(y)) % 2 == 0)
        for name, options in names.items():
            detector = sequence.ReferenceDetector(**options).fit([X[index] for index in np.flatnonzero(train)])
            scores = detector.score_samples([X[index] for index in np.flatnonzero(~train)])
            chosen = [np.isin(kinds[~train], ["normal", fault]) for fault in faults]
            found[name].append([100 * roc_auc_score(y[~train][rows], scores[rows]) for rows in chosen])
    return "AUC " + "; ".join(
        f"{name}: "
        + ", ".join(f"{fault.replace('_', ' ')} {area:.0f}" for fault, area in zip(faults, areas, strict=True))
        for name, areas in ((name, np.mean(values, axis=0)) for name, values in found.items())
    )


def unseen_textures():
    """Seeds 0 to 4: five textures, two of them with another brightness and contrast; each is left out of training once."""
    cells = []
    for name, detector in (("Gaussian", embeddings.PatchGaussian()), ("nearest patches", embeddings.PatchNeighbors())):
        values = []
        for seed in range(5):
            _, X, y, _, _, groups = datasets.make_textures(random_state=seed)
            report = model_selection.unseen_group_report(detector, X, y, groups, random_state=seed)
            values.append([100 * report.seen.mean(), 100 * report.mean, 100 * report.worst])
        seen, unseen, worst = np.mean(values, axis=0)
        cells.append(f"{name}: {seen:.0f} when seen, {unseen:.0f} when unseen, {worst:.0f} in the worst")
    return "AUC of specifications by " + "; ".join(cells)


def particle_clusters():
    """Seeds 0 to 4: tracks in two and three dimensions, clustered by distance."""
    cells = []
    for n_dims in (2, 3):
        values = []
        for seed in range(5):
            X, _, _, particles = datasets.make_particle_tracks(n_dims=n_dims, contamination=0, random_state=seed)
            clusters = [DBSCAN(2, min_samples=1).fit_predict(image[:, :n_dims]) for image in X]
            events = np.repeat(np.arange(len(X)), [len(image) for image in X])
            values.append(
                metrics.instance_purity_efficiency(np.concatenate(particles), np.concatenate(clusters), groups=events)
            )
        cells.append("{1:.2f}, {2:.2f} and {3:.2f} in {0} dimensions".format(n_dims, *np.mean(values, axis=0)))
    return "purity, efficiency and adjusted Rand index of clusters by distance: " + "; ".join(cells)


def machine_domains():
    """Seeds 0 to 4: 500 clips of which 10 are from the target domain, at three signal-to-noise ratios."""
    cells = []
    for ratio in (-6, 0, 6):
        values = []
        for seed in range(5):
            X_train, X_test, y, train, test = datasets.make_machine_sounds(snr_db=ratio, random_state=seed)
            selective = sequence.SelectiveMahalanobisDetector().fit(X_train, domain=train).score_samples(X_test)
            plain = -((X_test - X_train.mean(axis=(0, 1))) ** 2).mean(axis=(1, 2))
            values.append(
                [
                    100 * roc_auc_score(y[test == domain], scores[test == domain])
                    for scores in (plain, selective)
                    for domain in ("source", "target")
                ]
            )
        cells.append(
            "{} dB: {:.0f} and {:.0f} by the mean square, {:.0f} and {:.0f} selective".format(
                ratio, *np.mean(values, axis=0)
            )
        )
    return "AUC in the source and the target domain; " + "; ".join(cells)


def series_kinds():
    """Seeds 0 to 4: series of 1,500 time points with five kinds of anomalies, without noise and with noise of 0.1."""
    cells = []
    for kind in ("point", "range", "frequency", "trend", "flat_trend"):
        values = []
        for seed in range(5):
            for noise in (0.0, 0.1):
                X, y = datasets.make_series_anomalies(1500, anomalies=kind, noise=noise, random_state=seed)
                windows = sequence.SubsequenceNeighbors(window_size=60, random_state=0).fit(X).score_samples(X)
                scores = windows, -np.abs(X[:, 0] - np.median(X))
                values.append([metrics.vus_pr_score(y, one) for one in scores])
        clean, noisy = np.mean(values[::2], axis=0), np.mean(values[1::2], axis=0)
        cells.append(f"{kind.replace('_', ' ')} {clean[0]:.2f} and {noisy[0]:.2f} ({clean[1]:.2f} and {noisy[1]:.2f})")
    return "VUS-PR of windows, clean and noisy, and of the distance from the median: " + ", ".join(cells)


def gaze_dispersion():
    """Seeds 0 to 4: fixations with the dispersion halved in anomalies."""
    values = []
    for seed in range(5):
        X, y = datasets.make_gaze_sequences(random_state=seed)
        train = (y == 1) & (np.arange(len(y)) % 2 == 0)
        spread = np.log([gaze[:, :2].std(axis=0) for gaze in X])
        others = np.array([[*gaze.mean(axis=0), len(gaze)] for gaze in X])
        values.append(
            [
                100
                * roc_auc_score(y[~train], detectors.GaussianDetector().fit(rows[train]).score_samples(rows[~train]))
                for rows in (spread, others)
            ]
        )
    return "AUC {:.0f} of the dispersion, {:.0f} of place, duration and number".format(*np.mean(values, axis=0))
