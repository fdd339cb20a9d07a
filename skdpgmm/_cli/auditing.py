"""The command that attacks fits, with rows that nobody has to protect."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from skdpgmm import audit as audit_of
from skdpgmm._cli import options
from skdpgmm._cli.methods import METHODS, Asked, Method, estimator
from skdpgmm._cli.refusals import command, refuse
from skdpgmm._cli.screen import as_json, errors, headline
from skdpgmm._cli.tables import read
from skdpgmm.exceptions import PrivacyLeakWarning


@command
def audit(
    data: Annotated[Path, typer.Argument(help="Rows: .parquet, .npz or a folder.")],
    epsilon: options.Epsilon,
    method: options.Kind = Method.synthesizer,
    delta: options.Delta = 1e-5,
    rows: Annotated[
        str | None, typer.Option(help="Column of rows; embedding, or X of .npz.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Column of labels.")] = None,
    clip_norm: options.ClipNorm = "auto",
    components: options.Components = None,
    adjacency: options.Adjacency = "add-remove",
    max_contributions: options.MaxContributions = None,
    more: options.More = None,
    public: Annotated[
        bool, typer.Option("--public", help="The rows are public, or made up.")
    ] = False,
    runs: Annotated[
        int | None, typer.Option(help="Fits that are attacked: 200, or 1 of canaries.")
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of all bounds together.")] = 0.95,
    attack: Annotated[
        str, typer.Option(help="transcript, attributes or canaries.")
    ] = "transcript",
    jobs: Annotated[int, typer.Option(help="Processes that fit.")] = 1,
    seed: Annotated[
        int | None, typer.Option(help="Makes the audit the same each time.")
    ] = None,
    json: options.Json = False,
):
    """Attack fits to rows that are public: exits with 1 where they lose too much."""
    if not public:
        refuse(
            "An audit reads its rows exactly, and prints what it has found: it is for "
            "rows that are public or made up. --public says that these are."
        )
    labels = METHODS[method].labels
    if label is None and labels == "needed":
        refuse(f"--label is needed by {method.value}.")
    if label is not None and labels == "none":
        refuse(f"--label means nothing to {method.value}.")
    asked = Asked(
        *(method, epsilon, delta, adjacency, max_contributions),
        *(clip_norm, components, more or []),
    )
    made = estimator(asked)
    given = read(data, rows, label, None)
    y = None if given.labels is None else _in_memory(given.labels)
    with warnings.catch_warnings(), errors().status("attacking fits"):
        # It is said by what is printed.
        warnings.simplefilter("ignore", PrivacyLeakWarning)
        found = audit_of(
            made,
            _in_memory(given.rows),
            y,
            n_runs=runs,
            confidence=confidence,
            attack=attack,
            n_jobs=jobs,
            random_state=seed,
        )
    if json:
        as_json(found.to_dict())
    else:
        said = "no fault was found" if found.passed else "MORE IS LOST THAN IS CLAIMED"
        headline(f"{found.estimator}: {said}", not found.passed)
        typer.echo(str(found))
    if not found.passed:
        raise typer.Exit(1)


def _in_memory(column) -> np.ndarray:
    """Return an array of what a file holds: an audit takes nothing else."""
    return column if isinstance(column, np.ndarray) else np.concatenate(list(column))
