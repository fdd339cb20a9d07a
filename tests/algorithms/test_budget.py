"""Shares of budgets stand in one file, with reasons, and never add up to more."""

import ast
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skdpgmm
from skdpgmm._algorithms import budget as module
from skdpgmm._algorithms.budget import Budget, codebook_levels, soft_pass
from skdpgmm._models.covariances import COVARIANCES
from skdpgmm.privacy.accounting import compose_mu

SOURCE = Path(module.__file__).read_text().splitlines()
TREE = ast.parse("\n".join(SOURCE))
REASONS = ("measured", "derived", "not argued")
# Where split_mu is made, and where it is used.
MAY_SPLIT = {"budget.py", "accounting.py"}


def tables():
    """Yield every table of shares with its name."""
    for name, table in vars(module).items():
        if name.isupper() and isinstance(table, dict):
            nested = any(isinstance(value, dict) for value in table.values())
            for key, shares in table.items() if nested else [(name, table)]:
                yield pytest.param(shares, id=f"{name} {key}")


def comment_above(line):
    """Return the comment above a line, or above those right before it."""
    above = []
    while line > 1 and SOURCE[line - 2].strip() not in ("", "START = {"):
        line -= 1
        if SOURCE[line - 1].strip().startswith("#"):
            above.append(SOURCE[line - 1])
        elif above:
            break
    return " ".join(above).lower()


@pytest.mark.parametrize("shares", [*tables()])
def test_shares_add_up_to_one(shares):
    assert all(share >= 0.0 for share in shares.values())
    assert math.fsum(shares.values()) == pytest.approx(1.0, abs=1e-12)
    # More, by rounding alone, would make all of them smaller.
    assert math.fsum(shares.values()) <= 1.0


@pytest.mark.parametrize("kind", COVARIANCES)
@pytest.mark.parametrize("d", [1, 2, 32, 1000])
@pytest.mark.parametrize("rho", [0.1, 1.0, 30.0])
def test_shares_of_a_soft_pass(kind, d, rho):
    shares = soft_pass(COVARIANCES[kind], d, rho)
    assert list(shares) == ["counts", "sums", "moments"]
    assert math.fsum(shares.values()) == pytest.approx(1.0, abs=1e-12)
    assert min(shares.values()) >= 0.03


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_shares_of_levels(n):
    shares = list(codebook_levels(n).values())
    assert len(shares) == n
    assert math.fsum(shares) == pytest.approx(1.0, abs=1e-12)
    assert all(b == pytest.approx(1.6 * a) for a, b in pairwise(shares))


def test_every_number_has_a_reason():
    numbers = [node for node in TREE.body if isinstance(node, ast.Assign)]
    assert len(numbers) > 20
    places = {ast.unparse(node.targets[0]): node.lineno for node in numbers}
    (start,) = (node.value for node in numbers if "START" == node.targets[0].id)
    places |= {key.value: key.lineno for key in start.keys}
    del places["START"]  # its rows have one each
    for name, line in places.items():
        assert any(word in comment_above(line) for word in REASONS), name
    for node in TREE.body:
        if isinstance(node, ast.FunctionDef) and node.name != "part_costs":
            text = ast.get_docstring(node).lower()
            assert any(word in text for word in REASONS), node.name


def is_table(node):
    """Whether a literal looks like a table of shares."""
    if not isinstance(node, ast.Dict) or not node.keys:
        return False
    names = all(isinstance(key, ast.Constant) for key in node.keys)
    values = [v.value for v in node.values if isinstance(v, ast.Constant)]
    shares = [v for v in values if isinstance(v, float) and 0.0 <= v <= 1.0]
    return names and len(shares) > 0 and len(shares) == len(values)


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted(Path(skdpgmm.__file__).parent.rglob("*.py"))
        if path.name not in MAY_SPLIT
    ],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_budgets_are_cut_nowhere_else(path):
    for node in ast.walk(ast.parse(path.read_text())):
        assert not is_table(node), ast.unparse(node)
        used = getattr(node, "id", None), getattr(node, "attr", None)
        assert "split_mu" not in used


def test_a_table_elsewhere_would_be_found():
    assert is_table(ast.parse('{"ball": 0.05, "rest": 1.0 - share}').body[0].value)
    assert not is_table(ast.parse('{"n_init": 3}').body[0].value)


MUS = st.floats(1e-6, 1e6)
SHARES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)


@given(MUS, SHARES, st.integers(1, 500))
def test_parts_never_compose_to_more(mu, weights, n):
    total = math.fsum(weights) or 1.0
    shares = {str(i): weight / total for i, weight in enumerate(weights)}
    parts = Budget(mu).parts(shares)
    assert [*Budget(mu).split(shares).values()] == parts
    assert compose_mu(part.mu for part in parts) <= mu
    assert all(bool(part) == (part.mu > 0.0) for part in parts)
    # Whatever is cut again.
    again = [p.mu for part in parts if part for p in [part.each(n)] * n]
    assert compose_mu(again) <= mu
    # Nothing that matters is lost.
    assert compose_mu(part.mu for part in parts) >= mu * 0.999999 or not any(weights)


def test_without_noise():
    budgets = Budget(math.inf).split({"a": 0.25, "b": 0.75, "none": 0.0})
    assert budgets["a"].mu == budgets["b"].mu == math.inf
    assert not budgets["none"]
    assert Budget(math.inf).each(3).mu == math.inf


def test_shares_of_more_than_all_are_refused():
    with pytest.raises(ValueError, match="at most 1"):
        Budget(1.0).split({"a": 0.7, "b": 0.4})
    with pytest.raises(ValueError, match="non-negative"):
        Budget(1.0).split({"a": -0.1})
