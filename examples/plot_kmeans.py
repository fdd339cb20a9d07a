"""
Private k-means beside scikit-learn's
=====================================

The same points clustered by :class:`~sklearn.cluster.KMeans` and, at several epsilons,
by :class:`~skdpgmm.DPKMeans`. Centres and noisy counts are all that a private fit
leaves: there are no ``labels_``, and no exact ``inertia_``.
"""

# %%
# Fifteen clusters
# ----------------
# Drawn, so that they may be shown; all within a ball that is known.
import matplotlib.pyplot as plt
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs

from skdpgmm import DPKMeans

X, _ = make_blobs(6000, centers=15, cluster_std=0.7, random_state=2)
k, known = 15, {"clip_norm": 16.0}

# %%
# One after the other
# -------------------
models = {"KMeans": KMeans(k, n_init=10, random_state=0).fit(X)}
for epsilon in (4.0, 1.0, 0.25):
    models[f"epsilon = {epsilon:g}"] = DPKMeans(k, epsilon=epsilon, **known).fit(X)

best = models["KMeans"].score(X)
fig, axes = plt.subplots(1, 4, figsize=(13, 3.6), sharex=True, sharey=True)
for ax, (name, model) in zip(axes, models.items(), strict=True):
    ax.plot(*X.T, ".", color="0.8", markersize=1.5, zorder=0)
    ax.plot(*model.cluster_centers_.T, "x", color="#d55e00", markeredgewidth=2.5)
    ax.set_title(f"{name}\n{model.score(X) / best:.2f} of the loss")
    ax.set_aspect("equal")
fig.tight_layout()

# %%
# The loss in a title is computed on the points themselves, which are public here: of
# private ones, it would not be private.
#
# What stands out of the noise
# ----------------------------
# A fit says, by releases alone, which of its centres can be told from noise.
print(models["epsilon = 0.25"].privacy_.quality)

# %%
# Real records
# ------------
# 1,797 handwritten digits of 8 x 8 pixels. That a pixel is from 0 to 16 follows from
# how they were scanned, so that it costs nothing to say. Centres are images again.
digits = load_digits().data
models = {"KMeans": KMeans(10, n_init=10, random_state=0).fit(digits)}
for epsilon in (4.0, 1.0):
    model = DPKMeans(10, epsilon=epsilon, bounds=(0.0, 16.0))
    models[f"epsilon = {epsilon:g}"] = model.fit(digits)

best = models["KMeans"].score(digits)
fig, axes = plt.subplots(3, 10, figsize=(10, 3.4))
for row, (name, model) in zip(axes, models.items(), strict=True):
    for ax, center in zip(row, model.cluster_centers_, strict=True):
        ax.imshow(center.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
    loss = model.score(digits) / best
    row[0].set_title(f"{name}: {loss:.2f} of the loss", loc="left", fontsize=10)
fig.tight_layout()

# %%
# The page of :doc:`benchmarks </benchmarks>` has more sets, and what private k-means of
# others makes of them.
