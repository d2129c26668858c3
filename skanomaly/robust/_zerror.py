"""Linear models and neural networks that drop odd rows batch by batch while they train."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import roc_curve

from skanomaly._support._restore import restore_on_error
from skanomaly._support._sklearn import StrOptions, fit_context
from skanomaly.robust._mask import ZErrorMask
from skanomaly.robust._training import median_spread
from skanomaly.robust._zerror_base import ZErrorEstimator, targets_like

__all__ = ["ZErrorClassifier", "ZErrorRegressor"]


class ZErrorRegressor(RegressorMixin, ZErrorEstimator):
    """Regression that drops rows with odd errors from each mini-batch while it trains.

    A linear model (the default) or a neural network of rectified linear units, trained by Adam on standardised columns.
    With the default mask it holds to 35 % of one-sided outliers, and says afterwards which rows were dropped how often.

    Parameters
    ----------
    masking : ZErrorMask, default=None
        Which rows are dropped; None is ``ZErrorMask()``. ``masking__threshold`` and the like reach it either way.
    hidden_layer_sizes : tuple of int or int, default=()
        Units of each hidden layer; ``()`` is the linear model.
    ridge : float, default=0.0001
        Ridge penalty ``ridge / 2 * |w|**2`` on the weights of the standardised problem.
    batch_size : int or "auto", default="auto"
        Rows in a batch; ``"auto"`` is an eighth of the rows, from 64 to 256. Batches are as even as can be.
    learning_rate_init : float, default=None
        Step size of Adam in standardised units; constant for half the epochs, then falling linearly to 0. None is 0.05
        for the linear model and 0.005 for a network.
    max_iter : int, default=100
        Epochs; also the length of the mask's schedule.
    early_stopping : bool, default=False
        Whether to hold out a tenth of the rows, stop when their masked loss has not fallen for 10 epochs, and return to
        the best epoch.
    verbose : bool or int, default=False
        Whether to print loss and share masked after each epoch.
    random_state : int, RandomState instance or None, default=None
        Order of the rows, first weights of a network, held-out rows.

    Attributes
    ----------
    mask_frequency_ : ndarray of shape (n_samples,)
        Share of the masked epochs in which the row was dropped: the curation score. After ``partial_fit`` with
        `sample_indices` its index is theirs; without, it is about the last chunk.
    mask_count_, seen_count_ : ndarray of shape (n_samples,)
        Numbers behind that share.
    inlier_mask_ : ndarray of shape (n_samples,)
        Whether the row's final standardised error lies within the threshold.
    mask_rate_curve_, threshold_curve_, loss_curve_ : ndarray of shape (`n_iter_`,)
        Share of rows dropped, threshold (infinite while warming up), and mean loss of kept rows, by epoch. The loss is
        half the squared error in units of the targets' spread.
    coefs_, intercepts_ : list of ndarray
        Weights and biases by layer, for rows and targets in their own units.
    coef_ : ndarray of shape (n_features,)
        Coefficients of the linear model; absent with hidden layers.
    intercept_ : float
        Intercept of the linear model; absent with hidden layers.
    n_iter_ : int
        Epochs run.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    ZErrorClassifier : The same for classes.
    MaskedEstimator : The same mask around any other estimator.
    SampleCurator : From mask frequencies to a decision about each row.
    sklearn.linear_model.HuberRegressor : Bounded influence of errors; gives way before 35 % of one-sided outliers.

    Notes
    -----
    Z-Error Loss (Godin 2025), regression: rows with ``|e - centre| > threshold * scale`` within their batch do not
    count. We replace mean and standard deviation by median and MAD, which hold to half the batch where the original
    masks nothing from 10 % of equal outliers on (20 % at a threshold of 2); keep a share `min_keep` at the least; and
    standardise columns and targets, so that results do not depend on units.

    Whole weights equal repetition as long as one batch holds all rows; over several batches they do so in
    expectation, since repeated rows fall into different batches.

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
    >>> y[:300] += 10  # three rows in ten are wrong, all in the same direction
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
        """Run one epoch over a chunk; the first chunk also fixes the standardisation.

        The learning rate falls as one over the square root of ``1 + n_iter_ / 10``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
        sample_indices : array-like of int of shape (n_samples,), default=None
            Positions of these rows in the whole data, so that mask frequencies add up across chunks.

        Returns
        -------
        self
        """
        with restore_on_error(self):
            return self._advance(X, y, sample_weight, sample_indices, first=not hasattr(self, "_training"))

    def _encode(self, y: NDArray[Any], weights: NDArray[np.float64] | None, *, first: bool) -> NDArray[Any]:
        y = y.astype(np.float64)
        if first:
            self._target_center, self._target_scale = median_spread(y, weights)
        return (y - self._target_center) / self._target_scale

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
        """Score each row with its target; small is odd.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            None scores the rows as if each target were what is predicted, which tells rows apart only with
            ``masking__statistic="margin"`` of a classifier.

        Returns
        -------
        ndarray of shape (n_samples,)
            Minus the standardised error, by the centre and scale of the training errors.
        """
        outputs = self._raw_outputs(X)
        if y is None:
            targets = outputs[:, 0].astype(np.float64)
        else:
            targets = self._encode(targets_like(y, outputs), None, first=False)
        return -self._oddness_of(outputs, targets)


class ZErrorClassifier(ClassifierMixin, ZErrorEstimator):
    """Classification that drops rows at odds with their label from each mini-batch while it trains.

    A linear model (the default) or a neural network of rectified linear units, trained by Adam on standardised columns.
    Made for tables with wrong labels: it says afterwards which rows were dropped how often.

    Parameters
    ----------
    masking : ZErrorMask, default=None
        Which rows are dropped; None is ``ZErrorMask()``: margins on the wrong side, per class. ``masking__threshold``
        and the like reach it either way.
    hidden_layer_sizes : tuple of int or int, default=()
        Units of each hidden layer; ``()`` is the linear model.
    cutoff : {"fixed", "gaussian", "youden"}, default="fixed"
        Where `predict` cuts between two classes: a logit of 0; where the Gaussians fitted to the two classes' logits
        cross (equal priors, so balanced accuracy is meant); or where the true minus the false positive rate is
        largest on the kept training rows. ``"gaussian"`` falls back on ``"youden"`` where the two do not cross between
        the means.
    ridge : float, default=0.0001
        Ridge penalty ``ridge / 2 * |w|**2`` on the weights of the standardised problem.
    batch_size : int or "auto", default="auto"
        Rows in a batch; ``"auto"`` is an eighth of the rows, from 64 to 256. Batches are as even as can be.
    learning_rate_init : float, default=None
        Step size of Adam in standardised units; constant for half the epochs, then falling linearly to 0. None is 0.05
        for the linear model and 0.005 for a network.
    max_iter : int, default=100
        Epochs; also the length of the mask's schedule.
    early_stopping : bool, default=False
        Whether to hold out a tenth of the rows, stop when their masked loss has not fallen for 10 epochs, and return to
        the best epoch.
    verbose : bool or int, default=False
        Whether to print loss and share masked after each epoch.
    random_state : int, RandomState instance or None, default=None
        Order of the rows, first weights of a network, held-out rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    cutoff_ : float
        Logit that `predict` cuts at; 0 for more than two classes.
    mask_frequency_ : ndarray of shape (n_samples,)
        Share of the masked epochs in which the row was dropped: the curation score. After ``partial_fit`` with
        `sample_indices` its index is theirs; without, it is about the last chunk.
    mask_count_, seen_count_ : ndarray of shape (n_samples,)
        Numbers behind that share.
    inlier_mask_ : ndarray of shape (n_samples,)
        Whether the row's final standardised margin lies within the threshold.
    mask_rate_curve_, threshold_curve_, loss_curve_ : ndarray of shape (`n_iter_`,)
        Share of rows dropped, threshold (infinite while warming up), and mean cross-entropy of kept rows, by epoch.
    coefs_, intercepts_ : list of ndarray
        Weights and biases by layer, for rows in their own units.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients of the linear model; absent with hidden layers.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts of the linear model; absent with hidden layers.
    n_iter_ : int
        Epochs run.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    ZErrorRegressor : The same for numbers.
    SampleCurator : From mask frequencies to a decision about each row.
    TrainingDynamics : What a suspicious row is: mislabelled, noisy or out of distribution.

    Notes
    -----
    Z-Error Loss (Godin 2025), classification: outputs are standardised per class within the batch. We take the margin
    (the logit of the row's class minus the largest other), which is the signed logit for two classes; mask the wrong
    side alone, since dropping the surest correct rows gains nothing; and use the median and MAD. A class with fewer
    rows in a batch than ``masking.smallest_batch()`` is kept whole there, unless ``masking.decay`` pools batches.

    Whole weights equal repetition as long as one batch holds all rows; over several batches they do so in
    expectation, since repeated rows fall into different batches.

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
        **ZErrorEstimator._parameter_constraints,  # its own base
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
        """Run one epoch over a chunk; the first chunk also fixes the standardisation.

        The learning rate falls as one over the square root of ``1 + n_iter_ / 10``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), default=None
            All labels that any chunk may hold; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
        sample_indices : array-like of int of shape (n_samples,), default=None
            Positions of these rows in the whole data, so that mask frequencies add up across chunks.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the first call names no `classes`, a later call names others, or `y` holds a label that is not in them.
        """
        first = not hasattr(self, "_training")
        with restore_on_error(self):
            if first and classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit: all labels of all chunks.")
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

    def _set_classes(self, labels: NDArray[Any]) -> None:
        if labels.size < 2:
            raise ValueError(f"{type(self).__name__} needs at least two classes; y holds 1 class: {labels.tolist()}.")
        if labels.size > 2 and self.cutoff != "fixed":
            raise ValueError(f"cutoff={self.cutoff!r} is for two classes; y holds {labels.size}. Use 'fixed'.")
        self.classes_ = labels

    def _encode(
        self, y: NDArray[Any], weights: NDArray[np.float64] | None, *, first: bool
    ) -> NDArray[Any]:  # the hook's signature
        if first and not hasattr(self, "_declared"):
            self._set_classes(np.unique(y))
        places = np.searchsorted(self.classes_, y).clip(max=self.classes_.size - 1)
        unknown = self.classes_[places] != y
        if unknown.any():
            raise ValueError(f"y holds labels that are not in classes_: {np.unique(y[unknown]).tolist()[:5]}.")
        return places.astype(np.intp)

    def _n_outputs(self) -> int:
        return 1 if self.classes_.size == 2 else int(self.classes_.size)

    def _set_parameters(self) -> None:
        self.coefs_, self.intercepts_ = self._unscaled_layers(1.0, 0.0)
        if len(self.coefs_) == 1:
            self.coef_ = self.coefs_[0].T
            self.intercept_ = self.intercepts_[0]

    def _learn_cutoff(self, outputs: NDArray[Any], y: NDArray[Any], weights: NDArray[np.float64] | None) -> None:
        self.cutoff_ = 0.0
        if self.cutoff == "fixed":
            return
        kept = self._final_oddness <= self._training.plan.threshold
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
        """Return logits: minus `cutoff_` for two classes, one column a class for more.

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
        """Estimate the probability of each class; `cutoff` does not enter.

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
        """Score each row with its label; small is odd.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            None scores the rows as if each had the label that is predicted: undecided rows are then odd.

        Returns
        -------
        ndarray of shape (n_samples,)
            Minus the standardised margin on the masked side, by the centre and scale of its class in training.
        """
        outputs = self._raw_outputs(X)
        labels = self.predict(X) if y is None else targets_like(y, outputs)
        return -self._oddness_of(outputs, self._encode(labels, None, first=False))


def _gaussian_crossing(
    logits: NDArray[np.float64], labels: NDArray[np.intp], weights: NDArray[np.float64] | None
) -> float | None:
    """Return where the two classes' normal densities cross between their means, or None."""
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
