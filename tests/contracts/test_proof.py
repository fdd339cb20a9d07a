"""What Coq proves is of the numbers in the package, and of no others."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from proof.check import MISSING, check
from proof.constants import constants, text_of
from skdpgmm._rows import blocks
from skdpgmm.privacy import accounting, bounded_sum, grid, noise, records

ROOT = Path(__file__).parents[2]
needs_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason="Coq is not here")


def test_constants_are_those_of_the_package():
    found = constants()
    ratio = found.pop("ROUND_DOWN_num"), found.pop("ROUND_DOWN_den")
    assert ratio == accounting._ROUND_DOWN.as_integer_ratio()
    moments = {
        f"degree_{name}": one.degree for name, one in bounded_sum.MOMENTS.items()
    }
    squared = {
        "squared_add_remove": 1,
        "squared_replace_one": 4,
        "squared_acute_add_remove": 1,
        "squared_acute_replace_one": 2,
    }
    for name, value in squared.items():
        acute = "acute" in name
        adjacency = name.split("_", 2 if acute else 1)[-1].replace("_", "-")
        factor = accounting.unit_factor(adjacency, acute=acute)
        assert factor**2 == pytest.approx(value)
    assert found == moments | squared | {
        "GRID_BITS": grid.GRID_BITS,
        "EXACT_BITS": grid.EXACT_BITS,
        "NORM_BITS": grid.NORM_BITS,
        "SUMMAND_BITS": bounded_sum.SUMMAND_BITS,
        "MAX_BLOCK_ROWS": bounded_sum.MAX_BLOCK_ROWS,
        "WORD_BITS": noise.WORD_BITS,
        "RESOLUTION_BITS": noise.RESOLUTION_BITS,
        "LOW": noise._LOW,
        "MAX_SIGMA": noise.MAX_SIGMA,
        "MAX_ROWS": records.MAX_ROWS,
        "BLOCKS_OF_A_WORD": blocks._BLOCKS_OF_A_WORD,
    }


def test_a_changed_text_gives_another_constant(tmp_path):
    shutil.copytree(ROOT / "skdpgmm", tmp_path / "skdpgmm")
    path = tmp_path / "skdpgmm/privacy/bounded_sum.py"
    text = path.read_text().replace("SUMMAND_BITS = 36", "SUMMAND_BITS = 30 + 7")
    path.write_text(text)
    found = constants(tmp_path / "skdpgmm")
    assert found["SUMMAND_BITS"] == 37
    assert found["MAX_BLOCK_ROWS"] == 2**15
    assert "Definition SUMMAND_BITS := 37." in text_of(found)


def test_without_coq_it_says_what_to_install():
    command = [sys.executable, "-m", "proof.check"]
    ran = subprocess.run(
        command, cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert ran.stderr.strip() == MISSING


def test_only_known_constants_can_be_changed():
    command = [sys.executable, "-m", "proof.check", "--change", "NO_BITS", "1"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "no such constant: NO_BITS" in ran.stderr


@needs_coq
@pytest.mark.slow
def test_all_is_proved_on_no_axiom():
    proved, said = check()
    assert proved, said
    assert "sensitivity_add_remove" in said


# Each is a change that a lemma excludes.
@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NORM_BITS", 27),
        ("SUMMAND_BITS", 37),
        ("WORD_BITS", 32),
        ("MAX_ROWS", 2**32),
        ("squared_acute_replace_one", 1),
        ("ROUND_DOWN_num", 2**53 - 1),
    ],
)
def test_a_changed_constant_breaks_the_proof(name, value):
    changed = {name: value}
    if name == "WORD_BITS":
        changed["LOW"] = 2**value - 1
    proved, said = check(changed)
    assert not proved
    assert "Error" in said
