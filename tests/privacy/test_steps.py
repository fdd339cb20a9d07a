"""Reports of steps, told as one."""

import math

import numpy as np
import pytest

from skdpgmm import DPKMeans
from skdpgmm.privacy import epsilon_from_mu
from skdpgmm.privacy.steps import report_of_steps

X = np.random.default_rng(0).standard_normal((300, 2))


def test_a_report_of_steps_is_that_of_all_releases():
    one = DPKMeans(2, max_iter=1, epsilon=0.5).fit(X).privacy_
    two = DPKMeans(3, max_iter=1, epsilon=0.7, random_state=0).fit(X).privacy_
    mu = math.hypot(one.mu, two.mu)
    both = report_of_steps({"a": one, "b": two}, epsilon_from_mu(mu, 1e-5), mu)
    assert both.spent_mu == pytest.approx(math.hypot(one.spent_mu, two.spent_mu))
    assert both.spent_epsilon <= both.epsilon
    assert [e.mu for e in both.ledger] == [e.mu for e in one.ledger + two.ledger]
    assert both.ledger[0].name == "a, norms: counts"
    assert both.ledger[-1].name.startswith("b, ")
    assert both.declared_public == (("a, n_features", "2"), ("b, n_features", "2"))
    assert both.quality.steps == {"a": one.quality, "b": two.quality}
    # A seed anywhere takes the noise away.
    assert not one.seeded and both.seeded and "; then " in both.noise
    assert "NOT PRIVATE" in str(both).splitlines()[0]
    other = DPKMeans(2, adjacency="replace-one").fit(X).privacy_
    with pytest.raises(ValueError, match="adjacency must be the same in all fits"):
        report_of_steps({"a": one, "b": other}, 1.0, 1.0)


def test_what_it_means_is_what_all_of_it_means():
    one = DPKMeans(2, max_iter=1, epsilon=0.5).fit(X).privacy_
    mu = math.sqrt(2.0) * one.mu
    both = report_of_steps({"a": one, "b": one}, epsilon_from_mu(mu, 1e-5), mu)
    assert both.not_private is None and both.meaning != one.meaning
    assert str(both).splitlines()[0] == f"means      {both.meaning}"
    without = report_of_steps({"a": one}, math.inf, math.inf)
    assert "NOT PRIVATE" in str(without).splitlines()[0]
