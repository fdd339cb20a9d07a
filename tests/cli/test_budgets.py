"""A budget of a file is made once, and shown as it is."""

import pytest

from skdpgmm import DPKMeans, PrivacyBudget


def test_a_budget_is_made_and_shown(run, tmp_path):
    path = tmp_path / "project.budget"
    args = (path, "--epsilon", 3, "--delta", "1e-6", "--max-contributions", 2)
    found = run("budget", "create", *args, "--adjacency", "replace-one")
    assert found.code == 0 and "A budget of (3, 1e-06)-DP" in found.out
    assert "No fit yet" in found.out
    budget = PrivacyBudget.open(path)
    assert (budget.epsilon, budget.delta, budget.max_contributions) == (3.0, 1e-6, 2)
    kmeans = DPKMeans(1, adjacency="replace-one", max_contributions=2)
    kmeans.fit([[0.0], [1.0]], privacy_ids=[0, 1], budget=budget)
    told = run("budget", "show", path, "--json").json
    assert told["spent_epsilon"] == budget.spent_epsilon > 0.0
    assert told["remaining_epsilon"] == budget.remaining_epsilon
    assert [fit["name"] for fit in told["fits"]] == ["DPKMeans"]
    text = run("budget", "show", path).out
    assert "in 1 fits" in text and "DPKMeans" in text


def test_a_budget_is_never_made_anew(run, tmp_path):
    path = tmp_path / "project.budget"
    PrivacyBudget(3.0, 1e-5, path=path)
    found = run("budget", "create", path, "--epsilon", 9)
    assert found.code == 1 and "would give back what was spent" in found.err
    assert PrivacyBudget.open(path).epsilon == 3.0


@pytest.mark.parametrize("epsilon", ["inf", "-1"])
def test_what_protects_nobody_is_said(epsilon, run, tmp_path):
    found = run("budget", "create", tmp_path / "b", "--epsilon", epsilon)
    if epsilon == "inf":
        assert found.out.startswith("NOT PRIVATE")
    else:
        assert found.code == 1 and "epsilon must be a number" in found.err


def test_what_is_no_budget_is_refused(run, folder, tmp_path):
    for path in (tmp_path / "nowhere", folder / "rows.npz"):
        found = run("budget", "show", path)
        assert found.code == 1 and found.err.startswith("Error: ")
    assert not (tmp_path / "nowhere").exists()
