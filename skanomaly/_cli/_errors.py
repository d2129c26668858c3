"""Errors that the user can correct."""

__all__ = ["InputError"]


class InputError(Exception):
    """Invalid input or option; the message is one line with a remedy, and the exit code of the command is 2."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
