"""Commands on the budget of a project, which is a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skdpgmm import PrivacyBudget
from skdpgmm._cli import options
from skdpgmm._cli.refusals import command, refuse
from skdpgmm._cli.screen import as_json, headline, show
from skdpgmm._report.blocks import Facts, Table, Text

app = typer.Typer(no_args_is_help=True, help="The budget of a project, in a file.")
_File = Annotated[Path, typer.Argument(help="File of the budget.")]


@app.command()
@command
def create(
    file: _File,
    epsilon: options.Epsilon,
    delta: options.Delta = 1e-5,
    adjacency: options.Adjacency = "add-remove",
    max_contributions: options.MaxContributions = None,
    json: options.Json = False,
):
    """Make a budget, which no fit that is charged to it can overspend.

    A file that is there is never replaced: that would give back what was spent.
    """
    if file.exists():
        refuse(f"{file} is there; a new one would give back what was spent.")
    budget = PrivacyBudget(
        epsilon,
        delta,
        adjacency=adjacency,
        max_contributions=max_contributions,
        path=file,
    )
    _tell(budget, json)


@app.command(name="show")
@command
def show_budget(file: _File, json: options.Json = False):
    """Say what was spent, by which fits, and what is left."""
    _tell(PrivacyBudget.open(file), json)


def _tell(budget: PrivacyBudget, json: bool) -> None:
    found, left = budget.report(), budget.remaining_epsilon
    if json:
        names = ("epsilon", "delta", "mu", "adjacency", "unit", "spent_epsilon")
        as_json(
            {
                **{name: getattr(found, name) for name in names},
                "remaining_epsilon": left,
                "not_private": found.not_private,
                "fits": [cost._asdict() for cost in found.costs],
            }
        )
        return
    headline(
        found.not_private or f"A budget of ({found.epsilon:g}, {found.delta:g})-DP",
        found.not_private is not None,
    )
    facts = (
        ("spent", f"epsilon={found.spent_epsilon:.5g}, in {len(found.costs)} fits"),
        ("left", f"epsilon={left:.5g} for one more fit"),
        ("unit", f"{found.unit}, {found.adjacency}"),
        *found.declared_public,
    )
    rows = [("fit", "when", "epsilon", "delta", "state")]
    rows += [
        (cost.name, cost.when[:16], f"{cost.epsilon:g}", f"{cost.delta:g}", cost.state)
        for cost in found.costs
    ]
    fits = Table(tuple(rows), (2, 3)) if found.costs else Text("No fit yet.")
    show([Facts(facts), fits])
