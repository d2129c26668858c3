"""Kinds of label errors, recognised by how the loss of a row falls during training."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils import Tags
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._callbacks import CallbackSupport, callbacks_of, reported
from skanomaly._support._labels import require_two_classes
from skanomaly._support._restore import restore_on_error
from skanomaly._support._scales import SafeRange, column_scale
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval, fit_context
from skanomaly._support._ties import rank_scores
from skanomaly._support._validation import validate_data
from skanomaly.robust._training import Standardizer

__all__ = ["TrainingDynamics"]

_BATCH_ROWS = 128
_FRACTION_EXCHANGED = 0.5
_NOISE_SCALE = 2.0
_CATEGORIES = np.array(["mislabelled", "noisy", "out_of_distribution", "typical", "atypical"])
_TYPICAL, _ATYPICAL = 3, 4
_FEWEST_ATYPICAL = 4


class TrainingDynamics(CallbackSupport, BaseEstimator):
    """Distinguishes mislabelled, noisy and out-of-distribution rows by their learning curves.

    Rows of known kind, the probes, are generated from the data and added to the training data. The learning curve of a
    row is its loss after each epoch. A k-nearest-neighbour vote among the curves of the probes gives the kind of each
    row.

    Parameters
    ----------
    estimator : estimator, default=None
        Must have ``partial_fit``, or ``staged_predict_proba`` / ``staged_predict`` (in boosting a stage counts as an
        epoch). It is trained on standardised columns and, in regression, standardised targets. None is a network with
        64 hidden units.
    n_probes : int, default=150
        Number of probes of each kind; at most a fifth of the rows is used.
    n_neighbors : int, default=20
        Number of nearest learning curves that vote, weighted by the inverse of their distance.
    max_iter : int, default=40
        Number of epochs, for estimators with ``partial_fit``.
    verbose : bool or int, default=False
        Whether to print the mean loss after each epoch or stage.
    random_state : int, RandomState instance or None, default=None
        Controls the probes, the order of the rows, and the clone of `estimator` if its own `random_state` is None.

    Attributes
    ----------
    loss_trajectories_ : ndarray of shape (n_samples, `n_iter_`)
        Loss of each row after each epoch: cross-entropy of its label, or squared error divided by the variance of
        the targets.
    mean_loss_ : ndarray of shape (n_samples,)
        Mean loss over the epochs. It ranks label errors at least as well as the probes do.
    categories_ : ndarray of shape (4,) or (5,) of str
        ``"mislabelled"``, ``"noisy"``, ``"out_of_distribution"``, ``"typical"`` and, where there are such rows,
        ``"atypical"``.
    probe_proba_ : ndarray of shape (n_samples, n_categories)
        Fraction of the vote for each category.
    labels_ : ndarray of shape (n_samples,) of str
        Category with the largest fraction of the vote.
    probe_accuracy_ : float
        Accuracy on the held-out half of the probes, which does not vote: it says how reliable the categories are.
    probe_confusion_ : ndarray of shape (n_categories, n_categories)
        Confusion matrix of the held-out probes: true kind by row, predicted kind by column.
    n_iter_ : int
        Number of epochs or stages.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    SampleCurator : Decides for each row whether to drop it.

    Notes
    -----
    Metadata Archaeology (Siddiqui et al. 2022). The probes are generated as follows:

    - typical: rows whose nearest neighbours have the same label (in regression: similar targets);
    - atypical: of the rows whose label most of their neighbours have, so that they are not simply mislabelled, those
      farthest from their neighbours; at least 4, beside as many typical ones, or the category is left out;
    - mislabelled: points between a row and one of its neighbours, with a wrong label taken from another row (a copy of
      a row would contradict its original);
    - noisy: rows with half of the values exchanged for those of other rows, and normal noise of 2 standard deviations
      added to all values;
    - out of distribution: each value drawn independently from its column, with the label of a random row.

    The authors take the probes out of the training rows. Here all but the typical and atypical ones are added, so that
    every row has a learning curve of its own. If more than 30 % of the labels are wrong, typical rows can no longer be
    recognised.

    References
    ----------
    .. [1] Siddiqui, S. A. et al. (2022). Metadata Archaeology: Unearthing Data Subsets by Leveraging Training Dynamics.
       arXiv:2209.10015.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from skanomaly.robust import TrainingDynamics
    >>> X, y = make_blobs(400, n_features=6, centers=3, random_state=0)
    >>> y[:20] = (y[:20] + 1) % 3
    >>> dynamics = TrainingDynamics(max_iter=15, random_state=0).fit(X, y)
    >>> ranked = np.argsort(-dynamics.issue_score("mislabelled"))
    >>> bool((ranked[:20] < 20).mean() > 0.9)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [None, HasMethods(["fit", "partial_fit"]), HasMethods(["fit", "predict"])],
        "n_probes": [Interval(Integral, 4, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_probes: int = 150,
        n_neighbors: int = 20,
        max_iter: int = 40,
        verbose: bool | int = False,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_probes = n_probes
        self.n_neighbors = n_neighbors
        self.max_iter = max_iter
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Train once on the rows and the probes, and compare their learning curves.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Classes, or numbers for regression.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are fewer than 10 rows or only one class.
        TypeError
            If `estimator` has no ``partial_fit`` and no staged prediction.
        """
        with restore_on_error(self, X, y), callbacks_of(self):
            rows, targets = validate_data(self, X, y, dtype=np.float64)
            with np.errstate(invalid="ignore"):  # scikit-learn turns huge targets to integers
                kind = type_of_target(targets)
            if kind not in {"binary", "multiclass", "continuous"}:
                raise ValueError(f"Unknown label type: {kind}. Give one number or class per row.")
            if rows.shape[0] < 10:
                raise ValueError(
                    f"TrainingDynamics needs at least 10 rows to generate probes; got n_samples={rows.shape[0]}."
                )
            classifier = kind != "continuous" if self.estimator is None else is_classifier(self.estimator)
            if classifier:
                require_two_classes(self, np.unique(targets))
            random = generator(self.random_state)
            estimator = self._make(classifier, int(random.integers(2**31)))
            Z = Standardizer.of(rows, None)(rows)
            if not classifier:
                targets = targets.astype(np.float64)
                targets = _standardized(targets)
            probes, probe_targets, kinds = self._probes(Z, targets, random, classifier=classifier)
            table, labels = np.vstack([Z, probes]), np.concatenate([targets, probe_targets])
            curves = []
            for curve in reported(self._epochs(estimator, table, labels, random), "train", can_stop=True):
                curves.append(curve)
                if self.verbose:
                    print(f"TrainingDynamics: epoch {len(curves)}, loss {curve[: len(rows)].mean():.6f}")  # noqa: T201  # verbose
            losses = np.stack(curves, axis=1)
            self.n_iter_ = losses.shape[1]
            self.loss_trajectories_ = losses[: rows.shape[0]]
            self.mean_loss_ = self.loss_trajectories_.mean(axis=1)
            self._classify(np.log1p(losses), rows.shape[0], kinds, random)
        return self

    def _make(self, classifier: bool, seed: int) -> Any:
        if self.estimator is None:
            network = MLPClassifier if classifier else MLPRegressor
            return network(hidden_layer_sizes=(64,), learning_rate_init=0.002, random_state=seed)
        estimator = clone(self.estimator)
        if not (is_classifier(estimator) or is_regressor(estimator)):
            raise TypeError(f"estimator must be a classifier or a regressor; got {estimator!r}.")
        parameters = estimator.get_params()
        if "random_state" in parameters and parameters["random_state"] is None:
            estimator.set_params(random_state=seed)
        return estimator

    def _probes(
        self, Z: NDArray[np.float64], y: NDArray[Any], random: np.random.Generator, *, classifier: bool
    ) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[np.intp]]:
        """Return the added probes, their targets, and the category of every row (-1 if it is no probe)."""
        n_rows = Z.shape[0]
        n_probes = max(2, min(self.n_probes, n_rows // 5))
        distances, neighbors = NearestNeighbors(n_neighbors=min(6, n_rows)).fit(Z).kneighbors(Z)
        distances, neighbors = distances[:, 1:], neighbors[:, 1:]
        if classifier:
            agreement = (y[neighbors] == y[:, None]).mean(axis=1)
        else:
            agreement = -np.abs(y[neighbors] - y[:, None]).mean(axis=1)
        jitter = random.random(n_rows)
        typical = np.lexsort((jitter, -agreement))[:n_probes]
        agreeing = agreement > 0.5 if classifier else agreement >= np.median(agreement)
        agreeing[typical] = False
        candidates = np.flatnonzero(agreeing)
        atypical = candidates[np.argsort(-distances[candidates].mean(axis=1), kind="stable")[: n_probes // 2]]
        first = random.integers(n_rows, size=n_probes)
        second = neighbors[first, random.integers(neighbors.shape[1], size=n_probes)]
        if classifier:
            second = np.where(y[second] == y[first], second, first)
        fraction = random.uniform(0.3, 0.7, size=(n_probes, 1))
        between = fraction * Z[first] + (1 - fraction) * Z[second]
        noisy = random.integers(n_rows, size=n_probes)
        independent, shuffled = (
            np.stack([column[random.integers(n_rows, size=n_probes)] for column in Z.T], axis=1) for _ in range(2)
        )
        blurred = np.where(random.random(shuffled.shape) < _FRACTION_EXCHANGED, shuffled, Z[noisy])
        blurred += random.normal(0.0, _NOISE_SCALE, size=blurred.shape)
        wrong = np.array([_other_target(y, y[row], random, classifier=classifier) for row in first], dtype=y.dtype)
        probes = np.vstack([between, blurred, independent])
        targets = np.concatenate([wrong, y[noisy], y[random.integers(n_rows, size=n_probes)]])
        kinds = np.full(n_rows + 3 * n_probes, -1, dtype=np.intp)
        kinds[typical] = _TYPICAL
        if len(atypical) >= _FEWEST_ATYPICAL:
            kinds[atypical] = _ATYPICAL
        kinds[n_rows:] = np.repeat([0, 1, 2], n_probes)
        return probes, targets, kinds

    def _epochs(
        self, estimator: Any, X: NDArray[np.float64], y: NDArray[Any], random: np.random.Generator
    ) -> Iterator[NDArray[np.float64]]:
        """Yield the loss of every row after each epoch or stage."""
        classifier = is_classifier(estimator)
        if hasattr(estimator, "partial_fit"):
            options = {"classes": np.unique(y)} if classifier else {}
            for _ in range(self.max_iter):
                order = random.permutation(y.size)
                for start in range(0, y.size, _BATCH_ROWS):
                    rows = order[start : start + _BATCH_ROWS]
                    estimator.partial_fit(X[rows], y[rows], **options)
                yield _losses(estimator, _outputs(estimator, X, classifier=classifier), y, classifier=classifier)
            return
        staged = "staged_predict_proba" if classifier else "staged_predict"
        if not hasattr(estimator, staged):
            raise TypeError(f"estimator must have partial_fit or {staged}; {estimator!r} has neither.")
        estimator.fit(X, y)
        for outputs in getattr(estimator, staged)(X):
            yield _losses(estimator, outputs, y, classifier=classifier)

    def _classify(
        self, curves: NDArray[np.float64], n_rows: int, kinds: NDArray[np.intp], random: np.random.Generator
    ) -> None:
        """Classify the rows by the vote of half of the probes, and evaluate that vote on the other half."""
        n_kinds = int(kinds.max()) + 1
        voting = np.zeros(kinds.size, dtype=bool)
        for kind in range(n_kinds):
            members = random.permutation(np.flatnonzero(kinds == kind))
            voting[members[: (members.size + 1) // 2]] = True
        held_out = (kinds >= 0) & ~voting
        n_neighbors = min(self.n_neighbors, int(voting.sum()))
        votes = KNeighborsClassifier(n_neighbors, weights="distance").fit(curves[voting], kinds[voting])
        predicted = votes.predict(curves[held_out])
        self.categories_ = _CATEGORIES[:n_kinds].copy()
        self.probe_accuracy_ = float(np.mean(predicted == kinds[held_out]))
        self.probe_confusion_ = np.zeros((n_kinds, n_kinds), dtype=np.int64)
        np.add.at(self.probe_confusion_, (kinds[held_out], predicted), 1)
        self.probe_proba_ = votes.predict_proba(curves[:n_rows])
        self.labels_ = self.categories_[self.probe_proba_.argmax(axis=1)]

    def issue_score(self, category: str = "mislabelled") -> NDArray[np.float64]:
        """Return how similar the learning curve of each row is to those of one kind of probe.

        Parameters
        ----------
        category : str, default="mislabelled"
            One of ``categories_``.

        Returns
        -------
        ndarray of shape (n_samples,)
            Fraction of the vote for that category; larger values mean more similar. Ties are broken by the mean loss:
            a larger loss ranks first, for ``"typical"`` a smaller one.

        Raises
        ------
        ValueError
            If `category` is not in ``categories_``.
        """
        check_is_fitted(self)
        if category not in self.categories_:
            raise ValueError(f"category={category!r} must be one of {self.categories_.tolist()}.")
        sign = -1.0 if category == "typical" else 1.0
        ranks = (rank_scores(sign * self.mean_loss_) - 1) / self.mean_loss_.size
        share = self.probe_proba_[:, int(np.flatnonzero(self.categories_ == category)[0])]
        return share + 1e-6 * ranks

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _other_target(y: NDArray[Any], own: Any, random: np.random.Generator, *, classifier: bool) -> Any:
    """Draw the target of a random row that differs: another class, or more than one standard deviation away."""
    if classifier:
        labels = np.unique(y)
        return random.choice(labels[labels != own])
    far = y[np.abs(y - own) > 1.0]
    return random.choice(far if far.size else y)


def _outputs(estimator: Any, X: NDArray[np.float64], *, classifier: bool) -> NDArray[np.float64]:
    if not classifier:
        return estimator.predict(X)
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(X)
    decisions = estimator.decision_function(X)
    if decisions.ndim == 1:
        decisions = np.stack([-decisions, decisions], axis=1) / 2
    decisions = np.exp(decisions - decisions.max(axis=1, keepdims=True))
    return decisions / decisions.sum(axis=1, keepdims=True)


def _losses(estimator: Any, outputs: NDArray[np.float64], y: NDArray[Any], *, classifier: bool) -> NDArray[np.float64]:
    if not classifier:
        return (y - np.asarray(outputs).ravel()) ** 2
    places = np.searchsorted(estimator.classes_, y)
    return -np.log(np.clip(outputs[np.arange(y.size), places], 1e-12, None))


def _standardized(targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Subtract the mean and divide by the standard deviation; extreme targets have no part in them."""
    limits = SafeRange(targets[:, None])
    if limits.extreme(limits.apply(targets[:, None])).any():
        return Standardizer.of(targets[:, None], None)(targets[:, None])[:, 0]
    return np.asarray((targets - targets.mean()) / column_scale(targets))
