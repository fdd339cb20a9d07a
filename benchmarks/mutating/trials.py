"""Runs of tests on a copy of the package, each in a fork of one warm process."""

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("skdpgmm", "tests", "benchmarks", "docs", "pyproject.toml", "README.md")
# What the tests import, and is no part of what is changed.
WARM = (
    "sklearn.cluster",
    "sklearn.linear_model",
    "sklearn.mixture",
    "scipy.stats",
    "mpmath",
    "dp_accounting",
    "pandas",
    "opendp.prelude",
    "randomgen",
)
# Of address space, which a changed constant may ask for.
MOST_BYTES = 12 * 2**30


class FirstFailure:
    """A plugin that writes the name of the first test that fails, or cannot be read.

    Tests that were quick when all passed come first, and those that draw their examples
    look for no simpler one than the first that fails.
    """

    def __init__(self, pipe, seconds):
        self._pipe, self._file = pipe, seconds
        self._seconds = json.loads(seconds.read_text()) if seconds.exists() else {}

    def pytest_configure(self):
        from hypothesis import Phase, settings  # pytest is the first to import it

        settings.register_profile("as found", phases=[Phase.explicit, Phase.generate])
        settings.load_profile("as found")

    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: self._seconds.get(item.nodeid, 0.0))

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self._seconds[report.nodeid] = report.duration
        if report.failed:
            os.write(self._pipe, report.nodeid.encode() + b"\n")

    def pytest_collectreport(self, report):
        if report.failed:
            os.write(self._pipe, f"{report.nodeid} (import)\n".encode())

    def pytest_sessionfinish(self, exitstatus):
        if exitstatus == 0:
            self._file.write_text(json.dumps(self._seconds))


class Copy:
    """A copy of the package and its tests, in which one module may be changed."""

    def __init__(self):
        for module in WARM:
            __import__(module)
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name)
        no_caches = shutil.ignore_patterns("__pycache__", "_build", "*.npz")
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.root / name, ignore=no_caches)
            else:
                shutil.copy(ROOT / name, self.root)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._folder.cleanup()

    def first_failure(self, module, source, tests, seconds):
        """Return the first test that fails with this text as a module, or None."""
        path = self.root / module
        kept = path.read_text()
        path.write_text(source)
        try:
            return self._forked(tests, seconds)
        finally:
            path.write_text(kept)

    def _forked(self, tests, seconds):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            os._exit(self._run(tests, writing))
        os.close(writing)
        end = time.monotonic() + seconds
        found, status = 0, 0
        while not found and time.monotonic() < end:
            found, status = os.waitpid(child, os.WNOHANG)
            time.sleep(0.02)
        # Whatever the tests have started is of the group of the child.
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if not found:
            os.waitpid(child, 0)
            os.close(reading)
            return f"more than {seconds:.0f} s"
        with os.fdopen(reading) as pipe:
            failed = pipe.readline().strip()
        if os.waitstatus_to_exitcode(status) == 0:
            return None
        return failed or f"exit status {os.waitstatus_to_exitcode(status)}"

    def _run(self, tests, writing):
        os.setpgid(0, 0)
        sys.dont_write_bytecode = True
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.chdir(self.root)
        # The package of the copy is another.
        for name in [*sys.modules]:
            if name.partition(".")[0] in ("skdpgmm", "benchmarks"):
                del sys.modules[name]
        sys.path[:] = [
            str(self.root),
            *(place for place in sys.path if place not in ("", str(ROOT))),
        ]
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        try:
            plugin = FirstFailure(writing, self.root / "seconds.json")
            return int(pytest.main([*options, *tests], plugins=[plugin]))
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}\n".encode())
            return 1
