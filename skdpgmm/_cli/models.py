"""Commands on files of models: none of them sees a record."""

from __future__ import annotations

import json as json_module
import warnings
from pathlib import Path
from typing import Annotated

import typer

from skdpgmm import load
from skdpgmm import report as report_of
from skdpgmm._cli import options
from skdpgmm._cli.keys import public_key
from skdpgmm._cli.refusals import command, output, refuse
from skdpgmm._cli.screen import as_json, headline, show_sections, warn
from skdpgmm._cli.tables import SUFFIXES, Writer
from skdpgmm._report.sections import promise, told
from skdpgmm._report.subject import Subject, subject_of

# What `inspect` shows; a page of `report` has all of it.
_INSPECTED = (
    "In plain words",
    "What was released",
    "What was declared public",
    "What was decided on the way",
    "What stands out of the noise",
    "Ledger",
    "Versions",
)
_VERIFIED = ("Verification of the file", "What has to be believed")


@command
def inspect(model: options.ModelFile, json: options.Json = False):
    """Say what a model promises, and what was released for it."""
    if json:
        as_json(report_of(model).to_dict())
        return
    subject = subject_of(model)
    _head(subject)
    show_sections(told(subject, _INSPECTED))


@command
def verify(
    model: options.ModelFile,
    signed_by: options.SignedBy = None,
    json: options.Json = False,
):
    """Check a file: exits with 1 where a check fails, or the model is not private."""
    key = public_key(signed_by)
    if json:
        data = report_of(model, signed_by=key).to_dict()
        names = ("private", "not_private", "epsilon", "delta")
        as_json({**data["verification"], **{name: data[name] for name in names}})
        fine = data["verification"]["passed"]
    else:
        subject = subject_of(model, key)
        _head(subject)
        show_sections(told(subject, _VERIFIED))
        found = subject.verification
        fine = found and found.passed
    if not fine:
        raise typer.Exit(1)


def _head(subject: Subject) -> None:
    alarm = subject.privacy.not_private is not None
    headline(f"{subject.name}: {promise(subject.privacy)}", alarm)


@command
def sample(
    model: options.ModelFile,
    rows: Annotated[Path, typer.Argument(help="Rows to write: .parquet or .npz.")],
    n: Annotated[int, typer.Option("--n", "-n", help="Number of rows.")],
    seed: Annotated[
        int | None, typer.Option(help="Makes the draw the same each time.")
    ] = None,
    force: options.Force = False,
    json: options.Json = False,
):
    """Draw synthetic rows from a model: free, as often as you like."""
    output(rows, SUFFIXES, force)
    loaded, warned = _loaded(model)
    if not hasattr(loaded, "sample"):
        refuse(f"{type(loaded).__name__} draws no rows.")
    if n < 1:
        refuse(f"--n must be at least 1, got {n}.")
    X, y = loaded.sample(n, random_state=seed)
    labelled = getattr(loaded, "classes_", None) is not None
    with Writer(rows) as writer:
        writer.write(X, {"label": y} if labelled else {})
    privacy = loaded.privacy_
    if json:
        as_json({"rows": str(rows), "n": n, "private": privacy.not_private is None})
        return
    warn(warned)
    headline(promise(privacy), privacy.not_private is not None)
    typer.echo(f"{n} rows of {X.shape[1]} features are in {rows}.")


def _loaded(model: Path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = load(model)
    return found, [str(one.message) for one in caught]


@command
def report(
    model: options.ModelFile,
    page: Annotated[Path, typer.Argument(help="To write: .html, .md or .json.")],
    title: Annotated[str | None, typer.Option(help="Heading of the page.")] = None,
    figure: Annotated[
        list[str] | None,
        typer.Option(help="PNG or JPEG, as PATH or CAPTION=PATH; often."),
    ] = None,
    card: Annotated[
        Path | None, typer.Option(help="JSON with fields of the deployment card.")
    ] = None,
    signed_by: options.SignedBy = None,
    force: options.Force = False,
    json: options.Json = False,
):
    """Write a page for whoever has to approve a model."""
    output(page, (".html", ".md", ".json"), force)
    figures = dict(map(_captioned, figure)) if figure else None
    fields = None if card is None else json_module.loads(card.read_text("utf-8"))
    key = public_key(signed_by)
    made = report_of(model, title=title, card=fields, figures=figures, signed_by=key)
    made.save(page)
    data = made.to_dict()
    if json:
        names = ("private", "not_private", "card_missing")
        as_json({"page": str(page), **{name: data[name] for name in names}})
        return
    headline(f"{data['estimator']}: {made.promise}", not made.private)
    typer.echo(f"The report is in {page}.")


def _captioned(text: str) -> tuple[str, str]:
    caption, equals, path = text.partition("=")
    return (caption, path) if equals else (Path(text).stem, text)
