"""Options that several commands have, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skdpgmm._cli.methods import Method

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]
ModelFile = Annotated[Path, typer.Argument(help="File of a fitted model.")]

SignedBy = Annotated[
    Path | None,
    typer.Option("--signed-by", help="PEM of the public key that must have signed it."),
]

Kind = Annotated[Method, typer.Option("--method", help="What is fitted.")]
Epsilon = Annotated[
    float, typer.Option("--epsilon", help="Privacy loss: smaller is more private.")
]
Delta = Annotated[
    float,
    typer.Option("--delta", help="Slack: well below one over the number of records."),
]
Adjacency = Annotated[
    str, typer.Option("--adjacency", help="add-remove or replace-one.")
]
MaxContributions = Annotated[
    int | None,
    typer.Option("--max-contributions", help="Records of one person, at most."),
]
ClipNorm = Annotated[
    str,
    typer.Option("--clip-norm", help="Public bound of norms, or auto."),
]
Components = Annotated[
    int | None,
    typer.Option("--components", help="Components or clusters; of each class."),
]
More = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any other parameter, as NAME=VALUE; often."),
]
