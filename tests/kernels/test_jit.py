import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core import event

from skanomaly import _kernels
from skanomaly._kernels._jit import kernel, watch_compilation

_PLACES = ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA")  # where numba looks for the user's own cache folder
_COUNT_MUTUAL = (
    "import numpy as np\nfrom skanomaly import _kernels\n"
    "print(_kernels.ordered_edges.count_mutual(np.array([0, 1, 2]), np.array([1, 0])))"
)


@kernel
def _count_nan(values):
    count = 0
    for index in range(values.size):
        if np.isnan(values[index]):
            count += 1
    return count


def test_kernel_sees_nan():
    assert _count_nan(np.array([np.nan, 1.0, np.inf, np.nan])) == 2


def test_kernels_leave_the_references_of_their_arguments():
    rows, offsets, uniforms = np.ones((3, 2)), np.array([0, 2, 6]), np.full((1, 4), 0.5)
    values, panels, center, out = np.arange(6.0), np.zeros((1, 1280)), np.zeros(2), np.empty((1, 6))
    arrays = rows, offsets, uniforms, values, panels, center, out
    before = [sys.getrefcount(part) for part in arrays]
    for _ in range(5):
        _kernels.projection.fill_panels(rows, 0, center, panels)
        _kernels.permutation_moments.shuffle_blocks(uniforms, offsets, values, out)
    assert [sys.getrefcount(part) for part in arrays] == before


def test_kernel_without_a_disk_cache_computes_the_same(monkeypatch):
    monkeypatch.setenv("SKANOMALY_KERNEL_CACHE", "0")
    assert kernel(getattr(_count_nan, "py_func", _count_nan))(np.array([np.nan])) == 1


def test_kernel_without_a_file_of_its_own_compiles():
    code = "import numpy as np\nfrom skanomaly._kernels._jit import kernel\nprint(kernel(eval('lambda x: x + 1'))(1))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "2"


@pytest.mark.parametrize(
    ("home", "cache", "n_folders"),
    [("home", None, 1), ("file/home", None, 0), (None, "cache", 1), (None, "file/cache", 0)],
)
def test_package_that_cannot_write_beside_itself_caches_with_the_user_or_not_at_all(tmp_path, home, cache, n_folders):
    # A file where a folder should be stops every user, the administrator included.
    folder = tmp_path / "site" / "skanomaly"
    shutil.copytree(Path(_kernels.__file__).parents[1], folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "_kernels" / "__pycache__").touch()
    (tmp_path / "file").touch()
    environment = {name: value for name, value in os.environ.items() if name not in {*_PLACES, "NUMBA_CACHE_DIR"}}
    environment |= {"PYTHONPATH": str(tmp_path / "site"), "SKANOMALY_KERNEL_CACHE": "1"}
    for name, place in zip(_PLACES, (home, cache, home or cache), strict=True):
        if place is not None:
            environment[name] = str(tmp_path / place)
    code = f"import skanomaly\nprint(skanomaly.__file__)\n{_COUNT_MUTUAL}"
    # Away from the working folder, which Python would look into first.
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=tmp_path,
    )
    assert run.stdout.split() == [str(folder / "__init__.py"), "1"]
    assert run.stderr == ""
    assert len({path.parent for path in tmp_path.rglob("*.nbi")}) == (0 if numba.config.DISABLE_JIT else n_folders)


def test_kernel_modules_load_by_name():
    assert _kernels.jit.kernel is kernel


@pytest.mark.parametrize("name", ["attic", "_jit_"])
def test_unknown_kernel_module_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match=name):
        getattr(_kernels, name)


def test_kernel_falls_back_where_numba_finds_no_cache_folder(monkeypatch):
    compiled = []

    def njit(**options):
        if options.get("cache"):
            raise RuntimeError("no locator available")
        compiled.append(options)
        return lambda function: function

    monkeypatch.setenv("SKANOMALY_KERNEL_CACHE", "1")
    monkeypatch.setattr("skanomaly._kernels._jit.numba.njit", njit)
    assert kernel(abs) is abs
    assert len(compiled) == 1


def test_fault_inside_a_kernel_module_is_passed_on(monkeypatch):
    def import_module(name):
        raise ModuleNotFoundError(name="elsewhere")

    monkeypatch.setattr(_kernels, "import_module", import_module)
    with pytest.raises(ModuleNotFoundError):
        _ = _kernels.unloaded


def test_two_processes_may_compile_at_once(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "SKANOMALY_KERNEL_CACHE": "1"}
    runs = [
        subprocess.Popen([sys.executable, "-c", _COUNT_MUTUAL], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    assert [run.communicate(timeout=300)[0].split() for run in runs] == [["1"]] * 2
    again = subprocess.run(
        [sys.executable, "-c", _COUNT_MUTUAL], capture_output=True, text=True, check=True, env=environment
    )
    assert again.stdout.split() == ["1"]


def test_start_of_a_compilation_is_announced():
    starts = []
    with watch_compilation(lambda: starts.append(1)), event.trigger_event("numba:compile"):
        assert starts == [1]
    with event.trigger_event("numba:compile"):
        assert starts == [1]
