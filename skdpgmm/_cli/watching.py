"""Fits and embeddings while they last: a line that says how far they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from skdpgmm._cli.screen import errors


class Releases:
    """A callback of scikit-learn that tells the name of each release, which is public.

    Parameters
    ----------
    tell : callable
        Gets number and name.
    """

    def __init__(self, tell):
        self._tell, self._n = tell, 0

    def setup(self, estimator, context):
        """Do nothing."""

    def teardown(self, estimator, context):
        """Do nothing."""

    def on_fit_task_begin(self, estimator, context):
        """Tell of a release."""
        if context.parent is not None:
            self._n += 1
            self._tell(self._n, context.task_name)

    def on_fit_task_end(self, estimator, context):
        """Go on."""
        return False


@contextmanager
def watched(estimator) -> Iterator[None]:
    """Show what a fit releases, where somebody sees it."""
    console = errors()
    if not console.is_terminal:
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("looking at the rows", total=None)

        def tell(number, name):
            progress.update(task, description=f"release {number}: {name}")

        estimator.set_callbacks(Releases(tell))
        yield


@contextmanager
def bar(what: str, n: int) -> Iterator:
    """Give a function that is told how many more are done."""
    console = errors()
    if not console.is_terminal:
        yield lambda n: None
        return
    columns = (
        TextColumn(what),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=n)
        yield lambda more: progress.advance(task, more)
