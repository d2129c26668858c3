"""Training with groups of equal weight, so that a classifier cannot gain by a shortcut that holds for most rows."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import column_or_1d

from skanomaly._support._callbacks import CallbackSupport, callbacks_of
from skanomaly._support._coarse import warn_of_rounded_integers
from skanomaly._support._columns import is_frame
from skanomaly._support._labels import check_classification_targets, require_two_classes
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._refits import clone_with_seed, fit_subsets
from skanomaly._support._restore import restore_on_error
from skanomaly._support._rows import take_rows
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions, fit_context
from skanomaly._support._validation import check_any_rows
from skanomaly._support._weighted_fits import fit_weighted, takes_weights
from skanomaly.robust._delegate import FittedEstimatorMethods

__all__ = ["GroupBalancedClassifier", "GroupWeights", "LastLayer", "TrainTwice"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Task:
    """What a method trains on: the rows, their classes, the cell of each row, and the randomness."""

    X: Any
    y: NDArray[Any]
    cells: NDArray[np.intp]
    random: np.random.Generator
    seed: int


class GroupWeights(ParameterObject):
    """Give each class in each group the same total weight.

    Parameters
    ----------
    balance : {"weight", "subsample"}, default="weight"
        "weight" passes a ``sample_weight``, "subsample" draws as many rows of each as the smallest has.

    See Also
    --------
    GroupBalancedClassifier : Takes it as `method`.

    Examples
    --------
    >>> from skanomaly.robust import GroupWeights
    >>> GroupWeights(balance="subsample")
    GroupWeights(balance='subsample')
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"balance": [StrOptions({"weight", "subsample"})]}

    def __init__(self, *, balance: str = "weight") -> None:
        self.balance = balance

    def _train(self, estimator: Any, task: _Task) -> tuple[Any, Floats]:
        counts = np.bincount(task.cells)
        if self.balance == "subsample":
            rows = _balanced_rows(task.cells, task.random)
            weights = np.bincount(rows, minlength=len(task.cells)).astype(np.float64)
            return clone_with_seed(estimator, task.seed).fit(take_rows(task.X, rows), task.y[rows]), weights
        weights = len(task.cells) / (np.count_nonzero(counts) * counts[task.cells])
        return _fit_weighted(estimator, task, weights, repeat=False), weights


class TrainTwice(ParameterObject):
    """Train once, and again with more weight on the rows that the first fit predicts wrongly. Needs no groups.

    Parameters
    ----------
    weight : float, default=20.0
        Weight of a row that is predicted wrongly; the others have 1.
    cv : int, default=5
        Number of folds of the first fit, which predicts out of fold.

    See Also
    --------
    GroupBalancedClassifier : Takes it as `method`.

    Notes
    -----
    Liu et al. [1]_ take the errors on the training rows of a model that is stopped early. Out-of-fold predictions need
    no such choice. Rows whose label is wrong are predicted wrongly, too, and get the weight: drop them before
    (:class:`SampleCurator`).

    References
    ----------
    .. [1] E. Z. Liu et al., "Just Train Twice: Improving Group Robustness without Training Group Information", 2021.
       arXiv:2107.09044.

    Examples
    --------
    >>> from skanomaly.robust import TrainTwice
    >>> TrainTwice(weight=5.0)
    TrainTwice(weight=5.0)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "weight": [Interval(Real, 1, None, closed="left")],
        "cv": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(self, *, weight: float = 20.0, cv: int = 5) -> None:
        self.weight = weight
        self.cv = cv

    def _train(self, estimator: Any, task: _Task) -> tuple[Any, Floats]:
        smallest = int(np.unique(task.y, return_counts=True)[1].min())
        if smallest < 2:
            raise ValueError("The rarest class of y has 1 row, which cannot be predicted out of fold. Drop it.")
        splitter = StratifiedKFold(min(self.cv, smallest), shuffle=True, random_state=task.seed)
        folds = list(splitter.split(np.empty((len(task.y), 0)), task.y))

        def is_wrong(fitted: Any, place: int) -> NDArray[np.bool_]:
            test = folds[place][1]
            return np.asarray(np.asarray(fitted.predict(take_rows(task.X, test))) != task.y[test])

        subsets = [train for train, _ in folds]
        weights = np.ones(len(task.y))
        for (_, test), wrong in zip(
            folds,
            fit_subsets(estimator, task.X, task.y, subsets, is_wrong, seeds=[task.seed] * len(folds)),
            strict=True,
        ):
            weights[test[wrong]] = self.weight
        return _fit_weighted(estimator, task, weights, repeat=True), weights


class LastLayer(ParameterObject):
    """Fit a transformer on some of the rows, and the classifier on its outputs for others, balanced by group.

    Parameters
    ----------
    transformer : transformer
        Unfitted; it is fitted with the classes. What it learns may use a shortcut, the classifier after it does not.
    holdout : float, default=0.5
        Fraction of the rows that the classifier is trained on; of these as many rows of each class in each group are
        drawn as the smallest has.

    See Also
    --------
    GroupBalancedClassifier : Takes it as `method`.

    Notes
    -----
    Kirichenko et al. [1]_ retrain the last layer of a network on rows with balanced groups.

    References
    ----------
    .. [1] P. Kirichenko, P. Izmailov and A. G. Wilson, "Last Layer Re-Training is Sufficient for Robustness to Spurious
       Correlations", 2022. arXiv:2204.02937.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from skanomaly.robust import LastLayer
    >>> LastLayer(PCA(), holdout=0.4)
    LastLayer(holdout=0.4, transformer=PCA())
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "transformer": [HasMethods(["fit", "transform"])],
        "holdout": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, transformer: Any, *, holdout: float = 0.5) -> None:
        self.transformer = transformer
        self.holdout = holdout

    def _train(self, estimator: Any, task: _Task) -> tuple[Any, Floats]:
        held = np.zeros(len(task.cells), dtype=np.bool_)
        order = task.random.permutation(len(task.cells))
        for cell in np.unique(task.cells):
            members = order[task.cells[order] == cell]
            # At least one row of each on either side, where there are two.
            n_held = min(max(round(self.holdout * len(members)), 1), max(len(members) - 1, 1))
            held[members[:n_held]] = True
        inside = np.flatnonzero(~held)
        if len(np.unique(task.y[inside])) < 2:
            raise ValueError(f"holdout={self.holdout!r} leaves 1 class to fit the transformer; lower it.")
        rows = np.flatnonzero(held)[_balanced_rows(task.cells[held], task.random)]
        transformer = clone_with_seed(self.transformer, task.seed).fit(take_rows(task.X, inside), task.y[inside])
        head = clone_with_seed(estimator, task.seed).fit(transformer.transform(take_rows(task.X, rows)), task.y[rows])
        weights = np.bincount(rows, minlength=len(task.cells)).astype(np.float64)
        return make_pipeline(transformer, head), weights


def _balanced_rows(cells: NDArray[np.intp], random: np.random.Generator) -> NDArray[np.intp]:
    """Draw as many rows of each cell as the smallest has."""
    counts = np.unique(cells, return_counts=True)[1]
    order = random.permutation(len(cells))
    chosen = [order[cells[order] == cell][: counts.min()] for cell in np.unique(cells)]
    return np.sort(np.concatenate(chosen))


def _fit_weighted(estimator: Any, task: _Task, weights: Floats, *, repeat: bool) -> Any:
    model = clone_with_seed(estimator, task.seed)
    if takes_weights(model):
        return fit_weighted(model, task.X, task.y, weights)
    if not repeat:
        raise ValueError(
            f"{model!r} takes no sample_weight. Use method=GroupWeights(balance='subsample'), or an estimator with "
            "sample_weight in fit."
        )
    rows = np.repeat(np.arange(len(task.y)), np.round(weights).astype(np.intp))
    return model.fit(take_rows(task.X, rows), task.y[rows])


class GroupBalancedClassifier(
    CallbackSupport, ClassifierMixin, FittedEstimatorMethods, MetaEstimatorMixin, BaseEstimator
):
    """Classifier that is trained so that each class counts the same in every group of rows.

    Where 95 % of the cows stand on grass, a classifier learns the grass. Its accuracy on the few cows at the beach is
    low, and on average it does not show. Training with equal weights of the groups (cows on grass, cows at the beach,
    camels on grass, ...) takes away what the shortcut gains.

    Parameters
    ----------
    estimator : classifier
        Unfitted.
    method : GroupWeights, TrainTwice or LastLayer, default=None
        How the groups are balanced. None is ``GroupWeights()``.
    random_state : int, RandomState instance or None, default=None
        Controls what the method draws, and each `random_state` of `estimator` that is None.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone; with :class:`LastLayer` a pipeline of the transformer and it.
    classes_ : ndarray of shape (n_classes,)
        Sorted classes.
    groups_ : dict of str to ndarray
        "group", "class", and "n_samples" of each.
    sample_weight_ : ndarray of shape (n_samples,)
        Weight of each training row; 0 for rows that were not drawn.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    skanomaly.audit.SpuriousAudit : Finds the columns and the groups.

    Notes
    -----
    The accuracy on most rows falls where that on the worst group rises. A group of few rows gets large weights, so the
    variance grows: compare the worst group on held-out rows (:func:`skanomaly.audit.worst_group_report`).

    References
    ----------
    .. [1] W. Ye, G. Zheng, X. Cao, Y. Ma and A. Zhang, "Spurious Correlations in Machine Learning: A Survey", 2024.
       arXiv:2402.12715.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skanomaly.audit import worst_group_report
    >>> from skanomaly.robust import GroupBalancedClassifier
    >>> random = np.random.default_rng(0)
    >>> y = random.integers(2, size=2000)
    >>> shape, grass = (
    ...     np.where(random.random(2000) < rate, y, 1 - y) for rate in (0.8, 0.95)
    ... )
    >>> X = np.column_stack([shape, grass])
    >>> plain = LogisticRegression().fit(X, y)
    >>> balanced = GroupBalancedClassifier(LogisticRegression()).fit(X, y, groups=grass)
    >>> [
    ...     float(worst_group_report(y, model.predict(X), grass)["accuracy"][0].round(1))
    ...     for model in (plain, balanced)
    ... ]
    [0.0, 0.8]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "method": [GroupWeights, TrainTwice, LastLayer, None],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator: Any, *, method: Any = None, random_state: Any = None) -> None:
        self.estimator = estimator
        self.method = method
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Train with balanced groups.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Whatever `estimator` accepts.
        y : array-like of shape (n_samples,)
            Classes.
        groups : array-like of shape (n_samples,), default=None
            Group of each row, such as the background. None balances the classes alone.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If `estimator` is no classifier.
        ValueError
            If `y` has one class, `groups` has another length, or `estimator` takes no weights and the method needs
            them.
        """
        with restore_on_error(self, X, y), callbacks_of(self):
            if not is_classifier(self.estimator):
                raise TypeError(f"estimator must be a classifier; got {self.estimator!r}.")
            rows, targets = check_any_rows(self, X, y)
            if not (is_frame(rows) and hasattr(self.estimator, "steps")):  # which may choose columns by name
                warn_of_rounded_integers(rows)
            check_classification_targets(targets)
            self.classes_, places = np.unique(targets, return_inverse=True)
            require_two_classes(self, self.classes_)
            given = np.zeros(len(targets), dtype=np.intp) if groups is None else column_or_1d(groups)
            if len(given) != len(targets):
                raise ValueError(f"groups has {len(given)} rows and y {len(targets)}; give one group for each row.")
            labels, codes = np.unique(given, return_inverse=True)
            cells = codes * len(self.classes_) + places
            found, counts = np.unique(cells, return_counts=True)
            random = generator(self.random_state)
            method = GroupWeights() if self.method is None else clone(self.method, safe=False)
            method._validate_params()
            task = _Task(rows, targets, cells, random, int(random.integers(2**31)))
            self.estimator_, weights = method._train(self.estimator, task)
            self.sample_weight_: NDArray[np.float64] = weights
            self.groups_ = {
                "group": labels[found // len(self.classes_)],
                "class": self.classes_[found % len(self.classes_)],
                "n_samples": counts,
            }
            self._warn_if_constant(rows)
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.classifier_tags = inner.classifier_tags
        for kind in ("allow_nan", "sparse", "string", "categorical"):
            setattr(tags.input_tags, kind, getattr(inner.input_tags, kind))
        return tags
