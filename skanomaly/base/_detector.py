"""The detector's contract, written once."""

from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._callbacks import CallbackSupport, callbacks_of
from skanomaly._support._chunk_scores import table_threshold
from skanomaly._support._chunks import Chunks
from skanomaly._support._coarse import warn_if_constant
from skanomaly._support._columns import without_stored_index
from skanomaly._support._extremes import extremes_named
from skanomaly._support._labels import read_labels
from skanomaly._support._open_pieces import labelled_pieces
from skanomaly._support._pieces import Pieces, require_in_memory
from skanomaly._support._restore import restore_on_error
from skanomaly._support._sklearn import Interval, fit_context
from skanomaly._support._ties import settled_threshold
from skanomaly._support._validation import check_rows, check_weights
from skanomaly._support._weights import weighted_percentile

__all__ = ["BaseDetector"]

_LARGEST_SCORE = 1e300


def _score_decomposes(detector: Any) -> bool:
    return hasattr(detector, "_contributions")


def _fits_in_chunks(detector: Any) -> bool:
    return hasattr(detector, "_fit_chunks") or hasattr(detector, "_fit_pieces")


class BaseDetector(CallbackSupport, OutlierMixin, BaseEstimator, ABC):
    """Base class of every detector: a subclass writes ``__init__``, ``_fit`` and ``_outlyingness``.

    The public methods are final. They validate once, set the threshold, and turn the sign: in hooks, as in papers,
    higher values are more anomalous; in public methods, as in scikit-learn, lower scores are more anomalous.

    Notes
    -----
    The hooks that a subclass writes or overrides:

    ``_fit(X, y, **metadata)``
        Trains on ``X`` of shape (n_samples, n_features), C-contiguous float64 or float32, and from ``y`` of shape
        (n_samples,), int8 with +1 normal, -1 anomaly, 0 unlabelled (all 0 where the user gave none). Returns the
        outlyingness of the training rows where that falls out of fitting, else None.
    ``_outlyingness(X)``
        Scores validated rows: ndarray of shape (n_samples,), higher is more anomalous. A training row that is scored
        must not be its own evidence: where neighbours count, one training row identical to the query is left out.
    ``_contributions(X)``
        Only for detectors whose score is a sum over columns: ndarray of shape (n_samples, n_features) whose rows sum
        to ``_outlyingness(X)``. Such a class has the public method ``feature_contributions``.
    ``_auto_offset()``
        Only for detectors whose theory gives the threshold: returns ``offset_``. Such a class adds
        ``StrOptions({"auto"})`` to its constraint of ``contamination``.
    ``_fit_chunks(table)``
        Only for detectors that train on a table in pieces: like ``_fit``, on a
        ``Chunks``. Such a class has the public method ``fit_chunks``, and its scores
        depend on their rows alone, to the bit. ``self._fit_sample(table)`` trains on a sample.
    ``_fit_pieces(pieces, *, labelled)``
        Instead of ``_fit_chunks``, for detectors that pass rows on to others: receives the ``Pieces`` as they are, with
        labels where `labelled`. The class has ``_auto_offset``.
    ``_check(X, *, reset)``
        Validates and returns what ``_fit`` and ``_outlyingness`` receive: a table unless overridden by a base class of
        another kind of input, whose samples are then what ``len`` counts.
    ``_fit_checked(X, y, **metadata)``, ``_score_checked(X)``
        Only for base classes of another kind of input: call ``_fit`` and ``_outlyingness`` on what `_check` returned.
    ``_min_samples``
        Class attribute: fewest training rows, 2 unless overridden.
    ``scores_time_points``
        Public class attribute: True where the rows of a table are the time points of one series, so that the score of a
        row depends on the rows around it. Meta-estimators and :func:`check_detector` read it.
    ``_zero_label``
        Class attribute: what 0 means in a ``y`` of 0 and 1, where 1 is the anomaly: "unlabelled", or "normal" where
        labels judge. It is "normal" wherever the tags say that `y` is required.

    A detector whose fit takes metadata declares it, in exactly this form, so that scikit-learn can route it::

        def fit(self, X, y=None, *, sample_weight=None):
            return self._run_fit(X, y, sample_weight=sample_weight)

    ``sample_weight`` is validated here: ``_fit`` receives None or a float64 ndarray of shape (n_samples,), and the
    threshold is the percentile of the weighted training scores, so that a whole weight equals repetition.

    Attributes
    ----------
    offset_ : float
        Threshold on ``score_samples``: rows that score below are anomalies.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the training table had names that are all strings.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
    }
    _min_samples: ClassVar[int] = 2
    scores_time_points: ClassVar[bool] = False
    _zero_label: ClassVar[str] = "unlabelled"

    contamination: float | str

    def __getattr__(self, name: str) -> Any:
        """Name what to use instead of ``predict_proba``, which scores without labels do not give."""
        if name == "predict_proba" and not hasattr(type(self), name):
            own = hasattr(type(self), "anomaly_probability")
            others = "that of skanomaly.threshold.ContaminationPosterior or ConformalDetector around this detector"
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute 'predict_proba'. The probability that a row is an "
                f"anomaly is anomaly_probability{'' if own else ': ' + others}."
            )
        return object.__getattribute__(self, name)  # the usual error

    def _check(self, X: Any, *, reset: bool) -> Any:
        """Validate training samples (`reset`) or samples to score."""
        require_in_memory(self, X, reset=reset)
        return check_rows(self, X, reset=reset, min_samples=self._min_samples if reset else 1)

    def _fit_checked(self, X: Any, y: NDArray[np.int8], **metadata: Any) -> NDArray[Any] | None:
        """Call ``_fit``; base classes of another kind of input prepare theirs here."""
        return self._fit(X, y, **metadata)

    def _score_checked(self, X: Any) -> NDArray[Any]:
        """Call ``_outlyingness``; base classes of another kind of input prepare theirs here."""
        return self._outlyingness(X)

    @abstractmethod
    def _fit(self, X: Any, y: NDArray[np.int8], **metadata: Any) -> NDArray[Any] | None:
        """Train on validated rows."""

    @abstractmethod
    def _outlyingness(self, X: Any) -> NDArray[Any]:
        """Score validated rows; higher is more anomalous."""

    def _auto_offset(self) -> float:
        """Return the threshold that theory gives."""
        name = type(self).__name__
        if "contamination" not in self.get_params(deep=False):
            raise NotImplementedError(
                f"{name} has no parameter contamination. Add it to __init__ (contamination=0.1 is the default), or "
                "write _auto_offset, which returns offset_, where theory gives the threshold."
            )
        raise NotImplementedError(f"{name} has no theory for contamination='auto'. Give a number in (0, 0.5].")

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the detector to the training data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows; pandas and polars frames keep their column names. Where a class scores series, the rows are
            time points, and 32 or more numbers in one dimension are a series too. Where it scores sequences or event
            traces, a collection of these.
        y : array-like of shape (n_samples,), default=None
            Labels, where the class says that it uses them: +1 normal, -1 anomaly, 0 or missing unlabelled. Of 0 and 1,
            or False and True, 1 means anomaly and 0 unlabelled, with a warning that says so; other class labels are
            ignored with a warning.

        Returns
        -------
        self
            The fitted detector.

        Raises
        ------
        ValueError
            If `X` holds NaN, infinity or text, has too few rows or no column, or `y` holds other labels. Nothing
            is then left of the failed fit.
        """
        return self._run_fit(X, y)

    @final
    def fit_predict(self, X: Any, y: Any = None, **metadata: Any) -> NDArray[np.int64]:
        """Fit the detector and label its training data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Not used.
        **metadata : dict
            Further arguments of `fit`.

        Returns
        -------
        ndarray of shape (n_samples,), int64
        """
        samples = self._with_metadata(X, metadata)
        return super().fit_predict(samples, **metadata)

    def _with_metadata(self, X: Any, metadata: dict[str, Any]) -> Any:
        """Take from the arguments of `fit` what scoring needs too, such as times, and join it with `X`."""
        return X

    @final
    @fit_context(prefer_skip_nested_validation=True)
    def _run_fit(self, X: Any, y: Any, **metadata: Any) -> Self:
        """Run the fit workflow; an error or interrupt leaves the detector as it was."""
        with restore_on_error(self, X), callbacks_of(self):
            rows = self._check(without_stored_index(X), reset=True)
            zero = "normal" if get_tags(self).target_tags.required else self._zero_label
            labels = read_labels(y, len(rows), zero=zero, lenient=True)
            weights = check_weights(metadata.get("sample_weight"), rows)
            if "sample_weight" in metadata:
                metadata["sample_weight"] = weights
            outlyingness = self._fit_checked(rows, labels, **metadata)
            if outlyingness is not None and np.shape(outlyingness) != (len(rows),):
                raise ValueError(
                    f"{type(self).__name__}._fit returned training scores of shape {np.shape(outlyingness)} for "
                    f"{len(rows)} samples; return shape ({len(rows)},), or None."
                )
            # A class without that parameter sets its own threshold.
            if isinstance(getattr(self, "contamination", "auto"), str):
                self.offset_ = float(self._auto_offset())
            else:
                outlyingness = self._score_checked(rows) if outlyingness is None else outlyingness
                self._set_offset(outlyingness, weights)
                if abs(self.offset_) > _LARGEST_SCORE:
                    raise FloatingPointError("the scores of most training rows are not finite")
            # A class may append columns of its own to the rows.
            own = isinstance(rows, np.ndarray) and (not hasattr(X, "shape") or rows.shape[1:] == X.shape[1:])
            table = rows if own else X
            scores = (lambda: self._scores_of_rows(rows)) if outlyingness is None else -np.asarray(outlyingness)
            warn_if_constant(self, table, scores)
        return self

    def _scores_of_rows(self, rows: Any) -> NDArray[Any]:
        """Return the scores of rows that have one."""
        scores = -np.asarray(self._score_checked(rows))
        return scores[~np.isnan(scores)]

    def _read_schema(self, pieces: Pieces) -> None:
        """Set the number and the names of the columns from the first table in pieces that has rows."""
        for table, _ in pieces:
            if len(table) > 0:
                check_rows(self, table, reset=True)
                return

    def _fit_sample(self, table: Chunks) -> None:
        """Train on the sample of a table in pieces: all its rows, in the order of their hashes, where they are few."""
        rows, anomalies = table.sample.repeated().astype(table.dtype, copy=False), table.anomalies()
        labels = np.concatenate([np.zeros(len(rows), dtype=np.int8), np.full(len(anomalies), -1, dtype=np.int8)])
        self._fit(np.concatenate([rows, anomalies]), labels)

    @available_if(_fits_in_chunks)
    @final
    @fit_context(prefer_skip_nested_validation=True)
    def fit_chunks(self, chunks: Any, y: Any = None) -> Self:
        """Fit the detector to a table in pieces, of which memory holds one at a time.

        The pieces are read several times. The result depends neither on the cuts nor on the order of the pieces, to the
        bit, unless the class says otherwise. The guide, under "Large tables", says how it compares with that of `fit`
        for each class.

        Parameters
        ----------
        chunks : object
            The table: a list of tables, a callable that returns a fresh iterator of tables, an object whose
            ``__iter__`` opens the data anew, an array on disk (``numpy.memmap``), or what
            :func:`skanomaly.chunks.read_chunks` reads: paths of Parquet or CSV files and their folders, pyarrow tables
            and data sets, Dask arrays and frames.
        y : object, default=None
            Labels as in `fit`: the name of a column, or an object of the same kind and cuts as `chunks`.

        Returns
        -------
        self
            The fitted detector.

        Raises
        ------
        ValueError
            If `chunks` can be iterated only once, changes between passes, or has too few rows; and what `fit` raises,
            with the number of the piece. The detector is then left as it was.
        """
        with restore_on_error(self), callbacks_of(self):
            if hasattr(self, "_fit_pieces"):
                self._fit_pieces(labelled_pieces(chunks, y), labelled=y is not None)
                self.offset_ = float(self._auto_offset())
                return self
            table = Chunks(chunks, self, y, min_samples=self._min_samples)
            self._fit_chunks(table)  # a class without the hook has no such method
            if isinstance(getattr(self, "contamination", "auto"), str):
                self.offset_ = float(self._auto_offset())
            else:
                self.offset_ = table_threshold(table, self, 100.0 * float(self.contamination))
        return self

    @final
    def _set_offset(self, outlyingness: NDArray[Any], weights: NDArray[np.float64] | None = None) -> None:
        """Put the threshold above a fraction `contamination` of the training scores, and on none of them."""
        percent = 100.0 * float(self.contamination)
        scored = ~np.isnan(outlyingness)
        if scored.any() and not scored.all():  # time points that no window covers
            outlyingness = outlyingness[scored]
            weights = None if weights is None else weights[scored]
        if weights is None:
            self.offset_ = settled_threshold(float(np.percentile(-outlyingness, percent)), -outlyingness)
        else:
            offset = weighted_percentile(-outlyingness, percent, weights)
            self.offset_ = settled_threshold(offset, -outlyingness[weights > 0])

    @final
    def score_samples(self, X: Any) -> NDArray[Any]:
        """Score each row; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What `fit` takes; one score a row, time point, sequence or trace.

        Returns
        -------
        ndarray of shape (n_samples,)
            A score depends on its row, sequence or trace and on the training data alone; that of a time point on those
            around it too. A training row is never evidence for itself, so scores of training rows can be compared with
            scores of new ones.
        """
        check_is_fitted(self)
        rows = self._check(without_stored_index(X), reset=False)
        with extremes_named(self, rows):
            return -self._score_checked(rows)

    @available_if(_score_decomposes)
    @final
    def feature_contributions(self, X: Any) -> NDArray[np.float64]:
        """Split the score of each row among its columns; lower is more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            Rows sum to ``score_samples(X)``, to rounding. The lowest entry of a row belongs to the column that makes it
            most anomalous; an entry above 0 makes it more normal.
        """
        check_is_fitted(self)
        # A class without the hook has no such method.
        return -np.asarray(self._contributions(self._check(X, reset=False)), dtype=np.float64)

    @final
    def decision_function(self, X: Any) -> NDArray[Any]:
        """Score each row against the threshold: ``score_samples(X) - offset_``, negative is an anomaly.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What `fit` takes; one score a row, time point, sequence or trace.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self.score_samples(X) - self.offset_

    @final
    def predict(self, X: Any) -> NDArray[np.int64]:
        """Label each row: +1 normal, -1 anomaly.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What `fit` takes; one label a row, time point, sequence or trace.

        Returns
        -------
        ndarray of shape (n_samples,), int64
            +1 also for what has no score (NaN), such as a time point beside a missing value.
        """
        return np.where(self.decision_function(X) < 0, -1, 1).astype(np.int64)
