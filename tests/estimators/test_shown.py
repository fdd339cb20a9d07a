"""Notebooks say NOT PRIVATE wherever they show an epsilon that protects nobody."""

import html
import math
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from private_fits import ESTIMATORS, fit, make_data
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skdpgmm import (
    DPKMeans,
    DPLogisticRegression,
    DPSyntheticClassifier,
    DPSyntheticResampler,
    PrivatePipeline,
    PrivateSearchCV,
)
from skdpgmm._estimators.shown import documentation
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


FITTED = {
    "kmeans": DPKMeans(2),
    "logistic": DPLogisticRegression(),
    "pipeline": PrivatePipeline([("kmeans", DPKMeans(2))]),
    "resampler": DPSyntheticResampler(n_samples=50),
    "search": PrivateSearchCV(DPLogisticRegression(), {"clip_norm": [4.0, 9.0]}),
}


@pytest.mark.parametrize("name", FITTED)
def test_fitted_estimators_show_their_guarantee(name):
    X, y = make_data(90, 3)
    # A fit may warn of what noise hides, which is not looked at here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = clone(FITTED[name])
        assert "-DP" not in model._repr_html_()
        model.fit(X, y)
    shown = model._repr_html_()
    report = model.privacy_
    assert f"<strong>({report.epsilon:g}, {report.delta:g})-DP</strong>" in shown
    assert html.escape(report.meaning) in shown and "NOT PRIVATE" not in shown


def test_what_was_fitted_counts_where_parameters_have_changed_since():
    X, _ = make_data(90, 3)
    model = DPKMeans(2, epsilon=math.inf).fit(X).set_params(epsilon=1.0)
    shown = model._repr_html_()
    assert f"The fit: {NO_NOISE}" in shown and "-DP" not in shown
    model = DPKMeans(2, epsilon=2.0).fit(X).set_params(epsilon=math.inf)
    assert NO_NOISE in model._repr_html_() and "(2, 1e-05)-DP" in model._repr_html_()


def test_links_lead_to_where_the_package_says(monkeypatch):
    url = "Documentation, https://example.org/docs/"
    for urls, link in [
        ([f"Source, {url}", url], "https://example.org/docs/api/generated/"),
        (None, ""),
    ]:
        found = SimpleNamespace(get_all=lambda name, urls=urls: urls)
        monkeypatch.setattr("skdpgmm._estimators.shown.metadata", lambda name: found)  # noqa: B023
        documentation.cache_clear()
        page = link and f"{link}skdpgmm.DPKMeans.html"
        assert DPKMeans()._get_doc_link() == page
        assert (f'href="{page}' in DPKMeans()._repr_html_()) == bool(page)
    documentation.cache_clear()


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
