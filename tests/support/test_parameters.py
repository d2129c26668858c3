import pickle

import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils import estimator_html_repr
from sklearn.utils._param_validation import InvalidParameterError, StrOptions

from skanomaly._support._parameters import ParameterObject


class Level(ParameterObject):
    _parameter_constraints = {"alpha": [float]}

    def __init__(self, *, alpha=0.01):
        self.alpha = alpha


class Rule(ParameterObject):
    _parameter_constraints = {"side": [StrOptions({"both", "lower"})], "level": [Level, None]}

    def __init__(self, *, side="both", level=None):
        self.side = side
        self.level = level


class Owner(BaseEstimator):
    def __init__(self, rule=None):
        self.rule = rule


def test_clone_copies_nested_objects():
    owner = Owner(Rule(side="lower", level=Level(alpha=0.2)))
    copied = clone(owner)
    assert copied.rule is not owner.rule
    assert copied.rule.level is not owner.rule.level
    assert copied.rule.get_params(deep=False)["side"] == "lower"
    assert copied.rule.level.alpha == 0.2


def test_clone_of_an_object_alone_keeps_its_parameters():
    assert clone(Level(alpha=0.3)).alpha == 0.3


def test_parameters_are_read_and_set_through_the_owner():
    owner = Owner(Rule(level=Level()))
    assert owner.get_params()["rule__level__alpha"] == 0.01
    assert owner.set_params(rule__level__alpha=0.5).rule.level.alpha == 0.5


def test_an_object_and_its_parts_are_set_in_one_call():
    rule = Rule().set_params(level__alpha=0.4, level=Level())
    assert rule.level.alpha == 0.4


@pytest.mark.parametrize("name", ["size", "size__alpha"])
def test_unknown_parameter_raises(name):
    with pytest.raises(ValueError, match=r"Rule\(\) has no parameter 'size.*'level', 'side'"):
        Rule().set_params(**{name: 1})


def test_repr_shows_what_differs_from_the_defaults():
    assert repr(Rule(level=Level(alpha=0.2))) == "Rule(level=Level(alpha=0.2))"
    assert repr(Owner(Level())) == "Owner(rule=Level())"


def test_owner_has_an_html_diagram():
    assert "Level(alpha=0.2)" in estimator_html_repr(Owner(Level(alpha=0.2)))


@pytest.mark.parametrize(
    ("rule", "match"),
    [(Rule(side="up"), "'side' parameter of Rule"), (Rule(level=Level(alpha="a")), "'alpha' .*Level")],
)
def test_constraints_are_checked_through_nested_objects(rule, match):
    with pytest.raises(InvalidParameterError, match=match):
        rule._validate_params()


def test_object_without_constructor_has_no_parameters():
    class Plain(ParameterObject):
        pass

    assert clone(Plain()).get_params() == {}
    assert repr(Plain()) == "Plain()"


def test_pickle_keeps_parameters():
    assert repr(pickle.loads(pickle.dumps(Rule(side="lower")))) == "Rule(side='lower')"  # noqa: S301  # our own bytes


def test_object_is_no_estimator():
    assert not isinstance(Level(), BaseEstimator)
    assert not hasattr(Level(), "fit")
