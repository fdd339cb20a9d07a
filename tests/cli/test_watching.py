"""Somebody sees how far a fit is, by names of releases; others see nothing."""

import io

import pytest
from private_fits import make_data
from rich.console import Console

from skdpgmm import DPKMeans
from skdpgmm._cli import watching
from skdpgmm._cli.watching import Releases, bar, watched


def test_names_of_releases_are_told_in_order():
    told = []
    kmeans = DPKMeans(2, epsilon=3.0)
    kmeans.set_callbacks(Releases(lambda *one: told.append(one)))
    kmeans.fit(make_data(300, 3)[0])
    names = list(dict.fromkeys(e.name.split(": ")[0] for e in kmeans.privacy_.ledger))
    assert [name for _, name in told] == names
    assert [number for number, _ in told] == list(range(1, len(names) + 1))


@pytest.mark.parametrize("seen", [True, False])
def test_only_a_terminal_shows_it(seen, monkeypatch):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=seen, width=80)
    monkeypatch.setattr(watching, "errors", lambda: console)
    X = make_data(300, 3)[0]
    kmeans = DPKMeans(2, epsilon=3.0)
    with watched(kmeans):
        kmeans.fit(X)
    with bar("embedding", 10) as done:
        done(10)
    assert bool(stream.getvalue()) is seen
    assert ("embedding" in stream.getvalue()) is seen
