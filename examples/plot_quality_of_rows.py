"""
How good are synthetic rows?
============================

Rows may be like records without teaching what these teach, and the other way round.
Each is measured in its own way; here on scikit-learn's digits, half of which are taken
for private, and the others for what is held back to judge.
"""

# %%
# Rows of several budgets
# -----------------------
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skdpgmm import DPEmbeddingSynthesizer
from skdpgmm.metrics import (
    frechet_distance,
    manifold_scores,
    train_on_synthetic_accuracy,
)

X, y = load_digits(return_X_y=True)
X, X_held, y, y_held = train_test_split(X / 16.0, y, test_size=0.5, random_state=0)
epsilons = [0.5, 1.0, 2.0, 4.0, 8.0]
judge = LogisticRegression(max_iter=1000)
found = []
for epsilon in epsilons:
    model = DPEmbeddingSynthesizer(epsilon=epsilon, clip_norm=8.0, classes=range(10))
    rows, labels = model.fit(X, y).sample(len(X_held))
    learned = train_on_synthetic_accuracy(judge, rows, labels, X_held, y_held)
    found.append([learned, frechet_distance(X_held, rows)])

# %%
# Beside other records
# --------------------
# The records themselves, judged by the same half, are what can be reached at best.
best = [judge.fit(X, y).score(X_held, y_held), frechet_distance(X_held, X)]
titles = ["what they teach: accuracy", "how like they are: Fréchet distance"]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
panels = zip(axes, titles, np.transpose(found), best, strict=True)
for ax, title, values, limit in panels:
    ax.plot(epsilons, values, "o-", label="synthetic rows")
    ax.axhline(limit, color="0.4", ls="--", label="other records")
    ax.set(title=title, xlabel="epsilon", xscale="log", ylim=(0, None))
    ax.set_xticks(epsilons, [f"{epsilon:g}" for epsilon in epsilons])
    ax.minorticks_off()
axes[0].legend(loc="lower right")

# %%
# Neighbour by neighbour
# ----------------------
# A classifier learns from rows that look nothing like digits: it needs the boundaries
# between classes, and these are cheap. That a record has synthetic rows among its
# nearest neighbours takes the shape of each class, for which these are too few records.
print("rows of the largest epsilon:", manifold_scores(X_held, rows))
print("other records:", manifold_scores(X_held, X))

# %%
# All scores are exact functions of the records that judge. These are public here; for
# private ones there is :func:`~skdpgmm.metrics.private_accuracy`, which pays.
