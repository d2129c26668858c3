"""Callbacks of scikit-learn, called at each step of the outer loop of a fit."""

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from skanomaly._support._sklearn import CallbackSupport, callback_management

__all__ = ["CallbackSupport", "callbacks_of", "print_loss", "reported", "training_steps"]

Item = TypeVar("Item")
_PRINTED_EVERY = 100  # steps

_current: ContextVar[tuple[Any, Any] | None] = ContextVar("current fit", default=None)


@contextmanager
def callbacks_of(estimator: Any) -> Iterator[None]:
    """Call the callbacks set on an estimator before and after its fit, and let :func:`reported` find them.

    Loops of an estimator without callbacks, fitted inside another, are reported by the other.

    Parameters
    ----------
    estimator : estimator
        A subclass of `CallbackSupport`, which has ``set_callbacks`` from scikit-learn 1.9.
    """
    if not hasattr(estimator, "_skl_callbacks"):  # which set_callbacks sets, and scikit-learn's searches and pipelines
        yield
        return
    with callback_management(estimator):
        context = estimator._init_callback_context(max_subtasks=None)
        context.call_on_fit_task_begin(estimator=estimator)
        token = _current.set((estimator, context))
        try:
            yield
        finally:
            _current.reset(token)
        context.call_on_fit_task_end(estimator=estimator)


def reported(items: Iterable[Item], name: str, n_items: int | None = None, *, can_stop: bool = False) -> Iterator[Item]:
    """Yield what is to be worked through in a loop, and report each finished step to the callbacks of the fit.

    Parameters
    ----------
    items : iterable
    name : str
        What the loop does, such as ``"train"``.
    n_items : int or None, default=None
        Number of items; None where ``len`` tells it, or nothing does.
    can_stop : bool, default=False
        End the loop where a callback asks for it; the fit must be able to go on from there.

    Yields
    ------
    object
        Each of the items.
    """
    current = _current.get()
    if current is None:
        yield from items
        return
    if n_items is None and isinstance(items, Sized):
        n_items = len(items)
    estimator, root = current
    context = root.subcontext(task_name=name, max_subtasks=n_items)
    context.call_on_fit_task_begin(estimator=estimator)
    step = None
    try:
        for item in items:
            step = context.subcontext(task_name=f"{name}, one step").call_on_fit_task_begin(estimator=estimator)
            yield item
            stop = step.call_on_fit_task_end(estimator=estimator)
            step = None
            if stop and can_stop:
                break
    finally:
        if _current.get() is current:  # not where the fit was given up
            if step is not None:  # the loop was left from inside
                step.call_on_fit_task_end(estimator=estimator)
            context.call_on_fit_task_end(estimator=estimator)


def training_steps(steps: range) -> Iterator[int]:
    """Yield the steps of the training of a network, and report them; a callback may end it."""
    return reported(steps, "train", can_stop=True)


def print_loss(estimator: Any, step: int, loss: float) -> None:
    """Print the loss of each hundredth step of the training of a network, where the estimator's `verbose` asks for it.

    Parameters
    ----------
    estimator : estimator
        With the parameter `verbose`.
    step : int
        Number of steps taken.
    loss : float
    """
    if estimator.verbose and step % _PRINTED_EVERY == 0:
        print(f"{type(estimator).__name__}: step {step}, loss {loss:.6f}")  # noqa: T201  # verbose
