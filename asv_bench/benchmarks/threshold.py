"""Thresholds: posterior from scores, conformal p-values."""

import numpy as np
from sklearn.covariance import EllipticEnvelope

from skanomaly.threshold import ConformalDetector, ContaminationPosterior, GammaGMM, TwoGroup

METHODS = {"two_group": TwoGroup(), "gammagmm": GammaGMM(n_init=1, max_components=30)}


class PosteriorSuite:
    """Contamination posterior from scores of five detectors."""

    params = (tuple(METHODS), (300, 1800))
    param_names = ("method", "n_rows")

    def setup(self, method, n_rows):
        self.scores = -np.exp(0.4 * np.random.default_rng(0).normal(size=(n_rows, 5)))
        self.model = ContaminationPosterior(method=METHODS[method], random_state=0)
        self.model.fit_scores(self.scores[:100])

    def time_fit_scores(self, *_):
        self.model.fit_scores(self.scores)

    def peakmem_fit_scores(self, *_):
        self.model.fit_scores(self.scores)


class ConformalSuite:
    """p-values of ten thousand rows."""

    def setup(self):
        self.rows = np.random.default_rng(0).normal(size=(10000, 5))
        self.model = ConformalDetector(detector=EllipticEnvelope(support_fraction=1.0), random_state=0).fit(self.rows)

    def time_pvalues(self):
        self.model.pvalues(self.rows)
