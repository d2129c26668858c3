"""A small program as a user would write it, for the type checker: what it takes for granted must stay true."""

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skanomaly.audit import KNNDriftTest
from skanomaly.datasets import load_breast_cancer_anomalies
from skanomaly.detectors import RandomProjectionDepth
from skanomaly.inspection import feature_contributions
from skanomaly.metrics import average_precision_score
from skanomaly.model_selection import ScoreEnsemble, StratifiedAnomalyKFold
from skanomaly.sampling import SMOTE
from skanomaly.threshold import ContaminationPosterior


def oddest(X: NDArray[np.float64], n_rows: int = 3) -> NDArray[np.intp]:
    """Return the oddest rows."""
    detector = RandomProjectionDepth(random_state=0).fit(X)
    scores: NDArray[np.float64] = detector.score_samples(X)
    return np.argsort(scores)[:n_rows]


def main() -> tuple[object, ...]:
    """Walk from a table to a decision, and return what was found."""
    X, y = load_breast_cancer_anomalies(return_X_y=True)
    drift = KNNDriftTest(random_state=0).fit(X)
    pvalue: float = drift.pvalue_
    share: float = ContaminationPosterior(random_state=0).fit(X).contamination_
    pipeline = make_pipeline(StandardScaler(), RandomProjectionDepth(contamination=max(share, 0.01))).fit(X)
    quality: float = average_precision_score(y, pipeline.score_samples(X))
    ensemble = ScoreEnsemble(random_state=0).fit(X)
    reasons: NDArray[np.float64] = feature_contributions(pipeline, X[oddest(X)])
    X_more, y_more = SMOTE(random_state=0).fit_resample(X, y)
    folds = list(StratifiedAnomalyKFold(n_splits=2).split(X, y))
    return (pvalue, quality, reasons.shape, len(X_more) - len(y_more), len(folds), ensemble.predict(X[:1]))
