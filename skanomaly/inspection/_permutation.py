"""Sampled Shapley values: columns are switched on one after the other, in random orders."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._blocks import row_blocks
from skanomaly._support._sklearn import Interval
from skanomaly.inspection._explainer import Explainer, Floats, Groups
from skanomaly.inspection._explanation import Explanation
from skanomaly.inspection._scores import Scorer

__all__ = ["PermutationExplainer"]

_BLOCK_CELLS = 4_000_000


class PermutationExplainer(Explainer):
    r"""Sampled Shapley values: the average change of the score as a column of a background row takes the row's value.

    It works with any detector. For any number of orders, the contributions sum to the score minus the mean score of the
    background rows that were drawn. Values are only exchanged between rows, so text, categories, dates and missing
    values are accepted where the detector accepts them.

    Parameters
    ----------
    background : array-like of shape (n_background, n_features)
        Normal rows, with which rows are compared. The columns of two frames are matched by name.
    n_background : int, default=32
        Number of background rows drawn, without replacement; all rows are used where there are fewer.
    n_permutations : int, default=2
        Number of orders of the columns for each of these rows. They come in pairs, an order and its reverse.
    groups : array-like of shape (n_features,) or None, default=None
        Columns with equal labels are switched together and get one contribution; None switches each column by itself.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice of background rows and the orders.

    See Also
    --------
    feature_contributions : Exact contributions, where the score is a sum over columns.
    LimeExplainer : Fits a local linear model instead.

    Notes
    -----
    The mean over all orders and background rows is the Shapley value of the game whose payoff is the mean score with
    some columns from the row and the others from a background row. The sampled estimate is that of [1]_, with each
    order followed by its reverse. The dependence between columns is ignored, so the detector scores rows that may be
    impossible. The cost is `n_background` times `n_permutations` times (n_groups - 1) scores per row.

    References
    ----------
    .. [1] Štrumbelj, E. and Kononenko, I. (2014). "Explaining prediction models and individual predictions with feature
       contributions". Knowledge and Information Systems 41, 647-665. https://doi.org/10.1007/s10115-013-0679-x

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.inspection import PermutationExplainer
    >>> rows = np.random.RandomState(0).normal(size=(200, 3))
    >>> forest = IsolationForest(random_state=0).fit(rows)
    >>> explanation = PermutationExplainer(background=rows, random_state=0).explain(
    ...     forest, [[0.0, 5.0, 0.0]]
    ... )
    >>> explanation.reasons(0, 1)[0][0]
    'x1'
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Explainer._parameter_constraints,
        "n_background": [Interval(Integral, 1, None, closed="left")],
        "n_permutations": [Interval(Integral, 1, None, closed="left")],
    }
    _takes_any_kind: ClassVar[bool] = True

    def __init__(
        self,
        *,
        background: Any = None,
        n_background: int = 32,
        n_permutations: int = 2,
        groups: Any = None,
        random_state: Any = None,
    ) -> None:
        self.background = background
        self.n_background = n_background
        self.n_permutations = n_permutations
        self.groups = groups
        self.random_state = random_state

    def _explain(
        self, score: Scorer, rows: Floats, background: Floats, groups: Groups, random: np.random.Generator
    ) -> Explanation:
        n_kept = min(self.n_background, len(background))
        kept = background[np.sort(random.choice(len(background), n_kept, replace=False))]
        starts = np.repeat(np.arange(n_kept), self.n_permutations)
        orders = np.array([self._orders(len(groups), random) for _ in range(n_kept)]).reshape(len(starts), -1)
        scores, from_scores = score(rows), score(kept)
        for name, found in (("X", scores), ("background", from_scores)):
            if not np.isfinite(found).all():
                raise ValueError(
                    f"The scores of {name} contain NaN or infinity, which cannot be split; leave such rows out."
                )
        contributions = np.zeros((len(rows), len(groups)))
        together = row_blocks(len(starts), max(1, _BLOCK_CELLS // (rows.shape[1] * len(groups))))
        for place, row in enumerate(rows):
            for block in together:
                paths = np.empty((block.stop - block.start, len(groups) + 1))
                paths[:, 0], paths[:, -1] = from_scores[starts[block]], scores[place]
                rows_between = _paths(kept[starts[block]], row, orders[block][:, groups.members], len(groups))
                paths[:, 1:-1] = score(rows_between.reshape(-1, len(row))).reshape(rows_between.shape[:2])
                contributions[place] += np.take_along_axis(np.diff(paths, axis=1), orders[block], axis=1).sum(axis=0)
        contributions /= len(starts)
        return Explanation(contributions, np.full(len(rows), from_scores.mean()), scores, groups.names)

    def _orders(self, n_groups: int, random: np.random.Generator) -> NDArray[np.intp]:
        """Draw the position of each group in each order, an order followed by its reverse."""
        places: list[Any] = []
        while len(places) < self.n_permutations:
            place = random.permutation(n_groups)
            places += [place, n_groups - 1 - place]
        return np.array(places[: self.n_permutations])


def _paths(starts: Floats, row: Floats, places: NDArray[np.intp], n_groups: int) -> Floats:
    """List the rows between each start and `row`, columns switched in the order of their places.

    Returns an ndarray of shape (n_starts, n_groups - 1, n_features).
    """
    steps = np.arange(1, n_groups)[:, None]
    return np.where(places[:, None, :] < steps, row, starts[:, None, :])
