"""Searches that are watched: every release, about the records of its part."""

import numpy as np
import pytest
from private_fits import make_data
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from skdpgmm import DPPCA, DPLogisticRegression, PrivateSearchCV
from skdpgmm._audit.neighbours import Dataset, Unit, alone
from skdpgmm._audit.paths import path_of, products_of, with_transcript
from skdpgmm._audit.runs import fitted
from skdpgmm._audit.searches import WatchedSearch, steps_before, to_watch
from skdpgmm.privacy.parts import ALL

X, Y = make_data(40, 3, seed=1)
DATA = Dataset(X, Y, None)
PERSONS = Dataset(X, Y, np.arange(len(X)) // 2)
NAME = "dplogisticregression__"
PIPELINE = make_pipeline(Normalizer(), "passthrough", DPLogisticRegression())


def search(estimator, path="", **given):
    grid = {f"{path}n_random_features": [0, 8]}
    given = {"epsilon": 1e4, "test_size": 0.5, **given}
    return PrivateSearchCV(estimator, grid, **given)


def logistic(**given):
    return DPLogisticRegression(clip_norm=3.0, **given)


@pytest.mark.parametrize(
    ("estimator", "data"),
    [
        (search(logistic()), DATA),
        (search(PIPELINE, NAME, scoring="balanced_accuracy", refit=False), DATA),
        (search(logistic(max_contributions=3), refit=False), PERSONS),
    ],
)
def test_every_release_is_compared_with_the_records_that_it_is_about(estimator, data):
    bound = 3 if data.ids is not None else None
    unit = Unit(50.0 * np.ones(3), 1)
    other = data.with_unit(unit, bound)
    found = fitted(estimator, data, 0)
    told = with_transcript(found)
    path = path_of(told, data, other, bound)
    report = found.privacy_
    assert path.names == [entry.name for entry in report.ledger]
    # Nothing but the noise is left where the sums are those of the fit.
    assert np.max(np.abs(path.noise)) < 8.0
    # A unit is in one of the parts, and what is about the other does not move.
    parts = np.array(report.parts)
    moved = {part for part in parts if np.any(path.shifts[parts == part])}
    assert len(moved - {ALL}) == 1
    assert 0.3 * report.mu < path.distance <= report.mu * (1.0 + 1e-9)
    assert np.all(path.shifts <= path.mus * (1.0 + 1e-9))
    # Units are looked for as if each were in both.
    ((product,),) = products_of(told, [alone(unit)])
    assert product > (path.distance / (bound or 1)) ** 2


def test_searches_only_are_watched_and_the_one_given_is_left_alone():
    pca, given = DPPCA(2), PrivateSearchCV(logistic(), {"n_random_features": [0]})
    assert to_watch(pca) is pca
    found = fitted(given, DATA, 0)
    assert type(given) is PrivateSearchCV
    assert isinstance(found, WatchedSearch)
    plain = clone(given).fit(X, Y)
    assert with_transcript(plain) is None
    assert "watched" not in vars(plain)


def test_steps_before_the_private_one_are_found_in_pipelines_of_pipelines():
    inner = make_pipeline(Normalizer(), DPLogisticRegression())
    assert len(steps_before(make_pipeline(Normalizer(), inner))) == 2
    assert steps_before(DPPCA(2)) == ()
