"""Result objects that print what they hold, not every number of it."""

from dataclasses import fields
from typing import Any

import numpy as np

__all__ = ["ShortRepr"]

_SHOWN_ENTRIES = 6


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > _SHOWN_ENTRIES:
        return f"<{value.dtype} of shape {value.shape}>"
    if isinstance(value, list | tuple | dict) and len(value) > _SHOWN_ENTRIES:
        return f"<{type(value).__name__} of {len(value)}>"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_short(part)}" for key, part in value.items()) + "}"
    return repr(value)


class ShortRepr:
    """Base of dataclasses of results: arrays of more than six entries are shown by their type and shape."""

    def __repr__(self) -> str:
        """Return the class and its fields, long ones in short."""
        shown = ", ".join(f"{field.name}={_short(getattr(self, field.name))}" for field in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({shown})"
