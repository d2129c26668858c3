"""Base class of explainers, which score changed rows with a detector."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from skanomaly._support._display import short_text
from skanomaly._support._parameters import ParameterObject
from skanomaly._support._seeds import generator
from skanomaly.inspection._explanation import Explanation
from skanomaly.inspection._scores import Scorer, read_tables

__all__ = ["Explainer", "Groups"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Groups:
    """Groups of columns that are changed together.

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
        """Make groups from one label per column; None makes each column a group."""
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
                f"groups={short_text(labels, 60)} must have one label for each of {len(names)} columns, in their "
                f"order, for example {example}{more}: columns with equal labels form one group."
            )
        found, first, members = np.unique(given, return_index=True, return_inverse=True)
        place = np.argsort(np.argsort(first))
        return cls(place[members], [str(label) for label in found[np.argsort(first)]])


class Explainer(ParameterObject, ABC):
    """Base class of explainers: a subclass writes ``__init__`` and ``_explain``."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"random_state": ["random_state"]}

    _takes_any_kind: ClassVar[bool] = False

    background: Any
    groups: Any
    random_state: Any

    @abstractmethod
    def _explain(
        self, score: Scorer, rows: Floats, background: Floats, groups: Groups, random: np.random.Generator
    ) -> Explanation:
        """Explain validated rows with validated background rows."""

    @final
    def explain(self, detector: Any, X: Any) -> Explanation:
        """Split the scores of rows into contributions of their columns.

        Parameters
        ----------
        detector : estimator or callable
            Fitted, with ``score_samples``; or a function from rows to scores, lower for more anomalous rows.
        X : array-like of shape (n_samples, n_features)
            Rows to explain.

        Returns
        -------
        Explanation
            The explanation of a row does not depend on the other rows of `X`.
        """
        self._validate_params()
        if self.background is None:
            raise ValueError("background is None; pass normal rows, such as those the detector was fitted on.")
        reader, rows, background = read_tables(X, self.background, mixed=self._takes_any_kind)
        score = Scorer(detector, reader)
        groups = Groups.from_labels(self.groups, score.names)
        return self._explain(score, rows, background, groups, generator(self.random_state))
