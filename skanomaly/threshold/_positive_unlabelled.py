"""The fraction of anomalies from confirmed anomalies alone: positive and unlabelled rows."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold

from skanomaly._support._labels import read_labels
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._rows import take_rows
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import HasMethods, Interval

__all__ = ["DensityRatioFraction", "ElkanNotoFraction"]


class _PositiveUnlabelled(ParameterObject):
    """Base of estimators of the fraction of anomalies from a classifier of confirmed against other rows."""

    classifier: Any
    cv: int
    random_state: Any

    def estimate(self, X: Any, y: Any) -> float:
        """Estimate the fraction of anomalies among all rows, confirmed or not.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows as the classifier takes them: columns of a table, or scores of detectors.
        y : array-like of shape (n_samples,)
            -1 for confirmed anomalies, 0 or NaN for all other rows.

        Returns
        -------
        float
            Between the fraction of confirmed anomalies and 1.

        Raises
        ------
        ValueError
            If a row is labelled normal, or fewer than `cv` rows are confirmed anomalies or not labelled.
        """
        self._validate_params()
        if not hasattr(X, "iloc"):
            X = np.asarray(X)
        if X.ndim != 2:
            raise ValueError(f"X has shape {X.shape}; give a table, and scores of one detector as scores[:, None].")
        labels = read_labels(y, len(X), zero="unlabelled")
        confirmed = labels == -1
        if (labels == 1).any():
            raise ValueError(
                f"y labels {np.count_nonzero(labels == 1)} rows normal (+1); {type(self).__name__} uses confirmed "
                "anomalies alone. ContaminationPosterior.fit(X, y) uses both labels."
            )
        fewest = int(min(confirmed.sum(), (~confirmed).sum()))
        if fewest < self.cv:
            kind = "confirmed anomalies (-1)" if confirmed.sum() == fewest else "rows that are not labelled (0)"
            raise ValueError(f"y has {fewest} {kind}; cv={self.cv} folds need one each. Give more, or a smaller cv.")
        estimate = self._fraction(self._probabilities(X, confirmed), confirmed)
        return float(np.clip(estimate, confirmed.mean(), 1.0))

    def _probabilities(self, X: Any, confirmed: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the probability of being confirmed, each by a classifier that was not fitted to the row."""
        seed = draw_seed(self.random_state)
        classifier = self.classifier
        if classifier is None:
            classifier = RandomForestClassifier(min_samples_leaf=3, random_state=seed)
        found = np.empty(len(confirmed))
        for train, test in StratifiedKFold(self.cv, shuffle=True, random_state=seed).split(confirmed, confirmed):
            fitted = clone(classifier).fit(take_rows(X, train), confirmed[train])
            found[test] = np.asarray(fitted.predict_proba(take_rows(X, test)), dtype=np.float64)[:, 1]
        return found

    def _fraction(self, probabilities: NDArray[np.float64], confirmed: NDArray[np.bool_]) -> float:
        raise NotImplementedError


class ElkanNotoFraction(_PositiveUnlabelled):
    r"""Fraction of anomalies from confirmed anomalies, by the probability that an anomaly is confirmed.

    Parameters
    ----------
    classifier : classifier or None, default=None
        Distinguishes confirmed anomalies from all other rows, with calibrated ``predict_proba``; it is cloned. None is
        a random forest with at least three rows per leaf.
    cv : int, default=5
        Number of folds: each row's probability comes from a classifier that was not fitted to it.
    random_state : int, RandomState instance or None, default=None
        Seeds the folds and the default classifier.

    See Also
    --------
    DensityRatioFraction : Needs an order of the rows only, not calibrated probabilities.
    ContaminationPosterior : The fraction from checked rows, anomalies and normal rows.

    Notes
    -----
    If each anomaly is confirmed with the same probability :math:`c`, the probability :math:`g(x)` of being confirmed is
    :math:`c` times that of being an anomaly, and :math:`c` for rows that are certainly anomalies. So :math:`c` is
    estimated by the mean of :math:`g` over the confirmed anomalies, and the fraction of anomalies is the fraction of
    confirmed ones divided by :math:`c` (section 2, estimator e1 of [1]_). We cross-fit :math:`g`. Where anomalies are
    not separable from normal rows, :math:`c` is too small and the fraction too large. Where confirmed anomalies are not
    a random sample of all anomalies, for example the most anomalous ones, it is too small.

    References
    ----------
    .. [1] Elkan, C. and Noto, K. (2008). Learning classifiers from only positive and unlabeled data. KDD, 213-220.
       https://doi.org/10.1145/1401890.1401920

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.threshold import ElkanNotoFraction
    >>> random = np.random.default_rng(0)
    >>> X = np.r_[random.normal(size=(450, 2)), random.normal(6, 1, (50, 2))]
    >>> y = np.zeros(500)
    >>> y[random.choice(np.arange(450, 500), 20, replace=False)] = -1  # confirmed
    >>> 0.08 < ElkanNotoFraction(random_state=0).estimate(X, y) < 0.15
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "classifier": [HasMethods(["fit", "predict_proba"]), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, *, classifier: Any = None, cv: int = 5, random_state: Any = None) -> None:
        self.classifier = classifier
        self.cv = cv
        self.random_state = random_state

    def _fraction(self, probabilities: NDArray[np.float64], confirmed: NDArray[np.bool_]) -> float:
        constant = float(probabilities[confirmed].mean())
        return float(confirmed.mean() / constant) if constant > 0 else 1.0


class DensityRatioFraction(_PositiveUnlabelled):
    r"""Fraction of anomalies from confirmed anomalies, by the smallest ratio of densities.

    Parameters
    ----------
    classifier : classifier or None, default=None
        Orders rows by the probability of being a confirmed anomaly, with ``predict_proba``; it is cloned. None is a
        random forest with at least three rows per leaf.
    n_errors : float, default=1.0
        Standard errors by which each ratio is enlarged, because the smallest of many estimated ratios is too small. 0
        takes the ratios as they are.
    cv : int, default=5
        Number of folds: each row's probability comes from a classifier that was not fitted to it.
    random_state : int, RandomState instance or None, default=None
        Seeds the folds and the default classifier.

    See Also
    --------
    ElkanNotoFraction : Needs calibrated probabilities, and has no minimum of noisy ratios.
    ContaminationPosterior : The fraction from checked rows, anomalies and normal rows.

    Notes
    -----
    If confirmed anomalies are a random sample of all anomalies, any set of rows holds at least :math:`\gamma` times
    their fraction in the set among the other rows, so :math:`\gamma` is at most
    :math:`\min_t \hat U(g \ge t) / \hat P(g \ge t)` with the fractions of unlabelled rows and of confirmed anomalies
    whose probability :math:`g` is at least :math:`t` [1]_, with equality where some set holds anomalies alone. We
    take Wilson's bounds at `n_errors` standard errors, above the numerator and below the denominator, in place of the
    uniform bounds of [1]_, which say nothing for samples as small as these.

    References
    ----------
    .. [1] Blanchard, G., Lee, G. and Scott, C. (2010). Semi-supervised novelty detection. Journal of Machine Learning
       Research 11, 2973-3009. https://www.jmlr.org/papers/v11/blanchard10a.html

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.threshold import DensityRatioFraction
    >>> random = np.random.default_rng(0)
    >>> X = np.r_[random.normal(size=(450, 2)), random.normal(6, 1, (50, 2))]
    >>> y = np.zeros(500)
    >>> y[random.choice(np.arange(450, 500), 20, replace=False)] = -1  # confirmed
    >>> 0.08 < DensityRatioFraction(random_state=0).estimate(X, y) < 0.15
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "classifier": [HasMethods(["fit", "predict_proba"]), None],
        "n_errors": [Interval(Real, 0, None, closed="left")],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, *, classifier: Any = None, n_errors: float = 1.0, cv: int = 5, random_state: Any = None) -> None:
        self.classifier = classifier
        self.n_errors = n_errors
        self.cv = cv
        self.random_state = random_state

    def _fraction(self, probabilities: NDArray[np.float64], confirmed: NDArray[np.bool_]) -> float:
        n_confirmed = int(confirmed.sum())
        n_others = len(confirmed) - n_confirmed
        cuts = np.unique(probabilities[confirmed])
        ours = 1.0 - np.searchsorted(np.sort(probabilities[confirmed]), cuts) / n_confirmed
        others = 1.0 - np.searchsorted(np.sort(probabilities[~confirmed]), cuts) / n_others
        above = _score_bound(others, n_others, self.n_errors)
        below = _score_bound(ours, n_confirmed, -self.n_errors)
        ratio = float(np.min(above / below, initial=1.0))
        return (n_confirmed + ratio * n_others) / len(confirmed)


def _score_bound(fractions: NDArray[np.float64], n: int, n_errors: float) -> NDArray[np.float64]:
    """Return Wilson's bound of binomial fractions, below them where `n_errors` is negative."""
    squared = n_errors**2 / n
    spread = np.sqrt(fractions * (1.0 - fractions) / n + squared / (4.0 * n))
    return np.asarray((fractions + 0.5 * squared + n_errors * spread) / (1.0 + squared))
