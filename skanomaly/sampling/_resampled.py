"""A sampler and an estimator as one scikit-learn estimator."""

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils import Tags, get_tags
from sklearn.utils.metadata_routing import UNUSED, MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._coarse import raw_outputs, warn_if_constant
from skanomaly._support._columns import without_stored_index
from skanomaly._support._responses import weight_parameter
from skanomaly._support._restore import restore_on_error
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, fit_context
from skanomaly._support._validation import check_weights
from skanomaly.sampling._smote._smote import SMOTE

__all__ = ["ResampledEstimator", "resampled_metadata", "seeded_clones"]


def _has(method: str) -> Any:
    def check(self: Any) -> bool:
        inner = getattr(self, "estimator_", None)
        getattr(self._inner() if inner is None else inner, method)
        return True

    return check


class ResampledEstimator(MetaEstimatorMixin, BaseEstimator):
    r"""Resample in ``fit``, and only there, then train an estimator on the result.

    A sampler changes the number of rows, which a scikit-learn Pipeline does not allow. This meta-estimator can be the
    last step of a Pipeline, and GridSearchCV tunes both parts (``sampler__k_neighbors``, ``estimator__C``); test folds
    are never resampled. It is a classifier, regressor or detector where `estimator` is one.

    Parameters
    ----------
    sampler : object with ``fit_resample``, default=None
        Any sampler, imbalanced-learn's too; None means ``SMOTE()``.
    estimator : estimator, default=None
        What is trained; None means ``LogisticRegression()``.
    correct_prior : bool, default=False
        Whether ``predict_proba`` of a classifier is corrected to the class fractions before resampling; ``predict``
        follows it. Leave it False where ``predict`` should favour the rare class.
    random_state : int, RandomState instance or None, default=None
        Seeds every ``random_state`` of sampler and estimator that is None; None leaves them so.

    Attributes
    ----------
    sampler_ : sampler
        Fitted clone.
    estimator_ : estimator
        Clone fitted to the resampled rows.
    classes_ : ndarray of shape (n_classes,)
        Classes, where the estimator has them.
    prior_weights_ : ndarray of shape (n_classes,)
        Fraction of each class before resampling over that after it, for classifiers.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    sklearn.model_selection.TunedThresholdClassifierCV : Tunes the threshold without resampling; try it first.

    Notes
    -----
    With :math:`w_c` the fraction of class c before resampling over that after it, the corrected probability is
    :math:`p_c w_c / \sum_k p_k w_k` [1]_. It is exact where resampling draws rows of a class from that class's own
    distribution, and approximate for interpolated rows.

    ``sample_weight`` and other arrays with one entry a row may be passed to ``fit``. A training row keeps its
    weight; a synthetic row gets its parents' weights, interpolated, where the sampler has ``parents_``, else the mean
    of its class. Other arrays raise where there are synthetic rows.

    References
    ----------
    .. [1] M. Saerens, P. Latinne and C. Decaestecker, "Adjusting the Outputs of a Classifier to New a Priori
       Probabilities: A Simple Procedure", Neural Computation 14, 2002. https://doi.org/10.1162/089976602753284446

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skanomaly.sampling import SMOTE, ResampledEstimator
    >>> X, y = make_classification(300, weights=[0.9], random_state=0)
    >>> model = ResampledEstimator(SMOTE(random_state=0), LogisticRegression())
    >>> search = GridSearchCV(
    ...     model, {"sampler__k_neighbors": [3, 5], "estimator__C": [0.1, 1.0]}
    ... )
    >>> sorted(search.fit(X, y).best_params_)
    ['estimator__C', 'sampler__k_neighbors']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "sampler": [HasMethods("fit_resample"), None],
        "estimator": [HasMethods("fit"), None],
        "correct_prior": ["boolean"],
        "random_state": ["random_state"],
    }

    # The estimator uses the weights, so this class requests none for itself.
    __metadata_request__fit: ClassVar[dict[str, str]] = {"sample_weight": UNUSED}
    __metadata_request__score: ClassVar[dict[str, str]] = {"sample_weight": UNUSED}

    def __init__(
        self, sampler: Any = None, estimator: Any = None, *, correct_prior: bool = False, random_state: Any = None
    ) -> None:
        self.sampler = sampler
        self.estimator = estimator
        self.correct_prior = correct_prior
        self.random_state = random_state

    def _inner(self) -> Any:
        return LogisticRegression() if self.estimator is None else self.estimator

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Resample, then fit the estimator to the result.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes, values, or for a detector +1 and -1.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the training rows, passed to the estimator's ``fit`` with those of the synthetic rows (Notes).
            None passes none.
        **params : dict
            Passed to the estimator's ``fit``, resampled where there is one entry a row; with metadata routing enabled,
            as requested.

        Returns
        -------
        self
        """
        if sample_weight is not None and not np.isscalar(sample_weight):
            sample_weight = np.asarray(sample_weight)
            sample_weight = check_weights(sample_weight, np.empty((len(sample_weight), 0)))
        params = _with_weights(sample_weight, params)
        with restore_on_error(self, X, y):
            passed = params
            if params and get_config()["enable_metadata_routing"]:
                passed = dict(process_routing(self, "fit", **params).estimator.fit)
            self.sampler_, inner = seeded_clones(
                [SMOTE() if self.sampler is None else self.sampler, self._inner()], self.random_state
            )
            rows, targets = self.sampler_.fit_resample(X, y)
            passed = {
                name: resampled_metadata(name, value, self.sampler_, y, targets) for name, value in passed.items()
            }
            if "sample_weight" in passed and not get_config()["enable_metadata_routing"]:
                passed[weight_parameter(inner)] = passed.pop("sample_weight")
            self.estimator_ = inner.fit(without_stored_index(rows), targets, **passed)
            for name in ("n_features_in_", "feature_names_in_", "classes_"):
                if hasattr(self.estimator_, name):
                    setattr(self, name, getattr(self.estimator_, name))
            if is_classifier(self.estimator_):
                self.prior_weights_ = _fractions(y, self.classes_) / _fractions(targets, self.classes_)
            warn_if_constant(self, X, lambda: raw_outputs(self.estimator_, without_stored_index(X)))
        return self

    @available_if(_has("predict"))
    def predict(self, X: Any) -> NDArray[Any]:
        """Predict with the fitted estimator.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        if self.correct_prior and hasattr(self, "prior_weights_") and hasattr(self.estimator_, "predict_proba"):
            return self.classes_[self.predict_proba(X).argmax(axis=1)]
        return self.estimator_.predict(without_stored_index(X))

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Class probabilities, corrected to the original class fractions with ``correct_prior=True``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        probabilities = self.estimator_.predict_proba(without_stored_index(X))
        if not self.correct_prior:
            return probabilities
        weighted = probabilities * self.prior_weights_
        return weighted / weighted.sum(axis=1, keepdims=True)

    @available_if(_has("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Logarithm of ``predict_proba``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        if not self.correct_prior:
            return self.estimator_.predict_log_proba(without_stored_index(X))
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Decisions of the fitted estimator.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            With ``correct_prior=True`` the log-odds, or log-probabilities, of `predict_proba`, so that their sign
            agrees with ``predict``.
        """
        check_is_fitted(self)
        if not (self.correct_prior and hasattr(self.estimator_, "predict_proba")):
            return self.estimator_.decision_function(without_stored_index(X))
        logs = self.predict_log_proba(X)
        return logs[:, 1] - logs[:, 0] if logs.shape[1] == 2 else logs

    @available_if(_has("score_samples"))
    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Scores of the fitted detector; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        return self.estimator_.score_samples(without_stored_index(X))

    @available_if(_has("score"))
    def score(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> float:
        """Score of the estimator's kind: accuracy for a classifier, R squared for a regressor.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, passed to the estimator's ``score``; None passes none.
        **params : dict
            Passed to the estimator's ``score``.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        if sample_weight is not None and not np.isscalar(sample_weight):
            sample_weight = np.asarray(sample_weight)
            sample_weight = check_weights(sample_weight, np.empty((len(sample_weight), 0)))
        params = _with_weights(sample_weight, params)
        if params and get_config()["enable_metadata_routing"]:
            params = dict(process_routing(self, "score", **params).estimator.score)
        if self.correct_prior and is_classifier(self.estimator_):
            from sklearn.metrics import accuracy_score

            return float(accuracy_score(y, self.predict(X), **params))
        return float(self.estimator_.score(without_stored_index(X), y, **params))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata goes where.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit").add(caller="score", callee="score")
        return MetadataRouter(owner=type(self).__name__).add(estimator=self._inner(), method_mapping=mapping)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self._inner())
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        tags.input_tags = inner.input_tags
        tags.target_tags = inner.target_tags
        tags.target_tags.required = True
        tags.target_tags.multi_output = False
        sampler = get_tags(SMOTE() if self.sampler is None else self.sampler)
        tags.input_tags.sparse &= sampler.input_tags.sparse
        tags.input_tags.allow_nan &= sampler.input_tags.allow_nan
        return tags


def seeded_clones(estimators: list[Any], random_state: Any) -> list[Any]:
    """Clone estimators, and seed every ``random_state`` in them that is None.

    Parameters
    ----------
    estimators : list of estimator
    random_state : int, RandomState instance or None
        None seeds nothing.

    Returns
    -------
    list of estimator
    """
    clones = [clone(estimator) for estimator in estimators]
    if random_state is not None:
        source = generator(random_state)
        for copy in clones:
            names = [name for name in sorted(copy.get_params()) if name.rpartition("__")[2] == "random_state"]
            free = [name for name in names if copy.get_params()[name] is None]
            copy.set_params(**{name: int(source.integers(np.iinfo(np.int32).max)) for name in free})
    return clones


def _with_weights(sample_weight: Any, params: dict[str, Any]) -> dict[str, Any]:
    return params if sample_weight is None else {"sample_weight": sample_weight, **params}


def _fractions(y: Any, classes: NDArray[Any]) -> NDArray[np.float64]:
    given = np.asarray(y)
    return given.mean(axis=0) if given.ndim == 2 else (given[:, None] == classes).mean(axis=0)


def resampled_metadata(name: str, value: Any, sampler: Any, y: Any, targets: Any) -> Any:
    """Carry one argument of fit through resampling.

    Parameters
    ----------
    name : str
    value : object
        Carried where it has one entry a row, else returned.
    sampler : fitted sampler
    y, targets : array-like
        Targets before and after.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        If an array other than weights has no entries for synthetic rows.
    """
    before, after = np.asarray(y), np.asarray(targets)
    if value is None or (isinstance(value, list) and len(value) != len(before)):
        return value
    array = np.asarray(value)
    if array.ndim == 0 or len(array) != len(before):
        return value
    indices = getattr(sampler, "sample_indices_", None)
    if indices is None or len(indices) != len(after):
        raise ValueError(
            f"{name} has one entry a row, and {type(sampler).__name__} has no sample_indices_ that say which rows it "
            "kept. Leave it out, or take a sampler with sample_indices_."
        )
    kept = indices >= 0
    if kept.all():
        return array[indices]
    if name.rpartition("__")[2] != "sample_weight":
        raise ValueError(
            f"{name} has one entry a row, and synthetic rows have none; only sample_weight can be computed for them. "
            "Leave it out, or take a sampler that only selects rows."
        )
    array = np.asarray(array, dtype=np.float64)
    carried = np.empty(len(after))
    carried[kept] = array[indices[kept]]
    parents = getattr(sampler, "parents_", None)
    if parents is not None and len(parents) == np.count_nonzero(~kept):
        first, second = array[parents[:, 0]], array[parents[:, 1]]
        carried[~kept] = first + np.clip(sampler.steps_, 0, 1) * (second - first)
        return carried
    for label in np.unique(after[~kept]):
        same = before == label
        carried[~kept & (after == label)] = array[same].mean() if same.any() else array.mean()
    return carried
