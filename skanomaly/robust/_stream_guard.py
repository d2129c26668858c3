"""A guard for learners on streams: batches on which the model departs from an earlier version of itself."""

import copy
from collections import deque
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier, is_regressor
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skanomaly._support._coarse import finite_outputs, raw_outputs
from skanomaly._support._labels import check_classification_targets, require_two_classes
from skanomaly._support._refits import clone_with_seed
from skanomaly._support._restore import restore_on_error
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions, fit_context
from skanomaly._support._validation import check_rows, validate_data
from skanomaly.robust._delegate import FittedEstimatorMethods

__all__ = ["StreamGuard", "memorization_discrepancy"]

Floats = NDArray[np.float64]
_SNAPSHOTS = 4  # kept within one lag
_FEWEST_ACCEPTED = 20
_TO_DEVIATION = 1.4826
_LEAST_DEVIATION = 0.2  # of a logarithm: a rise of less than exp(0.8) is no alarm at the default threshold
_LEAST_PROBABILITY = 1e-12


class StreamGuard(FittedEstimatorMethods, MetaEstimatorMixin, BaseEstimator):
    r"""Guards a learner that is trained batch by batch, and raises an alarm where a batch pulls the model away.

    Poison that accumulates looks harmless in each batch: inputs and losses are as usual. What changes is the model. On
    every incoming batch the guard compares the predictions of the model with those of a snapshot from some batches ago
    (the memorisation discrepancy), and a control chart says whether the difference is larger than before.

    Parameters
    ----------
    estimator : estimator with ``partial_fit``
        Classifier with ``predict_proba``, regressor, or detector with ``score_samples``.
    lag : int, default=20
        Number of batches between the snapshot and the model, at least; up to a quarter more. With a short lag slow
        poison is not seen.
    action : {"alarm", "downweight", "reject"}, default="alarm"
        What is done with a batch that raises an alarm: it is trained on; its rows are trained on with weights that fall
        with their discrepancy; or it is not trained on.
    threshold : float, default=4.0
        Alarm limit: standard deviations (by the MAD) of the logarithm of the mean discrepancy above its median.
    window_size : int, default=50
        Number of accepted batches that median and MAD are taken of. There is no alarm before the 20th.
    batch_size : int, default=100
        Number of rows in a batch of :meth:`fit`; :meth:`partial_fit` takes whatever it is given as one batch.
    random_state : int, RandomState instance or None, default=None
        Set where a `random_state` of `estimator` is None.

    Attributes
    ----------
    estimator_ : estimator
        The model.
    alarm_ : bool
        Whether the last batch raised an alarm.
    last_discrepancy_ : float
        Mean discrepancy of the last batch; NaN until there is a snapshot.
    zvalue_ : float
        Its position in the control chart; NaN until there are 20 accepted batches with a discrepancy.
    history_ : dict of str to list
        "discrepancy", "zvalue" and "alarm" of each batch.
    classes_ : ndarray of shape (n_classes,)
        Classes, for a classifier.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    memorization_discrepancy : The discrepancy of given probabilities.
    skanomaly.audit.KNNDriftMonitor : Watches the inputs of a stream.

    Notes
    -----
    The discrepancy of a row is the Kullback-Leibler divergence of the model's probabilities from those of the snapshot
    [1]_, and for regressors and detectors the squared difference of their outputs. What we changed: the alarm limit
    follows the past batches, where [1]_ uses a fixed one that rises with the step, and rows are weighted, not
    corrected.

    The alarm is about a batch. Which rows of it are poisoned it does not say: single rows are hardly distinguished.
    Honest drift raises the discrepancy, too. If the inputs have changed as well, it is drift: call
    :meth:`reset_chart`. With ``action="reject"`` a changed stream is otherwise rejected for good.

    References
    ----------
    .. [1] J. Zhu, X. Guo, J. Yao, C. Du, L. He, S. Yuan, T. Liu, L. Wang and B. Han, "Exploring Model Dynamics for
       Accumulative Poisoning Discovery", 2023. arXiv:2306.03726.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import SGDClassifier
    >>> from skanomaly.robust import StreamGuard
    >>> random = np.random.default_rng(0)
    >>> learner = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.01)
    >>> guard = StreamGuard(learner, lag=10, action="reject", random_state=0)
    >>> for batch in range(110):
    ...     X = random.normal(size=(50, 4))
    ...     y = (X @ [1.0, -1.0, 0.5, 0.0] > 0).astype(int)
    ...     if batch >= 80:
    ...         y = 1 - y
    ...     guard = guard.partial_fit(X, y, classes=[0, 1])
    >>> sum(guard.history_["alarm"][:80]), sum(guard.history_["alarm"][80:]) > 0
    (0, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["partial_fit"])],
        "lag": [Interval(Integral, 1, None, closed="left")],
        "action": [StrOptions({"alarm", "downweight", "reject"})],
        "threshold": [Interval(Real, 0, None, closed="neither")],
        "window_size": [Interval(Integral, _FEWEST_ACCEPTED, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        lag: int = 20,
        action: str = "alarm",
        threshold: float = 4.0,
        window_size: int = 50,
        batch_size: int = 100,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.lag = lag
        self.action = action
        self.threshold = threshold
        self.window_size = window_size
        self.batch_size = batch_size
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Forget what was seen, and train once on the rows in their order, in batches.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers, in the order of time.
        y : array-like of shape (n_samples,), default=None
            Classes or numbers; ignored for a detector.

        Returns
        -------
        self
        """
        with restore_on_error(self, X):
            self.__dict__.pop("estimator_", None)
            rows, targets = self._validated(X, y, first=True)
            classes = None if targets is None or not is_classifier(self.estimator) else np.unique(targets)
            if classes is not None:
                require_two_classes(self, classes)
            for start in range(0, len(rows), self.batch_size):
                part = slice(start, start + self.batch_size)
                self._take(rows[part], None if targets is None else targets[part], classes)
            self._warn_if_constant(rows)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any = None, classes: Any = None) -> Self:
        """Compare the model with its snapshot on a batch, and train on the batch if the action allows it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.
        y : array-like of shape (n_samples,), default=None
            Classes or numbers; ignored for a detector.
        classes : array-like of shape (n_classes,), default=None
            All classes, required for a classifier in the first call.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `classes` is missing in the first call, or `action` is "downweight" and the estimator takes no weights.
        TypeError
            If nothing of the estimator's predictions can be compared.
        """
        with restore_on_error(self, X):
            first = not hasattr(self, "estimator_")
            rows, targets = self._validated(X, y, first=first)
            if first and is_classifier(self.estimator) and classes is None:
                raise ValueError("classes=None; give all classes in the first call of partial_fit.")
            if classes is not None and is_classifier(self.estimator):
                require_two_classes(self, np.unique(classes), name="classes")
            self._take(rows, targets, None if classes is None else np.unique(classes))
            finite_outputs(self, rows, lambda: raw_outputs(self.estimator_, rows)[0])
        return self

    def _validated(self, X: Any, y: Any, *, first: bool) -> tuple[Floats, NDArray[Any] | None]:
        classifier, regressor = is_classifier(self.estimator), is_regressor(self.estimator)
        wanted = "predict_proba" if classifier else "predict" if regressor else "score_samples"
        if not hasattr(self.estimator, wanted):
            raise TypeError(f"{self.estimator!r} has no {wanted}, so its predictions cannot be compared.")
        if self.action == "downweight" and not has_fit_parameter(self._partial(), "sample_weight"):
            raise ValueError(
                f"action='downweight' needs sample_weight in partial_fit; {self.estimator!r} has none. Use 'reject'."
            )
        if classifier or regressor:
            rows, targets = validate_data(self, X, y, reset=first, dtype=np.float64, y_numeric=regressor)
            if classifier:
                check_classification_targets(targets)
            return rows, targets
        return check_rows(self, X, reset=first, dtype=np.float64), None

    def _partial(self) -> Any:
        """Return an object whose ``fit`` is the estimator's ``partial_fit``, for scikit-learn's look at parameters."""

        class Partial:
            fit = type(self.estimator).partial_fit

        return Partial()

    def _take(self, X: Floats, y: NDArray[Any] | None, classes: NDArray[Any] | None) -> None:
        if not hasattr(self, "estimator_"):
            self.estimator_ = clone_with_seed(self.estimator, draw_seed(self.random_state))
            self._snapshots: deque[Any] = deque()
            self._accepted: deque[Any] = deque(maxlen=self.window_size)
            self._n_trained = 0
            self.history_: dict[str, list[Any]] = {"discrepancy": [], "zvalue": [], "alarm": []}
        if classes is not None:
            self.classes_ = classes
        # Replaced, not written into, so that an error leaves the guard as it was.
        snapshots, accepted = self._snapshots.copy(), self._accepted.copy()
        model = self.estimator_ if self._n_trained == 0 else copy.deepcopy(self.estimator_)
        values = None
        while len(snapshots) > 1 and snapshots[1][0] <= self._n_trained - self.lag:
            snapshots.popleft()
        if snapshots and snapshots[0][0] <= self._n_trained - self.lag:
            values = self._discrepancies(model, snapshots[0][1], X)
        mean = np.nan if values is None else float(values.mean())
        level = np.log(max(mean, np.finfo(np.float64).tiny)) if values is not None else np.nan
        zvalue, limit = self._chart(level, accepted)
        alarm = bool(zvalue > self.threshold)
        if not alarm and values is not None:
            accepted.append(level)
        if not (alarm and self.action == "reject"):
            options: dict[str, Any] = {}
            if is_classifier(self.estimator):
                options["classes"] = self.classes_
            if alarm and self.action == "downweight" and values is not None:
                options["sample_weight"] = np.minimum(1.0, np.exp(limit) / np.maximum(values, np.exp(limit)))
            _ = model.partial_fit(X, **options) if y is None else model.partial_fit(X, y, **options)
            self._n_trained += 1
            if not snapshots or self._n_trained - snapshots[-1][0] >= max(1, self.lag // _SNAPSHOTS):
                snapshots.append((self._n_trained, copy.deepcopy(model)))
        self.estimator_, self._snapshots, self._accepted = model, snapshots, accepted
        self.last_discrepancy_, self.zvalue_, self.alarm_ = mean, zvalue, alarm
        added = {"discrepancy": mean, "zvalue": zvalue, "alarm": alarm}
        self.history_ = {name: [*values, added[name]] for name, values in self.history_.items()}

    def _chart(self, level: float, accepted: "deque[float]") -> tuple[float, float]:
        """Return the z-value of a level, and the level at the alarm limit."""
        if len(accepted) < _FEWEST_ACCEPTED or np.isnan(level):
            return np.nan, np.inf
        past = np.array(accepted)
        middle = float(np.median(past))
        deviation = max(_TO_DEVIATION * float(np.median(np.abs(past - middle))), _LEAST_DEVIATION)
        return float((level - middle) / deviation), middle + self.threshold * deviation

    def _discrepancies(self, model: Any, snapshot: Any, X: Floats) -> Floats:
        if is_classifier(self.estimator):
            return memorization_discrepancy(model.predict_proba(X), snapshot.predict_proba(X))
        name = "predict" if is_regressor(self.estimator) else "score_samples"
        now, before = (np.asarray(getattr(one, name)(X), dtype=np.float64) for one in (model, snapshot))
        return np.asarray((now - before) ** 2)

    def reset_chart(self) -> Self:
        """Accept what the stream has become: forget the past discrepancies and the snapshots, and keep the model.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        self._accepted, self._snapshots = deque(maxlen=self.window_size), deque()
        return self

    def _table(self, X: Any) -> Floats:
        return check_rows(self, X, reset=False, dtype=np.float64)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        tags.target_tags = inner.target_tags
        return tags


def memorization_discrepancy(probabilities: Any, earlier_probabilities: Any) -> Floats:
    """Return how far the probabilities of a model are from those of an earlier version of it, for each row.

    Parameters
    ----------
    probabilities : array-like of shape (n_samples, n_classes)
        Of the model as it is.
    earlier_probabilities : array-like of shape (n_samples, n_classes)
        Of the snapshot.

    Returns
    -------
    ndarray of shape (n_samples,)
        Kullback-Leibler divergence of the model from the snapshot, at least 0. Probabilities are bounded below by
        1e-12.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    .. [1] J. Zhu, X. Guo, J. Yao, C. Du, L. He, S. Yuan, T. Liu, L. Wang and B. Han, "Exploring Model Dynamics for
       Accumulative Poisoning Discovery", 2023. arXiv:2306.03726.

    Examples
    --------
    >>> from skanomaly.robust import memorization_discrepancy
    >>> memorization_discrepancy([[0.5, 0.5], [0.9, 0.1]], [[0.5, 0.5], [0.5, 0.5]]).round(
    ...     3
    ... )
    array([0.   , 0.511])
    """
    now, before = (
        np.maximum(np.asarray(values, dtype=np.float64), _LEAST_PROBABILITY)
        for values in (probabilities, earlier_probabilities)
    )
    if now.ndim != 2 or now.shape != before.shape:
        raise ValueError(
            f"probabilities have shape {now.shape} and earlier_probabilities {before.shape}; give (n_samples, "
            "n_classes) for both."
        )
    return np.maximum((before * np.log(before / now)).sum(axis=1), 0.0)
