"""How time and memory of fits grow, for `benchmarks.scaling`."""

import math
import multiprocessing
import tempfile
from pathlib import Path

import numpy as np
from joblib import parallel_config
from threadpoolctl import threadpool_limits

from benchmarks.asv.rows import clusters
from benchmarks.common.timing import seconds
from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)


def measured(name, **params):
    """Time and peak memory of one fit, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(theirs, name, params))
    process.start()
    found = ours.recv()
    process.join()
    return found


def _measure(pipe, name, params):
    n, d, k, threads = (params[key] for key in ("n", "d", "k", "n_jobs"))
    X, y = clusters(n, d, k)
    fits = {
        "k-means": lambda: DPKMeans(k, n_jobs=threads).fit(X),
        "mixture": lambda: DPGaussianMixture(k, n_jobs=threads).fit(X),
        "synthesizer": lambda: DPEmbeddingSynthesizer(n_jobs=threads).fit(X, y),
        "head": lambda: DPLogisticRegression(n_jobs=threads).fit(X, y),
    }
    before = peak_megabytes()
    spent = min(seconds(fits[name]) for _ in range(1 if n > 10**6 else 2))
    pipe.send({"seconds": spent, "more_megabytes": peak_megabytes() - before})


BASE = {"n": 100_000, "d": 64, "k": 10, "n_jobs": None}
GROWTH = {
    "n": ("k-means", {"d": 32}, [10**5, 3 * 10**5, 10**6, 3 * 10**6, 10**7]),
    "d": ("synthesizer", {"n": 50_000}, [64, 128, 256, 512, 1024]),
    "k": ("mixture", {"d": 32}, [2, 5, 10, 20, 40]),
    "classes": ("head", {"d": 256}, [2, 10, 40, 160]),
    "n_jobs": ("synthesizer", {"n": 60_000, "d": 512}, [1, 2]),
}


def slope(points):
    """Exponent of the time between the smallest and the largest."""
    sizes, times = np.log([[size, found["seconds"]] for size, found in points]).T
    return float((times[-1] - times[0]) / (sizes[-1] - sizes[0]))


def growth(largest):
    for axis, (name, fixed, sizes) in GROWTH.items():
        points = []
        for size in sizes:
            if axis == "n" and size > largest:
                continue
            key = "k" if axis == "classes" else axis
            found = measured(name, **{**BASE, **fixed, key: size})
            points.append((size, found))
            print(
                f"{name:>12}  {axis} = {size:>10,}  {found['seconds']:8.2f} s  "
                f"{found['more_megabytes']:8.0f} MB more",
                flush=True,
            )
        print(f"{'':>12}  exponent of the time in {axis}: {slope(points):.2f}")
        yield axis, {"fit": name, "points": points, "exponent": slope(points)}


FORECAST = {
    "k-means": lambda X, y: DPKMeans(10).fit(X),
    "synthesizer, plain": lambda X, y: DPEmbeddingSynthesizer(label_model=False).fit(
        X, y
    ),
    "synthesizer": lambda X, y: DPEmbeddingSynthesizer().fit(X, y),
}


def forecast(n=10**9, d=768, cores=256, sizes=(20_000, 80_000)):
    """Cost of a fit by what each row more costs one core, and what a fit costs at all.

    Both sizes have the same passes, and so has any larger one.
    """
    found = {}
    for name in FORECAST:
        small, large = (_measured_alone(name, size, d) for size in sizes)
        per_row = (large["seconds"] - small["seconds"]) / (sizes[1] - sizes[0])
        found[name] = row = {
            "microseconds a row": 1e6 * per_row,
            "seconds besides": small["seconds"] - sizes[0] * per_row,
            "passes": large["passes"],
            "core hours": n * per_row / 3600.0,
            "minutes": n * per_row / cores / 60.0,
            "terabytes of rows": 4.0 * n * d / 1e12,
            "terabytes held beside them": 4.0 * n * large["held"] / 1e12,
            "megabytes of sums from a chunk": large["megabytes"],
        }
        print(
            f"{name:>20}, {n:.0e} rows of {d} on {cores} cores: "
            + "  ".join(f"{key} {value:.3g}" for key, value in row.items()),
            flush=True,
        )
    return found


def _measured_alone(name, n, d):
    """Time on one core, passes and size of the sums of one fit."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_fit_alone, (name, n, d))


def _fit_alone(name, n, d):
    X, y = clusters(n, d)
    models = []
    with parallel_config(n_jobs=1), threadpool_limits(1):
        spent = min(
            seconds(lambda: models.append(FORECAST[name](X, y))) for _ in range(2)
        )
    ledger = models[0].privacy_.ledger
    numbers = sum(math.prod(entry.shape) for entry in ledger)
    releases = {entry.name.split(":")[0] for entry in ledger}
    heads = (e.shape[1] - 1 for e in ledger if e.name.startswith("head step"))
    return {
        "seconds": spent,
        "passes": len(releases),
        "held": max(heads, default=0),  # numbers a row
        "megabytes": numbers * 16 / 1e6,  # two words of 8 bytes each
    }


def memory_map(gigabytes):
    """Peak memory of a fit to rows in a file."""
    d = 256
    n = int(gigabytes * 2**30 / (4 * d))
    with tempfile.NamedTemporaryFile(suffix=".dat") as file:
        X = np.memmap(file.name, np.float32, "w+", shape=(n, d))
        for start in range(0, n, 100_000):
            rows = X[start : start + 100_000]
            rows[:] = clusters(len(rows), d, seed=0)[0]
        X.flush()
        del X
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_fit_file, args=(theirs, file.name, n, d))
        process.start()
        found = ours.recv()
        process.join()
    print(f"memory map of {gigabytes} GB: {found}")
    return found


def _fit_file(pipe, path, n, d):
    X = np.memmap(path, np.float32, "r", shape=(n, d))
    spent = seconds(lambda: DPKMeans(10).fit(X))
    peak = peak_megabytes(without="RssFile")
    pipe.send({"seconds": spent, "peak_megabytes": peak, "rows": n})


def peak_megabytes(without=None):
    """Peak of the resident memory of this process, less what the field says."""
    # Not `resource`: its peak is that of the parent when this process was made.
    status = Path("/proc/self/status").read_text().splitlines()
    kilobytes = {line.split(":")[0]: line.split()[1:2] for line in status}
    found = int(kilobytes["VmHWM"][0])
    return (found - int(kilobytes[without][0]) if without else found) / 1024


def draw(results, path):
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter

    curves = results["growth"]
    figure, axes = plt.subplots(1, len(curves), figsize=(3 * len(curves), 3.2))
    for panel, (axis, found) in zip(axes, curves.items(), strict=True):
        sizes = [size for size, _ in found["points"]]
        times = [point["seconds"] for _, point in found["points"]]
        panel.loglog(sizes, times, "o-")
        title = f"{found['fit']}\n{times[0]:.2g} s to {times[-1]:.2g} s"
        if axis == "n":
            title += f", exponent {found['exponent']:.2f}"
        panel.set_title(title, size=9)
        panel.set_xlabel(axis)
        panel.set_xticks(sizes, [f"{size:,}" for size in sizes], size=8, rotation=30)
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.grid(alpha=0.3)
    axes[0].set_ylabel("seconds")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
