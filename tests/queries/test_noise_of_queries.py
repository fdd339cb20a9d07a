"""Every cell of every query has noise of its own and of the right scale.

Whatever the records are: cells with some and cells with none.
"""

import math

import numpy as np
import pytest
from noise_scales import WRONG_FACTORS, accepts_scale
from private_fits import fit, make_data, release_cases
from private_queries import QUERIES, center_of, exact_sums, scale_of
from tapes import Tape, integers

from skdpgmm._rows.arrays import ArrayRows
from skdpgmm.privacy.accounting import Ledger, unit_factor
from skdpgmm.privacy.bounded_sum import parts
from skdpgmm.privacy.noise import GaussianSource
from skdpgmm.privacy.records import PrivateRecords

MU = 0.02
UNIT = {"adjacency": "replace-one", "max_contributions": 3}
# Entries by which a scale is judged.
ENOUGH = 500


def a_case(name, d=3):
    """Return a query with rows that leave some of its cells without records."""
    rng = np.random.default_rng(1)
    query = QUERIES[name](rng, d, 2)
    X = scale_of(query) * rng.standard_normal((5, d)) / math.sqrt(d)
    center = center_of(query)
    return query, np.ascontiguousarray(X + center), np.zeros(5, dtype=np.intp)


def entries_of(part, released):
    """Return a flat array of independent entries in units of the noise."""
    if not part.symmetric:
        return np.ravel(released)
    d = part.shape[-1]
    rows, cols = np.triu_indices(d)
    upper = released[..., rows, cols] * np.where(rows == cols, 1.0, math.sqrt(2.0))
    return np.ravel(upper)


def empty_entries(part, exact):
    """Which entries belong to a cell without records."""
    if part.shape[0] == 1 or part.name in ("gradient", "scatter"):
        return entries_of(part, np.zeros(part.shape)) != 0.0  # none
    of_cell = np.array([not np.any(cell) for cell in exact])
    whole = np.broadcast_to(of_cell.reshape(-1, *[1] * (exact.ndim - 1)), part.shape)
    return entries_of(part, whole.astype(float)) != 0.0


@pytest.mark.parametrize("name", QUERIES)
def test_every_cell_has_noise_of_the_stated_scale(name):
    query, X, codes = a_case(name)
    exact = [total.astype(float) for total in exact_sums(query, X, codes)]
    n_parts = len(parts(query))
    noise = [[] for _ in range(n_parts)]
    smallest = min(math.prod(part.shape) for part in parts(query))
    for seed in range(max(30, 2 * ENOUGH // smallest)):
        records = PrivateRecords(
            ArrayRows(X, codes),
            ledger=Ledger(1.0001 * MU * math.sqrt(n_parts)),
            **UNIT,
            source=GaussianSource(seed),
        )
        releases = records.release("test", query, [MU] * n_parts)
        for drawn, part, release, total in zip(
            noise, parts(query), releases, exact, strict=True
        ):
            drawn.append(entries_of(part, release.value / part.scale - total))
    # The parts of a release do not share their draws.
    first = np.array([np.array(drawn)[:, 0] for drawn in noise])
    assert np.all(np.abs(np.triu(np.atleast_2d(np.corrcoef(first)), k=1)) < 0.8)
    for part, drawn, total in zip(parts(query), noise, exact, strict=True):
        drawn = np.array(drawn)
        sigma = part.l2_sensitivity * unit_factor(**UNIT, acute=part.acute) / MU
        # No entry stands still, and no two move together.
        spread = drawn.std(axis=0) / sigma
        assert spread.min() > 0.3 and spread.max() < 2.0, part.name
        assert len(np.unique(drawn, axis=1)[0]) == drawn.shape[1]
        empty = empty_entries(part, total)
        for kind in (empty, ~empty):
            if not kind.any():
                continue
            sample = drawn[:, kind]
            assert accepts_scale(sample, sigma), part.name
            for factor in WRONG_FACTORS:
                if sample.size >= ENOUGH:
                    assert not accepts_scale(sample, factor * sigma), part.name


def test_there_are_cells_with_and_without_records():
    seen = set()
    for name in QUERIES:
        query, X, codes = a_case(name)
        for part, total in zip(parts(query), exact_sums(query, X, codes), strict=True):
            empty = empty_entries(part, total)
            if empty.any() and not empty.all():
                seen.add((type(query).__name__, part.name))
    for expected in (
        ("NormHistogram", "counts"),
        ("DistanceHistogram", "counts"),
        ("CellMoments", "counts"),
        ("CellMoments", "sums"),
        ("CellMoments", "energies"),
        ("CellMoments", "squares"),
        ("CellMoments", "scatters"),
        ("SoftMoments", "counts"),
        ("SoftMoments", "sums"),
        ("SoftMoments", "moments"),
    ):
        assert expected in seen


@pytest.mark.parametrize("d", [3, 40])
@pytest.mark.parametrize("name", sorted(release_cases(3)))
def test_all_noise_of_a_fit_has_the_scale_of_the_ledger(name, d, monkeypatch):
    tape = Tape(monkeypatch)
    tape.record()
    constructor, labelled = release_cases(d)[name]
    params = {"adjacency": "replace-one", "max_contributions": 2, "epsilon": 0.5}
    persons = np.arange(300)
    X, y = make_data(300, d)
    fit(constructor(random_state=0, **params), X, y, labelled, privacy_ids=persons)
    noise = []
    for call in tape.calls:
        pairs = zip(parts(call.query), call.entries, strict=True)
        for i, (part, entry) in enumerate(pairs):
            exact = integers(part, call.sums[i]).astype(float)
            sigma = entry.l2_sensitivity * entry.noise_multiplier
            noise.append(entries_of(part, call.noisy[i][1] - exact) / sigma)
    noise = np.concatenate(noise)
    assert accepts_scale(noise, 1.0)
    for factor in WRONG_FACTORS:
        if noise.size >= ENOUGH:
            assert not accepts_scale(noise, factor)
