"""The published contamination posterior's sampling stage, draw by draw: Perini, Buerkner and Klami (2023)."""

import numpy as np


def representative_value(mean, covariance):
    """Mean over detectors of location over one plus standard deviation."""
    return np.mean(mean / (1.0 + np.sqrt(np.diag(covariance))))


def drawn_value(mean, covariance, mean_precision, dof, generator):
    """Representative value of one draw: location with isotropic covariance, covariance from a Wishart."""
    n_features = len(mean)
    location = mean + generator.normal(size=n_features) / np.sqrt(mean_precision)
    bartlett = np.zeros((n_features, n_features))
    for row in range(n_features):
        bartlett[row, row] = np.sqrt(generator.chisquare(dof - row))
        bartlett[row, :row] = generator.normal(size=row)
    root = np.linalg.cholesky(covariance / dof) @ bartlett
    return representative_value(location, root @ root.T)


def first_probabilities(values, slope, intercept):
    """Probability that exactly the first k components are anomalous, k = 1, ..., of one draw."""
    anomalous = 1.0 / (1.0 + np.exp(intercept + slope * np.asarray(values)))
    probabilities = []
    for k in range(len(values)):
        after = anomalous[k + 1] if k + 1 < len(values) else 0.0
        probabilities.append(np.prod(anomalous[: k + 1]) * (1.0 - after))
    return np.array(probabilities)


def sampled_posterior(components, slope, intercept, *, n_samples, n_draws, p_zero, upper, generator):
    """Samples of the contamination.

    `components` holds tuples of concentration, mean, covariance, mean precision and degrees of freedom, ordered.
    """
    concentrations = np.array([part[0] for part in components])
    samples = []
    while len(samples) < n_samples:
        values = [drawn_value(*part[1:], generator) for part in components]
        weights = generator.dirichlet(concentrations, size=n_draws)
        for k, probability in enumerate(first_probabilities(values, slope, intercept)):
            wanted = round(n_draws * probability)
            samples.extend(weights[generator.choice(n_draws, wanted), : k + 1].sum(axis=1))
    samples = np.array(samples)
    kept = samples[(samples > 0) & (samples < upper)]
    n_zero = round(p_zero * n_samples)
    return np.concatenate([np.zeros(n_zero), generator.choice(kept, n_samples - n_zero)])
