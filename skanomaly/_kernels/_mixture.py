"""Gaussian mixtures: variational moments, draws of component parameters, ordered links."""

import math

import numpy as np

from skanomaly._kernels._jit import allocating_kernel, inner_kernel, kernel

__all__ = [
    "expected_moments",
    "ordered_link",
    "representative_draws",
    "responsibilities",
]


@inner_kernel
def _row_log_densities(row, means, factors, constants, partial, out):
    """Fill out[k] with constants[k] - |factors[:, :, k] (row - means[:, k])|^2 / 2; components last, for vectors."""
    n_features = means.shape[0]
    n_components = means.shape[1]
    for component in range(n_components):
        out[component] = constants[component]
    for feature in range(n_features):
        for component in range(n_components):
            partial[component] = 0.0
        for other in range(feature + 1):
            value = row[other]
            for component in range(n_components):
                partial[component] += factors[feature, other, component] * (value - means[other, component])
        for component in range(n_components):
            out[component] -= 0.5 * partial[component] * partial[component]


@allocating_kernel
def expected_moments(X, means, factors, constants, counts, sums, scatters):
    """Take the expectation step of a Gaussian mixture, fused with the sums that the maximisation step needs.

    Responsibilities below 1e-12 of a row's largest are dropped; they are never stored.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        C-contiguous, finite.
    means : ndarray of shape (n_features, n_components)
    factors : ndarray of shape (n_features, n_features, n_components)
        Lower triangular L with L^T L the precision of the component: ``factors[f, o, k]`` is 0 for o > f.
    constants : ndarray of shape (n_components,)
        Log weight plus log normaliser.
    counts : ndarray of shape (n_components,)
        Overwritten with the sums of responsibilities.
    sums : ndarray of shape (n_components, n_features)
        Overwritten with the weighted sums of rows.
    scatters : ndarray of shape (n_components, n_features, n_features)
        Overwritten with the weighted sums of outer products (lower triangle).

    Returns
    -------
    float
        Sum of -r log r over all responsibilities r.

    Notes
    -----
    Cost O(n_rows * n_components * n_features^2), memory O(n_components).
    """
    n_rows, n_features = X.shape
    n_components = means.shape[1]
    counts[:] = 0.0
    sums[:] = 0.0
    scatters[:] = 0.0
    log_density = np.empty(n_components)
    partial = np.empty(n_components)
    entropy = 0.0
    for index in range(n_rows):
        row = X[index]
        _row_log_densities(row, means, factors, constants, partial, log_density)
        largest = -np.inf
        for component in range(n_components):
            if log_density[component] > largest:
                largest = log_density[component]
        total = 0.0
        for component in range(n_components):
            if log_density[component] > largest - 27.7:
                total += math.exp(log_density[component] - largest)
        log_total = math.log(total) + largest
        for component in range(n_components):
            if log_density[component] > largest - 27.7:
                log_share = log_density[component] - log_total
                fraction = math.exp(log_share)
                entropy -= fraction * log_share
                counts[component] += fraction
                for feature in range(n_features):
                    weighted = fraction * row[feature]
                    sums[component, feature] += weighted
                    for other in range(feature + 1):
                        scatters[component, feature, other] += weighted * row[other]
    return entropy


@allocating_kernel
def responsibilities(X, means, factors, constants, out):
    """Weight of each component in each row; arguments as in :func:`expected_moments`; `out` (n_rows, n_components)."""
    partial = np.empty(out.shape[1])
    for index in range(X.shape[0]):
        _row_log_densities(X[index], means, factors, constants, partial, out[index])
        largest = out[index, 0]
        for component in range(1, out.shape[1]):
            if out[index, component] > largest:
                largest = out[index, component]
        total = 0.0
        for component in range(out.shape[1]):
            out[index, component] = math.exp(out[index, component] - largest)
            total += out[index, component]
        for component in range(out.shape[1]):
            out[index, component] /= total


@allocating_kernel
def representative_draws(means, roots, mean_precisions, dofs, generator, out):
    r"""Draw representative values of components from their normal-inverse-Wishart posteriors.

    The value of a component with mean m and covariance S is ``mean_f m_f / (1 + sqrt(S_ff))``: section 3.2 of
    "Estimating the Contamination Factor's Distribution in Unsupervised Anomaly Detection". A precision is drawn by
    Bartlett's decomposition, a mean given the covariance.

    Parameters
    ----------
    means : ndarray of shape (n_components, n_features)
    roots : ndarray of shape (n_components, n_features, n_features)
        Lower triangular R with R R^T the scale matrix of the inverse Wishart (degrees of freedom times covariance).
    mean_precisions, dofs : ndarray of shape (n_components,)
    generator : numpy.random.Generator
    out : ndarray of shape (n_components, n_draws)
        Overwritten.

    Notes
    -----
    With A lower triangular, A_ff^2 chi-square with dof - f degrees (f from 0) and standard normals below, A A^T is
    Wishart; the covariance is R A^{-T} A^{-1} R^T. Cost O(n_draws * n_components * n_features^3).
    """
    n_components, n_features = means.shape
    bartlett = np.zeros((n_features, n_features))
    root = np.empty((n_features, n_features))
    normal = np.empty(n_features)
    for component in range(n_components):
        for draw in range(out.shape[1]):
            for feature in range(n_features):
                bartlett[feature, feature] = math.sqrt(generator.chisquare(dofs[component] - feature))
                normal[feature] = generator.standard_normal()
                for other in range(feature):
                    bartlett[feature, other] = generator.standard_normal()
            # root = R A^{-T}: solve root A^T = R, row by row, forwards.
            value = 0.0
            for feature in range(n_features):
                variance = 0.0
                shift = 0.0
                for column in range(n_features):
                    total = roots[component, feature, column]
                    for other in range(column):
                        total -= root[feature, other] * bartlett[column, other]
                    root[feature, column] = total / bartlett[column, column]
                    variance += root[feature, column] * root[feature, column]
                    shift += root[feature, column] * normal[column]
                location = means[component, feature] + shift / math.sqrt(mean_precisions[component])
                value += location / (1.0 + math.sqrt(variance))
            out[component, draw] = value / n_features


@inner_kernel
def _mean_logistic(values, intercept, slope):
    """Mean over values of 1 / (1 + exp(intercept + slope * value)), and minus its derivative in the intercept."""
    total = 0.0
    derivative = 0.0
    for index in range(values.size):
        argument = intercept + slope * values[index]
        if argument > 700.0:
            argument = 700.0
        fraction = 1.0 / (1.0 + math.exp(argument))
        total += fraction
        derivative += fraction * (1.0 - fraction)
    return total / values.size, derivative / values.size


@kernel
def ordered_link(draws, slope, p_zero, out):
    """Probability that exactly the first k components are anomalous, for a slope, with P(none) held at `p_zero`.

    Component k is anomalous, given that the ones before it are, with probability ``s_k``, the mean over its draws of
    ``1 / (1 + exp(intercept + slope * r))``. The intercept is the root of ``1 - s_1 = p_zero``, by Newton's method
    inside a bracket.

    Parameters
    ----------
    draws : ndarray of shape (n_components, n_draws)
        Representative values, components in descending order of their mean.
    slope : float
        Negative.
    p_zero : float
        In (0, 1).
    out : ndarray of shape (n_components,)
        Overwritten with ``prod_{j <= k} s_j * (1 - s_{k+1})``, the last without the second factor.

    Returns
    -------
    float
        The intercept.
    """
    target = 1.0 - p_zero
    logit = math.log(p_zero) - math.log(1.0 - p_zero)
    lowest = draws[0, 0]
    highest = draws[0, 0]
    for index in range(draws.shape[1]):
        lowest = min(lowest, draws[0, index])
        highest = max(highest, draws[0, index])
    low = logit - slope * lowest
    high = logit - slope * highest
    intercept = 0.5 * (low + high)
    steps = 0
    while steps < 200 and high - low > 1e-15 * (1.0 + abs(high)):
        steps += 1
        fraction, derivative = _mean_logistic(draws[0], intercept, slope)
        if abs(fraction - target) < 1e-14 * target:
            break
        if fraction > target:
            low = intercept
        else:
            high = intercept
        step = intercept + (fraction - target) / derivative if derivative > 0.0 else high
        intercept = step if low < step < high else 0.5 * (low + high)
    reached = 1.0 - p_zero
    out[:] = 0.0
    last = draws.shape[0] - 1
    for component in range(last):
        fraction, _ = _mean_logistic(draws[component + 1], intercept, slope)
        out[component] = reached * (1.0 - fraction)
        reached *= fraction
        if reached < 1e-16:
            return intercept
    out[last] = reached
    return intercept
