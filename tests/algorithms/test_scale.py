"""A search for scales: what it releases, and what it makes of releases."""

import math

import numpy as np
import pytest
from views import names_of, view_of

from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.doubts import collected_doubts
from skdpgmm._algorithms.scale import find_center_and_scale, find_scale

SCALES = np.array([1e-3, 1.0, 1e4])


def rows(n=4000, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 3))


@pytest.mark.parametrize("mu", [1.0, math.inf])
def test_scales_and_offsets_are_found(mu):
    X = (np.array([1e4, 0.0, -3.0]) + rows()) * SCALES
    view, ledger = view_of(X, mu=mu)
    found = find_scale(view, Budget(mu))
    units = found.view.units
    assert not found.on_sphere.value
    assert (np.abs(np.log2(units.scale / SCALES)) < 1.0).all()
    assert (np.abs(units.center / SCALES - [1e4, 0.0, -3.0]) < 1.0).all()
    assert names_of(ledger)[:2] == ["unit norms", "scale magnitudes"]
    assert mu == math.inf or ledger.spent_mu < 0.51 * mu


def test_one_scale_is_left_alone():
    view, _ = view_of(rows(), mu=1.0)
    assert find_scale(view, Budget(1.0)).view.units is None
    assert view.decisions[-1].value == "one radius"


def test_limits_only():
    view, _ = view_of(rows() * SCALES, mu=1.0)
    units = find_scale(view, Budget(1.0), columns=False).view.units
    np.testing.assert_array_equal(units.scale, 1.0)
    assert (units.high > 3.0 * SCALES).all() and (units.high < 1e3 * SCALES).all()


def test_rows_of_norm_one_cost_one_count():
    X = rows()
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    view, ledger = view_of(X, mu=1.0)
    found = find_scale(view, Budget(1.0))
    assert found.view.units is None and found.on_sphere.value
    assert names_of(ledger) == ["unit norms"]


def test_many_features_cost_nothing():
    view, ledger = view_of(np.ones((10, 600)), mu=1.0)
    found = find_scale(view, Budget(1.0))
    assert found.view is view and found.on_sphere is None
    assert not ledger.entries


def test_constants_have_one_radius():
    view, _ = view_of(np.zeros((4000, 3)), mu=math.inf)
    assert find_scale(view, Budget(math.inf)).view.units is None
    assert view.decisions[-1].value == "one radius: no spread"


def test_what_noise_hides_is_not_bought_and_said():
    view, ledger = view_of(rows(30) * SCALES, mu=0.1)
    with collected_doubts() as doubts:
        assert find_scale(view, Budget(0.1)).view.units is None
    assert names_of(ledger) == ["unit norms"]
    assert any("bounds" in text for text in doubts)


@pytest.mark.parametrize("known", [None, (np.full(3, -1e6), np.full(3, 1e6))])
def test_center_and_scale_for_the_whole_budget(known):
    X = (np.array([0.0, 50.0, -3.0]) + rows()) * SCALES
    view, ledger = view_of(X, mu=2.0)

    def left():
        return Budget(0.999 * math.sqrt(4.0 - ledger.spent_mu**2))

    center, scale = find_center_and_scale(view, Budget(2.0), left, known)
    assert ledger.spent_mu > 1.99
    clear = slice(None) if known is None else slice(1, None)
    assert (np.abs(np.log2(scale / SCALES))[clear] < 0.6).all()
    assert (np.abs(center - X.mean(axis=0)) / SCALES < 0.6)[clear].all()
