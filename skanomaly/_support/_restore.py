"""All or nothing: an error or interrupt leaves an estimator as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["restore_on_error"]


@contextmanager
def restore_on_error(estimator: Any) -> Iterator[None]:
    """Restore the attributes of `estimator` if the block raises or is interrupted.

    Fitted arrays must be replaced, not written into, for this to hold.

    Parameters
    ----------
    estimator : object
        Its ``__dict__`` is kept, shallowly.

    Yields
    ------
    None
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
