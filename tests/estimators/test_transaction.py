"""A fit happens as a whole or not at all: on an estimator that only has attributes."""

import warnings
from types import SimpleNamespace

import pytest
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin

from skdpgmm._algorithms.doubts import doubt
from skdpgmm._estimators.transaction import private_fit, warn_at_the_end
from skdpgmm.exceptions import NoiseDominatedWarning


class Report(str):
    """A report prints, and no more is asked of it here."""


class Toy(CallbackSupportMixin, BaseEstimator):
    _parameter_constraints: dict = {}

    def __init__(self, action=None):
        self.action = action

    @private_fit()
    def fit(self, X, y=None):
        """Fit."""
        self.half_ = X
        self.action(self)
        self.whole_ = X
        return "not this"


def spend(toy):
    entries = ["one"]
    toy._account = SimpleNamespace(
        ledger=SimpleNamespace(entries=entries), report=lambda: Report("spent one")
    )


def fail(toy):
    raise RuntimeError("enough")


def state(toy):
    return {name: value for name, value in vars(toy).items() if name != "action"}


def test_attributes_are_set_when_all_is_done():
    seen = []
    toy = Toy(lambda copy: seen.append((state(toy), copy is toy)))
    assert toy.fit(1) is toy
    assert seen == [({}, False)]
    assert state(toy) == {"half_": 1, "whole_": 1}
    assert Toy.fit.__doc__ == "Fit."


def test_what_the_fit_deletes_is_gone():
    toy = Toy(lambda copy: None).fit(1)
    toy.other_ = 5
    toy.action = lambda copy: delattr(copy, "other_")
    assert state(toy.fit(2)) == {"half_": 2, "whole_": 2}


@pytest.mark.parametrize("fitted", [False, True])
def test_a_fit_that_fails_leaves_all_as_it_was(fitted):
    toy = Toy(lambda copy: None)
    if fitted:
        toy.fit(1)
    before = state(toy)
    toy.action = fail
    with pytest.raises(RuntimeError, match="enough") as caught:
        toy.fit(2)
    assert state(toy) == before
    # Nothing was spent, so that nothing is said.
    assert not hasattr(caught.value, "privacy_")
    assert not getattr(caught.value, "__notes__", [])


def test_an_exception_tells_what_was_spent():
    def spend_and_fail(copy):
        spend(copy)
        copy.synthesizer_ = "made of it"
        fail(copy)

    with pytest.raises(RuntimeError) as caught:
        Toy(spend_and_fail).fit(1)
    assert caught.value.privacy_ == "spent one"
    assert caught.value.synthesizer_ == "made of it"
    assert "spent one" in "".join(caught.value.__notes__)


def test_an_interrupt_tells_as_well():
    def interrupt(copy):
        spend(copy)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        Toy(interrupt).fit(1)
    assert caught.value.privacy_ == "spent one"


def note(copy):
    spend(copy)
    warn_at_the_end(copy, "a warning", UserWarning)
    doubt("a doubt")


def test_warnings_come_when_all_is_fitted():
    toy = Toy(note)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        toy.fit(1)
    assert [(str(one.message), one.category) for one in caught] == [
        ("a warning", UserWarning),
        ("a doubt", NoiseDominatedWarning),
    ]
    assert all(one.filename == __file__ for one in caught)
    assert state(toy) == {"half_": 1, "whole_": 1}


def test_a_warning_that_is_an_error_leaves_the_fit():
    toy = Toy(note)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="a warning") as caught:
            toy.fit(1)
    assert caught.value.privacy_ == "spent one"
    assert state(toy) == {"half_": 1, "whole_": 1}
