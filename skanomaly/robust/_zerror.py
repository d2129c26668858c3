"""Linear models and neural networks that drop rows with large errors from each mini-batch."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import roc_curve

from skanomaly._support._labels import require_two_classes
from skanomaly._support._restore import restore_on_error
from skanomaly._support._sklearn import StrOptions, fit_context
from skanomaly.robust._mask import ZErrorMask
from skanomaly.robust._training import median_and_mad
from skanomaly.robust._zerror_base import ZErrorEstimator, targets_like

__all__ = ["ZErrorClassifier", "ZErrorRegressor"]

_FARTHEST_TARGET = 1e3  # median absolute deviations from the median
_LARGEST_ERROR = 1e100  # whose square is finite


class ZErrorRegressor(RegressorMixin, ZErrorEstimator):
    """Robust regression that drops the rows with large standardised errors from each mini-batch.

    A linear model (the default) or a neural network with rectified linear units, trained by Adam on standardised
    columns. The default mask tolerates 30 % of one-sided outliers. After `fit`, `mask_frequency_` is how often
    each row was dropped.

    Parameters
    ----------
    masking : ZErrorMask, default=None
        The mask, which decides which rows are dropped; None is ``ZErrorMask()``. Nested names such as
        ``masking__threshold`` work in either case.
    hidden_layer_sizes : tuple of int or int, default=()
        Number of units of each hidden layer; ``()`` is the linear model.
    ridge : float, default=0.0001
        Ridge penalty ``ridge / 2 * |w|**2`` on the weights for standardised columns.
    batch_size : int or "auto", default="auto"
        Number of rows in a batch; ``"auto"`` is an eighth of the rows, between 64 and 256. All batches have nearly the
        same size.
    learning_rate_init : float, default=None
        Step size of Adam; constant for the first half of the epochs, then decreasing linearly to 0. None is 0.05 for
        the linear model and 0.005 for a network.
    max_iter : int, default=100
        Number of epochs, over which the schedule of the mask also extends.
    early_stopping : bool, default=False
        Whether to hold out a tenth of the rows, stop when their masked loss has not fallen for 10 epochs, and use the
        parameters of the best epoch.
    verbose : bool or int, default=False
        Whether to print the loss and the fraction of masked rows after each epoch.
    random_state : int, RandomState instance or None, default=None
        Controls the order of the rows, the initial weights of a network, and the held-out rows.

    Attributes
    ----------
    mask_frequency_ : ndarray of shape (n_samples,)
        Fraction of the epochs with masking in which the row was dropped. After ``partial_fit`` it is indexed by
        `sample_indices`; if those were not given, it has the rows of the last chunk only.
    mask_count_, seen_count_ : ndarray of shape (n_samples,)
        Number of epochs with masking in which the row was dropped, and number in which it was used or dropped.
    inlier_mask_ : ndarray of shape (n_samples,)
        Whether the final standardised error of the row is at most the threshold, which is raised for long tails.
    mask_rate_curve_, threshold_curve_, loss_curve_ : ndarray of shape (`n_iter_`,)
        Fraction of rows dropped, threshold (infinite during the warm-up), and mean loss of the rows kept, by epoch. The
        loss is half the squared error of the target divided by 1.4826 times its MAD.
    coefs_, intercepts_ : list of ndarray
        Weights and biases of each layer, for columns and targets in their original units.
    coef_ : ndarray of shape (n_features,)
        Coefficients of the linear model; only without hidden layers.
    intercept_ : float
        Intercept of the linear model; only without hidden layers.
    n_iter_ : int
        Number of epochs run.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    ZErrorClassifier : The same for classification.
    MaskedEstimator : Trains any other estimator with the same mask.
    SampleCurator : Decides for each row whether to drop it.
    sklearn.linear_model.HuberRegressor : Bounds the influence of errors; not robust to 30 % of one-sided outliers.

    Notes
    -----
    Z-Error Loss (Godin 2025) for regression: rows with ``|e - centre| > threshold * scale`` within their batch are
    ignored. Our version differs in four ways. It uses median and MAD, which break down at half of the
    batch; with mean and standard deviation, as in the paper, nothing is masked if there are 10 % of equal outliers or
    more (20 % at a threshold of 2). It keeps at least the fraction `min_keep` of each batch. It standardises columns
    and targets, so that results do not depend on units. It masks 2 % of errors that have a long tail; every 8 epochs
    the errors of all rows say whether they have one (see :class:`ZErrorMask`), and a random forest whether the columns
    predict them.

    If all outliers are on one side and far away (20 standard deviations of the noise or more), the fit was about as
    good as without them in each of 15 random data sets with up to 30 % outliers among 500 rows, and up to 38 % among
    2,000. Outliers only 6 standard deviations away bias the fit at 25 % already.

    An integer weight is equivalent to repeating the row if one batch has all rows. With several batches this holds only
    in expectation, since repeated rows fall into different batches.

    References
    ----------
    .. [1] Godin, G. (2025). Z-Error Loss for Training Neural Networks. arXiv:2506.02154.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.robust import ZErrorRegressor
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(1000, 3))
    >>> y = X @ [1.0, -2.0, 0.5] + 0.1 * random.normal(size=1000)
    >>> y[:300] += 10  # 30 % of the targets are wrong, all in the same direction
    >>> model = ZErrorRegressor(random_state=0).fit(X, y)
    >>> bool(np.abs(model.coef_ - [1.0, -2.0, 0.5]).max() < 0.02)
    True
    >>> bool(model.mask_frequency_[:300].min() > model.mask_frequency_[300:].mean())
    True
    """

    _classifier = False
    _for_classes: ClassVar[str] = "ZErrorClassifier"

    def __init__(
        self,
        *,
        masking: ZErrorMask | None = None,
        hidden_layer_sizes: tuple[int, ...] | int = (),
        ridge: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: float | None = None,
        max_iter: int = 100,
        early_stopping: bool = False,
        verbose: bool | int = False,
        random_state: Any = None,
    ) -> None:
        self.masking = masking
        self.hidden_layer_sizes = hidden_layer_sizes
        self.ridge = ridge
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, sample_indices: Any = None) -> Self:
        """Run one epoch over a chunk of rows.

        The first chunk also sets the standardisation. The learning rate is divided by the square root of
        ``1 + n_iter_ / 10``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
        sample_indices : array-like of int of shape (n_samples,), default=None
            Indices of these rows in the whole data set, so that mask frequencies accumulate over chunks.

        Returns
        -------
        self
        """
        with restore_on_error(self, X):
            return self._advance(X, y, sample_weight, sample_indices, first=not hasattr(self, "_training"))

    def _encode(self, y: NDArray[Any], weights: NDArray[np.float64] | None, *, first: bool) -> NDArray[Any]:
        y = y.astype(np.float64)
        if first:
            self._target_center, self._target_scale = median_and_mad(y, weights)
        with np.errstate(over="ignore"):
            return ((y - self._target_center) / self._target_scale).clip(-_LARGEST_ERROR, _LARGEST_ERROR)

    def _limited(self, encoded: NDArray[Any]) -> NDArray[Any]:
        # A target farther away is masked. Its gradient in the warm-up would decide the step size of Adam long after.
        mask = ZErrorMask() if self.masking is None else self.masking
        return encoded if mask.threshold == np.inf else encoded.clip(-_FARTHEST_TARGET, _FARTHEST_TARGET)

    def _n_outputs(self) -> int:
        return 1

    def _set_parameters(self) -> None:
        self.coefs_, self.intercepts_ = self._unscaled_layers(self._target_scale, self._target_center)
        if len(self.coefs_) == 1:
            self.coef_ = self.coefs_[0][:, 0]
            self.intercept_ = float(self.intercepts_[0][0])

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict the target of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        outputs = self._raw_outputs(X)[:, 0]
        return outputs * outputs.dtype.type(self._target_scale) + outputs.dtype.type(self._target_center)

    def score_samples(self, X: Any, y: Any = None) -> NDArray[Any]:
        """Score each row with its target; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            None uses the predictions as targets, so that all errors are 0 and all scores equal.

        Returns
        -------
        ndarray of shape (n_samples,)
            Minus the standardised error; centre and scale are those of the training errors.
        """
        outputs = self._raw_outputs(X)
        if y is None:
            targets = outputs[:, 0].astype(np.float64)
        else:
            targets = self._encode(targets_like(y, outputs), None, first=False)
        return -self._standardized_errors(outputs, targets)


class ZErrorClassifier(ClassifierMixin, ZErrorEstimator):
    """Robust classification that drops the rows whose label contradicts a sure prediction from each epoch.

    A linear model (the default) or a neural network with rectified linear units, trained by Adam on standardised
    columns. It is meant for data with wrong labels. After `fit`, `mask_frequency_` is how often each row was dropped.

    Parameters
    ----------
    masking : ZErrorMask, default=None
        The mask, which decides which rows are dropped; None is ``ZErrorMask()``, which masks rows whose label
        contradicts a prediction that is as sure as correct ones. Nested names such as ``masking__threshold`` work in
        either case.
    hidden_layer_sizes : tuple of int or int, default=()
        Number of units of each hidden layer; ``()`` is the linear model.
    cutoff : {"fixed", "gaussian", "youden"}, default="fixed"
        Logit at which `predict` separates two classes. ``"fixed"`` is 0. ``"gaussian"`` is where the normal densities
        fitted to the logits of the two classes cross, with equal priors, which is good for balanced accuracy.
        ``"youden"`` maximises the true minus the false positive rate on the training rows kept; ``"gaussian"`` falls
        back on it if the densities do not cross between the means.
    ridge : float, default=0.0001
        Ridge penalty ``ridge / 2 * |w|**2`` on the weights for standardised columns.
    batch_size : int or "auto", default="auto"
        Number of rows in a batch; ``"auto"`` is an eighth of the rows, between 64 and 256. All batches have nearly the
        same size.
    learning_rate_init : float, default=None
        Step size of Adam; constant for the first half of the epochs, then decreasing linearly to 0. None is 0.05 for
        the linear model and 0.005 for a network.
    max_iter : int, default=100
        Number of epochs, over which the schedule of the mask also extends.
    early_stopping : bool, default=False
        Whether to hold out a tenth of the rows, stop when their masked loss has not fallen for 10 epochs, and use the
        parameters of the best epoch.
    verbose : bool or int, default=False
        Whether to print the loss and the fraction of masked rows after each epoch.
    random_state : int, RandomState instance or None, default=None
        Controls the order of the rows, the initial weights of a network, and the held-out rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    cutoff_ : float
        Logit above which `predict` returns the second class; 0 for more than two classes.
    mask_frequency_ : ndarray of shape (n_samples,)
        Fraction of the epochs with masking in which the row was dropped. After ``partial_fit`` it is indexed by
        `sample_indices`; if those were not given, it has the rows of the last chunk only.
    mask_count_, seen_count_ : ndarray of shape (n_samples,)
        Number of epochs with masking in which the row was dropped, and number in which it was used or dropped.
    inlier_mask_ : ndarray of shape (n_samples,)
        Whether the final standardised margin of the row is within the threshold, or a forest was asked and keeps it.
    mask_rate_curve_, threshold_curve_, loss_curve_ : ndarray of shape (`n_iter_`,)
        Fraction of rows dropped, threshold (infinite during the warm-up), and mean cross-entropy of the rows kept, by
        epoch.
    coefs_, intercepts_ : list of ndarray
        Weights and biases of each layer, for columns in their original units.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients of the linear model; only without hidden layers.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts of the linear model; only without hidden layers.
    n_iter_ : int
        Number of epochs run.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    ZErrorRegressor : The same for regression.
    SampleCurator : Decides for each row whether to drop it.
    TrainingDynamics : Distinguishes mislabelled, noisy and out-of-distribution rows.

    Notes
    -----
    Z-Error Loss (Godin 2025) for classification: outputs are standardised per class within the batch. Our version
    differs in three ways. It standardises the margin, the logit of the row's class minus the largest other logit, which
    is the signed logit for two classes. It masks only rows on the wrong side of the boundary, since nothing is gained
    by dropping rows that are classified with confidence. The unit is the median margin of the rows that are rightly
    predicted, over all rows before each epoch (see :class:`ZErrorMask`); ``center_scale="mean_std"`` and other
    statistics are computed in each mini-batch. No row is dropped from a class of which fewer than
    ``masking.smallest_batch()`` rows are rightly predicted, unless ``masking.decay`` is positive.

    A linear model contradicts every row of a group that lies on the wrong side. If more than 1.5 % of the rows would be
    masked with ``threshold="auto"``, `fit` and `fit_chunks` therefore train a random forest. If it has a lower error
    rate, on rows that its trees did not see, the mask is that of both, as in :class:`MaskedEstimator`. A number as
    ``masking__threshold`` avoids the forest and its cost.

    An integer weight is equivalent to repeating the row if one batch has all rows and no forest is asked. With several
    batches this holds only in expectation, since repeated rows fall into different batches.

    References
    ----------
    .. [1] Godin, G. (2025). Z-Error Loss for Training Neural Networks. arXiv:2506.02154.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.robust import ZErrorClassifier
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(1000, 2))
    >>> truth = (X[:, 0] > 0).astype(int)
    >>> y = truth.copy()
    >>> y[:50] = 1 - y[:50]
    >>> model = ZErrorClassifier(random_state=0).fit(X, y)
    >>> model.score(X, truth) > 0.98
    True
    >>> bool(model.mask_frequency_[:50].mean() > 10 * model.mask_frequency_[50:].mean())
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ZErrorEstimator._parameter_constraints,
        "cutoff": [StrOptions({"fixed", "gaussian", "youden"})],
    }
    _classifier = True

    def __init__(
        self,
        *,
        masking: ZErrorMask | None = None,
        hidden_layer_sizes: tuple[int, ...] | int = (),
        cutoff: str = "fixed",
        ridge: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate_init: float | None = None,
        max_iter: int = 100,
        early_stopping: bool = False,
        verbose: bool | int = False,
        random_state: Any = None,
    ) -> None:
        self.masking = masking
        self.hidden_layer_sizes = hidden_layer_sizes
        self.cutoff = cutoff
        self.ridge = ridge
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None, *, sample_indices: Any = None
    ) -> Self:
        """Run one epoch over a chunk of rows.

        The first chunk also sets the standardisation. The learning rate is divided by the square root of
        ``1 + n_iter_ / 10``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), default=None
            All labels that occur in any chunk; required in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
        sample_indices : array-like of int of shape (n_samples,), default=None
            Indices of these rows in the whole data set, so that mask frequencies accumulate over chunks.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `classes` is missing in the first call or changed in a later one, or `y` has a label that is not in it.
        """
        first = not hasattr(self, "_training")
        with restore_on_error(self, X):
            if first and classes is None:
                raise ValueError(
                    "classes must be passed on the first call to partial_fit, with the labels of all chunks."
                )
            if classes is not None:
                labels = np.unique(np.asarray(classes))
                if not first and not np.array_equal(labels, self.classes_):
                    raise ValueError(f"classes={classes!r} is not the same as on the first call to partial_fit.")
                self._set_classes(labels)
            self._declared = True
            try:
                return self._advance(X, y, sample_weight, sample_indices, first=first)
            finally:
                del self._declared

    def _encode_first(self, targets: NDArray[Any], distinct: NDArray[Any] | None) -> NDArray[Any]:
        self._set_classes(np.asarray(distinct))
        return self._encode(targets, None, first=False)

    def _set_classes(self, labels: NDArray[Any]) -> None:
        require_two_classes(self, labels)
        if labels.size > 2 and self.cutoff != "fixed":
            raise ValueError(f"cutoff={self.cutoff!r} is for two classes; y contains {labels.size}. Use 'fixed'.")
        self.classes_ = labels

    def _encode(self, y: NDArray[Any], weights: NDArray[np.float64] | None, *, first: bool) -> NDArray[Any]:
        if first and not hasattr(self, "_declared"):
            self._set_classes(np.unique(y))
        places = np.searchsorted(self.classes_, y).clip(max=self.classes_.size - 1)
        unknown = self.classes_[places] != y
        if unknown.any():
            raise ValueError(f"y contains labels that are not in classes_: {np.unique(y[unknown]).tolist()[:5]}.")
        return places.astype(np.intp)

    def _n_outputs(self) -> int:
        return 1 if self.classes_.size == 2 else int(self.classes_.size)

    def _set_parameters(self) -> None:
        self.coefs_, self.intercepts_ = self._unscaled_layers(1.0, 0.0)
        if len(self.coefs_) == 1:
            self.coef_ = self.coefs_[0].T
            self.intercept_ = self.intercepts_[0]

    def _choose_cutoff(
        self,
        outputs: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        kept: NDArray[np.bool_],
    ) -> None:
        self.cutoff_ = 0.0
        if self.cutoff == "fixed":
            return
        logits, labels = outputs[kept, 0].astype(np.float64), y[kept]
        counted = None if weights is None else weights[kept]
        if np.unique(labels).size < 2:
            return
        crossing = _gaussian_crossing(logits, labels, counted) if self.cutoff == "gaussian" else None
        if crossing is None:
            false_rate, true_rate, cuts = roc_curve(labels, logits, sample_weight=counted)
            best = int(np.argmax(true_rate[1:] - false_rate[1:])) + 1
            below = logits[logits < cuts[best]]
            crossing = 0.5 * (cuts[best] + (below.max() if below.size else cuts[best]))
        self.cutoff_ = float(crossing)

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return the logits minus `cutoff_` for two classes, and one column of logits per class otherwise.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        outputs = self._raw_outputs(X)
        return outputs[:, 0] - outputs.dtype.type(self.cutoff_) if outputs.shape[1] == 1 else outputs

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict the class of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        decisions = self.decision_function(X)
        places = (decisions > 0).astype(np.intp) if decisions.ndim == 1 else decisions.argmax(axis=1)
        return self.classes_[places]

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Estimate the probability of each class, independently of `cutoff`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        outputs = self._raw_outputs(X)
        if outputs.shape[1] == 1:
            return np.hstack([expit(-outputs), expit(outputs)])
        return softmax(outputs, axis=1)

    def score_samples(self, X: Any, y: Any = None) -> NDArray[Any]:
        """Score each row with its label; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            None uses the predicted labels; the lowest scores are then those of the least certain rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Minus the standardised statistic on the masked side. With the default mask it is ``margin / unit - 1``,
            which is -1 at the boundary, and below -2 if the label contradicts a sure prediction.
        """
        outputs = self._raw_outputs(X)
        labels = self.predict(X) if y is None else targets_like(y, outputs)
        return -self._standardized_errors(outputs, self._encode(labels, None, first=False))


def _gaussian_crossing(
    logits: NDArray[np.float64], labels: NDArray[np.intp], weights: NDArray[np.float64] | None
) -> float | None:
    """Return where the normal densities of the two classes cross between their means, or None."""
    means, variances = np.empty(2), np.empty(2)
    for label in (0, 1):
        members = labels == label
        counted = None if weights is None else weights[members]
        means[label] = np.average(logits[members], weights=counted)
        variances[label] = np.average((logits[members] - means[label]) ** 2, weights=counted)
    if means[0] >= means[1] or variances.min() <= 0:
        return None
    square = 1 / variances[0] - 1 / variances[1]
    linear = -2 * (means[0] / variances[0] - means[1] / variances[1])
    constant = means[0] ** 2 / variances[0] - means[1] ** 2 / variances[1] - np.log(variances[1] / variances[0])
    roots = np.roots([square, linear, constant] if abs(square) > 1e-12 * abs(linear) else [linear, constant])
    between = [root.real for root in roots if abs(root.imag) < 1e-12 and means[0] < root.real < means[1]]
    return float(between[0]) if len(between) == 1 else None
