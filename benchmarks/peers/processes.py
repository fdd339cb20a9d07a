"""Peers that are fitted in a process and an environment of their own.

What skdpgmm needs and what a peer needs may not go together, so that an environment is
made for the peer on first use, in the cache folder.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

DIFFPRIVLIB = ("diffprivlib==0.6.6", "scikit-learn==1.5.*")
# Importing a peer takes seconds, and more where nothing is compiled yet.
START_LIMIT = 120.0
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


class PeerError(Exception):
    """A peer is not there, raised an error, or took too long."""


class Peer(NamedTuple):
    """A peer: its name in tables, and the command that runs it."""

    name: str
    command: tuple


def environment(cache, name, packages):
    """Return the Python of an environment, made where there is none."""
    folder = Path(cache) / name
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    complete = folder / "complete"
    if not complete.exists():
        print(f"Making an environment for {name} ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "-q")
        try:
            for command in ((sys.executable, "-m", "venv", folder), (*pip, *packages)):
                subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise PeerError(f"cannot be installed: {_last_line(error)}") from error
        complete.touch()
    return python


def _last_line(error):
    """Return what a failed command said last."""
    said = (getattr(error, "stderr", None) or "").strip()
    return said.splitlines()[-1] if said else str(error)


class Worker:
    """A process that fits one peer, started again after it was stopped."""

    def __init__(self, peer, limit):
        self.peer, self.limit = peer, limit
        self.process = self.versions = None

    def start(self):
        """Start the process, and wait until the peer is imported."""
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        self.process = subprocess.Popen(
            self.peer.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environ | ONE_THREAD,
        )
        try:
            self.versions = self._exchange("", START_LIMIT)["versions"]
        except PeerError:
            self.stop()
            raise

    def stop(self):
        """End the process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def ask(self, **request):
        """Send one request and return the answer; `PeerError` when there is none."""
        if self.process is None:
            self.start()
        return self._exchange(json.dumps(request) + "\n", self.limit)

    def _exchange(self, line, limit):
        process, late = self.process, threading.Event()

        def give_up():
            late.set()
            process.kill()

        timer = threading.Timer(limit, give_up)
        timer.start()
        try:
            process.stdin.write(line)
            process.stdin.flush()
            reply = process.stdout.readline()
        except OSError:  # a pipe that is closed
            reply = ""
        finally:
            timer.cancel()
        if late.is_set() or not reply:
            self.stop()
            raise PeerError(f"over {limit:g} s" if late.is_set() else "process died")
        reply = json.loads(reply)
        if "failure" in reply:
            raise PeerError(reply["failure"])
        return reply
