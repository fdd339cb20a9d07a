"""Faults of accounting, sensitivities and clipping."""

from benchmarks.faults.patches import Fault

ACCOUNTING = "privacy/accounting.py"
SUMS = "privacy/bounded_sum.py"
GRID = "privacy/grid.py"

FAULTS = (
    Fault(
        "replace-one is treated as add-remove",
        ACCOUNTING,
        '_SQUARED = {"add-remove": 1, "replace-one": 4}',
        '_SQUARED = {"add-remove": 1, "replace-one": 1}',
        ("privacy/test_accounting.py::test_unit_factor",),
        (
            "pca-replace",
            "logistic-replace",
        ),
    ),
    Fault(
        "a person counts as one record",
        ACCOUNTING,
        "factor = math.sqrt(squared) * int(max_contributions)",
        "factor = math.sqrt(squared)",
        ("privacy/test_accounting.py::test_unit_factor",),
        ("pca-persons",),
    ),
    Fault(
        "shares are rounded up",
        ACCOUNTING,
        "_ROUND_DOWN = 1.0 - 1e-12",
        "_ROUND_DOWN = 1.0 + 1e-12",
        ("privacy/test_accounting.py::test_split_never_exceeds",),
    ),
    Fault(
        "the ledger lets one percent more through",
        ACCOUNTING,
        "if not compose_mu(e.mu for e in [*self.entries, *entries]) <= self.mu:",
        "if not compose_mu(e.mu for e in [*self.entries, *entries]) <= 1.01 * self.mu:",
        (
            "privacy/test_accounting.py::test_ledger_refuses_overspending",
            "privacy/test_accounting.py::test_ledger_accepts_a_generator_and_an_exact_fit",
        ),
        (),
    ),
    Fault(
        "composition is by the largest release",
        ACCOUNTING,
        "return math.hypot(*mus)",
        "return max([0.0, *mus])",
        (
            "privacy/test_accounting.py::test_ledger_refuses_overspending",
            "privacy/test_accounting.py::test_report_adds_up",
        ),
    ),
    Fault(
        "delta is ignored",
        ACCOUNTING,
        "    epsilon, delta = check_epsilon(epsilon), _check_delta(delta)\n"
        "    if math.isinf(epsilon):",
        "    epsilon, delta = check_epsilon(epsilon), 1e-2\n"
        "    if math.isinf(epsilon):",
        ("privacy/test_accounting.py::test_calibration_inverts_and_never_exceeds",),
    ),
    Fault(
        "the sensitivity is halved",
        SUMS,
        "shape, 2.0**bits, query.unit(name), n_axes == 2)",
        "shape, 2.0 ** (bits - 1), query.unit(name), n_axes == 2)",
        ("queries/test_cells.py::test_cells_attain",),
    ),
    Fault(
        "a sum is said to have the sensitivity of a count",
        SUMS,
        "bits = weight_bits + degree * vector_bits",
        "bits = weight_bits + max(degree - 1, 0) * vector_bits",
        ("queries/test_cells.py::test_cells_attain",),
    ),
    Fault(
        "sums of vectors are said to be acute",
        SUMS,
        "degree % 2 == 0",
        "degree < 3",
        ("privacy/test_bounded_sum.py::test_the_distance_of_two_records_is_attained",),
        ("kmeans-replace",),
    ),
    Fault(
        "weights are not verified",
        SUMS,
        "    return xp.where(inside[:, None], e, xp.zeros_like(e))\n"
        "\n"
        "\n"
        "def _verified_points",
        "    return e\n\n\ndef _verified_points",
        ("privacy/test_bounded_sum.py::test_no_map_exceeds_the_bound",),
        (),
    ),
    Fault(
        "weights bounded in l2 are rounded, and not clipped",
        SUMS,
        "return clip_round(e, bits, on)",
        "return xp.round(e)",
        ("privacy/test_bounded_sum.py::test_no_map_exceeds_the_bound",),
        (),
    ),
    Fault(
        "grid points of a row source are not verified",
        SUMS,
        "    if xp.all(inside):\n        return e, G\n    inside =",
        "    if True:\n        return e, G\n    inside =",
        ("privacy/test_bounded_sum.py::test_points_that_are_held_are_verified",),
        (),
    ),
    Fault(
        "pooled sums of weights bounded in l2 are answered",
        SUMS,
        "if pooled and not not_negative:",
        "if pooled and not norm:",
        (
            "privacy/test_bounded_sum.py::test_pooled_moments_of_weights_that_are_bounded_in_l2_only",
        ),
        (),
    ),
    Fault(
        "a summand depends on its neighbours",
        "_queries/softmax.py",
        "errors -= xp.max(errors, axis=0)",
        "errors -= xp.mean(errors)",
        ("queries/test_rows_alone.py",),
        ("logistic",),
    ),
    Fault(
        "the norm is checked against twice the bound",
        GRID,
        "over = ~(integer_norms(out, xp) <= 4.0**bits)",
        "over = ~(integer_norms(out, xp) <= 4.0 ** (bits + 1))",
        ("privacy/test_grid.py::test_clip_round_on_the_boundary",),
    ),
    Fault(
        "the norm is checked before it is rounded",
        GRID,
        "over = ~(integer_norms(out, xp) <= 4.0**bits)",
        "over = ~(integer_norms(V, xp) <= 4.0**bits)",
        ("privacy/test_grid.py",),
    ),
    Fault(
        "what does not come under the bound stays",
        GRID,
        "            W[~(integer_norms(W, xp) <= 4.0**bits)] = 0.0\n",
        "",
        ("privacy/test_grid.py",),
        (),
    ),
    Fault(
        "a row at the end of a block is counted twice",
        GRID,
        "slice(start, min(start + size, n_rows))",
        "slice(start, min(start + size + 1, n_rows))",
        (
            "rows/test_arrays.py",
            "rows/test_blocks.py::test_sums_of_any_number_of_rows_are_exact",
        ),
        ("pca-blocks",),
    ),
)
