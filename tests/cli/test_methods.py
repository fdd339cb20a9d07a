"""Options become parameters, and none of them can end privacy in silence."""

import math

import pytest
from private_fits import ESTIMATORS, REGISTRY

from skdpgmm import DPEmbeddingSynthesizer
from skdpgmm._cli.methods import (
    METHODS,
    Asked,
    Method,
    check_epsilon,
    classes_of,
    estimator,
)
from skdpgmm._cli.refusals import RefusedError


def asked(method=Method.synthesizer, components=None, clip_norm="auto", more=()):
    return Asked(method, 2.0, 1e-6, "replace-one", 3, clip_norm, components, list(more))


def test_every_estimator_that_can_be_saved_has_a_name():
    assert METHODS.keys() == set(Method)
    assert {facts.make for facts in METHODS.values()} == set(ESTIMATORS)
    for cls, facts in REGISTRY.items():
        (found,) = [one for one in METHODS.values() if one.make is cls]
        assert (found.labels != "none") is facts.labelled


@pytest.mark.parametrize("method", Method)
def test_options_are_parameters(method):
    params = estimator(asked(method, clip_norm="1.5")).get_params()
    assert params["epsilon"] == 2.0 and params["delta"] == 1e-6
    assert params["adjacency"] == "replace-one" and params["max_contributions"] == 3
    assert params["clip_norm"] == 1.5 and params["random_state"] is None
    parts = METHODS[method].parts
    if parts is None:
        with pytest.raises(RefusedError, match="--components means nothing"):
            estimator(asked(method, 4))
    else:
        assert estimator(asked(method, 4)).get_params()[parts] == 4
    if METHODS[method].labels == "none":
        with pytest.raises(RefusedError, match="--classes means nothing"):
            estimator(asked(method), [0, 1])
    else:
        assert estimator(asked(method), [0, 1]).classes == [0, 1]


def test_any_other_parameter_can_be_set():
    made = estimator(
        asked(more=["label_model=false", "covariance_type=diag", "max_iter=2"])
    )
    assert isinstance(made, DPEmbeddingSynthesizer)
    assert made.label_model is False and made.max_iter == 2
    assert made.covariance_type == "diag"


@pytest.mark.parametrize(
    "text", ["random_state=0", "epsilon=inf", "no=1", "max_iter", "classes=[1]"]
)
def test_what_may_not_be_set_is_refused(text):
    with pytest.raises(RefusedError, match="--set must be NAME=VALUE"):
        estimator(asked(more=[text]))


def test_illegal_values_are_refused_by_name():
    with pytest.raises(ValueError, match="'max_iter' parameter"):
        estimator(asked(more=["max_iter=-1"]))
    with pytest.raises(RefusedError, match="--clip-norm must be a number or auto"):
        estimator(asked(clip_norm="one"))


def test_classes_are_of_the_type_of_labels():
    assert classes_of(None, True) is None
    assert classes_of("1, 2", True) == ["1", "2"]
    assert classes_of("1, 2", False) == [1, 2]
    for text, as_text in [("a,b", False), ("a,,b", True)]:
        with pytest.raises(RefusedError, match="--classes must be"):
            classes_of(text, as_text)


def test_an_infinite_epsilon_has_to_be_asked_for():
    check_epsilon(3.0, False)
    check_epsilon(math.inf, True)
    with pytest.raises(RefusedError, match="NOT PRIVATE"):
        check_epsilon(math.inf, False)
