"""Regression where most batches of rows are wrong: a short list of models, one of which is near the truth."""

import math
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skanomaly._support._blocks import single_blas_thread
from skanomaly._support._fractions import whole_above
from skanomaly._support._restore import restore_on_error
from skanomaly._support._scales import column_scale, mean_and_scale
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval, fit_context
from skanomaly._support._validation import check_rows, validate_data
from skanomaly._support._warnings import warn_user
from skanomaly.robust._batch_seeds import random_seeds, solve_normal, spectral_seeds

__all__ = ["BatchListRegressor"]

Floats = NDArray[np.float64]
_MAX_STEPS = 15
_FEWEST_GOOD_SEEDS = 5
_MEMBER_QUANTILE = 0.99
_APART = 3.0  # standard errors between two elements of the list


class BatchListRegressor(RegressorMixin, BaseEstimator):
    """Linear regression from batches of which only a fraction follows one linear model; the others may be anything.

    With most of the data wrong, no method can know which of several consistent models is the true one. The result is
    a short list, and a few trusted rows choose from it (:meth:`select`). Batches are the rows of one machine, store or
    user.

    Parameters
    ----------
    clean_fraction : float, default=0.3
        Fraction of the batches that follow the model, at least. It may be far below one half.
    n_starts : int, default=200
        Number of starts from random sets of batches, beside those from splits of the batches.
    max_list : int, default=None
        Largest length of the list; None is 4 / `clean_fraction`.
    batch_size : int, default=10
        Number of consecutive rows in a batch where `groups` is None.
    ridge : float, default=1e-9
        Penalty of the coefficients of standardised columns, relative to the number of rows.
    random_state : int, RandomState instance or None, default=None
        Controls the random starts.

    Attributes
    ----------
    coefs_ : ndarray of shape (n_list, n_features)
        Coefficients of each element of the list, the smallest objective first.
    intercepts_ : ndarray of shape (n_list,)
        Intercepts.
    objectives_ : ndarray of shape (n_list,)
        Mean squared error over the fraction `clean_fraction` of the batches that fit best.
    scales_ : ndarray of shape (n_list,)
        Standard deviation of the errors in the batches that follow the element.
    batch_membership_ : ndarray of shape (n_batches, n_list), bool
        Whether the batch follows the element: its errors are below their 99 % quantile.
    batches_ : ndarray of shape (n_batches,)
        Sorted labels of the batches.
    selected_ : int
        Element that :meth:`predict` uses: 0 until :meth:`select` is called.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, where `X` had names that are all strings.

    See Also
    --------
    ZErrorRegressor : Where most rows are right, and single rows are wrong.
    sklearn.linear_model.RANSACRegressor : Rows instead of batches, and one model.

    Notes
    -----
    From each start, the `clean_fraction` of the batches with the smallest mean squared error is refitted until it
    repeats (concentration steps). Elements that predict the same within 3 standard errors are joined. Each element is
    then refitted on all batches that follow it.

    Das et al. [1]_ filter batches by the spectrum of their gradients, and prove that a list of length of order
    1 / `clean_fraction` squared is enough. Here that spectrum only proposes starts: the batches are split in two, again
    and again, along the first principal direction of their clipped gradients. A random start is good if all of its
    batches are; with many columns and small batches that is rare, and the starts from splits remain, with a warning.

    References
    ----------
    .. [1] A. Das, A. Jain, W. Kong and R. Sen, "Efficient List-Decodable Regression using Batches", 2022.
       arXiv:2211.12743.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.robust import BatchListRegressor
    >>> random = np.random.default_rng(0)
    >>> X, machine = random.normal(size=(1600, 3)), np.repeat(np.arange(200), 8)
    >>> y = X @ [1.0, -2.0, 0.5] + 0.1 * random.normal(size=1600)
    >>> y[machine >= 60] = 3 * random.normal(
    ...     size=1120
    ... )  # 70 % of the machines follow nothing
    >>> model = BatchListRegressor(random_state=0).fit(X, y, groups=machine)
    >>> model.coefs_[0].round(1)
    array([ 1. , -2. ,  0.5])
    >>> bool(
    ...     (model.batch_membership_[:60, 0].mean() > 0.9)
    ...     and (model.batch_membership_[60:, 0].mean() < 0.1)
    ... )
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "clean_fraction": [Interval(Real, 0, 1, closed="right")],
        "n_starts": [Interval(Integral, 0, None, closed="left")],
        "max_list": [Interval(Integral, 1, None, closed="left"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        clean_fraction: float = 0.3,
        n_starts: int = 200,
        max_list: int | None = None,
        batch_size: int = 10,
        ridge: float = 1e-9,
        random_state: Any = None,
    ) -> None:
        self.clean_fraction = clean_fraction
        self.n_starts = n_starts
        self.max_list = max_list
        self.batch_size = batch_size
        self.ridge = ridge
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Find the list of models.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Numbers.
        groups : array-like of shape (n_samples,), default=None
            Batch of each row. None cuts the rows into batches of `batch_size` in their order.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `groups` has another length than `y`.

        Warns
        -----
        UserWarning
            If fewer than 5 of the random starts are expected to be good.
        """
        with restore_on_error(self, X, y), single_blas_thread():
            rows, targets = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
            targets = np.asarray(targets, dtype=np.float64)
            codes, self.batches_ = self._codes(groups, len(rows))
            random = generator(self.random_state)
            center, scale = mean_and_scale(rows)
            target_center, target_scale = float(np.median(targets)), float(column_scale(targets))
            table = np.column_stack([(rows - center) / scale, np.ones(len(rows))])
            order = np.argsort(codes, kind="stable")
            batches = _Batches(table[order], (targets[order] - target_center) / target_scale, codes[order], self.ridge)
            found = self._search(batches, random)
            self._keep(found, batches)
            self.coefs_ = self._weights[:, :-1] * target_scale / scale
            self.intercepts_ = self._weights[:, -1] * target_scale + target_center - self.coefs_ @ center
            self.objectives_ *= target_scale**2
            self.scales_ *= target_scale
            del self._weights
            self.selected_ = 0
        return self

    def _codes(self, groups: Any, n_rows: int) -> tuple[NDArray[np.intp], NDArray[Any]]:
        if groups is None:
            codes = np.arange(n_rows) // self.batch_size
            return codes, np.unique(codes)
        given = column_or_1d(groups)
        if len(given) != n_rows:
            raise ValueError(f"groups has {len(given)} rows and y {n_rows}; give the batch of each row.")
        labels, codes = np.unique(given, return_inverse=True)
        return codes, labels

    def _search(self, batches: "_Batches", random: np.random.Generator) -> Floats:
        """Return the weights that the starts lead to, one row each."""
        n_batches, n_columns = len(batches.sizes), batches.X.shape[1]
        n_kept = max(whole_above(self.clean_fraction, n_batches), 1)
        n_seed = min(math.ceil((n_columns + 1) / batches.sizes.mean()), n_batches)
        n_good = self.n_starts * self.clean_fraction**n_seed
        if n_good < _FEWEST_GOOD_SEEDS and n_kept < n_batches:
            warn_user(
                f"A start needs {n_seed} batches that all follow the model: with clean_fraction={self.clean_fraction} "
                f"and n_starts={self.n_starts} only {n_good:.2g} good ones are expected, and the starts from splits of "
                "the batches must do. Raise n_starts, or give larger batches or fewer columns."
            )
        starts = [*spectral_seeds(batches, n_kept, n_seed), *random_seeds(batches, self.n_starts, n_seed, random)]
        weights = np.array(starts)
        kept = np.zeros((len(weights), n_batches), dtype=np.bool_)
        for _ in range(_MAX_STEPS):
            errors = batches.quick_errors(weights)
            best = np.argpartition(errors, n_kept - 1, axis=1)[:, :n_kept]
            new = np.zeros_like(kept)
            np.put_along_axis(new, best, values=True, axis=1)
            if (new == kept).all():
                break
            changed = (new != kept).any(axis=1)
            weights[changed] = batches.refit(new[changed])
            kept = new
        return np.unique(weights.round(12), axis=0)

    def _keep(self, weights: Floats, batches: "_Batches") -> None:
        """Choose the list, refit its elements on the batches that follow them, and keep it."""
        n_batches = len(batches.sizes)
        n_kept = max(whole_above(self.clean_fraction, n_batches), 1)
        objectives = np.sort(batches.quick_errors(weights), axis=1)[:, :n_kept].mean(axis=1)
        longest = math.ceil(4 / self.clean_fraction) if self.max_list is None else self.max_list
        chosen: list[Floats] = []
        for place in np.argsort(objectives, kind="stable"):
            variance = max(float(objectives[place]), 0.0)
            apart = _APART**2 * variance * weights.shape[1] / (n_kept * batches.sizes.mean())
            if all(batches.distance(weights[place], one) > apart for one in chosen):
                chosen.append(weights[place])
            if len(chosen) == longest:
                break
        found = []
        for element in chosen:
            refitted, scale, member = element, 0.0, np.ones(n_batches, dtype=np.bool_)
            for _ in range(3):
                errors = batches.errors(refitted)
                scale = _scale(errors, batches.sizes, n_kept)
                limits = scale**2 * chi2.ppf(_MEMBER_QUANTILE, batches.sizes) / batches.sizes
                member = errors <= limits
                if member.sum() < n_kept:
                    member[np.argsort(errors, kind="stable")[:n_kept]] = True
                refitted = batches.refit(member[None])[0]
            errors = batches.errors(refitted)
            objective = float(np.sort(errors)[:n_kept].mean())
            found.append((objective, scale, errors <= scale**2 * _limits(batches.sizes), refitted))
        found.sort(key=lambda one: one[0])
        # Elements that became one by the last refit.
        unique: list[Any] = []
        for one in found:
            apart = _APART**2 * one[0] * weights.shape[1] / (n_kept * batches.sizes.mean())
            if all(batches.distance(one[3], other[3]) > apart for other in unique):
                unique.append(one)
        self.objectives_ = np.array([one[0] for one in unique])
        self.scales_ = np.array([one[1] for one in unique])
        self.batch_membership_ = np.column_stack([one[2] for one in unique])
        self._weights = np.array([one[3] for one in unique])

    def select(self, X: Any, y: Any) -> int:
        """Choose the element of the list that predicts a few trusted rows best; :meth:`predict` then uses it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Trusted rows; a handful is enough.
        y : array-like of shape (n_samples,)

        Returns
        -------
        int
            Position in the list.
        """
        check_is_fitted(self)
        rows, targets = check_rows(self, X, reset=False, dtype=np.float64), column_or_1d(y)
        errors = targets[:, None] - rows @ self.coefs_.T - self.intercepts_
        self.selected_ = int((errors**2).mean(axis=0).argmin())
        return self.selected_

    def predict(self, X: Any) -> Floats:
        """Predict with the selected element.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        rows = check_rows(self, X, reset=False, dtype=np.float64)
        # Row by row, so that a row has one prediction in any batch.
        return np.asarray(np.einsum("ij,j->i", rows, self.coefs_[self.selected_]) + self.intercepts_[self.selected_])

    def score_batches(self, X: Any, y: Any, groups: Any = None) -> Floats:
        """Score batches by how well the best element of the list fits them; lower scores are more anomalous.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        groups : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_batches,)
            In the sorted order of the labels. Minus the smallest standardised sum of squared errors: about standard
            normal for a batch that follows an element.
        """
        check_is_fitted(self)
        rows, targets = check_rows(self, X, reset=False, dtype=np.float64), column_or_1d(y)
        codes, _ = self._codes(groups, len(rows))
        errors = targets[:, None] - rows @ self.coefs_.T - self.intercepts_
        sizes = np.bincount(codes)[:, None].astype(np.float64)
        sums = np.column_stack([np.bincount(codes, weights=column**2) for column in errors.T])
        scales = np.where(self.scales_ > 0, self.scales_, 1.0)
        # Wilson and Hilferty: the cube root of a chi-square variable is nearly normal.
        shape = 2 / (9 * sizes)
        z = (np.cbrt(sums / sizes / scales**2) - (1 - shape)) / np.sqrt(shape)
        return np.asarray(-z.min(axis=1))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # a list of models for a minority of the rows
        return tags


class _Batches:
    """Rows sorted by batch, with the normal equations of each batch."""

    def __init__(self, X: Floats, y: Floats, codes: NDArray[np.intp], ridge: float) -> None:
        self.X, self.y, self.codes = X, y, codes
        self.starts = np.flatnonzero(np.r_[True, np.diff(codes) > 0])
        self.sizes = np.diff(np.r_[self.starts, len(y)]).astype(np.float64)
        self.ridge = ridge
        n_columns = X.shape[1]
        self.grams = np.empty((len(self.sizes), n_columns * n_columns))
        self.cross = np.empty((len(self.sizes), n_columns))
        for place, (start, size) in enumerate(zip(self.starts, self.sizes.astype(np.intp), strict=True)):
            rows = X[start : start + size]
            self.grams[place] = (rows.T @ rows).ravel()
            self.cross[place] = rows.T @ y[start : start + size]
        self.squares = np.add.reduceat(y**2, self.starts)
        self.mean_gram = self.grams.sum(axis=0).reshape(n_columns, n_columns) / len(y)

    def quick_errors(self, weights: Floats) -> Floats:
        """Return the mean squared error of each batch for each row of weights, from the normal equations."""
        outer = (weights[:, :, None] * weights[:, None, :]).reshape(len(weights), -1)
        return np.asarray((self.squares - 2 * weights @ self.cross.T + outer @ self.grams.T) / self.sizes)

    def errors(self, weights: Floats) -> Floats:
        """Return the mean squared error of each batch, from the rows."""
        return np.asarray(np.add.reduceat((self.y - self.X @ weights) ** 2, self.starts) / self.sizes)

    def refit(self, kept: NDArray[np.bool_]) -> Floats:
        """Return the least-squares weights on each set of batches."""
        chosen = kept.astype(np.float64)
        return solve_normal(chosen @ self.grams, chosen @ self.cross, self.ridge)

    def distance(self, first: Floats, second: Floats) -> float:
        """Return the mean squared difference of two predictions over all rows."""
        difference = first - second
        return float(difference @ self.mean_gram @ difference)


def _limits(sizes: Floats) -> Floats:
    return np.asarray(chi2.ppf(_MEMBER_QUANTILE, sizes) / sizes)


def _scale(errors: Floats, sizes: Floats, n_kept: int) -> float:
    """Return the standard deviation of the errors from the median of the best batches."""
    best = np.argsort(errors, kind="stable")[:n_kept]
    return float(np.sqrt(np.median(errors[best] * sizes[best] / chi2.median(sizes[best]))))
