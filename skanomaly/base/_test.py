"""The contract of the statistical tests, written once."""

import math
from abc import ABC, abstractmethod
from numbers import Integral
from typing import Any, ClassVar, Self, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._callbacks import CallbackSupport, callbacks_of
from skanomaly._support._columns import (
    CATEGORY,
    DATE,
    NUMBER,
    column_names,
    frame_library,
    is_frame,
    listed,
    to_pandas,
)
from skanomaly._support._items import require_rows
from skanomaly._support._open_pieces import as_pieces
from skanomaly._support._pieces import Pieces, lazy_kind, require_in_memory
from skanomaly._support._restore import restore_on_error
from skanomaly._support._row_draws import RowDraw, Schema, draw_rows, fair_numbers
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import Interval, fit_context, validate_parameter_constraints
from skanomaly._support._step_up import step_up_threshold
from skanomaly._support._tables import TableReader
from skanomaly._support._validation import check_rows
from skanomaly._support._warnings import warn_user

__all__ = ["BaseTest"]

_CHUNK_ROWS = 20_000


def _has_pvalues(test: Any) -> bool:
    return hasattr(type(test), "_row_pvalues")


def _labels_rows(test: Any) -> bool:
    return _has_pvalues(test) or hasattr(type(test), "_row_offset")


def _takes_two_samples(test: Any) -> bool:
    return bool(type(test)._compares_samples)  # the base's own class attribute


def _tests_rows_drawn(test: Any) -> bool:
    return bool(type(test)._draws_rows)  # the base's own class attribute


class BaseTest(CallbackSupport, BaseEstimator, ABC):
    """Base class of every statistical test: a subclass writes ``__init__``, ``_test`` and ``_row_pvalues``.

    A test has one null hypothesis about a table, for example that its rows do not depend on their order, that two
    samples have the same distribution, or that values are missing completely at random. ``fit`` tests it and sets
    ``statistic_`` and ``pvalue_``. The other public methods, which are final, score the rows as evidence against the
    null hypothesis. Lower scores are more anomalous.

    Notes
    -----
    The hooks that a subclass writes or overrides:

    ``_read(X, *, reset)``
        Validates and returns what ``_test`` and the row hooks receive: a table of finite numbers unless overridden.
    ``_test(X, **metadata)``
        Tests validated rows and sets ``statistic_`` and ``pvalue_``, both of type float, and the other attributes that
        the class documents.
    ``_row_pvalues(X)``
        P-value of each validated row, or of each fitted row if `X` is None. Such a class has ``sample_pvalues_``,
        ``pvalue_threshold_`` and ``predict``, and scores rows by the decimal logarithm of their p-value.
    ``_smallest_pvalues()``
        Optional beside ``_row_pvalues``: the smallest p-value that each fitted row could have. ``predict`` then warns
        where p-values of this size are too large to flag any row.
    ``_row_scores(X)``
        Only for tests whose row scores are not p-values: the score of each validated row, of each fitted row where `X`
        is None. Lower scores are more anomalous. A row's score must not depend on the other rows of `X`.
    ``_row_offset()``
        Only together with ``_row_scores``: the score below which ``predict`` labels a row -1.
    ``_min_samples``
        Class attribute: smallest number of rows that can be tested, 2 unless overridden.
    ``_compares_samples``
        Class attribute: True where the test compares samples. Such a class has the public method ``fit_samples``, and
        its ``fit`` takes ``groups``, the label of each row's sample.
    ``_draws_rows``
        Class attribute: True where rows drawn at random may be tested in place of a table, as a valid test with less
        power. Such a class has the public method ``fit_chunks``.

    A test whose fit takes metadata declares it, in exactly this form, so that scikit-learn can route it::

        def fit(self, X, y=None, *, groups=None):
            return self._run_fit(X, y, groups=groups)

    Attributes
    ----------
    statistic_ : float
        The test statistic; large values are evidence against the null hypothesis.
    pvalue_ : float
        P-value of ``statistic_``, in (0, 1].
    sample_pvalues_ : ndarray of shape (n_samples,)
        P-value of each fitted row, where rows have p-values.
    sample_scores_ : ndarray of shape (n_samples,)
        Score of each fitted row.
    pvalue_threshold_ : float
        Largest p-value of a fitted row that Benjamini and Hochberg's rule rejects at level `alpha`; 0 if none.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.
    sample_rows_ : ndarray of shape (n_samples,), int64
        After :meth:`fit_chunks`, the number of each tested row in the table in pieces, from 0.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}
    _min_samples: ClassVar[int] = 2
    _compares_samples: ClassVar[bool] = False
    _draws_rows: ClassVar[bool] = False

    statistic_: float
    pvalue_: float

    def _read(self, X: Any, *, reset: bool) -> Any:
        """Validate rows to test (`reset`) or rows to score."""
        return check_rows(self, X, reset=reset, min_samples=self._min_samples if reset else 1)

    @abstractmethod
    def _test(self, X: Any, *args: Any, **metadata: Any) -> None:  # *args lets a subclass name its metadata
        """Test validated rows."""

    def _row_scores(self, X: Any) -> NDArray[np.float64]:
        """Score validated rows, or the fitted ones where `X` is None; lower scores are more anomalous."""
        if not _has_pvalues(self):
            raise NotImplementedError(f"{type(self).__name__} must write _row_pvalues or _row_scores.")
        return np.log10(self._row_pvalues(X))

    def fit(self, X: Any, y: Any = None) -> Self:
        """Test the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Not used.

        Returns
        -------
        self
        """
        return self._run_fit(X, y)

    @final
    @fit_context(prefer_skip_nested_validation=False)
    def _run_fit(self, X: Any, y: Any, **metadata: Any) -> Self:
        """Run the test; an error or interrupt leaves the object as it was."""
        if self._compares_samples:
            _check_no_second_sample(y, metadata.get("groups"))
        with restore_on_error(self, X), callbacks_of(self):
            require_in_memory(self, X, reset=True)
            self.__dict__.pop("sample_rows_", None)
            self._test(self._read(X, reset=True), **metadata)
        self._check_permutations()
        return self

    def _check_permutations(self) -> None:
        """Warn where the p-value is the smallest of so few permutations that it cannot reach the level."""
        n_permutations, alpha = getattr(self, "n_permutations", None), getattr(self, "alpha", None)
        if n_permutations is None or alpha is None or getattr(self, "null", "permutation") != "permutation":
            return
        smallest = 1.0 / (n_permutations + 1)
        if alpha < smallest * (1 - 1e-9) and getattr(self, "pvalue_", 1.0) <= smallest * (1 + 1e-9):
            warn_user(
                f"pvalue_ is {smallest:.3g}, the smallest that n_permutations={n_permutations} allows, and above "
                f"alpha={alpha:g}, so that no difference can be found. Give n_permutations={math.ceil(1 / alpha) - 1} "
                "or more."
            )

    @available_if(_takes_two_samples)
    @final
    def fit_samples(self, reference: Any, sample: Any) -> Self:
        """Test a sample against a reference; the same as :meth:`fit` on both, stacked.

        Parameters
        ----------
        reference : array-like of shape (n_reference, n_features)
            Group 0. A table in pieces, opened by :func:`skanomaly.chunks.read_chunks`, stands for 10,000 rows drawn at
            random as in :meth:`fit_chunks`, where the class has that method.
        sample : array-like of shape (n_sample, n_features)
            Group 1; as `reference`.

        Returns
        -------
        self

        Raises
        ------
        TypeError
            If a table is not in memory and was not opened by ``read_chunks``.
        ValueError
            If the columns of two frames differ, or one is numbers in one sample and text in the other.
        """
        reference, sample = (
            self._drawn_sample(table, name) for table, name in ((reference, "reference"), (sample, "sample"))
        )
        rows, groups = _stacked(reference, sample)
        fit: Any = self.fit
        return fit(rows, groups=groups)

    def _drawn_sample(self, table: Any, name: str) -> Any:
        """Return a table in memory as it is, and rows of a table in pieces."""
        if isinstance(table, Pieces) and _tests_rows_drawn(self):
            return self._rows_drawn(table, _CHUNK_ROWS // 2).X
        kind = "a table in pieces" if isinstance(table, Pieces) else lazy_kind(table)
        if kind is None:
            require_rows(table, name=name)
            return table
        remedy = f"open it by skanomaly.chunks.read_chunks({name})"
        if not _tests_rows_drawn(self):
            remedy = f"{type(self).__name__} needs its rows in memory: load it first, or a sample of it"
        raise TypeError(f"{name} is {kind}, which is not in memory; {remedy}.")

    @available_if(_tests_rows_drawn)
    @final
    def fit_chunks(self, chunks: Any, y: Any = None, *, groups: Any = None, n_rows: int = _CHUNK_ROWS) -> Self:
        """Test rows drawn at random from a table in pieces, of which memory holds one at a time.

        The test is valid for any number of rows, with less power the fewer there are. Which rows are drawn depends only
        on their numbers in the table and on `random_state`, so that other cuts give the same result, to the bit. It is
        that of :meth:`fit` where the table has at most `n_rows` rows. The pieces are read twice.

        Parameters
        ----------
        chunks : object
            The table: a list of tables, a callable that returns a fresh iterator of tables, an array on disk, or what
            :func:`skanomaly.chunks.read_chunks` reads.
        y : None
            Not used.
        groups : object, default=None
            The `groups` of :meth:`fit`: the name of a column, or an object of the same kind and cuts as `chunks`. As
            many rows of each group are drawn, or all rows of a rarer group.
        n_rows : int, default=20,000
            Number of rows drawn; all, where there are fewer. ``sample_rows_`` has their numbers, in the order of the
            table.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the pieces have other columns than the first one, can be iterated only once, or hold too few rows; and
            what :meth:`fit` raises. Values of rows that are not drawn are not checked.
        """
        if self._compares_samples:
            _check_no_second_sample(y, groups)
        limits = {"n_rows": [Interval(Integral, self._min_samples, None, closed="left")]}
        validate_parameter_constraints(limits, {"n_rows": n_rows}, caller_name="fit_chunks")
        if getattr(self, "metric", None) == "precomputed":
            raise ValueError("metric='precomputed' takes a neighbour graph, which fit_chunks cannot draw rows from.")
        pieces = as_pieces(chunks)
        if groups is not None:
            pieces = pieces.with_labels(groups if isinstance(groups, str) else as_pieces(groups, name="groups"))
        drawn = self._rows_drawn(pieces, n_rows, by_group=groups is not None)
        fit: Any = self.fit
        fit(drawn.X) if groups is None else fit(drawn.X, groups=drawn.y)
        self.sample_rows_ = drawn.rows
        return self

    def _rows_drawn(self, pieces: Pieces, n_rows: int, *, by_group: bool = False) -> RowDraw:
        schema = Schema.of(pieces)
        wanted = fair_numbers(pieces, n_rows) if by_group else n_rows
        drawn = draw_rows(pieces, wanted, draw_seed(getattr(self, "random_state", 0)), schema)
        assert drawn is not None  # the schema is that of a row
        return drawn

    @property
    @final
    def sample_pvalues_(self) -> NDArray[np.float64]:
        """P-value of each fitted row."""
        return self._of_fitted("sample_pvalues_")

    @property
    @final
    def sample_scores_(self) -> NDArray[np.float64]:
        """Score of each fitted row; lower scores are more anomalous."""
        check_is_fitted(self)
        return self._row_scores(None)

    @property
    @final
    def pvalue_threshold_(self) -> float:
        """Largest p-value of a fitted row that Benjamini and Hochberg's rule rejects at level `alpha`; 0 if none."""
        return max(step_up_threshold(self._of_fitted("pvalue_threshold_"), self.alpha), 0.0)

    def _of_fitted(self, attribute: str) -> NDArray[np.float64]:
        if not _has_pvalues(self):
            raise AttributeError(f"{type(self).__name__} has no {attribute}: its rows have scores and no p-values.")
        check_is_fitted(self)
        return self._row_pvalues(None)

    @final
    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Score rows: the decimal logarithm of their p-value, unless the class says otherwise.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What `fit` takes.

        Returns
        -------
        ndarray of shape (n_samples,)
            Lower scores are more anomalous. The score of a row does not depend on the other rows of `X`.
        """
        check_is_fitted(self)
        require_in_memory(self, X, reset=False)
        return self._row_scores(self._read(X, reset=False))

    @available_if(_labels_rows)
    @final
    def predict(self, X: Any) -> NDArray[np.int64]:
        """Label rows: -1 where the p-value is at most ``pvalue_threshold_``, else +1.

        Where rows have scores and no p-values, -1 where the score is below ``offset_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What `fit` takes.

        Returns
        -------
        ndarray of shape (n_samples,), int64
        """
        check_is_fitted(self)
        rows = self._read(X, reset=False)
        if _has_pvalues(self):
            threshold = self.pvalue_threshold_
            if threshold == 0.0:
                self._check_power()
            suspicious = self._row_pvalues(rows) <= threshold
        else:
            suspicious = self._row_scores(rows) < self._row_offset()
        return np.where(suspicious, -1, 1).astype(np.int64)

    def _check_power(self) -> None:
        """Warn where no row is flagged although rows have the smallest p-value that they could have."""
        if not hasattr(self, "_smallest_pvalues"):
            return
        smallest, found = self._smallest_pvalues(), self._row_pvalues(None)
        possible = step_up_threshold(smallest, self.alpha) >= 0.0
        n_extreme = int(np.count_nonzero(found <= smallest * (1 + 1e-9)))
        if possible and not n_extreme:
            return
        warn_user(
            f"No row can be flagged at alpha={self.alpha:g}: {n_extreme} of {len(found)} rows have the smallest "
            f"p-value that they could have (the smallest of all is {smallest.min():.2g}), "
            f"{'too few of them' if possible else 'and even if all had, it would be too large'} for the false "
            "discovery rate. Use more neighbours or a larger alpha."
        )


def _stacked(reference: Any, sample: Any) -> tuple[Any, NDArray[np.intp]]:
    """Stack two tables of the same kind, and label their rows 0 and 1."""
    groups = np.repeat([0, 1], [len(reference), len(sample)])
    if is_frame(reference) and is_frame(sample):
        _check_names(column_names(reference), column_names(sample))
        _check_kinds(reference, sample)
        if frame_library(reference) == "polars" == frame_library(sample):
            return reference.vstack(sample), groups
        return pd.concat([to_pandas(reference), to_pandas(sample)], ignore_index=True), groups
    first, second = np.asarray(reference), np.asarray(sample)
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(
            f"reference has shape {first.shape} and sample {second.shape}; give two tables of the same columns."
        )
    if first.ndim == 2 and not (first.dtype.kind in "biuf" and second.dtype.kind in "biuf"):
        _check_kinds(first, second)
    return np.concatenate([first, second]), groups


def _check_kinds(reference: Any, sample: Any) -> None:
    """Raise for a column that is numbers in one table and text in the other."""
    names = column_names(reference)
    if names is None or len(set(names)) == len(names):
        TableReader((NUMBER, CATEGORY, DATE)).fit(reference, sample)


def _check_names(reference: list[Any] | None, sample: list[Any] | None) -> None:
    """Raise for frames of other feature names, or of the same in another order, and name them."""
    if reference is None or sample is None or reference == sample:
        return
    lacking = [
        f"{owner} lacks {listed(missing)}"
        for owner, missing in (
            ("sample", [name for name in reference if name not in sample]),
            ("reference", [name for name in sample if name not in reference]),
        )
        if missing
    ]
    raise ValueError(
        f"reference and sample differ in their feature names: {'; '.join(lacking)}. Select the same columns of both."
        if lacking
        else f"reference and sample have their feature names in another order: {listed(reference)} and "
        f"{listed(sample)}. Give sample[reference.columns]."
    )


def _check_no_second_sample(y: Any, groups: Any) -> None:
    """Raise for a second table in the place of `y`, and warn of labels there that nothing reads."""
    if y is None:
        return
    shape = getattr(y, "shape", None) or np.shape(y)
    if len(shape) > 1:
        raise ValueError(
            f"y has shape {tuple(shape)}, but fit takes the rows of both samples as X; "
            "use fit_samples(reference, sample) to compare two tables."
        )
    if groups is None:
        warn_user(
            "y is not used: the first half of the rows is compared with the second. Pass labels of samples as groups=, "
            "or two tables to fit_samples(reference, sample).",
        )
