"""The way in, where what it needs may not be installed."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        import rich  # noqa: F401
        import typer  # noqa: F401
    except ImportError:
        sys.exit("skdpgmm needs typer and rich: pip install 'skdpgmm[cli]'")
    from skdpgmm._cli.app import app

    app(prog_name="skdpgmm")
