"""The lattice Gaussian: right scale, right distribution, no draw used twice."""

import math

import numpy as np
import opendp.prelude as dp
import pytest
from scipy import stats

import skdpgmm._base
from skdpgmm import DPEmbeddingSynthesizer, DPGaussianMixture, DPKMeans
from skdpgmm._blocks import WORD_BITS, widen
from skdpgmm.privacy.accounting import Ledger
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.noise import (
    RESOLUTION_BITS,
    add_lattice_gaussian,
    add_symmetric_gaussian,
    make_generators,
)
from skdpgmm.privacy.records import PrivateRecords
from skdpgmm.privacy.rows import ArrayRows
from skdpgmm.privacy.sums import CellMoments, NearestCell

# Probability that a right scale or distribution is rejected. Seeds are fixed, so
# it matters for the oracle only, which cannot be seeded.
FALSE_ALARM = 1e-9
WRONG_FACTORS = [2.0 / 3.0, 3.0 / 2.0]


def accepts_scale(noise, sigma):
    """Whether a chi-square test accepts `noise` as centred with scale `sigma`."""
    noise = np.ravel(noise) / sigma
    energy = np.sum(noise**2)
    low, high = stats.chi2.ppf([FALSE_ALARM, 1.0 - FALSE_ALARM], len(noise))
    centred = abs(noise.sum()) < 6.5 * math.sqrt(len(noise))
    return bool(low < energy < high and centred)


def noise_generator(seed=0):
    return make_generators(seed)[0]


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

SIGMAS = [30.0, 12345.678, 2.0**20, 2.0**24 * 1.01, 2.0**40 / 3.0, 2.0**55.9]


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


@pytest.mark.parametrize("unit_factor", [1, 2, 6])
def test_release_has_the_scale_of_the_ledger(unit_factor):
    """The noise that is drawn is the noise that was debited."""
    k, d, mu = 200, 6, 0.7
    query = CellMoments(
        Ball(np.zeros(d), 1.0),
        NearestCell(np.zeros((k, d)), np.arange(k)),
        np.zeros((k, d)),
        np.ones(k),
        ("count", "sum", "energy", "diag", "full"),
    )
    ledger = Ledger(mu * math.sqrt(len(query.parts)) * 1.01)
    records = PrivateRecords(
        # No record takes part: only noise is released.
        ArrayRows(np.zeros((1, d)), None, np.zeros(1, dtype=bool)),
        ledger=ledger,
        unit_factor=unit_factor,
        generator=noise_generator(),
    )
    releases = records.release("test", query, [mu] * len(query.parts))
    for part, released, entry in zip(
        query.parts, releases, ledger.entries, strict=True
    ):
        value = released.value / part.scale
        sigma = part.l2_sensitivity * unit_factor / mu
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
    assert stats.binomtest(int(np.sum(ours % 2)), n).pvalue > FALSE_ALARM


def test_tails_reach_as_far_as_they_should():
    n, sigma = 200_000, 1000.0
    noise = vector_noise(sigma, n)
    for t in (2.0, 3.0, 4.0):
        p = stats.norm.sf(t)
        for count in (np.sum(noise > t * sigma), np.sum(noise < -t * sigma)):
            assert stats.binomtest(int(count), n, p).pvalue > FALSE_ALARM


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
    "sigma", [2.0**RESOLUTION_BITS + 1.0, 2.0**30, 2.0**41.5, 2.0**55.5]
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
        generator = noise_generator()
        before = str(generator.bit_generator.state)
        noisy = add(widen(exact), 0.0, generator)
        np.testing.assert_array_equal(noisy, exact)
        assert str(generator.bit_generator.state) == before


@pytest.mark.parametrize("sigma", [2.0**56, 1e300, math.inf, math.nan])
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


# --------------------------------------------------------------------------
# Randomness
# --------------------------------------------------------------------------


def draws(generator, n=500):
    return generator.standard_normal(n)


def test_seeds_are_reproducible():
    for a, b in zip(make_generators(7), make_generators(7), strict=True):
        np.testing.assert_array_equal(draws(a), draws(b))
    for a, b in zip(make_generators(7), make_generators(8), strict=True):
        assert not np.intersect1d(draws(a), draws(b)).size


@pytest.mark.parametrize("seed", [0, None])
def test_noise_and_public_streams_differ(seed):
    # Public randomness is published; the noise must not follow from it.
    noise, public = (draws(g, 5000) for g in make_generators(seed))
    assert not np.intersect1d(noise, public).size
    assert abs(np.corrcoef(noise, public)[0, 1]) < 6.5 / math.sqrt(5000)


def test_no_seed_means_fresh_entropy():
    streams = []
    for _ in range(2):
        np.random.seed(0)  # noqa: NPY002 - anybody may do this to a process
        streams += [draws(g) for g in make_generators(None)]
    assert len(np.unique(np.concatenate(streams))) == 4 * 500


@pytest.mark.parametrize(
    "estimator",
    [DPKMeans(2), DPGaussianMixture(2, max_iter=1), DPEmbeddingSynthesizer(1)],
)
def test_fits_without_seed_ignore_numpys_global_generator(estimator):
    # Far from the origin, so that no estimate is shrunk to exactly zero.
    X = np.random.default_rng(0).standard_normal((300, 2)) + 20.0
    fits = []
    for _ in range(2):
        np.random.seed(0)  # noqa: NPY002 - the user's habit must not fix the noise
        fitted = estimator.set_params(epsilon=10.0).fit(X)
        is_kmeans = isinstance(fitted, DPKMeans)
        fits.append(fitted.cluster_centers_ if is_kmeans else fitted.means_)
    assert not np.array_equal(*fits)


def test_shared_random_state_instance_moves_on():
    X = np.random.default_rng(0).standard_normal((300, 2))
    rng = np.random.RandomState(0)
    first, second = (DPKMeans(1, random_state=rng).fit(X) for _ in range(2))
    assert not np.intersect1d(first.cluster_centers_, second.cluster_centers_).size


class RecordingGenerator:
    """Hands out standard normals, which is all that noise may take, and keeps them."""

    def __init__(self, generator):
        self.generator = generator
        self.drawn = []

    def standard_normal(self, shape):
        values = self.generator.standard_normal(shape)
        self.drawn.append(np.ravel(values).copy())
        return values


@pytest.mark.parametrize(
    "estimator",
    [
        DPKMeans(3, random_state=0),
        DPGaussianMixture(3, random_state=0),
        DPEmbeddingSynthesizer(2, random_state=0, covariance_type="full"),
    ],
)
def test_every_number_released_has_a_draw_of_its_own(estimator, monkeypatch):
    noise, public = make_generators(0)
    recorder = RecordingGenerator(noise)
    monkeypatch.setattr(
        skdpgmm._base, "make_generators", lambda entropy: (recorder, public)
    )
    X = np.random.default_rng(0).standard_normal((500, 3))
    estimator.fit(X)
    drawn = np.concatenate(recorder.drawn)
    assert len(np.unique(drawn)) == len(drawn)
    needed = 0
    for entry in estimator.privacy_.ledger:
        n = math.prod(entry.shape)
        # Only matrices are symmetric: (d, d) or (k, d, d).
        if entry.shape[-2:] == (3, 3) and "sums" not in entry.name:
            n = n * 2 // 3  # d (d + 1) / 2 of d^2 entries
        needed += n
    assert len(drawn) == needed
