"""Paths of fits: distances and noise, against those of a fit that is recorded."""

import math

import numpy as np
import pytest
from private_fits import PLAIN_CASES, fit, fit_cases, make_data
from private_queries import squared_distance
from sklearn.preprocessing import Normalizer
from tapes import Tape, integers

from skdpgmm import DPPCA, DPKMeans, DPLogisticRegression, PrivatePipeline
from skdpgmm._audit.neighbours import Dataset, Unit, alone
from skdpgmm._audit.paths import (
    Transcripts,
    coordinates,
    path_of,
    products_of,
    regression_of,
    with_transcript,
)
from skdpgmm.privacy.bounded_sum import Part, parts


def neighbours(labelled):
    X, y = make_data(120, 3, seed=1)
    data = Dataset(X, y if labelled else None, None)
    unit = Unit(100.0 * np.ones(3), 1 if labelled else None)
    return data, unit


@pytest.mark.parametrize("name", PLAIN_CASES)
def test_distances_are_those_of_two_fits_that_were_told_the_same(name, monkeypatch):
    constructor, labelled = fit_cases(3)[name]
    data, unit = neighbours(labelled)
    other = data.with_unit(unit, None)
    fitted, tape = [], Tape(monkeypatch)
    for (X, y, _), install in zip((data, other), (tape.record, tape.play), strict=True):
        with monkeypatch.context() as patch:
            tape.monkeypatch = patch
            install()
            estimator = constructor(epsilon=4.0, random_state=0)
            fitted.append(fit(estimator, X, y, labelled))
    told = with_transcript(fitted[0])
    path = path_of(told, data, other)
    expected = []
    for call in tape.calls:
        every = zip(call.sums, call.played, call.entries, strict=True)
        for part, pair in zip(parts(call.query), every, strict=True):
            here, there = (integers(part, words) for words in pair[:2])
            distance = math.sqrt(squared_distance(here, there))
            expected.append(distance / pair[2].l2_sensitivity * pair[2].mu)
    np.testing.assert_allclose(path.shifts, expected, rtol=1e-9)
    assert np.all(path.shifts <= path.mus * (1.0 + 1e-9))
    assert path.distance > 0.5 * fitted[0].privacy_.mu
    # One more record moves a path as it does alone.
    found = products_of(told, [alone(unit)])
    assert math.sqrt(found[0, 0]) == pytest.approx(path.distance, rel=1e-9)
    # The score of a path is a regression on a single candidate.
    products, along = regression_of(told, data, [alone(unit)])
    assert products == pytest.approx(found, rel=1e-9)
    score = along[0] - 0.5 * products[0, 0]
    assert score == pytest.approx(path.score, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["kmeans", "pca"])
def test_noise_along_a_path_is_standard_normal(name):
    constructor, _ = fit_cases(3)[name]
    data, unit = neighbours(False)
    other = data.with_unit(unit, None)
    noise, moved = [], []
    for seed in range(20):
        one = data if seed % 2 else other
        fitted = constructor(epsilon=4.0, random_state=seed).fit(one.X)
        path = path_of(with_transcript(fitted), data, other)
        own = path.noise - (0.0 if seed % 2 else path.shifts)
        noise.extend(own[path.shifts > 0.0])
        moved.append(path.score if seed % 2 else -path.score)
        np.testing.assert_allclose(
            path.score, path.shifts @ path.noise - 0.5 * path.distance**2
        )
    z = np.array(noise)
    assert abs(z.mean()) < 4.0 / math.sqrt(len(z))
    assert abs(np.mean(z**2) - 1.0) < 5.0 * math.sqrt(2.0 / len(z))


def test_coordinates_of_a_symmetric_matrix_have_its_norm():
    A = np.random.default_rng(0).standard_normal((2, 4, 4))
    A += A.swapaxes(1, 2)
    part = Part("scatters", A.shape, 1.0, 1.0, True)
    found = coordinates(part, A)
    assert found.shape == (20,)
    assert np.sum(found**2) == pytest.approx(np.sum(A**2))


def test_a_fit_that_went_on_from_another_has_no_transcript():
    pca = DPPCA(2, random_state=0).fit(make_data(40, 3, seed=1)[0])
    assert with_transcript(pca).tellers == ((pca, pca._transcript, ()),)
    pca._transcript = None
    assert with_transcript(pca) is None


def test_the_path_of_a_pipeline_is_that_of_its_steps_in_turn():
    data, unit = neighbours(True)
    other = data.with_unit(unit, None)
    steps = [("norm", Normalizer()), ("pca", DPPCA(2)), ("own", DPLogisticRegression())]
    pipeline = PrivatePipeline(steps, epsilon=4.0)
    pipeline.set_params(pca__random_state=0, own__random_state=0).fit(data.X, data.y)
    told = with_transcript(pipeline)
    path = path_of(told, data, other)
    assert len(path.names) == len(pipeline.privacy_.ledger) == len(set(path.names))
    parts, ledger = [], told.ledger
    for one in told.tellers:
        pair = [
            rows._replace(X=pipeline[: len(one.before)].transform(rows.X))
            for rows in (data, other)
        ]
        n = sum(len(released.numbers) for released in one.transcript.releases)
        own = Transcripts((one._replace(before=()),), ledger[:n])
        parts.append(path_of(own, *pair).shifts)
        ledger = ledger[n:]
    assert not ledger
    np.testing.assert_array_equal(path.shifts, np.concatenate(parts))
    assert 0.5 * pipeline.privacy_.mu < path.distance
    assert path.distance <= pipeline.privacy_.mu * (1.0 + 1e-9)


def test_a_step_that_cannot_be_replayed_hides_the_pipeline():
    steps = [("pca", DPPCA(2)), ("own", DPKMeans(1, max_iter=1))]
    pipeline = PrivatePipeline(steps).fit(make_data(60, 3, seed=1)[0])
    assert len(with_transcript(pipeline).tellers) == 2
    pipeline._told["pca"] = pipeline._told["pca"]._replace(transcript=None)
    assert with_transcript(pipeline) is None
