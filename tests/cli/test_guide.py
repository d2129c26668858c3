import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from skanomaly._cli._app import app

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "scan.md"


def _sessions():
    for block in re.findall(r"```console\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL):
        command, _, output = block.partition("\n")
        yield pytest.param(command.removeprefix("$ skanomaly "), output, id=command.removeprefix("$ "))


def _words(text):
    """Return the words of a session without its numbers, which differ between versions of scikit-learn."""
    return re.sub(r"\d[\d.,]*(e-\d+)?", "#", text).split()


@pytest.mark.parametrize(("command", "output"), list(_sessions()))
def test_guide_shows_what_the_command_prints(command, output):
    run = CliRunner().invoke(app, command.split())
    assert _words(run.stdout) == _words(output)


def test_guide_has_a_session():
    assert list(_sessions())
