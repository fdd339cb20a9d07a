"""Whose record is whose: names, routing, what a report says, and what is warned of."""

import warnings
from functools import partial

import numpy as np
import pytest
from private_fits import ESTIMATORS, RELEASED, make_data, sized
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPKMeans,
    DPSyntheticClassifier,
    DPSyntheticResampler,
    metrics,
)
from skdpgmm.exceptions import UnenforcedContributionsWarning
from skdpgmm.privacy import unit_factor

N = 200
X, Y = make_data(N, 3)
# Two persons with a hundred records each, and splits that do not tear them apart.
IDS = np.repeat(["anna", "bert"], N // 2)
ENFORCED = "one person with at most {}, enforced by privacy_ids"


MAKERS = {
    **{cls.__name__: partial(sized, cls, 2) for cls in ESTIMATORS},
    "DPSyntheticClassifier": lambda: DPSyntheticClassifier(
        None, LogisticRegression(), n_samples=50
    ),
    "DPSyntheticResampler": lambda: DPSyntheticResampler(n_samples=50),
}


@pytest.fixture(params=MAKERS)
def estimator(request):
    """Each estimator and meta-estimator; they fit to rows, labels and ids."""
    return MAKERS[request.param]()


def set_bound(estimator, bound):
    if hasattr(estimator, "synthesizer"):
        inner = DPEmbeddingSynthesizer(max_contributions=bound)
        return estimator.set_params(synthesizer=inner)
    return estimator.set_params(max_contributions=bound)


def n_used(model):
    """The number of records that a fit without noise has used."""
    return float(model.cluster_counts_.sum())


# --------------------------------------------------------------------------
# What the report says
# --------------------------------------------------------------------------


def test_a_report_tells_an_enforced_bound_from_a_promised_one(estimator):
    assert estimator.fit(X, Y).privacy_.unit == "one record"
    unit = estimator.fit(X, Y, privacy_ids=IDS).privacy_.unit
    assert unit == ENFORCED.format("1 record")
    set_bound(estimator, 3)
    unit = estimator.fit(X, Y, privacy_ids=IDS).privacy_.unit
    assert unit == ENFORCED.format("3 records")
    with pytest.warns(UnenforcedContributionsWarning, match="promised, not enforced"):
        unit = estimator.fit(X, Y).privacy_.unit
    assert unit == "one person with at most 3 records, promised by the caller"


def test_a_failed_fit_tells_them_apart_too():
    class Failing:
        n_passes = 0

        def __iter__(self):
            self.n_passes += 1
            if self.n_passes == 3:
                raise OSError("the disk is gone")
            return iter([X])

    with pytest.raises(OSError) as caught:
        DPKMeans(2).fit(Failing(), privacy_ids=IDS)
    assert caught.value.privacy_.unit == ENFORCED.format("1 record")


@pytest.mark.parametrize("m, factor", [(None, 1), (1, 1), (3, 3)])
def test_no_bound_is_one_record(m, factor):
    model = DPKMeans(2, max_contributions=m).fit(X, privacy_ids=IDS)
    expected = DPKMeans(2).fit(X)
    pairs = zip(model.privacy_.ledger, expected.privacy_.ledger, strict=True)
    for entry, plain in pairs:
        assert entry.l2_sensitivity == factor * plain.l2_sensitivity
    assert unit_factor("add-remove", factor) == factor
    exact = DPKMeans(2, max_contributions=m, epsilon=np.inf).fit(X, privacy_ids=IDS)
    assert n_used(exact) == 2 * factor


@pytest.mark.parametrize("m", [1, 2])
def test_a_bound_without_ids_is_warned_of(m):
    with pytest.warns(UnenforcedContributionsWarning, match="params=.*privacy_ids"):
        metrics.private_accuracy([0, 1], [0, 1], max_contributions=m)
    for make in MAKERS.values():
        estimator = make()
        set_bound(estimator, m)
        with pytest.warns(UnenforcedContributionsWarning, match=f"={m} is promised"):
            estimator.fit(X, Y)
        # An error in its place costs nothing.
        before = dict(vars(estimator))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(UnenforcedContributionsWarning) as caught:
                estimator.fit(X, Y)
        assert not hasattr(caught.value, "privacy_")
        assert vars(estimator) == before


# --------------------------------------------------------------------------
# The old name
# --------------------------------------------------------------------------


def test_groups_is_a_deprecated_name(estimator):
    with pytest.warns(FutureWarning, match="give privacy_ids") as caught:
        estimator.fit(X, Y, groups=IDS)
    assert [w.category for w in caught].count(FutureWarning) == 1
    assert estimator.privacy_.unit == ENFORCED.format("1 record")
    with pytest.raises(ValueError, match="privacy_ids and groups are the same"):
        clone(estimator).fit(X, Y, groups=IDS, privacy_ids=IDS)
    with pytest.warns(FutureWarning, match="give privacy_ids"):
        clone(estimator).fit(X, Y, IDS)  # third, as it was
    for method in ("fit_predict", "fit_resample"):
        if hasattr(estimator, method):
            call = getattr(clone(estimator), method)
            with pytest.warns(FutureWarning, match="give privacy_ids") as caught:
                call(X, Y, groups=IDS)
            assert [w.category for w in caught].count(FutureWarning) == 1


def test_groups_is_a_deprecated_name_of_private_accuracy():
    with pytest.warns(FutureWarning, match="give privacy_ids"):
        score = metrics.private_accuracy(Y, Y, groups=IDS, epsilon=np.inf)
    assert score.privacy.unit == ENFORCED.format("1 record")
    with pytest.raises(ValueError, match="are the same"):
        metrics.private_accuracy(Y, Y, groups=IDS, privacy_ids=IDS)


# --------------------------------------------------------------------------
# Routing
# --------------------------------------------------------------------------


def exact(bound=None):
    return DPKMeans(2, epsilon=np.inf, max_contributions=bound)


def used_in_cross_validation(estimator, **kwargs):
    options = {"cv": GroupKFold(2), "return_estimator": True, "error_score": "raise"}
    found = cross_validate(estimator, X, **options, **kwargs)
    return [n_used(model) for model in found["estimator"]]


@pytest.mark.parametrize("routing", [False, True])
def test_groups_of_cross_validation_go_to_its_splitter_only(routing):
    with config_context(enable_metadata_routing=routing):
        splits = {"params": {"groups": IDS}} if routing else {"groups": IDS}
        both = (
            {"params": {"groups": IDS, "privacy_ids": IDS}}
            if routing
            else {"groups": IDS, "params": {"privacy_ids": IDS}}
        )
        with pytest.warns(UnenforcedContributionsWarning, match="splitter only"):
            assert used_in_cross_validation(exact(1), **splits) == [100, 100]
        assert used_in_cross_validation(exact(1), **both) == [1, 1]
        assert used_in_cross_validation(exact(7), **both) == [7, 7]


@pytest.mark.parametrize("routing", [False, True])
def test_a_grid_search_hands_ids_on(routing):
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(exact(), {"max_contributions": [1, 2]}, cv=GroupKFold(2))
        with pytest.warns(UnenforcedContributionsWarning, match="splitter only"):
            assert n_used(clone(search).fit(X, groups=IDS).best_estimator_) == N
        search.fit(X, groups=IDS, privacy_ids=IDS)
        best = search.best_params_["max_contributions"]
        assert n_used(search.best_estimator_) == 2 * best


@pytest.mark.parametrize("routing", [False, True])
def test_ids_go_through_a_pipeline(estimator, routing):
    if isinstance(estimator, DPSyntheticResampler):
        model = make_pipeline(estimator)
    else:
        model = make_pipeline(FunctionTransformer(), estimator)
    name = "privacy_ids" if routing else f"{model.steps[-1][0]}__privacy_ids"
    with config_context(enable_metadata_routing=routing):
        model.fit(X, Y, **{name: IDS})
        assert model[-1].privacy_.unit == ENFORCED.format("1 record")
        if routing:
            estimator.set_fit_request(privacy_ids=True)
            model.fit(X, Y, privacy_ids=IDS)
            assert model[-1].privacy_.unit == ENFORCED.format("1 record")
            estimator.set_fit_request(privacy_ids=False)
            with pytest.raises(TypeError, match="privacy_ids"):
                model.fit(X, Y, privacy_ids=IDS)


def test_groups_cannot_be_asked_for(estimator):
    requests = estimator.get_metadata_routing()
    assert requests.fit.requests == {"privacy_ids": True, "budget": True}
    with config_context(enable_metadata_routing=True):
        with pytest.raises(TypeError, match="Unexpected args"):
            estimator.set_fit_request(groups=True)


@pytest.mark.parametrize("routing", [False, True])
def test_fit_transform_and_fit_predict_take_ids(routing):
    with config_context(enable_metadata_routing=routing):
        for method in ("fit_transform", "fit_predict"):
            model = exact(3)
            getattr(model, method)(X, privacy_ids=IDS)
            assert n_used(model) == 6
    pipeline = make_pipeline(FunctionTransformer(), exact(3))
    pipeline.fit_predict(X, dpkmeans__privacy_ids=IDS)
    assert n_used(pipeline[-1]) == 6


def resampled():
    pipeline = pytest.importorskip("imblearn.pipeline")
    synthesizer = DPEmbeddingSynthesizer(max_contributions=1)
    resampler = DPSyntheticResampler(synthesizer, n_samples=50)
    return pipeline.make_pipeline(resampler, LogisticRegression())


def test_ids_are_routed_to_fit_resample():
    with config_context(enable_metadata_routing=True):
        model = resampled().fit(X, Y, privacy_ids=IDS)
        assert model[0].privacy_.unit == ENFORCED.format("1 record")
        found = cross_validate(
            resampled(),
            X,
            Y,
            cv=GroupKFold(2),
            params={"groups": IDS, "privacy_ids": IDS},
            return_estimator=True,
            error_score="raise",
        )
    for model in found["estimator"]:
        assert model[0].privacy_.unit == ENFORCED.format("1 record")


def test_without_routing_imbalanced_learn_drops_what_is_for_fit_resample():
    """Should it ever hand them on, the guide is to say so."""
    model = resampled()
    with pytest.warns(UnenforcedContributionsWarning, match="enable_metadata_routing"):
        model.fit(X, Y, dpsyntheticresampler__privacy_ids=IDS)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_one_person_weighs_as_much_as_one_record(cls):
    """However many records: the first of them, and of none of the other persons."""
    persons = np.arange(N) % 50
    params = {"epsilon": 8.0, "clip_norm": 20.0, "random_state": 0}
    name = RELEASED[cls]
    found = sized(cls, 1, **params).fit(X, Y, privacy_ids=persons)
    alone = sized(cls, 1, **params).fit(X[:50], Y[:50])
    np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))
