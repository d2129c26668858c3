"""The workflow of explainers that ask a detector for scores of changed rows."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._display import short_text
from skanomaly._support._seeds import generator
from skanomaly._support._sklearn import validate_parameter_constraints
from skanomaly.inspection._explanation import Explanation
from skanomaly.inspection._scores import Scorer, numeric_rows, rows_of_any_kind

__all__ = ["Explainer", "Groups"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Groups:
    """Columns that are changed together.

    Attributes
    ----------
    members : ndarray of shape (n_features,)
        Group of each column.
    names : list of str
        Name of each group.
    """

    members: NDArray[np.intp]
    names: list[str]

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def from_labels(cls, labels: Any, names: list[str]) -> "Groups":
        """Read one label a column; None makes each column its own group."""
        if labels is None:
            return cls(np.arange(len(names)), names)
        try:
            given = np.asarray(labels)
        except ValueError:  # lists of unequal lengths
            given = np.empty((0, 0))
        if given.shape != (len(names),):
            example = ["a" if 2 * column < len(names) else "b" for column in range(len(names))][:6]
            more = " and so on" if len(names) > len(example) else ""
            raise ValueError(
                f"groups={short_text(labels, 60)} must give one label to each of {len(names)} columns, in their order, "
                f"for example {example}{more}: columns of equal label make one group."
            )
        found, first, members = np.unique(given, return_index=True, return_inverse=True)
        place = np.argsort(np.argsort(first))
        return cls(place[members], [str(label) for label in found[np.argsort(first)]])


class Explainer(ABC):
    """Base class of explainers: a subclass writes ``__init__`` and ``_explain``."""

    _constraints: ClassVar[dict[str, list[Any]]] = {"random_state": ["random_state"]}

    _takes_any_kind: ClassVar[bool] = False

    background: Any
    groups: Any
    random_state: Any

    @abstractmethod
    def _explain(
        self, score: Scorer, rows: Floats, background: Floats, groups: Groups, random: np.random.Generator
    ) -> Explanation:
        """Explain validated rows against validated background rows."""

    @final
    def explain(self, detector: Any, X: Any) -> Explanation:
        """Split the scores of rows among their columns.

        Parameters
        ----------
        detector : estimator or callable
            Fitted, with ``score_samples``; or a function from rows to scores, of which small is odd.
        X : array-like of shape (n_samples, n_features)
            Rows to explain.

        Returns
        -------
        Explanation
            That of a row depends on no other row of `X`.
        """
        validate_parameter_constraints(
            self._constraints, {name: getattr(self, name) for name in self._constraints}, type(self).__name__
        )
        if self.background is None:
            raise ValueError(
                "background is None; give rows of the normal kind, such as those the detector was fitted on."
            )
        if self._takes_any_kind:
            rows, background, values = rows_of_any_kind(X, self.background)
        else:
            rows, background, values = numeric_rows(X), numeric_rows(self.background, "background"), {}
        score = Scorer(detector, X, values)
        if background.shape[1] != rows.shape[1]:
            raise ValueError(
                f"background has {background.shape[1]} columns and X has {rows.shape[1]}; they must agree."
            )
        groups = Groups.from_labels(self.groups, score.names)
        return self._explain(score, rows, background, groups, generator(self.random_state))
