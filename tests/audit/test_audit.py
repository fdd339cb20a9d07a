"""Audits of whole fits: they find what is claimed, and faults that are planted."""

import math

import numpy as np
import pytest
from private_fits import PLAIN_CASES, fit_cases, make_data

from skdpgmm import DPPCA, DPKMeans, PrivatePipeline, audit
from skdpgmm.exceptions import PrivacyLeakWarning
from skdpgmm.privacy import records

X, Y = make_data(60, 3, seed=1)
pytestmark = pytest.mark.filterwarnings("ignore::skdpgmm.exceptions.PrivacyLeakWarning")


@pytest.mark.parametrize("name", PLAIN_CASES)
def test_one_record_attains_what_is_claimed_and_no_more(name):
    constructor, labelled = fit_cases(3)[name]
    estimator = constructor(epsilon=4.0)
    y = Y if labelled else None
    found = audit(estimator, X, y, n_runs=20, confidence=0.9999, random_state=0)
    assert found.passed, str(found)
    assert 0.9 * found.mu < found.distance <= found.mu * (1.0 + 1e-6)
    assert sum(one.share for one in found.releases) == pytest.approx(1.0)
    assert all(one.attained <= 1.0 + 1e-9 for one in found.releases)
    assert estimator.random_state is None
    assert not hasattr(estimator, "privacy_")


@pytest.mark.parametrize("m", [None, 3])
def test_neighbours_are_those_of_the_adjacency(m):
    pca = DPPCA(2, epsilon=4.0, adjacency="replace-one", max_contributions=m)
    found = audit(pca, X, n_runs=20, confidence=0.9999, random_state=0)
    assert found.passed, str(found)
    assert found.adjacency == "replace-one"
    assert ("3 records" in found.unit) == (m == 3)
    # What two records move a second moment by is stated, and no more.
    assert 0.9 * found.mu < found.distance <= found.mu * (1.0 + 1e-6)


def quiet(monkeypatch, factor):
    """Divide all noise."""
    for name in ("add_lattice_gaussian", "add_symmetric_gaussian"):
        original = getattr(records, name)
        monkeypatch.setattr(
            records,
            name,
            lambda s, sd, source, own=original: own(s, sd / factor, source),
        )


@pytest.mark.parametrize("attack", ["transcript", "attributes"])
def test_noise_that_is_left_out_is_found(attack, monkeypatch):
    quiet(monkeypatch, 64)
    found = audit(DPPCA(2, epsilon=4.0), X, n_runs=60, attack=attack, random_state=0)
    assert not found.passed
    assert found.bound > found.mu


def test_a_sensitivity_that_is_too_small_is_found_without_noise(monkeypatch):
    monkeypatch.setattr("skdpgmm.privacy.records.unit_factor", lambda *_, **__: 1)
    pca = DPPCA(2, epsilon=4.0, max_contributions=2)
    found = audit(pca, X, n_runs=20, confidence=0.9999, random_state=0)
    assert found.distance > 1.9 * found.mu
    assert not found.passed


def test_canaries_of_one_fit():
    found = audit(
        DPPCA(2, epsilon=4.0),
        *make_data(300, 40, seed=1)[:1],
        attack="canaries",
        n_canaries=200,
        confidence=0.999,
        random_state=0,
    )
    assert found.passed, str(found)
    assert found.n_runs == 1
    assert found.guesses.n_canaries == 200
    assert found.guesses.n_right > 0.6 * found.guesses.n_guesses
    assert 0.9 * found.mu < found.distance <= found.mu * (1.0 + 1e-6)
    assert found.estimate == pytest.approx(found.mu, rel=0.15)
    assert 0.0 < found.ceiling < found.mu < found.smallest_shown


def test_one_fit_shows_that_most_of_the_noise_is_left_out(monkeypatch):
    quiet(monkeypatch, 8)
    pca, rows = DPPCA(2, epsilon=4.0), make_data(300, 40, seed=1)[0]
    found = audit(pca, rows, attack="canaries", n_canaries=200, random_state=0)
    assert not found.passed
    assert found.bound > found.mu
    assert found.estimate == pytest.approx(8.0 * found.mu, rel=0.2)


@pytest.mark.parametrize(
    "changed", [{"adjacency": "replace-one"}, {"max_contributions": 2}]
)
def test_canaries_are_single_records_that_are_there_or_not(changed):
    with pytest.raises(ValueError, match="attack can be 'canaries' where one record"):
        audit(DPPCA(2, **changed), X, attack="canaries")


def test_an_audit_warns_that_it_is_not_private():
    with pytest.warns(PrivacyLeakWarning, match="never for others"):
        audit(DPPCA(2), X, n_runs=20, random_state=0)


def test_an_int_makes_it_reproducible():
    first, second = (audit(DPPCA(2), X, n_runs=20, random_state=5) for _ in range(2))
    assert first == second


def test_steps_of_a_pipeline_are_attacked_in_turn():
    steps = [("pca", DPPCA(2)), ("kmeans", DPKMeans(1, max_iter=1))]
    pipeline = PrivatePipeline(steps, epsilon=4.0)
    found = audit(pipeline, X, n_runs=20, confidence=0.9999, random_state=0)
    assert found.passed, str(found)
    assert 0.8 * found.mu < found.distance <= found.mu * (1.0 + 1e-6)
    assert sum(one.share for one in found.releases) == pytest.approx(1.0)


def test_what_has_no_transcript_is_attacked_by_attributes(monkeypatch):
    monkeypatch.setattr("skdpgmm._audit.audit.with_transcript", lambda _: None)
    for attack in ("transcript", "canaries"):
        with pytest.raises(ValueError, match="attack must be 'attributes'"):
            audit(DPPCA(2), X, attack=attack)
    found = audit(DPPCA(2), X, n_runs=20, attack="attributes", random_state=0)
    assert math.isnan(found.distance)
    assert not found.releases


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"estimator": DPPCA(2, epsilon=np.inf)}, ValueError, "epsilon must be finite"),
        ({"n_runs": 19}, ValueError, "n_runs must be at least 20"),
        ({"n_runs": 0, "attack": "canaries"}, ValueError, "n_runs"),
        ({"n_canaries": 0}, ValueError, "n_canaries"),
        ({"confidence": 1.0}, ValueError, "confidence"),
        ({"attack": "guess"}, ValueError, "attack"),
        ({"X": [[np.nan, 1.0], [2.0, 3.0]]}, ValueError, "NaN"),
        ({"y": [0, 1]}, ValueError, "inconsistent numbers of samples"),
        ({"estimator": "pca"}, ValueError, "estimator"),
    ],
)
def test_bad_arguments(changed, error, message):
    with pytest.raises(error, match=message):
        audit(**{"estimator": DPPCA(2), "X": X, **changed})


def test_what_is_not_private_is_refused():
    from sklearn.decomposition import PCA

    with pytest.raises(ValueError, match="must be a private one"):
        audit(PCA(2), X, n_runs=20)
