"""Runs one mechanism in its own environment; `benchmarks.referees` starts it.

Arguments: a module of mechanisms, the name of one, what to do with it, how many times,
and a file for numbers. The last line that it prints is JSON.

``record`` gives the additions of noise to dp-recorder, whose ``src`` folder is on the
path: a run on the one data set is recorded, and one on the other replayed, with the
same releases. ``sample``, ``scores`` and ``canaries`` only write numbers.
"""

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import sys
import time
import types
import warnings
from pathlib import Path

import numpy as np

# Draws of each addition of noise.
N_SAMPLES = 2000


class Watch:
    """Additions of noise, given to an auditor."""

    def __init__(self, recorder, trusted):
        self.recorder, self.trusted = recorder, trusted
        self._inside = False

    def inner(self):
        """Whether a mechanism is called by another that is watched."""
        return self._inside

    def __call__(self, kind, noisy, value, metric, sensitivity, scale, law=None):
        """Return what a mechanism returns, or returned before."""
        account = {"gaussian": gaussian}.get(law) if self.trusted else None

        @self.recorder.audit_spec(
            kind=kind,
            input_arg="value",
            sensitivity_arg="sensitivity",
            metric_fn=metric,
            accountant=account,
        )
        def mechanism(value, sensitivity, scale):
            self._inside = True
            try:
                return noisy(value)
            finally:
                self._inside = False

        return mechanism(value=value, sensitivity=sensitivity, scale=scale)


def gaussian(sensitivity, scale):
    """Return the losses of a Gaussian mechanism, as Google's accountant has them."""
    from dp_accounting.pld import privacy_loss_distribution as losses

    return losses.from_gaussian_mechanism(scale, sensitivity=sensitivity)


def recorded(mechanism, sampled):
    """Return what dp-recorder says, of noise as it is declared or as it is drawn."""
    # Figures, which need packages of their own.
    figures = types.ModuleType("dp_recorder.visualization")
    sys.modules["dp_recorder.visualization"] = figures
    recorder = importlib.import_module("dp_recorder.auditing")
    mechanism.hook(watch := Watch(recorder, not sampled), watch.inner)
    auditor, said = recorder.Auditor(), {}
    try:
        with auditor:
            mechanism.fit(mechanism.pair[0], 0)
        auditor.set_replay()
        with auditor:
            mechanism.fit(mechanism.pair[1], 0)
        said["calls"] = len(auditor.log)
        said["replayed"] = auditor._cursor
        said["attained"] = max(map(attained, auditor.log))
        auditor.validate_records()
        if sampled:
            auditor.run_distributional_audit(n_samples=N_SAMPLES, alpha=0.05)
            bounds = [one.empirical_epsilon_lb for one in auditor.log]
            said["epsilon"] = max(bounds)
        elif all(entry.pld_trusted is not None for entry in auditor.log):
            auditor.compute_overall_pld()
            delta = mechanism.claim["delta"]
            said["epsilon"] = auditor.get_overall_current_guarantee(delta)
    except (AssertionError, RuntimeError) as error:  # as dp-recorder raises them
        said["fault"] = f"{type(error).__name__}: {error}".splitlines()[:2]
    return said


def attained(entry):
    """Return how much of the declared sensitivity the neighbours attain."""
    if entry.inputs_dp is None:
        return 0.0
    one, other = (entry.inputs_d["value"], entry.inputs_dp["value"])
    distance = entry.metric_fn(*map(np.atleast_1d, (one, other)))
    return distance / entry.sensitivity_val


def numbers(mechanism, what, n):
    """Return arrays of runs without the record, or of the one, and with it."""
    if what != "sample":
        return getattr(mechanism, what)(n)
    seeds = [None] * n
    return [
        np.array([mechanism.sample(data, seed) for seed in seeds])
        for data in mechanism.pair
    ]


def mechanisms(module):
    """Return what a file beside this one has, which may be named as its package."""
    name = f"refereed_{module}"
    path = Path(__file__).with_name(f"{module}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found.MECHANISMS


def versions():
    """Versions of what may matter, as far as it is installed here."""
    found = {}
    for name in ("skdpgmm", "diffprivlib", "opendp", "dpmm", "dp-accounting", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def main():
    module, name, what, n, path = sys.argv[1:]
    # A peer that prints must not do so into the answer.
    answer_to = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    try:
        own = mechanisms(module)[name]()
        start = time.perf_counter()
        said = {"claim": own.claim, "versions": versions()}
        if what.startswith("record"):
            said |= recorded(own, what == "record sampled")
        else:
            out, there = numbers(own, what, int(n))
            np.savez(path, out=out, there=there)
        said["seconds"] = time.perf_counter() - start
    except NotImplementedError as error:
        said = {"failure": f"not run: {error}"}
    except Exception as error:
        said = {"failure": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), file=answer_to, flush=True)


if __name__ == "__main__":
    main()
