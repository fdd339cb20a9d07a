"""Events in memory and in a file: none lost, none seen twice, and damage shows."""

import os
import pickle
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from skdpgmm._estimators import budget_file
from skdpgmm._estimators.budget_file import EventsInFile, EventsInMemory

ROOT = Path(__file__).parents[2]
FIRST = {"event": "opened", "id": "one", "epsilon": float("inf")}


@pytest.fixture(params=["memory", "file"])
def events(request, tmp_path):
    if request.param == "memory":
        return EventsInMemory(FIRST)
    return new_file(tmp_path / "a budget?#%.sqlite")


def new_file(path, n_more=0):
    events = EventsInFile(str(path))
    events.create(FIRST)
    for i in range(n_more):
        events.add(lambda before, i=i: {"event": "more", "i": i, "n": len(before)})
    return events


# --------------------------------------------------------------------------
# One after the other
# --------------------------------------------------------------------------


def test_events_are_read_as_they_were_added(events):
    assert events.read() == [FIRST]
    seen = []

    def step(before):
        seen.append(before)
        return {"event": "ä \ud800 \u2028", "mu": 0.1 + 0.2}

    events.add(step)
    assert seen == [[FIRST]]
    assert events.read() == [FIRST, {"event": "ä \ud800 \u2028", "mu": 0.1 + 0.2}]


def test_what_is_refused_is_not_added(events):
    def refuse(before):
        raise RuntimeError("too much")

    with pytest.raises(RuntimeError, match="too much"):
        events.add(refuse)
    assert events.read() == [FIRST]
    events.add(lambda before: {"n": len(before)})
    assert events.read() == [FIRST, {"n": 1}]


def test_many_threads_lose_nothing(events):
    def add():
        for _ in range(5):
            events.add(lambda before: {"n": len(before)})

    threads = [threading.Thread(target=add) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event["n"] for event in events.read()[1:]] == list(range(1, 101))


def test_a_forked_process_has_no_account_in_memory(monkeypatch):
    events = EventsInMemory(FIRST)
    process = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: process + 1)
    with pytest.raises(RuntimeError, match="in memory is that of one process"):
        events.read()
    with pytest.raises(RuntimeError, match="give path="):
        events.add(lambda before: FIRST)


# --------------------------------------------------------------------------
# The file
# --------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_only_the_owner_reads_it_and_nothing_else_is_left(tmp_path):
    old = os.umask(0)
    try:
        new_file(tmp_path / "budget", 2)
    finally:
        os.umask(old)
    assert os.listdir(tmp_path) == ["budget"]
    assert stat.S_IMODE((tmp_path / "budget").stat().st_mode) == 0o600


def test_a_file_that_is_there_is_left_as_it_is(tmp_path):
    new_file(tmp_path / "budget", 3)
    again = EventsInFile(str(tmp_path / "budget"))
    again.create({"event": "opened", "id": "two"})
    assert len(again.read()) == 4
    assert again.read()[0] == FIRST


def test_a_file_that_comes_meanwhile_is_left_as_it_is(tmp_path, monkeypatch):
    """Both have seen that there is none; the second one finds that of the first."""
    path = tmp_path / "budget"
    second, create = EventsInFile(str(path)), budget_file._append

    def slow(*args):
        monkeypatch.setattr(budget_file, "_append", create)
        new_file(path, 1)
        create(*args)

    monkeypatch.setattr(budget_file, "_append", slow)
    second.create({"event": "opened", "id": "two"})
    assert second.read()[0] == FIRST and len(second.read()) == 2
    assert os.listdir(tmp_path) == ["budget"]


def test_a_file_that_is_gone_is_not_made_anew(tmp_path):
    events = new_file(tmp_path / "budget", 1)
    os.unlink(tmp_path / "budget")
    for use in (events.read, lambda: events.add(lambda before: FIRST)):
        with pytest.raises(FileNotFoundError, match="hand back what was spent"):
            use()
    assert not (tmp_path / "budget").exists()


def test_a_file_that_others_hold_is_waited_for(tmp_path, monkeypatch):
    events = new_file(tmp_path / "budget")
    monkeypatch.setattr(budget_file, "_SECONDS", 0.05)

    def hold(before):
        with pytest.raises(TimeoutError, match=r"held by others.*nothing was spent"):
            events.add(lambda before: {"event": "second"})
        return {"event": "first"}

    events.add(hold)
    assert [event["event"] for event in events.read()] == ["opened", "first"]


def test_a_file_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    events = new_file(tmp_path / "budget")
    connect = sqlite3.connect

    def reading_only(name, **options):
        return connect(name.replace("mode=rw", "mode=ro"), **options)

    monkeypatch.setattr(sqlite3, "connect", reading_only)
    with pytest.raises(OSError, match="cannot be read or written"):
        events.add(lambda before: FIRST)


# --------------------------------------------------------------------------
# Damage
# --------------------------------------------------------------------------


def refused(path, why="is no budget, or is damaged|is damaged|is of version"):
    with pytest.raises((ValueError, OSError), match=why) as caught:
        EventsInFile(str(path)).read()
    assert str(path) in str(caught.value)


def test_a_file_that_was_cut_is_refused_wherever(tmp_path):
    path = tmp_path / "budget"
    whole = new_file(path, 40).read()
    content = path.read_bytes()
    for length in [0, 1, 16, 100, *range(512, len(content), 512), len(content) - 1]:
        path.write_bytes(content[:length])
        refused(path)
    path.write_bytes(content)
    assert EventsInFile(str(path)).read() == whole


def test_a_byte_that_was_changed_shows_or_does_not_matter(tmp_path):
    path = tmp_path / "budget"
    whole = new_file(path, 40).read()
    content, rng = path.read_bytes(), random.Random(0)
    n_refused = 0
    # Every byte of the header, and some of all the others.
    for place in [*range(100), *rng.sample(range(100, len(content)), 300)]:
        changed = bytearray(content)
        changed[place] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        try:
            found = EventsInFile(str(path)).read()
        except (ValueError, OSError):
            n_refused += 1
            continue
        assert found == whole
    assert n_refused > 100


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET event = replace(event, '\"i\": 3', '\"i\": 4')",
        "DELETE FROM events WHERE number = 5",
        "DELETE FROM events WHERE number = (SELECT max(number) FROM events)",
        "DELETE FROM events",
        "DELETE FROM head",
        "UPDATE events SET number = 50 WHERE number = 6",
        "UPDATE events SET event = NULL WHERE number = 2",
        "UPDATE events SET digest = NULL WHERE number = 2",
        "UPDATE events SET event = 7 WHERE number = 2",
        "DROP TABLE events",
        "DROP TABLE head",
        "PRAGMA application_id = 0",
    ],
)
def test_events_that_were_changed_are_refused(tmp_path, damage):
    path = tmp_path / "budget"
    new_file(path, 5)
    change(path, damage)
    refused(path, "damaged")
    with pytest.raises(ValueError, match="damaged"):
        EventsInFile(str(path)).add(lambda before: FIRST)


def change(path, statement):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("version", [0, 2])
def test_another_version_is_refused(tmp_path, version):
    new_file(tmp_path / "budget", 1)
    change(tmp_path / "budget", f"PRAGMA user_version = {version}")
    refused(
        tmp_path / "budget", f"is of version {version} of its format, and 1 is read"
    )


@pytest.mark.parametrize("content", [b"", b"epsilon: 1\n", b"SQLite format 3\0", None])
def test_another_file_is_refused_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "budget"
    if content is None:
        change(path, "CREATE TABLE events (number INTEGER, event TEXT, digest TEXT)")
        content = path.read_bytes()
    path.write_bytes(content)
    EventsInFile(str(path)).create(FIRST)
    refused(path)
    assert path.read_bytes() == content


# --------------------------------------------------------------------------
# Many processes
# --------------------------------------------------------------------------

ADDING = """
import sys
from skdpgmm._estimators.budget_file import EventsInFile

events = EventsInFile(sys.argv[1])
for _ in range(int(sys.argv[2])):
    events.add(lambda before: {"n": len(before), "by": sys.argv[3]})
    print(len(events.read()), flush=True)
"""


def adding(path, times, by):
    """Start a process that adds events and says how many there are."""
    options = [sys.executable, "-c", ADDING, str(path), str(times), str(by)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(options, stdout=subprocess.PIPE, env=env, text=True)


def test_a_process_that_is_killed_leaves_what_it_has_added(tmp_path):
    path = tmp_path / "budget"
    events = new_file(path)
    for by in range(3):
        before = len(events.read())
        process = adding(path, 10**6, by)
        told = [int(process.stdout.readline()) for _ in range(3 + by)]
        process.kill()
        process.communicate()
        found = events.read()
        # All that it has told of, and at most what it was just about to tell.
        assert told[-1] <= len(found)
        assert [event["n"] for event in found[before:]] == list(
            range(before, len(found))
        )
        assert {event["by"] for event in found[before:]} == {str(by)}


def test_paths_are_all_that_is_pickled(tmp_path):
    events = new_file(tmp_path / "budget", 1)
    assert pickle.loads(pickle.dumps(events)).read() == events.read()
