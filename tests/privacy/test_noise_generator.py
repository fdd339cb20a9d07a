"""The generator of the noise is AES with 128 bits of key from the operating system."""

import copy
import hashlib
import math
import os
import pickle
import secrets
import warnings

import numpy as np
import pytest
from private_fits import fit, make_data, release_cases
from randomgen import AESCounter

from skdpgmm._estimators.randomness import generator_of, make_keys
from skdpgmm.privacy import noise
from skdpgmm.privacy import records as core
from skdpgmm.privacy.noise import GaussianSource, derive_key, make_generator

CASES = sorted(release_cases(3))
ALL_ONES = 2**128 - 1


def block(key, plain):
    """Encrypt one block by the bit generator, from and to hexadecimal digits."""
    key, counter = (int.from_bytes(bytes.fromhex(x), "little") for x in (key, plain))
    words = AESCounter(key=key, counter=counter).random_raw(2)
    return words.astype("<u8").tobytes().hex()


@pytest.mark.parametrize(
    ("key", "plain", "cipher"),
    [
        # FIPS 197, appendix C.1
        (
            "000102030405060708090a0b0c0d0e0f",
            "00112233445566778899aabbccddeeff",
            "69c4e0d86a7b0430d8cdb78070b4c55a",
        ),
        # NIST SP 800-38A, F.1.1 and the first output block of F.5.1
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            "6bc1bee22e409f96e93d7e117393172a",
            "3ad77bb40d7a3660a89ecaf32466ef97",
        ),
        (
            "2b7e151628aed2a6abf7158809cf4f3c",
            "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
            "ec8cdf7398607cb0f2d21675ea9ea1e4",
        ),
    ],
)
def test_known_answers_of_aes(key, plain, cipher):
    assert block(key, plain) == cipher


def test_every_block_is_of_the_next_counter():
    stream = AESCounter(key=7).random_raw(2 * 50)
    blocks = [AESCounter(key=7, counter=i).random_raw(2) for i in range(50)]
    np.testing.assert_array_equal(stream, np.concatenate(blocks))


def key_of(generator):
    """Return the key in use: the first round key of AES is the key itself."""
    state = generator.bit_generator.state
    assert state["bit_generator"].endswith("AESCounter")
    low, high = state["s"]["seed"][:2]
    return int(high) << 64 | int(low)


def test_the_key_in_use_can_be_read():
    for key in (1, 2**127 + 5, ALL_ONES):
        assert key_of(np.random.Generator(AESCounter(key=key))) == key


@pytest.fixture
def asked(monkeypatch):
    """How many bits are asked of the operating system; all of them are ones then."""
    numbers = []

    def randbits(n):
        numbers.append(n)
        return 2**n - 1 - (len(numbers) - 1)

    monkeypatch.setattr(secrets, "randbits", randbits)
    return numbers


def test_a_key_is_all_of_128_random_bits(asked):
    source = GaussianSource()
    assert asked == [128]
    assert key_of(source._generator) == ALL_ONES
    assert key_of(make_generator(None, "public")) == ALL_ONES - 1
    assert asked == [128, 128]


@pytest.mark.parametrize("state", [None, np.random.RandomState(0)])
@pytest.mark.parametrize("name", CASES)
def test_noise_of_a_fit_has_a_key_of_the_operating_system(
    name, state, asked, monkeypatch
):
    sources = []
    for function in ("add_lattice_gaussian", "add_symmetric_gaussian"):
        add = getattr(core, function)

        def watched(exact, sigma, source, add=add):
            sources.append(source)
            return add(exact, sigma, source)

        monkeypatch.setattr(core, function, watched)
    constructor, labelled = release_cases(3)[name]
    X, y = make_data(100, 3)
    fit(constructor(random_state=state), X, y, labelled)
    assert set(asked) == {128}
    assert {type(source) for source in sources} == {GaussianSource}
    # One for all releases of a fit, also of a step of a pipeline; a search has one for
    # each fit and each score.
    n_steps = {"pipeline": 2, "pipeline-scaled": 3}.get(name, 1)
    assert len(set(sources)) == n_steps or name.startswith("search")
    keys = [key_of(source._generator) for source in set(sources)]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= {ALL_ONES - i for i in range(len(asked))}


def test_noise_is_of_the_cipher_alone(monkeypatch):
    """The draws are those of a generator with the key, in order, and of no other."""
    monkeypatch.setattr(noise.secrets, "randbits", lambda n: 12345)
    source = GaussianSource()
    plain = np.random.Generator(AESCounter(key=12345))
    for shape in (4, (2, 3), ()):
        a, b = plain.standard_normal(shape), plain.standard_normal(shape)
        expected = noise._COS * a + noise._SIN * b
        np.testing.assert_array_equal(source.standard_normal(shape), expected)
    assert noise._COS**2 + noise._SIN**2 == pytest.approx(1.0, abs=1e-15)


def test_two_sources_have_nothing_in_common():
    sources = [GaussianSource() for _ in range(4)]
    assert len({key_of(source._generator) for source in sources}) == 4
    drawn = np.concatenate([source.standard_normal(1000) for source in sources])
    assert len(np.unique(drawn)) == len(drawn)


def test_seeds_are_reproducible():
    def streams(seed):
        return both(seed, seeded=True)

    for a, b in zip(streams(7), streams(7), strict=True):
        np.testing.assert_array_equal(draws(a), draws(b))
    for a, b in zip(streams(7), streams(8), strict=True):
        assert not np.intersect1d(draws(a), draws(b)).size


def test_noise_that_is_not_seeded_does_not_follow_from_the_entropy():
    (noise, public), (other, same) = (both(7, seeded=False) for _ in range(2))
    assert not np.intersect1d(draws(noise), draws(other)).size
    np.testing.assert_array_equal(draws(public), draws(same))


PURPOSES = ("noise", "public", "sampling")


def test_every_purpose_has_a_key_of_its_own():
    keys = [derive_key(seed, p) for seed in (0, 1, 2**127) for p in PURPOSES]
    keys += [derive_key(None, p) for p in PURPOSES for _ in range(2)]
    assert len(set(keys)) == 9 + 6
    assert all(0 <= key < 2**128 for key in keys)
    # Of all bits: what comes from the system is not short.
    assert max(derive_key(None, "noise").bit_length() for _ in range(64)) == 128


def test_keys_are_hashes():
    """Known answer: blake2b is one-way, so that a key tells nothing of its entropy."""
    digest = hashlib.blake2b(b"5", digest_size=16, person=b"sampling").digest()
    assert derive_key(5, "sampling") == int.from_bytes(digest, "little")


def test_a_source_cannot_be_copied():
    for copying in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="must not be copied"):
            copying(GaussianSource())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_noise_after_a_fork_is_refused():
    source = GaussianSource()
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forks while there are threads
        child = os.fork()
    if not child:
        try:
            source.standard_normal(1)
            os.write(write, b"drawn")
        except RuntimeError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert "forked during a fit" in pipe.read()
    source.standard_normal(1)  # the process that fits goes on


@pytest.mark.parametrize("seed", [0, None])
def test_noise_and_public_streams_differ(seed):
    # Public randomness is published; the noise must not follow from it.
    streams = both(seed, seeded=seed is not None)
    noise, public = (draws(g, 5000) for g in streams)
    assert not np.intersect1d(noise, public).size
    assert abs(np.corrcoef(noise, public)[0, 1]) < 6.5 / math.sqrt(5000)


def test_no_seed_means_fresh_entropy():
    streams = []
    for _ in range(2):
        np.random.seed(0)  # noqa: NPY002 - anybody may do this to a process
        streams += [draws(g) for g in both(None, seeded=False)]
    assert len(np.unique(np.concatenate(streams))) == 4 * 500


def both(entropy, seeded):
    source, public_key = make_keys(entropy, seeded)
    return source, generator_of(public_key)


def draws(generator, n=500):
    return generator.standard_normal(n)
