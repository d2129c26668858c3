import numpy as np
import pytest

from skanomaly._support._deprecation import warn_deprecated
from skanomaly._support._optional import import_optional
from skanomaly._support._seeds import child_generators, draw_seed, generator


def test_missing_optional_module_names_the_extra():
    with pytest.raises(ImportError, match=r"pip install 'skanomaly\[attic\]'"):
        import_optional("surely_not_installed.part", extra="attic")


def test_fault_inside_an_installed_module_is_passed_on(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import surely_not_installed")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="surely_not_installed"):
        import_optional("needs_more", extra="attic")


def test_installed_module_is_returned():
    assert import_optional("math", extra="none").pi > 3


def test_deprecation_names_versions_and_remedy():
    with pytest.warns(FutureWarning, match=r"`old` is deprecated since 0.2 .* removed in 0.4; use `new`\."):
        warn_deprecated("`old`", since="0.2", removal="0.4", instead="use `new`")


def test_child_does_not_depend_on_the_number_of_children(seed):
    few, many = child_generators(seed, 2), child_generators(seed, 5)
    assert few[1].random() == many[1].random()


def test_children_differ(seed):
    draws = [child.random() for child in child_generators(seed, 50)]
    assert len(set(draws)) == 50


@pytest.mark.parametrize("make", [draw_seed, lambda state: generator(state).random()])
def test_random_state_advances_an_instance_and_repeats_an_integer(seed, make):
    state = np.random.RandomState(seed)
    assert make(state) != make(state)
    assert make(seed) == make(seed)
