"""Times of calls: alone, or of several in turn."""

import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning


def seconds(function, wait=None):
    """Return the time of one call, with what it leaves to a device when `wait` does."""
    with warnings.catch_warnings():
        # scikit-learn stops at 100 passes when it has not converged by then.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if wait is not None:
            wait()
        start = time.perf_counter()
        function()
        if wait is not None:
            wait()
        return time.perf_counter() - start


def in_turn(functions, repeats, warm_up=True):
    """Return the times of several functions by name, taken in turn.

    The first time of each is left out when `warm_up`: code is compiled then, and
    memory is fetched.
    """
    times = {name: [] for name in functions}
    for _ in range(repeats + warm_up):
        for name, function in functions.items():
            times[name].append(seconds(function))
    return {name: spent[warm_up:] for name, spent in times.items()}


def ratio(function, other, repeats):
    """Return the median times of two functions in turn, and their ratio."""
    # Once is enough for what takes minutes.
    functions = {"seconds": function, "other": other}
    times = in_turn(functions, repeats, warm_up=repeats > 1)
    found = {name: float(np.median(spent)) for name, spent in times.items()}
    return {**found, "ratio": found["seconds"] / found["other"]}
