"""All commands."""

from __future__ import annotations

from typing import Annotated

import typer

from skdpgmm import __version__
from skdpgmm._cli import auditing, budgets, embedding, fitting, models

app = typer.Typer(
    no_args_is_help=True,
    # No traceback: what is local to a frame may be a record.
    pretty_exceptions_enable=False,
    help="Private models of embeddings, and synthetic rows drawn from them.",
    epilog="Exit codes: 0 all is well, 1 refused or failed, 2 usage.",
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Private models of embeddings, and synthetic rows drawn from them."""


for _one in (embedding.embed, fitting.plan, fitting.fit, models.sample):
    app.command()(_one)
for _one in (models.inspect, models.verify, models.report, auditing.audit):
    app.command()(_one)
app.add_typer(budgets.app, name="budget")
