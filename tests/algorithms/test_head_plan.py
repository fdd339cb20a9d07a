"""Plans of steps: from little noise to little bias, within what was asked for."""

import numpy as np
import pytest

from skdpgmm._algorithms.head_plan import plan_head

COUNTS = np.array([5000.0, 3000.0, 200.0])
VALUES, WIDTHS = np.array([0.3, 0.1, 0.01]), np.array([1.0, 4.0, 27.0])


def plan_of(freedom, mu=1.0, counts=COUNTS):
    return plan_head(freedom, counts, mu, VALUES, WIDTHS, 2.0)


@pytest.mark.parametrize("mu", [0.1, 1.0, 100.0])
def test_freedom_is_paid_for_by_noise(mu):
    plans = [plan_of(freedom, mu) for freedom in (0.0, 0.5, 1.0)]
    for name, ends in (("clip", (0.5, np.sqrt(2.0))), ("radius", (1.0, 2.0))):
        found = [getattr(plan, name) for plan in plans]
        assert found == sorted(found)
        assert np.allclose([found[0], found[-1]], ends)
    assert plans[0].momentum(50) == 0.0 < plans[2].momentum(50) < 1.0
    assert plan_of(1.0, mu).noise > plan_of(1.0, 2.0 * mu).noise > 0.0


@pytest.mark.parametrize("freedom", [0.0, 0.3, 1.0])
def test_no_step_is_longer_than_is_stable(freedom):
    plan = plan_of(freedom, mu=1e3)
    assert 20 <= plan.n_steps <= 60
    assert plan.steps.shape == (3, 3) and plan.constant_steps.shape == (3,)
    # Half of the second moment bounds the curvature; rare classes go farther.
    values = VALUES / plan.radius**2
    assert np.all(plan.steps[0] * values * 0.5 <= 2.0 + 1e-9)
    assert np.all(plan.steps[2] >= plan.steps[0])
    assert np.all(np.diff(plan.steps, axis=1) >= 0.0)


def test_the_noise_of_a_rare_class_stays_a_number():
    with np.errstate(over="raise", invalid="raise"):
        plan = plan_of(1.0, mu=1e3, counts=np.array([1e12, 1.0]))
    assert np.isfinite(plan.noise)
