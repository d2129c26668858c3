"""Rules that are checked on the source code."""

import ast
import inspect
from functools import cache
from pathlib import Path

import skanomaly
from tests.every import of_every

PACKAGE = Path(skanomaly.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
TESTS = Path(__file__).parent
KERNELS = [path for path in SOURCES if path.parent.name == "_kernels" and path.name not in {"__init__.py", "_jit.py"}]
LEVEL_TWO = {
    "audit",
    "detectors",
    "embeddings",
    "events",
    "generation",
    "impute",
    "inspection",
    "model_selection",
    "robust",
    "sampling",
    "sequence",
    "threshold",
}
WITH_NETWORKS = {"detectors", "embeddings", "sequence", "events", "sampling", "robust"}
MAY_IMPORT = {
    "_kernels": set(),
    "_networks": {"_kernels"},
    "_support": {"_kernels"},  # drivers of shared kernels
    **{module: {"_support", "_kernels"} for module in ("base", "datasets", "metrics", "chunks")},
    **{module: {"base", "metrics", "_kernels", "_support"} for module in LEVEL_TWO},
}
for _module in WITH_NETWORKS:
    MAY_IMPORT[_module] = MAY_IMPORT[_module] | {"_networks"}
OF_ANY_MODULE = {"cli", "_cli", "__main__", "__init__"}  # import the public API of any module
IMPORTED_BY_FILE = {"_support", "_kernels", "_networks"}
FINAL = {
    "BaseDetector": {
        "_run_fit",
        "_set_offset",
        "fit_chunks",
        "feature_contributions",
        "score_samples",
        "decision_function",
        "predict",
        "fit_predict",
    },
    "BaseSampler": {"fit", "fit_resample"},
    "BaseTest": {
        "_run_fit",
        "fit_chunks",
        "fit_samples",
        "predict",
        "pvalue_threshold_",
        "sample_pvalues_",
        "sample_scores_",
        "score_samples",
    },
}
FIT_RUNS = {"BaseDetector", "BaseTest"}


@cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _nodes(path):
    return list(ast.walk(_tree(path)))


def _name(path):
    return str(path.relative_to(PACKAGE))


def _module(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def _imports(nodes):
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                yield node.module, alias.name


@cache
def _package_imports(path):
    """List the module, the file below it or None, and the name of each import from the package."""
    found = []
    for module, name in _imports(_nodes(path)):
        if module.partition(".")[0] == "skanomaly":
            target, _, below = module.partition(".")[2].partition(".")
            found.append((target, below or None, name) if target else (name, None, None))
    return found


def _own_classes():
    for path in SOURCES:
        for node in _nodes(path):
            if isinstance(node, ast.ClassDef):
                yield path, node


def _class_name(path, node):
    return f"{_name(path)}: {node.name}"


def _base_names(node):
    return [base.id if isinstance(base, ast.Name) else getattr(base, "attr", "") for base in node.bases]


@cache
def _hierarchy():
    """Names of the direct bases of each class of the package; a name used twice has the bases of both."""
    bases = {}
    for _, node in _own_classes():
        bases.setdefault(node.name, set()).update(_base_names(node))
    return bases


def _ancestors(node):
    """Names of all classes above a class, as far as the package defines them."""
    found, waiting = set(), _base_names(node)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_hierarchy().get(name, ()))
    return found


@of_every(SOURCES, _name)
def test_module_imports_only_modules_below(path):
    module = _module(path)
    for target, _, _ in _package_imports(path):
        if module in OF_ANY_MODULE:
            assert not target.startswith("_") or target in {"_support", "_cli", "__version__"}
        else:
            assert target in MAY_IMPORT[module] | {module}, f"{module} may not import {target}"


@of_every(SOURCES, _name)
def test_private_files_of_other_modules_are_not_imported(path):
    module = _module(path)
    for target, below, name in _package_imports(path):
        if target == module or target in IMPORTED_BY_FILE or (module in OF_ANY_MODULE and target == "_cli"):
            continue
        private = [
            part for part in [*(below or "").split("."), name or ""] if part.startswith("_") and part != "__version__"
        ]
        assert not private, f"{_name(path)} imports {private} of {target}; import public names from skanomaly.{target}"


@of_every(SOURCES, _name)
def test_only_one_file_imports_private_scikit_learn(path):
    if _name(path) == "_support/_sklearn.py":
        return
    for module, name in _imports(_nodes(path)):
        if module.partition(".")[0] == "sklearn":
            assert not any(part.startswith("_") for part in [*module.split("."), name or ""]), f"{module} {name}"


@of_every(SOURCES, _name)
def test_kernels_import_numpy_and_numba_only(path):
    if _module(path) != "_kernels" or path.name == "__init__.py":
        return
    allowed = {"numpy", "numba", "math", "os", "collections", "typing", "skanomaly"}
    assert {module.partition(".")[0] for module, _ in _imports(_nodes(path))} <= allowed


@of_every(SOURCES, _name)
def test_numba_is_spelled_in_one_file(path):
    if _name(path) == "_kernels/_jit.py":
        return
    assert "numba" not in {module.partition(".")[0] for module, _ in _imports(_nodes(path))}


@of_every(SOURCES, _name)
def test_heavy_and_optional_modules_are_imported_inside_functions(path):
    top = [node for node in _tree(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {module.partition(".")[0] for module, _ in _imports(top)}
    assert not names & {"matplotlib", "pymc", "arviz", "torch", "polars", "dask", "pooch", "pyarrow"}


@of_every([*SOURCES, *sorted(TESTS.rglob("*.py"))], str)
def test_numpy_random_functions_are_not_called(path):
    allowed = {"Generator", "SeedSequence", "PCG64", "RandomState", "BitGenerator"}
    for node in _nodes(path):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "random"
            and isinstance(node.value.value, ast.Name)
            and node.value.value.id == "np"
        ):
            in_tests = node.attr in {"default_rng", "get_state"} and TESTS in path.parents
            assert node.attr in allowed or in_tests, f"np.random.{node.attr} in line {node.lineno}"


@of_every(SOURCES, _name)
def test_one_file_warns(path):
    if _name(path) == "_support/_warnings.py":
        return
    for node in _nodes(path):
        if isinstance(node, ast.Call):
            assert "stacklevel" not in {keyword.arg for keyword in node.keywords}, f"line {node.lineno}"
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            assert called not in {"warn", "warn_explicit"}, node.lineno


@of_every(SOURCES, _name)
def test_file_fits_in_six_hundred_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600


@of_every(_own_classes, _class_name)
def test_constructor_has_ten_keyword_parameters_at_most(path, node):
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__" and not node.name.startswith("_"):
            assert len(method.args.args) - 1 + len(method.args.kwonlyargs) <= 10


def test_descendants_are_found_through_the_package():
    [markov] = [node for _, node in _own_classes() if node.name == "MarkovDetector"]
    assert "BaseDetector" not in _base_names(markov)
    assert "BaseDetector" in _ancestors(markov)


@of_every(_own_classes, _class_name)
def test_final_methods_are_not_overridden(path, node):
    final = set().union(*(FINAL[name] for name in _ancestors(node) & set(FINAL)))
    defined = {method.name for method in node.body if isinstance(method, ast.FunctionDef)}
    assert not defined & final


@of_every(_own_classes, _class_name)
def test_fit_only_runs_the_fit_of_the_base(path, node):
    if not _ancestors(node) & FIT_RUNS:
        return
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "fit":
            statement = method.body[-1]
            assert len(method.body) == 2, "docstring, then one return"
            assert isinstance(statement, ast.Return)
            assert statement.value.func.attr == "_run_fit"


@of_every(sorted((TESTS / "reference").rglob("*.py")), str)
def test_references_import_nothing_of_ours(path):
    assert "skanomaly" not in {module.partition(".")[0] for module, _ in _imports(_nodes(path))}


@of_every(KERNELS, _name)
def test_kernel_file_is_compared_with_a_reference(path):
    test = TESTS / "kernels" / f"test{path.name}"
    assert test.exists()
    imported = {name for module, name in _imports(_nodes(test)) if module.startswith("tests.reference")}
    assert imported, f"{test.name} compares with no file of tests/reference"


@of_every(KERNELS, _name)
def test_private_kernels_are_inner_kernels(path):
    for node in _nodes(path):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("_"):
            (decorator,) = node.decorator_list
            assert decorator.id.startswith("inner_kernel"), f"{node.name}: only kernels can call it"


@of_every(KERNELS, _name)
def test_kernels_without_counts_of_references_make_no_array_and_take_no_generator(path):
    for node in _nodes(path):
        if isinstance(node, ast.FunctionDef) and node.decorator_list[0].id != "allocating_kernel":
            called = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
            assert not called & {"empty", "zeros", "ones", "full", "copy", "ravel", "reshape", "dot"}, node.name
            arguments = {argument.arg for argument in node.args.args}
            assert node.name.startswith("_") or not arguments & {"rng", "generator", "random"}, node.name


def test_base_contract_is_abstract():
    from skanomaly.base import BaseDetector, BaseSampler, BaseTest

    for base in (BaseDetector, BaseSampler, BaseTest):
        assert inspect.isabstract(base)
