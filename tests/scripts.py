"""Scripts outside the package as modules, so that tests can call what the pages are made with."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def load_script(path):
    """Return the module of the script at `path` below the root; it finds the modules beside it, as when it is run."""
    path = ROOT / path
    folder = str(path.parent)
    spec = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module
