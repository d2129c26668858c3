"""Detectors like those of other libraries, for the tests of model_selection."""

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin


class PyODLike(BaseEstimator):
    """Distance from the mean, as in PyOD: higher is more anomalous, 1 is an outlier."""

    def __init__(self, contamination=0.1):
        self.contamination = contamination

    def fit(self, X, y=None):
        self.center_ = np.mean(X, axis=0)
        self.decision_scores_ = self.decision_function(X)
        self.threshold_ = np.quantile(self.decision_scores_, 1 - self.contamination)
        return self

    def decision_function(self, X):
        return np.linalg.norm(np.asarray(X) - self.center_, axis=1)

    def predict(self, X):
        return (self.decision_function(X) > self.threshold_).astype(int)


class BothSigns(PyODLike):
    """Has the attributes of both conventions."""

    def score_samples(self, X):
        return -self.decision_function(X)


class Column(BaseEstimator):
    """The score is minus one column; ``fit`` counts the rows."""

    def __init__(self, column=0, power=1.0, constant=False):
        self.column = column
        self.power = power
        self.constant = constant

    def fit(self, X, y=None):
        self.n_fitted_ = len(X)
        return self

    def score_samples(self, X):
        scores = -(np.asarray(X)[:, self.column] ** self.power)
        return np.zeros(len(scores)) if self.constant else scores

    def predict(self, X):
        return np.where(self.score_samples(X) < 0, -1, 1)


class Tagged(OutlierMixin, Column):
    """Has scikit-learn's tag and a decision function, but no score_samples."""

    score_samples = None

    def __init__(self, column=0):
        self.column = column

    def __getattribute__(self, name):
        if name == "score_samples":
            raise AttributeError(name)
        return super().__getattribute__(name)

    def decision_function(self, X):
        return 1.0 - np.asarray(X)[:, self.column]


class Nameless(BaseEstimator):
    """Scores in no known convention."""

    def fit(self, X, y=None):
        return self

    def decision_function(self, X):
        return np.zeros(len(X))

    def predict(self, X):
        return np.full(len(X), 7)
