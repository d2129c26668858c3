"""Imputation by draws from the nearest donors."""

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skanomaly._support._columns import is_frame
from skanomaly._support._restore import restore_on_error
from skanomaly._support._results import ShortRepr
from skanomaly._support._seeds import draw_seed
from skanomaly._support._sklearn import Interval, StrOptions, fit_context
from skanomaly._support._tables import TableReader
from skanomaly._support._validation import check_mixed
from skanomaly.impute._completion import Completion, interval_of
from skanomaly.impute._donors import Donors
from skanomaly.impute._draws import row_keys
from skanomaly.impute._frames import imputed_frame
from skanomaly.impute._selection import choose_n_neighbors

__all__ = ["ImputationInterval", "KNNSamplerImputer"]


@dataclass(frozen=True, repr=False)
class ImputationInterval(ShortRepr):
    """Prediction intervals of missing cells.

    Attributes
    ----------
    lower, upper : ndarray of shape (n_samples, n_output_features)
        Observed cells hold their value in both. Categorical columns hold NaN.
    level : ndarray of shape (n_samples, n_output_features)
        Level attained: the one asked for, or ``(k - 1) / (k + 1)`` where k donors cannot reach it; NaN in cells that
        are not missing.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.impute import KNNSamplerImputer
    >>> X = np.column_stack([np.arange(50.0), np.arange(50.0)])
    >>> interval = KNNSamplerImputer(n_neighbors=19).fit(X).predict_interval([[25.0, np.nan]])
    >>> interval.lower, interval.upper
    (array([[25., 16.]]), array([[25., 34.]]))
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    level: NDArray[np.float64]


class KNNSamplerImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Fill missing cells with values drawn from the nearest rows that have them.

    The mean of the nearest donors, which :class:`sklearn.impute.KNNImputer` fills in, is the right answer to another
    question: a table completed with means has too little spread, and a ring filled with means becomes a disc. A value
    drawn from the same donors keeps the conditional distribution, whatever its shape; the donors' order statistics
    are a prediction interval, and several draws are multiple imputations.

    Parameters
    ----------
    n_neighbors : int or {"loo-crps", "loo-mse"}, default="loo-crps"
        Donors per cell, or the leave-one-out loss by which a number is chosen for each column: the continuous ranked
        probability score judges the donors as a distribution, the squared error judges their mean only. Where fewer
        donors exist, all are used.
    max_neighbors : int, default=200
        Largest number that the choice tries.
    strategy : {"sample", "mean", "median"}, default="sample"
        What becomes of the donors' values. With "mean", an integer `n_neighbors` and ``scale=False`` the result is
        that of :class:`sklearn.impute.KNNImputer`. In a categorical column both averages are the most frequent
        category, of several the first.
    donors : {"joint", "separate"}, default="joint"
        "joint" copies all missing cells of a row from one donor, which keeps the columns' dependence, wherever
        `n_neighbors` donors have all of them; else, and with "separate", every cell has donors of its own. Averages
        are always separate.
    n_rounds : int, default=0
        Chained rounds after the first filling: each fills every column again from neighbours under the completed
        other columns. A few help when many cells are missing.
    scale : bool, default=True
        Measure distances in units of each column's standard deviation.
    add_indicator : bool, default=False
        Append the columns of :class:`sklearn.impute.MissingIndicator`.
    keep_empty_features : bool, default=False
        Keep a column without any value in fit, filled with 0, instead of dropping it.
    n_jobs : int or None, default=None
        Threads over blocks of rows. The bits do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Drawn once in fit; `transform` after that is deterministic.

    Attributes
    ----------
    n_neighbors_ : ndarray of shape (`n_features_in_`,)
        Number of donors per column; 0 for a column without any value in fit.
    categories_ : list of (Index or None), or None
        Categories of each column, None for a numeric one; None if all are numeric.
    indicator_ : MissingIndicator or None
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)

    See Also
    --------
    pool_estimates : What several imputations say about an estimate.
    skanomaly.audit.MissingnessTest : Whether values are missing completely at random.
    sklearn.impute.KNNImputer : The mean of the donors.

    Notes
    -----
    The single-column method with a fully observed remainder is kNNSampler [1]_; the choice by squared error is its
    own. What we changed: the choice by ranked probability score and without its cap at the square root of the number
    of rows, distances scaled the same in the choice and the search, many columns, joint donors, categories, rounds,
    and intervals at ranks q(k + 1), since plain percentiles of k values cover too little.

    *Distance.* The mean squared difference over the columns present in both rows, which orders rows as scikit-learn's
    nan-Euclidean distance does. Ties go to the earlier row. Rows that share no column with a given row are no donors
    to it; a cell without any donor is filled from its whole column (all rows are equally near), a wholly missing row
    from a complete row. A mismatch of categories counts as much as two numbers differ on average in square.

    *Randomness.* A row's draws come from a hash of its content, the seed, the column and the number of the imputation.
    So they depend neither on `n_jobs` nor on the rows beside it, copies apart: the second of two equal rows draws anew.

    *Choice.* The loss is added up over all rows, or over a random part once that would cost more than about 1e9
    operations.

    Pandas and polars frames with category, string, boolean or object columns come back as frames with their dtypes; a
    column of integers, nullable ones too, becomes float where a number between integers is filled in. Frames of
    numbers alone come back from `transform` as arrays, unless ``set_output`` says otherwise. A category unseen in fit
    stays and equals no other.

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
    >>> filled = KNNSamplerImputer(n_neighbors=10, random_state=0).fit_transform(ring)
    >>> radius = np.hypot(*filled.T)
    >>> bool(np.median(abs(radius - 1)) < 0.01)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), StrOptions({"loo-crps", "loo-mse"})],
        "max_neighbors": [Interval(Integral, 1, None, closed="left")],
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
        n_neighbors: int | str = "loo-crps",
        max_neighbors: int = 200,
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
        self.max_neighbors = max_neighbors
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
        """Keep the rows as donors and choose the number of neighbours.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN (None, NA in a frame) where missing.
        y : Ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            On infinity; the imputer is then as it was before.
        """
        del y
        with restore_on_error(self):
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
            self._completion = Completion(found, limits, self.strategy, joint, self.n_jobs)
            if self.n_rounds:
                keys = row_keys(values, self._seed)
                self._completion = self._completion.with_rounds(self.n_rounds, keys)
        return self

    def transform(self, X: Any) -> Any:
        """Fill the missing cells once.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_output_features)
            A frame of the kind of `X`, pandas or polars, if the imputer was fitted on a frame with categorical columns.
        """
        table, values, keys, completion = self._prepare(X)
        return self._assemble(X, table, completion.fill(values, keys, 0), as_frame=self.categories_ is not None)

    def sample(self, X: Any, n_imputations: int = 5, *, bootstrap: bool = False) -> list[Any]:
        """Fill the missing cells several times, independently.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        n_imputations : int, default=5
        bootstrap : bool, default=False
            Draw the training rows anew, with replacement, for each table (the approximate Bayesian bootstrap). Only
            then do the tables differ as much as pooled standard errors suppose.

        Returns
        -------
        list of ndarray or DataFrame of shape (n_samples, n_output_features)
            Frames of its kind if `X` is a pandas or polars frame. Without `bootstrap` the first is what `transform`
            fills in.

        Raises
        ------
        ValueError
            If the strategy is not "sample": averages repeat themselves; or if `n_imputations` is below 1.
        """
        if self.strategy != "sample":
            raise ValueError(f"strategy={self.strategy!r} fills in one value; use strategy='sample' for several.")
        if n_imputations < 1:
            raise ValueError(f"n_imputations={n_imputations} must be at least 1.")
        table, values, keys, completion = self._prepare(X)
        tables = []
        for imputation in range(n_imputations):
            source = completion
            if bootstrap:
                source = completion.resampled(np.random.Generator(np.random.PCG64([self._seed, imputation])))
            filled = source.fill(values, keys, imputation)
            lost = np.isnan(filled)
            if lost.any():  # the resample holds no donor of some column
                filled[lost] = completion.fill(values, keys, imputation)[lost]
            tables.append(self._assemble(X, table, filled, as_frame=is_frame(X)))
        return tables

    def predict_interval(self, X: Any, level: float = 0.9) -> ImputationInterval:
        """Bracket each missing cell between order statistics of its donors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        level : float, default=0.9
            Probability, in (0, 1), that the missing value lies between. k donors reach ``(k - 1) / (k + 1)`` at most,
            so 0.9 takes 19.

        Returns
        -------
        ImputationInterval

        Raises
        ------
        ValueError
            If `level` is not in (0, 1).
        """
        if not 0 < level < 1:
            raise ValueError(f"level={level} must lie between 0 and 1.")
        _, values, keys, completion = self._prepare(X)
        result = completion.over_donors(values, keys, interval_of(level), 3)
        plain = np.where(completion.donors.categorical, np.nan, values)
        missing = np.isnan(values)
        lower, upper = (self._spread(np.where(missing, result[:, :, end], plain), 0.0) for end in (0, 1))
        return ImputationInterval(lower, upper, self._spread(result[:, :, 2], np.nan))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the columns of `transform`'s result.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            None stands for the names seen in fit, or x0, x1, ...

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
        if isinstance(self.n_neighbors, str):
            random = np.random.Generator(np.random.PCG64(self._seed))
            return choose_n_neighbors(donors, self.n_neighbors, self.max_neighbors, random, self.n_jobs)
        return np.minimum(self.n_neighbors, donors.observed.sum(axis=1))

    def _prepare(self, X: Any) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.uint64], Completion]:
        """Return the encoded table, its columns that have donors, the rows' keys, and what fills them."""
        check_is_fitted(self)
        table = self._read(X, reset=False)
        values = table[:, self._kept].astype(np.float64)
        return table, values, row_keys(values, self._seed), replace(self._completion, n_jobs=self.n_jobs)

    def _spread(self, part: NDArray[Any], empty: float) -> NDArray[Any]:
        """Put the columns of `part` where they belong among the output's, and `empty` into the others."""
        if not self.keep_empty_features:
            return part
        whole = np.full((len(part), len(self._kept)), empty, dtype=part.dtype)
        whole[:, self._kept] = part
        return whole

    def _assemble(self, X: Any, table: NDArray[Any], filled: NDArray[np.float64], *, as_frame: bool) -> Any:
        whole = self._spread(filled.astype(table.dtype, copy=False), 0.0)
        mask = None if self.indicator_ is None else self.indicator_.transform(table)
        if not as_frame:
            return whole if mask is None else np.hstack([whole, mask])
        every = np.zeros(table.shape)
        every[:, self._kept] = filled
        columns = list(every.T) if self._reader is None else self._reader.values(every)
        names = () if mask is None else self.get_feature_names_out()[-mask.shape[1] :]
        indicators = {} if mask is None else dict(zip(names, mask.T, strict=True))
        return imputed_frame(X, columns, self._kept, keep_empty=self.keep_empty_features, indicators=indicators)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
