"""A meta-estimator that trains any classifier or regressor with a mask."""

from functools import partial
from itertools import pairwise
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier, is_regressor
from sklearn.model_selection import check_cv
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d

from skanomaly._networks._training import batch_bounds
from skanomaly._support._callbacks import CallbackSupport, callbacks_of, reported
from skanomaly._support._labels import check_classification_targets, require_two_classes
from skanomaly._support._pieces import require_in_memory
from skanomaly._support._recut import WINDOW_ROWS, open_targets, windows
from skanomaly._support._refits import clone_with_seed
from skanomaly._support._restore import restore_on_error
from skanomaly._support._row_draws import draw_rows
from skanomaly._support._rows import take_rows
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import HasMethods, Interval, StrOptions, fit_context
from skanomaly._support._validation import check_any_rows, check_any_table, check_weights
from skanomaly._support._warnings import warn_user
from skanomaly._support._weighted_fits import fit_weighted
from skanomaly.robust._contradictions import margin_errors
from skanomaly.robust._delegate import FittedEstimatorMethods
from skanomaly.robust._mask import MOST_IN_TAIL, MaskingParameter, MaskPlan, ZErrorMask
from skanomaly.robust._network import classification_terms, regression_terms
from skanomaly.robust._pieces import check_targets
from skanomaly.robust._reference import SuspectForests, class_outputs, forest_outputs
from skanomaly.robust._rounds import Rounds, warn_if_unsettled

__all__ = ["MaskedEstimator"]

Rows = NDArray[np.intp]
_ROUNDING = 1e3 * np.finfo(np.float64).eps  # errors of regression this small beside the targets are rounding


class MaskedEstimator(FittedEstimatorMethods, MaskingParameter, CallbackSupport, MetaEstimatorMixin, BaseEstimator):
    """Trains any classifier or regressor on the rows whose standardised errors are small.

    There are two methods. An estimator with ``partial_fit`` that is trained in epochs takes mini-batches, from which
    the mask drops rows. Any other estimator, pipelines included, is refitted in rounds: each round computes out-of-fold
    errors of all rows by an estimator trained on the rows kept, and masks the rows anew, until the mask no longer
    changes. Rows reach `estimator` as they are, so it may take text, missing values or sparse rows.

    Parameters
    ----------
    estimator : estimator
        Classifier or regressor; it is cloned.
    masking : ZErrorMask, default=None
        The mask, which decides which rows are dropped; None is ``ZErrorMask()``.
    method : {"auto", "partial_fit", "refit"}, default="auto"
        ``"auto"`` is ``"partial_fit"`` if `estimator` has that method and a parameter ``max_iter``, that is, if it is
        trained in epochs, otherwise ``"refit"``.
    cv : int, cross-validation splitter or None, default=5
        Folds of the out-of-fold errors of ``"refit"``. Flexible models also fit wrong rows, whose in-sample errors are
        then small. None uses in-sample errors: one fit per round, and enough for models with few parameters.
    max_iter : int, default=10
        Number of epochs, or largest number of rounds of refitting.
    batch_size : int, default=256
        Number of rows in a batch of ``"partial_fit"``.
    reference : {"auto"} or None, default="auto"
        Second opinion, with the default mask (``masking__threshold="auto"``): the out-of-bag votes of a random forest
        must contradict a label as well, or must not predict which errors of a regressor are large. None uses
        `estimator` alone.
    random_state : int, RandomState instance or None, default=None
        Controls the order of the rows and the folds; also passed to the clone of `estimator` if its own
        `random_state` is None.

    Attributes
    ----------
    estimator_ : estimator
        Fitted on the kept rows.
    mask_frequency_ : ndarray of shape (n_samples,)
        Fraction of the epochs or rounds with masking in which the row was dropped.
    inlier_mask_ : ndarray of shape (n_samples,)
        Whether the row was kept in the last epoch or round.
    classes_ : ndarray of shape (n_classes,)
        Class labels, if `estimator` is a classifier.
    n_iter_ : int
        Number of epochs or rounds run.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    ZErrorRegressor : Linear model or network that is trained with the same mask, and faster.
    SampleCurator : Decides for each row whether to drop it.

    Notes
    -----
    Z-Error Loss (Godin 2025). A masked row is left out, so `estimator` need not support ``sample_weight``. Refitting on
    the rows with the smallest errors is iterative trimming, here with a threshold instead of a fraction.

    An estimator that is refitted without the masked rows is surer of what remains, so that it masks more in each round
    if nothing prevents it. Three rules do. Only rows that the first round, which is trained on all labels, assigns to
    another class can be masked. A masked row stays masked as long as its error is above half of the cut. In the second
    half of the rounds, rows only return. The classifier must have ``decision_function`` or ``predict_proba``.

    A classifier that does not suit the data errs as surely as wrong labels contradict it. Therefore a label is only
    masked if `reference` contradicts it, too: 100 trees, of which those vote for a row that were not trained on it. The
    mask is that of both outputs, averaged with weights of one over their error rates. If the reference makes less than
    half of the errors, it decides whether the classes overlap. Where it cannot read the rows (it reads numbers,
    categories and dates), the mask is that of `estimator` alone.

    Where more than 2 % of the errors of a regressor are beyond the threshold after the rounds, they must be a group
    (see :class:`ZErrorMask`) that `reference`, asked which rows have large errors, does not predict from the columns.
    Otherwise the rounds are repeated with at most 2 % of the rows masked.

    References
    ----------
    .. [1] Godin, G. (2025). Z-Error Loss for Training Neural Networks. arXiv:2506.02154.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import GradientBoostingRegressor
    >>> from skanomaly.robust import MaskedEstimator
    >>> random = np.random.default_rng(0)
    >>> X = random.uniform(-2, 2, size=(400, 1))
    >>> y = np.sin(X[:, 0]) + 0.1 * random.normal(size=400)
    >>> y[:80] += 5
    >>> model = MaskedEstimator(
    ...     GradientBoostingRegressor(n_estimators=40), cv=3, random_state=0
    ... ).fit(X, y)
    >>> bool(np.abs(model.predict(X) - np.sin(X[:, 0])).mean() < 0.1)
    True
    >>> int((~model.inlier_mask_[:80]).sum())
    80
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "masking": [None, ZErrorMask],
        "method": [StrOptions({"auto", "partial_fit", "refit"})],
        "cv": ["cv_object"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "reference": [None, StrOptions({"auto"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        masking: ZErrorMask | None = None,
        method: str = "auto",
        cv: Any = 5,
        max_iter: int = 10,
        batch_size: int = 256,
        reference: str | None = "auto",
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.masking = masking
        self.method = method
        self.cv = cv
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.reference = reference
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on the rows that the mask keeps.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            Used for centre and scale of the mask, and passed to ``fit`` or ``partial_fit`` of `estimator`, of a
            pipeline to its last step.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If `estimator` is neither a classifier nor a regressor, or a classifier without scores.
        ValueError
            If `method` is "partial_fit" and `estimator` has no such method, or `y` has only one class or missing
            values.

        Warns
        -----
        UserWarning
            If far more rows are masked than the threshold masks of clean data, or the classifier is always equally
            sure.
        ConvergenceWarning
            If the mask still changes after `max_iter` rounds.
        """
        with restore_on_error(self, X, y if is_regressor(self.estimator) else None), callbacks_of(self):
            require_in_memory(self, X, reset=True)
            classifier = self._is_classifier()
            if self.method == "partial_fit" and not hasattr(self.estimator, "partial_fit"):
                raise ValueError(
                    f"method='partial_fit' needs an estimator with partial_fit; {self.estimator!r} has none. Use "
                    "method='refit' or 'auto'."
                )
            rows, targets = check_any_rows(self, X, y, y_numeric=not classifier)
            self._rows = rows
            weights = check_weights(sample_weight, np.empty((targets.size, 0)))
            if weights is not None and not weights.all():
                counted = np.flatnonzero(weights > 0)
            else:
                counted = np.arange(targets.size)
            if classifier:
                check_classification_targets(targets)
                self.classes_, encoded = np.unique(targets, return_inverse=True)
                require_two_classes(self, np.unique(targets[counted]))
            else:
                targets = encoded = targets.astype(np.float64)
            plan = self._start(classifier=classifier)
            method = self.method
            if method == "auto":
                in_epochs = hasattr(self.estimator, "partial_fit") and hasattr(self.estimator, "max_iter")
                method = "partial_fit" if in_epochs else "refit"
            random = generator(self.random_state)
            seed = int(random.integers(2**31))
            make = partial(clone_with_seed, self.estimator, seed)
            counts = None if weights is None else weights[counted]
            self._suspects = SuspectForests(seed)
            self._votes = self._forest(counted, encoded[counted], counts, seed)
            if method == "partial_fit":
                self._fit_epochs(targets, encoded, weights, counted, random, make)
                outputs = self._outputs(self.estimator_, self._take(counted))
            else:  # by errors out of fold
                found = self._fit_rounds(targets, encoded, weights, counted, seed, make)
                outputs = self._outputs(self.estimator_, self._take(counted)) if found is None else found
            self._set_scale(outputs, encoded[counted], counts, counted)
            errors = None if classifier else self._standardized(outputs, encoded[counted])
            plan.warn_of_excess(self.inlier_mask_[counted], errors)
            self._warn_if_constant(rows)
            del self._rows, self._votes, self._suspects
        return self

    @available_if(lambda self: hasattr(self.estimator, "partial_fit"))
    @fit_context(prefer_skip_nested_validation=False)
    def fit_chunks(self, chunks: Any, y: Any) -> Self:
        """Train on a table in pieces, of which memory holds one window of 65,536 rows at a time.

        In each of the `max_iter` epochs the windows follow each other as in the table. The rows of a window are
        shuffled, cut into batches and given to ``partial_fit`` of `estimator`, so that the result depends on the order
        of the table, but not on its cuts. It is that of :meth:`fit` with ``method="partial_fit"`` where the table has
        one window. The pieces are read ``max_iter + 3`` times, and memory holds 13 bytes for each row.

        Parameters
        ----------
        chunks : object
            The table: a list of tables, a callable that returns a fresh iterator of tables, an array on disk, or what
            :func:`skanomaly.chunks.read_chunks` reads.
        y : object
            Targets: the name of a column, or an object of the same kind and cuts as `chunks`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `method` is "refit", `chunks` can be iterated only once, or what :meth:`fit` raises, with the number of
            the piece. The estimator is then left as it was.

        Notes
        -----
        With the default mask of a classifier, the rows of a window are masked together, and `reference` is trained on
        each window, which keeps 8 bytes per row and class more. Centre and scale of :meth:`score_samples` are those of
        65,536 rows drawn at random. Rows should be in random order: on a window of one class the estimator forgets the
        others.
        """
        with restore_on_error(self), callbacks_of(self):
            classifier = self._is_classifier()
            if self.method == "refit":
                raise ValueError("method='refit' needs all rows in memory; use method='partial_fit', or fit.")
            table = open_targets(chunks, y, partial(check_targets, self, classifier), distinct=classifier)
            check_any_rows(self, *next(windows(table.pieces, 1)), y_numeric=not classifier)
            if classifier:
                self.classes_ = np.asarray(table.distinct)
                require_two_classes(self, self.classes_)
            plan, random = self._start(classifier=classifier), generator(self.random_state)
            seed, votes = int(random.integers(2**31)), list[Any]()
            estimator, self._suspects = clone_with_seed(self.estimator, seed), SuspectForests(seed)
            dropped, inliers = np.zeros(table.n_rows, dtype=np.int32), np.ones(table.n_rows, dtype=bool)
            pooled = np.zeros((self._n_groups(), 3))
            for epoch in reported(range(self.max_iter), "train"):
                start = 0
                for place, (rows, values) in enumerate(windows(table.pieces)):
                    part = slice(start, start + len(values))
                    self._rows, self._part = rows, place
                    masks = dropped[part], inliers[part]
                    encoded, counted = self._encoded(values), np.arange(len(values))
                    if epoch == 0:
                        votes.append(self._forest(counted, encoded, None, seed))
                    self._votes = votes[place]
                    self._fit_epoch(estimator, values, encoded, None, counted, random, pooled, epoch, *masks)
                    start = part.stop
            self._finish_epochs(estimator, dropped, inliers)
            drawn = draw_rows(table.pieces, WINDOW_ROWS, 0, table.schema)
            assert drawn is not None  # there are rows
            outputs, encoded = self._outputs(estimator, drawn.X), self._encoded(np.asarray(drawn.y))
            self._set_scale(outputs, encoded, None, drawn.rows.astype(np.intp))
            plan.warn_of_excess(inliers[drawn.rows], None if classifier else self._standardized(outputs, encoded))
            del self._rows, self._votes, self._suspects
        return self

    def _is_classifier(self) -> bool:
        classifier = bool(is_classifier(self.estimator))
        if not (classifier or is_regressor(self.estimator)):
            raise TypeError(f"estimator must be a classifier or a regressor; got {self.estimator!r}.")
        return classifier

    def _start(self, *, classifier: bool) -> MaskPlan:
        self._plan = MaskPlan.of(ZErrorMask() if self.masking is None else self.masking, classifier=classifier)
        self._classifier, self._overlapping, self._part = classifier, False, 0
        return self._plan

    def _forest(self, rows: Rows, encoded: NDArray[Any], weights: Any, seed: int) -> Any:
        """Return the outputs of the reference for some rows; None without one."""
        if self.reference is None or not self._plan.by_confidence or not self._plan.adaptive:
            return None
        return forest_outputs(self._take(rows), encoded, weights, len(self.classes_), seed)

    def _encoded(self, targets: NDArray[Any]) -> NDArray[Any]:
        return np.searchsorted(self.classes_, targets) if self._classifier else targets.astype(np.float64)

    def _take(self, rows: Rows) -> Any:
        return take_rows(self._rows, rows)

    def _groups(self, encoded: NDArray[Any]) -> Rows:
        return encoded.astype(np.intp) if self._classifier else np.zeros(encoded.size, dtype=np.intp)

    def _outputs(self, estimator: Any, X: Any) -> NDArray[np.float64]:
        """Return predictions of shape (n, 1), or one output for each class of shape (n, n_classes)."""
        if not self._classifier:
            return np.asarray(estimator.predict(X), dtype=np.float64).reshape(-1, 1)
        known = np.searchsorted(self.classes_, estimator.classes_)
        outputs = class_outputs(estimator, X)
        if known.size < self.classes_.size:  # a class was masked entirely or is missing in this fold
            full = np.full((outputs.shape[0], self.classes_.size), outputs.min() - 1.0)
            full[:, known] = outputs
            return full
        return outputs

    def _statistic(self, outputs: NDArray[np.float64], encoded: NDArray[Any]) -> NDArray[np.float64]:
        """Return the statistic of each row: error, loss or margin."""
        terms = classification_terms if self._classifier else regression_terms
        values: NDArray[np.float64] = terms(outputs, encoded, self._plan.statistic)[2]
        if self._plan.statistic == 0 and encoded.size:
            values = np.where(np.abs(values) > _ROUNDING * np.abs(encoded).max(), values, 0.0)
        return values

    def _n_groups(self) -> int:
        return len(self.classes_) if self._plan.per_class else 1

    def _keep(
        self,
        outputs: NDArray[Any],
        encoded: NDArray[Any],
        weights: Any,
        threshold: float,
        pooled: NDArray[Any],
        earlier: NDArray[np.bool_] | None = None,
        retained: float = 0.5,
    ) -> NDArray[np.bool_]:
        if self._plan.by_confidence:
            options = len(self.classes_), earlier, retained, self._overlapping, self._votes
            found = self._plan.keep_labels(outputs, encoded, weights, threshold, pooled, *options)
            self._overlapping = found.overlapping
            return found.keep
        values = self._statistic(outputs, encoded)
        return self._plan.keep(values, self._groups(encoded), weights, threshold, pooled)

    def _limit(
        self, outputs: NDArray[Any], encoded: NDArray[Any], weights: Any, rows: Rows, is_tail: bool | None = None
    ) -> float:
        """Return the lowest threshold for the errors of all rows of a part of the table."""
        if self._classifier:
            return 0.0
        asked = partial(self._suspects.predict, self._part, self._take(rows), weights=weights)
        values = self._statistic(outputs, encoded)
        return self._plan.tail_limit(values, weights, encoded, asked if self.reference else None, is_tail)

    def _set_scale(self, outputs: NDArray[Any], encoded: NDArray[Any], weights: Any, counted: Rows) -> None:
        """Set centre and scale of the standardised errors from outputs for training rows."""
        plan = self._plan
        if plan.by_confidence:
            pooled = np.zeros((self._n_groups(), 3))
            n_classes, earlier = len(self.classes_), ~self.inlier_mask_[counted]
            found = plan.keep_labels(
                outputs, encoded, weights, plan.threshold, pooled, n_classes, earlier, overlapping=self._overlapping
            )
            self._label_scale = found.scale
            if not found.informative and self._votes is None:
                warn_user(
                    f"Nothing is masked: {self.estimator!r} is equally sure of nearly all of its predictions, so that "
                    "wrong labels look like its own errors. Give an estimator whose probabilities differ, for example "
                    "with a larger min_samples_leaf or n_neighbors."
                )
        else:
            values, groups = self._statistic(outputs, encoded), self._groups(encoded)
            self._center_scale = plan.center_scale(values, groups, weights, self._n_groups())

    def _standardized(self, outputs: NDArray[Any], encoded: NDArray[Any]) -> NDArray[np.float64]:
        values = self._statistic(outputs, encoded)
        if self._plan.by_confidence:
            return margin_errors(values, outputs, encoded, self._label_scale)
        return self._plan.standardized_errors(values, self._groups(encoded), self._center_scale)

    def _fit_epochs(
        self,
        targets: NDArray[Any],
        encoded: NDArray[Any],
        weights: Any,
        counted: Rows,
        random: np.random.Generator,
        make: Any,
    ) -> None:
        estimator = make()
        dropped, inliers = np.zeros(targets.size, dtype=np.int64), np.ones(targets.size, dtype=bool)
        pooled = np.zeros((self._n_groups(), 3))
        for epoch in reported(range(self.max_iter), "train"):
            self._fit_epoch(estimator, targets, encoded, weights, counted, random, pooled, epoch, dropped, inliers)
        self._finish_epochs(estimator, dropped, inliers)

    def _fit_epoch(
        self,
        estimator: Any,
        targets: NDArray[Any],
        encoded: NDArray[Any],
        weights: Any,
        counted: Rows,
        random: np.random.Generator,
        pooled: NDArray[np.float64],
        epoch: int,
        dropped: NDArray[Any],
        inliers: NDArray[np.bool_],
    ) -> None:
        """Train on batches of all rows; `pooled`, `dropped` and `inliers` are updated in place."""
        threshold = self._plan.threshold_at(epoch, self.max_iter)
        order = counted[random.permutation(counted.size)]
        masked = np.isfinite(threshold) and hasattr(estimator, "n_features_in_")
        whole = self._plan.by_confidence or (self._plan.adaptive and not self._classifier)
        counts = None if weights is None else weights[counted]
        if masked and whole:
            outputs = self._outputs(estimator, self._take(counted))
            threshold = max(threshold, self._limit(outputs, encoded[counted], counts, counted))
        if masked and self._plan.by_confidence:
            inliers[counted] = self._keep(outputs, encoded[counted], counts, threshold, pooled)
            dropped += ~inliers
            order = order[inliers[order]]
        for start, stop in pairwise(batch_bounds(order.size, self.batch_size)):
            rows = order[start:stop]
            counts = None if weights is None else weights[rows]
            keep = np.ones(rows.size, dtype=bool)
            if masked and not self._plan.by_confidence:
                outputs = self._outputs(estimator, self._take(rows))
                keep = self._keep(outputs, encoded[rows], counts, threshold, pooled)
                dropped[rows[~keep]] += 1
                inliers[rows] = keep
            options: dict[str, Any] = {} if counts is None else {"sample_weight": counts[keep]}
            if self._classifier and epoch == 0:
                options["classes"] = self.classes_
            estimator.partial_fit(self._take(rows[keep]), targets[rows[keep]], **options)

    def _finish_epochs(self, estimator: Any, dropped: NDArray[Any], inliers: NDArray[np.bool_]) -> None:
        n_masked_epochs = sum(epoch >= self._plan.mask.warmup_epochs for epoch in range(self.max_iter))
        self.estimator_, self.n_iter_ = estimator, self.max_iter
        self.mask_frequency_, self.inlier_mask_ = dropped / max(n_masked_epochs, 1), inliers

    def _fit_rounds(
        self, targets: NDArray[Any], encoded: NDArray[Any], weights: Any, counted: Rows, seed: int, make: Any
    ) -> NDArray[np.float64] | None:
        """Refit until the mask no longer changes; return the last out-of-fold outputs of the rows counted."""
        counts = None if weights is None else weights[counted]
        run = partial(self._run_rounds, targets, encoded, weights, counted, seed, make)
        found = run(is_tail=False)
        # Without them, wrong targets are a clearer group. If the first round finds none, later ones follow the model.
        if not self._classifier and found.outputs is not None and np.isfinite(found.limit):
            grown = found.first <= MOST_IN_TAIL or None
            if self._limit(found.outputs, encoded[counted], counts, counted, is_tail=grown) > found.limit:
                found = run(is_tail=True)
        warn_if_unsettled(found.unsettled, counted.size, self.max_iter)
        rows = counted[found.keep[counted]]
        counts = None if weights is None else weights[rows]
        self.estimator_ = fit_weighted(make(), self._take(rows), targets[rows], counts)
        self.n_iter_, self.mask_frequency_, self.inlier_mask_ = found.rounds, found.dropped / found.rounds, found.keep
        return found.outputs

    def _run_rounds(
        self,
        targets: NDArray[Any],
        encoded: NDArray[Any],
        weights: Any,
        counted: Rows,
        seed: int,
        make: Any,
        *,
        is_tail: bool,
    ) -> Rounds:
        keep = np.ones(targets.size, dtype=bool)
        dropped, rounds, changed, limit, first = np.zeros(targets.size, dtype=np.int64), 0, 0, np.inf, 0.0
        outputs, suspected = None, None
        counts = None if weights is None else weights[counted]
        last = self._plan.threshold_at(10**9, self.max_iter)
        for iteration in reported(range(self.max_iter), "mask and refit"):
            threshold = self._plan.threshold_at(iteration + self._plan.mask.warmup_epochs, self.max_iter)
            if np.isinf(threshold):
                rounds = 1
                break
            outputs = self._fold_outputs(targets, weights, counted, keep, seed, make)[counted]
            new = np.ones(targets.size, dtype=bool)
            pooled = np.zeros((self._n_groups(), 3))
            # In the second half rows only return, and labels only where they agree, so that unstable estimators settle.
            settling = self.max_iter > 2 and iteration >= self.max_iter // 2
            retained = 0.0 if settling else 0.5
            limit = max(threshold, self._limit(outputs, encoded[counted], counts, counted, is_tail=is_tail))
            new[counted] = self._keep(outputs, encoded[counted], counts, limit, pooled, ~keep[counted], retained)
            if self._classifier and self._plan.by_confidence:
                # Later rounds, which are surer, may only mask what the first predicts to be of another class.
                if suspected is None:
                    suspected = np.zeros(targets.size, dtype=bool)
                    suspected[counted] = outputs.argmax(axis=1) != encoded[counted]
                new |= ~suspected
            if settling:
                new |= keep
            dropped += ~new
            rounds += 1
            changed = int((new != keep).sum())
            first = float(np.average(~new[counted], weights=counts)) if rounds == 1 else first
            keep = new
            if changed == 0 and threshold == last:
                break
        unsettled = changed if rounds == self.max_iter > 1 and threshold == last else 0
        return Rounds(keep, dropped, rounds, outputs, limit, first, unsettled)

    def _fold_outputs(
        self, targets: NDArray[Any], weights: Any, counted: Rows, keep: NDArray[np.bool_], seed: int, make: Any
    ) -> NDArray[np.float64]:
        """Return the outputs for the rows of positive weight, out of fold unless `cv` is None."""
        if self.cv is None:
            folds = [(np.arange(targets.size), np.arange(targets.size))]
        else:
            splitter = check_cv(self.cv, targets, classifier=self._classifier)
            if isinstance(self.cv, Integral):
                splitter.shuffle, splitter.random_state = True, seed
            folds = list(splitter.split(np.empty((targets.size, 0)), targets))
        usable = np.zeros(targets.size, dtype=bool)
        usable[counted] = True
        values = np.zeros((targets.size, len(self.classes_) if self._classifier else 1))
        for train, test in folds:
            rows = train[keep[train] & usable[train]]
            counts = None if weights is None else weights[rows]
            estimator = fit_weighted(make(), self._take(rows), targets[rows], counts)
            values[test] = self._outputs(estimator, self._take(test))
        return values

    def score_samples(self, X: Any, y: Any = None) -> NDArray[Any]:
        """Score each row with its target; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            None uses the predictions.

        Returns
        -------
        ndarray of shape (n_samples,)
            Minus the standardised error; centre and scale are those of the training errors, out of fold if the
            estimator was refitted.
        """
        predicted = self.predict(X)
        targets = predicted if y is None else column_or_1d(y)
        encoded = np.searchsorted(self.classes_, targets) if self._classifier else np.asarray(targets, dtype=np.float64)
        return -self._standardized(self._outputs(self.estimator_, check_any_table(self, X, reset=False)), encoded)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        for kind in ("allow_nan", "sparse", "string", "categorical"):
            setattr(tags.input_tags, kind, getattr(inner.input_tags, kind))
        tags.target_tags.required = True
        tags.non_deterministic = inner.non_deterministic
        return tags
