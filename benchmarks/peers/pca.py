"""Private PCA of others, each fitted in a process and environment of its own."""

from pathlib import Path

import numpy as np

from benchmarks.peers.processes import (
    DIFFPRIVLIB,
    Peer,
    PeerError,
    Worker,
    environment,
)

WORKER = Path(__file__).resolve().with_name("pca_worker.py")
PACKAGES = {
    "diffprivlib": ("diffprivlib-0.6.6", DIFFPRIVLIB),
    "opendp": (
        "opendp-0.16.0",
        ("opendp==0.16.0", "scikit-learn", "numpy", "randomgen"),
    ),
}


class PeerPCA:
    """The PCA of one peer."""

    def __init__(self, name, python, limit, folder):
        command = (str(python), "-P", str(WORKER), name)
        self.name, self.folder = name, Path(folder)
        self._worker = Worker(Peer(name, command), limit)

    @property
    def versions(self):
        """Versions in the environment of the peer."""
        return self._worker.versions

    def start(self):
        """Start the process, to see whether the peer can be imported."""
        self._worker.start()

    def components(self, X, k, epsilon, seed):
        """Return the components, of shape (k, d), and the seconds."""
        path, out = (self.folder / f"{self.name}-{end}.npy" for end in ("X", "out"))
        np.save(path, X)
        reply = self._worker.ask(
            path=str(path), out=str(out), k=k, epsilon=epsilon, seed=seed
        )
        return np.load(out), reply["seconds"]

    def close(self):
        """End the process."""
        self._worker.stop()


def start_peers(cache, limit, folder):
    """Return the peers that run, and why the others do not, by their name."""
    peers, missing = [], {}
    for name, (place, packages) in PACKAGES.items():
        try:
            peer = PeerPCA(name, environment(cache, place, packages), limit, folder)
            peer.start()
            peers.append(peer)
        except PeerError as reason:
            missing[name] = str(reason)
    return peers, missing
