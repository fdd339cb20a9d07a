"""The attacker of attributes: what he sees, and that he learns."""

import numpy as np
import pytest
from private_fits import make_data

from skdpgmm import DPKMeans, DPSyntheticClassifier
from skdpgmm._audit.attributes import as_table, attributes_of, learned_scores

X, Y = make_data(60, 3, seed=1)


def test_what_is_seen_is_numbers_of_public_attributes():
    kmeans = DPKMeans(2, epsilon=8.0, random_state=0).fit(X)
    found = attributes_of(kmeans)
    np.testing.assert_array_equal(
        found["cluster_centers_"], kmeans.cluster_centers_.ravel()
    )
    assert "privacy_" not in found
    assert not any(name.startswith("_") for name in found)


def test_a_synthesizer_inside_is_seen():
    wrapper = DPSyntheticClassifier(n_samples=60)
    wrapper.synthesizer_ = DPKMeans(2, random_state=0).fit(X)
    assert "synthesizer_.cluster_centers_" in attributes_of(wrapper)


def test_attributes_of_other_lengths_are_told_by_length_and_sum():
    fits = [{"a_": np.ones(2)}, {"a_": np.ones(3), "b_": np.array([7.0])}]
    np.testing.assert_array_equal(as_table(fits), [[2, 2, 0, 0], [3, 3, 1, 7]])


def test_what_is_no_number_is_one():
    table = as_table([{"a_": np.array([np.nan, np.inf])}])
    assert np.all(np.isfinite(table))


@pytest.mark.parametrize("gap", [0.0, 6.0])
def test_a_difference_is_learned_and_nothing_else(gap):
    rng = np.random.default_rng(0)
    inside = np.arange(400) % 2 == 1
    table = rng.standard_normal((400, 10))
    table[:, 3] += gap * inside
    scores = learned_scores(table, inside)
    right = np.mean((scores > 0.0) == inside[-len(scores) :])
    assert right > 0.97 if gap else 0.35 < right < 0.65
