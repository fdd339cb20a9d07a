"""Faults of noise and its generator, and of a release."""

from benchmarks.faults.patches import Fault

NOISE = "privacy/noise.py"
RECORDS = "privacy/records.py"

FAULTS = (
    Fault(
        "the unit factor does not reach the noise",
        RECORDS,
        "part.l2_sensitivity * factors[part.acute],",
        "part.l2_sensitivity,",
        ("privacy/test_noise.py::test_release_has_the_scale_of_the_ledger",),
        ("pca-persons",),
    ),
    Fault(
        "the noise is halved",
        RECORDS,
        "sigma = entry.l2_sensitivity / entry.mu",
        "sigma = 0.5 * entry.l2_sensitivity / entry.mu",
        ("privacy/test_noise.py::test_release_has_the_scale_of_the_ledger",),
    ),
    Fault(
        "off-diagonal noise is halved once more",
        NOISE,
        "exact[..., rows, cols], sigma / math.sqrt(2.0), generator",
        "exact[..., rows, cols], sigma / (2.0 * math.sqrt(2.0)), generator",
        (
            "privacy/test_noise.py::test_symmetric_scale",
            "privacy/test_noise.py::test_symmetric_noise_is_isometric",
        ),
    ),
    Fault(
        "the high word gets no noise",
        NOISE,
        "high = high + noise_high.astype(np.int64) + (half >> WORD_BITS)",
        "high = high + (half >> WORD_BITS)",
        (
            "privacy/test_noise.py::test_vector_scale",
            "privacy/test_noise.py::test_sums_beyond_one_word",
        ),
    ),
    Fault(
        "noise is cut at one and a half standard deviations",
        NOISE,
        "noise = np.rint(sigma * generator.standard_normal(high.shape))",
        "noise = sigma * generator.standard_normal(high.shape)\n"
        "        noise = np.rint(np.clip(noise, -1.5 * sigma, 1.5 * sigma))",
        (
            "privacy/test_noise.py::test_vector_scale",
            "privacy/test_noise.py::test_distribution_is_the_discrete_gaussian",
        ),
    ),
    Fault(
        "noise of less than three grid steps is left out",
        NOISE,
        "    if sigma != 0.0:\n",
        "    if sigma > 3.0:\n",
        (
            "privacy/test_noise.py::test_vector_scale",
            "privacy/test_noise.py::test_distribution_is_the_discrete_gaussian",
            "privacy/test_noise.py::test_small_noise_is_on_the_integers",
        ),
        (),
    ),
    Fault(
        "low bits of a release are kept",
        NOISE,
        "    low = _clear_bits(low, min(shift, WORD_BITS))\n",
        "",
        ("privacy/test_noise.py::test_large_noise_is_on_a_coarse_lattice",),
        (),
    ),
    Fault(
        "the noise of all fits is the same",
        NOISE,
        'self._generator = make_generator(entropy, "noise")',
        'self._generator = make_generator(7, "noise")',
        (
            "privacy/test_noise_generator.py::test_noise_of_a_fit_has_a_key_of_the_operating_system",
            "privacy/test_noise_generator.py::test_two_sources_have_nothing_in_common",
        ),
    ),
    Fault(
        "a release has the noise of the one before it",
        NOISE,
        "        draw = self._generator.standard_normal\n",
        '        draw = make_generator(self._process, "noise").standard_normal\n',
        (
            "privacy/test_noise_generator.py::test_noise_is_of_the_cipher_alone",
            "contracts/test_randomness.py::test_every_number_released_has_a_draw_of_its_own",
        ),
    ),
    Fault(
        "noise comes from numpy's global generator",
        NOISE,
        'self._generator = make_generator(entropy, "noise")',
        "self._generator = np.random",
        (
            "privacy/test_noise_generator.py::test_noise_is_of_the_cipher_alone",
            "contracts/test_randomness.py::test_fits_without_seed_ignore_numpys_global_generator",
        ),
        (),
    ),
    Fault(
        "a key of the noise has 16 bits",
        NOISE,
        "return secrets.randbits(128)",
        "return secrets.randbits(16)",
        ("privacy/test_noise_generator.py::test_a_key_is_all_of_128_random_bits",),
        (),
    ),
    Fault(
        "noise and public randomness have one key",
        NOISE,
        "person=purpose.encode()",
        'person=b"noise"',
        ("privacy/test_noise_generator.py::test_every_purpose_has_a_key_of_its_own",),
        (),
    ),
    Fault(
        "a RandomState leads to the noise",
        "_estimators/randomness.py",
        "GaussianSource(entropy if seeded else None)",
        "GaussianSource(entropy)",
        (
            "contracts/test_randomness.py::test_a_random_state_instance_does_not_lead_to_the_noise",
        ),
        (),
    ),
    Fault(
        "the debit comes after the records were read",
        RECORDS,
        "            ledger.debit(entries)\n"
        "            with watch(name):\n"
        "                sums = exact_sums(rows, query)\n",
        "            with watch(name):\n"
        "                sums = exact_sums(rows, query)\n"
        "            ledger.debit(entries)\n",
        ("privacy/test_records.py",),
        (),
    ),
    Fault(
        "only the first part of a release is debited",
        RECORDS,
        "ledger.debit(entries)",
        "ledger.debit(entries[:1])",
        (
            "privacy/test_records.py",
            "privacy/test_noise.py::test_release_has_the_scale_of_the_ledger",
        ),
    ),
    Fault(
        "rows that change between passes are not noticed",
        RECORDS,
        "if found != [rows.n_records, rows.digest]:",
        "if not found:",
        ("rows/test_streams.py::test_what_happened_is_named",),
        (),
    ),
    Fault(
        "an error tells the exact number of records",
        RECORDS,
        "raise ValueError(CHANGED_ROWS)",
        'raise ValueError(f"{CHANGED_ROWS} It has {found[0]} records now.")',
        (
            "privacy/test_records.py::"
            "test_rows_that_changed_are_refused_in_the_same_words",
        ),
        (),
    ),
)
