"""The lattice Gaussian: right scale, right distribution, no draw used twice."""

import math

import numpy as np
import opendp.prelude as dp
import pytest
from noise_scales import FALSE_ALARM, WRONG_FACTORS, accepts_scale
from scipy import stats

from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm._rows.blocks import _BLOCKS_OF_A_WORD, WORD_BITS, widen
from skdpgmm.privacy.accounting import Ledger, unit_factor
from skdpgmm.privacy.bounded_sum import MAX_BLOCK_ROWS, SUMMAND_BITS, parts
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.noise import (
    MAX_SIGMA,
    RESOLUTION_BITS,
    GaussianSource,
    add_lattice_gaussian,
    add_symmetric_gaussian,
)
from skdpgmm.privacy.records import MAX_ROWS, PrivateRecords


def noise_generator(seed=0):
    return GaussianSource(seed)


def vector_noise(sigma, n=2000, seed=0):
    zeros = np.zeros((2, n), np.int64)
    return add_lattice_gaussian(zeros, sigma, noise_generator(seed))


def symmetric_noise(sigma, shape=(5, 30, 30), seed=0):
    zeros = np.zeros((2, *shape), np.int64)
    return add_symmetric_gaussian(zeros, sigma, noise_generator(seed))


def diagonal_of(matrices):
    return np.diagonal(matrices, axis1=-2, axis2=-1)


def off_diagonal_of(matrices):
    rows, cols = np.triu_indices(matrices.shape[-1], k=1)
    return matrices[..., rows, cols]


# --------------------------------------------------------------------------
# Scale
# --------------------------------------------------------------------------

SIGMAS = [
    30.0,
    12345.678,
    2.0**20,
    2.0**24 * 1.01,
    2.0**40 / 3.0,
    2.0**55.9,
    2.0**70,
    MAX_SIGMA,
]


@pytest.mark.parametrize("sigma", SIGMAS)
def test_vector_scale(sigma):
    noise = vector_noise(sigma)
    assert accepts_scale(noise, sigma)
    for factor in WRONG_FACTORS:
        assert not accepts_scale(noise, factor * sigma)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize(
    ("entries", "ratio"), [(diagonal_of, 1.0), (off_diagonal_of, math.sqrt(0.5))]
)
def test_symmetric_scale(sigma, entries, ratio):
    # The two kinds of entries apart, or one could make up for the other.
    noise = entries(symmetric_noise(sigma, (50, 12, 12)))
    assert accepts_scale(noise, ratio * sigma)
    for factor in WRONG_FACTORS:
        assert not accepts_scale(noise, factor * ratio * sigma)


def test_symmetric_noise_is_isometric():
    # In the Frobenius norm the energy is sigma^2 for each free coordinate.
    d, k, sigma = 20, 40, 1000.0
    energy = np.sum(symmetric_noise(sigma, (k, d, d)).astype(float) ** 2)
    free = k * d * (d + 1) // 2
    low, high = stats.chi2.ppf([FALSE_ALARM, 1.0 - FALSE_ALARM], free)
    assert low < energy / sigma**2 < high


@pytest.mark.parametrize(
    "unit", [("add-remove", 1), ("add-remove", 2), ("replace-one", 3)]
)
def test_release_has_the_scale_of_the_ledger(unit):
    """The noise that is drawn is the noise that was debited."""
    k, d, mu = 200, 6, 0.7
    query = CellMoments(
        Ball(np.zeros(d), 1.0),
        NearestCell(np.zeros((k, d)), np.arange(k)),
        np.zeros((k, d)),
        np.ones(k),
        ("count", "sum", "energy", "diag", "full"),
    )
    ledger = Ledger(mu * math.sqrt(len(parts(query))) * 1.01)
    records = PrivateRecords(
        # No record takes part: only noise is released.
        ArrayRows(np.zeros((1, d)), None, np.zeros(1, dtype=bool)),
        ledger=ledger,
        adjacency=unit[0],
        max_contributions=unit[1],
        source=noise_generator(),
    )
    releases = records.release("test", query, [mu] * len(parts(query)))
    for part, released, entry in zip(
        parts(query), releases, ledger.entries, strict=True
    ):
        value = released.value / part.scale
        sigma = part.l2_sensitivity * unit_factor(*unit, acute=part.acute) / mu
        assert entry.l2_sensitivity * entry.noise_multiplier == pytest.approx(sigma)
        assert np.allclose(released.sd, sigma * part.scale)
        if part.symmetric:
            samples = [(diagonal_of(value), 1.0), (off_diagonal_of(value), 0.5**0.5)]
        else:
            samples = [(value, 1.0)]
        for sample, ratio in samples:
            if sigma < 10:  # rounding to the grid adds a twelfth to the variance
                ratio = ratio * math.sqrt(1.0 + 1.0 / (12.0 * sigma**2))
            assert accepts_scale(sample, ratio * sigma)
            for factor in WRONG_FACTORS:
                assert not accepts_scale(sample, factor * ratio * sigma)


# --------------------------------------------------------------------------
# Distribution: OpenDP's discrete Gaussian as the oracle
# --------------------------------------------------------------------------


def oracle_noise(sigma, n):
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
    return np.array(dp.m.make_gaussian(*space, scale=sigma)([0] * n))


@pytest.mark.parametrize("sigma", [8.0, 40.0, 1e6])
def test_distribution_is_the_discrete_gaussian(sigma):
    # At these scales the two differ by less than 1 / (12 sigma^2) in variance,
    # far below what so many draws can tell.
    n = 15_000
    ours, oracle = vector_noise(sigma, n), oracle_noise(sigma, n)
    assert stats.ks_2samp(ours, oracle).pvalue > FALSE_ALARM
    for factor in WRONG_FACTORS:
        assert stats.ks_2samp(vector_noise(factor * sigma, n), oracle).pvalue < 1e-12
    # The same by counts, which sees atoms and gaps that KS averages over.
    edges = np.unique(np.rint(np.quantile(oracle, np.linspace(0, 1, 20)[1:-1])))
    table = [np.bincount(np.searchsorted(edges, x)) for x in (ours, oracle)]
    assert stats.chi2_contingency(np.array(table)).pvalue > FALSE_ALARM
    step = 2 ** max(0, math.ceil(math.log2(sigma)) - RESOLUTION_BITS)
    assert stats.binomtest(int(np.sum(ours // step % 2)), n).pvalue > FALSE_ALARM


def test_tails_reach_as_far_as_they_should():
    n, sigma = 200_000, 1000.0
    noise = vector_noise(sigma, n)
    for t in (2.0, 3.0, 4.0):
        p = stats.norm.sf(t)
        for count in (np.sum(noise > t * sigma), np.sum(noise < -t * sigma)):
            assert stats.binomtest(int(count), n, p).pvalue > FALSE_ALARM


class Comb:
    """Draws of one value, far out in the tail, then of a generator."""

    def __init__(self, value):
        self.value, self.generator = value, np.random.default_rng(0)
        self.n_calls = 0

    def standard_normal(self, shape):
        self.n_calls += 1
        if self.n_calls == 1:
            return np.full(shape, self.value)
        return self.generator.standard_normal(shape)


def test_gaps_in_the_tail_are_filled():
    # numpy's draws near 11 standard deviations are 2**-16 apart: 16 cells of the
    # lattice. A second draw spreads each over many.
    source = GaussianSource(0)
    source._generator = Comb(11.0)
    sigma = 2.0**RESOLUTION_BITS
    noise = add_lattice_gaussian(np.zeros((2, 5000), np.int64), sigma, source)
    assert source._generator.n_calls == 2
    spread = noise / sigma - 11.0 * math.sqrt(1.0 - 2.0**-16)
    assert accepts_scale(spread, 2.0**-8)


def test_draws_are_standard_normal():
    draws = GaussianSource(0).standard_normal(200_000)
    assert accepts_scale(draws, 1.0)
    assert stats.kstest(draws, "norm").pvalue > FALSE_ALARM


# --------------------------------------------------------------------------
# Lattice
# --------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [1e-300, 0.3, 1.0, 2.0**RESOLUTION_BITS])
def test_small_noise_is_on_the_integers(sigma):
    for noisy in (vector_noise(sigma), symmetric_noise(sigma)):
        np.testing.assert_array_equal(noisy, np.rint(noisy))
    if sigma >= 1.0:
        odd = np.mean(vector_noise(sigma) % 2)
        assert 0.3 < odd < 0.7  # and on no coarser lattice


@pytest.mark.parametrize(
    "sigma", [2.0**RESOLUTION_BITS + 1.0, 2.0**30, 2.0**41.5, 2.0**55.5, 2.0**80]
)
def test_large_noise_is_on_a_coarse_lattice(sigma):
    step = 2 ** (math.ceil(math.log2(sigma)) - RESOLUTION_BITS)
    assert sigma / step <= 2.0**RESOLUTION_BITS < 2.0 * sigma / step * 1.000001
    # Whatever the exact sum is: its low bits must not show.
    rng = np.random.default_rng(0)
    exact = rng.integers(-(2**52), 2**52, size=2000)
    noisy = add_lattice_gaussian(widen(exact), sigma, noise_generator())
    assert np.all(noisy % step == 0)
    assert np.any(noisy % (2 * step) != 0)
    assert accepts_scale(noisy - exact, sigma)
    half = sigma * math.sqrt(0.5)
    off_step = 2 ** max(0, math.ceil(math.log2(half)) - RESOLUTION_BITS)
    matrices = add_symmetric_gaussian(
        widen(exact.reshape(20, 10, 10)), sigma, noise_generator()
    )
    assert np.all(diagonal_of(matrices) % step == 0)
    assert np.all(off_diagonal_of(matrices) % off_step == 0)


@pytest.mark.parametrize("exponent", [12, 13, 40, 88])
def test_step_is_what_the_proof_says(exponent):
    """Section 6: the power of two with sigma / step at most 2**12, up to 2**88."""
    noisy = vector_noise(2.0**exponent)
    step = 2.0 ** (exponent - 12)
    assert np.all(noisy % step == 0.0)
    assert np.any(noisy % (2.0 * step) != 0.0)


def test_words_are_as_long_as_the_proof_needs():
    """Lemma 4: no sum of float64 reaches 2**53, and none of int64 overflows."""
    block = MAX_BLOCK_ROWS * 2**SUMMAND_BITS
    assert block < 2**53
    assert _BLOCKS_OF_A_WORD * block < 2**63
    # Low words, of one row at least, and high ones, with those of the noise.
    assert MAX_ROWS * 2**WORD_BITS <= 2**62
    assert MAX_ROWS * 2**SUMMAND_BITS / 2**WORD_BITS < 2**37
    assert 16 * MAX_SIGMA / 2**WORD_BITS <= 2**61


@pytest.mark.parametrize("sigma", [0.0, 3.0, 2.0**RESOLUTION_BITS, 2.0**40])
def test_noise_does_not_depend_on_the_sum(sigma):
    step = 2 ** max(0, math.ceil(math.log2(max(sigma, 1.0))) - RESOLUTION_BITS)
    exact = np.random.default_rng(1).integers(-(2**40), 2**40, size=(3, 4, 4))
    exact = (exact + exact.swapaxes(1, 2)) * step
    for add in (add_lattice_gaussian, add_symmetric_gaussian):
        moved = add(widen(exact), sigma, noise_generator(5))
        still = add(widen(np.zeros_like(exact)), sigma, noise_generator(5))
        np.testing.assert_array_equal(moved - still, exact)


def test_symmetric_reads_the_upper_triangle_only():
    exact = np.random.default_rng(2).integers(-1000, 1000, size=(3, 6, 6))
    garbage = exact + np.tril(np.full((6, 6), 10**9), k=-1)
    a = add_symmetric_gaussian(widen(exact), 5.0, noise_generator())
    b = add_symmetric_gaussian(widen(garbage), 5.0, noise_generator())
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(a, a.swapaxes(-1, -2))


def test_zero_sigma_is_exact():
    exact = np.arange(-8, 8).reshape(4, 4)
    exact = exact + exact.T
    for add in (add_lattice_gaussian, add_symmetric_gaussian):
        noisy = add(widen(exact), 0.0, None)  # from which nothing can be drawn
        np.testing.assert_array_equal(noisy, exact)


@pytest.mark.parametrize("sigma", [2.0**89, 1e300, math.inf, math.nan, -0.5])
def test_huge_sigma_is_refused(sigma):
    with pytest.raises(OverflowError, match="sigma"):
        add_lattice_gaussian(np.zeros((2, 2), np.int64), sigma, noise_generator())


@pytest.mark.parametrize("sigma", [0.0, 1.0, 1e6, 2.0**40, 2.0**55.5])
def test_how_a_sum_is_split_into_words_does_not_show(sigma):
    rng = np.random.default_rng(3)
    exact = rng.integers(-(2**52), 2**52, size=500)
    carried = rng.integers(0, 2**20, size=500)
    words = widen(exact)
    others = words + np.stack([-carried, carried << WORD_BITS])
    for add in (add_lattice_gaussian, add_symmetric_gaussian):
        a, b = (
            add(split.reshape(2, 5, 10, 10), sigma, noise_generator())
            for split in (words, others)
        )
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.0**40, 2.0**55.5])
def test_sums_beyond_one_word(sigma):
    small = np.arange(-500, 500) * 2**36
    factor = 2**37  # the sums are up to 2**82
    words = widen(small) * factor
    still = add_lattice_gaussian(words * 0, sigma, noise_generator())
    moved = add_lattice_gaussian(words, sigma, noise_generator())
    expected = small * float(factor) + still
    np.testing.assert_allclose(moved, expected, rtol=2.0**-52)


class Fixed:
    """A source of which the normals are known."""

    def __init__(self, normals):
        self.normals = normals

    def standard_normal(self, shape):
        return self.normals.reshape(shape)


@pytest.mark.parametrize("sigma", [0.3, 1e6, 2.0**45, 2.0**60, 2.0**85])
def test_noisy_sums_are_rounded_to_the_nearest_multiple_of_a_power_of_two(sigma):
    rng = np.random.default_rng(0)
    exact, normals = rng.integers(-(2**60), 2**60, 50), rng.standard_normal(50)
    found = add_lattice_gaussian(widen(exact), sigma, Fixed(normals))
    step = 2 ** max(0, math.ceil(math.log2(sigma)) - RESOLUTION_BITS)
    for noisy, total, normal in zip(found, exact, normals, strict=True):
        unrounded = int(total) + int(np.rint(sigma * normal))
        assert noisy == float((unrounded + step // 2) // step * step)
