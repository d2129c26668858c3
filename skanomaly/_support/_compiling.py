"""One line where the first kernel of a command is compiled."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["NOTICE", "announced"]

NOTICE = "skanomaly: compiling kernels for this machine, once; later starts load them."


@contextmanager
def announced(say: Callable[[str], None]) -> Iterator[None]:
    """Say the notice, once, if anything is compiled while inside.

    Parameters
    ----------
    say : callable
        Takes the text.
    """
    from skanomaly._kernels._jit import watch_compilation  # numba is loaded with the first kernel

    said: list[str] = []

    def announce() -> None:
        if not said:
            said.append(NOTICE)
            say(NOTICE)

    with watch_compilation(announce):
        yield
