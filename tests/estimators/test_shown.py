"""Notebooks say NOT PRIVATE wherever they show an epsilon that protects nobody."""

import html
import math

import numpy as np
import pytest
from private_fits import ESTIMATORS, fit, make_data
from sklearn.pipeline import make_pipeline

from skdpgmm import (
    DPKMeans,
    DPSyntheticClassifier,
    DPSyntheticResampler,
    PrivatePipeline,
)
from skdpgmm.metrics import private_accuracy

NO_NOISE = html.escape("NOT PRIVATE: epsilon is infinite, no noise was added")


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_before_and_after_a_fit(cls):
    estimator = cls(epsilon=math.inf)
    assert NO_NOISE in estimator._repr_html_()
    assert NO_NOISE in make_pipeline(estimator)._repr_html_()
    assert "NOT PRIVATE" not in cls()._repr_html_()
    assert "NOT PRIVATE: whoever tries" in cls(random_state=0)._repr_html_()


@pytest.mark.parametrize("wrapper", [DPSyntheticClassifier, DPSyntheticResampler])
def test_in_what_is_around_a_synthesizer(wrapper):
    (cls,) = (cls for cls in ESTIMATORS if "Synthesizer" in cls.__name__)
    assert NO_NOISE in wrapper(cls(epsilon=math.inf))._repr_html_()
    assert "NOT PRIVATE" not in wrapper(cls())._repr_html_()


def test_in_a_pipeline_that_has_the_budget():
    steps = [("kmeans", DPKMeans())]
    assert NO_NOISE in PrivatePipeline(steps, epsilon=math.inf)._repr_html_()
    assert "NOT PRIVATE" not in PrivatePipeline(steps)._repr_html_()


def test_what_is_no_number_is_shown_as_it_is():
    assert "much" in DPKMeans(epsilon="much")._repr_html_()


def test_results_and_failures():
    y = np.arange(30) % 3
    score = private_accuracy(y, y, epsilon=math.inf)
    assert "NOT PRIVATE" in repr(score)

    class Broken(DPKMeans):
        def _fit(self, session, given):
            super()._fit(session, given)
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError) as caught:
        fit(Broken(2, epsilon=math.inf), *make_data(60, 3), False)
    (note,) = caught.value.__notes__
    assert "NOT PRIVATE" in note
