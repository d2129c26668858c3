"""A sampler that drops rows whose targets are probably wrong."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.base import clone, is_classifier
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.utils import Tags, get_tags
from sklearn.utils.multiclass import type_of_target

from skanomaly._support._refits import fit_subsets
from skanomaly._support._rows import take_rows
from skanomaly._support._seeds import draw_seed, generator
from skanomaly._support._sklearn import HasMethods, Interval
from skanomaly._support._ties import count_at_least
from skanomaly._support._validation import check_any_rows, validate_data
from skanomaly.base import BaseSampler
from skanomaly.robust._mask import MaskPlan, ZErrorMask
from skanomaly.robust._reference import Forests, averaged_label_errors, label_errors
from skanomaly.robust._zerror import ZErrorClassifier, ZErrorRegressor

__all__ = ["SampleCurator"]

# Errors of classifiers with few distinct probabilities are often equal to the threshold, up to rounding.
_TIE = 1e-9


class SampleCurator(BaseSampler):
    """Sampler that drops rows with wrong targets and bounds the fraction of clean rows dropped.

    Each row is kept, marked for review, or dropped. The estimator is trained with its mask once per fold, without the
    rows of that fold. The score of a row is minus its standardised error in the fit that did not train on it; its mask
    frequency is the average over the fits that did. A row is dropped if the error and the frequency are high. Errors of
    labels are averaged with those of a random forest, unless an estimator is given.

    Parameters
    ----------
    estimator : estimator, default=None
        Must have ``mask_frequency_`` after fit and ``score_samples(X, y)``: :class:`ZErrorClassifier`,
        :class:`ZErrorRegressor` or :class:`MaskedEstimator`. None uses :class:`ZErrorRegressor` if `y` is continuous,
        and otherwise :class:`ZErrorClassifier` together with a random forest. `X` may hold whatever the estimator
        accepts, such as text, missing values or sparse rows.
    false_drop_rate : float, default=0.01
        Largest fraction of rows that may be dropped from clean data.
    false_review_rate : float, default=0.05
        Largest fraction of rows that may be dropped or marked for review in clean data.
    cv : int or cross-validation splitter, default=5
        Number of folds, shuffled, and stratified for a classifier; or a splitter that tests every row once.
    n_jobs : int or None, default=None
        Number of folds that are fitted at the same time. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Controls the folds and the clones of `estimator` whose own `random_state` is None.

    Attributes
    ----------
    sample_scores_ : ndarray of shape (n_samples,)
        Minus the out-of-fold standardised error, averaged with that of the forest where there is one: lower scores are
        more anomalous. Rank rows by it.
    label_issues_ : ndarray of shape (n_issues,)
        Indices of the rows marked for review or dropped, the lowest score first.
    mask_frequency_ : ndarray of shape (n_samples,)
        Fraction of the epochs with masking in which the row was dropped, averaged over the fits that trained on it.
    sample_pvalues_ : ndarray of shape (n_samples,)
        Estimated fraction of clean rows with a score at most as high.
    decision_ : ndarray of shape (n_samples,) of str
        ``"keep"``, ``"review"`` or ``"drop"``.
    sample_indices_ : ndarray of shape (n_resampled,)
        Indices of the rows that are not dropped.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    TrainingDynamics : Distinguishes mislabelled, noisy and out-of-distribution rows.
    MaskedEstimator : Leaves rows with large errors out of training, without a decision about each row.

    Notes
    -----
    Below the threshold of the mask the p-value is empirical: the rank of the error among the rows below the
    threshold. Above it, where the wrong rows are, it comes from the tail of the normal distribution, which for margins
    starts at 1 %, about the largest fraction of clean rows that the mask takes in the tables of the user guide. A row
    is dropped if its p-value is at most `false_drop_rate` and it was masked in at least half of the epochs. It is
    marked for review if its p-value is at most `false_review_rate` or it was masked that often. The bounds hold on
    clean data with normal errors, or for a classifier whose wrong predictions are mostly unsure. If the errors of a
    regressor have a long tail (see :class:`ZErrorMask`), all p-values are empirical. A tail that is not recognised as
    one is dropped beyond the threshold. A class is never dropped entirely.

    Without an `estimator`, labels are also judged by a random forest of 100 trees, each row by the trees that were not
    trained on it. Its error is 1 minus the margin divided by the median margin of rows rightly predicted as the same
    class. The errors of both, between -1 and 3, are averaged. The weight of each is how many fewer labels it
    contradicts than the most frequent class alone, relative to those that it contradicts: of 1,000 labels, 400 of them
    not the most frequent one, a model that contradicts 100 has weight 3, and one that contradicts 200 has weight 1.

    The mask is that of Z-Error Loss [1]_, which proposes the list of masked rows for curation. The folds, the forest,
    p-values and decisions are our additions.

    References
    ----------
    .. [1] Godin, G. (2025). Z-Error Loss for Training Neural Networks. arXiv:2506.02154.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.robust import SampleCurator
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(600, 2))
    >>> y = X @ [1.0, 2.0] + 0.1 * random.normal(size=600)
    >>> y[:30] = random.permutation(y[:30]) + 3
    >>> curator = SampleCurator(random_state=0)
    >>> X_kept, y_kept = curator.fit_resample(X, y)
    >>> (
    ...     bool((curator.decision_[:30] == "drop").mean() > 0.9),
    ...     bool((curator.decision_[30:] == "drop").mean() < 0.03),
    ... )
    (True, True)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [None, HasMethods(["fit", "score_samples"])],
        "false_drop_rate": [Interval(Real, 0, 1, closed="neither")],
        "false_review_rate": [Interval(Real, 0, 1, closed="neither")],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split", "get_n_splits"])],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        false_drop_rate: float = 0.01,
        false_review_rate: float = 0.05,
        cv: Any = 5,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.false_drop_rate = false_drop_rate
        self.false_review_rate = false_review_rate
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _check(self, X: Any, y: Any) -> tuple[Any, NDArray[Any]]:
        if self.estimator is None:
            rows, targets = validate_data(self, X, y, reset=True, dtype=(np.float64, np.float32), order="C")
        else:  # which validates the rows of each fold itself: a pipeline may encode and impute them
            rows, targets = check_any_rows(self, X, y)
        kind = _target_kind(targets)
        if kind not in {"binary", "multiclass", "continuous"}:
            raise ValueError(f"Unknown label type: {kind}. Give one number or class per row.")
        return rows, targets

    def _make(self, y: NDArray[Any]) -> Any:
        if self.estimator is not None:
            return clone(self.estimator)
        return ZErrorRegressor() if _target_kind(y) == "continuous" else ZErrorClassifier()

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, NDArray[Any], NDArray[np.intp]]:
        seed = draw_seed(self.random_state)
        estimator = self._make(y)
        if "random_state" in estimator.get_params() and estimator.get_params()["random_state"] is None:
            estimator.set_params(random_state=seed)
        classifier = is_classifier(estimator)
        smallest = np.unique(y, return_counts=True)[1].min() if classifier else y.size
        if y.size < 2 or (classifier and smallest < 2):
            raise ValueError(
                f"SampleCurator needs at least 2 rows, and at least 2 of each class; got n_samples={y.size}, of which "
                f"the rarest class has {smallest}. If y is a continuous target, pass estimator=ZErrorRegressor()."
            )
        splitter = self.cv
        if isinstance(splitter, Integral):
            kind = StratifiedKFold if classifier else KFold
            splitter = kind(
                min(int(splitter), int(smallest if classifier else y.size)), shuffle=True, random_state=seed
            )
        folds = list(splitter.split(np.empty((y.size, 0)), y))
        n_splits = len(folds)
        if not np.array_equal(np.sort(np.concatenate([test for _, test in folds])), np.arange(y.size)):
            raise ValueError(f"cv={self.cv!r} must test every row exactly once; pass KFold, StratifiedKFold or an int.")
        errors, frequency = np.empty(y.size), np.zeros(y.size)

        def of_fold(fitted: Any, place: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            test = folds[place][1]
            return -fitted.score_samples(take_rows(X, test), y[test]), fitted.mask_frequency_

        found = fit_subsets(estimator, X, y, [train for train, _ in folds], of_fold, n_jobs=self.n_jobs)
        for (train, test), (fold_errors, fold_frequency) in zip(folds, found, strict=True):
            errors[test] = fold_errors
            frequency[train] += fold_frequency / (n_splits - 1)
        if self.estimator is None and classifier:
            errors = _averaged_with_forest(errors, X, y, seed)
        mask = estimator.get_params(deep=False).get("masking")
        plan = MaskPlan.of(ZErrorMask() if mask is None else mask, classifier=classifier)
        self.sample_scores_, self.mask_frequency_ = -errors, frequency
        sides = 2.0 if plan.side == 0 else 1.0
        long_tail = not classifier and plan.limit_of_long_tail(errors, np.ones(y.size)) > 0
        threshold = np.inf if long_tail else plan.threshold
        self.sample_pvalues_ = _clean_pvalues(errors, threshold, sides, margins=plan.by_confidence)
        masked = frequency >= 0.5
        decision = np.full(y.size, "keep", dtype="<U6")
        decision[masked | (self.sample_pvalues_ <= self.false_review_rate)] = "review"
        decision[masked & (self.sample_pvalues_ <= self.false_drop_rate)] = "drop"
        for label in np.unique(y) if classifier else ():
            members = y == label
            if (decision[members] == "drop").all():
                decision[members] = "review"
        self.decision_ = decision
        issues = np.flatnonzero(decision != "keep")
        self.label_issues_ = issues[np.argsort(-errors[issues], kind="stable")]
        kept = np.flatnonzero(decision != "drop")
        return None, y[kept], kept

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator).input_tags if self.estimator is not None else None
        for kind in ("allow_nan", "sparse", "string", "categorical"):
            setattr(tags.input_tags, kind, inner is not None and getattr(inner, kind))
        return tags


def _target_kind(targets: NDArray[Any]) -> str:
    with np.errstate(invalid="ignore"):  # scikit-learn turns huge targets to integers
        return str(type_of_target(targets))


def _averaged_with_forest(
    errors: NDArray[np.float64], X: NDArray[Any], y: NDArray[Any], seed: int
) -> NDArray[np.float64]:
    """Average the errors of labels with those of a forest whose trees did not see the row."""
    classes, labels = np.unique(y, return_inverse=True)
    votes = Forests(classes.size, generator(seed)).outputs(0, X, labels, None)
    return averaged_label_errors(errors, label_errors(votes, labels), labels)


def _clean_pvalues(
    errors: NDArray[np.float64], threshold: float, sides: float, *, margins: bool
) -> NDArray[np.float64]:
    """Return the p-values: the estimated fraction of clean rows at or above each error."""
    if margins:  # 1 % beyond a threshold of 2, and a half-normal tail from there
        beyond = 0.01 * norm.sf(threshold) / norm.sf(2.0)
        tail = 2.0 * beyond * norm.sf(errors - threshold)
        is_beyond = errors >= threshold - _TIE
    else:
        beyond, tail = sides * norm.sf(threshold), sides * norm.sf(errors)
        is_beyond = errors > threshold
    within = np.sort(errors[~is_beyond])
    inside = beyond + (1.0 - beyond) * (count_at_least(within, errors) + 1) / (within.size + 1)
    return np.where(is_beyond, np.minimum(tail, beyond), np.minimum(inside, 1.0))
