"""What goes wrong, in one line and without a record, and what it exits with.

Exit codes: 0 all is well; 1 refused, or a file that fails its checks; 2 usage.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import getdoc
from pathlib import Path
from typing import NoReturn

import typer
from sklearn.utils._param_validation import InvalidParameterError

from skdpgmm import exceptions
from skdpgmm._cli.screen import printable
from skdpgmm.privacy import BudgetExceededError

# Messages about records that quote none of them begin with one of these.
_SAFE = ("Input X contains NaN", "Input X contains infinity", "There are nulls in")
_OURS = tuple(
    one
    for one in vars(exceptions).values()
    if isinstance(one, type) and issubclass(one, Warning)
)


class RefusedError(Exception):
    """Something that is refused, with a message that has no record in it."""


def refuse(message: str) -> NoReturn:
    """Refuse something, in words."""
    raise RefusedError(message)


def command(function):
    """Decorate a command: what it raises is said in one line, and exits with 1."""

    @wraps(function)
    def run(*args, **kwargs):
        try:
            function(*args, **kwargs)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            typer.secho(f"Error: {one_line(error)}", err=True, fg="red")
            raise typer.Exit(1) from None

    # Its lines are those of the terminal, not of the source.
    paragraphs = (getdoc(function) or "").split("\n\n")
    run.__doc__ = "\n\n".join(" ".join(one.split()) for one in paragraphs)
    return run


def one_line(error: BaseException) -> str:
    """Return what an error says, in one line."""
    text, kind = printable(" ".join(str(error).split())), type(error).__name__
    # Of these the text alone says little.
    return f"{kind}: {text}" if isinstance(error, LookupError) or not text else text


@contextmanager
def records(what: str) -> Iterator[list[str]]:
    """A context that reads records: what it raises says nothing of them.

    Messages of errors may quote a value, or the name of a file, that is a record; only
    those that are known to be safe are passed on. It gives the list of what it warns
    of.
    """
    warned: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield warned
        except (RefusedError, InvalidParameterError, BudgetExceededError) as error:
            raise RefusedError(one_line(error)) from None
        except Exception as error:
            text = one_line(error)
            kind = type(error).__name__
            said = text if text.startswith(_SAFE) else f"{kind}, {_HIDDEN}"
            raise RefusedError(f"{what} failed: {said}{_spent(error)}") from None
    # Others may quote a record; ours are functions of releases and parameters.
    warned += [str(one.message) for one in caught if issubclass(one.category, _OURS)]


_HIDDEN = "whose message is not shown, as it may quote a record; Python shows it"


def _spent(error) -> str:
    privacy = getattr(error, "privacy_", None)
    if privacy is None:
        return "."
    return f". It has spent epsilon={privacy.spent_epsilon:.5g} before."


def output(path: Path, suffixes: tuple[str, ...], force: bool) -> Path:
    """Return a path that may be written to, or refuse it."""
    if path.suffix.lower() not in suffixes:
        refuse(f"{path} must end with one of {', '.join(suffixes)}.")
    if path.exists() and not force:
        refuse(f"{path} is there already; --force replaces it.")
    if not path.absolute().parent.is_dir():
        refuse(f"{path.absolute().parent} is no folder.")
    return path
