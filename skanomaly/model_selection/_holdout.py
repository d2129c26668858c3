"""A holdout that may be asked many times."""

import math
from collections.abc import Callable
from threading import Lock
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._seeds import generator
from skanomaly.model_selection._names import get_scorer

__all__ = ["BudgetExhaustedError", "ReusableHoldout"]


class BudgetExhaustedError(RuntimeError):
    """The holdout has shown as many values as its budget allows.

    Examples
    --------
    >>> from skanomaly.model_selection import BudgetExhaustedError, ReusableHoldout
    >>> holdout = ReusableHoldout(budget=1, random_state=0)
    >>> try:
    ...     answers = [holdout.query(1.0, 0.5) for _ in range(2)]
    ... except BudgetExhaustedError:
    ...     print("collect a fresh holdout")
    collect a fresh holdout
    """


class ReusableHoldout:
    """Thresholdout: many adaptive looks at one holdout, without overfitting it.

    A query has two values, the mean over training rows and that over holdout rows. While they agree up to a noisy
    threshold, the answer is the training value, and nothing about the holdout is learnt. Where they differ, training
    has overfitted: the answer is the holdout's value with noise, and that costs one unit of the budget.

    Parameters
    ----------
    threshold : float, default=0.04
        Difference that counts as agreement. :meth:`for_holdout` sets it by the number of rows.
    noise : float, default=0.01
        Scale of the Laplace noise on answers; the threshold's noise is twice, each comparison's four times as large.
    budget : int or None, default=None
        Answers from the holdout that are allowed; None counts without limit.
    random_state : int, RandomState instance or None, default=None
        The noise protects the holdout, so a seed that the analyst knows weakens it; fix it in tests only.

    Attributes
    ----------
    n_queries_ : int
        Queries answered so far.
    n_overfit_ : int
        Of these, answered from the holdout: how often training and holdout disagreed, and the budget used.

    See Also
    --------
    specification_curve : All choices at once, instead of one after the other.

    Notes
    -----
    The algorithm of Dwork and others [1]_. Values must be means over rows of something in [0, 1], such as accuracy: for
    an area under a curve the rarer class's count takes the place of the number of rows, which makes the protection
    much weaker. The defaults are those of the paper's experiment, 10,000 rows.

    The state is one for all queries. :meth:`scorer` therefore refuses to be sent to another process, and copies of it
    share the state: run searches with ``n_jobs=1`` or the threading backend.

    References
    ----------
    .. [1] Dwork, C., Feldman, V., Hardt, M., Pitassi, T., Reingold, O. and Roth, A. (2015). The reusable holdout:
       preserving validity in adaptive data analysis. Science 349, 636-638. https://doi.org/10.1126/science.aaa9375

    Examples
    --------
    >>> from skanomaly.model_selection import ReusableHoldout
    >>> holdout = ReusableHoldout(budget=20, random_state=0)
    >>> holdout.query(0.81, 0.80)  # they agree: the training value comes back
    0.81
    >>> round(holdout.query(0.95, 0.70), 2)  # they do not: the holdout's, with noise
    0.7
    >>> holdout.budget_left_
    19
    """

    def __init__(
        self,
        *,
        threshold: float = 0.04,
        noise: float = 0.01,
        budget: int | None = None,
        random_state: Any = None,
    ) -> None:
        if not threshold > 0:
            raise ValueError(f"threshold={threshold!r} must be above 0.")
        if not noise > 0:
            raise ValueError(f"noise={noise!r} must be above 0.")
        if budget is not None and budget < 0:
            raise ValueError(f"budget={budget!r} must be at least 0, or None for no limit.")
        self.threshold = threshold
        self.noise = noise
        self.budget = budget
        self.random_state = random_state
        self.n_queries_ = 0
        self.n_overfit_ = 0
        self._lock = Lock()
        self._random = generator(random_state)
        self._limit = self._new_limit()

    @classmethod
    def for_holdout(cls, n_rows: int, *, budget: int | None = None, random_state: Any = None) -> Self:
        r"""Make one for a holdout of `n_rows`: threshold :math:`4 / \sqrt n`, noise :math:`1 / \sqrt n`.

        Parameters
        ----------
        n_rows : int
            Rows of the holdout (of its rarer class, for an area under a curve).
        budget : int or None, default=None
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        ReusableHoldout
        """
        if n_rows < 1:
            raise ValueError(f"n_rows={n_rows!r} must be at least 1.")
        root = math.sqrt(n_rows)
        return cls(threshold=4 / root, noise=1 / root, budget=budget, random_state=random_state)

    @property
    def budget_left_(self) -> float:
        """Answers from the holdout that are left; infinity without a budget."""
        return math.inf if self.budget is None else self.budget - self.n_overfit_

    def query(self, train_value: float, holdout_value: float) -> float:
        """Answer one query.

        Parameters
        ----------
        train_value, holdout_value : float
            The same mean over training and over holdout rows, in [0, 1].

        Returns
        -------
        float
            `train_value`, or `holdout_value` with noise (which may leave [0, 1]).

        Raises
        ------
        BudgetExhaustedError
            If the budget is used up; then no query is answered, since even "they agree" tells something.
        ValueError
            If a value is not in [0, 1].
        """
        for name, value in (("train_value", train_value), ("holdout_value", holdout_value)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name}={value!r} must be in [0, 1]: the noise is made for means of such values.")
        with self._lock:
            if self.budget_left_ <= 0:
                raise BudgetExhaustedError(
                    f"The budget of {self.budget} answers from the holdout is used up after {self.n_queries_} queries. "
                    "Collect a fresh holdout."
                )
            self.n_queries_ += 1
            if abs(train_value - holdout_value) <= self._limit + self._random.laplace(scale=4 * self.noise):
                return float(train_value)
            self.n_overfit_ += 1
            self._limit = self._new_limit()
            return float(holdout_value + self._random.laplace(scale=self.noise))

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
            If the budget ends on the way.
        """
        pairs = zip(np.asarray(train_values).tolist(), np.asarray(holdout_values).tolist(), strict=True)
        return np.array([self.query(train, held) for train, held in pairs], dtype=np.float64)

    def scorer(self, scoring: str | Callable[..., float], X_train: Any, y_train: Any) -> Callable[..., float]:
        """Wrap a scorer so that a search sees this holdout's answers only.

        Parameters
        ----------
        scoring : str or callable
            Name for :func:`get_scorer`, or ``scoring(estimator, X, y)``; in [0, 1].
        X_train : array-like of shape (n_samples, n_features)
            Rows that the candidates are fitted on.
        y_train : array-like of shape (n_samples,)

        Returns
        -------
        callable
            To be given as `scoring`, with a `cv` whose one split trains on these rows and tests on the holdout.

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

    def _new_limit(self) -> float:
        return float(self.threshold + self._random.laplace(scale=2 * self.noise))


class _HoldoutScorer:
    """Asks the holdout; copies share its state, and it stays in its process."""

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
            "The scorer of a ReusableHoldout counts a budget that processes cannot share; use n_jobs=1, or "
            "joblib.parallel_config('threading')."
        )
