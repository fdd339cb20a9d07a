"""Private k-means of others, each fitted in a process and environment of its own.

IBM's diffprivlib does not import under the scikit-learn that skdpgmm needs, so an
environment is made for it on first use, in the cache folder. Google's clustering is
not a package: it is run from a checkout, in the environment of the benchmark, which
has all that it imports.
"""

import queue
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from benchmarks.peers.processes import (
    DIFFPRIVLIB,
    Peer,
    PeerError,
    Worker,
    environment,
)

WORKER = Path(__file__).resolve().with_name("kmeans_worker.py")
TIMED_FITS = 3


def find_peers(google, cache):
    """Return the peers that can be run, and why the others cannot, by their name."""
    found, missing = [], {}
    for name, find, place in (
        ("diffprivlib", _diffprivlib, cache),
        ("google", _google, google),
    ):
        try:
            # -P: what is beside the script is not what the peer imports.
            python, *folder = find(place)
            command = (str(python), "-P", str(WORKER), name, *map(str, folder))
            found.append(Peer(name, command))
        except PeerError as reason:
            missing[name] = str(reason)
    return found, missing


def _diffprivlib(cache):
    return (environment(cache, "diffprivlib-0.6.6", DIFFPRIVLIB),)


def _google(checkout):
    if checkout is None:
        raise PeerError("needs --google PATH, a checkout of differential-privacy")
    path = Path(checkout).expanduser().resolve()
    if not (path / "learning/clustering/clustering_algorithm.py").is_file():
        raise PeerError("--google has no learning/clustering/clustering_algorithm.py")
    return sys.executable, path


class Pool:
    """As many processes of one peer as there are jobs."""

    def __init__(self, peer, jobs, limit, folder):
        self.name, self.folder = peer.name, Path(folder)
        self._workers = [Worker(peer, limit) for _ in range(jobs)]
        self._free = queue.SimpleQueue()
        for worker in self._workers:
            self._free.put(worker)

    @property
    def versions(self):
        """Versions in the environment of the peer, once it has been started."""
        return next((w.versions for w in self._workers if w.versions), {})

    @contextmanager
    def _worker(self):
        worker = self._free.get()
        try:
            yield worker
        finally:
            self._free.put(worker)

    def start(self):
        """Start one process, to see whether the peer can be imported."""
        with self._worker() as worker:
            worker.start()

    def fit(self, path, k, epsilon, delta, seed, against_kmeans=False):
        """Return the centres, the seconds, and those of scikit-learn or None."""
        out = self.folder / f"{self.name}-{threading.get_ident()}.npy"
        with self._worker() as worker:
            reply = worker.ask(
                path=str(path),
                out=str(out),
                k=k,
                epsilon=epsilon,
                delta=delta,
                seed=seed,
                against_kmeans=against_kmeans,
            )
        return np.load(out), reply["seconds"], reply.get("kmeans_seconds")

    def measure(self, data, cases):
        """Return the centres of each epsilon and seed, times, and a failure or None.

        After one failure nothing more is tried, and what is missing is None.
        """
        # A process keeps the last file that it has read: a name is never used twice.
        paths = [self.folder / f"{data.name}-{i}.npy" for i in range(len(data.draws))]
        for path, X in zip(paths, data.draws, strict=True):
            np.save(path, X)
        failures = []

        def fit(epsilon, seed):
            if failures:
                return None
            path = paths[data.draw_of(seed)]
            try:
                return self.fit(path, data.k, epsilon, data.delta, seed)[0]
            except PeerError as error:
                failures.append(str(error))
                return None

        try:
            times = self._times(paths[0], data.k, data.delta)
        except PeerError as error:
            failures.append(str(error))
            times = None
        # Threads suffice: they wait for the processes of the peer.
        jobs = len(self._workers)
        centers = Parallel(jobs, prefer="threads")(delayed(fit)(*c) for c in cases)
        for path in paths:
            path.unlink()
        return centers, times, failures[0] if failures else None

    def _times(self, path, k, delta):
        """Seconds of fits at epsilon 1, and of KMeans in turn with them."""
        fits = [
            self.fit(path, k, 1.0, delta, seed, against_kmeans=True)
            for seed in range(TIMED_FITS)
        ]
        return {"seconds": [f[1] for f in fits], "kmeans_seconds": [f[2] for f in fits]}

    def close(self):
        """End all processes."""
        for worker in self._workers:
            worker.stop()


def start_pools(google, cache, jobs, limit, folder):
    """Return the peers that run, and why the others do not, by their name."""
    peers, missing = find_peers(google, cache)
    pools = []
    for peer in peers:
        pool = Pool(peer, jobs, limit, folder)
        try:
            pool.start()
            pools.append(pool)
        except PeerError as reason:
            missing[peer.name] = str(reason)
    return pools, missing
