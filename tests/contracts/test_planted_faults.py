"""Faults that are planted to try the checks can be planted, each in one place."""

from pathlib import Path

import pytest

from benchmarks.faults.checks import AUDITS
from benchmarks.planted_faults import FAULTS, patched

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_planted(fault):
    text = patched(fault)
    assert fault.new in text
    compile(text, fault.path, "exec")
    assert set(fault.audits) <= AUDITS.keys()
    for test in fault.tests:
        path, *name = test.split("[")[0].split("::")
        found = (TESTS / path).read_text()
        assert not name or f"def {name[0]}(" in found


def test_there_are_enough_and_each_has_a_name():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 25


def test_a_text_that_is_gone_is_an_error():
    with pytest.raises(ValueError, match="must be there once"):
        patched(FAULTS[0]._replace(old="no such text"))
