"""What a fit costs: against the arithmetic it needs, and as its input grows.

One command, about ten minutes on two cores::

    python -m benchmarks.scaling

The first table has ratios, each of two times that were taken in turn in this run: a
scatter pass and whole fits over one product ``X.T @ X``, and estimators over those of
scikit-learn, with ``--google`` a checkout of google/differential-privacy over its
clustering too. The second has times and peak memory as the number of rows, features,
components, classes and threads grow one by one, and the exponent of the time in the
number of rows. The third says what a fit to 10**9 rows of 768 features would take on
256 cores, by the time that one core takes for a row more. ``--memory-map 8`` fits
k-means to a memory map of 8 GB and tells the peak memory; ``--dask`` compares two
workers of one thread with one and tells what the scheduler takes for a task, and
``--ray`` a search over epsilon in two processes of Ray with two of loky.

Results are written as JSON and as a figure beside this file, or to ``--output``.
"""

import time
from functools import partial

import numpy as np
from scipy.linalg.blas import dsyrk
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from benchmarks.asv.rows import clusters
from benchmarks.common.command import Results, parser_of
from benchmarks.common.datasets import blobs
from benchmarks.common.timing import ratio
from benchmarks.parts.engines import search_backends, workers
from benchmarks.parts.growth import draw, forecast, growth, memory_map
from benchmarks.peers.google import google_clustering
from skdpgmm import DPEmbeddingSynthesizer, DPGaussianMixture, DPKMeans
from skdpgmm._queries.cells import CellMoments, NearestCell
from skdpgmm._rows.arrays import ArrayRows
from skdpgmm.privacy.grid import Ball

BLOCK = 4096


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
        rows.sum(query)

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
        lambda: DPGaussianMixture(10).fit(X),
        lambda: GaussianMixture(10).fit(X),
        repeats,
    )
    yield "mixture / GaussianMixture", 0.1, found
    for n, d, k, limit in (
        (200_000, 64, 10, 0.4),
        (5_000, 2, 3, 1.5),
        (16_000, 10, 5, 1.5),
    ):
        apart = blobs(n, d, k, 0)
        found = ratio(
            lambda k=k, apart=apart: DPGaussianMixture(k, random_state=0).fit(apart),
            lambda k=k, apart=apart: GaussianMixture(k, random_state=0).fit(apart),
            repeats if n > 100_000 else 10,
        )
        yield f"the same, blobs of {n:,} x {d}", limit, found
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
    google = google_clustering(checkout)
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


def main():
    parser = parser_of("scaling", __doc__, "--google", "--fresh")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=10**7, help="most rows")
    parser.add_argument("--memory-map", type=float, help="gigabytes")
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--skip-growth", action="store_true")
    args = parser.parse_args()
    results = Results(args, ("repeats", "rows"))
    parts = [scatter_pass, whole_fits, against_scikit_learn, sampling]
    parts = {part.__name__: partial(part, args.repeats) for part in parts}
    if args.google:
        parts["against_google"] = partial(against_google, args.google)
    for name, part in parts.items():
        found = results.once("ratios", name, measure=partial(ratios_of, part))
        for what, row in found.items():
            print(
                f"{what:>36}: {row['ratio']:7.3f}, should be at most {row['limit']:g}  "
                f"({row['seconds']:.3f} s, {row['other']:.3f} s)",
                flush=True,
            )
    if args.memory_map:
        results.once("memory map", measure=partial(memory_map, args.memory_map))
    if not args.skip_growth:
        results.once("growth", measure=lambda: dict(growth(args.rows)))
        draw(results.results, args.output.with_suffix(".png"))
        results.once("forecast", measure=forecast)
    if args.ray:
        results.once("ray", measure=search_backends)
    if args.dask:  # last: it tells all later processes how to give memory back
        results.once("dask", measure=workers)


def ratios_of(part):
    """Return the ratios of one part by name, each with what it should be at most."""
    return {name: {"limit": limit, **found} for name, limit, found in part()}


if __name__ == "__main__":
    main()
