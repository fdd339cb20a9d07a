"""A plan is the fit itself, of records that are not there."""

import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from numpydoc.validate import validate
from private_fits import N_CLASSES, fit_cases, fitted_state, make_data
from threadpoolctl import threadpool_info, threadpool_limits

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    DPSyntheticClassifier,
)

N, D = 900, 4
CASES = fit_cases(D)


def planned(estimator, n, d=D, labelled=False):
    return estimator.plan(n, d, N_CLASSES if labelled else None)


@pytest.mark.parametrize("name", ["kmeans", "mixture-means", "synthesizer-1"])
def test_a_plan_changes_nothing_and_warns_of_nothing(name):
    make, labelled = CASES[name]
    state = np.random.RandomState(0)
    estimator = make(random_state=state)
    before = dict(vars(estimator))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = planned(estimator, 50, labelled=labelled)
        make(random_state=3).plan(50, D, N_CLASSES if labelled else None)
        again = planned(estimator, 50, labelled=labelled)
    assert vars(estimator) == before and fitted_state(estimator) == {}
    assert first == again
    assert state.randint(1000) == np.random.RandomState(0).randint(1000)


def test_a_plan_of_a_fitted_estimator_leaves_its_fit():
    X, _ = make_data(N, D)
    mixture = DPGaussianMixture(2, warm_start=True, max_iter=1).fit(X)
    before = dict(vars(mixture))
    names = {entry.name for entry in mixture.plan(N, D).ledger}
    # It goes on from the earlier fit.
    assert not any(name.startswith("codebook") for name in names)
    assert vars(mixture) == before


BAD = [
    (DPKMeans(), (0, 3), "n_samples must be an integer of at least 1"),
    (DPKMeans(), (1.5, 3), "n_samples must be"),
    (DPKMeans(), (True, 3), "n_samples must be"),
    (DPKMeans(), (2**31 + 1, 3), "n_samples must be .* at most 2147483648"),
    (DPKMeans(), (9, 0), "n_features must be an integer of at least 1"),
    (DPKMeans(), (9, -1), "n_features must be"),
    (DPKMeans(), (9, 3, 2), "n_classes must be None, as DPKMeans takes no labels"),
    (DPGaussianMixture(), (9, 3, 2), "n_classes must be None"),
    (DPLogisticRegression(), (9, 3), "n_classes must be given"),
    (DPLogisticRegression(), (9, 3, 1), "at least two classes"),
    (DPLogisticRegression(), (9, 3, 0), "n_classes must be an integer of at least 1"),
    (DPEmbeddingSynthesizer(classes=[1, 2]), (9, 3, 3), "n_classes must be that of"),
    (DPKMeans(center=np.zeros(4)), (9, 3), "center must have shape"),
    (DPEmbeddingSynthesizer(X_public=np.ones((5, 4))), (9, 3), "must have 3 features"),
    (DPKMeans(epsilon=-1.0), (9, 3), "'epsilon' parameter"),
    (DPKMeans(10**12), (9, 3), "GB of memory"),
]


@pytest.mark.parametrize("estimator, given, message", BAD)
def test_what_cannot_be_planned(estimator, given, message):
    with pytest.raises(ValueError, match=message):
        estimator.plan(*given)


def test_a_plan_decides_nothing_by_where_the_records_are():
    plan = DPEmbeddingSynthesizer().plan(20_000, 40, 3)
    decided = {decision.what: decision.value for decision in plan.decisions}
    assert decided["label_model"] is True and decided["n_components"] == 1
    assert not decided.keys() & {"clip_norm", "normalize"}
    assert "decided     n_components 1" in str(plan)


@pytest.mark.parametrize("cls", [DPKMeans, DPSyntheticClassifier])
def test_the_docstring_of_plan(cls):
    errors = validate(f"skdpgmm.{cls.__name__}.plan")["errors"]
    ignored = {"ES01", "EX01", "SA01", "GL01", "RT02", "GL03", "PR06"}
    assert not [error for error in errors if error[0] not in ignored]
    assert "{" not in cls.plan.__doc__


@pytest.mark.parametrize("n", [50, 900, 10**5])
@pytest.mark.parametrize("name", ["mixture-auto", "mixture-full", "synthesizer-auto"])
def test_rough_reductions_change_no_plan(name, n, monkeypatch):
    make, labelled = CASES[name]
    found = planned(make(), n, labelled=labelled)
    monkeypatch.setattr("skdpgmm._estimators.plan.rough_reductions", nullcontext)
    assert found == planned(make(), n, labelled=labelled)


def test_a_plan_has_one_thread_of_linear_algebra_as_a_fit_has(monkeypatch):
    """K-means of scikit-learn sets limits that do not nest: see `one_blas_thread`."""
    seen, fit = [], DPKMeans._fit

    def look(self, session, given):
        infos = threadpool_info()
        seen.extend(i["num_threads"] for i in infos if i["user_api"] == "blas")
        return fit(self, session, given)

    monkeypatch.setattr(DPKMeans, "_fit", look)
    with threadpool_limits(2, user_api="blas"):
        DPKMeans(2).plan(200, 3)
        assert seen and set(seen) == {1}
        DPKMeans(2, epsilon=8.0).fit(make_data(200, 3)[0])
    assert set(seen) == {1}
