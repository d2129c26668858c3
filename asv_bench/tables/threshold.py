"""Compare the time of ContaminationPosterior with scikit-learn's mixture, and of threshold rules with PyThresh.

    python asv_bench/tables/threshold.py [--as-installed]

Figures are CPU seconds of one thread, or wall seconds of both sides as installed. Packages that are not installed are
left out.
"""

import importlib
import sys
import warnings
from pathlib import Path

import _clock
import numpy as np
from sklearn.mixture import BayesianGaussianMixture

from skanomaly.threshold import (
    ContaminationPosterior,
    ContaminationPrior,
    GammaGMM,
    MADThreshold,
    ParetoThreshold,
    PosteriorThreshold,
)
from skanomaly.threshold._mixture._link import link_posterior, order_components
from skanomaly.threshold._mixture._variational import Components

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.reference import contamination as reference


def seconds(function, repeats=1):
    """Least time of some calls."""
    times = []
    for _ in range(repeats):
        start = _clock.now()
        function()
        times.append(_clock.now() - start)
    return min(times)


def scores(n_rows, n_detectors, seed=0):
    """Correlated skewed scores with a tenth of anomalies; lower is more anomalous."""
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(n_rows, 1))
    table = 0.7 * common + 0.7 * generator.normal(size=(n_rows, n_detectors))
    table[: n_rows // 10] += generator.gamma(4.0, 0.7, size=(n_rows // 10, 1))
    return -np.exp(0.4 * table)


def main():
    """Print the tables."""
    warnings.simplefilter("ignore")
    S = scores(1831, 5)
    model = ContaminationPosterior(method=GammaGMM(n_init=5), random_state=0)
    model.fit_scores(S[:200])  # compiles
    ours = seconds(lambda: model.fit_scores(S))
    logs = np.log(-S - (-S).min(axis=0) + 0.01)
    logs = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    theirs = sum(
        seconds(
            lambda seed=seed: BayesianGaussianMixture(
                n_components=100, weight_concentration_prior=0.01, max_iter=1500, random_state=seed
            ).fit(logs)
        )
        for seed in range(5)
    )
    print("Fit of the posterior and of five mixtures of the same size.\n")
    print(f"| what | {_clock.kind} s | ratio |\n|---|---|---|")
    print(f"| five BayesianGaussianMixture(K=100), 1831 x 5 | {theirs:.2f} | 1 |")
    print(f"| ContaminationPosterior(method=GammaGMM()), five starts | {ours:.2f} | {ours / theirs:.3f} |")

    generator = np.random.default_rng(0)
    components = Components(
        2 + generator.gamma(1, 30, 50),
        generator.normal(size=(50, 5)),
        np.tile(np.eye(5), (50, 1, 1)),
        10 + generator.gamma(1, 30, 50),
        15 + generator.gamma(1, 30, 50),
    )
    prior = ContaminationPrior(p_zero=0.01, p_high=0.01, max_contamination=0.25)

    def stage():
        ordered, draws = order_components(components, generator, n_draws=256)
        return link_posterior(ordered.concentrations, draws, prior)

    fit = stage()
    ordered, _ = order_components(components, generator, n_draws=256, published=True)
    parts = list(
        zip(
            ordered.concentrations,
            ordered.means,
            ordered.covariances,
            ordered.mean_precisions,
            ordered.dofs,
            strict=True,
        )
    )

    def published():
        reference.sampled_posterior(
            parts, fit.slope, fit.intercept, n_samples=10_000, n_draws=100, p_zero=0.01, upper=0.25, generator=generator
        )

    ours, theirs = seconds(stage, 20), seconds(published, 3)
    print("\nThe last stage of the GammaGMM method.\n")
    print(f"| posterior stage, K = 50 | {_clock.kind} ms | ratio |\n|---|---|---|")
    print(f"| closed form, 256 draws, constraints solved | {1000 * ours:.1f} | 1 |")
    print(
        f"| 10,000 samples draw by draw, as published, constraints given | {1000 * theirs:.0f} | {theirs / ours:.0f} |"
    )
    print()
    column = scores(1000, 1)[:, 0]
    print("Threshold rules on the same 1,000 scores, of which a tenth are anomalies.\n")
    print(f"| rule, 1,000 scores | fraction flagged | {_clock.kind} s |\n|---|---|---|")
    for rule in (PosteriorThreshold(), MADThreshold(), ParetoThreshold()):
        rule.offset(column)
        flagged = np.mean(column < rule.offset(column))
        print(f"| {type(rule).__name__} | {flagged:.3f} | {seconds(lambda rule=rule: rule.offset(column), 5):.4f} |")
    for name in ("FILTER", "KARCH", "IQR", "MAD", "CHAU", "GAMGMM"):
        try:
            peer = getattr(importlib.import_module(f"pythresh.thresholds.{name.lower()}"), name)
        except ImportError:
            print(f"| PyThresh {name} | not installed | |")
            continue
        labels = []
        spent = seconds(lambda peer=peer, labels=labels: labels.append(peer().eval(-column)))
        print(f"| PyThresh {name} | {np.mean(labels[0]):.3f} | {spent:.4f} |", flush=True)


if __name__ == "__main__":
    main()
