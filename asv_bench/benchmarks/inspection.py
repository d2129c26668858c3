"""Exact explanations compared with scoring, and explainers compared with each other and with KernelSHAP."""

import numpy as np
from sklearn.ensemble import IsolationForest

from skanomaly.detectors import GaussianDetector, NearestNeighborsDetector, RandomProjectionDepth
from skanomaly.inspection import (
    LimeExplainer,
    PermutationExplainer,
    counterfactual,
    discover_features,
    explanation_agreement,
    feature_contributions,
)

_DETECTORS = {
    "depth": RandomProjectionDepth(random_state=0),
    "gaussian": GaussianDetector(),
    "neighbors": NearestNeighborsDetector(),
}


def _rows(n_samples, n_features=30):
    return np.random.default_rng(0).normal(size=(n_samples, n_features))


class ExactSuite:
    """Contributions of ten thousand rows, compared with their scores."""

    params = tuple(_DETECTORS)
    param_names = ("detector",)

    def setup(self, detector):
        self.rows = _rows(10_000)
        self.detector = _DETECTORS[detector].fit(self.rows[:3000])
        feature_contributions(self.detector, self.rows[:10])

    def time_contributions(self, _):
        feature_contributions(self.detector, self.rows)

    def time_score_samples(self, _):
        self.detector.score_samples(self.rows)

    def peakmem_contributions(self, _):
        feature_contributions(self.detector, self.rows)


class ExplainerSuite:
    """Ten rows of thirty columns explained by scoring changed rows with an isolation forest."""

    params = ("permutation", "lime", "stratified_lime", "shap")
    param_names = ("method",)

    def setup(self, method):
        self.rows = _rows(1000)
        forest = self.forest = IsolationForest(n_estimators=50, random_state=0).fit(self.rows)
        if method == "shap":
            try:
                import shap
            except ImportError:
                raise NotImplementedError("shap is not installed") from None
            explainer = shap.KernelExplainer(forest.score_samples, self.rows[:32])
            self.explain = lambda X: explainer.shap_values(X, nsamples=1000, silent=True)
        else:
            self.explain = lambda X: feature_contributions(
                forest, X, method=method, background=self.rows, random_state=0
            )

    def time_explain(self, _):
        self.explain(self.rows[:10])

    def track_agreement(self, _):
        """Probability that the planted column ranks before another."""
        rows = _rows(20)
        planted = np.zeros(rows.shape, dtype=bool)
        planted[np.arange(20), np.arange(20) % 30] = True
        return float(explanation_agreement(self.explain(rows + 8 * planted), planted).auc.mean())


class SearchSuite:
    """Discovery and counterfactuals for ten rows of thirty columns."""

    def setup(self):
        self.rows = _rows(1000)
        self.detector = GaussianDetector(contamination=0.05).fit(self.rows)
        self.anomalies = self.rows[:10] + 6 * np.eye(30)[:10]

    def time_discover_features(self):
        discover_features(self.detector, self.anomalies, background=self.rows, random_state=0)

    def time_counterfactual(self):
        counterfactual(self.detector, self.anomalies, background=self.rows)

    def time_permutation_small_background(self):
        PermutationExplainer(background=self.rows, n_background=8, random_state=0).explain(
            self.detector, self.anomalies
        )

    def time_lime_few_copies(self):
        LimeExplainer(background=self.rows, n_samples=200, random_state=0).explain(self.detector, self.anomalies)
