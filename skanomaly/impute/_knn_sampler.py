"""Imputation by random draws from the nearest donors."""

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._columns import is_frame, missing_values, to_pandas
from skanomaly._support._mixed_rows import check_mixed
from skanomaly._support._open_pieces import as_pieces
from skanomaly._support._pieces import require_in_memory
from skanomaly._support._restore import restore_on_error
from skanomaly._support._results import ShortRepr
from skanomaly._support._row_draws import Schema
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import Interval, StrOptions, fit_context
from skanomaly._support._tables import TableReader
from skanomaly._support._value_draws import draw_by_values
from skanomaly.impute._completion import Completion, interval_of
from skanomaly.impute._donors import Donors
from skanomaly.impute._draws import row_keys
from skanomaly.impute._frames import imputed_frame
from skanomaly.impute._selection import LeaveOneOutNeighbors, choose_n_neighbors

__all__ = ["ImputationInterval", "KNNSamplerImputer"]


@dataclass(frozen=True, repr=False)
class ImputationInterval(ShortRepr):
    """Prediction intervals of missing values.

    Attributes
    ----------
    lower, upper : ndarray of shape (n_samples, n_output_features)
        Both hold the observed value where it is not missing, and NaN in columns of categories.
    level : ndarray of shape (n_samples, n_output_features)
        Level of each interval: the requested one, or ``(k - 1) / (k + 1)`` where k donors cannot reach it; NaN where
        the value is not missing.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.impute import KNNSamplerImputer
    >>> X = np.column_stack([np.arange(50.0), np.arange(50.0)])
    >>> interval = (
    ...     KNNSamplerImputer(n_neighbors=19).fit(X).predict_interval([[25.0, np.nan]])
    ... )
    >>> interval.lower, interval.upper
    (array([[25., 16.]]), array([[25., 34.]]))
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    level: NDArray[np.float64]


class KNNSamplerImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Impute missing values by random draws from the nearest rows that have them, the donors.

    :class:`sklearn.impute.KNNImputer` imputes the mean of the nearest donors. It is the best guess of a single value,
    but a table imputed by means has too small variances and wrong correlations. The value of a random donor preserves
    the conditional distribution, whatever its shape. The order statistics of the donors give a prediction interval, and
    several draws give multiple imputations.

    Parameters
    ----------
    n_neighbors : int or LeaveOneOutNeighbors, default=None
        Number of donors of each missing value, or the search that chooses this number for each column; None is
        ``LeaveOneOutNeighbors()``. Where fewer donors exist, all are used.
    weights : {"uniform", "distance"} or callable, default="uniform"
        Weights of the donors, as in :class:`sklearn.impute.KNNImputer`: equal, the inverse of the distance, or a
        function of an array of distances, NaN where there is no donor, that returns weights of the same shape. With
        "sample" a donor is drawn with a probability proportional to its weight; "mean", "median" and the most frequent
        category are weighted.
    strategy : {"sample", "mean", "median"}, default="sample"
        "sample" imputes the value of a random donor, "mean" and "median" an average of all donors. In a column of
        categories both averages are the most frequent category, of several the first. With "mean", an integer
        `n_neighbors` and ``scale=False`` the result is that of :class:`sklearn.impute.KNNImputer` with the same
        `weights`.
    donors : {"joint", "separate"}, default="joint"
        "joint" takes all missing values of a row from one donor where `n_neighbors` donors have all of them, which
        preserves the dependence between columns. Elsewhere, and with "separate", every missing value has its own
        donors. Averages are always separate.
    n_rounds : int, default=0
        Number of chained rounds after the first imputation. Each round imputes every column again, with distances on
        the imputed other columns. Two or three rounds help if many values are missing.
    scale : bool, default=True
        Divide each column by its standard deviation before distances are computed.
    add_indicator : bool, default=False
        Append the columns of :class:`sklearn.impute.MissingIndicator`.
    keep_empty_features : bool, default=False
        Keep columns without any value in `fit`, imputed by 0, instead of dropping them.
    n_jobs : int or None, default=None
        Number of threads over blocks of rows. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws. The seed is drawn once in `fit`; `transform` is deterministic afterwards.

    Attributes
    ----------
    n_neighbors_ : ndarray of shape (`n_features_in_`,)
        Number of donors for each column; 0 for a column without any value in `fit`.
    categories_ : list of (Index or None), or None
        Categories of each column, None for a column of numbers; None if all columns are numbers.
    indicator_ : MissingIndicator or None
        The fitted indicator, with `add_indicator`.
    sample_rows_ : ndarray of shape (n_donors,), int64
        After :meth:`fit_chunks`, the number of each donor in the table in pieces, from 0.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where the table had names that are all strings.

    See Also
    --------
    pool_estimates : Combines estimates from several imputed tables.
    skanomaly.audit.MissingnessTest : Tests whether values are missing completely at random.
    sklearn.impute.KNNImputer : Imputes the mean of the donors.

    Notes
    -----
    For one column with missing values and the number of neighbours chosen by squared error, the method is kNNSampler
    [1]_. What we changed: the number can be chosen by the ranked probability score, and it is not limited to the square
    root of the number of rows; distances are scaled equally in the choice and in the search; several columns may have
    missing values; donors can be joint; columns may hold categories; there are chained rounds; and intervals use ranks
    q(k + 1), since the percentiles of k values cover too little.

    *Distance.* The mean squared difference over the columns that neither row lacks, which orders rows as scikit-learn's
    nan-Euclidean distance does. Of rows at equal distance the earlier one is nearer. Rows without a common column are
    no donors of each other. A missing value without donors is imputed from its whole column, and a row without any
    value from a complete row. Two different categories count as much as the mean squared difference of two numbers.

    *Random numbers.* The random numbers of a row come from a hash of its values, the seed, the column and the number of
    the imputation. They depend neither on `n_jobs` nor on the other rows, except for copies: the second of two equal
    rows has other random numbers.

    *Number of neighbours.* The loss is the sum over all rows, or over a random sample of rows if all would cost more
    than about 1e9 operations.

    *Frames.* A pandas or polars frame or an Arrow table with text or categories is returned as the same kind of frame,
    with the same types. A column of integers or booleans, nullable or not, becomes float where a value between two
    integers is imputed. Frames with numbers only are returned by `transform` as arrays, unless ``set_output`` asks for
    frames. A category that `fit` did not see is kept, and differs from all others.

    References
    ----------
    .. [1] Pashmchi, P., Benoit, J., Kanagawa, M. "kNNSampler: Stochastic Imputations for Recovering Missing Value
       Distributions", 2025. arXiv:2509.08366.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.impute import KNNSamplerImputer
    >>> angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    >>> ring = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> ring[::4, 1] = np.nan
    >>> imputed = KNNSamplerImputer(n_neighbors=10, random_state=0).fit_transform(ring)
    >>> radius = np.hypot(*imputed.T)
    >>> bool(np.median(abs(radius - 1)) < 0.01)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [None, Interval(Integral, 1, None, closed="left"), LeaveOneOutNeighbors],
        "weights": [StrOptions({"uniform", "distance"}), callable],
        "strategy": [StrOptions({"sample", "mean", "median"})],
        "donors": [StrOptions({"joint", "separate"})],
        "n_rounds": [Interval(Integral, 0, None, closed="left")],
        "scale": ["boolean"],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    _reader: TableReader | None

    def __init__(
        self,
        *,
        n_neighbors: int | LeaveOneOutNeighbors | None = None,
        weights: Any = "uniform",
        strategy: str = "sample",
        donors: str = "joint",
        n_rounds: int = 0,
        scale: bool = True,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.strategy = strategy
        self.donors = donors
        self.n_rounds = n_rounds
        self.scale = scale
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Store the rows as donors, and choose the number of neighbours.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers, or a frame with numbers, text and categories. NaN, None and NA are missing values.
        y : None
            Not used.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `X` contains infinity or dates. The imputer is then left as it was.
        """
        del y
        with restore_on_error(self, X):
            require_in_memory(self, X, reset=True)
            self.__dict__.pop("sample_rows_", None)
            table = self._read(X, reset=True).astype(np.float64, copy=False)
            known = [None] * table.shape[1] if self._reader is None else self._reader.categories
            categorical = np.array([categories is not None for categories in known])
            self.categories_ = known if categorical.any() else None
            self._kept: NDArray[np.bool_] = np.asarray(~np.isnan(table).all(axis=0))
            self.indicator_ = MissingIndicator(error_on_new=False).fit(table) if self.add_indicator else None
            self._seed = draw_seed(self.random_state)
            values = table[:, self._kept]
            found = Donors.from_table(values, categorical[self._kept], scale=self.scale)
            limits = self._choose(found)
            self.n_neighbors_ = np.zeros(table.shape[1], dtype=np.intp)
            self.n_neighbors_[self._kept] = limits
            joint = self.donors == "joint"
            self._completion = Completion(found, limits, self.strategy, joint, self.n_jobs, self.weights)
            if self.n_rounds:
                keys = row_keys(values, self._seed)
                self._completion = self._completion.with_rounds(self.n_rounds, keys)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_chunks(self, chunks: Any, y: Any = None) -> Self:
        """Fit to rows drawn from a table in pieces, of which memory holds one at a time.

        The donors are 65,536 distinct rows with at least one value, each as often as it occurs, drawn by hashes of
        their values; all rows, where there are fewer. The result does not depend on the cuts or on the order of the
        pieces, to the bit. It is that of :meth:`fit` on the rows ``sample_rows_``. The pieces are read twice, or three
        times where a row makes up 0.5 % of the table or more.

        Parameters
        ----------
        chunks : object
            The table: a list of tables, a callable that returns a fresh iterator of tables, an array on disk, or what
            :func:`skanomaly.chunks.read_chunks` reads.
        y : None
            Not used.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the pieces have other columns than the first one, can be iterated only once, or hold no row with a value;
            and what :meth:`fit` raises. The imputer is then left as it was.

        Notes
        -----
        A column with values in one of 1,000 rows has some 65 donors. Columns without a value among the rows drawn are
        treated as empty, categories that do not occur among them as unseen, and `add_indicator` marks columns that have
        missing values among them.
        """
        del y
        with restore_on_error(self):
            pieces = as_pieces(chunks)
            drawn = draw_by_values(pieces, Schema.of(pieces).require, usable=_has_values)
            self.fit(drawn.X)
            self.sample_rows_ = drawn.rows
        return self

    def transform(self, X: Any) -> Any:
        """Impute the missing values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_output_features)
            A frame of the kind of `X` if the imputer was fitted on a frame with text or categories.
        """
        table, values, keys, completion = self._prepare(X)
        return self._assemble(X, table, completion.impute(values, keys, 0), as_frame=self.categories_ is not None)

    def sample(self, X: Any, n_imputations: int = 5, *, bootstrap: bool = False) -> list[Any]:
        """Impute the missing values several times, independently.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        n_imputations : int, default=5
            Number of imputed tables.
        bootstrap : bool, default=False
            Resample the training rows with replacement for each table (the approximate Bayesian bootstrap). Pooled
            standard errors assume this.

        Returns
        -------
        list of ndarray or frame of shape (n_samples, n_output_features)
            Frames of the same kind if `X` is a frame. Without `bootstrap` the first equals the result of `transform`.

        Raises
        ------
        ValueError
            If `strategy` is not "sample", since all tables would be equal, or if `n_imputations` is less than 1.
        """
        if self.strategy != "sample":
            raise ValueError(f"strategy={self.strategy!r} imputes the same values each time; use strategy='sample'.")
        if n_imputations < 1:
            raise ValueError(f"n_imputations={n_imputations} must be at least 1.")
        table, values, keys, completion = self._prepare(X)
        tables = []
        for imputation in range(n_imputations):
            source = completion
            if bootstrap:
                source = completion.resampled(np.random.Generator(np.random.PCG64([self._seed, imputation])))
            imputed = source.impute(values, keys, imputation)
            lost = np.isnan(imputed)
            if lost.any():  # the resampled rows have no donor of some column
                imputed[lost] = completion.impute(values, keys, imputation)[lost]
            tables.append(self._assemble(X, table, imputed, as_frame=is_frame(X)))
        return tables

    def predict_interval(self, X: Any, level: float = 0.9) -> ImputationInterval:
        """Return a prediction interval for each missing value, from the order statistics of its donors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        level : float, default=0.9
            Probability, in (0, 1), that the interval contains the missing value. k donors reach at most
            ``(k - 1) / (k + 1)``, so 0.9 needs 19.

        Returns
        -------
        ImputationInterval

        Raises
        ------
        ValueError
            If `level` is not in (0, 1), or `weights` is not "uniform": the ranks of weighted donors have no known
            level.
        """
        if not (isinstance(self.weights, str) and self.weights == "uniform"):
            raise ValueError(
                f"predict_interval needs weights='uniform'; got weights={self.weights!r}, for which order statistics "
                "of the donors have no known level."
            )
        if not 0 < level < 1:
            raise ValueError(f"level={level} must lie between 0 and 1.")
        _, values, keys, completion = self._prepare(X)
        result = completion.reduce_donors(values, keys, interval_of(level), 3)
        plain = np.where(completion.donors.categorical, np.nan, values)
        missing = np.isnan(values)
        lower, upper = (self._widened(np.where(missing, result[:, :, end], plain), 0.0) for end in (0, 1))
        return ImputationInterval(lower, upper, self._widened(result[:, :, 2], np.nan))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the column names of the result of `transform`.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            None uses the names of the fitted table, or x0, x1, ...

        Returns
        -------
        ndarray of str objects
        """
        check_is_fitted(self)
        every = super().get_feature_names_out(input_features)
        names = every if self.keep_empty_features else every[self._kept]
        if self.indicator_ is not None:
            names = np.concatenate([names, self.indicator_.get_feature_names_out(every)])
        return names

    def _read(self, X: Any, *, reset: bool) -> NDArray[Any]:
        return check_mixed(self, X, reset=reset, frames_only=True, unseen="negative")

    def _choose(self, donors: Donors) -> NDArray[np.intp]:
        search = LeaveOneOutNeighbors() if self.n_neighbors is None else self.n_neighbors
        if isinstance(search, LeaveOneOutNeighbors):
            search._validate_params()
            random = np.random.Generator(np.random.PCG64(self._seed))
            return choose_n_neighbors(donors, search.loss, search.max_neighbors, random, self.n_jobs)
        return np.minimum(search, donors.observed.sum(axis=1))

    def _prepare(self, X: Any) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.uint64], Completion]:
        """Return the table as numbers, its columns that have donors, keys of the rows, and the fitted imputation."""
        check_is_fitted(self)
        table = self._read(X, reset=False)
        values = table[:, self._kept].astype(np.float64)
        return table, values, row_keys(values, self._seed), replace(self._completion, n_jobs=self.n_jobs)

    def _widened(self, part: NDArray[Any], empty: float) -> NDArray[Any]:
        """Put the columns of `part` at their places in the output, and `empty` into the columns without donors."""
        if not self.keep_empty_features:
            return part
        whole = np.full((len(part), len(self._kept)), empty, dtype=part.dtype)
        whole[:, self._kept] = part
        return whole

    def _assemble(self, X: Any, table: NDArray[Any], imputed: NDArray[np.float64], *, as_frame: bool) -> Any:
        whole = self._widened(imputed.astype(table.dtype, copy=False), 0.0)
        mask = None if self.indicator_ is None else self.indicator_.transform(table)
        if not as_frame:
            return whole if mask is None else np.hstack([whole, mask])
        every = np.zeros(table.shape)
        every[:, self._kept] = imputed
        columns = list(every.T) if self._reader is None else self._reader.values(every)
        names = () if mask is None else self.get_feature_names_out()[-mask.shape[1] :]
        indicators = {} if mask is None else dict(zip(names, mask.T, strict=True))
        return imputed_frame(X, columns, self._kept, keep_empty=self.keep_empty_features, indicators=indicators)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _has_values(table: Any, _labels: Any, _index: int) -> NDArray[np.bool_]:
    """Return which rows of a piece have a value."""
    missing = missing_values(np.asarray(to_pandas(table) if is_frame(table) else table))
    return np.asarray(~missing.all(axis=1) if missing.ndim > 1 else ~missing, dtype=np.bool_)
