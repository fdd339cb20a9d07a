"""Checks the proof: ``python -m proof.check`` prints what is proved, and on what.

The proof is of the numbers that stand in the package, which `constants.py` reads. The
exit status is 0 when all is proved, on no axiom, and 2 where there is no Coq.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from proof.constants import constants, text_of

HERE = Path(__file__).resolve().parent
FILES = ("Constants", "Vectors", "Floats", "BoundedSum", "Words", "Composition")
# What would be believed without a proof. Hypotheses of a section become premises of
# its theorems, where `Check` shows them.
UNPROVED = re.compile(r"\b(Admitted|admit|give_up|Axiom|Axioms|Conjecture|Parameter)\b")
NO_AXIOM = "Closed under the global context"
MISSING = (
    "coqc is not on the PATH: install Coq 8.16 or newer, on Debian by "
    "`apt-get install --no-install-recommends coq`, elsewhere from coq.inria.fr."
)


def check(changed: dict[str, int] | None = None) -> tuple[bool, str]:
    """Return whether all is proved, with some constants changed, and what Coq says."""
    with tempfile.TemporaryDirectory() as folder:
        for source in HERE.glob("*.v"):
            text = re.sub(r"\(\*.*?\*\)", "", source.read_text(), flags=re.DOTALL)
            if found := UNPROVED.search(text):
                return False, f"{source.name} has {found[0]}"
            shutil.copy(source, folder)
        numbers = constants() | (changed or {})
        (Path(folder) / "Constants.v").write_text(text_of(numbers))
        for name in (*FILES, "Theorems"):
            ran = subprocess.run(
                ["coqc", "-q", "-Q", ".", "DP", f"{name}.v"],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=600,
            )
            if ran.returncode:
                return False, ran.stdout + ran.stderr
    asked = (HERE / "Theorems.v").read_text().count("Print Assumptions")
    return ran.stdout.count(NO_AXIOM) == asked, ran.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--change",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="another value of a constant, to see the proof fail",
    )
    changed = {name: int(value) for name, value in parser.parse_args().change}
    if unknown := changed.keys() - constants().keys():
        parser.error(f"no such constant: {', '.join(sorted(unknown))}")
    if shutil.which("coqc") is None:
        print(MISSING, file=sys.stderr)
        return 2
    proved, said = check(changed)
    print(said.strip())
    print("all is proved, on no axiom" if proved else "NOT PROVED")
    return int(not proved)


if __name__ == "__main__":
    sys.exit(main())
