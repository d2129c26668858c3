"""Objects that are parameters of estimators: they have parameters themselves, and nothing to fit."""

import inspect
from typing import Any, ClassVar, Self, final

from skanomaly._support._sklearn import validate_parameter_constraints

__all__ = ["DeclaredParameters", "ParameterObject"]


class DeclaredParameters:
    """Base class of objects that are no estimators, such as splitters and scorers, with declared parameters.

    Subclasses declare the constraints in ``_parameter_constraints``, as estimators do, and call ``_validate_params``
    before they use the parameters.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def _validate_params(self) -> None:
        """Raise scikit-learn's error for a parameter that breaks its constraints."""
        values = {name: getattr(self, name) for name in self._parameter_constraints}
        validate_parameter_constraints(self._parameter_constraints, values, caller_name=type(self).__name__)


class ParameterObject(DeclaredParameters):
    """Base class of parameter objects, such as threshold rules, priors and methods.

    A parameter object is cloned with its estimator, its parameters are read and set through the estimator
    (``rule__alpha`` in a grid search), and it is printed with the parameters that differ from their defaults. It is no
    scikit-learn estimator: it has no ``fit``, and the checks of estimators do not apply to it.

    Subclasses store their parameters in ``__init__``, unchanged and under the same names, and declare the constraints
    in ``_parameter_constraints`` as estimators do. What uses the object calls ``_validate_params`` first.

    Notes
    -----
    ``sklearn.base.clone``, ``get_params(deep=True)`` of the owner and nested ``set_params`` need only the two methods
    below; scikit-learn's kernels of Gaussian processes rely on the same.

    Examples
    --------
    >>> from skanomaly._support._parameters import ParameterObject
    >>> class Level(ParameterObject):
    ...     def __init__(self, *, alpha=0.01):
    ...         self.alpha = alpha
    >>> Level().set_params(alpha=0.05)
    Level(alpha=0.05)
    """

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        """Return the parameters of ``__init__`` with their defaults, sorted by name."""
        if cls.__init__ is object.__init__:
            return {}
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # without self
        return {parameter.name: parameter.default for parameter in sorted(parameters, key=lambda one: one.name)}

    @final
    def get_params(self, deep: bool = True) -> dict[str, Any]:  # scikit-learn's signature
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Also return the parameters of parameters, as ``name__parameter``.

        Returns
        -------
        dict of str to object
        """
        found: dict[str, Any] = {}
        for name in self._defaults():
            value = getattr(self, name)
            found[name] = value
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                found.update((f"{name}__{nested}", part) for nested, part in value.get_params().items())
        return found

    @final
    def set_params(self, **params: Any) -> Self:
        """Set parameters.

        Parameters
        ----------
        **params : dict
            Names as in :meth:`get_params`; ``name__parameter`` sets a parameter of the parameter `name`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        names = list(self._defaults())
        unknown = [name for name in params if name.partition("__")[0] not in names]
        if unknown:
            raise ValueError(f"{self!r} has no parameter {unknown[0]!r}. Its parameters are {names}.")
        for name in sorted(params, key=lambda one: "__" in one):  # whole objects before their parts
            own, _, nested = name.partition("__")
            if nested:
                getattr(self, own).set_params(**{nested: params[name]})
            else:
                setattr(self, own, params[name])
        return self

    def __repr__(self) -> str:
        """Return the class and the parameters that differ from their defaults."""
        values = {name: repr(getattr(self, name, None)) for name in self._defaults()}
        changed = [
            f"{name}={values[name]}" for name, default in self._defaults().items() if values[name] != repr(default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _validate_params(self) -> None:
        """Raise scikit-learn's error for a parameter that breaks its constraints; check nested objects, too."""
        values = self.get_params(deep=False)
        validate_parameter_constraints(self._parameter_constraints, values, caller_name=type(self).__name__)
        for value in values.values():
            if isinstance(value, ParameterObject):
                value._validate_params()
