"""Texts and constraints that estimators share are written once."""

import inspect
import re

import pytest
from private_fits import ESTIMATORS

from skdpgmm import DPSyntheticClassifier, DPSyntheticResampler
from skdpgmm._algorithms.budget import KMEANS
from skdpgmm._estimators.parameters import PRIVATE, SharedTexts, filled

ALL = (*ESTIMATORS, DPSyntheticClassifier, DPSyntheticResampler)


def test_names_in_braces_become_texts_with_their_margin():
    found = filled("    {random_state}\n        More of it.\n    .. [1] {gdp}")
    first, second, *_ = found.split("\n")
    assert first == "    random_state : int, RandomState instance or None, default=None"
    assert second.startswith("        None takes")
    lines = found.split("\n")
    i = lines.index("        More of it.")
    assert lines[i + 1].startswith("    .. [1] J. Dong")
    assert lines[i + 2].startswith("           the Royal")


@pytest.mark.parametrize(
    "text", ["{nothing}", "a {set, of} things", "{privacy} and more {gdp}"]
)
def test_other_braces_stay(text):
    assert filled(text) == text


def test_shares_become_percentages():
    assert (
        filled("spends |KMEANS.ball| of") == f"spends {100 * KMEANS['ball']:.3g} % of"
    )
    with pytest.raises(KeyError):
        filled("|KMEANS.nothing|")


def test_subclasses_and_their_methods_have_the_texts():
    class One(SharedTexts):
        """One.

        {ignored}
        """

        def two(self):
            """{rows}"""

    assert "y : Ignored" in One.__doc__
    assert One.two.__doc__.startswith("X : array-like")


@pytest.mark.parametrize("cls", ALL)
def test_every_parameter_has_a_constraint_and_a_text(cls):
    documented = inspect.getdoc(cls)
    names = set(inspect.signature(cls).parameters)
    assert names == cls._parameter_constraints.keys()
    for name in names:
        assert re.search(rf"^{name} : ", documented, re.MULTILINE), name
    assert not re.search(r"\{\w+\}|\|\w+\.\w+\|", documented.replace('{"', ""))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_private_estimators_have_the_parameters_of_all(cls):
    assert PRIVATE.keys() <= cls._parameter_constraints.keys()
