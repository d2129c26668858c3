"""A holdout set that may be queried many times."""

import math
from collections.abc import Callable
from numbers import Integral, Real
from threading import Lock
from typing import Any, ClassVar, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._parameters import DeclaredParameters
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import Interval
from skanomaly._support._warnings import warn_user
from skanomaly.model_selection._names import get_scorer

__all__ = ["BudgetExhaustedError", "ReusableHoldout"]


_FEWEST_ROWS = 2500


class BudgetExhaustedError(RuntimeError):
    """Raised when a holdout has given as many answers as its budget allows.

    Examples
    --------
    >>> from skanomaly.model_selection import BudgetExhaustedError, ReusableHoldout
    >>> holdout = ReusableHoldout(budget=1, random_state=0)
    >>> try:
    ...     answers = [holdout.query(1.0, 0.5) for _ in range(2)]
    ... except BudgetExhaustedError:
    ...     print("collect a new holdout set")
    collect a new holdout set
    """


class ReusableHoldout(DeclaredParameters):
    """Holdout set for many adaptive queries without overfitting it (the Thresholdout algorithm).

    A query consists of two values: the mean over the training rows and the mean over the holdout rows. If they agree up
    to a noisy threshold, the answer is the training value, which reveals nothing about the holdout. If they differ, the
    training value is overfitted: the answer is the holdout value with noise, and it costs one unit of the budget.

    Parameters
    ----------
    threshold : float, default=0.04
        Largest difference that counts as agreement. :meth:`for_holdout` sets it from the number of rows.
    noise : float, default=0.01
        Scale of the Laplace noise added to answers. The noise of the threshold is twice, and that of each comparison
        four times as large.
    budget : int or None, default=None
        Number of answers from the holdout that are allowed; None sets no limit.
    random_state : int, RandomState instance or None, default=None
        Seeds the noise. The noise protects the holdout, so a seed that the analyst knows weakens the protection; set it
        in tests only.

    Attributes
    ----------
    n_queries_ : int
        Number of queries answered so far.
    n_overfit_ : int
        Number of these answered from the holdout, which is the budget used.

    See Also
    --------
    specification_curve : Evaluates all choices at once instead of one after the other.

    Notes
    -----
    The algorithm is that of Dwork and others [1]_. Values must be means over rows of a quantity in [0, 1], such as
    accuracy. For an area under a curve, the size of the rarer class takes the place of the number of rows, which makes
    the protection much weaker. The defaults are those of the paper's experiment with 10,000 rows.

    All queries share one state. A scorer made by :meth:`scorer` therefore cannot be pickled to another process, and
    copies of it share the state: run searches with ``n_jobs=1`` or the threading backend.

    References
    ----------
    .. [1] Dwork, C., Feldman, V., Hardt, M., Pitassi, T., Reingold, O. and Roth, A. (2015). The reusable holdout:
       preserving validity in adaptive data analysis. Science 349, 636-638. https://doi.org/10.1126/science.aaa9375

    Examples
    --------
    >>> from skanomaly.model_selection import ReusableHoldout
    >>> holdout = ReusableHoldout(budget=20, random_state=0)
    >>> holdout.query(0.81, 0.80)  # they agree: the training value is returned
    0.81
    >>> round(
    ...     holdout.query(0.95, 0.70), 2
    ... )  # they differ: the holdout value with noise is returned
    0.7
    >>> holdout.budget_left_
    19
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "threshold": [Interval(Real, 0, None, closed="neither")],
        "noise": [Interval(Real, 0, None, closed="neither")],
        "budget": [Interval(Integral, 0, None, closed="left"), None],
        "random_state": ["random_state"],
    }
    _random: np.random.Generator | None = None
    _limit: float

    def __init__(
        self,
        *,
        threshold: float = 0.04,
        noise: float = 0.01,
        budget: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.threshold = threshold
        self.noise = noise
        self.budget = budget
        self.random_state = random_state
        self.n_queries_ = 0
        self.n_overfit_ = 0
        self._lock = Lock()

    @classmethod
    def for_holdout(cls, n_rows: int, *, budget: int | None = None, random_state: Any = None) -> Self:
        r"""Set the parameters for a holdout of n rows: threshold :math:`4 / \sqrt n`, noise :math:`1 / \sqrt n`.

        Parameters
        ----------
        n_rows : int
            Number of rows of the holdout (of its rarer class, for an area under a curve).
        budget : int or None, default=None
            As in the class.
        random_state : int, RandomState instance or None, default=None
            As in the class.

        Returns
        -------
        ReusableHoldout

        Warns
        -----
        UserWarning
            Below 2,500 rows. Training values that are overfitted by less than about the threshold are returned as they
            are, and the noise lets larger ones through: at 500 rows a third of those that are overfitted by 0.27, at
            1,000 rows a fifth, and one in a thousand at 10,000. A fresh holdout, used once, is better.
        """
        if n_rows < 1:
            raise ValueError(f"n_rows={n_rows!r} must be at least 1.")
        root = math.sqrt(n_rows)
        if n_rows < _FEWEST_ROWS:
            warn_user(
                f"n_rows={n_rows} gives the threshold {4 / root:.2f} with noise of scale {4 / root:.2f}: training "
                "values that are overfitted by as much are returned as they are. Use a holdout of at least "
                f"{_FEWEST_ROWS:,} rows, or a small one only once."
            )
        return cls(threshold=4 / root, noise=1 / root, budget=budget, random_state=random_state)

    @property
    def budget_left_(self) -> float:
        """Number of answers from the holdout that are left; infinity without a budget."""
        return math.inf if self.budget is None else self.budget - self.n_overfit_

    def query(self, train_value: float, holdout_value: float) -> float:
        """Answer one query.

        Parameters
        ----------
        train_value, holdout_value : float
            The same mean over the training and over the holdout rows, in [0, 1].

        Returns
        -------
        float
            `train_value`, or `holdout_value` with noise (which may leave [0, 1]).

        Raises
        ------
        BudgetExhaustedError
            If the budget is used up. No query is answered then, since even agreement would reveal something.
        ValueError
            If a value is not in [0, 1], or a parameter is not valid.
        """
        for name, value in (("train_value", train_value), ("holdout_value", holdout_value)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name}={value!r} must be in [0, 1]: the noise is scaled for means of such values.")
        with self._lock:
            random = self._started()
            if self.budget_left_ <= 0:
                raise BudgetExhaustedError(
                    f"The budget of {self.budget} answers from the holdout is used up after {self.n_queries_} queries. "
                    "Collect a new holdout set."
                )
            self.n_queries_ += 1
            if abs(train_value - holdout_value) <= self._limit + random.laplace(scale=4 * self.noise):
                return float(train_value)
            self.n_overfit_ += 1
            self._limit = self._new_limit(random)
            return float(holdout_value + random.laplace(scale=self.noise))

    def query_many(self, train_values: Any, holdout_values: Any) -> NDArray[np.float64]:
        """Answer queries one after the other.

        Parameters
        ----------
        train_values, holdout_values : array-like of shape (n_queries,)
            In [0, 1].

        Returns
        -------
        ndarray of shape (n_queries,)

        Raises
        ------
        BudgetExhaustedError
            If the budget is used up before the last query.
        """
        pairs = zip(np.asarray(train_values).tolist(), np.asarray(holdout_values).tolist(), strict=True)
        return np.array([self.query(train, holdout) for train, holdout in pairs], dtype=np.float64)

    def scorer(self, scoring: str | Callable[..., float], X_train: Any, y_train: Any) -> Callable[..., float]:
        """Wrap a scorer so that a search receives the answers of this holdout only.

        Parameters
        ----------
        scoring : str or callable
            Name for :func:`get_scorer`, or ``scoring(estimator, X, y)`` with values in [0, 1].
        X_train : array-like of shape (n_samples, n_features)
            Rows that the candidates are fitted on.
        y_train : array-like of shape (n_samples,)

        Returns
        -------
        callable
            To be passed as `scoring`, with a `cv` whose only split trains on these rows and tests on the holdout.

        Raises
        ------
        ValueError
            If there is no scorer of that name.
        TypeError
            If `scoring` is neither a name nor callable.
        """
        scoring = get_scorer(scoring) if isinstance(scoring, str) else scoring
        if not callable(scoring):
            raise TypeError(f"scoring={scoring!r} must be a name for get_scorer, or scoring(estimator, X, y).")
        return _HoldoutScorer(self, scoring, X_train, y_train)

    def _started(self) -> np.random.Generator:
        """Return the generator of the noise; the first query makes it and draws the first limit."""
        if self._random is None:
            self._validate_params()
            self._random = generator(self.random_state)
            self._limit = self._new_limit(self._random)
        return self._random

    def _new_limit(self, random: np.random.Generator) -> float:
        return float(self.threshold + random.laplace(scale=2 * self.noise))


class _HoldoutScorer:
    """Queries the holdout. Copies share its state, and it cannot be sent to another process."""

    def __init__(self, holdout: ReusableHoldout, scoring: Callable[..., float], X_train: Any, y_train: Any) -> None:
        self._holdout = holdout
        self._scoring = scoring
        self._X_train = X_train
        self._y_train = y_train

    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        """Score on the training rows and on the holdout, and return the answer."""
        train_value = self._scoring(estimator, self._X_train, self._y_train)
        return self._holdout.query(train_value, self._scoring(estimator, X, y))

    def __deepcopy__(self, memory: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "The scorer of a ReusableHoldout counts a budget, which processes cannot share; use n_jobs=1, or "
            "joblib.parallel_config('threading')."
        )
