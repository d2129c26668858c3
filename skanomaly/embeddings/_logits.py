"""How sure a classifier is, as a score of anomalies."""

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax
from sklearn.utils.validation import column_or_1d

from skanomaly._support._sklearn import Interval, StrOptions
from skanomaly.base import BaseDetector

__all__ = ["LogitDetector"]

_COLDEST, _HOTTEST = -5.0, 5.0  # of the logarithm of the temperature
_SMALLEST = 1e-12


class LogitDetector(BaseDetector):
    r"""Score the logits or probabilities of a classifier: unsure predictions are anomalous.

    Parameters
    ----------
    statistic : {"energy", "max_logit", "max_probability", "entropy"}, default="energy"
        "energy" is the logarithm of the sum of the exponentials of the logits, "max_logit" the largest of them. Both
        are low where the network answers weakly. "max_probability" and "entropy" are those of the softmax.
    source : {"logits", "probabilities"}, default="logits"
        What the columns hold. Probabilities are turned to their logarithms; "energy" is then the same for all rows, and
        raises an error.
    temperature : float or "calibrate", default=1.0
        Divides the logits; above 0. "calibrate" chooses it so that the softmax is most likely given the classes that
        `fit` gets, which should be of rows that the classifier was not trained on.
    contamination : float, default=0.1
        Fraction of the training rows that are flagged, in (0, 0.5].

    Attributes
    ----------
    temperature_ : float
    offset_ : float
        Threshold on ``score_samples``: rows with lower scores are anomalies.
    n_features_in_ : int
        Number of classes.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    skanomaly.detectors.GaussianDetector : Distances in the space of the logits or of the features, which were better on
        the embeddings we measured.

    Notes
    -----
    With logits :math:`z` and temperature :math:`T`, the scores are :math:`T \log \sum_k e^{z_k/T}` [3]_,
    :math:`\max_k z_k` [2]_, :math:`\max_k p_k` [1]_ with :math:`p = \operatorname{softmax}(z/T)`, and
    :math:`\sum_k p_k \log p_k`. The maximum probability is returned as its logarithm, which has the same order and does
    not saturate. The calibrated temperature is that of [4]_.

    Cost: O(n K).

    References
    ----------
    .. [1] Hendrycks, D. and Gimpel, K. (2017). "A baseline for detecting misclassified and out-of-distribution examples
       in neural networks". ICLR. arXiv:1610.02136.
    .. [2] Hendrycks, D. et al. (2022). "Scaling out-of-distribution detection for real-world settings". ICML.
       arXiv:1911.11132.
    .. [3] Liu, W., Wang, X., Owens, J. and Li, Y. (2020). "Energy-based out-of-distribution detection". NeurIPS.
       arXiv:2010.03759.
    .. [4] Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). "On calibration of modern neural networks". ICML.
       arXiv:1706.04599.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.metrics import roc_auc_score
    >>> from skanomaly.embeddings import LogitDetector
    >>> X, digits = load_digits(return_X_y=True)
    >>> known = digits < 5
    >>> classifier = LogisticRegression(max_iter=2000).fit(
    ...     X[known][::2] / 16, digits[known][::2]
    ... )
    >>> held_out = classifier.decision_function(X[known][1::2] / 16)
    >>> detector = LogitDetector().fit(held_out)
    >>> scores = detector.score_samples(classifier.decision_function(X / 16))
    >>> bool(roc_auc_score(known, scores) > 0.8)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseDetector._parameter_constraints,  # scikit-learn's name for a class's declaration
        "statistic": [StrOptions({"energy", "max_logit", "max_probability", "entropy"})],
        "source": [StrOptions({"logits", "probabilities"})],
        "temperature": [Interval(Real, 0, None, closed="neither"), StrOptions({"calibrate"})],
    }

    def __init__(
        self,
        *,
        statistic: str = "energy",
        source: str = "logits",
        temperature: float | str = 1.0,
        contamination: float = 0.1,
    ) -> None:
        self.statistic = statistic
        self.source = source
        self.temperature = temperature
        self.contamination = contamination

    def fit(self, X: Any, y: Any = None, *, classes: Any = None) -> Self:
        """Set the threshold, and the temperature where it is calibrated.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_classes)
            Logits or probabilities of rows that the classifier was not trained on.
        y : array-like of shape (n_samples,), default=None
            Not used, except that rows labelled -1 take no part in the calibration.
        classes : array-like of shape (n_samples,), default=None
            True class of each row, as the number of its column from 0. Needed for ``temperature="calibrate"`` alone.

        Returns
        -------
        self
            The fitted detector.
        """
        return self._run_fit(X, y, classes=classes)

    def _fit(self, X: NDArray[Any], y: NDArray[np.int8], **metadata: Any) -> None:
        if self.source == "probabilities" and self.statistic == "energy":
            raise ValueError("statistic='energy' needs logits; with source='probabilities' use 'max_probability'.")
        if not isinstance(self.temperature, str):
            self.temperature_ = float(self.temperature)
            return
        if metadata["classes"] is None:
            raise ValueError("temperature='calibrate' needs the classes of the rows: fit(X, classes=...).")
        classes = column_or_1d(metadata["classes"])
        if len(classes) != len(X):
            raise ValueError(f"classes has {len(classes)} entries and X has {len(X)} rows; the numbers differ.")
        if classes.dtype.kind not in "iu" or classes.min() < 0 or classes.max() >= X.shape[1]:
            raise ValueError(f"classes must hold the numbers of columns, from 0 to {X.shape[1] - 1}.")
        normal = y >= 0
        logits, places = self._logits(X)[normal], classes[normal]

        def loss(exponent: float) -> float:
            scaled = logits / np.exp(exponent)
            return float(np.mean(logsumexp(scaled, axis=1) - scaled[np.arange(len(scaled)), places]))

        found = minimize_scalar(loss, bounds=(_COLDEST, _HOTTEST), method="bounded")
        self.temperature_ = float(np.exp(found.x))

    def _logits(self, X: NDArray[Any]) -> NDArray[np.float64]:
        values = np.asarray(X, dtype=np.float64)
        if self.source == "logits":
            return values
        if (values < 0).any() or (values > 1 + 1e-6).any():
            raise ValueError("source='probabilities' needs values in [0, 1]. Use source='logits'.")
        return np.log(np.maximum(values, _SMALLEST))

    def _outlyingness(self, X: NDArray[Any]) -> NDArray[np.float64]:
        logits = self._logits(X)
        if self.statistic == "max_logit":
            return -logits.max(axis=1)
        scaled = logits / self.temperature_
        if self.statistic == "energy":
            return np.asarray(-self.temperature_ * logsumexp(scaled, axis=1))
        if self.statistic == "max_probability":
            return np.asarray(logsumexp(scaled, axis=1) - scaled.max(axis=1))
        probabilities = softmax(scaled, axis=1)
        return -np.sum(probabilities * np.log(np.maximum(probabilities, _SMALLEST)), axis=1)
