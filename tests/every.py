"""One test for a property that every file or every public name must have; it lists all that do not have it."""

import functools
import inspect

__all__ = ["of_every"]


def of_every(items, name):
    """Make one test of a check that is called with each item.

    Parameters
    ----------
    items : iterable
        Arguments of the check: one, or a tuple of them.
    name : callable
        Takes these arguments and returns what to call the item.

    Returns
    -------
    callable
        A decorator. Further arguments of the check are fixtures.
    """
    items = [item if isinstance(item, tuple) else (item,) for item in items]
    assert items, "nothing to check"

    def decorate(check):
        @functools.wraps(check)
        def test(**fixtures):
            failed = []
            for item in items:
                try:
                    check(*item, **fixtures)
                except AssertionError as error:
                    failed.append(f"{name(*item)}: {error}")
            assert not failed, "\n".join(failed)

        signature = inspect.signature(check)
        test.__signature__ = signature.replace(parameters=list(signature.parameters.values())[len(items[0]) :])
        return test

    return decorate
