"""The command line; needs the extra ``cli``."""

import sys

from skanomaly._support._optional import import_optional

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    try:
        for module in ("rich", "typer"):
            import_optional(module, extra="cli")
    except ImportError as error:
        sys.stderr.write(f"skanomaly: error: {error}\n")
        raise SystemExit(2) from None
    from skanomaly._cli._app import app

    app(prog_name="skanomaly")
