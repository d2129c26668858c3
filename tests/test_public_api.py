"""The doors: what a user may import, and nothing else."""

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import skanomaly

ROOMS = [name for name in skanomaly.__all__ if not name.startswith("_")]
# One concept, one parameter name: the names on the left are spelled as on the right here.
FOREIGN_NAMES = {
    "k": "n_neighbors",
    "k_neighbors": "n_neighbors",
    "window": "window_size",
    "seed": "random_state",
    "n_workers": "n_jobs",
    "outlier_fraction": "contamination",
}
# Users of imbalanced-learn know these names of the SMOTE family.
KEPT_NAMES = {"k_neighbors"}


def _public():
    for room in ROOMS:
        module = importlib.import_module(f"skanomaly.{room}")
        for name in module.__all__:
            yield pytest.param(module, name, id=f"{room}.{name}")


def test_rooms_are_all_the_public_modules():
    found = {module.name for module in pkgutil.iter_modules(skanomaly.__path__) if not module.name.startswith("_")}
    assert found == {*ROOMS, "cli"}


@pytest.mark.parametrize("room", ROOMS)
def test_door_is_sorted_and_modules_behind_it_are_private(room):
    module = importlib.import_module(f"skanomaly.{room}")
    assert module.__doc__
    assert module.__all__ == sorted(module.__all__)
    assert all(found.name.startswith("_") for found in pkgutil.iter_modules(module.__path__))


@pytest.mark.parametrize(("module", "name"), list(_public()))
def test_public_object_is_documented_with_an_example(module, name):
    documentation = inspect.getdoc(getattr(module, name))
    assert documentation
    assert inspect.isabstract(getattr(module, name)) or ">>>" in documentation


@pytest.mark.parametrize(("module", "name"), list(_public()))
def test_constructor_parameters_are_keywords_with_house_names(module, name):
    cls = getattr(module, name)
    if not inspect.isclass(cls) or not hasattr(cls, "get_params"):
        return
    for parameter in list(inspect.signature(cls).parameters.values()):
        positional = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        # What a meta-estimator wraps may come first, by position, as in scikit-learn.
        assert not positional or parameter.default is parameter.empty or parameter.default is None, parameter.name
        kept = KEPT_NAMES if "SMOTE" in name else set()
        assert parameter.name not in FOREIGN_NAMES.keys() - kept


@pytest.mark.parametrize(("module", "name"), list(_public()))
def test_docstring_names_every_parameter(module, name):
    member = getattr(module, name)
    if inspect.isclass(member) and not hasattr(member, "get_params"):
        return
    documentation = inspect.getdoc(member)
    for parameter in inspect.signature(member).parameters.values():
        if parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL} and not inspect.isabstract(member):
            assert f"{parameter.name} :" in documentation or f", {parameter.name}" in documentation, parameter.name


@pytest.mark.parametrize("statement", ["import skanomaly", *(f"import skanomaly.{room}" for room in ROOMS)])
def test_import_brings_no_heavy_module(statement):
    heavy = ["numba", "matplotlib", "polars", "torch", "pymc"]
    if statement == "import skanomaly":
        heavy.append("pandas")
    code = f"{statement}; import sys; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_unknown_room_is_an_attribute_error():
    with pytest.raises(AttributeError, match="attic"):
        _ = skanomaly.attic
