"""All or nothing: what a failed fit set is taken back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["undone_on_error"]


@contextmanager
def undone_on_error(estimator: Any) -> Iterator[None]:
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
