"""The experiments of ``papers.py`` on embeddings, patches and generation."""

import os
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, f1_score

from skanomaly import detectors, embeddings, generation, metrics
from skanomaly.datasets import make_patch_grids

DATA = Path(os.environ.get("SKANOMALY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def auc(labels, scores):
    return 100 * metrics.roc_auc_score(labels, scores)


def softmax_baseline():
    """Seeds 0 to 4: digits, of which 8 and 9 are unknown; the largest probability, and the energy of the logits."""
    X, y = load_digits(return_X_y=True)
    values = {
        "wrong predictions by probability": [],
        "unknown digits by probability": [],
        "unknown digits by energy": [],
    }
    for seed in range(5):
        train = (y < 8) & (np.random.default_rng(seed).random(len(y)) < 0.5)
        model = LogisticRegression(max_iter=2000).fit(X[train] / 16, y[train])
        test, known = ~train, y[~train] < 8
        largest = model.predict_proba(X[test] / 16).max(axis=1)
        right = model.predict(X[test] / 16)[known] == y[test][known]
        logits = model.decision_function(X / 16)
        energy = embeddings.LogitDetector().fit(logits[train]).score_samples(logits[test])
        for found, (labels, scores) in zip(
            values.values(), ((right, largest[known]), (known, largest), (known, energy)), strict=True
        ):
            found.append(auc(np.where(labels, 1, -1), scores))
    return "AUC of " + ", ".join(f"{name} {np.mean(found):.1f}" for name, found in values.items())


def patch_grids():
    """Seeds 0 to 2: planted grids of patches, novel and misplaced."""
    cells = []
    for anomalies in ("novel", "misplaced"):
        values = {"one model": [], "tiles": [], "neighbours": [], "sixteen samples": [], "the sample itself": []}
        for seed in range(3):
            train, test, labels, _ = make_patch_grids(anomalies=anomalies, random_state=seed)
            flat = detectors.GaussianDetector().fit(train.reshape(-1, train.shape[-1]))
            scores = flat.score_samples(test.reshape(-1, test.shape[-1])).reshape(len(test), -1)
            values["one model"].append(auc(labels, np.sort(scores, axis=1)[:, :3].mean(axis=1)))
            bank = embeddings.PatchBank(selection="samples", size=16)
            for name, model in (
                ("tiles", embeddings.TiledDetector(detectors.GaussianDetector())),
                ("neighbours", embeddings.PatchNeighbors()),
                ("sixteen samples", embeddings.PatchNeighbors(bank=bank, random_state=seed)),
                ("the sample itself", embeddings.PatchNeighbors(reference="self")),
            ):
                values[name].append(auc(labels, model.fit(train).score_samples(test)))
        cells.append(
            f"{anomalies} patches: " + ", ".join(f"{name} {np.mean(found):.1f}" for name, found in values.items())
        )
    return "AUC of planted grids, " + "; ".join(cells)


def distillation():
    """Seeds 0 to 4: two levels of features; anomalies mix levels of different samples."""
    values = {"student": [], "Gaussian of all columns": [], "Gaussian of the late level": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        early = random.normal(size=(900, 8))
        late = np.tanh(early @ random.normal(size=(8, 6))) + 0.1 * random.normal(size=(900, 6))
        late[700:] = late[random.permutation(np.arange(700, 900))]
        X, labels = np.hstack([early, late]), np.repeat([1, -1], 200)
        for name, model, given in (
            ("student", embeddings.DistillationDetector(levels=[8, 6], random_state=seed), X),
            ("Gaussian of all columns", detectors.GaussianDetector(), X),
            ("Gaussian of the late level", detectors.GaussianDetector(), late),
        ):
            values[name].append(auc(labels, model.fit(given[:500]).score_samples(given[500:])))
    return "AUC of levels that do not fit together: " + ", ".join(
        f"{name} {np.mean(found):.1f}" for name, found in values.items()
    )


def prototypes():
    """Seed 0: digits 1 to 5 as types of defect, 0 as normal; class means are the prototypes."""
    X, y = load_digits(return_X_y=True)
    X, y = X[y < 6] / 16, y[y < 6]
    train = np.random.default_rng(0).random(len(y)) < 0.5
    means = np.array([X[train][y[train] == kind].mean(axis=0) for kind in range(6)])
    model = embeddings.PrototypeDetector(prototypes=means, prototype_labels=range(6)).fit(X[train])
    types = model.predict_type(X[~train])
    figure = f"macro F1 of the types {100 * f1_score(y[~train], types, average='macro'):.1f}"
    cells = []
    for concept in (1, 4):
        model.set_params(active_concepts=[concept])
        cells.append(f"{auc(np.where(y[~train] == concept, -1, 1), -model.anomaly_probability(X[~train])):.1f}")
    return f"{figure}; AUC of one type as the anomaly, with the others switched off at test time, {' and '.join(cells)}"


def concept_projection():
    """Seeds 0 to 4: a nuisance attribute that training holds at one value only."""
    values = {"as they are": [], "attribute removed": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        attribute, direction = random.integers(0, 2, 600), random.normal(size=20)
        X = random.normal(size=(600, 20)) + 1.5 * attribute[:, None] * direction
        labels = np.where(np.arange(600) < 150, -1, 1)
        X[:150, :3] += 1.5
        train = (labels == 1) & (attribute == 0) & (np.arange(600) < 400)
        projector = embeddings.ConceptProjector(normalize=False).fit(X[400:], attribute=attribute[400:])
        for name, given in (("as they are", X), ("attribute removed", projector.transform(X))):
            values[name].append(
                auc(labels[~train], detectors.GaussianDetector().fit(given[train]).score_samples(given[~train]))
            )
    return "AUC with features " + ", ".join(f"{name} {np.mean(found):.1f}" for name, found in values.items())


def checklist():
    """Seeds 0 to 4: parts that must add up; anomalies break the sum."""
    values = {"checklist": [], "Gaussian": []}
    for seed in range(5):
        random = np.random.default_rng(seed)
        X = random.uniform(0, 10, size=(600, 4))
        X[:, 3] = X[:, 0] + X[:, 1] + 0.1 * random.normal(size=600)
        X[500:, 3] += random.choice([-1, 1], size=100)
        labels = np.repeat([1, -1], [200, 100])
        for name, model in (
            ("checklist", embeddings.ChecklistDetector(random_state=seed)),
            ("Gaussian", detectors.GaussianDetector()),
        ):
            values[name].append(auc(labels, model.fit(X[:300]).score_samples(X[300:])))
    return "AUC of broken sums: " + ", ".join(f"{name} {np.mean(found):.1f}" for name, found in values.items())


def new_classes():
    """Seeds 0 to 4: flagged rows of three unknown kinds and of normal rows."""
    values = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        centers = 5 * random.normal(size=(3, 10)) / np.sqrt(10) * 2
        kinds = np.repeat([0, 1, 2, 3], 40)
        flagged = random.normal(size=(160, 10)) + np.vstack([np.zeros(10), centers])[kinds]
        model = embeddings.AnomalyClusterer(n_clusters=3, random_state=seed).fit(
            flagged, normal=random.normal(size=(200, 10))
        )
        values.append(adjusted_rand_score(kinds, model.labels_))
    return f"adjusted Rand index of the unknown kinds {np.mean(values):.2f}"


def _two_modes(rows):
    left, right = np.square(rows + 2).sum(axis=1), np.square(rows - 2).sum(axis=1)
    return np.logaddexp(np.log(0.7) - 2 * left, np.log(0.3) - 2 * right)


def density_sampling():
    """Seed 0: two modes with weights 0.7 and 0.3 in one dimension; 1,000 draws."""
    follmer = generation.FollmerSampler(_two_modes, n_features=1, random_state=0).sample(1000)
    random = np.random.default_rng(0)
    X = random.normal(size=(500, 2)) * 0.3 + random.choice([-2, 2], p=[0.7, 0.3], size=(500, 1))
    chain = generation.LogConcaveChainSampler(
        generation.MixtureDenoiser().fit(X), final="sample", random_state=0
    ).sample(500)
    langevin = np.full(1000, 0.0)
    for _ in range(500):
        gradient = (_two_modes(langevin[:, None] + 1e-4) - _two_modes(langevin[:, None] - 1e-4)) / 2e-4
        langevin = langevin + 0.02 * gradient + np.sqrt(0.04) * random.normal(size=1000)
    return f"weight of the larger mode (0.70): particles {np.mean(follmer < 0):.2f}, chain of noisy measurements {np.mean(chain[:, 0] < 0):.2f}, Langevin steps from the middle {np.mean(langevin < 0):.2f}"


def collapse():
    """Seeds 0 to 19: 100 rows, 30 generations of a refitted Gaussian and of the bootstrap."""
    variances, distinct = [], []
    for seed in range(20):
        X = np.random.default_rng(seed).normal(size=(100, 1))
        first = generation.recursive_generation(X, "gaussian", n_generations=30, random_state=seed)
        variances.append(first.iloc[-1].filter(like="variance").mean())
        distinct.append(
            generation.recursive_generation(X, "bootstrap", n_generations=30, random_state=seed).distinct_rows.iloc[-1]
        )
    return f"after 30 generations the variance is {np.mean(variances):.2f} of the original (theory {0.99**30:.2f}), and {np.mean(distinct):.1f} of 100 distinct rows are left (theory {2 * 100 / 30:.1f})"


def speculation():
    """Seed 0: chains of six states, 20,000 tokens."""
    random = np.random.default_rng(0)
    draft, target = random.dirichlet(np.ones(6) * 3, size=(2, 6))
    found = generation.speculative_sample(lambda c: draft[c[-1]], lambda c: target[c[-1]], [0], 20000, random_state=0)
    tokens = np.asarray(found.sequence)
    counts = np.zeros((6, 6))
    np.add.at(counts, (tokens[:-1], tokens[1:]), 1)
    error = np.abs(counts / counts.sum(axis=1, keepdims=True) - target).max()
    return f"{100 * found.acceptance_rate:.0f} % of the drafts are accepted, and the transitions differ from the target by at most {error:.3f}"


def noisy_rows():
    """Seeds 0 to 7: two modes, 100 clean rows, 4,000 rows with noise of standard deviation 1, and both."""
    errors = {"clean rows": [], "noisy rows": [], "both": []}
    for seed in range(8):
        random = np.random.default_rng(seed)
        clean = random.normal(size=(4100, 1)) * 0.5 + random.choice([-1.0, 1.0], size=(4100, 1))
        noise = np.repeat([0.0, 1.0], [100, 4000])
        X = clean + np.sqrt(noise)[:, None] * random.normal(size=(4100, 1))
        for name, rows in (("clean rows", slice(0, 100)), ("noisy rows", slice(100, None)), ("both", slice(None))):
            model = generation.NoiseAwareMixture(n_components=2, random_state=seed).fit(X[rows], noise_var=noise[rows])
            errors[name].append(np.abs(np.sort(model.means_.ravel()) - [-1, 1]).mean())
    return "error of the means: " + ", ".join(f"{name} {np.median(found):.3f}" for name, found in errors.items())


def jumping_trajectories():
    """Seeds 0 to 4: stored trajectories, of which 4 % still jump between modes in the last steps."""
    removed = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        predictions = np.repeat(random.choice([1.0, 2.0, 3.0], size=(1000, 1, 1)), 200, axis=1) + 0.02 * random.normal(
            size=(1000, 200, 1)
        )
        jumping = np.arange(1000) < 40
        predictions[jumping, -10:] += random.choice([-0.5, 0.5], size=(40, 10, 1))
        kept = generation.filter_samples(np.arange(1000)[:, None], predictions, keep=0.96)
        removed.append(1 - np.isin(np.arange(40), kept).mean())
    return f"{100 * np.mean(removed):.0f} % of the jumping rows are removed when 96 % are kept"
