"""A view: the same records through balls, by releases, and what was decided."""

from types import SimpleNamespace

import numpy as np

from skdpgmm._algorithms.budget import Budget
from skdpgmm._algorithms.view import View
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.report import Decision


def asked(calls):
    """Records that note what they are asked, with the ball that is held."""
    return SimpleNamespace(
        release=lambda *args: calls.append(args) or ("released",),
        holding=lambda ball: calls.append(ball),
    )


def test_every_part_of_a_query_has_its_own_budget():
    calls = []
    view = View.of(asked(calls), 3, np.random.default_rng(0), [], [])
    assert view.release("name", "query", [Budget(0.5), Budget(0.25)]) == ("released",)
    assert calls == [("name", "query", [0.5, 0.25])]


def test_a_view_through_another_ball_is_another_view():
    calls = []
    first = View.of(asked(calls), 3, np.random.default_rng(0), [], [])
    assert first.n_features == 3 and first.n is None and first.ball.radius == 1.0
    other = first.through(Ball(np.ones(3), 2.0)).counted(7.0)
    assert (other.ball.radius, other.n) == (2.0, 7.0)
    assert (first.ball.radius, first.n) == (1.0, None)
    other.held()
    assert calls == [other.ball]


def test_all_views_of_a_fit_note_what_was_decided_and_once_each():
    decisions = []
    first = View.of(asked([]), 3, np.random.default_rng(0), decisions, [])
    other = first.counted(5.0)
    for view, value in ((first, 1), (other, 1), (other, 2), (first, 2), (first, 1)):
        assert view.decide(Decision("steps", value, {})) == value
    assert first.decide(Decision("passes", 1, {})) == 1
    noted = [(decision.what, decision.value) for decision in decisions]
    assert noted == [("steps", 1), ("steps", 2), ("steps", 1), ("passes", 1)]
