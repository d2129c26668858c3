"""What the user can put right."""

__all__ = ["InputError"]


class InputError(Exception):
    """A fault in the input or the options, in one line that says what to do; the command ends with exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
