"""Estimators composed of a list of others, whose parameters have names of their own."""

from collections import Counter
from typing import Any, ClassVar, Self

from skanomaly._support._sklearn import BaseComposition

__all__ = ["Composition", "members", "named_members"]


def named_members(given: Any) -> list[tuple[str, Any]]:
    """Name the members of a composition.

    Parameters
    ----------
    given : list of estimator, list of (name, estimator), or None
        Members without names are named as by ``make_pipeline``: the class in lower case, with -1, -2, ... where a class
        occurs more than once.

    Returns
    -------
    list of (str, estimator)
        Empty for None, and for anything that is no list of members.

    Examples
    --------
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly._support._composition import named_members
    >>> [
    ...     name
    ...     for name, _ in named_members(
    ...         [IsolationForest(), IsolationForest(max_samples=64)]
    ...     )
    ... ]
    ['isolationforest-1', 'isolationforest-2']
    """
    if not isinstance(given, list | tuple) or not given:
        return []
    if all(_is_pair(member) for member in given):
        return [(member[0], member[1]) for member in given]
    if any(isinstance(member, list | tuple | str) for member in given):
        return []
    words = [type(member).__name__.lower() for member in given]
    total, seen = Counter(words), Counter[str]()
    names = []
    for word in words:
        seen[word] += 1
        names.append(word if total[word] == 1 else f"{word}-{seen[word]}")
    return list(zip(names, given, strict=True))


def members(given: Any) -> list[Any]:
    """Return the members of a composition without their names.

    Parameters
    ----------
    given : list of estimator, list of (name, estimator), or None

    Returns
    -------
    list
        Empty for anything that is no list.
    """
    if not isinstance(given, list | tuple):
        return []
    return [member[1] if _is_pair(member) else member for member in given]


def _is_pair(member: Any) -> bool:
    return isinstance(member, tuple | list) and len(member) == 2 and isinstance(member[0], str)


class Composition(BaseComposition):
    """What gives the members of a list parameter nested names in ``get_params`` and ``set_params``.

    The list holds estimators, or pairs of a name and an estimator as in scikit-learn's ``VotingClassifier``. A subclass
    names the parameter in ``_members``.
    """

    _members: ClassVar[str]

    @property
    def _pairs(self) -> list[tuple[str, Any]]:
        return named_members(getattr(self, self._members))

    @_pairs.setter
    def _pairs(self, pairs: list[tuple[str, Any]]) -> None:
        given = getattr(self, self._members)
        named = all(_is_pair(member) for member in given)
        setattr(self, self._members, type(given)(pairs if named else [member for _, member in pairs]))

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # scikit-learn's signature
        """Return the parameters, with those of the members.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the members by name, and their parameters as ``name__parameter``.

        Returns
        -------
        dict of str to object
        """
        parameters: dict[str, Any] = self._get_params("_pairs", deep=deep)
        return parameters

    def set_params(self, **params: Any) -> Self:
        """Set parameters; the name of a member replaces it, and ``name__parameter`` sets a parameter of it.

        Parameters
        ----------
        **params : dict
            Names as in :meth:`get_params`. Members without names are named by their class in lower case, with -1, -2,
            ... where a class occurs more than once.

        Returns
        -------
        self
        """
        if self._members in params:
            setattr(self, self._members, params.pop(self._members))
        self._set_params("_pairs", **params)
        return self

    def _check_names(self) -> None:
        """Raise an error for what is no list, and where names are not unique, hold ``__`` or are parameters' names."""
        given = getattr(self, self._members)
        if given is not None and not isinstance(given, list | tuple):
            kind = type(given).__name__
            raise TypeError(f"{self._members} is a {kind}; give a list, such as [{kind}(...)].")
        self._validate_names([name for name, _ in self._pairs])
