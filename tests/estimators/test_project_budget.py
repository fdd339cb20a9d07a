"""The budget of a project: its numbers, parts, reports, copies, and many processes."""

import copy
import json
import math
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from skdpgmm import DPKMeans, PrivacyBudget
from skdpgmm.metrics import private_accuracy
from skdpgmm.privacy import (
    BudgetExceededError,
    compose_mu,
    epsilon_from_mu,
    mu_from_epsilon,
)

ROOT = Path(__file__).parents[2]
DELTA = 1e-5
Y = np.arange(300) % 2


def look(budget, epsilon=1.0, delta=DELTA, **params):
    """The cheapest of all fits."""
    return private_accuracy(Y, Y, epsilon=epsilon, delta=delta, budget=budget, **params)


@pytest.fixture(params=["memory", "file"])
def path(request, tmp_path):
    return None if request.param == "memory" else tmp_path / "budget"


# --------------------------------------------------------------------------
# Numbers
# --------------------------------------------------------------------------


def test_what_is_spent_and_what_is_left(path):
    budget = PrivacyBudget(3.0, DELTA, path=path)
    assert budget.spent_epsilon == 0.0
    assert budget.remaining_epsilon == pytest.approx(3.0)
    look(budget, 1.0)
    look(budget, 2.0, 1e-6)
    mu = compose_mu([mu_from_epsilon(1.0, DELTA), mu_from_epsilon(2.0, 1e-6)])
    assert budget.spent_epsilon == epsilon_from_mu(mu, DELTA)
    left = budget.remaining_epsilon
    assert budget.affords(left) and not budget.affords(1.001 * left)
    look(budget, left)
    assert budget.remaining_epsilon < 1e-4
    assert budget.spent_epsilon == pytest.approx(3.0)
    assert budget.spent_epsilon <= 3.0


@pytest.mark.parametrize("n_fits", [1, 2, 13])
def test_the_epsilon_of_many_fits(n_fits):
    budget = PrivacyBudget(2.0, DELTA)
    look(budget, 0.5)
    epsilon = budget.largest_epsilon(n_fits, 1e-6)
    assert budget.affords(epsilon, 1e-6, n_fits)
    assert not budget.affords(1.001 * epsilon, 1e-6, n_fits)
    for _ in range(n_fits):
        look(budget, epsilon, 1e-6)
    with pytest.raises(BudgetExceededError):
        look(budget, 0.1)


def test_without_a_bound_all_is_affordable_and_nothing_private():
    budget = PrivacyBudget(math.inf, DELTA)
    look(budget, math.inf)
    assert budget.remaining_epsilon == budget.spent_epsilon == math.inf
    assert budget.affords(math.inf)
    assert repr(budget).startswith("NOT PRIVATE")
    assert budget.report().not_private
    assert "fitted, NOT PRIVATE" in str(budget)


# --------------------------------------------------------------------------
# Parts
# --------------------------------------------------------------------------


@pytest.mark.parametrize("adjacency", ["add-remove", "replace-one"])
def test_parts_cost_what_the_one_costs_that_costs_most(path, adjacency):
    budget = PrivacyBudget(3.0, DELTA, adjacency=adjacency, path=path)
    a, b = budget.part("A"), budget.part("B")
    look(budget, 1.0, adjacency=adjacency)
    look(a, 1.0, adjacency=adjacency)
    look(a, 0.5, adjacency=adjacency)
    look(b, 1.5, adjacency=adjacency)
    mu = {e: mu_from_epsilon(e, DELTA) for e in (0.5, 1.0, 1.5)}
    of_a = epsilon_from_mu(compose_mu([mu[1.0], mu[1.0], mu[0.5]]), DELTA)
    of_b = epsilon_from_mu(compose_mu([mu[1.0], mu[1.5]]), DELTA)
    assert of_b > of_a
    assert budget.spent_epsilon == b.spent_epsilon == pytest.approx(of_b)
    assert a.spent_epsilon == pytest.approx(of_a)
    # Another part has not spent anything yet, but for the fits to all.
    left = [p.remaining_epsilon for p in (budget, b, a, budget.part("C"))]
    assert left[0] == left[1] < left[2] < left[3]
    with pytest.raises(BudgetExceededError):
        look(budget, left[2], adjacency=adjacency)
    look(a, left[2], adjacency=adjacency)
    with pytest.raises(BudgetExceededError):
        look(budget, 0.1, adjacency=adjacency)
    assert b.remaining_epsilon == left[1]


def test_parts_are_told_as_declared():
    budget = PrivacyBudget(3.0, DELTA)
    for name in ("A", "B"):
        look(budget.part(name))
    public = dict(budget.report().declared_public)
    assert public["parts"] == "'A', 'B', which share nobody, as the caller says"
    assert "same people" in public
    of_a = budget.part("A")
    assert [cost.part for cost in of_a.report().costs] == ["A"]
    assert repr(of_a) == f"{budget!r}.part('A')"
    assert of_a.epsilon == budget.epsilon


def test_what_is_no_part_is_refused():
    budget = PrivacyBudget(3.0, DELTA)
    for name in (None, "", 7):
        with pytest.raises(TypeError, match="name must be a string"):
            budget.part(name)
    with pytest.raises(ValueError, match="'A' is one, got name='B'"):
        budget.part("A").part("B")


# --------------------------------------------------------------------------
# What is refused
# --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, value, kind",
    [
        ("epsilon", 0.0, ValueError),
        ("epsilon", "one", ValueError),
        ("epsilon", math.nan, ValueError),
        ("delta", 0.0, ValueError),
        ("delta", 1.0, ValueError),
        ("adjacency", "remove", ValueError),
        ("max_contributions", 0, ValueError),
        ("max_contributions", True, ValueError),
        ("max_contributions", 1.5, ValueError),
        ("path", 7, TypeError),
    ],
)
def test_illegal_parameters_make_no_file(tmp_path, name, value, kind):
    given = {"epsilon": 1.0, "delta": DELTA, "path": tmp_path / "budget", name: value}
    with pytest.raises(kind, match=f"^{name} must be"):
        PrivacyBudget(**given)
    assert os.listdir(tmp_path) == []


def test_illegal_questions_are_refused():
    budget = PrivacyBudget(1.0, DELTA)
    for n_fits in (0, 1.5, True, None):
        with pytest.raises(ValueError, match="n_fits must be"):
            budget.affords(1.0, n_fits=n_fits)
        with pytest.raises(ValueError, match="n_fits must be"):
            budget.largest_epsilon(n_fits)
    with pytest.raises(ValueError, match="epsilon must be"):
        budget.affords(0.0)
    for ask in (lambda: budget.affords(1.0, 0.0), lambda: budget.largest_epsilon(1, 0)):
        with pytest.raises(ValueError, match="delta must be"):
            ask()


def test_what_is_no_budget_is_refused():
    X = np.random.default_rng(0).standard_normal((50, 2))
    for budget in (1.0, PrivacyBudget, "budget.sqlite"):
        with pytest.raises(TypeError, match="budget must be an instance of"):
            DPKMeans(2).fit(X, budget=budget)


def test_attributes_cannot_be_set():
    budget = PrivacyBudget(1.0, DELTA)
    for name in ("epsilon", "delta", "adjacency", "max_contributions", "path"):
        with pytest.raises(AttributeError):
            setattr(budget, name, 9.0)


# --------------------------------------------------------------------------
# Reports
# --------------------------------------------------------------------------


def test_a_report_has_a_row_for_each_fit(path):
    budget = PrivacyBudget(3.0, DELTA, path=path)
    look(budget, 1.0)
    with pytest.raises(ValueError, match="labels and predictions"):
        private_accuracy([0, 1], ["0", "1"], budget=budget)
    report = budget.report()
    assert (report.epsilon, report.delta, report.unit) == (3.0, DELTA, "one record")
    assert [cost.state for cost in report.costs] == ["fitted", "failed"]
    assert [cost.mu for cost in report.costs] == [mu_from_epsilon(1.0, DELTA), 0.0]
    assert report.mu > report.spent_mu == report.costs[0].mu
    lines = str(budget).splitlines()
    assert "(3, 1e-05)-DP" in lines[0] and "in 2 fits" in lines[1]
    assert lines[-2].startswith("private_accuracy") and lines[-2].endswith("fitted")
    assert budget._repr_html_() == report._repr_html_()
    assert report.costs[0].when.endswith("+00:00")


def test_the_unit_says_who_holds_to_the_bound():
    budget = PrivacyBudget(3.0, DELTA, max_contributions=2)
    promised = "one person with at most 2 records, promised by the caller"
    assert budget.report().unit == promised
    look(budget, max_contributions=2, privacy_ids=np.arange(300))
    enforced = "one person with at most 2 records, enforced by privacy_ids"
    assert budget.report().unit == enforced
    with pytest.warns(UserWarning, match="promised, not enforced"):
        look(budget, max_contributions=2)
    assert budget.report().unit == promised


# --------------------------------------------------------------------------
# Copies
# --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda budget: clone(budget, safe=False)]
)
def test_a_copy_is_the_same_budget(path, copied):
    budget = PrivacyBudget(3.0, DELTA, path=path)
    for one in (budget, budget.part("A")):
        look(copied(one), 1.0)
    assert len(budget.report().costs) == 2


def test_a_budget_in_memory_is_not_pickled():
    with pytest.raises(TypeError, match="give path="):
        pickle.dumps(PrivacyBudget(3.0, DELTA))


def test_a_pickle_has_the_path_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    budget = PrivacyBudget(3.0, DELTA, max_contributions=np.int64(1), path="budget")
    assert budget.path == str(tmp_path / "budget")
    for one in (budget, budget.part("A")):
        text = pickle.dumps(one)
        monkeypatch.chdir(ROOT)
        again = pickle.loads(text)
        assert repr(again) == repr(one)
        look(again, max_contributions=1, privacy_ids=Y)
    assert [cost.part for cost in budget.report().costs] == [None, "A"]
    os.unlink(tmp_path / "budget")
    with pytest.raises(FileNotFoundError, match="hand back what was spent"):
        pickle.loads(text)
    PrivacyBudget(3.0, DELTA, max_contributions=1, path=tmp_path / "budget")
    with pytest.raises(ValueError, match="another budget than it was"):
        pickle.loads(text)


def test_a_file_is_gone_on_from(tmp_path):
    first = PrivacyBudget(3.0, DELTA, path=tmp_path / "budget")
    look(first, 1.0)
    second = PrivacyBudget(3, DELTA, path=str(tmp_path / "budget"))
    assert second.report() == first.report()
    look(second, 2.0)
    assert first.remaining_epsilon == second.remaining_epsilon
    with pytest.raises(ValueError, match="epsilon must be that of the budget in path"):
        PrivacyBudget(4.0, DELTA, path=tmp_path / "budget")


def test_nothing_private_is_in_the_file(tmp_path):
    path = tmp_path / "budget"
    budget = PrivacyBudget(3.0, DELTA, path=path)
    ids = np.repeat(["mary-7319", "john-5521"], 150)
    with pytest.raises(ValueError, match="max_contributions"):
        look(budget, privacy_ids=ids)
    X = np.full((1733, 2), 7319.55)
    DPKMeans(1, clip_norm=1e4).fit(X, budget=budget)
    X[3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        DPKMeans(1).fit(X, budget=budget)
    content = path.read_bytes()
    for text in (b"7319", b"1733", b"mary", b"NaN"):
        assert text not in content


# --------------------------------------------------------------------------
# Many threads and processes
# --------------------------------------------------------------------------


def test_forty_threads_at_once(path):
    budget = PrivacyBudget(2.0, DELTA, path=path)
    epsilon = budget.largest_epsilon(30)
    refused = []

    def run():
        try:
            look(budget, epsilon)
        except BudgetExceededError as error:
            refused.append(error)

    threads = [threading.Thread(target=run) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 10
    assert [cost.state for cost in budget.report().costs] == ["fitted"] * 30
    assert budget.spent_epsilon <= 2.0


# Each of a hundred processes asks for a part of the budget that sixty of them can have.
CROWD = """
import json, os, sys
import numpy as np
from skdpgmm import PrivacyBudget
from skdpgmm.metrics import private_accuracy
from skdpgmm.privacy import BudgetExceededError

epsilon, path, n = float(sys.argv[1]), sys.argv[2], int(sys.argv[3])
y = np.arange(100) % 2
children = []
for i in range(n):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            # Whoever is first makes the file.
            budget = PrivacyBudget(2.0, 1e-5, path=path)
            private_accuracy(y, y, epsilon=epsilon, budget=budget)
            code = 10
        except BudgetExceededError:
            code = 11
        finally:
            os._exit(code)
    children.append(child)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
print(json.dumps(codes))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_hundred_processes_at_once(tmp_path):
    path = tmp_path / "budget"
    epsilon = PrivacyBudget(2.0, DELTA).largest_epsilon(60)
    found = subprocess.run(
        [sys.executable, "-c", CROWD, str(epsilon), str(path), "100"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    codes = json.loads(found.stdout)
    assert (codes.count(10), codes.count(11)) == (60, 40), found.stderr
    budget = PrivacyBudget(2.0, DELTA, path=path)
    costs = budget.report().costs
    assert [cost.state for cost in costs] == ["fitted"] * 60
    assert not budget.affords(epsilon)
    assert budget.spent_epsilon <= 2.0
    assert os.listdir(tmp_path) == ["budget"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_cannot_spend_a_budget_in_memory(monkeypatch):
    budget = PrivacyBudget(2.0, DELTA)
    process = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: process + 1)
    with pytest.raises(RuntimeError, match="that of one process"):
        look(budget)
    monkeypatch.undo()
    assert budget.report().costs == ()


@pytest.mark.parametrize("epsilon", [3.0, math.inf])
def test_a_file_is_opened_whatever_it_is_a_budget_of(epsilon, tmp_path):
    path = tmp_path / "budget"
    made = PrivacyBudget(
        epsilon, 1e-6, adjacency="replace-one", max_contributions=2, path=path
    )
    opened = PrivacyBudget.open(str(path))
    assert repr(opened) == repr(made)
    assert opened.report() == made.report()
    with pytest.raises(FileNotFoundError, match="no file any more, or never was"):
        PrivacyBudget.open(tmp_path / "nowhere")
    (tmp_path / "other").write_bytes(b"no budget")
    with pytest.raises(ValueError, match="is no budget, or is damaged"):
        PrivacyBudget.open(tmp_path / "other")
    assert not (tmp_path / "nowhere").exists()
