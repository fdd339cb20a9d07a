"""Fits and searches on Dask and Ray, for `benchmarks.scaling`."""

from functools import partial

import numpy as np
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV

from benchmarks.asv.rows import clusters
from benchmarks.common.timing import seconds
from skdpgmm import DPKMeans, DPLogisticRegression

# Rows of a chunk, features, chunks: chunks of 13 MB, and of the 100 MB that the guide
# of Dask asks for at least.
SHAPES = {"small chunks": (12_500, 256, 16), "chunks of 100 MB": (50_000, 512, 8)}


def workers():
    """Time of a fit on one and on two Dask workers of one thread."""
    import dask
    import dask.array as da
    from distributed import Client, LocalCluster, wait

    found = {name: {} for name in SHAPES}
    for n_workers in (1, 2):
        options = {"threads_per_worker": 1, "dashboard_address": None}
        with LocalCluster(n_workers=n_workers, **options) as cluster, Client(cluster):
            for name, (n, d, n_chunks) in SHAPES.items():
                chunks = [dask.delayed(clusters)(n, d, seed=i) for i in range(n_chunks)]
                X = [da.from_delayed(chunk[0], (n, d), np.float32) for chunk in chunks]
                y = [da.from_delayed(chunk[1], (n,), np.int64) for chunk in chunks]
                rows, labels = dask.persist(da.concatenate(X), da.concatenate(y))
                wait([rows, labels])
                fit = partial(DPLogisticRegression().fit, rows, labels)
                found[name][n_workers] = min(seconds(fit) for _ in range(2))
                del fit, rows, labels
            task = _seconds_of_a_task()
    for name, times in found.items():
        print(
            f"Dask, {name}: {times[1]:.2f} s on one worker, "
            f"{times[1] / times[2]:.2f} times the speed on two"
        )
    print(f"Dask: a task takes {1e3 * task:.2f} ms besides its sums")
    return {**found, "seconds of a task": task}


def _seconds_of_a_task(n_chunks=200):
    """Time of a pass over next to no rows, for each of its tasks."""
    import dask.array as da

    X = da.from_array(clusters(10 * n_chunks, 2)[0], (10, 2)).persist()
    model = DPKMeans(10, random_state=0)
    ledger = model.fit(X).privacy_.ledger
    passes = len({entry.name.split(":")[0] for entry in ledger})
    return min(seconds(lambda: model.fit(X)) for _ in range(3)) / (passes * n_chunks)


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
