"""An audit of a file says what `audit` says, and only of rows that are public."""

import numpy as np
import pytest

from skdpgmm import DPPCA, DPLogisticRegression, audit
from skdpgmm._cli import auditing

ARGS = ("--epsilon", 4, "--method", "pca", "--components", 2, "--clip-norm", 20)
QUICK = ("--public", "--runs", 20, "--seed", 0)


@pytest.mark.filterwarnings("ignore::skdpgmm.exceptions.PrivacyLeakWarning")
def test_an_audit_is_that_of_the_rows(run, folder):
    found = run("audit", folder / "rows.npz", *ARGS, *QUICK, "--json")
    assert found.code == 0 and not found.err
    with np.load(folder / "rows.npz") as file:
        model = DPPCA(2, epsilon=4.0, clip_norm=20.0)
        expected = audit(model, file["X"], n_runs=20, random_state=0)
    assert found.json["passed"] is expected.passed is True
    assert found.json["distance"] == expected.distance
    shown = run("audit", folder / "rows.parquet", *ARGS, *QUICK)
    assert shown.code == 0 and "no fault was found" in shown.out
    assert "for public or made-up records only" in shown.out


def test_labels_and_options_are_passed_on(run, folder, monkeypatch):
    asked = {}

    def audited(estimator, X, y, **options):
        asked.update(options, estimator=estimator, X=X, y=y)
        raise ValueError("enough")

    monkeypatch.setattr(auditing, "audit_of", audited)
    args = ("--epsilon", 4, "--method", "logistic", "--label", "name", *QUICK)
    found = run("audit", folder / "rows.parquet", *args, "--attack", "attributes")
    assert found.code == 1 and "enough" in found.err
    assert asked["X"].shape == (400, 3) and set(asked["y"]) == {"ant", "bee", "cow"}
    assert type(asked["estimator"]) is DPLogisticRegression
    assert asked["attack"] == "attributes" and asked["n_runs"] == 20


def test_a_fault_has_an_exit_code(run, folder, monkeypatch):
    monkeypatch.setattr("skdpgmm.privacy.records.unit_factor", lambda *_, **__: 1)
    more = ("--max-contributions", 2)
    found = run("audit", folder / "rows.npz", *ARGS, *QUICK, *more)
    assert found.code == 1 and "MORE IS LOST THAN IS CLAIMED" in found.out


@pytest.mark.parametrize(
    "args, text",
    [
        (ARGS, "--public says that these are"),
        ((*ARGS, *QUICK, "--label", "label"), "--label means nothing to pca"),
        (("--epsilon", 4, "--method", "logistic", "--public"), "--label is needed"),
        ((*ARGS, *QUICK, "--attack", "guess"), "attack"),
        (("--epsilon", "inf", "--method", "pca", "--public"), "epsilon must be finite"),
        ((*ARGS, *QUICK, "--rows", "nothing"), "and no nothing"),
    ],
)
def test_what_cannot_be_audited_is_refused(args, text, run, folder):
    found = run("audit", folder / "rows.npz", *args)
    assert found.code == 1 and text in found.err and not found.out
