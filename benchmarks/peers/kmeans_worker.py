"""Fits one peer in a process of its own; `kmeans.py` starts it and talks to it.

Arguments: the name of the peer, and the folder it is imported from, if any. Then one
request a line comes on standard input, as JSON, and one answer a line goes out. This
file needs numpy, scikit-learn and the peer, and nothing of skdpgmm.
"""

import importlib.metadata
import json
import os
import sys
import time
import warnings

import numpy as np
from sklearn.cluster import KMeans


def diffprivlib():
    """Return a function that fits IBM's k-means, which is purely epsilon-private."""
    from diffprivlib import BudgetAccountant
    from diffprivlib.models import KMeans as PrivateKMeans

    def fit(X, k, epsilon, delta, seed):
        kmeans = PrivateKMeans(
            k,
            epsilon=epsilon,
            bounds=(-1.0, 1.0),  # of each feature; holds where no norm exceeds 1
            random_state=seed,
            # The default one would keep, and add up, the costs of all fits.
            accountant=BudgetAccountant(),
        )
        return kmeans.fit(X).cluster_centers_

    return fit


def google(folder):
    """Return a function that fits Google's LSH clustering from a checkout."""
    sys.path.insert(0, os.path.join(folder, "learning"))
    from clustering import clustering_algorithm, clustering_params

    class Centers:
        """The centres alone: labelling the rows, not private, would take most time."""

        def __init__(self, data, centers):
            self.centers = centers

    clustering_algorithm.ClusteringResult = Centers

    def fit(X, k, epsilon, delta, seed):
        np.random.seed(seed)  # noqa: NPY002 - it draws from numpy's global generator
        result = clustering_algorithm.private_lsh_clustering(
            k,
            clustering_params.Data(X, 1.0),
            clustering_params.DifferentialPrivacyParam(epsilon, delta),
        )
        return result.centers

    return fit


def versions():
    """Versions of what may matter, as far as it is installed here."""
    found = {}
    for name in ("diffprivlib", "dp-accounting", "numpy", "scikit-learn"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


class Answers:
    """Answers requests, and keeps the last data set that it has read."""

    def __init__(self, fit):
        self.fit = fit
        self.path = self.X = None

    def answer(self, path, out, k, epsilon, delta, seed, against_kmeans):
        """Fit, write the centres to `out`, and return the seconds it took."""
        if path != self.path:
            self.path, self.X = path, np.load(path)
        reply = {}
        if against_kmeans:
            start = time.perf_counter()
            KMeans(k, n_init=1, random_state=seed).fit(self.X)
            reply["kmeans_seconds"] = time.perf_counter() - start
        start = time.perf_counter()
        centers = self.fit(self.X, k, epsilon, delta, seed)
        reply["seconds"] = time.perf_counter() - start
        if not np.all(np.isfinite(centers)):
            raise ValueError("centres are not finite")
        np.save(out, centers)
        return reply


def main():
    # A peer that prints must not do so into the answers.
    answers_to = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")

    def send(reply):
        print(json.dumps(reply), file=answers_to, flush=True)

    name, *folder = sys.argv[1:]
    try:
        answers = Answers({"diffprivlib": diffprivlib, "google": google}[name](*folder))
    except Exception as error:
        send({"failure": f"{type(error).__name__}: {error}"})
        return
    send({"versions": versions()})
    for line in sys.stdin:
        try:
            send(answers.answer(**json.loads(line)))
        except Exception as error:
            send({"failure": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
