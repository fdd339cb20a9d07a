"""What goes wrong is said in one line, and never with a record."""

import warnings

import pytest
import typer

from skdpgmm import DPKMeans
from skdpgmm._cli.refusals import RefusedError, command, output, records
from skdpgmm.exceptions import NoiseDominatedWarning

SECRET = "Mrs. Smith"


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, RuntimeError])
def test_messages_about_records_are_hidden(error):
    with pytest.raises(RefusedError) as raised, records("The fit"):
        raise error(f"could not convert {SECRET!r} to float")
    text = str(raised.value)
    assert SECRET not in text
    assert text.startswith("The fit failed: ") and error.__name__ in text
    # Nothing hangs on it that a logger might print.
    assert raised.value.__cause__ is None and raised.value.__suppress_context__


def test_messages_that_quote_nothing_are_shown():
    with pytest.raises(RefusedError, match="Input X contains NaN"), records("The fit"):
        DPKMeans(1).fit([[float("nan")], [0.0]])
    with pytest.raises(RefusedError, match="The 'epsilon' parameter"), records("It"):
        DPKMeans(1, epsilon=-1.0).fit([[0.0], [1.0]])


def test_what_was_spent_is_said():
    error = ZeroDivisionError(SECRET)
    error.privacy_ = DPKMeans(1, epsilon=2.0).fit([[0.0], [1.0]]).privacy_
    spent = "It has spent epsilon=2 before"
    with pytest.raises(RefusedError, match=spent), records("The fit"):
        raise error


def test_only_warnings_of_ours_are_kept():
    with records("The fit") as warned:
        warnings.warn(f"a value {SECRET}", UserWarning, stacklevel=1)
        warnings.warn("all is noise", NoiseDominatedWarning, stacklevel=1)
    assert warned == ["all is noise"]


@pytest.mark.parametrize(
    "error, text",
    [
        (RefusedError("one\n  two"), "one two"),
        (OSError("one"), "one"),
        (SyntaxError("one"), "one"),
        (KeyError("one"), "KeyError: 'one'"),
        (RuntimeError(), "RuntimeError: "),
    ],
)
def test_a_command_says_it_in_one_line_and_exits(error, text, capsys):
    @command
    def fail():
        raise error

    with pytest.raises(typer.Exit) as raised:
        fail()
    assert raised.value.exit_code == 1
    assert capsys.readouterr().err == f"Error: {text}\n"


def test_an_exit_stays_what_it_is():
    @command
    def leave():
        raise typer.Exit(3)

    with pytest.raises(typer.Exit) as raised:
        leave()
    assert raised.value.exit_code == 3


def test_files_are_not_replaced_unless_asked(tmp_path):
    there = tmp_path / "a.npz"
    there.write_text("")
    assert output(there, (".npz",), True) == there
    for path, why in [
        (there, "is there already; --force replaces it"),
        (tmp_path / "a.txt", "must end with one of .npz"),
        (tmp_path / "nowhere" / "b.npz", "is no folder"),
    ]:
        with pytest.raises(RefusedError, match=why):
            output(path, (".npz",), False)


def test_help_has_the_lines_of_the_terminal():
    @command
    def function():
        """Do it.

        A sentence that the source
        breaks in two.
        """

    assert function.__doc__ == "Do it.\n\nA sentence that the source breaks in two."
