"""Where the events of a budget are kept: in memory, or in a file that many share.

An event is a dict that JSON can write. Events are only ever added, one at a time, by
whoever has seen all before it: `add` holds everybody else off meanwhile.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

Event = dict[str, Any]
Step = Callable[[list[Event]], Event]

VERSION = 1
# "dpbu": tells these files from other ones of SQLite.
_APPLICATION = 0x64706275
_SECONDS = 120.0
_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE events (number INTEGER PRIMARY KEY, event TEXT, digest TEXT);
CREATE TABLE head (number INTEGER, digest TEXT);
"""
_DAMAGED = (
    sqlite3.SQLITE_ERROR,  # such as a table that is not there
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_CONSTRAINT,
)


class EventsInMemory:
    """Events of one process, for all of its threads."""

    path = None

    def __init__(self, first: Event):
        self._events = [first]
        self._lock = threading.Lock()
        self._process = os.getpid()

    def read(self) -> list[Event]:
        """Return all events."""
        # A process that forks has a copy, of which the first one knows nothing.
        if os.getpid() != self._process:
            raise RuntimeError(
                "a budget that is kept in memory is that of one process, and this is "
                "another: give path=, so that both have one account."
            )
        with self._lock:
            return list(self._events)

    def add(self, step: Step) -> None:
        """Add what a function of all events returns, or nothing where it raises."""
        self.read()
        with self._lock:
            self._events.append(step(list(self._events)))


class EventsInFile:
    """Events in a file of SQLite, for all threads and processes that open it.

    What was added is on the disk before `add` returns. Each event has a digest of
    itself and of that of the event before, so that damage shows.

    Parameters
    ----------
    path : str
        Absolute.
    """

    def __init__(self, path: str):
        self.path = path

    def create(self, first: Event) -> None:
        """Make the file, unless there is one: whole, or not at all."""
        if os.path.lexists(self.path):
            return
        folder = Path(self.path).parent
        # Readable and writable by the owner only.
        handle, name = tempfile.mkstemp(dir=folder, prefix=".budget-")
        os.close(handle)
        try:
            with self._connected(name) as connection:
                connection.executescript(_SCHEMA)
                with _transaction(connection):
                    connection.execute("INSERT INTO head VALUES (0, '')")
                    _append(connection, 0, "", first)
            try:
                os.link(name, self.path)
            except FileExistsError:
                return
            _sync_folder(folder)
        finally:
            os.unlink(name)

    def read(self) -> list[Event]:
        """Return all events."""
        with self._connected(self.path) as connection, _transaction(connection):
            return self._checked(connection)[0]

    def add(self, step: Step) -> None:
        """Add what a function of all events returns, or nothing where it raises."""
        with self._connected(self.path) as connection, _transaction(connection):
            events, digest = self._checked(connection)
            _append(connection, len(events), digest, step(events))

    @contextmanager
    def _connected(self, path) -> Iterator[sqlite3.Connection]:
        """Open the file, which must be there, for one transaction."""
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f"path={self.path!r} is no file any more, or never was: a new budget "
                "there would hand back what was spent of it."
            )
        connection = None
        try:
            connection = sqlite3.connect(
                f"{Path(path).as_uri()}?mode=rw",
                uri=True,
                timeout=_SECONDS,
                isolation_level=None,
            )
            connection.text_factory = bytes
            # On the disk when a transaction is over, and its journal gone too.
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("PRAGMA fullfsync = ON")
            yield connection
        except sqlite3.Error as error:
            raise self._told(error) from error
        finally:
            if connection is not None:
                connection.close()

    def _checked(self, connection) -> tuple[list[Event], str]:
        """Return events and the last digest, or say what is wrong with the file."""
        if _pragma(connection, "application_id") != _APPLICATION:
            raise self._refusal("is no budget, or is damaged")
        version = _pragma(connection, "user_version")
        if version != VERSION:
            raise self._refusal(
                f"is of version {version} of its format, and {VERSION} is read"
            )
        events, digest = [], ""
        rows = connection.execute("SELECT number, event, digest FROM events ORDER BY 1")
        for place, (number, event, stated) in enumerate(rows, 1):
            text = event if isinstance(event, bytes) else b""
            digest = _digest(place, digest, text)
            if number != place or stated != digest.encode():
                raise self._refusal("is damaged")
            events.append(json.loads(text))
        head = connection.execute("SELECT number, digest FROM head").fetchall()
        if not events or head != [(len(events), digest.encode())]:
            raise self._refusal("is damaged")
        return events, digest

    def _refusal(self, why) -> ValueError:
        return ValueError(
            f"path={self.path!r} {why}: nothing can be said of what was spent, and "
            "nothing is."
        )

    def _told(self, error: sqlite3.Error) -> Exception:
        """Return an error of SQLite in other words."""
        # Extended codes have the plain one in their low byte.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in _DAMAGED:
            return self._refusal("is no budget, or is damaged")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return TimeoutError(
                f"path={self.path!r} was held by others for {_SECONDS:g} s; nothing "
                "was spent."
            )
        return OSError(f"path={self.path!r} cannot be read or written: {error}.")


def _pragma(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


@contextmanager
def _transaction(connection):
    """All or nothing, beside nobody else."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _append(connection, n_events, digest, event):
    text = json.dumps(event).encode()
    number = n_events + 1
    row = (number, text.decode(), _digest(number, digest, text))
    connection.execute("INSERT INTO events VALUES (?, ?, ?)", row)
    connection.execute("UPDATE head SET number = ?, digest = ?", (number, row[2]))


def _digest(number, before, text) -> str:
    return blake2b(f"{number} {before} ".encode() + text, digest_size=16).hexdigest()


def _sync_folder(folder):
    """Have the name of a file on the disk, where folders can be opened."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
