"""Metrics: kernels of series beside one sort by scikit-learn, regions of masks, contaminations."""

import numpy as np
from scipy.stats import beta
from sklearn.metrics import roc_auc_score

from skanomaly import metrics


def _series(n_points):
    """Labels with an event of a hundred points in a thousand, and scores."""
    generator = np.random.default_rng(0)
    labels = np.where(np.arange(n_points) % 1000 < 100, -1, 1)
    return labels, generator.normal(size=n_points) + 0.5 * (labels == 1)


class SeriesScoreSuite:
    """Metrics of scores; `roc_auc` is scikit-learn's, the yardstick."""

    params = (("roc_auc", "vus_pr", "event_f1", "point_adjusted_f1", "pa_k_auc", "nab"), (20_000, 1_000_000))
    param_names = ("metric", "n_points")

    def setup(self, metric, n_points):
        self.labels, self.scores = _series(n_points)
        ours = getattr(metrics, f"{metric}_score")
        self.metric = roc_auc_score if metric == "roc_auc" else ours
        self.metric(*_series(2000))

    def time_score(self, *_):
        self.metric(self.labels, self.scores)

    def peakmem_score(self, *_):
        self.metric(self.labels, self.scores)


class VolumeSuite:
    """What the tolerance and many short events cost."""

    params = ((10, 100, 400), (100, 1, 3))
    param_names = ("window_size", "event_every")

    def setup(self, _, event_every):
        labels, self.scores = _series(100_000)
        self.labels = labels if event_every == 1 else np.where(np.arange(100_000) % event_every == 0, -1, 1)
        metrics.vus_pr_score(*_series(2000))

    def time_vus_pr(self, window_size, _):
        metrics.vus_pr_score(self.labels, self.scores, window_size=window_size)


class SeriesPredictionSuite:
    """Metrics of predictions, one threshold."""

    params = (("affiliation", "range"), (20_000, 1_000_000))
    param_names = ("metric", "n_points")

    def setup(self, metric, n_points):
        self.labels, scores = _series(n_points)
        self.predictions = np.where(scores < -1, -1, 1)
        self.metric = getattr(metrics, f"{metric}_precision_recall_fscore")
        self.metric(self.labels, self.predictions)

    def time_score(self, *_):
        self.metric(self.labels, self.predictions)


class RegionSuite:
    """Overlap by region of a volume."""

    def setup(self):
        generator = np.random.default_rng(0)
        self.mask = np.ones((100, 100, 100))
        for corner in generator.integers(90, size=(40, 3)):
            self.mask[tuple(slice(start, start + 8) for start in corner)] = -1
        self.scores = generator.normal(size=self.mask.shape) + 0.5 * self.mask

    def time_per_region_overlap(self):
        metrics.per_region_overlap_score(self.mask, self.scores)


class ContaminationSuite:
    """A hundred distributions against the truth."""

    def setup(self):
        generator = np.random.default_rng(0)
        self.truth = generator.random(100) * 0.2
        self.distributions = [beta(1 + 100 * fraction, 100) for fraction in self.truth]

    def time_crps(self):
        metrics.crps_score(self.truth, self.distributions)
