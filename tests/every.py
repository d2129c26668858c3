"""One test for a property that every file or every public name must have; it lists all that do not have it."""

import functools
import inspect

__all__ = ["of_every"]


def of_every(items, name):
    """Make one test of a check that is called with each item.

    Parameters
    ----------
    items : iterable, or callable without arguments
        Arguments of the check: one, or a tuple of them. A callable is called when the test runs, for what takes time.
    name : callable
        Takes these arguments and returns what to call the item.

    Returns
    -------
    callable
        A decorator. Further arguments of the check are fixtures.
    """

    def decorate(check):
        @functools.wraps(check)
        def test(**fixtures):
            failed = []
            found = [item if isinstance(item, tuple) else (item,) for item in (items() if callable(items) else items)]
            assert found, "nothing to check"
            for item in found:
                try:
                    check(*item, **fixtures)
                except AssertionError as error:
                    failed.append(f"{name(*item)}: {error}")
            assert not failed, "\n".join(failed)

        signature = inspect.signature(check)
        n_arguments = 1 if name is str else len(inspect.signature(name).parameters)
        test.__signature__ = signature.replace(parameters=list(signature.parameters.values())[n_arguments:])
        return test

    return decorate
