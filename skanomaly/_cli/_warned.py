"""Errors and warnings of a detector, in the words of the command line."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from skanomaly._cli._errors import InputError

__all__ = ["collected_warnings"]


@contextmanager
def collected_warnings(messages: list[str], name: str, *, of: str = "") -> Iterator[None]:
    """Collect what a detector warns of while it is fitted and scores, and turn its errors into input errors.

    The remedies are left out, since they name parameters that the command does not have.

    Parameters
    ----------
    messages : list of str
        Appended to: the first sentence of each warning.
    name : str
        Of the detector.
    of : str, default=""
        What it is fitted to, such as ``"sensor 3: "``.

    Raises
    ------
    InputError
        If the detector cannot score the table.
    """
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", UserWarning)
            yield
    except (ValueError, ImportError, MemoryError) as error:
        raise InputError(f"{name} cannot score this table: {of}{str(error) or type(error).__name__}") from error
    sentences = (" ".join(str(warning.message).split()).partition(". ")[0].rstrip(".") for warning in warned)
    messages += [f"{name}: {of}{sentence}." for sentence in dict.fromkeys(sentences)]
