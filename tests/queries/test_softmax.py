"""Errors of a softmax classifier: the gradient, and as long as is stated."""

import math

import numpy as np
import pytest
from private_queries import (
    LENGTHS,
    MARGIN,
    axis,
    change,
    exact_sums,
    squared_distance,
    whole_ball,
)
from scipy.special import log_softmax

from skdpgmm._queries.softmax import CONSTANT, SoftmaxErrors
from skdpgmm.privacy.bounded_sum import Block, exact, parts


@pytest.mark.parametrize("d", [1, 5, 40])
def test_gradient_attains(d):
    # Errors are longer than the clip norm as long as the weights are zero.
    query = SoftmaxErrors(whole_ball(d), np.zeros((3, d + 1)), 0.5, ("sum", "count"))
    for length in LENGTHS[1:]:
        ratios = change(query, axis(d, length, d - 1))
        assert MARGIN < ratios["gradient"] <= 1.0
        assert MARGIN < ratios["errors"] <= 1.0
    plus, minus = (exact_sums(query, axis(d, s), np.zeros(1))[0] for s in (1, -1))
    replaced = math.sqrt(squared_distance(plus, minus))
    assert 2.0 * MARGIN < replaced / parts(query)[0].l2_sensitivity <= 2.0


def test_errors_attain():
    # All probability on a class that is not the record's.
    weights = np.zeros((3, 5))
    weights[1, -1] = 1e4
    query = SoftmaxErrors(whole_ball(4), weights)
    assert MARGIN < change(query, axis(4, 0.5))["errors"] <= 1.0
    right, wrong = (exact_sums(query, axis(4, 0.5), np.array([c]))[0] for c in (1, 0))
    assert not right.any()
    found = wrong * parts(query)[0].scale
    assert np.allclose(found, [-1.0, 1.0, 0.0], atol=1e-3)


def test_gradient_is_that_of_the_cross_entropy():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 4)) / 10.0, rng.integers(3, size=200)
    W = rng.standard_normal((3, 5))
    query = SoftmaxErrors(whole_ball(4), W, 2.0, ("sum", "count"))  # clips nothing
    units = [part.scale for part in parts(query)]
    gradient, errors = (
        a * b for a, b in zip(exact(query, Block(X, y)), units, strict=True)
    )
    found = np.column_stack([gradient, CONSTANT * errors])

    def loss(W):
        scores = X @ W[:, :-1].T + 0.1 * W[:, -1]
        return -np.sum(log_softmax(scores, axis=1)[np.arange(200), y])

    step = 1e-5
    for index in np.ndindex(W.shape):
        shift = np.zeros_like(W)
        shift[index] = step
        slope = (loss(W + shift) - loss(W - shift)) / (2.0 * step)
        assert abs(found[index] - slope) < 0.01
