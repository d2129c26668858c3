"""Regressions without a wrong target whose targets are far from normal, on which no rule of the mask was chosen."""

import numpy as np


def tables(seed):
    """Return columns and targets by name; every table has its own numbers of rows and columns."""
    random = np.random.default_rng(seed)

    def columns(n_rows, n_columns):
        return random.normal(size=(n_rows, n_columns))

    made = {}
    X = columns(500, 8)
    mean = np.exp(0.4 * X[:, 0] + 0.3 * X[:, 1])
    made["negative binomial"] = X, random.negative_binomial(2, 2 / (2 + mean)).astype(float)
    X = random.uniform(-1, 1, size=(900, 4))
    made["gamma"] = X, random.gamma(1.5, np.exp(X[:, 0] - X[:, 1]))
    X = columns(800, 6)
    sums = random.gamma(2.0 * random.poisson(np.exp(0.3 * X[:, 0])) + 1e-12, np.exp(0.3 * X[:, 1]))
    made["Tweedie"] = X, np.where(sums < 1e-6, 0.0, sums)
    X = columns(400, 5)
    part = 1 / (1 + np.exp(-X[:, 0]))
    made["shares"] = X, np.where(random.random(400) < 0.15, 0.0, random.beta(4 * part, 4 * (1 - part)))
    X = columns(1200, 15)
    X[:, 5:10] = random.integers(0, 4, size=(1200, 5))
    logs = 0.5 * X[:, 0] + 0.2 * X[:, 5] - 0.3 * X[:, 6] + 0.4 * random.normal(size=1200)
    made["prices"] = X, np.round(100 * np.exp(logs), -1)
    X = columns(250, 3)
    made["Student 4"] = X, X[:, 0] ** 2 + X[:, 1] + 0.5 * random.standard_t(4, size=250)
    X = columns(700, 5)
    made["durations"] = X, random.weibull(0.7, 700) * np.exp(0.4 * X[:, 0])
    X = columns(600, 5)
    made["two regimes"] = X, np.where(X[:, 4] > 0.8, 4 * X[:, 0], -X[:, 0]) + 0.3 * random.normal(size=600)
    return made


def planted(y, how, fraction, seed):
    """Return targets of which a fraction is wrong, and which are."""
    random = np.random.default_rng(seed)
    wrong = random.random(y.size) < fraction
    errors = {
        "shift 20": 20.0,
        "either side 10": 10.0 * random.choice([-1, 1], size=y.size),
        "shift 5": 5.0,
        "spread 6": 6.0 * random.normal(size=y.size),
    }
    return y + wrong * errors[how], wrong
