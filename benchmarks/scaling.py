"""What a fit costs: against the arithmetic it needs, and as its input grows.

One command, about ten minutes on two cores::

    python benchmarks/scaling.py

The first table has ratios, each of two times that were taken in turn in this run: a
scatter pass and whole fits over one product ``X.T @ X``, and estimators over those of
scikit-learn, with ``--google`` a checkout of google/differential-privacy over its
clustering too. The second has times and peak memory as the number of rows, features,
components, classes and threads grow one by one, and the exponent of the time in the
number of rows. ``--memory-map 8`` fits k-means to a memory map of 8 GB and tells the
peak memory; ``--dask`` compares two workers of one thread with one, and ``--ray`` a
search over epsilon in two processes of Ray with two of loky.

Results are written as JSON and as a figure beside this file, or to ``--output``.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from joblib import parallel_config
from scipy.linalg.blas import dsyrk
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV

from skdpgmm import (
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
)
from skdpgmm.privacy.grid import Ball
from skdpgmm.privacy.partitions import NearestCell
from skdpgmm.privacy.rows import ArrayRows, Summand
from skdpgmm.privacy.sums import CellMoments

HERE = Path(__file__).resolve().parent
BLOCK = 4096


def clusters(n, d, k=10, seed=0, unit=True):
    """Float32 rows in `k` clusters, on the unit sphere as embeddings are."""
    rng = np.random.default_rng(seed)
    y = rng.integers(k, size=n)
    centers = rng.standard_normal((k, d)).astype(np.float32)
    X = np.empty((n, d), dtype=np.float32)
    # In parts, so that the peak of the memory is not here.
    for start in range(0, n, 10_000):
        part = X[start : start + 10_000]
        rng.standard_normal(dtype=np.float32, out=part)
        part += centers[y[start : start + 10_000]]
        if unit:
            part /= np.linalg.norm(part, axis=1, keepdims=True)
    return X, y


def seconds(function):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        function()
    return time.perf_counter() - start


def ratio(function, other, repeats):
    """Median times of two functions, run in turn after one run of each."""
    pairs = [(seconds(function), seconds(other)) for _ in range(repeats + 1)]
    ours, theirs = np.median(pairs[1:] if repeats > 1 else pairs, axis=0)
    return {"seconds": ours, "other": theirs, "ratio": ours / theirs}


# --- ratios -------------------------------------------------------------------------
def scatter_pass(repeats):
    X, _ = clusters(200_000, 512)
    zero = np.zeros((1, 512))
    cell = NearestCell(zero, np.zeros(1, dtype=np.intp))
    query = CellMoments(Ball(zero[0], 1.2), cell, zero, np.array([1.2]), ("tied",))
    rows = ArrayRows(X, block_size=BLOCK)
    X64 = X.astype(np.float64)

    def arithmetic():
        total = np.zeros((512, 512), order="F")
        for start in range(0, len(X64), BLOCK):
            dsyrk(1.0, X64[start : start + BLOCK].T, 1.0, total, overwrite_c=True)

    def ours():
        rows.sum(Summand(query))

    yield "scatter pass / dsyrk of the blocks", 1.3, ratio(ours, arithmetic, repeats)
    yield "scatter pass / X.T @ X", 1.0, ratio(ours, lambda: X64.T @ X64, repeats)


def whole_fits(repeats):
    X, y = clusters(60_000, 1280)
    X64 = X.astype(np.float64)
    for name, model, limit in (("plain", False, 2.0), ("with label model", True, 3.0)):
        found = ratio(
            lambda model=model: DPEmbeddingSynthesizer(label_model=model).fit(X, y),
            lambda: X64.T @ X64,
            repeats,
        )
        yield f"synthesizer, {name} / X.T @ X", limit, found


def against_scikit_learn(repeats):
    X, _ = clusters(200_000, 64, unit=False)
    X = X.astype(np.float64)
    found = ratio(
        lambda: DPGaussianMixture(10).fit(X), lambda: GaussianMixture(10).fit(X), 1
    )
    yield "mixture / GaussianMixture", 0.1, found
    found = ratio(
        lambda: DPKMeans(10).fit(X), lambda: KMeans(10, n_init=1).fit(X), repeats
    )
    yield "k-means / KMeans", 2.0, found
    small = X[:1000, :10]
    found = ratio(lambda: DPKMeans(3).fit(small), lambda: time.sleep(0.05), 10)
    yield "k-means of 1,000 x 10 / 50 ms", 1.0, found


def sampling(repeats):
    n, d, k = 100_000, 768, 10
    rng = np.random.default_rng(0)
    few = rng.standard_normal((2_000, d))
    ours = DPGaussianMixture(k, epsilon=np.inf, max_iter=0, random_state=0).fit(few)
    theirs = GaussianMixture(k)
    for name in ("weights_", "means_", "covariances_", "precisions_cholesky_"):
        setattr(theirs, name, getattr(ours, name))
    share = 0.02  # it takes minutes for all
    found = ratio(lambda: ours.sample(n), lambda: theirs.sample(int(share * n)), 1)
    found["other"] /= share
    found["ratio"] *= share
    yield "sampling / GaussianMixture.sample", 0.1, found
    factor = np.linalg.cholesky(ours.covariances_[0])

    def arithmetic():
        rng.standard_normal((n, d)) @ factor.T

    found = ratio(lambda: ours.sample(n), arithmetic, repeats)
    yield "sampling / draws and product", 1.5, found


def against_google(checkout):
    import sys

    folder = str(Path(checkout).expanduser().resolve() / "learning")
    sys.path.insert(0, folder)
    sys.modules.pop("clustering", None)
    from clustering import clustering_algorithm as google

    X, _ = clusters(200_000, 64)
    X = X.astype(np.float64)
    found = ratio(
        lambda: DPKMeans(10, clip_norm=1.0).fit(X),
        lambda: google.private_lsh_clustering(
            10,
            google.clustering_params.Data(X, 1.0),
            google.clustering_params.DifferentialPrivacyParam(1.0, 1e-5),
        ),
        1,
    )
    yield "k-means / Google's clustering", 0.05, found


# --- growth -------------------------------------------------------------------------
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
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = min(seconds(fits[name]) for _ in range(1 if n > 10**6 else 2))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pipe.send({"seconds": spent, "more_megabytes": (after - before) / 1024})


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
    peak = _anonymous_peak()
    pipe.send({"seconds": spent, "peak_megabytes": peak, "rows": n})


def _anonymous_peak():
    """Peak of the resident memory in MB, without the pages of files."""
    status = Path("/proc/self/status").read_text().splitlines()
    found = {
        line.split(":")[0]: line.split()[1]
        for line in status
        if line.startswith(("VmHWM", "RssFile"))
    }
    return (int(found["VmHWM"]) - int(found["RssFile"])) / 1024


def workers():
    """Time of a fit on one and on two Dask workers of one thread."""
    import dask
    import dask.array as da
    from distributed import Client, LocalCluster, wait

    n, d, n_chunks = 12_500, 256, 16
    chunks = [dask.delayed(clusters)(n, d, seed=i) for i in range(n_chunks)]
    X = [da.from_delayed(chunk[0], (n, d), np.float32) for chunk in chunks]
    y = [da.from_delayed(chunk[1], (n,), np.int64) for chunk in chunks]
    times = {}
    for n_workers in (1, 2):
        options = {"threads_per_worker": 1, "dashboard_address": None}
        with LocalCluster(n_workers=n_workers, **options) as cluster, Client(cluster):
            rows, labels = dask.persist(da.concatenate(X), da.concatenate(y))
            wait([rows, labels])
            fit = partial(DPLogisticRegression().fit, rows, labels)
            times[n_workers] = min(seconds(fit) for _ in range(2))
    print(f"Dask: {times[1]:.2f} s on one worker, {times[1] / times[2]:.2f} times the "
          "speed on two")  # fmt: skip
    return {"one": times[1], "two": times[2], "speed": times[1] / times[2]}


def search_backends():
    """Time of a search over epsilon in two processes of loky and of Ray."""
    import ray
    from ray.util.joblib import register_ray

    register_ray()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    X, y = clusters(50_000, 128)
    model = DPLogisticRegression(n_jobs=1, random_state=0)
    search = GridSearchCV(model, {"epsilon": [0.5, 1.0, 2.0, 4.0]}, cv=3)
    found, scores = {}, []
    for backend in ("loky", "ray"):
        with parallel_config(backend, n_jobs=2):
            found[backend] = min(seconds(partial(search.fit, X, y)) for _ in range(2))
        scores.append(search.cv_results_["mean_test_score"])
    ray.shutdown()
    assert np.array_equal(*scores)
    print(
        f"GridSearchCV over 4 epsilons: {found['loky']:.2f} s in two processes of "
        f"loky, {found['ray']:.2f} s in two of Ray; the same scores"
    )
    return found


def draw(results, path):
    import matplotlib.pyplot as plt

    curves = results["growth"]
    figure, axes = plt.subplots(1, len(curves), figsize=(3 * len(curves), 3))
    for panel, (axis, found) in zip(axes, curves.items(), strict=True):
        sizes = [size for size, _ in found["points"]]
        times = [point["seconds"] for _, point in found["points"]]
        panel.loglog(sizes, times, "o-")
        panel.set_title(f"{found['fit']}: exponent {found['exponent']:.2f}", size=9)
        panel.set_xlabel(axis)
        panel.grid(alpha=0.3, which="both")
    axes[0].set_ylabel("seconds")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=10**7, help="most rows")
    parser.add_argument("--google", help="checkout of google/differential-privacy")
    parser.add_argument("--memory-map", type=float, help="gigabytes")
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--skip-growth", action="store_true")
    parser.add_argument("--output", default=HERE / "scaling.json")
    args = parser.parse_args()
    results = {"ratios": {}}
    parts = [part(args.repeats) for part in (scatter_pass, whole_fits)]
    parts += [part(args.repeats) for part in (against_scikit_learn, sampling)]
    if args.google:
        parts.append(against_google(args.google))
    for part in parts:
        for name, limit, found in part:
            results["ratios"][name] = {"limit": limit, **found}
            print(
                f"{name:>36}: {found['ratio']:7.3f}, should be at most {limit:g}  "
                f"({found['seconds']:.3f} s, {found['other']:.3f} s)",
                flush=True,
            )
    if args.dask:
        results["dask"] = workers()
    if args.ray:
        results["ray"] = search_backends()
    if args.memory_map:
        results["memory map"] = memory_map(args.memory_map)
    if not args.skip_growth:
        results["growth"] = dict(growth(args.rows))
        draw(results, Path(args.output).with_suffix(".png"))
    Path(args.output).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
