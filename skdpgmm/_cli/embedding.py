"""The command that embeds: what comes out is as private as what went in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from skdpgmm._cli import options
from skdpgmm._cli.items import Items, Pixels, images_of, texts_of
from skdpgmm._cli.refusals import command, output, records, refuse
from skdpgmm._cli.screen import as_json
from skdpgmm._cli.tables import SUFFIXES, Writer
from skdpgmm._cli.watching import bar

# Items that are embedded at a time, in batches.
_BLOCK = 1024


class Pooling(StrEnum):
    """What makes one vector of an output of more dimensions."""

    mean = "mean"
    max = "max"
    cls = "cls"


@command
def embed(
    source: Annotated[
        Path, typer.Argument(help="Folder of images, or .csv or .parquet of texts.")
    ],
    rows: Annotated[Path, typer.Argument(help="Rows to write: .parquet or .npz.")],
    encoder: Annotated[
        str,
        typer.Option(
            help="Folder of a model of transformers; file: .onnx, .pt or .ts; or "
            "package.module:object."
        ),
    ],
    preprocess: Annotated[
        str | None, typer.Option(help="package.module:object, of a list of items.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side of images, in pixels; 224 unless told.")
    ] = None,
    gray: Annotated[bool, typer.Option("--gray", help="One channel.")] = False,
    text: Annotated[str | None, typer.Option(help="Column of texts.")] = None,
    label: Annotated[str | None, typer.Option(help="Column of labels.")] = None,
    person: Annotated[str | None, typer.Option(help="Column of ids.")] = None,
    pooling: Annotated[Pooling | None, typer.Option(help="Of feature maps.")] = None,
    batch_size: Annotated[int, typer.Option(help="Items in a batch.")] = 64,
    force: options.Force = False,
    json: options.Json = False,
):
    """Embed images or texts with a public encoder; nothing is downloaded.

    Images in folders of a folder have the name of theirs as their label. The encoder
    must not have learned from the records. Rows are not private yet.
    """
    output(rows, SUFFIXES, force)
    if (size is not None and size < 1) or batch_size < 1:
        refuse("--size and --batch-size must be at least 1.")
    with records("Reading"):
        items = _items(source, text, label, person)
    passed: dict[str, Any] = {"batch_size": batch_size}
    if pooling is not None:
        passed["pooling"] = pooling.value
    if Path(encoder).is_dir():
        if preprocess is not None or size is not None or gray:
            refuse(
                "--preprocess, --size and --gray are for an encoder without a "
                "preprocessing of its own, and a folder of a model has one."
            )
        transformer = _pretrained(encoder, text is not None, passed)
    else:
        if preprocess is None and text is not None:
            refuse("--preprocess is needed, to make numbers of texts.")
        transformer = _loaded(encoder, preprocess, Pixels(size or 224, gray), passed)
    n_features = 0
    # How many there are is private, and so no part of what is said.
    with Writer(rows) as writer, bar("embedding", len(items.items)) as done:
        for block in items.blocks(_BLOCK):
            with records("Embedding"):
                Z = transformer.transform(block.items)
                writer.write(Z, _columns(block, label, person))
            n_features = Z.shape[1]
            done(len(block.items))
    if json:
        as_json({"rows": str(rows), "n_features": n_features, "private": False})
        return
    typer.echo(f"Rows of {n_features} features are in {rows}.")
    typer.echo("They are as private as what they were made of.")


def _pretrained(folder: str, texts: bool, passed: dict[str, Any]) -> Any:
    from skdpgmm import ImageEncoder, TextEncoder

    encoder = (TextEncoder if texts else ImageEncoder)(folder, **passed)
    # With something that is no record, of which what it raises may be shown.
    made_up = "a text" if texts else np.zeros((32, 32, 3), np.uint8)
    return encoder.fit([made_up])


def _loaded(name: str, preprocess, usual: Pixels, passed: dict[str, Any]) -> Any:
    from skdpgmm import TorchEmbeddingTransformer
    from skdpgmm._embedding.encoder_file import encoder_named, imported

    given = usual if preprocess is None else imported(preprocess)
    transformer = TorchEmbeddingTransformer(
        encoder_named(name), preprocess=given, **passed
    )
    transformer._validate_params()
    return transformer


def _items(source: Path, text, label, person) -> Items:
    if source.is_dir():
        if any((text, label, person)):
            refuse("--text, --label and --person are for columns of files.")
        return images_of(source)
    if not source.is_file():
        refuse(f"{source} is not there.")
    if text is None:
        refuse(f"--text is needed, the column of texts of {source}.")
    return texts_of(source, text, label, person)


def _columns(block: Items, label: str | None, person: str | None) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if block.labels is not None:
        columns[label or "label"] = block.labels
    if block.persons is not None and person is not None:
        columns[person] = block.persons
    return columns
