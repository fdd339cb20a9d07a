"""A fit of a file is that of its rows; what is wrong is said before it reads one."""

import math

import numpy as np
import pytest

from skdpgmm import PrivacyBudget, load
from skdpgmm._cli.methods import METHODS, Method


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("name", ["rows.npz", "rows.parquet"])
def test_every_method_fits(method, name, run, folder, tmp_path):
    model = tmp_path / "model.safetensors"
    label = () if METHODS[method].labels == "none" else ("--label", "name")
    args = ("fit", folder / name, model, "--epsilon", 3, "--method", method.value)
    found = run(*args, *label, "--json")
    assert found.code == 0, found.err
    assert found.json["private"] is True and found.json["epsilon"] == 3.0
    loaded = load(model)
    assert type(loaded) is METHODS[method].make
    assert loaded.privacy_.spent_epsilon == found.json["spent_epsilon"]
    if label:
        assert loaded.classes_.tolist() == ["ant", "bee", "cow"]


def test_persons_and_classes_are_given(run, folder, tmp_path):
    model = tmp_path / "model.safetensors"
    found = run(
        *("fit", folder / "rows.parquet", model, "--epsilon", 3, "--label", "label"),
        *("--person", "person", "--max-contributions", 2, "--classes", "0,1,2,7"),
        *(
            "--clip-norm",
            10,
            "--set",
            "label_model=false",
            "--adjacency",
            "replace-one",
        ),
    )
    assert found.code == 0, found.err
    for text in ("differentially private", "which of two versions", "privacy_ids"):
        assert text in found.out
    loaded = load(model)
    assert loaded.classes_.tolist() == [0, 1, 2, 7]
    assert "enforced by privacy_ids" in loaded.privacy_.unit


def test_a_budget_is_charged_and_never_overspent(run, folder, tmp_path):
    path, model = tmp_path / "budget", tmp_path / "model.safetensors"
    PrivacyBudget(3.0, 1e-5, path=path)
    args = ("fit", folder / "rows.npz", model, "--method", "kmeans", "--budget", path)
    assert "is left" in run(*args, "--epsilon", 2).out
    spent = PrivacyBudget.open(path).spent_epsilon
    found = run(*args, "--epsilon", 3, "--force")
    assert found.code == 1 and "No record was read" in found.err
    assert PrivacyBudget.open(path).spent_epsilon == spent > 0.0
    missing = run(*args[:-1], tmp_path / "nowhere", "--epsilon", 1, "--force")
    assert missing.code == 1 and not (tmp_path / "nowhere").exists()


def test_no_noise_has_to_be_asked_for_and_is_said(run, folder, tmp_path):
    model = tmp_path / "model.safetensors"
    args = ("fit", folder / "rows.npz", model, "--method", "kmeans", "--epsilon", "inf")
    found = run(*args)
    assert found.code == 1 and "NOT PRIVATE" in found.err and not model.exists()
    found = run(*args, "--not-private")
    assert found.code == 0 and found.out.startswith("NOT PRIVATE")
    assert math.isinf(load(model).epsilon)


@pytest.mark.parametrize(
    "more, why",
    [
        (("--method", "kmeans", "--label", "label"), "--label means nothing to kmeans"),
        (("--method", "logistic"), "--label is needed by logistic"),
        (("--epsilon", "-1"), "'epsilon' parameter"),
        (("--label", "nowhere"), "has arrays X, label, name, person, and no nowhere"),
        (("--label", "label", "--classes", "a,b"), "--classes must be whole numbers"),
        (("--set", "random_state=0"), "--set must be NAME=VALUE"),
    ],
)
def test_what_is_not_legal_is_refused(more, why, run, folder, tmp_path):
    model = tmp_path / "model.safetensors"
    found = run("fit", folder / "rows.npz", model, "--epsilon", 1, *more)
    assert found.code == 1 and why in found.err
    assert found.err.startswith("Error: ") and found.err.count("\n") == 1
    assert not found.out and not model.exists()


def test_a_record_is_never_in_a_message(run, tmp_path):
    rows = np.array([["Smith", "1.0"], ["Jones", "2.0"]])
    np.savez(tmp_path / "rows.npz", X=rows, label=["Smith", "Jones"])
    model = tmp_path / "model.safetensors"
    found = run("fit", tmp_path / "rows.npz", model, "--epsilon", 1)
    assert found.code == 1
    assert "Smith" not in found.err + found.out and "Jones" not in found.err


def test_usage_is_another_code(run, folder):
    assert run("fit", folder / "rows.npz").code == 2
    assert run("plan", "many", 3, "--epsilon", 1).code == 2


def test_a_plan_is_that_of_the_estimator(run):
    args = ("plan", 2000, 8, "--epsilon", 2, "--n-classes", 3)
    told = run(*args, "--json").json
    planned = METHODS[Method.synthesizer].make(epsilon=2.0).plan(2000, 8, 3)
    assert told["spent_mu"] == planned.spent_mu
    assert [row["noise_sd"] for row in told["ledger"]] == list(planned.noise_sd)
    text = run(*args).out
    for words in ("would be asked for", "nothing is promised", "covariance_type"):
        assert words in text
    assert "NOT PRIVATE" in run("plan", 100, 3, "--epsilon", "inf").out
    found = run("plan", 0, 3, "--epsilon", 1)
    assert found.code == 1 and "n_samples must be an integer" in found.err
