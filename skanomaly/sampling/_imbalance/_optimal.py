"""How much of the rare class to train on."""

import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._extremes import extreme_values
from skanomaly._support._labels import check_classification_targets
from skanomaly._support._restore import restore_on_error
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import HasMethods, fit_context
from skanomaly._support._validation import check_weights, validate_data
from skanomaly._support._weighted_fits import fit_weighted
from skanomaly.base import BaseSampler
from skanomaly.sampling._cleaning._under import RandomUnderSampler
from skanomaly.sampling._resampled import ResampledEstimator, seeded_clones

__all__ = ["OptimalImbalance"]


def _has(method: str) -> Any:
    def check(self: Any) -> bool:
        return hasattr(LogisticRegression() if self.estimator is None else self.estimator, method)

    return check


class _FractionSampler(BaseSampler):
    """Bring the rare of two classes to a fraction of the rows, by an over-sampler or by leaving rows out."""

    def __init__(self, *, fraction: float | None = None, sampler: Any = None, random_state: Any = None) -> None:
        self.fraction = fraction
        self.sampler = sampler
        self.random_state = random_state

    def _fit_resample(self, X: Any, y: NDArray[Any]) -> tuple[Any, Any, NDArray[np.intp]]:
        classes, counts = np.unique(y, return_counts=True)
        if self.fraction is None or len(classes) != 2:
            return None, None, np.arange(len(y), dtype=np.intp)
        rare, common = (classes.tolist()[place] for place in (counts.argmin(), 1 - counts.argmin()))
        few, many = int(counts.min()), int(counts.max())
        odds = self.fraction / (1.0 - self.fraction)
        given = RandomUnderSampler() if self.sampler is None else self.sampler
        if odds * many < few:  # fewer of the rare class than there are
            given, wanted = RandomUnderSampler(), {rare: max(1, round(odds * many))}
        elif self.sampler is None:
            wanted = {common: max(1, round(few / odds))}
        else:
            wanted = {rare: max(few, round(odds * many))}
        sampler = seeded_clones([given], self.random_state)[0].set_params(sampling_strategy=wanted)
        rows, targets = sampler.fit_resample(X, y)
        return rows, targets, sampler.sample_indices_


class OptimalImbalance(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    r"""Choose the fraction of the rare class in the training data by cross-validation, for two classes.

    Parameters
    ----------
    estimator : classifier, default=None
        What is trained; None means ``LogisticRegression()``.
    ratios : sequence of float, default=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
        Fractions of the rare class to try, in (0, 1). The natural fraction is tried as well.
    sampler : sampler with ``sampling_strategy``, default=None
        Over-sampler that makes the rare class larger; None leaves rows of the common class out instead. Fractions
        below the natural one always leave rare rows out.
    scoring : str or callable, default="average_precision"
        Score on the test folds, which are not resampled. "average_precision" takes the rarer class as positive,
        whatever its label; any other name is scikit-learn's own scorer, whose positive class is the label 1.
    cv : int or splitter, default=5
        Folds; a number is stratified and shuffled.
    correct_prior : bool, default=True
        Whether probabilities are corrected to the natural fractions.
    n_jobs : int or None, default=None
        Fits in parallel.
    random_state : int, RandomState instance or None, default=None
        Draws the folds and the rows, and seeds sampler and estimator.

    Attributes
    ----------
    best_ratio_ : float
        Fraction of the rare class that scored best.
    best_score_ : float
        Its mean score over the folds.
    natural_ratio_ : float
        Fraction of the rare class in y.
    results_ : dict of ndarray
        By ascending fraction: ``ratio``, ``mean_score``, ``std_score``, and ``loss``, the best mean score minus this.
    estimator_ : ResampledEstimator
        Fitted to all rows at the best fraction.
    classes_ : ndarray of shape (2,)
        Classes.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.

    See Also
    --------
    sklearn.model_selection.TunedThresholdClassifierCV : Tunes the threshold instead.

    Notes
    -----
    The fraction of the rare class may differ between the population, the training rows and the test rows. In a solvable
    model of a linear classifier in many dimensions [1]_ the best fraction in training is generally not one half: it
    depends on the population's fraction, on the number of rows and on label noise. One half balances the classes'
    weight in the loss; rows left out or synthesised add variance. The optimum is flat between about 0.4 and 0.6, and
    the natural fraction can be far from it where the rare class is very rare. The fraction is therefore a
    hyper-parameter, and ``results_`` has the score of each choice.

    Probabilities of a model that was trained at another fraction are biased; ``correct_prior=True`` corrects them
    (exactly, for rows left out at random).

    References
    ----------
    .. [1] F. S. Pezzicoli, V. Ros, F. P. Landes and M. Baity-Jesi, "Class Imbalance in Anomaly Detection: Learning from
       an Exactly Solvable Model", AISTATS 2025. arXiv:2501.11638.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skanomaly.sampling import OptimalImbalance
    >>> X, y = make_classification(
    ...     1000, weights=[0.95], flip_y=0, class_sep=0.5, random_state=0
    ... )
    >>> search = OptimalImbalance(ratios=(0.1, 0.3, 0.5), random_state=0).fit(X, y)
    >>> search.results_["ratio"].round(2).tolist()
    [0.05, 0.1, 0.3, 0.5]
    >>> search.best_ratio_ in set(search.results_["ratio"])
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods("fit"), None],
        "ratios": ["array-like"],
        "sampler": [HasMethods("fit_resample"), None],
        "scoring": [str, callable],
        "cv": ["cv_object"],
        "correct_prior": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        ratios: Sequence[float] = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
        sampler: Any = None,
        scoring: Any = "average_precision",
        cv: Any = 5,
        correct_prior: bool = True,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.ratios = ratios
        self.sampler = sampler
        self.scoring = scoring
        self.cv = cv
        self.correct_prior = correct_prior
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Try every fraction, and train at the best.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Two classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, passed to the estimator as :class:`ResampledEstimator` does. The fractions count rows.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y holds more or fewer than two classes, a fraction is not in (0, 1), or no fraction but the natural one
            could be scored.
        """
        with restore_on_error(self, X):
            rows, targets = validate_data(self, X, y, reset=True, dtype=(np.float64, np.float32), order="C")
            check_classification_targets(targets)
            weights = check_weights(sample_weight, rows)
            ratios = np.asarray(self.ratios, dtype=np.float64)
            if ratios.ndim != 1 or not ((ratios > 0) & (ratios < 1)).all():
                raise ValueError(f"ratios={self.ratios!r} must be fractions in (0, 1).")
            self.classes_, counts = np.unique(targets, return_counts=True)
            if len(self.classes_) != 2:
                kind = "1 class" if len(self.classes_) == 1 else f"{len(self.classes_)} classes"
                raise ValueError(f"Only binary classification is supported; y holds {kind}.")
            if counts.min() < 2:
                raise ValueError(
                    f"y holds one row of class {self.classes_[counts.argmin()]}; two are needed, for training and "
                    "for the score."
                )
            self.natural_ratio_ = float(counts.min() / counts.sum())
            seed = draw_seed(self.random_state)
            inner = LogisticRegression() if self.estimator is None else self.estimator
            model = ResampledEstimator(
                _FractionSampler(sampler=self.sampler), inner, correct_prior=self.correct_prior, random_state=seed
            )
            folds = self.cv
            if isinstance(folds, Integral):
                n_folds = max(2, min(int(folds), int(counts.min())))
                folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
            grid = {"sampler__fraction": [None, *ratios.tolist()]}
            scoring = self.scoring
            if scoring == "average_precision":
                scoring = make_scorer(
                    average_precision_score,
                    response_method=("decision_function", "predict_proba"),
                    pos_label=self.classes_[counts.argmin()],
                )
            search = GridSearchCV(model, grid, scoring=scoring, cv=folds, n_jobs=self.n_jobs, refit=False)
            if extreme_values(rows, first_only=True):
                search.set_params(error_score="raise")  # the error then names these values
            with warnings.catch_warnings():  # of constant outputs; the last fit warns once
                warnings.filterwarnings("ignore", "ResampledEstimator gives all", UserWarning)
                found = fit_weighted(search, rows, targets, weights).cv_results_
            fractions = np.array([self.natural_ratio_, *ratios])
            scores = found["mean_test_score"]
            if ratios.size and np.isnan(scores[1:]).all():
                raise ValueError(
                    f"No score at any of ratios={ratios.tolist()}, so none can be chosen; the warnings "
                    f"say which fits failed. With scoring={self.scoring!r}, sampler={self.sampler!r}, "
                    f"cv={self.cv!r}: give a scorer with the rare class as pos_label (sklearn.metrics.make_scorer), "
                    "choose another sampler, or fewer folds."
                )
            best = int(np.where(np.isnan(scores), -np.inf, scores).argmax())
            self.best_ratio_, self.best_score_ = float(fractions[best]), float(scores[best])
            order = np.argsort(fractions, kind="stable")
            self.results_ = {
                "ratio": fractions[order],
                "mean_score": scores[order],
                "std_score": found["std_test_score"][order],
                "loss": scores[best] - scores[order],
            }
            model = clone(model).set_params(sampler__fraction=grid["sampler__fraction"][best])
            self.estimator_ = fit_weighted(model, rows, targets, weights)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict with the estimator trained at the best fraction.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        rows = self._rows(X)
        return self.estimator_.predict(rows)

    def _rows(self, X: Any) -> Any:
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=(np.float64, np.float32), order="C")

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Class probabilities, corrected to the natural fractions with ``correct_prior=True``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, 2)
        """
        rows = self._rows(X)
        return self.estimator_.predict_proba(rows)

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Decisions of the estimator; with ``correct_prior=True`` the log-odds of ``predict_proba``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        rows = self._rows(X)
        return self.estimator_.decision_function(rows)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
