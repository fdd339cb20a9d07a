"""How sure a head is: slopes, constants and plans, with and without noise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, recall_score
from views import view_of

from skdpgmm import DPLogisticRegression
from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.calibration import calibrate, slope_ratio
from skdpgmm._algorithms.head_plan import plan_head
from skdpgmm._estimates.spectrum import Spikes
from skdpgmm._queries.softmax import SoftmaxSlopes
from skdpgmm.privacy.bounded_sum import Block, exact, parts
from skdpgmm.privacy.grid import Ball


def test_slopes_are_derivatives_of_the_loss():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 4)) / 10.0, rng.integers(3, size=200)
    W, offset = rng.standard_normal((3, 5)), rng.standard_normal(3)
    query = SoftmaxSlopes(Ball(np.zeros(4), 1.0), W, offset, np.array([0.5, 2.0]), 50.0)
    (part,) = parts(query)
    found = exact(query, Block(X, y))[0] * part.scale
    z = X @ W[:, :-1].T + 0.1 * W[:, -1]

    def loss(t):
        p = softmax(offset + t * z, axis=1)
        return -np.log(p[np.arange(200), y]).sum()

    expected = [(loss(t + 1e-5) - loss(t - 1e-5)) / 2e-5 for t in (0.5, 2.0)]
    assert_allclose(found, expected, atol=0.2 * part.scale * 200 + 1e-3)


def test_a_slope_is_where_derivatives_are_zero():
    ratios = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
    logs = np.log(ratios / 0.6)
    ratio, noise = slope_ratio(100.0 * logs, 10.0, ratios)
    assert_allclose(ratio, 0.6, rtol=1e-6)
    assert 0.1 < noise < 0.15
    assert slope_ratio(100.0 * logs, 1e3, ratios) == (1.0, np.inf)
    assert_allclose(slope_ratio(100.0 * logs + 1e4, 0.0, ratios), (0.25, 0.0))
    assert_allclose(slope_ratio(100.0 * logs - 1e4, 0.0, ratios), (4.0, 0.0))


def test_between_two_looks_derivatives_bend():
    ratios = 2.0 ** np.linspace(-1.0, 1.0, 5)
    slopes = 1.0 - (ratios / 0.85) ** -4.0
    assert_allclose(slope_ratio(slopes, 0.0, ratios)[0], 0.85, rtol=0.01)


def test_records_that_are_surely_wrong_count_as_much_as_they_are_wrong(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4_000, 3))
    y = (3.0 * X[:, 0] + rng.logistic(size=4_000) > 0).astype(int)
    X[:80] *= 4.0
    y[:80] = rng.integers(2, size=80)
    view, _ = view_of(X, y, radius=20.0)
    weights = 40.0 * np.array([[-1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    second, counts = Spikes.of(X.T @ X / len(X)), np.bincount(y).astype(float)
    budgets = {"slope": Budget(np.inf), "balance": Budget(np.inf)}

    def best_slope():
        coef, intercept = calibrate(view, weights, second, counts, budgets, 1.0)
        scores = intercept + X @ coef.T / view.ball.radius
        slopes = np.linspace(0.5, 2.0, 151)
        losses = [log_loss(y, softmax(t * scores, axis=1)) for t in slopes]
        return slopes[np.argmin(losses)]

    assert best_slope() > 0.95
    monkeypatch.setattr("skdpgmm._algorithms.calibration._MOST_LONGEST", 2.0)
    assert best_slope() < 0.9


def test_the_noise_of_a_plan_is_that_of_its_recursion():
    counts, values, widths = np.array([600.0, 400.0]), np.array([0.5, 0.1]), np.ones(2)
    for freedom in (0.0, 0.5, 1.0):
        plan = plan_head(freedom, counts, 2.0, values, widths, 1.5)
        scaled = values / plan.radius**2
        rng = np.random.default_rng(0)
        weight = ahead = np.zeros((20_000, 2))
        for i in range(plan.n_steps):
            noise = rng.standard_normal(weight.shape)
            slope = 0.125 * scaled * ahead + noise
            before, weight = weight, ahead - plan.steps[0] * slope
            ahead = weight + plan.momentum(i) * (weight - before)
        sd = plan.clip * np.sqrt(plan.n_steps) / (2.0 * 1000.0)
        found = (scaled @ weight.var(axis=0)) * sd**2
        assert_allclose(found, plan.noise, rtol=0.05)


def test_more_budget_is_more_freedom_and_never_a_shorter_way():
    counts, values = np.full(3, 3000.0), np.full(5, 0.15)
    widths = np.ones(5)
    plans = [plan_head(0.5, counts, mu, values, widths, 2.0) for mu in (0.1, 1, 10)]
    assert plans[0].noise > plans[1].noise > plans[2].noise
    assert plans[0].length < plans[1].length < plans[2].length


@pytest.mark.parametrize("epsilon", [8.0, np.inf])
@pytest.mark.parametrize("slopes", [(0.3, 0.3, 0.4), (2.0, -1.0, 0.0)])
def test_slopes_are_those_of_the_maximum_of_the_likelihood(epsilon, slopes):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((8_000, 3))
    y = (X @ slopes + rng.logistic(size=8_000) > 0).astype(int)
    ours = DPLogisticRegression(epsilon=epsilon, random_state=0).fit(X, y)
    theirs = LogisticRegression().fit(X, y)
    assert_allclose(ours.coef_, theirs.coef_, atol=0.1)
    losses = [log_loss(y, model.predict_proba(X)) for model in (ours, theirs)]
    assert losses[0] < 1.005 * losses[1]


@pytest.fixture(scope="module")
def rare():
    rng = np.random.default_rng(0)
    y = (rng.random(40_000) < 1.0 / 1000.0).astype(int)
    X = rng.standard_normal((40_000, 10))
    X[:, 0] += 5.0 * y
    return X, y


def test_a_class_of_one_in_a_thousand_is_predicted(rare):
    X, y = rare
    ours = DPLogisticRegression(epsilon=np.inf, random_state=0).fit(X, y)
    theirs = LogisticRegression().fit(X, y)
    found = [recall_score(y, model.predict(X)) for model in (ours, theirs)]
    assert found[0] > 0.9 * found[1] > 0.5


def test_weights_of_classes(rare):
    X, y = rare
    labels = np.array(["often", "seldom"])[y]
    fits = {}
    for weight in (None, "balanced", {"seldom": 1000.0}):
        model = DPLogisticRegression(epsilon=8.0, class_weight=weight, random_state=0)
        fits[str(weight)] = model.fit(X, labels)
    plain, balanced, given = fits.values()
    for model in (balanced, given):
        assert_array_equal(model.coef_, plain.coef_)
        moved = model.intercept_ - plain.intercept_
        assert_allclose(moved, np.log(1000.0), atol=0.4)
    recall = recall_score(labels, balanced.predict(X), pos_label="seldom")
    assert recall > 0.9
    assert balanced.score(X, labels) > 0.85


@pytest.mark.parametrize(
    "weights, message",
    [({5: 1.0}, "none of the classes"), ({1: 0.0}, "numbers in")],
)
def test_weights_that_cannot_be(weights, message):
    X, y = np.random.default_rng(0).standard_normal((60, 2)), np.arange(60) % 2
    with pytest.raises(ValueError, match=message):
        DPLogisticRegression(class_weight=weights).fit(X, y)
