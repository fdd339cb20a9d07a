"""The softmax head: shares of classes come out right, and steps are as decided."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skdpgmm import DPLogisticRegression

SHARES = np.array([0.6, 0.3, 0.1])


def rows_of(gap, n=2000, seed=0):
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(3), np.rint(SHARES * n).astype(int))
    return gap * np.eye(3)[y] + rng.standard_normal((n, 3)), y


@pytest.mark.parametrize("epsilon", [8.0, np.inf])
@pytest.mark.parametrize("gap", [0.0, 1.0, 4.0])
def test_labels_are_given_as_often_as_they_occur(epsilon, gap):
    X, y = rows_of(gap)
    model = DPLogisticRegression(epsilon=epsilon, random_state=0).fit(X, y)
    found = model.predict_proba(X).mean(axis=0)
    assert_allclose(found, SHARES, atol=0.01 if np.isinf(epsilon) else 0.05)


def test_where_rows_tell_nothing_only_shares_are_left():
    _, y = rows_of(0.0)
    X = np.ones((len(y), 2))
    model = DPLogisticRegression(epsilon=np.inf, clip_norm=2.0).fit(X, y)
    assert_allclose(model.predict_proba(X[:1]), SHARES[None], atol=5e-3)


@pytest.mark.parametrize("epsilon", [0.5, 8.0])
def test_steps_are_those_that_were_decided(epsilon):
    report = DPLogisticRegression(epsilon=epsilon).fit(*rows_of(2.0)).privacy_
    decided = {decision.what: decision.value for decision in report.decisions}
    names = [entry.name.split(":")[0] for entry in report.ledger]
    steps = [name for name in dict.fromkeys(names) if name.startswith("head step")]
    assert steps == [f"head step {i}" for i in range(decided["head_steps"])]
    assert 20 <= len(steps) <= 60
    # Equal, as the noise that gathers in a weight depends on their length alone.
    gradients = {e.mu for e in report.ledger if e.name.endswith("gradient")}
    assert len(gradients) == 1
