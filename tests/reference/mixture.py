"""Gaussian mixtures by definition, and the published posterior by sampling; slow, NumPy and SciPy only."""

import numpy as np
from scipy.special import expit
from scipy.stats import invwishart, multivariate_normal


def expected_moments(X, means, precisions, constants):
    """Responsibilities from the definition, and their moments."""
    log_density = np.array(
        [
            [constants[k] - 0.5 * (row - means[k]) @ precisions[k] @ (row - means[k]) for k in range(len(means))]
            for row in X
        ]
    )
    shares = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    entropy = -np.sum(shares * np.log(np.where(shares > 0, shares, 1.0)))
    return shares, shares.sum(axis=0), shares.T @ X, np.einsum("nk,ni,nj->kij", shares, X, X), entropy


def representative_moments(mean, scale, precision, dof, n_draws, random_state):
    """Mean and variance of the representative value, by SciPy's inverse Wishart."""
    values = []
    random = np.random.default_rng(random_state)
    for covariance in invwishart(dof, scale).rvs(n_draws, random_state=random):
        location = multivariate_normal(mean, covariance / precision).rvs(random_state=random)
        values.append(np.mean(location / (1 + np.sqrt(np.diag(covariance)))))
    return np.mean(values), np.var(values)


def ordered_link(draws, intercept, slope):
    """Probability that exactly the first k components are anomalous, term by term."""
    shares = [np.mean(expit(-(intercept + slope * row))) for row in draws]
    result = []
    for k in range(len(shares)):
        product = np.prod(shares[: k + 1])
        result.append(product * (1 - shares[k + 1]) if k + 1 < len(shares) else product)
    return np.array(result)


def sampled_posterior(probabilities, cumulative, p_zero, upper, n_draws, random):
    """The last stage as published: count out draws of the cumulative weights, zeros by force, large ones redrawn."""
    total = cumulative[-1]
    shares = []
    for probability, part in zip(probabilities, cumulative, strict=True):
        count = random.binomial(n_draws, min(probability, 1.0))
        shares.append(random.beta(part, total - part, count) if part < total else np.ones(count))
    positive = np.concatenate(shares)
    positive = positive[positive < upper]
    n_zero = round(p_zero * n_draws)
    return np.r_[np.zeros(n_zero), random.choice(positive, n_draws - n_zero)]
