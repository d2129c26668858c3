"""One line on the error stream when the first kernel of a command is compiled."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from numba.core import event

__all__ = ["NOTICE", "announced"]

NOTICE = "skanomaly: compiling kernels for this machine, once; later starts load them."


class _Announcer(event.Listener):
    """Print the notice when the first compilation starts; kernels from the cache on disk start none."""

    def __init__(self) -> None:
        self._said = False

    def on_start(self, event: Any) -> None:
        if not self._said:
            self._said = True
            typer.echo(NOTICE, err=True)

    def on_end(self, event: Any) -> None:
        """Nothing: one line is enough."""


@contextmanager
def announced() -> Iterator[None]:
    """Print the notice if anything is compiled while inside."""
    with event.install_listener("numba:compile", _Announcer()):
        yield
