"""The house rules that can be read off the sources."""

import ast
import inspect
from functools import cache
from pathlib import Path

import pytest

import skanomaly

PACKAGE = Path(skanomaly.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = Path(__file__).parent
ROOMS_OF_LEVEL_TWO = {"detectors", "sequence", "threshold", "audit", "sampling", "impute", "robust"}
MAY_IMPORT = {
    "_kernels": {"_kernels"},
    "_support": {"_support", "_kernels"},  # drivers of shared kernels
    "base": {"base", "_support"},
    "datasets": {"datasets", "_support"},
    "metrics": {"metrics", "_kernels", "_support"},
    **{room: {room, "base", "_kernels", "_support"} for room in ROOMS_OF_LEVEL_TWO},
    "model_selection": {"model_selection", "base", "metrics", "_support"},
    "inspection": {"inspection", "base", "metrics", "_kernels", "_support"},
}
DOORS_ONLY = {"cli", "_cli", "__main__", "__init__"}
FINAL = {
    "BaseDetector": {
        "_run_fit",
        "_set_offset",
        "feature_contributions",
        "score_samples",
        "decision_function",
        "predict",
        "fit_predict",
    },
    "BaseSampler": {"fit", "fit_resample"},
}


@cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _name(path):
    return str(path.relative_to(PACKAGE))


def _room(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def _imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                yield node.module, alias.name


def _own_classes():
    for path in SOURCES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef):
                yield pytest.param(path, node, id=f"{_name(path)}:{node.name}")


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_room_imports_only_rooms_below(path):
    room = _room(path)
    for module, name in _imports(_tree(path)):
        if module.partition(".")[0] != "skanomaly":
            continue
        target = module.split(".")[1] if "." in module else name
        if room in DOORS_ONLY:
            assert not target.startswith("_") or target in {"_support", "_cli", "__version__"}
        else:
            assert target in MAY_IMPORT[room], f"{room} may not import {target}"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_only_one_file_imports_private_scikit_learn(path):
    if _name(path) == "_support/_sklearn.py":
        return
    for module, name in _imports(_tree(path)):
        if module.partition(".")[0] == "sklearn":
            assert not any(part.startswith("_") for part in [*module.split("."), name or ""]), f"{module} {name}"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_kernels_import_numpy_and_numba_only(path):
    if _room(path) != "_kernels" or path.name == "__init__.py":
        return
    allowed = {"numpy", "numba", "math", "os", "collections", "typing", "skanomaly"}
    assert {module.partition(".")[0] for module, _ in _imports(_tree(path))} <= allowed


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_numba_is_spelled_in_one_file(path):
    if _name(path) == "_kernels/_jit.py":
        return
    assert "numba" not in {module.partition(".")[0] for module, _ in _imports(_tree(path))}


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_heavy_and_optional_modules_are_imported_inside_functions(path):
    top = [node for node in _tree(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {module.partition(".")[0] for module, _ in _imports(ast.Module(top, []))}
    assert not names & {"matplotlib", "pymc", "arviz", "torch", "polars", "dask", "pooch", "pyarrow"}


@pytest.mark.parametrize("path", [*SOURCES, *sorted(TESTS.rglob("*.py"))], ids=lambda path: path.name)
def test_numpy_random_functions_are_not_called(path):
    allowed = {"Generator", "SeedSequence", "PCG64", "RandomState", "BitGenerator"}
    for node in ast.walk(_tree(path)):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "random"
            and isinstance(node.value.value, ast.Name)
            and node.value.value.id == "np"
        ):
            own_seed = node.attr == "default_rng" and TESTS in path.parents
            assert node.attr in allowed or own_seed, f"np.random.{node.attr} in line {node.lineno}"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_one_file_warns(path):
    if _name(path) == "_support/_warnings.py":
        return
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            assert "stacklevel" not in {keyword.arg for keyword in node.keywords}, f"line {node.lineno}"
            assert ast.unparse(node.func) not in {"warnings.warn", "warnings.warn_explicit", "warn"}, node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_file_fits_in_six_hundred_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600


@pytest.mark.parametrize(("path", "node"), list(_own_classes()))
def test_constructor_has_ten_keyword_parameters_at_most(path, node):
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__" and not node.name.startswith("_"):
            assert len(method.args.args) - 1 + len(method.args.kwonlyargs) <= 10


@pytest.mark.parametrize(("path", "node"), list(_own_classes()))
def test_final_methods_are_not_overridden(path, node):
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)} & set(FINAL)
    final = set().union(*(FINAL[base] for base in bases))
    for method in node.body:
        if not isinstance(method, ast.FunctionDef):
            continue
        assert method.name not in final, method.name
        if method.name == "fit" and "BaseDetector" in bases:
            statement = method.body[-1]
            assert len(method.body) == 2, "docstring, then one return"
            assert isinstance(statement, ast.Return)
            assert statement.value.func.attr == "_run_fit"


@pytest.mark.parametrize("path", sorted((TESTS / "reference").rglob("*.py")), ids=lambda path: path.name)
def test_references_import_nothing_of_ours(path):
    assert "skanomaly" not in {module.partition(".")[0] for module, _ in _imports(_tree(path))}


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if _room(path) == "_kernels" and path.name != "__init__.py"], ids=_name
)
def test_kernel_file_has_tests(path):
    assert (TESTS / "kernels" / f"test{path.name}").exists()


def test_base_contract_is_abstract():
    from skanomaly.base import BaseDetector, BaseSampler

    assert inspect.isabstract(BaseDetector)
    assert inspect.isabstract(BaseSampler)
