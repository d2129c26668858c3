# ruff: noqa: ARG002, RUF012  # asv hands every method its parameters, and reads them off the class
"""The drift test, alone and compared with cleanlab's check of the same graph."""

from types import SimpleNamespace

import numpy as np
from sklearn.neighbors import kneighbors_graph

from skanomaly.audit import KNNChangePointTest, KNNDriftTest, KNNTwoSampleTest, MissingnessTest


class GivenGraph:
    """Ten neighbours of each row in three columns."""

    params = [10_000, 100_000]
    param_names = ["n_rows"]

    def setup(self, n_rows):
        self.graph = kneighbors_graph(np.random.default_rng(0).normal(size=(n_rows, 3)), 10, mode="distance")
        self.asymptotic = KNNDriftTest(metric="precomputed", random_state=0).fit(self.graph)
        self.permuted = KNNDriftTest(metric="precomputed", null="permutation", random_state=0).fit(self.graph)

    def time_asymptotic(self, n_rows):
        self.asymptotic.fit(self.graph)

    def peakmem_asymptotic(self, n_rows):
        self.asymptotic.fit(self.graph)

    def time_permutations(self, n_rows):
        self.permuted.fit(self.graph)

    def time_row_scores(self, n_rows):
        self.asymptotic.fit(self.graph).sample_scores_  # noqa: B018  # computed at first sight


class Cleanlab:
    """The peer on the same graph."""

    params = [10_000, 100_000]
    param_names = ["n_rows"]

    def setup(self, n_rows):
        try:
            from cleanlab.datalab.internal.issue_manager.noniid import NonIIDIssueManager
        except ImportError:
            raise NotImplementedError from None
        self.graph = kneighbors_graph(np.random.default_rng(0).normal(size=(n_rows, 3)), 10, mode="distance")
        self.check = NonIIDIssueManager(SimpleNamespace(get_info=lambda _: {}))

    def time_check(self, n_rows):
        self.check.find_issues(knn_graph=self.graph)

    def peakmem_check(self, n_rows):
        self.check.find_issues(knn_graph=self.graph)


class Rows:
    """Twenty columns, neighbours searched."""

    def setup(self):
        self.rows = np.random.default_rng(0).normal(size=(10_000, 20))
        KNNDriftTest(random_state=0).fit(self.rows[:500])

    def time_drift(self):
        KNNDriftTest(random_state=0).fit(self.rows)

    def time_drift_of_queries(self):
        KNNDriftTest(n_queries=1000, random_state=0).fit(self.rows)

    def time_change_points(self):
        KNNChangePointTest(random_state=0).fit(self.rows)

    def time_two_samples(self):
        KNNTwoSampleTest(random_state=0).fit(self.rows)

    def track_size(self):
        pvalues = [
            KNNDriftTest(random_state=run).fit(np.random.default_rng(run).integers(0, 5, (200, 1))).pvalue_
            for run in range(200)
        ]
        return float(np.mean(np.array(pvalues) <= 0.05))


class MissingValues:
    """5,000 rows of 20 columns, a fifth of the values missing."""

    def setup(self):
        random = np.random.default_rng(0)
        self.table = random.normal(size=(5000, 20)) @ random.normal(size=(20, 20))
        self.table[random.random(self.table.shape) < 0.2] = np.nan

    def time_fit(self):
        MissingnessTest(n_permutations=199, random_state=0).fit(self.table)
