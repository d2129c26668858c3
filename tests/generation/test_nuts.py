"""Samplers without gradients compared with NUTS of PyMC, on the same densities."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from skanomaly.generation import FollmerSampler, LogConcaveChainSampler

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # PyMC's and ArviZ's own

KINDS = ["draws", "ensemble", "chain"]
BEND, SPREAD = 0.5, 0.5


def _curved(rows):
    """Log density of a Gaussian column and one whose mean is a parabola in it."""
    return -0.5 * rows[:, 0] ** 2 - 0.5 * np.square((rows[:, 1] - BEND * rows[:, 0] ** 2) / SPREAD)


def _declare_curved(pymc):
    x = pymc.Flat("x", shape=2, initval=np.zeros(2))
    pymc.Potential("density", -0.5 * x[0] ** 2 - 0.5 * ((x[1] - BEND * x[0] ** 2) / SPREAD) ** 2)


def _modes(distance):
    """Log density of modes with weights .7 and .3 and standard deviation 1/2, so far apart."""

    def log_prob(rows):
        left, right = (np.square(rows - [side * distance / 2, 0.0]).sum(axis=1) for side in (-1, 1))
        return np.logaddexp(np.log(0.7) - 2 * left, np.log(0.3) - 2 * right)

    return log_prob


def _declare_modes(distance):
    def declare(pymc):
        modes = [
            pymc.MvNormal.dist(mu=np.array([side * distance / 2, 0.0]), cov=0.25 * np.eye(2)) for side in (-1.0, 1.0)
        ]
        pymc.Mixture("x", w=[0.7, 0.3], comp_dists=modes)

    return declare


def _nuts(declare):
    """Draws of two chains, of shape (2, 500, 2); every fourth, so that they are nearly independent."""
    pymc = pytest.importorskip("pymc", reason="PyMC is not installed (extra bayes)")
    with pymc.Model():
        declare(pymc)
        found = pymc.sample(
            draws=2000, tune=1000, chains=2, cores=1, random_seed=0, progressbar=False, target_accept=0.95
        )
    return found.posterior["x"].to_numpy()[:, ::4]


@pytest.fixture(scope="module", params=["curved", "modes"])
def mixing(request):
    """A density that the chains of NUTS cross, and their draws."""
    if request.param == "curved":
        return _curved, _nuts(_declare_curved)
    return _modes(2.0), _nuts(_declare_modes(2.0))


@pytest.fixture(scope="module")
def separate():
    """Draws of NUTS from two modes twelve standard deviations apart."""
    return _nuts(_declare_modes(6.0))


def _drawn(kind, log_prob, n_samples=600):
    if kind == "chain":
        options = {"n_measurements": 12, "n_inner": 15, "n_draws": 60, "final": "sample"}
        return LogConcaveChainSampler(log_prob, n_features=2, random_state=0, **options).sample(n_samples)
    n_draws = "ensemble" if kind == "ensemble" else 100
    return FollmerSampler(log_prob, n_features=2, n_draws=n_draws, random_state=0).sample(n_samples)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_have_the_distribution_of_nuts_where_its_chains_mix(mixing, kind):
    log_prob, draws = mixing
    ours, theirs = _drawn(kind, log_prob), draws.reshape(-1, 2)
    pvalues = [ks_2samp(ours @ side, theirs @ side).pvalue for side in ([1, 0], [0, 1], [0.7, 0.7], [0.7, -0.7])]
    assert min(pvalues) > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_separate_modes_keep_their_weights_where_a_chain_of_nuts_stays_in_one(separate, kind):
    each_chain = (separate[:, :, 0] < 0).mean(axis=1)
    assert set(each_chain) <= {0.0, 1.0}
    assert abs(np.mean(_drawn(kind, _modes(6.0))[:, 0] < 0) - 0.7) < 4.5 * np.sqrt(0.21 / 600)
