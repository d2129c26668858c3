"""Parameters of objects that are no estimators: declared like an estimator's, checked by one method."""

from typing import Any, ClassVar

from skanomaly._support._sklearn import validate_parameter_constraints

__all__ = ["DeclaredParameters"]


class DeclaredParameters:
    """Base of splitters, scorers, explainers and the like: a subclass declares ``_parameter_constraints``."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def _validate_parameters(self) -> None:
        """Raise for a value that the declaration excludes, with the name, the value and what is allowed."""
        given = {name: getattr(self, name) for name in self._parameter_constraints}
        validate_parameter_constraints(self._parameter_constraints, given, type(self).__name__)
