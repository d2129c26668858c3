"""One helper of the checks."""

from collections.abc import Callable
from typing import Any

__all__ = ["assert_raises"]


def assert_raises(kind: type[Exception], words: str, function: Callable[..., Any], *arguments: Any) -> None:
    """Assert that a call raises an error of a kind that says certain words."""
    try:
        function(*arguments)
    except kind as error:
        assert words in str(error), f"the error must say {words!r}; it says: {error}"
    else:
        raise AssertionError(f"{function} must raise {kind.__name__}")
