"""The public API: what a user may import, and nothing else."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys

import pytest

import skanomaly
from tests.every import of_every

MODULES = [name for name in skanomaly.__all__ if not name.startswith("_")]
# One concept, one parameter name: the names on the left are spelled as on the right here.
FOREIGN_NAMES = {
    "X_reference": "background",
    "batchsize": "batch_size",
    "channel_aggregation": "aggregation",
    "combine": "aggregation",
    "distance": "metric",
    "hop": "stride",
    "k": "n_neighbors",
    "k_min": "min_neighbors",
    "k_neighbors": "n_neighbors",
    "learning_rate": "learning_rate_init",
    "lr": "learning_rate_init",
    "max_epochs": "max_iter",
    "n_bootstraps": "n_resamples",
    "n_epochs": "max_iter",
    "n_folds": "cv",
    "n_iter": "max_iter",
    "n_perm": "n_permutations",
    "n_threads": "n_jobs",
    "n_workers": "n_jobs",
    "order_column": "time_column",
    "outlier_fraction": "contamination",
    "outlier_label": "pos_label",
    "parameter_grid": "param_grid",
    "penalty": "ridge",
    "reduction": "aggregation",
    "grid": "param_grid",
    "seed": "random_state",
    "significance": "alpha",
    "step": "stride",
    "top_k": "n_top",
    "weights": "sample_weight",
    "whiten": "covariance",
    "window": "window_size",
    "window_length": "window_size",
}
# Users of imbalanced-learn know the first name of the SMOTE family, those of scikit-learn the second of KNNImputer.
KEPT_NAMES = {"SMOTE": {"k_neighbors"}, "KNNSamplerImputer": {"weights"}}
# Parameters that most classes have come last, in this order.
COMMON_LAST = ("contamination", "n_jobs", "random_state")
# A display of a finished study, which already contains its rows.
DISPLAYS_OF_STUDIES = {"ColumnDriftDisplay", "SpecificationCurveDisplay"}
# A wrapped estimator comes first, and may be given by position.
WRAPPED = {"detector", "detectors", "estimator", "sampler", "samplers"}
# Same name, same default. The positive label is -1 where scores are rated, found out where rows are split or chosen.
DEFAULTS = {
    "binary_channels": "ignore",
    "causal": False,
    "n_jobs": None,
    "sample_weight": None,
    "pos_label": None,
    "sampling_strategy": "auto",
    "verbose": False,
}
# A DOI or another address, an arXiv number or an ISBN, each in one spelling.
IDENTIFIER = re.compile(r"https://[\w.-]+/\S+|arXiv:\d{4}\.\d{4,5}\.|ISBN 97[89]-[\d-]{10,}\d\.")
# Works that have none, by title.
WITHOUT_IDENTIFIER = {
    # In the proceedings of i-SAIRAS 2001, for which no DOI and no lasting address was found.
    "Fault detection by mining association rules from house-keeping data",
    # The Journal of Official Statistics had no DOIs in 1990.
    "STL: a seasonal-trend decomposition procedure based on loess",
}


def _kept_names(name):
    return set().union(*(kept for part, kept in KEPT_NAMES.items() if part in name))


def _public():
    for module_name in MODULES:
        module = importlib.import_module(f"skanomaly.{module_name}")
        for name in module.__all__:
            yield module, name


def _spelled(module, name):
    return f"{module.__name__}.{name}"


def test_all_lists_every_public_module():
    found = {module.name for module in pkgutil.iter_modules(skanomaly.__path__) if not module.name.startswith("_")}
    assert found == {*MODULES, "cli"}


@pytest.mark.parametrize("module_name", MODULES)
def test_public_names_are_sorted_and_submodules_are_private(module_name):
    module = importlib.import_module(f"skanomaly.{module_name}")
    assert module.__doc__
    assert module.__all__ == sorted(module.__all__)
    assert all(found.name.startswith("_") for found in pkgutil.iter_modules(module.__path__))


@of_every(_public(), _spelled)
def test_public_object_is_documented_with_an_example(module, name):
    documentation = inspect.getdoc(getattr(module, name))
    assert documentation
    assert inspect.isabstract(getattr(module, name)) or ">>>" in documentation


def _references(member):
    documentation = inspect.getdoc(member)
    section = re.search(r"^References\n-+\n(.+?)(?=^[^\n]+\n-+$|\Z)", documentation, re.DOTALL | re.MULTILINE)
    return re.split(r"^(?=\.\. \[)", section[1], flags=re.MULTILINE) if section else []


@of_every([case for case in _public() if _references(getattr(*case))], _spelled)
def test_references_name_a_doi_an_arxiv_number_an_isbn_or_an_address(module, name):
    entries = [" ".join(entry.split()) for entry in _references(getattr(module, name)) if entry]
    bare = [entry for entry in entries if not entry.startswith(".. [") or not IDENTIFIER.search(entry)]
    assert not [entry for entry in bare if not any(title in entry for title in WITHOUT_IDENTIFIER)]


@of_every(_public(), _spelled)
def test_constructor_parameters_are_keywords_with_the_names_of_this_package(module, name):
    cls = getattr(module, name)
    if not inspect.isclass(cls) or not hasattr(cls, "get_params"):
        return
    for parameter in list(inspect.signature(cls).parameters.values()):
        positional = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        # The estimator that a meta-estimator wraps may come first, by position, as in scikit-learn.
        assert not positional or parameter.default is parameter.empty or parameter.default is None, parameter.name
        kept = _kept_names(name)
        assert parameter.name not in FOREIGN_NAMES.keys() - kept


@of_every(_public(), _spelled)
def test_docstring_names_every_parameter(module, name):
    member = getattr(module, name)
    if inspect.isclass(member) and not hasattr(member, "get_params"):
        return
    documentation = inspect.getdoc(member)
    for parameter in inspect.signature(member).parameters.values():
        if parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL} and not inspect.isabstract(member):
            listed = rf"^\*{{0,2}}(\w+, )*{parameter.name}(, \w+)* :"
            assert re.search(listed, documentation, re.MULTILINE), parameter.name


def test_imports_bring_no_heavy_module():
    code = f"""
import importlib, sys
brought = {{}}
for name in ["skanomaly", *{[f"skanomaly.{module}" for module in MODULES]}]:
    importlib.import_module(name)
    heavy = {{"numba", "matplotlib", "polars", "torch", "pymc", *(["pandas"] if name == "skanomaly" else [])}}
    brought[name] = sorted(heavy & set(sys.modules))
print({{name: found for name, found in brought.items() if found}})
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "{}"


def test_unknown_module_is_an_attribute_error():
    with pytest.raises(AttributeError, match="attic"):
        _ = skanomaly.attic


def _parameters(module, name):
    member = getattr(module, name)
    if inspect.isclass(member) and (inspect.isabstract(member) or not hasattr(member, "get_params")):
        return []
    return list(inspect.signature(member).parameters.values())


@of_every(_public(), _spelled)
def test_functions_have_parameters_with_the_names_of_this_package(module, name):
    kept = _kept_names(name)
    assert not {parameter.name for parameter in _parameters(module, name)} & (FOREIGN_NAMES.keys() - kept)


@of_every([case for case in _public() if inspect.isfunction(getattr(*case))], _spelled)
def test_options_of_functions_are_validated_by_declaration(module, name):
    function = getattr(module, name)
    declared = getattr(function, "_skl_parameter_constraints", {})
    for parameter in inspect.signature(function).parameters.values():
        has_value = parameter.default is not parameter.empty and parameter.default is not None
        if has_value or parameter.name == "random_state":
            assert parameter.name in declared, parameter.name


@of_every(_public(), _spelled)
def test_common_parameters_come_last_in_one_order(module, name):
    names = [parameter.name for parameter in _parameters(module, name)]
    if not inspect.isclass(getattr(module, name)) or "pos_label" in names:
        return
    common = [parameter for parameter in COMMON_LAST if parameter in names]
    assert [parameter for parameter in names if parameter in COMMON_LAST] == common
    if "random_state" in common:
        assert names[-1] == "random_state"


@of_every(_public(), _spelled)
def test_wrapped_estimator_comes_first_by_position(module, name):
    parameters = _parameters(module, name)
    wrapped = [parameter for parameter in parameters if parameter.name in WRAPPED]
    if not inspect.isclass(getattr(module, name)) or not wrapped or parameters[0].name not in WRAPPED:
        return
    assert parameters[0].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD


@of_every(_public(), _spelled)
def test_one_name_has_one_default(module, name):
    for parameter in _parameters(module, name):
        if parameter.name in DEFAULTS and parameter.default is not parameter.empty:
            assert parameter.default == DEFAULTS[parameter.name], parameter.name


@of_every(_public(), _spelled)
def test_random_state_is_none_by_default(module, name):
    member = getattr(module, name)
    # A data set that is loaded is the same at each call.
    if name.startswith("load_") or name.endswith("Error"):
        return
    parameter = inspect.signature(member).parameters.get("random_state")
    assert parameter is None or parameter.default is None


@of_every([case for case in _public() if case[1].endswith("Display")], _spelled)
def test_displays_have_the_same_parameters(module, name):
    display = getattr(module, name)
    assert list(inspect.signature(display.plot).parameters) == ["self", "ax"]
    for maker in ("from_estimator", "from_predictions"):
        parameters = inspect.signature(getattr(display, maker)).parameters
        assert parameters["ax"].default is None
        assert parameters["ax"].kind is inspect.Parameter.KEYWORD_ONLY
    first = list(inspect.signature(display.from_estimator).parameters)[:2]
    assert first[0] == "estimator"
    assert first[1] == "X" or name in DISPLAYS_OF_STUDIES
    for method in (display, display.from_estimator, display.from_predictions):
        assert not {"offset", "names"} & set(inspect.signature(method).parameters)


# Functions of scores alone, and results.
WITHOUT_TRUTH = {
    "AuditedScore",
    "CostCurve",
    "DetectionDelay",
    "OpenSetReport",
    "RankingScores",
    "aggregate_views",
    "fuse_views",
}


@pytest.mark.parametrize("name", sorted(set(importlib.import_module("skanomaly.metrics").__all__) - WITHOUT_TRUTH))
def test_metrics_take_the_truth_first(name):
    names = list(inspect.signature(getattr(skanomaly.metrics, name)).parameters)
    assert names[:1] == ["y_true"]
    assert names[1] in {"y_score", "y_pred", "y_proba", "y_dist"}
