"""Without typer there is one line that says what to install."""

import builtins

import pytest

from skdpgmm._cli.main import main


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_what_is_missing_is_said_in_one_line(missing, monkeypatch):
    found = builtins.__import__

    def lacking(name, *args, **kwargs):
        if name.partition(".")[0] == missing:
            raise ImportError(name)
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(SystemExit) as raised:
        main()
    assert raised.value.code == (
        "skdpgmm needs typer and rich: pip install 'skdpgmm[cli]'"
    )


def test_it_runs_the_commands(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["skdpgmm", "--version"])
    with pytest.raises(SystemExit) as raised:
        main()
    assert raised.value.code == 0
    assert capsys.readouterr().out.strip()
