"""Optional dependencies, imported where they are used."""

from importlib import import_module
from types import ModuleType

__all__ = ["import_optional"]


def import_optional(module: str, *, extra: str) -> ModuleType:
    """Import a module that an extra of skanomaly installs.

    Parameters
    ----------
    module : str
        Dotted name, for example ``"matplotlib.pyplot"``.
    extra : str
        The extra that brings it.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed; the message names the module and the command that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise  # the package is there; something it needs is not
        raise ImportError(
            f"{package} is needed here and is not installed; run: pip install 'skanomaly[{extra}]'"
        ) from error
