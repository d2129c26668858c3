"""Scorers, ensembles and the search, on one table of 2,000 rows."""

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.datasets import make_shifted_anomalies
from skanomaly.model_selection import (
    DetectorSearch,
    ReusableHoldout,
    ScoreEnsemble,
    choice_uncertainty,
    get_scorer,
    get_scorer_names,
)


def table(n_samples=2000):
    return make_shifted_anomalies(n_samples=n_samples, n_features=10, contamination=0.05, random_state=0)


def detectors():
    return [
        IsolationForest(random_state=0),
        *(make_pipeline(StandardScaler(), LocalOutlierFactor(n_neighbors=k, novelty=True)) for k in (20, 60)),
    ]


class Scorers:
    params = (get_scorer_names(),)
    param_names = ("scorer",)
    timeout = 300

    def setup(self, name):
        self.X, self.y = table()
        self.detector = IsolationForest(n_estimators=50, random_state=0).fit(self.X)
        seed = {} if name in {*get_scorer_names(labels=True), "consensus"} else {"random_state": 0}
        self.scorer = get_scorer(name, **seed)

    def time_score(self, _):
        self.scorer(self.detector, self.X, self.y)


class Ensembles:
    params = (["rank", "top_ranks", "probability_integral", "robust_z"],)
    param_names = ("aggregation",)

    def setup(self, aggregation):
        self.X, self.y = table()
        self.ensemble = ScoreEnsemble(detectors(), aggregation=aggregation)
        self.fitted = ScoreEnsemble(detectors(), aggregation=aggregation).fit(self.X)
        self.parts = self.fitted.detectors_

    def time_fit(self, _):
        self.ensemble.fit(self.X)

    def time_score_samples(self, _):
        self.fitted.score_samples(self.X)

    def time_parts_alone(self, _):
        """Cost of the detectors alone, the lower limit."""
        for part in self.parts:
            part.score_samples(self.X)

    def peakmem_fit(self, _):
        self.ensemble.fit(self.X)


class Searches:
    params = (["roc_auc", "average_precision", "consensus", "stability"],)
    param_names = ("criterion",)
    timeout = 300

    def setup(self, criterion):
        self.X, self.y = table()
        self.search = DetectorSearch(detectors(), criterion=criterion, n_resamples=50, random_state=0)

    def time_fit(self, _):
        self.search.fit(self.X, self.y)


class Small:
    def setup(self):
        random = np.random.default_rng(0)
        self.y = np.repeat([-1, 1], [20, 500])
        self.scores = random.normal(size=(520, 14))
        self.values = random.uniform(size=(2, 10_000))

    def time_choice_uncertainty(self):
        choice_uncertainty(self.y, self.scores, n_resamples=100, random_state=0)

    def time_reusable_holdout_queries(self):
        ReusableHoldout(random_state=0).query_many(*self.values)
