"""
Rows that do not fit, and rows on a cluster
===========================================

All that a fit asks of the records is sums. They add up over blocks, in integers, so
that it does not matter where the rows are, how they are cut up, or in what order the
blocks are summed: the model is the same to the bit.
"""

# %%
# A memory map
# ------------
# A file of 100,000 rows, written in pieces, of which a fit reads one block after
# another. They are drawn, as nothing that is installed has so many.
import tempfile
import time
from pathlib import Path

import dask.array as da
import numpy as np

from skdpgmm import DPEmbeddingSynthesizer

n, d, n_classes = 100_000, 16, 5
rng = np.random.default_rng(0)
centers = 3.0 * rng.standard_normal((n_classes, d)) / np.sqrt(d)
labels = rng.integers(0, n_classes, size=n)
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "rows.npy"
shape = {"dtype": np.float32, "shape": (n, d)}
rows = np.lib.format.open_memmap(path, mode="w+", **shape)
for start in range(0, n, 25_000):
    some = slice(start, start + 25_000)
    noise = rng.standard_normal((25_000, d)) / np.sqrt(d)
    rows[some] = centers[labels[some]] + noise
rows.flush()


def fitted(X, y):
    # An int makes fits comparable, and is not private: leave it out for real records.
    synthesizer = DPEmbeddingSynthesizer(
        epsilon=1.0, classes=range(n_classes), random_state=0
    )
    start = time.perf_counter()
    synthesizer.fit(X, y)
    print(f"{type(X).__name__}: {time.perf_counter() - start:.1f} s")
    return synthesizer


mapped = fitted(np.load(path, mmap_mode="r"), labels)

# %%
# Chunks of Dask
# --------------
# The same rows as a Dask array, in chunks of another size, which would be on the
# workers of a cluster. They are summed where they are, and only sums travel.
chunked = fitted(
    da.from_array(np.load(path, mmap_mode="r"), chunks=(30_000, d)),
    da.from_array(labels, chunks=30_000),
)
print("the same means, to the bit:", np.array_equal(mapped.means_, chunked.means_))

# %%
# What came of it
# ---------------
# The classes, and how far from their centres half a million synthetic rows lie in the
# mean, drawn in batches that fit into memory.
counts, sums = np.zeros(n_classes), np.zeros((n_classes, d))
for batch, codes in chunked.iter_samples(500_000, batch_size=50_000):
    counts += np.bincount(codes, minlength=n_classes)
    sums += np.stack([batch[codes == c].sum(axis=0) for c in range(n_classes)])
away = np.linalg.norm(sums / counts[:, None] - centers, axis=1)
for c in range(n_classes):
    print(f"class {c}: {counts[c]:.0f} rows, mean off by {away[c]:.3f}")
folder.cleanup()
