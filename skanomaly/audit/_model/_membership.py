"""Which rows does a model leak? Membership inference by the likelihood ratio over shadow models."""

from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier, is_regressor
from sklearn.metrics import roc_auc_score
from sklearn.utils import Tags, check_consistent_length, get_tags
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skanomaly._support._callbacks import CallbackSupport, callbacks_of
from skanomaly._support._labels import check_classification_targets, require_two_classes
from skanomaly._support._refits import balanced_subsets, fit_subsets
from skanomaly._support._restore import restore_on_error
from skanomaly._support._scales import column_scale
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions, fit_context
from skanomaly._support._validation import check_any_rows, check_any_table, check_rows
from skanomaly.audit._model._confidence import CLASSIFIER, DETECTOR, REGRESSOR, confidence
from skanomaly.audit._model._likelihood_ratio import RowMoments

__all__ = ["MembershipAudit"]

_RATES = np.array([0.001, 0.01])
_RESAMPLES = 200
_CANDIDATES = 3  # jittered copies for each query that is kept
_JITTER = (0.1, 0.5)  # standard deviations of the columns

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Rows:
    """The rows and their jittered copies, which are made again for each use rather than kept."""

    X: Any
    y: NDArray[Any] | None
    kind: str
    scale: Floats | None
    seed: int
    n_copies: int

    def values(self, model: Any, _place: int = 0, chosen: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
        """Return the confidence of a model for each row and each of its copies, of shape (n, 1 + n_copies)."""
        found = [confidence(model, self.X, self.y, self.kind)]
        copies = range(self.n_copies) if chosen is None else np.unique(chosen[chosen > 0]) - 1
        values = np.full((len(found[0]), 1 + self.n_copies), np.nan, dtype=np.float32)
        values[:, 0] = found[0]
        for copy in copies:
            values[:, 1 + copy] = confidence(model, self._copy(int(copy)), self.y, self.kind)
        return values

    def _copy(self, copy: int) -> Floats:
        random = np.random.Generator(np.random.PCG64([self.seed, copy]))
        low, high = np.log(_JITTER)
        size = np.exp(random.uniform(low, high, size=(len(self.X), 1)))
        return np.asarray(self.X + size * self.scale * random.normal(size=self.X.shape))


class MembershipAudit(CallbackSupport, MetaEstimatorMixin, BaseEstimator):
    """Measures which training rows a model reveals, by the likelihood-ratio attack on shadow models.

    Shadow models are trained on random halves of the rows. For each row, the outputs of the models that trained on it
    are compared with the outputs of those that did not. The larger the difference, the surer can someone who may
    query a model of this kind say that the row was among its training data.

    Parameters
    ----------
    estimator : estimator
        Classifier, regressor or anomaly detector, unfitted. If it is the last step of a pipeline, give the pipeline.
    n_shadows : int, default=32
        Number of shadow models, even. Each is one fit on half of the rows.
    mode : {"online", "offline"}, default="online"
        "online" is the likelihood ratio of the models with and without the row. "offline" uses the models without it
        only, as an attacker must who has no shadow model with the row: the upper tail probability of their
        distribution.
    queries : {None, "gaussian", "canary"}, default=None
        Additional queries for each row, whose scores are averaged with that of the row. "gaussian" takes `n_queries`
        copies of the row with normal noise; "canary" takes those of three times as many for which the models with and
        without the row differ most. `X` must then hold numbers.
    n_queries : int, default=10
        Number of additional queries for each row.
    n_jobs : int or None, default=None
        Number of shadow models that are trained at the same time, in threads. The result does not depend on it.
        ``joblib.parallel_config("loky")`` trains in processes, which helps estimators that hold the interpreter.
    random_state : int, RandomState instance or None, default=None
        Controls the halves, the noise, and each `random_state` of `estimator` that is None.

    Attributes
    ----------
    leakage_score_ : ndarray of shape (n_samples,)
        Difference between the mean confidence with and without the row, in standard deviations within the row; larger
        values leak more.
    audit_curve_ : dict of str to ndarray
        "false_positive_rate" (0.1 % and 1 %), "true_positive_rate" at it, and "low" and "high", a 95 % bootstrap
        interval over the shadow models. Each model in turn is attacked with the help of the others.
    auc_ : float
        Area under the ROC curve of the same attacks. It hides whether a few rows are exposed: report the curve.
    membership_scores_ : ndarray of shape (n_shadows, n_samples)
        Scores of these attacks; larger values mean that the row was more probably a training row.
    member_mask_ : ndarray of shape (n_shadows, n_samples), bool
        Whether the row was a training row of the shadow model.
    shadow_confidence_ : ndarray of shape (n_shadows, n_samples), float32
        Confidence of each shadow model on each row, without additional queries.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    membership_likelihood_ratio : The attack on given values.
    skanomaly.robust.SampleCurator : Drops rows whose targets are probably wrong.

    Notes
    -----
    The confidence of a classifier is the logit of the probability of the row's class, clipped to [0.001, 0.999]; for
    one without probabilities it is the margin. For a regressor it is minus the absolute error, and for a detector
    ``score_samples``. The attack is that of Carlini et al. [1]_, with the queries of Wen et al. [2]_. What we changed:

    - The standard deviation is that within a row, pooled over the models with and without it, and shrunken to the mean
      over the rows. [1]_ pools the values of all rows where there are few models, and includes the differences between
      rows.
    - The offline score is minus the logarithm of a one-sided tail probability.
    - Queries are chosen among random copies, without gradients, and by the other models than the one attacked.

    A shadow model trains on half of the rows, so a model of all rows leaks somewhat less. The audit shows what this
    attack finds; another may find more. Memory does not grow with the models, which are not kept: it holds their
    outputs, four bytes for each model, row and query.

    References
    ----------
    .. [1] N. Carlini, S. Chien, M. Nasr, S. Song, A. Terzis and F. Tramer, "Membership Inference Attacks From First
       Principles", 2021. arXiv:2112.03570.
    .. [2] Y. Wen, A. Bansal, H. Kazemi, E. Borgnia, M. Goldblum, J. Geiping and T. Goldstein, "Canary in a Coalmine:
       Better Membership Inference with Ensembled Adversarial Queries", 2022. arXiv:2210.10750.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skanomaly.audit import MembershipAudit
    >>> X, y = make_classification(300, flip_y=0.4, random_state=0)
    >>> deep = MembershipAudit(DecisionTreeClassifier(), n_shadows=16, random_state=0).fit(
    ...     X, y
    ... )
    >>> shallow = MembershipAudit(
    ...     DecisionTreeClassifier(max_depth=1), n_shadows=16, random_state=0
    ... ).fit(X, y)
    >>> bool(deep.auc_ > 0.65), bool(shallow.auc_ < 0.6)
    (True, True)
    >>> deep.most_exposed(3).shape
    (3,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit"])],
        "n_shadows": [Interval(Integral, 4, None, closed="left")],
        "mode": [StrOptions({"online", "offline"})],
        "queries": [StrOptions({"gaussian", "canary"}), None],
        "n_queries": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        n_shadows: int = 32,
        mode: str = "online",
        queries: str | None = None,
        n_queries: int = 10,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_shadows = n_shadows
        self.mode = mode
        self.queries = queries
        self.n_queries = n_queries
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Train the shadow models, and attack each with the help of the others.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Whatever `estimator` accepts; numbers if `queries` is not None.
        y : array-like of shape (n_samples,), default=None
            Classes or numbers; ignored for a detector.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If `estimator` is neither a classifier, a regressor nor a detector.
        ValueError
            If `n_shadows` is not even, there are fewer than 4 rows, or a class has fewer than 2.
        """
        with restore_on_error(self, X, y), callbacks_of(self):
            if self.n_shadows % 2:
                raise ValueError(f"n_shadows={self.n_shadows} must be even: each row is in half of the models.")
            kind = _kind(self.estimator)
            rows, targets = self._check(X, y, kind)
            n_rows = rows.shape[0] if hasattr(rows, "shape") else len(rows)
            self._check_counts(n_rows, targets if kind == CLASSIFIER else None)
            random = generator(self.random_state)
            strata = targets if kind == CLASSIFIER else None
            members = balanced_subsets(n_rows, self.n_shadows, random, strata)
            seeds = random.integers(2**31, size=self.n_shadows).tolist()
            evaluated = self._queried(rows, targets, kind, int(random.integers(2**31)))
            values = np.stack(
                fit_subsets(
                    self.estimator, rows, targets, list(members), evaluated.values, seeds=seeds, n_jobs=self.n_jobs
                )
            )
            moments = RowMoments(values, members)
            self.membership_scores_ = np.stack(
                [self._scores(values[place], moments.without(place))[0] for place in range(self.n_shadows)]
            )
            self.member_mask_, self.shadow_confidence_ = members, values[:, :, 0].copy()
            self.leakage_score_ = moments.separation()[:, 0]
            self.auc_ = float(roc_auc_score(members.ravel(), self.membership_scores_.ravel()))
            self.audit_curve_ = _curve(self.membership_scores_, members, random)
            self._moments, self._kind = moments.summary(), kind
            self._chosen = self._scores(values[0], self._moments)[1]
            self._query = (evaluated.scale, evaluated.seed, evaluated.n_copies)
            self._n_rows = n_rows
        return self

    def _check(self, X: Any, y: Any, kind: str) -> tuple[Any, NDArray[Any] | None]:
        if y is not None:
            check_consistent_length(X, y)
        if self.queries is not None:
            rows = check_rows(self, X, reset=True, dtype=np.float64)
            if kind == DETECTOR:
                return rows, None
            targets = check_any_rows(self, X, y, y_numeric=kind == REGRESSOR)[1]
        elif kind == DETECTOR:
            return check_any_table(self, X, reset=True), None
        else:
            rows, targets = check_any_rows(self, X, y, y_numeric=kind == REGRESSOR)
        if kind == CLASSIFIER:
            check_classification_targets(targets)
        return rows, targets.astype(np.float64) if kind == REGRESSOR else targets

    def _check_counts(self, n_rows: int, classes: NDArray[Any] | None) -> None:
        if n_rows < 4:
            raise ValueError(f"MembershipAudit needs at least 4 rows to train on halves; got n_samples={n_rows}.")
        if classes is None:
            return
        labels, counts = np.unique(classes, return_counts=True)
        require_two_classes(self, labels)
        if counts.min() < 2:
            raise ValueError(
                f"The class {labels[counts.argmin()]!r} of y has one row, which no half of the rows and its complement "
                "can both have. Drop the class or join it with another."
            )

    def _queried(self, rows: Any, targets: NDArray[Any] | None, kind: str, seed: int) -> _Rows:
        n_copies = {None: 0, "gaussian": self.n_queries, "canary": _CANDIDATES * self.n_queries}[self.queries]
        scale = column_scale(rows) if n_copies else None
        return _Rows(rows, targets, kind, scale, seed, n_copies)

    def _scores(self, values: NDArray[Any], moments: Any) -> tuple[Floats, NDArray[np.intp]]:
        """Return the scores of one model, and the queries of each row that they are the mean of."""
        chosen = np.zeros((len(values), 1), dtype=np.intp)
        if self.queries == "gaussian":
            chosen = np.tile(np.arange(values.shape[1]), (len(values), 1))
        elif self.queries == "canary":
            separation = np.abs(moments.separation()[:, 1:])
            best = np.argsort(-separation, axis=1, kind="stable")[:, : self.n_queries]
            chosen = np.column_stack([chosen, 1 + best])
        scores = moments.scores(values, self.mode)
        return np.take_along_axis(scores, chosen, axis=1).mean(axis=1), chosen

    def most_exposed(self, n_rows: int = 10) -> NDArray[np.intp]:
        """Return the rows that leak most.

        Parameters
        ----------
        n_rows : int, default=10

        Returns
        -------
        ndarray of shape (min(n_rows, n_samples),), intp
            Indices in the order of `leakage_score_`, the largest first.
        """
        check_is_fitted(self)
        return np.argsort(-self.leakage_score_, kind="stable")[:n_rows]

    def score_model(self, model: Any, X: Any, y: Any = None) -> Floats:
        """Attack a fitted model: score how probably each row was among its training data.

        Parameters
        ----------
        model : fitted estimator
            Of the same kind as `estimator`.
        X : array-like of shape (n_samples, n_features)
            The rows of fit, in the same order.
        y : array-like of shape (n_samples,), default=None
            Their classes or numbers.

        Returns
        -------
        ndarray of shape (n_samples,)
            Larger values mean that the row was more probably a training row: a log likelihood ratio with
            ``mode="online"``, minus the logarithm of a tail probability with ``mode="offline"``.

        Raises
        ------
        ValueError
            If the number of rows or columns is not that of fit.
        """
        check_is_fitted(self)
        rows = (
            check_any_table(self, X, reset=False)
            if self.queries is None
            else check_rows(self, X, reset=False, dtype=np.float64)
        )
        n_rows = rows.shape[0] if hasattr(rows, "shape") else len(rows)
        if n_rows != self._n_rows:
            raise ValueError(f"X has {n_rows} rows and fit had {self._n_rows}; give the same rows in the same order.")
        targets = None
        if self._kind != DETECTOR:
            if y is None:
                raise ValueError("y=None; give the targets of fit.")
            targets = column_or_1d(y)
        values = _Rows(rows, targets, self._kind, *self._query).values(model, chosen=self._chosen)
        scores = self._moments.scores(values, self.mode)
        return np.asarray(np.take_along_axis(scores, self._chosen, axis=1).mean(axis=1))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator) if hasattr(self.estimator, "__sklearn_tags__") else None
        if inner is not None:
            tags.target_tags.required = inner.estimator_type in {"classifier", "regressor"}
            if inner.estimator_type == "classifier":
                tags.classifier_tags = inner.classifier_tags
            for name in ("allow_nan", "sparse", "string", "categorical"):
                setattr(tags.input_tags, name, self.queries is None and getattr(inner.input_tags, name))
        return tags


def _kind(estimator: Any) -> str:
    if is_classifier(estimator):
        return CLASSIFIER
    if is_regressor(estimator):
        return REGRESSOR
    if hasattr(estimator, "score_samples") or hasattr(estimator, "decision_function"):
        return DETECTOR
    raise TypeError(f"estimator must be a classifier, a regressor or an anomaly detector; got {estimator!r}.")


def _curve(scores: Floats, members: NDArray[np.bool_], random: np.random.Generator) -> dict[str, Floats]:
    """Return the true positive rates at the low false positive rates, with intervals over the models."""
    order = np.argsort(-scores, axis=None, kind="stable")
    is_member, model = members.ravel()[order], order // scores.shape[1]
    last = np.append(np.diff(scores.ravel()[order]) != 0, True)  # of equal scores
    rates = partial(_rates, is_member, model, last)
    n_models = len(scores)
    found = rates(np.ones(n_models))
    drawn = np.array(
        [rates(np.bincount(random.integers(n_models, size=n_models), minlength=n_models)) for _ in range(_RESAMPLES)]
    )
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return {"false_positive_rate": _RATES.copy(), "true_positive_rate": found, "low": low, "high": high}


def _rates(
    is_member: NDArray[np.bool_], model: NDArray[np.intp], last: NDArray[np.bool_], counts: NDArray[Any]
) -> Floats:
    """Return the largest true positive rates whose false positive rates are at most the low ones."""
    weights = counts[model].astype(np.float64)
    true, false = np.cumsum(weights * is_member), np.cumsum(weights * ~is_member)
    # Equal scores are above a threshold together.
    true, false = np.append(0.0, true[last]), np.append(0.0, false[last])
    places = np.searchsorted(false, _RATES * false[-1] * (1 + 1e-12), side="right") - 1
    return np.asarray(true[places] / true[-1])
