"""For each public class that scores rows outside the detectors' base: rows of which some must score lower.

A case is a function of an unfitted object and a generator. It fits the object, and returns scores of anomalous rows and
of normal rows.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression

from skanomaly import audit, generation, robust, sampling
from skanomaly.detectors import NearestNeighborsDetector


def _labelled(test, random):
    """Labelled anomalies, compared with normal rows."""
    X = np.vstack([random.normal(size=(200, 3)), random.normal([4, 0, 0], 0.5, size=(30, 3))])
    scores = test.fit(X, np.repeat([1, -1], [200, 30])).score_samples(X)
    return scores[200:], scores[:200]


def _implausible(sampler, random):
    """Rows far from the class that was grown, compared with its rows."""
    X = np.vstack([random.normal(size=(120, 3)), random.normal([3, 0, 0], 0.7, size=(30, 3))])
    scorer = sampler.fit(X, np.repeat([0, 1], [120, 30]))
    return scorer.score_samples(random.normal(0, 40, size=(30, 3))), scorer.score_samples(X[120:])


def _unknown_categories(sampler, random):
    X = np.vstack([random.integers(0, 3, size=(120, 3)), random.integers(2, 4, size=(30, 3))]).astype(float)
    scorer = sampler.fit(X, np.repeat([0, 1], [120, 30]))
    return scorer.score_samples(np.full((5, 3), 9.0)), scorer.score_samples(X[120:])


def _far_from_rare_targets(sampler, random):
    X = np.vstack([random.normal(size=(200, 2)), random.normal([6, 0], 0.5, size=(20, 2))])
    y = np.concatenate([random.normal(0, 1, 200), random.normal(15, 1, 20)])
    scorer = sampler.fit(X, y)
    return scorer.score_samples(random.normal(0, 40, size=(20, 2))), scorer.score_samples(X[200:])


def _far(novelty, random):
    X = random.normal(size=(300, 3))
    novelty.fit(X)
    return novelty.score_samples(random.normal(0, 1, size=(20, 3)) + 8.0), novelty.score_samples(X)


def _outliers(classifier, random):
    X = np.vstack(
        [random.normal([x, 0], 1.0, size=(60, 2)) for x in (-5, 5)] + [random.normal([0, 9], 1, size=(30, 2))]
    )
    scores = classifier.fit(X, np.repeat([0, 1, -1], [60, 60, 30])).score_samples(X)
    return scores[120:], scores[:120]


def _wrong_labels(classifier, random):
    X = np.vstack([random.normal(-2, 1, size=(100, 2)), random.normal(2, 1, size=(100, 2))])
    y = np.repeat([0, 1], 100)
    given = y.copy()
    given[::20] = 1 - y[::20]
    scores = classifier.fit(X, y).score_samples(X, given)
    return scores[::20], np.delete(scores, np.arange(0, 200, 20))


def _wrong_targets(regressor, random):
    X = random.normal(size=(200, 2))
    y = X[:, 0] + 0.1 * random.normal(size=200)
    given = y.copy()
    given[::20] += 8.0
    scores = regressor.fit(X, y).score_samples(X, given)
    return scores[::20], np.delete(scores, np.arange(0, 200, 20))


def _second_sample(test, random):
    """Rows of a shifted second half, compared with those of the first."""
    X = random.normal(size=(200, 3))
    X[100:] += 4.0
    scores = test.fit(X).score_samples(X)
    return scores[100:], scores[:100]


def _batch(test, random):
    """Twelve rows of another distribution that follow each other, compared with the other rows."""
    X = random.normal(size=(300, 3))
    X[200:212] = random.normal(9, 0.5, size=(12, 3))
    scores = test.fit(X).score_samples(X)
    return scores[200:212], np.delete(scores, np.arange(200, 212))


def _in_window(test, random):
    """Rows of another distribution in the window, compared with the rows beside it."""
    X = random.normal(size=(300, 3))
    X[140:160] = random.normal(4, 0.5, size=(20, 3))
    scores = test.fit(X).score_samples(X)
    return scores[140:160], np.delete(scores, np.arange(140, 160))


def _common_factor(test, random):
    """Rows that move all columns together, compared with rows that do not."""
    X = random.normal(size=(300, 3))
    X[:20] += random.choice([-1, 1], size=(20, 1)) * 5
    scores = test.fit(X).score_samples(X)
    return scores[:20], scores[20:]


def _other_dependence(test, random):
    """Rows whose first column falls with the others, compared with rows in which it rises."""
    X = random.normal(size=(300, 1)) + 0.3 * random.normal(size=(300, 3))
    X[150:, 0] *= -1
    scores = test.fit(X).score_samples(X)
    return scores[150:], scores[:150]


def _missing_by_value(test, random):
    """Rows that lack a value because another is large, compared with complete rows that are not extreme."""
    X = random.normal(size=(300, 3))
    large = X[:, 2] > 1
    X[large, 0] = np.nan
    scores = test.fit(X).score_samples(X)
    return scores[large], scores[np.abs(X[:, 2]) < 1]


_GROWN = (
    sampling.ADASYN,
    sampling.BorderlineSMOTE,
    sampling.ElasticSMOTE,
    sampling.KMeansSMOTE,
    sampling.MinoritySampler,
    sampling.SMOTE,
    sampling.SMOTENC,
    sampling.SVMSMOTE,
)
PLANTED = {
    **dict.fromkeys(_GROWN, _implausible),
    audit.CensoredTwoSampleTest: _second_sample,
    audit.ColumnDriftTest: _second_sample,
    audit.CorrelatorTest: _other_dependence,
    audit.CovarianceSpectrumTest: _common_factor,
    audit.DomainClassifierTest: _second_sample,
    audit.EnergyTest: _second_sample,
    audit.KernelTest: _second_sample,
    audit.KNNChangePointTest: _batch,
    audit.KNNDriftMonitor: _far,
    audit.KNNDriftTest: _batch,
    audit.KNNTwoSampleTest: _batch,
    audit.MissingnessTest: _missing_by_value,
    audit.NPLMTest: _second_sample,
    audit.WindowExcessSearch: _in_window,
    generation.MixtureDenoiser: _far,
    generation.NoiseAwareMixture: _far,
    generation.ProtectedScorer: _far,
    robust.MaskedEstimator: _wrong_labels,
    robust.ZErrorClassifier: _wrong_labels,
    robust.ZErrorRegressor: _wrong_targets,
    sampling.EAPSampler: _labelled,
    sampling.ExpectedAnomalyPosterior: _labelled,
    sampling.OutlierExposureClassifier: _outliers,
    sampling.RandomDistillationNovelty: _far,
    sampling.RegressionSMOTE: _far_from_rare_targets,
    sampling.ResampledEstimator: _labelled,
    sampling.SMOTEN: _unknown_categories,
}
ARGUMENTS = {
    generation.ProtectedScorer: {"estimator": NearestNeighborsDetector()},
    robust.MaskedEstimator: {"estimator": LogisticRegression()},
    sampling.ResampledEstimator: {"estimator": NearestNeighborsDetector(n_neighbors=40)},
    sampling.SMOTENC: {"categorical_features": [2]},
}


def build(cls):
    """Build an object of a class, with a fixed seed where it has one."""
    made = cls(**ARGUMENTS.get(cls, {}))
    return made.set_params(random_state=0) if "random_state" in made.get_params(deep=False) else made
