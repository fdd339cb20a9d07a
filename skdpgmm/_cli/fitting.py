"""Commands that fit, or say what a fit would release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from skdpgmm import PrivacyBudget
from skdpgmm._cli import options
from skdpgmm._cli.keys import private_key
from skdpgmm._cli.methods import (
    METHODS,
    Asked,
    Method,
    check_epsilon,
    classes_of,
    estimator,
)
from skdpgmm._cli.refusals import command, output, records, refuse
from skdpgmm._cli.screen import as_json, headline, printable, show, warn
from skdpgmm._cli.tables import read
from skdpgmm._cli.watching import watched
from skdpgmm._report.blocks import Facts, Table, Text
from skdpgmm._report.data import ledger
from skdpgmm._report.sections import promise
from skdpgmm.privacy import PrivacyPlan
from skdpgmm.privacy.tables import table

_MODELS = (".safetensors",)


@command
def fit(
    data: Annotated[Path, typer.Argument(help="Rows: .parquet, .npz or a folder.")],
    model: Annotated[Path, typer.Argument(help="Model to write: .safetensors.")],
    epsilon: options.Epsilon,
    method: options.Kind = Method.synthesizer,
    delta: options.Delta = 1e-5,
    rows: Annotated[
        str | None, typer.Option(help="Column of rows; embedding, or X of .npz.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Column of labels.")] = None,
    person: Annotated[
        str | None, typer.Option(help="Column of ids: the unit is a person then.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Public set of labels, with commas.")
    ] = None,
    clip_norm: options.ClipNorm = "auto",
    components: options.Components = None,
    adjacency: options.Adjacency = "add-remove",
    max_contributions: options.MaxContributions = None,
    more: options.More = None,
    budget: Annotated[
        Path | None, typer.Option(help="File of a budget, which is charged.")
    ] = None,
    sign_with: Annotated[
        Path | None, typer.Option(help="PEM of a private key of Ed25519.")
    ] = None,
    not_private: Annotated[
        bool, typer.Option("--not-private", help="Let epsilon be inf.")
    ] = False,
    force: options.Force = False,
    json: options.Json = False,
):
    """Fit a private model to rows of a file, and write it to another."""
    check_epsilon(epsilon, not_private)
    output(model, _MODELS, force)
    facts = METHODS[method]
    if label is None and facts.labels == "needed":
        refuse(f"--label is needed by {method.value}.")
    if label is not None and facts.labels == "none":
        refuse(f"--label means nothing to {method.value}.")
    asked = Asked(
        *(method, epsilon, delta, adjacency, max_contributions),
        *(clip_norm, components, more or []),
    )
    # Refuses what is not legal before a record is read.
    estimator(asked)
    key = private_key(sign_with)
    account = None if budget is None else PrivacyBudget.open(budget)
    with records("Reading"):
        given = read(data, rows, label, person)
    made = estimator(asked, classes_of(classes, given.text_labels))
    params = {} if given.ids is None else {"privacy_ids": given.ids}
    with records("The fit") as warned, watched(made):
        made.fit(given.rows, given.labels, budget=account, **params)
    made.save(model, signing_key=key)
    privacy = made.privacy_
    if json:
        as_json(
            {
                "model": str(model),
                "private": privacy.not_private is None,
                "epsilon": privacy.epsilon,
                "delta": privacy.delta,
                "spent_epsilon": privacy.spent_epsilon,
                "unit": privacy.unit,
                "meaning": privacy.meaning,
                "warnings": [printable(" ".join(text.split())) for text in warned],
            }
        )
        return
    warn(warned)
    headline(promise(privacy), privacy.not_private is not None)
    told = [("model", str(model)), ("means", privacy.meaning), ("unit", privacy.unit)]
    if privacy.quality:
        told.append(("came out", privacy.quality.summary()))
    if account is not None:
        told.append(("budget", f"epsilon={account.remaining_epsilon:.5g} is left"))
    show([Facts(tuple(told))])


@command
def plan(
    n_samples: Annotated[int, typer.Argument(help="About how many rows there are.")],
    n_features: Annotated[int, typer.Argument(help="Length of a row.")],
    epsilon: options.Epsilon,
    n_classes: Annotated[
        int | None, typer.Option("--n-classes", help="Number of classes.")
    ] = None,
    method: options.Kind = Method.synthesizer,
    delta: options.Delta = 1e-5,
    clip_norm: options.ClipNorm = "auto",
    components: options.Components = None,
    adjacency: options.Adjacency = "add-remove",
    max_contributions: options.MaxContributions = None,
    more: options.More = None,
    json: options.Json = False,
):
    """Say what a fit would release, without a record."""
    asked = Asked(
        *(method, epsilon, delta, adjacency, max_contributions),
        *(clip_norm, components, more or []),
    )
    found = estimator(asked).plan(n_samples, n_features, n_classes)
    if json:
        as_json(_data(found))
        return
    asked_for = f"({found.epsilon:g}, {found.delta:g})-DP would be asked for"
    headline(found.not_private or asked_for, found.not_private is not None)
    rows = table(found.ledger, found.noise_sd)
    show(
        [
            Text("No record was seen, and nothing is promised."),
            Facts(
                (
                    ("would spend", f"mu={found.spent_mu:.5g} of {found.mu:.5g}"),
                    ("unit", f"{found.unit}, {found.adjacency}"),
                    ("records", found.records),
                    *(("decided", str(one)) for one in found.decisions),
                    *(("doubt", text) for text in found.doubts),
                )
            ),
            # Sensitivities are in steps of a grid, which says little before a fit.
            Table(
                tuple((row[0], row[1], *row[3:]) for row in rows),
                tuple(range(2, len(rows[0]) - 1)),
            ),
        ]
    )


def _data(found: PrivacyPlan) -> dict:
    names = ("epsilon", "delta", "mu", "spent_mu", "adjacency", "unit", "records")
    return {
        **{name: getattr(found, name) for name in names},
        "not_private": found.not_private,
        "decisions": [one._asdict() for one in found.decisions],
        "doubts": list(found.doubts),
        "ledger": [
            {**row, "noise_sd": sd}
            for row, sd in zip(ledger(found), found.noise_sd, strict=True)
        ],
    }
